"""The checks of chapter 6 accept the right answer and say what is wrong with each wrong one."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from sergan.checks import gan
from sergan.models import Generator


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def count(latent, sizes, frames, features, *, bias=1, norm=2, last=True, last_norm=0):
    widths = [latent, *sizes, frames * features]
    pairs = list(pairwise(widths))[: None if last else -1]
    return sum((a + bias) * b for a, b in pairs) + norm * sum(sizes) + last_norm * frames * features


def counting(**how):
    return lambda *case: count(*case, **how)


def ring(modes=8, noise=0.2, samples=800, seed=0):
    rng = np.random.default_rng(seed)
    return gan.CENTRES[rng.integers(modes, size=samples)] + noise * rng.normal(size=(samples, 2))


POINT = ring(modes=1)

RIGHT = [
    (gan.best_d, (0.3520653 / (0.3520653 + 0.4839414),)),
    (gan.detach, (2, 1)),
    (gan.equilibrium_loss, (math.log(2),)),
    (gan.slope, (lambda x: sigmoid(x) - 1,)),
    (gan.slope, (lambda x: -sigmoid(-x),)),
    (gan.parameters, (counting(),)),
    (gan.cured, (POINT, ring())),
    (gan.cured, (torch.tensor(POINT), torch.tensor(ring(), requires_grad=True))),
]

P, Q = 0.3520653, 0.4839414

WRONG = [
    (gan.best_d, (Q / (P + Q),), "the share that is generated"),
    (gan.best_d, (P,), "density of the real samples alone"),
    (gan.best_d, (P / Q,), "is the odds"),
    (gan.best_d, (math.log(P / Q),), "is the logit"),
    (gan.best_d, (0.5,), "only where the two densities are equal"),
    (gan.best_d, (0.4448,), "not their variance"),
    (gan.best_d, (3,), "between 0 and 1"),
    (gan.best_d, (0.9,), "evaluate both densities"),
    (gan.detach, (1, 1), "fills G's .grad"),
    (gan.detach, (3, 1), "reaches neither network"),
    (gan.detach, (4, 1), "D cannot learn from it either"),
    (gan.detach, (2, 2), "the only way by which a gradient can come to G"),
    (gan.detach, (2, 3), "before G as well"),
    (gan.detach, (2, 4), "not even a frozen D"),
    (gan.detach, (2, "A"), "is not the number of a variant"),
    (gan.equilibrium_loss, (math.log(4),), "prints their mean"),
    (gan.equilibrium_loss, (-math.log(4),), "the value V"),
    (gan.equilibrium_loss, (-math.log(2),), "the sign is not"),
    (gan.equilibrium_loss, (0.5,), "what D answers"),
    (gan.equilibrium_loss, (0.0,), "always right and sure"),
    (gan.equilibrium_loss, (1.0,), "natural ones"),
    (gan.equilibrium_loss, (7.0,), "put D = 1/2 into both"),
    (gan.slope, (lambda x: -sigmoid(x),), "the saturating loss"),
    (gan.slope, (lambda x: 1 - sigmoid(x),), "the sign is turned"),
    (gan.slope, (lambda x: -1 / sigmoid(x),), "the chain rule"),
    (gan.slope, (lambda x: -math.log(sigmoid(x)),), "the loss itself"),
    (gan.slope, (lambda x: sigmoid(x) * (1 - sigmoid(x)),), "derivative of the sigmoid"),
    (gan.slope, (lambda x: x,), "and differentiate"),
    (gan.slope, (lambda x: None,), "returns nothing yet"),
    (gan.parameters, (counting(bias=0),), "biases are missing"),
    (gan.parameters, (counting(norm=0),), "learns, too"),
    (gan.parameters, (counting(bias=0, norm=0),), "weights alone"),
    (gan.parameters, (counting(norm=4),), "kept, not learned"),
    (gan.parameters, (counting(last_norm=2),), "has no batch normalisation"),
    (gan.parameters, (counting(last=False),), "by far the largest"),
    (gan.parameters, (lambda *case: 17479936,), "the count is off"),
    (gan.parameters, (lambda *case: None,), "returns nothing yet"),
    (gan.cured, (POINT, POINT), "still collapsed"),
    (gan.cured, (ring(), ring()), "has not collapsed"),
    (gan.cured, (POINT, ring(noise=2.0)), "spread alone is no cure"),
    (gan.cured, (POINT, ring(modes=7)), "it dropped them"),
    (gan.cured, (POINT[:10], ring()), "at least 500 collapsed samples"),
]


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_the_right_answer_is_right(check, answers):
    verdict = check(*answers)
    assert verdict.right is True, verdict


@pytest.mark.parametrize(("check", "answers", "fragment"), WRONG)
def test_each_wrong_answer_gets_a_sentence_of_its_own(check, answers, fragment):
    verdict = check(*answers)
    assert verdict.right is False
    assert fragment in verdict.sentence


@pytest.mark.parametrize("check", [gan.best_d, gan.equilibrium_loss, gan.slope, gan.parameters])
def test_dots_leave_a_check_open(check):
    assert check(...).right is None


@pytest.mark.parametrize("check", [gan.detach, gan.cured])
def test_dots_leave_a_check_of_two_answers_open(check):
    assert check(..., ...).right is None


def test_the_count_of_parameters_is_that_of_the_network_itself():
    case = {"latent": 32, "sizes": (32, 64, 128), "frames": 128, "features": 32}
    network = Generator(**case)
    assert gan.parameters_of(**case) == sum(w.numel() for w in network.parameters())
