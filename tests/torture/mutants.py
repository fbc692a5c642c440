"""Mutants: one small wrong change of the package at a time, and whether its tests notice.

mutmut's operators make the changes: another number, another comparison, an argument that is None or left out, a
word with XX around it. Sentences (strings with a blank in them) stay as they are, and so do annotations, decorators
and imports. mutmut's own runner is not used: it leaves out decorated functions and whatever is in no function, and
copies the tree. Here this process imports what is slow to import (torch, scipy, hypothesis) and nothing of the
package; each mutant gets a fork of it, in which the changed text is imported in the module's place. No file is changed.

A mutant is killed when a test fails, when nothing can be imported, or when it takes much longer than the tests
without it. A survivor is good only if `survivors.toml` explains why no test can kill it. Rows are modules, with the
number of mutants that there could be; mutants come in a random order that is always the same, so that `count` is a
sample.

What has been killed is kept in `_build/torture`, one line a mutant: to count again after tests have changed, delete
the row in `benchmarks/torture.json`, and only survivors are tried again. One module: `--only mutants/data`.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import gc
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
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[2]
KEPT = TOP / "_build" / "torture"
WORDS = ("mutants made", "killed or explained")

FETCH = "not killed and not lasting and not stalled and not endless"
PINNED = [
    "tests/test_fetch.py::test_archives_are_pinned_by_a_published_hash_over_https",
    "tests/test_fetch.py::test_repositories_are_pinned_by_a_whole_commit_over_https",
]
FACTS = [
    f"tests/test_corpora.py::test_{name}"
    for name in ("language_licence_and_homepage", "the_demo_corpus_says_whose_and_what_it_is")
]
SUITES = {
    "objectives": ["tests/test_objectives.py"],
    "models": [
        "sergan/models.py",
        "tests/test_truth.py::test_the_discriminator_is_its_equations_step_by_step",
        "tests/test_models.py",
    ],
    "data": [
        "sergan/data.py",
        "tests/test_data.py",
        "tests/test_truth.py::test_the_random_split_has_exactly_these_counts",
        "tests/test_truth.py::test_speaker_folds_have_exactly_these_counts",
    ],
    "evaluation": [
        "sergan/evaluation.py",
        "tests/test_evaluation.py",
        "tests/test_truth.py::test_wa_ua_and_confusion_are_audmetrics",
        "-k",
        "(coverage or not cover) and not percent",
    ],
    "results": ["sergan/results.py", "tests/test_results.py"],
    "checkpoints": ["tests/test_training.py", "-k", "checkpoint or resumed"],
    "training": [
        "tests/test_truth.py",
        "tests/test_imbalance.py",
        "tests/test_engine.py",
        "tests/test_training.py",
        "-k",
        "not killed and not asked_for_again and not all_lengths",
    ],
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
    "corpora/cremad": ["tests/test_corpora.py", PINNED[1]],
    "corpora/demo": ["tests/test_demo.py", *FACTS, "-k", "not script"],
    "corpora/emodb": ["tests/test_corpora.py", PINNED[0]],
    "corpora/iemocap": ["tests/test_corpora.py"],
    "corpora/nemo": ["tests/test_corpora.py", PINNED[1]],
    "corpora/ravdess": ["tests/test_corpora.py", PINNED[0]],
    "corpora/table": ["tests/test_corpora.py"],
    "corpora/_fetch": ["tests/test_fetch.py", "-k", FETCH],
}
"""The tests that each module answers to: quick ones, in one process, the likeliest to fail first."""

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
    ['x = None', 'x = 2 < y', 'x = 1 <= y']
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
            for loaded in [one for one in sys.modules if one == "sergan" or one.startswith("sergan.")]:
                del sys.modules[loaded]  # what the command has imported meanwhile
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
                try:
                    own = importlib.import_module(
                        name
                    )  # before pytest, which loads some modules in its own way
                except BaseException:
                    os._exit(1)
            import pytest

            plugins = ["no:cacheprovider", "no:unraisableexception", "_hypothesis_pytestplugin"]
            options = [*(f"-p{name}" for name in plugins), "-x", "-q", "--disable-warnings", "--tb=no",
                       "--hypothesis-seed=0", "--hypothesis-profile=mutants"]  # fmt: skip
            code = int(pytest.main([*options, *tests]))
            os._exit(code if text is None or sys.modules.get(name) is own else 70)
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
    code = os.WEXITSTATUS(status)
    if code not in range(5):
        raise SystemExit(f"The tests of {module} did not run (exit code {code}): {' '.join(tests)}")
    return "failed" if code else "passed", took


@cache
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
    gc.collect()
    gc.freeze()  # or each fork would look through all of it when its tests end


def explanations() -> set[tuple[str, str, str]]:
    """What `survivors.toml` explains: module, line before, line after."""
    found = tomllib.loads((Path(__file__).parent / "survivors.toml").read_text("utf-8"))
    return {(one["module"], one["was"], one["now"]) for one in found.get("survivor", [])}


def named(source: str) -> list[tuple[str, Mutant]]:
    """The mutants of a module under names that a changed docstring does not change, in the order of the names."""
    code = ast.parse(source)
    for node in ast.walk(code):
        if isinstance(getattr(node, "body", None), list):
            node.body = [
                part
                for part in node.body
                if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ]
    text = hashlib.sha256(ast.dump(code).encode()).hexdigest()
    found = [
        (hashlib.sha256(f"{text} {number}".encode()).hexdigest()[:16], mutant)
        for number, mutant in enumerate(mutants(source))
    ]
    return sorted(found, key=lambda pair: pair[0])


def row_of(module: str, size: int) -> str:
    return f"{module}, {size} possible"


def cases(count: int, done: dict[str, int], only: str = "") -> Iterator[tuple[str, bool, str]]:
    """One mutant after the other, see `__main__`."""
    for module in [only] if only in SUITES else [name for name in SUITES if only in name]:
        path = TOP / "sergan" / f"{module}.py"
        source = path.read_text("utf-8")
        listed = named(source)
        row = row_of(module, len(listed))
        todo = listed[done.get(row, 0) : count]
        if todo:
            warm_up()
            yield from ((row, *verdict) for verdict in tried_in_turn(module, source, todo))


def tried_in_turn(module: str, source: str, todo: list[tuple[str, Mutant]]) -> Iterator[tuple[bool, str]]:
    """Whether each mutant was killed or is explained; and else what it is, in a sentence."""
    kept, killed, explained, limit = KEPT / f"{module.replace('/', '_')}.jsonl", set(), explanations(), None
    if kept.exists():
        lines = map(json.loads, kept.read_text("utf-8").splitlines())
        killed = {one["name"] for one in lines if one["outcome"] != "survived"}
    kept.parent.mkdir(parents=True, exist_ok=True)
    for name, mutant in todo:
        if name in killed:
            yield True, ""
            continue
        text = mutant.text()
        was, now = change(source, text)
        if (module, was, now) in explained:
            yield True, ""
            continue
        if limit is None:
            outcome, took = tried(module, None, 600, SUITES[module])
            if outcome != "passed":
                raise SystemExit(f"The tests of {module} fail without any mutant: mend them first.")
            limit = 3 * took + 10
        outcome = "passed" if text == source else tried(module, text, limit, SUITES[module])[0]
        one = {"name": name, "line": mutant.line, "was": was, "now": now, "outcome": outcome}
        with kept.open("a", encoding="utf-8") as out:
            out.write(json.dumps(one | ({"outcome": "survived"} if outcome == "passed" else {})) + "\n")
        survived = f"line {mutant.line} survives as another: {was} -> {now}"
        yield outcome != "passed", survived if outcome == "passed" else ""
