"""Figures of chapter 7, negative labels."""

import numpy as np
import torch

from sergan import EMOTIONS
from sergan.objectives import OBJECTIVES
from sergan.plots import EMOTION_COLOURS, MARK, OURS, THEIRS, sheet

#: How each reading is drawn: colour, line style, width. `fused` lies under `uniform` where they agree.
STYLES = {
    "zero": ("#000000", "-", 1.5),
    "fused": (THEIRS, "-", 7),
    "uniform": (OURS, "-", 2.2),
    "softmax_bce": ("#cc78bc", "-", 2.2),
    "sigmoid_bce": ("#029e73", "-", 2.2),
    "k_plus_one": (MARK, ":", 2.6),
}

#: The corners of a triangle of answers in which happy and sad are equally probable, and what stands at each.
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.866]])
CORNER_NAMES = ("angry", "neutral", "happy = sad")

LETTERS = dict(zip(EMOTIONS, "ANHS", strict=True))


def place(p):
    """Answers `(..., 4)` with happy = sad as places `(..., 2)` in the triangle."""
    p = np.asarray(p)
    return np.stack([p[..., 0], p[..., 1], p[..., 2] + p[..., 3]], axis=-1) @ CORNERS


def pull(reading, p, level):
    """What a generated sample does where the answers are `p` `(n, 4)` and logsumexp is `level`.

    Returns for a step of size 1 against the gradient of the generated loss, to first order: the change of the
    softmax probabilities `(n, 4)` and of logsumexp `(n,)`.
    """
    p = torch.as_tensor(np.atleast_2d(p), dtype=torch.float64)
    z = (p.log() + level).requires_grad_()
    (OBJECTIVES[reading].fake(z) * len(z)).backward()  # a mean over rows: each row's own gradient
    mean = (p * z.grad).sum(1, keepdim=True)
    return (-p * (z.grad - mean)).numpy(), -mean[:, 0].numpy()


def fix(fig, **sides):
    """Keep the axes where they are: pictures behind sliders must not jump, and are drawn faster."""
    fig.set_layout_engine(None)
    fig.subplots_adjust(**sides)


def triangle(ax, size=10):
    """An empty triangle of answers, its corners named."""
    ax.fill(*CORNERS.T, facecolor="#f6f6f6", edgecolor="#888888", lw=1)
    ax.set(xlim=(-0.2, 1.2), ylim=(-0.14, 0.99), aspect="equal")
    ax.axis("off")
    for (x, y), name, below in zip(CORNERS, CORNER_NAMES, (True, True, False), strict=True):
        ax.text(
            x,
            y - 0.03 if below else y + 0.02,
            name,
            ha="center",
            va="top" if below else "bottom",
            fontsize=size,
        )


def forms(scale, gap):
    """Both cross-entropies and their difference, over the sum of the label: from `[0, 0, 0, 0]` to one-hot.

    `scale` are sums of the label, `gap` maps names to losses at each.
    """
    fig, ax = sheet(7.2, 3.0)
    for (name, values), colour, style in zip(
        gap.items(), (OURS, MARK, "#666666"), ("-", "-", "--"), strict=True
    ):
        ax.plot(scale, values, style, color=colour, lw=2)
        at = len(scale) // 3 if name == "difference" else len(scale) // 2
        shift = (0, -16) if name == "difference" else (6, 6)
        ha = "right" if name == "difference" else "left"
        ax.annotate(name, (scale[at], values[at]), shift, textcoords="offset points", color=colour, ha=ha)
    ax.axvline(1, color="#bbbbbb", lw=1, zorder=0)
    ax.set(xlabel="sum of the label: from [0, 0, 0, 0] to [1, 0, 0, 0]", ylabel="loss (nats)", xlim=(0, 1.02))
    return fig


#: Readings whose loss is a mean of four yes-or-no questions: their arrows are drawn four times as long in `fields`.
MEANS_OF_FOUR = ("softmax_bce", "sigmoid_bce")


def fields(level=0.0, count=9):
    """For each reading a triangle of answers, and where a generated sample pushes them."""
    fig, axes = sheet(7.4, 5.2, 2, 3)
    grid = [(a, b, count - a - b) for a in range(1, count) for b in range(1, count - a)]
    thirds = np.array(grid) / count
    p = np.column_stack([thirds[:, :2], thirds[:, 2] / 2, thirds[:, 2] / 2])
    for ax, name in zip(axes.flat, OBJECTIVES, strict=True):
        triangle(ax, 9)
        move, _ = pull(name, p, level)
        if np.abs(move).max() > 1e-9:
            times = 4 if name in MEANS_OF_FOUR else 1
            arrows = dict(angles="xy", scale_units="xy", scale=0.9 / times, width=0.011, color=OURS)
            ax.quiver(*place(p).T, *place(move).T, **arrows)
        else:
            ax.plot(*place(p).T, ".", color="#888888", ms=4)
        ax.set_title(f"{name} (times 4)" if name in MEANS_OF_FOUR else name, fontsize=11, y=1.04)
    return fig


