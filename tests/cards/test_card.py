"""Cards of every task: read by the hub's own parser, their programs run, nothing of the user's is markup or lost."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from markdown_it import MarkdownIt

import afina
from afina.cards import card
from afina.cards.facts import Facts
from afina.errors import ConfigError
from afina.training.card import facts_of
from tests.cards.conftest import KINDS, Runs, changed
from tests.runs import ROWS

PIPELINES = {"tokens": "token-classification", "answers": "question-answering"}
FENCES = re.compile(r"```python\n(.*?)```", re.DOTALL)
NAUGHTY = [
    "a|b", "a\\|b", "`code`", "``", "<script>alert(1)</script>", "![x](http://example.com/x.png)",
    "[click](javascript:alert(1))", "https://example.com", "www.example.com", "someone@example.com", "# heading",
    "* item", "---", "\n---\nlicense: mit\n---\n", "${HOME}", "{name}", "{0}", "%s", "$x^2$", "\\(x\\)", "&lt;b&gt;",
    "no", "null", "1e3", "- a: b", "!!python/object:os.system", "\u202egpj.exe", "\x1b[31mred", "\x00", "é\u0301",
    "🙂", "<!-- afina card", "-->", "  ", "a" * 500, "a\tb", '"quoted"', "'", "{{ jinja }}", "]]>", "~~~", "```python",
]  # fmt: skip


def block_of(text: str) -> ModelCardData:
    """What the hub reads at the top of a card."""
    data = ModelCard(text).data
    assert isinstance(data, ModelCardData)
    return data


def text_of(folder: Path) -> str:
    return (folder / "model" / card.FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_hub_reads_the_card_of_every_task(kind: str, runs: Runs) -> None:
    folder = runs(kind)
    task = KINDS[kind][0]
    read = ModelCard.load(folder / "model" / card.FILE)
    data = read.data
    assert isinstance(data, ModelCardData)
    assert data.pipeline_tag == PIPELINES.get(task, "text-classification")
    assert data.library_name == ("afina" if "head" in KINDS[kind][2] else "transformers")
    assert data.tags is not None
    assert {"afina", task} <= set(data.tags)
    assert data.base_model is None  # a folder of somebody's, which nobody else knows
    assert data.license is None
    assert data.datasets is None
    assert data.eval_results is not None
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    told = {(one.dataset_split, one.metric_name): one.metric_value for one in data.eval_results}
    assert all(isinstance(one, EvalResult) for one in data.eval_results)
    assert told == {
        (split, name): value
        for split in ("test", "validation")
        for name, value in record[split]["metrics"].items()
        if value is not None
    }
    # What the parser writes is what it has read: nothing of the block is lost on it.
    again: Any = ModelCard(str(read)).data
    before: Any = data
    assert again.to_dict() == before.to_dict()


@pytest.mark.parametrize("language", card.LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_section_is_there_in_every_language(kind: str, language: str, runs: Runs) -> None:
    text = card.render(facts_of(runs(kind)), language)
    words = card.LANGUAGES[language]
    for section in ("use", "scores", "data", "limits", "training", "cost", "licence"):
        assert f"\n## {words(section)}\n" in text
    assert card.is_own(text)
    assert "| None |" not in text
    assert "nan" not in re.findall(r"\w+", text)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_of_the_data_and_no_path_is_in_it(kind: str, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFINA_SECRET", "hush-hush")
    facts = facts_of(runs(kind))
    text = card.render(facts, "en")
    for row in KINDS[kind][1]:
        values = [value for name, value in row.items() if name not in ("label", "labels", "tags", "score")]
        for value in values:
            words = value if isinstance(value, str) else " ".join(map(str, value))
            assert not words or words not in text
    for hidden in (str(runs.root), str(runs.model.parent), "hush-hush"):
        assert hidden not in text


@pytest.mark.parametrize("kind", KINDS)
def test_its_programs_run_in_the_folder(
    kind: str, runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs(kind) / "model")
    programs = FENCES.findall(text_of(runs(kind)))
    assert [("import afina" in one, "transformers" in one) for one in programs] == [(True, False), (False, True)]
    for language in card.LANGUAGES:
        text = card.render(facts_of(runs(kind)), language)
        for program in FENCES.findall(text):
            capsys.readouterr()
            exec(compile(program, "card", "exec"), {})
            assert capsys.readouterr().out.endswith("\n")


def test_a_folder_with_its_card_is_loaded_as_before(runs: Runs, tmp_path: Path) -> None:
    """People write in cards, and models without a card are whole, too."""
    folder = Path(shutil.copytree(runs("classification") / "model", tmp_path / "model"))
    assert card.FILE not in json.loads((folder / "afina.json").read_text(encoding="utf-8"))["files"]
    wanted = afina.load(folder).predict_proba(["a lovely film"])
    (folder / card.FILE).write_text("mine", encoding="utf-8")
    assert (afina.load(folder).predict_proba(["a lovely film"]) == wanted).all()
    (folder / card.FILE).unlink()
    assert (afina.load(folder).predict_proba(["a lovely film"]) == wanted).all()


# ---------------------------------------------------------------------------------------------------------------------
# Naughty names.


def naughty(facts: Facts) -> Facts:
    """Facts in which every name of the user's is a trap."""
    labels = sorted(set(NAUGHTY))
    counts = {label: 3 + i for i, label in enumerate(labels)}
    line = dict(facts.record["test"]["breakdown"][0])
    breakdown = [{**line, "label": label, "support": 2, "predicted": 0} for label in labels]
    scores = {**facts.record["test"], "breakdown": breakdown}
    scores["baselines"] = {f"commonest label ({label})": scores["metrics"] for label in labels[:8]}
    data = {
        split: {**facts.data[split], "targets": counts, "source": f"/home/somebody/secret/{NAUGHTY[4]}"}
        for split in facts.data
    }
    task = facts.task.with_options(text=NAUGHTY[0], label=NAUGHTY[13]).with_fitted(labels=labels)
    return replace(changed(facts, record={"test": scores}, data=data), task=task, name=NAUGHTY[13])


