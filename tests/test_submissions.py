"""Downloads of submissions: whose a file is, what is not unpacked, and a notebook made anew from any other."""

import base64
import json
import os
import stat
import zipfile
from pathlib import Path

import nbformat
import pytest
import small_course as small
from hypothesis import given
from hypothesis import strategies as st

from sergan import SerganError
from sergan.coursework import rebuilding, submissions
from sergan.coursework.notebooks import cells, grade_id
from sergan.coursework.submissions import Student, class_list, match, owner

pytest.importorskip("nbgrader", reason="coursework needs nbgrader: pip install 'sergan[coursework]'")
from nbgrader.preprocessors import ClearSolutions

STUDENTS = [
    Student("1001", "Anna", "Meier", "anna@uni.org", platform="77001"),
    Student("1002", "Ben", "Müller", platform="77002"),
    Student("1003", "Chloé Marie", "van der Berg"),
    Student("1004", "Dan", "Meier-Roth"),
    Student("s1005", "Eva", "Ødegård"),
    Student("1006", "Fay", "Zhu"),
    Student("1007", "Gus", "Zhu"),
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Anna Meier_77001_assignsubmission_file_/x.ipynb", "1001"),  # Moodle, folders
        (
            "Anna Meier_77001_assignsubmission_file/deep/Ben Müller_1002_x.ipynb",
            "1001",
        ),  # what she called her file
        (
            "Chloé van der Berg_9_assignsubmission_file_a.ipynb",
            "1003",
        ),  # Moodle, flat; a number that nobody has
        ("meieranna_77001_5512345_assignment2-1.ipynb", "1001"),  # Canvas
        ("müllerben_LATE_77002_5512346_assignment2.ipynb", "1002"),
        ("muellerben_77002_5_1001.ipynb", "1002"),
        ("mueller_1002_assignment2 (1).ipynb", "1002"),
        ("Mu\u0308ller_999_assignment2.ipynb", "1002"),  # accents apart, as macOS writes them
        ("Odegard_s1005_assignment2.ipynb", "s1005"),
        ("1003/assignment2.ipynb", "1003"),
        ("submissions/1003.ipynb", "1003"),
        ("Ben Müller.ipynb", "1002"),
        ("meier_assignment2.ipynb", "1001"),  # Meier-Roth is another name
        ("zhu_1007_a.ipynb", "1007"),
        ("zhu_a.ipynb", None),
        ("meier_77002_a.ipynb", None),  # name and number disagree
        ("nobody_4711_a.ipynb", None),
        ("assignment2.ipynb", None),
    ],
)
def test_whose_a_file_is(path, expected):
    student, why = owner(path, STUDENTS)
    assert (student and student.id, bool(why)) == (expected, expected is None)


@given(st.text(min_size=1))
def test_no_name_is_an_error(path):
    owner(path.replace("/", "") or "x", STUDENTS)


def test_the_newest_of_several_is_kept_and_the_others_are_told(tmp_path):
    for name, age in (("meier_1001_a.ipynb", 1), ("meier_1001_a (1).ipynb", 9), ("meier_1001_a (10).ipynb", 5),
                      ("mueller_1002_a.ipynb", 5), ("mueller_1002_b.ipynb", 2), ("mueller_1002_notes.pdf", 0),
                      ("zhufay_1006_20_a-2.ipynb", 1), ("zhufay_1006_21_a.ipynb", 1), ("who.ipynb", 0)):  # fmt: skip
        (tmp_path / name).write_bytes(b"{}")
        os.utime(tmp_path / name, (10**9 - age, 10**9 - age))
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._meier_1001_a.ipynb").write_bytes(b"")
    (tmp_path / "zhu_1007_a.ipynb").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    found, left = match(tmp_path, STUDENTS)
    assert {who: one.file.path for who, one in found.items()} == {
        "1001": "meier_1001_a (10).ipynb", "1002": "mueller_1002_b.ipynb", "1006": "zhufay_1006_21_a.ipynb",
    }  # fmt: skip
    told = {one.path: one.what.partition(":")[0].partition(";")[0] for one in left}
    assert told == {
        "meier_1001_a.ipynb": "an older copy", "meier_1001_a (1).ipynb": "an older copy",
        "mueller_1002_a.ipynb": "an older copy", "mueller_1002_notes.pdf": "not a notebook",
        "zhufay_1006_20_a-2.ipynb": "an older copy", "who.ipynb": "no name or number of the class list in its name",
        "__MACOSX/._meier_1001_a.ipynb": "ignored", "zhu_1007_a.ipynb": "a link or no plain file",
        "folder": "a link or no plain file",
    }  # fmt: skip


