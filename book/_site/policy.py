"""The pages' content security policy: a page loads what lies beside it and nothing else, whatever is written in it.

Each page says so itself, in a `<meta>`, because a folder of files has no server that could. Scripts come from the
site's own files, or are inside the page and named by their hash: the theme's, and those of the moving figures. No
script makes code from text, and no attribute holds code. Styles inside a page cannot be named so: hashes do not cover
attributes, which pandas, docutils, the theme and MathJax write, and MathJax makes rules as it runs.

Pages carry a referrer policy too: whoever follows a link tells nobody where from.
"""

import base64
import hashlib
import re
from html.parser import HTMLParser

from .pages import pages

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",  # data: are the theme's own drawings, in its style sheets
    "media-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",  # search reads the pages it found
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",  # the field that leads to the search page
}
HANDLERS = re.compile(
    r'(<button\b[^>]*?) onclick="(?:toggleFullScreen|window\.print)\(\)"'
)  # see _static/pages.js
META = re.compile(r'\s*<meta (?:http-equiv="Content-Security-Policy"|name="referrer")[^>]*>\n?')
LOADING = {"script", "img", "iframe", "audio", "video", "source", "track", "embed", "object", "input"}
LINKED = {
    "stylesheet",
    "preload",
    "modulepreload",
    "prefetch",
    "icon",
    "manifest",
    "preconnect",
    "dns-prefetch",
}
CODE = {"", "module", "text/javascript", "application/javascript"}


class Found(HTMLParser):
    """What a policy must know of a page: `scripts` inside it, and what is `wrong` with it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.scripts, self.wrong, self.script = [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        self.wrong += [f"<{tag}> has a handler {name}" for name in values if name.startswith("on")]
        for name, value in values.items():
            value = re.sub(r"\s", "", value).lower()
            if name in ("href", "src", "action", "formaction", "data", "srcdoc") and value.startswith(
                "javascript:"
            ):
                self.wrong.append(f"<{tag}> has code in {name}")
        loaded = [
            values[name] for name in ("src", "srcset", "data", "poster") if name in values and tag in LOADING
        ]
        if tag == "link" and not LINKED.isdisjoint(values.get("rel", "").lower().split()):
            loaded.append(values.get("href", ""))
        self.wrong += [f"<{tag}> loads {address}" for address in loaded if re.match(r"\s*(\w+:)?//", address)]
        if tag == "script" and "src" not in values and values.get("type", "").lower() in CODE:
            self.script = ""

    def handle_data(self, data):
        if self.script is not None:
            self.script += data

    def handle_endtag(self, tag):
        if tag == "script" and self.script is not None:
            self.scripts.append(self.script)
            self.script = None


def policy(scripts):
    """The policy of a page with these scripts inside.

    >>> policy(["let a = 1"]).split("; ")[:2]
    ["default-src 'none'", "script-src 'self' 'sha256-LAfYd7pbFUgwfQu8b4q135PeTG2z+/coPEUYCd74eCQ='"]
    """
    hashes = sorted({base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts})
    own = {**POLICY, "script-src": " ".join([POLICY["script-src"], *(f"'sha256-{name}'" for name in hashes)])}
    return "; ".join(f"{name} {value}" for name, value in own.items())


def protect(site, about):
    for page in pages(site):
        text = META.sub("", HANDLERS.sub(r"\1", page.read_text(encoding="utf-8")))
        found = Found(text)
        if found.wrong:
            name = page.relative_to(site).as_posix()
            raise ValueError(f"{name}: {found.wrong[0]}, which the pages' policy (book/_site/policy.py) forbids: put "
                             "what is loaded into the book, and code into a script file")  # fmt: skip
        meta = (f'<meta http-equiv="Content-Security-Policy" content="{policy(found.scripts)}">\n'
                '<meta name="referrer" content="no-referrer">\n')  # fmt: skip
        head = re.search(r"<head\b[^>]*>(?:\s*<meta charset=[^>]*>)?", text) or re.match(
            r"(?:\s*<!DOCTYPE[^>]*>)?", text
        )
        page.write_text(f"{text[: head.end()]}\n{meta}{text[head.end() :]}", encoding="utf-8")
    for script in sorted(site.rglob("_static/doctools.js")):
        without_eval(script)
    for options in sorted(site.rglob("_static/documentation_options.js")):
        quiet_search(options)


def without_eval(doctools):
    """Take a catalogue's rule for plurals as a function, where Sphinx would make one from text."""
    text = doctools.read_text(encoding="utf-8")
    if "new Function" not in text:
        return
    text, done = re.subn(
        r'new Function\(\s*"n",\s*`return \(\$\{catalog\.plural_expr\}\)`\s*\)', "catalog.plural", text
    )
    if not done or "new Function" in text:
        raise ValueError(
            "doctools.js makes functions from text in a form that book/_site/policy.py does not know"
        )
    doctools.write_text(text, encoding="utf-8")
    catalogue = doctools.with_name("translations.js")
    if catalogue.exists():
        text = catalogue.read_text(encoding="utf-8")
        text = re.sub(r'"plural_expr": "([^"]*)"', r'\g<0>, "plural": n => (\1)', text)
        catalogue.write_text(text, encoding="utf-8")


def quiet_search(options):
    """Opened from a folder, a page may not read others: search then lists what it found without quoting it."""
    text = options.read_text(encoding="utf-8")
    text = text.replace("SHOW_SEARCH_SUMMARY: true", 'SHOW_SEARCH_SUMMARY: location.protocol !== "file:"')
    options.write_text(text, encoding="utf-8")
