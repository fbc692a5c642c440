"""What chapter 3 says of real recordings, measured: how long they are, and how often openSMILE finds a pitch.

    python benchmarks/speech_tables.py FOLDER [FILE]

FOLDER holds the corpora, each in a folder of its name (nemo, ravdess, emodb); FILE is `results/measured/speech.json`
unless told. For each corpus, over the utterances of the four classes:

- `duration_s`: the lengths that 0, 10, ..., 90, 95, 99 and 100 % of the utterances do not exceed, in seconds;
- `longer`: the per cent of utterances with more rows than 512 (the paper's number of steps);
- `voiced`: by gender and emotion, the per cent of *loud* rows with F0 above 0. Loud are the rows whose RMS energy
  is at least the 60 % quantile of their utterance. Also how many utterances and speakers each number is from.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sergan import corpora, features
from sergan.files import replacing

CORPORA = ("nemo", "ravdess", "emodb")
SHARES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100)
RMS, F0, FRAMES = features.NAMES.index("pcm_RMSenergy_sma"), features.NAMES.index("F0_sma"), 512
OUT = Path(__file__).resolve().parents[1] / "results" / "measured" / "speech.json"


def loud_f0(rows):
    """F0 of an utterance's loud rows."""
    return rows[rows[:, RMS] >= np.quantile(rows[:, RMS], 0.6), F0]


def measure(name, root):
    table = corpora.load(name, root)
    sequences = features.extract(table["file"], progress=False)
    counts = np.array([len(rows) for rows in sequences])
    table = table.assign(f0=[loud_f0(rows) for rows in sequences])
    voiced = []
    for (gender, emotion), group in table.groupby(["gender", "emotion"]):
        f0 = np.concatenate(group["f0"].tolist())
        voiced.append({
            "gender": gender, "emotion": emotion, "utterances": len(group), "speakers": group["speaker"].nunique(),
            "voiced": round(100 * float((f0 > 0).mean()), 1),
        })  # fmt: skip
    quantiles = np.quantile(table["duration_s"], np.array(SHARES) / 100)
    return {
        "corpus": name,
        "utterances": len(table),
        "speakers": table["speaker"].nunique(),
        "shares": SHARES,
        "duration_s": [round(float(x), 3) for x in quantiles],
        "longer": round(100 * float((counts > FRAMES).mean()), 1),
        "voiced": voiced,
    }


def main(folder, out=OUT):
    found = {
        "made_by": "benchmarks/speech_tables.py",
        "opensmile": version("opensmile"),
        "corpora": [measure(name, Path(folder) / name) for name in CORPORA],
    }
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as file:
        file.write((json.dumps(found, indent=1) + "\n").encode())
    for one in found["corpora"]:
        print(one["corpus"], one["utterances"], "utterances, lengths", one["duration_s"])
        for row in one["voiced"]:
            print("   ", row)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
