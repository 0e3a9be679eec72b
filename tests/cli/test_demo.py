"""`afina demo`: the bundled sample, and a training on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from afina.cli import demo
from afina.errors import ConfigError
from tests.cli.conftest import Trained, afina
from tests.conftest import REPOSITORY


def test_the_demo_trains_and_tries_its_model(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from afina.cli.training import follow
    from afina.config import Config, ModelConfig

    def small(config: Config, *, quiet: bool = False) -> Any:
        assert (config.model.name, config.strategy, config.seed) == ("minilm", "full", 0)
        return follow(config.model_copy(update={"model": ModelConfig(name=str(trained.model))}), quiet=quiet)

    monkeypatch.setattr(demo, "follow", small)
    monkeypatch.setattr(demo, "EPOCHS", 1)
    result = afina("demo", "--out", "here")
    assert result.exit_code == 0, result.output
    assert "run:  here" in result.stdout
    tail = result.stdout.splitlines()[-len(demo.TEXTS) :]
    assert all(
        line.endswith(text) and re.match(r"[01]\.\d\d  \w+ ", line) for line, text in zip(tail, demo.TEXTS, strict=True)
    )


def test_the_sample_is_found_beside_the_package_or_in_the_checkout(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo.demo_folder() in (REPOSITORY / "examples" / "classification", Path(demo.__file__).parents[1] / "demo")
    monkeypatch.setattr(demo, "__file__", str(here / "a" / "b" / "cli" / "demo.py"))
    with pytest.raises(ConfigError, match="no sample data"):
        demo.demo_folder()
    (here / "a" / "b" / "demo").mkdir(parents=True)
    (here / "a" / "b" / "demo" / "train.csv").touch()
    assert demo.demo_folder() == here / "a" / "b" / "demo"


@pytest.mark.skipif(not (REPOSITORY / "pyproject.toml").is_file(), reason="not in a checkout")
def test_the_wheel_ships_the_sample() -> None:
    import tomllib

    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    shipped = build["targets"]["wheel"]["force-include"]
    assert sorted(shipped.values()) == ["afina/demo/test.csv", "afina/demo/train.csv", "afina/demo/validation.csv"]
    assert all((REPOSITORY / name).is_file() for name in shipped)
