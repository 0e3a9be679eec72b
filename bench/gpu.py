"""How fast is afina on a GPU? Its kinds of work beside the Hugging Face Trainer and pipeline, both sides in bf16.

    python bench/gpu.py                                   # everything, a quarter of an hour on an H100
    python bench/gpu.py --seconds 190 --rows 2048         # what fits, the most telling first (`make gpu` does this)
    python bench/gpu.py --only full,predict --repeats 3   # some of it
    python bench/gpu.py --tiny --device cpu               # the same code on small shapes, to see that it works

Nothing is downloaded and no data set is needed: weights are random, in the shapes of BERT-base and ModernBERT-base; the
texts are made of numbered words, one token each, and as long as real ones. Each side has a process of its own, which
holds its model's libraries and caches from one piece of work to the next, so that the first run of all is a cold one.
After that the sides alternate. Both have the same model, rows, batch size, epochs, optimiser, schedule, clipping and
precision; both group by length; neither saves checkpoints, and afina evaluates on a few rows. Whatever could not be
measured is written as such, with the reason. `gpu.jsonl` and `gpu.md` in `--out` grow with every figure.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speed import Pair, features, freeze, labels_of

Row = dict[str, Any]
Job = dict[str, Any]

QUANTILES = {
    "classification": (21, 34, 39, 42, 45, 47, 49, 50, 53, 55, 57, 60, 63, 68, 78, 203),
    "tokens": (3, 6, 8, 9, 10, 12, 13, 14, 16, 19, 23, 26, 31, 36, 43, 89),
    "answers": (32, 67, 85, 96, 107, 120, 131, 141, 153, 167, 181, 197, 221, 247, 289, 360),
}
"""Lengths at equal steps from the shortest to (nearly) the longest, in tokens of BERT's vocabulary: of AG News, of
CoNLL-2003, and of SQuAD's passages, whose questions have about eleven."""
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
TAGS = ("O", "O", "O", "O", "O", "B-PER", "B-LOC", "B-ORG")
EVALUATED, WARM, SETTLED = 32, 256, 20
"""Rows that afina evaluates on, rows of a warm-up, and steps after which no shape should be new."""
FIXED = ("hash", "proof", "save", "checkpoint")
"""Parts of a run that don't grow with the work: what is promised costs them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table.

    Attributes:
        what: What was done.
        peer: Whom afina is compared with; empty where it is compared with itself.
        goal: What we want.
        value: What was found, in words.
        ratio: The same as a number; None where it was not measured.
        afina: afina's own number, with its unit.
        other: The peer's.
        job: What was asked of the sides.
        runs: What they answered.
    """

    what: str
    peer: str
    goal: str
    value: str
    ratio: float | None = None
    afina: str = ""
    other: str = ""
    job: Job | None = None
    runs: dict[str, Any] | None = None


TRAINER = "Trainer, grouped by length"
WORK: dict[str, tuple[Job, list[tuple[str, str, str]]]] = {
    "full": (
        {"kind": "fit", "cold": True},
        [("`full`, first run of a process", TRAINER, "at least 6"), ("`full`, warm", TRAINER, "at least 6"),
         ("real tokens a second, batch 32", "", "200,000"), ("peak GPU memory, `full`", TRAINER, "at most 1.2")],
    ),
    "batch-256": ({"kind": "fit", "batch": 256, "alone": True}, [("real tokens a second, batch 256", "", "450,000")]),
    "last-4": ({"kind": "fit", "strategy": "last-4", "epochs": 3}, [("`last-4`, 3 epochs", TRAINER, "at least 8")]),
    "modernbert": ({"kind": "fit", "shape": "modernbert-base"}, [("ModernBERT-base, `full`", TRAINER, "at least 4")]),
    "predict": ({"kind": "predict"}, [("predict", "pipeline, sorted, batch 64", "at least 4")]),
    "steps": (
        {"kind": "steps", "epochs": 2, "alone": True, "fresh": True},
        [("slowest step after warm-up, by the median", "", "under 3"),
         ("speed of the first epoch, by the second's", "", "at least 0.9")],
    ),
    "head": ({"kind": "fit", "strategy": "head", "epochs": 10}, [("`head`, 10 epochs", TRAINER, "at least 25")]),
    "tokens": ({"kind": "fit", "task": "tokens"}, [("token labelling, CoNLL-2003 lengths", TRAINER, "at least 4")]),
    "answers": ({"kind": "fit", "task": "answers"}, [("answers, windows of 384", TRAINER, "at least 2")]),
    "two-minutes": (
        {"kind": "share", "alone": True},
        [("hashing, proof and saving, share of a run of two minutes", "", "under 0.05")],
    ),
}  # fmt: skip
"""Name to what is asked of the sides and what the table says of it: what, peer, goal; the most telling first."""
COMMON: Job = {"shape": "bert-base", "task": "classification", "strategy": "full", "epochs": 1}


