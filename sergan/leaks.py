"""Ways in which a score can be good without the emotion being heard, found before anything is trained.

`twins`: the same audio under two names, which a split can put on both sides. `by_length`: labels that the length of
an utterance, or the padding behind it, gives away. Both are said in a sentence and change no number.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from sergan import one_line

MARGIN = 10
"""Points of UA above chance from which a length says too much. Measured by `by_length`: the demo corpus 23, nEMO 30,
RAVDESS 36, EmoDB 39; chance is 25."""


def twins(marks: Iterable[Hashable]) -> list[list[int]]:
    """The positions of equal marks, for each mark that comes more than once; None equals nothing.

    Example:
        >>> twins(["a", "b", "a", None, None])
        [[0, 2]]
    """
    found = {}
    for position, mark in enumerate(marks):
        if mark is not None:
            found.setdefault(mark, []).append(position)
    return [positions for positions in found.values() if len(positions) > 1]


def marks_of_files(files: Sequence[str]) -> list[bytes | None]:
    """A mark for each file that has the size of another: its content's hash. None for one that cannot be read."""
    sizes = [os.path.getsize(file) if os.path.isfile(file) else None for file in files]
    marks: list[bytes | None] = [None] * len(files)
    for positions in twins(sizes):
        for position in positions:
            try:
                with open(files[position], "rb") as audio:
                    marks[position] = hashlib.file_digest(audio, "sha256").digest()
            except OSError:
                continue
    return marks


def marks_of_sequences(sequences: Iterable[np.ndarray]) -> list[bytes]:
    """A mark for each sequence of features: the same recording has the same, whatever its name or format."""
    return [hashlib.sha256(np.ascontiguousarray(sequence).data).digest() for sequence in sequences]


def by_length(lengths: Sequence[float], labels: Sequence[Hashable]) -> tuple[float, float]:
    """UA in percent of a small decision tree that knows nothing but a length, and what chance would give.

    Five parts of the utterances are asked in turn, the tree having learnt from the other four. Classes with fewer
    than 5 utterances are left out; UA is the chance itself where there is but one class.

    Example:
        >>> by_length([1.0, 2.0] * 10, ["angry", "sad"] * 10)
        (100.0, 50.0)
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    _, classes, counts = np.unique(np.asarray(labels, dtype=str), return_inverse=True, return_counts=True)
    kept = counts[classes] >= 5
    classes, x = classes[kept], np.asarray(lengths, dtype=float)[kept, None]
    several = np.unique(classes)
    if len(several) < 2:
        return 100.0, 100.0
    leaf = max(5, len(classes) // 50)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=8, min_samples_leaf=leaf, class_weight="balanced", random_state=0
    )
    answers = cross_val_predict(tree, x, classes, cv=StratifiedKFold(5, shuffle=True, random_state=0))
    ua = np.mean([(answers[classes == one] == one).mean() for one in several])
    return 100 * float(ua), 100 / len(several)


def says_too_much(ua: float, chance: float, utterances: int) -> bool:
    """Whether a length gives labels away: `MARGIN` points above chance, and more than three standard errors."""
    error = 100 * (chance / 100 * (1 - chance / 100) / max(utterances, 1)) ** 0.5
    return ua > chance + max(MARGIN, 3 * error)


def of_corpus(
    files: Sequence[str], durations: Sequence[float | str], labels: Sequence[str], names: Sequence[str]
):
    """What `sergan check` says of a corpus on disk: a sentence for each kind of leak.

    Args:
        durations: in seconds, or a sentence where there is none.
    """
    found = []
    if groups := twins(marks_of_files(files)):
        more = f"; there are {len(groups)} such sets" if len(groups) > 1 else ""
        found.append(
            f"{' and '.join(one_line(names[k]) for k in groups[0][:2])} are the same recording under two "
            f"names{more}: a score can count what was learnt by heart, so keep them on one "
            "side of a split, or leave one out."
        )
    known = [not isinstance(duration, str) for duration in durations]
    lengths = [duration for duration, here in zip(durations, known, strict=True) if here]
    ua, chance = by_length(lengths, [label for label, here in zip(labels, known, strict=True) if here])
    if says_too_much(ua, chance, len(lengths)):
        found.append(
            f"The duration alone tells the emotions apart with a UA of {ua:.0f} % (chance: {chance:.0f} %): part of "
            "any score can be length and no emotion, so give this figure beside the scores."
        )
    return found


def of_run(dataset, splits: Sequence, cuts: Iterable[tuple[int, int]]) -> list[str]:
    """What `sergan run` says before it trains: recordings on both sides of its splits, and labels in the lengths.

    Args:
        dataset: a `data.Dataset`.
        splits: `data.Split`s of it.
        cuts: pairs of frames and every, see `data.prepare`.
    """
    found, names, labels = [], dataset.table.index, dataset.table["emotion"]
    groups = twins(marks_of_sequences(dataset.sequences))
    crossing = [
        next((group for group in groups if 0 < len(asked & set(group)) < len(group)), None)
        for asked in (set(split.test.tolist()) for split in splits)
    ]
    if pairs := [group for group in crossing if group]:
        found.append(
            f"{dataset.corpus}: the same recording is learnt from and asked in {len(pairs)} of {len(splits)} splits, "
            f"as {' and '.join(one_line(names[k]) for k in pairs[0][:2])}; its score counts what was learnt by "
            "heart, so leave one of them out, or use --split speaker"
        )
    known = dataset.table["duration_s"]
    durations = dataset.counts if known.isna().any() else known
    for frames, every in sorted(set(cuts)):
        heard = np.minimum(np.ceil(dataset.counts / every), frames)
        tellers = {
            "the duration alone": durations,
            f"the padding to {frames} frames alone": frames - heard,
        }
        scores = {teller: by_length(lengths, labels) for teller, lengths in tellers.items()}
        loud = [
            f"{teller} has a UA of {ua:.0f} % (chance: {chance:.0f} %)"
            for teller, (ua, chance) in scores.items()
            if says_too_much(ua, chance, len(labels))
        ]
        if loud:
            found.append(
                f"{dataset.corpus}: {' and '.join(loud)}; part of any score here can be length and no emotion, so "
                "give this figure beside the scores"
            )
    return found
