"""Figures of chapter 8, the four ablations: the paper's tables and learning curves, rebuilt from records."""

import numpy as np
import seaborn as sns

from sergan.evaluation import BOUND
from sergan.plots import MARK, OURS, THEIRS, sheet

PLAIN, ZERO, FUSED, OTHER = OURS, THEIRS, "#7b3294", "#666666"
"""Colours of a program without a GAN, of the two readings with one, and of baselines and controls."""

PROGRAMS = ("AM", "AGM zero", "AGM fused", "BAM", "BAGM zero", "BAGM fused")
"""The paper's four programs, those with a generator under both readings of its label."""


def label(row) -> str:
    """A row of a table of results by its short name: `BAM`, `BAGM fused`, `BAM placebo`."""
    words = (row[name] for name in ("ablation", "objective", "control"))
    return " ".join(word for word in words if word not in (None, "none", "cross_entropy"))


def style(name: str) -> dict:
    """Colour, marker and line of a row by its short name; no two of the paper's rows share marker and line."""
    if name in ("majority", "linear") or name.split()[-1] not in ("AM", "BAM", "zero", "fused"):
        return {"color": OTHER, "marker": "s", "ls": ":"}
    colour, marker = {"zero": (ZERO, "D"), "fused": (FUSED, "^")}.get(name.split()[-1], (PLAIN, "o"))
    return {"color": colour, "marker": marker, "ls": "-" if name.startswith("B") else "--"}


def empty(ax, text="no records yet"):
    """Say in an axis that there is nothing to draw."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=11, color=OTHER)
    ax.set(xticks=[], yticks=[])


def band(ax, along="x"):
    """The paper's gain to both sides of 0 as a grey band, and 0 as a line."""
    span, line = (ax.axvspan, ax.axvline) if along == "x" else (ax.axhspan, ax.axhline)
    span(-BOUND, BOUND, color="#dddddd", lw=0, zorder=0)
    line(0, color="#333333", lw=0.8, zorder=1)


def spread(values, sign="") -> str:
    """A mean and its interval as text."""
    mean, low, high = values
    ends = "" if low is None else f" [{low:{sign}.1f}, {high:{sign}.1f}]"
    return f"{mean:{sign}.1f}{ends}".replace("-", "−")


def table_3(rows, title):
    """WA and UA of each row with its interval (filled), and the paper's figure (cross); rows as `report.table_3`'s."""
    fig, axes = sheet(7.4, 1.3 + 0.36 * max(len(rows), 4), 1, 2, sharey=True)
    fig.suptitle(title, fontsize=10, x=0.01, ha="left")
    if not rows:
        for ax in axes:
            empty(ax)
        return fig
    rows = rows[::-1]
    for ax, score in zip(axes, ("wa", "ua"), strict=True):
        for y, row in enumerate(rows):
            mean, low, high = row[score]
            look = style(label(row))
            if low is not None:
                ax.plot([low, high], [y, y], color=look["color"], lw=1.6)
            ax.plot(mean, y, look["marker"], color=look["color"], ms=6)
            if row[f"paper_{score}"] is not None:
                ax.plot(row[f"paper_{score}"], y, "x", color=MARK, ms=7, mew=1.8)
        ax.set(xlabel=f"{score.upper()} (%)", xlim=(15, 100), ylim=(-0.6, len(rows) - 0.4))
        ax.set_yticks(range(len(rows)), [f"{label(row)} ({row['units']})" for row in rows])
        ax.grid(axis="x", color="#eeeeee")
    fig.text(
        0.995,
        0.985,
        "× the paper's, on IEMOCAP   (n) folds or runs",
        color=MARK,
        fontsize=9,
        ha="right",
        va="top",
    )
    return fig


