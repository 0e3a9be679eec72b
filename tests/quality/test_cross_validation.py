"""Out-of-fold probabilities: equal texts in one fold, every label in a draw, means of the right states."""

from __future__ import annotations

import numpy as np
import pytest

from afina.quality import cross_validation
from afina.quality.cross_validation import Table, divided, drawn, out_of_fold


def test_means_of_lines_of_several_tables() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 3)).astype(np.float32) for n in (4, 1, 6)]
    whole = np.concatenate(parts)
    lines = np.array([[9, 11], [0, 1], [3, 6], [4, 5]])
    expected = [whole[start:end].mean(axis=0) for start, end in lines]
    np.testing.assert_allclose(Table(parts).means(lines), expected, rtol=1e-6)


def test_equal_texts_stand_in_one_fold() -> None:
    rng = np.random.default_rng(0)
    texts, labels = rng.integers(0, 40, 300), rng.integers(0, 3, 300)
    fold = divided(labels, texts, folds=5, seed=0)
    assert set(fold) == {0, 1, 2, 3, 4}
    assert all(len(set(fold[texts == text])) == 1 for text in range(40))


def test_a_draw_has_every_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_validation, "LEARNED", 10)
    labels = np.array([0] * 500 + [1] * 500 + [2, 3])
    for seed in range(5):
        units = drawn(labels, np.arange(len(labels)), seed=seed)
        assert set(labels[units]) == {0, 1, 2, 3}
        assert 10 <= len(units) == len(set(units.tolist())) <= 14


def test_lines_of_several_tables_come_in_the_order_asked_for() -> None:
    parts = [np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(6, 10, dtype=np.float32).reshape(2, 2)]
    found = Table(parts).rows(np.array([4, 0, 3, 0]))
    assert found.tolist() == [[8, 9], [0, 1], [6, 7], [0, 1]]


def test_small_sets_are_learned_whole() -> None:
    units = np.arange(7)
    assert drawn(np.zeros(7, np.int64), units, seed=0) is units


def test_one_text_can_not_be_divided() -> None:
    assert divided(np.array([0, 1, 0]), np.zeros(3, np.int64), folds=5, seed=0).tolist() == [0, 0, 0]


def test_a_flipped_label_gets_a_low_probability_from_the_other_folds() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    states = rng.normal(size=(60, 4)).astype(np.float32) + 4 * labels[:, None].astype(np.float32)
    given = labels.copy()
    given[7] = 1 - given[7]
    lines = np.stack([np.arange(60), np.arange(1, 61)], 1)
    fold = divided(given, np.arange(60), folds=5, seed=0)
    probabilities, learned = out_of_fold(Table([states]), lines, given, fold, seed=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert learned == 48
    assert int(np.argmin(probabilities[np.arange(60), given])) == 7
