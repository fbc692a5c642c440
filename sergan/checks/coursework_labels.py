"""Visible checks of assignment 3: small examples that can be followed by hand. Marks come from others."""

from __future__ import annotations

import numpy as np

from sergan.checks import check, close

NOTHING = "your function returns nothing yet."


def vectors(found, order, smoothing, rows: list) -> str | None:
    """Compare label vectors with `rows` of shares before smoothing, or None for a label of zeros."""
    if found is None:
        return NOTHING
    found, classes = np.asarray(found, dtype=float), len(order)
    if found.shape != (len(rows), classes):
        return f"{len(rows)} samples and {classes} emotions make the shape {(len(rows), classes)}, not {found.shape}."
    right = np.array(
        [np.zeros(classes) if r is None else smoothing / classes + (1 - smoothing) * r for r in rows]
    )
    if close(found, right):
        return None
    plain = np.array([np.zeros(classes) if r is None else r for r in rows])
    zero = ~right.any(axis=1)
    if close(found[zero], np.full((zero.sum(), classes), smoothing / classes)):
        return "a label of zeros is smoothed, too; it should be nothing but zeros."
    if found[zero].any():
        return "what belongs to no emotion has a label of only zeros: no 1 and no equal shares."
    if close(found, plain):
        return "the labels are not smoothed yet: see the constant SMOOTHING."
    sums = found[~zero].sum(axis=1)
    if not close(sums, np.ones(len(sums))):
        return (
            f"a smoothed label still sums to one; one of yours sums to {sums[np.abs(sums - 1).argmax()]:.4f}."
        )
    if close(np.sort(found, axis=1), np.sort(right, axis=1)):
        return f"the order of the emotions is {', '.join(order)}: {order[1]} has the place number 1, counted from 0."
    if close(found[~zero].min(), smoothing / (classes - 1)):
        return "the amount that is taken off is shared by all emotions, the true one included."
    bad = int(np.flatnonzero(~np.isclose(found, right).all(axis=1))[0])
    return f"sample {bad} should have the label {right[bad].round(4).tolist()}, not {found[bad].round(4).tolist()}."


@check("real samples have their emotion's place, negatives have none.")
def name_vectors(function, order, negative, smoothing):
    one = np.eye(len(order))
    found = function([order[1], negative, order[-1], order[0]])
    return vectors(found, order, smoothing, [one[1], None, one[-1], one[0]])


@check("each vote counts, and what belongs to no emotion has zeros.")
def vote_vectors(function, order, negative, smoothing):
    a, b, c = order[:3]
    one = np.eye(len(order))
    found = function([[b, b, a], [negative], [c, "other"], ["other"], [], [c, negative]])
    return vectors(found, order, smoothing, [(2 * one[1] + one[0]) / 3, None, one[2], None, None, None])


def slopes(function, step, f, right, places: list) -> str | None:
    """A numerical derivative of `f` at some places, against the formula `right`."""

    def watched(z):
        z = np.asarray(z, dtype=float)
        asked.append(z.copy())
        return f(z)

    for z in places:
        asked, given, wanted = [], z.copy(), right(z.astype(float))
        found = function(watched, given)
        if found is None:
            return NOTHING
        found = np.asarray(found, dtype=float)
        if found.shape != wanted.shape:
            turned = " Yours is the other way round." if found.T.shape == wanted.shape else ""
            return f"the result should have shape {wanted.shape}, it has {found.shape}.{turned}"
        if not np.array_equal(given, z):
            return "z is changed afterwards: change copies, or put each number back."
        if close(found, wanted, 1e-6):
            continue
        if z.dtype.kind == "i":
            return "z may hold whole numbers, and an array of whole numbers cannot move by a small step."
        if close(found, 2 * wanted, 1e-6):
            return "from z - STEP to z + STEP it is 2 STEP: the 2 in the denominator is missing."
        if close(found, -wanted, 1e-6):
            return "the sign: the slope is positive where f rises with z."
        moved = max(np.abs(a - z).max() for a in asked)
        if not close(moved, step, 1e-3):
            return f"a number of z moves by {moved:.2g}; it should move by STEP, {step:g}."
        if close(found, wanted, 0.01):
            return "nearly, but a difference to one side only is not exact enough: go a step to both sides."
        return f"the slopes should be {wanted.tolist()}, you have {np.round(found, 3).tolist()}."
    return None


