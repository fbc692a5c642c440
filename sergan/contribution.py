"""Runs by others, as one file of aggregates: `gather` writes it, `check` accepts or refuses one from a stranger.

Made for corpora that nobody may pass on. The file says of each run what was run and how it scored: options,
confusion matrix, accuracies and losses by epoch, machine. It has no audio, no features, no weights, no name of an
utterance or a speaker, and no answer to a single utterance; `dataset` is a hash of the list of utterances.

A checker without the corpus still knows how many utterances of each class are in every part of every split, from
the published counts and this package's own splits. So matrices, scores and steps must fit them exactly.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from sergan import ABLATIONS, EMOTIONS, SerganError, corpora, engine, experiments, report, results
from sergan.config import PRESETS, Config
from sergan.corpora import iemocap
from sergan.data import SPLITS, paper_split, speaker_groups, speaker_split
from sergan.experiments import BASELINES, RECORD_KEYS, Run
from sergan.files import replacing
from sergan.objectives import OBJECTIVES, REAL_LOSSES
from sergan.training import CONTROLS, NEGATIVE_CONTROLS

FORMAT = 1
LICENCE = "CC0-1.0"
"""Scores are facts, in most places nobody's property. CC0 says so in all places, and lets files be merged."""

LARGEST = 5_000_000
"""Bytes of a file: some 250 runs of 400 epochs."""

TOP = ("format", "licence", "corpus", "dataset", "utterances", "name", "note", "folds_missing", "runs")
RUN = ("key", "config", "confusion", "wa", "ua", "curve", "steps", "time_s", "precision", "device", "threads",
       "versions", "revision")  # fmt: skip

PLACE = tuple(field.name for field in fields(Run) if field.default is MISSING and field.name != "options")
VERSIONS = ("python", "sergan", "torch", "numpy", "scikit-learn", "opensmile")
CURVE = ("wa", "ua", "validation_wa", "validation_ua", "loss_real", "loss_fake", "loss_generator")

AGAIN = "write the file again with sergan contribute and change nothing in it"
HEX = re.compile(r"[0-9a-f]{16}")
REVISION = re.compile(r"([0-9a-f]{12,40}\+?)?")
VERSION = re.compile(r"absent|\d[0-9A-Za-z.+!-]{0,39}")
DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,()+-]{0,79}")
TELLING = re.compile(r"Ses0\d|\d+(-\d+){4}|\.(wav|flac|mp3|aif|npz|npy|pt|csv|txt|json)\b|\b[A-Za-z]:", re.I)
"""Looks like the name of an utterance or a file; names with `_`, `/` or a backslash are refused besides."""
MARKUP = set("<>|`[]{}\\/*_~$#@^=")
"""No place for these in words that a page will show."""
NEAR = 6e-4
"""Curves are rounded to five digits."""


@cache
def imitation(corpus: str) -> pd.DataFrame:
    """A row an utterance with emotion, speaker and session (or what is published of them); SerganError if nothing is.

    Example:
        >>> imitation("iemocap")["emotion"].value_counts().to_dict()
        {'neutral': 1708, 'angry': 1103, 'sad': 1084, 'happy': 595}
    """
    merged = experiments.corpus_name("iemocap", {"excited": "merge"})
    if corpus not in (*corpora.NAMES, merged) or corpus == "table":
        raise SerganError(f"corpus {shown(corpus)} has no published counts to check a file against; send runs of "
                          f"{', '.join(name for name in corpora.NAMES if name != 'table')}")  # fmt: skip
    sessions = corpus in ("iemocap", merged)
    counts = (
        iemocap.expected("merge") if corpus == merged else import_module(f"sergan.corpora.{corpus}").EXPECTED
    )
    rows = [(emotion, group, group if sessions else "")
            for group, classes in counts.items() for emotion in EMOTIONS for _ in range(classes[emotion])]  # fmt: skip
    return pd.DataFrame(rows, columns=["emotion", "speaker", "session"])


