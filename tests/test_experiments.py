import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import random_dataset

from sergan import ABLATIONS, SerganError, evaluation, experiments, files, paper, report, results
from sergan.__main__ import cluster
from sergan.config import PRESETS, Config
from sergan.data import Dataset, Scaling, speaker_groups
from sergan.experiments import plan, sweep

FAST = {"epochs": "2", "frames": "16", "lstm": "4", "attention": "4", "dense": "4", "generator": "4,4"}


def names(runs):
    return [(run.ablation, run.objective) for run in runs]


def test_a_plan_runs_both_readings_and_shares_the_plain_run(dataset):
    assert names(plan(dataset, preset="demo")) == [
        ("majority", None), ("linear", None), ("AM", "cross_entropy"), ("AGM", "zero"), ("AGM", "fused"),
        ("BAM", "cross_entropy"), ("BAGM", "zero"), ("BAGM", "fused"),
    ]  # fmt: skip


def test_readings_with_another_real_loss_get_a_plain_run_of_their_own(dataset):
    runs = plan(dataset, preset="demo", ablations=["BAM", "BAGM"], objectives=["zero", "uniform", "k_plus_one"],
                baselines=False)  # fmt: skip
    assert names(runs) == [("BAM", "cross_entropy"), ("BAM", "k_plus_one"), ("BAGM", "zero"), ("BAGM", "uniform"),
                           ("BAGM", "k_plus_one")]  # fmt: skip


def test_a_speaker_plan_has_every_fold_and_one_baseline_for_all_seeds(dataset):
    runs = plan(dataset, preset="demo", split="speaker", ablations=["AM"], seeds=[0, 1])
    assert sorted({run.fold for run in runs}) == list(range(6))
    assert sum(run.ablation == "AM" for run in runs) == 12
    assert sum(run.ablation == "linear" for run in runs) == 6


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"preset": "huge"}, "--preset huge is not one of demo, cpu, colab, paper"),
        ({"objectives": ["none"]}, "--objective none is not one of zero"),
        ({"control": "placebo"}, "--control placebo is for ablations without a GAN; leave out AGM and BAGM"),
        ({"control": "luck"}, "--control luck is not one of none, placebo, sqrt2"),
        (
            {"control": "shuffled"},
            "--control shuffled puts other negatives in a GAN's place, for AGM and BAGM; "
            "leave out AM and BAM",
        ),
        (
            {"control": "untrained", "ablations": ["BAGM"]},
            "--objective zero learns nothing from negatives, so "
            "--control untrained would be the same run as --control placebo; choose another objective, such as fused",
        ),
        (
            {"control": "other", "ablations": ["BAGM"], "objectives": ["fused"]},
            "--control other needs recordings of other emotions, and demo was loaded without any; use --root",
        ),
        ({"changes": {"label_smoothing": "1"}}, "label_smoothing=1.0 must be at least 0 and below 1"),
        ({"changes": {"confidence_penalty": "-1"}}, "confidence_penalty=-1.0 must be at least 0"),
        ({"changes": {"epoch": "day"}}, "epoch=day is not one of pass, batch"),
        ({"changes": {"epoches": "3"}}, "--set epoches: there is no such option"),
        ({"changes": {"epochs": "x"}}, "--set epochs=x is not a whole number"),
        ({"changes": {"epochs": "0"}}, "epochs=0 must be greater than 0"),
        ({"changes": {"lr": "nan"}}, "lr=nan must be greater than 0"),
        ({"changes": {"masked": "1"}}, "--set masked=1 is not true or false"),
        ({"changes": {"generator": ""}}, "--set generator= is not numbers with commas between"),
        ({"split": "speaker", "folds": [6]}, "--folds 6: the speaker split of demo has 0 to 5"),
    ],
)
def test_a_choice_that_does_not_exist_is_one_sentence(dataset, choices, sentence):
    with pytest.raises(SerganError) as error:
        plan(dataset, **{"preset": "demo", **choices})
    assert sentence in str(error.value)


