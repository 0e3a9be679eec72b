"""The words that mattered for an answer, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from ..errors import ConfigError, printable
from ..printing import Block, Shown, Table, as_text, many, safe

METHODS = {
    "removal": "each word left out in turn",
    "mask": "each word masked in turn",
    "gradient": "gradient x input",
}
"""The methods, and what they do."""
TOP, BAR = 10, 10
"""Words that are listed for people, and signs of the longest bar."""
FAINT = 0.1
"""Words with less than this share of the largest weight are not coloured."""
FOR, AGAINST, STRONG, OFF = "\x1b[36m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
COLOURS = {True: "0,114,178", False: "213,94,0"}
"""Blue for what speaks for an answer, orange for what speaks against it: told apart by nearly everybody."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an input and its part in an answer.

    Attributes:
        start: Its first character in the text.
        end: The character after its last one.
        text: The word itself.
        weight: What it adds to the logit that is explained (of a regression, to the number). Above 0 it speaks for the
            answer, below 0 against it.
        pair: Whether it stands in the second text.
    """

    start: int
    end: int
    text: str
    weight: float
    pair: bool = False

    def record(self) -> dict[str, Any]:
        """The same for JSON; `pair` where it is true."""
        place = {"start": self.start, "end": self.end, "word": self.text, "weight": self.weight}
        return {**place, "pair": True} if self.pair else place


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Shown):
    """The words that mattered for one answer, as one method sees it. `print` lists those that mattered most.

    Attributes:
        text: The text that was read.
        label: What is explained: a label, a tag, the text of an answer, or the name of a number. None where there is
            nothing to explain: no text, or nothing found in it.
        score: The probability that the model gives it; of a regression, the number. None where it can't say.
        words: All words of the text and of the second text, in order.
        method: How the weights were found.
        logit: The sum of logits that the weights are parts of.
        pair: The second text.
        stretch: The characters [start, end) that the answer names: in the text, of `answers` in the second one.
        item: Number of the input, from 0.
        unread: Number of words that the model did not read: those behind its length limit. Their weight is 0.
    """

    text: str
    label: str | None
    score: float | None
    words: tuple[Word, ...]
    method: str
    logit: float | None = None
    pair: str | None = None
    stretch: tuple[int, int] | None = None
    item: int = 0
    unread: int = 0

    def __repr__(self) -> str:
        return f"Explanation({self.head}: {', '.join(word.text for word in self.top(3))})"

    @property
    def head(self) -> str:
        """What is explained, in a line."""
        if self.label is None:
            return "nothing to explain"
        named = "no answer" if self.label == "" else self.label
        if self.stretch is not None and self.pair is None:
            start, end = self.stretch
            named += f" {self.text[start:end]!r} ({start}-{end})"
        return named if self.score is None else f"{named} {self.score:.4f}"

    def top(self, number: int = TOP) -> list[Word]:
        """The words with the largest weights, whatever their signs."""
        ordered = sorted(self.words, key=lambda word: -abs(word.weight))
        return [word for word in ordered if word.weight][:number]

    def record(self, *, top: int | None = None) -> dict[str, Any]:
        """The same for JSON.

        Args:
            top: Number of words, those with the largest weights first; by default all in their order.
        """
        words = self.words if top is None else self.top(top)
        return {
            "item": self.item,
            "text": self.text,
            **({} if self.pair is None else {"pair": self.pair}),
            "label": self.label,
            "score": self.score,
            "logit": self.logit,
            **({} if self.stretch is None else {"start": self.stretch[0], "end": self.stretch[1]}),
            "method": self.method,
            "words": [word.record() for word in words],
            **({"unread": self.unread} if self.unread else {}),
        }

    def blocks(self) -> Iterator[Block]:
        """The texts, what is explained, and the words that matter most."""
        yield from (self.text, *([] if self.pair is None else [self.pair]))
        yield from self.listing()

    def shown(self, top: int = TOP) -> str:
        """The same as lines, with more or fewer words."""
        return "\n".join(as_text([self.text, *([] if self.pair is None else [self.pair]), *self.listing(top)]))

    def listing(self, top: int = TOP) -> Iterator[Block]:
        """What is explained, and the words that matter most."""
        yield f"{self.head}  ({METHODS[self.method]})" if self.label is not None else self.head
        chosen = self.top(top)
        largest = self.largest
        if chosen:
            rows = [[f"{word.weight:+.4f}", bar(word.weight / largest), word.text] for word in chosen]
            yield Table(["weight", "", "word"], rows)
        if self.unread:
            yield f"{many(self.unread, 'word')} behind the length limit: not read"

    @property
    def largest(self) -> float:
        """The largest weight, without its sign; 1 where there is none."""
        return max((abs(word.weight) for word in self.words), default=0.0) or 1.0

    def coloured(self, top: int = TOP) -> str:
        """The same as text for a terminal, the words coloured in their texts. Nothing of a text moves the cursor."""
        texts = [self.painted(pair=False), *([] if self.pair is None else [self.painted(pair=True)])]
        return "\n".join([*texts, *as_text(self.listing(top))])

    def painted(self, *, pair: bool) -> str:
        """A text with its words coloured for a terminal."""
        parts = []
        for piece, weight in self.pieces(pair=pair):
            share = abs(weight) / self.largest
            colour = (FOR if weight > 0 else AGAINST) + (STRONG if share >= 0.5 else "")
            parts.append(f"{colour}{safe(piece)}{OFF}" if share >= FAINT else safe(piece))
        return "".join(parts)

    def pieces(self, *, pair: bool) -> Iterator[tuple[str, float]]:
        """A text from its beginning to its end, in words with their weights and what stands between them."""
        text, at = (self.pair or "") if pair else self.text, 0
        for word in self.words:
            if word.pair == pair:
                yield text[at : word.start], 0.0
                yield word.text, word.weight
                at = word.end
        yield text[at:], 0.0

    def _repr_html_(self) -> str:
        """The texts with their words coloured, as HTML in which nothing of the user's is markup."""
        said = f"<b>{escape(safe(self.head))}</b>"
        method = f" <small>{escape(METHODS[self.method])}</small>" if self.label is not None else ""
        texts = [self.marked(pair=pair) for pair in (False, True) if not pair or self.pair is not None]
        unread = f"<small>{many(self.unread, 'word')} behind the length limit: not read</small>" if self.unread else ""
        style = 'style="white-space: pre-wrap; overflow-wrap: anywhere" dir="auto"'
        return f"<div>{said}{method}{''.join(f'<p {style}>{text}</p>' for text in texts)}{unread}</div>"

    def marked(self, *, pair: bool) -> str:
        """A text as HTML: the stronger the colour, the larger the weight, which a title says."""
        parts = []
        for piece, weight in self.pieces(pair=pair):
            share, shown = abs(weight) / self.largest, escape(safe(piece))
            if share >= FAINT:
                colour = f"rgba({COLOURS[weight > 0]},{0.55 * share:.2f})"
                shown = f'<span style="background:{colour}" title="{weight:+.4f}">{shown}</span>'
            parts.append(shown)
        return "".join(parts)


class Explanations(list[Explanation]):
    """Explanations in the order of the inputs; `print` and a notebook show them one below the other."""

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self)


def bar(share: float) -> str:
    """A weight as a bar of signs, from its share of the largest."""
    return ("+" if share > 0 else "-") * max(1, round(BAR * abs(share)))


def check_method(method: str) -> None:
    """See that there is such a method.

    Raises:
        ConfigError: there is not; lists those that there are.
    """
    if method not in METHODS:
        raise ConfigError(f"method: expected {', '.join(METHODS)}, found {printable(method)}")
