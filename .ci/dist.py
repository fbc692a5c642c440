"""Build the wheel and the sdist of the last commit into dist/, look into them, try the wheel; `make dist` calls it.

They are built twice, in two places, and must come out the same to the byte: their date is that of the commit. The wheel
is installed into an empty environment, with the versions of constraints.txt, and runs the demo corpus from an empty
folder. With --tag the version must be that of the tag.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

import setup

TOP = Path(__file__).resolve().parents[1]
LARGEST = 25e6  # bytes
MOVED = {"results/": "sergan/_records/", "book/assignments/": "sergan/_assignments/"}


def versions(root):
    """The version as each place that names it has it."""
    read = {name: (root / name).read_text(encoding="utf-8")
            for name in ("CHANGELOG.md", "CITATION.cff", "pyproject.toml", "sergan/__init__.py")}  # fmt: skip
    return {
        "pyproject.toml": tomllib.loads(read["pyproject.toml"])["project"]["version"],
        "sergan/__init__.py": re.search(r'^__version__ = "(.+)"', read["sergan/__init__.py"], re.M)[1],
        "CITATION.cff": re.search(r"^version: (\S+)", read["CITATION.cff"], re.M)[1],
        "CHANGELOG.md": re.search(r"^## \[?(\d[^\]\s]*)", read["CHANGELOG.md"], re.M)[1],
    }


def check_version(root, tag=""):
    """The one version of all places; a sentence and the end where they differ, or where `tag` does."""
    found = versions(root)
    if tag:
        found[f"tag {tag}"] = tag.removeprefix("v")
    if len(set(found.values())) > 1:
        said = ", ".join(f"{place}: {version}" for place, version in found.items())
        sys.exit(f"Nothing was built: the version is not the same everywhere ({said}).")
    return found["pyproject.toml"]


def changes(text, version):
    """What CHANGELOG.md says of a version."""
    match = re.search(rf"^## \[?{re.escape(version)}\]?.*?\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return match[1].strip() + "\n" if match else ""


def git(root, *arguments):
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Nothing was built: git says {done.stderr.strip()}")
    return done.stdout


def tracked(root, *below):
    return [
        name for name in git(root, "ls-files", "-z", *below).split("\0") if name and (root / name).exists()
    ]


def build(root, to):
    """Build the sdist of the tracked files of `root`, and from it the wheel, into `to`; returns both paths."""
    date = git(root, "log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory() as folder:
        for name in tracked(root):
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, Path(folder) / name)
        done = subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(to), folder],
            capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": date},
        )  # fmt: skip
    if done.returncode:
        sys.exit("Nothing was built:\n" + (done.stdout + done.stderr)[-2000:])
    return next(to.glob("*.tar.gz")), next(to.glob("*.whl"))


def expected(root):
    """The files that the wheel of `root` holds, its `dist-info` aside."""
    names = set()
    for name in tracked(root, "sergan", *MOVED):
        for old, new in MOVED.items():
            name = new + name.removeprefix(old) if name.startswith(old) else name
        names.add(name)
    return names


def look_into(wheel, root):
    """Sentences on what is wrong with a wheel's content."""
    wrong = []
    if wheel.stat().st_size > LARGEST:
        wrong.append(f"{wheel.name} has {wheel.stat().st_size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}")
    with zipfile.ZipFile(wheel) as content:
        found = {name for name in content.namelist() if ".dist-info/" not in name}
        for name in sorted(found ^ expected(root)):
            wrong.append(f"{name} is {'in the wheel and should not be' if name in found else 'missing'}")
        for name in sorted(found):
            if name.startswith("sergan/_assignments/"):
                cells = json.loads(content.read(name))["cells"]
                if any(cell.get("outputs") for cell in cells):
                    wrong.append(f"{name} has stored outputs")
    return wrong


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def environment(folder, *requirements):
    """Make an empty virtual environment and install into it; returns the folder of its programs."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    for requirement in requirements:
        setup.install([*pip, *requirement], " ".join(map(str, requirement)))
    return programs


def try_wheel(wheel, folder):
    """Install the wheel as a newcomer does and run the demo corpus from an empty folder; returns what was said."""
    pins = TOP / "constraints.txt"
    torch = re.search(r"^torch==\S+", pins.read_text(), re.MULTILINE)[0]
    index = ["--index-url", setup.CPU_INDEX] if setup.cpu_index_serves() else []
    programs = environment(folder / "env", [torch, *index], ["-c", pins, wheel])
    (empty := folder / "empty").mkdir()
    around = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_"))
    }
    around["SERGAN_CACHE"] = str(folder / "cache")
    said = ""
    for arguments in (["--version"], ["run", "--corpus", "demo", "--set", "epochs=2"], ["report"]):
        done = subprocess.run(
            [programs / "sergan", *arguments], cwd=empty, env=around, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(
                f"The wheel does not work: sergan {' '.join(arguments)}\n{done.stdout}{done.stderr}"[-3000:]
            )
        said += done.stdout
    return said


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--tag", default="", help="the tag that is released, such as v0.1.0")
    options.add_argument("--no-try", action="store_true", help="build and check, but do not install")
    chosen = options.parse_args()
    version = check_version(TOP, chosen.tag)
    if git(TOP, "status", "--porcelain", "--untracked-files=no"):
        sys.exit("Nothing was built: there are changes that are not committed; commit or stash them.")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        built = build(TOP, folder / "once")
        for one, other in zip(built, build(TOP, folder / "twice"), strict=True):
            if digest(one) != digest(other):
                sys.exit(f"Built twice, {one.name} is not the same to the byte.")
        if wrong := look_into(built[1], TOP):
            sys.exit("The wheel is not right:\n  " + "\n  ".join(wrong))
        programs = environment(folder / "tools", ["-r", TOP / ".ci" / "requirements-release.txt"])
        if subprocess.run([programs / "python", "-m", "twine", "check", "--strict", *built]).returncode:
            sys.exit("PyPI would refuse this: see above.")
        if not chosen.no_try:
            print(try_wheel(built[1], folder))
        dist = TOP / "dist"
        dist.mkdir(exist_ok=True)
        for old in [*dist.glob("sergan-*.whl"), *dist.glob("sergan-*.tar.gz")]:
            old.unlink()
        for path in built:
            shutil.copy(path, dist)
            print(f"dist/{path.name}  {path.stat().st_size / 1e6:.1f} MB  sha256 {digest(path)}")
    text = changes((TOP / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    (dist / "changes.md").write_text(text, encoding="utf-8")  # the text of the release


if __name__ == "__main__":
    main()
