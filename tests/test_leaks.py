"""What could make a score good without an emotion being heard: said before training, and changing nothing."""

import copy
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
import trees
from conftest import random_dataset
from test_training import TINY, same

from sergan import EMOTIONS, corpora, data, experiments, leaks
from sergan.__main__ import main
from sergan.objectives import fused
from sergan.training import Training

SMALL = {
    "frames": "20",
    "every": "1",
    "lstm": "4",
    "attention": "4",
    "dense": "4",
    "epochs": "1",
    "generator": "8",
}


def planned(dataset, **choices):
    return experiments.plan(
        dataset, preset="demo", ablations=["AM"], objectives=["zero"], changes=SMALL, **choices
    )


def with_twin(dataset, one, other):
    """The dataset with a recording under a second name, in place of another one."""
    sequences = [sequence.copy() for sequence in dataset.sequences]
    sequences[other] = sequences[one]
    return data.Dataset.of(dataset.corpus, dataset.table, sequences, dataset.functionals)


def test_a_marker_in_validation_and_test_reaches_no_weight(dataset):
    """The whole run, baseline included: training is deaf to everything but its own part."""
    for split, of in (
        ("paper", data.paper_split(dataset.labels, 0)),
        ("speaker", data.speaker_split(dataset.table, 1)),
    ):
        marked = copy.deepcopy(dataset)
        for row in [*of.validation, *of.test]:
            marked.sequences[row][:] = 1e6
        weights = []
        for some in (dataset, marked):
            train, *_, scaling = data.prepare(some, of, frames=20)
            training = Training(replace(TINY, epochs=1), "BAGM", fused)
            training.run(train, *data.prepare(some, of, frames=20)[1:3])
            weights.append((training, scaling))
        assert same(weights[0][0], weights[1][0]), split
        assert all(np.array_equal(a, b) for a, b in zip(weights[0][1], weights[1][1], strict=True)), split
        functionals = dataset.functionals.copy()
        functionals[[*of.validation, *of.test]] = 1e6
        before, after = (
            experiments.baseline("linear", some, data.Split(of.train, of.validation, of.train))
            for some in (dataset, replace(dataset, functionals=functionals))
        )
        assert np.array_equal(before, after), split


def test_one_recording_on_both_sides_of_a_split_is_said_with_both_names():
    dataset = random_dataset()
    split = data.paper_split(dataset.labels, 0)
    assert leaks.of_run(dataset, [split], []) == []
    one, other = split.train[3], split.test[2]
    (sentence,) = leaks.of_run(with_twin(dataset, one, other), [split], [])
    names = dataset.table.index[sorted([one, other])]
    assert sentence.startswith("demo: the same recording is learnt from and asked in 1 of 1 splits, as ")
    assert f"as {names[0]} and {names[1]}; its score counts what was learnt by heart" in sentence
    assert leaks.of_run(with_twin(dataset, split.train[3], split.train[4]), [split], []) == []
    assert leaks.of_run(with_twin(dataset, split.test[3], split.test[4]), [split], []) == []


def test_twins_of_one_speaker_cross_random_splits_and_no_speaker_split():
    dataset = random_dataset()
    rows = np.flatnonzero(dataset.table["speaker"] == "s01")
    twin = with_twin(dataset, rows[0], rows[8])  # of one class
    seeds = range(6)
    (sentence,) = experiments.leaks_of(planned(twin, seeds=seeds), [twin])
    parts = [data.paper_split(twin.labels, experiments.stream(seed, "split")).test for seed in seeds]
    crossing = sum((rows[0] in test) != (rows[8] in test) for test in parts)
    assert 0 < crossing < 6 and f"asked in {crossing} of 6 splits" in sentence
    assert experiments.leaks_of(planned(twin, split="speaker"), [twin]) == []
    assert experiments.leaks_of(planned(dataset, seeds=seeds), [twin, dataset]) == []  # whose runs they are


def test_a_run_says_it_on_the_terminal_once_and_its_record_is_the_same(tmp_path, monkeypatch):
    dataset = with_twin(random_dataset(), 0, 4)
    monkeypatch.setattr(experiments, "load_dataset", lambda *_, **__: dataset)
    command = ["run", "--ablation", "AM", "--objective", "zero", "--seeds", "4", "--no-baselines"]
    command += ["--set", *(f"{name}={value}" for name, value in SMALL.items()), "--store", str(tmp_path)]
    with pytest.warns(
        UserWarning, match=r"^demo: the same recording is learnt from and asked in \d of 4"
    ) as said:
        assert main(command) == 0
    assert len(said) == 1
    with warnings.catch_warnings(action="error"):
        assert main(command) == 0  # nothing is left to run
    one = planned(dataset, baselines=False)[0]
    record = experiments.run(one, dataset)[0]
    assert (
        experiments.results.load(tmp_path / f"{experiments.results.key(one.config)}.json")["curve"]
        == record["curve"]
    )


