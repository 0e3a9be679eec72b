"""Models of somebody else's: what a folder asks for is refused or never looked at; nothing runs, nothing is fetched."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import afina
from afina.artifact import load
from afina.cards.card import FILE as CARD
from afina.errors import ModelError
from afina.model import folder as folders
from afina.model import heads
from afina.model.backbone import load_stock
from afina.model.families import locate
from afina.model.pretrained import check_tokenizer, load_tokenizer
from tests import tiny as made

TEXTS = ["a lovely film", "awful"]
ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("awful", "bad"))] * 4


@pytest.fixture(scope="module")
def tuned(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("threats") / "run"
    afina.train(train=ROWS, validation=ROWS, model=tiny("bert"), head="mean", epochs=1, out=out)
    return out / "model"


@pytest.fixture
def base(tiny: Callable[[str], Path], tmp_path: Path) -> Path:
    """A base model that may be spoiled."""
    return Path(shutil.copytree(tiny("bert"), tmp_path / "base"))


@pytest.fixture
def model(tuned: Path, tmp_path: Path) -> Path:
    """A fine-tuned model that may be spoiled."""
    return Path(shutil.copytree(tuned, tmp_path / "model"))


def edit(file: Path, **entries: Any) -> None:
    """Change entries of a JSON file; None removes one."""
    tree = json.loads(file.read_text(encoding="utf-8")) | entries
    file.write_text(json.dumps({name: value for name, value in tree.items() if value is not None}), encoding="utf-8")


def held(model: Path, name: str) -> Path:
    """Where a file of a model under a head of ours lies: the encoder has a folder of its own."""
    return model / name if name in ("afina.json", "head.safetensors", "notes") else model / "encoder" / name


def unsealed(model: Path) -> Path:
    """A fine-tuned model whose sums are gone: an attacker would write his own."""
    edit(model / "afina.json", files=None, sha256=None)
    return model


# ---------------------------------------------------------------------------------------------------------------------
# Configurations.

CODE = {"AutoModel": "modeling_x.Model", "AutoConfig": "modeling_x.Config"}


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("auto_map", CODE),
        ("custom_pipelines", {"classify": {"impl": "pipe.Pipe", "pt": ["AutoModel"]}}),
        ("trust_remote_code", True),
        ("_attn_implementation", "someone/kernel"),
        ("_attn_implementation_internal", "someone/kernel:attention"),
        ("attn_implementation", {"": "flash_attention_2"}),
        ("experts_implementation", "someone/kernel"),
        ("quantization_config", {"quant_method": "bitsandbytes", "load_in_4bit": True}),
        ("configuration_files", ["config.4.0.0.json"]),
        ("transformers_weights", "../other/model.safetensors"),
        ("attribute_map", {"hidden_size": "vocab_size"}),
        ("_auto_class", "AutoConfig"),
        ("__class__", "Thing"),
    ],
)
def test_an_entry_that_chooses_code_or_files_is_refused_at_any_depth(entry: str, value: Any, base: Path) -> None:
    for tree in ({entry: value}, {"text_config": {"inner": [{entry: value}]}}):
        shutil.copy(base / "config.json", base / "before")
        edit(base / "config.json", **tree)
        with pytest.raises(ModelError, match=rf"config\.json: the entry '{entry}' .*remove the entry"):
            load_stock(locate(str(base)), "AutoModel", {})
        (base / "before").replace(base / "config.json")


@pytest.mark.parametrize("name", ["config.json", "encoder/config.json"])
def test_the_entries_of_a_fine_tuned_model_are_looked_at_too(name: str, model: Path) -> None:
    edit(unsealed(model) / name, auto_map=CODE)
    with pytest.raises(ModelError, match="'auto_map' names code to import"):
        load(model)


def test_the_harmless_entries_of_the_hub_pass(base: Path) -> None:
    """Entries that configurations of BERT, BERTimbau, RoBERTa, XLM-R, DeBERTa and ModernBERT carry."""
    entries = {
        "_name_or_path": "somebody/model", "architectures": ["BertForMaskedLM"], "gradient_checkpointing": False,
        "finetuning_task": None, "output_past": True, "directionality": "bidi", "pooler_fc_size": 768,
        "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3, "pooler_size_per_head": 128,
        "pooler_type": "first_token_transform", "position_embedding_type": "absolute", "torch_dtype": "float16",
        "transformers_version": "4.8.2", "use_cache": True, "type_vocab_size": 2, "_num_labels": 2,
        "task_specific_params": {"text": {"max_length": 5}}, "xla_device": True, "pruned_heads": {},
        "torchscript": False, "use_bfloat16": False, "output_attentions": False, "is_decoder": False,
        "_attn_implementation_autoset": True,
        "_attn_implementation": "sdpa", "attn_implementation": None, "norm_rel_ebd": "layer_norm",
        "quantization_config": None, "auto_map": {}, "cls_token_id": 50281, "global_rope_theta": 160000.0,
        "reference_compile": None, "sparse_prediction": False, "tokenizer_class": None, "language": "english",
        "pos_att_type": ["c2p"],
    }  # fmt: skip
    tree = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(entries | tree))
    assert load_stock(locate(str(base)), "AutoModel", {})


def test_labels_may_have_the_names_of_entries(base: Path) -> None:
    edit(base / "config.json", id2label={"0": "auto_map", "1": "__init__"}, label2id={"auto_map": 0, "__init__": 1})
    assert locate(str(base))


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("vocab_size", 10**12),
        ("hidden_size", 10**9),
        ("num_hidden_layers", 10**7),
        ("num_labels", 10**9),
        ("intermediate_size", 10**12),
        ("max_position_embeddings", 10**12),
        ("vocab_size", -5),
        ("vocab_size", "many"),
        ("hidden_size", 16.5),
        ("id2label", {str(i): str(i) for i in range(100_001)}),
        ("id2label", ["a", "b"]),
        ("id2label", {"0": {"a": "b"}}),
        ("dtype", "load"),
    ],
)
def test_absurd_sizes_are_refused_by_name(entry: str, value: Any, base: Path) -> None:
    edit(base / "config.json", **{entry: value})
    with pytest.raises(ModelError, match=rf"config\.json: {entry}: "):
        load_stock(locate(str(base)), "AutoModel", {})


@pytest.mark.parametrize(
    ("entry", "value"),
    [("vocab_size", 3_000_000), ("num_hidden_layers", 9), ("intermediate_size", 900_000), ("hidden_size", 99_000)],
)
def test_a_configuration_of_another_model_is_refused_before_memory_is_taken(
    entry: str, value: int, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    def allocate(*_: Any, **__: Any) -> None:
        raise AssertionError("the model was made")

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", allocate)
    edit(base / "config.json", **{entry: value})
    with pytest.raises(ModelError, match=r"describes an encoder of .* belongs to another model"):
        load_stock(locate(str(base)), "AutoModel", {})


@pytest.mark.parametrize(
    "entry", ["num_attention_heads", "hidden_act", "architectures", "to_dict", "initializer_range"]
)
@pytest.mark.parametrize("value", [0, "nonsense", [[]], {"a": 1}])
def test_nonsense_is_an_error_of_the_model_or_does_not_matter(entry: str, value: Any, base: Path) -> None:
    edit(base / "config.json", **{entry: value})
    try:
        load_stock(locate(str(base)), "AutoModelForSequenceClassification", {"num_labels": 2})
        load_tokenizer(str(base), local=True)
        load(base)
    except ModelError as error:
        assert str(base) in str(error) or "is not a fine-tuned model" in str(error)  # noqa: PT017 - or no error at all


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "afina.json"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "damaged"),
        (b"[1, 2]", "expected an object"),
        (b'"text"', "expected an object"),
        (b"{", "damaged"),
        (b"\xff\xfe{}", "damaged"),
        (b'{"a": ' * 100_000, "damaged"),
        (b'{"a": ' * 50 + b"1" + b"}" * 50, "nested in more than|its format is"),
        (b'{"a": ' + b"9" * 5000 + b"}", "damaged"),
        (None, "at most 16,000,000 are read"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(name: str, content: bytes | None, says: str, model: Path) -> None:
    file = held(unsealed(model), name)
    file.write_bytes(content or b"")
    if content is None:
        os.truncate(file, 20_000_000)
    with pytest.raises(ModelError, match=rf"{name}: .*({says})"):
        load(model)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"auto_map": {"AutoTokenizer": ["tok.Slow", None]}}, "'auto_map' names code"),
        ({"auto_map": ["tok.Slow", None]}, "'auto_map' names code"),
        ({"fast_tokenizer_files": ["../tokenizer.4.0.json"]}, "leads to another tokenizer"),
        ({"init_inputs": ["/etc/passwd"]}, "is passed on to a constructor"),
        ({"tokenizer_class": "EvilTokenizer"}, "'EvilTokenizer' is no tokenizer of transformers"),
        ({"tokenizer_class": "AutoModel"}, "'AutoModel' is no tokenizer of transformers"),
        ({"tokenizer_class": "pipeline"}, "'pipeline' is no tokenizer of transformers"),
        ({"tokenizer_class": ["BertTokenizer"]}, "is no tokenizer of transformers"),
    ],
)
def test_a_tokenizer_that_names_code_is_refused(entries: dict[str, Any], says: str, base: Path) -> None:
    edit(base / "tokenizer_config.json", **entries)
    with pytest.raises(ModelError, match=rf"tokenizer_config\.json: .*{says}"):
        load_tokenizer(str(base), local=True)


@pytest.mark.parametrize(
    "name",
    [
        "BertTokenizer", "BertTokenizerFast", "RobertaTokenizer", "RobertaTokenizerFast", "XLMRobertaTokenizer",
        "XLMRobertaTokenizerFast", "DebertaTokenizer", "DebertaV2Tokenizer", "DebertaV2TokenizerFast",
        "CamembertTokenizer", "AlbertTokenizer", "AlbertTokenizerFast", "MPNetTokenizer", "ElectraTokenizer",
        "ElectraTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast", "PreTrainedTokenizerFast",
        "PreTrainedTokenizer", "GPT2Tokenizer", "TokenizersBackend",
    ],
)  # fmt: skip
def test_the_tokenizers_of_the_hub_pass(name: str, base: Path) -> None:
    edit(base / "tokenizer_config.json", tokenizer_class=name)
    check_tokenizer(json.loads((base / "tokenizer_config.json").read_text()), "here")


# ---------------------------------------------------------------------------------------------------------------------
# Files.


class Canary:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.mark),))


PICKLES = ["pytorch_model.bin", "optimizer.pt", "rng_state.pth", "training_args.bin", "model_head.pkl", "x.ckpt"]
CODE_FILES = ["modeling_x.py", "configuration_x.py", "tokenization_x.py", "setup.py", "__init__.py"]


def plant(folder: Path, mark: Path) -> None:
    """Pickles and programs that would leave a mark, under every well-known name."""
    for name in PICKLES:
        (folder / name).write_bytes(pickle.dumps(Canary(mark)))
    for name in CODE_FILES:
        (folder / name).write_text(f"import os\nos.mkdir({str(mark)!r})\n")


def test_pickles_and_programs_beside_the_weights_are_never_opened(base: Path, model: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    plant(base, mark)
    plant(model, mark)
    assert pickle.loads(pickle.dumps(Canary(tmp_path / "works"))) is None
    assert (tmp_path / "works").is_dir()
    opened: list[str] = []
    watching = [True]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("open", "import", "exec", "compile"):
            opened.append(str(arguments[0]) + str(arguments[1] if event == "import" else ""))

    sys.addaudithook(watch)  # hooks can't be removed, only silenced
    try:
        run = afina.train(train=ROWS, validation=ROWS, model=base, epochs=1, out=tmp_path / "run")
        afina.load(model).predict(TEXTS)
        afina.load(run.folder).predict(TEXTS)
    finally:
        watching.clear()
    assert opened
    assert not [one for one in opened if Path(one).name in {*PICKLES, *CODE_FILES} and str(tmp_path) in one]
    assert not mark.exists()


@pytest.mark.parametrize("name", PICKLES)
def test_a_folder_with_only_a_pickle_is_refused_with_its_cure(name: str, base: Path, tmp_path: Path) -> None:
    (base / "model.safetensors").unlink()
    (base / name).write_bytes(pickle.dumps(Canary(tmp_path / "mark")))
    with pytest.raises(ModelError, match=rf"{name}: a pickle, which can run code .* convert it once.*python -c"):
        load(base)
    assert not (tmp_path / "mark").exists()


def test_the_cure_for_pickles_works(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    weights = {name: torch.from_numpy(tensor) for name, tensor in load_file(base / "model.safetensors").items()}
    first = next(iter(weights.values()))
    torch.save({**weights, "shared": first}, base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()
    monkeypatch.chdir(base)
    _, _, program = folders.CONVERT.partition('python -c "')
    subprocess.run([sys.executable, "-c", program.removesuffix('"')], check=True)
    assert load_stock(locate(str(base)), "AutoModel", {})


def test_a_folder_without_weights_is_refused(base: Path) -> None:
    (base / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"holds no model\.safetensors"):
        locate(str(base))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "afina.json", "notes"])
def test_a_link_that_leaves_the_folder_is_refused(name: str, model: Path, tmp_path: Path) -> None:
    (model / "notes").mkdir()
    held(model, name).rename(tmp_path / f"moved-{name}")
    held(model, name).symlink_to(tmp_path / f"moved-{name}")
    with pytest.raises(ModelError, match=rf"{name}: a link that leaves the folder"):
        load(model)


def test_a_link_inside_the_folder_is_a_file_of_it(base: Path) -> None:
    (base / "config.json").rename(base / "config.bert.json")
    (base / "config.json").symlink_to("config.bert.json")
    assert locate(str(base))


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "afina.json", "vocab.txt"]
)
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_only_plain_files_are_files(name: str, kind: str, model: Path) -> None:
    file = held(unsealed(model), name)
    file.unlink(missing_ok=True)
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(name)
    with pytest.raises(ModelError, match=rf"{name}: (not a plain file|a link that leaves)"):
        load(model)


def test_a_tokenizer_of_absurd_size_is_refused(base: Path) -> None:
    os.truncate(base / "tokenizer.json", 10**9)
    with pytest.raises(ModelError, match=r"tokenizer\.json: 1,000,000,000 bytes"):
        locate(str(base))


def test_an_adapter_is_refused(base: Path) -> None:
    (base / "adapter_config.json").write_text('{"base_model_name_or_path": "somebody/else"}')
    with pytest.raises(ModelError, match=r"adapter_config\.json: an adapter"):
        locate(str(base))


def cached(source: Path, root: Path) -> Path:
    """A model as the cache of the Hugging Face hub keeps it: a snapshot of links into the blobs of its repository."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = root / "models--somebody--model"
    snapshot = repository / "snapshots" / commit
    (repository / "blobs").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for i, file in enumerate(sorted(file for file in source.rglob("*") if file.is_file())):
        shutil.copy(file, repository / "blobs" / f"{i:040x}")
        link = snapshot / file.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(repository / "blobs" / f"{i:040x}", link.parent))
    return snapshot


