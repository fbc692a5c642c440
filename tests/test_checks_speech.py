"""The checks of chapter 1: right answers are right, and each wrong one hears what is wrong with it."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa

from sergan.checks import speech
from sergan.corpora import iemocap

TRUE = {case: truth for case, (truth, _) in speech.CASES.items()}
FLOORS = {session: 100 * row["neutral"] / sum(row.values()) for session, row in iemocap.EXPECTED.items()}


def buys(agreement, raters, ratings):
    return tuple(share * ratings / raters for share in speech.majority_shares(agreement, raters))


def raw(counts):
    n = counts.sum(axis=1)[0]
    return (((counts**2).sum(axis=1) - n) / (n * (n - 1))).mean()


def chance(counts):
    return ((counts.sum(axis=0) / counts.sum()) ** 2).sum()


def with_herself(counts):
    squares = (counts**2).sum(axis=1).mean() / counts.sum(axis=1)[0] ** 2
    return (squares - chance(counts)) / (1 - chance(counts))


RIGHT = {
    "kappa": (fleiss_kappa,),
    "five_raters": (97.0, 86.3),
    "floors": (FLOORS,),
    "half_right": (13.18,),
    "prohibited": (TRUE,),
    "budget": (buys,),
}

WRONG = [
    ("kappa", (lambda counts: None,), "returns nothing yet"),
    ("kappa", (raw,), "raw agreement"),
    ("kappa", (lambda counts: raw(counts) - chance(counts),), "perfect agreement gives 1"),
    ("kappa", (lambda counts: (raw(counts) - 0.25) / 0.75,), "equally common"),
    ("kappa", (with_herself,), "with herself"),
    ("kappa", (lambda counts: 0.5,), "3 raters"),
    ("kappa", (lambda counts: 1 / 0,), "ZeroDivisionError"),
    ("five_raters", (86.3, 97.0), "swapped"),
    ("five_raters", (0.97, 0.863), "in percent"),
    ("five_raters", (83.7, 86.3), "not in the corpus"),
    ("five_raters", (90.4, 86.8), "three raters"),
    ("five_raters", (97.0, 100), "not every utterance"),
    ("five_raters", (50, 50), "call hear"),
    ("floors", ({"1": 40.8},), "one for each session"),
    ("floors", ({s: v / 100 for s, v in FLOORS.items()},), "percent, not shares"),
    ("floors", (FLOORS | {"4": 41.2},), "left out"),
    ("floors", (dict.fromkeys(FLOORS, 25),), "that is UA"),
    ("floors", (dict.fromkeys(FLOORS, 38.0),), "sessions differ"),
    (
        "floors",
        ({s: 100 * (1708 - r["neutral"]) / (4490 - sum(r.values())) for s, r in iemocap.EXPECTED.items()},),
        "the test is the fifth",
    ),
    ("floors", (FLOORS | {"1": 10.0},), "other four"),
    ("half_right", (0.1318,), "in percent"),
    ("half_right", (86.8,), "not angry"),
    ("half_right", (10.14,), "were found"),
    ("half_right", (50,), "many more than half"),
    ("half_right", (3,), "When are they equal"),
    ("prohibited", (dict.fromkeys(TRUE),), "each case"),
    ("prohibited", ({**TRUE, "exam": None},), 'answer "exam"'),
    *(("prohibited", ({**TRUE, case: not TRUE[case]},), speech.CASES[case][1]) for case in TRUE),
    ("budget", (lambda *given: None,), "returns nothing yet"),
    ("budget", (lambda *given: 3.0,), "two numbers"),
    ("budget", (lambda a, r, n: tuple(r * x for x in buys(a, r, n)),), "divide"),
    ("budget", (lambda a, r, n: (buys(a, r, n)[0], n / r - buys(a, r, n)[0]),), "has no label"),
    ("budget", (lambda a, r, n: speech.majority_shares(a, r),), "shares"),
    ("budget", (lambda a, r, n: (1000, 10),), "others"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_is_right_and_dots_are_open(name):
    assert getattr(speech, name)(*RIGHT[name]).right is True
    assert getattr(speech, name)(*(... for _ in RIGHT[name])).right is None


def test_the_cases_are_open_as_long_as_all_have_dots():
    assert speech.prohibited(dict.fromkeys(TRUE, ...)).right is None


@pytest.mark.parametrize("name, answers, says", WRONG)
def test_a_wrong_answer_hears_what_is_wrong(name, answers, says):
    verdict = getattr(speech, name)(*answers)
    assert verdict.right is False and says in verdict.sentence


def test_majority_shares_are_those_of_a_simulation():
    rng = np.random.default_rng(0)
    typical = rng.random((200_000, 5)) < 0.7
    votes = np.where(typical, 0, rng.integers(1, 4, typical.shape))
    counts = np.stack([(votes == k).sum(axis=1) for k in range(4)], axis=1)
    right = (counts[:, 0] > 2).mean()
    wrong = (counts[:, 1:].max(axis=1) > 2).mean()
    assert np.allclose((right, wrong), speech.majority_shares(0.7, 5), atol=0.004)


def test_a_simulated_budget_is_right_too():
    def simulated(agreement, raters, ratings):
        rng = np.random.default_rng(1)
        typical = rng.random((ratings // raters, raters)) < agreement
        votes = np.where(typical, 0, rng.integers(1, 4, typical.shape))
        counts = np.stack([(votes == k).sum(axis=1) for k in range(4)], axis=1)
        most = counts > raters / 2
        return most[:, 0].sum(), most[:, 1:].sum()

    assert speech.budget(simulated)
