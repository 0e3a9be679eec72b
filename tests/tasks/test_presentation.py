"""Predictions as outputs: cells, confidence, marks and words, from what each task predicts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from afina.records import Example, Mark
from afina.tasks.presentation import cut_at, plain_output, readable, stands_alone, tagged
from afina.text.spans import segmented
from tests.outputs.answered import entity, one_sentence, one_text, task_of


def test_the_confidence_of_a_label_is_its_probability() -> None:
    output = plain_output(Example("a"), {"label": "x", "probabilities": {"x": 0.25, "y": 0.75}})
    assert (dict(output.cells), output.confidence) == ({"label": "x"}, 0.25)
    assert plain_output(Example("a"), {"score": 1.5}).confidence is None
    assert plain_output(Example("a"), {"label": "x", "probabilities": None}).cells["probabilities"] is None


def test_the_confidence_of_a_set_is_that_of_its_least_sure_label() -> None:
    task = task_of("multilabel", {"labels": ["a", "b"]})
    prediction = {"labels": ["a"], "probabilities": {"a": 0.75, "b": 0.375}}
    assert task.output(Example("x"), prediction).confidence == 0.625
    assert task.output(Example("x"), prediction).cells == {"labels": "a"}
    other = task_of("multilabel", {"labels": ["a", "b"]}, separator="|")
    assert other.output(Example("x"), prediction).cells == {"labels": ["a"]}
    assert [stands_alone(label) for label in ("a b", "a;b", " a", "[a]", "")] == [True, False, False, False, False]


def test_the_confidence_of_entities_is_the_smallest() -> None:
    task = task_of("tokens", {"kind": "entities", "types": ["PER"]}, tokens="tokens")
    found = [
        {"start": 0, "end": 2, "label": "PER", "score": 0.5},
        {"start": 3, "end": 4, "label": "PER", "score": 0.75},
    ]
    tags = ["B-PER", "I-PER", "O", "B-PER"]
    one = one_sentence(["Ana", "Sá", "e", "Rui"], {"tags": tags, "entities": found})
    output = task.output(one.example, one.prediction)
    assert output.confidence == 0.5
    assert output.marks == (Mark(0, 6, "PER", 0.5), Mark(9, 12, "PER", 0.75))
    assert output.words == (("Ana", "B-PER"), ("Sá", "I-PER"), ("e", "O"), ("Rui", "B-PER"))
    assert output.cells == {"tags": tags, "entities": "Ana Sá (PER); Rui (PER)"}
    text = "nada"
    raw = one_text(text, {"entities": [entity(text, 0, 2, "PER")]})
    output = task.output(raw.example, raw.prediction)
    assert output.words == (("na", "B-PER"), ("da", "O"))
    assert task.output(Example("x"), {"entities": []}).confidence is None


@given(st.text("ab .1é", max_size=15), st.data())
def test_marks_are_whole_words(text: str, data: st.DataObject) -> None:
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
    marks = [
        Mark(start, end, "X") for start, end in zip(edges[::2], edges[1::2], strict=False) if text[start:end].strip()
    ]
    words = tagged(text, cut_at(segmented(text), marks), marks)
    assert "".join(word for word, _ in words) == "".join(text.split())
    inside = "".join(text[mark.start : mark.end] for mark in marks)
    assert "".join(word for word, tag in words if tag != "O") == "".join(inside.split())
    assert [tag for _, tag in words].count("B-X") == len(marks)
    assert readable(text, marks).count(" (X)") == len(marks)
