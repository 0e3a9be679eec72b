"""A room imports only the rooms above it and itself; each foreign library has one door; no cycle, nothing unsafe."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import afina

PACKAGE = Path(afina.__file__).parent
ROOMS = [
    {"errors", "records"},
    {"text", "model", "metrics"},
    {"tasks"},
    {"config", "templates"},
    {"data", "artifact"},
    {"inference"},
    {"serving"},
    {"training"},
    {"screen"},
    {"cli", "__init__", "__main__"},
]
FLOOR = {name: floor for floor, names in enumerate(ROOMS) for name in names}
DOORS = {
    "transformers": {"model/encoder.py", "model/heads.py", "model/packed.py", "text/encoding.py", "artifact.py"},
    "tokenizers": set(),
    "sklearn": {"training/suspects.py"},
    "cleanlab": {"training/suspects.py"},
    "scipy": {"metrics/intervals.py"},
    "yaml": {"config.py", "templates.py"},
    "typer": {"cli.py"},
    "rich": {"screen.py"},
    "conllu": {"data/conll.py"},
    "safetensors": {"artifact.py", "training/checkpoint.py"},
}
UNSAFE = {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
FILES = sorted(PACKAGE.rglob("*.py"))


def test_all_files_are_seen() -> None:
    assert len(FILES) >= 30
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES} == set(FLOOR)


def imports_of(path: Path) -> list[tuple[str, int]]:
    """Absolute names of everything a file imports, and the line."""
    here = ("afina", *path.relative_to(PACKAGE).parts[:-1])
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(here[: len(here) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [(f"{module}.{alias.name}", node.lineno) for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_upwards_and_through_the_doors(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    room = name.split("/")[0].removesuffix(".py")
    for imported, line in imports_of(path):
        first, *rest = imported.split(".")
        if first == "afina" and rest:
            target = rest[0] if rest[0] in FLOOR else "__init__"
            assert FLOOR[target] <= FLOOR[room], f"{name}:{line} imports {imported}, which is a room below"
        assert first not in UNSAFE, f"{name}:{line} imports {imported}"
        if first in DOORS:
            assert name in DOORS[first], f"{name}:{line} imports {imported}; its door is {DOORS[first]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_runs_code_from_data(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "torch.load", "compile", "__import__", "os.system"}, (
                f"{path}:{node.lineno}"
            )
            for keyword in node.keywords:
                value = ast.unparse(keyword.value)
                assert (keyword.arg, value) not in {
                    ("allow_pickle", "True"),
                    ("shell", "True"),
                    ("trust_remote_code", "True"),
                }
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno} asserts; raise an error of ours"


def test_importing_afina_costs_nothing() -> None:
    heavy = "{'torch', 'numpy', 'pydantic', 'transformers'}"
    code = f"import sys, afina; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_configuration_and_data_need_no_torch() -> None:
    code = (
        "import sys; import afina.config, afina.data.readers, afina.data.splits, afina.tasks.classification, "
        "afina.model.families; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in afina.__all__:
        assert getattr(afina, name).__doc__
    assert set(afina.__all__) == set(dir(afina))
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = afina.tarin
