"""A run in a notebook: one output, which a saved notebook keeps as it was at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from afina import notebook
from afina.training.events import Begin, Event, Note, Progress, Scored, Step

SAID: list[Event] = [
    Note("columns: text = '<b>x</b>'"),
    Note("odd", "warning"),
    Progress("tokens of train", 0.25),
    Begin(2, 2, "accuracy", 60.0),
    Step(1, 0, True, 0.5, 1e-4, 1.0, 100, 120, 2048),
    Scored(1, 1, {"accuracy": 0.25, "macro_f1": 0.5}, True, loss=0.75, training_loss=0.5),
    Step(2, 1, True, 0.5, 1e-4, 1.0, 100, 120, 2048),
]


class Output:
    """What IPython's `display` gives, and all that was shown in its place."""

    def __init__(self, bundle: dict[str, str]) -> None:
        self.shown = [bundle]

    def update(self, bundle: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(bundle)


def displayed(monkeypatch: pytest.MonkeyPatch, said: list[Event], **more: Any) -> list[dict[str, str]]:
    """Everything that a cell shows, in turn."""
    outputs: list[Output] = []

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Output:
        assert raw
        assert display_id
        outputs.append(Output(bundle))
        return outputs[-1]

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    assert list(notebook.cell(iter(said), **more)) == said
    (output,) = outputs
    return output.shown


def test_a_cell_has_one_output_that_ends_without_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = displayed(monkeypatch, SAID)
    last = shown[-1]
    assert "<progress" in shown[-2]["text/html"]
    assert "<progress" not in last["text/html"]
    assert "&lt;b&gt;x" in last["text/html"]
    assert "<b>" not in last["text/html"]
    assert last["text/plain"].splitlines()[:2] == ["columns: text = '<b>x</b>'", "warning: odd"]
    assert [line.split() for line in last["text/plain"].splitlines()[-2:]] == [
        ["epoch", "training", "loss", "validation", "loss", "accuracy", "macro_f1"],
        ["1", "0.5000", "0.7500", "0.2500", "0.5000", "best", "so", "far"],
    ]


def test_warnings_can_be_left_to_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "odd" not in displayed(monkeypatch, SAID, warned=False)[-1]["text/plain"]


def test_a_thousand_quick_steps_are_drawn_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Event] = [Step(n, 0, False, 0.5, 1e-4, 1.0, 100, 120, 2048) for n in range(1, 1001)]
    assert len(displayed(monkeypatch, [Begin(1000, 1, "accuracy"), *steps])) < 100


def test_a_program_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not notebook.in_notebook()
    for shell, expected in [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)]:
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert notebook.in_notebook() is expected


CELLS = [
    "import os, signal, afina",
    "rows = [{'text': f'a {word} {n}', 'label': word} for n in range(12) for word in ('<b>good', 'bad')]\n"
    "more = {'train': rows, 'validation': rows[:6], 'model': MODEL, 'batch_size': 4}",
    "run = afina.train(out='run', epochs=2, **more)",
    "run",
    "def stop(event):\n"
    "    if type(event).__name__ == 'Step' and event.number == 2:\n"
    "        os.kill(os.getpid(), signal.SIGINT)\n"
    "afina.train(out='other', epochs=5, on_event=stop, **more)",
    "afina.train(resume='other', progress=False, **{name: more[name] for name in ('train', 'validation')})",
]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_a_saved_notebook(tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    sources = [f"MODEL = {str(tiny('bert'))!r}", *CELLS]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=300, allow_errors=True, resources=resources).execute()
    *_, trained, shown, stopped, resumed = [cell.outputs for cell in book.cells]
    (drawn,) = [output.data for output in trained if output.output_type == "display_data"]
    assert drawn["text/html"].count("<tr>") == 3
    assert "<progress" not in drawn["text/html"]
    warned = "".join(output.text for output in trained if output.output_type == "stream")
    assert warned.count("AfinaWarning: validation: 6 examples (100.0%) stand in train too") == 1
    assert "IProgress" not in warned
    assert shown[0].data["text/plain"].startswith("Run(run: accuracy ")
    assert "<table>" in shown[0].data["text/html"]
    (error,) = [output for output in stopped if output.output_type == "error"]
    assert error.ename == "KeyboardInterrupt"
    assert error.evalue == "go on with: afina.train(resume='other', train=..., validation=...)"
    assert resumed[-1].data["text/plain"].startswith("Run(other: accuracy ")
    assert shown[0].data["text/html"].count("<svg ") == 2
    assert len(nbformat.writes(book)) < 60_000
