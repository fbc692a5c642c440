"""Figures of chapter 3, pitch, voicing, sequences."""

import matplotlib.pyplot as plt
import numpy as np

from sergan.plots import DPI, MARK, OURS, THEIRS, sheet
from sergan.plots.frames import overlay  # noqa: F401  also this chapter's

GREY = "#555555"
MARKERS = "osd^"


def repeats(x, r, rate, period):
    """A frame and its copy `period` samples later on the left, the frame's autocorrelation on the right."""
    fig, (wave, lags) = sheet(6.8, 2.3, 1, 2)
    time_ms = 1000 * np.arange(len(x)) / rate
    wave.plot(time_ms, x, color=OURS, lw=1.2)
    wave.plot(time_ms[period:], x[:-period], color=THEIRS, lw=1.2, ls="--")
    wave.set(xlabel="time in the frame (ms)", ylabel="sample", title="the frame and a copy, one period later")
    lags.plot(r / r[0], color=OURS, lw=1.2)
    lags.axhline(0, color="#bbbbbb", lw=0.8)
    lags.plot(period, r[period] / r[0], "v", color=MARK, ms=8)
    lags.annotate(f"lag {period}", (period, r[period] / r[0]), xytext=(6, 4), textcoords="offset points")
    lags.set(xlabel="lag (samples)", ylabel="autocorrelation / lag 0", title="every lag")
    for ax in (wave, lags):
        ax.title.set(fontsize=10, ha="left", position=(0, 1))
    return fig


def _lags(ax, values, marked, colour, text):
    """A curve over lags with one of them marked, where there is one."""
    ax.plot(values, color=OURS, lw=1, antialiased=False)
    if marked:
        ax.plot(marked, values[marked], "v", color=colour, ms=6, clip_on=False, zorder=3)
        place = (marked + 6, values[marked]) if marked < 190 else (marked - 6, values[marked])
        ax.text(*place, text, color=colour, va="bottom", ha="left" if marked < 190 else "right")
    ax.set(xlabel="lag (samples)", xlim=(0, 256))


def witnesses(x, r, c, rate, *, tallest, peak, threshold, cutoff=0.55, ceiling=None, title=""):
    """A frame, its autocorrelation `r` (1 at lag 0) with its tallest peak, its cepstrum `c` with the chosen one.

    `ceiling`: the window's own autocorrelation, the most that a periodic sound can reach. Small and plain, because
    figures that move hold many of them.
    """
    with plt.rc_context(
        {"font.size": 8.5, "axes.labelsize": 8.5, "xtick.labelsize": 8, "ytick.labelsize": 8}
    ):
        fig = plt.figure(figsize=(5.2, 3.1), dpi=DPI, facecolor="white")
        wave = fig.add_axes((0.09, 0.69, 0.89, 0.24))
        left = fig.add_axes((0.09, 0.13, 0.38, 0.35))
        right = fig.add_axes((0.60, 0.13, 0.38, 0.35))
        wave.plot(1000 * np.arange(len(x)) / rate, x, color=GREY, lw=0.9, antialiased=False)
        wave.set(xlim=(0, 1000 * len(x) / rate), xticks=range(0, 26, 5), yticks=[0])
        wave.set_xlabel("time in the frame (ms)", labelpad=1)
        wave.set_title(title, fontsize=9, loc="left", pad=3)
        _lags(left, np.abs(r), tallest, MARK, f"{rate / tallest:.0f} Hz" if tallest else "")
        left.plot([0, 256], [cutoff] * 2, color="black", ls="--", lw=0.8)
        left.text(255, cutoff + 0.03, "cut-off", ha="right")
        if ceiling is not None:
            left.plot(ceiling, color=THEIRS, lw=2, antialiased=False)
            left.text(36, 0.98, "ceiling", color="#a06000")
        left.set(ylim=(0, 1.1), yticks=[0, 0.5, 1])
        left.set_title("autocorrelation", fontsize=8.5, loc="right", pad=2)
        start = 12  # the first lags of a cepstrum are huge: they are the slope of the spectrum
        shown = np.where(np.arange(len(c)) < start, np.nan, c)
        _lags(right, shown, peak, MARK, f"{rate / peak:.0f} Hz" if peak else "")
        right.plot([0, 256], [threshold] * 2, color="black", ls="--", lw=0.8)
        right.text(255, threshold, "threshold", ha="right", va="bottom")
        top = 1.25 * max(threshold, np.nanmax(shown[31:]))
        right.set(yticks=[0], ylim=(-0.8 * top, top))
        right.set_title("cepstrum", fontsize=8.5, loc="right", pad=2)
        for ax in (wave, left, right):
            ax.spines[["top", "right"]].set_visible(False)
        for ax in (left, right):
            ax.axvspan(0, 31, color="#e6e6e6", zorder=0)
            ax.set_xlabel("lag (samples)", labelpad=1)
            ax.set_xticks([0, 100, 200])
    return fig


