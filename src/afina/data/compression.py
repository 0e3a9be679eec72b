"""Compressed files that hold one file. They are known by their first bytes, whatever they are called.

What is compressed is unpacked into a temporary file before it is read: memory stays flat, readers may go back to the
beginning as often as they like, and what is cut short is refused before its first row. Places keep the path as given.
"""

from __future__ import annotations

import bz2
import gzip
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from lzma import LZMAError, LZMAFile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile, gettempdir
from typing import Any, BinaryIO, NamedTuple, Protocol

from ..errors import MissingExtra, printable
from .lines import CHUNK, HEAD_BYTES, fail

ENDINGS = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".zip")
"""Endings of compressed files; the one in front of them is that of the file inside."""
ARCHIVE = "archive"
"""Code of the problem with what holds several files, or is not unpacked."""
LIMIT = 1 << 30
"""Bytes that any file may have when it is unpacked."""
RATIO = 100
"""How many times its size a larger file may have."""
ZSTD_CHUNK = 1 << 12
"""Bytes of zstd that are unpacked at once: few, since they may become thirty thousand times as many."""
TAR = slice(257, 262), b"ustar"
"""Where a tar archive says that it is one, and what it says."""
OTHERS = {b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!\x1a\x07": "RAR", b"\x04\x22\x4d\x18": "LZ4"}
"""First bytes of archives that are not unpacked, and their names."""
DOCUMENTS = {"word/": "a Word document", "ppt/": "a presentation"}
"""Folders in zip archives of programs, and what such a file is."""
DAMAGE = (OSError, EOFError, zlib.error, LZMAError, zipfile.BadZipFile, ValueError, RuntimeError, struct.error)
"""What is raised for files that are cut short or damaged."""


class Packing(NamedTuple):
    """A way to compress a file.

    Attributes:
        name: As messages say it.
        magic: The first bytes of such files.
        chunks: From such a file, open at its beginning, to what it holds, a piece at a time.
    """

    name: str
    magic: re.Pattern[bytes]
    chunks: Callable[[BinaryIO], Iterator[bytes]]


def bare(name: str) -> str:
    """A path without the ending of compressed files."""
    return name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in ENDINGS else name


@contextmanager
def unpacked(name: str, file: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """The name and the content of an open file or, where it is compressed, of the file that it holds.

    Raises:
        DataError: it is damaged, an archive of several files, or becomes too large.
        MissingExtra: what unpacks it is not installed.
    """
    packing = packing_of(name, file)
    if packing is None:
        yield bare(name), file
        return
    with TemporaryFile() as whole:
        try:
            whole.writelines(pieces(name, file, packing))
            whole.seek(0)
        except OSError as error:
            fail(name, "unreadable", f"can't be unpacked into {gettempdir()}: {error.strerror}")
        yield inner_name(name, file, packing), whole


def start_of(name: str, file: BinaryIO) -> tuple[str, BinaryIO]:
    """The same for the first bytes only: a few more than `head_of` looks at.

    Raises:
        DataError: it is damaged, or an archive of several files.
        MissingExtra: what unpacks it is not installed.
    """
    packing = packing_of(name, file)
    if packing is None:
        return bare(name), file
    head = bytearray()
    for piece in pieces(name, file, packing):
        head += piece
        if len(head) > HEAD_BYTES + len(b"\0\0\0\0"):
            break
    return inner_name(name, file, packing), BytesIO(head)


def packing_of(name: str, file: BinaryIO) -> Packing | None:
    """How an open file is compressed, if it is. The file is left at its beginning.

    Raises:
        DataError: it is an archive of several files, or of a kind that is not unpacked.
    """
    start = file.read(512)
    file.seek(0)
    refuse_archive(name, start)
    packing = next((packing for packing in PACKINGS if packing.magic.match(start)), None)
    return None if packing and packing.name == "zip" and is_workbook(name, file) else packing


def refuse_archive(name: str, start: bytes) -> None:
    """Refuse an archive that is not unpacked, by its first bytes.

    Raises:
        DataError: it is one.
    """
    where, sign = TAR
    if start[where] == sign:
        fix = f"unpack it and name the file or the folder that it gives: tar -xf {printable(name, 200)}"
        fail(name, ARCHIVE, "a tar archive, which may hold several files", fix=fix)
    for magic, kind in OTHERS.items():
        if start.startswith(magic):
            fail(name, ARCHIVE, f"a {kind} archive, which can't be unpacked here", fix="unpack it, name what it holds")


def pieces(name: str, file: BinaryIO, packing: Packing) -> Iterator[bytes]:
    """What a compressed file holds, a piece at a time.

    Raises:
        DataError: it is damaged, another archive, or too large.
    """
    total = 0
    try:
        found = packing.chunks(file)
        first = next(found, b"")
        refuse_archive(name, first)
        if any(inner.magic.match(first) for inner in PACKINGS if inner.name != "zip"):
            fail(name, ARCHIVE, "a compressed file inside another one", fix="unpack the outer one")
        for piece in chain([first], found):
            total += len(piece)
            check_size(name, total)
            yield piece
    except DAMAGE as error:
        fix = "fetch or write it again"
        fail(name, "damaged", f"cut short or damaged: it begins as {packing.name}, but {error}", fix=fix)


def check_size(name: str, size: int) -> None:
    """Refuse a file that grows out of all proportion when it is unpacked.

    Raises:
        DataError: it does.
    """
    limit = max(LIMIT, RATIO * Path(name).stat().st_size)
    if size > limit:
        message = f"more than {limit:,} bytes when it is unpacked"
        fail(name, "too-large", message, fix="if that is right, unpack it and name what it holds")


# ---- zip


def is_workbook(name: str, file: BinaryIO) -> bool:
    """Whether a zip archive is a spreadsheet. The file is left at its beginning.

    Raises:
        DataError: it is another document, or does not hold one file.
    """
    try:
        members = zipfile.ZipFile(file).namelist()
    except DAMAGE:  # which is said when it is unpacked
        return False
    finally:
        file.seek(0)
    if "mimetype" in members or any(member.startswith("xl/") for member in members):
        return True
    for folder, kind in DOCUMENTS.items():
        if any(member.startswith(folder) for member in members):
            fail(name, ARCHIVE, f"{kind}, which is no table", fix="copy its text into a .txt or .csv file")
    files = [member for member in members if is_file(member)]
    if len(files) != 1:
        shown = f"{len(files)} files: {printable(', '.join(files), 200)}" if files else "no file"
        fix = f"unpack it and name one of them, or the folder: unzip {printable(name, 200)} -d FOLDER" if files else ""
        fail(name, ARCHIVE, f"a zip archive that holds {shown}", fix=fix)
    return False


def is_file(member: str) -> bool:
    """Whether a member of a zip archive is a file that somebody put there."""
    path = PurePosixPath(member)
    return not member.endswith("/") and path.parts[0] != "__MACOSX" and not path.name.startswith(".")


def zip_chunks(file: BinaryIO) -> Iterator[bytes]:
    """What the one file of a zip archive holds.

    Raises:
        BadZipFile: it is damaged.
        RuntimeError: it is encrypted, or compressed in a way that Python does not know.
    """
    archive = zipfile.ZipFile(file)
    return stream(archive.open(next(filter(is_file, archive.namelist()))))


def inner_name(name: str, file: BinaryIO, packing: Packing) -> str:
    """The name of the file that a compressed one holds."""
    return next(filter(is_file, zipfile.ZipFile(file).namelist())) if packing.name == "zip" else bare(name)


# ---- zstd


def zstd_chunks(file: BinaryIO) -> Iterator[bytes]:
    """What a zstd file holds: one frame or several.

    Raises:
        EOFError: it is cut short.
        ValueError: it is damaged.
        MissingExtra: zstandard is not installed.
    """
    if sys.version_info >= (3, 14):
        from compression import zstd

        try:
            yield from stream(zstd.ZstdFile(file))
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from None
        return
    zstandard = zstandard_package()
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        while rest := file.read(ZSTD_CHUNK):
            while rest:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(rest)
                rest = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    if not frame.eof:
        raise EOFError("ends in the middle")


def zstandard_package() -> Any:
    """The package that unpacks zstd.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import zstandard
    except ImportError:
        raise MissingExtra("zstandard", "zstd", "reading .zst files") from None
    return zstandard


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes: ...


def stream(file: Readable) -> Iterator[bytes]:
    """The rest of a file, a piece at a time."""
    return iter(lambda: file.read(CHUNK), b"")


PACKINGS = (
    Packing("gzip", re.compile(rb"\x1f\x8b"), lambda file: stream(gzip.GzipFile(fileobj=file))),
    Packing("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), lambda file: stream(bz2.BZ2File(file))),
    Packing("xz", re.compile(rb"\xfd7zXZ\0|\x5d\0\0..\xff{8}\0", re.DOTALL), lambda file: stream(LZMAFile(file))),  # noqa: SIM115
    Packing("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), zstd_chunks),
    Packing("zip", re.compile(rb"PK(\x03\x04|\x05\x06)"), zip_chunks),
)
"""Ways to compress a file."""
