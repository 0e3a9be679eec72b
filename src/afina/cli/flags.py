"""Flags that several commands have, and flags as settings."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError, printable

if TYPE_CHECKING:
    from ..config import Config

OWN = ("config", "settings", "quiet", "as_json", "resume", "labels", "overwrite")
"""Flags of the commands about training that are no settings."""
CONFIG_ENDINGS = (".yaml", ".yml")
"""Endings of configuration files; any other file or folder in their place is the training data."""
COLUMNS, ROWS, FILES, CERTAINTY = "Columns", "Rows", "Form of the files", "Certainty"
"""Panels of the help that several commands have."""
FORM = ("header", "delimiter", "quote", "format", "sheet", "encoding")
"""Flags about the form of data files."""


def flag(
    metavar: str,
    text: str,
    *names: str,
    panel: str | None = None,
    values: Callable[[], Iterable[str]] | None = None,
    least: float | None = None,
) -> Any:
    """An option with a word for its value.

    Args:
        metavar: The word.
        text: What the option does.
        names: Names of the option, where it is not that of its parameter.
        panel: Part of the help in which it is listed.
        values: What the shell offers as its value.
        least: Its least value.
    """
    return typer.Option(
        *names, metavar=metavar, help=text, rich_help_panel=panel, autocompletion=offer(values), min=least
    )


def offer(values: Callable[[], Iterable[str]] | None) -> Callable[[str], list[str]] | None:
    """A function that gives the shell the values that begin with what was typed."""
    if values is None:
        return None

    def offered(incomplete: str) -> list[str]:
        return [value for value in values() if value.startswith(incomplete)]

    return offered


def run_names() -> list[str]:
    """The runs in the folder `runs`, for the shell."""
    return sorted(f"runs/{path.parent.name}" for path in Path("runs").glob("*/config.yaml"))


def format_names() -> list[str]:
    """The formats of data files, for the shell."""
    from ..data.formats import readers

    return [reader.name for reader in readers()]


RunFlag = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Folder of a run or of a fine-tuned model, or a hub id.",
        autocompletion=offer(run_names),
    ),
]
TextsFlag = Annotated[
    list[str] | None, typer.Argument(metavar="TEXT", help="Texts; for a model of pairs, the two of one pair.")
]
DataFlag = Annotated[str, flag("FILE", "Data: csv, tsv, jsonl, a folder or a glob; - for the standard input.")]
AskedFlag = Annotated[
    str | None,
    flag("FILE", "Data: csv, jsonl, a text a line, a folder or a glob; - for the standard input.", "--data"),
]
QuestionFlag = Annotated[
    str | None, flag("TEXT", "A question about --context, for answers; with --data, the column of the questions.")
]
ContextFlag = Annotated[
    str | None, flag("TEXT", "The passage that is asked about; with --data, the column of the passages.", "--context")
]
TextFlag = Annotated[str | None, flag("COLUMN", "Column of the text.", panel=COLUMNS)]
PairFlag = Annotated[str | None, flag("COLUMN", "Column of the second text, for pairs.", panel=COLUMNS)]
LabelFlag = Annotated[str | None, flag("COLUMN", "Column of the label.", panel=COLUMNS)]
UnseenFlag = Annotated[
    str | None,
    flag(
        "NAME",
        "Labels that training lacks: refuse, or count as missed.",
        panel=ROWS,
        values=lambda: ("refuse", "count"),
    ),
]
HeaderFlag = Annotated[str | None, flag("A,B", "Column names of files without a header line.", panel=FILES)]
DelimiterFlag = Annotated[str | None, flag("CHARACTER", "Column delimiter; \\t for a tab.", panel=FILES)]
QuoteFlag = Annotated[str | None, flag("SIGN", "Sign around fields that hold delimiters; '' for none.", panel=FILES)]
FormatFlag = Annotated[
    str | None, flag("NAME", "Form of the files; `afina formats` lists them.", panel=FILES, values=format_names)
]
SheetFlag = Annotated[str | None, flag("NAME", "Sheet of a workbook; by default the first table.", panel=FILES)]
EncodingFlag = Annotated[str | None, flag("NAME", "Encoding of the files; by default recognised.", panel=FILES)]
DeviceFlag = Annotated[
    str | None,
    flag("NAME", "Where to compute: auto, cpu, cuda, cuda:1 or mps.", values=lambda: ("auto", "cpu", "cuda", "mps")),
]
AlphaFlag = Annotated[
    float | None,
    flag("SHARE", "Sets that leave the right answer out for at most this share of new texts: 0.1.", panel=CERTAINTY),
]
PrecisionFlag = Annotated[
    float | None,
    flag("SHARE", "Find the confidence from which on this share of the answers is right: 0.95.", panel=CERTAINTY),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def flags_of(
    other: Callable[..., None], *, unused: Collection[str]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes `**flags` the flags of another one, behind its own.

    Args:
        other: The other command.
        unused: Names of flags and panels that have no effect. They are taken, so that the line that trains can be
            used as it is, and are not shown.
    """

    def give(function: Callable[..., None]) -> Callable[..., None]:
        own, theirs = (signature(command, eval_str=True).parameters for command in (function, other))
        named = {name: flag for name, flag in own.items() if flag.kind is not Parameter.VAR_KEYWORD}
        given = [flag for name, flag in theirs.items() if name not in named]
        flags = [*named.values(), *(hidden(flag) if is_unused(flag, unused) else flag for flag in given)]
        # What typer reads; the annotations are values, since the other command's module has other names.
        function.__signature__ = Signature(flags)  # type: ignore[attr-defined]
        function.__annotations__ = {flag.name: flag.annotation for flag in flags} | {"return": None}
        return function

    return give


