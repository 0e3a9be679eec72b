"""The application, for programs: the command line calls these functions, and so does whoever imports afina.

Every function takes a configuration file and settings that override it: short names (`train`, `validation`, `text`,
`label`, `strategy`, `model`, `epochs` ...) or whole paths with two underscores for the dot (`training__layer_decay`).
"""

from __future__ import annotations

import shlex
import sys
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import devices, notebook, strategies
from .config import SHORT, Config
from .config import load as load_config
from .errors import AfinaWarning, ConfigError, TrainingError, printable
from .printing import Block, Shown, as_html, many
from .progress import View, silence, view_on
from .signals import attended, interrupts

if TYPE_CHECKING:
    from .comparison.report import Report as Comparison
    from .data.parts import Data
    from .inference import Evaluation
    from .quality.report import Report
    from .reporting.inline import Inline
    from .serving.predictor import Predictor
    from .training.events import Done, Event, Note
    from .training.plan import Plan

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, repr=False)
class Run(Shown):
    """A finished run. `print` shows what the command line shows, and a notebook a table.

    Attributes:
        folder: Where everything lies.
        predictor: The fine-tuned model, ready to answer.
        validation: Scores of the best epoch on the validation data.
        test: Scores on the test data, when there were any.
        record: What `run.json` holds.
        notes: Everything that the run said in words, warnings included, in order.
        warnings: The warnings among the notes.
    """

    folder: Path
    predictor: Predictor
    validation: Evaluation
    test: Evaluation | None
    record: dict[str, Any]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, done: Done, *, notes: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> Run:
        """A run from its last event."""
        from .serving.predictor import Predictor

        return cls(done.folder, Predictor(done.artifact), done.validation, done.test, done.record, notes, warnings)

    def __repr__(self) -> str:
        part, name = (self.validation, "validation") if self.test is None else (self.test, "test")
        metric = next(iter(part.metrics))
        return f"Run({self.folder}: {metric} {part.with_interval(metric)} on {many(part.examples, f'{name} example')})"

    def blocks(self) -> Iterator[Block]:
        """Scores, where the run lies, and what to type next."""
        from .inference import without_interval
        from .training.rundir import REPORT

        parts = {"validation": self.validation, "test": self.test}
        scored = {name: part for name, part in parts.items() if part is not None}
        for name, part in scored.items():
            if name == "test":
                yield ""
            yield f"{name}, {part.counted}{' (chose the epoch)' if name == 'validation' else ''}"
            yield part.scores
            yield from without_interval(part)
        name, part = list(scored.items())[-1]
        yield from part.labels(name)
        yield ""
        yield f"run:  {self.folder}"
        if (self.folder / REPORT).exists():
            yield f"page: {self.folder / REPORT}"
        if self.record.get("model", "model") is None:
            again = f"afina train {shlex.quote(str(self.folder / 'config.yaml'))} --set training.save=on --overwrite"
            yield f"next: no model was kept; {again} trains it again, and keeps it"
        else:
            yield f"next: afina predict {shlex.quote(str(self.folder))} --data FILE --out predictions.csv"

    def report(self, **more: Any) -> Path:
        """Write the page of the run (report.html), and return its path.

        Args:
            more: Arguments of `afina.report` besides the run.
        """
        from .reporting.run import report

        return report(self.folder, **more)

    def figure(self, number: int = 1) -> Inline:
        """A figure that a notebook shows: 1, the losses; 2, the scores on the validation data.

        Raises:
            ConfigError: there is no such figure, or a file of the run is damaged.
        """
        from .reporting.inline import figures_of_run

        figures = figures_of_run(self.folder)
        if not 1 <= number <= len(figures):
            raise ConfigError(f"figure: expected a number from 1 to {len(figures)}, found {number}")
        return figures[number - 1]

    def _repr_html_(self) -> str:
        from .reporting.inline import figures_of_run, side_by_side

        # What was said of the run is shown even where its folder is gone.
        with suppress(ConfigError):
            return f"{as_html(self.blocks())}{side_by_side(figures_of_run(self.folder))}"
        return as_html(self.blocks())