def arrows(angry, neutral, level):
    """One answer: what each reading does to it (arrows in the triangle), and to logsumexp (bars)."""
    p = answer(angry, neutral)
    fig, (left, right) = sheet(5.6, 2.5, 1, 2)
    fix(fig, left=0.01, right=0.99, top=0.9, bottom=0.19, wspace=0.05)
    triangle(left, 9.5)
    start = place(p)
    right.axvline(0, color="#888888", lw=1)
    for row, (name, (colour, style, width)) in enumerate(STYLES.items()):
        move, rise = pull(name, p, level)
        end = start + 4 * place(move[0])
        if np.abs(move).max() > 1e-9:
            left.plot(*zip(start, end, strict=True), style, color=colour, lw=width, solid_capstyle="round")
            left.plot(*end, "o", color=colour, ms=max(width, 4.5))
        right.barh(row, rise[0], color=colour, height=0.6)
        right.text(0.06, row, name, va="center", fontsize=9.5)
        text = f"{rise[0]:+.2f}" if abs(rise[0]) >= 0.005 else "0"
        right.text(min(rise[0], 0) - 0.03, row, text, ha="right", va="center", fontsize=9.5)
    left.plot(*start, "o", color="black", ms=8, mfc="white", mew=2)
    left.set_title("where the answer goes", fontsize=10)
    right.set_title("where logsumexp goes", fontsize=10)
    right.set(xlim=(-1.3, 0.75), ylim=(5.6, -0.6), yticks=[], xlabel="change per unit step")
    right.spines["left"].set_visible(False)
    return fig


def answer(angry, neutral):
    """Four probabilities: angry's, then neutral's share of the rest; happy and sad share what is left."""
    rest = 1 - angry
    return np.array([angry, rest * neutral, rest * (1 - neutral) / 2, rest * (1 - neutral) / 2])


def say_arrows(angry, neutral, level):
    """The numbers of `arrows` in words."""
    p = answer(angry, neutral)
    parts = []
    for name in STYLES:
        move, rise = pull(name, p, level)
        a = f"{move[0, 0] + 1e-9:+.3f}" if abs(move[0, 0]) >= 5e-4 else "0"
        b = f"{rise[0] + 1e-9:+.2f}" if abs(rise[0]) >= 5e-3 else "0"
        parts.append(f"{name} {a} and {b}")
    return (
        f"Angry {p[0]:.2f}, neutral {p[1]:.2f}, happy and sad {p[2]:.2f} each; logsumexp {level}. "
        "Change of angry's probability and of logsumexp per unit step: " + "; ".join(parts) + "."
    )


def regions(grid, probabilities, x, labels, fake, title):
    """A toy's answers: colour is the most probable class, white where no class is probable.

    `grid` are the coordinates of both axes, `probabilities` `(len(grid) ** 2, 4)`; `x` `(n, 2)` real points and
    their `labels`; `fake` `(m, 2)` generated ones.
    """
    fig, ax = sheet(4.4, 3.7)
    fix(fig, left=0.14, right=0.99, top=0.92, bottom=0.14)
    colours = np.array([[int(EMOTION_COLOURS[e][k : k + 2], 16) / 255 for k in (1, 3, 5)] for e in EMOTIONS])
    best = probabilities.argmax(axis=1)
    strength = np.round(6 * np.clip(probabilities.max(axis=1), 0, 1)) / 6  # few shades: small pictures
    image = 1 - 0.62 * strength[:, None] * (1 - colours[best])
    ax.imshow(
        image.reshape(len(grid), len(grid), 3), extent=(grid[0], grid[-1]) * 2, origin="lower", zorder=0
    )
    for k, emotion in enumerate(EMOTIONS):
        some = x[labels == k][:14]
        for a, b in some:
            ax.text(a, b, LETTERS[emotion], ha="center", va="center", fontsize=9, clip_on=True)
    ax.plot(*fake.T, "x", color="black", ms=7, mew=1.6)
    ax.set(
        xlim=grid[[0, -1]], ylim=grid[[0, -1]], xlabel="feature 1 (invented)", ylabel="feature 2 (invented)"
    )
    ax.set_title(title, fontsize=10)
    return fig


