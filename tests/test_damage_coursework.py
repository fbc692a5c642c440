"""What `make torture` found in grading: damage that changed marks in silence, tracebacks, and two at once."""

import json
import shutil

import pytest
import small_course as small

from sergan import SerganError
from sergan.coursework import grading
from sergan.coursework.__main__ import main

pytest.importorskip("nbgrader", reason="coursework needs nbgrader: pip install 'sergan[coursework]'")
from test_coursework import NAME, VARIANT, course, empty, honest, points, scored, small_assignment, write  # noqa: F401

from sergan.coursework.course import Stored, api, marks_file, seed_of
from sergan.coursework.fence import Fence
from sergan.coursework.release import release
from sergan.files import alone

pytestmark = pytest.mark.skipif(
    "not __import__('sys').platform == 'linux'", reason="marks are found on Linux"
)


@pytest.fixture
def given(course, tmp_path):  # noqa: F811
    """What `grade` takes, for one student; without a fence, which these tests do not need."""
    return write(tmp_path / "in", one=honest(course)) | {"limits": Fence(off=True)}


def right(course):  # noqa: F811
    return scored(points(course)["one"]) == [2, 3]


def test_a_mark_with_another_number_is_found_again(course, given):  # noqa: F811
    grading.grade(course, **given)
    path = marks_file(course, NAME, "100")
    path.write_text(path.read_text().replace('"points": 2', '"points": 1', 1))
    assert Stored.read(path).marks == []
    assert grading.grade(course, **given).marked == 1 and right(course)


@pytest.mark.parametrize("harm", ["gone", "empty"])
def test_marks_are_entered_again_in_a_gradebook_that_has_lost_them(harm, course, given):  # noqa: F811
    grading.grade(course, **given)
    book = course / "gradebook.db"
    book.unlink() if harm == "gone" else book.write_bytes(b"")
    assert grading.grade(course, **given).marked == 0 and right(course)


def test_a_damaged_gradebook_is_one_sentence(course, given, capsys):  # noqa: F811
    grading.grade(course, **given)
    (course / "gradebook.db").write_bytes(b"no database" * 1000)
    words = [
        "grade",
        str(given["download"]),
        "--students",
        str(given["students"]),
        "--unfenced",
        "--course",
        str(course),
    ]
    assert main(words) == 1
    err = capsys.readouterr().err
    assert err.startswith(
        f"sergan-coursework: {course / 'gradebook.db'} cannot be used (file is not a database)"
    )
    assert err.count("\n") == 1


def test_what_the_gradebook_has_no_room_for_is_said_without_a_traceback(course, given, monkeypatch, capsys):  # noqa: F811
    """nbgrader logs the whole traceback of each error of its database, besides raising it."""
    import sqlite3

    from sqlalchemy.exc import OperationalError
    from sqlalchemy.orm import Session

    def full(self):
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(Session, "commit", full)
    words = [
        "grade",
        str(given["download"]),
        "--students",
        str(given["students"]),
        "--unfenced",
        "--course",
        str(course),
    ]
    assert main(words) == 1
    said = capsys.readouterr()
    assert "disk is full" in said.err and "Traceback" not in said.err + said.out


def test_a_full_disk_is_one_sentence(course, given, monkeypatch, capsys):  # noqa: F811
    def full(*arguments):
        raise OSError(28, "No space left on device", str(course / "x"))

    monkeypatch.setattr(grading, "put", full)
    words = [
        "grade",
        str(given["download"]),
        "--students",
        str(given["students"]),
        "--unfenced",
        "--course",
        str(course),
    ]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said and "make room" in said and said.count("\n") == 1


OTHER = next(seed for seed in map(str, range(99)) if small.SMALL.variant(seed).cell != VARIANT.cell)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("seed", b"", "seed is damaged"),
        ("seed", OTHER.encode(), "do not belong together"),
        ("late.json", b"{", "late.json is damaged"),
        ("late.json", b'["due"]', "late.json is damaged"),
        (
            f"release/{NAME}/{NAME}.ipynb",
            b"{",
            "is damaged; delete it, and make it again with: sergan-coursework",
        ),
    ],
)
def test_damage_that_would_change_marks_is_one_sentence(file, content, sentence, course, given):  # noqa: F811
    (course / file).write_bytes(content)
    with pytest.raises(SerganError, match=sentence):
        grading.grade(course, **given)


def test_a_second_grade_in_the_same_course_is_refused(course, given):  # noqa: F811
    with alone(course / ".grading", "grade"), pytest.raises(SerganError, match="another grade is under way"):
        grading.grade(course, **given)
    grading.grade(course, **given)
    assert right(course)


def test_a_release_that_was_stopped_at_its_seed_can_be_made_again(tmp_path, monkeypatch):
    """A seed without a word in it would have held the folder for ever."""
    from sergan.coursework import release as module

    def stopped(path, mode, **more):
        if mode == 0o600:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module.os, "chmod", stopped)
        release(tmp_path / "new", "a secret", [2])
    assert not (tmp_path / "new" / "seed").exists()
    release(tmp_path / "new", "a secret", [2])
    assert (
        seed_of(tmp_path / "new") == "a secret"
        and (tmp_path / "new" / "seed").stat().st_mode & 0o777 == 0o600
    )
    shutil.rmtree(tmp_path / "new")


def test_the_time_of_a_submission_is_whole_or_not_there(course, given, monkeypatch):  # noqa: F811
    whole, seen = grading.replacing, []

    def noted(path):
        seen.append(path.name)
        return whole(path)

    monkeypatch.setattr(grading, "replacing", noted)
    grading.grade(course, **given)
    assert "timestamp.txt" in seen and json.loads(marks_file(course, NAME, "100").read_text())["sha256"]
    with api(course).gradebook as book:
        assert len(book.assignment_submissions(NAME)) == 1
