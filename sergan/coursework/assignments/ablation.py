"""Assignment 5: two programs compared run by run, with an interval that means what it says."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import stats

from sergan.coursework.questions import Assignment, Mistake, Question, edited

CONSTANTS = {
    "SCORE": ("wa", "ua"),
    "UNIT": ("speaker", "session"),
    "STRETCH": (2, 3, 4),
    "CONFIDENCE": (0.9, 0.95, 0.98, 0.99),
    "BOUND": (1.0, 1.5, 2.0, 2.5),
    "DATA": (11, 12, 13, 14, 15, 16),
}
KINDS = {"score": ("recall", "f1"), "epoch": ("smooth", "stop"), "many": ("holm", "hochberg")}

# What is right


def mean_recall(counts):
    asked = counts.sum(axis=1) > 0
    return 100 * np.mean(np.diag(counts)[asked] / counts[asked].sum(axis=1))


def mean_f1(counts):
    asked = counts.sum(axis=1) > 0
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return 100 * np.mean(2 * np.diag(counts)[asked] / both[asked])


def at_smoothed_best(variant):
    def right(curve):
        ends = range(variant["STRETCH"] - 1, len(curve))
        sums = [sum(e["validation_ua"] for e in curve[k - variant["STRETCH"] + 1 : k + 1]) for k in ends]
        return curve[ends[int(np.argmax(sums))]][variant["SCORE"]]

    return right


def at_early_stop(variant):
    def right(curve):
        best, waited = None, 0
        for entry in curve:
            if best is None or entry["validation_loss"] < best["validation_loss"]:
                best, waited = entry, 0
            else:
                waited += 1
            if waited == variant["STRETCH"]:
                break
        return best[variant["SCORE"]]

    return right


def differences(variant):
    def right(records, new, old):
        runs = {(r["program"], r["speaker"], r["seed"]): r for r in records}
        found = {}
        for (program, speaker, seed), one in runs.items():
            other = runs.get((old, speaker, seed))
            if program == new and other is not None:
                found.setdefault(one[variant["UNIT"]], []).append(
                    one[variant["SCORE"]] - other[variant["SCORE"]]
                )
        return {unit: float(np.mean(some)) for unit, some in found.items()}

    return right


def half(values, confidence):
    n = len(values)
    return stats.t.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n)


def interval(variant):
    def right(values):
        mean = float(np.mean(values))
        if len(values) == 1:
            return mean, None, None
        width = float(half(values, variant["CONFIDENCE"]))
        return mean, mean - width, mean + width

    return right


def verdict(variant):
    def right(values):
        size, confidence = abs(np.mean(values)), variant["CONFIDENCE"]
        different = size > half(values, confidence)
        within = size + half(values, 2 * confidence - 1) < variant["BOUND"]
        return {(1, 1): "both", (1, 0): "different", (0, 1): "equivalent", (0, 0): "undecided"}[
            different, within
        ]

    return right


def sign_flip_p(values):
    means = [abs(np.mean(np.multiply(signs, values))) for signs in product((1, -1), repeat=len(values))]
    return float(np.mean(np.array(means) >= abs(np.mean(values)) - 1e-9))


def stepwise(p, down: bool):
    """Holm's adjusted p values (`down`) or Hochberg's, in the order of `p`."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    products = p[order] * np.arange(len(p), 0, -1)
    steps = np.maximum.accumulate(products) if down else np.minimum.accumulate(products[::-1])[::-1]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1)
    return adjusted.tolist()


# Hidden cases


def tables(variant, random):
    """Counts with and without an empty class, square of several sizes, one class never answered, one always."""
    for classes in (4, 4, 3, 6, 2):
        counts = random.integers(0, 30, size=(classes, classes))
        counts[np.arange(classes), np.arange(classes)] += 1
        yield (counts,)
    empty = random.integers(1, 30, size=(5, 5))
    empty[int(random.integers(5))] = 0
    yield (empty,)
    always = np.zeros((4, 4), dtype=int)
    always[:, int(random.integers(4))] = random.permutation([3, 8, 21, 40])
    yield (always,)


