"""Whether the addresses that the book names still answer; `make links` calls it. It needs the network.

Sphinx's own link check, over a copy of the book with README.md and CONTRIBUTING.md. What is not asked, and why, is in
`.ci/links.toml`. Links between pages need no network: tests/test_book.py follows them in the built pages.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
MORE = ("README.md", "CONTRIBUTING.md")  # read on the repository's page, not in the book
FINE = ("working", "ignored", "unchecked", "redirected")


def settings(exceptions):
    """Sphinx's settings from the text of links.toml; an exception without a reason is refused."""
    entries = tomllib.loads(exceptions).get("ignore", [])
    for entry in entries:
        if set(entry) != {"address", "reason"} or len(entry["reason"]) < 15:
            sys.exit(f".ci/links.toml: {entry.get('address', entry)} needs an address and a reason, no more.")
        try:
            re.compile(entry["address"])
        except re.error as error:
            sys.exit(f".ci/links.toml: {entry['address']} is no regular expression: {error}.")
    return {
        "linkcheck_ignore": [entry["address"] for entry in entries],
        "linkcheck_timeout": 30,
        "linkcheck_retries": 3,
        "linkcheck_workers": 4,
        "linkcheck_rate_limit_timeout": 60,
        "linkcheck_anchors": False,  # many sites make theirs in the browser
        "linkcheck_report_timeouts_as_broken": True,
    }


def check(root):
    """What Sphinx says of each link: dictionaries with filename, lineno, uri, status and info."""
    import yaml

    sys.path.insert(0, str(TOP / "book"))
    from _make import copy_of

    with copy_of(root) as copy:
        config = yaml.safe_load((copy / "_config.yml").read_text(encoding="utf-8"))
        config["sphinx"]["config"] |= settings((TOP / ".ci" / "links.toml").read_text(encoding="utf-8"))
        toc = yaml.safe_load((copy / "_toc.yml").read_text(encoding="utf-8"))
        for name in MORE:
            if (root / name).exists():
                shutil.copy(root / name, copy)
                last = toc["parts"][-1] if "parts" in toc else toc
                last["chapters"].append({"file": name.removesuffix(".md")})
        (copy / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        (copy / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(copy)]
        command += ["--path-output", str(copy.parent), "--all", "--builder", "linkcheck"]
        done = subprocess.run(command, capture_output=True, text=True)
        answers = copy.parent / "_build" / "html" / "output.json"
        if not answers.exists():
            said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            sys.exit(f"The links were not checked:\n  {said}")
        return [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]


def unknown_doi(address):
    """What doi.org says of a DOI that it does not lead anywhere, else ""."""
    import requests

    try:
        status = requests.head(address, timeout=30, allow_redirects=False).status_code
    except requests.RequestException as error:
        return str(error)
    return "" if 300 <= status < 400 else f"doi.org answers {status}"


def line(link):
    """Where a link is: a line, or the cell of a notebook (Sphinx counts ten thousand lines for each)."""
    inside = link["filename"].endswith(".ipynb")
    return f"cell {link['lineno'] // 10_000}" if inside else f"line {link['lineno']}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=TOP, help="the book's folder")
    links = check(parser.parse_args(arguments).root.resolve())
    for link in links:
        if link["status"] == "ignored" and link["uri"].startswith("https://doi.org/"):
            link["info"] = unknown_doi(link["uri"])
            link["status"] = "broken" if link["info"] else "working"
    asked = [link for link in links if link["status"] not in ("ignored", "unchecked")]
    broken = [link for link in links if link["status"] not in FINE]
    for link in broken:
        print(f"- {link['filename']}, {line(link)}: {link['uri']} ({link['info'].strip()})")
    if broken and len(broken) == len(asked):
        sys.exit("No link answers: is there a network?")
    if broken:
        sys.exit(f"{len(broken)} of {len(asked)} links do not answer.")
    print(f"{len(asked)} links answer.")


if __name__ == "__main__":
    main()
