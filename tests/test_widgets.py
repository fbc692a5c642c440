"""Figures that move: the picture and the sentence are those of the value, with a kernel and without, by keyboard."""

import base64
import io
import json
import re

import numpy as np
import pytest
import soundfile
from PIL import Image

from sergan import widgets
from sergan.plots import sheet


def draw(height, colour):
    fig, ax = sheet(3, 1)
    ax.bar([0], [height], color=colour)
    ax.set(ylim=(0, 4))
    return fig


HEIGHT = widgets.Control("height (m)", [1, 2, 3], texts=["one", "two", "three"], start=1)
COLOUR = widgets.Control("colour", ["red", "blue"], kind="choice")


@pytest.fixture(scope="module")
def figure():
    return widgets.Moving("A <bar>", draw, [HEIGHT, COLOUR], lambda h, c: f"A {c} bar, {h} m high & wide.")


def pixels(address):
    kind, _, data = address.partition(";base64,")
    assert kind == "data:image/webp"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_every_combination_has_the_picture_that_draw_makes_of_it(figure):
    assert len(figure.pictures) == len(set(figure.pictures)) == 6
    for place, address in zip(figure.places, figure.pictures, strict=True):
        assert (pixels(address) == pixels(widgets.picture(draw(*figure.values(place))))).all()
    blue = pixels(figure.pictures[figure.places.index((2, 1))])
    red = pixels(figure.pictures[figure.places.index((0, 0))])
    assert (blue == [0, 0, 255]).all(axis=2).sum() > 2 * (red == [255, 0, 0]).all(axis=2).sum() > 100


def test_a_figure_says_what_it_shows_and_escapes_it(figure):
    assert figure.sentences[figure.start] == "A red bar, 2 m high & wide."
    html = figure.html()
    assert 'aria-label="A &lt;bar&gt;"' in html and 'alt="A red bar, 2 m high &amp; wide."' in html
    assert not re.search(r"https?://|\son\w+=", html), "nothing from elsewhere, and no inline handler"
    assert html == widgets.Moving(figure.title, draw, figure.controls, figure.say).html(), (
        "the same every time"
    )


def test_too_many_pictures_are_refused():
    with pytest.raises(ValueError, match="81 pictures"):
        widgets.Moving("long", draw, [HEIGHT._replace(values=range(81), texts=None)], str)


def test_with_a_kernel_it_is_an_ipywidget_that_shows_the_same(figure):
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert bundle["text/plain"] == "A <bar>. A red bar, 2 m high & wide."
    height, colour, shown = figure.live().children
    assert [text for text, _ in height.options] == ["one", "two", "three"] and height.value == 1
    height.value, colour.value = 2, 1
    at = figure.places.index((2, 1))
    assert figure.pictures[at] in shown.value and "A blue bar, 3 m high &amp; wide." in shown.value


def tone(seconds=1.0, rate=16_000):
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


def test_a_sound_is_an_mp3_of_the_signal():
    kind, _, data = widgets.mp3(tone(), 16_000).partition(";base64,")
    assert kind == "data:audio/mpeg"
    back, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert rate == 16_000 and 0.95 < len(back) / 16_000 < 1.2
    spectrum = np.abs(np.fft.rfft(back[4000:12_000]))
    assert np.argmax(spectrum) / 8000 * rate == pytest.approx(440, abs=3)


def test_a_picture_of_a_sound_needs_words():
    with pytest.raises(ValueError, match="needs an alternative text"):
        widgets.Sound("a tone", tone(), 16_000, figure=draw(1, "red"))


# --- in a browser --------------------------------------------------------------------------------------


@pytest.fixture
def page(browser, tmp_path):
    """Opens HTML as a page with no network and a policy like that of a strict server; fails on any complaint."""
    opened, complaints = [], []

    def open_(body):
        (tmp_path / "page.html").write_text(f"<!DOCTYPE html><html><body>{body}</body></html>")
        context = browser.new_context(viewport={"width": 390, "height": 800})
        context.route("http*://**/*", lambda route: route.abort())
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_
    for context in opened:
        context.close()
    assert complaints == []


def shown(page):
    box = page.locator(".sergan-moving")
    return box.locator("img").get_attribute("src"), box.locator("[aria-live]").text_content()


def test_without_a_kernel_the_keyboard_moves_it_to_the_right_picture(page, figure):
    opened = page(figure.html() + figure.html())  # twice on a page, as a notebook may have two
    box = opened.locator(".sergan-moving").first
    slider, choice = box.locator("input"), box.locator("select")
    assert slider.get_attribute("aria-valuetext") == "two"
    assert box.locator("label").first.text_content() == "height (m): two"
    slider.focus()
    opened.keyboard.press("ArrowRight")
    choice.select_option(label="blue")
    at = figure.places.index((2, 1))
    assert box.locator("img").get_attribute("src") == figure.pictures[at]
    assert box.locator("img").get_attribute("alt") == figure.sentences[at]
    assert slider.get_attribute("aria-valuetext") == "three"
    second = opened.locator(".sergan-moving").last
    assert second.locator("img").get_attribute("src") == figure.pictures[figure.start], "each by itself"
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_position_shows_its_own_picture_and_sentence(page, figure):
    opened = page(figure.html())
    for at, (height, colour) in enumerate(figure.places):
        opened.locator("input").fill(str(height))
        opened.locator("select").select_option(value=str(colour))
        assert shown(opened) == (figure.pictures[at], figure.sentences[at])


def test_the_line_over_a_picture_is_where_the_sound_is(page):
    fig, ax = sheet(4, 1)
    ax.plot(np.arange(16_000) / 16_000, tone())
    ax.set(xlim=(0, 1))
    sound = widgets.Sound("a tone", tone(), 16_000, figure=fig, alt="a wave over one second")
    opened = page(sound.html())
    left, right = sound.sides
    box = opened.locator(".picture").bounding_box()

    def line():
        at = opened.locator(".line").bounding_box()
        return (at["x"] + 0 - box["x"]) / box["width"]

    assert line() == pytest.approx(left, abs=0.01) and 0 < left < right <= 1
    opened.locator("img").click(position={"x": (left + right) / 2 * box["width"], "y": 5})
    opened.wait_for_function(
        "parseFloat(document.querySelector('.line').style.left) > 30"
    )  # the event comes later
    assert line() == pytest.approx((left + right) / 2, abs=0.02)
    json.dumps(sound._repr_mimebundle_())
