"""Tasks are found by name and by the names that people know them under."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from afina.config import load
from afina.errors import ConfigError
from afina.tasks import base


def test_every_task_is_found() -> None:
    assert base.names() == ["answers", "classification", "multilabel", "regression", "tokens", "ordinal"]
    assert [base.find(name).name for name in base.names()] == base.names()


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("text-classification", "classification"),
        ("token-classification", "tokens"),
        ("ner", "tokens"),
        ("pos", "tokens"),
        ("question-answering", "answers"),
        ("qa", "answers"),
        ("multi-label-classification", "multilabel"),
        ("ordinal-regression", "ordinal"),
    ],
)
def test_a_task_answers_to_the_names_of_the_hub(alias: str, name: str) -> None:
    assert base.find(alias).name == name
    assert load(None, {"task": alias}).task == name


def test_no_alias_is_a_name_or_stands_twice() -> None:
    aliases = [alias for name in base.names() for alias in base.find(name).aliases]
    assert len(aliases) == len(set(aliases)) >= 10
    assert not set(aliases) & set(base.names())


def test_an_unknown_name_is_refused_with_what_was_meant() -> None:
    with pytest.raises(ConfigError, match=r"'clasification' is not a task, did you mean 'classification'\?"):
        base.find("clasification")


@pytest.mark.parametrize(
    ("architecture", "labels", "kind", "name"),
    [
        ("BertForSequenceClassification", ["a", "b"], None, "classification"),
        ("BertForSequenceClassification", ["a", "b"], "multi_label_classification", "multilabel"),
        ("BertForSequenceClassification", ["a"], None, "regression"),
        ("BertForSequenceClassification", ["a", "b"], "regression", "regression"),
        ("RobertaForTokenClassification", ["O", "B-PER", "I-PER"], None, "tokens"),
        ("ElectraForQuestionAnswering", ["a", "b"], None, "answers"),
        ("BertForMaskedLM", ["a", "b"], None, None),
    ],
)
def test_at_most_one_task_knows_a_stock_head(
    architecture: str, labels: list[str], kind: str | None, name: str | None
) -> None:
    config = SimpleNamespace(num_labels=len(labels), problem_type=kind, id2label=dict(enumerate(labels)))
    tasks = [task for known in base.names() if (task := base.find(known).from_stock(architecture, config))]
    assert [task.name for task in tasks] == ([] if name is None else [name])
    if name in ("classification", "multilabel"):
        assert tasks[0].labels == labels
