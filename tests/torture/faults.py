"""Faults: kill, fill the disk, revoke permissions, damage files, run two at once; then run the same command again.

What is disturbed are the command lines, each in a forked process that has everything imported already, so that a
fault costs about as long as the command computes:

    features  `sergan features table FILE.csv --to FILE`, with an empty cache
    training  `sergan run`, one network, with a checkpoint each epoch
    sweep     `sergan run --sweep FILE --jobs 2`
    dask      `sergan run --sweep FILE --dask ADDRESS`, on two workers
    fetch     `sergan fetch`, an archive by HTTP and a Git repository with large files, both on this machine
    grading   `sergan-coursework grade` and `report`, three students

A case has survived where

  * what the fault leaves has no half a file under a final name, and every run that was finished is still there, the
    same byte for byte;
  * the command, if it could not go on, said so in a sentence and not in a traceback;
  * the same command, once more, ends well, and what it leaves is what an undisturbed run leaves (but for times).

A damaged file may also be refused by a sentence that names it; then it is deleted, as the sentence asks, and the
command must end well after that.

What somebody asks for after `faults/` is a regular expression, sought in the names of rows: `faults/^(sweep|dask)`.

Kills come at random moments of the measured duration, right before each change of a file in turn (an audit hook counts
them), and in the middle of a write (a limit on the size of files whose signal is deadly). The disk is a tmpfs of this
process's own, made by bubblewrap, in which a file takes up all but so many bytes. The first number of a case
decides everything that is drawn for it. `count` is shared out among the rows of a part as `SHARES` has it.
"""

import contextlib
import csv
import fcntl
import functools
import hashlib
import http.server
import io
import json
import math
import mmap
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

WORDS = ("faults injected", "survived")
HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]

SHARES = {"kill at a moment": 0.3, "kill before a change of a file": 0.2, "kill within a write": 0.1,
          "full disk": 0.15, "no permission": 0.075, "damage": 0.125, "two at once": 0.05}  # fmt: skip
SECONDS = 180
"""No command of these takes so long: it hangs."""
DISK = 400 * 2**20


# ------------------------------------------------------------------------------------- from the command's side


def cases(count, done, only=""):
    """All rows, in a process and on a disk of their own."""
    if not any(rows_to_do(name, count, done, only) for name in PARTS):
        return
    folder = Path(tempfile.mkdtemp(prefix="sergan-torture-"))
    asked = json.dumps({"count": count, "done": done, "only": only, "folder": str(folder)})
    command, own_disk = [sys.executable, str(HERE / "faults.py"), asked], caged(folder)
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(TOP), str(TOP / "tests"))))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    environment["SERGAN_TORTURE_DISK"] = "own" if own_disk else ""
    with subprocess.Popen([*own_disk, *command], stdout=subprocess.PIPE, text=True, env=environment,
                          start_new_session=True) as worker:  # fmt: skip
        try:
            for line in worker.stdout:
                yield tuple(json.loads(line))
            if worker.wait():
                raise RuntimeError(f"the process that injects faults ended with {worker.returncode}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            shutil.rmtree(folder, ignore_errors=True)


def caged(folder: Path) -> list[str]:
    """What to put before a command so that `folder` is a small disk and all its processes end with it.

    Root has no rights there beyond those of files' bits. Empty where bubblewrap does not work.
    """
    words = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent",
             "--size", str(DISK), "--tmpfs", str(folder), "--cap-drop", "ALL"]  # fmt: skip
    try:
        works = subprocess.run([*words, "true"], capture_output=True).returncode == 0
    except OSError:
        works = False
    if not works:
        print(
            "faults: no bubblewrap here, so no disk is filled and, as root, no permission revoked",
            file=sys.stderr,
        )
    return words if works else []


# ------------------------------------------------------------------------------------------ a command, disturbed