def test_a_snapshot_in_the_cache_of_the_hub_loads(model: Path, tmp_path: Path) -> None:
    snapshot = cached(model, tmp_path / "hub")
    assert afina.load(snapshot).predict(TEXTS) == afina.load(model).predict(TEXTS)
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to(model / "config.json")
    with pytest.raises(ModelError, match=r"config\.json: a link that leaves the folder"):
        load(snapshot)


OFFLINE = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append((event, str(args))) if event.startswith("socket.") else None)
import afina
for name in sys.argv[1:]:
    try:
        print(afina.load(name).predict(["a lovely film"]))
    except afina.ModelError as error:
        print(error)
calls = [one for one in seen if one[0] not in ("socket.__new__",)]
assert not calls, calls
"""


def offline(names: list[str], **environment: str) -> list[str]:
    """Load models in a fresh process that must not use the network."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *names],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_folder_loads_without_the_network(model: Path, tiny: Callable[[str], Path]) -> None:
    answer, refused = offline([str(model), str(tiny("bert"))])
    assert answer in ("['good']", "['bad']")
    assert "not a fine-tuned model" in refused


def test_a_model_of_the_hub_may_not_name_code_either(base: Path, tmp_path: Path) -> None:
    edit(base / "config.json", auto_map=CODE)
    cached(base, tmp_path / "hub")
    (refused,) = offline(["somebody/model"], HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="1")
    assert "somebody/model: config.json: the entry 'auto_map' names code to import" in refused


