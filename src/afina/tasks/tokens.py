"""`tokens`: named stretches of a text (names, dates, prices) or one tag a word (parts of speech).

Input is words with tags, or a text with character spans. Words are joined by blanks and everything is aligned by
characters; a long text becomes windows, and each token is labelled and read in the one window where it has most
context, so nothing is cut. Entities are BIO inside, whatever scheme came in, and decoding gives legal sequences only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem, printable
from ..metrics import scores
from ..metrics.scores import Metric
from ..records import Example, Features, Prediction, Row, ScoreRow, Window
from . import base
from .base import Array, Broken, HeadSpec, Sample
from .classification import UNSEEN, class_weights, softmax

if TYPE_CHECKING:
    import torch

TOKEN_NAMES = ("tokens", "words", "form", "1")
TAG_NAMES = ("ner_tags", "tags", "labels", "pos_tags", "upos")
SPAN_NAMES = ("spans", "entities", "ents", "label", "labels", "annotations")
IGNORED = -100
TAG = re.compile(r"([BIESLU])-(.+)", re.DOTALL)
MEANT_AS_TAG = re.compile(r"[BIESLU]([-_].*)?", re.DOTALL | re.IGNORECASE)
"""What somebody wrote who thought of a tag of an entity: `B-PER`, and `b-per`, `B_PER`, `B-`, `B`."""


class Span(NamedTuple):
    """A stretch [start, end) of words or characters with its label."""

    start: int
    end: int
    label: str


class TokensOptions(base.Options):
    """Columns and settings of `tokens`."""

    tokens: str | None = Field(None, description="column of the word lists (CoNLL: 1, CoNLL-U: form)")
    tags: str | None = Field(
        None, description="column of the tag lists (CoNLL: its number, the last by default; CoNLL-U: upos)"
    )
    text: str | None = Field(None, description="column of the text, when labels are character spans")
    label: str | None = Field(
        None, description="column of the spans: a list of {start, end, label} or [start, end, label]"
    )
    kind: Literal["auto", "entities", "plain"] = Field(
        "auto", description="entities (BIO and its kin), or plain tags (POS)"
    )
    key: str | None = Field(None, description="CoNLL-U: the key inside the tag column (FEATS, MISC) that holds the tag")
    subwords: Literal["first", "all"] = Field(
        "first", description="which sub-words of a word carry its label in training"
    )
    offsets: Literal["auto", "characters", "utf16", "bytes"] = Field(
        "auto", description="the unit of span offsets; auto: characters, refused where another unit fits better"
    )
    strict: bool = Field(False, description="tags that break their scheme, such as an I without a B, are no entities")
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: rare tags weigh more in the loss, by the inverse of their frequency"
    )


class Tokens(base.Task):
    """A tag for each word, or spans of a text."""

    name = "tokens"
    summary = "named stretches of a text: NER, POS, dates, prices"
    Options = TokensOptions
    level = "token"
    label_unit = "word"
    slides = True

    def __init__(self, options: TokensOptions, fitted: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self.fitted = fitted or {}

    @property
    def metrics(self) -> dict[str, Metric]:
        entity = {
            "entity_f1": scores.entity_f1,
            "entity_precision": scores.entity_precision,
            "entity_recall": scores.entity_recall,
            "entity_macro_f1": macro_f1,
            "entity_partial_f1": lambda table: credit_f1(table, "partial"),
            "entity_type_f1": lambda table: credit_f1(table, "typed"),
        }
        plain = {"token_accuracy": token_accuracy, "sentence_accuracy": sentence_accuracy}
        known = {"entities": entity, "plain": plain}
        return known.get(self.fitted.get("kind", ""), {**entity, **plain})

    @property
    def plain(self) -> bool:
        """Whether each word has a tag of its own, rather than being part of an entity."""
        return bool(self.fitted["kind"] == "plain")

    @property
    def types(self) -> list[str]:
        """Entity types, or plain tags."""
        types: list[str] = self.fitted["types"]
        return types

    @cached_property
    def tags(self) -> list[str]:
        """The tags of the head: `O` and B-, I- for each type; the plain tags; or those of somebody else's head."""
        given: list[str] | None = self.fitted.get("tags")
        return given or (
            self.types if self.plain else ["O", *(f"{edge}-{kind}" for kind in self.types for edge in "BI")]
        )

    @property
    def head(self) -> HeadSpec:
        labels = {"id2label": dict(enumerate(self.tags)), "label2id": {tag: i for i, tag in enumerate(self.tags)}}
        return HeadSpec("AutoModelForTokenClassification", len(self.tags), labels)

    def columns(self, names: Sequence[str], *, labelled: bool = True) -> Tokens:
        options = self.options
        if options.text is None and (options.tokens or any(name in names for name in TOKEN_NAMES)):
            tokens = options.tokens or next(name for name in TOKEN_NAMES if name in names)
            chosen: dict[str, Any] = {"tokens": base.present("tokens", tokens, names)}
            if labelled:
                chosen["tags"] = tag_column(options.tags, tokens, names)
        else:
            text, _ = base.text_columns(options.text, None, names)
            chosen = {"text": text}
            if labelled:
                chosen["label"] = base.target_column("label", options.label, SPAN_NAMES, names)
        return Tokens(options.model_copy(update=chosen), self.fitted)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        if self.options.text is not None:
            text = base.read_text(row, self.options.text, labelled=labelled)
            target = read_spans(row, self.options.label or "", text, self.options.offsets) if labelled else None
            return Example(text, None, target, row.place)
        words = read_list(row, self.options.tokens or "")
        text, places = joined(words)
        tags = read_tags(row, self.options.tags or "", self.options.key, len(words)) if labelled else None
        return Example(text, None, tags, row.place, places)

    def fit(self, examples: Sequence[Example]) -> Tokens:
        if self.options.text is not None:
            types = sorted({span.label for example in examples for span in example.target})
            if not types:
                raise ConfigError("label: no training example has a span; is the right column named?")
            if self.options.offsets == "auto":
                refuse_other_units(examples)
                refuse_off_by_one(examples)
            return self.weighed({"kind": "entities", "types": types, "scheme": "spans"}, examples)
        counts = Counter(tag for example in examples for tag in example.target)
        kind = self.options.kind
        if kind == "auto":
            kind = kind_of(counts)
        if kind == "plain":
            common = counts.most_common(1)[0][0]
            fitted = {"kind": "plain", "types": base.sorted_labels(counts), "common": common}
            return self.weighed(fitted, examples)
        wrong = [problem for example in examples for problem in bad_tags(example)]
        if wrong:
            raise DataError(wrong)
        if set(counts) <= {"O"}:
            raise ConfigError("tags: every word of the training data has the tag O; is the right column named?")
        scheme = find_scheme([example.target for example in examples])
        types = sorted({TAG.fullmatch(tag)[2] for tag in counts if tag != "O"})  # type: ignore[index]
        return self.weighed({"kind": "entities", "types": types, "scheme": scheme}, examples)

    def weighed(self, fitted: dict[str, Any], examples: Sequence[Example]) -> Tokens:
        """The task with these facts, and with the weights of its tags where they are asked for."""
        task = Tokens(self.options, fitted)
        if self.options.class_weights == "none":
            return task
        counts: Counter[str] = Counter(task.tags)  # once each, so that a tag that never occurs has a finite weight
        for example in examples:
            words = segmented(example.text) if example.words is None else example.words
            if example.words is None:
                owner = owners(without_overlaps(example.target), np.array(words, np.int64).reshape(-1, 2))
                kinds = [span.label for span in without_overlaps(example.target)]
                counts.update(
                    "O" if i < 0 else f"{'B' if first else 'I'}-{kinds[i]}"
                    for i, first in zip(owner.tolist(), opens(owner).tolist(), strict=True)
                )
            else:
                counts.update(task.tags[i] for i in task.word_tags(example))
        return Tokens(self.options, {**fitted, "weights": class_weights("balanced", task.tags, counts)})

    def doubts(self, examples: Sequence[Example]) -> list[Problem]:
        """Spans that overlap (one tag a token can't hold both) or cut words; an I where other entities begin with B."""
        if self.options.text is None:
            return orphans(examples) if self.fitted.get("scheme") else []
        overlaps = [
            Problem(
                example.place,
                f"{shown_span(span, example.text)} overlaps another span",
                "the longer one is trained on; in scores both count",
                "overlapping-spans",
            )
            for example in examples
            for span in sorted(set(example.target) - set(without_overlaps(example.target)))
        ]
        return overlaps + [
            Problem(
                example.place,
                f"{shown_span(span, example.text)} cuts a {what}",
                "is it off by one? start and end count from 0, the end is the first character after the span",
                "cut-span",
            )
            for example in examples
            for span in example.target
            if (what := cut_by(example.text, span))
        ]

    def labels_in(self, example: Example) -> list[str]:
        """Types of the entities, or plain tags."""
        if example.words is None or self.fitted.get("kind") == "plain":
            return super().labels_in(example)
        return [entity.label for entity in self.entities(example.target)]

    @property
    def unit(self) -> str:  # type: ignore[override]
        """What `held` counts."""
        return "tags" if self.plain else "entities"

    def coverage(self, example: Example, windows: Sequence[Window]) -> tuple[int, int]:
        """Entities (or tags) and those that tokens can express: every word has a token, every edge is a token's."""
        spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])
        if example.words is None:
            visible = spans[spans[:, 1] > spans[:, 0]]
            starts, ends = set(visible[:, 0].tolist()), set(visible[:, 1].tolist())
            kept = without_overlaps(example.target)
            return len(example.target), sum(span.start in starts and span.end in ends for span in kept)
        seen = set(owners(example.words, spans).tolist())
        if self.plain:
            return len(example.words), len(seen - {-1})
        entities = self.entities(example.target)
        return len(entities), sum(seen.issuperset(range(one.start, one.end)) for one in entities)

    def entities(self, tags: Sequence[str]) -> list[Span]:
        """Entities of gold tags, as the options read them."""
        return entities_of(tags, strict=self.options.strict)

    def check(self, example: Example) -> Problem | None:
        """The first type or tag that the training data did not have."""
        if example.words is None:
            found = [span.label for span in example.target]
        elif self.plain:
            found = list(example.target)
        else:
            for problem in bad_tags(example):
                return problem
            found = [TAG.fullmatch(tag)[2] for tag in example.target if tag != "O"]  # type: ignore[index]
        wrong = [label for label in found if label not in self.types]
        return (
            base.unseen(Example("", target=wrong[0], place=example.place), self.types, countable=True)
            if wrong
            else None
        )

    def encode_target(self, example: Example, window: Window) -> Array:
        """Tag ids of the tokens in the window's core, `IGNORED` elsewhere. [n]

        What begins a word or an entity is told by the token before it, which may lie outside the core.
        """
        found = np.full(len(window), IGNORED, np.int64)
        inside = slice(*window.core)
        if example.words is None:
            entities = without_overlaps(example.target)
            owner = owners(entities, window.spans)
            begins = np.array([1 + 2 * self.types.index(entity.label) for entity in entities] or [0], np.int64)
            tags = np.where(owner < 0, 0, begins[owner] + ~opens(owner))
            # A lone blank inside an entity must not end it: it has no tag.
            tags[window.spans[:, 1] == window.spans[:, 0]] = IGNORED
        else:
            owner = owners(example.words, window.spans)
            tags = np.where(owner < 0, IGNORED, np.array(self.word_tags(example) or [IGNORED], np.int64)[owner])
            later = (owner >= 0) & ~opens(owner)
            if self.options.subwords == "first":
                tags[later] = IGNORED
            elif not self.plain:  # a word that begins an entity: its other tokens go on with it
                tags[later & (tags % 2 == 1)] += 1
        found[inside] = tags[inside]
        return found

    def word_tags(self, example: Example) -> list[int]:
        """Tag ids of an example's words, BIO whatever came in."""
        if self.plain:
            return [self.tags.index(tag) for tag in example.target]
        tags = to_bio(self.entities(example.target), len(example.target))
        return [self.tags.index(tag) for tag in tags]

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy over the labelled tokens; with weights w the mean is sum(w l) / sum(w), as torch's own."""
        from torch.nn import functional as F

        weights = self.fitted.get("weights")
        weight = None if weights is None else logits.float().new_tensor(weights)
        total = F.cross_entropy(logits.float(), targets, weight=weight, reduction="sum", ignore_index=IGNORED)
        labelled = targets[targets != IGNORED]
        return total, logits.new_tensor(float(len(labelled))) if weight is None else weight[labelled].sum()

    def fit_thresholds(
        self, examples: Sequence[Example], features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Tokens:
        return self

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])  # [N, 2], each token once
        rows = np.concatenate([rows[slice(*window.core)] for window, rows in zip(windows, logits, strict=True)])
        probabilities = softmax(rows.astype(np.float64)) if len(rows) else rows
        words = example.words
        if words is None and self.fitted.get("scheme") == "spans":
            visible = spans[:, 1] > spans[:, 0]
            places, units = spans[visible], probabilities[visible]
        else:
            words = segmented(example.text) if words is None else words
            places, units = np.array(words, np.int64).reshape(-1, 2), self.by_word(words, spans, probabilities)
        if self.plain:
            best = units.argmax(axis=1) if len(units) else []
            return {"tags": [self.tags[i] for i in best], "scores": [float(units[i, k]) for i, k in enumerate(best)]}
        tags = self.best_tags(units)
        found = []
        for first, last, label in entities_of(tags):
            one = {"start": first, "end": last, "label": label}
            if example.words is None:
                start, end = int(places[first, 0]), int(places[last - 1, 1])
                one |= {"start": start, "end": end, "text": example.text[start:end]}
            found.append({**one, "score": certainty(units, tags, self.tags, first, last)})
        return {"tags": tags, "entities": found} if example.words is not None else {"entities": found}

    def best_tags(self, probabilities: Array) -> list[str]:
        """The best legal sequence; for somebody else's head, whose scheme may be any, the best tag of each. [n, k]"""
        if "tags" in self.fitted:
            return [self.tags[i] for i in probabilities.argmax(axis=1)] if len(probabilities) else []
        return viterbi(np.log(np.maximum(probabilities, 1e-300)), self.tags)

    def by_word(self, words: Sequence[tuple[int, int]], spans: Array, probabilities: Array) -> Array:
        """Probabilities of each word's tags: its first token's; a word without a token gets the usual tag. [W, k]"""
        found = np.zeros((len(words), len(self.tags)))
        found[:, self.tags.index(self.fitted.get("common", "O"))] = 1.0
        owner = owners(words, spans)
        first = np.flatnonzero(opens(owner))
        found[owner[first]] = probabilities[first]
        return found

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        """Counts of an example by type, and last those of types that training lacks: words with the right tag, or
        entities with the right span and type; for entities also the credit for partly right ones."""
        if example.words is not None and self.plain:
            right = Counter(one for one, other in zip(example.target, prediction["tags"], strict=True) if one == other)
            return self.counts(right, Counter(example.target), Counter(prediction["tags"]))
        if example.words is None:
            target = set(example.target)
            answer = {Span(one["start"], one["end"], one["label"]) for one in prediction["entities"]}
        else:
            target, answer = set(self.entities(example.target)), set(self.entities(prediction["tags"]))
        kinds = (Counter(span.label for span in some) for some in (target & answer, target, answer))
        partial, typed = credits(sorted(target), sorted(answer))
        return {**self.counts(*kinds), "partial": partial, "typed": typed}

    def counts(self, right: Counter[str], gold: Counter[str], said: Counter[str]) -> ScoreRow:
        """Columns of the outcome table."""
        columns = {"correct": right, "gold_count": gold, "predicted_count": said}
        return {
            name: [*(found[kind] for kind in self.types), sum(n for kind, n in found.items() if kind not in self.types)]
            for name, found in columns.items()
        }

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        right, gold, said = (table[name].sum(axis=0).tolist() for name in ("correct", "gold_count", "predicted_count"))
        return [
            {
                "label": kind,
                "precision": scores.ratio(right[i], said[i], 0.0),
                "recall": scores.ratio(right[i], gold[i], 0.0),
                "f1": scores.ratio(2 * right[i], gold[i] + said[i], 0.0),
                "support": gold[i],
                "predicted": said[i],
            }
            for i, kind in enumerate([*self.types, UNSEEN])
            if kind != UNSEEN or gold[i]
        ]

    samples = (
        Sample(
            [
                {"tokens": ["the", animal, verb, "the", thing], "ner_tags": ["O", "B-WHO", "O", "O", f"B-{kind}"]}
                for animal in ("cat", "dog", "bird")
                for verb in ("sleeps", "barks")
                for thing, kind in (("film", "ART"), ("room", "PLACE"))
            ]
        ),
        Sample(
            [
                {"tokens": ["a", word, thing], "tags": ["DET", "ADJ", "NOUN"]}
                for word in ("lovely", "poor", "great")
                for thing in ("film", "meal", "room", "song")
            ],
            {"subwords": "all", "class_weights": "balanced"},
        ),
        Sample(
            [
                {"text": f"{word} the {thing}!", "spans": [{"start": at, "end": at + len(thing), "label": kind}]}
                for word, at in (("good", 9), ("awful", 10))
                for thing, kind in (("cat", "WHO"), ("dog", "WHO"), ("film", "ART"), ("song", "ART"))
            ]
        ),
    )
    broken = (
        Broken({"tokens": ["a", "b"], "ner_tags": ["O"]}, "2 words and 1 tags"),
        Broken({"tokens": "a text", "ner_tags": ["O"]}, "expected a list"),
        Broken({"text": "a cat", "spans": [{"start": 2, "end": 9, "label": "WHO"}]}, "ends after the text"),
        Broken({"text": "a cat", "spans": [{"start": 4, "end": 2, "label": "WHO"}]}, "ends before it starts"),
        Broken({"text": "a cat", "spans": [{"start": 2, "label": "WHO"}]}, "expected spans"),
        Broken({"text": "a  cat", "spans": [{"start": 2, "end": 3, "label": "WHO"}]}, "only blanks"),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Reading.


def tag_column(asked: str | None, tokens: str, names: Sequence[str]) -> str:
    """The column of the tags: as asked, a well-known name, or the last of numbered columns.

    Raises:
        ConfigError: none offers itself.
    """
    numbered = [name for name in names if name.isdecimal()]
    if asked is None and tokens in numbered and len(numbered) > 1:
        return numbered[-1]
    return base.target_column("tags", asked, TAG_NAMES, names)


def read_list(row: Row, column: str) -> list[str]:
    """A list of words.

    Raises:
        DataError: it is not one.
    """
    value = row.values.get(column)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    found = f"{type(value).__name__} {printable(value)}"
    raise DataError(Problem(row.place, f"column {column!r}: expected a list of words, found {found}", "", "not-a-list"))


def read_tags(row: Row, column: str, key: str | None, words: int) -> tuple[str, ...]:
    """One tag a word, names or numbers.

    Raises:
        DataError: it is not a list, or not of that length.
    """
    value = row.values.get(column)
    if not isinstance(value, list) or not all(isinstance(part, (str, int)) for part in value):
        found = f"{type(value).__name__} {printable(value)}"
        raise DataError(
            Problem(row.place, f"column {column!r}: expected a list of tags, found {found}", "", "not-a-list")
        )
    if len(value) != words:
        message = f"{words} words and {len(value)} tags in column {column!r}"
        raise DataError(Problem(row.place, message, "give each word one tag", "tag-count"))
    if key is None:
        return tuple(str(tag) for tag in value)
    parts = [dict(part.partition("=")[::2] for part in str(tag).split("|")) for tag in value]
    return tuple(part.get(key, "_") for part in parts)


def joined(words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Words as a text with blanks between them, and the characters of each word."""
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), tuple(places)


def read_spans(row: Row, column: str, text: str, unit: str) -> tuple[Span, ...]:
    """Character spans of a row, blanks at their edges left out, in order.

    Raises:
        DataError: lists every span that is malformed, out of the text, empty or blank.
    """
    value = row.values.get(column)
    value = [] if value is None else value
    if not isinstance(value, list):
        found = f"{type(value).__name__} {printable(value)}"
        fix = "a cell of a table is text; give spans as a list in a .jsonl file" if isinstance(value, str) else ""
        raise DataError(Problem(row.place, f"column {column!r}: expected spans, found {found}", fix, "not-spans"))
    spans, errors = checked_spans(value, text, unit)
    if errors:
        fix = "give start, end (exclusive) and label"
        others = [name for name in OTHER_UNITS if unit in ("auto", "characters") and not text.isascii()]
        fitting = [name for name in others if not checked_spans(value, text, name)[1]]
        if fitting:
            fix += f"; counted in {OTHER_UNITS[fitting[0]]} they fit: --offsets {fitting[0]}"
        raise DataError([Problem(row.place, f"column {column!r}: {error}", fix, "bad-span") for error in errors])
    return tuple(sorted(set(spans)))


OTHER_UNITS = {"utf16": "UTF-16 units", "bytes": "UTF-8 bytes"}
"""Units of offsets other than characters: JavaScript and Java count the first, Go, Rust and C the second."""
JOINED_LINE_ENDS = "lines"
"""Characters where the two of a Windows line end count as one, as in a text that was read in Python's text mode."""


def checked_spans(value: Sequence[Any], text: str, unit: str) -> tuple[list[Span], list[str]]:
    """Spans of a text, and what is wrong with those that are none."""
    to_character = positions(text, unit)
    spans, errors = [], []
    for one in value:
        try:
            spans.append(checked_span(one, text, to_character))
        except ValueError as error:
            errors.append(str(error))
    return spans, errors


def refuse_other_units(examples: Sequence[Example]) -> None:
    """Offsets that were counted in another unit seldom leave the text; they cut words. See where they do.

    Raises:
        DataError: of the spans that another unit would move, most begin or end inside a word as characters, and hardly
            any in that unit; names the first rows.
    """
    cures = {unit: f"counted in {words} they fit: --offsets {unit}" for unit, words in OTHER_UNITS.items()}
    cures[JOINED_LINE_ENDS] = "with each line end counted as one character they fit: write \\n for \\r\\n in the texts"
    for unit, cure in cures.items():
        moved: list[tuple[Example, Span, bool, bool]] = []
        for example in examples:
            if example.text.isascii() and unit != JOINED_LINE_ENDS:
                continue
            to_character = positions(example.text, unit)
            for span in example.target:
                try:
                    start, end = to_character(span.start), to_character(span.end)
                    # One sound edge is enough: a blank that the wrong unit drew in at the other was left out already.
                    sound = not (cuts_word(example.text, start) and cuts_word(example.text, end))
                    fits = end <= len(example.text) and sound
                except ValueError:
                    start, end, fits = -1, -1, False
                if (start, end) != (span.start, span.end):
                    wrong = cuts_word(example.text, span.start) or cuts_word(example.text, span.end)
                    moved.append((example, span, wrong, fits))
        cut = [(example, span) for example, span, wrong, _ in moved if wrong]
        if len(cut) >= 3 and len(cut) > len(moved) / 2 and sum(fits for *_, fits in moved) >= 0.9 * len(moved):
            fix = f"{cure} (or --offsets characters, if they are right)"
            raise DataError(
                [
                    Problem(example.place, f"{shown_span(span, example.text)} cuts a word", fix, "offset-unit")
                    for example, span in cut
                ]
            )


def refuse_off_by_one(examples: Sequence[Example]) -> None:
    """Ends that name the last character of a span, not the first one after it, and starts that count from 1.

    Raises:
        DataError: most spans are cut by one character at that edge, and whole with it; names them.
    """
    known = [(example, span) for example in examples for span in example.target]
    advice = {1: "is the end the last character? Add 1 to each end", -1: "do starts count from 1? Take 1 from each"}
    for step, cure in advice.items():
        late = []
        for example, span in known:
            here, other = (span.end, span.start) if step == 1 else (span.start, span.end)
            moved = here + step
            if cuts_word(example.text, here) and not any(cuts_word(example.text, at) for at in (moved, other)):
                late.append((example, span))
        if len(late) >= 3 and len(late) > len(known) / 2:
            fix = f"{cure} (or --offsets characters, if they are right)"
            raise DataError(
                [
                    Problem(example.place, f"{shown_span(span, example.text)} cuts a word", fix, "offset-unit")
                    for example, span in late
                ]
            )


def cuts_word(text: str, at: int) -> bool:
    """Whether a place lies between two letters or digits."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def cut_by(text: str, span: Span) -> str:
    """What a span cuts, in a word, or nothing: a character with its accents, or a word of a script that has blanks."""
    for at in (span.start, span.end):
        if not 0 < at < len(text):
            continue
        before, after = text[at - 1], text[at]
        if unicodedata.category(after).startswith("M") or "\u200d" in (before, after):
            return "character"
        if (before.isdecimal() and after.isdecimal()) or (cased(before) and cased(after)):
            return "word"
    return ""


def cased(character: str) -> bool:
    """Whether a letter is of a script with capitals, and so stands in a word with blanks around it."""
    return character.lower() != character.upper()


def shown_span(span: Span, text: str) -> str:
    """A span as a message shows it."""
    return f"span [{span.start}, {span.end}) {printable(span.label, 30)} {printable(text[span.start : span.end], 40)}"


def positions(text: str, unit: str) -> Callable[[int], int]:
    """A function from offsets in that unit to characters; ValueError inside a character."""
    if unit == JOINED_LINE_ENDS and "\r\n" in text:
        places = [i for i in range(len(text) + 1) if text[i - 1 : i + 1] != "\r\n"]
        return lambda offset: places[offset] if 0 <= offset < len(places) else len(text) + 1
    if unit not in OTHER_UNITS or text.isascii():
        return lambda offset: offset
    encoding, size = ("utf-16-le", 2) if unit == "utf16" else ("utf-8", 1)
    starts, at = {}, 0
    for i, character in enumerate(text):
        starts[at] = i
        at += len(character.encode(encoding)) // size
    starts[at] = len(text)

    def find(offset: int) -> int:
        if offset not in starts and offset <= at:
            raise ValueError(f"offset {offset} lies inside a character")
        return starts.get(offset, len(text) + 1)

    return find


def checked_span(one: Any, text: str, to_character: Callable[[int], int]) -> Span:
    """A span of the text, from {start, end, label} or [start, end, label].

    Raises:
        ValueError: says what is wrong with it.
    """
    said = None
    if isinstance(one, dict):
        said = one.get("text")
        label = one.get("label", one.get("labels"))  # Label Studio exports a list of one
        ends = [one.get(end, one.get(f"{end}_offset")) for end in ("start", "end")]  # doccano's relations: start_offset
        one = [*ends, label[0] if isinstance(label, list) and len(label) == 1 else label]
    if not isinstance(one, list) or len(one) != 3 or not all(type(offset) is int for offset in one[:2]):
        raise ValueError(f"expected spans with start, end and label, found {printable(one)}")
    start, end, label = one
    shown = f"span [{start}, {end}) {printable(label, 30)}"
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"{shown} has no label")
    if end <= start:
        raise ValueError(f"{shown} is empty" if end == start else f"{shown} ends before it starts")
    if start < 0:
        raise ValueError(f"{shown} starts before the text")
    if to_character(end) > len(text):
        raise ValueError(f"{shown} ends after the text, which has {len(text)} characters")
    start, end = to_character(start), to_character(end)
    inner = text[start:end]
    if base.blank(inner):
        raise ValueError(f"{shown} holds only blanks")
    if isinstance(said, str) and said.split() != inner.split():
        raise ValueError(f"{shown} should hold {printable(said, 40)}, found {printable(inner, 40)}")
    return Span(start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip()), label)


# ---------------------------------------------------------------------------------------------------------------------
# Alignment.


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Spans of which none overlaps another: of two the longer stays, of equal ones the first."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start - one.end, one)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept)


def owners(stretches: Sequence[tuple[int, int] | Span], spans: Array) -> Array:
    """For each token the stretch (word or entity, none overlapping) that it touches first, -1 for none. [n]

    A token without characters (a special one, or a lone blank) belongs to none.
    """
    if not stretches:
        return np.full(len(spans), -1, np.int64)
    starts = np.array([stretch[0] for stretch in stretches])
    ends = np.array([stretch[1] for stretch in stretches])
    first = np.searchsorted(ends, spans[:, 0], side="right")  # the first stretch that ends after the token begins
    clipped = np.minimum(first, len(stretches) - 1)
    touches = (first < len(stretches)) & (starts[clipped] < spans[:, 1]) & (spans[:, 1] > spans[:, 0])
    return np.where(touches, clipped, -1)


def opens(owner: Array) -> Array:
    """Whether a token is the first of its owner: the last token with an owner before it had another. [n]"""
    owned = np.flatnonzero(owner >= 0)
    first = np.zeros(len(owner), bool)
    first[owned] = np.concatenate([[True], owner[owned][1:] != owner[owned][:-1]]) if len(owned) else False
    return first


WORD = re.compile(r"\w+|[^\w\s]")


def segmented(text: str) -> tuple[tuple[int, int], ...]:
    """The words of a plain text, for a model that was trained on words: runs of letters and digits, single signs."""
    return tuple(match.span() for match in WORD.finditer(text))


# ---------------------------------------------------------------------------------------------------------------------
# Schemes.


def entities_of(tags: Sequence[str], *, strict: bool = False) -> list[Span]:
    """Entities of tags, as conlleval reads IOB1, IOB2 and BIOES (BILOU): an I after another type begins one.

    Args:
        tags: One a word.
        strict: Only B (or S, U) begins an entity; what follows no beginning is none, as in seqeval's strict IOB2.
    """
    if strict:
        tags = well_formed(tags)
    found: list[Span] = []
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        match = TAG.fullmatch(tag)
        edge, label = match.groups() if match else ("O", "")
        if kind and (edge in "OBSU" or label != kind):
            found.append(Span(start, i, kind))
            kind = ""
        if edge != "O" and not kind:
            start, kind = i, label
        if kind and edge in "ESLU":
            found.append(Span(start, i + 1, kind))
            kind = ""
    return found


def kind_of(tags: Collection[str]) -> str:
    """Whether the distinct tags of the data are those of entities: a few slips among them don't make them plain."""
    outside = {"O", "o", "0"} & set(tags)
    meant = [tag for tag in tags if MEANT_AS_TAG.fullmatch(tag)]
    sound = [tag for tag in meant if TAG.fullmatch(tag)]
    if set(tags) <= {"O", *sound} or (outside and 2 * len(meant) >= len(set(tags) - outside) > 0):
        return "entities"
    return "plain"


def bad_tags(example: Example) -> Iterator[Problem]:
    """The first tag of a sentence that says nothing about entities."""
    for i, tag in enumerate(example.target, 1):
        if tag != "O" and not TAG.fullmatch(tag):
            fix = "write O, or a letter, a dash and a type (B-PER); --set options.kind=plain if tags are no entities"
            yield Problem(example.place, f"word {i}: {printable(tag, 40)} is not a tag of an entity", fix, "bad-tag")
            return


def orphans(examples: Sequence[Example]) -> list[Problem]:
    """Tags that go on with an entity that is not there, in data where entities begin with B (or S, U)."""
    first: list[tuple[Example, int]] = []
    needless = 0
    for example in examples:
        for i, (before, tag) in enumerate(zip(["O", *example.target], example.target, strict=False)):
            same = before[1:] == tag[1:]
            if tag[:1] in ("I", "E", "L") and not (same and before[:1] in ("B", "I")):
                first.append((example, i))
            needless += tag[:1] in ("B", "S", "U") and not same
    if len(first) >= needless:  # IOB1 and IO, where this is how an entity begins
        return []
    return [
        Problem(
            example.place,
            f"word {i + 1}: {printable(example.target[i], 40)} goes on with an entity that does not begin before it",
            "it is read as its beginning, and with --set options.strict=true as no entity",
            "orphan-tag",
        )
        for example, i in first
    ]


def well_formed(tags: Sequence[str]) -> list[str]:
    """Tags with O in place of those that go on with nothing."""
    found: list[str] = []
    for tag in tags:
        before = found[-1] if found else "O"
        orphan = tag[0] in "IEL" and (before[0] not in "BI" or before[1:] != tag[1:])
        found.append("O" if orphan else tag)
    return found


def to_bio(entities: Iterable[Span], n: int) -> list[str]:
    """Entities over n words as IOB2 tags."""
    tags = ["O"] * n
    for start, end, label in entities:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def find_scheme(sequences: Iterable[Sequence[str]]) -> str:
    """The name of the scheme that tag sequences are written in, for the log."""
    edges: Counter[str] = Counter()
    opening = 0
    for tags in sequences:
        for before, tag in zip(["O", *tags], tags, strict=False):
            edges[tag[0]] += 1
            opening += tag[0] == "I" and (before == "O" or before[1:] != tag[1:])
    if any(edges[edge] for edge in "ESLU"):
        return "BIOES"
    if not edges["B"]:
        return "IO"
    return "IOB1" if opening else "IOB2"


def viterbi(emissions: Array, tags: Sequence[str]) -> list[str]:
    """The most probable legal BIO sequence: I-X stands only after B-X or I-X (Forney 1973).

    Every tag but those may follow any other, so a step compares the best of all with two, not k with k.

    Args:
        emissions: Log-probabilities. [n, k]
        tags: Names of the k tags.
    """
    if not len(emissions):
        return []
    inner, outer = continuations(tuple(tags))
    best = emissions[0].copy()
    best[inner] = -np.inf
    back = np.empty(emissions.shape, np.int64)
    for i in range(1, len(emissions)):
        back[i] = top = best.argmax()
        back[i, inner] = np.where(best[inner] > best[outer], inner, outer)
        scores = np.full(len(tags), best[top])
        scores[inner] = np.maximum(best[inner], best[outer])
        best = scores + emissions[i]
    path = [int(best.argmax())]
    for i in range(len(emissions) - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return [tags[i] for i in reversed(path)]


@lru_cache(maxsize=64)
def continuations(tags: tuple[str, ...]) -> tuple[Array, Array]:
    """Ids of the tags I-X, and of the B-X of each. Twice [m]"""
    inner = [i for i, tag in enumerate(tags) if tag.startswith("I-")]
    return np.array(inner, np.int64), np.array([tags.index(f"B-{tags[i][2:]}") for i in inner], np.int64)


def certainty(probabilities: Array, tags: Sequence[str], names: Sequence[str], start: int, end: int) -> float:
    """Geometric mean of the probabilities of an entity's tags."""
    own = [probabilities[i, names.index(tags[i])] for i in range(start, end)]
    return float(np.exp(np.mean(np.log(np.maximum(own, 1e-300)))))


# ---------------------------------------------------------------------------------------------------------------------
# Scores over counts by type. Columns: correct, predicted_count, gold_count [n, types + 1], partial, typed [n].


def credits(gold: Sequence[Span], said: Sequence[Span]) -> tuple[float, int]:
    """What partly right entities are worth by SemEval 2013's task 9 (Segura-Bedmar et al.), as nervaluate counts them.

    Each predicted entity is matched with one gold entity, in order.

    Returns:
        Partial: 1 for the right span, 1/2 for an overlap, whatever the type. Typed: 1 for an overlap of the same type.
    """
    partial, free = 0.0, list(gold)
    for one in said:
        met = [other for other in free if one.start < other.end and other.start < one.end]
        same = [other for other in met if other[:2] == one[:2]]
        if met:
            free.remove((same or met)[0])
            partial += 1.0 if same else 0.5
    typed, free = 0, list(gold)
    for one in said:
        met = [other for other in free if one.start < other.end and other.start < one.end]
        alike = [other for other in met if other.label == one.label]
        if met:
            free.remove(min(alike, key=lambda x: abs(x.start - one.start) + abs(x.end - one.end)) if alike else met[0])
            typed += bool(alike)
    return partial, typed


def credit_f1(table: Mapping[str, Array], column: str) -> float:
    """F1 of a credit: 2 credit / (predicted + gold); 0 where there is neither."""
    sizes = float(table["gold_count"].sum() + table["predicted_count"].sum())
    return scores.ratio(2 * float(table[column].sum()), sizes, 0.0 if len(table[column]) else float("nan"))


def macro_f1(table: Mapping[str, Array]) -> float:
    """Mean F1 over the types that occur, in gold or predicted."""
    right = table["correct"].sum(axis=0)
    sizes = table["gold_count"].sum(axis=0) + table["predicted_count"].sum(axis=0)
    occurs = sizes > 0
    return float(np.mean(2 * right[occurs] / sizes[occurs])) if occurs.any() else float("nan")


def token_accuracy(table: Mapping[str, Array]) -> float:
    """Share of words with the right tag."""
    return scores.ratio(float(table["correct"].sum()), float(table["gold_count"].sum()))


def sentence_accuracy(table: Mapping[str, Array]) -> float:
    """Share of sentences whose words all have the right tag."""
    return float(np.mean(table["correct"].sum(axis=1) == table["gold_count"].sum(axis=1)))
