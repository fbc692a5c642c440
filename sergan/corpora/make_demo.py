"""Make the `demo` corpus with espeak-ng and NumPy: `python -m sergan.corpora.make_demo --to DIR`.

Each utterance is spoken by espeak-ng (pitch, pitch range, rate) and then shaped (rise, tremor, spectral
tilt, breath, fade, level). Its seed is its own place in the corpus, so any single one can be made again
alone; with the same espeak-ng and SciPy the samples come out the same. How an emotion sounds is a choice
of this project, made so that a listener can tell the four apart and a classifier has to work for it. It
is not a measurement of how people speak.
"""

import argparse
import csv
import io
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import audiofile
import numpy as np
from scipy.signal import resample_poly

from sergan import EMOTIONS, SerganError
from sergan.corpora import demo

SEED = 2019  # the year of the paper
RATE = 16_000  # Hz
MADE_WITH = "1.51"  # espeak-ng; another version may pronounce or time the sentences otherwise

#: Everyday sentences that fit any of the four emotions, all about equally long.
TEXTS = (
    "The train leaves at seven.",
    "My brother has the other key.",
    "They moved the table to the window.",
    "It is raining again this morning.",
    "We are going home on Monday.",
    "The letter came a week ago.",
    "I left the bag in the kitchen.",
    "She told me about the new house.",
    "There are nine people in the room.",
    "You can read it in the paper.",
)

#: Utterances per speaker: 24.3, 37.8, 13.5 and 24.3 %; in IEMOCAP 24.6, 38.0, 13.3 and 24.1 %. Times ten
#: speakers each count is a multiple of ten: every emotion says every sentence equally often.
COUNTS = {"angry": 9, "neutral": 14, "happy": 5, "sad": 9}

#: speaker: espeak-ng voice, pitch setting, and size (above 1: a smaller head, so higher formants and pitch).
#: The men speak high for men, on purpose: openSMILE finds no pitch in much lower synthetic voices. Three
#: accents, so that leaving a speaker out means something.
SPEAKERS = {
    "f1": ("en-us+f2", 58, 1.00),
    "f2": ("en-us+steph3", 64, 1.02),
    "f3": ("en-us+linda", 48, 0.96),
    "f4": ("en-gb-x-rp+f4", 66, 1.04),
    "f5": ("en-gb-scotland+Annie", 48, 0.98),
    "m1": ("en-us+m3", 78, 1.14),
    "m2": ("en-us+Alex", 76, 1.04),
    "m3": ("en-us+Marco", 68, 1.02),
    "m4": ("en-gb-x-rp+m7", 80, 1.10),
    "m5": ("en-gb-scotland+Andy", 78, 1.10),
}

#: What is drawn for each utterance: shifts from the speaker's own neutral, in these units.
#:  pitch   espeak-ng's steps, about 1 % of F0 each
#:  range   % of the voice's own pitch range
#:  smile   % by which formants, and pitch with them, move up: spread lips shorten the vocal tract
#:  rise    % of F0 from the first to the last sample
#:  tremor  % of F0, at 5 Hz
#:  tilt    dB above 1 kHz: a pressed voice is brighter, a slack one duller
#:  breath  dB of noise that follows the voice's envelope
#:  fade    dB from the first to the last sample: whether the voice holds its force
#:  level   dB
QUALITIES = ("pitch", "range", "smile", "rise", "tremor", "tilt", "breath", "fade", "level")

#: What an emotion shifts, at strength 1. Happy and angry lie on the same side of neutral and differ in kind
#: and degree; sad lies on the other side: so mistakes will not fall evenly.
SHIFTS = {
    "angry": (5, 30, -2, -12, 0.0, 7, -6, 4, 4),
    "neutral": (0, 0, 0, 0, 0.0, 0, 0, 0, 0),
    "happy": (14, 60, 7, 15, 0.0, 2, 0, -1, 2),
    "sad": (-4, -50, -1, -2, 2.0, -6, 8, -6, -4),
}

#: Standard deviation of the same qualities from one utterance to the next, whatever the emotion ...
SPREAD = (3, 15, 1.5, 4, 0.5, 1.5, 2.5, 2, 3)
#: ... and from one speaker to the next: a loud or a bright voice need not be an angry one.
SPEAKER_SPREAD = (0, 0, 0, 0, 0.2, 1, 1.5, 0, 2)
#: How strongly an emotion is shown (1 = as in SHIFTS), drawn evenly: from half a shift to one and a half.
STRENGTH = (0.5, 1.5)


def utterances():
    """Yield (name, speaker, emotion, text, seed) of the corpus, in its order.

    >>> next(utterances())
    ('f1_angry_01', 'f1', 'angry', 'The train leaves at seven.', (2019, 0, 0, 0))
    """
    for (s, speaker), (e, emotion) in itertools.product(enumerate(SPEAKERS), enumerate(EMOTIONS)):
        for i in range(COUNTS[emotion]):
            text = TEXTS[(s * COUNTS[emotion] + i) % len(TEXTS)]
            yield f"{speaker}_{emotion}_{i + 1:02}", speaker, emotion, text, (SEED, s, e, i)


