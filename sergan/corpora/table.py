"""Any corpus of your own, as a CSV with a row for every utterance.

Columns `file, emotion, speaker` and, where you have them, `session, gender`; any further column is passed
over. A relative `file` is meant from the CSV's own folder. The emotions are those of the paper, `angry,
neutral, happy, sad`, or your own words with the option `labels`: `labels="anger=angry,joy=happy"`. Words that
stay outside the four classes are kept for `classes="all"` when they are mapped to themselves: `fear=fear`.
"""

import csv
import io
import os
from pathlib import Path

import pandas as pd

from sergan import EMOTIONS, one_line
from sergan.corpora._base import CorpusError, utterance_table

TITLE = "a corpus of your own, as a CSV of file, emotion, speaker"
LANGUAGE = "any"
LICENCE = "yours: make sure that you may use the recordings, and that their speakers know"
HOMEPAGE = ""
CITATION = ""
BY_HAND = "write its CSV yourself"

#: Nothing is known beforehand of a corpus of your own.
EXPECTED: dict[str, dict[str, int]] = {}

REQUIRED = ("file", "emotion", "speaker")
OPTIONAL = ("session", "gender")


def mapping(labels: str | dict[str, str]) -> dict[str, str]:
    """The option `labels` as a dict: `"anger=angry,joy=happy"` or a dict already.

    CorpusError where a part is no `word=class`, or a word comes twice.

    >>> mapping("anger=angry, joy=happy")
    {'anger': 'angry', 'joy': 'happy'}
    """
    if isinstance(labels, dict):
        return {str(word): str(emotion) for word, emotion in labels.items()}
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in labels.split(","))):
        word, equals, emotion = (side.strip() for side in part.partition("="))
        if not (word and equals and emotion):
            raise CorpusError(
                f'labels: "{part}" is no pair: write word=class, as in "anger=angry,joy=happy".'
            )
        if pairs.setdefault(word, emotion) != emotion:
            raise CorpusError(
                f'labels: "{word}" stands for two classes, {pairs[word]} and {emotion}: keep one.'
            )
    return pairs


def _read(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of the CSV with their line numbers, cells stripped; CorpusError where it cannot be read."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise CorpusError(f"{path} {what}: give the CSV file with the columns {', '.join(REQUIRED)}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CorpusError(f"{path} is not UTF-8 text: save it as CSV in UTF-8.") from None
    if "\0" in text:
        raise CorpusError(f"{path} is no text file: save it as CSV in UTF-8.")
    head = text.partition("\n")[0]
    # Spreadsheets write semicolons or tabs in some languages.
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        for name in REQUIRED:
            if name not in columns:
                found = ", ".join(filter(None, columns)) or "no header line"
                raise CorpusError(f"{path} has no column {name} (it has {found}): name it in the first line.")
        doubled = next((name for name in REQUIRED + OPTIONAL if columns.count(name) > 1), "")
        if doubled:
            raise CorpusError(f"{path} has the column {doubled} twice: keep one.")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                cells = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
                rows.append((reader.line_num, dict(zip(columns, cells, strict=False))))
    except csv.Error as error:
        raise CorpusError(
            f"{path}, row {reader.line_num}, is broken CSV ({error}): mend its quotes."
        ) from None
    if not rows:
        raise CorpusError(f"{path} has no rows: write one for every utterance.")
    return rows


def _utterance(file: Path, home: Path) -> str:
    """What an utterance is called: its path from the CSV's folder, without suffix, with forward slashes."""
    place = file.relative_to(home) if file.is_relative_to(home) else file
    return place.with_suffix("").as_posix()


def read(root: str | Path, labels: str | dict[str, str] = "") -> tuple[pd.DataFrame, list[str]]:
    """The sound rows of the CSV as a table of utterances, and a sentence for every row that is not sound."""
    path = Path(root).expanduser().absolute()
    words = dict(zip(EMOTIONS, EMOTIONS, strict=True)) | mapping(labels)
    rows: dict[str, tuple] = {}
    lines: dict[str, int] = {}
    problems = []
    for number, row in _read(path):
        where = f"{path.name}, row {number}"
        empty = [name for name in REQUIRED if not row[name]]
        if empty:
            problems.append(f"{where}: {empty[0]} is empty: fill it in or take the row out.")
            continue
        emotion = words.get(row["emotion"])
        if emotion is None:
            problems.append(
                f'{where}: emotion "{row["emotion"]}" is unknown: '
                f'say what it stands for, as in labels="{row["emotion"]}=angry".'
            )
            continue
        file = path.parent / row["file"]
        if not os.path.isfile(file):
            file = path.parent / row["file"].replace("\\", "/")  # written on Windows
        if not os.path.isfile(file):
            problems.append(f"{where}: there is no file {row['file']} in {path.parent}: correct its path.")
            continue
        name = _utterance(file, path.parent)
        if name in rows:
            problems.append(
                f"{where}: {name} is there already, in row {lines[name]} (names count without suffix): "
                "take one of the rows out."
            )
            continue
        lines[name] = number
        rows[name] = (
            str(file),
            row["speaker"],
            row.get("session", ""),
            row.get("gender", "").lower(),
            emotion,
        )
    return utterance_table(rows), [one_line(problem) for problem in problems]


def utterances(root: str | Path, labels: str | dict[str, str] = "") -> pd.DataFrame:
    """Every row of the CSV `root`.

    Index `utterance` (the path from the CSV's folder, without suffix), columns `file` (absolute path),
    `speaker`, `session`, `gender` (empty where the CSV has none), `emotion` (through `labels`, a dict or
    `"anger=angry,joy=happy"`). CorpusError, naming the row, where a column or cell is missing, an emotion is
    unknown, a file does not exist or an utterance comes twice.
    """
    table, problems = read(root, labels)
    if problems:
        more = f" ({len(problems) - 1} more rows have problems: sergan check table FILE lists them.)"
        raise CorpusError(problems[0] + (more if len(problems) > 1 else ""))
    return table
