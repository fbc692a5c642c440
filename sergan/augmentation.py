"""Somebody's own augmentation: a function from a batch to a batch, put through our baselines and controls.

    def quieter(batch, random):
        \"\"\"Each utterance times a random number.\"\"\"
        scale = torch.rand(len(batch.lengths), 1, 1, generator=random)
        return batch._replace(x=batch.x * scale)

`batch` is a `sergan.data.Sequences`: `x` `(n, time, 32)`, scaled, zeros after an utterance's end; `lengths`
`(n,)`; `labels` `(n,)`, class indices in the order of `sergan.EMOTIONS`. What comes back is learnt from in its
place: of any number of utterances, with labels of the same kind or as weights `(n, 4)` whose rows sum to 1.
All chance must come from `random`, a `torch.Generator` on the CPU, or the run cannot be repeated.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from sergan import EMOTIONS, SerganError
from sergan.data import Sequences


@dataclass(frozen=True)
class Augmentation:
    """The function `name` of the Python file `path`; as text `path:name`. Its file is run as it is: it is yours."""

    path: Path
    name: str

    @classmethod
    def of(cls, text: str) -> Augmentation:
        """From `FILE.py:FUNCTION`. Raises SerganError where there is none."""
        path, _, name = text.rpartition(":")
        if not path.endswith(".py") or not name.isidentifier():
            raise SerganError(f"--augment {text} is not of the form FILE.py:FUNCTION, as in mine.py:mixup")
        found = cls(Path(path), name)
        found.function  # noqa: B018  (finds a missing file or function now)
        return found

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"

    @property
    def identity(self) -> str:
        """For records: the function's name and what its file holds, wherever that file lies."""
        return f"{self.name} {hashlib.sha256(self.path.read_bytes()).hexdigest()[:12]}"

    @cached_property
    def function(self):
        if not self.path.is_file():
            raise SerganError(f"--augment {self}: there is no file {self.path}")
        spec = importlib.util.spec_from_file_location(f"augmentation_{self.path.stem}", self.path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise SerganError(f"--augment {self}: the file raises {error!r} when it is imported") from error
        if not callable(getattr(module, self.name, None)):
            raise SerganError(f"--augment {self}: the file has no function {self.name}")
        return getattr(module, self.name)

    def __call__(self, batch: Sequences, random: torch.Generator) -> Sequences:
        """The function's batch, checked."""
        try:
            found = self.function(Sequences(*(part.clone() for part in batch)), random)
        except Exception as error:
            raise SerganError(f"--augment {self} raises {error!r}") from error
        if problem := problem_of(found):
            raise SerganError(f"--augment {self}: {problem}")
        return found

    def __getstate__(self):  # a function of a file that workers import anew
        return {"path": self.path, "name": self.name}


def problem_of(found) -> str | None:
    """What is wrong with a batch that an augmentation returns, in one sentence, or None."""
    if not isinstance(found, Sequences):
        return "it must return a batch such as it was given, for example batch._replace(x=...)"
    x, lengths, labels = found
    if x.ndim != 3 or x.shape[2] != 32 or not len(x):
        return f"x must have the shape (n, time, 32), not {tuple(x.shape)}"
    if lengths.shape != (len(x),) or lengths.is_floating_point():
        return f"lengths must be {len(x)} whole numbers"
    if lengths.min() < 1 or lengths.max() > x.shape[1]:
        return f"lengths must be from 1 to the {x.shape[1]} frames of x"
    if not x.is_floating_point() or not x.isfinite().all():
        return "x must be finite numbers"
    if labels.shape == (len(x), len(EMOTIONS)) and labels.is_floating_point():
        if labels.min() < 0 or not torch.allclose(labels.sum(1), torch.ones(()), atol=1e-4):
            return ("labels given as weights must be at least 0 and sum to 1 in each row "
                    "(for a label of zeros, what is learnt depends on the reading: use AGM or BAGM)")  # fmt: skip
    elif labels.shape != (len(x),) or labels.is_floating_point():
        return f"labels must be {len(x)} class indices or weights of the shape ({len(x)}, {len(EMOTIONS)})"
    elif labels.min() < 0 or labels.max() >= len(EMOTIONS):
        return f"labels must be from 0 to {len(EMOTIONS) - 1}"
    return None
