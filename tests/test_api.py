"""The application layer: what Python and the command line call."""

from __future__ import annotations

import os
import re
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina import api
from afina.errors import ConfigError, DataError
from afina.training import rundir
from afina.training.events import Begin, Done, Event, Note, Scored, Step

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("dull", "bad"))] * 6


def settings(model: Path, folder: Path, **more: Any) -> dict[str, Any]:
    """Settings of a small training."""
    return {"train": ROWS, "validation": ROWS, "model": model, "epochs": 1, "out": folder, **more}


def test_every_event_reaches_the_listener(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    heard: list[Event] = []
    run = afina.train(on_event=heard.append, **settings(tiny("bert"), tmp_path / "run"))
    assert {type(event) for event in heard} >= {Note, Begin, Step, Scored, Done}
    assert isinstance(heard[-1], Done)
    assert heard[-1].folder == run.folder
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert any("stand in train too" in note for note in notes)  # what is odd about the data is said, too


def test_a_run_is_shown_on_standard_error(
    tiny: Callable[[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(afina.AfinaWarning) as warned:
        run = afina.train(**settings(tiny("bert"), tmp_path / "run"))
    out, err = capfd.readouterr()
    assert out == ""
    assert re.search(r"^epoch 1  accuracy \d\.\d{4}  macro_f1 ", err, re.M)
    assert "columns: text = 'text'" in err
    messages = [str(one.message) for one in warned]
    assert any("stand in train too" in message for message in messages)
    assert len(set(messages)) == len(messages)
    assert {Path(one.filename) for one in warned} == {Path(__file__)}  # they point to the line that calls
    assert "stand in train too" not in err  # what Python's warnings say is not said twice
    assert list(run.warnings) == messages
    assert set(run.warnings) < set(run.notes)


def test_a_run_without_progress_is_silent_but_for_its_warnings(
    tiny: Callable[[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(afina.AfinaWarning, match="stand in train too"):
        run = afina.train(progress=False, **settings(tiny("bert"), tmp_path / "run"))
    assert capfd.readouterr() == ("", "")
    assert run.notes


def test_where_warnings_are_errors_they_can_be_silenced(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(afina.AfinaWarning):
            afina.train(progress=False, **settings(tiny("bert"), tmp_path / "one"))
        warnings.simplefilter("ignore", afina.AfinaWarning)
        assert afina.train(progress=False, **settings(tiny("bert"), tmp_path / "two")).warnings


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_an_interruption_leaves_a_checkpoint_and_says_how_to_go_on(
    tiny: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Step) and event.number == 2:
            os.kill(os.getpid(), signal.SIGINT)

    folder, epochs = tmp_path / "run", {"epochs": 3, "batch_size": 4}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt) as stop:
            afina.train(on_event=interrupt, **settings(tiny("bert"), folder, **epochs))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert str(stop.value) == f"go on with: afina.train(resume={str(folder)!r}, train=..., validation=...)"
    assert "stopping after this step and a checkpoint" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"goes on with .* moves it aside; leave one of them out"):
        afina.train(resume=folder, train=ROWS, validation=ROWS, overwrite=True)
    heard: list[Event] = []
    run = afina.train(resume=folder, train=ROWS, validation=ROWS, on_event=heard.append, progress=False)
    assert [event.number for event in heard if isinstance(event, Step)] == list(range(3, 10))
    assert run.folder == folder
    with pytest.raises(ConfigError, match="is finished"):
        afina.train(resume=folder)
    with pytest.raises(ConfigError, match="holds no unfinished run"):
        afina.train(resume=tmp_path / "nowhere")


def test_results_are_short_to_look_at_and_full_to_print(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{**row, "label": f"<b>{row['label']}</b>"} for row in ROWS]
    given = settings(tiny("bert"), tmp_path / "run", train=rows, validation=rows, test=rows[:5])
    run = afina.train(progress=False, **given)
    assert re.fullmatch(rf"Run\({tmp_path}/run: accuracy \d\.\d{{4}}( \[.*\])? on 5 test examples\)", repr(run))
    assert re.fullmatch(r"Evaluation\(accuracy \d\.\d{4}( \[.*\])?, 12 examples\)", repr(run.validation))
    assert repr(run.predictor).startswith("Predictor(classification, 2 labels, fine-tuned from ")
    assert repr(run.predictor.artifact).startswith("Artifact(classification, 2 labels")
    report, plan = afina.check(**given), afina.plan(**given)
    assert re.fullmatch(r"Report\(0 errors, \d warnings?, \d notes?\)", repr(report))
    assert re.fullmatch(r"Plan\(12 examples, 1 step in 1 epoch, about \d+ s\)", repr(plan))
    assert f"\nrun:  {run.folder}\npage: {run.folder}/report.html\nnext: afina predict " in str(run)
    for shown in (run, run.validation, report, plan):
        html = shown._repr_html_()
        assert "<b>bad" not in html
        assert "<b>good" not in html
        assert html.count("<table>") == html.count("</table>")
        assert html.startswith(("<table>", "<pre "))
    assert "&lt;b&gt;bad" in run.validation._repr_html_()
    assert "<b>bad" in str(run.validation)


def test_a_listener_that_fails_stops_the_run_and_leaves_a_checkpoint(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Step):
            raise RuntimeError("enough")

    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="enough"):
        afina.train(on_event=fail, **settings(tiny("bert"), folder))
    assert rundir.RunFolder(folder).has_checkpoint
    assert afina.train(**settings(tiny("bert"), folder)).record["status"] == "done"


def test_what_is_wrong_is_told_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    rows = [{"text": "", "label": "a"}]
    with pytest.raises(ConfigError) as error:
        afina.train(train=rows, model="./nowhere", out=folder)
    message = str(error.value)
    assert "is not empty" in message
    assert "there is no folder './nowhere'" in message
    assert "train row 1: column 'text' is empty" in message
    with pytest.raises(DataError):
        afina.train(train=rows, out=tmp_path / "new")
    assert [place.name for place in tmp_path.iterdir()] == ["mine"]


def test_the_early_checks_need_no_listener(tmp_path: Path) -> None:
    config, sources = api.configured(None, {"train": ROWS, "model": "./nowhere", "out": tmp_path / "run"})
    with pytest.raises(ConfigError, match=r"there is no folder './nowhere'"):
        api.events(config, sources)
    assert not (tmp_path / "run").exists()


def test_plan_trains_nothing(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    plan = afina.plan(**settings(tiny("bert"), tmp_path / "run"))
    assert plan.examples == len(ROWS)
    assert not (tmp_path / "run").exists()


def test_a_folder_is_inspected_once_by_a_load(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = afina.train(**settings(tiny("bert"), tmp_path / "run"))
    from afina.model import families
    from afina.model import folder as folder_of

    inspected: list[Path] = []

    def watched(folder: Path) -> Path:
        inspected.append(folder)
        return folder_of.inspect(folder)

    monkeypatch.setattr(families, "inspect", watched)
    afina.load(run.folder)
    assert inspected == [run.folder / rundir.MODEL]


def test_a_configuration_can_be_given_and_overridden(tmp_path: Path) -> None:
    config, sources = api.configured(None, {"train": ROWS, "epochs": 3, "training__layer_decay": 0.9})
    assert sources == {"train": ROWS}
    again, _ = api.configured(config, {"epochs": 4})
    assert (again.training.epochs, again.training.layer_decay) == (4, 0.9)


def test_who_takes_warnings_for_errors_finds_the_run_complete(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Warnings about the data come before the training, those about the scores when everything is saved."""

    def strict(event: Event) -> None:
        if isinstance(event, Note) and event.level == "warning" and event.text.startswith("validation has"):
            raise RuntimeError(event.text)

    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="its scores are a hint"):
        afina.train(on_event=strict, progress=False, **settings(tiny("bert"), folder))
    assert rundir.RunFolder(folder).finished
    assert not (folder / rundir.CHECKPOINTS).exists()
    assert afina.load(folder).predict("a lovely film")
