"""Tokenize examples into windows of tokens with their character spans."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..records import Example, Features, Ints, Window
from . import characters

CHUNK = 1024
"""Number of texts per call of the tokenizer."""
STRUCTURAL = ("cls", "sep", "pad", "mask", "bos", "eos", "unk")
"""The special tokens that give a window its form, or stand for something else. Written in a text they are text."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The n tokens of one text, without special tokens.

    Attributes:
        ids: Vocabulary ids. [n]
        spans: Character spans [start, end) in the text, without blanks at their edges; a letter goes with all its
            marks, so tokens that share one overlap. [n, 2]
    """

    ids: Ints
    spans: Ints

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, end: int) -> Tokens:
        """The tokens from `start` up to `end`."""
        return Tokens(self.ids[start:end], self.spans[start:end])


@dataclass(frozen=True, slots=True)
class Template:
    """The special tokens of a family: `before text after`, or `before text between pair after`.

    Attributes:
        before, between, after: Vocabulary id and token type of each special token. [k, 2]
        types: Token types of the text and of the second text.
    """

    before: Ints
    between: Ints
    after: Ints
    types: tuple[int, int]

    @property
    def size(self) -> int:
        """Number of special tokens in a window."""
        return len(self.before) + len(self.between) + len(self.after)


class Tokenizer:
    """Turns texts and pairs into windows, for one tokenizer and one length.

    Args:
        pretrained: A fast tokenizer of transformers.
        max_length: Largest number of tokens of a window, special tokens included.

    Raises:
        ConfigError: `max_length` leaves no room for text.
    """

    def __init__(self, pretrained: Any, max_length: int) -> None:
        self.pretrained = pretrained
        self.max_length = max_length
        pretrained.backend_tokenizer.no_truncation()
        pretrained.backend_tokenizer.no_padding()
        self.backend = literal(
            pretrained.backend_tokenizer, {getattr(pretrained, f"{name}_token") for name in STRUCTURAL}
        )
        ids = {getattr(pretrained, f"{name}_token_id") for name in STRUCTURAL}
        self.special = frozenset(ids - {None, pretrained.unk_token_id})
        self.single = template(self.backend, pair=False)
        self.double = template(self.backend, pair=True)
        self.trims = any("a b c"[s:e] != "a b c"[s:e].strip() for s, e in self.backend.encode("a b c").offsets)
        if max_length < self.double.size + 4:
            raise ConfigError(f"model.max_length: {max_length} tokens leave no room for text; give at least 16")

    @cached_property
    def rows(self) -> int:
        """Number of rows that an embedding of all tokens has, the mask aside: no window holds it."""
        return 1 + max(int(i) for i in self.backend.get_vocab().values() if i != self.pretrained.mask_token_id)

    @property
    def pad(self) -> int:
        """Vocabulary id of padded places. The model never attends to them."""
        return int(self.pretrained.pad_token_id or 0)

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenize texts in one batch."""
        encoded = self.backend.encode_batch(list(texts), add_special_tokens=False)
        tokens = []
        for text, encoding in zip(texts, encoded, strict=True):
            ids, offsets = encoding.ids, encoding.offsets
            if not self.special.isdisjoint(ids):
                ids, offsets = self.spelled(text, ids, offsets)
            spans = np.array(offsets, np.int32).reshape(-1, 2)
            spans = characters.whole(text, trimmed(text, spans) if self.trims else spans)
            tokens.append(Tokens(np.array(ids, np.int32), spans))
        return tokens

    def spelled(
        self, text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]]
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids and spans with each structural token replaced by the tokens of its characters.

        A unigram vocabulary holds `</s>` as a piece like any other, so the tokenizer finds it in a text that spells it.
        """
        pairs: list[tuple[int, tuple[int, int]]] = []
        for token, (start, end) in zip(ids, offsets, strict=True):
            if token not in self.special:
                pairs.append((token, (start, end)))
                continue
            for place in range(start, end):
                known = self.backend.token_to_id(text[place])
                own = self.pretrained.unk_token_id if known is None or known in self.special else known
                pairs += [] if own is None else [(own, (place, place + 1))]
        return [token for token, _ in pairs], [span for _, span in pairs]

    def encode(self, examples: Iterable[Example], *, slides: bool = False, overlap: int = 64) -> list[Features]:
        """Encode examples as features.

        Args:
            examples: Texts or pairs.
            slides: Whether to give overlapping windows that together hold every token, instead of one truncated window.
                For pairs, the second text is windowed and the first is repeated.
            overlap: Number of tokens that neighbouring windows share, at most half a window.
        """
        features: list[Features] = []
        for chunk in chunks(examples, CHUNK):
            firsts = self.tokens([example.text for example in chunk])
            paired = [i for i, example in enumerate(chunk) if example.pair is not None]
            seconds = dict(zip(paired, self.tokens([chunk[i].pair or "" for i in paired]), strict=True))
            for i, first in enumerate(firsts):
                second = seconds.get(i)
                features.append(self.slide(first, second, overlap) if slides else self.truncate(first, second))
        return features

    def truncate(self, text: Tokens, pair: Tokens | None) -> Features:
        """One window. A text that is too long loses its end; of two, the longer loses first and both keep some."""
        if pair is None:
            room = self.max_length - self.single.size
            return Features((self.window(text.part(0, room), None),), max(0, len(text) - room))
        a, b = shares(len(text), len(pair), self.max_length - self.double.size)
        return Features((self.window(text.part(0, a), pair.part(0, b)),), len(text) + len(pair) - a - b)

    def slide(self, text: Tokens, pair: Tokens | None, overlap: int) -> Features:
        """Windows that overlap and together hold every token; for pairs, every token of the second text.

        The first text of a pair is repeated and takes at most half a window, which leaves room for the second; its
        truncated tokens are counted.
        """
        if pair is None:
            spread = steps(len(text), self.max_length - self.single.size, overlap)
            return Features(tuple(self.window(text.part(s, e), None, core) for s, e, core in spread))
        room = self.max_length - self.double.size
        share = min(len(text), max(room // 2, room - len(pair)))
        spread = steps(len(pair), room - share, overlap)
        fixed = text.part(0, share)
        return Features(tuple(self.window(fixed, pair.part(s, e), core) for s, e, core in spread), len(text) - share)

    def window(self, text: Tokens, pair: Tokens | None, core: tuple[int, int] | None = None) -> Window:
        """A window of the given tokens with their special tokens.

        Args:
            text: Tokens of the text. [a]
            pair: Tokens of the second text, or None. [b]
            core: Range of tokens whose predictions are taken from this window, in the second text of a pair or else in
                the text; all by default.
        """
        form = self.single if pair is None else self.double
        pieces = [special(form.before), plain(text, form.types[0], 0)]
        if pair is not None:
            pieces += [special(form.between), plain(pair, form.types[1], 1)]
        start = sum(map(len, pieces[:-1]))
        moving = text if pair is None else pair
        first, last = core or (0, len(moving))
        table = np.concatenate([*pieces, special(form.after)])
        return Window(table[:, 0], table[:, 1], table[:, 2], table[:, 3:], (start + first, start + last))


def literal(backend: Any, structural: Collection[str | None]) -> Any:
    """A tokenizer that reads structural tokens in a text as text, so that `[SEP]` can't forge a second segment.

    All other added tokens (`[E1]`) are tokens, special or not. The tokenizer leaves special ones alone all together, so
    those that are not structural are ordinary ones in a copy; the given tokenizer is saved as it was.

    Args:
        backend: A tokenizer of tokenizers.
        structural: Structural tokens as they are written.
    """
    added = backend.get_added_tokens_decoder().values()
    if any(token.special and token.content not in structural for token in added):
        tree = json.loads(backend.to_str())
        for token in tree["added_tokens"]:
            token["special"] &= token["content"] in structural
        backend = type(backend).from_str(json.dumps(tree))
    backend.encode_special_tokens = True
    return backend


def special(tokens: Ints) -> Ints:
    """Special tokens as rows of a window: id, type, segment -1, span (0, 0). [k, 5]"""
    table = np.zeros((len(tokens), 5), np.int32)
    table[:, :2] = tokens
    table[:, 2] = -1
    return table


def plain(tokens: Tokens, kind: int, segment: int) -> Ints:
    """Tokens of a text as rows of a window: id, type, segment, span. [n, 5]"""
    table = np.empty((len(tokens), 5), np.int32)
    table[:, 0] = tokens.ids
    table[:, 1] = kind
    table[:, 2] = segment
    table[:, 3:] = tokens.spans
    return table


def template(backend: Any, *, pair: bool) -> Template:
    """The special tokens of a tokenizer, found by encoding a probe."""
    probe = backend.encode("a", "a") if pair else backend.encode("a")
    lines = np.array(list(zip(probe.ids, probe.type_ids, strict=True)), np.int32).reshape(-1, 2)
    owner = np.array([-1 if sequence is None else sequence for sequence in probe.sequence_ids])
    text = np.flatnonzero(owner == 0)
    last = np.flatnonzero(owner == 1) if pair else text
    none = np.zeros((0, 2), np.int32)
    return Template(
        before=lines[: text[0]],
        between=lines[text[-1] + 1 : last[0]] if pair else none,
        after=lines[last[-1] + 1 :],
        types=(int(lines[text[0], 1]), int(lines[last[0], 1])),
    )


def shares(a: int, b: int, room: int) -> tuple[int, int]:
    """Number of tokens that each text of a pair keeps. The longer is truncated first, and neither is dropped.

    >>> shares(10, 4, 12), shares(100, 3, 10), shares(50, 60, 20)
    ((8, 4), (7, 3), (10, 10))
    """
    if a + b <= room:
        return a, b
    half = room // 2
    if a <= half:
        return a, room - a
    if b <= room - half:
        return room - b, b
    return half, room - half


def steps(n: int, room: int, overlap: int) -> list[tuple[int, int, tuple[int, int]]]:
    """Windows over n tokens: start, end, and the core, which holds the tokens with most context in this window.

    The cores tile [0, n). The border between two cores lies in the middle of the overlap of their windows. Cores are
    relative to the start of the window.

    >>> steps(10, 6, 2)
    [(0, 6, (0, 5)), (4, 10, (1, 6))]
    """
    if n <= room:
        return [(0, n, (0, n))]
    stride = room - min(overlap, room // 2)
    starts = [*range(0, n - room, stride), n - room]
    ends = [start + room for start in starts]
    borders = [0, *((start + end + 1) // 2 for start, end in zip(starts[1:], ends[:-1], strict=True)), n]
    return [
        (start, end, (borders[i] - start, borders[i + 1] - start))
        for i, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def trimmed(text: str, spans: Ints) -> Ints:
    """Spans without the blanks that some byte-level tokenizers include in a token. [n, 2]"""
    for span in spans:
        start, end = int(span[0]), int(span[1])
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        span[:] = start, end
    return spans


def chunks(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """Lists of at most `size` items, in order."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk
