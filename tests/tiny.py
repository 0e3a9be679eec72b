"""Tiny random models of every family, with tokenizers trained on a few sentences: no network, a second each."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, PreTrainedTokenizerFast

CORPUS = [
    "the cat sleeps on the mat and the dog barks at the bird",
    "a lovely film, a poor meal, a great room and an awful song",
    "A Apple foi fundada por Steve Jobs na Califórnia em 1976.",
    "good bad fine broken great poor lovely awful it's 12.50 euros on 3 May 2024",
    "ação coração não você está amanhã é útil",
] * 4

WORDPIECE, BYTES, UNIGRAM = "wordpiece", "bytes", "unigram"
FAMILIES: dict[str, str] = {
    "bert": WORDPIECE,
    "electra": WORDPIECE,
    "distilbert": WORDPIECE,
    "mpnet": WORDPIECE,
    "roberta": BYTES,
    "modernbert": BYTES,
    "deberta": BYTES,
    "xlm-roberta": UNIGRAM,
    "camembert": UNIGRAM,
    "albert": UNIGRAM,
    "deberta-v2": UNIGRAM,
}
"""Every family that afina supports, with the kind of tokenizer that its checkpoints have."""

SPECIAL = {
    WORDPIECE: {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
    BYTES: {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"},
    UNIGRAM: {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"},
}
DOUBLE_SEPARATOR = {"roberta", "xlm-roberta", "camembert", "mpnet"}
SHAPE = {
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "hidden_size": 16,
    "intermediate_size": 32,
    "max_position_embeddings": 66,
}


def tiny_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A tokenizer of the kind that the family's checkpoints have."""
    kind = FAMILIES[family]
    names = SPECIAL[kind]
    special = list(names.values())
    if kind == WORDPIECE:
        backend = Tokenizer(models.WordPiece(unk_token=names["unk"]))
        backend.normalizer = normalizers.BertNormalizer(lowercase=True)
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer: Any = trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
        backend.decoder = decoders.WordPiece()
    elif kind == BYTES:
        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )  # fmt: skip
    else:
        backend = Tokenizer(models.Unigram())
        backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
        backend.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=150, special_tokens=special, unk_token=names["unk"], show_progress=False
        )
    backend.train_from_iterator(CORPUS, trainer)
    cls, sep = names["cls"], names["sep"]
    double = f"{sep} {sep}" if family in DOUBLE_SEPARATOR else sep
    types = ":1" if kind == WORDPIECE or family in ("albert", "deberta-v2", "deberta") else ":0"
    backend.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {double} $B{types} {sep}{types}",
        special_tokens=[(cls, backend.token_to_id(cls)), (sep, backend.token_to_id(sep))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=512, **{f"{name}_token": token for name, token in names.items()}
    )


def tiny_config(family: str, vocabulary: int, tokenizer: PreTrainedTokenizerFast) -> Any:
    """A configuration of the family in a small shape."""
    shape: dict[str, Any] = {**SHAPE, "vocab_size": vocabulary, "pad_token_id": tokenizer.pad_token_id}
    shape |= {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
    if family == "electra":
        shape["embedding_size"] = 8
    if family == "albert":
        shape |= {"embedding_size": 8, "classifier_dropout_prob": 0.1}
    if family == "distilbert":
        shape = {
            "vocab_size": vocabulary, "dim": 16, "hidden_dim": 32, "n_layers": 3, "n_heads": 2,
            "max_position_embeddings": 66, "pad_token_id": tokenizer.pad_token_id,
        }  # fmt: skip
    if family == "modernbert":
        shape |= {"local_attention": 8, "global_attn_every_n_layers": 2, "cls_token_id": 0, "sep_token_id": 2}
    if family in ("deberta", "deberta-v2"):
        shape |= {
            "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 32,
            "position_biased_input": False, "type_vocab_size": 0, "pooler_hidden_size": 16,
        }  # fmt: skip
    if family == "deberta-v2":
        shape |= {"position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True, "conv_kernel_size": 3}
        shape |= {"conv_act": "gelu", "pooler_dropout": 0.0}
    if family in ("roberta", "xlm-roberta", "camembert"):
        shape["type_vocab_size"] = 1
    return AutoConfig.for_model(family, **shape)


def tiny_model(folder: Path, family: str = "bert", *, seed: int = 0, masked: bool = True) -> Path:
    """A model folder as a hub would give it: a masked language model (no pooler, no classifier) and its tokenizer."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(family)
    config = tiny_config(family, len(tokenizer), tokenizer)
    model = (AutoModelForMaskedLM if masked else AutoModel).from_config(copy.deepcopy(config))
    with torch.no_grad():  # random biases and normalisation weights, so that a forgotten one shows
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
