"""`afina evaluate` and `afina predict`: scores, and predictions in every format."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from afina.cli.app import program
from afina.serving.predictor import Predictor
from tests.cli.conftest import ROWS, THINGS, Trained, afina, read_lines, refused, start, write_csv

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


def test_what_a_prediction_loses_is_said(trained: Trained) -> None:
    texts = write_csv(Path("long.csv"), [("cat " * 60,), ("a cat",)], ("text",))
    result = afina("predict", trained.folder, "--data", texts, "--out", "said.csv")
    assert result.exit_code == 0
    assert result.stderr == "1 text is longer than 16 tokens and loses 46 tokens\n"


def test_labels_that_training_lacks_are_counted_when_asked(trained: Trained) -> None:
    data = write_csv(Path("more.csv"), [*ROWS[:3], ("a new song", "meh")])
    assert "or --unseen count" in afina("evaluate", trained.folder, "--data", data).stderr
    result = afina("evaluate", trained.folder, "--data", data, "--unseen", "count")
    assert result.exit_code == 0, result.output
    assert re.search(r"\(unseen in training\) .* 1 +0\n", result.stdout)
    assert "expected refuse or count" in afina("evaluate", trained.folder, "--data", data, "--unseen", "x").stderr


def test_evaluate_prints_scores_and_labels(trained: Trained) -> None:
    result = afina("evaluate", trained.folder, "--data", trained.data)
    assert result.exit_code == 0, result.output
    assert re.search(r"^accuracy +\d\.\d{4} \[\d\.\d{4}, \d\.\d{4}\]  \d\.\d{4}$", result.stdout, re.M)
    assert re.search(r"^good +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +18 +\d+$", result.stdout, re.M)
    assert result.stdout.endswith("\n36 examples, none truncated\n")


def test_evaluate_takes_a_column_of_groups(trained: Trained) -> None:
    data = write_csv(Path("grouped.csv"), [(*row, str(i // 6)) for i, row in enumerate(ROWS)], ("text", "label", "who"))
    result = afina("evaluate", trained.folder, "--data", data, "--group-by", "who")
    assert result.exit_code == 0, result.output
    assert "no column 'wo'" in afina("evaluate", trained.folder, "--data", data, "--group-by", "wo").stderr


def test_evaluate_counts_what_is_cut(trained: Trained) -> None:
    write_csv(Path("long.csv"), [*ROWS[:3], ("the cat " * 30, "good")])
    said = afina("evaluate", trained.folder, "--data", "long.csv").stdout
    assert re.search(r"\n4 examples, 1 truncated, \d+ tokens lost\n$", said)


def test_evaluate_in_json_agrees_with_the_run(trained: Trained) -> None:
    record = json.loads(
        afina("evaluate", trained.folder, "--data", trained.data.with_name("test.csv"), "--json").stdout
    )
    saved = json.loads((trained.folder / "run.json").read_text(encoding="utf-8"))["test"]
    scores = {name: score["value"] for name, score in record["metrics"].items() if score["value"] is not None}
    assert {"accuracy", "macro_f1", "log_loss"} <= set(scores)
    assert scores == pytest.approx({name: saved["metrics"][name] for name in scores}, abs=1e-5)
    assert [line["label"] for line in record["breakdown"]] == ["bad", "good"]
    assert (record["examples"], record["truncated"], record["truncated_tokens"]) == (9, 0, 0)


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


@pytest.fixture
def tricky() -> Path:
    """A file of texts that trip over quoting, with their number as a second column."""
    return write_csv(Path("tricky.csv"), list(enumerate(TRICKY)), ("label", "text"))


def test_predictions_are_complete_and_in_order_in_every_format(trained: Trained, tricky: Path) -> None:
    for ending in ("csv", "tsv", "jsonl"):
        result = afina("predict", trained.folder, "--data", tricky, "--no-keep", "--out", f"out.{ending}")
        assert (result.exit_code, result.stdout) == (0, f"10 predictions: out.{ending}\n"), result.output
    objects = read_lines(Path("out.jsonl"))
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    lines = [line.split("\t") for line in Path("out.tsv").read_text(encoding="utf-8").splitlines()]
    assert list(objects[0]) == ["label", "probabilities", "confidence"]
    assert lines[0] == list(table[0]) == ["label", "confidence", "probability_bad", "probability_good"]
    assert len(objects) == len(table) == len(lines) - 1 == len(TRICKY)
    for one, row, line in zip(objects, table, lines[1:], strict=True):
        chances = [one["confidence"], *one["probabilities"].values()] if one["label"] else [None] * 3
        shown = ["" if chance is None else f"{chance:.4f}" for chance in chances]
        assert list(row.values()) == line == [one["label"] or "", *shown]
    assert [one["label"] is None for one in objects] == [not text.strip() for text in TRICKY]


def test_predictions_do_not_depend_on_their_neighbours(trained: Trained, tricky: Path) -> None:
    afina("predict", trained.folder, "--data", tricky, "--out", "all.jsonl")
    together = read_lines(Path("all.jsonl"))
    for i in (1, 2, 9):
        write_csv(Path("one.csv"), [(i, TRICKY[i])], ("label", "text"))
        (alone,) = map(json.loads, afina("predict", trained.folder, "--data", "one.csv").stdout.splitlines())
        assert alone["probabilities"] == pytest.approx(together[i]["probabilities"], abs=1e-5)


def test_kept_columns_come_first_and_unharmed(trained: Trained, tricky: Path) -> None:
    afina("predict", trained.folder, "--data", tricky, "--out", "out.csv")
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["input_label", "text", "label", "confidence", "probability_bad", "probability_good"]
    assert [row[:2] for row in rows] == [[str(i), text] for i, text in enumerate(TRICKY)]
    afina("predict", trained.folder, "--data", tricky, "--out", "out.jsonl")
    objects = read_lines(Path("out.jsonl"))
    assert [(one["input_label"], one["text"]) for one in objects] == [(str(i), text) for i, text in enumerate(TRICKY)]
    assert list(objects[0]) == ["input_label", "text", "label", "probabilities", "confidence"]


def test_in_tsv_tabs_and_newlines_become_spaces(trained: Trained, tricky: Path) -> None:
    afina("predict", trained.folder, "--data", tricky, "--out", "out.tsv")
    lines = Path("out.tsv").read_bytes().decode().split("\n")
    assert len(lines) == len(TRICKY) + 2
    assert all(line.count("\t") == 5 for line in lines[:-1])
    texts = [line.split("\t")[1] for line in lines[1:-1]]
    assert texts == [re.sub(r"[\t\r\n]", " ", text) for text in TRICKY]


def test_kept_values_of_jsonl_rows_that_differ(trained: Trained) -> None:
    rows = [{"text": "a film", "tags": ["x", 1]}, {"text": "a song", "id": 7, "probabilities": None, "ok": True}]
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    afina("predict", trained.folder, "--data", "in.jsonl", "--out", "out.csv")
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        header, *cells = csv.reader(file)
    assert header[:5] == ["text", "tags", "id", "probabilities", "ok"]
    assert [row[:5] for row in cells] == [["a film", '["x", 1]', "", "", ""], ["a song", "", "7", "", "true"]]
    afina("predict", trained.folder, "--data", "in.jsonl", "--out", "out.jsonl")
    first, second = read_lines(Path("out.jsonl"))
    assert "id" not in first
    assert second["input_probabilities"] is None


@pytest.mark.parametrize("flags", [(), ("--out", "-")])
def test_predictions_on_stdout_are_jsonl_and_nothing_else(
    trained: Trained, tricky: Path, flags: tuple[str, ...]
) -> None:
    result = afina("predict", trained.folder, "--data", tricky, *flags)
    labels = [json.loads(line)["label"] for line in result.stdout.splitlines()]
    assert [label in ("good", "bad") for label in labels] == [bool(text.strip()) for text in TRICKY]
    assert result.stderr == "2 inputs without a text, and so without an answer; the first: tricky.csv:3\n"


def test_a_device_that_is_not_there_is_refused_before_anything_else(
    trained: Trained, tricky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    refused(afina("predict", "nowhere", "--data", tricky, "--device", "cuda"), "device: cuda: torch")
    refused(afina("evaluate", "nowhere", "--data", tricky, "--device", "cuda:1"), "device: cuda:1: torch")
    refused(afina("predict", trained.folder, "--data", tricky, "--device", "gpu"), "device: expected auto, cpu, cuda")
    refused(afina("train", "--train", trained.data, "--device", "cuda", "--out", "other"), "device: cuda: torch")
    refused(
        afina("train", "--train", trained.data, "--device", "gpu", "--out", "other"), "training.device: expected auto"
    )
    assert not Path("other").exists()
    on_cpu = afina("predict", trained.folder, "--data", tricky, "--device", "cpu")
    assert on_cpu.exit_code == 0
    assert on_cpu.stdout == afina("predict", trained.folder, "--data", tricky).stdout


def test_an_unknown_ending_is_refused_before_anything_else(tricky: Path) -> None:
    refused(
        afina("predict", "runs/absent", "--data", tricky, "--out", "out.xlsx"),
        "'out.xlsx' must end in .conll, .csv, .html, .htm, .jsonl, .ndjson, .parquet, .json, .txt, .tsv",
        "`afina formats` lists them",
    )
    flags = ["--data", tricky, "--out-format"]
    refused(afina("predict", "runs/absent", *flags, "cvs"), "'cvs' is not a format, did you mean 'csv'?")
    refused(afina("predict", "runs/absent", *flags, "brat"), "brat goes to a folder, not to the standard output")


def test_a_form_that_a_task_has_not_is_refused_before_it_predicts(trained: Trained, tricky: Path, here: Path) -> None:
    for name in ("conll", "brat", "squad"):
        result = afina("predict", trained.folder, "--data", tricky, "--out", "out", "--out-format", name)
        refused(result, f"no predictions as {name}: classification ", "; there are: csv, html, jsonl, parquet, ")
    assert [path.name for path in here.iterdir()] == ["tricky.csv"]


def test_a_format_can_be_named(trained: Trained, tricky: Path) -> None:
    result = afina("predict", trained.folder, "--data", tricky, "--out-format", "csv")
    rows = list(csv.reader(io.StringIO(result.stdout, newline="")))
    assert (len(rows), rows[0][:3]) == (len(TRICKY) + 1, ["input_label", "text", "label"])
    page = afina("predict", trained.folder, "--data", tricky, "--out-format", "html", "--out", "page")
    assert (page.exit_code, page.stdout) == (0, "10 predictions: page\n")
    assert Path("page").read_text(encoding="utf-8").count("<li>") == len(TRICKY)


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

    def interrupted(*_: Any, **__: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Predictor, "stream_rows", interrupted)
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
    write_csv(Path("other.csv"), [("a film", 1)], ("words", "id"))
    refused(afina("predict", trained.folder, "--data", "other.csv"), "The columns are: 'words', 'id'")
    assert afina("predict", trained.folder, "--data", "other.csv", "--text", "words").exit_code == 0
    refused(afina("predict", trained.folder, "--data", "other.csv", "--text", "word"), "did you mean 'words'?")


def test_the_only_column_is_the_text_and_so_is_one_with_a_known_name(trained: Trained) -> None:
    for header, row in ((("palavras",), ("a film",)), (("id", "sentence"), (1, "a film"))):
        write_csv(Path("other.csv"), [row], header)
        result = afina("predict", trained.folder, "--data", "other.csv")
        assert result.exit_code == 0
        assert result.stderr == (
            f"the model was trained on 'text'; here {header[-1]!r} is read (--text NAME for another)\n"
        )
        refused(afina("predict", trained.folder, "--data", "other.csv", "--text", "x"), "no column 'x'")


def answers(result: Result) -> list[Any]:
    """Predictions on stdout."""
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


TEXTS = ["a great film", "an awful song", "ação, 🎉"]


def test_texts_in_every_form_have_the_same_answers(trained: Trained) -> None:
    expected = answers(afina("predict", trained.folder, "--no-keep", *TEXTS))
    assert len(expected) == 3
    lines = "\n".join(TEXTS) + "\n"
    table = "id,text\n" + "".join(f'{i},"{text}"\n' for i, text in enumerate(TEXTS))
    objects = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
    column = "text\n" + lines
    for ending, content in ((".txt", lines), ("", lines), (".csv", table), (".jsonl", objects), (".txt", column)):
        Path(f"data{ending}").write_text(content, encoding="utf-8")
        assert answers(afina("predict", trained.folder, "--no-keep", "--data", f"data{ending}")) == expected
        assert answers(piped(content, "predict", trained.folder, "--no-keep", "--data", "-")) == expected


def piped(content: str, *arguments: object) -> Result:
    """Run a command with something on its standard input."""
    return CliRunner().invoke(program(), [str(argument) for argument in arguments], input=content.encode())


def test_what_comes_through_a_pipe_is_read_in_a_process_of_its_own(trained: Trained) -> None:
    for flags in ((), ("--data", "-")):
        process = start("predict", trained.folder, *flags, stdin=subprocess.PIPE)
        stdout, stderr = process.communicate("a great film\n\n", timeout=120)
        assert process.returncode == 0, stderr
        assert [json.loads(line)["label"] is None for line in stdout.splitlines()] == [False, True]
        assert stderr == (
            "stdin: read as texts, one a line (--format NAME for another)\n"
            "1 input without a text, and so without an answer; the first: stdin:2\n"
        )


def test_what_can_not_be_asked(trained: Trained) -> None:
    Path("x.csv").write_text("text\na\n", encoding="utf-8")
    ask = ("predict", trained.folder)
    refused(afina(*ask), "nothing to predict: give a text, or name data")
    refused(piped("", *ask, "--data", "-"), "stdin: nothing came in")
    refused(afina(*ask, "a text", "--data", "x.csv"), "--data 'x.csv' and a text are given")
    refused(afina(*ask, "x.csv"), "a file of this name exists; did you mean --data x.csv?")
    refused(afina(*ask, "y.csv"), "looks like the name of a file, and there is none")
    refused(afina(*ask, "--data", "a great film"), "if this is a text: afina predict RUN 'a great film'")
    refused(afina(*ask, "--question", "who?", "--context", "a film"), "a model of classification takes a text")
    refused(afina(*ask, "a text", "--context", "a film"), "one of them is enough")
    refused(piped("id,text\n1,a\n2\n", *ask, "--data", "-"), "stdin:3: found 1 field")


def test_evaluate_reads_the_standard_input(trained: Trained) -> None:
    said = piped(trained.data.read_text(encoding="utf-8"), "evaluate", trained.folder, "--data", "-", "--json")
    assert said.stdout == afina("evaluate", trained.folder, "--data", trained.data, "--json").stdout
    refused(piped("", "evaluate", trained.folder, "--data", "-"), "stdin: nothing came in")


def test_a_number_for_a_pair_of_texts(trained: Trained) -> None:
    rows = [(text, f"the {thing}", i) for i, (text, _) in enumerate(ROWS[:24]) for thing in THINGS[:1]]
    write_csv(Path("pairs.csv"), rows, ("a", "b", "score"))
    flags = ["--task", "regression", "--model", trained.model, "--epochs", 1, "--text", "a", "--pair", "b"]
    result = afina("train", "--train", "pairs.csv", *flags, "--out", "run", "--json")
    assert result.exit_code == 0, result.output
    assert "pearson" in json.loads(result.stdout)["validation"]
    afina("predict", "run", "--data", "pairs.csv", "--out", "out.csv")
    header, *lines = Path("out.csv").read_text(encoding="utf-8").splitlines()
    assert (header, len(lines)) == ("a,b,input_score,score", 24)
    assert all(isinstance(float(line.split(",")[-1]), float) for line in lines)
    refused(afina("predict", "run", "--data", "pairs.csv", "--pair", "c"), "'c'", "The columns are")
    first = json.loads(afina("predict", "run", ROWS[0][0], f"the {THINGS[0]}").stdout)["score"]
    assert first == pytest.approx(float(lines[0].split(",")[-1]), abs=1e-5)
    for texts in (("a text",), ("a", "b", "c")):
        refused(afina("predict", "run", *texts), f"expected two texts (a, b), found {len(texts)}")
