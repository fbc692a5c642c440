"""Assignment 1: frames, energy, changes of sign, deltas, scaling."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sergan.coursework.questions import Assignment, Question, wrong

# ---------------------------------------------------------------------------------------------- frames


def frames_cases(variant, random):
    window, hop = variant["WINDOW"], variant["HOP"]
    lengths = [
        window,
        window - 1,
        window + 1,
        window + hop,
        window + hop - 1,
        window + 2 * hop + 1,
        1,
        3 * hop,
    ]
    lengths += [int(n) for n in random.integers(2, 5 * window, 4)]
    for length in lengths:
        yield (random.normal(size=length) + 3,)


def frames(variant):
    window, hop = variant["WINDOW"], variant["HOP"]

    def expected(signal):
        first = 0
        if variant.kinds["frames"] == "drop":
            count = max(0, (len(signal) - window) // hop + 1)
        elif variant.kinds["frames"] == "fill":
            count = max(0, -(-(len(signal) - window) // hop)) + 1
        else:
            count, first = (len(signal) - 1) // hop + 1, -(window // 2)
        found = np.zeros((count, window))
        for k in range(count):
            for n in range(window):
                if 0 <= (place := first + k * hop + n) < len(signal):
                    found[k, n] = signal[place]
        return found

    return expected


def say_frames(case, got, want, variant):
    got = np.asarray(got)
    if got.ndim != 2:
        return "the result should have two dimensions, (frames, WINDOW)"
    if got.shape[1] != variant["WINDOW"]:
        return f"frames have {got.shape[1]} samples instead of WINDOW"
    if len(got) != len(want):
        return f"there are {abs(len(got) - len(want))} frames too {'many' if len(got) > len(want) else 'few'}"
    return None


# ----------------------------------------------------------------------------------------------- level


def level_cases(variant, random):
    floor = 10 ** (variant["FLOOR_DB"] / 20)
    for count, samples, scale, offset in (
        (1, 1, 0.3, 0),
        (4, 50, 0.2, 0.1),
        (3, 17, 0.9, -0.4),
        (6, 8, 0.05, 0.02),
    ):
        yield (scale * random.normal(size=(count, samples)) + offset,)
    yield (np.outer([0.3, 0.9, 1.1, 3.0], random.choice([-1, 1], 20) * floor),)
    yield (np.vstack([np.zeros(12), np.full(12, 0.25), np.full(12, -0.5), random.normal(size=12)]),)
    yield (np.zeros((1, 5)),)


def level(variant):
    def expected(frames):
        if variant["MEAN"] == "removed":
            frames = frames - frames.mean(axis=1, keepdims=True)
        rms = np.sqrt(np.mean(frames**2, axis=1))
        return 20 * np.log10(np.maximum(rms, 10 ** (variant["FLOOR_DB"] / 20)))

    return expected


def say_level(case, got, want, variant):
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    if not np.isfinite(got).all():
        return "not all levels are finite numbers"
    if (got < variant["FLOOR_DB"] - 1e-6).any():
        return "a level lies below the floor"
    if np.allclose(2 * got, want):
        return "all levels are half of what they should be"
    return None


# --------------------------------------------------------------------------------------------- changes


def changes_cases(variant, random):
    dead = variant["DEAD"]
    turns = variant.kinds["changes"] == "turns"

    def signal(steps):
        """The same case for both descriptors: as samples, or as the differences of samples."""
        steps = np.asarray(steps, dtype=float)
        return np.cumsum(np.pad(steps, ((0, 0), (1, 0))), axis=1) if turns else steps

    for count, samples, scale in (
        (1, 3, 0.1),
        (4, 30, 2 * dead),
        (3, 60, 0.2),
        (5, 12, dead),
        (2, 101, 0.02),
    ):
        yield (signal(scale * random.normal(size=(count, samples))),)
    start = np.array(
        [
            [1, 0, -1, 0, 1, 0, 0, -1],
            [0, 0, 1, -1, 0, 0, 1, 0],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 1, 0, 1, 0, 1, 0],
        ]
    )
    yield (signal(random.choice([-1, 1]) * start[random.permutation(4)] * 0.25),)
    small = random.choice([-0.4, 0.4], (3, 20)) * dead
    small[:, ::5] = random.choice([-0.25, 0.25], (3, 4))
    yield (signal(small),)
    yield (np.array([[0, dead, 0, dead, 0, dead, 0, dead]]) if turns else np.array([[dead, -dead] * 5]),)
    yield (signal(np.where(random.random((3, 40)) < 0.6, 0, random.choice([-0.5, 0.5], (3, 40)))),)


def changes(variant):
    def expected(frames):
        steps = np.diff(frames, axis=1) if variant.kinds["changes"] == "turns" else frames
        found = []
        for row in steps:
            signs = [np.sign(x) for x in row if abs(x) >= variant["DEAD"]]
            found.append(sum(a != b for a, b in pairwise(signs)) / (len(row) - 1))
        return np.array(found)

    return expected


def say_changes(case, got, want, variant):
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    steps = case[0].shape[1] - (2 if variant.kinds["changes"] == "turns" else 1)
    counts = [got * (steps + extra) for extra in (1, 2, -1)]
    if any(np.allclose(c, want * steps) for c in counts) and want.any():
        return "the counts are right, the number that they are divided by is not"
    if (got < want - 1e-9).any():
        return "some changes are not counted"
    return "more is counted than there is"


# ---------------------------------------------------------------------------------------------- deltas


def deltas_cases(variant, random):
    width = variant["WIDTH"]
    for time, columns in (
        (1, 1),
        (1, 3),
        (2, 2),
        (width, 4),
        (width + 1, 1),
        (2 * width + 1, 3),
        (30, 5),
        (17, 2),
    ):
        yield (random.normal(size=(time, columns)).cumsum(axis=0),)
    yield (np.outer(np.arange(14), random.integers(-3, 4, 3)) + random.normal(size=3),)
    yield (np.repeat(random.normal(size=(1, 4)), 9, axis=0),)


def deltas(variant):
    def of(rows):
        found, time = np.zeros(rows.shape), len(rows)
        for t in range(time):
            width = variant["WIDTH"]
            if variant.kinds["borders"] == "shrink":
                width = min(width, t, time - 1 - t)
            for k in range(1, width + 1):
                found[t] += k * (rows[min(t + k, time - 1)] - rows[max(t - k, 0)])
            found[t] /= max(1, 2 * sum(k * k for k in range(1, width + 1)))
        return found

    return lambda rows: [of(rows), [rows]]


def say_deltas(case, got, want, variant):
    value, after = got
    value, want = np.asarray(value, dtype=float), want[0]
    if not np.array_equal(after[0], case[0]):
        return "the array that it is given is changed by it"
    if value.shape != want.shape:
        return f"the shape is {value.shape}, expected is {want.shape}"
    width = variant["WIDTH"]
    if len(want) > 2 * width and np.allclose(value[width:-width], want[width:-width]):
        return "the middle is right, the first and last rows are not"
    for shift in (-1, 1):
        if len(want) > 2 * width + 2 and np.allclose(
            np.roll(value, shift, axis=0)[width + 1 : -width - 1], want[width + 1 : -width - 1]
        ):
            return "the deltas are shifted by a row"
    return "the slopes are others"


# --------------------------------------------------------------------------------------------- scaling


def scaled_cases(variant, random):
    for utterances, columns, time in ((1, 1, 4), (3, 2, 1), (4, 5, 9), (2, 3, 30)):
        offset, scale = 5 * random.normal(size=columns), random.gamma(1.0, size=columns) + 0.1
        train = [
            offset + scale * random.normal(size=(int(n), columns)) for n in random.integers(2, 12, utterances)
        ]
        yield train, offset + 2 * scale * random.normal(size=(time, columns)) + 1
    constant = [
        np.concatenate([np.full((n, 1), 0.75), random.normal(size=(n, 2))], axis=1) for n in (3, 1, 5)
    ]
    yield constant, random.normal(size=(6, 3))
    yield [random.normal(size=(1, 3))], random.normal(size=(4, 3))


def scaled(variant):
    def of(train, rows):
        pooled = np.concatenate(train)
        sample = variant["VARIANCE"] == "sample"
        spread = np.zeros(pooled.shape[1]) if len(pooled) == 1 else pooled.std(axis=0, ddof=int(sample))
        return (rows - pooled.mean(axis=0)) / np.where(spread == 0, 1, spread)

    return lambda train, rows: [of(train, rows), [train, rows]]


def say_scaled(case, got, want, variant):
    value, after = got
    value, want = np.asarray(value, dtype=float), want[0]
    if not np.array_equal(after[1], case[1]) or not all(map(np.array_equal, after[0], case[0])):
        return "an array that it is given is changed by it"
    if value.shape != want.shape:
        return f"the shape is {value.shape}, expected is {want.shape}"
    if not np.isfinite(value).all():
        return "a column without any spread gives no finite numbers"
    if len(want) > 1 and np.allclose((value - value[:1]) / (want - want[:1] + 1e-30), 1, atol=1e-6):
        return "the spread is right, the mean is not"
    ratio = (value / want).ravel()
    if np.allclose(ratio, ratio[0], rtol=1e-6):
        return "the mean is right, the spread is not: see the constant VARIANCE"
    return None


QUESTIONS = (
    Question("frames-drop", 3, "whole_frames", frames_cases, frames, kind=("frames", "drop"), say=say_frames),
    Question(
        "frames-fill", 3, "filled_frames", frames_cases, frames, kind=("frames", "fill"), say=say_frames
    ),
    Question(
        "frames-centre", 3, "centred_frames", frames_cases, frames, kind=("frames", "centre"), say=say_frames
    ),
    Question("level", 3, "level", level_cases, level, tolerance=1e-6, say=say_level),
    Question(
        "crossings",
        4,
        "crossing_rate",
        changes_cases,
        changes,
        kind=("changes", "crossings"),
        tolerance=1e-6,
        say=say_changes,
    ),
    Question(
        "turns",
        4,
        "turning_rate",
        changes_cases,
        changes,
        kind=("changes", "turns"),
        tolerance=1e-6,
        say=say_changes,
    ),
    Question(
        "deltas-repeat",
        4,
        "repeated_deltas",
        deltas_cases,
        deltas,
        "kept",
        ("borders", "repeat"),
        1e-6,
        say_deltas,
    ),
    Question(
        "deltas-shrink",
        4,
        "shrinking_deltas",
        deltas_cases,
        deltas,
        "kept",
        ("borders", "shrink"),
        1e-6,
        say_deltas,
    ),
    Question("scaled", 3, "scaled", scaled_cases, scaled, "kept", tolerance=1e-6, say=say_scaled),
)

# -------------------------------------------------------------------------------------------- mistakes

DELTAS = """time = len(rows)
found = np.zeros(rows.shape)
norm = 2 * sum(k * k for k in range(1, WIDTH + 1))
"""
SHRINK = """time = len(rows)
found = np.zeros(rows.shape)
for t in range(time):
    width = min(WIDTH, t, time - 1 - t)
