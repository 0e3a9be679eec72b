"""Samples of the training data: nested, stratified, with every label; what is held out does not depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.config import load
from afina.data.parts import Data, read_data, sampled
from afina.data.samples import draw
from afina.errors import ConfigError
from afina.training.run import stream
from tests import tiny
from tests.runs import ROWS as RUNS
from tests.runs import bytes_of, configured, finished

WORDS = ("lovely", "poor", "fine", "awful", "great")
ROWS = [{"text": f"{WORDS[i % 5]} {i * 7919} {i}", "label": "abbbc"[i % 5]} for i in range(100)]


def read(rows: list[dict[str, Any]] = ROWS, **more: Any) -> Data:
    return read_data(load(None, {name.replace("__", "."): value for name, value in more.items()}), {"train": rows})


def places(data: Data, split: str = "train") -> list[str]:
    return [example.place for example in data.splits[split]]


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.frozensets(st.sampled_from("uvwxyz"), max_size=3)), min_size=1),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_a_smaller_sample_is_a_part_of_a_larger_one(
    rows: list[tuple[str, frozenset[str]]], seed: int, data: st.DataObject
) -> None:
    strata, shown = [row[0] for row in rows], [row[1] for row in rows]
    sizes = []
    for _ in range(2):
        sample: float = data.draw(st.one_of(st.integers(1, len(rows)), st.floats(0, 1, exclude_min=True)))
        try:
            drawn = draw(sample, seed=seed, strata=strata, essentials=shown)
        except ConfigError as error:
            least = int(str(error).rpartition("--sample ")[2].rstrip(")"))
            drawn = draw(least, seed=seed, strata=strata, essentials=shown)
            if least > 1:
                with pytest.raises(ConfigError, match=f"--sample {least}"):
                    draw(least - 1, seed=seed, strata=strata, essentials=shown)
        assert list(drawn.indices) == sorted(set(drawn.indices))
        assert frozenset().union(*(shown[index] for index in drawn.indices)) == frozenset().union(*shown)
        sizes.append(set(drawn.indices))
    small, large = sorted(sizes, key=len)
    assert small <= large


def test_what_is_held_out_does_not_depend_on_the_sample() -> None:
    whole = read()
    tenth, twenty = read(data__sample=0.1), read(data__sample=20)
    assert places(whole, "validation") == places(tenth, "validation") == places(twenty, "validation")
    assert len(tenth.splits["train"]) == 9
    assert set(places(tenth)) < set(places(twenty)) < set(places(whole))
    assert set(places(read(data__sample=20, data__sample_seed=1))) != set(places(twenty))
    assert places(read(data__sample=90)) == places(whole)


def test_a_sample_of_what_was_read_is_that_of_the_configuration() -> None:
    whole = read()
    again = sampled(whole, 0.2, seed=3)
    assert again.drawn == read(data__sample=0.2, data__sample_seed=3).drawn
    assert again.drawn is not None
    assert [whole.splits["train"][index] for index in again.drawn.indices] == again.splits["train"]
    assert sampled(whole, None) is whole


def test_what_was_drawn_is_said() -> None:
    data = read(data__sample=20)
    assert data.notes[-1] == "train: 20 of 90 examples are trained on (stratified, sample seed 0)"
    record = data.record()["train"]
    assert record["drawn"] == {"sample": 20, "sample_seed": 0, "of": 90, "stratified": True}
    assert record["places"] == places(data)
    assert record["targets"] == {"a": 4, "b": 12, "c": 4}
    assert data.given == data.splits
    assert "drawn" not in read().record()["train"]


@pytest.mark.parametrize("name", sorted(RUNS))
def test_every_task_is_fitted_to_what_is_drawn(name: str) -> None:
    """All labels are there, whatever the task: what the whole data know as an answer, the head of the sample knows."""
    whole = read_data(load(None, {"task": name}), {"train": RUNS[name] * 3, "validation": RUNS[name]})
    most = len(whole.splits["train"])
    with pytest.raises(ConfigError, match="it takes") as refused:
        sampled(whole, 1)
    least = int(str(refused.value).rpartition("--sample ")[2].rstrip(")"))
    for size in (least, most // 2, most):
        part = sampled(whole, size)
        assert part.task.labels == whole.task.labels
        assert part.task.head.outputs == whole.task.head.outputs
        assert all(part.task.check(example) is None for example in part.splits["validation"])
    assert sampled(whole, most).task.fitted == whole.task.fitted


def test_the_scale_of_a_regression_is_that_of_the_sample() -> None:
    rows = [{"text": f"a {word} thing {i}", "score": i * i} for i, word in enumerate(WORDS * 8)]
    whole = read_data(load(None, {"task": "regression"}), {"train": rows, "validation": rows[:9]})
    few = sampled(whole, 5)
    assert few.task.fitted["mean"] == sum(one.target for one in few.splits["train"]) / 5
    assert {0, 39 * 39} <= {one.target for one in few.splits["train"]}


def test_tags_of_another_spelling_stay_known() -> None:
    rows = [{"tokens": ["in", f"Rome{i}", "now"], "tags": ["O", "LOC-B", "O"]} for i in range(12)]
    rows += [{"tokens": ["New", f"York{i}"], "tags": ["LOC-B", "LOC-I"]} for i in range(2)]
    whole = read_data(load(None, {"task": "tokens"}), {"train": rows, "validation": rows})
    few = sampled(whole, 1)
    assert few.task.fitted["spelling"] == whole.task.fitted["spelling"]
    assert few.task.adapt(few.task.adapt(whole.splits["validation"])[0])[0] == whole.splits["validation"]


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (91, "91 examples asked for, and there are 90 to train on; give 90 or fewer"),
        (2, "2 examples, too few to show training every label"),
        (0.01, r"0.01 of 90 training examples is 1, too few .* it takes 3 with sample seed 0 \(--sample 3\)"),
    ],
)
def test_sizes_that_do_not_work(sample: float, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(data__sample=sample)


@pytest.mark.parametrize("sample", [0, 1.0, 1.5, -3, -0.5, True, "much", [3], float("nan")])
def test_what_is_no_sample(sample: Any) -> None:
    with pytest.raises(ConfigError, match=r"data.sample: expected a share above 0 and below 1, or a whole number"):
        load(None, {"data.sample": sample})


@pytest.mark.parametrize(("text", "value"), [("0.25", 0.25), ("500", 500), (None, None), (7, 7), (0.5, 0.5)])
def test_flags_are_numbers(text: Any, value: float | None) -> None:
    found = load(None, {"data.sample": text}).data.sample
    assert (found, type(found)) == (value, type(value))


def test_a_run_on_a_sample(tmp_path: Path) -> None:
    model = tiny.tiny_model(tmp_path / "model")
    rows = {"train": RUNS["classification"] * 2, "validation": RUNS["classification"]}

    def run(out: str, **more: Any) -> Path:
        config = configured(model, tmp_path / out, training__epochs=1, **more)
        return finished(stream(config, read_data(config, rows))).folder

    first = run("first", data__sample=6)
    assert (first / "steps.jsonl").read_text().count("\n") == 2
    again = load(first / "config.yaml", {"out": str(tmp_path / "again")})
    assert again.data.sample == 6
    assert bytes_of(finished(stream(again, read_data(again, rows))).folder) == bytes_of(first)
