"""Figures of chapter 5, the discriminator."""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch

from sergan.plots import EMOTION_COLOURS, MARK, OURS, THEIRS, sheet

GREY = "#555555"


def waveform(ax, signal, rate, bins=150):
    """Lowest and highest sample of each of `bins` stretches of a signal, over the time in seconds."""
    size = len(signal) // bins
    part = np.asarray(signal[: size * bins]).reshape(bins, size)
    time_s = (np.arange(bins) + 0.5) * size / rate
    ax.fill_between(
        time_s, part.min(axis=1), part.max(axis=1), color=GREY, lw=0, step="mid", antialiased=False
    )
    ax.set(ylabel="sample", xlim=(0, len(signal) / rate))


def contours(rising, falling, count=4):
    """Some of two kinds of pitch contours `(n, time)`, each row of `falling` a row of `rising` read backwards."""
    fig, axes = sheet(7.2, 2.4, 1, 2, sharey=True)
    for ax, name, rows, colour in zip(
        axes, ("rising", "falling"), (rising, falling), (OURS, MARK), strict=True
    ):
        ax.plot(rows[:count].T, color=colour, lw=1)
        ax.set_title(name, fontsize=10, loc="left")
        ax.set(xlabel="frame", xlim=(0, rows.shape[1] - 1))
    axes[0].set_ylabel("pitch (no unit)")
    return fig


def cell():
    """The LSTM cell as a diagram: memory along the top, four small layers below it."""
    fig, ax = sheet(7.2, 3.6)
    ax.set(xlim=(0, 14.4), ylim=(0, 7.2), aspect="equal")
    ax.axis("off")

    def arrow(start, end, **style):
        ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 1.3, **style})

    def operation(x, y, sign):
        ax.add_patch(Circle((x, y), 0.36, facecolor="white", edgecolor=GREY, lw=1.3, zorder=3))
        ax.text(x, y, sign, ha="center", va="center", fontsize=12, zorder=4)

    memory, below, bus = 6.1, 3.0, 1.2
    arrow((0.9, memory), (13.6, memory), color=OURS, lw=2.4)
    ax.text(0.8, memory, "$c_{t-1}$", ha="right", va="center", fontsize=12)
    ax.text(13.7, memory, "$c_t$", ha="left", va="center", fontsize=12)
    ax.text(7.0, memory + 0.55, "memory", color=OURS, ha="center", fontsize=10)
    ax.plot([1.6, 9.6], [bus, bus], color=GREY, lw=1.3)
    ax.plot([0.9, 1.6], [bus, bus], color=GREY, lw=1.3)
    ax.text(0.8, bus, "$h_{t-1}$, $x_t$", ha="right", va="center", fontsize=12)
    boxes = {
        2.6: ("forget gate\n$f_t$", "$\\sigma$"),
        5.0: ("input gate\n$i_t$", "$\\sigma$"),
        7.2: ("proposal\n$g_t$", "tanh"),
        9.6: ("output gate\n$o_t$", "$\\sigma$"),
    }
    for x, (name, kind) in boxes.items():
        colour = "#fbe6c8" if kind == "tanh" else "#d9e8f5"
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.55, below - 0.4),
                1.1,
                0.8,
                boxstyle="round,pad=0.05",
                facecolor=colour,
                edgecolor=GREY,
                zorder=3,
            )
        )
        ax.text(x, below, kind, ha="center", va="center", fontsize=11, zorder=4)
        ax.text(x + 0.12, below - 0.62, name, ha="left", va="top", fontsize=9)
        arrow((x, bus), (x, below - 0.45))
    operation(2.6, memory, "×")
    arrow((2.6, below + 0.45), (2.6, memory - 0.36))
    operation(6.1, 4.5, "×")
    arrow((5.0, below + 0.45), (5.85, 4.25))
    arrow((7.2, below + 0.45), (6.35, 4.25))
    operation(6.1, memory, "+")
    arrow((6.1, 4.86), (6.1, memory - 0.36))
    ax.text(11.2, 4.75, "tanh", ha="center", va="center", fontsize=11)
    arrow((11.2, memory), (11.2, 5.05))
    arrow((11.2, 4.5), (11.2, below + 0.36))
    operation(11.2, below, "×")
    arrow((10.2, below), (10.84, below))
    arrow((11.56, below), (13.6, below))
    ax.text(13.7, below, "$h_t$", ha="left", va="center", fontsize=12)
    return fig


