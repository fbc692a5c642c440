"""The figure of the page on trust: what a long sweep needs, run after run."""

import numpy as np

from sergan.plots import MARK, OURS, THEIRS, sheet


def soak(found: dict):
    """Memory in MB and open files of each sweep over its runs; `found` as `benchmarks/soak.json` has it."""
    fig, (memory, files) = sheet(6.4, 4.6, 2, sharex=True, height_ratios=[2, 1])
    styles = zip(("-", "--", ":"), (OURS, THEIRS, MARK), strict=True)
    for (name, one), (style, colour) in zip(found.items(), styles, strict=False):
        runs = one["every"] * np.arange(1, len(one["megabytes"]) + 1)
        memory.plot(runs, one["megabytes"], style, color=colour, label=name)
        files.plot(runs, one["files"], style, color=colour)
    memory.set(ylabel="memory, MB", ylim=(0, None))
    files.set(ylabel="open files", xlabel="runs done", ylim=(0, None))
    fig.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return fig
