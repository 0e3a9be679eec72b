"""XML inside zip archives, element by element, in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, iterparse

Event = tuple[str, str, Element]
"""`start` or `end`, the name of the element without its namespace, and the element."""


def events(file: IO[bytes], *kept: str) -> Iterator[Event]:
    """The beginnings and ends of elements. Those with the names of `kept` are whole at their ends, and then forgotten.

    Raises:
        ParseError: it is no XML.
    """
    stack: list[Element] = []
    inside = 0
    for event, element in iterparse(file, ("start", "end")):  # noqa: S314 (expat refuses entities that grow)
        name = local(element.tag)
        if event == "start":
            stack.append(element)
            inside += name in kept
            yield event, name, element
            continue
        stack.pop()
        yield event, name, element
        inside -= name in kept
        if not inside and stack:
            stack[-1].remove(element)


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """An attribute, whatever its namespace; empty where there is none."""
    return next((value for key, value in element.items() if local(key) == name), "")
