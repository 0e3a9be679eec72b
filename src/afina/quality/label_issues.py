"""The labels that are most doubtful: a quick head, cross-validated on frozen states, says what each should have been.

Confident learning (Northcutt, Jiang and Chuang 2021, by cleanlab) compares its out-of-fold probabilities with the given
labels. The judge is a logistic regression, far from the model that training would give; what it finds is to be read by
a person, best suspects first, and never removed unseen.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..assembly import (
    EncodedDataset,
    encode_dataset,
    open_network,
    open_tokenizer,
    parameter_hashes,
    state_store,
    to_dataset,
    with_targets,
)
from ..compute import choose
from ..config import Config
from ..data.identity import fingerprint
from ..data.parts import Data
from ..errors import ConfigError, MissingExtra
from ..metrics.scores import macro_f1
from ..model.network import Network
from ..model.states import StateStore, states_size
from ..outputs.csv_table import csv_writer
from ..outputs.places import text_file
from ..printing import many
from ..records import Example, Features
from ..tasks.base import Array, Task, find, names
from ..text.tokenization import Tokenizer
from ..work import drain
from . import cross_validation
from .cross_validation import Table, Units, divided, out_of_fold, texts_of, words_of
from .findings import SHOWN, Finding, Severity

WEAK = 0.2
"""Share of the way from the commonest label's accuracy to 1 under which a judge knows too little."""
COLUMNS = (
    "rank", "place", "text", "pair", "word", "start", "end", "given", "suggested", "given_probability",
    "suggested_probability", "verdict",
)  # fmt: skip
"""Columns of the file to review."""
FORMULA = tuple("=+-@\t\r\n\0'")
"""What a cell must not begin with: a spreadsheet would run it, or swallow it (CWE-1236)."""


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """A label that is probably wrong.

    Attributes:
        place: Place of the example.
        text: Its text.
        pair: Its second text, or None.
        given: The label in the data; entity tags as BIO.
        suggested: The likeliest label.
        given_probability: Probability of the given label.
        suggested_probability: Probability of the suggested label.
        span: Characters [start, end) of the word in the text; None where a whole example has the label.
    """

    place: str
    text: str
    pair: str | None
    given: str
    suggested: str
    given_probability: float
    suggested_probability: float
    span: tuple[int, int] | None = None

    @property
    def word(self) -> str:
        """The word that has the label, or nothing."""
        return self.text[slice(*self.span)] if self.span else ""


@dataclass(frozen=True, slots=True)
class LabelIssues:
    """The doubtful labels of a data set, and how far to trust the doubt.

    Attributes:
        rows: The suspects, the worst first.
        noun: What has a label: example or word.
        judged: How many labels were judged.
        unjudged: How many could not be: no two different texts, in two folds, have that label.
        learned: How many the head learned from at most, in one fold.
        estimate: How many labels are wrong by cleanlab's estimate.
        accuracy: Share of the labels that the cross-validated head gives too.
        macro_f1: Its mean F1 over the labels.
        majority: Share of the commonest label.
    """

    rows: tuple[LabelIssue, ...] = ()
    noun: str = "example"
    judged: int = 0
    unjudged: int = 0
    learned: int = 0
    estimate: int = 0
    accuracy: float = 0.0
    macro_f1: float = 0.0
    majority: float = 1.0

    @property
    def weak(self) -> bool:
        """Whether the head hardly beats the commonest label, so that its suspects mean little."""
        return self.accuracy - self.majority < WEAK * (1 - self.majority)

    def findings(self) -> list[Finding]:
        """What to say about them on a screen."""
        found = []
        if self.unjudged:
            message = (
                f"labels: {many(self.unjudged, self.noun)} can't be judged: too few different texts have that label"
            )
            found.append(Finding("note", "unjudged-labels", message, self.unjudged))
        if not self.judged:
            return found
        judge = (
            f"a quick head, cross-validated on frozen states, gives {self.accuracy:.1%} of the labels (the commonest "
            f"label alone: {self.majority:.1%}; macro F1 {self.macro_f1:.2f})"
        )
        if self.weak:
            judge += "; that is hardly more than guessing, so these suspects mean little"
        if self.learned >= cross_validation.LEARNED:
            judge += f"; in each fold it learned from at most {many(self.learned, self.noun)}"
        message = (
            f"labels: {len(self.rows):,} of {many(self.judged, self.noun)} ({len(self.rows) / self.judged:.1%}) have a "
            f"doubtful label; cleanlab's estimate is {self.estimate:,} wrong ones; {judge}"
        )
        severity: Severity = "warning" if self.rows and not self.weak else "note"
        places = tuple(one.place for one in self.rows[:SHOWN])
        return [Finding(severity, "label-issues", message, len(self.rows), places), *found]


