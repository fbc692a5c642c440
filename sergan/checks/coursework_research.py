"""Visible checks of assignment 6, a small research question: small public cases, worked out by hand."""

from __future__ import annotations

import numpy as np

from sergan.checks import check, close


def about_a_summary(function, trim, whole, short, said):
    """A ramp with wild frames at both ends, which are to go; and a sequence too short to lose any."""
    ramp = np.arange(11.0)
    x = np.concatenate([np.full(trim, 99.0), ramp, np.full(trim, -99.0)])
    x = np.stack([x, np.where(abs(x) == 99, x, 7.0)], axis=1)
    found = function(x.copy())
    if found is None:
        return "your function returns nothing yet."
    if np.shape(found) != (4,):
        return f"for 2 columns return 4 numbers in one row; yours has the shape {np.shape(found)}."
    for wrong, sentence in said.items():
        if close(found, wrong, 1e-3):
            return sentence
    if abs(np.asarray(found)).max() > 20:
        return f"the first and last {trim} frames (99 and -99 here) should not count; yours gives {np.round(found, 2)}."
    if not close(found, whole, 1e-3):
        return (
            f"for a column 0, 1, ..., 10 and one of sevens it is {whole}, not {np.round(found, 3).tolist()}."
        )
    for frames in (1, 2):
        x = np.array([[1.0, 5.0], [4.0, 5.0]])[:frames]
        found = function(x)
        if np.shape(found) != (4,) or not np.isfinite(found).all():
            return f"a sequence of {frames} frames is too short to be trimmed: use all of it. Yours gives {found}."
        if not close(found, short[frames], 1e-3):
            return f"for the frames {x.tolist()} it is {short[frames]}, not {np.round(found, 3).tolist()}."
    return None


@check("a whole utterance in one row, its clicks at both ends left out.")
def moments(function, trim):
    """A function of a sequence, for the constant TRIM."""
    return about_a_summary(function, trim, [5, 7, 3.3166, 0], {1: [1, 5, 0, 0], 2: [2.5, 5, 2.1213, 0]}, {
        (5, 7, 3.1623, 0): "that is the population's standard deviation; divide by n - 1.",
        (5, 3.3166, 7, 0): "first all means, then all standard deviations.",
        (5, 7, 11, 0): "that is the variance, the square of the standard deviation.",
    })  # fmt: skip


@check("a whole utterance in one row, and a few wild frames hardly matter.")
def quantiles(function, trim):
    """A function of a sequence, for the constant TRIM."""
    return about_a_summary(function, trim, [5, 7, 8, 0], {1: [1, 5, 0, 0], 2: [2.5, 5, 2.4, 0]}, {
        (5, 7, 10, 0): "that is the whole range; take the 90 % quantile minus the 10 % quantile.",
        (5, 7, 5, 0): "those are the quartiles; take the 90 % and the 10 % quantile.",
        (5, 8, 7, 0): "first all medians, then all ranges.",
    })  # fmt: skip


@check("nobody is on both sides, and everybody is tested once.")
def folds(function, count):
    """A function of speakers, for the constant FOLDS."""
    names = [f"s{k}" for k in range(2 * count)]
    speakers = (names[::-1] + names)[: 4 * count]
    found = function(list(speakers))
    if found is None:
        return "your function returns nothing yet."
    if len(found) != count:
        return f"{len(names)} speakers in FOLDS = {count}: yours are {len(found)} folds."
    rows = sorted(int(k) for fold in found for k in fold)
    if rows != list(range(len(speakers))):
        return "each utterance should be tested once; your folds together are not all rows, or some of them twice."
    sides = [{speakers[int(k)] for k in fold} for fold in found]
    if sum(map(len, sides)) > len(names):
        return "a speaker is in the test parts of two folds, and so on both sides of each: deal out speakers, not rows."
    if sides[0] != {names[0], names[count]}:
        return (
            f"the first fold should test {names[0]} and {names[count]} (sorted speakers, dealt out like cards); "
            f"yours tests {', '.join(sorted(sides[0]))}."
        )
    found = function(["b", "a", "b"])
    if [sorted(map(int, fold)) for fold in found] != [[1], [0, 2]]:
        return f"two speakers make two folds, [1] and [0, 2] for b, a, b; not {[list(map(int, f)) for f in found]}."
    return None


