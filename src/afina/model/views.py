"""Views of models: other trees of modules over the same weights."""

from __future__ import annotations

from torch import nn


def view(module: nn.Module) -> nn.Module:
    """A shallow copy of a module: the same parameters, buffers and children, but its own table of children."""
    twin: nn.Module = module.__new__(type(module))
    twin.__dict__ = dict(module.__dict__)
    twin.__dict__["_modules"] = dict(module._modules)
    return twin


def replaced(module: nn.Module, path: str, part: nn.Module | None) -> nn.Module:
    """A view of a module with one descendant replaced. The module itself is left unchanged."""
    first, _, rest = path.partition(".")
    twin = view(module)
    twin._modules[first] = replaced(module.get_submodule(first), rest, part) if rest else part
    return twin
