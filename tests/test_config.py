"""Configuration: all problems at once, in words; YAML that can't hurt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from afina.config import SHORT, Config, dump, load
from afina.errors import ConfigError
from afina.tasks.base import names


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_file_and_overrides(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.yaml", "task: regression\nstrategy: last-2\ntraining:\n  epochs: 4\n  learning_rate: 1e-5\n"
    )
    config = load(file, {"training.epochs": 5, "options.text": "sentence"})
    assert (config.task, config.strategy, config.training.epochs) == ("regression", "last-2", 5)
    assert config.training.learning_rate == 1e-5
    assert config.options == {"text": "sentence"}


def test_data_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "data: {train: train.csv, test: /abs/test.csv}\n")
    config = load(file, {"data.validation": "dev.csv"})
    assert config.data.train == str(tmp_path / "train.csv")
    assert config.data.test == "/abs/test.csv"
    assert config.data.validation == "dev.csv"


def test_what_dump_writes_load_reads(tmp_path: Path) -> None:
    config = load(
        None, {"task": "regression", "data.train": "/a b/ç.csv", "training.layer_decay": 0.9, "options.label": "no"}
    )
    assert load(write(tmp_path / "c.yaml", dump(config))) == config


def test_all_problems_come_together() -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            None,
            {"training.epocs": 3, "training.batch_size": 0, "strategy": "last-0", "seed": -1, "data.hold_out": "x"},
        )
    message = str(caught.value)
    assert len(caught.value.problems) == 5
    assert "training.epocs: no such setting; did you mean 'epochs'?" in message
    assert "training.batch_size: input should be greater than or equal to 1, found 0" in message
    assert "strategy: expected full, head, last-N, head-then-full, head-then-last-N, gradual or biases" in message
    assert "(for example last-2), found 'last-0'" in message
    assert "seed:" in message
    assert "data.hold_out: expected a number, found 'x'" in message
    with pytest.raises(ConfigError, match=r"training\.epochs: expected a whole number, found 2\.5"):
        load(None, {"training.epochs": 2.5})


def test_short_names_are_meant_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^epoch: no such setting; did you mean 'epochs' \(training\.epochs\)\?$"):
        load(None, {"epoch": 3})
    with pytest.raises(ConfigError, match=r"^epochs: no such setting; did you mean 'training\.epochs'\?$"):
        load(write(tmp_path / "c.yaml", "epochs: 3\n"))


@pytest.mark.parametrize("value", [[{"text": "a"}], 3, "x.csv"])
def test_a_value_in_place_of_a_section(value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^data: expected settings by name, found {type(value).__name__}$"):
        load(None, {"data": value})


@pytest.mark.parametrize("given", [[{"text": "a"}], {"text": ["a"]}, 3])
def test_what_is_no_configuration_is_taken_for_data(given: Any) -> None:
    with pytest.raises(ConfigError, match=f"^config: .* found {type(given).__name__}; give data by name: train="):
        load(given)


def test_task_options_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"options\.label: expected a text, found 3"):
        load(None, {"options.label": 3})
    with pytest.raises(ConfigError, match=r"options\.lable: no such setting; did you mean 'label'\?"):
        load(None, {"options.lable": "x"})
    with pytest.raises(ConfigError, match=r"options\.class_weights: .*found 'heavy'"):
        load(None, {"options.class_weights": "heavy"})
    with pytest.raises(ConfigError, match="'clasification' is not a task, did you mean 'classification'"):
        load(None, {"task": "clasification"})


def test_an_override_through_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="'task' is a value, not a section"):
        load(None, {"task": "regression", "task.name": "x"})


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file; `afina init TASK` writes a commented one"):
        load(tmp_path / "none.yaml")


def test_every_setting_is_described() -> None:
    def walk(model: type, path: str = "") -> list[str]:
        bare = []
        for name, field in model.model_fields.items():  # type: ignore[attr-defined]
            inner = field.annotation
            if hasattr(inner, "model_fields"):
                bare += walk(inner, f"{path}{name}.")
            elif not field.description:
                bare.append(path + name)
        return bare

    assert walk(Config) == []


def test_short_names_lead_to_settings() -> None:
    for short, path in SHORT.items():
        section, _, name = path.partition(".")
        if section != "options":
            inner: Any = Config.model_fields[section].annotation
            assert name in inner.model_fields, short
    assert names()


def test_epochs_between_evaluations_are_whole_or_a_share_of_one() -> None:
    for given, read in ((3, 3), (2.0, 2), (0.25, 0.25), (1.0, 1)):
        value = load(None, {"training.evaluate_every": given}).training.evaluate_every
        assert (value, type(value)) == (read, type(read))
    for wrong in (1.5, 0, -1):
        with pytest.raises(ConfigError, match=r"training.evaluate_every: .*found"):
            load(None, {"training.evaluate_every": wrong})
