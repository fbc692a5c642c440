"""What comes out of a course: a page for each student, marks for Moodle and Canvas, what each question did.

Columns as these import them. Moodle's grade import maps columns by hand, students by "Email address" or "ID number"
(docs.moodle.org, Grade import; grade/import/csv/classes/load_data.php), and takes "-" for no mark. Canvas wants
Student, ID, SIS User ID, SIS Login ID, Section in this order, then a row of points possible; it finds a student by
the first of these that it knows, at last by name (lib/gradebook_importer.rb).
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from sergan import SerganError
from sergan.coursework import assignments
from sergan.coursework.course import api, gradebook, name_of, penalty, released, succeeded, table
from sergan.coursework.grading import class_of

try:
    import bleach
    from jinja2 import pass_context
    from nbconvert.exporters import HTMLExporter
except ImportError as error:
    raise SerganError("coursework needs nbgrader: pip install 'sergan[coursework]'") from error

POLICY = ('<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; '
          'img-src data:; form-action \'none\'; base-uri \'none\'">')  # fmt: skip
"""For a page with others' text in it: no scripts, nothing from the web."""
STYLE = """<style>
a, div.nbgrader_cell .panel-heading a { text-decoration: underline; }
a { color: #1d4f80; }
div.nbgrader_cell .panel-heading a { color: #fff; }
#toc li { padding: .3em 0; }
li.late-penalty { color: #a3271e; }
pre { background-color: #fff; white-space: pre-wrap; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid #a3271e; outline-offset: 2px; }
</style>"""
"""What nbgrader's page lacks in contrast, and its links in a line and in size."""
TAGS = {*bleach.ALLOWED_TAGS, "p", "br", "hr", "pre", "div", "span", "img", "table", "thead", "tbody", "tr", "th", "td",
        "h1", "h2", "h3", "h4", "h5", "h6", "sub", "sup", "del", "details", "summary"}  # fmt: skip
ATTRIBUTES = {**bleach.ALLOWED_ATTRIBUTES, "img": ["src", "alt"], "div": ["class"], "span": ["class"], "pre": ["class"],
              "code": ["class"], "details": ["class"], "*": ["id"]}  # fmt: skip


class Page(HTMLExporter):
    """nbgrader's feedback without anything that could act in a browser."""

    @pass_context
    def markdown2html(self, context, source):
        found = super().markdown2html(context, source)
        return bleach.clean(found, TAGS, ATTRIBUTES, protocols={"http", "https", "mailto", "data"})

    def from_notebook_node(self, nb, resources=None, **more):
        text, resources = super().from_notebook_node(nb, resources, **more)
        text = re.sub(
            r"<script\b.*?</script>", "", text, flags=re.DOTALL
        )  # the template's own; others' are escaped
        text = text.replace("<html>", '<html lang="en">', 1).replace("<head>", f"<head>\n{POLICY}", 1)
        text = text.replace("</head>", f"{STYLE}\n</head>", 1)
        marks = '<div class="panel-heading"'
        return text.replace(marks, f'{marks} role="region" aria-label="Marks"', 1), resources


def report(course: Path, number: int | None = None, *, pages: bool = True) -> dict[str, pd.DataFrame]:
    """Write feedback and tables of one assignment or all; returns the tables of questions by assignment."""
    course = course.resolve()
    numbers = [number] if number else released(course)
    names = [name_of(assignments.load(one)) for one in numbers]
    found = {name: tables(course, name, pages) for name in names if (course / "marks" / name).is_dir()}
    if not found:
        raise SerganError(f"nothing is graded in {course} yet: sergan-coursework grade SUBMISSIONS")
    return found


