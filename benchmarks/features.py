"""Speed of `sergan.features.extract`, as ratios against a bare openSMILE loop over the same files.

    python benchmarks/features.py FOLDER [NUMBER [REPETITIONS]]

The reference runs in turn with ours, on as many threads: it reads a file with audiofile, hands it to one
`opensmile.Smile` object, and keeps and checks nothing. FOLDER holds WAV or FLAC, mono at 16 kHz (with another
rate the loop would do other work than we do).
"""

import sys
import tempfile
import time
from pathlib import Path

import audiofile
import numpy as np
import opensmile
from joblib import Parallel, cpu_count, delayed

from sergan.features import extract

QUARTILES = (0.25, 0.5, 0.75)


def seconds(function, *arguments, **options):
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start


def main(folder, number=300, repetitions=5):
    files = sorted(file for file in Path(folder).rglob("*") if file.suffix in (".wav", ".flac"))
    files = files[:: max(1, len(files) // number)][:number]  # spread over speakers
    if not files:
        sys.exit(f"{folder} holds no .wav or .flac: name a folder of recordings.")
    smile = opensmile.Smile(opensmile.FeatureSet.IS09, feature_level="lld;lld_de")

    def bare_file(file):
        return smile(*audiofile.read(file))[0].T

    def bare():
        return Parallel(cpu_count(), prefer="threads")(delayed(bare_file)(file) for file in files)

    def ours(cache):
        return extract(files, cache=cache, progress=False)

    loop, made, cached = [], [], []
    seconds(bare), seconds(ours, False)  # imports, the disk's cache
    for repetition in range(repetitions):
        with tempfile.TemporaryDirectory() as cache:
            runs = [lambda: loop.append(seconds(bare)), lambda c=cache: made.append(seconds(ours, c))]
            for run in runs if repetition % 2 == 0 else reversed(runs):  # in turn, so that drift hits both
                run()
            cached.append(seconds(ours, cache))

    audio_s = sum(audiofile.duration(file) for file in files)
    print(
        f"{len(files)} files, {audio_s:.0f} s of audio, {cpu_count()} threads, medians of {repetitions} repetitions"
    )
    print("throughput: the loop's time over ours within a repetition, its quartiles in brackets")
    for name, times in (
        ("bare openSMILE loop", loop),
        ("extract, cold cache", made),
        ("extract, warm cache", cached),
    ):
        low, ratio, high = np.quantile(
            [bare_s / time_s for bare_s, time_s in zip(loop, times, strict=True)], QUARTILES
        )
        time_s = np.median(times)
        print(
            f"{name} {time_s:8.2f} s {audio_s / time_s:8.0f} x real time {ratio:8.2f} [{low:.2f}, {high:.2f}]"
        )


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
