"""A run that is interrupted leaves a checkpoint, and says how to go on."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trained, afina, refused, start


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint(trained: Trained, here: Path, number: int, code: int) -> None:
    heard: Any = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - a background job ignores it
    flags = [*trained.flags, "--epochs", 5000, "--out", "run"]
    with start("train", *flags, cwd=here, preexec_fn=heard) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("epoch 2 ") for line in process.stdout)
            process.send_signal(number)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == code, errors
    stopping = "stopping after this step and a checkpoint; once more stops at once\n"
    assert errors == f"{stopping}interrupted: go on with: afina train --resume run\n"
    assert list(Path("run/checkpoints").glob("step-*"))
    other = afina("train", "--resume", "run", "--learning-rate", 0.5)
    assert other.exit_code == 2
    assert re.search(
        r"begun with something else; .*\n  settings.training.learning_rate: was .*, is 0.5\n", other.stderr
    )
    refused(
        afina("train", "--resume", trained.folder), f"is finished; --model {trained.folder} trains its model further"
    )
    refused(afina("train", "--resume", "run", "--overwrite"), "leave one of them out")
    refused(afina("train", "--resume", "nowhere"), "holds no unfinished run")
    refused(afina("train", "config.yaml", "--resume", "run"), "beside --resume")


def test_control_c_before_anything_is_written(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("afina.training.run.stream", interrupted)
    result = afina("train", *trained.flags)
    assert (result.exit_code, result.stderr) == (130, "interrupted: nothing was written\n")
