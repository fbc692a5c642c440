"""What `sergan report` writes: the paper's tables and its Fig. 3 from records, beside the paper's own, on one page.

The page is one file that loads nothing: no script, no network, figures inside it. Whatever comes from records is
escaped, because the name of a corpus is its user's.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections import defaultdict
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

from sergan import ABLATIONS, EMOTIONS, SerganError, __version__, corpora, paper, plan, plots, report
from sergan.config import PRESETS
from sergan.corpora import iemocap
from sergan.experiments import BASELINES
from sergan.files import replacing

#: Table 2, what the ablations are: discriminator, GAN, what it is trained on.
TABLE_2 = {
    "AM": ("attention", "no", "RealDataset"),
    "AGM": ("attention", "yes", "RealDataset + FakeDataset"),
    "BAM": ("BLSTM + attention", "no", "RealDataset"),
    "BAGM": ("BLSTM + attention", "yes", "RealDataset + FakeDataset"),
}

#: What the paper says of its Fig. 3.
FIGURE_3 = (
    "The paper says of its Fig. 3 that BAGM is good after about 130 epochs, that AM needs over 300 to improve, "
    "and that BAM overfits after about 250."
)
EPOCHS = (130, 250, 300)

#: Options on which the paper is silent: another value is another reading of it. It states the others.
SILENT = ("scaling", "attention", "masked", "gates", "init", "output", "fake_lengths", "fake_norm", "epoch",
          "beta_1", "beta_2", "epsilon", "precision")  # fmt: skip

#: What the second and the third word of a row mean.
WORDS = {
    "cross_entropy": "no GAN; the real loss that zero, fused and uniform share",
    "zero": "a generated sequence has loss 0 and gradient 0: the paper's words taken literally",
    "fused": "a generated sequence has the loss logsumexp(z), whose gradient is p: what a library of the paper's "
    "year did with the label [0, 0, 0, 0]",
    "uniform": "a generated sequence should get four equal probabilities",
    "softmax_bce": "four binary cross-entropies of the softmax probabilities",
    "sigmoid_bce": "four binary cross-entropies of sigmoids: [0, 0, 0, 0] says none of them",
    "k_plus_one": "generated is a fifth class, whose logit is fixed at 0",
    "placebo": "control without a GAN: after each real step, a step on gradients of zero",
    "sqrt2": "control without a GAN: the learning rate times the square root of 2",
    "sqrt2_betas": "control without a GAN: the learning rate times the square root of 2, and both betas squared",
    "untrained": "control: a generator that never learns makes the negatives",
    "other": "control: real speech of other emotions is the negatives",
    "shuffled": "control: the real batch with its frames in random order is the negatives",
    "majority": "baseline: always the largest class of the training part",
    "linear": "baseline: logistic regression on IS09 functionals",
}

#: What `page` reads of a record, besides what `results.load` has looked for.
NEEDED = ("corpus", "split", "fold", "ablation", "objective", "control", "seed", "preset", "utterances", "folds",
          "curve", "steps", "time_s", "device")  # fmt: skip

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1b1b; --soft: #565656; --line: #c9c9c9;
  --band: #f1f4f7; --link: #0b57a4; --note: #fff6dd; --edge: #b07d00; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181b; --text: #e8e8e8; --soft: #aeb4ba;
  --line: #454b52; --band: #20252a; --link: #8ab8f0; --note: #332a10; --edge: #d9a62e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; }
h1 { font-size: 1.7rem; }
h2 { font-size: 1.35rem; margin-top: 3rem; padding-top: .6rem; border-top: 2px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p { max-width: 46rem; margin: .6rem 0; }
a { color: var(--link); }
a.skip { position: absolute; left: -100rem; }
a.skip:focus { position: static; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
nav ol { padding-left: 1.4rem; }
nav ol ol { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.2rem; }
nav li { padding: .1rem 0; }
.note { max-width: 46rem; margin: .8rem 0; padding: .5rem .9rem; border-left: 4px solid var(--edge);
  background: var(--note); }
.note p { margin: .2rem 0; }
.scroll { margin: .6rem 0; overflow-x: auto; max-width: 100%; width: fit-content; }
.beside { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-end; }
.beside > * { min-width: 0; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; padding: 0 0 .4rem; font-weight: 600; }
.where { max-width: 60rem; margin: .2rem 0 .6rem; color: var(--soft); font-size: .85rem; }
th, td { padding: .28rem .7rem; text-align: right; white-space: nowrap; vertical-align: baseline;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--line); background: var(--band); }
th[scope=row], .left { text-align: left; font-weight: normal; }
thead .left { font-weight: bold; }
th[scope=row] { font-weight: 600; }
th[scope=row], thead tr > :first-child { position: sticky; left: 0; background: var(--ground); }
thead th:first-child { background: var(--band); text-align: left; }
tbody.sum th, tbody.sum td { border-top: 2px solid var(--line); }
thead th[colspan] { text-align: center; border-left: 2px solid var(--ground); }
.paper { background: var(--band); }
.soft { color: var(--soft); }
td .soft { font-size: .88em; }
dl { margin: .8rem 0; max-width: 60rem; font-size: .92rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .3rem 1.2rem; }
@media (min-width: 40rem) { dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }
  dd { margin: 0; } }
figure { margin: .6rem 0; }
figure img { display: block; background: #fff; width: 40rem; max-width: none; height: auto; }
code { font-size: .92em; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media (min-width: 40rem) { figure img { width: 60rem; max-width: 100%; } }
@media (max-width: 40rem) { th[scope=row] { white-space: normal; min-width: 6.6rem; }
  th, td { padding: .28rem .45rem; } }
@media print { :root { color-scheme: light; --ground: #fff; --text: #000; --soft: #333; --line: #999;
    --band: #f3f3f3; --link: #000; --note: #fff; --edge: #666; }
  body { max-width: none; padding: 0; font-size: 10pt; } a.skip { display: none; }
  .scroll { overflow: visible; } table { font-size: 8pt; }
  th, td { padding: .1rem .3rem; } th { white-space: normal; }
  table, figure, .note { break-inside: avoid; } h2, h3, .where { break-after: avoid; }
  figure img { width: 100%; } th { position: static !important; } }
"""