def runaway(steps, levels, accuracy, names):
    """Logsumexp on generated points, and accuracy in percent on new real ones, over training steps."""
    fig, (top, bottom) = sheet(6.2, 4.2, 2, 1, sharex=True)
    fix(fig, left=0.14, right=0.97, top=0.97, bottom=0.12, hspace=0.12)
    for name, level, right in zip(names, levels, accuracy, strict=True):
        colour, dash = (THEIRS, "-") if name == "fused" else (MARK, "--")
        top.plot(steps, level, dash, color=colour, lw=2.2)
        bottom.plot(steps, right, dash, color=colour, lw=2.2, label=name)
    top.set_yscale("symlog", linthresh=10)
    top.set(ylabel="logsumexp (symlog)", ylim=(-2e5, 20), yticks=(10, 0, -10, -1e2, -1e3, -1e4, -1e5))
    bottom.set(xlabel="training steps", ylabel="accuracy (%)", ylim=(0, 100), xlim=(steps[0], steps[-1]))
    bottom.legend(frameon=False, loc="lower left")
    return fig


def momentum(sizes, real):
    """Adam's steps in learning rates: the first `real` on gradients of 1, the others on gradients of 0."""
    fig, ax = sheet(7.2, 3.0)
    steps = np.arange(len(sizes)) - real + 1
    ax.bar(steps[:real], sizes[:real], color="#999999", width=0.7)
    ax.bar(steps[real:], sizes[real:], color=OURS, width=0.7)
    ax.axvline(0.5, color="#444444", lw=1)
    ax.text(0.2, 1.03, "gradient 1", ha="right", fontsize=10, color="#555555")
    ax.text(0.8, 1.03, "gradient 0: it goes on", fontsize=10, color=OURS)
    ax.set(xlabel="step, counted from the last real gradient", ylabel="step size (lr)", ylim=(0, 1.12))
    return fig


def travelled(plain, other, ratio, beta_1):
    """How far weights have come along the real gradient, alone and with a second step after each."""
    fig, ax = sheet(5.6, 2.9)
    fix(fig, left=0.13, right=0.96, top=0.9, bottom=0.18)
    steps = np.arange(1, len(plain) + 1)
    factor = np.sqrt(2 / (1 + ratio**2))
    ax.plot(steps, plain, color="#666666", lw=2)
    ax.plot(steps, other, color=OURS, lw=2.4)
    ax.plot(steps, factor * plain, "--", color=MARK, lw=1.6)
    names = (
        "real steps alone",
        f"with a second step of {ratio:g} times the size",
        f"first line times {factor:.2f}",
    )
    for k, (name, colour) in enumerate(zip(names, ("#666666", OURS, MARK), strict=True)):
        ax.text(0.02, 0.95 - 0.1 * k, name, transform=ax.transAxes, color=colour, va="top")
    ax.set(xlabel="real steps", ylabel="mean distance (lr)", ylim=(0, 420), xlim=(0, len(plain)))
    ax.set_title(f"beta_1 = {beta_1:g}", fontsize=10)
    return fig


def losses(curves, stretched):
    """Training loss per epoch by run; `stretched` names the curve to draw once more with its epochs over sqrt(2)."""
    fig, ax = sheet(7.2, 3.6)
    styles = {"BAM": ("#666666", "-", 2), "BAM, placebo": (THEIRS, "-", 6), "BAGM, zero": (OURS, "--", 2)}
    for name, values in curves.items():
        colour, dash, width = styles[name]
        ax.plot(np.arange(1, len(values) + 1), values, dash, color=colour, lw=width, label=name)
    values = curves[stretched]
    faster = np.arange(1, len(values) + 1) / np.sqrt(2)
    ax.plot(faster, values, ":", color=MARK, lw=2, label=f"{stretched}, its epochs divided by the root of 2")
    ax.set(xlabel="epoch", ylabel="training loss (nats)", xlim=(0, len(values) + 0.5))
    ax.legend(frameon=False)
    return fig


def priors(shares, answers):
    """What the discriminator answers, on average, to generated points, beside the shares of the classes."""
    fig, ax = sheet(7.2, 3.0)
    x = np.arange(len(EMOTIONS))
    tones = [EMOTION_COLOURS[e] for e in EMOTIONS]
    ax.bar(x - 0.2, shares, 0.36, color="white", edgecolor=tones, lw=2, hatch="//")
    ax.bar(x + 0.2, answers, 0.36, color=tones)
    for k, (share, mean) in enumerate(zip(shares, answers, strict=True)):
        for shift, value, name in ((-0.2, share, "share"), (0.2, mean, "answer")):
            ax.text(k + shift, value + 0.006, name, ha="center", fontsize=9)
    ax.set(xticks=x, ylabel="probability", ylim=(0, 0.5))
    ax.set_xticklabels(EMOTIONS)
    return fig
