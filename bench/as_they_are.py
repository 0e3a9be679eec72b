"""Which data sets are read as they are: with a task and files, and no other word.

    python bench/as_they_are.py [../shared/data]

Prints a table of what `afina train` would make of each: at once, with the flag that its message names, or not.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from afina.cli.flags import overrides
from afina.config import load
from afina.data.parts import gather
from afina.errors import InputError

SETS = {
    "ag_news": ("classification", "ag_news"),
    "assin ptbr (RTE)": ("classification", "assin/assin-ptbr-train.csv"),
    "assin ptbr (STS)": ("regression", "assin/assin-ptbr-train.csv"),
    "atis (intents)": ("classification", "atis/intent_train.csv"),
    "atis (slots)": ("tokens", "atis/train.txt"),
    "conll2003": ("tokens", "conll2003"),
    "lener_br": ("tokens", "lener_br"),
    "mrpc": ("classification", "mrpc"),
    "restaurant8k": ("tokens", "restaurant8k"),
    "sick (entailment)": ("classification", "sick"),
    "sick (relatedness)": ("regression", "sick"),
    "sms_spam": ("classification", "sms_spam/sms_spam.tsv"),
    "snli": ("classification", "snli"),
    "squad 1.1": ("answers", "squad/train-v1.1.json"),
    "squad 2.0": ("answers", "squad/train-v2.0.json"),
    "sroie_receipts": ("tokens", "sroie_receipts"),
    "sst2": ("classification", "sst2/train.tsv"),
    "ud_en_ewt (POS)": ("tokens", "ud_en_ewt"),
}
"""Task and what is named with --train, by data set."""
FLAG = re.compile(
    r"--(header|text|pair|label|delimiter|quote|encoding|format) (\"[^\"]+\"|'[^']+'|[^\s;,)]+(?:,[^\s;)]+)*)"
)
"""A flag with its value, as messages name it."""


def tried(task: str, path: str, **more: str) -> tuple[str, str]:
    """What comes of a data set: how many examples, and the notes; or nothing, and the message."""
    try:
        data, problems = gather(load(None, overrides({"task": task, "train": path, "unseen": "count", **more})))
    except InputError as error:
        return "", str(error)
    counts = ", ".join(f"{name} {len(examples):,}" for name, examples in data.splits.items())
    return ("", str(problems[0])) if problems else (counts, "; ".join(data.notes))


def main(folder: str) -> None:
    """Print the table."""
    print("| data set | task | read | examples, or what the message says |\n|---|---|---|---|")
    for name, (task, path) in SETS.items():
        how, (counts, says) = "at once", tried(task, f"{folder}/{path}")
        flags = {match[1]: shlex.split(match[2])[0] for match in FLAG.finditer(says)} if not counts else {}
        if flags:
            how = "with " + " ".join(f"`--{flag} {value}`" for flag, value in flags.items())
            counts, says = tried(task, f"{folder}/{path}", **flags)
        print(f"| {name} | {task} | {how if counts else 'no'} | {counts or says.splitlines()[0]} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parents[2] / "shared" / "data"))
