"""A rehearsal of publication, with nothing but this machine: what `make rehearse` does.

The committed state of this project is cloned as a fork would be, its book rendered from the stored outputs as if the
fork were at ADDRESS, and its notebooks pushed to a bare repository that stands for that address. Then every Colab
button of every page is followed, as far as that goes without Colab: branch and file exist, and the first cell installs
the very revision that was cloned, which git can fetch from the very address that the cell names.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

TOP = Path(__file__).resolve().parents[1]
ADDRESS = "git@github.com:someone/some-fork.git"
REPOSITORY = "https://github.com/someone/some-fork"
LAUNCH = re.compile(
    r'href="https://colab\.research\.google\.com/github/([^/"]+/[^/"]+)/blob/([^/"]+)/([^"]+)"'
)


def git(folder, *arguments, **environment):
    done = subprocess.run(
        ["git", "-C", str(folder), *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )
    return done.stdout.strip()


def instead_of(bare):
    """Environment in which git finds the repository `bare` at REPOSITORY; no configuration file is touched."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{bare.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": REPOSITORY,
    }


def fork(folder):
    """A clone of the committed state, and a bare repository that stands for the fork on its host."""
    clone, bare = folder / "clone", folder / "some-fork.git"
    git(folder, "clone", "--quiet", TOP, clone)
    git(folder, "clone", "--quiet", "--bare", TOP, bare)
    git(bare, "update-ref", "-d", "refs/heads/notebooks")
    return clone, bare


def run(clone, *command):
    environment = {**os.environ, "SERGAN_REPOSITORY": ADDRESS, "PYTHONPATH": str(clone)}
    for name in ("SERGAN_REVISION", "SERGAN_BRANCH", "SERGAN_PAGES"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=clone, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed in the clone:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def launch_links(site):
    """Repository, branch and path of every Colab button, by the page that has it."""
    found = {}
    for page in sorted(site.rglob("*.html")):
        if links := set(LAUNCH.findall(page.read_text(encoding="utf-8"))):
            (found[page.relative_to(site).as_posix()],) = links
    return found


def opened(bare, branch, path):
    """The notebook at `path`, as a stranger gets it from the repository."""
    return nbformat.reads(git(bare, "show", f"{branch}:{path}"), as_version=4)


def installed_by(notebook):
    """Address and revision that the first code cell of a published notebook installs."""
    first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return re.search(r'"sergan @ git\+(https://\S+)@([0-9a-f]{40})"', first).groups()


def follow(site, bare, revision):
    """Follow every button of the pages in `site` into `bare`; returns how many there are."""
    links = launch_links(site)
    chapters = {path.relative_to(site).as_posix() for path in site.glob("**/book/[0-9][0-9]_*.html")}
    assert set(links) == chapters, "a chapter without a button, or a button elsewhere"
    for page, (owner, branch, path) in links.items():
        assert f"https://github.com/{owner}" == REPOSITORY, page
        assert installed_by(opened(bare, branch, path)) == (REPOSITORY, revision), page
    return len(links)


def fetchable(bare, revision, folder):
    """Whether git gets `revision` from the address that the first cells name."""
    git(folder, "init", "--quiet", "stranger")
    git(folder / "stranger", "fetch", "--quiet", REPOSITORY, **instead_of(bare))
    return git(folder / "stranger", "cat-file", "-t", revision) == "commit"


def rehearse(folder, say=print):
    """All of it, in `folder`; returns the bare repository."""
    clone, bare = fork(folder)
    revision = git(clone, "rev-parse", "HEAD")
    say(f"cloned revision {revision}")
    run(clone, "book/_make.py", "render")
    say("rendered the book as that of " + REPOSITORY)
    say(run(clone, "book/_publish.py", bare))
    assert git(clone, "status", "--porcelain") == "", "rendering or publishing changed the clone"
    say(f"followed {follow(clone / '_build' / 'html', bare, revision)} Colab buttons")
    assert fetchable(bare, revision, folder)
    say("git finds the revision at the address that the first cells name")
    return bare


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rehearse(Path(folder).resolve())


if __name__ == "__main__":
    main()
