"""What a reader waits for at first sight of a page: bytes, requests and times, in Chromium, on this machine.

    python benchmarks/pages.py [FOLDER] [--only NAME] [--repetitions 3] [--to benchmarks/pages.json]

FOLDER holds the built pages (default: _build/html). A server on this machine sends them compressed, as GitHub Pages
does; nothing is in the browser's store. Counted is what is loaded without scrolling, in a window of 1280 x 800, until
the formulas are set and nothing more is under way. Prints a table, writes the medians over the repetitions.
"""

import argparse
import gzip
import http.server
import json
import os
import shutil
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg")
OBSERVED = """
window.seen = {lcp: 0, cls: 0};
const each = (type, see) =>
  new PerformanceObserver(list => list.getEntries().forEach(see)).observe({type, buffered: true});
each('largest-contentful-paint', entry => { seen.lcp = entry.startTime; });
each('layout-shift', entry => { if (!entry.hadRecentInput) seen.cls += entry.value; });
"""
TIMES = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const [first] = performance.getEntriesByName('first-contentful-paint');
  return {first_paint_ms: first ? first.startTime : null, largest_paint_ms: seen.lcp,
          dom_ready_ms: page.domContentLoadedEventEnd, load_ms: page.loadEventEnd, layout_shift: seen.cls};
}"""


@cache
def body(path, changed):
    """A file's content as it is sent, and its type."""
    kind = http.server.SimpleHTTPRequestHandler.extensions_map.get(path.suffix)
    kind = kind or http.server.mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kind = "text/javascript" if path.suffix == ".js" else kind
    content = path.read_bytes()
    packed = kind.startswith(COMPRESSED)
    return (gzip.compress(content, 6, mtime=0) if packed else content), kind, packed


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        found = path.is_file()
        content, kind, packed = (
            body(path, path.stat().st_mtime_ns) if found else (b"no such page", "text/plain", False)
        )
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind + ("; charset=utf-8" if kind.startswith("text/") else ""))
        self.send_header("Content-Length", str(len(content)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)  # a browser may well hang up


@contextmanager
def serve(folder):
    """The address at which the pages of `folder` are served while this lasts."""
    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def look(browser, address, prepare=lambda page: None, quiet_s=0.5):
    """One first sight of a page: figures (bytes over the wire, requests, times in ms), and the bytes of each file."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        context.add_init_script(OBSERVED)
        page = context.new_page()
        page.set_default_timeout(120_000)
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        asked, done = {}, {}
        wire.on("Network.requestWillBeSent", lambda e: asked.update({e["requestId"]: e["request"]["url"]}))
        wire.on("Network.loadingFinished", lambda e: done.update({e["requestId"]: e["encodedDataLength"]}))
        wire.on("Network.loadingFailed", lambda e: done.update({e["requestId"]: 0}))
        prepare(page)
        page.goto(address)
        page.wait_for_load_state("load")
        page.evaluate("() => window.MathJax && MathJax.startup && MathJax.startup.promise.then(() => null)")
        since, count = time.monotonic(), -1
        while time.monotonic() - since < quiet_s:
            page.wait_for_timeout(50)
            over_wire = {key for key, url in asked.items() if url.startswith("http")}
            if len(over_wire) != count or over_wire - done.keys():
                since, count = time.monotonic(), len(over_wire)
        sizes = {asked[key]: done[key] for key in over_wire}
        return {"bytes": sum(sizes.values()), "requests": len(over_wire), **page.evaluate(TIMES)}, sizes
    finally:
        context.close()


def measure(browser, address, repetitions):
    """Medians over first sights."""
    looks = [look(browser, address)[0] for _ in range(repetitions)]
    middle = {key: statistics.median(one[key] for one in looks) for key in looks[0]}
    return {key: round(value, 3) if key == "layout_shift" else round(value) for key, value in middle.items()}


def table(pages):
    lines = ["| page | kB | requests | first paint | largest paint | DOM ready | load | layout shift |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, one in pages.items():
        times = " | ".join(f"{one[key] / 1000:.2f} s" for key in ("first_paint_ms", "largest_paint_ms", "dom_ready_ms",
                                                                   "load_ms"))  # fmt: skip
        lines.append(
            f"| {name} | {one['bytes'] / 1000:.0f} | {one['requests']} | {times} | {one['layout_shift']:.2f} |"
        )
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", nargs="?", type=Path, default=Path("_build/html"))
    options.add_argument("--only", default="", help="pages whose path contains this")
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--to", type=Path, help="where the figures go, as JSON (default: nowhere)")
    chosen = options.parse_args()
    below = [path.relative_to(chosen.folder) for path in sorted(chosen.folder.rglob("*.html"))]
    names = [path.as_posix() for path in below if path.parent.name == "book"]
    names = [name for name in names if chosen.only in name]
    if not names:
        sys.exit(f"{chosen.folder} holds no such pages: make them with make render.")
    from playwright.sync_api import sync_playwright

    pages = {}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with sync_playwright() as playwright, serve(chosen.folder) as address:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if as_root else [])
        look(browser, f"{address}/{names[0]}")  # the browser's own start is none of the page's time
        for name in names:
            pages[name.removesuffix(".html")] = measure(browser, f"{address}/{name}", chosen.repetitions)
        found = {"browser": f"Chromium {browser.version}", "repetitions": chosen.repetitions,
                 "cores": os.cpu_count(), "load_before": load and round(load, 1), "pages": pages}  # fmt: skip
        browser.close()
    print(table(pages))
    if load is not None:
        print(f"\nLoad of the machine before: {load:.1f} on {os.cpu_count()} cores.")
    if chosen.to:
        chosen.to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
