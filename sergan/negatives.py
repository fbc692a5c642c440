"""Negatives that are not a trained generator's, and what can be measured on those that are.

The controls ask whether the GAN matters: any sequence can carry the label [0, 0, 0, 0].
"""

from __future__ import annotations

import math

import torch

from sergan import EMOTIONS
from sergan.data import Sequences
from sergan.models import reorder, valid_frames
from sergan.randomness import stream


def shuffled(real: Sequences, generator: torch.Generator) -> Sequences:
    """The same utterances with their frames in random order: each frame is speech, the sequence is none."""
    time = real.x.shape[1]
    keys = torch.rand(len(real.lengths), time, generator=generator).to(real.x.device)
    order = keys.masked_fill(~valid_frames(real.lengths, time), 2.0).argsort(dim=1)  # padding stays last
    return real._replace(x=reorder(real.x, order))


def drawn(pool: Sequences, count: int, generator: torch.Generator) -> Sequences:
    """`count` utterances of `pool` at random: real speech of emotions that are none of the four."""
    rows = torch.randint(len(pool.lengths), (count,), generator=generator)
    return pool.pick(rows.to(pool.x.device), trim=True)


def distances(one: Sequences, other: Sequences) -> torch.Tensor:
    """Root mean square difference of each pair over the frames that both have: `(len(one), len(other))`."""
    time = max(one.x.shape[1], other.x.shape[1])
    x, y = (torch.nn.functional.pad(s.x, (0, 0, 0, time - s.x.shape[1])) for s in (one, other))
    in_x, in_y = (valid_frames(s.lengths, time).float() for s in (one, other))
    x, y = x * in_x[..., None], y * in_y[..., None]
    squares = x.square().sum(2) @ in_y.T + in_x @ y.square().sum(2).T - 2 * x.flatten(1) @ y.flatten(1).T
    return (squares.clamp(min=0) / (in_x @ in_y.T * x.shape[2])).sqrt()


def delta_agreement(x: torch.Tensor, lengths: torch.Tensor) -> float:
    """How well columns 16 to 31 are the slopes of columns 0 to 15: their mean correlation over frames.

    The slope is openSMILE's delta, a regression over five frames. Real speech at every frame has 1, up to
    the ends of an utterance; at every second frame less, because its deltas were taken before.
    """
    statics, deltas = x[..., :16], x[:, 2:-2, 16:]
    slopes = (statics[:, 3:-1] - statics[:, 1:-3] + 2 * (statics[:, 4:] - statics[:, :-4])) / 10
    inside = valid_frames(lengths - 2, x.shape[1])[:, 2:-2]
    a, b = (part[inside] - part[inside].mean(0) for part in (slopes, deltas))
    correlation = (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt()
    return correlation.nan_to_num().mean().item()


def measure(sample: Sequences, real: Sequences, *, itself: bool = False) -> dict[str, float]:
    """What `sample` is like beside `real` speech.

    `spread`: mean distance between two of the sample; `nearest`: mean distance to the nearest of `real`;
    `deltas`: see `delta_agreement`. Distances are in units of the scaled features, see `distances`.

    Args:
        itself: the sample is the first part of `real`, and no utterance counts as its own neighbour.
    """
    if len(sample.lengths) < 2:
        return {}
    among = distances(sample, sample)
    pairs = among[~torch.eye(len(among), dtype=torch.bool, device=among.device)]
    to_real = distances(sample, real)
    if itself:
        to_real = to_real.diagonal_scatter(torch.full_like(to_real.diagonal(), torch.inf))
    return {
        "spread": pairs.mean().item(),
        "nearest": to_real.min(dim=1).values.mean().item(),
        "deltas": delta_agreement(sample.x, sample.lengths),
    }


def sample(training, train: Sequences, size: int = 64, neighbours: int = 256):
    """Training utterances, the first `size` of them, and a stream: the same at every call."""
    noise = torch.Generator().manual_seed(stream(training.seed, "look"))
    rows = torch.randperm(len(train.labels), generator=noise)[:neighbours].to(training.device)
    return *(train.pick(part, trim=training.config.masked) for part in (rows, rows[:size])), noise


@torch.no_grad()
def look(training, train: Sequences) -> dict[str, float]:
    """What a run's negatives are like now: see `measure`, and what the discriminator answers to them.

    Noise comes from a stream of its own, so looking changes nothing.
    """
    real, some, noise = sample(training, train)
    before, training.noise = training.noise, noise
    fake, training.noise = training.negatives(some), before
    answer = training.objective.probabilities(training.answer(fake))
    share = answer / answer.sum(dim=1, keepdim=True)
    found = measure(fake, real) | {"entropy": torch.special.entr(share).sum(1).mean().item()}
    means = {f"answer_{emotion}": p for emotion, p in zip(EMOTIONS, answer.mean(0).tolist(), strict=True)}
    return {f"fake_{name}": value for name, value in (found | means).items()}


def look_at_real(training, train: Sequences) -> dict[str, float | None]:
    """The same of real training utterances, for scale; none counts as its own neighbour."""
    real, some, _ = sample(training, train.to(training.device))
    return rounded(measure(some, real, itself=True))


def rounded(values: dict[str, float]) -> dict[str, float | None]:
    """Five digits are enough for a curve; what is not finite becomes None, which JSON can say."""
    return {name: float(f"{v:.5g}") if math.isfinite(v) else None for name, v in values.items()}