def is_unused(flag: Parameter, unused: Collection[str]) -> bool:
    """Whether a flag or its panel is among those without effect."""
    (about,) = flag.annotation.__metadata__
    return flag.name in unused or getattr(about, "rich_help_panel", None) in unused


def hidden(flag: Parameter) -> Parameter:
    """The same flag, which the help does not show."""
    (about,) = flag.annotation.__metadata__
    quiet = copy(about)
    quiet.hidden = True
    return flag.replace(annotation=Annotated[flag.annotation.__origin__, quiet])


def configured(flags: Mapping[str, Any]) -> Config:
    """The configuration that the flags of a command about training make.

    Raises:
        ConfigError: lists every setting that is wrong.
    """
    from ..config import load

    given = {name: value for name, value in flags.items() if value is not None}
    if "config" in given and Path(given["config"]).suffix.lower() not in CONFIG_ENDINGS:
        if "train" in given:
            data, other = printable(given["config"]), printable(given["train"])
            raise ConfigError(f"config: {data} is no .yaml file, and the training data are named by --train {other}")
        given["train"] = given.pop("config")
    if run := given.get("resume"):
        return load(*unfinished(run, given.get("config"), flags=given))
    return load(given.get("config"), overrides(given))


def configured_trials(flags: Mapping[str, Any]) -> Config:
    """The same for a command that makes many trainings, which are tracked where its line says so, not its file.

    Raises:
        InputError: a setting is wrong, or a tracker that is asked for is not there.
    """
    from ..evidence import asks_to_track, for_trials

    given = [name for name, value in flags.items() if value]
    given += [item.partition("=")[0].strip() for item in flags.get("settings") or ()]
    return for_trials(configured(flags), asked=asks_to_track(given))


def overrides(flags: Mapping[str, Any], short: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The flags of a command about training as settings by path; `--set` comes last and wins.

    Args:
        flags: The flags that were given.
        short: Paths of the settings by their flags; by default those of `afina train`.

    Raises:
        ConfigError: a `--set` without a value.
    """
    from ..config import SHORT
    from ..yaml_files import parse_value

    paths = SHORT if short is None else short
    settings = {paths.get(name, name): value for name, value in flags.items() if name not in OWN}
    settings |= {f"data.{name}": value for name, value in layout(flags).items()}
    for item in flags.get("settings", ()):
        path, sign, value = item.partition("=")
        if not sign:
            raise ConfigError(f"--set {printable(item)}: expected PATH=VALUE, for example training.warmup=0.2")
        settings[path.strip()] = parse_value(value)
    return settings


def unfinished(run: str, config: str | None, *, flags: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The configuration of an unfinished run, and the settings to go on with it.

    Args:
        run: Folder of the run.
        config: A configuration file that was named beside it.
        flags: All flags that were given.

    Raises:
        ConfigError: there is no such run, a configuration is named beside it, or it is to be moved aside.
    """
    from .. import api

    return api.unfinished(run, config, overwrite=bool(flags.get("overwrite"))), {**overrides(flags), "out": run}


def layout(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What the flags say about the form of the data files, in the terms of the configuration."""
    form = {name: flags[name] for name in FORM if flags.get(name) is not None}
    if "header" in form:
        form["header"] = next(csv.reader([form["header"]]), [])
    if form.get("delimiter") == "\\t":
        form["delimiter"] = "\t"
    return form


def reading_options(flags: Mapping[str, Any]) -> dict[str, Any]:
    """How to read a data file, in the terms of the readers."""
    return {"columns" if name == "header" else name: value for name, value in layout(flags).items()}


def column_options(flags: Mapping[str, Any]) -> dict[str, str]:
    """The columns that the flags name in place of a model's own, by the options that say them."""
    return {name: flags[name] for name in ("text", "pair", "label") if flags.get(name) is not None}
