"""Tasks of Label Studio as rows: the columns of a task's data, and what its annotators agree on.

Labels of a plain text become `spans` (a list of {start, end, label}, in characters), choices become `label` (a list of
labels). What somebody did not annotate, or annotated in two ways, is a problem and no row without labels.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

from ..errors import DataError, Problem, printable
from ..printing import many
from ..records import Row

Records = Sequence[tuple[str, Any]]
"""Places and what stands there."""
Control = tuple[str, str]
"""Kind and name of what annotators answer: ("labels", "ner")."""
COLUMNS = {"labels": "spans", "choices": "label"}
"""Kinds of answers and the columns that they become."""
AUTHORSHIP = ("annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
"""Columns of the export JSON-MIN that tell nothing about the text."""
# Label Studio writes a line end as a backslash and an n, and trims or joins blanks as a browser shows them.
BLANKS = re.compile(r"\\n|\s+")


def is_task(record: Any) -> bool:
    """Whether a record is a task: its columns stand under `data`, beside what was said of them."""
    if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
        return False
    return bool({"annotations", "completions", "predictions"} & set(record)) or set(record) <= {"id", "data", "meta"}


def read_tasks(tasks: Records) -> Iterator[Row | Problem]:
    """Tasks with their annotations. In a file without any annotation (of texts to predict) no task lacks its own.

    Raises:
        DataError: the annotations hold neither spans nor choices.
    """
    counted = [annotations_of(task) for _, task in tasks]
    names = column_names(tasks, list(chain(*counted)))
    for (place, task), given in zip(tasks, counted, strict=True):
        if not is_task(task):
            yield Problem(place, f"expected a task with `data`, found {printable(task)}", "", "no-record")
        elif any(counted) and not given:
            yield not_annotated(place)
        else:
            yield from row_of_task(task, given, names=names, place=place)


def annotations_of(task: Any) -> list[Any]:
    """The annotations that count: the ground truth where one is marked, else all that were not cancelled."""
    given = (task.get("annotations") or task.get("completions")) if isinstance(task, dict) else None
    kept = [annotation for annotation in list_or_empty(given) if not is_cancelled(annotation)]
    return [
        annotation for annotation in kept if isinstance(annotation, dict) and annotation.get("ground_truth")
    ] or kept


def is_cancelled(annotation: Any) -> bool:
    """Whether an annotator skipped the task."""
    return isinstance(annotation, dict) and bool(annotation.get("was_cancelled") or annotation.get("skipped"))


def row_of_task(
    task: Mapping[str, Any], given: Sequence[Any], *, names: Mapping[Control, str], place: str
) -> Iterator[Row | Problem]:
    """The row of a task if its annotations agree, or what is wrong with them."""
    try:
        answers = [answer_of(annotation, task["data"], names=names, place=place) for annotation in given]
    except DataError as error:
        yield from error.problems
        return
    if any(answer != answers[0] for answer in answers):
        yield contradiction(place)
    else:
        yield Row({"id": task.get("id"), **task["data"], **(answers[0] if answers else {})}, place)


def regions_of(annotation: Any) -> list[dict[str, Any]]:
    """The regions and choices of an annotation; choices about a single region are no label of a text."""
    result = annotation.get("result") if isinstance(annotation, dict) else None
    return [
        region
        for region in list_or_empty(result)
        if isinstance(region, dict)
        and isinstance(region.get("value"), dict)
        and not (region.get("type") == "choices" and "start" in region["value"])
    ]


def control_of(region: Mapping[str, Any]) -> Control:
    """Kind and name of the control that a region comes from."""
    return str(region.get("type")), str(region.get("from_name"))


def column_names(tasks: Records, given: Sequence[Any]) -> dict[Control, str]:
    """Each control's column: `spans` and `label` or, where a kind has several controls, the control's own name.

    Raises:
        DataError: there are controls, but none of a kind that can be read.
    """
    controls = dict.fromkeys(control_of(region) for annotation in given for region in regions_of(annotation))
    kinds = Counter(kind for kind, _ in controls)
    names = {(kind, name): COLUMNS[kind] if kinds[kind] == 1 else name for kind, name in controls if kind in COLUMNS}
    if controls and not names:
        message = f"expected labels of a plain text, or choices; the annotations hold {', '.join(sorted(kinds))}"
        raise DataError(Problem(tasks[0][0], message, "", "no-answers"))
    return names


def answer_of(
    annotation: Any, data: Mapping[str, Any], *, names: Mapping[Control, str], place: str
) -> dict[str, list[Any]]:
    """The columns of an annotation, each a sorted list, so that two can be compared.

    Raises:
        DataError: it is malformed, or its spans do not fit the text.
    """
    if not isinstance(annotation, dict) or not is_objects(annotation.get("result")):
        message = f"expected an annotation with a list `result`, found {printable(annotation)}"
        raise DataError(Problem(place, message, "export the annotations in full (JSON)", "no-record"))
    answer: dict[str, list[Any]] = {}
    for control, name in names.items():
        regions = [region for region in regions_of(annotation) if control_of(region) == control]
        values = [region["value"] for region in regions]
        if control[0] == "labels":
            # Which column a control shows stands in the project's settings, not here; often it has the same name.
            likely = [data.get(str(region.get("to_name"))) for region in regions[:1]]
            texts = [text for text in (*likely, data.get("text"), *data.values()) if isinstance(text, str)]
            answer[name] = spans_of(values, texts, place)
        else:
            answer[name] = sorted({str(choice) for value in values for choice in list_or_empty(value.get("choices"))})
    return answer


# ---- regions to spans


def spans_of(regions: Sequence[Mapping[str, Any]], texts: Sequence[str], place: str) -> list[dict[str, Any]]:
    """Regions as spans, in order and in characters, of the first text that they fit.

    Raises:
        DataError: a region has no label, or several, or no offsets, or holds another text than it says.
    """
    for region in regions:
        check_region(region, place)
    if not regions:
        return []
    offsets = next(filter(None, (offsets_in(text, regions) for text in texts)), None)
    if offsets is None:
        raise DataError(misfit(regions, texts[0] if texts else "", place))
    spans = [(start, end, region["labels"][0]) for (start, end), region in zip(offsets, regions, strict=True)]
    spans.sort(key=lambda span: (span[0], span[1], str(span[2])))
    return [{"start": start, "end": end, "label": label} for start, end, label in spans]


def check_region(region: Mapping[str, Any], place: str) -> None:
    """Refuse a region that can't be one span.

    Raises:
        DataError: it has no label, or several, or no offsets.
    """
    if type(region.get("start")) is not int or type(region.get("end")) is not int:
        fix = "only spans of a plain text can be read (<Text>, not <HyperText>)"
        message = f"expected start and end in characters, found {printable(region)}"
        raise DataError(Problem(place, message, fix, "not-plain-text"))
    labels = region.get("labels")
    if not isinstance(labels, list) or len(labels) != 1:
        shown = f"span [{region['start']}, {region['end']}) {printable(region.get('text', ''), 40)}"
        has = f"has {many(len(labels), 'label')}, {printable(labels)}" if isinstance(labels, list) else "has no label"
        raise DataError(Problem(place, f"{shown} {has}", "give each span one label", "not-one-label"))


def offsets_in(text: str, regions: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]] | None:
    """Start and end of regions in characters, or None if they do not fit the text.

    Label Studio counts characters, and its older versions UTF-16 units: what the regions say they hold decides.
    """
    widths = (1 + (character > "\uffff") for character in text)
    units = accumulate(widths, initial=0)
    for numbers in (range(len(text) + 1), units):
        character = {number: i for i, number in enumerate(numbers)}
        offsets = [(character.get(region["start"], -1), character.get(region["end"], -1)) for region in regions]
        if all(fits(region, text, start=start, end=end) for (start, end), region in zip(offsets, regions, strict=True)):
            return offsets
    return None


def fits(region: Mapping[str, Any], text: str, *, start: int, end: int) -> bool:
    """Whether [start, end) lies in the text and holds what the region says, blanks aside."""
    said = region.get("text")
    inside = 0 <= start <= end <= len(text)
    return inside and (not isinstance(said, str) or BLANKS.sub("", said) == BLANKS.sub("", text[start:end]))


def misfit(regions: Sequence[Mapping[str, Any]], text: str, place: str) -> Problem:
    """What to say of regions that do not fit a text: the first that is wrong in characters."""
    wrong = next(
        (region for region in regions if not fits(region, text, start=region["start"], end=region["end"])), regions[0]
    )
    start, end, said = wrong["start"], wrong["end"], wrong.get("text")
    if 0 <= start <= end <= len(text):
        message = f"span [{start}, {end}) should hold {printable(said, 40)}, found {printable(text[start:end], 40)}"
    else:
        message = f"span [{start}, {end}) lies outside the text, which has {many(len(text), 'character')}"
    fix = "was the text changed after it was labelled? Correct the offsets, or label it again"
    return Problem(place, message, fix, "span-text")


# ---- what keeps a text out of training


def not_annotated(place: str) -> Problem:
    """A text without an annotation: training on it would teach that it holds nothing."""
    fix = "export the completed ones only; `afina predict` takes the others, in a file of their own"
    return Problem(place, "nobody has annotated this text", fix, "unlabelled")


def contradiction(place: str) -> Problem:
    """A text with annotations that differ: which annotator is right is not ours to say."""
    fix = "mark one as ground truth, or delete the others, and export again (JSON)"
    return Problem(place, "two annotations of this text differ", fix, "annotations-differ")


# ---- lists in JSON


def list_or_empty(value: Any) -> list[Any]:
    """A list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def is_objects(value: Any) -> bool:
    """Whether a value is a list of objects and of nothing else."""
    return isinstance(value, list) and all(isinstance(member, dict) for member in value)
