"""afina: fine-tune pre-trained masked language models on your own labelled data.

import afina

run = afina.train(train="train.csv", validation="dev.csv", strategy="last-2")
run.predictor.predict(["a lovely film"])
model = afina.load("runs/classification-last-2-0")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapting import Adaptation, adapt
    from .api import Run, check, compare, load, plan, train
    from .config import Config
    from .errors import AfinaError, AfinaWarning, ConfigError, DataError, InputError, ModelError, TrainingError
    from .evidence import advise, study
    from .reporting.report import report
    from .serving.files import calibrate
    from .serving.predictor import Predictor
    from .training.card import card

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("study", "advise"), "evidence"),
    **dict.fromkeys(("train", "check", "compare", "plan", "load", "Run"), "api"),
    **dict.fromkeys(("adapt", "Adaptation"), "adapting"),
    "calibrate": "serving.files",
    "card": "training.card",
    "report": "reporting.report",
    "Predictor": "serving.predictor",
    "Config": "config",
    **dict.fromkeys(("AfinaError", "AfinaWarning", "InputError", "ConfigError"), "errors"),
    **dict.fromkeys(("DataError", "ModelError", "TrainingError"), "errors"),
}
__all__ = [
    "Adaptation",
    "AfinaError",
    "AfinaWarning",
    "Config",
    "ConfigError",
    "DataError",
    "InputError",
    "ModelError",
    "Predictor",
    "Run",
    "TrainingError",
    "adapt",
    "advise",
    "calibrate",
    "card",
    "check",
    "compare",
    "load",
    "plan",
    "report",
    "study",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import afina` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'afina' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"afina.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
