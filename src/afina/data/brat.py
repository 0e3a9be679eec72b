"""brat's folders: texts (`a.txt`) with annotations beside them (`a.ann`, or `a.a1` and `a.a2`). A text is a row.

A row has the columns `id` (the name of the text), `text` and `spans` (a list of {start, end, label}, in characters).
Spans are checked against the words that the annotations say they hold. What is no span is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..errors import DataError, Problem, printable
from ..printing import many
from ..records import Row
from ..text.spans import JOINED_LINE_ENDS, positions
from .encodings import encoding_of
from .formats import Reader
from .lines import Item, ReadOptions, RecordError, codec_of, fail, lines_of

TEXT = ".txt"
ANNOTATIONS = (".ann", ".a1", ".a2")
SPAN = re.compile(r"(T\S*)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
OTHERS = {
    "R": "relations", "E": "events", "A": "attributes", "M": "attributes", "N": "links to databases", "*": "relations",
    "#": "notes",
}  # fmt: skip
"""What lines hold that are no spans, by their first sign."""
OTHER = re.compile(r"[REAMN#]\S*\t|\*\t")
BROKEN = "spans in several pieces"
UNITS = ("characters", JOINED_LINE_ENDS, "utf16")
"""Units of offsets: brat's own, those of a text whose line ends were changed afterwards, those of other tools."""
FOLDER = "name the folder that holds the texts and their annotations"


class Mention(NamedTuple):
    """A span as it is written.

    Attributes:
        place: Path and line.
        key: Its id.
        label: Its type.
        pieces: Start and end of each of its pieces, in an unknown unit.
        said: What it says that it holds; None where it says nothing.
    """

    place: str
    key: str
    label: str
    pieces: tuple[tuple[int, int], ...]
    said: str | None


def holds_brat(folder: Path) -> bool:
    """Whether a folder holds texts with annotations beside them, or annotations only."""
    names = [path.name for path in folder.glob("[!.]*.*")]
    annotated = {Path(name).stem for name in names if name.endswith(ANNOTATIONS)}
    texts = {Path(name).stem for name in names if name.endswith(TEXT)}
    return bool(annotated & texts) or (bool(annotated) and all(name.endswith(ANNOTATIONS) for name in names))


def read_folder(folder: str, options: ReadOptions) -> Iterator[Item]:
    """The texts of a folder in the order of their names."""
    names = sorted(path.name for path in Path(folder).iterdir() if path.is_file() and not path.name.startswith("."))
    texts = {Path(name).stem for name in names if name.endswith(TEXT)}
    annotated = {Path(name).stem for name in names if name.endswith(ANNOTATIONS)}
    base = folder.rstrip("/")
    passed: Counter[str] = Counter()
    for stem in sorted(annotated):
        files = [f"{base}/{stem}{ending}" for ending in ANNOTATIONS if stem + ending in names]
        if stem in texts:
            yield document(f"{base}/{stem}{TEXT}", files, options, passed)
        else:
            yield Problem(files[0], f"the text {stem}{TEXT} is missing beside it", "put it there", "no-text")
    left = [name for name in names if not (name.endswith((*ANNOTATIONS, TEXT)) and Path(name).stem in annotated)]
    if left:
        options.note(f"{folder}: left out {printable(', '.join(left), 200)}, which have no annotations beside them")
    if passed:
        counts = ", ".join(f"{kind} ({count:,})" for kind, count in passed.items())
        options.note(f"{folder}: left out {counts}; only spans of one piece are read")


def document(text_file: str, annotation_files: Sequence[str], options: ReadOptions, passed: Counter[str]) -> Item:
    """A text with its spans, or what is wrong with it.

    Args:
        text_file: Path of the text.
        annotation_files: Paths of its annotations.
        options: How the files are read.
        passed: Counts what is left out.
    """
    place = text_file
    try:
        text = "".join(text for _, text in lines_in(place, options))
        mentions = []
        for place in annotation_files:
            for number, line in lines_in(place, options):
                mention = mention_in(f"{place}:{number}", line, passed)
                mentions += [mention] if mention else []
    except RecordError as error:
        return error.at(place)
    except DataError as error:  # of the encoding of one file
        return error.problems[0]
    spans = spans_of(text, mentions, passed)
    stem = Path(text_file).stem
    return spans if isinstance(spans, Problem) else Row({"id": stem, "text": text, "spans": spans}, text_file)