def test_a_zip_is_read_without_unpacking_what_leads_out_of_it(tmp_path):
    archive = tmp_path / "all.zip"
    link = zipfile.ZipInfo("zhu_1006_a.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("Anna Meier_77001_assignsubmission_file_/a.ipynb", "{}")
        for name in ("../../meier_1001_x.ipynb", "/tmp/meier_1001_x.ipynb", "C:\\meier_1001_x.ipynb"):
            made.writestr(name, "{}")
        made.writestr(link, "/etc/passwd")
        made.writestr("mueller_1002_bomb.ipynb", bytes(submissions.LARGEST * 3))
    found, left = match(archive, STUDENTS)
    assert set(found) == {"1001", "1002"}
    assert found["1001"].file.read() == b"{}"
    assert len(found["1002"].file.read()) == submissions.LARGEST + 1
    assert len(left) == 4
    with pytest.raises(SerganError, match="neither a folder nor a zip"):
        match(Path(__file__), STUDENTS)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("id,first_name,last_name,email\n1,Anna,Meier,a@x.de\n", Student("1", "Anna", "Meier", "a@x.de")),
        ("\ufeffID number;First name;Surname;Email address\n1;Anna;Meier;a@x.de\n",
         Student("1", "Anna", "Meier", "a@x.de")),
        ("Identifier,Full name,ID number,Email address,Grade\nParticipant 9,Anna Meier,1,a@x.de,\n",
         Student("1", "Anna", "Meier", "a@x.de", "9")),
        ("Student,ID,SIS User ID,SIS Login ID,Section,A (1)\n    Points Possible,,,,,9\n"
         '"Meier, Anna",9,1,am1,S1,\n"Student, Test",,,x,S1,\n', Student("1", "Anna", "Meier", "", "9", "am1", "S1")),
    ],
)  # fmt: skip
def test_class_lists_of_ones_own_of_moodle_and_of_canvas(tmp_path, text, first):
    path = tmp_path / "students.csv"
    path.write_text(text, encoding="utf-8")
    assert class_list(path) == [first]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,first_name,last_name\n", "no students"),
        ("id,last_name\n1,A\n1,B\n", "line 3: the id 1 is on line 2"),
        ("id,last_name\n../x,A\n", "line 2: an id has letters"),
        ("id,last_name\n,A\n", "line 2: each student needs"),
    ],
)
def test_what_is_wrong_with_a_class_list_is_said_with_its_line(tmp_path, text, sentence):
    path = tmp_path / "students.csv"
    path.write_text(text)
    with pytest.raises(SerganError, match=sentence):
        class_list(path)


# -------------------------------------------------------------------------------------------------- rebuilding


@pytest.fixture(scope="module")
def released():
    book, _ = ClearSolutions().preprocess(small.source(), {})
    return book


def rebuilt(released, change):
    book = json.loads(nbformat.writes(released))
    change(book["cells"])
    return rebuilding.rebuilt(released, json.dumps(book).encode())[0]


def of(book, name):
    return next(cell for cell in book.cells if grade_id(cell) == name)


def by_name(found, name):
    return next(cell for cell in found if cell["metadata"].get("nbgrader", {}).get("grade_id") == name)


