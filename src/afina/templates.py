"""The text of `afina init`: a commented configuration, made from the fields that `config.load` checks, so no drift."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml
from pydantic import BaseModel

from .config import Config
from .tasks.base import find

WIDTH = 120
COLUMN = 32
"""Where the comments begin."""


def template(task: str) -> str:
    """A configuration of the task with every setting, its default, and what it does as a comment.

    Raises:
        ConfigError: there is no such task.
    """
    kind = find(task)
    values, sections = [], []
    for name, field in Config.model_fields.items():
        inner = kind.Options if name == "options" else field.annotation
        if is_section(inner):
            sections += ["", *commented(f"{name}:", field.description), *section(inner)]
        else:
            values += setting(name, kind.name if name == "task" else field.get_default(), field.description)
    head = [f"# afina: {kind.summary}", "# Every setting stands here with its default; with null, afina decides.", ""]
    return "\n".join([*head, *values, *sections]) + "\n"


def is_section(kind: Any) -> bool:
    """Whether an annotation is a model with settings of its own."""
    return isinstance(kind, type) and issubclass(kind, BaseModel) and bool(kind.model_fields)


def section(model: Any) -> list[str]:
    """The settings of one section, indented."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        found += setting(f"  {name}", field.get_default(call_default_factory=True), field.description)
    return found


def setting(name: str, value: Any, description: str | None) -> list[str]:
    """One setting with its comment."""
    inline = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=1000).strip()[1:-1]
    return commented(f"{name}: {inline}", description)


def commented(line: str, description: str | None) -> list[str]:
    """A line with the words behind it, which go on below when there are many."""
    words = textwrap.wrap(description or "", WIDTH - COLUMN - 2)
    lines = [line, *[""] * (len(words) - 1)]
    return [f"{left:<{COLUMN - 2}}  # {right}" for left, right in zip(lines, words, strict=True)] if words else lines
