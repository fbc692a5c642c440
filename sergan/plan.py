"""The contrasts that results/plan.md names before any run, computed from records.

A learning rate is *tuned* per arm and fold, on the validation speaker: among records that differ in nothing
but `lr`, and with the same rates for both arms.
"""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
from tabulate import tabulate

from sergan import SerganError, report
from sergan.config import PRESETS
from sergan.objectives import OBJECTIVES

CORPUS, PRESET, SCORE = "nemo", "cpu", "wa"
RATES = (0.00025, 0.0005, 0.001, 0.002)

RUNS = {"speakers": 9 * 3, "splits": 10}
"""Runs a side that the plan wants for a contrast, by what its mean estimates: folds times seeds, random splits."""

PAPERS_RATE = PRESETS["paper"].lr
"""Run as description, and not among those of which the planned contrast chooses."""

PAIRS = {"speaker": 27, "paper": 10}
"""Pairs of runs that the plan asks of a contrast on its corpus: nine folds with three seeds, ten random splits."""


def arm(records: list[dict], corpus: str, split: str, ablation: str, control: str = "none",
        objective: str = "fused") -> list[dict]:  # fmt: skip
    """The records of one arm at the preset's options, its learning rate aside, each seed on its own split.

    An arm without a GAN is that with the real loss of the reading `objective`.
    """
    objective = objective if "G" in ablation else OBJECTIVES[objective].real_name
    wanted = (corpus, split, ablation, objective, control, PRESET)
    named = ("corpus", "split", "ablation", "objective", None, "preset")
    return [r for r in records
            if all(r[name] == value for name, value in zip(named, wanted, strict=True) if name)
            and report.control(r) == control and at_preset(r)]  # fmt: skip


def at_preset(record: dict) -> bool:
    """Whether a run has the preset's options (learning rate, controls and penalties aside) and a split of its seed."""
    usual, config = PRESETS[PRESET].as_dict(), record["config"]
    options = {name: config.get(name) for name in usual} | {"lr": usual["lr"]}
    return record["preset"] == PRESET and options == usual and config["split_seed"] in (None, record["seed"])


def at_rate(records: list[dict], lr: float) -> list[dict]:
    return [r for r in records if r["config"]["lr"] == lr]


def tuned(records: list[dict], rates=RATES) -> list[dict]:
    """Of one arm's records on the speaker split, those at each fold's best rate.

    Best is the highest UA on the validation speaker at the last epoch, mean over seeds; of equals the lowest
    rate. Folds that lack a rate, and seeds that not all rates of a fold have, are left out: equal budgets.
    """
    folds = defaultdict(lambda: defaultdict(dict))
    for r in records:
        if r["config"]["lr"] in rates:
            folds[r["fold"]][r["config"]["lr"]][r["seed"]] = r
    chosen = []
    for by_rate in folds.values():
        seeds = set.intersection(*(set(by_rate.get(rate, {})) for rate in rates))
        if seeds:
            best = max(sorted(rates), key=lambda rate, b=by_rate: np.mean(
                [b[rate][seed]["curve"][-1]["validation_ua"] for seed in sorted(seeds)]))  # fmt: skip
            chosen += [by_rate[best][seed] for seed in sorted(seeds)]
    return chosen


def sides(records: list[dict], corpus: str = CORPUS) -> dict[str, tuple[list[dict], list[dict]]]:
    """The two arms of each contrast, by its name; primary first."""
    usual = PRESETS[PRESET].lr
    found = {}
    for name, split, ablation, control in (
        ("BAGM fused - BAM, unseen speakers", "speaker", "BAGM", "none"),
        ("placebo - BAM, unseen speakers", "speaker", "BAM", "placebo"),
        ("BAGM fused - BAM, tuned rates, unseen speakers", "speaker", "BAGM", "none"),
        ("BAGM fused - BAM, random splits", "paper", "BAGM", "none"),
    ):
        both = arm(records, corpus, split, ablation, control), arm(records, corpus, split, "BAM")
        pick = tuned if "tuned" in name else (lambda some: at_rate(some, usual))
        found[name] = tuple(map(pick, both))
    return found


