"""Figures of chapter 6, generative adversarial networks."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

from sergan.plots import DPI, MARK, OURS, THEIRS, sheet

GREY = "#555555"


def _box(ax, x, y, text, colour, width=2.1, height=1.0):
    shape = FancyBboxPatch(
        (x, y), width, height, boxstyle="round,pad=0.06", facecolor=colour, edgecolor="#333333"
    )
    ax.add_patch(shape)
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=10)


def _arrow(ax, start, end, colour="#333333", style="-", width=1.3, bend=0.0):
    look = {"arrowstyle": "-|>", "color": colour, "lw": width, "ls": style, "mutation_scale": 14}
    ax.annotate("", end, start, arrowprops={**look, "connectionstyle": f"arc3,rad={bend}"})


def _mosaic(width, height, layout, **options):
    """As `sheet`, for axes of unequal size: a figure and its axes by name."""
    fig = plt.figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    axes = fig.subplot_mosaic(layout, **options)
    for ax in axes.values():
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def game():
    """Who gives what to whom in the game: samples forward, the gradient back, and that to the generator only."""
    fig, ax = sheet(7.2, 2.9)
    ax.set(xlim=(0, 12.2), ylim=(-0.3, 4.1))
    ax.axis("off")
    _box(ax, 0.1, 2.8, "recordings", "#ffffff")
    _box(ax, 0.1, 0.5, "tumbling\npeas $z$", "#ffffff", 1.7)
    _box(ax, 2.7, 0.5, "drum $G$", "#f8dfb8", 1.8)
    _box(ax, 6.1, 1.65, "coin", "#ffffff", 1.1)
    _box(ax, 8.1, 1.65, "listener $D$", "#d3ecd9")
    ax.text(11.6, 2.15, "her\nnumber", ha="center", va="center", fontsize=10)
    _arrow(ax, (2.3, 3.2), (6.0, 2.45))
    _arrow(ax, (1.9, 1.0), (2.6, 1.0))
    _arrow(ax, (4.6, 1.15), (6.0, 1.85))
    _arrow(ax, (7.3, 2.15), (8.0, 2.15))
    _arrow(ax, (10.3, 2.15), (11.0, 2.15))
    ax.text(4.3, 3.0, "$x$", fontsize=12)
    ax.text(4.9, 1.75, "$G(z)$", fontsize=12, ha="center")
    _arrow(ax, (9.1, 1.5), (4.6, 0.75), MARK, "--", 1.8, -0.25)
    ax.text(7.6, -0.25, "which change would have raised it?", color=MARK, fontsize=10, ha="center")
    return fig


def best_d(grid, p, q, best, trained, centres, share):
    """Two densities, and below them the best D, a trained one, and the share of real samples in bins."""
    fig, (top, bottom) = sheet(7.2, 4.4, 2, sharex=True)
    top.fill_between(grid, p, color=OURS, alpha=0.25, lw=0)
    top.fill_between(grid, q, color=THEIRS, alpha=0.25, lw=0)
    top.plot(grid, p, color=OURS, lw=1.6)
    top.plot(grid, q, "--", color=THEIRS, lw=1.6)
    at = np.argmax(p), np.argmax(q)
    top.annotate("$p$, real", (grid[at[0]], p[at[0]]), (-62, -4), textcoords="offset points", color=OURS)
    top.annotate(
        "$q$, generated", (grid[at[1]], q[at[1]]), (26, -6), textcoords="offset points", color="#9a5c00"
    )
    top.set(ylabel="density", ylim=(0, None))
    bottom.plot(grid, best, color="#bbbbbb", lw=6, label="$p / (p + q)$")
    bottom.plot(grid, trained, color=MARK, lw=1.6, label="trained $D$")
    bottom.plot(centres, share, "o", color="#333333", ms=4, label="real share of a bin")
    bottom.axhline(0.5, color=GREY, lw=0.8, ls=":")
    bottom.set(xlabel="$x$", ylabel="$D(x)$", ylim=(-0.05, 1.08), xlim=(grid[0], grid[-1]))
    bottom.legend(frameon=False, fontsize=9, loc="lower left")
    return fig


def rival(grid, p, q, means, values, mean):
    """Densities and the best D on the left; on the right the best D's V for each mean, with the present one marked."""
    fig, axes = _mosaic(6.6, 3.2, [["top", "right"], ["bottom", "right"]], width_ratios=(1.2, 1))
    top, bottom, right = axes["top"], axes["bottom"], axes["right"]
    top.plot(grid, p, color=OURS, lw=1.6)
    top.plot(grid, q, "--", color=THEIRS, lw=1.6)
    top.text(7, 0.66, "$p$, real: solid", color=OURS, fontsize=9, ha="right")
    top.text(7, 0.5, "$q$: dashed", color="#9a5c00", fontsize=9, ha="right")
    top.set(ylabel="density", ylim=(0, 0.85), xlim=(-4.5, 7), xticklabels=[])
    bottom.plot(grid, p / (p + q), color=MARK, lw=1.8)
    bottom.axhline(0.5, color=GREY, lw=0.8, ls=":")
    bottom.set(xlabel="$x$", ylabel="best $D(x)$", ylim=(-0.05, 1.05), xlim=(-4.5, 7), yticks=(0, 0.5, 1))
    right.plot(means, values, color=GREY, lw=1.2)
    right.plot(mean, np.interp(mean, means, values), "o", color=MARK, ms=9)
    right.axhline(-np.log(4), color=OURS, lw=1, ls="--")
    right.text(max(means), -np.log(4) - 0.02, r"$-\log 4$", color=OURS, fontsize=9, ha="right", va="top")
    right.axhline(0, color=GREY, lw=0.8, ls=":")
    right.set(xlabel="mean of the generated", ylabel="$V$ of the best $D$", ylim=(-1.55, 0.08))
    return fig


