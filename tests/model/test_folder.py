"""What a model folder may hold, at its bounds; tests/test_threats.py has the attacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from afina.errors import ModelError
from afina.model import folder


def test_a_sound_folder_passes_and_its_weights_are_counted(tiny: Callable[[str], Path]) -> None:
    from transformers import AutoModelForMaskedLM

    place = tiny("bert")
    folder.inspect(place)
    model = AutoModelForMaskedLM.from_pretrained(place)
    assert folder.count_weights(place) == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("size", [-1, folder.SIZES["vocab_size"] + 1, "many", 1.5])
def test_absurd_sizes_are_refused_by_name(size: object) -> None:
    folder.check_config({"vocab_size": folder.SIZES["vocab_size"]}, "config.json")
    with pytest.raises(ModelError, match=r"config\.json: vocab_size: expected a whole number"):
        folder.check_config({"vocab_size": size}, "config.json")


def test_labels_may_be_any_words() -> None:
    folder.check_config({"id2label": {"0": "auto_map", "1": "__class__"}, "label2id": {"auto_map": 0}}, "config.json")


def test_deep_trees_are_refused_without_recursion() -> None:
    tree: dict[str, object] = {}
    for _ in range(folder.DEEPEST * 3):
        tree = {"a": tree}
    with pytest.raises(ModelError, match="nested in more than"):
        folder.check_entries(tree, "config.json")


def test_what_is_no_object_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    for content in ("[]", "{", "nul"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(ModelError, match="damaged"):
            folder.read_json(file)
    file.write_text(json.dumps({"a": 1}), encoding="utf-8")
    assert folder.read_json(file) == {"a": 1}