@cache
def parts(corpus: str, split: str, fold: int) -> tuple[np.ndarray, int]:
    """Utterances of each class in training, validation and test part `(3, 4)`, and the number of folds.

    Example:
        >>> parts("iemocap", "paper", 0)[0].sum(axis=1).tolist()
        [3141, 0, 1349]
        >>> parts("iemocap", "speaker", 4)[0].tolist()[2]
        [170, 384, 143, 245]
    """
    table = imitation(corpus)
    labels = table["emotion"].map(EMOTIONS.index).to_numpy()
    folds = 1 if split == "paper" else int(speaker_groups(table).max()) + 1
    if not 0 <= fold < folds:
        raise SerganError(f"fold {fold} does not exist: the {split} split of {corpus} has {folds}")
    rows = paper_split(labels, 0) if split == "paper" else speaker_split(table, fold)
    return np.array([np.bincount(labels[part], minlength=4) for part in rows]), folds


def columns(run: Run) -> list[str]:
    """What the curve of a run has for every epoch."""
    losses = ["loss_real"]
    if "G" in run.ablation:
        losses += ["loss_fake"] + ["loss_generator"] * (run.control not in NEGATIVE_CONTROLS)
    scores = ["wa", "ua"] + ["validation_wa", "validation_ua"] * (run.split == "speaker")
    return [] if run.ablation in BASELINES else scores + losses


def missing(configs: list[dict]) -> int:
    """Folds of the speaker split that are missing: those that an arm lacks for a seed that it has elsewhere.

    An arm is what differs in nothing but fold and seed; each must have all folds for all its seeds.
    """
    arms = defaultdict(set)
    for c in configs:
        if c["split"] == "speaker":
            arm = json.dumps({k: v for k, v in c.items() if k not in ("fold", "seed")}, sort_keys=True)
            arms[arm, c["corpus"]].add((c["seed"], c["fold"]))
    return sum(len({seed for seed, _ in cells}) * parts(corpus, "speaker", 0)[1] - len(cells)
               for (_, corpus), cells in arms.items())  # fmt: skip


def gather(store: Path, *, corpus: str | None = None, name: str = "", note: str = "") -> dict:
    """The contribution that a store's records of one corpus make; SerganError for one that `check` would refuse.

    Args:
        corpus: which, where the store has several.
        name: of who contributes, for the book; may be empty.
        note: what a reader should know, in a sentence or two; may be empty.
    """
    found, own = defaultdict(list), 0
    for record in results.read(store):
        if "augmentation" in record["config"]:  # nobody else could run it
            own += 1
            continue
        found[record["corpus"]].append(record)
    if own:
        warnings.warn(f"{own} runs with an augmentation of your own are left out", stacklevel=2)
    if not found:
        raise SerganError(f"store {store} holds no records; `sergan run` writes them")
    if corpus is None and len(found) > 1:
        raise SerganError(f"store {store} has runs of {', '.join(found)}: choose one with --corpus")
    if (corpus := corpus or next(iter(found))) not in found:
        raise SerganError(f"store {store} has no runs of {corpus}, but of {', '.join(found)}")
    records = sorted(found[corpus], key=lambda r: str(list(r["config"].values())))
    datasets = Counter(r["config"]["dataset"] for r in records)
    if len(datasets) > 1:
        told = ", ".join(f"{dataset} ({count})" for dataset, count in datasets.items())
        raise SerganError(f"store {store} has runs on {len(datasets)} versions of {corpus}, by their `dataset` {told}: "
                          "move the records of all but one elsewhere")  # fmt: skip
    labels = imitation(corpus)["emotion"].value_counts()
    content = {
        "format": FORMAT, "licence": LICENCE, "corpus": corpus, "dataset": next(iter(datasets)),
        "utterances": {emotion: int(labels[emotion]) for emotion in EMOTIONS}, "name": name, "note": note,
        "folds_missing": missing([r["config"] for r in records]), "runs": [told_of(r) for r in records],
    }  # fmt: skip
    if problems := check(content).problems:
        raise refusal(f"store {store} cannot be contributed as it is", problems)
    return content


def told_of(record: dict) -> dict:
    """What a contribution says of a run: never more than the names in `RUN`."""
    key = results.key(record["config"])
    run = {name: record.get(name) for name in RUN} | {"key": key}
    try:
        names = [name for name in record["curve"][0] if name in CURVE] if record["curve"] else []
        run["curve"] = {name: [five(entry[name]) for entry in record["curve"]] for name in names}
        run["versions"] = {name: record["versions"].get(name, "absent") for name in VERSIONS}
        run["device"] = re.sub(r"[^A-Za-z0-9 .,()+-]", " ", record["device"])[:80].strip()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SerganError(f"record {key} is damaged ({error}); delete it and run again") from error
    return run


