"""Load an encoder, cut it at layer k, and run batches through its parts. Only this module loads transformers' models.

A strategy freezes the lower part (embeddings and the first k layers) and trains the upper part. Both are views of one
stock model and share its weights. The upper part is the stock class with its embeddings replaced by a pass-through, so
that every family keeps its own forward code.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import ConfigError, ModelError, printable
from ..records import Batch, States
from ..text.tokenization import Tokenizer
from . import attention, flash, folder
from .attention import first_of_last
from .casts import Casts
from .families import Family, Source, find_family
from .flash import Slots
from .views import replaced

ENCODER_DROPOUT = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout", "embedding_dropout",
    "mlp_dropout",
)  # fmt: skip
HEAD_DROPOUT = ("classifier_dropout", "classifier_dropout_prob", "seq_classif_dropout", "cls_dropout", "pooler_dropout")
UNUSABLE_LENGTH = 1_000_000
"""A tokenizer without a length limit stores an absurdly large one; limits from this value on are ignored."""


class PassThrough(nn.Module):
    """Replaces the embeddings and returns the states that it is given. [R, W, d] -> [R, W, d]"""

    def forward(self, input_ids: Any = None, inputs_embeds: Any = None, *_: Any, **__: Any) -> Any:
        return inputs_embeds


class Backbone:
    """The encoder of a stock model, as embeddings and numbered layers.

    Args:
        base: A stock base model (`BertModel` ...). Its weights are shared, and it is left unchanged.
        dtype: The type that its layers compute in.
    """

    def __init__(self, base: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        self.base = base
        config: Any = base.config
        self.config = config
        self.family: Family = find_family(self.config.model_type)
        self.width = int(self.config.hidden_size)
        self.takes_types = "token_type_ids" in inspect.signature(type(base).forward).parameters
        self.dtype = dtype
        self.casts = None if dtype == torch.float32 else Casts(base, dtype)
        self.whole = without_pooler(base if self.casts is None else self.casts.view)
        self.first_position = first_position(config)

    @property
    def layers(self) -> nn.ModuleList | None:
        """The layers in order, or None where they share their weights (ALBERT)."""
        if not self.family.layers:
            return None
        try:
            layers = self.base.get_submodule(self.family.layers)
        except AttributeError:
            raise ModelError(
                f"model: afina does not know where {type(self.base).__name__} keeps its layers; full and head work"
            ) from None
        return layers if isinstance(layers, nn.ModuleList) else None

    @property
    def depth(self) -> int:
        """Number of layers."""
        return int(self.config.num_hidden_layers)

    @property
    def positions(self) -> int:
        """Number of tokens that the model has positions for."""
        return int(getattr(self.config, "max_position_embeddings", 512)) - self.first_position

    def shut(self, device: torch.device, dtype: torch.dtype) -> str:
        """Why a GPU can't compute packed rows for this model, or nothing where it can."""
        width = self.width // int(self.config.num_attention_heads)
        return flash.shut(device, dtype, width, local=getattr(self.config, "sliding_window", None) is not None)

    def split_at(self, k: int) -> tuple[nn.Module, nn.Module]:
        """The model below and above layer k (0 < k < depth), as two views that share all weights."""
        if self.layers is None:
            raise ModelError(f"model: the layers of {self.config.model_type} share their weights and can't be cut")
        layers = list(self.whole.get_submodule(self.family.layers).children())
        lower = replaced(self.whole, self.family.layers, nn.ModuleList(layers[:k]))
        if self.family.norm:
            lower = replaced(lower, self.family.norm, nn.Identity())
        upper = replaced(self.whole, self.family.layers, nn.ModuleList(layers[k:]))
        upper = replaced(upper, "embeddings", PassThrough())
        if hasattr(upper, "embeddings_project"):
            upper = replaced(upper, "embeddings_project", nn.Identity())
        if getattr(getattr(upper, "encoder", None), "conv", None) is not None:  # DeBERTa's follows layer 0 only
            upper = replaced(upper, "encoder.conv", None)
        return lower, upper

    def without_last(self, part: nn.Module) -> nn.Module:
        """A view of a part of the model without the model's last layer."""
        layers = part.get_submodule(self.family.layers)
        return replaced(part, self.family.layers, nn.ModuleList(list(layers.children())[:-1]))

    def run_first(
        self, part: nn.Module, batch: Batch, states: torch.Tensor | None = None, *, multiple: int = 1
    ) -> torch.Tensor:
        """A packed batch through a part without the last layer, and first tokens alone through that one. [B, d]

        Args:
            part: The model, or its upper part, without the last layer.
            batch: Windows. [1, W]
            states: For an upper part, the states of the real tokens at the cut. [n, d]
            multiple: The number of first tokens whose multiple the last layer's products are filled up to.
        """
        hidden = self.run(part, batch, states)
        layers = self.whole.get_submodule(self.family.layers)
        last = list(layers.children())[-1]
        return first_of_last(last, hidden, slots_of(batch) or batch.lengths, batch.firsts, multiple=multiple)

    def run(self, part: nn.Module, batch: Batch, states: torch.Tensor | None = None) -> torch.Tensor:
        """Run a batch through a part of the model.

        Args:
            part: The whole model or a view of it.
            batch: Windows. [R, W]
            states: For an upper part, the states at the cut: of the real tokens or, on a GPU, of all places. [n, d]

        Returns:
            States of the real tokens, in the order of the windows; on a GPU, of all places. [n, d]
        """
        rows, width = batch.ids.shape
        inputs: dict[str, Any] = {}
        if batch.positions is None:
            inputs["attention_mask"] = batch.mask
        else:
            inputs |= {"position_ids": batch.positions + self.first_position, "lengths": slots_of(batch) or batch.row}
        if states is None:
            inputs["input_ids"] = batch.ids
            if self.takes_types:
                inputs["token_type_ids"] = batch.types
        elif batch.index is None:
            inputs["inputs_embeds"] = states.view(rows, width, -1)
        else:
            rectangle = states.new_zeros(rows * width, states.shape[-1])
            inputs["inputs_embeds"] = rectangle.index_copy(0, batch.index, states).view(rows, width, -1)
        hidden: torch.Tensor = part(**inputs).last_hidden_state
        places = hidden.reshape(rows * width, -1)
        return places if batch.index is None else places.index_select(0, batch.index)


