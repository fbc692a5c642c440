"""Keeps the translation in `book/locale/` in step with the text, and joins its pages with the English ones.

    python book/_translate.py update                take the text's changes into every .po
    python book/_translate.py update book/03_pitch  and begin a new one

Below `book/locale/ko/`:

    LC_MESSAGES/book/*.po   one a translated page; what is listed in the table of contents and not here stays English
    LC_MESSAGES/titles.po   titles of all pages, for the navigation where a page stays English
    LC_MESSAGES/sphinx.po, exercise.po   words of Sphinx, the theme and sphinx-exercise, before their own catalogues
    LC_MESSAGES/interface.po   words that have no catalogue: of the theme, and of forms and moving figures
    config.yml              settings that differ from `_config.yml`

`.mo` files are made with each build, in its copy. `update` marks what changed as fuzzy: a translator looks at it,
corrects it and takes the mark away. A fuzzy entry is shown in English.
"""

import argparse
import filecmp
import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book" / "_ext"), str(ROOT / "book")]
from _make import table_of_contents  # noqa: E402
from language import CODE, translated  # noqa: E402

MESSAGES = f"book/locale/{CODE}/LC_MESSAGES"
COPY = """{'copy': 'Copy', 'copy_to_clipboard': 'Copy to clipboard', 'copy_success': 'Copied!',
    'copy_failure': 'Failed to copy'}"""
"""A language more for the copy button's script, to be translated as everything in scripts is."""
SHARED = ("_static", "_images", "_downloads", "_sources")


def read(path):
    from babel.messages.pofile import read_po

    with open(path, "rb") as file:
        return read_po(file, locale=CODE)


def words(path):
    """The translated messages of a `.po`, without fuzzy and empty ones."""
    return {m.id: m.string for m in read(path) if m.id and m.string and not m.fuzzy}


def settings(folder, *changes):
    """Change `_config.yml` in `folder`; a mapping is merged into the one that is there."""
    import yaml

    def merge(old, new):
        for key, value in new.items():
            both = isinstance(value, dict) and isinstance(old.get(key), dict)
            old[key] = merge(old[key], value) if both else value
        return old

    path = folder / "_config.yml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    for change in changes:
        merge(config, change)
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


# --- for translators -----------------------------------------------------------------------------------


