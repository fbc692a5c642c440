"""Figures of chapter 9, is it the GAN?: units, verdicts, controls and contrasts."""

import numpy as np

from sergan.evaluation import BOUND
from sergan.plots import MARK, OURS, THEIRS, sheet
from sergan.plots.ablations import FUSED, OTHER, PLAIN, apart, band, beyond, empty, label, spread


def widths(claimed: float, true: float, speakers: int, seeds: int):
    """Half-widths of two 95 % intervals: with every run counted as one, and what new speakers really need."""
    fig, ax = sheet(6.8, 2.2)
    band(ax)
    for y, half, text, colour in (
        (1, claimed, "every run is one", OTHER),
        (0, true, "every speaker is one", OURS),
    ):
        ax.plot([-half, half], [y, y], color=colour, lw=5, solid_capstyle="butt")
        ax.annotate(
            f"±{half:.1f}", (half, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=10
        )
        ax.text(-8.8, y + 0.22, text, color=colour, fontsize=9.5)
    ax.set(xlim=(-9, 9), ylim=(-0.6, 1.8), yticks=[], xlabel="points of WA around the true difference")
    ax.set_title(
        f"{speakers} speakers, {seeds} seed{'s' * (seeds > 1)} each; grey: ±{BOUND}", fontsize=10, loc="left"
    )
    return fig


def verdict(mean: float, half_95: float, half_90: float, words: str):
    """One difference with its 95 % interval (thin) and its 90 % interval (thick) against the band of +-1.86."""
    fig, ax = sheet(6.8, 1.7)
    band(ax)
    ax.plot([mean - half_95, mean + half_95], [0, 0], color=OURS, lw=1.6)
    ax.plot([mean - half_90, mean + half_90], [0, 0], color=OURS, lw=6, solid_capstyle="butt")
    ax.plot(mean, 0, "D", color=MARK, ms=8)
    ax.set(xlim=(-8, 8), ylim=(-0.6, 0.6), yticks=[], xlabel="difference, points of WA")
    ax.set_title(words, fontsize=11, loc="left", color=MARK)
    ax.annotate(
        "thick 90 %, thin 95 %", (1, 1.02), xycoords="axes fraction", ha="right", va="bottom", fontsize=9
    )
    return fig


def walks(paths: dict):
    """How far Adam has walked after each batch: name -> positions."""
    fig, ax = sheet(6.8, 3.0)
    longest = max(map(len, paths.values()))
    ends = [values[-1] for values in paths.values()]
    heights = apart(ends, 0.1 * max(ends))
    looks = (("-", PLAIN), ("-", FUSED), ("--", THEIRS), (":", OTHER))
    for (name, values), height, (line, colour) in zip(paths.items(), heights, looks, strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, line, color=colour, lw=2)
        ax.text(1.03 * longest, height, name, va="center", color=colour)
    ax.set(xlabel="batch", ylabel="distance, in learning rates", xlim=(0, longest * 1.25))
    ax.grid(axis="y", color="#eeeeee")
    return fig


def sequences(parts: dict):
    """Sequences `(frames, 32)` as images, features upwards and time to the right."""
    fig, axes = sheet(7.4, 2.9, 1, len(parts), sharey=True)
    for ax, (name, x) in zip(axes, parts.items(), strict=True):
        ax.imshow(np.asarray(x).T, aspect="auto", origin="lower", cmap="Greys", vmin=-1, vmax=1)
        ax.set_title(name, fontsize=9.5)
        ax.set_xlabel("frame", fontsize=9)
    axes[0].set_ylabel("feature (1 to 32)", fontsize=9)
    return fig


def rates(table: dict, title):
    """WA per learning rate of each arm: name -> {rate: (mean, low, high)}, and the share of folds that chose it.

    `table` maps an arm's name to `(scores, chosen)`, both by rate.
    """
    fig, (top, bottom) = sheet(7.0, 4.2, 2, 1, sharex=True, height_ratios=(2.4, 1))
    top.set_title(title, fontsize=10, loc="left")
    if not table:
        empty(top), empty(bottom)
        return fig
    places = sorted({rate for scores, _ in table.values() for rate in scores})
    for shift, (name, (scores, chosen)) in zip((-0.08, 0.08), table.items(), strict=True):
        colour, marker = (PLAIN, "o") if "G" not in name else (FUSED, "^")
        x = [places.index(rate) + shift for rate in scores]
        for at, (_mean, low, high) in zip(x, scores.values(), strict=True):
            if low is not None:
                top.plot([at, at], [low, high], color=colour, lw=1.4)
        top.plot(x, [values[0] for values in scores.values()], marker=marker, color=colour, lw=1)
        first = next(iter(scores.values()))[0]
        top.annotate(
            name,
            (x[0], first),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=colour,
        )
        bars = [chosen.get(rate, 0) for rate in places]
        bottom.bar(np.arange(len(places)) + 2 * shift, bars, 0.28, color=colour)
    top.set(ylabel="WA (%), unseen speakers", xlim=(-0.9, len(places) - 0.6))
    bottom.yaxis.get_major_locator().set_params(integer=True)
    bottom.set(xlabel="learning rate", ylabel="folds that\nchose it")
    bottom.set_xticks(range(len(places)), [f"{rate:g}" for rate in places])
    top.grid(axis="y", color="#eeeeee")
    return fig


def splits(rows: list):
    """WA of a program on random splits and on unseen speakers, joined: (name, random, unseen) in percent."""
    fig, ax = sheet(7.0, 1.3 + 0.36 * max(len(rows), 3))
    if not rows:
        empty(ax)
        return fig
    for y, (_, known, unseen) in enumerate(rows[::-1]):
        ax.plot([unseen, known], [y, y], color="#bbbbbb", lw=1.5, zorder=0)
        ax.plot(known, y, "o", color=THEIRS, ms=7)
        ax.plot(unseen, y, "D", color=OURS, ms=7)
        ax.annotate(f"{unseen - known:+.1f}".replace("-", "−"), ((unseen + known) / 2, y), xytext=(0, 4),
                    textcoords="offset points", ha="center", fontsize=9)  # fmt: skip
    low = min(min(row[1:]) for row in rows)
    ax.plot([low, low + BOUND], [-0.75, -0.75], color=MARK, lw=5, solid_capstyle="butt")
    ax.annotate(f"{BOUND} points, the claim", (low + BOUND, -0.75), xytext=(6, 0), textcoords="offset points",
                va="center", color=MARK, fontsize=9.5)  # fmt: skip
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows[::-1]])
    ax.set(
        xlabel="WA (%)      circle: random split      diamond: unseen speakers", ylim=(-1.1, len(rows) - 0.4)
    )
    ax.grid(axis="x", color="#eeeeee")
    return fig


