"""The paper's tables, rebuilt from records and laid beside what the paper reports.

A *group* is what may be averaged: records of one corpus, split, preset and set of options. What the mean of a
row estimates, and so which interval it has, depends on the split: see `ESTIMANDS` and `sergan.evaluation`.

Functions that take a `store` look there for the answers of each record (`KEY.npz`). Without them there is no
calibration, and no interval for runs on different random splits.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from sergan import ABLATIONS, EMOTIONS, SerganError, evaluation, paper, plots, results
from sergan.config import PRESETS, Config
from sergan.evaluation import BOUND, interval
from sergan.experiments import BASELINES
from sergan.files import whole_zip
from sergan.objectives import OBJECTIVES

ANSWERS = ("logits", "labels", "speakers", "rows")
"""Of each test utterance: its four logits, class, speaker (a number) and row in the corpus."""

UNSEEN = ("unseen_logits", "unseen_emotions", "unseen_names")
"""Of each recording of the test speakers' other emotions: its logits and emotion (a number), and the names of those."""

CONTROLS = (*Config.PENALTIES, *Config.RARE)
"""Options that are controls, named in the row of a table."""

RUN = ("fold", "ablation", "objective", "control", "others", "augmentation", "seed", "split_seed", *CONTROLS)
"""What differs between the records of a group."""

ESTIMANDS = {
    "speakers": "new speakers: t interval over speaker folds, seeds averaged within each",
    "splits": "new random splits of such a corpus, the same people speaking: interval over runs, with what "
    "their test parts share",
    "split": "this split only, other seeds: t interval over runs",
}
"""What the mean of a row estimates, and from which units its interval comes."""

CONFIDENCES = ("probability", "energy")

CALIBRATION = {
    "ece": "calibration error, points",
    "floor": "if calibrated, points",
    "nll": "-log p, nats",
    "aurc": "area under risk-coverage, %",
}
"""What `calibration` measures, and its heading."""

FLOOR = (
    "If calibrated: the error of a recogniser that is as sure, in as many answers, and right as often as it says. With "
    "few answers that is not 0, and an error near it shows nothing."
)
"""What must be said beside a calibration error."""

TESTS = ("p", "equivalence", "sign_flip", "verdict", "power", "needed")
"""What `contrast` says of a difference besides its interval."""

SYNTHETIC = "demo is made of synthetic voices; nothing here is a finding about human speech."

