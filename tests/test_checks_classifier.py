"""The checks of chapter 4: right answers are right, wrong ones are told what is wrong, open ones stay open."""

import numpy as np
import pytest
from scipy import special, stats

from sergan.checks import classifier as checks

CHECKS = [
    checks.first_loss,
    checks.stable_cross_entropy,
    checks.adam_first_step,
    checks.new_speakers,
    checks.leaks,
    checks.deaf_speakers,
]


@pytest.mark.parametrize("check", CHECKS)
def test_dots_are_open(check):
    verdict = check(...)
    assert verdict.right is None and "in place of the dots" in verdict.sentence


def test_the_right_first_loss():
    assert checks.first_loss(np.log(4)) and checks.first_loss(1.386)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (0.25, "probability of the true class"),
        (0, "needs a probability of 1"),
        (2, "in bits"),
        (-np.log(4), "it is positive"),
        (4 * np.log(4), "only the true class"),
        (7, "find the probability"),
    ],
)
def test_wrong_first_losses(answer, said):
    verdict = checks.first_loss(answer)
    assert verdict.right is False and said in verdict.sentence


def stable(z, labels):
    return (special.logsumexp(z, axis=1) - z[np.arange(len(z)), labels]).mean()


def naive(z, labels):
    e = np.exp(z)
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(z)), labels]).mean()


def through_p(z, labels):
    return naive(z - z.max(axis=1, keepdims=True), labels)


def clipped(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = np.clip(e / e.sum(axis=1, keepdims=True), 1e-12, 1)
    return -np.log(p[np.arange(len(z)), labels]).mean()


def test_the_stable_cross_entropy():
    assert checks.stable_cross_entropy(stable)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda z, labels: None, "returns nothing yet"),
        (lambda z, labels: special.logsumexp(z, axis=1) - z[np.arange(3), labels], "return their mean"),
        (lambda z, labels: special.softmax(z, axis=1), "shape (3, 4)"),
        (lambda z, labels: -stable(z, labels), "its sign is not"),
        (lambda z, labels: 3 * stable(z, labels), "sum over the utterances"),
        (lambda z, labels: stable(z, labels) / np.log(2), "in bits"),
        (lambda z, labels: special.softmax(z, axis=1)[np.arange(3), labels].mean(), "mean probability"),
        (lambda z, labels: 0.0, "should be"),
        (naive, "subtract the largest logit"),
        (lambda z, labels: stable(z, labels) + (np.abs(z).max() > 500), "though the probabilities do not"),
        (through_p, "do not go through p"),
        (clipped, "do not go through p"),
        (lambda z: 0, "TypeError"),
    ],
)
def test_wrong_cross_entropies(function, said):
    verdict = checks.stable_cross_entropy(function)
    assert verdict.right is False and said in verdict.sentence


def test_the_right_first_step():
    assert checks.adam_first_step([0.001, -0.001, -0.001])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([3e-6, -0.02, -0.0005], "gradient descent"),
        ([-0.001, 0.001, 0.001], "against its gradient"),
        ([0.00316, -0.00316, -0.00316], "without bias correction"),
        ([0.0001, -0.0001, -0.0001], "first moment still needs"),
        ([0.001, -0.001], "give 3 changes"),
        ([1, 2, 3], "put t = 1"),
    ],
)
def test_wrong_first_steps(changes, said):
    verdict = checks.adam_first_step(changes)
    assert verdict.right is False and said in verdict.sentence


MEANS = checks.DIFFERENCES.mean(axis=1)
ROOT = MEANS.std(ddof=1) / np.sqrt(5)
T = stats.t.ppf([0.025, 0.975], 4)


def test_the_right_interval():
    assert checks.new_speakers(*(MEANS.mean() + T * ROOT))


def test_the_example_teaches_what_it_should():
    low, high = MEANS.mean() + T * ROOT
    wrong = stats.t.interval(0.95, 14, checks.DIFFERENCES.mean(), stats.sem(checks.DIFFERENCES, axis=None))
    assert low < 0 < high and wrong[0] > 0


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (stats.t.interval(0.95, 14, checks.DIFFERENCES.mean(), stats.sem(checks.DIFFERENCES, axis=None)), "no new"),
        (
            stats.t.interval(0.95, 2, checks.DIFFERENCES.mean(), stats.sem(checks.DIFFERENCES.mean(axis=0))),
            "how seeds differ",
        ),
        (MEANS.mean() + stats.norm.ppf([0.025, 0.975]) * ROOT, "not the normal"),
        (MEANS.mean() + T * ROOT * np.sqrt(5), "without dividing"),
        (MEANS.mean() + T * MEANS.std() / np.sqrt(5), "ddof=1"),
        ((MEANS.mean() + T * ROOT)[::-1], "lower end comes first"),
        ((-100, 100), "independent ones"),
    ],
)  # fmt: skip
def test_wrong_intervals(interval, said):
    verdict = checks.new_speakers(*interval)
    assert verdict.right is False and said in verdict.sentence


def test_the_four_leaks():
    assert checks.leaks({2, 3, 4, 6})


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({1, 2, 3, 4, 6}, "line 1 looks at each recording alone"),
        ({2, 3, 4, 5, 6}, "line 5 learns from the training part"),
        ({3, 4, 6}, "line 2 is a leak, too"),
        ({2, 4, 6}, "line 3 is a leak, too"),
        ({2, 3, 6}, "line 4 is a leak, too"),
        ({2, 3, 4}, "line 6 is a leak, too"),
        (set(), "at least one"),
        ({9}, "no line 9"),
    ],
)
def test_wrong_leaks(lines, said):
    verdict = checks.leaks(lines)
    assert verdict.right is False and said in verdict.sentence


@pytest.fixture
def recalls(monkeypatch):
    """Nine speakers by four emotions, as if from the records: two of nine are deaf to something, one of them twice."""
    unseen = np.full((9, 4), 0.6)
    unseen[0, 1] = unseen[0, 2] = unseen[4, 3] = 0.02
    unseen[5, 0] = 0.2
    unseen[6, 0] = 0.2
    random = np.full((9, 4), 0.8)
    monkeypatch.setattr(checks, "_recalls", lambda split: unseen if split == "speaker" else random)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (3, "count each speaker once"),
        (7, "counts the others"),
        (0, "random splits"),
        (4, "level of guessing"),
        (5, "right answers over utterances"),
    ],
)
def test_wrong_counts_of_speakers(recalls, count, said):
    verdict = checks.deaf_speakers(count)
    assert verdict.right is False and said in verdict.sentence


def test_the_right_count_of_speakers(recalls):
    assert checks.deaf_speakers(2)


def test_the_records_have_what_the_exercise_asks():
    unseen = checks._recalls("speaker")
    assert unseen.shape == (9, 4) and 0 < (unseen < 0.1).any(axis=1).sum() < 9
