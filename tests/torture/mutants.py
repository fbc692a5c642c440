"""Mutation testing: one small wrong change of the package at a time, and whether its tests notice.

    python tests/torture/mutants.py                         # every module of SUITES; goes on where it was
    python tests/torture/mutants.py objectives data         # these
    python tests/torture/mutants.py training --count 60     # a sample, the same at every call
    python tests/torture/mutants.py data --again            # only what was not killed before

mutmut's operators make the changes: another number, another comparison, an argument that is None or left out, a
word with XX around it. Sentences (words with a blank between) stay as they are, and so do annotations.
mutmut's own runner is not used: it leaves out decorated functions, constants and class bodies, and copies the
tree. Here this process imports what is slow to import (torch, scipy, hypothesis) and nothing of sergan; each
mutant gets a fork of it, in which the changed text is imported in the module's place. No file is changed.

A mutant is killed when a test fails, when nothing can be imported, or when it takes much longer than the tests
without it. Survivors are listed; `survivors.toml` explains those that change nothing that can be observed.
Outcomes are kept in `_build/torture`, one line a mutant, and counted in `benchmarks/torture.json`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[2]
KEPT = TOP / "_build" / "torture"
TOTALS = TOP / "benchmarks" / "torture.json"

FETCH = "not killed and not trouble and not stalled and not endless"
SUITES = {
    "objectives": ["tests/test_objectives.py"],
    "models": ["sergan/models.py", "tests/test_models.py", "tests/test_truth.py"],
    "data": ["sergan/data.py", "tests/test_data.py"],
    "evaluation": ["sergan/evaluation.py", "tests/test_evaluation.py", "-k", "not cover and not percent"],
    "results": ["sergan/results.py", "tests/test_results.py"],
    "checkpoints": ["tests/test_training.py", "-k", "checkpoint or resumed"],
    "training": ["tests/test_truth.py", "tests/test_engine.py", "tests/test_training.py", "-k", "not killed"],
    "features": ["sergan/features.py", "tests/test_features.py"],
    "corpora/__init__": [
        "sergan/corpora/__init__.py",
        "tests/test_corpora.py",
        "tests/test_fetch.py",
        "-k",
        FETCH,
    ],
    "corpora/_base": ["tests/test_corpora.py"],
    "corpora/_check": ["tests/test_corpora.py"],
    "corpora/cremad": ["tests/test_corpora.py"],
    "corpora/demo": ["tests/test_demo.py", "-k", "not script"],
    "corpora/emodb": ["tests/test_corpora.py"],
    "corpora/iemocap": ["tests/test_corpora.py"],
    "corpora/nemo": ["tests/test_corpora.py"],
    "corpora/ravdess": ["tests/test_corpora.py"],
    "corpora/table": ["tests/test_corpora.py"],
    "corpora/_fetch": ["tests/test_fetch.py", "-k", FETCH],
}
"""The tests that each module answers to: quick ones, in one process, the likeliest to fail first."""

SAMPLED = {"training": 120, "corpora/_fetch": 120, "features": 200}
"""Modules of which a sample is taken, unless `--count` says otherwise."""

SLOW_TO_IMPORT = [
    "numpy",
    "pandas",
    "torch",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.preprocessing",
    "scipy.stats",
    "scipy.optimize",
    "statsmodels.api",
    "statsmodels.stats.power",
    "statsmodels.stats.weightstats",
    "statsmodels.stats.multitest",
    "hypothesis",
    "hypothesis.strategies",
    "pytest",
    "filelock",
    "joblib",
    "distributed",
    "soundfile",
    "opensmile",
    "audiofile",
    "audresample",
    "tabulate",
    "requests",
    "nbval.plugin",
    "audmetric",
    "_hypothesis_pytestplugin",
    "_pytest.assertion.rewrite",
    "hypothesis.internal.conjecture.engine",
]


class Mutant(NamedTuple):
    """One change: where it is, and what it makes of the module's text."""

    line: int
    operator: str
    made: object  # () -> the whole text

    def text(self) -> str:
        return self.made()


