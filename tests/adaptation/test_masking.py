"""Masks: their shares, what they never touch, whole words, and that seed, epoch and window alone decide them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.adaptation.corpus import IGNORED, windows_of
from afina.adaptation.masking import VALIDATION, Masking, tokens_of, words_of
from afina.records import Example, Ints, Window
from tests.networks import tokenizer_of
from tests.tiny import CORPUS, FAMILIES

MASK = 4
OTHERS = np.arange(10, 1000, dtype=np.int32)
SEEDS = st.integers(0, 2**32 - 1)


def window(n: int, *, special: tuple[int, ...] = (0, -1)) -> Window:
    """A window of n tokens of which some are special."""
    segments = np.zeros(n, np.int32)
    segments[list(special)] = -1
    ids = np.arange(2000, 2000 + n, dtype=np.int32)
    return Window(ids, np.zeros(n, np.int32), segments, np.zeros((n, 2), np.int32), (0, n))


@given(
    n=st.integers(3, 60), seed=SEEDS, number=st.integers(0, 10**6), epoch=st.integers(0, 1000),
    share=st.floats(0.01, 0.99), least=st.booleans(),
)  # fmt: skip
def test_only_hidden_tokens_change_and_special_ones_are_never_hidden(
    n: int, seed: int, number: int, epoch: int, share: float, least: bool
) -> None:
    given = window(n)
    masking = Masking(MASK, OTHERS, seed, share)
    made = masking.hide(given, tokens_of(given), number, epoch=epoch, stream=0, least=least)
    hidden = made.labels != IGNORED
    assert made.hidden == hidden.sum() >= least
    assert not hidden[given.segments < 0].any()
    assert (made.labels[hidden] == given.ids[hidden]).all()
    assert (made.window.ids[~hidden] == given.ids[~hidden]).all()
    for new, old in zip(made.window.ids[hidden], given.ids[hidden], strict=True):
        assert new in (MASK, old) or new in OTHERS
    assert (given.ids == np.arange(2000, 2000 + n)).all()
    again = masking.hide(given, tokens_of(given), number, epoch=epoch, stream=0, least=least)
    assert (again.window.ids == made.window.ids).all()
    assert (again.labels == made.labels).all()


@pytest.mark.parametrize(("share", "mask_token", "random_token"), [(0.15, 0.8, 0.1), (0.4, 0.5, 0.5), (0.3, 0.0, 0.2)])
def test_shares_are_those_asked_for(share: float, mask_token: float, random_token: float) -> None:
    given, masking = window(200), Masking(MASK, OTHERS, 7, share, mask_token, random_token)
    drawn = [masking.hide(given, tokens_of(given), i, epoch=0, stream=0) for i in range(500)]
    labels, ids = np.stack([one.labels for one in drawn]), np.stack([one.window.ids for one in drawn])
    hidden = labels != IGNORED
    total = 500 * 198
    # Six standard deviations of a binomial share.
    assert abs(hidden.sum() / total - share) < 6 * np.sqrt(share * (1 - share) / total)
    count = hidden.sum()
    for kind, expected in (
        (ids[hidden] == MASK, mask_token),
        (np.isin(ids[hidden], OTHERS), random_token),
        (ids[hidden] == labels[hidden], 1 - mask_token - random_token),
    ):
        assert abs(kind.sum() / count - expected) <= 6 * np.sqrt(expected * (1 - expected) / count) + 1e-12
    drawn_ids = ids[hidden][np.isin(ids[hidden], OTHERS)]
    assert len(set(drawn_ids.tolist())) > 0.9 * min(len(OTHERS), len(drawn_ids) / 3)
    assert (hidden.sum(axis=0)[1:-1] > 0).all()  # no place is never hidden


@given(seed=SEEDS, epoch=st.integers(0, 100))
def test_epochs_windows_seeds_and_streams_have_other_masks(seed: int, epoch: int) -> None:
    given = window(200)

    def labels(seed: int, number: int, epoch: int, stream: int = 0) -> bytes:
        made = Masking(MASK, OTHERS, seed).hide(given, tokens_of(given), number, epoch=epoch, stream=stream)
        return made.labels.tobytes()

    variants = [labels(seed, 3, epoch), labels(seed, 3, epoch + 1), labels(seed, 4, epoch)]
    variants += [labels((seed + 1) % 2**32, 3, epoch), labels(seed, 3, epoch, VALIDATION)]
    assert len(set(variants)) == 5


@given(lengths=st.lists(st.integers(3, 12), min_size=1, max_size=8), seed=SEEDS)
def test_windows_without_hidden_tokens_are_left_out_but_for_the_last_resort(lengths: list[int], seed: int) -> None:
    windows = [window(n) for n in lengths]
    units = [tokens_of(one) for one in windows]
    masking = Masking(MASK, OTHERS, seed, share=0.05)
    drawn = masking.draw(windows, units, range(len(windows)), epoch=2)
    alone = [
        masking.hide(one, own, i, epoch=2, stream=0) for i, (one, own) in enumerate(zip(windows, units, strict=True))
    ]
    expected = [one for one in alone if one.hidden]
    assert all(one.hidden for one in drawn)
    if expected:  # what else is drawn with a window changes nothing
        assert [one.labels.tobytes() for one in drawn] == [one.labels.tobytes() for one in expected]
    else:
        assert len(drawn) == 1
        assert drawn[0].hidden == 1
        assert len(drawn[0].window) == lengths[0]


def whole(units: Ints, labels: Ints) -> bool:
    """Whether units are hidden as wholes."""
    hidden = labels != IGNORED
    return all(hidden[units == unit].all() or not hidden[units == unit].any() for unit in set(units.tolist()))


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "deberta-v2"])
def test_words_are_hidden_as_wholes(family: str, tiny: Callable[[str], Path]) -> None:
    assert family in FAMILIES
    tokenizer = tokenizer_of(tiny(family))
    several = changed = 0
    for i, text in enumerate(CORPUS[:5]):
        (tokens,) = tokenizer.tokens([f"unbelievably {text}"])
        cut = tokenizer.window(tokens.part(0, 50), None)
        example = Example(f"unbelievably {text}")
        units = words_of(example, cut)
        assert ((units < 0) == (cut.segments < 0)).all()
        spans = cut.spans[units == 1]
        assert example.text[spans.min() : spans.max()] == "unbelievably"
        several += len(set(units.tolist())) < len(units) - 1
        masking = Masking(MASK, OTHERS, i, 0.5)
        made = masking.hide(cut, units, 0, epoch=0, stream=0)
        assert whole(units, made.labels)
        changed += not whole(units, masking.hide(cut, tokens_of(cut), 0, epoch=0, stream=0).labels)
    assert several == 5
    assert changed > 0  # single tokens are not


def test_words_of_pairs_signs_and_scripts_without_blanks(tiny: Callable[[str], Path]) -> None:
    tokenizer = tokenizer_of(tiny("bert"))
    texts = "it's a film", "a film, 東京"
    first, second = tokenizer.tokens(texts)
    (cut,) = windows_of(tokenizer, first, second)
    units = words_of(Example(*texts), cut)
    found = {
        (segment, "".join(texts[segment][a:b] for a, b in cut.spans[(units == unit) & (cut.segments == segment)]))
        for segment in (0, 1)
        for unit in set(units[cut.segments == segment].tolist())
    }
    assert found >= {(0, "it"), (0, "'"), (0, "film"), (1, "film"), (1, ","), (1, "東"), (1, "京")}
