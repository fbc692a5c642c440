"""What an assignment is: constants and kinds that a course's seed chooses, and questions with hidden cases."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from sergan import SerganError

EXAMPLE = "example"
"""The seed of the notebooks in `book/assignments`: public, so for no course."""


@dataclass(frozen=True)
class Variant:
    """An assignment as one course has it.

    Attributes:
        constants: by the names that they have in the notebook's cell of constants.
        kinds: which option each question in kind has.
    """

    seed: str
    assignment: str
    constants: dict
    kinds: dict[str, str]

    def __getitem__(self, name: str):
        return self.constants[name]

    def random(self, name: str) -> np.random.Generator:
        """A stream of the course's seed; only those who have the seed can draw from it."""
        return np.random.default_rng(list(digest(self.seed, self.assignment, name)))

    @property
    def cell(self) -> str:
        """The notebook's cell of constants."""
        return "\n".join(f"{name} = {value!r}" for name, value in self.constants.items())


@dataclass(frozen=True)
class Question:
    """One graded cell: all of its points, or none.

    Attributes:
        name: the cell's `grade_id`.
        points: what it is worth; the cell's metadata say the same.
        function: the name that the student's notebook must give to an object.
        cases: the hidden inputs, each a tuple of arguments: `cases(variant, random)`.
        expected: what the object should answer: `expected(variant)(*case)`.
        harness: a function of `sergan.coursework.harness` that is called with the student's object and the
            case, in the student's process, and whose value is compared; without, the object itself is called.
        kind: `(question in kind, option)` if the cell is only in variants with that option.
        tolerance: relative and absolute.
        say: `say(case, got, expected, variant)`, a sentence for the feedback that names the mistake without
            giving the case away, or None.
    """

    name: str
    points: int
    function: str
    cases: Callable[[Variant, np.random.Generator], Iterable[tuple]]
    expected: Callable[[Variant], Callable]
    harness: str | None = None
    kind: tuple[str, str] | None = None
    tolerance: float = 1e-4
    say: Callable | None = None


@dataclass(frozen=True)
class Mistake:
    """A known wrong solution: cell sources that replace those of the solution, and the questions it must lose."""

    name: str
    cells: dict[str, str]
    loses: frozenset[str] | set[str]
    kind: tuple[str, str] | None = None


@dataclass(frozen=True)
class Assignment:
    """
    Attributes:
        constants: choices for each constant; the values of one name must be equally hard.
        kinds: options of each question in kind, a question whose answer is another piece of code.
        mistakes: see `Mistake`; for each question at least five that lose it.
    """

    number: int
    name: str
    title: str
    constants: dict[str, tuple]
    kinds: dict[str, tuple[str, ...]]
    questions: tuple[Question, ...]
    mistakes: tuple[Mistake, ...] = field(default=())

    def variant(self, seed: str) -> Variant:
        """What the seed chooses; the same seed always the same."""

        def chosen(name, options):
            return options[int.from_bytes(digest(seed, self.name, name)[:8]) % len(options)]

        constants = {name: chosen(name, options) for name, options in self.constants.items()}
        kinds = {name: chosen(name, options) for name, options in self.kinds.items()}
        return Variant(seed, self.name, constants, kinds)

    def asked(self, variant: Variant) -> list[Question]:
        """The questions of a variant."""
        return [q for q in self.questions if belongs(q.kind, variant)]

    def known_mistakes(self, variant: Variant) -> list[Mistake]:
        return [m for m in self.mistakes if belongs(m.kind, variant)]


def wrong(question: Question, head: str, text: str) -> Iterator[Mistake]:
    """Mistakes that replace the one function of a question's cell `NAME-solution` and lose this question only.

    `head` is the function's first line; `text` holds, for each mistake, a line `# its name` and then the body.
    """
    for block in text.strip().removeprefix("# ").split("\n# "):
        name, *body = block.splitlines()
        cell = "\n    ".join([head, *body])
        yield Mistake(name, {f"{question.name}-solution": cell}, {question.name}, question.kind)


def belongs(kind: tuple[str, str] | None, variant: Variant) -> bool:
    return kind is None or variant.kinds[kind[0]] == kind[1]


def digest(*parts: str) -> bytes:
    return hashlib.sha256("/".join(parts).encode()).digest()


def edited(
    cell: str, loses: str | set[str], right: str, kind: tuple[str, str] | None = None, **wrong
) -> tuple[Mistake, ...]:
    """Mistakes that differ from a right cell in one place each: `name=(piece of the right one, what stands there)`."""
    made = []
    for name, (old, new) in wrong.items():
        if right.count(old) != 1:
            raise SerganError(f"{name}: {old!r} is {right.count(old)} times in the right solution of {cell}")
        lost = frozenset({loses} if isinstance(loses, str) else loses)
        made.append(Mistake(name.replace("_", " "), {cell: right.replace(old, new)}, lost, kind))
    return tuple(made)
