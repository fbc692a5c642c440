"""What students handed in: files out of a learning platform's download, and whose each of them is.

Nothing here trusts a name, a size, a link or a content. Of the names that platforms give to files only the part that
the platform itself writes says whose a file is; the numbers in it are the platform's own, not the students'
(Moodle: `First Last_PARTICIPANT_assignsubmission_file/...`, Canvas: `lastfirst_LATE_USER_ATTACHMENT_...`).
"""

from __future__ import annotations

import csv
import os
import re
import stat
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from sergan import SerganError, one_line

LARGEST = 20 * 2**20
"""Bytes of one submission; more is reported, not read."""
MOST = 20_000
"""Files in one download."""
LONGEST = 500
"""Characters of a file's name with its folders."""


@dataclass(frozen=True)
class Student:
    """
    Attributes:
        id: the university's; names folders and rows.
        platform: the number that the platform has for this person, if the class list tells.
        login, section: what Canvas wants to see again.
    """

    id: str
    first_name: str
    last_name: str
    email: str = ""
    platform: str = ""
    login: str = ""
    section: str = ""


@dataclass(frozen=True)
class File:
    """
    Attributes:
        path: inside the download, parts separated by slashes.
        size: bytes, as it claims.
        time: when it was last changed, seconds since 1970.
        read: gives the content, at most `LARGEST` bytes and one.
        problem: why it cannot be a submission, or empty.
    """

    path: str
    size: int
    time: float
    read: Callable[[], bytes]
    problem: str = ""


@dataclass(frozen=True)
class Submission:
    """A student's file. `late` is what Canvas's name says, which keeps no time; None for other platforms."""

    student: Student
    file: File
    late: bool | None


@dataclass(frozen=True)
class Unmatched:
    """A file that is not graded, or not as it is: a row of `unmatched.csv`."""

    path: str
    what: str
    student: str = ""


# ------------------------------------------------------------------------------------------- the class list

COLUMNS = {
    "id": ("sis user id", "id number", "student id", "student_id", "id"),
    "first_name": ("first name", "first_name", "firstname"),
    "last_name": ("last name", "last_name", "surname", "lastname"),
    "email": ("email address", "email"),
    "platform": ("identifier", "platform"),
    "login": ("sis login id", "login", "username"),
    "section": ("section",),
}
"""What class lists call what `Student` has; Moodle's participants and grading worksheet, Canvas's gradebook."""


def class_list(path: Path) -> list[Student]:
    """The students of a CSV file, one's own or as Moodle or Canvas exports it.

    Raises:
        SerganError: naming the line, if one is of no use.
    """
    titles, rows = csv_rows(path, "the class list")
    names = {(name or "").strip().casefold(): name for name in titles}
    column = {
        ours: next((names[one] for one in theirs if one in names), None) for ours, theirs in COLUMNS.items()
    }
    if canvas := "sis user id" in names and "student" in names:
        column["platform"] = names.get("id")
    found, seen = [], {}
    for number, row in enumerate(rows, 2):
        have = {ours: (row.get(theirs) or "").strip() for ours, theirs in column.items() if theirs}
        if canvas:
            if not have["id"] and not have.get("platform"):  # Canvas's row of points, its test student
                continue
            last, _, first = (row[names["student"]] or "").partition(",")
            have |= {"last_name": last.strip(), "first_name": first.strip()}
        elif "full name" in names and not have.get("last_name"):
            first, _, last = (row[names["full name"]] or "").strip().rpartition(" ")
            have |= {"last_name": last, "first_name": first}
        have["platform"] = have.get("platform", "").removeprefix("Participant ")
        if not any(have.values()):
            continue
        if not have.get("id") or not have.get("last_name"):
            raise SerganError(f"{path}, line {number}: each student needs an id and a last_name")
        if not re.fullmatch(r"\w[\w.@-]*", have["id"]):
            raise SerganError(
                f"{path}, line {number}: an id has letters, digits and then .@_- only, {have['id']!r} has not"
            )
        if (same := have["id"].casefold()) in seen:
            raise SerganError(f"{path}, line {number}: the id {have['id']} is on line {seen[same]} already")
        seen[same] = number
        found.append(Student(**{"first_name": "", **have}))
    if not found:
        raise SerganError(f"the class list {path} has no students; its first line must name the columns "
                          "id, first_name, last_name, email")  # fmt: skip
    return found


