"""Designs: what a study is, found by its name.

A design is a generator function in a file of its name. It yields lists of trials and measurements, is sent the results
of all so far, may yield more that depend on them, and returns a `Summary`. It must ask for the same again when it is
given the same results: a study that was killed is gone through from the start, and what is finished is read, not
repeated. Its keyword-only parameters are its options. Other packages offer designs under the entry-point group
`afina.studies`.
"""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from inspect import Parameter, signature
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ..config import sentence
from ..errors import ConfigError, printable
from ..yaml_files import parse_value
from .results import Results
from .study import Study
from .summaries import Summary
from .trials import Measurement, Trial

GROUP = "afina.studies"
Asked: TypeAlias = Trial | Measurement
Design: TypeAlias = Generator[Sequence[Asked], Results, Summary]
"""A design at work."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a budget leaves out of an option that is a list, where it is not the last value: a part of its type.

    Attributes:
        first: The place of the least important one of some values in a study.
    """

    first: Callable[[Study, Sequence[Any]], int]


Seeds = Annotated[int, Field(ge=1)]
Margin = Annotated[float, Field(ge=0)]
Level = Annotated[float, Field(gt=0, lt=1)]
Factors = Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
Rates = Sequence[Annotated[float, Field(gt=0)]]
"""Options that several designs have."""
EXAMPLES = {
    "names": ["full", "last-2"],
    "of": ["runs/first", "runs/second"],
    "models": ["runs/adapted", "bert-base-uncased"],
    "rates": [1e-4, 2e-4],
    "scratch_rates": [1e-4, 3e-4, 1e-3],
    "search": {"training.learning_rate": "1e-5..1e-3", "strategy": ["full", "last-2"]},
    "pretraining": 1e19,
    "little": 100,
    "epochs": 5,
}
"""Values of options whose default is not one that a person would type."""


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
    given = {name: as_list(value) if takes_list(model, name) else value for name, value in options.items()}
    try:
        whole = model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(
            [f"{sentence(model, problem, 'option')}{cure(model, problem['loc'][0])}" for problem in error.errors()]
        ) from None
    return {name: getattr(whole, name) for name in model.model_fields}


def least_important(design: Callable[..., Design], name: str, values: Sequence[Any], study: Study) -> int:
    """The place of the value of a list that a budget leaves out first: the last, unless the design says otherwise."""
    said = [one for one in options_of(design).model_fields[name].metadata if isinstance(one, LeftOut)]
    return said[0].first(study, values) if said else len(values) - 1


def takes_list(model: type[BaseModel], name: str) -> bool:
    """Whether an option is a list."""
    annotation = model.model_fields[name].annotation if name in model.model_fields else None
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    bare = [get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds]
    return any(get_origin(kind) in (list, tuple, Sequence) for kind in bare)


def as_list(value: Any) -> Any:
    """A list that is written with commas, or as its only value; lists and mappings stay as they are."""
    if isinstance(value, str):
        return [parse_value(part.strip()) for part in value.split(",") if part.strip()]
    return [value] if isinstance(value, (bool, int, float)) else value


def cure(model: type[BaseModel], name: Any) -> str:
    """What would be right, for a message about an option; empty where there is no such option."""
    if name not in model.model_fields:
        return ""
    # Of the options of other packages nothing is known but their type.
    candidates = [EXAMPLES.get(name), model.model_fields[name].default, 1, 0.5, "NAME", ["NAME"], {"NAME": 1}]
    for value in candidates:
        if value not in (None, (), []) and fits(model, name, value):
            return f"; for example --option {shlex.quote(f'{name}={written(value)}')}"
    return ""


def fits(model: type[BaseModel], name: str, value: Any) -> bool:
    """Whether an option may have a value."""
    try:
        model.model_validate({name: value})
    except (ValidationError, ConfigError):
        return False
    return True


def written(value: Any) -> str:
    """A value as it is typed after `--option NAME=`."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(written, value))
    return json.dumps(value) if isinstance(value, (dict, bool)) else str(value)


def begun(design: Callable[..., Design], study: Study, options: Mapping[str, Any]) -> Design:
    """A design at work on a study.

    Raises:
        ConfigError: an option does not exist, or has an impossible value.
    """
    return design(study, **checked(design, options))
