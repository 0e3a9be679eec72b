"""What other programs left in texts and labels is found, and ordinary signs are not taken for it."""

from __future__ import annotations

import pytest

from afina.quality.remnants import REMNANTS, SPREADSHEET, remnants
from afina.records import Example
from afina.tasks.classification import Classification, ClassificationOptions

TASK = Classification(ClassificationOptions())


def example(text: str, label: str = "a", *, pair: str | None = None, row: int = 1) -> Example:
    return Example(text, pair, label, f"train row {row}")


@pytest.mark.parametrize(
    ("code", "hits", "misses"),
    [
        ("html", ("A &amp; B", "um<br />dois", "it #39;s", "</p>"), ("1 < 2 > 0 & #1", "R&D", "<3", "a<b")),
        ("mojibake", ("n\u00c3\u00a3o", "\u00e2\u20ac\u201c", "n\ufffdo"), ("N\u00c3O", "\u00c2ngulo")),
        ("invisible", ("pala\xadvra", "a\u200b"), ("palavra", "fam\u200dily")),
        ("control", ("um\x07", "x\x85"), ("a\tb", "a\r\nb")),
    ],
)
def test_signs_of_each_kind(code: str, hits: tuple[str, ...], misses: tuple[str, ...]) -> None:
    _, pattern = REMNANTS[code]
    assert [text for text in hits if not pattern.search(text)] == []
    assert [text for text in misses if pattern.search(text)] == []


def test_a_failed_formula_fills_its_cell() -> None:
    assert all(map(SPREADSHEET.fullmatch, ("#REF!", " #n/a ", "#DIV/0!", "#NOME?")))
    assert not any(map(SPREADSHEET.fullmatch, ("what is #REF!", "#NAME", "REF!")))


def test_findings_count_examples_of_a_split_and_show_the_first() -> None:
    train = [example("bom dia"), example("<b>bom</b> &amp; mau", row=2), example("sim", pair="um<br>dois", row=3)]
    found = remnants(TASK, {"train": train, "test": [example("sim")]})
    assert [(one.severity, one.code, one.count, one.places) for one in found] == [
        ("note", "html", 2, ("train row 2", "train row 3"))
    ]
    assert found[0].message == "train: HTML in 2 examples (66.7%), for example '<b>'"


def test_a_failed_formula_counts_as_text_and_as_label() -> None:
    train = [example("#REF!"), example("sim", "#N/A", row=2), example("sim", pair="#NAME?", row=3), example("a #REF!")]
    (finding,) = remnants(TASK, {"train": train})
    assert (finding.severity, finding.code, finding.count) == ("warning", "spreadsheet-error", 3)
    assert finding.places == ("train row 1", "train row 2", "train row 3")


def test_clean_texts_give_no_finding() -> None:
    assert remnants(TASK, {"train": [example("\u201csim\u201d, disse ela \u2013 caf\u00e9 \U0001f600")]}) == []
