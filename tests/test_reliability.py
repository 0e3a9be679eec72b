"""The page of promises: what it names is there."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests import reliability
from tests.conftest import REPOSITORY
from tests.reliability import MARKS, PAGE, PROMISES, Promise


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.tests[0])
def test_every_promise_has_its_tests(promise: Promise) -> None:
    for file, _, name in (test.partition("::") for test in promise.ids):
        source = (REPOSITORY / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, flags=re.MULTILINE), name


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not here")
def test_the_page_shows_every_promise_with_a_figure() -> None:
    written = PAGE.read_text(encoding="utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    figure = r"\| ([\d,]+) (?=[^|]*\|\n)"
    assert re.sub(figure, "| 0 ", written) == reliability.table(Counter())
    assert all(int(count.replace(",", "")) for count in re.findall(figure, written))
