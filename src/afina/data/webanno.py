r"""WebAnno's and INCEpTION's TSV 3: sentences of tokens with layers of spans. A sentence is a row.

A row has the column `text`, and `spans` (a list of {start, end, label}, in characters); where several features have
values, each has a column of its own. Layers with a value a word (POS, Lemma) are read where there are no others: then
a row has `tokens` and a list for each feature. Offsets are proved by the tokens. `\` stands before signs of the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from ..errors import Problem, printable
from ..records import Row
from ..text.spans import positions
from .formats import Reader
from .lines import Item, Line, ReadOptions, RecordError, codec_of, fail, head_of, lines_of, raw_of

FORMAT = "#FORMAT=WebAnno TSV"
TEXT = "#Text="
LAYER = re.compile(r"#T_(SP|RL|CH)=([^|\s]*)((?:\|[^|]*)*)")
WORDWISE = {"POS", "Lemma", "Stem", "MorphologicalFeatures"}
"""Layers that have a value for each word."""
LINKS = re.compile(r"(ROLE_|BT_|uima\.).*|.*\..*")
"""What is no feature of a span but leads to another one."""
TOKEN = re.compile(r"\d+-\d+(\.\d+)?\t(\d+)-(\d+)\t([^\t]*)\t?(.*)")
BAR = re.compile(r"(?<!\\)\|")
VALUE = re.compile(r"(.*?)(?:(?<!\\)\[(\d+)\])?", re.DOTALL)
ESCAPED = re.compile(r"\\(->|.)", re.DOTALL)
CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
NOTHING = ("_", "*")


class Feature(NamedTuple):
    """A column of values.

    Attributes:
        layer: The last part of its layer's name.
        name: Its name; empty for a layer without features.
        at: Its place among the columns.
        kind: `word` for one value a word, `span`, or `link` for what leads to other spans.
    """

    layer: str
    name: str
    at: int
    kind: str


def read_webanno(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The sentences of an export.

    Raises:
        DataError: the file is of an older version.
    """
    head = head_of(name, file, options.encoding)
    if not "".join(head[:1]).startswith(f"{FORMAT} 3"):
        fail(f"{name}:1", "not-webanno", f"expected {FORMAT} 3", fix="export as WebAnno TSV v3.x, or as CoNLL 2003")
    features = features_in(head)
    spans = with_values([one for one in features if one.kind == "span"], head)
    chosen = spans or [one for one in features if one.kind == "word"]
    left = list(dict.fromkeys(one.layer for one in features if one.layer not in {kept.layer for kept in chosen}))
    if left:
        options.note(f"{name}: left out the layers {', '.join(left)}; export without the others to read one of them")
    file.seek(0)
    for block in blocks(lines_of(name, file, codec_of(name, file, options.encoding))):
        place, raw = f"{name}:{block[0].number}", raw_of(block)
        try:
            values = sentence_of(block, chosen, by_word=not spans)
        except RecordError as error:
            yield error.at(place, raw)
        else:
            yield values if isinstance(values, Problem) else Row(values, place, raw)


def features_in(head: Sequence[str]) -> list[Feature]:
    """The columns behind the tokens, as the first lines name them."""
    features: list[Feature] = []
    for match in filter(None, (LAYER.fullmatch(line.strip("\r\n")) for line in head)):
        layer = match[2].rpartition(".")[2]
        for name in match[3].split("|")[1:] or [""]:
            word = "word" if layer in WORDWISE else "span"
            kind = word if match[1] == "SP" and not LINKS.fullmatch(name) else "link"
            features.append(Feature(layer, name, len(features), kind))
    return features


def with_values(features: Sequence[Feature], head: Sequence[str]) -> list[Feature]:
    """The features that have a value in the first lines; all of them where none has."""
    matches = filter(None, (TOKEN.fullmatch(line.rstrip("\r\n\t")) for line in head))
    rows = [match[5].split("\t") for match in matches]
    used = [
        one
        for one in features
        if not one.name or any(one.at < len(cells) and cells[one.at][:1] not in NOTHING for cells in rows)
    ]
    return used or list(features)


def blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines of each sentence: its text and its tokens."""
    block: list[Line] = []
    for line in lines:
        text = line.text.strip("\r\n")
        if text.startswith(TEXT) or TOKEN.fullmatch(text) or (line.fault and text):
            block.append(line)
        elif not text and block:
            yield block
            block = []
    if block:
        yield block


def sentence_of(block: Sequence[Line], features: Sequence[Feature], *, by_word: bool) -> dict[str, Any]:
    """The columns of a sentence.

    Raises:
        RecordError: a line can't be read, or the tokens do not stand where they say in the text.
    """
    if fault := next((line.fault for line in block if line.fault), None):
        raise fault
    texts = [line.text.rstrip("\r\n") for line in block]
    text = "\n".join(plain(one.removeprefix(TEXT)) for one in texts if one.startswith(TEXT))
    matches = [match for one in texts if (match := TOKEN.fullmatch(one))]
    cells = [match[5].split("\t") for match in matches]
    short = next((i for i, row in enumerate(cells) if any(one.at >= len(row) for one in features)), None)
    if short is not None:
        raise RecordError("ragged-line", f"a token lacks columns of its layers: {printable(matches[short][0])}")
    if by_word:
        words = [i for i, match in enumerate(matches) if not match[1]]
        lists = {name_of(one, features): [plain(cells[i][one.at]) for i in words] for one in features}
        return {"tokens": [plain(matches[i][4]) for i in words], **lists}
    places = places_of(text, matches)
    columns = {name_of(one, features): spans_of([row[one.at] for row in cells], places, one) for one in features}
    return {"text": text, **(columns if len(features) > 1 else {"spans": next(iter(columns.values()))})}


def places_of(text: str, matches: Sequence[re.Match[str]]) -> list[tuple[int, int]]:
    """Start and end of tokens in the text of their sentence, in characters. The form counts UTF-16 units of a document.

    Raises:
        RecordError: a token does not stand where it says.
    """
    first = text.find(plain(matches[0][4])) if matches else 0
    before = len(text[: max(0, first)].encode("utf-16-le")) // 2
    shift = int(matches[0][2]) - before if matches else 0
    to_character = positions(text, "utf16")
    places = []
    for match in matches:
        try:
            start, end = to_character(int(match[2]) - shift), to_character(int(match[3]) - shift)
        except ValueError:
            start, end = 0, 0
        if not 0 <= start < end or text[start:end] != plain(match[4]):
            message = f"the token {printable(match[4])} should stand at {match[2]}-{match[3]}"
            raise RecordError("span-text", f"{message}, found {printable(text[max(0, start) : max(0, end)], 40)}")
        places.append((start, end))
    return places


def spans_of(cells: Sequence[str], places: Sequence[tuple[int, int]], feature: Feature) -> list[dict[str, Any]]:
    """The spans of a feature: a number in brackets tells tokens of the same span, bars part spans of one token."""
    found: dict[tuple[str, object], tuple[int, int]] = {}
    for i, (cell, (start, end)) in enumerate(zip(cells, places, strict=True)):
        for j, part in enumerate(BAR.split(cell)):
            match = VALUE.fullmatch(part)
            value, number = (match[1], match[2]) if match else (part, None)
            if value in NOTHING and (feature.name or value == "_"):
                continue
            label = feature.layer if value == "*" else plain(value)
            key = (label, number or (i, j))
            first, last = found.get(key, (start, end))
            found[key] = (min(first, start), max(last, end))
    spans = [{"start": start, "end": end, "label": label} for (label, _), (start, end) in found.items()]
    return sorted(spans, key=lambda span: (span["start"], span["end"], span["label"]))


def name_of(feature: Feature, others: Sequence[Feature]) -> str:
    """The name of a column: that of its feature, with the layer where several have it."""
    name = feature.name or feature.layer
    twins = [one for one in others if (one.name or one.layer) == name]
    return f"{feature.layer}.{name}" if len(twins) > 1 else name


def plain(text: str) -> str:
    """A text without the signs that stand before others."""
    return ESCAPED.sub(lambda match: CONTROLS.get(match[1], match[1]), text)


def looks_like_webanno(head: Sequence[str]) -> bool:
    """Whether the first line names the form."""
    return "".join(head[:1]).startswith(FORMAT)


READER = Reader(
    "webanno",
    (),
    read_webanno,
    summary="sentences with layers of spans (WebAnno and INCEpTION TSV 3)",
    sniff=looks_like_webanno,
    specificity=3,
    named_columns=True,
)
