"""Whatever users write stays text: in every field that they fill, the page loads, runs and hides nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from afina.config import load
from afina.data.parts import read_data
from afina.reporting.run import report
from afina.reporting.source import Item
from afina.training import rundir
from afina.training.run import stream
from tests.reporting.conftest import TASKS, inert
from tests.runs import finished

NAUGHTY = [
    "<script>alert(1)</script>",
    "</title></style></script><img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "<a href='https://example.org/'>click</a>",
    "]]><!--",
    "&lt;b&gt; &amp;amp; &#0; &notanentity;",
    "{{ 7 * 7 }} {% raw %} {# x #} ${7*7} {0} {name}",
    '=HYPERLINK("http://example.org")',
    "\u202eright to left\u202c \u2066isolated",
    "\x00\x07\x1b[31mred\x7f\x9b",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334a" * 20,
    "w" * 3000,
    "שלום עולם, مرحبا بالعالم",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 family \ufe0f\u200b\u00ad",
    "line\nbreak\r\nand\u2028more\ttabs",
    "url(https://example.org/x.png); } body { display: none",
    "` back `quotes` and \\ slashes \\u0041",
    "\ud800 lone half",
]


def rows_of(task: str) -> list[dict[str, Any]]:
    """Rows of a task with a bad string wherever a user writes."""
    texts = NAUGHTY[:-1]  # half of a surrogate pair is refused as data
    if task == "classification":
        return [{"text": f"text {i} {one}", "label": NAUGHTY[i % 4]} for i, one in enumerate(texts)] * 2
    if task == "multilabel":
        return [{"text": f"t {one}", "labels": [NAUGHTY[i % 4], NAUGHTY[4 + i % 3]]} for i, one in enumerate(texts)] * 2
    if task == "regression":
        return [{"text": f"t {one}", "score": float(i)} for i, one in enumerate(texts)] * 2
    if task == "tokens":
        kinds = ["<b>", "a&b", "'x'"]
        return [
            {"text": f"go {one}", "spans": [{"start": 0, "end": 2, "label": kinds[i % 3]}]}
            for i, one in enumerate(texts)
        ] * 2
    return [
        {"question": f"who {one}?", "context": f"go {one} now", "answers": [{"text": "go", "answer_start": 0}]}
        for one in texts
    ] * 2


def run_of(task: str, model: Path, out: Path, **settings: Any) -> Path:
    rows = rows_of(task)
    config = load(None, {"task": task, "model.name": str(model), "out": str(out), "training.epochs": 1, **settings})
    return finished(stream(config, read_data(config, {"train": rows, "validation": rows, "test": rows}))).folder


def halves(item: Item) -> list[list[tuple[int, int, float]]]:
    """Weights of both halves of each text, so that both are named beside it."""
    texts = [item.example.text, *([item.example.pair] if item.example.pair is not None else [])]
    return [[(0, len(one) // 2, 1.0), (len(one) // 2, len(one), -1.0)] for one in texts]


@pytest.mark.parametrize("task", TASKS)
def test_a_page_of_bad_strings_is_inert(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = run_of(task, tiny("bert"), tmp_path / "<run> & 'x' \u202e")
    for language in ("en", "pt"):
        html = report(folder, language=language, weights=halves).read_text(encoding="utf-8")
        page = inert(html)
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)
        # What looks like markup stands on the page as text.
        if task != "regression":
            assert "<" in page.text


def test_records_that_were_tampered_with_are_inert(runs: Callable[[str], Path], tmp_path: Path) -> None:
    """Strings of the folder's own files: metrics, parts of the clock, versions, messages, settings."""
    folder = shutil.copytree(runs("classification"), tmp_path / "run")
    bad = NAUGHTY[1] + NAUGHTY[-1]

    def spoiled(tree: Any) -> Any:
        if isinstance(tree, Mapping):
            return {key: spoiled(value) for key, value in tree.items()} | ({bad: "x"} if "python" in tree else {})
        if isinstance(tree, list):
            return [spoiled(one) for one in tree]
        return tree

    record = spoiled(json.loads((folder / rundir.RUN).read_text(encoding="utf-8")))
    record["warnings"] = [{"code": bad, "message": bad}]
    record["seconds"][bad] = 3.5
    record["machine"]["versions"][bad] = bad
    for part in (record["validation"], record["test"]):
        part["metrics"][bad], part["reasons"][bad] = 0.5, bad
        part["baselines"][bad] = {"accuracy": 0.5}
        part["breakdown"] = [{**line, "label": bad} for line in part["breakdown"]]
    (folder / rundir.RUN).write_text(json.dumps(record), encoding="utf-8")
    findings = [{"severity": "warning", "code": bad, "message": bad, "places": [bad]}]
    (folder / rundir.CHECK).write_text(json.dumps(findings), encoding="utf-8")
    inert(report(folder, language="pt").read_text(encoding="utf-8"))


def test_a_csv_holds_no_formula(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    import base64

    folder = run_of("classification", tiny("bert"), tmp_path / "run")
    page = inert(report(folder, language="en").read_text(encoding="utf-8"))
    links: Sequence[str] = [one["href"] or "" for one in page.named("a") if "download" in one]
    assert len(links) > 10
    for link in links:
        text = base64.b64decode(link.partition(",")[2]).decode("utf-8-sig")
        assert not re.search(r"(?m)^[=+@]", text)
