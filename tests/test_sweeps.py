"""Sweeps that survive: described in a file, killed, resumed, side by side, and on a cluster of two workers."""

import contextlib
import json
import os
import pickle
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
import tqdm
from conftest import random_dataset

from sergan import SerganError, experiments, features, results
from sergan.__main__ import BAR, cluster, main
from sergan.experiments import FullDisk, plan, sweep
from sergan.training import Training

SIZES = {
    "frames": "16",
    "every": "1",
    "lstm": "4",
    "attention": "4",
    "dense": "4",
    "generator": "4,4",
    "latent": "4",
}
SHORT = {**SIZES, "epochs": "2"}
LONG = {**SIZES, "epochs": "16"}


def runs_of(dataset, changes=SHORT, ablations=("AM", "BAGM"), **more):
    return plan(dataset, preset="demo", ablations=ablations, objectives=["fused"], changes=changes,
                baselines=False, **more)  # fmt: skip


def content(path):
    """All of a finished run but its time, and its arrays bit for bit."""
    record = {key: value for key, value in results.load(path).items() if key != "time_s"}
    with np.load(path.with_suffix(".npz")) as arrays:
        return record, {name: (array.dtype.str, array.tobytes()) for name, array in arrays.items()}


def assert_same(paths, others):
    assert len(paths) == len(others) > 0
    for one, other in zip(paths, others, strict=True):
        assert content(one) == content(other)


def assert_nothing_left(store):
    assert [path for path in store.rglob("*") if path.suffix in (".part", ".sweep")] == []
    assert list((store / "checkpoints").glob("*")) == []


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A dataset as a file of `sergan features`, and as one has it from there."""
    made, path = random_dataset(), tmp_path_factory.mktemp("features") / "small.npz"
    features.save(
        path, corpus="demo", table=made.table, sequences=made.sequences, functionals=made.functionals
    )
    return path, experiments.dataset_from_file(path)


@pytest.fixture(scope="module")
def undisturbed(stored, tmp_path_factory):
    """The sweep of LONG runs as it is when nothing happens."""
    dataset = stored[1]
    return sweep(runs_of(dataset, LONG, seeds=[0, 1]), dataset, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder that, on the path of a process, makes it write a checkpoint each epoch."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'resource_tracker' not in ' '.join(sys.orig_argv):\n"
        "    from sergan.training import Training\n"
        "    Training.run.__kwdefaults__['every_s'] = 0\n"
    )
    return {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def checkpoint_each_epoch(site, monkeypatch):
    """In this process, and in those that it starts."""
    monkeypatch.setitem(Training.run.__kwdefaults__, "every_s", 0)
    for name, value in site.items():
        monkeypatch.setenv(name, value)


FILE = """
preset = "demo"
no-baselines = true
set = { epochs = 2, frames = 16, lstm = 4 }

[networks]
ablation = ["AM", "BAM"]
seeds = 2

