"""How nbval compares the text that a cell printed with what is stored: words exactly, numbers as numbers.

Another processor rounds differently in the last bits, and that can turn the last printed digit. So a number with
decimals may be off by two units of the last place that the stored one shows; whole numbers and words may not.
"""

import re

from nbval.plugin import IPyNbCell

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")
UNITS = 2


def last_place(number: str) -> float:
    """What one unit of the last printed digit is worth: 0.01 in 3.14, 1e-05 in 7e-05, 0 in a whole number.

    >>> last_place("3.14"), last_place("7e-05"), last_place("42")
    (0.01, 1e-05, 0.0)
    """
    mantissa, _, exponent = number.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0


def same(stored: str, fresh: str) -> bool:
    """Whether two outputs agree; runs of white space count as one, because a number's width moves columns.

    >>> same("WA 61.45 of 1349", "WA  61.44 of 1349"), same("WA 61.45", "WA 61.40"), same("1349 of", "1348 of")
    (True, False, False)
    """
    if NUMBER.sub("#", stored).split() != NUMBER.sub("#", fresh).split():
        return False
    pairs = zip(NUMBER.findall(stored), NUMBER.findall(fresh), strict=True)
    return all(abs(float(a) - float(b)) <= 1.0001 * UNITS * last_place(a) for a, b in pairs)


class Text(str):
    """An output that is equal to another if `same` says so."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return same(self, other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other):
        return not self == other


def compare_numbers():
    """From here on nbval compares what cells print by `same`."""
    plain = IPyNbCell.sanitize

    def sanitize(self, output):
        found = plain(self, output)
        return Text(found) if isinstance(found, str) else found

    IPyNbCell.sanitize = sanitize
