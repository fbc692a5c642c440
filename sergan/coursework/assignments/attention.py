"""Assignment 2: attention over sequences that are padded."""

from __future__ import annotations

import numpy as np

from sergan.coursework.questions import Assignment, Question, wrong

# ------------------------------------------------------------------------------------------------ mask


def mask_cases(variant, random):
    every = variant["EVERY"]
    yield np.array([every * 3, every * 3 + 1, every * 3 - 1, 1, 0, every * 9]), 6
    yield np.array([random.integers(1, 4 * every)]), 1
    for _ in range(8):
        steps = int(random.integers(2, 24))
        yield random.integers(0, int(1.3 * steps * every), int(random.integers(1, 7))), steps


def mask(variant):
    def expected(frames, steps):
        kept = np.minimum(-(-frames // variant["EVERY"]), steps)[:, None]
        first = 0 if variant.kinds["padding"] == "end" else steps - kept
        return (np.arange(steps) >= first) & (np.arange(steps) < first + kept)

    return expected


def say_mask(case, got, want, variant):
    got = np.asarray(got)
    if got.shape != want.shape:
        return None
    if np.array_equal(got.sum(axis=1), want.sum(axis=1)):
        return "as many steps as there should be, in the wrong places"
    return "some rows have too many or too few steps of speech"


# ----------------------------------------------------------------------------------------------- score


def score_cases(variant, random):
    for batch, time, size, rows in (
        (1, 1, 1, 1),
        (2, 5, 3, 3),
        (3, 4, 2, 7),
        (4, 9, 6, 4),
        (2, 7, 5, 5),
        (5, 3, 8, 2),
    ):
        h, W = random.normal(size=(batch, time, size)), random.normal(size=(rows, size))
        yield h, W, random.normal(size=rows), 2 * random.normal(size=rows)
    h, W, b = random.normal(size=(2, 4, 3)), random.normal(size=(5, 3)), random.normal(size=5)
    h[1, 2] = 0
    yield h, W, 0 * b, b


def score(variant):
    def additive(h, W, b, u):
        return np.tanh(h @ W.T + b) @ u

    def dot(h, W, b, q):
        return (h @ W.T + b) @ q / len(q) ** 0.5

    def cosine(h, W, b, q):
        keys = h @ W.T + b
        lengths = np.linalg.norm(keys, axis=2) * np.linalg.norm(q)
        return np.where(lengths > 0, keys @ q / np.where(lengths > 0, lengths, 1), 0)

    return {"additive": additive, "dot": dot, "cosine": cosine}[variant.kinds["scoring"]]


# --------------------------------------------------------------------------------------------- weights


def speech(random, batch, time):
    """A mask with speech at the beginning of some rows and at the end of others; at least one step in each."""
    length = random.integers(1, time + 1, batch)[:, None]
    found = np.arange(time) < length
    return np.where(random.random(batch)[:, None] < 0.5, found, found[:, ::-1])


def weights_cases(variant, random):
    for batch, time, scale in ((1, 1, 1), (3, 6, 1), (5, 4, 3), (2, 17, 2), (4, 9, 0)):
        yield scale * random.normal(size=(batch, time)), speech(random, batch, time)
    yield random.normal(size=(3, 8)) + np.array([[900.0], [-900.0], [5000.0]]), speech(random, 3, 8)
    inside = speech(random, 4, 7)
    inside[1], inside[2] = False, np.arange(7) == random.integers(7)
    yield random.normal(size=(4, 7)), inside
    inside = speech(random, 6, 10)
    inside[:, random.integers(10)] = False
    inside[0, :] = np.arange(10) < 4
    yield np.where(inside, random.normal(size=(6, 10)) - 2000, 4000 * random.random((6, 10))), inside
    yield random.normal(size=(2, 5)), np.zeros((2, 5), dtype=bool)


def weights(variant):
    def expected(score, speech):
        alpha = np.zeros(score.shape)
        for row, inside, out in zip(score, speech, alpha, strict=True):
            if inside.any():
                part = np.exp((row[inside] - row[inside].max()) / variant["TEMPERATURE"])
                out[inside] = part / part.sum()
            elif variant["EMPTY"] == "even":
                out[:] = 1 / len(out)
        return alpha

    return expected


def say_weights(case, got, want, variant):
    inside = case[1]
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    filled = inside.any(axis=1)
    if np.isnan(got).any():
        return "there are NaNs" + (", for an utterance without any speech" if not filled.all() else "")
    if np.abs(got[filled][~inside[filled]]).max(initial=0) > 1e-9:
        return "padding is attended to"
    if not np.allclose(got[filled].sum(axis=1), 1):
        return "the weights of an utterance do not sum to one"
    if not np.allclose(got[~filled], want[~filled]):
        return "an utterance without any speech is not treated by the rule EMPTY"
    return None


# --------------------------------------------------------------------------------------------- context


def attention_like(random, batch, time, empty=False):
    """Weights that sum to one over the speech of each row; one row of zeros if `empty`."""
    alpha = np.where(speech(random, batch, time), random.gamma(0.7, size=(batch, time)) + 0.01, 0)
    alpha /= alpha.sum(axis=1, keepdims=True)
    if empty:
        alpha[random.integers(batch)] = 0
    return alpha


def states(random, alpha, size):
    """States for weights; those of padding are large, since nothing may depend on them."""
    h = random.normal(size=(*alpha.shape, size))
    return np.where(alpha[..., None] > 0, h, 50 * h)


def context_cases(variant, random):
    sizes = (1, 1, 3, 0), (2, 5, 4, 0), (6, 3, 2, 1), (3, 11, 7, 0), (2, 8, 1, 1), (4, 4, 4, 0)
    for batch, time, size, empty in sizes:
        alpha = attention_like(random, batch, time, empty)
        yield alpha, states(random, alpha, size)


def context(variant):
    return lambda alpha, h: np.einsum("bt,bts->bs", alpha, h)


# --------------------------------------------------------------------------------------------- reading


def clear(sums, share):
    """Whether no sum is so near to the share that rounding could decide."""
    return np.abs(sums - share).min() > 1e-4


def core_cases(variant, random):
    share = variant["SHARE"]
    for batch, time in ((1, 1), (2, 6), (5, 9), (3, 15), (4, 5), (1, 30)):
        while True:
            alpha = attention_like(random, batch, time, empty=batch > 3)
            if clear(np.cumsum(-np.sort(-alpha, axis=1), axis=1), share):
                break
        yield (alpha,)
    # Ties: many frames share one weight, and not all of them are needed.
    for _ in range(3):
        while True:
            alpha = np.ones((2, int(random.integers(14, 31))))
            alpha[:, random.choice(alpha.shape[1], 2, replace=False)] = 0
            alpha[1, random.integers(alpha.shape[1])] = 1.5
            alpha /= alpha.sum(axis=1, keepdims=True)
            if clear(np.cumsum(-np.sort(-alpha, axis=1), axis=1), share):
                break
        yield (alpha,)


def core(variant):
    def expected(alpha):
        inside = np.zeros(alpha.shape, dtype=bool)
        for row, out in zip(alpha, inside, strict=True):
            total = 0.0
            for t in np.argsort(-row, kind="stable"):
                if total >= variant["SHARE"] or row[t] == 0:
                    break
                out[t], total = True, total + row[t]
        return inside

    return expected


def say_core(case, got, want, variant):
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    counts = got.sum(axis=1) - want.sum(axis=1)
    if (counts > 0).any():
        return "it takes more frames than are needed"
    if (counts < 0).any():
        return "it takes too few frames to reach the share"
    return "as many frames as there should be, but not the right ones"


def quantile_cases(variant, random):
    share = variant["SHARE"]
    for batch, time, size in ((1, 1, 2), (2, 6, 3), (5, 9, 2), (3, 15, 4), (4, 5, 1), (1, 30, 3), (3, 7, 5)):
        while True:
            alpha = attention_like(random, batch, time)
            h = states(random, alpha, size)
            order = np.argsort(h, axis=1)
            if clear(np.cumsum(np.take_along_axis(alpha[..., None] + 0 * h, order, axis=1), axis=1), share):
                break
        yield alpha, h
    # Ties among the states: frames of one value count together.
    while True:
        alpha = attention_like(random, 3, 12)
        h = random.integers(-2, 3, (3, 12, 2)).astype(float)
        sums = [alpha[b][h[b, :, j] <= a].sum() for b in range(3) for j in range(2) for a in range(-2, 3)]
        if clear(np.array(sums), share):
            break
    yield alpha, h


def quantile(variant):
    def expected(alpha, h):
        found = np.empty((len(h), h.shape[2]))
        for b in range(len(h)):
            for j in range(h.shape[2]):
                values = sorted(set(h[b, :, j]))
                found[b, j] = next(a for a in values if alpha[b][h[b, :, j] <= a].sum() >= variant["SHARE"])
        return found

    return expected


def say_quantile(case, got, want, variant):
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    h = case[1]
    if not all(np.isin(got[b, j], h[b, :, j]) for b in range(len(h)) for j in range(h.shape[2])):
        return "some values are those of no frame"
    return "some values lie too " + ("high" if (got - want).sum() > 0 else "low")


# -------------------------------------------------------------------------------------------- gradient


def gradient_cases(variant, random):
    for batch, time, size in ((1, 1, 3), (2, 5, 4), (6, 3, 2), (3, 11, 7), (2, 8, 1), (4, 4, 4)):
        alpha = attention_like(random, batch, time)
        yield alpha, states(random, alpha, size), random.normal(size=(batch, size))


def gradient(variant):
    def expected(alpha, h, upstream):
        centred = h - np.einsum("bt,bts->bs", alpha, h)[:, None]
        return alpha * np.einsum("bts,bs->bt", centred, upstream) / variant["TEMPERATURE"]

    return expected


def say_gradient(case, got, want, variant):
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    if np.allclose(got, -want):
        return "the sign is the other one"
    if np.allclose(got, want * variant["TEMPERATURE"]) or np.allclose(
        got, want * variant["TEMPERATURE"] ** 2
    ):
        return "the temperature has another place in the derivative"
    if not np.allclose(got.sum(axis=1), 0, atol=1e-6):
        return "the gradients of an utterance do not sum to zero"
    return None


QUESTIONS = (
    Question("mask-end", 2, "speech_then_padding", mask_cases, mask, kind=("padding", "end"), say=say_mask),
    Question(
        "mask-start", 2, "padding_then_speech", mask_cases, mask, kind=("padding", "start"), say=say_mask
    ),
    Question(
        "score-additive",
        3,
        "score_additive",
        score_cases,
        score,
        kind=("scoring", "additive"),
        tolerance=1e-6,
    ),
    Question("score-dot", 3, "score_dot", score_cases, score, kind=("scoring", "dot"), tolerance=1e-6),
    Question(
        "score-cosine", 3, "score_cosine", score_cases, score, kind=("scoring", "cosine"), tolerance=1e-6
    ),
    Question("weights", 4, "masked_weights", weights_cases, weights, tolerance=1e-6, say=say_weights),
    Question("context", 2, "context", context_cases, context, tolerance=1e-6),
    Question("core", 3, "core", core_cases, core, kind=("reading", "core"), say=say_core),
    Question(
        "quantile",
        3,
        "attended_quantile",
        quantile_cases,
        quantile,
        kind=("reading", "quantile"),
        tolerance=1e-6,
        say=say_quantile,
    ),
    Question("gradient", 3, "score_gradient", gradient_cases, gradient, tolerance=1e-6, say=say_gradient),
)


# -------------------------------------------------------------------------------------------- mistakes

KEYS = """keys = h @ W.T + b
norm = np.linalg.norm(keys, axis=2) * np.linalg.norm(q)
"""
MASKED = "e = np.where(speech, score, -1e9)\n"
SOFTMAX = "e = np.exp((e - e.max(axis=1, keepdims=True)) / TEMPERATURE)\n"
SHARES = "alpha = e / np.maximum(e.sum(axis=1, keepdims=True), 1e-300)\n"
FILLED = """filled = speech.any(axis=1, keepdims=True)
return np.where(filled, alpha, 1 / score.shape[1] if EMPTY == 'even' else 0)
"""
ROWS = "found = np.zeros(weights.shape, dtype=bool)\nfor row, inside in zip(weights, found):\n"
CELLS = "found = np.zeros((len(h), h.shape[2]))\nfor b, j in np.ndindex(found.shape):\n"

WRONG = {
    "mask-end": (
        "def speech_then_padding(frames, steps):",
        """
# whole groups of EVERY only
return np.arange(steps) < (frames // EVERY)[:, None]
# one step too many
return np.arange(steps) <= (-(-frames // EVERY))[:, None]
# frames taken for steps
return np.arange(steps) < frames[:, None]
# always one more than whole groups
return np.arange(steps) < (frames // EVERY + 1)[:, None]
# rounded to the nearest
return np.arange(steps) < np.rint(frames / EVERY)[:, None]
# True where there is padding
return np.arange(steps) >= (-(-frames // EVERY))[:, None]
# padding at the other end
return np.arange(steps) >= steps - (-(-frames // EVERY))[:, None]
# time before batch
return (np.arange(steps) < (-(-frames // EVERY))[:, None]).T
""",
    ),
    "mask-start": (
        "def padding_then_speech(frames, steps):",
        """
# whole groups of EVERY only
return np.arange(steps) >= steps - (frames // EVERY)[:, None]
# one step too few
return np.arange(steps) > steps - (-(-frames // EVERY))[:, None]
# frames taken for steps
return np.arange(steps) >= steps - frames[:, None]
# True where there is padding
return np.arange(steps) < steps - (-(-frames // EVERY))[:, None]
# padding at the other end
return np.arange(steps) < (-(-frames // EVERY))[:, None]
# as much padding as there should be speech
return np.arange(steps) >= (-(-frames // EVERY))[:, None]
# time before batch
return (np.arange(steps) >= steps - (-(-frames // EVERY))[:, None]).T
# a slice from -0
found = np.zeros((len(frames), steps), dtype=bool)
for row, n in zip(found, -(-frames // EVERY)):
    row[-n:] = True
return found
""",
    ),
    "score-additive": (
        "def score_additive(h, W, b, u):",
        """
# W the wrong way round
return np.tanh(h @ W + b) @ u
# tanh last
return np.tanh((h @ W.T + b) @ u)
# no bias
return np.tanh(h @ W.T) @ u
# bias outside
return (np.tanh(h @ W.T) + b) @ u
# sigmoid
return 1 / (1 + np.exp(-(h @ W.T + b))) @ u
# no tanh
return (h @ W.T + b) @ u
# u inside
return np.tanh((h @ W.T + b) * u).sum(axis=-1)
# mean over the rows
return (np.tanh(h @ W.T + b) * u).mean(axis=-1)
# one column
return np.tanh(h @ W.T + b) @ u[:, None]
""",
    ),
    "score-dot": (
        "def score_dot(h, W, b, q):",
        """
# W the wrong way round
return (h @ W + b) @ q / len(q) ** 0.5
# not scaled
return (h @ W.T + b) @ q
# scaled by the width of h
return (h @ W.T + b) @ q / h.shape[2] ** 0.5
# no root
return (h @ W.T + b) @ q / len(q)
# no bias
return h @ W.T @ q / len(q) ** 0.5
# bias not scaled
return h @ W.T @ q / len(q) ** 0.5 + b @ q
# a tanh
return np.tanh(h @ W.T + b) @ q / len(q) ** 0.5
# divided by the norm of q
return (h @ W.T + b) @ q / np.linalg.norm(q)
# scaled by time
return (h @ W.T + b) @ q / h.shape[1] ** 0.5
""",
    ),
    "score-cosine": (
        "def score_cosine(h, W, b, q):",
        f"""
# W the wrong way round
{KEYS.replace("W.T", "W")}return keys @ q / np.where(norm > 0, norm, 1)
# not divided
return (h @ W.T + b) @ q
# divided by the length of q only
return (h @ W.T + b) @ q / np.linalg.norm(q)
# divided by the length of the key only
{KEYS}return keys @ q / np.where(norm > 0, norm, 1) * np.linalg.norm(q)
# divided by the squares
{KEYS}return keys @ q / np.where(norm > 0, norm, 1) ** 2
# no bias
{KEYS.replace(" + b", "")}return keys @ q / np.where(norm > 0, norm, 1)
# zero divided by zero
{KEYS}return keys @ q / norm
# one length for all steps
{KEYS}return keys @ q / (np.linalg.norm(keys) * np.linalg.norm(q))
# length of h for that of the key
{KEYS}norm = np.linalg.norm(h, axis=2) * np.linalg.norm(q)
return keys @ q / np.where(norm > 0, norm, 1)
# scaled by the root of the rows
return (h @ W.T + b) @ q / len(q) ** 0.5
""",
    ),
    "weights": (
        "def masked_weights(score, speech):",
        f"""
# padding attended to
e = score
{SOFTMAX}{SHARES}{FILLED}
# masked after the softmax
e = score
{SOFTMAX}{SHARES}alpha = alpha * speech
{FILLED}
# score 0 for padding
e = np.where(speech, score, 0)
{SOFTMAX}{SHARES}{FILLED}
# padding multiplied away before the exponential
e = score * speech
{SOFTMAX}{SHARES}{FILLED}
# overflow
e = np.exp(score / TEMPERATURE) * speech
{SHARES}{FILLED}
# largest score of padding taken off
e = np.exp((score - score.max(axis=1, keepdims=True)) / TEMPERATURE) * speech
{SHARES}{FILLED}
# no temperature
{MASKED}e = np.exp(e - e.max(axis=1, keepdims=True)) * speech
{SHARES}{FILLED}
# temperature multiplied
{MASKED}e = np.exp((e - e.max(axis=1, keepdims=True)) * TEMPERATURE) * speech
{SHARES}{FILLED}
# temperature after the exponential
{MASKED}e = np.exp(e - e.max(axis=1, keepdims=True)) / TEMPERATURE * speech
{SHARES}{FILLED}
# softmax over the batch
{MASKED}e = np.exp((e - e.max(axis=0, keepdims=True)) / TEMPERATURE) * speech
alpha = e / np.maximum(e.sum(axis=0, keepdims=True), 1e-300)
{FILLED}
# a number added to the sum
{MASKED}{SOFTMAX}e = e * speech
alpha = e / (e.sum(axis=1, keepdims=True) + 1e-3)
{FILLED}
# nothing said of utterances without speech
e = np.where(speech, score, -np.inf)
{SOFTMAX}return e / e.sum(axis=1, keepdims=True)
# the other rule for utterances without speech
{MASKED}{SOFTMAX}e = e * speech
{SHARES}return np.where(speech.any(axis=1)[:, None], alpha, 1 / score.shape[1] if EMPTY == 'zeros' else 0)
""",
    ),
    "context": (
        "def context(weights, h):",
        """
# mean over the padded length
return (weights[..., None] * h).mean(axis=1)
# plain mean
return h.mean(axis=1)
# mean of the frames that have weight
inside = weights[..., None] > 0
return (h * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
# sum over the batch
return (weights[..., None] * h).sum(axis=0)
# frames not yet summed
return weights[..., None] * h
# first utterance's weights for all
return weights[0] @ h
# the frame with the largest weight
return h[np.arange(len(h)), weights.argmax(axis=1)]
# softmax once more
e = np.exp(weights)
return (e[..., None] * h).sum(axis=1) / e.sum(axis=1, keepdims=True)
# divided by a sum that can be zero
return (weights[..., None] * h).sum(axis=1) / weights.sum(axis=1, keepdims=True)
""",
    ),
    "core": (
        "def core(weights):",
        f"""
# one frame too few
{ROWS}    order = np.argsort(-row, kind='stable')
    inside[order[row[order].cumsum() < SHARE]] = row.any()
return found
# one frame too many
{ROWS}    order = np.argsort(-row, kind='stable')
    inside[order[: (row[order].cumsum() < SHARE).sum() + 2]] = True
return found & (weights > 0)
# smallest weights first
{ROWS}    order = np.argsort(row, kind='stable')
    inside[order[: (row[order].cumsum() < SHARE).sum() + 1]] = True
return found & (weights > 0)
# later of equal frames first
{ROWS}    order = np.argsort(row, kind='stable')[::-1]
    inside[order[: (row[order].cumsum() < SHARE).sum() + 1]] = True
return found & (weights > 0)
# first frames in time
{ROWS}    inside[: (row.cumsum() < SHARE).sum() + 1] = True
return found & (weights > 0)
# all frames near the largest
return (weights >= SHARE * weights.max(axis=1, keepdims=True)) & (weights > 0)
# a share of the frames
{ROWS}    order = np.argsort(-row, kind='stable')
    inside[order[: int(np.ceil(SHARE * (row > 0).sum()))]] = True
return found
# equal frames all together
{ROWS}    for w in sorted(row[row > 0]):
        if row[row >= w].sum() >= SHARE:
            inside[:] = row >= w
return found
# the first frame where nothing is attended to
{ROWS}    order = np.argsort(-row, kind='stable')
    inside[order[: (row[order].cumsum() < SHARE).sum() + 1]] = True
    if not row.any():
        inside[0] = True
    else:
        inside &= row > 0
return found
""",
    ),
    "quantile": (
        "def attended_quantile(weights, h):",
        f"""
# weights ignored
return np.quantile(h, SHARE, axis=1)
# frames counted, not weighed
{CELLS}    values = np.sort(h[b, weights[b] > 0, j])
    found[b, j] = values[int(np.ceil(SHARE * len(values))) - 1]
return found
# order of the first feature for all
{CELLS}    order = np.argsort(h[b, :, 0])
    k = np.searchsorted(weights[b][order].cumsum(), SHARE)
    found[b, j] = h[b, order[k], j]
return found
# from the top
{CELLS}    order = np.argsort(-h[b, :, j])
    k = np.searchsorted(weights[b][order].cumsum(), SHARE)
    found[b, j] = h[b, order[k], j]
return found
# one frame too early
{CELLS}    order = np.argsort(h[b, :, j])
    k = np.searchsorted(weights[b][order].cumsum(), SHARE)
    found[b, j] = h[b, order[max(k - 1, 0)], j]
return found
# weights not sorted with the values
{CELLS}    k = np.searchsorted(weights[b].cumsum(), SHARE)
    found[b, j] = np.sort(h[b, :, j])[k]
return found
# values between frames
{CELLS}    order = np.argsort(h[b, :, j])
    found[b, j] = np.interp(SHARE, weights[b][order].cumsum(), h[b, order, j])
return found
# weighted values
return np.quantile(weights[..., None] * h, SHARE, axis=1)
""",
    ),
    "gradient": (
        "def score_gradient(weights, h, upstream):",
        """
# no temperature
v = np.einsum('bt,bts->bs', weights, h)
return weights * np.einsum('bts,bs->bt', h - v[:, None], upstream)
# temperature multiplied
v = np.einsum('bt,bts->bs', weights, h)
return TEMPERATURE * weights * np.einsum('bts,bs->bt', h - v[:, None], upstream)
# v not taken off
return weights * np.einsum('bts,bs->bt', h, upstream) / TEMPERATURE
# not weighted
v = np.einsum('bt,bts->bs', weights, h)
return np.einsum('bts,bs->bt', h - v[:, None], upstream) / TEMPERATURE
# the softmax's diagonal only
return weights * (1 - weights) * np.einsum('bts,bs->bt', h, upstream) / TEMPERATURE
# plain mean taken off
return weights * np.einsum('bts,bs->bt', h - h.mean(axis=1, keepdims=True), upstream) / TEMPERATURE
# the direction of descent
v = np.einsum('bt,bts->bs', weights, h)
return -weights * np.einsum('bts,bs->bt', h - v[:, None], upstream) / TEMPERATURE
# sum over time
v = np.einsum('bt,bts->bs', weights, h)
return np.einsum('bt,bts,bs->bs', weights, h - v[:, None], upstream) / TEMPERATURE
# sum over the batch
v = np.einsum('bt,bts->bs', weights, h)
return weights * np.einsum('bts,ds->bt', h - v[:, None], upstream) / TEMPERATURE
""",
    ),
}

ASSIGNMENT = Assignment(
    number=2,
    name="attention",
    title="Attention that leaves padding out",
    constants={
        "EVERY": (2, 3, 4, 5),
        "TEMPERATURE": (0.4, 0.5, 0.8, 1.25, 2.0, 2.5),
        "EMPTY": ("zeros", "even"),
        "SHARE": (0.6, 0.7, 0.8, 0.9),
    },
    kinds={
        "padding": ("end", "start"),
        "scoring": ("additive", "dot", "cosine"),
        "reading": ("core", "quantile"),
    },
    questions=QUESTIONS,
    mistakes=tuple(m for q in QUESTIONS for m in wrong(q, *WRONG[q.name])),
)
