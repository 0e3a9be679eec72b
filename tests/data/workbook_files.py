"""Workbooks of all kinds for the tests of their readers."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

openpyxl: Any = pytest.importorskip("openpyxl")
pandas: Any = pytest.importorskip("pandas")
Rows = Sequence[Sequence[Any]]

OLD = (
    "ABzY8000000t4+>T}V_x6h1R|?t0f&T}=xOWC^k|L86xsbS?aQS+QRFA*j2$nYga9+{o>rEZfH*=&9&MuqX(tmwxDndMgTydI+LG"
    "4WD`n3VKj)XU^Wc?%Fk6FiW{-IcMgaIp@sWnQvz9-nZk$6C?L3CSd_JfC6)-"
    "7d#m@hU~Q!KVZ9Q%Bo#z$firHio6;wq(_Cv1#j}?8p`#a1P*t_3zPs;$VXrR+WTXXzzWh{8iUT{80wh^vBwdS*H9KhIgPA@WGBh>"
    "B=3;-6OxT&xk$1eeJ9vq7!S5r@3xS9kZ-28LX-"
    "?1P|QcN?1VCSDUp2k5=;52uqWQ5N7qV2rSQQh;A*!<Vv)Gii{Lus12i?&hC;Q6kSawP+>l#*-"
    "V|tSs|$rDpcEl83O~#Mz<2vBcph-"
    "=D{E(f_Mh4IyhZF9uC9~ai%Y!Fewhn^Aux|Ixh;}V05^qfQK7kSz(^#)2cJ}F5YVI>dJ^|fot8Q`TJ)1qBQXOVxZ3~&={^W00!EJ"
    "!jbIWZGH76ER1Zg@2*?<kPMwIz;&@c=MvIO-h#W>vAa^2nA@}9Wdxy>`f7UrwKzrARvI~l+UQ9dKk3G-"
    "a`t~jq?g$<w%Mjg7DcT|*5llEIBQUsd!Od4q5j#kpr>vW(UO}=Hrvl5Wjxwv#GE6=fsI?0F*+uj|xHY4`4eQCT`yN&%zXZ2qeXMo"
    "zbm`cK;0SESW$40q`5T5BR>Q7dk@P5Nm&`ipK9el}?bK`FC2(I>@XVX1<(o6M=$xr(x!UGT<9_SeOzYLA2xe){0OtcN4^B^)?ZL@"
    "I&PhtM=P#vk)ReTQpeE9qKuxtWD-M|z%IvZH70N7^?I}KsLYX~u>rLI3nN_Z#6f_o@Q8;82lu@%X3d$(o-"
    "_CHU$&9a2Q*bo}=E9kIRku-ePdCckf^u8vf`5lDzKYSs9nocD2hy`6{h5P5%R&T8Bf`cecf_Wag-"
    "u@u;<zK?<Vc=@W+84KP23Sp>*UH1KBRXwo2HR*ie`U6i%TxK<dRGO7cuLORp^~Qb?eF-C(rt>GmAXuekNJ7v>*EMXW-"
    "w!W{6=KheS^J*#IiDbFn4H*xw5!9l+k>&<kN2M{myf#WyjQ`8-Pw^e^8Q%C-NwT*mpA`~L+x0y+8s761S"
)
"""A workbook of xlwt, packed: `Empty`, `Data` with a title and dates, `Faulty` with merged cells and an error."""


def as_xls() -> bytes:
    return gzip.decompress(base64.b85decode(OLD))


def as_xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def saved(book: Any) -> bytes:
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def as_ods(sheets: Mapping[str, Rows]) -> bytes:
    pytest.importorskip("odf")
    sink = io.BytesIO()
    with pandas.ExcelWriter(sink, engine="odf") as writer:
        for name, rows in sheets.items():
            wide = max(map(len, rows), default=0)
            padded = [[*row, *[None] * (wide - len(row))] for row in rows]
            pandas.DataFrame(padded, dtype=object).to_excel(writer, sheet_name=name, header=False, index=False)
    return sink.getvalue()


def zipped(parts: Mapping[str, str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return sink.getvalue()


def xlsx_of(sheet: str, strings: str = "", formats: Sequence[str] = ()) -> bytes:
    """A workbook whose one sheet is written as XML; styles 1, 2, ... have the number formats."""
    relation = '<Relationship Id="{}" Type="http://x/{}" Target="{}"/>'
    parts = {
        "xl/workbook.xml": '<x:workbook xmlns:x="x" xmlns:r="r"><x:sheets><x:sheet name="S" r:id="r1"/></x:sheets>'
        "</x:workbook>",
        "xl/_rels/workbook.xml.rels": "<R>"
        + relation.format("r1", "worksheet", "/xl/worksheets/one.xml")
        + relation.format("r2", "sharedStrings", "strings.xml")
        + relation.format("r3", "styles", "styles.xml")
        + "</R>",
        "xl/worksheets/one.xml": f"<worksheet>{sheet}</worksheet>",
        "xl/strings.xml": f"<sst>{strings}</sst>",
        "xl/styles.xml": "<styleSheet><numFmts>"
        + "".join(f'<numFmt numFmtId="{200 + i}" formatCode="{code}"/>' for i, code in enumerate(formats))
        + '</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
        + "".join(f'<xf numFmtId="{200 + i}"/>' for i in range(len(formats)))
        + "</cellXfs></styleSheet>",
    }
    return zipped(parts)


def ods_of(tables: str) -> bytes:
    """A workbook whose sheets are written as XML."""
    names = {"office": "office", "table": "table", "text": "text", "calcext": "calcext"}
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for short, name in names.items()
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}</office:spreadsheet>"
        "</office:body></office:document-content>"
    )
    return zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})
