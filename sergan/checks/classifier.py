"""Checks of chapter 4, a classifier, its loss, its doubt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from scipy import stats

from sergan import EMOTIONS, evaluation, report, results
from sergan.checks import check, close


@check("four equal chances, so minus the logarithm of a quarter, whatever the four equal logits are.")
def first_loss(loss: float) -> str | None:
    """The loss in nats of a network that gives four classes the same chance."""
    if close(loss, 0.25):
        return "that is the probability of the true class; the loss is minus its logarithm."
    if close(loss, 0, 1e-3):
        return "a loss of 0 needs a probability of 1 for the true class; what is it here?"
    if close(loss, 2, 1e-3):
        return "that is in bits; the book and its libraries take the natural logarithm."
    if close(loss, -np.log(4), 5e-3):
        return "the size is right, but a loss is minus the logarithm, so it is positive."
    if close(loss, 4 * np.log(4), 5e-3):
        return "only the true class has a label of 1; the other three terms of the sum are 0."
    if not close(loss, np.log(4), 5e-3):
        return "find the probability of the true class first, then take minus its natural logarithm."
    return None


_LOGITS = np.array([[2.0, 0.5, -1.0, 0.0], [0.0, 3.0, 1.0, -2.0], [1.0, 1.0, 1.0, 1.0]])
_LABELS = np.array([0, 2, 3])


def _losses(logits, labels):
    highest = logits.max(axis=1, keepdims=True)
    total = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    return total - logits[np.arange(len(labels)), labels]


@check("the mean of logsumexp(z) - z_y, and it survives logits of any size.")
def stable_cross_entropy(function: Callable) -> str | None:
    """A function of logits `(n, 4)` and labels `(n,)` that gives the mean cross-entropy, without overflow."""
    found, right = function(_LOGITS.copy(), _LABELS.copy()), _losses(_LOGITS, _LABELS)
    if found is None:
        return "the function returns nothing yet."
    if np.shape(found) == (len(_LABELS),):
        return "that is one loss for each utterance; return their mean."
    if np.shape(found) != ():
        return f"the result has the shape {np.shape(found)}; return one number."
    if close(found, -right.mean()):
        return "the size is right, but its sign is not: more probability must mean less loss."
    if close(found, right.sum()):
        return "that is the sum over the utterances; a bigger batch must not mean a bigger loss."
    if close(found, right.mean() / np.log(2)):
        return "that is in bits; take the natural logarithm."
    if close(found, np.exp(-right).mean()):
        return "that is the mean probability of the true class; take minus the logarithm first."
    if not close(found, right.mean()):
        return f"for three utterances it gives {float(found):.3f}, which should be {right.mean():.3f}."
    for size in (1000.0, -1000.0):
        moved = function(_LOGITS + size, _LABELS.copy())
        if not np.isfinite(moved):
            return (f"with {size:g} added to every logit it gives {float(moved)}: "
                    "subtract the largest logit of each row before you exponentiate.")  # fmt: skip
        if not close(moved, right.mean(), 1e-4):
            return f"with {size:g} added to every logit the loss changes, though the probabilities do not."
    apart = np.array([[1000.0, 0.0, 0.0, 0.0]])
    found = function(apart, np.array([1]))
    if not np.isfinite(found) or not close(found, 1000.0, 1e-6):
        return ("for logits of 1000, 0, 0, 0 and the second class it should give 1000: a probability that "
                "rounds to 0 has no logarithm, so do not go through p.")  # fmt: skip
    return None


ADAM_GRADIENT = (-0.003, 20.0, 0.5)


@check("whatever the size of the gradient, Adam's first step is one learning rate, against its sign.")
def adam_first_step(changes: Sequence[float]) -> str | None:
    """How three weights change in Adam's first step at the learning rate 0.001, from `ADAM_GRADIENT`."""
    steps, gradient = np.asarray(changes, dtype=float) / 0.001, np.array(ADAM_GRADIENT)  # in learning rates
    against = -np.sign(gradient)
    if steps.shape != gradient.shape:
        return f"there are {len(gradient)} weights, so give {len(gradient)} changes."
    if close(steps, -gradient, 1e-3):
        return "those are the steps of gradient descent; Adam divides by the root of the second moment."
    if close(steps, -against, 1e-3):
        return "the sizes are right; but a weight moves against its gradient."
    if close(np.abs(steps), np.full(3, 0.1 / np.sqrt(0.001)), 1e-2):
        return "that is without bias correction, which divides each moment by one minus beta to the power t."
    if close(np.abs(steps), np.full(3, 0.1), 1e-2):
        return "the first moment still needs its bias correction: divide it by 1 - 0.9."
    if not close(steps, against, 1e-4):
        return "put t = 1 into the five equations: after the corrections, m is g and v is the square of g."
    return None


