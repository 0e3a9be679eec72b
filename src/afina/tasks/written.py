"""Lists and dicts written as text into the cell of a table: by Python, numpy or pandas, or as JSON.

    ['a', 'b']   ["a", "b"]   ['a' 'b']   array(['a', 'b'], dtype=object)   {'text': ['a'], 'answer_start': [3]}

Only literals are read; nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from typing import Any, NoReturn

LONGEST = 1_000_000
"""Characters of a cell that are looked at."""
OPENING = re.compile(r"\s*(?:[\[{(]|array\(\[)")
"""What a written list or dict begins with."""
SEVERAL = re.compile(r"\s*\[[^\[\]]*,[^\[\]]*\]\s*", re.DOTALL)
"""A list whose parts are not quoted, which can't be told from a text with a comma: `[good, bad]`."""
LACKS_COMMA = re.compile(r"""(?:['"\d.\]]|True|False)\s+[\[\w'"-]""")
"""What may stand between two parts of a list as numpy writes it."""
NUMPY = re.compile(r"\barray\(")


def unwritten(value: Any) -> Any:
    """The list or dict that a text holds in writing; any other value, and a text that is none, as it is.

    Tuples become lists, and sets become lists in order.
    """
    if not isinstance(value, str) or len(value) > LONGEST or not OPENING.match(value):
        return value
    text = value.strip()
    try:
        found = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        try:
            if NUMPY.search(text) or LACKS_COMMA.search(text):
                text = with_commas(text)
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, tokenize.TokenError):
            return value
    return plain(found) if isinstance(found, list | tuple | set | dict) else value


def is_several(value: Any) -> bool:
    """Whether a value is a text between brackets with commas: a list, though its parts are not quoted."""
    return isinstance(value, str) and bool(SEVERAL.fullmatch(value))


def refuse(_constant: str) -> NoReturn:
    """JSON has no NaN and no Infinity."""
    raise ValueError


def plain(value: Any) -> Any:
    """A literal in the types of JSON."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, set):
        return sorted((plain(part) for part in value), key=repr)
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def with_commas(text: str) -> str:
    """A list as numpy writes it in the syntax of Python: commas between its parts, without `array(` and `dtype`.

    Raises:
        ValueError: numpy left out a part of it (`...`).
        SyntaxError, tokenize.TokenError: it is no Python at all.
    """
    parts: list[str] = []
    arrays: list[bool] = []  # for each open parenthesis, whether it belongs to an `array(...)`
    names, before, skipped = "", "", False
    for kind, word in words_of(text):
        if word == "...":
            raise ValueError
        if word == "(":
            arrays.append(names == "array")
            names = ""
            if arrays[-1]:
                parts.pop()
                before = parts[-1] if parts else ""
                continue
        if word == ")" and arrays and arrays.pop():
            skipped, before = False, ")"
            continue
        if word == "dtype" and any(arrays) and parts[-1] == ",":
            parts.pop()
            skipped = True
        if skipped:
            continue
        operand = kind in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING)
        ended = before in (")", "]", "}") or before == "operand"
        if ended and (operand or word in ("[", "{", "(", "-")):
            parts.append(",")
        parts.append(word)
        before, names = "operand" if operand else word, word
    return " ".join(parts)


def words_of(text: str) -> Iterator[tuple[int, str]]:
    """The tokens of a text in Python's syntax, each with its kind."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.COMMENT):
            yield token.type, token.string