def lines_in(name: str, options: ReadOptions) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers and ends.

    Raises:
        RecordError: one of them can't be read.
        DataError: the encoding of the file has to be named.
    """
    with Path(name).open("rb") as file:
        encoding, note = (options.encoding, "") if options.encoding else encoding_of(name, file)
        if note:
            options.note(note)
        file.seek(0)
        for line in lines_of(name, file, codec_of(name, file, encoding)):
            if line.fault:
                raise line.fault
            yield line.number, line.text


def mention_in(place: str, line: str, passed: Counter[str]) -> Mention | None:
    """The span that a line holds; None for an empty line, and for something else, which is counted.

    Raises:
        RecordError: the line is none of brat's.
    """
    line = line.rstrip("\r\n")
    match = SPAN.fullmatch(line)
    if match:
        pieces = [piece.split() for piece in match[3].split(";")]
        return Mention(place, match[1], match[2], tuple((int(start), int(end)) for start, end in pieces), match[4])
    if line.strip() and not OTHER.match(line):
        number = place.rpartition(":")[2]
        message = (
            f"line {number}: expected a span (T1, a tab, TYPE START END, a tab, its text), found {printable(line)}"
        )
        raise RecordError("not-brat", message)
    if line.strip():
        passed[OTHERS[line[0]]] += 1
    return None


def spans_of(text: str, mentions: Sequence[Mention], passed: Counter[str]) -> list[dict[str, Any]] | Problem:
    """The spans of a text in characters, in the first unit in which all of them hold what they say."""
    tried = ([pieces_in(text, mention, unit) for mention in mentions] for unit in UNITS)
    found = next((some for some in tried if None not in some), None)
    if found is None:
        return misfit(text, next(mention for mention in mentions if pieces_in(text, mention, UNITS[0]) is None))
    spans = []
    for mention, pieces in zip(mentions, found, strict=True):
        # brat cuts a span at line ends.
        if pieces is None or any(text[end:start].strip() for (_, end), (start, _) in pairwise(pieces)):
            passed[BROKEN] += 1
        else:
            spans.append({"start": pieces[0][0], "end": pieces[-1][1], "label": mention.label})
    return sorted(spans, key=lambda span: (span["start"], span["end"], span["label"]))


def pieces_in(text: str, mention: Mention, unit: str) -> list[tuple[int, int]] | None:
    """The pieces of a span in characters, or None where they do not hold what it says; blanks aside."""
    to_character = positions(text, unit)
    try:
        pieces = [(to_character(start), to_character(end)) for start, end in mention.pieces]
    except ValueError:
        return None
    if not all(0 <= start < end <= len(text) for start, end in pieces):
        return None
    held = "".join(text[start:end] for start, end in pieces)
    fits = mention.said is None or "".join(mention.said.split()) == "".join(held.split())
    return pieces if fits else None


def misfit(text: str, mention: Mention) -> Problem:
    """What to say of a span that does not hold what it says."""
    shown = ";".join(f"{start} {end}" for start, end in mention.pieces)
    start, end = mention.pieces[0][0], mention.pieces[-1][1]
    if end > len(text):
        message = f"{mention.key} ({shown}) ends after the text, which has {many(len(text), 'character')}"
    else:
        found = printable(text[start:end], 40)
        message = f"{mention.key} ({shown}) should hold {printable(mention.said or '', 40)}, found {found}"
    fix = "was the text changed after it was labelled? Correct the offsets, or label it again"
    return Problem(mention.place, message, fix, "span-text")


def read_alone(name: str, _file: BinaryIO, _options: ReadOptions) -> Iterator[Item]:
    """A file of annotations alone has no text.

    Raises:
        DataError: always.
    """
    fail(name, "no-text", "annotations are read with the texts beside them", fix=FOLDER)


def looks_like_annotations(head: Sequence[str]) -> bool:
    """Whether lines are annotations, spans among them."""
    lines = [text for line in head if (text := line.rstrip("\r\n"))]
    spans = sum(SPAN.fullmatch(line) is not None for line in lines)
    return spans > 0 and all(SPAN.fullmatch(line) or OTHER.match(line) for line in lines)


READER = Reader(
    "brat",
    (),
    read_alone,
    summary="folders of texts with annotations beside them (brat)",
    sniff=looks_like_annotations,
    specificity=2,
    holds=holds_brat,
    read_folder=read_folder,
    named_columns=True,
    cures=dict.fromkeys(ANNOTATIONS, FOLDER),
)
