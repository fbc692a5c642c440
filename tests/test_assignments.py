"""Each assignment proves its own marks: solutions full, stubs nothing, known mistakes exactly what they should."""

import ast
import re

import pytest

pytest.importorskip("nbgrader", reason="coursework needs nbgrader: pip install 'sergan[coursework]'")

from nbgrader.preprocessors import ClearSolutions

from sergan.coursework import assignments, notebooks
from sergan.coursework.marking import Here, ask
from sergan.coursework.questions import EXAMPLE

SEEDS = (EXAMPLE, "a course", "another course")
PLACES = [(name, seed) for name in assignments.NAMES for seed in SEEDS]


def of(name, seed):
    assignment = assignments.load(name)
    variant = assignment.variant(seed)
    return assignment, variant, notebooks.of_variant(notebooks.source(assignment), variant)


def lost(cells, assignment, variant) -> dict[str, str]:
    session = Here(cells)
    said = {q.name: ask(session, q, variant) for q in assignment.asked(variant)}
    return {name: sentence for name, sentence in said.items() if sentence is not None}


def solution_cells(notebook):
    return {notebooks.grade_id(cell) for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code"}  # fmt: skip


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_the_solution_has_full_marks(name, seed):
    assignment, variant, notebook = of(name, seed)
    assert lost(notebooks.cells(notebook), assignment, variant) == {}


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_the_stub_has_none(name, seed):
    assignment, variant, notebook = of(name, seed)
    stub, _ = ClearSolutions().preprocess(notebook, {})
    assert set(lost(notebooks.cells(stub), assignment, variant)) == {
        q.name for q in assignment.asked(variant)
    }


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_every_known_mistake_loses_exactly_what_it_should(name, seed):
    assignment, variant, notebook = of(name, seed)
    cells = dict(notebooks.cells(notebook))
    for mistake in assignment.known_mistakes(variant):
        assert set(mistake.cells) <= set(cells), mistake.name
        found = lost(list((cells | mistake.cells).items()), assignment, variant)
        assert set(found) == set(mistake.loses) & {q.name for q in assignment.asked(variant)}, (
            mistake.name,
            found,
        )


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_each_question_has_five_known_mistakes(name, seed):
    assignment, variant, _ = of(name, seed)
    for question in assignment.asked(variant):
        names = {m.name for m in assignment.known_mistakes(variant) if question.name in m.loses}
        assert len(names) >= 5, question.name


@pytest.mark.parametrize("name", assignments.NAMES)
def test_notebook_and_questions_agree(name):
    assignment = assignments.load(name)
    notebook = notebooks.source(assignment)
    about = {notebooks.grade_id(cell): (cell, cell.metadata["nbgrader"]) for cell in notebook.cells
             if "nbgrader" in cell.metadata}  # fmt: skip
    graded = {n: a["points"] for n, (_, a) in about.items() if a.get("grade") and not a.get("solution")}
    assert graded == {q.name: q.points for q in assignment.questions}
    assert {n: notebooks.kind_of(c) for n, (c, _) in about.items() if n in graded} == {
        q.name: q.kind for q in assignment.questions
    }
    first = next(cell for cell in notebook.cells if "variant" in notebooks.tags(cell))
    assert first.source == assignment.variant(EXAMPLE).cell
    names = {t.id for node in ast.parse(first.source).body for t in node.targets}
    assert names == set(assignment.constants)
    assert all(len(options) > 1 for options in (*assignment.constants.values(), *assignment.kinds.values()))
    assert assignment.kinds, "one question at least changes in kind"


@pytest.mark.parametrize("name", assignments.NAMES)
def test_every_option_in_kind_is_worth_the_same_and_has_its_cells(name):
    assignment = assignments.load(name)
    notebook = notebooks.source(assignment)
    for kind, options in assignment.kinds.items():
        worth = {o: sum(q.points for q in assignment.questions if q.kind == (kind, o)) for o in options}
        assert len(set(worth.values())) == 1 and min(worth.values()) > 0
        assert {notebooks.kind_of(cell) for cell in notebook.cells if notebooks.kind_of(cell) and
                notebooks.kind_of(cell)[0] == kind} == {(kind, o) for o in options}  # fmt: skip


@pytest.mark.parametrize("name", assignments.NAMES)
def test_nothing_that_is_handed_out_holds_a_solution_or_a_rubric(name):
    notebook = notebooks.source(assignments.load(name))
    for cell in notebook.cells:
        if "rubric" in notebooks.tags(cell):
            assert cell.cell_type == "markdown" and "nbgrader" not in cell.metadata
        else:
            text = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "", cell.source, flags=re.DOTALL)
            assert "SOLUTION" not in text


@pytest.mark.parametrize("name", assignments.NAMES)
def test_hidden_cases_differ_between_courses(name):
    assignment = assignments.load(name)
    one, other = (assignment.variant(seed) for seed in SEEDS[1:])
    for question in assignment.questions:
        drawn = [repr(list(question.cases(v, v.random(question.name)))) for v in (one, other)]
        assert drawn[0] != drawn[1], question.name
