"""Trials side by side, in processes of their own (`studies.worker`)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from ..errors import InputError, TrainingError
from ..training.events import Progress
from .events import Ended, Started, StudyEvent
from .folder import StudyFolder, plain
from .trials import Trial

BEAT = 1.0
"""Seconds between events while nothing happens, at each of which the study can be stopped."""


@dataclass(slots=True)
class Worker:
    """A process that does trials.

    Attributes:
        process: The process.
        errors: File of what it writes on its standard error.
        trial: The trial that it is at.
        share: Share of that trial that is done.
    """

    process: subprocess.Popen[str]
    errors: IO[str]
    trial: Trial | None = None
    share: float = 0.0

    @classmethod
    def start(cls, folder: Path) -> Worker:
        """Start a process for the study in a folder."""
        errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - lives as long as it
        command = [sys.executable, "-m", f"{__package__}.worker", str(folder)]
        # In a group of its own: the Ctrl-C of a terminal goes to this process alone, which passes it on.
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
        return cls(process, errors)

    def ask(self, trial: Trial) -> None:
        """Let it do a trial."""
        self.trial, self.share = trial, 0.0
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):  # it has died, which its output says
                self.process.stdin.write(json.dumps(plain(asdict(trial))) + "\n")
                self.process.stdin.flush()

    def stop(self) -> None:
        """Stop it: at the end of its input it writes a checkpoint of the trial that it is at."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def last_words(self) -> str:
        """The end of what it wrote on its standard error."""
        self.errors.seek(0)
        return self.errors.read()[-2000:].strip()


@dataclass(slots=True)
class Pool:
    """Some workers, and what they answer.

    Attributes:
        workers: The workers.
        answers: The number of a worker, and its line; an empty line at the end of its output.
        listeners: The threads that listen to them.
    """

    workers: list[Worker]
    answers: SimpleQueue[tuple[int, str]] = field(default_factory=SimpleQueue)
    listeners: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, size: int) -> Pool:
        """Workers for the study in a folder."""
        pool = cls([Worker.start(folder) for _ in range(size)])
        pool.listeners += [threading.Thread(target=pool.listen, args=(i,), daemon=True) for i in range(size)]
        for listener in pool.listeners:
            listener.start()
        return pool

    def listen(self, number: int) -> None:
        """Pass on what a worker says."""
        with self.workers[number].process.stdout or nullcontext(()) as lines:
            for line in lines:
                self.answers.put((number, line))
        self.answers.put((number, ""))

    def close(self) -> None:
        """Stop all workers, and wait for them: each writes a checkpoint first."""
        for worker in self.workers:
            worker.stop()
        for worker, listener in zip(self.workers, self.listeners, strict=True):
            worker.process.wait()
            listener.join()
            worker.errors.close()


def side_by_side(trials: Sequence[Trial], folder: StudyFolder, *, jobs: int) -> Generator[StudyEvent, None, None]:
    """Do trials, several at a time.

    Args:
        trials: What is to be done, each with a name of its own.
        folder: Folder of the study, which says everything else.
        jobs: Number of trials at a time.

    Raises:
        InputError: a trial can't be done with its settings, data or model.
        TrainingError: a trial failed, or the process that did it died.
    """
    left = list(trials)[::-1]
    pool = Pool.of(folder.path, min(jobs, len(left)))
    try:
        for worker in pool.workers:
            trial = left.pop()
            worker.ask(trial)
            yield Started(trial.name, trial.recipe, trial.seed)
        done = 0
        while done < len(trials):
            try:
                number, line = pool.answers.get(timeout=BEAT)
            except Empty:
                yield Progress("trials", (done + sum(one.share for one in pool.workers)) / len(trials))
                continue
            worker = pool.workers[number]
            if said := share_in(line):
                worker.share = said
                continue
            worker.share = 0.0
            yield ended(worker, line, folder)
            done += 1
            if left:
                trial = left.pop()
                worker.ask(trial)
                yield Started(trial.name, trial.recipe, trial.seed)
    finally:
        pool.close()


def share_in(line: str) -> float:
    """The share of its trial that a worker says is done; 0 where it says something else."""
    return float(json.loads(line).get("share", 0.0)) if line else 0.0


def ended(worker: Worker, line: str, folder: StudyFolder) -> Ended:
    """The end of a trial, from what its worker says.

    Raises:
        InputError, TrainingError: the trial failed, or the worker died.
    """
    trial = worker.trial
    if trial is None or not line:
        worker.process.wait()
        raise TrainingError(died(worker))
    said: dict[str, Any] = json.loads(line)
    if "failed" in said:
        raise (InputError if said["input"] else TrainingError)(f"{trial.name}: {said['failed']}")
    result = folder.result(trial)
    if result is None:
        raise TrainingError(f"{trial.name}: its result is missing in {folder.path}; the same line does it again")
    return Ended(result, said["seconds"])


def died(worker: Worker) -> str:
    """Why a trial has no result: its process ended."""
    name, code = worker.trial.name if worker.trial else "a trial", worker.process.returncode
    hint = "; it was killed, perhaps since memory ran out: take fewer --jobs" if code == -signal.SIGKILL else ""
    words = worker.last_words().splitlines()
    last = f" ({words[-1]})" if words else ""
    return f"{name}: its process ended with code {code}{last}{hint}. The same line goes on where it was"
