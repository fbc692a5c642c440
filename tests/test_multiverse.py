"""Universes: which records make a pair, and what is said of those that are there."""

from pathlib import Path

import pytest
from test_report import made

from sergan import multiverse, plan
from sergan.evaluation import BOUND
from sergan.objectives import OBJECTIVES
from sergan.plots import ablations, controls

LIST = Path(__file__).parents[1] / "results" / multiverse.LIST
LISTED = multiverse.universes(LIST)


def pair(universe, gain, *, seed=0, loss=None, level=50.0):
    """Planted records of one universe: BAM and BAGM."""
    options = {name: universe["options"][name] for name in ("scaling", "output", "masked", "epoch", "lr")}
    where = {"corpus": universe["corpus"], "split": universe["split"], "seed": seed} | options
    loss = loss or OBJECTIVES[universe["objective"]].real_name
    lengths = universe["fake_lengths"]
    return [made("BAM", level, objective=loss, **where),
            made("BAGM", level + gain, objective=universe["objective"], fake_lengths=lengths, **where)]  # fmt: skip


def test_universes_are_all_combinations_and_none_is_anothers_copy():
    assert len({tuple(str(u[choice]) for choice in multiverse.CHOICES) for u in LISTED}) == len(LISTED) == 264
    for choice in multiverse.CHOICES:
        assert all(multiverse.word(choice, value) for value in multiverse.values(LISTED, choice))
    assert {u["fake_lengths"] for u in LISTED if u["objective"] == "zero"} == {"batch"}


def test_a_universe_is_paired_with_its_own_bam():
    full = next(u for u in LISTED if u["objective"] == "sigmoid_bce" and u["fake_lengths"] == "full")
    others = [made("BAM", 10, corpus="emodb", split="paper"),  # another loss
              made("BAM", 20, corpus="emodb", split="paper", objective="sigmoid_bce", lr=0.01),
              made("BAM", 30, corpus="emodb", split="paper", objective="sigmoid_bce", label_smoothing=0.1),
              made("BAM", 40, corpus="nemo", split="paper", objective="sigmoid_bce")]  # fmt: skip
    found = multiverse.differences(pair(full, 3.0) + others, LISTED)
    assert {LISTED.index(full): {0: 3.0}} == {k: some for k, some in enumerate(found) if some}
    wrong = pair(full, 3.0, loss="cross_entropy")
    assert not any(multiverse.differences(wrong, LISTED))
    later = pair(full, 3.0)[:1] + pair(full, 3.0, seed=1)[1:]
    assert not any(multiverse.differences(later, LISTED))


def test_lengths_of_generated_sequences_share_one_bam():
    some = [u for u in LISTED if u["objective"] == "fused"][:2]
    assert {u["fake_lengths"] for u in some} <= {"batch", "full"}
    both = [u for u in LISTED if u["objective"] == "fused" and u["lr"] == 0.002 and u["epoch"] == "pass"
            and u["masked"] and u["scaling"] == "minmax"]  # fmt: skip
    records = pair(both[0], 1.0) + pair(both[1], 2.0)[1:]
    found = [some for some in multiverse.differences(records, LISTED) if some]
    assert sorted(some[0] for some in found) == [1.0, 2.0]


def test_the_curve_takes_the_seeds_that_all_have():
    assert multiverse.curve([{0: 1.0, 1: 3.0}, {0: 2.0}, {}]) == [1.0, 2.0, None]
    assert multiverse.curve([{0: 1.0, 1: 3.0}, {0: 2.0, 1: 2.0, 2: 8.0}]) == [2.0, 2.0]
    assert multiverse.curve([]) == []


def test_noise_is_known_from_the_second_seed_on():
    assert multiverse.noise([{0: 1.0}, {}]) is None
    said = multiverse.noise([{0: 1.0, 1: 3.0}, {0: 5.0, 1: 9.0}, {0: 7.0}])
    assert said["universes"] == 2 and said["seeds"] == 4
    assert said["sd"] == pytest.approx(5**0.5)  # variances 2 and 8, one degree of freedom each


def test_effects_compare_like_with_like():
    """A gain that depends on the reading alone, and universes that lack a partner in which nothing is compared."""
    gains = {
        "zero": 0.0,
        "fused": -10.0,
        "uniform": 1.0,
        "softmax_bce": 2.0,
        "sigmoid_bce": 3.0,
        "k_plus_one": 4.0,
    }
    points = [gains[u["objective"]] for u in LISTED]
    found = {row["choice"]: row for row in multiverse.effects(LISTED, points)}
    assert found["objective"]["means"] == gains and found["objective"]["moved"] == 14.0
    assert found["objective"]["settings"] == 24  # `zero` has no universe with full lengths
    assert all(row["moved"] == row["within"] == 0 for name, row in found.items() if name != "objective")
    lacking = [None if u["lr"] == 0.001 else point for u, point in zip(LISTED, points, strict=True)]
    found = {row["choice"]: row for row in multiverse.effects(LISTED, lacking)}
    assert found["lr"] == {"choice": "lr", "settings": 0, "means": {}, "moved": None, "within": None}
    assert found["objective"]["settings"] == 16


def test_a_summary_counts_what_lies_above_the_papers_gain_and_below_0():
    said = multiverse.summary([-3.0, 0.0, BOUND, 2.0], BOUND)
    assert (said["number"], said["above"], said["below"], said["lowest"], said["highest"]) == (
        4,
        1,
        1,
        -3.0,
        2.0,
    )
    assert multiverse.summary([], BOUND) is None


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_figure_and_sentence_work_with_no_some_and_all_records(share):
    points = [float(k % 20 - 10) if k < share * len(LISTED) else None for k in range(len(LISTED))]
    marked = multiverse.chosen(LISTED, objective="fused", lr=None, epoch="pass")
    assert sum(marked) == 24
    for noise in (None, {"sd": 2.0, "universes": 1, "seeds": 2}):
        assert controls.specification(points, marked, noise).axes
    assert controls.effects(multiverse.effects(LISTED, points), multiverse.CHOICES, multiverse.word).axes
    said = controls.say_specification(points, marked)
    assert said.startswith(f"{24 if share == 1 else 0 if share == 0 else said.split()[0]} of 24 universes")
    assert ("% above +1.86" in said) == (share > 0)


def test_each_reading_is_compared_with_the_run_without_a_gan_under_its_own_real_loss():
    records = [made("BAM", 50 + fold, objective=loss, fold=fold)
               for fold in range(4) for loss in ("cross_entropy", "sigmoid_bce")]  # fmt: skip
    records += [made("BAGM", 55 + fold, objective="sigmoid_bce", fold=fold) for fold in range(4)]
    records += [
        made("BAM", 90, objective="k_plus_one", fold=9),
        made("BAGM", 50, objective="k_plus_one", fold=8),
    ]
    rows = {row["reading"]: row for row in plan.readings(records, "nemo", "speaker")}
    assert list(rows) == list(OBJECTIVES)
    assert rows["sigmoid_bce"]["pairs"] == 4 and rows["sigmoid_bce"]["wa"][0] == pytest.approx(5.0)
    assert rows["zero"]["missing"] == ["BAGM"] and rows["softmax_bce"]["missing"] == ["BAGM", "BAM"]
    assert rows["k_plus_one"]["pairs"] == 0 and rows["k_plus_one"]["wa"] is None
    assert "sigmoid_bce +5.0" in ablations.say_readings(list(rows.values()), "nEMO")
    assert "No pair yet: zero" in ablations.say_readings(list(rows.values()), "nEMO")
    assert ablations.readings(list(rows.values()), "nEMO").axes
