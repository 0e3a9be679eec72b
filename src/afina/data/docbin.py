"""spaCy's binary files: documents of a `DocBin`, one a row, with their entities, spans and categories.

The bytes are packed numbers and texts (msgpack); spaCy unpickles nothing of them, and data of the user's own, which a
file may hold besides, are not looked at. A document is read as spaCy writes it by `doc.to_json()`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..errors import MissingExtra
from ..records import Row
from .exports import in_our_words
from .formats import Reader
from .lines import Item, ReadOptions, fail

FIX = "write it by DocBin(docs=docs).to_disk('train.spacy')"


def read_documents(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The documents of a file.

    Raises:
        MissingExtra: spaCy is not installed.
        DataError: the file is none of spaCy's.
    """
    packed = file.read()
    if not is_packed(packed):
        fail(name, "bad-docbin", "not a file of spaCy's documents", fix=FIX)
    try:
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab
    except ImportError:
        raise MissingExtra("spacy", "spacy", f"reading {name}, a file of spaCy's documents,") from None
    try:
        binned = DocBin().from_bytes(packed)
        binned.user_data = []
        documents = [document.to_json() for document in binned.get_docs(Vocab())]
    except Exception as error:  # what a spoiled file makes numpy, msgpack and spaCy raise is written nowhere
        fail(name, "bad-docbin", f"not a file of spaCy's documents: {type(error).__name__}", fix=FIX)
    yield from in_our_words(name, rows_of(name, documents), options.note)


def is_packed(packed: bytes) -> bool:
    """Whether bytes are a compressed table by name, which is how msgpack writes small ones."""
    try:
        start = zlib.decompressobj().decompress(packed, 1)
    except zlib.error:
        return False
    return bool(start) and start[0] >> 4 == 0b1000


def rows_of(name: str, documents: list[dict[str, Any]]) -> Iterator[Row]:
    """Documents as rows; one in which nobody marked entities has none where others have some."""
    marked = any("ents" in document for document in documents)
    for i, document in enumerate(documents):
        yield Row({"ents": [], **document} if marked else document, f"{name}:[{i}]")


READER = Reader(
    "docbin",
    (".spacy",),
    read_documents,
    summary="spaCy's binary documents (DocBin)",
    magic=(b"\x78\x9c",),
    named_columns=True,
)
