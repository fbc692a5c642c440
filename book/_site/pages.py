"""The pages of a built site: the HTML files below it that a reader opens."""


def pages(site):
    """Every HTML file below `site` (a pathlib.Path), in a fixed order; files of themes in `_static` aside."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]