def memory(pulses, c, forget, hop_s):
    """What one LSTM unit hears `(frames,)` and what is in its memory, over two seconds."""
    fig, (top, bottom) = sheet(6.6, 2.9, 2, 1, sharex=True, height_ratios=(1, 2.4))
    time_s = hop_s * np.arange(len(pulses))
    top.fill_between(time_s, pulses, step="post", color=THEIRS)
    top.set(ylabel="heard", ylim=(0, 1.1), yticks=(0, 1))
    bottom.plot(time_s, c, color=OURS, lw=2)
    half = c[: len(c) // 2].max() / 2
    bottom.axhline(half, color=GREY, ls="--", lw=1)
    bottom.text(time_s[-1], half, "half of the first sound", ha="right", va="bottom", fontsize=9)
    bottom.set(ylabel="memory $c_t$", xlabel="time (s)", ylim=(0, 1.15 * c.max()), xlim=(0, time_s[-1]))
    top.set_title(f"forget gate held at f = {forget:g}", fontsize=10, loc="left")
    return fig


def gates(names=("sigmoid", "hard sigmoid")):
    """The sigmoid and the hard sigmoid of Keras before 2.3, and their difference."""
    a = np.linspace(-6, 6, 601)
    smooth, hard = 1 / (1 + np.exp(-a)), np.clip(0.2 * a + 0.5, 0, 1)
    fig, (left, right) = sheet(7.2, 2.6, 1, 2)
    left.plot(a, smooth, color=OURS, lw=2)
    left.plot(a, hard, color=MARK, lw=2, ls="--")
    left.text(2.6, 0.8, names[0], color=OURS, fontsize=9)
    left.text(1.6, 1.03, names[1], color=MARK, fontsize=9)
    left.set(xlabel="$a$", ylabel="gate", ylim=(-0.05, 1.15))
    right.plot(a, hard - smooth, color=GREY, lw=1.5)
    right.axhline(0, color="#bbbbbb", lw=1)
    right.set(xlabel="$a$", ylabel="hard minus smooth")
    return fig


def influence(forwards, backwards, at, hop_s):
    """How far each state moves `(frames,)` when the frame `at` is changed, for both directions."""
    fig, axes = sheet(7.2, 3.2, 2, 1, sharex=True, sharey=True)
    time_s = hop_s * np.arange(len(forwards))
    for ax, name, change, colour in zip(
        axes, ("forwards", "backwards"), (forwards, backwards), (OURS, MARK), strict=True
    ):
        ax.fill_between(time_s, change, step="mid", color=colour, alpha=0.6)
        ax.axvline(hop_s * at, color="black", ls=":", lw=1.2)
        ax.set_title(name, fontsize=10, loc="left")
        ax.set(ylabel="change", xlim=(0, time_s[-1]))
    axes[0].text(
        hop_s * (at - 1), 0.97, "the changed frame ", ha="right", va="top", fontsize=9,
        transform=axes[0].get_xaxis_transform(),
    )  # fmt: skip
    axes[1].set_xlabel("time (s)")
    return fig


def padding(forwards, backwards, hop_s):
    """How far padding moves the states of each frame `(frames,)`, both directions, on a logarithmic scale."""
    fig, ax = sheet(7.2, 2.7)
    time_s = hop_s * np.arange(len(forwards))
    ax.semilogy(time_s, np.maximum(backwards, 1e-9), color=MARK, lw=2)
    ax.semilogy(time_s, np.maximum(forwards, 1e-9), color=OURS, lw=2, ls="--")
    ax.text(time_s[-1] * 0.72, 2e-2, "backwards ", color=MARK, fontsize=9, ha="right")
    ax.text(0.02 * time_s[-1], 2.5e-9, "forwards: none", color=OURS, fontsize=9)
    ax.set(xlabel="time (s); the padding begins at the right edge", ylabel="largest change")
    ax.set(xlim=(0, time_s[-1]), ylim=(5e-10, 0.3))
    return fig


def attention(signal, rate, times_s, weights, title=""):
    """A waveform `(samples,)` and under it attention weights by name, `(frames,)` each, in parts of the even weight."""
    fig, axes = sheet(
        6.4, 1.5 + 1.3 * len(weights), 1 + len(weights), 1, sharex=True,
        height_ratios=(1.1, *[1] * len(weights)),
    )  # fmt: skip
    waveform(axes[0], signal, rate)
    axes[0].set_title(title, fontsize=10, loc="left")
    for ax, (name, alpha), colour in zip(axes[1:], weights.items(), (OURS, MARK, THEIRS), strict=False):
        ax.fill_between(
            times_s,
            len(alpha) * np.asarray(alpha),
            step="mid",
            color=colour,
            alpha=0.6,
            lw=0,
            antialiased=False,
        )
        ax.axhline(1, color="black", ls="--", lw=1)
        ax.set_ylabel("weight / even", fontsize=9)
        ax.set_ylim(0, None)
        ax.text(0.995, 0.95, name, transform=ax.transAxes, ha="right", va="top", fontsize=9)
    axes[-1].set_xlabel("time (s)")
    return fig


def looks(signal, rate, times_s, alpha, emotion, answer, title):
    """One utterance, where attention looks `(frames,)`, and the answer `{emotion: probability}`."""
    fig, axes = sheet(6.4, 3.0, 2, 2, height_ratios=(1, 1), width_ratios=(3.4, 1), sharex="col")
    wave, weight = axes[:, 0]
    waveform(wave, signal, rate)
    wave.set_title(title, fontsize=10, loc="left")
    relative = len(alpha) * alpha
    weight.fill_between(times_s, relative, step="mid", color=OURS, alpha=0.6, lw=0, antialiased=False)
    weight.axhline(1, color="black", ls="--", lw=1)
    weight.set(xlabel="time (s)", ylabel="weight / even", ylim=(0, max(4, 1.05 * relative.max())))
    axes[0, 1].remove()
    axes[1, 1].remove()
    ax = fig.add_subplot(axes[0, 0].get_gridspec()[:, 1])
    ax.spines[["top", "right"]].set_visible(False)
    names = list(answer)
    ax.barh(names, list(answer.values()), color=[EMOTION_COLOURS[name] for name in names])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="probability")
    ax.set_yticks(range(len(names)), [f"▸ {n}" if n == emotion else n for n in names], fontsize=9)
    return fig


def swaps(table):
    """Share of answers kept (%) for each replacement of the weights (rows) and each network (columns)."""
    fig, ax = sheet(7.2, 0.42 * len(table) + 1.2)
    places = np.arange(len(table))
    markers = "osD^v"
    for number, network in enumerate(table.columns):
        colour = OURS if network.startswith("BAM") else MARK
        ax.plot(
            table[network], places, markers[number], color=colour, ms=8, mec="white", label=network, ls="none"
        )
    ax.set(yticks=places, yticklabels=table.index, xlim=(0, 102), xlabel="answers that stay the same (%)")
    ax.invert_yaxis()
    ax.grid(axis="y", color="#dddddd")
    fig.legend(loc="outside upper right", frameon=False, fontsize=9, ncols=len(table.columns))
    return fig
