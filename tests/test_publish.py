"""Publication: notebooks that run as they are, the branch that holds them, the buttons that lead there, and Colab."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import missing

TOP = Path(__file__).parents[1]
CHAPTERS = sorted(path.stem for path in (TOP / "book").glob("[0-9][0-9]_*.ipynb"))
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


@pytest.fixture(scope="module")
def ci():
    """The scripts of `.ci`, by name."""
    sys.path.insert(0, str(TOP / ".ci"))
    yield importlib.import_module
    sys.path.remove(str(TOP / ".ci"))


@pytest.fixture(scope="module")
def published(ci, tmp_path_factory):
    """The book as that of a fork: its pages, a bare repository in the fork's place, and the revision of both."""
    if not (TOP / ".git").exists():
        missing("this is no git repository: publication was not rehearsed")
    rehearse = ci("rehearse")
    folder = tmp_path_factory.mktemp("published").resolve()
    site, bare = folder / "html", folder / "some-fork.git"
    git = rehearse.git
    git(folder, "clone", "--quiet", "--bare", TOP, bare)
    git(bare, "symbolic-ref", "HEAD", "refs/heads/under-test")
    me = {f"GIT_{who}_{what}": "tests@localhost" for who in ("AUTHOR", "COMMITTER")
          for what in ("NAME", "EMAIL")}  # fmt: skip
    revision = git(TOP, "stash", "create", **me) or git(
        TOP, "rev-parse", "HEAD"
    )  # what is tested, committed or not
    git(TOP, "push", "--quiet", bare, f"{revision}:refs/heads/under-test")
    here = {"SERGAN_REPOSITORY": rehearse.ADDRESS, "SERGAN_REVISION": revision}
    for command in (
        ["_make.py", "render", "--to", site],
        ["_publish.py", bare, "--notebooks", site / "notebooks"],
    ):
        done = subprocess.run(
            [sys.executable, TOP / "book" / command[0], *command[1:]],
            capture_output=True,
            text=True,
            env={**os.environ, **here},
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return site, bare, revision


@pytest.fixture(scope="module")
def opened(published, ci):
    """The notebook of a chapter as it lies on the branch."""
    _, bare, _ = published
    return lambda chapter: ci("rehearse").opened(bare, "notebooks", f"{chapter}.ipynb")


def markdown(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def prose(notebook):
    """The Markdown of a notebook without its verbatim parts."""
    return re.sub(r"(?s)```.*?```|`[^`\n]*`", "", markdown(notebook))


# --- buttons and the branch ----------------------------------------------------------------------------


def test_every_colab_button_opens_a_notebook_that_installs_the_very_revision(published, ci, tmp_path):
    site, bare, revision = published
    translated = list((TOP / "book/locale/ko/LC_MESSAGES/book").glob("[0-9][0-9]_*.po"))
    assert ci("rehearse").follow(site, bare, revision) == len(CHAPTERS) + len(translated) > len(CHAPTERS)
    assert ci("rehearse").fetchable(bare, revision, tmp_path)


def test_a_chapters_download_is_the_same_notebook(published, opened):
    site, _, _ = published
    html = (site / "book/07_negative.html").read_text("utf-8")
    assert 'href="../notebooks/07_negative.ipynb"' in html and "_sources/book/07_negative" not in html
    assert nbformat.read(site / "notebooks/07_negative.ipynb", as_version=4) == opened("07_negative")


def test_the_branch_holds_the_notebooks_and_a_page_about_them_and_nothing_else(published, ci):
    _, bare, revision = published
    git = ci("rehearse").git
    held = git(bare, "ls-tree", "-r", "--name-only", "notebooks").splitlines()
    assert held == sorted(["README.md", *(f"{chapter}.ipynb" for chapter in CHAPTERS)])
    assert git(bare, "rev-list", "--count", "notebooks") == "1"
    readme = git(bare, "show", "notebooks:README.md")
    assert revision in readme
    for chapter in CHAPTERS:
        assert f"/github/someone/some-fork/blob/notebooks/{chapter}.ipynb" in readme
        assert f"https://someone.github.io/some-fork/book/{chapter}.html" in readme


# --- what a notebook shows -----------------------------------------------------------------------------


@each_chapter
def test_a_notebook_shows_nothing_that_only_the_book_understands(opened, chapter):
    notebook = opened(chapter)
    nbformat.validate(notebook)
    text = prose(notebook)
    raw = r"^:::|\{(?:eq|ref|numref|cite|doc|term)[\w:]*\}|\$\$ \(|^\([\w-]+\)=|^`{3}\{"
    assert re.findall(raw, text, re.MULTILINE) == []
    assert len(nbformat.writes(notebook)) < 200_000
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")


@each_chapter
def test_a_notebook_has_the_chapters_code_and_all_its_words(opened, chapter):
    def code(notebook):
        return [cell.source for cell in notebook.cells if cell.cell_type == "code"]

    stored, made = nbformat.read(TOP / "book" / f"{chapter}.ipynb", as_version=4), opened(chapter)
    assert code(made)[1:] == code(stored)[1:]
    shown = re.sub(
        r"(?m)^:::.*$|^:(label|class):.*$|\{[\w:]+\}`[^`]*`|\$\$ \(eq-[\w-]+\)", " ", markdown(stored)
    )
    wanted = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", shown)
    here = set(re.findall(r"\w+", prose(made)))
    assert [word for word in re.findall(r"\w+", wanted) if word not in here] == []


@each_chapter
def test_numbers_are_those_of_the_pages(published, opened, chapter):
    site, _, _ = published
    page, text = (site / f"book/{chapter}.html").read_text("utf-8"), markdown(opened(chapter))
    article = re.search(r"<article.*?</article>", page, re.DOTALL)[0]
    assert re.findall(r"\\tag\{([\d.]+)\}", text) == re.findall(r'class="eqno">\(([\d.]+)\)', article)
    figures = re.findall(r'caption-number">(Fig\. [\d.]+) ', article.replace("\u00a0", " "))
    assert re.findall(r"(?m)^\*(Fig\. [\d.]+)\.\*", text) == figures
    titles = re.findall(r'<p class="admonition-title">.*?(Exercise [\d.]+)', article.replace("\u00a0", " "))
    exercises = list(dict.fromkeys(titles))  # a solution's title names it again
    assert re.findall(r"(?m)^### (Exercise [\d.]+)\. ", text) == exercises and len(exercises) >= 4
    cited = {
        label
        for inside in re.findall(r'class="bibtex-citation"[^>]*>\[(.*?)\]</span>', article)
        for label in re.sub(r"<[^>]*>", "", inside).split(", ")
    }
    listed = re.findall(r"(?m)^- \[([^\]]+)\] ", text.partition("## References\n")[2])
    assert set(listed) == {unescape(label) for label in cited} and len(listed) == len(set(listed))


@each_chapter
def test_links_to_the_book_lead_to_a_page_and_a_place_on_it(published, opened, chapter):
    site, _, _ = published
    address = re.escape("https://someone.github.io/some-fork/")
    links = re.findall(rf"\]\({address}([^)#]+)#?([^)]*)\)", markdown(opened(chapter)))
    assert links, "each names its own page"
    for page, place in links:
        assert not place or f'id="{place}"' in (site / page).read_text("utf-8")


@each_chapter
def test_a_solution_is_a_folded_section_of_its_own(opened, chapter):
    notebook = opened(chapter)
    headings = [cell for cell in notebook.cells if cell.source.startswith("#### Solution to exercise ")]
    assert len(headings) == markdown(notebook).count("\n### Exercise ") >= 4
    assert all("\n" not in cell.source for cell in headings)
    assert notebook.metadata.colab.collapsed_sections == [cell.metadata.id for cell in headings]


# --- make publish --------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, ci):
    """A repository with a notebook to publish and an empty one to publish to."""
    git = ci("rehearse").git
    here, there = tmp_path / "here", tmp_path / "there.git"
    (here / "book").mkdir(parents=True)
    shutil.copy(TOP / "book" / "_publish.py", here / "book")
    git(tmp_path, "init", "--quiet", "--bare", there)
    git(here, "init", "--quiet")
    (here / ".gitignore").write_text("*.ipynb\n_build\n")
    git(here, "add", ".")
    git(here, "-c", "user.name=A", "-c", "user.email=a@localhost", "commit", "--quiet", "-m", "first")
    git(here, "push", "--quiet", there, "HEAD:refs/heads/main")
    notebooks = here / "_build" / "html" / "notebooks"
    notebooks.mkdir(parents=True)
    revision = git(here, "rev-parse", "HEAD")
    first = f'"sergan @ git+https://github.com/someone/some-fork@{revision}"'
    (notebooks / "00_a.ipynb").write_text(json.dumps(first))

    def publish():
        done = subprocess.run(
            [sys.executable, here / "book" / "_publish.py", there], capture_output=True, text=True
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    return publish, here, there, git


def test_publishing_leaves_the_working_tree_alone_and_does_nothing_the_second_time(project):
    publish, here, there, git = project
    (here / "unfinished.txt").write_text("mine")
    git(here, "add", "unfinished.txt")
    before = git(here, "status", "--porcelain", "--branch"), git(here, "for-each-ref")
    code, said = publish()
    assert code == 0 and "holds the notebooks of revision" in said
    assert (git(here, "status", "--porcelain", "--branch"), git(here, "for-each-ref")) == before
    assert git(there, "ls-tree", "--name-only", "notebooks") == "00_a.ipynb"
    code, said = publish()
    assert code == 0 and "is as it should be" in said

    (here / "_build/html/notebooks/README.md").write_text("new")
    assert publish()[0] == 0
    assert git(there, "ls-tree", "--name-only", "notebooks").split() == ["00_a.ipynb", "README.md"]
    assert git(there, "rev-list", "--count", "notebooks") == "1"


def test_publishing_refuses_what_it_should_not_do_in_one_sentence(project):
    publish, here, there, git = project
    git(there, "update-ref", "refs/heads/notebooks", "refs/heads/main")
    code, said = publish()
    assert code == 1 and "something that make publish did not write" in said
    git(there, "update-ref", "-d", "refs/heads/notebooks")
    git(there, "update-ref", "-d", "refs/heads/main")
    code, said = publish()
    assert code == 1 and "push your branch first" in said
    notebook = here / "_build/html/notebooks/00_a.ipynb"
    notebook.write_text("{}")
    code, said = publish()
    assert code == 1 and "do not say what to install" in said
    notebook.unlink()
    code, said = publish()
    assert code == 1 and "run make book" in said
    assert "Traceback" not in said


# --- addresses -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repository():
    path = TOP / "book" / "_ext" / "repository.py"
    spec = importlib.util.spec_from_file_location("repository", path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["repository"] = loaded  # dataclasses look there
    spec.loader.exec_module(loaded)
    yield loaded
    del sys.modules["repository"]


@pytest.mark.parametrize(
    "address",
    [
        "git@github.com:someone/some.fork.git",
        "someone@github.com:someone/some.fork",
        "ssh://git@github.com/someone/some.fork.git",
        "ssh://git@ssh.github.com:443/someone/some.fork.git",
        "git://github.com/someone/some.fork.git",
        "git+https://github.com/someone/some.fork",
        "https://github.com/someone/some.fork.git/",
        "https://www.github.com/someone/some.fork",
        "https://someone:token@github.com/someone/some.fork.git",
        "HTTPS://GitHub.com/someone/some.fork\n",
        "github.com/someone/some.fork",
    ],
)
def test_any_form_of_address_becomes_the_one_that_a_browser_opens(repository, address):
    assert repository.https(address) == "https://github.com/someone/some.fork"


@pytest.mark.parametrize(
    "address",
    ["", "none", "/srv/git/some-fork.git", "../some-fork", "file:///srv/some-fork.git", "https://github.com/someone",
     "https://example.org/someone/some-fork", "https://github.com.example.org/someone/some-fork",
     "https://github.com/someone/some-fork/tree/main", "C:\\someone\\some-fork"],
)  # fmt: skip
def test_what_no_browser_could_open_as_a_repository_is_none(repository, address):
    assert repository.https(address) == ""


@pytest.mark.parametrize(
    "address, pages, colab",
    [
        ("git@github.com:Some/Fork.git", "https://some.github.io/Fork/", True),
        ("git@github.com:some/some.github.io", "https://some.github.io/", True),
        ("git@gitlab.com:some/fork.git", "", False),
        ("/srv/fork.git", "", False),
    ],
)
def test_pages_and_colab_follow_from_the_address(
    repository, monkeypatch, tmp_path, address, pages, colab, ci
):
    for name in (*os.environ,):
        if name.startswith(("SERGAN_", "GITHUB_")):
            monkeypatch.delenv(name)
    git = ci("rehearse").git
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", address)
    found = repository.about(tmp_path)
    assert found.pages == pages and bool(found.colab("07_negative")) == colab
    monkeypatch.setenv("GITHUB_REPOSITORY", "another/fork")
    assert repository.about(tmp_path).repository == "https://github.com/another/fork"
    monkeypatch.setenv("SERGAN_PAGES", "https://book.example")
    assert repository.about(tmp_path).pages == "https://book.example/"


# --- workflows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "workflow", sorted((TOP / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.name
)
def test_a_workflow_calls_what_exists_from_actions_that_cannot_change_with_few_rights(workflow):
    text = workflow.read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"].values()
    targets = re.findall(r"(?m)^([a-z]+):", (TOP / "Makefile").read_text())
    for used in re.findall(r"uses: (.+)", text):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used
    for command in [step["run"] for job in jobs for step in job["steps"] if "run" in step]:
        for target in re.findall(r"\bmake ([a-z]+)", command):
            assert target in targets
        for name in re.findall(r"(?:[\w.]+/)+\w+\.(?:py|sh)\b", command):
            assert (TOP / name).exists(), name
    granted = yaml.safe_load(text).get("permissions")
    assert granted in ({}, {"contents": "read"}), "rights are given to jobs, one by one"


# --- Colab ---------------------------------------------------------------------------------------------


def test_sergan_can_be_installed_beside_what_colab_has(ci):
    colab = ci("colab")
    for version in (colab.COLAB["python"], *colab.COLAB["older_python"]):
        assert colab.resolvable(version) == (True, ""), version


def test_notebooks_run_beside_colabs_versions_and_change_none_of_them(published, ci, tmp_path):
    if os.environ.get("CI") != "true":
        pytest.skip("takes minutes and a gigabyte: make colab does it, for all chapters")
    _, bare, _ = published
    found = ci("colab").contract(bare, ["00_claim.ipynb", "02_frames.ipynb"], tmp_path)
    assert found["changed"] == {} and len(found["ran"]) == 2
    assert "opensmile" in found["added"]
