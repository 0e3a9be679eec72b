"""The freeze proof: frozen weights are unchanged, and trainable weights have moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..assembly import parameter_hashes
from ..errors import TrainingError
from ..model.network import Network


def prove(
    network: Network, before: Mapping[str, str], *, vocabulary: int | None = None, later: Collection[str] = ()
) -> dict[str, Any]:
    """Prove that every frozen tensor is bit-equal to that of the base model, and list trainable ones that did not move.

    Args:
        network: The network after training.
        before: Hashes from `parameter_hashes` before training.
        vocabulary: Number of weights in the trained rows of the vocabulary; None where all rows trained.
        later: Names of what trained in later stages than that of the best weights only, and so has not moved in these.

    Raises:
        TrainingError: a frozen tensor moved, or no trainable tensor did.
    """
    after = parameter_hashes(network)
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    moved = {name for name in after if after[name] != before[name]}
    if moved - trained:
        raise TrainingError(f"frozen weights moved: {', '.join(sorted(moved - trained)[:5])}; please report this")
    if not moved:
        raise TrainingError("no weight moved in training; is the learning rate 0?")
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    unused = 0
    if vocabulary is not None:
        table = network.backbone.base.get_input_embeddings().weight  # type: ignore[operator]
        unused = table.numel() - vocabulary
    return {
        "frozen_tensors": len(after) - len(trained),
        "frozen_tensors_moved": [],
        "trained_tensors": len(trained),
        "trained_tensors_unmoved": sorted(trained - moved - set(later)),
        "parameters": {
            "trained": sum(sizes[name] for name in trained) - unused,
            "frozen": sum(size for name, size in sizes.items() if name not in trained) + unused,
        },
    }
