"""The loop: a generator of steps. It computes and yields; whoever consumes it logs, evaluates, saves and stops."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..errors import TrainingError
from ..model.network import Network
from ..model.states import KeptStates
from ..records import Example, Features, Window
from ..tasks.base import Array, Task
from ..text.layouts import epoch_batches, out_of_memory, pack_greedily, plan


@dataclass(frozen=True, slots=True)
class EncodedDataset:
    """Encoded examples with their targets, ready to train on or to score.

    Attributes:
        examples: As read.
        features: Their windows.
        windows: The windows of all examples in one list.
        owners: For each example, the positions of its windows [start, end).
        targets: One a unit of training, as `task.label` gives them: an example, or a window of a token task. Empty for
            what is only scored.
        kept: States of the windows at the network's cut, when they are kept.
    """

    examples: Sequence[Example]
    features: Sequence[Features]
    windows: Sequence[Window]
    owners: Sequence[tuple[int, int]]
    targets: Sequence[Array] = ()
    kept: KeptStates | None = None


def to_dataset(examples: Sequence[Example], features: Sequence[Features]) -> EncodedDataset:
    """Examples and their features side by side, to score."""
    ends = np.cumsum([len(one.windows) for one in features]).tolist()
    owners = list(zip([0, *ends[:-1]], ends, strict=True))
    return EncodedDataset(examples, features, [window for one in features for window in one.windows], owners)


def with_targets(data: EncodedDataset, task: Task) -> EncodedDataset:
    """The same material with its targets, to train on."""
    pairs = list(zip(data.examples, data.features, strict=True))
    if task.level == "example":
        return replace(data, targets=[task.encode_target(example, one.windows[0]) for example, one in pairs])
    return replace(
        data, targets=[task.encode_target(example, window) for example, one in pairs for window in one.windows]
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimiser.

    Attributes:
        number: Counted from 1 over the whole run.
        epoch: Counted from 0.
        last: Whether it ends its epoch.
        loss: Mean over the step's items.
        rate: Learning rate of the first parameter group.
        norm: Norm of the gradient before clipping.
        tokens: Real tokens that went through the encoder.
        padded: Places computed for them, padding included.
        micro_tokens: Tokens that went through the encoder at once; fewer than asked for after a lack of memory.
    """

    number: int
    epoch: int
    last: bool
    loss: float
    rate: float
    norm: float
    tokens: int
    padded: int
    micro_tokens: int


def steps(
    network: Network,
    task: Task,
    data: EncodedDataset,
    optimiser: torch.optim.Optimizer,
    factor: Callable[[int], float],
    *,
    epochs: int,
    batch_size: int,
    clip: float | None,
    micro_tokens: int,
    pad: int,
    seed: int,
    autocast: torch.dtype | None = None,
    done: int = 0,
) -> Generator[Step, None, None]:
    """Train, one step of the optimiser at a time.

    Data order and dropout are pure functions of seed and step, so a run can be taken up anywhere.

    Args:
        network: With its trainable part chosen.
        task: For targets and loss.
        data: Training material.
        optimiser: Over the trainable parameters; its groups' rates are the peaks.
        factor: Learning-rate factor by step from 0.
        epochs: Passes over the data.
        batch_size: Examples a step.
        clip: Largest norm of the gradient.
        micro_tokens: Padded tokens that go through the encoder at once.
        pad: Vocabulary id of padding.
        seed: Of order and dropout.
        autocast: Type of the arithmetic, or None for the weights' own.
        done: Steps that were taken before; the next one is the first.

    Raises:
        TrainingError: loss or gradient is not finite; names the step and the rows.
    """
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    peaks = [group["lr"] for group in optimiser.param_groups]
    number = 0
    for epoch in range(epochs):
        batches = epoch_batches(len(data.examples), batch_size, seed=seed, epoch=epoch)
        for place, batch in enumerate(batches):
            if number < done:
                number += 1
                continue
            network.train()
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * factor(number)
            while True:
                torch.manual_seed(step_seed(seed, number))
                try:
                    total, count, tokens, padded = gradients(network, task, data, batch, micro_tokens, pad, autocast)
                    break
                except (MemoryError, RuntimeError) as error:
                    # The same step again in smaller pieces: sums of losses make the split invisible to the maths.
                    longest = max(len(data.windows[w]) for i in batch for w in range(*data.owners[i]))
                    if not out_of_memory(error) or micro_tokens <= longest:
                        raise
                    optimiser.zero_grad(set_to_none=True)
                    micro_tokens = max(longest, micro_tokens // 2)
            norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None]) / count
            if not bool(torch.isfinite(norm + total)):
                raise TrainingError(not_finite(data, batch, number, float(total / count), float(norm)))
            # One pass over the gradients does both: the mean over the items, and the clipping.
            scale = 1.0 / count if clip is None else torch.clamp(clip / (norm + 1e-6), max=1.0) / count
            torch._foreach_mul_([p.grad for p in parameters if p.grad is not None], scale)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            number += 1
            last = place == len(batches) - 1
            rate = float(optimiser.param_groups[0]["lr"])
            yield Step(number, epoch, last, float(total / count), rate, float(norm), tokens, padded, micro_tokens)


