"""What the pre-training of well-known encoders took, as their authors published it. What they do not say is left open.

FLOPs are 6 N D for N weights beside the embeddings and D tokens (Kaplan et al. 2020, section 2.1): the products with
the weights, forward and backward. Attention and the output layer come on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .families import EMBEDDED
from .known import ARXIV, HUB


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a pre-training.

    Attributes:
        what: What was done.
        weights: Weights beside the embeddings; None where they are not known.
        tokens: Tokens that went through; None where they are not known.
        devices: Number of devices; None where it is not known.
        device: What they were.
        hours: Hours on all of them together; None where they are not known.
        source: Address of the paper or page that says so.
        most: Whether `tokens` is the most that they can have been.
    """

    what: str
    weights: float | None = None
    tokens: float | None = None
    devices: int | None = None
    device: str = ""
    hours: float | None = None
    source: str = ""
    most: bool = False

    @property
    def flops(self) -> float | None:
        """FLOPs; None where they are not known."""
        return None if self.weights is None or self.tokens is None else 6 * self.weights * self.tokens

    @property
    def device_hours(self) -> float | None:
        """Hours times devices; None where they are not known."""
        return None if self.devices is None or self.hours is None else self.devices * self.hours


BASE, LARGE = 85e6, 302e6
"""Weights of the layers of BERT-base and BERT-large: 12 d^2 and biases, in 12 layers of width 768 or 24 of 1024."""
BERT_TOKENS = 1e6 * 256 * (0.9 * 128 + 0.1 * 512)
"""A million steps of 256 sequences, of 128 tokens in nine of ten and of 512 in the others (Devlin et al. 2019)."""
ROBERTA_TOKENS = 500e3 * 8192 * 512
BERT_BASE = (Stage("masked language model", BASE, BERT_TOKENS, 16, "TPU chip", 96, f"{ARXIV}1810.04805"),)
BERT_LARGE = (Stage("masked language model", LARGE, BERT_TOKENS, 64, "TPU chip", 96, f"{ARXIV}1810.04805"),)
MODERN = "masked language model, longer contexts, and decay"
MODERN_TOKENS = 1719e9 + 250e9 + 50e9
MINILM = (
    # Every second layer of MiniLM-L12-H384-uncased, which was distilled from a model of BERT-base's size.
    Stage("distillation of MiniLM-L12-H384-uncased from a model of the size of BERT-base", source=f"{ARXIV}2002.10957"),
    # 100,000 steps of 1,024 pairs of texts of 128 tokens at most; the hours are not given.
    Stage("pairs of English sentences, told apart", 10.6e6, 100e3 * 1024 * 2 * 128, 4, "TPU v3 chip", None,
          f"{HUB}sentence-transformers/all-MiniLM-L6-v2", most=True),
)  # fmt: skip
PRETRAINING: dict[str, Sequence[Stage]] = {
    "google-bert/bert-base-uncased": BERT_BASE,
    "google-bert/bert-base-cased": BERT_BASE,
    "google-bert/bert-large-uncased": BERT_LARGE,
    "google-bert/bert-large-cased": BERT_LARGE,
    "facebookai/roberta-base": (
        Stage("masked language model", BASE, ROBERTA_TOKENS, 1024, "V100", None, f"{HUB}FacebookAI/roberta-base"),
    ),
    "facebookai/roberta-large": (
        Stage("masked language model", LARGE, ROBERTA_TOKENS, 1024, "V100", None, f"{HUB}FacebookAI/roberta-large"),
    ),
    # 1.5 million steps of 8,192 texts; the paper gives no length, and the model takes 512 tokens at most.
    "facebookai/xlm-roberta-large": (
        Stage("masked language model", LARGE, 1.5e6 * 8192 * 512, 500, "V100", None, f"{ARXIV}1911.02116", most=True),
    ),
    "distilbert/distilbert-base-uncased": (
        *BERT_BASE, Stage("distillation", None, None, 8, "V100", 90, f"{ARXIV}1910.01108"),
    ),
    # 4 days each: table 1 of the paper.
    "google/electra-small-discriminator": (
        Stage("replaced tokens", None, None, 1, "V100", 96, f"{ARXIV}2003.10555"),
    ),
    "google/electra-base-discriminator": (
        Stage("replaced tokens", None, None, 16, "TPU v3", 96, f"{ARXIV}2003.10555"),
    ),
    # Table 3 of the paper; of 149 and 395 million parameters, 39 and 52 are the embedding's.
    "answerdotai/modernbert-base": (
        Stage(MODERN, 110e6, MODERN_TOKENS, 8, "H100", 194.2 + 39.9 + 11.5, f"{ARXIV}2412.13663"),
    ),
    "answerdotai/modernbert-large": (
        Stage(MODERN, 343e6, MODERN_TOKENS, 8, "H100", 425.3 + 80.7 + 21.7, f"{ARXIV}2412.13663"),
    ),
    "sentence-transformers/all-minilm-l6-v2": MINILM,
    EMBEDDED: MINILM,
}  # fmt: skip
"""The stages of a pre-training, by the id of its model in small letters. A folder is known by the end of its id."""


def pretraining_of(name: str) -> Sequence[Stage]:
    """What the pre-training of a model took; empty where nothing is known.

    Args:
        name: Name of the model: its id, or a folder of the name that its id ends in.
    """
    wanted = name.lower()
    ends = {known.rpartition("/")[2]: stages for known, stages in PRETRAINING.items()}
    return PRETRAINING.get(wanted) or ends.get(Path(wanted).name, ())
