"""What each word of an input adds to a sum of logits: by gradients, or by what is lost without the word.

`gradient` is gradient x input on what the word embedding gives (Shrikumar et al. 2016): the sum over the word's tokens
of the product of each number with its slope. Inputs are counted from the row of the mask, so that it is the first-order
estimate of `mask`. From 0 it would be next to nothing wherever a normalisation follows the embedding at once (DeBERTa,
ModernBERT): that undoes any change of a row's length. One forward and one backward pass an aim, for any family: only
the module that holds the vocabulary is looked at.

`mask` and `removal` are occlusion (Zeiler and Fergus 2014): the sum with the word, less the sum without it. The word's
tokens are replaced by the tokenizer's mask, or left out. One forward pass a word.

Both are exact about windows: an aim says in which windows its logits lie, and a word counts in each that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from ..errors import ConfigError
from ..inference import window_logits
from ..model.network import Network
from ..records import Window
from ..tasks.aims import Aim, Term, logit_of
from ..text.spans import owners
from ..text.tokenization import Tokenizer
from ..work import drain, run_with_backoff

Array = np.ndarray[Any, Any]


class Place(NamedTuple):
    """A word of an input.

    Attributes:
        start: Its first character.
        end: The character after its last one.
        pair: Whether it stands in the second text.
    """

    start: int
    end: int
    pair: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An aim, and the words whose parts in it are asked for.

    Attributes:
        aim: The sum of logits.
        windows: The windows of the example.
        owners: The word of each token of each window, -1 for none. [n] each
        words: Number of words.
        logits: The logits of each window. [k] or [n, k] each
    """

    aim: Aim
    windows: tuple[Window, ...]
    owners: tuple[Array, ...]
    words: int
    logits: Sequence[Array]

    def terms(self, number: int) -> list[Term]:
        """The logits of a window that count."""
        return [term for term in self.aim.terms if term.window == number]

    @property
    def asked(self) -> list[int]:
        """Numbers of the windows in which logits count."""
        return sorted({term.window for term in self.aim.terms})

    def cost(self, method: str) -> int:
        """Number of tokens that a method computes."""
        sizes = [len(self.windows[number]) * (self.words if method != "gradient" else 3) for number in self.asked]
        return sum(sizes)


def owners_of(window: Window, words: Sequence[Place]) -> Array:
    """The word of each token of a window, -1 for a special token or one without a visible character. [n]"""
    found = np.full(len(window), -1, np.int64)
    for pair in (False, True):
        numbers = np.array([i for i, word in enumerate(words) if word.pair == pair], np.int64)
        own = window.segments == int(pair)
        places = owners([words[i][:2] for i in numbers], window.spans[own])
        found[own] = np.where(places < 0, -1, numbers[places] if len(numbers) else -1)
    return found


def weights(network: Network, tokenizer: Tokenizer, cases: Sequence[Case], *, method: str) -> list[Array]:
    """The part of each word in the sum of each case. [words] each

    Raises:
        ConfigError: there is no such method, or the model can't be asked by it.
    """
    mask = mask_of(tokenizer, network)
    if method == "gradient":
        return gradients(network, cases, origin=mask)
    if mask is None and method == "mask":
        raise ConfigError("method: mask needs a model with a mask token, and this one has none; take removal")
    blank = int(tokenizer.pretrained.unk_token_id or tokenizer.pad) if mask is None else mask
    return occlusions(network, cases, blank=blank, leave=method == "removal")


def mask_of(tokenizer: Tokenizer, network: Network) -> int | None:
    """The mask's row of the vocabulary; None for a model that has none."""
    mask = tokenizer.pretrained.mask_token_id
    return int(mask) if mask is not None and mask < int(network.backbone.config.vocab_size) else None


# ---------------------------------------------------------------------------------------------------------------------
# Gradients.


def gradients(network: Network, cases: Sequence[Case], *, origin: int | None = None) -> list[Array]:
    """Gradient x input of the word embedding, summed over the tokens of each word.

    Args:
        network: The model.
        cases: Any number.
        origin: The token from whose row of the vocabulary inputs are counted; None counts from 0.

    Raises:
        ConfigError: no gradient goes through the head.
    """
    pieces = [(case, number) for case in range(len(cases)) for number in cases[case].asked]
    found = [np.zeros(case.words) for case in cases]
    network.eval()

    def compute(indices: list[int]) -> None:
        chosen = [pieces[i] for i in indices]
        windows = [cases[case].windows[number] for case, number in chosen]
        terms = [cases[case].terms(number) for case, number in chosen]
        for (case, number), parts in zip(chosen, token_parts(network, windows, terms, origin), strict=True):
            owner = cases[case].owners[number]
            own = owner >= 0
            found[case] += np.bincount(owner[own], parts[own], minlength=cases[case].words)

    lengths = [len(cases[case].windows[number]) for case, number in pieces]
    budget = min(network.layout.budget, network.compute.micro_tokens)
    drain(run_with_backoff(lengths, budget, split=network.layout.fill, compute=compute))
    return found


