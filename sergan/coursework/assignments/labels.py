"""Assignment 3: label vectors, two forms of cross-entropy, readings of the negative label, gradients checked."""

from __future__ import annotations

import numpy as np

from sergan.coursework.questions import Assignment, Question, wrong

# ---------------------------------------------------------------------------------------------- labels


def labels_cases(variant, random):
    order, negative = list(variant["ORDER"]), variant["NEGATIVE"]
    yield (order,)
    yield ([negative],)
    yield ([order[int(random.integers(len(order)))]],)
    yield ([negative, *sorted(order), negative],)
    for count in (4, 9, 23):
        yield ([str(name) for name in random.choice([*order, negative], count)],)


def labels(variant):
    def expected(names):
        order, smoothing = variant["ORDER"], variant["SMOOTHING"]
        found = np.zeros((len(names), len(order)))
        for row, name in zip(found, names, strict=True):
            if name != variant["NEGATIVE"]:
                row[:] = smoothing / len(order)
                row[order.index(name)] += 1 - smoothing
        return found

    return expected


def votes_cases(variant, random):
    order, negative = list(variant["ORDER"]), variant["NEGATIVE"]
    some = [*order, *order, negative, "other"]
    yield ([[name] for name in order],)
    yield ([[negative], [], ["other", "other"], [order[1], "other", order[0]], [negative, order[2]]],)
    yield ([[order[0], order[0], order[1]], [order[-1]] * 5, [negative, negative, order[1]]],)
    for count in (1, 4, 9, 20):
        yield ([[str(n) for n in random.choice(some, random.integers(0, 7))] for _ in range(count)],)


def votes(variant):
    def expected(votes):
        order, smoothing = list(variant["ORDER"]), variant["SMOOTHING"]
        found = np.zeros((len(votes), len(order)))
        for row, names in zip(found, votes, strict=True):
            counted = [order.index(name) for name in names if name in order]
            if counted and variant["NEGATIVE"] not in names:
                row[:] = smoothing / len(order)
                for place in counted:
                    row[place] += (1 - smoothing) / len(counted)
        return found

    return expected


def say_labels(case, got, want, variant):
    got = np.asarray(got, dtype=float)
    if got.shape != want.shape:
        return None
    negative = ~want.any(axis=1)
    if np.abs(got[negative]).max(initial=0) > 1e-9:
        return "a negative does not have the label of zeros"
    if not np.allclose(got[~negative].sum(axis=1), 1):
        return "the label of a real sample does not sum to one"
    if np.allclose(np.sort(got, axis=1), np.sort(want, axis=1)):
        return "the numbers are right, the order of the emotions is another"
    return "the emotions do not have the shares that they should have"


# ------------------------------------------------------------------------------------------- numerical


def slope_cases(variant, random):
    for shape in ((1,), (4,), (3, 5), (2, 2, 3)):
        size = int(np.prod(shape))
        yield random.normal(size=(6, size)), random.normal(size=6), random.normal(size=shape)
    yield random.normal(size=(5, 3)), random.normal(size=5), np.zeros(3)
    yield random.normal(size=(5, 4)), random.normal(size=5), random.integers(-2, 3, 4)


def slope(variant):
    def expected(A, b, z):
        flat = z.ravel().astype(float)
        return [(A.T @ (b * np.cos(A @ flat)) + (flat @ flat) * flat / 2).reshape(z.shape), [z]]

    return expected


def jacobian_cases(variant, random):
    for outputs, inputs in ((1, 1), (4, 4), (3, 5), (6, 2)):
        yield random.normal(size=(6, inputs)), random.normal(size=(outputs, 6)), random.normal(size=inputs)
    yield random.normal(size=(5, 3)), random.normal(size=(2, 5)), np.zeros(3)
    yield random.normal(size=(5, 4)), random.normal(size=(3, 5)), random.integers(-2, 3, 4)


def jacobian(variant):
    def expected(A, B, z):
        found = B @ (np.cos(A @ z)[:, None] * A)
        found[:, 0] += 2 * z[0]
        return [found, [z]]

    return expected


