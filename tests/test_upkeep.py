"""What keeps the project in order when nobody looks: versions, packages, prose, links, the weekly issue, releases."""

import doctest
import http.server
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from links_in_pages import dead_links

TOP = Path(__file__).parents[1]
WORKFLOWS = [TOP / ".github" / "workflows" / f"{name}.yml" for name in ("newest", "release")]


def script(name):
    """A program of .ci/ as a module; it may import its neighbours."""
    sys.path.insert(0, str(TOP / ".ci"))
    try:
        spec = importlib.util.spec_from_file_location(f"ci_{name}", TOP / ".ci" / f"{name}.py")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    finally:
        sys.path.remove(str(TOP / ".ci"))
    return loaded


audit, dist, links, prose, weekly = map(script, ("audit", "dist", "links", "prose", "weekly"))


@pytest.mark.parametrize("module", [audit, weekly, prose], ids=["audit", "weekly", "prose"])
def test_the_examples_in_the_docstrings_hold(module):
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


# --- what is installed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("newest", [False, True])
def test_setup_installs_the_pinned_versions_or_on_request_the_newest_allowed(tmp_path, monkeypatch, newest):
    setup, ran = script("setup"), []
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "BIN", tmp_path)
    monkeypatch.setattr(setup, "install", lambda command, what: ran.append([str(word) for word in command]))
    monkeypatch.setattr(setup, "cpu_index_serves", lambda: False)
    worked = SimpleNamespace(returncode=0)
    monkeypatch.setattr(setup, "subprocess", SimpleNamespace(run=lambda *_, **__: worked))
    (tmp_path / "python").touch()
    setup.environment("auto", newest)
    assert all(("--upgrade" in command) is newest for command in ran)
    pinned = re.search(r"^torch==\S+", (TOP / "constraints.txt").read_text(), re.M)[0]
    if newest:
        torch, _ = ran
        assert torch[-1].startswith("torch>=")
    else:
        locked, torch, own = ran
        assert "--require-hashes" in locked and "--no-deps" in locked
        assert "torch==" not in Path(locked[-1]).read_text() and "numpy==" in Path(locked[-1]).read_text()
        assert torch[-1] == pinned
        assert "--no-build-isolation" in own, "else the tools that build it would come unlocked"

    made = len(ran)
    setup.environment("auto", newest)
    assert len(ran) == made, "a second call does nothing"
    setup.environment("auto", not newest)
    assert len(ran) == 5, "the other way is another environment"


# --- the weekly issue ----------------------------------------------------------------------------------

LOG = """
collected 12 items
tests/test_a.py .F
FAILED tests/test_a.py::test_b - AssertionError: 2 != 3
make: *** [Makefile:30: test] Error 1
"""


def test_the_issue_names_the_packages_that_differ_and_the_tests_that_failed(tmp_path, monkeypatch):
    (tmp_path / "constraints.txt").write_text(
        "numpy==2.4.6 ; python_version < '3.12'\nnumpy==2.5.5\nSciPy==1.17.1\n"
    )
    for package in ("numpy-2.5.5", "scipy-1.19.0", "sergan-0.1.0"):
        about = tmp_path / ".venv/lib/python3.13/site-packages" / f"{package}.dist-info"
        about.mkdir(parents=True)
        name, version = package.split("-")
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    log = tmp_path / "test.log"
    log.write_text(LOG)
    monkeypatch.setattr(weekly, "TOP", tmp_path)
    text = weekly.newest([log, tmp_path / "never-written.log"])
    assert "| scipy | 1.17.1 | 1.19.0 |" in text
    assert "FAILED tests/test_a.py::test_b - AssertionError: 2 != 3\nmake: ***" in text
    assert "numpy" not in text and "collected" not in text


def test_the_issue_says_so_where_there_is_no_environment(tmp_path, monkeypatch):
    shutil.copy(TOP / "constraints.txt", tmp_path)
    monkeypatch.setattr(weekly, "TOP", tmp_path)
    assert "The environment was not made." in weekly.newest([])


