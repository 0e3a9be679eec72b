"""What axe-core says of pages, in both languages, light and dark, narrow and wide; and what a keyboard reaches."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from afina.reporting.run import report
from tests.reporting.conftest import TASKS
from tests.reporting.test_browser import browser  # noqa: F401 - a fixture
from tests.reporting.test_inert import run_of


@pytest.fixture(scope="module")
def axe() -> str:
    """The program that looks for barriers."""
    pytest.importorskip("axe_playwright_python", reason="axe-core is not installed (pip install axe-playwright-python)")
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS)
def test_no_barriers(
    task: str,
    browser: Any,  # noqa: F811
    axe: str,
    tiny: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    run = run_of(task, tiny("bert"), tmp_path / "run")
    for language, scheme, width in (("en", "light", 1280), ("pt", "dark", 390)):
        file = report(run, language=language, out=tmp_path / f"{language}.html")
        # The page's own policy lets no script in, this one neither.
        context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(file.as_uri())
        page.evaluate("[...document.querySelectorAll('details')].forEach(one => one.open = true)")
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []
        context.close()


def test_a_keyboard_reaches_everything_that_opens_or_scrolls(
    browser: Any,  # noqa: F811
    tiny: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    file = report(run_of("classification", tiny("bert"), tmp_path / "run"), language="en")
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto(file.as_uri())
    page.evaluate("[...document.querySelectorAll('details')].forEach(one => one.open = true)")
    # The csv files of other labels are hidden until their filter is chosen.
    shown = "[...document.querySelectorAll('a[href], summary, .table')].filter(one => one.checkVisibility())"
    wanted = page.evaluate(f"{shown}.length")
    seen, outlined = set[int](), 0
    for _ in range(2 * wanted):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(f"{shown}.indexOf(document.activeElement)"))
        outlined += page.evaluate("getComputedStyle(document.activeElement).outlineStyle != 'none'")
    assert seen - {-1} == set(range(wanted))
    assert outlined >= wanted
    page.close()
