"""One number, in the user's own scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from afina.errors import ConfigError, DataError
from afina.records import Example, Row
from afina.tasks.regression import Regression, RegressionOptions, read_number

EXAMPLES = [Example("x", target=value) for value in (100.0, 150.0, 300.0)]


def test_targets_are_standardised_and_the_head_knows_the_scale() -> None:
    task = Regression(RegressionOptions(text="text", label="score")).fit(EXAMPLES)
    targets = np.array([task.encode_target(example, ()) for example in EXAMPLES])  # type: ignore[arg-type]
    assert targets.mean() == pytest.approx(0.0, abs=1e-6)
    assert targets.std() == pytest.approx(1.0, abs=1e-6)
    factor, shift = task.head.scale
    assert (targets * factor + shift).tolist() == pytest.approx([100.0, 150.0, 300.0], abs=1e-3)
    total, count = task.loss(torch.tensor([[1.0], [0.0]]), torch.tensor([0.0, 2.0]))
    assert (float(total), float(count)) == (5.0, 2.0)


def test_a_constant_target_teaches_nothing() -> None:
    with pytest.raises(ConfigError, match="do not vary"):
        Regression(RegressionOptions()).fit(EXAMPLES[:1] * 3)


@pytest.mark.parametrize("value", ["1,5", "1_000", True, None, "", float("inf"), "high"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"a\.csv:2"):
        read_number(Row({"score": value}, "a.csv:2"), "score")


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["4,5", "1,0", "3"], [4.5, 1.0, 3.0]),
        (["-0,25", "12,3456"], [-0.25, 12.3456]),
        (["4.5", "1"], [4.5, 1.0]),
        ([4.5, "1,5"], [4.5, 1.5]),
    ],
)
def test_a_decimal_comma_is_recognised_and_said(values: list[Any], numbers: list[float]) -> None:
    rows = [Row({"text": "a", "score": value}, f"a.csv:{i}") for i, value in enumerate(values, 2)]
    task = Regression(RegressionOptions()).columns(["text", "score"], rows=rows)
    assert [task.read(row).target for row in rows] == numbers
    assert task.found == ({"decimal": "comma"} if any("," in str(value) for value in values) else {})
    again = Regression(task.options).columns(["text", "score"], rows=[Row({"text": "a", "score": "2"}, "b.csv:2")])
    assert again.options.decimal == task.options.decimal


@pytest.mark.parametrize("values", [["1,500", "2,000"], ["4,5", "4.5"], ["4,5", "1.234"]])
def test_what_may_mean_thousands_is_refused_with_a_cure(values: list[str]) -> None:
    rows = [Row({"text": "a", "score": value}, f"a.csv:{i}") for i, value in enumerate(values, 2)]
    task = Regression(RegressionOptions()).columns(["text", "score"], rows=rows)
    with pytest.raises(DataError, match="decimal point"):
        [task.read(row) for row in rows]
    if "," in values[0] and values[0] != "1,500":
        with pytest.raises(DataError, match=r"--set options\.decimal=comma"):
            task.read(rows[0])
        assert Regression(RegressionOptions(decimal="comma", label="score", text="text")).read(rows[0]).target == 4.5


def test_the_constant_is_the_mean() -> None:
    constant = Regression(RegressionOptions(text="text", label="score")).fit(EXAMPLES).constant(EXAMPLES)
    assert constant is not None
    assert constant.name == "mean (183.3)"
    assert constant.predict(EXAMPLES[0]) == {"score": pytest.approx(550 / 3)}
