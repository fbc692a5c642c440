"""Visible checks of assignment 1: small examples that can be followed by hand. Marks come from others."""

from __future__ import annotations

import numpy as np

from sergan.checks import check, close

NOTHING = "your function returns nothing yet."


def cut(function, window: int, hop: int, counts: dict[int, int], first: int) -> str | None:
    """Frames of the signals 1, 2, 3, ... of some lengths; `first` is where the first frame begins."""
    for length, count in counts.items():
        found = function(np.arange(1.0, length + 1))
        if found is None:
            return NOTHING
        found = np.asarray(found, dtype=float)
        if found.ndim != 2 or found.shape[1] != window:
            return f"for {length} samples the shape is {found.shape}; it should be (frames, WINDOW): {(count, window)}."
        if len(found) != count:
            return f"{length} samples make {count} frames by the rule of your course, not {len(found)}."
        for k, frame in enumerate(found):
            places = first + k * hop + np.arange(window)
            right = np.where((places >= 0) & (places < length), places + 1, 0)
            if not close(frame, right):
                wrong = int(np.flatnonzero(frame != right)[0])
                say = (
                    "a zero, since the signal is not there"
                    if right[wrong] == 0
                    else f"sample number {places[wrong]}"
                )
                return f"of {length} samples, frame {k}, place {wrong} should hold {say}."
    return None


@check("every frame is whole, and starts where it should.")
def whole_frames(function, window, hop):
    counts = {window: 1, window + hop: 2, window + hop - 1: 1, window - 1: 0, window + 3 * hop: 4}
    return cut(function, window, hop, counts, 0)


@check("no sample is lost, and no frame is empty.")
def filled_frames(function, window, hop):
    counts = {window: 1, window + hop: 2, window + 1: 2, window - 1: 1, window + 3 * hop: 4}
    return cut(function, window, hop, counts, 0)


