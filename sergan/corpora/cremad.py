"""CREMA-D: 7,442 utterances of acted emotion in English, 91 actors, 6 emotions, 4,900 in the four classes.

`AudioWAV/1001_DFA_ANG_XX.wav`, 16 kHz: actor, sentence (one of twelve), emotion, intensity (LO, MD, HI, XX
for unspecified). The label here is the emotion that the actor was asked for, not the one that listeners heard.
Sex, age and origin of the actors are in `VideoDemographics.csv`.
"""

import csv
from pathlib import Path

import pandas as pd

from sergan.corpora._base import CorpusError, files_below, folder, from_names
from sergan.corpora._remote import Repository

TITLE = "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset (audio)"
LANGUAGE = "English"
LICENCE = "Open Database License (ODbL) 1.0, its contents under the Database Contents License (DbCL) 1.0"
HOMEPAGE = "https://github.com/CheyneyComputerScience/CREMA-D"
CITATION = """@article{cao2014cremad,
  title   = {{CREMA-D}: Crowd-sourced Emotional Multimodal Actors Dataset},
  author  = {Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and Gur, Ruben C. and
             Nenkova, Ani and Verma, Ragini},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {5},
  number  = {4},
  pages   = {377--390},
  year    = {2014}
}"""

#: Address and revision: ten public repositories pin this commit, whose id is a hash over all its content; the
#: audio in it is Git LFS pointers, each with the SHA-256 of its file. Media address: two of them fetch so.
REMOTE = Repository(
    url="https://github.com/CheyneyComputerScience/CREMA-D.git",
    commit="1658cd342dff90010aa843eaeebd53610a08b1dc",
    paths=("AudioWAV", "VideoDemographics.csv", "LICENSE.txt"),
    media=(
        "https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/"
        "1658cd342dff90010aa843eaeebd53610a08b1dc/"
    ),
    batch=500,
)

EMOTIONS = {
    "ANG": "angry",
    "NEU": "neutral",
    "HAP": "happy",
    "SAD": "sad",
    "FEA": "fearful",
    "DIS": "disgusted",
}

#: Class -> utterances of all actors together, as public reports on the corpus count them (an actor has 14 of
#: a class, 12 neutral ones; 14 of those files were never released, and which is not known here).
EXPECTED = {"all": {"angry": 1271, "neutral": 1087, "happy": 1271, "sad": 1271}}


def _genders(root: Path) -> dict[str, str]:
    """Actor -> female or male from `VideoDemographics.csv`, empty where that is not below `root`."""
    path = next((path for path in files_below(root, 1) if path.name == "VideoDemographics.csv"), None)
    path = path or root.parent / "VideoDemographics.csv"
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            if {"ActorID", "Sex"} <= set(rows.fieldnames or ()):
                return {row["ActorID"]: (row["Sex"] or "").lower() for row in rows}
    except (UnicodeDecodeError, csv.Error):
        pass
    raise CorpusError(
        f"{path} has no columns ActorID and Sex: take the file from {HOMEPAGE} or move it away."
    )


def utterances(root: str | Path) -> pd.DataFrame:
    """Every utterance below `root`, all six emotions.

    Index `utterance` (the file's name without suffix), columns `file` (absolute path), `speaker`, `session`
    (empty), `gender` (empty without `VideoDemographics.csv`), `emotion`. CorpusError where `root` holds none.
    """
    genders = _genders(folder(root))
    # One file is really called 1040_ITH_SAD_X.
    return from_names(
        root,
        rf"(1\d\d\d)_[A-Z]{{3}}_({'|'.join(EMOTIONS)})_[A-Z]{{1,2}}",
        "AudioWAV/1001_DFA_ANG_XX.wav",
        lambda name: (name[1], "", genders.get(name[1], ""), EMOTIONS[name[2]]),
    )