@check("the slopes are those of the formula, to six digits.")
def numerical_gradient(function, step):
    def f(z):
        return float((z**3).sum() + 2 * z.ravel()[0] * z.ravel()[-1])

    def right(z):
        found = 3 * z**2
        found.ravel()[0] += 2 * z.ravel()[-1]
        found.ravel()[-1] += 2 * z.ravel()[0]
        return found

    return slopes(function, step, f, right, [np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([2, 1, 0])])


@check("the slopes are those of the formulas, to six digits.")
def numerical_jacobian(function, step):
    def f(z):
        return np.array([(z**3).sum(), 2 * z[0] * z[-1]])

    def right(z):
        second = np.zeros(len(z))
        second[0] += 2 * z[-1]
        second[-1] += 2 * z[0]
        return np.array([3 * z**2, second])

    return slopes(function, step, f, right, [np.array([1.0, -2.0, 3.0]), np.array([2, 1, 0, 1])])


Z = np.log(np.array([[1.0, 2.0, 5.0]]))
P = np.array([[0.125, 0.25, 0.625]])


def pair(found, batch: int, classes: int):
    """Loss and gradient as arrays, or what is wrong with their form."""
    if found is None:
        return NOTHING
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return "return two things: the losses and the gradients."
    losses, gradients = (np.asarray(part, dtype=float) for part in found)
    if losses.shape != (batch,):
        return f"there is one loss for each sample, shape ({batch},); yours have shape {losses.shape}."
    if gradients.shape != (batch, classes):
        return f"the gradients have the shape of z, {(batch, classes)}; yours have {gradients.shape}."
    if not np.isfinite(losses).all() or not np.isfinite(gradients).all():
        return "not everything is finite: where is a large number exponentiated, or a logarithm taken of 0?"
    return losses, gradients


def form(function, cases: dict[str, tuple], large: tuple) -> str | None:
    """Compare a form of cross-entropy with numbers by hand; `cases` maps a label's name to (label, loss, gradient)."""
    for name, (label, loss, gradient) in cases.items():
        found = pair(function(Z.copy(), np.array([label], dtype=float)), 1, 3)
        if isinstance(found, str):
            return found
        if not close(found[0], [loss], 1e-6):
            return f"for z = ln (1, 2, 5) and {name} the loss should be {loss:.4f}, not {found[0][0]:.4f}."
        if close(found[1], -np.array([gradient]), 1e-6) and np.any(gradient):
            return "the sign of the gradient: it points to where the loss rises."
        if not close(found[1], [gradient], 1e-6):
            right = np.round(gradient, 4).tolist()
            return f"for {name} the gradient should be {right}, not {np.round(found[1][0], 4).tolist()}."
    z, y, loss = large
    found = pair(function(np.array([z]), np.array([y])), 1, len(z))
    if isinstance(found, str):
        return f"with z = {z}: {found}"
    return None if close(found[0], [loss]) else f"for z = {z} and y = {y} the loss should be {loss:g}."


@check("a label of zeros is deaf in this form, as it has to be.")
def probability_form(function):
    cases = {
        "y = (0, 0, 1)": ([0, 0, 1], np.log(8 / 5), P[0] - [0, 0, 1]),
        "y = (0, 0, 0)": ([0, 0, 0], 0.0, np.zeros(3)),
        "y = (0, 1, 1)": ([0, 1, 1], 2 * np.log(8) - np.log(10), 2 * P[0] - [0, 1, 1]),
    }
    return form(function, cases, ([1000.0, 0.0, -1000.0], [0.0, 1.0, 0.0], 1000.0))


@check("a label of zeros shouts in this form, as it has to.")
def logit_form(function):
    cases = {
        "y = (0, 0, 1)": ([0, 0, 1], np.log(8 / 5), P[0] - [0, 0, 1]),
        "y = (0, 0, 0)": ([0, 0, 0], np.log(8), P[0]),
        "y = (0, 1, 1)": ([0, 1, 1], np.log(8) - np.log(10), P[0] - [0, 1, 1]),
    }
    return form(function, cases, ([1000.0, 0.0, -1000.0], [0.0, 1.0, 0.0], 1000.0))


