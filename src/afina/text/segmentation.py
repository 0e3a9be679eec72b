"""Words of raw text, cut as the words of the training data were.

Words of training data show which signs stand inside words: `ana@mail.com` and `12.50` as one word say that `@` between
letters and `.` between letters or digits are inside, `'s` that an apostrophe goes with what follows it, and a `.` at
the end of sentences that there it is a word of its own. For each sign and what stands beside it the most frequent of
the four possibilities is learned. Words that these rules would cut (`Mr.`, `:-)`) are kept in a list.

What can't be learned is how the raw text was written, as words come without the blanks that were or were not between
them. A blank always separates words; where training words were cut with nothing to see (`do` `n't`), raw text is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self

from ..printing import many
from .characters import starts

RUN = re.compile("[^\\s\u200b]+")
"""What stands between blanks. The zero-width space separates words, where there is no blank to see."""
APART, LEFT, RIGHT, INSIDE = "apart", "left", "right", "inside"
"""How a sign stands: as a word of its own, glued to what precedes it, to what follows it, or to both."""
OUTCOMES = {(False, False): APART, (True, False): LEFT, (False, True): RIGHT, (True, True): INSIDE}
ALIKE = {"’": "'", "‐": "-", "‑": "-"}
"""Signs that are written for one another: the curly apostrophe, the hyphens of Unicode."""
CLOSING, OPENING = frozenset(".,;:!?…%"), frozenset("¿¡")
"""Signs that, as words of their own, are followed (or preceded) by a blank in raw text, like brackets of that side."""
UNSPACED = {
    "CJK": "cjk", "IDEOGRAPHIC": "cjk", "HIRAGANA": "cjk", "KATAKANA": "cjk",
    "THAI": "thai", "LAO": "lao", "KHMER": "khmer", "MYANMAR": "myanmar",
}  # fmt: skip
"""Scripts that are written without blanks, by the first word of the names of their characters."""
UNSPACED_FROM = re.compile("[\u0e00-\U0010ffff]")
"""All of them come after most letters of scripts that are written with blanks."""
KINDS = frozenset({"letter", "initial", "digit", *UNSPACED.values()})
"""Kinds of characters that are no signs. An initial is a capital that stands alone between signs or blanks."""
COMMON, LISTED, LONGEST = 2, 5000, 12
"""A word of the list occurs so often, there are so many at most, and they have so many pieces at most."""


class Segmentation:
    """Cuts raw text into words.

    Args:
        characters: Kinds whose characters are words of their own (`cjk`, `thai`, `digit` ...).
        signs: For each sign, by what stands at its left and right, how it stands.
        words: Words that stay whole, though the rules would cut them.
    """

    def __init__(
        self,
        *,
        characters: Iterable[str] = (),
        signs: Mapping[str, Mapping[str, str]] | None = None,
        words: Iterable[str] = (),
    ) -> None:
        self.characters = frozenset(characters)
        self.signs = {sign: dict(rules) for sign, rules in (signs or {}).items()}
        self.listed = frozenset(words)
        self.cut = lru_cache(maxsize=1 << 16)(self.pieces)

    @classmethod
    def learn(cls, sentences: Sequence[Sequence[str]]) -> Self:
        """The segmentation of training words.

        Args:
            sentences: The words of each, in order.
        """
        runs = [[run for word in sentence for run in RUN.findall(word)] for sentence in sentences]
        rules = cls(characters=single_characters(runs), signs=sign_rules(runs))
        return cls(characters=rules.characters, signs=rules.signs, words=kept_whole(runs, rules))

    def to_json(self) -> dict[str, Any]:
        """The rules as JSON values, for `from_json`."""
        return {"characters": sorted(self.characters), "signs": self.signs, "words": sorted(self.listed)}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(characters=tree["characters"], signs=tree["signs"], words=tree["words"])

    def words(self, text: str) -> tuple[tuple[int, int], ...]:
        """Character spans of the words of a raw text."""
        return tuple(
            (run.start() + start, run.start() + end)
            for run in RUN.finditer(text)
            for start, end in self.cut(run.group())
        )

    def again(self, text: str, words: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """The words that a text of known words is cut into when it is read as raw text.

        Blanks between words of scripts that are written without blanks are not seen.

        Args:
            text: Words joined by blanks.
            words: The character span of each.

        Returns:
            Character spans in the same text.
        """
        if not UNSPACED_FROM.search(text):
            return self.words(text)
        glued, places = "", []
        for i, (start, end) in enumerate(words):
            if i and not (unspaced(text[start : start + 1]) and unspaced(glued[-1:])):
                glued += " "
                places.append(start - 1)
            glued += text[start:end]
            places += range(start, end)
        return tuple((places[start], places[end - 1] + 1) for start, end in self.words(glued))

    def pieces(self, run: str) -> tuple[tuple[int, int], ...]:
        """Spans of the words of a text without blanks."""
        borders = [*self.borders(run), len(run)]
        found, i = [], 0
        while i < len(borders) - 1:
            j = min(i + LONGEST, len(borders) - 1) if self.listed else i + 1
            while j > i + 1 and run[borders[i] : borders[j]] not in self.listed:
                j -= 1
            found.append((borders[i], borders[j]))
            i = j
        return tuple(found)

    def borders(self, run: str) -> Iterator[int]:
        """Where words begin in a text without blanks by the rules alone."""
        units = units_of(run)
        kinds = kinds_of(run, units)
        beside = ["blank", *kinds, "blank"]
        stands = ["" if kind in KINDS else self.how(kind, beside[i], beside[i + 2]) for i, kind in enumerate(kinds)]
        for i, unit in enumerate(units):
            if i == 0 or not self.joined(kinds[i - 1 : i + 1], stands[i - 1 : i + 1]):
                yield unit

    def how(self, sign: str, left: str, right: str) -> str:
        """How a sign stands between two kinds."""
        return known_of(self.signs.get(sign, {}), around(left, right))

    def joined(self, kinds: Sequence[str], stands: Sequence[str]) -> bool:
        """Whether two neighbours belong to one word. Each sign of them must be glued to the other."""
        if stands[0] == "" == stands[1]:
            return self.characters.isdisjoint("letter" if kind == "initial" else kind for kind in kinds)
        return stands[0] in ("", RIGHT, INSIDE) and stands[1] in ("", LEFT, INSIDE)

    def __str__(self) -> str:
        """The most important rules in one line."""
        inside = sorted(sign for sign, rules in self.signs.items() if rules.get("word word") == INSIDE)
        parts = [f"{' '.join(inside)} stand inside words" if inside else "signs are words of their own"]
        parts += [f"each character of {kind} is a word" for kind in sorted(self.characters)]
        parts += (
            [f"kept whole: {many(len(self.listed), 'word')} with signs or several characters"] if self.listed else []
        )
        return "; ".join(parts)


def units_of(run: str) -> list[int]:
    """Where the units begin that no segmentation cuts: characters with their marks and zero-width neighbours."""
    return [i for i in starts(run) if i == 0 or unicodedata.category(run[i]) != "Cf"]


def kinds_of(run: str, units: Sequence[int]) -> list[str]:
    """The kind of each unit: `letter`, `initial`, `digit`, a script without blanks, or the sign itself."""
    kinds = [kind_of(run[i]) for i in units]
    beside = ["", *kinds, ""]
    return [
        "initial"
        if kind == "letter" and run[units[i]].isupper() and KINDS.isdisjoint((beside[i], beside[i + 2]))
        else kind
        for i, kind in enumerate(kinds)
    ]


@lru_cache(maxsize=1 << 16)
def kind_of(character: str) -> str:
    """The kind of a character. All currency signs are alike, and so are all pictures."""
    category = unicodedata.category(character)
    if character.isalnum():
        script = UNSPACED.get(re.split("[ -]", unicodedata.name(character, ""))[0])
        return script or ("digit" if category[0] == "N" else "letter")
    if character == "_" or category[0] in "MC":
        return "letter"
    return {"Sc": "currency", "So": "picture"}.get(category) or ALIKE.get(character, character)


def coarse(kind: str) -> str:
    """`word`, `blank` or `sign`."""
    if kind in KINDS or kind == "word":
        return "word"
    return "blank" if kind == "blank" else "sign"


def around(left: str, right: str) -> list[str]:
    """Names of what stands around a sign, the most exact first. Where nothing is known, other signs are like blanks."""
    rough = coarse(left), coarse(right)
    bare = ["blank" if kind == "sign" else kind for kind in rough]
    return [f"{left} {right}", " ".join(rough), " ".join(bare)]


def exactness(left: str, right: str) -> tuple[bool, bool]:
    """Whether a rule is for particular kinds, and whether for signs: the general ones come first."""
    exact, rough, bare = around(left, right)
    return exact != rough, rough != bare


def known_of(rules: Mapping[str, str], names: Sequence[str]) -> str:
    """How a sign stands by the first of its rules that there is."""
    return next((rules[name] for name in names if name in rules), APART)


def unspaced(character: str) -> bool:
    """Whether a character belongs to a script that is written without blanks."""
    return character != "" and kind_of(character) in UNSPACED.values()


# ---------------------------------------------------------------------------------------------------------------------
# What training words show.


@lru_cache(maxsize=1 << 16)
def seen_in(word: str) -> tuple[str, ...]:
    """The kinds of a word's units."""
    return tuple(kinds_of(word, units_of(word)))


