"""IEMOCAP: about 10,000 utterances of acted dialogue in English, 5 sessions of 2 speakers each, 16 kHz WAV.

The corpus of Ko and Kim (2019). Read as it is released: `SessionN/dialog/EmoEvaluation/DIALOGUE.txt` has a
line `[start - end] <tab> utterance <tab> emotion <tab> [valence, activation, dominance]` for every utterance,
with the raters' own votes below it; `SessionN/sentences/wav/DIALOGUE/UTTERANCE.wav` has the audio. An emotion
is there where most raters agreed, else `xxx`. The four classes are 4,490; many articles add the 1,041 excited
utterances to the happy ones (5,531, here `excited="merge"`), the paper does not.

In `Ses01F_impro01_M003` the letter of the turn (M) is the speaker's; that of the dialogue (F) says who wore
the markers.
"""

import re
from pathlib import Path

import pandas as pd

from sergan.corpora._base import SUFFIXES, CorpusError, folder, utterance_table

TITLE = "IEMOCAP: interactive emotional dyadic motion capture database"
LANGUAGE = "English"
LICENCE = "on request from the University of Southern California, for research, never passed on"
HOMEPAGE = "https://sail.usc.edu/iemocap/"
CITATION = """@article{busso2008iemocap,
  title   = {{IEMOCAP}: interactive emotional dyadic motion capture database},
  author  = {Busso, Carlos and Bulut, Murtaza and Lee, Chi-Chun and Kazemzadeh, Abe and Mower, Emily and
             Kim, Samuel and Chang, Jeannette N. and Lee, Sungbok and Narayanan, Shrikanth S.},
  journal = {Language Resources and Evaluation},
  volume  = {42},
  number  = {4},
  pages   = {335--359},
  year    = {2008}
}"""

#: Why there is no REMOTE.
BY_HAND = "ask for it at https://sail.usc.edu/iemocap/iemocap_release.htm"

EMOTIONS = {
    "ang": "angry",
    "neu": "neutral",
    "hap": "happy",
    "sad": "sad",
    "exc": "excited",
    "fru": "frustrated",
    "fea": "fearful",
    "sur": "surprised",
    "dis": "disgusted",
    "oth": "other",
    "xxx": "undecided",
}

#: Session -> class -> utterances; the sums over sessions are those of the paper's Table 1.
EXPECTED = {
    "1": {"angry": 229, "neutral": 384, "happy": 135, "sad": 194},
    "2": {"angry": 137, "neutral": 362, "happy": 117, "sad": 197},
    "3": {"angry": 240, "neutral": 320, "happy": 135, "sad": 305},
    "4": {"angry": 327, "neutral": 258, "happy": 65, "sad": 143},
    "5": {"angry": 170, "neutral": 384, "happy": 143, "sad": 245},
}

#: Session -> excited utterances, 1,041 in all: public reports count happy and excited together as 278, 327,
#: 286, 303 and 442.
EXCITED = {"1": 143, "2": 210, "3": 151, "4": 238, "5": 299}

_SESSION = re.compile(r"Session([1-5])")
# Of bounded length, and nothing in a name that a path could lead elsewhere with: the file may be anybody's.
_HEADER = re.compile(
    r"\[\s{,9}[\d.]{1,20}\s{,9}-\s{,9}[\d.]{1,20}\s{,9}\]\s{1,9}(Ses(0[1-5])[FM]_\w{1,40}_([FM])\w{1,9})\s{1,9}(\w{3})\s{1,9}\[",
    re.ASCII,
)


def expected(excited: str = "drop") -> dict[str, dict[str, int]]:
    """The published counts, session -> class -> utterances, as `utterances` should find them.

    >>> sum(sum(classes.values()) for classes in expected().values())
    4490
    >>> sum(sum(classes.values()) for classes in expected(excited="merge").values())
    5531
    """
    _check_excited(excited)
    extra = EXCITED if excited == "merge" else dict.fromkeys(EXPECTED, 0)
    return {
        session: classes | {"happy": classes["happy"] + extra[session]}
        for session, classes in EXPECTED.items()
    }


def _check_excited(excited: str) -> None:
    if excited not in ("drop", "merge"):
        raise CorpusError(f"excited={excited!r} is unknown: use 'drop' or 'merge' (excited counts as happy).")


def _sessions(root: Path) -> dict[str, Path]:
    return {
        match[1]: path
        for path in sorted(root.iterdir())
        if (match := _SESSION.fullmatch(path.name)) and path.is_dir()
    }


def find(root: str | Path) -> Path:
    """The folder that holds `Session1` ... `Session5`: `root`, the one above it, or the only such one in it.

    CorpusError where there is none, or more than one to choose from.
    """
    root = folder(root)
    if _sessions(root):
        return root
    # A session itself, or something in it, was given.
    for place in (root, *root.parents[:3]):
        if _SESSION.fullmatch(place.name):
            if len(_sessions(place.parent)) > 1:
                return place.parent
            raise CorpusError(
                f"{place} is a single session: give the folder that holds Session1 to Session5."
            )
    inside = [path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    inside = [path for path in inside if _sessions(path)]
    if len(inside) > 1:
        raise CorpusError(
            f"{root} holds IEMOCAP twice, {inside[0].name} and {inside[1].name}: give one of them."
        )
    if not inside:
        raise CorpusError(
            f"{root} holds no Session1 to Session5: give the folder IEMOCAP_full_release ({BY_HAND})."
        )
    return inside[0]


def _audio(session: Path, dialogue: str, utterance: str) -> str:
    """The path of an utterance's audio, empty where there is none."""
    place = session / "sentences" / "wav" / dialogue / utterance
    for suffix in SUFFIXES:
        path = place.with_name(utterance + suffix)
        if path.is_file():
            return str(path)
    return ""


def utterances(root: str | Path, excited: str = "drop") -> pd.DataFrame:
    """Every labelled utterance below `root`, all eleven labels, `undecided` among them.

    `excited="drop"` leaves the excited as a class of its own (not among the four), `"merge"` counts them as
    happy. Index `utterance`, columns `file` (absolute path, **empty where the audio is missing**), `speaker`
    (`Ses01F` ... `Ses05M`), `session` (`1` to `5`), `gender`, `emotion`. CorpusError where `root` is not the
    corpus.
    """
    _check_excited(excited)
    names = EMOTIONS | ({"exc": "happy"} if excited == "merge" else {})
    rows = {}
    for number, session in _sessions(find(root)).items():
        # Not below: the folders Attribute, Categorical and Self-evaluation hold single raters' votes.
        for path in sorted((session / "dialog" / "EmoEvaluation").glob("*.txt")):
            if path.name.startswith("."):
                continue
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                if not (header := _HEADER.match(line)):
                    continue
                utterance, _, letter, code = header.groups()
                rows[utterance] = (
                    _audio(session, path.stem, utterance),
                    f"Ses0{number}{letter}",
                    number,
                    {"F": "female", "M": "male"}[letter],
                    names.get(code, "other"),
                )
    return utterance_table(rows)
