"""The words of a page in each language, from one catalogue, and the user's own words made harmless."""

from __future__ import annotations

import locale
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from ..errors import ConfigError, printable
from ..printing import UNSAFE, escaped
from .numbers import Numbers

LANGUAGES = ("en", "pt")
CATALOGUE = Path(__file__).parent / "phrases.toml"
KEPT = "\t"
"""Unseen characters that stay as they are."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """The phrases: by their keys, the words of each language."""
    tree = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    return {f"{group}.{key}": words for group, phrases in tree.items() for key, words in phrases.items()}


def language_of(asked: str | None = None) -> str:
    """The language of a page: the one asked for, or that of the locale where it is among them, or English.

    Raises:
        ConfigError: there is no such language.
    """
    if asked is not None:
        if asked not in LANGUAGES:
            raise ConfigError(f"language: expected {' or '.join(LANGUAGES)}, found {printable(asked)}")
        return asked
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next(filter(None, names), None) or locale.getlocale()[0] or ""
    return next((language for language in LANGUAGES if name.lower().startswith(language)), LANGUAGES[0])


@dataclass(frozen=True, slots=True)
class Words:
    """The words and numbers of one language.

    Attributes:
        language: `en` or `pt`.
    """

    language: str = "en"

    @property
    def numbers(self) -> Numbers:
        """How the language writes numbers."""
        return Numbers(self.language)

    def __call__(self, key: str, /, **values: Any) -> str:
        """A phrase as plain text, for attributes and figures. Values stand where it names them."""
        return catalogue()[key][self.language].format(**values)

    def html(self, key: str, /, **values: Any) -> Markup:
        """A phrase as HTML: its values are escaped, and backquotes in it mark code."""
        parts = str(escape(catalogue()[key][self.language])).split("`")
        marked = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
        return Markup(marked).format(**values)  # noqa: S704 - a phrase of ours, escaped

    def known(self, key: str) -> bool:
        """Whether there is such a phrase."""
        return key in catalogue()

    def named(self, group: str, name: str) -> str:
        """The word for a name of afina's own (a metric, a part of the work), or the name itself."""
        key = f"{group}.{name}"
        return self(key) if self.known(key) else clean(name.replace("_", " "))


def clean(text: str) -> str:
    """A text in which characters that can't be seen, or turn the direction of writing, are written out."""
    return UNSAFE.sub(lambda match: match[0] if match[0] in KEPT else escaped(match), text)


def foreign(value: Any) -> Markup:
    """Something of the user's inside a sentence: harmless, and with its own direction of writing."""
    return Markup("<bdi>{}</bdi>").format(clean(str(value)))
