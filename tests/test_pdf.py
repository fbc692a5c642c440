"""The book on paper: what `make pdf` prints from pages, tried on a book of three pages with one of everything."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import missing

ROOT = Path(__file__).resolve().parents[1]
PICTURE = "data:image/gif;base64,R0lGODdhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
MENU = '<div class="dropdown dropdown-download-buttons"><ul class="dropdown-menu"><li>.ipynb</li>\n    </ul></div>'
FOOTER = '<span class="edition">Version 0.1.0, revision abc. <a href="cite.html">Cite this</a>.</span>'
INDEX = """<section id='top'><h1>A tiny book</h1><p>In three pages</p>
<p>Begin with <a href='00_a.html'>a</a>.</p></section>"""
CHAPTER = f"""
<section id="a"><h1>0. The first<a class="headerlink" href="#a">#</a></h1>
<p>See <a href="01_b.html#there">there</a>, <a href="https://example.org/x">elsewhere</a>, <a href="#a">above</a>, and
the <a href="../_sources/a.md">source</a>.</p>
<section id="moves"><h2>What moves</h2>
<div class="sergan-moving"><style>p {{ color: red }}</style><div class="controls"><div class="control">
<label>rate: <output>0.5</output></label><input type="range"></div><div class="control"><label>gate</label>
<select><option selected>shut</option><option>open</option></select></div></div>
<div class="shown"><img src="{PICTURE}" alt="one" loading="lazy"></div><p>At 0.5.</p><script>alert(1)</script></div>
<div class="sergan-sound"><p>A voice.</p><audio src="x.mp3"></audio></div>
<details class="quiz"><summary>Is it so?</summary>

<p>The answer is <a href="01_b.html">in b</a>.</p></details>
</section><section id="exercises"><h2>Exercises</h2>
<div class="exercise admonition" id="ex-1"><p class="admonition-title">
<span class="caption-number">Exercise 1 </span>(Try)</p>
<section id="exercise-content"><p>Try it. <details><summary>Hint</summary></p>
<p>Think twice.</p></details></section></div>
<div class="solution dropdown admonition" id="s">
<p class="admonition-title">Solution to <a href="#ex-1">Exercise 1</a></p>
<section id="solution-content">
<div class="highlight"><pre><span class="n">solved</span> <span class="o">=</span> 1</pre></div>
</section></div></section></section>"""
SECOND = (
    "<section id='b'><h1>1. The second</h1>" + "<p>Words. " * 150 + "</p><section id='there'><h2>There</h2>"
    "<p>Arrived. <a href='00_a.html#moves'>Back</a></p></section></section>"
)


@pytest.fixture
def tiny(tmp_path):
    return written(tmp_path)


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """The PDF of the tiny book."""
    return printed(written(tmp_path_factory.mktemp("tiny")))


def written(tmp_path):
    """A folder like the book's, with pages as Sphinx leaves them."""
    pages = {"index": INDEX, "00_a": CHAPTER, "01_b": SECOND}
    folder = tmp_path / "_build" / "html" / "book"
    folder.mkdir(parents=True)
    for name, article in pages.items():
        (folder / f"{name}.html").write_text(
            f'<!DOCTYPE html><html lang="en"><body>{MENU}<article>{article}</article>{FOOTER}</body></html>'
        )
    (folder.parent / "index.html").write_text(MENU)
    (tmp_path / "_toc.yml").write_text(
        "root: book/index\nparts:\n- caption: Chapters\n  chapters:\n  - file: book/00_a\n  - file: book/01_b\n"
    )
    (tmp_path / "_config.yml").write_text("title: A tiny book\nauthor: Nobody\nhtml: {extra_footer: CC BY}\n")
    return tmp_path


def run(root, *arguments, browser=True, **environment):
    if browser and not (shutil.which("chromium") or shutil.which("google-chrome")):
        missing("no chromium on the PATH: nothing was printed")
    command = [sys.executable, str(ROOT / "book" / "_pdf.py"), "--root", root, *arguments]
    environment = {**os.environ, "SERGAN_REPOSITORY": "none", **environment}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)