"""
POOLED = "pooled = np.concatenate(train)\n"
SPREAD = """spread = np.zeros(pooled.shape[1])
if len(pooled) > 1:
    spread = pooled.std(axis=0, ddof=1 if VARIANCE == 'sample' else 0)
spread = np.where(spread == 0, 1, spread)
"""

WRONG = {
    "frames-drop": (
        "def whole_frames(signal):",
        """
# one frame too few
count = max(0, (len(signal) - WINDOW) // HOP)
return np.array([signal[k * HOP : k * HOP + WINDOW] for k in range(count)]).reshape(count, WINDOW)
# as many frames as hops
count = len(signal) // HOP
padded = np.pad(signal, (0, WINDOW))
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)]).reshape(count, WINDOW)
# the rest filled with zeros
count = max(0, -(-(len(signal) - WINDOW) // HOP)) + 1
padded = np.pad(signal, (0, WINDOW))
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)])
# frames side by side
count = len(signal) // WINDOW
return signal[: count * WINDOW].reshape(count, WINDOW)
# hop and window exchanged
count = max(0, (len(signal) - HOP) // WINDOW + 1)
return np.array([signal[k * WINDOW : k * WINDOW + HOP] for k in range(count)]).reshape(count, HOP)
# short signals fail
return np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::HOP]
# samples before frames
count = max(0, (len(signal) - WINDOW) // HOP + 1)
return np.array([signal[k * HOP : k * HOP + WINDOW] for k in range(count)]).reshape(count, WINDOW).T
# a frame that fits exactly is left out
starts = range(0, len(signal) - WINDOW, HOP)
return np.array([signal[s : s + WINDOW] for s in starts]).reshape(len(starts), WINDOW)
""",
    ),
    "frames-fill": (
        "def filled_frames(signal):",
        """
# the rest dropped
count = max(0, (len(signal) - WINDOW) // HOP + 1)
return np.array([signal[k * HOP : k * HOP + WINDOW] for k in range(count)]).reshape(count, WINDOW)
# always one more frame
count = max(0, (len(signal) - WINDOW) // HOP + 1) + 1
padded = np.pad(signal, (0, WINDOW + HOP))
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)])
# a frame at every hop
count = -(-len(signal) // HOP)
padded = np.pad(signal, (0, WINDOW))
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)])
# filled with the last sample
count = max(0, -(-(len(signal) - WINDOW) // HOP)) + 1
padded = np.pad(signal, (0, WINDOW), mode='edge')
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)])
# filled at the start
count = max(0, -(-(len(signal) - WINDOW) // HOP)) + 1
padded = np.pad(signal, ((count - 1) * HOP + WINDOW - len(signal), 0))
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)])
# no frame for a short signal
count = max(0, -(-(len(signal) - WINDOW) // HOP) + 1)
padded = np.pad(signal, (0, WINDOW))
count = count if len(signal) >= WINDOW else 0
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)]).reshape(count, WINDOW)
# last frame moved back
starts = [*range(0, len(signal) - WINDOW, HOP), max(0, len(signal) - WINDOW)]
padded = np.pad(signal, (0, WINDOW))
return np.array([padded[s : s + WINDOW] for s in starts])
""",
    ),
    "frames-centre": (
        "def centred_frames(signal):",
        """