def test_a_model_of_the_hub_with_only_a_pickle_is_refused_with_its_cure(base: Path, tmp_path: Path) -> None:
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    edit(base / "config.json", architectures=["BertForSequenceClassification"])
    cached(base, tmp_path / "hub")
    (refused,) = offline(["somebody/model"], HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="1")
    assert "somebody/model has no model.safetensors on the hub; download it" in refused


# ---------------------------------------------------------------------------------------------------------------------
# Weights.


def header(tree: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file by hand."""
    text = json.dumps(tree).encode() if not isinstance(tree, bytes) else tree
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize("name", ["model.safetensors", "head.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        header({}, length=2**63),
        header({"a": tensor([1], 0, 4)}, bytes(4), length=10**6),
        header(b"[]"),
        header(b"not json"),
        header(b'{"a": ' * 1000),
        header({"a": tensor([10**9, 10**9], 0, 4)}, bytes(4)),
        header({"a": tensor([2**62, 4], 0, 4)}, bytes(4)),
        header({"a": tensor([1], 0, 4, "F1024")}, bytes(4)),
        header({"a": tensor([1], 0, 4, "F64")}, bytes(4)),
        header({"a": tensor([-1], 0, 4)}, bytes(4)),
        header({"a": tensor([1], 4, 8)}, bytes(8)),
        header({"a": tensor([1], 0, 4), "b": tensor([1], 2, 6)}, bytes(6)),
        header({"a": tensor([1], 0, 4)}, bytes(8)),
        header({"a": tensor([1], 0, 10**15)}, bytes(4)),
        header({"a": {"shape": [1]}}, bytes(4)),
    ],
)
def test_a_header_that_does_not_fit_its_file_is_refused(name: str, content: bytes, model: Path) -> None:
    held(unsealed(model), name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name}: damaged"):
        load(model)


@pytest.mark.parametrize(
    "name", ["../weights.safetensors", "/weights.safetensors", "a\\..\\b.bin", "x.bin", 7, "gone.safetensors"]
)
def test_an_index_of_weights_stays_in_the_folder(name: Any, base: Path) -> None:
    (base / "model.safetensors").rename(base.parent / "weights.safetensors")
    (base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelError, match=r"is not a safetensors file of this folder|gone\.safetensors: missing"):
        locate(str(base))


def test_weights_in_several_files_load(base: Path) -> None:
    weights = load_file(base / "model.safetensors")
    names = sorted(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for part, own in parts.items():
        save_file({name: weights[name] for name in own}, base / part, {"format": "pt"})
    (base / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {name: part for part, own in parts.items() for name in own}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    assert load_stock(locate(str(base)), "AutoModel", {})


@pytest.mark.parametrize("name", ["model.safetensors", "head.safetensors"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused_by_name(name: str, value: float, model: Path) -> None:
    file = held(unsealed(model), name)
    weights = {key: tensor.copy() for key, tensor in load_file(file).items()}
    key = next(key for key in weights if key.endswith("weight"))
    weights[key].flat[-1] = value
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelError, match=r"the weights \S+ are not all finite numbers"):
        load(model)


def test_a_field_of_too_many_tags_is_refused() -> None:
    with pytest.raises(afina.ConfigError, match="at most 2,000"):
        heads.make("crf", width=4, outputs=100_000, dropout=0.0, level="token")


# ---------------------------------------------------------------------------------------------------------------------
# What a fine-tuned model says of itself.


def test_one_flipped_bit_in_any_file_is_refused(model: Path, tmp_path: Path) -> None:
    # The card is there for people to edit, and no model is read from it.
    for file in sorted(file for file in model.rglob("*") if file.is_file() and file.name != CARD):
        whole = file.read_bytes()
        for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 2}:
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(ModelError, match=file.name):
                load(model)
        file.write_bytes(whole)
    assert load(model)


def test_every_bit_of_the_description_counts(model: Path) -> None:
    """A flip in the name of the sum leaves everything else as it was, and passes."""
    from afina.about import read_about

    file = model / "afina.json"
    whole = file.read_bytes()
    before = read_about(file)
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            assert read_about(file) == before
            assert place in range(whole.index(b'"sha256"'), whole.index(b'"sha256"') + 8)
        except ModelError:
            continue


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"format": 0}, "its format is 0"),
        ({"format": "1"}, "its format is '1'"),
        ({"format": None}, "its format is None"),
        ({"task": "poetry"}, "'poetry' is not a task"),
        ({"task": 5}, "task: "),
        ({"task": None}, "task: field required"),
        ({"head": "brain"}, "'brain' is not a head"),
        ({"head": "../head"}, "is not a head"),
        ({"head": ["mean"]}, "head: "),
        ({"options": {"colour": "red"}}, "options.colour: no such setting"),
        ({"options": []}, "options: "),
        ({"fitted": {}}, "fitted: not those of the task classification"),
        ({"fitted": {"labels": 3}}, "fitted: not those of the task classification"),
        ({"fitted": "none"}, "fitted: "),
        (
            {
                "task": "tokens",
                "options": {},
                "fitted": {"kind": "plain", "types": ["a"], "segmentation": {"signs": 3}},
            },
            "fitted: not those of the task tokens",
        ),
        ({"fitted": {"labels": [str(i) for i in range(200_000)]}}, "at most 100,000"),
        ({"max_length": 10**12}, "room for"),
        ({"max_length": -3}, "no room for text"),
        ({"max_length": "long"}, "max_length: "),
        ({"scale": [1.0]}, "scale"),
        ({"scale": [1.0, "NaN"]}, "scale"),
        ({"files": {"../model.safetensors": "0" * 64}}, "not a plain file of this folder"),
        ({"files": {"/etc/passwd": "0" * 64}}, "not a plain file of this folder"),
        ({"files": {"": "0" * 64}}, "not a plain file of this folder"),
        ({"files": {}}, "not there when the model was saved"),
        ({"files": ["config.json"]}, "files: "),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(entries: dict[str, Any], says: str, model: Path) -> None:
    edit(model / "afina.json", **{"sha256": None, **entries})
    with pytest.raises(ModelError, match=says):
        load(model)


def test_a_file_that_came_later_is_refused(model: Path) -> None:
    (model / "added_tokens.json").write_text('{"lovely": 3}')
    with pytest.raises(ModelError, match=r"added_tokens\.json: not there when the model was saved"):
        load(model)


def test_a_model_that_was_changed_on_purpose_loads_without_its_sums(model: Path) -> None:
    edit(model / "config.json", note="changed")
    with pytest.raises(ModelError, match='remove the entries "files" and "sha256"'):
        load(model)
    edit(model / "afina.json", files=None, sha256=None)
    assert load(model)


def test_every_family_passes(tiny: Callable[[str], Path]) -> None:
    for family in made.FAMILIES:
        assert locate(str(tiny(family))) == (str(tiny(family)), True)
