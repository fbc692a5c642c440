"""Independent streams of random numbers, so that one part of a run cannot change another's."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager

import torch


def stream(seed: int, name: str) -> int:
    """The seed of one of a run's independent random streams: split, discriminator, generator, order, noise.

    A generator draws from streams of its own, so its presence changes nothing else.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4])


@contextmanager
def random_state(seed: int):
    """Draw from `seed` inside, and leave the caller's random state as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
