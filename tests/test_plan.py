"""The planned contrasts: which records they take, and that a rate is tuned without the test speaker."""

import itertools
import tomllib
from pathlib import Path

import pytest
from test_report import made

from sergan import page, plan, report
from sergan.__main__ import blocks, choices_of, parser

RESULTS = Path(__file__).parents[1] / "results"


def record(ablation, wa, validation=0.0, *, lr=0.002, **options):
    objective = "fused" if "G" in ablation else "cross_entropy"
    one = made(ablation, wa, objective=objective, lr=lr, **options)
    return one | {"curve": [{"validation_ua": 0.0}, {"validation_ua": validation}]}


def test_a_rate_is_chosen_by_the_validation_speaker_in_each_fold():
    best = {0: 0.0005, 1: 0.002}
    records = [
        record("BAM", 50 + 100 * lr, 60 if lr == best[fold] else 90 - seed * 80, fold=fold, seed=seed, lr=lr)
        for fold, seed, lr in itertools.product(range(2), range(2), plan.RATES)
    ]
    assert {(r["fold"], r["config"]["lr"]) for r in plan.tuned(records)} == set(best.items())
    for r in records:
        r["wa"] = r["ua"] = 100 - r["wa"]  # the test speaker's scores play no part
    assert {(r["fold"], r["config"]["lr"]) for r in plan.tuned(records)} == set(best.items())


def test_of_equal_rates_the_lowest_is_taken_and_budgets_are_equal():
    records = [record("BAM", 50, 70, fold=fold, seed=seed, lr=lr)
               for fold, seed, lr in itertools.product(range(2), range(2), plan.RATES)]  # fmt: skip
    assert {r["config"]["lr"] for r in plan.tuned(records)} == {min(plan.RATES)}
    del records[-1]  # the last fold's second seed lacks a rate
    assert {(r["fold"], r["seed"]) for r in plan.tuned(records)} == {(0, 0), (0, 1), (1, 0)}
    assert plan.tuned([r for r in records if r["config"]["lr"] != 0.001]) == []


def full(effect):
    """Records of all that the plan asks for, except random splits."""
    for fold, seed, lr in itertools.product(range(9), range(3), plan.RATES):
        level = 50 + fold + seed / 2
        yield record("BAM", level, 60 + (lr == 0.001), fold=fold, seed=seed, lr=lr)
        yield record("BAGM", level + effect + fold % 3 / 2, 60 + (lr == 0.0005), fold=fold, seed=seed, lr=lr)
        if lr == 0.002:
            yield record("BAM", level + fold % 2, control="placebo", fold=fold, seed=seed)


def whole_records():
    """With what a page needs besides."""
    extra = {"steps": 1, "device": "cpu", "threads": 1, "versions": {}, "revision": ""}
    return [
        r | extra | {"curve": [{"wa": 1.0, "ua": 1.0, **entry} for entry in r["curve"]]}
        for r in full(effect=4)
    ]


def test_the_contrasts_are_the_plans_and_other_options_stay_out():
    records = list(full(effect=4))
    stray = [record("BAM", 0, 99, control="placebo", scaling="standard"), record("BAM", 0, 99, lr=0.01),
             record("BAM", 0, 99, label_smoothing=0.1), record("BAM", 0, 99, control="sqrt2")]  # fmt: skip
    rows = plan.contrasts(records + stray)
    assert [(r["name"].split(",")[0], r["units"]) for r in rows] == [
        ("BAGM fused - BAM", 9), ("placebo - BAM", 9), ("BAGM fused - BAM", 9)]  # fmt: skip
    assert rows[0]["difference"][0] == pytest.approx(4.5) and rows[0]["verdict"] == "different"
    assert rows[1]["difference"][0] == pytest.approx(4 / 9)
    assert all(r["p_holm"] is None for r in rows)  # the fourth is not there yet
    assert "not all of them are complete" in plan.text("nemo", rows)


def test_contrasts_are_complete_with_all_planned_runs_and_not_before():
    rows = [
        {"p_holm": 0.04, "pairs": 27, "estimand": "speakers"},
        {"p_holm": 1, "pairs": 10, "estimand": "splits"},
    ]
    assert plan.title("nemo", rows).endswith("(results/plan.md)")
    assert "not all" in plan.title("nemo", [rows[0] | {"pairs": 9}, rows[1]])


def test_the_page_has_the_contrasts_too():
    text = page.page(report.groups(whole_records()))
    assert "Planned contrasts, nemo, preset cpu (results/plan.md); not all of them are complete" in text
    assert "placebo - BAM, unseen speakers" in text and "+4.50 <span" in text


def test_nothing_to_contrast_is_nothing():
    assert plan.contrasts([record("BAM", 50)]) == []


@pytest.mark.parametrize("name", ["plan.toml", "plan_random.toml"])
def test_the_plans_runs_are_a_sweep_that_can_be_carried_out(name):
    options = parser().parse_args(["run", "--sweep", str(RESULTS / name)])
    options.words = ["run"]
    found = blocks(options)
    assert len(found) == len(tomllib.loads((RESULTS / name).read_text())) - 2
    for block in found.values():
        assert choices_of(block)["preset"] == plan.PRESET


def test_the_plans_rates_are_in_its_sweep():
    content = tomllib.loads((RESULTS / "plan.toml").read_text())
    rates = {block["set"]["lr"] for name, block in content.items() if "nemo-speaker-rate" in name}
    assert rates | {0.002} == set(plan.RATES)
