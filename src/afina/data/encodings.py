"""Which encoding a text file is in: what its byte-order mark says, UTF-8, or Windows-1252 where all points to it.

A wrong guess would change texts in silence, so that all others are for the user to name.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from ..printing import many
from .lines import BOMS, CHUNK, fail

WESTERN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŠšŽžŒœŸ]+")
"""Runs of letters of the languages that Windows-1252 was made for."""
UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
"""Bytes that mean nothing in Windows-1252."""
NUL_SHARE = 0.2
"""Share of NUL bytes at a file's beginning from which it is UTF-16 without its mark."""
ENOUGH = 2000
"""Lines in another encoding that are looked at."""


def encoding_of(name: str, file: BinaryIO) -> tuple[str, str]:
    """The encoding of an open file, and what to say of it where it is not UTF-8. The file is left anywhere.

    A few lines that are not UTF-8 are damaged, and each is a problem when it is read. Where there are more of them than
    of lines that are UTF-8 and not ASCII, and all of them read as Windows-1252 does, the file is in that.

    Raises:
        DataError: it is in an encoding that has to be named.
    """
    file.seek(0)
    start = file.read(CHUNK)
    marked = next((codec for bom, codec in BOMS if start.startswith(bom)), None)
    if marked is not None:
        family = re.sub("-[bl]e$", "", marked)
        return family, "" if family == "utf-8" else f"{name}: {family.upper()}, as its byte-order mark says"
    if start.count(0) > NUL_SHARE * len(start):
        fail(name, "encoding", "the file is full of NUL bytes, as UTF-16 without a mark is", fix="--encoding utf-16-le")
    if is_utf8(file):
        return "utf-8", ""
    right, wrong, others = count_lines(file)
    if len(wrong) > right and all(is_western(line) for line in wrong):
        return "cp1252", f"{name}: not UTF-8 but Windows-1252, as it seems (--encoding NAME for another)"
    if len(wrong) > right + others:
        fix = "name it: --encoding cp1251, gb18030, latin-1 or whichever it is, or convert the file to UTF-8"
        fail(name, "encoding", f"{len(wrong):,} of {many(len(wrong) + right + others, 'line')} not in UTF-8", fix=fix)
    return "utf-8", ""


def is_utf8(file: BinaryIO) -> bool:
    """Whether a whole file is UTF-8."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def count_lines(file: BinaryIO) -> tuple[int, list[bytes], int]:
    """The number of lines that are UTF-8 and not ASCII, the lines that are not UTF-8, and the number of the others.

    It ends where `ENOUGH` lines are not UTF-8.
    """
    file.seek(0)
    right, wrong, others = 0, [], 0
    for line in file:
        if line.isascii():
            others += 1
            continue
        try:
            line.decode()
            right += 1
        except UnicodeDecodeError:
            wrong.append(line)
            if len(wrong) == ENOUGH:
                break
    return right, wrong, others


def is_western(line: bytes) -> bool:
    """Whether a line reads as Windows-1252 does: words of which most letters are ASCII.

    In another alphabet whole words lie above ASCII, and a damaged line of UTF-8 often holds sound characters too.
    """
    if UNDEFINED.search(line) or not line.decode("utf-8", "ignore").isascii():
        return False
    text = line.decode("cp1252")
    words = [word for word in WESTERN.findall(text) if not word.isascii()]
    high = sum(not letter.isascii() for word in words for letter in word)
    return not words or 2 * high <= sum(map(len, words))
