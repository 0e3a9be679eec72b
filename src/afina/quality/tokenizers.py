"""What a tokenizer does to texts: characters that it loses, words that become equal, words in pieces, unknown tokens.

Everything is measured on the user's own texts, with the tokenizer as it is: words are equal for a model
where they have the same tokens, whatever normaliser or vocabulary makes them so. Of many texts an evenly spread sample
is measured.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np

from ..errors import printable
from ..printing import many
from ..records import Example
from ..tasks.base import Task
from ..text.characters import starts
from ..text.languages import LANGUAGES, guess_language
from ..text.segmentation import unspaced
from ..text.tokenization import Tokenizer, Tokens, chunks
from ..text.words import INITIAL, WORD
from .findings import SHOWN, Finding

TEXTS, CHARACTERS = 5_000, 1_000_000
"""Examples and characters of a split that are measured at most."""
CHUNK = 1024
"""Texts whose tokens are in memory at once."""
UNKNOWN_SHARE = 0.01
"""Share of unknown tokens from which a tokenizer does not know the language."""
FERTILE = 1.8
"""Tokens a word from which a tokenizer was made for another language. Those made for a language need 1.1 to 1.6 in it
(Rust et al. 2021, "How Good is Your Tokenizer?", figure 2)."""
SPLIT_SHARE = 0.1
"""Share of tokens that are parts of a character from which a tokenizer does not know the script."""
MERGED_SHARE = 0.005
"""Share of words that are read as another, more frequent word, from which this is likely to cost."""
TELLING = 0.3
"""How much more often words of entities begin with a capital than other words, where capitals tell them apart."""
BRIEF = ("fertility", "lost-characters", "unknown-tokens")
"""Notes that a line about a tokenizer has, where nothing warns."""
CURE = "; `afina models "
"""How a cure begins."""
FEWEST = 20
"""Words by which that is judged at least."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Words that have the same tokens.

    Attributes:
        words: The words, the most frequent first.
        counts: How often each occurs.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def hidden(self) -> int:
        """Number of occurrences that are read as the most frequent of the words."""
        return sum(self.counts[1:])

    def __str__(self) -> str:
        return " = ".join(self.words[:3])


@dataclass
class Effect:
    """What a tokenizer does to some texts.

    Attributes:
        examples: Number of the examples.
        tokens: Number of their tokens.
        unknown: Unknown tokens by what stands in the text for them.
        parts: Tokens that are one of several of a character, by the character.
        speechless: Places of examples that have no known token.
        words: How often each word occurs.
        inner: The same without the words that begin a sentence.
        named: How often each word occurs in entities, without the words that begin a sentence.
        pieces: Tokens of each word; empty for a word with unknown ones.
        lost: Characters that the tokenizer changes or drops, by how, with their number.
    """

    examples: int = 0
    tokens: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    speechless: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    inner: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    pieces: dict[str, tuple[int, ...]] = field(default_factory=dict)
    lost: dict[str, Counter[str]] = field(default_factory=dict)

    @cached_property
    def fertility(self) -> float:
        """Tokens a word, of known words in scripts that are written with blanks; 0 where there is none."""
        counts = [
            (self.words[word], len(ids)) for word, ids in self.pieces.items() if ids and not any(map(unspaced, word))
        ]
        return sum(count * pieces for count, pieces in counts) / max(1, sum(count for count, _ in counts))

    @property
    def folds(self) -> bool:
        """Whether the tokenizer reads capitals as small letters."""
        return bool(self.lost.get("case"))


# ---------------------------------------------------------------------------------------------------------------------
# Measure.


