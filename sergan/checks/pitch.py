"""Checks of chapter 3's exercises."""

from __future__ import annotations

import numpy as np

from sergan.checks import check, close


@check("each lag has its own number of products, so even a perfect repetition falls with the lag.")
def autocorrelation(function):
    x = np.array([1.0, -2.0, 3.0, 0.5, 1.5, -1.0, 2.0])
    lags = 5
    found = function(x.copy(), lags)
    if found is None:
        return "the function returns nothing yet."
    found = np.asarray(found, dtype=float)
    n = len(x)
    right = np.array([sum(x[i] * x[i + k] for i in range(n - k)) for k in range(lags)])
    if found.shape != (lags,):
        return f"for {lags} lags it must return {lags} numbers, lag 0 first; it returned {found.shape}."
    if close(found, right):
        return None
    if close(found, [x @ np.roll(x, -k) for k in range(lags)]):
        return ("the end of the frame is wrapped round to its beginning (as `np.roll` does): samples that have "
                "no partner k samples later must be left out.")  # fmt: skip
    if close(found, right / (n - np.arange(lags))):
        return "you divide by the number of products; the definition is the plain sum."
    if close(found, right / n):
        return "you divide by the length of the frame; the definition is the plain sum."
    if close(found, right / right[0]):
        return "you divide by lag 0; leave the plain sum, the division comes later."
    shifted = [sum(x[i] * x[i + k] for i in range(n - k)) for k in range(1, lags + 1)]
    if close(found, shifted):
        return "your first number is lag 1; lag 0, the sum of squares, comes first."
    return f"lag 0 should be {right[0]:g} for x = {x.tolist()}, and lag 1 {right[1]:g}."


@check("three points fix a parabola, and its top lies between the samples.")
def vertex(function):
    for left, middle, right in ((0.5, 1.0, 0.8), (2.0, 3.0, 1.0), (0.0, 4.0, 0.0)):
        found = function(left, middle, right)
        if found is None:
            return "the function returns nothing yet."
        bend = left - 2 * middle + right
        offset = (left - right) / (2 * bend)
        if close(found, offset):
            continue
        if close(found, -offset):
            return "the sign: where the right neighbour is the taller one, the top lies to the right of the middle."
        if close(found, 2 * offset):
            return (
                "a factor of 2 is missing: the top can never be further than half a sample from the middle."
            )
        if close(found, middle - (left - right) ** 2 / (8 * bend)):
            return "that is the height of the parabola's top; asked is where it lies, in samples from the middle."
        return (
            f"for {left}, {middle}, {right} the top lies {offset:.4f} samples from the middle, not {found}."
        )
    return None


@check("a window of about three periods: the lower the voice, the longer it has to be.")
def window_ms(answer):
    """The shortest Hamming window, in ms, whose ceiling reaches 0.55 at the period of 80 Hz, at 16 kHz."""
    answer = float(answer)
    right = shortest_window(80) / 16
    if abs(answer - right) <= 0.3:
        return None
    if abs(answer - shortest_window(80)) <= 5:
        return "that is in samples; divide by 16 for milliseconds."
    if abs(answer - 25) < 0.3:
        return "25 ms are two periods of 80 Hz, but at that lag half of a 25 ms frame has no partner left."
    if abs(answer - 12.5) < 0.3:
        return "12.5 ms is the period; asked is the length of the window."
    if answer < right:
        return "too short: at the lag of 200 samples its ceiling is still below 0.55."
    return "long enough, but a shorter one would do as well."


def shortest_window(f0: float, cutoff: float = 0.55, rate: int = 16_000) -> int:
    """Samples of the shortest Hamming window whose own autocorrelation reaches `cutoff` at the period of `f0`.

    Example:
        >>> shortest_window(200)
        246
    """
    lag = round(rate / f0)
    for length in range(lag + 1, 4000):
        w = np.hamming(length)
        if w[lag:] @ w[:-lag] >= cutoff * (w @ w):
            return length
    raise ValueError(f"no window below 4,000 samples reaches {cutoff} at {f0} Hz")


