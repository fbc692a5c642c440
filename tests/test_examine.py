"""`sergan examine`: its runs, the rule of its conclusion on records whose truth is planted, its sentences."""

import itertools
import json
import re
from pathlib import Path

import _pages as pages
import numpy as np
import pytest
from scipy import stats
from test_augmentation import EXAMPLES, SIZES
from test_cli import fails
from test_report import made

from sergan import evaluation, examine, experiments, features, plan, report, results
from sergan.__main__ import main
from sergan.augmentation import Augmentation
from sergan.config import PRESETS

RESULTS = Path(__file__).parents[1] / "results"
USUAL = PRESETS["cpu"].lr
OURS = "mixup (0123)"
PENALTIES = {
    "label_smoothing=0.1": {"label_smoothing": 0.1},
    "confidence_penalty=0.1": {"confidence_penalty": 0.1},
}
NOISE = stats.zscore(
    np.random.default_rng(0).normal(size=(20, 9)), axis=1
)  # what is planted is then the mean


def record(arm, wa, rate=USUAL, best=False, **place):
    options = PENALTIES.get(arm, {})
    options |= {"augmentation": "mixup 0123456789ab"} if arm == OURS else {}
    control = arm if arm in ("placebo", "sqrt2") else "none"
    one = made("BAM", wa, control=control, lr=rate, **options, **place)
    return one | {"curve": [{"validation_ua": 60.0 + best}]}


def planted(gain, tuned_gain=None, noise=1.0, folds=9, split="speaker", **controls):
    """Records where arms differ from plain by what is said: at the usual rate, at 0.0005 (the best), the controls."""
    tuned_gain = gain if tuned_gain is None else tuned_gain
    for fold in range(folds):
        place = {"fold": fold} if split == "speaker" else {"seed": fold, "split": split, "split_seed": 0}
        for k, arm in enumerate((OURS, "none", *examine.CONTROLS)):
            effect = gain if arm == OURS else controls.get(arm.partition("=")[0], 0)
            yield record(arm, 50 + fold + effect + noise * NOISE[k, fold], **place)
        if split == "speaker":
            for (k, rate), arm in itertools.product(enumerate(examine.rates(USUAL)[:-1]), (OURS, "none")):
                effect = tuned_gain if arm == OURS else 0
                wa = 55 + fold + effect + noise * NOISE[8 + 2 * k + (arm == OURS), fold]
                yield record(arm, wa, rate, rate == 0.0005, **place)


@pytest.fixture
def quick(monkeypatch):
    """Power takes most of the time and plays no part in the rule."""
    monkeypatch.setattr(evaluation, "power", lambda *_, **__: 0.123)
    monkeypatch.setattr(evaluation, "units_needed", lambda *_, **__: 99)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("truth", "rule", "words"),
    [
        ({"gain": 6}, "gain", "a gain that no control here explains"),
        ({"gain": 6, "tuned_gain": 0}, "rate", "a gain of the learning rate"),
        ({"gain": 20, "tuned_gain": 0, "noise": 6}, "unconfirmed", "for 80 % it takes 99 units"),
        ({"gain": 0, "tuned_gain": 6}, "tuned only", "cannot say whose it is"),
        ({"gain": 6, "sqrt2": 6}, "explained", "a gain that sqrt2 can explain"),
        ({"gain": 6, "placebo": 9, "sqrt2": 9}, "explained", "placebo and sqrt2 can explain"),
        ({"gain": 2.5, "label_smoothing": 1.4, "noise": 1.6}, "not separated", "not shown to be more than"),
        ({"gain": 0, "noise": 0.5}, "none", "neither help nor harm of 1.86 points"),
        ({"gain": 0, "noise": 8}, "undecided", "A true gain of 1.86 would show with a chance of 12 %"),
        ({"gain": -6}, "harm", "it harms (-"),
        ({"gain": 6, "tuned_gain": -6}, "harm", "at tuned rates"),
        ({"gain": 6, "folds": 1}, "unknown", "nothing yet"),
    ],
)
def test_the_conclusion_is_that_of_the_rule(truth, rule, words):
    found = examine.look(list(planted(**truth)), USUAL)
    assert found["rule"] == rule and words in found["conclusion"], found["conclusion"]
    assert examine.RULE.keys() >= {rule} and found["conclusion"] in examine.text(found)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("gain", "rule"), [(6, "gain"), (-6, "harm"), (0, "none")])