def forest(rows: list[dict], title, reach: float = 25):
    """All contrasts of a group: mean and 95 % interval in points of WA, the verdict at the side.

    What lies beyond `reach` points is drawn as an arrow at the edge.
    """
    fig, ax = sheet(7.4, 1.3 + 0.37 * max(len(rows), 4))
    ax.set_title(title, fontsize=10, loc="left")
    if not rows:
        empty(ax)
        return fig
    band(ax)
    colours = {"different": MARK, "undecided": OTHER}
    for y, row in enumerate(rows[::-1]):
        mean, low, high = row["wa"]
        words = row["wa_verdict"] or "one unit"
        colour = colours.get(words, OTHER if row["wa_verdict"] is None else OURS)
        beyond(ax, y, mean, low, high, reach, {"color": colour, "marker": "D"})
        ax.annotate(f"{mean:+.1f}  {words}".replace("-", "−"), (1.02, y), xycoords=("axes fraction", "data"),
                    va="center", fontsize=9, color=colour)  # fmt: skip
    names = [f"{label(row)} − {row['minus']}" for row in rows[::-1]]
    ax.set_yticks(range(len(rows)), names, fontsize=9)
    ax.set(xlim=(-reach - 1, reach + 1), ylim=(-0.6, len(rows) - 0.4))
    ax.set_xlabel(f"difference, points of WA (grey: ±{BOUND}; arrows: beyond the edge)")
    return fig


