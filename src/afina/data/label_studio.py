"""Label Studio's JSON: tasks with their annotations, and what its regions of a text are in characters.

What somebody did not annotate, or annotated in two ways, is a problem and no example without labels.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from ..errors import DataError, Problem, printable
from ..records import Row

Records = Sequence[tuple[str, Any]]
"""Places and what stands there."""
Control = tuple[str, str]
"""Kind and name of what annotators answer in Label Studio: ("labels", "ner")."""
COLUMNS = {"labels": "spans", "choices": "label"}
"""Label Studio's kinds of answers and the columns that they become."""
# Label Studio writes a line end as a backslash and an n, and trims or joins blanks as a browser shows them.
BLANKS = re.compile(r"\\n|\s+")


def is_task(record: Any) -> bool:
    """Whether a record is a task of Label Studio: its columns stand under `data`, beside what was said of them."""
    if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
        return False
    return bool({"annotations", "completions", "predictions"} & set(record)) or set(record) <= {"id", "data", "meta"}


def read_tasks(tasks: Records) -> Iterator[Row | Problem]:
    """Tasks with their annotations. In a file without any annotation (of texts to predict) no task lacks its own.

    Raises:
        DataError: the annotations hold neither spans nor choices.
    """
    finished = [annotations_of(task) for _, task in tasks]
    names = column_names(tasks, [one for given in finished for one in given])
    for (place, task), given in zip(tasks, finished, strict=True):
        if not is_task(task):
            yield Problem(place, f"expected a task with `data`, found {printable(task)}", "", "no-record")
        elif any(finished) and not given:
            yield unlabelled(place)
        else:
            yield from row_of_task(task, given, names, place)


def annotations_of(task: Any) -> list[Any]:
    """The annotations that count: the ground truth where one is marked, else all that were not cancelled."""
    given = (task.get("annotations") or task.get("completions")) if isinstance(task, dict) else None
    kept = [
        one for one in listed(given) if not (isinstance(one, dict) and (one.get("was_cancelled") or one.get("skipped")))
    ]
    return [one for one in kept if isinstance(one, dict) and one.get("ground_truth")] or kept


def row_of_task(
    task: Mapping[str, Any], given: Sequence[Any], names: Mapping[Control, str], place: str
) -> Iterator[Row | Problem]:
    """The row of a task if its annotations agree, or what is wrong with them."""
    try:
        answers = [answer_of(one, task["data"], names, place) for one in given]
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
        one
        for one in listed(result)
        if isinstance(one, dict)
        and isinstance(one.get("value"), dict)
        and not (one.get("type") == "choices" and "start" in one["value"])
    ]


def control_of(region: Mapping[str, Any]) -> Control:
    """Kind and name of the control that a region comes from."""
    return str(region.get("type")), str(region.get("from_name"))


def column_names(tasks: Records, annotations: Sequence[Any]) -> dict[Control, str]:
    """Each control's column: `spans` and `label` or, where a kind has several controls, the control's own name.

    Raises:
        DataError: there are controls, but none of a kind that can be read.
    """
    controls = dict.fromkeys(control_of(region) for one in annotations for region in regions_of(one))
    kinds = Counter(kind for kind, _ in controls)
    found = {one: COLUMNS[one[0]] if kinds[one[0]] == 1 else one[1] for one in controls if one[0] in COLUMNS}
    if controls and not found:
        message = f"expected labels of a plain text, or choices; the annotations hold {', '.join(sorted(kinds))}"
        raise DataError(Problem(tasks[0][0], message, "", "no-answers"))
    return found


def answer_of(
    annotation: Any, data: Mapping[str, Any], names: Mapping[Control, str], place: str
) -> dict[str, list[Any]]:
    """The columns of an annotation, each a sorted list, so that two can be compared.

    Raises:
        DataError: it is malformed, or its spans do not fit the text.
    """
    if not isinstance(annotation, dict) or not is_objects(annotation.get("result")):
        message = f"expected an annotation with a list `result`, found {printable(annotation)}"
        raise DataError(Problem(place, message, "export the annotations in full (JSON)", "no-record"))
    found: dict[str, list[Any]] = {}
    for control, name in names.items():
        regions = [region for region in regions_of(annotation) if control_of(region) == control]
        values = [region["value"] for region in regions]
        if control[0] == "labels":
            # Which column a control shows stands in the project's settings, not here; often it has the same name.
            likely = [data.get(str(region.get("to_name"))) for region in regions[:1]]
            texts = [text for text in (*likely, data.get("text"), *data.values()) if isinstance(text, str)]
            found[name] = spans_of(values, texts, place)
        else:
            found[name] = sorted({str(choice) for value in values for choice in listed(value.get("choices"))})
    return found


