"""A course's folder: its seed, and what nbgrader and `sergan` keep in it."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from sergan import SerganError
from sergan.coursework.marking import Mark
from sergan.coursework.questions import Assignment
from sergan.files import replacing

try:
    from nbformat.v4 import new_output
    from nbgrader import preprocessors
    from nbgrader.api import InvalidEntry, MissingEntry  # noqa: F401
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.plugins import LateSubmissionPlugin
    from nbgrader.preprocessors import NbGraderPreprocessor
    from nbgrader.utils import is_grade, is_solution
    from sqlalchemy.exc import DatabaseError
    from traitlets import Unicode
    from traitlets.config import Config
except ImportError as error:
    raise SerganError("coursework needs nbgrader: pip install 'sergan[coursework]'") from error


def name_of(assignment: Assignment) -> str:
    """What nbgrader and the students' files call it."""
    return f"assignment{assignment.number}"


def seed_of(course: Path) -> str:
    """The seed of a course's folder. Raises SerganError where there is none."""
    try:
        seed = (course / "seed").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise SerganError(
            f"{course} is no course's folder; make one with: sergan-coursework release --to {course}"
        ) from None
    except (OSError, ValueError) as error:
        raise SerganError(f"{course / 'seed'} cannot be read ({error}); put a copy of it back") from None
    if not seed or not seed.isprintable():
        raise SerganError(f"{course / 'seed'} is damaged; put a copy of it back")
    return seed


def released(course: Path) -> list[int]:
    """The numbers of the assignments that were released."""
    found = (course / "release").glob("assignment*/assignment*.ipynb")
    return sorted(int(path.stem.removeprefix("assignment")) for path in found)


def config(course: Path) -> Config:
    """nbgrader's settings in a course's folder: marks from `WriteMarks`, penalties from `PerDay`."""
    found, root = Config(), str(course.resolve())
    found.CourseDirectory.root = root
    found.Autograde.sanitize_preprocessors = [preprocessors.OverwriteKernelspec, preprocessors.OverwriteCells,
                                              preprocessors.CheckCellMetadata]  # fmt: skip
    found.Autograde.autograde_preprocessors = [WriteMarks, preprocessors.SaveAutoGrades,
                                               preprocessors.AssignLatePenalties]  # fmt: skip
    found.WriteMarks.root = found.PerDay.root = root
    found.AssignLatePenalties.plugin_class = PerDay
    return found


def api(course: Path) -> NbGraderAPI:
    if not shutil.which("alembic"):  # nbgrader starts it when it makes a gradebook
        os.environ["PATH"] = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
    warnings.filterwarnings("ignore", "Object of type <Submitted")  # of nbgrader's own making, and harmless
    settings = config(course)
    made = NbGraderAPI(CourseDirectory(config=settings), config=settings)
    made.log.propagate = False  # what it says comes back with each result
    logging.getLogger("tornado.application").addFilter(not_twice)
    return made


def not_twice(record) -> bool:
    """nbgrader logs an error of the database with its whole traceback, and raises it too."""
    return "Rolling back session" not in record.getMessage()


@contextmanager
def gradebook(course: Path) -> Iterator:
    """nbgrader's gradebook, open. SerganError where SQLite cannot use its file."""
    path = course / "gradebook.db"
    try:
        with api(course).gradebook as found:
            yield found
    except (DatabaseError, InvalidEntry) as error:
        what = getattr(error, "orig", None) or str(error).partition("\n")[0]
        raise SerganError(
            f"{path} cannot be used ({what}): make room, mend its permissions or wait for the other program that has "
            "it open; if it is damaged, put a copy of it back, or delete it and grade again, which loses the points "
            "given by hand"
        ) from error


def succeeded(result: dict, what: str) -> None:
    """Raise SerganError with the end of nbgrader's log if it failed."""
    if not result["success"]:
        said = (result.get("log") or result.get("error") or "").strip().splitlines()
        errors = [line for line in said if "Error" in line] or said or ["no reason given"]
        raise SerganError(f"{what}: {errors[-1].strip()}")


class WriteMarks(NbGraderPreprocessor):
    """In place of executing a notebook: write what `marking` found under each of its graded cells."""

    root = Unicode("").tag(config=True)

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        path = marks_file(Path(self.root), about["assignment"], about["student"])
        marks = {one.question: one for one in Stored.read(path).marks}
        for cell in nb.cells:
            if is_grade(cell) and not is_solution(cell) and cell.cell_type == "code":
                found = marks[cell.metadata.nbgrader.grade_id]
                points = {"text/plain": str(float(found.points))}
                cell.outputs = [new_output("stream", name="stdout", text=found.sentence + "\n"),
                                new_output("execute_result", data=points, execution_count=None)]  # fmt: skip
        return nb, resources


class PerDay(LateSubmissionPlugin):
    """Takes a percentage of the points for each day, begun, after the date on which they were due."""

    root = Unicode("").tag(config=True)

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return penalty(Path(self.root), self.parent.assignment_id, score, total_seconds_late)


def penalty(course: Path, name: str, score: float, seconds: float) -> float | None:
    """What lateness costs of a score, by the rule that `grade` was given; None where it came in time."""
    if not seconds:
        return None
    percent = rules(course, name).get("late", 0)
    return score * min(100, percent * math.ceil(seconds / 86400)) / 100


def rules(course: Path, name: str) -> dict:
    """An assignment's `due` (UTC) and `late` (percent for a day), as the last `grade` was told."""
    return all_rules(course).get(name, {})


def all_rules(course: Path) -> dict:
    """Those of all assignments."""
    path = course / "late.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(one, dict) for one in found.values()):
            raise ValueError("no rules")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise SerganError(
            f"{path} is damaged ({error}); delete it, and give --due and --late again if there were any"
        ) from error
    return found


@dataclass(frozen=True)
class Stored:
    """A submission's marks on disk.

    Attributes:
        digest: of what was marked.
        recorded: of what nbgrader was told, or empty.
    """

    digest: str
    marks: list[Mark]
    recorded: str = ""

    @classmethod
    def read(cls, path: Path) -> Stored:
        """From a file; one that is not there or damaged has no marks."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.pop("sha256") != checksum(found):
                return cls("", [])
            return cls(found["digest"], [Mark(**one) for one in found["marks"]], found["recorded"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls("", [])

    def write(self, path: Path) -> None:
        found = asdict(self)
        with replacing(path) as out:
            out.write(json.dumps({**found, "sha256": checksum(found)}, indent=1).encode())


def checksum(found: dict) -> str:
    """Of marks on disk: damage must not change a point in silence."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def marks_file(course: Path, name: str, student: str) -> Path:
    return course / "marks" / name / f"{student}.json"


def table(path: Path, frame: pd.DataFrame) -> Path:
    """Write a CSV file whose texts no spreadsheet takes for formulas."""
    with replacing(path) as out:
        out.write(frame.map(harmless).to_csv(index=False).encode())
    return path


def harmless(cell):
    """
    >>> harmless("=HYPERLINK(1)"), harmless("Anna"), harmless(-1.5), harmless("-")
    ("'=HYPERLINK(1)", 'Anna', -1.5, '-')
    """
    return f"'{cell}" if isinstance(cell, str) and len(cell) > 1 and cell[0] in "=+-@\t\r" else cell
