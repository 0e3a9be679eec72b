"""`afina.adapt`: every form of data, what it refuses at once, and going on after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.adapting import configured, opened, with_form
from afina.errors import ConfigError, InputError
from afina.training.events import Event, Step

TEXTS = [f"the {noun} {verb} number {i}" for i in range(6) for noun in ("cat", "dog") for verb in ("sleeps", "barks")]


def adapted(model: Path, out: Path, **more: Any) -> afina.Adaptation:
    settings: dict[str, Any] = {"epochs": 1, "batch_size": 8, "progress": False, "max_length": 24, **more}
    return afina.adapt(model=model, out=out, **settings)


def test_texts_come_as_lists_rows_and_files(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    lines, table = tmp_path / "texts.txt", tmp_path / "texts.csv"
    lines.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    table.write_text("text,label\n" + "".join(f"{text},x\n" for text in TEXTS), encoding="utf-8")
    rows = [{"text": text, "label": "x"} for text in TEXTS]
    forms: dict[str, Any] = {"list": TEXTS, "rows": rows, "lines": str(lines), "table": table, "stream": iter(TEXTS)}
    found = {name: adapted(tiny("bert"), tmp_path / name, data=data) for name, data in forms.items()}
    losses = {name: run.validation.metrics["loss"] for name, run in found.items()}
    assert len(set(losses.values())) == 1, losses
    one = found["lines"]
    assert "one a line" in " ".join(one.notes)
    said = str(one)
    assert "token frequencies" in said
    assert f"next: afina train --model {one.folder} --train FILE" in said
    assert repr(one).startswith(f"Adaptation({one.folder}: loss ")
    assert "<table>" in one._repr_html_()


def test_words_with_tags_are_texts_not_lines(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(
        "".join("\n".join(f"{word} O" for word in text.split()) + "\n\n" for text in TEXTS), encoding="utf-8"
    )
    config, _ = configured(None, {"data": file, "model": tiny("bert"), "out": tmp_path / "run"})
    config, heard = with_form(config, {})
    assert heard == []
    data = opened(config)
    assert sorted(example.text for part in data.splits.values() for example in part) == sorted(TEXTS)


def test_everything_wrong_is_told_at_once_and_nothing_is_left(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("text,label\na,b\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        adapted(tmp_path / "none", tmp_path / "run", data=table, text="txt", device="cuda:77")
    for words in ("there is no folder", "did you mean 'text'?", "device: cuda:77"):
        assert words in str(error.value)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match=r"name the texts \(--data FILE\)"):
        adapted(tiny("bert"), tmp_path / "run")
    lines = tmp_path / "texts.txt"
    lines.write_text("a cat sleeps here. It is late\nA dog barks, and so on\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected a file in the form of the texts"):
        adapted(tiny("bert"), tmp_path / "run", data=lines, validation=table)


def test_an_interruption_says_how_to_go_on(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    out = tmp_path / "run"

    def interrupt(event: Event) -> None:
        if isinstance(event, Step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"afina.adapt\(resume='.*run', data=...\)"):
        adapted(tiny("bert"), out, data=TEXTS, on_event=interrupt)
    with pytest.raises(ConfigError, match=f"afina adapt --resume {out}"):
        afina.train(resume=out, train=[])
    done = afina.adapt(resume=out, data=TEXTS, progress=False)
    assert done.folder == out
    with pytest.raises(ConfigError, match="is finished"):
        afina.adapt(resume=out, data=TEXTS)
    again = adapted(tiny("bert"), out, data=TEXTS, overwrite=True)
    assert any("the run that was there" in note for note in again.notes)
    with pytest.raises(ConfigError, match="holds the model of the new run"):
        adapted(out, out, data=TEXTS, overwrite=True)
