"""A submission made anew: the released notebook, with the student's sources where they belong.

So nothing of what nbgrader reads (names, points, checks, what is locked) is the student's, and a cell that was
deleted, doubled, or stripped of its metadata changes nothing but its own answer. Everything is kept that a marker
should see: the student's own cells in their place, and outputs as plain text and pictures. Of Markdown all stays
that can do nothing in the browser of who reads it.
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from sergan import SerganError
from sergan.coursework.notebooks import grade_id
from sergan.coursework.submissions import LARGEST

CELLS = 1000
SOURCE = 200_000
"""Characters of one cell; what is longer is cut."""
TEXT = 20_000
"""Characters of one cell's text output."""
PICTURES = 8 * 2**20
"""Bytes of all pictures together."""
STARTS = {"image/png": b"\x89PNG\r\n", "image/jpeg": b"\xff\xd8\xff"}
MISSING = "(This cell was missing from the submission.)"


def opened(content: bytes) -> list[dict]:
    """The cells of a notebook: kind, source, name, outputs, attachments. Raises SerganError if it is none."""
    if len(content) > LARGEST:
        raise SerganError(f"it is larger than {LARGEST // 2**20} MB")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SerganError("it is not JSON, so no notebook") from error
    cells = found.get("cells") if isinstance(found, dict) else None
    if not isinstance(cells, list):
        raise SerganError("it is not a notebook of format 4; save it again in Jupyter or Colab")
    if len(cells) > CELLS:
        raise SerganError(f"it has more than {CELLS} cells")
    return [cell for cell in map(tidy, cells) if cell]


def tidy(cell) -> dict | None:
    """What is used of a cell, whatever it is; None of what is no cell."""
    if not isinstance(cell, dict):
        return None
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = about.get("grade_id") if isinstance(about, dict) else None
    return {
        "kind": "code" if cell.get("cell_type") == "code" else "markdown",
        "source": text(cell.get("source"))[:SOURCE],
        "name": name if isinstance(name, str) else None,
        "outputs": cell.get("outputs") if isinstance(cell.get("outputs"), list) else [],
        "attachments": cell.get("attachments") if isinstance(cell.get("attachments"), dict) else {},
    }


def text(value) -> str:
    """A text of a notebook, which may be stored in lines; without what no file can store."""
    found = "".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else value
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def rebuilt(released, content: bytes):
    """The notebook to grade, and how many of the released answers' cells the submission has."""
    made, cells = copy.deepcopy(released), opened(content)
    places = {grade_id(cell): place for place, cell in enumerate(made.cells) if grade_id(cell)}
    texts = {cell.source.strip(): place for place, cell in enumerate(made.cells) if not grade_id(cell)}
    answers = {place: cell for place, cell in enumerate(made.cells) if is_answer(cell)}
    given: dict[int, list[dict]] = {place: [] for place in answers}
    own: dict[int, list[dict]] = {}
    here, room = -1, [PICTURES]
    for cell in cells:
        place = places.get(cell["name"], texts.get(cell["source"].strip()))
        if place is not None:
            here = place
        if place in answers and cell["kind"] == answers[place].cell_type:
            given[place].append(cell)
        elif (place is None or place in answers) and cell["source"].strip():
            own.setdefault(here, []).append(cell)
    for place, copies in given.items():
        stub = released.cells[place].source.strip()
        chosen = next(
            (c for c in reversed(copies) if c["source"].strip() != stub), copies[-1] if copies else None
        )
        fill(made.cells[place], chosen, room)
        own[place] = [one for one in copies if one is not chosen and one["source"].strip() != stub] + own.get(
            place, []
        )
    found = []
    for place in range(-1, len(made.cells)):
        found += [made.cells[place]] if place >= 0 else []
        for cell in own.get(place, []):
            new = new_code_cell() if cell["kind"] == "code" else new_markdown_cell()
            fill(new, cell, room)
            found.append(new)
    made.cells = found
    return made, sum(map(bool, given.values()))


def is_answer(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def unreadable(released, why: str):
    """In place of a submission that cannot be read: the released notebook, with the reason at its top."""
    made = copy.deepcopy(released)
    made.cells.insert(0, new_markdown_cell(f"**This submission could not be graded: {harmless(why)}.**"))
    return made


def fill(cell, given: dict | None, room: list[int]) -> None:
    """Put a student's source, and what may stay of its outputs, into a cell."""
    if given is None:
        cell.source = ("# " if cell.cell_type == "code" else "") + MISSING
    elif given["source"].strip() == cell.source.strip():
        return
    elif cell.cell_type == "code":
        cell.source = given["source"]
        cell.outputs = shown(given["outputs"], room)
    else:
        cell.source = harmless(given["source"])
        kept = {text(name)[:100]: picture(data, room) for name, data in given["attachments"].items()}
        if kept := {name: data for name, data in kept.items() if data}:
            cell.attachments = kept


def shown(outputs: list, room: list[int]) -> list:
    """A cell's outputs as plain text and pictures of bounded size."""
    found, left = [], TEXT
    for one in outputs:
        if not isinstance(one, dict):
            continue
        data = one.get("data") if isinstance(one.get("data"), dict) else {}
        kept = picture(data, room)
        told = one.get("traceback") if isinstance(one.get("traceback"), list) else []
        words = "\n".join(line for line in told if isinstance(line, str))
        words = (words or text(one.get("text")) or text(data.get("text/plain")))[:left]
        left -= len(words)
        if kept:
            found.append(new_output("display_data", data=kept))
        elif words:
            found.append(
                new_output("stream", name="stdout", text=words.encode("utf-8", "replace").decode() + "\n")
            )
    return found


def picture(data, room: list[int]) -> dict:
    """The one picture in a MIME bundle, if it is one and there is room for it."""
    for kind, start in STARTS.items():
        given = text(data.get(kind)) if isinstance(data, dict) else ""
        try:
            content = base64.b64decode("".join(given.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        if content.startswith(start) and len(content) <= room[0]:
            room[0] -= len(content)
            return {kind: base64.b64encode(content).decode()}
    return {}


def harmless(markdown: str) -> str:
    """Markdown without HTML, without links but to the web, without pictures but the cell's own.

    >>> print(harmless("a < b, <b onclick=x>![](http://t/p.png) [c](javascript:d) [e](https://f.org)"))
    a < b, &lt;b onclick=x>! [](http://t/p.png) [c] (javascript:d) [e](https://f.org)
    """
    found = re.sub(r"&(?=[#\w])", "&amp;", markdown)  # entities could spell what is looked for below
    found = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", found)
    own = r"\[(?:[^\[\]\\]|\\.){,200}\]\(attachment:"  # bounded, and no picture inside another one's words
    found = re.sub(rf"!(?=\[)(?!{own})", "! ", found)
    found = re.sub(r"\](?=\((?!\s*(?:https?://|mailto:|attachment:|#)))", "] ", found)
    return re.sub(r"\](?=:(?!\s*https?://))", "] ", found)


def written(notebook) -> bytes:
    """A notebook as a file, the same bytes for the same content."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"c{number}"
    return nbformat.writes(notebook, version=4).encode()