def say_slope(case, got, want, variant):
    value, after = got
    value, want = np.asarray(value, dtype=float), want[0]
    if not np.array_equal(after[0], case[2]):
        return "the array that it is given is changed by it"
    if value.shape != want.shape:
        return f"the shape is {value.shape}, expected is {want.shape}"
    if case[2].dtype.kind == "i":
        return "whole numbers are not treated as they should be"
    if np.allclose(value, want, rtol=1e-2, atol=1e-2):
        return "the slopes are nearly right, but not as near as central differences come"
    return "the slopes are others"


# --------------------------------------------------------------------------------------- the two forms


def some_labels(random, batch, classes):
    """One-hot, smooth, zero, and such that sum to something else."""
    found = np.eye(classes)[random.integers(classes, size=batch)]
    kind = random.integers(4, size=batch)
    found[kind == 1] = 0.8 * found[kind == 1] + 0.2 / classes
    found[kind == 2] = 0
    found[kind == 3] = random.random((int((kind == 3).sum()), classes))
    return found


def forms_cases(variant, random):
    for batch, classes, scale in ((1, 2, 1), (5, 4, 1), (12, 4, 2), (3, 7, 3), (6, 5, 0)):
        yield scale * random.normal(size=(batch, classes)), some_labels(random, batch, classes)
    yield random.normal(size=(4, 3)), np.array([[0, 0, 0], [1, 1, 0], [0.5, 0, 0], [0, 0, 2]], dtype=float)
    shift = np.array([[1000.0], [-1000.0], [0], [3e4]])
    yield random.normal(size=(4, 5)) + shift, some_labels(random, 4, 5)
    yield random.permutation([900.0, -900.0, 0.0, 5.0])[None], np.array([[0.1, 0.2, 0.3, 0.4]])
    yield random.permutation([900.0, -900.0, 0.0, 5.0])[None], np.zeros((1, 4))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def level(z):
    top = z.max(axis=1)
    return top + np.log(np.exp(z - top[:, None]).sum(axis=1))


def probability(variant):
    def expected(z, y):
        total = y.sum(axis=1)
        return [total * level(z) - (y * z).sum(axis=1), total[:, None] * softmax(z) - y]

    return expected


def logit(variant):
    return lambda z, y: [level(z) - (y * z).sum(axis=1), softmax(z) - y]


def say_forms(case, got, want, variant):
    if not isinstance(got, list) or len(got) != 2:
        return None
    found = [np.asarray(part, dtype=float) for part in got]
    for name, part, right in zip(("losses", "gradients"), found, want, strict=True):
        if part.shape != np.shape(right):
            return f"the {name} have the shape {part.shape}, expected is {np.shape(right)}"
        if not np.isfinite(part).all():
            return f"some {name} are not finite numbers"
    good = [np.allclose(part, right, rtol=1e-6, atol=1e-6) for part, right in zip(found, want, strict=True)]
    if good[0]:
        return "the loss is right, the gradient is not"
    return "the gradient is right, the loss is not" if good[1] else None


# -------------------------------------------------------------------------------------------- readings


def reading_cases(variant, random):
    for batch, classes, scale in ((1, 2, 1), (5, 4, 1), (12, 4, 2), (3, 7, 3), (6, 5, 0)):
        yield (scale * random.normal(size=(batch, classes)) + random.normal(),)
    yield (random.normal(size=(4, 5)) + np.array([[1000.0], [-1000.0], [0], [3e4]]),)
    yield (random.permutation([900.0, -900.0, 0.0, 5.0])[None],)


def reading(variant):
    def uniform(z):
        return [level(z) - z.mean(axis=1), softmax(z) - 1 / z.shape[1]]

    def extra(z):
        longer = np.pad(z, ((0, 0), (0, 1)))
        return [level(longer), softmax(longer)[:, :-1]]

    def sigmoid(z):
        return [np.logaddexp(0, z).mean(axis=1), np.exp(-np.logaddexp(0, -z)) / z.shape[1]]

    return {"uniform": uniform, "extra": extra, "sigmoid": sigmoid}[variant.kinds["reading"]]