def tables(course: Path, name: str, pages: bool) -> pd.DataFrame:
    students = class_of(course, None)
    scores, of, totals = collected(course, name)
    if pages:
        feedback(course, name, list(totals.index))
    known = pd.DataFrame({"id": [s.id for s in students], "last_name": [s.last_name for s in students],
                          "first_name": [s.first_name for s in students],
                          "email": [s.email for s in students]}).set_index("id")  # fmt: skip
    folder = course / "reports" / name
    marks = known.join(scores).join(totals)
    marks["state"] = marks["state"].fillna("nothing handed in")
    table(folder / "marks.csv", marks.reset_index())
    title, most = f"sergan {name}", of.sum()
    mark = marks["total"].map(lambda points: f"{points:.2f}", na_action="ignore")
    moodle = pd.DataFrame({"First name": marks["first_name"], "Last name": marks["last_name"], "ID number": marks.index,
                           "Email address": marks["email"], title: mark.fillna("-")})  # fmt: skip
    table(folder / "moodle.csv", moodle)
    canvas = pd.DataFrame({
        "Student": [f"{s.last_name}, {s.first_name}".rstrip(", ") for s in students],
        "ID": [s.platform for s in students],
        "SIS User ID": [s.id for s in students],
        "SIS Login ID": [s.login or s.email for s in students],
        "Section": [s.section for s in students],
        title: list(mark.fillna("")),
    })  # fmt: skip
    points = pd.DataFrame([["    Points Possible", "", "", "", "", f"{most:g}"]], columns=canvas.columns)
    table(folder / "canvas.csv", pd.concat([points, canvas]))
    questions = items(scores, of)
    questions.attrs["by_hand"] = int(marks["state"].str.endswith("by hand").sum())
    table(folder / "questions.csv", questions.reset_index())
    return questions


def collected(course: Path, name: str) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """From the gradebook: points by student and question, points possible, and each student's total and state."""
    scores, of, totals = {}, {}, {}
    with gradebook(course) as found:
        for submission in found.assignment_submissions(name):
            book = submission.notebooks[0]
            late = penalty(course, name, book.score, submission.total_seconds_late)
            if book.late_submission_penalty != late:  # points by hand came after it was computed
                book.late_submission_penalty = late
                found.db.commit()
            of |= {grade.name: grade.max_score for grade in book.grades}
            scores[submission.student_id] = {
                grade.name: None if grade.needs_manual_grade and grade.manual_score is None else grade.score
                for grade in book.grades
            }
            hand = sum(bool(grade.needs_manual_grade) for grade in book.grades)
            totals[submission.student_id] = {
                "late_penalty": late or 0.0,
                "total": max(0.0, book.score - (late or 0)),
                "state": f"{hand} to mark by hand" if hand else "graded",
            }
        order = [
            cell.name for cell in found.find_assignment(name).notebooks[0].source_cells if cell.name in of
        ]
    columns = ["late_penalty", "total", "state"]
    frame = pd.DataFrame.from_dict(scores, orient="index", columns=order or None, dtype=float)
    return (
        frame,
        pd.Series(of, dtype=float)[order],
        pd.DataFrame.from_dict(totals, orient="index", columns=columns),
    )


def items(scores: pd.DataFrame, of: pd.Series) -> pd.DataFrame:
    """Each question's points, how hard it is and how it goes with the rest.

    `share` is the mean share of its points that was earned (1: everyone had all); `discrimination` the correlation
    of its points with the total of all the others (empty where one of them does not vary).
    """
    rest = scores.rsub(scores.sum(axis=1), axis=0)
    enough = len(scores) > 2
    return pd.DataFrame({
        "points": of,
        "n": scores.count(),
        "share": (scores.mean() / of).round(3),
        "discrimination": [varied(scores[q], rest[q]) if enough else float("nan") for q in scores],
    }).rename_axis("question")  # fmt: skip


def varied(one: pd.Series, other: pd.Series) -> float:
    return round(one.corr(other), 3) if one.nunique() > 1 and other.nunique() > 1 else float("nan")


def feedback(course: Path, name: str, students: list[str]) -> None:
    """A page for each student, in `feedback/STUDENT/assignmentN`; those that failed are named at the end."""
    nbgrader, failed = api(course), []
    nbgrader.config.GenerateFeedback.exporter_class = Page
    for student in tqdm(students, desc="feedback", unit="page", disable=None):
        try:
            succeeded(nbgrader.generate_feedback(name, student, force=True), student)
        except SerganError as error:
            failed.append(str(error))
    if failed:
        raise SerganError(f"no page for {len(failed)} students: {'; '.join(failed[:5])}")
