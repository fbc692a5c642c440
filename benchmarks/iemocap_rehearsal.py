"""A rehearsal of the paper's experiment at full size, for machines without an IEMOCAP licence: what would it cost?

    python benchmarks/iemocap_rehearsal.py FOLDER [--epochs N | --steps N] [--batch N] [--set KEY=VALUE ...]

Makes an imitation of IEMOCAP in FOLDER: its layout, its 4,490 utterances by session and class, its lengths, but
**noise and tones instead of speech**. Then it runs what a licensee would run (`sergan check`, `features`, `run` of
every ablation and of the speaker split, `report`), each as a process of its own, measures time and peak memory,
and computes from a few epochs what 400 of them take. No score of it means anything; there is nothing to learn.

What has been made and measured is kept in FOLDER and not done again (`--again` measures anew). Files that were
just written are read from memory: a slow disk adds to `check` and `features`. Needs Linux or macOS.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
from scipy.stats import norm
from tabulate import tabulate
from tqdm import tqdm

from sergan.config import PRESETS
from sergan.corpora import iemocap
from sergan.files import replacing

RATE, SEED = 16_000, 20190
REPEATS, EPOCHS = 5, PRESETS["paper"].epochs

#: Share of utterances longer than 5.1 s, which is 512 frames. All together: 29.7 %.
LONGER = {"angry": 0.305, "neutral": 0.23, "happy": 0.305, "sad": 0.39}
SPREAD, SHORTEST_S, LONGEST_S = 0.717, 0.7, 32.0  # of log-normal lengths, whose mean then is 4.5 s

DIALOGUES = [f"{wearer}_{name}" for wearer in "FM" for name in (
    *(f"impro{number:02}" for number in range(1, 8)),
    "script01_1", "script01_2", "script01_3", "script02_1", "script02_2", "script03_1", "script03_2",
)]  # fmt: skip

#: Ablation and reading of each row of Table 3. AM and BAM have the same loss under both readings.
ROWS = (
    ("AM", "zero"),
    ("AGM", "zero"),
    ("AGM", "fused"),
    ("BAM", "zero"),
    ("BAGM", "zero"),
    ("BAGM", "fused"),
)

NOTE = "REHEARSAL: every sound is generated noise and tones, not speech. No score here means anything.\n"

#: The command line in a process of its own, which leaves the most GPU memory it held in the file argv[1].
CHILD = """
import sys
from sergan.__main__ import main
code = main(sys.argv[2:])
torch = sys.modules.get("torch")
held = torch.cuda.max_memory_reserved() if torch and torch.cuda.is_available() else 0
open(sys.argv[1], "w").write(str(held))
sys.exit(code)
"""


# -------------------------------------------------------------------------------------------- the imitation


def utterances():
    """(session, dialogue, utterance, class, seconds) of all 4,490, always the same."""
    codes = {emotion: code for code, emotion in iemocap.EMOTIONS.items()}
    rng = np.random.default_rng(SEED)
    lengths_s = {}
    for emotion, share in LONGER.items():  # evenly spaced quantiles, in random order
        count = sum(classes[emotion] for classes in iemocap.EXPECTED.values())
        z = norm.ppf((np.arange(count) + 0.5) / count)
        seconds = 5.12 * np.exp(SPREAD * (z - norm.ppf(1 - share)))
        lengths_s[emotion] = iter(rng.permutation(seconds.clip(SHORTEST_S, LONGEST_S)).tolist())
    for session, classes in iemocap.EXPECTED.items():
        emotions = rng.permutation([emotion for emotion, count in classes.items() for _ in range(count)])
        for number, emotion in enumerate(emotions.tolist()):
            turn, place = divmod(number, 2 * len(DIALOGUES))
            dialogue = f"Ses0{session}{DIALOGUES[place // 2]}"
            yield (
                session,
                dialogue,
                f"{dialogue}_{'FM'[place % 2]}{turn:03}",
                codes[emotion],
                next(lengths_s[emotion]),
            )


def sound(number, seconds):
    """A buzz whose pitch glides, in syllables, with noise between: 16-bit mono. It says nothing of any class."""
    rng = np.random.default_rng([SEED, number])
    time_s = np.arange(round(seconds * RATE), dtype=np.float32) / RATE
    pitch, glide, syllables = rng.uniform(120, 240), rng.uniform(-10, 10), rng.uniform(2, 5)
    buzz = 2 * ((pitch * time_s + glide * np.sin(time_s)) % 1) - 1
    loud = np.sin(np.pi * syllables * time_s) ** 2
    noise = rng.standard_normal(len(time_s), dtype=np.float32)
    return (32767 * (0.25 * loud * buzz + 0.01 * noise)).clip(-32768, 32767).astype(np.int16)


def build(tree):
    """The imitation's files that are not there yet; returns its facts."""
    rows = list(utterances())
    labels = {}
    for number, (session, dialogue, name, code, seconds) in enumerate(
        tqdm(rows, desc="imitation", disable=None)
    ):
        base = tree / f"Session{session}"
        wav = base / "sentences" / "wav" / dialogue / f"{name}.wav"
        if not wav.exists():
            with replacing(wav) as out:
                soundfile.write(out, sound(number, seconds), RATE, format="WAV", subtype="PCM_16")
        lines = labels.setdefault(base / "dialog" / "EmoEvaluation" / f"{dialogue}.txt", [])
        start = 10.0 * len(lines)
        lines.append(f"[{start:.4f} - {start + seconds:.4f}]\t{name}\t{code}\t[2.5000, 2.5000, 2.5000]\n"
                     "C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t(generated)\n\n")  # fmt: skip
    for path, lines in labels.items():
        with replacing(path) as out:
            out.write(("% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n" + "".join(lines)).encode())
    lengths_s = np.array([row[-1] for row in rows])
    longer = 100 * np.mean(lengths_s > 5.12)
    return (f"{len(rows):,} files, {lengths_s.sum() / 3600:.2f} h, {lengths_s.min():.1f} to {lengths_s.max():.1f} s, "
            f"mean {lengths_s.mean():.2f} s, {longer:.1f} % longer than 512 frames")  # fmt: skip