def five(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def write(path: Path, content: dict) -> None:
    """Write a contribution, a line a run. SerganError where it would be too large, or lie in a store."""
    path = Path(path)
    if any(HEX.fullmatch(other.stem) for other in path.absolute().parent.glob("*.json")):
        raise SerganError(
            f"{path.parent} is a store, where every .json file is a record; write the file elsewhere"
        )
    head = "".join(f"{json.dumps(name)}: {json.dumps(content[name])},\n" for name in TOP[:-1])
    runs = ",\n".join(json.dumps(run, separators=(",", ":")) for run in content["runs"])
    text = f'{{{head}"runs": [\n{runs}\n]}}\n'.encode()
    if len(text) > LARGEST:
        raise SerganError(f"{len(content['runs'])} runs make {len(text) / 1e6:.1f} MB, too much for {LARGEST / 1e6:g}; "
                          "put some of the records into a store of their own, one for each split say")  # fmt: skip
    try:
        with replacing(path) as out:
            out.write(text)
    except OSError as error:
        raise SerganError(f"{path} cannot be written ({error.strerror}); name another file") from error


def refusal(message: str, problems: list[str]) -> SerganError:
    """An error that the command line prints with all its sentences."""
    error = SerganError(message)
    error.errors = {problem: f"{problem}." for problem in problems}
    return error


def load(path: Path) -> dict:
    """The JSON in a file that anybody may have written; SerganError, in one sentence, where it is none."""

    def once(pairs):
        if twice := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
            raise ValueError(f"it names {shown(twice[0])} twice")
        return dict(pairs)

    def number(word):
        raise ValueError(f"{word} is no number")

    path = Path(path)
    try:
        if not path.is_file():
            raise SerganError(f"{path}: there is no such file; name one that sergan contribute wrote")
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise SerganError(
                f"{path} is larger than {LARGEST / 1e6:g} MB; send fewer runs, or several files"
            )
        return json.loads(text.decode("utf-8"), object_pairs_hook=once, parse_constant=number)
    except OSError as error:
        raise SerganError(f"{path} cannot be read ({error.strerror}); mend its permissions") from error
    except RecursionError as error:
        raise SerganError(f"{path} is nested too deeply; {AGAIN}") from error
    except ValueError as error:
        raise SerganError(
            f"{path} is not the JSON of sergan contribute ({shown(str(error), 80)}); {AGAIN}"
        ) from error


def shown(value, most: int = 40) -> str:
    """Something foreign in a sentence: short, and nothing that a terminal would act on."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    if type(value) is int and abs(value) > 1e18:
        return "a very large number"
    text = ascii(value)
    return text if len(text) <= most else f"{text[:most]}..."


@dataclass(frozen=True)
class Verdict:
    """On a contribution: `problems` refuse it, `doubts` ask a person to look again. A sentence each."""

    problems: list[str]
    doubts: list[str]


class Wrong(Exception):
    """A sentence on what is wrong, with a remedy."""


def demand(condition: bool, sentence: str, remedy: str = AGAIN) -> None:
    if not condition:
        raise Wrong(f"{sentence}; {remedy}")


def expect(told: dict, name: str, fits: bool, what: str = "") -> None:
    demand(fits, f"its {name} is {shown(told[name])}" + (f", not {what}" if what else ""))


def exactly(told, names: Sequence[str], what: str) -> None:
    demand(
        type(told) is dict and set(told) == set(names),
        f"{what} has not exactly the entries {', '.join(names)}",
    )


def check(content) -> Verdict:
    """Whether a contribution is what it says, as far as anyone without the corpus can tell. Trusts nothing in it."""
    problems, runs, keys = [], [], Counter()
    try:
        check_head(content)
    except Wrong as wrong:
        return Verdict([str(wrong)], [])
    for number, told in enumerate(content["runs"], 1):
        where = f"run {number}"
        try:
            exactly(told, RUN, "it")
            run = planned(told["config"], content)
            where = f"run {number} ({run})"
            check_run(told, run)
            runs.append((run, told))
            keys[told["key"]] += 1
        except (Wrong, SerganError) as wrong:
            problems.append(f"{where}: {str(wrong).rstrip('.')}")
    problems += [f"{count} runs have the key {key}; {AGAIN}" for key, count in keys.items() if count > 1]
    if (
        not problems
        and (lacking := missing([told["config"] for _, told in runs])) != content["folds_missing"]
    ):
        problems.append(
            f"folds_missing is {content['folds_missing']}, but {lacking} folds are missing; {AGAIN}"
        )
    return Verdict(problems, [] if problems else doubts(runs, content))


def check_head(content) -> None:
    """What is written once. Raises Wrong."""
    exactly(content, TOP, "it")
    c = content
    demand(type(c["format"]) is int and c["format"] == FORMAT, f"its format is {shown(c['format'])}, not {FORMAT}",
           "write it again with this version of sergan")  # fmt: skip
    expect(c, "licence", c["licence"] == LICENCE, LICENCE)
    expect(c, "corpus", type(c["corpus"]) is str, "text")
    try:
        labels = imitation(c["corpus"])["emotion"].value_counts()
    except SerganError as error:
        raise Wrong(str(error)) from error
    expect(c, "dataset", is_like(c["dataset"], HEX), "16 hexadecimal digits")
    exactly(given := c["utterances"], EMOTIONS, "utterances")
    for emotion in EMOTIONS:
        demand(is_count(given[emotion]) and given[emotion] == labels[emotion],
               f"it counts {shown(given[emotion])} {emotion} utterances, and {c['corpus']} has {labels[emotion]}",
               "run sergan check on the corpus, complete it, and run again")  # fmt: skip
    for name, most in (("name", 80), ("note", 500)):
        demand(type(c[name]) is str and len(c[name]) <= most, f"{name} is not a text of at most {most} characters",
               "shorten it")  # fmt: skip
        demand(c[name].isprintable() and not MARKUP & set(c[name]) and not TELLING.search(c[name]),
               f"{name} has a sign that is not for running text, or what looks like the name of a file or an utterance",
               "say it in plain words, and leave addresses to the pull request")  # fmt: skip
    expect(c, "folds_missing", is_count(c["folds_missing"]), "a count")
    demand(type(c["runs"]) is list and len(c["runs"]) > 0, "runs is no list with at least one run")


def planned(config, content: dict) -> Run:
    """The run that a configuration describes; Wrong or SerganError where `sergan run` could not have made it."""
    demand(type(config) is dict and set(PLACE) <= set(config), f"its config lacks some of {', '.join(PLACE)}")
    for name in PLACE:
        kinds = (int, type(None)) if name in ("split_seed", "fold", "seed") else (str, type(None))
        expect(config, name, type(config[name]) in kinds)
    for name in ("corpus", "dataset"):
        expect(config, name, config[name] == content[name], f"the file's, {content[name]}")
    c, place = config, {name: config[name] for name in PLACE}
    expect(c, "split", c["split"] in SPLITS, " or ".join(SPLITS))
    expect(c, "split_seed", (type(c["split_seed"]) is int) == (c["split"] == "paper"))
    expect(c, "fold", type(c["fold"]) is int, "a number")
    parts(c["corpus"], c["split"], c["fold"])
    if c["ablation"] in BASELINES:
        run = Run(**place, options=None)
        demand((run.objective, run.control, run.seed, run.preset) == (None, "none", None, None),
               "a baseline has no objective, control, seed or preset")  # fmt: skip
    else:
        demand(type(c["seed"]) is int and type(c["preset"]) is str, "it has no seed, or no preset")
        gan = "G" in str(c["ablation"])
        readings = OBJECTIVES if gan else REAL_LOSSES
        expect(c, "objective", c["objective"] in readings, " or ".join(readings))
        reading = c["objective"] if gan else REAL_LOSSES[c["objective"]].name
        for name, choices in (("preset", PRESETS), ("ablation", ABLATIONS), ("control", CONTROLS)):
            expect(c, name, c[name] in choices, " or ".join(choices))
        options = {name: value for name, value in c.items() if name not in place}
        others = options.pop("others", None)
        demand((c["control"] == "other") == is_like(others, HEX), f"its others is {shown(others)}")
        run = Run(**place, options=options_of(options), others=others)
        rare = {name: str(options[name]) for name in Config.RARE if name in options}
        experiments.check(preset=c["preset"], split=c["split"], ablations=[c["ablation"]], objectives=[reading],
                          control=c["control"], changes=rare)  # fmt: skip
    demand(run.config == config, "its config has other entries than sergan run writes")
    return run


def options_of(options: dict) -> Config:
    """The options of a run, each of its own type."""
    usual = Config()
    for name, value in options.items():
        demand(name in Config.__dataclass_fields__, f"there is no option {shown(name)}")
        kind = type(getattr(usual, name))
        typed = type(value) is (list if kind is tuple else kind)
        expect(options, name, typed and (kind is not tuple or all(map(is_count, value))))
    return Config(**{name: tuple(value) if type(value) is list else value for name, value in options.items()})


def check_run(told: dict, run: Run) -> None:
    """Whether what a file says of a run fits its configuration and the corpus. Raises Wrong."""
    expect(told, "key", told["key"] == results.key(told["config"]), "the hash of its config")
    sizes, _ = parts(run.corpus, run.split, run.fold)
    trained, validated, asked = sizes.sum(axis=1).tolist()
    matrix = told["confusion"]
    demand(type(matrix) is list and len(matrix) == 4
           and all(type(row) is list and len(row) == 4 and all(map(is_count, row)) for row in matrix),
           "its confusion is not four rows of four counts")  # fmt: skip
    for emotion, row, size in zip(EMOTIONS, matrix, sizes[2].tolist(), strict=True):
        demand(sum(row) == size, f"its confusion has {sum(row)} {emotion} utterances, and this test part has {size}",
               f"run sergan check on the corpus; if it is complete, {AGAIN}")  # fmt: skip
    right = [matrix[k][k] for k in range(4)]
    recall = [n / size for n, size in zip(right, sizes[2].tolist(), strict=True) if size]
    for name, score in (("wa", 100 * sum(right) / asked), ("ua", 100 * sum(recall) / len(recall))):
        fits = is_score(told[name]) and math.isclose(told[name], score, rel_tol=1e-9)
        expect(told, name, fits, f"what its confusion makes, {score:.4f}")
    if run.ablation == "majority":
        largest = int(sizes[0].argmax())
        demand(
            all(row[largest] == sum(row) for row in matrix), f"it does not always answer {EMOTIONS[largest]}"
        )
    check_curve(told, run, {"wa": asked, "validation_wa": validated})
    c = run.options
    steps = 0 if c is None else c.epochs * (1 if c.epoch == "batch" else math.ceil(trained / c.batch))
    expect(
        told, "steps", is_count(told["steps"]) and told["steps"] == steps, f"{steps}, epochs times batches"
    )
    expect(told, "time_s", type(told["time_s"]) is float and 0 <= told["time_s"] < 1e9, "seconds")
    expect(told, "threads", is_count(told["threads"]) and told["threads"] > 0, "a count")
    possible = [None] if c is None else list(engine.DTYPES) if c.precision == "auto" else [c.precision]
    expect(told, "precision", told["precision"] in possible)
    expect(told, "device", is_like(told["device"], DEVICE), "the name of one")
    expect(told, "revision", is_like(told["revision"], REVISION), "a commit")
    exactly(known := told["versions"], VERSIONS, "versions")
    for name in known:
        expect(known, name, is_like(known[name], VERSION), "a version")


def check_curve(told: dict, run: Run, asked: dict[str, int]) -> None:
    """Whether a curve has a possible value for every epoch, and ends at the score. Raises Wrong."""
    curve, names = told["curve"], columns(run)
    exactly(curve, names, "its curve")
    for name, values in curve.items():
        demand(type(values) is list and len(values) == run.options.epochs,
               f"its curve does not have {name} for {run.options.epochs} epochs")  # fmt: skip
        fits = is_loss if name.startswith("loss") else is_score
        odd = [epoch for epoch, value in enumerate(values) if not fits(value)]
        demand(not odd, f"its curve has {name} {shown(values[odd[0]])} at epoch {odd[0] + 1}" if odd else "")
        if name in asked:  # a share of whole utterances
            n = asked[name]
            odd = [value for value in values if abs(value - 100 * round(value * n / 100) / n) > NEAR]
            demand(
                not odd,
                f"its curve has {name} {odd[0]}, which no count of {n} utterances makes" if odd else "",
            )
    for name in ("wa", "ua") if curve else ():
        demand(abs(curve[name][-1] - told[name]) <= NEAR,
               f"its curve ends at {name} {curve[name][-1]}, and its {name} is {told[name]:.4f}",
               f"delete its record and run it again, or {AGAIN}")  # fmt: skip


def doubts(runs: list[tuple[Run, dict]], content: dict) -> list[str]:
    """What is possible and unlikely."""
    found, arms = [], defaultdict(list)
    if content["folds_missing"]:
        found.append(f"folds are missing ({content['folds_missing']}): means are not over the whole corpus")
    for run, told in runs:
        if told["wa"] > 95 and sum(map(sum, told["confusion"])) > 200:
            found.append(f"{run} has WA {told['wa']:.1f}, higher than anybody would expect")
        if run.ablation not in BASELINES:
            arm = {k: v for k, v in told["config"].items() if k not in ("seed", "split_seed")}
            arms[json.dumps(arm, sort_keys=True)].append((run, json.dumps(told["confusion"])))
    for some in arms.values():
        if len(some) > 2 and len({matrix for _, matrix in some}) == 1:
            found.append(f"{len(some)} runs like {some[0][0]} have the same confusion matrix")
    return found


def is_count(value) -> bool:
    return type(value) is int and 0 <= value < 10**9


def is_score(value) -> bool:
    return type(value) is float and 0 <= value <= 100


def is_loss(value) -> bool:
    return value is None or (type(value) is float and math.isfinite(value))


def is_like(value, form: re.Pattern) -> bool:
    return type(value) is str and form.fullmatch(value) is not None and not TELLING.search(value)


def read(folder: Path | None = None) -> list[dict]:
    """All contributions in a folder, by default those that come with the book. SerganError for one that is refused."""
    found = []
    for path in sorted((folder or results.published() / "contributed").glob("*.json")):
        content = load(path)
        if problems := check(content).problems:
            raise refusal(f"{path} is refused", problems)
        found.append(content)
    return found


def records(content: dict) -> list[dict]:
    """A checked contribution as records, for `sergan.report`. There are no answers (`.npz`) to go with them."""
    found = []
    for told in content["runs"]:
        config = told["config"]
        sizes, folds = parts(config["corpus"], config["split"], config["fold"])
        counts = dict(zip(("train", "validation", "test"), sizes.sum(axis=1).tolist(), strict=True))
        curve = [
            dict(zip(told["curve"], entry, strict=True))
            for entry in zip(*told["curve"].values(), strict=True)
        ]
        found.append({name: config[name] for name in RECORD_KEYS} | told
                     | {"utterances": counts, "folds": folds, "curve": curve})  # fmt: skip
    return found


def arms(found: list[dict], who: str) -> pd.DataFrame:
    """A row an arm: mean WA and UA with 95 % interval, and what a GAN adds to the same arm without one.

    Intervals are over folds of speakers. Across random splits there is none, as that takes the answers to
    single utterances; nor for a single fold.
    """
    rows = []
    for group in report.groups(found):
        gains = {
            (r["ablation"], r["objective"], r["control"]): r for r in report.differences(group["records"])
        }
        for row in report.table_3(group["records"]):
            name = row["ablation"], row["objective"], row["control"]
            gain = gains.get(name, {})
            rows.append({
                "who": who, "runs": group["title"], "arm": report.words(row), "units": row["units"],
                "wa": report.spread(row["wa"]), "paper": report.number(row["paper_wa"]),
                "ua": report.spread(row["ua"]), "paper (ua)": report.number(row["paper_ua"]),
                "gain": report.spread(gain.get("wa"), "+"), "paper (gain)": report.number(gain.get("paper_wa"), "+"),
            })  # fmt: skip
    return pd.DataFrame(rows)


def text(content: dict) -> str:
    """What a checked contribution holds, in a few lines."""
    rows = arms(records(content), content["name"] or "nobody named")
    lines = [f"{len(content['runs'])} runs on {content['corpus']}, {sum(content['utterances'].values())} utterances; "
             f"by {content['name'] or 'nobody named'}; {content['licence']}"]  # fmt: skip
    lines += [f"note: {content['note']}"] * bool(content["note"])
    for title, some in rows.groupby("runs", sort=False):
        lines += [title, *(f"  {r.arm}: WA {r.wa}, UA {r.ua}, from {r.units} {'unit' if r.units == 1 else 'units'}"
                           for r in some.itertuples())]  # fmt: skip
    return "\n".join(lines)
