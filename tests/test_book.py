"""The book as it is stored and as it is rendered: what a reader may rely on without running anything."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
        "book/teachers",
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


def test_a_known_repository_gives_a_colab_button_and_an_unknown_one_no_button(site, tmp_path):
    assert "colab" not in (site / "book/00_claim.html").read_text().lower().replace("(in colab, say)", "")
    run_make(
        "render",
        "--to",
        tmp_path / "html",
        SERGAN_REPOSITORY="git@github.com:owner/name.git",
        SERGAN_BRANCH="x",
    )
    html = (tmp_path / "html/book/00_claim.html").read_text()
    assert 'href="https://colab.research.google.com/github/owner/name/blob/x/book/00_claim.ipynb"' in html


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


@pytest.mark.parametrize("page", PAGES)
def test_a_page_weighs_less_than_three_megabytes(site, page):
    assert (site / f"{page}.html").stat().st_size < 3e6