def test_on_the_papers_split_nothing_is_tuned_and_that_is_said(gain, rule):
    found = examine.look(list(planted(gain, split="paper", noise=0.5)), USUAL)
    assert found["rule"] == rule and found["rates"] == {} and len(found["contrasts"]) == 9
    assert "a gain can be the rate's" in found["conclusion"] and "at the usual rate" in found["conclusion"]


def test_each_row_of_the_rule_can_hold():
    assert set(examine.RULE) == {"unknown", "harm", "rate", "unconfirmed", "tuned only", "explained", "not separated",
                                 "gain", "none", "undecided"}  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_rates_are_tuned_for_both_arms_and_shown():
    found = examine.look(list(planted(6)), USUAL)
    assert found["rates"] == {OURS: {0.0005: 9}, "plain": {0.0005: 9}}
    assert "Learning rates taken, by validation UA: speaker folds" in examine.text(found)
    assert examine.rates(USUAL) == plan.RATES  # so that the records of the plan serve here too


@pytest.mark.usefixtures("quick")
def test_no_contrast_is_with_the_best_control_picked_afterwards():
    found = examine.look(list(planted(6)), USUAL)
    pairs = [(row["ours"], row["minus"]) for row in found["contrasts"]]
    assert pairs == [
        (OURS, "plain"), (OURS, "plain, each at its tuned rate"), *((name, "plain") for name in examine.CONTROLS),
        *((OURS, name) for name in examine.CONTROLS)]  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_records_of_other_work_stay_out():
    """In a store of everything, an arm is what it is named; and the augmented runs are no arm named BAM."""
    ours = [r for r in planted(6) if r["config"].get("augmentation")]
    rest = [r for r in planted(6) if not r["config"].get("augmentation")]
    stray = [record("none", 0, fold=0, scaling="standard"), record("none", 0, fold=0, seed=1),
             record("none", 0, fold=0, class_weights=1.0), record("none", 0, fold=0, split="paper"),
             made("BAGM", 0, objective="fused"), made("BAM", 0, control="sqrt2_betas"),
             record(OURS, 0, fold=0) | {"config": ours[0]["config"] | {"augmentation": "mixup ffff"}}]  # fmt: skip
    chosen = examine.beside(rest + stray, ours)
    assert len(chosen) == len(rest) + len(ours)
    mixed, alone = examine.look(chosen, USUAL), examine.look(ours + rest, USUAL)
    assert (mixed["contrasts"], mixed["rates"]) == (alone["contrasts"], alone["rates"])
    assert plan.arm(ours + rest, "nemo", "speaker", "BAM") == [r for r in rest if report.control(r) == "none"]


@pytest.mark.usefixtures("quick")
def test_the_guide_shows_what_the_examples_gave():
    """Of the file as it is: whoever edits it must run it again (`sergan examine`, then copy what is new)."""
    found = results.read(RESULTS / "augmented")
    text = pages.fake_gain(RESULTS.parent)
    for name, least in (("mixup", 1), ("masking", 0)):
        identity = Augmentation.of(f"{EXAMPLES}:{name}").identity
        count = sum(r["config"]["augmentation"] == identity for r in found)
        assert count == 40 or least == count == 0
        said = rf"### {name}\n\n\*\*{name} \(\w{{4}}\): .*points of WA at tuned rates, 10 units"
        assert re.search(said, text) if count else f"### {name}\n\nIts runs are not done yet." in text
    assert "<!--" not in text and f"| {examine.RULE['harm'][0]} |" in text
    assert "emodb, speaker split, preset cpu, 1 seed(s)" in text


def test_published_records_of_augmentations_lie_apart_from_those_that_chapters_read():
    assert not [r for r in results.read(RESULTS) if "augmentation" in r["config"]]


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(dataset, tmp_path_factory):
    """The options that make it fast: features in a file, tiny networks, two folds."""
    file = tmp_path_factory.mktemp("features") / "random.npz"
    features.save(file, corpus="demo", table=dataset.table, sequences=dataset.sequences,
                  functionals=dataset.functionals)  # fmt: skip
    sizes = [f"{name}={value}" for name, value in (SIZES | {"epochs": "1"}).items()]
    return ["--features", str(file), "--preset", "demo", "--device", "cpu", "--set", *sizes]


