"""Bad input: bytes that nobody meant, for everything that `sergan` reads. See `parsers.py` for what that is.

An input is survived when the parser reads it, or refuses it with an error of ours (`SerganError`): one sentence on one
line that names the file or option and says what to do. Any other exception, more than 5 s of computing, 1 GB of memory
more than before, code that is executed, a process that is started, a connection, or a file that is written outside the
input's own folder is a finding. Findings are kept in `_build/torture/found`; what was mended has its input in
`corpus/PARSER/`, with which every run by hypothesis begins.

A *case* of this torture is 500 inputs, so that `make torture` (200 cases) tries 100,000 of each parser. Of a hundred
cases the first ten are made by hypothesis, the same everywhere, and the others by atheris, which is guided by the lines
of `sergan` that an input reaches, and keeps what it learnt in `_build/torture`. Atheris has wheels for Linux on
x86-64 alone; it is put into `_build/torture/atheris`, with its hash checked, and where it cannot be had all cases are
hypothesis's.

`benchmarks/fuzz.json` says for each parser how many inputs were tried, read, and refused, and the seconds of
computing.
"""

import base64
import collections
import contextlib
import copy
import dataclasses
import hashlib
import json
import mmap
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

WORDS = ("cases of 500 inputs", "all of them read, or refused in a sentence")

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
KEPT = HERE / "corpus"
BUILD = TOP / "_build" / "torture"
ATHERIS = (
    "atheris==3.0.0",
    "--hash=sha256:8a5c8a781467c187da40fd29139784193e2647058831f837f675d0bb8cbd8746",  # Python 3.11
    "--hash=sha256:510e502c57b6dc615fb174066407af620d4c7f73cf08a782c86e7761bf12c4eb",  # Python 3.12
    "--hash=sha256:a402cdca8a650d1371050b1f9552eb4cdc488d2db64950d603c4560318365eac",
)  # Python 3.13
CASE = 500
SECONDS = 5
MEMORY = 2**30
LARGEST = 2**20  # bytes of an input
MISTAKE = 70  # an exit code

# ------------------------------------------------------------------------------------------------------- the oracle


ARMED: list[Path] = []
"""While an input is read: the folder that it may write to."""
SEEN: list[str] = []
"""What happened meanwhile that must not."""
NEVER = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen", "pty.spawn",
         "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "pickle.find_class", "ctypes.dlopen",
         "urllib.Request", "webbrowser.open", "os.setuid", "signal.pthread_kill", "os.kill"}  # fmt: skip
CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
           "os.chown", "shutil.rmtree", "shutil.move", "os.utime", "tempfile.mkstemp"}  # fmt: skip
OWN = tuple({sys.prefix, sys.base_prefix, str(TOP / "sergan"), "<frozen"})
MAKERS = {collections.__file__, dataclasses.__file__}
"""They execute text of their own to make classes, and check the names in it."""


