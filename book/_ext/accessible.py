"""Sphinx extension: the script that makes pages usable by keyboard, and formulas that are read but not stopped at.

MathJax writes every formula a second time as MathML, which screen readers read. It also makes each a stop of the
keyboard, to open a menu: a chapter would have a hundred of them.
"""


def set_formulas(app, config):
    config.mathjax3_config = config.mathjax3_config or {}
    options = config.mathjax3_config.setdefault("options", {})
    options.setdefault("menuOptions", {}).setdefault("settings", {}).update(
        inTabOrder=False, assistiveMml=True
    )


def setup(app):
    app.connect("config-inited", set_formulas)
    app.add_js_file("accessible.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