# ---------------------------------------------------------------------------------------------------------------------
# Models and data.


def make_model(shape: str, folder: Path, *, tiny: bool) -> Path:
    """A folder with random weights and a tokenizer of numbered words."""
    import torch
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


def make_rows(count: int, words: int, task: str = "classification") -> list[Row]:
    """Rows of a task whose lengths follow `QUANTILES`, always the same ones.

    Args:
        count: Number of rows.
        words: Number of different words.
        task: classification, tokens or answers.
    """
    draw, known = random.Random(0), QUANTILES[task]
    rows: list[Row] = []
    for _ in range(count):
        place = draw.random() * (len(known) - 1)
        low, high = known[int(place)], known[int(place) + 1]
        length = max(1, round(low + (high - low) * (place % 1)) - 2)
        text = [f"w{draw.randrange(words)}" for _ in range(length)]
        if task == "tokens":
            rows.append({"tokens": text, "ner_tags": [draw.choice(TAGS) for _ in text]})
        elif task == "answers":
            first = draw.randrange(length)
            answer = " ".join(text[first : first + 3])
            start = len(" ".join(text[:first])) + (first > 0)
            question = " ".join(f"w{draw.randrange(words)}" for _ in range(draw.randint(6, 16)))
            answers = [{"text": answer, "answer_start": start}]
            rows.append({"question": question, "context": " ".join(text), "answers": answers})
        else:
            rows.append({"text": " ".join(text), "label": draw.choice(LABELS)})
    return rows


# ---------------------------------------------------------------------------------------------------------------------
# The sides, each in a process of its own.


def fit_afina(job: Job, rows: list[Row]) -> dict[str, Any]:
    """A run of afina's, data in memory; how long each of its steps took, and what its parts cost."""
    import afina
    from afina.training.events import Step

    steps: list[tuple[int, int, float]] = []
    last = time.perf_counter()

    def heard(event: Any) -> None:
        nonlocal last
        now = time.perf_counter()
        if isinstance(event, Step):
            steps.append((event.epoch, event.tokens, now - last))
        last = now

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = afina.train(
            train=rows, validation=rows[:EVALUATED], model=job["model"], task=job["task"], strategy=job["strategy"],
            epochs=job["epochs"], patience=job["epochs"], batch_size=job["batch"], learning_rate=2e-5, cache_disk=0.0,
            max_length=384 if job["task"] == "answers" else 512, training__precision=job["precision"],
            out=f"{folder}/run", progress=False, on_event=heard,
        )  # fmt: skip
    whole, seconds = time.perf_counter() - start, run.record["seconds"]
    return {
        "seconds": seconds["train"] + seconds.get("frozen part", 0.0),
        "tokens": run.record["tokens"],
        "flops": run.record["speed"]["flops_per_second"] * seconds["train"],
        "share_of_peak": run.record["speed"].get("share_of_peak"),
        "parts": seconds,
        "whole_call": whole,
        "steps": steps,
    }


def fit_trainer(job: Job, rows: list[Row]) -> dict[str, Any]:
    """The same of the Trainer: its own mixed precision, grouped by length, the same layers frozen."""
    import torch
    import transformers

    start = time.perf_counter()
    transformers.set_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(job["model"])
    pair = Pair("", "", 0.0, task=job["task"], length=384 if job["task"] == "answers" else 512)
    labels = labels_of(pair, rows)
    kind, size = {
        "classification": ("AutoModelForSequenceClassification", {"num_labels": len(labels)}),
        "tokens": ("AutoModelForTokenClassification", {"num_labels": len(labels)}),
        "answers": ("AutoModelForQuestionAnswering", {}),
    }[job["task"]]
    network = getattr(transformers, kind).from_pretrained(job["model"], dtype=torch.float32, **size)
    freeze(network, job["strategy"])
    data = features(pair, tokenizer, rows, labels)
    collators = {"tokens": transformers.DataCollatorForTokenClassification}
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            network,
            transformers.TrainingArguments(
                folder, num_train_epochs=job["epochs"], per_device_train_batch_size=job["batch"], learning_rate=2e-5,
                warmup_steps=0.1, weight_decay=0.01, bf16=job["precision"] == "bf16", use_cpu=job["device"] == "cpu",
                train_sampling_strategy="group_by_length", save_strategy="no", report_to="none",
                logging_strategy="no", disable_tqdm=True,
            ),
            train_dataset=data,
            data_collator=collators.get(job["task"], transformers.DataCollatorWithPadding)(tokenizer),
        )  # fmt: skip
        begun = time.perf_counter()
        trainer.train()
        wait(job["device"])
        seconds = time.perf_counter() - begun
    tokens = job["epochs"] * sum(len(row["input_ids"]) for row in data)
    return {"seconds": seconds, "tokens": tokens, "whole_call": time.perf_counter() - start}


