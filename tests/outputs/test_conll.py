"""CoNLL of predictions: words with their tags, for words and for raw texts."""

from __future__ import annotations

from pathlib import Path

from afina.outputs.conll import solid
from tests.outputs.answered import entity, one_sentence, one_text, task_of, written


def test_words_and_tags_of_sentences(tmp_path: Path) -> None:
    task = task_of("tokens", {"kind": "plain", "types": ["DET", "N"]}, tokens="tokens")
    answers = [
        one_sentence(["o", "gato preto"], {"tags": ["DET", "N"], "scores": [0.5, 0.75]}),
        one_sentence([], {"tags": [], "scores": []}),
        one_sentence(["#1"], {"tags": ["N"], "scores": [1.0]}),
    ]
    assert written(tmp_path, answers, task, name="conll") == "o\tDET\ngato_preto\tN\n\n#1\tN\n\n"


def test_a_raw_text_is_cut_into_words_and_at_its_entities(tmp_path: Path) -> None:
    task = task_of("tokens", {"kind": "entities", "types": ["GPE"], "scheme": "spans"}, text="text")
    text = "New Yorkers, 5km."
    found = [entity(text, 0, 8, "GPE"), entity(text, 13, 14, "GPE")]
    assert written(tmp_path, [one_text(text, {"entities": found})], task, name="conll").split() == [
        "New", "B-GPE", "York", "I-GPE", "ers", "O", ",", "O", "5", "B-GPE", "km", "O", ".", "O",
    ]  # fmt: skip


def test_no_word_divides_a_line() -> None:
    assert [solid(word) for word in ("", " ", "a\tb", "a\u2028b", "\ufeffa", "é")] == [
        "_",
        "_",
        "a_b",
        "a_b",
        "_a",
        "é",
    ]
