"""What a person sees of the results of the commands."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import shortened
from ..printing import duration, many, number, say, say_table
from ..training.rundir import finite

if TYPE_CHECKING:
    from ..inference import Evaluation
    from ..quality.findings import Finding
    from ..training.events import Done
    from ..training.plan import Plan

LABELS = 12
"""Lines of the table of labels at the end of a training."""


def say_json(value: Any) -> None:
    """Print one JSON object on one line."""
    say(json.dumps(finite(value), ensure_ascii=False))


def with_interval(evaluation: Evaluation, metric: str) -> str:
    """A score with its bounds, or alone where it has none."""
    value, (low, high) = evaluation.metrics[metric], evaluation.intervals[metric]
    return number(value) if metric in evaluation.reasons else f"{number(value)} [{number(low)}, {number(high)}]"


def say_reasons(*evaluations: Evaluation) -> None:
    """Why scores have no interval, each reason once."""
    grouped: dict[str, list[str]] = {}
    for evaluation in evaluations:
        for metric, reason in evaluation.reasons.items():
            grouped.setdefault(reason, []).append(metric)
    if grouped:
        parts = (f"{', '.join(dict.fromkeys(metrics))} ({reason})" for reason, metrics in grouped.items())
        say(f"no interval: {'; '.join(parts)}")


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


# ---------------------------------------------------------------------------------------------------------------------
# Results.


def say_result(done: Done) -> None:
    """Scores, where the run lies, and what to type next."""
    parts = {"validation": done.validation, "test": done.test}
    held = {name: part for name, part in parts.items() if part is not None}
    for name, part in held.items():
        say()
        say(f"{name}, {many(part.examples, 'example')}{' (chose the epoch)' if name == 'validation' else ''}")
        say_scores(part)
        say_reasons(part)
    name, part = list(held.items())[-1]
    if part.breakdown:
        say()
        say_breakdown(part, name)
    say()
    say(f"run:  {done.folder}")
    say(f"next: afina predict {shlex.quote(str(done.folder))} --data FILE --out predictions.csv")


def say_scores(evaluation: Evaluation) -> None:
    """Scores with their bounds, beside those of the baselines."""
    beside = evaluation.baselines
    rows = [
        [metric, with_interval(evaluation, metric), *(stated(scores[metric]) for scores in beside.values())]
        for metric in evaluation.metrics
    ]
    say_table(["metric", "model (95 % interval)" if beside else "value (95 % interval)", *beside], rows)


def stated(value: float) -> str:
    """A score of a baseline, or a dash where it is undefined."""
    return number(value) if math.isfinite(value) else "-"


def say_breakdown(evaluation: Evaluation, name: str) -> None:
    """The scores of each label; of many labels, the worst and the commonest."""
    lines = evaluation.breakdown
    chosen = telling(lines)
    kind = f"labels of {name}" if len(chosen) == len(lines) else f"labels of {name}, the worst and the commonest"
    say(f"{kind} ({many(len(lines) - len(chosen), 'other')} in run.json)" if len(chosen) < len(lines) else kind)
    say_table(list(lines[0]), [list(line.values()) for line in chosen])


def telling(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of a table of labels to look at, in its order: all, or of many the commonest and the worst of the rest.

    Labels without gold examples are the last to be shown.
    """
    if len(lines) <= LABELS:
        return list(lines)
    order = sorted(range(len(lines)), key=lambda i: -lines[i].get("support", 0))
    common, others = order[: LABELS // 2], order[LABELS // 2 :]
    worst = sorted(others, key=lambda i: (not lines[i].get("support", 0), lines[i].get("f1", 0.0)))
    return [lines[i] for i in sorted(common + worst[: LABELS - len(common)])]


def say_findings(notes: Sequence[str], findings: Sequence[Finding]) -> None:
    """What there is to know about the data, the gravest first."""
    for note in notes:
        say(note)
    say()
    grouped = {finding.code for finding in findings if finding.severity == "error"} | {"overlapping-spans"}
    for finding in sorted(findings, key=lambda finding: ("error", "warning", "note").index(finding.severity)):
        count = f" ({finding.count:,} of the kind)" if finding.code in grouped and finding.count > 1 else ""
        where = f"\n         {', '.join(shortened(finding.places))}" if finding.places else ""
        say(f"{finding.severity + ':':<9}{finding.message}{count}{where}")
    kinds = Counter(finding.severity for finding in findings)
    say()
    say(", ".join(f"{kinds[name]} {name}{'s' if kinds[name] != 1 else ''}" for name in ("error", "warning", "note")))


def say_plan(plan: Plan) -> None:
    """What a run will take."""
    avoided = 1 - plan.tokens / plan.padded_tokens
    rows = [
        ["training examples", f"{plan.examples:,}"],
        ["windows", f"{plan.windows:,}"],
        ["tokens an epoch", f"{plan.tokens:,} ({avoided:.0%} less than padded batches)"],
        ["steps", f"{plan.steps:,} in {plan.epochs:,} epochs"],
        ["arithmetic", f"{plan.flops / 1e12:,.2f} TFLOP"],
        ["this machine", f"{plan.peak / 1e9:,.0f} GFLOP/s in matrix products"],
        ["expected time", f"about {duration(plan.seconds)}"],
        ["memory", f"about {plan.memory / 1e6:,.0f} MB, beside Python and torch"],
        ["frozen part", plan.kept or "nothing is frozen"],
        ["disk", f"about {plan.disk / 1e6:,.0f} MB"],
    ]
    say_table(["", "before early stopping"], rows)
    for warning in plan.warnings:
        say(f"warning: {warning}")


def run_record(done: Done) -> dict[str, Any]:
    """What `afina train --json` prints."""
    return {
        "folder": str(done.folder),
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


def say_evaluation(evaluation: Evaluation) -> None:
    """Scores, the breakdown, and what the length limit cost."""
    say_scores(evaluation)
    say_reasons(evaluation)
    for name in evaluation.baselines:
        say(f"{name} is what these data themselves suggest, whatever the text")
    if evaluation.breakdown:
        say()
        say_table(list(evaluation.breakdown[0]), [list(line.values()) for line in evaluation.breakdown])
    say()
    truncated, tokens = evaluation.truncated, evaluation.truncated_tokens
    cost = f"{truncated:,} of them cut, {tokens:,} tokens lost" if truncated else "none of them cut"
    say(f"{evaluation.examples:,} examples, {cost}")


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation for programs: what `afina evaluate --json` prints."""
    return {
        "metrics": scores_record(evaluation),
        "baselines": evaluation.baselines,
        "breakdown": evaluation.breakdown,
        "examples": evaluation.examples,
        "truncated": evaluation.truncated,
        "truncated_tokens": evaluation.truncated_tokens,
    }
