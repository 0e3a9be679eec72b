"""What is written is read back as data; every task goes to every writer that takes it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import ConfigError
from afina.outputs.writers import Answered, Form, find, writer_of, writers
from afina.records import Example, Row
from afina.tasks import base
from afina.tasks.base import Task
from tests.outputs.answered import answer, entity, one_question, one_sentence, one_text, targets_in, task_of, write

NAMES = ["brat", "conll", "csv", "html", "jsonl", "parquet", "squad", "text", "tsv"]
SIGNS = st.sampled_from("ab,;\"'\r\n\t é\u2028=+-@[]{}|#_\\") | st.characters(exclude_categories=["Cs", "Cc", "Cn"])
TEXTS = st.text(SIGNS, max_size=20).map(lambda text: f"a{text}z")
LABELS = st.text(SIGNS, max_size=6).map(lambda text: f"L{text.strip()}x")
WORDS = st.text(st.characters(categories=["L", "N"]) | st.sampled_from("#-_.,\"'"), min_size=1, max_size=5)
CHANCES = st.floats(0, 1)


def test_all_writers_are_found() -> None:
    assert [writer.name for writer in writers()] == NAMES
    assert all((writer.write is None) != (writer.save is None) for writer in writers())
    endings = [ending for writer in writers() for ending in writer.endings]
    assert len(endings) == len(set(endings))


def test_the_ending_or_a_name_chooses() -> None:
    assert writer_of("a/out.CSV").name == "csv"
    assert writer_of("-").name == "jsonl"
    assert writer_of("-", "tsv").name == "tsv"
    assert writer_of("out.csv", "html").name == "html"
    assert writer_of("marks/").name == "brat"
    with pytest.raises(ConfigError, match="must end in"):
        writer_of("out")
    with pytest.raises(ConfigError, match="did you mean 'parquet'"):
        writer_of("out", "parket")
    with pytest.raises(ConfigError, match="parquet goes to a file"):
        writer_of("-", "parquet")


# ---------------------------------------------------------------------------------------------------------------------
# Round trips. Hypothesis gives texts with everything that trips over quotes, line ends and separators.


def read_back(answers: list[Answered], task: Task, name: str) -> list[Any]:
    """The targets of what is written in a format and read as training data."""
    ending = (*find(name).endings, "")[0].strip("/")
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"written{ending}"
        write(path, answers, task, name=name)
        return targets_in(path, task.name)


@pytest.mark.parametrize("name", ["csv", "tsv", "jsonl", "parquet"])
@given(data=st.data(), texts=st.lists(TEXTS, min_size=2, max_size=5), labels=st.sets(LABELS, min_size=2, max_size=3))
def test_labels_come_back(name: str, data: st.DataObject, texts: list[str], labels: set[str]) -> None:
    known = sorted(labels)
    chosen = [data.draw(st.sampled_from(known)) for _ in texts]
    chances = dict.fromkeys(known, 1 / len(known))
    answers = [
        one_text(text, {"label": label, "probabilities": chances}) for text, label in zip(texts, chosen, strict=True)
    ]
    expected = [flat(label, name) for label in chosen]
    assert read_back(answers, task_of("classification", {"labels": known}), name) == expected


def flat(label: str, name: str) -> str:
    """A label as tsv holds it."""
    return label.replace("\t", " ").replace("\r", " ").replace("\n", " ") if name == "tsv" else label


@pytest.mark.parametrize("name", ["csv", "tsv", "jsonl", "parquet"])
@given(data=st.data(), texts=st.lists(TEXTS, min_size=2, max_size=5), labels=st.sets(LABELS, min_size=1, max_size=4))
def test_sets_of_labels_come_back(name: str, data: st.DataObject, texts: list[str], labels: set[str]) -> None:
    known = sorted(labels)
    chosen = [data.draw(st.lists(st.sampled_from(known), unique=True)) for _ in texts]
    chances = dict.fromkeys(known, 0.25)
    answers = [
        one_text(text, {"labels": some, "probabilities": chances}) for text, some in zip(texts, chosen, strict=True)
    ]
    got = read_back(answers, task_of("multilabel", {"labels": known}), name)
    # A list in JSON keeps what a cell of tsv can't.
    assert all(
        one in (tuple(some), tuple(flat(label, name) for label in some)) for one, some in zip(got, chosen, strict=True)
    )


@pytest.mark.parametrize("name", ["csv", "tsv", "jsonl", "parquet"])
@given(texts=st.lists(TEXTS, min_size=2, max_size=5), data=st.data())
def test_numbers_come_back_to_the_last_bit(name: str, texts: list[str], data: st.DataObject) -> None:
    numbers = [data.draw(st.floats(allow_nan=False, allow_infinity=False)) for _ in texts]
    answers = [one_text(text, {"score": number}) for text, number in zip(texts, numbers, strict=True)]
    assert read_back(answers, task_of("regression", {}), name) == numbers


@pytest.mark.parametrize("name", ["csv", "tsv", "jsonl", "parquet"])
@given(contexts=st.lists(TEXTS, min_size=2, max_size=5), data=st.data())
def test_answers_come_back(name: str, contexts: list[str], data: st.DataObject) -> None:
    answers, expected = [], []
    for context in contexts:
        start = data.draw(st.integers(0, len(context) - 1))
        end = data.draw(st.integers(start, len(context)))
        said = context[start:end]
        if said != said.strip():
            start = end = 0
        answers.append(one_question(f"where, {len(context)}?", context, answer(context, start, end)))
        expected.append([(start, end)] if end > start else [])
    got = read_back(answers, task_of("answers", {"no_answer": True}), name)
    assert [[(one.start, one.end) for one in target] for target in got] == expected


@pytest.mark.parametrize("name", ["jsonl", "parquet", "brat"])
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), data=st.data())
def test_entities_in_texts_come_back(name: str, texts: list[str], data: st.DataObject) -> None:
    answers, expected = [], []
    for text in texts:
        places = [(0, 1), (1, len(text)), (len(text) - 1, len(text)), (0, len(text))]
        start, end = data.draw(st.sampled_from([place for place in places if visible(text[slice(*place)])]))
        answers.append(one_text(text, {"entities": [entity(text, start, end, "PER")]}))
        expected.append(((start, end, "PER"),))
    task = task_of("tokens", {"kind": "entities", "types": ["PER"], "scheme": "spans"}, text="text", label="spans")
    assert read_back(answers, task, name) == expected


def visible(text: str) -> bool:
    """Whether a stretch can be an entity: no blank at its edges."""
    return text == text.strip() and text.isprintable() and bool(text)


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet", "conll"])
@given(sentences=st.lists(st.lists(WORDS, min_size=2, max_size=5), min_size=2, max_size=5), data=st.data())
def test_tags_of_words_come_back(name: str, sentences: list[list[str]], data: st.DataObject) -> None:
    answers, expected = [], []
    for words in sentences:
        tags = [data.draw(st.sampled_from(["O", "B-PER", "B-LOC"])) for _ in words]
        tags[0] = "B-PER"
        found = [{"start": i, "end": i + 1, "label": tag[2:], "score": 0.5} for i, tag in enumerate(tags) if tag != "O"]
        answers.append(one_sentence(words, {"tags": tags, "entities": found}))
        expected.append(tuple(tags))
    task = task_of("tokens", {"kind": "entities", "types": ["LOC", "PER"]}, tokens="tokens", tags="ner_tags")
    assert read_back(answers, task, name) == expected


# ---------------------------------------------------------------------------------------------------------------------
# The contract, by discovery.


SAMPLES = [(name, i) for name in base.names() for i in range(len(base.find(name).samples))]


@pytest.mark.parametrize(("name", "number"), SAMPLES)
def test_every_task_goes_to_every_writer_that_takes_it(
    name: str, number: int, tmp_path: Path, tiny: Callable[[str], Path]
) -> None:
    answers, task = predicted(name, number, tiny("bert"))
    nothing = {
        key: dict.fromkeys(value) if isinstance(value, dict) else None for key, value in answers[0].prediction.items()
    }
    tables = []
    for rows in (answers, [answers[0]._replace(prediction=nothing), *answers]):  # an input without a text is first
        write(tmp_path / "table.csv", rows, task, name="csv")
        tables.append((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines())
    assert tables[0][0] == tables[1][0]
    answers.insert(1, answers[0]._replace(prediction=nothing))
    form = Form(task, tuple(answers[0].row.values))
    taken = 0
    for writer in writers():
        path = tmp_path / f"out.{writer.name}"
        if (writer.takes and writer.takes not in task.gives) or writer.obstacle(form):
            with pytest.raises(ConfigError, match=f"no predictions as {writer.name}"):
                writer.check(form)
            continue
        taken += 1
        write(path, answers, task, name=writer.name)
        assert path.exists()
    assert taken >= 6
    for one in answers:
        output = task.output(one.example, one.prediction)
        assert output.cells
        assert output.confidence is None or 0 <= output.confidence <= 1
        assert all(0 <= mark.start < mark.end <= len(output.text) for mark in output.marks)
        assert bool(output.marks or output.words) <= bool(task.gives)


def predicted(name: str, number: int, model: Path) -> tuple[list[Answered], Task]:
    """A sample of a task, as an untrained model answers it."""
    from tests.tasks.test_contract import Case

    case = Case(name, number, model)
    predictions = case.predictions(case.network())
    rows = [Row(values, f"sample:{i}") for i, values in enumerate(case.sample.rows, 1)]
    return [*map(Answered, rows, case.examples, predictions)], case.task


def test_a_task_that_says_nothing_of_its_output_is_flattened() -> None:
    class Mine(base.find("ordinal")):  # type: ignore[misc]
        pass

    prediction = {"grade": "b", "nested": {"x": 1, "y": [2]}, "probability": 0.5}
    output = Mine(Mine.Options()).output(Example("a"), prediction)
    assert dict(output.cells) == {"grade": "b", "nested_x": 1, "nested_y": [2]}
    assert output.confidence == 0.5


class Counting(io.StringIO):
    """A text file that looks at how far ahead of what is written the predictions are."""

    def __init__(self, pulled: list[int]) -> None:
        super().__init__()
        self.pulled = pulled
        self.ahead = 0

    def write(self, text: str) -> int:
        super().write(text)
        self.ahead = max(self.ahead, len(self.pulled) - self.getvalue().count("MARK"))
        return len(text)


@pytest.mark.parametrize("name", [writer.name for writer in writers() if writer.write and not writer.takes])
def test_predictions_are_written_as_they_come(name: str) -> None:
    pulled: list[int] = []

    def stream() -> Iterator[Answered]:
        for i in range(50):
            pulled.append(i)
            yield one_text("MARK", {"label": "a", "probabilities": {"a": 1.0}})

    file = Counting(pulled)
    write_to = find(name).write
    assert write_to is not None
    write_to(file, stream(), Form(task_of("classification", {"labels": ["a"]}), ("text",)))
    assert len(pulled) == 50
    assert file.ahead <= 1
