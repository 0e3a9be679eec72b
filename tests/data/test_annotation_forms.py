"""The same annotations, in whatever form a tool exports them, are the same spans or labels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.data import sources
from tests.data.annotated import annotation, choice, minimal, region, targets, task

Spans = list[tuple[int, int, str]]
Marked = tuple[str, Spans]
Labelled = tuple[str, str]
"""A text with its spans; a text with its label."""


def lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def array(records: Sequence[Any]) -> str:
    return json.dumps(records)


def under(key: str) -> Callable[[Sequence[Any]], str]:
    return lambda records: json.dumps({"version": "1", key: records}, indent=1)


def one_after_the_other(records: Sequence[Any]) -> str:
    return "\n".join(json.dumps(record, indent=2) for record in records)


WRAPPERS: dict[str, Callable[[Sequence[Any]], str]] = {
    "lines": lines,
    "array": array,
    "sentences": under("sentences"),
    "examples": under("examples"),
    "one after the other": one_after_the_other,
}


def parts(spans: Spans, start: str, end: str, label: str, **more: Any) -> list[dict[str, Any]]:
    return [{start: s, end: e, label: kind, **more} for s, e, kind in spans]


def dataturks(text: str, spans: Spans) -> dict[str, Any]:
    points = [{"label": [kind], "points": [{"start": s, "end": e - 1, "text": text[s:e]}]} for s, e, kind in spans]
    return {"content": text, "annotation": points, "extras": None}


def ubiai(text: str, spans: Spans) -> dict[str, Any]:
    tokens = [
        {**part, "text": text[part["start"] : part["end"]]} for part in parts(spans, "start", "end", "entityLabel")
    ]
    return {"documentName": "a.txt", "document": text, "tokens": tokens, "relations": []}


SPAN_FORMS: dict[str, Callable[[str, Spans], Any]] = {
    "ours": lambda text, spans: {"text": text, "spans": parts(spans, "start", "end", "label")},
    "spacy": lambda text, spans: [text, {"entities": spans}],
    "doccano": lambda text, spans: {"id": 1, "text": text, "label": spans, "Comments": []},
    "doccano, labels": lambda text, spans: {"text": text, "labels": spans},
    "doccano, seq_labels": lambda text, spans: {"text": text, "seq_labels": spans},
    "doccano, annotations": lambda text, spans: {
        "text": text,
        "annotations": parts(spans, "start_offset", "end_offset", "label", user=1),
    },
    "doccano, relations": lambda text, spans: {
        "text": text,
        "entities": parts(spans, "start_offset", "end_offset", "label", id=3),
        "relations": [],
    },
    "dataturks": dataturks,
    "rasa": lambda text, spans: {"text": text, "intent": "x", "entities": parts(spans, "start", "end", "entity")},
    "lighttag": lambda text, spans: {"content": text, "annotations": parts(spans, "start", "end", "tag", tag_id="t")},
    "ubiai": ubiai,
    "ubiai, annotation": lambda text, spans: {"document": text, "annotation": parts(spans, "start", "end", "label")},
    "prodigy": lambda text, spans: {"text": text, "spans": parts(spans, "start", "end", "label"), "answer": "accept"},
}

words = st.sampled_from(["Ana", "vive", "em", "Évora", "😀", "naïve", "e\u0301", "(Porto)"])


@st.composite
def marked(draw: st.DrawFn) -> Marked:
    chosen = draw(st.lists(words, min_size=1, max_size=6))
    spans, at = [], 0
    for word in chosen:
        if kind := draw(st.sampled_from(["", "PER", "LOC"])):
            spans.append((at, at + len(word), kind))
        at += len(word) + 1
    return " ".join(chosen), spans


documents = st.lists(marked(), min_size=2, max_size=5).filter(lambda some: any(spans for _, spans in some))


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("form", SPAN_FORMS)
@settings(max_examples=10, deadline=None)
@given(written=documents, ending=st.sampled_from(["json", "jsonl", "txt", "data"]))
def test_spans(folder: Path, form: str, wrapper: str, written: list[Marked], ending: str) -> None:
    if form == "spacy" and wrapper == "one after the other":
        return
    path = folder / f"spans.{ending}"
    path.write_text(WRAPPERS[wrapper]([SPAN_FORMS[form](*one) for one in written]), encoding="utf-8")
    assert targets(path) == [spans for _, spans in written]


def table(texts: Sequence[str], cells: Sequence[Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["annotation_id", "text", "label"])
    for i, (text, cell) in enumerate(zip(texts, cells, strict=True)):
        writer.writerow([i, text, cell if isinstance(cell, str) else json.dumps(cell)])
    return out.getvalue()


def pubtator(written: Sequence[Marked]) -> str:
    blocks = []
    for i, (text, spans) in enumerate(written):
        title, _, rest = text.partition(" ")
        entities = "".join(f"{i}\t{s}\t{e}\t{text[s:e]}\t{kind}\tD1\n" for s, e, kind in spans)
        blocks.append(f"{i}|t|{title}\n{i}|a|{rest}\n{entities}")
    return "\n".join(blocks)


@settings(max_examples=20, deadline=None)
@given(written=documents)
def test_spans_of_whole_exports(folder: Path, written: list[Marked]) -> None:
    regions = [[region(s, e, kind, text=text[s:e]) for s, e, kind in spans] for text, spans in written]
    pairs = [[text, {"entities": spans}] for text, spans in written]
    examples = [SPAN_FORMS["rasa"](*one) for one in written]
    cells = [[one["value"] for one in some] for some in regions]
    files = {
        "tasks": array([task(annotation(*some), text=text) for (text, _), some in zip(written, regions, strict=True)]),
        "ner-annotator": array({"classes": ["PER"], "annotations": [None, *pairs]}),  # type: ignore[arg-type]
        "rasa": json.dumps({"rasa_nlu_data": {"common_examples": examples, "lookup_tables": [{"name": "x"}]}}),
        "csv": table([text for text, _ in written], cells),
        "min": array([minimal(text=text, label=cell) | {"id": i} for i, ((text, _), cell) in enumerate(
            zip(written, cells, strict=True))]),
        "pubtator": pubtator(written),
    }  # fmt: skip
    for form, content in files.items():
        path = folder / f"{form}.export"
        path.write_text(content, encoding="utf-8")
        options = {"label": "label"} if form == "csv" else {}
        assert targets(path, **options) == [spans for _, spans in written], form


LABEL_FORMS: dict[str, Callable[[Sequence[Labelled]], str]] = {
    "ours": lambda some: lines([{"text": text, "label": label} for text, label in some]),
    "doccano": lambda some: lines([{"text": text, "label": [label]} for text, label in some]),
    "doccano, annotations": lambda some: lines(
        [{"text": text, "annotations": [{"label": label, "user": 1}]} for text, label in some]
    ),
    "dataturks": lambda some: lines([{"content": text, "annotation": {"labels": [label]}} for text, label in some]),
    "rasa": lambda some: json.dumps({"rasa_nlu_data": {"common_examples": [
        {"text": text, "intent": label} for text, label in some]}}),
    "prodigy, choices": lambda some: lines(
        [{"text": text, "options": [], "accept": [label], "answer": "accept"} for text, label in some]
    ),
    "prodigy, one": lambda some: lines(
        [{"text": text, "label": "A", "answer": "accept" if label == "A" else "reject"} for text, label in some]
    ),
    "spacy": lambda some: array([[text, {"cats": {"A": label == "A", "not A": label != "A"}}] for text, label in some]),
    "tasks": lambda some: array([task(annotation(choice(label)), text=text) for text, label in some]),
    "csv, json": lambda some: table([text for text, _ in some], [{"choices": [label]} for _, label in some]),
    "csv, plain": lambda some: table([text for text, _ in some], [label for _, label in some]),
    "by column": lambda some: json.dumps({"text": {str(i): text for i, (text, _) in enumerate(some)},
                                          "label": {str(i): label for i, (_, label) in enumerate(some)}}),
    "by row": lambda some: json.dumps({str(i): {"text": text, "label": label} for i, (text, label) in enumerate(some)}),
    "split": lambda some: json.dumps({"columns": ["text", "label"], "index": [], "data": some}),
    "lists": lambda some: json.dumps({"text": [text for text, _ in some], "label": [label for _, label in some]}),
}  # fmt: skip


@pytest.mark.parametrize("form", LABEL_FORMS)
@settings(max_examples=15, deadline=None)
@given(
    written=st.lists(
        st.tuples(st.lists(words, min_size=1).map(" ".join), st.sampled_from(["A", "not A"])), min_size=2, max_size=6,
        unique_by=lambda one: one[0],
    ).filter(lambda some: len({label for _, label in some}) == 2)
)  # fmt: skip
def test_labels(folder: Path, form: str, written: list[Labelled]) -> None:
    # A dict of lists on one line may be a record with lists: the ending decides.
    path = folder / ("labels.json" if form == "lists" else "labels.export")
    path.write_text(LABEL_FORMS[form](written), encoding="utf-8")
    assert targets(path, "classification") == [label for _, label in written]
    assert [row.values["text"] for row in sources.rows(path)] == [text for text, _ in written]


def test_labels_by_number_are_told(tmp_path: Path) -> None:
    spans = [{"label": 3, "start_offset": 0, "end_offset": 3, "user": 1}]
    path = tmp_path / "a.jsonl"
    path.write_text(lines([{"text": "Ana", "annotations": spans}, {"text": "x", "annotations": []}]), encoding="utf-8")
    notes: list[str] = []
    list(sources.read(path, note=notes.append))
    assert notes == [f"{path}: labels are numbers (doccano's ids), whose names the file does not hold"]
    assert targets(path) == [[(0, 3, "3")], []]


def test_intents_with_slots(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines([{"text": "Ana", "entities": [[0, 3, "PER"]], "cats": ["greet"]}] * 2), encoding="utf-8")
    assert targets(path, label="entities") == [[(0, 3, "PER")]] * 2
    assert targets(path, "classification", label="label") == ["greet"] * 2