[readings]
ablation = "BAGM"
objective = ["zero", "fused"]
set = { epochs = 3, generator = [8, 8], masked = false }
"""


def test_a_file_of_blocks_is_the_same_runs_as_their_options_typed(stored, tmp_path, capsys):
    path, _ = stored
    (tmp_path / "sweep.toml").write_text(FILE)
    common = ["run", "--features", str(path)]
    sizes = ["--preset", "demo", "--no-baselines", "--set", "frames=16", "lstm=4"]
    together = ["--sweep", str(tmp_path / "sweep.toml"), "--store", str(tmp_path / "file")]
    assert main([*common, *together]) == 0
    assert "6 runs in" in capsys.readouterr().out
    networks = ["--ablation", "AM", "BAM", "--seeds", "2", *sizes, "epochs=2"]
    readings = ["--ablation", "BAGM", *sizes, "epochs=3", "generator=8,8", "masked=false"]
    for words in (networks, readings):
        assert main([*common, *words, "--store", str(tmp_path / "typed")]) == 0
    names = [{path.name for path in (tmp_path / store).glob("*.json")} for store in ("file", "typed")]
    assert names[0] == names[1] and len(names[0]) == 6


def test_what_is_typed_holds_for_every_block(stored, tmp_path, capsys):
    (tmp_path / "sweep.toml").write_text(FILE)
    words = [
        "--features",
        str(stored[0]),
        "--store",
        str(tmp_path / "s"),
        "--seeds",
        "1",
        "--set",
        "epochs=1",
    ]
    assert main(["run", "--sweep", str(tmp_path / "sweep.toml"), *words, "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert len(records) == 4 and {record["config"]["epochs"] for record in records} == {1}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[a]\nepoches = 3",
            "sweep.toml [a]: epoches is none of the options ablation, augment, control, corpus, excited",
        ),
        ("seed = 3\n[a]", "sweep.toml [a]: seed is none of the options"),
        ("[a]\njobs = 3", "sweep.toml [a]: jobs is none of the options"),
        ("[a]\nseeds = 'x'", "sweep.toml [a]: argument --seeds: invalid int value"),
        ("[a]\n[b]\nobjective = 'mse'", "sweep.toml [b]: --objective mse is not one of zero"),
        ("[a]\nset = { epoch = 3 }", "sweep.toml [a]: epoch=3 is not one of pass, batch"),
        ("[a]\ncorpus = 'nemo'", 'sweep.toml [a]: The corpus "nemo" needs a root'),
        ("[a", "sweep.toml is not TOML"),
        ("seeds = 2", "sweep.toml has no blocks; a line [NAME] begins one"),
        (None, "sweep.toml cannot be read (No such file or directory)"),
    ],
)
def test_a_mistake_in_a_file_is_one_sentence_that_names_the_block(text, sentence, tmp_path, capsys):
    if text is not None:
        (tmp_path / "sweep.toml").write_text(text)
    assert main(["run", "--sweep", str(tmp_path / "sweep.toml"), "--store", str(tmp_path / "s")]) == 1
    out, err = capsys.readouterr()
    assert out == "" and sentence in err and err.startswith("sergan: ") and err.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_the_example_of_the_book_is_as_many_runs_as_the_book_says(stored, tmp_path, capsys):
    page = (Path(__file__).parents[1] / "book" / "sweeps.md").read_text()
    (tmp_path / "sweep.toml").write_text(re.search(r"```toml\n(.+?)```", page, re.DOTALL)[1])
    words = ["--features", str(stored[0]), "--store", str(tmp_path / "s"), "--set", "epochs=1", "frames=16"]
    assert main(["run", "--sweep", str(tmp_path / "sweep.toml"), *words, "lstm=4", "generator=4"]) == 0
    (said,) = re.findall(r"^It is (\d+)\.", page, re.MULTILINE)
    assert f"{said} runs in" in capsys.readouterr().out


def test_a_sweep_can_have_several_datasets(dataset, tmp_path):
    other = replace(random_dataset(seed=1, utterances=48), corpus="other")
    runs = [*runs_of(dataset, ablations=["AM"]), *runs_of(other, ablations=["AM"])]
    paths = sweep(runs, [dataset, other], tmp_path)
    assert [results.load(path)["utterances"]["test"] for path in paths] == [20, 16]


def test_a_run_that_fails_ends_only_itself_and_is_tried_again(stored, tmp_path, monkeypatch, capsys):
    whole = experiments.run

    def fails_once(one, *rest, **more):
        if one.ablation == "BAM":
            raise RuntimeError("CUDA out of memory.\nA second line")
        return whole(one, *rest, **more)

    monkeypatch.setattr(experiments, "run", fails_once)
    words = ["run", "--features", str(stored[0]), "--store", str(tmp_path), "--preset", "demo", "--no-baselines",
             "--objective", "fused", "--set", *(f"{key}={value}" for key, value in SHORT.items())]  # fmt: skip
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert err == (
        "sergan: demo paper BAM cross_entropy seed 0: RuntimeError: CUDA out of memory.\n"
        f"sergan: 1 run of 4 failed; the others are in {tmp_path}, and the same command tries again.\n"
    )
    assert len(out.splitlines()) == 3 and len(list(tmp_path.glob("*.json"))) == 3
    monkeypatch.setattr(experiments, "run", whole)
    assert main(words) == 0
    assert "4 runs in" in (out := capsys.readouterr().out) and ", 1 of them new" in out


def test_a_damaged_checkpoint_is_noted_and_its_run_starts_afresh(dataset, tmp_path):
    (run,) = runs_of(dataset, ablations=["AM"])
    checkpoint = tmp_path / "checkpoints" / f"{results.key(run.config)}.pt"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"PK half a file")
    with pytest.warns(
        UserWarning, match=f"checkpoint .*{checkpoint.name} was damaged; its run, demo paper AM"
    ):
        found = sweep([run], dataset, tmp_path)
    assert_same(found, sweep([run], dataset, tmp_path / "whole"))
    assert_nothing_left(tmp_path)


@contextlib.contextmanager
def largest_file(size):
    """Inside, this process can write no larger file: a write stops halfway, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("size", "sentence"), [(10_000, "checkpoint "), (10, "store ")])
