"""Layers that compute in bf16, on copies of fp32 weights that are cast once a step.

The weights of a model stay in fp32: they are saved, hashed and optimised (Micikevicius et al. 2018, "master weights").
Its layers run on copies in the type of the arithmetic, and what goes from layer to layer has that type too, so that no
product of matrices casts its factors again. Sums inside of products, normalisations and softmax are fp32. The gradient
of a copy is added to that of its weight in fp32, as soon as it is complete.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Any

import torch
from torch import nn

from .views import view

UNCAST = ("embeddings", "pooler")
"""Children of a base model that compute in fp32: tables of rows, which no product reads, and a part of the head."""
OWN = ("_parameters", "_modules", "_forward_hooks")
"""Entries of a module that its twin does not share."""


class Casts:
    """A model's layers in another type.

    Args:
        whole: A base model in fp32. It is left unchanged.
        dtype: Type of the copies.

    Attributes:
        view: The model with twins in place of its layers.
    """

    def __init__(self, whole: nn.Module, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.copies: dict[torch.Tensor, nn.Parameter] = {}
        self.versions: dict[torch.Tensor, int] = {}
        self.twins: dict[nn.Module, nn.Module] = {}
        self.view = view(whole)
        for name, part in whole.named_children():
            self.view._modules[name] = part if name in UNCAST else self.twin(part)
            if name == "embeddings":
                rows = self.view._modules[name] = view(part)
                rows._forward_hooks = OrderedDict({0: self.cast})
                self.twins[part] = rows

    def twin(self, module: nn.Module) -> nn.Module:
        """A module and its descendants on copies of their weights."""
        if module not in self.twins:
            twin = self.twins[module] = view(module)
            twin._parameters = {name: w if w is None else self.copy(w) for name, w in module._parameters.items()}
            for name, part in module._modules.items():
                twin._modules[name] = None if part is None else self.twin(part)
        return self.twins[module]

    def copy(self, weight: nn.Parameter) -> nn.Parameter:
        """The copy of a weight; weights that are shared have one."""
        if weight not in self.copies:
            copy = self.copies[weight] = nn.Parameter(weight.detach().to(self.dtype), weight.requires_grad)
            copy.requires_grad_()
            copy.register_post_accumulate_grad_hook(partial(hand_over, weight))  # type: ignore[no-untyped-call]
            copy.requires_grad_(weight.requires_grad)
            self.versions[weight] = weight._version
        return self.copies[weight]

    def cast(self, module: nn.Module, arguments: Any, rows: torch.Tensor) -> torch.Tensor:
        """What the embeddings give, in the type of the layers."""
        return rows.to(self.dtype)

    @torch.no_grad()
    def refresh(self) -> None:
        """Cast the weights again that have changed since they were cast, as their counter of changes in place says."""
        stale: list[torch.Tensor] = [weight for weight, version in self.versions.items() if weight._version != version]
        if stale:
            torch._foreach_copy_([self.copies[weight] for weight in stale], stale)
            self.versions.update((weight, weight._version) for weight in stale)

    def follow(self) -> None:
        """Take over what was set on the modules: training mode, dropout rates, gradient checkpointing, what trains."""
        for module, twin in self.twins.items():
            twin.__dict__.update((name, value) for name, value in module.__dict__.items() if name not in OWN)
        for weight, copy in self.copies.items():
            copy.requires_grad_(weight.requires_grad)


@torch.no_grad()
def hand_over(weight: nn.Parameter, copy: torch.Tensor) -> None:
    """Add the gradient of a copy to that of its weight, in fp32."""
    if copy.grad is not None:
        if weight.grad is None:
            weight.grad = copy.grad.to(weight.dtype)
        else:
            weight.grad.add_(copy.grad)
        copy.grad = None
