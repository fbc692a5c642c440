"""Checks of chapter 11, at full size."""

from __future__ import annotations

import math

import numpy as np

from sergan import paper
from sergan.checks import check, close
from sergan.config import PRESETS, Config

TRAIN = sum(paper.TABLE_1["train"].values())


@check("the discriminator takes two steps a batch, one real and one generated; the generator one.")
def steps(answer):
    """Steps of `discriminator` and `generator` in one BAGM run of preset paper, as a dict."""
    c = PRESETS["paper"]
    batches = c.epochs * math.ceil(TRAIN / c.batch)
    if not hasattr(answer, "get") or {"discriminator", "generator"} - set(answer):
        return 'give a dictionary with the keys "discriminator" and "generator".'
    d, g = answer["discriminator"], answer["generator"]
    if (d, g) == (2 * batches, batches):
        return None
    if (d, g) == (batches, batches):
        return "the discriminator steps on the real batch and again on a generated one (its section 3.4)."
    if (d, g) == (batches, 2 * batches):
        return "the two are swapped: it is the discriminator that learns twice."
    if (d, g) == (2 * c.epochs, c.epochs):
        return "that is one batch an epoch, the other meaning of the word; here an epoch is a pass over the data."
    if (d == 2 * g and close(g, c.epochs * TRAIN / c.batch, 0.01)) or g == c.epochs * (TRAIN // c.batch):
        return f"{TRAIN:,} utterances do not divide into batches of {c.batch:,}: the rest is a batch too."
    return f"how many batches of {c.batch:,} are in {TRAIN:,} utterances, and what happens in each of them?"


@check("energy is power times time, and its price is by the kilowatt-hour.")
def energy(kwh, money, *, hours, watts, price):
    """Energy and its price of a machine that draws `watts` for `hours`, at `price` a kWh."""
    kwh, money, right = float(kwh), float(money), hours * watts / 1000
    if close(kwh, right, 0.01) and close(money, right * price, 0.01):
        return None
    if close(kwh, 1000 * right, 0.01):
        return "those are watt-hours; a kilowatt-hour is a thousand of them."
    if close(kwh, right * price, 0.01) and close(money, right, 0.01):
        return "the two are swapped: energy first, then money."
    if close(kwh, watts / hours, 0.01) or close(kwh, watts / 1000 / hours, 0.01):
        return "watts are a rate: multiply by the hours."
    if close(kwh, right, 0.01) and close(money, hours * price, 0.01):
        return "the price is for a kilowatt-hour, not for an hour."
    if close(kwh, right, 0.01):
        return "the energy is right; money is energy times the price of a kilowatt-hour."
    return "energy in kWh is hours times watts, divided by 1,000."


@check("each part's mean counts by its utterances, and then the sum is the mean of the whole batch.")
def combine(function):
    """A reader's `function(means, sizes)`: the mean loss of a batch from its microbatches."""
    means, sizes = np.array([1.0, 2.0, 4.0]), np.array([32, 32, 6])
    found = function(means, sizes)
    if found is None:
        return "your function returns nothing yet."
    right = (means * sizes).sum() / sizes.sum()
    if close(found, right, 1e-6):
        return None
    for other, wrong in (
        (means.mean(), "a part of 6 utterances then has the say of one with 32."),
        (means.sum(), "that is the sum of the means; a step with it would be three times too large."),
        ((means * sizes).sum(), "that is the sum over utterances; divide by how many there are."),
        ((means * sizes).sum() / len(sizes), "divide by the utterances, not by the parts."),
        (means[:2].mean(), "the last, shorter part counts too."),
    ):
        if close(found, other, 1e-6):
            return wrong
    return f"for means {means.tolist()} of {sizes.tolist()} utterances it should be {right:.4f}."


@check("choices multiply. No paper can run them all; it can say which one it ran, and try the likeliest.")
def universes(count, *, choices, seeds):
    """Runs that it takes to try every combination of `choices` (a dict of tuples) with so many seeds."""
    sizes = [len(options) for options in choices.values()]
    right = math.prod(sizes) * seeds
    if count == right:
        return None
    for other, wrong in (
        (math.prod(sizes), "those are the universes; each needs all its seeds."),
        (
            sum(sizes),
            "that adds the options; every option of one point goes with every option of the others.",
        ),
        (sum(sizes) * seeds, "that adds the options; they multiply."),
        (
            (sum(sizes) - len(sizes) + 1) * seeds,
            "that changes one point at a time, which is the cheaper plan.",
        ),
        (2 ** len(sizes) * seeds, "not every point has two options."),
    ):
        if count == other:
            return wrong
    return f"multiply the numbers of options, {sizes}, and the seeds."


SHARED = {"scores", "confusion", "configuration", "curve", "versions"}
KEPT = {"audio", "features", "transcripts", "weights"}


@check(
    "what is about the recogniser goes out; what speech could be drawn from stays, or needs a look at the licence."
)
def shared(items):
    """What may leave your machine after a run on IEMOCAP, without asking anybody: a set of words."""
    items = set(items)
    if unknown := items - SHARED - KEPT:
        return f"{sorted(unknown)[0]!r} is not on the list: {', '.join(sorted(SHARED | KEPT))}."
    if "audio" in items or "transcripts" in items:
        return "audio and transcripts are the corpus itself, and it is never passed on."
    if "features" in items:
        return "features are made from the recordings, frame by frame: they fall under the corpus's licence, too."
    if "weights" in items:
        return "weights were fitted to the recordings and can hold some of them: read the licence, or ask, first."
    if missing := SHARED - items:
        return f"the {sorted(missing)[0]} could go out, too: without it nobody can judge the score."
    return None


@check("one option differs, splits and seeds are the same: that is a comparison.")
def comparison(records):
    """Records of a small multiverse: at least two values of one option, the same two or more seeds with each."""
    records = list(records)
    if len(records) < 4 or not all(isinstance(r, dict) and "config" in r for r in records):
        return "give at least four records: two values of an option, two seeds with each."
    rest = {"seed", "split_seed", "fold"}
    names = set().union(*(r["config"] for r in records)) - rest

    def text(record, name):
        return str(record["config"].get(name, getattr(Config, name, None)))

    differing = sorted(name for name in names if len({text(r, name) for r in records}) > 1)
    if not differing:
        return "all these runs have the same options: nothing is compared."
    if len(differing) > 1:
        return f"they differ in {' and '.join(differing)} at once: whose effect would you see?"
    seeds = {}
    for r in records:
        place = tuple(str(r["config"].get(name)) for name in sorted(rest))
        seeds.setdefault(text(r, differing[0]), set()).add(place)
    if len({frozenset(s) for s in seeds.values()}) > 1:
        return f"not every value of {differing[0]} has the same seeds and splits: they cannot be paired."
    if min(map(len, seeds.values())) < 2:
        return "one seed cannot tell an option from luck: run at least two with each value."
    return None
