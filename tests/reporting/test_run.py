"""The page of a run: the same for every task, whole from old folders, and an error where a folder is damaged."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.errors import ConfigError
from afina.records import Example
from afina.reporting.blocks import Shown
from afina.reporting.errors import pieces_of, weighed
from afina.reporting.kinds import LONGEST, cut
from afina.reporting.phrases import Words
from afina.reporting.run import page_of, report
from afina.reporting.source import Item, opened
from afina.training import rundir
from tests.comparison.made import made, rights
from tests.reporting.conftest import TASKS, inert
from tests.runs import ROWS


def html_of(folder: Path, tmp_path: Path, **more: Any) -> str:
    return report(folder, out=tmp_path / "page.html", **{"language": "en", **more}).read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_every_task_has_a_page(task: str, language: str, runs: Callable[[str], Path], tmp_path: Path) -> None:
    html = html_of(runs(task), tmp_path, language=language)
    page = inert(html)
    assert page.named("html") == [{"lang": language}]
    keys = [one["id"] for one in page.named("section")]
    assert keys[0] == "verdict"
    assert {"answers", "errors", "training", "settings", "data", "cost", "again"} <= set(keys)
    assert len(page.named("svg")) >= 4
    for image in page.named("svg"):
        assert image["role"] == "img"
        assert len(image["aria-label"] or "") > 20
    assert not re.search(r"\b(?:nan|inf|None(?! of))\b", page.text.partition("The complete")[0])


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_has_its_numbers(task: str, runs: Callable[[str], Path], tmp_path: Path) -> None:
    html = html_of(runs(task), tmp_path)
    for figure in re.findall(r"<figure>.*?</figure>", html, re.DOTALL):
        assert figure.count("<table>") == figure.count("download=") == figure.count("<details>") == 1


def test_links_hold_the_tables(runs: Callable[[str], Path], tmp_path: Path) -> None:
    page = inert(html_of(runs("classification"), tmp_path))
    links = {one["download"]: one["href"] for one in page.named("a") if "download" in one}
    assert {"scores-test.csv", "labels.csv", "confusions.csv", "losses.csv", "seconds.csv"} <= set(links)
    data = base64.b64decode((links["scores-test.csv"] or "").partition(",")[2]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(data)))
    record = json.loads((runs("classification") / "run.json").read_text(encoding="utf-8"))
    assert float(rows[0]["model (95 % interval)"]) == record["test"]["metrics"]["accuracy"]
    assert float(rows[0]["model (95 % interval) low"]) == record["test"]["intervals"]["accuracy"][0]


def test_the_page_is_the_same_again(runs: Callable[[str], Path], tmp_path: Path) -> None:
    assert html_of(runs("tokens"), tmp_path) == html_of(runs("tokens"), tmp_path)


def test_errors_show_their_texts(tmp_path: Path, runs: Callable[[str], Path]) -> None:
    folder = shutil.copytree(runs("classification"), tmp_path / "run")
    lines = [json.loads(line) for line in (folder / rundir.PREDICTIONS).read_text(encoding="utf-8").splitlines()]
    for line in lines:
        other = {"good": "bad", "bad": "good"}[line["target"]]
        line |= {"label": other, "probabilities": {other: 0.9, line["target"]: 0.1}}
    (folder / rundir.PREDICTIONS).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / rundir.SCORES).unlink()
    html = html_of(folder, tmp_path)
    page = inert(html)
    assert "a lovely film" in page.text
    assert {one["download"] for one in page.named("a") if "download" in one} >= {"sure.csv", "typical.csv"}
    assert len([one for one in page.named("input") if one.get("name") == "sure"]) == 3  # all, good, bad
    assert "#sure:has(#sure-0:checked)" in html


def swapped(run: Path, tmp_path: Path) -> Path:
    """A copy of a run of which every prediction is wrong where it was right."""
    folder = shutil.copytree(run, tmp_path / "run")
    text = (folder / rundir.PREDICTIONS).read_text(encoding="utf-8")
    text = text.replace('"target": "good"', '"target": "x"').replace('"target": "bad"', '"target": "good"')
    (folder / rundir.PREDICTIONS).write_text(text.replace('"target": "x"', '"target": "bad"'), encoding="utf-8")
    return folder


def test_weights_of_words_are_shown(runs: Callable[[str], Path], tmp_path: Path) -> None:
    folder = swapped(runs("classification"), tmp_path)
    page = inert(html_of(folder, tmp_path, weights=lambda item: [[(2, 5, 0.6), (0, 1, -0.3)]]))
    kinds = {one.get("class") for one in page.named("span")}
    assert {"w2", "w-1"} <= kinds


def test_a_weighed_text_is_cut_as_others_are() -> None:
    text = "word " * 40_000
    for stretches in ([], [(0, 4, 1.0), (LONGEST - 2, LONGEST + 2, 0.5), (100_000, 100_004, -1.0)]):
        pieces = pieces_of(text, stretches)
        assert "".join(piece.text for piece in pieces) == "".join(piece.text for piece in cut(text))


def test_words_behind_the_shown_beginning_are_named() -> None:
    text = "word " * 1_000 + "last"
    item = Item(0, Example(text, target="bad"), {"label": "good"})
    plain = Shown("test.csv:2", [("", cut(text))], [])
    one = weighed(plain, item, Words("en"), lambda _: [[(0, 4, -0.5), (5_000, 5_004, 1.0)]])
    assert one.facts == [("counted for it", "last"), ("counted against it", "word")]


@pytest.mark.parametrize("task", ["classification", "pairs", "regression", "multilabel"])
def test_words_are_weighed_by_the_model(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = ROWS["classification" if task == "pairs" else task]
    if task == "pairs":
        rows = [{"premise": row["text"], "hypothesis": f"the {row['text']}", "label": row["label"]} for row in rows]
    run = afina.train(
        train=rows, validation=rows, task="classification" if task == "pairs" else task, model=tiny("bert"), epochs=1,
        out=tmp_path / "run", progress=False,
    )  # fmt: skip
    plain, explained = html_of(run.folder, tmp_path), html_of(run.folder, tmp_path, explain=1)
    assert "counted for it" not in plain
    assert "counted against it" in explained
    assert re.search(r'<span class="w-?[1-4]">', explained)


def test_groups_are_parts_and_intervals_count_them(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{**row, "ward": f"ward {i % 4}"} for i, row in enumerate(ROWS["classification"])]
    run = afina.train(
        train=rows, validation=rows, model=tiny("bert"), epochs=1, group_by="ward", out=tmp_path / "run", progress=False
    )
    page = inert(html_of(run.folder, tmp_path))
    for name in ("ward 0", "ward 1", "ward 2", "ward 3"):
        assert name in page.text
    assert "Examples of a group are right or wrong together" in page.text


def test_the_csv_to_relabel_is_data_again(runs: Callable[[str], Path], tmp_path: Path) -> None:
    page = inert(html_of(swapped(runs("classification"), tmp_path), tmp_path))
    link = next(str(one["href"]) for one in page.named("a") if one.get("download") == "sure.csv")
    file = tmp_path / "sure.csv"
    file.write_bytes(base64.b64decode(link.partition("base64,")[2]))
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert {"place", "text", "given", "predicted", "relabel"} <= set(rows[0])
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows({**row, "relabel": f"label {i % 2}"} for i, row in enumerate(rows))
    found = afina.check(train=str(file), text="text", label="relabel", task="classification", validation=str(file))
    assert found.examples["train"] == len(rows)
    assert not found.left_out.get("train")


def test_entities_are_marked_and_not_weighed(runs: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="explain: the page of a run of tokens marks what was found"):
        html_of(runs("tokens"), tmp_path, explain=1)


def test_parts_by_any_column(runs: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{**row, "source": "web" if i % 8 else "post"} for i, row in enumerate(ROWS["classification"])]
    data = {"test": rows[::4]}
    page = inert(html_of(runs("classification"), tmp_path, slice_by=["source"], data=data))
    assert "web" in page.text
    assert "post" in page.text
    with pytest.raises(ConfigError, match="slice: the test data have no column 'sauce'; there are: 'text', 'label'"):
        html_of(runs("classification"), tmp_path, slice_by=["sauce"], data=data)
    with pytest.raises(ConfigError, match=r"slice: .* given in memory; give them again: data="):
        html_of(runs("classification"), tmp_path, slice_by=["source"])
    with pytest.raises(ConfigError, match="has no record test row 2, which the run was scored on"):
        html_of(runs("classification"), tmp_path, slice_by=["source"], data={"test": rows[:1]})


# ---------------------------------------------------------------------------------------------------------------------
# Folders of earlier versions, and damaged ones.


@pytest.mark.parametrize("task", TASKS)
def test_an_old_folder_has_a_page(task: str, runs: Callable[[str], Path], tmp_path: Path) -> None:
    """The first format: no checks, tables or texts, and other names in the records."""
    folder = shutil.copytree(runs(task), tmp_path / "run")
    for name in (rundir.CHECK, rundir.SCORES, rundir.EXAMPLES):
        (folder / name).unlink()
    record = json.loads((folder / rundir.RUN).read_text(encoding="utf-8"))
    for name in ("warnings", "calibration", "flops", "stages", "memory", "speed", "weights", "coverage"):
        del record[name]
    for part in (record["validation"], record["test"]):
        part["details"], part["cut"], part["lost"] = part.pop("breakdown"), part.pop("truncated"), 0
        for name in ("reasons", "baselines", "calibration", "truncated_tokens"):
            del part[name]
    (folder / rundir.RUN).write_text(json.dumps(record), encoding="utf-8")
    steps = (folder / rundir.STEPS).read_text(encoding="utf-8").replace('"learning_rate"', '"rate"')
    (folder / rundir.STEPS).write_text(steps, encoding="utf-8")
    page = inert(html_of(folder, tmp_path))
    assert {"verdict", "answers", "training"} <= {one["id"] for one in page.named("section")}


def test_texts_come_from_the_data_where_the_run_kept_none(tmp_path: Path) -> None:
    from tests.runs import reviews, write_csv

    files: dict[str, Any] = {
        f"data__{name}": str(write_csv(tmp_path / f"{name}.csv", reviews(12))) for name in ("train", "test")
    }
    folder = made(tmp_path / "run", right=[False] * 12, **files)
    (folder / rundir.DATA).write_text("{}", encoding="utf-8")
    assert opened(folder).texts == "gone"
    page = page_of(opened(folder), Words("en"))
    assert page.sections


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        (rundir.RUN, b"{", r"run\.json: not a finished run"),
        (rundir.RUN, b'{"test": {}}', r"run\.json: damaged: no scores of validation"),
        (rundir.PREDICTIONS, None, r"predictions\.jsonl: can't be read"),
        (rundir.PREDICTIONS, b'{"split": "validation"}\n{"sp\n', r"predictions\.jsonl:\d+: damaged"),
        (rundir.EXAMPLES, b'{"place": "elsewhere"}\n' * 99, r"examples\.jsonl:\d+: not the example of predictions"),
        (rundir.EXAMPLES, b"\xff\xfe", r"examples\.jsonl: can't be read|examples\.jsonl:1: damaged"),
        (rundir.SCORES, b"x" * 100, r"scores\.safetensors: damaged"),
        (rundir.STEPS, b"[]\n", r"steps\.jsonl:1: damaged"),
        (rundir.EVALUATIONS, b"\0\0\n", r"evaluations\.jsonl:1: damaged"),
        (rundir.CHECK, b"{", r"check\.json: damaged"),
        (rundir.DATA, b"[]", r"data\.json: damaged"),
    ],
)
def test_a_damaged_folder_is_an_error_that_names_the_file(
    name: str, damage: bytes | None, says: str, runs: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(runs("classification"), tmp_path / "run")
    if damage is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(damage)
    with pytest.raises(ConfigError, match=says):
        html_of(folder, tmp_path)


def test_what_is_no_finished_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        report(tmp_path / "none")
    with pytest.raises(ConfigError, match="language: expected en or pt, found 'fr'"):
        report(tmp_path, language="fr")


# ---------------------------------------------------------------------------------------------------------------------
# Who writes it.


def test_a_training_writes_its_page(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = ROWS["classification"]
    run = afina.train(
        train=rows, validation=rows[::3], model=str(tiny("bert")), epochs=1, baseline="off",
        out=str(tmp_path / "run"), progress=False,
    )  # fmt: skip
    assert (run.folder / "report.html").is_file()
    assert f"page: {run.folder / 'report.html'}" in str(run)
    assert run.report(language="pt") == run.folder / "report.html"
    assert 'lang="pt"' in (run.folder / "report.html").read_text(encoding="utf-8")


def test_a_training_without_a_page_keeps_no_texts(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = ROWS["classification"]
    run = afina.train(
        train=rows, validation=rows[::3], model=str(tiny("bert")), epochs=1, baseline="off", report="off",
        out=str(tmp_path / "run"), progress=False,
    )  # fmt: skip
    assert not {"report.html", "examples.jsonl"} & {file.name for file in run.folder.iterdir()}
    assert "page:" not in str(run)
    inert(run.report(language="en").read_text(encoding="utf-8"))  # without texts


def test_a_page_that_fails_does_not_fail_the_run(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("afina.reporting.run.report", broken)
    rows = ROWS["classification"]
    run = afina.train(
        train=rows, validation=rows[::3], model=str(tiny("bert")), epochs=1, baseline="off",
        out=str(tmp_path / "run"), progress=False,
    )  # fmt: skip
    assert any(note.startswith("no page was written: a fault of ours (afina report ") for note in run.warnings)


def test_made_runs_of_many_rows(tmp_path: Path) -> None:
    folder = made(tmp_path / "run", right=rights(300, 0.7))
    (folder / rundir.DATA).write_text("{}", encoding="utf-8")
    inert(html_of(folder, tmp_path))
