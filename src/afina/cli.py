"""The command line: parse, call, print. Exit codes: 0 done, 1 failed, 2 the input is wrong, 130 interrupted.

Everything heavy is imported by the command that needs it, after the arguments and the named files are checked.
"""

from __future__ import annotations

import csv
import itertools
import os
import shlex
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, replace
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import __version__
from .errors import AfinaError, ConfigError, InputError, TrainingError, printable
from .screen import (
    bar,
    is_terminal,
    lines,
    run_record,
    say,
    say_evaluation,
    say_findings,
    say_json,
    say_plan,
    say_result,
    say_table,
    scores_record,
    silence,
)  # fmt: skip

if TYPE_CHECKING:
    from .config import Config
    from .records import Features, Prediction, Row
    from .serving.predictor import Predictor
    from .training.events import Done, Event

app = typer.Typer(
    help="Fine-tune masked language models on your own labelled data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def main() -> None:
    """The program `afina`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that can't show a character gets its number, not a crash
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="afina")


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function; what it raises becomes a message and an exit code."""

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

    app.command()(answered)
    return answered


def exit_code(error: BaseException) -> int:
    """What the shell is told."""
    if isinstance(error, KeyboardInterrupt):
        return 143 if isinstance(error, Terminated) else 130
    return error.exit_code if isinstance(error, AfinaError) else 1


def complain(error: BaseException) -> None:
    """The error on stderr: one line, or an indented list."""
    lines = str(error).split("\n")
    if isinstance(error, KeyboardInterrupt):
        say(f"interrupted: {error if error.args else 'nothing was written'}", sys.stderr)
    elif not isinstance(error, AfinaError):
        say(f"afina failed: {type(error).__name__}: {lines[0]} (AFINA_DEBUG=1 shows where)", sys.stderr)
    elif len(lines) == 1:
        say(f"error: {lines[0]}", sys.stderr)
    else:
        say("\n  ".join(["error:", *lines]), sys.stderr)


# ---------------------------------------------------------------------------------------------------------------------
# Flags that several commands have.


def flag(metavar: str, text: str, *names: str) -> Any:
    """An option with the word for its value and what it does."""
    return typer.Option(*names, metavar=metavar, help=text)


RunFlag = Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run or of a fine-tuned model, or a hub id.")]
DataFlag = Annotated[str, flag("FILE", "Data: csv, tsv, jsonl, a folder or a glob.")]
TextFlag = Annotated[str | None, flag("COLUMN", "Column of the text.")]
PairFlag = Annotated[str | None, flag("COLUMN", "Column of the second text, for pairs.")]
LabelFlag = Annotated[str | None, flag("COLUMN", "Column of the label.")]
UnseenFlag = Annotated[str | None, flag("NAME", "Labels that training lacks: refuse, or count as missed.")]
HeaderFlag = Annotated[str | None, flag("A,B", "Column names of files without a header line.")]
DelimiterFlag = Annotated[str | None, flag("CHARACTER", "Column delimiter; \\t for a tab.")]
EncodingFlag = Annotated[str | None, flag("NAME", "Encoding of the files; utf-8 by default.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def show_version(asked: bool) -> None:
    """`afina --version`."""
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


# ---------------------------------------------------------------------------------------------------------------------
# Training.


@command
def train(
    call: typer.Context,
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", help="YAML file; flags override it.")] = None,
    task: Annotated[str | None, flag("NAME", "What to learn; `afina tasks` lists them.")] = None,
    train: Annotated[str | None, flag("FILE", "Training data: csv, tsv, jsonl, a folder or a glob.")] = None,
    validation: Annotated[str | None, flag("FILE", "Validation data; without it a part is held out.")] = None,
    test: Annotated[str | None, flag("FILE", "Test data, scored once at the end.")] = None,
    text: TextFlag = None,
    pair: PairFlag = None,
    label: LabelFlag = None,
    tokens: Annotated[str | None, flag("COLUMN", "Column of the words (task tokens).")] = None,
    tags: Annotated[str | None, flag("COLUMN", "Column of the words' tags (task tokens).")] = None,
    offsets: Annotated[str | None, flag("UNIT", "Unit of span offsets: characters, utf16 or bytes.")] = None,
    question: Annotated[str | None, flag("COLUMN", "Column of the question (task answers).")] = None,
    context: Annotated[str | None, flag("COLUMN", "Column of the passage (task answers).")] = None,
    answer: Annotated[str | None, flag("COLUMN", "Column of the answer (task answers).")] = None,
    strategy: Annotated[str | None, flag("NAME", "What trains: full, head or last-N.")] = None,
    model: Annotated[str | None, flag("NAME", "minilm (embedded), a local folder or a Hugging Face id.")] = None,
    head: Annotated[str | None, flag("NAME", "native, linear, mean, max, or crf for tokens.")] = None,
    epochs: Annotated[int | None, flag("N", "Passes over the training data.")] = None,
    batch_size: Annotated[int | None, flag("N", "Examples a step.")] = None,
    learning_rate: Annotated[float | None, flag("X", "Peak learning rate.")] = None,
    max_length: Annotated[int | None, flag("N", "Tokens a text may have.")] = None,
    long: Annotated[str | None, flag("NAME", "Texts over that limit: truncate, or windows that overlap.")] = None,
    dropout: Annotated[float | None, flag("X", "Dropout in the encoder.")] = None,
    weight_decay: Annotated[float | None, flag("X", "Decoupled weight decay.")] = None,
    patience: Annotated[int | None, flag("N", "Epochs without a better score before stopping.")] = None,
    cache_memory: Annotated[float | None, flag("GB", "Memory for the states of frozen layers.")] = None,
    cache_disk: Annotated[float | None, flag("GB", "Disk for them, shared by runs; 0 for none.")] = None,
    seed: Annotated[int | None, flag("N", "Seed of everything random.")] = None,
    out: Annotated[str | None, flag("FOLDER", "Folder of the run; by default runs/TASK-STRATEGY-SEED.")] = None,
    hold_out: Annotated[float | None, flag("X", "Share held out when there is no validation data.")] = None,
    unseen: UnseenFlag = None,
    on_bad_row: Annotated[str | None, flag("NAME", "Rows that can't be used: error, skip or quarantine.")] = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    encoding: EncodingFlag = None,
    settings: Annotated[list[str] | None, flag("PATH=VALUE", "Any setting by its path; repeatable.", "--set")] = None,
    resume: Annotated[str | None, flag("RUN", "Go on with an unfinished run; no other setting is needed.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Fine-tune a model on labelled data. With the --out of an unfinished run it goes on with that run."""
    done = follow(configured(call), quiet=quiet or as_json)
    if as_json:
        say_json(run_record(done))
    else:
        say_result(done)


def flags_of(other: Callable[..., None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes `**flags` the flags of another one, behind its own."""

    def give(function: Callable[..., None]) -> Callable[..., None]:
        own, theirs = (signature(one, eval_str=True).parameters for one in (function, other))
        named = {name: one for name, one in own.items() if one.kind is not Parameter.VAR_KEYWORD}
        more = [one for name, one in theirs.items() if name not in named]
        # What typer reads.
        function.__signature__ = Signature([*named.values(), *more])  # type: ignore[attr-defined]
        function.__annotations__ = {**other.__annotations__, **function.__annotations__}
        return function

    return give


@command
@flags_of(train)
def check(
    call: typer.Context,
    labels: Annotated[
        bool, typer.Option("--labels", help="Look for wrong labels too, and write them to --out for review.")
    ] = False,
    **flags: Any,
) -> None:
    """Say what is wrong or odd about the data. The flags are those of train."""
    judge_data(configured(call), labels=labels, as_json=flags["as_json"])


@command
@flags_of(train)
def plan(call: typer.Context, **flags: Any) -> None:
    """Say what a training will take, and train nothing. The flags are those of train."""
    foresee(configured(call), as_json=flags["as_json"])


def configured(call: typer.Context) -> Config:
    """The configuration that a command's flags make."""
    from .config import load

    flags = {name: value for name, value in call.params.items() if value is not None}
    if resume := flags.get("resume"):
        return load(*unfinished(resume, flags.get("config"), flags))
    return load(flags.get("config"), overrides(flags))


@command
def demo(
    out: Annotated[str | None, flag("FOLDER", "Folder of the run; by default runs/classification-full-0.")] = None,
) -> None:
    """Fine-tune on a bundled sample, and try the model."""
    from .config import load

    folder = demo_folder()
    files = {f"data.{name}": str(folder / f"{name}.csv") for name in ("train", "validation", "test")}
    done = follow(load(None, {**files, "training.epochs": DEMO_EPOCHS, "out": out}))
    say_result(done)
    from .serving.predictor import Predictor

    say()
    for text, prediction in zip(DEMO_TEXTS, Predictor(done.artifact).stream(DEMO_TEXTS), strict=True):
        label = prediction["label"]
        say(f"{prediction['probabilities'][label]:.2f}  {label:<6} {text}")


DEMO_EPOCHS = 6
DEMO_TEXTS = [
    "Nobody has emptied the green bins in our lane for three weeks.",
    "My bicycle wheel broke in the deep hole outside the bakery.",
    "The club next door plays its music until four in the morning!",
]


def demo_folder() -> Path:
    """Where the sample lies: in the installed package, or in a checkout.

    Raises:
        ConfigError: in neither.
    """
    for folder in (Path(__file__).parent / "demo", Path(__file__).parents[2] / "examples" / "classification"):
        if (folder / "train.csv").is_file():
            return folder
    raise ConfigError("demo: this installation has no sample data; install afina from its wheel")


def overrides(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags of `afina train` as settings by path; `--set` comes last and wins.

    Raises:
        ConfigError: a `--set` without a value.
    """
    from .config import SHORT, parse_value

    own = ("config", "settings", "quiet", "as_json", "resume", "labels")
    found = {SHORT.get(name, name): value for name, value in flags.items() if name not in own}
    found |= {f"data.{name}": value for name, value in layout(flags).items()}
    for item in flags.get("settings", ()):
        path, sign, value = item.partition("=")
        if not sign:
            raise ConfigError(f"--set {printable(item)}: expected PATH=VALUE, for example training.warmup=0.2")
        found[path.strip()] = parse_value(value)
    return found


def unfinished(run: str, config: str | None, flags: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The configuration of an unfinished run, and the settings to go on with it.

    Raises:
        ConfigError: there is none, or a setting is given beside it that would make it another run.
    """
    from .training import rundir

    if config is not None:
        raise ConfigError(f"config: {printable(config)} beside --resume; the run's own config.yaml is taken")
    folder = Path(run)
    if (folder / rundir.RUN).exists():
        raise ConfigError(f"--resume: {printable(run)} is finished")
    if not (folder / rundir.CONFIG).is_file():
        raise ConfigError(f"--resume: {printable(run)} holds no unfinished run (no {rundir.CONFIG})")
    return folder / rundir.CONFIG, {**overrides(flags), "out": str(folder)}


def complaints(check: Callable[[Any], object], value: Any) -> list[str]:
    """What a check has against a value."""
    try:
        check(value)
    except InputError as error:
        return [str(error)]
    return []


def layout(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What the flags say about the form of the data files."""
    found = {name: flags[name] for name in ("header", "delimiter", "encoding") if flags.get(name) is not None}
    if "header" in found:
        found["header"] = next(csv.reader([found["header"]]), [])
    if found.get("delimiter") == "\\t":
        found["delimiter"] = "\t"
    return found


def judge_data(config: Config, *, labels: bool, as_json: bool) -> None:
    """Print the findings about the data; errors among them end with exit code 2.

    Args:
        config: As for a training.
        labels: Whether to look for wrong labels too, and write the suspects to `config.out`.
        as_json: One object instead of lines.
    """
    from .quality import label_issues
    from .quality.report import check

    report = check(config, labels=labels)
    notes = list(report.notes)
    if report.label_issues is not None:
        label_issues.write(report.label_issues, config.out or LABEL_ISSUES, data=config.data.train or "")
        notes.append(f"doubtful labels, the worst first: {config.out or LABEL_ISSUES}")
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        say_json({"examples": report.examples, "left_out": report.left_out, "findings": findings})
    else:
        say_findings(notes, report.findings)
    if report.errors:
        raise typer.Exit(2)


LABEL_ISSUES = "doubtful-labels.csv"


def foresee(config: Config, *, as_json: bool) -> None:
    """Print what a training will take."""
    from .data.parts import read_data
    from .model.families import locate

    locate(config.model.name)
    data = read_data(config)
    from .training.plan import plan

    found = plan(config, data)
    if as_json:
        say_json(asdict(found))
    else:
        say_plan(found)


def follow(config: Config, *, quiet: bool = False) -> Done:
    """Train, with a view of it on the screen.

    Raises:
        KeyboardInterrupt: says what is left on disk.
    """
    from .data.parts import read_data
    from .model.families import locate
    from .training.rundir import check, default_folder

    folder = Path(config.out) if config.out else default_folder(config.task, config.strategy, config.seed)
    problems = [*complaints(check, folder), *complaints(locate, config.model.name)]
    try:
        data = read_data(config)
    except InputError as error:
        raise error if not problems else ConfigError([*problems, *str(error).split("\n")]) from None
    if problems:
        raise ConfigError(problems)
    try:
        from .training.events import Done
        from .training.run import stream

        view = silence if quiet else bar if is_terminal() else lines
        run = stream(config.model_copy(update={"out": str(folder)}), data)
        with signals() as asked, closing(attended(run, asked)) as events:  # type: ignore[type-var]
            last = deque(view(events), maxlen=1).pop()
    except KeyboardInterrupt as stop:
        raise type(stop)(what_is_left(folder)) from None
    except BrokenPipeError:
        say(f"stopped, since nothing reads the output: {what_is_left(folder)}", sys.stderr)
        raise
    if isinstance(last, Done):
        return last
    raise TrainingError("the run ended without a result")


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: the system wants us to end, or the terminal has gone."""


@contextmanager
def signals() -> Iterator[list[int]]:
    """SIGINT, SIGTERM and SIGHUP inside become an entry of the list that comes out; a second one stops at once.

    What whoever started us wants ignored (`nohup`) stays ignored.
    """
    asked: list[int] = []

    def note(number: int, _: object) -> None:
        if asked:
            raise stop_of(number)
        asked.append(number)
        with suppress(OSError):  # the terminal may be what has gone
            say("stopping after this step and a checkpoint; once more stops at once", sys.stderr)

    ours = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, note) for number in ours if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_of(number: int) -> KeyboardInterrupt:
    """What a signal raises."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()


def attended(events: Iterator[Event], asked: list[int]) -> Iterator[Event]:
    """Events, until a signal has come: then the run is closed, which writes a checkpoint."""
    with closing(events):  # type: ignore[type-var]
        for event in events:
            yield event
            if asked:
                break
        else:
            return
    raise stop_of(asked[0])


def what_is_left(folder: Path) -> str:
    """What an interrupted run left on the disk."""
    from .training.rundir import CHECKPOINTS

    if any((folder / CHECKPOINTS).glob("step-*")):
        return f"go on with: afina train --resume {shlex.quote(str(folder))}"
    written = folder.exists() and any(folder.iterdir())
    return f"{folder} holds the log so far and no checkpoint" if written else "nothing was written"


# ---------------------------------------------------------------------------------------------------------------------
# Using a model.


@command
def evaluate(
    context: typer.Context,
    run: RunFlag,
    data: DataFlag,
    text: TextFlag = None,
    pair: PairFlag = None,
    label: LabelFlag = None,
    unseen: UnseenFlag = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    encoding: EncodingFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Score a fine-tuned model on labelled data."""
    reading = reading_of(context.params)
    scan(data, reading)
    if unseen not in (None, "refuse", "count"):
        raise ConfigError(f"--unseen: expected refuse or count, found {printable(unseen)}")
    evaluation = open_model(run, context.params).evaluate(data, unseen=unseen or "refuse", **reading)
    if as_json:
        about = {"examples": evaluation.examples, "cut": evaluation.cut, "lost": evaluation.lost}
        say_json({"metrics": scores_record(evaluation), "details": evaluation.breakdown, **about})
    else:
        say_evaluation(evaluation)


@command
def predict(
    context: typer.Context,
    run: RunFlag,
    data: DataFlag,
    out: Annotated[
        str, flag("FILE", "A .csv, .tsv (unquoted: tabs and newlines become spaces) or .jsonl; - for stdout.")
    ] = "-",
    keep: Annotated[bool, typer.Option("--keep", help="Copy the data's columns in front of the predictions.")] = False,
    text: TextFlag = None,
    pair: PairFlag = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    encoding: EncodingFlag = None,
) -> None:
    """Predict: one line of output for each row of the data, in order."""
    from .serving.files import destination, writer

    write = writer(out)
    reading = reading_of(context.params)
    columns, count = scan(data, reading)
    with destination(out, data) as file:
        predictor = open_model(run, context.params)
        cuts: list[int] = []
        answers = answered_rows(predictor, data, reading, lambda some: cuts.extend(one.cut for one in some if one.cut))
        write(file, answers, columns if keep else [])
    if cuts:
        limit = predictor.artifact.tokenizer.max_length
        say(f"{len(cuts):,} texts are longer than {limit} tokens and lose {sum(cuts):,} tokens", sys.stderr)
    if out != "-":
        say(f"{count:,} predictions: {out}")


def reading_of(flags: Mapping[str, Any]) -> dict[str, Any]:
    """How to read the data file, in the terms of the readers."""
    return {"columns" if name == "header" else name: value for name, value in layout(flags).items()}


def scan(data: str, reading: Mapping[str, Any]) -> tuple[list[str], int]:
    """Read the data once before a model is loaded: all columns and the number of rows, or all that is wrong.

    Raises:
        DataError: lists the rows that can't be read.
    """
    from .data.sources import read
    from .errors import SHOWN, DataError, Problem

    columns: dict[str, None] = {}
    problems: list[Problem] = []
    count, wrong = 0, 0
    for item in read(data, **reading):
        count += 1
        if isinstance(item, Problem):
            wrong += 1
            problems += [item] if wrong <= SHOWN else []
        else:
            columns.update(dict.fromkeys(item.values))
    if wrong:
        raise DataError(problems, wrong)
    return list(columns), count


def open_model(run: str, flags: Mapping[str, Any]) -> Predictor:
    """A fine-tuned model, with the columns that the flags name in place of its own."""
    from .config import validated
    from .model.families import locate

    locate(run)
    from .serving.predictor import Predictor, load

    artifact = load(run).artifact
    task = artifact.task
    asked = {name: flags[name] for name in ("text", "pair", "label") if flags.get(name) is not None}
    options = validated(task.Options, {**task.options.model_dump(), **asked}, "options")
    return Predictor(replace(artifact, task=type(task)(options, task.fitted)))


def answered_rows(
    predictor: Predictor, data: str, reading: Mapping[str, Any], watch: Callable[[Sequence[Features]], None]
) -> Iterator[tuple[Row, Prediction]]:
    """Rows beside their predictions, in memory that does not grow with the data; `watch` sees what was cut."""
    from .data.sources import read
    from .inference import predict
    from .records import Row
    from .serving.predictor import unlabelled

    art = predictor.artifact
    items, again = itertools.tee(read(data, **reading))
    predictions = predict(art.network, art.tokenizer, art.task, unlabelled(art.task, items), watch=watch)
    yield from zip((item for item in again if isinstance(item, Row)), predictions, strict=True)


# ---------------------------------------------------------------------------------------------------------------------
# What there is.


@command
def init(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What to learn; `afina tasks` lists them.")],
    out: Annotated[str, flag("FILE", "File to write.")] = "config.yaml",
) -> None:
    """Write a configuration with every setting and what it does."""
    from .templates import template

    text = template(task)
    try:
        with Path(out).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"out: {printable(out)} exists and is not overwritten; give another name (--out)") from None
    except OSError as error:
        raise ConfigError(f"out: {printable(out)} can't be written: {error.strerror}") from None
    say(f"{out}: written; name your data in it, then: afina train {shlex.quote(out)}")


@command
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of them.")] = False,
) -> None:
    """List the kept states of frozen layers, or remove them."""
    from datetime import UTC, datetime

    from .model.states import StateStore, states_folder

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


@command
def tasks() -> None:
    """List the tasks."""
    from .tasks.base import find, names

    rows = [[kind.name, kind.summary, next(iter(kind(kind.Options()).metrics))] for kind in map(find, names())]
    say_table(["task", "learns", "main metric"], rows)


@command
def models() -> None:
    """List the families of models, and the embedded model."""
    from .model.families import EMBEDDED, FAMILIES, locate

    rows = [[name, f"full,{' last-N,' if one.layers else ''} head", one.note] for name, one in FAMILIES.items()]
    say_table(["family", "strategies", "note"], rows)
    say()
    try:
        locate(EMBEDDED)
        say(f"embedded model `{EMBEDDED}`: installed; it needs no network")
    except InputError as error:
        say(f"embedded model `{EMBEDDED}`: not installed; {error}")