def test_points_checks_and_texts_are_the_released_ones_whatever_came_in(released):
    def forge(found):
        by_name(found, "scale")["source"] = "def scale(x): return 1"
        check = by_name(found, "scale-check")
        check["source"], check["metadata"]["nbgrader"]["points"] = "print(100)", 100
        check["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}}]
        check["metadata"]["nbgrader"]["solution"] = True
        found[0]["source"] = "# Another title"
        found.append(
            {
                **by_name(found, "why"),
                "metadata": {"nbgrader": {"grade_id": "new", "grade": True, "points": 50}},
            }
        )

    book = rebuilt(released, forge)
    assert of(book, "scale").source == "def scale(x): return 1"
    assert of(book, "scale-check") == of(released, "scale-check")
    assert [grade_id(c) for c in book.cells if grade_id(c)] == [
        grade_id(c) for c in released.cells if grade_id(c)
    ]
    assert "# Another title" in [cell.source for cell in book.cells]  # kept, as the student's own


def test_own_cells_stay_in_their_place_and_an_edited_constant_is_set_back(released):
    def change(found):
        found.insert(3, {"cell_type": "code", "source": "HELP = 1", "metadata": {}, "outputs": []})
        found[1]["source"] = "FACTOR = 99"

    sources = [source for _, source in cells(rebuilt(released, change))]
    assert sources.index("FACTOR = 99") < sources.index(released.cells[1].source)
    assert sources.index("import numpy as np") < sources.index("HELP = 1")
    assert sources.index("HELP = 1") < [s.startswith("def scale") for s in sources].index(True)


def test_a_missing_cell_costs_only_its_answer_and_leaves_what_was_written_elsewhere(released):
    def change(found):
        by_name(found, "scale")["source"] = "def scale(x): return 2"
        del by_name(found, "scale")["metadata"]["nbgrader"]
        found.remove(by_name(found, "why"))

    book = rebuilt(released, change)
    assert (
        of(book, "scale").source == f"# {rebuilding.MISSING}" and of(book, "why").source == rebuilding.MISSING
    )
    assert "def scale(x): return 2" in [source for _, source in cells(book)]


def test_of_a_doubled_cell_the_changed_one_counts_and_none_is_lost(released):
    def change(found):
        stub = by_name(found, "scale")
        found.insert(4, {**stub, "source": "def scale(x): return 2"})
        found.append(stub)

    book = rebuilt(released, change)
    assert of(book, "scale").source == "def scale(x): return 2"
    assert sum(grade_id(cell) == "scale" for cell in book.cells) == 1


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "[a]( <javascript:b>)",
    "[a](&#106;avascript:b)", "![a](http://tracker/x.png)", "[a]\n\n[a]: javascript:b", "[a]: data:text/html,x",
    "![a [b]](http://tracker/x.png)", "<a href='data:text/html,x'>",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_does_nothing_in_a_readers_browser(released, attack):
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    def change(found):
        by_name(found, "why")["source"] = f"A reason: $a<b$. {attack}"

    html = markdown2html_mistune(of(rebuilt(released, change), "why").source).lower()
    assert not any(bad in html for bad in ("<script", "<img", 'href="java', 'href="data', "<a href='"))


def test_outputs_are_text_and_pictures_only(released):
    data = {
        "text/html": "<b>x</b>",
        "application/javascript": "x",
        "text/plain": "shown",
        "image/svg+xml": "<svg/>",
    }

    def change(found):
        by_name(found, "scale")["source"] = "x"
        by_name(found, "scale")["outputs"] = [
            {"output_type": "display_data", "data": data, "metadata": {}},
            {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {}},
            {"output_type": "display_data", "data": {"image/png": '"><script>'}, "metadata": {}},
            {"output_type": "stream", "name": "stderr", "text": "y" * 10**6}, 5,
        ]  # fmt: skip

    outputs = of(rebuilt(released, change), "scale").outputs
    assert [(o.output_type, list(o.get("data", {}))) for o in outputs] == [
        ("stream", []), ("display_data", ["image/png"]), ("stream", []),
    ]  # fmt: skip
    assert outputs[0].text == "shown\n" and len(outputs[2].text) <= rebuilding.TEXT + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "outputs", "data",
                         "attachments", "text"]) | st.text(max_size=3), inner, max_size=4))  # fmt: skip


@given(JSON, st.lists(JSON, max_size=4))
def test_any_file_is_rebuilt_or_refused(anything, some_cells):
    book, _ = ClearSolutions().preprocess(small.source(), {})
    for content in (anything, {"cells": some_cells}):
        try:
            found, _ = rebuilding.rebuilt(book, json.dumps(content).encode())
        except SerganError:
            continue
        nbformat.validate(nbformat.reads(rebuilding.written(found).decode(), as_version=4))


@pytest.mark.parametrize(
    "content", [b"{nope", b"\xff\xfe", b"[]", b"{}", b'{"worksheets": []}', b"[" * 10**6, b""]
)
def test_what_is_no_notebook_is_refused_with_a_sentence(released, content):
    with pytest.raises(SerganError, match="it is no"):
        rebuilding.rebuilt(released, content)