def single_characters(sentences: Sequence[Sequence[str]]) -> set[str]:
    """Kinds whose characters are words of their own.

    A script without blanks is cut where its neighbours are more often two words than parts of one. Of other scripts,
    whose words blanks separate, that proves nothing: letters and digits are cut only beside such a script, and where
    hardly any word holds two.
    """
    joined: Counter[str] = Counter()
    apart: Counter[str] = Counter()
    for words in sentences:
        edges = [(kinds[0], kinds[-1]) for kinds in map(seen_in, words)]
        apart.update(last for (_, last), (first, _) in pairwise(edges) if last == first)
    for word, count in Counter(word for words in sentences for word in words).items():
        for one, other in pairwise(seen_in(word)):
            joined[one] += count * (one == other)
    apart["letter"] += apart["initial"]  # a single capital is a letter that stands alone
    cut = {kind for kind in set(UNSPACED.values()) if apart[kind] > joined[kind]}
    return cut | {kind for kind in ("letter", "digit") if cut and apart[kind] > 20 * joined[kind]}


def sign_rules(sentences: Sequence[Sequence[str]]) -> dict[str, dict[str, str]]:
    """How each sign stands between what: the most frequent outcome, where it differs from what is known without it."""
    seen: Counter[tuple[str, tuple[str, ...], str]] = Counter()
    for words in sentences:
        kinds = [("blank",), *map(seen_in, words), ("blank",)]
        seen.update(
            (kinds[i - 1][-1], kinds[i], kinds[i + 1][0])
            for i in range(1, len(kinds) - 1)
            if not KINDS.issuperset(kinds[i])
        )
    counts: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for (before, word, after), count in seen.items():
        for sign, lefts, rights, how in sightings(word, before, after):
            exact = {(left, right) for left in lefts for right in rights}
            for left, right in exact | {(coarse(left), coarse(right)) for left, right in exact}:
                counts[sign, left, right][how] += count
    rules: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for sign, left, right in sorted(counts, key=lambda key: (*exactness(*key[1:]), key)):
        names, how = around(left, right), most_common(counts[sign, left, right])
        if how != known_of(rules[sign], names):
            rules[sign][names[0]] = how
    return {sign: own for sign, own in rules.items() if own}


