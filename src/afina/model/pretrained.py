"""Load the tokenizer of a model folder or hub id. A tokenizer is data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelError, printable
from .families import check_packages, holds_pieces
from .folder import TOKENIZER, check_entries


def load_tokenizer(source: str, *, local: bool) -> Any:
    """The fast tokenizer of a located folder or hub id.

    Raises:
        ModelError: there is no tokenizer, only a slow one, or one that needs code of its own.
        MissingExtra: it needs a package that is not installed.
    """
    from transformers import AutoTokenizer
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    try:
        check_tokenizer(get_tokenizer_config(source, local_files_only=local), f"{source}: {TOKENIZER}")
        pretrained = AutoTokenizer.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    except ModelError:
        raise
    except Exception as error:  # transformers does not document which errors it raises for wrong values
        # transformers names tiktoken where a package for sentencepiece models is missing, or there is no tokenizer.
        if "tiktoken" in str(error) and not (local and not holds_pieces(Path(source))):
            check_packages(source)
        raise ModelError(f"model: no tokenizer can be loaded from {source}: {error}") from error
    if not getattr(pretrained, "is_fast", False):
        raise ModelError(f"model: {source} has no fast tokenizer (tokenizer.json), which afina needs for offsets")
    return pretrained


def check_tokenizer(tree: Mapping[str, Any], where: str) -> None:
    """Check that a `tokenizer_config.json` names no code other than a tokenizer of transformers.

    Raises:
        ModelError: it names other code.
    """
    from transformers import PreTrainedTokenizerBase
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

    check_entries(tree, where)
    name = tree.get("tokenizer_class")
    cls = tokenizer_class_from_name(name) if isinstance(name, str) else None
    own = isinstance(cls, type) and issubclass(cls, PreTrainedTokenizerBase)
    if name is not None and not (own and cls.__module__.startswith("transformers.")):
        raise ModelError(
            f"{where}: tokenizer_class: {printable(name)} is no tokenizer of transformers; "
            "where tokenizer.json holds all of it, write PreTrainedTokenizerFast"
        )
