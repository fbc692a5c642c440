"""Do the published notebooks work in Colab? What `make colab` asks, without Colab.

    python .ci/colab.py [CHAPTER ...] [--to FILE]

tests/colab.json names the versions that Colab has. They are put into a fresh environment of the Python at hand, as far
as they exist for it, and the notebooks of a rehearsed publication (.ci/rehearse.py) run in it from their first cell
on, which installs sergan from the address that it names (git is told to find it here). No version that was there
before may differ afterwards. For the Pythons that Colab has and this machine has not, uv finds out whether everything
can be installed beside Colab's versions; FILE says what ran and what was only resolved.

torch runs in the version that the book is tested with (constraints.txt), as a CPU build; Colab's own takes part in the
resolution. CHAPTER is the beginning of a name, such as 07; without one, all chapters run.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from rehearse import TOP, git, instead_of, rehearse
from setup import CPU_INDEX, cpu_index_serves

COLAB = json.loads((TOP / "tests" / "colab.json").read_text(encoding="utf-8"))
NOT_COUNTED = {"pip", "setuptools", "wheel"}
MOVING = """
import ipywidgets, matplotlib.pyplot as plt
from sergan.widgets import Control, Moving
def draw(height):
    figure, axes = plt.subplots()
    axes.bar([0], [height])
    return figure
figure = Moving("A bar", draw, [Control("height", [1, 2])], lambda height: f"{height} m high.")
slider, shown = figure.live().children
before, slider.value = shown.value, 1
assert "1 m high" in before and "2 m high" in shown.value
print("ipywidgets", ipywidgets.__version__)
"""


def python(folder):
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment(folder):
    """A fresh environment like Colab's; returns its Python."""
    pins = dict(COLAB["versions"])
    pins["torch"] = re.search(r"(?m)^torch==(\S+)", (TOP / "constraints.txt").read_text())[1]
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [python(folder), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    index = ["--index-url", CPU_INDEX] if cpu_index_serves() else []
    subprocess.run([*pip, f"torch=={pins.pop('torch')}", *index], check=True)
    uv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        python(folder),
    ]  # faster than pip
    subprocess.run([*uv, *(f"{name}=={version}" for name, version in pins.items())], check=True)
    return python(folder)


def installed(interpreter):
    """Versions by name of what is installed there."""
    listed = subprocess.run(
        [interpreter, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    return {
        package["name"].lower(): package["version"]
        for package in json.loads(listed.stdout)
        if package["name"].lower() not in NOT_COUNTED
    }


def execute(notebook, interpreter, folder, settings):
    """Run a notebook in `folder` with a kernel of `interpreter`."""
    surroundings = {**os.environ, **settings, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    for name in ("PYTHONPATH", "MPLBACKEND", "VIRTUAL_ENV"):
        surroundings.pop(name, None)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    manager = client.create_kernel_manager()
    manager.kernel_spec.argv = [str(interpreter), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client.execute(env=surroundings)


def resolvable(version):
    """Whether sergan and ipywidgets can be installed beside what Colab has with Python `version`, and with what."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as folder:
        pins, wanted = Path(folder) / "pins.txt", Path(folder) / "wanted.in"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in COLAB["versions"].items()))
        wanted.write_text("\n".join([*project["dependencies"], "ipywidgets"]))
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", wanted, "--constraint", pins, "--quiet", "--no-header",
             "--no-annotate", "--python-version", version, "--python-platform", "x86_64-manylinux_2_28"],
            capture_output=True, text=True,
        )  # fmt: skip
    return done.returncode == 0, done.stderr.strip()


def contract(bare, names, folder, say=print):
    """Run the notebooks `names` of the branch notebooks of `bare`; returns what there is to report."""
    settings = instead_of(bare)
    start = time.monotonic()
    interpreter = environment(folder / "colab")
    before = installed(interpreter)
    say(f"an environment like Colab's in {time.monotonic() - start:.0f} s")
    ran = []
    for name in names:
        notebook = nbformat.reads(git(bare, "show", f"notebooks:{name}"), as_version=4)
        place = folder / Path(name).stem
        place.mkdir()
        start = time.monotonic()
        if not ran:
            first = nbformat.from_dict({**notebook, "cells": notebook.cells[:2]})
            execute(first, interpreter, place, settings)
            say(f"its first cell installed sergan in {time.monotonic() - start:.0f} s")
            start = time.monotonic()
        execute(notebook, interpreter, place, settings)
        ran.append(name)
        say(f"{name} ran in {time.monotonic() - start:.0f} s")
    after = installed(interpreter)
    changed = {name: [version, after.get(name)] for name, version in before.items()
               if after.get(name) != version}  # fmt: skip
    moved = subprocess.run([interpreter, "-c", MOVING], check=True, capture_output=True, text=True,
                           env={**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": ""})  # fmt: skip
    say(f"a figure moves with {moved.stdout.strip()}")
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": before["torch"],
        "ran": ran,
        "changed": changed,
        "added": sorted(set(after) - set(before)),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 00 07; default: all")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write what ran and what was resolved there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        bare = rehearse(folder)
        names = [name for name in git(bare, "ls-tree", "--name-only", "notebooks").splitlines()
                 if name.endswith(".ipynb") and name.startswith(tuple(options.chapters or [""]))]  # fmt: skip
        found = {
            "colab": COLAB["as_of"],
            "revision": git(bare, "rev-parse", "HEAD"),
            **contract(bare, names, folder),
        }
    found["resolved"] = {}
    for version in (COLAB["python"], *COLAB["older_python"]):
        good, said = resolvable(version)
        found["resolved"][version] = "yes" if good else said
        print(f"beside Colab's versions for Python {version}: {'can be installed' if good else said}")
    if options.to:
        options.to.write_text(json.dumps(found, indent=1) + "\n")
    if found["changed"] or set(found["resolved"].values()) != {"yes"}:
        sys.exit(f"make colab: changed {found['changed']}, resolved {found['resolved']}")
    print(f"nothing that Colab has was changed; added: {', '.join(found['added'])}")


if __name__ == "__main__":
    main()