def pairs(ours: dict, theirs: dict, names, title, interval):
    """Two programs on the same units: scores joined by lines, and their differences with mean and interval.

    `ours` and `theirs` map a unit to its WA in percent; `interval` is mean, low, high of the differences.
    """
    fig, (left, right) = sheet(7.2, 3.4, 1, 2)
    fig.suptitle(title, fontsize=10, x=0.01, ha="left")
    if not ours:
        for ax in (left, right):
            empty(ax)
        return fig
    differences = np.array([ours[unit] - theirs[unit] for unit in ours])
    for unit, difference in zip(ours, differences, strict=True):
        look = ("-", FUSED) if difference > 0 else ("--", OTHER)
        left.plot([0, 1], [theirs[unit], ours[unit]], look[0], marker="o", color=look[1], ms=4, lw=1)
    left.set(xlim=(-0.3, 1.3), ylabel="WA (%), one line a unit")
    left.set_xticks([0, 1], names[::-1])
    band(right, "y")
    right.plot(np.linspace(-0.3, 0.3, len(differences)), np.sort(differences), "o", color=OTHER, ms=5)
    mean, low, high = interval
    if low is not None:
        right.plot([0.7, 0.7], [low, high], color=MARK, lw=2)
    right.plot(0.7, mean, "D", color=MARK, ms=7)
    right.annotate(
        "mean" if low is None else "mean, 95 %",
        (0.7, mean),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
    )
    right.set(xlim=(-0.6, 1.6), xticks=[], ylabel=f"{names[0]} − {names[1]}, points of WA")
    right.annotate(f"grey: ±{BOUND}", (0.98, 0.02), xycoords="axes fraction", ha="right", fontsize=9)
    return fig


def confusions(tables: dict, classes, title):
    """Confusion matrices side by side, in percent of the true class (rows): name -> 4 x 4, or None."""
    fig, axes = sheet(7.4, 2.75, 1, len(tables), sharey=True)
    fig.suptitle(title, fontsize=10, x=0.01, ha="left")
    short = [name[:3] for name in classes]
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        ax.set_title(name, fontsize=9)
        if table is None:
            ax.text(0.5, 0.5, "no records yet", transform=ax.transAxes, ha="center", va="center", fontsize=9)
            ax.set(xticks=[])
            continue
        sns.heatmap(
            np.asarray(table),
            annot=True,
            fmt=".0f",
            cmap="Blues",
            vmin=0,
            vmax=100,
            square=True,
            cbar=False,
            linewidths=0.5,
            ax=ax,
            annot_kws={"fontsize": 9},
        )
        ax.set_xticks(np.arange(4) + 0.5, short, rotation=0, fontsize=9)
        ax.set_xlabel("answered", fontsize=9)
    axes[0].set_yticks(np.arange(4) + 0.5, short, rotation=0, fontsize=9)
    axes[0].set_ylabel("true class", fontsize=9)
    return fig


def curves(scores: dict, title, marks=()):
    """The paper's Fig. 3, and the same for UA: percent per epoch, each line named at its end, with a band.

    `scores` maps "WA" and "UA" to rows: a name to `(mean, low, high)`, arrays over epochs (low and high None for one
    unit); `marks` are (epoch, text) for dashed vertical lines.
    """
    fig, axes = sheet(7.4, 6.2, len(scores), 1, sharex=True)
    axes[0].set_title(title, fontsize=10, loc="left")
    for ax, (score, rows) in zip(axes, scores.items(), strict=True):
        if not rows:
            empty(ax)
            continue
        draw_curves(ax, rows)
        ax.set(ylabel=f"{score} on the test part (%)")
        for epoch, text in marks:
            ax.axvline(epoch, color=MARK, ls=":", lw=1.2)
            if ax is axes[0]:
                ax.annotate(text, (epoch, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                            textcoords="offset points", color=MARK, fontsize=9, va="top")  # fmt: skip
    axes[-1].set_xlabel("epoch" if any(scores.values()) else "")
    return fig


def draw_curves(ax, rows: dict) -> None:
    """Lines over epochs with their bands, named at their right ends."""
    ends = {}
    for name, (mean, low, high) in rows.items():
        look, epochs = style(name), np.arange(1, len(mean) + 1)
        ax.plot(epochs, mean, color=look["color"], ls=look["ls"], lw=1.7)
        ax.plot(epochs[4::5], mean[4::5], look["marker"], color=look["color"], ms=5)
        if low is not None:
            ax.fill_between(epochs, low, high, color=look["color"], alpha=0.1, lw=0)
        ends[name] = mean[-1]
    last = max(len(mean) for mean, *_ in rows.values())
    lowest, highest = ax.get_ylim()
    heights = apart(list(ends.values()), (highest - lowest) * 0.085)
    for (name, end), height in zip(ends.items(), heights, strict=True):
        ax.annotate(
            name,
            (last, end),
            xytext=(last + 0.035 * last, height),
            textcoords="data",
            va="center",
            color=style(name)["color"],
            fontsize=9.5,
            arrowprops={"arrowstyle": "-", "color": style(name)["color"], "lw": 0.5},
        )
    ax.set(xlim=(0.5, last * 1.22))
    ax.set_xticks(np.arange(0, last + 1, 5))
    ax.grid(axis="y", color="#eeeeee")


def apart(heights, gap) -> list[float]:
    """Heights of labels near `heights`, no two nearer than `gap`.

    >>> apart([1.0, 1.0, 5.0], 0.5)
    [0.75, 1.25, 5.0]
    """
    order = np.argsort(heights, kind="stable")
    groups = [[float(heights[k]), 1] for k in order]  # centre and number of labels
    while True:
        for k in range(len(groups) - 1):
            (a, n), (b, m) = groups[k : k + 2]
            if b - a < gap * (n + m) / 2 - 1e-9:
                groups[k : k + 2] = [[(a * n + b * m) / (n + m), n + m]]
                break
        else:
            break
    placed = [c + gap * (i - (n - 1) / 2) for c, n in groups for i in range(n)]
    found = np.empty(len(order))
    found[order] = placed
    return found.tolist()


def gains(rows: list, epoch: int, reach: float, title):
    """Differences at one epoch, a row each: (name, (mean, low, high), the paper's), and the paper's as a cross."""
    fig, ax = sheet(7.2, 2.5)
    ax.set_title(f"{title}, epoch {epoch}", fontsize=10, loc="left")
    if not rows:
        empty(ax)
        return fig
    band(ax)
    for y, (name, (mean, low, high), reported) in enumerate(rows[::-1]):
        look = style(name.split(" − ")[0])
        beyond(ax, y, mean, low, high, reach, look)
        ax.plot(reported, y + 0.28, "x", color=MARK, ms=6, mew=1.6)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows[::-1]])
    ax.set(xlim=(-reach, reach), ylim=(-0.6, len(rows) - 0.3), xlabel="difference, points of WA")
    note = f"× the paper's   grey: ±{BOUND}"
    ax.annotate(note, (1, 1), xycoords="axes fraction", ha="right", va="bottom", fontsize=9, color=MARK)
    return fig


