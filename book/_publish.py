"""Puts the notebooks that run as they are on the branch `notebooks` of a repository; `make publish` calls it.

    python book/_publish.py [REMOTE] [--notebooks FOLDER]

REMOTE is what `git push` takes: a name (default: origin) or an address. Neither the working tree nor the index nor any
branch here is touched. The branch holds one commit without a parent, which each publication replaces: whatever it
holds can be made again from the revision that its message names, every notebook is tied to that revision, and a clone
of the fork stays as small as it was. The same notebooks of the same revision give the same commit.

It refuses to replace a branch `notebooks` that it has not written itself.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BRANCH = "refs/heads/notebooks"
TITLE = "Notebooks of revision "
INSTALLS = re.compile(r"sergan @ git\+(https://\S+?)@([0-9a-f]{40})\b")


class PublishError(Exception):
    """Why nothing was published, and what to do about it."""


def git(*arguments, check=True, **environment):
    done = subprocess.run(
        ["git", "-C", str(TOP), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    if check and done.returncode:
        raise PublishError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip() if done.returncode == 0 else ""


def belongs_to(folder):
    """Address and revision that every notebook in `folder` installs."""
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        raise PublishError(f"There are no notebooks in {folder}: run make book (or make render) first.")
    found = {
        match.groups() if (match := INSTALLS.search(path.read_text(encoding="utf-8"))) else path.name
        for path in notebooks
    }
    if len(found) > 1 or isinstance(next(iter(found)), str):
        raise PublishError(
            "The notebooks do not say what to install, because the repository was unknown or the working tree had "
            "changes when they were made: commit, see that `git remote -v` names the repository (or set "
            "SERGAN_REPOSITORY), and run make book again."
        )
    return found.pop()


def written(folder, revision):
    """The commit, without a parent, that holds `folder`; its author and date are those of `revision`."""
    name, email, date = git("log", "-1", "--format=%an%n%ae%n%aI", revision).splitlines()
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), "GIT_WORK_TREE": str(folder)}
        git("-c", "core.autocrlf=false", "-C", folder, "add", "--all", "--force", ".", **at(index))
        tree = git("write-tree", **at(index))
    by = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
          for what, value in (("NAME", name), ("EMAIL", email), ("DATE", date))}  # fmt: skip
    return git("commit-tree", tree, "-m", f"{TITLE}{revision}\n\nWritten by book/_publish.py.", **by)


def at(index):
    """The environment for an index of its own; with a work tree, git wants to be told where the repository is."""
    return {**index, "GIT_DIR": git("rev-parse", "--absolute-git-dir")}


def known_there(remote, revision):
    """Whether a branch or tag of `remote` holds `revision`, as far as that can be told from here."""
    tips = {line.split()[0] for line in git("ls-remote", remote).splitlines()}
    for tip in tips:
        if not git("cat-file", "-t", tip, check=False):
            return True  # somebody has pushed what we do not have: it may be in there
        if tip == revision or git("merge-base", revision, tip, check=False) == revision:
            return True
    return False


def publish(folder, remote):
    """Push `folder` to the branch; returns a sentence that says what happened."""
    _, revision = belongs_to(folder)
    if not git("cat-file", "-t", revision, check=False):
        raise PublishError(f"The notebooks belong to revision {revision}, which is not in this repository.")
    if not known_there(remote, revision):
        raise PublishError(f"{remote} does not have revision {revision} yet: push your branch first.")
    commit = written(folder, revision)
    before = git("ls-remote", remote, BRANCH).partition("\t")[0]
    if before == commit:
        return f"The branch notebooks of {remote} is as it should be: {commit}"
    if before:
        git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, BRANCH)
        if not git("log", "-1", "--format=%s", before).startswith(TITLE):
            raise PublishError(
                f"The branch notebooks of {remote} holds something that make publish did not write: rename it first."
            )
    git("push", "--quiet", f"--force-with-lease={BRANCH}:{before}", remote, f"{commit}:{BRANCH}")
    return f"The branch notebooks of {remote} holds the notebooks of revision {revision}: {commit}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("remote", nargs="?", default="origin", help="where to push (default: origin)")
    parser.add_argument("--notebooks", type=Path, default=TOP / "_build" / "html" / "notebooks")
    options = parser.parse_args()
    try:
        print(publish(options.notebooks.resolve(), options.remote))
    except PublishError as error:
        sys.exit(f"Nothing was published. {error}")


if __name__ == "__main__":
    main()
