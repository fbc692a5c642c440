"""Chapter 2's checks: right answers are right, and each wrong one is told what is wrong with it."""

import pytest

from sergan.checks import frames as checks

RIGHT = [
    (checks.volume, (0.5, 1, 1)),
    (checks.tone, (0.375, 0.3536)),
    (checks.pre_emphasis, (1, "other factors")),
    (checks.longest_s, 5.135),
    (checks.longest_s, 5.125),
]

WRONG = [
    (checks.volume, (0.5, 1, 0.5), "signs do not change"),
    (checks.volume, (0.25, 1, 1), "mean square"),
    (checks.volume, (1, 1, 1), "out of the root"),
    (checks.volume, (0.5, 0.5, 1), "becomes a summand"),
    (checks.volume, (0.5, 2, 1), "sum to zero"),
    (checks.tone, (0.1875, 0.3536), "crosses zero twice"),
    (checks.tone, (6000, 0.3536), "at most 1"),
    (checks.tone, (0.5, 0.3536), "two crossings per period"),
    (checks.tone, (0.375, 0.5), "largest value"),
    (checks.tone, (0.375, 0.25), "then take the root"),
    (checks.tone, (0.375, 0.9), "one half"),
    (checks.pre_emphasis, (1, "same"), 'say "one factor"'),
    (checks.pre_emphasis, (0, "other factors"), "no MFCC 0"),
    (checks.pre_emphasis, (12, "other factors"), "finest ripple"),
    (checks.pre_emphasis, (2, "other factors"), "as a slope does"),
    (checks.pre_emphasis, (1, "one factor"), "low frequencies only"),
    (checks.longest_s, 5125, "in seconds"),
    (checks.longest_s, 5.12, "also has a length"),
    (checks.longest_s, 5.145, "one row too many"),
    (checks.longest_s, 12.8, "frames overlap"),
    (checks.longest_s, 4.0, "frame number 510"),
]


def judge(check, answer):
    return check(*answer) if check is checks.volume else check(answer)


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_is_right(check, answer):
    verdict = judge(check, answer)
    assert verdict, verdict.sentence


@pytest.mark.parametrize(("check", "answer", "fragment"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(check, answer, fragment):
    verdict = judge(check, answer)
    assert verdict.right is False
    assert fragment in verdict.sentence


@pytest.mark.parametrize("check", dict.fromkeys(check for check, _ in RIGHT))
def test_an_open_answer_is_open(check):
    assert check(...).right is None


def test_an_answer_of_three_parts_is_open_until_all_are_there():
    assert checks.volume(rms=0.5, mfcc=1, zcr=...).right is None
