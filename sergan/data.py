"""Feature sequences as a network wants them: split, scaled, padded, with their lengths.

A `Dataset` holds a corpus's utterances and sequences; `split` says which utterance is learnt from and
which is asked; `scaling` is fitted on what is learnt from, and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sergan import EMOTIONS, SerganError

SPLITS = ("paper", "speaker")
SCALINGS = ("minmax", "standard")


@dataclass(frozen=True)
class Dataset:
    """A corpus in memory.

    Attributes:
        corpus: its name.
        table: one row an utterance, as `sergan.corpora.load` gives it.
        frames: all sequences one after the other, `(sum of counts, 32)`.
        counts: frames of each utterance.
        functionals: IS09 functionals for the linear baseline `(utterances, 384)`, or None.
        source: `"audio"`, or `"fp16"` where the features came from a file of `sergan features`.
        others: the corpus's recordings of other emotions, to learn from as a control or to reject, or None.
    """

    corpus: str
    table: pd.DataFrame
    frames: np.ndarray
    counts: np.ndarray
    functionals: np.ndarray | None = None
    source: str = "audio"
    others: Dataset | None = None

    @classmethod
    def of(cls, corpus, table, sequences, functionals=None, source="audio", others=None) -> Dataset:
        """A dataset from a list of `(frames, 32)` arrays in the order of `table`."""
        counts = np.array([len(s) for s in sequences])
        frames = np.concatenate(sequences).astype(np.float32)
        return cls(corpus, table, frames, counts, functionals, source, others)

    @cached_property
    def labels(self) -> np.ndarray:
        """Class indices in the order of `sergan.EMOTIONS`."""
        return self.table["emotion"].map(EMOTIONS.index).to_numpy()

    @cached_property
    def sequences(self) -> list[np.ndarray]:
        """The `(frames, 32)` array of each utterance."""
        return np.split(self.frames, np.cumsum(self.counts)[:-1])

    def sequences_of(
        self, speakers: set, scaling: Scaling, *, frames: int, every: int
    ) -> tuple[Sequences, np.ndarray]:
        """The sequences of these speakers, scaled and padded, with labels of -1; and their rows in the table."""
        rows = np.flatnonzero(self.table["speaker"].isin(speakers))
        x, lengths = pad([scaling(self.sequences[row][::every][:frames]) for row in rows], frames)
        return Sequences(*map(torch.from_numpy, (x, lengths, np.full(len(rows), -1)))), rows

    @property
    def fingerprint(self) -> str:
        """What this dataset is: utterances, their labels, speakers and frame counts, and its source."""
        rows = zip(
            self.table.index, self.table["emotion"], self.table["speaker"], map(int, self.counts), strict=True
        )
        return hashlib.sha256(repr((self.source, sorted(rows))).encode()).hexdigest()[:16]


class Split(NamedTuple):
    """Row numbers of the utterances to learn from, to choose by (may be empty), and to be asked."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def paper_split(labels: np.ndarray, seed: int) -> Split:
    """The paper's split (its Table 1): at random, floor(0.7 n) of each class to train, no validation part.

    The speakers of the test part are in the training part too. Classes of the same size are cut at the same
    places: the k-th utterances of each lie on one side (in RAVDESS an actor's angry, happy and sad takes of a
    sentence). It tells no label; IEMOCAP's four classes differ in size. Kept, because records were made so.

    Example:
        >>> labels = np.repeat([0, 1, 2, 3], [1103, 1708, 595, 1084])
        >>> [len(part) for part in paper_split(labels, seed=0)]
        [3141, 0, 1349]
    """
    train, test = [], []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        keep = int(len(rows) * 7 // 10)
        if keep == 0:
            raise SerganError(
                f"class {EMOTIONS[label]} has {len(rows)} utterance(s), which is too few to split 7:3; "
                "add recordings or leave the class out of the table"
            )
        for_train, for_test = train_test_split(rows, train_size=keep, random_state=seed)
        train.append(for_train)
        test.append(for_test)
    return Split(np.sort(np.concatenate(train)), np.array([], dtype=int), np.sort(np.concatenate(test)))


def speaker_groups(table: pd.DataFrame) -> np.ndarray:
    """The group of speakers that each utterance belongs to, 0, 1, ...; a fold leaves one group out.

    Sessions where the corpus has them (IEMOCAP: 5), single speakers up to 10, else 8 groups of speakers.
    """
    units = table["session"] if (table["session"] != "").all() else table["speaker"]
    rows = np.zeros(len(table))
    names = units.to_numpy()
    if units.nunique() < 3:
        raise SerganError(
            "the speaker split needs at least 3 speakers, one of them to test and one to validate, "
            f"but this corpus has {units.nunique()}; use --split paper"
        )
    folds = LeaveOneGroupOut() if units.nunique() <= 10 else GroupKFold(8)
    groups = np.zeros(len(table), dtype=int)
    for number, (_, test) in enumerate(folds.split(rows, groups=names)):
        groups[test] = number
    return groups


def speaker_split(table: pd.DataFrame, fold: int) -> Split:
    """Speaker-independent: test on group `fold`, validate on the next one, learn from the others."""
    groups = speaker_groups(table)
    count = groups.max() + 1
    if not 0 <= fold < count:
        raise SerganError(f"fold {fold} does not exist: this corpus has folds 0 to {count - 1}")
    parts = (groups != fold) & (groups != (fold + 1) % count), groups == (fold + 1) % count, groups == fold
    return Split(*(np.flatnonzero(part) for part in parts))


class Scaling(NamedTuple):
    """Per-feature scaling, `x * scale + shift`, fitted on training frames only: two `(32,)` arrays."""

    scale: np.ndarray
    shift: np.ndarray

    @classmethod
    def fit(cls, frames: np.ndarray, how: str) -> Scaling:
        """Fit on frames `(n, 32)`: `"minmax"` to [-1, 1], or `"standard"` to mean 0 and variance 1."""
        if how == "minmax":
            fitted = MinMaxScaler((-1, 1)).fit(frames)
            return cls(fitted.scale_.astype(np.float32), fitted.min_.astype(np.float32))
        fitted = StandardScaler().fit(frames)
        return cls((1 / fitted.scale_).astype(np.float32), (-fitted.mean_ / fitted.scale_).astype(np.float32))

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        return frames * self.scale + self.shift


class Sequences(NamedTuple):
    """Padded sequences `x` `(n, time, 32)`, their `lengths` `(n,)` and `labels` `(n,)`, as tensors."""

    x: torch.Tensor
    lengths: torch.Tensor
    labels: torch.Tensor

    def to(self, device) -> Sequences:
        return Sequences(*(tensor.to(device) for tensor in self))

    def pick(self, rows: torch.Tensor, *, trim: bool) -> Sequences:
        """The utterances `rows`; with `trim`, without the frames that are padding in all of them."""
        lengths = self.lengths[rows]
        time = int(lengths.max()) if trim else self.x.shape[1]
        return Sequences(self.x[rows, :time], lengths, self.labels[rows])


def pad(sequences: list[np.ndarray], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut sequences after `frames` frames, fill shorter ones with zeros: `(n, frames, 32)` and lengths."""
    lengths = np.array([min(len(s), frames) for s in sequences], dtype=np.int64)
    x = np.zeros((len(sequences), frames, 32), dtype=np.float32)
    for row, sequence in enumerate(sequences):
        x[row, : lengths[row]] = sequence[:frames]
    return x, lengths


def prepare(
    dataset: Dataset, split: Split, *, frames: int, every: int = 1, scaling: str = "minmax"
) -> tuple[Sequences, Sequences, Sequences, Scaling]:
    """Training, validation and test sequences, and the scaling that was fitted on the first.

    Args:
        frames: time steps of a padded sequence; longer ones are cut (the paper: 512).
        every: keep each `every`-th frame.
        scaling: see `Scaling.fit`.
    """
    kept = [sequence[::every][:frames] for sequence in dataset.sequences]
    fitted = Scaling.fit(np.concatenate([kept[row] for row in split.train]), scaling)
    parts = []
    for rows in split:
        x, lengths = pad([fitted(kept[row]) for row in rows], frames)
        parts.append(Sequences(*map(torch.from_numpy, (x, lengths, dataset.labels[rows]))))
    return *parts, fitted