def test_a_full_disk_stops_a_sweep_and_loses_nothing(
    stored, undisturbed, checkpoint_each_epoch, tmp_path, size, sentence
):
    dataset = stored[1]
    runs, store = runs_of(dataset, LONG, seeds=[0, 1]), tmp_path / "store"
    first, done = sweep(runs[:1], dataset, store), []
    with largest_file(size), pytest.raises(FullDisk, match=sentence) as error:
        sweep(runs, dataset, store, on_done=lambda run, record: done.append(run))
    assert "make room" in str(error.value) and "\n" not in str(error.value) and done == []
    assert [path for path in store.rglob("*") if path.suffix in (".part", ".sweep")] == []
    assert content(first[0])[0]["seed"] == 0
    assert_same(sweep(runs, dataset, store), undisturbed)
    assert_nothing_left(store)


def test_a_record_that_has_no_room_gets_that_of_its_checkpoint(dataset, tmp_path, monkeypatch):
    """Where both do not fit, the finished run stays and not the way to it."""
    (run,) = runs_of(dataset, ablations=["AM"])
    checkpoint, whole = tmp_path / "checkpoints" / f"{results.key(run.config)}.pt", results.write

    def write(*parts):
        if checkpoint.exists():
            raise OSError(28, "No space left on device")
        return whole(*parts)

    monkeypatch.setattr(results, "write", write)
    monkeypatch.setitem(Training.run.__kwdefaults__, "every_s", 0)
    (path,) = sweep([run], dataset, tmp_path)
    assert path.exists() and not checkpoint.exists()


def test_a_store_that_cannot_be_written_is_found_before_anything_runs(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SerganError, match="file/store cannot be written"):
        sweep(runs_of(dataset), dataset, tmp_path / "file" / "store")


def long_sweep(path, store):
    """The command whose runs are `undisturbed`."""
    return ["run", "--features", path, "--store", store, "--preset", "demo", "--no-baselines", "--ablation", "AM",
            "BAGM", "--objective", "fused", "--seeds", "2",
            "--set", *(f"{key}={value}" for key, value in LONG.items())]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_sweep_side_by_side_goes_on_and_ends_as_an_undisturbed_one(
    stored, undisturbed, checkpoint_each_epoch, tmp_path, number
):
    path, dataset = stored
    store = tmp_path / "store"
    words = [*long_sweep(path, store), "--jobs", "2"]
    process = subprocess.Popen([sys.executable, "-m", "sergan", *words], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True,
                               preexec_fn=minding_interrupts)  # fmt: skip
    wait_for(lambda: list(store.glob("checkpoints/*.pt")) or process.poll() is not None)
    time.sleep(random.uniform(0, 0.5))
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    out, err = process.communicate()
    wait_for(lambda: not alive(process.pid))  # its workers go too
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert err == "sergan: stopped; the same command goes on from here.\n"
    finished = len(list(store.glob("*.json")))
    assert (
        len(out.splitlines()) <= finished <= len(out.splitlines()) + 1
    )  # killed between a record and its line
    done = []
    paths = sweep(runs_of(dataset, LONG, seeds=[0, 1]), dataset, store, on_done=lambda *one: done.append(one))
    assert len(done) == 4 - finished > 0
    assert_same(paths, undisturbed)
    assert list(store.glob("checkpoints/*.pt")) == []


