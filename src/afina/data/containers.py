"""Where the records of a JSON file stand: in an array, in the one list that an object holds, or as columns.

[{...}, ...]   {"annotations": [{...}, ...]}   {"rasa_nlu_data": {"common_examples": [{...}, ...]}}
{"text": {"0": ..., "1": ...}, "label": {...}}   {"columns": [...], "data": [[...], ...]}   (pandas' to_json)
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import DataError, Problem, printable
from ..printing import many
from .label_studio import Records, is_task

OFFSETS = {"start", "end", "start_offset", "end_offset", "points", "answer_start", "from_id", "startPos"}
"""Keys of objects that are part of a record: spans, answers and relations."""
RASA = "common_examples"


def records_of(name: str, tree: Any, note: Callable[[str], None]) -> Records:
    """The records that a JSON value holds, with their places.

    Raises:
        DataError: it holds none, or several lists of them.
    """
    if isinstance(tree, list):
        return members(name, "", tree)
    if not isinstance(tree, dict):
        raise no_array(name, printable(tree))
    if is_task(tree) or is_itself_a_record(tree):
        return [(name, tree)]
    if is_split(tree):
        return list(from_split(name, tree, note))
    lists = lists_of_records(tree)
    if len(lists) > 1:
        lists = [path for path in lists if path[-1] == RASA] or refuse_several(name, lists)
        note(f"{name}: the records are in {shown(lists[0])}; the other lists of Rasa are left out")
    if lists:
        return inside(name, tree, lists[0], note)
    return columns_or_record(name, tree, note)


def inside(name: str, tree: Mapping[str, Any], path: Sequence[str], note: Callable[[str], None]) -> Records:
    """The records of a list inside an object. A text that ner-annotator's user passed over is null there."""
    found: Any = tree
    for key in path:
        found = found[key]
    records = members(name, ".".join(path), found)
    if "classes" not in tree:
        return records
    kept = [record for record in records if record[1] is not None]
    if len(kept) < len(records):
        note(f"{name}: left out {many(len(records) - len(kept), 'null')}, as of texts that nobody annotated")
    return kept


def members(name: str, under: str, found: Sequence[Any]) -> Records:
    """The members of an array with their places.

    Raises:
        DataError: there are none.
    """
    if not found:
        raise DataError(Problem(name, "no rows: the array is empty", "", "no-rows"))
    return [(f"{name}:{under}[{i}]", record) for i, record in enumerate(found)]


# ---- objects


def holds_records(tree: Any) -> bool:
    """Whether an object is no record itself, but holds records."""
    if not isinstance(tree, dict) or is_itself_a_record(tree):
        return False
    return is_task(tree) or is_split(tree) or is_objects_of_objects(tree) or bool(lists_of_records(tree))


def is_itself_a_record(tree: Mapping[str, Any]) -> bool:
    """Whether an object has the text of a record."""
    return isinstance(tree.get("text"), str)


def is_record(value: Any) -> bool:
    """Whether a member of a list may be a record: an object that is no span, or a text with its annotations."""
    return is_pair(value) or (isinstance(value, dict) and not OFFSETS & value.keys())


def is_pair(value: Any) -> bool:
    """Whether a value is spaCy's pair of a text and its annotations."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)


def lists_of_records(tree: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Paths of the lists of records in an object or, where it has none itself, in the objects that it holds."""
    own: list[tuple[str, ...]] = [
        (key,) for key, value in tree.items() if isinstance(value, list) and any(map(is_record, value))
    ]
    if own:
        return own
    return [
        (key, *path)
        for key, value in tree.items()
        if isinstance(value, dict) and not is_itself_a_record(value)
        for path in lists_of_records(value)
    ]


def refuse_several(name: str, lists: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Leave it to the user which of several lists holds the records.

    Raises:
        DataError: always.
    """
    listed = ", ".join(map(shown, lists))
    wanted = shlex.quote(shown(lists[0]))
    fix = f"write the right one into a file of its own: jq {wanted} {shlex.quote(name)} > records.json"
    raise DataError(Problem(name, f"the records could be in several lists: {printable(listed)}", fix, "several-lists"))


def shown(path: Sequence[str]) -> str:
    """A path as jq writes it."""
    return "".join(f".{key}" if key.isidentifier() and key.isascii() else f".{json.dumps(key)}" for key in path)


# ---- columns


def columns_or_record(name: str, tree: Mapping[str, Any], note: Callable[[str], None]) -> Records:
    """The records of an object without a list of them: columns or records by name, or one record.

    Raises:
        DataError: it is none of them.
    """
    if is_objects_of_objects(tree):
        return list(keyed(name, tree, note))
    if isinstance(tree.get("data"), list):
        return members(name, "data", tree["data"])
    lengths = {len(value) for value in tree.values() if isinstance(value, list)}
    if tree and len(lengths) == 1 and all(isinstance(value, list) for value in tree.values()):
        note(f"{name}: read as columns, each a list with one value a record")
        return [(f"{name}:[{i}]", dict(zip(tree, cells, strict=True)))
                for i, cells in enumerate(zip(*tree.values(), strict=True))]  # fmt: skip
    if any(isinstance(value, str | list) for value in tree.values()):
        return [(name, tree)]
    raise no_array(name, f"an object with the keys {printable([*tree])}")


def from_split(name: str, tree: Mapping[str, Sequence[Any]], note: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """The records of a table in columns, index and data; a row of another length stays as it is."""
    note(f"{name}: a table in columns and data, as pandas' to_json(orient='split') writes it")
    columns = [str(column) for column in tree["columns"]]
    for place, cells in members(name, "data", tree["data"]):
        whole = isinstance(cells, list) and len(cells) == len(columns)
        yield place, dict(zip(columns, cells, strict=True)) if whole else cells


def is_split(tree: Mapping[str, Any]) -> bool:
    """Whether an object has pandas' form `split`."""
    return tree.keys() <= {"columns", "index", "data"} and all(
        isinstance(tree.get(key), list) for key in ("columns", "data")
    )


def is_objects_of_objects(tree: Mapping[str, Any]) -> bool:
    """Whether an object holds objects only: columns by numbers of rows, or records by numbers or with the same keys."""
    if not tree or not all(isinstance(value, dict) and value for value in tree.values()):
        return False
    return (
        are_numbers(tree)
        or are_numbers(*tree.values())
        or (len(tree) > 1 and len(set(map(frozenset, tree.values()))) == 1)
    )


def are_numbers(*objects: Mapping[str, Any]) -> bool:
    """Whether all keys of objects are numbers, as those of rows are."""
    return all(key.isdecimal() for keys in objects for key in keys)


def keyed(name: str, tree: Mapping[str, Mapping[str, Any]], note: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """The records of an object of objects: columns by the number of their row, or records by their number or name."""
    # pandas numbers the rows, and a frame may have lost some; where columns have numbers, too, columns are outside.
    if are_numbers(*tree.values()):
        note(f"{name}: a table by columns, as pandas' to_json writes it")
        for key in dict.fromkeys(key for value in tree.values() for key in value):
            yield f"{name}:[{key}]", {column: cells.get(key) for column, cells in tree.items()}
    else:
        note(f"{name}: records by key, as pandas' to_json(orient='index') writes them; the key is no column")
        for key, record in tree.items():
            yield f"{name}:[{key}]", record


def no_array(name: str, found: str) -> DataError:
    """A file that holds no records."""
    fix = "pandas writes one by to_json(orient='records')"
    return DataError(Problem(name, f"expected an array of records, or SQuAD, found {found}", fix, "no-array"))
