"""Tables: which interval a row gets, what a difference may be called, and what confidence is worth."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import special

from sergan import SerganError, evaluation, experiments, report, results
from sergan.config import PRESETS, Config

LABELS = np.repeat(np.arange(4), [60, 80, 40, 60])  # a corpus of 240


def made(ablation, wa, *, objective="cross_entropy", control="none", seed=0, fold=0, split="speaker",
         split_seed=None, **options):  # fmt: skip
    """A record as far as reports look at it."""
    drawn = None if split == "speaker" else seed if split_seed is None else split_seed
    config = {**json.loads(json.dumps(vars(PRESETS["cpu"]))), "corpus": "nemo", "dataset": "d", "split": split,
              "fold": fold, "seed": seed, "split_seed": drawn, "ablation": ablation, "objective": objective,
              "control": control, "preset": "cpu", **options}  # fmt: skip
    config = {name: v for name, v in config.items() if name not in Config.PENALTIES or v}
    record = {"config": config, "wa": wa, "ua": wa - 1, "confusion": np.eye(4, dtype=int).tolist(),
              "curve": [], "folds": 9, "time_s": 1.0,
              "utterances": {"train": 168, "validation": 0, "test": 72}}  # fmt: skip
    return record | {name: config[name] for name in experiments.RECORD_KEYS}


def run(store, rng, ablation, *, hard, boost=0.0, **options):
    """A record on a random split with its answers in the store: utterances are as hard as `hard` says."""
    record = made(ablation, 0.0, split="paper", **options)
    order = np.random.default_rng(record["config"]["split_seed"]).permutation(240)
    rows = np.sort(
        np.concatenate([order[LABELS[order] == k][: np.sum(k == LABELS) * 3 // 10] for k in range(4)])
    )
    right = rng.random(len(rows)) < special.expit(hard[rows] + boost)
    answer = np.where(right, LABELS[rows], (LABELS[rows] + 1) % 4)
    logits = rng.normal(0, 0.5, (len(rows), 4)) + 4 * np.eye(4)[answer]
    record["wa"] = evaluation.weighted_accuracy(LABELS[rows], logits.argmax(axis=1))
    record["ua"] = evaluation.unweighted_accuracy(LABELS[rows], logits.argmax(axis=1))
    results.write(store, record, {"logits": logits.astype(np.float16), "labels": LABELS[rows].astype(np.int8),
                                  "speakers": (rows % 6).astype(np.int16), "rows": rows.astype(np.int32)})  # fmt: skip
    return record


@pytest.fixture
def random_splits(tmp_path):
    """BAM, BAGM and the majority on five random splits; the store."""
    rng = np.random.default_rng(0)
    hard = rng.normal(1, 1.5, 240)
    for seed in range(5):
        run(tmp_path, rng, "BAM", hard=hard, seed=seed)
        run(tmp_path, rng, "BAGM", hard=hard, boost=0.2, objective="fused", seed=seed)
    return tmp_path


def test_each_estimand_is_named_in_words():
    speakers = [made("BAM", 50 + fold, fold=fold, seed=seed) for fold in range(3) for seed in range(2)]
    fixed = [made("BAM", 50 + seed, split="paper", split_seed=0, seed=seed) for seed in range(3)]
    drawn = [made("BAM", 50 + seed, split="paper", seed=seed) for seed in range(3)]
    for records, what, words in ((speakers, "speakers", "new speakers: t interval over speaker folds (9 in all)"),
                                 (fixed, "split", "this split only"),
                                 (drawn, "splits", "new random splits")):  # fmt: skip
        group = report.groups(records)[-1]
        assert report.table_3(group["records"])[0]["estimand"] == what
        assert words in report.text(group)


def test_new_speakers_and_this_split_get_a_t_interval():
    folds = [
        made("BAM", 50 + 3 * fold + seed, fold=fold, seed=seed) for fold in range(4) for seed in range(3)
    ]
    (row,) = report.table_3(folds)
    assert (row["units"], row["runs"]) == (4, 12)
    assert row["wa"] == pytest.approx(evaluation.interval([51, 54, 57, 60]))
    fixed = [made("BAM", 50 + seed, split="paper", split_seed=7, seed=seed) for seed in range(3)]
    assert report.table_3(fixed)[0]["wa"] == pytest.approx(evaluation.interval([50, 51, 52]))


def test_random_splits_without_answers_have_a_mean_and_no_interval():
    records = [made("BAM", 50 + seed, split="paper", seed=seed) for seed in range(3)]
    records += [made("BAGM", 52 + seed, split="paper", objective="fused", seed=seed) for seed in range(3)]
    assert report.table_3(records)[0]["wa"] == (51, None, None)
    (row,) = report.differences(records)
    assert row["wa"] == (2, None, None) and row["wa_verdict"] is row["wa_p"] is row["wa_sign_flip"] is None
    text = report.text(report.groups(records)[0])
    assert "without the answers of each run (the .npz beside its record) there is no interval" in text
    assert "verdict" not in text and "better" not in text
    with pytest.raises(SerganError, match="planned contrast 'primary' has no interval"):
        report.planned({"primary": row})


def test_random_splits_get_what_their_test_parts_share(random_splits):
    """The interval is that of the measured covariance, for a level and for a paired difference."""
    records = results.read(random_splits)
    sides = {}
    for name in ("BAM", "BAGM"):
        members = sorted((r for r in records if r["ablation"] == name), key=lambda r: r["seed"])
        table = pd.DataFrame(np.nan, index=range(5), columns=range(240))
        for record in members:
            with np.load(random_splits / f"{results.key(record['config'])}.npz") as found:
                right = found["logits"].argmax(axis=1) == found["labels"]
                table.loc[record["seed"], found["rows"]] = 100.0 * right
        sides[name] = table, np.array([r["wa"] for r in members]), np.array([r["ua"] for r in members])
    table = {row["ablation"]: row for row in report.table_3(records, random_splits)}
    (points, wa, ua) = sides["BAM"]
    for score, values in (("wa", wa), ("ua", ua)):
        shared = evaluation.shared_variance(points, LABELS, 240, score)
        assert shared > 0
        assert table["BAM"][score] == pytest.approx(evaluation.interval(values, shared=shared))
    shared = evaluation.shared_variance(sides["BAGM"][0] - points, LABELS, 240)
    (row,) = report.differences(records, random_splits)
    values = sides["BAGM"][1] - wa
    assert row["wa"] == pytest.approx(evaluation.interval(values, shared=shared))
    assert row["wa_equivalence"] == pytest.approx(evaluation.equivalence(values, shared=shared))
    assert row["wa_verdict"] == evaluation.verdict(values, shared=shared)
    assert row["wa_sign_flip"] is None  # overlapping splits are not independent
    text = report.text(report.groups(records)[0], random_splits)
    assert "there is no interval" not in text and "p, equivalence within 1.86" in text


def test_differences_of_speakers_have_verdict_and_sign_flips_from_six_units_on():
    for folds in (5, 9):
        values = [0.2, -0.3, 0.3, -0.4, 0.1, 0.2, -0.2, -0.3, 0.1][:folds]
        records = [
            made("BAM", 50 + 5 * fold, fold=fold, seed=seed) for fold in range(folds) for seed in range(2)
        ]
        records += [made("BAGM", r["wa"] + values[r["fold"]], objective="fused", fold=r["fold"], seed=r["seed"])
                    for r in records]  # fmt: skip
        (row,) = report.differences(records)
        assert row["units"] == folds and row["ua"] == pytest.approx(evaluation.interval(values), abs=1e-6)
        assert row["ua_verdict"] == "equivalent within 1.86"
        assert row["ua_equivalence"] == pytest.approx(evaluation.equivalence(values), abs=1e-6)
        expected = None if folds < 6 else pytest.approx(evaluation.sign_flip(np.round(values, 6)))
        assert row["ua_sign_flip"] == expected
        assert "equivalent within 1.86" in report.text(report.groups(records)[0])


def test_a_pair_is_the_same_fold_and_the_same_seed():
    """A seed that only one side has moves nothing."""
    records = [made("BAM", wa, fold=fold, seed=seed) for fold in range(3) for seed, wa in enumerate((50, 60))]
    records += [made("BAGM", 53, objective="fused", fold=fold, seed=0) for fold in range(3)]
    (row,) = report.differences(records)
    assert row["wa"] == pytest.approx((3, 3, 3))


def test_controls_are_compared_with_the_plain_run_of_the_same_real_loss():
    folds = range(3)
    records = [made("BAM", 50 + fold, fold=fold) for fold in folds]
    records += [made("BAM", 20, objective="sigmoid_bce", fold=fold) for fold in folds]
    expected = {}
    for number, (ablation, objective, control) in enumerate((
        ("BAM", "cross_entropy", "placebo"), ("BAM", "cross_entropy", "sqrt2"),
        ("BAM", "cross_entropy", "sqrt2_betas"), ("BAGM", "fused", "untrained"), ("BAGM", "zero", "other"),
        ("BAGM", "uniform", "shuffled"))):  # fmt: skip
        records += [made(ablation, 50 + fold + number, objective=objective, control=control, fold=fold,
                         **({"others": "o"} if control == "other" else {})) for fold in folds]  # fmt: skip
        expected[ablation, objective, control] = number
    records += [made("BAM", 60 + fold, fold=fold, label_smoothing=0.1) for fold in folds]
    records += [
        made("BAM", 70 + fold, fold=fold, confidence_penalty=1.0, logsumexp_penalty=0.5) for fold in folds
    ]
    expected["BAM", "cross_entropy", "label_smoothing=0.1"] = 10
    expected["BAM", "cross_entropy", "confidence_penalty=1, logsumexp_penalty=0.5"] = 20
    (group,) = report.groups(records)  # controls and penalties join the plain runs
    found = {(r["ablation"], r["objective"], r["control"]): (r["minus"], r["wa"][0])
             for r in report.differences(group["records"])}  # fmt: skip
    assert found == {name: ("BAM", pytest.approx(value)) for name, value in expected.items()}
    assert next(iter(report.rows(group["records"]))) == ("BAM", "cross_entropy", "none")


def test_baselines_of_other_splits_stay_out_of_a_shared_one():
    records = [made("BAM", 50, split="paper", split_seed=0, seed=seed) for seed in range(3)]
    records += [
        made("majority", 30 + s, objective=None, split="paper", seed=None, split_seed=s) for s in range(2)
    ]
    (group,) = report.groups(records)
    assert [r["wa"] for r in group["records"] if r["ablation"] == "majority"] == [30]


def test_a_contrast_takes_rows_of_different_groups_and_refuses_what_cannot_be_paired():
    tuned = [made("BAGM", 55 + fold, objective="fused", fold=fold, lr=1e-3) for fold in range(3)]
    plain = [made("BAM", 50 + fold, fold=fold, lr=5e-4) for fold in range(3)]
    assert report.contrast(tuned, plain)["wa"] == pytest.approx((5, 5, 5))
    nothing = report.contrast(tuned, [made("BAM", 50, fold=8)])
    assert (nothing["units"], nothing["wa"], nothing["wa_p"]) == (0, None, None)
    with pytest.raises(SerganError, match="same fold and seed"):
        report.contrast([*tuned, *tuned], plain)
    with pytest.raises(SerganError, match="cannot be paired"):
        report.contrast(tuned, [made("BAM", 50, split="paper")])


def test_holm_is_over_the_planned_contrasts_alone():
    def row(values):
        ours = [made("BAGM", 50 + x, objective="fused", fold=fold) for fold, x in enumerate(values)]
        return report.contrast(ours, [made("BAM", 50, fold=fold) for fold in range(len(values))])

    rows = {
        "primary": row([2, 3, 2.5, 2, 3]),
        "placebo": row([0.1, -0.2, 0.3, 0, 0.1]),
        "tuned": row([1, 2, 0, 1, 2]),
    }
    found = {one["name"]: one for one in report.planned(rows, score="ua")}
    p = {name: one["ua_p"] for name, one in rows.items()}
    assert found["primary"]["p_holm"] == pytest.approx(3 * p["primary"])
    assert found["tuned"]["p_holm"] == pytest.approx(2 * p["tuned"])
    assert found["placebo"]["verdict"] == "equivalent within 1.86" and list(found) == list(rows)


def test_calibration_is_of_the_stored_answers(random_splits):
    records = results.read(random_splits)
    table = {row["ablation"]: row for row in report.calibration(records, random_splits)}
    expected = []
    for record in (r for r in records if r["ablation"] == "BAM"):
        with np.load(random_splits / f"{results.key(record['config'])}.npz") as found:
            chances = special.softmax(found["logits"].astype(float), axis=1)
            labels = found["labels"]
        right = chances.argmax(axis=1) == labels
        expected.append([evaluation.calibration_error(chances, labels),
                         evaluation.calibration_floor(chances),
                         evaluation.negative_log_likelihood(chances, labels),
                         evaluation.risk_coverage(chances.max(axis=1), right).area])  # fmt: skip
    row = table["BAM"]
    assert [row[name] for name in report.CALIBRATION] == pytest.approx(np.mean(expected, axis=0).tolist())
    assert 0 < row["floor"] < row["ece"]
    text = report.text(report.groups(records)[0], random_splits)
    assert all(words in text for words in report.CALIBRATION.values()) and report.FLOOR in text
    assert "Calibration" not in report.text(report.groups(records)[0])
    assert report.calibration(records, None) == []
    as_json = json.loads(json.dumps(report.as_dict(report.groups(records)[0], random_splits)))
    assert {row["ablation"] for row in as_json["calibration"]} == {"BAM", "BAGM"}


def test_logits_that_ran_away_have_no_calibration(random_splits):
    record = next(r for r in results.read(random_splits) if r["ablation"] == "BAGM")
    path = random_splits / f"{results.key(record['config'])}.npz"
    with np.load(path) as found:
        arrays = dict(found)
    with np.errstate(over="ignore"):
        arrays["logits"] = (arrays["logits"] - 350_000.0).astype(np.float16)  # minus infinity
    np.savez_compressed(path, **arrays)
    table = {row["ablation"]: row for row in report.calibration(results.read(random_splits), random_splits)}
    assert [table["BAGM"][name] for name in report.CALIBRATION] == [None] * 4
    assert table["BAM"]["ece"] is not None


def test_damaged_answers_are_named(random_splits):
    record = results.read(random_splits)[0]
    path = random_splits / f"{results.key(record['config'])}.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SerganError, match=f"answers .*{path.name} are damaged"):
        report.calibration(results.read(random_splits), random_splits)


def test_real_runs_have_all_tables(dataset, tmp_path):
    """From training to the terminal: three random splits and all folds of a toy."""
    fast = {"epochs": "1", "frames": "8", "lstm": "2", "attention": "2", "dense": "2", "generator": "2,2"}
    for split, seeds in (("paper", (0, 1, 2)), ("speaker", (0,))):
        runs = experiments.plan(dataset, preset="demo", split=split, ablations=["AM", "AGM"], objectives=["zero"],
                                seeds=seeds, changes=fast)  # fmt: skip
        experiments.sweep(runs, dataset, tmp_path, keep_weights=False)
    paper, speaker = report.groups(results.read(tmp_path))
    for group in (paper, speaker):
        (row,) = report.differences(group["records"], tmp_path)
        assert row["wa"][1] is not None and row["wa_verdict"]
        assert {r["ablation"] for r in report.calibration(group["records"], tmp_path)} >= {
            "AM",
            "AGM",
            "linear",
        }
        json.dumps(report.as_dict(group, tmp_path), allow_nan=False)
    assert report.differences(speaker["records"])[0]["wa_sign_flip"] is not None


def asked(store, rng, arm, boost, folds, unseen=None):
    """Records of an arm on the speaker split with their answers: 100 utterances a fold, some folds harder."""
    records = []
    for fold in range(folds):
        labels = np.tile(np.arange(4), 25)
        right = rng.random(100) < special.expit(1 - fold / 5 + boost)
        logits = 4.0 * np.eye(4)[np.where(right, labels, (labels + 1) % 4)] + rng.normal(0, 0.3, (100, 4))
        record = made(
            arm, 100 * right.mean(), fold=fold, objective="fused" if "G" in arm else "cross_entropy"
        )
        arrays = {"logits": logits, "labels": labels, "speakers": labels, "rows": 100 * fold + np.arange(100)}
        if unseen is not None:
            arrays |= {"unseen_logits": logits[:40] * unseen, "unseen_emotions": np.zeros(40, int),
                       "unseen_names": np.array(["calm"])}  # fmt: skip
        results.write(store, record, arrays)
        records.append(record)
    return records


def test_rejection_is_the_chance_that_the_known_are_surer(tmp_path):
    rng = np.random.default_rng(0)
    sure = asked(tmp_path, rng, "BAM", 0.5, folds=4, unseen=0.0)  # the unseen: all logits 0
    alike = asked(tmp_path, rng, "AM", 0.5, folds=4, unseen=1.0)
    none = asked(tmp_path, rng, "BAGM", 0.5, folds=4)
    table = {row["ablation"]: row for row in report.rejection(sure + alike + none, tmp_path)}
    assert table["BAM"]["probability"] == table["BAM"]["energy"] == (1.0, 1.0, 1.0)
    mean, low, high = table["AM"]["probability"]
    assert low < 0.5 < high and 0.45 < mean < 0.55
    assert list(table) == ["AM", "BAM"] and table["AM"]["units"] == 4
    text = report.text(report.groups(sure)[0], tmp_path)
    assert "1.000 [1.000, 1.000]" in text and "Rejection" not in report.text(report.groups(none)[0], tmp_path)


def test_a_contrast_is_checked_on_single_utterances(tmp_path):
    rng = np.random.default_rng(0)
    ours, theirs = (asked(tmp_path, rng, arm, boost, folds=8) for arm, boost in (("BAGM", 1.0), ("BAM", 0.0)))
    found = report.single(ours, theirs, tmp_path)
    assert found["low"] > 0 and found["low"] < 1.0 < found["high"] and found["clusters"] == 8
    points = np.mean([a["wa"] - b["wa"] for a, b in zip(ours, theirs, strict=True)])
    assert found["points"] == pytest.approx(points)
    assert report.single(ours, theirs, None) is None and report.single(ours[:2], theirs[:2], tmp_path) is None


def test_power_for_the_papers_gain_is_that_of_the_spread_seen():
    ours = [made("BAGM", 50 + 2 * fold, objective="fused", fold=fold) for fold in range(5)]
    theirs = [made("BAM", 50.0 + fold, fold=fold) for fold in range(5)]  # differences 0, 1, 2, 3, 4
    row = report.contrast(ours, theirs)
    sd = np.std(range(5), ddof=1)
    assert row["wa_power"] == pytest.approx(evaluation.power(1.86, sd, 5)) and 0.3 < row["wa_power"] < 0.6
    assert row["wa_needed"] == evaluation.units_needed(1.86, sd) == 8
    same = report.contrast(theirs, theirs)
    assert same["wa_power"] is None and same["wa_needed"] is None  # no spread, no power
    assert report.power(row, "wa") == (f"{100 * row['wa_power']:.0f} %", "8")
