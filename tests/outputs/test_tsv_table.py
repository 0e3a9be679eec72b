"""tsv of predictions: what stands between fields and lines stands in no value."""

from __future__ import annotations

from pathlib import Path

from tests.outputs.answered import one_text, task_of, written


def test_tabs_and_line_ends_become_blanks(tmp_path: Path) -> None:
    answers = [one_text('a\tb\r\nc "d"', {"score": 0.1 + 0.2})]
    assert written(tmp_path, answers, task_of("regression", {}), name="tsv") == (
        'text\tscore\na b  c "d"\t0.30000000000000004\n'
    )
