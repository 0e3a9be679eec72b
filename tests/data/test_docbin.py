"""spaCy's binary documents become rows; without spaCy the extra is named. Nothing in them is unpickled."""

from __future__ import annotations

import base64
import sys
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from afina.data import sources
from afina.data.docbin import rows_of
from afina.errors import DataError, MissingExtra
from tests.data.annotated import targets
from tests.data.reading import refused

# What spaCy 3.8 writes of "Ana 😀 vive em Évora." with two entities.
BYTES = base64.b64decode(
    "eJzrXF6WWlScmZ+32EDPcGliSUlR8VxHZ08vbx9fP/+As4xHzjIePct4bFlJfnZqXvFRpoIjjxfE/OwQ+36tvHqz3cpvrxgIAGYo"
    "bed5qOZn60trmDgjAX2M/bKcu+6/OACjCdnDREgBDrCyNuN6Qm3ERRhNK3tWnVt2TqZR3Q5G08oeTjV5hX1T33pce7ik+8L7yYsI"
    "qYfFTyOhCEEDiw6t8Xlzs349jCaknlz/LCsuSExOLT7CxggEDAzLc1Lz0ksyio+wsAEllxeXFGXmpRfPWbBQb7FjXuJiH3/nxQGu"
    "QQsDFyfmJS5KzV1SllmWuuxwZ1l+UeKywytB1JIP82c0LElOLCme2LA0LScxvXhi46aMxOL40rzsvPzyvHiIhYdWA+m8+PSi/NKC"
    "4olHPBqPODYvyUvMTV1UnAzJJw1LQSqAchrobi7yMkuJdbnRA+XCQpZ5IlAvAKhbnnM="
)
ENTS = [(0, 3, "PER"), (14, 19, "LOC")]


def written(folder: Path, data: bytes = BYTES, name: str = "a.spacy") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


class Document:
    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def to_json(self) -> dict[str, Any]:
        return self.values


class Binned:
    """As much of spaCy's DocBin as is used, over a list in the place of bytes."""

    user_data: Any = "may hold anything"

    def from_bytes(self, packed: bytes) -> Binned:
        if packed != BYTES:
            raise KeyError("attrs")
        return self

    def get_docs(self, _vocabulary: object) -> list[Document]:
        assert self.user_data == [], "data of the user's own are not looked at"
        ents = [{"start": start, "end": end, "label": label} for start, end, label in ENTS]
        text = "Ana 😀 vive em Évora."
        tokens = [{"id": 0, "start": 0, "end": 3, "tag": "N"}]
        return [Document({"text": text, "ents": ents, "tokens": tokens}), Document({"text": "x", "tokens": tokens})]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, holds in (("spacy", {}), ("spacy.tokens", {"DocBin": Binned}), ("spacy.vocab", {"Vocab": object})):
        module = ModuleType(name)
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("name", ["a.spacy", "a.bin", "a"])
def test_documents_are_rows(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name=name)
    assert targets(path) == [ENTS, []]
    assert [row.place for row in sources.rows(path)] == [f"{path}:[0]", f"{path}:[1]"]


@pytest.mark.usefixtures("fake")
def test_spoiled_files_are_refused(tmp_path: Path) -> None:
    for data in (b"", b"x", b"x\x9c", BYTES[:9], zlib.compress(b"text"), BYTES + b"x"):
        message = refused(written(tmp_path, data))
        assert "not a file of spaCy's documents" in message
        assert "to_disk('train.spacy')" in message


def test_without_spacy_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy.tokens", None)
    with pytest.raises(MissingExtra, match=r"pip install 'afina\[spacy\]'"):
        list(sources.read(written(tmp_path)))


def test_documents_without_entities_beside_others_have_none() -> None:
    assert [row.values for row in rows_of("a", [{"text": "a"}])] == [{"text": "a"}]
    found = [row.values["ents"] for row in rows_of("a", [{"text": "a"}, {"text": "b", "ents": [1]}])]
    assert found == [[], [1]]


def test_what_spacy_writes(tmp_path: Path) -> None:
    pytest.importorskip("spacy")
    assert targets(written(tmp_path)) == [ENTS]
    with pytest.raises(DataError, match="not a file of spaCy's documents"):
        sources.rows(written(tmp_path, BYTES[:60]))