# ---------------------------------------------------------------------------------------------------------------------
# Finding them.


def find_label_issues(config: Config, data: Data, *, folds: int = 5) -> LabelIssues:
    """The doubtful labels of all parts of the data together.

    Args:
        config: Checked configuration. Strategy and, for whole texts, head are those that suit frozen states.
        data: What `read_data` gave.
        folds: Number of folds of the cross-validation.

    Raises:
        ConfigError: the task has no such labels, or there is no room for the states.
        MissingExtra: cleanlab is not installed.
        InputError: the model can't be loaded.
    """
    examples = [*chain.from_iterable(data.splits.values())]
    task = data.task.fit(examples)  # a label of the test data is a label, whether or not training has it
    per_word = task.label_unit == "word"
    if task.label_unit is None:
        raise ConfigError(
            f"--labels: {task.name} does not give one label out of a few, so none can be doubted; "
            f"{' and '.join(name for name in names() if find(name).label_unit)} do"
        )
    confident_learning()  # before anything takes time
    # Of frozen vectors of whole texts the mean of the tokens is the better one (bench/RESULTS.md).
    model = config.model if per_word else config.model.model_copy(update={"head": "mean"})
    config = config.model_copy(update={"strategy": "head", "model": model})
    table, whole = frozen(config, task, data.splits)
    units = words_of(whole) if per_word else texts_of(whole)
    groups: dict[int, int] = {}
    texts = np.array([groups.setdefault(fingerprint(example), len(groups)) for example in examples])
    return doubted(
        table, units, texts=texts, examples=examples, names=task.head.config["id2label"], folds=folds, seed=config.seed
    )