def readings(records: list[dict], corpus: str, split: str, store: Path | None = None) -> list[dict]:
    """BAGM minus BAM under each of the six readings, BAM with that reading's own real loss: description, not a test.

    Each has reading, loss (of real sequences), pairs (of runs), and what `report.contrast` says; pairs is 0 where
    records are missing yet, and missing then names the arms that are.
    """
    found = []
    for name, reading in OBJECTIVES.items():
        arms = [at_rate(arm(records, corpus, split, ablation, objective=name), PRESETS[PRESET].lr)
                for ablation in ("BAGM", "BAM")]  # fmt: skip
        missing = [word for word, some in zip(("BAGM", "BAM"), arms, strict=True) if not some]
        row = {"reading": name, "loss": reading.real_name, "pairs": pairs(*arms), "missing": missing}
        found.append(row | report.contrast(*arms, store))
    return found


def pairs(ours: list[dict], theirs: list[dict]) -> int:
    """How many places (fold, split and seed) both sides have."""
    sides = ({(r["fold"], r["config"]["split_seed"], r["seed"]) for r in some} for some in (ours, theirs))
    return len(set.intersection(*sides))


def contrasts(records: list[dict], store: Path | None = None, corpus: str = CORPUS) -> list[dict]:
    """The planned contrasts, with Holm's adjustment where all four have an interval, else without.

    Each has name, units, pairs (of runs), estimand, difference (mean and 95 % interval), p, p_holm, equivalence,
    verdict, and single: the check on single utterances of `report.single`, or None. For another corpus than the
    plan's they describe, and are not adjusted.
    """
    both = sides(records, corpus)
    rows = {name: report.contrast(*arms, store) for name, arms in both.items()}
    rows = {name: row for name, row in rows.items() if row["units"]}
    found = unadjusted(rows)
    if corpus == CORPUS and len(rows) == 4:
        with suppress(SerganError):  # one of them has no interval yet
            found = report.planned(rows, SCORE)
    return [row | {"single": report.single(*both[row["name"]], store), "pairs": pairs(*both[row["name"]])}
            for row in found]  # fmt: skip


def unadjusted(rows: dict[str, dict]) -> list[dict]:
    return [
        {"name": name, "units": row["units"], "estimand": row["estimand"], "difference": row[SCORE],
         "p": row[f"{SCORE}_p"], "p_holm": None, "equivalence": row[f"{SCORE}_equivalence"],
         "verdict": row[f"{SCORE}_verdict"]}
        for name, row in rows.items()
    ]  # fmt: skip


def title(corpus: str, rows: list[dict]) -> str:
    """What the contrasts of one corpus are: the planned ones, or a description."""
    if corpus != CORPUS:
        return f"The planned contrasts on {corpus}, preset {PRESET}: description, not a test"
    complete = all(r["p_holm"] is not None and r["pairs"] >= RUNS.get(r["estimand"], math.inf) for r in rows)
    missing = "" if complete else "; not all of them are complete"
    return f"Planned contrasts, {corpus}, preset {PRESET} (results/plan.md){missing}"


def text(corpus: str, rows: list[dict]) -> str:
    """The contrasts of one corpus, for a terminal."""
    p = report.p
    table = [[r["name"], r["units"], report.spread(r["difference"], "+"), p(r["p"]), p(r["p_holm"]),
              p(r["equivalence"]), r["verdict"] or ""] for r in rows]  # fmt: skip
    headers = ["", "units", f"{SCORE.upper()} [95 %]", "p", "p, Holm", "p, equivalence", ""]
    said = f"{title(corpus, rows)}\n{tabulate(table, headers, disable_numparse=True)}"
    table = [[r["name"], f"{one['log_odds']:+.2f} [{one['low']:+.2f}, {one['high']:+.2f}]", p(one["p"]),
              one["clusters"]] for r in rows if (one := r["single"])]  # fmt: skip
    if table:
        headers = ["", "log-odds [95 %]", "p", "folds"]
        said += "\nThe same on single utterances (logistic model, clustered by fold)\n"
        said += tabulate(table, headers, disable_numparse=True)
    return said
