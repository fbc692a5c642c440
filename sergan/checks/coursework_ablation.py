"""Visible checks of assignment 5, an ablation with the right interval: small public cases, worked out by hand."""

from __future__ import annotations

import numpy as np

from sergan.checks import check, close


def invented(seed: int) -> list[dict]:
    """Records of two programs, made up: five sessions of two speakers, three seeds, some runs missing.

    Example:
        >>> sorted(invented(1)[0])
        ['program', 'seed', 'session', 'speaker', 'ua', 'wa']
    """
    random, records = np.random.default_rng([5, seed]), []
    for session in range(5):
        for voice in "fm":
            level, gain = 58 + 7 * random.normal(), 1 + 2.5 * random.normal()
            for number in range(3):
                for program in ("BAM", "BAGM"):
                    wa = level + 1.5 * random.normal() + gain * (program == "BAGM")
                    records.append({
                        "program": program, "session": f"session {session + 1}",
                        "speaker": f"s{session + 1}{voice}", "seed": number,
                        "wa": round(wa, 2), "ua": round(wa - 5 + random.normal(), 2),
                    })  # fmt: skip
    kept = random.permutation(len(records))[4:]
    return [records[k] for k in sorted(kept)]


TABLES = (np.array([[8, 2], [1, 1]]), np.array([[3, 1, 0], [0, 0, 0], [2, 0, 2]]))


def about_a_score(function, right, said):
    """What is wrong with a score of `TABLES`; `said` gives sentences for known wrong values."""
    for counts, expected in zip(TABLES, right, strict=True):
        given = counts.copy()
        found = function(given)
        if found is None:
            return "your function returns nothing yet."
        if not np.array_equal(given, counts):
            return "your function changes the counts that it is given; work on a copy."
        if np.isnan(float(found)):
            return f"for {counts.tolist()} it gives nan: a class that nobody was asked about is left out."
        for value, sentence in said:
            if close(found, value, 1e-3) and not close(value, expected, 1e-3):
                return f"for {counts.tolist()}: {sentence}"
        if not close(found, expected, 1e-3):
            return f"for {counts.tolist()} it gives {float(found):.2f}, and right is {expected:.2f}."
    return None


PERCENT = "that is a share; the scores of this course are in percent."
ZERO = "the class without utterances counts as 0 here; it should be left out of the mean."


@check("every class that was asked has the same say, however many utterances it has.")
def recall(function):
    return about_a_score(function, (65, 62.5), [
        (0.65, PERCENT), (75, "that is WA, all right answers over all answers."),
        (61.111, "you divided by the columns (what was answered); a recall divides by its row, the true class."),
        (41.667, ZERO),
    ])  # fmt: skip


@check("an answer that is given too often costs now, too, not only one that is given too rarely.")
def f1(function):
    return about_a_score(function, (62.105, 66.667), [
        (0.62105, PERCENT), (31.053, "the factor 2 is missing."), (65, "that is the mean recall."),
        (75, "that is one F1 for all classes together; take one for each class, then their mean."), (44.444, ZERO),
    ])  # fmt: skip


UA = (50, 70, 52, 61, 60, 44, 62, 40)
LOSS = (1.0, 0.8, 0.9, 0.7, 0.75, 0.8, 0.7, 0.9, 0.5, 0.6)


def epochs(**columns) -> list[dict]:
    """A curve whose scores on the test part tell the epoch: wa 10, 11, ..., ua 30, 31, ..."""
    count = len(next(iter(columns.values())))
    free = {
        "validation_ua": [50 - k for k in range(count)],
        "validation_loss": [1 - k / 50 for k in range(count)],
    }
    free |= columns
    return [{"wa": 10.0 + k, "ua": 30.0 + k, **{name: float(values[k]) for name, values in free.items()}}
            for k in range(count)]  # fmt: skip


def about_an_epoch(found, want: int, score: str, said: dict[int, str]):
    if found is None:
        return "your function returns nothing yet."
    base, other = (10, 30) if score == "wa" else (30, 10)
    if found == other + want:
        return f"the epoch is right, but the score that counts is SCORE, {score!r}."
    if not base <= found < base + 20:
        return f"it returns {found}, which is no {score} on the test part; validation only chooses the epoch."
    epoch = int(found - base)
    if epoch != want:
        return said.get(epoch, f"it takes epoch {epoch}, counted from 0; right is {want}.")
    return None