def train(
    config: str | Path | Config | None = None,
    *,
    on_event: Callable[[Event], None] | None = None,
    overwrite: bool = False,
    progress: bool = True,
    resume: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Fine-tune a model.

    The run is shown while it goes on: in a notebook in the output of the cell, elsewhere on standard error, as a bar on
    a terminal and as lines in a file. Warnings go through `warnings.warn`, each once, whether or not anything is shown;
    `warnings.simplefilter("ignore", afina.AfinaWarning)` silences them. `Run.notes` holds everything that was said.

    Ctrl-C, or the interruption of the notebook, stops after the present step and leaves a checkpoint. The same call
    with the same `out`, or `resume`, goes on from there and ends in the same bytes.

    Args:
        config: A YAML file, or a configuration; settings override it.
        on_event: Is called with everything that the run says (`afina.training.events`), whatever else shows it.
        overwrite: Whether a run that is in the folder `out` is moved aside first.
        progress: Whether to show the run.
        resume: Folder of an unfinished run to go on with. Its configuration is taken from there; data in memory must be
            given again.
        settings: As the module says. `train`, `validation` and `test` take a path or data in memory: a list of dicts,
            a dict of columns, a pandas frame, an Arrow table.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: the run failed.
        KeyboardInterrupt: it was interrupted; the message says how to go on.
    """
    from .training import rundir
    from .training.events import Done, Note

    if resume is not None:
        config, settings = unfinished(resume, config, overwrite=overwrite), {**settings, "out": resume}
    settled, sources = configured(config, settings)
    folder = rundir.folder_of(settled.out, task=settled.task, strategy=settled.strategy, seed=settled.seed)
    view, notes = view_of(progress), list[Note]()
    try:
        run = events(settled.model_copy(update={"out": str(folder)}), sources, overwrite=overwrite)
        last = seen(run, view, notes, on_event=on_event)
    except KeyboardInterrupt as stop:
        raise type(stop)(what_is_left(folder, go_on(folder, sources))) from None
    if not isinstance(last, Done):
        raise TrainingError("the run ended without a result")
    return Run.of(last, notes=texts_of(notes), warnings=texts_of(notes, "warning"))


def seen(
    run: Generator[Event, None, None], view: View, notes: list[Note], *, on_event: Callable[[Event], None] | None
) -> Event | None:
    """A run from its first to its last event, which is returned.

    Args:
        run: The run. Ctrl-C closes it, which leaves a checkpoint.
        view: What shows it.
        notes: Gets everything that the run says in words.
        on_event: Is called with every event.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    from .training.events import Note

    last: Event | None = None
    # The view is closed before the run: it gives the terminal back even if the last checkpoint fails.
    with interrupts() as asked, closing(attended(run, asked)) as stream, closing(view(stream)) as shown:
        for last in shown:
            if isinstance(last, Note):
                notes.append(last)
                if last.level == "warning":
                    warnings.warn(last.text, AfinaWarning, stacklevel=3)
            if on_event is not None:
                on_event(last)
    return last


def texts_of(notes: Sequence[Note], level: str = "") -> tuple[str, ...]:
    """What notes say: all, or those of a level."""
    return tuple(note.text for note in notes if level in ("", note.level))


def view_of(progress: bool) -> View:
    """The view of a training in Python, where `warnings` says the warnings.

    Args:
        progress: Whether to show anything.
    """
    if not progress:
        return silence
    if notebook.in_notebook():
        return lambda events: notebook.cell(events, warned=False)
    return view_on(sys.stderr, warned=False)


def go_on(folder: Path, sources: Mapping[str, Any]) -> str:
    """The call that goes on with an unfinished run."""
    return f"afina.train({', '.join([f'resume={str(folder)!r}', *(f'{name}=...' for name in sources)])})"


def what_is_left(folder: Path, call: str) -> str:
    """What an interrupted run left on the disk.

    Args:
        folder: Folder of the run.
        call: What to type to go on.
    """
    from .training.rundir import RunFolder

    if RunFolder(folder).has_checkpoint:
        return f"go on with: {call}"
    written = folder.exists() and any(folder.iterdir())
    return f"{folder} holds the log so far and no checkpoint" if written else "nothing was written"


def unfinished(
    run: str | Path, config: object = None, *, overwrite: bool = False, kind: Literal["train", "adapt"] = "train"
) -> Path:
    """The configuration file of an unfinished run.

    Args:
        run: Folder of the run.
        config: A configuration that was named beside it.
        overwrite: Whether it was asked, too, that the run be moved aside.
        kind: The command whose run it should be.

    Raises:
        ConfigError: there is no such run, it is another command's, a configuration is named beside it, or it is to be
            moved aside.
    """
    from .training.rundir import CONFIG, RunFolder, go_on, kind_of

    shown = printable(str(run))
    if config is not None:
        raise ConfigError(f"config: {printable(config)} beside --resume; the run's own config.yaml is taken")
    if overwrite:
        raise ConfigError(f"--resume: goes on with {shown}, and --overwrite moves it aside; leave one of them out")
    folder = RunFolder(Path(run))
    if folder.finished:
        raise ConfigError(f"--resume: {shown} is finished; --model {shlex.quote(str(run))} trains its model further")
    if folder.unfinished and kind_of(folder.path) != kind:
        raise ConfigError(f"--resume: {shown} is no run of afina {kind}; what goes on with it is: {go_on(folder.path)}")
    if not folder.unfinished:
        raise ConfigError(f"--resume: {shown} holds no unfinished run (no {CONFIG})")
    return folder.config


def check(config: str | Path | Config | None = None, *, labels: bool = False, **settings: Any) -> Report:
    """What is wrong or odd about the data of a training with these settings; nothing is trained.

    Args:
        config: A YAML file, or a configuration; settings override it.
        labels: Whether to look for labels that are probably wrong, too, which takes a pass of the whole model.
        settings: As those of `train`.

    Raises:
        InputError: configuration, data or model can't be read at all; what is wrong with records is in the report.
    """
    from .quality.report import check as report

    settled, sources = configured(config, settings)
    if labels:
        devices.check(settled.training.device)
    return report(settled, sources, labels=labels)


def plan(config: str | Path | Config | None = None, *, started: float = 0.0, **settings: Any) -> Plan:
    """What a training with these settings will take; a few steps are tried, and nothing is kept.

    Args:
        config: A YAML file, or a configuration; settings override it.
        started: Seconds that starting the program took before this call, to be counted too.
        settings: As those of `train`.

    Raises:
        InputError: configuration, data or model can't be used.
    """
    from .data.parts import read_data
    from .model.families import locate

    begun = time.perf_counter() - started
    settled, sources = configured(config, settings)
    devices.check(settled.training.device)
    locate(settled.model.name)
    data = read_data(settled, sources)
    from .training.plan import plan as figures

    return figures(settled, data, begun=begun)


def compare(
    *runs: str | Path,
    split: Literal["test", "validation"] = "test",
    metric: str | None = None,
    baseline: str | Path | None = None,
    margin: float = 0.0,
    gate: str | None = None,
) -> Comparison:
    """Compare finished runs on the same rows, from their stored predictions.

    Runs that differ by their seed alone are seeds of one recipe, and recipes are compared over seeds and rows.

    Args:
        runs: Folders of two or more runs, the oldest first.
        split: `test`, or `validation`, which is optimistic: it chose the epochs.
        metric: Name of the metric; by default the one that chose the epochs of all runs.
        baseline: Folder of the run with which all others are compared, or `best`; by default the first.
        margin: Difference of the score that does not matter.
        gate: What the last run may lose against the baseline: `accuracy -0.5, recall per label -2`, in points.

    Raises:
        ConfigError: a run can't be used, the runs have no rows in common, or an argument is wrong.
    """
    from .comparison.comparison import compare as compared

    notebook.prepare()
    named = None if baseline is None else str(baseline)
    return compared(runs, split=split, metric=metric, baseline=named, margin=margin, gate=gate)


def load(path: str | Path, *, device: str = "auto", precision: Literal["auto", "fp32", "bf16"] = "auto") -> Predictor:
    """A fine-tuned model, ready to answer: a run of afina's, a model folder, or a hub id.

    Args:
        path: Where it is.
        device: Where it is to compute: `auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1` or `mps`.
        precision: The arithmetic; `auto` is that of the training. But what a GPU trained in bf16 answers in fp32 on a
            CPU that computes bf16 more slowly, with probabilities that differ in their third digit.

    Raises:
        ModelError: it can't be loaded.
        ConfigError: the device is not there.
    """
    notebook.prepare()
    from .serving.predictor import load as open_model

    return open_model(path, device=device, precision=precision)


def configured(config: str | Path | Config | None, settings: Mapping[str, Any]) -> tuple[Config, dict[str, Any]]:
    """A checked configuration, and the data in memory that stand for files.

    Raises:
        ConfigError: lists every setting that is wrong.
    """
    notebook.prepare()
    sources, overrides = parted(settings, SPLITS, SHORT)
    return load_config(config, overrides), sources


def parted(
    settings: Mapping[str, Any], splits: Iterable[str], short: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of a call in two: data in memory by the name of the setting, and overrides of a configuration by path.

    Args:
        settings: Settings by short name, or by path with two underscores for the dot.
        splits: Settings that may be data in memory.
        short: The path of each short name.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    sources = {name: given.pop(name) for name in splits if not isinstance(given.get(name, ""), (str, Path))}
    overrides = {
        short.get(name, name.replace("__", ".")): str(value) if isinstance(value, Path) else value
        for name, value in given.items()
    }
    return sources, overrides


def events(
    config: Config, sources: Mapping[str, Any] | None = None, *, overwrite: bool = False
) -> Generator[Event, None, None]:
    """A training, one event at a time; the last one is `Done`. Closing it while it trains leaves a checkpoint.

    The early checks are done by the call itself: whoever listens for signals hears them from the first event on.

    Args:
        config: Checked configuration.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.
        overwrite: Whether a run that is in the folder `out` is moved aside first.

    Raises:
        InputError: configuration, data or model can't be used; nothing was started.
        TrainingError: at an event: the run failed.
    """
    data = opened(config, sources, overwrite=overwrite)
    from .reporting.ending import with_page
    from .tracking.following import tracked
    from .training import rundir
    from .training.run import stream

    folder = rundir.folder_of(config.out, task=config.task, strategy=config.strategy, seed=config.seed)
    run = stream(config.model_copy(update={"out": str(folder)}), data)
    return tracked(with_page(run) if config.training.report == "on" else run, config.training.track, folder)


def opened(config: Config, sources: Mapping[str, Any] | None = None, *, overwrite: bool = False) -> Data:
    """The data of a run. Everything that can be wrong is looked at before anything heavy is loaded, and told at once.

    A run that is to be overwritten is moved aside when nothing else is wrong.

    Raises:
        InputError: folder, model or data can't be used.
    """
    from .tracking import base as trackers
    from .training import rundir, start

    folder = rundir.folder_of(config.out, task=config.task, strategy=config.strategy, seed=config.seed)
    others = [
        *start.complaints(strategies.find, config.strategy),
        *start.complaints(trackers.check, config.training.track),
    ]
    return start.data_for(folder, config, sources, others, overwrite=overwrite)
