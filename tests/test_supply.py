"""What comes from outside and what may run: the lock, workflows, pickles. SECURITY.md says it in words."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parents[1]
WORKFLOWS = sorted((TOP / ".github" / "workflows").glob("*.yml"))


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_has_the_versions_of_constraints_txt_each_with_hashes():
    pins = re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", (TOP / "constraints.txt").read_text())
    text = (TOP / "requirements.lock").read_text()
    own, mark, torchs = text.partition("# torch as PyPI has it.")
    assert mark
    for part in (own, torchs):
        packages = re.findall(r"(?m)^[^#\s].*(?:\n .*)*", part)
        assert packages
        for package in packages:
            assert re.match(r"[\w.-]+==[^\s;]+( ; [^\\]+)? \\\n", package), package
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package
    found = re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", own)
    rest = [(name, version) for name, version in pins if name != "torch"]
    assert {(plain(name), version) for name, version in found} == {(plain(n), v) for n, v in rest}, (
        "run make constraints"
    )
    assert f"torch=={dict(pins)['torch']} \\\n" in torchs


def test_torch_is_the_only_package_that_set_up_takes_without_a_hash():
    text = (TOP / ".ci" / "setup.py").read_text()
    commands = re.findall(r"^        install\(\[\*pip, (.+)\], ", text, re.M)
    assert [command for command in commands if "upgrade" not in command] == [
        '"--require-hashes", "--no-deps", "-r", locked',
        "pinned, *index",
        '"--no-deps", "--no-build-isolation", "-e", TOP',
    ]
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    needed = {re.match(r"\w+", one)[0] for one in project["build-system"]["requires"]} | {"editables"}
    assert needed <= {re.match(r"\w+", one)[0] for one in project["project"]["optional-dependencies"]["test"]}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_pinned_actions_with_few_rights_and_no_text_of_strangers(path):
    text = path.read_text()
    flow = yaml.safe_load(text)
    assert flow["permissions"] in ({}, {"contents": "read"}), "rights are given to jobs, one by one"
    triggers = flow[True]  # YAML reads `on` as yes
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)
    assert "secrets." not in text
    for line in re.findall(r".*uses:.*", text):
        assert re.fullmatch(r"\s*(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)+", line), line
    for job in flow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "text from outside would become a command"
            writes = job.get("permissions", flow["permissions"]).get("contents") == "write"
            if "checkout" in step.get("uses", "") and not writes:
                assert step["with"]["persist-credentials"] is False


def test_no_workflow_writes_but_to_publish_and_to_tell():
    granted = {
        (path.stem, name): {right for right, kind in job.get("permissions", {}).items() if kind == "write"}
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
    }
    assert {place: rights for place, rights in granted.items() if rights} == {
        ("newest", "issue"): {"issues"},
        ("pages", "notebooks"): {"contents"},
        ("pages", "deploy"): {"pages", "id-token"},
        ("release", "release"): {"contents"},
        ("release", "pypi"): {"id-token"},
    }


UNPICKLERS = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle"}


def test_nothing_in_the_package_unpickles_a_file():
    loads = 0
    for path in (TOP / "sergan").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                assert not UNPICKLERS & {name.partition(".")[0] for name in names}, path
            if not isinstance(node, ast.Call):
                continue
            called, given = (
                ast.unparse(node.func),
                {word.arg: ast.unparse(word.value) for word in node.keywords},
            )
            assert called not in ("joblib.load", "pd.read_pickle", "yaml.load", "yaml.unsafe_load"), path
            if called == "torch.load":
                loads += 1
                assert given.get("weights_only") == "True", path
            if called == "np.load":
                loads += 1
                assert given.get("allow_pickle", "False") == "False", path
    assert loads >= 4


def test_security_md_names_tests_that_exist():
    text = (TOP / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/.]+|\.ci/[\w.]+|[\w./]+\.(?:py|md|yml|lock|txt))`", text))
    assert len(named) >= 8
    for name in named:
        assert (TOP / name).exists(), name