def listed(value: Any) -> list[Any]:
    """A list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def is_objects(value: Any) -> bool:
    """Whether a value is a list of objects and of nothing else."""
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def spans_of(regions: Sequence[Mapping[str, Any]], texts: Sequence[str], place: str) -> list[dict[str, Any]]:
    """Regions as spans, in order and in characters, of the first text that they fit.

    Raises:
        DataError: a region has no label, or several, or no offsets, or holds another text than it says.
    """
    for one in regions:
        labels = one.get("labels")
        if type(one.get("start")) is not int or type(one.get("end")) is not int:
            fix = "only spans of a plain text can be read (<Text>, not <HyperText>)"
            message = f"expected start and end in characters, found {printable(one)}"
            raise DataError(Problem(place, message, fix, "not-plain-text"))
        if not isinstance(labels, list) or len(labels) != 1:
            shown = f"span [{one['start']}, {one['end']}) {printable(one.get('text', ''), 40)}"
            found = f"has {len(labels)} labels, {printable(labels)}" if isinstance(labels, list) else "has no label"
            raise DataError(Problem(place, f"{shown} {found}", "give each span one label", "not-one-label"))
    if not regions:
        return []
    places = next(filter(None, (places_in(text, regions) for text in texts)), None)
    if places is None:
        raise DataError(misfit(regions, texts[0] if texts else "", place))
    spans = [(start, end, one["labels"][0]) for (start, end), one in zip(places, regions, strict=True)]
    spans.sort(key=lambda span: (span[0], span[1], str(span[2])))
    return [{"start": start, "end": end, "label": label} for start, end, label in spans]


def places_in(text: str, regions: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]] | None:
    """Start and end of regions in characters, or None if they do not fit the text.

    Label Studio counts characters, and its older versions UTF-16 units: what the regions say they hold decides.
    """
    widths = (1 + (character > "\uffff") for character in text)
    units = accumulate(widths, initial=0)
    for numbers in (range(len(text) + 1), units):
        character = {number: i for i, number in enumerate(numbers)}
        found = [(character.get(one["start"], -1), character.get(one["end"], -1)) for one in regions]
        if all(fits(text, start, end, one) for (start, end), one in zip(found, regions, strict=True)):
            return found
    return None


def fits(text: str, start: int, end: int, region: Mapping[str, Any]) -> bool:
    """Whether [start, end) lies in the text and holds what the region says, blanks aside."""
    said = region.get("text")
    inside = 0 <= start <= end <= len(text)
    return inside and (not isinstance(said, str) or BLANKS.sub("", said) == BLANKS.sub("", text[start:end]))


def misfit(regions: Sequence[Mapping[str, Any]], text: str, place: str) -> Problem:
    """What to say of regions that do not fit a text: the first that is wrong in characters."""
    wrong = next((one for one in regions if not fits(text, one["start"], one["end"], one)), regions[0])
    start, end, said = wrong["start"], wrong["end"], wrong.get("text")
    if 0 <= start <= end <= len(text):
        message = f"span [{start}, {end}) should hold {printable(said, 40)}, found {printable(text[start:end], 40)}"
    else:
        message = f"span [{start}, {end}) lies outside the text, which has {len(text)} characters"
    fix = "was the text changed after it was labelled? Correct the offsets, or label it again"
    return Problem(place, message, fix, "span-text")


def unlabelled(place: str) -> Problem:
    """Training on it would teach that it holds nothing."""
    fix = "export the completed ones only; `afina predict` takes the others, in a file of their own"
    return Problem(place, "nobody has annotated this text", fix, "unlabelled")


def contradiction(place: str) -> Problem:
    """Which annotator is right is not ours to say."""
    fix = "mark one as ground truth, or delete the others, and export again (JSON)"
    return Problem(place, "two annotations of this text differ", fix, "annotations-differ")
