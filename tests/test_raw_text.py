"""From training data to predictions on raw text: words with signs, characters as words, markers, marks."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

import afina
from afina.training.events import Event, Note

QUICK: dict[str, Any] = {"task": "tokens", "strategy": "full", "batch_size": 4, "learning_rate": 3e-4, "seed": 1}


def conll(file: Path, sentences: list[str]) -> Path:
    """Sentences of words, each with its tag behind a bar, as a CoNLL file; three times over."""
    lines = [[word.replace("|", " ") for word in sentence.split()] for sentence in sentences * 3]
    file.write_text("\n\n".join("\n".join(words) for words in lines) + "\n", encoding="utf-8")
    return file


def found(folder: Path, texts: list[str]) -> list[list[tuple[str, str]]]:
    """Text and label of each entity that a saved model finds in raw texts."""
    return [[(one["text"], one["label"]) for one in entities] for entities in afina.load(folder).predict(texts)]


@pytest.mark.slow
def test_addresses_and_prices_that_were_words_are_words_in_raw_text(embedded: str, tmp_path: Path) -> None:
    sentences = [f"please|O mail|O {who}|B-MAIL today|O" for who in ("joao@casa.pt", "r_lima@ufx.edu.br", "bo-b@z.org")]
    sentences += [f"it|O costs|O {price}|B-PRICE now|O" for price in ("€3.20", "€14.99", "€120.00")]
    train = conll(tmp_path / "train.conll", sentences)
    run = afina.train(train=str(train), validation=str(train), model=embedded, epochs=10, out=tmp_path / "run", **QUICK)
    assert run.validation.metrics["entity_f1"] == run.validation.metrics["raw_text_entity_f1"] == 1.0
    about = json.loads((run.folder / "model" / "afina.json").read_text(encoding="utf-8"))
    assert about["fitted"]["segmentation"]["signs"]["@"] == {"word word": "inside"}
    texts = ["please mail joao@ufx.org, today", "it costs €7.50."]
    assert found(run.folder, texts) == [[("joao@ufx.org", "MAIL")], [("€7.50", "PRICE")]]


@pytest.mark.slow
def test_characters_that_were_words_are_words_in_raw_text(embedded: str, tmp_path: Path) -> None:
    sentences = [
        "陈|B-PER 强|I-PER 去|O 广|B-LOC 州|I-LOC 。|O",
        "他|O 从|O 天|B-LOC 津|I-LOC 来|O 。|O",
        "刘|B-PER 洋|I-PER 在|O 天|B-LOC 津|I-LOC 。|O",
        "他|O 爱|O 广|B-LOC 州|I-LOC 。|O",
    ]
    train = conll(tmp_path / "train.conll", sentences)
    run = afina.train(train=str(train), validation=str(train), model=embedded, epochs=20, out=tmp_path / "run", **QUICK)
    assert run.validation.metrics["raw_text_entity_f1"] == run.validation.metrics["entity_f1"] == 1.0
    assert found(run.folder, ["陈强去广州。", "刘洋在天津。"]) == [
        [("陈强", "PER"), ("广州", "LOC")],
        [("刘洋", "PER"), ("天津", "LOC")],
    ]


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta"])
def test_markers_that_the_user_added_are_tokens_and_train(
    family: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(tiny(family))
    tokenizer.add_special_tokens({"additional_special_tokens": ["<H>", "</H>"]})
    model = AutoModel.from_pretrained(tiny(family))
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(tmp_path / "marked")
    tokenizer.save_pretrained(tmp_path / "marked")
    rows = [{"text": f"the <H> {a} </H> met {b}", "label": a} for a in ("cat", "dog") for b in ("song", "bird", "meal")]
    run = afina.train(
        train=rows, validation=rows, model=tmp_path / "marked", strategy="full", epochs=2, out=tmp_path / "run"
    )
    ours = run.predictor.artifact.tokenizer.tokens([rows[0]["text"]])[0].ids.tolist()
    saved = AutoTokenizer.from_pretrained(run.folder / "model")
    assert ours == saved(rows[0]["text"], add_special_tokens=False).input_ids
    assert saved.convert_tokens_to_ids(["<H>", "</H>"]) == [len(tokenizer) - 2, len(tokenizer) - 1]
    trained = AutoModel.from_pretrained(run.folder / "model").get_input_embeddings().weight
    before = model.get_input_embeddings().weight
    assert not torch.equal(trained[-2], before[-2])
    assert not torch.equal(trained[-1], before[-1])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_entities_with_accents_at_their_ends_are_all_held(
    form: Any, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = []
    for name, place in (("André", "Tomé"), ("Zoé", "Loulé"), ("Noemí", "Macaé"), ("Salomé", "Évora")):
        text = unicodedata.normalize(form, f"a {name} mora em {place}.")
        spans = [(unicodedata.normalize(form, part), label) for part, label in ((name, "PER"), (place, "LOC"))]
        entities = [
            {"start": text.index(part), "end": text.index(part) + len(part), "label": label} for part, label in spans
        ]
        rows.append({"text": text, "entities": entities})
    heard: list[Event] = []
    run = afina.train(
        task="tokens", train=rows, validation=rows, model=tiny("bert"), strategy="full", epochs=1,
        out=tmp_path / "run", on_event=heard.append,
    )  # fmt: skip
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert "train: 8 of 8 gold entities can be predicted" in notes
    for row, entities in zip(rows, run.predictor.predict([row["text"] for row in rows]), strict=True):
        for one in entities:
            after = row["text"][one["end"] : one["end"] + 1]
            assert not unicodedata.combining(after or " ")
