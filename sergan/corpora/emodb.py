"""EmoDB, the Berlin Database of Emotional Speech: 535 acted utterances in German, 10 speakers, 7 emotions.

`wav/SSTTTEv.wav`, 16 kHz: speaker, text, emotion (the first letter of its German name), version. Only takes
that listeners recognised (80 %) were released, so that speakers differ much in their numbers; the four
classes are 339. Sad utterances are longer than the others. Version 2.0 adds 281 takes that were *not*
recognised, without a mark in their names: this is version 1, and `check` tells the difference.
"""

from pathlib import Path

import pandas as pd

from sergan.corpora._base import from_names
from sergan.corpora._remote import Archive

TITLE = "EmoDB: Berlin Database of Emotional Speech"
LANGUAGE = "German"
LICENCE = "CC BY 4.0 (Zenodo record 7447302, version 1.3.0); its authors ask for a citation"
HOMEPAGE = "https://zenodo.org/records/7447302"
CITATION = """@inproceedings{burkhardt2005emodb,
  title     = {A Database of {German} Emotional Speech},
  author    = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and Sendlmeier, Walter F.
               and Weiss, Benjamin},
  booktitle = {Interspeech 2005},
  address   = {Lisbon, Portugal},
  pages     = {1517--1520},
  year      = {2005}
}"""

#: Address, size and MD5: as given by public repositories that fetch this file from Zenodo; one of them quotes
#: Zenodo's own record and says that the download matched.
REMOTE = Archive(
    url="https://zenodo.org/records/7447302/files/emodb.zip?download=1",
    known_hash="md5:9d21362dbc5676ef3ab4745d83ced0db",
    size_bytes=39_981_818,
    unpacked_bytes=200_000_000,  # 535 files of about 3 s at 16 kHz and 16 bit are some 50 MB
)

#: The sixth letter of a file's name: Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral.
EMOTIONS = {
    "W": "angry",
    "N": "neutral",
    "F": "happy",
    "T": "sad",
    "A": "fearful",
    "E": "disgusted",
    "L": "bored",
}

#: From the corpus's own documentation.
MEN = ("03", "10", "11", "12", "15")
WOMEN = ("08", "09", "13", "14", "16")

#: Speaker -> class -> utterances, counted on disk.
EXPECTED = {
    speaker: dict(zip(("angry", "neutral", "happy", "sad"), counts, strict=True))
    for speaker, counts in {
        "03": (14, 11, 7, 7),
        "08": (12, 10, 11, 9),
        "09": (13, 9, 4, 4),
        "10": (10, 4, 4, 3),
        "11": (11, 9, 8, 7),
        "12": (12, 4, 2, 4),
        "13": (12, 9, 10, 5),
        "14": (16, 7, 8, 10),
        "15": (13, 11, 6, 4),
        "16": (14, 5, 11, 9),
    }.items()
}


def utterances(root: str | Path) -> pd.DataFrame:
    """Every utterance below `root`, all seven emotions.

    Index `utterance` (the file's name without suffix), columns `file` (absolute path), `speaker`, `session`
    (empty), `gender`, `emotion`. CorpusError where `root` holds none.
    """
    genders = dict.fromkeys(MEN, "male") | dict.fromkeys(WOMEN, "female")
    return from_names(
        root,
        rf"({'|'.join(sorted(genders))})[ab]\d\d([{''.join(EMOTIONS)}])[a-z]",
        "wav/03a01Wa.wav",
        lambda name: (name[1], "", genders[name[1]], EMOTIONS[name[2]]),
    )
