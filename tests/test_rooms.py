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
    {"errors", "records", "disk", "devices", "compute", "machine", "work", "printing", "yaml_files", "signals"},
    {"text", "metrics"},
    {"model"},
    {"tasks", "strategies"},
    {"config", "templates"},
    {"data"},
    {"about", "assembly", "artifact", "inference", "calibration", "baselines"},
    {"outputs"},
    {"serving"},
    {"quality"},
    {"cards"},
    {"training"},
    {"tracking"},
    {"adaptation"},
    {"comparison"},
    {"studies"},
    {"reporting"},
    {"progress"},
    {"notebook"},
    {"api"},
    {"adapting"},
    {"evidence"},
    {"cli", "__init__", "__main__"},
]
FLOOR = {name: floor for floor, names in enumerate(ROOMS) for name in names}
DOORS = {
    "transformers": {"model/backbone.py", "model/heads.py", "model/attention.py", "model/pretrained.py"},
    "tokenizers": set(),
    "sklearn": {"quality/cross_validation.py", "baselines.py"},
    "huggingface_hub": {"model/hub.py"},
    "cleanlab": {"quality/label_issues.py"},
    "scipy": {
        *(
            f"metrics/{name}.py"
            for name in (
                "abstention",
                "decisions",
                "gates",
                "intervals",
                "jackknife",
                "proportions",
                "recipes",
                "seeds",
                "ratios",
            )
        ),
        "baselines.py",
    },
    "yaml": {"config.py", "templates.py", "yaml_files.py"},
    "typer": {
        f"cli/{name}.py"
        for name in (
            "app",
            "flags",
            "training",
            "adapting",
            "advising",
            "quality",
            "using",
            "listing",
            "help",
            "studies",
            "comparing",
            "cards",
            "reporting",
            "explaining",
        )
    },
    "rich": {"progress.py"},
    "jinja2": {"reporting/page.py"},
    "IPython": {"notebook.py"},
    "conllu": {"data/conllu.py"},
    "pyarrow": {"data/arrow.py", "outputs/parquet.py"},
    "xlrd": {"data/xls.py"},
    "zstandard": {"data/compression.py"},
    "spacy": {"data/docbin.py"},
    "optuna": {"studies/sweep.py"},
    "mlflow": {"tracking/mlflow.py"},
    "tensorboard": {"tracking/tensorboard.py"},
    "wandb": {"tracking/wandb.py"},
    "trackio": {"tracking/trackio.py"},
    "filelock": {"disk.py"},
    "platformdirs": {"model/states.py"},
    "psutil": {"assembly.py"},
    "safetensors": {"artifact.py", "model/folder.py", "training/checkpoint.py", "training/score_tables.py"},
}
UNSAFE = {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve", "code", "runpy", "ctypes"}
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "torch.jit.load", "torch.hub.load",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "importlib.util.spec_from_file_location",
}  # fmt: skip
KEYWORDS = {("allow_pickle", "True"), ("shell", "True"), ("trust_remote_code", "True"), ("weights_only", "False")}
LOADERS = {
    "AutoConfig.from_pretrained": {"trust_remote_code": "False", "local_files_only": "local"},
    "AutoTokenizer.from_pretrained": {"trust_remote_code": "False", "local_files_only": "local"},
    "cls.from_pretrained": {"trust_remote_code": "False", "local_files_only": "local", "use_safetensors": "True"},
}
"""Every call that has transformers read a model, and what it must be told."""
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


def complaints(source: str) -> list[str]:
    """What a program does that could run code from data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names if f"{node.module}.{alias.name}" in CALLS]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in CALLS:
            found.append(called)
        if called == "yaml.load" and given.get("Loader") != "Loader":
            found.append("yaml.load without our Loader")
        found += [f"{name}={value}" for name, value in given.items() if (name, value) in KEYWORDS]
        if called.endswith(".from_pretrained"):
            wanted = LOADERS.get(called)
            if wanted is None or not wanted.items() <= given.items():
                found.append(f"{called} is not told {wanted or 'anything: list it in LOADERS'}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_runs_code_from_data(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not complaints(source)
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno} asserts; raise an error of ours"


@pytest.mark.parametrize(
    "line",
    [
        "eval(text)",
        "exec(text)",
        "torch.load(file)",
        "from torch import load",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.UnsafeLoader)",
        "np.load(file, allow_pickle=True)",
        "subprocess.run(line, shell=True)",
        "AutoConfig.from_pretrained(name, local_files_only=local, trust_remote_code=True)",
        "AutoConfig.from_pretrained(name, local_files_only=local)",
        "cls.from_pretrained(name, local_files_only=local, trust_remote_code=False)",
        "BertModel.from_pretrained(name)",
    ],
)
def test_what_runs_code_is_noticed(line: str) -> None:
    assert complaints(line)


def test_importing_afina_costs_nothing() -> None:
    heavy = "{'torch', 'numpy', 'pydantic', 'transformers'}"
    code = f"import sys, afina; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_configuration_and_data_need_no_torch() -> None:
    code = (
        "import sys; import afina.config, afina.data.sources, afina.data.splits, afina.tasks.classification, "
        "afina.model.families; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in afina.__all__:
        assert getattr(afina, name).__doc__
    assert set(afina.__all__) == set(dir(afina))
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        _ = afina.tarin