def comb(versions, rate):
    """Logarithmic spectra and their transforms, a row each; `versions`: name -> (spectrum, cepstrum, marked lag)."""
    fig, axes = sheet(6.8, 3.5, len(versions), 2, sharex="col")
    for (left, right), (name, (spectrum, c, peak)) in zip(axes, versions.items(), strict=True):
        left.plot(np.linspace(0, rate / 2000, len(spectrum)), spectrum, color=OURS, lw=1)
        left.set_title(name, fontsize=10, loc="left")
        right.plot(c, color=OURS, lw=1)
        right.plot(peak, c[peak], "v", color=MARK, ms=7, clip_on=False, zorder=3)
        note = f"lag {peak}: {rate / peak:.0f} Hz"
        right.annotate(note, (peak, c[peak]), xytext=(7, 4), textcoords="offset points", color=MARK)
        top = 1.4 * c[31:].max()
        right.set(ylim=(-top, top), xlim=(0, 256))
        right.set_title("its transform", fontsize=10, loc="left")
    axes[-1, 0].set_xlabel("frequency (kHz)")
    axes[-1, 1].set_xlabel("lag (samples)")
    return fig


def low_voices(table, ceiling, cutoff=0.55):
    """True against reported F0, and voicing under its ceiling; `table` has `vowel, true, reported, voicing`.

    `ceiling`: the window's own autocorrelation at each true F0 of the first vowel, by true F0.
    """
    fig, (top, bottom) = sheet(6.8, 4.7, 2, sharex=True, height_ratios=[3, 2])
    top.plot([70, 300], [70, 300], color="#bbbbbb", lw=4, zorder=0)
    top.text(228, 246, "right", rotation=27, color=GREY, ha="center")
    colours = OURS, MARK, "#029e73"
    for k, (vowel, rows) in enumerate(table.groupby("vowel", sort=False)):
        style = {"marker": MARKERS[k], "color": colours[k], "ls": "", "ms": 5, "mfc": "none", "label": vowel}
        top.plot(rows["true"], rows["reported"], **style)
        bottom.plot(rows["true"], rows["voicing"], **style)
    top.set(ylabel="F0 that openSMILE reports (Hz)", ylim=(-12, 400))
    top.legend(
        frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 0.98), title="vowel", title_fontsize=9
    )
    bottom.plot(ceiling.index, ceiling, color=THEIRS, lw=3, alpha=0.6, zorder=0)
    bottom.text(262, ceiling.iloc[-1] - 0.015, "ceiling", color="#a06000", va="bottom", ha="center")
    bottom.axhline(cutoff, color=GREY, ls="--", lw=1)
    bottom.text(300, cutoff - 0.02, f"cut-off {cutoff}", ha="right", va="top", color=GREY)
    bottom.set(xlabel="true F0 (Hz)", ylabel="voicing", ylim=(0.2, 1))
    for ax in (top, bottom):
        lost = ceiling.index[ceiling < cutoff].max()
        ax.axvspan(ceiling.index.min(), lost, color="#f3f3f3", zorder=-1)
    return fig


def voiced(table):
    """Share of loud frames with a pitch, one row a corpus, one mark per emotion; columns `corpus, sex, ...`."""
    from sergan.plots import EMOTION_COLOURS

    fig, ax = sheet(7.2, 3.0)
    shapes = dict(zip(EMOTION_COLOURS, "osd^", strict=True))
    for y, (_, row) in enumerate(table[::-1].iterrows()):
        values = row[list(EMOTION_COLOURS)]
        ax.plot([values.min(), values.max()], [y, y], color="#cccccc", lw=2, zorder=0)
        for emotion, colour in EMOTION_COLOURS.items():
            label = emotion if y == 0 else None
            ax.plot(row[emotion], y, shapes[emotion], color=colour, ms=8, mec="white", label=label)
    ax.set_yticks(
        range(len(table)), [f"{c}, {s}" for c, s in zip(table["corpus"], table["sex"], strict=True)][::-1]
    )
    ax.set(xlabel="loud frames in which F0 is not 0 (%)", xlim=(0, 100))
    ax.grid(axis="x", color="#eeeeee")
    ax.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 0.98), handletextpad=0.1)
    return fig


