"""Published costs of pre-training: found by name, computed from what was published."""

from __future__ import annotations

import pytest

from afina.model.known import ENCODERS
from afina.model.pretraining import PRETRAINING, Stage, pretraining_of


def test_figures_of_bert() -> None:
    (stage,) = pretraining_of("google-bert/bert-base-uncased")
    assert stage.tokens == pytest.approx(4.26e10, rel=1e-3)
    assert stage.flops == pytest.approx(2.17e19, rel=1e-2)
    assert stage.device_hours == 16 * 4 * 24


@pytest.mark.parametrize(
    "name", ["minilm", "sentence-transformers/all-MiniLM-L6-v2", "models/all-MiniLM-L6-v2", "/x/bert-large-cased"]
)
def test_models_are_found_by_name(name: str) -> None:
    assert pretraining_of(name)


def test_what_is_not_known_is_left_open() -> None:
    assert not pretraining_of("microsoft/deberta-v3-base")
    assert Stage("x").flops is None
    assert Stage("x", devices=8).device_hours is None


def test_every_stage_has_a_source_and_known_models_are_listed() -> None:
    assert len(PRETRAINING) >= 10
    listed = {encoder.name.lower() for encoder in ENCODERS}
    for name, stages in PRETRAINING.items():
        assert all(stage.source.startswith("https://") for stage in stages)
        assert name in listed or "large" in name or name in ("minilm", "distilbert/distilbert-base-uncased")
    flops = [stage.flops for stages in PRETRAINING.values() for stage in stages if stage.flops]
    assert all(1e17 < one < 1e23 for one in flops)
