"""What was trained on what, with which settings, at what cost, and how to do it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from .. import strategies
from ..config import Config
from ..errors import InputError
from ..training import rundir
from ..training.resume import flat
from .blocks import Block, Cell, Chart, Code, Facts, Folded, Grid, Prose, Share
from .figures import Bars, bars
from .phrases import Words, foreign
from .source import Source

NOT_SHOWN = ("out", "data.train", "data.validation", "data.test")
"""Settings that stand elsewhere on the page."""
MACHINE = ("threads", "micro_tokens", "precision")
"""Settings of `training` that the machine decides where they are left open."""


def trained_on(source: Source, words: Words) -> Sequence[Block]:
    """The data, the parameters that trained, and the settings with their origin."""
    numbers, record = words.numbers, source.record
    data = source.run.data()
    rows: list[list[Cell]] = []
    for split in ("train", "validation", "test"):
        if split in data:
            own = data[split]
            rows.append(
                [
                    words.html(f"split.{split}"),
                    own.get("examples"),
                    str(own.get("source", "")),
                    own.get("left_out", 0),
                ]
            )
    columns = [words("data.split"), words("data.examples"), words("data.source"), words("data.left_out")]
    parameters = record.get("parameters") or {}
    trained, frozen = int(parameters.get("trained", 0)), int(parameters.get("frozen", 0))
    share = numbers.percent(trained / max(1, trained + frozen))
    facts: list[tuple[str | Markup, str | Markup]] = [
        (words("facts.task"), foreign(source.config.task)),
        (words("facts.model"), foreign(source.config.model.name)),
        (words("facts.strategy"), foreign(source.config.strategy)),
        (words("facts.head"), foreign(source.config.model.head)),
        (words("facts.parameters"), words.html("facts.trained", trained=numbers.large(trained, ""), share=share)),
        (words("facts.frozen"), frozen_proof(source, words)),
    ]
    blocks: list[Block] = [Facts(facts), Grid(columns, rows, "", words("data.caption"))]
    targets = {split: own["targets"] for split, own in data.items() if isinstance(own, dict) and own.get("targets")}
    if targets:
        blocks.append(Folded(words("data.labels"), [label_counts(targets, words)]))
    return [*blocks, *settings(source, words)]


def frozen_proof(source: Source, words: Words) -> str:
    """Whether the frozen weights stayed as they were."""
    proof = source.record.get("freeze_proof") or {}
    count, moved = int(proof.get("frozen_tensors", 0)), proof.get("frozen_tensors_moved") or []
    if not count:
        return words("facts.nothing_frozen")
    return words("facts.proved" if not moved else "facts.moved", count=words.numbers.whole(count))


def label_counts(targets: dict[str, dict[str, int]], words: Words) -> Grid:
    """How often each label occurs in each split."""
    labels = list(dict.fromkeys(label for own in targets.values() for label in own))
    labels.sort(key=lambda label: -sum(own.get(label, 0) for own in targets.values()))
    rows: list[list[Cell]] = [[label, *(own.get(label, 0) for own in targets.values())] for label in labels[:200]]
    return Grid([words("sets.label"), *(words(f"split.{name}") for name in targets)], rows, "label-counts.csv")


def settings(source: Source, words: Words) -> list[Block]:
    """All settings with where each comes from: those that somebody chose or something decided first."""
    rows = [(path, value, origin) for path, value, origin in origins(source) if path not in NOT_SHOWN]
    first = [row for row in rows if row[2] != "default"]
    others = [row for row in rows if row[2] == "default"]
    columns = [words("settings.path"), words("settings.value"), words("settings.origin")]

    def lines(some: Sequence[tuple[str, Any, str]]) -> list[list[Cell]]:
        return [
            [Markup("<code>{}</code>").format(path), written(value, words), words.html(f"settings.{origin}")]
            for path, value, origin in some
        ]

    return [
        Grid(columns, lines(first), "", words("settings.caption")),
        Folded(words("settings.others", count=words.numbers.whole(len(others))), [Grid(columns, lines(others))]),
    ]


def written(value: Any, words: Words) -> str:
    """The value of a setting, as it is typed."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else words.numbers.setting(value)


