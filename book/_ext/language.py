"""Sphinx extension: the book in a second language, beside the English one.

What is translated lies in `book/locale/<code>/LC_MESSAGES/`, one `.po` a page; `book/_translate.py` keeps the files and
says how the two builds become one site: English at its root, the translation in `<code>/`. A page without a `.po` is
not written a second time: links lead to the English page.

Both builds get a link from every page to the other language. The build of the translation also gets its interface's
words, titles of all pages, and a search index that finds Korean words without their particles. To Sphinx's own
messages this adds the questions in `<summary>`, names of exercises, and alternative texts of figures that cells draw.
"""

import re
from pathlib import Path

from docutils import nodes
from repository import about
from sphinx import addnodes
from sphinx.locale import get_translation, translators
from sphinx.locale import init as init_catalog
from sphinx.search.en import SearchEnglish
from sphinx.transforms import SphinxTransform
from sphinx.util.i18n import docname_to_domain
from sphinx_exercise.nodes import exercise_subtitle

CODE, NAME = "ko", "한국어"
#: Pages that Sphinx makes without a source.
WITHOUT_SOURCE = ("genindex", "search")
SUMMARY = re.compile(r"(?<=<summary>).*?(?=</summary>)", re.DOTALL)
NOTE = "This page is a translation. Words in figures, code and what code prints are in English."

_ = get_translation("sphinx")


