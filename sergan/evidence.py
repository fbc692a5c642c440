"""What the evidence is now, in one figure and one sentence: the paper's gain beside ours, from records.

Nothing here knows how a contrast came out: words follow from intervals by fixed rules.
"""

from __future__ import annotations

from pathlib import Path

from sergan import plan, report, results
from sergan.config import PRESETS
from sergan.evaluation import BOUND

CORPORA = {"nemo": "nEMO", "ravdess": "RAVDESS", "emodb": "EmoDB"}
SPLITS = {"speaker": "unseen speakers", "paper": "random split"}

CONTRASTS = {
    "fused": "BAGM, label read as “fused” − BAM",
    "zero": "BAGM, label read as “zero” − BAM",
    "placebo": "placebo (a second, empty step) − BAM",
    "tuned": "BAGM “fused” − BAM, each at its tuned rate",
}
"""The differences that are shown, in their order; rates are tuned on unseen speakers alone."""


def arms(records: list[dict], corpus: str, split: str, name: str) -> tuple[list[dict], list[dict]]:
    """The two sides of a contrast: the plan's, or `zero`'s."""
    usual = PRESETS[plan.PRESET].lr
    plain = plan.arm(records, corpus, split, "BAM")
    if name == "tuned":
        ours = plan.arm(records, corpus, split, "BAGM")
        return (plan.tuned(ours), plan.tuned(plain)) if split == "speaker" else ([], [])
    if name == "placebo":
        ours = plan.arm(records, corpus, split, "BAM", "placebo")
    else:
        ours = plan.arm(records, corpus, split, "BAGM", objective=name)
    return plan.at_rate(ours, usual), plan.at_rate(plain, usual)


def rows(records: list[dict], store: Path | None = None) -> list[dict]:
    """Every difference of the figure, with or without records.

    Each has contrast, corpus, split, wa (mean and 95 % interval; None without a pair), verdict, p, units, pairs (of
    runs), and the seeds and keys of the records behind it.
    """
    found = []
    for name in CONTRASTS:
        for corpus in CORPORA:
            for split in SPLITS:
                if name == "tuned" and split != "speaker":
                    continue
                both = arms(records, corpus, split, name)
                row = report.contrast(*both, store)
                common = set.intersection(*({place(r) for r in some} for some in both))
                used = [r for some in both for r in some if place(r) in common]
                found.append({"contrast": name, "corpus": corpus, "split": split, "wa": row["wa"],
                              "verdict": row["wa_verdict"], "units": row["units"], "pairs": len(common),
                              "seeds": sorted({r["seed"] for r in used}),
                              "used": {results.key(r["config"]) for r in used}})  # fmt: skip
    return found


def place(record: dict) -> tuple:
    return record["fold"], record["config"]["split_seed"], record["seed"]


def outcome(row: dict) -> str:
    """What a difference says, by rule: `gain`, `loss`, `same`, `open`, `single` (no interval), or `missing`."""
    if row["wa"] is None:
        return "missing"
    _, low, high = row["wa"]
    if low is None:
        return "single"
    if low > 0:
        return "gain"
    if high < 0:
        return "loss"
    return "same" if "within" in row["verdict"] else "open"


def points(values: tuple) -> str:
    """A difference and its interval: `−3.1 points [−9.0, +2.8]`."""
    mean, low, high = values
    ends = "" if low is None else f" [{low:+.1f}, {high:+.1f}]"
    return f"{mean:+.1f} points{ends}".replace("-", "−")


IN_WORDS = {
    "gain": "more right answers: {}",
    "loss": "fewer right answers: {}",
    "same": f"no difference as large as {BOUND} points: {{}}",
    "open": "too close to call: {}",
    "single": "one run a side and so no interval: {}",
    "missing": "not run yet",
}
"""Outcomes in plain words, of the first of two programs against the second."""


def said(row: dict) -> str:
    values = "" if row["wa"] is None else points(row["wa"])
    return IN_WORDS[outcome(row)].format(f"{values} of WA" if values else "")


def counts(found: list[dict]) -> tuple[dict, bool, list[str], int]:
    """What a sentence on the evidence counts, in any language.

    The announced contrasts' rows by name; whether these have all their runs; the outcomes of the rows with an interval;
    how many of those intervals hold the paper's gain.
    """
    main = {
        row["contrast"]: row for row in found if (row["corpus"], row["split"]) == (plan.CORPUS, "speaker")
    }
    short = all(main[name]["pairs"] >= plan.PAIRS["speaker"] for name in ("fused", "placebo", "tuned"))
    told = [row for row in found if row["wa"] is not None and row["wa"][1] is not None]
    kinds = [outcome(row) for row in told]
    inside = sum(row["wa"][1] <= BOUND <= row["wa"][2] for row in told)
    return main, short, kinds, inside


def sentence(found: list[dict]) -> str:
    """In plain words, what the evidence is now."""
    main, short, kinds, inside = counts(found)
    text = (f"**What the evidence is now.** On {CORPORA[plan.CORPUS]}, whose contrasts were announced before the runs, "
            f"for speakers that were never heard in training: with the GAN, its label read as `fused`, "
            f"{said(main['fused'])}; the same with a learning rate tuned for each side, {said(main['tuned'])}; and an "
            f"empty second step in place of the GAN, {said(main['placebo'])}. ")  # fmt: skip
    text += "" if short else "Not all planned runs of these are there yet. "
    text += (f"Of all {len(found)} differences in the figure {len(kinds)} have an interval: {kinds.count('gain')} lie "
             f"above 0, {kinds.count('loss')} below; {inside} hold the paper's +{BOUND}. ")  # fmt: skip
    return text + "None of them was measured on the paper's corpus or at its size (chapters 9 and 11)."


def caption(found: list[dict]) -> str:
    """What stands behind the figure: preset, seeds, records."""
    seeds = sorted({seed for row in found for seed in row["seeds"]})
    used = set().union(*(row["used"] for row in found))
    each = f"1 to {len(seeds)} seeds" if len(seeds) > 1 else "one seed" if seeds else "no seed yet"
    most = max((row["pairs"] for row in found), default=0)
    return (f"The paper's gain in WA, and ours: preset `{plan.PRESET}`, {each}, {len(used)} records, at most {most} "
            "pairs of runs behind a mark, WA at the last epoch. Bars are 95 % intervals, over folds of speakers or "
            "over random splits; an open mark is a single run a side and has none. Grey: the paper's gain to both "
            "sides of 0. Drawn from the records whenever this page is made.")  # fmt: skip


def alt(found: list[dict]) -> str:
    """The figure in words, its values included."""
    parts = []
    for name, title in CONTRASTS.items():
        each = [f"{CORPORA[r['corpus']]}, {SPLITS[r['split']]} {points(r['wa'])}" for r in found
                if r["contrast"] == name and r["wa"] is not None]  # fmt: skip
        parts.append(f"{title}: {'; '.join(each) or 'not run yet'}.")
    return (f"Differences in WA between a recogniser with and one without a GAN. The paper: +{BOUND} points, without "
            f"an interval. Ours: {' '.join(parts)}")  # fmt: skip
