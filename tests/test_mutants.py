"""The mutants of `make torture`: what is changed, that a change is noticed, and that one which is not is said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each mutant is a fork")
TORTURE = Path(__file__).parent / "torture"


def asked(code, before="import mutants"):
    """What a process of its own, which imports nothing of the package before, makes of `code`: an expression."""
    script = f"import json, sys\nsys.path.insert(0, {str(TORTURE)!r})\n{before}\nprint(json.dumps({code}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


SMALL = '''"""What it says."""

def half(x: int = 2, *, kind="even"):
    if x < 0 or kind not in ("even", "odd"):
        raise ValueError("x must be at least 0")
    return x / 2
'''


def test_one_thing_is_changed_at_a_time_and_no_sentence_nor_annotation():
    made = asked(f"[mutants.change({SMALL!r}, one.text()) for one in mutants.mutants({SMALL!r})]")
    assert len(made) == len({tuple(pair) for pair in made}) == 11
    now = [after for _, after in made]
    assert {'if x <= 0 or kind not in ("even", "odd"):', "return x * 2", "return x / 3"} <= set(now)
    assert 'def half(x: int = 3, *, kind="even"):' in now and "raise ValueError(None)" in now
    assert not any("XXx must" in after or "XXWhat" in after or "x: None" in after for after in now)


def test_a_docstring_may_change_and_the_names_stay():
    other = SMALL.replace("What it says.", "Something else.")
    names = asked(f"[[name for name, _ in mutants.named(text)] for text in ({SMALL!r}, {other!r})]")
    assert names[0] == names[1] == sorted(names[0]) and len(set(names[0])) == 11


def test_mutants_of_the_readings_are_killed_and_one_that_no_test_minds_is_said(tmp_path):
    """Their tests kill two; where they answer to a single test, some of the next live and have a sentence."""
    one = "tests/test_objectives.py::test_zero_is_zero_even_at_infinity"
    script = f"""
import mutants, pathlib
mutants.KEPT = pathlib.Path({str(tmp_path)!r})
killed = list(mutants.cases(2, {{}}, "objectives"))
mutants.SUITES["objectives"] = [{one!r}]
found = list(mutants.cases(6, {{killed[0][0]: 2}}, "objectives"))
"""
    killed, found = asked("[killed, found]", script)
    assert killed == [[killed[0][0], True, ""]] * 2 and killed[0][0].startswith("objectives, ")
    assert len(found) == 4 and len((tmp_path / "objectives.jsonl").read_text().splitlines()) == 6
    said = [said for _, good, said in found if not good]
    assert said and all(" survives as another: " in one and " -> " in one for one in said)


def test_every_explained_survivor_is_still_in_its_module():
    import tomllib

    found = tomllib.loads((TORTURE / "survivors.toml").read_text("utf-8"))["survivor"]
    for one in found:
        assert set(one) == {"module", "was", "now", "why"} and one["why"].endswith(".")
        source = (TORTURE.parents[1] / "sergan" / f"{one['module']}.py").read_text()
        lines = {line.strip() for line in source.splitlines()}
        assert set(one["was"].split(" / ")) <= lines or one["was"] in lines, one
