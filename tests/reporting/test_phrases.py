"""The catalogue: the same keys and values in both languages, and every key is used."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from afina.errors import ConfigError
from afina.reporting import phrases
from afina.reporting.numbers import Numbers
from afina.reporting.phrases import LANGUAGES, Words, catalogue, clean, foreign, language_of
from afina.tasks.base import find, names

ROOM = Path(phrases.__file__).parent
SOURCE = "\n".join(file.read_text(encoding="utf-8") for file in [*ROOM.glob("*.py"), *ROOM.glob("templates/*.j2")])
NAMED = (
    "metric", "column", "clock", "machine", "code", "split", "baseline", "question", "answer", "design", "trial",
    "versus", "said",
)  # fmt: skip
"""Groups whose keys are names of other rooms."""


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_phrase_is_there_in_both_languages() -> None:
    assert len(catalogue()) > 250
    for key, words in catalogue().items():
        assert set(words) == set(LANGUAGES), key
        assert all(words.values()), key
        assert fields(words["en"]) == fields(words["pt"]), key
        assert words["en"].count("`") == words["pt"].count("`"), key


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    used = set(re.findall(r'"([a-z]+\.[a-z_]+)"', SOURCE))
    settings = {"data.train", "data.validation", "data.test"}
    used = {key for key in used if key.split(".")[0] in {known.split(".")[0] for known in catalogue()}} - settings
    assert used - _files() <= set(catalogue())
    prefixes = set(re.findall(r'f"([a-z]+)\.\{', SOURCE))
    unused = {key for key in catalogue() if key not in used and key.split(".")[0] not in (*prefixes, *NAMED)}
    assert unused == set()


def _files() -> set[str]:
    return set(re.findall(r'"([a-z-]+\.(?:csv|html|css|toml))"', SOURCE))


def test_every_metric_has_a_name() -> None:
    for name in names():
        kind = find(name)
        if kind.__module__.startswith("afina."):
            for metric in kind(kind.Options()).metrics:
                assert f"metric.{metric}" in catalogue()


@pytest.mark.parametrize(
    ("variable", "value", "language"),
    [
        ("LC_ALL", "pt_BR.UTF-8", "pt"), ("LC_MESSAGES", "pt_PT", "pt"), ("LANG", "en_GB.UTF-8", "en"),
        ("LANG", "C.UTF-8", "en"), ("LANG", "de_DE.UTF-8", "en"),
    ],
)  # fmt: skip
def test_the_language_is_that_of_the_locale(
    variable: str, value: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert language_of() == language
    assert language_of("pt") == "pt"
    with pytest.raises(ConfigError, match="language: expected en or pt, found 'xx'"):
        language_of("xx")


def test_values_are_escaped_and_phrases_are_not() -> None:
    html = Words("en").html("verdict.weak_tag", gold=foreign("<b>"), said=foreign("a\u202eb"), count="1")
    assert str(html) == "Most often <bdi>&lt;b&gt;</bdi> is tagged <bdi>a\\u202eb</bdi> (1 words)."
    assert "<code>afina check</code>" in Words("pt").html("findings.none")
    assert clean("tab\t, line\n, bell\x07") == "tab\t, line\n, bell\\x07"


@pytest.mark.parametrize(
    ("value", "english", "portuguese"),
    [
        (0.8884, "0.888", "0,888"), (12.3456, "12.35", "12,35"), (1234.5, "1,234", "1.234"), (0.0, "0.000", "0,000"),
        (1e-18, "0.000", "0,000"), (-0.0004, "-0.0004", "-0,0004"), (2e-5, "2.00e-05", "2,00e-05"),
        (3e9, "3.00e+09", "3,00e+09"), (float("nan"), "–", "–"), (None, "–", "–"),
    ],
)  # fmt: skip
def test_numbers_are_written_in_the_language(value: float | None, english: str, portuguese: str) -> None:
    assert Numbers("en").score(value) == english
    assert Numbers("pt").score(value) == portuguese


def test_other_forms_of_numbers() -> None:
    english, portuguese = Numbers("en"), Numbers("pt")
    assert (english.whole(1234567), portuguese.whole(1234567)) == ("1,234,567", "1.234.567")
    assert (english.interval(0.1, 0.2), portuguese.interval(0.1, 0.2)) == ("[0.100, 0.200]", "[0,100; 0,200]")
    assert english.interval(None, 0.2) == english.interval(float("nan"), 1) == ""
    assert (english.percent(0.256), portuguese.percent(0.2561, 1)) == ("26 %", "25,6 %")
    assert [english.seconds(value) for value in (1.23, 45, 240, 7200)] == ["1.2 s", "45 s", "4 min", "2.0 h"]
    assert english.large(29.3e12, "FLOP") == "29.3 TFLOP"
    assert "novembro" in portuguese.date(1795910400.0)
    assert "November 2026" in english.date(1795910400.0)
