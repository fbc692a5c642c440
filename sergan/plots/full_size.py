"""Figures of chapter 11, at full size."""

import numpy as np

from sergan.plots import MARK, OURS, THEIRS, sheet

LABELS = {"wa": "WA (%)", "loss_real": "loss on utterances (nats)"}


def hours(table):
    """Hours of each row of Table 3, a bar each; `table` maps a name to hours."""
    fig, ax = sheet(6.8, 0.38 * len(table) + 0.9)
    rows = np.arange(len(table))[::-1]
    for row, (name, value) in zip(rows, table.items(), strict=True):
        ax.barh(row, value, color=THEIRS if "G" in name else OURS, hatch="//" if "G" in name else None,
                edgecolor="white")  # fmt: skip
        ax.annotate(
            f"{value:.1f} h", (value, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set(yticks=rows, yticklabels=list(table), xlabel="hours, five repeats of 400 epochs")
    ax.margins(x=0.12)
    return fig


def budget(hours_here, name, speed, *, price=0.3):
    """Left: rent by the price of an hour. Right: energy by the machine's draw, and what it costs at `price` a kWh."""
    hours_there = hours_here / speed
    fig, (money, energy) = sheet(7.2, 3.1, 1, 2)
    rate = np.linspace(0, 5, 50)
    money.plot(rate, hours_there * rate, color=OURS, lw=2)
    money.set(xlim=(0, 5), xlabel="price of an hour (your currency)", ylabel="rent (your currency)")
    watts = np.linspace(0, 700, 50)
    energy.plot(watts, hours_there * watts / 1000, color=THEIRS, lw=2)
    energy.set(xlim=(0, 700), xlabel="draw of the machine (W)", ylabel="energy (kWh)")
    for ax, x, value, unit in (
        (money, 1, hours_there, " at 1 an hour"),
        (energy, 300, 0.3 * hours_there, f" kWh: {0.3 * hours_there * price:,.2f} at {price:.2f} a kWh"),
    ):
        ax.plot(x, value, "o", color=MARK)
        ax.annotate(f"{value:,.1f}{unit}", (x, value), xytext=(0.04, 0.9), textcoords="axes fraction",
                    fontsize=9, arrowprops={"arrowstyle": "-", "color": "#888888"})  # fmt: skip
        ax.set_ylim(0, None)
        ax.grid(color="#e6e6e6")
    fig.suptitle(f"{name}: {told(hours_there)}", fontsize=10)
    return fig


def told(hours_there):
    """A time in the unit that suits it.

    Example:
        >>> told(0.5), told(30), told(100)
        ('30 minutes', '30.0 hours', '4.2 days')
    """
    if hours_there < 1:
        return f"{60 * hours_there:.0f} minutes"
    return f"{hours_there:.1f} hours" if hours_there < 48 else f"{hours_there / 24:.1f} days"


def numbers(formats):
    """Where each format has numbers, and how far apart they lie; `formats` maps a name to a `torch.finfo`."""
    fig, ax = sheet(7.0, 3.2)
    styles = {"fp32": ("-", OURS), "bf16": ("--", THEIRS), "fp16": (":", MARK)}
    for name, info in formats.items():
        style, colour = styles[name]
        x = np.array([np.log10(info.tiny), np.log10(info.max)])
        ax.plot(x, [np.log10(info.eps)] * 2, style, color=colour, lw=3, solid_capstyle="butt")
        ax.plot(x, [np.log10(info.eps)] * 2, "|", color=colour, ms=12, mew=2)
        ax.annotate(
            name,
            (x[1], np.log10(info.eps)),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    ax.axvspan(-10, -6, color="#eeeeee", zorder=0)
    ax.text(-8, -0.9, "small\ngradients", ha="center", fontsize=9)
    ax.set(
        xlim=(-40, 44),
        ylim=(-7.6, -0.3),
        xlabel="size of the number (power of ten)",
        ylabel="relative step to the next\nnumber (power of ten)",
    )
    ax.grid(color="#e6e6e6")
    return fig


def resumed(whole, first, rest, score="wa"):
    """A curve of a run that nobody disturbed, and of one that was stopped and went on; lists of entries."""
    fig, ax = sheet(6.2, 2.9)
    x = np.arange(1, len(whole) + 1)
    ax.plot(x, [e[score] for e in whole], color="#bbbbbb", lw=7, label="undisturbed")
    n = len(first)
    ax.plot(x[:n], [e[score] for e in first], "o", color=MARK, ms=8, mfc="none", mew=2)
    ax.plot(x, [e[score] for e in rest], ".-", color=OURS, lw=1.5)
    ax.axvline(n, color=MARK, ls="--", lw=1)
    ax.annotate("stopped here", (n, ax.get_ylim()[1]), xytext=(4, -10), textcoords="offset points",
                fontsize=9, color=MARK)  # fmt: skip
    ax.set(xlabel="epoch", ylabel=LABELS[score], xticks=x)
    return fig


def universes(table, bound):
    """WA of each universe: a row a changed option, the first as it is; a column and a dot a seed."""
    fig, ax = sheet(6.8, 0.4 * len(table) + 1.0)
    rows = np.arange(len(table))[::-1]
    usual = table.iloc[0].mean()
    ax.axvspan(usual - bound, usual + bound, color="#e8e8e8", zorder=0)
    for row, values in zip(rows, table.to_numpy(), strict=True):
        ax.plot(values, [row] * len(values), "-", color="#bbbbbb", lw=1)
        ax.plot(values, [row] * len(values), "o", color=OURS)
    ax.text(usual, len(table) - 0.45, f"default ± {bound:g} points", ha="center", fontsize=9)
    ax.set(
        yticks=rows,
        yticklabels=table.index,
        ylim=(-0.6, len(table) - 0.1),
        xlabel="WA on the demo's random split, % (a dot a seed)",
    )
    ax.grid(axis="x", color="#dddddd")
    return fig
