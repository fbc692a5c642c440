"""Sphinx extension: writes every chapter as a notebook that runs as it is in Colab, into `notebooks/` beside the pages.

What only the book's own pages can show is put into plain Markdown: numbers of figures, equations and exercises as on
the pages, citations as on the pages with a list at the end, links to the pages where their address is known. The first
cell installs exactly the revision of exactly the repository that the book was built from (`repository.about`); where
one of them is unknown, the cell stays as the chapter has it. Outputs are left out: the pages show them, a reader makes
them, and old ones beside new ones would hide which cells ran.

`book/_publish.py` brings the folder to the branch `notebooks`, which the Colab buttons open.
"""

import re
from pathlib import Path, PurePosixPath

import nbformat
from pybtex.plugin import find_plugin
from repository import COLAB, NOTEBOOKS
from sphinx.util import logging

INSTALL = """\
# Installs sergan, the package of the book, where it is missing (in Colab, say): the very
# revision that this notebook belongs to. It takes about a minute, once. What is there
# already keeps its version.
try:
    import sergan
except ImportError:
    from importlib.metadata import version
    from importlib.util import find_spec
    kept = ("torch", "numpy", "pandas", "scipy", "matplotlib", "pyarrow", "ipywidgets")
    kept = " ".join(f"{name}=={version(name)}" for name in kept if find_spec(name))
    %pip install --quiet {kept} ipywidgets "sergan @ git+ADDRESS"
    import sergan
print(sergan.where())"""

ADMONITIONS = ("note", "warning", "tip", "hint", "important", "caution", "seealso")
DIRECTIVE = re.compile(
    r"(?ms)^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w-]+)\}[ \t]*(?P<argument>[^\n]*)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)[ \t]*$"
)
INLINE = re.compile(
    r"(?ms)^(?P<code>```(?!\{).*?^```[ \t]*$)"
    r"|\{(?P<role>[a-z][a-z:]*)\}`(?P<content>[^`]+)`"
    r"|\$\$(?P<formula>[^$]+?)\$\$ \((?P<label>[\w-]+)\)"
    r"|(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>(?![a-z]+:)[^)\s]+)\)"
    r"|`[^`\n]+`"
)
SOLUTION = "#### Solution to "


log = logging.getLogger(__name__)


class Unknown(Exception):
    """What a notebook could only show raw."""


