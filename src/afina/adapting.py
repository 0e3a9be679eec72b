"""Adapt a model to texts without labels, for programs: `afina adapt` calls this, and so does whoever imports afina."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import api, notebook
from .errors import ConfigError, TrainingError
from .printing import Block, Shown, many

if TYPE_CHECKING:
    from .adaptation.config import AdaptConfig
    from .config import DataConfig
    from .data.parts import Data
    from .inference import Evaluation
    from .tasks.base import Task
    from .training.events import Adapted, Event, Note

SPLITS = ("train", "validation")


@dataclass(frozen=True, slots=True, repr=False)
class Adaptation(Shown):
    """A finished adaptation. `print` shows what the command line shows, and a notebook a table.

    Attributes:
        folder: Where everything lies. As `model=` of `afina.train` it names the adapted model.
        validation: Scores of the best epoch on the validation texts, beside those of before.
        record: What `run.json` holds.
        notes: Everything that the run said in words, warnings included, in order.
        warnings: The warnings among the notes.
    """

    folder: Path
    validation: Evaluation
    record: dict[str, Any]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, done: Adapted, *, notes: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> Adaptation:
        """An adaptation from its last event."""
        return cls(done.folder, done.validation, done.record, notes, warnings)

    def __repr__(self) -> str:
        return f"Adaptation({self.folder}: loss {self.validation.with_interval('loss')})"

    def blocks(self) -> Iterator[Block]:
        """Scores beside those of before, where the run lies, and what to type next."""
        hidden = many(self.record["hidden"]["validation"], "hidden token")
        yield f"validation, {hidden} in {many(self.validation.examples, 'text')} (chose the epoch)"
        yield self.validation.scores
        fall = self.record["fall"]
        if not fall["reason"]:
            yield f"the loss fell by {fall['loss']:.4f} [{fall['low']:.4f}, {fall['high']:.4f}]"
        yield ""
        yield f"run:  {self.folder}"
        yield f"next: afina train --model {shlex.quote(str(self.folder))} --train FILE"


def adapt(
    config: str | Path | AdaptConfig | None = None,
    *,
    on_event: Callable[[Event], None] | None = None,
    overwrite: bool = False,
    progress: bool = True,
    resume: str | Path | None = None,
    **settings: Any,
) -> Adaptation:
    """Train a model further on texts without labels: it predicts tokens that are hidden from it.

    The result is a folder that any Hugging Face tool loads, and that `afina.train(model=...)` takes. Ctrl-C stops after
    the present step and leaves a checkpoint; the same call with the same `out`, or `resume`, goes on from there.

    Args:
        config: A YAML file, or a configuration; settings override it.
        on_event: Is called with everything that the run says (`afina.training.events`), whatever else shows it.
        overwrite: Whether a run that is in the folder `out` is moved aside first.
        progress: Whether to show the run.
        resume: Folder of an unfinished run to go on with. Its configuration is taken from there; data in memory must be
            given again.
        settings: Short names (`text`, `model`, `epochs`, `learning_rate`, `share`, `whole_word` ...) or whole paths
            with two underscores for the dot (`masking__share`). `data` and `validation` take a path, a list of texts,
            or rows as those of `afina.train`; labels are not looked at.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: the run failed.
        KeyboardInterrupt: it was interrupted; the message says how to go on.
    """
    from .adaptation.run import folder_of
    from .training.events import Adapted

    if resume is not None:
        config = api.unfinished(resume, config, overwrite=overwrite, kind="adapt")
        settings = {**settings, "out": resume}
    settled, sources = configured(config, settings)
    folder = folder_of(settled)
    view, notes = api.view_of(progress), list["Note"]()
    try:
        run = events(settled.model_copy(update={"out": str(folder)}), sources, overwrite=overwrite)
        last = api.seen(run, view, notes, on_event=on_event)
    except KeyboardInterrupt as stop:
        given = ["data" if name == "train" else name for name in sources]
        call = f"afina.adapt({', '.join([f'resume={str(folder)!r}', *(f'{name}=...' for name in given)])})"
        raise type(stop)(api.what_is_left(folder, call)) from None
    if not isinstance(last, Adapted):
        raise TrainingError("the run ended without a result")
    return Adaptation.of(last, notes=api.texts_of(notes), warnings=api.texts_of(notes, "warning"))


def configured(
    config: str | Path | AdaptConfig | None, settings: Mapping[str, Any]
) -> tuple[AdaptConfig, dict[str, Any]]:
    """A checked configuration, and the data in memory that stand for files.

    Raises:
        ConfigError: lists every setting that is wrong.
    """
    from .adaptation.config import SHORT, load

    notebook.prepare()
    sources, overrides = api.parted(settings, ("data", "validation"), SHORT)
    return load(config, overrides), {
        "train" if name == "data" else name: rows_of(rows) for name, rows in sources.items()
    }


def rows_of(data: Any) -> Any:
    """A list of texts as rows; other data as they are."""
    if isinstance(data, Iterable) and not isinstance(data, Mapping) and not hasattr(data, "columns"):
        items = list(data)
        if items and all(isinstance(item, str) for item in items):
            return [{"text": item} for item in items]
        return items if isinstance(data, Iterator) else data
    return data


def events(
    config: AdaptConfig, sources: Mapping[str, Any] | None = None, *, overwrite: bool = False
) -> Generator[Event, None, None]:
    """An adaptation, one event at a time; the last one is `Adapted`. Closing it while it trains leaves a checkpoint.

    The early checks are done by the call itself.

    Args:
        config: Checked configuration.
        sources: Data in memory for `train` and `validation`, in place of the configured files.
        overwrite: Whether a run that is in the folder `out` is moved aside first.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: at an event: the run failed.
    """
    config, heard = with_form(config, sources or {})
    data = opened(config, sources, overwrite=overwrite)
    data.notes[:0] = heard
    from .adaptation.run import folder_of, stream
    from .tracking.following import tracked

    folder = folder_of(config)
    return tracked(stream(config.model_copy(update={"out": str(folder)}), data), config.training.track, folder)


def opened(config: AdaptConfig, sources: Mapping[str, Any] | None = None, *, overwrite: bool = False) -> Data:
    """The texts. Everything that can be wrong is looked at before anything heavy is loaded, and told at once.

    Raises:
        InputError: folder, model or data can't be used.
    """
    from .adaptation.run import folder_of
    from .tracking import base as trackers
    from .training import start

    given = "train" in (sources or {}) or config.data.train is not None
    missing = None if given else "data.train: name the texts (--data FILE)"
    others = start.complaints(trackers.check, config.training.track)
    return start.data_for(folder_of(config), config, sources, others, overwrite=overwrite, missing=missing)


def with_form(config: AdaptConfig, sources: Mapping[str, Any]) -> tuple[AdaptConfig, list[str]]:
    """The configuration with the format `lines` where the files hold a text a line, as those of predictions may, and
    what was decided in words.

    Raises:
        ConfigError: only one of the files does.
        DataError: a file is compressed and damaged.
    """
    task, data = config.make_task(), config.data
    if data.format is not None:
        return config, []
    heard: list[str] = []
    files = {name: file for name in SPLITS if name not in sources and (file := getattr(data, name)) is not None}
    forms = {name: form_in(task, file, data, heard.append) for name, file in files.items()}
    if len(set(forms.values())) > 1:
        shown = ", ".join(f"{files[name]}: {form or 'rows'}" for name, form in forms.items())
        raise ConfigError(f"data.validation: expected a file in the form of the texts, found {shown}; convert one")
    found = next(iter(forms.values()), None)
    if found is None:
        return config, []
    return config.model_copy(update={"data": data.model_copy(update={"format": found})}), heard


def form_in(task: Task, file: str, data: DataConfig, note: Callable[[str], None]) -> str | None:
    """The format of a file that holds a text a line, or a single column; None for others."""
    from .data.lines import ReadOptions
    from .serving.forms import form_of

    known = {name: getattr(data, name) for name in ("encoding", "delimiter", "quote", "format", "sheet")}
    found: str | None = form_of(task, file, ReadOptions(columns=data.header, note=note, **known))["format"]
    return found
