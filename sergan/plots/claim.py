"""Figures of chapter 0, a claim."""

import numpy as np
import seaborn as sns
from matplotlib.patches import FancyBboxPatch
from scipy.signal import fftconvolve
from scipy.stats import binom

from sergan.plots import MARK, OURS, THEIRS, sheet


def parts():
    """The paper's three parts (its Fig. 1): what flows from where to where."""
    fig, ax = sheet(7.6, 2.8)
    ax.set(xlim=(0, 11.8), ylim=(0.1, 4.2))
    ax.axis("off")

    def box(x, y, text, colour, width=2.1):
        shape = FancyBboxPatch(
            (x, y), width, 1.1, boxstyle="round,pad=0.06", facecolor=colour, edgecolor="#333333"
        )
        ax.add_patch(shape)
        ax.text(x + width / 2, y + 0.55, text, ha="center", va="center", fontsize=9)

    def arrow(start, end):
        ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#333333", "lw": 1.2})

    box(0.1, 2.9, "speech files,\na label each", "#ffffff")
    box(2.9, 2.9, "1  feature\nextraction", "#cfe3f2")
    box(5.7, 2.9, "real sequences,\nlabel e.g. [0, 1, 0, 0]", "#ffffff", 2.6)
    box(0.1, 0.3, "100 random\nnumbers", "#ffffff")
    box(2.9, 0.3, "2  generator", "#f8dfb8")
    box(5.7, 0.3, "generated sequences,\nlabel [0, 0, 0, 0]", "#ffffff", 2.6)
    box(9.3, 1.6, "3  discriminator:\nwhich emotion?", "#d3ecd9", 2.3)
    for y in (3.45, 0.85):
        arrow((2.3, y), (2.82, y))
        arrow((5.1, y), (5.62, y))
        arrow((8.4, y), (9.22, 2.15 + (y - 2.15) * 0.25))
    return fig


def ablations(scores):
    """WA and UA of the four ablations, joined where only the generator differs; `scores` as in the paper's Table 3."""
    fig, axes = sheet(7.2, 2.8, 1, 2, sharey=True)
    rows = list(scores.index)[::-1]
    for ax, name in zip(axes, ("wa", "ua"), strict=True):
        for without, with_ in (("AM", "AGM"), ("BAM", "BAGM")):
            x = [scores.loc[without, name], scores.loc[with_, name]]
            y = [rows.index(without), rows.index(with_)]
            ax.plot(x, y, color="#999999", lw=1, zorder=1)
        for row in rows:
            value, gan = scores.loc[row, name], "G" in row
            ax.scatter(
                value, rows.index(row), s=60, marker="D" if gan else "o", color=THEIRS if gan else OURS
            )
            ax.annotate(
                f"{value:.2f}",
                (value, rows.index(row)),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
            )
        ax.set(
            xlabel=f"{name.upper()} (%)",
            yticks=range(len(rows)),
            yticklabels=rows,
            ylim=(-0.5, len(rows) - 0.5),
        )
        ax.margins(x=0.25)
        ax.grid(axis="x", color="#dddddd")
        ax.set_axisbelow(True)
    return fig


def confusion(counts):
    """Confusion matrix as a heat map: rows true, columns answered; cells show counts, colours the share of the row."""
    share = counts.div(counts.sum(axis=1), axis=0)
    labels = counts.astype(str) + "\n" + (100 * share).round(0).astype(int).astype(str) + " %"
    fig, ax = sheet(4.9, 3.9)
    sns.heatmap(
        share,
        annot=labels,
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=1,
        square=True,
        cbar=False,
        linewidths=1,
        ax=ax,
    )
    ax.set(xlabel="answered", ylabel="true class")
    ax.tick_params(axis="y", rotation=0)
    return fig


def intervals(values, half_width, reference=None, xlabel="WA (%)"):
    """A value with an interval of +-`half_width` per row; `reference` is an optional (label, value) line."""
    fig, ax = sheet(6.6, 2.6)
    rows = list(values.index)[::-1]
    ax.errorbar(values[rows], range(len(rows)), xerr=half_width[rows], fmt="o", color=OURS, capsize=4)
    if reference:
        ax.axvline(reference[1], color=MARK, ls="--", lw=1)
        ax.annotate(
            reference[0],
            (reference[1], len(rows) - 0.55),
            xytext=(4, 0),
            textcoords="offset points",
            color=MARK,
        )
    ax.set(xlabel=xlabel, yticks=range(len(rows)), yticklabels=rows, ylim=(-0.5, len(rows) - 0.2))
    ax.grid(axis="x", color="#dddddd")
    ax.set_axisbelow(True)
    return fig


