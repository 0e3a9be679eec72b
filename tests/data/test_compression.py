"""Compressed files of one file are read as what they hold; all else of that kind is refused by its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from afina.data import compression
from afina.data.sources import read
from afina.errors import MissingExtra
from tests.data.reading import Write, items, refused, values

TABLE = 'text,label\r\navó boa,x\r\n"two\nlines",y\r\n'
ROWS = [{"text": "avó boa", "label": "x"}, {"text": "two\nlines", "label": "y"}]


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return whole.getvalue()


def tarred(name: str, data: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        about = tarfile.TarInfo(name)
        about.size = len(data)
        archive.addfile(about, io.BytesIO(data))
    return whole.getvalue()


def zstd(data: bytes) -> bytes:
    compress: bytes = pytest.importorskip("zstandard").ZstdCompressor().compress(data)
    return compress


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    ".zst": zstd,
    ".zip": lambda data: zipped({"inner.csv": data}),
}


def test_every_ending_is_tried() -> None:
    assert set(PACK) == set(compression.ENDINGS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
@pytest.mark.parametrize("ending", PACK)
def test_what_is_compressed_is_read_as_what_it_holds(write: Write, ending: str, encoding: str) -> None:
    notes: list[str] = []
    path = write(f"a.csv{ending}", PACK[ending](TABLE.encode(encoding)))
    found = items(path, note=notes.append)
    plain = items(write("a.csv", TABLE.encode(encoding)))
    assert [item.place for item in found] == [f"{path}:2", f"{path}:3"]
    assert [(item.raw, replace(item, place="")) for item in found] == [
        (item.raw, replace(item, place="")) for item in plain
    ]
    assert not any("as its content looks" in note for note in notes)


@pytest.mark.parametrize("ending", PACK)
def test_the_first_bytes_decide_not_the_name(write: Write, ending: str) -> None:
    assert values(write("a.csv", PACK[ending](TABLE.encode()))) == ROWS
    assert values(write("a", PACK[ending](TABLE.encode()))) == ROWS
    assert values(write(f"b.csv{ending}", TABLE)) == ROWS, "a name alone compresses nothing"


@pytest.mark.parametrize("ending", PACK)
def test_the_ending_inside_has_its_say(write: Write, ending: str) -> None:
    data = b'{"text": "a, b"}\n'
    packed = zipped({"inner.jsonl": data}) if ending == ".zip" else PACK[ending](data)
    assert values(write(f"a.JSONL{ending}", packed)) == [{"text": "a, b"}]


def test_files_of_several_pieces_are_read_to_their_end(write: Write) -> None:
    first, second = TABLE.encode(), b"more,z\r\n"
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        path = write(f"a.csv{ending}", PACK[ending](first) + PACK[ending](second))
        assert values(path) == [*ROWS, {"text": "more", "label": "z"}]


@pytest.mark.parametrize("ending", PACK)
def test_what_is_cut_short_is_refused_before_its_first_row(write: Write, ending: str) -> None:
    whole = PACK[ending](b"text,label\n" + b"".join(b"%d,x\n" % i for i in range(99)))
    path = write(f"a.csv{ending}", whole[:-9])
    seen = read(path)
    message = refused(path)
    assert message.startswith(f"{path}: cut short or damaged: it begins as ")
    assert message.endswith("; fetch or write it again")
    with pytest.raises(Exception, match="cut short"):
        next(seen)


@pytest.mark.parametrize("ending", PACK)
def test_damage_inside_is_named(write: Write, ending: str) -> None:
    whole = PACK[ending](bytes(range(32, 127)) * 9)
    for at in range(8, len(whole) - 1, 3):
        spoiled = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        message = refused(write(f"a.csv{ending}", spoiled))
        assert message.startswith(str(write(f"a.csv{ending}", spoiled)))


def test_an_archive_of_several_files_names_them_and_what_to_do(write: Write) -> None:
    files = {"data/train.csv": b"a,b\n", "data/test.csv": b"a,b\n", "__MACOSX/data/._train.csv": b"x"}
    path = write("a.zip", zipped(files))
    message = refused(path)
    assert f"{path}: a zip archive that holds 2 files: 'data/train.csv, data/test.csv'" in message
    assert f"unzip '{path}' -d FOLDER" in message
    assert "holds no file" in refused(write("b.zip", zipped({})))
    alone = {"data/.DS_Store": b"x", "data/train.csv": TABLE.encode(), "__MACOSX/data/._train.csv": b"x"}
    assert values(write("c.zip", zipped(alone))) == ROWS


@pytest.mark.parametrize("ending", ["", *PACK])
def test_a_tar_archive_is_refused_with_its_cure(write: Write, ending: str) -> None:
    path = write(f"a.tar{ending}", PACK.get(ending, bytes)(tarred("a.csv", b"a,b\n1,2\n")))
    assert f"{path}: a tar archive, which may hold several files; " in refused(path)
    assert f"tar -xf '{path}'" in refused(path)


def test_other_archives_are_refused_by_their_names(write: Write) -> None:
    assert "a 7-Zip archive" in refused(write("a.7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(99)))
    assert "a RAR archive" in refused(write("a.csv", b"Rar!\x1a\x07\1\0" + bytes(99)))
    assert "a Word document" in refused(write("a.docx", zipped({"[Content_Types].xml": b"", "word/document.xml": b""})))
    assert "a compressed file inside another one" in refused(write("a.csv.gz.gz", gzip.compress(gzip.compress(b"a"))))
    assert "a compressed file inside another one" in refused(write("a.zip", zipped({"a.csv.gz": gzip.compress(b"a")})))


def test_an_encrypted_archive_is_named(write: Write) -> None:
    whole = bytearray(zipped({"a.csv": TABLE.encode()}))
    whole[6] |= 1
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted, password required" in refused(write("a.zip", bytes(whole)))


def test_archives_are_left_out_of_a_folder_and_damage_is_not(write: Write, tmp_path: Path) -> None:
    notes: list[str] = []
    write("a.csv", TABLE)
    write("all.zip", zipped({"a.csv": b"", "b.csv": b""}))
    assert values(tmp_path, note=notes.append) == ROWS
    assert f"{tmp_path}: left out 'all.zip', which hold no data" in notes
    write("b.csv.gz", gzip.compress(TABLE.encode())[:20])
    assert "cut short or damaged" in refused(tmp_path)


@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr(compression, "LIMIT", 5_000_000)
    path = write(f"a.csv{ending}", PACK[ending](b"text,label\n" + b"a,x\n" * 2_000_000))
    assert "more than 5,000,000 bytes when it is unpacked; if that is right, unpack it" in refused(path)


@pytest.mark.parametrize("ending", PACK)
def test_what_compresses_well_is_no_bomb(write: Write, ending: str) -> None:
    assert len(items(write(f"a.csv{ending}", PACK[ending](b"text,label\n" + b"a,x\n" * 20_000)))) == 20_000


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python unpacks zstd itself")
def test_zstd_needs_its_package(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.csv.zst", zstd(TABLE.encode()))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(
        MissingExtra, match=r"reading .zst files needs the package 'zstandard': pip install 'afina\[zstd\]'"
    ):
        items(path)
