"""Runs as data: corpus, split, fold, ablation, reading, control, seed, preset and every option.

`plan` lists the runs of a sweep, `sweep` carries out those that its store lacks, `run` is one of them.
"""

from __future__ import annotations

import errno
import math
import os
import platform
import subprocess
import sys
import threading
import time
import traceback
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import platformdirs
import torch
from joblib.externals.loky import process_executor
from joblib.parallel import LokyBackend
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sergan import ABLATIONS, EMOTIONS, SerganError, corpora, evaluation, features, leaks, negatives, results
from sergan.augmentation import Augmentation
from sergan.config import PRESETS, Config
from sergan.data import SPLITS, Dataset, Split, paper_split, prepare, speaker_groups, speaker_split
from sergan.files import replacing, tidy
from sergan.imbalance import weights_of
from sergan.objectives import OBJECTIVES, REAL_LOSSES
from sergan.randomness import stream
from sergan.results import BASELINES, RECORD_KEYS
from sergan.training import CONTROLS, NEGATIVE_CONTROLS, STEP_CONTROLS, Training


@dataclass(frozen=True)
class Run:
    """One run, before it has a result.

    Baselines have no objective, no options and no seed of their own: they are the same for all seeds of a
    split. `split_seed` draws the random split; `dataset` is a fingerprint, see `data.Dataset`, and `others`
    that of the other emotions, for the control that learns from them; `augmentation` is somebody's own.
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
    others: str | None = None
    augmentation: Augmentation | None = None

    @property
    def config(self) -> dict:
        """The full configuration, whose hash names the record."""
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "options"}
        options = {} if self.options is None else self.options.as_dict()
        if self.control != "other":
            del named["others"]
        if named.pop("augmentation"):
            named["augmentation"] = self.augmentation.identity
        return named | options

    def __str__(self) -> str:
        words = [self.corpus, self.split, self.ablation, self.objective, self.control]
        words += [f"with {self.augmentation.name}"] if self.augmentation else []
        if self.options is not None:
            usual, named = PRESETS[self.preset], ("lr", *Config.PENALTIES, *Config.RARE)
            words += [f"{name}={value:g}" for name in named
                      if (value := getattr(self.options, name)) != getattr(usual, name)]  # fmt: skip
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
    augment: str | None = None,
) -> list[Run]:
    """The runs of a sweep: each ablation with each objective, seed and fold.

    An ablation without a GAN has one run for each *real loss* among the objectives, and names that as its
    objective: `zero`, `fused` and `uniform` share `cross_entropy`.

    Args:
        folds: which folds of the speaker split; all of them by default.
        split_seed: one random split for all seeds; by default each seed draws its own.
        changes: options to set, as text.
        baselines: majority and (where the dataset has functionals) linear come along, once a split.
        augment: a function of one's own, `FILE.py:FUNCTION`, see `sergan.augmentation`.

    Raises SerganError for a choice that does not exist, or a control that an ablation cannot have.
    """
    options = check(preset=preset, split=split, ablations=ablations, objectives=objectives, control=control,
                    changes=changes, augment=augment)  # fmt: skip
    augmentation = None if augment is None else Augmentation.of(augment)
    count = int(speaker_groups(dataset.table).max()) + 1 if split == "speaker" else 1
    folds = range(count) if folds is None else folds
    if outside := [fold for fold in folds if not 0 <= fold < count]:
        raise SerganError(f"--folds {outside[0]}: the {split} split of {dataset.corpus} has 0 to {count - 1}")

    if control == "other" and dataset.others is None:
        raise SerganError(
            f"--control other needs recordings of other emotions, and {dataset.corpus} was loaded without any; "
            "use --root with a corpus that has them, such as ravdess"
        )
    others = dataset.others.fingerprint if control == "other" else None
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
                    Run(*place, ablation, reading, control, seed, preset, options, others, augmentation)
                    for reading in readings
                ]
    if augmentation is not None and runs:
        train, *_ = prepare(dataset, split_of(runs[-1], dataset), frames=options.frames, every=options.every)
        augmentation.rehearse(train.pick(torch.arange(min(options.batch, len(train.labels))), trim=True))
    return list(dict.fromkeys(runs))


def check(*, preset, split, ablations, objectives, control, changes=None, augment=None, **others) -> Config:
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
    if control in STEP_CONTROLS and (gans := [ablation for ablation in ablations if "G" in ablation]):
        raise SerganError(
            f"--control {control} is for ablations without a GAN; leave out {' and '.join(gans)}"
        )
    if control in NEGATIVE_CONTROLS:
        if plain := [ablation for ablation in ablations if "G" not in ablation]:
            raise SerganError(
                f"--control {control} puts other negatives in a GAN's place, for AGM and BAGM; "
                f"leave out {' and '.join(plain)}"
            )
        if silent := [name for name in objectives if OBJECTIVES[name].silent]:
            raise SerganError(
                f"--objective {silent[0]} learns nothing from negatives, so --control {control} would be the "
                "same run as --control placebo; choose another objective, such as fused"
            )
    options = PRESETS[preset].change(changes or {})
    used = [name for name in Config.RARE[:2] if getattr(options, name)] + ["--augment"] * bool(augment)
    if used and (apart := [n for n in objectives if OBJECTIVES[n].real_name != "cross_entropy"]):
        raise SerganError(f"{used[0]} is for readings whose real loss is cross_entropy; leave out {apart[0]}")
    if augment is not None:
        Augmentation.of(augment)
    return options


def split_of(run: Run, dataset: Dataset) -> Split:
    if run.split == "speaker":
        return speaker_split(dataset.table, run.fold)
    return paper_split(dataset.labels, stream(run.split_seed, "split"))


def leaks_of(runs: Sequence[Run], datasets: Sequence[Dataset]) -> list[str]:
    """Sentences on what could make the scores of these runs good without an emotion being heard, see `leaks`."""
    found = []
    for dataset in datasets:
        own = [run for run in runs if (run.corpus, run.dataset) == (dataset.corpus, dataset.fingerprint)]
        splits = {(run.split, run.split_seed, run.fold): split_of(run, dataset) for run in own}
        cuts = [(run.options.frames, run.options.every) for run in own if run.options is not None]
        found += leaks.of_run(dataset, list(splits.values()), cuts)
    return list(dict.fromkeys(found))


def run(
    one: Run, dataset: Dataset, *, device: str = "auto", checkpoint: Path | None = None, progress=None
) -> tuple[dict, dict, dict | None]:
    """Carry out one run: its record, its arrays for the `.npz`, and its weights (None for a baseline)."""
    start = time.perf_counter()
    split = split_of(one, dataset)
    labels = dataset.labels[split.test]
    if one.ablation in BASELINES:
        logits, weights, unseen = baseline(one.ablation, dataset, split), None, {}
        extra = {"curve": [], "steps": 0}
        extra |= {"device": "cpu", "time_s": round(time.perf_counter() - start, 2)}
    else:
        c = one.options
        *parts, scaling = prepare(dataset, split, frames=c.frames, every=c.every, scaling=c.scaling)
        objective = OBJECTIVES.get(one.objective) or REAL_LOSSES[one.objective]
        others, unseen = None, {}
        if one.control == "other":
            heard = set(dataset.table["speaker"].iloc[split.train])
            others, _ = dataset.others.sequences_of(heard, scaling, frames=c.frames, every=c.every)
        weights = weights_of(parts[0].labels, c.class_weights) if c.class_weights else None
        training = Training(c, one.ablation, objective, control=one.control, seed=one.seed,
                            device=pick_device(device), others=others, weights=weights,
                            augment=one.augmentation)  # fmt: skip
        logits = training.run(*parts, checkpoint=checkpoint, progress=progress).numpy()
        if dataset.others is not None and one.control != "other":
            unseen = answers_to_others(training, dataset, split, scaling)
        weights = {
            "discriminator": {name: w.cpu() for name, w in training.discriminator.state_dict().items()},
            "scale": torch.from_numpy(scaling.scale),
            "shift": torch.from_numpy(scaling.shift),
        }
        extra = {"curve": training.curve, "steps": training.steps, "device": device_name(training.device)}
        extra["time_s"] = round(training.time_s, 2)  # without the breaks of a resumed run
        extra["precision"] = training.precision
        if training.negative:
            extra["real"] = negatives.look_at_real(training, parts[0])
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
        "logits": small(logits),
        "labels": labels.astype(np.int8),
        "speakers": codes.astype(np.int16),
        "speaker_names": names,
        "rows": split.test.astype(np.int32),
        **unseen,
    }
    return record, arrays, weights


def small(logits: np.ndarray) -> np.ndarray:
    """In half precision, unless they have run too far for it: a loss may have no lower bound."""
    with np.errstate(over="ignore"):
        half = logits.astype(np.float16)
    return half if np.isfinite(half).all() else logits


def answers_to_others(training: Training, dataset: Dataset, split: Split, scaling) -> dict:
    """Logits for the test speakers' other emotions, which the run never met: can it tell that it does not know?"""
    c, speakers = training.config, set(dataset.table["speaker"].iloc[split.test])
    data, rows = dataset.others.sequences_of(speakers, scaling, frames=c.frames, every=c.every)
    if not len(rows):
        return {}
    emotions = dataset.others.table["emotion"].to_numpy()[rows]
    names, codes = np.unique(emotions.astype(str), return_inverse=True)
    return {
        "unseen_logits": small(training.predict(data.to(training.device)).numpy()),
        "unseen_emotions": codes.astype(np.int8),
        "unseen_names": names,
    }


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


