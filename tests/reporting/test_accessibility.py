"""What axe-core says of pages, in both languages, light and dark, narrow and wide; and what a keyboard reaches."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.reporting.run import report
from tests.reporting.conftest import TASKS
from tests.reporting.test_browser import browser  # noqa: F401 - a fixture
from tests.reporting.test_inert import run_of
from tests.reporting.test_study import studied, trained  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def axe() -> str:
    """The program that looks for barriers."""
    pytest.importorskip("axe_playwright_python", reason="axe-core is not installed (pip install axe-playwright-python)")
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def barriers(browser: Any, axe: str, file: Path, *, scheme: str, width: int) -> list[tuple[str, str, str]]:  # noqa: F811
    """What is found on a page, all of it open: the rule, how grave it is, and the first place."""
    # The page's own policy lets no script in, this one neither.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate("[...document.querySelectorAll('details')].forEach(one => one.open = true)")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    context.close()
    return [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found]


@pytest.mark.parametrize("task", TASKS)
def test_no_barriers_on_the_page_of_a_run(
    task: str,
    browser: Any,  # noqa: F811
    axe: str,
    tiny: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    run = run_of(task, tiny("bert"), tmp_path / "run")
    for language, scheme, width in (("en", "light", 1280), ("pt", "dark", 390)):
        file = report(run, language=language, out=tmp_path / f"{language}.html")
        assert barriers(browser, axe, file, scheme=scheme, width=width) == []


@pytest.mark.parametrize("name", ["strategies", "data", "pooling"])
def test_no_barriers_on_the_page_of_a_study(
    name: str,
    browser: Any,  # noqa: F811
    axe: str,
    studied: Callable[[str], Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    for language, scheme, width in (("en", "dark", 1280), ("pt", "light", 390)):
        file = afina.report(studied(name), language=language, out=tmp_path / f"{language}.html")
        assert barriers(browser, axe, file, scheme=scheme, width=width) == []


def test_no_barriers_on_the_page_of_runs_side_by_side(
    browser: Any,  # noqa: F811
    axe: str,
    tiny: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folders = [run_of("classification", tiny("bert"), tmp_path / f"{i}", seed=i) for i in range(2)]
    file = afina.report(*folders, language="en", out=tmp_path / "comparison.html")
    assert barriers(browser, axe, file, scheme="light", width=390) == []


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
