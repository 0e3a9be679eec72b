"""`tokens`: labelled spans of a text (names, dates, prices) or one tag per word (parts of speech).

The input is words with tags, or a text with character spans. Words are joined by blanks, and tokens are aligned with
words and spans by characters. A long text becomes windows; each token is labelled and read in the window where it has
most context, so nothing is truncated. Entities are encoded as BIO, whatever the scheme of the data, and decoding gives
legal sequences only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem
from ..metrics import entities as scores
from ..metrics.kinds import Metric
from ..metrics.temperature import LabelledLogits, softmax, tempered
from ..records import Example, Features, Output, Prediction, Row, ScoreRow, Window
from ..text.schemes import entities_of, find_scheme, kind_of, viterbi
from ..text.segmentation import Segmentation
from ..text.spans import Span, opens, owners, segmented, without_overlaps
from ..text.spellings import spelling_of
from . import base, inputs, markup, presentation, tagging
from .aims import Aim, Wanted
from .base import Array, Broken, HeadSpec, Sample
from .certainty import tag_confidences, tag_logits
from .inputs import UNSEEN, class_weights
from .losses import IGNORED, weight_of, weights_for
from .settings import Names, Options
from .tag_aims import of_tags

if TYPE_CHECKING:
    import torch

Words = tuple[tuple[int, int], ...]
ENTITY = ("start", "end", "label", "score")
RAW = "raw_text_entities"
"""Where a prediction says which entities would be found in the text of its words, when that is other than in them."""


class TokensOptions(Options):
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
    labels: Names | None = Field(None, description="names of tags that are given as numbers, in their order")
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
    """A tag for each word, or labelled spans of a text.

    Attributes:
        segmentation: How raw text is cut into words like those of the training data; None for a model of spans.
    """

    name = "tokens"
    aliases = ("token-classification", "ner", "named-entity-recognition", "pos", "pos-tagging", "extraction")
    summary = "named stretches of a text: NER, POS, dates, prices"
    Options = TokensOptions
    level = "token"
    ignored = IGNORED
    label_unit = "word"
    gives = ("marks", "words")
    slides = True

    def __init__(self, options: Any, fitted: Mapping[str, Any] | None = None) -> None:
        super().__init__(options, fitted)
        learned = self.fitted.get("segmentation")
        self.segmentation = None if learned is None else Segmentation.from_json(learned)

    @property
    def metrics(self) -> dict[str, Metric]:
        known = {"entities": scores.OF_ENTITIES, "plain": scores.OF_TAGS}
        chosen = known.get(self.fitted.get("kind", ""), {**scores.OF_ENTITIES, **scores.OF_TAGS})
        raw = "segmentation" in self.fitted or not self.fitted
        return {name: metric for name, metric in chosen.items() if raw or not name.startswith(scores.RAW)}

    @property
    def plain(self) -> bool:
        """Whether tags are independent labels of words, rather than parts of entities."""
        return bool(self.fitted["kind"] == "plain")

    @property
    def types(self) -> list[str]:
        """Entity types, or plain tags."""
        return list(self.fitted["types"])

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
        names = ("kind", "common", "scheme", "spelled")
        found = {name: self.fitted[name] for name in names if name in self.fitted}
        return found if self.segmentation is None else {**found, "words of raw text": str(self.segmentation)}

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
        return self.with_options(**tagging.choose_columns(self.options, names, rows=rows, labelled=labelled))

    def remarks(self, rows: Sequence[Row]) -> list[str]:
        return tagging.remarks(self.options, rows)

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        raw = self.options.text or (None if labelled else tagging.raw_column(row, self.options.tokens or ""))
        if raw is not None:
            text = inputs.read_text(row, raw, labelled=labelled)
            target = markup.read_spans(row, self.options.label or "", text, self.options.offsets) if labelled else None
            return Example(text, None, target, row.place)
        text, places = markup.joined(tagging.read_list(row, self.options.tokens or ""))
        tags = tagging.read_tags(row, self.options, len(places)) if labelled else None
        return Example(text, None, tags, row.place, places)

    def fit(self, examples: Sequence[Example]) -> Self:
        if self.options.text is not None:
            types = sorted({span.label for example in examples for span in example.target})
            if not types:
                raise ConfigError("label: no training example has a span; is the right column named?")
            if self.options.offsets == "auto":
                markup.refuse_other_units(examples)
                markup.refuse_off_by_one(examples)
            return self.completed({"kind": "entities", "types": types, "scheme": "spans"}, examples)
        counts = Counter(tag for example in examples for tag in example.target)
        kind = self.options.kind
        spelling = None if kind == "plain" else spelling_of(counts, untyped=kind == "entities")
        if kind == "auto":
            kind = "entities" if spelling else kind_of(counts)
        if kind == "plain":
            fitted = {"kind": kind, "types": inputs.sorted_labels(counts), "common": counts.most_common(1)[0][0]}
            return self.completed(fitted, examples)
        examples = tagging.respelled(examples, spelling)
        wrong = [problem for example in examples for problem in markup.bad_tags(example)]
        if wrong:
            raise DataError(wrong)
        types = sorted({tag[2:] for example in examples for tag in example.target if tag != "O"})
        if not types:
            raise ConfigError("tags: every word of the training data has the tag O; is the right column named?")
        scheme = find_scheme([example.target for example in examples])
        fitted = {"kind": "entities", "types": types, "scheme": scheme}
        if spelling is not None:
            fitted |= {"spelling": asdict(spelling), "spelled": spelling.shown(counts)}
        return self.completed(fitted, examples)

    def refit(self, examples: Sequence[Example]) -> Self:
        """With the kind, the types and the spelling of the tags that few sentences may hide."""
        known = {name: value for name, value in self.fitted.items() if name not in ("segmentation", "weights")}
        if "common" in known:
            known["common"] = Counter(tag for example in examples for tag in example.target).most_common(1)[0][0]
        return self.completed(known, examples)

    def adapt(self, examples: Sequence[Example]) -> tuple[list[Example], list[str]]:
        if self.options.text is not None or self.plain:
            return list(examples), []
        return tagging.adapted(examples, self.fitted, untyped=self.options.kind == "entities")

    def completed(self, fitted: dict[str, Any], examples: Sequence[Example]) -> Self:
        """The fitted task: with the segmentation of its words, and class weights where the options ask for them."""
        if self.options.text is None:
            sentences = [[one.text[start:end] for start, end in one.words or ()] for one in examples]
            fitted = {**fitted, "segmentation": Segmentation.learn(sentences).to_json()}
        task = self.with_fitted(**fitted)
        if self.options.class_weights == "none":
            return task
        weights = class_weights("balanced", task.tags, tagging.count_tags(task, examples))
        return self.with_fitted(**fitted, weights=weights)

    def warnings(self, examples: Sequence[Example]) -> list[Problem]:
        """Spans that overlap (a token has only one tag) or cut words, and tags that continue no entity or look odd."""
        if self.options.text is not None:
            return markup.overlaps(examples) + markup.cuts(examples)
        plain = self.fitted.get("kind") == "plain"
        found = tagging.doubts(examples, plain=plain, sure=self.options.kind == "plain")
        return found + (markup.orphans(examples) if self.fitted.get("scheme") else [])

    def labels_in(self, example: Example) -> list[str]:
        """Types of the entities of an example, or its plain tags."""
        if example.words is None:
            return [span.label for span in example.target]
        if self.fitted.get("kind") == "plain":
            return list(example.target)
        return [entity.label for entity in self.entities(example.target)]

    def gold_spans(self, example: Example) -> list[tuple[int, int]]:
        words = example.words
        if words is None:
            return [(span.start, span.end) for span in example.target]
        entities = [] if self.plain else self.entities(example.target)
        return [(words[entity.start][0], words[entity.end - 1][1]) for entity in entities]

    def show(self, target: Any) -> str:
        return inputs.show_names(label for tag in target if (label := getattr(tag, "label", tag)) != "O")

    @property
    def unit(self) -> str:
        return "tags" if self.plain else "entities"

    @property
    def confident_of(self) -> str:
        return "tag" if self.plain else "entity"

    def coverage(self, example: Example, windows: Sequence[Window]) -> list[str]:
        """For each entity (or tag), why tokens can't express it, or the empty text.

        Every word of an entity must have a token, and every edge of a span must be the edge of a token.
        """
        spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])
        if example.words is None:
            return markup.losses(example.target, spans)
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
            labels = [tag[2:] for tag in example.target if tag != "O"]
        wrong = [label for label in labels if label not in self.types]
        found = Example("", target=wrong[0] if wrong else None, place=example.place)
        return inputs.unseen(found, self.types, countable=True) if wrong else None

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
            tags = np.where(
                owner < 0, IGNORED, np.array(tagging.word_tags(self, example) or [IGNORED], np.int64)[owner]
            )
            later = (owner >= 0) & ~opens(owner)
            if self.options.subwords == "first":
                tags[later] = IGNORED
            elif not self.plain:  # later tokens of a word that begins an entity continue the entity
                tags[later & (tags % 2 == 1)] += 1
        target[inside] = tags[inside]
        return target

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy over the labelled tokens. With weights w, the mean is sum(w l) / sum(w), as in torch."""
        from torch.nn import functional as F

        weight = weights_for(logits, self.fitted.get("weights"))
        total = F.cross_entropy(logits.float(), targets, weight=weight, reduction="sum", ignore_index=IGNORED)
        return total, weight_of(targets, weight)

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        spans = np.concatenate([window.spans[slice(*window.core)] for window in windows])  # each token once [N, 2]
        rows = np.concatenate([rows[slice(*window.core)] for window, rows in zip(windows, logits, strict=True)])
        probabilities = softmax(rows.astype(np.float64)) if len(rows) else rows
        words = example.words
        if words is None and self.fitted.get("scheme") == "spans":
            visible = spans[:, 1] > spans[:, 0]
            return {"entities": self.entities_in(example.text, spans[visible], probabilities[visible])}
        if words is None:
            words = self.raw_words(example.text)
        units = self.by_word(words, spans, probabilities)
        if self.plain:
            best, sure = units.argmax(axis=1) if len(units) else [], tempered(units, self.calibration.temperature)
            said = {"tags": [self.tags[i] for i in best], "scores": [float(sure[i, k]) for i, k in enumerate(best)]}
            return said if example.words is not None else said | {"tokens": [example.text[a:b] for a, b in words]}
        if example.words is None:
            return {"entities": self.entities_in(example.text, words, units)}
        tags, found = self.tagged(units)
        said = {"tags": tags, "entities": [dict(zip(ENTITY, one, strict=True)) for one in found]}
        again = None if example.target is None else self.reread(example)
        if again is not None and again != words:
            said[RAW] = self.entities_in(example.text, again, self.by_word(again, spans, probabilities))
        return said

    def aims(self, example: Example, windows: Sequence[Window], logits: Sequence[Array], wanted: Wanted) -> list[Aim]:
        return of_tags(self, example, windows, logits, wanted)

    def raw_words(self, text: str) -> Words:
        """Words of a raw text, cut as in the training data where these had words."""
        return self.segmentation.words(text) if self.segmentation else segmented(text)

    def output(self, example: Example, prediction: Prediction) -> Output:
        words = self.raw_words(example.text) if example.words is None else example.words
        return presentation.tokens_output(example, prediction, words)

    def tagged(self, units: Array) -> tuple[list[str], list[tuple[int, int, str, float]]]:
        """Tags of units (words, tokens) from their probabilities [n, k], and entities: first unit, end, type, score."""
        tags = self.best_tags(units)
        chosen, sure = [self.tags.index(tag) for tag in tags], tempered(units, self.calibration.temperature)
        return tags, [(*span, scores.certainty(sure, chosen, span)) for span in entities_of(tags)]

    def entities_in(self, text: str, places: Array | Words, units: Array) -> list[dict[str, Any]]:
        """Entities of a text by characters, from places [n, 2] and tag probabilities [n, k] of its units."""
        entities = []
        for first, last, label, score in self.tagged(units)[1]:
            start, end = int(places[first][0]), int(places[last - 1][1])
            entities.append({"start": start, "end": end, "label": label, "text": text[start:end], "score": score})
        return entities

    def best_tags(self, probabilities: Array) -> list[str]:
        """The best legal tags, by their probabilities [n, k]; for a stock model, the best tag of each word."""
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
        words, again = example.words, self.reread(example)
        if words is None:
            return scores.agreement(self.types, example.target, scores.spans_of(prediction["entities"]))
        if self.plain:
            whole = None if again is None else [*map(set(again).__contains__, words)]
            return scores.agreement_of_tags(self.types, example.target, said=prediction["tags"], whole=whole)
        target, answer = self.entities(example.target), self.entities(prediction["tags"])
        row = scores.agreement(self.types, target, answer)
        if again is not None:
            gold, said = (scores.placed(spans, words) for spans in (target, answer))
            raw = scores.agreement(self.types, gold, scores.spans_of(prediction[RAW]) if RAW in prediction else said)
            row |= {f"{scores.RAW}{name}": raw[name] for name in ("correct", "predicted_count")}
        return row

    def reread(self, example: Example) -> Words | None:
        """Words of an example as they are cut in raw text; None where it has no words, or nothing is known of them."""
        if example.words is None or self.segmentation is None:
            return None
        return self.segmentation.again(example.text, example.words)

    def confidences(self, example: Example, prediction: Prediction) -> list[tuple[float, bool]]:
        return tag_confidences(self, example, prediction)

    def labelled_logits(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> LabelledLogits | None:
        return tag_logits(self, examples, features=features, logits=logits)

    def constant(self, examples: Sequence[Example]) -> base.Constant | None:
        return tagging.constant_of(examples, plain=self.plain)

    def breakdown(self, table: Mapping[str, Array]) -> list[dict[str, Any]]:
        return scores.breakdown([*self.types, UNSEEN], table)

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
        Broken({"tokens": ["a", "b"], "ner_tags": ["O"]}, "2 words and 1 tag "),
        Broken({"tokens": "a text", "ner_tags": ["O"]}, "expected a list"),
        Broken({"text": "a cat", "spans": [{"start": 2, "end": 9, "label": "WHO"}]}, "ends after the text"),
        Broken({"text": "a cat", "spans": [{"start": 4, "end": 2, "label": "WHO"}]}, "ends before it starts"),
        Broken({"text": "a cat", "spans": [{"start": 2, "label": "WHO"}]}, "expected spans"),
        Broken({"text": "a  cat", "spans": [{"start": 2, "end": 3, "label": "WHO"}]}, "only blanks"),
    )
