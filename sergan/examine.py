"""`sergan examine`: somebody's own augmentation beside everything that could gain the same without it.

One list of runs, one table, one conclusion by a rule that was there before the runs. All arms share split,
first weights, order of batches and seed, so that differences are paired.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tabulate import tabulate

from sergan import SerganError, experiments, plan, report, results
from sergan.config import Config
from sergan.data import Dataset
from sergan.evaluation import BOUND
from sergan.experiments import BASELINES, Run

CONTROLS = {
    "placebo": {"control": "placebo"},
    "sqrt2": {"control": "sqrt2"},
    "label_smoothing=0.1": {"changes": {"label_smoothing": "0.1"}},
    "confidence_penalty=0.1": {"changes": {"confidence_penalty": "0.1"}},
}
"""What could explain a gain, by the names of `report.control`: other steps of Adam, or any brake on confidence."""

FACTORS = (1 / 8, 1 / 4, 1 / 2, 1)
"""Learning rates to tune over, times the usual one: the small presets' are high already."""

PLAIN, TUNED = "plain", "plain, each at its tuned rate"

RULE = {
    "unknown": ("a difference without an interval", "nothing yet: an interval needs two units or more"),
    "harm": ("the main difference is below 0", "it harms"),
    "rate": ("above 0 at the usual rate, but equivalent to 0 at tuned rates",
             "a gain of the learning rate: plain training has it too, at a rate of its own"),
    "unconfirmed": ("above 0 at the usual rate, but undecided at tuned rates",
                    "a gain at the usual rate, which may be the learning rate's"),
    "tuned only": ("above 0 at tuned rates, but not at the usual one",
                   "a gain at tuned rates; the controls ran at the usual one and cannot say whose it is"),
    "explained": ("above 0, but not above a control that is itself above plain training",
                  "a gain that {controls} can explain"),
    "not separated": ("above 0, but not above every control", "a gain, not shown to be more than {controls}"),
    "gain": ("above 0, and above every control", "a gain that no control here explains"),
    "none": ("equivalent to 0", f"neither help nor harm of {BOUND:g} points"),
    "undecided": ("anything else", "undecided"),
}  # fmt: skip
"""What is said, by what is seen: the first row that holds. The main difference is augmented minus plain, at tuned
rates where they could be tuned; above and below 0 is a 95 % interval of WA clear of 0. A gain needs all of several
intervals, so it needs no adjustment for their number."""


def runs(dataset: Dataset, *, augment: str, changes: dict[str, str] | None = None, **choices) -> list[Run]:
    """All runs that are needed, the plain ones first. Takes what `experiments.plan` takes."""
    changes = changes or {}
    if own := [name for name in changes if name in Config.PENALTIES + Config.RARE]:
        raise SerganError(
            f"--set {own[0]}: penalties and weights are no part of this comparison; leave it out"
        )
    usual = experiments.check(changes=changes, **choices).lr
    arms = [{}, {"augment": augment}, *CONTROLS.values()]
    if choices["split"] == "speaker":
        tuned = [{"changes": {"lr": repr(rate)}} for rate in rates(usual)]
        arms += [*tuned, *(arm | {"augment": augment} for arm in tuned)]
    listed = []
    for arm in arms:
        listed += experiments.plan(dataset, **choices | arm | {"changes": changes | arm.get("changes", {})})
    return list(dict.fromkeys(listed))


