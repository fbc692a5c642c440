"""The chapters' figures. Every function draws one figure and returns it; a chapter shows it with `plt.show()`.

Figures keep a white ground, so that they stay readable on dark pages, and no meaning hangs on colour alone.
"""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.patches import FancyBboxPatch

from sergan.files import replacing

DPI = 110

#: One colour per emotion in every figure of the book (colour-blind safe).
EMOTION_COLOURS = {"angry": "#d55e00", "neutral": "#808080", "happy": "#029e73", "sad": "#0173b2"}

OURS, THEIRS, MARK = "#0173b2", "#de8f05", "#d55e00"


def _axes(width, height, rows=1, columns=1, **options):
    """A white figure of `width` by `height` inches and its axes."""
    fig, axes = plt.subplots(
        rows, columns, figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white", **options
    )
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


# --- chapter 0: a claim --------------------------------------------------------------------------------


def parts():
    """The paper's three parts (its Fig. 1): what flows from where to where."""
    fig, ax = _axes(7.6, 2.8)
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
    fig, axes = _axes(7.2, 2.8, 1, 2, sharey=True)
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
    return fig


def confusion(counts):
    """Confusion matrix as a heat map: rows true, columns answered; cells show counts, colours the share of the row."""
    share = counts.div(counts.sum(axis=1), axis=0)
    labels = counts.astype(str) + "\n" + (100 * share).round(0).astype(int).astype(str) + " %"
    fig, ax = _axes(4.9, 3.9)
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
    fig, ax = _axes(6.6, 2.6)
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
    return fig


def chance(differences, claim, width):
    """Histograms of differences by name, bars of `width`, with dashed lines at plus and minus `claim`."""
    fig, axes = _axes(6.6, 1.2 * len(differences) + 0.8, len(differences), 1, sharex=True)
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


def whole_counts(reported, n, runs=5, around=3):
    """Where whole counts over `n` and means of `runs` of them can lie, beside each reported percentage."""
    fig, axes = _axes(7.2, 0.85 * len(reported) + 0.7, len(reported), 1)
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


# --- chapter 2: frames, energy, spectrum ---------------------------------------------------------------


def frames(signal, rate, window, hop, start, count=4):
    """A signal, and below it a closer look from sample `start` on with the first `count` frames as brackets."""
    fig, (top, bottom) = _axes(7.2, 4.0, 2, 1)
    time_s = np.arange(len(signal)) / rate
    top.plot(time_s, signal, color=OURS, lw=0.5)
    stop = start + window + count * hop
    top.axvspan(start / rate, stop / rate, color=THEIRS, alpha=0.5)
    top.set(xlabel="time (s)", ylabel="sample", xlim=(0, time_s[-1]))
    part = signal[start:stop]
    bottom.plot(1000 * time_s[start:stop], part, color=OURS, lw=0.9)
    low, step = part.min(), 0.14 * np.ptp(part)
    for k in range(count):
        left, right = (1000 * (start + k * hop + end) / rate for end in (0, window))
        y = low - (k + 1) * step
        bottom.plot([left, left, right, right], [y + 0.3 * step, y, y, y + 0.3 * step], color=MARK, lw=1.4)
        bottom.annotate(
            f"frame {start // hop + k}", (right, y), xytext=(4, 0), textcoords="offset points", va="center"
        )
    bottom.set(xlabel="time (ms)", ylabel="sample", xlim=(1000 * start / rate, 1000 * stop / rate))
    return fig


def overlay(pairs, hop_s, ylabels):
    """Pairs (ours, openSMILE's) over time, one row each: openSMILE's wide and light, ours thin on top."""
    fig, axes = _axes(7.2, 1.5 * len(pairs) + 0.7, len(pairs), 1, sharex=True)
    for ax, (ours, theirs), ylabel in zip(np.ravel(axes), pairs, ylabels, strict=True):
        ax.plot(hop_s * np.arange(len(theirs)), theirs, color=THEIRS, lw=4, alpha=0.6, label="openSMILE")
        ax.plot(hop_s * np.arange(len(ours)), ours, color=OURS, lw=1.2, label="ours")
        ax.set_ylabel(ylabel)
    np.ravel(axes)[0].legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    np.ravel(axes)[-1].set_xlabel("start of the frame (s)")
    return fig


def decibels(amplitude, floor=-80):
    """Amplitudes in decibels below their largest, not below `floor`.

    >>> decibels(np.array([1.0, 0.1, 0.0])).tolist()
    [0.0, -20.0, -80.0]
    """
    amplitude = np.asarray(amplitude, dtype=float)
    return 20 * np.log10(np.maximum(amplitude / amplitude.max(), 10 ** (floor / 20)))