def sightings(word: Sequence[str], before: str, after: str) -> Iterator[tuple[str, set[str], set[str], str]]:
    """The signs of a training word: each with what may stand at its sides in raw text, and how it stands.

    Beside a sign at the edge of a word, raw text may have the next word, or a blank. After a full stop and its kind it
    is a blank, unless a sign follows; so `end .` `Next` does not speak against the stop inside `mail.com`.

    Args:
        word: Kinds of its units.
        before, after: Kinds of the neighbours in the next words, or `blank`.
    """
    neighbours = [before, *word, after]
    for i, sign in enumerate(word):
        if sign in KINDS:
            continue
        first, last = i == 0, i + 1 == len(word)
        left = edge(neighbours[i], spaced=opens(sign)) if first else {neighbours[i]}
        right = edge(neighbours[i + 2], spaced=closes(sign)) if last else {neighbours[i + 2]}
        yield sign, left, right, OUTCOMES[not first, not last]


def edge(neighbour: str, *, spaced: bool) -> set[str]:
    """What may stand in raw text between a sign and the next word: that word, or a blank."""
    return {"blank"} if spaced and neighbour in KINDS else {"blank", neighbour}


def closes(sign: str) -> bool:
    """Whether a blank follows a sign that stands apart."""
    return sign in CLOSING or (len(sign) == 1 and unicodedata.category(sign) in ("Pe", "Pf"))


def opens(sign: str) -> bool:
    """Whether a blank precedes a sign that stands apart."""
    return sign in OPENING or (len(sign) == 1 and unicodedata.category(sign) in ("Ps", "Pi"))


def most_common(counts: Mapping[str, int]) -> str:
    """The most frequent outcome; of equally frequent ones the first of `OUTCOMES`."""
    return max(OUTCOMES.values(), key=lambda how: counts.get(how, 0))


def kept_whole(sentences: Sequence[Sequence[str]], rules: Segmentation) -> list[str]:
    """The most frequent training words that the rules cut, where their pieces are seldom words of their own."""
    counts = Counter(word for words in sentences for word in words)
    cut = {word: rules.cut(word) for word in counts if counts[word] >= COMMON}
    cut = {word: pieces for word, pieces in cut.items() if 1 < len(pieces) <= LONGEST}
    firsts = {word[slice(*pieces[0])] for word, pieces in cut.items()}
    longest = max(map(len, cut.values()), default=0)
    apart: Counter[str] = Counter()
    for words in sentences:
        for i, word in enumerate(words):
            if word in firsts:
                apart.update("".join(words[i:j]) for j in range(i + 2, min(i + longest, len(words)) + 1))
    kept = [word for word in cut if counts[word] > apart[word]]
    return sorted(kept, key=lambda word: (-counts[word], word))[:LISTED]
