"""`answers`: the span of a passage that answers a question, or none (SQuAD 1.1 and 2.0).

The passage is windowed and the question is repeated in every window (Devlin et al. 2019). The target of a window
without a whole answer is its first token, which means "no answer here". All reference answers count, in training too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from pydantic import Field

from ..errors import ConfigError, DataError, Problem, printable
from ..metrics import answers as scores
from ..metrics.temperature import LabelledLogits, softmax
from ..printing import many
from ..records import Example, Features, Output, Prediction, Row, ScoreRow, Window
from . import base, inputs, presentation
from .aims import Aim, Wanted
from .base import Array, Broken, Constant, HeadSpec, Sample
from .candidates import Candidate, candidates, of_answer, tokens_of
from .settings import Options
from .written import unwritten

if TYPE_CHECKING:
    import torch


QUESTION_NAMES = ("question", "pergunta")
CONTEXT_NAMES = ("context", "passage", "contexto", "passagem")
ANSWER_NAMES = ("answers", "answer", "resposta", "respostas")
USUAL = 30
"""Tokens that an answer may have where the training answers need no more, as in the code of Devlin et al."""
IMPOSSIBLE = "is_impossible"
"""SQuAD's column for questions without an answer. It must not contradict the answers."""


class Answer(NamedTuple):
    """A span [start, end) of characters of the passage, and its text."""

    start: int
    end: int
    text: str


class Mended(Answer):
    """An answer that is not at the offset that was given, read at its only place."""

    __slots__ = ()


class AnswersOptions(Options):
    """Columns and settings of `answers`."""

    roles = ("question", "context", "answer", "answer_start")
    also = (IMPOSSIBLE,)
    question: str | None = Field(None, description="column of the question")
    context: str | None = Field(None, description="column of the passage")
    answer: str | None = Field(None, description="column of the answer: a text, or a list of {text, answer_start}")
    answer_start: str | None = Field(None, description="column of the answer's first character, where it is apart")
    longest: int | None = Field(
        None,
        ge=1,
        description=f"tokens that an answer may have; by default what training answers need, at least {USUAL}",
    )
    best: int = Field(5, ge=1, description="answers that a prediction lists")


