"""Everything that there is to know about labelled data before training on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..assembly import open_tokenizer
from ..config import Config
from ..data.holdout import FEWEST
from ..data.identity import fingerprint
from ..data.parts import Bad, gather
from ..errors import Problem, shortened
from ..model.families import locate
from ..printing import Block, Shown, Table, as_html, many
from ..records import Example
from ..tasks.base import Task
from . import label_issues
from .duplicates import contradictions, mirrored, repeated, seen_in_validation
from .findings import Finding, Severity, by_kind
from .labels import label_findings, numbers_as_labels
from .lengths import encoded, length_findings
from .near_duplicates import find_near_duplicates
from .remnants import remnants
from .tokenizers import tokenizer_findings

ORDER: tuple[Severity, ...] = ("error", "warning", "note")
"""The gravest first."""


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """What `check` found. `print` shows what `afina check` shows.

    Attributes:
        examples: Number of examples by split.
        left_out: Number of records that can't be used, by split.
        findings: The gravest first.
        notes: What was decided on the way, in words.
        label_issues: Labels that are probably wrong, when they were looked for.
    """

    examples: dict[str, int]
    left_out: dict[str, int]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    label_issues: label_issues.LabelIssues | None = None

    def of(self, severity: Severity) -> list[Finding]:
        """The findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]

    @property
    def errors(self) -> list[Finding]:
        """What training would refuse."""
        return self.of("error")

    @property
    def warnings(self) -> list[Finding]:
        """What training or its scores would suffer from."""
        return self.of("warning")

    @property
    def counted(self) -> str:
        """Number of findings by severity, in words."""
        return ", ".join(many(len(self.of(severity)), severity) for severity in ORDER)

    def __repr__(self) -> str:
        return f"Report({self.counted})"

    def _repr_html_(self) -> str:
        rows = [
            [finding.severity, finding.message, in_places(finding) if finding.places else ""]
            for finding in self.findings
        ]
        return as_html([*self.notes, *([Table(["", "finding", "where"], rows)] if rows else []), self.counted])

    def blocks(self) -> Iterator[Block]:
        """Notes, the findings with their first places, and how many there are."""
        yield from self.notes
        yield ""
        for finding in self.findings:
            where = f"\n         {in_places(finding)}" if finding.places else ""
            yield f"{finding.severity + ':':<9}{finding.message}{where}"
        yield ""
        yield self.counted


def audit(
    task: Task,
    splits: Mapping[str, Sequence[Example]],
    *,
    problems: Sequence[Problem] = (),
    left_out: Mapping[str, Sequence[Bad]] | None = None,
) -> list[Finding]:
    """The findings that need no model, the gravest first.

    Args:
        task: With its columns, and fitted where there are no problems.
        splits: Examples by split, as they were given.
        problems: What training would refuse.
        left_out: By split, records that are left out; problems among `problems` are not told twice.
    """
    refused = set(map(id, problems))
    records = [record for bad in (left_out or {}).values() for record in bad]
    spared = [problem for record in records for problem in record if id(problem) not in refused]
    findings = [*by_kind(problems, "error"), *by_kind(spared, "warning")]
    keys = {name: [fingerprint(example) for example in examples] for name, examples in splits.items()}
    distinct = len(set(keys["train"]))
    if 0 < distinct < FEWEST:
        message = f"train: {many(distinct, 'distinct input')}: no training set; a model can learn little from it"
        findings.append(Finding("warning", "few-examples", message, distinct))
    findings += repeated(splits, keys)
    findings += seen_in_validation(splits, keys)
    findings += mirrored(splits, keys)
    findings += contradictions(task, splits, keys)
    findings += remnants(task, splits)
    findings += find_near_duplicates(splits, stratum=task.stratum)
    labels = Counter(label for example in splits["train"] for label in task.labels_in(example))
    if labels:
        findings += [*label_findings(labels), *numbers_as_labels(splits["train"])]
    for name, examples in splits.items():
        findings += by_kind(task.warnings(examples), "warning", f"{name}: ")
    return in_order(findings)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The gravest first."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.severity))


def check(config: Config, sources: Mapping[str, Any] | None = None, *, labels: bool = False) -> Report:
    """Everything that is wrong or odd about a run's data. Only the model's tokenizer is loaded.

    Args:
        config: Checked configuration.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.
        labels: Whether to look for labels that are probably wrong, too, which takes a pass of the whole model.

    Raises:
        InputError: data or model can't be read at all; what is wrong with single records is a finding.
    """
    source = locate(config.model.name)
    data, problems = gather(config, sources)
    findings = audit(data.task, data.given, problems=problems, left_out=data.left_out)
    issues = None
    if not problems:
        tokenizer = open_tokenizer(source, max_length=config.model.max_length, resize=config.model.resize)
        train = data.splits["train"]
        task = data.task.fit_tokens(train, encoded(data.task, train, tokenizer=tokenizer))
        for name, examples in data.splits.items():
            findings += length_findings(task, examples, tokenizer=tokenizer, name=name)
        findings += tokenizer_findings(task, data.given, tokenizer=tokenizer)
        if labels:
            issues = label_issues.find_label_issues(config, data)
            findings += issues.findings()
    return Report(
        {name: len(examples) for name, examples in data.splits.items()},
        {name: len(records) for name, records in data.left_out.items()},
        tuple(in_order(findings)),
        tuple(data.notes),
        issues,
    )


def warning_lines(findings: Sequence[Finding]) -> list[str]:
    """The warnings among findings, a line each."""
    return [in_a_line(finding) for finding in findings if finding.severity == "warning"]


def in_a_line(finding: Finding) -> str:
    """A finding with its first place."""
    more = f", the first of {finding.count:,}" if finding.count > 1 else ""
    return finding.message + (f" ({finding.places[0]}{more})" if finding.places else "")


def in_places(finding: Finding) -> str:
    """The first places of a finding, and how many there are; nothing where it has none."""
    if not finding.places:
        return ""
    more = f", ... ({finding.count:,} in all)" if finding.count > len(finding.places) else ""
    return ", ".join(shortened(finding.places)) + more