# ------------------------------------------------------------------------------------------ the measurement


class Stages:
    """Commands that have been measured, in FOLDER/measured.json."""

    def __init__(self, folder, again):
        self.folder, self.path = folder, folder / "measured.json"
        self.done = json.loads(self.path.read_text()) if self.path.exists() and not again else {}

    def measure(self, name, *arguments):
        """Time, peak memory and output of `sergan ARGUMENTS`; a command that has been measured is not repeated."""
        arguments = [str(argument) for argument in arguments]
        key = " ".join(arguments).replace(str(self.folder), "FOLDER")
        if key not in self.done:
            print(f"{name} ...", end=" ", flush=True)
            gpu, log = self.folder / "gpu_bytes", self.folder / "output.txt"
            environment = os.environ | {"SERGAN_CACHE": str(self.folder / "cache")}
            load, start = os.getloadavg()[0], time.perf_counter()
            with open(log, "wb") as out:
                command = [sys.executable, "-c", CHILD, gpu, *arguments]
                child = subprocess.Popen(command, stdout=out, env=environment)
                _, status, usage = os.wait4(child.pid, 0)  # the peak of this child, not of all so far
            wall_s, child.returncode = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
            if child.returncode:
                sys.exit(f"{name} failed (exit {child.returncode}); its output is in {log}")
            memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            self.done[key] = {
                "name": name, "load": load, "wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime,
                "memory_bytes": memory, "gpu_bytes": int(gpu.read_text()), "output": log.read_text()[-4000:],
            }  # fmt: skip
            with replacing(self.path) as out:
                out.write(json.dumps(self.done, indent=1).encode())
            print(clock(wall_s), flush=True)
        return self.done[key]


def require(fact, sentence):
    if not fact:
        sys.exit(f"The rehearsal failed: {sentence}.")


def prepare(folder, again):
    """FOLDER as ours: never a folder that holds something else, least of all the corpus itself."""
    mark = folder / "NOT_SPEECH.txt"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        sys.exit(f"{folder} holds other files: name a folder that is empty or not there yet.")
    with replacing(mark) as out:
        out.write(NOTE.encode())
    if again:
        for name in ("cache", "stores"):
            shutil.rmtree(folder / name, ignore_errors=True)


