"""Figures of chapter 1, emotional speech."""

import matplotlib.pyplot as plt
import numpy as np

from sergan import EMOTIONS
from sergan.plots import EMOTION_COLOURS, MARK, OURS, sheet

#: Hatches tell the emotions apart where colours do not.
HATCHES = {"angry": "////", "neutral": "", "happy": "....", "sad": "\\\\\\\\"}
INK = {"angry": "#8a3d00", "neutral": "#444444", "happy": "#016348", "sad": "#015082"}
DARK = "#333333"


def waveform(signal, rate, emotion=None, limit=0.3):
    """A waveform over time in s; in the colour of its emotion, grey where that is not told."""
    fig, ax = sheet(6.4, 1.3)
    step = max(1, len(signal) // 4000)
    ax.plot(np.arange(0, len(signal), step) / rate, signal[::step], lw=0.5,
            color=EMOTION_COLOURS.get(emotion, "#555555"))  # fmt: skip
    ax.set(xlim=(0, len(signal) / rate), ylim=(-limit, limit), yticks=[], xlabel="time (s)")
    ax.spines["left"].set_visible(False)
    return fig


def plane(words):
    """Words of emotion as `(valence, activation)` from -1 to 1: a drawing of the idea, not a measurement."""
    fig, ax = sheet(5.6, 4.6)
    ax.add_patch(plt.Circle((0, 0), 1, fill=False, color="#bbbbbb"))
    ax.axhline(0, color="#cccccc", lw=1, zorder=0)
    ax.axvline(0, color="#cccccc", lw=1, zorder=0)
    for word, (valence, activation) in words.items():
        known = word in EMOTION_COLOURS
        ax.scatter(
            valence, activation, s=110 if known else 22, color=EMOTION_COLOURS.get(word, "#999999"), zorder=3
        )
        ax.annotate(word, (valence, activation), xytext=(9, 0), textcoords="offset points", va="center",
                    fontsize=11 if known else 9, weight="bold" if known else None,
                    color=INK.get(word, "#555555"))  # fmt: skip
    ax.set(xlim=(-1.15, 1.35), ylim=(-1.15, 1.15), xticks=[], yticks=[], aspect="equal")
    ax.set_xlabel("unpleasant  ←  valence  →  pleasant", fontsize=11)
    ax.set_ylabel("calm  ←  activation  →  excited", fontsize=11)
    ax.spines[:].set_visible(False)
    return fig


def votes(agreeing, elsewhere, undecided, kappa, ceiling, title):
    """Three shares of all utterances (they sum to 1), and kappa and the ceiling on one scale from 0 to 1."""
    fig, (ax, scale) = sheet(6.8, 3.1, 2, height_ratios=(1.15, 1))
    parts = (
        (agreeing, "label as most would hear it", OURS, "", 0.0),
        (elsewhere, "another label", MARK, "////", 0.50),
        (undecided, "no label", "#cccccc", "", 0.80),
    )
    left = 0
    for share, words, colour, hatch, at in parts:
        ax.barh(0, share, left=left, color=colour, hatch=hatch, edgecolor="white", height=0.7)
        ax.barh(-0.75, 0.025, left=at, color=colour, hatch=hatch, edgecolor="white", height=0.3)
        ax.text(at + 0.035, -0.77, f"{words} {100 * share:.0f} %", fontsize=10, va="center")
        left += share
    ax.set(xlim=(0, 1.02), ylim=(-1.1, 0.4), xticks=[], yticks=[])
    ax.set_title(title, fontsize=11, loc="left")
    ax.spines[:].set_visible(False)
    scale.plot([0, 1], [0, 0], color=DARK, lw=1)
    for value, word, side, colour, marker in (
        (ceiling, "ceiling: best possible accuracy", 1, "#015082", "v"),
        (kappa, "Fleiss' kappa", -1, "#8a3d00", "^"),
    ):
        scale.scatter(value, 0.16 * side, color=colour, marker=marker, s=70)
        scale.text(value, 0.62 * side, f"{word} {value:.2f}", color=colour, fontsize=10, va="center",
                   ha="right" if value > 0.66 else "left" if value < 0.25 else "center")  # fmt: skip
    for tick in (0, 0.25, 0.5, 0.75, 1):
        scale.plot([tick, tick], [-0.06, 0.06], color=DARK, lw=1)
        scale.text(tick, 0.2 if tick != round(ceiling, 2) else -0.2, f"{tick:g}", ha="center", fontsize=9,
                   va="bottom" if tick != round(ceiling, 2) else "top", color="#555555")  # fmt: skip
    scale.set(xlim=(-0.02, 1.02), ylim=(-1, 1), xticks=[], yticks=[])
    scale.spines[:].set_visible(False)
    return fig


def clarity(chance_of_agreeing, kept):
    """How clear utterances are (share of listeners who hear the same), all of them and those that are kept."""
    fig, ax = sheet(6.6, 2.7)
    edges = np.linspace(0, 1, 41)
    ax.hist(chance_of_agreeing, edges, color="#cccccc")
    ax.hist(chance_of_agreeing[kept], edges, color=OURS, hatch="////", edgecolor="white", lw=0)
    top = ax.get_ylim()[1]
    ax.text(0.30, 0.86 * top, "grey: all utterances", fontsize=10, color="#555555", ha="center")
    ax.text(0.30, 0.72 * top, "blue: those that are kept", fontsize=10, color="#015082", ha="center")
    ax.set(xlabel="how clear an utterance is: share of all people who hear the same", yticks=[], xlim=(0, 1))
    ax.spines["left"].set_visible(False)
    return fig


def balance(counts):
    """Shares of the four classes, a bar per row of `counts` (columns: emotions)."""
    fig, ax = sheet(6.2, 0.5 * len(counts) + 0.9)
    rows = list(counts.index)[::-1]
    shares = counts.div(counts.sum(axis=1), axis=0)
    for y, row in enumerate(rows):
        left = 0
        for emotion in EMOTIONS:
            share = shares.loc[row, emotion]
            ax.barh(
                y, share, left=left, color=EMOTION_COLOURS[emotion], hatch=HATCHES[emotion], edgecolor="white"
            )
            ax.text(left + share / 2, y, f"{100 * share:.0f}", ha="center", va="center", fontsize=10,
                    bbox={"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 1.5})  # fmt: skip
            left += share
    left = 0
    for emotion in EMOTIONS:  # the names stand over the top bar's parts
        share = shares.loc[rows[-1], emotion]
        ax.text(left + share / 2, len(rows) - 0.42, emotion, ha="center", fontsize=10, color=INK[emotion])
        left += share
    ax.set(
        xlim=(0, 1),
        yticks=range(len(rows)),
        yticklabels=[f"{row}, {counts.loc[row].sum():,}" for row in rows],
    )
    ax.set(
        xticks=[0, 0.25, 0.5, 0.75, 1],
        xticklabels=["0", "25", "50", "75", "100"],
        ylim=(-0.5, len(rows) - 0.1),
    )
    ax.set_xlabel("share of the utterances (%)")
    ax.spines["left"].set_visible(False)
    return fig


def flagged(share, rates):
    """A hundred people whom a recogniser calls angry, at this `share` of angry ones: how many are?

    `rates`: by true class, the share that is answered "angry"; those who are not angry are taken as neutral.
    """
    right = share * rates["angry"]
    wrong = (1 - share) * rates["neutral"]
    truly = round(100 * right / (right + wrong))
    fig, (ax, told) = sheet(6.8, 3.0, 1, 2, width_ratios=(1.1, 1))
    for number in range(100):
        x, y = number % 10, 9 - number // 10
        if number < truly:
            ax.scatter(x, y, s=110, marker="X", color=EMOTION_COLOURS["angry"])
        else:
            ax.scatter(x, y, s=80, marker="o", facecolor="white", edgecolor="#777777")
    ax.set(xlim=(-0.7, 9.7), ylim=(-0.7, 9.7), aspect="equal")
    ax.axis("off")
    told.axis("off")
    told.set(xlim=(0, 1), ylim=(0, 1))
    told.text(0, 0.86, "100 whom it calls angry", fontsize=12, weight="bold")
    told.scatter(0.04, 0.66, s=110, marker="X", color=EMOTION_COLOURS["angry"])
    told.text(0.12, 0.66, f"{truly} are angry", fontsize=12, va="center", color=INK["angry"])
    told.scatter(0.04, 0.46, s=80, marker="o", facecolor="white", edgecolor="#777777")
    told.text(0.12, 0.46, f"{100 - truly} are not", fontsize=12, va="center")
    told.text(
        0,
        0.2,
        f"where {100 * share:g} % of all\nspeakers are angry",
        fontsize=11,
        color="#555555",
        va="center",
    )
    return fig