class Child:
    """A command in a forked process: `act` returns an exit code.

    Args:
        folder: changes of files below it are counted in `changes`.
        at, then: at that change (from 1), before it happens, do this.
        within: end deadly in the middle of writing a file larger than so many bytes.
        largest: a file can be no larger, as on a full disk.
    """

    def __init__(self, act, folder, *, at=0, then=None, within=None, largest=None):
        self.counter, (reading, writing) = mmap.mmap(-1, 8), os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 2**20)
        self.start = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                os.close(reading)
                os.dup2(writing, 1)
                os.dup2(writing, 2)
                sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                if within is not None:
                    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                if (limit := within or largest) is not None:
                    limit = max(limit, 64)  # a semaphore is a file of 32 bytes in memory
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                sys.addaudithook(self.hook(str(folder), at, then or suicide))
                code = act()
            except SystemExit as error:
                code = error.code
            except BaseException:
                traceback.print_exc()
                code = 1
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code or 0)
        os.close(writing)
        os.set_blocking(reading, False)
        self.reading = reading
        self.code = self.said = None

    def hook(self, folder, at, then):
        def watch(event, given):
            if event == "open":
                if not isinstance(given[0], str | bytes) or not given[2] & (
                    os.O_WRONLY | os.O_RDWR | os.O_CREAT
                ):
                    return
            elif event not in CHANGES:
                return
            where = given[1] if event == "os.rename" else given[0]
            if event != "subprocess.Popen" and not os.path.abspath(os.fsdecode(where)).startswith(folder):
                return
            number = self.changes + 1
            self.counter[:8] = struct.pack("q", number)
            if number == at:
                then()

        return watch

    @property
    def changes(self) -> int:
        return struct.unpack("q", self.counter[:8])[0]

    def alive(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is None

    def sleep(self, seconds: float):
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(min(0.002, max(0, end - time.monotonic())))

    def kill(self, group: bool):
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(self.pid, signal.SIGKILL)
        self.end()

    def end(self):
        """Wait for the end; then `code`, `said` and `seconds` are known."""
        self.sleep(SECONDS)
        self.seconds, hangs = time.monotonic() - self.start, self.alive()
        if hangs:
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.code = "hangs"
        if self.said is None:
            said = b""
            with contextlib.suppress(BlockingIOError):
                while part := os.read(self.reading, 2**20):
                    said += part
            os.close(self.reading)
            self.said = said.decode(errors="replace")
        return self

    @property
    def problem(self) -> str:
        """How it could not go on, in its own words; empty where it ended well."""
        found = re.findall(
            r"^(?:sergan(?:-coursework)?: (?!note: )|.*: not graded: )(.+)$", self.said, re.MULTILINE
        )
        return " ".join(found) or ("" if self.code == 0 else f"exit code {self.code}")

    @property
    def crash(self) -> str:
        """What no user should see."""
        if self.code == "hangs":
            return f"it hangs ({self.said[-300:]!r})"
        if "Traceback" in self.said:
            lines = self.said.strip().splitlines()
            errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Failed|Timeout)\b", line)]
            return f"a traceback: {(errors or lines)[-1][:300]}"
        silent = self.problem == f"exit code {self.code}"
        return f"no sentence, exit code {self.code}, {self.said[-200:]!r}" if silent else ""


CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "shutil.rmtree",
           "sqlite3.connect", "subprocess.Popen"}  # fmt: skip


def suicide():
    os.kill(os.getpid(), signal.SIGKILL)


