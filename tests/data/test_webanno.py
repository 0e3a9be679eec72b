"""Exports of WebAnno and INCEpTION."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.data.webanno import looks_like_webanno, plain
from tests.data.reading import Write, items, only_problem, refused, values

NER = "#FORMAT=WebAnno TSV 3.3\n#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value\n\n\n"
FIRST = "#Text=Ana Sá lives in Porto.\n1-1\t0-3\tAna\t*[1]\tPER[1]\t\n1-2\t4-6\tSá\t*[1]\tPER[1]\t\n"
FIRST += "1-3\t7-12\tlives\t_\t_\t\n1-4\t13-15\tin\t_\t_\t\n1-5\t16-21\tPorto\t*\tLOC\t\n1-6\t21-22\t.\t_\t_\t\n\n"
SECOND = (
    "#Text=🎈 Hoftor \\\\o/\n2-1\t23-25\t🎈\t_\t_\t\n2-2\t26-32\tHoftor\t_\t_\t\n2-2.1\t26-29\tHof\t*\tLOC|ORG\\_X\t\n"
)
SECOND += "2-3\t33-36\t\\\\o/\t_\t_\t\n"


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "a"])
def test_spans_of_tokens_of_parts_and_of_several_tokens(write: Write, name: str) -> None:
    path = write(name, NER + FIRST + SECOND)
    first, second = values(path)
    assert first == {
        "text": "Ana Sá lives in Porto.",
        "spans": [{"start": 0, "end": 6, "label": "PER"}, {"start": 16, "end": 21, "label": "LOC"}],
    }
    assert second["text"] == "🎈 Hoftor \\o/"
    assert second["spans"] == [{"start": 2, "end": 5, "label": "LOC"}, {"start": 2, "end": 5, "label": "ORG_X"}]
    assert [item.place for item in items(path)] == [f"{path}:5", f"{path}:13"]


def test_several_features_have_columns_of_their_own(write: Write) -> None:
    text = NER + FIRST.replace("*[1]\tPER", "Q1[1]\tPER")
    assert values(write("a.tsv", text))[0]["identifier"] == [{"start": 0, "end": 6, "label": "Q1"}]


def test_a_layer_without_features_labels_its_spans_with_its_name(write: Write) -> None:
    head = "#FORMAT=WebAnno TSV 3.2\n#T_SP=webanno.custom.Place|\n\n\n"
    text = "#Text=in Porto\n1-1\t0-2\tin\t_\t\n1-2\t3-8\tPorto\t*\t\n"
    assert values(write("a.tsv", head + text)) == [
        {"text": "in Porto", "spans": [{"start": 3, "end": 8, "label": "Place"}]}
    ]


def test_layers_with_a_value_a_word_are_tags(write: Write) -> None:
    head = "#FORMAT=WebAnno TSV 3.2\n#T_SP=a.b.POS|PosValue|coarseValue\n"
    text = f"{head}\n\n#Text=in Porto\n1-1\t0-2\tin\tAPPR\t*\t\n1-2\t3-8\tPorto\tNE\t*\t\n"
    (row,) = values(write("a.tsv", text))
    assert (row["tokens"], row["PosValue"]) == (["in", "Porto"], ["APPR", "NE"])
    notes: list[str] = []
    both = head + "#T_SP=c.Place|kind\n#T_RL=c.Near|how|BT_c.Place\n\n\n#Text=in Porto\n1-1\t0-2\tin\tX\t*\t_\t_\t_\t\n"
    (row,) = values(write("b.tsv", both + "1-2\t3-8\tPorto\tNE\t*\tcity\tby\t1-1\t\n"), note=notes.append)
    assert row["spans"] == [{"start": 3, "end": 8, "label": "city"}]
    assert any("left out the layers POS, Near; export without the others" in note for note in notes)


def test_what_does_not_fit_is_a_problem_of_its_sentence(write: Write) -> None:
    problem = only_problem(write("a.tsv", NER + FIRST.replace("16-21", "15-20") + SECOND))
    assert problem.code == "span-text"
    assert problem.message == "the token 'Porto' should stand at 15-20, found ' Port'"
    assert only_problem(write("a.tsv", NER + FIRST.replace("\t*\tLOC\t", "\t*") + SECOND)).code == "ragged-line"
    damaged = (NER + FIRST + SECOND).encode().replace(b"lives\t", b"lives\xff\t", 1)
    assert only_problem(write("a.tsv", damaged)).code == "not-utf8"


def test_older_versions_are_refused(write: Write) -> None:
    assert "export as WebAnno TSV v3.x" in refused(write("a.tsv", "#FORMAT=WebAnno TSV 2.0\n"))
    assert not looks_like_webanno(["#Text=a\n"])
    assert not looks_like_webanno([])


def escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\[]|_;*" else sign for sign in text)


words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@given(tokens=st.lists(st.tuples(words, st.sampled_from(["", "A", "B|b", "C[1]", "_", "*"])), min_size=1, max_size=6))
def test_any_spans_come_back(folder: Path, tokens: list[tuple[str, str]]) -> None:
    at, lines, spans = 7, [], []
    text = " ".join(word for word, _ in tokens)
    for i, (word, label) in enumerate(tokens, 1):
        end = at + len(word.encode("utf-16-le")) // 2
        lines.append(f"1-{i}\t{at}-{end}\t{escaped(word)}\t*\t{escaped(label) or '_'}\t\n")
        start = len(" ".join(word for word, _ in tokens[: i - 1])) + (i > 1)
        spans += [{"start": start, "end": start + len(word), "label": label}] if label else []
        at = end + 1
    path = folder / "any.tsv"
    path.write_text(f"{NER}#Text={escaped(text)}\n{''.join(lines)}", encoding="utf-8", newline="")
    (row,) = values(path)
    assert (row["text"], row.get("spans", row.get("value"))) == (text, spans)
    assert plain(escaped(text)) == text
