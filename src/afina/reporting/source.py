"""A finished run as its page reads it: settings, record, score table, and its examples one by one.

Everything comes from the run's folder. Runs that kept no texts are read beside their data, where these are still there.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..comparison.runs import finished, made_anew, task_of
from ..config import Config
from ..config import load as load_config
from ..data.parts import read_data
from ..errors import ConfigError, InputError
from ..printing import many
from ..records import Example
from ..tasks.base import Task
from ..training import rundir
from ..training.rundir import RunFolder
from ..training.score_tables import Scored

Texts = Literal["kept", "read", "gone"]
"""Where texts come from: the run's folder, its data files, or nowhere."""


@dataclass(frozen=True, slots=True)
class Item:
    """An example of the page's split and what was said of it.

    Attributes:
        number: Its number in the split, from 0.
        example: The example; its text is empty where it is not known.
        prediction: What the model said.
        tokens: Number of its tokens; None where that is not known.
        truncated: Number of tokens that were cut off.
        unknown: Number of tokens that the vocabulary lacks; None where that is not known.
    """

    number: int
    example: Example
    prediction: Mapping[str, Any]
    tokens: int | None = None
    truncated: int = 0
    unknown: int | None = None

    @property
    def target(self) -> Any:
        """What is right."""
        return self.example.target

    @property
    def said(self) -> Any:
        """The answer itself, which is the first entry of a prediction."""
        return next(iter(self.prediction.values()), None)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A finished run.

    Attributes:
        run: Its folder.
        config: Its complete configuration.
        record: The content of `run.json`.
        split: What the page is about: `test`, or `validation` where there are no test data.
        task: The fitted task; None where neither scores nor a model say what it is.
        scored: What the scores of the split are made of; None where that is not known.
        texts: Where texts come from.
        examples: The examples of the split, where they were read from the data.
        first: Number of the line of `predictions.jsonl` where the split begins, from 0.
        size: Number of its examples.
    """

    run: RunFolder
    config: Config
    record: Mapping[str, Any]
    split: str
    task: Task | None
    scored: Scored | None
    texts: Texts
    examples: Sequence[Example] = ()
    first: int = 0
    size: int = 0

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.run.path.absolute().name

    @property
    def metric(self) -> str:
        """Name of the metric that chose the epoch."""
        return str(self.record["best"]["metric"])

    def evaluation(self, split: str | None = None) -> Mapping[str, Any]:
        """The scores of a split; empty where it was not scored. In runs of an earlier version, under today's names."""
        found = self.record.get(split or self.split) or {}
        old = {"breakdown": found.get("details", []), "truncated": found.get("cut", 0), "baselines": {}}
        old |= {"intervals": {}, "reasons": {}, "truncated_tokens": found.get("lost", 0), "calibration": None}
        return {**old, **found} if found else {}

    def items(self, only: Container[int] | None = None) -> Iterator[Item]:
        """The examples of the split in order: all, or those of some numbers. Only one at a time is in memory.

        Raises:
            ConfigError: a file is damaged, or the files are of different runs; names the file.
        """
        lines = _Shifted(self.first, self.size, only)
        said = self.run.lines(rundir.PREDICTIONS, lines)
        kept = self.run.lines(rundir.EXAMPLES, lines) if self.texts == "kept" else None
        for number in (i for i in range(self.size) if only is None or i in only):
            line, texts = next(said, {}), {} if kept is None else next(kept, {})
            if line.get("split", line.get("part")) != self.split:
                file, at = self.run.path / rundir.PREDICTIONS, self.first + number + 1
                raise ConfigError(f"{file}:{at}: damaged: expected the prediction of a {self.split} example")
            if kept is not None and texts.get("place") != line.get("place"):
                file = self.run.path / rundir.EXAMPLES
                raise ConfigError(f"{file}:{self.first + number + 1}: not the example of {rundir.PREDICTIONS}")
            yield self.item(number, line, texts)

    def item(self, number: int, line: Mapping[str, Any], texts: Mapping[str, Any]) -> Item:
        """An example from its lines."""
        prediction = {key: value for key, value in line.items() if key not in ("split", "part", "place", "target")}
        example = Example("", target=line.get("target"), place=str(line.get("place", "")))
        if self.texts == "read":
            example = replace(self.examples[number], target=line.get("target"))
        elif texts:
            words = texts.get("words")
            spans = None if words is None else tuple((int(start), int(end)) for start, end in words)
            example = replace(
                example, text=str(texts.get("text", "")), pair=texts.get("pair"), words=spans, group=texts.get("group")
            )
        unknown = texts.get("unknown", 0) if texts else None
        return Item(number, example, prediction, texts.get("tokens"), texts.get("truncated", 0), unknown)


@dataclass(frozen=True, slots=True)
class _Shifted(Container[int]):
    """Numbers of lines of a file, from those of the examples of a split."""

    first: int
    size: int
    only: Container[int] | None

    def __contains__(self, line: object) -> bool:
        number = line - self.first if isinstance(line, int) else -1
        return 0 <= number < self.size and (self.only is None or number in self.only)


def outlined(folder: Path, split: str = "") -> Source:
    """A finished run without its examples and what their scores are made of.

    Args:
        folder: Folder of the run.
        split: What to read of it; by default the test data, or the validation data where there are none.

    Raises:
        ConfigError: there is no finished run, or a file of it is damaged; names the file.
    """
    run = finished(folder)
    record = run.record()
    split = split or ("test" if record.get("test") else "validation")
    if not isinstance(record.get("best"), dict) or not isinstance(record.get(split), dict):
        raise ConfigError(f"{folder / rundir.RUN}: damaged: no scores of {split}")
    config = load_config(run.config)
    sizes = {name: int((record.get(name) or {}).get("examples", 0)) for name in ("validation", split)}
    first, size = (sizes["validation"] if split == "test" else 0), sizes[split]
    return Source(run, config, record, split, None, None, "gone", (), first, size)


def opened(folder: Path, split: str = "") -> Source:
    """A finished run, ready to be read; arguments and errors are those of `outlined`."""
    source = outlined(folder, split)
    run, split, size = source.run, source.split, source.size
    if (folder / rundir.SCORES).exists():
        scored = run.scored(split)
        if len(scored.examples) != size:
            rows = many(len(scored.examples), "row")
            raise ConfigError(f"{folder / rundir.SCORES}: damaged: {rows} of {split}, and {size:,} in {rundir.RUN}")
        source = replace(source, task=task_of(run), scored=scored)
    else:
        source = of_earlier(source)
    if (folder / rundir.EXAMPLES).exists():
        return replace(source, texts="kept")
    return with_data(source)


def of_earlier(source: Source) -> Source:
    """A run of an earlier version, which kept no score tables, with what is still known of them."""
    try:
        task = task_of(source.run)
    except ConfigError:
        return source
    source = replace(source, task=task)
    try:
        scored = made_anew(source.run, source.config, task, record=source.record, split=source.split)
    except ConfigError:
        return source
    return replace(source, scored=scored)


def with_data(source: Source) -> Source:
    """A run that kept no texts, with those of its data where these are as they were."""
    if source.config.data.train is None:
        return source
    try:
        examples = read_data(source.config).splits.get(source.split, [])
    except InputError:
        return source
    lines = source.run.lines(rundir.PREDICTIONS, _Shifted(source.first, source.size, None))
    same = len(examples) == source.size and all(
        line.get("place") == example.place for line, example in zip(lines, examples, strict=False)
    )
    return replace(source, texts="read", examples=examples) if same else source
