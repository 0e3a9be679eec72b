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
    labels = strata(examples, True)
    assert splits.ranking(labels, seed=42)[0][:5] == [0, 1, 17, 4, 6]
    assert splits.ranking(labels, seed=42, essentials=labels)[0][:5] == [0, 1, 17, 4, 6]


def test_the_seed_of_hashes_means_nothing() -> None:
    code = (
        "from afina.data.splits import hold_out, ranking; from afina.records import Example\n"
        "from afina.data.identity import fingerprint\n"
        "e = [Example(f't{n}', target='abc'[n % 3]) for n in range(60)]\n"
        "s = [one.target for one in e]\n"
        "print(hold_out([*map(fingerprint, e)], .2, seed=1, strata=s))\n"
        "print(ranking(s, seed=1, essentials=[{x, str(n % 7)} for n, x in enumerate(s)]))"
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


layers_and_shown = st.lists(
    st.tuples(st.sampled_from("abcd"), st.frozensets(st.sampled_from("uvwxyz"), max_size=3)), max_size=40
)


@patient
@given(rows=layers_and_shown, seed=seeds)
def test_the_first_of_a_ranking_show_all_that_is_essential(rows: list[tuple[str, frozenset[str]]], seed: int) -> None:
    shown = [row[1] for row in rows]
    order, least = splits.ranking([row[0] for row in rows], seed=seed, essentials=shown)
    assert sorted(order) == list(range(len(rows)))
    every = frozenset().union(*shown)
    assert frozenset().union(*(shown[index] for index in order[:least])) == every
    for place in range(least):  # greedy: none brings more than the one that was taken
        known = frozenset().union(*(shown[index] for index in order[:place]))
        assert len(shown[order[place]] - known) == max(len(one - known) for one in shown) > 0


@patient
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), seed=seeds, data=st.data())
def test_beginnings_of_a_ranking_are_stratified(sizes: list[int], seed: int, data: st.DataObject) -> None:
    labels = [str(label) for label, size in enumerate(sizes) for _ in range(size)]
    number = data.draw(st.integers(1, len(labels)))
    order, none = splits.ranking(labels, seed=seed)
    assert none == 0
    found = Counter(labels[index] for index in order[:number])
    exact = number / len(labels)
    for label, size in enumerate(sizes):
        assert abs(found[str(label)] - exact * size) <= 0.5 + 0.5 * len(sizes) * size / len(labels) + 1e-9


@patient
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), seed=seeds, data=st.data())
def test_the_essential_ones_count_towards_their_stratum(sizes: list[int], seed: int, data: st.DataObject) -> None:
    labels = [str(label) for label, size in enumerate(sizes) for _ in range(size)]
    order, least = splits.ranking(labels, seed=seed, essentials=[{label} for label in labels])
    assert least == len(sizes)
    number = data.draw(st.integers(least, len(labels)))
    found = Counter(labels[index] for index in order[:number])
    exact = number / len(labels)
    for label, size in enumerate(sizes):  # each of the others may have had one too many
        assert found[str(label)] >= 1
        assert abs(found[str(label)] - exact * size) <= len(sizes)


def test_seeds_rank_differently() -> None:
    labels = ["a", "b"] * 50
    assert len({tuple(splits.ranking(labels, seed=seed)[0]) for seed in range(20)}) == 20


def test_a_hundred_thousand_examples() -> None:
    examples = distinct(100_000, [str(number) for number in range(50)])
    start = time.perf_counter()
    hold_out(examples, 0.1, seed=0)
    labels = strata(examples, True)
    splits.ranking(labels, seed=0, essentials=[{label} for label in labels])
    assert time.perf_counter() - start < 10  # about one second; the bound allows for a busy machine