FEWEST_SIGNS = 6
"""Units from which a sign-flip test can fall below .05."""


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
        beside = [r for r in baselines[place] if shared in (None, r["config"]["split_seed"])]
        preset = members[0]["preset"]
        note = "" if shared is None else f" (split seed {shared})"
        listed.append({
            "title": f"{place[0]}, {place[2]} split{note}, preset {preset}{changed(preset, dict(options))}",
            "corpus": place[0], "split": place[2], "preset": preset, "records": members + beside,
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
    """Records by (ablation, objective, control), in the paper's order, controls and baselines last.

    A penalty on real data instead of negatives is a control too, named as its option: `label_smoothing=0.1`.
    """
    order = [*ABLATIONS, *BASELINES]
    readings = [None, "cross_entropy", *OBJECTIVES]
    found = defaultdict(list)
    for record in records:
        found[record["ablation"], record["objective"], control(record)].append(record)

    def place(row):
        return row[2] != "none", order.index(row[0]), readings.index(row[1])

    return {row: found[row] for row in sorted(found, key=place)}


def control(record: dict) -> str:
    """A record's control, its penalties included, and somebody's own augmentation: `mixup (1a2b)`."""
    penalties = [f"{k}={record['config'][k]:g}" for k in CONTROLS if record["config"].get(k)]
    if augmentation := record["config"].get("augmentation"):
        name, _, content = augmentation.partition(" ")
        penalties.append(f"{name} ({content[:4]})")
    return ", ".join([record["control"]] * (record["control"] != "none" or not penalties) + penalties)


def estimand(records: list[dict]) -> str:
    """Which of `ESTIMANDS` the mean of a row is: records of one split."""
    if records[0]["split"] == "speaker":
        return "speakers"
    return "splits" if len({r["config"]["split_seed"] for r in records}) > 1 else "split"


def unit(record: dict, what: str) -> tuple:
    """The independent unit that a record belongs to, under an estimand."""
    if what == "speakers":
        return ("fold", record["fold"])
    return (record["config"]["split_seed"], record["seed"] if what == "split" else None)


def units(records: list[dict], score: str) -> dict[tuple, float]:
    """The values behind a mean: one a speaker fold or random split (seeds averaged), or one a run of one split."""
    values, what = defaultdict(list), estimand(records)
    for r in records:
        values[unit(r, what)].append(r[score])
    return {name: float(np.mean(some)) for name, some in sorted(values.items(), key=str)}


def answers(record: dict, store: Path | None) -> dict[str, np.ndarray] | None:
    """A record's arrays from its store: `ANSWERS`, and `UNSEEN` where its corpus has other emotions; None without."""
    path = None if store is None else Path(store) / f"{results.key(record['config'])}.npz"
    if path is None or not path.exists():
        return None
    try:
        whole_zip(path, most=results.LARGEST)
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ANSWERS}
            found |= {name: arrays[name] for name in UNSEEN if name in arrays}
        demand_answers(**found)
    except Exception as error:  # a stranger's bytes can fail in any way
        raise SerganError(f"answers {path} are damaged; delete {path.stem}.* and run again") from error
    return {name: a.astype(np.float64) if name.endswith("logits") else a for name, a in found.items()}


def demand_answers(
    logits, labels, speakers, rows, unseen_logits=None, unseen_emotions=None, unseen_names=None
) -> None:
    """Raises where arrays are not what a run writes, see `ANSWERS` and `UNSEEN`."""

    def demand(array, shape, kinds, below=None):
        if array.shape != shape or array.dtype.kind not in kinds:
            raise ValueError(f"an array of {array.dtype} has the shape {array.shape}")
        if below is not None and not ((array >= 0) & (array < below)).all():
            raise ValueError(f"a number is not from 0 to {below - 1}")

    count, classes = len(labels), len(EMOTIONS)
    demand(logits, (count, classes), "f")
    demand(labels, (count,), "iu", classes)
    demand(speakers, (count,), "iu", 2**31)
    demand(rows, (count,), "iu", 2**31)
    if not count or len(np.unique(rows)) < count:
        raise ValueError("an utterance is asked twice, or none is")
    if unseen_logits is not None:
        demand(unseen_logits, (len(unseen_emotions), classes), "f")
        demand(unseen_names, (len(unseen_names),), "U")
        demand(unseen_emotions, (len(unseen_logits),), "iu", len(unseen_names))


def right(records: list[dict], store: Path | None) -> tuple[pd.DataFrame, pd.Series] | None:
    """Points of each unit (rows) for each utterance of the corpus (columns), NaN where not asked; and labels.

    None where a record's answers are not there.
    """
    what, points, labels = estimand(records), defaultdict(list), {}
    for record in records:
        if (found := answers(record, store)) is None:
            return None
        hit = 100.0 * (found["logits"].argmax(axis=1) == found["labels"])
        points[unit(record, what)].append(pd.Series(hit, index=found["rows"]))
        labels |= dict(zip(found["rows"].tolist(), found["labels"].tolist(), strict=True))
    table = pd.DataFrame(
        {n: pd.concat(some, axis=1).mean(axis=1) for n, some in enumerate(points.values())}
    ).T
    return table, pd.Series(labels).reindex(table.columns)


def uncertainty(records: list[dict], minus: list[dict] | None, score: str, store: Path | None) -> dict | None:
    """How `evaluation.estimate` must treat the units of `records` (less those of `minus`); None if unknowable.

    Nadeau and Bengio's correction is not used: with noise of seeds it covers up to 100 %, not 95.
    """
    if estimand(records) != "splits":
        return {}
    ours, theirs = right(records, store), None if minus is None else right(minus, store)
    if ours is None or (minus is not None and theirs is None):
        return None
    points, labels = ours
    if theirs is not None:
        points = points - theirs[0]
    return {
        "shared": evaluation.shared_variance(points, labels, sum(records[0]["utterances"].values()), score)
    }


def table_3(records: list[dict], store: Path | None = None) -> list[dict]:
    """WA and UA of each row: mean and 95 % interval of its estimand, beside the paper's figure."""
    table = []
    for (ablation, objective, control), members in rows(records).items():
        row = {"ablation": ablation, "objective": objective, "control": control, "runs": len(members)}
        row["units"] = len(units(members, "wa"))
        row["estimand"] = estimand(members)
        for score in ("wa", "ua"):
            values, how = list(units(members, score).values()), uncertainty(members, None, score, store)
            row[score] = (float(np.mean(values)), None, None) if how is None else interval(values, **how)
            reported = paper.TABLE_3.get(ablation, paper.MAJORITY if ablation == "majority" else {})
            row[f"paper_{score}"] = reported.get(score) if control == "none" else None
        row["time_s"] = float(np.mean([r["time_s"] for r in members]))
        table.append(row)
    return table


def contrast(ours: list[dict], theirs: list[dict], store: Path | None = None) -> dict:
    """`ours` minus `theirs`, paired by fold or split and seed; what only one side has is left out.

    Returns units, estimand, and for wa and ua: the mean difference and its 95 % interval (None without pairs),
    `..._p` that it is 0, `..._equivalence` that it is 1.86 points or more, `..._sign_flip` (from 6 units on, not
    across random splits), `..._verdict` in words; `..._power`, the chance that such an interval would exclude 0 if
    the true difference were 1.86, and `..._needed`, the units for which that is 80 % (None: 10,000 are too few),
    both as if the spread between these units were the true one. All are None where there is no interval.

    Raises SerganError where a side has two records for one place, or the sides differ in corpus or split.
    """
    if len(places := {(r["config"]["dataset"], r["split"]) for r in (*ours, *theirs)}) > 1:
        raise SerganError(f"records of {len(places)} corpora or kinds of split cannot be paired")
    sides = []
    for records in (ours, theirs):
        cells = {(r["fold"], r["config"]["split_seed"], r["seed"]): r for r in records}
        if len(cells) < len(records):
            raise SerganError(
                "two records of one side have the same fold and seed: choose one row of one group"
            )
        sides.append(cells)
    common = [cell for cell in sides[0] if cell in sides[1]]
    ours, theirs = ([cells[cell] for cell in common] for cells in sides)
    row = {"units": len(units(ours, "wa")) if common else 0, "estimand": estimand(ours) if common else None}
    for score in ("wa", "ua"):
        row[score] = None
        row |= {f"{score}_{test}": None for test in TESTS}
        if not common:
            continue
        minus = units(theirs, score)
        values = [value - minus[name] for name, value in units(ours, score).items()]
        how = uncertainty(ours, theirs, score, store)
        row[score] = (float(np.mean(values)), None, None) if how is None else interval(values, **how)
        if row[score][1] is None:
            continue
        row[f"{score}_p"] = evaluation.p_value(values, **how)
        row[f"{score}_equivalence"] = evaluation.equivalence(values, **how)
        row[f"{score}_verdict"] = evaluation.verdict(values, **how)
        if (sd := float(np.std(values, ddof=1))) > 0:
            row[f"{score}_power"] = evaluation.power(BOUND, sd, row["units"], **how)
            row[f"{score}_needed"] = evaluation.units_needed(BOUND, sd, **how)
        if row["units"] >= FEWEST_SIGNS and row["estimand"] != "splits":
            row[f"{score}_sign_flip"] = evaluation.sign_flip(values)
    return row


def differences(records: list[dict], store: Path | None = None) -> list[dict]:
    """Each GAN or control row minus the plain run with the same real loss: a `contrast` each."""
    by_row, table = rows(records), []
    for (ablation, objective, control), members in by_row.items():
        if ablation in BASELINES or ("G" not in ablation and control == "none"):
            continue
        plain = ablation.replace("G", "")
        loss = OBJECTIVES[objective].real_name if "G" in ablation else objective
        if (plain, loss, "none") not in by_row:
            continue
        row = {"ablation": ablation, "objective": objective, "control": control, "minus": plain}
        row |= contrast(members, by_row[plain, loss, "none"], store)
        if control == "none":
            for score in ("wa", "ua"):
                row[f"paper_{score}"] = paper.TABLE_3[ablation][score] - paper.TABLE_3[plain][score]
        table.append(row)
    return table


def planned(contrasts: Mapping[str, dict], score: str = "wa") -> list[dict]:
    """The contrasts that were planned before the runs, with Holm's adjustment over these and no others.

    Args:
        contrasts: by name, each from `contrast` or `differences`, the primary one first.

    Returns name, units, estimand, difference (mean and 95 % interval), p, p_holm, equivalence, verdict of each.

    Raises SerganError for one without an interval.
    """
    for name, row in contrasts.items():
        if row[f"{score}_p"] is None:
            raise SerganError(f"the planned contrast {name!r} has no interval: it needs 2 or more units, and the "
                              "store with its answers where splits are random")  # fmt: skip
    adjusted = evaluation.holm({name: row[f"{score}_p"] for name, row in contrasts.items()})
    return [
        {"name": name, "units": row["units"], "estimand": row["estimand"], "difference": row[score],
         "p": row[f"{score}_p"], "p_holm": adjusted[name], "equivalence": row[f"{score}_equivalence"],
         "verdict": row[f"{score}_verdict"]}
        for name, row in contrasts.items()
    ]  # fmt: skip


def calibration(records: list[dict], store: Path | None) -> list[dict]:
    """How far the probabilities of each row can be trusted: means over its runs, from their answers.

    Returns for each row with answers: calibration error (points), what that would be if the confidence were true
    (`evaluation.calibration_floor`), negative log-likelihood (nats), area under the risk-coverage curve (percent).
    Those are None where a logit is not finite. Rows without answers are left out.
    """
    table = []
    for (ablation, objective, control), members in rows(records).items():
        measured = []
        for record in members:
            if (found := answers(record, store)) is None:
                break
            if not np.isfinite(found["logits"]).all():
                measured.append([np.nan] * len(CALIBRATION))
                continue
            chances = evaluation.probabilities(found["logits"], objective)
            sure, hit = chances.max(axis=1), found["logits"].argmax(axis=1) == found["labels"]
            measured.append([evaluation.calibration_error(chances, found["labels"]),
                             evaluation.calibration_floor(chances),
                             evaluation.negative_log_likelihood(chances, found["labels"]),
                             evaluation.risk_coverage(sure, hit).area])  # fmt: skip
        else:
            means = [None if np.isnan(x) else float(x) for x in np.mean(measured, axis=0)]
            table.append({"ablation": ablation, "objective": objective, "control": control, "runs": len(members),
                          **dict(zip(CALIBRATION, means, strict=True))})  # fmt: skip
    return table


def rejection(records: list[dict], store: Path | None) -> list[dict]:
    """Whether a recogniser is less sure of emotions that it never met: AUROC of the known against the unseen.

    Returns for each row whose runs answered other emotions too (see `evaluation.rejection`): units, and AUROC of
    `probability` and of `energy`, each a mean over units with its 95 % interval (none across random splits). A row
    that learnt from other emotions as negatives has not met "unseen" ones, and is left out, as its runs lack them.
    """
    table = []
    for (ablation, objective, control), members in rows(records).items():
        found = [answers(record, store) for record in members]
        if ablation in BASELINES or not all(f is not None and "unseen_logits" in f for f in found):
            continue
        scored = [
            {how: evaluation.rejection(*(evaluation.confidence(f[logits], objective, how)
                                         for logits in ("logits", "unseen_logits")))
             for how in CONFIDENCES}
            for f in found
        ]  # fmt: skip
        row = {"ablation": ablation, "objective": objective, "control": control}
        for how in CONFIDENCES:
            values = units([r | s for r, s in zip(members, scored, strict=True)], how)
            row["units"], row["estimand"] = len(values), estimand(members)
            unknown = np.nan if row["estimand"] == "splits" else 0.0
            row[how] = interval(list(values.values()), shared=unknown)
        table.append(row)
    return table


def single(ours: list[dict], theirs: list[dict], store: Path | None) -> dict | None:
    """A contrast of speakers checked on single utterances, see `evaluation.logistic`; None where it cannot be.

    Pairs are those of `contrast`.
    """
    if not ours or estimand(ours) != "speakers":
        return None
    tables, common = [], {(r["fold"], r["seed"]) for r in ours} & {(r["fold"], r["seed"]) for r in theirs}
    for arm, records in (("ours", ours), ("theirs", theirs)):
        for r in (r for r in records if (r["fold"], r["seed"]) in common):
            if (found := answers(r, store)) is None:
                return None
            hit = (found["logits"].argmax(axis=1) == found["labels"]).astype(int)
            tables.append(
                pd.DataFrame({"correct": hit, "utterance": found["rows"], "fold": r["fold"], "arm": arm})
            )
    try:
        return evaluation.logistic(pd.concat(tables), reference="theirs", cluster="fold")
    except (SerganError, ValueError):  # too few folds, or an arm that is never or always right
        return None


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


def as_dict(group: dict, store: Path | None = None) -> dict:
    """A group's tables, for `--json`."""
    records = group["records"]
    return {name: group[name] for name in ("title", "corpus", "split", "preset")} | {
        "table_3": table_3(records, store),
        "differences": differences(records, store),
        "table_4": table_4(records),
        "calibration": calibration(records, store),
        "rejection": rejection(records, store),
    }


def remarks(group: dict, store: Path | None = None) -> list[str]:
    """What must be said beside a group's table of means, a sentence each."""
    records, said = group["records"], []
    trained = {row: some for row, some in rows(records).items() if row[0] not in BASELINES}
    shown = [estimand(some) for some in trained.values() or rows(records).values()]
    folds = f"speaker folds ({max(r['folds'] for r in records)} in all)"
    for what in dict.fromkeys(shown):
        said.append(f"The means are for {ESTIMANDS[what].replace('speaker folds', folds)}.")
    if "splits" in shown and any(answers(r, store) is None for r in records):
        said.append("Random splits overlap: without the answers of each run (the .npz beside its record) there is "
                    "no interval.")  # fmt: skip
    if group["split"] == "paper":
        said.append(
            "The same people speak in the training part: nothing here says how it would be for others."
        )
    if len({tuple(units(some, "wa")) for some in trained.values()}) > 1:
        covered = "speaker folds" if group["split"] == "speaker" else "runs"
        said.append(f"Rows cover different {covered}: compare them only by the paired differences below.")
    if group["corpus"] == "demo":
        said.append(SYNTHETIC)
    if group["corpus"] != "iemocap" or group["preset"] != "paper":
        said.append("The paper's figures are for IEMOCAP at the paper's size; these runs are not that.")
    return said


def text(group: dict, store: Path | None = None) -> str:
    """A group's tables, for a terminal."""
    records = group["records"]
    unit = "speaker folds" if group["split"] == "speaker" else "runs"
    parts = [group["title"], "=" * len(group["title"])]
    table = [[r["ablation"], r["objective"] or "", r["control"].replace("none", ""),
              f"{r['units']}" if r["units"] == r["runs"] else f"{r['units']} ({r['runs']} runs)",
              spread(r["wa"]), number(r["paper_wa"]), spread(r["ua"]), number(r["paper_ua"])]
             for r in table_3(records, store)]  # fmt: skip
    headers = ["", "objective", "control", unit, "WA % [95 %]", "paper", "UA % [95 %]", "paper"]
    parts += [
        "Table 3: mean test accuracy at the last epoch",
        tabulate(table, headers, disable_numparse=True),
        *remarks(group, store),
    ]
    compared = differences(records, store)
    if compared:
        table = [[words(r), r["minus"], r["units"], spread(r["wa"], "+"), number(r.get("paper_wa"), "+"),
                  spread(r["ua"], "+"), number(r.get("paper_ua"), "+")]
                 for r in compared]  # fmt: skip
        headers = ["", "minus", unit, "WA [95 %]", "paper", "UA [95 %]", "paper"]
        parts += ["", "Differences, paired", tabulate(table, headers, disable_numparse=True)]
    table = [[words(r), score.upper(), r[f"{score}_verdict"], p(r[f"{score}_equivalence"]),
              p(r[f"{score}_sign_flip"]), *power(r, score)]
             for r in compared for score in ("wa", "ua") if r[f"{score}_verdict"]]  # fmt: skip
    if table:
        headers = ["", "", "verdict", f"p, equivalence within {BOUND:g}", "p, sign flips",
                   f"power for {BOUND:g}", f"{unit} for 80 %"]  # fmt: skip
        parts += ["", f"The same against the paper's {BOUND:g} points", tabulate(table, headers, disable_numparse=True),
                  "Nothing here is adjusted for the number of rows: only contrasts planned beforehand are tests, the "
                  "rest describe."]  # fmt: skip
    for name, confusion in itertools.chain(table_4(records).items(), [("the paper", paper.TABLE_4)]):
        if not table_4(records):
            break
        body = [[emotion, *(f"{x:.2f}" for x in row)]
                for emotion, row in zip(paper.TABLE_4_CLASSES, confusion, strict=True)]  # fmt: skip
        parts += ["", f"Table 4: confusion of BAGM, {name}, % of the true class (rows)",
                  tabulate(body, ["", *paper.TABLE_4_CLASSES], disable_numparse=True)]  # fmt: skip
    if measured := calibration(records, store):
        table = [[words(r), r["runs"], *(number(r[name]) for name in CALIBRATION)] for r in measured]
        headers = ["", "runs", *CALIBRATION.values()]
        parts += [
            "",
            "Calibration: means over runs, without intervals",
            tabulate(table, headers, disable_numparse=True),
            FLOOR,
        ]
    if told := rejection(records, store):
        table = [[words(r), r["units"], *(auroc(r[how]) for how in CONFIDENCES)] for r in told]
        headers = ["", unit, "AUROC of the largest probability", "of logsumexp of the logits"]
        parts += ["", "Rejection: four emotions learnt, against the corpus's other emotions, never met; .5 is no use",
                  tabulate(table, headers, disable_numparse=True)]  # fmt: skip
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


def words(row: dict) -> str:
    """A row's name, as text."""
    return " ".join(row[k] for k in ("ablation", "objective", "control") if row[k] not in (None, "none"))


def p(value: float | None) -> str:
    return "" if value is None else "<.001" if value < 0.001 else f"{value:.3f}".lstrip("0")


def power(row: dict, score: str) -> tuple[str, str]:
    """A contrast's power for the paper's gain, and the units that it would take, as text."""
    if row[f"{score}_power"] is None:
        return "", ""
    needed = row[f"{score}_needed"]
    return f"{100 * row[f'{score}_power']:.0f} %", "over 10,000" if needed is None else f"{needed:,}"


def auroc(values: tuple) -> str:
    mean, low, high = values
    return f"{mean:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")


def number(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.2f}"


def spread(values: tuple | None, sign: str = "") -> str:
    if values is None:
        return ""
    mean, low, high = values
    return f"{mean:{sign}.1f}" + ("" if low is None else f" [{low:{sign}.1f}, {high:{sign}.1f}]")