def _ring_axes(ax):
    ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")


def field(grid, answer, real, fake, tails, arrows, step):
    """D's answer as bands of grey, real samples as dots, generated ones as crosses, arrows where G is told to go.

    `grid` (n,) are the coordinates of both axes, `answer` (n, n) is D there; `tails` and `arrows` are (m, 2).
    """
    fig, ax = sheet(5.0, 4.1)
    bands = ax.contourf(
        grid,
        grid,
        answer,
        (0, 0.2, 0.35, 0.45, 0.55, 0.65, 0.8, 1),
        cmap="Greys_r",
        alpha=0.5,
        antialiased=False,
    )
    ax.contour(grid, grid, answer, [0.5], colors="#333333", linewidths=1.2)
    ax.plot(*real.T, ".", color=OURS, ms=4, label="real")
    ax.plot(*fake.T, "x", color=MARK, ms=4, mew=1, label="generated")
    ax.quiver(
        *tails.T, *arrows.T, color="#7a2f00", angles="xy", scale_units="xy", scale=0.6, width=0.006, zorder=4
    )
    _ring_axes(ax)
    bar = fig.colorbar(bands, ax=ax, ticks=(0, 0.5, 1), pad=0.02)
    bar.set_label("$D(x)$: probability of real")
    ax.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1.02, 0.98), ncols=2)
    ax.set_title(f"step {step}", fontsize=10, loc="left")
    return fig


