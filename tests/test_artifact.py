"""A fine-tuned model as a folder: ours, a stock one of somebody else's, a damaged one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification, pipeline

import afina
from afina import artifact
from afina.about import FORMAT, About
from afina.artifact import load, own_precision
from afina.errors import ModelError
from afina.training.rundir import RunFolder
from tests.arithmetic import DEVICE, near
from tests.runs import reviews
from tests.tiny import tiny_tokenizer

TEXTS = ["a lovely film", "the dog barks at the bird", "awful"]
ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("awful", "bad"))] * 4


@pytest.fixture(scope="module")
def model(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artifact") / "run"
    afina.train(train=ROWS, validation=ROWS, model=tiny("roberta"), epochs=2, out=out)
    return out / "model"


def stock(folder: Path, family: str = "bert", **settings: Any) -> Path:
    """A stock model with a fine-tuned head, as somebody else would have saved it."""
    torch.manual_seed(1)
    tokenizer = tiny_tokenizer(family)
    config = AutoConfig.for_model(
        family, vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=40, pad_token_id=tokenizer.pad_token_id, **settings,
    )  # fmt: skip
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_pipeline_of_hugging_face_gives_the_same_answers(model: Path) -> None:
    theirs = pipeline("text-classification", model=str(model), top_k=None, device="cpu")(TEXTS)
    ours = afina.load(model)
    for answers, row in zip(theirs, ours.predict_proba(TEXTS), strict=True):
        scores = {answer["label"]: answer["score"] for answer in answers}
        assert [scores[label] for label in ours.labels] == near(row.tolist(), abs=1e-5)


@pytest.fixture(scope="module", params=["mean", "linear"])
def headed(
    request: pytest.FixtureRequest, tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("headed") / "run"
    afina.train(train=ROWS, validation=ROWS, model=tiny("bert"), head=request.param, epochs=2, out=out)
    return out / "model"


@pytest.mark.parametrize("cls", ["AutoModelForSequenceClassification", "AutoModel", "BertForSequenceClassification"])
def test_nobody_else_loads_a_model_under_a_head_of_ours(cls: str, headed: Path) -> None:
    """A stock class would give the encoder a classifier of random weights."""
    with pytest.raises((ValueError, OSError), match=r"afina\.load|no file named"):
        getattr(transformers, cls).from_pretrained(headed)


def test_a_pipeline_refuses_it_and_says_what_to_do(headed: Path) -> None:
    with pytest.raises(ValueError, match=r"afina\.load"):
        pipeline("text-classification", model=str(headed))


def test_its_encoder_is_a_stock_model(headed: Path) -> None:
    encoder = transformers.AutoModel.from_pretrained(headed / "encoder")
    ours = load(headed).network.backbone.base.state_dict()
    assert all(torch.equal(ours[name].cpu(), tensor) for name, tensor in encoder.state_dict().items())
    assert transformers.AutoTokenizer.from_pretrained(headed / "encoder")("a film")["input_ids"]


def test_it_answers_and_is_fine_tuned_further(headed: Path, tmp_path: Path) -> None:
    texts = [row["text"] for row in ROWS]
    assert afina.load(headed).predict(texts) == afina.load(headed.parent).predict(texts)
    for start in (headed, headed.parent, headed / "encoder"):
        again = afina.train(train=ROWS, validation=ROWS, model=start, epochs=1, out=tmp_path / start.name)
        assert again.predictor.predict(texts)


@pytest.mark.parametrize("name", ["encoder/model.safetensors", "encoder/config.json", "head.safetensors"])
def test_its_files_are_verified(name: str, headed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(headed, folder)
    raw = bytearray((folder / name).read_bytes())
    raw[-2] ^= 1
    (folder / name).write_bytes(raw)
    with pytest.raises(ModelError, match=rf"{name}: (not the bytes|damaged)"):
        load(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=r"missing|holds no"):
        load(folder)


def test_a_file_that_came_later_is_refused_in_the_encoder_too(headed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(headed, folder)
    (folder / "encoder" / "vocab.txt").write_text("x")
    with pytest.raises(ModelError, match=r"vocab\.txt: not there when the model was saved"):
        load(folder)


def test_a_run_and_its_model_folder_are_the_same(model: Path) -> None:
    assert afina.load(model).predict(TEXTS) == afina.load(model.parent).predict(TEXTS)


def test_a_stock_classifier_answers(tmp_path: Path) -> None:
    labels = {0: "ham", 1: "spam", 2: "eggs"}
    folder = stock(tmp_path / "theirs", id2label=labels, label2id={name: i for i, name in labels.items()})
    found = afina.load(folder)
    assert found.labels == ["ham", "spam", "eggs"]
    theirs = pipeline("text-classification", model=str(folder))(TEXTS)
    assert found.predict(TEXTS) == [answer["label"] for answer in theirs]
    assert found.evaluate([{"text": TEXTS[0], "label": "eggs"}]).examples == 1


def test_a_stock_regression_answers(tmp_path: Path) -> None:
    found = afina.load(stock(tmp_path / "theirs", num_labels=1, problem_type="regression"))
    assert found.artifact.task.name == "regression"
    assert all(isinstance(score, float) for score in found.predict(TEXTS))


def test_fine_tuning_goes_on_from_a_fine_tuned_model(model: Path, tmp_path: Path) -> None:
    """Another label set gets a new head."""
    rows = [{"text": row["text"], "label": f"{row['label']} {i % 2}"} for i, row in enumerate(ROWS * 2)]
    run = afina.train(train=rows, validation=rows, model=model, epochs=1, out=tmp_path / "again")
    assert len(run.predictor.labels) == len({row["label"] for row in rows})


def test_a_masked_model_is_not_a_classifier(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="not a fine-tuned model"):
        load(tiny("bert"))


def test_a_newer_format_is_refused(model: Path) -> None:
    file = model / "afina.json"
    before = file.read_text(encoding="utf-8")
    about = json.loads(before)
    try:
        file.write_text(json.dumps({**about, "format": FORMAT + 1, "afina": "9.0"}), encoding="utf-8")
        with pytest.raises(
            ModelError, match=rf"written by afina 9.0 in format {FORMAT + 1}; this version reads up to {FORMAT}"
        ):
            load(model)
        file.write_text(before[:40], encoding="utf-8")
        with pytest.raises(ModelError, match="damaged"):
            load(model)
    finally:
        file.write_text(before, encoding="utf-8")


def test_the_saved_configuration_holds_no_name_of_ours(model: Path) -> None:
    text = (model / "config.json").read_text(encoding="utf-8")
    assert "afina" not in text
    assert json.loads(text)["architectures"] == ["RobertaForSequenceClassification"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("how", ["flip", "delete", "link"])
def test_a_file_with_other_bytes_is_refused_by_name(name: str, how: str, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    assert load(folder)
    file = folder / name
    if how == "flip":
        raw = bytearray(file.read_bytes())
        raw[-2] ^= 1
        file.write_bytes(raw)
    elif how == "delete":
        file.unlink()
    else:
        file.rename(tmp_path / name)
        file.symlink_to(tmp_path / name)
    with pytest.raises(ModelError, match=rf"{name}: (not the bytes|missing|damaged|a link)|holds no {name}"):
        load(folder)


def test_whoever_may_read_one_file_may_read_all(model: Path) -> None:
    (model / "probe").touch()
    expected = (model / "probe").stat().st_mode
    (model / "probe").unlink()
    assert {file.stat().st_mode for file in model.iterdir()} == {expected}


# ---------------------------------------------------------------------------------------------------------------------
# The same scores in the run that made a model and in a fresh process.

KINDS = [(strategy, packing) for strategy in ("full", "last-2", "head") for packing in (True, False)]
REVIEWS = [{**row, "text": row["text"] + " and so on" * (7 * i % 11)} for i, row in enumerate(reviews(18))]
HELD_OUT = REVIEWS[1::3]
FRESH = """
import json, sys
import afina

