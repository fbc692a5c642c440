"""The book as it is stored and as it is rendered: what a reader may rely on without running anything."""

import base64
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import missing
from links_in_pages import dead_links
from PIL import Image

from sergan import paper

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
PAGES = [
    "book/index",
    *(f"book/{path.stem}" for path in CHAPTERS),
    *("book/plan", "book/sweeps", "book/find_the_fake_gain", "book/notation", "book/glossary"),
    *(
        "book/corpora",
        "book/reference",
        "book/numbers",
        "book/execution",
        "book/trust",
        "book/teachers",
        "book/cite",
        "book/accessibility",
        "book/bibliography",
    ),
]

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


make = module(ROOT / "book" / "_make.py")
pages = module(ROOT / "benchmarks" / "pages.py")


def cells(chapter, kind):
    return [cell for cell in json.loads(chapter.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def written(cell):
    """All text that a cell's outputs hold, its images aside."""
    found = []
    for output in cell["outputs"]:
        found += output.get("text", [])
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                found.append(re.sub(r"base64,[^\"\\]+", "", "".join(data)))
    return "".join(found)


# --- the notebooks as they are stored ------------------------------------------------------------------


def test_the_table_of_contents_lists_every_chapter_and_nothing_else():
    listed = make.table_of_contents(ROOT)
    assert sorted(listed) == sorted(PAGES)
    assert [name for name in listed if re.search(r"/\d\d_", name)] == [f"book/{c.stem}" for c in CHAPTERS]


@each_chapter
def test_stored_outputs_are_those_of_one_clean_run_from_top_to_bottom(chapter):
    code = cells(chapter, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"


@each_chapter
def test_a_notebook_is_stored_in_the_one_form_that_refresh_writes(chapter):
    notebook = make.read_notebook(chapter)
    outputs = [cell["outputs"] for cell in make.code_cells(notebook)]
    assert make.with_outputs(notebook, outputs) == chapter.read_text("utf-8")


@each_chapter
def test_no_output_shows_a_traceback_or_a_place_on_a_machine(chapter):
    for cell in cells(chapter, "code"):
        assert not re.search(
            r"Traceback|Error\b|site-packages|0x[0-9a-f]{6,}|(?<![\w.])/(home|root|tmp|Users|work|usr)/|[A-Z]:\\",
            written(cell),
        ), source(cell)


@each_chapter
def test_cells_and_files_are_small(chapter):
    assert chapter.stat().st_size < 1_500_000
    for cell in cells(chapter, "code"):
        lines = source(cell).splitlines()
        assert len(lines) <= 25
        assert max(map(len, lines)) <= 88, "wider than the page"


@each_chapter
def test_a_chapter_has_its_parts(chapter):
    prose = "\n".join(map(source, cells(chapter, "markdown")))
    for part in ("**You learn**", "**You need**", "**It takes**"):
        assert part in prose
    for part in ("## Summary", "## Exercises", "## Reading"):
        assert f"{part}\n" in prose
    exercises = re.findall(r":::\{exercise\}.*\n:label: (\S+)", prose)
    assert len(exercises) >= 4
    assert sorted(exercises) == sorted(re.findall(r":::\{solution(?:-start)?\} (\S+)", prose))


@each_chapter
def test_every_section_asks_two_questions_that_open_without_a_kernel(chapter):
    prose = "\n".join(map(source, cells(chapter, "markdown")))
    sections = re.split(r"(?m)^## ", prose)[1:]
    for section in sections:
        title = section.partition("\n")[0]
        if title in ("Summary", "Exercises", "Reading"):
            continue
        quizzes = re.findall(
            r'<details class="quiz"><summary>(.+?)</summary>\n\n(.+?)\n\n</details>', section, re.S
        )
        assert len(quizzes) >= 2, f"{chapter.stem}: {title}"


@each_chapter
def test_every_exercise_has_a_check_that_stays_open_and_one_that_is_passed(chapter):
    prose = "\n".join(map(source, cells(chapter, "markdown")))
    exercises = re.findall(r":::\{exercise\}", prose)
    shown = [written(cell) for cell in cells(chapter, "code") if "checks." in source(cell)]
    assert sum(text.count("Open: put your answer") > 0 for text in shown) >= len(exercises)
    assert sum("Right: " in text for text in shown) >= len(exercises)
    assert not [text for text in shown if "Not yet: " in text and "Right: " not in text]


@each_chapter
def test_the_run_time_in_a_chapters_head_was_measured(chapter):
    times = json.loads((ROOT / "book" / "times.json").read_text())
    (said,) = make.RUN_TIME.findall(source(cells(chapter, "markdown")[0]))
    assert said[1] == make.in_words(times[chapter.stem])


#: Numbers that are names: versions, sections, articles, licences.
NAMES = re.compile(
    r"\b(?:[Ss]ections?|[Aa]rticles?|Keras|PyTorch|Python|torch|TensorFlow|ipywidgets|openSMILE|version|BY|sergan)"
    r"(?: (?:<=|>=|before|from))? ?\d+(?:\.\d+)+|\d+\.\d+\.\d+\S*"
)


@each_chapter
def test_every_decimal_in_the_prose_comes_from_a_cell_or_from_the_paper(chapter):
    computed = " ".join(map(written, cells(chapter, "code")))
    known = [float(x) for x in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", computed)]
    known += [float(x) for x in reported()]
    known += [100 * x for x in known if 0 <= x <= 1]
    prose = "\n".join(map(source, cells(chapter, "markdown")))
    for given in (r"(?s)```.*?```", r"(?s)\$\$.*?\$\$", r"`[^`]*`", r"\$[^$]*\$", NAMES, r"\]\([^)]*\)"):
        prose = re.sub(given, " ", prose)
    for number in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)", prose):
        unit = 10.0 ** -len(number.partition(".")[2])
        assert any(abs(abs(x) - float(number)) <= 0.51 * unit for x in known), f"{chapter.stem}: {number}"


@each_chapter
def test_every_figure_has_a_caption_a_name_and_alternative_text(chapter):
    for cell in cells(chapter, "code"):
        if any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            about = cell["metadata"]["mystnb"]
            assert about["figure"]["caption"] and about["figure"]["name"].startswith("fig-")
            assert len(about["image"]["alt"]) > 20
            for output in cell["outputs"]:
                if png := output.get("data", {}).get("image/png"):
                    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
                        assert picture.mode == "P", "256 colours are enough: store it with `make refresh`"


@each_chapter
def test_the_first_cell_makes_a_chapter_run_anywhere_and_changes_no_installed_version(chapter):
    first = source(cells(chapter, "code")[0])
    assert first == source(cells(CHAPTERS[0], "code")[0])
    assert "import sergan" in first and "%pip install" in first
    assert not re.search(r"https?:|==|--upgrade|%%capture", first)


def test_the_first_cell_says_in_one_sentence_what_to_do_where_sergan_is_missing():
    code = source(cells(CHAPTERS[0], "code")[0]).replace("%pip", "# pip")
    program = f"import sys; sys.modules['sergan'] = None\nexec({code.replace('# pip', 'pass  #')!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip().splitlines()[-1] == "ImportError: sergan is missing: see the top of this cell"


# --- chapter 0: the paper's figures --------------------------------------------------------------------


def reported():
    """Every figure of the paper that has decimals, as it is printed."""
    scores = [value for row in paper.TABLE_3.values() for value in row.values()]
    return {f"{value:.2f}" for value in [*scores, *(cell for row in paper.TABLE_4 for cell in row)]}


def test_no_code_of_chapter_0_types_a_figure_of_the_paper():
    code = "\n".join(map(source, cells(ROOT / "book" / "00_claim.ipynb", "code")))
    typed = set(re.findall(r"\d+\.\d\d", code))
    counts = {str(value) for split in paper.TABLE_1.values() for value in split.values()}
    assert not typed & reported()
    assert not set(re.findall(r"(?<![\d.])\d{3,}", code)) & {*counts, "1349", "811"}


def test_every_decimal_in_the_prose_of_chapter_0_is_the_papers_or_computed_in_a_cell():
    chapter = ROOT / "book" / "00_claim.ipynb"
    computed = "\n".join(map(written, cells(chapter, "code")))
    prose = "\n".join(map(source, cells(chapter, "markdown")))
    numbers = set(re.findall(r"(?<![\d.])\d+\.\d\d(?!\d)", prose))
    examples = {"7.25"}  # the mean age of four children
    assert "60.12" in numbers
    assert {n for n in numbers if n not in computed} <= reported() | examples


# --- the pages -----------------------------------------------------------------------------------------


def run_make(*arguments, check=True, **environment):
    done = subprocess.run(
        [sys.executable, str(ROOT / "book" / "_make.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_root_page_leads_to_the_landing_page(site):
    assert "url=book/index.html" in (site / "index.html").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_image_on_a_page_has_alternative_text_and_no_directive_is_left_raw(site, page):
    html = (site / f"{page}.html").read_text("utf-8")
    article = re.search(r"<article.*?</article>", html, re.DOTALL)[0]
    for image in re.findall(r"<img[^>]*>", article):
        assert re.search(r'alt="[^"]{20,}"', image), image
    assert not re.search(r":::|\{(eq|numref|cite|exercise|solution)[\w:-]*\}", article)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_from_elsewhere(site, page):
    html = (site / f"{page}.html").read_text("utf-8")
    loaded = re.findall(r"<(?:script|img|iframe|audio|source)[^>]*\bsrc=\"(https?:[^\"]*)", html)
    loaded += re.findall(r"<link[^>]*rel=\"(?:stylesheet|preload)\"[^>]*href=\"(https?:[^\"]*)", html)
    assert loaded == []


def test_every_link_between_the_pages_leads_to_a_page_and_a_place_on_it(site):
    dead, followed = dead_links(site)
    assert dead == [] and followed > 1000


def test_an_unknown_repository_gives_no_button(site):
    """What a known one gives: tests/test_publish.py."""
    html = (site / "book/00_claim.html").read_text().lower().replace("(in colab, say)", "")
    assert "colab" not in html and "source-repository-button" not in html


def test_every_page_has_a_description_of_its_own_and_its_edition(site):
    said = {}
    for page in PAGES:
        html = (site / f"{page}.html").read_text("utf-8")
        (said[page],) = re.findall(r'<meta name="description" content="([^"]*)" />', html)
        assert 45 <= len(said[page]) <= 160 and not re.search(r"[\\$_{}<>]|\[\d+\]", said[page]), page
        assert f'<meta property="og:description" content="{said[page]}" />' in html
        (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
        data = json.loads(data)
        assert data["license"].startswith("https://creativecommons.org/licenses/by/4.0")
        assert "Chapter" in data["@type"] or not re.search(r"/\d\d_", page)
        assert re.search(r'<span class="edition">Version \d[^<]*<.*href="[^"]*">Cite this book</a>', html), (
            page
        )
        assert not re.search(r'rel="canonical"|og:url|og:image', html), "no address is known"
    assert len(set(said.values())) == len(PAGES)
    assert said["book/00_claim"].startswith("You learn what the paper claims")
    assert not (site / "sitemap.xml").exists()


def test_the_page_for_a_wrong_address_leads_to_every_page(site):
    html = (site / "404.html").read_text("utf-8")
    for page in PAGES:
        assert f'href="/{page}.html"' in html


def test_real_pages_are_printed_with_formulas_and_links_that_lead_somewhere(site, tmp_path):
    from pypdf import PdfReader

    if not shutil.which("chromium"):
        missing("no chromium on the PATH: nothing was printed")
    command = [sys.executable, ROOT / "book" / "_pdf.py", "--site", site, "--to", tmp_path / "some.pdf"]
    command += ["--only", "book/index", "book/00_claim", "book/notation"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # links and pictures that lead nowhere are errors
    text = [page.extract_text() for page in PdfReader(tmp_path / "some.pdf").pages]
    assert len(text) > 15 and all(map(str.strip, text))
    assert not re.search(r"\\\(|\\mathrm|Toggle hidden content", "".join(text))
    assert sum(said.count("This figure moves in the online book") for said in text) == moving(CHAPTERS[0])


# --- the pages in Korean -------------------------------------------------------------------------------

import _translate  # noqa: E402

KOREAN = sorted(_translate.translated(ROOT))
each_korean_page = pytest.mark.parametrize("page", KOREAN)
REFERENCE = re.compile(r'<(?:a|link|script|img)\b[^>]*\b(?:href|src)="([^":#][^":]*)"')
SWITCH = re.compile(r'<a class="[^"]*other-language" href="([^"]+)" lang="(\w+)" hreflang="\2">')


def leads_to(path, reference):
    return (path.parent / re.split("[?#]", reference)[0]).resolve()


def test_only_translated_pages_are_there_twice(site):
    made = {path.stem for path in (site / "ko" / "book").glob("*.html")}
    assert {f"book/{name}" for name in made} == set(KOREAN)
    assert sum(path.stat().st_size for path in (site / "ko" / "_static").iterdir()) < 100_000, "else shared"


@pytest.mark.parametrize("page", [*KOREAN, "search", "genindex"])
def test_a_korean_page_says_so_and_everything_that_it_refers_to_is_there(site, page):
    path = site / "ko" / f"{page}.html"
    html = path.read_text("utf-8")
    assert '<html lang="ko"' in html
    for reference in set(REFERENCE.findall(html)):
        if "javascript:" not in reference:
            assert leads_to(path, reference).exists(), reference
    for link in re.findall(r"<a\b[^>]*>", html):
        to = re.search(r'href="([^":#][^":]*)"', link)
        if (
            to
            and not leads_to(path, to[1]).is_relative_to(site / "ko")
            and not re.search("/_(sources|images|media)/", link)
        ):
            assert 'hreflang="en"' in link, link


@pytest.mark.parametrize("page", [*PAGES, "search", "genindex"])
def test_every_page_leads_to_the_other_language_and_back(site, page):
    path = site / f"{page}.html"
    html = path.read_text("utf-8")
    assert '<html lang="en"' in html
    ((to, code),) = SWITCH.findall(html)
    there = leads_to(path, to)
    own = site / "ko" / f"{page}.html"
    assert code == "ko" and there == (own if own.exists() else site / "ko" / "book" / "index.html")
    if own.exists():
        ((back, code),) = SWITCH.findall(own.read_text("utf-8"))
        assert code == "en" and leads_to(own, back) == path.resolve()
    assert set(re.findall("[가-힣]+", html)) <= {"한국어"}


@each_korean_page
def test_the_frame_of_a_korean_page_is_korean(site, page):
    from bs4 import BeautifulSoup

    soup = BeautifulSoup((site / "ko" / f"{page}.html").read_text("utf-8"), "html.parser")
    for hidden in soup(["script", "style", "article"]):
        hidden.decompose()
    shown = [text.strip() for text in soup.body.stripped_strings]
    shown += [
        one[name]
        for one in soup.body(True)
        for name in ("title", "aria-label", "alt", "placeholder")
        if one.get(name)
    ]
    usual = {"English", "Ctrl", "K", ".ipynb", ".md", ".pdf"}
    assert [text for text in shown if re.search("[A-Za-z]{2}", text) and not re.search("[가-힣]", text)
            and text not in usual] == []  # fmt: skip


@each_korean_page
def test_a_korean_page_has_its_text_in_korean_without_raw_markup(site, page):
    html = (site / "ko" / f"{page}.html").read_text("utf-8")
    article = re.search(r"<article.*?</article>", html, re.DOTALL)[0]
    prose = re.sub(r"(?s)<(script|style|pre|code)\b.*?</\1>|<div lang=\"en\".*?</div>", "", article)
    assert not re.search(r"\*\*|:::|\]\(|\{[\w:-]+\}`", prose)
    for kind in ("h1", "h2", "summary"):
        for text in re.findall(rf"<{kind}\b[^>]*>(.*?)</{kind}>", prose, re.DOTALL):
            assert re.search("[가-힣]", text), text


def test_the_table_of_contents_is_korean_for_pages_that_are_not_translated_too(site):
    titles = _translate.words(ROOT / _translate.MESSAGES / "titles.po")
    shown = set()
    for page in PAGES:
        html = (site / f"{page}.html").read_text("utf-8")
        shown.add(re.sub("<[^>]+>|#$", "", re.search(r"<h1>(.*?)</h1>", html, re.DOTALL)[1]).strip())
    assert shown == set(titles)
    sidebar = (
        (site / "ko/book/index.html").read_text("utf-8").partition("bd-docs-nav")[2].partition("</nav>")[0]
    )
    assert [title for page in PAGES if page not in KOREAN for title in titles.values() if title in sidebar]
    assert not re.search(r">\s*\d+\. [A-Z]", sidebar)


def test_every_word_of_the_interfaces_catalogue_is_still_there(site):
    pages = "".join((site / f"{page}.html").read_text("utf-8") for page in PAGES)
    pages += "".join(
        (site / "_static" / f"{name}.js").read_text("utf-8") for name in ("copybutton", "togglebutton")
    )
    words = _translate.words(ROOT / _translate.MESSAGES / "interface.po")
    unused = [word for word in words if word not in pages and escape(word) not in pages]
    assert unused == []


def test_search_engines_are_told_of_both_languages_where_the_address_is_known(small):
    """In a book of two pages, one of which is translated."""
    write_small(small, "A chapter", ["1 + 1"])
    folder = small / _translate.MESSAGES
    shutil.copytree(
        ROOT / "book" / "locale", small / "book" / "locale", ignore=shutil.ignore_patterns("book")
    )
    (folder / "book").mkdir()
    (folder / "book" / "index.po").write_text('msgid "A small book"\nmsgstr "작은 책"\n', "utf-8")
    (folder / "titles.po").write_text('msgid "A chapter"\nmsgstr "한 장"\n', "utf-8")
    run_make("build", "--root", small, SERGAN_PAGES="https://example.org/b/")
    html = (small / "_build/html/ko/book/index.html").read_text("utf-8")
    english = (small / "_build/html/book/index.html").read_text("utf-8")
    assert "작은 책" in html and "한 장" in html
    for code, at in (("en", ""), ("ko", "ko/"), ("x-default", "")):
        link = f'<link rel="alternate" hreflang="{code}" href="https://example.org/b/{at}book/index.html">'
        assert link in html and link in english
    assert 'rel="alternate"' not in (small / "_build/html/book/00_small.html").read_text("utf-8")
    assert not (small / "_build/html/ko/book/00_small.html").exists()


# --- making the book -----------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A book of one page and one chapter, made with the same program and settings."""
    (tmp_path / "book").mkdir()
    shutil.copytree(ROOT / "book" / "_ext", tmp_path / "book" / "_ext")
    shutil.copytree(ROOT / "book" / "_static", tmp_path / "book" / "_static")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: book/00_small\n"
    )
    (tmp_path / "book" / "references.bib").write_text("")
    (tmp_path / "book" / "index.md").write_text("# A small book\n")
    return tmp_path


def write_small(folder, prose, code):
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    content = [{"id": "a", "cell_type": "markdown", "metadata": {}, "source": f"# {prose}"}]
    content += [{"id": f"c{k}", "source": line, **empty} for k, line in enumerate(code)]
    notebook = {"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "book" / "00_small.ipynb").write_text(json.dumps(notebook))


def test_build_executes_what_changed_and_leaves_the_working_tree_alone(small):
    page = small / "_build" / "html" / "book" / "00_small.html"
    write_small(small, "First", ["print(6 * 7)"])
    stored = (small / "book" / "00_small.ipynb").read_bytes()
    assert "executed in" in run_make("build", "--root", small).stdout
    assert "42" in page.read_text()

    again = run_make("build", "--root", small).stdout
    assert "nothing changed" in again and "executed in" not in again

    assert (small / "book" / "00_small.ipynb").read_bytes() == stored
    write_small(small, "Second", ["print(6 * 7)"])
    prose = run_make("build", "--root", small).stdout
    assert "rendered" in prose and "executed in" not in prose
    assert "Second" in page.read_text() and "42" in page.read_text()

    write_small(small, "Third", ["x = 1", "import warnings\nx / 0"])
    broken = run_make("build", "--root", small, check=False)
    assert broken.returncode == 1
    assert "00_small.ipynb, code cell 2 (cell 3 of 3): ZeroDivisionError: division by zero" in broken.stderr
    assert "Traceback" not in broken.stderr
    assert "Second" in page.read_text(), "the pages of before are still there"


def test_refresh_stores_the_same_bytes_twice_and_no_stderr(small):
    notebook = small / "book" / "00_small.ipynb"
    write_small(small, "Refreshed", ["import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)", "1 + 1"])
    told = run_make("refresh", "--root", small).stdout
    assert "00_small.ipynb, code cell 1 wrote to stderr (not stored): 2" in told
    first = notebook.read_bytes()
    assert b"stderr" not in first.split(b'"source"')[0] and first.count(b'"output_type"') == 2
    notebook.write_bytes(first.replace(b'"1\\n"', b'"0\\n"'))
    run_make("refresh", "--root", small)
    assert notebook.read_bytes() == first


def test_what_a_notebook_could_only_show_raw_stops_the_book(small):
    write_small(small, "Keys", [])
    notebook = small / "book" / "00_small.ipynb"
    notebook.write_text(notebook.read_text().replace("# Keys", "# Keys\\n\\nPress {kbd}`a`."))
    done = run_make("render", "--root", small, check=False)
    assert done.returncode == 1 and "book/00_small.ipynb: WARNING: the role {kbd}" in done.stderr


def test_an_output_that_names_a_place_on_this_machine_is_refused(small):
    write_small(small, "Places", ["import sys\nprint(sys.prefix + '/lib')"])
    done = run_make("refresh", "--root", small, check=False)
    assert done.returncode == 1 and "its output names a place on this machine" in done.stderr


# --- in a browser --------------------------------------------------------------------------------------


@pytest.fixture
def visit(site, browser):
    """Opens a page without network and says what the console complained about."""
    contexts = []

    def visit(name, scheme="light", width=1280):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
        contexts.append(context)
        context.route(
            "http*://**/*", lambda route: route.fulfill(status=200, content_type="text/javascript", body="")
        )
        page = context.new_page()
        complaints = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        return page, complaints

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_in_both_themes_without_complaint(visit, page, scheme):
    opened, complaints = visit(page, scheme)
    assert opened.locator("article h1").first.is_visible()
    assert opened.evaluate("document.documentElement.dataset.theme") == scheme
    assert complaints == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone(visit, page):
    opened, _ = visit(page, width=390)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    for image in opened.locator("article img").all():  # each fits, or scrolls in a box that fits
        box = image.evaluate_handle(
            """e => { while (e.parentElement && getComputedStyle(e).overflowX !== 'auto') e = e.parentElement;
                      return e.getBoundingClientRect().width; }"""
        )
        assert image.bounding_box()["width"] <= 390 or box.json_value() <= 390


@pytest.mark.parametrize("page", PAGES)
def test_the_keyboard_reaches_the_content(visit, page):
    opened, _ = visit(page)
    opened.keyboard.press("Tab")
    assert "skip" in opened.evaluate("document.activeElement.textContent").lower()
    opened.keyboard.press("Enter")
    for _ in range(15):
        opened.keyboard.press("Tab")
        if opened.evaluate("!!document.activeElement.closest('article, .prev-next-area')"):
            return
    pytest.fail("fifteen times Tab after the skip link, and still not in the text")


def test_a_solution_opens_with_the_keyboard(visit):
    opened, _ = visit("book/00_claim")
    button = opened.locator(".solution button").first
    hidden = opened.locator(".solution.toggle-hidden").count()
    assert hidden
    button.focus()
    opened.keyboard.press("Enter")
    assert opened.locator(".solution.toggle-hidden").count() < hidden


@pytest.mark.parametrize("width", [1280, 320])
@each_korean_page
def test_a_korean_page_opens_without_complaint_and_its_switch_is_reached_by_keyboard(visit, page, width):
    opened, complaints = visit(f"ko/{page}", width=width)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate("getComputedStyle(document.querySelector('article p')).wordBreak") == "keep-all"
    for _ in range(60):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.classList.contains('other-language')"):
            break
    assert opened.evaluate("document.activeElement.textContent") == "English"
    opened.keyboard.press("Enter")
    opened.wait_for_url(f"**/html/{page}.html")
    assert complaints == []


def test_the_search_finds_korean_words_and_pages_that_are_not_translated(site, browser):
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        for word, expected in (
            ("생성기", "/ko/book/glossary.html"),
            ("autocorrelation", "/book/03_pitch.html"),
        ):
            page.goto(f"http://127.0.0.1:{server.server_port}/ko/search.html?q={word}")
            page.locator("#search-results li a").first.wait_for()
            found = page.locator("#search-results li a").evaluate_all(
                "all => all.map(a => new URL(a.href).pathname)"
            )
            assert expected in found
        page.close()
        server.shutdown()


# --- figures that move, and pages that are light -------------------------------------------------------


def moving(chapter):
    return sum(written(cell).count('class="sergan-moving"') for cell in cells(chapter, "code"))


def test_the_book_has_at_least_ten_figures_that_move():
    assert sum(map(moving, CHAPTERS)) >= 10


@pytest.mark.parametrize("chapter", [c for c in CHAPTERS if moving(c)], ids=lambda path: path.stem)
def test_every_figure_moves_by_keyboard_and_shows_the_kernels_picture_for_its_value(visit, chapter):
    opened, complaints = visit(f"book/{chapter.stem}", width=390)
    boxes = opened.locator(".sergan-moving")
    assert boxes.count() == moving(chapter)
    for number in range(boxes.count()):
        box = boxes.nth(number)
        data = json.loads(box.locator("script[type='application/json']").text_content())
        controls = box.locator("input, select")
        at = [int(controls.nth(k).input_value()) for k in range(controls.count())]
        for k, size in enumerate(data["sizes"]):
            controls.nth(k).focus()
            for key in ("End", "Home", "ArrowRight" if size > 1 else "Home"):
                opened.keyboard.press(key)
                at[k] = {"End": size - 1, "Home": 0}.get(key, min(at[k] + 1, size - 1))
                if controls.nth(k).evaluate("c => c.tagName") == "SELECT":
                    controls.nth(k).select_option(value=str(at[k]))
                place = 0
                for position, length in zip(at, data["sizes"], strict=True):
                    place = place * length + position
                assert box.locator("img").get_attribute("src") == data["pictures"][place]
                assert box.locator("[aria-live]").text_content() == data["sentences"][place]
    assert complaints == []


def listen(page, complaints):
    """Write down what the console of a page says is wrong, breaches of its policy among it."""

    def said(message):
        if message.type == "error" and not message.location["url"].endswith(
            "favicon.ico"
        ):  # asked of every site
            complaints.append(message.text)

    page.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " e => console.error(`policy: ${e.effectiveDirective} ${e.blockedURI} ${e.sample}`));"
    )
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))


@pytest.fixture(scope="module")
def sight(site, browser):
    """First sight of a page, once for all tests: the site's address, the bytes of each file, complaints."""
    seen = {}
    with pages.serve(site) as address:

        def sight(name):
            if name not in seen:
                complaints = []
                _, sizes = pages.look(
                    browser, f"{address}/{name}.html", lambda page: listen(page, complaints)
                )
                seen[name] = address, sizes, complaints
            return seen[name]

        yield sight


@pytest.mark.parametrize("page", [*PAGES, "search", "genindex"])
def test_a_page_keeps_its_policy_and_asks_nobody_else(site, sight, page):
    address, sizes, complaints = sight(page)
    assert complaints == []
    assert [url for url in sizes if not url.startswith(f"{address}/")] == []
    if "mathjax/tex-chtml.js" in (site / f"{page}.html").read_text("utf-8"):
        assert any("/MathJax_Zero.woff" in url for url in sizes), "formulas are set"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_less_than_a_megabyte_at_first_sight(sight, page):
    _, sizes, _ = sight(page)
    assert sum(sizes.values()) < 1e6, sizes
    assert not [url for url in sizes if url.endswith((".mp3", ".wav"))], "a sound that nobody asked for"


@pytest.mark.parametrize("page", PAGES)
def test_pictures_and_sounds_are_files_beside_the_page_that_load_late_in_a_place_kept_free(site, page):
    html = (site / f"{page}.html").read_text("utf-8")
    assert not re.search(r'"data:(image|audio)', html)
    for name in re.findall(r'"((?:\.\./)*_media/[^"]+)"', html):
        assert (site / page).parent.joinpath(name).is_file()
    for tag in re.findall(r"<img[^>]*>", html):
        assert 'loading="lazy"' in tag and "aspect-ratio" in tag, tag
    for tag in re.findall(r"<audio[^>]*>", html):
        assert 'preload="none"' in tag, tag


def test_no_icon_is_lost_and_no_script_draws_them(site):
    opened = {path: path.read_text("utf-8") for path in html_files(site)}
    for path, html in opened.items():
        assert "fontawesome.js" not in html
        assert not re.search(r'<(i|span) class="[^"]*\bfa[srb]?[ -]', html), path
        assert html.count('<svg class="svg-inline--fa') >= 6 or "pst-primary-sidebar" not in html, path
    fonts = list(site.rglob("webfonts/*"))
    assert fonts and sum(path.stat().st_size for path in fonts) < 10_000
    for style in site.rglob("_static/**/*.css"):
        for name in re.findall(r"url\(\"?([^)\"#?]+)", style.read_text("utf-8")):
            assert name.startswith("data:") or (style.parent / name).is_file(), f"{style.name}: {name}"


# --- nothing from elsewhere, and from a folder ---------------------------------------------------------


def html_files(site):
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


ANALYTICS = (
    r"google-analytics|googletagmanager|\bgtag\(|plausible\.io|matomo|piwik|hotjar|goatcounter|ethical-?ad"
)


def test_no_page_loads_fonts_styles_or_analytics_from_elsewhere(site):
    for path in [*html_files(site), *site.rglob("_static/**/*.css")]:
        text = path.read_text("utf-8")
        found = re.search(r"(?:url\(|@import )\s*[\"']?(?:https?:)?//[^)]*", text)
        found = found or (path.suffix == ".html" and re.search(ANALYTICS, text, re.I))
        assert not found, f"{path.relative_to(site)}: {found[0]}"


@pytest.fixture
def blocked(browser):
    """Opens pages where every address but those of `allowed` is blocked; says what was asked for and complained of."""
    contexts = []

    def opened(allowed):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        contexts.append(context)
        elsewhere, complaints = [], []

        def decide(route):
            if route.request.url.startswith((allowed, "data:", "blob:")):
                return route.continue_()
            elsewhere.append(route.request.url)
            return route.abort()

        context.route("**/*", decide)
        page = context.new_page()
        listen(page, complaints)
        page.set_default_timeout(60_000)
        return page, elsewhere, complaints

    yield opened
    for context in contexts:
        context.close()


def formulas(page):
    """How many formulas MathJax has set, once it is done."""
    page.evaluate("() => window.MathJax && MathJax.startup.promise.then(() => null)")
    return page.locator("mjx-container").count()


def search(page, word):
    """Search for `word` with the page's own field; the link to the first result."""
    page.keyboard.press("Control+k")
    page.keyboard.type(word)
    with page.expect_navigation(url=re.compile(r"search\.html\?q=")):
        page.keyboard.press("Enter")
    page.locator(".search-summary", has_text="found").wait_for()
    return page.locator("#search-results li a").first


def test_every_page_has_a_strict_policy_and_says_nobody_where_a_reader_comes_from(site):
    for path in html_files(site):
        html = path.read_text("utf-8")
        (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
        assert policy.startswith("default-src 'none'; script-src 'self'") and "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy.partition("style-src")[0] and "http" not in policy
        assert '<meta name="referrer" content="no-referrer">' in html
        assert not re.search(r"<[^>]*\son\w+=\"", html), path


def test_buttons_figures_solutions_and_search_work_under_the_policy(site, blocked):
    with pages.serve(site) as address:
        page, elsewhere, complaints = blocked(address)
        page.goto(f"{address}/book/02_frames.html")
        mode = page.evaluate("document.documentElement.dataset.mode")
        page.locator(".theme-switch-button").click()
        assert page.evaluate("document.documentElement.dataset.mode") != mode
        page.locator(".btn-fullscreen-button").click()
        page.wait_for_function("document.fullscreenElement !== null")
        page.locator(".btn-fullscreen-button").click()
        page.wait_for_function("document.fullscreenElement === null")
        page.evaluate("window.print = () => { window.printed = true; }")
        page.locator(".btn-download-pdf-button").dispatch_event("click")
        assert page.evaluate("window.printed")
        move_a_figure(page)
        page.locator(".solution button").first.click()
        assert page.locator(".solution:not(.toggle-hidden)").count() == 1
        result = search(page, "cepstrum")
        page.locator("#search-results p.context").first.wait_for()  # read from the page that was found
        result.click()
        page.wait_for_load_state("load")
        assert page.locator("article h1").is_visible()
        assert (complaints, elsewhere) == ([], [])


def move_a_figure(page):
    box = page.locator(".sergan-moving").first
    before = box.locator("img").get_attribute("src")
    control = box.locator("input, select").first
    control.focus()
    page.keyboard.press("Home")
    page.keyboard.press("End")
    assert box.locator("img").get_attribute("src") != before
    page.wait_for_function(
        "image => image.complete && image.naturalWidth > 100", arg=box.locator("img").element_handle()
    )


def test_what_the_policy_forbids_does_not_happen(site, blocked):
    with pages.serve(site) as address:
        page, elsewhere, complaints = blocked(address)
        page.goto(f"{address}/book/index.html")
        page.evaluate("""() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          document.body.insertAdjacentHTML('beforeend',
            '<img src="http://elsewhere.example/x.png"><a id="b" onclick="ran = 1">');
          document.getElementById('b').click();
        }""")
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None
        assert elsewhere == []
        broken = {text.split()[1] for text in complaints if text.startswith("policy: ")}
        assert broken == {"script-src-elem", "script-src-attr", "img-src"}


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<button onfocus="x()">', "<button> has a handler onfocus"),
        ('<a href="java\nscript:x()">', "<a> has code in href"),
        (
            '<script src="https://elsewhere.example/x.js"></script>',
            "<script> loads https://elsewhere.example/x.js",
        ),
        (
            '<link rel="stylesheet" href="//elsewhere.example/x.css">',
            "<link> loads //elsewhere.example/x.css",
        ),
    ],
)
def test_pages_that_the_policy_would_break_are_not_made(tmp_path, steps, html, said):
    (tmp_path / "a.html").write_text(f"<html><head></head><body>{html}</body></html>")
    with pytest.raises(ValueError, match=re.escape(f"a.html: {said}, which the pages' policy")):
        steps.policy.protect(tmp_path, None)


def test_a_translated_site_needs_no_code_from_text(tmp_path, steps, blocked):
    import sphinx

    static = tmp_path / "_static"
    static.mkdir()
    shutil.copy(Path(sphinx.__file__).parent / "themes" / "basic" / "static" / "doctools.js", static)
    shutil.copy(
        Path(sphinx.__file__).parent / "locale" / "ko" / "LC_MESSAGES" / "sphinx.js",
        static / "translations.js",
    )
    scripts = "".join(f'<script src="_static/{name}.js"></script>' for name in ("doctools", "translations"))
    (tmp_path / "a.html").write_text(
        "<!DOCTYPE html><head><meta charset='utf-8'><script>DOCUMENTATION_OPTIONS = {}</script>"
        f"{scripts}</head><body></body>"
    )
    steps.policy.protect(tmp_path, None)
    page, _, complaints = blocked("file://")
    page.goto((tmp_path / "a.html").as_uri())
    assert page.evaluate("[Documentation.LOCALE, Documentation.PLURAL_EXPR(3), _('Search')]") == [
        "ko",
        0,
        "검색",
    ]
    assert complaints == []


@pytest.fixture(scope="session")
def steps():
    """The steps after Sphinx, as book/_make.py finds them."""
    import _site
    import _site.archive

    return _site


@pytest.fixture(scope="session")
def unpacked(site, tmp_path_factory):
    """The folder that a reader has after unpacking the book's one file."""
    said = run_make("zip", "--to", site, SERGAN_REPOSITORY="none").stdout
    assert "nothing changed" in said
    (whole,) = site.parent.glob("sergan-book-*.zip")
    assert f"{whole.name}: " in said
    to = tmp_path_factory.mktemp("stick")
    shutil.unpack_archive(whole, to)
    assert [path.name for path in to.iterdir()] == [whole.stem]
    return to / whole.stem


def test_the_same_pages_make_the_same_zip(site, unpacked, steps, tmp_path):
    for path in unpacked.rglob("*"):
        os.utime(path)
    again = steps.archive.write(unpacked, tmp_path, unpacked.name.rpartition("-")[2])
    assert again.read_bytes() == (site.parent / again.name).read_bytes()
    assert again.stat().st_size < 25e6


def test_the_steps_after_sphinx_may_be_taken_twice(site, steps, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    nowhere = SimpleNamespace(pages="", repository="")  # as the fixture `site` is rendered
    steps.finish(tmp_path / "site", nowhere)
    for path in html_files(tmp_path / "site") + list((tmp_path / "site").rglob("_static/**/*.[cj]ss*")):
        assert path.read_bytes() == (site / path.relative_to(tmp_path / "site")).read_bytes(), path


def test_the_zip_opens_from_a_folder_and_all_of_it_works(unpacked, blocked):
    here = unpacked.as_uri()
    page, elsewhere, complaints = blocked(here)
    page.goto(f"{here}/index.html")
    page.wait_for_url(f"{here}/book/index.html")
    page.locator(".bd-sidebar-primary a", has_text="3. Pitch").click()
    page.wait_for_load_state("load")
    assert formulas(page) > 10
    move_a_figure(page)
    sound = page.locator("audio").first
    sound.hover()
    page.wait_for_function("audio => audio.duration > 0.1", arg=sound.element_handle())
    page.locator(".theme-switch-button").click()
    result = search(page, "voicing")
    result.click()
    page.wait_for_load_state("load")
    assert page.url.startswith(f"{here}/book/") and page.locator("article h1").is_visible()
    assert (complaints, elsewhere) == ([], [])