def values(v, window=25):
    """The estimated V per step, smoothed over `window` steps, with the two landmarks -log 4 and 0."""
    fig, ax = sheet(7.2, 2.5)
    smooth = np.convolve(v, np.ones(window) / window, mode="valid")
    ax.plot(v, color=OURS, lw=0.5, alpha=0.35)
    ax.plot(np.arange(len(smooth)) + window // 2, smooth, color=OURS, lw=1.6)
    ax.axhline(-np.log(4), color=MARK, lw=1.2, ls="--")
    ax.text(len(v), -np.log(4) - 0.03, r"$-\log 4$", color=MARK, fontsize=10, ha="right", va="top")
    ax.set(xlabel="step", ylabel="$V$, from a batch", ylim=(-1.75, min(0.0, max(v) + 0.1)), xlim=(0, len(v)))
    return fig


def saturation(logit, losses, slopes):
    """Both losses of the generator over D's logit, and their slopes. `losses` and `slopes` by name."""
    fig, axes = sheet(7.2, 3.1, 1, 2)
    styles = [("-", MARK), ("--", OURS)]
    for ax, curves, label in zip(axes, (losses, slopes), ("loss of G", "slope of the loss"), strict=True):
        for (name, curve), (style, colour) in zip(curves.items(), styles, strict=True):
            ax.plot(logit, curve, style, color=colour, lw=1.8, label=name)
        ax.axvline(0, color=GREY, lw=0.8, ls=":")
        ax.set(xlabel="D's logit of a generated sample", ylabel=label)
    axes[1].axvspan(logit[0], -4, color=THEIRS, alpha=0.18, lw=0)
    axes[1].text(-7.7, -0.5, "D sure:\ngenerated", fontsize=9)
    axes[0].legend(frameon=False, fontsize=9, loc="upper right")
    return fig


def flow(frozen, cut, gradient_g, gradient_d):
    """One backward pass through z -> G -> D -> loss: where it flows, where it is cut, and what each .grad holds."""
    fig, ax = sheet(7.2, 2.7)
    ax.set(xlim=(0, 11.2), ylim=(-0.2, 3.8))
    ax.axis("off")
    _box(ax, 0.2, 1.9, "$z$", "#ffffff", 0.8)
    _box(ax, 2.1, 1.9, "$G$", "#f8dfb8", 1.9)
    _box(ax, 6.0, 1.9, "$D$, frozen" if frozen else "$D$", "#dddddd" if frozen else "#d3ecd9", 1.9)
    _box(ax, 9.7, 1.9, "loss", "#ffffff", 1.2)
    for start, end in ((1.1, 2.0), (4.1, 5.9), (8.0, 9.6)):
        _arrow(ax, (start, 2.65), (end, 2.65))
    ax.text(5.0, 3.35, "G(z)" + (".detach()" if cut else ""), fontsize=10, ha="center")
    back = not (frozen and cut)
    if back:
        _arrow(ax, (9.6, 2.15), (8.0, 2.15), MARK, "--", 2)
    if cut:
        ax.plot([5.0, 5.0], [1.75, 3.1], color="#333333", lw=3)
    elif back:
        _arrow(ax, (5.9, 2.15), (4.1, 2.15), MARK, "--", 2)
    for x, value in ((3.05, gradient_g), (6.95, gradient_d)):
        if value is not None:
            _arrow(ax, (x, 1.8), (x, 1.0), MARK, "--", 2)
        text = "weights' .grad:\n" + ("None" if value is None else f"size {value:.2f}")
        ax.text(x, 0.85, text, ha="center", va="top", fontsize=10, color="#333333" if value is None else MARK)
    return fig


def orbit(path, title, limit=3.0):
    """The way (x, y) of two players around the middle, from a circle to the last point that is in the picture."""
    fig, ax = sheet(4.4, 4.0)
    inside = np.abs(path).max(axis=1) <= 3 * limit
    end = len(path) if inside.all() else int(np.argmin(inside)) + 1
    ax.plot(*path[:end].T, "-", color=OURS, lw=0.9)
    ax.scatter(*path[:end].T, c=np.linspace(0.2, 0.9, end), cmap="Blues", vmin=0, vmax=1, s=14, zorder=3)
    ax.plot(*path[0], "s", color=MARK, ms=8, zorder=4)
    ax.annotate("start", path[0], (8, 6), textcoords="offset points", color=MARK)
    ax.plot(0, 0, "+", color="#333333", ms=14, mew=2)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    ax.set(xlabel="$x$, wants $xy$ small", ylabel="$y$, wants $xy$ large")
    ax.set_title(title, fontsize=10, loc="left")
    return fig


def collapse(real, runs, every):
    """Above, real and generated samples of each run at its end; below, the spread of each run over its rounds.

    `runs` maps a name to (samples, spreads), one spread every `every` rounds.
    """
    fig, axes = _mosaic(7.2, 4.9, [list(runs), ["below"] * len(runs)], height_ratios=(1.25, 1))
    below = axes["below"]
    looks = [("-", OURS), ("--", MARK), (":", "#333333")]
    for number, (name, (fake, spreads)) in enumerate(runs.items()):
        ax, (style, colour) = axes[name], looks[number]
        ax.plot(*real.T, ".", color="#aaaaaa", ms=3)
        ax.plot(*fake.T, "x", color=colour, ms=4, mew=1)
        _ring_axes(ax)
        ax.set_title(name, fontsize=10)
        ax.set(ylabel="" if number else "$x_2$", xticks=(-2, 0, 2), yticks=(-2, 0, 2))
        below.plot(every * np.arange(len(spreads)), spreads, style, color=colour, lw=1.6, label=name)
    spread = np.linalg.norm(real[:, None] - real[None], axis=2).mean()
    below.axhline(spread, color="#aaaaaa", lw=4, zorder=0)
    below.text(2, spread + 0.15, "real", color="#666666", fontsize=9, va="bottom")
    below.set(xlabel="round", ylabel="spread", ylim=(0, 1.6 * spread), xlim=(0, None))
    below.legend(frameon=False, fontsize=9, ncols=len(runs), loc="upper right")
    return fig


def layers(counts):
    """Learned numbers of each layer as bars, labelled; `counts` maps a layer's name to its number."""
    fig, ax = sheet(7.2, 2.3)
    names, numbers = list(counts), list(counts.values())
    ax.barh(names, np.array(numbers) / 1e6, color=OURS, height=0.6)
    for row, number in enumerate(numbers):
        ax.text(number / 1e6 + 0.15, row, f"{number:,}", va="center", fontsize=9)
    ax.invert_yaxis()
    ax.set(xlabel="learned numbers (millions)", xlim=(0, 1.2 * max(numbers) / 1e6))
    return fig


def contours(rows, columns, hop_s):
    """Sequences as curves: one row of panels for each name in `rows`, one column for each feature.

    `rows` maps a name to a list of `(frames, 32)` arrays, `columns` maps a label to the feature's number.
    """
    fig, axes = sheet(7.2, 1.5 * len(rows) + 0.5, len(rows), len(columns), sharex=True, sharey=True)
    styles = [("-", OURS), ("--", MARK), (":", "#333333")]
    for number, (line, (name, sequences)) in enumerate(zip(axes, rows.items(), strict=True)):
        for ax, (label, column) in zip(line, columns.items(), strict=True):
            for sequence, (style, colour) in zip(sequences, styles, strict=False):
                ax.plot(hop_s * np.arange(len(sequence)), sequence[:, column], style, color=colour, lw=1.0)
            ax.set(ylim=(-1.08, 1.08), yticks=(-1, 0, 1))
            if number == 0:
                ax.set_title(label, fontsize=10, loc="left")
            if number == len(rows) - 1:
                ax.set_xlabel("time (s)")
        line[0].set_ylabel(f"{name}\n(scaled)", fontsize=9)
    return fig