def without_pooler(base: nn.Module) -> nn.Module:
    """A view of a base model without its pooler, which belongs to the head."""
    return replaced(base, "pooler", None) if isinstance(getattr(base, "pooler", None), nn.Module) else base


def pool(states: States, batch: Batch, pooling: str) -> States:
    """The input of a head: the `first`, `mean` or `max` state of each window, or the states of all `tokens`."""
    if pooling == "tokens" or states.pooled:
        return states
    if pooling == "first":
        return States(states.vectors.index_select(0, batch.firsts), pooled=True)
    if batch.index is None and batch.positions is None:
        return States(pool_rectangle(states.vectors.float(), batch, pooling), pooled=True)
    # The lengths sum to the number of rows by construction; a check would read them on the host.
    pooled = torch.segment_reduce(states.vectors.float(), pooling, lengths=batch.sizes, axis=0, unsafe=True)
    return States(pooled, pooled=True)


def pool_rectangle(places: torch.Tensor, batch: Batch, pooling: str) -> torch.Tensor:
    """The mean or the maximum of each row's real tokens. [R W, d] -> [R, d]"""
    rows, width = batch.ids.shape
    states, padding = places.view(rows, width, -1), (batch.mask == 0)[:, :, None]
    if pooling == "max":
        return states.masked_fill(padding, -torch.inf).amax(dim=1)
    return states.masked_fill(padding, 0.0).sum(dim=1) / batch.sizes[:, None]


def slots_of(batch: Batch) -> Slots | None:
    """Where the slots of a packed row on a GPU begin; None for other batches."""
    return None if batch.cumulative is None else Slots(batch.cumulative, batch.longest)


