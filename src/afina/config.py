"""One frozen, typed configuration, read at the edge: a YAML file, then overrides by path, all problems at once.

Values left at None are decided when the data and the model are known (`training/strategies.py::resolve`), printed, and
written into the run's `config.yaml`, which is always complete.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from . import devices, strategies
from .errors import ConfigError, printable
from .printing import many
from .tasks import base as tasks
from .yaml_files import as_yaml, parse_value, read_yaml

SHORT = {
    "text": "options.text",
    "pair": "options.pair",
    "label": "options.label",
    "tokens": "options.tokens",
    "tags": "options.tags",
    "offsets": "options.offsets",
    "question": "options.question",
    "context": "options.context",
    "answer": "options.answer",
    "long": "options.long",
    "model": "model.name",
    "head": "model.head",
    "max_length": "model.max_length",
    "dropout": "model.dropout",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "learning_rate": "training.learning_rate",
    "weight_decay": "training.weight_decay",
    "patience": "training.patience",
    "baseline": "training.baseline",
    "report": "training.report",
    "cache_memory": "training.cache_memory",
    "cache_disk": "training.cache_disk",
    "device": "training.device",
    "track": "training.track",
    "train": "data.train",
    "validation": "data.validation",
    "test": "data.test",
    "hold_out": "data.hold_out",
    "split_seed": "data.split_seed",
    "sample": "data.sample",
    "sample_seed": "data.sample_seed",
    "group_by": "data.group_by",
    "split_by_time": "data.split_by_time",
    "unseen": "data.unseen",
    "on_bad_row": "data.on_bad_row",
    "header": "data.header",
    "delimiter": "data.delimiter",
    "quote": "data.quote",
    "format": "data.format",
    "sheet": "data.sheet",
    "encoding": "data.encoding",
}
"""Short names of the settings that people set most, here and as flags of `afina train`."""


class Section(BaseModel):
    """A part of the configuration: frozen, unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Section):
    """Where the rows come from."""

    train: str | None = Field(None, description="training file (csv, tsv, jsonl), a folder of them, or a glob")
    validation: str | None = Field(
        None, description="validation file; without one a part of the training data is held out"
    )
    test: str | None = Field(None, description="test file: scored once at the end, never used to choose anything")
    hold_out: float = Field(
        0.1, gt=0, lt=1, description="share of the training data held out when there is no validation file"
    )
    split_seed: int = Field(
        0, ge=0, lt=2**32, description="seed of that draw; runs of several seeds are scored on the same rows"
    )
    sample: int | float | None = Field(
        None,
        description="train on a part of the training data: a share below 1, or a number of examples; every label is in "
        "it, and a smaller sample is a part of a larger one",
    )
    sample_seed: int = Field(0, ge=0, lt=2**32, description="seed of that draw")
    group_by: str | None = Field(
        None,
        description="column of groups (authors, documents, patients): held out as a whole or not at all, and in "
        "intervals right or wrong together",
    )
    split_by_time: str | None = Field(
        None, description="column of dates or times: the latest share is held out, in place of a draw"
    )
    unseen: Literal["refuse", "count"] = Field(
        "refuse", description="labels of validation or test data that training lacks: refuse them, or count as missed"
    )
    on_bad_row: Literal["error", "skip", "quarantine"] = Field(
        "error",
        description="records that can't be used: stop, leave them out, or leave them out and keep their bytes in the "
        "run's folder",
    )
    header: list[str] | None = Field(None, description="column names of files that have no header line")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="column delimiter; by default from the file's ending"
    )
    quote: str | None = Field(
        None, max_length=1, description="sign around fields that hold delimiters; empty for none; by default recognised"
    )
    format: str | None = Field(None, description="form of the files; by default recognised (`afina formats`)")
    sheet: str | None = Field(None, description="sheet of a workbook; by default the first that is a table")
    encoding: str | None = Field(None, description="encoding of the files; by default UTF-8, or what is recognised")

    @field_validator("sample", mode="before")
    @classmethod
    def _share_or_number(cls, value: Any) -> Any:
        number = parse_value(value) if isinstance(value, str) else value
        share, whole = type(number) is float and 0 < number < 1, type(number) is int and number >= 1
        if not (number is None or share or whole):
            raise ValueError("expected a share above 0 and below 1, or a whole number of examples")
        return number


