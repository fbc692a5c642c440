"""Figures of chapter 10, what negatives are good for."""

import numpy as np

from sergan.evaluation import calibration_error, negative_log_likelihood
from sergan.plots import EMOTION_COLOURS, MARK, OURS, THEIRS, sheet

KNOWN, BETWEEN, BEYOND = "#029e73", "#de8f05", "#cc78bc"
"""Points of a class that was learnt; unseen ones between the classes; unseen ones far outside."""


def reliability(chances, labels, *, title="", bins=10):
    """Share of right answers in each bin of confidence, and above it how many answers the bin has."""
    chances, labels = np.asarray(chances, float), np.asarray(labels)
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    number = np.clip(np.ceil(sure * bins).astype(int), 1, bins) - 1
    count = np.bincount(number, minlength=bins)
    share = np.bincount(number, right, minlength=bins) / np.maximum(count, 1)
    mean = np.bincount(number, sure, minlength=bins) / np.maximum(count, 1)
    fig, (top, ax) = sheet(5.4, 4.9, 2, 1, sharex=True, height_ratios=[1, 3])
    middle, width = (np.arange(bins) + 0.5) / bins, 0.9 / bins
    top.bar(middle, count, width, color="#bbbbbb")
    for x, n in zip(middle[count > 0], count[count > 0], strict=True):
        top.annotate(str(n), (x, n), xytext=(0, 1), textcoords="offset points", ha="center", fontsize=9)
    top.set(ylabel="answers", ylim=(0, 1.25 * count.max()), yticks=[])
    ax.plot([0, 1], [0, 1], "--", color="#333333", lw=1)
    ax.text(0.09, 0.13, "as sure as it is right", rotation=38, rotation_mode="anchor", fontsize=9)
    ax.bar(middle, share, width, color=OURS)
    there = count > 0
    ax.vlines(middle[there], share[there], mean[there], color=MARK, lw=2.5)
    ax.plot(middle[there], mean[there], "D", color=MARK, ms=5)
    ax.set(
        xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence: largest probability", ylabel="share of right answers"
    )
    ece, nll = calibration_error(chances, labels, bins), negative_log_likelihood(chances, labels)
    top.set_title(
        f"{title + ': ' if title else ''}calibration error {ece:.1f} points, -log p {nll:.2f} nats",
        fontsize=10,
        loc="left",
    )
    return fig


def differences(table):
    """Mean and interval of a difference, a row an arm; `table` has columns `mean`, `low`, `high`, in nats."""
    fig, ax = sheet(7.0, 0.36 * len(table) + 1.0)
    rows = np.arange(len(table))[::-1]
    ax.axvline(0, color="#333333", lw=1)
    ax.hlines(rows, table["low"], table["high"], color=OURS, lw=2)
    ax.plot(table["mean"], rows, "o", color=OURS)
    ax.set_xscale("symlog", linthresh=0.1)
    ticks = [t for t in (-10, -1, -0.1, 0, 0.1, 1, 10) if t == 0 or _inside(t, table)]
    ax.set_xticks(ticks, [f"{t:+g}" if t else "0" for t in ticks])
    ax.minorticks_off()
    ax.set(
        yticks=rows,
        yticklabels=table.index,
        xlabel="-log p of the truth, minus that of BAM (nats; right: worse)",
    )
    ax.grid(axis="x", color="#dddddd")
    return fig


def _inside(value, table):
    return min(table["low"].min(), 0) - 0.2 <= value <= max(table["high"].max(), 0) + 1


def risk_coverage(curves):
    """Percent wrong among the answers that are kept; `curves` maps a name to a `RiskCoverage`."""
    fig, ax = sheet(6.4, 3.4)
    for (name, curve), style in zip(curves.items(), ("-", "--", ":"), strict=False):
        colour = OURS if style == "-" else THEIRS
        ax.plot(curve.coverage, curve.risk, style, color=colour, lw=1.8)
        at = int(len(curve.coverage) * (0.62 if style == "-" else 0.45))
        ax.annotate(
            name,
            (curve.coverage[at], curve.risk[at]),
            xytext=(30, -42) if style == "-" else (-70, 28),
            textcoords="offset points",
            fontsize=10,
            color="#333333",
            arrowprops={"arrowstyle": "-", "color": "#888888"},
        )
    ax.set(
        xlim=(0, 101),
        ylim=(0, None),
        xlabel="coverage: answers kept (%)",
        ylabel="risk: wrong among them (%)",
    )
    ax.grid(color="#dddddd")
    return fig


def _points(ax, groups, size=7):
    """Clouds of points, each with a marker of its own and its name beside it."""
    looks = {"known": (KNOWN, "o"), "between": (BETWEEN, "^"), "beyond": (BEYOND, "s")}
    for name, points in groups.items():
        colour, marker = looks[name]
        ax.scatter(
            *np.asarray(points).T, s=size, marker=marker, color=colour, edgecolor="white", linewidth=0.3
        )


def _square(ax, half=6.5):
    ax.set(xlim=(-half, half), ylim=(-half, half), xticks=[-5, 0, 5], yticks=[-5, 0, 5], aspect="equal")


def clouds(groups):
    """The toy: four classes that are learnt, two clouds that are not."""
    fig, ax = sheet(4.4, 4.2)
    _points(ax, groups, 10)
    for text, (x, y) in {
        "class 0": (2, 3.9), "class 1": (-2, 3.9), "class 2": (-2, -4.3), "class 3": (2, -4.3),
        "unseen, beyond": (4.4, 6.05),
    }.items():  # fmt: skip
        ax.text(x, y, text, ha="center", va="center", fontsize=9)
    ax.annotate("unseen,\nbetween", (-0.9, 0), xytext=(-5.6, -0.4), fontsize=9,
                arrowprops={"arrowstyle": "-", "color": "#888888"})  # fmt: skip
    _square(ax, 6.9)
    ax.set(xlabel="first feature", ylabel="second feature")
    return fig