rows = json.loads(sys.stdin.read())
for folder in sys.argv[1:]:
    model = afina.load(folder)
    scores = model.evaluate(rows)
    answers = list(model.stream([row["text"] for row in rows]))
    network = model.artifact.network
    about = {"layout": network.layout.name, "precision": network.compute.precision}
    print(json.dumps({**about, "metrics": scores.metrics, "intervals": scores.intervals, "answers": answers}))
"""


@pytest.fixture(scope="module", params=["fp32", "bf16"])
def scored_twice(
    request: pytest.FixtureRequest, tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[tuple[str, bool], tuple[afina.Run, dict[str, Any]]]]:
    """The arithmetic, and for each kind of run: the run, and what a fresh process says of its model."""
    precision, root = str(request.param), tmp_path_factory.mktemp("twice")
    model = tiny("bert") if precision == "fp32" else request.getfixturevalue("embedded")
    runs = {
        (strategy, packing): afina.train(
            train=REVIEWS, validation=REVIEWS[::2], test=HELD_OUT, model=model, strategy=strategy, epochs=1,
            batch_size=8, learning_rate=1e-3, training__packing=packing, training__precision=precision,
            out=root / f"{strategy}-{packing}",
        )
        for strategy, packing in KINDS
    }  # fmt: skip
    command = [sys.executable, "-c", FRESH, *(str(run.folder) for run in runs.values())]
    done = subprocess.run(command, input=json.dumps(HELD_OUT), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return precision, dict(zip(runs, zip(runs.values(), said, strict=True), strict=True))


def same(one: Any, other: Any) -> bool:
    """Whether two results are the same bit by bit; a score without a value is one."""
    return json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize(("strategy", "packing"), KINDS)
def test_a_fresh_process_gives_the_scores_and_answers_of_the_run(
    scored_twice: tuple[str, dict[tuple[str, bool], tuple[afina.Run, dict[str, Any]]]], strategy: str, packing: bool
) -> None:
    precision, runs = scored_twice
    run, said = runs[strategy, packing]
    assert said["precision"] == precision
    assert said["layout"] == ("packed" if packing else "padded")
    assert run.test is not None
    assert same(said["metrics"], run.test.metrics)
    assert same(said["intervals"], run.test.intervals)
    lines = [line for line in RunFolder(run.folder).predictions() if line["split"] == "test"]
    mine = [{name: line[name] for name in answer} for line, answer in zip(lines, said["answers"], strict=True)]
    assert mine == said["answers"]
    assert list(run.predictor.stream([row["text"] for row in HELD_OUT])) == mine


@pytest.mark.parametrize(
    ("trained_on", "place", "pays", "expected"),
    [
        ("cuda", "cpu", False, "fp32"),
        ("cuda", "cpu", True, "bf16"),
        ("cuda", "cuda", False, "bf16"),
        ("cpu", "cpu", False, "bf16"),
    ],
)
def test_a_model_answers_in_its_arithmetic_but_where_a_cpu_is_slow_at_that_of_a_gpu(
    trained_on: str, place: str, pays: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact, "bf16_pays", lambda device: pays)
    about = About(
        task="classification", options={}, fitted={}, head="native", max_length=None, scale=(1.0, 0.0), base="b",
        precision="bf16", trained_on=trained_on,
    )  # fmt: skip
    assert own_precision(about, torch.device(place)) == expected
    assert own_precision(about.model_copy(update={"precision": "fp32"}), torch.device(place)) == "fp32"


def test_the_arithmetic_of_answers_can_be_chosen(
    scored_twice: tuple[str, dict[tuple[str, bool], tuple[afina.Run, dict[str, Any]]]],
) -> None:
    _, runs = scored_twice
    run, _ = runs[KINDS[0]]
    assert json.loads((run.folder / "model" / "afina.json").read_text())["trained_on"] == DEVICE.type
    for precision in ("fp32", "bf16"):
        network = afina.load(run.folder, device="cpu", precision=precision).artifact.network
        assert network.compute.precision == precision
