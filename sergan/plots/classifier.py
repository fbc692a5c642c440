"""Figures of chapter 4, a classifier, its loss, its doubt."""

import numpy as np

from sergan.plots import EMOTION_COLOURS, MARK, OURS, THEIRS, sheet
from sergan.plots.claim import confusion  # noqa: F401  also this chapter's


def bars(ax, values, names, form="{:.2f}"):
    """A bar a class in its colour, with its value on top and its name below."""
    colours = [EMOTION_COLOURS[name] for name in names]
    ax.bar(names, values, color=colours, width=0.7)
    span = np.subtract(*ax.get_ylim()[::-1])
    for x, value in enumerate(values):
        below = value < 0
        ax.text(
            x,
            value + (-0.02 if below else 0.02) * span,
            form.format(value),
            ha="center",
            va="top" if below else "bottom",
            fontsize=10,
        )


def logits_to_probabilities(logits, probabilities, names):
    """Logits on the left, what softmax makes of them on the right."""
    fig, (left, right) = sheet(5.6, 2.4, 1, 2)
    left.set_ylim(-2.5, 9.5)
    bars(left, logits, names, "{:g}")
    left.axhline(0, color="#333333", lw=0.8)
    left.set(ylabel="logit (no unit)")
    right.set_ylim(0, 1.1)
    bars(right, probabilities, names)
    right.set(ylabel="probability", yticks=[0, 0.25, 0.5, 0.75, 1])
    return fig


def price(marks):
    """Minus the logarithm of the probability of the true class; `marks` maps a probability to words."""
    fig, ax = sheet(5.8, 2.9)
    p = np.linspace(0.004, 1, 500)
    ax.plot(p, -np.log(p), color=OURS, lw=2)
    for value, words in marks.items():
        ax.plot(value, -np.log(value), "o", color=MARK, ms=7, clip_on=False, zorder=3)
        at = (-6, 9) if value == 1 else (10, 4)
        ax.annotate(
            f"{words}: {abs(np.log(value)):.2f}",
            (value, -np.log(value)),
            xytext=at,
            textcoords="offset points",
            ha="right" if value == 1 else "left",
            fontsize=10,
        )
    ax.set(
        xlabel="probability that the program gave to the true class",
        ylabel="loss (nats)",
        xlim=(0, 1.01),
        ylim=(0, 5.5),
    )
    return fig


def gradient(p, y, names):
    """Probabilities, label, and their difference, which is the gradient."""
    fig, axes = sheet(6.2, 2.6, 1, 3, sharey=True)
    for ax, values, title in zip(axes, (p, y, p - y), ("p", "y", "p - y"), strict=True):
        ax.set_ylim(-1.2, 1.4)
        bars(ax, values, names)
        ax.axhline(0, color="#333333", lw=0.8)
        ax.set_title(title, fontsize=11)
        ax.tick_params(axis="x", labelsize=9, rotation=40)
        ax.set_yticks([-1, 0, 1])
    axes[0].set_ylabel("probability, label,\nloss per logit")
    return fig


def surface(loss, paths, lowest):
    """Contours of a loss of two weights, with the path of each method, a panel each.

    `loss` maps arrays of both weights to losses; `paths` maps a name to `(steps + 1, 2)`; `lowest` is the minimum.
    """
    fig, axes = sheet(5.8, 3.0, 1, 2, sharey=True)
    x, y = np.linspace(-2.4, 3.2, 80), np.linspace(-3.6, 7.2, 80)
    grid = loss(*np.meshgrid(x, y))
    levels = grid.min() + 0.01 * 3.0 ** np.arange(6)
    for ax, (name, path) in zip(axes, paths.items(), strict=True):
        ax.contour(x, y, grid, levels=levels, colors="#bbbbbb", linewidths=1, antialiased=False)
        ax.plot(*path.T, "-", color=OURS, lw=1)
        ax.plot(*path[1:].T, "o", color=OURS, ms=2.5)
        ax.plot(*path[0], "o", color="black", ms=7)
        ax.plot(*lowest, "+", color=MARK, ms=14, mew=2.5)
        ax.annotate("start", path[0], xytext=(-12, 9), textcoords="offset points", fontsize=10)
        ax.annotate("lowest", lowest, xytext=(9, 6), textcoords="offset points", fontsize=10, color=MARK)
        ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="weight 1")
        last = float(loss(*path[-1]))
        ax.set_title(f"{name}: loss {last:.3f}", fontsize=10, loc="left")
    axes[0].set_ylabel("weight 2")
    return fig


