"""Records of JSON files as rows: arrays of plain objects, and what doccano, Prodigy, spaCy and Label Studio export.

A row has the columns of its record. Where a tool has a form of its own, `spans` (a list of {start, end, label}, in
characters) and `label` (a list of labels) say the same in ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..errors import DataError, Problem, printable
from ..records import Row
from .label_studio import (
    AUTHORSHIP,
    Records,
    contradiction,
    is_objects,
    is_task,
    not_annotated,
    read_tasks,
    spans_of,
)


def read_export(name: str, tree: Any) -> Iterator[Row | Problem]:
    """The records of a JSON file.

    Raises:
        DataError: the file holds none.
    """
    records = records_of(name, tree)
    if any(is_task(record) for _, record in records):
        return read_tasks(records)
    return read_records(records)


def records_of(name: str, tree: Any) -> Records:
    """The members of an array (perhaps under `data`), or the one record that is the whole file.

    Raises:
        DataError: there are none.
    """
    if isinstance(tree, dict) and (is_task(tree) or isinstance(tree.get("text"), str)):
        return [(name, tree)]
    inner = tree.get("data") if isinstance(tree, dict) else tree
    if not isinstance(inner, list):
        shown = f"an object with the keys {printable([*tree])}" if isinstance(tree, dict) else printable(tree)
        fix = "pandas writes one by to_json(orient='records')"
        raise DataError(Problem(name, f"expected an array of records, or SQuAD, found {shown}", fix, "no-array"))
    if not inner:
        raise DataError(Problem(name, "no rows: the array is empty", "", "no-rows"))
    under = "" if inner is tree else "data"
    return [(f"{name}:{under}[{i}]", record) for i, record in enumerate(inner)]


def read_records(records: Records) -> Iterator[Row | Problem]:
    """Objects that hold their columns, or spaCy's pairs of a text and its annotations.

    Label Studio's JSON-MIN has a record for each annotation: those of one text must agree, and count once.
    """
    whole = [(place, from_pair(record)) for place, record in records]
    labelled = any(isinstance(record, dict) and record.get("annotation_id") is not None for _, record in whole)
    annotated: dict[str, dict[str, Any]] = {}
    for place, record in whole:
        if not isinstance(record, dict):
            message = f"expected an object, found {printable(record)}"
            yield Problem(place, message, 'write {"column": value}', "no-record")
            continue
        row = row_of(record, place)
        if isinstance(row, Problem) or not {"annotation_id", "id"} <= set(record):
            yield row
        elif labelled and record["annotation_id"] is None:
            yield not_annotated(place)
        else:
            answer = {name: value for name, value in row.values.items() if name not in AUTHORSHIP}
            first = annotated.setdefault(str(record["id"]), answer)
            if first is answer:
                yield row
            elif first != answer:
                yield contradiction(place)


def from_pair(record: Any) -> Any:
    """spaCy's old training format, [text, {entities, cats}], as an object; anything else as it is."""
    if isinstance(record, list) and len(record) == 2 and isinstance(record[0], str) and isinstance(record[1], dict):
        return {"text": record[0], **record[1]}
    return record


def row_of(values: dict[str, Any], place: str, raw: bytes = b"") -> Row | Problem:
    """One object of an array or one line of a jsonl file; columns that need no other form stay as they are."""
    try:
        return Row(in_our_form(values, place), place, raw)
    except DataError as error:
        return replace(error.problems[0], raw=raw)


def in_our_form(values: dict[str, Any], place: str) -> dict[str, Any]:
    """The columns of a record, with `spans` and `label` in the form that tasks read.

    Raises:
        DataError: its answer was rejected, or its spans do not fit its text.
    """
    if is_task(values):
        fix = "give the whole JSON export, as a .json file"
        raise DataError(Problem(place, "a task of Label Studio can't be read by itself", fix, "task-alone"))
    columns = dict(values)
    if isinstance(values.get("text"), str):
        check_answer(values, place)
        drop_boundaries(columns)
        cats = values.get("cats")
        if isinstance(cats, dict) and cats and all(isinstance(score, int | float) for score in cats.values()):
            columns.setdefault("label", [name for name, score in cats.items() if score >= 0.5])
        if isinstance(values.get("accept"), list) and "options" in values:
            columns.setdefault("label", values["accept"])
    texts = [value for value in (values.get("text"), *values.values()) if isinstance(value, str)]
    for name, value in values.items():
        if is_objects(value) and value and all({"start", "end", "labels"} <= set(region) for region in value):
            columns[name] = spans_of(value, texts, place)
        elif isinstance(value, dict) and isinstance(value.get("choices"), list):
            columns[name] = value["choices"]
    return columns


def check_answer(values: dict[str, Any], place: str) -> None:
    """Refuse a task of Prodigy that was not accepted.

    Raises:
        DataError: it was rejected or ignored.
    """
    if values.get("answer") in ("reject", "ignore") and {"spans", "label", "accept", "_task_hash"} & set(values):
        fix = """keep those that were accepted: jq -c 'select(.answer == "accept")'"""
        message = f"the answer of this Prodigy task is {values['answer']!r}, so what it says is not so"
        raise DataError(Problem(place, message, fix, "not-accepted"))


def drop_boundaries(values: dict[str, Any]) -> None:
    """Leave out spaCy's `tokens`, which hold offsets and no words, and its groups of spans where there are `ents`."""
    if is_objects(values.get("tokens")) and (values["tokens"] or "ents" in values or "spans" in values):
        del values["tokens"]
    groups = values.get("spans")
    if isinstance(groups, dict) and "ents" in values:
        del values["spans"]
    elif isinstance(groups, dict) and len(groups) == 1:
        (values["spans"],) = groups.values()
