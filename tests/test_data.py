import numpy as np
import pandas as pd
import pytest
import torch
from conftest import random_dataset
from hypothesis import given
from hypothesis import strategies as st

from sergan import EMOTIONS, SerganError, paper
from sergan.data import (
    SCALINGS,
    SPLITS,
    Dataset,
    Scaling,
    Sequences,
    pad,
    paper_split,
    prepare,
    speaker_groups,
    speaker_split,
)

labels = st.lists(st.sampled_from(range(4)), min_size=8, max_size=120).filter(
    lambda some: all(some.count(label) != 1 for label in set(some))
)


def people(numbers, sessions=None):
    return pd.DataFrame({
        "speaker": [f"s{number:02}" for number in numbers],
        "session": [""] * len(numbers) if sessions is None else sessions,
    })  # fmt: skip


@given(labels=labels, seed=st.integers(0, 2**32 - 1))
def test_paper_split_takes_floor_of_seven_tenths_of_each_class_and_loses_nothing(labels, seed):
    labels = np.array(labels)
    split = paper_split(labels, seed)
    assert sorted([*split.train, *split.test]) == list(range(len(labels)))  # nothing lost, nothing twice
    assert len(split.validation) == 0
    for label in np.unique(labels):
        assert (labels[split.train] == label).sum() == 7 * (labels == label).sum() // 10


def test_paper_split_of_iemocap_is_table_1():
    counts = [paper.TABLE_1["train"][e] + paper.TABLE_1["test"][e] for e in EMOTIONS]
    all_labels = np.repeat(range(4), counts)
    split = paper_split(all_labels, seed=3)
    assert (len(split.train), len(split.test)) == (3141, 1349)
    for part in ("train", "test"):
        found = np.bincount(all_labels[getattr(split, part)])
        assert dict(zip(EMOTIONS, found.tolist(), strict=True)) == {
            e: paper.TABLE_1[part][e] for e in EMOTIONS
        }


def test_splits_and_scalings_keep_the_names_that_records_and_chapter_3_have():
    assert SPLITS == ("paper", "speaker") and SCALINGS == ("minmax", "standard")


def test_paper_split_depends_on_the_seed_alone():
    labels = np.arange(100) % 4
    assert np.array_equal(paper_split(labels, 1).test, paper_split(labels, 1).test)
    assert not np.array_equal(paper_split(labels, 1).test, paper_split(labels, 2).test)


def test_paper_split_names_a_class_that_is_too_small():
    with pytest.raises(SerganError, match="class happy has 1 utterance"):
        paper_split(np.array([0, 0, 1, 1, 2, 3, 3]), 0)


@given(
    numbers=st.lists(st.integers(0, 30), min_size=3, max_size=200).filter(lambda some: len(set(some)) >= 3)
)
def test_speaker_splits_share_no_speaker_and_test_everybody_once(numbers):
    table = people(numbers)
    groups = speaker_groups(table)
    folds = groups.max() + 1
    count = len(set(numbers))
    assert folds == (count if count <= 10 else 8)
    tested = []
    for fold in range(folds):
        split = speaker_split(table, fold)
        assert sorted(np.concatenate(split)) == list(range(len(table)))
        spoken = [set(table["speaker"].iloc[part]) for part in split]
        assert not (spoken[0] & spoken[1] or spoken[0] & spoken[2] or spoken[1] & spoken[2])
        assert all(len(part) for part in split)
        tested += split.test.tolist()
    assert sorted(tested) == list(range(len(table)))


