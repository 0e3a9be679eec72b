"""The tokenizer of a model's folder or hub id. Data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ModelError, printable
from .folder import TOKENIZER, check_entries


def load_tokenizer(source: str, *, local: bool) -> Any:
    """The fast tokenizer of a located folder or hub id.

    Raises:
        ModelError: there is none, only a slow one, or one that needs code of its own.
    """
    from transformers import AutoTokenizer
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    try:
        check_tokenizer(get_tokenizer_config(source, local_files_only=local), f"{source}: {TOKENIZER}")
        pretrained = AutoTokenizer.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    except ModelError:
        raise
    except Exception as error:  # which kinds transformers raises for wrong values is not documented, and they are many
        raise ModelError(f"model: no tokenizer can be loaded from {source}: {error}") from error
    if not getattr(pretrained, "is_fast", False):
        raise ModelError(f"model: {source} has no fast tokenizer (tokenizer.json), which afina needs for offsets")
    return pretrained


def check_tokenizer(tree: Mapping[str, Any], where: str) -> None:
    """See that a `tokenizer_config.json` names no code but a tokenizer of transformers.

    Raises:
        ModelError: it does.
    """
    from transformers import PreTrainedTokenizerBase
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

    check_entries(tree, where)
    name = tree.get("tokenizer_class")
    found = tokenizer_class_from_name(name) if isinstance(name, str) else None
    own = isinstance(found, type) and issubclass(found, PreTrainedTokenizerBase)
    if name is not None and not (own and found.__module__.startswith("transformers.")):
        raise ModelError(
            f"{where}: tokenizer_class: {printable(name)} is no tokenizer of transformers; "
            "where tokenizer.json holds all of it, write PreTrainedTokenizerFast"
        )