def chance(differences, claim, width):
    """Histograms of differences by name, bars of `width`, with dashed lines at plus and minus `claim`."""
    fig, axes = sheet(6.6, 1.2 * len(differences) + 0.8, len(differences), 1, sharex=True)
    edges = (np.arange(-40, 41) + 0.25) * width  # off the values themselves, which are multiples
    for ax, (name, values) in zip(np.ravel(axes), differences.items(), strict=True):
        ax.hist(values, edges, color=OURS)
        for x in (-claim, claim):
            ax.axvline(x, color=MARK, ls="--", lw=1.2)
        ax.set_title(name, fontsize=10, loc="left")
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    np.ravel(axes)[-1].set_xlabel("difference (points of WA)")
    return fig


def beyond(utterances, runs, claim, p=0.6):
    """Differences of two equally good programs by chance: `(points, density, share at or beyond +-claim)`.

    Each program has the share `p` right, in `runs` runs on `utterances` each, every run on a test set of its own.
    """
    asked = utterances * runs
    right = np.arange(*(asked * p + np.array([-7, 7]) * np.sqrt(asked * p * (1 - p))).astype(int).clip(0))
    chances = binom.pmf(right, asked, p)
    chances = fftconvolve(chances, chances[::-1]).clip(0)  # of the difference of two such counts
    counts = np.arange(len(chances)) - (len(right) - 1)
    share = chances[np.abs(counts) >= round(claim * asked / 100, 6)].sum()
    return 100 * counts / asked, chances * asked / 100, share


def spread(utterances, runs, claim, limit=6):
    """How far two equally good programs lie apart by chance, with dashed lines at plus and minus `claim` (points)."""
    points, density, share = beyond(utterances, runs, claim)
    fig, ax = sheet(6.6, 2.9)
    x = np.sort([*np.linspace(-limit, limit, 601), -claim, claim])
    y = np.interp(x, points, density, 0, 0)
    ax.fill_between(x, y, color=OURS, alpha=0.35, lw=0)
    for side in (x <= -claim, x >= claim):
        ax.fill_between(x, y, where=side, color=MARK, lw=0)
    for x in (-claim, claim):
        ax.axvline(x, color=MARK, ls="--", lw=1.2)
    top = density.max()
    words = f"{claim:.2f} points or more,\neither way: {100 * share:.0f} %\nof all comparisons"
    ax.text(claim + 0.12, 1.22 * top, words, va="top", fontsize=10, color="#8a3d00")
    ax.set(xlim=(-limit, limit), ylim=(0, 1.3 * top), yticks=[])
    ax.set_xlabel("difference of two equally good programs (points of WA)")
    ax.spines["left"].set_visible(False)
    return fig


def whole_counts(reported, n, runs=5, around=3):
    """Where whole counts over `n` and means of `runs` of them can lie, beside each reported percentage."""
    fig, axes = sheet(7.2, 0.85 * len(reported) + 0.7, len(reported), 1)
    for ax, (name, value) in zip(np.ravel(axes), reported.items(), strict=True):
        near = int(value * n / 100)
        fine = np.arange((near - around) * runs, (near + around + 1) * runs + 1)
        ax.axvspan(value, value + 0.01, color=THEIRS, alpha=0.6, lw=0)
        ax.axvspan(
            value - 0.005, value + 0.005, ymax=0.5, facecolor="none", edgecolor=MARK, hatch="////", lw=0
        )
        ax.vlines(100 * fine / (n * runs), 0, 0.35, color="#999999", lw=1)
        whole = fine[fine % runs == 0]
        ax.vlines(100 * whole / (n * runs), 0, 0.9, color=OURS, lw=1.6)
        ax.set(yticks=[], ylim=(0, 1), xlim=(value - 0.12, value + 0.13), ylabel=name)
        ax.spines["left"].set_visible(False)
        ax.yaxis.label.set(rotation=0, ha="right", va="center")
    np.ravel(axes)[-1].set_xlabel("percent")
    return fig
