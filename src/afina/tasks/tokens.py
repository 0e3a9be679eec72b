"""`tokens`: labelled spans of a text (names, dates, prices) or one tag per word (parts of speech).

The input is words with tags, or a text with character spans. Words are joined by blanks, and tokens are aligned with
words and spans by characters. A long text becomes windows; each token is labelled and read in the window where it has
most context, so nothing is truncated. Entities are encoded as BIO, whatever the scheme of the data, and decoding gives
legal sequences only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem
from ..metrics import entities as scores
from ..metrics.scores import Metric, ratio
from ..records import Example, Prediction, Row, ScoreRow, Window
from ..text.schemes import TAG, entities_of, find_scheme, kind_of, to_bio, viterbi
from ..text.spans import Span, cut_by, opens, owners, segmented, without_overlaps
from . import base, inputs, markup
from .base import Array, Broken, HeadSpec, Sample
from .inputs import UNSEEN, class_weights, softmax

if TYPE_CHECKING:
    import torch

TOKEN_NAMES = ("tokens", "words", "form", "1")
SPAN_NAMES = ("spans", "entities", "ents", "label", "labels", "annotations")
IGNORED = -100


class TokensOptions(base.Options):
    """Columns and settings of `tokens`."""

    roles = ("text", "tokens", "tags", "label")
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
    """A tag for each word, or labelled spans of a text."""

    name = "tokens"
    aliases = ("token-classification", "ner", "named-entity-recognition", "pos", "pos-tagging", "extraction")
    summary = "named stretches of a text: NER, POS, dates, prices"
    Options = TokensOptions
    level = "token"
    label_unit = "word"
    slides = True

    @property
    def metrics(self) -> dict[str, Metric]:
        entity = {
            "entity_f1": scores.entity_f1,
            "entity_precision": scores.entity_precision,
            "entity_recall": scores.entity_recall,
            "entity_macro_f1": scores.entity_macro_f1,
            "entity_partial_f1": lambda table: scores.credit_f1(table, "partial"),
            "entity_type_f1": lambda table: scores.credit_f1(table, "typed"),
        }
        plain = {"token_accuracy": scores.token_accuracy, "sentence_accuracy": scores.sentence_accuracy}
        known = {"entities": entity, "plain": plain}
        return known.get(self.fitted.get("kind", ""), {**entity, **plain})

    @property
    def plain(self) -> bool:
        """Whether tags are independent labels of words, rather than parts of entities."""
        return bool(self.fitted["kind"] == "plain")

    @property
    def types(self) -> list[str]:
        """Entity types, or plain tags."""
        types: list[str] = self.fitted["types"]
        return types

    @cached_property
    def tags(self) -> list[str]:
        """The tags of the head: `O` with B- and I- for each type, the plain tags, or those of a stock model."""
        given: list[str] | None = self.fitted.get("tags")
        return given or (
            self.types if self.plain else ["O", *(f"{edge}-{kind}" for kind in self.types for edge in "BI")]
        )

    @property
    def head(self) -> HeadSpec:
        labels = {"id2label": dict(enumerate(self.tags)), "label2id": {tag: i for i, tag in enumerate(self.tags)}}
        return HeadSpec("AutoModelForTokenClassification", len(self.tags), labels, tags=True)

    @property
    def found(self) -> Mapping[str, str]:
        return {name: self.fitted[name] for name in ("kind", "common", "scheme") if name in self.fitted}

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Tokens | None:
        if not architecture.endswith("ForTokenClassification"):
            return None
        tags = base.stock_labels(config)
        kind, types = "plain", tags
        if "O" in tags:
            kind, types = "entities", sorted({tag.partition("-")[2] for tag in tags if "-" in tag})
        return cls(cls.Options(), {"kind": kind, "types": types, "tags": tags, "common": tags[0]})

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        options = self.options
        if options.text is None and (options.tokens or any(name in names for name in TOKEN_NAMES)):
            tokens = options.tokens or next(name for name in TOKEN_NAMES if name in names)
            chosen: dict[str, Any] = {"tokens": inputs.present("tokens", tokens, names)}
            if labelled:
                chosen["tags"] = markup.tag_column(options.tags, tokens, names)
        else:
            text, _ = inputs.text_columns(options.text, None, names)
            chosen = {"text": text}
            if labelled:
                chosen["label"] = inputs.target_column("label", options.label, SPAN_NAMES, names)
        return self.with_options(**chosen)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        if self.options.text is not None:
            text = inputs.read_text(row, self.options.text, labelled=labelled)
            target = markup.read_spans(row, self.options.label or "", text, self.options.offsets) if labelled else None
            return Example(text, None, target, row.place)
        words = markup.read_list(row, self.options.tokens or "")
        text, places = markup.joined(words)
        tags = markup.read_tags(row, self.options.tags or "", self.options.key, len(words)) if labelled else None
        return Example(text, None, tags, row.place, places)

    def fit(self, examples: Sequence[Example]) -> Self:
        if self.options.text is not None:
            types = sorted({span.label for example in examples for span in example.target})
            if not types:
                raise ConfigError("label: no training example has a span; is the right column named?")
            if self.options.offsets == "auto":
                markup.refuse_other_units(examples)
                markup.refuse_off_by_one(examples)
            return self.weighed({"kind": "entities", "types": types, "scheme": "spans"}, examples)
        counts = Counter(tag for example in examples for tag in example.target)
        kind = self.options.kind
        if kind == "auto":
            kind = kind_of(counts)
        if kind == "plain":
            common = counts.most_common(1)[0][0]
            fitted = {"kind": "plain", "types": inputs.sorted_labels(counts), "common": common}
            return self.weighed(fitted, examples)
        wrong = [problem for example in examples for problem in markup.bad_tags(example)]
        if wrong:
            raise DataError(wrong)
        if set(counts) <= {"O"}:
            raise ConfigError("tags: every word of the training data has the tag O; is the right column named?")
        scheme = find_scheme([example.target for example in examples])
        types = sorted({TAG.fullmatch(tag)[2] for tag in counts if tag != "O"})  # type: ignore[index]
        return self.weighed({"kind": "entities", "types": types, "scheme": scheme}, examples)

    def weighed(self, fitted: dict[str, Any], examples: Sequence[Example]) -> Self:
        """The fitted task, with class weights of its tags where the options ask for them."""
        task = self.with_fitted(**fitted)
        if self.options.class_weights == "none":
            return task
        counts: Counter[str] = Counter(
            task.tags
        )  # counted once in advance, so that a tag that never occurs has a finite weight
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
        return self.with_fitted(**fitted, weights=class_weights("balanced", task.tags, counts))

    def warnings(self, examples: Sequence[Example]) -> list[Problem]:
        """Spans that overlap (a token has only one tag) or cut words, and tags that continue no entity."""
        if self.options.text is None:
            return markup.orphans(examples) if self.fitted.get("scheme") else []
        overlaps = [
            Problem(
                example.place,
                f"{markup.shown_span(span, example.text)} overlaps another span",
                "the longer one is trained on; in scores both count",
                "overlapping-spans",
            )
            for example in examples
            for span in sorted(set(example.target) - set(without_overlaps(example.target)))
        ]
        return overlaps + [
            Problem(
                example.place,
                f"{markup.shown_span(span, example.text)} cuts a {what}",
                "is it off by one? start and end count from 0, the end is the first character after the span",
                "cut-span",
            )
            for example in examples
            for span in example.target
            if (what := cut_by(example.text, span))
        ]

    def labels_in(self, example: Example) -> list[str]:
        """Types of the entities of an example, or its plain tags."""
        if example.words is None:
            return [span.label for span in example.target]
        if self.fitted.get("kind") == "plain":
            return list(example.target)
        return [entity.label for entity in self.entities(example.target)]

    def show(self, target: Any) -> str:
        return inputs.show_names(label for tag in target if (label := getattr(tag, "label", tag)) != "O")

    @property
    def unit(self) -> str:
        return "tags" if self.plain else "entities"

    def coverage(self, example: Example, windows: Sequence[Window]) -> list[str]:
        """For each entity (or tag), why tokens can't express it, or the empty text.

        Every word of an entity must have a token, and every edge of a span must be the edge of a token.
        """
        spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])
        if example.words is None:
            visible = spans[spans[:, 1] > spans[:, 0]]
            starts, ends = set(visible[:, 0].tolist()), set(visible[:, 1].tolist())
            disjoint = set(without_overlaps(example.target))
            return [
                "overlapping a longer one" if span not in disjoint
                else "" if span.start in starts and span.end in ends
                else base.INSIDE
                for span in example.target
            ]  # fmt: skip
        seen = set(owners(example.words, spans).tolist())
        words = [(i, i + 1) for i in range(len(example.words))]
        stretches = words if self.plain else [(entity.start, entity.end) for entity in self.entities(example.target)]
        return ["" if seen.issuperset(range(*stretch)) else "with a word without a token" for stretch in stretches]

    def entities(self, tags: Sequence[str]) -> list[Span]:
        """Entities of gold tags, read as strictly as the options say."""
        return entities_of(tags, strict=self.options.strict)

    def check(self, example: Example) -> Problem | None:
        """The problem of the first type or tag that does not occur in the training data, or None."""
        if example.words is None:
            labels = [span.label for span in example.target]
        elif self.plain:
            labels = list(example.target)
        else:
            for problem in markup.bad_tags(example):
                return problem
            labels = [TAG.fullmatch(tag)[2] for tag in example.target if tag != "O"]  # type: ignore[index]
        wrong = [label for label in labels if label not in self.types]
        return (
            inputs.unseen(Example("", target=wrong[0], place=example.place), self.types, countable=True)
            if wrong
            else None
        )

    def encode_target(self, example: Example, window: Window) -> Array:
        """Tag ids of the tokens in the window's core, `IGNORED` elsewhere. [n]

        Whether a token begins a word or an entity depends on the token before it, which may lie outside the core.
        """
        target = np.full(len(window), IGNORED, np.int64)
        inside = slice(*window.core)
        if example.words is None:
            entities = without_overlaps(example.target)
            owner = owners(entities, window.spans)
            begins = np.array([1 + 2 * self.types.index(entity.label) for entity in entities] or [0], np.int64)
            tags = np.where(owner < 0, 0, begins[owner] + ~opens(owner))
            # A lone blank has no tag, so that it does not end the entity around it.
            tags[window.spans[:, 1] == window.spans[:, 0]] = IGNORED
        else:
            owner = owners(example.words, window.spans)
            tags = np.where(owner < 0, IGNORED, np.array(self.word_tags(example) or [IGNORED], np.int64)[owner])
            later = (owner >= 0) & ~opens(owner)
            if self.options.subwords == "first":
                tags[later] = IGNORED
            elif not self.plain:  # later tokens of a word that begins an entity continue the entity
                tags[later & (tags % 2 == 1)] += 1
        target[inside] = tags[inside]
        return target

    def word_tags(self, example: Example) -> list[int]:
        """Tag ids of the words of an example, in BIO whatever the scheme of the data."""
        if self.plain:
            return [self.tags.index(tag) for tag in example.target]
        tags = to_bio(self.entities(example.target), len(example.target))
        return [self.tags.index(tag) for tag in tags]

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy over the labelled tokens. With weights w, the mean is sum(w l) / sum(w), as in torch."""
        from torch.nn import functional as F

        weights = self.fitted.get("weights")
        weight = None if weights is None else logits.float().new_tensor(weights)
        total = F.cross_entropy(logits.float(), targets, weight=weight, reduction="sum", ignore_index=IGNORED)
        labelled = targets[targets != IGNORED]
        return total, total.new_tensor(float(len(labelled))) if weight is None else weight[labelled].sum()

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])  # each token once [N, 2]
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
        entities = []
        for first, last, label in entities_of(tags):
            entity = {"start": first, "end": last, "label": label}
            if example.words is None:
                start, end = int(places[first, 0]), int(places[last - 1, 1])
                entity |= {"start": start, "end": end, "text": example.text[start:end]}
            entities.append({**entity, "score": certainty(units, tags, self.tags, first, last)})
        return {"tags": tags, "entities": entities} if example.words is not None else {"entities": entities}

    def best_tags(self, probabilities: Array) -> list[str]:
        """The best legal sequence; for a stock model, whose scheme is unknown, the best tag of each word.

        Args:
            probabilities: Probabilities of the tags of each word. [n, k]
        """
        if "tags" in self.fitted:
            return [self.tags[i] for i in probabilities.argmax(axis=1)] if len(probabilities) else []
        return viterbi(np.log(np.maximum(probabilities, 1e-300)), self.tags)

    def by_word(self, words: Sequence[tuple[int, int]], spans: Array, probabilities: Array) -> Array:
        """Tag probabilities of each word: those of its first token, or the most common tag without one. [W, k]"""
        rows = np.zeros((len(words), len(self.tags)))
        rows[:, self.tags.index(self.fitted.get("common", "O"))] = 1.0
        owner = owners(words, spans)
        first = np.flatnonzero(opens(owner))
        rows[owner[first]] = probabilities[first]
        return rows

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        """Counts of correct, gold and predicted words or entities of an example, by type.

        The last entry counts types absent from the training data. For entities there are also the credits of partly
        right ones.
        """
        if example.words is not None and self.plain:
            right = Counter(
                gold for gold, predicted in zip(example.target, prediction["tags"], strict=True) if gold == predicted
            )
            return self.counts(right, Counter(example.target), Counter(prediction["tags"]))
        if example.words is None:
            target = set(example.target)
            answer = {Span(entity["start"], entity["end"], entity["label"]) for entity in prediction["entities"]}
        else:
            target, answer = set(self.entities(example.target)), set(self.entities(prediction["tags"]))
        kinds = (Counter(span.label for span in spans) for spans in (target & answer, target, answer))
        partial, typed = scores.credits(sorted(target), sorted(answer))
        return {**self.counts(*kinds), "partial": partial, "typed": typed}

    def counts(self, right: Counter[str], gold: Counter[str], said: Counter[str]) -> ScoreRow:
        """Columns of the score table."""
        columns = {"correct": right, "gold_count": gold, "predicted_count": said}
        return {
            name: [*(count[kind] for kind in self.types), sum(n for kind, n in count.items() if kind not in self.types)]
            for name, count in columns.items()
        }

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        right, gold, predicted = (
            table[name].sum(axis=0).tolist() for name in ("correct", "gold_count", "predicted_count")
        )
        return [
            {
                "label": kind,
                "precision": ratio(right[i], predicted[i], 0.0),
                "recall": ratio(right[i], gold[i], 0.0),
                "f1": ratio(2 * right[i], gold[i] + predicted[i], 0.0),
                "support": gold[i],
                "predicted": predicted[i],
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


def certainty(probabilities: Array, tags: Sequence[str], names: Sequence[str], start: int, end: int) -> float:
    """Geometric mean of the probabilities of an entity's tags."""
    own = [probabilities[i, names.index(tags[i])] for i in range(start, end)]
    return float(np.exp(np.mean(np.log(np.maximum(own, 1e-300)))))
