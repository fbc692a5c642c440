"""Tiny imitations of the corpora's own folders, for tests."""

import os
import wave
from pathlib import Path

from sergan.corpora import iemocap

#: What stands in an evaluation file below an utterance's own line.
RATERS = (
    "C-E2:\tNeutral;\t()",
    "C-E4:\tAnger; Frustration;\t(impatient)",
    "A-E3:\tval 3; act 2; dom  2;\t()",
    "",
)


def wav(path: Path, seconds: float = 0.1) -> Path:
    """A short silent WAV, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(2 * round(16000 * seconds)))
    return path


def copies(original: Path, paths: list[Path]) -> None:
    """The same audio under many names, quickly."""
    for folder in {path.parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        os.link(original, path)


def evaluation(rows: list[tuple[str, str]], newline: str = "\n") -> bytes:
    """An EmoEvaluation file with the (utterance, code) `rows`, raters and comments between them."""
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    for number, (utterance, code) in enumerate(rows):
        lines.append(f"[{number}.2901 - {number + 1}.2366]\t{utterance}\t{code}\t[2.5000, 2.5000, 2.5000]")
        lines += RATERS
    return newline.join(lines).encode()


def iemocap_session(root: Path, session: str, counts: dict[str, int], newline: str = "\n") -> None:
    """`root/SessionN` with `counts` (the corpus's own code -> utterances) in two dialogues."""
    base = root / f"Session{session}"
    original = wav(base / "sentences" / "wav" / "silence.wav")
    codes = [code for code, count in counts.items() for _ in range(count)]
    for part, wearer in enumerate("FM"):
        dialogue = f"Ses0{session}{wearer}_impro01"
        rows = [
            (f"{dialogue}_{'FM'[number % 2]}{number:03d}", code) for number, code in enumerate(codes[part::2])
        ]
        labels = base / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_bytes(evaluation(rows, newline))
        copies(original, [base / "sentences" / "wav" / dialogue / f"{name}.wav" for name, _ in rows])


def iemocap_tree(root: Path, sessions: str = "12345") -> Path:
    """IEMOCAP with its published counts, the excited and a few undecided utterances among them."""
    codes = {name: code for code, name in iemocap.EMOTIONS.items()}
    for session in sessions:
        counts = {codes[emotion]: count for emotion, count in iemocap.EXPECTED[session].items()}
        iemocap_session(root, session, counts | {"exc": iemocap.EXCITED[session], "xxx": 3})
    return root
