"""Sphinx extension: what search engines, link previews and citation tools are told about a page, and its edition.

Every page gets a description of its own (a chapter what one learns there, another page its first sentences), the fields
of Open Graph and of link cards, and JSON-LD. Absolute addresses stand only where the address of the pages is known
(`repository.about`). The footer says which version and revision the page was made from, and leads to "Cite this book".
"""

import html
import json
import re
from pathlib import Path

import yaml
from docutils import nodes
from repository import about
from sphinx.locale import _

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
CARD = "_static/card.png"
LOCALES = {"en": "en_GB", "ko": "ko_KR"}
LONGEST = 160  # characters of a description that are shown
UNKNOWN = "\0"  # where a formula stands that has no plain form

EDITION = {
    "en": {
        "version": "Version {}",
        "revision": "revision {}",
        "changed": "built from a changed tree",
        "cite": "Cite this book",
        "card": "The title Negative labels, the label [0, 0, 0, 0], and the four emotions that it denies",
    },
    "ko": {
        "version": "버전 {}",
        "revision": "리비전 {}",
        "changed": "변경된 소스에서 만듦",
        "cite": "이 책 인용하기",
        "card": "제목 Negative labels, 레이블 [0, 0, 0, 0], 그리고 이 레이블이 부정하는 네 가지 감정",
    },
}


# --- a description in plain words ------------------------------------------------------------------------


def plain(node):
    """The text of a node as a sentence needs it: without citations, formulas as letters or as `UNKNOWN`."""
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, nodes.math):
        return UNKNOWN if re.search(r"[\\^_{}]", node.astext()) else node.astext()
    if isinstance(node, nodes.image | nodes.raw | nodes.footnote_reference | nodes.problematic):
        return ""
    if "bibtex-citation" in node.get("classes", ()):
        return ""
    text = "".join(map(plain, node.children))
    return re.sub(r"\s+([,.;:])", r"\1", re.sub(r"\s+", " ", text)).strip() if node.parent is None else text


def shortened(text, longest=LONGEST):
    """As much of `text` as fits and still is a sentence: whole sentences, else clauses, else words.

    >>> shortened("One. Two is longer.", 10)
    'One.'
    >>> shortened("You learn this; and how that is done; and more.", 40)
    'You learn this; and how that is done.'
    >>> shortened("A word after a word.", 14)
    'A word after …'
    """
    text = re.sub(r"\s+([,.;:])", r"\1", re.sub(r"\s+", " ", text)).strip()
    known = text.partition(UNKNOWN)[0]
    kept = ""
    for end in (r"(?<=[.!?])(?=\s)", r"[;:](?=\s)", r",(?=\s)"):
        if len(kept) < longest / 2:  # else what is there says enough
            cuts = [*(found.start() for found in re.finditer(end, text)), len(text)]
            kept = max(
                (text[:cut] for cut in cuts if cut < min(longest, len(known) + 1)), key=len, default=kept
            )
    if not kept:
        return known[: known.rfind(" ", 0, longest - 1)] + " …"
    return kept if kept[-1] in ".!?" else f"{kept}."


def description(doctree, chapter):
    """What a page is about, from its own words: of a chapter what one learns, else its first sentences."""
    top = next(iter(doctree.findall(nodes.section)), doctree)
    if chapter:
        for item in top.findall(nodes.list_item):
            words = [child for child in item[0].children if child.astext()]  # the parser leaves empty ones
            if words and isinstance(words[0], nodes.strong):
                return shortened(plain(item[0]))
    for paragraph in top.children:
        text = plain(paragraph) if isinstance(paragraph, nodes.paragraph) else ""
        if re.search(r"[.?!:][”\"]?\s*$", text):
            return shortened(text)
    return ""


def plain_title(title):
    """A title without elements and entities.

    >>> plain_title("<em>A</em> &amp; B")
    'A & B'
    """
    return html.unescape(re.sub(r"<[^>]+>", "", title))


# --- for machines ----------------------------------------------------------------------------------------


def paper(cff):
    """The article that the book is about, as schema.org names things, or None."""
    for one in cff.get("references", []):
        authors = [f"{a['given-names']} {a['family-names']}" for a in one["authors"]]
        found = {
            "@type": "ScholarlyArticle",
            "name": one["title"],
            "author": [{"@type": "Person", "name": author} for author in authors],
            "datePublished": str(one["year"]),
            "isPartOf": {"@type": "Periodical", "name": one["journal"]},
        }
        return found | ({"sameAs": f"https://doi.org/{one['doi']}"} if "doi" in one else {})
    return None


