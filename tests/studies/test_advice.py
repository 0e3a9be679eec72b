"""Advice: what data look like, which strategies suit them, a configuration that trains, and its reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from afina import evidence
from afina.config import load
from afina.errors import ConfigError, TrainingError
from afina.studies import advice
from afina.studies.advice import Facts, baseline_note, candidates, facts_of, reasons_for
from afina.studies.summaries import Board, Summary, Verdict
from tests import runs
from tests.cli.conftest import afina, refused
from tests.studies import made
from tests.studies.designs import tiny_study
from tests.studies.test_strategies import study

FACTS = Facts("classification", 5000, (400, "test"), 3, 0.5, {}, "en", (12.0, 30.0), 0.0)
USUAL = ["full", "last-1", "last-2", "last-3", "head", "head-mean", "head-then-full", "gradual"]
COLUMNS = ["recipe", "accuracy", "low", "high", "sd over seeds", "validation accuracy"]


def concluded(answer: Any = "confirmed", decide: str = "", rows: list[list[Any]] | None = None) -> Summary:
    """What a study of strategies found."""
    board = Board("strategies", COLUMNS, rows or [["last-2, rate 0.0002", 0.9, 0.88, 0.92, 0.01, 0.91]])
    verdict = Verdict("A cheaper strategy than the best one is not worse", answer, "The best is full.", decide)
    chosen = {"strategy": "last-2", "training.learning_rate": 2e-4, "training.epochs": 3}
    return Summary([verdict], [board], recommended=chosen)


def test_facts_are_those_of_the_data(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    about, _ = tiny_study(tiny("bert"), tmp_path / "study")
    found = facts_of(about)
    assert (found.task, found.examples, found.compared, found.labels) == ("classification", 15, (4, "test"), 2)
    assert found.commonest == pytest.approx(9 / 15)
    assert found.rare == {"bad": 6, "good": 9}
    assert found.truncated == 0
    assert found.tokens[0] >= 5
    rows = dict(found.rows())
    assert rows["labels"] == "2, the commonest on 60%"
    assert rows["rare labels"] == "bad (6), good (9)"
    assert rows["compared on"] == "4 test examples"
    assert "truncated" not in rows
    numbers, _ = tiny_study(tiny("bert"), tmp_path / "other", "regression")
    assert facts_of(numbers).labels == 0
    assert "labels" not in dict(facts_of(numbers).rows())


@pytest.mark.parametrize(
    ("examples", "names"),
    [
        (499, ["full", "head-mean", "head", "last-3", "last-1", "last-2"]),
        (500, ["full", "last-3", "last-2", "last-1", "head-mean", "head"]),
        (10_000, ["full", "last-3", "last-2", "last-1", "head-mean", "head"]),
        (10_001, ["full", "last-3", "last-2", "last-1"]),
    ],
)
def test_candidates_suit_the_amount_of_data(examples: int, names: list[str]) -> None:
    assert candidates(made.study(examples=examples), USUAL) == names
    assert set(candidates(made.study(examples=examples), ["full", "head"])) <= {"full", "head"}


def test_reasons_are_whole_sentences() -> None:
    about = study()
    assert reasons_for(about, FACTS, concluded()) == (
        "Strategy last-2 at learning rate 0.0002. It is the cheapest that is shown to be enough. The best is full."
    )
    few = replace(FACTS, examples=120)
    assert reasons_for(about, few, concluded("undecided", "about 900 examples to compare on")) == (
        "Strategy last-2 at learning rate 0.0002. The data do not decide. The best is full. What would decide it: "
        "about 900 examples to compare on. With 120 training examples, more labels are worth more than any setting."
    )
    mean = concluded("not confirmed")
    mean = replace(mean, recommended={"strategy": "head", "model.head": "mean", "training.learning_rate": 1e-3})
    assert reasons_for(about, FACTS, mean) == "Strategy head with head mean at learning rate 0.001. The best is full."
    assert "  " not in reasons_for(about, few, concluded("not confirmed"))


def test_a_baseline_that_is_as_good_is_told() -> None:
    own = ["last-2, rate 0.0002", 0.9, 0.88, 0.92, 0.01, 0.91]
    linear = ["TF-IDF linear", 0.91, None, None, None, None]
    constant = ["constant", 0.5, None, None, None, None]
    (note,) = baseline_note(study(), concluded(rows=[own, linear, constant]))
    assert note.startswith("TF-IDF linear scores 0.9100 without any fine-tuning, no worse than the best: use it")
    assert not [*baseline_note(study(), concluded(rows=[own, constant]))]
    assert not [*baseline_note(study(), replace(concluded(), boards=[]))]
    assert "TF-IDF linear scores" in reasons_for(study(), FACTS, concluded(rows=[own, linear]))


@pytest.fixture
def files(tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings of a short study on files, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(advice, "candidates", lambda study, usual: ["full", "head"])
    runs.write_csv(Path("train.csv"), runs.reviews(24))
    runs.write_csv(Path("test.csv"), runs.reviews(8))
    return {"train": "train.csv", "test": "test.csv", "model": str(tiny("bert")), "epochs": 1, "out": "advice"}


def test_the_advised_file_trains_and_holds_its_reasons(files: dict[str, Any]) -> None:
    Path("elsewhere").mkdir()
    file = Path("elsewhere/advised.yaml")
    found = evidence.advise(budget="5h", write_to=file, progress=False, **files)
    text = file.read_text(encoding="utf-8")
    comment = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    assert comment == found.reasons
    assert max(map(len, text.splitlines())) <= 120
    assert found.reasons.startswith("Strategy ")
    assert found.reasons.endswith("examples, more labels are worth more than any setting.")
    chosen = load(file)
    assert chosen.strategy == found.summary.recommended["strategy"]
    assert chosen.training.learning_rate == found.summary.recommended["training.learning_rate"]
    assert chosen.out is None
    result = afina("train", file, "--out", "run", "--epochs", 1)
    assert result.exit_code == 0, result.output
    shown = " ".join(str(found).split())
    for words in ("training examples", "afina train elsewhere/advised.yaml", found.reasons, "study: advice"):
        assert words in shown


def test_a_file_that_can_not_be_written_is_named_before_anything_starts(files: dict[str, Any]) -> None:
    for place in ("nowhere/advised.yaml", "."):
        with pytest.raises((ConfigError, TrainingError), match=r"can't be written"):
            evidence.advise(budget="5h", write_to=place, progress=False, **files)
    assert not Path("advice").exists()
    flags = [word for name, value in files.items() for word in (f"--{name}", value)]
    refused(afina("advise", *flags, "--write", "nowhere/advised.yaml"), "there is no folder 'nowhere'; --write FILE")


def test_a_budget_that_is_too_little_names_one_that_is_enough(
    files: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SimpleNamespace(parts={"train": 50.0}, disk=0.0, shared=False)
    monkeypatch.setattr("afina.studies.plan.plan_run", lambda *_, **__: slow)
    says = r"budget: 10 s is too little: the smallest design .* \(--budget \d+m\), or take"
    with pytest.raises(ConfigError, match=says):
        evidence.advise(budget="10s", progress=False, **files)
    assert not Path("advised.yaml").exists()
