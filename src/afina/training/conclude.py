"""The end of a run: the proof of the freeze, scores beside what costs nothing, warnings, and the saved model."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import calibration, disk, inference, strategies
from ..artifact import Artifact
from ..assembly import EncodedDataset
from ..baselines import Baselines
from ..baselines import baselines as baselines_of
from ..calibration import Calibrated
from ..cards import card
from ..cards.language import language_of
from ..data.identity import identity
from ..devices import peak_memory
from ..inference import Evaluation
from ..metrics.kinds import Array
from ..tasks.calibrations import VALIDATION
from ..work import Work
from . import checkpoint, rundir, score_tables
from .card import write_card
from .events import Done, Event, Note, Progress, with_progress
from .proof import prove
from .resume import machine
from .score_tables import NotKept, Scored
from .speed import speed_note, speed_of
from .verdicts import Outcome, Verdict, verdicts

if TYPE_CHECKING:
    from .run import Trained


def conclude(trained: Trained, folder: Path) -> Generator[Event, None, Done]:
    """Prove the freeze, score the best weights and save the model. Closing the generator leaves a checkpoint.

    Args:
        trained: Result of `fit`.
        folder: Folder of the run.

    Raises:
        TrainingError: a frozen weight moved, or something can't be written.
    """
    return trained.prepared.compute.running(concluded_in(trained, folder))


def concluded_in(trained: Trained, folder: Path) -> Generator[Event, None, Done]:
    """`conclude` with a checkpoint if it is closed, where the process is set up for it."""
    try:
        done = yield from proved_scored_saved(trained, folder)
    except GeneratorExit:
        trained.trainer.save()
        raise
    # Whoever takes a warning for an error finds the run complete.
    for warning in done.record["warnings"]:
        yield Note(warning["message"], "warning")
    return done


def proved_scored_saved(trained: Trained, folder: Path) -> Generator[Event, None, Done]:
    """The work of `conclude`."""
    prepared, trainer = trained.prepared, trained.trainer
    config, network, clock, splits = prepared.config, prepared.network, trainer.clock, trainer.splits
    speed = speed_of(trainer)
    yield Note(speed_note(speed))
    rows, later = network.vocabulary.rows.numel() if network.vocabulary else None, trainer.later_names()
    network.restore_vocabulary()
    strategies.find(config.strategy).merge(network)
    proof = prove(network, prepared.hashes, vocabulary=rows, later=later)
    if proof["trained_tensors_unmoved"]:
        yield Note(f"these weights train and did not move: {', '.join(proof['trained_tensors_unmoved'])}", "warning")
    with clock.part("validate"):
        validation = splits["validation"]
        task = prepared.task.fit_thresholds(validation.examples, features=validation.features, logits=trainer.logits)
        learned = calibration.calibrated(
            task,
            validation.examples,
            features=validation.features,
            logits=trainer.logits,
            data=VALIDATION,
            temperature=config.training.temperature == "on",
        )
    saved = config.training.save == "on"
    network.fold_scale()
    if saved:
        network.train_nothing()
    artifact = Artifact(learned.task, prepared.tokenizer, network, config.model.head, config.model.name)
    with clock.part("baseline"):
        beside = yield from compared(trained)
    outcomes: dict[str, Outcome] = {}
    for name in ("validation", "test"):
        if name in splits:
            with clock.part("evaluate"):
                logits = yield from with_progress(f"scores of {name}", final_logits(trained, name, saved=saved))
                part, texts = splits[name], config.training.report == "on"
                outcomes[name] = scored(
                    artifact, part, logits=logits, folder=folder, name=name, texts=texts, beside=beside
                )
    yield from kept(outcomes, folder)
    yield from temperature_note(learned, outcomes)
    scores = {name: outcome.evaluation for name, outcome in outcomes.items()}
    with clock.part("evaluate"):
        warnings = verdicts(
            outcomes,
            train=splits["train"].examples,
            config=config,
            losses=rundir.RunFolder(folder).losses(),
            best=trainer.best["step"],
        )
    network.train_nothing()
    if saved:
        with clock.part("save"):
            save(artifact, folder)
    record = record_of(trained, scores, learned=learned, warnings=warnings, proof=proof, speed=speed)
    write_record(folder, record, saved=saved)
    return Done(folder, artifact, scores["validation"], scores.get("test"), record)


def save(artifact: Artifact, folder: Path) -> None:
    """Write the model of a run, complete or not at all.

    Raises:
        TrainingError: it can't be written.
    """
    model = folder / rundir.MODEL
    with checkpoint.writing(model, folder, sum(p.nbytes for p in artifact.network.parameters())):
        artifact.save(disk.aside(model))
        disk.aside(model).rename(model)


def write_record(folder: Path, record: Mapping[str, Any], *, saved: bool) -> None:
    """Write the card of a model that was saved, and `run.json`, with which the run is finished.

    Raises:
        TrainingError: something can't be written.
    """
    if saved:
        with checkpoint.writing(folder / rundir.MODEL / card.FILE, folder):
            write_card(folder, rundir.finite(record))
    with checkpoint.writing(folder / rundir.RUN, folder):
        rundir.write_json(folder / rundir.RUN, record)
        disk.sync(folder)
    disk.remove(folder / rundir.CHECKPOINTS)


def record_of(
    trained: Trained,
    scores: Mapping[str, Evaluation],
    *,
    learned: Calibrated,
    warnings: Sequence[Verdict],
    proof: Mapping[str, Any],
    speed: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of `run.json`."""
    prepared, trainer = trained.prepared, trained.trainer
    return {
        "status": "done",
        "validation": asdict(scores["validation"]),
        "test": asdict(scores["test"]) if "test" in scores else None,
        "coverage": {
            name: {"gold": counts.total(), "covered": counts[""], "lost": {why: counts[why] for why in counts if why}}
            for name, counts in prepared.coverage.items()
        },
        "calibration": learned.task.calibration.model_dump(exclude={"scores"}) | {"reason": learned.reason},
        "warnings": [asdict(warning) for warning in warnings],
        "best": trainer.best,
        "steps": trainer.number,
        "language": language_of(prepared.splits["train"].examples),
        "weights": prepared.config.model.weights,
        "model": rundir.MODEL if prepared.config.training.save == "on" else None,
        "parameters": proof["parameters"],
        "freeze_proof": proof,
        "stages": [asdict(stretch) for stretch in trainer.done],
        "flops": {
            "training": sum(stretch.training + stretch.frozen for stretch in trainer.done),
            "validation": sum(stretch.validation for stretch in trainer.done),
        },
        "tokens": trainer.tokens,
        "padded_tokens": trainer.padded_tokens,
        "speed": speed,
        "memory": peak_memory(prepared.compute.device),
        "seconds": {name: round(value, 3) for name, value in trainer.clock.seconds.items()},
        "machine": machine(prepared.compute),
    }


