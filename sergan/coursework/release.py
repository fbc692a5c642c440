"""A course's folder: its secret seed, and for each assignment what is handed out and what stays with the teacher."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import nbformat

from sergan import SerganError
from sergan.coursework import assignments, notebooks
from sergan.coursework.course import api, name_of, seed_of, succeeded
from sergan.coursework.questions import EXAMPLE, Assignment, Variant
from sergan.files import replacing

ALL = range(1, len(assignments.NAMES) + 1)
ABOUT = """# A course of `sergan`: keep this folder to yourself

| Path | What it is | For whom |
|---|---|---|
| `release/assignmentN/` | the notebook of assignment N, without solutions | **students: hand out this one file** |
| `rubric/assignmentN.md` | how to give points by hand | markers |
| `seed` | what this course's constants and hidden cases are drawn from | **secret** |
| `source/` | the notebooks with solutions | **secret** |
| `students.csv` | the class list: id, first_name, last_name, email | yours |
| `submitted/`, `marks/`, `autograded/`, `gradebook.db` | submissions and marks, as nbgrader keeps them | yours |
| `feedback/STUDENT/assignmentN/` | a page for each student | that student |
| `reports/assignmentN/` | marks for Moodle and Canvas, what each question did, files without an owner | yours |

Next:

    sergan-coursework grade SUBMISSIONS.zip --assignment 2 --students students.csv
    sergan-coursework report

Late submissions: `grade ... --due 2026-03-31T23:59 --late 10` takes 10 % of a student's points for each day begun after
that time. The times are those of the files in the download; Canvas's downloads have none, so for its late ones, and
for extensions, give them with `--times FILE.csv` (columns id, submitted; kept until you give another).

To read written answers and to correct a mark, start `jupyter lab` in this folder (with `nbgrader` installed) and open
Formgrader; what you enter there survives every later `grade`.
"""

CONFIG = """# What nbgrader (Formgrader, say) does in this folder. Its "autograde" enters the marks that
# `sergan-coursework grade` found; it never runs a student's code.
from pathlib import Path

from sergan.coursework.course import config

get_config().merge(config(Path(__file__).parent))
"""


def alike(seed: str, others: Iterable[str], which: Iterable[int]) -> list[int]:
    """The assignments that ask the same questions in kind under one of the other seeds, whose solutions so fit."""
    found = [(number, assignments.load(number)) for number in which]
    return [n for n, a in found if a.variant(seed).kinds in [a.variant(other).kinds for other in others]]


def fresh(others: Iterable[str]) -> str:
    """A new random seed under which every assignment, or as many as can be, differs in kind from the other seeds."""
    drawn = [secrets.token_hex(12) for _ in range(100)]
    return min(drawn, key=lambda seed: len(alike(seed, others, ALL)))


def release(
    course: Path, seed: str | None = None, which: list[int] | None = None, others: Iterable[str] = (EXAMPLE,)
) -> list[Path]:
    """Write the assignments of a seed; returns the files to hand out.

    A folder keeps its first seed. An assignment that has submissions stays as it is.

    Args:
        course: the folder, made if it is not there.
        seed: by default the folder's own, or a new random one.
        which: numbers; by default all.
        others: seeds whose solutions are known, so that a random one should differ from them in kind.
    """
    kept = seed_of(course) if (course / "seed").exists() else None
    if seed is not None and (not seed.strip() or "\n" in seed):
        raise SerganError("a seed is one line of text")
    seed = seed.strip() if seed is not None else kept or fresh(others)
    if kept is not None and seed != kept:
        raise SerganError(f"{course} holds a course with another seed, whose assignments and marks would no longer "
                          "fit; name another folder with --to")  # fmt: skip
    made = [assignments.load(number) for number in which or ALL]
    course.mkdir(parents=True, exist_ok=True)
    course.chmod(0o700)
    if kept is None:
        with replacing(course / "seed") as out:
            os.chmod(out.name, 0o600)
            out.write(f"{seed}\n".encode())
    for name, text in (("README.md", ABOUT), ("nbgrader_config.py", CONFIG)):
        with replacing(course / name) as out:
            out.write(text.encode())
    return [write(course.resolve(), assignment, assignment.variant(seed)) for assignment in made]


def write(course: Path, assignment: Assignment, variant: Variant) -> Path:
    """One assignment's source for nbgrader, its rubric, and through nbgrader the student version."""
    name = name_of(assignment)
    notebook = notebooks.of_variant(notebooks.source(assignment), variant)
    rubric = [cell.source for cell in notebook.cells if "rubric" in notebooks.tags(cell)]
    notebook.cells = [cell for cell in notebook.cells if "rubric" not in notebooks.tags(cell)]
    for cell in notebook.cells:
        if "tags" in cell.metadata:
            cell.metadata.tags = [t for t in cell.metadata.tags if not t.startswith("kind:")]
    with replacing(course / "rubric" / f"{name}.md") as out:
        title = f"# {assignment.title}: points given by hand"
        out.write("\n\n".join([title, *(rubric or ["None: every point is computed."])]).encode() + b"\n")
    handed_out = course / "release" / name / f"{name}.ipynb"
    nbgrader = api(course)
    if handed_out.exists() and any((course / "submitted").glob(f"*/{name}")):
        return handed_out
    with replacing(course / "source" / name / f"{name}.ipynb") as out:
        out.write(nbformat.writes(notebook, version=4).encode())
    succeeded(nbgrader.generate_assignment(name, force=True), f"{name} cannot be released")
    return handed_out
