"""The first rows of some data decide which columns are read, and whether another task is meant."""

from __future__ import annotations

from typing import Any

import pytest

from afina.config import load
from afina.data.choosing import FIRST
from afina.data.parts import read_data
from afina.errors import ConfigError

SPANS = [{"text": "Ana went home", "entities": [{"start": 0, "end": 3, "label": "WHO"}]}] * 6
QUESTIONS = [
    {
        "title": title,
        "question": f"who {i}?",
        "context": "the cat sat",
        "answers": {"text": ["cat"], "answer_start": [4]},
    }
    for i, title in enumerate(("pets", "home") * 3)
]
WORDS = [{"tokens": ["a", "b"], "ner_tags": ["O", "B-X"]}] * 6


def test_a_column_may_appear_late() -> None:
    rows = [{"text": f"good {i}", "label": "ab"[i % 2]} for i in range(FIRST + 5)]
    late = [*rows, {"text": "x", "label": "a", "other": "y"}]
    assert read_data(load(None, {"options.text": "text", "options.pair": "text"}), {"train": late}).task.options.pair
    with pytest.raises(ConfigError, match="no column 'otter', did you mean 'other'"):
        read_data(load(None, {"options.text": "text", "options.label": "otter"}), {"train": late})


@pytest.mark.parametrize(("rows", "task"), [(SPANS, "tokens"), (QUESTIONS, "answers"), (WORDS, "tokens")])
def test_data_of_another_task_name_it_and_the_cure_works(rows: list[dict[str, Any]], task: str) -> None:
    with pytest.raises(ConfigError, match=f"the data suit another: --task {task}"):
        read_data(load(None, {}), {"train": rows})
    assert read_data(load(None, {"task": task}), {"train": rows, "validation": rows}).task.name == task


def test_a_column_that_is_not_there_says_nothing_against_the_task() -> None:
    rows = [{"text": f"a film {i}", "label": "ab"[i % 2]} for i in range(12)]
    with pytest.raises(ConfigError, match="did you mean 'text'") as caught:
        read_data(load(None, {"options.text": "texo"}), {"train": rows})
    assert "task" not in str(caught.value)


def test_a_task_that_is_named_is_taken_at_its_word() -> None:
    data = read_data(load(None, {"task": "classification"}), {"train": QUESTIONS, "validation": QUESTIONS})
    assert data.task.options.label == "title"
    rows = [{"text": f"a film {i}", "label": "ab"[i % 2], "entities": SPANS[0]["entities"]} for i in range(12)]
    assert read_data(load(None, {}), {"train": rows, "validation": rows}).task.name == "classification"


def test_data_without_the_column_of_groups_are_told() -> None:
    config = load(None, {"data.group_by": "who"})
    plain = [{"text": row["text"], "label": row["label"]} for row in rows(6, 1)]
    told = "test: no column 'who'; in its intervals each example counts alone"
    data = read_data(config, {"train": rows(40, *range(10)), "test": plain})
    assert told in data.notes
    assert all(example.group is None for example in data.splits["test"])
    assert len(data.splits["test"]) == 6
    assert told in read_data(config, {"train": plain, "validation": rows(6, 1, 2), "test": plain}).notes
    assert told not in read_data(config, {"train": plain, "validation": plain, "test": rows(6, 1, 2)}).notes
    with pytest.raises(ConfigError, match=r"data\.group_by: the data have no column 'who'\. The columns are: 'text', "):
        read_data(config, {"train": rows(40, 1), "validation": plain, "test": plain})


def rows(n: int, *authors: Any) -> list[dict[str, Any]]:
    """Rows of these authors in turn."""
    return [{"text": f"a film {i}", "label": "ab"[i % 2], "who": authors[i % len(authors)]} for i in range(n)]