class Answers(base.Task):
    """A span of a passage, or none."""

    name = "answers"
    aliases = ("question-answering", "extractive-question-answering", "qa")
    summary = "the stretch of a passage that answers a question, or none"
    Options = AnswersOptions
    level = "token"
    confident_of = "answer"
    gives = ("marks", "answer")
    ignored = -1.0
    slides = True
    metrics: ClassVar = {
        "answer_f1": scores.answer_f1,
        "exact_match": scores.exact_match,
        "has_answer_f1": scores.where("f1", has_answer=True),
        "has_answer_exact": scores.where("exact", has_answer=True),
        "no_answer_accuracy": scores.where("exact", has_answer=False),
    }

    @property
    def head(self) -> HeadSpec:
        return HeadSpec("AutoModelForQuestionAnswering", 2)

    @property
    def unit(self) -> str:
        return "answers"

    @property
    def longest(self) -> int:
        """Number of tokens that an answer may have."""
        return int(self.options.longest or self.fitted.get("longest", USUAL))

    @property
    def found(self) -> Mapping[str, str]:
        return {"longest": f"{many(self.longest, 'token')} an answer"} if "longest" in self.fitted else {}

    @classmethod
    def from_stock(cls, architecture: str, config: Any) -> Answers | None:
        return cls(cls.Options(), {"no_answer": False}) if architecture.endswith("ForQuestionAnswering") else None

    def show(self, target: Any) -> str:
        return inputs.show_names(answer.text for answer in target)

    def columns(self, names: Sequence[str], *, rows: Sequence[Row] = (), labelled: bool = True) -> Self:
        given = self.options
        chosen: dict[str, Any] = {
            "question": inputs.target_column("question", given.question, QUESTION_NAMES, names),
            "context": inputs.target_column("context", given.context, CONTEXT_NAMES, names),
        }
        if labelled:
            chosen["answer"] = inputs.target_column("answer", given.answer, ANSWER_NAMES, names)
            if given.answer_start is not None:
                chosen["answer_start"] = inputs.present("answer_start", given.answer_start, names)
            elif "answer_start" in names:
                chosen["answer_start"] = "answer_start"
        return self.with_options(**chosen)

    @property
    def inputs(self) -> tuple[str, str]:
        return self.options.question or "question", self.options.context or "context"

    def read(self, row: Row, *, labelled: bool = True) -> Example:
        question = inputs.read_text(row, self.options.question or "", labelled=labelled)
        context = inputs.read_text(row, self.options.context or "", labelled=labelled)
        target = read_answers(row, self.options, context) if labelled else None
        return Example(question, context, target, row.place)

    def fit(self, examples: Sequence[Example]) -> Self:
        if not any(example.target for example in examples):
            raise ConfigError("answer: no training question has an answer; is the right column named?")
        return self.with_fitted(no_answer=not all(example.target for example in examples))

    def essentials(self, examples: Sequence[Example]) -> list[set[str]]:
        """Whether a question has an answer: training sees both kinds, where there are both."""
        return [{"answer" if example.target else "no answer"} for example in examples]

    def kept_together(self, example: Example) -> tuple[str, str]:
        return example.pair or "", ""

    def cluster(self, example: Example) -> str | None:
        return example.pair

    def fit_tokens(self, examples: Sequence[Example], features: Iterable[Features]) -> Self:
        """With as many tokens an answer as every training answer needs that a window holds, unless the options say."""
        if self.options.longest is not None:
            return self
        sizes = [
            ends[1] - ends[0] + 1
            for example, feature in zip(examples, features, strict=True)
            for answer in example.target
            for window in feature.windows
            if (ends := tokens_of(window, answer.start, answer.end)) is not None
        ]
        return self.with_fitted(**{**self.fitted, "longest": max([USUAL, *sizes])})

    def warnings(self, examples: Sequence[Example]) -> list[Problem]:
        """Answers that stand elsewhere than their offsets say."""
        return [
            Problem(
                example.place,
                "an answer is not at its answer_start, and is read at the only place where it stands",
                "correct answer_start, or leave it out",
                "mended-offset",
            )
            for example in examples
            for answer in example.target
            if isinstance(answer, Mended)
        ]

    def coverage(self, example: Example, windows: Sequence[Window]) -> list[str]:
        """One item where the question has an answer: any of its answers will do.

        A window must hold the whole answer, its edges must be edges of tokens, and it must not be too long.
        """
        reasons = [
            "cut by the windows (model.max_length)",
            base.INSIDE,
            f"over {many(self.longest, 'token')} (options.longest)",
            "",
        ]
        best = 0
        for answer in example.target:
            for window in windows:
                ends = tokens_of(window, answer.start, answer.end)
                if ends is None or not window.core[0] <= ends[0] < window.core[1]:
                    continue  # an answer is predicted in the window whose core it begins in
                edges = window.spans[ends[0], 0], window.spans[ends[1], 1]
                short = ends[1] - ends[0] < self.longest
                best = max(best, 1 if edges != (answer.start, answer.end) else 3 if short else 2)
        return [reasons[best]] if example.target else []

    def encode_target(self, example: Example, window: Window) -> Array:
        """For each token, 1 where the window begins, and its weights as first and as last token of an answer. [n, 3]

        The weights sum to 1 and are shared by the distinct answers that lie wholly in the window. Without an answer,
        the first token has the weight.
        """
        table = np.zeros((len(window), 3), np.float32)
        table[0, 0] = 1
        ends = (tokens_of(window, answer.start, answer.end) for answer in example.target)
        inside = {pair for pair in ends if pair is not None}
        for first, last in inside or {(0, 0)}:
            table[first, 1] += 1 / max(1, len(inside))
            table[last, 2] += 1 / max(1, len(inside))
        return table

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean of two cross-entropies over the tokens of each window: of the first and of the last token."""
        import torch

        # The window of each token; a row that is ignored is a window of its own, without weights. [n]
        owner = targets[:, 0].abs().cumsum(0).long() - 1
        values, wide = logits.float(), owner[:, None].expand(-1, 2)
        shifted = values - torch.full_like(values, -torch.inf).scatter_reduce(0, wide, values.detach(), "amax")[owner]
        normaliser = torch.zeros_like(values).index_add(0, owner, shifted.exp()).log()
        known = targets.clamp_min(0)
        losses = -(known[:, 1:] * (shifted - normaliser[owner])).sum() / 2
        return losses, known[:, 0].sum()

    def fit_thresholds(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> Self:
        """Fit the no-answer threshold with the best F1 (Rajpurkar et al. 2018).

        A question gets no answer where "no answer" scores higher than its best answer by more than the threshold.
        """
        if not self.fitted["no_answer"]:
            return self
        margins, gains = [], []
        for example, feature, rows in zip(examples, features, logits, strict=True):
            ranked, none = candidates(feature.windows, rows, self.longest)
            best = example.pair[ranked[0].start : ranked[0].end] if ranked and example.pair else ""
            margins.append(none - ranked[0].score if ranked else np.inf)
            gains.append(scores.best_f1(best, texts_of(example)) - scores.best_f1("", texts_of(example)))
        return self.with_fitted(**self.fitted, threshold=scores.best_threshold(np.array(margins), np.array(gains)))

    def decode(self, example: Example, windows: Sequence[Window], logits: Sequence[Array]) -> Prediction:
        context, listed = example.pair or "", self.listed(windows, logits)
        probabilities = softmax(np.array([score for score, _, _ in listed]), self.calibration.temperature)
        answers = [
            {"answer": context[start:end], "start": start, "end": end, "probability": float(probability)}
            for (_, start, end), probability in zip(listed, probabilities, strict=True)
        ]
        return {**answers[0], "alternatives": answers[1:]}

    def aims(self, example: Example, windows: Sequence[Window], logits: Sequence[Array], wanted: Wanted) -> list[Aim]:
        return of_answer(self, example, windows, logits, wanted)

    def listed(self, windows: Sequence[Window], logits: Sequence[Array]) -> list[Candidate]:
        """The answers that a prediction lists, "no answer" among them where there may be none, best first."""
        ranked, none = candidates(windows, logits, self.longest)
        listed = ranked[: self.options.best]
        if self.fitted.get("no_answer", False) or not listed:
            # The threshold decides between "no answer" and the answers, in the probabilities too.
            listed.append(Candidate(none - self.fitted.get("threshold", 0.0), 0, 0))
        return sorted(listed, key=lambda candidate: -candidate.score)

    def confidences(self, example: Example, prediction: Prediction) -> list[tuple[float, bool]]:
        exact = scores.best_exact(prediction["answer"], texts_of(example))
        return [(prediction["probability"], exact == 1.0)]

    def labelled_logits(
        self, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
    ) -> LabelledLogits:
        """The scores of the listed answers, and whether the first is right: the right one is often not among them."""
        table = np.full((len(examples), self.options.best + 1), -np.inf)
        right = np.zeros(len(examples), bool)
        for i, (example, feature, rows) in enumerate(zip(examples, features, logits, strict=True)):
            (first, *_) = listed = self.listed(feature.windows, rows)
            table[i, : len(listed)] = [candidate.score for candidate in listed]
            answer = (example.pair or "")[first.start : first.end]
            right[i] = scores.best_exact(answer, texts_of(example)) == 1.0
        return LabelledLogits(table, right, "first")

    def output(self, example: Example, prediction: Prediction) -> Output:
        return presentation.answer_output(example, prediction)

    def score_row(self, example: Example, prediction: Prediction) -> ScoreRow:
        answer = prediction["answer"]
        return {
            "exact": scores.best_exact(answer, texts_of(example)),
            "f1": scores.best_f1(answer, texts_of(example)),
            "has_answer": int(bool(example.target)),
        }

    def constant(self, examples: Sequence[Example]) -> Constant | None:
        silence = {"answer": "", "start": 0, "end": 0, "probability": 1.0, "alternatives": []}
        return Constant("no answer", lambda _: silence)

    samples = (
        Sample(
            [
                {"question": f"who {verb}?", "context": f"the {who} {verb} and the {other} barks",
                 "answers": [{"text": who, "answer_start": 4}]}
                for who in ("cat", "bird") for other in ("dog", "bird") for verb in ("sleeps", "stops") if who != other
            ]
        ),
        Sample(
            [
                {"question": "where?", "context": f"{what} {where}.", "answer": answer, "answer_start": start}
                for what in ("a lovely film", "the meal")
                for where, answer, start in (
                    ("on the mat", "the mat", None), ("was great", "", None), ("in the room", "the room", None),
                    ("was poor", None, None),
                )
            ],
            {"longest": 5},
        ),
    )  # fmt: skip
    broken = (
        Broken({"question": "who?", "context": "a cat", "answers": [{"text": "dog", "answer_start": 2}]}, "not in the"),
        Broken({"question": "who?", "context": "a cat, a cat", "answers": [{"text": "cat"}]}, "stands 2 times"),
        Broken({"question": "who?", "context": "a cat", "answers": 3}, "expected answers"),
        Broken({"question": "", "context": "a cat", "answers": []}, "empty"),
    )


def texts_of(example: Example) -> list[str]:
    """The texts of an example's reference answers."""
    return [answer.text for answer in example.target]


