"""sergan: speech emotion recognition with generated negatives, after Ko and Kim (2019).

The package is read from top to bottom: `corpora`, `features`, `data`, `models`, `objectives`,
`evaluation`, `training`, `results`, `experiments`. A module imports only from those before it.
"""

__version__ = "0.1.0"

#: The four classes in the label order of the paper (its section 3.4).
EMOTIONS = ("angry", "neutral", "happy", "sad")

#: The four ablations (the paper's Table 2): A attention, B BLSTM, G GAN, M model.
ABLATIONS = ("AM", "AGM", "BAM", "BAGM")


class SerganError(Exception):
    """A mistake that its maker can mend: one sentence, naming the file or option and the remedy."""


def where() -> str:
    """One line for the top of a notebook: which version this is, and what it computes on."""
    import torch

    if torch.cuda.is_available():
        return f"sergan {__version__}, on the GPU ({torch.cuda.get_device_name()})"
    return f"sergan {__version__}, on the CPU, which is enough for the runs of this book's small presets"