def watch(event: str, arguments: tuple) -> None:
    """An audit hook: notes, and prevents, what reading a file must not do. Such hooks cannot be taken away again."""
    if not ARMED:
        return
    bad = event in NEVER
    if event == "exec":  # of a module that is imported now: fine; of anything else: not
        code, caller = arguments[0], sys._getframe(1).f_code.co_filename
        bad = code.co_name != "<module>" or not code.co_filename.startswith(OWN)
        bad &= caller not in MAKERS
        arguments = (code.co_filename, code.co_name, caller)
    elif event == "open":
        path, mode, flags = arguments
        writes = (mode and set(mode) & set("wax+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        bad = bool(writes) and not inside(path)
    elif event in CHANGES:
        bad = not all(map(inside, arguments[: 2 if event in ("os.rename", "os.link", "shutil.move") else 1]))
    if bad:
        said = f"{event} {arguments!r}"[:300]
        SEEN.append(said)
        raise RuntimeError(f"torture: {said}")


def inside(path) -> bool:
    """Whether a place may be written to: the input's folder, what is open already, nothing at all."""
    if isinstance(path, int) or path in (os.devnull, b"/dev/null"):
        return True
    place = os.path.realpath(os.fsdecode(path))
    return place.startswith(str(ARMED[0])) or place.endswith(".pyc") or "/__pycache__/" in place


def attempt(parser, data: bytes, folder: Path) -> tuple[str, str]:
    """What becomes of an input: `read`, `refused` or `found`, and what was found or the sentence of the refusal."""
    from parsers import wrong_with

    from sergan import SerganError

    SEEN.clear()
    ARMED.append(folder)
    try:
        parser.read(data, folder)
        outcome = "read", ""
    except SerganError as error:
        sentences = list(getattr(error, "errors", {}).values()) or [str(error)]
        wrong = next(filter(None, (wrong_with(str(one), parser.named) for one in sentences)), "")
        outcome = ("found", f"its refusal {wrong}") if wrong else ("refused", str(sentences[0]))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a file cannot decide that the program ends
        where = [frame for frame in traceback.extract_tb(error.__traceback__) if "sergan" in frame.filename]
        last = where[-1] if where else traceback.extract_tb(error.__traceback__)[-1]
        outcome = (
            "found",
            f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {ascii(str(error))[:200]}",
        )
    finally:
        ARMED.clear()
    return ("found", f"it made the program do {SEEN[0]}") if SEEN else outcome


# --------------------------------------------------------------------------------------------------------- mutation

NASTY = [None, True, -1, 0, 10**6, 10**30, 1e308, -0.5, float("nan"), float("inf"), "", "x" * 300, "\ud800", "\x1b[2J",
         "a\nb", [], {}, [[]], [1, "a"], {"a": 1}, [None] * 5]  # fmt: skip
NUMBERS = [b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"0",
           b"-1", b"99999999999999999999", b"\n", b"\r", b"\x1b", b" ", b"\xe2\x80\xa8", b"\xed\xa0\x80",
           b"1e400"]  # fmt: skip


def mutated(data: bytes, parser, chance) -> bytes:
    """Another input from one; `chance` is a `random.Random`, or hypothesis's stand-in for one."""
    if parser.kind == "json" and chance.random() < 0.7:
        with contextlib.suppress(ValueError, RecursionError):
            return exchanged(json.loads(data), chance)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((0, 1, 2, 4, 8, 30, 300)))
        way = chance.randrange(8)
        if way == 0:
            new = bytes([chance.randrange(32, 127) if parser.kind == "text" else chance.randrange(256)])
        elif way == 1:
            new = chance.choice(NUMBERS)
        elif way == 2 and parser.words:
            new = chance.choice(parser.words)
        elif way == 3:  # the same again
            new = data[at:end] * chance.choice((2, 3, 50))
        elif way == 4:  # another part of it
            other = chance.randrange(len(data) + 1)
            new = data[other : other + chance.choice((1, 8, 60))]
        elif way == 5 and data:  # cut short
            data, end, new = data[: chance.randrange(len(data))], len(data), b""
            at = len(data)
        elif way == 6 and chance.random() < 0.05:  # long
            word = chance.choice((*parser.words, *NUMBERS, data[at : at + 9] or b"a"))
            new = word * (chance.choice((1_000, 60_000, 200_000)) // len(word))
        else:
            new = (
                bytes([data[at] ^ 1 << chance.randrange(5 if parser.kind == "text" else 8)])
                if at < len(data)
                else b""
            )
            end = min(len(data), at + 1)
        data = data[:at] + new + data[end:]
    return data[:LARGEST]


def exchanged(document, chance) -> bytes:
    """A JSON document with some of its parts exchanged, doubled, or gone."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        whole = {"": document}
        part, name = whole, ""
        for _ in range(chance.choice((0, 1, 2, 2, 3, 4, 6))):
            inner = part[name]
            if not isinstance(inner, dict | list) or not inner:
                break
            part, name = inner, chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        way = chance.randrange(6)
        old = part[name]
        if way == 0 and part is not whole:
            del part[name]
        elif way == 1 and isinstance(old, str):
            part[name] = old + chance.choice(
                ("x", "\n", "\x1b[31m", "\u2028", "/../", "<b>", "![", "0", "\ud800")
            )
        elif way == 2 and isinstance(old, int | float):
            part[name] = chance.choice((old + 1, -old, old * 1e9, str(old), [old], not old))
        elif way == 3 and isinstance(old, list):
            part[name] = old * 3
        else:
            part[name] = copy.deepcopy(chance.choice(NASTY))  # which a later round may change
        document = whole[""]
    return json.dumps(document).encode()


# ------------------------------------------------------------------------------------- the process that tries inputs

HEAD = struct.Struct("<QQQQQQ")  # begun, ended, read, refused, ready, bytes of the input
SIZE = HEAD.size + LARGEST


class Progress:
    """What the process that tries inputs is doing, in memory that it shares with the one that watches it."""

    def __init__(self, path: Path, new: bool = False):
        with open(path, "w+b" if new else "r+b") as file:
            if new:
                file.truncate(SIZE)
            self.memory = mmap.mmap(file.fileno(), SIZE)

    def get(self) -> tuple:
        return HEAD.unpack_from(self.memory)

    def set(self, *numbers: int) -> None:
        HEAD.pack_into(self.memory, 0, *numbers)

    def input(self) -> bytes:
        return bytes(self.memory[HEAD.size : HEAD.size + self.get()[-1]])


def child(name: str, how: str, runs: int, seed: int, place: Path) -> None:
    """Try inputs of a parser, or with hypothesis of several. Runs in a process of its own, see `Trial`."""
    sys.path[:0] = [str(HERE), str(TOP), str(BUILD / "atheris")]
    if how == "atheris":
        import atheris

        for large in (
            "torch",
            "pandas",
            "sklearn.linear_model",
            "matplotlib.pyplot",
            "audiofile",
            "nbgrader.api",
        ):
            import_module(large)  # not instrumented, which would take minutes
        with atheris.instrument_imports(
            include=["sergan", "tomllib", "torch._weights_only_unpickler"], enable_loader_override=False
        ):
            del sys.modules["torch._weights_only_unpickler"]
            unpickler = import_module("torch._weights_only_unpickler")
            import_module("torch.serialization")._weights_only_unpickler = unpickler
            import_module("sergan.__main__")
            for late in ("prediction", "examine", "coursework.grading", "coursework.fence", "corpora._fetch"):
                import_module(f"sergan.{late}")
    import warnings

    import torch
    from parsers import PARSERS

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a parser's commands print
    progress = Progress(place / "progress")
    folder = Path(tempfile.mkdtemp(prefix="input-", dir=place)).resolve()
    os.chdir(folder)
    seeds = {one: PARSERS[one].seeds() for one in name.split(",")}
    for one, good in seeds.items():
        for data in good:
            PARSERS[one].read(data, folder)  # and whatever is imported late
    sys.addaudithook(watch)
    counts = {"read": 0, "refused": 0, "found": 0}
    sentences, findings = {}, {}

    def one(data: bytes) -> None:
        data = data[:LARGEST]
        begun = sum(counts.values())
        progress.memory[HEAD.size : HEAD.size + len(data)] = data
        progress.set(begun + 1, begun, counts["read"], counts["refused"], 1, len(data))
        outcome, said = attempt(PARSERS[name], data, folder)
        counts[outcome] += 1
        if outcome == "refused" and len(sentences) < 300:
            shape = re.sub(r"[0-9.]+|'[^']*'|\"[^\"]*\"", "#", said)[:120]
            if shape not in sentences:
                sentences[shape] = said
                with open(place / "sentences.jsonl", "a") as out:
                    out.write(json.dumps(said) + "\n")
        kind = said.partition("'")[0][:45]
        if outcome == "found" and findings.setdefault(kind, 0) < 3:
            findings[kind] += 1
            with open(place / "findings.jsonl", "a") as out:
                about = {"parser": name, "said": said, "input": base64.b64encode(data).decode()}
                out.write(json.dumps(about) + "\n")
        progress.set(begun + 1, begun + 1, counts["read"], counts["refused"], 1, len(data))

    progress.set(0, 0, 0, 0, 1, 0)
    for name, good in seeds.items():
        (place / "now").write_text(name)
        for data in good:
            outcome, said = attempt(PARSERS[name], data, folder)
            assert outcome == "read", f"{name}: a good file is not read: {said}"
        kept = [path.read_bytes() for path in sorted((KEPT / name).glob("*"))]
        if how == "atheris":
            by_atheris(one, PARSERS[name], good, runs, seed, BUILD / "corpus" / name)
        for data in kept:
            one(data)
        by_hypothesis(one, PARSERS[name], [*good, *kept], runs, seed)


def by_hypothesis(one, parser, seeds, runs: int, number: int) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    begin = sorted(seeds, key=len)

    @seed(number)
    @settings(max_examples=runs, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.sampled_from(begin), st.randoms(use_true_random=True), st.binary(max_size=60))
    def try_it(data, chance, raw):
        one(raw if chance.random() < 0.05 else mutated(data, parser, chance))

    try_it()


def by_atheris(one, parser, seeds, runs: int, number: int, corpus: Path) -> None:
    import atheris

    corpus.mkdir(parents=True, exist_ok=True)
    for data in seeds:
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)

    def another(data, most, seed):
        chance = random.Random(seed)
        if chance.random() < 0.5:
            return atheris.Mutate(data, most)
        return mutated(data, parser, chance)[:most]

    longest = min(LARGEST, 4 * max(map(len, seeds)) + 4096)
    words = [f'"{"".join(f"{chr(92)}x{byte:02x}" for byte in word)}"' for word in parser.words]
    dictionary = corpus.with_suffix(".dict")
    dictionary.write_text("\n".join(words) + "\n")
    options = [f"-runs={runs}", f"-seed={number}", f"-max_len={longest}", "-timeout=600", "-rss_limit_mb=0",
               f"-dict={dictionary}", "-verbosity=0", f"-artifact_prefix={corpus.parent}/", str(corpus)]  # fmt: skip
    if (KEPT / corpus.name).is_dir():
        options.append(str(KEPT / corpus.name))
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=another)
    atheris.Fuzz()  # ends the process


# ------------------------------------------------------------------------------------------- the process that watches


class Trial:
    """Inputs tried by a process that is ended when one takes too long or too much; iterates over findings."""

    def __init__(self, name: str, how: str, runs: int, seed: int):
        self.name, self.how, self.runs, self.seed = name, how, runs, seed
        self.tried = self.read = self.refused = 0
        self.seconds = 0.0  # of computing
        self.sentences: list[str] = []

    def __iter__(self):
        """Yields (inputs tried so far, a finding or None), a few times a second; goes on after one that ended it."""
        rest, number = self.runs, self.seed
        while rest > 0:
            before = self.tried, self.read, self.refused
            with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory()) as folder:
                yield from self._once(Path(folder), rest, number, *before)
            if "," in self.name or self.tried == before[0]:
                return
            rest, number = self.runs - self.tried, number + 1

    def _once(self, place: Path, runs: int, seed: int, *before: int):
        progress = Progress(place / "progress", new=True)
        command = [
            sys.executable,
            str(HERE / "fuzz.py"),
            self.name,
            self.how,
            str(runs),
            str(seed),
            str(place),
        ]
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1",
                        "TMPDIR": str(place)}  # fmt: skip
        with open(place / "said", "w+b") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, env=surroundings, cwd=place)
            told, begun, base, since = 0, -1, 0, 0.0
            killed, spent = "", self.seconds
            try:
                while True:
                    running = process.poll() is None
                    started, ended, self.read, self.refused, ready, _ = progress.get()
                    self.tried, self.read, self.refused = (
                        now + old for now, old in zip((ended, self.read, self.refused), before, strict=True)
                    )
                    findings = lines(place / "findings.jsonl")
                    for finding in findings[told:]:
                        yield self.tried, finding
                    told = len(findings)
                    self.sentences = (
                        [*self.sentences, *lines(place / "sentences.jsonl")][-500:]
                        if not running
                        else self.sentences
                    )
                    yield self.tried, None
                    if not running:
                        break
                    used = usage(process.pid)
                    if used is None or not ready:
                        time.sleep(0.05)
                        continue
                    seconds, size = used
                    self.seconds = spent + seconds
                    if not base:
                        base = size
                    if started != begun:
                        begun, since = started, seconds
                    if size > base + MEMORY:
                        killed = f"it took more than {MEMORY >> 20} MB"
                    elif started > ended and seconds - since > SECONDS:
                        killed = f"it took more than {SECONDS} s"
                    if killed:
                        process.kill()
                        process.wait()
                    time.sleep(0.05)
            finally:
                process.kill()
                process.wait()
            started, ended, *_ = progress.get()
            if started > ended:  # it did not survive its last input
                self.tried = before[0] + started
                code = process.returncode
                why = killed or f"the process ended with {code if code >= 0 else signal.Signals(-code).name}"
                yield (
                    self.tried,
                    {
                        "parser": (place / "now").read_text(),
                        "said": why,
                        "input": base64.b64encode(progress.input()).decode(),
                    },
                )
            elif process.returncode == MISTAKE or (process.returncode and not ended):
                said.seek(0)
                raise RuntimeError(f"{self.name}: {said.read().decode(errors='replace')[-2000:]}")


def lines(path: Path) -> list:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def memory() -> str | None:
    """A folder in memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def usage(pid: int) -> tuple[float, int] | None:
    """Seconds of computing and bytes of memory of a process, as far as this system tells."""
    import psutil

    with contextlib.suppress(psutil.Error):
        one = psutil.Process(pid)
        times = one.cpu_times()
        return times.user + times.system, one.memory_info().rss
    return None


def has_atheris() -> bool:
    """Whether atheris can be used; it is installed where it is not yet."""
    try:
        if not (BUILD / "atheris" / "atheris").is_dir():
            BUILD.mkdir(parents=True, exist_ok=True)
            (BUILD / "atheris.txt").write_text(" ".join(ATHERIS) + "\n")
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
                       "--require-hashes", "--target", BUILD / "atheris", "-r", BUILD / "atheris.txt"]  # fmt: skip
            subprocess.run(command, check=True, capture_output=True)
        return True
    except (OSError, subprocess.CalledProcessError):
        print("fuzz: atheris cannot be installed here, so all inputs are hypothesis's", file=sys.stderr)
        return False


def keep(finding: dict) -> Path:
    """Write down a finding's input and what was said of it."""
    data = base64.b64decode(finding["input"])
    path = BUILD / "found" / finding["parser"] / hashlib.sha1(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.with_suffix(".txt").write_text(finding["said"] + "\n")
    return path


def names() -> list[str]:
    """Those of `parsers.PARSERS`, without importing what these need."""
    return re.findall(r'^    "([a-z-]+)": Parser\(', (HERE / "parsers.py").read_text(encoding="utf-8"), re.M)


def cases(count: int, done: dict[str, int], only: str = ""):
    guided = None
    for name in names():
        if only not in name:
            continue
        number = done.get(name, 0)
        while number < count:
            if guided is None:
                guided = has_atheris()
            place = number % 100
            how = "hypothesis" if place < 10 or not guided else "atheris"
            together = min(count, number - place + (10 if place < 10 else 100)) - number
            trial, yielded, bad = Trial(name, how, together * CASE, number), 0, []
            running = iter(trial)
            try:
                for tried, finding in running:
                    bad += [f"{finding['said']} ({keep(finding).relative_to(TOP)})"] if finding else []
                    while yielded < together and tried >= (yielded + 1) * CASE:
                        yielded += 1
                        yield name, not bad, "; ".join(bad[:3])
                        bad = []
            finally:
                running.close()
                note(name, how, trial)
            while yielded < together:  # an engine may stop a few inputs short
                yielded += 1
                yield name, not bad, "; ".join(bad[:3])
                bad = []
            number += together


def note(name: str, how: str, trial: Trial) -> None:
    """Add a trial's counts to `benchmarks/fuzz.json`, whoever else does (`--to` lets several fuzz at once)."""
    from filelock import FileLock

    said = BUILD / "said" / f"{name}.txt"
    said.parent.mkdir(parents=True, exist_ok=True)
    with said.open("a") as out:
        out.writelines(f"{sentence}\n" for sentence in trial.sentences)
    path = TOP / "benchmarks" / "fuzz.json"
    with FileLock(BUILD / "fuzz.lock"):
        found = json.loads(path.read_text()) if path.exists() else {}
        row = found.setdefault(name, {"hypothesis": 0, "atheris": 0, "read": 0, "refused": 0, "seconds": 0})
        row[how] += trial.tried
        row["read"] += trial.read
        row["refused"] += trial.refused
        row["seconds"] = round(row["seconds"] + trial.seconds, 1)
        path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    try:
        child(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    except Exception:  # a mistake of this program; an ordinary end would wait for atheris for ever
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(MISTAKE)
