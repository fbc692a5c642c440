"""What is done to the pages after Sphinx has made them, in the order of `STEPS`.

Each step is a function of the folder of the pages and of `repository.About`; it changes files in place. What Sphinx
itself can do belongs in an extension (`book/_ext`), not here.
"""

from .accessible import make_accessible
from .light import lighten
from .metadata import describe
from .policy import protect

STEPS = [
    describe,
    make_accessible,
    lighten,
    protect,
]  # protect is last: its hashes are of what the pages then hold


def finish(site, about):
    """Take the pages in `site` (a pathlib.Path) through every step."""
    for step in STEPS:
        step(site, about)
