"""A model card: `README.md` beside a model, in the layout of the Hugging Face hub.

It is made from the records of the run alone, and is no part of the files that `afina.json` sums: people may write in
it. Its last line sums the text above, so that what somebody wrote is not lost when the card is written again.
"""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

from .. import disk
from ..errors import ConfigError, printable
from . import english, portuguese, sections, snippets
from .facts import Facts
from .limits import limits
from .markdown import joined
from .metadata import front, metadata
from .words import Words

FILE = "README.md"
LANGUAGES: dict[str, Words] = {one.code: one for one in (english.WORDS, portuguese.WORDS)}
"""Languages of cards by their codes."""
MARK = re.compile(r"\n<!-- afina card, sha256 ([0-9a-f]{64}) -->\n?\Z")


def words_in(language: str) -> Words:
    """The words of a language.

    Raises:
        ConfigError: there are no cards in it.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"language: {printable(language)} is no language of cards; there are: {', '.join(LANGUAGES)}")
    return LANGUAGES[language]


def render(facts: Facts, language: str = "en") -> str:
    """A card, with the mark that shows whether somebody has changed it since.

    Raises:
        ConfigError: there are no cards in this language.
    """
    words = words_in(language)
    parts = [
        sections.beginning(facts, words),
        snippets.use(facts, words),
        sections.scores(facts, words),
        sections.data(facts, words),
        limits(facts, words),
        sections.training(facts, words),
        sections.cost(facts, words),
        sections.licence(facts, words),
        [[words("written", version=version("afina"))]],
    ]
    text = f"{front(metadata(facts))}\n{joined(block for part in parts for block in part)}"
    return f"{text}\n<!-- afina card, sha256 {digest(text)} -->\n"


def digest(text: str) -> str:
    """SHA-256 of a text, however its lines end."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def language_of(text: str) -> str:
    """The code of the language that a card is in; English where its headings don't say."""
    found = (code for code, words in LANGUAGES.items() if f"\n## {words('scores')}\n" in text)
    return next(found, english.WORDS.code)


def is_own(text: str) -> bool:
    """Whether a card is as afina wrote it."""
    lines = text.replace("\r\n", "\n")
    found = MARK.search(lines)
    return found is not None and digest(lines[: found.start()]) == found[1]


def write(folder: Path, text: str, *, overwrite: bool = False) -> tuple[Path, Path | None]:
    """Write a card into a model's folder, complete or not at all.

    Args:
        folder: The model's folder.
        text: The card.
        overwrite: Whether a card that somebody has changed is moved aside; else it is refused.

    Returns:
        The card, and where the changed one is now, if there was one.

    Raises:
        ConfigError: a changed card is there.
        OSError: it can't be written.
    """
    file, old = folder / FILE, None
    if file.exists() or file.is_symlink():
        changed = not file.is_file() or file.is_symlink() or not is_own(file.read_text("utf-8", errors="replace"))
        if changed and not overwrite:
            raise ConfigError(
                f"{file}: was changed since afina wrote it, or is not afina's; "
                "--overwrite writes it again and keeps yours beside it"
            )
        if changed:
            old = free(folder)
            file.rename(old)
    disk.write(file, text.encode())
    return file, old


def free(folder: Path) -> Path:
    """The first name for an old card that is not taken."""
    number = 1
    while (place := folder / f"README.old-{number}.md").exists():
        number += 1
    return place
