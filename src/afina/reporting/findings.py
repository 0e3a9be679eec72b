"""What is to be known of the data: warnings first, notes when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from .blocks import Block, Folded, Prose
from .phrases import Words, foreign
from .source import Source


def findings(source: Source, words: Words) -> Sequence[Block]:
    """The findings in `check.json`."""
    found = source.run.findings()
    grave = [one for one in found if one.get("severity") != "note"]
    notes = [one for one in found if one.get("severity") == "note"]
    blocks: list[Block] = [prose(one, words, "warning") for one in grave]
    if not grave:
        blocks.append(Prose(words.html("findings.none" if found else "findings.unknown")))
    if notes:
        told = [prose(one, words, "") for one in notes]
        blocks.append(Folded(words("findings.notes", count=words.numbers.whole(len(notes))), told))
    return blocks


def prose(one: Mapping[str, Any], words: Words, tone: str) -> Prose:
    """A finding with its first places."""
    places = [str(place) for place in one.get("places") or ()]
    named = words.named("code", str(one.get("code", "")))
    html = Markup('<b>{}</b>: <span lang="en">{}</span>').format(named, foreign(one.get("message", "")))
    if places:
        html += Markup(' <span class="note">({})</span>').format(Markup(", ").join(map(foreign, places)))
    return Prose(html, tone)
