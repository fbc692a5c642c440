"""Scores of a recogniser, and how far a mean of a few of them can be trusted."""

from __future__ import annotations

import numpy as np
from scipy import stats
from sklearn import metrics

from sergan import EMOTIONS


def confusion(labels, predictions) -> np.ndarray:
    """Counts `(4, 4)`: rows are the true class, columns the answer, both in the order of `EMOTIONS`."""
    return metrics.confusion_matrix(labels, predictions, labels=range(len(EMOTIONS)))


def weighted_accuracy(labels, predictions) -> float:
    r"""WA in percent: correct answers over all answers, so that a big class counts more than a small one.

    .. math:: \text{WA} = \frac{100}{N} \sum_k n_{kk}

    Example:
        >>> weighted_accuracy([1, 1, 1, 0], [1, 1, 1, 1])
        75.0
    """
    return 100 * float(metrics.accuracy_score(labels, predictions))


def unweighted_accuracy(labels, predictions) -> float:
    r"""UA in percent: the mean over classes of the recall, over the classes that `labels` has.

    .. math:: \text{UA} = \frac{100}{K} \sum_k \frac{n_{kk}}{\sum_j n_{kj}}

    Example:
        >>> unweighted_accuracy([1, 1, 1, 0], [1, 1, 1, 1])
        50.0
    """
    present = np.unique(labels)
    recall = metrics.recall_score(labels, predictions, labels=present, average="macro", zero_division=0)
    return 100 * float(recall)


def interval(values, confidence: float = 0.95) -> tuple[float, float | None, float | None]:
    """Mean of `values` and its t interval; a single value has none, its ends are None.

    The values must be the independent units that the sentence is about: runs of one split, or speakers
    (then average seeds within a speaker first).

    Example:
        >>> [round(x, 2) for x in interval([50.0, 52.0, 54.0])]
        [52.0, 47.03, 56.97]
    """
    values = np.asarray(values, dtype=float)
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half