@check("one lucky epoch does not decide any more.")
def smooth(function, score, stretch):
    """A function of a curve, for the constants SCORE and STRETCH."""
    said = {
        1: "it takes epoch 1, the highest single one. Is it high because it is good, or because it is lucky?",
        6: "it takes epoch 6, the highest single one of those that end a stretch; compare means.",
        7: "it takes the last epoch.",
    }
    wrong = about_an_epoch(function(epochs(validation_ua=UA)), stretch, score, said)
    if wrong:
        return f"for validation_ua {list(UA)}: {wrong}"
    for column, want in ([50] * (stretch + 2), stretch - 1), ([50] * stretch, stretch - 1):
        wrong = about_an_epoch(function(epochs(validation_ua=column)), want, score, {})
        if wrong:
            return f"for validation_ua {column}, where the first of equals counts: {wrong}"
    return None


@check("it stops where one would have stopped, without knowing what comes later.")
def stop(function, score, stretch):
    """A function of a curve, for the constants SCORE and STRETCH."""
    said = {
        8: "it takes epoch 8, but training had stopped before.",
        6: "epoch 6 is not lower than the best so far, only as low.",
        3 + stretch: "it reports the epoch where it stopped; the rule reports the best one until then.",
    }
    wrong = about_an_epoch(function(epochs(validation_loss=LOSS)), 3, score, said)
    if wrong:
        return f"for validation_loss {list(LOSS)}: {wrong}"
    wrong = about_an_epoch(function(epochs(validation_loss=[0.5])), 0, score, {})
    return f"for a curve of one epoch: {wrong}" if wrong else None


RECORDS = [
    {"program": p, "speaker": s, "session": f"session {n}", "seed": k, "wa": wa, "ua": ua}
    for p, s, n, k, wa, ua in (
        ("BAGM", "s2", 1, 1, 70.0, 60.0),
        ("BAM", "s1", 1, 0, 50.0, 40.0),
        ("BAGM", "s1", 1, 0, 53.0, 45.0),
        ("BAM", "s3", 2, 0, 40.0, 41.0),
        ("BAGM", "s1", 1, 1, 55.0, 43.0),
        ("BAM", "s1", 1, 1, 54.0, 44.0),
        ("BAM", "s2", 1, 0, 60.0, 50.0),
        ("BAGM", "s2", 1, 0, 58.0, 51.0),
        ("BAGM", "s3", 2, 0, 42.0, 41.0),
        ("AM", "s1", 1, 0, 12.0, 13.0),
    )
]
UNITS = {
    ("wa", "speaker"): {"s1": 2, "s2": -2, "s3": 2},
    ("ua", "speaker"): {"s1": 2, "s2": 1, "s3": 0},
    ("wa", "session"): {"session 1": 2 / 3, "session 2": 2},
    ("ua", "session"): {"session 1": 5 / 3, "session 2": 0},
}


@check("like is compared with like, and a unit has one say, however many runs it has.")
def differences(function, score, unit):
    """A function of records and two programs, for the constants SCORE and UNIT."""
    want = UNITS[score, unit]
    found = function([dict(r) for r in RECORDS], "BAGM", "BAM")
    if found is None:
        return "your function returns nothing yet."
    if not isinstance(found, dict):
        return "return a dictionary: a difference for each unit."
    if set(found) != set(want):
        return f"your units are {sorted(map(str, found))}; UNIT is {unit!r}, so they are {sorted(want)}."
    other = UNITS[{"wa": "ua", "ua": "wa"}[score], unit]
    for name, value in want.items():
        if close(found[name], value, 1e-6):
            continue
        if close(found[name], -value):
            return f"{name} has {found[name]:+.2f}: new minus old, not the other way round."
        if close(found[name], other[name]):
            return f"{name} has {found[name]:+.2f}: that is the other score; SCORE is {score!r}."
        return (
            f"{name} has {found[name]:+.2f}, and right is {value:+.2f}. Does every difference belong to one speaker "
            "and one seed? s2 has a run of BAGM without a partner."
        )
    return None


SAMPLE = [1.0, 3.0, 2.0, 6.0]
T_3 = {0.9: 2.35336, 0.95: 3.18245, 0.98: 4.54070, 0.99: 5.84091}
ONE_SIDED = {0.9: 1.63774, 0.95: 2.35336, 0.98: 3.48191, 0.99: 4.54070}
NORMAL = {0.9: 1.64485, 0.95: 1.95996, 0.98: 2.32635, 0.99: 2.57583}
ERROR = 1.0801235