COST = {"AM": 1, "AGM": 4, "BAM": 4, "BAGM": 12, "majority": 0.1, "linear": 1}
"""What an epoch costs in terms of AM's, roughly, for the time left (measured with the preset cpu: 1, 3.7, 4.3,
11.9). A baseline has one epoch."""


def cost(run: Run, dataset: Dataset) -> float:
    """What a run is expected to cost, in frames: utterances, their frames, epochs, and `COST`."""
    utterances, frames, epochs = len(dataset.counts), dataset.counts.mean(), 1
    if (c := run.options) is not None:
        utterances = min(utterances, c.batch) if c.epoch == "batch" else utterances
        frames, epochs = min(frames / c.every, c.frames), c.epochs
    return float(utterances * frames * epochs * COST[run.ablation])


class FailedRuns(SerganError):
    """Runs of a sweep that failed, while the others are done. `errors` maps each run to its sentence."""

    def __init__(self, message: str, errors: dict[Run, str]):
        super().__init__(message)
        self.errors = errors


class FullDisk(SerganError):
    """A checkpoint or record has no room on its disk."""


class Outcome(NamedTuple):
    """What a worker hands back: what `run` returned, or the problem in its way; and a note, if any."""

    run: Run
    result: tuple | None
    problem: SerganError | None = None
    note: str = ""