def predict_afina(job: Job, rows: list[Row]) -> dict[str, Any]:
    """Labels of all texts from a fine-tuned model of afina's, which has answered before."""
    import afina

    model, texts = afina.load(job["fine_tuned"]), [row["text"] for row in rows]
    model.predict(texts[:WARM])
    start = time.perf_counter()
    model.predict(texts)
    wait(job["device"])
    return {"seconds": time.perf_counter() - start, "tokens": sum(len(text.split()) + 2 for text in texts)}


def predict_pipeline(job: Job, rows: list[Row]) -> dict[str, Any]:
    """The same from a pipeline of transformers, sorted by length, 64 at a time."""
    import torch
    import transformers

    dtype = torch.bfloat16 if job["precision"] == "bf16" else torch.float32
    model = transformers.pipeline(
        "text-classification", model=f"{job['fine_tuned']}/model", device=job["device"], dtype=dtype
    )
    texts = sorted((row["text"] for row in rows), key=len)
    model(texts[:WARM], batch_size=64)
    start = time.perf_counter()
    model(texts, batch_size=64)
    wait(job["device"])
    return {"seconds": time.perf_counter() - start, "tokens": sum(len(text.split()) + 2 for text in texts)}


SIDES: dict[str, dict[str, Callable[[Job, list[Row]], dict[str, Any]]]] = {
    "afina": {"fit": fit_afina, "predict": predict_afina},
    "peer": {"fit": fit_trainer, "predict": predict_pipeline},
}