def extract(root, to, pages):
    """Write what there is to translate on `pages` to `to`, one `.pot` a page, with Sphinx's builder for that."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        shutil.copytree(root / "book" / "_ext", copy / "book" / "_ext")
        (copy / "book" / "_static").mkdir()
        for name in ("_config.yml", "_toc.yml", "book/references.bib"):
            shutil.copy(root / name, copy / name)
        for name in table_of_contents(root):
            if name in pages:
                path = next(p for kind in ("ipynb", "md") if (p := root / f"{name}.{kind}").exists())
                shutil.copy(path, copy / "book")
            else:  # only so that the table of contents is whole
                (copy / f"{name}.md").write_text("# Elsewhere\n", encoding="utf-8")
        options = {"gettext_compact": False, "gettext_uuid": False, "gettext_location": False,
                   "project": "sergan", "gettext_language_team": "Korean", "gettext_last_translator": ""}  # fmt: skip
        settings(copy, {"sphinx": {"config": options}})
        command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(copy)]
        command += ["--path-output", folder, "--builder", "custom", "--custom-builder", "gettext"]
        done = subprocess.run(command, capture_output=True, text=True)
        made = Path(folder) / "_build" / "gettext"
        if done.returncode or not all((made / f"{name}.pot").exists() for name in pages):
            raise SystemExit(f"The texts could not be extracted:\n{(done.stdout + done.stderr)[-2000:]}")
        for name in pages:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made / f"{name}.pot", to / f"{name}.pot")


def update(root, new=()):
    """Take what was extracted into the catalogues; unchanged ones keep their bytes."""
    from sphinx_intl.basic import update as update_catalogues

    pages = translated(root) | set(new)
    with tempfile.TemporaryDirectory() as folder:
        extract(root, Path(folder), pages)
        update_catalogues(str(root / "book" / "locale"), folder, [CODE], ignore_obsolete=True)


# --- for `_make.py` ------------------------------------------------------------------------------------


def copy_for(copy):
    """Beside the copy of the book another one, for the translation; None if there is none."""
    from babel.messages.mofile import write_mo

    pages = translated(copy)
    if not pages:
        return None
    other = copy.parent / CODE / copy.name
    shutil.copytree(copy, other)
    own = other / "book" / "locale" / CODE
    for path in (own / "pages").rglob("*.md"):
        shutil.copy(path, other / path.relative_to(own / "pages"))
    messages = other / MESSAGES
    for path in messages.rglob("*.po"):
        catalogue = read(path)
        for message in catalogue:
            if message.id and isinstance(message.string, str):  # "0. Title" alone would be a list
                message.string = re.sub(r"^(\d+)\. ", r"\1\\. ", message.string)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
    for path in [*(other / "book").glob("*.ipynb"), *(other / "book").glob("*.md")]:
        if path.relative_to(other).with_suffix("").as_posix() not in pages:
            shutil.copy(messages / "titles.mo", messages / "book" / f"{path.stem}.mo")
    import yaml

    differs = yaml.safe_load((own / "config.yml").read_text(encoding="utf-8"))
    options = {"language": CODE, "locale_dirs": ["book/locale"], "gettext_compact": False}
    settings(other, differs, {"sphinx": {"config": options}})
    return other


def join(english, other, messages):
    """Move the pages of the translation into the English site, which has all files that are the same for both."""
    interface = words(messages / "interface.po")
    for name in ("copybutton.js", "togglebutton.js"):
        script = other / "_static" / name
        text = script.read_text("utf-8").replace(
            "const messages = {", f"const messages = {{\n  '{CODE}': {COPY},"
        )
        script.write_text(say_in_script(text, interface), "utf-8")
    for path in [path for name in SHARED for path in (other / name).rglob("*") if path.is_file()]:
        twin = english / path.relative_to(other)
        if twin.exists() and (path.parts[len(other.parts)] == "_sources" or filecmp.cmp(path, twin, False)):
            path.unlink()
    for path in other.rglob("*.html"):
        depth = len(path.relative_to(other).parts) - 1
        path.write_text(page(path.read_text("utf-8"), other, depth, interface), "utf-8")
    for name in ("objects.inv", ".buildinfo"):
        (other / name).unlink(missing_ok=True)
    for path in sorted((p for p in other.rglob("*") if p.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
    shutil.move(other, english / CODE)


def page(text, other, depth, interface):
    """One page of the translation, `depth` folders deep, as it stands in `<code>/` of the English site."""

    def move(match):
        return match[0] if (other / match[3]).exists() else f"{match[1]}../{match[2]}{match[3]}"

    text = re.sub(rf'((?:href|src)=")((?:\.\./)*)((?:{"|".join(SHARED)})/[^"?#]+)', move, text)
    outside = re.escape("../" * (depth + 1))
    text = re.sub(rf'<a\b(?![^>]*hreflang)(?=[^>]*href="{outside}(?!_))', '<a hreflang="en"', text)
    text = re.sub(r'<div class="(?=cell_input|output )', '<div lang="en" class="', text)
    text = say(text, interface, "aria-label|title|data-bs-title")
    widget = re.compile(r'<div class="sergan-.*?</div><script>.*?</script>', re.DOTALL)
    return widget.sub(lambda match: widget_in_translation(match[0], interface), text)


def say(text, interface, attributes):
    """`text` with the attributes that are exactly a message translated."""
    return re.sub(
        rf'(?<=\s)((?:{attributes})=")([^"]*)(?=")',
        lambda match: match[1] + html.escape(interface.get(html.unescape(match[2]), html.unescape(match[2]))),
        text,
    )


def widget_in_translation(text, interface):
    """A form or a moving figure with its fixed words translated; what code computed stays English, marked so."""
    body, script = text.split("</div><script>")
    said = say(body, interface, "aria-label|data-unit|data-none")
    said = re.sub(
        r"(>\s*)([^<>]*[^<>\s:])(?=:?\s*<)",
        lambda match: (
            match[1] + html.escape(interface.get(html.unescape(match[2]), html.unescape(match[2])), False)
        ),
        said,
    )
    if said == body:
        return text
    said = said.replace("<div class=", f'<div lang="{CODE}" class=', 1)
    said = re.sub(r"<(?=img |p aria-live)(\w+)", r'<\1 lang="en"', said)
    return f"{said}</div><script>{say_in_script(script, interface)}"


def say_in_script(script, interface):
    """The script with its strings that are exactly a message translated."""
    for word, translation in interface.items():
        for mark in "'\"`":
            script = script.replace(f"{mark}{word}{mark}", f"{mark}{translation}{mark}")
    return script


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["update"])
    parser.add_argument("pages", nargs="*", help="pages that have no .po yet, such as book/03_pitch")
    options = parser.parse_args()
    update(ROOT, options.pages)


if __name__ == "__main__":
    main()
