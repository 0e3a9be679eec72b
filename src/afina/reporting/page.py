"""A page as one HTML file: no script, no network, its style and its figures inside."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from .. import disk
from ..errors import TrainingError
from .blocks import Page
from .phrases import Words, clean, foreign

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """The templates of this room. Every value is escaped unless it is HTML of ours, and a missing one is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["clean"] = clean
    made.filters["foreign"] = foreign
    return made


def render(page: Page, words: Words) -> str:
    """A page as HTML.

    Args:
        page: What stands on it.
        words: Its language.
    """
    styles = [(TEMPLATES / "style.css").read_text(encoding="utf-8"), page.rules]
    styles = [style for style in styles if style]
    policy = " ".join(["style-src", *(f"'sha256-{digest(style)}'" for style in styles)])
    template = environment().get_template("page.html.j2")
    html = template.render(
        page=page,
        words=words,
        styles=[Markup(style) for style in styles],  # noqa: S704 - ours, and without a word of the user's
        policy=f"default-src 'none'; {policy}; img-src data:; base-uri 'none'; form-action 'none'",
        version=version("afina"),
    )
    # A lone half of a surrogate pair has no bytes in UTF-8.
    return html.encode("utf-8", "replace").decode()


def digest(style: str) -> str:
    """The sum by which the policy knows a style."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def write(page: Page, words: Words, file: Path) -> Path:
    """Write a page, complete or not at all.

    Raises:
        TrainingError: it can't be written.
    """
    try:
        disk.write(file, render(page, words).encode())
    except OSError as error:
        raise TrainingError(f"{file}: can't be written: {error.strerror or error}") from None
    return file
