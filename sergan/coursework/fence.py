"""A process for foreign code: no network, no files but a copy of its own, limits on everything it can use up.

On Linux through bubblewrap (`apt install bubblewrap`): the process sees the Python installation, `sergan` without
its coursework, and an empty /tmp, and has user, process and network namespaces of its own. Started by root, it
is no longer root. Elsewhere there is no fence, and `Fence(off=True)` must say that this is known.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

import sergan
from sergan import SerganError
from sergan.coursework import values

HERE = Path(__file__).parent
NEEDED = ("student.py", "values.py", "harness.py")
SESSIONS: set = set()
"""Those that are open now."""
CLOSING = threading.Event()
"""Set when the grader stops: no new session begins."""
NUMBERS = itertools.count(os.getpid() * 7)


class Ended(Exception):
    """The student's process is gone; the text says why."""


@dataclass(frozen=True)
class Fence:
    """Limits for one submission.

    Attributes:
        seconds: for one cell or one call.
        total_s: for the whole submission.
        memory: bytes, of all its processes together.
        processes: how many it may have at once, threads included.
        disk: bytes in its /tmp.
        off: run without a fence, with the teacher's own rights; time and memory are watched all the same.
    """

    seconds: float = 20
    total_s: float = 120
    memory: int = 3 * 2**30
    processes: int = 64
    disk: int = 256 * 2**20
    off: bool = False

    def command(self, cells: Path) -> list[str]:
        """The command line that executes the cells of the file `cells` inside."""
        if self.off:
            return [sys.executable, "-I", str(HERE / "student.py"), str(cells), str(self.seconds)]
        if reason := missing():
            raise SerganError(reason)
        inside = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
                  "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv"]  # fmt: skip
        inside += ["--unshare-user", "--uid", "65534", "--gid", "65534"] * (os.geteuid() != 0)
        for name, value in {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/tmp", "LANG": "C.UTF-8",
                            "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1",
                            "MPLCONFIGDIR": "/tmp", "IPYTHONDIR": "/tmp/ipython"}.items():  # fmt: skip
            inside += ["--setenv", name, value]
        # Before the rest, because that may lie below /tmp
        inside += ["--perms", "1777", "--size", str(self.disk), "--tmpfs", "/tmp"]
        for folder in sorted(
            {str(above) for path in readable() for above in Path(path).parents} - {"/", "/tmp"}
        ):
            inside += ["--perms", "0755", "--dir", folder]
        for path in readable():
            inside += ["--ro-bind", path, path]
        for link in ("/bin", "/lib", "/lib64", "/sbin"):
            inside += ["--symlink", os.readlink(link), link] if os.path.islink(link) else []
        for folder in (HERE, HERE.parent / "_assignments"):
            inside += ["--tmpfs", str(folder)] * folder.is_dir()
        inside += ["--proc", "/proc", "--dev", "/dev"]
        inside += ["--perms", "0755", "--dir", "/fence"]
        for name in NEEDED:
            inside += ["--ro-bind", str(HERE / name), f"/fence/{name}"]
        inside += ["--ro-bind", str(cells), "/fence/cells.json", "--chdir", "/tmp", "--remount-ro", "/"]
        limits = ["prlimit", f"--nproc={self.processes}", f"--fsize={self.disk}", "--core=0", "--nofile=256",
                  f"--cpu={int(self.total_s) + 5}", f"--data={self.memory}"]  # fmt: skip
        other = ["setpriv", f"--reuid={60000 + next(NUMBERS) % 5000}", "--regid=65534", "--clear-groups",
                 "--no-new-privs", "--bounding-set=-all"] * (os.geteuid() == 0)  # fmt: skip
        return [*inside, *other, *limits, sys.executable, "-I", "/fence/student.py", "/fence/cells.json",
                str(self.seconds)]  # fmt: skip


@cache
def missing() -> str | None:
    """Why there can be no fence here, in one sentence with the remedy; None if there can be."""
    if sys.platform != "linux" or not all(map(shutil.which, ("bwrap", "prlimit", "setpriv"))):
        return ("grading needs a fence for the students' code: bubblewrap on Linux (apt install bubblewrap), or "
                "--unfenced if you trust every submission with this account")  # fmt: skip
    tried = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True)
    if tried.returncode:
        return (f"bubblewrap cannot make a fence here ({tried.stderr.decode(errors='replace').strip()}); allow user "
                "namespaces, or use --unfenced if you trust every submission with this account")  # fmt: skip
    return None


