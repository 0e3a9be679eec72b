"""Masked-language training as the loop and the trainer take it: the loss of hidden tokens, and how it is evaluated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn import functional as F

from .. import inference
from ..assembly import EncodedDataset
from ..model.network import Network
from ..records import Batch, Ints, Prediction
from ..tasks.base import Array, Task
from ..training.goals import Judged, Logits
from ..training.objective import Unit
from ..work import Work, run_with_backoff
from .corpus import IGNORED, frequencies
from .masking import VALIDATION, Masked, Masking, tokens_of, words_of

ROWS = 256
"""Hidden tokens whose logits are computed at once in an evaluation: each has as many as the vocabulary has tokens."""


@dataclass(frozen=True)
class MaskedLanguage:
    """The cross-entropy of hidden tokens, with other masks in each epoch. An example of the loop is a window.

    Attributes:
        data: The texts.
        masking: How tokens are hidden.
        units: The unit of each token, by window.
        batch_size: Windows of a step.
    """

    data: EncodedDataset
    masking: Masking
    words: Sequence[Ints]
    batch_size: int

    @property
    def examples(self) -> int:
        return len(self.data.windows)

    @cached_property
    def owners(self) -> list[int]:
        """The text of each window."""
        return [i for i, (start, end) in enumerate(self.data.owners) for _ in range(start, end)]

    def units(self, batch: Sequence[int], step: int) -> list[Unit]:
        epoch = step // math.ceil(self.examples / self.batch_size)
        windows, words = [self.data.windows[i] for i in batch], [self.words[i] for i in batch]
        return [Unit([one.window], (), one.labels) for one in self.masking.draw(windows, words, batch, epoch=epoch)]

    def stage(self, units: Sequence[Unit], batch: Batch) -> dict[str, torch.Tensor]:
        labels = np.concatenate([unit.target for unit in units])
        hidden = labels != IGNORED
        return {"places": torch.from_numpy(batch.places[hidden]), "labels": torch.from_numpy(labels[hidden]).long()}

    def loss(
        self, network: Network, batch: Batch, staged: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Only the hidden tokens go through the decoder, which is as wide as the vocabulary."""
        logits = network.decode(network.vectors(batch).index_select(0, staged["places"]))
        labels = staged["labels"]
        return F.cross_entropy(logits, labels, reduction="sum"), torch.full(
            (), float(len(labels)), device=labels.device
        )

    def static(self, network: Network) -> bool:
        return False  # steps differ in the number of hidden tokens

    def where(self, batch: Sequence[int]) -> list[str]:
        return [self.data.examples[self.owners[i]].place for i in batch]


