"""Commands that use a fine-tuned model."""

from __future__ import annotations

import sys
from functools import cache
from typing import Annotated

import typer

from ..printing import many, say
from .app import command
from .flags import (
    CERTAINTY,
    ROWS,
    AlphaFlag,
    AskedFlag,
    ContextFlag,
    DataFlag,
    DelimiterFlag,
    DeviceFlag,
    EncodingFlag,
    FormatFlag,
    HeaderFlag,
    JsonFlag,
    LabelFlag,
    PairFlag,
    PrecisionFlag,
    QuestionFlag,
    QuoteFlag,
    RunFlag,
    SheetFlag,
    TextFlag,
    TextsFlag,
    UnseenFlag,
    column_options,
    flag,
    reading_options,
)
from .screen import evaluation_record, say_json


@command(50)
def evaluate(
    context: typer.Context,
    run: RunFlag,
    data: DataFlag,
    text: TextFlag = None,
    pair: PairFlag = None,
    label: LabelFlag = None,
    group_by: Annotated[
        str | None, flag("COLUMN", "Column of groups that are right or wrong together, for intervals.", panel=ROWS)
    ] = None,
    unseen: UnseenFlag = None,
    calibration: Annotated[
        bool,
        typer.Option("--calibration", help="How honest the confidences are, by tables.", rich_help_panel=CERTAINTY),
    ] = False,
    precision: PrecisionFlag = None,
    alpha: AlphaFlag = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    quote: QuoteFlag = None,
    format: FormatFlag = None,
    sheet: SheetFlag = None,
    encoding: EncodingFlag = None,
    device: DeviceFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Score a fine-tuned model on labelled data."""
    from ..serving.asking import source
    from ..serving.files import evaluate_file

    unseen = "refuse" if unseen is None else unseen
    columns = column_options(context.params)
    # The file is looked at before the model is loaded, and read after; what is said of it is said once.
    reading = {**reading_options(context.params), "note": cache(lambda text: say(text, sys.stderr))}
    with source(data) as path:
        evaluation = evaluate_file(
            run, path, unseen=unseen, group_by=group_by, columns=columns, reading=reading, device=device or "auto",
            precision=precision, alpha=alpha,
        )  # fmt: skip
    if as_json:
        asked = calibration or precision is not None or alpha is not None
        say_json(evaluation_record(evaluation, calibration=asked))
        return
    say(str(evaluation))
    honest = evaluation.calibration
    if calibration and honest is None:
        say("\nno calibration: this task gives no probabilities")
    elif honest is not None:
        for line in [str(honest)] if calibration else honest.asked:
            say(f"\n{line}")


@command(55)
def calibrate(
    context: typer.Context,
    run: RunFlag,
    data: DataFlag,
    text: TextFlag = None,
    pair: PairFlag = None,
    label: LabelFlag = None,
    unseen: UnseenFlag = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    quote: QuoteFlag = None,
    format: FormatFlag = None,
    sheet: SheetFlag = None,
    encoding: EncodingFlag = None,
    device: DeviceFlag = None,
) -> None:
    """Fit probabilities and prediction sets to labelled data that did not train the model. Answers stay the same."""
    from ..serving.asking import source
    from ..serving.files import calibrate_file
    from ..training.card import renewed

    reading = {**reading_options(context.params), "note": cache(lambda text: say(text, sys.stderr))}
    with source(data) as path:
        found, file = calibrate_file(
            run, path, unseen=unseen or "refuse", columns=column_options(context.params), reading=reading,
            device=device or "auto",
        )  # fmt: skip
    known = found.artifact.task.calibration
    say(f"temperature {known.temperature:g}; {many(len(known.scores), 'score')} for prediction sets")
    say(f"{many(known.examples, 'example')} of {known.data}: {file}")
    if (written := renewed(file.parent)) is not None:
        say(f"card: {written}")


@command(60)
def predict(
    context: typer.Context,
    run: RunFlag,
    texts: TextsFlag = None,
    data: AskedFlag = None,
    question: QuestionFlag = None,
    passage: ContextFlag = None,
    out: Annotated[str, flag("FILE", "Where to: the ending is the format (.csv .jsonl ...); - for stdout.")] = "-",
    out_format: Annotated[str | None, flag("NAME", "Format of the output; `afina formats` lists them.")] = None,
    keep: Annotated[bool, typer.Option(help="Copy the data's columns in front of the predictions.")] = True,
    text: TextFlag = None,
    pair: PairFlag = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    quote: QuoteFlag = None,
    format: FormatFlag = None,
    sheet: SheetFlag = None,
    encoding: EncodingFlag = None,
    device: DeviceFlag = None,
    alpha: AlphaFlag = None,
) -> None:
    """Predict: one line of output for each text, or each row of the data, in order."""
    from ..serving import asking
    from ..serving.files import predict_file

    columns = column_options(context.params)
    # What is said of the data while they are looked at, and again while they are read, is said once.
    reading = {**reading_options(context.params), "note": cache(lambda text: say(text, sys.stderr))}
    if data is not None:
        columns |= {name: value for name, value in (("question", question), ("context", passage)) if value is not None}
        question = passage = None
    with asking.question(run, texts or (), data=data, question=question, context=passage) as asked:
        shown = sys.stdout.isatty() and not isinstance(asked, str)  # a person asked, and a person reads
        summary = predict_file(
            run, asked, out=out, out_format=out_format, keep=keep, shown=shown, columns=columns, reading=reading,
            device=device or "auto", alpha=alpha,
        )  # fmt: skip
    if summary.truncated:
        limit, lost = summary.max_length, summary.truncated_tokens
        texts_are = "1 text is" if summary.truncated == 1 else f"{summary.truncated:,} texts are"
        lose = "loses" if summary.truncated == 1 else "lose"
        say(f"{texts_are} longer than {limit} tokens and {lose} {many(lost, 'token')}", sys.stderr)
    if out != "-":
        say(f"{many(summary.predictions, 'prediction')}: {out}")
