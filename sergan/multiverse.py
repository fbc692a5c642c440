"""One paper, many readings: a gain under every combination of the choices that the paper leaves open.

A *universe* is one such combination, from the list of runs `results/plan_multiverse.toml`. Its answer is the paired
difference BAGM - BAM: same options, same split, same seed, and for BAM the real loss of BAGM's reading.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np

from sergan import report
from sergan.config import PRESETS, Config
from sergan.objectives import OBJECTIVES

LIST = "plan_multiverse.toml"

CHOICES = {
    "objective": "reading of the label",
    "lr": "learning rate",
    "epoch": "an epoch is",
    "scaling": "features scaled to",
    "masked": "padding hidden",
    "fake_lengths": "generated lengths",
}
"""What differs between universes: option and name. (`output`, the generator's, goes with `scaling`.)"""

WORDS = {
    "epoch": {"pass": "a pass over the data", "batch": "one random batch"},
    "scaling": {"minmax": "[-1, 1] (tanh)", "standard": "mean 0, sd 1 (linear)"},
    "masked": {True: "yes", False: "no"},
    "fake_lengths": {"batch": "as the real batch's", "full": "all full"},
}
"""How a value reads, where it does not read as Python writes it."""


def universes(path: str | Path) -> list[dict]:
    """The universes of a list of runs, each with its `CHOICES`, corpus, split and options, in the list's order.

    Under a silent reading nothing generated reaches D, so lengths of generated sequences make no universe of their
    own there: those with lengths as in the real batch stand for both.
    """
    content, found = tomllib.loads(Path(path).read_text(encoding="utf-8")), []
    preset = content["preset"]
    for block in content.values():
        if not isinstance(block, dict) or block["ablation"] != ["BAGM"]:
            continue
        options = PRESETS[preset].as_dict() | block["set"]
        for name in block["objective"]:
            if not (OBJECTIVES[name].silent and options["fake_lengths"] == "full"):
                choices = {choice: options[choice] for choice in CHOICES if choice != "objective"}
                found.append({"objective": name, **choices, "corpus": block["corpus"],
                              "split": block["split"], "preset": preset, "options": options})  # fmt: skip
    return found


def word(choice: str, value) -> str:
    """A value of a choice, in words."""
    return WORDS.get(choice, {}).get(value, f"{value:g}" if isinstance(value, float) else str(value))


def values(listed: list[dict], choice: str) -> list:
    """The values of a choice, in the list's order."""
    return list(dict.fromkeys(universe[choice] for universe in listed))


def place(corpus, split, preset, ablation, loss, options: dict) -> tuple:
    """What the runs of one side of a universe have in common; lengths of generated sequences only with a GAN."""
    names = [name for name in Config().as_dict() if "G" in ablation or name != "fake_lengths"]
    return corpus, split, preset, ablation, loss, *(str(options.get(name)) for name in names)


def differences(records: list[dict], listed: list[dict], score: str = "wa") -> list[dict]:
    """For each universe: BAGM - BAM of a score by seed, each seed on a split of its own; empty without a pair."""
    runs = defaultdict(dict)
    for r in records:
        config = r["config"]
        if r["ablation"] in ("BAM", "BAGM") and report.control(r) == "none" \
                and config["split_seed"] in (None, r["seed"]):  # fmt: skip
            side = place(r["corpus"], r["split"], r["preset"], r["ablation"], r["objective"], config)
            runs[side][config["dataset"], r["fold"], r["seed"]] = r[score]
    found = []
    for u in listed:
        where = u["corpus"], u["split"], u["preset"]
        ours = runs[place(*where, "BAGM", u["objective"], u["options"])]
        theirs = runs[place(*where, "BAM", OBJECTIVES[u["objective"]].real_name, u["options"])]
        by_seed = defaultdict(list)
        for at in sorted(ours.keys() & theirs.keys(), key=str):
            by_seed[at[-1]].append(ours[at] - theirs[at])
        found.append({seed: float(np.mean(some)) for seed, some in by_seed.items()})
    return found


def curve(found: list[dict]) -> list[float | None]:
    """One difference for each universe, all from the same seeds: those that all have, else the first; None without.

    A universe with ten seeds beside one with a single seed would look calmer than it is.
    """
    common = set.intersection(*map(set, found)) if found else set()
    seeds = sorted(common) or [0]
    return [float(np.mean([f[s] for s in seeds])) if set(seeds) <= f.keys() else None for f in found]


def noise(found: list[dict]) -> dict | None:
    """How far one universe's difference varies with the seed (and its split) alone: pooled standard deviation.

    Returns sd, universes (with two seeds or more) and seeds (pairs in these); None where no universe has two.
    """
    repeated = [list(f.values()) for f in found if len(f) > 1]
    if not repeated:
        return None
    squares = sum(float(np.var(some)) * len(some) for some in repeated)
    freedom = sum(len(some) - 1 for some in repeated)
    return {"sd": (squares / freedom) ** 0.5, "universes": len(repeated), "seeds": sum(map(len, repeated))}


def chosen(listed: list[dict], **choices) -> list[bool]:
    """Which universes share a reader's choices; None stands for any."""
    return [all(value is None or u[name] == value for name, value in choices.items()) for u in listed]


def summary(points: list[float], gain: float) -> dict | None:
    """Of some differences: number, lowest, highest, median, and how many lie above `gain` and below 0; None of none."""
    if not points:
        return None
    x = np.array(points)
    return {"number": len(x), "lowest": float(x.min()), "highest": float(x.max()), "median": float(np.median(x)),
            "above": int((x > gain).sum()), "below": int((x < 0).sum())}  # fmt: skip


def effects(listed: list[dict], points: list[float | None]) -> list[dict]:
    """How far each choice moves the answer, over settings of the other choices in which all its values were run.

    For each choice: settings (how many), means (value -> mean difference over these), moved (highest less lowest of
    the means: what the choice does on average) and within (mean over settings of highest less lowest: what it does in
    one setting, with the noise of single runs). means is empty where there is no such setting yet.
    """
    found = []
    for choice in CHOICES:
        settings, wanted = defaultdict(dict), values(listed, choice)
        for u, point in zip(listed, points, strict=True):
            if point is not None:
                settings[tuple(u[other] for other in CHOICES if other != choice)][u[choice]] = point
        full = [[some[v] for v in wanted] for some in settings.values() if len(some) == len(wanted)]
        row = {"choice": choice, "settings": len(full), "means": {}, "moved": None, "within": None}
        if full:
            table = np.array(full)  # (settings, values)
            row["means"] = dict(zip(wanted, table.mean(axis=0).tolist(), strict=True))
            row["moved"], row["within"] = (
                float(np.ptp(table.mean(axis=0))),
                float(np.ptp(table, axis=1).mean()),
            )
        found.append(row)
    return found
