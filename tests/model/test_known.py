"""Every listed encoder is a fact in the right form, with its source."""

from __future__ import annotations

import re

import pytest

from afina.errors import ConfigError
from afina.model.families import FAMILIES
from afina.model.known import ENCODERS, Encoder, code_of, codes, encoders_for
from afina.text.languages import LANGUAGES


@pytest.mark.parametrize("one", ENCODERS, ids=lambda one: one.name)
def test_the_form_of_every_record(one: Encoder) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", one.name) or one.source.startswith("https://arxiv.org/")
    assert re.fullmatch(
        r"https://(arxiv\.org/abs/\d{4}\.\d{5}|(huggingface\.co|github\.com)/[\w.-]+/[\w.-]+)", one.source
    )
    assert re.fullmatch(r"[a-z0-9-]+", one.family)
    assert bool(one.languages) != bool(one.many)
    assert all(re.fullmatch("[a-z]{2}", code) for code in one.languages)
    assert one.parameters is None or 5 <= one.parameters <= 2000
    assert one.vocabulary is None or 10_000 <= one.vocabulary <= 300_000
    assert one.context is None or 128 <= one.context <= 32_768
    assert re.fullmatch(r"[a-z0-9.-]*", one.licence)
    assert one.supported == (one.family in FAMILIES)


def test_no_encoder_is_listed_twice() -> None:
    assert len({one.name for one in ENCODERS}) == len(ENCODERS)


@pytest.mark.parametrize("code", codes())
def test_every_language_has_encoders(code: str) -> None:
    found = encoders_for(code)
    assert any(one.supported for one in found)
    own = [bool(one.languages) for one in found]
    assert own == sorted(own, reverse=True)
    assert code_of(code) == code


def test_every_name_of_a_language_is_understood() -> None:
    for code, names in LANGUAGES.items():
        for name in names:
            assert code_of(name) == code_of(name.upper()) == code
    assert code_of("pt-BR") == code_of("pt_PT") == code_of("portugues") == code_of(" Português ") == "pt"


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'elvish' is not known; choose one of 'ar', 'as', "):
        code_of("elvish")
