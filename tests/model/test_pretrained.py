"""The tokenizer of a folder is one of transformers', fast, and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from afina.errors import ModelError
from afina.model.pretrained import check_tokenizer, load_tokenizer


def test_a_folder_gives_its_fast_tokenizer(tiny: Callable[[str], Path]) -> None:
    pretrained = load_tokenizer(str(tiny("bert")), local=True)
    assert pretrained.is_fast
    assert pretrained("the cat")["input_ids"][0] == pretrained.cls_token_id


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no tokenizer can be loaded"):
        load_tokenizer(str(tmp_path), local=True)


@pytest.mark.parametrize("name", ["EvilTokenizer", "AutoModel", "pipeline"])
def test_a_class_that_is_no_tokenizer_of_transformers_is_refused(name: str) -> None:
    check_tokenizer({"tokenizer_class": "BertTokenizer"}, "tokenizer_config.json")
    with pytest.raises(ModelError, match=f"'{name}' is no tokenizer of transformers"):
        check_tokenizer({"tokenizer_class": name}, "tokenizer_config.json")