DIFFERENCES = np.array(
    [[4.6, 5.2, 4.0], [-0.9, -1.6, -0.2], [3.1, 2.4, 3.5], [0.4, -0.5, 0.7], [1.9, 2.6, 1.2]]
)
"""Points by which one program is above another: five speakers, three seeds each. Invented."""


def _t(values):
    return np.array(evaluation.interval(values)[1:])


@check(
    "five speakers are five units: first the mean over each one's seeds, then the t interval of five values."
)
def new_speakers(low: float, high: float) -> str | None:
    """The 95 % interval of the mean of `DIFFERENCES` for speakers that are not among the five."""
    given = np.array([low, high], dtype=float)
    if given.shape != (2,):
        return "give two numbers, the lower and the upper end."
    if given[0] > given[1]:
        return "the lower end comes first."
    means = DIFFERENCES.mean(axis=1)
    if close(given, _t(DIFFERENCES.ravel()), 0.01):
        return "that takes 15 values for 15 speakers: seeds of one speaker are no new speakers."
    if close(given, _t(DIFFERENCES.mean(axis=0)), 0.01):
        return "that averages over the speakers and says how seeds differ; the sentence is about speakers."
    root = means.std(ddof=1) / np.sqrt(5)
    if close(given, means.mean() + stats.norm.ppf([0.025, 0.975]) * root, 0.01):
        return "the units are right, but with five of them take Student's t, not the normal 1.96."
    if close(given, means.mean() + stats.t.ppf([0.025, 0.975], 4) * means.std(ddof=1), 0.01):
        return "that is without dividing the standard deviation by the root of the number of units."
    if close(given, means.mean() + stats.t.ppf([0.025, 0.975], 4) * means.std() / np.sqrt(5), 0.01):
        return "the standard deviation of a sample divides by n - 1: ddof=1."
    if not close(given, _t(means), 0.01):
        return "which values are the independent ones? Take their mean, their spread, and t with one less."
    return None


_LEAKS = {
    2: "line 2 is a leak, too: the mean and spread that it scales with are partly those of the test part.",
    3: "line 3 is a leak, too: it chooses columns by the labels of all utterances, test part included.",
    4: "line 4 is a leak, too: every speaker of the test part is in the training part.",
    6: "line 6 is a leak, too: the best of several scores on the test part was chosen with the test part.",
}


@check("four leaks. How many points each is worth nobody knows beforehand, so all four must go.")
def leaks(lines: Collection[int]) -> str | None:
    """The numbers of the lines of the exercise's program through which the test part is known in training."""
    lines = {int(line) for line in lines}
    if extra := lines - set(range(1, 7)):
        return f"there is no line {min(extra)}."
    if 1 in lines:
        return "line 1 looks at each recording alone: it would give a new recording the same numbers."
    if 5 in lines:
        return "line 5 learns from the training part alone, which is what training is."
    for line in (4, 3, 6, 2):
        if line not in lines:
            return (
                _LEAKS[line] if lines else "there is at least one: what did each line know of the test part?"
            )
    return None


def _recalls(split: str) -> np.ndarray:
    """Recall of each emotion (columns) for each speaker (rows) of nEMO, linear baseline, from the records."""
    hits, asked = {}, {}
    store = results.published()
    for record in results.read(store):
        if (record["corpus"], record["ablation"], record["split"]) != ("nemo", "linear", split):
            continue
        found = report.answers(record, store)
        with np.load(store / f"{results.key(record['config'])}.npz") as arrays:
            names = arrays["speaker_names"][found["speakers"]]
        right = found["logits"].argmax(axis=1) == found["labels"]
        for name in np.unique(names):
            for k in range(len(EMOTIONS)):
                own = (names == name) & (found["labels"] == k)
                hits[name, k] = hits.get((name, k), 0) + right[own].sum()
                asked[name, k] = asked.get((name, k), 0) + own.sum()
    people = sorted({name for name, _ in hits})
    return np.array([[hits[name, k] / asked[name, k] for k in range(len(EMOTIONS))] for name in people])


@check("and it is another emotion for another speaker, which no mean over speakers shows.")
def deaf_speakers(count: int) -> str | None:
    """How many of nEMO's nine speakers have an emotion of which the linear baseline finds under a tenth."""
    unseen, count = _recalls("speaker"), int(count)
    right = int((unseen < 0.1).any(axis=1).sum())
    if count == right:
        return None
    if count == int((unseen < 0.1).sum()):
        return "that counts pairs of speaker and emotion; count each speaker once."
    if count == len(unseen) - right:
        return "that counts the others, in whom at least a tenth of every emotion is found."
    if count == int((_recalls("paper") < 0.1).any(axis=1).sum()):
        return "that is on random splits; take the records of the split by speaker."
    if count == int((unseen < 0.25).any(axis=1).sum()):
        return "that is a quarter, the level of guessing; the question is about a tenth."
    return "for each speaker and emotion: right answers over utterances, then who has one below 0.1?"
