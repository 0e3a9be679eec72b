"""Predictions become columns; nothing that a frame holds is renamed, changed or lost."""

from __future__ import annotations

from typing import Any

import pytest

from afina.serving.frames import columns_of, free_name, with_columns

PREDICTIONS: list[dict[str, Any]] = [
    {"label": "a", "probabilities": {"a": 0.75, "b c": 0.25}},
    {"label": None, "probabilities": {"a": None, "b c": None}},
]


def test_columns_of_predictions() -> None:
    assert columns_of(PREDICTIONS) == {
        "label": ["a", None],
        "probability_a": [0.75, None],
        "probability_b c": [0.25, None],
    }
    lists: list[dict[str, Any]] = [{"entities": [{"start": 0}], "tags": {"x": 1}}, {"entities": []}]
    assert columns_of(lists) == {"entities": [[{"start": 0}], []], "tags_x": [1, None]}
    assert columns_of([]) == {}


def test_names_that_are_taken() -> None:
    assert free_name("label", ["text"]) == "label"
    assert free_name("label", ["label", "predicted_label"]) == "predicted_predicted_label"


def test_an_index_that_repeats_stays() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"label": [1, 2]}, index=["x", "x"])
    found = with_columns(frame, columns_of(PREDICTIONS))
    assert list(found.index) == ["x", "x"]
    assert list(found.columns) == ["label", "predicted_label", "probability_a", "probability_b c"]
    assert list(frame.columns) == ["label"]


def test_a_frame_of_polars() -> None:
    polars = pytest.importorskip("polars")
    found = with_columns(polars.DataFrame({"label": [1, 2]}), columns_of(PREDICTIONS))
    assert found["predicted_label"].to_list() == ["a", None]
    assert found.columns == ["label", "predicted_label", "probability_a", "probability_b c"]
