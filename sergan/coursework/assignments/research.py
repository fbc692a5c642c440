"""Assignment 6: a small question put to a corpus; tools that do not leak, then a plan, a result and a conclusion."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sergan.coursework import harness
from sergan.coursework.questions import Assignment, Question, edited

CONSTANTS = {"TRIM": (2, 3, 5), "FOLDS": (3, 4, 5), "NEIGHBOURS": (3, 5, 7)}
KINDS = {
    "summary": ("moments", "quantiles"),
    "contrast": ("standard", "ranks"),
    "rule": ("cards", "balanced"),
}

# What is right


def summary(variant):
    def right(x):
        trim = variant["TRIM"]
        x = x[trim : len(x) - trim] if len(x) >= 2 * trim + 2 else x
        if variant.kinds["summary"] == "moments":
            return np.concatenate([x.mean(axis=0), x.std(axis=0, ddof=1) if len(x) > 1 else 0 * x[0]])
        low, middle, high = np.quantile(x, [0.1, 0.5, 0.9], axis=0)
        return np.concatenate([middle, high - low])

    return right


def folds(variant):
    def right(speakers):
        names = sorted(set(speakers))
        groups = [names[k :: variant["FOLDS"]] for k in range(min(variant["FOLDS"], len(names)))]
        if variant.kinds["rule"] == "balanced":
            groups = [[] for _ in groups]
            for name in sorted(names, key=lambda name: (-speakers.count(name), name)):
                min(groups, key=lambda group: sum(map(speakers.count, group))).append(name)
        return [np.array([k for k, name in enumerate(speakers) if name in group]) for group in groups]

    return right


def scale(train, test):
    mean, sd = train.mean(axis=0), train.std(axis=0, ddof=1)
    sd = np.where(np.ptp(train, axis=0) == 0, 1, sd)
    return [(train - mean) / sd, (test - mean) / sd]


def by_speaker(variant):
    def standard(x):
        if len(x) == 1:
            return 0 * x
        sd = np.where(np.ptp(x, axis=0) == 0, 1, x.std(axis=0, ddof=1))
        return np.where(np.ptp(x, axis=0) == 0, 0, (x - x.mean(axis=0)) / sd)

    def ranks(x):
        if len(x) == 1:
            return 0 * x + 0.5
        below, equal = (x[None] < x[:, None]).sum(axis=1), (x[None] == x[:, None]).sum(axis=1) - 1
        return (below + equal / 2) / (len(x) - 1)

    change = standard if variant.kinds["contrast"] == "standard" else ranks

    def right(x, speakers):
        made = np.empty(x.shape)
        for name in set(speakers):
            rows = [k for k, speaker in enumerate(speakers) if speaker == name]
            made[rows] = change(x[rows])
        return made

    return right


def predict(variant):
    def right(train, labels, test):
        found = []
        for row in test:
            order = np.argsort(((train - row) ** 2).sum(axis=1))[: variant["NEIGHBOURS"]]
            near = [labels[k] for k in order]
            votes = Counter(near)
            found.append(next(label for label in near if votes[label] == max(votes.values())))
        return found

    return right


def kept(right):
    """Expected answers: the right value, and the arguments unchanged."""
    return lambda variant: lambda *case: harness.kept(right(variant), *case)


# Hidden cases


def sequences(variant, random):
    """Long, just long enough to be trimmed, just too short, two frames, one; silence; one column."""
    trim = variant["TRIM"]
    for frames, columns in ((90, 4), (31, 1), (2 * trim + 2, 3), (2 * trim + 1, 3), (2, 5), (1, 3)):
        x = random.normal(
            random.normal(size=columns), random.uniform(0.5, 3, size=columns), size=(frames, columns)
        )
        x[:trim] += 4
        x[-trim:] -= 7
        yield (x,)
    yield (np.full((20, 2), float(random.normal())),)


def voices(variant, random):
    """Names in random order, uneven and equal numbers of utterances, fewer speakers than folds, one."""
    folds = variant["FOLDS"]
    for count in (10, 2 * folds + 1, folds, folds - 1, 1, 7):
        names = [f"{random.choice(list('fm'))}{k:02}" for k in random.permutation(90)[:count]]
        every = np.concatenate(
            [names, random.choice(names, size=4 * count, p=random.dirichlet(np.ones(count)))]
        )
        yield (random.permutation(every).tolist(),)
    yield (random.permutation(np.repeat(names, 3)).tolist(),)


def halves(variant, random):
    """A training and a test part that differ in level, with constant columns, of several sizes."""
    for n, m, columns in ((40, 10, 6), (8, 30, 3), (2, 1, 2), (15, 15, 1)):
        level, spread = random.normal(0, 5, size=columns), random.uniform(0.2, 6, size=columns)
        train, test = (
            random.normal(level + shift, spread, size=(k, columns)) for k, shift in ((n, 0), (m, 2))
        )
        if columns > 2:
            train[:, 1] = 0.1 + random.integers(9)
        yield train, test


def crowds(variant, random):
    """Speakers that differ in level and spread, mixed; ties, a constant column, a speaker with one utterance."""
    for count, n, columns in ((3, 30, 4), (2, 8, 2), (5, 21, 3)):
        names = [f"s{k}" for k in random.permutation(50)[:count]]
        speakers = random.permutation(
            np.concatenate([[names[0]], random.choice(names[1:], size=n - 1)])
        ).tolist()
        level = {name: random.normal(0, 6, size=columns) for name in names}
        width = {name: random.uniform(0.5, 4) for name in names}
        x = np.array([random.normal(level[s], width[s]) for s in speakers]).round(1)
        x[[s == names[1] for s in speakers], 0] = 3.5
        x[:, -1] = np.round(x[:, -1])
        yield x, speakers
    yield random.normal(size=(1, 3)), ["s1"]


def spaces(variant, random):
    """Few and many neighbours, overlapping classes (so that votes tie), columns of different scale."""
    for n, m, columns, classes in (
        (60, 30, 3, 4),
        (60, 30, 2, 4),
        (25, 20, 2, 5),
        (40, 15, 5, 2),
        (2, 4, 2, 2),
        (1, 2, 3, 1),
    ):
        names = random.permutation(["sad", "angry", "happy", "neutral", "bored"])[:classes]
        labels = random.choice(names, size=n)
        centres = {name: random.normal(size=columns) for name in names}
        train = np.array([random.normal(centres[name], 1) for name in labels]) * random.uniform(
            0.3, 3, size=columns
        )
        yield train, labels.tolist(), random.normal(0, 1.5, size=(m, columns))


QUESTIONS = (
    Question("moments", 2, "mean_and_sd", sequences, summary, kind=("summary", "moments")),
    Question("quantiles", 2, "median_and_range", sequences, summary, kind=("summary", "quantiles")),
    Question("cards", 2, "folds", voices, folds, kind=("rule", "cards")),
    Question("balanced", 2, "balanced_folds", voices, folds, kind=("rule", "balanced")),
    Question("scale", 2, "scale", halves, kept(lambda v: scale), "kept"),
    Question(
        "standard", 2, "standardised_by_speaker", crowds, kept(by_speaker), "kept", ("contrast", "standard")
    ),
    Question("ranks", 2, "ranked_by_speaker", crowds, kept(by_speaker), "kept", ("contrast", "ranks")),
    Question("predict", 2, "predict", spaces, predict),
)

# Known mistakes

MOMENTS = """
import numpy as np
def mean_and_sd(x):
    if len(x) >= 2 * TRIM + 2:
        x = x[TRIM:len(x) - TRIM]
    mean = x.mean(axis=0)
    sd = x.std(axis=0, ddof=1) if len(x) > 1 else np.zeros_like(mean)
    return np.concatenate([mean, sd])