def beyond(ax, y, mean, low, high, reach, look):
    """A mean and its interval in a row of a plot from -reach to reach; what lies beyond is an arrow at the edge.

    A mean without an interval is an open mark.
    """
    if low is not None:
        ax.plot(np.clip([low, high], -reach, reach), [y, y], color=look["color"], lw=2)
        for end in (low, high):
            if abs(end) > reach:
                arrow = "<" if end < 0 else ">"
                ax.plot(np.sign(end) * reach, y, arrow, color=look["color"], ms=7, clip_on=False)
    inside = abs(mean) <= reach
    marker = look["marker"] if inside else "<" if mean < 0 else ">"
    fill = look["color"] if low is not None else "white"
    ax.plot(np.clip(mean, -reach, reach), y, marker, color=look["color"], mfc=fill, ms=7, clip_on=False)


def epochs(rules: dict, title):
    """WA of each program by the rule that chose its epoch: name -> {rule: percent}."""
    fig, ax = sheet(7.2, 1.2 + 0.42 * max(len(rules), 3))
    ax.set_title(title, fontsize=10, loc="left")
    if not rules:
        empty(ax)
        return fig
    marks = {"last": ("o", PLAIN), "validation": ("s", OTHER), "oracle": ("*", MARK)}
    for y, (_name, values) in enumerate(reversed(rules.items())):
        ax.plot([min(values.values()), max(values.values())], [y, y], color="#bbbbbb", lw=1, zorder=0)
        for rule, value in values.items():
            marker, colour = marks[rule]
            ax.plot(value, y, marker, color=colour, ms=11 if marker == "*" else 7)
    for rule, place in zip(marks, (0.52, 0.7, 0.92), strict=True):
        marker, colour = marks[rule]
        ax.plot(place - 0.02, 1.05, marker, color=colour, ms=8, transform=ax.transAxes, clip_on=False)
        ax.text(place, 1.05, rule, color=colour, fontsize=9.5, transform=ax.transAxes, va="center")
    ax.set_yticks(range(len(rules)), list(rules)[::-1])
    ax.set(xlabel="WA (%), mean over units", ylim=(-0.6, len(rules) - 0.2))
    ax.grid(axis="x", color="#eeeeee")
    return fig


