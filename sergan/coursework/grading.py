"""Grade submissions: marks from the fence, kept by nbgrader.

Marking runs the students' code and is slow, so it goes side by side and leaves `marks/assignmentN/STUDENT.json`,
which an interrupted `grade` finds again. nbgrader then enters the marks in its gradebook, with penalties for
lateness, beside whatever was marked by hand.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pandas as pd
from tqdm import tqdm

from sergan import SerganError
from sergan.coursework import assignments, fence, notebooks, rebuilding, submissions
from sergan.coursework.course import (
    MissingEntry,
    Stored,
    all_rules,
    api,
    gradebook,
    marks_file,
    name_of,
    released,
    rules,
    seed_of,
    succeeded,
    table,
)
from sergan.coursework.fence import Fence
from sergan.coursework.marking import mark
from sergan.coursework.submissions import Student, Unmatched
from sergan.files import alone, replacing


def digest(*parts) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


# ---------------------------------------------------------------------------------------------------- grading


@dataclass(frozen=True)
class Graded:
    """What one `grade` did.

    Attributes:
        students: all of the class.
        found: ids with a submission in this download.
        marked: how many of them were executed now; the others had their marks.
        left: files that were not graded, or not as they are.
        by_hand: how many submissions wait for points given by hand.
    """

    assignment: str
    students: list[Student]
    found: list[str]
    marked: int
    left: list[Unmatched]
    by_hand: int


def grade(
    course: Path, download: Path, number: int | None = None, *, students: Path | None = None,
    limits: Fence | None = None, jobs: int = 2, due: str | None = None, late: float | None = None,
    times: Path | None = None, force: bool = False,
) -> Graded:  # fmt: skip
    """Grade the submissions of a download. What has its marks keeps them; what failed is reported and goes last.

    Args:
        course: the folder that `release` made.
        download: a folder or zip file.
        number: of the assignment; may be left out where only one is released.
        students: class list; the first time needed, then kept.
        limits: for the students' code; without a fence only if they say so.
        jobs: submissions side by side.
        due: when it was due; without a zone in this machine's.
        late: percent of the points that each day, begun, after that costs.
        times: CSV with id and submitted, for what a download does not tell and for extensions; kept.
        force: mark again what has its marks.
    """
    # nbgrader changes the working directory now and then
    course, download, limits = course.resolve(), download.resolve(), limits or Fence()
    seed_of(course)  # else it is no course, and no file should be made in it
    with alone(course / ".grading", "grade"):
        return _grade(course, download, number, students, limits, jobs, due, late, times, force)


def _grade(course, download, number, students, limits, jobs, due, late, times, force) -> Graded:
    seed = seed_of(course)
    if not limits.off and (reason := fence.missing()):
        raise SerganError(reason)
    if not download.exists():
        raise SerganError(f"there is no {download}")
    assignment = assignments.load(number or only(course))
    name, variant = name_of(assignment), assignment.variant(seed)
    handed_out = course / "release" / name / f"{name}.ipynb"
    if not handed_out.exists():
        raise SerganError(
            f"{name} was not released: sergan-coursework release {assignment.number} --to {course}"
        )
    try:
        given = nbformat.read(handed_out, as_version=4)
    except Exception as error:  # nbformat raises many kinds
        raise SerganError(
            f"{handed_out} is damaged; delete it, and make it again with: sergan-coursework release "
            f"{assignment.number} --to {course}"
        ) from error
    if variant.cell.strip() not in {cell.source.strip() for cell in given.cells}:
        raise SerganError(
            f"{course / 'seed'} and {handed_out} do not belong together, so marks would be wrong; put the right one "
            "back"
        )
    everyone = class_of(course, students)
    submitted_at = times_of(course, name, times, everyone)
    found, left = submissions.match(download, everyone)
    settle(course, name, everyone, due, late)
    whole = {}
    for student in sorted(found):
        notebook, problem = taken(found[student], given)
        if problem:
            left.append(Unmatched(found[student].file.path, problem, student))
        when, note = time_of(found[student], submitted_at, bool(rules(course, name).get("due")))
        if note:
            left.append(Unmatched(found[student].file.path, note, student))
        whole[student] = put(course, name, student, notebook, when), when
    report = course / "reports" / name / "unmatched.csv"
    table(report, pd.DataFrame(left, columns=[field.name for field in fields(Unmatched)]))

    nbgrader, rule = api(course), rules(course, name)
    with gradebook(course) as book:  # somebody may have deleted it
        entered = {one.student_id for one in book.assignment_submissions(name)}
    todo, marked = {}, 0
    fence.CLOSING.clear()
    for student, (path, when) in whole.items():
        wanted = digest(path.read_text(encoding="utf-8"), seed, name)
        recorded = digest(wanted, when, rule)
        stored = Stored.read(marks_file(course, name, student))
        if force or stored.digest != wanted:
            todo[student] = (path, wanted, recorded, None)
        elif stored.recorded != recorded or student not in entered:
            todo[student] = (path, wanted, recorded, stored)

    def work(student):
        path, wanted, _, stored = todo[student]
        if stored is None:
            cells = notebooks.cells(nbformat.read(path, as_version=4))
            stored = Stored(wanted, mark(cells, assignment, variant, limits))
            if fence.CLOSING.is_set():
                raise SerganError("the grader was stopped")
            stored.write(marks_file(course, name, student))
        return stored

    with (
        ThreadPoolExecutor(jobs) as pool,
        tqdm(total=len(whole), desc=name, unit="submission", disable=None) as bar,
    ):
        bar.update(len(whole) - len(todo))
        waiting = {pool.submit(work, student): student for student in todo}
        try:
            for done in as_completed(waiting):
                student = waiting[done]
                try:
                    stored = done.result()
                    succeeded(
                        nbgrader.autograde(name, student, force=True), "nbgrader cannot enter its marks"
                    )
                    replace(stored, recorded=todo[student][2]).write(marks_file(course, name, student))
                    marked += todo[student][3] is None
                except Exception as error:  # of one submission; the others go on
                    what = f"not graded: {type(error).__name__}: {error}; the same command tries again"
                    left.append(Unmatched(found[student].file.path, what, student))
                bar.update()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            fence.end_all()
            raise
    table(report, pd.DataFrame(left, columns=[field.name for field in fields(Unmatched)]))
    with gradebook(course) as book:
        by_hand = sum(one.needs_manual_grade for one in book.assignment_submissions(name))
    return Graded(name, everyone, sorted(whole), marked, left, by_hand)


def only(course: Path) -> int:
    found = released(course)
    if len(found) != 1:
        raise SerganError(
            f"say which assignment, with --assignment N ({', '.join(map(str, found))} are released)"
        )
    return found[0]


def class_of(course: Path, path: Path | None) -> list[Student]:
    """The class list, kept in the course's folder from the first time."""
    kept = course / "students.csv"
    if path is None and not kept.exists():
        raise SerganError("the first time a class list is needed: --students students.csv, with the columns id, "
                          "first_name, last_name, email, or as Moodle or Canvas exports it")  # fmt: skip
    found = submissions.class_list(path or kept)
    with replacing(kept) as out:
        out.write(pd.DataFrame(found).to_csv(index=False).encode())
    return found