def test_the_issue_about_links_lists_those_that_do_not_answer(tmp_path):
    said = tmp_path / "links.log"
    said.write_text("Ready.\n- book/a.md, line 3: https://example.org (404)\n1 of 9 links do not answer.\n")
    done = subprocess.run(
        [sys.executable, TOP / ".ci/weekly.py", "links", said], capture_output=True, text=True, check=True
    )
    assert (
        "\n- book/a.md, line 3: https://example.org (404)\n\n" in done.stdout and "Ready" not in done.stdout
    )


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for gh is a script with a #! line")
@pytest.mark.parametrize(
    ("there", "wanted"),
    [([], "issue create --title Broken --body-file -"),
     ([(7, "Broken too"), (9, "Broken"), (12, "Broken")], "issue comment 9 --body-file -")],
)  # fmt: skip
def test_there_is_one_issue_and_what_comes_later_is_a_comment_on_it(tmp_path, there, wanted):
    listed = json.dumps([{"number": number, "title": title} for number, title in there])
    gh = tmp_path / "gh"
    gh.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n"
        f"if 'list' in sys.argv: print({listed!r})\n"
        f"else: Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv[1:]) + chr(10) + sys.stdin.read())\n"
    )
    gh.chmod(0o755)
    (tmp_path / "text.md").write_text("What broke.\n")
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "owner/name", "GITHUB_RUN_ID": "5"}
    subprocess.run(
        [sys.executable, TOP / ".ci/weekly.py", "post", "Broken", tmp_path / "text.md"],
        env={**os.environ, **run, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=True,
    )  # fmt: skip
    asked, _, text = (tmp_path / "asked").read_text().partition("\n")
    assert asked == wanted
    assert text == "What broke.\n\nThe run: https://github.com/owner/name/actions/runs/5\n"


# --- workflows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_no_more_than_it_must_and_runs_what_cannot_change_under_it(path):
    flow = yaml.safe_load(path.read_text())
    assert flow["permissions"] == {"contents": "read"}
    extra = {
        name: set(job.get("permissions", {}).items()) - {("contents", "read")}
        for name, job in flow["jobs"].items()
    }
    assert {name: more for name, more in extra.items() if more} == {
        "newest": {"issue": {("issues", "write")}},
        "release": {"release": {("contents", "write")}, "pypi": {("id-token", "write")}},
    }[path.stem]
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used and all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d[\d.]*", action) for action in used)
    for job in flow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert "checkout" not in step.get("uses", "") or step["with"]["persist-credentials"] is False
            assert "${{" not in step.get("run", ""), "what comes from outside is no part of a command"
            assert "|" not in step.get("run", "") or step["shell"] == "bash", "else a pipe hides what failed"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_only_targets_and_programs_of_this_project(path):
    targets = re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(), re.M)
    commands = [
        step["run"]
        for job in yaml.safe_load(path.read_text())["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    for command in commands:
        if command.startswith("make "):
            assert command.split()[1] in targets
        elif command.startswith("python"):
            program, word = command.split()[1:3]
            assert program == ".ci/audit.py" or (program, word) in [
                (".ci/weekly.py", one) for one in ("newest", "links", "audit", "post")
            ]
        else:
            assert command.startswith(("gh release create ", "rm dist/changes.md"))


# --- prose ---------------------------------------------------------------------------------------------


WRONG = "rec" + "ieve"  # in two parts, because this file's spelling is checked too


def clone(folder, **files):
    """A folder with these files that git knows of."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "said"),
    [("It is in the\nthe book.\n", "'the the': a word stands twice"),
     ("Slow \u2014 but sure.\n", "a long dash"),
     ("A \u201cword\u201d.\n", "a curly quotation mark"),
     ("A line. \n", "space at the end"),
     ("A powerful method.\n", "say it plainly"),
     ("The behavior of a recognizer.\n", "'behavior': write behaviour"),
     (f"We {WRONG} it.\n", f"'{WRONG}': write receive")],
)  # fmt: skip
def test_prose_that_is_wrong_is_found_with_its_line(tmp_path, text, said):
    root = clone(tmp_path, **{"a.md": f"# A title\n\n{text}"})
    found = prose.complaints(root, "")
    assert found and said in "\n".join(found)
    assert all(re.match(r"a\.md, line [34]: ", line) for line in found)


def test_a_notebooks_cells_are_read_its_outputs_are_not_and_code_is_no_prose(tmp_path):
    cell = {
        "cell_type": "markdown",
        "source": ["Run `color color` or\n", "```\nthe the behavior\n```\n", f"we {WRONG}."],
    }
    code = {
        "cell_type": "code",
        "source": ["color = normalize(color)  # the the"],
        "outputs": [{"text": [WRONG]}],
    }
    root = clone(tmp_path, **{"b.ipynb": json.dumps({"cells": [code, cell]})})
    assert prose.complaints(root, "") == [f"b.ipynb, cell 2, line 5: '{WRONG}': write receive"]


def test_an_exception_has_a_reason(tmp_path):
    root = clone(tmp_path, **{"a.md": "It is not not so, dear loner.\n"})
    assert len(prose.complaints(root, "")) == 2
    word, place = "[[word]]\nword='loner'\n", "[[place]]\nfile='a.md'\ntext='not not'\n"
    assert prose.complaints(root, f"{word}reason='A frame.'\n{place}reason='A title.'") == []
    with pytest.raises(SystemExit, match="needs a reason"):
        prose.complaints(root, word)


def test_every_exception_is_still_needed():
    if subprocess.run(["git", "-C", TOP, "rev-parse"], capture_output=True).returncode:
        pytest.skip("no git clone")
    found = prose.complaints(TOP, "")
    exceptions = tomllib.loads((TOP / ".ci" / "prose.toml").read_text())
    for entry in exceptions["word"]:
        assert any(f": {entry['word']!r}: write" in line for line in found), entry
    for entry in exceptions["place"]:
        assert any(line.startswith(entry["file"]) and repr(entry["text"]) in line for line in found), entry


# --- links ---------------------------------------------------------------------------------------------


def test_a_dead_link_between_pages_is_found(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="b/c.html#y">1</a> <a href="#z">2</a> <a class="k" href="d.html">3</a>'
    )
    (tmp_path / "b" / "c.html").write_text(
        '<p id="y"><a href="../a.html#x">4</a> <a href="../a.html#w">5</a> <a href="https://example.org">6</a>'
    )
    assert dead_links(tmp_path) == ([("a.html", "#z"), ("a.html", "d.html"), ("b/c.html", "../a.html#w")], 5)


def test_files_that_the_readme_and_its_companions_link_to_are_there():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (TOP / name).read_text()):
            assert (TOP / target).exists(), f"{name}: {target}"


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/there" else 404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def test_a_link_to_another_site_that_does_not_answer_is_named_with_its_place(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "book").mkdir()
    shutil.copy(TOP / "_config.yml", tmp_path)
    shutil.copytree(TOP / "book" / "_ext", tmp_path / "book" / "_ext")
    (tmp_path / "book" / "references.bib").write_text("")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n- file: book/two\n")
    (tmp_path / "book" / "index.md").write_text(f"# One\n\n[a]({address}/there)\n")
    (tmp_path / "book" / "two.md").write_text(f"# Two\n\n[b]({address}/gone)\n")
    done = subprocess.run(
        [sys.executable, TOP / ".ci" / "links.py", "--root", tmp_path], capture_output=True, text=True,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )  # fmt: skip
    server.shutdown()
    assert re.fullmatch(rf"- book/two\.md, line 3: {address}/gone \(404 .*\)\n", done.stdout), (
        done.stdout + done.stderr
    )
    assert done.stderr == "1 of 2 links do not answer.\n"


def test_an_address_is_excepted_from_the_link_check_only_with_a_reason():
    assert links.settings((TOP / ".ci" / "links.toml").read_text())["linkcheck_ignore"]
    with pytest.raises(SystemExit, match="needs an address and a reason"):
        links.settings("[[ignore]]\naddress = 'https://example.org'\n")


# --- releases ------------------------------------------------------------------------------------------


def test_the_version_is_the_same_wherever_it_is_written():
    assert set(dist.versions(TOP).values()) == {dist.check_version(TOP)}


def test_a_tag_that_is_not_the_version_is_refused():
    version = dist.check_version(TOP)
    assert dist.check_version(TOP, f"v{version}") == version
    with pytest.raises(SystemExit, match=r"tag v9\.9: 9\.9"):
        dist.check_version(TOP, "v9.9")


def test_a_releases_text_is_the_changelogs_section_of_its_version():
    text = (
        "# Changelog\n\n## [Unreleased]\n\nSoon.\n\n## [0.2.0] - 2027-01-01\n\nNew.\n\n## [0.1.0]\n\nOld.\n"
    )
    assert (dist.changes(text, "0.2.0"), dist.changes(text, "0.1.0"), dist.changes(text, "3")) == (
        "New.\n",
        "Old.\n",
        "",
    )
    assert dist.changes((TOP / "CHANGELOG.md").read_text(), dist.check_version(TOP))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist and the wheel of the tracked files, as `make dist` builds them."""
    if subprocess.run(["git", "-C", TOP, "rev-parse"], capture_output=True).returncode:
        pytest.skip("no git clone: the files of the wheel are those that git knows")
    return dist.build(TOP, tmp_path_factory.mktemp("dist"))


def test_the_wheel_holds_package_records_and_assignments_and_nothing_else(built, tmp_path):
    sdist, wheel = built
    assert dist.look_into(wheel, TOP) == []
    assert {"sergan/_records/plan.toml", "sergan/_assignments/1_descriptors.ipynb"} <= dist.expected(TOP)
    assert sdist.stat().st_size < dist.LARGEST
    more = tmp_path / wheel.name
    shutil.copy(wheel, more)
    with dist.zipfile.ZipFile(more, "a") as content:
        content.writestr("sergan/_records/checkpoints/a.pt", "")
    assert dist.look_into(more, TOP) == ["sergan/_records/checkpoints/a.pt is in the wheel and should not be"]


def test_built_again_they_are_the_same_to_the_byte(built, tmp_path):
    again = dist.build(TOP, tmp_path)
    assert [dist.digest(path) for path in again] == [dist.digest(path) for path in built]


def test_the_installed_wheel_runs_the_demo_corpus_from_an_empty_folder(built, tmp_path):
    """With the packages of this environment; `make dist` does the same in an empty one."""
    target, empty = tmp_path / "target", tmp_path / "empty"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target]
    subprocess.run([*pip, built[1]], check=True, capture_output=True)
    empty.mkdir()
    around = {**os.environ, "PYTHONPATH": str(target), "SERGAN_CACHE": str(tmp_path / "cache")}

    def said(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=empty, env=around, check=True, capture_output=True, text=True
        ).stdout

    assert said("-c", "import sergan; print(sergan.__file__)").strip() == str(
        target / "sergan" / "__init__.py"
    )
    assert said("-m", "sergan", "--version") == f"sergan {dist.check_version(TOP)}\n"
    tiny = [
        "epochs=1",
        "frames=20",
        "every=8",
        "lstm=4",
        "attention=4",
        "dense=4",
        "generator=4,4",
        "latent=4",
    ]
    assert "3 runs in runs, 3 of them new" in said("-m", "sergan", "run", "--ablation", "AM", "--set", *tiny)
    records = "from sergan import results; print(len(list(results.published().glob('*.json'))))"
    assert int(said("-c", records)) > 500
    assignments = (
        "from sergan.coursework.notebooks import folder; print(*sorted(p.name for p in folder().iterdir()))"
    )
    assert said("-c", assignments).split() == sorted(
        p.name for p in (TOP / "book" / "assignments").glob("*.ipynb")
    )
