"""Spelling, and a few rules of prose that need no taste; `make lint` calls it.

Spelling is codespell's, over prose and code. In prose (Markdown files and cells, without their code, formulas and
addresses) American spellings are found with codespell's own list of British ones, read backwards; and see RULES.
Exceptions, each with its reason, are in `.ci/prose.toml`.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
KINDS = ("*.md", "*.py", "*.ipynb")
ELSEWHERE = re.compile(r"(^|/)(locale|vendored)/")  # other languages, other people's

#: What prose must not hold, and what to do about it.
RULES = {
    r"(?i)\b(a|[^\W\d_]{2,})[ \t]*(?:\n[ \t]*|[ \t])\1\b": "a word stands twice: delete one",
    "—": "a long dash: write a comma, a colon, or two sentences",
    "[“”‘’]": "a curly quotation mark: write a straight one",
    r"[ \t]+$": "space at the end of a line: delete it",
    r"(?i)\b(?:seamless(?:ly)?|cutting-edge|blazing(?:ly)?|powerful|utili[sz]e[sd]?|leverag(?:es?|ed|ing)|delves?|"
    r"game-chang(?:er|ing)|needless to say|it goes without saying|trivially)\b": "say it plainly, or leave it out",
}

#: American spellings that are British words too.
BOTH = {
    *(
        "biased",
        "biases",
        "check",
        "checked",
        "checker",
        "checks",
        "curb",
        "disk",
        "disks",
        "draft",
        "drafted",
    ),
    *(
        "drafts",
        "inquire",
        "inquiry",
        "jail",
        "license",
        "licensed",
        "licenses",
        "math",
        "meter",
        "meters",
        "mold",
    ),
    *(
        "orient",
        "oriented",
        "practice",
        "practices",
        "program",
        "programs",
        "story",
        "stories",
        "tire",
        "tires",
    ),
    *("ton", "tons", "toward", "while"),
}

#: What is no prose: fenced code, code, formulas, addresses, roles and directives, HTML tags and comments.
NO_PROSE = re.compile(
    r"(?ms)^[ \t]*(```+|~~~+).*?^[ \t]*\1[ \t]*$|\$\$.*?\$\$|<!--.*?-->|``.+?``|`[^`]*`|\$[^$\n]+\$|\{[\w:-]+\}|"
    r"</?[a-zA-Z][^>]*>|\]\([^)\s]*\)|https?://\S+|^:[\w-]+:.*?$"
)


def prose(text):
    """Markdown without what is no prose, of which each character becomes a "¤"; lines stay where they are.

    >>> prose("the `the` the $x$")
    'the ¤¤¤¤¤ the ¤¤¤'
    """
    return NO_PROSE.sub(lambda match: re.sub(r"[^\n]", "¤", match[0]), text)


def documents(root):
    """Name, text and whether it is prose, of each file that git knows or would; a cell of a notebook is one."""
    listed = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", *KINDS]
    done = subprocess.run(listed, capture_output=True, text=True)
    if done.returncode:
        sys.exit("The prose was not checked: this folder is no clone made with git.")
    for name in sorted(set(done.stdout.splitlines())):
        path = root / name
        if ELSEWHERE.search(name) or not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".ipynb":
            yield name, text, path.suffix == ".md"
            continue
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            yield f"{name}, cell {number}", "".join(cell["source"]), cell["cell_type"] == "markdown"


def against_rules(name, text):
    """What in a document of prose is against RULES, a sentence each."""
    bare = prose(text)
    for rule, remedy in RULES.items():
        source = text if rule.endswith("+$") else bare
        for match in re.finditer(rule, source, re.MULTILINE):
            line = source.count("\n", 0, match.start()) + 1
            yield f"{name}, line {line}: {' '.join(match[0].split()) or 'a space'!r}: {remedy}"


def british(folder):
    """A dictionary for codespell that wants British spellings; returns its path."""
    import codespell_lib

    listed = Path(codespell_lib.__file__).parent / "data" / "dictionary_en-GB_to_en-US.txt"
    wanted = {}
    for line in listed.read_text(encoding="utf-8").splitlines():
        ours, theirs = line.split("->")
        for american in theirs.split(","):
            if (american := american.strip()) and american not in BOTH:
                wanted.setdefault(american, ours)
    path = folder / "british.txt"
    path.write_text("".join(f"{american}->{ours}\n" for american, ours in wanted.items()), encoding="utf-8")
    return path


def misspelt(found, ignored):
    """What codespell finds in documents, a sentence each."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        places = {}
        for number, (name, text, is_prose) in enumerate(found):
            path = folder / ("prose" if is_prose else "code") / f"{number}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(prose(text) if is_prose else text, encoding="utf-8")
            places[str(path)] = name
        for part, more in (("prose", ["-D", british(folder)]), ("code", [])):
            if not (folder / part).exists():
                continue
            command = [sys.executable, "-m", "codespell_lib", "-d", "-D", "-", *more]
            command += ["-L", ",".join(ignored)] if ignored else []
            done = subprocess.run([*command, folder / part], capture_output=True, text=True)
            if done.returncode not in (0, 65):  # 65: something was found
                sys.exit(f"codespell failed: {done.stderr.strip()}")
            for path, line, wrong, right in re.findall(r"(?m)^(.+?):(\d+): (.+?) ==> (.+)$", done.stdout):
                yield f"{places[path]}, line {line}: {wrong!r}: write {right}"


def complaints(root, exceptions):
    """All that is wrong below `root`; `exceptions` is the text of prose.toml."""
    allowed = tomllib.loads(exceptions)
    for entry in [*allowed.get("word", []), *allowed.get("place", [])]:
        if len(entry.get("reason", "")) < 5:
            sys.exit(f".ci/prose.toml: {entry} needs a reason.")
    found = list(documents(root))
    said = list(misspelt(found, [entry["word"] for entry in allowed.get("word", [])]))
    said += [line for name, text, is_prose in found if is_prose for line in against_rules(name, text)]
    places = [(entry["file"], entry["text"]) for entry in allowed.get("place", [])]
    return [line for line in said if not any(line.startswith(f) and f"{t!r}" in line for f, t in places)]


def main():
    wrong = complaints(TOP, (TOP / ".ci" / "prose.toml").read_text(encoding="utf-8"))
    if wrong:
        sys.exit("\n".join(wrong) + "\nAn exception goes into .ci/prose.toml with its reason.")


if __name__ == "__main__":
    main()