def test_a_sweep_killed_between_a_record_and_its_checkpoint_leaves_no_checkpoint_the_next_time(
    stored, undisturbed, tmp_path, capsys
):
    store = tmp_path / "store"
    for path in undisturbed:
        for part in path.parent.glob(f"{path.stem}.*"):
            store.mkdir(exist_ok=True)
            shutil.copy(part, store)
    (store / "checkpoints").mkdir()
    theirs = store / "checkpoints" / "0123456789abcdef.pt"
    for left in (theirs, *(theirs.with_name(f"{path.stem}.pt") for path in undisturbed)):
        left.write_bytes(b"a checkpoint")
    assert main([*map(str, long_sweep(stored[0], store))]) == 0
    assert "4 runs" in (said := capsys.readouterr().out) and "0 of them new" in said
    assert list(store.glob("checkpoints/*")) == [theirs]  # which is of another sweep


def test_weights_that_nobody_keeps_do_not_leave_the_worker(stored, tmp_path):
    _, dataset = stored
    run, *_ = runs_of(dataset)
    for kept in (True, False):
        how = dict(device="cpu", sign=tmp_path, threads=None, weights=kept)
        done = experiments.work(run, dataset, tmp_path / "checkpoint.pt", **how)
        assert (done.result[2] is not None) is kept and done.result[0]["wa"] >= 0


def minding_interrupts():
    """A program that was started in the background of a script ignores Ctrl-C, and so would ours."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(group):
    """Whether processes of a group are left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_that_kills_its_worker_is_found_and_the_others_are_done(monkeypatch):
    monkeypatch.setattr(experiments, "end_with", lambda parent: None)  # workers that need not load torch

    def worker(run):
        import os
        from types import SimpleNamespace

        if run == "too large":
            os.kill(os.getpid(), 9)  # as a system that is out of memory does
        return SimpleNamespace(run=run, problem=None)

    def tasks(runs):
        return [joblib.delayed(worker)(run) for run in runs]

    found = {
        one.run: one.problem for one in experiments.outcomes(["a", "too large", "b", "c"], tasks, jobs=2)
    }
    problem = found.pop("too large")
    assert found == dict.fromkeys("abc")
    assert "its worker died" in str(problem) and "\n" not in str(problem)


@pytest.fixture(scope="module")
def dask(site):
    """Two worker processes of one thread, each with a nanny, as `dask worker` starts them."""
    import distributed

    with pytest.MonkeyPatch.context() as patch:
        for name, value in site.items():
            patch.setenv(name, value)
        local = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        )
    with local:
        yield local


def test_a_cluster_that_loses_a_worker_gives_what_one_machine_gives(dask, stored, undisturbed, tmp_path):
    import distributed

    dataset, killed, found = stored[1], [], []
    with cluster(dask.scheduler_address):
        client = distributed.get_client()
        workers = client.run(os.getpid)

        def kill_one(run, record):
            busy = [worker for worker, keys in client.processing().items() if keys]
            if busy and not killed:
                wait_for(lambda: list(tmp_path.glob("checkpoints/*.pt")))
                killed.append(workers[busy[0]])
                os.kill(killed[0], signal.SIGKILL)
                found.extend(tmp_path.glob("checkpoints/*.pt"))

        paths = sweep(runs_of(dataset, LONG, seeds=[0, 1]), dataset, tmp_path, jobs=-1, on_done=kill_one)
        assert killed and found and killed[0] not in client.run(os.getpid).values()
    assert_same(paths, undisturbed)
    assert_nothing_left(tmp_path)


