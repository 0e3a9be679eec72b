"""What is asked of data, whatever reads them: a training, or an adaptation to texts without labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..config import DataConfig
from ..tasks.base import Task


class Asked(Protocol):
    """What is asked of the data: the configuration of whatever reads them."""

    @property
    def data(self) -> DataConfig:
        """Where they are and how they are read."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Columns and settings of the task."""

    @property
    def model_fields_set(self) -> set[str]:
        """Names of the settings that were given."""

    def make_task(self) -> Task:
        """The task that reads them."""
