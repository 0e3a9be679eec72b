"""The package stays readable: small files and functions, no cycles, a configuration at the edge only."""

from __future__ import annotations

from pathlib import Path

import pytest

import afina
from tests import structure

MODULES = structure.modules(Path(afina.__file__).parent)
LONGEST_FILE, LONGEST_FUNCTION = 450, 60


def test_all_modules_are_seen() -> None:
    assert len(MODULES) >= 80


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_file_and_no_function_is_long(module: structure.Module) -> None:
    assert module.lines <= LONGEST_FILE
    # The flags of a command that trains are its arguments, one a line.
    own = [function for function, _ in structure.functions(module) if function.name not in ("train", "adapt")]
    assert [function.name for function in own if structure.size(function) > LONGEST_FUNCTION] == []


def test_nothing_imports_in_a_circle() -> None:
    graph = structure.imports(MODULES)
    assert sum(map(len, graph.values())) > 100
    assert structure.cycles(graph) == []
    assert structure.cycles(structure.folders(graph)) == []


def test_a_circle_is_noticed() -> None:
    assert structure.cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]
