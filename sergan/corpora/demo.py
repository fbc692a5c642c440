"""The demo corpus: 370 utterances of synthetic speech in English, 10 voices, 4 emotions.

`SPEAKER/SPEAKER_EMOTION_NN.flac`, 16 kHz, one to three seconds: five women's and five men's voices of the
speech synthesiser espeak-ng say ten everyday sentences. Nobody spoke, felt or judged any of it: "angry",
"neutral", "happy" and "sad" name recipes (pitch, its range and rise, tremor, brightness, breath, fade, level)
that this project wrote down in `make_demo.py`, with chance and overlap between them. A program that tells
them apart has found the recipes: a score here shows that code runs and how a method behaves, and nothing
about people.

Every voice has 9 angry, 14 neutral, 5 happy and 9 sad utterances, close to IEMOCAP's proportions. Every
emotion says every sentence equally often, and rate and pauses come from one draw for all four, so that
neither text nor duration gives the emotion away. Unlike in a real corpus, labels are never in doubt.

Made by the authors of sergan and released, like the prose of the book, under CC BY 4.0. espeak-ng itself is
free software under the GPL, which covers the program and not the sound that comes out of it.
"""

from pathlib import Path

import pandas as pd

from sergan.corpora._base import folder, from_names

TITLE = "sergan demo: synthetic voices"
LANGUAGE = "English (synthetic)"
LICENCE = "CC BY 4.0; made with espeak-ng, whose GPL covers the program and not its output"
HOMEPAGE = ""
CITATION = """@misc{sergan_demo,
  title  = {The sergan demo corpus: synthetic voices in four emotions},
  author = {{The sergan authors}},
  note   = {Not human speech: made with eSpeak NG 1.51 and NumPy}
}"""

#: The embedded audio.
ROOT = Path(__file__).parent / "demo_audio"

#: Speaker -> class -> utterances.
EXPECTED = {
    speaker: {"angry": 9, "neutral": 14, "happy": 5, "sad": 9}
    for speaker in ("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5")
}


def utterances(root: str | Path | None = None) -> pd.DataFrame:
    """Every utterance of the embedded corpus, or of one made again below `root`.

    Index `utterance` (the file's name without suffix), columns `file` (absolute path), `speaker`, `session`
    (empty), `gender`, `emotion`. CorpusError where `root` holds none.

    >>> utterances().groupby("gender").size().to_dict()
    {'female': 185, 'male': 185}
    """
    return from_names(
        ROOT if root is None else root,
        r"([fm])(\d)_(angry|neutral|happy|sad)_\d\d",
        "f1/f1_angry_01.flac",
        lambda name: (name[1] + name[2], "", "female" if name[1] == "f" else "male", name[3]),
    )


def texts(root: str | Path | None = None) -> pd.Series:
    """The sentence of each utterance.

    >>> texts()["f1_angry_01"]
    'The train leaves at seven.'
    """
    table = pd.read_csv(folder(ROOT if root is None else root) / "utterances.csv", index_col="utterance")
    return table["text"]
