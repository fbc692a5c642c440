"""Checks of chapter 9, is it the GAN?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sergan import evaluation
from sergan.checks import check, close

#: Invented differences of two programs in points of WA: nine speakers (rows), three seeds (columns).
DIFFERENCES = pd.DataFrame(
    [[4.1, 5.6, 3.8], [-2.9, -1.2, -2.2], [6.3, 4.4, 7.0], [0.4, 1.9, -0.8], [-4.6, -3.1, -4.9],
     [3.2, 1.1, 2.6], [8.4, 6.7, 7.1], [-1.8, 0.3, -0.9], [2.2, 3.7, 2.8]],
    index=[f"speaker {k}" for k in range(1, 10)],
    columns=["seed 0", "seed 1", "seed 2"],
)  # fmt: skip


@check(
    "nine speakers are nine values: their seeds were averaged first, and t with 8 degrees of freedom did the rest."
)
def new_speakers(mean, low, high):
    means, cells = DIFFERENCES.mean(axis=1).to_numpy(), DIFFERENCES.to_numpy().ravel()
    right = evaluation.interval(means)
    if not close(mean, right[0], 1e-3):
        return f"the mean of all differences is {right[0]:.2f}."
    half = (high - low) / 2
    if close(half, np.diff(evaluation.interval(cells)[1:])[0] / 2, 5e-3):
        return "you counted 27 runs as if they were 27 speakers: average the seeds of each speaker first."
    error = means.std(ddof=1) / 3
    if close(half, 1.96 * error, 5e-3):
        return "with nine values 1.96 is too small: take the quantile of t with 8 degrees of freedom, 2.31."
    if close(half, error, 5e-3):
        return "that is one standard error on each side, which covers about two thirds."
    if close(half, stats.t.ppf(0.975, 8) * means.std(ddof=1), 5e-3):
        return "that is where single speakers lie; divide by the root of 9 for their mean."
    if close(half, stats.t.ppf(0.975, 8) * means.std() / 3, 5e-3):
        return "the standard deviation of a sample divides by n - 1: ddof=1."
    if not (close(low, right[1], 5e-3) and close(high, right[2], 5e-3)):
        return f"an interval of half-width {half:.2f} is neither that of 9 speakers nor one that I know."


#: Invented p values of four contrasts planned beforehand.
P = {"primary": 0.004, "secondary 1": 0.030, "secondary 2": 0.018, "secondary 3": 0.020}


@check("smallest times 4, next times 3, then 2, then 1, and never less than the one before.")
def holm(adjusted):
    right, order = evaluation.holm(P), sorted(P, key=P.get)
    if not isinstance(adjusted, dict) or set(adjusted) != set(P):
        return f"give a dictionary with the keys {', '.join(P)}."
    found = [adjusted[name] for name in P]
    step = {name: P[name] * (len(P) - k) for k, name in enumerate(order)}
    benjamini = stats.false_discovery_control([P[name] for name in P])
    if close(found, [4 * P[name] for name in P], 1e-4):
        return "that is Bonferroni: every p times 4. Holm lowers the factor from one to the next."
    if close(found, [step[name] for name in P], 1e-4):
        return "the factors are right, but an adjusted p may not be below that of a smaller one before it."
    if close(found, benjamini, 1e-4):
        return "that is Benjamini and Hochberg's, which controls the share of false alarms, not the chance of any."
    if close(found, [P[name] * (k + 1) for name, k in ((n, order.index(n)) for n in P)], 1e-4):
        return "the factors run the other way: the smallest p is multiplied by 4."
    if not close(found, [right[name] for name in P], 1e-4):
        wrong = next(name for name in P if not close(adjusted[name], right[name], 1e-4))
        return f"{wrong}: not {adjusted[wrong]}. Sort by p; multiply by 4, 3, 2, 1; then carry the largest so far."


EXPLANATIONS = {
    "placebo": "steps",
    "sqrt2": "steps",
    "untrained": "any noise",
    "shuffled": "any negative",
    "label_smoothing": "brake",
    "tuned": "rate",
}


@check(
    "each control keeps one rival explanation and drops the rest of the GAN: the gain that remains is the rival's."
)
def explains(answers):
    if not isinstance(answers, dict) or set(answers) != set(EXPLANATIONS):
        return f"give a dictionary with the keys {', '.join(EXPLANATIONS)}."
    if unknown := [word for word in answers.values() if word not in EXPLANATIONS.values()]:
        return f"{unknown[0]!r} is none of the words: {', '.join(dict.fromkeys(EXPLANATIONS.values()))}."
    hints = {
        "placebo": "placebo has no negatives at all; what does it have in common with BAGM?",
        "sqrt2": "sqrt2 has no second step and no negatives, but moves as far as two steps do.",
        "untrained": "untrained keeps a generator and its noise, but the generator never learns.",
        "shuffled": "shuffled needs no generator: its negatives are made from real frames.",
        "label_smoothing": "label smoothing changes the loss of real speech alone; it holds the answers back.",
        "tuned": "tuned lets each arm have the step size that suits it.",
    }
    for name, word in answers.items():
        if word != EXPLANATIONS[name]:
            return hints[name]


CASES = [
    (0.2, 1.0, 0.8), (5.0, 2.0, 1.6), (1.0, 0.7, 0.6), (0.0, 4.0, 3.3), (-5.0, 1.0, 0.8), (1.2, 1.3, 1.0),
    (-1.2, 0.6, 0.5), (1.0, 0.9, 0.8), (0.3, 1.7, 1.4),
]  # fmt: skip


@check(
    "four answers, of which undecided is one: an interval that is too wide shows neither a difference nor its lack."
)
def verdict(function, bound: float = evaluation.BOUND):
    for mean, half_95, half_90 in CASES:
        within, different = abs(mean) + half_90 < bound, abs(mean) > half_95
        right = ("both" if within else "different") if different else "equivalent" if within else "undecided"
        found = function(mean, half_95, half_90, bound)
        case = f"mean {mean}, 95 % ±{half_95}, 90 % ±{half_90}"
        if found is None:
            return "your function returns nothing yet."
        if found not in ("both", "different", "equivalent", "undecided"):
            return "return one of the words both, different, equivalent, undecided."
        if right == "undecided" and found == "equivalent":
            return (
                f"{case}: not different is not the same as equivalent; the interval reaches beyond ±{bound}."
            )
        if right == "both" and found != "both":
            return f"{case}: it excludes 0 and stays within ±{bound}: both."
        if right == "different" and found == "undecided" and mean < 0:
            return f"{case}: below 0 is a difference, too."
        if found != right:
            return f"{case}: that is {right}, not {found}."


@check("a generator that never learns keeps noise of the right shape and takes away the learning.")
def design(answer):
    keys = {"ablation", "control", "objective", "minus"}
    if not isinstance(answer, dict) or set(answer) != keys:
        return f"give a dictionary with the keys {', '.join(sorted(keys))}."
    if answer["control"] in ("placebo", "sqrt2", "sqrt2_betas"):
        return f"{answer['control']} has no negatives, so it cannot say whether noise would do as negatives."
    if answer["control"] == "none":
        return "without a control that is the GAN itself."
    if answer["control"] in ("shuffled", "other"):
        return f"the negatives of {answer['control']} are made of speech; your colleague speaks of noise."
    if answer["control"] != "untrained":
        return f"there is no control {answer['control']!r}."
    if "G" not in answer["ablation"]:
        return "untrained negatives stand in a GAN's place, so the program is one with a G."
    if answer["ablation"] != "BAGM":
        return "the claim of 1.86 points is about the program with a BLSTM."
    if answer["objective"] == "zero":
        return (
            "under zero a negative teaches nothing, so this would be the placebo again: name another reading."
        )
    if answer["objective"] not in ("fused", "uniform"):
        return "name a reading that shares its real loss with BAM as we ran it, such as fused."
    if answer["minus"] != "BAM":
        return "to see whether noise gains what the GAN is said to gain, subtract the same: BAM."


@check("all signs alike is one pattern of 2 to the n, and its mirror image is as extreme.")
def smallest_p(function):
    for units in (5, 2, 9, 14):
        found = function(units)
        if found is None:
            return "your function returns nothing yet."
        if close(found, 1 / 2**units, 1e-9):
            return "that is one-sided: all minus is as extreme as all plus."
        if close(found, 2 / 2 ** (units - 1), 1e-9):
            return "there are 2 to the n patterns of n signs."
        if not close(found, 2 / 2**units, 1e-9):
            return f"for {units} units the smallest p is not {found}."


@check(
    "half of BAM's variance is noise, and noise that lifts BAM lowers the difference: regression to the mean."
)
def slope(value):
    if close(value, 0, 0.02):
        return "no true gain is not no slope: BAM's own noise stands in BAM and, with a minus, in the difference."
    if close(value, 0.5, 0.02):
        return "the sign: a lucky BAM makes the difference smaller."
    if close(value, -1, 0.02):
        return "that would be so if all of BAM's spread were noise; half of its variance is real."
    if not close(value, -0.5, 0.02):
        return "divide the covariance of difference and BAM by the variance of BAM."
