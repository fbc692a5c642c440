"""Make the environment in .venv, with nothing but Python 3.11 or later: what `make setup` calls.

A second call with nothing changed does nothing. Packages are those of requirements.lock, each compared with its hash;
torch alone is not, because its wheel differs from index to index: its version is that of constraints.txt. On Linux
without an NVIDIA GPU torch comes from PyTorch's CPU index where that can be reached, because PyPI's build brings
several gigabytes of CUDA libraries.
"""

import argparse
import datetime
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
VENV = TOP / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
EXTRAS = "book,test,dask,coursework"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
LOCK = TOP / "requirements.lock"
TORCH = "# torch as PyPI has it. For pip install --require-hashes -r requirements.lock; make setup stops reading here."
SYSTEM = {"chromium": "chromium", "espeak-ng": "espeak-ng", "bwrap": "bubblewrap"}  # program: Debian package


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--torch", choices=("auto", "cpu", "default"), default="auto",
                         help="which build: CPU, PyPI's default, or what suits this machine")  # fmt: skip
    options.add_argument("--newest", action="store_true",
                         help="what pyproject.toml allows, not constraints.txt")  # fmt: skip
    options.add_argument("--system", action="store_true", help="Debian packages that tests can use")
    options.add_argument("--constraints", action="store_true", help="remake constraints.txt and its lock")
    chosen = options.parse_args()
    if chosen.system:
        return system()
    if chosen.constraints:
        return constraints()
    return environment(chosen.torch, chosen.newest)


def environment(torch, newest=False):
    files = [TOP / "pyproject.toml", TOP / "constraints.txt", LOCK, Path(__file__)]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()
    wanted += f" {torch}" + (f" newest {datetime.date.today()}" if newest else "")
    stamp = VENV / "ready"
    if stamp.exists() and stamp.read_text() == wanted and (BIN / "python").exists():
        return
    print("Setting up .venv (a few minutes, once) ...", flush=True)
    if subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True).returncode:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(
            f"This Python cannot make environments; on Debian or Ubuntu: apt install python{version}-venv"
        )
    keep = (BIN / "python").exists() and subprocess.run([BIN / "python", "-m", "pip", "--version"],
                                                        capture_output=True).returncode == 0  # fmt: skip
    if not keep:
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    stamp.unlink(missing_ok=True)
    pip = [BIN / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pinned = re.search(r"^torch==\S+", files[1].read_text(), re.MULTILINE)[0]
    ranged = re.search(r'"(torch\b[^"]*)"', files[0].read_text())[1]
    index = ["--index-url", CPU_INDEX] if torch == "cpu" or (torch == "auto" and cpu_index_serves()) else []
    upgrade = ["--upgrade", "--upgrade-strategy", "eager"] if newest else []
    if newest:
        install([*pip, *upgrade, ranged, *index], "torch")
        install([*pip, *upgrade, "-e", f"{TOP}[{EXTRAS}]"], "the packages of pyproject.toml")
    else:  # in this order, so that torch finds what it needs in place, and nothing is built with what is not locked
        locked = VENV / "locked.txt"
        locked.write_text(LOCK.read_text(encoding="utf-8").partition(TORCH)[0], encoding="utf-8")
        install([*pip, "--require-hashes", "--no-deps", "-r", locked], "the packages of requirements.lock")
        install([*pip, pinned, *index], "torch")
        install([*pip, "--no-deps", "--no-build-isolation", "-e", TOP], "sergan itself")
    stamp.write_text(wanted)
    print(
        "Ready. Note: openSMILE, now installed, is for non-commercial use (teaching and research included)."
    )


def install(command, what):
    if subprocess.run(command).returncode:
        sys.exit(
            f"Installing {what} failed (see above); check the network and disk, then run make setup again."
        )


def cpu_index_serves():
    """Whether torch's CPU index is the right one here and answers."""
    if platform.system() != "Linux" or platform.machine() != "x86_64" or shutil.which("nvidia-smi"):
        return False
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def system():
    """Install the programs that some tests use, where that can be done; else those tests say what they lack."""
    missing = [package for program, package in SYSTEM.items() if not shutil.which(program)]
    if not missing:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"Tests that need {' and '.join(missing)} will be skipped: install them to run all.")
        return
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    print(f"Installing {' and '.join(missing)} for the tests ...", flush=True)
    subprocess.run(["apt-get", "-qq", "update"], **quiet)
    subprocess.run(["apt-get", "-qq", "install", "--no-install-recommends", *missing], **quiet)


def constraints():
    """Write constraints.txt and requirements.lock for Python 3.11 to 3.13 on all systems.

    torch's CUDA packages stay its own affair: they are in the lock only behind the line `TORCH`.
    """
    subprocess.run([BIN / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
    pinned = (TOP / "constraints.txt").read_text().splitlines()
    held = [line for line in pinned if re.match(r"(torch|sphinx-book-theme)==", line)]
    found = compiled("\n".join(held)).splitlines()
    own = [line for line in found if not TORCHS.match(line)]
    lines = [*pinned[:2], *sorted([*own, *(line for line in held if line.startswith("torch=="))])]
    (TOP / "constraints.txt").write_text("\n".join(lines) + "\n")
    lock()


TORCHS = re.compile(r"(nvidia-|cuda-|triton==|torch==)")


def compiled(constraint, *options):
    """What uv finds for pyproject.toml under some constraints, as text."""
    return subprocess.run(
        [BIN / "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11",
         "--no-header", "--no-annotate", "--quiet", *options, "--constraint", "-"],
        cwd=TOP, input=constraint, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def lock():
    """Write requirements.lock: the versions of constraints.txt with the hashes of all their files on PyPI."""
    text = compiled((TOP / "constraints.txt").read_text(encoding="utf-8"), "--generate-hashes")
    packages = re.findall(r"(?m)^[a-z0-9].*(?:\n .*)*", text)
    own, torchs = ([one for one in packages if bool(TORCHS.match(one)) is which] for which in (False, True))
    head = "# constraints.txt with the hashes of the packages' files. Remade by `make constraints`."
    LOCK.write_text("\n".join([head, *own, "", TORCH, *torchs]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
