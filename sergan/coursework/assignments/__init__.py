"""The six assignments: what each asks, how it is marked, and the mistakes that its marks are proven with."""

from __future__ import annotations

from importlib import import_module

from sergan import SerganError
from sergan.coursework.questions import Assignment

NAMES = ("descriptors", "attention", "labels", "gan_step", "ablation", "research")


def load(which: int | str) -> Assignment:
    """An assignment by number (1 to 6) or name."""
    names = (
        dict(enumerate(NAMES, 1)) | {str(k): name for k, name in enumerate(NAMES, 1)} | {n: n for n in NAMES}
    )
    if which not in names:
        raise SerganError(f"there is no assignment {which}; there are 1 to {len(NAMES)}: {', '.join(NAMES)}")
    return import_module(f"sergan.coursework.assignments.{names[which]}").ASSIGNMENT