def confident_learning() -> tuple[Any, Any]:
    """cleanlab's search for label issues, and its estimate of how many there are.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        from cleanlab.count import num_label_issues
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise MissingExtra("cleanlab", "quality", "looking for doubtful labels") from None
    return find_label_issues, num_label_issues


def frozen(config: Config, task: Task, parts: Mapping[str, Sequence[Example]]) -> tuple[Table, EncodedDataset]:
    """The states of all parts, computed or found as a run with `--strategy head` would, and all examples as one.

    Raises:
        ConfigError: neither memory nor disk has room for them.
        InputError: the model can't be loaded.
    """
    model, training = config.model, config.training
    tokenizer = open_tokenizer(model.name, max_length=model.max_length, resize=model.resize)
    compute = choose(
        precision=training.precision, threads=training.threads, device=training.device, strict=training.strict
    )
    with compute.active():
        network = open_network(
            model.name,
            task,
            tokenizer=tokenizer,
            compute=compute,
            head=model.head,
            packing=training.packing,
            seed=config.seed,
        )
        network.train_last(0)
        return frozen_states(
            network,
            tokenizer,
            task,
            parts,
            store=state_store(memory=training.cache_memory, disk=training.cache_disk, device=network.device),
            model=model.name,
        )


def frozen_states(
    network: Network,
    tokenizer: Tokenizer,
    task: Task,
    parts: Mapping[str, Sequence[Example]],
    *,
    store: StateStore,
    model: str,
) -> tuple[Table, EncodedDataset]:
    """The states of all parts, and all examples as one.

    Raises:
        ConfigError: neither memory nor disk has room for them.
    """
    hashes = parameter_hashes(network)
    tables: list[Array] = []
    features: list[Features] = []
    for examples in parts.values():
        part = encode_dataset(tokenizer, task, examples)
        states = drain(store.states(network, part.windows, hashes, model=model))
        if states is None:
            raise ConfigError(f"--labels: {store.plan(states_size(network, part.windows)).refusal}; raise one")
        store = store.after(states)
        tables.append(states.vectors.float().cpu().numpy())
        features += part.features
    return Table(tables), with_targets(to_dataset([*chain.from_iterable(parts.values())], features), task)


def doubted(
    table: Table,
    units: Units,
    *,
    texts: Array,
    examples: Sequence[Example],
    names: Mapping[int, str],
    folds: int,
    seed: int,
) -> LabelIssues:
    """Cross-validate a head, and compare what it says with the labels.

    Args:
        table: States.
        units: What has a label.
        texts: For each example the number of its text; equal ones share it.
        examples: The examples that the units belong to.
        names: Label of each id.
        folds: Number of folds of the cross-validation.
        seed: Seed of the division into folds.
    """
    noun = "example" if units.spans is None else "word"
    fold = divided(units.labels, texts[units.owners], folds=folds, seed=seed)
    # A label can be judged where another fold has it: only then had the head a chance to learn it.
    pairs = np.unique(np.stack([units.labels, fold]), axis=1)
    ids, spread = np.unique(pairs[0], return_counts=True)
    known = ids[spread > 1]
    judged = np.flatnonzero(np.isin(units.labels, known))
    unjudged = len(units.labels) - len(judged)
    if len(known) < 2:
        return LabelIssues(noun=noun, unjudged=len(units.labels))
    units, fold = units.take(judged), fold[judged]
    labels = np.searchsorted(known, units.labels)
    probabilities, learned = out_of_fold(table, units.lines, labels, fold, seed=seed)
    likeliest = probabilities.argmax(axis=1)
    worst, estimate = ranked(labels, probabilities)
    rows = []
    for i in worst:
        example = examples[units.owners[i]]
        rows.append(
            LabelIssue(
                example.place, example.text, example.pair, names[int(known[labels[i]])],
                names[int(known[likeliest[i]])], float(probabilities[i, labels[i]]),
                float(probabilities[i, likeliest[i]]),
                None if units.spans is None else (int(units.spans[i, 0]), int(units.spans[i, 1])),
            )
        )  # fmt: skip
    return LabelIssues(
        rows=tuple(rows),
        noun=noun,
        judged=len(labels),
        unjudged=unjudged,
        learned=learned,
        estimate=estimate,
        accuracy=float(np.mean(likeliest == labels)),
        macro_f1=macro_f1({"gold": labels, "predicted": likeliest}),
        majority=float(np.bincount(labels).max() / len(labels)),
    )


def ranked(labels: Array, probabilities: Array) -> tuple[list[int], int]:
    """Positions of the labels that cleanlab doubts, the worst first, and its estimate of how many are wrong.

    Args:
        labels: 0 to k - 1. [N]
        probabilities: Out-of-fold probabilities of the labels. [N, k]
    """
    issues_of, number_of_issues = confident_learning()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        worst: list[int] = issues_of(
            labels,
            probabilities,
            return_indices_ranked_by="self_confidence",
            rank_by_kwargs={"adjust_pred_probs": True},  # less each label's mean: a hard label is no issue for that
            n_jobs=1,
        ).tolist()
        return worst, int(number_of_issues(labels, probabilities))


# ---------------------------------------------------------------------------------------------------------------------
# The file to review.


def write(found: LabelIssues, out: str | Path, *, data: str = "") -> None:
    """The label issues as csv, best first, with an empty column `verdict` for whoever reviews them.

    A cell that a spreadsheet might run begins with an apostrophe; so does one that begins with an apostrophe itself,
    so that taking one off gives what was there.

    Args:
        found: What `find_label_issues` gave.
        out: The file; complete or absent.
        data: A file that must not be overwritten.

    Raises:
        ConfigError: the file can't be written, or is the data.
    """
    with text_file(str(out), data) as file:
        writer = csv_writer(file, csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        for rank, one in enumerate(found.rows, start=1):
            start, end = one.span or ("", "")
            texts = [safe(text) for text in (one.place, one.text, one.pair or "", one.word)]
            chances = (f"{one.given_probability:.4f}", f"{one.suggested_probability:.4f}")
            writer.writerow([rank, *texts, start, end, safe(one.given), safe(one.suggested), *chances, ""])


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
