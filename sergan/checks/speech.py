"""Checks of chapter 1, emotional speech."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from sergan import paper
from sergan.checks import check, close
from sergan.corpora import iemocap


def majority_shares(agreement: float, raters: int) -> tuple[float, float]:
    """Share of utterances labelled as most people would, and otherwise: four classes, more than half of the votes."""
    needed = raters // 2
    return binom.sf(needed, raters, agreement), 3 * binom.sf(needed, raters, (1 - agreement) / 3)


@check("0 is what chance gives, 1 is perfect agreement, and the classes' sizes decide what chance gives.")
def kappa(function):
    """A function that takes counts `(utterances, classes)` and returns Fleiss' kappa."""
    rng = np.random.default_rng(2)
    for raters, tilt in ((3, (8, 1, 1, 1)), (5, (2, 2, 1, 1)), (9, (1, 1, 1, 1))):
        counts = np.stack([rng.multinomial(raters, rng.dirichlet(np.array(tilt) / 2)) for _ in range(200)])
        given = function(counts)
        if given is None:
            return "your function returns nothing yet."
        pairs = raters * (raters - 1)
        observed = ((counts**2).sum(axis=1) - raters).mean() / pairs
        by_chance = ((counts.sum(axis=0) / counts.sum()) ** 2).sum()
        if close(given, (observed - by_chance) / (1 - by_chance), 1e-6):
            continue
        if close(given, observed, 1e-6):
            return "that is the raw agreement of pairs of raters; take off what chance would give."
        if close(given, observed - by_chance, 1e-6):
            return "divide by what is left above chance, 1 - P_e, so that perfect agreement gives 1."
        if close(given, (observed - 1 / 4) / (1 - 1 / 4), 1e-6):
            return "your chance agreement takes the classes as equally common; use the shares of all votes."
        squares = (counts**2).sum(axis=1).mean() / raters**2
        if close(given, (squares - by_chance) / (1 - by_chance), 1e-6):
            return "you count each rater as agreeing with herself: n (n - 1) pairs, not n squared."
        return f"for {raters} raters your value is not the one that the formula gives."
    return None


@check("two more raters lift the ceiling much and change the share of labelled utterances hardly at all.")
def five_raters(ceiling, labelled):
    """Ceiling, and share of labelled utterances, in percent: 5 raters who hear the typical emotion in 70 %."""
    right, wrong = majority_shares(0.7, 5)
    best, kept = 100 * right / (right + wrong), 100 * (right + wrong)
    near = lambda value, expected: abs(float(value) - expected) < 1  # noqa: E731
    if near(ceiling, best) and near(labelled, kept):
        return None
    if near(ceiling, kept) and near(labelled, best):
        return "the two are swapped."
    if near(100 * float(ceiling), best) or near(100 * float(labelled), kept):
        return "give both in percent."
    if near(ceiling, 100 * right):
        return "that counts utterances without a label as errors; they are not in the corpus at all."
    three = majority_shares(0.7, 3)
    if near(ceiling, 100 * three[0] / sum(three)):
        return "that is for three raters."
    if near(labelled, 100):
        return "not every utterance gets a label: more than half of the five must agree."
    return "call hear(0.7, 5), count the votes, and look at the utterances with more than half of them for one class."


@check(
    "in session 4 neutral is not even the largest class, so a fair floor there is lower than you may think."
)
def floors(wa):
    """Session -> WA in percent of always answering the class that is largest in the four other sessions."""
    right = {session: 100 * row["neutral"] / sum(row.values()) for session, row in iemocap.EXPECTED.items()}
    own = {session: 100 * max(row.values()) / sum(row.values()) for session, row in iemocap.EXPECTED.items()}
    given = {str(session): float(value) for session, value in dict(wa).items()}
    if given.keys() != right.keys():
        return 'give a dict with the keys "1" to "5", one for each session that is left out.'

    def like(expected):
        return all(abs(given[session] - expected[session]) < 0.11 for session in right)

    if like(right):
        return None
    if like({session: value / 100 for session, value in right.items()}):
        return "give percent, not shares."
    if like(own):
        return "you looked into the session that is left out: in session 4 you would not know that angry is largest."
    if like(dict.fromkeys(right, 25.0)):
        return "that is UA, which is 25 % for every constant answer; WA was asked for."
    if like(
        {s: 100 * (1708 - row["neutral"]) / (4490 - sum(row.values())) for s, row in iemocap.EXPECTED.items()}
    ):
        return "that is the share of neutral in the four sessions of the training; the test is the fifth."
    if len(set(given.values())) == 1:
        return "one number for all sessions? The sessions differ."
    return "for each session: which class is largest in the other four, and which share of this one does it make up?"


