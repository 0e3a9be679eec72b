"""How fast is afina on a GPU? Four kinds of work beside the Hugging Face Trainer in bf16, grouped by length.

    python bench/gpu.py                        # needs CUDA; says so and ends without it
    python bench/gpu.py --tiny --device cpu    # the same code on small shapes, to see that it works

Nothing is downloaded and no data set is needed: weights are random, in the shapes of BERT-base and ModernBERT-base; the
texts are made of numbered words, one token each, and as long as real ones (`QUANTILES`). Each side runs once to warm
up, then A B A B in one process; the table has medians. Both sides have the same model, rows, batch size, optimiser,
schedule, clipping and precision; neither saves nor evaluates more than a few rows.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

Row = dict[str, str]

QUANTILES = (21, 34, 39, 42, 45, 47, 49, 50, 53, 55, 57, 60, 63, 68, 78, 203)
"""Tokens of AG News texts in BERT's vocabulary, at equal steps from the shortest to (nearly) the longest."""
SHAPES: dict[str, dict[str, Any]] = {
    "bert-base": {
        "model_type": "bert", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12,
        "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512,
    },
    "modernbert-base": {
        "model_type": "modernbert", "vocab_size": 50368, "hidden_size": 768, "num_hidden_layers": 22,
        "num_attention_heads": 12, "intermediate_size": 1152, "max_position_embeddings": 8192,
        "pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3,
    },
}  # fmt: skip
TINY = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 6, "num_attention_heads": 2, "intermediate_size": 64}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LABELS = ("a", "b", "c", "d")
EVALUATED = 32
WORK = {
    "full": ("full", 1),
    "last-4, kept states": ("last-4", 3),
    "head, kept states": ("head", 10),
}
"""Name to strategy and epochs."""


def make_model(shape: str, folder: Path, *, tiny: bool) -> Path:
    """A folder with random weights and a tokenizer of numbered words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

    settings = {**SHAPES[shape], **(TINY if tiny else {})}
    torch.manual_seed(0)
    model = AutoModel.from_config(AutoConfig.for_model(**settings))
    words = [*SPECIAL, *(f"w{i}" for i in range(settings["vocab_size"] - len(SPECIAL)))]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=512, **names).save_pretrained(folder)
    return folder


def make_rows(count: int, words: int) -> list[Row]:
    """Texts whose lengths follow `QUANTILES`."""
    draw = random.Random(0)
    rows = []
    for _ in range(count):
        place = draw.random() * (len(QUANTILES) - 1)
        low, high = QUANTILES[int(place)], QUANTILES[int(place) + 1]
        length = round(low + (high - low) * (place % 1)) - 2
        rows.append(
            {"text": " ".join(f"w{draw.randrange(words)}" for _ in range(length)), "label": draw.choice(LABELS)}
        )
    return rows


def fit_afina(model: Path, rows: list[Row], strategy: str, epochs: int, batch: int) -> dict[str, float]:
    """Seconds and real tokens of a run of afina's, data in memory."""
    import afina

    with tempfile.TemporaryDirectory() as folder:
        run = afina.train(
            train=rows, validation=rows[:EVALUATED], model=str(model), strategy=strategy, epochs=epochs,
            batch_size=batch, learning_rate=2e-5, patience=epochs, cache_disk=0.0, out=f"{folder}/run",
        )  # fmt: skip
        seconds = run.record["seconds"]
        return {
            "seconds": seconds["train"] + seconds.get("frozen part", 0.0),
            "tokens": run.record["tokens"],
            "flops": run.record["speed"]["flops_per_second"] * seconds["train"],
        }


