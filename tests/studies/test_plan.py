"""What a study will take, and how it is made to fit a budget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ConfigError
from afina.studies import base, plan
from afina.studies.events import Concluded, Ended
from afina.studies.folder import StudyFolder
from afina.studies.trials import Trial
from afina.training.plan import Plan
from afina.work import drain
from tests.studies.designs import small, stream_study, tiny_study

EACH = 10.0


@pytest.fixture(autouse=True)
def design(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find", lambda name: small)


@pytest.fixture
def ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trial is expected to take ten seconds."""

    monkeypatch.setattr(plan, "plan_run", lambda *_, **__: figures({"start": 89, "train": EACH}))


def figures(parts: dict[str, float], *, shared: bool = False) -> Plan:
    """A plan of a run that takes so many seconds."""
    return Plan(
        examples=1, windows=1, tokens=1, padded_tokens=1, steps=1, epochs=1, flops=1, peak=1, seconds=99, parts=parts,
        memory=1, states=0, kept="", disk=1, shared=shared,
    )  # fmt: skip


def planned(model: Path, out: Path, budget: float | None = None, **options: Any) -> plan.StudyPlan:
    study, _ = tiny_study(model, out)
    return drain(plan.plan_study("small", options, study, budget=budget))


def test_a_plan_counts_what_the_design_will_ask_for(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    found = planned(tiny("bert"), tmp_path / "study")
    assert found.trials == 5
    assert found.whole
    assert len(found.kinds) == 1  # rates and seeds change nothing about what a trial takes
    assert 0 < found.seconds < 600
    assert "5 trials: about" in str(found)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(("shared", "seconds"), [(True, 5 * EACH + 30), (False, 5 * (EACH + 30))])
def test_the_frozen_part_is_counted_once_where_trials_share_it(
    shared: bool, seconds: float, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "plan_run", lambda *_, **__: figures({"train": EACH, "frozen part": 30}, shared=shared))
    found = planned(tiny("bert"), tmp_path / "study")
    assert found.seconds == seconds
    assert ("30 s" in str(found)) == shared


def test_samples_and_strategies_have_frozen_parts_of_their_own() -> None:
    def states(**settings: Any) -> Any:
        return plan.states_of(Trial("x", 0, {name.replace("__", "."): value for name, value in settings.items()}))

    assert states(strategy="head", training__learning_rate=1e-3, training__epochs=3) == states(strategy="head")
    assert states(strategy="head", data__sample=None, data__sample_seed=1) == states(strategy="head", data__sample=None)
    different = [
        states(strategy="head"), states(strategy="last-1"), states(strategy="head", model__head="mean"),
        *(states(strategy="head", data__sample=8, data__sample_seed=seed) for seed in (0, 1)),
        states(strategy="head", options__pair_as="first"), states(strategy="head", model__name="other"),
    ]  # fmt: skip
    assert len(set(different)) == len(different)


def test_states_that_stay_on_the_disk_are_shared(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    for disk, shared in ((1.0, True), (0.0, False)):
        study, _ = tiny_study(tiny("bert"), tmp_path / "study", strategy="head", training__cache_disk=disk)
        found = drain(plan.plan_study("small", {}, study))
        assert (found.kinds[0].once > 0) == shared


@pytest.mark.usefixtures("ten_seconds")
def test_a_budget_leaves_out_what_matters_least(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    out = tmp_path / "study"
    assert planned(tiny("bert"), out).seconds == 5 * EACH
    found = planned(tiny("bert"), out, budget=70, seeds=2, rates=[1e-3, 2e-3, 3e-3])
    assert (found.trials, list(found.left_out)) == (7, [])  # what was asked for stays
    with pytest.raises(ConfigError, match=r"the smallest design takes about 70 s; give more \(--budget 70s\), or"):
        planned(tiny("bert"), out, budget=60, seeds=2, rates=[1e-3, 2e-3, 3e-3])
    assert plan.flag_of(1001.0) == "17m"
    chosen = {"seeds": 5, "rates": [1e-3, 2e-3, 3e-3, 4e-3]}
    steps = []
    last = lambda name, values: len(values) - 1  # noqa: E731
    reduced = plan.reduced(chosen, kept={}, least=last)
    while reduced is not None:
        chosen, line = reduced
        steps.append(line)
        reduced = plan.reduced(chosen, kept={}, least=last)
    assert steps == ["seed 4", "seed 3", "rates 0.004", "rates 0.003", "seed 2"]
    assert plan.reduced({"seeds": 5, "rates": [1, 2, 3]}, kept={"seeds": 5, "rates": []}, least=last) is None


@pytest.mark.usefixtures("ten_seconds")
def test_the_folder_of_a_refused_budget_takes_a_larger_one(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", training__epochs=1)
    with pytest.raises(ConfigError, match="is too little"):
        list(stream_study("small", {}, study, budget=10))
    assert isinstance(list(stream_study("small", {}, study, budget=100))[-1], Concluded)


@pytest.mark.usefixtures("ten_seconds")
def test_a_study_that_goes_on_keeps_the_design_that_fitted(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    def go(stop: bool) -> list[Any]:
        study, _ = tiny_study(tiny("bert"), tmp_path / "study", training__epochs=1)
        stream = stream_study("small", {"rates": [1e-3, 2e-3]}, study, budget=55)
        events = []
        for event in stream:
            events.append(event)
            if stop and isinstance(event, Ended):
                break
        stream.close()
        return events

    go(stop=True)
    before = StudyFolder(tmp_path / "study").about()["options"]
    assert before["seeds"] == 2
    last = go(stop=False)[-1]
    assert isinstance(last, Concluded)
    assert StudyFolder(tmp_path / "study").about()["options"] == before
    # What is finished is not planned again.
    assert planned(tiny("bert"), tmp_path / "other").trials == 5


def test_the_rest_of_a_study_is_planned(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, _ = tiny_study(tiny("bert"), tmp_path / "study", training__epochs=1)
    list(stream_study("small", {}, study))
    found = drain(plan.plan_study("small", {}, study))
    assert (found.trials, found.finished, found.seconds) == (0, 5, 0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("20 min", 1200), ("1.5h", 5400), ("2 hours", 7200), ("3", 180)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert plan.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0m", "-3m", "1d", "20mm"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a time such as"):
        plan.seconds_of(text)
