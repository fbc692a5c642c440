"""Features are openSMILE's to the last bit, bad audio is named in one sentence, a cache is never trusted."""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import warnings
from pathlib import Path

import audiofile
import audresample
import joblib
import numpy as np
import opensmile
import pandas as pd
import pytest
import scipy.io.wavfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sergan import SerganError, features

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"
REAL = ("nemo/samples", "ravdess/Actor_01", "ravdess/Actor_24", "emodb/wav")


@pytest.fixture(scope="module")
def smile():
    return opensmile.Smile(opensmile.FeatureSet.IS09, feature_level="lld;lld_de")


@pytest.fixture(scope="module")
def functionals_smile():
    return opensmile.Smile(opensmile.FeatureSet.IS09, feature_level=opensmile.FeatureLevel.Functionals)


@pytest.fixture(scope="module")
def real_files():
    files = [min((CORPORA / folder).glob("*.flac"), default=None) for folder in REAL]
    if None in files:
        reason = f"no real speech in {CORPORA}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return [str(file) for file in files]


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def users_cache_stays_untouched(tmp_path, monkeypatch):
    monkeypatch.setenv("SERGAN_CACHE", str(tmp_path / "users"))


def voice(seed=0, samples=12_000, peak=0.5):
    """Pulses at 150 Hz in noise: float32 that 16 bits hold exactly."""
    rng = np.random.default_rng(seed)
    signal = 0.2 * rng.normal(size=samples)
    signal[:: 107 + seed] += 2
    return (np.round(signal / np.abs(signal).max() * peak * 32768) / 32768).astype(np.float32)


def write(path, signal, rate=16_000):
    audiofile.write(str(path), signal, rate)
    return str(path)


def write_floats(path, signal):
    scipy.io.wavfile.write(path, 16_000, signal)
    return str(path)


@pytest.fixture
def files(tmp_path):
    return [write(tmp_path / f"{i}.wav", voice(i)) for i in range(4)]


def run(files, **options):
    return features.extract(files, progress=False, **options)


def same(a, b):
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# ------------------------------------------------------------------------------------ equal to openSMILE


def test_names_are_opensmiles(smile, functionals_smile):
    assert tuple(smile.column_names) == features.NAMES
    assert tuple(functionals_smile.column_names) == features.FUNCTIONALS
    assert (len(features.NAMES), len(features.FUNCTIONALS)) == (32, 384)


def test_real_files_are_opensmiles_to_the_last_bit(smile, functionals_smile, real_files):
    expected = [smile.process_file(file).to_numpy() for file in real_files]
    assert same(run(real_files, cache=False), expected)
    expected = np.concatenate([functionals_smile.process_file(file).to_numpy() for file in real_files])
    assert np.array_equal(features.functionals(real_files, cache=False, progress=False), expected)


@settings(max_examples=15)
@given(st.integers(0, 99), st.integers(400, 9000), st.sampled_from([2 / 32768, 0.01, 0.5, 32767 / 32768]))
def test_signals_are_opensmiles_to_the_last_bit_and_finite(smile, seed, samples, peak):
    signal = voice(seed, samples, peak)
    found = features.from_signal(signal)
    assert found.dtype == np.float32
    assert found.shape == ((samples - 400) // 160 + 2, 32)  # full windows + 1
    assert np.isfinite(found).all()
    assert np.array_equal(found, smile.process_signal(signal, 16_000).to_numpy())


def test_threads_and_processes_give_the_bits_of_a_serial_run_in_order(files):
    serial = run(files, cache=False, jobs=1)
    assert same(serial, [features.from_signal(features.read(file)) for file in files])
    assert same(serial, run(files * 3, cache=False, jobs=4)[4:8])
    with joblib.parallel_config("loky", n_jobs=2):
        assert same(serial, run(files, cache=False, jobs=2))


def test_other_rates_and_channels_are_mixed_resampled_and_clipped(tmp_path):
    left, right = voice(1, 44_100, 0.9), voice(2, 44_100, 0.6)
    file = write(tmp_path / "stereo.wav", np.stack([left, right]), 44_100)
    by_hand = audresample.resample((left + right) / 2, 44_100, 16_000)[0]
    by_hand = np.clip(by_hand, -1, 32767 / 32768)
    assert features.read(file).dtype == np.float32
    assert np.array_equal(features.read(file), by_hand)
    assert same(run([file], cache=False), [features.from_signal(by_hand)])
    assert same(run([file], cache=False), [features.from_signal(np.stack([left, right]), 44_100)])


def test_full_scale_is_clipped_and_does_not_wrap(smile):
    tone = np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000).astype(np.float32)
    loud = np.clip(3 * tone, -1, 1)  # flat at +1.0, which the wrapper's 16 bits turn into -1.0
    just_below = np.minimum(loud, np.float32(32767 / 32768))
    assert np.array_equal(features.from_signal(loud), smile.process_signal(just_below, 16_000).to_numpy())
    assert np.array_equal(features.from_signal(3 * tone), features.from_signal(just_below))  # at both ends
    assert not np.array_equal(features.from_signal(loud), smile.process_signal(loud, 16_000).to_numpy())


