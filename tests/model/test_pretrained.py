"""The tokenizer of a folder is one of transformers', fast, and data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import transformers

from afina.errors import ModelError
from afina.model.pretrained import check_tokenizer, load_tokenizer
from tests import tiny as made


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


@pytest.mark.parametrize("family", made.FAMILIES)
def test_the_tokenizer_of_a_folder_is_the_one_that_was_saved(family: str, tiny: Callable[[str], Path]) -> None:
    loaded = load_tokenizer(str(tiny(family)), local=True)
    assert loaded.is_fast
    ids = loaded("the cat sleeps", add_special_tokens=False)["input_ids"]
    assert loaded.backend_tokenizer.encode("the cat sleeps", add_special_tokens=False).ids == ids


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no tokenizer"):
        load_tokenizer(str(tmp_path), local=True)


def test_a_slow_tokenizer_is_refused(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(is_fast=False)

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", slow)
    with pytest.raises(ModelError, match=r"has no fast tokenizer \(tokenizer\.json\), which afina needs for offsets"):
        load_tokenizer(str(tiny("bert")), local=True)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"model": {"type": "Nothing"}}', b"\xff"])
def test_a_damaged_tokenizer_is_an_error_of_the_model(
    content: bytes, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny("bert"), tmp_path / "model"))
    (folder / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match=f"model: no tokenizer can be loaded from {folder}: ") as caught:
        load_tokenizer(str(folder), local=True)
    assert caught.value.__cause__ is not None


def test_a_configuration_names_a_tokenizer_of_transformers_or_none(tiny: Callable[[str], Path]) -> None:
    saved = json.loads((tiny("bert") / "tokenizer_config.json").read_text(encoding="utf-8"))
    for tree in (saved, {**saved, "tokenizer_class": None}, {}):
        check_tokenizer(tree, "here")
    with pytest.raises(ModelError, match=r"here: tokenizer_class: 'Path' is no tokenizer of transformers"):
        check_tokenizer({**saved, "tokenizer_class": "Path"}, "here")
