"""From a seed to marks for a learning platform, with a small assignment, honest students and hostile ones."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
import small_course as small

from sergan import SerganError
from sergan.coursework import assignments, fence, grading, notebooks
from sergan.coursework.__main__ import main
from sergan.coursework.fence import Fence

pytest.importorskip("nbgrader", reason="coursework needs nbgrader: pip install 'sergan[coursework]'")
from sergan.coursework import reporting
from sergan.coursework.course import Stored, api, marks_file
from sergan.coursework.release import release

pytestmark = pytest.mark.usefixtures("bubblewrap")

NAME = "assignment2"
LIMITS = Fence(seconds=3, total_s=20, memory=600 * 2**20)
VARIANT = small.SMALL.variant("a secret")
SIDE = small.kind(VARIANT)


@pytest.fixture(scope="module", autouse=True)
def small_assignment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignments, "load", lambda which: small.SMALL)
        patch.setattr(notebooks, "source", lambda assignment: small.source())
        yield


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A course's folder as `release` leaves it."""
    course = tmp_path_factory.mktemp("course") / "coursework"
    release(course, "a secret", [2])
    return course


@pytest.fixture
def course(empty, tmp_path):
    shutil.copytree(empty, tmp_path / "course", copy_function=shutil.copy2)
    return tmp_path / "course"


def released(course):
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)


def honest(course, **more):
    return small.handed_in(released(course), small.answers(VARIANT), **more)


def lying(course, **more):
    """An honest notebook but for `scale`, which is wrong; the attack shall make it right."""
    given = small.answers(VARIANT) | {"scale": "def scale(x):\n    return x + 1"}
    return small.handed_in(released(course), given, **more)


def write(folder, **contents):
    """Submissions `surname_ID_assignment2.ipynb`, and a class list of their authors and one more."""
    folder.mkdir(exist_ok=True)
    students = folder.with_name("students.csv")
    lines = ["id,first_name,last_name,email", "999,No,One,no@x.org"]
    for number, (name, content) in enumerate(contents.items(), 100):
        (folder / f"{name}_{number}_assignment2.ipynb").write_bytes(content)
        lines.append(f"{number},Stu,{name},{name}@x.org")
    students.write_text("\n".join(lines) + "\n")
    return {"download": folder, "number": 2, "students": students, "limits": LIMITS}


def points(course):
    """Each student's points by question, from `marks.csv`, by surname."""
    reporting.report(course, 2, pages=False)
    with open(course / "reports" / NAME / "marks.csv", encoding="utf-8") as file:
        return {row["last_name"]: row for row in csv.DictReader(file)}


def scored(row):
    return [float(row["scale-check"]), float(row[f"{SIDE}-check"])]


def test_what_is_handed_out_has_neither_solutions_nor_secrets(empty):
    book = released(empty)
    text = nbformat.writes(book)
    assert not any(word in text for word in ("SOLUTION", "rubric", "kind:", "a secret", "Two points"))
    assert VARIANT.cell in text and not any(cell.get("outputs") for cell in book.cells)
    assert {notebooks.grade_id(cell) for cell in book.cells} == {
        None, "scale", "scale-check", SIDE, f"{SIDE}-check", "why",
    }  # fmt: skip
    assert (empty / "seed").read_text() == "a secret\n"
    assert (empty / "seed").stat().st_mode & 0o777 == 0o600 and empty.stat().st_mode & 0o777 == 0o700
    assert "Two points for a reason" in (empty / "rubric" / f"{NAME}.md").read_text()