def test_the_quietest_and_the_loudest_signal_are_taken_and_no_others():
    step = voice(1, 800, 1 / 32768)
    assert (
        features.from_signal(step).shape
        == features.from_signal(step * np.float32(100 * 32768)).shape
        == (4, 32)
    )
    with pytest.raises(features.AudioError, match=r"^mine is silent, all its samples are zero"):
        features.from_signal(step * np.float32(0.99), name="mine")
    with pytest.raises(features.AudioError, match=r"samples as large as 101: scale them"):
        features.from_signal(step * np.float32(101 * 32768))


def test_importing_needs_no_opensmile_and_its_absence_is_one_sentence(tmp_path):
    code = """
import sys
sys.modules["opensmile"] = None  # as if not installed
import numpy as np
import sergan
from sergan import features
assert not {"pandas", "joblib", "audiofile", "torch"} & set(sys.modules)
try:
    features.from_signal(np.ones(1000, np.float32) / 2)
except sergan.SerganError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install opensmile" in done.stdout and "musl" in done.stdout
    assert done.stdout.count("\n") == 1


def test_missing_reader_of_audio_is_no_fault_of_the_files(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "audiofile", None)
    with pytest.raises(SerganError, match="pip install audiofile") as caught:
        run(files, cache=False, on_error="skip")
    assert not isinstance(caught.value, features.AudioErrors | features.AudioError)


def test_missing_opensmile_is_no_fault_of_the_files(files, monkeypatch):
    monkeypatch.setattr(features, "_versions", dict)
    features._made_by.cache_clear()
    with pytest.raises(SerganError, match="pip install opensmile") as caught:
        run(files, on_error="skip")
    assert not isinstance(caught.value, features.AudioErrors)


# ------------------------------------------------------------------------------------------------ errors


def bad_files(folder, good):
    """name of the fault -> (file, a word of its sentence)"""
    content = Path(good).read_bytes()
    folder.mkdir()
    for name, part in {"empty": b"", "junk": b"no sound " * 99, "cut": content[:9000]}.items():
        (folder / f"{name}.wav").write_bytes(part)
    (folder / "notes.txt").write_bytes(b"no sound")
    flac = Path(write(folder / "damaged.flac", voice())).read_bytes()
    (folder / "damaged.flac").write_bytes(flac[: len(flac) // 2])
    (folder / "rate.wav").write_bytes(content[:24] + (3).to_bytes(4, "little") + content[28:])
    nan, inf = voice(), voice()
    nan[77], inf[77] = np.nan, np.inf
    return {
        "missing": (str(folder / "nobody.wav"), "does not exist"),
        "folder": (str(folder), "is a folder"),
        "null": (str(folder / "a\0b.wav"), "cannot be read"),
        "no path": (float("nan"), "cannot be read"),
        "empty": (str(folder / "empty.wav"), "is empty"),
        "junk": (str(folder / "junk.wav"), "damaged, or not audio"),
        "text": (str(folder / "notes.txt"), "damaged, or not audio"),
        "cut": (str(folder / "cut.wav"), "shorter than its header"),
        "damaged": (str(folder / "damaged.flac"), "damaged, or not audio"),
        "rate": (str(folder / "rate.wav"), "a rate of 3 Hz"),
        "short": (write(folder / "short.wav", voice()[:399]), "too short, under 25 ms"),
        "no samples": (write(folder / "none.wav", voice()[:0]), "too short, under 25 ms"),
        "silent": (write(folder / "silent.wav", np.zeros(9000)), "is silent"),
        "opposite": (write(folder / "opposite.wav", np.stack([voice(), -voice()])), "is silent"),
        "nan": (write_floats(folder / "nan.wav", nan), "NaN or infinite"),
        "inf": (write_floats(folder / "inf.wav", inf), "NaN or infinite"),
        "loud": (write_floats(folder / "loud.wav", 32768 * voice()), "scale them"),
    }


@pytest.mark.filterwarnings("error")
def test_every_fault_is_one_sentence_that_names_its_file(tmp_path, files):
    bad = bad_files(tmp_path / "bad", files[0])
    asked = [files[0], *(file for file, _ in bad.values()), files[1]]
    with pytest.raises(features.AudioErrors) as caught:
        run(asked, cache=tmp_path / "cache")
    errors = caught.value.errors
    assert isinstance(caught.value, SerganError)
    assert list(errors) == [str(file) for file, _ in bad.values()]
    for file, word in ((str(file), word) for file, word in bad.values()):
        named = file.replace("\0", "\\x00")  # nothing that a terminal would act on
        assert errors[file].startswith(f"{named} ") and word in errors[file], errors[file]
        assert errors[file].endswith(".") and "\n" not in errors[file] and ": " in errors[file]
    assert f"{len(bad)} files" in str(caught.value) and 'on_error="skip"' in str(caught.value)
    assert len(os.listdir(tmp_path / "cache")) == 2  # the good ones are kept, no fault is


def test_what_a_few_bytes_claim_is_not_computed(tmp_path):
    eleven_minutes = np.full(16_000 * 660, 1 / 32768)
    path = write(tmp_path / "long.flac", eleven_minutes)
    assert os.path.getsize(path) < 100_000
    with pytest.raises(
        features.AudioError, match=r"long\.flac is longer than 10 minutes: cut it into utterances\.$"
    ):
        features.read(path)


@pytest.mark.parametrize("channels, said", [(8, "longer than 10 minutes"), (9, "of 9 channels")])
def test_the_samples_of_all_channels_count(tmp_path, monkeypatch, channels, said):
    path = write(tmp_path / "many.wav", np.full((channels, 500), 0.1))
    assert features.read(path).shape == (500,)
    monkeypatch.setattr(features, "LARGEST", channels * 500)
    assert features.read(path).shape == (500,)
    monkeypatch.setattr(features, "LARGEST", channels * 500 - 1)
    with pytest.raises(features.AudioError, match=rf"many\.wav is {said}"):
        features.read(path)


def test_an_error_about_many_files_has_the_first_three_sentences_and_counts_the_others():
    said = [f"{n}.wav is silent." for n in range(5)]
    assert str(features.AudioErrors(dict(enumerate(said[:3])))).startswith(
        "No features from 3 files. 0.wav is silent. 1.wav is silent. 2.wav is silent. To go on, mend them"
    )
    assert "2.wav is silent. And 2 more. To go on" in str(features.AudioErrors(dict(enumerate(said))))
    assert str(features.AudioErrors({0: said[0]})).startswith(
        "No features from 1 file. 0.wav is silent. To go on"
    )


def test_read_raises_the_same_sentence(tmp_path):
    with pytest.raises(features.AudioError, match=r"nobody\.wav does not exist: check the path\.$"):
        features.read(tmp_path / "nobody.wav")


def test_forbidden_file_is_named(files, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(features.AudioError, match=r"0\.wav may not be read"):
        features.read(files[0])


def test_skip_leaves_none_and_warns_once_of_all(tmp_path, files):
    bad = bad_files(tmp_path / "bad", files[0])
    asked = [bad["silent"][0], files[0], bad["missing"][0]]
    with pytest.warns(UserWarning) as caught:
        found = run(asked, on_error="skip", cache=False)
    assert [sequence is None for sequence in found] == [True, False, True]
    assert len(caught) == 1 and "2 files" in str(caught[0].message) and caught[0].filename == __file__
    assert all(file in str(caught[0].message) for file in (asked[0], asked[2]))
    with pytest.warns(UserWarning):
        rows = features.functionals(asked, on_error="skip", cache=False, progress=False)
    assert np.isnan(rows).all(axis=1).tolist() == [True, False, True]
    assert rows.shape == (3, 384) and rows.dtype == np.float32


def test_one_path_and_none_at_all(files):
    assert len(run(files[0], cache=False)) == len(run(Path(files[0]), cache=False)) == 1
    assert run(pd.Series(files)[:2], cache=False)[1].shape[1] == 32
    assert run([], cache=False) == []
    assert features.functionals([], progress=False).shape == (0, 384)


@pytest.mark.parametrize("signal", [np.ones(9000, np.int16), np.ones((2, 2, 9000)), np.float32(1)])
def test_signals_of_another_kind_are_refused(signal):
    with pytest.raises(features.AudioError, match="the signal is"):
        features.from_signal(signal)


@pytest.mark.parametrize("option", [{"on_error": "ignore"}, {"jobs": 0}, {"jobs": -1}])
def test_wrong_options_are_named(option):
    with pytest.raises(SerganError, match=next(iter(option))):
        run([], **option)


# ------------------------------------------------------------------------------------------------- cache


@pytest.fixture
def no_opensmile(monkeypatch):
    """Call it: from then on only the cache can answer."""

    def refuse():
        def fail(*_):
            raise AssertionError("openSMILE was asked")

        monkeypatch.setattr(features, "_describe", fail)

    return refuse


def test_cache_gives_the_same_bits_without_opensmile(files, cache, no_opensmile):
    first, rows = run(files, cache=cache), features.functionals(files, cache=cache, progress=False)
    no_opensmile()
    again = run(files, cache=cache)
    assert same(first, again)
    assert all(x.flags.writeable and x.flags.c_contiguous for x in (*first, *again))
    assert np.array_equal(rows, features.functionals(files, cache=cache, progress=False))


def test_cache_goes_by_content_not_by_name(files, cache, tmp_path, no_opensmile):
    first = run(files[:1], cache=cache)
    copy = tmp_path / "elsewhere.wav"
    copy.write_bytes(Path(files[0]).read_bytes())
    write(files[0], voice(77))
    no_opensmile()
    assert same(first, run([copy], cache=cache))
    with pytest.raises(AssertionError, match="was asked"):
        run(files[:1], cache=cache)


def test_cache_belongs_to_the_version_that_made_it(files, cache, monkeypatch, no_opensmile):
    run(files[:1], cache=cache)
    monkeypatch.setattr(features, "_made_by", lambda level: b"another")
    no_opensmile()
    with pytest.raises(AssertionError, match="was asked"):
        run(files[:1], cache=cache)


def test_cache_lies_where_it_is_told(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    run(files[:1], cache=False)
    assert sorted(tmp_path.iterdir()) == before
    run(files[:1])
    assert len(list((tmp_path / "users").iterdir())) == 1  # SERGAN_CACHE
    run(files[:1], cache=str(tmp_path / "a" / "b"))
    assert len(list((tmp_path / "a" / "b").iterdir())) == 1
    monkeypatch.delenv("SERGAN_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "own"))
    run(files[:1])
    assert len(list((tmp_path / "own").iterdir())) == 1


def damages(entry):
    for position in {0, 31, 32, 33, len(entry) // 2, len(entry) - 1}:
        yield entry[:position] + bytes([entry[position] ^ 1]) + entry[position + 1 :]
    yield from (b"", entry[:1], entry[:32], entry[:33], entry[:-1], entry[:-128], entry + b"\0" * 128)


def test_damaged_entry_is_made_anew(files, cache):
    first = run(files[:1], cache=cache)
    (path,) = cache.iterdir()
    entry = path.read_bytes()
    for damaged in damages(entry):
        path.write_bytes(damaged)
        assert same(first, run(files[:1], cache=cache, jobs=1))
        assert path.read_bytes() == entry


def test_an_entry_without_numbers_is_none_though_its_digest_fits(tmp_path):
    (tmp_path / "entry").write_bytes(hashlib.sha256(b"key").digest())
    assert features._recall(tmp_path / "entry", b"key", 32) is None
    row = np.arange(32, dtype="<f4")
    (tmp_path / "entry").write_bytes(hashlib.sha256(b"key" + row.tobytes()).digest() + row.tobytes())
    assert np.array_equal(features._recall(tmp_path / "entry", b"key", 32), [row])


def test_entry_under_anothers_name_is_not_believed(files, cache):
    first, second = run(files[:2], cache=cache)
    one, two = cache.iterdir()
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    assert same([first, second], run(files[:2], cache=cache))


def test_cache_that_cannot_be_written_is_one_warning(files, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="cannot be kept") as caught:
        found = run(files[0], cache=tmp_path / "file" / "cache")
    assert len(caught) == 1 and "SERGAN_CACHE" in str(caught[0].message) and caught[0].filename == __file__
    assert same(found, run(files[0], cache=False))


def test_failed_write_leaves_nothing(files, cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(UserWarning, match="No space left") as caught:
        found = run(files, cache=cache)
    assert len(found) == 4 and len(caught) == 1 and not list(cache.iterdir())


def test_a_file_that_changes_while_it_is_read_is_not_kept(files, cache, monkeypatch):
    describe = features._describe

    def slow(*arguments):
        Path(files[0]).touch()
        return describe(*arguments)

    monkeypatch.setattr(features, "_describe", slow)
    assert run(files[:1], cache=cache)[0].shape[1] == 32
    assert not cache.exists() or not list(cache.iterdir())


def _extract_in_process(files, cache, queue):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        queue.put([x.tobytes() for x in features.extract(files, cache=cache, progress=False)])


def test_two_processes_share_one_cache(files, cache):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=_extract_in_process, args=(files * 4, cache, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    found = [queue.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    expected = [x.tobytes() for x in run(files * 4, cache=False)]
    assert found == [expected, expected]
    assert len(list(cache.iterdir())) == 4 and not list(cache.glob("*.part"))


# ----------------------------------------------------------------------------------------- features file


@pytest.fixture
def corpus(files):
    index = pd.Index(["a", "b", "c", "d"], name="utterance")
    table = pd.DataFrame(
        {
            "file": files,
            "speaker": ["01", "01", "02", "02"],
            "session": None,
            "gender": ["female", "female", "male", "male"],
            "emotion": ["angry", "sad", "happy", "neutral"],
            "duration_s": [0.1 + 0.2, 0.75, 1e-9, 3.0],
        },
        index=index,
    )
    rows = features.functionals(files, progress=False)
    return {"corpus": "own", "table": table, "sequences": run(files), "functionals": rows}


def test_features_file_gives_back_what_was_saved(tmp_path, corpus):
    path = tmp_path / "own.features"
    features.save(path, **corpus)
    loaded = features.load_file(path)
    assert loaded.corpus == "own" and loaded.versions["opensmile"]
    assert np.array_equal(loaded.functionals, corpus["functionals"])
    expected = corpus["table"].assign(file=["0.wav", "1.wav", "2.wav", "3.wav"])
    assert loaded.table.index.name == "utterance"
    assert loaded.table.isna().equals(expected.isna())
    pd.testing.assert_frame_equal(
        loaded.table.drop(columns="session"), expected.drop(columns="session"), check_exact=True
    )
    assert [x.shape for x in loaded.sequences] == [x.shape for x in corpus["sequences"]]
    assert all(x.dtype == np.float32 for x in loaded.sequences)
    assert str(tmp_path).encode() not in path.read_bytes()
    assert sorted(tmp_path.glob("*.part")) == []


def test_round_trip_error_is_that_of_the_docstring(tmp_path, corpus):
    rng = np.random.default_rng(0)
    corpus["sequences"][0] = corpus["sequences"][0] * 1e-7  # energies that plain 16-bit floats lose
    corpus["sequences"][1] = rng.standard_t(2, size=(3000, 32)).astype(np.float32) * 1e-6  # heavy tails
    features.save(tmp_path / "x.npz", **corpus)
    stored = np.load(tmp_path / "x.npz")
    before = np.concatenate(corpus["sequences"]).astype(np.float64)
    after = np.concatenate(features.load_file(tmp_path / "x.npz").sequences)
    z = np.abs(before - stored["offset"]) / before.std(axis=0)
    error = np.abs(after - before) / before.std(axis=0)
    assert (error <= z / 2048 * 1.01 + 1e-6).all()
    assert error[z < 1].max() < 0.0005 and error[z < 4].max() < 0.001 and z.max() > 20
    assert (after[before == 0] == 0).all() and (before == 0).any()
    assert np.isfinite(after).all()


def test_real_speech_keeps_its_unvoiced_frames(tmp_path, real_files):
    rows = features.functionals(real_files, progress=False)
    table = pd.DataFrame({"file": real_files}, index=[Path(file).stem for file in real_files])
    sequences = run(real_files)
    features.save(tmp_path / "x", corpus="real", table=table, sequences=sequences, functionals=rows)
    loaded = np.concatenate(features.load_file(tmp_path / "x").sequences)
    f0 = features.NAMES.index("F0_sma")
    assert np.array_equal(loaded[:, f0] == 0, np.concatenate(sequences)[:, f0] == 0)
    assert 0.1 < (loaded[:, f0] == 0).mean() < 0.9


def test_a_column_that_never_changes_survives(tmp_path, corpus):
    for sequence in corpus["sequences"]:
        sequence[:, 3], sequence[:, 4] = 7, 0
    features.save(tmp_path / "x", **corpus)
    after = np.concatenate(features.load_file(tmp_path / "x").sequences)
    assert (after[:, 3] == 7).all() and (after[:, 4] == 0).all()


@pytest.mark.parametrize(
    "change",
    [
        {"table": lambda table: table[:3]},
        {"sequences": lambda sequences: sequences[:3]},
        {"sequences": lambda sequences: [*sequences[:3], None]},
        {"sequences": lambda sequences: [*sequences[:3], sequences[3][:, :31]]},
        {"sequences": lambda sequences: [*sequences[:3], sequences[3] * np.nan]},
        {"sequences": lambda sequences: []},
        {"functionals": lambda rows: rows[:, :383]},
        {"functionals": lambda rows: rows + np.inf},
    ],
)
def test_features_that_do_not_belong_together_are_not_saved(tmp_path, corpus, change):
    ((key, alter),) = change.items()
    with pytest.raises(SerganError, match=r"drop|take"):
        features.save(tmp_path / "x" / "y", **(corpus | {key: alter(corpus[key])}))


def test_place_that_cannot_be_written_is_named(tmp_path, corpus):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SerganError, match="cannot be written"):
        features.save(tmp_path / "file" / "features.npz", **corpus)


def test_damage_anywhere_in_a_features_file_is_found(tmp_path, corpus):
    path = tmp_path / "x.npz"
    features.save(path, **corpus)
    whole = path.read_bytes()
    intact = features.load_file(path)
    positions = np.random.default_rng(0).integers(0, len(whole), 150)
    outcomes = []
    for position in positions:
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        try:
            loaded = features.load_file(path)
        except SerganError as error:
            assert str(path) in str(error)
            outcomes.append(False)
        else:  # a date or another byte of the container that says nothing
            assert same(loaded.sequences, intact.sequences) and loaded.table.equals(intact.table)
            outcomes.append(True)
    assert np.mean(outcomes) < 0.1
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(SerganError, match="damaged"):
            features.load_file(path)


def test_something_else_is_no_features_file(tmp_path, corpus):
    with pytest.raises(SerganError, match="does not exist"):
        features.load_file(tmp_path / "nothing.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "objects.npz", about=np.array([{"a": 1}], dtype=object))
    (tmp_path / "words.npz").write_text("words")
    for name in ("array.npy", "other.npz", "objects.npz", "words.npz", "."):
        with pytest.raises(SerganError, match="no features file: make it anew with `sergan features`"):
            features.load_file(tmp_path / name)


def test_file_of_another_format_is_refused(tmp_path, corpus, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(features, "_FORMAT", "sergan features 0")
        features.save(tmp_path / "old", **corpus)
    with pytest.raises(SerganError, match="another version"):
        features.load_file(tmp_path / "old")


def test_forged_numbers_are_found_by_the_digest(tmp_path, corpus):
    features.save(tmp_path / "x.npz", **corpus)
    arrays = dict(np.load(tmp_path / "x.npz"))
    about = json.loads(arrays["about"].tobytes())
    about["table"]["emotion"][0] = "happy"
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(SerganError, match="damaged"):
        features.load_file(tmp_path / "x.npz")