def mutants(source: str) -> list[Mutant]:
    """All changes of a module that mutmut's operators can make, in the order of its lines.

    >>> [mutant.text() for mutant in mutants("x = 1 < y")]
    ['x = None', 'x = 1 <= y', 'x = 2 < y']
    """
    import libcst as cst
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.mutators import mutation_operators, operator_string

    class Finder(cst.CSTVisitor):
        METADATA_DEPENDENCIES = (PositionProvider,)

        def __init__(self):
            super().__init__()
            self.found = []

        def on_visit(self, node):
            if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
                return False
            if isinstance(node, cst.SimpleString) and " " in node.value:
                return False
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    changed = list(operator(node))
                    # of three spellings of a word, the one that no test can take for the right one
                    self.found += [
                        (node, new, operator) for new in changed[: 1 if operator is operator_string else None]
                    ]
            return True

    finder, wrapped = Finder(), MetadataWrapper(cst.parse_module(source))
    wrapped.visit(finder)
    lines = wrapped.resolve(PositionProvider)

    def maker(node, new):
        return lambda: wrapped.module.deep_replace(node, new).code

    return [
        Mutant(lines[node].start.line if node in lines else 0, operator.__name__, maker(node, new))
        for node, new, operator in finder.found
    ]


def change(source: str, text: str) -> tuple[str, str]:
    """The lines that differ, before and after, without their indentation."""
    lines = list(difflib.ndiff(source.splitlines(), text.splitlines()))
    return tuple(" / ".join(line[2:].strip() for line in lines if line.startswith(sign)) for sign in "-+")


class Instead(importlib.abc.MetaPathFinder):
    """Imports `name` from `text` instead of from its file."""

    def __init__(self, name: str, path: Path, text: str):
        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                return compile(text, str(path), "exec", dont_inherit=True)

        self.name, self.path, self.loader = name, path, Loader(name, str(path))

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self.loader)


def tried(module: str, text: str | None, seconds: float, tests: list[str]) -> tuple[str, float]:
    """What pytest says, in a fork, of a module with this `text` (None: its own), and the processor's seconds.

    It says passed, failed, slow or crashed.

    Args:
        seconds: of processor time; on the clock ten times as many, for busy machines.
    """
    import resource

    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nothing, number)
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
            resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            name = f"sergan.{module.replace('/', '.')}".removesuffix(".__init__")
            if text is not None:
                sys.meta_path.insert(0, Instead(name, TOP / "sergan" / f"{module}.py", text))
            import pytest

            options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", "--hypothesis-seed=0",
                       "--hypothesis-profile=mutants", "--disable-warnings", "--tb=no"]  # fmt: skip
            os._exit(int(pytest.main([*options, *tests])))
        os._exit(70)
    end = time.monotonic() + 10 * seconds
    while time.monotonic() < end:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.02)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.wait4(child, 0)
        return "slow", seconds
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what its tests may have left running
    took = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status):
        return "slow" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "crashed", took
    return {0: "passed", 1: "failed", 2: "failed", 3: "failed", 4: "failed"}.get(
        os.WEXITSTATUS(status), "crashed"
    ), took