def read(function, loss: float, gradient, large: float, huge: float) -> str | None:
    found = pair(function(Z.copy()), 1, 3)
    if isinstance(found, str):
        return found
    if close(found[0], [0]) and not found[1].any():
        return (
            "loss and gradient are 0: this is what the probability form says, not the reading of your course."
        )
    if not close(found[0], [loss], 1e-6):
        return f"for z = ln (1, 2, 5) the loss should be {loss:.4f}, not {found[0][0]:.4f}."
    if close(found[1], [-np.array(gradient)], 1e-6):
        return "the sign of the gradient: it points to where the loss rises."
    if not close(found[1], [gradient], 1e-6):
        return f"the gradient should be {np.round(gradient, 4).tolist()}, not {np.round(found[1][0], 4).tolist()}."
    for z, right in (([1000.0, 0.0, -1000.0, 0.0], large), ([-1000.0, -1000.0], huge)):
        found = pair(function(np.array([z])), 1, len(z))
        if isinstance(found, str):
            return f"with z = {z}: {found}"
        if not close(found[0], [right]):
            return f"for z = {z} the loss should be {right:g}, not {found[0][0]:g}."
    return None


@check("the answer is pushed towards equal shares, and the level is left alone.")
def uniform_negative(function):
    return read(function, np.log(8) - np.log(10) / 3, P[0] - 1 / 3, 1000.0, np.log(2))


@check("the emotions are pushed down until the extra class has it all.")
def extra_class_negative(function):
    return read(function, np.log(9), np.array([1, 2, 5]) / 9, 1000.0, 0.0)


@check("each emotion is denied, one by one.")
def sigmoid_negative(function):
    gradient = np.array([1 / 2, 2 / 3, 5 / 6]) / 3
    return read(function, np.log(2 * 3 * 6) / 3, gradient, (1000 + 2 * np.log(2)) / 4, 0.0)


def whole(function, weight: float, apart: bool) -> str | None:
    z, y = np.repeat(Z, 4, axis=0), np.zeros((4, 3))
    y[2, 2] = 1.0
    found = function(z.copy(), y.copy())
    if found is None:
        return NOTHING
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return "return two things: the loss of the batch and the gradients."
    loss, gradient = np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)
    if loss.shape != () or gradient.shape != z.shape:
        return f"the loss is one number and the gradients have shape {z.shape}; yours: {loss.shape}, {gradient.shape}."
    real, fake = np.log(8 / 5), np.log(8)
    means = {True: real + weight * fake, False: (real + 3 * weight * fake) / 4}
    if close(loss, means[not apart]):
        return (
            "one mean over all samples, in your course."
            if not apart
            else "two means, each of its own samples."
        )
    if close(loss, real + fake if apart else (real + 3 * fake) / 4):
        return "WEIGHT has no effect yet."
    if close(loss, weight * real + fake if apart else (weight * real + 3 * fake) / 4):
        return "WEIGHT belongs to the negatives; you give it to the real sample."
    if not close(loss, means[apart]):
        return (
            f"for one real sample and three negatives the loss should be {means[apart]:.4f}, not {loss:.4f}."
        )
    shares = (1.0, weight / 3) if apart else (1 / 4, weight / 4)
    right = np.vstack([shares[1] * P, shares[1] * P, shares[0] * (P - y[2]), shares[1] * P])
    if not close(gradient, right):
        where = "a negative" if close(gradient[2], right[2]) else "the real sample"
        return f"the loss is right, the gradient of {where} is not: differentiate the whole sum, with its factors."
    for only in (y[:2], y[2:3]):
        alone = function(z[: len(only)].copy(), only.copy())
        if not np.isfinite(np.asarray(alone[0], dtype=float)):
            return "a batch without negatives, or without real samples: the mean of nothing counts as 0."
    return None


@check("one batch, one mean, and the negatives have their weight.")
def loss_together(function, weight):
    return whole(function, weight, False)


@check("two parts, two means, and the negatives have their weight.")
def loss_apart(function, weight):
    return whole(function, weight, True)