def spectra(versions, rate, size=512):
    """Signals by name, each over its samples on the left and its magnitude spectrum in decibels on the right."""
    fig, axes = _axes(7.2, 1.7 * len(versions) + 0.3, len(versions), 2, sharex="col")
    for row, (name, signal) in zip(axes, versions.items(), strict=True):
        row[0].plot(1000 * np.arange(len(signal)) / rate, signal, color=OURS, lw=0.9)
        row[0].set_title(name, fontsize=10, loc="left")
        magnitude = np.abs(np.fft.rfft(signal, size))
        row[1].plot(np.fft.rfftfreq(size, 1 / rate) / 1000, decibels(magnitude), color=OURS, lw=0.9)
        row[1].set(ylabel="dB", ylim=(-82, 4))
        row[1].grid(color="#dddddd")
    axes[-1, 0].set_xlabel("time in the frame (ms)")
    axes[-1, 1].set_xlabel("frequency (kHz)")
    return fig


def filterbank(filters, rate):
    """Triangular filters `(bands, bins)` over frequency, every second one dashed."""
    fig, ax = _axes(7.2, 2.3)
    frequency = np.linspace(0, rate / 2, filters.shape[1]) / 1000
    for number, weights in enumerate(filters):
        ax.plot(frequency, weights, color=MARK if number % 2 else OURS, ls="--" if number % 2 else "-", lw=1)
    ax.set(xlabel="frequency (kHz)", ylabel="weight", xlim=(0, rate / 2000), ylim=(0, 1.05))
    return fig


def envelope(log_bands, smooth):
    """The logarithms of one frame's bands, and what is left of them in a few coefficients."""
    fig, ax = _axes(7.2, 2.5)
    number = np.arange(1, len(log_bands) + 1)
    ax.plot(number, log_bands, "o-", color=THEIRS, lw=1, ms=4, label="26 bands")
    ax.plot(number, smooth, color=OURS, lw=2, label="rebuilt from the mean and 12 coefficients")
    ax.set(xlabel="band", ylabel="log of the band")
    ax.legend(frameon=False)
    return fig


def heatmaps(ours, theirs, names, hop_s):
    """Two matrices `(frames, columns)` and their difference as images over time, each with its own scale."""
    fig, axes = _axes(7.2, 6.0, 3, 1, sharex=True)
    both = max(np.abs(ours).max(), np.abs(theirs).max())
    gap = ours - theirs
    for ax, title, values, limit in zip(
        axes,
        ("ours", "openSMILE", "difference"),
        (ours, theirs, gap),
        (both, both, np.abs(gap).max()),
        strict=True,
    ):
        edges = hop_s * np.arange(len(values) + 1)
        image = ax.pcolormesh(
            edges,
            np.arange(len(names) + 1),
            values.T,
            cmap="RdBu_r",
            vmin=-limit,
            vmax=limit,
            rasterized=True,
        )
        bar = fig.colorbar(image, ax=ax, pad=0.01)
        bar.formatter.set_powerlimits((-3, 3))
        ax.set_title(title, fontsize=10, loc="left")
        ax.set(yticks=np.arange(len(names)) + 0.5, yticklabels=names)
        ax.tick_params(axis="y", labelsize=7, length=0)
    axes[-1].set_xlabel("start of the frame (s)")
    return fig


# --- chapter 8 and `sergan report`: learning curves; `sergan predict`: attention ------------------------


def curves(wa: dict[str, list[list[float]]], title: str):
    """The paper's Fig. 3: WA in percent per epoch. One line a row, the mean of its runs, and their range.

    `wa` maps a row's name to a list of curves, one a run, each a list of one value an epoch.
    """
    fig, ax = _axes(8.6, 4.2)
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
    fig, (wave, weight) = _axes(7.6, 3.6, 2, sharex=True)
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


def cover(signal, mfcc, rate, hop_s):
    """A waveform above its MFCC, without axes: the picture of the landing page, `book/_static/cover.png`."""
    fig, (top, bottom) = _axes(7.2, 2.6, 2, 1)
    length_s = len(signal) / rate
    top.plot(np.arange(len(signal)) / rate, signal, color=OURS, lw=0.5)
    limit = np.abs(mfcc).max()
    edges = hop_s * np.arange(len(mfcc) + 1), np.arange(mfcc.shape[1] + 1)
    bottom.pcolormesh(*edges, mfcc.T, cmap="RdBu_r", vmin=-limit, vmax=limit, rasterized=True)
    for ax in (top, bottom):
        ax.axis("off")
        ax.set_xlim(0, length_s)
    return fig