def warm_up():
    """Import what is slow to import, and nothing of the package."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(KEPT / "hypothesis"))
    os.chdir(TOP)
    sys.path[:0] = [str(TOP), str(TOP / "tests")]
    for name in SLOW_TO_IMPORT:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile("mutants", deadline=None, database=None, suppress_health_check=list(HealthCheck),
                              phases=[Phase.explicit, Phase.generate])  # fmt: skip
    assert not any(name.split(".")[0] == "sergan" for name in sys.modules)


def explanations() -> list[dict]:
    """What `survivors.toml` says: module, was, now, why."""
    return tomllib.loads((Path(__file__).parent / "survivors.toml").read_text("utf-8")).get("survivor", [])


def outcomes(module: str, *, count: int | None = None, again: bool = False, minutes: float | None = None,
             say=print) -> list[dict]:  # fmt: skip
    """Try the mutants of a module that have no outcome yet; returns all that have one.

    Args:
        count: of a sample.
        again: those that no test has killed are tried again.
        minutes: stop after so many.
    """
    path, source = (
        KEPT / f"{module.replace('/', '_')}.jsonl",
        (TOP / "sergan" / f"{module}.py").read_text("utf-8"),
    )
    known = {}
    if path.exists():
        known = {one["name"]: one for one in map(json.loads, path.read_text("utf-8").splitlines())}
    seen, listed = Counter(), []
    code = ast.parse(source)
    for node in ast.walk(code):  # a docstring may change
        if hasattr(node, "body") and isinstance(node.body, list):
            node.body = [part for part in node.body if not isinstance(getattr(part, "value", None), ast.Constant)
                         or not isinstance(part, ast.Expr)]  # fmt: skip
    text_hash = hashlib.sha256(ast.dump(code).encode()).hexdigest()
    for number, mutant in enumerate(mutants(source)):
        name = hashlib.sha256(f"{text_hash} {number}".encode()).hexdigest()[:16]
        listed.append((name, mutant))
    if count is not None:
        chosen = sorted(name for name, _ in listed)[:count]
        listed = [(name, mutant) for name, mutant in listed if name in set(chosen)]
    todo = [(name, m) for name, m in listed
            if name not in known or (again and known[name]["outcome"] == "survived")]  # fmt: skip
    if todo and minutes != 0:
        began = time.monotonic()
        found, took = tried(module, None, 600, SUITES[module])
        if found != "passed":
            raise SystemExit(f"The tests of {module} fail without any mutant: mend them first.")
        limit = 3 * took + 10
        say(f"{module}: {len(todo)} mutants to try; its tests take {took:.0f} s")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            for name, mutant in todo:
                if minutes is not None and time.monotonic() - began > 60 * minutes:
                    break
                text = mutant.text()
                was, now = change(source, text)
                result = "passed" if text == source else tried(module, text, limit, SUITES[module])[0]
                one = {"name": name, "line": mutant.line, "operator": mutant.operator, "was": was, "now": now,
                       "outcome": "survived" if result == "passed" else result}  # fmt: skip
                known[name] = one
                out.write(json.dumps(one) + "\n")
                out.flush()
                seen[one["outcome"]] += 1
                if one["outcome"] == "survived":
                    say(f"  line {mutant.line}: {was}\n    ->     {now}")
        say(f"  {dict(seen)} in {time.monotonic() - began:.0f} s")
    return [known[name] for name, _ in listed if name in known]


def total(module: str, found: list[dict], size: int) -> dict:
    """Counts for `benchmarks/torture.json`, with the survivors that nobody has explained."""
    explained = {(one["was"], one["now"]) for one in explanations() if one["module"] == module}
    survivors = [one for one in found if one["outcome"] == "survived"]
    left = [one for one in survivors if (one["was"], one["now"]) not in explained]
    killed = len(found) - len(survivors)
    return {
        "possible": size, "made": len(found), "killed": killed, "explained": len(survivors) - len(left),
        "score": round(100 * killed / max(1, len(found) - len(survivors) + len(left)), 1),
        "left": [f"line {one['line']}: {one['was']} -> {one['now']}" for one in left],
    }  # fmt: skip


def table(totals: dict) -> str:
    """One line a module."""

    def line(module, *values):
        return f"{module:18}" + "".join(f"{value:>10}" for value in values)

    lines = [
        line(name, t["made"], t["possible"], t["killed"], t["explained"], len(t["left"]), t["score"])
        for name, t in totals.items()
    ]
    return "\n".join([line("module", "made", "of", "killed", "explained", "left", "score"), *lines])


def keep(totals: dict):
    """Write the counts under their own key of `benchmarks/torture.json`, beside what others wrote there."""
    whole = json.loads(TOTALS.read_text("utf-8")) if TOTALS.exists() else {}
    whole["mutants"] = whole.get("mutants", {}) | totals
    part = TOTALS.with_suffix(".part")
    part.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    os.replace(part, TOTALS)


def main(words: list[str] | None = None) -> int:
    """Try the mutants of the modules asked for; exit code 1 where a survivor is unexplained."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(SUITES)}")
    options.add_argument("--count", type=int, metavar="N", help="a sample of N of each module")
    options.add_argument("--minutes", type=float, metavar="M", help="for each module at most")
    options.add_argument("--again", action="store_true", help="try survivors again")
    options.add_argument("--list", action="store_true", help="show what is known and try nothing")
    chosen = options.parse_args(words)
    if unknown := set(chosen.modules) - set(SUITES):
        options.error(f"there is no module {unknown.pop()}; there are {', '.join(SUITES)}")
    warm_up()
    totals = {}
    for module in chosen.modules or SUITES:
        count = chosen.count or SAMPLED.get(module)
        found = outcomes(
            module, count=count, again=chosen.again, minutes=0 if chosen.list else chosen.minutes
        )
        size = len(mutants((TOP / "sergan" / f"{module}.py").read_text("utf-8")))
        totals[module] = total(module, found, size)
        keep({module: totals[module]})
    print(table(totals))
    return 1 if any(t["left"] for t in totals.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
