"""Speed and memory of a training step on the processor, as ratios against plain ways to write it.

A step is all that one batch asks for: without a GAN a step of D; with it D's on the real batch, D's on a
generated one, and G's. Each contender has a process of its own. They take turns within a round, in
alternating order, so that drift hits all alike. A turn lasts `--turn-s` or one step; it counts as the median
of its steps without the first, or as its only step. Ratios are taken within a round; shown are their median
and, in brackets, their quartiles. The cost against BAM is a ratio of medians that were measured one after the
other. Where the processes would not fit into memory side by side, each turn starts a fresh one and warms it up.

Lengths: `full`, each sequence fills all frames; `iemocap`, as many as IEMOCAP's utterances do. The references
read padding like any frame, sergan leaves it out; time is given per frame that is not padding. Memory is the
peak of the whole process, libraries included; Windows does not tell it.

References: `plain`, the paper's loop in PyTorch as one would write it from the paper alone (sergan/plain.py);
`keras`, the same in Keras (benchmarks/keras_reference.py of a source checkout).
"""

import contextlib
import importlib.util
import itertools
import json
import math
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Workers run this file as a script, and plain's must not meet the package: hence imports within functions.

HERE = Path(__file__).resolve().parent
BENCHMARKS = HERE.parent / "benchmarks"  # in a source checkout
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


def load(path):
    """A file as a module, outside any package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def torch_batch(case):
    import torch

    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    lengths = torch.tensor(lengths_of(case))
    x = torch.rand(case["batch"], case["frames"], 32) * 2 - 1
    x *= (torch.arange(case["frames"]) < lengths[:, None]).unsqueeze(-1)
    return x, lengths, torch.randint(4, (case["batch"],)), {"torch": torch.__version__}


def plain(case):
    import torch

    x, _, labels, versions = torch_batch(case)
    run = load(HERE / "plain.py").Run(case["ablation"], case["frames"], case["lstm"])

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
    import numpy as np

    reference = load(BENCHMARKS / "keras_reference.py")
    reference.set_threads(case["threads"])
    rng, lengths = np.random.default_rng(0), np.array(lengths_of(case))
    x = rng.uniform(-1, 1, (case["batch"], case["frames"], 32)).astype(np.float32)
    x *= (np.arange(case["frames"]) < lengths[:, None])[:, :, None]
    labels = np.eye(4, dtype=np.float32)[rng.integers(4, size=case["batch"])]
    run = reference.Run(case["ablation"], case["frames"], case["lstm"])

    def step():
        rows = rng.permutation(len(x))
        run.step(x[rows], labels[rows])

    return step, {"keras": reference.keras.__version__, "tensorflow": reference.tf.__version__}


def peak_gib():
    """The most memory that this process ever had, or None where the system does not tell it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
    return peak / (2**30 if sys.platform == "darwin" else 2**20)


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
        print(json.dumps({"seconds": seconds, "peak_gib": peak_gib(), "versions": versions}), file=answers)


class Failed(Exception):
    """A contender's process ended early, for want of memory for example."""


