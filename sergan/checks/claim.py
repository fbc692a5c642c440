"""Checks of chapter 0, a claim."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sergan import paper
from sergan.checks import check, close

TEST = paper.TABLE_1["test"]
N = sum(TEST.values())


@check("whoever is judged by UA works on happy: seven utterances are a point; by WA they hardly count.")
def cheap_points(happy, neutral):
    """Utterances that must be right besides, for one point of UA: all of them happy, or all neutral."""
    right = {name: TEST[name] * len(TEST) / 100 for name in ("happy", "neutral")}
    given = {"happy": float(happy), "neutral": float(neutral)}
    if all(close(given[name], right[name], 0.02) or given[name] == np.ceil(right[name]) for name in right):
        return None
    if given["happy"] > given["neutral"]:
        return "a point is cheaper in the smaller class: are the two answers swapped?"
    if all(close(given[name], TEST[name] / 100, 0.02) for name in right):
        return (
            "that raises the recall of this class by one point; UA is the mean of four recalls, so it takes four "
            "times as many."
        )
    if all(close(given[name], N / 100, 0.02) for name in right):
        return "that is one point of WA, where all utterances count the same. UA counts classes."
    return "one utterance raises its class's recall by 100 / (size of the class) points, and UA by a quarter of that."


@check("WA makes it look better than BAGM; UA says that it is blind to half of the classes.")
def half_blind(wa, ua):
    """WA and UA, in percent, of the program that finds all neutral and sad, and calls the rest neutral."""
    right_wa, right_ua = 100 * (TEST["neutral"] + TEST["sad"]) / N, 50.0
    if close(wa, right_wa, 0.01) and close(ua, right_ua, 0.01):
        return None
    if close(ua, right_wa, 0.01) and close(wa, right_ua, 0.01):
        return "the two are swapped: WA counts utterances, UA counts classes."
    if close(100 * float(wa), right_wa, 0.01) or close(100 * float(ua), right_ua, 0.01):
        return "give both in percent."
    if close(wa, 100 * TEST["neutral"] / N, 0.01):
        return "WA: it also finds every sad utterance."
    if not close(wa, right_wa, 0.01):
        return "WA is not right yet: which utterances does it get right, out of all?"
    return "UA is not right yet: what are the four recalls? Two of them are zero."


@check("about four times the paper's test part: an interval on a difference is hungrier than one on a score.")
def utterances_needed(utterances):
    """Test utterances per program so that the claim is two standard errors of a difference, at p = 0.6."""
    points = paper.TABLE_3["BAGM"]["wa"] - paper.TABLE_3["BAM"]["wa"]
    one = 0.6 * 0.4 / (points / 100) ** 2  # the claim is one standard error of one score
    for times, wrong in (
        (8, None),
        (4, "that is for the standard error of one score; a difference of two has twice the variance."),
        (2, "that makes the claim one standard error of a difference; two were asked for."),
        (
            1,
            "that makes the claim one standard error of one score; two, and of a difference, were asked for.",
        ),
        (16, "that doubles the standard error of one score; the variances add up, not the standard errors."),
    ):
        if close(utterances, times * one, 0.01):
            return wrong
    if float(utterances) < 50:
        return "that is far too few: is a point 0.01, and are you taking the square of it?"
    return "set 2 x sqrt(2 p (1 - p) / n) equal to the claim, as a share, and solve for n."


@check(
    "all four are whole: as if of single runs. By chance that happens once in 625 tables (or twice, see below)."
)
def whole_runs(counts):
    """Right answers per run behind the four WA of Table 3, read as truncated."""
    counts = np.asarray(counts, dtype=float).ravel()
    right = np.array([np.ceil(row["wa"] * N / 100) for row in paper.TABLE_3.values()])
    if counts.shape == right.shape and close(counts, right):
        return None
    if counts.shape != right.shape:
        return "give four numbers, one for each program of Table 3, in its order."
    if close(counts, 5 * right):
        return "those are sums over five runs; divide by five."
    if close(sorted(counts), right):
        return "the numbers are right, the order is not that of Table 3."
    if np.all(np.abs(counts - right) <= 1):
        return (
            "near. Go from counts to percent and cut after two decimals: which count gives the printed value?"
        )
    return "a count of right answers is between 0 and 1,349: about 60 percent of it."


@check("now you can do this to every published confusion matrix.")
def recount(scores):
    """A function `(percent of rows, sizes) -> (WA, UA)` in percent, for any confusion matrix printed by rows."""
    rng = np.random.default_rng(1)
    for classes in (4, 3, 6):
        sizes = rng.integers(40, 400, classes)
        counts = np.stack([rng.multinomial(size, rng.dirichlet(np.ones(classes))) for size in sizes])
        names = [f"class {k}" for k in range(classes)]
        printed = pd.DataFrame(counts / sizes[:, None] * 100, names, names).round(2)
        given = scores(printed, pd.Series(sizes, names))
        if given is None:
            return "your function returns nothing yet."
        try:
            wa, ua = given
        except TypeError:
            return "your function should return two numbers, WA and UA."
        right_wa, right_ua = 100 * counts.trace() / counts.sum(), 100 * np.mean(counts.diagonal() / sizes)
        if close(wa, right_ua, 1e-4) and not close(right_wa, right_ua, 1e-4):
            return "your WA is the mean of the diagonal: weight each row by its number of utterances."
        if not close(wa, right_wa, 1e-6):
            if abs(wa - right_wa) < 0.02:
                return "close: turn the percentages back into whole counts before you add them up."
            return f"for a table of {classes} classes your WA is not that of its counts."
        if not close(ua, right_ua, 1e-6):
            if abs(ua - right_ua) < 0.02:
                return "close: take UA, too, from the whole counts."
            return f"for a table of {classes} classes your UA is not the mean of its recalls."
    return None
