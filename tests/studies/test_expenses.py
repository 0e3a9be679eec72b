"""What trainings cost, from records that were made up."""

from __future__ import annotations

import math
from typing import Any

import pytest

from afina.studies.expenses import Spent, big, spent_by, summary_of
from afina.studies.summaries import Board

RECORD: dict[str, Any] = {
    "flops": {"training": 2e12},
    "parameters": {"trained": 10_000_000, "frozen": 12_000_000},
    "seconds": {"train": 90.0, "validate": 10.0, "save": 5.0},
    "memory": {"process": 5e8, "gpu": None},
    "speed": {"flops_per_second": 2e10},
}


def cell(board: Board, row: int, column: str) -> Any:
    return board.rows[row][list(board.columns).index(column)]


def test_a_record_is_read() -> None:
    spent = spent_by("study", "full", RECORD)
    assert spent == Spent("study", "full", True, 2e12, 10_000_000, 22_000_000, 100.0, 5e8)
    older = spent_by("study", "full", {key: value for key, value in RECORD.items() if key not in ("flops", "memory")})
    assert older.flops == pytest.approx(1.8e12)
    assert math.isnan(older.memory)
    assert not spent_by("study", "full", {}).done


def test_against_a_published_pre_training() -> None:
    spent = [spent_by("s", "full", RECORD), spent_by("s", "full", RECORD), spent_by("s", "full", {})]
    summary = summary_of("google-bert/bert-base-cased", spent, price=2.0)
    (verdict,) = summary.verdicts
    assert verdict.answer == "confirmed"
    assert "The dearest training (full) took 2.0e+12 FLOP, all 2 together 4.0e+12." in verdict.sentence
    assert "took 2.2e+19 FLOP: 11,000,000 times as much" in verdict.sentence
    trainings, published = summary.boards
    assert cell(trainings, 0, "trainings") == 2
    assert cell(trainings, 0, "TFLOP each") == 2.0
    assert cell(trainings, 0, "trained, M") == 10.0
    assert cell(published, 0, "device hours") == "1,536"
    (machine,) = summary.times
    assert cell(machine, 0, "money each") == pytest.approx(100 / 3600 * 2)
    assert cell(machine, 0, "memory, MB") == "500"
    assert cell(machine, 0, "energy, Wh") == "not measured"
    assert cell(machine, 1, "money each") == 2 * 1536
    assert summary.notes == ["1 training diverged; what it took was not recorded"]


def test_what_is_not_known_is_said() -> None:
    spent = [spent_by("s", "full", RECORD)]
    unknown = summary_of("someone/some-model", spent)
    assert unknown.verdicts[0].answer == "undecided"
    assert "nothing of it is published" in unknown.verdicts[0].sentence
    assert len(unknown.boards) == 1
    hours = summary_of("google/electra-small-discriminator", spent)
    assert "only its hours are published" in hours.verdicts[0].sentence
    given = summary_of("someone/some-model", spent, known=1e13)
    assert given.verdicts[0].answer == "not confirmed"
    part = summary_of("minilm", spent)
    assert part.verdicts[0].answer == "confirmed"
    assert "took 1.7e+18 FLOP at most" in part.verdicts[0].sentence
    assert "That is without distillation" in part.verdicts[0].sentence
    nothing = summary_of("minilm", [spent_by("s", "full", {"parameters": {}})])
    assert nothing.verdicts[0].sentence == "The FLOPs of no training are known."


def test_large_numbers_are_short() -> None:
    assert [big(value) for value in (1.23e12, 99_999.0, 12.0, 1.234)] == ["1.2e+12", "99,999", "12", "1.2"]
