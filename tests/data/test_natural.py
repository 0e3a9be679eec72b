"""Real data sets with known faults: what their README files tell is found by `check` on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from afina.config import load
from afina.data.parts import Data, gather
from afina.errors import Problem
from afina.quality.findings import Finding
from afina.quality.report import audit

pytestmark = pytest.mark.data
Found = tuple[Data, list[Problem], dict[tuple[str, str], Finding]]


def looked_at(folder: Path, files: dict[str, str], **settings: Any) -> Found:
    """The data, their problems, and the findings by code and part."""
    config = {f"data.{part}": str(folder / name) for part, name in files.items()}
    config |= {name.replace("__", "."): value for name, value in settings.items()}
    data, problems = gather(load(None, config))
    findings = audit(data.task, data.splits, problems=problems)
    return data, problems, {(one.code, one.message.partition(":")[0]): one for one in findings}


def counts(found: dict[tuple[str, str], Finding], code: str) -> dict[str, int]:
    """What a code was said of, part by part."""
    return {part: one.count for (own, part), one in found.items() if own == code}


def sizes(data: Data) -> dict[str, int]:
    return {name: len(examples) for name, examples in data.splits.items()}


def test_sms_spam(real_data: Path) -> None:
    """No header, unbalanced quotes, 403 exact duplicates: no row is lost, and repeats do not cross the hold-out."""
    data, problems, found = looked_at(
        real_data / "sms_spam", {"train": "sms_spam.tsv"}, data__header=["label", "text"], data__hold_out=0.2
    )
    assert problems == []
    assert sum(sizes(data).values()) == 5_574
    repeated = counts(found, "duplicates")
    # 403 are equal byte by byte; the others differ by case or blanks.
    assert 403 <= sum(repeated.values()) <= 440
    assert counts(found, "leak").get("validation", 0) <= 10
    assert sum(counts(found, "control").values()) == 35
    assert "contradictions" not in {code for code, _ in found}
    texts = {one.text for one in data.splits["train"]} & {one.text for one in data.splits["validation"]}
    assert texts == set()


def test_mrpc(real_data: Path) -> None:
    """A byte-order mark in two files of three, CRLF, quotes that are text: all pairs, none shared."""
    files = {"train": "msr-para-train.tsv", "validation": "msr-para-val.tsv", "test": "msr-para-test.tsv"}
    data, problems, found = looked_at(real_data / "mrpc", files, options__label="Quality")
    assert problems == []
    assert sizes(data) == {"train": 3_576, "validation": 500, "test": 1_725}
    assert data.task.fitted["labels"] == ["0", "1"]
    every = [one for examples in data.splits.values() for one in examples]
    assert not any("\r" in f"{one.text}{one.pair}" for one in every)
    assert sum('"' in f"{one.text}{one.pair}" for one in every) == 1_221
    near = {"near-duplicates", "near-leak", "near-contradictions"}  # sentences of news agencies
    assert {code for code, _ in found} <= {"control", "html", *near}


@pytest.mark.parametrize(("variant", "share"), [("ptbr", 0.78), ("ptpt", 0.68)])
def test_assin(real_data: Path, variant: str, share: float) -> None:
    """The label None is a label, and the commonest."""
    files = {
        "train": f"assin-{variant}-train.csv",
        "validation": f"assin-{variant}-dev.csv",
        "test": f"assin-{variant}-test.csv",
    }
    data, problems, found = looked_at(real_data / "assin", files, options__label="entailment")
    assert problems == []
    assert sizes(data) == {"train": 2_500, "validation": 500, "test": 2_000}
    assert data.task.fitted["labels"] == ["Entailment", "None", "Paraphrase"]
    labels = [one.target for examples in data.splits.values() for one in examples]
    assert labels.count("None") / len(labels) == pytest.approx(share, abs=0.01)
    assert not {"leak", "mirrored-leak", "test-in-validation"} & {code for code, _ in found}
    assert counts(found, "control") == ({"train": 3} if variant == "ptbr" else {})


def test_restaurant8k(real_data: Path) -> None:
    """77 pairs of spans that overlap, texts of the test data in training, texts with two answers."""
    files = {"train": "train.jsonl", "validation": "train.jsonl", "test": "test.jsonl"}
    data, problems, found = looked_at(
        real_data / "restaurant8k", files, task="tokens", options__text="text", options__label="entities"
    )
    assert problems == []
    assert sizes(data) == {"train": 8_198, "validation": 8_198, "test": 3_731}
    assert data.task.fitted["types"] == ["date", "first_name", "last_name", "people", "time"]
    overlaps = counts(found, "overlapping-spans")
    assert (overlaps["train"], overlaps["test"]) == (59, 18)
    # 140 are equal byte by byte; the others differ by case or blanks.
    exact = {one.text for one in data.splits["train"]}
    assert sum(one.text in exact for one in data.splits["test"]) == 140
    assert 140 <= counts(found, "leak")["test"] <= 180
    assert {"train", "test"} <= set(counts(found, "contradictions"))
    assert "cut-span" not in {code for code, _ in found}


def test_sroie_receipts(real_data: Path) -> None:
    """Nothing overlaps, nothing is shared, every receipt has its four values."""
    files = {part: f"{part}.jsonl" for part in ("train", "validation", "test")}
    data, problems, found = looked_at(
        real_data / "sroie_receipts", files, task="tokens", options__text="text", options__label="entities"
    )
    assert problems == []
    assert sizes(data) == {"train": 338, "validation": 69, "test": 110}
    assert all(sorted({span.label for span in one.target}) == ["ADDRESS", "COMPANY", "DATE", "TOTAL"]
               for examples in data.splits.values() for one in examples)  # fmt: skip
    wrong = {"overlapping-spans", "leak", "test-in-validation", "duplicates", "contradictions", "rare-label"}
    assert not wrong & {code for code, _ in found}


def test_sick(real_data: Path) -> None:
    """30 repeated pairs, 22 of them with different scores; 49 and 3 pairs of test and trial in training."""
    files = {"train": "SICK_train.txt", "validation": "SICK_trial.txt", "test": "SICK_test_annotated.txt"}
    data, problems, found = looked_at(real_data / "sick", files, task="regression", options__label="relatedness_score")
    assert problems == []
    assert sizes(data) == {"train": 4_500, "validation": 500, "test": 4_927}
    assert counts(found, "duplicates") == {"train": 30}
    assert counts(found, "contradictions") == {"train": 22}
    assert counts(found, "leak") == {"validation": 3, "test": 49}
    assert counts(found, "mirrored-leak") == {"validation": 5, "test": 45}


def test_ag_news(real_data: Path) -> None:
    """What is left of HTML entities: `#39;`, `quot;`, `lt;`."""
    files = {part: f"{part}.csv" for part in ("train", "validation", "test")}
    _, problems, found = looked_at(real_data / "ag_news", files)
    assert problems == []
    assert counts(found, "html") == {"train": 2_410, "validation": 313, "test": 634}


def test_atis(real_data: Path) -> None:
    """Four slot types of the test data that training lacks; sentences that stand in training too."""
    files = {part: f"{part}.txt" for part in ("train", "validation", "test")}
    _, problems, found = looked_at(real_data / "atis", files, task="tokens")
    assert {one.message.split("'")[1] for one in problems} == {
        "compartment", "booking_class", "flight", "stoploc.airport_code"
    }  # fmt: skip
    assert {one.code for one in problems} == {"unseen-countable"}
    assert counts(found, "leak") == {"validation": 52, "test": 13}


@pytest.mark.parametrize(
    ("folder", "files", "leaks"),
    [
        ("conll2003", ("train.txt", "valid.txt", "test.txt"), (193, 126)),
        ("lener_br", ("train.conll", "dev.conll", "test.conll"), (133, 182)),
    ],
)
def test_named_entities(real_data: Path, folder: str, files: tuple[str, ...], leaks: tuple[int, int]) -> None:
    """Sentences shared between the files, at least as many as are equal byte by byte; no tag that breaks its scheme."""
    parts = dict(zip(("train", "validation", "test"), files, strict=True))
    data, problems, found = looked_at(real_data / folder, parts, task="tokens")
    assert problems == []
    assert data.task.fitted["scheme"] == "IOB2"
    assert "orphan-tag" not in {code for code, _ in found}
    leaked = counts(found, "leak")
    for part, exact in zip(("validation", "test"), leaks, strict=True):
        assert exact <= leaked[part] <= exact + 20
