"""Speed and memory of a training step, as ratios against the plain loop (`plain.py`) and against Keras.

    python benchmarks/training.py                     sergan against the plain loop
    python benchmarks/training.py --keras             and against Keras (makes its environment at first)
    python benchmarks/training.py --ablation BAM --batch 64 --repetitions 5 --json speed.json

A step is all that one batch asks for: without a GAN a step of D; with it D's on the real batch, D's on a
generated one, and G's. Each contender has a process of its own. They take turns within a round, in
alternating order, so that drift hits all alike. A turn lasts `--turn-s` or one step; it counts as the median
of its steps without the first, or as its only step. Ratios are taken within a round; shown are their median
and, in brackets, their quartiles. Where the processes would not fit into memory side by side, each turn
starts a fresh one and warms it up.

Lengths: `full`, each sequence fills all frames; `iemocap`, see `lengths_of`. The references read padding like
any frame, sergan leaves it out; time is given per frame that is not padding. Memory is the peak of the whole
process, libraries included.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ABLATIONS = ("AM", "AGM", "BAM", "BAGM")
BYTES_A_FRAME = 30_000  # peak of the plain loop's BAM step, about


def lengths_of(case):
    """Frames of each utterance of a batch.

    `iemocap`: quantiles of a lognormal distribution, in random order and cut. 29.7 % are longer than 5.1 s,
    as in IEMOCAP; sigma 0.66 then gives a mean of 4.46 s (there 4.5 s) and, at 512 frames, 31 % padding
    (there 31 %).
    """
    batch, frames = case["batch"], case["frames"]
    if case["lengths"] == "full":
        return [frames] * batch
    normal, sigma = statistics.NormalDist(), 0.66
    mu = math.log(5.1) - sigma * normal.inv_cdf(1 - 0.297)
    durations_s = [math.exp(mu + sigma * normal.inv_cdf((i + 0.5) / batch)) for i in range(batch)]
    lengths = [max(1, min(frames, round(duration_s / 5.12 * frames))) for duration_s in durations_s]
    random.Random(0).shuffle(lengths)
    return lengths


# The contenders: each returns a function that takes one step, and the versions of what it runs on.


def torch_batch(case):
    import torch

    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    lengths = torch.tensor(lengths_of(case))
    x = torch.rand(case["batch"], case["frames"], 32) * 2 - 1
    x *= (torch.arange(case["frames"]) < lengths[:, None]).unsqueeze(-1)
    return x, lengths, torch.randint(4, (case["batch"],)), {"torch": torch.__version__}


def plain(case):
    import plain
    import torch

    x, _, labels, versions = torch_batch(case)
    run = plain.Run(case["ablation"], case["frames"], case["lstm"])

    def step():
        rows = torch.randperm(len(x))
        run.step(x[rows], labels[rows])

    assert "sergan" not in sys.modules  # nothing that it sets for a process may help here
    return step, versions


def sergan(case, precision):
    from sergan import __version__, objectives
    from sergan.config import Config
    from sergan.data import Sequences
    from sergan.training import Training

    x, lengths, labels, versions = torch_batch(case)
    config = Config(frames=case["frames"], lstm=case["lstm"], batch=case["batch"], precision=precision)
    training = Training(config, case["ablation"], objectives.fused)
    data = Sequences(x, lengths, labels)
    versions |= {"sergan": __version__}
    if precision == "auto":
        versions["auto"] = training.precision
    return lambda: training.epoch(data), versions  # an epoch of one batch


def keras(case):
    import keras_reference
    import numpy as np

    keras_reference.set_threads(case["threads"])
    rng, lengths = np.random.default_rng(0), np.array(lengths_of(case))
    x = rng.uniform(-1, 1, (case["batch"], case["frames"], 32)).astype(np.float32)
    x *= (np.arange(case["frames"]) < lengths[:, None])[:, :, None]
    labels = np.eye(4, dtype=np.float32)[rng.integers(4, size=case["batch"])]
    run = keras_reference.Run(case["ablation"], case["frames"], case["lstm"])

    def step():
        rows = rng.permutation(len(x))
        run.step(x[rows], labels[rows])

    return step, {
        "keras": keras_reference.keras.__version__,
        "tensorflow": keras_reference.tf.__version__,
    }


def work(name, case):
    """A contender's process: takes at least the steps and time that each line of its input asks for."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints does not reach the answers
    kind, *precision = name.split()
    step, versions = {"plain": plain, "keras": keras, "sergan": sergan}[kind](case, *precision)
    for line in sys.stdin:
        wanted, seconds = json.loads(line), []
        while len(seconds) < wanted["steps"] or sum(seconds) < wanted["turn_s"]:
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
        peak_gib = peak / (2**30 if sys.platform == "darwin" else 2**20)
        print(json.dumps({"seconds": seconds, "peak_gib": peak_gib, "versions": versions}), file=answers)


