"""A page for browsers: texts with what was found in them marked, in one file without scripts, light and dark.

Everything from outside is escaped, and the page may load nothing: its policy allows its own style and no more.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from itertools import count
from typing import TextIO

from ..printing import UNSAFE, escaped, many
from ..records import Mark, Output
from .marked import name_of, nested, said
from .writers import Answered, Form, Writer

TEXTS = 1000
"""Texts that a page shows."""
LONGEST = 10_000
"""Characters of a text that it shows."""
COLOURS = 8
STYLE = """
:root { color-scheme: light dark; --back: light-dark(#fdfdfb, #16181c); --ink: light-dark(#1c1e21, #e4e4e0);
  --soft: light-dark(#6a6d72, #9a9da3); }
body { background: var(--back); color: var(--ink); font: 17px/1.7 Georgia, serif; max-width: 46rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.2rem; } li { margin: 0 0 1.2rem; } li::marker, footer, .more { color: var(--soft); font-size: .8em; }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.said { font: .85em/1.6 system-ui, sans-serif; } .said b { font-weight: 600; }
mark { color: inherit; border-radius: .2em; padding: .1em .2em; background: hsl(var(--hue) 70% 50% / .25); }
mark small { font: .7em system-ui, sans-serif; margin-inline-start: .4em; color: var(--soft); unicode-bidi: isolate; }
""" + "".join(f".c{i} {{ --hue: {i * 360 // COLOURS + 45}; }}\n" for i in range(COLOURS))
POLICY = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEAD = f"""<!doctype html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{POLICY}'; base-uri 'none'">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>Predictions</title>
<style>{STYLE}</style>
</head>
<body>
"""


def write_page(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """The first texts with their marks or answers, and how many there are."""
    file.write(f"{HEAD}<h1>Predictions: {clean(form.task.name)}</h1>\n<ol>\n")
    colours: dict[str, int] = {}
    total = 0
    for total, answered in zip(count(1), answers, strict=False):
        if total <= TEXTS:
            file.write(f"<li>{item_of(answered, form, colours)}</li>\n")
    shown = f"the first {TEXTS:,} of {total:,} are shown" if total > TEXTS else f"{total:,}"
    file.write(f"</ol>\n<footer>Texts: {shown}</footer>\n</body>\n</html>\n")


def item_of(answered: Answered, form: Form, colours: dict[str, int]) -> str:
    """A prediction: its texts, one of them with marks, and what was said of it."""
    output, example = form.output(answered), answered.example
    marks = "marks" in form.task.gives
    parts = [
        paragraph(text, output.marks if marks and text is output.text else (), colours)
        for text in (example.text, example.pair)
        if text is not None
    ]
    if not marks:
        parts.append(f'<p class="said"><b>{clean(said(answered, output))}</b></p>')
    elif not output.marks:
        parts.append(f'<p class="said">{none_of(output, form)}</p>')
    return "".join(parts)


def none_of(output: Output, form: Form) -> str:
    """What stands below a text without marks."""
    if "answer" not in form.task.gives:
        return "nothing found"
    return "no answer" + ("" if output.confidence is None else f" {output.confidence:.2f}")


def paragraph(text: str, marks: Iterable[Mark], colours: dict[str, int]) -> str:
    """A text with its marks, as far as it is shown. A mark that crosses another one is named behind the text."""
    shown = text[:LONGEST]
    inside = [mark for mark in marks if mark.end <= len(shown)]
    drawn, crossing = nested(inside)
    parts, at = [], 0
    for place, mark, opening in drawn:
        parts.append(clean(shown[at:place]))
        colour = colours.setdefault(mark.label, len(colours)) % COLOURS
        parts.append(f'<mark class="c{colour}">' if opening else f"<small>{escape(name_of(mark))}</small></mark>")
        at = place
    parts.append(clean(shown[at:]))
    behind = [f"{clean(text[mark.start : mark.end])} {escape(name_of(mark))}" for mark in crossing]
    if len(text) > LONGEST:
        behind.append(many(len(text) - LONGEST, "more character"))
    more = f' <span class="more">({"; ".join(behind)})</span>' if behind else ""
    return f'<p dir="auto">{"".join(parts)}{more}</p>'


def clean(text: str) -> str:
    """A text as HTML, with signs that turn the direction of writing, and other unseen ones, made visible."""
    return escape(UNSAFE.sub(lambda match: match[0] if match[0] == "\t" else escaped(match), text))


WRITER = Writer("html", (".html", ".htm"), f"a page with marked texts, {TEXTS:,} at most", write_page)
