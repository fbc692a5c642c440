"""Source notebooks of assignments: a variant's version, and the cells of a submission.

A source notebook is one for nbgrader, executed as it stands under the seed "example". Tags of its cells:

    variant              holds the constants, `Variant.cell`
    kind:NAME=OPTION     is only in variants whose question in kind NAME has this option
    show                 only shows something, so a mark does not need it: not executed in marking
    rubric               tells the marker how to give points by hand; never handed out
"""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat

from sergan import SerganError
from sergan.coursework.questions import Assignment, Variant, belongs


def folder() -> Path:
    """Where the source notebooks are: `_assignments` in an installed package, `book/assignments` in its source tree."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_assignments"
    return inside if inside.is_dir() else package.parent / "book" / "assignments"


def source(assignment: Assignment) -> nbformat.NotebookNode:
    path = folder() / f"{assignment.number}_{assignment.name}.ipynb"
    if not path.is_file():
        raise SerganError(f"there is no source notebook {path}")
    return nbformat.read(path, as_version=4)


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def kind_of(cell) -> tuple[str, str] | None:
    """`(name, option)` of a cell that is not in all variants."""
    found = [tag.removeprefix("kind:").split("=") for tag in tags(cell) if tag.startswith("kind:")]
    return tuple(found[0]) if found else None


def grade_id(cell) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def of_variant(notebook, variant: Variant):
    """A copy with the variant's constants, and without the cells of other options; still with solutions."""
    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if belongs(kind_of(cell), variant)]
    for cell in made.cells:
        if "variant" in tags(cell):
            cell.source = variant.cell
            cell.outputs = []
    return made


def cells(notebook) -> list[tuple[str, str]]:
    """What is executed of a submission: name and source of its code cells, without the graded test cells and `show`.

    (Those hold visible checks and figures for the student; a mark does not depend on them.)
    """
    found = []
    for number, cell in enumerate(notebook.cells):
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or "show" in tags(cell):
            continue
        if not (about.get("grade") and not about.get("solution")):
            found.append((grade_id(cell) or f"cell {number + 1}", cell.source))
    return found