def curves(variant, random):
    """Curves of 25 epochs, of the least length, and with ties."""
    for epochs in (25, 12, 12, variant["STRETCH"], variant["STRETCH"] + 1, 40):
        yield (curve(random, epochs),)
    tied = curve(random, 14)
    for name, value in {"validation_ua": 80.5, "validation_loss": 0.25}.items():
        for k in (*range(3, 3 + variant["STRETCH"]), *range(9, 9 + variant["STRETCH"])):
            tied[k][name] = value
    yield (tied,)
    for _ in range(4):  # a pause one epoch longer than allowed, one exactly as long, then better again
        steps = [3, 1, variant["STRETCH"], 1, variant["STRETCH"] - 1, 2, variant["STRETCH"] + 1, 3]
        paused, level = curve(random, 3 + sum(steps)), 2.0
        at = 0
        for number, length in enumerate(random.permutation(steps)):
            for _ in range(int(length)):
                level -= 0.125 * (number % 2 == 0)
                paused[at]["validation_loss"] = level + 0.25 * (number % 2)
                at += 1
        yield (paused,)


def curve(random, epochs):
    wa, ua, own = (random.integers(80, 160, size=epochs) / 2 for _ in range(3))
    loss = random.integers(16, 64, size=epochs) / 32 + np.linspace(1, 0, epochs).round(2)
    return [
        {"wa": float(a), "ua": float(b), "validation_ua": float(c), "validation_loss": float(d)}
        for a, b, c, d in zip(wa, ua, own, loss, strict=True)
    ]


def sweeps(variant, random):
    """Records in random order: several programs, missing runs, a session without a pair, uneven seeds."""
    for sessions, seeds in ((5, 3), (4, 2), (6, 4), (3, 1)):
        easy = random.normal(0, 8, size=(sessions, 2))
        records = []
        for program, session, voice, seed in product(
            ("BAM", "BAGM", "AM", "AGM"), range(sessions), range(2), range(seeds)
        ):
            lost = random.random() < 0.15 or (session == sessions - 1 and program == "BAGM")
            if lost and session > 0:
                continue
            level = 55 + easy[session, voice] + random.normal(0, 4, size=2)
            records.append({
                "program": program, "session": f"session {session + 1}", "speaker": f"s{session + 1}{'fm'[voice]}",
                "seed": seed, "wa": float(level[0].round(2)), "ua": float((level[1] - 6).round(2)),
            })  # fmt: skip
        records = [records[k] for k in random.permutation(len(records))]
        yield records, "BAGM", "BAM"
        yield records, "AGM", "AM"


def samples(variant, random):
    """Differences of one unit, two, many; with an outlier; all equal."""
    for n in (1, 2, 3, 5, 9, 24):
        yield (random.normal(random.uniform(-3, 3), random.uniform(0.5, 5), size=n).round(2),)
    yield (np.append(random.normal(0, 1, size=6), 40.0).round(2),)
    yield (np.full(4, float(random.integers(-5, 5))),)


def borderline(variant, random):
    """Means and spreads on both sides of every border, near it and far away."""
    confidence = variant["CONFIDENCE"]
    for n in (4, 9, 12):
        for u in (0.2, 0.6, 0.93, 1.1, 1.8):  # mean over half-width
            for w in (0.5, 0.93, 1.06, 2.5):  # the far end of the smaller interval over the bound
                pattern = stats.zscore(random.normal(size=n), ddof=1)
                large, small = half(pattern, confidence), half(pattern, 2 * confidence - 1)
                scale = variant["BOUND"] * w / (small + u * large)
                yield (scale * (pattern + random.choice([-1, 1]) * u * large),)


def small_samples(variant, random):
    """Up to ten differences, with ties, zeros, and all on one side."""
    for n in (1, 2, 3, 5, 6, 8, 10):
        yield (random.normal(1, 2, size=n).round(1),)
    yield (random.permutation([0.1, 0.2, 0.3, -0.3, 0.0, 0.4]),)
    yield (random.permutation([0.0, 0.0, 0.5, 0.5, -0.5]),)
    yield (-random.uniform(0.1, 3, size=7).round(1),)


def families(variant, random):
    """p values: one, few, many; small ones, products that fall, sums above one."""
    for n in (1, 2, 4, 4, 12):
        yield (random.uniform(0.0005, 1, size=n).round(4).tolist(),)
    yield (random.permutation([0.011, 0.012, 0.013, 0.02, 0.03]).tolist(),)
    yield (random.permutation([0.001, 0.04, 0.03, 0.045, 0.6, 0.9]).tolist(),)
    yield (random.permutation([0.3, 0.4, 0.4, 0.7]).tolist(),)