def memory(adam, plain):
    """Sizes of the steps after one gradient and then zeros, in learning rates."""
    fig, (top, bottom) = sheet(5.8, 3.5, 2, 1, sharex=True)
    for ax, values, name in ((top, plain, "gradient descent"), (bottom, adam, "Adam")):
        ax.bar(np.arange(1, len(values) + 1), values, color=OURS, width=0.7)
        ax.set(ylim=(0, 1.15), ylabel="step\n(learning rates)", yticks=[0, 0.5, 1])
        ax.set_title(name, fontsize=10, loc="right", y=0.75)
        ax.axvspan(1.5, len(values) + 0.6, color="#f0f0f0", zorder=0)
    top.text(len(plain) / 2 + 1, 0.45, "the gradient is zero from here on", fontsize=10, ha="center")
    bottom.set(xlabel="step number", xlim=(0.4, len(adam) + 0.6))
    return fig


def speakers(table, score):
    """A row a speaker, two points: `table` has the columns `unseen` and `random`, both in percent."""
    table = table.sort_values("unseen")
    fig, ax = sheet(5.8, 0.32 * len(table) + 1.2)
    rows = np.arange(len(table))
    ax.hlines(rows, table["unseen"], table["random"], color="#bbbbbb", lw=2, zorder=1)
    ax.scatter(table["unseen"], rows, s=60, marker="o", color=OURS, zorder=2)
    ax.scatter(table["random"], rows, s=60, marker="D", color=THEIRS, zorder=2)
    top = table.iloc[-1]
    for x, words, colour, side, shift in (
        (top["unseen"], "never heard in training", OURS, "right", 15),
        (top["random"], "also in training", "#8a5600", "center", 0),
    ):
        ax.annotate(words, (x, rows[-1]), xytext=(shift, 10), textcoords="offset points", ha=side,
                    color=colour, fontsize=10)  # fmt: skip
    ax.axvline(25, color="#333333", ls=":", lw=1)
    ax.text(25.6, -0.25, "guessing", fontsize=9)
    ax.set(yticks=rows, yticklabels=table.index, xlabel=f"{score} (%)", xlim=(20, 100))
    ax.set_ylim(-0.6, len(table) - 0.1)
    ax.grid(axis="x", color="#e5e5e5")
    ax.set_axisbelow(True)
    return fig


def leaks(table, floor=25):
    """A row a mistake: what it reports and what is true; `table` has the columns `honest` and `leaky`, in percent."""
    fig, ax = sheet(6.0, 0.6 * len(table) + 1.2)
    rows = np.arange(len(table))[::-1]
    for y, (honest, leaky) in zip(rows, table[["honest", "leaky"]].to_numpy(), strict=True):
        if abs(leaky - honest) > 1:  # else the head of the arrow would stand out on the wrong side
            ax.annotate(
                "", (leaky, y), (honest, y), arrowprops={"arrowstyle": "-|>", "color": "#888888", "lw": 1.5}
            )
        ax.plot(honest, y, "o", color=OURS, ms=8)
        ax.plot(leaky, y, "D", color=MARK, ms=7)
        ax.annotate(f"{leaky - honest:+.1f}", (max(leaky, honest), y), xytext=(9, -4),
                    textcoords="offset points", fontsize=10)  # fmt: skip
    ax.axvline(floor, color="#333333", ls=":", lw=1)
    ax.text(floor + 0.5, rows[0] + 0.42, "guessing", fontsize=9)
    ax.plot([], [], "o", color=OURS, ms=8, label="honest")
    ax.plot([], [], "D", color=MARK, ms=7, label="with the leak")
    fig.legend(frameon=False, fontsize=10, loc="outside upper right", ncols=2)
    ax.set(yticks=rows, yticklabels=table.index, xlabel="UA (%)", xlim=(20, 85), ylim=(-0.7, rows[0] + 0.8))
    ax.grid(axis="x", color="#e5e5e5")
    ax.set_axisbelow(True)
    return fig