# ----------------------------------------------------------------------------------------------- batch


def batch_cases(variant, random):
    for real, negative, classes in (
        (3, 2, 4),
        (1, 6, 3),
        (5, 5, 4),
        (4, 0, 5),
        (0, 3, 4),
        (1, 1, 2),
        (2, 9, 6),
    ):
        y = np.concatenate(
            [np.eye(classes)[random.integers(classes, size=real)], np.zeros((negative, classes))]
        )
        if classes > 3:
            y = np.where(y.any(axis=1, keepdims=True), 0.8 * y + 0.2 / classes, 0)
        mixed = random.permutation(len(y))
        yield 2 * random.normal(size=y.shape), y[mixed]


def batch(variant):
    def expected(z, y):
        losses, gradients = logit(variant)(z, y)
        negative = ~y.any(axis=1)
        weight = np.where(negative, variant["WEIGHT"], 1.0)
        if variant.kinds["batch"] == "together":
            weight /= len(y)
        else:
            weight /= np.where(negative, max(1, negative.sum()), max(1, (~negative).sum()))
        return [float(weight @ losses), weight[:, None] * gradients]

    return expected


QUESTIONS = (
    Question("names", 3, "name_vectors", labels_cases, labels, None, ("vectors", "names"), 1e-6, say_labels),
    Question("votes", 3, "vote_vectors", votes_cases, votes, None, ("vectors", "votes"), 1e-6, say_labels),
    Question(
        "gradient",
        3,
        "numerical_gradient",
        slope_cases,
        slope,
        "slope_of",
        ("slope", "gradient"),
        2e-6,
        say_slope,
    ),
    Question(
        "jacobian",
        3,
        "numerical_jacobian",
        jacobian_cases,
        jacobian,
        "jacobian_of",
        ("slope", "jacobian"),
        2e-6,
        say_slope,
    ),
    Question("probability", 3, "probability_form", forms_cases, probability, tolerance=1e-6, say=say_forms),
    Question("logit", 2, "logit_form", forms_cases, logit, tolerance=1e-6, say=say_forms),
    *(
        Question(name, 3, function, reading_cases, reading, None, ("reading", name), 1e-6, say_forms)
        for name, function in (
            ("uniform", "uniform_negative"),
            ("extra", "extra_class_negative"),
            ("sigmoid", "sigmoid_negative"),
        )
    ),
    Question(
        "together", 3, "loss_together", batch_cases, batch, None, ("batch", "together"), 1e-6, say_forms
    ),
    Question("apart", 3, "loss_apart", batch_cases, batch, None, ("batch", "apart"), 1e-6, say_forms),
)

# -------------------------------------------------------------------------------------------- mistakes

NAMES = "found = np.zeros((len(names), len(ORDER)))\nfor row, name in zip(found, names):\n"
SMOOTH = "        row[:] = SMOOTHING / len(ORDER)\n        row[ORDER.index(name)] += 1 - SMOOTHING\n"
EACH = """z = np.array(z, dtype=float)
found = np.zeros(z.shape)
for place in np.ndindex(z.shape):
    step = np.zeros(z.shape)
    step[place] = STEP
"""
VOTES = """found = np.zeros((len(votes), len(ORDER)))
for row, names in zip(found, votes):
    counted = [ORDER.index(name) for name in names if name in ORDER]
"""
SHARES = """        row[:] = SMOOTHING / len(ORDER)
        for place in counted:
            row[place] += (1 - SMOOTHING) / len(counted)
"""
COLUMNS = """z, found = np.array(z, dtype=float), []
for place in range(len(z)):
    step = np.zeros(len(z))
    step[place] = STEP
"""
P = "e = np.exp(z - z.max(axis=1, keepdims=True))\np = e / e.sum(axis=1, keepdims=True)\n"
LEVEL = "top = z.max(axis=1)\nlevel = top + np.log(np.exp(z - top[:, None]).sum(axis=1))\n"
TOTAL = "total = y.sum(axis=1)\n"
FORM = f"{P}{LEVEL}losses = level - (y * z).sum(axis=1)\nnegative = ~y.any(axis=1)\n"
EXTRA = """longer = np.concatenate([z, np.zeros((len(z), 1))], axis=1)
top = longer.max(axis=1)
e = np.exp(longer - top[:, None])
"""