class Worker:
    """A contender's process, seen from the one that measures."""

    def __init__(self, name, case, python):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in close)
        environment = os.environ | {"OMP_NUM_THREADS": str(case["threads"])}
        self.process = subprocess.Popen(
            [python, "-P", __file__, "--work", name, json.dumps(case)], env=environment, text=True,
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


def measure(case, contenders, repetitions, *, turn_s, warmup=1):
    """Rounds of turns; for each contender its turns in seconds, its peak of memory, or why it failed."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):  # Windows
        memory = 8e9  # a small laptop's
    keep = len(contenders) * case["batch"] * case["frames"] * BYTES_A_FRAME < 0.7 * memory
    workers, found = {}, {name: {"turns_s": [], "peak_gib": None} for name in contenders}
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
                peaks = filter(None, (found[name]["peak_gib"], answer["peak_gib"]))
                found[name]["peak_gib"] = max(peaks, default=None)
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
    """The report as a table, without the columns that are empty."""
    from tabulate import tabulate

    def spread(values, digits):
        if values is None:
            return ""
        low, middle, high = (f"{value:.{digits}f}" for value in values)
        return f"{middle} [{low}, {high}]"

    def kind(r):
        return r["batch"], r["lengths"], r["contender"]

    worked = [r for r in report["rows"] if "failed" not in r]
    bam = {kind(r): r["step_s"][1] for r in worked if r["ablation"] == "BAM"}
    table = [["", "batch", "lengths", "", "s a step", "us a real frame", "times as fast as plain", "as Keras",
              "cost, BAM = 1", "peak GiB"]]  # fmt: skip
    for r in worked:
        cost = f"{r['step_s'][1] / bam[kind(r)]:.2f}" if kind(r) in bam else ""
        peak = f"{r['peak_gib']:.2f}" if r["peak_gib"] else ""
        table.append([r["ablation"], *kind(r), spread(r["step_s"], 3), f"{r['us_a_frame']:.1f}",
                      spread(r.get("times_plain"), 2), spread(r.get("times_keras"), 2), cost, peak])  # fmt: skip
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    shown = tabulate(list(zip(*columns, strict=True)), "firstrow", disable_numparse=True)
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    title = (f"Sequences of {report['frames']} frames, LSTMs of {report['lstm']}, {report['threads']} threads; "
             f"{report['machine']}")  # fmt: skip
    failed = [f"{r['ablation']}, batch {r['batch']}, {r['lengths']}, {r['contender']} failed: {r['failed']}"
              for r in report["rows"] if "failed" in r]  # fmt: skip
    return "\n".join([title, versions, shown, *failed])


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


def keras_python(named):
    """The Python of that name, or of Keras's own environment; made where missing or of other versions."""
    import platformdirs

    from sergan import SerganError

    requirements = BENCHMARKS / "requirements-keras.txt"
    if not requirements.exists():
        raise SerganError("--keras needs sergan's source: its folder benchmarks holds the program in Keras")
    if named:
        if not shutil.which(named):
            raise SerganError(f"--keras {named} is no program; name a Python that has Keras, or nothing")
        return named
    users = os.environ.get("SERGAN_CACHE") or platformdirs.user_cache_dir("sergan", appauthor=False)
    folder = Path(users) / "benchmarks-keras"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / requirements.name
    if not done.exists() or done.read_text() != requirements.read_text():
        print(f"installing Keras into {folder}", file=sys.stderr)
        install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-r", requirements]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, *install], check=True)
        except subprocess.CalledProcessError as error:
            raise SerganError("Keras cannot be installed; name a Python that has it after --keras") from error
        done.write_text(requirements.read_text())
    return str(python)


def add_options(parser):
    """The options of `sergan bench`, which `run` takes."""
    from sergan import ABLATIONS
    from sergan.config import Config

    def add(name, default, help, **more):
        shown = " ".join(map(str, default)) if isinstance(default, list) else default
        parser.add_argument(name, default=default, help=f"{help} (default: {shown})".strip(), **more)

    add("--ablation", ["BAM", "AGM"], f"of {', '.join(ABLATIONS)}", nargs="+", choices=ABLATIONS,
        metavar="ABLATION")  # fmt: skip
    add("--batch", [64], "sequences in a batch", nargs="+", type=int, metavar="N")
    add("--repetitions", [4], "rounds, one number for all or one for each --batch", nargs="+", type=int,
        metavar="N")  # fmt: skip
    add("--lengths", ["full", "iemocap"], "see below", nargs="+", choices=("full", "iemocap"))
    add("--precision", ["auto", "fp32"], "of sergan; auto is its own choice", nargs="+", metavar="NAME",
        choices=Config.CHOICES["precision"])  # fmt: skip
    add("--frames", 512, "of a sequence", type=int, metavar="N")
    add("--lstm", 256, "its width, each way", type=int, metavar="N")
    add("--threads", os.cpu_count(), "of each process", type=int, metavar="N")
    add("--turn-s", 1, "least seconds of a turn", type=float, metavar="S")
    parser.add_argument("--keras", nargs="?", const="", metavar="PYTHON",
                        help="measure Keras too, with this Python or in an environment that is made once")  # fmt: skip
    parser.add_argument("--to", type=Path, metavar="FILE", help="write all as JSON there, after each case")


def run(options):
    """Measure all cases that the options ask for; returns the report."""
    from sergan import SerganError
    from sergan.files import replacing

    repetitions = options.repetitions * (len(options.batch) if len(options.repetitions) == 1 else 1)
    if len(repetitions) != len(options.batch):
        raise SerganError("--repetitions needs one number, or one for each --batch")
    if min(*options.batch, *repetitions, options.frames, options.lstm, options.threads) < 1:
        raise SerganError("--batch, --repetitions, --frames, --lstm and --threads must be at least 1")
    contenders = {"plain": sys.executable}
    if options.keras is not None:
        contenders["keras"] = keras_python(options.keras)
    contenders |= {f"sergan {precision}": sys.executable for precision in options.precision}
    sizes = {key: getattr(options, key) for key in ("frames", "lstm", "threads")}
    report = sizes | {"machine": machine(), "versions": {}, "rows": [], "cases": []}
    report["load_before"] = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # not on Windows

    def save():
        if options.to is not None:
            try:
                with replacing(options.to) as out:
                    out.write(f"{json.dumps(report, indent=1)}\n".encode())
            except OSError as error:
                raise SerganError(f"--to {options.to} cannot be written ({error.strerror})") from error

    save()  # now, so that a wrong name costs no time
    todo = itertools.product(zip(options.batch, repetitions, strict=True), options.lengths, options.ablation)
    for (batch, rounds), lengths, ablation in todo:
        case = {"ablation": ablation, "batch": batch, "lengths": lengths} | sizes
        measured = measure(case, contenders, rounds, turn_s=options.turn_s)
        report["cases"].append(case | measured)
        report["rows"] += rows_of(case, measured)
        for one in measured["contenders"].values():
            report["versions"] |= one.get("versions", {})
        print(f"{ablation}, batch {batch}, {lengths}: done", file=sys.stderr)
        save()
    return report


if __name__ == "__main__" and sys.argv[1:2] == ["--work"]:
    work(sys.argv[2], json.loads(sys.argv[3]))
