"""Measures of the package's structure: `python -m tests.structure [FOLDER]` prints them for a folder of sources."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
Function = ast.FunctionDef | ast.AsyncFunctionDef
ASKS = {
    "device": (
        "is_available", "is_bf16_supported", "allow_tf32", "get_num_threads", "set_num_threads", "devices.best",
        "set_flush_denormal", "autocast", "device.type",
    ),
    "layout": ("packs", "packed", "pad", "multiple", "packing", "shelve", "pack"),
}  # fmt: skip
"""Names by which a file shows that it asks where a model computes, or how windows lie."""


@dataclass(frozen=True, slots=True)
class Module:
    """A source file.

    Attributes:
        name: Path below the package, with slashes.
        lines: Number of lines.
        tree: What it says.
    """

    name: str
    lines: int
    tree: ast.Module


def modules(package: Path) -> list[Module]:
    """The modules of a package, empty ones left out."""
    found = []
    for file in sorted(package.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if text.strip():
            found.append(Module(file.relative_to(package).as_posix(), text.count("\n"), ast.parse(text)))
    return found


def functions(module: Module) -> Iterator[tuple[Function, bool]]:
    """Every function, and whether it is a method."""
    methods = {
        id(child) for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef) for child in node.body
    }  # fmt: skip
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node, id(node) in methods


def size(function: Function) -> int:
    """Number of lines of a function."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def positional(function: Function, *, method: bool) -> int:
    """Number of arguments that can be given by place."""
    arguments = function.args
    static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in function.decorator_list)
    return len(arguments.posonlyargs) + len(arguments.args) - (method and not static)


def takes_config(function: Function) -> bool:
    """Whether a function takes a configuration or a section of it."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    annotations = [ast.unparse(one.annotation) for one in arguments if one.annotation]
    return any(name in annotation for annotation in annotations for name in ("Config", "TrainingConfig", "ModelConfig"))


def names_of(module: Module) -> set[str]:
    """Identifiers that a module uses."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.arg):
            names.add(node.id if isinstance(node, ast.Name) else node.arg)
        elif isinstance(node, ast.Attribute):
            inner = node.value
            outer = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""
            names |= {node.attr, f"{outer}.{node.attr}"}
    return names


def defined(module: Module) -> set[str]:
    """Public functions and classes at the top of a module."""
    things = [node for node in module.tree.body if isinstance(node, Function | ast.ClassDef)]
    return {thing.name for thing in things if not thing.name.startswith("_")}


def defined_often(found: list[Module]) -> dict[str, list[str]]:
    """Names of public functions and classes that several modules define."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in found:
        for name in defined(module):
            homes[name].append(module.name)
    return {name: places for name, places in sorted(homes.items()) if len(places) > 1}


def without_test(found: list[Module], tests: Path = TESTS) -> list[str]:
    """Modules that have no test file of their own in the mirror."""

    def mirror(name: str) -> Path:
        path = tests / name
        return path.with_name(f"test_{path.name}")

    skipped = ("__init__.py", "__main__.py")
    return [m.name for m in found if not m.name.endswith(skipped) and not mirror(m.name).exists()]


def imports(found: list[Module]) -> dict[str, set[str]]:
    """For each module those of the package that it imports when it is imported itself."""
    known = {module.name for module in found}
    graph: dict[str, set[str]] = {}
    for module in found:
        graph[module.name] = set()
        for node in module.tree.body:
            if isinstance(node, ast.ImportFrom) and node.level:
                base = module.name.split("/")[: -node.level]
                inner = [*base, *(node.module.split(".") if node.module else [])]
                for alias in node.names:
                    for parts in (inner, [*inner, alias.name]):
                        name = "/".join(parts) + ".py"
                        graph[module.name] |= {name} & known
    return graph


def cycles(graph: Mapping[str, set[str]]) -> list[str]:
    """Nodes that reach themselves."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph.get(start, ()))
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += graph.get(node, ())
        return seen

    return [node for node in graph if node in reached(node)]


def folders(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same between folders; a file at the top is a folder of its own."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, others in graph.items():
        room = module.split("/")[0]
        found[room] |= {other.split("/")[0] for other in others} - {room}
    return found


def main(package: Path) -> None:
    """Print the measures of a package."""
    found = modules(package)
    own = [(module, function, method) for module in found for function, method in functions(module)]
    lines = sorted((module.lines for module in found), reverse=True)
    longest = ", ".join(f"{m.name} {m.lines}" for m in sorted(found, key=lambda m: -m.lines)[:5])
    configs = [
        f"{m.name}:{f.name}" for m, f, _ in own if takes_config(f) and not m.name.startswith(("cli", "config", "api"))
    ]
    print(f"files {len(found)}, lines {sum(lines)}")
    print(f"longest: {longest}")
    print(f"files over 450 lines: {sum(count > 450 for count in lines)}")
    print(f"functions {len(own)}, over 60 lines: {sum(size(f) > 60 for _, f, _ in own)}")
    print(f"functions with more than 3 positional arguments: {sum(positional(f, method=m) > 3 for _, f, m in own)}")
    places = len({config.split(":")[0] for config in configs})
    print(f"functions below the edge that take a configuration: {len(configs)} in {places} files: {', '.join(configs)}")
    print(f"modules without a test of their own: {len(without_test(found))}: {', '.join(without_test(found))}")
    often = defined_often(found)
    print(f"names defined in several modules: {len(often)}: {', '.join(often)}")
    for what, words in ASKS.items():
        asking = [module.name for module in found if names_of(module) & set(words)]
        print(f"files that ask about {what}: {len(asking)}: {', '.join(asking)}")
    print(f"cycles: modules {cycles(imports(found))}, folders {cycles(folders(imports(found)))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TESTS.parent / "src" / "afina")