@dataclass(frozen=True)
class Adapting:
    """What an adaptation optimises, and what its evaluations say.

    Attributes:
        task: What the texts were read with; it has the metrics.
        objective: The loss of a step.
        data: The validation texts.
        masked: Their windows with tokens hidden once for all evaluations.
        owners: The text of each of these windows.
        before: The loss on them before the training.
    """

    task: Task
    objective: MaskedLanguage
    data: EncodedDataset
    masked: Sequence[Masked]
    owners: Sequence[int]
    before: float = 0.0

    def start(self, network: Network) -> float:
        """The loss before the training: a model that has forgotten all it knew is far above it."""
        return self.before

    def judge(self, network: Network) -> Work[Judged]:
        """The loss of the hidden tokens of the validation texts."""
        predictions = yield from self.measure(network)
        metrics = inference.score(self.task, inference.table_of(self.task, self.data.examples, predictions=predictions))
        return Judged(metrics, metrics["loss"])

    def logits(self, network: Network) -> Work[Logits]:
        """None: nothing is fitted to them."""
        yield from ()
        return ()

    @torch.no_grad()
    def measure(self, network: Network) -> Work[list[Prediction]]:
        """What the model makes of each validation text: summed loss, number of hidden tokens, and of those right."""
        network.eval()
        layout = network.layout
        sums = np.zeros((len(self.data.examples), 3))

        def compute(indices: list[int]) -> None:
            chosen = [self.masked[i] for i in indices]
            batch = layout.collate([one.window for one in chosen])
            hidden = np.concatenate([one.labels for one in chosen]) != IGNORED
            rows = network.vectors(batch).index_select(0, torch.from_numpy(batch.places[hidden]).to(network.device))
            nats, right = [], []
            labels = torch.from_numpy(np.concatenate([one.labels for one in chosen])[hidden]).long()
            for some, wanted in zip(torch.split(rows, ROWS), torch.split(labels, ROWS), strict=True):
                logits = network.decode(some).float()
                known = wanted.to(logits.device)
                nats.append(F.cross_entropy(logits, known, reduction="none").double().cpu())
                right.append((logits.argmax(dim=1) == known).cpu())
            owner = np.repeat([self.owners[i] for i in indices], [one.hidden for one in chosen])
            np.add.at(sums[:, 0], owner, torch.cat(nats).numpy())
            np.add.at(sums[:, 1], owner, 1)
            np.add.at(sums[:, 2], owner, torch.cat(right).numpy())

        lengths = [len(one.window) for one in self.masked]
        yield from run_with_backoff(lengths, layout.budget, split=layout.fill, compute=compute)
        return predictions_of(sums)

    def by_frequency(self, rows: int) -> list[Prediction]:
        """The same of the frequencies of tokens in the training texts, each counted once more than it occurs.

        Args:
            rows: Number of tokens of the vocabulary.
        """
        chances = frequencies(self.objective.data, rows)
        surprise, commonest = -np.log(chances), int(chances.argmax())
        sums = np.zeros((len(self.data.examples), 3))
        for owner, one in zip(self.owners, self.masked, strict=True):
            labels = one.labels[one.labels != IGNORED]
            sums[owner] += surprise[labels].sum(), len(labels), (labels == commonest).sum()
        return predictions_of(sums)


def predictions_of(sums: Array) -> list[Prediction]:
    """Summed loss, hidden tokens and right ones of each text, by name. [n, 3]"""
    return [{"nats": float(nats), "hidden": int(hidden), "right": int(right)} for nats, hidden, right in sums.tolist()]


def objective_of(data: EncodedDataset, masking: Masking, *, whole_word: bool, batch_size: int) -> MaskedLanguage:
    """The loss of texts.

    Args:
        data: The training texts.
        masking: How tokens are hidden.
        whole_word: Whether all tokens of a word are hidden together.
        batch_size: Windows of a step.
    """
    return MaskedLanguage(data, masking, units_of(data, whole_word=whole_word), batch_size)


def goal_of(
    task: Task, objective: MaskedLanguage, data: EncodedDataset, masking: Masking, *, whole_word: bool
) -> Adapting:
    """The goal, with masks on the validation texts that are drawn once.

    Args:
        task: What the texts were read with.
        objective: The loss of a step.
        data: The validation texts.
        masking: How their tokens are hidden.
        whole_word: Whether all tokens of a word are hidden together.
    """
    owners = [i for i, (start, end) in enumerate(data.owners) for _ in range(start, end)]
    units = units_of(data, whole_word=whole_word)
    numbers = range(len(data.windows))
    drawn = [masking.hide(*one, epoch=0, stream=VALIDATION) for one in zip(data.windows, units, numbers, strict=True)]
    if not any(one.hidden for one in drawn):
        drawn[0] = masking.hide(data.windows[0], units[0], 0, epoch=0, stream=VALIDATION, least=True)
    chosen = [i for i, one in enumerate(drawn) if one.hidden]
    return Adapting(task, objective, data, [drawn[i] for i in chosen], [owners[i] for i in chosen])


def units_of(data: EncodedDataset, *, whole_word: bool) -> list[Ints]:
    """The unit of each token of each window: a word, or the token itself."""
    if not whole_word:
        return [tokens_of(window) for window in data.windows]
    owned = (
        (example, data.windows[start:end]) for example, (start, end) in zip(data.examples, data.owners, strict=True)
    )
    return [words_of(example, window) for example, windows in owned for window in windows]
