"""Which language texts are in: a guess from words that every text has, or from the script, or no guess."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping

STOP_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "ca": "el la els les de del dels i que amb per és una no en un als va són més però aquest aquesta ha tot molt",
        "cs": "a v je se na že to s z do o i ale si jsem jako jsou bylo který která ještě jen když není už tak pro",
        "da": "og i at det er en den til af som på de med han for ikke der var jeg mig sig men blev også efter hvad",
        "de": "der die das und ist nicht ich zu den mit von für auf ein eine einen dem sich auch es wie wir sie war",
        "en": "the of and to in is that it was for on with he as at by this be are but from they not we have you an",
        "es": "el la los las de del y que en un una con por para es no se su al lo más como pero muy fue está son hay "
        "también ya yo él ella eso este esta esto nos hasta sin fueron tiene ser",
        "fi": "ja on ei se että oli hän mutta ovat kun myös ole niin kuin joka tai olen mukaan sen hyvin vain tämä",
        "fr": "le la les des et est une un que qui dans pour pas sur avec il elle nous vous ce au plus sont je",
        "gl": "o a os as de do da e que non é un unha en para co coa polo pola na no máis pero moi ao está son seu súa "
        "tamén xa eu el ela iso este esta isto nos ata sen foron ten ser á ás",
        "id": "yang dan di dengan untuk tidak ini itu dari dalam pada adalah akan ada saya juga oleh ke sudah bisa",
        "it": "il lo la gli le di e che è un una per non con del della sono nel alla ma più anche come si questo ho ha",
        "nl": "de het een en van is niet dat op te zijn met voor ik er aan die ook maar om hij was bij naar heeft geen",
        "no": "og i det er en at til som på de med han av ikke der var jeg meg seg men ble også etter hva fra vært",
        "pl": "i w nie się na to że z do jest jak ale o po co tak za od jego już tylko przez może był była są dla ma",
        "pt": "o a os as de do da dos das e que não é um uma em para com por no na se mais mas muito ao foi está são "
        "também já eu ele ela isso este esta isto nos pelo pela até sem foram tem ser à às",
        "ro": "și în de la cu pe nu este un o că să din care mai pentru se ce sunt dar a fost am ca foarte sau lui",
        "ru": "и в не на что с я он как это по но они мы из у за так же от для было был быть его все или если есть",
        "sv": "och i att det är en som på de med för han av inte den till var jag mig sig men om hade från efter också",
        "tr": "ve bir bu da de için ile çok ne o gibi daha ama var olarak kadar değil en sonra ben mi olan her yok",
        "uk": "і в не на що з я він як це по але вони ми із у за так же від для було був бути його всі або якщо є та й",
        "vi": "và của là có không được cho một trong với các này những đã người khi để từ cũng như tôi rất",
    }.items()
}  # fmt: skip
"""Common function words by language (ISO 639-1)."""
LANGUAGES = {
    "ar": ("Arabic", "العربية"),
    "ca": ("Catalan", "català"),
    "cs": ("Czech", "čeština"),
    "da": ("Danish", "dansk"),
    "de": ("German", "Deutsch"),
    "el": ("Greek", "ελληνικά"),
    "en": ("English", "English"),
    "es": ("Spanish", "español"),
    "fi": ("Finnish", "suomi"),
    "fr": ("French", "français"),
    "gl": ("Galician", "galego"),
    "he": ("Hebrew", "עברית"),
    "hi": ("Hindi", "हिन्दी"),
    "id": ("Indonesian", "bahasa Indonesia"),
    "it": ("Italian", "italiano"),
    "ja": ("Japanese", "日本語"),
    "ko": ("Korean", "한국어"),
    "nl": ("Dutch", "Nederlands"),
    "no": ("Norwegian", "norsk"),
    "pl": ("Polish", "polski"),
    "pt": ("Portuguese", "português"),
    "ro": ("Romanian", "română"),
    "ru": ("Russian", "русский"),
    "sv": ("Swedish", "svenska"),
    "th": ("Thai", "ไทย"),
    "tr": ("Turkish", "Türkçe"),
    "uk": ("Ukrainian", "українська"),
    "vi": ("Vietnamese", "tiếng Việt"),
    "zh": ("Chinese", "中文"),
}
"""Languages that can be guessed, by code (ISO 639-1): their names in English and in themselves."""
SCRIPTS = {
    "ARABIC": "ar", "CJK": "zh", "DEVANAGARI": "hi", "GREEK": "el", "HANGUL": "ko", "HEBREW": "he", "HIRAGANA": "ja",
    "KATAKANA": "ja", "THAI": "th",
}  # fmt: skip
"""The language that a script is most often written for, by the first word of the names of its characters."""
OTHERS = {"ARABIC": frozenset("پچژگکیٹڈڑں"), "DEVANAGARI": frozenset("ळ")}
"""Letters of the other languages of a script: Persian and Urdu, Marathi. Where they occur there is no guess."""
EVIDENCE, COVERED, AHEAD = 3.0, 0.08, 1.5
"""A language is guessed from so much evidence at least, that is such a share of all words, and so many times as much as
any other language has."""
KANA = 0.05
"""Share of kana in Japanese texts at least; Chinese has none."""


def guess_language(words: Mapping[str, int]) -> str:
    """The code of the language of some texts (ISO 639-1), or the empty text where that is not clear.

    A stop word is evidence for the languages that have it, divided by their number, so `que` says little and `não`
    much. Texts in other scripts are guessed from the script, where one language uses it most.

    Args:
        words: The words of the texts and how often each occurs.
    """
    scripts = script_counts(words)
    letters = scripts.total()
    script, most = scripts.most_common(1)[0] if scripts else ("", 0)
    if most < EVIDENCE:
        return ""
    if (scripts["HIRAGANA"] + scripts["KATAKANA"]) / letters > KANA:
        return "ja" if scripts["LATIN"] < letters / 2 else ""
    if script in SCRIPTS:
        foreign = OTHERS.get(script, frozenset())
        clear = most > letters / 2 and not any(foreign.intersection(word) for word in words)
        return SCRIPTS[script] if clear else ""
    return by_stop_words(words)


def script_counts(words: Mapping[str, int]) -> Counter[str]:
    """Number of letters by script: the first word of their names in Unicode."""
    characters: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            characters[character] += count
    found: Counter[str] = Counter()
    for character, count in characters.items():
        if character.isalpha():
            found[unicodedata.name(character, "?").split(" ")[0].split("-")[0]] += count
    return found


def by_stop_words(words: Mapping[str, int]) -> str:
    """The language whose stop words are most of the evidence, or the empty text."""
    having: defaultdict[str, list[str]] = defaultdict(list)
    for code, known in STOP_WORDS.items():
        for word in known:
            having[word].append(code)
    scores: Counter[str] = Counter()
    total = 0
    for word, count in words.items():
        total += count
        codes = having.get(unicodedata.normalize("NFC", word).casefold(), [])
        for code in codes:
            scores[code] += count / len(codes)  # type: ignore[assignment]  # a counter of shares
    (best, score), (_, second) = [*scores.most_common(2), ("", 0), ("", 0)][:2]
    clear = score >= EVIDENCE and score >= COVERED * total and score >= AHEAD * second
    return best if clear else ""
