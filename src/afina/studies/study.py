"""A study: a configuration, its data, and what all trials share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ..assembly import EncodedDataset, encode_dataset, open_tokenizer, to_dataset, with_targets
from ..baselines import Baselines
from ..baselines import baselines as baselines_of
from ..compute import Compute
from ..config import Config
from ..config import load as load_config
from ..data.parts import Data, read_data, sampled
from ..machine import suited
from ..metrics.kinds import Metric
from ..metrics.scores import higher_is_better
from ..model.backbone import load_config as load_model_config
from ..model.families import locate
from ..records import Features
from ..strategies import usual_rate
from ..tasks.base import Task
from ..text.tokenization import Tokenizer
from ..training.run import Ready, chosen
from ..work import drain
from .folder import StudyFolder

PRESENTED = ("pair_as",)
"""Options of tasks by which the same examples are encoded otherwise."""


@dataclass(frozen=True)
class Study:
    """What a design is about.

    Attributes:
        config: The configuration of the study. Trials override it.
        data: Its examples, by split.
        whole: The same, without the sample of the training examples that the configuration may name.
        asked: The configuration as the user gave it.
        folder: Folder of the study.
        compute: Device, arithmetic and threads of every trial.
        encodings: Features of examples by the settings of the tokenizer, and by the identity of the example.
        samples: Data with samples of the training examples, by the settings of the draw.
        tokenizers: Tokenizers by their settings.
    """

    config: Config
    data: Data
    whole: Data
    asked: Config
    folder: Path
    compute: Compute
    encodings: dict[Any, dict[int, Features]] = field(default_factory=dict)
    samples: dict[Any, Data] = field(default_factory=dict)
    tokenizers: dict[Any, Tokenizer] = field(default_factory=dict)

    # What is compared.

    @property
    def task(self) -> Task:
        """The task, fitted to all training examples."""
        return self.data.task

    @property
    def split(self) -> str:
        """The split on which recipes are compared: `test` where there is one, else `validation`, which chooses too."""
        return "test" if "test" in self.data.splits else "validation"

    @property
    def metric(self) -> str:
        """The metric by which recipes are compared."""
        return self.config.training.metric or next(iter(self.task.metrics))

    @property
    def score(self) -> Metric:
        """The metric itself."""
        return self.task.metrics[self.metric]

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the metric is better."""
        return higher_is_better(self.metric)

    def oriented(self, value: float) -> float:
        """A value of the metric, negated where less is better; the lowest where it is not defined."""
        if math.isnan(value):
            return -math.inf
        return value if self.higher_is_better else -value

    @property
    def examples(self) -> int:
        """Number of training examples."""
        return len(self.data.splits["train"])

    # The model.

    @cached_property
    def model_config(self) -> Any:
        """The configuration of the encoder."""
        source = locate(self.config.model.name)
        return load_model_config(source.path, local=source.local)

    @property
    def depth(self) -> int:
        """Number of layers of the encoder."""
        return int(self.model_config.num_hidden_layers)

    @property
    def usual_rate(self) -> float:
        """The learning rate that suits an encoder of this width."""
        return usual_rate(int(self.model_config.hidden_size))

    # What trials share.

    def configured(self, overrides: Mapping[str, Any]) -> Config:
        """The configuration of a trial.

        Raises:
            ConfigError: a setting does not exist, or has an impossible value.
        """
        return load_config(self.config, overrides)

    def data_for(self, config: Config) -> Data:
        """The data of a trial: all there are, or a sample of the training examples."""
        draw = config.data.sample, config.data.sample_seed
        if draw not in self.samples:
            self.samples[draw] = sampled(self.whole, draw[0], seed=draw[1])
        data = self.samples[draw]
        how = {name: config.options[name] for name in PRESENTED if name in config.options}
        same = all(getattr(data.task.options, name) == value for name, value in how.items())
        return data if same else replace(data, task=data.task.with_options(**how))

    def ready(self, config: Config, data: Data) -> Ready:
        """What need not be done again for a trial: its encoded examples, and findings that the study has told."""
        tokenizer = self.tokenizer(config)
        how = tuple(getattr(data.task.options, name, None) for name in PRESENTED)
        known = self.encodings.setdefault((config.model.name, tokenizer.max_length, config.model.resize, how), {})
        features = {}
        for name, examples in data.splits.items():
            missing = [example for example in examples if id(example) not in known]
            if missing:
                encoded = encode_dataset(tokenizer, data.task, missing)
                known |= {id(example): one for example, one in zip(missing, encoded.features, strict=True)}
            features[name] = [known[id(example)] for example in examples]
        return Ready(features, tokenizer)

    def tokenizer(self, config: Config) -> Tokenizer:
        """The tokenizer of a trial."""
        model = config.model
        asked = model.name, model.max_length, model.resize
        if asked not in self.tokenizers:
            source = locate(model.name)
            self.tokenizers[asked] = open_tokenizer(source, max_length=model.max_length, resize=model.resize)
        return self.tokenizers[asked]

    def encoded(self, config: Config | None = None) -> dict[str, EncodedDataset]:
        """The encoded examples of a trial, by split; those of the study without one. `train` has targets."""
        config = config or self.config
        data = self.data_for(config)
        ready = self.ready(config, data)
        splits = {name: to_dataset(examples, ready.features[name]) for name, examples in data.splits.items()}
        return {**splits, "train": with_targets(splits["train"], data.task)}

    def baselines(self, overrides: Mapping[str, Any] | None = None) -> Baselines:
        """The constant answer and the TF-IDF linear model on the rows of a trial, such as on a sample of them."""
        config = self.configured(overrides or {})
        return drain(baselines_of(self.data_for(config).task, self.encoded(config)))


def opened(
    config: Config, folder: Path, sources: Mapping[str, Any] | None = None, *, jobs: int = 1
) -> tuple[Study, list[str]]:
    """A study of a configuration, and notes for the user. What the machine decides is decided here, once.

    Args:
        config: Checked configuration.
        asked: The configuration as the user gave it.
        folder: Folder of the study.
        jobs: Number of trials at a time, which share the CPU threads.
        sources: Data in memory for `train`, `validation`, `test`, in place of the configured files.

    Raises:
        InputError: data or model can't be used.
    """
    asked = config
    unsampled = config.model_copy(update={"data": config.data.model_copy(update={"sample": None})})
    whole = read_data(unsampled, sources)
    data = sampled(whole, config.data.sample, seed=config.data.sample_seed)
    before = StudyFolder(folder).about().get("config", {}).get("training", {})
    compute, notes = chosen(config), list(data.notes)
    if before.get("threads") and config.training.threads is None:
        compute = replace(compute, threads=before["threads"])
    else:
        compute, said = suited(compute, fix="--set training.threads=")
        notes += [said] if said else []
    if compute.device.type == "cpu" and compute.threads is None:
        compute = replace(compute, threads=max(1, torch.get_num_threads() // jobs))
    decided = {
        "precision": before.get("precision") or compute.precision,
        "threads": compute.threads,
        # The models and texts of trials are not kept, and the study scores the baselines once.
        "save": "off",
        "report": "off",
        "baseline": "off",
    }
    training = config.training.model_copy(update=decided)
    options = data.task.options.model_dump(mode="json")
    config = config.model_copy(update={"training": training, "options": options, "out": str(folder)})
    return Study(config, data, whole, asked, folder, compute), notes
