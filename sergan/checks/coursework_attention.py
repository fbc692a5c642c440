"""Visible checks of assignment 2: small examples that can be followed by hand. Marks come from others."""

from __future__ import annotations

import numpy as np

from sergan.checks import check, close

NOTHING = "your function returns nothing yet."


def form(found, shape: tuple, what: str) -> str | None:
    """What is wrong with an answer that should be numbers of a certain shape."""
    if found is None:
        return NOTHING
    found = np.asarray(found)
    if found.shape != shape:
        return f"the result has shape {found.shape}; {what} have shape {shape}."
    if found.dtype != bool and np.isnan(found.astype(float)).any():
        return f"there are NaNs among {what}: which division or exponential makes them?"
    return None


def masks(found, every: int, first: bool) -> str | None:
    """Four utterances in four steps: with 2 whole groups of frames, one frame more, a single frame, none."""
    if problem := form(found, (4, 4), "the rows of a mask"):
        return problem
    found = np.asarray(found).astype(bool)
    right = np.arange(4) < np.array([2, 3, 1, 0])[:, None]
    right = right if first else right[:, ::-1]
    if np.array_equal(found, right):
        return None
    if np.array_equal(found, ~right):
        return "True and False are exchanged: True is where there is speech."
    if np.array_equal(found, right[:, ::-1]):
        return f"padding stands at the {'end' if first else 'start'} in your course, not at the other side."
    if found.sum(axis=1).tolist() == [2, 2, 0, 0]:
        return (
            f"a single frame is kept, as number 0; your mask has it only when {every} of them are complete."
        )
    if found.sum(axis=1).tolist() == [3, 3, 1, 1]:
        return f"{2 * every} frames fill two steps exactly, and no frame fills none; you have one step more."
    if found.sum(axis=1).tolist() == [4, 4, 1, 0]:
        return f"you count frames, but a step holds only every one in {every}: see the constant EVERY."
    kept = found.sum(axis=1).tolist()
    return f"{2 * every}, {2 * every + 1}, 1 and 0 frames should leave 2, 3, 1 and 0 steps of speech; you have {kept}."


@check("each utterance has its steps at the beginning, and nothing is read behind them.")
def speech_then_padding(function, every):
    return masks(function(np.array([2 * every, 2 * every + 1, 1, 0]), 4), every, True)


@check("each utterance has its steps at the end, and nothing is read before them.")
def padding_then_speech(function, every):
    return masks(function(np.array([2 * every, 2 * every + 1, 1, 0]), 4), every, False)


H = np.array([[[1.0, 2.0], [0.0, -1.0]]])
W = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
B, U = np.array([0.0, -1.0, 1.0]), np.array([1.0, 2.0, -1.0])


def scores(function, right: list, slips: dict[str, list]) -> str | None:
    found = function(H.copy(), W.copy(), B.copy(), U.copy())
    if problem := form(found, (1, 2), "the scores, one for each step,"):
        return problem
    if close(found, [right], 1e-4):
        return None
    for sentence, values in slips.items():
        if close(found, [values], 1e-4):
            return sentence
    return f"for the example you get {np.round(found, 3).tolist()[0]}, by hand it is {right}."


@check("the numbers agree with those by hand.")
def score_additive(function):
    # Wh + b is (1, 2, 5) in the first step and (0, -2, -1) in the second.
    return scores(function, [1.6897, -1.1665], {
        "the tanh comes before u, number by number: here it is applied to the finished score.": [0.0, -0.9951],
        "the bias b is missing.": [1.7524, -0.5592],
        "there is no tanh yet.": [0.0, -3.0],
        "the scores are means over the rows of W; they should be sums.": [0.5632, -0.3888],
    })  # fmt: skip


@check("the numbers agree with those by hand.")
def score_dot(function):
    # Wh + b is (1, 2, 5) in the first step and (0, -2, -1) in the second; W has three rows.
    return scores(function, [0.0, -1.7321], {
        "the division by the root of the number of rows is missing.": [0.0, -3.0],
        "W has three rows; you divide by the root of the width of h, which is two.": [0.0, -2.1213],
        "you divide by the number of rows, not by its root.": [0.0, -1.0],
        "the bias b is missing.": [1.7321, 0.0],
    })  # fmt: skip


