"""What `afina check` finds before a model is there, and that it finds nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.config import load
from afina.data.parts import gather, read_data
from afina.quality.report import audit, warning_lines
from tests.quality.audits import findings, rows


def test_good_data_give_no_finding() -> None:
    assert findings(train=rows("a", "b"), validation=rows("a", "b", each=3, start=50)) == {}


def test_problems_of_one_kind_are_one_line() -> None:
    train = [*rows("a", "b"), *[{"text": "", "label": "a"}] * 30, {"text": "x", "label": ""}]
    found = findings(train=train, validation=rows("a", "b", each=3, start=50))
    assert (found["empty-text"].severity, found["empty-text"].count) == ("error", 30)
    assert found["empty-label"].places == ("train row 55",)


def test_labels_of_the_test_data_that_training_lacks_are_errors() -> None:
    found = findings(train=rows("a", "b"), validation=rows("a", each=3, start=50), test=rows("c", each=3))
    assert (found["unseen-countable"].severity, found["unseen-countable"].count) == ("error", 3)


def test_overlapping_spans_are_one_finding_a_part() -> None:
    train = [{"text": f"in an hour {i}", "spans": [[0, 10, "time"], [3, 10, "date"]]} for i in range(12)]
    found = findings("tokens", train=train, validation=[{"text": "now", "spans": [[0, 3, "time"]]}])
    assert found["overlapping-spans"].count == 12


@pytest.mark.data
def test_real_data_tell_what_their_readmes_tell(real_data: Path) -> None:
    config = {"data.train": str(real_data / "sms_spam" / "sms_spam.tsv"), "data.header": ["label", "text"]}
    data, problems = gather(load(None, config))
    assert problems == []
    assert sum(map(len, data.splits.values())) == 5574
    found = {one.code: one for one in audit(data.task, data.splits)}
    assert found["duplicates"].count > 30
    spans = {"task": "tokens", "options.text": "text", "options.label": "entities"}
    files = {f"data.{part}": str(real_data / "restaurant8k" / f"{part}.jsonl") for part in ("train", "test")}
    data, problems = gather(load(None, {**spans, **files}))
    found = {one.code: one for one in audit(data.task, data.splits)}
    assert {"overlapping-spans", "leak"} <= set(found)


def test_warnings_are_shown_a_few_and_counted() -> None:
    row = {"text": "in an hour", "spans": [[0, 10, "time"], [3, 10, "date"]]}
    sources = {"train": [row] * 9, "validation": [row], "test": [row]}
    data = read_data(load(None, {"task": "tokens"}), sources)
    lines = warning_lines(audit(data.task, data.splits))
    mine = [line for line in lines if line.startswith("train: ") and "overlaps" in line]
    (line,) = mine
    assert line.endswith("(train row 1, the first of 9)")


def test_warnings_about_the_data_have_their_first_place() -> None:
    train = rows("a", "b", each=8)
    sources = {"train": train, "validation": [{"text": "new", "label": "a"}], "test": train[:3]}
    data = read_data(load(None, {}), sources)
    findings = audit(data.task, data.splits)
    lines = warning_lines(findings)
    assert any(line.startswith("test: 3 examples (100.0%) stand in train too") for line in lines)
    assert any(line.endswith("(test row 1, the first of 3)") for line in lines)
    assert {finding.code for finding in findings} >= {"leak", "rare-label"}


def test_training_warns_of_what_check_warns_of(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    long = [{"text": f"number {n} " * 20, "label": "a"} for n in range(3)]
    odd = [{"text": f"text {n}", "label": label} for n, label in enumerate(("Sim", "sim", "nao", "NAO"))]
    train = [*rows("a", "b"), *long, *odd]
    near = [{"text": f"{row['text']}!", "label": row["label"]} for row in long]
    test = [*near, *train[:3]]
    settings: dict[str, Any] = {"train": train, "validation": rows("a", "b", start=90), "test": test, "max_length": 16}
    report = afina.check(**settings, model=tiny("bert"))
    run = afina.train(**settings, model=tiny("bert"), epochs=1, out=tmp_path / "run", progress=False)
    assert {"leak", "near-leak", "truncated", "lookalike-labels"} <= {finding.code for finding in report.warnings}
    for finding in report.warnings:  # what a tokenizer does to the texts is one line in training
        _, _, words = finding.message.partition(": ")
        assert any(words.split(";")[0] in line for line in run.warnings), finding
    assert len([line for line in run.warnings if "one label" in line]) == 1


def test_check_says_it_all_from_python(tiny: Callable[[str], Path]) -> None:
    report = afina.check(
        train=[*rows("a", "b"), {"text": "", "label": "a"}], validation=rows("a", "b"), model=tiny("bert")
    )
    assert [finding.code for finding in report.errors] == ["empty-text"]
    assert report.examples == {"train": 24, "validation": 24}
    report = afina.check(train=rows("a", "b"), validation=rows("a", "b"), model=tiny("bert"), labels=True)
    assert "leak" in {finding.code for finding in report.warnings}
    assert {"lengths", "label-issues"} <= {finding.code for finding in report.findings}
    assert report.label_issues is not None
    first, *_, last = str(report).split("\n")
    assert first == "columns: text = 'text', label = 'label'"
    assert last.startswith("0 errors, ")
    assert repr(report) == f"Report({last})"


def test_three_rows_are_no_training_set() -> None:
    def codes(number: int) -> dict[str, str]:
        rows = [{"text": f"text {n}", "label": "ab"[n % 2]} for n in range(number)]
        data = read_data(load(None, {}), {"train": [*rows, rows[0]], "validation": rows})
        return {one.code: one.message for one in audit(data.task, data.given)}

    assert codes(3)["few-examples"] == "train: 3 distinct inputs: no training set; a model can learn little from it"
    assert "few-examples" in codes(9)
    assert "few-examples" not in codes(10)