QUESTIONS = (
    Question("recall", 2, "mean_recall", tables, lambda v: mean_recall, kind=("score", "recall")),
    Question("f1", 2, "mean_f1", tables, lambda v: mean_f1, kind=("score", "f1")),
    Question("smooth", 3, "at_smoothed_best", curves, at_smoothed_best, kind=("epoch", "smooth")),
    Question("stop", 3, "at_early_stop", curves, at_early_stop, kind=("epoch", "stop")),
    Question("differences", 3, "unit_differences", sweeps, differences),
    Question("interval", 2, "interval", samples, interval),
    Question("verdict", 2, "verdict", borderline, verdict),
    Question("flips", 2, "sign_flip_p", small_samples, lambda v: sign_flip_p),
    Question("holm", 2, "holm", families, lambda v: lambda p: stepwise(p, True), kind=("many", "holm")),
    Question(
        "hochberg", 2, "hochberg", families, lambda v: lambda p: stepwise(p, False), kind=("many", "hochberg")
    ),
)

# Known mistakes

RECALL = """
import numpy as np
def mean_recall(counts):
    rows = counts.sum(axis=1)
    asked = rows > 0
    return 100 * np.mean(np.diag(counts)[asked] / rows[asked])
"""
F1 = """
import numpy as np
def mean_f1(counts):
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    asked = rows > 0
    return 100 * np.mean(2 * np.diag(counts)[asked] / (rows + columns)[asked])
"""
SMOOTH = """
import numpy as np
def at_smoothed_best(curve):
    ua = [entry["validation_ua"] for entry in curve]
    ends = range(STRETCH - 1, len(curve))
    means = [np.mean(ua[end - STRETCH + 1:end + 1]) for end in ends]
    return curve[np.argmax(means) + STRETCH - 1][SCORE]
"""
STOP = """
def at_early_stop(curve):
    best, waited = curve[0], 0
    for entry in curve[1:]:
        if entry["validation_loss"] < best["validation_loss"]:
            best, waited = entry, 0
        else:
            waited += 1
        if waited >= STRETCH:
            break
    return best[SCORE]
"""
OTHER = "{'wa': 'ua', 'ua': 'wa'}[SCORE]"
DIFFERENCES = """
import numpy as np
def unit_differences(records, new, old):
    before = {(r["speaker"], r["seed"]): r[SCORE] for r in records if r["program"] == old}
    found = {}
    for r in records:
        key = r["speaker"], r["seed"]
        if r["program"] == new and key in before:
            found.setdefault(r[UNIT], []).append(r[SCORE] - before[key])
    return {unit: np.mean(some) for unit, some in found.items()}
"""
UNPAIRED = """
import numpy as np
def unit_differences(records, new, old):
    found = {}
    for r in records:
        found.setdefault(r[UNIT], {}).setdefault(r["program"], []).append(r[SCORE])
    return {unit: np.mean(some[new]) - np.mean(some[old]) for unit, some in found.items()
            if new in some and old in some}
"""
INTERVAL = """
import numpy as np
from scipy import stats
def interval(differences):
    n, mean = len(differences), np.mean(differences)
    if n == 1:
        return mean, None, None
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    half = quantile * np.std(differences, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half
"""
VERDICT = """
import numpy as np
from scipy import stats
def verdict(differences):
    n, mean = len(differences), np.mean(differences)
    error = np.std(differences, ddof=1) / np.sqrt(n)
    large = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * error
    small = stats.t.ppf(CONFIDENCE, n - 1) * error
    different = abs(mean) > large
    within = abs(mean) + small < BOUND
    if different and within:
        return "both"
    return "different" if different else "equivalent" if within else "undecided"
"""
FLIPS = """
import itertools
import numpy as np
def sign_flip_p(differences):
    differences = np.asarray(differences)
    signs = np.array(list(itertools.product([1, -1], repeat=len(differences))))
    means = np.abs((signs * differences).mean(axis=1))
    return np.mean(means >= np.abs(differences.mean()) - 1e-9)
"""
RANDOM_FLIPS = """
import numpy as np
def sign_flip_p(differences):
    signs = np.random.default_rng(0).choice([1, -1], size=(999, len(differences)))
    means = np.abs((signs * differences).mean(axis=1))
    return np.mean(means >= abs(np.mean(differences)) - 1e-9)
"""
ORDER = """
import numpy as np
def holm(p):
    p = np.array(p)
    order = np.argsort(p)
    products = (len(p) - np.arange(len(p))) * p[order]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(products), 1)
    return adjusted.tolist()
"""
UP, DOWN = "np.minimum.accumulate(products[::-1])[::-1]", "np.maximum.accumulate(products)"
HOCHBERG = ORDER.replace("def holm", "def hochberg").replace(f"np.minimum({DOWN}, 1)", UP)