def tokens_of(text: str) -> list[Any]:
    """Everything that a Markdown parser finds in a card, with tables, links and raw HTML."""
    body = text.split("\n---\n", 1)[1]
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = parser.parse(body)
    return [inner for token in found for inner in (token, *(token.children or ()))]


@pytest.mark.parametrize("language", card.LANGUAGES)
def test_names_of_the_user_are_no_markup(language: str, facts: Facts) -> None:
    plain, text = card.render(facts, language), card.render(naughty(facts), language)
    kinds = {token.type for token in tokens_of(text)}
    assert not kinds & {"image", "html_inline", "s_open"}
    assert [token.content.strip()[:4] for token in tokens_of(text) if token.type == "html_block"] == ["<!--"]
    links = [token.attrs["href"] for token in tokens_of(text) if token.type == "link_open"]
    assert links == [token.attrs["href"] for token in tokens_of(plain) if token.type == "link_open"]
    heads = [token.tag for token in tokens_of(text) if token.type == "heading_open"]
    assert heads == [token.tag for token in tokens_of(plain) if token.type == "heading_open"]
    for sign in ("\x1b", "\x00", "\u202e", "/home/somebody"):
        assert sign not in text
    assert card.is_own(text)


def test_every_row_of_a_table_has_its_columns(facts: Facts) -> None:
    rows = [
        token for token in tokens_of(card.render(naughty(facts))) if token.type in ("tr_open", "th_open", "td_open")
    ]
    sizes, size = [], 0
    for token in [*rows[1:], None]:
        if token is None or token.type == "tr_open":
            sizes.append(size)
            size = 0
        else:
            size += 1
    lines = [line for line in card.render(naughty(facts)).splitlines() if line.startswith("| ") and "---" not in line]
    assert len(lines) - len(sizes) <= 1  # the label --- is in a row of its own
    assert all(sizes)