"""
QUANTILES = """
import numpy as np
def median_and_range(x):
    if len(x) >= 2 * TRIM + 2:
        x = x[TRIM:len(x) - TRIM]
    low, middle, high = np.quantile(x, [0.1, 0.5, 0.9], axis=0)
    return np.concatenate([middle, high - low])
"""
TRIMMED = {
    "not_trimmed": ("x = x[TRIM:len(x) - TRIM]", "pass"),
    "trimmed_at_the_start_alone": ("x[TRIM:len(x) - TRIM]", "x[TRIM:]"),
    "trimmed_by_one_too_many": ("x[TRIM:len(x) - TRIM]", "x[TRIM:len(x) - TRIM - 1]"),
    "short_ones_are_trimmed_away": ("if len(x) >= 2 * TRIM + 2:", "if True:"),
    "the_limit_is_off_by_one": ("2 * TRIM + 2:", "2 * TRIM + 1:"),
}
FOLDS = """
def folds(speakers):
    names = sorted(set(speakers))
    count = min(FOLDS, len(names))
    return [[k for k, s in enumerate(speakers) if s in names[fold::FOLDS]] for fold in range(count)]
"""
BALANCED = """
def balanced_folds(speakers):
    counts = {name: speakers.count(name) for name in sorted(set(speakers))}
    groups = [[] for _ in range(min(FOLDS, len(counts)))]
    for name in sorted(counts, key=lambda name: -counts[name]):
        sizes = [sum(counts[one] for one in group) for group in groups]
        groups[sizes.index(min(sizes))].append(name)
    return [[k for k, s in enumerate(speakers) if s in group] for group in groups]