@check("nobody is on both sides, and no test part is much smaller than another.")
def balanced(function, count):
    """A function of speakers, for the constant FOLDS."""
    names = [f"s{k}" for k in range(count + 1)]
    speakers = [name for k, name in enumerate(names) for _ in range(1 + (k > 1) + k // count)][::-1]
    found = function(list(speakers))
    if found is None:
        return "your function returns nothing yet."
    if len(found) != count:
        return f"{len(names)} speakers in FOLDS = {count}: yours are {len(found)} folds."
    if sorted(int(k) for fold in found for k in fold) != list(range(len(speakers))):
        return "each utterance should be tested once; your folds together are not all rows, or some of them twice."
    sides = [sorted({speakers[int(k)] for k in fold}) for fold in found]
    if sum(map(len, sides)) > len(names):
        return "a speaker is in the test parts of two folds, and so on both sides of each: deal out speakers, not rows."
    want = [[names[-1]], *([name] for name in names[2:-1]), names[:2]]
    if sides != want:
        return f"for the speakers {' '.join(speakers)} the groups are {want}; yours are {sides}."
    found = function(["b", "a", "b"])
    if [sorted(map(int, fold)) for fold in found] != [[0, 2], [1]]:
        return f"two speakers make two folds, [0, 2] and [1] for b, a, b; not {[list(map(int, f)) for f in found]}."
    return None


@check("the test part was never looked at.")
def scale(function):
    train = np.array([[1.0, 0.1], [3.0, 0.1], [5.0, 0.1]])
    test = np.array([[7.0, 0.6], [9.0, 0.1]])
    found = function(train.copy(), test.copy())
    if found is None:
        return "your function returns nothing yet."
    if len(found) != 2 or np.shape(found[0]) != (3, 2) or np.shape(found[1]) != (2, 2):
        return "return both parts, in their shapes: training, then test."
    first, second = (np.asarray(part, float) for part in found)
    if close(second[:, 0], [-0.7071, 0.7071], 1e-3):
        return (
            "the test part was scaled by its own mean and deviation; a single test utterance would have none."
        )
    if close(first[:, 0], np.array([-1.2649, -0.6325, 0]), 1e-3):
        return "mean and deviation are of training and test part together: a leak."
    if close(first[:, 0], [-1.2247, 0, 1.2247], 1e-3):
        return "that is the population's standard deviation; divide by n - 1."
    if not np.isfinite(first).all() or abs(second[:, 1]).max() > 10:
        return "the second column is constant in training (its deviation comes out as about 1e-17): centre it, no more."
    if not close(first, [[-1, 0], [0, 0], [1, 0]], 1e-3) or not close(second, [[2, 0.5], [3, 0]], 1e-3):
        return f"the test part becomes [[2, 0.5], [3, 0]]; yours is {second.round(3).tolist()}."
    kept, other = train.copy(), test.copy()
    function(kept, other)
    return (
        None
        if close(kept, train) and close(other, test)
        else "your function changes its arguments; make new arrays."
    )


X = np.array([[1.0, 8.0], [50.0, 0.0], [3.0, 8.0], [5.0, 8.0]])
SPEAKERS = ["a", "b", "a", "a"]


def about_a_change(function, want, alone, said):
    given = X.copy()
    found = function(given, list(SPEAKERS))
    if found is None:
        return "your function returns nothing yet."
    if not close(given, X):
        return "your function changes the array that it is given; make a new one."
    if np.shape(found) != X.shape:
        return f"the shape should stay {X.shape}; yours is {np.shape(found)}."
    found = np.asarray(found, float)
    for wrong, sentence in said.items():
        if close(found[[0, 2, 3], 0], wrong, 1e-3):
            return sentence
    if not close(found[1], [alone, alone]):
        return (
            f"b has a single utterance, which becomes {alone} in each column; yours is {found[1].tolist()}."
        )
    if not close(found, want, 1e-3):
        return f"for {X.tolist()} of the speakers a, b, a, a it is {want}, not {found.round(3).tolist()}."
    return None


@check("what is left says how an utterance differs from the speaker's others.")
def standard(function):
    return about_a_change(function, [[-1, 0], [0, 0], [0, 0], [1, 0]], 0, {
        (-1.2247, 0, 1.2247): "that is the population's standard deviation; divide by n - 1.",
        (-2, 0, 2): "the mean is gone, but not the spread: divide by the standard deviation, too.",
        (-0.5841, -0.4994, -0.4147): "mean and deviation are everybody's; each speaker has their own.",
    })  # fmt: skip


@check("what is left says where an utterance stands among the speaker's others.")
def ranks(function):
    return about_a_change(function, [[0, 0.5], [0.5, 0.5], [0.5, 0.5], [1, 0.5]], 0.5, {
        (0, 1 / 3, 2 / 3): "an utterance is not compared with itself: divide by n - 1.",
        (1, 0.5, 0): "count the smaller ones, not the larger.",
        (1 / 6, 0.5, 5 / 6): "equal *others* count half; the utterance itself does not.",
        (0.25, 0.75, 1.25): "the utterance counts itself among its equals; only others do.",
    })  # fmt: skip


@check("the neighbours vote, and where they are at odds, the nearest decides.")
def predict(function, neighbours):
    """A function of train, labels and test, for the constant NEIGHBOURS."""
    half = neighbours // 2
    train = np.array([[1.0], *([[2.0]] * (half + 1)), *([[-4.0]] * 9)])
    labels = ["sad"] + ["happy"] * (half + 1) + ["angry"] * 9
    found = function(train, list(labels), np.array([[0.5], [-9.0]]))
    if found is None:
        return "your function returns nothing yet."
    if len(found) != 2:
        return f"two test rows have two answers; yours are {len(found)}."
    if found[0] == "sad":
        return f"the nearest is sad, but most of the {neighbours} nearest are happy."
    if list(found) != ["happy", "angry"]:
        return f"at 0.5 it is happy, at -9 angry; yours are {list(found)}."
    found = list(function(np.array([[1.0], [-1.5]]), ["sad", "angry"], np.array([[0.0], [-1.0]])))
    if found != ["sad", "angry"]:
        return f"one vote each, sad at 1, angry at -1.5: the nearer decides, sad at 0, angry at -1; yours are {found}."
    return None
