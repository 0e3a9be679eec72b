"""What a task knows of its certainty: kept among what was fitted, checked when it is read and when it is asked for."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from afina.errors import ConfigError
from afina.tasks.calibrations import Calibration, bound_of, check_precision, source_of
from afina.tasks.classification import Classification
from afina.tasks.regression import Regression
from afina.tasks.tokens import Tokens

SCORES = tuple(i / 100 for i in range(19))


def classifier(calibration: Calibration) -> Classification:
    return Classification(Classification.Options(), {"labels": ["a", "b"]}).with_calibration(calibration)


def test_it_is_kept_among_what_was_fitted_and_only_where_there_is_one() -> None:
    plain = classifier(Calibration())
    assert plain.fitted == {"labels": ["a", "b"]}
    assert plain.calibration == Calibration()
    hot = classifier(Calibration(temperature=2.0, data="dev.csv", examples=19, scores=SCORES))
    assert Classification(hot.options, hot.fitted).calibration == hot.calibration
    assert hot.with_calibration(Calibration()).fitted == plain.fitted
    assert source_of(hot.calibration) == "19 examples of dev.csv"
    assert "also chose the epoch" in source_of(Calibration(data="validation", examples=1))


@pytest.mark.parametrize("entry", [{"temperature": 0}, {"temperature": math.inf}, {"scores": ["x"]}, {"other": 1}, 3])
def test_a_damaged_entry_is_refused(entry: object) -> None:
    with pytest.raises(ValidationError):
        Calibration.among({"calibration": entry})


def test_what_can_be_asked_of_it() -> None:
    known = classifier(Calibration(scores=SCORES))
    assert bound_of(known, 0.1) == SCORES[17]
    assert bound_of(known, 0.05) == SCORES[18]
    with pytest.raises(ConfigError, match=r"0\.01 needs 99 labelled examples or more, and .* scores of 19"):
        bound_of(known, 0.01)
    with pytest.raises(ConfigError, match=r"holds no scores .* afina calibrate RUN --data FILE"):
        bound_of(classifier(Calibration()), 0.1)
    for alpha in (0.0, 1.0, -0.1, math.nan):
        with pytest.raises(ConfigError, match="alpha: expected a share above 0 and below 1"):
            bound_of(known, alpha)
    tokens = Tokens(Tokens.Options(), {"kind": "plain", "types": ["A", "B"], "common": "A"})
    with pytest.raises(ConfigError, match="tokens has no prediction sets"):
        bound_of(tokens, 0.1)
    check_precision(tokens, 0.9)
    with pytest.raises(ConfigError, match="precision: expected a share"):
        check_precision(tokens, 95)
    with pytest.raises(ConfigError, match="regression says no confidence"):
        check_precision(Regression(Regression.Options(), {}), 0.9)