class Resolver:
    """What Sphinx knows about labels, numbers, titles and citations, for the text of one chapter."""

    def __init__(self, app, document, pages):
        self.env, self.config, self.document, self.pages = app.env, app.config, document, pages
        self.cited = []

    def fail(self, what):
        raise Unknown(f"{what}: book/_ext/notebooks.py does not know how to show it outside the book")

    def link(self, text, document, place=""):
        """`text`, as a link to the book's page where that has an address and is not this very chapter's."""
        if not self.pages or document == self.document:
            return text
        return f"[{text}]({self.pages}{document}.html{place and '#' + place})"

    def numbered(self, label):
        """A figure, a table or an exercise with its number, or None."""
        for document, kinds in self.env.toc_fignumbers.items():
            for kind, numbers in kinds.items():
                if label in numbers:
                    number = ".".join(map(str, numbers[label]))
                    return self.config.numfig_format[kind] % number, document

    def equation(self, label):
        document, number = self.env.get_domain("math").equations.get(label) or self.fail(
            f"no equation is called {label}"
        )
        numbers = self.env.toc_fignumbers.get(document, {}).get("displaymath", {})  # as the pages count
        return document, ".".join(map(str, numbers.get(f"equation-{label}", [number])))

    def eq(self, text):
        document, number = self.equation(text)
        return self.link(f"({number})", document, f"equation-{text}")

    def ref(self, text):
        label = text
        if given := re.fullmatch(r"(.+?)\s*<([^>]+)>", text):
            text, label = given.groups()
        if found := self.numbered(label):
            said, document = found
            return self.link(text if given else said, document, label)
        document, place, title = self.env.get_domain("std").labels.get(label) or self.fail(
            f"no place is called {label}"
        )
        return self.link(text if given else title, document, place)

    numref = ref

    def doc(self, text):
        label = text
        if given := re.fullmatch(r"(.+?)\s*<([^>]+)>", text):
            text, label = given.groups()
        document = str(PurePosixPath(self.document).parent / label)
        if document not in self.env.titles:
            self.fail(f"no page is called {label}")
        return self.link(text if given else self.env.titles[document].astext(), document)

    def term(self, text):
        return re.sub(r"\s*<[^>]+>$", "", text)

    def cite(self, text):
        labels = []
        for key in re.split(r"\s*,\s*", text):
            entry = next((c for c in self.env.get_domain("cite").citations if c.key == key), None)
            entry = entry or self.fail(f"no reference is called {key}")
            if entry not in self.cited:
                self.cited.append(entry)
            labels.append(entry.formatted_entry.label)
        return f"[{', '.join(labels)}]"

    def inline(self, match):
        """What stands for a match of `INLINE`: code for itself."""
        if match["role"]:
            name = match["role"].partition(":")[0]  # {cite:t} and {cite:p} look alike on the pages, too
            if name not in ("eq", "ref", "numref", "doc", "term", "cite"):
                self.fail(f"the role {{{match['role']}}}")
            return getattr(self, name)(match["content"])
        if match["label"]:
            return f"$${match['formula']} \\tag{{{self.equation(match['label'])[1]}}}$$"
        return self.page(match) if match["target"] else match[0]

    def directive(self, match):
        name, argument, body = match["name"], match["argument"].strip(), match["body"].strip()
        if name == "exercise":
            label = re.search(r":label: (\S+)", match["options"])
            number = self.numbered(label[1])[0] if label else "Exercise"
            body = re.sub(r"(?<=\S) (?=<details>)", "\n\n", body)
            return f"### {number}{argument and '. ' + argument}\n\n{body}"
        if name == "solution-start":
            number = self.numbered(argument)[0]
            return f"{SOLUTION}{number[0].lower()}{number[1:]}\n{body}"
        if name == "solution-end":
            return body
        if name in ADMONITIONS:
            return "\n".join(f"> {line}".rstrip() for line in f"**{name.capitalize()}.** {body}".splitlines())
        return self.fail(f"the directive {{{name}}}")

    def page(self, match):
        """A link in the text to another page of the book."""
        target, _, place = match["target"].partition("#")
        document = str(PurePosixPath(self.document).parent / re.sub(r"\.(md|ipynb)$", "", target))
        if target and document not in self.env.titles:
            self.fail(f"a link to {match['target']}")
        return self.link(match["text"] or self.env.titles[document].astext(), document, place)

    def plain(self, text):
        """`text` without anything that only the book's pages understand; code in it stays as it is."""
        return INLINE.sub(self.inline, DIRECTIVE.sub(self.directive, text)).strip("\n")

    def references(self):
        """The list of what was cited, in the form of the book's bibliography."""
        backend = find_plugin("pybtex.backends", "markdown")()
        return "\n".join(
            f"- [{entry.formatted_entry.label}] {' '.join(entry.formatted_entry.text.render(backend).split())}"
            for entry in self.cited
        )


def markdown(text, name):
    return nbformat.v4.new_markdown_cell(text, id=name)


