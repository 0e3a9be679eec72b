"""What evaluations of a task's goal say is what the one path from texts to scores says."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from afina import inference
from afina.assembly import encode_dataset, with_targets
from afina.records import Example
from afina.training.goals import Labelled
from afina.training.objective import Supervised
from afina.work import drain
from tests.arithmetic import near
from tests.networks import network_of, task_of, tokenizer_of

EXAMPLES = [Example(f"a {word} film", target=label) for word, label in (("lovely", "a"), ("awful", "b"), ("fine", "c"))]


def test_a_task_is_judged_by_its_metrics_and_its_loss(tiny: Callable[[str], Path]) -> None:
    model, task = tiny("bert"), task_of()
    data = with_targets(encode_dataset(tokenizer_of(model), task, EXAMPLES), task)
    network, goal = network_of(model, task), Labelled(task, {"train": data, "validation": data})
    judged = drain(goal.judge(network))
    logits = inference.window_logits(network, data.windows)
    answers = [task.labels[int(row.argmax())] for row in logits]
    right = [answer == example.target for answer, example in zip(answers, EXAMPLES, strict=True)]
    assert judged.metrics["accuracy"] == np.mean(right)
    for own, alone, row in zip(judged.logits, drain(goal.logits(network)), logits, strict=True):
        assert (own[0] == row).all()
        assert (alone[0] == row).all()
    log_softmax = [row - np.log(np.exp(row).sum()) for row in logits]
    expected = -np.mean([row[task.labels.index(one.target)] for row, one in zip(log_softmax, EXAMPLES, strict=True)])
    assert judged.loss == near(float(expected))
    assert goal.start(network) == near(math.log(3))
    assert isinstance(goal.objective, Supervised)
    assert goal.objective.data is data
