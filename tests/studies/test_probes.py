"""Linear heads on frozen vectors: what scikit-learn and closed forms give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from afina.studies import probes
from afina.studies.probes import STRENGTHS, Probe, path
from afina.tasks.base import Task
from tests.networks import task_of


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver goes on until nothing changes."""
    monkeypatch.setattr(probes, "TOLERANCE", 1e-8)
    monkeypatch.setattr(probes, "ITERATIONS", 300)


def blobs(n: int = 120, width: int = 7, labels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors of overlapping clusters, in columns of different scales."""
    generator = torch.Generator().manual_seed(0)
    gold = torch.arange(n) % labels
    centres = torch.randn(labels, width, generator=generator)
    scales = torch.logspace(-2, 2, width)
    return (centres[gold] + torch.randn(n, width, generator=generator)) * scales + 3, gold


def only(task: Task, vectors: torch.Tensor, targets: torch.Tensor, strength: float) -> Probe:
    (probe,) = path(task, vectors, targets, strengths=[strength])
    return probe


@pytest.mark.parametrize("strength", [0.03, 1.0, 30.0])
def test_a_classifier_is_the_logistic_regression(strength: float, exact: None) -> None:
    vectors, gold = blobs()
    probe = only(task_of(), vectors, gold, strength)
    standard = ((vectors - vectors.mean(0)) / vectors.std(0, correction=0)).numpy()
    known = LogisticRegression(C=strength / vectors.shape[1], max_iter=5000, tol=1e-8).fit(standard, gold.numpy())
    own = probe.logits(vectors)
    own -= own.mean(axis=1, keepdims=True)  # softmax knows no common shift
    np.testing.assert_allclose(own, known.decision_function(standard), rtol=5e-3, atol=5e-3)


def test_several_labels_are_as_many_logistic_regressions(exact: None) -> None:
    vectors, gold = blobs()
    sets = torch.stack([gold == 0, gold > 0, gold < 2], dim=1).float()
    probe = only(task_of("multilabel"), vectors, sets, 1.0)
    standard = ((vectors - vectors.mean(0)) / vectors.std(0, correction=0)).numpy()
    for label in range(3):
        # The mean loss of `multilabel` is that of all labels together.
        strength = 1.0 / vectors.shape[1]
        losses = task_of("multilabel").loss(torch.zeros_like(sets), sets)
        share = float(losses[1]) / len(sets)
        known = LogisticRegression(C=strength / share, max_iter=5000, tol=1e-8).fit(standard, sets[:, label].numpy())
        np.testing.assert_allclose(
            probe.logits(vectors)[:, label], known.decision_function(standard), rtol=5e-3, atol=5e-3
        )


def test_a_regression_is_the_ridge_regression(exact: None) -> None:
    vectors, gold = blobs()
    targets = vectors[:, 0] * 30 + gold
    targets = (targets - targets.mean()) / targets.std()
    probe = only(task_of("regression"), vectors, targets, 0.5)
    standard = ((vectors - vectors.mean(0)) / vectors.std(0, correction=0)).double().numpy()
    # mean (x w - y)^2 + |w|^2 d / (2 s m): alpha is d / (2 s)
    known = Ridge(alpha=vectors.shape[1] / (2 * 0.5)).fit(standard, targets.double().numpy())
    np.testing.assert_allclose(probe.logits(vectors)[:, 0], known.predict(standard), atol=2e-3)


def test_tokens_without_a_label_count_nowhere() -> None:
    vectors, gold = blobs()
    more = torch.cat([vectors, 100 * torch.ones(5, 7)])
    task = task_of("tokens")
    for targets, rows in ((gold, vectors), (torch.cat([gold, torch.full((5,), -100)]), more)):
        total, count = task.loss(torch.zeros(len(rows), 3), targets)
        assert float(total / count) == pytest.approx(np.log(3))
    assert only(task, vectors, gold, 1.0).weight.shape == (7, 3)


def test_strengths_go_from_the_constant_answer_to_the_training_data() -> None:
    vectors, gold = blobs()
    losses = []
    for probe in path(task_of(), vectors, gold):
        losses.append(float(torch.nn.functional.cross_entropy(torch.from_numpy(probe.logits(vectors)), gold)))
    assert len(losses) == len(STRENGTHS)
    assert losses == sorted(losses, reverse=True)
    assert losses[0] < np.log(3)


def test_what_is_the_same_in_all_vectors_says_nothing() -> None:
    _, gold = blobs()
    constant = torch.full((120, 7), 0.3) * (1 + 1e-7 * torch.randn(120, 7, generator=torch.Generator().manual_seed(1)))
    probe = only(task_of(), constant, gold, 30.0)
    assert float(probe.weight.abs().max()) == 0
    np.testing.assert_allclose(np.ptp(probe.logits(constant), axis=0), 0, atol=1e-7)


def test_the_same_bits_come_again() -> None:
    vectors, gold = blobs()
    first, second = (only(task_of(), vectors, gold, 3.0) for _ in range(2))
    assert torch.equal(first.weight, second.weight)


def test_what_is_good_enough_scores_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, gold = blobs()
    rough = only(task_of(), vectors, gold, 1.0).logits(vectors)
    monkeypatch.setattr(probes, "TOLERANCE", 1e-8)
    sharp = only(task_of(), vectors, gold, 1.0).logits(vectors)
    assert np.abs(rough - sharp).max() < 0.1
    assert (rough.argmax(axis=1) == sharp.argmax(axis=1)).mean() > 0.98
