"""The command that shows the words that mattered for an answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, printable
from ..printing import say
from .app import command
from .flags import (
    AskedFlag,
    ContextFlag,
    DelimiterFlag,
    DeviceFlag,
    EncodingFlag,
    FormatFlag,
    HeaderFlag,
    QuestionFlag,
    QuoteFlag,
    RunFlag,
    SheetFlag,
    TextsFlag,
    flag,
    reading_options,
)
from .screen import say_json

if TYPE_CHECKING:
    from ..serving.explanations import Explanation


MethodFlag = Annotated[
    str,
    flag(
        "NAME",
        "removal (each word left out in turn), mask (masked in turn), gradient (gradient x input, quick and poor).",
        values=lambda: ("removal", "mask", "gradient"),
    ),
]
WantedFlag = Annotated[
    str | None,
    flag("NAME", "What to explain in place of the answer: a label, or characters of the text (12:17, 12:17:LOC)."),
]
LinesFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line for each explanation, and nothing else.")
]


@command(62)
def explain(
    context: typer.Context,
    run: RunFlag,
    texts: TextsFlag = None,
    data: AskedFlag = None,
    text: Annotated[str | None, flag("TEXT", "The text; with --data, the column of the texts.")] = None,
    pair: Annotated[str | None, flag("TEXT", "The second text, for pairs; with --data, its column.")] = None,
    question: QuestionFlag = None,
    passage: ContextFlag = None,
    label: WantedFlag = None,
    method: MethodFlag = "removal",
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Words that are listed: 10; with --json, all of them.")
    ] = None,
    header: HeaderFlag = None,
    delimiter: DelimiterFlag = None,
    quote: QuoteFlag = None,
    format: FormatFlag = None,
    sheet: SheetFlag = None,
    encoding: EncodingFlag = None,
    device: DeviceFlag = None,
    as_json: LinesFlag = False,
) -> None:
    """Explain predictions: the words that mattered for each, and by how much."""
    from ..serving import asking
    from ..serving.files import explain_file

    given, columns = list(texts or ()), dict[str, str]()
    if data is None:
        given += [one for one in (text, pair) if one is not None]
    else:
        named = {"text": text, "pair": pair, "question": question, "context": passage}
        columns = {name: value for name, value in named.items() if value is not None}
        question = passage = None
    reading = {**reading_options(context.params), "note": cache(lambda said: say(said, sys.stderr))}
    with asking.question(run, given, data=data, question=question, context=passage, command="explain") as asked:
        if pair is not None and data is None and not all(isinstance(one, tuple) for one in asked):
            raise ConfigError(f"--pair {printable(pair, 40)}: the model was trained on single texts; leave it out")
        show(
            explain_file(
                run, asked, label=label, method=method, columns=columns, reading=reading, device=device or "auto"
            ),
            as_json=as_json, top=top,
        )  # fmt: skip


def show(explanations: Iterable[Explanation], *, as_json: bool, top: int | None) -> None:
    """Print explanations as they come: objects for programs, or lines for people, coloured on a terminal."""
    from ..outputs.screen import has_colours
    from ..serving.explanations import TOP

    for number, one in enumerate(explanations):
        if as_json:
            say_json(one.record(top=top))
            continue
        if number:
            say()
        if has_colours(sys.stdout):
            print(one.coloured(top or TOP), flush=True)  # what a terminal might obey is escaped there
        else:
            say(one.shown(top or TOP))