def with_others(dataset):
    """The same corpus with recordings of a fifth emotion, one of each speaker, whose features are all 9."""
    table = dataset.table.groupby("speaker").head(1).assign(emotion="disgusted")
    table.index = [f"d{number}" for number in range(len(table))]
    sequences = [np.full((20, 32), 9.0, dtype=np.float32) for _ in table.index]
    return replace(dataset, others=Dataset.of("demo", table, sequences))


def test_other_emotions_come_from_training_speakers_alone(dataset, tmp_path, monkeypatch):
    both, seen = with_others(dataset), []
    whole = Dataset.sequences_of
    monkeypatch.setattr(Dataset, "sequences_of", lambda self, speakers, *a, **k: (
        seen.append(speakers), whole(self, speakers, *a, **k))[1])  # fmt: skip
    runs = plan(both, preset="demo", split="speaker", folds=[0], ablations=["BAGM"], objectives=["fused"],
                control="other", changes=FAST, baselines=False)  # fmt: skip
    (path,) = sweep(runs, both, tmp_path)
    record = results.load(path)
    groups = speaker_groups(dataset.table)
    assert seen == [
        set(dataset.table["speaker"][(groups != 0) & (groups != 1)])
    ]  # neither test nor validation
    assert record["control"] == "other" and record["config"]["others"] == both.others.fingerprint
    assert record["curve"][-1]["fake_spread"] == 0  # they are all alike
    made, rows = whole(both.others, {"s00"}, Scaling(np.ones(32), np.zeros(32)), frames=8, every=2)
    assert made.x.shape == (1, 8, 32) and (made.x == 9).all()
    assert both.others.table["speaker"].iloc[rows].tolist() == ["s00"]
    with np.load(path.with_suffix(".npz")) as arrays:  # what served as negatives is never scored as unseen
        assert not [name for name in arrays if name.startswith("unseen")]


@pytest.mark.parametrize("split", ["speaker", "paper"])
def test_other_emotions_of_the_test_speakers_are_answered_and_never_learnt(dataset, tmp_path, split):
    both = with_others(dataset)
    runs = plan(both, preset="demo", split=split, folds=[0], ablations=["BAM"], objectives=["fused"],
                changes=FAST, baselines=False)  # fmt: skip
    (path,), (without,) = sweep(runs, both, tmp_path / "a"), sweep(runs, dataset, tmp_path / "b")
    with np.load(path.with_suffix(".npz")) as answers, np.load(without.with_suffix(".npz")) as usual:
        speakers = set(answers["speaker_names"])
        assert answers["unseen_logits"].shape == (len(speakers), 4)
        assert answers["unseen_names"].tolist() == ["disgusted"] and set(answers["unseen_emotions"]) == {0}
        assert (answers["logits"] == usual["logits"]).all() and "unseen_logits" not in usual
    assert path.name == without.name  # the same run, asked more
    records = results.read(tmp_path / "a")
    (row,) = report.rejection(records, tmp_path / "a")
    assert 0 <= row["probability"][0] <= 1 and row["probability"][1] is None  # one unit has no interval
    assert report.rejection(results.read(tmp_path / "b"), tmp_path / "b") == []


def test_a_penalty_that_is_off_renames_no_record(dataset):
    (usual,) = plan(dataset, preset="demo", ablations=["BAM"], baselines=False)
    (penalised,) = plan(dataset, preset="demo", ablations=["BAM"], baselines=False,
                        changes={"label_smoothing": "0.1"})  # fmt: skip
    assert "label_smoothing" not in usual.config and "others" not in usual.config
    assert results.key(usual.config) != results.key(penalised.config)


def test_a_record_says_what_its_generator_did_and_in_which_precision(dataset, tmp_path):
    runs = plan(dataset, preset="demo", ablations=["BAM", "BAGM"], objectives=["fused"], changes=FAST,
                baselines=False)  # fmt: skip
    plain, gan = map(results.load, sweep(runs, dataset, tmp_path))
    assert plain["precision"] == gan["precision"] == "fp32"
    assert "real" not in plain and set(gan["real"]) == {"spread", "nearest", "deltas"}
    assert gan["curve"][-1]["gradient_ratio"] > 0


