"""YAML that can't hurt, with the scalars of YAML 1.2."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.errors import ConfigError
from afina.yaml_files import parse_value, read_yaml


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("1e-5", 1e-5), ("no", "no"), ("true", True), ("null", None), ("1.10", 1.1), ("[a, b]", ["a", "b"]),
     ("12:30", "12:30"), ("0x1f", "0x1f"), ("on", "on"), ("007", 7), ("{a: 1}", {"a": 1}), ("a: b: c", "a: b: c")],
)  # fmt: skip
def test_values_are_typed_as_in_a_file(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", ":2: not valid YAML: the key 'a' stands twice"),
        ("a: &x [1]\nb: *x\n", ":2: not valid YAML: aliases are not allowed"),
        ("a: !!python/object/apply:os.system ['true']\n", "not valid YAML: could not determine a constructor"),
        ("a: [1\nb: 2\n", "not valid YAML"),
        ("- a\n- b\n", "expected settings (`task: classification`), found list"),
    ],
)
def test_bad_yaml_names_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(write(tmp_path / "bad.yaml", text))
    assert "bad.yaml" in str(caught.value)
    assert says in str(caught.value)


def test_an_enormous_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="more than 1,000,000 bytes"):
        read_yaml(write(tmp_path / "big.yaml", "a: " + "x" * 1_000_001))
