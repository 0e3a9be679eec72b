"""Small training data, and what is found in them before a model is there."""

from __future__ import annotations

from typing import Any

from afina.config import load
from afina.data.parts import gather
from afina.quality.findings import Finding
from afina.quality.report import audit


def findings(task: str = "classification", **parts: Any) -> dict[str, Finding]:
    """The findings by code; that the gravest come first is checked on the way."""
    data, problems = gather(load(None, {"task": task}), parts)
    found = audit(data.task, data.splits, problems=problems)
    severities = [one.severity for one in found]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    return {one.code: one for one in found}


def rows(*labels: str, each: int = 12, start: int = 0) -> list[dict[str, Any]]:
    """Different texts of each label."""
    return [{"text": f"text {start + i} {label}", "label": label} for label in labels for i in range(each)]