@check("the numbers agree with those by hand.")
def score_cosine(function):
    # Wh + b is (1, 2, 5) in the first step and (0, -2, -1) in the second.
    problem = scores(function, [0.0, -0.5477], {
        "the product is not divided by the lengths yet.": [0.0, -3.0],
        "divide by the length of Wh + b, too, not only by that of q.": [0.0, -1.2247],
        "divide by the length of q, too, not only by that of Wh + b.": [0.0, -1.3416],
        "the length is the root of the sum of squares; the root is missing.": [0.0, -0.1],
        "the bias b is missing.": [0.2402, 0.0],
    })  # fmt: skip
    found = None if problem else function(np.zeros((1, 1, 2)), W.copy(), 0 * B, U.copy())
    if problem or close(found, [[0.0]]):
        return problem
    return "where Wh + b is zero it has no direction, and the score is 0 by definition."


@check("padding gets nothing, speech gets all, and large scores do no harm.")
def masked_weights(function, temperature, empty):
    score = np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 1.0, 7.0, 7.0]])
    speech = np.array([[True, True, True, False], [True, True, False, False]])
    found = function(score.copy(), speech.copy())
    if problem := form(found, (2, 4), "the weights"):
        return problem
    found = np.asarray(found, dtype=float)
    if close(found.sum(axis=0), np.ones(4)):
        return "your columns sum to one: the softmax runs over the batch instead of over time."
    if np.abs(found[~speech]).max() > 1e-9:
        return (
            f"padding is attended to: the last step of the first utterance has the weight {found[0, 3]:.3f}."
        )
    if not close(found.sum(axis=1), np.ones(2)):
        total = found[0].sum()
        return (
            f"the weights of the first utterance sum to {total:.4f}: is padding taken out after the division?"
        )
    ratio = found[0, 1] / found[0, 0]
    if close(ratio, np.exp(temperature)):
        return "the scores are multiplied by the temperature; they should be divided by it."
    if close(ratio, np.e):
        return "the temperature has no effect yet: it divides the scores before the exponential."
    if not close(ratio, np.exp(1 / temperature)):
        right = np.exp(1 / temperature)
        return f"a score that is larger by 1 should give {right:.3f} times the weight, not {ratio:.3f}."
    if problem := form(function(np.array([[2000.0, 2001.0]]), np.array([[True, True]])), (1, 2), "weights"):
        return f"with scores of 2000 and 2001, {problem}"
    found = function(np.array([[1.0, 2.0, 3.0, 4.0]]), np.zeros((1, 4), dtype=bool))
    if problem := form(found, (1, 4), "weights"):
        return f"with an utterance that is all padding, {problem}"
    if not close(found, np.full((1, 4), 0.25 if empty == "even" else 0.0)):
        rule = "all steps the same weight, 0.25 of 4" if empty == "even" else "all steps the weight 0"
        return f"an utterance that is all padding has to give {rule}: see the constant EMPTY."
    return None


@check("each frame counts as much as its weight.")
def context(function):
    weights = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    h = np.array([[[4.0, 0.0], [0.0, 8.0], [4.0, 8.0]], [[1.0, 2.0], [5.0, 5.0], [9.0, 9.0]]])
    found = function(weights.copy(), h.copy())
    if problem := form(found, (2, 2), "the context vectors, one for each utterance,"):
        return problem
    if close(found, [[3, 4], [1, 2]]):
        return None
    if close(found, h.mean(axis=1)):
        return "this is the plain mean over time: the weights have no effect."
    if close(found, np.array([[1.0, 4 / 3], [1 / 3, 2 / 3]])):
        return "you divide by the number of steps; the weights sum to one already."
    if close(found[0], [3, 4]):
        return "the first utterance is right, the second is not: does it get its own weights?"
    return f"by hand the first utterance gives [3, 4], you have {np.round(found[0], 3).tolist()}."