def stepwise_mistakes(name, right, accumulated, other):
    return edited(f"solve_{name}", name, right, ("many", name),
                  products_may_turn_the_order=(accumulated, "products"),
                  answers_in_sorted_order=("adjusted[order] =", "adjusted[:] ="),
                  Bonferroni=("(len(p) - np.arange(len(p)))", "len(p)"),
                  factors_count_upwards=("(len(p) - np.arange(len(p)))", "(1 + np.arange(len(p)))"),
                  factors_too_small_by_one=("(len(p) - np.arange(len(p)))", "(len(p) - 1 - np.arange(len(p)))"),
                  the_other_procedure=(accumulated, f"np.minimum({other}, 1)"))  # fmt: skip


MISTAKES = (
    *edited("solve_recall", "recall", RECALL, ("score", "recall"),
            share_instead_of_percent=("100 * ", ""),
            divides_by_columns_precision=("counts.sum(axis=1)", "counts.sum(axis=0)"),
            an_empty_class_counts_as_zero=("[asked] / rows[asked]", " / np.maximum(rows, 1)"),
            an_empty_class_gives_nan=("[asked] / rows[asked]", " / rows"),
            WA_instead_of_UA=("np.mean(np.diag(counts)[asked] / rows[asked])", "np.trace(counts) / counts.sum()"),
            always_four_classes=("np.mean(np.diag(counts)[asked] / rows[asked])",
                                 "np.sum(np.diag(counts)[asked] / rows[asked]) / 4")),
    *edited("solve_f1", "f1", F1, ("score", "f1"),
            share_instead_of_percent=("100 * ", ""),
            forgets_the_factor_two=("2 * np", "np"),
            an_empty_class_counts_as_zero=("np.diag(counts)[asked] / (rows + columns)[asked]",
                                           "np.diag(counts) / np.maximum(rows + columns, 1)"),
            recall_instead_of_F1=("2 * np.diag(counts)[asked] / (rows + columns)[asked]",
                                  "np.diag(counts)[asked] / rows[asked]"),
            F1_over_all_classes_together=("np.mean(2 * np.diag(counts)[asked] / (rows + columns)[asked])",
                                          "2 * np.trace(counts) / (rows + columns).sum()"),
            a_class_that_is_never_answered_is_left_out=("asked = rows > 0", "asked = (rows > 0) & (columns > 0)")),
    *edited("solve_smooth", "smooth", SMOOTH, ("epoch", "smooth"),
            chosen_on_the_test_part=('entry["validation_ua"]', "entry[SCORE]"),
            no_smoothing=("np.mean(ua[end - STRETCH + 1:end + 1])", "ua[end]"),
            a_stretch_one_too_short=("end - STRETCH + 1:", "end - STRETCH + 2:"),
            the_first_epoch_of_the_stretch=(" + STRETCH - 1]", "]"),
            the_middle_of_the_stretch=(" + STRETCH - 1]", " + (STRETCH - 1) // 2]"),
            the_last_of_equals=("np.argmax(means) + STRETCH - 1", "len(curve) - 1 - np.argmax(means[::-1])"),
            returns_the_validation_score=("[SCORE]", '["validation_ua"]'),
            reports_the_other_score=("[SCORE]", f"[{OTHER}]"),
            the_lowest_instead_of_the_highest=("np.argmax(means)", "np.argmin(means)"),
            the_last_stretch_is_forgotten=("len(curve))", "len(curve) - 1)")),
    *edited("solve_stop", "stop", STOP, ("epoch", "stop"),
            never_stops=("waited >= STRETCH", "False"),
            waits_one_epoch_too_long=("waited >= STRETCH", "waited > STRETCH"),
            waits_one_epoch_too_short=("waited >= STRETCH", "waited >= STRETCH - 1"),
            the_counter_is_not_reset=("best, waited = entry, 0", "best = entry"),
            an_equal_loss_counts_as_better=('entry["validation_loss"] < ', 'entry["validation_loss"] <= '),
            reports_the_epoch_where_it_stopped=("best[SCORE]", "entry[SCORE] if len(curve) > 1 else best[SCORE]"),
            reports_the_other_score=("best[SCORE]", f"best[{OTHER}]"),
            chosen_on_the_test_part=('entry["validation_loss"] < best["validation_loss"]',
                                     "entry[SCORE] > best[SCORE]"),
            waits_for_validation_UA=('entry["validation_loss"] < best["validation_loss"]',
                                     'entry["validation_ua"] > best["validation_ua"]')),
    *edited("solve_differences", "differences", DIFFERENCES,
            the_wrong_way_round=("r[SCORE] - before[key]", "before[key] - r[SCORE]"),
            runs_without_a_partner_are_paired_by_seed=("for r in records:\n        key",
                                                       "seeds = {s: v for (_, s), v in before.items()}\n    "
                       "for r in records:\n        before.setdefault((r['speaker'], r['seed']), "
                       "seeds.get(r['seed']))\n        key"),
            the_other_score=("r[SCORE] - before[key]", f"r[{OTHER}] - before[key]"),
            the_other_unit=("r[UNIT]", "r[{'speaker': 'session', 'session': 'speaker'}[UNIT]]"),
            every_run_is_a_unit=("r[UNIT]", "(*key,)"),
            the_median_of_the_pairs=("np.mean", "np.median"),
            a_missing_partner_counts_as_zero=('if r["program"] == new and key in before:',
                                              'before.setdefault(key, 0)\n        if r["program"] == new:'),
            in_shares_instead_of_points=("np.mean(some)", "np.mean(some) / 100")),
    *edited("solve_interval", "interval", INTERVAL,
            normal_quantile_instead_of_t=("stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)",
                                          "stats.norm.ppf((1 + CONFIDENCE) / 2)"),
            always_one_point_nine_six=("stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)", "1.96"),
            population_instead_of_sample_variance=("ddof=1", "ddof=0"),
            one_sided_quantile=("(1 + CONFIDENCE) / 2", "CONFIDENCE"),
            n_degrees_of_freedom=("n - 1)", "n)"),
            standard_deviation_instead_of_its_error=(" / np.sqrt(n)", ""),
            divides_by_n_instead_of_its_root=("np.sqrt(n)", "n"),
            a_single_unit_gets_an_interval_of_width_zero=("mean, None, None", "mean, mean, mean"),
            a_single_unit_gives_nan=("n == 1", "n == 0"),
            only_the_ends=("return mean, mean - half", "return mean - half")),
    *edited("solve_verdict", "verdict", VERDICT,
            not_different_means_equivalent=("within = abs(mean) + small < BOUND", "within = not different"),
            the_mean_within_the_bound_is_enough=("abs(mean) + small < BOUND", "abs(mean) < BOUND"),
            the_large_interval_for_equivalence=("abs(mean) + small", "abs(mean) + large"),
            the_small_interval_for_a_difference=("abs(mean) > large", "abs(mean) > small"),
            population_instead_of_sample_variance=("ddof=1", "ddof=0"),
            normal_quantiles=("stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)", "stats.norm.ppf((1 + CONFIDENCE) / 2)"),
            forgets_that_a_mean_can_be_negative=("different = abs(mean)", "different = mean"),
            only_the_upper_end_is_within=("within = abs(mean)", "within = mean"),
            different_hides_equivalent=('return "both"', 'return "different"'),
            equivalent_hides_different=('return "both"', 'return "equivalent"'),
            always_the_papers_bound=("< BOUND", "< 1.86")),
    *edited("solve_flips", "flips", FLIPS,
            one_sided=("np.abs((signs * differences).mean(axis=1))", "(signs * differences).mean(axis=1)"),
            the_observed_pattern_does_not_count=("means >= np.abs(differences.mean()) - 1e-9",
                                                 "means > np.abs(differences.mean()) + 1e-9"),
            without_the_pattern_itself=("np.array(list(itertools.product([1, -1], repeat=len(differences))))",
                                        "np.array(list(itertools.product([1, -1], repeat=len(differences)))[1:])"
                                        ".reshape(-1, len(differences))"),
            shuffles_instead_of_flipping=("itertools.product([1, -1], repeat=len(differences))",
                                          "[np.ones(len(differences))] * 4"),
            half_of_the_patterns_twice=("np.mean(means >=", "2 * np.mean(means >="),
            the_count_instead_of_the_share=("np.mean(means >=", "np.sum(means >="),
            the_share_that_is_less_extreme=("means >= ", "means < ")),
    Mistake("random flips instead of all", {"solve_flips": RANDOM_FLIPS}, {"flips"}),
    Mistake("means of both programs first, without pairs", {"solve_differences": UNPAIRED}, {"differences"}),
    *stepwise_mistakes("holm", ORDER, DOWN, UP),
    *edited("solve_holm", "holm", ORDER, ("many", "holm"), adjusted_p_above_one=(f"np.minimum({DOWN}, 1)", DOWN)),
    *stepwise_mistakes("hochberg", HOCHBERG, UP, DOWN),
)  # fmt: skip

ASSIGNMENT = Assignment(
    5, "ablation", "An ablation with the right interval", CONSTANTS, KINDS, QUESTIONS, MISTAKES
)
