"""What the corpus modules share: the error, the search for audio files, the table of utterances."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from sergan import SerganError

#: The columns of every table of utterances; its index is `utterance`.
COLUMNS = ("file", "speaker", "session", "gender", "emotion")

#: Accepted wherever a corpus has audio, the first wins where an utterance has both.
SUFFIXES = (".wav", ".flac")

#: Audio lies at most this many folders below the root (`Audio_Speech_Actors_01-24/Actor_01/` is two).
DEPTH = 3


class CorpusError(SerganError):
    """A corpus, option or folder that cannot be used: one sentence, naming it and the remedy."""


class FetchError(CorpusError):
    """A download that failed or may not be made: one sentence, naming the address and the remedy."""


def folder(root: str | Path) -> Path:
    """`root` as an absolute path; CorpusError where it is no folder."""
    path = Path(root).expanduser()
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "does not exist"
        raise CorpusError(f"{root} {what}: give the folder that holds the corpus.")
    return path.absolute()


def files_below(root: Path, depth: int = DEPTH) -> Iterator[Path]:
    """The files at most `depth` folders below `root`, upper folders first, each folder sorted by name.

    Hidden files and folders are passed over, among them the `._*` twins that macOS leaves on foreign disks.
    """
    level = [root]
    for _ in range(depth + 1):
        below = []
        for place in level:
            try:
                entries = sorted(os.scandir(place), key=lambda entry: entry.name)
            except OSError as error:
                raise CorpusError(
                    f"{place} cannot be listed ({error.strerror}): mend its permissions."
                ) from None
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                if entry.is_dir():
                    below.append(Path(entry.path))
                elif entry.is_file():
                    yield Path(entry.path)
        level = below


def named_audio(root: str | Path, pattern: str, example: str) -> dict[str, tuple[Path, re.Match]]:
    """The audio files below `root` whose name without suffix matches `pattern`: name -> (path, match).

    Where a name comes twice, the one nearest to the root counts, WAV before FLAC. CorpusError where there is
    none; `example` tells what such a file is called.
    """
    root = folder(root)
    named: dict[str, tuple[Path, re.Match]] = {}
    compiled = re.compile(pattern)
    for path in files_below(root):
        if path.suffix.lower() not in SUFFIXES or not (match := compiled.fullmatch(path.stem)):
            continue
        known = named.get(path.stem)
        if known is None or (known[0].parent == path.parent and path.suffix.lower() == ".wav"):
            named[path.stem] = (path, match)
    if not named:
        raise CorpusError(f"{root} holds no file like {example} (or .flac): give the corpus's own folder.")
    return named


def utterance_table(rows: dict[str, tuple]) -> pd.DataFrame:
    """A table of utterances from name -> (file, speaker, session, gender, emotion), sorted by name."""
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS), dtype=str)
    return table.rename_axis("utterance").sort_index()


def from_names(
    root: str | Path, pattern: str, example: str, row: Callable[[re.Match], tuple[str, str, str, str]]
) -> pd.DataFrame:
    """The table of a corpus whose file names say all: `row` turns a match into the columns after `file`."""
    named = named_audio(root, pattern, example)
    return utterance_table({name: (str(path), *row(match)) for name, (path, match) in named.items()})
