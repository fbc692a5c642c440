"""Checks of chapter 2's exercises."""

from __future__ import annotations

from sergan.checks import check


@check("a factor becomes a summand in the logarithm, and the cosines do not see a summand.")
def volume(rms, mfcc, zcr):
    """By which factor halving the signal changes RMS, the MFCC and the zero-crossing rate (1: no change)."""
    if zcr != 1:
        return "zcr: half of a positive number is positive; signs do not change, and zeros stay zeros."
    if rms == 0.25:
        return "rms: a quarter is right for the mean square; the root brings it back."
    if rms != 0.5:
        return "rms: put 0.5 x for x into its definition and take the 0.5 out of the root."
    if mfcc == 0.5:
        return "mfcc: the magnitudes are halved, but their logarithm comes next: a factor becomes a summand there."
    if mfcc != 1:
        return "mfcc: every log band falls by ln 2; what do cosines that sum to zero make of a constant?"
    return None


@check("low tones hardly count in this energy, because pre-emphasis takes them away.")
def tone(answer):
    """`answer`: `(crossing rate, RMS by its definition)` of a tone of 3,000 Hz and amplitude 0.5."""
    rate, rms = (float(value) for value in answer)
    if abs(rate - 3000 / 16000) < 0.01:
        return "the crossing rate: a period crosses zero twice, once up and once down."
    if rate > 1:
        return "the crossing rate is crossings per sample, so it is at most 1."
    if abs(rate - 0.375) > 0.01:
        return "the crossing rate: two crossings per period, divided by 16,000 samples per second."
    if abs(rms - 0.5) < 0.005:
        return "RMS: 0.5 is the largest value of the tone, not the root of the mean of its squares."
    if abs(rms - 0.25) < 0.005 or abs(rms - 0.125) < 0.001:
        return "RMS: the mean of the squares of a sine is half of the squared amplitude; then take the root."
    if abs(rms - 0.5 / 2**0.5) > 0.005:
        return "RMS: the mean of sin² over whole periods is one half."
    return None


@check(
    "a smooth rising curve is added to every log spectrum, and the first cosine is the one that compares low with high."
)
def pre_emphasis(answer):
    """`answer`: `(number of the MFCC that moves most, "one factor" or "other factors" for the energy)`."""
    number, energy = answer
    if energy not in ("one factor", "other factors"):
        return 'say "one factor" or "other factors" for the energy.'
    if number == 0:
        return "there is no MFCC 0 among the 32 columns; they are numbered from 1."
    if number == 12:
        return "12 is the finest ripple; pre-emphasis changes the spectrum by a smooth slope."
    if number != 1:
        return "which of the cosines falls once from the lowest band to the highest, as a slope does?"
    if energy == "one factor":
        return "the energy: pre-emphasis weakens low frequencies only, and sounds differ in how much they have of them."
    return None


@check("511 whole frames end after 5,125 ms, and nearly another hop fits behind the last.")
def longest_s(answer):
    """The longest utterance, in seconds, whose rows fit into 512."""
    answer = float(answer)
    if answer > 100:
        return "in seconds, please."
    if 5.1245 <= answer <= 5.1351:
        return None
    if abs(answer - 5.12) < 0.001:
        return "512 x 10 ms are the starts of 512 frames; the last frame also has a length, and a row is repeated."
    if 5.1349 < answer < 5.1461:
        return "one row too many: openSMILE's last row is the repeated one, so only 511 are whole frames."
    if abs(answer - 12.8) < 0.01:
        return "frames overlap: each starts 10 ms after the one before, not 25."
    return "start k begins at 10 k ms; ask where the frame number 510 (counted from 0) ends."
