"""RAVDESS, speech part: 1,440 utterances of acted emotion in English, 24 actors, 8 emotions, 48 kHz WAV.

`Actor_NN/MM-VC-EE-II-SS-RR-AA.wav`: modality, vocal channel, emotion, intensity, statement, repetition, actor
(odd numbers are men). The four classes are 672: neutral speech has no strong intensity, so half the others'
number. Two sentences only, spoken by all: a system may learn the sentence. One pair of files is identical,
`Actor_07/03-01-03-01-02-01-07` and `...-02-02-07`.
"""

from pathlib import Path

import pandas as pd

from sergan.corpora._base import from_names
from sergan.corpora._remote import Archive

TITLE = "RAVDESS: Ryerson Audio-Visual Database of Emotional Speech and Song (speech, audio only)"
LANGUAGE = "English"
LICENCE = "CC BY-NC-SA 4.0"
HOMEPAGE = "https://zenodo.org/records/1188976"
CITATION = """@article{livingstone2018ravdess,
  title   = {The {Ryerson} Audio-Visual Database of Emotional Speech and Song ({RAVDESS}): A dynamic,
             multimodal set of facial and vocal expressions in {North American English}},
  author  = {Livingstone, Steven R. and Russo, Frank A.},
  journal = {PLoS ONE},
  volume  = {13},
  number  = {5},
  pages   = {e0196391},
  year    = {2018}
}"""

#: Address, size and MD5: as given, alike, by ten public repositories that fetch this file from Zenodo, which
#: itself states the MD5; several say that they verified it after the download.
REMOTE = Archive(
    url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
    known_hash="md5:bc696df654c87fed845eb13823edef8a",
    size_bytes=208_468_073,
    unpacked_bytes=2_000_000_000,  # 1,440 files of about 4 s at 48 kHz and 16 bit are some 0.6 GB
)

#: The two digits EE of a file's name.
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}

#: Speaker -> class -> utterances: 2 statements x 2 repetitions x 2 intensities, neutral in one intensity.
EXPECTED = {f"{actor:02d}": {"angry": 8, "neutral": 4, "happy": 8, "sad": 8} for actor in range(1, 25)}


def utterances(root: str | Path) -> pd.DataFrame:
    """Every utterance of speech below `root`, all eight emotions; songs and video are passed over.

    Index `utterance` (the file's name without suffix), columns `file` (absolute path), `speaker` (`01` to
    `24`), `session` (empty), `gender`, `emotion`. CorpusError where `root` holds none.
    """
    return from_names(
        root,
        r"03-01-(0[1-8])-\d\d-\d\d-\d\d-(\d\d)",
        "Actor_01/03-01-05-01-01-01-01.wav",
        lambda name: (name[2], "", "male" if int(name[2]) % 2 else "female", EMOTIONS[name[1]]),
    )
