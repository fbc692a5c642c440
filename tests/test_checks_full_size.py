"""The checks of chapter 11: right is right, and each wrong answer is told what is wrong with it."""

from functools import partial

import numpy as np
import pytest

from sergan.checks import full_size as checks
from sergan.plots import full_size as plots

energy = partial(checks.energy, hours=100, watts=50, price=0.4)
CHOICES = {
    "scaling": ("minmax", "standard"),
    "output": ("tanh", "linear", "literal"),
    "epoch": ("pass", "batch"),
}
universes = partial(checks.universes, choices=CHOICES, seeds=5)


def record(seed, **options):
    return {"config": {"seed": seed, "split_seed": seed, "fold": 0, "lr": 0.1} | options}


def pairs(**options):
    return [record(s, **o) for s in (0, 1) for o in ({}, options)]


RIGHT = [
    (lambda: checks.steps({"discriminator": 3200, "generator": 1600})),
    (lambda: energy(5.0, 2.0)),
    (lambda: checks.combine(lambda means, sizes: np.average(means, weights=sizes))),
    (lambda: universes(60)),
    (lambda: checks.shared(checks.SHARED)),
    (lambda: checks.comparison(pairs(lr=0.2))),
    (lambda: checks.comparison(pairs(label_smoothing=0.1))),
]

WRONG = [
    (lambda: checks.steps(3200), "keys"),
    (lambda: checks.steps({"discriminator": 1600, "generator": 1600}), "again on a generated one"),
    (lambda: checks.steps({"discriminator": 1600, "generator": 3200}), "swapped"),
    (lambda: checks.steps({"discriminator": 800, "generator": 400}), "one batch an epoch"),
    (lambda: checks.steps({"discriminator": 2400, "generator": 1200}), "the rest is a batch too"),
    (lambda: checks.steps({"discriminator": 1, "generator": 1}), "what happens in each"),
    (lambda: energy(5000.0, 2.0), "watt-hours"),
    (lambda: energy(2.0, 5.0), "swapped"),
    (lambda: energy(0.5, 2.0), "multiply by the hours"),
    (lambda: energy(5.0, 40.0), "not for an hour"),
    (lambda: energy(5.0, 1.0), "the energy is right"),
    (lambda: energy(9.0, 1.0), "divided by 1,000"),
    (lambda: checks.combine(lambda m, s: None), "returns nothing yet"),
    (lambda: checks.combine(lambda m, s: np.mean(m)), "the say of one with 32"),
    (lambda: checks.combine(lambda m, s: np.sum(m)), "sum of the means"),
    (lambda: checks.combine(lambda m, s: (m * s).sum()), "sum over utterances"),
    (lambda: checks.combine(lambda m, s: (m * s).sum() / 3), "not by the parts"),
    (lambda: checks.combine(lambda m, s: m[:2].mean()), "shorter part"),
    (lambda: checks.combine(lambda m, s: 9.0), "it should be"),
    (lambda: universes(12), "all its seeds"),
    (lambda: universes(7), "adds the options"),
    (lambda: universes(35), "they multiply"),
    (lambda: universes(25), "one point at a time"),
    (lambda: universes(40), "two options"),
    (lambda: universes(1), "multiply the numbers"),
    (lambda: checks.shared(checks.SHARED | {"audio"}), "never passed on"),
    (lambda: checks.shared(checks.SHARED | {"features"}), "frame by frame"),
    (lambda: checks.shared(checks.SHARED | {"weights"}), "ask, first"),
    (lambda: checks.shared({"scores"}), "could go out, too"),
    (lambda: checks.shared({"emails"}), "not on the list"),
    (lambda: checks.comparison([]), "at least four"),
    (lambda: checks.comparison(pairs()), "nothing is compared"),
    (lambda: checks.comparison(pairs(lr=0.2, batch=8)), "batch and lr at once"),
    (lambda: checks.comparison([*pairs(lr=0.2), record(2)]), "cannot be paired"),
    (
        lambda: checks.comparison([record(0), record(0, lr=0.2), record(0, lr=0.3), record(0, lr=0.4)]),
        "one seed cannot tell",
    ),
]


@pytest.mark.parametrize("answer", RIGHT)
def test_the_right_answer_is_right(answer):
    assert answer().right is True


@pytest.mark.parametrize(("answer", "fragment"), WRONG)
def test_each_wrong_answer_is_told_what_is_wrong(answer, fragment):
    verdict = answer()
    assert verdict.right is False
    assert fragment in verdict.sentence


def test_an_open_answer_is_open():
    for verdict in (
        checks.steps(...),
        energy(..., ...),
        checks.combine(...),
        universes(...),
        checks.shared(...),
        checks.comparison(...),
    ):
        assert verdict.right is None


def test_a_time_is_told_in_the_unit_that_suits_it():
    assert [plots.told(h) for h in (0.25, 5, 72)] == ["15 minutes", "5.0 hours", "3.0 days"]