def test_it_lists_runs_reports_and_goes_on_where_it_was(own, tmp_path, capsys):
    command = ["examine", f"{EXAMPLES}:mixup", *own, "--store", str(tmp_path), "--folds", "0", "1"]
    assert main([*command, "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "28 runs, 0 of them in" in text and "how long one takes shows after the first" in text
    assert "BAM label_smoothing=0.1, rate 0.002" in text and "rate 0.00025" in text
    assert not list(tmp_path.iterdir())
    main([*command[:-1]])
    assert capsys.readouterr().out.count(" s\n") == 14 and len(results.read(tmp_path)) == 14
    assert main([*command, "--dry-run"]) == 0
    assert "28 runs, 14 of them in" in (text := capsys.readouterr().out) and "minutes for the rest" in text
    assert main(command) == 0
    text = capsys.readouterr().out
    assert text.count("fold 1: WA") == 14 and "fold 0: WA" not in text
    for words in ("majority", "linear", "placebo - plain", "- sqrt2", "each at its tuned rate", "synthetic voices",
                  "Conclusion, by the rule of sergan.examine.RULE"):  # fmt: skip
        assert words in text
    assert "lr=0.001 seed 0 fold 1: WA" in text and "label_smoothing=0.1 seed 0 fold 1: WA" in text
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rule"] in examine.RULE and len(found["contrasts"]) == 10 and len(found["arms"]) == 8


def test_the_papers_split_has_a_shorter_list(own, tmp_path, capsys):
    command = [
        "examine",
        f"{EXAMPLES}:masking",
        *own,
        "--store",
        str(tmp_path),
        "--split",
        "paper",
        "--dry-run",
    ]
    assert main(command) == 0
    assert "8 runs, 0 of them in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "more", "sentence"),
    [
        (
            "nowhere.py:f",
            [],
            "augmentation nowhere.py:f: nowhere.py cannot be read (No such file or directory)",
        ),
        ("own.py:g", [], "own.py:g: the file has no function g"),
        ("own.py", [], "not of the form FILE.py:FUNCTION, as in mine.py:mixup"),
        ("own.py:raises", [], "own.py:raises raises ZeroDivisionError"),
        ("own.py:shape", [], "own.py:shape: x must have the shape (n, time, 32), not ("),
        ("own.py:zeros", [], "labels given as weights must be at least 0 and sum to 1"),
        ("own.py:chance", [], "does not return the same batch twice for the same `random`"),
        ("own.py:same", ["--folds", "6"], "--folds 6: the speaker split of demo has 0 to 5"),
        ("own.py:same", ["--seeds", "0"], "--seeds and --jobs must be at least 1"),
        (
            "own.py:same",
            ["--set", "label_smoothing=0.1"],
            "--set label_smoothing: penalties and weights are no part",
        ),
    ],
)
def test_a_mistake_is_one_sentence_before_any_run(
    function, more, sentence, own, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    bodies = {"same": "batch", "raises": "1 / 0", "shape": "batch._replace(x=batch.x[0])",
              "zeros": "batch._replace(labels=torch.zeros(len(batch.x), 4))",
              "chance": "batch._replace(x=batch.x * torch.rand(1))"}  # fmt: skip
    lines = [f"def {name}(batch, random): return {body}\n" for name, body in bodies.items()]
    (tmp_path / "own.py").write_text("import torch\n" + "".join(lines))
    assert sentence in fails(["examine", function, *own, *more, "--store", "s"], capsys)
    assert not (tmp_path / "s").exists()


def test_a_gan_is_no_arm_of_this(capsys):
    assert "'BAGM'" in fails(["examine", "own.py:f", "--ablation", "BAGM"], capsys, code=2)


def test_all_runs_of_the_list_are_different_and_pair_up(dataset):
    listed = examine.runs(dataset, augment=f"{EXAMPLES}:mixup", preset="demo", split="speaker", ablations=["BAM"],
                          objectives=["fused"], control="none", seeds=[0, 1], changes=SIZES)  # fmt: skip
    keys = {results.key(run.config) for run in listed}
    assert len(keys) == len(listed) == 6 * (2 + 2 * 12)
    assert {run.options.lr for run in listed if run.options} == set(examine.rates(PRESETS["demo"].lr))
    assert experiments.check(preset="demo", split="speaker", ablations=["BAM"], objectives=["fused"],
                             control="none").lr == PRESETS["demo"].lr  # fmt: skip
