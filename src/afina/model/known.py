"""Good encoders by language: facts to choose by, each with its source. Nothing is loaded, and nobody is asked.

What a source does not say is left open. `afina models --language` prints the list.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..errors import ConfigError, listed, printable
from ..text.languages import LANGUAGES
from .families import EMBEDDED, FAMILIES


@dataclass(frozen=True, slots=True)
class Encoder:
    """What is known of a pre-trained encoder.

    Attributes:
        name: Its id on the Hugging Face hub; the name in its paper where the id is not known.
        family: The `model_type` of its configuration.
        languages: Codes of the languages that it was made for (ISO 639-1); empty for one of many languages.
        source: Address of the paper, repository or page that says so.
        parameters: In millions, those of the vocabulary included.
        vocabulary: Number of tokens.
        cased: Whether it tells capitals from small letters.
        context: Number of tokens of a text at most.
        licence: As the hub spells it.
        data: What it was trained on.
        many: Number of languages, where it is one of many.
    """

    name: str
    family: str
    languages: tuple[str, ...]
    source: str
    parameters: int | None = None
    vocabulary: int | None = None
    cased: bool | None = None
    context: int | None = None
    licence: str = ""
    data: str = ""
    many: int = 0

    @property
    def supported(self) -> bool:
        """Whether afina knows its family."""
        return self.family in FAMILIES


EMBEDDED_ID = "sentence-transformers/all-MiniLM-L6-v2"
"""Where the embedded model comes from."""
ARXIV, HUB, GITHUB = "https://arxiv.org/abs/", "https://huggingface.co/", "https://github.com/"
INDIAN = ("hi", "as", "bn", "gu", "kn", "ks", "ml", "mr", "ne", "or", "pa", "sa", "sd", "ta", "te", "ur")
EUROBERT = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "ru", "tr", "vi", "zh")
CULTURAX = "275 billion tokens: CulturaX, HALvest, Wikipedia"
ENCODERS = (
    # Portuguese.
    Encoder("neuralmind/bert-base-portuguese-cased", "bert", ("pt",), f"{GITHUB}neuralmind-ai/portuguese-bert", 110,
            29_794, True, 512, "mit", "BERTimbau: brWaC, Brazilian web pages"),
    Encoder("neuralmind/bert-large-portuguese-cased", "bert", ("pt",), f"{GITHUB}neuralmind-ai/portuguese-bert", 335,
            cased=True, licence="mit", data="BERTimbau: brWaC, Brazilian web pages"),
    Encoder("PORTULAN/albertina-100m-portuguese-ptpt-encoder", "deberta", ("pt",), f"{ARXIV}2403.01897", 100,
            50_265, True, 512, "mit", "European Portuguese: OSCAR, DCEP, Europarl, ParlamentoPT"),
    Encoder("PORTULAN/albertina-100m-portuguese-ptbr-encoder", "deberta", ("pt",), f"{ARXIV}2403.01897", 100,
            cased=True, licence="mit", data="Brazilian Portuguese: OSCAR"),
    Encoder("PORTULAN/albertina-900m-portuguese-ptpt-encoder", "deberta-v2", ("pt",), f"{ARXIV}2305.06721", 900,
            128_100, True, 512, "mit", "European Portuguese"),
    Encoder("PORTULAN/albertina-900m-portuguese-ptbr-encoder", "deberta-v2", ("pt",), f"{ARXIV}2305.06721", 900,
            cased=True, licence="other", data="Brazilian Portuguese"),
    Encoder("BERTomelo (base and large)", "modernbert", ("pt",), f"{ARXIV}2606.28999", context=1024,
            data="ClassiCC-PT, 106 million documents; the paper names its id"),
    Encoder("Tropic-AI/moBERTo", "modernbert", ("pt",), f"{ARXIV}2606.22722", context=8192,
            data="ModernBERT and 12 billion tokens of FineWeb2, five times"),
    # English.
    Encoder(EMBEDDED_ID, "bert", ("en",),
            f"{HUB}{EMBEDDED_ID}", 23, 30_522, False, 512, "apache-2.0",
            "the embedded model `minilm`: pairs of English sentences"),
    Encoder("google-bert/bert-base-cased", "bert", ("en",), f"{ARXIV}1810.04805", 110, cased=True, context=512,
            data="BookCorpus, Wikipedia"),
    Encoder("google-bert/bert-base-uncased", "bert", ("en",), f"{ARXIV}1810.04805", 110, 30_522, False, 512,
            data="BookCorpus, Wikipedia"),
    Encoder("FacebookAI/roberta-base", "roberta", ("en",), f"{ARXIV}1907.11692", cased=True, context=512,
            licence="mit", data="160 GB: BookCorpus, Wikipedia, CC-News, OpenWebText, Stories"),
    Encoder("microsoft/deberta-v3-xsmall", "deberta-v2", ("en",), f"{GITHUB}microsoft/DeBERTa", 71, 128_000,
            data="22 million parameters beside the vocabulary"),
    Encoder("microsoft/deberta-v3-base", "deberta-v2", ("en",), f"{GITHUB}microsoft/DeBERTa", 184, 128_000,
            data="86 million parameters beside the vocabulary"),
    Encoder("microsoft/deberta-v3-large", "deberta-v2", ("en",), f"{GITHUB}microsoft/DeBERTa", 435, 128_000,
            data="304 million parameters beside the vocabulary"),
    Encoder("google/electra-small-discriminator", "electra", ("en",), f"{GITHUB}google-research/electra", 14, 30_522,
            False),
    Encoder("google/electra-base-discriminator", "electra", ("en",), f"{GITHUB}google-research/electra", 110, 30_522,
            False),
    Encoder("answerdotai/ModernBERT-base", "modernbert", ("en",), f"{ARXIV}2412.13663", vocabulary=50_368,
            context=8192, data="2 trillion tokens"),
    Encoder("answerdotai/ModernBERT-large", "modernbert", ("en",), f"{ARXIV}2412.13663", vocabulary=50_368,
            data="2 trillion tokens"),
    # Spanish.
    Encoder("dccuchile/bert-base-spanish-wwm-cased", "bert", ("es",), f"{GITHUB}dccuchile/beto", None, 31_002, True,
            512, data="BETO: Spanish corpora"),
    Encoder("PlanTL-GOB-ES/roberta-base-bne", "roberta", ("es",), f"{GITHUB}PlanTL-GOB-ES/lm-spanish", None, 50_262,
            None, 512, "apache-2.0", "MarIA: 570 GB of the web, National Library of Spain"),
    Encoder("PlanTL-GOB-ES/roberta-large-bne", "roberta", ("es",), f"{GITHUB}PlanTL-GOB-ES/lm-spanish",
            licence="apache-2.0", data="MarIA: 570 GB of the web, National Library of Spain"),
    # French.
    Encoder("almanach/camembert-base", "camembert", ("fr",), f"{ARXIV}1911.03894", 110, data="OSCAR"),
    Encoder("almanach/camembertv2-base", "roberta", ("fr",), f"{ARXIV}2411.08868", None, 32_768, None, 1024, "mit",
            CULTURAX),
    Encoder("almanach/camembertav2-base", "deberta-v2", ("fr",), f"{ARXIV}2411.08868", None, 32_768, licence="mit",
            data=CULTURAX),
    # German.
    Encoder("deepset/gbert-base", "bert", ("de",), f"{ARXIV}2010.10906"),
    Encoder("deepset/gelectra-base", "electra", ("de",), f"{ARXIV}2010.10906", licence="mit",
            data="Wikipedia, OPUS, OpenLegalData"),
    Encoder("deepset/gelectra-large", "electra", ("de",), f"{ARXIV}2010.10906", 336, licence="mit",
            data="Wikipedia, OPUS, OpenLegalData, OSCAR"),
    # Other languages.
    Encoder("aubmindlab/bert-base-arabertv01", "bert", ("ar",), f"{ARXIV}2003.00104",
            data="AraBERT: 23 GB of Wikipedia and news"),
    Encoder("nlpaueb/bert-base-greek-uncased-v1", "bert", ("el",), f"{GITHUB}nlpaueb/greek-bert", cased=False,
            data="Wikipedia, Europarl, OSCAR; texts must come without accents"),
    Encoder("TurkuNLP/bert-base-finnish-cased-v1", "bert", ("fi",), f"{ARXIV}1912.07076", None, 50_000, True,
            data="3 billion tokens of news, discussions and the web"),
    Encoder("google/muril-base-cased", "bert", INDIAN, f"{HUB}google/muril-base-cased", None, None, True, 512,
            "apache-2.0", "17 languages of India, also in Latin letters"),
    Encoder("dbmdz/bert-base-italian-xxl-cased", "bert", ("it",), f"{GITHUB}dbmdz/berts", None, None, True, 512,
            data="81 GB: Wikipedia, OPUS, OSCAR"),
    Encoder("sbintuitions/modernbert-ja-130m", "modernbert", ("ja",), f"{HUB}sbintuitions/modernbert-ja-130m", 130,
            licence="mit"),
    Encoder("sbintuitions/modernbert-ja-310m", "modernbert", ("ja",), f"{HUB}sbintuitions/modernbert-ja-310m", 310,
            102_400, None, 8192, "mit"),
    Encoder("klue/bert-base", "bert", ("ko",), f"{ARXIV}2105.09680", None, 32_000, None, 512, "cc-by-sa-4.0"),
    Encoder("wietsedv/bert-base-dutch-cased", "bert", ("nl",), f"{ARXIV}1912.09582", 110, None, True,
            data="BERTje"),
    Encoder("pdelobelle/robbert-base", "roberta", ("nl",), f"{ARXIV}2001.06286", licence="mit", data="RobBERT"),
    Encoder("NbAiLab/nb-bert-base", "bert", ("no",), f"{HUB}NbAiLab/nb-bert-base", licence="cc-by-4.0"),
    Encoder("allegro/herbert-base-cased", "bert", ("pl",), f"{HUB}allegro/herbert-base-cased", None, 50_000, True,
            licence="cc-by-sa-4.0", data="HerBERT"),
    Encoder("dumitrescustefan/bert-base-romanian-cased-v1", "bert", ("ro",),
            f"{GITHUB}dumitrescustefan/Romanian-Transformers", cased=True, data="15 GB: OPUS, OSCAR, Wikipedia"),
    Encoder("DeepPavlov/rubert-base-cased", "bert", ("ru",), f"{ARXIV}1905.07213", 180, None, True,
            data="RuBERT: Wikipedia, news"),
    Encoder("KBLab/bert-base-swedish-cased", "bert", ("sv",), f"{ARXIV}2007.01658", None, 50_325, True, 512),
    Encoder("dbmdz/bert-base-turkish-cased", "bert", ("tr",), f"{GITHUB}stefan-it/turkish-bert", cased=True,
            licence="mit", data="BERTurk: 35 GB of OSCAR, Wikipedia, OPUS"),
    Encoder("google-bert/bert-base-chinese", "bert", ("zh",), f"{ARXIV}1810.04805", 110, 21_128, data="Wikipedia"),
    # Many languages.
    Encoder("FacebookAI/xlm-roberta-base", "xlm-roberta", (), f"{ARXIV}1911.02116", 270, 250_002, True, 512, "mit",
            "2.5 TB of CommonCrawl", many=100),
    Encoder("FacebookAI/xlm-roberta-large", "xlm-roberta", (), f"{ARXIV}1911.02116", 550, 250_002, True, 512, "mit",
            "2.5 TB of CommonCrawl", many=100),
    Encoder("microsoft/mdeberta-v3-base", "deberta-v2", (), f"{GITHUB}microsoft/DeBERTa", 278, 251_000, True, 512,
            "mit", "86 million parameters beside the vocabulary", many=102),
    Encoder("jhu-clsp/mmBERT-small", "modernbert", (), f"{GITHUB}JHU-CLSP/mmBERT", 140, 256_000, None, 8192, "mit",
            "3 trillion tokens", many=1833),
    Encoder("jhu-clsp/mmBERT-base", "modernbert", (), f"{GITHUB}JHU-CLSP/mmBERT", 307, 256_000, None, 8192, "mit",
            "3 trillion tokens", many=1833),
    Encoder("google-bert/bert-base-multilingual-cased", "bert", (), f"{ARXIV}1810.04805", 177, None, True, 512,
            "apache-2.0", "Wikipedia", many=104),
    Encoder("distilbert/distilbert-base-multilingual-cased", "distilbert", (), f"{ARXIV}1910.01108", 134, None, True,
            None, "apache-2.0", "Wikipedia", many=104),
    Encoder("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "bert", (), f"{ARXIV}2004.09813", 118,
            250_037, None, 512, "apache-2.0", "pairs of translated sentences", many=50),
    Encoder("EuroBERT/EuroBERT-210m", "eurobert", EUROBERT, f"{ARXIV}2503.05500", 210, None, None, 8192,
            "apache-2.0"),
)  # fmt: skip
"""The encoders, those of one language first."""


def encoder_named(name: str) -> Encoder | None:
    """What is known of an encoder by its id on the hub, with or without its owner; also of the embedded one."""
    wanted = EMBEDDED_ID if name == EMBEDDED else name
    own = [one for one in ENCODERS if "/" in one.name and " " not in one.name]
    return next((one for one in own if wanted.casefold() in (one.name.casefold(), last_part(one).casefold())), None)


def last_part(encoder: Encoder) -> str:
    """An id without its owner."""
    return encoder.name.rpartition("/")[2]


def codes() -> list[str]:
    """Codes of all languages that `encoders_for` knows."""
    return sorted({*LANGUAGES, *(code for encoder in ENCODERS for code in encoder.languages)})


def code_of(language: str) -> str:
    """The code of a language that is named by its code, with or without a region, or in English or itself.

    >>> code_of("pt-BR"), code_of("Portuguese"), code_of("portugues")
    ('pt', 'pt', 'pt')

    Raises:
        ConfigError: no such language is known; the message lists those that are.
    """
    wanted = plain(language)
    code = re.split("[-_]", wanted)[0]
    if code in codes():
        return code
    for known, names in LANGUAGES.items():
        if wanted in map(plain, names):
            return known
    raise ConfigError(
        f"language: {printable(language)} is not known; choose one of {listed(codes(), most=99)} "
        "(those of many languages suit others, too)"
    )


def plain(name: str) -> str:
    """A name without case and accents."""
    apart = unicodedata.normalize("NFD", name.strip().casefold())
    return "".join(one for one in apart if unicodedata.category(one) != "Mn")


def encoders_for(code: str) -> list[Encoder]:
    """Encoders for a language: those of few languages first, then those of many."""
    own = [encoder for encoder in ENCODERS if code in encoder.languages]
    return [*sorted(own, key=lambda one: len(one.languages)), *(encoder for encoder in ENCODERS if encoder.many)]