def fit_trainer(model: Path, rows: list[Row], strategy: str, epochs: int, batch: int, device: str) -> dict[str, float]:
    """The same of the Trainer: bf16, grouped by length, the same layers frozen."""
    import transformers

    transformers.set_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        model, num_labels=len(LABELS), dtype=torch.float32
    )
    if strategy != "full":
        base = network.base_model
        layers = list(base.encoder.layer if hasattr(base, "encoder") else base.layers)
        free = 0 if strategy == "head" else int(strategy.removeprefix("last-"))
        for module in (base.embeddings, *layers[: len(layers) - free]):
            module.requires_grad_(False)
    columns = tokenizer([row["text"] for row in rows])
    data = [
        {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": LABELS.index(row["label"])}
        for ids, row in zip(columns["input_ids"], rows, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            network,
            transformers.TrainingArguments(
                folder, num_train_epochs=epochs, per_device_train_batch_size=batch, learning_rate=2e-5,
                warmup_steps=0.1, weight_decay=0.01, bf16=device == "cuda", use_cpu=device == "cpu",
                train_sampling_strategy="group_by_length", save_strategy="no", report_to="none",
                logging_strategy="no", disable_tqdm=True,
            ),
            train_dataset=data, data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )  # fmt: skip
        start = time.perf_counter()
        trainer.train()
        wait(device)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "tokens": float(epochs * sum(len(ids) for ids in columns["input_ids"]))}


def predict_afina(folder: Path, rows: list[Row], device: str) -> dict[str, float]:
    """Labels of all texts from a fine-tuned model of afina's."""
    import afina

    model = afina.load(folder)
    texts = [row["text"] for row in rows]
    start = time.perf_counter()
    model.predict(texts)
    wait(device)
    return {"seconds": time.perf_counter() - start, "tokens": float(sum(len(text.split()) + 2 for text in texts))}


def predict_pipeline(folder: Path, rows: list[Row], device: str) -> dict[str, float]:
    """The same from a pipeline of transformers, sorted by length, 64 at a time, in bf16."""
    import transformers

    model = transformers.pipeline(
        "text-classification", model=str(folder / "model"), device=device,
        dtype=torch.bfloat16 if device == "cuda" else torch.float32,
    )  # fmt: skip
    texts = sorted((row["text"] for row in rows), key=len)
    start = time.perf_counter()
    model(texts, batch_size=64)
    wait(device)
    return {"seconds": time.perf_counter() - start, "tokens": float(sum(len(text.split()) + 2 for text in texts))}


def wait(device: str) -> None:
    """Until the GPU has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


Side = Callable[[], dict[str, float]]


def alternate(ours: Side, theirs: Side, repeats: int) -> dict[str, float]:
    """Medians of both sides, A B A B after a warm-up of each."""
    ours()
    theirs()
    runs = [(ours(), theirs()) for _ in range(repeats)]
    a, b = (statistics.median(run[side]["seconds"] for run in runs) for side in (0, 1))
    first, second = runs[0]
    return {
        "afina_seconds": a, "peer_seconds": b,
        "afina_tokens_per_second": first["tokens"] / a, "peer_tokens_per_second": second["tokens"] / b,
        "ratio": b / a, "flops": first.get("flops", 0.0) / a,
    }  # fmt: skip


def measure(shape: str, args: argparse.Namespace, scratch: Path) -> list[dict[str, Any]]:
    """All kinds of work with one model."""
    import afina
    from afina.compute import Compute
    from afina.model.flops import peak

    model = make_model(shape, scratch / shape, tiny=args.tiny)
    rows = make_rows(args.rows, TINY["vocab_size"] - 5 if args.tiny else 30000)
    device = torch.device(args.device)
    compute = Compute(device, "bf16" if args.device == "cuda" else "fp32")
    top = peak(compute)
    found = []
    for name, (strategy, epochs) in WORK.items():
        one = alternate(
            partial(fit_afina, model, rows, strategy, epochs, args.batch),
            partial(fit_trainer, model, rows, strategy, epochs, args.batch, args.device),
            args.repeats,
        )
        found.append({"model": shape, "work": f"{name}, {epochs} epochs", "peer": "Trainer", "peak": top, **one})
        print(json.dumps(found[-1]), flush=True)
    run = afina.train(
        train=rows[: 4 * EVALUATED],
        validation=rows[:EVALUATED],
        model=str(model),
        epochs=1,
        out=scratch / f"run-{shape}",
    )
    one = alternate(
        lambda: predict_afina(run.folder, rows, args.device),
        lambda: predict_pipeline(run.folder, rows, args.device),
        args.repeats,
    )
    found.append({"model": shape, "work": "predict", "peer": "pipeline, sorted, batch 64", "peak": top, **one})
    print(json.dumps(found[-1]), flush=True)
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Rows for `bench/RESULTS.md`."""
    lines = ["| model | work | peer | afina, tokens/s | peer, tokens/s | ratio | share of the peak |", "|" + "---|" * 7]
    for row in rows:
        share = f"{row['flops'] / row['peak']:.2f}" if row["flops"] else "–"
        lines.append(
            f"| {row['model']} | {row['work']} | {row['peer']} | {row['afina_tokens_per_second']:,.0f} "
            f"| {row['peer_tokens_per_second']:,.0f} | **{row['ratio']:.2f}** | {share} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes, to see that the script works")
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--models", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here: nothing is measured (--tiny --device cpu shows that the script works)")
        return
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    where = torch.cuda.get_device_name() if args.device == "cuda" else "CPU"
    with tempfile.TemporaryDirectory() as scratch:
        rows = [row for shape in args.models for row in measure(shape, args, Path(scratch))]
    print(f"\n{where}, torch {torch.__version__}, transformers {transformers.__version__}, {args.rows} rows\n")
    print(table(rows))


if __name__ == "__main__":
    main()
