"""The paper's 32 features per 10 ms: openSMILE's descriptors of the Interspeech 2009 emotion challenge.

    audio file --read--> mono, 16 kHz --from_signal--> (frames, 32)       extract: both, many files, cached

Ko and Kim (2019), section 3.1, take RMS energy, 12 MFCC, zero-crossing rate, voicing probability, F0 and the
deltas of these 16, from windows of 25 ms every 10 ms. openSMILE (Eyben, Wöllmer and Schuller, ACM Multimedia
2010) names that set IS09 (Schuller, Steidl and Batliner, Interspeech 2009) and gives all of it in one pass.
Its licence is for non-commercial use, teaching and research included, and covers the features made with it.

What is slow to import (openSMILE, pandas, joblib) is imported where it is used, so that `NAMES` and a saved
features file serve on a machine without audio.
"""

import hashlib
import json
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache as remember
from importlib import import_module, metadata
from pathlib import Path

import numpy as np

from sergan import SerganError
from sergan.files import replacing, whole_zip

RATE = 16_000  # Hz; IEMOCAP's own; another rate would give other mel bands
WINDOW_S, HOP_S = 0.025, 0.010  # the paper's section 3.1
LONGEST_S = 600  # of a recording
LARGEST = 2**26  # samples of all its channels

_MFCC = tuple(f"pcm_fftMag_mfcc_sma[{i}]" for i in range(1, 13))
_BASE = ("pcm_RMSenergy_sma", *_MFCC, "pcm_zcr_sma", "voiceProb_sma", "F0_sma")

#: The 32 columns of every sequence, in openSMILE's names and order: 16 descriptors, then their 16 deltas.
NAMES = (*_BASE, *(name.replace("_sma", "_sma_de") for name in _BASE))

_STATISTICS = ("max", "min", "range", "maxPos", "minPos", "amean")
_STATISTICS += ("linregc1", "linregc2", "linregerrQ", "stddev", "skewness", "kurtosis")

#: The 384 functionals of a whole utterance: 12 statistics of each of the 32 columns.
FUNCTIONALS = tuple(f"{name}_{statistic}" for name in NAMES for statistic in _STATISTICS)

_LEVELS = {"lld;lld_de": NAMES, "func": FUNCTIONALS}  # openSMILE's names of the two levels


class AudioError(SerganError):
    """One recording that cannot be described: which, why, and what to do."""


