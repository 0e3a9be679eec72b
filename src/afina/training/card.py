"""The model card of a run, from what its folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..about import FILE, read_about, task_of
from ..cards.card import FILE as CARD
from ..cards.card import is_own, language_of, render, words_in, write
from ..cards.facts import Facts
from ..errors import ConfigError, InputError, printable
from ..yaml_files import read_yaml
from . import rundir


def card(run: str | Path, *, language: str = "en", overwrite: bool = False) -> Path:
    """Write the model card of a finished run again: `README.md` beside its model, from what the run recorded.

    Args:
        run: Folder of the run, or of its model.
        language: `en`, or `pt` for Portuguese.
        overwrite: Whether a card that somebody has changed is replaced; it then stays beside the new one.

    Returns:
        The card.

    Raises:
        InputError: there is no such run, it has no model, or its card was changed or can't be written.
    """
    return written_card(run, language=language, overwrite=overwrite)[0]


def written_card(run: str | Path, *, language: str = "en", overwrite: bool = False) -> tuple[Path, Path | None]:
    """The same, with the place of the changed card, if there was one."""
    given = Path(run).expanduser()
    place = given.absolute()
    folder = place.parent if place.name == rundir.MODEL and (place.parent / rundir.CONFIG).is_file() else given
    if not (folder / rundir.CONFIG).is_file():
        raise ConfigError(f"run: {printable(str(run))} is no folder of a run (no {rundir.CONFIG})")
    try:
        return write_card(folder, language=language, overwrite=overwrite)
    except OSError as error:
        raise ConfigError(f"{folder / rundir.MODEL}: no card can be written: {error.strerror or error}") from error


def renewed(model: Path) -> Path | None:
    """Write the card of a model again, in its language, after the model was calibrated.

    Args:
        model: The model's own folder.

    Returns:
        The card; None where there is none of afina's as it was written, or no run beside the model.
    """
    file, run = model / CARD, model.absolute().parent
    if not file.is_file() or not (run / rundir.CONFIG).is_file():
        return None
    text = file.read_text("utf-8", errors="replace")
    if not is_own(text):
        return None
    with suppress(InputError, OSError):
        write_card(run, language=language_of(text))
        return file
    return None


def write_card(
    folder: Path, record: Mapping[str, Any] | None = None, *, language: str = "en", overwrite: bool = False
) -> tuple[Path, Path | None]:
    """Write the card of a run beside its model.

    Args:
        folder: Folder of the run.
        record: Content of `run.json`, where that is not written yet.
        language: Code of the card's language.
        overwrite: Whether a card that somebody has changed is moved aside; else it is refused.

    Returns:
        The card, and where the changed one is now, if there was one.

    Raises:
        ConfigError: the run is not finished, has no model, or its card was changed.
        ModelError: what the model says of itself is damaged.
        OSError: the card can't be written.
    """
    words_in(language)
    return write(folder / rundir.MODEL, render(facts_of(folder, record), language), overwrite=overwrite)


def facts_of(folder: Path, record: Mapping[str, Any] | None = None) -> Facts:
    """What a card is made of; arguments are those of `write_card`.

    Raises:
        ConfigError: the run is not finished, is none of `afina train`, or has no model.
        ModelError: what the model says of itself is damaged.
    """
    run = rundir.RunFolder(folder)
    if rundir.kind_of(folder) != "train":
        raise ConfigError(f"{folder}: a run of afina adapt, whose model answers nothing yet, has no card")
    known = run.record() if record is None else record
    if not (run.model / FILE).is_file():
        raise ConfigError(f"{folder}: there is no model to write a card for (training.save was off, or it was removed)")
    about = read_about(run.model / FILE)
    return Facts(
        name=folder.absolute().name,
        task=task_of(about),
        about=about,
        config=read_yaml(run.config),
        data=run.data(),
        findings=run.findings(),
        record=known,
    )
