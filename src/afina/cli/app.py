"""The program: its commands, and what the shell is told.

Exit codes: 0 done, 1 failed, 2 the input is wrong, 130 interrupted, 143 terminated.

Everything heavy is imported by the command that needs it, after the arguments and the named files are checked.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import AfinaError
from ..outputs.places import FULL
from ..printing import say
from ..signals import Terminated
from .help import Command as HelpfulCommand

Command = Callable[..., None]

app = typer.Typer(
    help="Fine-tune masked language models on your own labelled data.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
COMMANDS: list[tuple[int, Command]] = []
"""The commands of the modules that were imported, and the place of each in the help."""


@cache
def program() -> typer.Typer:
    """The program with every command that a module of this package defines."""
    for module in iter_modules([str(Path(__file__).parent)]):
        import_module(f"{__package__}.{module.name}")
    for _, function in sorted(COMMANDS, key=itemgetter(0)):
        app.command(cls=HelpfulCommand)(function)
    return app


def command(place: int) -> Callable[[Command], Command]:
    """Make a command of a function; what it raises becomes a message and an exit code.

    Args:
        place: Where the help lists the command: the smallest number comes first.
    """

    def register(function: Command) -> Command:
        @wraps(function)
        def answered(*args: Any, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
                sys.stdout.flush()
            except typer.Exit:  # a command that has said everything and chosen its code
                raise
            except BrokenPipeError:  # whoever read the output has enough; typer ends without a word
                raise
            except (Exception, KeyboardInterrupt) as error:
                if os.environ.get("AFINA_DEBUG") == "1":
                    traceback.print_exc()
                complain(error)
                raise typer.Exit(exit_code(error)) from None

        COMMANDS.append((place, answered))
        return answered

    return register


def exit_code(error: BaseException) -> int:
    """What the shell is told."""
    if isinstance(error, KeyboardInterrupt):
        return 143 if isinstance(error, Terminated) else 130
    return error.exit_code if isinstance(error, AfinaError) else 1


def complain(error: BaseException) -> None:
    """Print the error on stderr: one line, or an indented list."""
    lines = str(error).split("\n")
    if isinstance(error, KeyboardInterrupt):
        say(f"interrupted: {error if error.args else 'nothing was written'}", sys.stderr)
    elif isinstance(error, OSError) and error.errno in FULL:
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}can't write: {error.strerror}; make room, or write elsewhere", sys.stderr)
    elif not isinstance(error, AfinaError):
        say(f"afina failed: {type(error).__name__}: {lines[0]} (AFINA_DEBUG=1 shows where)", sys.stderr)
    elif len(lines) == 1:
        say(f"error: {lines[0]}", sys.stderr)
    else:
        say("\n  ".join(["error:", *lines]), sys.stderr)


def show_version(asked: bool) -> None:
    """Answer `afina --version`."""
    if asked:
        say(f"afina {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=show_version, help="Print the version.")
    ] = False,
) -> None:
    """Fine-tune masked language models on your own labelled data."""
