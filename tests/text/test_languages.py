"""Languages are guessed from a few sentences, and not where that would be a lottery."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from afina.text.languages import LANGUAGES, SCRIPTS, STOP_WORDS, guess_language
from afina.text.words import WORD

SENTENCES = {
    "ar": "ذهب الولد إلى المدرسة في الصباح ثم عاد إلى البيت",
    "ca": "El gat és a la casa amb els nens i les nenes, però no vol sortir perquè plou molt.",
    "cs": "Je to velmi dobrý film, který se mi líbil, ale byl příliš dlouhý a už jsem ho viděl.",
    "de": "Das Wetter ist heute nicht gut und wir sind mit dem Auto zu den Großeltern gefahren.",
    "el": "Το παιδί πήγε στο σχολείο το πρωί",
    "en": "The weather is not good today, and we have to stay at home with the children.",
    "es": "El tiempo no es muy bueno hoy, pero los niños están en la calle con su abuela.",
    "fi": "Se on hyvin kaunis talo, mutta hän ei ole siellä, kun olen kotona tänään.",
    "fr": "Le temps est mauvais et nous restons dans la maison avec les enfants qui ne sont pas sages.",
    "he": "הילד הלך לבית הספר בבוקר",
    "hi": "लड़का सुबह स्कूल गया और शाम को घर आया",
    "id": "Anak itu tidak pergi ke sekolah karena sakit dan ibunya juga ada di rumah dengan dia.",
    "it": "Il tempo non è bello e siamo rimasti con i bambini nella casa della nonna che è più grande.",
    "ja": "子供は朝に学校へ行きました。",
    "ko": "아이는 아침에 학교에 갔다",
    "nl": "Het weer is niet goed en wij zijn met de kinderen naar het huis van mijn oma gegaan.",
    "pl": "To jest bardzo dobry film, ale nie wiem, czy się podoba tym, którzy są już zmęczeni przez pracę.",
    "pt": "O tempo não está bom, mas as crianças foram à rua com a avó e não voltaram.",
    "ro": "Vremea nu este bună și copiii sunt în casă cu bunica pentru că a fost frig.",
    "ru": "Погода была плохая, и мы не пошли в парк, но дети всё же были рады, что это так.",
    "sv": "Vädret är inte bra och vi har varit hemma med barnen, men jag har också en bok.",
    "th": "เด็กไปโรงเรียนตอนเช้า",
    "tr": "Bu film çok güzel ama biraz uzun ve ben daha önce bir kez izlemiş gibi oldum.",
    "uk": "Погода була погана, і ми не пішли в парк, але діти були раді, що це так.",
    "vi": "Trẻ em không đi học vì trời mưa và các bạn cũng ở nhà với tôi.",
    "zh": "孩子早上去学校了，晚上才回家。",
}
UNSURE = {
    "nothing": "",
    "numbers": "12 14 3.50",
    "a word": "que",
    "a name": "João da Silva",
    "Portuguese or Spanish": "para que se venda a casa",
    "names": "Maria Santos Lisboa Porto Coimbra Faro Braga Aveiro Viseu Leiria",
    "Persian": "کودک صبح به مدرسه رفت و گفت که می\u200cآید",
    "two languages": f"{SENTENCES['en']} {SENTENCES['fr']}",
}


def guessed(text: str) -> str:
    return guess_language(Counter(WORD.findall(text)))


@pytest.mark.parametrize("code", SENTENCES)
def test_one_sentence_is_enough(code: str) -> None:
    assert guessed(SENTENCES[code]) == code


@pytest.mark.parametrize("kind", UNSURE)
def test_nothing_is_said_where_it_is_not_clear(kind: str) -> None:
    assert guessed(UNSURE[kind]) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("não gostei, a entrega foi uma vergonha e o produto não presta", "pt"),
        ("no me gustó, la entrega fue una vergüenza y el producto no sirve", "es"),
        ("O serviço é bom e a comida também, mas é caro", "pt"),
        ("El servicio es bueno y la comida también, pero es caro", "es"),
        ("A\u0301rvores e o ce\u0301u, na\u0303o e\u0301 um sonho e na\u0303o e\u0301 uma ilusa\u0303o", "pt"),
    ],
)
def test_portuguese_and_spanish_are_told_apart(text: str, code: str) -> None:
    assert guessed(text) == code


def test_how_often_the_same_text_stands_there_changes_nothing_once_it_is_clear() -> None:
    words = Counter(WORD.findall(SENTENCES["pt"]))
    assert guess_language(Counter({word: 100 * count for word, count in words.items()})) == "pt"


def test_every_language_that_can_be_guessed_has_a_name() -> None:
    assert set(LANGUAGES) == {*STOP_WORDS, *SCRIPTS.values()}
    assert all(re.fullmatch("[a-z]{2}", code) for code in LANGUAGES)
