"""A process that does trials for a study: `python -m afina.studies.worker FOLDER`.

It reads trials from its standard input, a JSON object a line, and answers each with a line, after lines that say what
share of it is done. When its input ends, whoever started it has gone: the trial that it is at is stopped, with a
checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..config import Config
from ..errors import AfinaError, InputError
from ..signals import EVERY, attended, signals
from ..training.events import Begin, Event, Scored
from .attempts import attempt
from .events import Ended, Inside
from .folder import StudyFolder
from .study import opened
from .trials import Trial


def main(folder: str) -> None:
    """Do trials of the study in a folder until no more are asked for."""
    place = StudyFolder(Path(folder))
    asked: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=listen, args=(asked,), daemon=True).start()
    study, _ = opened(Config.model_validate(place.about()["config"]), place.path)
    steps = 0
    with signals(*EVERY) as stop:
        while line := asked.get():
            try:
                with closing(attended(attempt(Trial(**json.loads(line)), study, place), stop)) as events:
                    for event in events:
                        if isinstance(event, Ended):
                            answer({"ended": event.result.trial.name, "seconds": event.seconds})
                        elif isinstance(event, Inside):
                            steps = told(event.event, steps)
            except AfinaError as error:
                answer({"failed": str(error), "input": isinstance(error, InputError)})


def listen(asked: SimpleQueue[str]) -> None:
    """Pass on what is asked for. At the end of the input this process is interrupted, and then told to end."""
    for line in sys.stdin:
        asked.put(line)
    os.kill(os.getpid(), signal.SIGINT)
    asked.put("")


def told(event: Event, steps: int) -> int:
    """Say how much of a trial is done at each evaluation, and return the number of its steps."""
    if isinstance(event, Begin):
        return event.steps
    if isinstance(event, Scored) and steps:
        answer({"share": min(1.0, event.step / steps)})
    return steps


def answer(record: dict[str, Any]) -> None:
    """Write a line."""
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