def measure(task: Task, examples: Sequence[Example], *, tokenizer: Tokenizer) -> Effect:
    """What a tokenizer does to the texts of some examples."""
    effect = Effect(examples=len(examples))
    characters: Counter[str] = Counter()
    for chunk in chunks(examples, CHUNK):
        both = [(example, text) for example in chunk for text in (example.text, example.pair) if text is not None]
        known: Counter[int] = Counter()
        for (example, text), tokens in zip(both, tokenizer.tokens([text for _, text in both]), strict=True):
            known[id(example)] += count_tokens(effect, text, tokens, unknown=tokenizer.pretrained.unk_token_id)
            characters.update(text)
            effect.words.update(WORD.findall(text))
            effect.inner.subtract(match[1] for match in INITIAL.finditer(text))
        effect.speechless += [example.place for example in chunk if not known[id(example)]]
        for example in chunk:
            effect.named.update(words_within(example.text, task.gold_spans(example)))
    effect.inner.update(effect.words)
    effect.pieces = pieces_of(effect.words, tokenizer=tokenizer)
    effect.lost = lost(characters, tokenizer=tokenizer)
    return effect


def sample(examples: Sequence[Example]) -> Sequence[Example]:
    """Evenly spread examples, few enough to be measured in seconds; all of them where they are few."""
    size = sum(len(example.text) + len(example.pair or "") for example in examples)
    number = min(len(examples), TEXTS, max(1, len(examples) * CHARACTERS // max(1, size)))
    return [examples[i * len(examples) // number] for i in range(number)]


def count_tokens(effect: Effect, text: str, tokens: Tokens, *, unknown: int | None) -> int:
    """Count the tokens of a text; returns the number of known ones."""
    effect.tokens += len(tokens)
    strange = np.zeros(len(tokens), bool) if unknown is None else tokens.ids == unknown
    for start, end in tokens.spans[strange].tolist():
        effect.unknown[text[start:end]] += 1
    if len(tokens) > 1:
        again = (np.diff(tokens.spans, axis=0) == 0).all(axis=1)
        for start, end in tokens.spans[1:][again].tolist():
            character = text[start:end]
            if character and len(starts(character)) == 1:
                effect.parts[character] += 1
    return len(tokens) - int(strange.sum())


def words_within(text: str, spans: Iterable[tuple[int, int]]) -> list[str]:
    """The words of a text that stand in spans, without those that begin a sentence."""
    ranges = list(spans)
    if not ranges:
        return []
    first = {match.start(1) for match in INITIAL.finditer(text)}
    return [
        match[0]
        for match in WORD.finditer(text)
        if match.start() not in first and any(start <= match.start() < end for start, end in ranges)
    ]


def pieces_of(words: Iterable[str], *, tokenizer: Tokenizer) -> dict[str, tuple[int, ...]]:
    """Ids of the tokens of each text behind a blank; empty where one of them is unknown."""
    found = {}
    for chunk in chunks(words, CHUNK):
        for word, tokens in zip(chunk, tokenizer.tokens([f" {word}" for word in chunk]), strict=True):
            ids = tuple(tokens.ids.tolist())
            found[word] = () if tokenizer.pretrained.unk_token_id in ids else ids
    return found


def lost(characters: Mapping[str, int], *, tokenizer: Tokenizer) -> dict[str, Counter[str]]:
    """Characters that have the tokens of a plainer one, or none, by what is lost: `case`, `accents`, `all`."""
    shown = [character for character in characters if not character.isspace()]
    plainer = {one for character in shown for one in (character.lower(), accentless(character))}
    pieces = pieces_of(sorted({*shown, *plainer}), tokenizer=tokenizer)
    nothing = pieces_of([""], tokenizer=tokenizer)[""]
    unknown = tokenizer.pretrained.unk_token_id
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for character in shown:
        ids = pieces[character]
        if ids == nothing and not any(token == unknown for token in tokenizer.tokens([f" {character}"])[0].ids):
            mark = unicodedata.category(character)[0] == "M"  # an accent that stands behind its letter
            found["accents" if mark else "all"][f"◌{character}" if mark else character] = characters[character]
        for kind, other in (("case", character.lower()), ("accents", accentless(character))):
            if ids and other != character and pieces[other] == ids:
                found[kind][character] = characters[character]
    return dict(found)


@lru_cache(maxsize=1 << 16)
def accentless(text: str) -> str:
    """A text without its accents and other marks above, below or through letters.

    >>> accentless("avó, São")
    'avo, Sao'
    """
    return "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one) != "Mn")


def merges(effect: Effect) -> tuple[list[Merge], list[Merge]]:
    """Words with equal tokens: those that differ in more than case, and those that differ in case alone.

    Of the second, words that begin a sentence are left out. Those that hide most occurrences come first.
    """
    groups: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for word, ids in effect.pieces.items():
        if ids:
            groups[ids].append(word)
    words, cases = [], []
    for group in groups.values():
        if len(group) > 1:
            folded: defaultdict[str, Counter[str]] = defaultdict(Counter)
            inner: defaultdict[str, Counter[str]] = defaultdict(Counter)
            for word in group:
                plain = unicodedata.normalize("NFC", word)
                folded[plain.casefold()][plain] += effect.words[word]
                inner[plain.casefold()][plain] += effect.inner[word]
            words += merged({forms.most_common(1)[0][0]: forms.total() for forms in folded.values()})
            cases += [one for forms in inner.values() for one in merged(forms)]
    return sorted(words, key=lambda one: -one.hidden), sorted(cases, key=lambda one: -one.hidden)


def merged(counts: Mapping[str, int]) -> list[Merge]:
    """Words as one merge; none where fewer than two occur."""
    present = sorted(((word, count) for word, count in counts.items() if count > 0), key=lambda pair: -pair[1])
    if len(present) < 2:
        return []
    return [Merge(tuple(word for word, _ in present), tuple(count for _, count in present))]


# ---------------------------------------------------------------------------------------------------------------------
# Say.


def tokenizer_findings(task: Task, splits: Mapping[str, Sequence[Example]], *, tokenizer: Tokenizer) -> list[Finding]:
    """What a tokenizer does to the texts of a run, the training data first.

    Of the other splits only warnings are told, of kinds that the training data do not have.

    Args:
        task: Fitted to the training data.
        splits: Examples by split.
        tokenizer: Of the model.
    """
    found: list[Finding] = []
    for name, examples in splits.items():
        some = sample(examples)
        effect = measure(task, some, tokenizer=tokenizer)
        where = name if len(some) == len(examples) else f"{name} ({len(some):,} of {len(examples):,} examples)"
        told = {one.code for one in found if one.severity == "warning"}
        found += [
            replace(one, message=f"{where}: {one.message}" + (cure_for(effect) if cured(one) else ""))
            for one in findings_of(effect)
            if name == "train" or (one.severity == "warning" and one.code not in told)
        ]
    return found


def cured(finding: Finding) -> bool:
    """Whether another encoder is the cure."""
    return finding.severity == "warning" and finding.code != "no-tokens"


def summary(findings: Sequence[Finding]) -> list[tuple[str, Literal["warning", "info"]]]:
    """The findings of `tokenizer_findings` in one line, with its level: the warnings, or else what is most telling.

    There is no line where there is no finding.
    """
    warnings = [one for one in findings if one.severity == "warning"]
    chosen = warnings or [one for one in findings if one.code in BRIEF] or findings
    parts = [one.message.partition(CURE) for one in chosen]
    if not parts:
        return []
    where = parts[0][0].partition(": ")[0] + ": "
    first, *others = (head.removeprefix(where) for head, _, _ in parts)
    line = where + "; ".join([first, *(re.sub("^the tokenizer", "it", other) for other in others)])
    cure = next((sign + cure for _, sign, cure in parts if cure), "")
    return [(line + cure, "warning" if warnings else "info")]


def findings_of(effect: Effect) -> list[Finding]:
    """All that there is to say of an effect, without where and without a cure."""
    words, cases = merges(effect)
    return [
        *pieces_found(effect),
        *unknown_found(effect),
        *losses_found(effect),
        *words_found(effect, words),
        *case_found(effect, cases),
    ]


def pieces_found(effect: Effect) -> list[Finding]:
    """Tokens a word, and characters in several tokens."""
    found = []
    if effect.fertility:
        message = f"the tokenizer makes {effect.fertility:.1f} tokens of a word"
        if effect.fertility > FERTILE:
            long = max(effect.words, key=lambda word: (len(effect.pieces[word]) > 2) * effect.words[word])
            message += f", {len(effect.pieces[long])} of {printable(long, 30)}"
        found.append(Finding("warning" if effect.fertility > FERTILE else "note", "fertility", message))
    count = effect.parts.total()
    share = count / max(1, effect.tokens)
    if share > UNKNOWN_SHARE:
        message = f"{share:.0%} of the tokens are no more than a part of a character ({examples_of(effect.parts)})"
        found.append(Finding("warning" if share > SPLIT_SHARE else "note", "split-characters", message, count))
    return found


def unknown_found(effect: Effect) -> list[Finding]:
    """Unknown tokens, and texts that have no other."""
    found = []
    if effect.unknown:
        count = effect.unknown.total()
        share = count / effect.tokens
        message = f"{share:.1%} of the tokens are unknown to the tokenizer ({examples_of(effect.unknown)})"
        found.append(Finding("warning" if share > UNKNOWN_SHARE else "note", "unknown-tokens", message, count))
    if effect.speechless:
        count = len(effect.speechless)
        message = f"{many(count, 'example')} without any token that the tokenizer knows"
        found.append(Finding("warning", "no-tokens", message, count, tuple(effect.speechless[:SHOWN])))
    return found


def losses_found(effect: Effect) -> list[Finding]:
    """Kinds of characters that are lost."""
    parts = []
    if "accents" in effect.lost:
        parts.append(f"strips accents ({examples_of(effect.lost['accents'])})")
    if effect.folds:
        parts.append("does not see capitals")
    if "all" in effect.lost:
        signs = ", ".join(f"U+{ord(one):04X}" for one, _ in effect.lost["all"].most_common(3))
        parts.append(f"drops {many(effect.lost['all'].total(), 'character')} ({signs})")
    count = sum(characters.total() for characters in effect.lost.values())
    return [Finding("note", "lost-characters", f"the tokenizer {', '.join(parts)}", count)] if parts else []


def words_found(effect: Effect, words: Sequence[Merge]) -> list[Finding]:
    """Distinct words that the tokenizer makes equal."""
    if not words:
        return []
    share = sum(one.hidden for one in words) / effect.words.total()
    distinct = sum(len(one.words) for one in words)
    message = (
        f"the tokenizer makes {distinct:,} different words equal to another ({', '.join(map(str, words[:3]))}), "
        f"and {share:.1%} of all words are read as a more frequent one"
    )
    return [Finding("warning" if share > MERGED_SHARE else "note", "merged-words", message, distinct)]


def case_found(effect: Effect, cases: Sequence[Merge]) -> list[Finding]:
    """Capitals that the tokenizer does not see, and whether they tell entities from other words."""
    if not effect.folds:
        return []
    inside, outside = capitals(effect.named), capitals(effect.inner - effect.named)
    if effect.named.total() >= FEWEST and inside - outside > TELLING:
        shown = ", ".join(map(str, sorted(cases, key=lambda one: -spread(one, effect))[:3]))
        message = (
            f"the tokenizer does not see capitals, and {inside:.0%} of the words of entities begin with one, "
            f"of the others {outside:.0%}" + (f" ({shown})" if shown else "")
        )
        return [Finding("warning", "case", message, effect.named.total())]
    shown = ", ".join(map(str, cases[:3]))
    message = f"words that differ by case alone are equal to the tokenizer: {len(cases):,} of them ({shown})"
    return [Finding("note", "case", message, len(cases))] if cases else []


def capitals(words: Counter[str]) -> float:
    """Share of words that begin with a capital."""
    return sum(count for word, count in words.items() if word[0].isupper()) / max(1, words.total())


def spread(merge: Merge, effect: Effect) -> float:
    """Number of occurrences of words of a merge by which they would be known as entities, or as none."""
    named = [effect.named[word] / max(1, effect.inner[word]) for word in merge.words]
    return (max(named) - min(named)) * merge.hidden


def examples_of(counts: Counter[str]) -> str:
    """The three most frequent of some texts, with their numbers."""
    return ", ".join(f"{one} {count:,}" for one, count in counts.most_common(3))


def cure_for(effect: Effect) -> str:
    """Where to find an encoder that suits the language of the texts."""
    code = guess_language(effect.words)
    whose = LANGUAGES[code][0] if code else "your texts' language"
    return f"{CURE}--language {code or 'CODE'}` lists encoders for {whose}"
