"""The page of whatever lies in some folders: a run, a study, or runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..studies.folder import STUDY, StudyFolder
from ..training import rundir
from . import comparison, run, study
from .errors import Weights


def report(
    *folders: str | Path,
    language: str | None = None,
    slice_by: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    explain: int = 0,
    weights: Weights | None = None,
    out: str | Path | None = None,
) -> Path:
    """Write the page of a finished run or study, or of runs side by side. It is one file that loads nothing.

    Args:
        folders: Folder of the run or study; or those of several runs, the first of which the others are compared with.
        language: `en` or `pt`; by default that of the locale.
        slice_by: Of a run: columns of the data by whose values scores are given, too.
        data: Of a run: its data by split, where they were given in memory; only `slice_by` reads them.
        explain: Of a run: number of errors whose words are weighed by its model, to show which of them mattered.
        weights: Of a run: gives what the words of an example counted for its answer, in place of its model.
        out: Where to write the page; by default `report.html` in the folder, and of several runs
            `comparison.html` in the current folder.

    Returns:
        Path of the page.

    Raises:
        ConfigError: there is no such run or study, a file of it is damaged, or a column is unknown.
        TrainingError: the page can't be written.
    """
    if explain < 0:
        raise ConfigError(f"explain: expected a number of errors, found {explain}")
    if len(folders) != 1:
        for folder in folders:
            if StudyFolder(Path(folder)).exists:
                raise ConfigError(f"{folder}: a study has a page of its own; only runs stand side by side on one")
        if slice_by:
            raise ConfigError(
                "slice: only the page of one run has parts; name one run: afina report RUN --slice COLUMN"
            )
        if explain:
            raise ConfigError(
                "explain: only the page of one run lists errors; name one run: afina report RUN --explain N"
            )
        return comparison.report(folders, language=language, out=out)
    place = Path(folders[0])
    if not StudyFolder(place).exists:
        if place.is_dir() and not rundir.is_run(place):
            raise ConfigError(
                f"{place}: neither a run (no {rundir.CONFIG}) nor a study (no {STUDY}); `afina runs` lists runs"
            )
        return run.report(
            place, language=language, slice_by=slice_by, data=data, explain=explain, weights=weights, out=out
        )
    if slice_by:
        raise ConfigError(f"slice: {place} is a study, and has no rows to take parts of; name a run: --slice COLUMN")
    if explain:
        raise ConfigError(f"explain: {place} is a study, and lists no errors; name a run: --explain N")
    return study.report(place, language=language, out=out)
