"""Sphinx extension: what belongs together stays on one line, which on a phone it often would not.

A number and its unit ("10 ms", "60 %"), a word and its number ("chapter 4"), an inline formula and the punctuation
around it. And a space at the beginning of a link moves in front of it, so that it is not underlined.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

UNIT = re.compile(r"(?<=\d) (?=(?:%|s|ms|Hz|kHz|dB|[kMG]B)(?!\w))")
NUMBER = re.compile(r"\b([Cc]hapters?|[Ss]ections?|[Ee]qs?\.|[Tt]ables?|Fig\.) (?=\d)")


def together(text):
    """`text` with spaces that do not break.

    >>> together("25 ms, 60 % in chapter 2, 3 sounds").split(" ")
    ['25\\xa0ms,', '60\\xa0%', 'in', 'chapter\\xa02,', '3', 'sounds']
    """
    return NUMBER.sub("\\1\u00a0", UNIT.sub("\u00a0", text))


class Typography(SphinxPostTransform):
    default_priority = 900
    formats = ("html",)

    def run(self, **options):
        for text in list(self.document.findall(nodes.Text)):
            verbatim = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.raw)
            if not isinstance(text.parent, verbatim) and together(text) != text:
                text.parent.replace(text, nodes.Text(together(text)))
        for link in list(self.document.findall(nodes.reference)):
            if link.children and isinstance(link[0], nodes.Text) and link[0].startswith(" "):
                link.replace(link[0], nodes.Text(link[0].lstrip()))
                link.parent.insert(link.parent.index(link), nodes.Text(" "))
        for formula in list(self.document.findall(nodes.math)):
            self.hold(formula)

    @staticmethod
    def hold(formula):
        """Put a formula and the punctuation or Korean particle that touches it into one box."""
        parent, at = formula.parent, formula.parent.index(formula)
        before = parent[at - 1] if at and isinstance(parent[at - 1], nodes.Text) else nodes.Text("")
        after = parent[at + 1 : at + 2]
        after = after[0] if after and isinstance(after[0], nodes.Text) else nodes.Text("")
        opening = re.search(r"[(\[“]*$", before)[0]
        closing = re.match(r"(?:’s|'s|[가-힣]+)?[,.;:!?)\]”’']*", after)[0]
        if not (opening or closing):
            return
        box = nodes.inline(
            "", "", nodes.Text(opening), formula.deepcopy(), nodes.Text(closing), classes=["together"]
        )
        if closing:
            parent.replace(after, nodes.Text(after[len(closing) :]))
        parent.replace(formula, box)
        if opening:
            parent.replace(before, nodes.Text(before[: -len(opening)]))


def setup(app):
    app.add_post_transform(Typography)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