# frames begin at the hops
count = (len(signal) - 1) // HOP + 1
padded = np.pad(signal, (0, WINDOW))
return np.array([padded[k * HOP : k * HOP + WINDOW] for k in range(count)])
# one frame too few
count = len(signal) // HOP
padded = np.pad(signal, WINDOW)
return np.array([padded[WINDOW // 2 + k * HOP :][:WINDOW] for k in range(count)]).reshape(count, WINDOW)
# one frame too many
count = len(signal) // HOP + 1
padded = np.pad(signal, WINDOW + HOP)
return np.array([padded[HOP + WINDOW - WINDOW // 2 + k * HOP :][:WINDOW] for k in range(count)])
# centred one sample too late
count = (len(signal) - 1) // HOP + 1
padded = np.pad(signal, WINDOW)
return np.array([padded[WINDOW - WINDOW // 2 + 1 + k * HOP :][:WINDOW] for k in range(count)])
# outside repeated
count = (len(signal) - 1) // HOP + 1
padded = np.pad(signal, WINDOW, mode='edge')
return np.array([padded[WINDOW - WINDOW // 2 + k * HOP :][:WINDOW] for k in range(count)])
# a whole window before the first sample
count = (len(signal) - 1) // HOP + 1
padded = np.pad(signal, WINDOW)
return np.array([padded[k * HOP :][:WINDOW] for k in range(count)])
# whole frames only
count = max(0, (len(signal) - WINDOW) // HOP + 1)
return np.array([signal[k * HOP : k * HOP + WINDOW] for k in range(count)]).reshape(count, WINDOW)
""",
    ),
    "level": (
        "def level(frames):",
        """
# log of zero
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return 20 * np.log10(np.sqrt((frames**2).mean(axis=1)))
# 10 times the logarithm of the RMS
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return np.maximum(10 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-30), FLOOR_DB)
# 20 times the logarithm of the mean square
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return np.maximum(20 * np.log10((frames**2).mean(axis=1) + 1e-30), FLOOR_DB)
# natural logarithm
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return np.maximum(20 * np.log(np.sqrt((frames**2).mean(axis=1)) + 1e-30), FLOOR_DB)
# the other rule for the mean
if MEAN == 'kept':
    frames = frames - frames.mean(axis=1, keepdims=True)
return np.maximum(20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-30), FLOOR_DB)
# floor added instead of a maximum
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return 20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 10 ** (FLOOR_DB / 20))
# floor of the mean square
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return 10 * np.log10(np.maximum((frames**2).mean(axis=1), 10 ** (FLOOR_DB / 20)))
# mean of absolute values
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return np.maximum(20 * np.log10(np.abs(frames).mean(axis=1) + 1e-30), FLOOR_DB)
# mean over the frames
if MEAN == 'removed':
    frames = frames - frames.mean(axis=1, keepdims=True)
return np.maximum(20 * np.log10(np.sqrt((frames**2).mean(axis=0)) + 1e-30), FLOOR_DB)
# a mean of all frames taken off
if MEAN == 'removed':
    frames = frames - frames.mean()
else:
    frames = frames - 0.5 * frames.mean()
return np.maximum(20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-30), FLOOR_DB)
""",
    ),
    "crossings": (
        "def crossing_rate(frames):",
        """
# neighbours only, small samples set to zero
x = np.where(np.abs(frames) >= DEAD, frames, 0)
return (x[:, 1:] * x[:, :-1] < 0).sum(axis=1) / (frames.shape[1] - 1)
# a zero counts on both sides
x = np.sign(np.where(np.abs(frames) >= DEAD, frames, 0))
return (np.diff(x, axis=1) != 0).sum(axis=1) / (frames.shape[1] - 1)
# small samples counted as positive
x = np.where(np.abs(frames) >= DEAD, frames, 0) >= 0
return (x[:, 1:] != x[:, :-1]).sum(axis=1) / (frames.shape[1] - 1)
# DEAD ignored
rows = [row[row != 0] for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 1)
# samples of exactly DEAD left out
rows = [row[np.abs(row) > DEAD] for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 1)
# positive samples only compared with DEAD
rows = [row[row >= DEAD] for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 1)
# divided by the number of samples
rows = [row[np.abs(row) >= DEAD] for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / frames.shape[1]
# divided by what is left
rows = [row[np.abs(row) >= DEAD] for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() / max(1, len(x) - 1) for x in rows])
# upward crossings only
rows = [row[np.abs(row) >= DEAD] for row in frames]
return np.array([((x[1:] > 0) & (x[:-1] < 0)).sum() for x in rows]) / (frames.shape[1] - 1)
""",
    ),
    "turns": (
        "def turning_rate(frames):",
        """
# neighbours only, small steps set to zero
d = np.diff(frames, axis=1)
d = np.where(np.abs(d) >= DEAD, d, 0)
return (d[:, 1:] * d[:, :-1] < 0).sum(axis=1) / (frames.shape[1] - 2)
# a plateau counts on both sides
d = np.diff(frames, axis=1)
d = np.sign(np.where(np.abs(d) >= DEAD, d, 0))
return (np.diff(d, axis=1) != 0).sum(axis=1) / (frames.shape[1] - 2)
# sign changes of the samples
rows = [row[np.abs(row) >= DEAD] for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 2)
# DEAD ignored
rows = [d[d != 0] for d in np.diff(frames, axis=1)]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 2)
# steps of exactly DEAD left out
rows = [d[np.abs(d) > DEAD] for d in np.diff(frames, axis=1)]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 2)
# small samples left out before the differences
rows = [np.diff(row[np.abs(row) >= DEAD]) for row in frames]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / (frames.shape[1] - 2)
# divided by the number of samples
rows = [d[np.abs(d) >= DEAD] for d in np.diff(frames, axis=1)]
return np.array([(x[1:] * x[:-1] < 0).sum() for x in rows]) / frames.shape[1]
# maxima only
rows = [d[np.abs(d) >= DEAD] for d in np.diff(frames, axis=1)]
return np.array([((x[1:] < 0) & (x[:-1] > 0)).sum() for x in rows]) / (frames.shape[1] - 2)
""",
    ),
    "deltas-repeat": (
        "def repeated_deltas(rows):",
        f"""
# shifted by a row
{DELTAS}for t in range(time):
    for k in range(1, WIDTH + 1):
        found[t] += k * (rows[min(t + k + 1, time - 1)] - rows[max(t - k + 1, 0) if time > 1 else 0])
return found / norm
# no 2 in the denominator
{DELTAS}for t in range(time):
    for k in range(1, WIDTH + 1):
        found[t] += 2 * k * (rows[min(t + k, time - 1)] - rows[max(t - k, 0)])
return found / norm
# next minus this
return np.diff(rows, axis=0, append=rows[-1:])
# half of next minus last
padded = np.concatenate([rows[:1], rows, rows[-1:]])
return (padded[2:] - padded[:-2]) / 2
# sign
{DELTAS}for t in range(time):
    for k in range(1, WIDTH + 1):
        found[t] -= k * (rows[min(t + k, time - 1)] - rows[max(t - k, 0)])
return found / norm
# no weights k
{DELTAS}for t in range(time):
    for k in range(1, WIDTH + 1):
        found[t] += rows[min(t + k, time - 1)] - rows[max(t - k, 0)]
return found / norm
# zeros outside
{DELTAS}padded = np.pad(rows, ((WIDTH, WIDTH), (0, 0)))
for k in range(1, WIDTH + 1):
    found += k * (padded[WIDTH + k : WIDTH + k + time] - padded[WIDTH - k : WIDTH - k + time])
return found / norm
# along the columns
padded = np.pad(rows, ((0, 0), (WIDTH, WIDTH)), mode='edge')
found, n = np.zeros(rows.shape), rows.shape[1]
for k in range(1, WIDTH + 1):
    found += k * (padded[:, WIDTH + k : WIDTH + k + n] - padded[:, WIDTH - k : WIDTH - k + n])
return found / (2 * sum(k * k for k in range(1, WIDTH + 1)))
# rows without all neighbours left out
norm = 2 * sum(k * k for k in range(1, WIDTH + 1))
inner = len(rows) - 2 * WIDTH
return sum(k * (rows[WIDTH + k :][:inner] - rows[WIDTH - k :][:inner]) for k in range(1, WIDTH + 1)) / norm
# written into the argument
{DELTAS}padded = np.pad(rows, ((WIDTH, WIDTH), (0, 0)), mode='edge')
rows[:] = 0
for k in range(1, WIDTH + 1):
    rows += k * (padded[WIDTH + k : WIDTH + k + time] - padded[WIDTH - k : WIDTH - k + time]) / norm
return rows
""",
    ),
    "deltas-shrink": (
        "def shrinking_deltas(rows):",
        f"""
# shifted by a row
{SHRINK}    for k in range(1, width + 1):
        found[t - 1] += k * (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, width + 1)))
return found
# no 2 in the denominator
{SHRINK}    for k in range(1, width + 1):
        found[t] += k * (rows[t + k] - rows[t - k]) / sum(j * j for j in range(1, width + 1))
return found
# always the full denominator
{SHRINK}    for k in range(1, width + 1):
        found[t] += k * (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, WIDTH + 1)))
return found
# first and last row repeated
time, found = len(rows), np.zeros(rows.shape)
for t in range(time):
    for k in range(1, WIDTH + 1):
        found[t] += k * (rows[min(t + k, time - 1)] - rows[max(t - k, 0)])
return found / (2 * sum(j * j for j in range(1, WIDTH + 1)))
# zero where not all neighbours exist
{SHRINK}    for k in range(1, width + 1):
        found[t] += k * (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, width + 1)))
    if width < WIDTH:
        found[t] = 0
return found
# sign
{SHRINK}    for k in range(1, width + 1):
        found[t] -= k * (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, width + 1)))