def tree(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


# ------------------------------------------------------------------------------------------------ what is disturbed


class Part:
    """A command and what it leaves.

    `act(to)` is what a process does; `begin(to)` lays out a folder; `content(to)` is what an undisturbed run and a
    resumed one must have in common; `finished(to)` what must not change once it is there; `half(to)` names a half
    file under a final name; `written(to)` are the files to damage, and `flips(path)` whether a single bit
    of it can be told from what somebody may have meant.
    """

    name = ""
    victims = ("process", "group")

    def __init__(self, folder: Path):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.prepare()
        whole = Child(*self.call(self.fresh("whole"))).end()
        again = Child(*self.call(self.fresh("again"))).end()
        self.whole, self.changes, self.seconds = self.folder / "whole", again.changes, again.seconds
        self.wanted = self.content(self.whole)
        for one in (whole, again):
            if one.crash or one.problem:
                raise RuntimeError(f"{self.name} fails undisturbed: {one.crash or one.problem}")
        if self.content(self.folder / "again") != self.wanted or (bad := self.half(self.whole)):
            raise RuntimeError(f"{self.name} does not repeat itself: {bad}")
        before = {path.relative_to(self.fresh("blank")) for path in tree(self.folder / "blank")}
        self.sizes = [
            path.stat().st_size for path in tree(self.whole) if path.relative_to(self.whole) not in before
        ]

    def call(self, to: Path) -> tuple:
        return functools.partial(self.act, to), to

    def fresh(self, name: str) -> Path:
        to = self.folder / name
        if to.exists():
            open_up(to)
            shutil.rmtree(to)
        to.mkdir()
        self.begin(to)
        return to

    def prepare(self):
        pass

    def begin(self, to: Path):
        pass

    def close(self):
        pass

    def victim(self, child: Child, which: str):
        child.kill(which == "group")

    def finished(self, to: Path) -> dict:
        return {}

    def results(self, to: Path) -> dict:
        """`content` without what may lie about for as long as it cannot be removed."""
        return {
            name: one for name, one in self.content(to).items() if one != "left" and "-download" not in name
        }

    def half(self, to: Path) -> str:
        return ""

    def written(self, to: Path) -> list[Path]:
        return tree(to)

    def flips(self, path: Path) -> bool:
        return True

    # One case of each row; `draw` decides all that is drawn. Each returns a problem or "".

    def kill_at_a_moment(self, draw, number):
        which, share = draw.choice(self.victims), draw.random()
        for _ in range(20):
            to = self.fresh("to")
            child = Child(*self.call(to))
            child.sleep(share * self.seconds)
            hit = child.alive()
            self.victim(child, which)
            if hit:
                return self.after(to, child, killed=which in ("process", "group"))
            share *= 0.8
        raise RuntimeError(f"{self.name} could not be killed")

    def kill_before_a_change_of_a_file(self, draw, number):
        at = 1 + (number * 7919) % self.changes
        to = self.fresh("to")
        child = Child(*self.call(to), at=at).end()
        if child.changes < at:  # threads and workers may make it a change less
            return self.kill_at_a_moment(draw, number)
        return self.after(to, child, killed=child.code == -signal.SIGKILL)  # else it was a worker

    def kill_within_a_write(self, draw, number):
        for _ in range(20):
            to, size = self.fresh("to"), draw.choice(self.sizes)
            child = Child(*self.call(to), within=draw.randrange(1, max(2, size))).end()
            if child.code or child.crash or child.problem:
                return self.after(to, child, killed=child.code == -signal.SIGXFSZ)
        raise RuntimeError(f"{self.name} could not be killed within a write")

    def full_disk(self, draw, number):
        to, total = self.fresh("to"), sum(self.sizes)
        if number % 3 == 2 or not os.environ.get("SERGAN_TORTURE_DISK"):
            child = Child(*self.call(to), largest=draw.randrange(1, max(2, max(self.sizes)))).end()
            return self.after(to, child)
        free = draw.randrange(int(1.1 * total))
        with full(self.folder, free):
            child = Child(*self.call(to)).end()
        return self.after(to, child)

    def no_permission(self, draw, number):
        to, way = self.fresh("to"), number % 3
        if way == 0:  # from some moment on, nothing new in some folder
            child = Child(*self.call(to), at=draw.randint(1, self.changes), then=lambda: shut(to, draw)).end()
        else:  # in what a killed command has left
            Child(*self.call(to), at=draw.randint(self.changes // 4, self.changes)).end()
            shut(to, draw, files=way == 1)
            child = Child(*self.call(to)).end()
        open_up(to)
        return self.after(to, child)

    def damage(self, draw, number):
        to = self.fresh("to")
        if number % 3:
            shutil.rmtree(to)
            shutil.copytree(self.whole, to, symlinks=True)
        else:
            Child(*self.call(to), at=draw.randint(self.changes // 2, self.changes)).end()
        files = self.written(to)
        if not files:
            return self.kill_at_a_moment(draw, number)
        hit = draw.choice(files)
        name, how = hit.relative_to(to), harm(hit, draw, self.flips(hit))
        child = Child(*self.call(to)).end()
        what = f"{name} {how}"
        if child.crash:
            return f"{what}: {child.crash}"
        if child.problem:
            named = hit.stem in child.problem or any(
                part in child.problem for part in name.parts[:-1] if len(part) > 3
            )
            if not named:
                return f"{what}: not named by {child.problem!r}"
            for other in hit.parent.glob(f"{hit.name.split('.')[0]}*"):
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        return self.after(to, None, what=what)

    def two_at_once(self, draw, number):
        to = self.fresh("to")
        one = Child(*self.call(to))
        one.sleep(draw.random() * self.seconds * (number % 2))
        other = Child(*self.call(to))
        if number % 3 == 2:
            one.sleep(draw.random() * self.seconds)
            one.kill(True)
            return self.after(to, other.end())
        for child in (one.end(), other.end()):
            if child.crash:
                return f"{child.crash}"
        if (
            found := self.content(to)
        ) != self.wanted:  # of two corpora each may have fetched one, and met the other
            if one.problem and other.problem:
                return f"neither ended well: {one.problem} | {other.problem}"
            return f"both ended, and the result is another: {differing(found, self.wanted)}"
        return self.after(to, None)

    def after(self, to: Path, child: Child | None, *, killed=False, what="") -> str:
        """What is wrong after a fault, and after the same command again."""
        what = f"{what}: " if what else ""
        if child is not None and not killed:
            if child.crash:
                return f"{what}{child.crash}"
            if not child.problem and child.code == 0 and (found := self.results(to)) != self.wanted:
                return f"{what}it ended well, and the result is another: {differing(found, self.wanted)}"
        if child is not None and (bad := self.half(to)):
            return f"{what}half a file: {bad}"
        before = self.finished(to)
        again = Child(*self.call(to)).end()
        if again.crash or again.problem:
            return f"{what}the same command again: {again.crash or again.problem}"
        now = self.finished(to)
        if lost := [name for name in before if now.get(name) != before[name]]:
            return f"{what}finished before, lost or changed after: {lost[:3]}"
        if (found := self.content(to)) != self.wanted:
            return f"{what}resumed, and the result is another: {differing(found, self.wanted)}"
        if bad := self.half(to):
            return f"{what}half a file after all: {bad}"
        return ""


def differing(found, wanted) -> str:
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return f"{found!r:.80} for {wanted!r:.80}"
    names = [name for name in {*found, *wanted} if found.get(name) != wanted.get(name)]
    return ", ".join(f"{name} {'differs' if name in found and name in wanted else 'is missing or new'}"
                     for name in sorted(map(str, names))[:3])  # fmt: skip


@contextlib.contextmanager
def full(folder: Path, free: int):
    """Inside, the disk has so many bytes left, up to a page."""
    ballast = folder / "ballast"
    size = shutil.disk_usage(folder).free - free
    with open(ballast, "wb") as out:
        os.posix_fallocate(out.fileno(), 0, max(1, size))
    try:
        yield
    finally:
        ballast.unlink()


def shut(to: Path, draw, files=False):
    """Revoke the permission to read a file, or to write to a folder."""
    there = [path for path in sorted(to.rglob("*")) if path.is_file() == files and not path.is_symlink()]
    path = draw.choice([*there, *([] if files else [to])] or [to])
    os.chmod(path, 0 if files and path.is_file() else 0o555)


def open_up(to: Path):
    for path in (to, *to.rglob("*")):
        if not path.is_symlink():
            with contextlib.suppress(OSError):
                path.chmod(0o755 if path.is_dir() else 0o644)


def harm(path: Path, draw, flips: bool) -> str:
    """Damage a file; says how."""
    how = draw.choice(["is cut", "is empty", "is a folder", "is gone"] + ["has a bit flipped"] * 4 * flips)
    content = path.read_bytes()
    path.chmod(0o644)  # Git writes files that even their owner may not change
    if how == "has a bit flipped" and content:
        place = draw.randrange(len(content))
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
        )
        return f"{how} in byte {place}"
    if how == "is cut" and content:
        path.write_bytes(content[: draw.randrange(len(content))])
    elif how == "is empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        if how == "is a folder":
            path.mkdir()
    return how


# ---------------------------------------------------------------------------------------------------------- features


def some_speech(folder: Path) -> Path:
    """A table of a few of the demo corpus's recordings."""
    from sergan import corpora

    table = corpora.load("demo")
    table = table[table["speaker"].isin(["f1", "m1", "f2"])].groupby(["speaker", "emotion"]).head(2)
    path = folder / "some.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(
            [("file", "emotion", "speaker"), *table[["file", "emotion", "speaker"]].values.tolist()]
        )
    return path


class Features(Part):
    name = "features"

    def prepare(self):
        self.table = some_speech(self.folder)

    def act(self, to):
        from sergan.__main__ import main

        os.environ["SERGAN_CACHE"] = str(to / "cache")
        return main(["features", "table", str(self.table), "--to", str(to / "features.npz")])

    def content(self, to):
        path = to / "features.npz"
        return {path.name: digest(path) if path.is_file() else "not there"}

    def finished(self, to):
        """What is in the cache need not be made again."""
        return {path.name: (digest(path), path.stat().st_mtime_ns) for path in tree(to / "cache")
                if path.suffix != ".part" and path.name in self.entries()}  # fmt: skip

    @functools.cache  # noqa: B019
    def entries(self):
        return {path.name: digest(path) for path in tree(self.folder / "whole" / "cache")}

    def half(self, to):
        entries = self.entries()
        bad = [
            path.name
            for path in tree(to / "cache")
            if path.suffix != ".part" and digest(path) != entries[path.name]
        ]
        features = to / "features.npz"
        if features.is_file() and self.content(to) != self.wanted:
            bad.append(features.name)
        return ", ".join(bad)


# ---------------------------------------------------------------------------------------------- training and sweeps

SIZES = ["frames=8", "every=1", "lstm=4", "attention=4", "dense=4", "generator=4,4", "latent=4"]
SWEEP = """
preset = "demo"
objective = "fused"
set = {{ {sizes}, epochs = {epochs} }}

[networks]
ablation = ["AM", "BAGM"]
seeds = 2

[control]
ablation = "AM"
control = "placebo"
no-baselines = true
"""


def record_of(path: Path):
    """A finished run but for its times and revision, whoever computed it."""
    import numpy as np
    import torch

    record = json.loads(path.read_text())
    for name in ("time_s", "sha256", "threads", "revision"):
        record.pop(name, None)
    with np.load(path.with_suffix(".npz")) as arrays:
        arrays = {name: (arrays[name].dtype.str, arrays[name].tobytes()) for name in arrays.files}
    weights = path.with_suffix(".pt")
    state = torch.load(weights, weights_only=True) if weights.exists() else {}
    tensors = {**state.pop("discriminator", {}), **state}
    return (
        json.dumps(record, sort_keys=True),
        arrays,
        {name: one.numpy().tobytes() for name, one in tensors.items()},
    )


class Training(Part):
    name = "training"

    def prepare(self):
        from sergan.__main__ import main

        os.environ["SERGAN_CACHE"] = str(self.folder / "cache")
        self.features = self.folder / "features.npz"
        made = functools.partial(
            main, ["features", "table", str(some_speech(self.folder)), "--to", str(self.features)]
        )
        if (child := Child(made, self.folder).end()).problem:
            raise RuntimeError(child.said)

    def act(self, to):
        from sergan.__main__ import main
        from sergan.training import Training

        Training.run.__kwdefaults__["every_s"] = 0
        sizes = ["--preset", "demo", "--objective", "fused", "--no-baselines", "--set", *SIZES, "epochs=6"]
        return main(
            ["run", "--features", str(self.features), "--ablation", "BAGM", *sizes, "--store", str(to)]
        )

    def content(self, to):
        found = {}
        for path in sorted(to.glob("*.json")):
            try:
                found[path.stem] = record_of(path)
            except Exception as error:
                found[path.stem] = f"{type(error).__name__}: {error}"
        found |= {path.name: "left" for path in to.rglob("*") if path.suffix == ".pt" and path.parent != to}
        return found

    def finished(self, to):
        return {path.stem: path.read_bytes() for path in sorted(to.glob("*.json")) if path.is_file()}

    def half(self, to):
        from sergan import SerganError, results

        bad = []
        for path in tree(to):
            if path.suffix == ".json":
                try:
                    results.load(path)
                except SerganError as error:
                    bad.append(str(error))
            elif path.suffix in (".npz", ".pt"):
                try:
                    with zipfile.ZipFile(path) as zipped:
                        bad += [path.name] * (zipped.testzip() is not None)
                except Exception:
                    bad.append(path.name)
        return ", ".join(bad)


class Sweep(Training):
    name = "sweep"
    victims = ("process", "process", "group", "worker")
    epochs = 4

    def prepare(self):
        super().prepare()
        sizes = ", ".join(f'{one.partition("=")[0]} = "{one.partition("=")[2]}"' for one in SIZES)
        (self.folder / "sweep.toml").write_text(SWEEP.format(sizes=sizes, epochs=self.epochs))
        site = self.folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(
            "import sys\n"
            "if 'resource_tracker' not in ' '.join(sys.orig_argv):\n"
            "    from sergan.training import Training\n"
            "    Training.run.__kwdefaults__['every_s'] = 0\n"
        )
        os.environ["PYTHONPATH"] = (
            f"{site}{os.pathsep}{os.environ['PYTHONPATH'].removeprefix(str(site) + os.pathsep)}"
        )

    def act(self, to):
        from sergan.__main__ import main

        words = [
            "--sweep",
            str(self.folder / "sweep.toml"),
            "--features",
            str(self.features),
            "--store",
            str(to),
        ]
        return main(["run", *words, *self.where()])

    def where(self):
        from joblib.externals.loky.backend import context

        from sergan.training import Training

        Training.run.__kwdefaults__["every_s"] = 0
        context.set_start_method(
            "fork", force=True
        )  # else each worker imports everything once more, for seconds
        return ["--jobs", "2"]

    def victim(self, child, which):
        import psutil

        if which != "worker":
            return super().victim(child, which)
        with contextlib.suppress(psutil.Error, IndexError):
            children = psutil.Process(child.pid).children()
            workers = [one for one in children if "resource_tracker" not in str(one.cmdline())]
            random.choice(workers).kill()
        child.end()


class Dask(Sweep):
    name = "dask"
    victims = ("process",) * 6 + ("worker",) * 3 + ("scheduler",)
    cluster = None

    def prepare(self):
        import distributed  # noqa: F401  (not earlier: it changes what others log)

        super().prepare()
        self.begin_cluster()

    def begin_cluster(self):
        self.close()
        code = ("import distributed, sys, time\n"
                "if __name__ == '__main__':\n"
                "    c = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)\n"
                "    print(c.scheduler_address, flush=True)\n"
                "    sys.stdin.read()\n")  # fmt: skip
        (self.folder / "cluster.py").write_text(code)
        self.cluster = subprocess.Popen([sys.executable, str(self.folder / "cluster.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        start_new_session=True)  # fmt: skip
        self.address = self.cluster.stdout.readline().strip()

    def close(self):
        if self.cluster is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.cluster.pid, signal.SIGKILL)
            self.cluster.wait()
            self.cluster = None

    def where(self):
        return ["--dask", self.address]

    def victim(self, child, which):
        import psutil

        if which == "process":
            return child.kill(False)
        if which == "scheduler":
            os.killpg(self.cluster.pid, signal.SIGKILL)
            child.end()
            self.begin_cluster()
            return None
        workers = [one for one in psutil.Process(self.cluster.pid).children(recursive=True)
                   if "spawn_main" in str(one.cmdline())]  # fmt: skip
        with contextlib.suppress(psutil.Error, IndexError):
            random.choice(workers).kill()
        child.end()
        return None


# ------------------------------------------------------------------------------------------------------------- fetch


def sound(number: int) -> bytes:
    import wave

    buffer, draw = io.BytesIO(), random.Random(number)
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(draw.randbytes(6000))
    return buffer.getvalue()


class Fetch(Part):
    name = "fetch"

    def prepare(self):
        from sergan.corpora import cremad
        from sergan.corpora._remote import Archive, Repository

        served = self.folder / "served"
        served.mkdir()
        speech = {f"Actor_01/03-01-0{n}-01-01-01-01.wav": sound(n) for n in range(1, 9)}
        with zipfile.ZipFile(served / "speech.zip", "w") as file:
            for name, content in speech.items():
                file.writestr(name, content)
        clips = {f"AudioWAV/100{n}_DFA_ANG_XX.wav": sound(10 + n) for n in range(1, 7)}
        source = self.folder / "source"
        for name, content in clips.items():
            for path in (served / "media" / name, source / name):
                path.parent.mkdir(parents=True, exist_ok=True)
            (served / "media" / name).write_bytes(content)
            (source / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
                                        % (hashlib.sha256(content).hexdigest().encode(), len(content)))  # fmt: skip
        sexes = b"ActorID,Sex\n" + b"".join(b"100%d,Female\n" % n for n in range(1, 7))
        (source / "VideoDemographics.csv").write_bytes(sexes)
        settings = [["config", f"uploadpack.{name}", "1"] for name in ("allowFilter", "allowAnySHA1InWant")]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "audio"], *settings):
            subprocess.run(
                ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words], cwd=source, check=True
            )
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=source, capture_output=True, text=True
        ).stdout.strip()
        self.server, address = serve(served)
        zipped = (served / "speech.zip").read_bytes()
        known = f"md5:{hashlib.md5(zipped).hexdigest()}"
        self.remotes = {
            "ravdess": Archive(f"{address}/speech.zip", known, len(zipped), 10**6),
            "cremad": Repository(
                source.as_uri(), commit, cremad.REMOTE.paths, media=f"{address}/media/", batch=4
            ),
        }
        self.files = {f"ravdess/{name}": content for name, content in speech.items()}
        self.files |= {f"cremad/{name}": content for name, content in clips.items()}
        self.files["cremad/VideoDemographics.csv"] = sexes

    def close(self):
        os.kill(self.server, signal.SIGKILL)
        os.waitpid(self.server, 0)

    def act(self, to):
        from sergan import corpora
        from sergan.__main__ import main
        from sergan.corpora import cremad, ravdess

        ravdess.REMOTE, cremad.REMOTE = self.remotes["ravdess"], self.remotes["cremad"]
        corpora.fetch = functools.partial(corpora.fetch, timeout_s=5, retries=2, wait_s=0.01, progress=False)
        # a few files are no complete corpus, which is what the exit code says
        for name in self.remotes:
            main(["fetch", name, "--to", str(to / name)])
        return 0

    def content(self, to):
        return {str(path.relative_to(to)): digest(path) for path in tree(to) if path.suffix != ".part"}

    def half(self, to):
        found = {str(path.relative_to(to)): path for path in tree(to)}
        names = [name for name in found if ".sergan" not in name]
        return ", ".join(name for name in names if found[name].read_bytes() != self.files.get(name))

    def finished(self, to):
        return {name: digest(to / name) for name in self.files if (to / name).is_file()}


def serve(folder: Path) -> tuple[int, str]:
    """A web server in a process of its own; its id and address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    pid = os.fork()
    if pid == 0:
        server.serve_forever()
    server.server_close()
    return pid, f"http://127.0.0.1:{server.server_port}"


# ----------------------------------------------------------------------------------------------------------- grading


class Grading(Part):
    name = "grading"

    def prepare(self):
        import small_course as small

        os.environ["IPYTHONDIR"] = str(self.folder / "ipython")
        os.environ["JUPYTER_CONFIG_DIR"] = str(self.folder / "jupyter")
        given = self.folder / "given"
        given.mkdir()

        def released():
            self.small()
            from sergan.coursework.release import release

            release(given / "course", "a secret", [2])
            return 0

        if (child := Child(released, given).end()).code:
            raise RuntimeError(child.said)
        import nbformat

        book = nbformat.read(given / "course" / "release" / "assignment2" / "assignment2.ipynb", as_version=4)
        variant = small.SMALL.variant("a secret")
        wrong = small.answers(variant) | {"scale": "def scale(x):\n    return x + 1"}
        handed_in = given / "in"
        handed_in.mkdir()
        for number, content in enumerate(
            (small.honest(book, variant), small.handed_in(book, wrong), b"{"), 100
        ):
            path = handed_in / f"name{number}_{number}_assignment2.ipynb"
            path.write_bytes(content)
            os.utime(path, (1_700_000_000, 1_700_000_000))
        lines = ["id,first_name,last_name,email", *(f"{n},Stu,name{n},{n}@x.org" for n in range(100, 104))]
        (given / "students.csv").write_text("\n".join(lines) + "\n")

    def small(self):
        import small_course as small

        from sergan.coursework import assignments, notebooks

        assignments.load = lambda which: small.SMALL
        notebooks.source = lambda assignment: small.source()

    def begin(self, to):
        shutil.copytree(self.folder / "given" / "course", to / "course", copy_function=shutil.copy2)

    def act(self, to):
        from sergan.coursework.__main__ import main

        self.small()
        given = self.folder / "given"
        words = ["--students", str(given / "students.csv"), "--due", "2023-11-14T00:00+00:00", "--late", "10"]
        code = main(["grade", str(given / "in"), *words, "--unfenced", "--course", str(to / "course")])
        return code or main(["report", "--no-pages", "--course", str(to / "course")])

    def content(self, to):
        """All the tables, and each mark."""
        found = {}
        for path in [*to.glob("course/reports/*/*.csv"), *to.glob("course/marks/*/*.json")]:
            text = path.read_text() if path.is_file() else "no file"
            if path.suffix == ".json":
                with contextlib.suppress(ValueError, KeyError):
                    text = json.dumps(json.loads(text)["marks"], sort_keys=True)
            found[str(path.relative_to(to))] = text
        return found

    def finished(self, to):
        """Marks need not be found again."""
        found = {path.name: json.loads(path.read_text())["marks"] for path in to.glob("course/marks/*/*.json")
                 if path.is_file()}  # fmt: skip
        return {name: json.dumps(marks) for name, marks in found.items()}

    def half(self, to):
        bad = []
        course = to / "course"
        for path in [
            *course.glob("marks/*/*.json"),
            *course.glob("*.json"),
            *course.glob("submitted/*/*/*.ipynb"),
        ]:
            try:
                json.loads(path.read_text())
            except ValueError:
                bad.append(path.name)
        for path in course.glob("submitted/*/*/timestamp.txt"):
            bad += [str(path)] * (path.read_text() != "2023-11-14 22:13:20 UTC\n")
        return ", ".join(bad)

    def written(self, to):
        """What a teacher may edit (the seed, what was released, the lists) is not ours to doubt."""
        return [path for path in tree(to / "course") if path.suffix in (".json", ".db", ".csv", ".txt")
                or "submitted" in path.parts or "autograded" in path.parts]  # fmt: skip

    def flips(self, path):
        return path.suffix == ".json" and "marks" in path.parts


PARTS = {part.name: part for part in (Features, Training, Fetch, Grading, Sweep, Dask)}


# ------------------------------------------------------------------------------------------------- in its own process


def rows_to_do(name: str, count: int, done: dict, only: str) -> dict[str, tuple[str, int]]:
    """The rows of a part that were asked for and lack cases: the kind of fault, and how many there shall be."""
    rows = {f"{name}: {row}": (row, math.ceil(count * share)) for row, share in SHARES.items()}
    return {row: what for row, what in rows.items() if re.search(only, row) and done.get(row, 0) < what[1]}


def inject(count: int, done: dict, only: str, folder: Path):
    """Every case that is not done."""
    for name, kind in PARTS.items():
        wanted = rows_to_do(name, count, done, only)
        if not wanted:
            continue
        part = kind(folder)
        try:
            for row, (way, most) in wanted.items():
                if way == "no permission" and os.geteuid() == 0 and not os.environ.get("SERGAN_TORTURE_DISK"):
                    continue
                for number in range(done.get(row, 0), most):
                    draw = random.Random(f"{row} {number}")
                    try:
                        said = getattr(part, way.replace(" ", "_"))(draw, number)
                    finally:
                        open_up(part.folder)
                    yield row, not said, said
        finally:
            part.close()
            shutil.rmtree(part.folder, ignore_errors=True)


def warm():
    """Import what commands need, so that a forked process begins at once."""
    import joblib  # noqa: F401
    import torch
    import tqdm  # noqa: F401

    from sergan import experiments, features, prediction  # noqa: F401
    from sergan.models import Discriminator

    with contextlib.suppress(Exception):
        from sergan.coursework import grading, release, reporting  # noqa: F401
    features._smile("lld;lld_de"), features._smile("func")
    torch.set_num_threads(1)
    network = Discriminator(True, lstm=4, attention=4, dense=4)
    torch.optim.Adam(network.parameters())  # imports a compiler
    with torch.no_grad():  # a backward pass might begin threads, which no fork survives
        network(torch.zeros(8, 8, 32), torch.full((8,), 8))


def main():
    asked = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.path[:0] = [str(TOP), str(TOP / "tests")]
    warm()
    os.umask(0o022)
    for one in inject(asked["count"], asked["done"], asked["only"], Path(asked["folder"])):
        answers.write(json.dumps(one) + "\n")


if __name__ == "__main__":
    main()
