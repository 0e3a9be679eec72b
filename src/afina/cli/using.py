"""Commands that use a fine-tuned model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError, printable
from .app import command
from .flags import (
    DataFlag,
    DelimiterFlag,
    EncodingFlag,
    HeaderFlag,
    JsonFlag,
    LabelFlag,
    PairFlag,
    RunFlag,
    TextFlag,
    UnseenFlag,
    flag,
    reading_options,
)
from .screen import say, say_evaluation, say_json, scores_record

if TYPE_CHECKING:
    from ..serving.predictor import Predictor


@command(50)
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
    from ..serving.files import scan

    reading = reading_options(context.params)
    scan(data, **reading)
    if unseen not in (None, "refuse", "count"):
        raise ConfigError(f"--unseen: expected refuse or count, found {printable(unseen)}")
    predictor = opened(run, {"text": text, "pair": pair, "label": label})
    evaluation = predictor.evaluate(data, unseen=unseen or "refuse", **reading)
    if as_json:
        say_json(
            {
                "metrics": scores_record(evaluation),
                "breakdown": evaluation.breakdown,
                "examples": evaluation.examples,
                "truncated": evaluation.truncated,
                "truncated_tokens": evaluation.truncated_tokens,
            }
        )
    else:
        say_evaluation(evaluation)


@command(60)
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
    from ..serving.files import destination, scan, writer

    write = writer(out)
    reading = reading_options(context.params)
    columns, count = scan(data, **reading)
    with destination(out, data) as file:
        predictor = opened(run, {"text": text, "pair": pair})
        truncated: list[int] = []  # tokens that each of the truncated texts loses
        answers = predictor.stream_rows(data, on_truncated=truncated.append, **reading)
        write(file, answers, kept=columns if keep else [])
    if truncated:
        limit = predictor.artifact.tokenizer.max_length
        say(f"{len(truncated):,} texts are longer than {limit} tokens and lose {sum(truncated):,} tokens", sys.stderr)
    if out != "-":
        say(f"{count:,} predictions: {out}")


def opened(run: str, columns: Mapping[str, Any]) -> Predictor:
    """A fine-tuned model, with the columns that flags name in place of its own.

    Raises:
        ModelError: it can't be loaded.
        ConfigError: its task has no such column.
    """
    from ..model.families import locate

    locate(run)  # a folder that is not there is named before anything heavy is loaded
    from .. import api

    return api.load(run).with_columns({name: column for name, column in columns.items() if column is not None})
