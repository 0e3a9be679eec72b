"""Parts of a run's data: labels that training lacks, doubts, what is given back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.config import load
from afina.data.parts import Data, gather, read_data
from afina.errors import DataError
from afina.quality.report import audit, warning_lines
from afina.training import rundir
from tests.data.arrow_tables import as_parquet, table

ROWS = [{"text": f"{word} {i}", "label": label} for i in range(8) for word, label in (("good", "a"), ("bad", "b"))]


def read(test: list[Any], rows: list[Any] = ROWS, validation: list[Any] | None = None, **settings: Any) -> Data:
    overrides = {name.replace("__", "."): value for name, value in settings.items()}
    sources = {"train": rows, "validation": validation or rows[:4], "test": test}
    return read_data(load(None, overrides), sources)


def test_labels_that_training_lacks_are_refused_or_counted() -> None:
    test = [*ROWS[:2], {"text": "new", "label": "c"}]
    with pytest.raises(DataError, match=r"label 'c' does not occur in the training data.*or --unseen count"):
        read(test)
    data = read(test, data__unseen="count")
    assert len(data.splits["test"]) == 3
    (note,) = [note for note in data.notes if "counted as missed" in note]
    assert note.startswith("test: 1 example with a label that training lacks")
    score_row = data.task.score_row(data.splits["test"][2], {"label": "a", "probabilities": {"a": 0.7, "b": 0.3}})
    assert score_row["gold"] == 2
    assert score_row["log_probability"] < -30


def test_a_task_that_can_not_count_refuses_all_the_same() -> None:
    rows = [{"text": f"text {i}", "labels": ["a"]} for i in range(6)]
    with pytest.raises(DataError, match="'b' does not occur"):
        read([{"text": "new", "labels": ["b"]}], rows, task="multilabel", data__unseen="count")


def test_examples_with_a_label_of_their_own_stay_in_training() -> None:
    rows = [{"tokens": ["a", f"b{i}"], "tags": ["O", f"B-T{i % 9}"]} for i in range(40)]
    rows += [{"tokens": ["z", f"rare{i}"], "tags": ["O", f"B-RARE{i}"]} for i in range(20)]
    config = load(None, {"task": "tokens", "data.hold_out": 0.4})
    data = read_data(config, {"train": rows})
    assert len(data.splits["train"]) + len(data.splits["validation"]) == 60
    assert all(data.task.check(example) is None for example in data.splits["validation"])
    assert sum(tag.startswith("RARE") for tag in data.task.fitted["types"]) == 20
    assert any(note.startswith("no example of 'RARE0', 'RARE1'") for note in data.notes)


def test_the_labels_of_any_task_are_counted() -> None:
    rows = [{"text": f"text {i}", "labels": ["a", "b"][: i % 3]} for i in range(12)]
    data = read_data(load(None, {"task": "multilabel"}), {"train": rows, "validation": rows[:3]})
    assert data.record()["train"]["targets"] == {"a": 8, "b": 4}
    tagged = [{"tokens": ["in", f"Rome{i}"], "tags": ["O", "B-LOC"]} for i in range(3)]
    data = read_data(load(None, {"task": "tokens"}), {"train": tagged, "validation": tagged})
    assert data.record()["train"]["targets"] == {"LOC": 3}
    scored = [{"text": f"text {i}", "score": i} for i in range(3)]
    data = read_data(load(None, {"task": "regression"}), {"train": scored, "validation": scored})
    assert data.record()["train"]["targets"] is None


def test_what_is_held_out_counts_as_given_with_the_training_data() -> None:
    rows = [
        {"text": f"{word} {i} {i * 7919}", "label": label}
        for i in range(40)
        for word, label in (("so", "a"), ("no", "b"))
    ]
    data = read_data(load(None, {}), {"train": rows, "test": rows[:5]})
    assert data.held_out
    assert [example.place for example in data.given["train"]] == [f"train row {n}" for n in range(1, 81)]
    assert list(data.given) == ["train", "test"]
    findings = {one.code: one for one in audit(data.task, data.given)}
    assert findings["leak"].count == 5
    assert "test-in-validation" not in findings
    assert "rare-label" not in findings
    files = read(rows[:5], rows, rows[:5])
    assert not files.held_out
    assert files.given is files.splits


GOOD = [b"a lovely film,good\n", b"dull,bad\r\n", b'"two\nlines, one text",good\n', "ação,bad\n".encode()]
BROKEN = [b"one field\n", b",good\n", b"no label,\n", b"x,y,z\n", b"caf\xff,bad\n", b'"a"b,good\n', b"nul\0,bad\n"]


@given(
    lines=st.lists(st.sampled_from([*GOOD, *BROKEN]), min_size=1, max_size=30),
    mode=st.sampled_from(["skip", "quarantine"]),
)
def test_every_record_is_used_or_left_out_and_its_bytes_are_kept(lines: Sequence[bytes], mode: str) -> None:
    lines = [GOOD[0], GOOD[1], *lines]
    with TemporaryDirectory() as scratch:
        file = Path(scratch, "mine.csv")
        file.write_bytes(b"text,label\n" + b"".join(lines))
        config = load(
            None,
            {"data.train": str(file), "data.validation": str(file), "data.on_bad_row": mode, "data.encoding": "utf-8"},
        )
        data, problems = gather(config)
        assert not problems
        used, left_out = data.splits["train"], data.left_out["train"]
        assert len(used) == sum(line in GOOD for line in lines)
        assert len(left_out) == sum(line in BROKEN for line in lines)
        assert len({one.place for one in used} | {bad[0].place for bad in left_out}) == len(lines)
        rundir.quarantine(Path(scratch), data.left_out)
        kept = Path(scratch, "quarantine", "train.csv")
        assert (kept.read_bytes() if kept.exists() else b"") == b"".join(line for line in lines if line in BROKEN)
        reasons = Path(scratch, "quarantine", "train.why.jsonl")
        whole = file.read_bytes()
        for line in reasons.read_text(encoding="utf-8").splitlines() if left_out else ():
            one = json.loads(line)
            raw = kept.read_bytes()[one["start"] : one["start"] + one["bytes"]]
            number = int(one["place"].rpartition(":")[2])
            assert b"".join(whole.splitlines(keepends=True)[number - 1 :]).startswith(raw)
            assert one["problems"][0]["message"]


def test_what_is_left_out_is_counted_by_kind_with_a_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(b"text,label\n" + b"".join(GOOD) * 3 + b"no label,\n" * 4 + b"one field\n")
    more = {"data.validation": str(tmp_path / "more.csv")}
    Path(more["data.validation"]).write_bytes(b"text,label\n" + b"".join(GOOD))
    with pytest.raises(DataError, match=r"mine\.csv:17") as caught:
        read_data(load(None, {"data.train": str(file), **more}))
    assert caught.value.total == 5
    assert str(caught.value).endswith("\n--on-bad-row skip or quarantine goes on without these records")
    data = read_data(load(None, {"data.train": str(file), "data.on_bad_row": "skip", **more}))
    assert "train: 17 records, 12 used, 5 skipped" in data.notes
    label = f"column 'label' holds no label; label the row or drop it ({file}:17, the first of 4)"
    assert label in warning_lines(audit(data.task, data.splits, left_out=data.left_out))
    assert len(data.splits["train"]) == 12
    assert data.record()["train"]["left_out"] == 5


def test_what_swallows_good_records_is_never_left_out(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(b"text,label\n" + b"".join(GOOD) * 3 + b'"open,good\n' + b"".join(GOOD[:2]) * 40)
    with pytest.raises(DataError, match="swallows the rest of the file"):
        read_data(load(None, {"data.train": str(file), "data.on_bad_row": "skip"}))


def test_a_file_of_nothing_but_bad_records_is_an_error_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(b"text,label\n" + b"no label,\n" * 4)
    with pytest.raises(DataError, match="holds no label"):
        read_data(load(None, {"data.train": str(file), "data.on_bad_row": "skip"}))


def test_records_in_memory_are_kept_as_lines_of_json(tmp_path: Path) -> None:
    config = load(None, {"data.on_bad_row": "quarantine"})
    data = read_data(config, {"train": [*ROWS, {"text": "ação", "label": None}], "validation": ROWS})
    rundir.quarantine(tmp_path, data.left_out)
    assert json.loads((tmp_path / "quarantine" / "train.jsonl").read_bytes()) == {"text": "ação", "label": None}


def test_records_of_binary_files_are_kept_as_lines_of_json(tmp_path: Path) -> None:
    columns = {"text": [f"good {i}" for i in range(8)] + ["ação"], "label": ["a", "b"] * 4 + [None]}
    (tmp_path / "mine.parquet").write_bytes(as_parquet(table(columns)))
    data = read_data(load(None, {"data.on_bad_row": "quarantine", "data.train": str(tmp_path / "mine.parquet")}))
    rundir.quarantine(tmp_path, data.left_out)
    assert json.loads((tmp_path / "quarantine" / "train.jsonl").read_bytes()) == {"text": "ação", "label": None}


def test_a_path_is_never_read_for_its_words(tmp_path: Path) -> None:
    """A validation file is the user's own, also when its folder is called `held out`."""
    folder = tmp_path / "held out"
    folder.mkdir()
    for name, labels in (("train", "ab"), ("validation", "ac")):
        lines = [f"text {i} of {name},{label}" for i, label in enumerate(labels * 3)]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    files = {f"data.{name}": str(folder / f"{name}.csv") for name in ("train", "validation")}
    with pytest.raises(DataError, match="label 'c' does not occur in the training data"):
        read_data(load(None, files))


# ---------------------------------------------------------------------------------------------------------------------
# Groups.


def by_author(n: int, *authors: Any) -> list[dict[str, Any]]:
    """Rows of these authors in turn."""
    return [{"text": f"a film {i}", "label": "ab"[i % 2], "who": authors[i % len(authors)]} for i in range(n)]


def test_examples_know_their_group_wherever_the_column_stands() -> None:
    config = load(None, {"data.group_by": "who"})
    splits = read_data(config, {"train": by_author(40, *range(10)), "test": by_author(4, 1.0, "1", None, " ")}).splits
    assert [example.group for example in splits["test"]] == ["1", "1", None, None]
    groups = {name: {example.group for example in part} for name, part in splits.items()}
    assert groups["train"] | groups["validation"] == {str(i) for i in range(10)}
    assert not groups["train"] & groups["validation"]
    given = read_data(config, {"train": by_author(40, 1), "validation": by_author(6, "x", "y", "z")}).splits
    assert [example.group for example in given["validation"]] == ["x", "y", "z"] * 2