def sweep(
    runs: Sequence[Run],
    dataset: Dataset | Sequence[Dataset],
    store: Path,
    *,
    jobs: int = 1,
    device: str = "auto",
    keep_weights: bool = True,
    on_done: Callable[[Run, dict], None] | None = None,
    on_failed: Callable[[Run, str], None] | None = None,
    progress: Callable | None = None,
) -> list[Path]:
    """Carry out the runs that the store lacks; returns the records' paths, in the order of `runs`.

    Workers return their records, this process writes them. A killed sweep goes on where it was; each run
    in progress from its checkpoint under `STORE/checkpoints`, or in the worker's own cache folder where
    the worker does not see this store. With `jobs` above 1 runs go side by side, through joblib, and so
    on a Dask cluster under `joblib.parallel_config("dask")`.

    Args:
        dataset: the runs' dataset, or all of their datasets.
        on_done: called with each run and its record.
        on_failed: called with each run that failed and a sentence.
        progress: called with run, epoch and entry of the curve, where runs go one by one in this process.

    Raises FailedRuns, when all others are done, if a run failed; FullDisk, at once, if a checkpoint or a
    record cannot be written for want of room. The same call goes on from there.
    """
    store = Path(store)
    todo = [run for run in dict.fromkeys(runs) if not results.is_done(store, run.config)]
    paths = [store / f"{results.key(run.config)}.json" for run in runs]
    for run in set(runs) - set(todo):  # killed when its record was written and its checkpoint not yet removed
        with suppress(OSError):
            (store / "checkpoints" / f"{results.key(run.config)}.pt").unlink()
    if not todo:
        return paths
    given = [dataset] if isinstance(dataset, Dataset) else list(dataset)
    # Of two that are the same but for functionals, say, the fuller one counts
    given.sort(key=lambda d: sum(getattr(d, field.name) is not None for field in fields(d)))
    # Copies, because those hold nothing that the original has computed meanwhile: workers get them sent
    data = {(d.corpus, d.fingerprint): replace(d) for d in given}
    backend = joblib.parallel.get_active_backend()[0]
    if (client := getattr(backend, "client", None)) is None and device != "auto":
        pick_device(device)
    sent = nullcontext(data) if client is None else on_dask(backend, client, data)
    alone = client is None and jobs == 1
    threads = None if client or alone else max(1, min(torch.get_num_threads(), joblib.cpu_count() // jobs))
    failed = {}

    def place(run: Run) -> Path:
        return (store / "checkpoints" / f"{results.key(run.config)}.pt").absolute()

    with ready(store) as sign, sent as data:
        told = progress if alone else None
        task = partial(work, device=device, sign=sign, threads=threads, weights=keep_weights, progress=told)

        def tasks(some):
            return [joblib.delayed(task)(run, data[run.corpus, run.dataset], place(run)) for run in some]

        with closing(outcomes(todo, tasks, jobs, client)) as done:
            for run, result, problem, note in done:
                if note:
                    warnings.warn(note, stacklevel=2)
                if isinstance(problem, FullDisk):
                    raise problem
                if problem is not None:
                    failed[run] = f"{run}: {problem}"
                    if on_failed is not None:
                        on_failed(run, str(problem))
                    continue
                record, arrays, weights = result
                write(store, record, arrays, weights, place(run))
                if on_done is not None:
                    on_done(run, record)
    if failed:
        count = "1 run" if len(failed) == 1 else f"{len(failed)} runs"
        raise FailedRuns(
            f"{count} of {len(todo)} failed; the others are in {store}, and the same command tries again",
            failed,
        )
    return paths


@contextmanager
def on_dask(backend, client, data: dict) -> Iterator[dict]:
    """Inside, joblib's Dask backend can carry out a sweep; gives the names by which workers know the datasets.

    Each worker gets the datasets once, as a plugin, also one that joins later or comes back. (They could be
    scattered; but then they are lost when all workers that hold them die, and the scheduler gives runs to
    these workers, while others wait.)
    """
    from distributed import WorkerPlugin

    class Carrier(WorkerPlugin):
        def __init__(self, dataset):
            self.dataset = dataset

    def left(dask_scheduler):
        ours = [name for name in dask_scheduler.worker_plugins if name.startswith("sergan/")]
        return [name for name in ours if name.split("/")[1] not in dask_scheduler.clients]

    # joblib does a single job itself, in this process, also where the only worker is another machine
    backend.effective_n_jobs = lambda n_jobs: max(2, sum(client.nthreads().values()))
    names = {key: f"sergan/{client.id}/{number}" for number, key in enumerate(data)}
    try:
        for name in client.run_on_scheduler(left):  # by sweeps that were killed
            client.unregister_worker_plugin(name)
        for key, dataset in data.items():
            client.register_plugin(Carrier(dataset), names[key])
        yield names
    finally:
        with suppress(Exception):  # a scheduler that has gone holds nothing either
            for name in names.values():
                client.unregister_worker_plugin(name)


def outcomes(runs: Sequence[Run], tasks: Callable, jobs: int, client=None) -> Iterator[Outcome]:
    """The outcome of each run, in the order of their ends.

    An error here is a worker's death (out of memory, say), and ends all that joblib has under way: then
    the remaining runs are begun again, and where that finishes none, the first of them by itself.
    """
    rest, together = list(runs), True
    how = {"pre_dispatch": "all" if client else "2 * n_jobs"}  # all, for workers that join a cluster later
    if jobs > 1 and os.name == "posix" and isinstance(joblib.parallel.get_active_backend()[0], LokyBackend):
        how |= {"initializer": end_with, "initargs": (os.getpid(),)}
    while rest:
        count, problem, together = len(rest), None, together and len(rest) > 1
        pool = joblib.Parallel(jobs, return_as="generator_unordered", batch_size=1, **how)
        try:
            for outcome in pool(tasks(rest if together else rest[:1])):
                rest.remove(outcome.run)
                yield outcome
        except Exception as error:
            if client is not None and client.status != "running":
                raise SerganError(
                    "the Dask scheduler has gone; finished runs are in the store, and the same command goes on "
                    "when it is back"
                ) from error
            problem = SerganError(f"its worker died ({sentence(error)})")
        if problem and not together:
            yield Outcome(rest.pop(0), None, problem)
        together = not together or not problem or len(rest) < count


@contextmanager
def ready(store: Path) -> Iterator[Path]:
    """A store that can be written; inside, a file in it by which a worker knows that it sees this store."""
    sign = (store / "checkpoints" / f"{uuid.uuid4().hex}.sweep").absolute()
    try:
        with replacing(sign) as out:
            out.write(b"a sweep is running")
        for left in (path for name in ("*.part", "*/*.part", "*/*.sweep") for path in store.glob(name)):
            with suppress(FileNotFoundError):  # another sweep has just ended, or finished writing it
                if time.time() - left.stat().st_mtime > 24 * 3600:  # by a sweep that was killed
                    left.unlink()
    except OSError as error:
        kind = FullDisk if no_room(error) else SerganError
        raise kind(
            f"store {store} cannot be written ({error.strerror}); make room, or name another"
        ) from error
    try:
        yield sign
    finally:
        with suppress(OSError):  # a store that can no longer be written has been said already
            sign.unlink()


def write(store: Path, record: dict, arrays: dict, weights: dict | None, checkpoint: Path) -> None:
    """Write a record; its checkpoint, which is larger, goes before it where that makes the room, else after it."""
    try:
        try:
            results.write(store, record, arrays, weights)
        except Exception as error:
            if not no_room(error) or not checkpoint.exists():
                raise
            checkpoint.unlink()
            results.write(store, record, arrays, weights)
        for left in (
            *checkpoint.parent.glob(f"{checkpoint.name}.*.part"),
            *store.glob(f"{checkpoint.stem}.*.part"),
        ):
            tidy(left)  # what a killed worker had half written, but not what another sweep is writing
        with suppress(OSError):
            checkpoint.unlink()
    except Exception as error:
        if (full := no_room(error)) is None and not isinstance(error, OSError):
            raise
        kind = FullDisk if full else SerganError
        place = getattr(error, "filename2", None) or getattr(error, "filename", None) or store
        raise kind(
            f"a record cannot be written to {place} ({(full or error).strerror}); what was written before is "
            "whole: make room, and the same command goes on from here"
        ) from error


def no_room(error: BaseException | None) -> OSError | None:
    """The full disk behind an error, if there is one: torch raises an error of its own on top of it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return error
        error = error.__cause__ or error.__context__
    return None


def sentence(error: BaseException) -> str:
    """An error in one line."""
    first, *_ = str(error).strip().splitlines() or [""]
    return first if isinstance(error, SerganError) else f"{type(error).__name__}: {first}".rstrip(": ")


ONE_AT_A_TIME = threading.Lock()
"""In a process: the seed and the number of threads are the whole process's."""


def work(
    one: Run, dataset: Dataset | str, checkpoint: Path, *, device, sign, threads, weights=True, progress=None
) -> Outcome:
    """One run, as a worker does it; its errors are part of the outcome.

    Args:
        dataset: itself, or on Dask the name of the plugin that has it.
        checkpoint: where it is kept by those that see the sweep's store, which is where `sign` exists.
        threads: for torch, where the worker is not to choose.
        weights: whether they are part of the outcome; they are much larger than all else in it.
    """
    if isinstance(dataset, str):
        from distributed import get_worker

        dataset = get_worker().plugins[dataset].dataset
        # A worker that has grown by 0.3 GB is taken for a leak and replaced, which costs seconds a run
        process_executor._MAX_MEMORY_LEAK_SIZE = math.inf
    if elsewhere := not os.path.exists(sign):
        cache = os.environ.get("SERGAN_CACHE") or platformdirs.user_cache_dir("sergan", appauthor=False)
        checkpoint = Path(cache) / "checkpoints" / checkpoint.name

    def told(epoch, entry):
        if is_cancelled():
            raise SerganError("the sweep that asked for this run has ended")
        if progress is not None:
            progress(one, epoch, entry)

    note = ""
    with ONE_AT_A_TIME:
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            try:
                result = run(one, dataset, device=device, checkpoint=checkpoint, progress=told)
            except SerganError as error:
                # The file cannot be read for another reason than damage: it may be good another time
                passing = isinstance(error.__cause__, (OSError, MemoryError, torch.OutOfMemoryError))
                if str(checkpoint) not in error.args[0] or passing or not checkpoint.exists():
                    raise
                note = f"checkpoint {checkpoint} was damaged; its run, {one}, starts afresh"
                checkpoint.unlink()
                result = run(one, dataset, device=device, checkpoint=checkpoint, progress=told)
            if elsewhere:
                for left in checkpoint.parent.glob(f"{checkpoint.name}.*.part"):
                    tidy(left)
                checkpoint.unlink(missing_ok=True)
            return Outcome(one, result if weights else (*result[:2], None), note=note)
        except Exception as error:
            problem = SerganError(sentence(error))
            if full := no_room(error):
                problem = FullDisk(
                    f"checkpoint {checkpoint} cannot be written ({full.strerror}); what was written before is "
                    "whole: make room, and the same command goes on from here"
                )
            problem.add_note(traceback.format_exc())
            return Outcome(one, None, problem, note)


def end_with(parent: int) -> None:
    """End this process soon after its parent: of a sweep that was killed, nothing goes on computing."""

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def is_cancelled() -> bool:
    """Whether this is a task on Dask whose caller has gone: Dask drops its result, but cannot stop it."""
    if "distributed" not in sys.modules:
        return False
    from distributed import get_worker

    try:
        worker = get_worker()
        task = worker.state.tasks.get(worker.get_current_task())
    except (ValueError, AttributeError):  # no worker
        return False
    return task is None or task.state == "cancelled"


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
    others: bool = False,
    on_error: str = "stop",
    progress: bool = True,
    **options,
) -> Dataset:
    """A corpus with its features, from the cache where they have been extracted before.

    Args:
        functionals: also those for the linear baseline.
        others: also recordings of other emotions than the four, for the control `other`.
        on_error: `"skip"` leaves out utterances whose audio cannot be used, `"stop"` raises.
        options: of the corpus, such as `excited="merge"`.
    """
    name = corpus_name(corpus, options)
    table = corpora.load(corpus, root, classes="all" if others else "paper", **options)
    sequences = features.extract(table["file"], on_error=on_error, progress=progress)
    kept = [sequence is not None for sequence in sequences]
    table, sequences = table[kept], [sequence for sequence in sequences if sequence is not None]
    ours = table["emotion"].isin(EMOTIONS).to_numpy()
    rest = None
    if not ours.all():
        rest = Dataset.of(name, table[~ours], [s for s, own in zip(sequences, ours, strict=True) if not own])
        table = table[ours]
        sequences = [s for s, own in zip(sequences, ours, strict=True) if own]
    extra = features.functionals(table["file"], progress=progress) if functionals else None
    return Dataset.of(name, table, sequences, extra, others=rest)


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
    for column in ("emotion", "speaker", "session"):
        if (
            column not in stored.table
            or not stored.table[column].map(lambda cell: isinstance(cell, str)).all()
        ):
            raise SerganError(
                f"{path} has no {column} for every utterance: make it anew with `sergan features`"
            )
    if unknown := set(stored.table["emotion"]) - set(EMOTIONS):
        raise SerganError(
            f"{path} has the emotion {min(unknown)}, none of {', '.join(EMOTIONS)}: make it anew with `sergan features`"
        )
    return Dataset.of(stored.corpus, stored.table, stored.sequences, stored.functionals, source="fp16")
