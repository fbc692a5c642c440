"""Scores of a recogniser, how far a mean of a few of them can be trusted, and what its confidence is worth.

A mean of scores estimates one of three things, and each has its own independent units:

- *this split*: what other seeds would give on the same split. Units are runs: `interval(values)`.
- *new random splits* of such a corpus, with the same speakers: the runs' test parts overlap, so runs are not
  independent. `interval(values, shared=shared_variance(...))` measures what they have in common;
  `interval(values, test_to_train=3 / 7)` assumes it, and is too wide where runs differ by more than their
  test parts (`tests/test_evaluation.py` measures how much).
- *new speakers*: units are speakers or folds of them; average the seeds within each, then `interval(values)`.

Differences are paired: take them unit by unit, then treat them as any other values. All scores are in points
(percent), variances in points squared.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import optimize, special, stats
from sklearn import metrics

from sergan import EMOTIONS, SerganError, paper
from sergan.objectives import OBJECTIVES, REAL_LOSSES, softmax

BOUND = round(paper.TABLE_3["BAGM"]["wa"] - paper.TABLE_3["BAM"]["wa"], 2)
"""Points of WA by which the paper's BAGM is above its BAM, 1.86: a difference must stay below it to be "none"."""


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


class Estimate(NamedTuple):
    """A mean and how far it can be off.

    Attributes:
        mean: in points.
        variance: of the mean, as far as the spread between units shows it, with `df` degrees of freedom.
        shared: the rest of the variance of the mean: what all units have in common.
    """

    mean: float
    variance: float
    df: int
    shared: float = 0.0

    def half(self, tail: float) -> float:
        """How far above the mean a value is whose one-sided p is `tail`.

        A t quantile where nothing is shared; else the quantiles of both parts, weighted by their variances
        (Cochran and Cox, 1957, for two means with unequal variances). Never short, at most some 2 in 100 too long:
        with three units and as much shared as not, 95 % is 97 %.
        """
        total = self.variance + self.shared
        if total == 0:
            return 0.0
        t, z = stats.t.isf(tail, self.df), stats.norm.isf(tail)
        return float((self.variance * t + self.shared * z) / np.sqrt(total))

    def interval(self, confidence: float = 0.95) -> tuple[float, float, float]:
        half = self.half((1 - confidence) / 2)
        return self.mean, self.mean - half, self.mean + half

    def p_above(self, value: float) -> float:
        """One-sided p of the hypothesis that the true mean is at most `value`; small where it is above."""
        distance = self.mean - value
        if distance < 0:
            return 1 - self._replace(mean=2 * value - self.mean).p_above(value)
        if distance == 0:
            return 0.5
        if not self.shared:
            return float(stats.t.sf(distance / np.sqrt(self.variance), self.df)) if self.variance else 0.0
        least = 1e-15
        if self.half(least) <= distance:
            return least
        log_p = optimize.brentq(lambda x: self.half(np.exp(x)) - distance, np.log(least), np.log(0.5))
        return float(np.exp(log_p))


