"""The paper's tables, rebuilt from records and laid beside what the paper reports.

A *group* is what may be averaged: records of one corpus, split, preset and set of options.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from tabulate import tabulate

from sergan import ABLATIONS, EMOTIONS, paper, plots
from sergan.config import PRESETS, Config
from sergan.evaluation import interval
from sergan.experiments import BASELINES
from sergan.objectives import OBJECTIVES

RUN = ("fold", "ablation", "objective", "control", "seed", "split_seed")
"""What differs between the records of a group."""


def groups(records: list[dict]) -> list[dict]:
    """Records by what may be averaged; baselines join every group of their corpus and split.

    Each group has `title`, `corpus`, `split`, `preset`, `records`. Where records share one random split
    for several seeds, they form a group of their own: it answers another question.
    """
    found, baselines = defaultdict(list), defaultdict(list)
    for record in records:
        config = record["config"]
        place = (config["corpus"], config["dataset"], config["split"])
        if record["ablation"] in BASELINES:
            baselines[place].append(record)
            continue
        options = tuple(sorted((k, str(v)) for k, v in config.items() if k not in RUN))
        shared = config["split_seed"] if config["split_seed"] not in (None, record["seed"]) else None
        found[place, options, shared].append(record)
    listed = []
    for (place, options, shared), members in sorted(found.items(), key=str):
        if shared is None:  # seed n on its own split n is also one of the runs on a shared split n
            others = {key[2] for key in found if key[:2] == (place, options)} - {None}
            if all(r["config"]["split_seed"] in others for r in members):
                continue
        else:
            own = found.get((place, options, None), [])
            members = members + [r for r in own if r["config"]["split_seed"] == shared]
        preset = members[0]["preset"]
        note = "" if shared is None else f" (split seed {shared})"
        listed.append({
            "title": f"{place[0]}, {place[2]} split{note}, preset {preset}{changed(preset, dict(options))}",
            "corpus": place[0], "split": place[2], "preset": preset, "records": members + baselines[place],
        })  # fmt: skip
    for place in baselines.keys() - {key[0] for key in found}:
        listed.append({"title": f"{place[0]}, {place[2]} split, baselines", "corpus": place[0],
                       "split": place[2], "preset": None, "records": baselines[place]})  # fmt: skip
    return listed


def changed(preset: str, options: dict[str, str]) -> str:
    """The options that differ from the preset's, as text."""
    usual = {name: getattr(PRESETS[preset], name) for name in Config.__dataclass_fields__}
    usual = {name: str(list(value) if isinstance(value, tuple) else value) for name, value in usual.items()}
    differing = [f"{name}={options[name]}" for name in usual if options.get(name, usual[name]) != usual[name]]
    return f" with {', '.join(differing)}" if differing else ""


def rows(records: list[dict]) -> dict[tuple, list[dict]]:
    """Records by (ablation, objective, control), in the paper's order, controls and baselines last."""
    order = [*ABLATIONS, *BASELINES]
    readings = [None, "cross_entropy", *OBJECTIVES]
    found = defaultdict(list)
    for record in records:
        found[record["ablation"], record["objective"], record["control"]].append(record)

    def place(row):
        return row[2] != "none", order.index(row[0]), readings.index(row[1])

    return {row: found[row] for row in sorted(found, key=place)}


def units(records: list[dict], score: str) -> dict[tuple, float]:
    """The independent values behind a mean: one a speaker fold (seeds averaged), or one a run."""
    values = defaultdict(list)
    for r in records:
        unit = ("fold", r["fold"]) if r["split"] == "speaker" else (r["config"]["split_seed"], r["seed"])
        values[unit].append(r[score])
    return {unit: float(np.mean(some)) for unit, some in sorted(values.items(), key=str)}


def table_3(records: list[dict]) -> list[dict]:
    """WA and UA of each row: mean and 95 % t interval over runs or folds, beside the paper's figure."""
    table = []
    for (ablation, objective, control), members in rows(records).items():
        row = {"ablation": ablation, "objective": objective, "control": control, "runs": len(members)}
        row["units"] = len(units(members, "wa"))
        for score in ("wa", "ua"):
            row[score] = interval(list(units(members, score).values()))
            reported = paper.TABLE_3.get(ablation, paper.MAJORITY if ablation == "majority" else {})
            row[f"paper_{score}"] = reported.get(score) if control == "none" else None
        row["time_s"] = float(np.mean([r["time_s"] for r in members]))
        table.append(row)
    return table


def differences(records: list[dict]) -> list[dict]:
    """Each GAN or control row minus the plain run with the same real loss, paired by fold or seed."""
    by_row, table = rows(records), []
    for (ablation, objective, control), members in by_row.items():
        if ablation in BASELINES or ("G" not in ablation and control == "none"):
            continue
        plain = ablation.replace("G", "")
        loss = OBJECTIVES[objective].real_name if "G" in ablation else objective
        if (plain, loss, "none") not in by_row:
            continue
        row = {"ablation": ablation, "objective": objective, "control": control, "minus": plain}
        for score in ("wa", "ua"):
            ours, theirs = units(members, score), units(by_row[plain, loss, "none"], score)
            paired = [ours[unit] - theirs[unit] for unit in ours if unit in theirs]
            row[score] = interval(paired) if paired else None
            if control == "none":
                row[f"paper_{score}"] = paper.TABLE_3[ablation][score] - paper.TABLE_3[plain][score]
            row["units"] = len(paired)
        table.append(row)
    return table


