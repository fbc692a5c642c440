"""The figure of the landing page: the paper's gain beside ours."""

import numpy as np

from sergan.evaluation import BOUND
from sergan.plots import MARK, OURS, sheet
from sergan.plots.ablations import FUSED, OTHER, band

MARKS = {"speaker": ("o", OURS, "unseen\nspeakers"), "paper": ("D", FUSED, "random\nsplit")}
"""Mark, colour and heading of each split."""


def landing(rows: list[dict], contrasts: dict, corpora: dict):
    """Every difference with its interval under the paper's; `rows` as `sergan.evidence.rows` gives them.

    Narrow, so that it can be read on a phone. An open mark has no interval.
    """
    place, heads, y = (
        {("paper", "IEMOCAP"): 0.0},
        [(0.95, "the paper: BAGM − BAM, known speakers", MARK)],
        -1.3,
    )
    for name, title in contrasts.items():
        heads.append((y, title, "#222222"))
        for corpus in corpora:
            y -= 0.95
            place[name, corpus] = y
        y -= 1.3
    fig, ax = sheet(4.6, 7.2)
    fig.set_layout_engine("none")
    ax.set_position([0.19, 0.075, 0.51, 0.92])
    shown = [x for row in rows if row["wa"] is not None for x in row["wa"] if x is not None]
    low, high = max(min([-8.0, *shown]) - 5, -60), min(max([8.0, *shown]) + 1, 30)
    ax.set(xlim=(low, high), ylim=(min(place.values()) - 0.6, 3.1))
    band(ax)
    text = {"fontsize": 9.5, "va": "center", "transform": ax.get_yaxis_transform()}
    columns = {"speaker": 1.17, "paper": 1.44}
    for split, (marker, colour, heading) in MARKS.items():
        ax.text(columns[split], 2.5, heading, color=colour, ha="center", **text)
        ax.plot(
            columns[split], 1.65, marker, color=colour, ms=6.5, clip_on=False, transform=text["transform"]
        )
    for at, title, colour in heads:
        ax.text(-0.36, at, title, color=colour, ha="left", weight="bold", **text)
    ax.plot(BOUND, 0, "X", color=MARK, ms=9, mfc="white", mew=1.5, zorder=5)
    ax.text(columns["paper"], 0, f"+{BOUND}", color=MARK, ha="center", **text)
    for row in rows:
        marker, colour, _ = MARKS[row["split"]]
        y, column = place[row["contrast"], row["corpus"]], columns[row["split"]]
        if row["wa"] is None:
            ax.text(column, y, "–", color=OTHER, ha="center", **text)
            continue
        mean, *ends = row["wa"]
        ax.text(column, y, f"{mean:+.1f}".replace("-", "−"), color=colour, ha="center", **text)
        y += 0.17 if row["split"] == "speaker" else -0.17
        if ends[0] is not None:
            ax.plot(np.clip(ends, low, high), [y, y], color=colour, lw=2, zorder=3)
        inside = low <= mean <= high
        ax.plot(np.clip(mean, low, high), y, marker if inside else "<" if mean < 0 else ">", color=colour, ms=6.5,
                mfc="white" if ends[0] is None else colour, mew=1.5, zorder=4, clip_on=False)  # fmt: skip
    ax.set_yticks(list(place.values()), [corpora.get(corpus, corpus) for _, corpus in place])
    ax.tick_params(axis="y", length=0)
    ax.tick_params(labelsize=9.5)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("difference in WA, points", fontsize=9.5)
    return fig