# ---------------------------------------------------------------------------------------------------------------------
# Loading and saving stock models.


def load_config(source: str, *, local: bool, **settings: Any) -> Any:
    """The configuration of a located model.

    Args:
        source: A folder that has been inspected, or a hub id.
        local: Whether `source` is a folder.
        settings: Entries that override those of the file.

    Raises:
        ModelError: the configuration can't be found or read, or names code.
    """
    from transformers import AutoConfig, PreTrainedConfig

    with reading(source, local=local):
        if not local:
            folder.check_config(PreTrainedConfig.get_config_dict(source)[0], f"{source}: {folder.CONFIG}")
        return AutoConfig.from_pretrained(source, local_files_only=local, trust_remote_code=False, **settings)


def load_stock(
    place: Source,
    auto_class: str,
    settings: Mapping[str, Any],
    *,
    dropout: float | None = None,
    head_dropout: float | None = None,
    random: bool = False,
) -> tuple[Any, list[str]]:
    """A stock model in fp32, and the names of the weights that its folder does not hold (a new head).

    New weights are initialised from torch's global generator, as the stock class does it; seed it first.

    Args:
        place: Where the model is stored.
        auto_class: Name of the stock auto class.
        settings: Entries of the configuration that override those of the file.
        dropout, head_dropout: Dropout rates of encoder and head; None for those of the model.
        random: Whether all weights are new: the same architecture, and nothing that was learned before. No file of
            weights is read then.

    Raises:
        ModelError: the model can't be found or read, or a part of the encoder itself has no weights.
    """
    import transformers

    source, local = place
    cls = getattr(transformers, auto_class)
    with quiet():
        config = load_config(source, local=local, **settings)
        if local and not random:
            check_weights(config, Path(source))
        apply_dropout(config, dropout, head_dropout)
        with reading(source, local=local):
            if random:
                model = cls.from_config(copy.deepcopy(config), dtype=torch.float32, trust_remote_code=False)
                new = [name for name, _ in model.named_parameters()]
            else:
                model, info = cls.from_pretrained(
                    source,
                    config=copy.deepcopy(config),
                    dtype=torch.float32,
                    local_files_only=local,
                    trust_remote_code=False,
                    use_safetensors=True,
                    ignore_mismatched_sizes=True,
                    output_loading_info=True,
                )
                new = missing(model, info, source)
    attention.cheapen(model)
    if find_family(model.config.model_type).packs:
        attention.register()
        model.config._attn_implementation = attention.NAME
    keep_positions(model)
    return model, new


def missing(model: Any, info: Mapping[str, Any], source: str) -> list[str]:
    """Names of the weights that a folder does not hold, as `from_pretrained` reports them: at most those of the head.

    Raises:
        ModelError: a part of the encoder itself has no weights.
    """
    new = sorted({*info["missing_keys"], *(entry[0] for entry in info["mismatched_keys"])})
    prefix = f"{model.base_model_prefix}."
    lost = (
        [key for key in new if key.startswith(prefix) and ".pooler." not in key]
        if model.base_model is not model
        else []
    )
    if lost:
        raise ModelError(
            f"model: {source} lacks weights of the encoder itself, for example {lost[0]}; it can't be fine-tuned"
        )
    return new


def keep_positions(model: Any) -> None:
    """Have the encoder of a DeBERTa make its table of relative positions once for each width, where widths are few.

    The second and third version copy a number from the host to a GPU for it, which a captured step can't do.
    """
    encoder = getattr(model.base_model, "encoder", None)
    make = getattr(encoder, "get_rel_pos", None)
    if encoder is None or make is None:
        return
    tables: dict[tuple[int, torch.device], torch.Tensor] = {}

    def kept(hidden: torch.Tensor, query: torch.Tensor | None = None, table: torch.Tensor | None = None) -> Any:
        if hidden.device.type == "cpu" or query is not None or table is not None:
            return make(hidden, query, table)
        key = hidden.shape[-2], hidden.device
        if key not in tables:
            tables[key] = make(hidden)
        return tables[key]

    encoder.get_rel_pos = kept