def gradients(
    network: Network,
    task: Task,
    data: EncodedDataset,
    batch: Sequence[int],
    micro_tokens: int,
    pad: int,
    autocast: torch.dtype | None,
) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Gradients of the summed loss of some examples, left in the parameters.

    Returns:
        Summed loss, number (or weight) of items, real tokens, places computed.
    """
    units = groups_of(data, batch, task.level)
    lengths = [max(len(data.windows[w]) for w in windows) for _, windows in units]
    total = count = torch.zeros((), device=network.device)
    tokens = padded = 0
    counts = [len(windows) for _, windows in units]
    groups = (
        pack_greedily(lengths, micro_tokens, counts, packed=True)
        if network.packs
        else plan(lengths, micro_tokens, counts)
    )
    for group in groups:
        chosen = [units[g] for g in group]
        places = [w for _, windows in chosen for w in windows]
        inputs = network.collate([data.windows[w] for w in places], pad)
        states = None if data.kept is None else data.kept.take(places)
        labels = [data.targets[i if task.level == "example" else windows[0]] for i, windows in chosen]
        targets = torch.from_numpy(joined(labels, task.level)).to(network.device)
        with torch.autocast(network.device.type, dtype=autocast, enabled=autocast is not None):
            logits = network(inputs, states)
            if task.level == "example" and len(places) > len(chosen):
                logits = averaged(logits, [len(windows) for _, windows in chosen])
            loss, weight = (
                network.criterion(logits, targets, inputs.lengths) if network.criterion else task.loss(logits, targets)
            )
        loss.backward()  # type: ignore[no-untyped-call]
        total, count = total + loss.detach(), count + weight
        tokens, padded = tokens + inputs.tokens, padded + inputs.ids.numel()
    return total, count, tokens, padded


def groups_of(data: EncodedDataset, batch: Sequence[int], level: str) -> list[tuple[int, range]]:
    """What may be split over micro-batches: single windows, or examples whose windows' logits are averaged."""
    owned = [(i, range(*data.owners[i])) for i in batch]
    return owned if level == "example" else [(i, range(w, w + 1)) for i, windows in owned for w in windows]


def averaged(logits: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """Mean of the logits of each example's windows. [B, k] -> [E, k]"""
    lengths = torch.tensor(counts, device=logits.device)
    return torch.segment_reduce(logits.float(), "mean", lengths=lengths, axis=0)


def joined(labels: Sequence[Array], level: str) -> Array:
    """The targets of some examples: one each, or one a token of each window."""
    return np.stack(labels) if level == "example" else np.concatenate(labels)


def step_seed(seed: int, number: int) -> int:
    """The seed of a step's dropout."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def not_finite(data: EncodedDataset, batch: Sequence[int], number: int, loss: float, norm: float) -> str:
    """The message about a step that went wrong."""
    places = ", ".join(data.examples[i].place for i in batch[:8]) + (" ..." if len(batch) > 8 else "")
    return (
        f"step {number + 1}: the loss is {loss} and the norm of its gradient {norm}; nothing was updated. "
        f"The step's rows: {places}. A lower learning rate (training.learning_rate) is the usual cure; "
        "weights that are not finite in the loaded model are the other cause"
    )
