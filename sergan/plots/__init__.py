"""Figures. Every function draws one figure and returns it; a chapter shows it with `plt.show()`.

Here are those that several chapters and commands draw, and what all figures have in common; each chapter's own
are in a module of this package. Figures keep a white ground, so that they stay readable on dark pages, and no
meaning hangs on colour alone.
"""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from sergan.files import replacing

DPI = 110

#: One colour per emotion in every figure of the book (colour-blind safe).
EMOTION_COLOURS = {"angry": "#d55e00", "neutral": "#808080", "happy": "#029e73", "sad": "#0173b2"}

OURS, THEIRS, MARK = "#0173b2", "#de8f05", "#d55e00"


def sheet(width, height, rows=1, columns=1, **options):
    """A white figure of `width` by `height` inches and its axes."""
    fig, axes = plt.subplots(
        rows, columns, figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white", **options
    )
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def curves(wa: dict[str, list[list[float]]], title: str):
    """The paper's Fig. 3: WA in percent per epoch. One line a row, the mean of its runs, and their range.

    `wa` maps a row's name to a list of curves, one a run, each a list of one value an epoch.
    """
    fig, ax = sheet(8.6, 4.2)
    styles = ["-", "--", "-.", ":"]
    for number, (name, runs) in enumerate(wa.items()):
        epochs = min(len(run) for run in runs)
        values = np.array([run[:epochs] for run in runs])  # (runs, epochs)
        x = np.arange(1, epochs + 1)
        colour = sns.color_palette("colorblind")[number % 10]
        ax.plot(x, values.mean(axis=0), styles[number % 4], color=colour, label=f"{name} ({len(runs)})")
        if len(runs) > 1:
            ax.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.12, lw=0)
    ax.set(xlabel="epoch", ylabel="WA on the test part, %")
    ax.set_title(title, fontsize=10, loc="left")
    note = "mean (runs)\nband: lowest to highest"
    fig.legend(loc="outside right center", frameon=False, fontsize=8, title=note, title_fontsize=8)
    return fig


def attention(signal, times_s, alpha, *, rate: int = 16_000):
    """A waveform `(samples,)` and under it the attention weights `(frames,)` at `times_s`, which sum to 1."""
    fig, (wave, weight) = sheet(7.6, 3.6, 2, sharex=True)
    step = max(1, len(signal) // 4000)  # a point per pixel is enough
    wave.plot(np.arange(0, len(signal), step) / rate, signal[::step], color="#555555", lw=0.5)
    wave.set(ylabel="amplitude", xlim=(0, len(signal) / rate))
    weight.fill_between(times_s, alpha, step="mid", color=OURS, alpha=0.5)
    weight.axhline(1 / len(alpha), color=MARK, ls="--", lw=1, label="all frames alike")
    weight.set(xlabel="time in s", ylabel="attention", ylim=(0, None))
    weight.legend(frameon=False, fontsize=8)
    return fig


def save(figure, path) -> None:
    """Write a figure as PNG under its final name, complete or not at all, and close it."""
    with replacing(path) as out:
        figure.savefig(out, format="png")
    plt.close(figure)