class AudioErrors(SerganError):
    """All the recordings of one call that cannot be described; `errors` maps each file to its sentence."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = errors

    def __str__(self):
        remedy = 'mend them, or leave them out with on_error="skip" (--on-error skip)'
        return f"{_summary(self.errors, 3)} To go on, {remedy}."


def _summary(errors, most):
    count = "1 file" if len(errors) == 1 else f"{len(errors)} files"
    rest = [f"And {len(errors) - most} more."] if len(errors) > most else []
    return " ".join([f"No features from {count}.", *list(errors.values())[:most], *rest])


# ------------------------------------------------------------------------------------------ one recording


def read(file):
    """Signal of an audio file as openSMILE gets it: mono, 16 kHz, float32 `(samples,)`.

    Channels are averaged, other rates resampled (soxr, through audresample), then all is clipped to
    [-1, 32767/32768]. WAV, FLAC, OGG and MP3 are read directly, unknown formats through ffmpeg or sox.

    Raises `AudioError` when the file is missing, a folder, forbidden, empty, cut short, damaged, not audio,
    or holds NaN or infinite samples.
    """
    return _decode(file, _bytes(file))


def from_signal(signal, rate=RATE, *, name="the signal"):
    """The 32 features of a signal: float32 `(frames, 32)`, a row per 10 ms, columns `NAMES`.

    `signal` holds floats in [-1, 1] at `rate` Hz, `(samples,)` or `(channels, samples)`; errors call it `name`.
    The rows are openSMILE's to the last bit: as many as full windows, and one more at the end.

    Raises `AudioError` when it is shorter than a window, silent, not finite, or not floats.

    >>> tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)  # one second
    >>> from_signal(tone).shape
    (99, 32)
    """
    return _describe(_prepare(signal, rate, name), "lld;lld_de", name)


def _bytes(file):
    try:
        content = Path(file).read_bytes()
    except FileNotFoundError:
        raise AudioError(f"{file} does not exist: check the path.") from None
    except (OSError, TypeError, ValueError) as error:  # the last two: no path, a null character in it
        if isinstance(error, OSError) and os.path.isdir(file):
            problem = "is a folder, not an audio file: name the files in it"
        elif isinstance(error, PermissionError):
            problem = "may not be read: change its permissions, or copy it"
        else:
            problem = f"cannot be read ({error}): check the path and the disk"
        raise AudioError(f"{file} {problem}.") from None
    if not content:
        raise AudioError(f"{file} is empty (0 bytes): copy or download it again.")
    return content


def _audio(package):
    try:
        return import_module(package)
    except (ImportError, OSError) as error:  # OSError: no libsndfile
        raise SerganError(f"Audio cannot be read here: `pip install {package}` ({error}).") from error


def _decode(file, content):
    audiofile = _audio("audiofile")
    # libsndfile reads a WAV that was cut short without a word. Sizes from about 2**31 on mean "a stream".
    size = int.from_bytes(content[4:8], "little") + 8 if content[:4] == b"RIFF" else 0
    if len(content) + 1024 < size < 2**31 - 2**16:
        raise AudioError(f"{file} is shorter than its header says: copy or download it again.")
    if too_long := _too_long(file):
        raise AudioError(f"{file} is {too_long}: cut it into utterances.")
    try:  # from the path: decoding `content` calls back into Python, which costs a tenth of the throughput
        signal, rate = audiofile.read(str(file))
    except Exception:  # decoders raise many kinds
        remedy = "copy it again, or convert it to WAV or FLAC"
        raise AudioError(f"{file} is damaged, or not audio that can be read here: {remedy}.") from None
    return _prepare(signal, rate, file)


def _too_long(file):
    """How long a file is by its header, if that is more than would be read; what a few bytes can claim has no end."""
    soundfile = _audio("soundfile")
    try:
        about = soundfile.info(str(file))
    except Exception:  # another format, or none: decoding says which
        return ""
    seconds = about.frames / max(about.samplerate, 1000)  # of a rate without sense decoding complains
    if about.frames * about.channels <= LARGEST and seconds <= LONGEST_S:
        return ""
    return f"longer than {LONGEST_S // 60} minutes" if about.channels < 9 else f"of {about.channels} channels"


def _prepare(signal, rate, name):
    """Mono, 16 kHz, clipped: float32 `(samples,)` from floats `(samples,)` or `(channels, samples)`."""
    signal = np.asarray(signal)
    if signal.dtype.kind != "f" or signal.ndim not in (1, 2):
        remedy = "give floats (samples,) or (channels, samples); divide 16-bit samples by 32768"
        raise AudioError(f"{name} is {signal.dtype} of shape {signal.shape}: {remedy}.")
    if not 1000 <= rate <= 768_000:
        raise AudioError(f"{name} has a rate of {rate} Hz, no rate of speech: mend its header.")
    peak = np.abs(signal).max(initial=0)
    if not np.isfinite(peak):
        raise AudioError(f"{name} holds NaN or infinite samples: export it again.")
    if peak > 100:
        raise AudioError(f"{name} has samples as large as {peak:.0f}: scale them to [-1, 1].")
    signal = signal.astype(np.float32, copy=False)
    if signal.ndim == 2:
        signal = signal.mean(axis=0)  # (samples,)
    if rate != RATE and signal.size:
        signal = _audio("audresample").resample(signal, int(rate), RATE)[0]
    # openSMILE's wrapper casts x * 32768 to 16 bits unclipped: +1.0, where resampling overshoots, would wrap.
    return np.clip(signal, -1.0, 32767 / 32768)


def _describe(signal, level, name):
    if signal.size < WINDOW_S * RATE:
        raise AudioError(f"{name} is too short, under 25 ms: it does not fill one window, so leave it out.")
    if np.abs(signal).max() < 1 / 32768:  # openSMILE gets 16 bits
        raise AudioError(f"{name} is silent, all its samples are zero: record it again, or leave it out.")
    return np.ascontiguousarray(_smile(level)(signal, RATE)[0].T)  # (frames, 32) or (1, 384)


_MISSING = (
    "openSMILE does not run here: `pip install opensmile`, into a folder of ASCII letters (for musl and Windows"
    " on Arm there are no wheels: make a features file elsewhere, and use `load_file`)"
)


@remember
def _smile(level):
    # One object serves all threads: it keeps no state between calls.
    try:
        import opensmile

        smile = opensmile.Smile(opensmile.FeatureSet.IS09, feature_level=level)
    except (ImportError, OSError, RuntimeError, UnicodeEncodeError) as error:
        raise SerganError(f"{_MISSING} ({error}).") from error
    if tuple(smile.column_names) != _LEVELS[level]:
        raise SerganError("openSMILE's columns are not sergan's: `pip install opensmile==2.6.0`.")
    return smile


# --------------------------------------------------------------------------------------------- many files


def extract(files, *, on_error="stop", cache=True, jobs=None, progress=True):
    """The 32 features of each file: float32 `(frames, 32)` in the order of `files`, columns `NAMES`.

    on_error: "stop" tries all files, then raises one `AudioErrors` with what is wrong with each;
        "skip" puts None in the place of a file that fails, and lists them all in one warning.
    cache: True keeps features in the user's cache folder, or where SERGAN_CACHE points; a path keeps them
        there, False nowhere. An entry belongs to the audio's content and openSMILE's version: a renamed file
        is found, a changed one is not. Damaged entries are made anew, and the folder may always be deleted.
    jobs: files at a time, by default as many as cores. They are threads, and a part of openSMILE's wrapper
        holds Python's lock: on many cores call this under `joblib.parallel_config("loky")`, for processes.
    """
    return _run(files, "lld;lld_de", on_error, cache, jobs, progress)


def functionals(files, *, on_error="stop", cache=True, jobs=None, progress=True):
    """The 384 functionals of each file: float32 `(files, 384)`, columns `FUNCTIONALS`; options as `extract`.

    What a linear model gets (Schuller, Steidl and Batliner, 2009). Under "skip", a file that fails is NaN.
    """
    missing = np.full((1, len(FUNCTIONALS)), np.nan, np.float32)
    rows = _run(files, "func", on_error, cache, jobs, progress)
    return np.concatenate([missing[:0], *(missing if row is None else row for row in rows)])


def _run(files, level, on_error, cache, jobs, progress):
    from joblib import Parallel, delayed
    from tqdm import tqdm

    if on_error not in ("stop", "skip"):
        raise SerganError(f'on_error must be "stop" or "skip", not {on_error!r}.')
    if jobs is not None and jobs < 1:
        raise SerganError(f"jobs must be at least 1, or None for all cores, not {jobs}.")
    files = [files] if isinstance(files, (str, os.PathLike)) else list(files)
    folder, made_by = _folder(cache), _made_by(level)
    with tqdm(files, desc="features", unit="file", disable=None if progress else True) as bar:
        tasks = (delayed(_one)(file, level, folder, made_by) for file in bar)
        outcomes = Parallel(-1 if jobs is None else jobs, prefer="threads")(tasks)
    unkept = [problem for _, _, problem in outcomes if problem]
    if unkept:
        remedy = "set SERGAN_CACHE or cache= to a folder that can be written"
        warnings.warn(f"Features cannot be kept in {folder} ({unkept[0]}): {remedy}.", stacklevel=3)
    errors = {str(file): error for file, (_, error, _) in zip(files, outcomes, strict=True) if error}
    if errors and on_error == "stop":
        raise AudioErrors(errors)
    if errors:
        warnings.warn(_summary(errors, len(errors)), stacklevel=3)
    return [features for features, _, _ in outcomes]


def _one(file, level, folder, made_by):
    """Features or None, what is wrong with the audio or None, what is wrong with the cache or None."""
    try:
        state, content = _state(file), _bytes(file)
        if folder is None:
            return _describe(_decode(file, content), level, file), None, None
        key = hashlib.sha256(made_by + hashlib.sha256(content).digest()).digest()
        features = _recall(folder / key.hex(), key, len(_LEVELS[level]))
        if features is not None:
            return features, None, None
        features = _describe(_decode(file, content), level, file)
        if _state(file) != state:
            return features, None, None  # somebody is writing it: the key is not this audio's
    except AudioError as error:
        return None, str(error), None
    try:
        with replacing(folder / key.hex()) as out:
            numbers = features.astype("<f4").tobytes()
            out.write(hashlib.sha256(key + numbers).digest() + numbers)
    except OSError as error:
        return features, None, error.strerror or str(error)
    return features, None, None


def _state(file):
    """What changes when somebody writes the file; None where there is none."""
    with suppress(OSError, ValueError, TypeError):
        found = os.stat(file)
        return found.st_mtime_ns, found.st_size


# The cache is our own because joblib.Memory and diskcache do not verify what they read, and unpickle it.


def _folder(cache):
    if not cache:
        return None
    import platformdirs

    users = os.environ.get("SERGAN_CACHE") or platformdirs.user_cache_dir("sergan", appauthor=False)
    return Path(users if cache is True else cache)


@remember
def _made_by(level):
    """All that decides the features besides the audio; raise the last number when `_prepare` changes."""
    versions = _versions()
    if "opensmile" not in versions:
        raise SerganError(f"{_MISSING}.")
    return f"{versions['opensmile']} {versions.get('audresample')} IS09 {level} 1".encode()


def _versions():
    versions = {}
    for package in ("sergan", "opensmile", "audresample", "audiofile", "numpy"):
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def _recall(path, key, columns):
    """Features of an entry (32 bytes of digest over key and numbers, the numbers), None unless intact."""
    try:
        entry = path.read_bytes()
    except OSError:
        return None
    whole = hashlib.sha256(key + entry[32:]).digest() == entry[:32]
    if not whole or len(entry) == 32 or (len(entry) - 32) % (4 * columns):
        return None
    return np.frombuffer(entry, "<f4", offset=32).reshape(-1, columns).astype(np.float32)  # writable


# ------------------------------------------------------------------------------------------ features file

_FORMAT = "sergan features 1"


@dataclass(frozen=True)
class Features:
    """What a features file holds: a corpus's table, and the features of each of its rows."""

    corpus: str
    table: object  # DataFrame, index `utterance`, columns as `sergan.corpora.load` gives them
    sequences: list  # of float32 (frames, 32)
    functionals: np.ndarray  # float32 (utterances, 384)
    versions: dict  # package -> version, of what made the file