def read_answers(row: Row, options: AnswersOptions, context: str) -> tuple[Answer, ...]:
    """The reference answers of a row, empty for a question without an answer.

    Raises:
        DataError: lists every answer that is malformed, not in the passage, or ambiguous; or `is_impossible`
            contradicts the answers.
    """
    column = options.answer or ""
    value = written_answers(row.values.get(column))
    start = row.values.get(options.answer_start) if options.answer_start else None
    try:
        pairs = pairs_of(value, start)
    except (TypeError, ValueError, KeyError, AttributeError):
        shown = printable(value)
        message = f"column {column!r}: expected answers (a text, or a list of text and answer_start), found {shown}"
        fix = "write no answer, [], for a question without one"
        raise DataError(Problem(row.place, message, fix, "not-answers")) from None
    impossible = row.values.get(IMPOSSIBLE)
    if isinstance(impossible, bool) and impossible == bool(pairs):
        message = f"{IMPOSSIBLE} is {str(impossible).lower()}, and there {'are answers' if pairs else 'is no answer'}"
        raise DataError(Problem(row.place, message, "correct one of them", "contradictory-flag"))
    answers, problems = [], []
    for text, at in pairs:
        try:
            answers.append(located(text, at, context))
        except ValueError as error:
            fix = cure(text, at, context)
            problems.append(Problem(row.place, f"column {column!r}: {error}", fix, "bad-answer"))
    if problems:
        raise DataError(problems)
    return tuple(dict.fromkeys(answers))


