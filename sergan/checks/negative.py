"""Checks of chapter 7, negative labels."""

from __future__ import annotations

import math

import numpy as np
import torch

from sergan import EMOTIONS, paper
from sergan.checks import check, close
from sergan.objectives import OBJECTIVES

Z = np.array([2.0, 0.5, -1.0, 0.0])

#: Labels for which the two forms agree for every z, and such for which they do not.
AGREE = ([1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1], [2, -1, 0, 0])
DIFFER = ([0, 0, 0, 0], [1, 1, 0, 0], [0.5, 0, 0, 0], [0, -1, 0, 0])


@check("one sum is all that decides, and [0, 0, 0, 0] is not the only label that it shuts out.")
def cross_entropy_forms(condition):
    """`condition(label)` says whether both forms give the same loss for every z."""
    said = {}
    for label in (*AGREE, *DIFFER):
        found = condition(np.array(label, dtype=float))
        if found is None:
            return "the function returns nothing yet."
        said[tuple(label)] = bool(found)
    if said[0, 0, 0, 0]:
        return "for [0, 0, 0, 0] the forms differ: that is where the chapter began."
    if not said[1, 0, 0, 0]:
        return "for [1, 0, 0, 0] the forms agree, and the function says that they do not."
    if not said[0.25, 0.25, 0.25, 0.25]:
        return (
            "a label need not be one-hot: with [1/4, 1/4, 1/4, 1/4] the forms agree too. Follow the algebra."
        )
    if said[1, 1, 0, 0] or said[0.5, 0, 0, 0]:
        return "it is not enough that the label is not zero: try [1, 1, 0, 0] or [0.5, 0, 0, 0]."
    if not said[2, -1, 0, 0]:
        return "nothing in the algebra asks for entries between 0 and 1: [2, -1, 0, 0] agrees as well."
    if said[0, -1, 0, 0]:
        return "for [0, -1, 0, 0] the forms differ: a size is not a sum."
    return None


@check("every class is pushed down, in proportion to its probability, and the parts add up to one.")
def fused_gradient(gradient):
    """`gradient(z)`: the gradient of logsumexp at logits z, an array of four."""
    z = Z.copy()
    found = gradient(z)
    if found is None:
        return "the function returns nothing yet."
    found = np.asarray(found, dtype=float)
    if found.shape != (4,):
        return f"the gradient needs one number per logit, shape (4,), not {found.shape}."
    p = np.exp(z) / np.exp(z).sum()
    if close(found, p, 1e-4):
        large = np.asarray(gradient(np.array([800.0, 0, 0, 0])), dtype=float)
        return (
            None
            if np.isfinite(large).all()
            else "right for small logits, but at 800 it overflows: take the largest out first."
        )
    if close(found, np.zeros(4), 1e-6):
        return "zero is the gradient of the other form. Here the label is gone and logsumexp is left."
    if close(found, p - 0.25, 1e-4):
        return "that is the gradient of `uniform`, whose label is [1/4, 1/4, 1/4, 1/4]."
    if close(found, p - np.eye(4)[found.argmin()], 1e-4):
        return "that is p - y with a one-hot y. The label of a negative has no 1 in it."
    if close(found, np.exp(z), 1e-3):
        return "the chain rule: the derivative of log(s) is one over s, times the derivative of s."
    if close(found, -p, 1e-4):
        return "the sign: logsumexp grows when a logit grows."
    return (
        "not the derivative of log(e^z1 + ... + e^z4). Compare with a difference: raise one logit by 0.001."
    )


@check("each gradient is spent once, and the mean of the squares falls to a k-th.")
def alternation(factor):
    """`factor(k)`: how much further Adam gets per real step if k - 1 steps on zero follow each."""
    found = [factor(k) for k in (1, 2, 3, 9)]
    if any(f is None for f in found):
        return "the function returns nothing yet."
    found = np.array([float(f) for f in found])
    expected = np.sqrt([1, 2, 3, 9])
    if close(found, expected, 1e-3):
        return None
    if close(found, [1, 2, 3, 9], 1e-3):
        return "k times: only if each extra step went as far as a real one. It runs on what is left of the momentum."
    if close(found, np.full(4, math.sqrt(2)), 1e-3):
        return "that is right for k = 2 alone. What happens to the mean of the squares for other k?"
    if close(found, np.sqrt([0, 1, 2, 8]), 1e-3):
        return "k = 1 means no extra step at all, so the factor must be 1: count the real step too."
    if close(found, 1 / expected, 1e-3):
        return "upside down: v stands under the root in the denominator, and it becomes smaller."
    if close(found[0], 1):
        return "right for k = 1, but not beyond. Which share of the steps has a gradient that is not zero?"
    return "for k = 1 nothing is changed, so the factor must be 1."


LOWEST = {"zero": 0.0, "fused": None, "uniform": math.log(4), "softmax_bce": math.log(4 / 3),
          "sigmoid_bce": 0.0, "k_plus_one": 0.0}  # fmt: skip