def save(path, *, corpus, table, sequences, functionals):
    """Write a corpus's table and features to one `.npz`, for machines without audio or openSMILE.

    Sequences are stored as 16-bit floats z = (x - offset) / scale, per column: scale is its deviation over
    the corpus, offset its mean, or 0 where a column has exact zeros (F0), so that these stay zeros. The error
    is at most |z| / 2048 deviations: under 0.0005 for |z| < 1, under 0.001 for |z| < 4 (half a step of such a
    float). Functionals are stored exactly; of `file`, only the name without folders.

    Raises `SerganError` when table and features do not belong together, or the file cannot be written.
    """
    shapes = {np.shape(sequence)[1:] for sequence in sequences if sequence is not None}
    if any(sequence is None for sequence in sequences) or shapes != {(len(NAMES),)}:
        raise SerganError("Each utterance needs a sequence (frames, 32): drop the table's rows without one.")
    frames = np.concatenate(sequences)  # (all frames, 32)
    functionals = np.asarray(functionals, dtype=np.float32)
    if len(table) != len(sequences) or functionals.shape != (len(table), len(FUNCTIONALS)):
        counts = f"{len(table)} rows, {len(sequences)} sequences, functionals {functionals.shape}"
        raise SerganError(f"Table and features do not belong together ({counts}): take the same utterances.")
    if not np.isfinite(frames).all() or not np.isfinite(functionals).all():
        raise SerganError("Features hold NaN or infinite numbers: drop the rows of files that failed.")

    scale = frames.std(axis=0, dtype=np.float64).astype(np.float32)
    scale[scale == 0] = 1
    mean = frames.mean(axis=0, dtype=np.float64).astype(np.float32)
    offset = np.where((frames == 0).any(axis=0), np.float32(0), mean)
    table = table.rename_axis("utterance").reset_index().astype(object)
    if "file" in table:
        table["file"] = [str(file).replace("\\", "/").rsplit("/", 1)[-1] for file in table["file"]]
    about = {"format": _FORMAT, "corpus": corpus, "versions": _versions(), "names": [*NAMES, *FUNCTIONALS]}
    about["table"] = table.where(table.notna(), None).to_dict("list")
    arrays = {
        "about": np.frombuffer(json.dumps(about, default=str).encode(), np.uint8),
        "lengths": np.array([len(sequence) for sequence in sequences]),
        "offset": offset,
        "scale": scale,
        "sequences": ((frames - offset) / scale).astype(np.float16),
        "functionals": functionals,
    }
    try:
        with replacing(Path(path)) as out:
            np.savez(out, digest=_digest(arrays), **arrays)
    except OSError as error:
        problem = error.strerror or error
        raise SerganError(f"{path} cannot be written ({problem}): choose another place.") from None


