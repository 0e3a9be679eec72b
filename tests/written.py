"""Words of many scripts, for properties: letters with marks, emoji sequences, right-to-left, decomposed forms."""

from __future__ import annotations

from typing import Literal

WORDS = [
    "Évora",
    "José",
    "ação",
    "Zoë",
    "Ångström",
    "Đặng",
    "Ελλάδα",
    "Йошкар",
    "नमस\u094dत\u0947",
    "ह\u093fन\u094dद\u0940",
    "ශ\u0dca\u200dර\u0dd3",
    "ල\u0d82ක\u0dcfව",
    "กร\u0e38งเทพฯ",
    "น\u0e49ำ",
    "ירוש\u05b8\u05c1ל\u05b7י\u05b4ם",
    "الق\u064fرآن",
    "한국어",
    "がギ",
    "ｶﾞ",
    "ﬁn",
    "👩🏽\u200d💻",
    "🏳\ufe0f\u200d🌈",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "🇵🇹🇧🇷",
]
"""Invisible characters and marks are spelled out."""
Form = Literal["NFC", "NFD", "NFKC"]
FORMS: list[Form] = ["NFC", "NFD", "NFKC"]
