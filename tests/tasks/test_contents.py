"""What a column holds, judged by its first rows."""

from __future__ import annotations

from typing import Any

import pytest

from afina.records import Row
from afina.tasks import contents


def rows_of(values: list[Any], name: str = "x") -> list[Row]:
    return [Row({name: value}, f"a:{i}") for i, value in enumerate(values)]


@pytest.mark.parametrize(
    "names", [("Comentário", "comentario", "COMENTÁRIO "), ("is_duplicate", "Is Duplicate", "isDuplicate")]
)
def test_names_are_alike_whatever_case_accents_and_blanks(names: tuple[str, ...]) -> None:
    assert len(set(map(contents.simple, names))) == 1


@pytest.mark.parametrize(
    ("value", "flag"),
    [(0, False), (1, True), (1.0, True), (True, True), ("0", False), ("1.0", True), ("True", True), (" false ", False),
     (2, None), ("yes", None), (None, None), ([], None), (0.5, None)],
)  # fmt: skip
def test_flags(value: Any, flag: bool | None) -> None:
    assert contents.flag_of(value) is flag


@pytest.mark.parametrize(
    ("name", "values", "index"),
    [
        ("id", ["a", "b"], True), ("pair_ID", [5, 3], True), ("pairID", ["x"], True), ("#1 ID", [3], True),
        ("n", [0, 1, 2], True), ("n", ["1", "2", "3"], True), ("n", [1, 3, 2], False), ("n", [1, 2], False),
        ("paid", [0, 1, 0], False), ("valid", ["a"], False), ("idea", ["a"], False),
    ],
)  # fmt: skip
def test_an_index(name: str, values: list[Any], index: bool) -> None:
    assert contents.holds_index(rows_of(values, name), name) is index


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["um filme bom", "uma sala feia"], {"texts"}),
        (["我喜欢这部电影", "这部电影很糟糕"], {"texts"}),
        (["a", "b", "a", "b"], {"labels"}),
        ([1, 0, 1, 0], {"labels", "numbers", "flags"}),
        (["2,5", "1,0", "3"], {"numbers"}),
        ([1.5, 2, 3], {"numbers"}),
        (["2020-01-01 10:00", "2020-01-02 11:30"], set()),
        ([["a"], ["b", "c"]], {"sets"}),
        (["['a']", "['b' 'c']"], {"sets"}),
        (["x"] * 9, set()),
        ([], set()),
        ([None, ""], set()),
    ],
)
def test_kinds_of_columns(values: list[Any], kinds: set[str]) -> None:
    judged = {
        "texts": contents.holds_texts, "labels": contents.holds_labels, "numbers": contents.holds_numbers,
        "flags": contents.holds_flags, "sets": contents.holds_sets,
    }  # fmt: skip
    assert {kind for kind, holds in judged.items() if holds(rows_of(values), "x")} == kinds


@pytest.mark.parametrize(
    ("values", "length"),
    [([[0, 1], [1, 0]], 2), (["[0 1 0]", "[1 1 0]"], 3), ([["0", "0", "1"]], 3), ([["0", "1"]], 0), ([[0], [1]], 0),
     ([[0, 1], [0]], 0), ([[0, 2]], 0), (["a b"], 0), ([], 0), ([[0, 1], "x"], 0)],
)  # fmt: skip
def test_vectors(values: list[Any], length: int) -> None:
    assert contents.vector_length(rows_of(values), "x") == length
