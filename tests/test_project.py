"""What a newcomer relies on: the README's commands, one list of packages, a core that can be printed."""

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]


def test_environment_yml_equals_pyproject():
    dependencies = yaml.safe_load((TOP / "environment.yml").read_text())["dependencies"]
    assert dependencies[:2] == [f"python{PROJECT['requires-python']}", "pip"]
    assert len(dependencies) == 3, "conda's part is Python and pip; the rest comes from PyPI, as everywhere"
    listed = dependencies[-1]["pip"]
    extras = PROJECT["optional-dependencies"]
    assert sorted(listed[1:-1]) == sorted(
        [*PROJECT["dependencies"], *extras["book"], *extras["coursework"], *extras["test"]]
    )
    assert (listed[0], listed[-1]) == ("-c constraints.txt", "-e .")


def test_constraints_pin_every_requirement_exactly():
    pins = re.findall(r"^([\w.-]+)==", (TOP / "constraints.txt").read_text(), re.MULTILINE)
    wanted = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in wanted}
    assert names - set(pins) == set()


def test_the_core_is_short_enough_to_print():
    lines = sum(len((TOP / "sergan" / f"{name}.py").read_text().splitlines())
                for name in ("models", "objectives", "training"))  # fmt: skip
    assert lines < 600


def test_the_core_needs_neither_opensmile_nor_jupyter():
    code = "import sys, sergan.training; print(sorted({'opensmile', 'IPython', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ORDER = [
    *(
        "paper",
        "files",
        "leaks",
        "corpora",
        "features",
        "data",
        "hard_lstm",
        "models",
        "objectives",
        "regularisers",
        "imbalance",
        "evaluation",
        "config",
        "engine",
        "randomness",
        "negatives",
        "augmentation",
        "checkpoints",
        "divergence",
        "training",
    ),
    *(
        "results",
        "experiments",
        "plots",
        "widgets",
        "predictions",
        "report",
        "contribution",
        "plan",
        "multiverse",
        "evidence",
        "examine",
        "page",
        "checks",
        "coursework",
        "prediction",
        "plain",
        "bench",
        "__main__",
    ),
]


def test_the_reference_has_every_module_in_this_order():
    import _pages

    assert re.findall(r"(?m)^## `sergan\.(\w+)`", _pages.reference(TOP)) == ORDER[:-1]


@pytest.mark.parametrize("name", ORDER)
def test_a_module_imports_only_from_those_above_it(name):
    folder = TOP / "sergan" / name
    files = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    text = "\n".join(path.read_text() for path in files)
    found = re.findall(r"^\s*from sergan\.(\w+)", text, re.MULTILINE)
    for line in re.findall(r"^\s*from sergan import (.+)", text, re.MULTILINE):
        found += [word for word in re.findall(r"\w+", line.split(" as ")[0]) if word in ORDER]
    assert {other for other in found if ORDER.index(other) > ORDER.index(name)} == set()


def test_every_module_has_its_place_in_the_order():
    files = {path.parent if path.name == "__init__.py" else path for path in (TOP / "sergan").glob("**/*.py")}
    assert {path.stem for path in files if path.parent == TOP / "sergan"} == set(ORDER)


def test_the_readmes_commands_are_targets_and_options_that_exist(capsys):
    from sergan.__main__ import parser

    readme = (TOP / "README.md").read_text()
    targets = re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"^make (\w+)", readme, re.MULTILINE)) == {"book", "test"} <= set(targets)
    commands = re.findall(r"^\.venv/bin/sergan (.+?)(?: *#.*)?$", readme, re.MULTILINE)
    assert len(commands) >= 8
    for command in commands:
        parser().parse_args(command.split())


def test_ci_runs_the_two_commands():
    script = (TOP / ".ci" / "run").read_text()
    assert re.findall(r"^make (\w+)$", script, re.MULTILINE) == ["book", "test"]


def test_the_demo_corpus_is_small_and_the_wheel_takes_the_records_along():
    size = sum(path.stat().st_size for path in (TOP / "sergan" / "corpora" / "demo_audio").rglob("*.flac"))
    assert size <= 12e6
    hatch = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert hatch["force-include"] == {"results": "sergan/_records", "book/assignments": "sergan/_assignments"}
