"""Commands that list what there is, and that write a configuration."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError, InputError, printable
from ..printing import say, say_table
from .app import command
from .flags import flag


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
        [name[:12], about.model, about.layers, about.windows, f"{about.bytes / 1e6:,.1f}",
         datetime.fromtimestamp(used, UTC).strftime("%Y-%m-%d %H:%M")]
        for name, about, used in entries
    ]  # fmt: skip
    if rows:
        say_table(["entry", "model", "frozen layers", "windows", "MB", "last used (UTC)"], rows)
        say()
    total = sum(about.bytes for _, about, _ in entries)
    say(f"{store.folder}: {total / 1e6:,.1f} MB" + ("; afina cache --clear removes them" if rows else ""))


@command(90)
def tasks() -> None:
    """List the tasks."""
    from ..tasks.base import find, names

    rows = [[kind.name, kind.summary, next(iter(kind(kind.Options()).metrics))] for kind in map(find, names())]
    say_table(["task", "learns", "main metric"], rows)


@command(100)
def models() -> None:
    """List the families of models, and the embedded model."""
    from ..model.families import EMBEDDED, FAMILIES, locate

    rows = [
        [name, f"full,{' last-N,' if family.layers else ''} head", family.note] for name, family in FAMILIES.items()
    ]
    say_table(["family", "strategies", "note"], rows)
    say()
    try:
        locate(EMBEDDED)
        say(f"embedded model `{EMBEDDED}`: installed; it needs no network")
    except InputError as error:
        say(f"embedded model `{EMBEDDED}`: not installed; {error}")


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
