"""Results as JSON, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..printing import say
from ..training.rundir import REPORT, finite

if TYPE_CHECKING:
    from ..inference import Evaluation
    from ..training.events import Adapted, Done

LABELS = 12
"""Lines of the table of labels at the end of a training."""


def say_json(value: Any) -> None:
    """Print one JSON object on one line."""
    say(json.dumps(finite(value), ensure_ascii=False))


def scores_record(evaluation: Evaluation) -> dict[str, Any]:
    """Scores with their bounds, or the reason why there are none, for programs."""
    return {
        name: {
            "value": value,
            "low": evaluation.intervals[name][0],
            "high": evaluation.intervals[name][1],
            **({"reason": evaluation.reasons[name]} if name in evaluation.reasons else {}),
        }
        for name, value in evaluation.metrics.items()
    }


def run_record(done: Done) -> dict[str, Any]:
    """What `afina train --json` prints."""
    return {
        "folder": str(done.folder),
        "report": str(page) if (page := done.folder / REPORT).exists() else None,
        "validation": scores_record(done.validation),
        "test": None if done.test is None else scores_record(done.test),
        "baselines": {
            "validation": done.validation.baselines,
            "test": None if done.test is None else done.test.baselines,
        },
        "warnings": done.record["warnings"],
        "best_epoch": done.record["best"]["epoch"],
        "parameters": done.record["parameters"],
        "seconds": done.record["seconds"],
    }


def adaptation_record(done: Adapted) -> dict[str, Any]:
    """What `afina adapt --json` prints."""
    return {
        "folder": str(done.folder),
        "validation": scores_record(done.validation),
        "baselines": {"validation": done.validation.baselines},
        "fall": done.record["fall"],
        "warnings": done.record["warnings"],
        "best_epoch": done.record["best"]["epoch"],
        "parameters": done.record["parameters"],
        "seconds": done.record["seconds"],
    }


def evaluation_record(evaluation: Evaluation, *, calibration: bool = False) -> dict[str, Any]:
    """An evaluation for programs: what `afina evaluate --json` prints.

    Args:
        evaluation: The evaluation.
        calibration: Whether to say how honest its probabilities are, too.
    """
    honest = None if evaluation.calibration is None else asdict(evaluation.calibration)
    return {
        "metrics": scores_record(evaluation),
        "baselines": evaluation.baselines,
        "breakdown": evaluation.breakdown,
        "examples": evaluation.examples,
        "truncated": evaluation.truncated,
        "truncated_tokens": evaluation.truncated_tokens,
        **({"calibration": honest} if calibration else {}),
    }
