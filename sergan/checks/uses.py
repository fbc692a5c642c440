"""Checks of chapter 10, what negatives are good for."""

from __future__ import annotations

import numpy as np
import torch

from sergan.checks import check, close


@check(
    "all four logits move together: the probabilities stay, the energy moves by the number that was added."
)
def shifted(changes):
    """Which scores change where the same number is added to all four logits: a dict of True and False."""
    if set(changes) != {"probability", "energy"}:
        return 'give a dictionary with the keys "probability" and "energy", each True or False.'
    probability, energy = bool(changes["probability"]), bool(changes["energy"])
    if probability and energy:
        return "in the softmax the added number is a factor above and below the fraction line: what remains of it?"
    if probability:
        return "the two are swapped: one of them is a ratio, the other a sum."
    if not energy:
        return "log(e^c (e^z1 + ... + e^z4)) is not what it was before: take the factor out of the logarithm."
    return None


@check("divide the logit gap by T until softmax says what the record says: 4 / T = ln 3.")
def temperature(t):
    """T for which two logits 4 apart, right in three of four answers, are calibrated."""
    t, right = float(t), 4 / np.log(3)
    if close(t, right, 0.01):
        return None
    if close(t, 1 / right, 0.01):
        return "that is 1 / T: the logits are divided by T, not multiplied."
    if close(t, np.log(3), 0.01):
        return "that is the gap which the logits must have after the division; T is what 4 is divided by."
    if close(t, 4 / 3, 0.01):
        return "the odds must be 3 to 1, and a gap of logits is the logarithm of the odds."
    if t <= 1:
        return "it says 98 %, and is right in 75: it must become less sure, so T is above 1."
    return "which gap of two logits gives the probability 0.75? What must 4 be divided by to become that?"


def _sample():
    rng = np.random.default_rng(1)
    sure = np.concatenate([rng.uniform(0.25, 1, 60), rng.uniform(0.9, 1, 60)])
    return sure, (rng.random(120) < 0.6 * sure).astype(int)


def _gaps(sure, right, bins):
    number = np.clip(np.ceil(sure * bins).astype(int), 1, bins)
    there = np.unique(number)
    gaps = np.array([right[number == b].mean() - sure[number == b].mean() for b in there])
    return gaps, np.array([(number == b).mean() for b in there])


@check("each gap counts by the answers behind it, whichever side of the diagonal it is on.")
def calibration(function):
    """A reader's `function(sure, right, bins)`: the calibration error in points."""
    sure, right = _sample()
    found = function(sure, right, 10)
    if found is None:
        return "your function returns nothing yet."
    gaps, share = _gaps(sure, right, 10)
    expected = 100 * np.abs(gaps * share).sum()
    if close(found, expected, 1e-4) and close(
        function(1 - sure / 4, right, 4), 100 * np.abs(np.prod(_gaps(1 - sure / 4, right, 4), 0)).sum(), 1e-4
    ):
        return None
    if close(100 * float(found), expected, 1e-4):
        return "the right number, as a share: give it in points."
    if close(found, 100 * np.abs(gaps).mean(), 1e-4):
        return "every bin has the same say there; weight each gap by its bin's share of the answers."
    if close(found, 100 * (gaps * share).sum(), 1e-4) or close(found, -100 * (gaps * share).sum(), 1e-4):
        return (
            "too sure in one bin and not sure enough in another cancel there; take each gap without its sign."
        )
    if close(found, 100 * np.abs(gaps).max(), 1e-4):
        return "that is the largest gap of all; a weighted mean was asked for."
    return f"for 120 answers and 10 bins it should be {expected:.2f}, not {float(found):.2f}."


@check("chosen on known speech alone, as it must be: what is unseen is not there when you choose.")
def threshold(function):
    """A reader's `function(known, keep)`: the confidence from which on to answer."""
    known = np.random.default_rng(2).beta(5, 2, 400)
    found = function(known, 0.95)
    if found is None:
        return "your function returns nothing yet."
    for keep in (0.95, 0.8):
        kept = np.mean(known >= function(known, keep))
        if abs(kept - keep) <= 0.01:
            continue
        if abs(kept - (1 - keep)) <= 0.01:
            return f"that answers {100 * kept:.0f} % and rejects the rest: cut at the other end."
        if close(found, 0.95, 1e-3):
            return "keep is the share of utterances to answer, not the confidence to ask for."
        if keep == 0.8 and close(function(known, keep), found):
            return "it gives the same threshold whatever share is to be kept."
        return f"of 400 known utterances it answers {100 * kept:.0f} %, not {100 * keep:.0f}."
    return None


@check("gamma 0 is cross-entropy; gamma 2 leaves an answer that is right with 0.9 a hundredth of its loss.")
def focal(function):
    """A reader's `function(logits, labels, gamma)`: mean focal loss of a batch."""
    z = torch.tensor([[2.0, 0.5, -1.0, 0.0], [0.0, 0.0, 3.0, 0.0], [1.0, 1.0, 0.0, 0.0]], requires_grad=True)
    y = torch.tensor([0, 1, 3])
    found = function(z, y, 2.0)
    if found is None:
        return "your function returns nothing yet."
    log_p = z.log_softmax(1)[torch.arange(3), y].detach()
    p = log_p.exp()
    wanted, each = (-((1 - p) ** 2) * log_p).mean(), "give the mean over the batch, a single number"
    if torch.as_tensor(found).numel() != 1:
        return f"{each}."
    value = float(torch.as_tensor(found).detach())
    if close(value, float(wanted), 1e-4):
        if not close(float(torch.as_tensor(function(z, y, 0.0)).detach()), float(-log_p.mean()), 1e-4):
            return "right for gamma 2, but with gamma 0 it should be cross-entropy."
        return None if getattr(found, "requires_grad", False) else (
            "the value is right, but no gradient can flow: stay with tensors, no .item() and no NumPy."
        )  # fmt: skip
    for other, wrong in (
        (-wanted, "a loss falls as the answer gets better: the minus sign is missing."),
        (3 * wanted, f"that is the sum; {each}."),
        ((-(p**2) * log_p).mean(), "p to the power gamma lets the sure answers count; it is (1 - p)."),
        (-((1 - p) * log_p).mean(), "gamma is not used as a power."),
        (-log_p.mean(), "that is cross-entropy: the factor (1 - p) to the power gamma is missing."),
        (((1 - p) ** 2).mean(), "the factor is there, the logarithm is not."),
    ):
        if close(value, float(other), 1e-4):
            return wrong
    return f"for this batch it should be {float(wanted):.4f}, not {value:.4f}; p is that of the true class."


@check("weights matter while the training voices are not yet learnt by heart, and fade after that.")
def fading(gains):
    """What class weights add to the recall of happy, in points: a dict from steps to gain, at least three."""
    if not hasattr(gains, "items") or len(gains) < 3:
        return "give a dictionary from steps to the gain in points, for at least three numbers of steps."
    steps = sorted(gains)
    if steps[-1] < 5 * steps[0]:
        return "the longest training should have at least five times the steps of the shortest."
    values = [float(gains[step]) for step in steps]
    if max(np.abs(values)) <= 1:
        return "these look like shares; give points (percent)."
    if np.argmin(values) == 0:
        return "the gain is smallest at the fewest steps: is it weights minus plain, on the voices not learnt from?"
    return (
        None if values[0] > values[-1] else "early and late are alike here: take fewer steps for the first."
    )
