"""The checks of chapter 9: right answers are right, and each wrong one is told what is wrong with it."""

import numpy as np
import pytest
from scipy import stats

from sergan import evaluation
from sergan.checks import controls as checks

MEANS = checks.DIFFERENCES.mean(axis=1).to_numpy()
CELLS = checks.DIFFERENCES.to_numpy().ravel()
ERROR = MEANS.std(ddof=1) / 3
T = stats.t.ppf(0.975, 8)


def around(half):
    return MEANS.mean(), MEANS.mean() - half, MEANS.mean() + half


FALSE_DISCOVERY = stats.false_discovery_control([*checks.P.values()])
ORDER = sorted(checks.P, key=checks.P.get)
DESIGN = {"ablation": "BAGM", "control": "untrained", "objective": "fused", "minus": "BAM"}


def times(*factors):
    return {name: checks.P[name] * factor for name, factor in zip(ORDER, factors, strict=True)}


def verdict(mean, half_95, half_90, bound):
    within, different = abs(mean) + half_90 < bound, abs(mean) > half_95
    if within and different:
        return "both"
    return "equivalent" if within else "different" if different else "undecided"


def instead(was, now):
    return lambda *case: now if verdict(*case) == was else verdict(*case)


RIGHT = [
    (checks.new_speakers, evaluation.interval(MEANS)),
    (checks.holm, (evaluation.holm(checks.P),)),
    (checks.explains, (checks.EXPLANATIONS,)),
    (checks.verdict, (verdict,)),
    (checks.design, (DESIGN,)),
    (checks.smallest_p, (lambda n: 2 / 2**n,)),
    (checks.slope, (-0.503,)),
]

WRONG = [
    (checks.new_speakers, (0, -1, 1), "the mean of all differences"),
    (checks.new_speakers, evaluation.interval(CELLS), "27 runs"),
    (checks.new_speakers, around(1.96 * ERROR), "1.96 is too small"),
    (checks.new_speakers, around(ERROR), "one standard error"),
    (checks.new_speakers, around(T * MEANS.std(ddof=1)), "divide by the root of 9"),
    (checks.new_speakers, around(T * MEANS.std() / 3), "ddof=1"),
    (checks.new_speakers, around(9.0), "nor one that I know"),
    (checks.holm, (0.05,), "give a dictionary"),
    (checks.holm, (times(4, 4, 4, 4),), "Bonferroni"),
    (checks.holm, (times(4, 3, 2, 1),), "may not be below"),
    (checks.holm, (times(1, 2, 3, 4),), "the other way"),
    (checks.holm, (dict(zip(checks.P, FALSE_DISCOVERY, strict=True)),),
     "Benjamini"),
    (checks.holm, (times(4, 4, 3, 3),), "Sort by p"),
    (checks.explains, ({},), "give a dictionary"),
    (checks.explains, (checks.EXPLANATIONS | {"tuned": "luck"},), "none of the words"),
    (checks.explains, (checks.EXPLANATIONS | {"placebo": "any noise"},), "placebo has no negatives"),
    (checks.explains, (checks.EXPLANATIONS | {"shuffled": "any noise"},), "needs no generator"),
    (checks.verdict, (lambda *case: None,), "returns nothing yet"),
    (checks.verdict, (lambda *case: "yes",), "one of the words"),
    (checks.verdict, (instead("undecided", "equivalent"),), "not different is not the same"),
    (checks.verdict, (instead("both", "different"),), "excludes 0 and stays within"),
    (checks.verdict, (lambda m, *rest: "undecided" if m < -4 else verdict(m, *rest),), "below 0"),
    (checks.verdict, (instead("equivalent", "undecided"),), "that is equivalent, not undecided"),
    (checks.design, ({"control": "untrained"},), "with the keys"),
    (checks.design, (DESIGN | {"control": "placebo"},), "has no negatives"),
    (checks.design, (DESIGN | {"control": "none"},), "the GAN itself"),
    (checks.design, (DESIGN | {"control": "shuffled"},), "made of speech"),
    (checks.design, (DESIGN | {"control": "dropout"},), "there is no control"),
    (checks.design, (DESIGN | {"ablation": "BAM"},), "one with a G"),
    (checks.design, (DESIGN | {"ablation": "AGM"},), "with a BLSTM"),
    (checks.design, (DESIGN | {"objective": "zero"},), "placebo again"),
    (checks.design, (DESIGN | {"objective": "sigmoid_bce"},), "shares its real loss"),
    (checks.design, (DESIGN | {"minus": "BAGM"},), "subtract the same"),
    (checks.smallest_p, (lambda n: None,), "returns nothing yet"),
    (checks.smallest_p, (lambda n: 1 / 2**n,), "one-sided"),
    (checks.smallest_p, (lambda n: 2 / 2 ** (n - 1),), "patterns of n signs"),
    (checks.smallest_p, (lambda n: 0.05,), "is not 0.05"),
    (checks.slope, (0.0,), "no true gain is not no slope"),
    (checks.slope, (0.5,), "the sign"),
    (checks.slope, (-1.0,), "half of its variance is real"),
    (checks.slope, (-0.7,), "divide the covariance"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_a_right_answer_is_right(check, answers):
    assert check(*answers).right is True


@pytest.mark.parametrize(("check", "answers", "said"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(check, answers, said):
    found = check(*answers)
    assert found.right is False and said in found.sentence


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_an_open_answer_is_open(check, answers):
    assert check(*[... for _ in answers]).right is None


def test_the_invented_p_values_tell_holm_from_its_neighbours():
    assert np.ptp(list(checks.P.values())) > 0
    assert evaluation.holm(checks.P) != times(4, 3, 2, 1)
