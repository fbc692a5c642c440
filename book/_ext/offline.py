"""Sphinx extension: keeps out of the pages what would need another server.

Formulas: MathJax comes from the package sphinx-mathjax-offline, of which only the files that our pages can ask
for are copied. Jupyter Book always loads sphinx-thebe, whose script names a server elsewhere (for running cells
remotely, which this book does not do) and is declared twice on every page: its listeners are removed.
"""

import shutil
from importlib.metadata import distribution
from pathlib import Path

MATHJAX = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions", "ui", "a11y")


def drop_thebe(app, config):
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]
    styles = app.registry.css_files
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]
    config.mathjax_path = "mathjax/tex-chtml.js"
    config.mathjax_options = {"async": "async"}  # it waits for the page itself; nothing need wait for it


def copy_mathjax(app, error):
    if error is not None or app.builder.format != "html":
        return
    source = Path(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax"))
    for name in MATHJAX:
        target = Path(app.outdir) / "_static" / "mathjax" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / name, target)


def setup(app):
    app.connect("config-inited", drop_thebe, priority=1)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
