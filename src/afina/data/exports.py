"""Records of JSON files as rows: plain objects, and what doccano, Prodigy, spaCy, Label Studio and others export.

A row has the columns of its record. Where a tool has a form of its own, `spans` (a list of {start, end, label}, in
characters) and `label` (a list of labels) say the same in ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..errors import DataError, Problem, printable
from ..records import Row
from . import dataturks, prodigy
from .containers import is_pair
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

Note = Callable[[str], None]
SPANS = {"spans", "entities", "ents", "label", "labels", "annotations"}
"""Columns in which the task `tokens` looks for spans; those of other names become `spans`."""
EDGES = {"start": ("start", "start_offset"), "end": ("end", "end_offset")}
KINDS = ("label", "entity", "entityLabel", "entity_group", "tag")
"""What tools call the label of a span: doccano and Prodigy, Rasa, UBIAI, Hugging Face, LightTag."""
CELLS = ('[{"', '{"choices"')
"""What a cell begins with that holds the answers of an annotator as JSON."""


def read_records(name: str, records: Records, note: Note) -> Iterator[Row | Problem]:
    """The records of a JSON file.

    Raises:
        DataError: they are tasks of Label Studio without any answer that can be read.
    """
    if any(is_task(record) for _, record in records):
        return read_tasks(records)
    return agreed(in_our_words(name, objects_of(records), note), records)


def objects_of(records: Records) -> Iterator[Row | Problem]:
    """Each object, and each of spaCy's pairs, as a row."""
    for place, record in records:
        values = from_pair(record)
        if isinstance(values, dict):
            yield Row(values, place)
        else:
            message = f"expected an object, found {printable(record)}"
            yield Problem(place, message, 'write {"column": value}', "no-record")


def agreed(items: Iterable[Row | Problem], records: Records) -> Iterator[Row | Problem]:
    """Label Studio's JSON-MIN has a record for each annotation: those of one text must agree, and count once."""
    labelled = any(isinstance(record, dict) and record.get("annotation_id") is not None for _, record in records)
    annotated: dict[str, dict[str, Any]] = {}
    for item in items:
        if isinstance(item, Problem) or not {"annotation_id", "id"} <= item.values.keys():
            yield item
        elif labelled and item.values["annotation_id"] is None:
            yield not_annotated(item.place)
        else:
            answer = {name: value for name, value in item.values.items() if name not in AUTHORSHIP}
            first = annotated.setdefault(str(item.values["id"]), answer)
            if first is answer:
                yield item
            elif first != answer:
                yield contradiction(item.place)


def in_our_words(name: str, items: Iterable[Row | Problem], note: Note) -> Iterator[Row | Problem]:
    """Records of any tool with `spans` and `label` in the form that tasks read."""
    numbered = 0
    for item in prodigy.judged(name, dataturks.converted(name, items, note), note):
        if isinstance(item, Problem):
            yield item
            continue
        numbered += any(type(kind_of(part)) is int for part in parts_of(item.values.get("annotations")))
        yield row_of(item)
    if numbered:
        note(f"{name}: labels are numbers (doccano's ids), whose names the file does not hold")


def from_pair(record: Any) -> Any:
    """spaCy's old training format, [text, {entities, cats}], as an object; anything else as it is."""
    return {"text": record[0], **record[1]} if is_pair(record) else record


def row_of(row: Row) -> Row | Problem:
    """A record with its columns in our form; those that need no other form stay as they are."""
    try:
        return replace(row, values=in_our_form(row.values, row.place))
    except DataError as error:
        return replace(error.problems[0], raw=row.raw)


def row_of_cells(row: Row) -> Row | Problem:
    """A row of a table, with the answers of Label Studio's annotators that stand in its cells as JSON."""
    found = {name: from_cell(cell) for name, cell in row.values.items()}
    return row if found == row.values else row_of(replace(row, values=found))


def from_cell(cell: Any) -> Any:
    """The spans or choices that a cell holds; any other as it is."""
    if not isinstance(cell, str) or not cell.startswith(CELLS):
        return cell
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    return value if are_regions(value) or are_choices(value) else cell


