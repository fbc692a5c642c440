"""Speech corpora as tables of utterances: `load`, `check`, `fetch`, `describe`.

Every corpus is a module of the same form: the facts (`TITLE, LANGUAGE, LICENCE, CITATION, HOMEPAGE,
EXPECTED`), `REMOTE` where it can be fetched, and `utterances(root, **options)`.

>>> table = load("demo")
>>> list(table.columns)
['file', 'speaker', 'session', 'gender', 'emotion', 'duration_s']
"""

import importlib
import inspect
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pandas as pd

from sergan import EMOTIONS
from sergan.corpora._base import CorpusError, FetchError
from sergan.corpora._check import Check

__all__ = ["NAMES", "Check", "CorpusError", "FetchError", "check", "describe", "fetch", "load"]

#: `demo` is embedded, `nemo` to `cremad` can be fetched, `iemocap` is given on request, `table` is your own.
NAMES = ("demo", "nemo", "ravdess", "emodb", "cremad", "iemocap", "table")


def _module(name: str) -> ModuleType:
    if name not in NAMES:
        raise CorpusError(f'There is no corpus "{name}": choose one of {", ".join(NAMES)}.')
    return importlib.import_module(f"sergan.corpora.{name}")


def _root(name: str, root: str | Path | None) -> Path | None:
    if root is None and name != "demo":
        what = "its CSV file" if name == "table" else "the folder it lies in"
        raise CorpusError(f'The corpus "{name}" needs a root: give {what}.')
    return None if root is None else Path(root)


def _checked(name: str, options: dict) -> dict:
    """`options` if the corpus has them all, else CorpusError."""
    known = list(inspect.signature(_module(name).utterances).parameters)[1:]
    for option in options:
        if option not in known:
            has = f"has the options {', '.join(known)}" if known else "has no options"
            raise CorpusError(f'The corpus "{name}" has no option "{option}": it {has}.')
    return options


def _duration(file: str) -> float | str:
    """Seconds of audio by the file's header, or why that cannot be read, in a sentence."""
    import soundfile

    try:
        seconds = soundfile.info(file).duration
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError):
        try:
            with open(file, "rb") as head:
                if head.read(24) == b"version https://git-lfs.":
                    return (
                        f"{file} is a Git LFS pointer, no audio: run git lfs pull or fetch the corpus again."
                    )
        except OSError as error:
            return f"{file} cannot be opened ({error.strerror}): mend its permissions."
        return f"{file} cannot be read as audio: copy or fetch it again."
    return seconds if seconds > 0 else f"{file} holds no audio: copy or fetch it again."


def _durations(files: list[str]) -> list[float | str]:
    # Reading headers waits for the disk more than it computes.
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(_duration, files))


def load(
    name: str, root: str | Path | None = None, *, classes: str = "paper", **options: object
) -> pd.DataFrame:
    """The utterances of a corpus, sorted by name.

    `name` is one of `NAMES`; `root` the folder it lies in (for `table` the CSV file, for `demo` none);
    `classes="paper"` gives the four of `sergan.EMOTIONS`, `"all"` every emotion that the corpus has. Options:
    `excited="drop"|"merge"` for `iemocap`, `labels="anger=angry,joy=happy"` for `table`.

    Index `utterance`, columns `file` (absolute path), `speaker`, `session` and `gender` (empty where the
    corpus has none), `emotion`, `duration_s` (seconds, by the file's header; NaN where that cannot be read:
    `check` and `sergan.features.extract` say why, so that one bad file does not hide the others).

    Warns, in one sentence, of labelled utterances without audio, which are left out. CorpusError for an
    unknown corpus, option or class, a missing folder, or one without the corpus.
    """
    if classes not in ("paper", "all"):
        raise CorpusError(f"classes={classes!r} is unknown: use 'paper' (the four) or 'all'.")
    module = _module(name)
    table = module.utterances(_root(name, root), **_checked(name, options)).sort_index()
    if classes == "paper":
        table = table[table["emotion"].isin(EMOTIONS)]
    absent = table.index[table["file"] == ""]
    if len(absent):
        warnings.warn(
            f"{name}: {len(absent)} labelled utterances have no audio and are left out, the first is "
            f"{absent[0]}: sergan check {name} {root} counts them.",
            stacklevel=2,
        )
        table = table.drop(absent)
    if table.empty:
        raise CorpusError(
            f"{root} holds no utterance of the classes asked for: run sergan check {name} {root}."
        )
    durations = _durations(table["file"].tolist())
    return table.assign(duration_s=[float("nan") if isinstance(wrong, str) else wrong for wrong in durations])


