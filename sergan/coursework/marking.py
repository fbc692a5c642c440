"""Points for a submission, from the values that its functions return."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from sergan import SerganError
from sergan.coursework import harness as harnesses
from sergan.coursework import notebooks, values
from sergan.coursework.fence import Ended, Fence, Session
from sergan.coursework.questions import EXAMPLE, Assignment, Question, Variant

OURS = threading.Lock()
"""Held by a thread that runs our own code for a question, which may use a library's one random stream."""


@dataclass(frozen=True)
class Mark:
    """A question's points, out of how many, and a sentence for the student."""

    question: str
    points: float
    of: float
    sentence: str


def mark(
    cells: list[tuple[str, str]], assignment: Assignment, variant: Variant, fence: Fence | None = None
) -> list[Mark]:
    """Execute a submission's cells `(name, source)` in a fence and mark every question of the variant.

    A process that ends (by its own doing or by a limit) costs the question during which it ended; the next one
    gets a new process, as long as the submission's time lasts.
    """
    fence, found, session = fence or Fence(), [], None
    asked, deadline = assignment.asked(variant), time.monotonic() + fence.total_s
    try:
        for question in asked:
            try:
                if (left := deadline - time.monotonic()) <= 0:
                    raise Ended(f"it took longer than {fence.total_s:g} s in all")
                session = session or Session(cells, replace(fence, total_s=left))
                sentence = ask(session, question, variant)
            except Ended as end:
                sentence, session = f"No points: {end}.", closed(session)
            right = sentence is None
            found.append(Mark(question.name, question.points if right else 0, question.points,
                              "All hidden cases are right." if right else sentence))  # fmt: skip
    finally:
        closed(session)
    return found


class Here:
    """In place of a `Session`: the cells in this very process, to prove the questions. For our own code only."""

    def __init__(self, cells: list[tuple[str, str]]):
        self.names, self.errors = {"__name__": "__main__"}, {}
        for name, source in cells:
            try:
                exec(compile(source, name, "exec"), self.names)
            except Exception as error:
                self.errors[name] = f"{type(error).__name__}: {error}"
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")

    def call(self, function: str, arguments: tuple, harness: str | None = None):
        if function not in self.names:
            raise SerganError(f"NameError: the notebook defines no {function}")
        arguments, own = values.decode(values.encode(arguments)), self.names[function]
        try:
            value = getattr(harnesses, harness)(own, *arguments) if harness else own(*arguments)
            return values.decode(values.encode(value))
        except Exception as error:
            raise SerganError(f"{type(error).__name__}: {error}") from error


def closed(session: Session | None) -> None:
    if session is not None:
        session.__exit__()


def ask(session: Session, question: Question, variant: Variant) -> str | None:
    """None if all hidden cases are right, else a sentence about the first that is not."""
    with OURS:
        expected = question.expected(variant)
        cases = [(case, expected(*case)) for case in question.cases(variant, variant.random(question.name))]
    for number, (case, want) in enumerate(cases, 1):
        where = f"hidden case {number} of {len(cases)}"
        try:
            got = session.call(question.function, case, question.harness)
        except SerganError as error:
            earlier = (
                f" (an earlier cell fails: {next(iter(session.errors.values()))})" if session.errors else ""
            )
            return f"{question.function} fails in {where}: {error}{earlier}."
        try:
            problem = difference(got, want, question.tolerance)
        except values.BAD:  # of a kind that nobody computes by mistake
            problem = "another value is expected"
        if problem:
            said = None
            with contextlib.suppress(Exception), OURS:
                said = question.say and question.say(case, got, want, variant)
            return f"{question.function} differs in {where}: {said or problem}."
    return None


def pasted(assignment: Assignment, seed: str, other: str = EXAMPLE, *, constants: bool = True) -> list[Mark]:
    """What the solutions of one course earn in another, `seed`'s: proven in this very process, for our own code only.

    With `constants`, they are pasted below the new course's constants, and so are marked for being understood
    by name; without, last year's notebook is handed in as it was.
    """
    variant, earlier = assignment.variant(seed), assignment.variant(other)
    notebook = notebooks.of_variant(notebooks.source(assignment), earlier)
    sources = [
        (n, variant.cell if constants and s == earlier.cell else s) for n, s in notebooks.cells(notebook)
    ]
    session, found = Here(sources), []
    for question in assignment.asked(variant):
        sentence = ask(session, question, variant)
        points = 0 if sentence else question.points
        found.append(Mark(question.name, points, question.points, sentence or ""))
    return found


def difference(got, want, tolerance: float) -> str | None:
    """How a value differs from what is expected, without giving it away; None if it does not."""
    if want is None or isinstance(want, bool | str):
        return None if type(got) is type(want) and got == want else "another answer is expected"
    if isinstance(want, dict):
        if not isinstance(got, dict) or set(got) != set(want):
            return f"a dictionary with the keys {', '.join(map(str, want))} is expected"
        return next((p for name in want if (p := difference(got[name], want[name], tolerance))), None)
    if isinstance(want, list | tuple) and not all(isinstance(part, int | float) for part in want):
        if not isinstance(got, list | tuple) or len(got) != len(want):
            return f"{len(want)} values are expected"
        return next((p for a, b in zip(got, want, strict=True) if (p := difference(a, b, tolerance))), None)
    try:
        got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    except (TypeError, ValueError):
        return "numbers are expected"
    if got.shape != want.shape:
        return f"the shape is {got.shape}, expected is {want.shape}"
    if not np.allclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True):
        share = np.mean(~np.isclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True))
        return "the value is another" if got.ndim == 0 else f"{share:.0%} of the values are others"
    return None
