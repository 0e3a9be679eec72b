"""`afina init`: the template of every task loads as it is, and says everything that there is to set."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from afina.config import Config, load
from afina.errors import ConfigError
from afina.tasks.base import find, names
from afina.templates import WIDTH, commented, section, setting, template

TASKS = names()


def test_there_are_tasks() -> None:
    assert {"classification", "regression"} <= set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_a_template_loads_unchanged_and_changes_no_default(task: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(template(task), encoding="utf-8")
    options = find(task).Options().model_dump()
    assert load(file) == Config(task=task, options=options)


@pytest.mark.parametrize("task", TASKS)
def test_a_template_has_every_setting_once_with_its_description(task: str) -> None:
    text = template(task)
    whole = Config(task=task, options=find(task).Options().model_dump()).model_dump(mode="json")
    assert yaml.safe_load(text) == whole
    assert len(text.splitlines()) >= sum(len(value) if isinstance(value, dict) else 1 for value in whole.values())
    for model in (Config, find(task).Options):
        for field in model.model_fields.values():
            words = (field.description or "").split()
            assert " ".join(words[:4]) in text


@pytest.mark.parametrize("task", TASKS)
def test_a_template_fits_a_screen(task: str) -> None:
    assert all(len(line) <= WIDTH for line in template(task).splitlines())


def test_the_settings_that_people_change_come_first() -> None:
    keys = list(yaml.safe_load(template("classification")))
    assert keys[:2] == ["task", "strategy"]
    assert keys[4:] == ["data", "options", "model", "training"]


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'classification'"):
        template("clasification")


@pytest.mark.parametrize("value", [None, True, 1e-05, 0.1, "no", "null", "1", ["a", "b: c"], {"x": 1.5}, {}, "é # x"])
def test_a_value_comes_back_as_it_was(value: object, tmp_path: Path) -> None:
    (line,) = setting("options", {"value": value}, None)
    file = tmp_path / "config.yaml"
    file.write_text(line, encoding="utf-8")
    from afina.yaml_files import read_yaml

    assert read_yaml(file) == {"options": {"value": value}}


def test_a_long_description_goes_on_below() -> None:
    first, *rest = commented("name: 1", "word " * 60)
    assert first.startswith("name: 1 ")
    assert len(rest) >= 2
    assert {line.index("#") for line in rest} == {first.index("#")}


def test_a_line_without_a_description_stays_alone() -> None:
    assert commented("data:", None) == ["data:"]


def test_a_section_is_indented() -> None:
    assert all(line.startswith("  ") for line in section(find("classification").Options))
