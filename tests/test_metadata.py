"""What search engines, link previews and whoever has a wrong address are given."""

import doctest
import importlib
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
UNKNOWN = {"repository": "", "branch": "", "revision": "", "version": "0.1.0", "pages": ""}
KNOWN = {"repository": "https://github.com/owner/name", "pages": "https://owner.github.io/name/"}


@pytest.fixture(scope="module")
def book():
    """The book's own modules, which are no package."""
    places = [str(ROOT / "book"), str(ROOT / "book" / "_ext")]
    sys.path[:0] = places
    found = {
        name: importlib.import_module(name) for name in ("repository", "metadata", "_site.metadata", "_pages")
    }
    yield found
    for place in places:
        sys.path.remove(place)


@pytest.fixture
def about(book):
    return lambda **known: book["repository"].About(**{**UNKNOWN, **known})


@pytest.mark.parametrize("name", ["metadata", "_site.metadata", "_pages"])
def test_the_examples_in_the_documentation_hold(book, name):
    assert doctest.testmod(book[name]).failed == 0


def test_the_footer_names_version_and_revision_and_links_to_what_is_known(book, about):
    edition = book["metadata"].edition
    assert "Version 0.1.0.<" in edition(about())
    assert "Version 0.1.0, revision abcdef1.<" in edition(about(revision="abcdef1" + 33 * "0"))
    assert "revision abcdef1, built from a changed tree." in edition(about(base="abcdef1" + 33 * "0"))
    linked = edition(about(revision=40 * "a", **KNOWN), cite="cite.html")
    assert f'<a href="https://github.com/owner/name/commit/{40 * "a"}">revision aaaaaaa</a>' in linked
    assert '<a href="cite.html">Cite this book</a>' in linked
    assert "리비전 aaaaaaa" in edition(about(revision=40 * "a"), "ko")
    gitlab = book["metadata"].commit(about(repository="https://gitlab.com/owner/name", revision="b"))
    assert gitlab == "https://gitlab.com/owner/name/-/commit/b"


def test_what_a_page_says_of_itself_cannot_break_out_of_the_head(book):
    said = '</script><script>"alert"'
    written = book["metadata"].tags(
        "p", said, said, {"name": said}, book="B", language="en", address="", card=""
    )
    assert len(re.findall("<script", written)) == 1 and "<script>" not in written
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', written)
    assert json.loads(data) == {"name": said}
    assert "og:image" not in written and "og:url" not in written, "only an absolute address can be given"


def test_the_paper_is_named_as_what_the_book_is_based_on(book):
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    named = book["metadata"].paper(cff)
    assert named["name"] == cff["references"][0]["title"] and named["datePublished"] == "2019"
    cff["references"][0]["doi"] = "10.1000/1"
    assert book["metadata"].paper(cff)["sameAs"] == "https://doi.org/10.1000/1"


def test_the_card_has_the_size_that_is_announced():
    with Image.open(ROOT / "book" / "_static" / "card.png") as card:
        assert card.size == (1200, 630)
    assert (ROOT / "book" / "_static" / "card.png").stat().st_size < 300_000


@pytest.fixture
def site(tmp_path):
    """Pages in two languages, and files that are none."""
    nav = ('<nav class="bd-docs-nav"><ul class="bd-sidenav"><li><a class="internal" href="#">B</a></li></ul>'
           '<p class="caption">Chapters</p><ul class="bd-sidenav">'
           '<li><a class="internal" href="00_a.html">0. A &amp; a</a></li></ul></nav>')  # fmt: skip
    head = '<title>B — B</title><meta name="description" content="D." /><meta property="og:site_name" content="B" />'
    for name in ("book/index", "book/00_a", "ko/book/index", "search", "genindex", "_static/x", "ko/search"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.html").write_text(f"<html><head>{head}</head><body>{nav}</body></html>")
    (tmp_path / "_static" / "favicon.svg").write_text("<svg/>")
    (tmp_path / "index.html").write_text('<meta http-equiv="Refresh" content="0; url=book/index.html" />\n')
    return tmp_path


def test_the_map_lists_every_page_with_its_translations(book, about, site):
    book["_site.metadata"].describe(site, about(**KNOWN))
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    urls = ElementTree.parse(site / "sitemap.xml").getroot().findall("s:url", names)
    found = {
        url.find("s:loc", names).text.removeprefix(KNOWN["pages"]): {
            link.get("hreflang"): link.get("href").removeprefix(KNOWN["pages"])
            for link in url.findall("x:link", names)
        }
        for url in urls
    }
    both = {"en": "book/index.html", "ko": "ko/book/index.html", "x-default": "book/index.html"}
    assert found == {"book/00_a.html": {}, "book/index.html": both, "ko/book/index.html": both}
    assert f"Sitemap: {KNOWN['pages']}sitemap.xml" in (site / "robots.txt").read_text()


def test_without_an_address_there_is_no_map(book, about, site):
    book["_site.metadata"].describe(site, about())
    assert not (site / "sitemap.xml").exists() and not (site / "robots.txt").exists()


@pytest.mark.parametrize(("known", "base"), [({}, "/"), (KNOWN, "/name/")])
def test_the_page_for_a_wrong_address_works_at_any_depth(book, about, site, known, base):
    book["_site.metadata"].describe(site, about(**known))
    page = (site / "404.html").read_text("utf-8")
    assert (
        f'<a href="{base}book/00_a.html">0. A &amp; a</a>' in page and f'action="{base}search.html"' in page
    )
    for address in re.findall(r'(?:href|action|src)="([^"]*)"', page):
        assert address.startswith(base), "a relative address would break below another folder"
        assert (site / address.removeprefix(base)).exists()
    assert "<script" not in page and 'lang="ko"' in page and "prefers-color-scheme: dark" in page


def test_the_root_says_of_itself_what_the_landing_page_does(book, about, site):
    for _ in range(2):
        book["_site.metadata"].describe(site, about())
        root = (site / "index.html").read_text()
        assert root.count('<meta name="description" content="D." />') == 1
        assert root.count('content="0; url=book/index.html"') == 1


def test_the_references_are_those_of_the_citation_file_and_of_the_bibliography(book, monkeypatch):
    monkeypatch.setenv("SERGAN_REPOSITORY", "none")
    page = book["_pages"].cite(ROOT)
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert f"({cff['authors'][0]['name']})" not in page and f"title = {{{{{cff['title']}}}}}" in page
    (ours,) = re.findall(r"@article\{ko2019,\n(.*?)\n\}", page, re.DOTALL)
    bib = (ROOT / "book" / "references.bib").read_text("utf-8")
    (theirs,) = re.findall(r"@article\{ko2019,\n(.*?)\n\}", bib, re.DOTALL)

    def fields(text):
        return dict(re.findall(r"(\w+)\s*=\s*\{(.*)\}", text))

    assert fields(ours) == fields(theirs)
    assert "Ko, Y.-J., & Kim, Y.-J. (2019). Performance improvement" in page
    assert f"{cff['references'][0]['journal']}, 17(11), 77–85." in page
    assert "url = " not in page, "no address is invented"


def test_the_book_is_cited_by_its_address_where_that_is_known(book, monkeypatch):
    monkeypatch.setenv("SERGAN_REPOSITORY", "git@github.com:owner/name.git")
    monkeypatch.setenv("SERGAN_REVISION", 40 * "a")
    page = book["_pages"].cite(ROOT)
    assert "url = {https://owner.github.io/name/}" in page and "revision aaaaaaa" in page
