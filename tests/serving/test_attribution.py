"""What each word adds to a logit: exact where the truth is known, and the same however windows lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from afina.errors import ConfigError
from afina.inference import window_logits
from afina.model.network import Network
from afina.records import Example, Window
from afina.serving.attribution import (
    Case,
    Place,
    embedded,
    gradients,
    mask_of,
    occlusions,
    owners_of,
    token_parts,
    weights,
)
from afina.tasks.aims import Aim, Term
from afina.text.tokenization import Tokenizer
from afina.text.words import shown_words
from tests.arithmetic import HERE
from tests.networks import network_of, task_of, tokenizer_of
from tests.tiny import FAMILIES, tiny_model

TEXT = "a lovely film, the poor dog sleeps"
LAYOUTS = pytest.mark.parametrize("packing", [True, False], ids=["packed", "padded"])
pytestmark = pytest.mark.fp32("differences of logits are smaller than what bf16 rounds")


def cases_of(
    network: Network, tokenizer: Tokenizer, texts: Sequence[str | Example], *, column: int = 1, slides: bool = False
) -> list[Case]:
    """The mean of one logit over the windows of each text, and its words."""
    examples = [Example(text) if isinstance(text, str) else text for text in texts]
    cases = []
    for example, features in zip(examples, tokenizer.encode(examples, slides=slides, overlap=4), strict=True):
        windows = features.windows
        words = [Place(*span) for span in shown_words(example.text)]
        words += [Place(*span, pair=True) for span in shown_words(example.pair or "")]
        aim = Aim("b", None, tuple(Term(i, 0, column, 1 / len(windows)) for i in range(len(windows))))
        found = tuple(owners_of(window, words) for window in windows)
        cases.append(Case(aim, windows, found, len(words), window_logits(network, windows)))
    return cases


def linear(folder: Path, **settings: Any) -> Network:
    """A network that is linear in its word embeddings: layers that add nothing, no positions, a head on the mean."""
    network = network_of(folder, head="mean", **settings)
    base: Any = network.backbone.base
    with torch.no_grad():
        for name, parameter in base.named_parameters():
            if "word_embeddings" not in name:
                parameter.zero_()
    for module in base.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.LayerNorm):
                setattr(module, name, nn.Identity())
    network.train_nothing()
    return network


@LAYOUTS
@pytest.mark.parametrize("length", [60, 9], ids=["one window", "several"])
def test_of_a_linear_model_gradient_x_input_is_the_exact_part(
    tiny: Callable[[str], Path], packing: bool, length: int
) -> None:
    network, tokenizer = linear(tiny("bert"), packing=packing), tokenizer_of(tiny("bert"), length)
    texts: list[str | Example] = [TEXT, "the cat", Example("a great room", "an awful song!")]
    cases = cases_of(network, tokenizer, texts, slides=True)
    assert (len(cases[0].windows) > 1) == (length == 9)
    base: Any = network.backbone.base
    rows = base.get_input_embeddings().weight.detach().double().cpu()
    head: Any = network.head
    slope, bias = head.out.weight[1].detach().double().cpu(), float(head.out.bias[1])
    for case, found in zip(cases, gradients(network, cases), strict=True):
        expected, special = np.zeros(case.words), 0.0
        for window, owner in zip(case.windows, case.owners, strict=True):
            parts = (rows[torch.from_numpy(window.ids).long()] @ slope).numpy() / len(window) / len(case.windows)
            np.add.at(expected, owner[owner >= 0], parts[owner >= 0])
            special += parts[owner < 0].sum()
        np.testing.assert_allclose(found, expected, atol=1e-7)
        value = case.aim.value(case.logits)
        assert found.sum() + special + bias == pytest.approx(value, abs=1e-6)  # nothing is lost


def test_of_a_linear_model_the_gradient_from_the_mask_is_what_masking_costs(tiny: Callable[[str], Path]) -> None:
    network, tokenizer = linear(tiny("bert")), tokenizer_of(tiny("bert"))
    cases = cases_of(network, tokenizer, [TEXT, "the cat"])
    slopes, masked = (weights(network, tokenizer, cases, method=method) for method in ("gradient", "mask"))
    for one, other in zip(slopes, masked, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
@LAYOUTS
def test_gradients_are_those_of_a_small_change_in_every_family(
    tiny: Callable[[str], Path], family: str, packing: bool
) -> None:
    """The sum over all tokens is the slope on the way from the mask to the input, which two further passes measure."""
    network, tokenizer = network_of(tiny(family), packing=packing), tokenizer_of(tiny(family))
    network.train_nothing()
    base: Any = network.backbone.base
    windows = [one.windows[0] for one in tokenizer.encode([Example(TEXT), Example("a cat"), Example(TEXT, "a bird!")])]
    terms = [[Term(0, 0, 1, 1.0), Term(0, 0, 0, -0.5)] for _ in windows]
    mask = int(tokenizer.pretrained.mask_token_id)
    found = [float(parts.sum()) for parts in token_parts(network, windows, terms, mask)]
    row = base.get_input_embeddings().weight[mask]

    def moved(step: float) -> np.ndarray[Any, Any]:
        handle = base.get_input_embeddings().register_forward_hook(lambda _, __, rows: rows + step * (rows - row))
        try:
            logits = [rows.astype(np.float64) for rows in window_logits(network, windows)]
        finally:
            handle.remove()
        return np.array([rows[1] - 0.5 * rows[0] for rows in logits])

    step = 1e-2
    slopes = (moved(step) - moved(-step)) / (2 * step)
    assert np.abs(slopes).max() > 3e-4, "nothing was tested"
    np.testing.assert_allclose(found, slopes, atol=1e-2 * np.abs(slopes).max() + 3e-5)


@LAYOUTS
def test_weights_do_not_depend_on_the_company(tiny: Callable[[str], Path], packing: bool) -> None:
    network, tokenizer = network_of(tiny("bert"), packing=packing), tokenizer_of(tiny("bert"))
    network.train_nothing()
    texts = [TEXT, "the cat sleeps", "an awful song, a great room and the bird"] * 3
    cases = cases_of(network, tokenizer, texts)
    for method in ("gradient", "mask", "removal"):
        together = weights(network, tokenizer, cases, method=method)
        for case, found in zip(cases, together, strict=True):
            np.testing.assert_allclose(weights(network, tokenizer, [case], method=method)[0], found, atol=2e-6)


def test_layouts_agree(tiny: Callable[[str], Path]) -> None:
    tokenizer = tokenizer_of(tiny("roberta"))
    found = []
    for packing in (True, False):
        network = network_of(tiny("roberta"), packing=packing)
        network.train_nothing()
        cases = cases_of(network, tokenizer, [TEXT, "the cat"])
        found.append([weights(network, tokenizer, cases, method=method) for method in ("gradient", "mask", "removal")])
    for packed, padded in zip(*found, strict=True):
        for one, other in zip(packed, padded, strict=True):
            np.testing.assert_allclose(one, other, atol=3e-6)


@LAYOUTS
def test_occlusion_is_what_is_lost_in_a_text_without_the_word(tiny: Callable[[str], Path], packing: bool) -> None:
    network, tokenizer = network_of(tiny("bert"), packing=packing), tokenizer_of(tiny("bert"))
    network.train_nothing()
    (case,) = cases_of(network, tokenizer, [TEXT])
    words = [TEXT[start:end] for start, end in shown_words(TEXT)]
    found = weights(network, tokenizer, [case], method="removal")[0]
    for i in range(len(words)):
        text = " ".join(word for j, word in enumerate(words) if j != i)
        (rest,) = cases_of(network, tokenizer, [text])
        assert found[i] == pytest.approx(case.logits[0][1] - rest.logits[0][1], abs=2e-6)
    blank = tokenizer.pretrained.mask_token_id
    (window,) = case.windows
    masked = weights(network, tokenizer, [case], method="mask")[0]
    for i in range(len(words)):
        ids = np.where(case.owners[0] == i, blank, window.ids).astype(np.int32)
        hidden = Window(ids, window.types, window.segments, window.spans, window.core)
        assert masked[i] == pytest.approx(case.logits[0][1] - window_logits(network, [hidden])[0][1], abs=2e-6)


def test_a_word_that_the_model_ignores_has_no_weight(tiny: Callable[[str], Path]) -> None:
    network, tokenizer = linear(tiny("bert")), tokenizer_of(tiny("bert"))
    base: Any = network.backbone.base
    blank = tokenizer.pretrained.mask_token_id
    (ignored,) = tokenizer.tokens(["film"])[0].ids.tolist()
    with torch.no_grad():
        base.get_input_embeddings().weight[[blank, ignored]] = 0.0
    (case,) = cases_of(network, tokenizer, [TEXT])
    at = [TEXT[start:end] for start, end in shown_words(TEXT)].index("film")
    for method in ("gradient", "mask"):
        found = weights(network, tokenizer, [case], method=method)[0]
        assert found[at] == pytest.approx(0.0, abs=1e-9)
        assert np.abs(np.delete(found, at)).min() > 1e-6


def test_what_is_not_read_has_no_weight(tiny: Callable[[str], Path]) -> None:
    network, tokenizer = network_of(tiny("bert")), tokenizer_of(tiny("bert"), 12)
    network.train_nothing()
    (case,) = cases_of(network, tokenizer, ["the cat " * 20])
    for method in ("gradient", "mask", "removal"):
        found = weights(network, tokenizer, [case], method=method)[0]
        assert (found[:10] != 0).all()
        assert (found[10:] == 0).all()


def test_other_weights_of_the_model_are_other_weights_of_words(tmp_path: Path) -> None:
    """As Adebayo et al. (2018) ask: what does not depend on what was learned explains nothing."""
    found: dict[str, list[np.ndarray[Any, Any]]] = {"gradient": [], "mask": [], "removal": []}
    for seed in (0, 1):
        folder = tiny_model(tmp_path / str(seed), seed=seed)
        network, tokenizer = network_of(folder, seed=seed), tokenizer_of(folder)
        network.train_nothing()
        (case,) = cases_of(network, tokenizer, [TEXT])
        for method, tables in found.items():
            tables.append(weights(network, tokenizer, [case], method=method)[0])
    for one, other in found.values():
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.9
        assert np.abs(one - other).max() > 0.1 * np.abs(one).max()


@pytest.mark.parametrize("head", ["native", "linear", "crf"])
@LAYOUTS
def test_logits_of_single_tokens(tiny: Callable[[str], Path], head: str, packing: bool) -> None:
    """A tag of one token; without the word itself it is asked at the mask in its place."""
    network = network_of(tiny("bert"), task_of("tokens"), head=head, packing=packing)
    network.train_nothing()
    tokenizer = tokenizer_of(tiny("bert"))
    (window,) = tokenizer.encode([Example(TEXT)])[0].windows
    words = [Place(*span) for span in shown_words(TEXT)]
    logits = window_logits(network, [window])
    owner = owners_of(window, words)
    row = int(np.flatnonzero(owner == 2)[0])
    case = Case(Aim("B", None, (Term(0, row, 1, 1.0),)), (window,), (owner,), len(words), logits)
    slopes, masked, removed = (
        weights(network, tokenizer, [case], method=method)[0] for method in ("gradient", "mask", "removal")
    )
    assert (slopes != 0).all()
    assert masked[2] == pytest.approx(removed[2], abs=2e-6)
    rest = Example(TEXT.replace("a lovely ", ""))
    (other,) = tokenizer.encode([rest])[0].windows
    both = occlusions(
        network,
        [Case(case.aim, (window,), (np.where((owner == 0) | (owner == 1), 0, -1),), 1, logits)],
        blank=mask_of(tokenizer, network) or 0,
        leave=True,
    )[0][0]
    moved = int((window.ids[:row] != 0).sum() - ((owner == 0) | (owner == 1)).sum())
    assert both == pytest.approx(logits[0][row, 1] - window_logits(network, [other])[0][moved, 1], abs=2e-6)


def test_a_head_without_gradients_says_so(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    network, tokenizer = network_of(tiny("bert")), tokenizer_of(tiny("bert"))
    network.train_nothing()
    cases = cases_of(network, tokenizer, [TEXT])
    forward = network.head.forward
    monkeypatch.setattr(network.head, "forward", lambda vectors: forward(vectors).detach())
    with pytest.raises(ConfigError, match="method: no gradient goes through this head; take mask or removal"):
        gradients(network, cases)
    assert weights(network, tokenizer, cases, method="mask")[0].any()
    base: Any = network.backbone.base
    assert not base.get_input_embeddings()._forward_hooks


def test_a_model_without_a_mask_leaves_words_out(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    network, tokenizer = network_of(tiny("bert")), tokenizer_of(tiny("bert"))
    network.train_nothing()
    cases = cases_of(network, tokenizer, [TEXT])
    expected = weights(network, tokenizer, cases, method="removal")[0]
    for lost in (None, 10**6):
        monkeypatch.setattr(type(tokenizer.pretrained), "mask_token_id", lost, raising=False)
        with pytest.raises(ConfigError, match=r"method: mask needs a model with a mask token, .*; take removal"):
            weights(network, tokenizer, cases, method="mask")
        np.testing.assert_array_equal(weights(network, tokenizer, cases, method="removal")[0], expected)


def test_a_number_is_explained_in_its_own_scale(tiny: Callable[[str], Path]) -> None:
    task = task_of("regression")
    network, tokenizer = network_of(tiny("bert"), task), tokenizer_of(tiny("bert"))
    network.train_nothing()
    found = []
    for scale in ((1.0, 0.0), (5.0, 3.0)):
        network.scale = scale
        cases = cases_of(network, tokenizer, [TEXT], column=0)
        found.append([weights(network, tokenizer, cases, method=method)[0] for method in ("gradient", "mask")])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(5 * one, other, atol=1e-5)


def test_nothing_of_the_model_changes(tiny: Callable[[str], Path]) -> None:
    network, tokenizer = network_of(tiny("bert"), compute=HERE), tokenizer_of(tiny("bert"))
    cases = cases_of(network, tokenizer, [TEXT])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    gradients(network, cases)
    with embedded(network) as seen:
        assert seen == []
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