class ModelConfig(Section):
    """Which encoder, and which head on it."""

    name: str = Field("minilm", description="`minilm` (embedded), a local folder, or a Hugging Face id")
    head: str = Field(
        "native",
        description="native (the family's own; any Hugging Face tool loads it), linear, mean, max, or crf (tokens)",
    )
    weights: Literal["pretrained", "random"] = Field(
        "pretrained", description="random: the same architecture without what it has learned, as a measure of that"
    )
    dropout: float | None = Field(None, ge=0, lt=1, description="dropout in the encoder; by default the model's own")
    head_dropout: float | None = Field(None, ge=0, lt=1, description="dropout in the head; by default the model's own")
    max_length: int | None = Field(None, ge=8, description="tokens a text may have; by default the model's limit")
    resize: bool = Field(False, description="give rows to tokens of the tokenizer for which the embedding has none")


class TrainingConfig(Section):
    """How to train. None means: decided by the strategy and the amount of data."""

    epochs: int | None = Field(None, ge=1, description="passes over the training data")
    batch_size: int | None = Field(None, ge=1, description="examples whose mean gradient makes one micro-step")
    accumulation: int = Field(
        1, ge=1, description="micro-steps a step: the effective batch is batch_size * accumulation"
    )
    learning_rate: float | None = Field(
        None, gt=0, description="peak learning rate of the encoder (of the head with strategy head)"
    )
    head_learning_rate: float | None = Field(
        None, gt=0, description="peak learning rate of the head; by default learning_rate"
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="factor on the learning rate for each layer further from the head"
    )
    schedule: Literal["linear", "cosine", "constant"] | None = Field(
        None,
        description="learning rate after warm-up: linear, cosine, constant; by default linear (head: constant)",
    )
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the learning rate rises")
    weight_decay: float = Field(
        0.01, ge=0, description="decoupled weight decay; never on biases and normalisation layers"
    )
    clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient; null for none")
    patience: int | None = Field(
        None,
        ge=1,
        description="epochs without a better validation score before stopping; a lower loss alone does not count",
    )
    evaluate_every: int | float | None = Field(
        None,
        gt=0,
        description="epochs between two evaluations on the validation data: a whole number, or a share below 1 for "
        "several evaluations an epoch",
    )
    metric: str | None = Field(
        None,
        description="validation metric that chooses the best epoch, between equal ones the lower loss; by "
        "default the task's first",
    )
    keep: Literal["best", "last"] = Field(
        "best", description="weights that are kept: those of the best epoch on the validation data, or the last ones"
    )
    diverged: Literal["stop", "warn"] = Field(
        "stop", description="when the loss is far above its start and stays there: stop, or warn and go on"
    )
    baseline: Literal["on", "off"] = Field(
        "on", description="on: score a constant answer and a TF-IDF linear model on the same examples, too"
    )
    save: Literal["on", "off"] = Field(
        "on", description="off: keep scores and records of the run, and not the fine-tuned model"
    )
    report: Literal["on", "off"] = Field(
        "on",
        description="on: write the page of the run (report.html), and keep the texts of the validation and test data "
        "for it",
    )
    temperature: Literal["on", "off"] = Field(
        "on",
        description="on: probabilities at the temperature that suits the validation data best; off: plain softmax",
    )
    checkpointing: bool = Field(False, description="gradient checkpointing: less memory, a third more arithmetic")
    micro_tokens: int | None = Field(
        None, ge=1, description="tokens that go through the encoder at once; by default 2048 on a CPU, 16384 on a GPU"
    )
    checkpoint_every: float = Field(
        300.0, ge=0, description="seconds between two checkpoints of an unfinished run; 0 writes one after every step"
    )
    cache_memory: float | None = Field(
        None,
        ge=0,
        description="GB of memory for the states of frozen layers, of a GPU's own first (never more than a quarter of "
        "what is free there); by default a quarter of what is free",
    )
    cache_disk: float = Field(
        5.0, ge=0, description="GB on disk for the same, shared by runs (`afina cache` lists them); 0 keeps none"
    )
    packing: bool = Field(
        True, description="on a CPU, lay windows in one row without padding where the family's attention can"
    )
    graphs: bool = Field(
        True, description="on a CUDA GPU, capture the usual micro-batches as CUDA graphs: several times as fast"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 on a GPU that has it and on a CPU where it is measured to pay, else fp32"
    )
    threads: int | None = Field(
        None, ge=1, description="CPU threads; by default the physical cores, or fewer while other programs use them"
    )
    device: str = Field(
        "auto", description="where to compute: auto (a GPU where there is one), cpu, cuda, cuda:1 (the second GPU), mps"
    )
    strict: bool = Field(
        False,
        description="on a GPU, the same bytes again from the same seed, which is slower; a CPU gives them anyway, and "
        "nothing changes there",
    )

    track: list[str] = Field(
        default=[], description="trackers that are told settings, curves, scores and the model (docs/tracking.md)"
    )

    @field_validator("track", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return list(dict.fromkeys(part.strip() for part in value.split(","))) if isinstance(value, str) else value

    @field_validator("evaluate_every")
    @classmethod
    def _whole_or_share(cls, value: float | None) -> float | None:
        if value is not None and value > 1 and value != int(value):
            raise ValueError("expected a whole number of epochs, or a share of one below 1")
        return value if value is None or value < 1 else int(value)

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if not devices.NAMES.fullmatch(value):
            raise ValueError(devices.EXPECTED)
        return value


class Config(Section):
    """Everything that makes a run, in one tree."""

    task: str = Field("classification", description="what to learn; `afina tasks` lists them")
    strategy: str = Field(
        "full",
        description="what trains: full, head, last-N (the last N layers and the head), head-then-full or "
        "head-then-last-N (first the head alone), or gradual (one more layer each epoch)",
    )
    data: DataConfig = Field(default=DataConfig())
    options: dict[str, Any] = Field(default_factory=dict, description="columns and settings of the task")
    model: ModelConfig = Field(default=ModelConfig())
    training: TrainingConfig = Field(default=TrainingConfig())
    seed: int = Field(0, ge=0, lt=2**32, description="seed of everything random")
    out: str | None = Field(None, description="folder of the run; by default runs/TASK-STRATEGY-SEED")

    @field_validator("strategy")
    @classmethod
    def _known_strategy(cls, value: str) -> str:
        if not strategies.is_known(value):
            raise ValueError(strategies.expected())
        return value

    def make_task(self) -> tasks.Task:
        """The task with its options checked.

        Raises:
            ConfigError: no such task, or its options are wrong.
        """
        kind = tasks.find(self.task)
        return kind(validated(kind.Options, self.options, "options"))


def load(file: str | Path | Config | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """A configuration file (or a configuration) and overrides by path (`training.epochs`), checked as a whole.

    Relative paths inside a file are relative to that file's folder; those of overrides to the working directory.

    Raises:
        ConfigError: lists everything that is wrong, with its path.
    """
    if isinstance(file, Config):
        tree = file.model_dump()
    elif file is not None and not isinstance(file, (str, Path)):
        found = type(file).__name__
        raise ConfigError(f"config: expected the path of a YAML file, found {found}; give data by name: train=...")
    else:
        tree = {} if file is None else located(read_yaml(Path(file)), Path(file).parent)
    for path, value in (overrides or {}).items():
        put(tree, path, value)
    config: Config = validated(Config, tree, "")
    task = config.make_task()
    if config.task != task.name:  # an alias
        config = config.model_copy(update={"task": task.name})
    if config.training.metric not in (None, *task.metrics):
        known = ", ".join(task.metrics)
        raise ConfigError(f"training.metric: {task.name} has no metric {config.training.metric!r}; there are: {known}")
    return config


def dump(config: Config) -> str:
    """The configuration as YAML that `load` reads back."""
    return as_yaml(config.model_dump(mode="json"))


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Write a value into a tree of dicts by its dotted path.

    Raises:
        ConfigError: a part of the path is a value, not a section.
    """
    *sections, last = path.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{path}: {section!r} is a value, not a section")
    tree[last] = value


def located(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The tree with the data files of a configuration file resolved against the folder of that file."""
    data = tree.get("data")
    if isinstance(data, dict):
        for name in ("train", "validation", "test"):
            if isinstance(data.get(name), str) and not Path(data[name]).is_absolute():
                data[name] = str(folder / data[name])
    return tree


# ---------------------------------------------------------------------------------------------------------------------
# Problems in words.


SECTIONS = {"model_type", "dict_type"}
"""Kinds of pydantic's problems with a value where a section stands."""
EXPECTED = {
    "string_type": "expected a text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "expected true or false"),
    # Of classes, only sequences are asked for.
    **dict.fromkeys(("list_type", "tuple_type", "sequence_str", "is_instance_of"), "expected a list"),
    **dict.fromkeys(SECTIONS, "expected settings by name"),
}
"""What is allowed, by kind of problem."""


def validated(model: type[Any], tree: Mapping[str, Any], where: str) -> Any:
    """A pydantic model from a tree, or one ConfigError that lists every problem in our words.

    Raises:
        ConfigError: one line a problem: the path, what was found, what is allowed.
    """
    try:
        return model.model_validate(dict(tree))
    except ValidationError as error:
        raise ConfigError([sentence(model, problem, where) for problem in error.errors()]) from None


def sentence(model: type[BaseModel], problem: Any, where: str) -> str:
    """One pydantic problem as a line: path, found, expected."""
    # Union members appear in the location of a problem; they are not part of the path that the user wrote.
    parts = [str(part) for part in problem["loc"] if not re.match(r"(literal|dict|function)\[", str(part))]
    path = ".".join(([where] if where else []) + parts)
    if problem["type"] == "extra_forbidden":
        section = section_at(model, problem["loc"][:-1])
        return f"{path}: no such setting; {instead(str(problem['loc'][-1]), section)}"
    value = problem["input"]
    shown = type(value).__name__ if problem["type"] in SECTIONS else printable(value)
    return f"{path}: {complaint(problem)}, found {shown}"


def instead(name: str, section: type[BaseModel]) -> str:
    """What may be meant by the name of a setting that a section has not."""
    known = list(section.model_fields)
    short = SHORT if section is Config else {}
    close = difflib.get_close_matches(name, [*known, *short], n=1)
    if not close:
        return f"there are: {', '.join(known)}"
    if close[0] in known:
        return f"did you mean {close[0]!r}?"
    whole = short[close[0]]
    return f"did you mean {whole!r}?" if close[0] == name else f"did you mean {close[0]!r} ({whole})?"


def complaint(problem: Any) -> str:
    """What is allowed, in words that need no knowledge of types."""
    kind = problem["type"]
    if kind.startswith("int_"):
        return "expected a whole number"
    if kind.startswith("float_"):
        return "expected a number"
    if kind in EXPECTED:
        return EXPECTED[kind]
    if kind == "too_short":
        return f"expected {many(problem['ctx']['min_length'], 'value')} or more"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}"


def section_at(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel]:
    """The section class at a path of field names."""
    for part in path:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return model