@check("every frame has its sample in its middle.")
def centred_frames(function, window, hop):
    counts = {hop: 1, hop + 1: 2, 3 * hop: 3, window + hop: (window + hop - 1) // hop + 1}
    return cut(function, window, hop, counts, -(window // 2))


@check("loud, soft and silent frames have the right level.")
def level(function, mean, floor_db):
    frames = np.array([[0.6, -0.2, 0.6, -0.2], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    found = function(frames.copy())
    if found is None:
        return NOTHING
    found = np.asarray(found, dtype=float)
    if found.shape != (3,):
        return f"three frames have three levels; the result has shape {found.shape}."
    if not np.isfinite(found[2]):
        return "silence has no logarithm: take the floor before the logarithm, or there is a level of minus infinity."
    if not close(found[2], floor_db):
        return f"a silent frame should have the level FLOOR_DB, {floor_db:g} dB, not {found[2]:.2f}."
    kept, removed = 20 * np.log10(0.2**0.5), 20 * np.log10(0.4)
    right, other = (removed, kept) if mean == "removed" else (kept, removed)
    if close(found[0], other):
        return f"the mean of the first frame, 0.2, should be {mean}: see the constant MEAN."
    if close(found[0], right / 2):
        return "10 times the logarithm belongs to the mean square, 20 times to its root."
    if close(found[0], 2 * right):
        return "20 times the logarithm belongs to the root of the mean square; is the root missing?"
    if close(found[0], right * np.log(10)):
        return "decibels have the logarithm to the base of 10, not the natural one."
    if not close(found[0], right):
        return f"the frame 0.6, -0.2, 0.6, -0.2 should have {right:.2f} dB, not {found[0]:.2f}."
    if not close(found[1], floor_db if mean == "removed" else 0):
        return "the second frame is constant. What is left of it by the rule MEAN, and which level has that?"
    return None


def counted(
    function, rows: list, right: list, divided_by: int, what: str, slips: dict[str, list]
) -> str | None:
    found = function(np.array(rows, dtype=float))
    if found is None:
        return NOTHING
    found = np.asarray(found, dtype=float)
    if found.shape != (len(rows),):
        return f"{len(rows)} frames have {len(rows)} rates; the result has shape {found.shape}."
    counts = found * divided_by
    if close(counts, right):
        return None
    for sentence, values in slips.items():
        if close(counts, values):
            return sentence
    for by in (divided_by + 1, divided_by + 2, divided_by - 1):
        if close(found * by, right):
            return f"the counts are right, but divide by {divided_by}, not by {by}."
    bad = int(np.flatnonzero(~np.isclose(counts, right))[0])
    return f"in {np.round(rows[bad], 4).tolist()} there are {right[bad]} {what}, you count {counts[bad]:.3g}."


@check("zeros neither make nor hide a crossing.")
def crossing_rate(function, dead):
    small = 0.5 * dead
    rows = [[0.5, -0.5, 0.5, 0.5, -0.5], [0.5, 0, -0.5, 0, -0.5], [0.5, 0, 0.5, 0, 0.5], [0, 0, 0, 0, 0],
            [0.5, -small, 0.5, small, -0.5]]  # fmt: skip
    return counted(function, rows, [3, 1, 0, 0, 1], 4, "crossings", {
        "a crossing is missed when a zero or a small sample lies between: leave those out first.": [3, 0, 0, 0, 0],
        "a step to zero and a step from zero are no crossings by themselves.": [3, 4, 4, 0, 3],
        "small samples still count as positive or negative: see the constant DEAD.": [3, 1, 0, 0, 3],
    })  # fmt: skip


@check("plateaus neither make nor hide a turn.")
def turning_rate(function, dead):
    small = 0.5 * dead
    rows = [[0, 1, 0, 1, 2, 1], [0, 1, 1, 0, 0, -1], [0, 1, 1, 2, 2, 3], [0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
            [0, 1, 1 - small, 2, 2 + small, 1]]  # fmt: skip
    return counted(function, rows, [3, 1, 0, 0, 1], 4, "turns", {
        "a turn is missed when a plateau lies on the top: leave steps that are too small out first.": [3, 0, 0, 0, 0],
        "the beginning and the end of a plateau are no turns by themselves.": [3, 4, 4, 0, 3],
        "small steps still count: see the constant DEAD.": [3, 1, 0, 0, 3],
        "this counts where the signal changes its sign; you need the signs of its steps.": [0, 0, 0, 0, 0],
    })  # fmt: skip


def slopes(function, width: int, edges) -> str | None:
    time = 2 * width + 3
    line = np.outer(np.arange(time), [3.0, -1.0]) + np.array([0, 5])
    given = line.copy()
    found = function(given)
    if found is None:
        return NOTHING
    found = np.asarray(found, dtype=float)
    if found.shape != line.shape:
        return f"deltas have the shape of the rows, {line.shape}; yours have {found.shape}."
    if not close(given, line):
        return "your function changes the array that it is given: work on a copy."
    middle = found[width : time - width]
    if close(middle, np.broadcast_to([-3.0, 1.0], middle.shape)):
        return "the sign: a column that rises has a positive delta."
    if close(middle, np.broadcast_to([6.0, -2.0], middle.shape)):
        return "twice too large: is the 2 in the denominator missing?"
    if not close(middle, np.broadcast_to([3.0, -1.0], middle.shape)):
        wrong = middle[:, 0][np.argmax(np.abs(middle[:, 0] - 3))]
        return (
            f"a column that rises by 3 a row has the delta 3 where no row is missing; yours has {wrong:.3f}."
        )
    bend = np.maximum(0, np.arange(4.0 * width + 5) - 2 * width - 2)[:, None]  # flat, then rising by 1
    bent = np.asarray(function(bend.copy()), dtype=float)[:, 0]
    first = int(np.flatnonzero(bent > 1e-9)[0])
    if first != width + 3:
        return f"a column that rises from row {2 * width + 2} on is noticed in row {width + 3}, not in row {first}."
    norm = 2 * sum(k * k for k in range(1, width + 1))
    if not close(bent[first], width / norm):
        return "each difference counts with its distance k, and all are divided by twice the sum of the squares of k."
    found = found[:, 0]
    for row, right in enumerate(edges):
        for place in (row, -1 - row):
            if not close(found[place], right):
                end = "first" if place >= 0 else "last"
                return f"on a line, {row} away from the {end} row, the delta is {right:.3f}, not {found[place]:.3f}."
    alone = np.asarray(function(np.array([[4.0, 2.0]])), dtype=float)
    return None if close(alone, np.zeros((1, 2))) else "a single row has the delta 0."


@check("slopes in the middle, and the right rule at both ends.")
def repeated_deltas(function, width):
    norm = 2 * sum(k * k for k in range(1, width + 1))
    edges = [3 * sum(k * (k + min(k, t)) for k in range(1, width + 1)) / norm for t in range(width)]
    return slopes(function, width, edges)


@check("slopes in the middle, and the right rule at both ends.")
def shrinking_deltas(function, width):
    return slopes(function, width, [0.0] + [3.0] * (width - 1))


@check("the scale is learnt from training rows alone, each row counts once, and nothing divides by zero.")
def scaled(function, variance):
    train = [np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[5.0, 2.0]])]
    rows = np.array([[3.0, 2.0], [7.0, 4.0]])
    given = [t.copy() for t in train], rows.copy()
    found = function(*given)
    if found is None:
        return NOTHING
    found = np.asarray(found, dtype=float)
    if found.shape != (2, 2):
        return f"the result has shape {found.shape}, the rows have (2, 2)."
    if not close(given[1], rows) or not all(map(close, given[0], train)):
        return "your function changes an array that it is given: work on a copy."
    if not np.isfinite(found).all():
        return "the second column never changes in training, so its spread is 0: it is only shifted."
    spread = {"sample": 2.0, "population": (8 / 3) ** 0.5}
    other = spread["sample" if variance == "population" else "population"]
    if close(found[:, 0], [0, 4 / other]):
        return f"the divisor: your course takes the {variance} variance, see the constant VARIANCE."
    if close(found[:, 0], [0, 4 / spread[variance] ** 2]):
        return "you divide by the variance; its root is needed."
    if close(found[:, 0], [-0.5 / spread[variance], 3.5 / spread[variance]]):
        return "the mean is one over all training rows, not over the means of the utterances: long ones count more."
    if not close(found[:, 0], [0, 4 / spread[variance]]):
        right = 4 / spread[variance]
        return f"the first column should be [0, {right:.4f}], you have {np.round(found[:, 0], 4).tolist()}."
    if not close(found[:, 1], [0, 2]):
        return f"the second column has no spread in training: it is shifted, to [0, 2], not {found[:, 1].tolist()}."
    alone = np.asarray(function([np.array([[1.0, 2.0]])], np.array([[3.0, 5.0]])), dtype=float)
    return (
        None
        if close(alone, [[2, 3]])
        else "with a single training row there is no spread: columns are only shifted."
    )
