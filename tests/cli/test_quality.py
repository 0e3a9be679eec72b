"""`afina check`: everything that is wrong or odd about the data."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.conftest import ROWS, Trained, afina, write_csv


def test_check_says_everything_at_once(trained: Trained) -> None:
    fine = afina("check", "--train", trained.data, "--model", trained.model)
    assert fine.exit_code == 0, fine.output
    assert "note:    train: 32 examples of 5 tokens (median)" in fine.stdout
    assert re.search(r"^0 errors, \d+ warnings?, \d+ notes?$", fine.stdout, re.M)
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
    assert {"empty-text", "empty-label", "lookalike-labels", "contradictions"} <= {
        one["code"] for one in found["findings"]
    }
