"""`afina check --labels` finds labels that were flipped, knows what it can't judge, and writes a file to review."""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from afina.config import load
from afina.data.parts import Data, read_data
from afina.errors import ConfigError, MissingExtra
from afina.quality import cross_validation
from afina.quality.label_issues import COLUMNS, LabelIssue, LabelIssues, find_label_issues, write
from afina.tasks import base
from afina.training.events import Done
from afina.training.run import stream
from tests.conftest import REPOSITORY

pytest.importorskip("cleanlab", reason="cleanlab is not installed (pip install 'afina[quality]')")

THINGS = ("film", "meal", "room", "song", "cat", "dog", "bird", "mat")
PLACES = ("here", "there", "at home", "on the mat", "again", "today", "in May", "in the room")


def reviews(each: int = 32) -> list[dict[str, str]]:
    """Different texts whose words tell the label."""
    words = {
        "good": ("good", "fine", "great", "lovely", "film", "song", "room"),
        "bad": ("bad", "broken", "poor", "awful", "dog", "cat", "bird"),
    }
    orders = [*itertools.permutations(range(7), 4)][:: 840 // each][:each]
    return [{"text": " ".join(words[label][i] for i in order), "label": label} for label in words for order in orders]


def look(model: str | Path, train: Any, **more: Any) -> LabelIssues:
    """Suspects of rows in memory. What is found depends on the model, and a tiny one's tokenizer on chance."""
    settings = {name.replace("__", "."): value for name, value in more.items()}
    config = load(None, {"model.name": str(model), **settings})
    return find_label_issues(config, read_data(config, {"train": train}))


def test_flipped_labels_of_a_small_file_are_found(embedded: str) -> None:
    config = load(None, {"data.train": str(REPOSITORY / "examples" / "classification" / "train.csv")})
    data = read_data(config)
    examples, labels = data.splits["train"], data.task.fitted["labels"]
    number = len(examples) // 10
    hits, right = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        flipped = rng.choice(len(examples), number, replace=False).tolist()
        noisy = list(examples)
        for i in flipped:
            others = [label for label in labels if label != examples[i].target]
            noisy[i] = replace(examples[i], target=str(rng.choice(others)))
        found = find_label_issues(config, replace(data, splits={**data.splits, "train": noisy}))
        assert found.judged == sum(map(len, data.splits.values()))
        assert not found.weak
        truth = {examples[i].place: examples[i].target for i in flipped}
        hits += [one.place in truth for one in found.rows[:number]]
        right += [truth[one.place] == one.suggested for one in found.rows if one.place in truth]
    assert np.mean(hits) > 0.4  # at random it would be a tenth
    assert np.mean(right) > 0.7


def test_the_same_data_give_the_same_suspects(embedded: str) -> None:
    rows = reviews()
    rows[3]["label"] = "bad"
    first, second = look(embedded, rows), look(embedded, rows)
    assert first == second
    assert first.rows[0].given == "bad"
    assert first.rows[0].suggested == "good"
    assert first.rows[0].text == rows[3]["text"]
    assert first.rows[0].given_probability < first.rows[0].suggested_probability


SENTENCE = ["the", "cat", "sleeps", "on", "the", "mat", "and", "the", "dog", "barks", "at", "the", "bird"]
TAGS = ["DET", "NOUN", "VERB", "ADP", "DET", "NOUN", "CONJ", "DET", "NOUN", "VERB", "ADP", "DET", "NOUN"]


def sentences(n: int = 24) -> list[dict[str, Any]]:
    """Different sentences of the same words."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(SENTENCE)) for _ in range(n)]
    return [{"tokens": [SENTENCE[i] for i in order], "tags": [TAGS[i] for i in order]} for order in orders]


@pytest.mark.parametrize("subwords", ["first", "all"])
def test_a_wrong_tag_is_found_with_its_word_and_characters(subwords: str, embedded: str) -> None:
    rows = sentences()
    at = rows[5]["tokens"].index("barks")
    rows[5]["tags"][at] = "ADP"
    found = look(embedded, rows, task="tokens", options__subwords=subwords)
    assert found.noun == "word"
    assert found.judged == 24 * len(SENTENCE)  # each word once, however many tokens it has
    worst = found.rows[0]
    assert (worst.place, worst.word, worst.given, worst.suggested) == ("train row 6", "barks", "ADP", "VERB")
    assert worst.span is not None
    assert worst.text[: worst.span[0]].split() == rows[5]["tokens"][:at]


def test_a_missing_span_is_found(embedded: str) -> None:
    rows = []
    for thing in THINGS:
        for place in PLACES[:4]:
            text = f"a {thing}, lovely {place}"
            rows.append({"text": text, "spans": [{"start": 2, "end": 2 + len(thing), "label": "THING"}]})
    rows[9]["spans"] = []
    found = look(embedded, rows, task="tokens")
    worst = found.rows[0]
    assert (worst.place, worst.given, worst.suggested) == ("train row 10", "O", "B-THING")
    assert (worst.word, worst.span) == (THINGS[2], (2, 2 + len(THINGS[2])))


def test_words_of_a_long_text_are_judged_once(tiny: Callable[[str], Path]) -> None:
    rows = sentences()
    long = [
        {name: [*itertools.chain.from_iterable(row[name] for row in rows[i : i + 6])] for name in ("tokens", "tags")}
        for i in range(0, 24, 6)
    ]
    config = load(None, {"model.name": str(tiny("bert")), "task": "tokens", "model.max_length": 24})
    found = find_label_issues(config, read_data(config, {"train": long[:3], "validation": long[3:]}))
    assert found.judged == 24 * len(SENTENCE)


def test_the_windows_of_a_long_text_are_averaged(embedded: str) -> None:
    rows = [{"text": f"{row['text']} " * 6, "label": row["label"]} for row in reviews()]
    rows[3]["label"] = "bad"
    found = look(embedded, rows, model__max_length=16, options__long="windows")
    assert found.judged == 64
    assert found.rows[0].text == rows[3]["text"]


def test_copies_of_a_wrong_label_do_not_vouch_for_each_other(embedded: str) -> None:
    rows = reviews()
    wrong = [{"text": text, "label": "bad"} for text in (rows[3]["text"], rows[3]["text"].upper()) * 2]
    found = look(embedded, [*rows[:3], *rows[4:], *wrong])
    assert [one.text.lower() for one in found.rows[:4]] == [rows[3]["text"]] * 4


def test_labels_of_one_text_are_counted_and_not_judged(tiny: Callable[[str], Path]) -> None:
    alone = [{"text": "good broken euros", "label": "odd"}] * 3
    found = look(tiny("bert"), [*reviews(), *alone], data__hold_out=0.05)
    assert (found.judged, found.unjudged) == (64, 3)
    assert all("odd" not in (one.given, one.suggested) for one in found.rows)
    (note,) = [one for one in found.findings() if one.code == "unjudged-labels"]
    assert "3 examples can't be judged" in note.message


def test_rare_labels_need_two_texts_and_no_more(tiny: Callable[[str], Path]) -> None:
    rare = [{"text": f"12.50 euros on 3 May {year}", "label": "price"} for year in (2023, 2024)]
    found = look(tiny("bert"), [*reviews(), *rare], data__hold_out=0.05)
    assert (found.judged, found.unjudged) == (66, 0)


def test_nothing_to_judge_is_said(tiny: Callable[[str], Path]) -> None:
    rows = [*[{"text": "a great film", "label": "good"}] * 10, *[{"text": "an awful film", "label": "bad"}] * 10]
    config = load(None, {"model.name": str(tiny("bert"))})
    found = find_label_issues(config, read_data(config, {"train": rows, "validation": rows}))
    assert (found.judged, found.unjudged, found.rows) == (0, 40, ())
    assert [one.code for one in found.findings()] == ["unjudged-labels"]


def test_a_head_that_knows_nothing_says_so(embedded: str) -> None:
    rng = np.random.default_rng(0)
    rows = [{**row, "label": str(rng.choice(["good", "bad"]))} for row in reviews(60)]
    found = look(embedded, rows)
    assert found.weak
    (finding,) = found.findings()
    assert finding.severity == "note"
    assert "these suspects mean little" in finding.message


def test_the_finding_says_how_many_how_sure_and_where(embedded: str) -> None:
    rows = reviews()
    rows[3]["label"] = "bad"
    found = look(embedded, rows)
    (finding,) = found.findings()
    assert (finding.severity, finding.code, finding.count) == ("warning", "label-issues", len(found.rows))
    assert finding.places[0] == found.rows[0].place
    assert f"{len(found.rows)} of 64 examples" in finding.message
    assert f"cleanlab's estimate is {found.estimate}" in finding.message
    assert "learned from at most" not in finding.message


def test_a_large_set_is_learned_in_part_and_judged_whole(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_validation, "LEARNED", 30)
    monkeypatch.setattr(cross_validation, "PIECE", 5)
    found = look(tiny("bert"), reviews())
    assert found.judged == 64
    assert 30 <= found.learned <= 32
    assert f"learned from at most {found.learned} examples" in found.findings()[0].message


def test_labels_that_only_the_test_data_have_are_judged_like_others(tiny: Callable[[str], Path]) -> None:
    config = load(None, {"model.name": str(tiny("bert")), "data.unseen": "count"})
    test = [{"text": f"{amount} euros on 3 May 2024", "label": "price"} for amount in range(12)]
    sources = {"train": reviews(), "validation": reviews()[:2], "test": test}
    found = find_label_issues(config, read_data(config, sources))
    assert (found.judged, found.unjudged) == (64 + 2 + 12, 0)


def test_training_a_head_finds_the_states_that_were_computed(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFINA_CACHE", str(tmp_path / "cache"))
    look(tiny("bert"), reviews())
    kept = sorted(path.name for path in (tmp_path / "cache" / "states").iterdir())
    assert len(kept) == 2
    settings = {"model.head": "mean", "strategy": "head", "training.epochs": 1, "out": str(tmp_path / "run")}
    config = load(None, {"model.name": str(tiny("bert")), **settings})
    (*_, last) = stream(config, read_data(config, {"train": reviews()}))
    assert isinstance(last, Done)
    assert sorted(path.name for path in (tmp_path / "cache" / "states").iterdir()) == kept


@pytest.mark.parametrize("name", ["multilabel", "regression", "answers", "ordinal"])
def test_tasks_without_such_labels_are_refused_before_the_model_is_loaded(name: str) -> None:
    (sample, *_) = base.find(name).samples
    config = load(None, {"task": name, "model.name": "no/such-model"})
    data = read_data(config, {"train": list(sample.rows), "validation": list(sample.rows)})
    with pytest.raises(ConfigError, match="classification and tokens do"):
        find_label_issues(config, data)


def some_data() -> tuple[Any, Data]:
    config = load(None, {"model.name": "no/such-model"})
    return config, read_data(config, {"train": reviews()})


def test_without_cleanlab_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(MissingExtra, match=r"afina\[quality\]"):
        find_label_issues(*some_data())


def test_states_that_find_no_room_are_an_error(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match="more than --cache-memory and --cache-disk allow"):
        look(tiny("bert"), reviews(), training__cache_memory=0, training__cache_disk=0)


def test_nothing_is_printed(tiny: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    look(tiny("bert"), reviews())
    assert capfd.readouterr() == ("", "")


NASTY = ("=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx", "'quoted", 'a, "b"\nc', "ação 😀", "plain")


def test_the_file_can_be_reviewed_and_holds_no_formula(tmp_path: Path) -> None:
    rows = tuple(LabelIssue(f"data.csv:{i + 2}", text, text, text, "good", 0.01, 0.9) for i, text in enumerate(NASTY))
    write(LabelIssues(rows), tmp_path / "suspects.csv")
    with (tmp_path / "suspects.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == COLUMNS
    assert [line["rank"] for line in lines] == [str(i + 1) for i in range(len(NASTY))]
    for line, text in zip(lines, NASTY, strict=True):
        for cell in (line["text"], line["pair"], line["given"]):
            assert cell[0] not in "=+-@\t\r"
            assert cell.removeprefix("'") == text
        assert (line["given_probability"], line["verdict"], line["word"]) == ("0.0100", "", "")


def test_words_stand_in_the_file_with_their_characters(tmp_path: Path) -> None:
    write(LabelIssues((LabelIssue("a:1", "see Rome", None, "O", "B-LOC", 0.1, 0.8, (4, 8)),)), tmp_path / "out.csv")
    (line,) = csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines())
    assert (line["word"], line["start"], line["end"], line["pair"]) == ("Rome", "4", "8", "")


def test_the_data_are_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("text,label\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is the data"):
        write(LabelIssues(), path, data=str(path))
    assert path.read_text(encoding="utf-8") == "text,label\n"