def alarms(counts, chances, corrected):
    """Chance of at least one false alarm by the number of tests, plain and after Holm's correction."""
    fig, ax = sheet(6.8, 2.9)
    for values, text, colour, look in (
        (chances, "each at 5 %", MARK, "-"),
        (corrected, "after Holm", OURS, "--"),
    ):
        ax.plot(counts, values, look, color=colour, lw=2, marker="o", ms=4)
        ax.annotate(
            text,
            (counts[-1], values[-1]),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    ax.set(xlabel="tests of differences that are all 0", ylabel="chance of an alarm (%)", ylim=(0, 100))
    ax.set_xlim(0, counts[-1] * 1.25)
    ax.grid(axis="y", color="#eeeeee")
    return fig


def planned(rows: list[dict]):
    """The planned contrasts: mean and 95 % interval in points of WA, the primary one on top."""
    fig, ax = sheet(7.4, 1.2 + 0.55 * max(len(rows), 3))
    if not rows:
        empty(ax)
        return fig
    band(ax)
    reach = max(abs(x) for row in rows for x in row["difference"] if x is not None) * 1.1
    reach = min(max(reach, 5), 60)
    for y, row in enumerate(rows[::-1]):
        mean, low, high = row["difference"]
        if low is not None:
            ax.plot(np.clip([low, high], -reach, reach), [y, y], color=OURS, lw=2)
        ax.plot(mean, y, "D", color=MARK, ms=7)
        ax.annotate(spread(row["difference"], "+"), (mean, y), xytext=(0, 9), textcoords="offset points",
                    ha="center", fontsize=9)  # fmt: skip
    ax.set_yticks(range(len(rows)), [row["name"].replace(", ", ",\n", 1) for row in rows[::-1]], fontsize=9)
    ax.set(xlim=(-reach, reach), ylim=(-0.5, len(rows) - 0.2))
    ax.set_xlabel(f"difference, points of WA (grey: ±{BOUND})")
    return fig


def specification(points: list, marked: list[bool], noise: dict | None):
    """A specification curve: the difference in every universe, sorted, those that share the reader's choices marked.

    `points` has None for universes without a record; `noise` is what seeds alone do to one universe, as
    `sergan.multiverse.noise` gives it.
    """
    fig, ax = sheet(5.8, 2.8)
    there = sorted((point, mark) for point, mark in zip(points, marked, strict=True) if point is not None)
    if not there:
        empty(ax)
        return fig
    y, mark = np.array([point for point, _ in there]), np.array([mark for _, mark in there])
    x = np.arange(1, len(y) + 1)
    band(ax, "y")
    ax.plot(x[~mark], y[~mark], "|", color="#aaaaaa", ms=5, mew=1)
    ax.plot(x[mark], y[mark], "o", color=FUSED, ms=5, zorder=4)
    width, spread_of = len(points), float(np.ptp(y))
    low, high = min(y.min(), -4) - 0.05 * spread_of, max(y.max(), 5) + 0.05 * spread_of
    ax.annotate(f"+{BOUND}", (0.01 * width, BOUND), xytext=(0, 2), textcoords="offset points",
                color=MARK, va="bottom")  # fmt: skip
    ax.plot([0, width], [BOUND, BOUND], color=MARK, lw=1, ls="--")
    if noise is None:
        words = "seeds:\nnot yet"
    else:
        middle = float(np.median(y))
        ax.plot([1.06 * width] * 2, [middle - 2 * noise["sd"], middle + 2 * noise["sd"]], color=OURS, lw=3)
        words = "seeds\n± 2 sd"
    ax.annotate(words, (1.09 * width, float(np.median(y))), color=OURS, va="center")
    ax.set(xlim=(-1, 1.28 * width), ylim=(low, high), ylabel="points of WA")
    ax.set_xlabel(f"universes, sorted: {len(y)} of {width}")
    ax.set_xticks([])
    return fig


def say_specification(points: list, marked: list[bool]) -> str:
    """The marked universes in words: range, share above the paper's gain, share below 0."""
    there = [point for point in points if point is not None]
    mine = [point for point, mark in zip(points, marked, strict=True) if mark and point is not None]
    said = f"{len(mine)} of {sum(marked)} universes with your choices have been run"
    if mine:
        ends = " to ".join(f"{end:+.1f}" for end in dict.fromkeys((min(mine), max(mine))))
        above, below = (100 * sum(some) / len(mine) for some in
                        ([x > BOUND for x in mine], [x < 0 for x in mine]))  # fmt: skip
        said += f": {ends} points of WA; {above:.0f} % above +{BOUND}, {below:.0f} % below 0"
    if there:
        said += f". All {len(there)}: {min(there):+.1f} to {max(there):+.1f}"
    return f"{said}.".replace("-", "−")


def effects(rows: list[dict], names: dict, word):
    """What each choice does on average: the mean difference under each of its values, a row a choice.

    `rows` as `sergan.multiverse.effects` gives them; `names` and `word` put choices and their values into words.
    """
    rows = [row for row in rows if row["means"]]
    fig, ax = sheet(7.0, 1.2 + 0.62 * max(len(rows), 3))
    if not rows:
        empty(ax)
        return fig
    band(ax)
    reach = [min(min(row["means"].values()) for row in rows), max(max(row["means"].values()) for row in rows)]
    room = max(reach[1] - reach[0], 4)
    for y, row in enumerate(rows[::-1]):
        means = sorted(row["means"].items(), key=lambda item: item[1])
        ax.plot([means[0][1], means[-1][1]], [y, y], color="#bbbbbb", lw=1.5, zorder=1)
        ax.plot([mean for _, mean in means], [y] * len(means), "o", color=FUSED, ms=6, zorder=3)
        for (value, mean), side, shift in ((means[0], "right", -7), (means[-1], "left", 7)):
            ax.annotate(word(row["choice"], value), (mean, y), xytext=(shift, 0), textcoords="offset points", ha=side,
                        va="center", fontsize=9)  # fmt: skip
    ax.set_yticks(range(len(rows)), [f"{names[row['choice']]}" for row in rows[::-1]], fontsize=9.5)
    ax.set(xlim=(reach[0] - 0.5 * room, reach[1] + 0.5 * room), ylim=(-0.6, len(rows) - 0.4))
    ax.set_xlabel(f"mean of BAGM − BAM, points of WA (grey: ±{BOUND})")
    return fig
