"""How sure tags and entities are: exact entities are right, and tags stay what they are at every temperature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.records import Example, Features, Window
from afina.tasks.calibrations import Calibration
from afina.tasks.tokens import Tokens

TEXT, WORDS = "Ana Sa mora", ((0, 3), (4, 6), (7, 11))
SPANS = np.array([*WORDS], np.int32)
WINDOW = Window(np.arange(3, dtype=np.int32), np.zeros(3, np.int32), np.zeros(3, np.int32), SPANS, (0, 3))


def task(kind: str) -> Tokens:
    more = {"common": "LOC"} if kind == "plain" else {"scheme": "BIO"}
    fitted = {"kind": kind, "types": ["LOC", "PER"], **more}
    return Tokens(Tokens.Options(tokens="tokens", tags="tags"), fitted)


def test_entities_are_right_exactly_or_not() -> None:
    example = Example(TEXT, target=("B-PER", "I-PER", "O"), words=WORDS)
    said = {
        "entities": [
            {"start": 0, "end": 2, "label": "PER", "score": 0.9},
            {"start": 2, "end": 3, "label": "LOC", "score": 0.4},
        ]
    }
    assert task("entities").confidences(example, said) == [(0.9, True), (0.4, False)]
    short = {"entities": [{"start": 0, "end": 1, "label": "PER", "score": 0.8}]}
    assert task("entities").confidences(example, short) == [(0.8, False)]
    plain = Example(TEXT, target=("PER", "PER", "LOC"), words=WORDS)
    tags = {"tags": ["PER", "LOC", "LOC"], "scores": [0.9, 0.6, 0.7]}
    assert task("plain").confidences(plain, tags) == [(0.9, True), (0.6, False), (0.7, True)]
    assert (task("plain").confident_of, task("entities").confident_of) == ("tag", "entity")


def test_logits_of_first_tokens_stand_beside_their_tags() -> None:
    example = Example(TEXT, target=("B-PER", "I-PER", "O"), words=WORDS)
    logits = np.arange(15, dtype=np.float64).reshape(3, 5)
    found = task("entities").labelled_logits([example], features=[Features((WINDOW,))], logits=[[logits]])
    assert found is not None
    np.testing.assert_array_equal(found.logits, logits)
    assert found.gold.tolist() == [3, 4, 0]
    unseen = Example(TEXT, target=("B-DATE", "O", "O"), words=WORDS)
    none = task("entities").labelled_logits([unseen], features=[Features((WINDOW,))], logits=[[logits]])
    assert none is not None
    assert len(none) == 0


Logits = st.lists(st.floats(-20, 20, width=32), min_size=15, max_size=15).map(lambda row: np.array(row).reshape(3, 5))


@pytest.mark.parametrize("kind", ["entities", "plain"])
@given(logits=Logits, temperature=st.floats(0.1, 10))
def test_tags_stay_at_every_temperature(kind: str, logits: np.ndarray, temperature: float) -> None:
    plain = task(kind)
    logits = logits if kind == "entities" else logits[:, :2]
    hot = plain.with_calibration(Calibration(temperature=temperature))
    example = Example(TEXT, words=WORDS)
    first, second = (one.decode(example, [WINDOW], [logits]) for one in (plain, hot))
    assert first["tags"] == second["tags"]
