"""Prints the built pages as one PDF, with a browser; `make pdf` calls it.

    python book/_pdf.py              print the pages in _build/html as _build/sergan-book.pdf
    python book/_pdf.py --offer      and put it beside the pages, with a link in each page's download menu

The browser is Chromium, which a machine may have or not; what the pages hold is put together by `_pdf.js` and looks as
`_pdf.css` says. Answers and solutions come at the end; figures that move stand still; sounds are only named.
"""

import argparse
import io
import logging
import mimetypes
import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from _ext.repository import about

HERE = Path(__file__).resolve().parent
NAME = "sergan-book.pdf"
ORIGIN = "http://book.invalid"  # nothing is asked of a network: every request is answered from the folder
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH = 643  # of the text on A4 with our margins, in pixels: 170 mm


class PdfError(Exception):
    """What stopped the printing, in words for the person who asked for it."""


def listed(root):
    """The pages that `_toc.yml` lists, in order, each with the caption of its part."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    found = [{"name": toc["root"], "part": ""}]
    for part in toc.get("parts", [toc]):
        for chapter in part.get("chapters", []):
            found.append({"name": chapter["file"], "part": part.get("caption", "")})
    return found


def edition(root, here):
    """What the cover says, besides the version that the pages name themselves."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    lines = []
    if here.pages:
        lines.append(f'Printed from the online book, <a href="{here.pages}">{here.pages}</a>.')
    lines += ["In this edition figures that move stand still, sounds are only named, the cell with which each chapter "
              "installs the package is left out, and answers, hints and solutions come at the end.",
              config["html"]["extra_footer"]]  # fmt: skip
    return {"title": config["title"], "author": config["author"], "lines": lines}


def browser_path():
    """A browser that can print, or an error that says what to install."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise PdfError(
            "No Chromium on the PATH, which prints the pages: on Debian or Ubuntu, apt install chromium."
        )
    return found


def print_pages(site, pages, edition, address="", css=HERE / "_pdf.css"):
    """The pages of the folder `site` as one PDF (bytes), the numbers in its contents being those of its pages."""
    try:
        from playwright.sync_api import sync_playwright
        from pypdf import PdfReader
    except ImportError as error:
        raise PdfError(f"The package {error.name} is missing: make setup installs it.") from None
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # the browser counts its objects otherwise than pypdf

    def serve(route):
        path = unquote(urlsplit(route.request.url).path).lstrip("/")
        file = (site / path).resolve()
        if not route.request.url.startswith(f"{ORIGIN}/"):
            route.abort()
        elif not path:
            route.fulfill(body=skeleton(site, css), content_type="text/html; charset=utf-8")
        elif file.is_file() and file.is_relative_to(site.resolve()):
            route.fulfill(path=file, content_type=mimetypes.guess_type(file.name)[0])
        else:
            route.fulfill(status=404)

    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox"] if as_root else []
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.set_default_timeout(600_000)
        page.emulate_media(media="print")
        page.route("**/*", serve)
        page.goto(f"{ORIGIN}/")
        page.add_script_tag(content=(HERE / "_pdf.js").read_text(encoding="utf-8"))
        given = {"pages": pages, "address": address, "edition": edition}
        told = page.evaluate("given => assemble(given).catch((error) => [error.message])", given)
        if told:
            raise PdfError("In the pages to be printed this is wrong: " + "; ".join(sorted(set(told))[:10]))
        places = {}
        for _ in range(4):  # numbers may make lines longer, which may move what they name
            page.evaluate("places => number(places)", places)
            printed = page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
            reader = PdfReader(io.BytesIO(printed))
            found = {
                name.lstrip("/"): reader.get_destination_page_number(one) + 1
                for name, one in reader.named_destinations.items()
            }
            if found == places:
                break
            places = found
        else:
            raise PdfError("The numbers of the pages did not settle.")
        if unknown := page.evaluate("unnumbered()"):
            raise PdfError(f"No page was found for {', '.join(unknown[:10])}.")
        browser.close()
    return printed


def skeleton(site, css):
    style = css.read_text(encoding="utf-8")
    code = site / "_static" / "pygments.css"
    code = code.read_text(encoding="utf-8") if code.exists() else ""
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>sergan</title>'
        f"<style>{code}</style><style>{style}</style></head><body></body></html>"
    )


def described(printed, title, author):
    """The PDF with its title and author, without the time at which it was made."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(printed)))
    writer.metadata = {"/Title": title, "/Author": author}
    writer.page_mode = "/UseOutlines"
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def offer(site, pdf):
    """Put the PDF beside the pages, and a link to it into every page's download menu."""
    if pdf.resolve() != (site / NAME).resolve():
        shutil.copyfile(pdf, site / NAME)
    menu = re.compile(r'(<div class="dropdown dropdown-download-buttons">.*?)(\s*</ul>)', re.DOTALL)
    for page in sorted(site.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        if NAME not in text:
            link = "../" * (len(page.relative_to(site).parts) - 1) + NAME
            item = f'\n      <li><a href="{link}" class="btn btn-sm dropdown-item">whole book (.pdf)</a></li>'
            page.write_text(menu.sub(rf"\1{item}\2", text, count=1), encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=HERE.parent, help="the book's folder")
    parser.add_argument(
        "--site", type=Path, help="the folder of the pages (default: _build/html below the root)"
    )
    parser.add_argument("--to", type=Path, help="the PDF (default: _build/sergan-book.pdf below the root)")
    parser.add_argument(
        "--only", nargs="+", metavar="PAGE", help="these pages, such as book/00_claim, and no others"
    )
    parser.add_argument("--offer", action="store_true", help="link to the PDF from the pages")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    site, to = options.site or root / "_build" / "html", options.to or root / "_build" / NAME
    try:
        if not (site / "index.html").exists():
            raise PdfError(f"There are no pages in {site}: run make book first.")
        here, pages = about(root), listed(root)
        if unknown := set(options.only or ()) - {page["name"] for page in pages}:
            raise PdfError(f"_toc.yml lists no page {' and no page '.join(sorted(unknown))}.")
        pages = [page for page in pages if not options.only or page["name"] in options.only]
        on_cover = edition(root, here)
        printed = described(
            print_pages(site, pages, on_cover, here.pages), on_cover["title"], on_cover["author"]
        )
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(printed)
        if options.offer:
            offer(site, to)
    except PdfError as error:
        sys.exit(f"The PDF was not made.\n{error}")
    print(f"open {to.relative_to(Path.cwd()) if to.is_relative_to(Path.cwd()) else to}")


if __name__ == "__main__":
    main()