@contextmanager
def reading(source: str, *, local: bool) -> Iterator[None]:
    """Turn every error that transformers raises for malformed files into a `ModelError`.

    Raises:
        ModelError: loading failed.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # transformers does not document which errors it raises for wrong values
        if not local and "use_safetensors" in str(error):
            raise ModelError(
                f"model: {source} has no {folder.WEIGHTS} on the hub; download it, and {folder.CONVERT}"
            ) from error
        where = "" if local else " (a Hugging Face id; is the name right, and the network reachable?)"
        raise ModelError(f"model: {source}{where} can't be loaded: {error}") from error


def check_weights(config: Any, source: Path) -> None:
    """Check that a folder holds the weights of the encoder that its configuration describes, before allocating memory.

    Raises:
        ModelError: the configuration describes a larger encoder.
    """
    from transformers import AutoModel

    with reading(str(source), local=True), torch.device("meta"):
        shell = without_pooler(AutoModel.from_config(copy.deepcopy(config), trust_remote_code=False))
    wanted = sum(parameter.numel() for parameter in shell.parameters())
    held = folder.count_weights(source)
    if wanted > held:
        raise ModelError(
            f"{source / folder.CONFIG}: describes an encoder of {wanted:,} weights, and the files beside it hold "
            f"{held:,}; some are missing, or one of the two belongs to another model"
        )


def apply_dropout(config: Any, dropout: float | None, head_dropout: float | None) -> None:
    """Override the dropout rates that a family's configuration has."""
    for names, rate in ((ENCODER_DROPOUT, dropout), (HEAD_DROPOUT, head_dropout)):
        for name in names if rate is not None else ():
            if hasattr(config, name):
                setattr(config, name, rate)


def first_position(config: Any) -> int:
    """The number of the first position: RoBERTa counts from the padding id plus one."""
    return int(config.pad_token_id or 0) + 1 if find_family(config.model_type).offset else 0


def longest(config: Any, tokenizer: Any) -> int:
    """Largest number of tokens of a window: the model's positions, or the tokenizer's limit where that is smaller."""
    positions = int(getattr(config, "max_position_embeddings", 512)) - first_position(config)
    limit = int(tokenizer.model_max_length)
    return min(positions, limit) if limit < UNUSABLE_LENGTH else positions


def check_rows(config: Any, tokenizer: Tokenizer, source: str) -> None:
    """Check that every token has a row in the embedding, before one without is met in the middle of a run.

    Raises:
        ModelError: some have none; says how to give them rows.
    """
    rows = int(config.vocab_size)
    if tokenizer.rows > rows:
        last = printable(tokenizer.backend.id_to_token(tokenizer.rows - 1))
        raise ModelError(
            f"model: the tokenizer of {source} has {tokenizer.rows:,} tokens and the embedding {rows:,} rows, none for "
            f"{last}; --set model.resize=true trains it with rows for all of them. In transformers: "
            "model.resize_token_embeddings(len(tokenizer)), before fine-tuning"
        )


def resize(model: Any, rows: int) -> None:
    """Give an embedding rows for new tokens, drawn about the mean of the others (Hewitt 2021, as in transformers)."""
    if rows > model.get_input_embeddings().num_embeddings:
        with quiet():
            model.resize_token_embeddings(rows)


def check_length(asked: int | None, config: Any, tokenizer: Any) -> int:
    """The maximum length to use: as asked for, or the largest that the model supports.

    Raises:
        ConfigError: the length asked for exceeds the positions of the model.
    """
    most = longest(config, tokenizer)
    if asked is not None and asked > most:
        raise ConfigError(f"model.max_length: {asked} asked for, but {config.model_type} has room for {most} tokens")
    return asked or most


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the progress bars and load reports of transformers; afina reports new weights itself."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
