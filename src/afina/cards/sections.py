"""The other sections of a card: what the model is, its scores, data, training, cost and licence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..baselines import LINEAR
from ..inference import telling
from ..metrics.scores import higher_is_better
from ..printing import safe
from ..text.languages import LANGUAGES
from .facts import Facts, finite
from .limits import named
from .markdown import code, table
from .words import Words

Block = list[str]
LABELS = 30
"""Rows of the table of labels in the data."""


def beginning(facts: Facts, words: Words) -> list[Block]:
    """The title, what the model gives, and its labels."""
    own = facts.commonest
    pair = ".pair" if facts.paired and f"is.{facts.kind}.pair" in words.texts else ""
    gives = words(
        f"is.{facts.kind}{pair}",
        labels=words.many(len(own), "label"),
        types=words.many(len(own), "type"),
        summary=safe(facts.task.summary),
    )
    begun = words("from random" if facts.random else "fine-tuned", base=base_named(facts, words))
    labels = [words("labels", labels=named(own, words))] if own else []
    return [[f"# {code(facts.name)}"], [f"{gives} {begun}"], labels]


def base_named(facts: Facts, words: Words) -> str:
    """The base model as a sentence names it."""
    shown = code(facts.base.shown)
    return words("local", base=shown) if facts.base.local else shown


# ---------------------------------------------------------------------------------------------------------------------
# Scores.


def scores(facts: Facts, words: Words) -> list[Block]:
    """The scores of each split beside those of the baselines, and those of the labels where they count."""
    blocks = [[f"## {words('scores')}"]]
    for name, one in facts.scores.items():
        blocks += [[words(f"scores.{name}", examples=words.many(one["examples"], "example"))], scored(one, words)]
    first = facts.scores[facts.scored]
    blocks.append(list(remarks(first, words)))
    blocks += by_label(first, words)
    honest = (first.get("calibration") or {}).get("scores") or {}
    values = {name: value for name, value in honest.items() if finite(value) is not None}
    if facts.recalibrated:
        known = facts.task.calibration
        blocks.append(
            [
                words(
                    "recalibrated",
                    examples=words.many(known.examples, "example"),
                    temperature=words.short(known.temperature),
                )
            ]
        )
    elif values:
        shown = ", ".join(f"{words.known(name, code(name))} {words.number(value)}" for name, value in values.items())
        blocks.append([words("calibration", scores=shown)])
    return blocks


def scored(one: Mapping[str, Any], words: Words) -> Block:
    """A table of scores with intervals, and those of the baselines beside them."""
    beside = one.get("baselines") or {}
    heads = [words("TF-IDF linear") if name == LINEAR else words("constant") for name in beside]
    rows = []
    for name, value in one["metrics"].items():
        low, high = map(finite, one["intervals"].get(name) or (None, None))
        between = "" if low is None or high is None else f"{words.number(low)} – {words.number(high)}"
        arrow = "" if higher_is_better(name) else " ↓"
        theirs = [words.number(finite(values.get(name))) for values in beside.values()]
        rows.append([f"{code(name)}{arrow}", words.number(finite(value)), between, *theirs])
    return table([words("metric"), words("model"), words("interval"), *heads], rows, numbers=2 + len(heads))


def remarks(one: Mapping[str, Any], words: Words) -> Iterator[str]:
    """What the tables mean, in a paragraph."""
    said = []
    if not all(map(higher_is_better, one["metrics"])):
        said.append(words("scores.down"))
    beside = [
        words("beside.linear") if name == LINEAR else words("beside.constant", name=code(name))
        for name in one.get("baselines") or {}
    ]
    said.append(words("scores.beside", beside=", ".join(beside)) if beside else words("scores.alone"))
    reasons = one.get("reasons") or {}
    if reasons:
        said.append(words("scores.without", reasons=without(reasons, words)))
    yield " ".join(said)


def without(reasons: Mapping[str, str], words: Words) -> str:
    """The metrics without an interval, each reason once; reasons are in English, so that other cards name none."""
    grouped: dict[str, list[str]] = {}
    for name, why in reasons.items():
        grouped.setdefault(why if words.code == "en" else "", []).append(code(name))
    parts = (
        f"{', '.join(names)} ({code(why, longest=200)})" if why else ", ".join(names) for why, names in grouped.items()
    )
    return "; ".join(parts)


def by_label(one: Mapping[str, Any], words: Words) -> list[Block]:
    """The scores of each label; of many labels the commonest and the worst."""
    chosen = telling(one["breakdown"])
    if not chosen:
        return []
    which = words("scores.chosen") if len(chosen) < len(one["breakdown"]) else ""
    names = list(chosen[0])
    heads = [words("label"), *map(code, names[1:])]
    rows = [[code(str(line[names[0]])), *(value(line.get(name), words) for name in names[1:])] for line in chosen]
    return [[words("scores.by label", which=which)], table(heads, rows, numbers=len(names) - 1)]


def value(given: Any, words: Words) -> str:
    """A value of a table, as Markdown."""
    if isinstance(given, bool) or not isinstance(given, int | float | None):
        return code(str(given))
    return words.count(given) if isinstance(given, int) else words.number(finite(given))


# ---------------------------------------------------------------------------------------------------------------------
# Data.


def data(facts: Facts, words: Words) -> list[Block]:
    """How many examples there are, which files they come from, and how often each label occurs."""
    rows = [
        [
            words(name),
            words.count(facts.data[name]["examples"]),
            words.count(facts.data[name].get("left_out") or 0),
            source(facts, name, words),
        ]
        for name in facts.splits
    ]
    heads = [words("part"), words("examples"), words("left out"), words("source")]
    blocks = [[f"## {words('data')}"], table(heads, rows)]
    columns = facts.task.options.chosen
    if columns:
        shown = "; ".join(f"{role} = {', '.join(map(code, names[:LABELS]))}" for role, names in columns.items())
        blocks.append([words("columns", columns=shown)])
    name = LANGUAGES.get(facts.language)
    own = None if name is None else name[0] if words.code == "en" else name[1]
    blocks.append([words("data.unknown") if own is None else words("data.language", language=own)])
    return [*blocks, *label_counts(facts, words), [words("data.licence")]]


def source(facts: Facts, split: str, words: Words) -> str:
    """The names of the files that a split comes from."""
    names, held = facts.sources(split)
    shown = code(names[0]) if names else words("source.memory")
    if len(names) > 1:
        shown = words("source.more", first=shown, files=words.many(len(names) - 1, "file"))
    return words("source.held", source=shown) if held else shown


def label_counts(facts: Facts, words: Words) -> list[Block]:
    """How often each label occurs in each split, the commonest first."""
    counts = facts.labels
    order = [*facts.commonest, *(label for label in counts if not counts[label].get("train"))]
    if not order:
        return []
    shown = order[:LABELS]
    which = words("data.chosen", count=len(shown), all=words.count(len(order))) if len(shown) < len(order) else ""
    rows = [[code(label), *(words.count(counts[label][name]) for name in facts.splits)] for label in shown]
    heads = [words("label"), *map(words, facts.splits)]
    return [[words("data.labels", which=which)], table(heads, rows, numbers=len(facts.splits))]


# ---------------------------------------------------------------------------------------------------------------------
# Training.


def training(facts: Facts, words: Words) -> list[Block]:
    """The settings, and how far the training went."""
    settings, record, model = facts.config["training"], facts.record, facts.config["model"]
    batch = int(settings["batch_size"] or 0) * int(settings["accumulation"])
    rows = {
        "strategy": code(str(facts.config["strategy"])),
        "head": words("head.native") if facts.native else code(str(model["head"])),
        "trained": words.count(record["parameters"]["trained"]),
        "frozen": words.count(record["parameters"]["frozen"]),
        "epochs": words(
            "epochs.best", taken=words.count(record["steps"]), best=words.short(float(record["best"]["epoch"]))
        ),
        "metric.chose": code(str(record["best"]["metric"])),
        "batch": words.count(batch),
        "rate": words.short(float(settings["learning_rate"])),
        "schedule": code(str(settings["schedule"])),
        "decay": words.short(float(settings["weight_decay"])),
        "max_length": "–" if facts.max_length is None else words.count(facts.max_length),
        "precision": code(str(facts.about.precision)),
        "seed": str(facts.config["seed"]),
        "versions": ", ".join(f"{name} {code(str(one))}" for name, one in versions(facts).items()),
    }
    lines = [[words(name), value] for name, value in rows.items()]
    return [[f"## {words('training')}"], table([words("setting"), words("value")], lines)]


def versions(facts: Facts) -> Mapping[str, str]:
    """Versions of the libraries that trained the model."""
    known: Mapping[str, str] = facts.record.get("machine", {}).get("versions", {})
    return known


def cost(facts: Facts, words: Words) -> list[Block]:
    """What the training took, as far as it was measured."""
    record = facts.record
    machine, seconds = record.get("machine", {}), record["seconds"]
    name = code(str(machine.get("name", "")))
    if machine.get("device") == "cpu":
        threads = int(machine.get("threads") or 1)
        used = f"{words.count(threads)} {words('cost.thread' if threads == 1 else 'cost.threads')}"
        device = words("cost.device.cpu", threads=used, name=name)
    else:
        device = words("cost.device", name=name, device=code(str(machine.get("device", ""))))
    whole, train = words.duration(sum(seconds.values())), words.duration(seconds.get("train", 0.0))
    said = [words("cost.time", whole=whole, train=train, device=device)]
    flops = finite((record.get("flops") or {}).get("training"))
    if flops:
        said.append(words("cost.flops", flops=words.short(float(f"{flops:.3g}"))))
    said.append(words("cost.tokens", tokens=words.many(int(record["tokens"]), "token")))
    memory = [finite(one) for one in (record.get("memory") or {}).values()]
    most = max((one for one in memory if one), default=None)
    if most:
        said.append(words("cost.memory", memory=words.number(most / 1e9, 1)))
    return [[f"## {words('cost')}"], [" ".join([*said, words("cost.energy")])]]


def licence(facts: Facts, words: Words) -> list[Block]:
    """The base model and its licence, where they are known."""
    base = facts.base
    known = base.known if base.known is not None and base.known.licence else None
    said = (
        words("licence.unknown", base=base_named(facts, words))
        if known is None
        else words("licence.known", base=code(base.shown), licence=code(known.licence), source=f"<{known.source}>")
    )
    return [[f"## {words('licence')}"], [f"{said} {words('licence.own')}"]]
