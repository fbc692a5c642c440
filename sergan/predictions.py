"""What a reader expects, sealed in chapter 0 and opened in chapter 9.

With a kernel, predictions are a dict in the reader's own notebook, and `seal` gives a digest of them to note. On a
page without one, `form` keeps them in the reader's own browser (its `localStorage`, under `KEY`, as a JSON object
question -> answer), and `opened` reads them there. Nothing is sent anywhere.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from typing import NamedTuple

KEY = "sergan-predictions"
"""The name under which a browser keeps the answers: `{"gain_seen": "1.5", ..., "happy": "yes"}`."""


class Question(NamedTuple):
    """One question: what is asked, and the unit of the answer (empty where it is yes or no)."""

    text: str
    unit: str


#: The book's questions. WA in percent, a difference of WA in points.
QUESTIONS = {
    "gain_seen": Question(
        "BAGM minus BAM on a random split, where every speaker of the test is in training, too: "
        "how many points of WA?",
        "points",
    ),
    "gain_unseen": Question(
        "BAGM minus BAM for speakers that were not in training: how many points of WA?", "points"
    ),
    "placebo": Question(
        "BAM with a placebo minus BAM, for speakers that were not in training: the placebo makes all the steps "
        "of training with a GAN, but there is no generator. How many points of WA?",
        "points",
    ),
    "happy": Question("Does giving happy more weight in the loss raise the recall of happy?", ""),
    "split": Question(
        "By how many points of WA does a random split flatter BAM: its WA for speakers that were in training "
        "minus its WA for speakers that were not?",
        "points",
    ),
}

# The same for form and opened ones, so that a strict content policy needs one hash. It looks for boxes that it has
# not yet made alive, because a notebook runs it once an output. Answers only ever enter the page as text.
SCRIPT = """
(() => {
  const key = 'sergan-predictions';
  const kept = () => {
    try {
      const found = JSON.parse(localStorage.getItem(key));
      return found && typeof found === 'object' && !Array.isArray(found) ? found : null;
    } catch { return null; }
  };
  const keep = answers => {
    try {
      if (answers) localStorage.setItem(key, JSON.stringify(answers)); else localStorage.removeItem(key);
      return answers ? JSON.stringify(kept()) === JSON.stringify(answers) : kept() === null;
    } catch { return false; }
  };
  for (const box of document.querySelectorAll('.sergan-seal:not([data-alive])')) {
    box.dataset.alive = '';
    box.addEventListener('keydown', event => event.stopPropagation());
    const fields = [...box.querySelectorAll('[data-question]')], said = box.querySelector('[role="status"]');
    const [close, open] = box.querySelectorAll('button');
    const show = (text, sealed) => {
      said.textContent = text;
      for (const field of fields) field.disabled = sealed;
      close.disabled = sealed; open.hidden = !sealed; open.disabled = !sealed;
    };
    const fill = answers => { for (const field of fields) field.value = answers[field.dataset.question] ?? ''; };
    const count = answers => `${Object.keys(answers).length} of ${fields.length} predictions`;
    const before = kept();
    if (before && Object.keys(before).length) {
      fill(before);
      show(`Sealed: ${count(before)} are kept in this browser, for chapter 9.`, true);
    } else show('Not sealed yet.', false);
    close.addEventListener('click', () => {
      const wrong = fields.find(field => !field.checkValidity());
      if (wrong) { show('This is no number: the field that is selected now.', false); wrong.focus(); return; }
      const answers = {};
      for (const field of fields) if (field.value !== '') answers[field.dataset.question] = field.value;
      if (!Object.keys(answers).length) { show('There is nothing to seal yet: no field is filled in.', false); return; }
      if (keep(answers)) {
        show(`Sealed: ${count(answers)} are kept in this browser, for chapter 9. Nothing was sent anywhere.`, true);
        open.focus();
      } else show('This browser keeps nothing for this page. Copy this line to paper: ' +
                  Object.entries(answers).map(pair => pair.join(' = ')).join(', '), false);
    });
    open.addEventListener('click', () => {
      if (!keep(null)) { show('This browser does not let the page forget them.', true); return; }
      show('The seal is broken. The fields can be changed again; nothing is kept until you seal them.', false);
      fields[0].focus();
    });
  }
  for (const box of document.querySelectorAll('.sergan-opened:not([data-alive])')) {
    box.dataset.alive = '';
    const answers = kept();
    if (!answers) continue;
    for (const place of box.querySelectorAll('[data-question]')) {
      const answer = answers[place.dataset.question];
      const unit = place.dataset.unit && ' ' + place.dataset.unit;
      if (answer !== undefined) place.textContent = String(answer).slice(0, 40) + unit;
      else if (place.dataset.none) place.textContent = place.dataset.none;
    }
    const note = box.querySelector('[data-note]');
    if (note) note.textContent = 'Your predictions are those that you sealed in this browser.';
  }
})();
"""

STYLE = """
.sergan-seal, .sergan-opened { max-width: 46rem; margin: .6rem auto; }
.sergan-seal .question { margin: .8rem 0; }
.sergan-seal label { display: block; margin-bottom: .2rem; }
.sergan-seal input, .sergan-seal select { width: 8rem; min-height: 2rem; font: inherit; }
.sergan-seal button { min-height: 2.2rem; margin: .4rem .6rem .2rem 0; padding: 0 1rem; font: inherit; }
.sergan-seal :focus-visible { outline: 3px solid #0b57a4; outline-offset: 2px; }
.sergan-opened dt { margin-top: .8rem; font-weight: 600; }
.sergan-opened dd { margin: .1rem 0 .1rem 1.2rem; }
"""

_NONE = "no prediction"


class _Shown:
    """What shows itself as HTML, and as plain text where there is none."""

    def __init__(self, text: str, page: str):
        self.text, self.page = text, page

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": self.text, "text/html": self.page}


def seal(predictions: Mapping[str, object], word: str) -> str:
    """The first 16 digits of the SHA-256 digest of the predictions and a secret word.

    >>> seal({"happy": "yes"}, "plum") == seal({"happy": "yes"}, "plum")
    True
    >>> seal({"happy": "yes"}, "plum") == seal({"happy": "no"}, "plum")
    False
    """
    text = json.dumps([word, dict(predictions)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def form() -> _Shown:
    """The questions as a form, which keeps the answers in the reader's browser. The last value of a cell."""
    rows = []
    for name, question in QUESTIONS.items():
        at, label = f"seal-{name}", html.escape(question.text)
        if question.unit:
            field = (f'<input type="number" step="any" id="{at}" data-question="{name}" autocomplete="off" disabled> '
                     f"{question.unit}")  # fmt: skip
        else:
            chosen = "".join(f'<option value="{answer}">{answer}</option>' for answer in ("", "yes", "no"))
            field = f'<select id="{at}" data-question="{name}" disabled>{chosen}</select>'
        rows.append(f'<div class="question"><label for="{at}">{label}</label>{field}</div>')
    # The attribute keeps a notebook's one-letter commands away from the fields.
    page = (
        '<div class="sergan-seal" role="group" aria-label="Your predictions" data-lm-suppress-shortcuts="true">'
        f"<style>{STYLE}</style>{''.join(rows)}"
        '<button type="button" disabled>Seal</button>'
        '<button type="button" disabled hidden>Break the seal</button>'
        '<p role="status">This page cannot keep your answers (its script did not run): write them on paper.</p>'
        f"</div><script>{SCRIPT}</script>"
    )
    asked = [f"{name}: {question.text}" for name, question in QUESTIONS.items()]
    return _Shown("\n".join(["Predict, before you read on:", *asked]), page)


def opened(truth: Mapping[str, str], answers: Mapping[str, object] | None = None) -> _Shown:
    """Each question with the reader's sealed prediction and what was found. The last value of a cell.

    Args:
        truth: question id -> a sentence that says what was found; questions that are not in it are not shown.
        answers: the reader's dict of chapter 0. Without it, the page asks the reader's browser.

    Raises ValueError for an id that is not in `QUESTIONS`.
    """
    for name in [*truth, *(answers or {})]:
        if name not in QUESTIONS:
            raise ValueError(f'There is no question "{name}": the ids are {", ".join(QUESTIONS)}.')
    answers = {name: answer for name, answer in (answers or {}).items() if answer is not None}
    lines, rows = [], []
    for name, found in truth.items():
        question = QUESTIONS[name]
        given = f"{answers[name]} {question.unit}".strip() if name in answers else _NONE
        lines += [question.text, f"  you: {given}", f"  found: {found}"]
        mine = html.escape(given)
        if not answers:  # then the browser may know
            place = f'data-question="{name}" data-unit="{question.unit}" data-none="{_NONE}"'
            mine = f"<span {place}>{_NONE}</span>"
        rows.append(
            f"<dt>{html.escape(question.text)}</dt><dd>You: {mine}</dd><dd>Found: {html.escape(found)}</dd>"
        )
    note = (
        ""
        if answers
        else "<p data-note>No predictions are kept in this browser: chapter 0 asks for them.</p>"
    )
    page = (
        f'<div class="sergan-opened" role="group" aria-label="Predictions opened"><style>{STYLE}</style>{note}'
        f"<dl>{''.join(rows)}</dl></div><script>{SCRIPT}</script>"
    )
    return _Shown("\n".join(lines), page)
