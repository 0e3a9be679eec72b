"""Predictions as further columns of a frame. pandas and polars are not imported: a frame makes its own kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..records import Prediction


def with_columns(frame: Any, predicted: Mapping[str, list[Any]]) -> Any:
    """A copy of a frame with what was predicted for each of its rows.

    Args:
        frame: A pandas or polars frame.
        predicted: Columns, as `columns_of` gives them.
    """
    names = list(frame.columns)
    columns = {free_name(name, names): values for name, values in predicted.items()}
    if hasattr(frame, "hstack"):
        return frame.hstack(type(frame)(columns)) if columns else frame.clone()
    copy = frame.copy()
    for name, values in columns.items():
        copy[name] = values
    return copy


def columns_of(predictions: Sequence[Prediction]) -> dict[str, list[Any]]:
    """Values by column: `label`, and `probability_LABEL` for each label; each as long as there are predictions."""
    flat = [dict(flattened(prediction)) for prediction in predictions]
    names = dict.fromkeys(name for one in flat for name in one)
    return {name: [one.get(name) for one in flat] for name in names}


def flattened(prediction: Prediction) -> Iterable[tuple[str, Any]]:
    """The values of a prediction by name, each entry of an object under one of its own."""
    for name, value in prediction.items():
        if isinstance(value, Mapping):
            single = "probability" if name == "probabilities" else name
            yield from ((f"{single}_{key}", part) for key, part in value.items())
        else:
            yield name, value


def free_name(name: str, taken: Sequence[str]) -> str:
    """A name that no column of the frame has."""
    while name in taken:
        name = f"predicted_{name}"
    return name
