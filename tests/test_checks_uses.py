"""The checks of chapter 10: right is right, and each wrong answer is told what is wrong with it."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sergan import evaluation
from sergan.checks import uses


def ece(sure, right, bins, weigh=True, sign=False, times=100, largest=False):
    number = np.clip(np.ceil(sure * bins).astype(int), 1, bins)
    found = []
    for b in np.unique(number):
        gap = right[number == b].mean() - sure[number == b].mean()
        found.append((gap if sign else abs(gap)) * ((number == b).mean() if weigh or sign else 1))
    if largest:
        return times * max(found)
    return times * (np.sum(found) if weigh or sign else np.mean(found))


def focal(z, y, gamma, power=None, sign=-1, total=False):
    log_p = -F.cross_entropy(z, y, reduction="none")
    p = log_p.exp()
    loss = sign * (1 - p if power is None else power(p)) ** gamma * log_p
    return loss.sum() if total else loss.mean()


RIGHT = [
    (uses.shifted, {"probability": False, "energy": True}),
    (uses.temperature, 4 / np.log(3)),
    (uses.temperature, 3.64),
    (uses.calibration, ece),
    (uses.threshold, lambda known, keep: np.quantile(known, 1 - keep)),
    (uses.focal, focal),
    (uses.fading, {60: 16.0, 150: 4.0, 400: 3.0}),
]

WRONG = [
    (uses.shifted, {"probability": True, "energy": True}, "factor above and below"),
    (uses.shifted, {"probability": True, "energy": False}, "swapped"),
    (uses.shifted, {"probability": False, "energy": False}, "out of the logarithm"),
    (uses.shifted, {"energy": True}, "keys"),
    (uses.temperature, np.log(3) / 4, "1 / T"),
    (uses.temperature, np.log(3), "after the division"),
    (uses.temperature, 4 / 3, "logarithm of the odds"),
    (uses.temperature, 0.5, "less sure"),
    (uses.temperature, 9.0, "probability 0.75"),
    (uses.calibration, lambda *a: None, "returns nothing yet"),
    (uses.calibration, lambda *a: ece(*a, weigh=False), "weight each gap"),
    (uses.calibration, lambda *a: ece(*a, sign=True), "without its sign"),
    (uses.calibration, lambda *a: ece(*a, times=1), "in points"),
    (uses.calibration, lambda *a: ece(*a, weigh=False, largest=True), "largest gap"),
    (uses.calibration, lambda *a: 1.0, "it should be"),
    (uses.threshold, lambda known, keep: None, "returns nothing yet"),
    (uses.threshold, lambda known, keep: np.quantile(known, keep), "the other end"),
    (uses.threshold, lambda known, keep: keep, "not the confidence"),
    (uses.threshold, lambda known, keep: np.quantile(known, 0.05), "same threshold"),
    (uses.threshold, lambda known, keep: 0.5, "it answers"),
    (uses.focal, lambda z, y, g: None, "returns nothing yet"),
    (uses.focal, lambda z, y, g: focal(z, y, g, sign=1), "minus sign"),
    (uses.focal, lambda z, y, g: focal(z, y, g, total=True), "that is the sum"),
    (uses.focal, lambda z, y, g: focal(z, y, g, power=lambda p: p), "sure answers count"),
    (uses.focal, lambda z, y, g: focal(z, y, 1), "as a power"),
    (uses.focal, lambda z, y, g: F.cross_entropy(z, y), "is missing"),
    (uses.focal, lambda z, y, g: focal(z, y, 2), "gamma 0"),
    (uses.focal, lambda z, y, g: focal(z, y, g).item(), "no gradient"),
    (uses.focal, lambda z, y, g: F.cross_entropy(z, y, reduction="none"), "a single number"),
    (uses.focal, lambda z, y, g: torch.tensor(7.0), "it should be"),
    (uses.fading, {60: 16.0, 400: 3.0}, "at least three"),
    (uses.fading, {60: 16.0, 70: 9.0, 80: 3.0}, "five times"),
    (uses.fading, {60: 0.16, 150: 0.04, 400: 0.03}, "shares"),
    (uses.fading, {60: -16.0, 150: 4.0, 400: 3.0}, "weights minus plain"),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_the_right_answer_is_right(check, answer):
    assert check(answer).right is True


@pytest.mark.parametrize(("check", "answer", "fragment"), WRONG)
def test_each_wrong_answer_is_told_what_is_wrong(check, answer, fragment):
    verdict = check(answer)
    assert verdict.right is False
    assert fragment in verdict.sentence


@pytest.mark.parametrize("check", sorted({check for check, _ in RIGHT}, key=lambda check: check.__name__))
def test_an_open_answer_is_open(check):
    assert check(...).right is None


def test_a_check_agrees_with_the_package():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(4), 200)
    labels = rng.integers(0, 4, 200)
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    assert ece(sure, right, 15) == pytest.approx(evaluation.calibration_error(chances, labels))
