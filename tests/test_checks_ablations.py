"""The checks of chapter 8: right answers are right, and each wrong one is told what is wrong with it."""

import math

import numpy as np
import pytest

from sergan.checks import ablations as checks


def scores(counts):
    return 100 * np.trace(counts) / counts.sum(), 100 * np.mean(np.diag(counts) / counts.sum(axis=1))


def precision(counts):
    return scores(counts)[0], 100 * np.mean(np.diag(counts) / counts.sum(axis=0))


def wa(counts):
    return 100 * np.trace(counts) / counts.sum()


def rules(curve):
    chosen = max(curve, key=lambda entry: entry["validation_ua"])
    return {"last": curve[-1]["wa"], "validation": chosen["wa"], "oracle": max(e["wa"] for e in curve)}


def changed(**how):
    return lambda curve: rules(curve) | {name: rule(curve) for name, rule in how.items()}


def steps(epochs, utterances, batch, epoch):
    return epochs * math.ceil(utterances / batch) if epoch == "pass" else epochs


def gain(curves):
    return np.mean([max(curve) - curve[-1] for curve in curves])


def latest(curve):
    return max(reversed(curve), key=lambda entry: entry["validation_ua"])["wa"]


RIGHT = [
    (checks.sweep_size, 200),
    (checks.scores, scores),
    (checks.new_speakers, lambda tables: np.mean([wa(c) for c in tables])),
    (checks.three_rules, rules),
    (checks.steps, steps),
    (checks.oracle_gain, gain),
]

WRONG = [
    (checks.sweep_size, 240, "two runs there, not three"),
    (checks.sweep_size, 160, "sigmoid_bce has a real loss of its own"),
    (checks.sweep_size, 20, "one fold"),
    (checks.sweep_size, 10, "rows of the table"),
    (checks.sweep_size, 100, "one seed"),
    (checks.sweep_size, 7, "count the rows first"),
    (checks.scores, lambda c: None, "returns nothing yet"),
    (checks.scores, lambda c: 100 * np.trace(c) / c.sum(), "two numbers"),
    (checks.scores, lambda c: tuple(np.array(scores(c)) / 100), "in percent"),
    (checks.scores, lambda c: scores(c)[::-1], "each other's place"),
    (checks.scores, precision, "that is precision"),
    (checks.scores, lambda c: (50.0, scores(c)[1]), "WA of"),
    (checks.scores, lambda c: (scores(c)[0], 50.0), "UA of"),
    (checks.scores, lambda c: 1 / 0, "ZeroDivisionError"),
    (checks.new_speakers, lambda tables: None, "returns nothing yet"),
    (checks.new_speakers, lambda tables: wa(np.sum(tables, axis=0)), "pooled"),
    (checks.new_speakers, lambda tables: np.mean([scores(c)[1] for c in tables]), "mean of UA"),
    (checks.new_speakers, lambda tables: np.median([wa(c) for c in tables]), "median"),
    (checks.new_speakers, lambda tables: 12.0, "do not have the mean"),
    (checks.three_rules, lambda curve: None, "returns nothing yet"),
    (checks.three_rules, lambda curve: {"last": 1}, "with the keys"),
    (checks.three_rules, changed(last=lambda c: max(e["wa"] for e in c)), "whatever came before"),
    (checks.three_rules, changed(validation=lambda c: max(e["validation_ua"] for e in c)), "WA on the test"),
    (checks.three_rules, changed(validation=lambda c: max(e["wa"] for e in c)), "looked at the test part"),
    (checks.three_rules, changed(validation=lambda c: c[0]["wa"]), "which WA has that epoch"),
    (checks.three_rules, changed(validation=latest), "take the first"),
    (checks.three_rules, changed(oracle=lambda c: c[-1]["wa"]), "the highest WA"),
    (checks.steps, lambda *_: None, "returns nothing yet"),
    (checks.steps, lambda e, n, b, kind: steps(e, n, b, "pass"), "a single step"),
    (checks.steps, lambda e, n, b, kind: e * (n // b) if kind == "pass" else e, "round up"),
    (checks.steps, lambda e, n, b, kind: e * n / b if kind == "pass" else e, "steps are whole"),
    (checks.steps, lambda e, n, b, kind: 1, "not 1 steps"),
    (checks.oracle_gain, lambda curves: None, "returns nothing yet"),
    (checks.oracle_gain, lambda c: np.mean(c, axis=0).max() - np.mean(c, axis=0)[-1], "averaged the curves first"),
    (checks.oracle_gain, lambda c: np.max(c) - np.mean([x[-1] for x in c]), "best of all runs"),
    (checks.oracle_gain, lambda c: -gain(c), "wrong way round"),
    (checks.oracle_gain, lambda c: 0.0, "your function says"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_is_right(check, answer):
    assert check(answer).right is True


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(check, answer, said):
    found = check(answer)
    assert found.right is False and said in found.sentence


@pytest.mark.parametrize("check", [check for check, _ in RIGHT])
def test_an_open_answer_is_open(check):
    assert check(...).right is None
