"""Draws by a seed: whole groups of equal inputs, each label its share, the same everywhere."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.data import splits
from afina.data.identity import fingerprint, normalized
from afina.errors import ConfigError
from afina.records import Example

patient = settings(deadline=None, max_examples=200)
shares = st.floats(0.01, 0.99)
seeds = st.integers(0, 2**40)
examples_of_few_texts = st.lists(
    st.builds(
        Example,
        text=st.text("abc", max_size=2),
        pair=st.none() | st.sampled_from(["", "x"]),
        target=st.sampled_from(["yes", "no", "rare", 1, None]),
    ),
    min_size=1,
    max_size=40,
)


def key(example: Example) -> tuple[str, str]:
    return normalized(example.text), normalized(example.pair or "")


def distinct(count: int, labels: list[str]) -> list[Example]:
    return [Example(f"text {number}", target=labels[number % len(labels)]) for number in range(count)]


def strata(examples: Sequence[Example], stratify: bool) -> list[str]:
    """The label of each example, or nothing."""
    return [str(example.target) if stratify else "" for example in examples]


def hold_out(
    examples: Sequence[Example], fraction: float, *, seed: int, stratify: bool = True
) -> tuple[list[int], list[int]]:
    """`splits.hold_out` by label, or not."""
    keys = [fingerprint(example) for example in examples]
    return splits.hold_out(keys, fraction, seed=seed, strata=strata(examples, stratify))


def take(examples: Sequence[Example], amount: float, *, seed: int, stratify: bool = True) -> list[int]:
    """`splits.take` by label, or not."""
    return splits.take(examples, amount, seed=seed, strata=strata(examples, stratify))


@patient
@given(examples=examples_of_few_texts, fraction=shares, seed=seeds, stratify=st.booleans())
def test_a_division_leaks_nothing(examples: list[Example], fraction: float, seed: int, stratify: bool) -> None:
    train, held = hold_out(examples, fraction, seed=seed, stratify=stratify)
    assert train
    layers = {key(example) for example in examples}, {str(example.target) for example in examples}
    assert held or len(layers[0]) <= (len(layers[1]) if stratify else 1)
    assert sorted(train + held) == list(range(len(examples)))
    assert train == sorted(train)
    assert held == sorted(held)
    assert not {key(examples[index]) for index in train} & {key(examples[index]) for index in held}
    assert (train, held) == hold_out(examples, fraction, seed=seed, stratify=stratify)


@patient
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6), fraction=shares, seed=seeds)
def test_each_label_gets_its_share_within_one(sizes: list[int], fraction: float, seed: int) -> None:
    examples = [Example(f"{label} {n}", target=label) for label, size in enumerate(sizes) for n in range(size)]
    if len(examples) < 2:
        return
    _, held = hold_out(examples, fraction, seed=seed)
    found = Counter(examples[index].target for index in held)
    if all(size == 1 for size in sizes):
        assert not held
    for label, size in enumerate(sizes):
        if size > 1:
            assert found[label] < size
            assert abs(found[label] - fraction * size) <= 1 + 1e-9 or found[label] == size - 1 or len(held) == 1
        elif any(other > 1 for other in sizes):
            assert found[label] == 0


def test_even_shares_are_exact() -> None:
    examples = distinct(300, ["a", "b", "b"])
    _, held = hold_out(examples, 0.1, seed=3)
    assert Counter(examples[index].target for index in held) == {"a": 10, "b": 20}


def test_many_small_labels_get_their_share_together() -> None:
    examples = distinct(400, [f"label {number}" for number in range(100)])
    _, held = hold_out(examples, 0.1, seed=0)
    assert len(held) == 40
    assert max(Counter(examples[index].target for index in held).values()) == 1


def test_groups_of_duplicates_fill_the_share_as_nearly_as_they_can() -> None:
    examples = [
        Example(text, target="x")
        for text, times in zip("abcdefgh", [5, 5, 5, 5, 1, 1, 1, 1], strict=True)
        for _ in range(times)
    ]
    for seed in range(50):
        _, held = hold_out(examples, 0.25, seed=seed)
        assert abs(len(held) - 6) <= 2


def test_a_group_with_several_labels_counts_for_its_commonest() -> None:
    keys = [0, 0, 0, *range(1, 20)]
    for seed in range(20):
        _, held = splits.hold_out(keys, 0.5, seed=seed, strata=["b", "a", "a", *["b"] * 19])
        assert not {0, 1, 2} & {*held}  # the only group of its stratum


def test_one_text_with_two_pairs_is_two_inputs() -> None:
    examples = [Example("a", pair=pair, target="x") for pair in (None, "", "b", "c")]
    assert len(hold_out(examples, 0.5, seed=0)[1]) == 2


def test_numbers_as_targets_are_drawn_plainly() -> None:
    examples = [Example(str(number), target=number / 7) for number in range(1000)]
    _, held = hold_out(examples, 0.2, seed=5, stratify=False)
    assert len(held) == 200
    assert 0.4 < sum(held) / 200 / 999 < 0.6


def test_the_order_of_the_examples_means_nothing() -> None:
    examples = distinct(200, ["a", "b", "c"])
    shuffled = random.Random(0).sample(examples, len(examples))
    first, second = hold_out(examples, 0.3, seed=9)[1], hold_out(shuffled, 0.3, seed=9)[1]
    assert {examples[index].text for index in first} == {shuffled[index].text for index in second}


def test_seeds_give_different_draws() -> None:
    examples = distinct(100, ["a", "b"])
    epoch_batches = {tuple(hold_out(examples, 0.2, seed=seed)[1]) for seed in range(20)}
    assert len(epoch_batches) == 20
    assert len({index for draw in epoch_batches for index in draw}) > 90


def test_draws_are_those_that_were_always_drawn() -> None:
    """Written down once: another platform, version of numpy or hash seed must not change them."""
    examples = distinct(20, ["a", "b", "c"])
    assert hold_out(examples, 0.25, seed=42)[1] == [2, 6, 9, 16, 19]
    assert take(examples, 5, seed=42) == [0, 1, 4, 6, 17]


def test_the_seed_of_hashes_means_nothing() -> None:
    code = (
        "from afina.data.splits import hold_out, take; from afina.records import Example\n"
        "from afina.data.identity import fingerprint\n"
        "e = [Example(f't{n}', target='abc'[n % 3]) for n in range(60)]\n"
        "s = [one.target for one in e]\n"
        "print(hold_out([*map(fingerprint, e)], .2, seed=1, strata=s), take(e, 9, seed=1, strata=s))"
    )
    path = os.pathsep.join(path for path in sys.path if path)
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


groups_of_labels = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from("abcd"), st.sets(st.sampled_from("abcdefgh"), max_size=3)),
    min_size=1,
    max_size=40,
)


@patient
@given(rows=groups_of_labels, fraction=shares, seed=seeds)
def test_what_is_essential_stays_in_training(rows: list[tuple[int, str, set[str]]], fraction: float, seed: int) -> None:
    keys, layers, shown = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    train, held = splits.hold_out(keys, fraction, seed=seed, strata=layers, essentials=shown)
    assert sorted(train + held) == list(range(len(rows)))
    assert {one for index in train for one in shown[index]} == set().union(*shown)
    assert not {keys[index] for index in train} & {keys[index] for index in held}


@patient
@given(rows=groups_of_labels, fraction=shares, seed=seeds, data=st.data())
def test_the_order_of_rows_means_nothing_to_groups_of_several_labels(
    rows: list[tuple[int, str, set[str]]], fraction: float, seed: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(rows))))

    def held_keys(rows: list[tuple[int, str, set[str]]]) -> set[int]:
        keys, layers, shown = ([row[place] for row in rows] for place in range(3))
        _, held = splits.hold_out(keys, fraction, seed=seed, strata=layers, essentials=shown)  # type: ignore[arg-type]
        return {keys[index] for index in held}  # type: ignore[misc]

    assert held_keys(rows) == held_keys([rows[index] for index in order])


def test_what_has_a_share_is_scored_though_its_groups_are_large() -> None:
    keys = [1] * 10 + [2] * 10 + list(range(3, 23))
    layers = ["a"] * 20 + ["b"] * 20
    train, held = splits.hold_out(keys, 0.1, seed=0, strata=layers)
    assert Counter(layers[index] for index in held) == {"a": 10, "b": 2}
    assert len(train) == 28


@patient
@given(times=st.lists(st.integers(0, 20), min_size=1, max_size=60), fraction=shares)
def test_the_latest_are_held_out(times: list[int], fraction: float) -> None:
    earlier, later = splits.hold_out_latest(times, fraction)
    assert sorted(earlier + later) == list(range(len(times)))
    if len(set(times)) == 1:
        assert not later
        return
    assert max(times[index] for index in earlier) < min(times[index] for index in later)
    for start in sorted(set(times))[1:]:  # no other cut is nearer to the share
        other = sum(time >= start for time in times)
        assert abs(len(later) - fraction * len(times)) <= abs(other - fraction * len(times))


def test_no_examples_are_divided_into_none() -> None:
    assert splits.hold_out([], 0.1, seed=0, strata=[]) == ([], [])
    assert splits.hold_out_latest([], 0.1) == ([], [])


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_lies_between_0_and_1(fraction: float) -> None:
    with pytest.raises(ConfigError, match="fraction to hold out"):
        hold_out(distinct(4, ["a"]), fraction, seed=0)


@pytest.mark.parametrize("amount", [0, 5, -1, 0.0, 1.5, float("nan")])
def test_a_choice_of_what_is_not_there(amount: float) -> None:
    with pytest.raises(ConfigError, match="take: expected a count from 1 to 4"):
        take(distinct(4, ["a"]), amount, seed=0)


@patient
@given(examples=examples_of_few_texts, seed=seeds, stratify=st.booleans(), data=st.data())
def test_choices_are_nested(examples: list[Example], seed: int, stratify: bool, data: st.DataObject) -> None:
    total = len(examples)
    more = data.draw(st.integers(1, total))
    less = data.draw(st.integers(1, more))
    large, small = (take(examples, number, seed=seed, stratify=stratify) for number in (more, less))
    assert (len(large), len(small)) == (more, less)
    assert set(small) <= set(large)
    assert large == sorted(large)
    assert take(examples, 1.0, seed=seed, stratify=stratify) == list(range(total))


@patient
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), share=shares, seed=seeds)
def test_choices_are_stratified(sizes: list[int], share: float, seed: int) -> None:
    examples = [Example(f"{label} {n}", target=label) for label, size in enumerate(sizes) for n in range(size)]
    chosen = take(examples, share, seed=seed)
    assert len(chosen) == max(1, round(share * len(examples)))
    found = Counter(examples[index].target for index in chosen)
    exact = len(chosen) / len(examples)
    for label, size in enumerate(sizes):
        assert abs(found[label] - exact * size) <= 0.5 + 0.5 * len(sizes) * size / len(examples) + 1e-9


def test_a_hundred_thousand_examples() -> None:
    examples = distinct(100_000, [str(number) for number in range(50)])
    start = time.perf_counter()
    hold_out(examples, 0.1, seed=0)
    take(examples, 0.1, seed=0)
    assert time.perf_counter() - start < 10  # about one second; the bound allows for a busy machine
