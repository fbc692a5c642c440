"""The demo corpus is what its sheet says: complete, sound as audio, neither trivial nor impossible."""

import shutil
import subprocess

import audiofile
import numpy as np
import opensmile
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sergan import EMOTIONS, SerganError
from sergan.corpora import demo, make_demo


@pytest.fixture(scope="module")
def table():
    return demo.utterances()


@pytest.fixture(scope="module")
def audio(table):
    return [audiofile.read(file, always_2d=True) for file in table["file"]]


def smile(table, level):
    features = opensmile.Smile(opensmile.FeatureSet.IS09, level, num_workers=2)
    return features.process_files(list(table["file"]))


def ua_across_speakers(model, features, table):
    """UA in percent, every speaker left out once."""
    predicted = cross_val_predict(
        model, np.asarray(features), table["emotion"], groups=table["speaker"], cv=LeaveOneGroupOut()
    )
    return 100 * recall_score(table["emotion"], predicted, average="macro")


def linear(**options):
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, **options))


def best_ua_of_one_number(values, table):
    """The best that a linear, a stepwise and a local classifier do with a single number."""
    models = (
        linear(),
        linear(class_weight="balanced"),
        DecisionTreeClassifier(max_depth=4, class_weight="balanced", random_state=0),
        KNeighborsClassifier(15),
    )
    return max(ua_across_speakers(model, np.reshape(values, (-1, 1)), table) for model in models)


def test_counts_are_the_expected_ones(table):
    counts = table.groupby(["speaker", "emotion"]).size().unstack()
    assert counts.T.to_dict() == demo.EXPECTED
    assert len(table) == 370 and table.index.is_unique and table.index.name == "utterance"
    assert list(table.columns) == ["file", "speaker", "session", "gender", "emotion"]
    assert (table["session"] == "").all()
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"female": 5, "male": 5}


def test_proportions_are_those_of_iemocap_to_a_percentage_point(table):
    iemocap = {"angry": 1103, "neutral": 1708, "happy": 595, "sad": 1084}
    share = table["emotion"].value_counts(normalize=True)
    assert all(abs(share[e] - iemocap[e] / 4490) < 0.01 for e in EMOTIONS)


def test_every_emotion_says_every_sentence_equally_often(table):
    texts = demo.texts()
    assert set(texts.index) == set(table.index)
    counts = pd.crosstab(texts, table["emotion"])
    assert len(counts) == 10
    assert (counts.nunique() == 1).all()


def test_the_csv_names_the_files_and_what_the_loader_reads_from_them(table):
    csv = pd.read_csv(demo.ROOT / "utterances.csv", index_col="utterance")
    csv["file"] = [str(demo.ROOT / file) for file in csv["file"]]
    columns = ["file", "speaker", "gender", "emotion"]
    assert csv.loc[table.index, columns].to_dict() == table[columns].to_dict()


def test_all_of_it_is_at_most_12_mb():
    assert sum(path.stat().st_size for path in demo.ROOT.rglob("*") if path.is_file()) <= 12e6


def test_audio_is_16_khz_mono_16_bit_of_one_to_three_seconds(table, audio):
    assert {rate for _, rate in audio} == {16_000}
    assert {len(x) for x, _ in audio} == {1}
    assert {audiofile.bit_depth(file) for file in table["file"]} == {16}
    assert all(1 <= x.shape[1] / rate <= 3 for x, rate in audio)


def test_nothing_is_clipped_or_silent(audio):
    peaks = np.array([np.abs(x).max() for x, _ in audio])
    levels = np.array([np.sqrt(np.mean(x**2)) for x, _ in audio])
    assert peaks.max() < 0.96
    assert levels.min() > 10 ** (-50 / 20)


def test_opensmile_finds_pitch_in_nearly_all_files_and_in_all_voices(table):
    lld = smile(table, opensmile.FeatureLevel.LowLevelDescriptors)
    found = (lld.filter(like="F0").iloc[:, 0] > 0).groupby(level="file").mean()[table["file"]].to_numpy()
    assert np.mean(found > 0.1) > 0.9  # of the files
    assert table.assign(found=found).groupby("speaker")["found"].mean().min() > 0.3  # of the frames


def test_a_linear_model_across_speakers_is_neither_at_a_loss_nor_done(table):
    functionals = smile(table, opensmile.FeatureLevel.Functionals)
    assert 55 < ua_across_speakers(linear(), functionals, table) < 80
    assert 55 < ua_across_speakers(linear(class_weight="balanced"), functionals, table) < 80


def test_duration_alone_is_near_chance(table, audio):
    assert best_ua_of_one_number([x.shape[1] for x, _ in audio], table) < 35


def test_level_alone_is_not_enough(table, audio):
    assert best_ua_of_one_number([np.log(np.mean(x**2)) for x, _ in audio], table) < 50


def test_the_script_makes_the_same_samples_again(table):
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: the demo corpus cannot be made again here")
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True).stdout
    if f": {make_demo.MADE_WITH} " not in version:
        pytest.skip(
            f"the demo corpus was made with espeak-ng {make_demo.MADE_WITH}, here is {version.strip()}"
        )
    for name, *recipe in list(make_demo.utterances())[::41]:
        stored, _ = audiofile.read(table.loc[name, "file"])
        again = make_demo.make(*recipe)
        # One step of 16 bits is left to another processor's rounding; on the same one it is 0.
        assert len(stored) == len(again)
        assert np.abs(stored * 32768 - again).max() <= 1


def test_the_script_knows_the_corpus(table):
    made = {name: (speaker, emotion, text) for name, speaker, emotion, text, _ in make_demo.utterances()}
    texts = demo.texts()
    assert made == {name: (row["speaker"], row["emotion"], texts[name]) for name, row in table.iterrows()}


def test_every_utterance_has_its_own_seed():
    streams = [np.random.default_rng(seed).integers(2**62) for *_, seed in make_demo.utterances()]
    habits = [np.random.default_rng((make_demo.SEED, s, len(EMOTIONS))).integers(2**62) for s in range(10)]
    assert len({*streams, *habits}) == 380


def test_without_espeak_the_script_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SerganError, match="espeak-ng could not speak"):
        make_demo.make_all(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_script_overwrites_nothing(tmp_path):
    with pytest.raises(SerganError, match="exists"):
        make_demo.make_all(tmp_path)


def test_a_copy_elsewhere_loads_too(tmp_path):
    shutil.copytree(demo.ROOT / "m3", tmp_path / "m3")
    table = demo.utterances(tmp_path)
    assert set(table["speaker"]) == {"m3"} and len(table) == 37
    assert all(file.startswith(str(tmp_path)) for file in table["file"])
    (tmp_path / "utterances.csv").write_text("utterance,text\nm3_sad_01,Another one.\n")
    assert demo.texts(tmp_path).to_dict() == {"m3_sad_01": "Another one."}
    (tmp_path / "none").mkdir()
    with pytest.raises(SerganError, match=r"holds no file like f1/f1_angry_01\.flac "):
        demo.utterances(tmp_path / "none")