@check("minimum and maximum come from the training frames, and test frames may leave [-1, 1].")
def train_only(function):
    """`function(train, test)` returns `test` scaled so that each column of `train` spans [-1, 1]."""
    train = np.array([[0.0, 10.0], [4.0, 20.0], [2.0, 18.0]])
    test = np.array([[5.0, 15.0], [1.0, 30.0]])
    found = function(train.copy(), test.copy())
    if found is None:
        return "the function returns nothing yet."
    found = np.asarray(found, dtype=float)

    def by(frames, axis=0):
        low, high = frames.min(axis=axis), frames.max(axis=axis)
        return 2 * (test - low) / (high - low) - 1

    right = by(train)
    if close(found, right):
        return None
    if found.shape != test.shape:
        return f"return the scaled test frames, of shape {test.shape}; yours is {found.shape}."
    if close(found, by(np.vstack([train, test]))):
        return "the scaling was fitted on training and test frames together: that is the leak."
    if close(found, by(test)):
        return "the scaling was fitted on the test frames; use the training frames' minimum and maximum."
    if close(found, by(train, axis=None)):
        return "each column needs its own minimum and maximum: take them over axis 0."
    if close(found, np.clip(right, -1, 1)):
        return "do not clip: a test frame that is louder than all of training should still be louder."
    if close(found, (right + 1) / 2):
        return "that is the range [0, 1]; the range asked for is [-1, 1]."
    return f"the first test frame should become {right[0].tolist()}, not {found[0].tolist()}."


@check("what is cut is not padded, and what is skipped is not counted.")
def padding_share(function):
    """`function(counts, frames, every)` returns the share of a padded batch's frames that are padding."""
    counts, frames, every = [100, 401, 900], 256, 2
    found = function(list(counts), frames, every)
    if found is None:
        return "the function returns nothing yet."
    kept = [min(-(-count // every), frames) for count in counts]
    total = frames * len(counts)
    right = 1 - sum(kept) / total
    if close(found, right):
        return None
    if close(found, 100 * right):
        return "return a share between 0 and 1, not per cent."
    if close(found, 1 - right):
        return "that is the share of real frames; padding is the rest."
    if close(found, 1 - sum(-(-count // every) for count in counts) / total):
        return "an utterance longer than the limit has no padding, not negative padding: cut it first."
    if close(found, 1 - sum(min(count, frames) for count in counts) / total):
        return "you forgot to skip: every second frame leaves half as many."
    cut_first = [-(-min(count, frames) // every) for count in counts]
    if close(found, 1 - sum(cut_first) / total):
        return "you cut before you skipped; `prepare` skips first, so that 256 steps cover twice the time."
    if close(found, 1 - sum(min(count // every, frames) for count in counts) / total):
        return "401 frames, every second one, are 201 (numbers 0, 2, ..., 400), not 200."
    return f"for counts {counts}, {frames} frames and every={every} it should be {right:.4f}."


@check("with its ceiling divided out, the low voice has a pitch in most of its loud frames.")
def better_pitch(answer):
    """Per cent of the loud frames of the demo corpus's m1 with a pitch, after dividing by the window's ceiling."""
    answer = float(answer)
    if abs(answer - 85) <= 2:
        return None
    if 0 < answer <= 1:
        return "in per cent, please: between 0 and 100."
    if abs(answer - 32) <= 1.5:
        return "that is without the division: divide the autocorrelation by the window's ceiling first."
    if abs(answer - 51) <= 1.5:
        return "that is the share of all frames, pauses included; asked are the loud ones."
    if abs(answer - 56) <= 1:
        return "that is the share in openSMILE's column; asked is yours."
    return (
        "between 80 and 90 is expected: lags 31 to 199, cut-off 0.6, frames from the 60 % quantile of RMS on."
    )
