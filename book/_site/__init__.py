"""What is done to the pages after Sphinx has made them, in the order of `STEPS`.

Each step is a function of the folder of the pages and of `repository.About`; it changes files in place. What Sphinx
itself can do belongs in an extension (`book/_ext`), not here.
"""

from .metadata import describe

STEPS = [describe]


def finish(site, about):
    """Take the pages in `site` (a pathlib.Path) through every step."""
    for step in STEPS:
        step(site, about)