def table_4(records: list[dict], ablation: str = "BAGM") -> dict[str, list[list[float]]]:
    """Confusion of `ablation` by objective, in percent of each true class, classes in the paper's order."""
    order = [EMOTIONS.index(emotion) for emotion in paper.TABLE_4_CLASSES]
    tables = {}
    for (name, objective, control), members in rows(records).items():
        if name == ablation and control == "none":
            counts = np.sum([r["confusion"] for r in members], axis=0)[np.ix_(order, order)]
            tables[objective] = (100 * counts / counts.sum(axis=1, keepdims=True)).tolist()
    return tables


def draw(group: dict, folder: Path) -> Path:
    """Draw the paper's Fig. 3 from a group: WA per epoch of each row; returns the file."""
    curves = {
        " ".join(word for word in row if word not in (None, "none")): [
            [e["wa"] for e in r["curve"]] for r in some
        ]
        for row, some in rows(group["records"]).items()
        if row[0] not in BASELINES
    }
    path = Path(folder) / f"fig3_{re.sub(r'[^a-z0-9.]+', '_', group['title'].lower())}.png"
    plots.save(plots.curves(curves, group["title"]), path)
    return path


def as_dict(group: dict) -> dict:
    """A group's tables, for `--json`."""
    records = group["records"]
    return {name: group[name] for name in ("title", "corpus", "split", "preset")} | {
        "table_3": table_3(records),
        "differences": differences(records),
        "table_4": table_4(records),
    }


def text(group: dict) -> str:
    """A group's tables, for a terminal."""
    records = group["records"]
    total = max(r["folds"] for r in records)
    unit = "speaker folds" if group["split"] == "speaker" else "runs"
    parts = [group["title"], "=" * len(group["title"])]
    table = [[r["ablation"], r["objective"] or "", r["control"].replace("none", ""),
              f"{r['units']}" if r["units"] == r["runs"] else f"{r['units']} ({r['runs']} runs)",
              spread(r["wa"]), number(r["paper_wa"]), spread(r["ua"]), number(r["paper_ua"])]
             for r in table_3(records)]  # fmt: skip
    headers = ["", "objective", "control", unit, "WA % [95 %]", "paper", "UA % [95 %]", "paper"]
    parts += [
        "Table 3: mean test accuracy at the last epoch",
        tabulate(table, headers, disable_numparse=True),
    ]
    if group["split"] == "speaker":
        parts.append(f"Intervals are over speaker folds ({total} in all), seeds averaged within each.")
    else:
        parts.append("Intervals are over runs: they say how far seeds and random splits move the mean, "
                     "not how it would be for other speakers.")  # fmt: skip
    covered = {tuple(units(some, "wa")) for row, some in rows(records).items() if row[0] not in BASELINES}
    if len(covered) > 1:
        parts.append(f"Rows cover different {unit}: compare them only by the paired differences below.")
    if group["corpus"] == "demo":
        parts.append("demo is made of synthetic voices; nothing here is a finding about human speech.")
    if group["corpus"] != "iemocap" or group["preset"] != "paper":
        parts.append("The paper's figures are for IEMOCAP at the paper's size; these runs are not that.")
    if table := [
        [" ".join(r[name] for name in ("ablation", "objective", "control") if r[name] != "none"), r["minus"],
         r["units"], spread(r["wa"], "+"), number(r.get("paper_wa"), "+"), spread(r["ua"], "+"),
         number(r.get("paper_ua"), "+")]
        for r in differences(records)
    ]:  # fmt: skip
        headers = ["", "minus", unit, "WA [95 %]", "paper", "UA [95 %]", "paper"]
        parts += ["", "Differences, paired", tabulate(table, headers, disable_numparse=True)]
    for name, confusion in itertools.chain(table_4(records).items(), [("the paper", paper.TABLE_4)]):
        if not table_4(records):
            break
        body = [[emotion, *(f"{x:.2f}" for x in row)]
                for emotion, row in zip(paper.TABLE_4_CLASSES, confusion, strict=True)]  # fmt: skip
        parts += ["", f"Table 4: confusion of BAGM, {name}, % of the true class (rows)",
                  tabulate(body, ["", *paper.TABLE_4_CLASSES], disable_numparse=True)]  # fmt: skip
    return "\n".join(parts)


def splits(groups: list[dict]) -> list[dict]:
    """What the split is worth: mean UA of each row under both, where a store has both."""
    by_title = {(group["title"], group["split"]): table_3(group["records"]) for group in groups}
    rows = []
    for (title, split), table in by_title.items():
        other = by_title.get((title.replace("paper split", "speaker split", 1), "speaker"))
        if split != "paper" or other is None:
            continue
        unseen = {(row["ablation"], row["objective"], row["control"]): row for row in other}
        for row in table:
            name = (row["ablation"], row["objective"], row["control"])
            if name in unseen and row["ablation"] != "majority":
                other = unseen[name]
                words = " ".join(word for word in name if word not in (None, "none"))
                rows.append({"group": title.split(",")[0], "row": words, "paper": row["ua"][0],
                             "runs": row["units"], "speaker": other["ua"][0], "folds": other["units"]})  # fmt: skip
    return rows


def splits_text(rows: list[dict]) -> str:
    table = [[r["group"], r["row"], f"{r['paper']:.1f} ({r['runs']})", f"{r['speaker']:.1f} ({r['folds']})",
              number(r["speaker"] - r["paper"], "+")]
             for r in rows]  # fmt: skip
    headers = ["", "", "UA %, random split (runs)", "UA %, unseen speakers (folds)", "difference"]
    return "What the split is worth\n" + tabulate(table, headers, disable_numparse=True)


def number(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.2f}"


def spread(values: tuple | None, sign: str = "") -> str:
    if values is None:
        return ""
    mean, low, high = values
    return f"{mean:{sign}.1f}" + ("" if low is None else f" [{low:{sign}.1f}, {high:{sign}.1f}]")