def origins(source: Source) -> Iterator[tuple[str, Any, str]]:
    """Every setting, its value, and where it comes from.

    The folder keeps the complete configuration. A value that is what the strategy, the machine or the model would give
    counts as theirs, also where somebody typed the same.
    """
    config = source.config
    usual = dict(flat(Config().model_dump(mode="json", exclude={"options"})))
    try:
        task = config.make_task()
        usual |= {f"options.{name}": value for name, value in type(task).Options().model_dump(mode="json").items()}
    except (InputError, ValueError):  # options that have no defaults
        pass
    decided = decisions(source)
    for path, value in flat(config.model_dump(mode="json")):
        name = path.removeprefix("training.")
        if path in decided and decided[path] == value:
            origin = "strategy"
        elif path.startswith("training.") and name in MACHINE:
            origin = "machine"
        elif path == "model.max_length" or (path.startswith("model.") and path.endswith("dropout") and value is None):
            origin = "inherited"
        elif path in usual and usual[path] == value:
            origin = "default"
        else:
            origin = "chosen"
        yield path, value, origin


def decisions(source: Source) -> dict[str, Any]:
    """What the strategy decides for this amount of data and size of model, by path."""
    config, width = source.config, width_of(source)
    try:
        found = strategies.find(config.strategy).defaults(
            examples=int(source.run.data()["train"]["examples"]),
            width=width or 384,
            batch_size=None,
            accumulation=config.training.accumulation,
        )
    except (InputError, KeyError, TypeError, ValueError):
        return {}
    names = ("batch_size", "epochs", "schedule", "patience", "evaluate_every", *(("learning_rate",) if width else ()))
    return {f"training.{name}": getattr(found, name) for name in names}


def width_of(source: Source) -> int | None:
    """The width of the encoder's states, from the saved model; None where there is none."""
    for file in (source.run.model / "config.json", source.run.model / "encoder" / "config.json"):
        try:
            tree = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        width = tree.get("hidden_size", tree.get("dim")) if isinstance(tree, dict) else None
        if isinstance(width, int):
            return width
    return None


# ---------------------------------------------------------------------------------------------------------------------
# Cost, reproduction, environment.


def cost(source: Source, words: Words) -> Sequence[Block]:
    """Seconds by part, arithmetic and memory."""
    numbers, record = words.numbers, source.record
    seconds = {name: float(value) for name, value in (record.get("seconds") or {}).items() if value}
    order = sorted(seconds, key=lambda name: -seconds[name])
    speed, memory, flops = (record.get(name) or {} for name in ("speed", "memory", "flops"))
    facts: list[tuple[str | Markup, str | Markup]] = [(words("cost.total"), numbers.seconds(sum(seconds.values())))]
    for key, value, unit in (
        ("cost.flops", sum(value for value in flops.values() if value), "FLOP"),
        ("cost.process", memory.get("process"), "B"),
        ("cost.gpu", memory.get("gpu"), "B"),
        ("cost.tokens", record.get("tokens"), ""),
        ("cost.speed", speed.get("tokens_per_second"), ""),
    ):
        if value:
            facts.append((words(key), numbers.large(float(value), unit)))
    if speed.get("share_of_peak"):
        facts.append((words("cost.peak"), numbers.percent(speed["share_of_peak"])))
    if not order:
        return [Facts(facts)]
    title, x = words("cost.seconds"), words("cost.unit")
    names = [words.named("clock", name) for name in order]
    figure = Bars(title, x, names, [seconds[name] for name in order], whole=sum(seconds.values()) > 60)
    total = sum(seconds.values())
    rows: list[list[Cell]] = [
        [words.named("clock", name), seconds[name], Share(seconds[name] / total)] for name in order
    ]
    grid = Grid([words("cost.part"), x, words("cost.share")], rows, "seconds.csv")
    return [Facts(facts), Chart(title, bars(figure, numbers), grid)]


def again(source: Source, words: Words) -> Sequence[Block]:
    """How to repeat the run and to use its model, and on what it was made."""
    folder = shlex.quote(str(source.run.path))
    config = shlex.quote(str(source.run.config))
    commands = [f"afina train {config} --out {shlex.quote(str(source.run.path) + '-again')}"]
    if source.record.get("model", rundir.MODEL) is not None:
        commands += [
            f"afina predict {folder} --data FILE --out predictions.csv",
            f"afina evaluate {folder} --data FILE",
        ]
    machine = source.record.get("machine") or {}
    versions = machine.get("versions") or {}
    facts: list[tuple[str | Markup, str | Markup]] = [
        (foreign(name), foreign(value)) for name, value in versions.items()
    ]
    facts += [(words.named("machine", name), foreign(value)) for name, value in machine.items() if name != "versions"]
    facts.append((words("machine.seed"), foreign(source.config.seed)))
    return [
        Prose(words.html("again.how")),
        Code("\n".join(commands)),
        Facts(facts),
        Folded(words("again.config"), [Code(source.run.config.read_text(encoding="utf-8"))]),
    ]