def translated(source):
    """The documents below `source` that have a translation.

    >>> translated(Path("nowhere"))
    set()
    """
    folder = Path(source) / "book" / "locale" / CODE / "LC_MESSAGES"
    return {path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.po")}


# --- links between the languages -----------------------------------------------------------------------


def offer_other_language(app, pagename, templatename, context, doctree):
    """Where the same page, or else the first one, is in the other language; and who knows where both are."""
    pages, root = translated(app.srcdir), app.config.root_doc
    if not pages:
        return
    up = "../" * pagename.count("/")
    there = pagename if pagename in pages or pagename in WITHOUT_SOURCE else root
    if app.config.language == CODE:
        context["other_language"] = {"code": "en", "name": "English", "href": f"{up}../{pagename}.html"}
    else:
        context["other_language"] = {"code": CODE, "name": NAME, "href": f"{up}{CODE}/{there}.html"}
    at = app.config.published_at
    if at and pagename in pages:
        addresses = {"en": f"{at}{pagename}.html", CODE: f"{at}{CODE}/{pagename}.html"}
        addresses["x-default"] = addresses["en"]
        links = [f'<link rel="alternate" hreflang="{key}" href="{to}">' for key, to in addresses.items()]
        context["metatags"] = "\n".join([context.get("metatags", ""), *links])


def show_other_language(app, config):
    """A place for the link in the head of every page; and the address of the published pages, if it is known."""
    config.templates_path.append(str(Path(__file__).parent / "templates"))
    buttons = config.html_theme_options.setdefault("article_header_end", ["article-header-buttons.html"])
    buttons.insert(0, "language.html")
    config.add("published_at", about(app.srcdir).pages, "", str)


# --- the build of the translation ----------------------------------------------------------------------


def write_what_is_translated(app):
    """Write the translated pages alone, point to the English ones elsewhere, and index both for the search."""
    if app.config.language != CODE or app.builder.name != "html":
        return
    builder, pages = app.builder, translated(app.srcdir)
    write, address = builder.write, builder.get_target_uri

    def get_target_uri(docname, typ=None):
        elsewhere = docname in app.env.found_docs and docname not in pages
        return ("../" if elsewhere else "") + address(docname, typ)

    def write_some(build_docnames, updated_docnames, method="update"):
        write(sorted(pages & app.env.found_docs), [], "specific")
        freeze = builder.indexer.freeze

        def freeze_where_they_are():
            found = freeze()
            return {
                **found,
                "docnames": [name if name in pages else f"../{name}" for name in found["docnames"]],
            }

        for name in sorted(app.env.found_docs - pages):
            builder.index_page(name, app.env.get_doctree(name), app.env.titles[name].astext())
        builder.indexer.freeze = freeze_where_they_are

    builder.get_target_uri, builder.write = get_target_uri, write_some
    builder.load_indexer = lambda docnames: None  # there is no index of before to add to


class SearchKorean(SearchEnglish):
    """English, and Korean words also without their last syllables, which mostly are particles.

    >>> SearchKorean({}).split("생성기는 GAN")
    ['생성기는', '생성기', '생성', 'GAN']
    """

    lang, language_name = CODE, "Korean"

    def split(self, input):
        found = []
        for word in super().split(input):
            hangul = re.fullmatch("[가-힣]+", word)
            found += [word[:end] for end in range(len(word), 1, -1)] if hangul else [word]
        return found


# --- what Sphinx alone does not translate --------------------------------------------------------------


class Words(addnodes.translatable, nodes.Element):
    """Holds a message for the translators' catalogue; never in a page."""

    def preserve_original_messages(self):
        pass

    def apply_translated_message(self, original_message, translated_message):
        pass

    def extract_original_messages(self):
        return [self["message"]]


class Messages(SphinxTransform):
    """Before Sphinx translates: what is to be translated and what not."""

    default_priority = 9

    def apply(self):
        for formula in self.document.findall(nodes.math_block):
            formula["translatable"] = False
        for entry in self.document.findall(nodes.entry):
            for node in entry.findall(nodes.paragraph):
                if not re.search(r"[^\W\d]", node.astext()):  # a number
                    node["translatable"] = False
        for output in self.document.findall(is_output):
            for node in output.findall(nodes.TextElement):
                if not isinstance(node, nodes.caption):
                    node["translatable"] = False
        if self.app.builder.name == "gettext":
            for node, messages in list(unseen(self.document)):
                at = node.parent.index(node)
                words = [Words(message=message) for message in messages]
                for word in words:
                    word.source, word.line = node.source, node.line
                node.parent[at + 1 : at + 1] = words


def is_output(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code_output"


def unseen(document):
    """Nodes with messages of which Sphinx knows nothing: HTML with a question, names of exercises, drawn figures."""
    for node in document.findall(nodes.raw):
        if not isinstance(node.parent, nodes.TextElement) and SUMMARY.search(node.astext()):
            yield node, SUMMARY.findall(node.astext())
    for exercise in document.findall(nodes.Admonition):
        if names := list(exercise.findall(exercise_subtitle)):
            yield exercise, [name.astext() for name in names]
    for output in document.findall(is_output):
        for figure in output.findall(nodes.figure):
            yield figure, [image["alt"] for image in figure.findall(nodes.image) if image.get("alt")]


class Translated(SphinxTransform):
    """After Sphinx has translated: what it left, the order of the glossary, and a note that says what stays English."""

    default_priority = 21

    def apply(self):
        if self.config.language != CODE or self.env.docname not in translated(self.app.srcdir):
            return
        catalog = catalogue(self.app)
        for node in list(self.document.findall(nodes.raw)):
            if not isinstance(node.parent, nodes.TextElement) and SUMMARY.search(node.astext()):
                text = SUMMARY.sub(lambda match: catalog.gettext(match[0]), node.astext())
                node.replace_self(nodes.raw(text, text, format=node["format"]))
        registry = getattr(self.env, "sphinx_exercise_registry", {})
        exercises = [self.document, *(known["node"] for known in registry.values())]
        for name in [name for tree in exercises for name in tree.findall(exercise_subtitle)]:
            name[:] = [nodes.Text(catalog.gettext(name.astext()))]
        for glossary in self.document.findall(addnodes.glossary):
            for entries in glossary.findall(nodes.definition_list):
                entries.children.sort(key=lambda entry: entry[0].astext().lower())
        title = next(self.document.findall(nodes.title), None)
        english = [
            node for kind in (nodes.image, nodes.literal_block) for node in self.document.findall(kind)
        ]
        if title and english:
            note = nodes.paragraph("", _(NOTE), classes=["about-translation"])
            title.parent.insert(title.parent.index(title) + 1, note)


def catalogue(app):
    """The messages of the page that is read now."""
    folders = [str(Path(app.srcdir) / name) for name in app.config.locale_dirs]
    return init_catalog(folders, CODE, docname_to_domain(app.env.docname, app.config.gettext_compact))[0]


def translate_captions(app, doctree):
    """Headings of the table of contents, which come from `_toc.yml` after Sphinx has translated."""
    for toctree in doctree.findall(addnodes.toctree) if app.config.language == CODE else ():
        if toctree.get("caption"):
            toctree["caption"] = catalogue(app).gettext(toctree["caption"])


def use_own_words(app):
    """Put our words for exercises before those of sphinx-exercise's own catalogue."""
    own, _found = init_catalog([str(Path(app.srcdir) / "book" / "locale")], CODE, "exercise", "book")
    own.add_fallback(translators["general", "exercise"])
    translators["general", "exercise"] = own


def setup(app):
    if app.config.language == CODE:
        use_own_words(app)
    app.add_search_language(SearchKorean)
    app.connect("config-inited", show_other_language, priority=600)
    app.connect("builder-inited", write_what_is_translated)
    app.connect("doctree-read", translate_captions, priority=400)
    app.connect("html-page-context", offer_other_language)
    app.add_css_file("language.css")
    app.add_transform(Messages)
    app.add_transform(Translated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