def written_answers(value: Any) -> Any:
    """The answers that a cell of a table holds in writing, as pandas writes lists and dicts; any other value as it is.

    An answer may itself stand in brackets: only what holds texts under their name is taken for writing.
    """
    found = unwritten(value)
    if isinstance(found, dict):
        return found if "text" in found else value
    parts = found if isinstance(found, list) else [value]
    return found if all(isinstance(part, dict) and "text" in part for part in parts) else value


def pairs_of(value: Any, start: Any) -> list[tuple[str, int | None]]:
    """Texts with their offsets, from any of the usual formats. Anything else raises ValueError or a similar error."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [(value, None if start in (None, "", -1) else int(start))]
    if isinstance(value, dict):  # Hugging Face data sets hold two lists
        starts = value.get("answer_start") or [None] * len(value["text"])
        value = [{"text": text, "answer_start": at} for text, at in zip(value["text"], starts, strict=True)]
    pairs = [(answer["text"], answer.get("answer_start")) for answer in value]
    if not all(isinstance(text, str) and text.strip() and (at is None or type(at) is int) for text, at in pairs):
        raise ValueError
    return pairs


def cure(text: str, start: int | None, context: str) -> str:
    """How to correct an answer that is not at its offset."""
    places = [match.start() for match in re.finditer(re.escape(text), context)]
    if places:
        near = sorted(places, key=lambda at: abs(at - (start or 0)))[:3]
        return f"correct answer_start: it is at {' or '.join(map(str, near))}"
    forms: dict[str, Callable[[str], str]] = {
        "in another Unicode form; write both as NFC": lambda string: unicodedata.normalize("NFC", string),
        "in other letters or blanks; copy it from there": lambda string: " ".join(
            unicodedata.normalize("NFKC", string).casefold().split()
        ),
    }
    for words, form in forms.items():
        if form(text) in form(context):
            return f"the passage holds it {words}"
    return "copy the answer from the passage"


def located(text: str, start: int | None, context: str) -> Answer:
    """An answer at its offset, or else at its only occurrence, without blanks at its edges.

    Raises:
        ValueError: the text does not occur, or occurs more than once and not at its offset.
    """
    right = start is not None and start >= 0 and context[start : start + len(text)] == text
    places = [start or 0] if right else [match.start() for match in re.finditer(re.escape(text), context)]
    if len(places) == 1:
        at, inner = places[0] + len(text) - len(text.lstrip()), text.strip()
        return (Answer if right or start is None else Mended)(at, at + len(inner), inner)
    where = "no answer_start is given" if start is None else f"it is not at answer_start {start}"
    if not places:
        raise ValueError(f"{printable(text)} is not in the passage")
    raise ValueError(f"{printable(text)} stands {len(places)} times in the passage, and {where}")
