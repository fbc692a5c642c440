"""Foreign code behind the fence: what it cannot do, and values that cross over and nothing else."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sergan import SerganError
from sergan.coursework import fence, values
from sergan.coursework.fence import Ended, Fence, Session
from sergan.coursework.marking import difference

pytestmark = pytest.mark.usefixtures("bubblewrap")

LIMITS = Fence(seconds=3, total_s=30, memory=700 * 2**20, disk=50 * 2**20)


def called(source, *calls, limits=LIMITS):
    """What `calls` of functions without arguments give: values, or the sentence of a refusal or end."""
    found = []
    try:
        with Session([("cell", source)], limits) as session:
            for function in calls:
                try:
                    found.append(session.call(function, ()))
                except SerganError as error:
                    found.append(str(error))
    except Ended as end:
        found.append(f"ended: {end}")
    return found


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A teacher's home with something to find."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_rsa").write_text("SECRET")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TOKEN", "SECRET")
    return tmp_path


def test_what_is_outside_can_neither_be_read_nor_written(home):
    reads = f"""
import os, glob, pathlib
def read(): return open({str(home / ".ssh/id_rsa")!r}).read()
def home(): return pathlib.Path('~/.ssh/id_rsa').expanduser().read_text()
def listed(): return glob.glob({str(home)!r} + '/*') + glob.glob({str(Path.cwd())!r} + '/tests/*')
def told(): return [v for v in os.environ.values() if v == 'SECRET']
def write(): open({str(home / "new")!r}, 'w')
def grader(): return pathlib.Path('/proc').joinpath(str(os.getppid()), 'environ').read_bytes().decode()
def others(): return [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 1000]
def coursework(): import sergan.coursework.assignments
def package(): return open('/usr/new', 'w')
"""
    found = called(
        reads, "read", "home", "listed", "told", "write", "grader", "others", "coursework", "package"
    )
    assert [f.partition(":")[0] if isinstance(f, str) else f for f in (*found[:5], *found[7:])] == [
        "FileNotFoundError", "FileNotFoundError", [], [], "FileNotFoundError", "ModuleNotFoundError", "OSError",
    ]  # fmt: skip
    assert "SECRET" not in str(found[5])
    assert found[6] == []
    assert not (home / "new").exists()


def test_there_is_no_network_not_even_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = called(f"import socket\ndef go(): socket.create_connection(('127.0.0.1', {port}), 1)", "go")
    assert found[0].startswith(("ConnectionRefusedError", "OSError"))


def test_deleting_everything_deletes_nothing(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("x")
    places = ["/tmp", "/fence", "/dev", str(tmp_path), str(Path(fence.__file__).parent)]
    source = f"import shutil\nfor p in {places}: shutil.rmtree(p, ignore_errors=True)\ndef f(): return 1"
    assert called(source, "f") == [1]
    assert kept.exists() and Path(fence.__file__).exists()


def test_limits_end_what_takes_too_much_and_leave_no_process():
    loop = "def f():\n  while True: pass\ndef g(): return 1"
    assert called(loop, "f", "g") == ["TimeLimit: took longer than 3 s", 1]
    stubborn = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    short = Fence(seconds=2, total_s=4)
    assert called(stubborn, limits=short)[0].startswith("ended: it took longer than 4 s")
    hog = "def f():\n  held = []\n  while True: held.append(bytearray(10**8))"
    assert "memory" in called(hog, "f")[0].lower()
    assert "ended by itself" in called("import os\ndef f(): os._exit(0)", "f")[0]
    bomb = "import os, time\ndef f():\n  while True:\n    if os.fork() == 0: time.sleep(60)"
    assert called(bomb, "f")[0].startswith(("BlockingIOError", "TimeLimit", "ended"))
    disk = "def f(): open('/tmp/a', 'wb').write(bytes(60 * 2**20))"
    assert called(disk, "f")[0].startswith(("OSError", "ended"))
    assert set() == fence.SESSIONS


def test_what_it_says_to_the_grader_is_only_data():
    source = """
import os
def forge(line, times=1):
    for number in range(3, 60):
        try:
            for _ in range(times): os.write(number, line)
        except OSError: pass
def junk(): forge(b'{"value": {"array": "AAAA", "dtype": "<f8", "shape": [99999999999]}}\\n')
def words(): forge(b'not json\\n')
def deep(): forge(b'[' * 100_000 + b'\\n')
def number(): forge(b'{"value": 1' + b'0' * 9000 + b'}\\n')
def flood(): forge(b'x' * 1_000_000, 300)
"""
    for function in ("junk", "words", "deep", "number", "flood"):
        assert called(source, function)[0].startswith("ended: ")


def test_without_bubblewrap_there_is_one_sentence(monkeypatch):
    monkeypatch.setenv("PATH", "")
    fence.missing.cache_clear()
    try:
        with pytest.raises(SerganError, match="apt install bubblewrap"):
            called("")
    finally:
        fence.missing.cache_clear()
    assert Fence(off=True).command(Path("cells"))[0] == sys.executable


def test_threads_of_the_grader_end_with_the_session():
    before = threading.active_count()
    called("def f(): return 1", "f")
    for _ in range(50):
        if threading.active_count() <= before:
            break
        threading.Event().wait(0.1)
    assert threading.active_count() <= before


def test_a_program_of_the_students_is_gone_when_the_grader_is_killed(tmp_path):
    """Nothing of a submission outlives the grader, however that ends."""
    mark = f"sleep-{os.getpid()}"
    code = (
        "import os, sys\nfrom sergan.coursework.fence import *\n"
        f"source = 'import subprocess\\nsubprocess.Popen([\"bash\", \"-c\", \"exec -a {mark} sleep 300\"])'\n"
        "Session([('cell', source)], Fence())\nprint('ready', flush=True)\nos.kill(os.getpid(), 9)"
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "ready\n", done.stderr
    for _ in range(50):
        left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        if mark not in left:
            break
        threading.Event().wait(0.1)
    assert mark not in left


# ------------------------------------------------------------------------------------------------------ values

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
KINDS = [np.bool_, np.int8, np.uint16, np.int64, np.float32, np.float64, np.complex128]


def across(value):
    return values.decode(json.loads(values.line(values.encode(value))))


@given(DATA)
def test_data_cross_over_unchanged(value):
    assert across(value) == value


@given(
    st.sampled_from(KINDS).flatmap(
        lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0))
    )
)
def test_arrays_keep_kind_shape_and_values(value):
    found = across(value)
    assert found.dtype == value.dtype and found.shape == value.shape and found.flags.writeable
    assert np.array_equal(found, value, equal_nan=True)


JUNK = st.recursive(PLAIN | st.floats(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["array", "dtype", "shape", "dict", "float", "value"]) | st.text(), inner, max_size=3))  # fmt: skip


@given(JUNK | st.fixed_dictionaries({"array": JUNK, "dtype": st.sampled_from(["<f8", "O", "V0", "<U0", "|b1", 1]),
                                     "shape": JUNK | st.lists(st.integers(), max_size=3)}))  # fmt: skip
def test_what_encode_did_not_make_is_refused_or_data(value):
    try:
        found = values.decode(value)
        difference(found, np.zeros(3), 1e-4)
        difference(found, {"a": 1}, 1e-4)
        difference(found, [["a"], 1.0], 1e-4)
    except values.BAD:
        pass


@pytest.mark.parametrize("value", [object(), print, np.array([object()]), b"bytes", {1, 2}])
def test_what_is_no_data_does_not_cross_over(value):
    with pytest.raises(TypeError):
        values.encode(value)