@check("it says how far the mean of so few units may be off, and nothing where there is only one.")
def interval(function, confidence):
    """A function of differences, for the constant CONFIDENCE."""
    found = function(list(SAMPLE))
    if found is None:
        return "your function returns nothing yet."
    if np.shape(found) != (3,):
        return "return three values: the mean and the two ends."
    mean, low, high = map(float, found)
    where = f"for the differences {SAMPLE}: "
    if not close(mean, 3):
        return f"{where}the mean is 3, not {mean:.3f}."
    if not close(high - mean, mean - low):
        return f"{where}the ends are not equally far from the mean."
    width = (high - mean) / ERROR
    for value, sentence in (
        (
            T_3[confidence] * 3**0.5 / 2,
            "you took the population's standard deviation, with n instead of n - 1.",
        ),
        (NORMAL[confidence], "that is the normal quantile; few units need Student's t."),
        (
            ONE_SIDED[confidence],
            "half of what may be missed lies at each end; your quantile puts all of it at one.",
        ),
        (
            T_3[confidence] * 2,
            "that is the spread of single units; the mean of n is less uncertain, by sqrt(n).",
        ),
        (T_3[confidence] / 2, "you divided by n; the error of a mean falls with sqrt(n)."),
    ):
        if close(width, value, 1e-3):
            return where + sentence
    if not close(width, T_3[confidence], 1e-3):
        return f"{where}the upper end is {3 + T_3[confidence] * ERROR:.3f}, not {high:.3f}."
    alone = function([2.0])
    if alone is None or len(alone) != 3 or alone[1] is not None or alone[2] is not None or alone[0] != 2:
        return "a single unit [2.0] has a mean and no interval: its ends are None."
    return None


CASES = {
    "different": [4.9, 5.0, 5.1, 5.0],
    "equivalent": [-0.05, 0.05, 0.02, -0.02],
    "undecided": [-5.0, 5.0, 1.0, -1.0],
    "both": [-0.5, -0.52, -0.48, -0.5],
}


@check("absence of evidence and evidence of absence have got two different words.")
def verdict(function):
    for want, values in CASES.items():
        found = function(list(values))
        if found is None:
            return "your function returns nothing yet."
        if found not in CASES:
            return f"it says {found!r}; there are four words: {', '.join(CASES)}."
        if (found, want) == ("equivalent", "undecided"):
            return f"{values}: an interval that holds 0 and much else besides shows nothing. Undecided."
        if found != want:
            return f"{values}: your function says {found!r}, and it is {want!r}."
    return None


@check("all patterns of signs, each as likely as the other, and the observed one among them.")
def flips(function):
    for values, want in (([1.0, 2.0, 3.0], 0.25), ([2.0, 2.0, -1.0], 0.5), ([1.0, -1.0], 1.0)):
        found = function(list(values))
        if found is None:
            return "your function returns nothing yet."
        if close(found, want / 2) and want < 1:
            return f"{values}: {found} counts one side only; as far from 0 means on either side."
        if close(found, want * 2 ** len(values)):
            return f"{values}: that is how many patterns there are; p is their share of all."
        if not close(found, want):
            return f"{values}: p is {want}, not {found}. Write down all {2 ** len(values)} patterns by hand."
    return None


def about_many(function, pairs):
    for p, want in pairs:
        given = list(p)
        found = function(given)
        if found is None:
            return "your function returns nothing yet."
        if given != p:
            return "your function changes the list that it is given; work on a copy."
        if len(found) != len(p):
            return f"{len(p)} p values have {len(p)} adjusted ones."
        if max(found) > 1:
            return f"{p}: no p value is above 1."
        if close(sorted(found), sorted(want)) and not close(found, want):
            return f"{p}: the values are right, their order is not: give each in the place of its own p."
        if close(found, np.minimum(np.array(p) * len(p), 1)) and not close(found, want):
            return f"{p}: that is Bonferroni, n times every p."
        if not close(found, want):
            return f"{p}: adjusted they are {want}, not {[round(float(x), 4) for x in found]}."
    return None


@check("the smallest pays the most, and nobody pays less than the one before.")
def holm(function):
    return about_many(
        function, (([0.04, 0.01, 0.03], [0.06, 0.03, 0.06]), ([0.6, 0.5], [1, 1]), ([0.02], [0.02]))
    )


@check("the smallest pays the most, and nobody pays more than the one behind.")
def hochberg(function):
    return about_many(
        function, (([0.04, 0.01, 0.03], [0.04, 0.03, 0.04]), ([0.6, 0.5], [0.6, 0.6]), ([0.02], [0.02]))
    )