class Failed(Exception):
    """A contender's process ended early, for want of memory for example."""


class Worker:
    """A contender's process, seen from the one that measures."""

    def __init__(self, name, case, python):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in close)
        environment = os.environ | {"OMP_NUM_THREADS": str(case["threads"])}
        self.process = subprocess.Popen(
            [python, __file__, "--work", name, json.dumps(case)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip

    def ask(self, **wanted):
        with contextlib.suppress(BrokenPipeError):  # the reason is read below
            print(json.dumps(wanted), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            code = self.process.wait()
            self.errors.seek(0)
            raise Failed(f"exit code {code}; {(self.errors.read().splitlines() or [''])[-1]}")
        return json.loads(answer)

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # which ends it
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


def measure(case, contenders, repetitions, *, turn_s, warmup):
    """Rounds of turns; for each contender its turns in seconds, its peak of memory, or why it failed."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    keep = len(contenders) * case["batch"] * case["frames"] * BYTES_A_FRAME < 0.7 * memory
    workers, found = {}, {name: {"turns_s": [], "peak_gib": 0.0} for name in contenders}
    try:
        for repetition in range(repetitions):
            for name in list(contenders) if repetition % 2 == 0 else reversed(contenders):
                if "failed" in found[name]:
                    continue
                try:
                    if name not in workers:
                        workers[name] = Worker(name, case, contenders[name])
                        workers[name].ask(turn_s=0, steps=warmup)
                    answer = workers[name].ask(turn_s=turn_s, steps=1)
                except Failed as error:
                    found[name]["failed"] = str(error)
                    workers.pop(name).close()
                    continue
                found[name]["turns_s"].append(statistics.median(answer["seconds"][1:] or answer["seconds"]))
                found[name]["peak_gib"] = max(found[name]["peak_gib"], answer["peak_gib"])
                found[name]["versions"] = answer["versions"]
                if not keep:
                    workers.pop(name).close()
    finally:
        for worker in workers.values():
            worker.close()
    return {"fresh_process_a_turn": not keep, "contenders": found}


def quartiles(values):
    """Lower quartile, median, upper quartile."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3


def rows_of(case, measured):
    """One row a contender: seconds a step, microseconds a real frame, ratios to the references, memory."""
    real, found = sum(lengths_of(case)), measured["contenders"]
    for name, one in found.items():
        row = {key: case[key] for key in ("ablation", "batch", "lengths")} | {"contender": name}
        if "failed" in one:
            yield row | {"failed": one["failed"]}
            continue
        row |= {"step_s": quartiles(one["turns_s"]), "peak_gib": one["peak_gib"]}
        row["us_a_frame"] = 1e6 * statistics.median(one["turns_s"]) / real
        for reference in ("plain", "keras"):
            other = found.get(reference, {"failed": ""})
            if "failed" not in other and name != reference:
                pairs = zip(other["turns_s"], one["turns_s"], strict=True)
                row[f"times_{reference}"] = quartiles([theirs / ours for theirs, ours in pairs])
        yield row


def text(report):
    """The report as a table."""
    from tabulate import tabulate

    def spread(values, digits):
        if values is None:
            return ""
        low, middle, high = (f"{value:.{digits}f}" for value in values)
        return f"{middle} [{low}, {high}]"

    table = []
    for r in report["rows"]:
        start = [r["ablation"], r["batch"], r["lengths"], r["contender"]]
        if "failed" in r:
            table.append([*start, "failed"])
        else:
            table.append([*start, spread(r["step_s"], 3), f"{r['us_a_frame']:.1f}",
                          spread(r.get("times_plain"), 2), spread(r.get("times_keras"), 2),
                          f"{r['peak_gib']:.2f}"])  # fmt: skip
    headers = ["", "batch", "lengths", "", "s a step", "us a real frame", "times as fast as plain",
               "as Keras", "peak GiB"]  # fmt: skip
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    title = f"Sequences of {report['frames']} frames, {report['threads']} threads; {report['machine']}"
    failed = [f"{r['ablation']}, batch {r['batch']}, {r['lengths']}, {r['contender']}: {r['failed']}"
              for r in report["rows"] if "failed" in r]  # fmt: skip
    return "\n".join([title, versions, tabulate(table, headers, disable_numparse=True), *failed])


def machine():
    """The processor by name, and which of its instructions matter here."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    name = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")),
                platform.machine())  # fmt: skip
    known = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {flag} " in f"{info} "]
    return ", ".join([name, *known])


def keras_python():
    """The Python of Keras's own environment; made where it is missing or other versions are asked for."""
    import platformdirs

    users = os.environ.get("SERGAN_CACHE") or platformdirs.user_cache_dir("sergan", appauthor=False)
    folder, requirements = Path(users) / "benchmarks-keras", HERE / "requirements-keras.txt"
    python = folder / "bin" / "python"
    done = folder / "requirements-keras.txt"
    if not done.exists() or done.read_text() != requirements.read_text():
        print(f"installing Keras into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run(
            [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-r", requirements],
            check=True,
        )
        done.write_text(requirements.read_text())
    return str(python)


def parser():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--ablation", nargs="+", choices=ABLATIONS, default=["BAM", "AGM", "BAGM", "AM"])
    options.add_argument("--batch", nargs="+", type=int, default=[64, 1024], metavar="N")
    options.add_argument("--repetitions", nargs="+", type=int, default=[15, 3], metavar="N",
                         help="rounds, one number for each batch size")  # fmt: skip
    options.add_argument("--lengths", nargs="+", choices=("full", "iemocap"), default=["full", "iemocap"])
    options.add_argument("--precision", nargs="*", default=["auto", "fp32"], metavar="NAME",
                         help="of sergan's contenders; auto is its own choice")  # fmt: skip
    options.add_argument("--frames", type=int, default=512)
    options.add_argument("--lstm", type=int, default=256)
    options.add_argument("--threads", type=int, default=os.cpu_count())
    options.add_argument("--turn-s", type=float, default=1, help="least duration of a turn")
    options.add_argument("--warmup", type=int, default=1, help="steps that do not count, in each new process")
    options.add_argument("--keras", nargs="?", const="", metavar="PYTHON",
                         help="measure Keras too; name a Python that has it, or one is made")  # fmt: skip
    options.add_argument("--json", type=Path, metavar="FILE", help="write everything there, after each case")
    return options


def main(arguments=None):
    options = parser()
    chosen = options.parse_args(arguments)
    if len(chosen.repetitions) != len(chosen.batch):
        options.error("--repetitions needs one number for each --batch")
    contenders = {"plain": sys.executable}
    if chosen.keras is not None:
        contenders["keras"] = chosen.keras or keras_python()
    contenders |= {f"sergan {precision}": sys.executable for precision in chosen.precision}
    report = {"frames": chosen.frames, "lstm": chosen.lstm, "threads": chosen.threads, "machine": machine(),
              "load_before": os.getloadavg()[0], "versions": {}, "rows": [], "cases": []}  # fmt: skip
    for batch, repetitions in zip(chosen.batch, chosen.repetitions, strict=True):
        for lengths in chosen.lengths:
            for ablation in chosen.ablation:
                case = {"ablation": ablation, "batch": batch, "lengths": lengths, "frames": chosen.frames,
                        "lstm": chosen.lstm, "threads": chosen.threads}  # fmt: skip
                measured = measure(case, contenders, repetitions, turn_s=chosen.turn_s, warmup=chosen.warmup)
                report["cases"].append(case | measured)
                report["rows"] += rows_of(case, measured)
                for one in measured["contenders"].values():
                    report["versions"] |= one.get("versions", {})
                print(f"{ablation}, batch {batch}, {lengths}: done", file=sys.stderr)
                if chosen.json is not None:
                    chosen.json.write_text(json.dumps(report, indent=1) + "\n")
    print(text(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