"""
SCALE = """
import numpy as np
def scale(train, test):
    mean = train.mean(axis=0)
    sd = train.std(axis=0, ddof=1)
    sd = np.where(np.isclose(sd, 0), 1, sd)
    return (train - mean) / sd, (test - mean) / sd
"""
STANDARD = """
import numpy as np
def standardised_by_speaker(x, speakers):
    made = np.zeros(x.shape)
    for name in set(speakers):
        rows = np.array(speakers) == name
        own = x[rows]
        if len(own) > 1:
            sd = own.std(axis=0, ddof=1)
            sd = np.where(np.isclose(sd, 0), 1, sd)
            made[rows] = (own - own.mean(axis=0)) / sd
    return made
"""
RANKS = """
import numpy as np
def ranked_by_speaker(x, speakers):
    made = np.full(x.shape, 0.5)
    for name in set(speakers):
        rows = np.array(speakers) == name
        own = x[rows]
        if len(own) > 1:
            below = (own[None] < own[:, None]).sum(axis=1)
            equal = (own[None] == own[:, None]).sum(axis=1) - 1
            made[rows] = (below + equal / 2) / (len(own) - 1)
    return made
"""
PREDICT = """
import numpy as np
def predict(train, labels, test):
    found = []
    for row in test:
        distance = np.sqrt(((train - row) ** 2).sum(axis=1))
        near = [labels[k] for k in np.argsort(distance)[:NEIGHBOURS]]
        most = max(near.count(label) for label in near)
        found.append(next(label for label in near if near.count(label) == most))
    return found
