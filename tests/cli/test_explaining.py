"""`afina explain`: for people, for programs, and in words what is wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

import afina as package
from afina.cli import explaining
from tests.cli.conftest import Trained, afina, refused, write_csv

TEXT = "a lovely film"


def test_the_words_of_a_text(trained: Trained) -> None:
    result = afina("explain", trained.folder, TEXT)
    assert result.exit_code == 0, result.output
    text, head, names, *lines = result.stdout.splitlines()
    label = package.load(trained.folder).predict(TEXT)
    assert text == TEXT
    assert head.startswith(f"{label} 0.")
    assert names.split() == ["weight", "word"]
    assert {line.split()[-1] for line in lines} == {"a", "lovely", "film"}
    assert "\x1b" not in result.stdout
    assert afina("explain", trained.folder, "--text", TEXT).stdout == result.stdout
    short = afina("explain", trained.folder, TEXT, "--top", 1).stdout.splitlines()
    assert len(short) == 4


def test_objects_for_programs(trained: Trained) -> None:
    data = write_csv(Path("some.csv"), [(TEXT, "x"), ("", "x"), ("an awful room", "x")], ("review", "id"))
    flags = ("--data", data, "--text", "review", "--label", "bad", "--method", "mask", "--json")
    result = afina("explain", trained.folder, *flags)
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["item"], one["label"]) for one in found] == [(0, "bad"), (1, None), (2, "bad")]
    expected = package.load(trained.folder).explain([TEXT], label="bad", method="mask")[0].record()
    assert found[0].keys() == expected.keys()
    assert found[0]["words"][1]["weight"] == pytest.approx(expected["words"][1]["weight"], abs=1e-5)
    assert [len(one["words"]) for one in found] == [3, 0, 3]
    short = afina("explain", trained.folder, *flags, "--top", 2)
    assert [len(json.loads(line)["words"]) for line in short.stdout.splitlines()] == [2, 0, 2]


def test_colours_only_on_a_terminal(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    found = []
    for quiet in (False, True):
        if quiet:
            monkeypatch.setenv("NO_COLOR", "1")
        screen = Screen()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            asked = dict.fromkeys(("header", "delimiter", "quote", "format", "sheet", "encoding"))
            explaining.explain.__wrapped__(_Context(asked), str(trained.folder), [f"{TEXT} \x1b[2J"])  # type: ignore[attr-defined]
        found.append(screen.getvalue())
    assert "\x1b[" in found[0]
    assert "\x1b[2J" not in found[0]
    assert "\x1b" not in found[1]


class _Context:
    """What a command reads of typer's context."""

    def __init__(self, params: dict[str, None]) -> None:
        self.params = params


def test_what_is_wrong_is_said(trained: Trained) -> None:
    refused(afina("explain", "runs/absent", TEXT), "there is no folder 'runs/absent'")
    refused(
        afina("explain", trained.folder, TEXT, "--label", "goood"), "label: 'goood' is not a label", "'bad', 'good'"
    )
    refused(afina("explain", trained.folder, TEXT, "--method", "lime"), "method: expected removal, mask, gradient")
    refused(afina("explain", trained.folder, trained.data), "did you mean --data")
    refused(afina("explain", trained.folder, TEXT, "--data", trained.data), "one of them is asked about at a time")
    refused(afina("explain", trained.folder, TEXT, "--pair", "another"), "trained on single texts; leave it out")
    refused(afina("explain", trained.folder, "--data", trained.data, "--text", "absent"), "no column 'absent'")
    refused(afina("explain", trained.folder, TEXT, "--device", "gpu"), "device: expected auto, cpu, cuda")
    assert afina("explain", trained.folder, TEXT, "--top", 0).exit_code == 2
