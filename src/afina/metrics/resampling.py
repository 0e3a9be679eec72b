"""Scores of resamples: examples or whole groups drawn with replacement, and answers of two systems swapped by lot.

Where a metric is a function of sums over examples, its scores are those of products of matrices, a block of resamples
at a time. Else the metric is called for each resample. Both draw alike, so that both give the same scores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from .kinds import Array, Metric, Sums, Table, sums_of

BLOCK = 2**21
"""Most numbers of a block of resamples."""
LARGEST = 2**25
"""Most numbers of the columns that are summed, 256 MB; larger ones are not made."""


def columns_of(tables: Sequence[Table], metric: Metric) -> tuple[Sums, list[Array]] | None:
    """How a metric follows from sums, and what is summed of each table; None where it does not, or not of these.

    A value that is not finite would spoil the sums of resamples that it is not part of.
    """
    sums = sums_of(metric)
    if sums is None:
        return None
    lengths = [len(next(iter(table.values()))) for table in tables]
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    with np.errstate(all="ignore"):
        columns = sums.columns(joined)  # of all tables at once, since they are centred alike and have the same labels
    if columns.size > LARGEST or not np.isfinite(columns).all():
        return None
    return sums, np.split(columns, np.cumsum(lengths)[:-1])


def pick(table: Table, index: Array) -> dict[str, Array]:
    """The rows of a table at `index`."""
    return {name: column.take(index, axis=0) for name, column in table.items()}


class Resamples(ABC):
    """Scores of tables of the same examples on resamples of them, the same resample for each table.

    Attributes:
        units: Number of what is drawn: examples, or groups.
    """

    def __init__(self, owner: Array) -> None:
        self.owner = owner
        self.units = int(owner.max(initial=-1)) + 1

    def drawn(self, count: int, generator: np.random.Generator) -> Array:
        """Scores of `count` resamples: as many examples or groups as there are, with replacement. [count, tables]"""
        blocks = self._blocks(count)
        return np.concatenate([self._scores(generator.integers(self.units, size=size)) for size in blocks])

    def swapped(self, count: int, generator: np.random.Generator) -> Array:
        """Scores of two tables whose answers to an example or group are swapped with probability 1/2. [count, 2]"""
        blocks = self._blocks(count)
        return np.concatenate([self._swapped(generator.integers(2, size=size)) for size in blocks])

    def _blocks(self, count: int) -> Iterator[tuple[int, int]]:
        """Shapes of blocks of resamples that fit into memory."""
        most = max(1, BLOCK // max(1, self.units))
        return ((min(most, count - start), self.units) for start in range(0, count, most))

    @abstractmethod
    def _scores(self, units: Array) -> Array:
        """Scores of resamples that hold these units. [b, units] to [b, tables]"""

    @abstractmethod
    def _swapped(self, swap: Array) -> Array:
        """Scores of two tables with the answers to some units swapped. [b, units] to [b, 2]"""


class OfRows(Resamples):
    """Resamples of any metric: it is called for each of them."""

    def __init__(self, tables: Sequence[Table], metric: Metric, owner: Array) -> None:
        super().__init__(owner)
        self._tables, self._metric, self._n = tables, metric, len(owner)
        order = np.argsort(owner, kind="stable")
        self._members = np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)
        self._alone = self.units == self._n

    def _scores(self, units: Array) -> Array:
        rows = (row if self._alone else np.concatenate([self._members[unit] for unit in row]) for row in units)
        return np.array([[self._metric(pick(table, index)) for table in self._tables] for index in rows], np.float64)

    def _swapped(self, swap: Array) -> Array:
        first, second = self._tables
        both = {name: np.concatenate([first[name], second[name]]) for name in first}  # example i is i and n + i
        rows = (np.arange(self._n) + self._n * row[self.owner] for row in swap)
        pairs = ((index, (index + self._n) % (2 * self._n)) for index in rows)
        return np.array([[self._metric(pick(both, index)) for index in pair] for pair in pairs], np.float64)


class OfSums(Resamples):
    """Resamples of a metric that is a function of sums: their sums are products of matrices."""

    def __init__(self, sums: Sums, columns: Sequence[Array], owner: Array) -> None:
        super().__init__(owner)
        self._score = sums.score
        self._parts = [summed(part, owner, self.units) for part in columns]  # [units, k] each

    def _scores(self, units: Array) -> Array:
        places = units + self.units * np.arange(len(units))[:, None]
        weights = np.bincount(places.ravel(), minlength=units.size).reshape(units.shape).astype(np.float64)
        return self._stacked([weights @ part for part in self._parts])

    def _swapped(self, swap: Array) -> Array:
        first, second = self._parts
        gained = swap.astype(np.float64) @ (second - first)
        return self._stacked([first.sum(axis=0) + gained, second.sum(axis=0) - gained])

    def _stacked(self, sums: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            return np.stack([self._score(one) for one in sums], axis=-1)


def resamples_of(tables: Sequence[Table], metric: Metric, groups: Array | None) -> Resamples:
    """The resamples of tables of the same examples in the same order.

    Args:
        tables: One or more.
        metric: Their score.
        groups: Group of each example; whole groups are drawn. [n]
    """
    n = len(next(iter(tables[0].values())))
    owner = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    found = columns_of(tables, metric)
    return OfRows(tables, metric, owner) if found is None else OfSums(*found, owner)


def summed(columns: Array, owner: Array, units: int) -> Array:
    """Sums of the rows of each owner. [n, k] to [units, k]"""
    if units == len(owner) and bool((owner == np.arange(units)).all()):
        return columns
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    sums: Array = np.add.reduceat(columns[order], starts, axis=0)
    return sums
