"""The command that writes a model card."""

from __future__ import annotations

from typing import Annotated

import typer

from ..printing import say
from .app import command
from .flags import flag, offer, run_names


def card_languages() -> list[str]:
    """The languages of cards, for the shell."""
    from ..cards.card import LANGUAGES

    return list(LANGUAGES)


@command(67)
def card(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of a finished run.", autocompletion=offer(run_names))
    ],
    language: Annotated[str, flag("CODE", "Language of the card: en or pt.", values=card_languages)] = "en",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a card that was changed, and keep it beside the new one.")
    ] = False,
) -> None:
    """Write the model card of a run again: README.md beside its model, from what the run recorded."""
    from ..training.card import written_card

    file, old = written_card(run, language=language, overwrite=overwrite)
    if old is not None:
        say(f"the card that was there is now {old}")
    say(f"card: {file}")