WRONG = {
    "names": (
        "def name_vectors(names):",
        f"""
# one-hot instead of zeros
{NAMES}    if name == NEGATIVE:
        row[0] = 1
    else:
{SMOOTH}return found
# a quarter each for negatives
{NAMES}    row[:] = 1 / len(ORDER)
    if name != NEGATIVE:
{SMOOTH}return found
# negatives smoothed, too
{NAMES}    row[:] = SMOOTHING / len(ORDER)
    if name != NEGATIVE:
        row[ORDER.index(name)] += 1 - SMOOTHING
return found
# order of the alphabet
{NAMES}    if name != NEGATIVE:
        row[:] = SMOOTHING / len(ORDER)
        row[sorted(ORDER).index(name)] += 1 - SMOOTHING
return found
# order of appearance
order = list(dict.fromkeys(name for name in reversed(names) if name != NEGATIVE))
{NAMES}    if name != NEGATIVE:
        row[:] = SMOOTHING / len(ORDER)
        row[order.index(name)] += 1 - SMOOTHING
return found
# not smoothed
{NAMES}    if name != NEGATIVE:
        row[ORDER.index(name)] = 1
return found
# smoothed over the others only
{NAMES}    if name != NEGATIVE:
        row[:] = SMOOTHING / (len(ORDER) - 1)
        row[ORDER.index(name)] = 1 - SMOOTHING
return found
# true class without its share
{NAMES}    if name != NEGATIVE:
        row[:] = SMOOTHING / len(ORDER)
        row[ORDER.index(name)] = 1 - SMOOTHING
return found
# a class for negatives
found = np.zeros((len(names), len(ORDER) + 1))
for row, name in zip(found, names):
    if name == NEGATIVE:
        row[-1] = 1
    else:
{SMOOTH}return found
# indices
return np.array([[*ORDER, NEGATIVE].index(name) for name in names])
""",
    ),
    "votes": (
        "def vote_vectors(votes):",
        f"""
# one-hot instead of zeros
{VOTES}    if not counted or NEGATIVE in names:
        row[0] = 1
    else:
{SHARES}return found
# equal shares where there are no votes
{VOTES}    row[:] = 1 / len(ORDER)
    if counted and NEGATIVE not in names:
{SHARES}return found
# zeros smoothed, too
{VOTES}    row[:] = SMOOTHING / len(ORDER)
    if counted and NEGATIVE not in names:
{SHARES}return found
# order of the alphabet
order = sorted(ORDER)
{VOTES.replace("ORDER.index", "order.index")}    if counted and NEGATIVE not in names:
{SHARES}return found
# the winner takes all
{VOTES}    counted = [max(counted, key=counted.count)] if counted else []
    if counted and NEGATIVE not in names:
{SHARES}return found
# not smoothed
{VOTES}    if counted and NEGATIVE not in names:
        for place in counted:
            row[place] += 1 / len(counted)
return found
# votes for other names counted in the number
{VOTES}    if counted and NEGATIVE not in names:
        row[:] = SMOOTHING / len(ORDER)
        for place in counted:
            row[place] += (1 - SMOOTHING) / len(names)
return found
# the negative's name passed over
{VOTES}    if counted:
{SHARES}return found
# no vote at all fails
found = np.zeros((len(votes), len(ORDER)))
for row, names in zip(found, votes):
    counted = [ORDER.index(name) for name in names if name in ORDER]
    if NEGATIVE not in names:
        row[:] = SMOOTHING / len(ORDER)
        for place in range(len(ORDER)):
            row[place] += (1 - SMOOTHING) * counted.count(place) / len(counted)
return found
# numbers of votes
{VOTES}    if counted and NEGATIVE not in names:
        row[:] = SMOOTHING / len(ORDER)
        for place in counted:
            row[place] += 1 - SMOOTHING
return found
""",
    ),
    "gradient": (
        "def numerical_gradient(f, z):",
        f"""
# forward differences
{EACH}    found[place] = (f(z + step) - f(z)) / STEP
return found
# backward differences
{EACH}    found[place] = (f(z) - f(z - step)) / STEP
return found
# no 2 in the denominator
{EACH}    found[place] = (f(z + step) - f(z - step)) / STEP
return found
# sign
{EACH}    found[place] = (f(z - step) - f(z + step)) / (2 * STEP)
return found
# a step far too large
{EACH}    found[place] = (f(z + 1000 * step) - f(z - 1000 * step)) / (2000 * STEP)
return found
# a step far too small
{EACH}    found[place] = (f(z + 1e-9 * step) - f(z - 1e-9 * step)) / (2e-9 * STEP)
return found
# all numbers moved at once
z = np.array(z, dtype=float)
return np.full(z.shape, (f(z + STEP) - f(z - STEP)) / (2 * STEP))
# the steps pile up
z = np.array(z, dtype=float)
found = np.zeros(z.shape)
for place in np.ndindex(z.shape):
    z[place] += 100 * STEP
    upper = f(z)
    z[place] -= 2 * STEP
    found[place] = (upper - f(z)) / (2 * STEP)
return found
# moves z and forgets to move it back
found = np.zeros(z.shape)
for place in np.ndindex(z.shape):
    z[place] += STEP
    upper = f(z)
    z[place] -= 2 * STEP
    found[place] = (upper - f(z)) / (2 * STEP)
return found
# whole numbers cannot move
found = np.zeros(z.shape)
for place in np.ndindex(z.shape):
    upper, lower = z.copy(), z.copy()
    upper[place] += STEP if z.dtype.kind == 'f' else 0
    lower[place] -= STEP if z.dtype.kind == 'f' else 0
    found[place] = (f(upper) - f(lower)) / (2 * STEP)
return found
# one row of numbers only
found = np.zeros(len(z))
for place in range(len(z)):
    step = np.zeros(len(z))
    step[place] = STEP
    found[place] = (f(z + step) - f(z - step)) / (2 * STEP)
return found
""",
    ),
    "jacobian": (
        "def numerical_jacobian(f, z):",
        f"""
# forward differences
{COLUMNS}    found.append((f(z + step) - f(z)) / STEP)
return np.stack(found, axis=1)
# backward differences
{COLUMNS}    found.append((f(z) - f(z - step)) / STEP)
return np.stack(found, axis=1)
# no 2 in the denominator
{COLUMNS}    found.append((f(z + step) - f(z - step)) / STEP)
return np.stack(found, axis=1)
# sign
{COLUMNS}    found.append((f(z - step) - f(z + step)) / (2 * STEP))
return np.stack(found, axis=1)
# inputs before outputs
{COLUMNS}    found.append((f(z + step) - f(z - step)) / (2 * STEP))
return np.stack(found, axis=0)
# sum over the outputs
{COLUMNS}    found.append((f(z + step) - f(z - step)).sum() / (2 * STEP))
return np.array(found)
# a step far too large
{COLUMNS}    found.append((f(z + 1000 * step) - f(z - 1000 * step)) / (2000 * STEP))
return np.stack(found, axis=1)
# a step far too small
{COLUMNS}    found.append((f(z + 1e-9 * step) - f(z - 1e-9 * step)) / (2e-9 * STEP))
return np.stack(found, axis=1)
# as many outputs as inputs
{COLUMNS}    found.append((f(z + step) - f(z - step)) / (2 * STEP))
return np.stack(found, axis=1)[: len(z), : len(z)].reshape(len(z), len(z))
# moves z and forgets to move it back
found = []
for place in range(len(z)):
    z[place] += STEP
    upper = f(z)
    z[place] -= 2 * STEP
    found.append((upper - f(z)) / (2 * STEP))
return np.stack(found, axis=1)
# whole numbers cannot move
found = []
for place in range(len(z)):
    upper, lower = z.copy(), z.copy()
    upper[place] += STEP if z.dtype.kind == 'f' else 0
    lower[place] -= STEP if z.dtype.kind == 'f' else 0
    found.append((f(upper) - f(lower)) / (2 * STEP))
return np.stack(found, axis=1)
""",
    ),
    "probability": (
        "def probability_form(z, y):",
        f"""
# logarithm of zero
{P}return -(y * np.log(p)).sum(axis=1), y.sum(axis=1, keepdims=True) * p - y
# overflow
p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
return -(y * np.log(p)).sum(axis=1), y.sum(axis=1, keepdims=True) * p - y
# the logit form
{P}{LEVEL}return level - (y * z).sum(axis=1), p - y
# gradient of the logit form
{P}{LEVEL}{TOTAL}return total * level - (y * z).sum(axis=1), p - y
# a little added to the probabilities
{P}return -(y * np.log(p + 1e-7)).sum(axis=1), y.sum(axis=1, keepdims=True) * p - y
# gradient of the probabilities, not of the logits
{P}{LEVEL}{TOTAL}return total * level - (y * z).sum(axis=1), -y / np.maximum(p, 1e-300)
# sign of the gradient
{P}{LEVEL}{TOTAL}return total * level - (y * z).sum(axis=1), y - total[:, None] * p
# sign of the loss
{P}{LEVEL}{TOTAL}return (y * z).sum(axis=1) - total * level, total[:, None] * p - y
# mean over the batch
{P}{LEVEL}{TOTAL}return (total * level - (y * z).sum(axis=1)).mean(), (total[:, None] * p - y) / len(z)
# mean over the classes
{P}{LEVEL}{TOTAL}return total * level - (y * z).mean(axis=1), total[:, None] * p - y
# softmax over the batch
e = np.exp(z - z.max(axis=0))
p = e / e.sum(axis=0)
{TOTAL}return -(y * np.log(p + 1e-300)).sum(axis=1), total[:, None] * p - y
# one label only
{P}{LEVEL}true = y.argmax(axis=1)
one = np.eye(z.shape[1])[true] * y.any(axis=1, keepdims=True)
return one.sum(axis=1) * level - (one * z).sum(axis=1), one.sum(axis=1, keepdims=True) * p - one
""",
    ),
    "logit": (
        "def logit_form(z, y):",
        f"""
# the probability form
{P}{LEVEL}{TOTAL}return total * level - (y * z).sum(axis=1), total[:, None] * p - y
# gradient of the probability form
{P}{LEVEL}return level - (y * z).sum(axis=1), y.sum(axis=1, keepdims=True) * p - y
# loss of the probability form
{P}{LEVEL}{TOTAL}return total * level - (y * z).sum(axis=1), p - y
# overflow
{P}return np.log(np.exp(z).sum(axis=1)) - (y * z).sum(axis=1), p - y
# largest logit not added again
{P}return np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)) - (y * z).sum(axis=1), p - y
# sign of the gradient
{P}{LEVEL}return level - (y * z).sum(axis=1), y - p
# the largest logit for the level
{P}return z.max(axis=1) - (y * z).sum(axis=1), p - y
# mean over the batch
{P}{LEVEL}return (level - (y * z).sum(axis=1)).mean(), (p - y) / len(z)
# probabilities in place of logits
{P}{LEVEL}return level - (y * p).sum(axis=1), p - y
""",
    ),
    "uniform": (
        "def uniform_negative(z):",
        f"""
# nothing, as the probability form has it
return np.zeros(len(z)), np.zeros(z.shape)
# the logit form's level alone
{P}{LEVEL}return level, p
# always four classes
{P}{LEVEL}return level - z.sum(axis=1) / 4, p - 1 / 4
# sum for mean
{P}{LEVEL}return level - z.sum(axis=1), p - 1
# overflow
p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
return -np.log(p).mean(axis=1), p - 1 / z.shape[1]
# logarithm of zero
{P}return -np.log(p).mean(axis=1), p - 1 / z.shape[1]
# divergence instead of cross-entropy
{P}{LEVEL}return level - z.mean(axis=1) - np.log(z.shape[1]), p - 1 / z.shape[1]
# sign of the gradient
{P}{LEVEL}return level - z.mean(axis=1), 1 / z.shape[1] - p
# mean over the batch
{P}{LEVEL}return (level - z.mean(axis=1)).mean(), (p - 1 / z.shape[1]) / len(z)
""",
    ),
    "extra": (
        "def extra_class_negative(z):",
        f"""
# nothing, as the probability form has it
return np.zeros(len(z)), np.zeros(z.shape)
# no extra class
{P}{LEVEL}return level, p
# overflow
e = np.exp(z)
return np.log(1 + e.sum(axis=1)), e / (1 + e.sum(axis=1, keepdims=True))
# the extra logit not shifted with the others
{P}{LEVEL}e = np.exp(z - top[:, None])
return top + np.log(1 + e.sum(axis=1)), e / (1 + e.sum(axis=1, keepdims=True))
# the extra logit is 1
longer = np.concatenate([z, np.ones((len(z), 1))], axis=1)
top = longer.max(axis=1)
e = np.exp(longer - top[:, None])
return top + np.log(e.sum(axis=1)), (e / e.sum(axis=1, keepdims=True))[:, :-1]
# a gradient for the extra logit, too
{EXTRA}return top + np.log(e.sum(axis=1)), e / e.sum(axis=1, keepdims=True)
# gradient without the extra class
{EXTRA}{P}return top + np.log(np.exp(longer - top[:, None]).sum(axis=1)), p
# negatives pushed towards the emotions
{EXTRA}p = (e / e.sum(axis=1, keepdims=True))[:, :-1]
return top + np.log(e.sum(axis=1)), -p
# probability of the extra class instead of its loss
{EXTRA}p = (e / e.sum(axis=1, keepdims=True))[:, :-1]
return 1 - p.sum(axis=1), p
# mean over the batch
{EXTRA}p = (e / e.sum(axis=1, keepdims=True))[:, :-1]
return (top + np.log(e.sum(axis=1))).mean(), p / len(z)
""",
    ),
    "sigmoid": (
        "def sigmoid_negative(z):",
        f"""
# nothing, as the probability form has it
return np.zeros(len(z)), np.zeros(z.shape)
# overflow
return np.log(1 + np.exp(z)).mean(axis=1), 1 / (1 + np.exp(-z)) / z.shape[1]
# sum over the classes
s = 0.5 * (1 + np.tanh(z / 2))
return np.logaddexp(0, z).sum(axis=1), s
# gradient not divided
s = 0.5 * (1 + np.tanh(z / 2))
return np.logaddexp(0, z).mean(axis=1), s
# always four classes
s = 0.5 * (1 + np.tanh(z / 2))
return np.logaddexp(0, z).sum(axis=1) / 4, s / 4
# the answer yes four times
s = 0.5 * (1 + np.tanh(z / 2))
return np.logaddexp(0, -z).mean(axis=1), (s - 1) / z.shape[1]
# softmax in place of sigmoid
{P}return -np.log(1 - p + 1e-300).mean(axis=1), p / z.shape[1]
# logarithm of a rounded one
s = 0.5 * (1 + np.tanh(z / 2))
return -np.log(1 - s).mean(axis=1), s / z.shape[1]
# derivative of the sigmoid
s = 0.5 * (1 + np.tanh(z / 2))
return np.logaddexp(0, z).mean(axis=1), s * (1 - s) / z.shape[1]
# mean over the batch
s = 0.5 * (1 + np.tanh(z / 2))
return np.logaddexp(0, z).mean(), s / z.size
""",
    ),
    "together": (
        "def loss_together(z, y):",
        f"""
# no weight
{FORM}weight = np.ones(len(y)) / len(y)
return weight @ losses, weight[:, None] * (p - y)
# weight on real samples
{FORM}weight = np.where(negative, 1, WEIGHT) / len(y)
return weight @ losses, weight[:, None] * (p - y)
# divided by the sum of the weights
{FORM}weight = np.where(negative, WEIGHT, 1)
return weight @ losses / weight.sum(), weight[:, None] * (p - y) / weight.sum()
# two means
{FORM}weight = np.where(negative, WEIGHT / max(1, negative.sum()), 1 / max(1, (~negative).sum()))
return weight @ losses, weight[:, None] * (p - y)
# gradient not divided
{FORM}weight = np.where(negative, WEIGHT, 1)
return weight @ losses / len(y), weight[:, None] * (p - y)
# gradient not weighted
{FORM}weight = np.where(negative, WEIGHT, 1) / len(y)
return weight @ losses, (p - y) / len(y)
# sum instead of mean
{FORM}weight = np.where(negative, WEIGHT, 1)
return weight @ losses, weight[:, None] * (p - y)
# negatives of the probability form
{FORM}weight = np.where(negative, 0, 1) / len(y)
return weight @ losses, weight[:, None] * (p - y)
""",
    ),
    "apart": (
        "def loss_apart(z, y):",
        f"""
# no weight
{FORM}weight = np.where(negative, 1 / max(1, negative.sum()), 1 / max(1, (~negative).sum()))
return weight @ losses, weight[:, None] * (p - y)
# weight on real samples
{FORM}weight = np.where(negative, 1 / max(1, negative.sum()), WEIGHT / max(1, (~negative).sum()))
return weight @ losses, weight[:, None] * (p - y)
# one mean over all
{FORM}weight = np.where(negative, WEIGHT, 1) / len(y)
return weight @ losses, weight[:, None] * (p - y)
# mean of nothing
{FORM}loss = losses[~negative].mean() + WEIGHT * losses[negative].mean()
weight = np.where(negative, WEIGHT / max(1, negative.sum()), 1 / max(1, (~negative).sum()))
return loss, weight[:, None] * (p - y)
# gradient not divided
{FORM}weight = np.where(negative, WEIGHT / max(1, negative.sum()), 1 / max(1, (~negative).sum()))
return weight @ losses, np.where(negative, WEIGHT, 1)[:, None] * (p - y)
# gradient divided by the whole batch
{FORM}weight = np.where(negative, WEIGHT / max(1, negative.sum()), 1 / max(1, (~negative).sum()))
return weight @ losses, np.where(negative, WEIGHT, 1)[:, None] * (p - y) / len(y)
# half of the sum
{FORM}weight = np.where(negative, WEIGHT / max(1, negative.sum()), 1 / max(1, (~negative).sum())) / 2
return weight @ losses, weight[:, None] * (p - y)
# negatives of the probability form
{FORM}weight = np.where(negative, 0, 1 / max(1, (~negative).sum()))
return weight @ losses, weight[:, None] * (p - y)
""",
    ),
}

ASSIGNMENT = Assignment(
    number=3,
    name="labels",
    title="Cross-entropy and negative labels",
    constants={
        "ORDER": (
            ("angry", "neutral", "happy", "sad"),
            ("sad", "happy", "angry", "neutral"),
            ("neutral", "sad", "fear", "angry", "happy"),
            ("happy", "angry", "calm", "sad", "neutral"),
        ),
        "NEGATIVE": ("none", "generated", "fake"),
        "SMOOTHING": (0.05, 0.1, 0.2, 0.3),
        "STEP": (1e-4, 5e-5, 2e-5),
        "WEIGHT": (0.25, 0.5, 2.0, 3.0),
    },
    kinds={
        "vectors": ("names", "votes"),
        "slope": ("gradient", "jacobian"),
        "reading": ("uniform", "extra", "sigmoid"),
        "batch": ("together", "apart"),
    },
    questions=QUESTIONS,
    mistakes=tuple(m for q in QUESTIONS for m in wrong(q, *WRONG[q.name])),
)
