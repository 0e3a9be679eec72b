"""What a comparison shows, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

from afina.comparison.comparison import compare
from afina.comparison.report import SHOWN, probability
from afina.training.rundir import finite
from tests.comparison.made import made, rights

N = 120


def test_lines_for_people(tmp_path: Path) -> None:
    weak = rights(N, 0.5)
    strong = [one or i % 2 == 0 for i, one in enumerate(weak)]
    runs = [made(tmp_path / name, right=own, strategy=name) for name, own in (("head", weak), ("full", strong))]
    text = str(compare(runs, gate="accuracy -0.5, recall of b -2")).replace(f"{tmp_path}/", "")
    lines = text.split("\n")
    assert lines[0] == "accuracy on 120 rows of test"
    assert lines[1].split("  ")[0] == "run"
    assert [line.split()[0] for line in lines[2:4]] == ["head", "full"]
    assert any(line.startswith("full against head: 0.2") and " better, p < 0.001" in line for line in lines)
    assert "F1 of labels, full against head" in lines
    assert any(line.startswith("note: single runs") for line in lines)
    assert "gate: full against head" in lines
    assert lines[-1] == "gate: passed"
    assert repr(compare(runs)).startswith("Report(")


def test_verdicts_of_a_gate_in_words(tmp_path: Path) -> None:
    old = rights(N, 0.9)
    runs = [
        made(tmp_path / name, right=own)
        for name, own in (("old", old), ("new", [one and i % 4 != 0 for i, one in enumerate(old)]))
    ]
    assert str(compare(runs, gate="accuracy -1")).endswith(
        "gate: failed: significantly worse by more than is allowed: accuracy"
    )
    assert str(compare(runs, gate="accuracy -22")).endswith(
        "gate: nothing failed; undecided: accuracy (more test rows or seeds would decide)"
    )


def test_the_record_is_json_with_all_numbers(tmp_path: Path) -> None:
    right = rights(N, 0.6)
    runs = [
        made(tmp_path / str(i), right=[one or (i == 1 and k % 3 == 0) for k, one in enumerate(right)]) for i in range(2)
    ]
    report = compare(runs, margin=0.01, gate="accuracy -0.5")
    record = json.loads(json.dumps(finite(report.record())))
    (one,) = record["comparisons"]
    assert (record["split"], record["metric"], record["rows"], record["margin"]) == ("test", "accuracy", N, 0.01)
    assert one["low"] < one["difference"] < one["high"]
    assert [line["label"] for line in one["labels"]] == ["a", "b", "c"]
    assert record["gate"]["failed"] == []
    assert [check["check"] for check in record["gate"]["checks"]] == ["accuracy"]
    assert record["runs"][0]["seeds"] == [0]


def test_of_many_labels_those_that_differ_most_are_shown(tmp_path: Path) -> None:
    labels = [*"abc", *(f"l{i}" for i in range(30))]
    runs = [made(tmp_path / str(i), right=rights(N, 0.5 + i / 5), fitted={"labels": labels}) for i in range(2)]
    report = compare(runs)
    text = str(report)
    assert f"those that differ most clearly ({len(labels) - SHOWN} others with --json)" in text
    assert len(report.contrasts[0].labels) == len(labels)


def test_p_values_for_people() -> None:
    assert [probability(value) for value in (0.0004, 0.0123, 1.0, float("nan"))] == ["< 0.001", "0.012", "1.000", "-"]
    assert (probability(0.04999), probability(0.05)) == ("< 0.05", "0.050")