def draw(emotion, rng, speaker_rng):
    """The qualities of one utterance: shift x strength + the speaker's habit + chance."""
    habit = np.array(SPEAKER_SPREAD) * speaker_rng.standard_normal(len(QUALITIES))
    chance = np.array(SPREAD) * rng.standard_normal(len(QUALITIES))
    values = np.array(SHIFTS[emotion]) * rng.uniform(*STRENGTH) + habit + chance
    return dict(zip(QUALITIES, values, strict=True))


def speak(text, speaker, *, pitch, range, smile, speed):
    """espeak-ng's samples at 16 kHz, from the first to the last audible one."""
    voice, own_pitch, size = SPEAKERS[speaker]
    size *= 1 + smile / 100
    speed = round(speed / size)  # because the resampling below makes it faster by `size`
    pitch, range = np.clip(round(own_pitch + pitch), 0, 99), np.clip(round(100 + range), 20, 200)
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "-m", "--stdin", "--stdout"]
    ssml = f'<prosody range="{range}%">{text}</prosody>'
    try:
        wav = subprocess.run(command, input=ssml.encode(), capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SerganError(f"espeak-ng could not speak ({error}): install it and its voice {voice}.") from None
    x = np.frombuffer(wav, "<i2", offset=44) / 32768  # 44 bytes of header, then 22,050 Hz mono
    x = resample_poly(x, 320, round(441 * size))
    audible = np.flatnonzero(np.abs(x) > 0.01 * np.abs(x).max())
    return x[audible[0] : audible[-1] + 1]


def shape(x, rng, *, rise, tremor, tilt, breath, fade, level):
    """Bend the pitch of the voice `x`, then give it its tilt, breath, fade and level."""
    t, line = np.arange(len(x)) / RATE, np.linspace(-0.5, 0.5, len(x))  # seconds; first to last sample
    # Rise and tremor: reading `x` at a changing speed bends its pitch, and its formants as little.
    speed = 1 + rise / 100 * line + max(tremor, 0) / 100 * np.sin(2 * np.pi * (5 * t + rng.uniform()))
    x = np.interp(np.cumsum(speed) / np.sum(speed) * t[-1], t, x)
    # Tilt: a shelf, half of it reached at 1 kHz.
    spectrum, hz = np.fft.rfft(x), np.fft.rfftfreq(len(x), 1 / RATE)
    x = np.fft.irfft(spectrum * 10 ** (tilt / 20 / (1 + (1000 / np.maximum(hz, 1)) ** 2)), len(x))
    # Breath: noise without its lows, as loud as the voice is at that moment; 0 stands for -36 dB.
    envelope = np.sqrt(np.convolve(x**2, np.hanning(640) / 320, "same").clip(0))
    noise = np.diff(rng.standard_normal(len(x) + 1)) / np.sqrt(2)
    x = x + envelope * noise * 10 ** ((min(breath, 15) - 36) / 20)
    # Fade: a straight line in dB.
    x = x * 10 ** (fade / 20 * line)
    # Level: 0 stands for -28 dBFS, far enough below 0 for most; the few louder peaks are scaled, not cut.
    x = x * 10 ** ((level - 28) / 20) / np.sqrt(np.mean(x**2))
    return x / max(1, np.abs(x).max() / 0.95)


def make(speaker, emotion, text, seed):
    """The samples of one utterance, int16 at 16 kHz."""
    rng = np.random.default_rng(seed)
    habits = np.random.default_rng((*seed[:2], len(EMOTIONS)))  # the same for all of a speaker's utterances
    q = draw(emotion, rng, habits)
    # Speed and pauses come from the same draw for all emotions, on purpose: in some corpora duration alone
    # gives the emotion away, here it must not.
    speed, before_s, after_s = rng.integers(165, 245), *rng.uniform(0.05, 0.25, 2)
    x = speak(text, speaker, speed=speed, **{name: q.pop(name) for name in ("pitch", "range", "smile")})
    x = shape(x, rng, **q)
    x = np.pad(x, (int(before_s * RATE), int(after_s * RATE)))
    # A faint hiss, -84 dBFS: no recording is digitally silent, and a logarithm would notice.
    x = x + 10 ** (-84 / 20) * rng.standard_normal(len(x))
    return np.round(x * 32767).astype(np.int16)


def main():
    parser = argparse.ArgumentParser(description="Make the demo corpus (needs espeak-ng).")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a folder not there yet")
    try:
        make_all(parser.parse_args().to)
    except SerganError as error:
        sys.exit(f"make_demo: {error}")


def make_all(to):
    """Write the audio, a folder per speaker, `utterances.csv` and `README`; nothing half-done."""
    if to.exists():
        raise SerganError(f"{to} exists: name a new folder with --to, or remove it first.")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent) as unfinished:
        folder = Path(unfinished) / "demo"
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["utterance", "file", "speaker", "gender", "emotion", "text"])
        for name, speaker, emotion, text, seed in utterances():
            (folder / speaker).mkdir(parents=True, exist_ok=True)
            file = f"{speaker}/{name}.flac"
            audiofile.write(str(folder / file), make(speaker, emotion, text, seed), RATE)
            gender = "female" if speaker.startswith("f") else "male"
            writer.writerow([name, file, speaker, gender, emotion, text])
        (folder / "utterances.csv").write_text(table.getvalue(), encoding="utf-8")
        (folder / "README").write_text(demo.__doc__, encoding="utf-8")
        folder.rename(to)


if __name__ == "__main__":
    main()