def test_a_course_keeps_its_seed(course):
    before = (course / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    with pytest.raises(SerganError, match="another seed"):
        release(course, "other", [2])
    release(course, None, [2])
    assert (course / "release" / NAME / f"{NAME}.ipynb").read_bytes() == before


def test_a_seed_that_asks_the_known_questions_is_told_and_a_random_one_avoids_them(tmp_path, capsys):
    known = small.kind(small.SMALL.variant("example"))
    seeds = [f"s{k}" for k in range(20)]
    same = next(seed for seed in seeds if small.kind(small.SMALL.variant(seed)) == known)
    other = next(seed for seed in seeds if small.kind(small.SMALL.variant(seed)) != known)
    assert main(["release", "2", "--seed", same, "--to", str(tmp_path / "same")]) == 0
    said = capsys.readouterr().out
    advised = re.search(r"for assignment 2, .* --seed (\w+)\.", said)[1]
    assert small.kind(small.SMALL.variant(advised)) != known
    assert main(["release", "2", "--seed", other, "--to", str(tmp_path / "other")]) == 0
    assert "very questions" not in capsys.readouterr().out
    assert main(["release", "2", "--to", str(tmp_path / "random")]) == 0
    assert "very questions" not in capsys.readouterr().out
    assert (
        main(
            [
                "release",
                "2",
                "--seed",
                other,
                "--to",
                str(tmp_path / "x"),
                "--unlike",
                str(tmp_path / "other"),
            ]
        )
        == 0
    )
    assert "an earlier course for assignment 2" in capsys.readouterr().out


def test_a_course_in_a_relative_folder_is_graded_by_several_at_once(course, tmp_path, monkeypatch):
    """nbgrader changes the working directory while others still mark."""
    monkeypatch.chdir(tmp_path)
    given = write(tmp_path / "in", **{f"one{k}": honest(course) for k in range(4)})
    given |= {"download": Path("in"), "students": Path("students.csv")}
    assert grading.grade(Path("course"), **given, jobs=2).left == []
    assert not (course / "course").exists()
    assert [scored(row) for row in points(Path("course")).values() if row["total"]] == [[2, 3]] * 4


FORGE = """
import os
for number in range(3, 40):
    for line in (b'{"errors": []}', b'{"value": 1}', b'{"value": true, "points": 2, "right": true}'):
        try: os.write(number, line + b"\\n")
        except OSError: pass
"""
PATCHES = """
import builtins, sys, types, unittest
import numpy as np
np.allclose = np.isclose = np.array_equal = np.testing.assert_allclose = lambda *a, **k: True
builtins.AssertionError = builtins.isinstance
for name in ("sergan.coursework", "sergan.coursework.marking"):
    sys.modules[name] = types.SimpleNamespace(difference=lambda *a: None, ask=lambda *a: None)
for frame in iter(lambda: None, None):
    pass
for module in list(sys.modules.values()):
    for name in ("encode", "described"):
        if hasattr(module, name) and getattr(module, "__file__", "").startswith("/fence"):
            setattr(module, name, lambda value: {"value": True})
"""
FAKES = "print('{\"value\": [2.0, 4.0]}', flush=True)\nprint('2')\n2"
FORK = "import os\ndef scale(x):\n    while True:\n        os.fork()"
HOG = "def scale(x):\n    held = []\n    while True:\n        held.append(bytearray(10**8))"
LOOP = "def scale(x):\n    while True:\n        pass"


def test_hostile_submissions_earn_what_is_honest_in_them_and_hurt_nobody(course, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("SECRET")
    hunt = f"import shutil\nshutil.rmtree({str(tmp_path)!r}, ignore_errors=True)\nshutil.rmtree('/tmp', True)"
    steal = f"def scale(x):\n    return len(open({str(course / 'seed')!r}).read()) and FACTOR * x"
    phone = "import socket\ndef scale(x):\n    socket.create_connection(('1.1.1.1', 80), 2)\n    return FACTOR * x"
    forged = json.loads(lying(course))
    for cell in forged["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("grade_id") == "scale-check":
            about |= {"points": 100, "solution": True, "grade_id": "scale"}
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}}
            ]

    def answer(source):
        return small.handed_in(released(course), small.answers(VARIANT) | {"scale": source})

    given = write(
        tmp_path / "in",
        honest=honest(course), loop=answer(LOOP), fork=answer(FORK), hog=answer(HOG), steal=answer(steal),
        phone=answer(phone), exit=answer("import os\ndef scale(x):\n    os._exit(0)"),
        hunt=honest(course, after=hunt), patch=lying(course, after=PATCHES), fake=lying(course, after=FAKES),
        forge=lying(course, after=FORGE), meta=json.dumps(forged).encode(), nojson=b"{nope", large=b"",
        late=honest(course),
    )  # fmt: skip
    with open(next((tmp_path / "in").glob("large*")), "r+b") as file:
        file.truncate(100_000_000)
    done = grading.grade(course, **given)
    assert done.marked == len(done.found) == 15
    found = {name: scored(row) for name, row in points(course).items() if row["total"]}
    assert found.pop("fork")[0] == 0  # its children answer the next question too, wrongly
    assert found == {
        "honest": [2, 3], "late": [2, 3], "hunt": [2, 3], "loop": [0, 3], "hog": [0, 3], "exit": [0, 3],
        "steal": [0, 3], "phone": [0, 3], "patch": found["patch"], "fake": [0, 3], "forge": found["forge"],
        "meta": [0, 3], "nojson": [0, 0], "large": [0, 0],
    }  # fmt: skip
    assert found["patch"][0] == found["forge"][0] == 0  # the rest they may have spoilt for themselves
    assert outside.read_text() == "SECRET" and (course / "seed").exists()
    told = {one.student: one.what for one in done.left}
    assert "not JSON" in told["112"] and "larger than" in told["113"] and len(told) == 2


