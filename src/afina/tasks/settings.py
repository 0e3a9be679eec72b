"""The settings that tasks share: which columns of the data they read, and how long texts are treated."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..text.pairs import PairAs


class Options(BaseModel):
    """Settings of a task. Each task has a subclass. Options are frozen, and unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    roles: ClassVar[tuple[str, ...]] = ()
    """The options that name columns of the data."""

    also: ClassVar[tuple[str, ...]] = ()
    """Columns that are read under these names where they exist."""

    @property
    def slides(self) -> bool:
        """Whether a long example becomes overlapping windows."""
        return False

    @property
    def chosen(self) -> dict[str, list[str]]:
        """The columns by the option that names them, as far as they are named."""
        return {role: [name] for role in self.roles if (name := getattr(self, role)) is not None}


class TextOptions(Options):
    """The columns of a task about a text or a pair of texts."""

    roles: ClassVar[tuple[str, ...]] = ("text", "pair", "label")
    text: str | None = Field(None, description="column of the text; well-known names are recognised")
    pair: str | None = Field(None, description="column of the second text, for pairs")
    label: str | None = Field(None, description="column of the label; well-known names are recognised")
    long: Literal["truncate", "windows"] = Field(
        "truncate", description="texts over the length limit: truncate, or windows that overlap, their logits averaged"
    )
    pair_as: PairAs = Field(
        "both",
        description="what is read of a pair: both texts, first or second (that one alone), swapped, or joined (as one "
        "text); what the others cost shows what is learned from the pair as one",
    )

    @property
    def slides(self) -> bool:
        return self.long == "windows"


def split_names(value: Any) -> Any:
    """Names between commas as a list, numbers among them as text."""
    parts = value.split(",") if isinstance(value, str) else value
    return (
        [part.strip() if isinstance(part, str) else str(part) for part in parts] if isinstance(parts, list) else parts
    )


Names = Annotated[list[str], BeforeValidator(split_names), Field(min_length=2)]
"""Names of labels, as a list or between commas."""


class LabelOptions(TextOptions):
    """The columns of a task about labels, which may have a column each."""

    labels: Names | None = Field(
        None, description="names of the labels: of one 0/1 column each, or of the places of a 0/1 vector"
    )

    @property
    def chosen(self) -> dict[str, list[str]]:
        return {**super().chosen, **({"label": self.labels} if self.labels and self.label is None else {})}
