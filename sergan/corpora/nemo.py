"""nEMO: 4,481 utterances of acted emotion in Polish, 9 speakers, 6 emotions, 3,076 in the four classes.

`samples/{speaker}_{emotion}_{sentence}.wav`, 24 kHz, the same 90 everyday sentences for every emotion; four
women and five men. The texts and ages are in `data.tsv`, which is not read here.
"""

from pathlib import Path

import pandas as pd

from sergan.corpora._base import from_names
from sergan.corpora._remote import Repository

TITLE = "nEMO: dataset of emotional speech in Polish"
LANGUAGE = "Polish"
LICENCE = "CC BY-NC-SA 4.0"
HOMEPAGE = "https://github.com/amu-cai/nEMO"
# As the README of the pinned revision asks to be cited.
CITATION = """@inproceedings{christop-2024-nemo-dataset,
  title     = {n{EMO}: Dataset of Emotional Speech in {P}olish},
  author    = {Christop, Iwona},
  booktitle = {Proceedings of the 2024 Joint International Conference on Computational Linguistics,
               Language Resources and Evaluation (LREC-COLING 2024)},
  year      = {2024},
  pages     = {12111--12116},
  publisher = {ELRA and ICCL},
  url       = {https://aclanthology.org/2024.lrec-main.1059}
}"""

#: Address: the corpus's own README and recipes of other toolkits clone it. Revision: its README is stored
#: under this commit in public indexes of the repository; the commit's id is a hash over all its content.
REMOTE = Repository(
    url="https://github.com/amu-cai/nEMO",
    commit="66de9999a8f2f605eb5f64841790aa5cb0877782",
    paths=("samples", "data.tsv", "README.md"),
)

#: The corpus's words for its emotions.
EMOTIONS = {
    "anger": "angry",
    "neutral": "neutral",
    "happiness": "happy",
    "sadness": "sad",
    "fear": "fearful",
    "surprised": "surprised",
}

#: From the corpus's `data.tsv`.
GENDERS = {
    "EB0": "female",
    "IC0": "female",
    "KD0": "female",
    "KS0": "male",
    "MK0": "female",
    "MP0": "male",
    "SM0": "male",
    "TP0": "male",
    "WR0": "male",
}

#: Speaker -> class -> utterances, counted on disk.
EXPECTED = {speaker: {"angry": 90, "neutral": 90, "happy": 90, "sad": 90} for speaker in GENDERS}
EXPECTED["MP0"] = {"angry": 29, "neutral": 90, "happy": 30, "sad": 49}
EXPECTED["SM0"]["happy"] = 89
EXPECTED["WR0"]["neutral"] = 89


def utterances(root: str | Path) -> pd.DataFrame:
    """Every utterance below `root`, all six emotions.

    Index `utterance` (the file's name without suffix), columns `file` (absolute path), `speaker`, `session`
    (empty), `gender`, `emotion`. CorpusError where `root` holds none.
    """
    return from_names(
        root,
        rf"(\w+?)_({'|'.join(EMOTIONS)})_(\d+)",
        "samples/EB0_anger_1.wav",
        lambda name: (name[1], "", GENDERS.get(name[1], ""), EMOTIONS[name[2]]),
    )
