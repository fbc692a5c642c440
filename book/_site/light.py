"""Light pages: what a reader does not need at first sight is loaded later, or not at all.

- Pictures and sounds that notebooks hold inside their outputs become files in `_media/`, named by their content. The
  stored notebooks keep them inside, because a notebook travels alone.
- Pictures load when they are nearly in sight, and their place is kept free; sounds load when they are asked for.
- The theme brings all of Font Awesome, as a script, as fonts and as style rules. The icons that this site uses stay,
  as fonts and rules, and the script goes.
- Files that no page asks for go: source maps, templates, message catalogues.
"""

import base64
import hashlib
import io
import os
import re
from functools import cache

from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image

from .pages import pages

KINDS = {
    "image/webp": "webp",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
}
DATA = re.compile(rf'"data:({"|".join(map(re.escape, KINDS))});base64,([A-Za-z0-9+/=\s]+)"')
ICON = re.compile(r'((?:\.fa-[\w-]+:+before,?)+)\{content:"(\\[0-9a-f]+|[^"\\])"\}')
UNUSED = ("*.map", "scripts/fontawesome.js*", "*webpack-macros.html", "locales")


def lighten(site, about):
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        text = take_out(text, site, page.parent)
        text = re.sub(r"<img\b[^>]*>", lambda tag, at=page.parent: later(tag[0], at), text)
        text = re.sub(r"<audio\b[^>]*>", silent, text)
        text = re.sub(r"(?:<!-- So that users can add custom icons -->\s*)?"
                      r'<script[^>]*/fontawesome\.js[^>]*></script>\s*', "", text)  # fmt: skip
        text = re.sub(r'<(i|span) (class="(?:[^"]* )?fa[srb]?[ -](?![^>]*aria-hidden)[^>]*)>',
                      r'<\1 aria-hidden="true" \2>', text)  # fmt: skip
        page.write_text(text, encoding="utf-8")
    used = icons_in(site)
    for static in sorted(site.rglob("_static")):
        keep_icons(static, used)
        drop(static)


# --- pictures and sounds --------------------------------------------------------------------------------


def take_out(text, site, folder):
    """The page's text with its `data:` pictures and sounds as addresses of files, which are written."""

    def file(found):
        content = base64.b64decode(found[2])
        path = site / "_media" / f"{hashlib.sha256(content).hexdigest()[:20]}.{KINDS[found[1]]}"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return f'"{os.path.relpath(path, folder).replace(os.sep, "/")}"'

    return DATA.sub(file, text)


@cache
def size(path):
    """Width and height of a picture in pixels, or None where it has none."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except OSError:  # a drawing, or no file
        return None


def later(tag, folder):
    """An `<img>` that loads when it is nearly in sight, in a place that is kept free for it."""
    new = "".join(f' {name}="{value}"' for name, value in (("loading", "lazy"), ("decoding", "async"))
                  if f" {name}=" not in tag)  # fmt: skip
    source = re.search(r' src="([^"#?]+)', tag)
    known = size(folder / source[1]) if source and ":" not in source[1] else None
    style = re.search(r' style="([^"]*)"', tag)
    if known and not re.search(r"\bheight[=:]|aspect-ratio", tag):
        ratio = f"aspect-ratio: auto {known[0]} / {known[1]};"
        if not re.search(r"\bwidth[=:]", tag):
            new += f' width="{known[0]}"'
        if style:
            tag = tag.replace(style[0], f' style="{style[1].rstrip("; ")}; {ratio}"'.replace('"; ', '"'))
        else:
            new += f' style="{ratio}"'
    return f"<img{new}{tag.removeprefix('<img')}"


def silent(found):
    """An `<audio>` that loads when it is played; `book/_static/pages.js` loads it a little earlier."""
    return re.sub(r' preload="[^"]*"', "", found[0]).replace("<audio", '<audio preload="none"', 1)


# --- icons ----------------------------------------------------------------------------------------------


def icons_in(site):
    """The classes of Font Awesome that pages and scripts name."""
    found = set()
    for page in pages(site):
        for value in re.findall(r'class="([^"]*\bfa[srb]?[ -][^"]*)"', page.read_text(encoding="utf-8")):
            found.update(name for name in value.split() if name.startswith("fa-"))
    for script in sorted(site.rglob("_static/**/*.js")):
        if script.name != "fontawesome.js" and "mathjax" not in script.parts:
            found.update(re.findall(r"\bfa-[\w-]+", script.read_text(encoding="utf-8")))
    return found


def keep_icons(static, used):
    """Leave in the fonts and the style rules of the theme only the icons `used`, and those that rules name."""
    styles = {path: path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.css"))}
    if not any(ICON.search(text) for text in styles.values()):
        return
    signs = set()

    def keep(rule):
        if used.isdisjoint(re.findall(r"\.(fa-[\w-]+)", rule[1])):
            return ""
        signs.add(int(rule[2][1:], 16) if rule[2].startswith("\\") else ord(rule[2]))
        return rule[0]

    for path, text in styles.items():
        text = styles[path] = ICON.sub(keep, text)
        signs.update(map(ord, re.findall("[\ue000-\uf8ff]", text)))
        signs.update(int(code, 16) for code in re.findall(r'content:\s*"\\([ef][0-9a-f]{3})"', text))
    for font in sorted(static.rglob("webfonts/fa-*.ttf")):
        font.with_suffix(".woff").write_bytes(part(font, signs))
        font.unlink()
        font.with_suffix(".woff2").unlink(missing_ok=True)
    for path, text in styles.items():
        text = re.sub(r'url\(([^()]*/webfonts/fa-[\w-]+)\.woff2\) format\("woff2"\),'
                      r'url\([^()]*\.ttf\) format\("truetype"\)', r'url(\1.woff) format("woff")', text)  # fmt: skip
        if re.search(r"webfonts/fa-[\w-]+\.(?:woff2|ttf)\b", text):
            raise ValueError(f"{path.name} names Font Awesome's fonts in a form that book/_site/light.py does not know")
        path.write_text(text, encoding="utf-8")


def part(font, signs):
    """A TrueType font's glyphs for `signs`, as WOFF. Its names, the licence among them, stay."""
    options = subset.Options(name_IDs=["*"], notdef_outline=True)
    with TTFont(font, recalcTimestamp=False) as whole:
        chosen = subset.Subsetter(options)
        chosen.populate(unicodes=signs)
        chosen.subset(whole)
        whole.flavor = "woff"
        whole.save(out := io.BytesIO())
    return out.getvalue()


# --- files ----------------------------------------------------------------------------------------------


def drop(static):
    """Delete what no page asks for."""
    for pattern in UNUSED:
        for path in sorted(static.rglob(pattern), reverse=True):
            for below in sorted(path.rglob("*"), reverse=True) if path.is_dir() else []:
                below.rmdir() if below.is_dir() else below.unlink()
            path.rmdir() if path.is_dir() else path.unlink()
    for path in [*static.rglob("*.js"), *static.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        if "sourceMappingURL=" in text:
            text = re.sub(r"\n?(?://[#@] sourceMappingURL=\S*|/\*# sourceMappingURL=\S* ?\*/)", "", text)
            path.write_text(text, encoding="utf-8")
