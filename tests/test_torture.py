"""The short version of `make torture`, and proof that it finds what it seeks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are forked and disks filled as on Linux"
)
TORTURE = Path(__file__).parent / "torture"


def torture(to, *words, **environment):
    """The command's exit code, its table and its counts."""
    done = subprocess.run([sys.executable, TORTURE, "--to", to, *words], capture_output=True, text=True,
                          env={**os.environ, **environment})  # fmt: skip
    return done.returncode, done.stdout + done.stderr, json.loads(to.read_text())


def test_each_kind_of_fault_is_survived_once(bubblewrap, tmp_path):
    """Those side by side and on a cluster are killed in `test_sweeps`; `make torture` does all of it, and often."""
    rows = "features|training|fetch|grading: (kill before|damage|two)"
    code, said, found = torture(tmp_path / "t.json", "--only", f"faults/^({rows})", "--count", "1")
    assert code == 0, said
    counts = list(found["faults"].values())
    assert len(counts) == 24 and all(one["made"] == one["good"] == 1 for one in counts)
    assert "| all | 24 | 24 |" in said


BROKEN = """
from contextlib import contextmanager
from pathlib import Path
from sergan import files

@contextmanager
def in_place(path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        yield out

files.replacing = in_place
"""


def test_a_program_that_writes_in_place_does_not_survive(bubblewrap, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    words = ("--only", "faults/features: kill within", "--count", "10")
    code, said, found = torture(
        tmp_path / "t.json", *words, PYTHONPATH=f"{tmp_path}{os.pathsep}{TORTURE.parents[1]}"
    )
    (counts,) = found["faults"].values()
    assert code == 1 and counts["made"] == 1 and counts["good"] == 0
    assert "half a file" in said and "half a file" in counts["bad"][0]


def test_what_was_killed_goes_on_where_it_was(bubblewrap, tmp_path):
    to = tmp_path / "t.json"
    counts = {"made": 1, "good": 1, "seconds": 1.0, "at": ["x"], "bad": []}
    to.write_text(json.dumps({"faults": {"features: two at once": counts}}))
    code, said, found = torture(to, "--only", "faults/features: two at once", "--count", "20")
    assert code == 0 and found == {"faults": {"features: two at once": counts}}, said


def test_three_hundred_runs_leave_memory_and_files_as_they_were(tmp_path):
    code, said, found = torture(tmp_path / "t.json", "--only", "soak/one process", "--count", "30")
    assert code == 0, said
    counts = found["soak"]["one process"]
    assert counts["made"] == counts["good"] == 3


@pytest.mark.parametrize("grows, sentence", [
    ((0.2, 0, 0), "20.0 MB and 0 open files more than in the second hundred"),
    ((0, 0.05, 0), "0.0 MB and 5 open files more than in the second hundred"),
    ((0, 0, 0.02), "0.0 MB and 0 open files more than in the second hundred, and a worker was replaced"),
    ((0.1, 0.01, 0), ""),
])  # fmt: skip
def test_a_sweep_that_grows_is_not_flat(monkeypatch, grows, sentence):
    monkeypatch.syspath_prepend(TORTURE)
    import soak

    git = {119: [7]}  # a process that is there for a moment is no worker
    sums = [
        (300 + run * grows[0], int(6 + run * grows[1]), [1, int(run * grows[2]), *git.get(run, [])])
        for run in range(9, 300, 10)
    ]
    assert soak.judged(sums) == (not sentence, sentence)


ROOT = TORTURE.parents[1]
FOUND = json.loads((ROOT / "benchmarks" / "torture.json").read_text())


def test_what_is_on_record_was_survived():
    """What a long torture finds is mended, and tried again, before its counts are committed."""
    for kind in ("faults", "fuzz", "soak"):
        assert [row for row, counts in FOUND[kind].items() if counts["bad"]] == []
    for row, counts in FOUND["mutants"].items():
        assert counts["good"] >= 0.9 * counts["made"], row


def test_the_page_has_the_counts_and_hides_no_failure(tmp_path):
    import _pages

    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "trust.md").write_text((ROOT / "book" / "trust.md").read_text())
    (tmp_path / "benchmarks").mkdir()
    found = json.loads(json.dumps(FOUND))
    found["faults"] = {
        "features: kill at a moment": {"made": 1060, "good": 1060, "seconds": 3600, "bad": []},
        "features: damage": {"made": 25, "good": 24, "seconds": 0, "bad": ["1: half a file"]},
        "fetch: damage": {"made": 25, "good": 25, "seconds": 0, "bad": []},
    }
    found["mutants"] = {"data, 261 possible": {"made": 200, "good": 183, "seconds": 0, "bad": []}}
    (tmp_path / "benchmarks" / "torture.json").write_text(json.dumps(found))
    for name in ("fuzz", "soak"):
        (tmp_path / "benchmarks" / f"{name}.json").write_text(
            (ROOT / "benchmarks" / f"{name}.json").read_text()
        )
    said = _pages.trust(tmp_path)
    assert "**1,110 faults, 1,109 survived.**" in said and "<!--" not in said
    assert "| damage | **24 of 25** | 25 |" in said and "| all | **1,084 of 1,085** | 25 |" in said
    assert "| `data` | 261 | 200 | 183 | 92 % |" in said and "**200 mutants, 91.5 % of them" in said