@check("and in most places where people speak, far fewer than that are angry.")
def half_right(share):
    """Percent of angry speakers at which half of those called angry are, by Table 4; the others are neutral."""
    table = dict(zip(paper.TABLE_4_CLASSES, paper.TABLE_4, strict=True))
    recall, alarm = table["angry"][0], table["neutral"][0]
    right = 100 * alarm / (recall + alarm)
    if abs(float(share) - right) < 0.1:
        return None
    if abs(100 * float(share) - right) < 0.1:
        return "give it in percent."
    if abs(float(share) - (100 - right)) < 0.1:
        return "that is the share of those who are not angry."
    if abs(float(share) - alarm) < 0.1:
        return "near, but that would be right only if every angry utterance were found."
    if abs(float(share) - 50) < 0.1:
        return "with half of all speakers angry, many more than half of those flagged are."
    return "right flags: share x 66.77; false flags: (100 - share) x 10.14. When are they equal?"


#: Case of the exercise -> whether Article 5(1)(f) prohibits it, and what to say to a wrong answer.
CASES = {
    "call centre, staff": (True, "a workplace, and no medical or safety reason: staff cannot freely say no."),
    "call centre, customers": (
        False,
        "the customers are not at work or at school there. It is not free of rules for that: other articles apply.",
    ),
    "exam": (True, "an education institution; whether a student cheats is no medical or safety reason."),
    "job interview": (
        True,
        "who applies for work is in the area of the workplace: the Commission's guidelines say so.",
    ),
    "therapy": (False, "a medical reason is the exception that the article names."),
    "words": (
        False,
        "no voice, no face: it sorts what people wrote, and the guidelines ask for biometric data.",
    ),
}


def prohibited(answers):
    """Case -> True if Article 5(1)(f) prohibits it; open as long as all answers are dots."""
    untouched = isinstance(answers, dict) and all(answer is ... for answer in answers.values())
    return _prohibited(... if untouched else answers)


@check("the same program is prohibited in one place and not in another: the use decides, not the code.")
def _prohibited(answers):
    given = dict(answers)
    missing = [case for case in CASES if given.get(case) not in (True, False)]
    if len(missing) == len(CASES):
        return "answer each case with True or False."
    if missing:
        return f'answer "{missing[0]}" with True or False.'
    for case, (truth, why) in CASES.items():
        if given[case] is not truth:
            return f"{case}: {why}"
    return None


@check("more raters buy cleaner labels and pay with fewer of them; what is worth more depends on the use.")
def budget(function):
    """A function `(agreement, raters, ratings) -> (right, wrong)`: labels that a number of ratings buys."""
    for agreement, raters, ratings in ((0.7, 3, 30_000), (0.6, 5, 60_000), (0.8, 9, 45_000)):
        given = function(agreement, raters, ratings)
        if given is None:
            return "your function returns nothing yet."
        try:
            right, wrong = (float(value) for value in given)
        except TypeError:
            return "your function should return two numbers, right labels and wrong ones."
        share = majority_shares(agreement, raters)
        expected = [value * ratings / raters for value in share]
        spare = [4 * np.sqrt(value) + 1 for value in expected]  # so that a simulation is right too
        if abs(right - expected[0]) < spare[0] and abs(wrong - expected[1]) < spare[1]:
            continue
        if abs(right - raters * expected[0]) < raters * spare[0]:
            return "each utterance costs as many ratings as it has raters: divide."
        if abs(right - expected[0]) < spare[0] and abs(right + wrong - ratings / raters) < spare[0]:
            return "an utterance without a majority has no label; it is not a wrong one."
        if abs(right - share[0]) < 0.05:
            return "those are shares; labels were asked for."
        return f"for agreement {agreement}, {raters} raters and {ratings:,} ratings the numbers are others."
    return None
