"""Figures of chapter 2, frames, energy, spectrum."""

import matplotlib.pyplot as plt
import numpy as np

from sergan.plots import DPI, MARK, OURS, THEIRS, sheet


def frames(signal, rate, window, hop, start, count=4):
    """A signal, and below it a closer look from sample `start` on with the first `count` frames as brackets."""
    fig, (top, bottom) = sheet(7.2, 4.0, 2, 1)
    time_s = np.arange(len(signal)) / rate
    top.plot(time_s, signal, color=OURS, lw=0.5)
    stop = start + window + count * hop
    top.axvspan(start / rate, stop / rate, color=THEIRS, alpha=0.5)
    top.set(xlabel="time (s)", ylabel="sample", xlim=(0, time_s[-1]))
    part = signal[start:stop]
    bottom.plot(1000 * time_s[start:stop], part, color=OURS, lw=0.9)
    low, step = part.min(), 0.14 * np.ptp(part)
    for k in range(count):
        left, right = (1000 * (start + k * hop + end) / rate for end in (0, window))
        y = low - (k + 1) * step
        bottom.plot([left, left, right, right], [y + 0.3 * step, y, y, y + 0.3 * step], color=MARK, lw=1.4)
        bottom.annotate(
            f"frame {start // hop + k}", (right, y), xytext=(4, 0), textcoords="offset points", va="center"
        )
    bottom.set(xlabel="time (ms)", ylabel="sample", xlim=(1000 * start / rate, 1000 * stop / rate))
    return fig


def overlay(pairs, hop_s, ylabels):
    """Pairs (ours, openSMILE's) over time, one row each: openSMILE's wide and light, ours thin on top."""
    fig, axes = sheet(7.2, 1.5 * len(pairs) + 0.7, len(pairs), 1, sharex=True)
    for ax, (ours, theirs), ylabel in zip(np.ravel(axes), pairs, ylabels, strict=True):
        ax.plot(hop_s * np.arange(len(theirs)), theirs, color=THEIRS, lw=4, alpha=0.6, label="openSMILE")
        ax.plot(hop_s * np.arange(len(ours)), ours, color=OURS, lw=1.2, label="ours")
        ax.set_ylabel(ylabel)
    np.ravel(axes)[0].legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    np.ravel(axes)[-1].set_xlabel("start of the frame (s)")
    return fig


def decibels(amplitude, floor=-80):
    """Amplitudes in decibels below their largest, not below `floor`.

    >>> decibels(np.array([1.0, 0.1, 0.0])).tolist()
    [0.0, -20.0, -80.0]
    """
    amplitude = np.asarray(amplitude, dtype=float)
    return 20 * np.log10(np.maximum(amplitude / amplitude.max(), 10 ** (floor / 20)))


def spectra(versions, rate, size=512):
    """Signals by name, each over its samples on the left and its magnitude spectrum in decibels on the right."""
    fig, axes = sheet(7.2, 1.7 * len(versions) + 0.3, len(versions), 2, sharex="col")
    for row, (name, signal) in zip(axes, versions.items(), strict=True):
        row[0].plot(1000 * np.arange(len(signal)) / rate, signal, color=OURS, lw=0.9)
        row[0].set_title(name, fontsize=10, loc="left")
        magnitude = np.abs(np.fft.rfft(signal, size))
        row[1].plot(np.fft.rfftfreq(size, 1 / rate) / 1000, decibels(magnitude), color=OURS, lw=0.9)
        row[1].set(ylabel="dB", ylim=(-82, 4))
        row[1].grid(color="#dddddd")
        row[1].set_axisbelow(True)
    axes[-1, 0].set_xlabel("time in the frame (ms)")
    axes[-1, 1].set_xlabel("frequency (kHz)")
    return fig


def filterbank(filters, rate):
    """Triangular filters `(bands, bins)` over frequency, every second one dashed."""
    fig, ax = sheet(7.2, 2.3)
    frequency = np.linspace(0, rate / 2, filters.shape[1]) / 1000
    for number, weights in enumerate(filters):
        ax.plot(frequency, weights, color=MARK if number % 2 else OURS, ls="--" if number % 2 else "-", lw=1)
    ax.set(xlabel="frequency (kHz)", ylabel="weight", xlim=(0, rate / 2000), ylim=(0, 1.05))
    return fig