def test_the_block_holds_what_was_put_in(facts: Facts) -> None:
    found = naughty(facts)
    text = card.render(found)
    assert block_of(text).license is None
    (index,) = yaml.safe_load(text.split("\n---\n", 1)[0].removeprefix("---\n"))["model-index"]
    assert index["name"] == "\\n---\\nlicense: mit\\n---\\n"
    assert {one["dataset"]["name"] for one in index["results"]} == {"script>"}


# ---------------------------------------------------------------------------------------------------------------------
# Written again.


def test_a_card_is_written_again_and_a_changed_one_is_kept(runs: Runs, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs("classification"), tmp_path / "run"))
    file = folder / "model" / card.FILE
    assert afina.card(folder, language="pt") == file
    assert "\n## Limites\n" in file.read_text(encoding="utf-8")
    afina.card(folder / "model")
    assert "\n## Limits\n" in file.read_text(encoding="utf-8")
    own = file.read_text(encoding="utf-8")
    file.write_text(own.replace("\n", "\r\n"), encoding="utf-8", newline="")  # as a checkout on Windows may leave it
    afina.card(folder)
    mine = own.replace("## Limits", "## My limits")
    file.write_text(mine, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"README\.md: was changed since afina wrote it.*--overwrite"):
        afina.card(folder)
    assert file.read_text(encoding="utf-8") == mine
    afina.card(folder, overwrite=True)
    assert file.read_text(encoding="utf-8") == own
    assert (folder / "model" / "README.old-1.md").read_text(encoding="utf-8") == mine
    file.write_text("another", encoding="utf-8")
    afina.card(folder, overwrite=True)
    assert (folder / "model" / "README.old-2.md").read_text(encoding="utf-8") == "another"
    assert afina.load(folder).labels == ["bad", "good"]


def test_the_card_of_training_is_that_of_the_command(runs: Runs, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(runs("regression"), tmp_path / "regression"))
    before = text_of(folder)
    afina.card(folder)
    assert text_of(folder) == before


def test_without_a_model_there_is_no_card(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder of a run"):
        afina.card(tmp_path)
    folder = Path(shutil.copytree(runs("regression"), tmp_path / "run"))
    with pytest.raises(ConfigError, match="no language of cards; there are: en, pt"):
        afina.card(folder, language="xx")
    shutil.rmtree(folder / "model")
    with pytest.raises(ConfigError, match="no model to write a card for"):
        afina.card(folder)
    (folder / "run.json").unlink()
    with pytest.raises(ConfigError, match="not a finished run"):
        afina.card(folder)


def test_it_says_what_the_records_say(facts: Facts) -> None:
    text = card.render(facts)
    assert "* It is one training with one seed (0)" in text
    assert "* The test data have 4 examples alone" in text
    assert f"`accuracy` | {facts.record['test']['metrics']['accuracy']:.4f}" in text
    assert "Energy and emissions were not measured." in text
    alone = card.render(changed(facts, record={"test": None}))
    assert "There were no test data" in alone
    assert "scored once" not in alone
    cut = {**facts.record["test"], "truncated": 3, "truncated_tokens": 70, "examples": 4}
    assert "3 of 4 examples (75.0 %) of the test data are longer than 66 tokens and lost 70 tokens" in card.render(
        changed(facts, record={"test": cut})
    )


def test_the_embedded_model_has_its_name_and_licence(facts: Facts) -> None:
    found = changed(facts, config={"model": {**facts.config["model"], "name": "minilm"}})
    data = block_of(card.render(found))
    assert data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert data.license is None  # the model's own is nobody's choice yet
    assert "under the licence `apache-2.0`" in card.render(found)
    drawn = changed(found, record={"weights": "random"})
    assert block_of(card.render(drawn)).base_model is None


def test_rows_of_tests_are_known() -> None:
    assert {task for task, _, _ in KINDS.values()} == set(ROWS)