def linked_data(page, title, said, number, book, address):
    """JSON-LD of one page: the book on the landing page, else a chapter or a page that is part of it."""
    common = {"inLanguage": book["inLanguage"], "license": LICENCE, "author": book["author"]}
    where = {"url": address} if address else {}
    if page == "book/index":
        return {"@context": "https://schema.org", **book, **where, "description": said}
    kind = {"@type": "WebPage"}
    if number is not None:
        kind = {"@type": ["Chapter", "LearningResource"], "position": number, "isAccessibleForFree": True}
    part_of = {name: book[name] for name in ("@type", "name", "author", "url") if name in book}
    return {"@context": "https://schema.org", **kind, "name": title, "description": said, **common, **where,
            "isPartOf": part_of}  # fmt: skip


def tags(page, title, said, data, *, book, language, address, card):
    """The elements of a page's head, as HTML."""
    properties = {
        "og:type": "website" if page == "book/index" else "article",
        "og:title": title,
        "og:site_name": book,
        "og:description": said,
        "og:locale": LOCALES.get(language, language),
        "og:url": address,
        "og:image": card,
        "og:image:width": "1200" if card else "",
        "og:image:height": "630" if card else "",
        "og:image:alt": EDITION.get(language, EDITION["en"])["card"] if card else "",
    }
    names = {
        "description": said,
        "twitter:card": "summary_large_image" if card else "summary",
        "twitter:title": title,
        "twitter:description": said,
        "twitter:image": card,
    }
    lines = [f'<meta name="{name}" content="{html.escape(text)}" />' for name, text in names.items() if text]
    lines += [
        f'<meta property="{name}" content="{html.escape(text)}" />'
        for name, text in properties.items()
        if text
    ]
    if data:
        written = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
        lines.append(f'<script type="application/ld+json">{written}</script>')
    return "\n".join(lines) + "\n"


def commit(here):
    """The address of the revision, or "" where there is none."""
    within = {"github.com": "commit", "gitlab.com": "-/commit", "bitbucket.org": "commits"}
    host = here.repository.removeprefix("https://").partition("/")[0]
    return f"{here.repository}/{within[host]}/{here.revision}" if host in within and here.revision else ""


def edition(here, language="en", cite=""):
    """The footer's line: version, revision, and the way to cite the book, which stands at the address `cite`."""
    words = EDITION.get(language, EDITION["en"])
    said = [words["version"].format(here.version)]
    if revision := here.revision or here.base:
        short = words["revision"].format(revision[:7])
        said.append(f'<a href="{html.escape(commit(here))}">{short}</a>' if commit(here) else short)
    if here.base:
        said.append(words["changed"])
    link = f' <a href="{html.escape(cite)}">{words["cite"]}</a>.' if cite else ""
    return f'<span class="edition">{", ".join(said)}.{link}</span>'


# --- Sphinx ----------------------------------------------------------------------------------------------


def know(app, config):
    """Ask once where the pages are; with an address Sphinx writes the canonical link of each page itself."""
    app.here = about(app.srcdir)
    if app.here.pages:
        config.html_baseurl = app.here.pages + (
            "" if config.language in (None, "en") else f"{config.language}/"
        )


def describe(app, page, template, context, doctree):
    here, language = app.here, app.config.language or "en"
    cff = Path(app.srcdir) / "CITATION.cff"
    cff = yaml.safe_load(cff.read_text(encoding="utf-8")) if cff.exists() else {}
    name = app.config.html_title or app.config.project
    title = (
        {"genindex": _("Index"), "search": _("Search")}.get(page, "")
        or plain_title(context.get("title", ""))
        or name
    )
    number = re.search(r"/(\d\d)_", page)
    said = description(doctree, number) if doctree else ""
    said = said or f"{title}: {name}."
    address = context.get("pageurl") or ""
    book = {
        "@type": "Book",
        "name": name,
        "author": {"@type": "Organization", "name": app.config.author},
        "license": LICENCE,
        "inLanguage": language,
        "isAccessibleForFree": True,
        "version": here.version,
    }
    if here.pages:
        book["url"] = f"{app.config.html_baseurl}book/index.html"
    if based := paper(cff):
        book["isBasedOn"] = based
    data = (
        linked_data(page, title, said, int(number[1]) if number else None, book, address) if doctree else None
    )
    context["metatags"] = context.get("metatags", "") + tags(
        page, title, said, data, book=name, language=language, address=address,
        card=here.pages + CARD if here.pages else "",
    )  # fmt: skip
    cite = context["pathto"]("book/cite") if "book/cite" in app.env.found_docs else ""
    footer = context.get("theme_extra_footer") or ""
    context["theme_extra_footer"] = f"{footer} <br/>{edition(here, language, cite)}"


def setup(app):
    app.connect("config-inited", know)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
