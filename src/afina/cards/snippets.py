"""How a model is used: what a card says of it, and programs that run in the model's folder as they stand."""

from __future__ import annotations

from collections.abc import Callable

from ..printing import safe
from .facts import Facts
from .markdown import fenced
from .words import Words

Block = list[str]


def use(facts: Facts, words: Words) -> list[Block]:
    """The section, with a program for afina and one for transformers."""
    blocks = [
        [f"## {words('use')}"],
        [words("use.where")],
        [words("use.afina")],
        fenced(with_afina(facts, words)),
    ]
    if not facts.native:
        return [*blocks, [words("use.head", head=facts.about.head)], fenced(ENCODER.format(text=words("sample")))]
    how = getattr(facts.task.options, "pair_as", "both")
    if facts.paired and how != "both":
        return [*blocks, [words("use.pair_as", how=how)]]
    program = PROGRAMS.get(facts.kind, by_logits)(facts, words)
    differ = " ".join(differences(facts, words))
    return [*blocks, [words("use.transformers")], fenced(program), *([[differ]] if differ else [])]


def differences(facts: Facts, words: Words) -> list[str]:
    """In what the answers of transformers differ from those of afina."""
    said = []
    temperature = facts.task.calibration.temperature
    if temperature != 1.0:
        said.append(words("use.temperature", temperature=words.short(temperature)))
    if "thresholds" in facts.task.fitted:
        said.append(words("use.thresholds"))
    if facts.kind in ("entities", "tags"):
        said.append(words("use.spans"))
    if facts.kind == "answer":
        said.append(words("use.answer"))
    elif facts.task.slides and facts.max_length:
        said.append(words("use.windows", tokens=words.many(facts.max_length, "token")))
    if facts.kind == "other":
        said.append(words("use.other", task=safe(facts.task.name)))
    return said


def samples(facts: Facts, words: Words) -> tuple[str, ...]:
    """The texts of an input that no data hold."""
    if facts.kind == "answer":
        return words("sample.question"), words("sample.passage")
    return (words("sample"), words("sample.second")) if facts.paired else (words("sample"),)


def with_afina(facts: Facts, words: Words) -> str:
    """A prediction with afina."""
    texts = samples(facts, words)
    shown = text_of(texts[0]) if len(texts) == 1 else f"({', '.join(map(text_of, texts))})"
    return f'import afina\n\nmodel = afina.load(".")\nprint(model.predict([{shown}]))'


def text_of(text: str) -> str:
    """A text as Python writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def limit(facts: Facts) -> str:
    """Arguments that cut a text where the model's window ends."""
    return "truncation=True" + (f", max_length={facts.max_length}" if facts.max_length else "")


def by_pipeline(facts: Facts, words: Words) -> str:
    """A pipeline for labels or numbers."""
    texts = samples(facts, words)
    pair = f'{{"text": {text_of(texts[0])}, "text_pair": {text_of(texts[-1])}}}'
    shown = pair if facts.paired else text_of(texts[0])
    how = {"label": "top_k=None", "labels": 'top_k=None, function_to_apply="sigmoid"'}.get(
        facts.kind, 'function_to_apply="none"'
    )
    return (
        "from transformers import pipeline\n\n"
        f'classify = pipeline("text-classification", model=".", {how})\n'
        f"print(classify({shown}, {limit(facts)}))"
    )


def by_tags(facts: Facts, words: Words) -> str:
    """A pipeline for tags of words, joined to entities where they are such."""
    how = "simple" if facts.kind == "entities" else "none"
    return (
        "from transformers import pipeline\n\n"
        f'tag = pipeline("token-classification", model=".", aggregation_strategy="{how}")\n'
        f"print(tag({text_of(words('sample'))}))"
    )


def by_span(facts: Facts, words: Words) -> str:
    """The likeliest stretch of a passage; transformers has no pipeline for that any more."""
    question, passage = map(text_of, samples(facts, words))
    cut = limit(facts).replace("truncation=True", 'truncation="only_second"')
    return (
        "import torch\n"
        "from transformers import AutoModelForQuestionAnswering, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained(".")\n'
        'model = AutoModelForQuestionAnswering.from_pretrained(".")\n'
        f'inputs = tokenizer({question}, {passage}, {cut}, return_tensors="pt")\n'
        "with torch.no_grad():\n"
        "    outputs = model(**inputs)\n"
        "start, end = int(outputs.start_logits.argmax()), int(outputs.end_logits.argmax())\n"
        'print(tokenizer.decode(inputs["input_ids"][0, start : end + 1]))'
    )


def by_logits(facts: Facts, words: Words) -> str:
    """The logits of a text, whatever they mean."""
    kind = facts.task.head.auto_class
    texts = ", ".join(map(text_of, samples(facts, words)))
    return (
        "import torch\n"
        f"from transformers import {kind}, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained(".")\n'
        f'model = {kind}.from_pretrained(".")\n'
        "with torch.no_grad():\n"
        f'    print(model(**tokenizer({texts}, {limit(facts)}, return_tensors="pt")).logits)'
    )


PROGRAMS: dict[str, Callable[[Facts, Words], str]] = {
    **dict.fromkeys(("label", "labels", "number"), by_pipeline),
    **dict.fromkeys(("entities", "tags"), by_tags),
    "answer": by_span,
}
ENCODER = """
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("./encoder")
encoder = AutoModel.from_pretrained("./encoder")
print(encoder(**tokenizer("{text}", return_tensors="pt")).last_hidden_state.shape)
"""
