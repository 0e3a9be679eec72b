"""The page of a study: every design has one, whole and inert, and an error where a folder is damaged."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.errors import ConfigError
from afina.reporting.ending import with_page
from afina.reporting.english import said, translated
from afina.reporting.phrases import Words
from afina.reporting.report import report
from afina.studies import base
from afina.studies.events import Concluded
from afina.studies.folder import STUDY, SUMMARY, TIMES, StudyFolder, plain
from afina.studies.runner import stream_study
from afina.studies.summaries import Board, Figure, Series, Summary, Verdict
from afina.training import rundir
from afina.training.events import Note
from tests.reporting.conftest import inert
from tests.reporting.test_inert import NAUGHTY
from tests.runs import events, finished
from tests.studies.designs import tiny_study
from tests.studies.test_contract import smallest

NAMES = base.names()
BAD = "".join(NAUGHTY)


def html_of(folder: Path, tmp_path: Path, **more: Any) -> str:
    return report(folder, out=tmp_path / "page.html", **{"language": "en", **more}).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, for what reads runs."""
    folder = tmp_path_factory.mktemp("run") / "run"
    finished(events(tiny("bert"), folder, training__epochs=1))
    return folder


@pytest.fixture(scope="module")
def studied(
    trained: Path, tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The folder of a small study of a design, made when first asked for. Nobody may change it."""
    root = tmp_path_factory.mktemp("studied")

    def folder(name: str) -> Path:
        path = root / name
        if not path.exists():
            if name == "sweep":
                pytest.importorskip("optuna", reason="the extra sweep is not installed (pip install 'afina[sweep]')")
            study, _ = tiny_study(tiny("bert"), path, training__epochs=1)
            assert isinstance([*stream_study(name, smallest(name, trained), study)][-1], Concluded)
        return path

    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_design_has_a_page(name: str, studied: Callable[[str], Path], tmp_path: Path) -> None:
    folder = studied(name)
    for language in ("en", "pt"):
        html = html_of(folder, tmp_path, language=language)
        page = inert(html)
        assert page.named("html") == [{"lang": language}]
        keys = [one["id"] for one in page.named("section")]
        assert keys[0] == "verdict"
        assert keys[-1] == "again"
        assert f"afina study {name}" in page.text
        assert not re.search(r"\b(?:nan|inf|None(?! of|,))\b", page.text.partition(f"afina study {name}")[0])
        found = StudyFolder(folder).found()
        assert len(page.named("svg")) == len(found.figures)
        for figure in re.findall(r"<figure>.*?</figure>", html, re.DOTALL):
            assert figure.count("<table>") == figure.count("download=") == figure.count("<details>") == 1
        assert html == html_of(folder, tmp_path, language=language)


@pytest.mark.parametrize("name", NAMES)
def test_trials_write_no_pages(name: str, studied: Callable[[str], Path]) -> None:
    assert not [*studied(name).rglob(rundir.REPORT)]


@pytest.mark.parametrize("name", NAMES)
def test_a_summary_is_read_as_it_was_written(name: str, studied: Callable[[str], Path]) -> None:
    folder = StudyFolder(studied(name))
    assert plain(folder.found().record()) == folder.summary()
    results = folder.results()
    assert [folder.result(one.trial) for one in results] == results


def made(folder: Path, **parts: Any) -> Path:
    """The folder of a study that says something, without trials."""
    folder.mkdir(parents=True)
    about = {"study": "strategies", "options": {}, "config": {"task": "classification"}, "examples": {}, "budget": None}
    (folder / STUDY).write_text(json.dumps(about | parts), encoding="utf-8")
    return folder


def test_what_a_study_says_is_inert(tmp_path: Path) -> None:
    folder = made(
        tmp_path / "<study> & 'x' \u202e",
        study=BAD, options={"names": [BAD]},
        config={"task": BAD, "data": {"train": BAD}, "model": {"name": BAD}, "options": {"label": BAD}},
    )  # fmt: skip
    summary = Summary(
        [Verdict(BAD, "undecided", BAD, BAD)],
        [Board(BAD, [BAD, "low", "high"], [[BAD, None, 1.0], [0.5, 0.25, 0.75]])],
        [Figure(BAD, BAD, BAD, [Series(BAD, [1, 2], [0.5, 0.25]), Series(BAD, [1], [0.5], points=[BAD])], True)] * 2,
        [Board(BAD, [BAD], [[BAD]] * 30)],
        [BAD],
        {"strategy": BAD},
    )
    StudyFolder(folder).write(SUMMARY, plain(replaced(summary.record())))
    StudyFolder(folder).write(TIMES, replaced([{"title": BAD, "columns": [BAD], "rows": [[BAD]] * 30}]))
    for language in ("en", "pt"):
        html = html_of(folder, tmp_path, language=language)
        assert "&lt;script&gt;" in html
        inert(html)
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)


def replaced(tree: Any) -> Any:
    """A tree without half of a surrogate pair, which no file can hold."""
    return json.loads(json.dumps(tree).replace("\\ud800", ""))


def test_a_verdict_says_whether_and_what_would_decide(tmp_path: Path) -> None:
    folder = made(tmp_path / "study")
    summary = Summary(
        [Verdict("It helps", "confirmed", "By 0.1."), Verdict("It hurts", "undecided", "Who knows.", "3 seeds")]
    )
    StudyFolder(folder).conclude(summary)
    page = inert(html_of(folder, tmp_path))
    assert "It helps: confirmed" in page.text
    assert re.search(r"It hurts\s*undecided\s*3 seeds", page.text)
    portuguese = html_of(folder, tmp_path, language="pt")
    assert 'lang="en">It helps</bdi></b>: <span class="answer">confirmado' in portuguese


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda folder: (folder / SUMMARY).unlink(), r"study: an unfinished study \(no summary.json\); the line"),
        (lambda folder: (folder / SUMMARY).write_text("{"), r"summary.json: can't be read: .*; remove it"),
        (lambda folder: (folder / SUMMARY).write_text('{"verdicts": [1]}'), r"summary.json: damaged: .*; remove it"),
        (lambda folder: (folder / TIMES).write_text("{}"), r"times.json: damaged: expected a list of objects"),
        (lambda folder: (folder / STUDY).write_text("{}"), r"study.json: damaged: no study; "),
        (lambda folder: (folder / STUDY).unlink(), r"neither a run \(no config.yaml\) nor a study \(no study.json\)"),
    ],
)
def test_a_damaged_folder_is_named(break_it: Callable[[Path], Any], said: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "study")
    StudyFolder(folder).conclude(Summary([Verdict("It helps", "confirmed", "By 0.1.")]))
    html_of(folder, tmp_path)
    break_it(folder)
    with pytest.raises(ConfigError, match=said):
        html_of(folder, tmp_path)


def test_a_damaged_result_is_named(studied: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(studied("strategies"), tmp_path / "study")
    file = next((folder / "results").glob("*.json"))
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{re.escape(str(file))}: damaged: "):
        html_of(folder, tmp_path)


def test_trials_whose_folders_are_gone_are_listed(studied: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(studied("strategies"), tmp_path / "study")
    shutil.rmtree(folder / "trials")
    assert "done; its folder is gone" in inert(html_of(folder, tmp_path)).text


def test_a_study_has_no_slices_and_no_errors(tmp_path: Path) -> None:
    folder = made(tmp_path / "study")
    with pytest.raises(ConfigError, match=r"slice: .*study is a study"):
        report(folder, slice_by=["source"])
    with pytest.raises(ConfigError, match=r"explain: .*study is a study"):
        report(folder, explain=3)


def toy(folder: Path, model: Path, rows: list[dict[str, Any]], **more: Any) -> Any:
    return afina.study(
        "strategies", train=rows, validation=rows, test=rows, model=str(model), out=str(folder), epochs=1, seeds=1,
        options={"names": ["head"], "factors": [1.0]}, progress=False, **more,
    )  # fmt: skip


def test_a_study_ends_with_its_page(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{"text": f"word {i}", "label": "ab"[i % 2]} for i in range(12)]
    run = toy(tmp_path / "study", tiny("bert"), rows)
    page = tmp_path / "study" / rundir.REPORT
    assert str(page) in str(run)
    before = page.read_bytes()
    page.unlink()
    # The same call goes on, which here is to write the page.
    assert toy(tmp_path / "study", tiny("bert"), rows).report(language="en") == page
    assert inert(before.decode()).named("section")
    off = toy(tmp_path / "off", tiny("bert"), rows, report="off")
    assert not (off.folder / rundir.REPORT).exists()
    assert rundir.REPORT not in str(off)


def test_a_page_that_cant_be_written_is_a_warning(tmp_path: Path) -> None:
    folder = made(tmp_path / "study")
    end = Concluded(folder, Summary([]))
    note, last = with_page(one for one in [end])
    assert isinstance(note, Note)
    assert note.level == "warning"
    assert note.text.startswith("no page was written: ")
    assert last is end


@pytest.mark.parametrize("name", NAMES)
def test_claims_and_names_of_a_study_are_portuguese_on_a_portuguese_page(
    name: str, studied: Callable[[str], Path]
) -> None:
    found, words = StudyFolder(studied(name)).found(), Words("pt")
    for verdict in found.verdicts:
        assert translated(verdict.claim, words) is not None, verdict.claim
    for figure in found.figures:
        for text in (figure.title, figure.x, figure.y):
            assert translated(text, words) is not None, text


def test_what_the_catalogue_does_not_know_stays_english() -> None:
    assert translated("about 16 seeds (--seeds 16)", Words("pt")) == "cerca de 16 sementes (--seeds 16)"
    assert (
        translated("accuracy on test by number of labels", Words("pt")) == "exatidão em teste por número de etiquetas"
    )
    assert translated("0.5 of <b>", Words("pt")) is None
    assert str(said("0.5 of <b>", Words("pt"))) == '<bdi lang="en">0.5 of &lt;b&gt;</bdi>'
    assert str(said("0.5 of <b>", Words("en"))) == "<bdi>0.5 of &lt;b&gt;</bdi>"


def test_a_sentence_is_never_half_translated() -> None:
    words = Words("pt")
    for text in (
        "accuracy on test by number of labels, with 95% intervals over seeds and examples",
        "the constant answer has accuracy 0.4992 on test",
    ):
        assert translated(text, words) in (None, text)
    assert translated("accuracy on test", words) == "exatidão em teste"