def test_every_field_of_the_configuration_can_be_set():
    for name, value in vars(Config()).items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert PRESETS["demo"].change({name: text}) == Config(**{**vars(PRESETS["demo"]), name: value})


def test_a_sweep_writes_records_and_skips_those_that_are_there(dataset, tmp_path):
    runs = plan(dataset, preset="demo", changes=FAST, seeds=[0, 1])
    done = []
    paths = sweep(runs, dataset, tmp_path, on_done=lambda run, record: done.append(run))
    assert done == runs and all(path.exists() for path in paths)
    assert sweep(runs, dataset, tmp_path, on_done=lambda run, record: done.append(run)) == paths
    assert len(done) == len(runs)  # nothing ran again
    assert not list((tmp_path / "checkpoints").glob("*"))

    record = results.load(paths[-1])
    keys = "corpus split fold ablation objective control seed preset config wa ua confusion curve steps time_s device"
    assert set(keys.split()) | {"versions", "revision"} <= set(record)
    assert (record["ablation"], record["objective"], record["seed"]) == ("BAGM", "fused", 1)
    assert paths[-1].stem == results.key(record["config"])
    assert set(Config().as_dict()) <= set(record["config"])
    with np.load(paths[-1].with_suffix(".npz")) as arrays:
        labels, answers = arrays["labels"], arrays["logits"].argmax(axis=1)
        assert arrays["logits"].dtype == np.float16
        assert np.array_equal(dataset.labels[arrays["rows"]], labels)
        speakers = arrays["speaker_names"][arrays["speakers"]]
        assert speakers.tolist() == dataset.table["speaker"].iloc[arrays["rows"]].tolist()
    assert evaluation.confusion(labels, answers).tolist() == record["confusion"]
    assert record["wa"] == pytest.approx(100 * np.trace(record["confusion"]) / np.sum(record["confusion"]))
    assert record["wa"] == record["curve"][-1]["wa"]  # the last epoch's


def test_runs_side_by_side_give_the_same_scores(dataset, tmp_path):
    runs = plan(dataset, preset="demo", changes=FAST, ablations=["AM", "BAM"])
    alone, together = sweep(runs, dataset, tmp_path / "1"), sweep(runs, dataset, tmp_path / "2", jobs=2)
    for one, other in zip(alone, together, strict=True):
        assert results.load(one)["confusion"] == results.load(other)["confusion"]


def test_runs_on_a_cluster_give_the_same_scores(dataset, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    runs = plan(dataset, preset="demo", changes=FAST, ablations=["AM"])
    local = distributed.LocalCluster(1, threads_per_worker=1, processes=False, dashboard_address=None)
    with local, cluster(local.scheduler_address):
        there = sweep(runs, dataset, tmp_path / "1", jobs=-1)
    for one, other in zip(sweep(runs, dataset, tmp_path / "2"), there, strict=True):
        assert results.load(one)["confusion"] == results.load(other)["confusion"]


def test_a_speaker_run_has_validation_scores_and_a_paper_run_has_none(dataset, tmp_path):
    for split, expected in (("speaker", True), ("paper", False)):
        runs = plan(
            dataset, preset="demo", split=split, folds=[0], ablations=["AM"], changes=FAST, baselines=False
        )
        (path,) = sweep(runs, dataset, tmp_path)
        assert ("validation_ua" in results.load(path)["curve"][0]) is expected


def test_linear_baseline_is_fitted_on_training_rows_alone(dataset):
    run = next(run for run in plan(dataset, preset="demo") if run.ablation == "linear")
    split = experiments.split_of(run, dataset)
    expected = experiments.baseline("linear", dataset, split)
    marked = random_dataset()
    marked.functionals[split.test[1:]] = 1e6
    found = experiments.baseline("linear", marked, split)
    np.testing.assert_allclose(found[0], expected[0])


def test_a_damaged_record_is_run_again_and_named_in_a_report(dataset, tmp_path):
    runs = plan(dataset, preset="demo", ablations=["AM"], changes=FAST, baselines=False)
    (path,) = sweep(runs, dataset, tmp_path)
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"[]", whole.replace(b'"seed": 0', b'"seed": 7')):
        path.write_bytes(damaged)
        with pytest.raises(SerganError, match=f"record .*{path.name} is damaged"):
            results.read(tmp_path)
        sweep(runs, dataset, tmp_path)
        assert results.load(path)["seed"] == 0


