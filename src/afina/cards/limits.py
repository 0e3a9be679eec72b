"""What a model was not measured for, and what its records say against it."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import Facts
from .markdown import code, listed
from .words import Words

FEW, RARE, RARELY = 30, 20, 5
"""Examples of a split, training examples of a label and scored examples of a label under which a card says so."""
UNBALANCED = 10
"""How many times as many examples the commonest label has, from which a card says so."""
SHOWN = 10
"""Labels that a sentence names."""
LEAKS, CHOSEN_ON = ("leak", "near-leak", "mirrored-leak"), "test-in-validation"
"""Findings about scored examples that training knows, and about test examples that chose the epoch."""
SENTENCES = {
    "below-baseline": "below",
    "near-baseline": "near",
    "equal-baseline": "near",
    "constant-prediction": "constant",
    "nothing-right": "nothing right",
}
"""Sentences by the codes of warnings."""
SAID = {*SENTENCES, "few-examples", "few-of-a-label", "never-predicted"}
"""Warnings that other sentences stand for."""


def limits(facts: Facts, words: Words) -> list[list[str]]:
    """The section."""
    said = [*scores(facts, words), *knowledge(facts, words), *lengths(facts, words), *amounts(facts, words)]
    return [[f"## {words('limits')}"], listed([*said, *unmeasured(facts, words)])]


def named(labels: list[str], words: Words) -> str:
    """Labels, the first ones, as code."""
    shown = ", ".join(map(code, labels[:SHOWN]))
    more = len(labels) - SHOWN
    return words("more", shown=shown, count=words.count(more)) if more > 0 else shown


def scores(facts: Facts, words: Words) -> Iterator[str]:
    """How far the scores go."""
    split = words(facts.scored)
    if facts.scored != "test":
        yield words("limit.no test")
    yield words("limit.drawn", split=split)
    for name, one in facts.scores.items():
        if one["examples"] < FEW:
            yield words("limit.few", split=words(name), examples=words.many(one["examples"], "example"))
    for code_, sentence in SENTENCES.items():
        if code_ in facts.warned:
            yield words(f"limit.{sentence}", split=split)
    leaked = facts.counted(*LEAKS)
    if leaked:
        yield words("limit.leak", examples=words.many(leaked, "example"))
    if chosen := facts.counted(CHOSEN_ON):
        yield words("limit.chosen on", examples=words.many(chosen, "example"))
    others = sorted(set(facts.warned) - SAID)
    if others:
        yield words("limit.warned", codes=", ".join(map(code, others)))


def knowledge(facts: Facts, words: Words) -> Iterator[str]:
    """What the model can say at all."""
    own = len(facts.commonest)
    yield words(f"limit.{facts.kind}", labels=words.many(own, "label"), types=words.many(own, "type"))


def lengths(facts: Facts, words: Words) -> Iterator[str]:
    """What the length limit costs."""
    if facts.max_length is None:
        return
    tokens = words.many(facts.max_length, "token")
    if facts.task.slides:
        yield words("limit.slides", tokens=tokens)
    for name, one in facts.scores.items():
        if one["truncated"]:
            yield words(
                "limit.truncated",
                count=words.count(one["truncated"]),
                examples=words.many(one["examples"], "example"),
                share=words.share(one["truncated"], one["examples"]),
                split=words(name),
                tokens=tokens,
                lost=words.many(one["truncated_tokens"], "token"),
            )
        elif not facts.task.slides:
            yield words("limit.whole", split=words(name), tokens=tokens)
    for name, gold in facts.record.get("coverage", {}).items():
        lost = gold["gold"] - gold["covered"]
        if lost and name in facts.scores:
            unit = words.known(f"unit.{facts.task.unit}", facts.task.unit)
            yield words(
                "limit.gold", lost=words.count(lost), gold=words.count(gold["gold"]), unit=unit, split=words(name)
            )


def amounts(facts: Facts, words: Words) -> Iterator[str]:
    """Labels with few examples, or with many times those of others, and labels that are never predicted."""
    own, counts = facts.commonest, facts.labels
    rare = [f"{code(label)} ({words.count(counts[label]['train'])})" for label in own if counts[label]["train"] < RARE]
    if rare:
        shown = ", ".join(rare[-SHOWN:])
        more = len(rare) - SHOWN
        shown = words("more", shown=shown, count=words.count(more)) if more > 0 else shown
        yield words("limit.rare", few=RARE, labels=shown)
    if len(own) > 1 and counts[own[0]]["train"] >= UNBALANCED * counts[own[-1]]["train"]:
        times = words.number(counts[own[0]]["train"] / counts[own[-1]]["train"], 0)
        yield words("limit.unbalanced", most=code(own[0]), least=code(own[-1]), times=times)
    lines = facts.scores[facts.scored]["breakdown"]
    few = [str(line["label"]) for line in lines if 0 < line.get("support", 0) < RARELY]
    if few:
        yield words("limit.rarely scored", few=RARELY, split=words(facts.scored), labels=named(few, words))
    never = [str(line["label"]) for line in lines if line.get("support") and line.get("predicted") == 0]
    if never:
        yield words("limit.never", split=words(facts.scored), labels=named(never, words))


def unmeasured(facts: Facts, words: Words) -> Iterator[str]:
    """What nobody has looked at."""
    yield words("limit.groups")
    yield words("limit.labels taken")
    if facts.recalibrated or not (facts.scores[facts.scored].get("calibration") or {}).get("scores"):
        yield words("limit.confidence")
    yield words("limit.seed", seed=facts.config["seed"])