def times_of(course: Path, name: str, path: Path | None, students: list[Student]) -> dict[str, datetime]:
    """Times that a file tells, kept in the course's folder until another file is given."""
    kept = course / "times" / f"{name}.csv"
    if path is not None:
        submissions.times(path, students)
        with replacing(kept) as out:
            out.write(path.read_bytes())
    return submissions.times(kept, students) if kept.exists() else {}


def settle(course: Path, name: str, students: list[Student], due: str | None, late: float | None) -> None:
    """Tell nbgrader who is in the class and when it was due; keep the rule for late submissions."""
    if late is not None and not 0 <= late <= 100:
        raise SerganError("--late is the percentage for a day, 0 to 100")
    rule = rules(course, name)
    if due is not None:
        rule["due"] = submissions.moment(due, "--due").isoformat()
    if late is not None:
        rule["late"] = late
    if "late" in rule and "due" not in rule:
        raise SerganError("--late needs --due, the time when the submissions were due")
    everything = all_rules(course) | {name: rule}
    with replacing(course / "late.json") as out:
        out.write(json.dumps(everything, indent=1).encode())
    if not in_gradebook(course, name):
        succeeded(
            api(course).generate_assignment(name, force=True),
            f"{name} cannot be entered in the gradebook again",
        )
    with gradebook(course) as book:
        for one in students:
            book.update_or_create_student(one.id, first_name=one.first_name, last_name=one.last_name,
                                          email=one.email)  # fmt: skip
        if "due" in rule:
            when = datetime.fromisoformat(rule["due"]).replace(tzinfo=None)
            book.update_or_create_assignment(name, duedate=when)


def in_gradebook(course: Path, name: str) -> bool:
    """Whether the gradebook has the questions that `release` entered; somebody may have deleted it."""
    with gradebook(course) as book:
        try:
            return bool(book.find_assignment(name).notebooks)
        except MissingEntry:
            return False


def taken(submission, given) -> tuple[nbformat.NotebookNode, str]:
    """The notebook to grade, and what is wrong with the submission, if something is."""
    file = submission.file
    try:
        if file.size > submissions.LARGEST:
            raise SerganError(f"it is larger than {submissions.LARGEST // 2**20} MB")
        if not file.path.lower().endswith((".ipynb", ".json")):
            raise SerganError("it is not a notebook (.ipynb)")
        notebook, answers = rebuilding.rebuilt(given, file.read())
    except SerganError as error:
        why = str(error)
    except Exception as error:
        why = f"it cannot be read ({type(error).__name__})"
    else:
        return (
            notebook,
            "" if answers else "none of the answers' cells is in it: another assignment, or a new notebook?",
        )
    return rebuilding.unreadable(given, why), f"zero points until you decide: {why}"


def time_of(submission, known: dict, matters: bool) -> tuple[datetime | None, str]:
    """When a submission came, and a note where that had to be left open."""
    if submission.student.id in known:
        return known[submission.student.id], ""
    if submission.late is None:
        return datetime.fromtimestamp(submission.file.time, UTC), ""
    note = "late, says Canvas's name, which has no time: no penalty unless --times tells it"
    return None, note if submission.late and matters else ""


def put(course: Path, name: str, student: str, notebook, when: datetime | None) -> Path:
    """Write a submission to where nbgrader looks for it."""
    path = course / "submitted" / student / name / f"{name}.ipynb"
    with replacing(path) as out:
        out.write(rebuilding.written(notebook))
    stamp = path.with_name("timestamp.txt")
    if when is None:
        stamp.unlink(missing_ok=True)
    else:
        with replacing(stamp) as out:
            out.write(f"{when:%Y-%m-%d %H:%M:%S} UTC\n".encode())
    return path
