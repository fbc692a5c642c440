"""Checks of chapter 6, generative adversarial networks."""

import math
from itertools import pairwise

import numpy as np

from sergan.checks import check, close


def normal(x, mean, sd):
    """Density of a Gaussian.

    >>> round(normal(0, 0, 1), 4)
    0.3989
    """
    return math.exp(-((x - mean) ** 2) / (2 * sd**2)) / (sd * math.sqrt(2 * math.pi))


P, Q = normal(0.5, 0, 1), normal(0.5, 1, 0.5)
"""The densities of exercise `ex-best-d` at its point: real, generated."""


@check("of all samples at this point, that is the share that is real: p / (p + q).")
def best_d(answer):
    """The best D at 0.5 for real N(0, 1) and generated N(1, 0.5), standard deviations."""
    if close(answer, Q / (P + Q), 1e-3):
        return "q / (p + q) is the share that is generated; D answers with the share that is real."
    if close(answer, P, 1e-3):
        return "that is the density of the real samples alone, and a density is no probability: compare it with q."
    if close(answer, P / Q, 1e-3):
        return "p / q is the odds, so many real ones to one generated; a probability is p / (p + q)."
    if close(answer, math.log(P / Q), 1e-3):
        return "log(p / q) is the logit; D's answer is its sigmoid."
    if close(answer, 0.5, 1e-3):
        return "1/2 is the best answer only where the two densities are equal, and here they are not."
    variance = normal(0.5, 1, math.sqrt(0.5))
    if close(answer, P / (P + variance), 1e-3):
        return "0.5 is the standard deviation of the generated samples, not their variance."
    if not 0 <= float(answer) <= 1:
        return "D's answer is a probability, between 0 and 1."
    return None if close(answer, P / (P + Q), 1e-3) else "evaluate both densities at 0.5, then p / (p + q)."


@check("cut between G and D where D learns, and nowhere where G learns: its gradient has to come through D.")
def detach(discriminator, generator):
    """Which variant belongs into D's step, which into G's: 1 cuts nowhere, 2 before D, 3 behind it, 4 everywhere."""
    for answer in (discriminator, generator):
        if answer not in (1, 2, 3, 4):
            return f"{answer!r} is not the number of a variant, 1, 2, 3 or 4."
    if discriminator == 1:
        return "in D's step, variant 1 fills G's .grad, too, and with a gradient that points the wrong way."
    if discriminator == 3:
        return "in D's step, variant 3 cuts behind D: the gradient of the loss reaches neither network."
    if discriminator == 4:
        return "in D's step, variant 4 records nothing, so D cannot learn from it either."
    if generator == 2:
        return (
            "in G's step, variant 2 cuts the only way by which a gradient can come to G. "
            "Freeze D; do not cut G off."
        )
    if generator == 3:
        return "in G's step, variant 3 cuts behind D, and so before G as well: nothing flows back."
    if generator == 4:
        return (
            "in G's step, variant 4 records nothing: not even a frozen D may be left out of the chain to G."
        )
    return None


@check("each of the two cross-entropies is log 2 when D can only answer 1/2, and so is their mean.")
def equilibrium_loss(answer):
    """The mean of D's two cross-entropies at equilibrium."""
    if close(answer, math.log(4), 1e-3):
        return "log 4 is the sum of the two cross-entropies; this program prints their mean."
    if close(answer, -math.log(4), 1e-3):
        return "-log 4 is the value V, which D maximises; a loss is minimised, and here the two parts are averaged."
    if close(answer, -math.log(2), 1e-3):
        return "the size is right, the sign is not: a cross-entropy is not negative."
    if close(answer, 0.5, 1e-3):
        return "0.5 is what D answers, not what it loses by that answer."
    if close(answer, 0, 1e-3):
        return "a loss of 0 would be that of a D which is always right and sure."
    if close(answer, 1, 1e-3) or close(answer, math.log10(2), 1e-3):
        return "logarithms are natural ones here, not to the base 2 or 10."
    return (
        None if close(answer, math.log(2), 1e-3) else "put D = 1/2 into both cross-entropies, then average."
    )


