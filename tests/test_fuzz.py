"""The short version of tests/torture/fuzz.py: the inputs that once broke something, and a few new ones of each kind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).parent / "torture"
sys.path.insert(0, str(TORTURE))
import fuzz  # noqa: E402


@pytest.mark.skipif(os.name == "nt", reason="the process is watched as POSIX systems allow it")
def test_bad_input_is_read_or_refused_in_a_sentence():
    names = fuzz.names()
    kept = sum(1 for _ in fuzz.KEPT.glob("*/*"))
    trial = fuzz.Trial(",".join(names), "hypothesis", 12, seed=0)
    assert [finding["parser"] + ": " + finding["said"] for _, finding in trial if finding] == []
    assert trial.tried >= 12 * len(names) + kept
    assert trial.refused > trial.read / 4


def test_saved_inputs_belong_to_a_parser_and_are_small():
    assert {folder.name for folder in fuzz.KEPT.iterdir()} <= set(fuzz.names())
    assert sum(path.stat().st_size for path in fuzz.KEPT.glob("*/*")) < 2e6


NAUGHTY = """
import os, pickle, subprocess
from types import SimpleNamespace

from sergan import SerganError

wrong_with = lambda sentence, named: "" if sentence == "fine" else "is not fine"

def later(act):  # the first two times are the good file
    calls = []
    def read(data, folder):
        calls.append(data)
        if len(calls) > 2:
            act()
    return SimpleNamespace(read=read, seeds=lambda: [b"good"], named=(), words=(), kind="bytes")

def forever():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

def refuse(sentence):
    raise SerganError(sentence)

def swallowed(act):
    try:
        act()
    except Exception:
        pass

PARSERS = {
    "loops": later(forever),
    "eats": later(lambda: [bytearray(b"x") * 10**8 for _ in range(20)]),
    "dies": later(os.abort),
    "executes": later(lambda: swallowed(lambda: exec("1"))),
}
PARSERS |= {
    "evaluates": later(lambda: swallowed(lambda: eval("1"))),
    "starts": later(lambda: swallowed(lambda: subprocess.run(["true"]))),
    "writes": later(lambda: swallowed(lambda: open("../out", "w"))),
    "unpickles": later(lambda: swallowed(lambda: pickle.loads(pickle.dumps(os.getcwd)))),
    "raises": later(lambda: {}["x"]),
    "leaves": later(lambda: os.sys.exit(0)),
    "mumbles": later(lambda: refuse("")),
    "behaves": later(lambda: refuse("fine")),
}
"""


SEEN = {
    "loops": "it took more than 3 s",
    "eats": "it took more than 1024 MB",
    "dies": "the process ended with SIGABRT",
    "executes": "it made the program do exec",
    "evaluates": "it made the program do exec",
    "starts": "it made the program do subprocess.Popen",
    "writes": "it made the program do open",
    "unpickles": "it made the program do pickle.find_class",
    "raises": "KeyError at",
    "leaves": "SystemExit at",
    "mumbles": "its refusal is not fine",
}
TRY = """
import fuzz
for names in {!r}:
    for _, finding in fuzz.Trial(names, "hypothesis", 1, 0):
        if finding:
            print(finding["parser"], finding["said"])
"""


@pytest.mark.skipif(os.name == "nt", reason="the process is watched as POSIX systems allow it")
def test_the_fuzzer_sees_what_must_not_be(tmp_path):
    """Otherwise it would find nothing and be content."""
    folder = tmp_path / "tests" / "torture"
    folder.mkdir(parents=True)
    text = (TORTURE / "fuzz.py").read_text().replace("\nSECONDS = 5\n", "\nSECONDS = 3\n")
    for line in ("    import torch\n", "    torch.set_num_threads(1)\n"):
        assert line in text
        text = text.replace(line, "")  # which takes seconds, and nothing here needs it
    (folder / "fuzz.py").write_text(text)
    (folder / "parsers.py").write_text(NAUGHTY)
    once = ["loops", "eats", "dies", ",".join([*list(SEEN)[3:], "behaves"])]
    done = subprocess.run(
        [sys.executable, "-c", TRY.format(once)], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(TORTURE.parents[1])])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert found.keys() == SEEN.keys()
    for name, said in SEEN.items():
        assert found[name].startswith(said), name
