"""`afina.train`: the whole of a run from Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import SHORT, load
from ..data.parts import read_data
from ..errors import ConfigError
from ..inference import Evaluation
from ..serving.predictor import Predictor
from .events import Done
from .run import stream


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: Where everything lies.
        predictor: The fine-tuned model, ready to answer.
        validation: Scores of the best epoch on the validation data.
        test: Scores on the test data, when there were any.
        record: What `run.json` holds.
    """

    folder: Path
    predictor: Predictor
    validation: Evaluation
    test: Evaluation | None
    record: dict[str, Any]


def train(config: str | Path | None = None, **settings: Any) -> Run:
    """Fine-tune a model.

    Args:
        config: A YAML file; settings override it.
        settings: Short names (`train`, `validation`, `text`, `label`, `strategy`, `model`, `epochs` ...) or whole paths
            with two underscores for the dot (`training__layer_decay=0.9`). `train`, `validation` and `test` take a path
            or data in memory: a list of dicts, a dict of columns, a pandas frame, an Arrow table.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: the run failed.
    """
    sources = {}
    overrides = {}
    for name, value in settings.items():
        if name in ("train", "validation", "test") and value is not None and not isinstance(value, (str, Path)):
            sources[name] = value
        elif value is not None:
            overrides[SHORT.get(name, name.replace("__", "."))] = str(value) if isinstance(value, Path) else value
    checked = load(config, overrides)
    for event in stream(checked, read_data(checked, sources)):
        if isinstance(event, Done):
            return Run(event.folder, Predictor(event.artifact), event.validation, event.test, event.record)
    raise ConfigError("the run ended without a result")