def surfaces(answers, grid, negatives):
    """How sure each network is over the plane; `answers` maps a name to confidences `(n, n)` from 0.25 to 1.

    `negatives` maps a name to the points that this network was shown as negatives, or None.
    """
    fig, axes = sheet(7.6, 3.1, 1, len(answers), sharey=True)
    for ax, (name, sure) in zip(np.ravel(axes), answers.items(), strict=True):
        filled = ax.contourf(
            grid, grid, sure, levels=np.linspace(0.25, 1, 7), cmap="Greys", vmin=0.1, vmax=1.1
        )
        ax.contour(grid, grid, sure, levels=[0.7], colors=MARK, linewidths=1.2)
        if negatives.get(name) is not None:
            ax.scatter(*np.asarray(negatives[name]).T, s=6, color=THEIRS, marker="x", linewidth=0.8)
        ax.set_title(name, fontsize=10)
        _square(ax, 6)
        ax.set_xlabel("first feature")
    np.ravel(axes)[0].set_ylabel("second feature")
    fig.colorbar(filled, ax=axes, label="largest probability", ticks=[0.25, 0.5, 0.75, 1.0], shrink=0.85)
    return fig


def threshold(scores, sure, grid, groups, at):
    """What a threshold keeps. Left: the plane, kept part tinted; right: confidences of the three clouds."""
    fig, (plane, ax) = sheet(7.2, 3.2, 1, 2, width_ratios=[1, 1.35])
    plane.contourf(grid, grid, np.asarray(sure) >= at, levels=[0.5, 1.5], colors=["#cfe3f2"])
    _points(plane, {name: points[::4] for name, points in groups.items()}, 9)
    _square(plane, 6)
    plane.set(xlabel="first feature", ylabel="second feature")
    plane.set_title("tinted: answered", fontsize=10)
    edges = np.linspace(0.25, 1, 26)
    colours = {"known": KNOWN, "between": BETWEEN, "beyond": BEYOND}
    for row, (name, values) in enumerate(scores.items()):
        height = np.histogram(values, edges)[0] / len(values)
        base = len(scores) - 1 - row
        ax.bar(edges[:-1], 0.8 * height / max(height.max(), 0.3), np.diff(edges), base, align="edge",
               color=colours[name])  # fmt: skip
        kept = 100 * np.mean(np.asarray(values) >= at)
        ax.text(0.255, base + 0.62, f"{name}: {kept:.0f} % answered", fontsize=9)
    ax.axvline(at, color=MARK, lw=1.5)
    ax.set(xlim=(0.25, 1.005), ylim=(0, len(scores)), yticks=[], xlabel="largest probability")
    ax.spines["left"].set_visible(False)
    return fig


def focal(gamma):
    """Left: loss of the true class's probability; right: how hard it pulls, both beside cross-entropy."""
    p = np.linspace(0.005, 1, 400)
    fig, axes = sheet(7.2, 3.0, 1, 2)
    for ax, draw in zip(axes, (focal_loss, focal_pull), strict=True):
        ax.plot(p, draw(p, 0.0), "--", color="#555555", lw=1.4)
        ax.plot(p, draw(p, gamma), color=EMOTION_COLOURS["happy"], lw=2.2)
        ax.axvspan(0.8, 1, color="#eeeeee", zorder=0)
        ax.set(xlim=(0, 1), xlabel="probability of the true class")
        ax.grid(color="#e6e6e6")
    axes[0].set(ylim=(0, 4), ylabel="loss (nats)")
    axes[1].set(ylim=(0, 1.55), ylabel="size of the gradient by its logit")
    axes[0].text(0.9, 3.7, "easy", ha="center", fontsize=9)
    axes[0].text(0.3, 2.6, f"solid: focal, gamma {gamma:g}\ndashed: cross-entropy", fontsize=9)
    return fig


def focal_loss(p, gamma):
    return -((1 - p) ** gamma) * np.log(p)


def focal_pull(p, gamma):
    """|dL / dz_y|, the gradient by the true class's logit: dL/dp times p (1 - p)."""
    return (1 - p) ** gamma * (1 - p - gamma * p * np.log(p))


def trade(curve, points):
    """Recall of happy against the mean recall of the others.

    `curve`: `(n, 2)`, what adding a number to happy's logit gives; `points` maps a method's name to a pair.
    """
    fig, ax = sheet(6.6, 4.0)
    ax.plot(*np.asarray(curve).T, color="#555555", lw=1.5)
    ax.annotate("plain network, a number\nadded to the logit of happy", np.asarray(curve)[len(curve) // 6],
                xytext=(-6, -34), textcoords="offset points", ha="center", fontsize=9)  # fmt: skip
    places = {
        "plain": (14, 16),
        "weights": (-74, -40),
        "balanced": (26, 26),
        "focal": (-46, -28),
        "shifted": (30, -6),
    }
    for (name, (x, y)), marker in zip(points.items(), "oDs^v", strict=False):
        ax.plot(x, y, marker, color=EMOTION_COLOURS["happy"], ms=8, mec="black")
        ax.annotate(name, (x, y), xytext=places.get(name, (10, 10)), textcoords="offset points", fontsize=10,
                    arrowprops={"arrowstyle": "-", "color": "#888888"})  # fmt: skip
    ax.set(xlabel="recall of happy (%)", ylabel="mean recall of the other three (%)")
    ax.grid(color="#dddddd")
    return fig