def forecast(runs: list[Run], store: Path, jobs: int = 1) -> str:
    """The arms, how many runs each has and how many are done, and how long the rest may take."""
    counts, spent = {}, []
    for run in runs:
        row = {
            "ablation": run.ablation,
            "objective": None,
            "control": report.control(vars(run) | {"config": run.config}),
        }
        name = report.words(row) + (f", rate {run.options.lr:g}" if run.options else "")
        done = results.is_done(store, run.config)
        counts[name] = [a + b for a, b in zip(counts.get(name, (0, 0)), (1, done), strict=True)]
        if done and run.options:
            spent.append(results.load(Path(store) / f"{results.key(run.config)}.json")["time_s"])
    left = sum(a - b for a, b in counts.values())
    long = "how long one takes shows after the first"
    if spent:
        long = f"about {left * sum(spent) / len(spent) / jobs / 60:.0f} minutes for the rest, if they take as long"
    table = tabulate([[name, *both] for name, both in counts.items()], ["", "runs", "done"])
    return f"{table}\n{len(runs)} runs, {len(runs) - left} of them in {store}; {long}"


def rates(usual: float) -> tuple[float, ...]:
    return tuple(usual * factor for factor in FACTORS)


def arms(records: list[dict], usual: float) -> dict[tuple, tuple[list[dict], list[dict]]]:
    """The two sides of each contrast, by what is compared: `ours` with plain and controls, controls with plain."""
    by_arm = {}
    for r in (r for r in records if r["ablation"] not in BASELINES):
        by_arm.setdefault((report.control(r), r["config"]["lr"]), []).append(r)
    (ours,) = {report.control(r) for r in records if r["config"].get("augmentation")}

    def at(control, rate=usual):
        return by_arm.get((control, rate), [])

    found = {(ours, PLAIN): (at(ours), at("none"))}
    if records[0]["split"] == "speaker":
        found[ours, TUNED] = tuple(
            plan.tuned([r for rate in rates(usual) for r in at(control, rate)], rates(usual))
            for control in (ours, "none")
        )
    found |= {(name, PLAIN): (at(name), at("none")) for name in CONTROLS}
    found |= {(ours, name): (at(ours), at(name)) for name in CONTROLS}
    return found


def beside(records: list[dict], ours: list[dict]) -> list[dict]:
    """The records of `ours` (with an augmentation) and, of a store of everything, those to compare them with."""
    own = ("fold", "split_seed", "control", "others", "augmentation", "lr", *report.CONTROLS)

    def place(r):
        return {name: value for name, value in r["config"].items() if name not in own}

    places, (corpus, split) = list(map(place, ours)), (ours[0]["config"]["dataset"], ours[0]["split"])
    found = [r for r in records if report.control(r) in ("none", *CONTROLS) and place(r) in places]
    return found + ours + [r for r in records if r["ablation"] in BASELINES
                           and (r["config"]["dataset"], r["split"]) == (corpus, split)]  # fmt: skip


def look(records: list[dict], usual: float, store: Path | None = None) -> dict:
    """Arms, contrasts, rates taken and the conclusion, from the records of one augmentation.

    Args:
        records: of the runs of `runs`, of the same folds and seeds for all arms.
        usual: the learning rate at which controls are compared.
    """
    sides = arms(records, usual)
    contrasts = {pair: report.contrast(*both, store) for pair, both in sides.items()}
    ours = next(iter(sides))[0]
    taken = {}
    if (ours, TUNED) in sides:
        for name, some in zip((ours, PLAIN), sides[ours, TUNED], strict=True):
            taken[name] = dict(sorted(Counter(r["config"]["lr"] for r in some).items()))
    at_usual = [r for r in records if r["config"].get("lr", usual) == usual]
    name, said = conclude(ours, contrasts)
    first = next(r for r in records if r["ablation"] not in BASELINES)
    return {
        "augmentation": ours, "corpus": first["corpus"], "split": first["split"], "preset": first["preset"],
        "lr": usual, "seeds": len({r["seed"] for r in records} - {None}), "arms": report.table_3(at_usual, store),
        "contrasts": [{"ours": a, "minus": b, **row} for (a, b), row in contrasts.items()],
        "rates": taken, "rule": name, "conclusion": said,
    }  # fmt: skip


def side(row: dict) -> int | None:
    """1 where the interval of a difference is above 0, -1 below, 0 where it holds 0; None without one."""
    if row["wa"] is None or row["wa"][1] is None:
        return None
    return int(row["wa"][1] > 0) - int(row["wa"][2] < 0)