def csv_rows(path: Path, what: str) -> tuple[list[str], list[dict]]:
    """The titles and rows of a CSV file; semicolons, where its first line has some. SerganError if it is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",")
        return list(rows.fieldnames or []), list(rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SerganError(f"{what} {path} cannot be read ({error}); save it as CSV in UTF-8") from error


# --------------------------------------------------------------------------------------------- the download


def files(download: Path) -> Iterator[File]:
    """Every file of a folder or zip; what must not be followed or is no plain file comes with its `problem`."""
    if download.is_dir():
        yield from folder_files(download)
    elif zipfile.is_zipfile(download):
        yield from zip_files(download)
    else:
        raise SerganError(
            f"{download} is neither a folder nor a zip file; give the platform's download as it came"
        )


def folder_files(folder: Path) -> Iterator[File]:
    count = 0
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if os.path.islink(os.path.join(above, one)))]):
            if (count := count + 1) > MOST:
                raise SerganError(f"{folder} has more than {MOST} files")
            path = Path(above, name)
            about = path.lstat()
            problem = "" if stat.S_ISREG(about.st_mode) else "a link or no plain file; it was not opened"
            inside = one_line(path.relative_to(folder).as_posix())
            yield File(
                inside, about.st_size, about.st_mtime, lambda path=path: read(path.open("rb")), problem
            )


def zip_files(archive: Path) -> Iterator[File]:
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    except Exception as error:  # zipfile raises many kinds for a damaged file
        raise SerganError(f"{archive} cannot be read as a zip file ({error}); download it again") from error
    if len(entries) > MOST:
        raise SerganError(f"{archive} has more than {MOST} files")
    for entry in entries:
        problem = ""
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", entry.filename):
            problem = "a path that leads out of its folder; it was not unpacked"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            problem = "a link; it was not unpacked"
        elif entry.flag_bits & 1:
            problem = "encrypted"
        elif not parts.parts or len(entry.filename) > LONGEST:
            problem = f"a name of more than {LONGEST} characters, or none; it was not unpacked"
        try:
            moment = time.mktime((*entry.date_time, 0, 0, -1))
        except (ValueError, OverflowError):
            moment = 0.0
        inside = one_line(str(parts)) if parts.parts else "?"
        yield File(inside, entry.file_size, moment, lambda entry=entry: read_entry(archive, entry), problem)


def read_entry(archive: Path, entry: zipfile.ZipInfo) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return read(opened.open(entry))


def read(file) -> bytes:
    with file:
        return file.read(LARGEST + 1)


# ------------------------------------------------------------------------------------------------- whose it is

MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assign(submission|feedback)_\w*?(_(?P<file>[^_].*))?")
CANVAS = re.compile(r"(?P<name>[^_\d][^_]*)_(?P<late>LATE_)?(?P<number>\d+)_(?P<upload>\d+)_(?P<file>.+)")
PLAIN = re.compile(r"(?P<name>[^_\d][^_]*)_(?P<number>(?=[^_]*\d)[^_]+)_(?P<file>.+)")
LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae",
                         "œ": "oe", "å": "a"})  # fmt: skip


def folded(text: str, spelt_out: bool = False) -> str:
    """Lower-case words without accents, joined by spaces.

    >>> folded("Zoë van der Łęg-Müller"), folded("Müller", spelt_out=True)
    ('zoe van der leg muller', 'mueller')
    """
    text = unicodedata.normalize("NFC", text).casefold()
    text = text.translate(LETTERS if spelt_out else {k: v for k, v in LETTERS.items() if chr(k) not in "äöü"})
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", text))


def named(name: str, students: list[Student]) -> list[Student]:
    """Those whom a name may mean: whole names before surnames, exact before in part."""
    wanted = {folded(name), folded(name, True)}

    def ways(student):
        for spelt_out in (False, True):
            yield folded(student.first_name, spelt_out), folded(student.last_name, spelt_out)

    def joined(*parts):
        return "".join(parts).replace(" ", "")

    tests = (
        lambda w, first, last: joined(w) in (joined(first, last), joined(last, first)),
        lambda w, first, last: first and {*first.split(), *last.split()} <= set(w.split()),
        lambda w, first, last: joined(w) == joined(last),
        lambda w, first, last: set(last.split()) <= set(w.split()),
    )
    for test in tests:
        if found := [s for s in students if any(test(w, *way) for w in wanted for way in ways(s))]:
            return found
    return []


def owner(path: str, students: list[Student]) -> tuple[Student | None, str]:
    """Whose file it is, or None and why that cannot be said."""
    parts = PurePosixPath(path).parts
    for part in parts:
        told = MOODLE.fullmatch(part) or (
            part == parts[-1] and (CANVAS.fullmatch(part) or PLAIN.fullmatch(part))
        )
        if told:
            numbered = [
                s for s in students if told["number"].casefold() in (s.platform.casefold(), s.id.casefold())
            ]
            return agreed(numbered, named(told["name"], students), told)
    for part in (*parts[:-1], PurePosixPath(path).stem):
        words = f" {folded(part)} "
        numbered = [s for s in students if f" {folded(s.id)} " in words]
        if numbered or named(part, students):
            return agreed(numbered, named(part, students), {"number": part, "name": part})
    return None, "no name or number of the class list in its name"


def agreed(numbered: list[Student], by_name: list[Student], told) -> tuple[Student | None, str]:
    if len(numbered) > 1:
        exact = [s for s in numbered if s in by_name]
        numbered = exact if len(exact) == 1 else numbered
    if len(numbered) == 1 and (not by_name or numbered[0] in by_name):
        return numbered[0], ""
    if not numbered and len(by_name) == 1:
        return by_name[0], ""
    if numbered and by_name:
        return None, f"its number {told['number']} is one student's and its name {told['name']} another's"
    if by_name or numbered:
        who = ", ".join(s.id for s in by_name or numbered)
        return None, f"more than one student may be meant: {who}"
    return None, f"nobody in the class list is {told['name']} or {told['number']}"


def newest(submission: Submission) -> tuple:
    """To sort a student's files by age: Canvas's number of the upload, the copy's number, the time."""
    name = PurePosixPath(submission.file.path).name
    canvas = CANVAS.fullmatch(name)
    copy = re.search(r"(?:\((\d{1,9})\)|-(\d{1,9}))$", PurePosixPath(name).stem)
    number = int(next(group for group in copy.groups() if group)) if copy else 0
    return int(canvas["upload"]) if canvas else 0, number, submission.file.time, name


