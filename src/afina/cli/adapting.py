"""The command that adapts a model to texts without labels."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, TrainingError, printable
from ..printing import say
from .app import command
from .flags import (
    CONFIG_ENDINGS,
    ROWS,
    DelimiterFlag,
    EncodingFlag,
    FormatFlag,
    HeaderFlag,
    JsonFlag,
    PairFlag,
    QuoteFlag,
    SheetFlag,
    TextFlag,
    flag,
    overrides,
    run_names,
)
from .screen import adaptation_record, say_json
from .training import DATA, DEVICES, MODEL, RUN, TRAINING, tracker_names, watched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..adaptation.config import AdaptConfig

MASKS = "Masks"


@command(15)
def adapt(
    call: typer.Context,
    config: Annotated[str | None, typer.Argument(metavar="FILE", help="Texts, or settings (.yaml).")] = None,
    data: Annotated[
        str | None,
        flag("FILE", "Texts: csv, jsonl, a text a line, a folder or a glob; labels are not read.", panel=DATA),
    ] = None,
    validation: Annotated[
        str | None, flag("FILE", "Validation texts; without it a part is held out.", panel=DATA)
    ] = None,
    text: TextFlag = None,
    pair: PairFlag = None,
    model: Annotated[
        str | None,
        flag(
            "NAME", "minilm (embedded), a local folder or a Hugging Face id.", panel=MODEL, values=lambda: ("minilm",)
        ),
    ] = None,
    max_length: Annotated[int | None, flag("N", "Tokens of a window; longer texts are cut.", panel=MODEL)] = None,
    dropout: Annotated[float | None, flag("X", "Dropout in the encoder.", panel=MODEL)] = None,
    share: Annotated[
        float | None, flag("X", "Share of the tokens that are hidden; by default 0.15.", panel=MASKS)
    ] = None,
    whole_word: Annotated[
        bool, typer.Option("--whole-word", help="Hide all tokens of a word together.", rich_help_panel=MASKS)
    ] = False,
    epochs: Annotated[int | None, flag("N", "Passes over the texts, each with other masks.", panel=TRAINING)] = None,
    batch_size: Annotated[int | None, flag("N", "Windows a step.", panel=TRAINING)] = None,
    learning_rate: Annotated[float | None, flag("X", "Peak learning rate.", panel=TRAINING)] = None,
    weight_decay: Annotated[float | None, flag("X", "Decoupled weight decay.", panel=TRAINING)] = None,
    patience: Annotated[int | None, flag("N", "Epochs without a lower loss before stopping.", panel=TRAINING)] = None,
    device: Annotated[
        str | None,
        flag("NAME", "Where to compute: auto, cpu, cuda, cuda:1 or mps.", panel=TRAINING, values=lambda: DEVICES),
    ] = None,
    seed: Annotated[int | None, flag("N", "Seed of everything random.", panel=TRAINING)] = None,
    hold_out: Annotated[float | None, flag("X", "Share held out when there is no validation file.", panel=ROWS)] = None,
    split_seed: Annotated[int | None, flag("N", "Seed of that draw, and of the validation masks.", panel=ROWS)] = None,
    group_by: Annotated[str | None, flag("COLUMN", "Hold out whole groups, such as authors.", panel=ROWS)] = None,
    split_by_time: Annotated[str | None, flag("COLUMN", "Hold out the latest share.", panel=ROWS)] = None,
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
    out: Annotated[str | None, flag("FOLDER", "Folder of the run; by default runs/adapt-full-SEED.", panel=RUN)] = None,
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
    """Train a model further on texts without labels: it predicts hidden tokens. Then: afina train --model RUN."""
    from .. import adapting
    from ..adaptation.run import folder_of
    from ..training.events import Adapted

    asked = configured(call.params)
    folder = folder_of(asked)
    last = watched(
        lambda: adapting.events(asked.model_copy(update={"out": str(folder)}), overwrite=overwrite),
        folder,
        again=f"afina adapt --resume {shlex.quote(str(folder))}",
        quiet=quiet or as_json,
    )
    if not isinstance(last, Adapted):
        raise TrainingError("the run ended without a result")
    if as_json:
        say_json(adaptation_record(last))
    else:
        say(f"\n{adapting.Adaptation.of(last)}")


def configured(flags: Mapping[str, Any]) -> AdaptConfig:
    """The configuration that the flags of the command make.

    Raises:
        ConfigError: lists every setting that is wrong.
    """
    from .. import api
    from ..adaptation.config import SHORT, load

    given = {name: value for name, value in flags.items() if value is not None and value is not False}
    file = given.pop("config", None)
    if file is not None and Path(file).suffix.lower() not in CONFIG_ENDINGS:
        if "data" in given:
            other = printable(given["data"])
            raise ConfigError(f"config: {printable(file)} is no .yaml file, and the texts are named by --data {other}")
        given["data"], file = file, None
    chosen = overrides(given, SHORT)
    if run := given.get("resume"):
        return load(
            api.unfinished(run, file, overwrite=bool(given.get("overwrite")), kind="adapt"), {**chosen, "out": run}
        )
    return load(file, chosen)
