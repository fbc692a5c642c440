"""The checks of chapter 0: right answers are right, and each wrong one hears what is wrong with it."""

import numpy as np
import pytest

from sergan import paper
from sergan.checks import claim


def scores(percent, sizes):
    counts = percent.mul(sizes, axis=0).div(100).round().to_numpy()
    return 100 * counts.trace() / counts.sum(), 100 * np.mean(counts.diagonal() / sizes)


def from_percent(percent, sizes):
    share = np.diag(percent)
    return (share * sizes).sum() / sizes.sum(), share.mean()


RIGHT = {
    "cheap_points": (7.16, 20.52),
    "half_blind": (62.2, 50),
    "utterances_needed": (5550,),
    "whole_runs": ([782, 792, 804, 829],),
    "recount": (scores,),
}

WRONG = [
    ("cheap_points", (20.52, 7.16), "swapped"),
    ("cheap_points", (1.79, 5.13), "mean of four recalls"),
    ("cheap_points", (13.49, 13.49), "one point of WA"),
    ("cheap_points", (3, 9), "quarter of that"),
    ("half_blind", (50, 62.2), "swapped"),
    ("half_blind", (0.622, 0.5), "in percent"),
    ("half_blind", (38.03, 50), "every sad utterance"),
    ("half_blind", (70, 50), "WA is not right yet"),
    ("half_blind", (62.2, 100), "UA is not right yet"),
    ("utterances_needed", (2775,), "standard error of one score"),
    ("utterances_needed", (1387.5,), "two were asked for"),
    ("utterances_needed", (694,), "and of a difference"),
    ("utterances_needed", (11100,), "variances add up"),
    ("utterances_needed", (2,), "far too few"),
    ("utterances_needed", (4000,), "solve for n"),
    ("whole_runs", ([3910, 3960, 4020, 4145],), "divide by five"),
    ("whole_runs", ([829, 804, 792, 782],), "order"),
    ("whole_runs", ([781, 792, 804, 829],), "cut after two decimals"),
    ("whole_runs", ([57.96, 58.71, 59.59, 61.45],), "between 0 and 1,349"),
    ("whole_runs", ([782, 792],), "four numbers"),
    ("recount", (lambda percent, sizes: None,), "returns nothing yet"),
    ("recount", (lambda percent, sizes: 60.0,), "two numbers"),
    ("recount", (lambda percent, sizes: (scores(percent, sizes)[1],) * 2,), "weight each row"),
    ("recount", (from_percent,), "whole counts before"),
    ("recount", (lambda percent, sizes: (scores(percent, sizes)[0], 50.0),), "UA is not the mean"),
    ("recount", (lambda percent, sizes: (50.0, 50.0),), "WA is not that of its counts"),
    ("recount", (lambda percent, sizes: 1 / 0,), "ZeroDivisionError"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_is_right_and_dots_are_open(name):
    assert getattr(claim, name)(*RIGHT[name]).right is True
    assert getattr(claim, name)(*(... for _ in RIGHT[name])).right is None


@pytest.mark.parametrize("name, answers, says", WRONG)
def test_a_wrong_answer_hears_what_is_wrong(name, answers, says):
    verdict = getattr(claim, name)(*answers)
    assert verdict.right is False and says in verdict.sentence


def test_whole_answers_to_the_first_exercise_count_too():
    assert claim.cheap_points(8, 21)


def test_the_counts_behind_table_3_print_as_table_3_when_cut():
    counts = np.array(RIGHT["whole_runs"][0])
    assert list(np.floor(10_000 * counts / claim.N) / 100) == [row["wa"] for row in paper.TABLE_3.values()]