def are_regions(value: Any) -> bool:
    """Whether a value is what Label Studio says of stretches of a text."""
    return is_objects(value) and bool(value) and all({"start", "end", "labels"} <= set(region) for region in value)


def are_choices(value: Any) -> bool:
    """Whether a value is what Label Studio says of several choices."""
    return isinstance(value, dict) and isinstance(value.get("choices"), list)


def in_our_form(values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The columns of a record, with `spans` and `label` in the form that tasks read.

    Raises:
        DataError: its spans do not fit its text.
    """
    if is_task(values):
        fix = "give the whole JSON export, as a .json file"
        raise DataError(Problem(place, "a task of Label Studio can't be read by itself", fix, "task-alone"))
    columns = dict(values)
    if isinstance(values.get("text"), str):
        drop_boundaries(columns)
        cats = values.get("cats")
        if isinstance(cats, dict) and cats and all(isinstance(score, int | float) for score in cats.values()):
            columns.setdefault("label", [name for name, score in cats.items() if score >= 0.5])
        if isinstance(cats, list) and "entities" in values:  # doccano, intents and slots
            columns.setdefault("label", cats)
        if isinstance(values.get("accept"), list) and "options" in values:
            columns.setdefault("label", values["accept"])
        if isinstance(values.get("seq_labels"), list):
            columns.setdefault("spans", columns.pop("seq_labels"))
    elif {"document", "tokens", "relations"} <= values.keys() and is_objects(values["tokens"]):  # UBIAI
        columns.setdefault("spans", columns.pop("tokens"))
    texts = [value for value in (values.get("text"), *values.values()) if isinstance(value, str)]
    for name, value in list(columns.items()):
        if are_regions(value):
            columns[name] = spans_of(value, texts, place)
        elif are_choices(value):
            columns[name] = value["choices"]
        elif texts and is_objects(value) and value:
            move_parts(columns, name, value)
    return columns


# ---- stretches and labels as other tools call them


def parts_of(value: Any) -> list[dict[str, Any]]:
    """A list of objects as it is, and an empty one for anything else."""
    return value if is_objects(value) else []


def kind_of(part: Mapping[str, Any]) -> Any:
    """The label of a span, whatever its tool calls it."""
    return next((part[name] for name in KINDS if name in part), None)


def edge_of(part: Mapping[str, Any], edge: str) -> Any:
    """Start or end of a span, whatever its tool calls it."""
    return next((part[name] for name in EDGES[edge] if name in part), None)


def move_parts(columns: dict[str, Any], name: str, parts: list[dict[str, Any]]) -> None:
    """Write spans that have other names than ours, and labels without any edge, as `spans` and `label`."""
    if name == "tokens" and "tag" in parts[0]:  # words with a part of speech
        return
    kinds = [kind_of(part) for part in parts]
    edges = [(edge_of(part, "start"), edge_of(part, "end")) for part in parts]
    if not all(type(kind) in (str, int) for kind in kinds):
        return
    if all(type(edge) is int for pair in edges for edge in pair):
        ours = "label" in parts[0] and type(kinds[0]) is str
        if ours and name in SPANS:
            return
        held = [{"text": part["text"]} if isinstance(part.get("text"), str) else {} for part in parts]
        spans = [{"start": start, "end": end, "label": str(kind), **text}
                 for (start, end), kind, text in zip(edges, kinds, held, strict=True)]  # fmt: skip
        if name in SPANS or "spans" in columns:
            columns[name] = spans
        else:
            columns["spans"] = spans
            del columns[name]
    elif name == "annotations" and not any(edge is not None for pair in edges for edge in pair):
        columns.setdefault("label", sorted({str(kind) for kind in kinds}))
        del columns[name]


def drop_boundaries(values: dict[str, Any]) -> None:
    """Leave out spaCy's `tokens`, which hold offsets and no words, and its groups of spans where there are `ents`."""
    if is_objects(values.get("tokens")) and (values["tokens"] or "ents" in values or "spans" in values):
        del values["tokens"]
    groups = values.get("spans")
    if isinstance(groups, dict) and "ents" in values:
        del values["spans"]
    elif isinstance(groups, dict) and len(groups) == 1:
        (values["spans"],) = groups.values()