def ready(chapter, resolver, here):
    """The notebook `chapter` (as nbformat reads it) in the form that Colab and Jupyter show and run as it is."""
    cells, folded = [], []
    for cell in chapter.cells:
        if cell.cell_type == "code":
            source = cell.source
            if 'REPOSITORY = ""' in source and here.repository and here.revision:
                source = INSTALL.replace("ADDRESS", f"{here.repository}@{here.revision}")
            cells.append(nbformat.v4.new_code_cell(source, id=cell.id))
            if figure := cell.metadata.get("mystnb", {}).get("figure"):
                said = f"*{resolver.numbered(figure['name'])[0]}.* {resolver.plain(figure['caption'])}"
                cells.append(markdown(said, f"{figure['name']}-caption"))
            continue
        # a solution's heading is a cell of its own, so that its section can be folded
        for number, part in enumerate(
            re.split(rf"(?m)^({re.escape(SOLUTION)}.*)$", resolver.plain(cell.source))
        ):
            if part.strip():
                made = markdown(part.strip("\n"), cell.id + (f"-{number}" if number else ""))
                if part.startswith(SOLUTION):
                    made.metadata = {"id": made.id, "jp-MarkdownHeadingCollapsed": True}
                    folded.append(made.id)
                cells.append(made)
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = f"{title}\n\n{origin(resolver, here)}\n{rest}"
    if resolver.cited:
        cells.append(markdown(f"## References\n\n{resolver.references()}", "references"))
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata = {
        "colab": {"collapsed_sections": folded, "provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(made)
    return made


def origin(resolver, here):
    """One line on where a notebook comes from."""
    title = resolver.config.html_title
    book = f"[{title}]({here.pages}{resolver.document}.html)" if here.pages else f"*{title}*"
    of = f" of [{here.repository.removeprefix('https://')}]({here.repository})" if here.repository else ""
    revision = f" Made from revision {here.revision[:12]}{of}." if here.revision else ""
    return (
        f"> A chapter of the book {book}, whose pages show every figure without running anything.{revision}"
    )


def readme(app, names, here):
    """The page that a visitor of the branch sees."""
    lines = [
        f"# {app.config.html_title}: the notebooks",
        "",
        "The chapters of the book as notebooks that run as they are, in Colab or in Jupyter. A program writes this "
        "branch from the book's sources; what anybody changes here is lost with the next publication.",
        "",
    ]
    if here.repository and here.revision:
        lines += [f"Made from revision `{here.revision}` of <{here.repository}>.", ""]
    lines += ["| chapter | file | |", "|---|---|---|"]
    for name in names:
        title, stem = app.env.titles[name].astext(), Path(name).name
        links = [f"[page]({here.pages}{name}.html)"] if here.pages else []
        links += [f"[open in Colab]({here.colab(stem)})"] if here.colab(stem) else []
        lines.append(f"| {title} | [{stem}.ipynb]({stem}.ipynb) | {', '.join(links)} |")
    lines += [
        "",
        "Text and figures: CC BY 4.0. Code: BSD 3-Clause. openSMILE, which the first cell of each notebook installs "
        "with the package, is for non-commercial use, research and teaching included.",
    ]
    return "\n".join(lines) + "\n"


def chapters(env):
    return [name for name in sorted(env.found_docs) if env.doc2path(name).endswith(".ipynb")]


def write(app, env):
    """When all numbers are known: the notebooks."""
    if app.builder.format != "html":
        return
    here, folder = app.about, Path(app.outdir) / NOTEBOOKS
    folder.mkdir(parents=True, exist_ok=True)
    names = chapters(env)
    for name in names:
        source = nbformat.read(env.doc2path(name), as_version=4)
        try:
            made = ready(source, Resolver(app, name, here.pages), here)
        except Unknown as problem:
            log.warning(str(problem), location=name)
            continue
        (folder / f"{Path(name).name}.ipynb").write_text(
            nbformat.writes(made) + "\n", encoding="utf-8", newline="\n"
        )
    (folder / "README.md").write_text(readme(app, names, here), encoding="utf-8", newline="\n")


def buttons(found):
    for button in found:
        yield button
        yield from buttons(button.get("buttons", ()))


def point_buttons(app, page, template, context, doctree):
    """The theme's buttons of a chapter lead to the notebook that runs as it is, not to the source of the page."""
    if not (doctree and str(app.env.doc2path(page)).endswith(".ipynb")):
        return
    name = Path(page).name
    for button in buttons(context.get("header_buttons", ())):
        if button.get("url", "").startswith(COLAB):
            button["url"] = app.about.colab(name)
        elif button.get("label") == "download-source-button":
            button["url"] = context["pathto"](f"{NOTEBOOKS}/{name}.ipynb", 1)


def setup(app):
    app.connect("env-check-consistency", write)
    app.connect("html-page-context", point_buttons, priority=900)  # after the theme has made them
    return {"parallel_read_safe": True, "parallel_write_safe": True}
