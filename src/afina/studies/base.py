"""Designs: what a study is, found by its name.

A design is a generator function in a file of its name. It yields lists of trials and measurements, is sent the results
of all so far, may yield more that depend on them, and returns a `Summary`. It must ask for the same again when it is
given the same results: a study that was killed is gone through from the start, and what is finished is read, not
repeated. Its keyword-only parameters are its options. Other packages offer designs under the entry-point group
`afina.studies`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, create_model

from ..config import validated
from ..errors import ConfigError, printable
from .results import Results
from .study import Study
from .summaries import Summary
from .trials import Measurement, Trial

GROUP = "afina.studies"
Asked: TypeAlias = Trial | Measurement
Design: TypeAlias = Generator[Sequence[Asked], Results, Summary]
"""A design at work."""


def names() -> list[str]:
    """Names of all designs: those of the files here that define a function of their name, then other packages'."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")}
    own = sorted(name for name, text in files.items() if f"\ndef {name}(" in text)
    return own + sorted(point.name for point in entry_points(group=GROUP) if point.name not in own)


def find(name: str) -> Callable[..., Design]:
    """The design with the given name.

    Raises:
        ConfigError: there is no such design; lists the existing ones.
    """
    known = names()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else "."
        raise ConfigError(f"study: {printable(name)} is not a study{hint} There are: {', '.join(known)}")
    design: Callable[..., Design]
    if (Path(__file__).parent / f"{name}.py").exists():
        design = getattr(import_module(f"{__package__}.{name}"), name)
    else:
        (point, *_) = entry_points(group=GROUP, name=name)
        design = point.load()
    return design


@cache
def options_of(design: Callable[..., Design]) -> type[BaseModel]:
    """The options of a design, as a class that checks them: its keyword-only parameters."""
    parameters = signature(design, eval_str=True).parameters.values()
    fields: dict[str, Any] = {
        one.name: (one.annotation, one.default) for one in parameters if one.kind is Parameter.KEYWORD_ONLY
    }
    model: type[BaseModel] = create_model(design.__name__, __config__=ConfigDict(extra="forbid", frozen=True), **fields)
    return model


def checked(design: Callable[..., Design], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a design, complete and checked.

    Raises:
        ConfigError: an option does not exist, or has an impossible value; lists all of them.
    """
    model = options_of(design)
    return {
        name: getattr(whole, name) for whole in [validated(model, options, "option")] for name in model.model_fields
    }


def begun(design: Callable[..., Design], study: Study, options: Mapping[str, Any]) -> Design:
    """A design at work on a study.

    Raises:
        ConfigError: an option does not exist, or has an impossible value.
    """
    return design(study, **checked(design, options))