def write(groups: list[dict], path: Path, store: Path | None = None) -> Path:
    """Write the page of some groups (see `report.groups`) to `path`, complete or not at all; returns `path`.

    Args:
        store: where the answers of the records are, see `report`; what its `NOTE.txt` says heads the page.

    Raises SerganError for a record that lacks something, and where `path` cannot be written.
    """
    text = page(groups, store)
    try:
        with replacing(path) as out:
            out.write(text.encode())
    except OSError as error:
        raise SerganError(
            f"{path} cannot be written ({error.strerror or error}); name another file with --html"
        ) from error
    return Path(path)


def note_of(store: Path | None) -> str:
    """What the runner says of a store in its file `NOTE.txt`; nothing where there is none."""
    if store is None:
        return ""
    try:
        return (Path(store) / "NOTE.txt").read_text(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SerganError(
            f"{Path(store) / 'NOTE.txt'} cannot be read ({error.strerror}); mend or delete it"
        ) from error


def page(groups: list[dict], store: Path | None = None) -> str:
    """The page as text: a section for each group, and what the split is worth where both splits are there."""
    records = list({id(r): r for group in groups for r in group["records"]}.values())
    for r in records:
        if missing := [name for name in NEEDED if name not in r]:
            raise SerganError(
                f"a record of {r.get('corpus', 'the store')} is damaged (it has no {missing[0]}); "
                f"delete it and run again: {r.get('ablation')}, seed {r.get('seed')}, fold {r.get('fold')}"
            )
    sections = [section(f"g{number}", group, records, store) for number, group in enumerate(groups, 1)]
    if rows := report.splits(groups):
        sections.append(split_section(rows))
    for number, corpus in enumerate(dict.fromkeys(r["corpus"] for r in records), 1):
        if rows := plan.contrasts(records, store, corpus):
            sections.append(contrast_section(f"c{number}", corpus, rows))
    contents = "".join(
        f'<li><a href="#{place}">{escape(title)}</a>'
        + (f"<ol>{''.join(f'<li>{link}</li>' for link in links)}</ol>" if links else "")
        + "</li>"
        for place, title, links, _ in sections
    )
    note = note_of(store).strip()
    remark = f'<div class="note"><p>{escape(note)}</p></div>' if note else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Ko and Kim (2019), rebuilt from {count(len(records), "record")}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#tables">To the tables</a>
<header>
<h1>Ko and Kim (2019), rebuilt from {count(len(records), "record")}</h1>
{remark}
<p>Y.-J. Ko and Y.-J. Kim, “Performance improvement of speech emotion recognition model using generative
adversarial networks”, Journal of
KIIT 17(11):77–85, 2019. Columns headed “paper” hold what that article reports; everything else was counted or
computed from the records of this store.</p>
<p>WA is the share of test utterances answered rightly, UA the mean of the four classes' recalls, both in percent
and at the last epoch. Brackets hold 95 % intervals; below each Table 3 stands what for. The paper gives none.</p>
</header>
<nav aria-label="Contents"><h2>Contents</h2><ol>{contents}</ol></nav>
<main id="tables">
{"".join(body for *_, body in sections)}
</main>
<footer><p>Made by sergan {__version__} (<code>sergan report</code>).</p></footer>
</body>
</html>
"""


# --------------------------------------------------------------------------------------- a group's section


def section(
    place: str, group: dict, all_records: list[dict], store: Path | None
) -> tuple[str, str, list[str], str]:
    """Place, title, links to its tables, and the section itself."""
    records = group["records"]
    parts = [
        ("Table 1: utterances", "table1", table_1(group, all_records)),
        ("Table 2: what is compared", "table2", table_2(group)),
        ("Table 3: accuracy", "table3", table_3(group, store)),
        ("Differences, paired", "differences", differences(group, store)),
        ("Table 4: confusions of BAGM", "table4", table_4(group)),
        ("Fig. 3: learning curves", "fig3", figure_3(group)),
        ("Calibration", "calibration", calibration(group, store)),
        ("Rejection", "rejection", rejection(group, store)),
        ("Time and steps", "time", time(group)),
    ]
    parts = [part for part in parts if part[2]]
    links = [f'<a href="#{place}-{name}">{title}</a>' for title, name, _ in parts]
    body = [f'<section aria-labelledby="{place}"><h2 id="{place}">{escape(group["title"])}</h2>']
    if remarks := notes(group):
        body.append(f'<div class="note">{"".join(f"<p>{escape(remark)}</p>" for remark in remarks)}</div>')
    for title, name, text in parts:
        body.append(f'<h3 id="{place}-{name}">{title}</h3><p class="where">{escape(origin(group))}</p>{text}')
    body.append(made_with(records))
    body.append("</section>")
    return place, group["title"], links, "\n".join(body)


def trained(group: dict) -> list[dict]:
    """The group's records that are no baselines."""
    return [r for r in group["records"] if r["ablation"] not in BASELINES]


def origin(group: dict) -> str:
    """Where a group's figures come from, in a line: every table has it."""
    records = trained(group) or group["records"]
    preset = "no preset (baselines)" if group["preset"] is None else f"preset {group['preset']}"
    if group["preset"] is not None:
        options = {k: str(v) for k, v in records[0]["config"].items() if k not in report.RUN}
        preset += report.changed(group["preset"], options)
    counts = sorted({len(report.units(some, "wa")) for some in report.rows(records).values()})
    unit = "speaker fold" if group["split"] == "speaker" else "run"
    many = count(counts[0], unit) if len(counts) == 1 else f"{counts[0]} to {count(counts[-1], unit)}"
    if group["split"] == "speaker":
        many += f" of {max(r['folds'] for r in records)}"
        if seeds := {r["seed"] for r in records} - {None}:
            many += f", {count(len(seeds), 'seed')}"
    device = several(r["device"] for r in records)
    revision = several(r.get("revision") or "not recorded" for r in records)
    return f"{group['corpus']}, {group['split']} split, {preset}; {many} a row; on {device}; revision {revision}."


def notes(group: dict) -> list[str]:
    """What a reader must know before the figures: what these runs are not."""
    found = []
    if group["corpus"] == "demo":
        found.append("demo is made of synthetic voices; nothing here is a finding about human speech.")
    records = trained(group)
    stated, silent = altered(records[0]) if records else ([], [])
    if group["corpus"] != "iemocap" or group["preset"] != "paper" or stated:
        found.append("The paper's figures are for IEMOCAP at the paper's size; these runs are not that.")
    if group["preset"] == "paper" and stated:
        found.append(f"Set otherwise than the paper states: {', '.join(stated)}.")
    if group["preset"] == "paper" and silent:
        found.append(f"Set otherwise than in the preset, where the paper is silent: {', '.join(silent)}.")
    if group["split"] == "speaker":
        found.append("These test speakers were not learnt from; the paper's split is random, "
                     "with the same ten speakers in both parts.")  # fmt: skip
    if not found:
        found.append(
            "These runs do what the paper states. Where it is silent, the options under “Made with” are a choice."
        )
    return found


def altered(record: dict) -> tuple[list[str], list[str]]:
    """A record's options that are not the preset `paper`'s: those that the paper states, and the others."""
    usual, config = PRESETS["paper"], record["config"]
    stated, silent = [], []
    for name in usual.__dataclass_fields__:
        value = getattr(usual, name)
        value = list(value) if isinstance(value, tuple) else value
        if name not in report.RUN and name in config and config[name] != value:
            (silent if name in SILENT else stated).append(f"{name}={config[name]} (not {value})")
    return stated, silent


def made_with(records: list[dict]) -> str:
    """Options, versions and threads of a group, for whoever wants to do it again."""
    entries = []
    runs = [r for r in records if r["ablation"] not in BASELINES]
    if runs:
        names = [name for name in PRESETS["paper"].__dataclass_fields__ if name not in report.RUN]
        options = ", ".join(f"{name}={value}" for name, value in runs[0]["config"].items() if name in names)
        entries.append(("Options", options))
    entries.append(("Versions", several(", ".join(f"{k} {v}" for k, v in r.get("versions", {}).items())
                                        for r in records)))  # fmt: skip
    entries.append(("Dataset", several(r["config"].get("dataset") for r in records)))
    return '<h3>Made with</h3><dl class="made">' + "".join(
        f"<dt>{name}</dt><dd><code>{escape(text)}</code></dd>" for name, text in entries
    ) + "</dl>"  # fmt: skip


# ------------------------------------------------------------------------------------------------- tables


def table_1(group: dict, all_records: list[dict]) -> str:
    """Utterances per class and part. A record holds its test part's (the rows of its confusion) and the totals."""
    sizes = defaultdict(set)  # fold -> {(train, validation, test)}, and test utterances per class
    tested = {}
    for r in group["records"]:
        tested[r["fold"]] = dict(zip(EMOTIONS, map(int, np.sum(r["confusion"], axis=1)), strict=True))
        sizes[r["fold"]].add((*r["utterances"].values(), *tested[r["fold"]].values()))
    if any(len(some) > 1 for some in sizes.values()):
        return "<p>Records of the same fold are of different sizes, so there is no one Table 1.</p>"
    whole, rows = class_counts(group, all_records), []
    for fold, test in sorted(tested.items()):
        total = next(r["utterances"] for r in group["records"] if r["fold"] == fold)
        train = learnt_from(fold, group, whole, tested, total["train"]) or dict.fromkeys(EMOTIONS, "?")
        rows.append(["these records" if group["split"] == "paper" else f"fold {fold}",
                     *train.values(), total["train"], total["validation"], *test.values(), total["test"]])  # fmt: skip
    theirs = [[*(part[e] for e in EMOTIONS), sum(part.values())] for part in paper.TABLE_1.values()]
    last = ["the paper", *theirs[0], 0, *theirs[1]]
    head = [
        [("", 1), ("train", 5), ("validation", 1), ("test", 5)],
        ["part", *EMOTIONS, "all", "all", *EMOTIONS, "all"],
    ]
    text = table("Utterances per class and part", head, rows, last=last)
    if any("?" in row for row in rows):
        text += (
            "<p>A record holds how many utterances it learnt from, not how many of each class (?): these follow from "
            "the corpus's published counts, or in a store that has every speaker fold. Here neither fits.</p>"
        )
    if group["corpus"] == "iemocap" and group["split"] == "paper" and rows[0][7:] != theirs[1]:
        text += "<p>The test part is not the paper's, so this is not IEMOCAP as published.</p>"
    return text


def class_counts(group: dict, all_records: list[dict]) -> dict[str, int] | None:
    """Utterances of the whole corpus per class, if they are published or every speaker fold has been tested.

    Published counts hold only where they sum to what the records have.
    """
    first = group["records"][0]
    total = sum(first["utterances"].values())
    name, _, option = group["corpus"].partition(" ")
    if name in corpora.NAMES:
        counts = corpora.describe(name)["counts"]
        if option == "(excited=merge)":
            counts = counts | {"happy": counts["happy"] + sum(iemocap.EXCITED.values())}
        if sum(counts.values()) == total:
            return counts
    folds = {r["fold"]: np.sum(r["confusion"], axis=1) for r in all_records
             if r["split"] == "speaker" and r["config"].get("dataset") == first["config"].get("dataset")}  # fmt: skip
    if folds and (found := np.sum(list(folds.values()), axis=0)).sum() == total:
        return dict(zip(EMOTIONS, map(int, found), strict=True))
    return None


def learnt_from(
    fold: int, group: dict, whole: dict | None, tested: dict, train: int
) -> dict[str, int] | None:
    """Training utterances per class: all but those tested and validated, if that gives the total of the record."""
    if whole is None:
        return None
    left = {e: whole[e] - tested[fold][e] for e in EMOTIONS}
    if group["split"] == "speaker":  # the next fold validates, see `data.speaker_split`
        after = tested.get((fold + 1) % max(r["folds"] for r in group["records"]))
        left = None if after is None else {e: left[e] - after[e] for e in EMOTIONS}
    elif any(left[e] != whole[e] * 7 // 10 for e in EMOTIONS):
        return None
    return left if left is not None and sum(left.values()) == train and min(left.values()) >= 0 else None


def table_2(group: dict) -> str:
    """What each ablation, and each other word of the rows, is."""
    here = {r["ablation"] for r in group["records"]}
    rows = [[name, *TABLE_2[name], "yes" if name in here else "no"] for name in ABLATIONS]
    head = [["ablation", "discriminator", "GAN", "trained on", "run here"]]
    text = table("The four ablations", head, rows, left=5)
    runs = trained(group)
    if runs and all(name in runs[0]["config"] for name in ("lstm", "attention", "dense", "generator")):
        c = runs[0]["config"]
        text += (
            f"<p>Here: BLSTM {c['lstm']} each way, attention {c['attention']} wide, then Dense {c['dense']} and "
            f"Dense 4; generator from {c['latent']} numbers through {', '.join(map(str, c['generator']))} to "
            f"{c['frames']} time steps of 32 features.</p>"
        )
    named = {word for r in group["records"] for word in (r["objective"], r["control"], r["ablation"])}
    explained = "".join(
        f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>"
        for word, meaning in WORDS.items()
        if word in named
    )
    return text + (f"<dl>{explained}</dl>" if explained else "")


def table_3(group: dict, store: Path | None) -> str:
    """WA and UA of every row with intervals, the paper's beside them."""
    records = group["records"]
    rows = []
    for r in report.table_3(records, store):
        runs = r["units"] if r["units"] == r["runs"] else f"{r['units']} ({r['runs']} runs)"
        rows.append([report.words(r), runs,
                     spread(r["wa"]), number(r["paper_wa"]), spread(r["ua"]), number(r["paper_ua"])])  # fmt: skip
    unit = "folds" if group["split"] == "speaker" else "runs"
    head = [["row", unit, "WA % [95 %]", "paper", "UA % [95 %]", "paper"]]
    text = table("Mean test accuracy at the last epoch", head, rows, paper_columns=(3, 5))
    said = [remark for remark in report.remarks(group, store) if remark not in notes(group)]
    readings = {r["objective"] for r in records if "G" in r["ablation"]}
    if len(readings & {"zero", "fused"}) == 1:
        said.append(
            f"GAN rows are under {', '.join(sorted(readings))} alone; the paper's label can be read in two ways, "
            "and --objective zero fused shows both."
        )
    said.append("The paper's figures are means of 5 runs, and those for majority follow from its Table 1.")
    return text + "".join(f"<p>{escape(sentence)}</p>" for sentence in said)


def differences(group: dict, store: Path | None) -> str:
    """Each GAN or control row minus the plain run with the same real loss, and what that says of the paper's claim."""
    compared = report.differences(group["records"], store)
    if not compared:
        return ""
    rows = [
        [report.words(r), r["minus"], r["units"],
         spread(r["wa"], "+"), number(r.get("paper_wa"), "+"), spread(r["ua"], "+"), number(r.get("paper_ua"), "+")]
        for r in compared
    ]  # fmt: skip
    unit = "folds" if group["split"] == "speaker" else "runs"
    head = [["row", "minus", unit, "WA [95 %]", "paper", "UA [95 %]", "paper"]]
    text = table("Points that a row has more than the plain run", head, rows, left=2, paper_columns=(4, 6))
    text += (
        "<p>Paired by fold, or by split and seed, against the run with the same real loss. An interval that holds 0 "
        "does not show that there is no difference. The paper's are differences of its means.</p>"
    )
    rows = [
        [report.words(r), r["minus"], score.upper(), r[f"{score}_verdict"],
         *(report.p(r[f"{score}_{test}"]) for test in ("p", "equivalence", "sign_flip")), *report.power(r, score)]
        for r in compared for score in ("wa", "ua") if r[f"{score}_verdict"]
    ]  # fmt: skip
    if rows:
        bound = f"{report.BOUND:g}"
        head = [["row", "minus", "score", "verdict", "p", f"p, equivalence within {bound}", "p, sign flips",
                 f"power for {bound}", f"{unit} for 80 %"]]  # fmt: skip
        text += table(f"The same against the paper's {bound} points", head, rows, left=4)
        text += (
            "<p>Nothing here is adjusted for the number of rows: only contrasts planned beforehand are tests, the rest "
            f"describe. Power: the chance that such an interval would exclude 0 if the true difference were {bound}, "
            f"and the number of {unit} for which it is 80 %; both take the spread seen here for the true one.</p>"
        )
    return text


def calibration(group: dict, store: Path | None) -> str:
    """How far the probabilities of each row can be trusted, where the store has the answers."""
    rows = [[report.words(r), r["runs"], *(number(r[name]) for name in report.CALIBRATION)]
            for r in report.calibration(group["records"], store)]  # fmt: skip
    head = [["row", "runs", *(words.replace("-log", "−log") for words in report.CALIBRATION.values())]]
    return table("Means over runs, without intervals", head, rows) + f"<p>{report.FLOOR}</p>" if rows else ""


def rejection(group: dict, store: Path | None) -> str:
    """Whether a recogniser is less sure of emotions that it never met, where the corpus has some."""
    rows = [[report.words(r), r["units"], *(report.auroc(r[how]) for how in report.CONFIDENCES)]
            for r in report.rejection(group["records"], store)]  # fmt: skip
    if not rows:
        return ""
    unit = "folds" if group["split"] == "speaker" else "runs"
    head = [["row", unit, "AUROC of the largest probability", "of logsumexp of the logits"]]
    return table("The four emotions against others that no run here has learnt from", head, rows) + (
        "<p>The chance that an utterance of a known emotion is answered with more confidence than one of an unseen "
        "emotion; 0.5 is no use.</p>"
    )


def table_4(group: dict) -> str:
    """Confusions of BAGM under each reading, and the paper's."""
    with np.errstate(invalid="ignore"):  # a class may have no test utterance
        ours = report.table_4(group["records"])
    if not ours:
        return ""
    counts = {
        row[1]: np.sum([r["confusion"] for r in some], axis=0)
        for row, some in report.rows(group["records"]).items()
        if row[0] == "BAGM" and row[2] == "none"
    }
    tables = []
    for name, shares in [*ours.items(), (None, paper.TABLE_4)]:
        rows = []
        for emotion, row in zip(paper.TABLE_4_CLASSES, shares, strict=True):
            total = paper.TABLE_1["test"][emotion]
            if name is not None:
                total = int(counts[name][EMOTIONS.index(emotion)].sum())
            rows.append([emotion, *map(number, row), f"{total:,}"])
        caption = "BAGM, the paper" if name is None else f"BAGM, {name}, all runs together"
        head = [["true class", *paper.TABLE_4_CLASSES, "utterances"]]
        tables.append(table(caption, head, rows, paper_columns=range(1, 6) if name is None else ()))
    cells = [round(share * paper.TABLE_1["test"][emotion] / 100)
             for k, (emotion, row) in enumerate(zip(paper.TABLE_4_CLASSES, paper.TABLE_4, strict=True))
             for share in [row[k]]]  # fmt: skip
    total = sum(paper.TABLE_1["test"].values())
    return f'<div class="beside">{"".join(tables)}</div>' + (
        "<p>Percent of the true class (rows); columns are the answers. The paper calls its rows predicted, but they "
        "sum to 100, and its example (221 of 331 angry utterances, 66.77 %) makes them the true class. Its cells are "
        f"whole counts, rounded: {sum(cells)} of {total:,} right, {100 * sum(cells) / total:.2f} % WA, where its Table "
        f"3 has {paper.TABLE_3['BAGM']['wa']} (in Table 3 the paper cuts digits off, it does not round).</p>"
    )


def time(group: dict) -> str:
    """Steps, time and device of every row."""
    rows, total = [], 0.0
    for row, some in report.rows(group["records"]).items():
        spent = [r["time_s"] for r in some]
        total += sum(spent)
        rows.append([name_of(row), len(some), extent(r["steps"] for r in some),
                     f"{np.mean(spent):,.2f}", duration(sum(spent)), several(r["device"] for r in some),
                     several(r.get("threads", "?") for r in some)])  # fmt: skip
    head = [["row", "runs", "steps a run", "seconds a run", "all runs", "device", "threads"]]
    last = ["all", len(group["records"]), None, None, duration(total), None, None]
    text = table("Training and testing, without features", head, rows, last=last)
    epoch = {r["config"].get("epoch") for r in trained(group)} - {None}
    meaning = {"pass": "a pass over the training part", "batch": "one random batch"}
    if len(epoch) == 1:
        text += (f"<p>An epoch is {meaning.get(epoch.pop(), 'as the options say')} here; the paper does not say "
                 "which. Steps count real batches.</p>")  # fmt: skip
    return text


def split_section(rows: list[dict]) -> tuple[str, str, list[str], str]:
    """What the split is worth, as a section."""
    head = [["corpus", "row", "random split", "runs", "unseen speakers", "folds", "difference"]]
    cells = [[r["group"], r["row"], number(r["paper"]), r["runs"], number(r["speaker"]), r["folds"],
              number(r["speaker"] - r["paper"], "+")] for r in rows]  # fmt: skip
    title = "What the split is worth"
    text = table("Mean UA % of the rows that have both splits", head, cells, left=2)
    after = ("<p>A random split has the same speakers in both parts. Preset, device and revision are those of the two "
             "sections that a row comes from.</p>")  # fmt: skip
    body = f'<section aria-labelledby="splits"><h2 id="splits">{title}</h2>{text}{after}</section>'
    return "splits", title, [], body


def contrast_section(place: str, corpus: str, rows: list[dict]) -> tuple[str, str, list[str], str]:
    """The contrasts of results/plan.md on one corpus, as a section."""
    title = plan.title(corpus, rows)
    head = [
        [
            "contrast",
            "units",
            f"difference in {plan.SCORE.upper()}",
            "p",
            "p, Holm",
            "p, equivalence",
            "verdict",
        ]
    ]
    cells = [[r["name"], r["units"], spread(r["difference"], "+"), report.p(r["p"]), report.p(r["p_holm"]),
              report.p(r["equivalence"]), r["verdict"]] for r in rows]  # fmt: skip
    text = table(f"Preset {plan.PRESET}, last epoch", head, cells)
    cells = [[r["name"], number(one["points"], "+"), one["clusters"],
              f"{one['log_odds']:+.2f} [{one['low']:+.2f}, {one['high']:+.2f}]", report.p(one["p"])]
             for r in rows if (one := r["single"])]  # fmt: skip
    if cells:
        head = [["contrast", "points", "folds", "log-odds [95 %]", "p"]]
        text += table("A check on single utterances: logistic model, clustered by fold", head, cells)
    return (
        place,
        title,
        [],
        f'<section aria-labelledby="{place}"><h2 id="{place}">{escape(title)}</h2>{text}</section>',
    )


# ------------------------------------------------------------------------------------------------- Fig. 3


def figure_3(group: dict) -> str:
    """The learning curves as a picture and, at some epochs, in numbers."""
    curves = {}
    for row, some in report.rows(trained(group)).items():
        if all(r["curve"] for r in some):
            curves[name_of(row)] = [[entry["wa"] for entry in r["curve"]] for r in some]
    if not curves:
        return ""
    means = {}
    for name, runs in curves.items():
        epochs = min(map(len, runs))
        means[name] = np.mean([run[:epochs] for run in runs], axis=0)
    last = max(map(len, means.values()))
    marks = [epoch for epoch in EPOCHS if epoch < last] or sorted({-(-last // 3), -(-2 * last // 3)} - {last})
    rows = [
        [name, *(number(values[epoch - 1] if epoch <= len(values) else None) for epoch in marks), number(values[-1]),
         len(values), f"{values.max():.2f} at {int(values.argmax()) + 1}"]
        for name, values in means.items()
    ]  # fmt: skip
    ends = "; ".join(f"{name} {values[-1]:.2f}" for name, values in means.items())
    alt = (f"Lines of WA on the test part in percent against epochs 1 to {last}, one a row of Table 3, with bands from "
           f"the lowest run to the highest. At the last epoch: {ends}.")  # fmt: skip
    head = [["mean WA %", *(f"epoch {epoch}" for epoch in marks), "last epoch", "epochs", "highest (oracle)"]]
    text = table("Fig. 3 in numbers", head, rows)
    return (
        f'<figure><div class="scroll" tabindex="0" role="group" aria-label="Fig. 3, may be scrolled">'
        f'<img src="{picture(curves)}" alt="{escape(alt)}"></div></figure>'
        f"<p>{FIGURE_3}</p>{text}<p>The highest point of a mean curve is chosen on test data: an oracle, no score.</p>"
    )


def picture(curves: dict[str, list[list[float]]]) -> str:
    """The learning curves as a `data:` address of an SVG."""
    with matplotlib.rc_context({"svg.hashsalt": "sergan", "text.parse_math": False}):
        figure = plots.curves(curves, "")
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        plt.close(figure)
    return f"data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}"


# --------------------------------------------------------------------------------------------------- HTML


def escape(text) -> str:
    """Text for HTML, in an element or a quoted attribute; what HTML cannot hold becomes a mark.

    >>> escape('<a & "b">')
    '&lt;a &amp; &quot;b&quot;&gt;'
    """
    return html.escape(re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", str(text)))


def table(caption, head, rows, *, left=1, paper_columns=(), last=None) -> str:
    """An HTML table in a container of its own that scrolls.

    Args:
        head: rows of headings; a pair is (heading, columns).
        rows: the first cell of each is its heading; None is an empty cell.
        left: so many columns hold words.
        paper_columns: numbers of the columns with the paper's figures.
        last: a row of sums.
    """

    def kind(column):
        names = [word for word, on in (("left", column < left), ("paper", column in paper_columns)) if on]
        return f' class="{" ".join(names)}"' if names else ""

    def cells(row):
        first = f'<th scope="row">{escape(row[0]).replace("_", "_<wbr>")}</th>'
        return f"<tr>{first}{''.join(f'<td{kind(k)}>{cell(v)}</td>' for k, v in enumerate(row[1:], 1))}</tr>"

    tops = []
    for headings in head:
        if isinstance(headings[0], tuple):
            tops.append("".join(
                f'<th colspan="{wide}" scope="colgroup">{escape(text)}</th>' if text else "<td></td>"
                for text, wide in headings))  # fmt: skip
        else:
            tops.append("".join(
                f'<th scope="col"{kind(k)}>{escape(text)}</th>' if text else f"<td{kind(k)}></td>"
                for k, text in enumerate(headings)))  # fmt: skip
    body = f"<tbody>{''.join(map(cells, rows))}</tbody>"
    if last is not None:
        body += f'<tbody class="sum">{cells(last)}</tbody>'
    label = escape(f"Table, {caption}, may be scrolled")
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table>'
        f"<caption>{escape(caption)}</caption><thead>{''.join(f'<tr>{top}</tr>' for top in tops)}</thead>"
        f"{body}</table></div>"
    )


def cell(value) -> str:
    """A cell's text, an interval in it set apart."""
    if value is None:
        return ""
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return re.sub(r" (\[[^]]+\]|\([^)]+\))$", r' <span class="soft">\1</span>', escape(value))


def number(value: float | None, sign: str = "") -> str | None:
    return None if value is None else "–" if np.isnan(value) else f"{value:{sign}.2f}"


def spread(values: tuple | None, sign: str = "") -> str | None:
    if values is None:
        return None
    mean, low, high = values
    return f"{mean:{sign}.2f}" + ("" if low is None else f" [{low:{sign}.2f}, {high:{sign}.2f}]")


def name_of(row: tuple) -> str:
    """A row's name, from its (ablation, objective, control)."""
    return " ".join(word for word in row if word not in (None, "none"))


def several(values) -> str:
    """The different values, in a stable order."""
    return ", ".join(sorted({str(value) for value in values}))


def extent(values) -> str:
    low, *_, high = [*(found := sorted(set(values))), found[-1]]
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """
    >>> duration(3.21), duration(3725)
    ('3.2 s', '1:02:05 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"