def printed(root, *arguments, **environment):
    from pypdf import PdfReader

    done = run(root, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return PdfReader(root / "_build" / "sergan-book.pdf")


def outline(reader):
    """Titles of the bookmarks and the numbers of their pages."""
    found = []

    def walk(items):
        for item in items:
            if isinstance(item, list):
                walk(item)
            else:
                found.append((item.title, reader.get_destination_page_number(item) + 1))

    walk(reader.outline)
    return found


def links(page):
    for note in page.get("/Annots", ()):
        note = note.get_object()
        if note["/Subtype"] == "/Link":
            action = note.get("/A", {})
            yield action.get("/URI") or note.get("/Dest") or action.get("/D")


def test_the_whole_book_is_one_pdf_with_contents_that_name_the_right_pages(paper):
    reader = paper
    text = [page.extract_text() for page in reader.pages]
    assert all(map(str.strip, text)), "no page is blank"
    assert (
        "A tiny book" in text[0] and "In three pages" in text[0] and "Version 0.1.0, revision abc." in text[0]
    )
    assert "Cite" not in text[0]
    assert "/CreationDate" not in reader.metadata
    assert (reader.metadata.title, reader.metadata.author) == ("A tiny book", "Nobody")

    marks = outline(reader)
    assert [title for title, _ in marks] == [
        "Contents", "A tiny book", "0. The first", "What moves", "Exercises", "1. The second", "There",
        "Answers, hints and solutions", "0. The first",
    ]  # fmt: skip
    contents = dict(re.findall(r"^(\S.*?)\s+(\d+)$", text[1], re.MULTILINE))
    for title, number in marks[1:-1]:
        if title != "There":  # sections are listed for chapters that ask questions
            assert int(contents[title]) == number, title
        assert title in text[number - 1]
    for _, number in marks[2:]:
        assert number > marks[1][1]
        assert f"\n{number}\n" in f"\n{text[number - 1]}\n", "the page says its own number"
    chapters = [number for title, number in marks if re.match(r"\d\.", title)]
    assert len(set(chapters)) == len(chapters), "each begins on a page of its own"

    places = {name.lstrip("/"): reader.get_destination_page_number(place) + 1
              for name, place in reader.named_destinations.items()}  # fmt: skip
    all_links = {str(link).lstrip("/") for page in reader.pages for link in links(page)}
    assert "https://example.org/x" in all_links
    assert {link for link in all_links if not link.startswith("https:")} <= set(places)
    assert places["book-01_b--there"] == dict(marks)["There"] > dict(marks)["1. The second"]


def test_what_moves_and_sounds_is_named_and_answers_come_at_the_end(paper):
    reader = paper
    text = [" ".join(page.extract_text().split()) for page in reader.pages]
    (last,) = (number for title, number in outline(reader) if title.startswith("Answers"))
    before, after = " ".join(text[: last - 1]), " ".join(text[last - 1 :])
    assert "Shown for rate: 0.5; gate: shut. This figure moves in the online book." in before
    assert "Sound: in the online book." in before
    (page,) = (number for number, said in enumerate(text, 1) if "The answer is" in said)
    assert f"Question 1. Is it so? Answer on page {page}" in before
    for said in ("The answer is", "Think twice.", "solved = 1"):
        assert said in after and said not in before


def test_where_the_address_of_the_book_is_known_the_pdf_leads_to_it(tiny):
    reader = printed(tiny, SERGAN_REPOSITORY="https://github.com/owner/name")
    online = {str(link) for page in reader.pages for link in links(page) if "owner" in str(link)}
    assert online == {
        "https://owner.github.io/name/",
        "https://owner.github.io/name/book/00_a.html",  # where the figure moves
        "https://owner.github.io/name/_sources/a.md",
    }


def test_a_link_to_the_pdf_stands_on_every_page_once_it_is_there(tiny):
    site = tiny / "_build" / "html"
    (site / "book" / "00_a.html").write_text(
        MENU.replace(".ipynb", '<a href="../sergan-book.pdf">there already</a>')
    )
    printed(tiny, "--only", "book/index", "--offer")
    assert (site / "book" / "01_b.html").read_text().count('href="../sergan-book.pdf"') == 1
    assert (site / "book" / "00_a.html").read_text().count("sergan-book.pdf") == 1
    assert (site / "index.html").read_text().count('href="sergan-book.pdf"') == 1
    assert (site / "sergan-book.pdf").read_bytes() == (tiny / "_build" / "sergan-book.pdf").read_bytes()


def test_what_stops_the_printing_is_said_in_a_sentence(tiny):
    def said(*arguments, **options):
        done = run(tiny, *arguments, **options)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        return done.stderr

    assert "_toc.yml lists no page book/02_c." in said("--only", "book/02_c", browser=False)
    assert "run make book first" in said("--site", tiny, browser=False)
    assert "apt install chromium" in said(browser=False, PATH="")
    page = tiny / "_build" / "html" / "book" / "01_b.html"
    page.write_text(page.read_text().replace("#moves", "#nowhere"))
    assert "link #book-00_a--nowhere" in said()
    page.unlink()
    assert "the page book/01_b.html is missing" in said()
