"""Light pages: what a reader does not need at first sight is loaded later, or not at all.

- Pictures and sounds that notebooks hold inside their outputs become files in `_media/`, named by their content. The
  stored notebooks keep them inside, because a notebook travels alone.
- Pictures load when they are nearly in sight, and their place is kept free; sounds load when they are asked for.
- The theme brings all of Font Awesome, as a script, as fonts and as style rules. The script would put drawings into the
  page; here they are in the page already, and the fonts keep what style sheets write.
- Scripts run when the page is there, in their order; the one that others' settings are written into runs at once.
- Files that no page asks for go: source maps, templates, message catalogues.
"""

import base64
import hashlib
import io
import os
import re
from functools import cache

from fontTools import subset
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
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
ELEMENT = re.compile(r'<(i|span)\s+class="([^"]*\bfa[srb]?[ -][^"]*)"([^>]*)>\s*</\1>')
DEFER = re.compile(
    r'<script(?![^>]*\b(?:defer|async)\b)([^>]* src="(?!(?:[^"]*/)?documentation_options\.js))'
)
UNUSED = ("*.map", "scripts/fontawesome.js*", "*webpack-macros.html", "locales")


def lighten(site, about):
    folders = [path for path in sorted(site.rglob("_static")) if path.is_dir()]
    own = [
        folder for folder in folders if any(folder.rglob("webfonts"))
    ]  # Korean pages use the English ones'
    icons = {folder.parent: Icons(folder) for folder in own}
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        text = take_out(text, site, page.parent)
        text = re.sub(r"<img\b[^>]*>", lambda tag, at=page.parent: later(tag[0], at), text)
        text = re.sub(r"<audio\b[^>]*>", silent, text)
        text = re.sub(r"(?:<!-- So that users can add custom icons -->\s*)?"
                      r'<script[^>]*/fontawesome\.js[^>]*></script>\s*', "", text)  # fmt: skip
        text = DEFER.sub(r"<script defer\1", text)
        if home := next((folder for folder in page.parents if folder in icons), None):
            text = ELEMENT.sub(icons[home].draw, text)
        page.write_text(text, encoding="utf-8")
    for found in icons.values():
        found.trim()
    for folder in folders:
        drop(folder)


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

STYLES = {"fa-solid": "fa-solid-900", "fas": "fa-solid-900", "fa": "fa-solid-900", "fa-regular": "fa-regular-400",
          "far": "fa-regular-400", "fa-brands": "fa-brands-400", "fab": "fa-brands-400"}  # fmt: skip


class Icons:
    """Font Awesome as the theme brings it in a folder `_static`: drawings by class."""

    def __init__(self, static):
        self.styles = {path: path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.css"))}
        self.fonts = {path.stem: path for path in sorted(static.rglob("webfonts/fa-*.ttf"))}
        self.signs, self.drawings = {}, {}
        for text in self.styles.values():
            for names, sign in ICON.findall(text):
                code = int(sign[1:], 16) if sign.startswith("\\") else ord(sign)
                self.signs.update(dict.fromkeys(re.findall(r"\.(fa-[\w-]+)", names), code))

    def drawing(self, name, style):
        """The icon's view box and path."""
        if (name, style) not in self.drawings:
            self.drawings[name, style] = self.read(name, style)
        return self.drawings[name, style]

    def read(self, name, style):
        with TTFont(self.fonts[STYLES[style]]) as font:
            glyphs, above = font.getGlyphSet(), font["hhea"].ascent
            glyph = glyphs[font.getBestCmap()[self.signs[name]]]
            glyph.draw(TransformPen(pen := SVGPathPen(glyphs), (1, 0, 0, -1, 0, above)))
            return f"0 0 {glyph.width} {font['head'].unitsPerEm}", pen.getCommands()

    def draw(self, found):
        """The SVG for an element that Font Awesome's script would replace by one; other elements stay."""
        classes = found[2].split()
        style = next((one for one in classes if one in STYLES), None)
        name = next((one for one in classes if one in self.signs), None)
        if not style or not name:
            return found[0]
        kept = " ".join(["svg-inline--fa", *(one for one in classes if one != style)])
        rest = re.sub(r'\s+(?:title="[^"]*"|aria-hidden="[^"]*")', "", found[3])
        title = re.search(r'\stitle="([^"]*)"', found[3])
        title = f"<title>{title[1]}</title>" if title else ""
        box, path = self.drawing(name, style)
        return (f'<svg class="{kept}" aria-hidden="true" focusable="false" viewBox="{box}"{rest}>{title}'
                f'<path fill="currentColor" d="{path}"/></svg>')  # fmt: skip

    def trim(self):
        """Leave in the fonts only what style sheets write, and no rules for elements that are drawings now."""
        signs = set()
        for path, text in self.styles.items():
            text = ICON.sub("", text)
            signs.update(map(ord, re.findall("[\ue000-\uf8ff]", text)))
            signs.update(int(code, 16) for code in re.findall(r'content:\s*"\\([ef][0-9a-f]{3})"', text))
            text = re.sub(r'url\(([^()]*/webfonts/fa-[\w-]+)\.woff2\) format\("woff2"\),'
                          r'url\([^()]*\.ttf\) format\("truetype"\)', r'url(\1.woff) format("woff")', text)  # fmt: skip
            if re.search(r"webfonts/fa-[\w-]+\.(?:woff2|ttf)\b", text):
                raise ValueError(f"{path.name} names Font Awesome's fonts in a form that book/_site/light.py does not "
                                 "know: change `Icons.trim` there")  # fmt: skip
            path.write_text(text, encoding="utf-8")
        for font in self.fonts.values():
            font.with_suffix(".woff").write_bytes(part(font, signs))
            font.unlink()
            font.with_suffix(".woff2").unlink(missing_ok=True)


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