def rehearse(folder, changes, device, again):
    """All stages; returns (stages in order, records of the paper's split by row)."""
    prepare(folder, again)
    tree, stages = folder / "IEMOCAP_imitation_not_speech", Stages(folder, again)
    start = time.perf_counter()
    print(f"{build(tree)}; made or found in {time.perf_counter() - start:.0f} s")

    found = [stages.measure("check", "check", "iemocap", tree)]
    require(
        "4490" in found[0]["output"] and "Complete." in found[0]["output"],
        "check does not find 4,490 utterances",
    )
    found.append(
        stages.measure(
            "features, nothing cached", "features", "iemocap", tree, "--to", folder / "features.npz"
        )
    )
    require("4490 utterances" in found[-1]["output"], "the features file has not 4,490 utterances")

    store = folder / "stores" / "_".join(change.replace("=", "-") for change in changes)
    run = ["run", "--corpus", "iemocap", "--root", tree, "--preset", "paper", "--store", store, "--device", device,
           "--no-weights", "--json", "--set", *changes]  # fmt: skip
    for ablation, objective in ROWS:
        name = ablation if "G" not in ablation else f"{ablation} {objective}"
        more = [] if (ablation, objective) == ROWS[0] else ["--no-baselines"]
        found.append(stages.measure(name, *run, "--ablation", ablation, "--objective", objective, *more))
    speaker = ["--split", "speaker", "--ablation", "AM", "--objective", "zero", "--no-baselines"]
    found.append(stages.measure("AM, speaker split", *run, *speaker))
    records = [json.loads(path.read_text()) for path in store.glob("*.json")]
    folds = {record["fold"] for record in records if record["split"] == "speaker"}
    require(folds == set(range(5)), f"the speaker split has folds {sorted(folds)}, not the 5 sessions")
    rows = {(r["ablation"], r["objective"]): r for r in records if r["split"] == "paper" and r["steps"]}
    require(len(rows) == len(ROWS), f"there are {len(rows)} rows of Table 3, not {len(ROWS)}")
    for record in rows.values():
        size = record["utterances"]
        require(
            (size["train"], size["test"]) == (3141, 1349),
            f"a split has {size}, not 3,141 and 1,349 utterances",
        )
    with replacing(store / "NOTE.txt") as out:
        out.write(NOTE.encode())
    found.append(stages.measure("report", "report", store))
    require("3,141" in (store / "report.html").read_text(), "the report's Table 1 is not the paper's")
    print(f"The page: {store / 'report.html'}")
    return found, [rows[a, o if "G" in a else "cross_entropy"] for a, o in ROWS]


def clock(seconds):
    if seconds < 3600:
        return f"{seconds:.1f} s" if seconds < 600 else f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def stage_table(found):
    head = ["stage", "time", "processor time", "load before", "peak memory", "GPU memory"]
    rows = [[f["name"], clock(f["wall_s"]), clock(f["cpu_s"]), f"{f['load']:.1f}", f"{f['memory_bytes'] / 1e9:.2f} GB",
             f"{f['gpu_bytes'] / 1e9:.2f} GB" if f["gpu_bytes"] else ""] for f in found]  # fmt: skip
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def cost_table(records):
    """What 400 epochs and 5 repeats of each row take, in proportion to what was measured."""
    rows, sums = [], {"both readings": 0.0, "zero alone": 0.0, "fused alone": 0.0}
    for record in records:
        epoch_s = record["time_s"] / len(record["curve"])
        full_s = EPOCHS * epoch_s
        for name in sums:
            if name.split()[0] in ("both", record["objective"]) or "G" not in record["ablation"]:
                sums[name] += REPEATS * full_s
        rows.append([f"{record['ablation']} {record['objective']}", record["steps"], f"{record['time_s']:.1f} s",
                     f"{record['time_s'] / record['steps']:.2f} s", f"{epoch_s:.2f} s", clock(full_s),
                     clock(REPEATS * full_s)])  # fmt: skip
    rows += [[f"all rows, {name}", "", "", "", "", "", clock(seconds)] for name, seconds in sums.items()]
    head = ["row", "steps", "measured", "a step", "an epoch", f"{EPOCHS} epochs", f"{REPEATS} repeats"]
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="empty, or of an earlier rehearsal; 1.5 GB"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, default=1, help="passes over the training part (default: 1)")
    length.add_argument("--steps", type=int, help="single batches instead, each an epoch with its test")
    parser.add_argument(
        "--batch", type=int, default=1024, help="utterances a step (default: the paper's 1024)"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", dest="changes", help="as in sergan run"
    )
    parser.add_argument("--again", action="store_true", help="measure again what has been measured")
    options = parser.parse_args()
    if min(options.epochs, options.batch, 1 if options.steps is None else options.steps) < 1:
        parser.error("--epochs, --steps and --batch must be at least 1")
    changes = [f"epochs={options.steps or options.epochs}", f"batch={options.batch}", *options.changes]
    changes += ["epoch=batch"] if options.steps else []
    found, records = rehearse(options.folder.absolute(), changes, options.device, options.again)

    versions = records[0]["versions"]
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, {records[0]['threads']} thread(s), device "
          f"{records[0]['device']}, Python {versions['python']}, torch {versions['torch']}, opensmile "
          f"{versions['opensmile']}, revision {records[0]['revision'] or 'unknown'}")  # fmt: skip
    print(f"preset paper with {' '.join(changes)}; sounds are noise and tones, no speech\n")
    print(stage_table(found))
    print("(load: processes that wanted a core when the stage began; above 0.5 a core, times are too long)\n")
    print(cost_table(records))
    meaning = "one batch" if options.steps else "a pass over the data"
    print(f"\nAn epoch here is {meaning}, and the test after it; its time is the mean of those measured, the first, "
          "with its warming up, among them. Loading of features comes on top, once a command.")  # fmt: skip
    if options.changes or options.batch != PRESETS["paper"].batch:
        print("These are not the paper's options, so this is not the paper's cost.")


if __name__ == "__main__":
    main()