KILLED = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path
from test_experiments import *
dataset = random_dataset()
runs = plan(dataset, preset="demo", changes={{**FAST, "epochs": "8"}}, seeds=[0, 1])
sweep(runs, dataset, Path({store!r}), on_done=lambda *_: print("done", flush=True))
"""


def test_a_killed_sweep_goes_on_and_ends_as_an_undisturbed_one(dataset, tmp_path):
    code = KILLED.format(tests=str(Path(__file__).parent), store=str(tmp_path / "killed"))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    for _ in range(5):
        process.stdout.readline()
    time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    runs = plan(dataset, preset="demo", changes={**FAST, "epochs": "8"}, seeds=[0, 1])
    done = []
    killed = sweep(runs, dataset, tmp_path / "killed", on_done=lambda run, record: done.append(run))
    assert len(done) <= len(runs) - 5
    for one, other in zip(killed, sweep(runs, dataset, tmp_path / "whole"), strict=True):
        assert results.load(one)["confusion"] == results.load(other)["confusion"]
        assert results.load(one)["curve"] == results.load(other)["curve"]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("interruption", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, interruption):
    path = tmp_path / "record.json"
    path.write_text("before")
    with pytest.raises(type(interruption)), files.replacing(path) as out:
        out.write(b"half")
        raise interruption
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def fake(
    ablation, wa, *, objective="cross_entropy", control="none", seed=0, fold=0, split="paper", split_seed=None
):
    """A record as far as reports look at it: 100 answers, `wa` of them right."""
    config = {**json.loads(json.dumps(vars(PRESETS["cpu"]))), "corpus": "nemo", "dataset": "d", "split": split,
              "fold": fold, "seed": seed, "split_seed": seed if split_seed is None else split_seed,
              "ablation": ablation, "objective": objective, "control": control, "preset": "cpu"}  # fmt: skip
    return {
        "config": config, "wa": wa, "ua": wa - 1, "confusion": [[wa, 100 - wa, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0],
        [0, 0, 0, 1]], "curve": [{"wa": wa, "ua": wa - 1}], "folds": 3, "time_s": 1.0,
        "utterances": {"train": 70, "validation": 0, "test": 30},
    } | {name: config[name] for name in experiments.RECORD_KEYS}  # fmt: skip


def test_table_3_is_mean_and_t_interval_beside_the_papers_figure():
    records = [fake("BAM", wa, seed=seed, split_seed=0) for seed, wa in enumerate([50, 52, 54])]
    (row,) = report.table_3(records)
    assert row["wa"] == pytest.approx((52, 47.032, 56.968), abs=1e-3)  # t(2) = 4.3027, s / sqrt(3) = 1.1547
    assert (row["units"], row["paper_wa"], row["paper_ua"]) == (3, 59.59, 54.01)


def test_speaker_folds_are_the_units_not_seeds():
    records = [fake("BAM", wa, seed=seed, fold=fold, split="speaker")
               for fold, was in enumerate([(40, 42), (50, 52), (60, 62)]) for seed, wa in enumerate(was)]  # fmt: skip
    (row,) = report.table_3(records)
    assert row["units"] == 3 and row["runs"] == 6
    assert row["wa"] == pytest.approx(evaluation.interval([41, 51, 61]))


def test_differences_are_paired_and_against_the_same_real_loss():
    records = [fake("BAM", 50 + 10 * s, seed=s, split_seed=0) for s in range(3)]
    records += [fake("BAM", 10, objective="sigmoid_bce", seed=s, split_seed=0) for s in range(3)]
    records += [fake("BAGM", 52 + 10 * s, objective="fused", seed=s, split_seed=0) for s in range(3)]
    records += [fake("BAGM", 13, objective="sigmoid_bce", seed=s, split_seed=0) for s in range(2)]
    records += [fake("BAM", 51 + 10 * s, control="placebo", seed=s, split_seed=0) for s in range(3)]
    rows = {(r["ablation"], r["objective"], r["control"]): r for r in report.differences(records)}
    assert rows["BAGM", "fused", "none"]["wa"] == pytest.approx((2, 2, 2))
    assert rows["BAGM", "fused", "none"]["paper_wa"] == pytest.approx(1.86)
    assert rows["BAGM", "sigmoid_bce", "none"]["wa"] == pytest.approx((3, 3, 3))
    assert rows["BAM", "cross_entropy", "placebo"]["wa"] == pytest.approx((1, 1, 1))


def test_groups_never_mix_what_differs():
    other = fake("BAM", 1)
    other["config"]["epochs"] = 5
    shared = [fake("BAM", 50, seed=seed, split_seed=0) for seed in range(3)]
    records = [
        *shared,
        fake("BAM", 60, seed=1),
        fake("BAM", 70, seed=2),
        other,
        fake("BAM", 2, split="speaker"),
    ]
    records.append(fake("majority", 30, objective=None))
    found = {group["title"]: group["records"] for group in report.groups(records)}
    assert {title: sorted(r["wa"] for r in some) for title, some in found.items()} == {
        "nemo, paper split, preset cpu": [30, 50, 60, 70],
        "nemo, paper split (split seed 0), preset cpu": [30, 50, 50, 50],
        "nemo, paper split, preset cpu with epochs=5": [1, 30],
        "nemo, speaker split, preset cpu": [2],
    }


def test_the_two_splits_of_a_corpus_are_laid_side_by_side():
    records = [fake("BAM", 80), fake("BAM", 50, split="speaker"), fake("BAM", 60, split="speaker", fold=1)]
    records += [fake("AM", 70), fake("majority", 30, objective=None)]
    expected = {
        "group": "nemo",
        "row": "BAM cross_entropy",
        "paper": 79,
        "runs": 1,
        "speaker": 54,
        "folds": 2,
    }
    assert report.splits(report.groups(records)) == [expected]


def test_rows_over_different_folds_are_said_to_be_so():
    records = [fake("BAM", 50, split="speaker", fold=fold) for fold in (0, 1)]
    sentence = "Rows cover different speaker folds"
    (group,) = report.groups(records)
    assert sentence not in report.text(group)
    (group,) = report.groups([*records, fake("BAGM", 60, objective="fused", split="speaker")])
    assert sentence in report.text(group)


def test_table_4_is_in_the_papers_order_and_rows_sum_to_100():
    record = fake("BAGM", 50, objective="fused")
    record["confusion"] = [[9, 1, 0, 0], [0, 8, 0, 2], [0, 3, 7, 0], [0, 0, 4, 6]]  # angry neutral happy sad
    table = report.table_4([record])["fused"]
    assert paper.TABLE_4_CLASSES == ("angry", "happy", "neutral", "sad")
    assert table == [[90, 0, 10, 0], [0, 70, 30, 0], [0, 0, 80, 20], [0, 40, 0, 60]]


def test_the_papers_own_tables_are_consistent_as_far_as_known():
    """811 of 1,349 in Table 4, not Table 3's 61.45 %; and the majority's 38.0 %."""
    counts = [paper.TABLE_1["test"][name] for name in paper.TABLE_4_CLASSES]
    right = sum(
        round(count * row[i] / 100) for i, (count, row) in enumerate(zip(counts, paper.TABLE_4, strict=True))
    )
    assert (right, sum(counts)) == (811, 1349)
    assert paper.MAJORITY["wa"] == pytest.approx(38.03, abs=0.01)
    assert tuple(paper.TABLE_3) == ABLATIONS
