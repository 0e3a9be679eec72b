"""Raw text becomes the words that training words were."""

from __future__ import annotations

import json
import random
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.tasks.markup import joined
from afina.text.segmentation import Segmentation, units_of
from tests.written import FORMS, WORDS, Form

SEGMENTED = [  # training sentences, words between blanks; a raw text; its words between blanks
    pytest.param("write to ana.sousa@mail.com today", "to rui-b@x.org, or", "to rui - b@x.org , or", id="addresses"),
    pytest.param("pay 12.50 or 3,75 now .", "it was 8.20, not 9,10.", "it was 8.20 , not 9,10 .", id="prices"),
    pytest.param("pay $12 or 9€ now", "£7 and 8¥!", "£7 and 8¥ !", id="glued currency"),
    pytest.param("pay $ 12 or 9 € now", "£7 and 8¥!", "£ 7 and 8 ¥ !", id="separate currency"),
    pytest.param(
        "see https://a.org/b_c?d=e&f=g now", "at http://mail.net/x?y=z.", "at http://mail.net/x?y=z .", id="URLs"
    ),
    pytest.param("a well-known go-between", "the low-cost one - yes", "the low-cost one - yes", id="hyphens inside"),
    pytest.param("a well - known go - between", "the low-cost one", "the low - cost one", id="hyphens apart"),
    pytest.param("um copo d'água e um pau-d'óleo", "a caixa-d'água", "a caixa-d'água", id="Portuguese inside"),
    pytest.param("disse -me que viu -os", "levou-nos.", "levou -nos .", id="Portuguese clitics"),
    pytest.param("João 's cat and Rui 's dog", "Ana's and Rui’s", "Ana 's and Rui ’s", id="clitics"),
    pytest.param("the cats' tails and dogs' ears", "both birds' nests", "both birds' nests", id="glued to the left"),
    pytest.param(
        "Mr. Bean met Dr. Who .\nMr. Bean saw Dr. Who .\nit ended .\nso it is .\nall was well .\nwe won .",
        "Dr. Dolittle met Mr. Fox.", "Dr. Dolittle met Mr. Fox .", id="abbreviations",
    ),
    pytest.param("J. R. Smith met A. Jones .\nhe left .", "B. K. Lee left.", "B. K. Lee left .", id="initials"),
    pytest.param("wait ... now -- or", "well... what--no", "well ... what -- no", id="runs of one sign"),
    pytest.param("it ended . Then mail.com grew . So", "at shop.net. Next", "at shop.net . Next", id="stops between"),
    pytest.param("nice :-) day 👩‍💻 and ❤️ :-)", "so :-) 🏳️‍🌈❤️!", "so :-) 🏳️‍🌈 ❤️ !", id="emoji"),
    pytest.param("王 明 住 在 北 京 。", "李华在iPhone店。", "李 华 在 iPhone 店 。", id="characters"),
    pytest.param("在 2 0 2 4 年 用 U S B", "2025年USA", "2 0 2 5 年 U S A", id="digits as characters"),
    pytest.param("我 在 北京 住\n他 在 北京 住", "她住在北京。", "她 住 在 北京 。", id="characters and known words"),
    pytest.param("東京 で カメラ を 見 た\nカメラ を 東京 で 見 た", "東京でカメラ", "東京 で カメラ", id="Japanese"),
    pytest.param("กรุงเทพ สวยงาม มากมาย", "กรุงเทพสวย มาก", "กรุงเทพสวย มาก", id="whole runs"),
    pytest.param("کتاب\u200cها و خانه", "می\u200cخواهم، خانه", "می\u200cخواهم ، خانه", id="Persian"),
    pytest.param("nothing here", "cafe\u0301s, na\u0303o", "cafe\u0301s , na\u0303o", id="marks"),
]  # fmt: skip


def learned(lines: str) -> Segmentation:
    return Segmentation.learn([line.split() for line in lines.splitlines()])


@pytest.mark.parametrize(("lines", "text", "expected"), SEGMENTED)
def test_raw_text_is_cut_as_training_words_are(lines: str, text: str, expected: str) -> None:
    found = learned(lines)
    assert [text[start:end] for start, end in found.words(text)] == expected.split()
    again = Segmentation.from_json(json.loads(json.dumps(found.to_json())))
    assert again.words(text) == found.words(text)
    assert str(again) == str(found)


def test_without_signs_in_training_words_every_sign_is_a_word() -> None:
    found = learned("the cat sleeps\na dog barks")
    text = "It's 12.50 (well-known)!"
    expected = ["It", "'", "s", "12", ".", "50", "(", "well", "-", "known", ")", "!"]
    assert [text[start:end] for start, end in found.words(text)] == expected
    assert found.to_json() == {"characters": [], "signs": {}, "words": []}


def test_certain_evidence_is_more_than_a_neighbour() -> None:
    """A stop between words has a blank after it in raw text, so many of them say nothing of the stop in an address."""
    found = learned("it rained . we left . all went home . nobody came .\nsee mail.com")
    text = "see shop.net. Then"
    assert [text[start:end] for start, end in found.words(text)] == ["see", "shop.net", ".", "Then"]


written = st.lists(
    st.lists(
        st.one_of(st.sampled_from(WORDS), st.text("ab1.,'-@$(字名 ก\u0301\u200d😀", min_size=1, max_size=5)), max_size=6
    ),
    max_size=6,
)


@given(written, st.sampled_from(FORMS))
def test_words_hold_all_that_is_visible_and_cut_no_character(sentences: list[list[str]], form: Form) -> None:
    found = Segmentation.learn(sentences)
    text = unicodedata.normalize(form, "".join(word for words in sentences for word in words))
    spans = found.words(text)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for start, end in spans:
        assert units_of(text[start:end])[0] == 0
        assert end == len(text) or text[end].isspace() or not unicodedata.category(text[end]).startswith("M")


@given(written, st.randoms(use_true_random=False))
def test_the_order_of_sentences_does_not_matter(sentences: list[list[str]], chance: random.Random) -> None:
    one = Segmentation.learn(sentences).to_json()
    chance.shuffle(sentences)
    assert Segmentation.learn(sentences).to_json() == one


@given(st.lists(st.lists(st.text("abçé09", min_size=1, max_size=5), min_size=1, max_size=8), min_size=1, max_size=5))
def test_words_of_letters_and_digits_come_back(sentences: list[list[str]]) -> None:
    found = Segmentation.learn(sentences)
    for words in sentences:
        text, places = joined(words)
        assert found.again(text, places) == found.words(text) == places


def test_blanks_between_words_without_blanks_are_not_seen() -> None:
    """What the score on raw text is made of: Chinese words as they would be written."""
    text, places = joined(["我", "在", "Lisboa", "见到", "李", "。"])
    whole = Segmentation.learn([["我在"]]).again(text, places)
    assert [text[start:end] for start, end in whole] == ["我 在", "Lisboa", "见到 李", "。"]
    cut = learned("我 在 北 京\n见到 李\n见到 他").again(text, places)
    assert cut == places


def test_a_list_of_kept_words_is_bounded() -> None:
    from afina.text import segmentation

    words = [f"x{i}." for i in range(segmentation.LISTED + 10)]
    stops = [["end9", "."]] * (3 * len(words))
    found = Segmentation.learn([[word] for word in words * 2] + stops)
    assert len(found.listed) == segmentation.LISTED
