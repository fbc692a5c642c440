"""Checks of chapter 8, the four ablations."""

from __future__ import annotations

import math

import numpy as np

from sergan.checks import check, close


@check(
    "ten rows, two seeds, ten folds: AM and BAM have one run for each *real* loss, and zero and fused share theirs."
)
def sweep_size(runs):
    said = {
        240: "zero and fused share their loss on real speech: AM and BAM have two runs there, not three.",
        160: "sigmoid_bce has a real loss of its own, so AM and BAM need a second run each.",
        20: "those are the runs of one fold; unseen speakers need all ten.",
        10: "those are the rows of the table; each has several seeds and folds.",
        100: "that is one seed.",
    }
    if runs in said:
        return said[runs]
    if runs != 200:
        return "count the rows first (program and loss), then multiply by seeds and by folds."


MATRIX = np.array([[30, 4, 5, 1], [6, 50, 2, 12], [9, 8, 3, 0], [2, 10, 0, 18]])


@check("WA counts utterances, UA counts classes, and both agree with the package's.")
def scores(function):
    for counts in (MATRIX, MATRIX[::-1, ::-1].T):
        wa = 100 * np.trace(counts) / counts.sum()
        recall = np.diag(counts) / counts.sum(axis=1)
        precision = np.diag(counts) / counts.sum(axis=0)
        found = function(counts.copy())
        if found is None:
            return "your function returns nothing yet."
        if np.shape(found) != (2,):
            return "return two numbers, WA and UA."
        if close(found, (wa / 100, recall.mean())):
            return "right shares, but the book's scores are in percent."
        if close(found, (100 * recall.mean(), wa)):
            return "WA and UA are in each other's place."
        if close(found, (wa, 100 * precision.mean())):
            return (
                "you divided by the columns: that is precision. A recall divides by its row, the true class."
            )
        if not close(found[0], wa):
            return f"WA of {counts.tolist()} is not {found[0]:.2f}: all right answers over all answers."
        if not close(found[1], 100 * recall.mean()):
            return f"UA of {counts.tolist()} is not {found[1]:.2f}: the plain mean of the four recalls."


SPEAKERS = [np.diag([9, 9, 9, 9]) * 4, np.diag([2, 2, 2, 2]) + 2, np.diag([3, 1, 1, 0]) + 1]


@check(
    "one score a speaker, then their plain mean: a speaker with many recordings has no more say than another."
)
def new_speakers(function):
    each = [100 * np.trace(c) / c.sum() for c in SPEAKERS]
    pooled = np.sum(SPEAKERS, axis=0)
    ua = [np.mean(100 * np.diag(c) / c.sum(axis=1)) for c in SPEAKERS]
    found = function([c.copy() for c in SPEAKERS])
    if found is None:
        return "your function returns nothing yet."
    if close(found, 100 * np.trace(pooled) / pooled.sum()):
        return "you pooled the utterances: then a speaker with more recordings counts more."
    if close(found, np.mean(ua)):
        return "that is the mean of UA; the exercise asks for WA."
    if close(found, np.median(each)):
        return "that is the median; the estimate is the mean."
    if not close(found, np.mean(each)):
        return f"three speakers with WA {', '.join(f'{x:.1f}' for x in each)} do not have the mean {found}."


CURVES = (
    [(50, 40), (62, 66), (70, 61), (66, 58)],
    [(40, 55), (50, 55), (58, 30)],
)


@check(
    "last needs no choice, validation chooses without the test part, and oracle looks at the answer first."
)
def three_rules(function):
    for number, pairs in enumerate(CURVES):
        curve = [{"wa": float(wa), "validation_ua": float(ua)} for wa, ua in pairs]
        chosen = max(curve, key=lambda entry: entry["validation_ua"])
        best = max(entry["wa"] for entry in curve)
        found = function([dict(entry) for entry in curve])
        if found is None:
            return "your function returns nothing yet."
        if set(found) != {"last", "validation", "oracle"}:
            return "return a dictionary with the keys last, validation and oracle."
        if not close(found["last"], curve[-1]["wa"]):
            return f"last is the WA of the last epoch, {curve[-1]['wa']}, whatever came before."
        if close(found["validation"], chosen["validation_ua"]) and chosen["validation_ua"] != chosen["wa"]:
            return "validation chooses the epoch; what is reported is that epoch's WA on the test part."
        if close(found["validation"], best) and best != chosen["wa"]:
            return "your validation rule looked at the test part."
        if number and not close(found["validation"], chosen["wa"]):
            return "of epochs with equal validation UA take the first, or the choice is not fixed beforehand."
        if not close(found["validation"], chosen["wa"]):
            return f"the best validation UA is {chosen['validation_ua']}: which WA has that epoch?"
        if not close(found["oracle"], best):
            return f"oracle is the highest WA on the test part, {best}."


@check("one of the paper's epochs is four steps, or one, and the paper does not say which.")
def steps(function):
    for epochs, utterances, batch in ((400, 3141, 1024), (130, 3141, 1024), (25, 2356, 64), (3, 128, 64)):
        each = math.ceil(utterances / batch)
        for kind, expected in (("pass", epochs * each), ("batch", epochs)):
            found = function(epochs, utterances, batch, kind)
            if found is None:
                return "your function returns nothing yet."
            if kind == "batch" and found == epochs * each != epochs:
                return 'with epoch="batch" an epoch is a single step, however large the corpus.'
            if kind == "pass" and found == epochs * (utterances // batch) != expected:
                return "the last, smaller batch of a pass is a step, too: round up."
            if kind == "pass" and close(found, epochs * utterances / batch) and found != expected:
                return "steps are whole: each pass ends with a smaller batch."
            if found != expected:
                return f"{epochs} epochs, {utterances} utterances, batch {batch}, {kind}: not {found} steps."


@check("the maximum is taken in every run by itself: that is what a report of the best epoch does.")
def oracle_gain(function):
    rng = np.random.default_rng(0)
    for _ in range(3):
        curves = rng.normal(60, 4, size=(6, 12)).round(2)
        right = (curves.max(axis=1) - curves[:, -1]).mean()
        together = curves.mean(axis=0).max() - curves.mean(axis=0)[-1]
        found = function(curves.tolist())
        if found is None:
            return "your function returns nothing yet."
        if close(found, together):
            return "you averaged the curves first: then all runs must stop at the same epoch."
        if close(found, curves.max() - curves[:, -1].mean()):
            return "that is the best of all runs; every run has a best epoch of its own."
        if close(found, -right):
            return "the sign is the wrong way round: oracle minus last."
        if not close(found, right):
            return f"six runs with a mean gain of {right:.2f}: your function says {found}."