def coverage(low, high, truth):
    """Many intervals side by side; those that miss `truth` are dark, thick and marked with a cross below."""
    fig, ax = sheet(5.8, 2.8)
    missed = (low > truth) | (high < truth)
    x = np.arange(1, len(low) + 1)
    ax.vlines(x[~missed], low[~missed], high[~missed], color="#9cc3e0", lw=2)
    ax.vlines(x[missed], low[missed], high[missed], color=MARK, lw=3)
    ax.axhline(truth, color="black", lw=1.2)
    bottom, top = truth - 32, truth + 32
    ax.plot(x[missed], np.full(missed.sum(), bottom + 2), "x", color=MARK, ms=6, clip_on=False)
    ax.set(xlabel="repetition of the experiment", ylabel="UA (%)", ylim=(bottom, top), xlim=(0, len(low) + 1))
    ax.text(len(low) + 2, truth, "truth", fontsize=10, va="center")
    return fig


def verdicts(estimates, bound):
    """A row an experiment: mean, 95 % interval (thin) and 90 % interval (thick), with the bounds of "no difference"."""
    fig, ax = sheet(6.0, 0.5 * len(estimates) + 1.2)
    rows = np.arange(len(estimates))[::-1]
    ax.axvspan(-bound, bound, color="#eeeeee", zorder=0)
    ax.axvline(0, color="#333333", lw=1)
    for y, (mean, ninety, ninety_five) in zip(rows, estimates.values(), strict=True):
        ax.plot(ninety_five, [y, y], color=OURS, lw=1.5)
        ax.plot(ninety, [y, y], color=OURS, lw=5, solid_capstyle="butt")
        ax.plot(mean, y, "o", color="white", mec=OURS, mew=2, ms=8)
    ax.text(0, rows[0] + 0.6, f"within {bound:g} points", ha="center", fontsize=9,
            bbox={"facecolor": "#eeeeee", "edgecolor": "none", "pad": 2})  # fmt: skip
    ax.set(yticks=rows, yticklabels=estimates, xlabel="difference (points)", ylim=(-0.6, rows[0] + 0.95))
    return fig


def reliability(curves):
    """Share of right answers against confidence, a line each: `curves` maps words to (confidence, share right)."""
    fig, ax = sheet(5.2, 3.9)
    ax.plot([25, 100], [25, 100], color="#999999", ls="--", lw=1)
    ax.text(40, 44, "as sure as right", rotation=40, fontsize=9, color="#555555", ha="center")
    styles = ((OURS, "o-"), (THEIRS, "D--"))
    for (words, (sure, right)), (colour, style) in zip(curves.items(), styles, strict=True):
        ax.plot(sure, right, style, color=colour, ms=6)
        above = right[-3] > sure[-3]  # each word on its curve's own side of the diagonal
        ax.annotate(words, (sure[-3], right[-3]), xytext=(-6, 6) if above else (8, -12),
                    textcoords="offset points", ha="right" if above else "left",
                    color="#8a5600" if colour == THEIRS else colour, fontsize=10)  # fmt: skip
    ax.set(xlabel="confidence (%)", ylabel="right answers (%)", xlim=(25, 101), ylim=(0, 101))
    ax.grid(color="#e5e5e5")
    ax.set_axisbelow(True)
    return fig