def token_parts(
    network: Network, windows: Sequence[Window], terms: Sequence[Sequence[Term]], origin: int | None
) -> list[Array]:
    """Gradient x input of each token in the sum of its window's terms. [n] each

    Raises:
        ConfigError: no gradient goes through the head.
    """
    tokens = network.pooling == "tokens"
    with torch.enable_grad(), embedded(network) as seen:
        batch = network.layout.collate(windows)
        logits = batch.real(network(batch).float(), pooled=not tokens)  # [B, k] or [n, k]
        if not logits.requires_grad:
            raise ConfigError("method: no gradient goes through this head; take mask or removal")
        starts = np.cumsum([0, *batch.lengths])
        flat = [
            (starts[i] + term.row if tokens else i, term.column, term.factor)
            for i, own in enumerate(terms)
            for term in own
        ]
        rows, columns, factors = (torch.tensor(part, device=logits.device) for part in zip(*flat, strict=True))
        total = (logits[rows, columns] * factors.float()).sum() * network.scale[0]
        (rows_in,) = seen  # [R, W, e]
        (slopes,) = torch.autograd.grad(total, rows_in)
    base: Any = network.backbone.base
    moved = rows_in.detach() if origin is None else rows_in.detach() - base.get_input_embeddings().weight[origin]
    parts = (slopes.double() * moved.double()).sum(dim=-1).reshape(-1).cpu().numpy()
    places = batch.places if batch.index is None else batch.index.cpu().numpy()
    return np.split(parts[places], starts[1:-1])


@contextmanager
def embedded(network: Network) -> Iterator[list[torch.Tensor]]:
    """Collect what the word embedding gives, as tensors by which gradients can be taken."""
    seen: list[torch.Tensor] = []

    def keep(module: Any, arguments: Any, rows: torch.Tensor) -> torch.Tensor:
        seen.append(rows.detach().requires_grad_())
        return seen[-1]

    base: Any = network.backbone.base
    handle = base.get_input_embeddings().register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


# ---------------------------------------------------------------------------------------------------------------------
# Occlusion.


def occlusions(network: Network, cases: Sequence[Case], *, blank: int, leave: bool) -> list[Array]:
    """What each sum loses without each word.

    Args:
        network: The model.
        cases: Any number.
        blank: The token that stands for a hidden word.
        leave: Whether words are left out. A token whose own logits count is hidden all the same: without it there
            would be none.
    """
    found = [np.zeros(case.words) for case in cases]
    tokens = network.pooling == "tokens"
    jobs: list[tuple[int, int, int]] = []  # case, window, word
    hidden: list[Window] = []
    rows: list[Array] = []
    for i, case in enumerate(cases):
        for number in case.asked:
            needed = [term.row for term in case.terms(number)] if tokens else [0]
            for word in np.unique(case.owners[number]).tolist():
                if word >= 0:
                    window, places = without(
                        case.windows[number], case.owners[number] == word, blank=blank, needed=needed, leave=leave
                    )
                    jobs.append((i, number, word))
                    hidden.append(window)
                    rows.append(places)
    for (i, number, word), after, places in zip(jobs, window_logits(network, hidden), rows, strict=True):
        for term in cases[i].terms(number):
            moved = term._replace(row=int(places[term.row]))
            found[i][word] += term.factor * (logit_of(cases[i].logits[number], term) - logit_of(after, moved))
    return found


def without(window: Window, own: Array, *, blank: int, needed: Sequence[int], leave: bool) -> tuple[Window, Array]:
    """A window in which some tokens can't be read, and the new place of each token.

    Args:
        window: The window. [n]
        own: Whether each token is one of them. [n]
        blank: The token that stands for a hidden one.
        needed: Tokens that must not be left out.
        leave: Whether the others are.
    """
    masked = replace(window, ids=np.where(own, np.int32(blank), window.ids))
    if not leave:
        return masked, np.arange(len(window))
    kept = ~own
    kept[list(needed)] = True
    parts = {name: getattr(masked, name)[kept] for name in ("ids", "types", "segments", "spans")}
    return replace(masked, **parts, core=(0, int(kept.sum()))), np.cumsum(kept) - 1
