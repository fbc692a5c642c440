"""Figures that a reader can move, and sounds: without a kernel or the network, by mouse, touch and keyboard.

A `Moving` figure has one face and a twin. In a notebook with a kernel it is an ipywidget; in the stored output, which a
rendered page shows, it is plain HTML with its pictures inside. Both show the same pictures. What a picture shows is
also said in a sentence, which a screen reader reads out as the figure is moved.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import itertools
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from PIL import Image

MOST = 80
"""Pictures that a figure may have: each weighs some 10 kB."""

# The same for every figure, so that a strict content policy needs one hash. It looks for figures that it has not yet
# made alive, because a notebook runs it once an output.
SCRIPT = """
(() => {
  for (const box of document.querySelectorAll('.sergan-moving:not([data-alive])')) {
    box.dataset.alive = '';
    const {pictures, sentences, sizes} = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
    const controls = [...box.querySelectorAll('input, select')];
    const image = box.querySelector('img'), said = box.querySelector('[aria-live]');
    const show = () => {
      const at = controls.reduce((sum, control, k) => sum * sizes[k] + Number(control.value), 0);
      image.src = pictures[at]; image.alt = said.textContent = sentences[at];
      for (const control of controls.filter(c => c.type === 'range')) {
        const text = JSON.parse(control.dataset.texts)[control.value];
        control.setAttribute('aria-valuetext', text); control.previousElementSibling.lastElementChild.value = text;
      }
    };
    for (const control of controls) { control.disabled = false; control.addEventListener('input', show); }
    show();
  }
  for (const box of document.querySelectorAll('.sergan-sound:not([data-alive])')) {
    box.dataset.alive = '';
    const audio = box.querySelector('audio'), line = box.querySelector('.line'), image = box.querySelector('img');
    if (!line) continue;
    const {left, right, seconds} = box.dataset;
    const move = () => {
      const share = Math.min(audio.currentTime / Number(seconds), 1);
      line.style.left = 100 * (Number(left) + share * (right - left)) + '%';
      if (!audio.paused) requestAnimationFrame(move);
    };
    for (const event of ['play', 'seeked', 'timeupdate']) audio.addEventListener(event, move);
    image.addEventListener('click', event => {
      const box = image.getBoundingClientRect(), x = (event.clientX - box.left) / box.width;
      audio.currentTime = Math.max(0, Math.min(1, (x - left) / (right - left))) * seconds;
    });
    move();
  }
})();
"""

STYLE = """
.sergan-moving, .sergan-sound { max-width: 46rem; margin: .6rem auto; }
.sergan-moving .shown, .sergan-sound .shown { overflow-x: auto; }
.sergan-moving img, .sergan-sound img { display: block; width: 100%; height: auto; background: #fff; }
@media (max-width: 40rem) {
  .sergan-moving img { width: auto; max-width: none; zoom: 0.7; }
}
.sergan-moving .controls { display: flex; flex-wrap: wrap; gap: .4rem 1.6rem; margin-bottom: .4rem; }
.sergan-moving .control { flex: 1 1 14rem; }
.sergan-moving label { display: block; font-weight: 600; }
.sergan-moving input, .sergan-moving select { width: 100%; min-height: 2rem; font: inherit; }
.sergan-moving :focus-visible, .sergan-sound :focus-visible { outline: 3px solid #0b57a4; outline-offset: 2px; }
.sergan-moving p, .sergan-sound p { margin: .3rem 0; font-size: .92em; }
.sergan-sound .picture { position: relative; }
.sergan-sound .line { position: absolute; top: 0; bottom: 0; width: 2px; background: #d55e00; pointer-events: none; }
.sergan-sound audio { width: 100%; min-height: 2.5rem; }
"""


class Control(NamedTuple):
    """What a reader moves.

    Attributes:
        label: its name, with its unit.
        values: what `draw` is given, in order.
        texts: how each value reads; by default as Python writes it.
        start: the place in `values` where it stands first.
        kind: `"slider"` for values with an order, `"choice"` for names.
    """

    label: str
    values: Sequence
    texts: Sequence[str] | None = None
    start: int = 0
    kind: str = "slider"

    @property
    def words(self) -> list[str]:
        return [str(value) for value in (self.values if self.texts is None else self.texts)]


class Moving:
    """A figure with one to three controls. As the last value of a cell, it shows itself.

    Args:
        title: what the figure is, for screen readers.
        draw: gives a matplotlib figure for one value of each control, in their order.
        controls: with at most `MOST` combinations of their values.
        say: gives the sentence that says what that picture shows: its numbers, in words. It is the picture's text.
    """

    def __init__(self, title: str, draw: Callable, controls: Sequence[Control], say: Callable):
        self.title, self.draw, self.controls, self.say = title, draw, list(controls), say
        self.places = list(itertools.product(*(range(len(c.values)) for c in self.controls)))
        if not 0 < len(self.places) <= MOST:
            raise ValueError(f"{title}: {len(self.places)} pictures; a figure may have 1 to {MOST}")

    def values(self, place: Sequence[int]) -> list:
        return [control.values[k] for control, k in zip(self.controls, place, strict=True)]

    @cached_property
    def pictures(self) -> list[str]:
        """Every picture as a `data:` address, the last control moving fastest."""
        return [picture(self.draw(*self.values(place))) for place in self.places]

    @cached_property
    def sentences(self) -> list[str]:
        return [str(self.say(*self.values(place))) for place in self.places]

    @property
    def start(self) -> int:
        return self.places.index(tuple(control.start for control in self.controls))

    def html(self) -> str:
        """The twin: alive in a page without a kernel."""
        name = "m" + hashlib.sha256("".join([self.title, *self.pictures]).encode()).hexdigest()[:10]
        rows = "".join(self._control(f"{name}-{k}", control) for k, control in enumerate(self.controls))
        sizes = [len(control.values) for control in self.controls]
        data = json.dumps({"pictures": self.pictures, "sentences": self.sentences, "sizes": sizes})
        data = data.replace("<", "\\u003c")
        said = html.escape(self.sentences[self.start])
        return (
            f'<div class="sergan-moving" id="{name}" role="group" aria-label="{html.escape(self.title)}">'
            f'<style>{STYLE}</style><div class="controls">{rows}</div>'
            f'<div class="shown"><img src="{self.pictures[self.start]}" alt="{said}"></div>'
            f'<p aria-live="polite">{said}</p>'
            f'<script type="application/json">{data}</script></div><script>{SCRIPT}</script>'
        )

    @staticmethod
    def _control(name: str, control: Control) -> str:
        words, label = control.words, html.escape(control.label)
        if control.kind == "choice":
            chosen = "".join(
                f'<option value="{k}"{" selected" * (k == control.start)}>{html.escape(word)}</option>'
                for k, word in enumerate(words)
            )
            return (f'<div class="control"><label for="{name}">{label}</label>'
                    f'<select id="{name}" disabled>{chosen}</select></div>')  # fmt: skip
        texts = html.escape(json.dumps(words))
        word = html.escape(words[control.start])
        return (f'<div class="control"><label for="{name}">{label}: <output>{word}</output></label>'
                f'<input type="range" id="{name}" min="0" max="{len(words) - 1}" step="1" value="{control.start}" '
                f'aria-valuetext="{word}" data-texts="{texts}" disabled></div>')  # fmt: skip

    def live(self):
        """The figure as an ipywidget (versions 7 and 8), for a notebook with a kernel."""
        import ipywidgets

        shown, moved = ipywidgets.HTML(), []

        def show(change=None):
            at = self.places.index(tuple(widget.value for widget in moved))
            said = html.escape(self.sentences[at])
            shown.value = (f'<img src="{self.pictures[at]}" alt="{said}" style="width:100%;max-width:46rem">'
                           f'<p aria-live="polite">{said}</p>')  # fmt: skip

        for control in self.controls:
            kind = ipywidgets.Dropdown if control.kind == "choice" else ipywidgets.SelectionSlider
            options = [(word, k) for k, word in enumerate(control.words)]
            moved.append(kind(options=options, value=control.start, description=control.label,
                              style={"description_width": "initial"}, layout={"width": "95%"}))  # fmt: skip
        for widget in moved:
            widget.observe(show, "value")
        show()
        return ipywidgets.VBox([*moved, shown])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        box = self.live()
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        return {
            "text/plain": f"{self.title}. {self.sentences[self.start]}",
            "text/html": self.html(),
            "application/vnd.jupyter.widget-view+json": view,
        }


class Sound:
    """A recording that can be played, with a picture over which a line moves as it plays, if there is one.

    Args:
        label: what is heard, in words.
        signal: mono, within [-1, 1], `(samples,)`.
        figure: a matplotlib figure whose first axes have the time as their x-axis, in seconds.
        alt: what the picture shows.
    """

    def __init__(self, label: str, signal: np.ndarray, rate: int, *, figure=None, alt: str = ""):
        if figure is not None and not alt:
            raise ValueError(f"{label}: a picture needs an alternative text")
        self.label, self.alt = label, alt
        self.seconds = len(signal) / rate
        self.audio = mp3(signal, rate)
        self.picture = self.sides = None
        if figure is not None:
            figure.canvas.draw()  # so that the layout is done
            ax = figure.axes[0]
            points = ax.transData.transform([(0, 0), (self.seconds, 0)])[:, 0] / figure.bbox.width
            self.sides = [round(float(x), 4) for x in points]
            self.picture = picture(figure)

    def html(self) -> str:
        label, seen = html.escape(self.label), ""
        data = ""
        if self.picture:
            seen = (f'<div class="shown"><div class="picture"><img src="{self.picture}" '
                    f'alt="{html.escape(self.alt)}"><span class="line"></span></div></div>')  # fmt: skip
            data = (
                f' data-left="{self.sides[0]}" data-right="{self.sides[1]}" data-seconds="{self.seconds:.4f}"'
            )
        return (
            f'<div class="sergan-sound" role="group" aria-label="{label}"{data}><style>{STYLE}</style>{seen}'
            f'<p>{label}</p><audio controls preload="metadata" aria-label="{label}" src="{self.audio}"></audio>'
            f"</div><script>{SCRIPT}</script>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": f"{self.label} ({self.seconds:.1f} s)", "text/html": self.html()}


class Row:
    """Sounds one after the other, in one output."""

    def __init__(self, sounds: Sequence[Sound]):
        self.sounds = list(sounds)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        parts = [sound._repr_mimebundle_() for sound in self.sounds]
        return {kind: "\n".join(part[kind] for part in parts) for kind in ("text/plain", "text/html")}


def picture(figure) -> str:
    """A matplotlib figure as the `data:` address of a lossless WebP with 256 colours; the figure is closed."""
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=110, facecolor="white")
    plt.close(figure)
    image = Image.open(raw).convert("RGB").quantize(256, dither=Image.Dither.NONE).convert("RGB")
    image.save(small, "WEBP", lossless=True, quality=100, method=4)
    return f"data:image/webp;base64,{base64.b64encode(small.getvalue()).decode()}"


def mp3(signal: np.ndarray, rate: int) -> str:
    """A mono signal as the `data:` address of an MP3 at 32 kB/s or so, which every browser plays."""
    out = io.BytesIO()
    signal = np.clip(np.asarray(signal, dtype=np.float32), -1, 1)
    soundfile.write(out, signal, rate, format="MP3", compression_level=0.8, bitrate_mode="CONSTANT")
    return f"data:audio/mpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