def readable() -> list[str]:
    """What a Python process needs to read: system libraries, this Python, its packages, sergan."""
    wanted = {"/usr", "/etc/fonts", "/etc/ssl", "/etc/ld.so.cache", sys.prefix, sys.base_prefix, sys.exec_prefix,
              sysconfig.get_path("purelib"), os.path.dirname(os.path.realpath(sys.executable)),
              str(Path(sergan.__file__).parent)}  # fmt: skip
    wanted |= {path for path in ("/bin", "/lib", "/lib64", "/sbin") if not os.path.islink(path)}
    return sorted(path for path in wanted if os.path.exists(path))


def end_all() -> None:
    """End every session; marks that are being made then are of no use."""
    CLOSING.set()
    for session in list(SESSIONS):
        session.stop("the grader was stopped")


class Session(contextlib.AbstractContextManager):
    """A submission's process: `errors` of its cells, then `call`. Everything of it is gone at the end."""

    def __init__(self, cells: list[tuple[str, str]], fence: Fence):
        if CLOSING.is_set():
            raise Ended("the grader was stopped")
        self.fence, self.end = fence, time.monotonic() + fence.total_s
        self.folder = tempfile.TemporaryDirectory(prefix="fence-")
        file = Path(self.folder.name) / "cells.json"
        os.chmod(self.folder.name, 0o755)
        file.write_text(json.dumps(cells), encoding="utf-8")
        self.why = ""
        self.process = subprocess.Popen(
            fence.command(file), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        SESSIONS.add(self)
        self.lines: queue.Queue = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            told = self._answer(fence.total_s)["errors"]
            self.errors = {str(name)[:100]: str(error)[:300] for name, error in told}
        except (*values.BAD, Ended) as error:
            if not isinstance(error, Ended):
                self.stop("its process does not answer as it should")
            self.__exit__()
            raise Ended(self.why or str(error)) from error

    def _listen(self):
        heard = 0
        with contextlib.suppress(OSError, ValueError):
            while line := self.process.stdout.readline(values.LIMIT + 2):
                heard += len(line)
                if not line.endswith(b"\n") or heard > 10 * values.LIMIT:
                    self.stop("it writes too much to the grader")
                    break
                self.lines.put(line)
        self.lines.put(None)

    def _watch(self):
        """End the process when all that it started has taken too much."""
        while self.process.poll() is None:
            memory = 0
            with contextlib.suppress(psutil.Error):
                first = psutil.Process(self.process.pid)
                for one in [first, *first.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        memory += one.memory_info().rss
            if memory > self.fence.memory:
                self.stop(f"it used more than {self.fence.memory / 2**30:.1f} GB of memory")
            if time.monotonic() > self.end:
                self.stop(f"it took longer than {self.fence.total_s:g} s in all")
            time.sleep(0.1)

    def stop(self, why: str):
        """End the process and all that it started."""
        self.why = self.why or why
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    one.kill()
        with contextlib.suppress(OSError):
            self.process.kill()

    def _answer(self, seconds: float) -> dict:
        try:
            line = self.lines.get(timeout=max(0.1, min(seconds, self.end - time.monotonic())))
        except queue.Empty:
            self.stop(f"it took longer than {seconds:g} s")
            raise Ended(self.why) from None
        if line is None:
            self.process.wait()
            raise Ended(self.why or "its process ended by itself")
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("not an answer")
        return found

    def call(self, function: str, arguments: tuple, harness: str | None = None):
        """The value of one call. Raises SerganError with the sentence of a refusal or error, Ended if it is gone."""
        asked = {"function": function, "harness": harness, "arguments": values.encode(arguments)}
        try:
            self.process.stdin.write(values.line(asked))
            self.process.stdin.flush()
        except OSError:
            raise Ended(self.why or "its process ended by itself") from None
        try:
            found = self._answer(self.fence.seconds + 5)
            if "value" in found:
                return values.decode(found["value"])
            raise SerganError(str(found["error"])[:300])
        except values.BAD as error:
            self.stop("its process does not answer as it should")
            raise Ended(self.why) from error

    def __exit__(self, *error):
        self.stop("")
        self.process.wait()
        SESSIONS.discard(self)
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        self.folder.cleanup()
