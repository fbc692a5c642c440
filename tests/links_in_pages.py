"""Where the links of built pages lead: those between the pages, which need no network to be followed."""

import re
from urllib.parse import unquote, urlsplit

LINKS = re.compile(r'<(?:a|link|img|script|source|audio|video)\b[^>]*?\s(?:href|src)="([^"]*)"')
IDS = re.compile(r'\s(?:id|name)="([^"]+)"')


def dead_links(site):
    """Links between the pages in `site` that lead to no file or to no element with that id; how many were followed."""
    found = sorted(path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts)
    pages = {path: path.read_text("utf-8") for path in found}
    ids = {path: set(IDS.findall(text)) for path, text in pages.items()}
    dead, followed = [], 0
    for page, text in pages.items():
        for link in sorted(set(LINKS.findall(text))):
            parts = urlsplit(link.replace("&amp;", "&"))
            if parts.scheme or parts.netloc or link in ("", "#"):
                continue
            followed += 1
            start = site if parts.path.startswith("/") else page.parent  # 404.html is served at any depth
            target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in ids and anchor not in ids[target]):
                dead.append((page.relative_to(site).as_posix(), link))
    return dead, followed