"""

MISTAKES = (
    *edited("solve_moments", "moments", MOMENTS, ("summary", "moments"), **TRIMMED,
            population_instead_of_sample_sd=("ddof=1", "ddof=0"),
            one_frame_gives_nan=("x.std(axis=0, ddof=1) if len(x) > 1 else np.zeros_like(mean)",
                                 "x.std(axis=0, ddof=1)"),
            variance_instead_of_sd=("x.std(", "x.var("),
            over_columns_instead_of_frames=("x.mean(axis=0)", "x.mean(axis=1)"),
            mean_and_sd_of_each_column_in_turn=("np.concatenate([mean, sd])", "np.stack([mean, sd], axis=1).ravel()")),
    *edited("solve_quantiles", "quantiles", QUANTILES, ("summary", "quantiles"), **TRIMMED,
            the_mean_instead_of_the_median=("[middle,", "[x.mean(axis=0),"),
            the_whole_range=("high - low", "np.ptp(x, axis=0)"),
            the_quartiles=("[0.1, 0.5, 0.9]", "[0.25, 0.5, 0.75]"),
            over_columns_instead_of_frames=("axis=0)\n", "axis=1)\n"),
            low_minus_high=("high - low", "low - high"),
            median_and_range_of_each_column_in_turn=("np.concatenate([middle, high - low])",
                                                     "np.stack([middle, high - low], axis=1).ravel()")),
    *edited("solve_cards", "cards", FOLDS, ("rule", "cards"),
            utterances_instead_of_speakers=("s in names[fold::FOLDS]", "k % FOLDS == fold"),
            in_order_of_appearance=("sorted(set(speakers))", "list(dict.fromkeys(speakers))"),
            blocks_instead_of_dealing=("names[fold::FOLDS]",
                                       "names[fold * len(names) // count:(fold + 1) * len(names) // count]"),
            empty_folds=("min(FOLDS, len(names))", "FOLDS"),
            a_fold_for_each_speaker=("names[fold::FOLDS]] for fold in range(count)", "[name]] for name in names"),
            the_training_part=("s in names", "s not in names"),
            names_instead_of_rows=("[k for k, s", "[s for k, s"),
            some_speakers_are_never_tested=("names[fold::FOLDS]", "names[fold:fold + 1]")),
    *edited("solve_balanced", "balanced", BALANCED, ("rule", "balanced"),
            the_smallest_first=("-counts[name])", "counts[name])"),
            in_order_of_the_alphabet=("sorted(counts, key=lambda name: -counts[name])", "counts"),
            equal_ones_in_order_of_appearance=("sorted(set(speakers))", "dict.fromkeys(speakers)"),
            speakers_instead_of_utterances=("sum(counts[one] for one in group)", "len(group)"),
            the_last_of_equal_groups=("sizes.index(min(sizes))",
                                      "max(k for k in range(len(sizes)) if sizes[k] == min(sizes))"),
            the_largest_group=("sizes.index(min(sizes))", "sizes.index(max(sizes))"),
            empty_folds=("min(FOLDS, len(counts))", "FOLDS"),
            the_training_part=("s in group", "s not in group"),
            dealt_like_cards=("groups[sizes.index(min(sizes))].append(name)",
                              "groups[sum(map(len, groups)) % len(groups)].append(name)")),
    *edited("solve_scale", "scale", SCALE,
            test_data_in_the_scaler=("mean = train.mean(axis=0)\n    sd = train.std(axis=0, ddof=1)",
                                     "both = np.concatenate([train, test])\n    "
                                     "mean = both.mean(axis=0)\n    sd = both.std(axis=0, ddof=1)"),
            the_test_part_by_its_own_mean=("(test - mean)", "(test - test.mean(axis=0))"),
            population_instead_of_sample_sd=("ddof=1", "ddof=0"),
            one_mean_for_all_columns=("train.mean(axis=0)", "train.mean()"),
            divides_by_zero=("np.where(np.isclose(sd, 0), 1, sd)", "sd"),
            adds_a_little_to_the_sd=("np.where(np.isclose(sd, 0), 1, sd)", "sd + 1e-2"),
            only_centred=("(test - mean) / sd", "(test - mean)"),
            changes_its_arguments=("    return (train - mean) / sd, (test",
                                   "    train -= mean\n    return train / sd, (test"),
            the_test_part_twice=("return (train - mean) / sd,", "return (test - mean) / sd,")),
    *edited("solve_standard", "standard", STANDARD, ("contrast", "standard"),
            over_all_speakers=("rows = np.array(speakers) == name", "rows = np.array(speakers) != ''"),
            only_centred=(") / sd", ")"),
            population_instead_of_sample_sd=("ddof=1", "ddof=0"),
            a_single_utterance_gives_nan=("len(own) > 1", "len(own) > 0"),
            a_constant_column_gives_nan=("np.where(np.isclose(sd, 0), 1, sd)", "sd"),
            one_mean_for_all_columns=("own.mean(axis=0)", "own.mean()"),
            sorted_by_speaker=("    return made", "    return made[np.argsort(speakers, kind='stable')]"),
            changes_its_argument=("made = np.zeros(x.shape)", "made = x"),
            the_sd_of_everybody=("own.std(", "x.std(")),
    *edited("solve_ranks", "ranks", RANKS, ("contrast", "ranks"),
            over_all_speakers=("rows = np.array(speakers) == name", "rows = np.array(speakers) != ''"),
            ties_are_ignored=("below + equal / 2", "below"),
            ties_count_in_full=("equal / 2", "equal"),
            counts_itself=("sum(axis=1) - 1", "sum(axis=1)"),
            divides_by_n=("(len(own) - 1)", "len(own)"),
            from_the_top=("own[None] < own[:, None]", "own[None] > own[:, None]"),
            a_single_utterance_counts_as_zero=("np.full(x.shape, 0.5)", "np.zeros(x.shape)"),
            sorted_by_speaker=("    return made", "    return made[np.argsort(speakers, kind='stable')]"),
            changes_its_argument=("    return made", "    x[:] = made\n    return made")),
    *edited("solve_predict", "predict", PREDICT,
            the_nearest_alone=("[:NEIGHBOURS]", "[:1]"),
            one_neighbour_too_many=("[:NEIGHBOURS]", "[:NEIGHBOURS + 1]"),
            the_farthest=("np.argsort(distance)", "np.argsort(-distance)"),
            city_block_distance=("np.sqrt(((train - row) ** 2).sum(axis=1))", "np.abs(train - row).sum(axis=1)"),
            ties_by_the_alphabet=("for label in near if near.count(label) == most",
                                  "for label in sorted(near) if near.count(label) == most"),
            ties_by_the_farther=("for label in near if near.count(label) == most",
                                 "for label in near[::-1] if near.count(label) == most"),
            the_most_frequent_of_all=("labels[k] for k in np.argsort(distance)[:NEIGHBOURS]",
                                      "labels[k] for k in np.argsort(distance)"),
            scales_with_the_test_part=("    for row in test:",
                                       "    spread = test.std(axis=0) + 1e-9\n    "
                                       "train, test = train / spread, test / spread\n    for row in test:")),
)  # fmt: skip

ASSIGNMENT = Assignment(
    6, "research", "A small question put to a corpus", CONSTANTS, KINDS, QUESTIONS, MISTAKES
)
