"""`afina card`: what the shell is told."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.conftest import Trained, afina, refused


def test_a_card_is_written_again(trained: Trained) -> None:
    folder = Path(shutil.copytree(trained.folder, "run"))
    file = folder / "model" / "README.md"
    assert "from |" in file.read_text(encoding="utf-8")
    said = afina("card", folder, "--language", "pt")
    assert (said.exit_code, said.stdout) == (0, f"card: {file}\n")
    assert "## Resultados" in file.read_text(encoding="utf-8")
    assert "`train.csv`" in file.read_text(encoding="utf-8")
    file.write_text("mine", encoding="utf-8")
    refused(afina("card", folder), "README.md: was changed", "--overwrite")
    said = afina("card", folder, "--overwrite")
    assert said.exit_code == 0
    assert said.stdout.startswith(f"the card that was there is now {folder / 'model' / 'README.old-1.md'}\n")


def test_what_is_wrong_is_said(trained: Trained, here: Path) -> None:
    refused(afina("card", here), "is no folder of a run")
    refused(afina("card", trained.folder, "--language", "klingon"), "there are: en, pt")
