"""What the pages lack for readers who do not see them, or not all of them, and that no style rule can give.

- Tables say which cells are headings of what. pandas writes headings without text, and a Markdown table cannot be
  without a row of headings: an empty heading becomes a cell, a row of nothing else goes.
- The theme's sidebars and dialogs get names; a fold's name is the text that is seen on it; an element's id is given
  once on a page; entries of the bibliography are items of the list that they are in.
- A sound without a name is named after its section.

What depends on the window's size or changes as the page is used is in `book/_static/accessible.js`.
"""

import html
import re

WORDS = {
    "en": {"book": "The book", "search": "Search", "page": "On this page", "sound": "Sound: {}"},
    "ko": {"book": "책", "search": "검색", "page": "이 페이지에서", "sound": "소리: {}"},
}
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
EMPTY = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")
REPEATED = re.compile(r'(<section) id="(?:exercise|solution)-content"')


def make_accessible(site, about):
    for page in sorted(site.rglob("*.html")):
        if "_static" not in page.relative_to(site).parts:
            text = page.read_text(encoding="utf-8")
            page.write_text(accessible(text), encoding="utf-8")


def accessible(text):
    """A page's text with all of this."""
    language = re.search(r'<html\b[^>]* lang="(\w+)', text)
    words = WORDS.get(language[1] if language else "en", WORDS["en"])
    text = TABLE.sub(lambda found: table(found[0]), text)
    text = REPEATED.sub(r"\1", text)
    text = text.replace('role="doc-biblioentry"', 'role="listitem"')
    text = re.sub(r'<summary aria-label="[^"]*">', "<summary>", text)
    text = give(text, '<div id="pst-primary-sidebar"', f'role="region" aria-label="{words["book"]}"')
    for name, word in (
        ("search-dialog", "search"),
        ("primary-sidebar-modal", "book"),
        ("secondary-sidebar-modal", "page"),
    ):
        text = give(text, f'<dialog id="pst-{name}"', f'aria-label="{words[word]}"')
    return re.sub(r"<audio\b(?![^>]*aria-label)", lambda found: named(found, words["sound"]), text)


def give(text, tag, attributes):
    """The text with `attributes` added to the beginning of a tag, once."""
    return text.replace(f"{tag} {attributes}", tag).replace(tag, f"{tag} {attributes}")


def table(text):
    """A table whose headings say what they are headings of.

    >>> table("<table><thead><tr><th></th><th>wa</th></tr></thead><tr><th>AM</th><td>58</td></tr></table>")
    '<table><thead><tr><td></td><th scope="col">wa</th></tr></thead><tr><th scope="row">AM</th><td>58</td></tr></table>'
    """
    head = re.search(r"<thead\b.*?</thead>\s*", text, re.DOTALL)
    if head is None:
        return text
    body = text[head.end() :]
    if not re.search(r"<th\b", EMPTY.sub("", head[0])):  # then the first column is the headings
        first = re.compile(r"(<tr\b[^>]*>\s*)<td\b([^>]*)>(.*?)</td>", re.DOTALL)
        return text[: head.start()] + first.sub(r'\1<th class="stub" scope="row"\2>\3</th>', body)
    above = EMPTY.sub(r"<td\1></td>", head[0])
    above = re.sub(r"<th\b(?![^>]*scope=)([^>]*)>", lambda th: scoped(th[1], "col", "colspan"), above)
    body = EMPTY.sub(r"<td\1></td>", body)
    body = re.sub(r"<th\b(?![^>]*scope=)([^>]*)>", lambda th: scoped(th[1], "row", "rowspan"), body)
    return text[: head.start()] + above + body


def scoped(attributes, scope, span):
    group = re.search(rf'\b{span}="(?!1")', attributes)
    return f'<th scope="{scope}{"group" if group else ""}"{attributes}>'


def named(found, form):
    """The beginning of an `<audio>` with a name from the last heading before it."""
    headings = re.findall(
        r"<h[1-6]\b[^>]*>(.*?)<a class=\"headerlink\"", found.string[: found.start()], re.DOTALL
    )
    title = re.sub(r"<[^>]*>", "", headings[-1]) if headings else ""
    return f'<audio aria-label="{html.escape(form.format(html.unescape(title)))}"'
