"""Names of labels that stand in the schema of a data set, while its rows hold their numbers.

Hugging Face's `datasets` keeps them in `ClassLabel` features; parquet and Arrow files of its hub carry the same schema
as JSON in their metadata. Neither package is imported: a feature is known by what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..printing import many
from .lines import RecordError

Decode = Callable[[Any], Any]
METADATA = b"huggingface"
"""Key of the features in the metadata of an Arrow schema."""


def decoder_of(features: Any) -> Decode | None:
    """A function that puts names in place of the numbers of labels in a value, or None where a feature has none.

    Args:
        features: A feature of `datasets`, or its form as JSON; also a dict of them, or a list of one.
    """
    names = entry(features, "names")
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return lambda value: name_of(value, names)
    inner = entry(features, "feature")
    if inner is not None:
        return inside(decoder_of(inner))
    features = features if isinstance(features, Mapping | list | tuple) else None
    if isinstance(features, list | tuple):
        return inside(decoder_of(features[0])) if len(features) == 1 else None
    if isinstance(features, Mapping):
        parts = {key: decode for key, feature in features.items() if (decode := decoder_of(feature))}
        return (lambda value: fields(value, parts)) if parts else None
    return None


def entry(feature: Any, key: str) -> Any:
    """What a feature, as an object or as JSON, says under a name that is not a column's."""
    if isinstance(feature, Mapping):
        return feature.get(key) if "_type" in feature else None
    return getattr(feature, key, None)


def name_of(value: Any, names: Sequence[str]) -> Any:
    """The name of a label; None for -1, which stands for none. In a list, that of each.

    Raises:
        RecordError: the schema has no such label.
    """
    if isinstance(value, list | tuple) or hasattr(value, "tolist"):
        values = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(values, list | tuple):
            return [name_of(part, names) for part in values]
        value = values
    if not isinstance(value, int) or value == -1:
        return None if value == -1 else value
    if not 0 <= value < len(names):
        message = f"label {value} is not in the schema, which has {many(len(names), 'label')} from 0"
        raise RecordError("no-such-label", message, "correct the number, or add the name to the schema")
    return names[value]


def inside(decode: Decode | None) -> Decode | None:
    """The same for each part of a list; a list of dicts may be a dict of lists."""
    if decode is None:
        return None

    def each(value: Any) -> Any:
        values = value.tolist() if hasattr(value, "tolist") else value
        return [decode(part) for part in values] if isinstance(values, list | tuple) else decode(values)

    return each


def fields(value: Any, parts: Mapping[str, Decode]) -> Any:
    """A dict with some of its values decoded."""
    if not isinstance(value, Mapping):
        return value
    return {key: parts[key](part) if key in parts else part for key, part in value.items()}


def decoder_of_arrow(schema: Any) -> Decode | None:
    """The same from the metadata of an Arrow schema; None where it holds no names."""
    metadata = getattr(schema, "metadata", None) or {}
    try:
        features = json.loads(metadata[METADATA])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return None
    return decoder_of(features)
