"""Sphinx extension: keeps out of the pages what would need another server.

Jupyter Book always loads sphinx-thebe, whose script names a server elsewhere (for running cells remotely, which
this book does not do) and is declared twice on every page. Its listeners are removed before it acts.
"""


def drop_thebe(app, config):
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]
    styles = app.registry.css_files
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]


def setup(app):
    app.connect("config-inited", drop_thebe, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