def lengthened(by_class, utterances=200):
    """A corpus whose lengths depend on the emotion: `by_class` frames, give or take ten."""
    rng = np.random.default_rng(0)
    dataset = random_dataset(utterances)
    counts = np.array(by_class)[dataset.labels] + rng.integers(-10, 11, utterances)
    sequences = [np.zeros((n, 32), np.float32) + i for i, n in enumerate(counts)]
    return data.Dataset.of("mine", dataset.table.assign(duration_s=(counts + 1.5) / 100), sequences)


def test_labels_in_the_lengths_are_said_with_the_score_of_a_length_alone():
    (sentence,) = leaks.of_run(lengthened([100, 150, 200, 250]), [], [(400, 1), (400, 1)])
    assert sentence == (
        "mine: the duration alone has a UA of 100 % (chance: 25 %) and the padding to 400 frames alone has a UA of "
        "100 % (chance: 25 %); part of any score here can be length and no emotion, so give this figure beside the "
        "scores"
    )
    assert leaks.of_run(lengthened([150] * 4), [], [(400, 1)]) == []


def test_padding_tells_nothing_where_every_utterance_is_cut():
    cut, every, uncut = leaks.of_run(lengthened([100, 150, 200, 250]), [], [(60, 1), (60, 4), (61, 1)])
    assert "padding" not in cut and "padding" not in uncut and "the duration alone has a UA of 100 %" in cut
    assert "the padding to 60 frames alone" in every  # every fourth frame: 25, 38, 50 and 63 of them


def test_a_few_utterances_are_no_evidence():
    assert leaks.says_too_much(36, 25, 1000) and not leaks.says_too_much(35, 25, 1000)
    assert not leaks.says_too_much(36, 25, 60) and leaks.says_too_much(45, 25, 60)
    assert leaks.by_length([1, 2, 3], ["a", "a", "b"]) == (100, 100)  # too few of each to ask
    ua, chance = leaks.by_length([1] * 9 + [9] * 9 + [5], ["a"] * 9 + ["b"] * 9 + ["c"])
    assert (ua, chance) == (100, 50)  # the third class is left out


def test_a_length_is_judged_on_utterances_that_it_did_not_learn_from():
    rng = np.random.default_rng(1)
    scores = [leaks.by_length(rng.random(80), rng.choice(list(EMOTIONS), 80))[0] for _ in range(9)]
    assert 20 < np.mean(scores) < 29


# --- on disk ------------------------------------------------------------------------------------------


def test_check_names_recordings_that_are_the_same_and_stays_complete(tmp_path):
    for number, (name, seconds) in enumerate([("a", 0.1), ("b", 0.2), ("c", 0.1), ("d", 0.3)]):
        path = trees.wav(tmp_path / f"{name}.wav", seconds)
        path.write_bytes(path.read_bytes()[:-1] + bytes([number % 2]))
    (tmp_path / "e.wav").write_bytes((tmp_path / "d.wav").read_bytes())
    rows = "".join(f"{name}.wav,happy,s{name}\n" for name in "abcde")
    (tmp_path / "own.csv").write_text("file,emotion,speaker\n" + rows)
    verdict = corpora.check("table", tmp_path / "own.csv")
    assert verdict.complete
    (sentence,) = verdict.notes
    assert sentence.startswith("a and c are the same recording under two names; there are 2 such sets: ")
    assert verdict.text().splitlines()[-2:] == ["Complete.", sentence] and verdict.as_dict()["notes"] == [
        sentence
    ]


def test_check_says_that_durations_tell_emotions_apart(tmp_path):
    rows = ["file,emotion,speaker"]
    for number in range(80):
        emotion = EMOTIONS[number % 4]
        path = trees.wav(tmp_path / f"{number:02}.wav", 0.1 + 0.1 * (number % 4) + 0.001 * number)
        rows.append(f"{path.name},{emotion},s{number % 5}")
    (tmp_path / "own.csv").write_text("\n".join(rows))
    (sentence,) = corpora.check("table", tmp_path / "own.csv").notes
    assert sentence.startswith(
        "The duration alone tells the emotions apart with a UA of 100 % (chance: 25 %): "
    )


def test_the_demo_corpus_has_neither():
    assert corpora.check("demo").notes == []


@pytest.mark.parametrize(("name", "said"), [
    ("ravdess", ["03-01-03-01-02-01-07 and 03-01-03-01-02-02-07 are the same recording", "The duration alone"]),
    ("emodb", ["The duration alone tells the emotions apart with a UA of 39 %"]),
    ("nemo", []),
])  # fmt: skip
def test_real_corpora_have_what_is_known_of_them(name, said, real_corpora):
    notes = corpora.check(name, real_corpora / name).notes
    assert len(notes) == len(said) and all(part in note for note, part in zip(notes, said, strict=True))


def test_ravdess_pair_is_one_recording_for_opensmile_too(real_corpora):
    names = ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07", "03-01-03-01-01-01-07")
    files = [str(real_corpora / "ravdess" / "Actor_07" / f"{name}.flac") for name in names]
    found = experiments.features.extract(files, cache=False, progress=False)
    assert leaks.twins(leaks.marks_of_sequences(found)) == [[0, 1]]
    assert torch.equal(*map(torch.from_numpy, found[:2]))
