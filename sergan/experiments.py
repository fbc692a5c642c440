"""Runs as data: corpus, split, fold, ablation, reading, control, seed, preset and every option.

`plan` lists the runs of a sweep, `sweep` carries out those that its store lacks, `run` is one of them.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sergan import ABLATIONS, SerganError, corpora, evaluation, features, results
from sergan.config import PRESETS, Config
from sergan.data import SPLITS, Dataset, Split, paper_split, prepare, speaker_groups, speaker_split
from sergan.objectives import OBJECTIVES, REAL_LOSSES
from sergan.training import CONTROLS, Training, stream

BASELINES = ("majority", "linear")
"""Always the largest class; logistic regression on IS09 functionals."""


@dataclass(frozen=True)
class Run:
    """One run, before it has a result.

    Baselines have no objective, no options and no seed of their own: they are the same for all seeds of a
    split. `split_seed` draws the random split; `dataset` is a fingerprint, see `data.Dataset`.
    """

    corpus: str
    dataset: str
    split: str
    split_seed: int | None
    fold: int
    ablation: str
    objective: str | None
    control: str
    seed: int | None
    preset: str | None
    options: Config | None

    @property
    def config(self) -> dict:
        """The full configuration, whose hash names the record."""
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "options"}
        options = {} if self.options is None else asdict(self.options)
        return named | {name: list(v) if isinstance(v, tuple) else v for name, v in options.items()}

    def __str__(self) -> str:
        words = [self.corpus, self.split, self.ablation, self.objective, self.control]
        words += [f"{name} {value}" for name, value in (("seed", self.seed), ("fold", self.fold))
                  if value is not None and (name, self.split) != ("fold", "paper")]  # fmt: skip
        return " ".join(word for word in words if word and word != "none")


def plan(
    dataset: Dataset,
    *,
    preset: str,
    split: str = "paper",
    ablations: Sequence[str] = ABLATIONS,
    objectives: Sequence[str] = ("zero", "fused"),
    control: str = "none",
    seeds: Sequence[int] = (0,),
    folds: Sequence[int] | None = None,
    split_seed: int | None = None,
    changes: dict[str, str] | None = None,
    baselines: bool = True,
) -> list[Run]:
    """The runs of a sweep: each ablation with each objective, seed and fold.

    An ablation without a GAN has one run for each *real loss* among the objectives, and names that as its
    objective: `zero`, `fused` and `uniform` share `cross_entropy`.

    Args:
        folds: which folds of the speaker split; all of them by default.
        split_seed: one random split for all seeds; by default each seed draws its own.
        changes: options to set, as text.
        baselines: majority and (where the dataset has functionals) linear come along, once a split.

    Raises SerganError for a choice that does not exist, or a control that an ablation cannot have.
    """
    options = check(preset=preset, split=split, ablations=ablations, objectives=objectives, control=control,
                    changes=changes)  # fmt: skip
    count = int(speaker_groups(dataset.table).max()) + 1 if split == "speaker" else 1
    folds = range(count) if folds is None else folds
    if outside := [fold for fold in folds if not 0 <= fold < count]:
        raise SerganError(f"--folds {outside[0]}: the {split} split of {dataset.corpus} has 0 to {count - 1}")

    names = BASELINES if dataset.functionals is not None else BASELINES[:1]
    runs = []
    for seed in seeds:
        drawn = None if split == "speaker" else seed if split_seed is None else split_seed
        for fold in folds:
            place = (dataset.corpus, dataset.fingerprint, split, drawn, fold)
            if baselines:
                runs += [Run(*place, name, None, "none", None, None, None) for name in names]
            for ablation in ablations:
                readings = objectives
                if "G" not in ablation:
                    readings = [OBJECTIVES[name].real_name for name in objectives]
                runs += [
                    Run(*place, ablation, reading, control, seed, preset, options) for reading in readings
                ]
    return list(dict.fromkeys(runs))


def check(*, preset, split, ablations, objectives, control, changes=None, **others) -> Config:
    """The options of a sweep, if every choice exists and the ablations can have the control.

    Takes what `plan` takes, without a dataset, so that a slip is found before features are extracted.
    """
    chosen = (
        ("--preset", [preset], PRESETS),
        ("--split", [split], SPLITS),
        ("--ablation", ablations, ABLATIONS),
        ("--objective", objectives, OBJECTIVES),
        ("--control", [control], CONTROLS),
    )
    for option, values, choices in chosen:
        for value in values:
            if value not in choices:
                raise SerganError(f"{option} {value} is not one of {', '.join(choices)}")
    if control != "none" and (gans := [ablation for ablation in ablations if "G" in ablation]):
        raise SerganError(
            f"--control {control} is for ablations without a GAN; leave out {' and '.join(gans)}"
        )
    return PRESETS[preset].change(changes or {})


def split_of(run: Run, dataset: Dataset) -> Split:
    if run.split == "speaker":
        return speaker_split(dataset.table, run.fold)
    return paper_split(dataset.labels, stream(run.split_seed, "split"))


def run(
    one: Run, dataset: Dataset, *, device: str = "auto", checkpoint: Path | None = None, progress=None
) -> tuple[dict, dict, dict | None]:
    """Carry out one run: its record, its arrays for the `.npz`, and its weights (None for a baseline)."""
    start = time.perf_counter()
    split = split_of(one, dataset)
    labels = dataset.labels[split.test]
    if one.ablation in BASELINES:
        logits, weights, extra = baseline(one.ablation, dataset, split), None, {"curve": [], "steps": 0}
        extra |= {"device": "cpu", "time_s": round(time.perf_counter() - start, 2)}
    else:
        c = one.options
        *parts, scaling = prepare(dataset, split, frames=c.frames, every=c.every, scaling=c.scaling)
        objective = OBJECTIVES.get(one.objective) or REAL_LOSSES[one.objective]
        training = Training(c, one.ablation, objective, control=one.control, seed=one.seed,
                            device=pick_device(device))  # fmt: skip
        logits = training.run(*parts, checkpoint=checkpoint, progress=progress).numpy()
        weights = {
            "discriminator": {name: w.cpu() for name, w in training.discriminator.state_dict().items()},
            "scale": torch.from_numpy(scaling.scale),
            "shift": torch.from_numpy(scaling.shift),
        }
        extra = {"curve": training.curve, "steps": training.steps, "device": device_name(training.device)}
        extra["time_s"] = round(training.time_s, 2)  # without the breaks of a resumed run
    answers = logits.argmax(axis=1)
    speakers = dataset.table["speaker"].to_numpy()[split.test]
    names, codes = np.unique(speakers.astype(str), return_inverse=True)
    record = {
        **{name: one.config[name] for name in RECORD_KEYS},
        "config": one.config,
        "wa": evaluation.weighted_accuracy(labels, answers),
        "ua": evaluation.unweighted_accuracy(labels, answers),
        "confusion": evaluation.confusion(labels, answers).tolist(),
        "utterances": {part: len(rows) for part, rows in zip(split._fields, split, strict=True)},
        "folds": 1 if one.split == "paper" else int(speaker_groups(dataset.table).max()) + 1,
        **extra,
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "revision": revision(),
    }
    arrays = {
        "logits": logits.astype(np.float16),
        "labels": labels.astype(np.int8),
        "speakers": codes.astype(np.int16),
        "speaker_names": names,
        "rows": split.test.astype(np.int32),
    }
    return record, arrays, weights


RECORD_KEYS = ("corpus", "split", "fold", "ablation", "objective", "control", "seed", "preset")
"""The part of a configuration that a record repeats at its top."""


def baseline(name: str, dataset: Dataset, split: Split) -> np.ndarray:
    """Log-probabilities `(n, 4)` of a baseline that learns from the training part only."""
    model = DummyClassifier(strategy="prior")
    if name == "linear":
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    x = np.zeros((len(dataset.labels), 1)) if dataset.functionals is None else dataset.functionals
    model.fit(x[split.train], dataset.labels[split.train])
    probabilities = np.zeros((len(split.test), 4))
    probabilities[:, model.classes_] = model.predict_proba(x[split.test])
    return np.log(probabilities + 1e-30)


def sweep(
    runs: Sequence[Run],
    dataset: Dataset,
    store: Path,
    *,
    jobs: int = 1,
    device: str = "auto",
    keep_weights: bool = True,
    on_done: Callable[[Run, dict], None] | None = None,
    progress: Callable | None = None,
) -> list[Path]:
    """Carry out the runs that the store lacks; returns the records' paths, in the order of `runs`.

    The store may be shared: workers return their records, this process writes them. A killed sweep goes
    on where it was; each run in progress from its checkpoint under `STORE/checkpoints`. With `jobs`
    above 1 runs go side by side, through joblib, and so on a cluster under `joblib.parallel_config`.
    """
    store = Path(store)
    todo = [run for run in runs if not results.is_done(store, run.config)]
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None

    def place(run: Run) -> Path:
        return (store / "checkpoints" / f"{results.key(run.config)}.pt").absolute()

    # One job runs here and can show its epochs; several cannot
    tasks = (
        joblib.delayed(work)(run, dataset, device, place(run), threads, progress if jobs == 1 else None)
        for run in todo
    )
    for run, (record, arrays, weights) in joblib.Parallel(jobs, return_as="generator_unordered")(tasks):
        results.write(store, record, arrays, weights if keep_weights else None)
        place(run).unlink(missing_ok=True)
        if on_done is not None:
            on_done(run, record)
    return [store / f"{results.key(run.config)}.json" for run in runs]


def work(one: Run, dataset: Dataset, device: str, checkpoint: Path, threads: int | None, progress):
    """One run, as a worker does it."""
    if threads is not None:
        torch.set_num_threads(threads)
    told = None if progress is None else (lambda epoch, entry: progress(one, epoch, entry))
    return one, run(one, dataset, device=device, checkpoint=checkpoint, progress=told)


def pick_device(device: str = "auto") -> torch.device:
    """`"auto"` is a GPU where PyTorch finds one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise SerganError(f"device {device!r} cannot be used here; choose cpu or auto") from error


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def versions() -> dict[str, str]:
    """Of what a result can depend on."""
    found = {"python": platform.python_version()}
    for package in ("sergan", "torch", "numpy", "scikit-learn", "opensmile"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def revision() -> str:
    """The commit of this code, with `+` where the tree differs from it; empty outside its repository."""

    def git(*words):
        here = Path(__file__).resolve().parent
        return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True).stdout

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # fails for a copy in somebody's repository
        changed = git("status", "--porcelain", "--untracked-files=no", ".")
        return git("rev-parse", "--short=12", "HEAD").strip() + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def load_dataset(
    corpus: str,
    root: str | Path | None = None,
    *,
    functionals: bool = True,
    on_error: str = "stop",
    progress: bool = True,
    **options,
) -> Dataset:
    """A corpus with its features, from the cache where they have been extracted before.

    Args:
        functionals: also those for the linear baseline.
        on_error: `"skip"` leaves out utterances whose audio cannot be used, `"stop"` raises.
        options: of the corpus, such as `excited="merge"`.
    """
    table = corpora.load(corpus, root, **options)
    sequences = features.extract(table["file"], on_error=on_error, progress=progress)
    kept = [sequence is not None for sequence in sequences]
    table, sequences = table[kept], [sequence for sequence in sequences if sequence is not None]
    extra = features.functionals(table["file"], progress=progress) if functionals else None
    return Dataset.of(corpus_name(corpus, options), table, sequences, extra)


def corpus_name(corpus: str, options: dict) -> str:
    """The name under which records and tables have a corpus, with what makes it another one.

    Example:
        >>> corpus_name("iemocap", {"excited": "merge"}), corpus_name("table", {"labels": "joy=happy"})
        ('iemocap (excited=merge)', 'table')
    """
    usual = {"excited": "drop"}
    changed = [f"{k}={v}" for k, v in options.items() if k in usual and usual[k] != v]
    return f"{corpus} ({', '.join(changed)})" if changed else corpus


def dataset_from_file(path: str | Path) -> Dataset:
    """A corpus from a file of `sergan features`, where there is neither audio nor openSMILE."""
    stored = features.load_file(path)
    return Dataset.of(stored.corpus, stored.table, stored.sequences, stored.functionals, source="fp16")