def temperature_note(learned: Calibrated, outcomes: Mapping[str, Outcome]) -> Generator[Note, None, None]:
    """A note on the temperature and what it brings, where there is one."""
    known = learned.task.calibration
    if known.temperature != 1.0:
        found = {name: outcome.evaluation.calibration for name, outcome in outcomes.items()}
        brings = calibration.temperature_line({name: one for name, one in found.items() if one is not None})
        yield Note(f"temperature {known.temperature:g}, fitted on the validation data; answers are the same: {brings}")


def compared(trained: Trained) -> Generator[Note | Progress, None, Baselines]:
    """The baselines on the rows that the model is scored on; none where they are switched off."""
    prepared = trained.prepared
    if prepared.config.training.baseline == "off":
        return Baselines({})
    result = yield from with_progress("baselines", baselines_of(prepared.task, trained.trainer.splits))
    for name, reason in result.failures.items():
        yield Note(f"no {name} baseline: {reason}")
    return result


def kept(outcomes: Mapping[str, Outcome], folder: Path) -> Generator[Note, None, None]:
    """Keep the score tables, so that the run can be compared with others."""
    splits = {
        name: Scored(
            outcome.table,
            np.array([identity(example) for example in outcome.examples], np.uint64),
            inference.clusters(outcome.task, outcome.examples),
        )
        for name, outcome in outcomes.items()
    }
    file = folder / rundir.SCORES
    task = next(iter(outcomes.values())).task
    about = {"name": task.name, "options": task.options.model_dump(mode="json"), "fitted": dict(task.fitted)}
    try:
        with checkpoint.writing(file, folder):
            score_tables.write(file, splits, task=about)
    except NotKept as error:
        yield Note(f"no {rundir.SCORES}, which comparisons of runs read: {error}", "warning")


def keep_texts(artifact: Artifact, part: EncodedDataset, *, folder: Path, name: str) -> None:
    """Keep the texts of a split and what the tokenizer made of them, in the order of the predictions."""
    unknown = artifact.tokenizer.pretrained.unk_token_id
    lines = []
    for example, features in zip(part.examples, part.features, strict=True):
        ids = np.concatenate(
            [one.ids[slice(*one.core)][one.segments[slice(*one.core)] >= 0] for one in features.windows]
        )
        more = {
            "pair": example.pair,
            "words": example.words,
            "group": example.group,
            "truncated": features.truncated_tokens or None,
            "unknown": (0 if unknown is None else int((ids == unknown).sum())) or None,
        }
        told = {key: value for key, value in more.items() if value is not None}
        lines.append({"split": name, "place": example.place, "text": example.text, "tokens": len(ids), **told})
    with checkpoint.writing(folder / rundir.EXAMPLES, folder):
        rundir.append(folder / rundir.EXAMPLES, *lines)


def final_logits(trained: Trained, name: str, *, saved: bool) -> Work[list[Array]]:
    """Logits of a split from the final model, those of each window.

    A model that is saved answers from the texts, as it will when it is loaded, to the same bits. One that is not reads
    what is known: the logits of the best evaluation, and the states of frozen layers.
    """
    trainer = trained.trainer
    if not saved and name == "validation":
        return [one for own in trainer.logits for one in own]
    part = trainer.splits[name]
    logits = yield from inference.compute_logits(trainer.network, part.windows, kept=None if saved else part.kept)
    return logits


def scored(
    artifact: Artifact,
    part: EncodedDataset,
    *,
    logits: list[Array],
    folder: Path,
    name: str,
    texts: bool,
    beside: Baselines,
) -> Outcome:
    """Score one split with the logits of the final model, beside the baselines, and write its predictions and texts."""
    task = artifact.task
    predictions = inference.decode(task, part.examples, features=part.features, logits=logits)
    lines = [
        {"split": name, "place": example.place, "target": example.target, **prediction}
        for example, prediction in zip(part.examples, predictions, strict=True)
    ]
    with checkpoint.writing(folder / rundir.PREDICTIONS, folder):
        rundir.append(folder / rundir.PREDICTIONS, *lines)
    if texts:
        keep_texts(artifact, part, folder=folder, name=name)
    evaluation = inference.evaluate(task, part.examples, predictions=predictions, features=part.features)
    honest = calibration.report(task, part.examples, features=part.features, logits=logits, predictions=predictions)
    tables = beside.tables.get(name, {})
    scores = {kind: inference.score(task, table) for kind, table in tables.items()}
    evaluation = replace(evaluation, baselines=scores, calibration=honest)
    return Outcome(task, part.examples, predictions, evaluation, tables, beside.constant)