def load_file(path):
    """`Features` from a file that `save` wrote; its digest is verified, and nothing in it can run code.

    Raises `SerganError` when the file is missing, damaged or something else.
    """
    import pandas as pd

    remedy = "make it anew with `sergan features`"
    try:
        whole_zip(path)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        intact = np.array_equal(arrays.pop("digest"), _digest(arrays))
        about = json.loads(arrays["about"].tobytes())
        frames = arrays["sequences"] * arrays["scale"] + arrays["offset"]  # float32
        sequences = np.split(frames, np.cumsum(arrays["lengths"])[:-1])
        table = pd.DataFrame(about["table"]).set_index("utterance")
        whole = len(table) == len(sequences) == len(arrays["functionals"]) and arrays["lengths"].sum() == len(
            frames
        )
        whole &= frames.shape[1:] == (len(NAMES),) and arrays["functionals"].shape[1:] == (len(FUNCTIONALS),)
        whole &= bool((arrays["lengths"] > 0).all() and np.isfinite(frames).all())
        whole &= bool(np.isfinite(arrays["functionals"]).all()) and isinstance(about["corpus"], str)
        same = about["format"] == _FORMAT and about["names"] == [*NAMES, *FUNCTIONALS]
        features = Features(about["corpus"], table, sequences, arrays["functionals"], about["versions"])
    except FileNotFoundError:
        raise SerganError(f"{path} does not exist: {remedy}.") from None
    except Exception:  # a stranger's bytes can fail in any way
        raise SerganError(f"{path} is damaged, or no features file: {remedy}.") from None
    if not (intact and whole and same):
        raise SerganError(f"{path} is damaged, or of another version of sergan: {remedy}.")
    return features


def _digest(arrays):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape} ".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return np.frombuffer(digest.digest(), np.uint8)
