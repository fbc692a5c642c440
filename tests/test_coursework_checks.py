"""Visible checks of assignments: right for every variant's solution, a sentence for everything else."""

import json

import pytest

pytest.importorskip("nbgrader", reason="coursework needs nbgrader: pip install 'sergan[coursework]'")

from nbgrader.preprocessors import ClearSolutions

from sergan.coursework import assignments, notebooks
from sergan.coursework.marking import Here, pasted
from sergan.coursework.questions import EXAMPLE
from sergan.results import published

PLACES = [(name, seed) for name in ("descriptors", "attention", "labels")
          for seed in (EXAMPLE, "a course", "another course")]  # fmt: skip


def of(name, seed):
    """Assignment, variant, its notebook, and the visible checks by question."""
    assignment = assignments.load(name)
    variant = assignment.variant(seed)
    notebook = notebooks.of_variant(notebooks.source(assignment), variant)
    asked = {question.name for question in assignment.asked(variant)}
    visible = {notebooks.grade_id(c): c.source for c in notebook.cells if notebooks.grade_id(c) in asked}
    return assignment, variant, notebook, visible


def definitions(notebook) -> dict[str, str]:
    """The cells that define, import or set constants: what the visible checks need."""

    def needed(source):
        return not any(word in source for word in ("%pip", "plt.show", "try:"))

    return {name: source for name, source in notebooks.cells(notebook) if needed(source)}


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_the_solution_passes_every_visible_check(name, seed, capsys):
    *_, notebook, visible = of(name, seed)
    session = Here(list(definitions(notebook).items()))
    assert session.errors == {} and visible
    for source in visible.values():
        exec(source, session.names)
    assert capsys.readouterr().out.count("Right: ") == len(visible)


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_the_stub_passes_none(name, seed):
    *_, notebook, visible = of(name, seed)
    stub, _ = ClearSolutions().preprocess(notebook, {})
    session = Here(list(definitions(stub).items()))
    for source in visible.values():
        with pytest.raises(AssertionError, match="not written yet"):
            exec(source, session.names)


@pytest.mark.parametrize(("name", "seed"), PLACES)
def test_known_mistakes_get_a_sentence_and_most_are_seen_at_once(name, seed):
    assignment, variant, notebook, visible = of(name, seed)
    cells, known, seen = definitions(notebook), assignment.known_mistakes(variant), []
    for mistake in known:
        session = Here(list((cells | mistake.cells).items()))
        for question in set(mistake.loses) & set(visible):
            try:
                exec(visible[question], session.names)
            except AssertionError as error:
                assert str(error).endswith((".", "?")), (mistake.name, str(error))
                seen.append(mistake)
    assert len(seen) > 0.8 * len(known)


@pytest.mark.parametrize(("name", "seed"), [place for place in PLACES if place[1] != EXAMPLE])
def test_last_years_solutions_do_not_pass_unread(name, seed):
    """Public solutions, pasted below a course's own constants; and the public notebook handed in as it is."""
    assignment = assignments.load(name)
    variant, example = assignment.variant(seed), assignment.variant(EXAMPLE)
    earned = [sum(m.points for m in pasted(assignment, seed, constants=c)) for c in (True, False)]
    total = sum(question.points for question in assignment.asked(variant))
    others = [q for q in assignment.asked(variant) if q.kind and example.kinds[q.kind[0]] != q.kind[1]]
    assert earned[0] == total - sum(question.points for question in others) < total
    assert earned[1] <= earned[0]


@pytest.mark.parametrize("name", assignments.NAMES)
def test_the_guides_table_of_what_copies_earn_is_that_of_the_assignments(name):
    measured = json.loads((published() / "measured" / "pasted.json").read_text(encoding="utf-8"))
    seed, earned = measured["seeds"][0], measured["assignments"][name]
    for way, constants in (("understood", True), ("unread", False)):
        marks = pasted(assignments.load(name), seed, constants=constants)
        assert sum(mark.points for mark in marks) == earned[way][0]
        assert sum(mark.of for mark in marks) == earned["points"]
