"""What makes two inputs equal: the same texts, but for case, blanks and Unicode form; and two examples the same one."""

from __future__ import annotations

import json
import unicodedata
from hashlib import blake2b

from ..records import Example


def normalized(text: str) -> str:
    """A text without differences of case, blanks and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def fingerprint(example: Example) -> int:
    """64 bits that are the same for inputs that differ by case, blanks or Unicode form only.

    Among a million inputs two others share theirs with a probability of 3e-8, and a number is a tenth of a text.
    """
    return fingerprint_of(example.text, example.pair or "")


def fingerprint_of(*texts: str) -> int:
    """The same of texts."""
    return digest("\0".join(map(normalized, texts)))


def identity(example: Example) -> int:
    """64 bits of an example and its gold answer: its texts to the letter, its words and its target, wherever it stands.

    Two runs that were scored on the same examples are known by it, in whatever order their files hold them.
    """
    whole = [example.text, example.pair, example.words, example.target]
    return digest(json.dumps(whole, default=repr))


def digest(text: str) -> int:
    """64 bits of a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