def test_a_dataset_travels_to_a_cluster_once_and_survives_all_its_workers(dask, stored, tmp_path):
    """A run on a cluster of one worker, too: joblib by itself would do it in this process."""
    import distributed

    dataset, seen, tasks = stored[1], [], []
    with distributed.Client(dask) as client, joblib.parallel_config("dask"):
        client.wait_for_workers(2, timeout=60)

        def plugins(dask_scheduler):
            return [name for name in dask_scheduler.worker_plugins if name.startswith("sergan/")]

        def sizes(dask_scheduler):
            return [
                len(pickle.dumps(task.run_spec)) for task in dask_scheduler.tasks.values() if task.run_spec
            ]

        def look(run, record):
            if not seen:
                seen.extend(client.run_on_scheduler(plugins))
                tasks.extend(client.run_on_scheduler(sizes))
                for pid in client.run(os.getpid).values():
                    os.kill(pid, signal.SIGKILL)

        paths = sweep(runs_of(dataset, seeds=range(4)), dataset, tmp_path, jobs=-1, on_done=look)
        assert len(seen) == 1 and len(paths) == 8 and client.run_on_scheduler(plugins) == []
        assert 0 < max(tasks) < dataset.frames.nbytes / 10
        client.wait_for_workers(2, timeout=60)
        client.retire_workers(list(client.nthreads())[:1])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(experiments, "run", None)  # in this process alone
            paths = sweep(runs_of(dataset, ablations=["AM"], seeds=[9]), dataset, tmp_path, jobs=-1)
    assert results.load(paths[0])["seed"] == 9


def test_a_worker_that_does_not_see_the_store_keeps_its_checkpoints_itself(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("SERGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(Training.run.__kwdefaults__, "every_s", 0)
    (run,), seen = runs_of(dataset, ablations=["AM"]), []

    def look(one, epoch, entry):
        seen.append([path for path in tmp_path.rglob("*") if path.is_file()])
        if len(seen) == 1:
            raise SerganError("stopped")

    for _ in ("stopped", "resumed"):
        outcome = experiments.work(run, dataset, tmp_path / "store" / "checkpoints" / "key.pt", device="cpu",
                                   sign=tmp_path / "not-here", threads=None, progress=look)  # fmt: skip
    assert outcome.problem is None and len(outcome.result[0]["curve"]) == 2
    assert seen[-1] == [tmp_path / "cache" / "checkpoints" / "key.pt"]
    assert not (tmp_path / "store").exists() and list((tmp_path / "cache" / "checkpoints").iterdir()) == []


@pytest.mark.parametrize(
    ("workers", "threads", "sentence"),
    [(0, 1, "no worker is there; start one with: dask worker"), (1, 4, "a run needs a process of its own")],
)
def test_a_cluster_that_cannot_do_it_is_one_sentence(workers, threads, sentence, monkeypatch):
    import distributed

    wait = distributed.Client.wait_for_workers
    monkeypatch.setattr(
        distributed.Client, "wait_for_workers", lambda self, n, timeout: wait(self, n, timeout=1)
    )
    local = distributed.LocalCluster(n_workers=workers, threads_per_worker=threads, processes=False,
                                     dashboard_address=":0")  # fmt: skip
    with local, pytest.raises(SerganError, match=sentence), cluster(local.scheduler_address):
        pass


def test_the_bar_goes_by_cost_and_shows_the_last_scores(stored, tmp_path, monkeypatch, capsys):
    class Shown(tqdm.tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **{**options, "disable": False, "ncols": 160, "mininterval": 0})

    monkeypatch.setattr(tqdm, "tqdm", Shown)
    words = ["run", "--features", str(stored[0]), "--store", str(tmp_path), "--preset", "demo", "--no-baselines",
             "--objective", "fused", "--set", *(f"{key}={value}" for key, value in SHORT.items())]  # fmt: skip
    assert main(words) == 0
    bars = capsys.readouterr().err.split("\r")
    assert any(
        " gone, " in bar and " left; 3 of 4 runs, last demo paper BAM" in bar and "UA " in bar for bar in bars
    )
    shares = [int(bar.split("%")[0]) for bar in bars if "%" in bar]
    assert shares == sorted(shares) and shares[-1] == 100 and "remaining" in BAR
    dataset = stored[1]
    am, bagm = (experiments.cost(run, dataset) for run in runs_of(dataset))
    assert bagm / am == experiments.COST["BAGM"] and any(0 < share < 10 for share in shares)
    assert experiments.cost(runs_of(dataset, LONG)[0], dataset) == pytest.approx(8 * am)