def sliding(signal, rate, start, windowed, magnitude, log_bands, centres):
    """A frame from sample `start` on: its place, its windowed samples, its spectrum, and its mel bands at `centres`.

    Small and plain, because a figure that moves holds many of them.
    """
    with plt.rc_context(
        {"font.size": 8.5, "axes.labelsize": 8.5, "xtick.labelsize": 8, "ytick.labelsize": 8}
    ):
        fig = plt.figure(figsize=(5.4, 3.5), dpi=DPI, facecolor="white")
        whole = fig.add_axes((0.10, 0.83, 0.88, 0.15))
        samples = fig.add_axes((0.10, 0.13, 0.33, 0.48))
        spectrum = fig.add_axes((0.58, 0.42, 0.40, 0.26))
        bands = fig.add_axes((0.58, 0.13, 0.40, 0.20))
        plain = {"color": OURS, "antialiased": False}
        step = 80
        parts = signal[: len(signal) // step * step].reshape(-1, step)
        time_s = np.arange(len(parts)) * step / rate
        whole.fill_between(time_s, parts.min(axis=1), parts.max(axis=1), lw=0, step="mid", **plain)
        whole.axvspan(start / rate, (start + len(windowed)) / rate, color=MARK)
        whole.set(xlim=(0, time_s[-1]), yticks=[])
        whole.set_xlabel("time (s)", labelpad=1)
        samples.plot(1000 * np.arange(len(windowed)) / rate, windowed, lw=0.9, **plain)
        limit = max(np.abs(windowed).max(), 1e-4)
        samples.set(ylim=(-1.1 * limit, 1.1 * limit), xticks=[0, 10, 20])
        samples.ticklabel_format(axis="y", scilimits=(-2, 2))
        samples.set_xlabel("time in the frame (ms)", labelpad=1)
        samples.set_title("windowed samples", fontsize=8.5, loc="right", pad=3)
        hertz = np.linspace(0, rate / 2, len(magnitude)) / 1000
        spectrum.plot(hertz, 20 * np.log10(np.maximum(magnitude, 1e-4)), lw=0.9, **plain)
        spectrum.set(xlim=(0, rate / 2000), ylim=(-75, 25), yticks=[-60, -30, 0])
        spectrum.set_title("spectrum (dB)", fontsize=8.5, loc="right", pad=2)
        spectrum.tick_params(labelbottom=False)
        bands.vlines(np.asarray(centres) / 1000, 0, log_bands, lw=2.2, **plain)
        bands.set(xlim=(0, rate / 2000), ylim=(0, 15))
        bands.set_xlabel("frequency (kHz)", labelpad=1)
        bands.set_title("26 mel bands (log)", fontsize=8.5, loc="right", pad=2)
        for ax in (whole, samples, spectrum, bands):
            ax.spines[["top", "right"]].set_visible(False)
    return fig


def envelope(log_bands, smooth):
    """The logarithms of one frame's bands, and what is left of them in a few coefficients."""
    fig, ax = sheet(7.2, 2.5)
    number = np.arange(1, len(log_bands) + 1)
    ax.plot(number, log_bands, "o-", color=THEIRS, lw=1, ms=4, label="26 bands")
    ax.plot(number, smooth, color=OURS, lw=2, label="rebuilt from the mean and 12 coefficients")
    ax.set(xlabel="band", ylabel="log of the band")
    ax.legend(frameon=False)
    return fig


def heatmaps(ours, theirs, names, hop_s):
    """Two matrices `(frames, columns)` and their difference as images over time, each with its own scale."""
    fig, axes = sheet(7.2, 6.0, 3, 1, sharex=True)
    both = max(np.abs(ours).max(), np.abs(theirs).max())
    gap = ours - theirs
    for ax, title, values, limit in zip(
        axes,
        ("ours", "openSMILE", "difference"),
        (ours, theirs, gap),
        (both, both, np.abs(gap).max()),
        strict=True,
    ):
        edges = hop_s * np.arange(len(values) + 1)
        image = ax.pcolormesh(
            edges,
            np.arange(len(names) + 1),
            values.T,
            cmap="RdBu_r",
            vmin=-limit,
            vmax=limit,
            rasterized=True,
        )
        bar = fig.colorbar(image, ax=ax, pad=0.01)
        bar.formatter.set_powerlimits((-3, 3))
        ax.set_title(title, fontsize=10, loc="left")
        ax.set(yticks=np.arange(len(names))[::3] + 0.5, yticklabels=names[::3], ylabel="MFCC")
        ax.tick_params(axis="y", length=0)
    axes[-1].set_xlabel("start of the frame (s)")
    return fig
