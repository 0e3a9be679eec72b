"""The page in a browser: nothing is fetched or refused, it fits a phone, and its filters work without a script."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from afina.reporting.run import report
from tests.reporting.conftest import TASKS
from tests.reporting.test_inert import run_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    with api.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def opened(browser: Any, file: Path, **more: Any) -> tuple[Any, list[str]]:
    """A page, and everything that it asks for or complains of."""
    page = browser.new_page(**more)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("request", lambda request: heard.append(request.url) if request.url != file.as_uri() else None)
    page.on("dialog", lambda dialog: heard.append(dialog.message))
    page.goto(file.as_uri())
    return page, heard


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("width", [360, 1200])
def test_a_page_of_bad_strings_fits_and_asks_for_nothing(
    task: str, width: int, browser: Any, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    file = report(run_of(task, tiny("bert"), tmp_path / "run"), language="en")
    page, heard = opened(browser, file, viewport={"width": width, "height": 800}, color_scheme="dark")
    assert heard == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.querySelectorAll('details')].map(one => one.open = true).length") > 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_filters_hide_the_other_labels(browser: Any, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    file = report(run_of("classification", tiny("bert"), tmp_path / "run"), language="en")
    page, _ = opened(browser, file, viewport={"width": 1000, "height": 800})
    rows = page.locator("#sure li")
    assert rows.count() > 4
    visible = "[...document.querySelectorAll('#sure li')].filter(one => one.offsetParent !== null).length"
    assert page.evaluate(visible) == rows.count()
    page.locator("#sure-0").check()
    assert 0 < page.evaluate(visible) < rows.count()
    assert page.locator("#sure a.csv:visible").count() == 1
    page.locator("#sure-all").check()
    assert page.evaluate(visible) == rows.count()
    page.close()


def test_paper_shows_what_is_open_and_says_which_rows(
    browser: Any,
    tiny: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    file = report(run_of("classification", tiny("bert"), tmp_path / "run"), language="en")
    page, _ = opened(browser, file, viewport={"width": 680, "height": 1000})
    page.locator("#sure-0").check()
    page.locator("figure details").first.evaluate("one => one.open = true")
    page.emulate_media(media="print")
    assert page.locator("nav:visible, summary:visible, .tool:visible, input:visible").count() == 0
    assert page.locator("#sure label:visible").count() == 1  # the rows of one label only: paper says so
    assert page.locator("figure table:visible").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    page.close()