def test_marks_by_hand_and_corrections_survive_and_a_regrade_gives_the_same_marks(course, tmp_path):
    given = write(tmp_path / "in", right=honest(course), wrong=lying(course))
    assert grading.grade(course, **given).by_hand == 2
    first = Stored.read(marks_file(course, NAME, "101")).marks
    with api(course).gradebook as gradebook:
        for student, cell, score in (("100", "why", 3), ("101", "why", 1), ("101", "scale-check", 1.5)):
            gradebook.find_grade(cell, NAME, NAME, student).manual_score = score
        gradebook.find_comment("why", NAME, NAME, "100").manual_comment = "Well said."
        gradebook.db.commit()
    assert grading.grade(course, **given).marked == 0
    assert grading.grade(course, **given, force=True).marked == 2
    assert Stored.read(marks_file(course, NAME, "101")).marks == first
    found = points(course)
    assert (scored(found["right"]), found["right"]["total"]) == ([2, 3], "8.0")
    assert (scored(found["wrong"]), found["wrong"]["total"]) == ([1.5, 3], "5.5")
    reporting.report(course, 2)
    page = (course / "feedback" / "100" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "Well said." in page and "All hidden cases are right." in page


def test_grading_goes_on_where_it_was_stopped(course, tmp_path, monkeypatch):
    given = write(tmp_path / "in", one=honest(course), two=honest(course), three=lying(course))
    whole, calls = grading.mark, []

    def stopped(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(grading, "mark", stopped)
    with pytest.raises(KeyboardInterrupt):
        grading.grade(course, **given, jobs=1)
    monkeypatch.setattr(grading, "mark", whole)
    assert grading.grade(course, **given).marked in (1, 2)  # the one that was stopped, the one not begun
    path = marks_file(course, NAME, "100")
    kept = Stored.read(path)
    Stored(kept.digest, kept.marks).write(path)  # stopped before nbgrader knew
    shutil.rmtree(course / "autograded" / "100")
    marks_file(course, NAME, "101").write_text("{")  # and in the middle of a file
    assert grading.grade(course, **given).marked == 1
    assert {name: scored(row) for name, row in points(course).items() if row["total"]} == {
        "one": [2, 3], "two": [2, 3], "three": [0, 3],
    }  # fmt: skip


def test_no_marks_are_kept_of_what_was_stopped_halfway(course, tmp_path, monkeypatch):
    slow = "import time\ndef scale(x):\n    time.sleep(2)\n    return FACTOR * x"
    slow = small.handed_in(released(course), small.answers(VARIANT) | {"scale": slow})
    given = write(tmp_path / "in", quick=b"{", slow=slow)

    def stopped(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(grading, "succeeded", stopped)
        grading.grade(course, **given)
    assert not marks_file(course, NAME, "101").exists() and not fence.SESSIONS
    grading.grade(course, **given)
    assert scored(points(course)["slow"]) == [2, 3]


def test_one_that_cannot_be_graded_is_told_and_the_others_are_graded(course, tmp_path, monkeypatch):
    given = write(tmp_path / "in", one=honest(course), two=honest(course, after="x = 'bad one'"))
    whole = grading.mark

    def broken(cells, *arguments):
        if any("bad one" in source for _, source in cells):
            raise RuntimeError("what nobody thought of")
        return whole(cells, *arguments)

    monkeypatch.setattr(grading, "mark", broken)
    done = grading.grade(course, **given)
    assert [(one.student, "what nobody thought of" in one.what) for one in done.left] == [("101", True)]
    assert scored(points(course)["one"]) == [2, 3]


def test_lateness_costs_a_share_a_day_and_can_be_set_right(course, tmp_path):
    given = write(tmp_path / "in", early=honest(course), late=honest(course), extended=honest(course))
    due = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for name, hours in (("early", -1), ("late", 25), ("extended", 25)):
        path = next((tmp_path / "in").glob(f"{name}_*"))
        os.utime(path, (due.timestamp() + 3600 * hours,) * 2)
    times = tmp_path / "times.csv"
    times.write_text("id,submitted\n102,2026-03-01T11:59:00Z\n")
    with pytest.raises(SerganError, match="--late needs --due"):
        grading.grade(course, **given, late=10)
    grading.grade(course, **given, late=10, due="2026-03-01T12:00:00Z", times=times)
    with api(course).gradebook as gradebook:
        gradebook.find_grade("why", NAME, NAME, "101").manual_score = 4
        gradebook.db.commit()
    totals = {name: row["total"] for name, row in points(course).items()}
    assert totals == {
        "early": "5.0",
        "late": "7.2",
        "extended": "5.0",
        "One": "",
    }  # two days begun, of 9 points
    assert grading.grade(course, **given).marked == 0  # the rule is kept, and the times
    assert (points(course)["late"]["total"], points(course)["extended"]["total"]) == ("7.2", "5.0")


def test_pages_hold_nothing_that_acts_in_a_browser(course, tmp_path):
    evil = "<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1))"
    given = small.answers(VARIANT) | {"why": evil, "scale": "raise ValueError('<script>alert(2)</script>')"}
    book = json.loads(small.handed_in(released(course), given))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "metadata": {},
                                "data": {"text/html": "<script>3</script>", "text/plain": "<script>4"}}]  # fmt: skip
    grading.grade(course, **write(tmp_path / "in", evil=json.dumps(book).encode()))
    with api(course).gradebook as gradebook:
        gradebook.find_comment(
            "why", NAME, NAME, "100"
        ).manual_comment = "See <b onclick=x>this</b><script>5</script>"
        gradebook.db.commit()
    reporting.report(course, 2)
    page = (course / "feedback" / "100" / NAME / f"{NAME}.html").read_text(encoding="utf-8").lower()
    head, _, body = page.partition("<body")
    assert "default-src 'none'" in head[:600]
    assert (
        "<script" not in page
        and 'href="javascript' not in page
        and "onclick=x>" not in body.replace("&lt;b", "")
    )
    assert not re.search(r'(src|href)="?(https?:)?//', page)
    assert "the seed" not in page and "a secret" not in page


def test_tables_have_the_columns_that_moodle_and_canvas_import(course, tmp_path):
    given = write(tmp_path / "in", ada=honest(course), bob=lying(course), cy=b"{")
    given["students"].write_text(given["students"].read_text().replace("Stu,ada", "=cmd(),ada"))
    grading.grade(course, **given)
    table = reporting.report(course, 2, pages=False)[NAME]
    folder = course / "reports" / NAME
    moodle, canvas = ((folder / f"{name}.csv").read_text().splitlines() for name in ("moodle", "canvas"))
    assert moodle[:3] == [
        "First name,Last name,ID number,Email address,sergan assignment2",
        "No,One,999,no@x.org,-",
        "'=cmd(),ada,100,ada@x.org,5.00",
    ]
    assert canvas[:4] == [
        "Student,ID,SIS User ID,SIS Login ID,Section,sergan assignment2",
        "    Points Possible,,,,,9",
        '"One, No",,999,no@x.org,,',
        '"ada, =cmd()",,100,ada@x.org,,5.00',
    ]
    assert list(table.index) == ["scale-check", f"{SIDE}-check", "why"]
    assert table["share"].tolist() == [0.333, 0.667, 0.0] and table["discrimination"].iloc[0] == 0.5
    assert {line.split(",")[0] for line in (folder / "unmatched.csv").read_text().splitlines()} == {
        "path", "cy_102_assignment2.ipynb",
    }  # fmt: skip


def test_without_a_fence_it_grades_only_when_told_to(course, tmp_path, monkeypatch, capsys):
    given = write(tmp_path / "in", one=honest(course))
    command = ["grade", str(given["download"]), "--students", str(given["students"]), "--course", str(course)]
    monkeypatch.setattr(fence, "missing", lambda: "there is no bubblewrap here")
    assert main(command) == 1
    assert capsys.readouterr().err == "sergan-coursework: there is no bubblewrap here.\n"
    assert not (course / "marks").exists()
    assert main([*command, "--unfenced"]) == 0
    assert main(["report", "--course", str(course), "--no-pages"]) == 0
    assert "discrimination" in capsys.readouterr().out
    assert scored(points(course)["one"]) == [2, 3]


def test_mistakes_of_the_teacher_are_told_in_one_sentence(tmp_path, capsys):
    for command, said in (
        (["report", "--course", str(tmp_path / "none")], "nothing is graded"),
        (["grade", str(tmp_path), "--course", str(tmp_path / "none")], "is no course's folder"),
    ):
        assert main(command) == 1
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


def test_without_nbgrader_there_is_one_sentence():
    code = ("import sys; sys.modules['nbgrader'] = None\nfrom sergan.coursework.__main__ import main\n"
            "sys.exit(main(['report']))")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    assert (done.returncode, done.stderr) == (
        1, "sergan-coursework: coursework needs nbgrader: pip install 'sergan[coursework]'.\n",
    )  # fmt: skip
