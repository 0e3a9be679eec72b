"""The command that shows afina at work on a bundled sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ..errors import ConfigError
from ..printing import say
from .app import command
from .flags import flag
from .training import follow

EPOCHS = 6
TEXTS = [
    "Nobody has emptied the green bins in our lane for three weeks.",
    "My bicycle wheel broke in the deep hole outside the bakery.",
    "The club next door plays its music until four in the morning!",
]


@command(40)
def demo(
    out: Annotated[str | None, flag("FOLDER", "Folder of the run; by default runs/classification-full-0.")] = None,
) -> None:
    """Fine-tune on a bundled sample, and try the model."""
    from ..config import load

    folder = demo_folder()
    files = {f"data.{name}": str(folder / f"{name}.csv") for name in ("train", "validation", "test")}
    done = follow(load(None, {**files, "training.epochs": EPOCHS, "out": out}))
    from .. import api

    run = api.Run.of(done)
    say(f"\n{run}\n")
    for text, prediction in zip(TEXTS, run.predictor.stream(TEXTS), strict=True):
        label = prediction["label"]
        say(f"{prediction['probabilities'][label]:.2f}  {label:<6} {text}")


def demo_folder() -> Path:
    """Folder of the sample: in the installed package, or in a checkout.

    Raises:
        ConfigError: in neither.
    """
    package, checkout = Path(__file__).parents[1], Path(__file__).parents[3]
    for folder in (package / "demo", checkout / "examples" / "classification"):
        if (folder / "train.csv").is_file():
            return folder
    raise ConfigError("demo: this installation has no sample data; install afina from its wheel")
