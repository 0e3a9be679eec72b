"""What a model folder may hold, at its bounds; tests/test_threats.py has the attacks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from afina.artifact import Artifact
from afina.errors import ModelError
from afina.model import folder
from afina.model.folder import (
    DEEPEST,
    READ,
    count_weights,
    entries,
    inspect,
    read_json,
    repository,
    shapes,
    weight_files,
)
from tests import tiny as made
from tests.networks import network_of, task_of, tokenizer_of


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


@pytest.mark.parametrize("family", made.FAMILIES)
def test_every_file_of_a_saved_model_is_looked_at(family: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """What afina and transformers write, and so read, is in the list of what is inspected and verified."""
    folder = tiny(family)
    inspect(folder)
    network = network_of(folder, head="mean")
    Artifact(task_of(), tokenizer_of(folder), network, "mean", "tiny").save(tmp_path / "model")
    inspect(tmp_path / "model")
    saved = [*folder.iterdir(), *(tmp_path / "model").rglob("*")]
    assert {file.name for file in saved if file.is_file()} <= READ


def test_the_encoder_under_a_head_of_ours_is_inspected(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    network = network_of(tiny("bert"), head="mean")
    place = tmp_path / "model"
    Artifact(task_of(), tokenizer_of(tiny("bert")), network, "mean", "tiny").save(place)
    assert inspect(place) == place / "encoder"
    file = place / "encoder" / "config.json"
    tree = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**tree, "auto_map": {"AutoModel": "x.Y"}}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"encoder/config\.json: the entry 'auto_map' names code"):
        inspect(place)
    file.unlink()
    with pytest.raises(ModelError, match=r"encoder/config\.json: missing"):
        inspect(place)
    (place / "encoder").rename(tmp_path / "elsewhere")
    (place / "encoder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="a link that leaves the folder"):
        inspect(place)


def test_shapes_and_numbers_come_from_the_header(tiny: Callable[[str], Path]) -> None:
    (file,) = weight_files(tiny("bert"))
    weights = load_file(file)
    assert shapes(file) == {name: list(tensor.shape) for name, tensor in weights.items()}
    assert count_weights(tiny("bert")) == sum(tensor.numel() for tensor in weights.values())


def test_an_index_names_each_file_once(tmp_path: Path) -> None:
    for name in ("b.safetensors", "a.safetensors"):
        (tmp_path / name).touch()
    index = {"weight_map": {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert [file.name for file in weight_files(tmp_path)] == ["a.safetensors", "b.safetensors"]
    (tmp_path / "a.safetensors").unlink()
    with pytest.raises(ModelError, match=r"a\.safetensors: missing, and model\.safetensors\.index\.json names it"):
        weight_files(tmp_path)


def test_entries_come_from_every_depth_and_labels_are_none() -> None:
    tree = {"a": {"b": [{"c": 1}, [{"d": 2}]]}, "id2label": {"0": "e"}, "label2id": {"e": 0}}
    assert {name for name, _ in entries(tree, "here")} == {"a", "b", "c", "d", "id2label", "label2id"}
    deep: Any = {}
    for _ in range(DEEPEST):
        deep = {"inner": deep}
    with pytest.raises(ModelError, match=f"here: nested in more than {DEEPEST} levels"):
        list(entries(deep, "here"))
    assert list(entries(deep["inner"], "here"))


def test_a_snapshot_belongs_to_its_repository(tmp_path: Path) -> None:
    plain, snapshot = tmp_path / "model", tmp_path / "models--somebody--model" / "snapshots" / "0123"
    for place in (plain, snapshot):
        place.mkdir(parents=True)
    assert repository(plain) == plain.resolve()
    assert repository(snapshot) == (tmp_path / "models--somebody--model").resolve()
    os.symlink(snapshot, tmp_path / "link")  # noqa: PTH211 - as somebody at a shell would
    assert repository(tmp_path / "link") == (tmp_path / "models--somebody--model").resolve()


def test_a_json_object_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"ação": 1}', encoding="utf-8")
    assert read_json(tmp_path / "config.json") == {"ação": 1}
    with pytest.raises(ModelError, match=r"nothing\.json: damaged: .*No such file"):
        read_json(tmp_path / "nothing.json")
