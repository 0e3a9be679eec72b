"""Commands that list what there is, and that write a configuration."""

from __future__ import annotations

import math
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, InputError, printable
from ..printing import number, say, say_table
from .app import command
from .flags import JsonFlag, flag
from .screen import say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.known import Encoder
    from ..training.summaries import Summary


@command(70)
def init(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What to learn; `afina tasks` lists them.")],
    out: Annotated[str, flag("FILE", "File to write.")] = "config.yaml",
) -> None:
    """Write a configuration with every setting and what it does."""
    from ..templates import template

    text = template(task)
    try:
        with Path(out).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"out: {printable(out)} exists and is not overwritten; give another name (--out)") from None
    except OSError as error:
        raise ConfigError(f"out: {printable(out)} can't be written: {error.strerror}") from None
    say(f"{out}: written; name your data in it, then: afina train {shlex.quote(out)}")


@command(65)
def runs(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Folder of runs.")] = "runs",
    as_json: JsonFlag = False,
) -> None:
    """List runs with their scores and baselines, the latest first."""
    from ..training.summaries import runs_in

    found = runs_in(Path(folder))
    if as_json:
        for one in found:
            say_json({**asdict(one), "folder": str(one.folder), "time": one.time.isoformat(timespec="seconds")})
        return
    if not found:
        say(f"{folder}: no runs")
        return
    rows = [
        [str(one.folder), one.task or one.state, Path(one.data).name, one.strategy, score_cell(one), baseline_cell(one),
         f"{one.bytes / 1e6:,.1f}", one.time.strftime("%Y-%m-%d %H:%M")]
        for one in found
    ]  # fmt: skip
    say_table(["run", "task", "data", "strategy", "score", "baseline", "MB", "ended (UTC)"], rows)


def score_cell(run: Summary) -> str:
    """The score of a run with its interval, or why there is none."""
    if run.state != "done":
        return run.state
    low, high = run.interval
    bounds = "" if math.isnan(low) else f" [{number(low)}, {number(high)}]"
    return f"{run.split} {run.metric} {number(run.value)}{bounds}"


def baseline_cell(run: Summary) -> str:
    """The value of the strongest baseline of a run and its name."""
    return f"{number(run.baseline_value)} {run.baseline}" if run.baseline else ""


@command(80)
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of them.")] = False,
) -> None:
    """List the kept states of frozen layers, or remove them."""
    from datetime import UTC, datetime

    from ..model.states import StateStore, states_folder

    store = StateStore(states_folder(), 0, 0)
    if clear:
        say(f"{store.folder}: {store.clear() / 1e6:,.1f} MB removed")
        return
    entries = store.entries()
    rows = [
        [name[:12], about.model, about.layers, about.windows, about.dtype, f"{about.bytes / 1e6:,.1f}",
         datetime.fromtimestamp(used, UTC).strftime("%Y-%m-%d %H:%M")]
        for name, about, used in entries
    ]  # fmt: skip
    if rows:
        say_table(["entry", "model", "frozen layers", "windows", "type", "MB", "last used (UTC)"], rows)
        say()
    total = sum(about.bytes for _, about, _ in entries)
    count = f"{len(rows):,} {'entry' if len(rows) == 1 else 'entries'}, "
    say(f"{store.folder}: {count}{total / 1e6:,.1f} MB in all" + ("; afina cache --clear removes them" if rows else ""))


@command(90)
def tasks() -> None:
    """List the tasks."""
    from ..tasks.base import find, names

    rows = [[kind.name, kind.summary, next(iter(kind(kind.Options()).metrics))] for kind in map(find, names())]
    say_table(["task", "learns", "main metric"], rows)


def language_codes() -> list[str]:
    """Codes of the languages that encoders are listed for."""
    from ..model.known import codes

    return codes()


@command(100)
def models(
    language: Annotated[
        str | None,
        flag("NAME", "List encoders for a language instead: pt, Portuguese, português.", values=language_codes),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the families of models, or encoders for a language with their sizes, licences and sources."""
    from ..model.families import EMBEDDED, FAMILIES, locate
    from ..model.known import code_of, codes, encoders_for
    from ..strategies import LAYERED, OWN

    if language is not None:
        code = code_of(language)
        found = encoders_for(code)
        if as_json:
            say_json({"language": code, "encoders": [{**asdict(one), "supported": one.supported} for one in found]})
        else:
            say_encoders(found)
        return
    if as_json:
        say_json({"families": {name: asdict(family) for name, family in FAMILIES.items()}, "languages": codes()})
        return
    rows = [
        [name, ", ".join(one for one in OWN if family.layers or one not in LAYERED), family.note]
        for name, family in FAMILIES.items()
    ]
    say_table(["family", "strategies", "note"], rows)
    say()
    try:
        locate(EMBEDDED)
        say(f"embedded model `{EMBEDDED}`: installed; it needs no network")
    except InputError as error:
        say(f"embedded model `{EMBEDDED}`: not installed; {error}")
    say(f"encoders for a language, such as `afina models --language pt`: {' '.join(codes())}")


def say_encoders(encoders: Sequence[Encoder]) -> None:
    """What is known of encoders, what they were trained on, and the sources. Nothing stands for what is not known."""
    case = {True: "cased", False: "uncased", None: ""}
    rows = [
        [one.name, one.parameters or "", f"{one.vocabulary:,}" if one.vocabulary else "", case[one.cased],
         one.context or "", one.licence, one.family if one.supported else f"{one.family} (not supported)"]
        for one in encoders
    ]  # fmt: skip
    say_table(["encoder", "million parameters", "vocabulary", "case", "tokens", "licence", "family"], rows)
    say()
    for one in encoders:
        about = [f"for {one.many:,} languages" if one.many else "", one.data, one.source]
        say(f"{one.name}: {'; '.join(filter(None, about))}")
    say()
    say("train with one of them: --model NAME (downloaded from the Hugging Face hub), or --model FOLDER")


@command(85)
def formats() -> None:
    """List the formats of data and of predictions, and the endings of their names."""
    from ..data.formats import readers
    from ..outputs.writers import writers

    rows = [[reader.name, " ".join(reader.endings), reader.summary] for reader in readers()]
    say_table(["format of data", "endings", "holds"], rows)
    say()
    rows = [[writer.name, " ".join(writer.endings), writer.summary] for writer in writers()]
    say_table(["format of predictions", "endings", "holds"], rows)
