"""YAML, read safely: no tags that build objects, no duplicate keys, no aliases, and the scalars of YAML 1.2.

In these the label `no` is a text and 1e-5 is a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import ConfigError

MAX_BYTES = 1_000_000


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2 scalars, without aliases and duplicate keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own protocol

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, (str, int, float, bool)) or name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|", "~n\0"),
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+0123456789."),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, ""])


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a tree of plain values.

    Raises:
        ConfigError: the file is missing, too large, not YAML, or not a mapping; names file and line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: a configuration of more than {MAX_BYTES:,} bytes is not read")
        text = path.read_text(encoding="utf-8-sig")
        tree = yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader, see above
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; `afina init TASK` writes a commented one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f":{mark.line + 1}"
        raise ConfigError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected settings (`task: classification`), found {type(tree).__name__}")
    return tree


def as_yaml(tree: Mapping[str, Any]) -> str:
    """A tree of plain values as YAML that `read_yaml` reads back."""
    text: str = yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True)
    return text


def parse_value(text: str) -> Any:
    """The value of a `--set path=value`, typed as in a file."""
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader, see below
    except yaml.YAMLError:
        return text
