"""docs/studies.md names every study with its options, and its design of one's own runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.studies import base
from afina.studies.events import Concluded
from tests.conftest import REPOSITORY
from tests.studies.designs import stream_study, tiny_study

PAGE = (REPOSITORY / "docs" / "studies.md").read_text(encoding="utf-8") if (REPOSITORY / "docs").is_dir() else ""
SECTIONS = dict(re.findall(r"\n### (\w+)\n(.*?)(?=\n##)", PAGE, re.DOTALL))
pytestmark = pytest.mark.skipif(not PAGE, reason="without the source tree there are no docs")


def test_every_study_has_its_section() -> None:
    assert len(SECTIONS) >= 8
    assert set(SECTIONS) == set(base.names())


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_every_option_is_named(name: str) -> None:
    text = SECTIONS[name].replace("\n", " ")
    listed = re.search(r"Options: (.*?)\.\s*$", text.strip())
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(base.options_of(base.find(name)).model_fields)


def test_the_design_of_ones_own_runs(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def lengths" in block]
    scope: dict[str, Any] = {}
    exec(code, scope)
    monkeypatch.setattr(base, "find", lambda name: scope["lengths"])
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", training__epochs=1)
    last = list(stream_study("lengths", {"limits": [16, 32], "seeds": 1}, study))[-1]
    assert isinstance(last, Concluded)
    assert [row[0] for row in last.summary.boards[0].rows] == ["16 tokens", "32 tokens"]
