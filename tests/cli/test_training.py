"""`afina train` and `afina plan`: what they print, what they leave on disk, and what they refuse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from tests.cli.conftest import ROWS, Trained, afina, refused, write_csv


def test_training_prints_notes_evaluations_scores_and_the_next_command(trained: Trained) -> None:
    said = trained.said.stdout
    assert trained.said.stderr == ""
    assert "columns: text = 'text', label = 'label'" in said
    assert "held out" in said
    assert re.search(r"^epoch 1  accuracy \d\.\d{4}  macro_f1 \d\.\d{4} .*\(best\)  [\d,]+ tokens/s$", said, re.M)
    assert re.search(r"^epoch 2  accuracy ", said, re.M)
    assert re.search(r"^warning: validation has \d+ examples: its scores are a hint at most", said, re.M)
    heading = r"metric +model \(95 % interval\) +commonest label \((good|bad)\)  TF-IDF linear$"
    assert re.search(rf"^validation, \d+ examples \(chose the epoch\)\n{heading}", said, re.M)
    assert re.search(rf"^test, 9 examples\n{heading}", said, re.M)
    assert len(re.findall(r"^accuracy +\d\.\d{4}( \[\d\.\d{4}, \d\.\d{4}\])?  +\d\.\d{4} +\d\.\d{4}$", said, re.M)) == 2
    assert re.search(r"^labels of test\nlabel  precision  recall  f1 +support  predicted\nbad ", said, re.M)
    assert f"run:  {trained.folder}\npage: {trained.folder}/report.html\n" in said
    assert f"\nnext: afina predict {trained.folder} --data FILE --out predictions.csv\n" in said
    assert "\x1b" not in said
    assert (trained.folder / "model" / "afina.json").is_file()


def test_quiet_prints_the_result_only(trained: Trained) -> None:
    said = afina("train", *trained.flags, "--out", "run", "--quiet").stdout
    assert said.startswith("\nvalidation, ")
    assert "epoch " not in said
    assert "run:  run\n" in said


def test_json_is_one_object(trained: Trained) -> None:
    result = afina("train", *trained.flags, "--json")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    record = json.loads(line)
    assert record["folder"] == str(Path("runs/classification-full-0"))
    assert set(record["validation"]["accuracy"]) == {"value", "low", "high"}
    assert record["test"] is None
    assert set(record["baselines"]["validation"]) == {"commonest label (bad)", "TF-IDF linear"}
    assert {"code", "message"} == set(record["warnings"][0])
    assert record["best_epoch"] == 1
    assert record["parameters"]["trained"] > 0
    assert record["seconds"]["train"] > 0


def test_without_baselines_the_table_has_the_model_alone(trained: Trained) -> None:
    result = afina("train", *trained.flags, "--baseline", "off", "--out", "run")
    assert result.exit_code == 0, result.output
    assert re.search(r"^metric +value \(95 % interval\)$", result.stdout, re.M)
    assert "TF-IDF" not in result.stdout
    refused(afina("train", *trained.flags, "--baseline", "maybe"), "training.baseline", "'on' or 'off'", "'maybe'")


def test_a_second_run_gets_a_folder_of_its_own(trained: Trained) -> None:
    first, second = (json.loads(afina("train", *trained.flags, "--json").stdout)["folder"] for _ in range(2))
    assert first != second
    assert Path(second).is_dir()


def test_a_plan_trains_nothing(trained: Trained) -> None:
    result = afina("plan", *trained.flags, "--strategy", "head")
    assert result.exit_code == 0, result.output
    assert re.search(r"^expected time +about \d+ s$", result.stdout, re.M)
    assert not Path("runs").exists()
    assert json.loads(afina("plan", *trained.flags, "--json").stdout)["epochs"] == 1


def test_every_mistake_in_the_configuration_at_once() -> None:
    Path("config.yaml").write_text("trainin: {}\ntraining: {epoch: 3, clip: -1}\nseed: x\n", encoding="utf-8")
    result = afina("train", "config.yaml", "--strategy", "some", "--dropout", "2", "--set", "data.hold_out=3")
    refused(result, "did you mean 'training'?", "did you mean 'epochs'?", "training.clip", "seed", "strategy",
            "model.dropout", "data.hold_out")  # fmt: skip
    assert len(re.findall(r"^  \S", result.stderr, re.M)) == 7


def test_no_training_data() -> None:
    refused(afina("train"), "error: data.train: name the training data (--train FILE)")


def test_every_missing_file_at_once(trained: Trained) -> None:
    result = afina("train", "--train", "a.csv", "--validation", "b.csv", "--model", "./nowhere", "--out", "run")
    refused(result, "there is no such file (2 of the kind: a.csv, b.csv)", "no folder './nowhere'")
    assert not Path("run").exists()


def test_a_missing_configuration() -> None:
    refused(afina("train", "absent.yaml"), "absent.yaml: there is no such file")


def test_an_unknown_column_lists_the_columns(trained: Trained) -> None:
    result = afina("train", *trained.flags, "--text", "txt", "--out", "run")
    refused(result, "'txt'", "did you mean 'text'?", "The columns are: 'text', 'label'")
    assert not Path("run").exists()


def test_an_unknown_strategy(trained: Trained) -> None:
    refused(
        afina("train", *trained.flags, "--strategy", "half"),
        "expected full, head, last-N, head-then-full, head-then-last-N, gradual or biases",
        "'half'",
    )
    refused(afina("train", *trained.flags, "--strategy", "last-9", "--quiet"), "the model has 3 layers")


def test_an_unknown_task() -> None:
    refused(afina("train", "--task", "clasification"), "did you mean 'classification'?", "regression")


def test_a_folder_that_is_not_empty(trained: Trained) -> None:
    refused(afina("train", *trained.flags, "--out", trained.folder, "--quiet"), "holds a finished run")
    Path("some").mkdir()
    Path("some/file").write_text("mine")
    refused(afina("train", *trained.flags, "--out", "some", "--quiet"), "is not empty")


def test_a_run_that_is_in_the_way_is_moved_aside(trained: Trained) -> None:
    shutil.copytree(trained.folder, "run")
    weights = Path("run/model/model.safetensors").read_bytes()
    refused(afina("train", *trained.flags, "--out", "run"), "move it aside (--overwrite)")
    refused(afina("train", *trained.flags, "--out", "run", "--overwrite", "--text", "txt"), "'txt'")
    again = ("--model", "run", "--out", "run", "--overwrite")
    refused(afina("train", *trained.flags, *again), "run holds the model of the new run")
    assert not Path("run.old-1").exists()
    result = afina("train", *trained.flags, "--out", "run", "--overwrite", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "run: the run that was there is now run.old-1" in result.stdout
    assert Path("run.old-1/model/model.safetensors").read_bytes() == weights
    assert Path("run/run.json").exists()
    assert afina("train", *trained.flags, "--out", "run", "--overwrite", "--quiet").exit_code == 0
    assert Path("run.old-2").exists()


def test_what_is_no_run_is_never_moved(trained: Trained) -> None:
    Path("some").mkdir()
    Path("some/file").write_text("mine")
    refused(afina("train", *trained.flags, "--out", "some", "--overwrite"), "is not empty, and holds no run of afina")
    assert [path.name for path in Path().iterdir()] == ["some"]


def test_broken_rows_are_all_listed(trained: Trained) -> None:
    write_csv(Path("train.csv"), [*ROWS, ("", "good"), ("a film", "")])
    result = afina("train", "--train", "train.csv", "--model", trained.model)
    refused(result, f"train.csv:{len(ROWS) + 2}: ", f"train.csv:{len(ROWS) + 3}: ")