def estimate(values, *, test_to_train: float = 0.0, shared: float = 0.0) -> Estimate:
    """The mean of at least two `values` with its variance.

    Args:
        test_to_train: utterances to test over those to train, for new random splits without `shared`: the
            variance is that of the values times 1 / n + test_to_train (Nadeau and Bengio, Machine Learning 52,
            2003). It assumes that runs correlate as their test parts overlap, which is so where a run is no
            more than its test part. Noise of seeds makes it too wide.
        shared: the covariance of two runs, as `shared_variance` measures it; 0 for independent values.

    Raises SerganError for fewer than two values, or for both corrections at once.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        raise SerganError(f"an interval needs at least 2 independent values, but there are {len(values)}")
    if test_to_train and shared:
        raise SerganError("give test_to_train or shared, not both: they correct for the same overlap")
    n, variance = len(values), values.var(ddof=1)
    return Estimate(float(values.mean()), float(variance * (1 / n + test_to_train)), n - 1, float(shared))


def interval(
    values, confidence: float = 0.95, *, test_to_train: float = 0.0, shared: float = 0.0
) -> tuple[float, float | None, float | None]:
    """Mean of `values` and its interval; a single value has none, its ends are None, nor has an unknown `shared`.

    The values must be the independent units that the sentence is about: runs of one split, or speakers
    (then average seeds within a speaker first). For runs on new random splits see `estimate`.

    Example:
        >>> [round(x, 2) for x in interval([50.0, 52.0, 54.0])]
        [52.0, 47.03, 56.97]
        >>> [round(x, 2) for x in interval([50.0, 52.0, 54.0], test_to_train=3 / 7)]
        [52.0, 44.49, 59.51]
    """
    if len(values) < 2 or np.isnan(shared):
        return float(np.mean(values)), None, None
    return estimate(values, test_to_train=test_to_train, shared=shared).interval(confidence)


def shared_variance(points: pd.DataFrame, labels, utterances: int, score: str = "wa") -> float:
    r"""Covariance of the scores of two runs on different random splits of one corpus, in points squared.

    Two test parts share some utterances, and an utterance that is hard in one run is hard in the other. With
    \(c_k\) the covariance of two runs over the utterances of class k that both were asked, \(N_k\) the class's
    utterances in the corpus and \(w_k\) its weight in the score (its share of the test part for WA, one over
    the number of classes for UA):

    .. math:: \gamma = \sum_k w_k^2 \, c_k / N_k

    What runs share through their training parts is not in it. Negative estimates count as 0.

    Args:
        points: `(runs, utterances)`, 100 for a right answer, 0 for a wrong one (or a difference of two such),
            NaN where a run was not asked.
        labels: `(utterances,)` class indices.
        utterances: of the whole corpus, training parts included; splits keep its proportions of classes.

    Returns NaN where a class has too few shared utterances to tell.
    """
    labels, gamma = np.asarray(labels), 0.0
    asked = points.notna().to_numpy().astype(int)  # (runs, utterances)
    pairs = np.triu_indices(len(points), 1)
    classes = np.unique(labels)
    for label in classes:
        own = labels == label
        weights = np.maximum(asked[:, own] @ asked[:, own].T - 1, 0)[pairs]  # by what both were asked
        if not weights.any():
            return np.nan
        covariances = points.loc[:, own].T.cov(min_periods=2).to_numpy()[pairs]
        share = asked[:, own].sum() / asked.sum()  # also of the corpus
        weight = share if score == "wa" else 1 / len(classes)
        gamma += weight**2 * np.average(np.nan_to_num(covariances), weights=weights) / (share * utterances)
    return max(float(gamma), 0.0)


def p_value(values, **how) -> float:
    """Two-sided p of the hypothesis that the true mean is 0, from the same variance as `interval`.

    `how` is that of `estimate`; so it is for `equivalence` and `verdict`.

    Example:
        >>> round(p_value([1.0, 2.0, 3.0]), 4)
        0.0742
    """
    found = estimate(values, **how)
    return 2 * min(found.p_above(0), 1 - found.p_above(0))


def equivalence(values, bound: float = BOUND, **how) -> float:
    """p of the hypothesis that the true mean is `bound` points or more from 0: two one-sided tests.

    Below 0.05 exactly where the 90 % interval lies within the bounds (Schuirmann, 1987).

    Example:
        >>> round(equivalence([-0.5, 0.0, 0.5], bound=1.86), 4)
        0.0116
    """
    found = estimate(values, **how)
    return max(found.p_above(-bound), found._replace(mean=-found.mean).p_above(-bound))


def verdict(values, bound: float = BOUND, **how) -> str:
    """What the intervals say of a difference, in words.

    `equivalent within 1.86`: the 90 % interval lies within the bounds. `different`: the 95 % interval is clear
    of 0. `different, but within 1.86`: both. `undecided`: neither.

    Example:
        >>> verdict([-0.5, 0.0, 0.5]), verdict([-5.0, 0.0, 5.0]), verdict([4.0, 5.0, 6.0])
        ('equivalent within 1.86', 'undecided', 'different')
    """
    within, different = equivalence(values, bound, **how) < 0.05, p_value(values, **how) < 0.05
    if within and different:
        return f"different, but within {bound:g}"
    return f"equivalent within {bound:g}" if within else "different" if different else "undecided"


def sign_flip(values) -> float:
    """Two-sided p of the hypothesis that paired differences are symmetric about 0, by flipping their signs.

    Exact up to 14 values, else from 9,999 random flips. It cannot go below 2 / 2^n: .0625 for 5 values. The
    values must be independent: speakers or folds, or runs of one split; not runs on overlapping splits.

    Example:
        >>> sign_flip([1.0, 2.0, 3.0, 4.0, 5.0])
        0.0625
    """
    values = np.asarray(values, dtype=float).round(9)  # or 55.2 - 55 would not tie with 0.2
    if len(values) < 2:
        raise SerganError(
            f"a sign-flip test needs at least 2 independent values, but there are {len(values)}"
        )
    flips = 2 ** len(values) if len(values) <= 14 else 9999
    found = stats.permutation_test((values,), np.mean, permutation_type="samples", vectorized=True,
                                   n_resamples=flips, random_state=0)  # fmt: skip
    return float(found.pvalue)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """p values of planned comparisons, adjusted together (Holm, 1979).

    Example:
        >>> {name: round(value, 3) for name, value in holm({"one": 0.01, "two": 0.04, "three": 0.03}).items()}
        {'one': 0.03, 'two': 0.06, 'three': 0.06}
    """
    from statsmodels.stats.multitest import multipletests  # slow to import; training needs none of it

    if not p or not all(0 <= value <= 1 for value in p.values()):
        raise SerganError("Holm's adjustment needs one p value from 0 to 1 for each comparison")
    return dict(zip(p, map(float, multipletests(list(p.values()), method="holm")[1]), strict=True))


def power(difference: float, sd: float, units: int, *, shared: float = 0.0, alpha: float = 0.05) -> float:
    """Chance that the interval of a mean of `units` differences excludes 0, if the true one is `difference`.

    Averaged over 4,001 equally likely values of the spread between units; with `shared` 0 it is the power of a
    paired t test (scipy's noncentral t gives NaN for many units).

    Args:
        sd: standard deviation between units, in points: between seeds on one split (this split), between folds
            after averaging the seeds (new speakers), or between runs (new random splits).
        shared: for new random splits, from `shared_variance`; Nadeau and Bengio's assumption is
            sd^2 * test_to_train.

    Example:
        >>> round(power(1.86, sd=1.86, units=10), 3)
        0.803
    """
    if units < 2 or not sd > 0:
        raise SerganError(f"power needs at least 2 units and an sd above 0, but these are {units} and {sd:g}")
    df, variance = units - 1, sd**2 / units
    seen = variance * stats.chi2.ppf((np.arange(4001) + 0.5) / 4001, df) / df
    half = seen * stats.t.isf(alpha / 2, df) + shared * stats.norm.isf(alpha / 2)
    half, true = half / np.sqrt(seen + shared), np.sqrt(variance + shared)
    return float(
        np.mean(stats.norm.sf((half - difference) / true) + stats.norm.cdf((-half - difference) / true))
    )


def units_needed(
    difference: float, sd: float, *, shared: float = 0.0, alpha: float = 0.05, chance: float = 0.8
) -> int | None:
    """Fewest units whose `power` is at least `chance`; None where 10,000 are too few.

    More runs on new splits of the same corpus do not lessen what they share, so there the answer can be None.

    Example:
        >>> units_needed(1.86, sd=1.86), units_needed(1.86, sd=1.86, shared=1.0)
        (10, None)
    """
    counts = range(2, 10_001)

    def reached(units):
        return power(difference, sd, units, shared=shared, alpha=alpha) >= chance

    found = bisect.bisect_left(counts, True, key=reached)
    return counts[found] if found < len(counts) else None


def logistic(answers: pd.DataFrame, *, reference: str, cluster: str = "speaker") -> dict:
    """Log-odds of a right answer under one arm against another: a check on the means, utterance by utterance.

    A marginal logistic model (generalised estimating equations) with the arm as its fixed effect. What answers
    of a speaker have in common (the speaker, the utterances, the seeds, and how much the arms differ for this
    speaker) is left to the variance: clusters of speakers, Mancl and DeRouen's (2001) correction for few of
    them, and t with clusters - 1 degrees of freedom. A mixed model is not used, because statsmodels has only
    variational or Laplace ones: with intercepts per utterance they do not converge, without slopes per speaker
    their standard deviation is half of what new speakers need.

    Limits: it weighs utterances alike, `interval` speakers; its odds are averages over speakers, nearer to 1
    than a mixed model's; folds' training parts overlap, which it does not see, either; under 6 clusters it says
    little.

    Args:
        answers: columns `correct` (0 or 1), `arm` (two of them), `speaker`, `utterance`; several rows an
            utterance and arm where there are several seeds.
        reference: the arm to compare with.
        cluster: the column of independent units; `fold` where a fold holds several speakers.

    Returns arm, log_odds, low and high (95 %), p, points (difference of the arms' percentages), clusters.

    Raises SerganError where columns, arms, answers or clusters do not allow it.
    """
    import statsmodels.api as sm  # slow to import; training needs none of it

    if missing := {"correct", "arm", "utterance", cluster} - set(answers.columns):
        raise SerganError(f"the table of answers has no column {sorted(missing)[0]}")
    arms = sorted(set(answers["arm"]) - {reference})
    if len(arms) != 1 or reference not in set(answers["arm"]):
        raise SerganError(f"the table of answers must have two arms, {reference} one of them")
    if not answers["correct"].isin([0, 1]).all():
        raise SerganError("the column correct must hold 0 and 1 alone")
    asked = answers.groupby("arm")["utterance"].agg(lambda names: frozenset(names))
    if asked.iloc[0] != asked.iloc[1]:
        raise SerganError("the two arms must have answered the same utterances")
    if answers.groupby("utterance")[cluster].nunique().max() > 1:
        raise SerganError(f"an utterance is in more than one {cluster}")
    clusters = answers[cluster].nunique()
    if clusters < 3:
        raise SerganError(
            f"the logistic model needs at least 3 values of {cluster}, but there are {clusters}"
        )
    right = answers.groupby("arm")["correct"].mean()
    if right.isin([0, 1]).any():
        raise SerganError("an arm has all answers right or all wrong, for which there are no odds")

    exog = sm.add_constant((answers["arm"] == arms[0]).astype(float).to_numpy())
    groups = pd.factorize(answers[cluster])[0]
    model = sm.GEE(answers["correct"].to_numpy(float), exog, groups=groups, family=sm.families.Binomial())
    fitted = model.fit(cov_type="bias_reduced")
    found = Estimate(float(fitted.params[1]), float(fitted.bse[1] ** 2), clusters - 1)
    log_odds, low, high = found.interval()
    return {"arm": arms[0], "log_odds": log_odds, "low": low, "high": high,
            "p": 2 * min(found.p_above(0), 1 - found.p_above(0)),
            "points": 100 * float(right[arms[0]] - right[reference]), "clusters": clusters}  # fmt: skip


def probabilities(logits, objective: str | None) -> np.ndarray:
    """What a run takes for its output probabilities, `(n, 4)`, from its logits.

    Args:
        objective: a record's: a reading, a real loss, or None for a baseline, whose logits are log-probabilities.
    """
    reading = OBJECTIVES.get(objective) or REAL_LOSSES.get(objective)
    if reading is None and objective is not None:
        raise SerganError(f"objective {objective} is not one of {', '.join([*OBJECTIVES, *REAL_LOSSES])}")
    logits = torch.as_tensor(np.asarray(logits, dtype=np.float64))
    return (softmax if reading is None else reading.probabilities)(logits).numpy()


def calibration_error(probabilities, labels, bins: int = 15) -> float:
    r"""Expected calibration error in points: how far confidence is from accuracy, in equal bins of confidence.

    .. math:: \text{ECE} = 100 \sum_b \frac{n_b}{N} \left| \text{acc}_b - \text{conf}_b \right|

    Confidence is the largest of the four probabilities as the reading gives them, even where they do not sum
    to one. Bins are (0, 1/15], ..., (14/15, 1] (Guo et al., 2017).

    Example:
        >>> round(calibration_error([[0.8, 0.2, 0, 0], [0.8, 0.2, 0, 0]], [0, 1]), 2)  # sure by .8, right by .5
        30.0
    """
    probabilities = np.asarray(probabilities, dtype=float)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == np.asarray(labels)
    number = np.clip(np.ceil(confidence * bins).astype(int), 1, bins)
    gaps = np.bincount(number, right - confidence)  # sums of acc - conf
    return 100 * float(np.abs(gaps).sum() / len(confidence))


def calibration_floor(probabilities, bins: int = 15, tries: int = 400) -> float:
    """The calibration error, in points, that these answers would have if their confidence were true: its mean.

    Each answer is right with the probability that it claims, drawn `tries` times from a fixed seed. It is not 0,
    because few answers in a bin are never right in just the share that was promised. An error near it is no sign
    of a wrong confidence.

    Example:
        >>> one = [[0.5, 0.5, 0, 0]]  # a single answer is right or wrong, and .5 is half way off either
        >>> calibration_floor(one), round(calibration_floor(one * 100))
        (50.0, 4)
    """
    confidence = np.asarray(probabilities, dtype=float).max(axis=1)
    number = np.clip(np.ceil(confidence * bins).astype(int), 1, bins)
    right = np.random.default_rng(0).random((tries, len(confidence))) < confidence
    gaps = (right - confidence) @ np.eye(bins + 1)[number]  # (tries, bins + 1): sums of acc - conf
    return 100 * float(np.abs(gaps).sum(axis=1).mean() / len(confidence))


def negative_log_likelihood(probabilities, labels) -> float:
    """Mean of -log p of the true class, in nats, after making each four probabilities sum to one.

    Without that, four yes-or-no questions could all be answered "yes". A class that was given 0 costs 36 nats
    (scikit-learn's clipping).

    Example:
        >>> round(negative_log_likelihood([[0.5, 0.5, 0, 0]], [0]), 3)
        0.693
    """
    probabilities = np.asarray(probabilities, dtype=float)
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(metrics.log_loss(labels, shares, labels=range(len(EMOTIONS))))


class RiskCoverage(NamedTuple):
    """Percent wrong among the answers that are kept, as ever less confident ones are.

    Attributes:
        coverage: percent kept, 1 / n to all, `(n,)`.
        risk: percent wrong among them, `(n,)`; its last value is 100 - WA.
        area: mean of `risk`, in percent: low where doubt falls on what is wrong (Geifman et al., 2019).
    """

    coverage: np.ndarray
    risk: np.ndarray
    area: float


def risk_coverage(confidence, right) -> RiskCoverage:
    """The risk-coverage curve of answers; equally confident ones share their errors, whatever their order.

    Example:
        >>> risk_coverage([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1]).risk.round(1).tolist()
        [0.0, 0.0, 33.3, 25.0]
    """
    table = pd.DataFrame({"confidence": np.asarray(confidence, float), "wrong": 1 - np.asarray(right, float)})
    if table.empty or table.isna().any(axis=None):
        raise SerganError("a risk-coverage curve needs answers with a confidence each")
    wrong = table.groupby("confidence")["wrong"].transform("mean")
    count = np.arange(1, len(table) + 1)
    risk = 100 * wrong[table["confidence"].sort_values(ascending=False).index].cumsum().to_numpy() / count
    return RiskCoverage(100 * count / len(table), risk, float(risk.mean()))


def confidence(logits, objective: str | None = None, how: str = "probability") -> np.ndarray:
    """How sure a run is of each utterance, `(n,)`; more is surer.

    Args:
        how: `"probability"`, the largest; or `"energy"`, logsumexp of the logits, which is minus the energy of
            Liu et al. (2020) and what the reading `fused` teaches to be small for negatives. Meaningful for a
            run that has logits, not for a baseline.

    Raises SerganError for another `how`.
    """
    if how == "energy":
        return special.logsumexp(np.asarray(logits, dtype=float), axis=1)
    if how != "probability":
        raise SerganError(f"a confidence score {how} does not exist; there are probability and energy")
    return probabilities(logits, objective).max(axis=1)


def rejection(known, unseen) -> float:
    """Chance that an utterance of a known emotion has more confidence than one of an unseen emotion (AUROC).

    0.5 is no use; below it the unseen are answered with more confidence. With the opposite sign of a score
    (-logsumexp) it is 1 minus this.

    Example:
        >>> 6 * rejection(known=[0.9, 0.8, 0.6], unseen=[0.7, 0.5])
        5.0
    """
    known, unseen = np.asarray(known, dtype=float), np.asarray(unseen, dtype=float)
    scores = np.concatenate([known, unseen])
    if not len(known) or not len(unseen) or np.isnan(scores).any():
        raise SerganError("rejection needs a confidence for at least one known and one unseen utterance")
    return float(metrics.roc_auc_score(np.repeat([1, 0], [len(known), len(unseen)]), scores))