return found
# no weights k
{SHRINK}    for k in range(1, width + 1):
        found[t] += (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, width + 1)))
return found
# a difference of neighbours at the ends
{SHRINK}    for k in range(1, width + 1):
        found[t] += k * (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, width + 1)))
if time > 1:
    found[0], found[-1] = rows[1] - rows[0], rows[-1] - rows[-2]
return found
# written into the argument
{SHRINK}    for k in range(1, width + 1):
        found[t] += k * (rows[t + k] - rows[t - k]) / (2 * sum(j * j for j in range(1, width + 1)))
rows[:] = found
return rows
""",
    ),
    "scaled": (
        "def scaled(train, rows):",
        f"""
# test data in the scaler
pooled = np.concatenate([*train, rows])
{SPREAD}return (rows - pooled.mean(axis=0)) / spread
# scaled by itself
pooled = rows
{SPREAD}return (rows - pooled.mean(axis=0)) / spread
# the other variance
{POOLED}spread = np.zeros(pooled.shape[1])
if len(pooled) > 1:
    spread = pooled.std(axis=0, ddof=0 if VARIANCE == 'sample' else 1)
spread = np.where(spread == 0, 1, spread)
return (rows - pooled.mean(axis=0)) / spread
# mean of the utterances' means
{POOLED}{SPREAD}return (rows - np.mean([t.mean(axis=0) for t in train], axis=0)) / spread
# one number for all columns
{POOLED}{SPREAD}return (rows - pooled.mean()) / spread
# divided by the variance
{POOLED}{SPREAD}return (rows - pooled.mean(axis=0)) / spread**2
# not centred
{POOLED}{SPREAD}return rows / spread
# division by zero
{POOLED}return (rows - pooled.mean(axis=0)) / pooled.std(axis=0, ddof=1 if VARIANCE == 'sample' else 0)
# a little added to the spread
{POOLED}{SPREAD}return (rows - pooled.mean(axis=0)) / (spread + 1e-3)
# columns without spread set to zero
{POOLED}{SPREAD}return np.where(np.ptp(pooled, axis=0) == 0, 0, (rows - pooled.mean(axis=0)) / spread)
# written into the argument
{POOLED}{SPREAD}rows -= pooled.mean(axis=0)
rows /= spread
return rows
""",
    ),
}

ASSIGNMENT = Assignment(
    number=1,
    name="descriptors",
    title="From a signal to rows of numbers",
    constants={
        "WINDOW": (320, 400, 480, 512),
        "HOP": (128, 160, 200, 240),
        "MEAN": ("kept", "removed"),
        "FLOOR_DB": (-90.0, -80.0, -70.0, -60.0),
        "DEAD": (0.002, 0.005, 0.01, 0.02),
        "WIDTH": (2, 3, 4, 5),
        "VARIANCE": ("sample", "population"),
    },
    kinds={
        "frames": ("drop", "fill", "centre"),
        "changes": ("turns", "crossings"),
        "borders": ("repeat", "shrink"),
    },
    questions=QUESTIONS,
    mistakes=tuple(m for q in QUESTIONS for m in wrong(q, *WRONG[q.name])),
)
