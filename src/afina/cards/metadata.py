"""The block of a card that the hub reads: what kind of model it is, and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..printing import safe
from ..yaml_files import as_yaml
from .facts import Facts, finite

PIPELINES = {
    "AutoModelForSequenceClassification": "text-classification",
    "AutoModelForTokenClassification": "token-classification",
    "AutoModelForQuestionAnswering": "question-answering",
}
"""Kinds of models, as the hub names them, by the stock class."""
METRICS = {
    "pearson": "pearsonr",
    "spearman": "spearmanr",
    "mean_squared_error": "mse",
    "mean_absolute_error": "mae",
    "matthews": "matthews_correlation",
    "r2": "r_squared",
}
"""Names of metrics on the hub by those of afina."""
FAMILIES = ("f1", "precision", "recall", "accuracy")
"""Metrics of the hub that those of afina are kinds of, by the ends of their names."""


def metadata(facts: Facts) -> dict[str, Any]:
    """What the hub reads. What is not known is not there."""
    base = facts.base.hub
    pipeline = PIPELINES.get(facts.task.head.auto_class, "")
    first = facts.scores[facts.scored]
    kinds = dict.fromkeys(metric_of(name) for name in first["metrics"])
    entries = {
        "language": [facts.language] if facts.language else None,
        "library_name": "transformers" if facts.native else "afina",
        "pipeline_tag": pipeline or None,
        "base_model": base if base and not facts.random else None,
        "base_model_relation": "finetune" if base and not facts.random else None,
        "tags": ["afina", safe(facts.task.name)],
        "metrics": list(kinds),
        "model-index": [{"name": one_line(facts.name), "results": results(facts, pipeline)}],
    }
    return {name: value for name, value in entries.items() if value is not None}


def results(facts: Facts, pipeline: str) -> list[dict[str, Any]]:
    """The scores of each split, as far as they are numbers."""
    found = []
    for split, one in facts.scores.items():
        names, held = facts.sources(split)
        name = ", ".join(names) if names else "data in memory"
        dataset = {
            "type": "private",
            "name": one_line(f"held out of {name}" if held else name),
            "split": split,
        }
        metrics = [
            {"type": metric_of(metric), "value": value, "name": safe(metric)}
            for metric, given in one["metrics"].items()
            if (value := finite(given)) is not None
        ]
        if metrics:
            task = {"type": pipeline or "other", "name": safe(facts.task.name)}
            found.append({"task": task, "dataset": dataset, "metrics": metrics})
    return found


def metric_of(name: str) -> str:
    """The hub's name of a metric; its own where the hub has none."""
    own = next((family for family in FAMILIES if name == family or name.endswith(f"_{family}")), name)
    return METRICS.get(name, safe(own))


def one_line(text: str, longest: int = 96) -> str:
    """A user's text without line ends and control characters."""
    line = safe(text.replace("\n", "\\n"))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def front(entries: Mapping[str, Any]) -> str:
    """Entries between the lines that the hub looks for."""
    return f"---\n{as_yaml(entries)}---\n"