def runaway(losses: dict):
    """The loss of generated sequences per epoch under `fused`, a line a learning rate: rate -> values per epoch."""
    fig, ax = sheet(7.2, 3.2)
    if not losses:
        empty(ax)
        return fig
    shades = sns.color_palette("Purples", len(losses) + 2)[2:]
    for (rate, values), shade in zip(sorted(losses.items()), shades, strict=True):
        ax.plot(np.arange(1, len(values) + 1), values, color=shade, lw=2)
        ax.annotate(
            f"{rate:g}",
            (len(values), values[-1]),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=shade,
        )
    ax.axhline(0, color="#333333", lw=0.8)
    ax.set_yscale("symlog", linthresh=1)
    ax.set(xlabel="epoch", ylabel="mean loss of the generated, nats")
    ax.annotate("learning rate", (1, 1), xycoords="axes fraction", ha="right", va="bottom")
    ax.set_xlim(0.5, max(map(len, losses.values())) * 1.12)
    return fig


def say(title: str, parts: list[str], what: str) -> str:
    """The sentence beside a picture: its title, what is counted, and the numbers; or that there are none yet."""
    return f"{title}. {what}: {'; '.join(parts)}." if parts else f"{title}: no records yet."


def say_table(rows, title):
    return say(title, [f"{label(row)} {spread(row['wa'])}" for row in rows], "WA in percent")


def say_pairs(ours: dict, theirs: dict, names, title, interval):
    more = sum(ours[unit] > theirs[unit] for unit in ours)
    parts = [f"in {more} of {len(ours)} folds; mean {spread(interval, '+')} points of WA"] if ours else []
    return say(title, parts, f"{names[0]} answers more right than {names[1]}")


def say_confusions(tables: dict, classes, title):
    happy = list(classes).index("happy")
    parts = [f"{name} {'none yet' if t is None else round(t[happy][happy])}" for name, t in tables.items()]
    return say(title, parts, "Recall of happy in percent")


def say_curves(scores: dict, title, marks=()):
    parts = []
    for score, rows in scores.items():
        for epoch in [*(epoch for epoch, _ in marks), *({len(v[0]) for v in rows.values()})] if rows else []:
            means = {name: values[0][epoch - 1] for name, values in rows.items()}
            best = max(means, key=means.get)
            parts.append(f"{score}, epoch {epoch}: {best} ({means[best]:.1f})")
    missing = sorted(set(PROGRAMS) - {name for rows in scores.values() for name in rows})
    more = f" No records yet: {', '.join(missing)}." if parts and missing else ""
    return say(title, parts, "Highest mean in percent") + more


def readings(rows: list[dict], title, reach: float = 40):
    """BAGM minus BAM under each reading, a row each, as `sergan.plan.readings` gives them; beyond `reach` an arrow."""
    fig, ax = sheet(7.4, 1.3 + 0.42 * len(rows))
    ax.set_title(title, fontsize=10, loc="left")
    band(ax)
    for y, row in enumerate(rows[::-1]):
        look = {"color": {"zero": ZERO, "fused": FUSED}.get(row["reading"], PLAIN), "marker": "D"}
        if row["wa"] is None:
            said = f"not yet: {' and '.join(row['missing'])}" if row["missing"] else "no pair yet"
        else:
            beyond(ax, y, *row["wa"], reach, look)
            said = f"{row['wa'][0]:+.1f}  {row['wa_verdict'] or 'one run a side'}".replace("-", "−")
        ax.annotate(said, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=9.5,
                    color=look["color"] if row["wa"] is not None else OTHER)  # fmt: skip
    ax.set_yticks(range(len(rows)), [row["reading"] for row in rows[::-1]])
    ax.set(xlim=(-reach - 1, reach + 1), ylim=(-0.6, len(rows) - 0.4))
    ax.set_xlabel(f"BAGM − BAM, points of WA (grey: ±{BOUND}; arrows: beyond the edge)")
    return fig


def say_readings(rows: list[dict], title):
    parts = [f"{row['reading']} {spread(row['wa'], '+')}" for row in rows if row["wa"] is not None]
    missing = [row["reading"] for row in rows if row["wa"] is None]
    more = f" No pair yet: {', '.join(missing)}." if parts and missing else ""
    return say(title, parts, "BAGM minus BAM in points of WA") + more


def say_gains(rows: list, epoch: int, title):
    return say(title, [f"{name} {spread(v, '+')}" for name, v, _ in rows], f"Epoch {epoch}, points of WA")


def say_epochs(rules: dict, title):
    parts = [name + " " + ", ".join(f"{rule} {x:.1f}" for rule, x in v.items()) for name, v in rules.items()]
    return say(title, parts, "WA in percent by rule")


def say_runaway(losses: dict, title):
    parts = [f"{rate:g}: {values[-1]:.0f}".replace("-", "−") for rate, values in sorted(losses.items())]
    return say(title, parts, "Mean loss of the generated at the last epoch, by learning rate")
