"""Commands in processes that die, lack room or are stopped at a chosen moment.

They are forked from one process that has everything loaded, so that each costs a fraction of a second. Run as a program
this is that process: it reads orders as lines of JSON and answers each with an exit code.
"""

from __future__ import annotations

import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
DIED = 137
NOBODY = 65534


@dataclass
class Order:
    """A command, and what goes wrong while it runs.

    Attributes:
        arguments: Of `afina`.
        folder: Where it runs; all that it writes, and what it says, is there.
        die: The moment at which it dies, counted from 1 (see `Death`); 0 lets it live.
        room: Bytes that a file may have.
        stop: A long part of the work, how many of its batches are done before the signal, and the signal.
        reader: How many evaluations are shown before whoever reads the output goes away; 0 for a reader that stays.
        nobody: Run without the rights of root.
        settings: Values of attributes of modules and their classes, by dotted path.
    """

    arguments: list[str]
    folder: str
    die: int = 0
    room: int = 0
    stop: tuple[str, int, int] | None = None
    reader: int = 0
    nobody: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """What became of a command.

    Attributes:
        code: Exit code.
        said: On both outputs.
        moments: Moments at which it could have died.
        after: Batches that were still computed after the signal.
    """

    code: int
    said: str
    moments: int
    after: int


class Processes:
    """The process that everything is forked from.

    Args:
        model: A model folder, to warm up with.
        folder: An empty folder, to warm up in.
    """

    def __init__(self, model: Path, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "CUDA_VISIBLE_DEVICES": ""}
        environment |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "TERM": "dumb"}
        command = [sys.executable, "-m", "tests.faults", str(model), str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.answer()

    def answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def run(self, arguments: list[object], folder: Path, **faults: Any) -> Ended:
        """Run a command of afina's in a folder."""
        assert self.process.stdin is not None
        folder.mkdir(exist_ok=True, parents=True)
        order = Order([str(argument) for argument in arguments], str(folder), **faults)
        self.process.stdin.write(json.dumps(asdict(order)) + "\n")
        self.process.stdin.flush()
        code = self.answer()
        counts = folder / "counts"
        moments, after = json.loads(counts.read_text()) if counts.exists() else (0, 0)
        counts.unlink(missing_ok=True)
        return Ended(code, (folder / "said").read_text(encoding="utf-8"), moments, after)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Death:
    """Dies at a chosen moment, without a word, a flush or a cleaning up.

    Moments come before and after every change of a file or folder under `root`: when it is created, opened for writing,
    renamed or removed. A file that is opened at the last moment is left empty, tensors are left half written.
    """

    def __init__(self, moment: int, root: str) -> None:
        self.moment, self.root, self.count, self.armed = moment, root, 0, True

    def reached(self) -> None:
        if self.armed:
            self.count += 1
            if self.count == self.moment:
                os._exit(DIED)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called by Python before everything that touches the system."""
        if not self.armed:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, (str, os.PathLike)) and flags & CHANGES and self.inside(os.fspath(path), -1):
                self.reached()
                if self.count + 1 == self.moment:
                    self.armed = False
                    os.close(os.open(path, flags | os.O_CREAT))
                    self.armed = True
                self.reached()
        elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir") and self.inside(arguments[0], arguments[-1]):
            self.reached()

    def inside(self, path: Any, folder: int) -> bool:
        """Whether a path is under the root; it may be relative to an open folder."""
        base = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else os.getcwd()  # noqa: PTH109, PTH115
        return os.path.join(base, os.fsdecode(path)).startswith(self.root + os.sep)  # noqa: PTH118

    def watch_tensors(self) -> None:
        """safetensors writes on its own, unheard: aside, then a renaming."""
        import transformers.modeling_utils

        import afina.artifact
        import afina.training.checkpoint

        for module, name in (
            (afina.artifact, "save_file"),
            (afina.training.checkpoint, "save_file"),
            (transformers.modeling_utils, "safe_save_file"),
        ):
            setattr(module, name, self.watched(getattr(module, name)))

    def watched(self, save: Callable[..., None]) -> Callable[..., None]:
        @wraps(save)
        def saved(tensors: Any, file: Any, *args: Any, **more: Any) -> None:
            self.reached()
            save(tensors, file, *args, **more)
            if self.count + 1 == self.moment:
                self.armed = False
                whole = Path(file).read_bytes()
                Path(file).unlink()
                Path(file).with_name(".tmp-of-safetensors").write_bytes(whole[: len(whole) // 2])
                self.armed = True
            self.reached()

        return saved


class Stop:
    """Sends this process a signal in the middle of a long part of the work, and counts what is computed after it."""

    def __init__(self, what: str, batches: int, number: int) -> None:
        from afina.training import conclude, events, run, trainer

        self.what, self.batches, self.number, self.after, self.sent = what, batches, number, 0, False
        self.with_progress = events.with_progress
        for module in (conclude, run, trainer):  # which have it by name
            setattr(module, "with_progress", self.heard)  # noqa: B010

    def heard(self, what: str, work: Generator[float, None, Any]) -> Any:
        return self.with_progress(what, self.signalled(work) if what == self.what else work)

    def signalled(self, work: Generator[float, None, Any]) -> Generator[float, None, Any]:
        done = 0
        while True:
            try:
                share = next(work)
            except StopIteration as end:
                return end.value
            done, self.after = done + 1, self.after + self.sent
            if done == self.batches and not self.sent:
                self.sent = True
                os.kill(os.getpid(), self.number)
            yield share


def obey(order: Order, output: int) -> int:
    """Carry out an order in this process, with both outputs to a pipe; its exit code."""
    from afina import progress
    from afina.cli import main as run_afina

    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.chdir(order.folder)
    os.environ["AFINA_CACHE"] = f"{order.folder}/cache"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for path, value in order.settings.items():
        owner, _, name = path.rpartition(".")
        setattr(pkgutil.resolve_name(owner), name, value)
    if order.reader:
        lose_the_reader(progress, order.reader)
    stop = Stop(*order.stop) if order.stop else None
    death = Death(order.die, order.folder)
    death.watch_tensors()
    sys.addaudithook(death.hear)
    if order.room:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.room, order.room))
    if order.nobody and os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
    sys.argv = ["afina", *order.arguments]
    code: Any = 0
    try:
        run_afina()
    except SystemExit as end:
        code = end.code
    sys.stderr.flush()
    death.armed = False
    if not order.nobody:
        Path("counts").write_text(json.dumps([death.count, stop.after if stop else 0]))
    return int(code or 0)


def lose_the_reader(progress: Any, shown: int) -> None:
    """Make stdout a pipe whose other end closes when so many evaluations were shown."""
    reader, writer = os.pipe()
    os.dup2(writer, 1)
    os.close(writer)
    left, real = [shown], progress.scored_line

    def line(*arguments: Any) -> str:
        if not left[0]:
            os.close(reader)
        left[0] -= 1
        return str(real(*arguments))

    progress.scored_line = line


def main(model: str, folder: str) -> None:
    """Load everything by a first training, then fork at every order."""
    import afina

    rows = [{"text": f"a {word} film", "label": word} for word in ("good", "bad")] * 4
    settings: dict[str, Any] = {"model": model, "strategy": "last-1", "epochs": 1, "out": f"{folder}/warm"}
    afina.train(train=rows, validation=rows, test=rows, **settings)
    from afina.cli.app import program

    program()
    print(0, flush=True)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os._exit(obey(order, writer))
        os.close(writer)
        with os.fdopen(reader, "rb") as said:
            Path(order.folder, "said").write_bytes(said.read())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