def check(name: str, root: str | Path | None = None, **options: object) -> Check:
    """What is there of a corpus, against what should be: the preflight before any long run.

    Compares the four classes with the published counts, in every session or for every speaker, and opens the
    header of every file. `table` has no published counts: it is complete when every row is sound. Options as
    for `load`. CorpusError for an unknown corpus or option, a missing folder, one without any of the corpus.
    """
    module = _module(name)
    place = _root(name, root)
    _checked(name, options)
    if name == "table":
        found, problems = module.read(place, **options)
        return Check.of(name, found, {}, problems, _durations)
    expected = module.expected(**options) if hasattr(module, "expected") else module.EXPECTED
    found = module.utterances(place, **options)
    remedy = "install sergan again" if name == "demo" else "copy it again from the release"
    if hasattr(module, "REMOTE"):
        remedy = f"sergan fetch {name} --to FOLDER completes it"
    return Check.of(name, found, expected, [], _durations, remedy)


def fetch(
    name: str,
    to: str | Path,
    *,
    timeout_s: float = 60,
    retries: int = 5,
    wait_s: float = 2,
    progress: bool = True,
) -> Check:
    """Download a corpus from its own public place into the folder `to`, verify it, unpack it, check it.

    Prints licence and citation before anything is asked of the network. Every file is verified before it gets
    its name: by the archive's published hash, or through the hashes under a pinned Git commit (this needs the
    program `git`). Run it again after a break: what is there and verified is not downloaded again; a file of
    the corpus that has been altered is replaced. A request that fails is repeated `retries` times, after
    `wait_s` seconds, then twice that, and so on; one without an answer for `timeout_s` seconds has failed.

    Returns what `check` finds. FetchError where the corpus cannot be fetched (`iemocap`, `table`, `demo`),
    the network or the disk fails for good, or what arrives is not what was published.
    """
    module = _module(name)
    if not hasattr(module, "REMOTE"):
        by_hand = getattr(module, "BY_HAND", "it comes with this package")
        raise FetchError(f'The corpus "{name}" cannot be fetched: {by_hand}.')
    from sergan.corpora import _fetch

    # Use is bound to these terms, so they come first, even if nothing comes after them.
    print(
        f"{module.TITLE}\n{module.HOMEPAGE}\nLicence: {module.LICENCE}\nPlease cite:\n{module.CITATION}\n",
        flush=True,
    )
    how = _fetch.Manner(timeout_s, retries, wait_s, progress)
    place = Path(to).expanduser().absolute()
    _fetch.fetch(module.REMOTE, place, how, by_hand=f"take it by hand from {module.HOMEPAGE}")
    return check(name, place)


def describe(name: str) -> dict:
    """The facts of a corpus, for `sergan corpora` and its `--json`.

    Keys `name, title, language, licence, homepage, citation, counts` (class -> utterances, empty for
    `table`), `utterances` (their sum), `fetchable`, `options` (those of `load`).

    >>> describe("emodb")["counts"]
    {'angry': 127, 'neutral': 79, 'happy': 71, 'sad': 62}
    """
    module = _module(name)
    groups = module.EXPECTED.values()
    counts = {emotion: sum(group.get(emotion, 0) for group in groups) for emotion in EMOTIONS}
    return {
        "name": name,
        "title": module.TITLE,
        "language": module.LANGUAGE,
        "licence": module.LICENCE,
        "homepage": module.HOMEPAGE,
        "citation": module.CITATION,
        "counts": counts if module.EXPECTED else {},
        "utterances": sum(counts.values()),
        "fetchable": hasattr(module, "REMOTE"),
        "options": list(inspect.signature(module.utterances).parameters)[1:],
    }
