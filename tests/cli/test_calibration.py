"""`afina calibrate`, `evaluate --calibration --precision --alpha`, `predict --alpha`: what they print, and cures."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, Trained, afina, refused, write_csv

LABELLED = ROWS * 3


@pytest.fixture
def data() -> Path:
    """Labelled rows, enough for every promise."""
    return write_csv(Path("labelled.csv"), LABELLED)


@pytest.fixture
def run(trained: Trained, data: Path) -> Path:
    """A copy of a run that was calibrated with these rows."""
    shutil.copytree(trained.folder, "run")
    result = afina("calibrate", "run", "--data", data)
    assert result.exit_code == 0, result.output
    return Path("run")


def test_calibrate_says_what_it_fitted_and_writes_it(trained: Trained, data: Path) -> None:
    shutil.copytree(trained.folder, "run")
    before = afina("predict", "run", "--data", data, "--no-keep").stdout
    result = afina("calibrate", "run", "--data", data)
    assert result.exit_code == 0, result.output
    file = Path("run/model/afina.json")
    first, second, third = result.stdout.splitlines()
    temperature = re.fullmatch(r"temperature ([\d.]+); 108 scores for prediction sets", first)
    assert temperature is not None
    assert second == f"108 examples of labelled.csv: {file}"
    assert third == "card: run/model/README.md"
    known = json.loads(file.read_text(encoding="utf-8"))["fitted"]["calibration"]
    assert known["temperature"] == pytest.approx(float(temperature[1]), rel=1e-4)
    assert known["examples"] == len(known["scores"]) == 108
    labels = [[json.loads(line)["label"] for line in text.splitlines()] for text in
              (before, afina("predict", "run", "--data", data, "--no-keep").stdout)]  # fmt: skip
    assert labels[0] == labels[1]


def test_the_card_of_a_calibrated_model_claims_nothing_of_its_old_probabilities(trained: Trained, data: Path) -> None:
    shutil.copytree(trained.folder, "run")
    card = Path("run/model/README.md")
    assert afina("card", "run", "--language", "pt").exit_code == 0
    assert "Quão honestas são as confianças" in card.read_text(encoding="utf-8")
    assert afina("calibrate", "run", "--data", data).exit_code == 0
    said = card.read_text(encoding="utf-8")
    assert "as probabilidades foram reajustadas, com 108 exemplos" in said
    assert "Quão honestas" not in said


def test_a_card_that_somebody_changed_stays(trained: Trained, data: Path) -> None:
    shutil.copytree(trained.folder, "run")
    card = Path("run/model/README.md")
    card.write_text("mine", encoding="utf-8")
    result = afina("calibrate", "run", "--data", data)
    assert result.exit_code == 0, result.output
    assert "card" not in result.stdout
    assert card.read_text(encoding="utf-8") == "mine"


def test_evaluate_prints_how_honest_confidences_are(run: Path, data: Path) -> None:
    plain = afina("evaluate", run, "--data", data).stdout
    result = afina("evaluate", run, "--data", data, "--calibration")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(plain)
    more = result.stdout.removeprefix(plain)
    for name in ("log_loss", "brier", "calibration_error"):
        assert re.search(rf"^{name}\w* +\d\.\d{{4}}", more, flags=re.MULTILINE), more
    assert re.search(r"^confidence +labels +mean confidence +right \(95 % interval\)$", more, flags=re.MULTILINE)
    assert re.search(r"^100\.0% +108 +0\.\d+ +[01]\.\d{4}", more, flags=re.MULTILINE)
    assert "area under risk and coverage" in more


def test_evaluate_finds_a_threshold_and_measures_sets(run: Path, data: Path) -> None:
    result = afina("evaluate", run, "--data", data, "--precision", 0.5, "--alpha", 0.1)
    assert result.exit_code == 0, result.output
    assert re.search(
        r"^precision 0\.5: (from confidence 0\.\d+ on, [\d,]+ of 108 labels \(\d+\.\d%\); |no threshold, for )",
        result.stdout, flags=re.MULTILINE,
    )  # fmt: skip
    held = re.search(
        r"^sets at alpha 0\.1 \(wanted 0\.9\): hold what is right for ([01]\.\d+) \[.*\] of 108 examples; labels a ",
        result.stdout, flags=re.MULTILINE,
    )  # fmt: skip
    assert held is not None
    assert float(held[1]) >= 0.9  # the very data that the scores are of
    assert "area under risk" not in result.stdout  # tables only where they are asked for
    record = json.loads(afina("evaluate", run, "--data", data, "--precision", 0.5, "--alpha", 0.1, "--json").stdout)
    assert record["calibration"]["coverage"]["alpha"] == 0.1
    assert record["calibration"]["threshold"]["wanted"] == 0.5
    assert "calibration" not in json.loads(afina("evaluate", run, "--data", data, "--json").stdout)


def test_predict_writes_sets(run: Path, data: Path) -> None:
    result = afina("predict", run, "--data", data, "--alpha", 0.1, "--out", "sets.csv")
    assert (result.exit_code, result.stdout) == (0, "108 predictions: sets.csv\n"), result.output
    with Path("sets.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    held = [row["input_label"] in row["set"] for row in rows]
    assert sum(held) / len(held) >= 0.9
    assert all(row["label"] in row["set"] for row in rows)


WRONG = [
    (("evaluate", "--alpha", 0), "alpha: expected a share above 0 and below 1, such as 0.1, found 0.0"),
    (("evaluate", "--alpha", 1.5), "alpha: expected a share above 0 and below 1, such as 0.1, found 1.5"),
    (("predict", "--alpha", -1), "alpha: expected a share above 0 and below 1, such as 0.1, found -1.0"),
    (("evaluate", "--precision", 1), "precision: expected a share above 0 and below 1, such as 0.95, found 1.0"),
    (("evaluate", "--precision", 95), "precision: expected a share above 0 and below 1, such as 0.95, found 95.0"),
    (("predict", "--alpha", 0.001), "alpha: 0.001 needs 999 labelled examples or more"),
]


@pytest.mark.parametrize(("flags", "says"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_values_are_refused_with_a_cure(flags: tuple[object, ...], says: str, run: Path, data: Path) -> None:
    command, *rest = flags
    refused(afina(command, run, "--data", data, *rest), says)


def test_the_cure_of_too_few_scores_cures(trained: Trained, data: Path) -> None:
    shutil.copytree(trained.folder, "run")
    says = afina("predict", "run", "--data", data, "--alpha", 0.05)
    refused(says, "afina calibrate RUN --data FILE takes them from labelled data")
    assert afina("calibrate", "run", "--data", data).exit_code == 0
    assert afina("predict", "run", "--data", data, "--alpha", 0.05).exit_code == 0


def test_what_can_not_be_calibrated_is_refused(trained: Trained, data: Path) -> None:
    refused(afina("calibrate", "nowhere", "--data", data), "there is no folder 'nowhere'")
    refused(afina("calibrate", trained.model, "--data", data), "only models that afina saved have one")
    refused(afina("calibrate", trained.folder), "Missing option '--data'")
    bare = write_csv(Path("bare.csv"), [(text,) for text, _ in ROWS], ("text",))
    refused(afina("calibrate", trained.folder, "--data", bare), "label: the data have no column 'label'")
