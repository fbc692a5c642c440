"""The translation in `book/locale`: in step with the text it translates, and with nothing lost on the way."""

import doctest
import re
from collections import Counter
from pathlib import Path

import _korean
import _translate
import language
import pytest

from sergan import evidence, plan

ROOT = Path(__file__).resolve().parents[1]

LOCALE = ROOT / _translate.MESSAGES
PAGES = sorted(language.translated(ROOT))
each_page = pytest.mark.parametrize("page", PAGES)


def messages(page):
    return [message for message in _translate.read(LOCALE / f"{page}.po") if message.id]


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """What there is to translate now on the translated pages, by Sphinx's builder for that: a few seconds."""
    to = tmp_path_factory.mktemp("messages")
    _translate.extract(ROOT, to, PAGES)
    return to


def test_the_landing_page_and_the_glossary_are_translated():
    assert {"book/index", "book/glossary"} <= set(PAGES)


@each_page
def test_a_catalogue_has_the_texts_of_its_page_and_no_others(extracted, page):
    now = [message.id for message in _translate.read(extracted / f"{page}.pot") if message.id]
    have = [message.id for message in messages(page)]
    advice = f"run: python book/_translate.py update; then translate what is new or fuzzy in {page}.po"
    assert not set(now) - set(have), advice
    assert not set(have) - set(now), advice
    assert have, page


@each_page
def test_every_text_of_a_translated_page_is_translated(page):
    assert [message.id for message in messages(page) if message.fuzzy or not message.string] == []


#: What a translation takes over as it is: formulas, roles, code, addresses, footnotes, HTML.
VERBATIM = re.compile(
    r"(?<![\\$])\$(?!\$)[^$]+\$|\{[\w:-]+\}`[^`]*`|`[^`]+`|\]\([^)]*\)|https?://[^\s)>]+|\[\^[^\]]+\]|</?[a-z][^>]*>"
)


@each_page
def test_formulas_roles_code_links_and_tags_are_those_of_the_original(page):
    for message in messages(page):
        assert Counter(VERBATIM.findall(message.string)) == Counter(VERBATIM.findall(message.id)), message.id


@each_page
def test_no_number_is_lost_in_translation(page):
    for message in messages(page):
        given, taken = (
            {number.replace(",", "") for number in re.findall(r"\d[\d,]*\.\d+|\d{1,3}(?:,\d{3})+", text)}
            for text in (message.id, message.string)
        )
        assert given <= taken, message.id


@pytest.mark.parametrize("name", ["titles", "interface", "sphinx", "exercise"])
def test_words_of_the_interface_are_translated(name):
    found = [message for message in _translate.read(LOCALE / f"{name}.po") if message.id]
    assert found and all(message.string and not message.fuzzy for message in found)


def test_a_changed_text_is_found_and_shown_in_english(tmp_path):
    """A fuzzy message is not used: the page falls back to the original."""
    path = tmp_path / "x.po"
    path.write_text(
        'msgid "a"\nmsgstr "가"\n\n#, fuzzy\nmsgid "b"\nmsgstr "나"\n\nmsgid "c"\nmsgstr ""\n', "utf-8"
    )
    assert _translate.words(path) == {"a": "가"}


# --- what a program says in both languages -------------------------------------------------------------


def rows():
    """A difference of every outcome, with numbers that occur once."""
    values = [
        (2.5, 1.5, 3.5),
        (-4.25, -6.75, -2.75),
        (0.1, -0.7, 0.9),
        (5.1, -3.1, 13.3),
        (7.7, None, None),
        None,
    ]
    places = [(c, k, s) for c in evidence.CONTRASTS for k in evidence.CORPORA for s in evidence.SPLITS]
    for number, (contrast, corpus, split) in enumerate(places):
        wa = values[number % len(values)]
        verdict = "within" if wa and wa[0] == 0.1 else ""
        yield {"contrast": contrast, "corpus": corpus, "split": split, "wa": wa, "verdict": verdict,
               "seeds": [0, 1], "used": {str(number)}, "pairs": number}  # fmt: skip


def test_the_evidence_is_said_in_korean_with_the_same_numbers():
    found = list(rows())
    assert {evidence.outcome(row) for row in found} == set(evidence.IN_WORDS) == set(_korean.IN_WORDS)
    assert set(_korean.TITLES) == set(evidence.CONTRASTS) and set(_korean.SPLITS) == set(evidence.SPLITS)
    for name in ("sentence", "caption", "alt"):
        korean, english = (
            set(re.findall(r"[+−]?\d+(?:\.\d+)?", getattr(said, name)(found))) for said in (_korean, evidence)
        )
        assert korean == english, name
    empty = [{**row, "wa": None, "seeds": [], "used": set(), "pairs": 0} for row in found]
    assert "아직" in _korean.sentence(empty) and plan.PRESET in _korean.caption(empty)


# --- what is done to pages -----------------------------------------------------------------------------


def test_examples_in_docstrings_hold():
    assert doctest.testmod(language).failed == 0


def test_a_form_is_translated_exactly_and_what_it_stores_is_not():
    from sergan.predictions import QUESTIONS, form, opened

    interface = _translate.words(LOCALE / "interface.po")
    page = _translate.widget_in_translation(form().page, interface)
    for question in QUESTIONS.values():
        assert question.text not in page and interface[question.text] in page
    assert '<option value="yes">예</option>' in page and 'data-question="happy"' in page
    said = re.findall(r"show\(\s*[`']([^`']*)", page)
    assert len(said) == 8 and all(re.search("[가-힣]", words) for words in said)
    assert "'sergan-predictions'" in page
    assert "예측" in _translate.widget_in_translation(opened({"happy": "No."}).page, interface)


def test_a_search_finds_a_korean_word_without_its_particle():
    assert "생성기" in language.SearchKorean({}).split("생성기는")
