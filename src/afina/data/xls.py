"""The sheets of Excel's old workbooks (xls), by xlrd. They hold 65,536 rows at most and are read as a whole."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..errors import MissingExtra
from .cells import Cells, Sheet, error, form_of, letters, merged, moment_text, number_text
from .lines import fail

PROTECTED = "EncryptedPackage".encode("utf-16-le")
"""What a new workbook holds that is protected by a password, and looks like an old one."""
DAMAGE = (struct.error, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What xlrd stumbles over in damaged files, beside its own errors."""
SAVE = "open it in a spreadsheet program and save it as .xlsx"


def sheets_of(name: str, file: BinaryIO) -> list[Sheet]:
    """The sheets of a workbook.

    Raises:
        DataError: it is protected by a password, damaged, or another kind of document.
        MissingExtra: xlrd is not installed.
    """
    data = file.read()
    if PROTECTED in data:
        fail(name, "protected", "protected by a password", fix=f"{SAVE} without it")
    try:
        import xlrd
    except ImportError:
        raise MissingExtra("xlrd", "excel", "reading .xls files") from None
    try:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO())
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *DAMAGE) as cause:
        protected = "ncrypt" in str(cause)
        what = "protected by a password" if protected else f"damaged, or no workbook: {cause}"
        fail(name, "protected" if protected else "damaged", what, fix=SAVE)
    return [sheet(xlrd, book, one) for one in book.sheets()]


def sheet(xlrd: Any, book: Any, one: Any) -> Sheet:
    """A sheet with its rows."""
    return Sheet(one.name, one.visibility == 0, lambda: rows_of(xlrd, book, one))


def rows_of(xlrd: Any, book: Any, one: Any) -> Iterator[Cells]:
    """The rows of a sheet that are not empty."""
    covered: dict[int, dict[int, tuple[str, str]]] = {}
    for top, bottom, left, right in one.merged_cells:
        fault = merged(f"{letters(left)}{top + 1}")
        for row in range(top, min(bottom, one.nrows)):
            covered.setdefault(row, {}).update(dict.fromkeys(range(left + (row == top), right), fault))
    for i in range(one.nrows):
        texts: list[str] = []
        faults: dict[int, tuple[str, str]] = {}
        for column, cell in enumerate(one.row(i)):
            text = text_in(xlrd, book, cell)
            texts.append(text if isinstance(text, str) else "")
            if isinstance(text, tuple):
                faults[column] = text
        if any(texts) or faults:
            faults |= covered.get(i, {})
            last = max([*faults, *(column for column, text in enumerate(texts) if text)])
            yield Cells(i + 1, [*texts, *[""] * len(faults)][: last + 1], faults)


def text_in(xlrd: Any, book: Any, cell: Any) -> str | tuple[str, str]:
    """What a cell shows, or what is wrong with it."""
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return error(xlrd.error_text_from_code.get(cell.value, str(cell.value)))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype == xlrd.XL_CELL_DATE:
        code = book.format_map[book.xf_list[cell.xf_index].format_key].format_str
        return moment_text(repr(cell.value), form_of(code) or "moment", since_1904=bool(book.datemode))
    return number_text(repr(cell.value)) if cell.ctype == xlrd.XL_CELL_NUMBER else str(cell.value)
