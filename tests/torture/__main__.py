"""Torture: break everything on purpose, many times, and count what came through. `make torture`

    python tests/torture [--only NAME[/ROW] ...] [--count N] [--minutes M] [--to FILE]

Each kind of torture is a module beside this one, imported when its turn comes. It has

    WORDS = ("faults injected", "survived")     what its two counts are called

    def cases(count, done, only=""):
        yield row, good, said

`row` names a line of the table; `good` is whether this case came out as it must; `said` is a sentence for one that did
not (else empty). `count` is how many cases a row shall have in all (a module may share it out among rows that belong
together; its docstring says how); `done` maps rows to the number of cases that earlier calls have yielded, so that a
module goes on with the next: case number k of a row is the same in every call. `only` is the part of a row's name that
somebody asked for. A generator that is closed early must clean up after itself (`try`/`finally`).

After each case the counts are written, whole, to `benchmarks/torture.json`: what was killed goes on there. To begin
anew, delete that file, or name another with `--to`.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = ("faults", "fuzz", "mutants", "soak")
COUNT = 200


def load(path: Path) -> dict:
    """The counts so far: kind -> row -> counts."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def save(path: Path, found: dict) -> None:
    from sergan.files import replacing

    with replacing(path) as out:
        out.write((json.dumps(found, indent=1) + "\n").encode())


def revision() -> str:
    """The commit that is being tortured, with `+` where the tree differs from it."""

    def git(*words):
        return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True).stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + "+" * bool(git("status", "--porcelain", "-uno", ".."))


def torture(name: str, only: str, count: int, minutes: float | None, path: Path) -> Iterator[dict]:
    """Go on with one kind of torture; yields the counts of a row after each of its cases."""
    module, found, now = import_module(name), load(path), revision()
    rows = found.setdefault(name, {})
    end = None if minutes is None else time.monotonic() + 60 * minutes
    done = {row: counts["made"] for row, counts in rows.items()}
    running, before = module.cases(count, done, only), time.monotonic()
    try:
        for row, good, said in running:
            counts = rows.setdefault(row, {"made": 0, "good": 0, "seconds": 0, "at": [], "bad": []})
            counts["made"] += 1
            counts["good"] += bool(good)
            counts["seconds"] = round(counts["seconds"] + time.monotonic() - before, 1)
            counts["bad"] += [f"{counts['made']}: {said}"] * (not good)
            counts["at"] = sorted({*counts["at"], now})
            save(path, found)
            yield {"row": row, "good": good, "said": said} | counts
            before = time.monotonic()
            if end is not None and before > end:
                break
    finally:
        running.close()


def table(found: dict) -> str:
    """All counts as one table in Markdown."""
    lines = []
    for name, rows in found.items():
        made, good = import_module(name).WORDS
        lines += [f"| {name} | {made} | {good} |", "|---|---|---|"]
        lines += [f"| {row} | {counts['made']} | {counts['good']} |" for row, counts in rows.items()]
        total = [sum(counts[what] for counts in rows.values()) for what in ("made", "good")]
        lines += [f"| all | {total[0]} | {total[1]} |", ""]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    here = argparse.ArgumentParser(prog="tests/torture", description=__doc__.partition("\n")[0])
    there = [name for name in NAMES if (HERE / f"{name}.py").exists()]
    here.add_argument("--only", nargs="+", default=there, metavar="NAME[/ROW]", help=f"of {', '.join(there)}")
    here.add_argument("--count", type=int, default=COUNT, metavar="N", help=f"cases a row (default: {COUNT})")
    here.add_argument("--minutes", type=float, metavar="M", help="begin no case of a kind after this time")
    here.add_argument("--to", type=Path, default=HERE.parents[1] / "benchmarks" / "torture.json",
                      metavar="FILE", help="where the counts are; default: benchmarks/torture.json")  # fmt: skip
    options = here.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` has its turn
    for path in (str(HERE), str(HERE.parents[1])):
        sys.path.insert(0, path)
    options.to = options.to.resolve()
    for wanted in options.only:
        name, _, only = wanted.partition("/")
        if name not in there:
            here.error(f"--only {name} is not one of {', '.join(there)}")
        for one in torture(name, only, options.count, options.minutes, options.to):
            if not one["good"]:
                print(
                    f"{name}: {one['row']}, number {one['made']}: {one['said']}", file=sys.stderr, flush=True
                )
    found = load(options.to)
    print(table(found))
    return any(counts["good"] < counts["made"] for rows in found.values() for counts in rows.values())


if __name__ == "__main__":
    sys.exit(main())