def wait(device: str) -> None:
    """Until the GPU has done what it was given."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def work(side: str) -> None:
    """Answer jobs, a line each, until there are no more."""
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for line in sys.stdin:
        job = json.loads(line)
        rows, cuda = make_rows(job["rows"], job["words"], job["task"]), job["device"] == "cuda"
        gc.collect()
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            found = SIDES[side][job["kind"]](job, rows)
        except Exception as error:  # a figure that fails is one that is not measured; the next may be
            found = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
            print(f"{job}\n{error!r}", file=sys.stderr)
        if cuda:
            found["reserved"], found["allocated"] = torch.cuda.max_memory_reserved(), torch.cuda.max_memory_allocated()
        print("FOUND " + json.dumps(found), flush=True)


class Failed(Exception):
    """Something could not be measured."""


class Side:
    """A process that works for one side, started when it is first asked, and again after it was lost.

    Args:
        name: afina or peer.
        args: Of the command line.
    """

    def __init__(self, name: str, args: argparse.Namespace) -> None:
        self.name, self.args = name, args
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """A process that nothing was asked of yet."""
        environment = {**os.environ, "TOKENIZERS_PARALLELISM": "true", "HF_HUB_OFFLINE": "1"}
        if self.args.device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        log = (self.args.out / f"{self.name}.log").open("a", encoding="utf-8")
        command = [sys.executable, str(Path(__file__).resolve()), "--worker", self.name]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=environment)
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self.read, args=(process, self.lines), daemon=True).start()
        return process

    @staticmethod
    def read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        """Hand on what a process says; an empty line is its end."""
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    def ask(self, job: Job, deadline: float) -> dict[str, Any]:
        """What the process finds.

        Raises:
            Failed: it failed, died, or did not answer in time.
        """
        self.process = self.process or self.start()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        while True:
            try:
                line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                self.close()
                raise Failed(f"{self.name} did not end in the time that there was") from None
            if not line:
                self.close()
                raise Failed(f"{self.name}'s process died; {self.name}.log says why")
            if line.startswith("FOUND "):
                found: dict[str, Any] = json.loads(line.removeprefix("FOUND "))
                if "failed" in found:
                    raise Failed(f"{self.name}: {found['failed']}")
                return found

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


# ---------------------------------------------------------------------------------------------------------------------
# Figures.


def measure(name: str, args: argparse.Namespace, sides: dict[str, Side], deadline: float) -> Iterator[Figure]:
    """The figures of one piece of work."""
    given, lines = WORK[name]
    job = {
        **COMMON,
        "batch": args.batch,
        **given,
        **args.job,
        "model": str(args.scratch / given.get("shape", "bert-base")),
    }
    asked = ["afina"] if job.get("alone") else ["afina", "peer"]
    if job.get("fresh"):
        sides["afina"].close()
    if job["kind"] in ("steps", "share"):
        job["kind"] = "fit"
    if name == "two-minutes":
        job["epochs"] = lasting(args, sides["afina"], job, deadline)
    if not job.get("cold") and not job.get("fresh"):
        for side in asked:
            sides[side].ask({**job, "rows": min(job["rows"], max(WARM, job["batch"])), "epochs": 1}, deadline)
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in asked}
    repeats = 1 if job.get("fresh") or name == "two-minutes" else args.repeats + bool(job.get("cold"))
    for _ in range(repeats):
        for side in asked:
            runs[side].append(sides[side].ask(job, deadline))
    yield from figures(name, lines, job, runs)


def lasting(args: argparse.Namespace, side: Side, job: Job, deadline: float) -> int:
    """So many epochs that a run takes two minutes, by the pace of a short one.

    Raises:
        Failed: there is no time for two minutes.
    """
    if deadline - time.monotonic() < 1.3 * args.minutes * 60:
        raise Failed(f"takes {args.minutes:g} minutes, and there was no time left")
    side.ask({**job, "epochs": 1}, deadline)
    return max(1, round(60 * args.minutes / side.ask({**job, "epochs": 2}, deadline)["seconds"] * 2))


def figures(
    name: str, lines: Sequence[tuple[str, str, str]], job: Job, runs: dict[str, list[dict[str, Any]]]
) -> Iterator[Figure]:
    """Lines of the table from what the sides found."""
    mine, theirs = runs["afina"], runs.get("peer", [])
    kept = {"job": job, "runs": {side: [without_steps(one) for one in found] for side, found in runs.items()}}
    if name == "full":
        (cold, warm, pace, memory) = lines
        yield compared(*cold, mine[:1], theirs[:1], **kept)
        yield compared(*warm, mine[1:], theirs[1:], **kept)
        yield alone(*pace, middle(mine[1:], rate), f"{middle(mine[1:], rate):,.0f}", **kept)
        if "reserved" not in mine[0]:
            yield Figure(*memory, "not measured: there is no GPU")
        else:
            a, b = (max(one["reserved"] for one in found) / 1e9 for found in (mine, theirs))
            yield Figure(*memory, f"{a / b:.2f}", a / b, f"{a:.2f} GB", f"{b:.2f} GB", **kept)
    elif name == "batch-256":
        yield alone(*lines[0], middle(mine, rate), f"{middle(mine, rate):,.0f}", **kept)
    elif name == "steps":
        yield from steadiness(lines, mine[0], kept)
    elif name == "two-minutes":
        parts = mine[0]["parts"]
        fixed = sum(parts.get(part, 0.0) for part in FIXED)
        share = fixed / mine[0]["whole_call"]
        yield alone(*lines[0], share, f"{share:.3f} ({fixed:.1f} s of {mine[0]['whole_call']:.0f} s)", **kept)
    else:
        yield compared(*lines[0], mine, theirs, **kept)


def steadiness(lines: Sequence[tuple[str, str, str]], run: dict[str, Any], kept: dict[str, Any]) -> Iterator[Figure]:
    """How even the steps of a process's first run are, and what its first epoch loses."""
    steps = run["steps"]
    later = [seconds for _, _, seconds in steps[min(SETTLED, len(steps) // 2) :]]
    uneven = max(later) / statistics.median(later)
    yield alone(*lines[0], uneven, f"{uneven:.2f} (median {1000 * statistics.median(later):.1f} ms)", **kept)
    paces = []
    for epoch in (0, 1):
        own = [(tokens, seconds) for number, tokens, seconds in steps if number == epoch]
        paces.append(sum(tokens for tokens, _ in own) / sum(seconds for _, seconds in own))
    yield alone(*lines[1], paces[0] / paces[1], f"{paces[0] / paces[1]:.2f}", **kept)


def compared(
    what: str, peer: str, goal: str, mine: list[dict[str, Any]], theirs: list[dict[str, Any]], **kept: Any
) -> Figure:
    """The peer's median seconds by afina's."""
    a, b = (middle(found, lambda run: float(run["seconds"])) for found in (mine, theirs))
    said = [f"{seconds:.2f} s, {middle(found, rate):,.0f} tokens/s" for seconds, found in ((a, mine), (b, theirs))]
    return Figure(what, peer, goal, f"{b / a:.2f}", b / a, *said, **kept)


def alone(what: str, peer: str, goal: str, number: float, value: str, **kept: Any) -> Figure:
    """A figure without a peer."""
    return Figure(what, peer, goal, value, number, **kept)


def rate(run: dict[str, Any]) -> float:
    """Real tokens a second."""
    return float(run["tokens"] / run["seconds"])


def middle(runs: list[dict[str, Any]], of: Callable[[dict[str, Any]], float]) -> float:
    """Median over runs."""
    return statistics.median(of(run) for run in runs)


def without_steps(run: dict[str, Any]) -> dict[str, Any]:
    """A run without the list of its steps."""
    return {name: value for name, value in run.items() if name != "steps"}


def table(found: Sequence[Figure], where: str) -> str:
    """A table for `bench/RESULTS.md`."""
    lines = [f"{where}.", "", "| what | peer | afina | peer | found | goal |", "|---" * 6 + "|"]
    lines += [
        f"| {one.what} | {one.peer or '–'} | {one.afina or '–'} | {one.other or '–'} | **{one.value}** | {one.goal} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def prepare(args: argparse.Namespace) -> None:
    """Models, and what all jobs share."""
    words = TINY["vocab_size"] - len(SPECIAL) if args.tiny else 30000
    precision = "bf16" if args.device == "cuda" else "fp32"
    args.job = {"rows": args.rows, "words": words, "device": args.device, "precision": precision}
    shapes = {WORK[name][0].get("shape", "bert-base") for name in args.only}
    for shape in sorted(shapes):
        make_model(shape, args.scratch / shape, tiny=args.tiny)
    if "predict" in args.only:
        import afina

        rows = make_rows(4 * EVALUATED, words)
        folder = args.scratch / "fine-tuned"
        afina.train(
            train=rows, validation=rows[:EVALUATED], model=str(args.scratch / "bert-base"), epochs=1, out=folder,
            training__precision=precision, progress=False,
        )  # fmt: skip
        args.job["fine_tuned"] = str(folder)


def run(args: argparse.Namespace) -> list[Figure]:
    """Measure everything that was asked for, and write each figure when it is known."""
    deadline = time.monotonic() + args.seconds
    where, found = describe(args), []
    sides = {name: Side(name, args) for name in SIDES}
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "gpu.jsonl").open("w", encoding="utf-8") as file:
        prepare(args)
        for name in args.only:
            try:
                if deadline - time.monotonic() < 1:
                    raise Failed("there was no time left")
                new = list(measure(name, args, sides, deadline))
            except Failed as why:
                new = [Figure(*line, f"not measured: {why}") for line in WORK[name][1]]
            for one in new:
                found.append(one)
                file.write(json.dumps({"where": where, "work": name, **asdict(one)}) + "\n")
                file.flush()
                print(f"{one.what}: {one.value} (goal: {one.goal})", flush=True)
            (args.out / "gpu.md").write_text(table(found, where), encoding="utf-8")
    for side in sides.values():
        side.close()
    return found


def describe(args: argparse.Namespace) -> str:
    """The GPU, the versions and the settings."""
    from importlib.metadata import version

    import torch

    device = torch.cuda.get_device_name() if args.device == "cuda" else "CPU"
    versions = ", ".join(f"{name} {version(name)}" for name in ("afina", "torch", "transformers"))
    shapes = "small shapes, only to see that it works" if args.tiny else "BERT-base and ModernBERT-base shapes"
    precision = "bf16" if args.device == "cuda" else "fp32"
    return (
        f"{device}, {versions}; {shapes}, {precision}, batch {args.batch}, {args.rows:,} rows, {args.repeats} repeats"
    )


def chosen(text: str) -> list[str]:
    """Names of work from `--only`, in the order of `WORK`."""
    wrong = [name for name in text.split(",") if name not in WORK]
    if wrong:
        raise argparse.ArgumentTypeError(f"no work {wrong[0]!r}; there are: {', '.join(WORK)}")
    return [name for name in WORK if name in text.split(",")]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes, to see that the script works")
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2, help="warm runs of each side")
    parser.add_argument("--seconds", type=float, default=3600.0, help="what is not done by then is not measured")
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the run whose fixed parts are measured")
    parser.add_argument("--only", type=chosen, default=list(WORK), help=f"some of: {', '.join(WORK)}")
    parser.add_argument("--out", type=Path, default=Path("build/gpu"))
    parser.add_argument("--worker", choices=list(SIDES), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker)
        return
    if args.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    if args.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here: nothing is measured (--tiny --device cpu shows that the script works)")
        return
    with tempfile.TemporaryDirectory() as scratch:
        args.scratch = Path(scratch)
        print(table(run(args), describe(args)))


if __name__ == "__main__":
    main()
