"""sergan: speech emotion recognition with generated negatives, after Ko and Kim (2019).

The package is read from top to bottom: `corpora`, `features`, `data`, `models`, `objectives`,
`evaluation`, `training`, `results`, `experiments`. A module imports only from those before it.
"""

__version__ = "0.1.0"

#: The four classes in the label order of the paper (its section 3.4).
EMOTIONS = ("angry", "neutral", "happy", "sad")

#: The four ablations (the paper's Table 2): A attention, B BLSTM, G GAN, M model.
ABLATIONS = ("AM", "AGM", "BAM", "BAGM")


def one_line(text: str, most: int = 900) -> str:
    r"""A text with a stranger's words in it: on one line, without signs that a terminal would act on, not endless.

    >>> print(one_line("red \x1b[31m\n"), one_line("a" * 999, most=10))
    red \x1b[31m\n aaaaa ... aaaaa
    """
    text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-(most // 2) :]}"


class SerganError(Exception):
    """A mistake that its maker can mend: one sentence, naming the file or option and the remedy."""

    def __str__(self):
        return one_line(super().__str__())


def where() -> str:
    """One line for the top of a notebook: which version this is, and what it computes on."""
    import torch

    if torch.cuda.is_available():
        return f"sergan {__version__}, on the GPU ({torch.cuda.get_device_name()})"
    return f"sergan {__version__}, on the CPU, which is enough for the runs of this book's small presets"