def test_sessions_are_the_folds_where_a_corpus_has_them():
    table = people([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], sessions=[str(number // 2 + 1) for number in range(10)])
    assert speaker_groups(table).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_speaker_split_says_what_it_lacks():
    with pytest.raises(SerganError, match="at least 3 speakers"):
        speaker_groups(people([0, 1, 0, 1]))
    with pytest.raises(SerganError, match="fold 9 does not exist"):
        speaker_split(people([0, 1, 2]), 9)


def test_scaling_sees_no_test_data():
    dataset = random_dataset()
    split = paper_split(dataset.labels, 0)
    before = prepare(dataset, split, frames=20)[3]
    for row in split.test:
        dataset.sequences[row][:] = 1e6  # a marker
    after = prepare(dataset, split, frames=20)[3]
    assert np.array_equal(before.scale, after.scale) and np.array_equal(before.shift, after.shift)
    dataset.sequences[split.train[0]][:] = 1e6
    assert not np.array_equal(before.scale, prepare(dataset, split, frames=20)[3].scale)


@pytest.mark.parametrize("how", ["minmax", "standard"])
def test_scaling_puts_training_frames_where_it_says(how):
    frames = np.random.default_rng(0).normal(3, 5, size=(500, 32)).astype(np.float32)
    frames[:, 7] = 2.5  # a feature that never changes
    scaled = Scaling.fit(frames, how)(frames)
    changing = np.delete(scaled, 7, axis=1)
    if how == "minmax":
        np.testing.assert_allclose(changing.min(axis=0), -1, atol=1e-5)
        np.testing.assert_allclose(changing.max(axis=0), 1, atol=1e-5)
    else:
        np.testing.assert_allclose(changing.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(changing.std(axis=0), 1, atol=1e-5)
    assert np.isfinite(scaled).all()


@given(counts=st.lists(st.integers(1, 12), min_size=1, max_size=6), frames=st.integers(1, 12))
def test_padding_cuts_and_fills_and_says_how_long(counts, frames):
    sequences = [np.full((count, 32), number + 1, dtype=np.float32) for number, count in enumerate(counts)]
    x, lengths = pad(sequences, frames)
    assert x.shape == (len(counts), frames, 32)
    assert lengths.tolist() == [min(count, frames) for count in counts]
    for number, (row, length) in enumerate(zip(x, lengths, strict=True)):
        assert (row[:length] == number + 1).all() and (row[length:] == 0).all()


def test_prepare_keeps_every_nth_frame_and_all_utterances(dataset):
    split = speaker_split(dataset.table, 1)
    train, validation, test, scaling = prepare(dataset, split, frames=15, every=2)
    assert [len(part.labels) for part in (train, validation, test)] == [len(part) for part in split]
    row = split.test[0]
    expected = scaling(dataset.sequences[row][::2][:15])
    assert int(test.lengths[0]) == len(expected)
    torch.testing.assert_close(test.x[0, : len(expected)], torch.from_numpy(expected))


def test_fingerprint_knows_what_a_dataset_is():
    one, same, other = random_dataset(), random_dataset(), random_dataset()
    assert one.fingerprint == same.fingerprint
    other.table.iloc[0, other.table.columns.get_loc("emotion")] = "sad"
    assert one.fingerprint != other.fingerprint


def test_a_dataset_is_float32_and_says_where_it_is_from():
    one = random_dataset()
    assert one.frames.dtype == np.float32 and one.frames.shape == (one.counts.sum(), 32)
    assert (one.source, one.others) == ("audio", None)
    again = Dataset.of("x", one.table, [s.astype(float) for s in one.sequences], source="fp16", others=one)
    assert again.frames.dtype == np.float32 and (again.corpus, again.source) == ("x", "fp16")
    assert again.functionals is None and again.others is one
    bare = Dataset("x", one.table, one.frames, one.counts)
    assert (bare.functionals, bare.source, bare.others) == (None, "audio", None)
    means = np.stack([s.mean(axis=0) for s in one.sequences])
    assert Dataset.of("x", one.table, one.sequences, means).functionals is means
    assert all(np.array_equal(a, b) for a, b in zip(again.sequences, one.sequences, strict=True))
    assert one.labels.tolist() == [EMOTIONS.index(emotion) for emotion in one.table["emotion"]]


def test_the_fingerprint_of_yesterday_is_that_of_today():
    """It is part of every record's name."""
    one = random_dataset()
    assert one.fingerprint == "93706215299c514b"
    fewer = Dataset.of("demo", one.table.iloc[:-1], one.sequences[:-1])
    other_source = Dataset.of("demo", one.table, one.sequences, source="fp16")
    mixed = one.table.iloc[::-1]
    assert len({one.fingerprint, fewer.fingerprint, other_source.fingerprint}) == 3
    assert (
        Dataset.of("other", mixed, one.sequences[::-1]).fingerprint == one.fingerprint
    )  # whatever the order


def test_sequences_of_some_speakers_are_scaled_cut_and_without_a_class():
    one, scaling = random_dataset(), Scaling(np.full(32, 2, np.float32), np.full(32, 1, np.float32))
    found, rows = one.sequences_of({"s01", "s04"}, scaling, frames=7, every=3)
    assert rows.tolist() == np.flatnonzero(one.table["speaker"].isin(["s01", "s04"])).tolist()
    assert found.labels.tolist() == [-1] * len(rows) and found.x.shape == (len(rows), 7, 32)
    for row, x, length in zip(rows, *found[:2], strict=True):
        expected = 2 * one.sequences[row][::3][:7] + 1
        assert length == len(expected)
        np.testing.assert_allclose(x[:length], expected, rtol=1e-6)


def test_parts_of_a_split_are_sorted_row_numbers():
    labels = np.random.default_rng(0).integers(0, 4, 90)
    for part in paper_split(labels, 1):
        assert part.dtype.kind == "i" and np.array_equal(part, np.sort(part))


def test_ten_speakers_are_left_out_one_by_one_and_eleven_in_eight_groups():
    for count, folds in ((3, 3), (10, 10), (11, 8), (30, 8)):
        groups = speaker_groups(people(list(range(count)) * 2))
        assert groups.max() + 1 == folds and groups.dtype.kind == "i"
    with pytest.raises(
        SerganError, match=r"needs at least 3 speakers.*but this corpus has 2; use --split paper"
    ):
        speaker_groups(people([0, 1]))
    with pytest.raises(SerganError, match="fold 3 does not exist: this corpus has folds 0 to 2"):
        speaker_split(people([0, 1, 2]), 3)
    with pytest.raises(SerganError, match="fold -1 does not exist"):
        speaker_split(people([0, 1, 2]), -1)


def test_where_a_session_is_unknown_speakers_are_the_folds():
    table = people([0, 1, 2, 3], sessions=["1", "1", "2", ""])
    assert speaker_groups(table).max() + 1 == 4


def test_the_validation_part_is_the_next_group():
    table = people([0, 1, 2, 3])
    parts = [[part.tolist() for part in speaker_split(table, fold)] for fold in range(4)]
    assert parts == [[[2, 3], [1], [0]], [[0, 3], [2], [1]], [[0, 1], [3], [2]], [[1, 2], [0], [3]]]


def test_picking_keeps_order_and_trims_what_is_padding_in_all():
    x, lengths = pad([np.full((n, 32), n, np.float32) for n in (2, 5, 3)], 40)
    assert (x.dtype, lengths.dtype) == (np.float32, np.int64)
    all_ = Sequences(torch.from_numpy(x), torch.from_numpy(lengths), torch.tensor([7, 8, 9]))
    some = all_.pick(torch.tensor([2, 0]), trim=True)
    assert (some.x.shape, some.lengths.tolist(), some.labels.tolist()) == ((2, 3, 32), [3, 2], [9, 7])
    assert all_.pick(torch.tensor([0]), trim=False).x.shape == (1, 40, 32)
    assert all(one.device.type == "meta" for one in all_.to("meta"))


def test_scaling_is_float32_and_minmax_unless_asked(dataset):
    split = paper_split(dataset.labels, 0)
    plain, named = (
        prepare(dataset, split, frames=9),
        prepare(dataset, split, frames=9, every=1, scaling="minmax"),
    )
    assert all(
        torch.equal(a, b)
        for x, y in zip(plain[:3], named[:3], strict=True)
        for a, b in zip(x, y, strict=True)
    )
    for how in ("minmax", "standard"):
        learnt = np.concatenate([dataset.sequences[row][:9] for row in split.train])
        used, wanted = prepare(dataset, split, frames=9, scaling=how)[3], Scaling.fit(learnt, how)
        assert np.array_equal(used.scale, wanted.scale) and np.array_equal(used.shift, wanted.shift)
        fitted = Scaling.fit(dataset.frames.astype(float), how)
        assert (fitted.scale.dtype, fitted.shift.dtype, fitted.scale.shape) == (np.float32, np.float32, (32,))
    for part, rows in zip(plain[:3], split, strict=True):
        assert part.labels.tolist() == dataset.labels[rows].tolist() and part.x.dtype == torch.float32