@check("no frame too many, none too few.")
def core(function, share):
    weights = np.array(
        [[0.04, 0.48, 0.0, 0.03, 0.45], [0.0, 0.97, 0.03, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
    )
    found = function(weights.copy())
    if problem := form(found, weights.shape, "True and False for each step"):
        return problem
    found = np.asarray(found).astype(bool)
    if found[2].any():
        return "nobody is attended to in the third utterance, so its core is empty."
    if found[0].tolist() == [False, True, False, False, True] and found[1].tolist() == [
        False,
        True,
        False,
        False,
        False,
    ]:
        tie = np.asarray(function(np.array([[0.2425, 0.2425, 0.2425, 0.0, 0.2425, 0.03]]))).astype(bool)[0]
        count = int(np.ceil(share / 0.2425))
        if tie[np.array([0, 1, 2, 4])[:count]].all() and tie.sum() == count:
            return None
        return f"of four equal frames, {count} are needed here: take the earlier ones first."
    if found[0].sum() < 2 or not found[1].any():
        return f"the frames that you take do not reach {share:g} yet: one more is needed."
    if found[0].sum() > 2 or found[1].sum() > 1:
        return f"there are fewer frames that reach {share:g} together."
    return "the number of frames is right, but they are not those with the largest weights."


@check("the frames up to there carry the share, and no lower value would do.")
def attended_quantile(function, share):
    weights = np.array([[0.03, 0.48, 0.04, 0.45], [0.97, 0.0, 0.03, 0.0]])
    h = np.array(
        [
            [[7.0, -1.0], [3.0, 5.0], [9.0, 6.0], [5.0, 0.0]],
            [[2.0, 4.0], [-90.0, 90.0], [1.0, 8.0], [90.0, -90.0]],
        ]
    )
    found = function(weights.copy(), h.copy())
    if problem := form(found, (2, 2), "one value for each utterance and feature, which"):
        return problem
    if close(found, [[5, 5], [2, 4]]):
        return None
    if close(found, np.quantile(h, share, axis=1)):
        return "the weights have no effect: this is the quantile of all frames, padding included."
    if close(found[:, 0], [5, 2]):
        return "the first feature is right, the second is not: each feature has an order of its own."
    values = [np.isin(found[b][j], h[b, :, j]) for b in range(2) for j in range(2)]
    if not all(values):
        return "some of your values are those of no frame; nothing is interpolated here."
    if close(found, [[3, 0], [1, -90]]):
        return f"one frame too early: up to there the weights sum to less than {share:g}."
    return f"by hand it is [[5, 5], [2, 4]], you have {np.asarray(found).tolist()}."


@check("the gradient agrees with the change of the loss, step by step.")
def score_gradient(function, temperature):
    draw = np.random.default_rng(3)
    score, h, upstream = draw.normal(size=(2, 4)), draw.normal(size=(2, 4, 3)), draw.normal(size=(2, 3))

    def loss(f):
        e = np.exp(f / temperature)
        return ((e / e.sum(axis=1, keepdims=True))[..., None] * h).sum(axis=1).ravel() @ upstream.ravel()

    right, small = np.zeros((2, 4)), 1e-5
    for place in np.ndindex(2, 4):
        step = np.zeros((2, 4))
        step[place] = small
        right[place] = (loss(score + step) - loss(score - step)) / (2 * small)
    e = np.exp(score / temperature)
    found = function(e / e.sum(axis=1, keepdims=True), h.copy(), upstream.copy())
    if problem := form(found, (2, 4), "the gradients, one for each score,"):
        return problem
    found = np.asarray(found, dtype=float)
    if close(found, right, 1e-5):
        return None
    if close(found, -right, 1e-5):
        return "the sign: this is the direction in which the loss falls, the gradient points the other way."
    if close(found, right * temperature, 1e-5):
        return "the temperature is missing: the weights depend on score / TEMPERATURE. Use the chain rule once more."
    if close(found, right * temperature**2, 1e-5):
        return "the temperature divides the score, so it divides the derivative, too."
    if not close(found.sum(axis=1), np.zeros(2), 1e-6):
        return "the gradients of an utterance have to sum to zero, yours do not: what one frame wins, others lose."
    return f"a small change of the first score changes the loss by {right[0, 0]:.4f} per unit, not {found[0, 0]:.4f}."
