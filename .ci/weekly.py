"""What the weekly workflow says, and where: one open issue for each thing that it watches.

    python .ci/weekly.py newest LOG...    say what differs from constraints.txt and what failed, as Markdown
    python .ci/weekly.py links FILE       say which links of `make links` did not answer
    python .ci/weekly.py audit FILE       say which packages have known vulnerabilities, from what `make audit` said
    python .ci/weekly.py post TITLE FILE  open an issue with that title and text, or comment on the open one

`post` uses GitHub's program `gh`. A scheduled workflow that fails is seen by nobody, an issue is.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
LONGEST = 60_000  # characters; GitHub takes 65,536 in an issue
LINES = 40  # of what failed
UNPINNED = re.compile(r"(pip|setuptools|sergan)$|nvidia|cuda|triton")  # the last three are torch's own affair


def pins(text):
    """The versions of each package in a constraints file: several where they depend on the system.

    >>> pins("# said\\nNumPy==2.4.6 ; python_version < '3.12'\\nnumpy==2.5.5 ; python_version >= '3.12'")
    {'numpy': ['2.4.6', '2.5.5']}
    """
    found = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(plain(name), []).append(version)
    return found


def plain(name):
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(environment):
    """Name and version of each package in a virtual environment; nothing where there is none."""
    places = [*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-packages")]
    return {plain(d.name): d.version for d in distributions(path=[str(place) for place in places])}


def differences(found, pinned):
    """Rows of package, pinned and installed version ("-" for none), where they differ; builds aside (`+cpu`).

    >>> differences({"torch": "2.13.0+cpu", "numpy": "2.5.0"}, {"torch": ["2.13.0"], "numpy": ["2.4.6"]})
    [('numpy', '2.4.6', '2.5.0')]
    """
    rows = []
    for name, version in sorted(found.items()):
        known, version = pinned.get(name, []), version.partition("+")[0]
        if version not in known and not UNPINNED.match(name):
            rows.append((name, " or ".join(known) or "-", version))
    return rows


def what_failed(log):
    """The lines of a log in which pytest, make or the book say what failed; the last lines where none does."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in log.splitlines()]
    lines = [line for line in lines if line]
    telling = r"(FAILED|ERROR)\b|make: \*\*\*|The book was not made|Installing .* failed|book/\S+, code cell"
    return [line for line in lines if re.match(telling, line)][:LINES] or lines[-LINES:]


def newest(logs):
    """The text of the issue about the newest packages."""
    found = installed(TOP / ".venv")
    rows = differences(found, pins((TOP / "constraints.txt").read_text(encoding="utf-8")))
    text = "With the newest packages that `pyproject.toml` allows, the book or its tests fail.\n"
    failed = [line for log in logs if log.exists() for line in what_failed(log.read_text(errors="replace"))]
    if failed:
        text += "\n```\n" + "\n".join(line[:300] for line in failed).replace("```", "'''") + "\n```\n"
    if not found:
        text += "\nThe environment was not made.\n"
    elif not rows:
        text += "\nEvery version is that of `constraints.txt`: it is not the packages.\n"
    else:
        text += "\n| package | constraints.txt | here |\n|---|---|---|\n"
        text += "".join(f"| {name} | {old} | {new} |\n" for name, old, new in rows)
    return text + (
        "\nTo see it: `make test NEWEST=1`. To mend it: change the code, or narrow the range in `pyproject.toml`; "
        "then `make constraints`. Readers are not affected as long as they use `constraints.txt`.\n"
    )


def links(said):
    """The text of the issue about links, from what `make links` said."""
    lines = [line[:300] for line in said.splitlines() if line.startswith("- ")] or said.splitlines()[-LINES:]
    return (
        "Links of the book do not answer:\n\n"
        + "\n".join(lines)
        + "\n\nTo see it: `make links`. A link that "
        "only programs are refused goes into `.ci/links.toml` with the reason.\n"
    )


def audit(said):
    """The text of the issue about vulnerable packages, from what `make audit` said."""
    lines = [line[:300].replace("```", "") for line in said.splitlines() if line.strip()][-LINES:]
    return (
        "Packages of `requirements.lock` have known vulnerabilities, or could not be asked for:\n\n```\n"
        + "\n".join(lines)
        + "\n```\n\nTo see it: `make audit`. To mend it: raise the lower bound in `pyproject.toml`, then `make "
        "constraints`. What does not concern this project goes into `.ci/audit.toml` with the reason.\n"
    )


def here():
    """The address of this run of the workflow, "" outside of one."""
    server, repository, run = (
        os.environ.get(f"GITHUB_{x}", "") for x in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    return f"{server}/{repository}/actions/runs/{run}" if run else ""


def gh(*arguments, text=None):
    try:
        done = subprocess.run(["gh", *arguments], input=text, capture_output=True, text=True)
    except OSError:
        sys.exit("The program gh is missing: install it, or open the issue by hand.")
    if done.returncode:
        sys.exit(f"gh {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout


def post(title, text):
    """Open an issue, or comment on the open one with exactly this title; returns its address."""
    text = (text[:LONGEST] + (f"\nThe run: {address}\n" if (address := here()) else "")).strip() + "\n"
    answer = gh("issue", "list", "--state", "open", "--limit", "1000", "--json", "number,title")
    same = sorted(issue["number"] for issue in json.loads(answer) if issue["title"] == title)
    if same:
        return gh("issue", "comment", str(same[0]), "--body-file", "-", text=text).strip()
    return gh("issue", "create", "--title", title, "--body-file", "-", text=text).strip()


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("newest").add_argument("logs", nargs="*", type=Path)
    for name in ("links", "audit"):
        commands.add_parser(name).add_argument("file", type=Path)
    posting = commands.add_parser("post")
    posting.add_argument("title")
    posting.add_argument("file", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.command == "newest":
        print(newest(chosen.logs), end="")
    elif chosen.command in ("links", "audit"):
        say = links if chosen.command == "links" else audit
        print(say(chosen.file.read_text(encoding="utf-8")), end="")
    else:
        print(post(chosen.title, chosen.file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
