"""What the tests of cards share: finished runs of every task, made once, and facts to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.cards.facts import Facts
from afina.training.card import facts_of
from tests.runs import ROWS

PAIRS = [{"premise": f"the {row['text']}", "hypothesis": row["text"], "label": row["label"]} for row in
         ROWS["classification"]]  # fmt: skip
KINDS: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any]]] = {
    **{task: (task, rows, {}) for task, rows in ROWS.items()},
    "pairs": ("classification", PAIRS, {}),
    "plain tags": (
        "tokens",
        [{"tokens": row["tokens"], "tags": ["DET", "NOUN", "ADJ"]} for row in ROWS["tokens"]],
        {},
    ),
    "a head of afina's": ("classification", ROWS["classification"], {"head": "mean"}),
}
"""Rows and settings of each kind of run, by its name."""


@dataclass(frozen=True)
class Runs:
    """Finished runs, each made when it is first asked for."""

    root: Path
    model: Path

    def __call__(self, kind: str) -> Path:
        """The folder of a run."""
        folder = self.root / kind
        if not folder.exists():
            task, rows, more = KINDS[kind]
            afina.train(
                train=rows, validation=rows[::3], test=rows[::4], task=task, model=self.model, epochs=1, batch_size=5,
                out=folder, progress=False, **more,
            )  # fmt: skip
        return folder


@pytest.fixture(scope="session")
def runs(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("cards"), tiny("bert"))


@pytest.fixture
def facts(runs: Runs) -> Facts:
    """Those of a classification."""
    return facts_of(runs("classification"))


def changed(facts: Facts, **entries: Mapping[str, Any]) -> Facts:
    """Facts with other entries in their records: `record={"test": None}`."""
    whole: dict[str, Any] = {name: {**getattr(facts, name), **more} for name, more in entries.items()}
    return replace(facts, **whole)