@check("only `fused` can fall for ever. Two of the others stop at equal answers, two at silence.")
def bounded(lowest):
    """`lowest` maps each reading to the largest number that its generated loss never falls below, or None."""
    if not isinstance(lowest, dict) or set(lowest) != set(LOWEST):
        return f"give a dictionary with these six keys: {', '.join(LOWEST)}."
    if any(value is ... for value in lowest.values()):
        return "some values are still dots."
    if lowest["fused"] is not None:
        return "`fused`: lower all four logits by 1,000. What does logsumexp do?"
    for name in ("sigmoid_bce", "k_plus_one"):
        if lowest[name] is None:
            return f"`{name}` has a bound that it approaches and never reaches: lower all four logits without end."
    for name, value in LOWEST.items():
        found = lowest[name]
        if value is not None and (found is None or not close(found, value, 1e-3)):
            if name in ("uniform", "softmax_bce") and found is not None and close(found, 0.0, 1e-3):
                return f"`{name}` never gets to 0: put in four equal logits, the best that it can have."
            return f"`{name}`: not that. Try four equal logits, and four very small ones, and take the lower loss."
    return None


@check("one column of zeros turns a loss that can fall for ever into one that cannot.")
def fifth_logit(loss):
    """`loss(logits)`: `k_plus_one`'s generated loss, made from `fused.fake` and an extra logit."""
    logits = torch.tensor([[2.0, 0.5, -1.0, 0.0], [-3.0, -2.0, -4.0, -1.0], [50.0, 0.0, 1.0, 2.0]])
    found = loss(logits.clone())
    if found is None:
        return "the function returns nothing yet."
    found = torch.as_tensor(found)
    if found.ndim:
        return f"a loss is one number, the mean over the batch; this has shape {tuple(found.shape)}."
    if close(found, OBJECTIVES["k_plus_one"].fake(logits), 1e-5):
        return None
    if close(found, OBJECTIVES["fused"].fake(logits), 1e-5):
        return "that is still `fused`: nothing was added to the logits."
    ones = torch.nn.functional.pad(logits, (0, 1), value=1.0)
    if close(found, OBJECTIVES["fused"].fake(ones), 1e-5):
        return "the fifth logit is 1 here, which is e to 1 in the sum. It should be 0."
    row = torch.nn.functional.pad(logits, (0, 0, 0, 1))
    if close(found, OBJECTIVES["fused"].fake(row), 1e-5):
        return "the zeros became a fifth utterance, not a fifth class: join along dim=1."
    return "not log(1 + Z). Append one column of zeros, then take `fused`."


@check(
    "that is the entropy of the shares: no generator without a label can do better, whatever it generates."
)
def best_generator_loss(value):
    """The least that the generator's loss can be under cross-entropy, for the classes of the paper's training part."""
    counts = np.array([paper.TABLE_1["train"][emotion] for emotion in EMOTIONS])
    shares = counts / counts.sum()
    entropy = float(-(shares * np.log(shares)).sum())
    value = float(value)
    if close(value, entropy, 2e-3):
        return None
    if close(value, math.log(4), 2e-3):
        return "that would be right for four classes of equal size. Use their shares in the training part."
    if close(value, entropy / math.log(2), 2e-3):
        return "right, in bits. The book's losses are in nats: use the natural logarithm."
    if close(value, 0.0):
        return "0 would need an answer that is sure and right every time, for labels that z knows nothing of."
    if close(value, -entropy, 2e-3):
        return "the sign: a cross-entropy is never negative."
    if close(value, -math.log(shares.max()), 2e-3):
        return "that is the price of the largest class alone. The labels change from sample to sample: take the mean."
    return "not that. The mean price of the labels, if the answer is the shares of the classes."


POINTS = torch.tensor(
    [[2.0, 0.5, -1.0, 0.0], [0.0, 3.0, 1.0, 0.2], [-1.0, 0.0, 0.3, 2.5]], dtype=torch.float64
)


def slope(loss, z):
    """The value and the gradient of a loss at logits z."""
    z = z.clone().requires_grad_()
    value = loss(z)
    (gradient,) = torch.autograd.grad(value, z, allow_unused=True)
    return value.item(), torch.zeros_like(z) if gradient is None else gradient


@check("bounded, fair to all classes, makes the network less sure of negatives, and is none of the six.")
def seventh(fake):
    """`fake(logits)`: a generated loss of the reader's own."""
    first = fake(POINTS.clone())
    if first is None:
        return "the function returns nothing yet."
    if not isinstance(first, torch.Tensor) or first.ndim:
        return "a loss is one number, a tensor without dimensions: take the mean over the batch."
    value, gradient = slope(fake, POINTS)
    if not math.isfinite(value) or not gradient.isfinite().all():
        return "the loss or its gradient is not finite at ordinary logits."
    if not close(value, fake(POINTS[:, [2, 0, 3, 1]]).item(), 1e-6):
        return "the loss changes when classes change places: no emotion should be special to a negative."
    far = [fake(POINTS * scale + shift).item() for scale in (1, 100) for shift in (-1e4, 1e4)]
    if not all(math.isfinite(x) for x in far):
        return "the loss is not finite where logits are large: use log_softmax or logsumexp."
    if min(far) < -100:
        return "this can fall without end: lower, raise or spread the logits and watch it."
    if gradient.abs().max() < 1e-9:
        return "its gradient is zero: `zero` is one of the six."
    after = (POINTS - 1e-3 * gradient / gradient.abs().max()).softmax(1).max(1).values
    if not (after < POINTS.softmax(1).max(1).values).all():
        return "a step against its gradient does not make the network less sure: the largest probability should fall."
    for name, reading in OBJECTIVES.items():
        _, theirs = slope(reading.fake, POINTS)
        cosine = (gradient * theirs).sum() / (gradient.norm() * theirs.norm() + 1e-30)
        if cosine > 0.99999:
            return f"its gradient points where that of `{name}` does: the same reading, at another learning rate."
    return None
