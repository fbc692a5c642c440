"""Chapter 3's checks: right answers are right, and each wrong one is told what is wrong with it."""

import numpy as np
import pytest

from sergan.checks import pitch as checks


def plain(x, lags):
    return [x[: len(x) - k] @ x[k:] for k in range(lags)]


def top(left, middle, right):
    return (left - right) / (2 * (left - 2 * middle + right))


def scaled(train, test, axis=0, fit=None):
    fit = train if fit is None else fit
    low, high = fit.min(axis=axis), fit.max(axis=axis)
    return 2 * (test - low) / (high - low) - 1


def share(counts, frames, every):
    return 1 - np.mean([min(-(-count // every), frames) for count in counts]) / frames


RIGHT = [
    (checks.autocorrelation, plain),
    (checks.vertex, top),
    (checks.window_ms, 38.4),
    (checks.train_only, scaled),
    (checks.padding_share, share),
    (checks.better_pitch, 84.9),
]

WRONG = [
    (checks.autocorrelation, lambda x, n: [x @ np.roll(x, -k) for k in range(n)], "wrapped round"),
    (checks.autocorrelation, lambda x, n: [v / (len(x) - k) for k, v in enumerate(plain(x, n))], "number of products"),
    (checks.autocorrelation, lambda x, n: np.array(plain(x, n)) / len(x), "length of the frame"),
    (checks.autocorrelation, lambda x, n: np.array(plain(x, n)) / (x @ x), "divide by lag 0"),
    (checks.autocorrelation, lambda x, n: plain(x, n + 1)[1:], "first number is lag 1"),
    (checks.autocorrelation, lambda x, n: plain(x, n + 1), "must return 5 numbers"),
    (checks.autocorrelation, lambda x, n: None, "returns nothing yet"),
    (checks.autocorrelation, lambda x, n: np.zeros(n), "lag 0 should be"),
    (checks.vertex, lambda a, b, c: -top(a, b, c), "the sign"),
    (checks.vertex, lambda a, b, c: 2 * top(a, b, c), "factor of 2"),
    (checks.vertex, lambda a, b, c: b - (a - c) * top(a, b, c) / 4, "height"),
    (checks.vertex, lambda a, b, c: 0.3, "the top lies"),
    (checks.vertex, lambda a, b, c: None, "returns nothing yet"),
    (checks.window_ms, 38.4 * 16, "in samples"),
    (checks.window_ms, 25, "two periods"),
    (checks.window_ms, 12.5, "is the period"),
    (checks.window_ms, 30, "too short"),
    (checks.window_ms, 60, "a shorter one"),
    (checks.train_only, lambda a, b: scaled(a, b, fit=np.vstack([a, b])), "that is the leak"),
    (checks.train_only, lambda a, b: scaled(a, b, fit=b), "fitted on the test frames"),
    (checks.train_only, lambda a, b: scaled(a, b, axis=None), "each column"),
    (checks.train_only, lambda a, b: scaled(a, b).clip(-1, 1), "do not clip"),
    (checks.train_only, lambda a, b: (scaled(a, b) + 1) / 2, "[0, 1]"),
    (checks.train_only, lambda a, b: scaled(a, a), "of shape"),
    (checks.train_only, lambda a, b: b, "first test frame"),
    (checks.train_only, lambda a, b: None, "returns nothing yet"),
    (checks.padding_share, lambda c, f, e: 100 * share(c, f, e), "not per cent"),
    (checks.padding_share, lambda c, f, e: 1 - share(c, f, e), "share of real frames"),
    (checks.padding_share, lambda c, f, e: 1 - np.mean([-(-n // e) for n in c]) / f, "negative padding"),
    (checks.padding_share, lambda c, f, e: share(c, f, 1), "forgot to skip"),
    (checks.padding_share, lambda c, f, e: 1 - np.mean([-(-min(n, f) // e) for n in c]) / f, "cut before you skipped"),
    (checks.padding_share, lambda c, f, e: 1 - np.mean([min(n // e, f) for n in c]) / f, "are 201"),
    (checks.padding_share, lambda c, f, e: 0.5, "it should be"),
    (checks.padding_share, lambda c, f, e: None, "returns nothing yet"),
    (checks.better_pitch, 0.849, "in per cent"),
    (checks.better_pitch, 32.2, "without the division"),
    (checks.better_pitch, 50.8, "pauses included"),
    (checks.better_pitch, 56, "openSMILE's column"),
    (checks.better_pitch, 99, "between 80 and 90"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_is_right(check, answer):
    assert check(answer), check(answer).sentence


@pytest.mark.parametrize(("check", "answer", "fragment"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(check, answer, fragment):
    verdict = check(answer)
    assert verdict.right is False
    assert fragment in verdict.sentence


@pytest.mark.parametrize("check", dict.fromkeys(check for check, _ in RIGHT))
def test_an_open_answer_is_open(check):
    assert check(...).right is None


def test_the_shortest_window_is_the_shortest():
    length = checks.shortest_window(80)
    for samples, reaches in ((length, True), (length - 1, False)):
        w = np.hamming(samples)
        assert (w[200:] @ w[:-200] >= 0.55 * (w @ w)) is np.bool_(reaches)
