"""Files for whoever comes from elsewhere: the map of the site, the rules for robots, the page for a wrong address.

A map needs absolute addresses, so there is one only where the address of the pages is known. Pages in another language
lie below a folder with its name (`ko/book/...`), beside the English ones they translate.
"""

import html
import re
from urllib.parse import quote, urlsplit

from bs4 import BeautifulSoup

APART = ("404.html", "genindex.html", "search.html")  # found by nobody who looks for something
LANDING = "book/index.html"
HEAD = re.compile(
    r'<meta (?:name|property)="(?:description|og:|twitter:)[^>]*/>|<link rel="canonical"[^>]*/>'
)

NOT_FOUND = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="robots" content="noindex" />
<meta name="description" content="There is no page at this address. The contents of the book, and a search." />
<title>Page not found &#8212; {title}</title>
<link rel="icon" href="{base}_static/favicon.svg" />
<style>
:root {{ color-scheme: light dark; --ground: #fff; --ink: #323232; --link: #0a6b8a; --line: #c9c9c9; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #121212; --ink: #ced6dd; --link: #5fc7e8; --line: #48566b; }}
}}
body {{ margin: 0; background: var(--ground); color: var(--ink); line-height: 1.6;
       font-family: -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif; }}
main {{ max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem; }}
h1 {{ line-height: 1.2; }}
a {{ color: var(--link); }}
a:focus-visible, input:focus-visible, button:focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px; }}
input, button {{ font: inherit; padding: .4rem .7rem; border: 1px solid var(--line); border-radius: .25rem;
                background: var(--ground); color: inherit; }}
input {{ width: 16rem; max-width: 60%; }}
ul {{ list-style: none; padding: 0; }}
li {{ padding: .15rem 0; }}
</style>
</head>
<body>
<main>
<p><a href="{base}{landing}">{title}</a></p>
<h1>There is no page at this address</h1>
<p>It may have moved, or the address may have a slip in it. Choose a chapter, or search the book.</p>
<p lang="ko">이 주소에는 페이지가 없습니다. 아래 목차에서 고르거나 책에서 검색해 보십시오.</p>
<form action="{base}search.html" method="get" role="search">
<input type="search" name="q" aria-label="Search the book" /> <button type="submit">Search</button>
</form>
{contents}
</main>
</body>
</html>
"""


def describe(site, about):
    """The step: `404.html` and the root's description always, `sitemap.xml` and `robots.txt` where they can be."""
    (site / "404.html").write_text(not_found(site, about), encoding="utf-8")
    root = site / "index.html"
    root.write_text(root_page(site, root.read_text(encoding="utf-8")), encoding="utf-8")
    if about.pages:
        (site / "sitemap.xml").write_text(sitemap(site, about.pages), encoding="utf-8")
        (site / "robots.txt").write_text(
            f"User-agent: *\nAllow: /\nSitemap: {about.pages}sitemap.xml\n", encoding="utf-8"
        )


def pages(site):
    """The pages that a reader may look for, by language ("" for English) and address within it."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        within = path.relative_to(site).as_posix()
        match = re.fullmatch(r"(?:([a-z]{2})/)?(.+)", within)
        language, page = match[1] or "", match[2]
        if page not in (*APART, "index.html") and not re.match(r"[_.]", page):
            found.setdefault(page, {})[language] = within
    return found


def sitemap(site, address):
    """All pages, each with its translations."""
    schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<urlset xmlns="{schema}" xmlns:xhtml="http://www.w3.org/1999/xhtml">']  # fmt: skip
    for languages in pages(site).values():
        where = {language: html.escape(address + quote(within)) for language, within in languages.items()}
        others = ""
        if len(where) > 1:
            names = {language or "en": url for language, url in where.items()}
            if "" in where:
                names["x-default"] = where[""]
            others = "".join(
                f'<xhtml:link rel="alternate" hreflang="{name}" href="{url}"/>' for name, url in names.items()
            )
        lines += [f"<url><loc>{url}</loc>{others}</url>" for url in where.values()]
    return "\n".join([*lines, "</urlset>"]) + "\n"


def not_found(site, about):
    """The page for an address that leads nowhere; it is served at any depth, so its links begin at the root."""
    base = urlsplit(about.pages).path if about.pages else "/"
    landing = BeautifulSoup((site / LANDING).read_text(encoding="utf-8"), "html.parser")
    parts = []
    nav = landing.find("nav", class_="bd-docs-nav")
    for lists in nav.find_all("ul", class_="bd-sidenav") if nav else []:
        links = [link for link in lists.find_all("a", class_="internal") if not link["href"].startswith("#")]
        caption = lists.find_previous_sibling("p", class_="caption")
        if not links:  # the landing page, which stands above
            continue
        if caption:
            parts.append(f"<h2>{html.escape(caption.get_text().strip())}</h2>")
        parts += ["<ul>", *(f'<li><a href="{base}book/{html.escape(link["href"])}">'
                            f"{html.escape(link.get_text().strip())}</a></li>" for link in links), "</ul>"]  # fmt: skip
    name = landing.find("meta", property="og:site_name")
    title = html.escape(name["content"]) if name else "The book"
    return NOT_FOUND.format(base=base, landing=LANDING, title=title, contents="\n".join(parts))


def root_page(site, text):
    """The page at the root, which only leads on; it says of itself what the landing page does, for links to it."""
    if "<html" in text:
        return text
    said = "\n".join(HEAD.findall((site / LANDING).read_text(encoding="utf-8")))
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8" />\n<title>Negative labels</title>\n{said}\n'
            f'{text.strip()}\n</head><body><p><a href="{LANDING}">To the book</a></p></body></html>\n')  # fmt: skip