def conclude(ours: str, contrasts: dict[tuple, dict]) -> tuple[str, str]:
    """The row of `RULE` that holds, and what it says of these contrasts."""
    usual = contrasts[ours, PLAIN]
    main = contrasts.get((ours, TUNED), usual)
    at_usual, at_main = side(usual), side(main)
    equivalent = "within" in (main["wa_verdict"] or "")
    level = [name for name in CONTROLS if side(contrasts[ours, name]) != 1]
    enough = [name for name in level if side(contrasts[name, PLAIN]) == 1]
    holds = {
        "unknown": at_usual is None or at_main is None,
        "harm": at_main == -1,
        "rate": at_usual == 1 and at_main == 0 and equivalent,
        "unconfirmed": at_usual == 1 and at_main == 0,
        "tuned only": at_main == 1 and at_usual != 1,
        "explained": at_main == 1 and bool(enough),
        "not separated": at_main == 1 and bool(level),
        "gain": at_main == 1,
        "none": equivalent,
        "undecided": True,
    }
    name = next(name for name, true in holds.items() if true)
    said = f"{ours}: " + RULE[name][1].format(controls=" and ".join(enough or level))
    if name != "unknown":
        where = "at tuned rates" if (ours, TUNED) in contrasts else "at the usual rate"
        said += f" ({report.spread(main['wa'], '+')} points of WA {where}, {main['units']} units)"
        chance, needed = report.power(main, "wa")
        if name in ("unconfirmed", "undecided") and needed:
            said += f". A true gain of {BOUND:g} would show with a chance of {chance}; for 80 % it takes {needed} units"
    if (ours, TUNED) not in contrasts:
        said += ". The paper's split has no validation part to tune a learning rate on, so a gain can be the rate's"
    return name, said + "."


def tables(found: dict) -> dict[str, tuple[list[str], list[list[str]]]]:
    """What `look` found as tables: heading to head and rows, all of them text."""
    unit = "speaker folds" if found["split"] == "speaker" else "runs"
    where = f"{found['corpus']}, {found['split']} split, preset {found['preset']}, {found['seeds']} seed(s)"
    rows = [
        [report.words(r), str(r["units"]), report.spread(r["wa"]), report.spread(r["ua"])]
        for r in found["arms"]
    ]
    compared = [
        [f"{r['ours']} - {r['minus']}", str(r["units"]), report.spread(r["wa"], "+"), report.p(r["wa_equivalence"]),
         r["wa_verdict"] or "", report.power(r, "wa")[1], report.spread(r["ua"], "+")]
        for r in found["contrasts"]
    ]  # fmt: skip
    named = {
        f"Arms at the learning rate {found['lr']:g}: {where}": (["", unit, "WA % [95 %]", "UA % [95 %]"], rows),
        "Differences, paired": (["", unit, "WA, points [95 %]", f"p, equivalence within {BOUND:g}", "verdict",
                                 f"{unit} for 80 % power", "UA, points [95 %]"], compared),
    }  # fmt: skip
    if found["rates"]:
        every = rates(found["lr"])
        named[f"Learning rates taken, by validation UA: {unit}"] = (
            ["", *(f"{rate:g}" for rate in every)],
            [[name, *(str(taken.get(rate, 0)) for rate in every)] for name, taken in found["rates"].items()],
        )
    return named


def text(found: dict) -> str:
    """What `look` found, for a terminal."""
    parts = []
    for title, (head, rows) in tables(found).items():
        parts += [title, tabulate(rows, head, disable_numparse=True), ""]
    if found["corpus"] == "demo":
        parts += [report.SYNTHETIC]
    return "\n".join(
        [*parts, f"Conclusion, by the rule of sergan.examine.RULE ({found['rule']}):", found["conclusion"]]
    )
