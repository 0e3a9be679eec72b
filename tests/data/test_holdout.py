"""What is held out where there are no validation data: every rule, for data of any kind, and what is said."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.config import load
from afina.data import alikes
from afina.data.holdout import FEWEST
from afina.data.identity import fingerprint
from afina.data.parts import Data, gather, read_data
from afina.errors import ConfigError, DataError
from afina.printing import many
from afina.quality.near_duplicates import ALIKE, alike, find_near_duplicates, pieces
from afina.quality.report import audit
from afina.records import Example
from afina.tasks import base

Rows = list[dict[str, Any]]
patient = settings(deadline=None, max_examples=60)
OTHERS = 12
"""Rows that are added so that there are enough."""


def unlike(seed: int, words: int = 8) -> str:
    """A text that is like no other."""
    return " ".join(f"{random.Random(100 * seed + n).randrange(10**8)}" for n in range(words))


def divided(rows: Rows, **given: Any) -> Data:
    settings = {name.replace("__", "."): value for name, value in given.items()}
    return read_data(load(None, settings), {"train": rows})


def rows_of(data: Data, part: str) -> set[int]:
    return {int(example.place.split()[-1]) for example in data.splits[part]}


def refused(rows: Rows, **given: Any) -> str:
    with pytest.raises(DataError) as caught:
        divided(rows, **given)
    assert len(caught.value.problems) == 1
    return str(caught.value)


FREE = [{"text": unlike(n), "label": "ab"[n % 2]} for n in range(60)]


# ---- labels


def labelled(task: str, sets: list[set[str]]) -> Rows:
    """Rows of any task that show some labels each."""
    if task == "multilabel":
        return [{"text": unlike(n), "labels": sorted(shown)} for n, shown in enumerate(sets)]
    if task == "classification":
        return [{"text": unlike(n), "label": min(shown, default="x")} for n, shown in enumerate(sets)]
    if task == "regression":
        return [{"text": unlike(n), "score": len(shown)} for n, shown in enumerate(sets)]
    if task == "answers":
        return [
            {"question": "who?", "context": unlike(n), "answers": unlike(n)[:4] if shown else []}
            for n, shown in enumerate(sets)
        ]
    words = [[*sorted(shown), "word"] for shown in sets]
    return [
        {"tokens": [f"{unlike(n, 1)}{word}" for word in some], "tags": [f"B-{tag}" for tag in some[:-1]] + ["O"]}
        for n, some in enumerate(words)
    ]


@pytest.mark.parametrize("task", ["classification", "multilabel", "tokens", "regression", "answers"])
@patient
@given(data=st.data())
def test_training_keeps_every_label(task: str, data: st.DataObject) -> None:
    sets = data.draw(st.lists(st.sets(st.sampled_from("abcdefgh"), max_size=3), min_size=2, max_size=30))
    rows = labelled(task, [*sets, *[{"a"}, {"b"}] * (OTHERS // 2), {"a", "b"}])
    config = load(None, {"task": task, "data.hold_out": data.draw(st.sampled_from([0.1, 0.3, 0.7]))})
    config = config.model_copy(
        update={"data": config.data.model_copy(update={"split_seed": data.draw(st.integers(0, 9))})}
    )
    found = read_data(config, {"train": rows})
    whole = found.given["train"]
    assert found.splits["validation"]
    assert rows_of(found, "train") | rows_of(found, "validation") == set(range(1, len(rows) + 1))
    assert not rows_of(found, "train") & rows_of(found, "validation")
    taught = [set(found.task.labels_in(example)) for example in found.splits["train"]]
    assert set().union(*taught) == set().union(*(found.task.labels_in(example) for example in whole))
    assert found.task.fit(whole).labels == found.task.labels
    assert all(found.task.check(example) is None for example in found.splits["validation"])


@pytest.mark.parametrize("name", base.names())
@pytest.mark.parametrize("seed", range(5))
def test_a_task_never_complains_of_its_own_draw(name: str, seed: int) -> None:
    for sample in base.find(name).samples:
        options = {f"options.{key}": value for key, value in sample.options.items()}
        config = load(None, {"task": name, "data.split_seed": seed, "data.hold_out": 0.3, **options})
        try:
            _, problems = gather(config, {"train": list(sample.rows)})
        except ConfigError as error:
            raise AssertionError(name) from error
        assert [one.code for one in problems] in ([], ["too-few"])


def test_an_only_input_stays_however_often_it_is_repeated() -> None:
    rows = [*FREE, *[{"text": "ONLY one", "label": "rare"}, {"text": "only  one", "label": "rare"}] * 5]
    for seed in range(10):
        data = divided(rows, data__split_seed=seed, data__hold_out=0.4)
        assert all(example.target != "rare" for example in data.splits["validation"])
    assert "no example of 'rare' is held out, so validation scores say nothing about it" in data.notes


def test_labels_that_are_not_held_out_are_spoken_of_in_the_plural() -> None:
    rows = [{"text": f"{label} {i}", "label": label} for i, label in enumerate("aaabbbccc")]
    notes = divided(rows, data__hold_out=0.12).notes
    assert any(note.endswith("is held out, so validation scores say nothing about them") for note in notes)


def test_an_input_of_two_labels_stays_where_it_alone_has_one() -> None:
    rows = [*FREE, {"text": "both", "label": "a"}, {"text": "both", "label": "only"}]
    for seed in range(20):
        assert {61, 62} <= rows_of(divided(rows, data__split_seed=seed, data__hold_out=0.5), "train")


# ---- texts that are nearly the same


@patient
@given(data=st.data())
def test_nearly_the_same_texts_stay_on_one_side(data: st.DataObject) -> None:
    families = data.draw(st.lists(st.integers(1, 4), min_size=3, max_size=12))
    rows = list(FREE)
    for number, size in enumerate(families):
        text = unlike(1000 + number, 12)
        for n in range(size):
            at = data.draw(st.integers(0, len(text) - 1))
            rows.append({"text": text[:at] + "#" * n + text[at + n :], "label": data.draw(st.sampled_from("ab"))})
    found = divided(
        rows, data__hold_out=data.draw(st.sampled_from([0.1, 0.4])), data__split_seed=data.draw(st.integers(0, 9))
    )
    train, held = ([pieces(one) for one in found.splits[part]] for part in ("train", "validation"))
    assert max(alike(one, other) for one in train for other in held) < ALIKE + 0.05


def test_what_stays_together_is_said() -> None:
    text = unlike(7, 20)
    rows = [*FREE, *({"text": text[:n] + "#" + text[n + 1 :], "label": "a"} for n in range(4))]
    data = divided(rows)
    assert "4 training examples nearly like another one, kept on its side" in data.notes
    assert not any("nearly" in note for note in divided(FREE).notes)


def test_a_label_of_one_template_is_scored_all_the_same() -> None:
    rows = [{"text": f"please send the invoice number {n} to my address", "label": "bill"} for n in range(40)]
    data = divided([*rows, *FREE])
    assert sum(example.target == "bill" for example in data.splits["validation"]) == 4
    (note,) = [note for note in data.notes if "nearly" in note]
    assert note == "40 training examples nearly alike, too many to stay together; only equal ones do"


def test_few_rows_of_one_template_are_divided_all_the_same() -> None:
    rows = [
        {"text": f"{word} is the answer to question number {n}", "label": word}
        for n in range(6)
        for word in ("yes", "nope")
    ]
    data = divided(rows)
    assert data.splits["validation"]
    assert "so many examples are nearly the same that only equal ones stay together" in data.notes


def test_too_much_text_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alikes, "CHARACTERS", 100)
    assert any("too much text to look for near duplicates" in note for note in divided(FREE).notes)


def test_questions_of_one_passage_stay_together() -> None:
    rows = [
        {"question": f"what is the {n}th number?", "context": unlike(passage), "answers": unlike(passage).split()[n]}
        for passage in range(15)
        for n in range(3)
    ]
    rows[0]["context"] = f"  {rows[0]['context']}"
    data = divided(rows, task="answers", data__hold_out=0.3)
    train, held = (
        {" ".join((one.pair or "").split()) for one in data.splits[part]} for part in ("train", "validation")
    )
    assert not train & held
    assert len(data.splits["validation"]) in (12, 15)
    one_passage = [{**row, "context": rows[1]["context"], "answers": rows[1]["answers"]} for row in rows]
    varied = [{**row, "question": f"{n} {row['question']}"} for n, row in enumerate(one_passage)]
    assert "all 45 examples are about one passage; give validation data (--validation FILE)" in refused(
        varied, task="answers"
    )


# ---- seeds, order, record


def test_the_split_has_a_seed_of_its_own() -> None:
    draws = [rows_of(divided(FREE, seed=seed), "validation") for seed in range(3)]
    assert draws[0] == draws[1] == draws[2]
    assert rows_of(divided(FREE, data__split_seed=1), "validation") != draws[0]
    data = divided(FREE, data__split_seed=5, data__hold_out=0.2)
    record = data.record()["validation"]
    assert record["held_out"] == {"hold_out": 0.2, "split_seed": 5, "group_by": None, "split_by_time": None}
    assert record["places"] == [example.place for example in data.splits["validation"]]
    (note,) = [note for note in data.notes if "held out" in note and "listed" in note]
    assert note == (
        "no validation data given: 12 of 60 training examples held out (stratified, split seed 5; listed in data.json)"
    )


@patient
@given(order=st.permutations(range(40)), by=st.sampled_from([None, "group_by", "split_by_time"]))
def test_the_order_of_the_rows_means_nothing(order: list[int], by: str | None) -> None:
    text = unlike(7, 20)
    rows = [{**row, "number": n // 3} for n, row in enumerate(FREE[:30])]
    rows += [{"text": text[:n] + "#" + text[n + 1 :], "label": "ab"[n % 2], "number": n} for n in range(10)]
    given = {} if by is None else {f"data__{by}": "number"}
    first, second = (divided(some, **given) for some in (rows, [rows[n] for n in order]))
    assert {one.text for one in first.splits["validation"]} == {one.text for one in second.splits["validation"]}


# ---- groups


@patient
@given(groups=st.lists(st.integers(0, 9) | st.none(), min_size=20, max_size=40), seed=st.integers(0, 9))
def test_groups_stay_together(groups: list[int | None], seed: int) -> None:
    groups = [*groups, 10, 10, 11, 11, 12, 12]  # so that training can spare one
    rows = [{**row, "author": group} for row, group in zip(FREE, groups, strict=False)]
    data = divided(rows, data__group_by="author", data__split_seed=seed, data__hold_out=0.3)
    sides: dict[Any, set[str]] = defaultdict(set)
    for part in ("train", "validation"):
        for row in rows_of(data, part):
            sides[rows[row - 1]["author"]].add(part)
    assert all(len(parts) == 1 for group, parts in sides.items() if group is not None)
    missing = groups.count(None)
    said = f"{many(missing, 'training example')} without 'author': each is a group of its own"
    assert (said in data.notes) == (missing > 0)


def test_values_of_groups_are_named_alike_whatever_their_type() -> None:
    rows = [{**row, "who": [7, 7.0, "7"][n % 3] if n < 12 else f"x{n}"} for n, row in enumerate(FREE)]
    for seed in range(5):
        data = divided(rows, data__group_by="who", data__hold_out=0.4, data__split_seed=seed)
        assert len({row <= 12 for row in rows_of(data, "validation")} | {True}) <= 2
        assert rows_of(data, "validation") >= {*range(1, 13)} or not rows_of(data, "validation") & {*range(1, 13)}


def test_sentences_of_one_row_a_word_are_grouped_by_document() -> None:
    rows = [
        {"sentence_id": n, "document": f"d{n // 3}", "word": word, "tag": tag}
        for n in range(30)
        for word, tag in [*((f"{unlike(n, 1)}{k}", "O") for k in range(1 + n % 3)), (f"Rome{n}", "B-LOC")]
    ]
    data = divided(rows, task="tokens", data__group_by="document", data__hold_out=0.2)
    names = {part: {text.split("Rome")[1] for text in (one.text for one in data.splits[part])} for part in data.splits}
    documents = {part: {int(name) // 3 for name in some} for part, some in names.items()}
    assert len(documents["validation"]) == 2
    assert not documents["train"] & documents["validation"]


def test_the_same_text_in_many_groups_does_not_make_them_one() -> None:
    rows = [{**row, "chat": n // 6} for n, row in enumerate(FREE)]
    rows += [{"text": "ok", "label": "ab"[n % 2], "chat": n} for n in range(10)]
    data = divided(rows, data__group_by="chat")
    assert len(data.splits["validation"]) == 7
    assert "1 held out example with an input that training has, too" in data.notes
    assert "leak" not in {one.code for one in audit(data.task, data.given)}


def test_one_group_can_not_be_divided() -> None:
    rows = [{**row, "chat": "x"} for row in FREE]
    assert refused(rows, data__group_by="chat").endswith(
        "all 60 examples have the same 'chat'; give validation data (--validation FILE)"
    )


# ---- time


def test_the_latest_are_held_out_and_the_day_is_said() -> None:
    rows = [{**row, "when": f"{1 + n // 3:02}/03/2024"} for n, row in enumerate(FREE)]
    data = divided(rows, data__split_by_time="when")
    assert rows_of(data, "validation") == {*range(55, 61)}
    assert any("6 of 60 training examples held out (the latest by 'when', from 19/03/2024 on;" in n for n in data.notes)
    assert data.record()["validation"]["held_out"]["split_by_time"] == "when"


def test_labels_of_the_latest_only_stay_in_training_and_are_named() -> None:
    rows = [{**row, "when": 1700000000 + n} for n, row in enumerate(FREE)]
    rows[56]["label"] = rows[58]["label"] = "new"
    data = divided(rows, data__split_by_time="when")
    assert rows_of(data, "validation") == {55, 56, 58, 60}
    assert "2 late examples left in training, since no earlier one has 'new'" in data.notes
    for row in rows[54:]:
        row["label"] = "new"
    assert "have labels that no earlier one has" in refused(rows, data__split_by_time="when")


def test_all_of_one_moment_can_not_be_divided() -> None:
    rows = [{**row, "when": "2024-01-01"} for row in FREE]
    assert "all 60 examples have the same time in column 'when'" in refused(rows, data__split_by_time="when")


def test_rows_without_a_time_are_rows_that_can_not_be_used(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    lines = [f"{row['text']},{row['label']},{'soon' if n == 4 else n}" for n, row in enumerate(FREE)]
    file.write_text("\n".join(["text,label,when", *lines]) + "\n", encoding="utf-8")
    given = {"data.train": str(file), "data.split_by_time": "when"}
    with pytest.raises(
        DataError, match=r"mine.csv:6: column 'when': expected a date or a time, found 'soon'; write"
    ) as caught:
        read_data(load(None, given))
    assert "--on-bad-row skip" in str(caught.value)
    data = read_data(load(None, {**given, "data.on_bad_row": "skip"}))
    assert len(data.given["train"]) == 59
    assert {example.place.rpartition(":")[2] for example in data.splits["validation"]} == {
        str(n) for n in range(56, 62)
    }
    file.write_text(file.read_text().replace("soon", "2024-01-01"))
    with pytest.raises(DataError, match="can't be put in order: found a date, and a number in"):
        read_data(load(None, given))


def test_times_without_a_zone_are_said_where_others_have_one() -> None:
    rows = [{**row, "when": f"2024-01-01T10:{n:02}{'Z' * (n % 2)}"} for n, row in enumerate(FREE)]
    assert "times of 'when' without a zone are taken as UTC" in divided(rows, data__split_by_time="when").notes


# ---- refusals


def test_three_rows_are_no_training_set() -> None:
    assert refused(FREE[:3]) == (
        "train row 1: can't hold out a part: found 3 distinct inputs in 3 examples, which is no training set; "
        "add examples or give validation data (--validation FILE)"
    )
    same = [{"text": "same", "label": "a"}, {"text": "Same", "label": "b"}, {"text": "same ", "label": "a"}]
    assert "found 1 distinct input in 12 examples" in refused(same * 4)


@pytest.mark.parametrize("rows", [FREE[: FEWEST - 1], FREE[: FEWEST - 1] * 3])
def test_few_inputs_are_divided_and_said_to_measure_little(rows: Rows) -> None:
    data = divided(rows)
    assert data.splits["validation"]
    says = f"found only 9 distinct inputs in {len(rows)} examples: scores on so few say next to nothing"
    assert says in data.notes
    assert not any("found only" in note for note in divided(FREE[:FEWEST]).notes)


def test_labels_that_occur_once_everywhere() -> None:
    rows = [{"text": row["text"], "label": f"label {n}"} for n, row in enumerate(FREE)]
    assert (
        "each of the 60 groups of equal examples alone has one of the labels, and training needs all; add"
        in refused(rows)
    )


def test_labels_of_one_input_each_are_divided_by_rows_and_said_to_be_learned_by_heart() -> None:
    rows = [{"text": row["text"], "label": f"label {n}"} for n, row in enumerate(FREE[:4])] * 8
    data = divided(rows)
    assert {example.target for example in data.splits["train"]} == {f"label {n}" for n in range(4)}
    assert data.splits["validation"]
    assert any("scores tell what was learned by heart" in note for note in data.notes)


def test_one_label_is_said_before_anything_else() -> None:
    with pytest.raises(ConfigError, match="the training data hold 1 label"):
        divided([{"text": row["text"], "label": "a"} for row in FREE[:3]])


@pytest.mark.parametrize("setting", ["group_by", "split_by_time"])
def test_columns_and_settings_that_do_not_suit(setting: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"data.{setting}: the data have no column 'labl', did you mean 'label'\? The col"
    ):
        divided(FREE, **{f"data__{setting}": "labl"})
    if setting == "split_by_time":
        with pytest.raises(ConfigError, match=f"data.{setting}: there are validation data, so nothing is held out"):
            read_data(load(None, {f"data.{setting}": "label"}), {"train": FREE, "validation": FREE})
    with pytest.raises(ConfigError, match="by groups or by time, not both"):
        divided(FREE, data__group_by="label", data__split_by_time="label")


def test_a_column_of_groups_may_appear_late() -> None:
    rows = [{"text": unlike(n, 2), "label": "ab"[n % 2]} for n in range(1100)]
    rows[1050]["who"] = "x"
    assert any("1,099 training examples without 'who'" in note for note in divided(rows, data__group_by="who").notes)


# ---- what the draw is not blamed for


def test_the_draw_is_no_fault_of_the_data() -> None:
    text = unlike(7, 20)
    rows: Rows = [*FREE, *({"text": text[:n] + "#" + text[n + 1 :], "label": "a"} for n in range(30))]
    data = divided([{**row, "who": n % 60} for n, row in enumerate(rows)], data__group_by="who")
    codes = {
        one.code
        for one in [*audit(data.task, data.given), *find_near_duplicates(data.given, stratum=data.task.stratum)]
    }
    assert not codes & {"leak", "near-leak", "mirrored-leak", "test-in-validation", "rare-label"}
    assert len({fingerprint(Example(row["text"])) for row in rows}) == 90
