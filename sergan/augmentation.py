"""Somebody's own augmentation: a function from a batch to a batch, put through our baselines and controls.

    def quieter(batch, random):
        \"\"\"Each utterance times a random number.\"\"\"
        scale = torch.rand(len(batch.lengths), 1, 1, generator=random)
        return batch._replace(x=batch.x * scale)

`batch` is a `sergan.data.Sequences` on the CPU: `x` `(n, time, 32)`, scaled, zeros after an utterance's end;
`lengths` `(n,)`; `labels` `(n,)`, class indices in the order of `sergan.EMOTIONS`. What comes back is learnt
from in its place: of any number of utterances, with labels of the same kind or as weights `(n, 4)` whose rows
sum to 1. All chance must come from `random`, a `torch.Generator` on the CPU.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from sergan import EMOTIONS, SerganError
from sergan.data import Sequences
from sergan.models import valid_frames


@dataclass(frozen=True)
class Augmentation:
    """The function `name` of the Python file `path`, as it was when it was read. The file is run: it is yours."""

    path: str
    name: str
    text: str

    @classmethod
    def of(cls, asked: str) -> Augmentation:
        """From `FILE.py:FUNCTION`. Raises SerganError where there is none."""
        path, _, name = asked.rpartition(":")
        if not path.endswith(".py") or not name.isidentifier():
            raise SerganError(
                f"augmentation {asked} is not of the form FILE.py:FUNCTION, as in mine.py:mixup"
            )
        try:
            found = cls(path, name, Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise SerganError(f"augmentation {asked}: {path} cannot be read ({why})") from error
        if not callable(found.function):
            raise SerganError(f"{found}: the file has no function {name}")
        return found

    def __str__(self) -> str:
        return f"augmentation {self.path}:{self.name}"

    @property
    def identity(self) -> str:
        """For records: the function's name and what its file says, wherever that file lies."""
        return f"{self.name} {hashlib.sha256(self.text.encode()).hexdigest()[:12]}"

    @cached_property
    def function(self):
        names = {"__name__": Path(self.path).stem, "__file__": self.path}
        try:
            exec(compile(self.text, self.path, "exec"), names)
        except Exception as error:
            raise SerganError(f"{self}: the file cannot be run ({error!r})") from error
        return names.get(self.name)

    def __call__(self, batch: Sequences, random: torch.Generator) -> Sequences:
        """The function's batch, checked; what is written after an utterance's end is padding, and becomes 0 again."""
        try:
            found = self.function(Sequences(*(part.cpu().clone() for part in batch)), random)
        except Exception as error:
            raise SerganError(f"{self} raises {error!r}") from error
        if problem := problem_of(found):
            raise SerganError(f"{self}: {problem}")
        x, lengths, labels = found
        x = x.masked_fill(~valid_frames(lengths, x.shape[1])[:, :, None], 0)
        return Sequences(x, lengths, labels).to(batch.x.device)

    def rehearse(self, batch: Sequences) -> None:
        """Raises SerganError for what can be seen to be wrong before any run: on one batch, twice."""
        first, again = (self(batch, torch.Generator().manual_seed(0)) for _ in range(2))
        if not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(first, again, strict=True)):
            raise SerganError(f"{self} does not return the same batch twice for the same `random`: all chance must "
                              "come from it, as in torch.rand(n, generator=random)")  # fmt: skip

    def __getstate__(self):  # a function cannot be sent to a worker; its text can
        return {"path": self.path, "name": self.name, "text": self.text}


def problem_of(found) -> str | None:
    """What is wrong with a batch that an augmentation returns, in one sentence, or None."""
    if not isinstance(found, Sequences) or not all(isinstance(part, torch.Tensor) for part in found):
        return "it must return a batch such as it was given, for example batch._replace(x=...)"
    x, lengths, labels = found
    classes = len(EMOTIONS)
    if x.ndim != 3 or x.shape[2] != 32 or not len(x):
        return f"x must have the shape (n, time, 32), not {tuple(x.shape)}"
    if x.dtype != torch.float32 or not x.isfinite().all():
        return f"x must be finite numbers of the type float32; it is of {x.dtype}".replace("torch.", "")
    if lengths.shape != (len(x),) or lengths.dtype != torch.int64:
        return f"lengths must be whole numbers (int64), one for each of the {len(x)} utterances of x"
    if lengths.min() < 1 or lengths.max() > x.shape[1]:
        return f"lengths must be from 1 to the {x.shape[1]} frames of x"
    if labels.shape == (len(x), classes) and labels.is_floating_point():
        if not (labels >= 0).all() or not torch.allclose(labels.sum(1), torch.ones(()), atol=1e-4):
            return ("labels given as weights must be at least 0 and sum to 1 in each row (a label of zeros is a "
                    "negative: for these there are AGM and BAGM)")  # fmt: skip
    elif labels.shape != (len(x),) or labels.dtype != torch.int64:
        return f"labels must be {len(x)} class indices (int64), or weights of the shape ({len(x)}, {classes})"
    elif labels.min() < 0 or labels.max() >= classes:
        return f"labels must be from 0 to {classes - 1}"
    return None
