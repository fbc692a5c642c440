"""Soak: a long sweep must leave memory and open files as they were. A case is a hundred runs of one.

A sweep of eight hours on two cores is some 1,400 runs of the preset `cpu`. What could grow with each run (records,
curves, checkpoints, datasets, what joblib and Dask remember) does so whatever the size of the networks, so these are
tiny, and the sweep has ten times `count` runs: 2,000. After every tenth the process that sweeps adds up, over itself
and its workers, the memory that is theirs alone and the open files (after each would hold it up so much that finished
runs would pile up before it). The least of a hundred runs is what counts, because a file may be open in the middle of a
run. The first hundred warm up; a later hundred is good where it needs no more than
`MEGABYTES` and `FILES` above the second, and no worker was replaced, which would hide what it had.

A row that was stopped begins anew: memory cannot be gone on with. `benchmarks/soak.json` has the sums of the
last time that it had a thousand runs or more.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = ("hundreds of runs", "flat")
HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
SUMS = TOP / "benchmarks" / "soak.json"
ROWS = {"one process": 1, "two side by side": 2, "a Dask cluster of two": 2}
MEGABYTES, FILES = 16, 2
SIZES = dict(
    frames="16", every="1", lstm="4", attention="4", dense="4", generator="4,4", latent="4", epochs="2"
)

KEEPS_LITTLE = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.low-level-log-length": 50,
    "distributed.admin.system-monitor.log-length": 60,
}
"""Dask's processes keep where they spent the last hour, how busy the machine was in it, and their last thousand events:
all of it up to a bound, but one that a sweep of minutes does not reach."""


def cases(count, done, only=""):
    """All rows that have fewer than `count` / 10 hundreds."""
    hundreds = max(3, count // 10)
    for row in ROWS:
        if only in row and done.get(row, 0) < hundreds:
            yield from hundred_by_hundred(row, hundreds)


def hundred_by_hundred(row, hundreds):
    """A sweep in a process of its own, judged by the hundred."""
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(TOP), str(TOP / "tests"))))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    command, sums = [sys.executable, str(HERE / "soak.py"), row, str(hundreds)], []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as sweep:
        try:
            for line in sweep.stdout:
                sums.append(json.loads(line))
                if len(sums) % 10 == 0:
                    if hundreds >= 10:
                        keep(row, sums)
                    yield row, *judged(sums)
            if sweep.wait():
                raise RuntimeError(f"the sweep ended with {sweep.returncode}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(sweep.pid, signal.SIGKILL)
            sweep.wait()


def judged(sums):
    """Whether the last hundred is like the second, and what it is if not."""
    grown, opened = (
        min(one[which] for one in sums[-10:]) - min(one[which] for one in sums[10:20] or sums)
        for which in (0, 1)
    )
    early, late = (
        set.intersection(*({*one[2]} for one in some)) for some in (sums[10:13] or sums, sums[-3:])
    )
    replaced = early != late  # a process that is there for a moment (git tells the revision) is no worker
    said = f"{grown:.1f} MB and {opened} open files more than in the second hundred"
    said += ", and a worker was replaced" * replaced
    good = grown <= MEGABYTES and opened <= FILES and not replaced
    return good, "" if good else said


def keep(row, sums):
    """Write the sums."""
    from sergan.files import replacing

    found = json.loads(SUMS.read_text()) if SUMS.exists() else {}
    found[row] = {
        "every": 10,
        "megabytes": [round(s[0], 1) for s in sums],
        "files": [s[1] for s in sums],
    }
    with replacing(SUMS) as out:
        out.write((json.dumps(found) + "\n").encode())


def sweep(row, hundreds):
    """In its own process: print memory in MB, open files and the workers' numbers after every tenth run."""
    import psutil
    from conftest import random_dataset

    from sergan import experiments
    from sergan.__main__ import cluster

    dataset, here = random_dataset(), psutil.Process()
    runs = experiments.plan(dataset, preset="demo", ablations=("AM", "BAGM"), objectives=["fused"], changes=SIZES,
                            baselines=False, seeds=range(50 * hundreds))  # fmt: skip

    done = itertools.count(1)

    def look(run, record):
        if next(done) % 10:
            return
        memory, files, pids = 0, 0, []
        for process in (here, *here.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                memory += process.memory_full_info().uss / 1e6
                files += process.num_fds()
                pids.append(process.pid)
        print(json.dumps([memory, files, pids]), flush=True)

    with tempfile.TemporaryDirectory() as store, contextlib.ExitStack() as stack:
        if "Dask" in row:
            import dask
            from distributed import LocalCluster

            stack.enter_context(dask.config.set(KEEPS_LITTLE))
            local = stack.enter_context(
                LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
            )
            stack.enter_context(cluster(local.scheduler_address))
        experiments.sweep(runs, dataset, Path(store), jobs=ROWS[row], on_done=look, keep_weights=False)


if __name__ == "__main__":
    sweep(sys.argv[1], int(sys.argv[2]))
