"""The configuration of `afina adapt`: the sections of a training as far as they mean something here, and the masks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from .. import config as settings
from ..config import DataConfig, ModelConfig, Section, TrainingConfig, located, put, validated
from ..errors import ConfigError
from ..yaml_files import as_yaml, read_yaml
from .corpus import Corpus, Options

USED: dict[str, tuple[str, ...]] = {
    "data": (
        "train", "validation", "hold_out", "split_seed", "group_by", "split_by_time", "on_bad_row", "header",
        "delimiter", "quote", "format", "sheet", "encoding",
    ),
    "model": ("name", "dropout", "max_length", "resize"),
    "training": (
        "epochs", "batch_size", "accumulation", "learning_rate", "schedule", "warmup", "weight_decay", "clip",
        "patience", "evaluate_every", "diverged", "checkpointing", "micro_tokens", "checkpoint_every", "packing",
        "precision", "threads", "device", "strict", "track",
    ),
}  # fmt: skip
"""Settings of a training that mean something where nothing is labelled and everything trains."""
OWN = {
    "data": "data.train",
    "text": "text",
    "pair": "pair",
    "share": "masking.share",
    "whole_word": "masking.whole_word",
}
SHORT = OWN | {
    name: path
    for name, path in settings.SHORT.items()
    if name != "train" and path.partition(".")[2] in USED.get(path.partition(".")[0], ())
}
"""Short names of the settings that people set most, here and as flags of `afina adapt`."""


class MaskingConfig(Section):
    """Which tokens are hidden, and behind what (Devlin et al. 2019, section 3.1)."""

    share: float = Field(0.15, gt=0, lt=1, description="share of the tokens that are to be predicted")
    whole_word: bool = Field(False, description="hide all tokens of a word together")
    mask_token: float = Field(0.8, ge=0, le=1, description="share of them that the mask token stands for")
    random_token: float = Field(0.1, ge=0, le=1, description="share of them that a random token stands for")

    @model_validator(mode="after")
    def _shares(self) -> MaskingConfig:
        if self.mask_token + self.random_token > 1 + 1e-9:
            raise ValueError("mask_token and random_token together: expected 1 at most")
        return self


class AdaptConfig(Section):
    """Everything that makes an adaptation, in one tree."""

    data: DataConfig = Field(default=DataConfig())
    text: str | None = Field(None, description="column of the text; well-known names are recognised")
    pair: str | None = Field(None, description="column of the second text, for pairs")
    model: ModelConfig = Field(default=ModelConfig())
    masking: MaskingConfig = Field(default=MaskingConfig())
    training: TrainingConfig = Field(default=TrainingConfig())
    seed: int = Field(0, ge=0, lt=2**32, description="seed of everything random")
    out: str | None = Field(None, description="folder of the run; by default runs/adapt-SEED")

    @model_validator(mode="after")
    def _used(self) -> AdaptConfig:
        others = [
            f"{name}.{one}"
            for name, known in USED.items()
            for one in sorted(getattr(self, name).model_fields_set - set(known))
        ]
        if others:
            raise ValueError(f"{', '.join(others)}: no setting of adapt, which trains on texts alone; leave it out")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """The columns of the texts."""
        return {"text": self.text, "pair": self.pair}

    def make_task(self) -> Corpus:
        """What reads the texts."""
        return Corpus(Options(**self.options))


def tree_of(config: AdaptConfig) -> dict[str, Any]:
    """The configuration as plain values, without the settings that mean nothing here."""
    tree: dict[str, Any] = config.model_dump(mode="json")
    for name, known in USED.items():
        tree[name] = {one: value for one, value in tree[name].items() if one in known}
    return tree


def load(file: str | Path | AdaptConfig | None = None, overrides: Mapping[str, Any] | None = None) -> AdaptConfig:
    """A configuration file (or a configuration) and overrides by path (`masking.share`), checked as a whole.

    Relative paths inside a file are relative to that file's folder; those of overrides to the working directory.

    Raises:
        ConfigError: lists everything that is wrong, with its path.
    """
    if isinstance(file, AdaptConfig):
        tree = tree_of(file)
    elif file is not None and not isinstance(file, (str, Path)):
        found = type(file).__name__
        raise ConfigError(f"config: expected the path of a YAML file, found {found}; give data by name: data=...")
    else:
        tree = {} if file is None else located(read_yaml(Path(file)), Path(file).parent)
    for path, value in (overrides or {}).items():
        put(tree, path, value)
    config: AdaptConfig = validated(AdaptConfig, tree, "")
    return config


def dump(config: AdaptConfig) -> str:
    """The configuration as YAML that `load` reads back."""
    return as_yaml(tree_of(config))
