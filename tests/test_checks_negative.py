"""The checks of chapter 7 accept the right answers and say what is wrong with the others."""

import math

import numpy as np
import pytest
import torch

from sergan.checks import negative as checks
from sergan.objectives import OBJECTIVES, fused

LOWEST = {"zero": 0, "fused": None, "uniform": math.log(4), "softmax_bce": math.log(4 / 3),
          "sigmoid_bce": 0, "k_plus_one": 0}  # fmt: skip
COUNTS = np.array([772, 1195, 416, 758]) / 3141
ENTROPY = -(COUNTS * np.log(COUNTS)).sum()


def p(z):
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def padded(logits, sides=(0, 1), value=0.0):
    return fused.fake(torch.nn.functional.pad(logits, sides, value=value))


def entropy(logits):
    """Minus the entropy of the answers."""
    return (logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()


RIGHT = [
    (checks.cross_entropy_forms, lambda y: np.isclose(y.sum(), 1)),
    (checks.fused_gradient, p),
    (checks.alternation, np.sqrt),
    (checks.bounded, LOWEST),
    (checks.fifth_logit, padded),
    (checks.best_generator_loss, ENTROPY),
    (checks.best_generator_loss, "1.323"),
    (checks.seventh, entropy),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_is_right(check, answer):
    assert check(answer).right is True, check(answer)


@pytest.mark.parametrize("check", dict.fromkeys(check for check, _ in RIGHT))
def test_an_answer_in_dots_is_open(check):
    assert check(...).right is None


@pytest.mark.parametrize("check", [c for c, a in RIGHT if callable(a)])
def test_a_function_that_returns_nothing_is_told_so(check):
    assert "nothing yet" in check(lambda *_: None).sentence


WRONG = [
    (checks.cross_entropy_forms, lambda y: True, "where the chapter began"),
    (checks.cross_entropy_forms, lambda y: False, "for [1, 0, 0, 0] the forms agree"),
    (checks.cross_entropy_forms, lambda y: (y == 1).any() and y.sum() == 1, "need not be one-hot"),
    (checks.cross_entropy_forms, lambda y: y.any(), "not enough that the label is not zero"),
    (checks.cross_entropy_forms, lambda y: np.isclose(y.sum(), 1) and (y >= 0).all(), "between 0 and 1"),
    (checks.cross_entropy_forms, lambda y: np.isclose(abs(y.sum()), 1), "a size is not a sum"),
    (checks.fused_gradient, np.zeros_like, "gradient of the other form"),
    (checks.fused_gradient, lambda z: p(z) - 0.25, "`uniform`"),
    (checks.fused_gradient, lambda z: p(z) - [1, 0, 0, 0], "one-hot y"),
    (checks.fused_gradient, np.exp, "chain rule"),
    (checks.fused_gradient, lambda z: -p(z), "the sign"),
    (checks.fused_gradient, lambda z: p(z).max(), "shape (4,)"),
    (checks.fused_gradient, lambda z: np.exp(z) / np.exp(z).sum(), "overflows"),
    (checks.fused_gradient, lambda z: z, "Compare with a difference"),
    (checks.alternation, lambda k: k, "only if each extra step"),
    (checks.alternation, lambda k: math.sqrt(2), "right for k = 2 alone"),
    (checks.alternation, lambda k: math.sqrt(k - 1), "count the real step too"),
    (checks.alternation, lambda k: 1 / math.sqrt(k), "upside down"),
    (checks.alternation, lambda k: 1, "right for k = 1, but not beyond"),
    (checks.alternation, lambda k: k + 1, "nothing is changed"),
    (checks.bounded, {"fused"}, "these six keys"),
    (checks.bounded, LOWEST | {"zero": ...}, "still dots"),
    (checks.bounded, LOWEST | {"fused": 0}, "What does logsumexp do?"),
    (checks.bounded, LOWEST | {"k_plus_one": None}, "`k_plus_one` has a bound"),
    (checks.bounded, LOWEST | {"uniform": 0}, "`uniform` never gets to 0"),
    (checks.bounded, LOWEST | {"softmax_bce": math.log(4)}, "`softmax_bce`: not that"),
    (checks.fifth_logit, fused.fake, "still `fused`"),
    (checks.fifth_logit, lambda z: padded(z, value=1.0), "fifth logit is 1"),
    (checks.fifth_logit, lambda z: padded(z, (0, 0, 0, 1)), "fifth utterance"),
    (checks.fifth_logit, lambda z: z.logsumexp(1), "one number"),
    (checks.fifth_logit, lambda z: z.mean(), "not log(1 + Z)"),
    (checks.best_generator_loss, math.log(4), "equal size"),
    (checks.best_generator_loss, ENTROPY / math.log(2), "in bits"),
    (checks.best_generator_loss, 0, "sure and right"),
    (checks.best_generator_loss, -ENTROPY, "the sign"),
    (checks.best_generator_loss, -math.log(COUNTS.max()), "largest class alone"),
    (checks.best_generator_loss, 3, "mean price"),
    (checks.seventh, lambda z: z.sum(1), "one number"),
    (checks.seventh, lambda z: z[:, 0].sigmoid().mean(), "change places"),
    (checks.seventh, lambda z: z.exp().mean(), "not finite where logits are large"),
    (checks.seventh, lambda z: z.mean(), "fall without end"),
    (checks.seventh, lambda z: -entropy(z), "less sure"),
    *((checks.seventh, OBJECTIVES[name].fake, f"that of `{name}`")
      for name in ("uniform", "softmax_bce", "sigmoid_bce", "k_plus_one")),
    (checks.seventh, fused.fake, "fall without end"),
    (checks.seventh, OBJECTIVES["zero"].fake, "gradient is zero"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answer", "part"), WRONG)
def test_each_wrong_answer_gets_its_own_sentence(check, answer, part):
    verdict = check(answer)
    assert verdict.right is False
    assert part in verdict.sentence


def test_no_two_kinds_of_mistake_share_a_sentence():
    sentences = {check(answer).sentence for check, answer, _ in WRONG}
    assert len(sentences) == len({(check, part) for check, _, part in WRONG})