@check("it is -1 where D is sure that the sample is generated, and 0 where D is sure that it is real.")
def slope(function):
    """The derivative of the non-saturating loss -log D by D's logit, for D = sigmoid(logit)."""
    logit = np.linspace(-6, 6, 25)
    d = 1 / (1 + np.exp(-logit))
    found = [function(float(value)) for value in logit]
    if any(value is None for value in found):
        return "your function returns nothing yet."
    found = np.array([float(value) for value in found])
    if close(found, -d):
        return "-D is the slope of the saturating loss log(1 - D): at D near 0 it vanishes. You want -log D."
    if close(found, 1 - d):
        return "the sign is turned: -log D falls as the logit rises."
    if close(found, -1 / d):
        return "that is the derivative by D; the chain rule asks for a factor dD/dlogit = D (1 - D)."
    if close(found, -np.log(d)):
        return "that is the loss itself, not its derivative."
    if close(found, d * (1 - d)):
        return "D (1 - D) is the derivative of the sigmoid; multiply it by that of -log D."
    return None if close(found, d - 1, 1e-5) else "write -log D as log(1 + exp(-logit)) and differentiate."


def parameters_of(latent, sizes, frames, features):
    """Learned numbers of the generator: Dense layers with biases, two per unit of each batch normalisation.

    >>> parameters_of(100, (256, 512, 1024), 512, 32)
    17479936
    """
    widths = [latent, *sizes, frames * features]
    dense = sum((before + 1) * after for before, after in pairwise(widths))
    return dense + 2 * sum(sizes)


@check("it counts every generator of this kind, the paper's 17,479,936 among them.")
def parameters(function):
    """A function of (latent, sizes, frames, features)."""
    for case in ((100, (256, 512, 1024), 512, 32), (32, (32, 64, 128), 128, 32), (7, (5,), 3, 2)):
        latent, sizes, frames, features = case
        last, units = frames * features, sum(sizes)
        found, right = function(*case), parameters_of(*case)
        where = f" For latent {latent}, sizes {sizes} and {frames} x {features} it gives"
        if found is None:
            return "your function returns nothing yet."
        if found == right - units - last:
            return f"the biases are missing, one for each unit of a Dense layer.{where} {found:,}."
        if found == right - 2 * units:
            return f"batch normalisation learns, too: a scale and a shift for each unit.{where} {found:,}."
        if found == right - 3 * units - last:
            return f"biases and batch normalisation are both missing: these are the weights alone.{where} {found:,}."
        if found == right + 2 * units:
            return (
                "running mean and variance are kept, not learned: batch normalisation has two parameters "
                f"a unit.{where} {found:,}."
            )
        if found == right + 2 * last:
            return f"with tanh at its end, the last layer has no batch normalisation.{where} {found:,}."
        if found == right - (sizes[-1] + 1) * last:
            return f"the last Dense layer, by far the largest, is missing.{where} {found:,}."
        if found != right:
            return f"the count is off.{where} {found:,}, and it has {right:,}."
    return None


CENTRES = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


def spread(samples):
    """Mean distance between two samples.

    >>> spread(np.array([[0.0, 0.0], [3.0, 4.0]]))
    2.5
    """
    return float(np.linalg.norm(samples[:, None] - samples[None], axis=2).mean())


@check("the collapsed one sits in a corner of the ring, and the cured one has found all eight blobs.")
def cured(collapsed, cured):
    """Samples `(n, 2)` of the ring of chapter 6, before and after a cure."""
    arrays = []
    for name, samples in (("collapsed", collapsed), ("cured", cured)):
        samples = np.asarray(samples.detach() if hasattr(samples, "detach") else samples, dtype=float)
        if samples.ndim != 2 or samples.shape[1] != 2 or len(samples) < 500:
            return (
                f"give at least 500 {name} samples with two coordinates each; this has shape {samples.shape}."
            )
        arrays.append(samples[:1000])
    before, after = arrays
    if spread(before) > 1.3:
        return (
            f"the first has not collapsed: its spread is {spread(before):.2f}, and the ring's is about 2.57."
        )
    if spread(after) < 1.3:
        return (
            f"the second is still collapsed: its spread is {spread(after):.2f}, and the ring's is about 2.57."
        )
    distance = np.linalg.norm(after[:, None] - CENTRES[None], axis=2)
    near = distance.min(axis=1) < 0.6
    if near.mean() < 0.6:
        return (
            f"spread alone is no cure: only {near.mean():.0%} of the second lie within 0.6 of a blob's centre, "
            "and of the real samples 99 %."
        )
    shares = np.bincount(distance.argmin(axis=1)[near], minlength=8) / len(after)
    if shares.min() < 0.02:
        return f"{(shares < 0.02).sum()} of the eight blobs get less than 2 % of the second's samples: it dropped them."
    return None
