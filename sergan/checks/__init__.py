"""Checks of the exercises: each says what is wrong with an answer, not only that it is.

A chapter's checks are in the module that has its name. A check is a function decorated with `check`: it returns a
sentence about the first thing that is wrong, or None where nothing is. An answer that is still `...` is *open*; an
error inside a reader's own function is named, not thrown.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Verdict:
    """What a check says: `right` is True, False, or None while the answer is open. True and False as a condition."""

    right: bool | None
    sentence: str

    def __bool__(self) -> bool:
        return self.right is True

    def __repr__(self) -> str:
        return f"{ {True: 'Right', False: 'Not yet', None: 'Open'}[self.right] }: {self.sentence}"


def check(praise: str) -> Callable:
    """Make a function that returns what is wrong, or None, into a check; `praise` says why a right answer is right.

    Example:
        >>> @check("half of the faces of a die are even.")
        ... def even(share):
        ...     if share > 1:
        ...         return "a share is at most 1."
        ...     return None if share == 0.5 else "count the even faces, then divide by six."
        >>> even(0.5)
        Right: half of the faces of a die are even.
        >>> even(...)
        Open: put your answer in place of the dots.
        >>> even(3), bool(even(3))
        (Not yet: a share is at most 1., False)
    """

    def decorate(wrong: Callable) -> Callable[..., Verdict]:
        @functools.wraps(wrong)
        def judged(*answers, **named) -> Verdict:
            if any(answer is ... for answer in (*answers, *named.values())):
                return Verdict(None, "put your answer in place of the dots.")
            try:
                with np.errstate(all="ignore"):
                    found = wrong(*answers, **named)
            except NotImplementedError:
                return Verdict(None, "this function is not written yet.")
            except Exception as error:  # the reader's own code, or an answer of another kind
                return Verdict(False, f"{type(error).__name__}: {error}".rstrip(": ") + ".")
            return Verdict(True, praise) if found is None else Verdict(False, found)

        return judged

    return decorate


def close(value, expected, tolerance: float = 1e-6) -> bool:
    """Whether numbers or arrays agree in shape and within `tolerance`, absolute or relative."""
    value, expected = np.asarray(value, dtype=float), np.asarray(expected, dtype=float)
    return value.shape == expected.shape and np.allclose(value, expected, rtol=tolerance, atol=tolerance)