def match(download: Path, students: list[Student]) -> tuple[dict[str, Submission], list[Unmatched]]:
    """One file for each student who handed in something, and every file that is not that one, with the reason."""
    mine: dict[str, list[Submission]] = {}
    left: list[Unmatched] = []
    for file in files(download):
        path = PurePosixPath(file.path)
        if path.parts[0] == "__MACOSX" or any(part.startswith(".") and part != ".." for part in path.parts):
            left.append(Unmatched(file.path, "ignored: a helper file of an operating system or of Jupyter"))
            continue
        student, why = owner(file.path, students) if not file.problem else (None, file.problem)
        if student is None:
            left.append(Unmatched(file.path, why))
            continue
        canvas = CANVAS.fullmatch(path.name)
        mine.setdefault(student.id, []).append(
            Submission(student, file, bool(canvas["late"]) if canvas else None)
        )
    found = {}
    for student, all_of in mine.items():
        books = [one for one in all_of if one.file.path.lower().endswith(".ipynb")] or all_of
        found[student] = max(books, key=newest)
        for one in all_of:
            if one is not found[student]:
                what = "an older copy" if one in books else "not a notebook"
                left.append(
                    Unmatched(one.file.path, f"{what}; graded is {found[student].file.path}", student)
                )
    return found, left


# ------------------------------------------------------------------------------------------------------- when


def moment(text: str, what: str) -> datetime:
    """A time as the teacher writes it, in UTC; without a zone it is this machine's."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SerganError(f"{what} must be a time such as 2026-03-31T23:59, not {text!r}") from None


def times(path: Path, students: list[Student]) -> dict[str, datetime]:
    """When students handed in, in UTC, from a CSV file with the columns id and submitted.

    For what a download does not tell (Canvas) and for extensions. A file in a student's own folder would not do:
    its content is the student's.
    """
    known = {student.id for student in students}
    _, rows = csv_rows(path, "the list of times")
    found = {}
    for number, row in enumerate(rows, 2):
        if (who := (row.get("id") or "").strip()) not in known:
            raise SerganError(f"{path}, line {number}: {who!r} is no id of the class list")
        found[who] = moment(row.get("submitted") or "", f"{path}, line {number}: submitted")
    return found