def scaled(columns, versions):
    """Distributions of some scaled columns, a panel per scaling: middle half, 1 to 99 %, and all; padding is 0.

    `versions` maps a scaling's name to `(frames, len(columns))`.
    """
    fig, axes = sheet(7.2, 2.9, 1, len(versions), sharey=True)
    for ax, (name, values) in zip(axes, versions.items(), strict=True):
        for y, column in enumerate(values.T):
            low, p1, q1, median, q3, p99, high = np.quantile(column, [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1])
            ax.plot([low, high], [y, y], ":", color=GREY, lw=1)
            ax.plot([p1, p99], [y, y], color=OURS, lw=1.5)
            ax.plot([q1, q3], [y, y], color=OURS, lw=7, solid_capstyle="butt", alpha=0.6)
            ax.plot(median, y, "|", color="black", ms=12, mew=2)
        ax.axvline(0, color=MARK, ls="--", lw=1.2)
        ax.annotate("padding", (0, len(columns) - 0.5), xytext=(3, 0), textcoords="offset points",
                    color=MARK, fontsize=9, va="center")  # fmt: skip
        ax.set_title(name, fontsize=10, loc="left")
        ax.set(xlabel="scaled value", ylim=(-0.6, len(columns) - 0.2))
    axes[0].set_yticks(range(len(columns)), columns)
    return fig


def lengths(counts, frames, title):
    """Utterances sorted by length in frames, and what a limit of `frames` cuts off and pads."""
    with plt.rc_context(
        {"font.size": 8.5, "axes.labelsize": 8.5, "xtick.labelsize": 8, "ytick.labelsize": 8}
    ):
        fig = plt.figure(figsize=(5.2, 2.3), dpi=DPI, facecolor="white")
        ax = fig.add_axes((0.125, 0.19, 0.855, 0.69))
        ax.spines[["top", "right"]].set_visible(False)
        y = np.sort(np.asarray(counts))
        x = 100 * (np.arange(len(y)) + 0.5) / len(y)
        style = {"lw": 0, "step": "mid", "antialiased": False}
        ax.fill_between(x, 0, np.minimum(y, frames), color="#9fc9e3", **style)
        ax.fill_between(x, np.minimum(y, frames), frames, color="#dddddd", **style)
        ax.fill_between(x, frames, np.maximum(y, frames), color="#e58a4d", **style)
        ax.plot([0, 100], [frames] * 2, color="black", lw=1)
        top = 1.15 * max(frames, np.quantile(y, 0.98))
        ax.set(
            xlabel="utterances, from the shortest to the longest (%)",
            ylabel="rows",
            ylim=(0, top),
            xlim=(0, 100),
        )
        ax.set_title(title, fontsize=9, loc="left", pad=3)
        if y[0] < 0.8 * frames:
            ax.text(3, frames - 0.03 * top, "padding", va="top")
        if np.quantile(y, 0.97) > frames + 0.05 * top:
            ax.text(97, frames + 0.02 * top, "cut off", ha="right", va="bottom")
        ax.text(97, 0.03 * top, "real rows", ha="right", va="bottom")
    return fig


def padded(x, lengths, column, name):
    """One column of padded sequences `(n, time, 32)` as an image, and their lengths."""
    fig, ax = sheet(7.2, 2.8)
    limit = np.abs(x[..., column]).max()
    image = ax.imshow(
        x[..., column], aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest"
    )
    for row, length in enumerate(lengths):
        ax.plot([length - 0.5] * 2, [row - 0.5, row + 0.5], color="black", lw=1.5)
    ax.set(xlabel="time step", ylabel="sequence of the batch", yticks=range(0, len(lengths), 2))
    fig.colorbar(image, ax=ax, pad=0.01, label=name)
    return fig
