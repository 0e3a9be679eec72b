"""Commands that train, or say what a training takes."""

from __future__ import annotations

import shlex
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError, TrainingError, printable
from ..printing import say
from ..progress import silence, view_on
from ..signals import EVERY, attended, signals
from .app import command
from .flags import (
    COLUMNS,
    ROWS,
    DelimiterFlag,
    EncodingFlag,
    FormatFlag,
    HeaderFlag,
    JsonFlag,
    LabelFlag,
    PairFlag,
    QuoteFlag,
    SheetFlag,
    TextFlag,
    UnseenFlag,
    configured,
    flag,
    flags_of,
    run_names,
)
from .screen import run_record, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from ..config import Config
    from ..training.events import Done, Event

DATA, MODEL, TRAINING, RUN = "Data", "Model", "Training", "Run"
"""Panels of the help."""
UNITS = ("characters", "utf16", "bytes")
DEVICES = ("auto", "cpu", "cuda", "mps")
HEADS = ("native", "linear", "mean", "max", "crf")


def task_names() -> list[str]:
    """The tasks, for the shell."""
    from ..tasks.base import names

    return names()


def tracker_names() -> list[str]:
    """The trackers, for the shell."""
    from ..tracking.base import names

    return names()


@command(10)
def train(
    call: typer.Context,
    config: Annotated[str | None, typer.Argument(metavar="FILE", help="Training data, or settings (.yaml).")] = None,
    task: Annotated[
        str | None, flag("NAME", "What to learn; `afina tasks` lists them.", panel=DATA, values=task_names)
    ] = None,
    train: Annotated[
        str | None, flag("FILE", "Training data: csv, tsv, jsonl, a folder or a glob.", panel=DATA)
    ] = None,
    validation: Annotated[
        str | None, flag("FILE", "Validation data; without it a part is held out.", panel=DATA)
    ] = None,
    test: Annotated[str | None, flag("FILE", "Test data, scored once at the end.", panel=DATA)] = None,
    text: TextFlag = None,
    pair: PairFlag = None,
    label: LabelFlag = None,
    tokens: Annotated[str | None, flag("COLUMN", "Column of the words (task tokens).", panel=COLUMNS)] = None,
    tags: Annotated[str | None, flag("COLUMN", "Column of the words' tags (task tokens).", panel=COLUMNS)] = None,
    offsets: Annotated[
        str | None,
        flag("UNIT", "Unit of span offsets: characters, utf16 or bytes.", panel=COLUMNS, values=lambda: UNITS),
    ] = None,
    question: Annotated[str | None, flag("COLUMN", "Column of the question (task answers).", panel=COLUMNS)] = None,
    context: Annotated[str | None, flag("COLUMN", "Column of the passage (task answers).", panel=COLUMNS)] = None,
    answer: Annotated[str | None, flag("COLUMN", "Column of the answer (task answers).", panel=COLUMNS)] = None,
    strategy: Annotated[
        str | None,
        flag(
            "NAME",
            "What trains: full, head, last-N, head-then-full, head-then-last-N or gradual.",
            panel=MODEL,
            values=lambda: ("full", "head", "last-2", "head-then-full", "head-then-last-2", "gradual"),
        ),
    ] = None,
    model: Annotated[
        str | None,
        flag(
            "NAME", "minilm (embedded), a local folder or a Hugging Face id.", panel=MODEL, values=lambda: ("minilm",)
        ),
    ] = None,
    head: Annotated[
        str | None, flag("NAME", "native, linear, mean, max, or crf for tokens.", panel=MODEL, values=lambda: HEADS)
    ] = None,
    max_length: Annotated[int | None, flag("N", "Tokens a text may have.", panel=MODEL)] = None,
    long: Annotated[
        str | None,
        flag(
            "NAME",
            "Texts over that limit: truncate, or windows that overlap.",
            panel=MODEL,
            values=lambda: ("truncate", "windows"),
        ),
    ] = None,
    dropout: Annotated[float | None, flag("X", "Dropout in the encoder.", panel=MODEL)] = None,
    epochs: Annotated[int | None, flag("N", "Passes over the training data.", panel=TRAINING)] = None,
    batch_size: Annotated[int | None, flag("N", "Examples a step.", panel=TRAINING)] = None,
    learning_rate: Annotated[float | None, flag("X", "Peak learning rate.", panel=TRAINING)] = None,
    weight_decay: Annotated[float | None, flag("X", "Decoupled weight decay.", panel=TRAINING)] = None,
    patience: Annotated[int | None, flag("N", "Epochs without a better score before stopping.", panel=TRAINING)] = None,
    baseline: Annotated[
        str | None,
        flag(
            "on|off",
            "Score what costs nothing on the same rows: a constant, TF-IDF.",
            panel=TRAINING,
            values=lambda: ("on", "off"),
        ),
    ] = None,
    cache_memory: Annotated[float | None, flag("GB", "Memory for the states of frozen layers.", panel=TRAINING)] = None,
    cache_disk: Annotated[
        float | None, flag("GB", "Disk for them, shared by runs; 0 for none.", panel=TRAINING)
    ] = None,
    device: Annotated[
        str | None,
        flag("NAME", "Where to compute: auto, cpu, cuda, cuda:1 or mps.", panel=TRAINING, values=lambda: DEVICES),
    ] = None,
    seed: Annotated[int | None, flag("N", "Seed of everything random.", panel=TRAINING)] = None,
    hold_out: Annotated[float | None, flag("X", "Share held out when there is no validation data.", panel=ROWS)] = None,
    split_seed: Annotated[int | None, flag("N", "Seed of that draw.", panel=ROWS)] = None,
    sample: Annotated[
        str | None, flag("X|N", "Train on a share of the training data, or on N examples.", panel=ROWS)
    ] = None,
    sample_seed: Annotated[int | None, flag("N", "Seed of that draw.", panel=ROWS)] = None,
    group_by: Annotated[
        str | None, flag("COLUMN", "Groups, such as authors: held out as a whole, right or wrong together.", panel=ROWS)
    ] = None,
    split_by_time: Annotated[str | None, flag("COLUMN", "Hold out the latest share.", panel=ROWS)] = None,
    unseen: UnseenFlag = None,
    on_bad_row: Annotated[
        str | None,
        flag(
            "NAME",
            "Rows that can't be used: error, skip or quarantine.",
            panel=ROWS,
            values=lambda: ("error", "skip", "quarantine"),
        ),
    ] = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    quote: QuoteFlag = None,
    format: FormatFlag = None,
    sheet: SheetFlag = None,
    encoding: EncodingFlag = None,
    out: Annotated[
        str | None, flag("FOLDER", "Folder of the run; by default runs/TASK-STRATEGY-SEED.", panel=RUN)
    ] = None,
    report: Annotated[
        str | None, flag("on|off", "Write the page of the run at the end.", panel=RUN, values=lambda: ("on", "off"))
    ] = None,
    track: Annotated[
        list[str] | None,
        flag("NAME", "Tell a tracker, such as mlflow or wandb; repeatable.", panel=RUN, values=tracker_names),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move a run that is there aside first.", rich_help_panel=RUN)
    ] = False,
    resume: Annotated[
        str | None,
        flag("RUN", "Go on with an unfinished run; no other setting is needed.", panel=RUN, values=run_names),
    ] = None,
    settings: Annotated[list[str] | None, flag("PATH=VALUE", "Any setting by its path; repeatable.", "--set")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Fine-tune a model on labelled data. With the --out of an unfinished run it goes on with that run."""
    done = follow(configured(call.params), quiet=quiet or as_json, overwrite=overwrite)
    from .. import api

    if as_json:
        say_json(run_record(done))
    else:
        say(f"\n{api.Run.of(done)}")


@command(30)
@flags_of(train, unused=("out", "overwrite", "resume", "quiet", "track"))
def plan(
    call: typer.Context,
    config: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE | study NAME FILE]", help="Training data, or settings (.yaml); or a study."),
    ] = None,
    **flags: Any,
) -> None:
    """Say what a training or a study will take, and train nothing. Other flags of train are taken, unused."""
    named = config or []
    if named[:1] == ["study"]:
        from .studies import plan_of

        plan_of(named[1:], call.params)
        return
    settled = configured({**call.params, "config": one_file(named)})
    from .. import api

    figures = api.plan(settled, started=time.process_time())
    if flags["as_json"]:
        say_json(asdict(figures))
    else:
        say(str(figures))


def one_file(named: Sequence[str]) -> str | None:
    """The one file that a command was given.

    Raises:
        ConfigError: it was given several.
    """
    if len(named) > 1:
        raise ConfigError(f"expected one file, found {printable(' '.join(named))}; a study: afina plan study NAME FILE")
    return named[0] if named else None


def follow(config: Config, *, quiet: bool = False, overwrite: bool = False) -> Done:
    """Train, with a view of it on the screen.

    Args:
        config: Checked configuration.
        quiet: Show nothing.
        overwrite: Move a run that is in the folder aside.

    Raises:
        InputError: configuration, data or model can't be used.
        TrainingError: the run failed.
        KeyboardInterrupt: says what is left on disk.
    """
    from .. import api
    from ..training import rundir
    from ..training.events import Done

    folder = rundir.folder_of(config.out, task=config.task, strategy=config.strategy, seed=config.seed)
    last = watched(
        lambda: api.events(config.model_copy(update={"out": str(folder)}), overwrite=overwrite),
        folder,
        again=f"afina train --resume {shlex.quote(str(folder))}",
        quiet=quiet,
    )
    if isinstance(last, Done):
        return last
    raise TrainingError("the run ended without a result")


def watched(
    begin: Callable[[], Generator[Event, None, None]], folder: Path, *, again: str, quiet: bool = False
) -> Event:
    """The last event of a run, with a view of it on the screen.

    Args:
        begin: Makes the early checks and gives the run.
        folder: Folder of the run.
        again: The command that goes on with it.
        quiet: Show nothing.

    Raises:
        KeyboardInterrupt: says what is left on disk.
    """
    from .. import api

    view = silence if quiet else view_on(sys.stdout)
    try:
        with signals(*EVERY) as asked, closing(attended(begin(), asked)) as run:
            return deque(view(run), maxlen=1).pop()
    except KeyboardInterrupt as stop:
        raise type(stop)(api.what_is_left(folder, again)) from None
    except BrokenPipeError:
        say(f"stopped, since nothing reads the output: {api.what_is_left(folder, again)}", sys.stderr)
        raise
