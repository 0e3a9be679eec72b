"""What the tests of pages share: a small run of every task, and a page that is read as a browser would."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.runs import events, finished

TASKS = ("classification", "multilabel", "regression", "tokens", "answers")
VOID = {"meta", "input", "br", "hr", "img", "link"}


class Parsed(HTMLParser):
    """A page in parts: its elements with their attributes, its text, and what is wrong with its nesting."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()
        self.wrong += [f"<{name}> is not closed" for name in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def inert(html: str) -> Parsed:
    """A page as it is parsed, which loads nothing, runs nothing, and is what it was written as."""
    page = Parsed(html)
    assert page.wrong == []
    names = {name for name, _ in page.elements}
    assert not names & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "img",
        "foreignobject",
        "image",
        "use",
    }
    for name, attributes in page.elements:
        assert not [
            one for one in attributes if one.startswith("on") or one in ("style", "src", "srcset", "xlink:href")
        ]
        address = attributes.get("href")
        if address is not None:
            assert name == "a"
            assert address.startswith(("#", "data:text/csv;charset=utf-8;base64,"))
    (policy,) = [one["content"] for one in page.named("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    return page


@pytest.fixture(scope="session")
def runs(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of a small run of a task, made when first asked for. Nobody may change it."""
    root = tmp_path_factory.mktemp("reported")

    def folder(task: str) -> Path:
        path = root / task
        if not path.exists():
            finished(events(tiny("bert"), path, task, training__epochs=2, training__checkpoint_every=300))
        return path

    return folder
