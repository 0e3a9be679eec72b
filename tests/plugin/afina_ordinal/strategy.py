"""A strategy of somebody else's: the biases and the head train (Ben Zaken et al. 2022, BitFit)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afina.errors import ConfigError
from afina.strategies import Defaults, Strategy

if TYPE_CHECKING:
    from afina.model.network import Network


class Biases(Strategy):
    """Every bias of the encoder, and the head."""

    def __init__(self, argument: str) -> None:
        if argument:
            raise ConfigError(f"strategy: biases takes no argument, found {argument!r}")

    def apply(self, network: Network) -> None:
        network.train_last(None)
        own = {id(parameter) for parameter in network.head.parameters()}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:  # what nothing reads stays frozen
                parameter.requires_grad_(id(parameter) in own or name.endswith(".bias"))

    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        return Defaults(batch_size or 16, epochs=10, learning_rate=1e-3)
