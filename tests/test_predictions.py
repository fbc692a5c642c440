"""The reader's predictions: sealed on one page, opened on another, kept in the reader's own browser alone."""

import re

import pytest

from sergan import predictions
from sergan.predictions import KEY, QUESTIONS, form, opened, seal

TRUTH = {"gain_unseen": "it was -1 < 0 points", "happy": "yes"}


def page(shown):
    return shown._repr_mimebundle_()["text/html"]


def test_the_questions_are_those_that_chapters_0_and_9_agreed_on():
    assert list(QUESTIONS) == ["gain_seen", "gain_unseen", "placebo", "happy", "split"]
    assert KEY == "sergan-predictions" and f"'{KEY}'" in predictions.SCRIPT


def test_form_and_opened_run_the_same_script_and_load_nothing():
    scripts = {re.search(r"<script>(.*)</script>", page(s), re.DOTALL)[1] for s in (form(), opened(TRUTH))}
    assert scripts == {predictions.SCRIPT}
    assert "fetch(" not in predictions.SCRIPT and "innerHTML" not in predictions.SCRIPT
    for shown in (form(), opened(TRUTH)):
        assert not re.search(r"https?:|src=|href=", page(shown))


def test_every_field_of_the_form_has_its_label():
    html = page(form())
    for name in QUESTIONS:
        assert f'<label for="seal-{name}">' in html and f'id="seal-{name}"' in html
    assert form()._repr_mimebundle_()["text/plain"].count("\n") == len(QUESTIONS)


def test_opened_shows_the_questions_asked_for_with_what_was_found():
    html, text = page(opened(TRUTH)), repr(opened(TRUTH))
    assert html.count("<dt>") == 2 and "it was -1 &lt; 0 points" in html
    assert "found: it was -1 < 0 points" in text and text.count("you: no prediction") == 2


def test_a_readers_dict_goes_before_the_browser_and_none_is_no_prediction():
    shown = opened(TRUTH, {"gain_unseen": 0.5, "happy": None})
    assert "You: 0.5 points" in page(shown) and "You: no prediction" in page(shown)
    assert "<span data-question" not in page(shown)


@pytest.mark.parametrize("where", [({"gain": "x"},), (TRUTH, {"gain": 1})])
def test_an_unknown_question_is_refused_by_name(where):
    with pytest.raises(ValueError, match='no question "gain": the ids are gain_seen'):
        opened(*where)


def test_a_seal_changes_with_every_digit_and_with_the_word_but_not_with_the_order():
    made = seal({"gain_seen": 1, "happy": "yes"}, "plum")
    assert re.fullmatch(r"[0-9a-f]{16}", made)
    assert made == seal({"happy": "yes", "gain_seen": 1}, "plum")
    assert made not in (
        seal({"gain_seen": 2, "happy": "yes"}, "plum"),
        seal({"gain_seen": 1, "happy": "yes"}, "pear"),
    )


# --- in a browser ----------------------------------------------------------------------------------------


@pytest.fixture
def visit(browser):
    """Opens the form or the opened ones as a page of one site, without a network."""
    context, complaints = browser.new_context(), []
    pages = {"/form": page(form()), "/opened": page(opened(TRUTH))}

    def answer(route):
        body = pages["/" + route.request.url.rsplit("/", 1)[1]]
        route.fulfill(content_type="text/html", body=f"<!doctype html><meta charset=utf-8>{body}")

    context.route("**/*", answer)

    def visit(name, before=""):
        tab = context.new_page()
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        if before:
            tab.add_init_script(before)
        tab.goto(f"http://book.test/{name}")
        return tab

    yield visit
    assert complaints == []
    context.close()


def test_sealed_by_keyboard_on_one_page_and_opened_on_another(visit):
    tab = visit("form")
    assert tab.get_by_role("status").text_content() == "Not sealed yet."
    tab.focus("#seal-gain_unseen")
    tab.keyboard.type("-1.25")
    for _ in range(2):
        tab.keyboard.press("Tab")
    tab.keyboard.type("y")  # the select's answer that begins so
    for _ in range(2):
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert "2 of 5 predictions are kept in this browser" in tab.get_by_role("status").text_content()
    assert tab.evaluate(f"localStorage.getItem('{KEY}')") == '{"gain_unseen":"-1.25","happy":"yes"}'
    assert tab.locator("#seal-gain_unseen").is_disabled()

    found = visit("opened").locator("dd").all_text_contents()
    assert found == ["You: -1.25 points", "Found: it was -1 < 0 points", "You: yes", "Found: yes"]

    again = visit("form")
    assert again.locator("#seal-gain_unseen").input_value() == "-1.25"
    again.get_by_role("button", name="Break the seal").click()
    assert again.locator("#seal-gain_unseen").is_enabled()
    assert visit("opened").locator("dd").first.text_content() == "You: no prediction"


def test_an_empty_form_is_not_sealed(visit):
    tab = visit("form")
    tab.get_by_role("button", name="Seal", exact=True).click()
    assert "nothing to seal yet" in tab.get_by_role("status").text_content()
    assert tab.evaluate("localStorage.length") == 0


def test_what_was_kept_enters_the_page_as_text(visit):
    kept = '{"happy": "<img src=x onerror=alert(1)>"}'
    tab = visit("opened", before=f"localStorage.setItem('{KEY}', '{kept}')")
    assert tab.locator("dd").nth(2).text_content() == "You: <img src=x onerror=alert(1)>"
    assert tab.locator("img").count() == 0


@pytest.mark.parametrize(
    "without",
    [
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})",
        "Storage.prototype.setItem = () => { throw new DOMException('full'); }",
        "Object.defineProperty(window, 'localStorage', {value: null})",
    ],
)
def test_where_a_browser_keeps_nothing_the_form_says_so_and_gives_a_line_to_copy(visit, without):
    tab = visit("form", before=without)
    tab.locator("#seal-split").fill("12")
    tab.get_by_role("button", name="Seal", exact=True).click()
    assert tab.get_by_role("status").text_content().endswith("Copy this line to paper: split = 12")
    assert "No predictions are kept" in visit("opened", before=without).locator("[data-note]").text_content()


def test_what_is_kept_in_another_shape_is_no_prediction(visit):
    tab = visit("opened", before=f"localStorage.setItem('{KEY}', '[1, 2]')")
    assert tab.locator("dd").first.text_content() == "You: no prediction"
