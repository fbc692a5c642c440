"""The corpus modules on imitation trees, and on real audio where it lies beside the project."""

import os
import shutil
import warnings
from pathlib import Path

import audiofile
import numpy as np
import pandas as pd
import pytest
import trees
from hypothesis import given
from hypothesis import strategies as st

from sergan import EMOTIONS, SerganError, corpora
from sergan.corpora import CorpusError, _base, cremad, emodb, iemocap, nemo, ravdess, table

REAL = Path(__file__).parents[2] / "shared" / "corpora"

COLUMNS = ["file", "speaker", "session", "gender", "emotion", "duration_s"]


def real(name: str) -> Path:
    """The folder of a real corpus; skips where it is absent, and fails there in CI."""
    if (REAL / name).is_dir():
        return REAL / name
    reason = f"the real audio of {name} does not lie beside the project, in shared/corpora"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def whole_iemocap(tmp_path_factory) -> Path:
    return trees.iemocap_tree(tmp_path_factory.mktemp("release") / "IEMOCAP_full_release")


@pytest.fixture
def small_iemocap(tmp_path) -> Path:
    """Sessions 1 and 2 with two utterances of each class and an excited one."""
    root = tmp_path / "release" / "IEMOCAP_full_release"
    for session in "12":
        trees.iemocap_session(root, session, {"ang": 2, "neu": 2, "hap": 2, "sad": 2, "exc": 1})
    return root


# Every corpus ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", corpora.NAMES)
def test_every_corpus_has_its_facts(name):
    facts = corpora.describe(name)
    assert facts["title"] and facts["language"] and facts["licence"]
    assert facts["fetchable"] == (name in ("nemo", "ravdess", "emodb", "cremad"))
    if name not in ("demo", "table"):
        assert facts["homepage"].startswith("https://")
        assert facts["citation"].startswith("@") and facts["citation"].count("{") == facts["citation"].count(
            "}"
        )
    assert facts["utterances"] == sum(facts["counts"].values())


@pytest.mark.parametrize("name, language, licence, homepage", [
    ("demo", "English (synthetic)", "CC BY 4.0; made with espeak-ng, whose GPL covers the program and not its output",
     ""),
    ("nemo", "Polish", "CC BY-NC-SA 4.0", "https://github.com/amu-cai/nEMO"),
    ("ravdess", "English", "CC BY-NC-SA 4.0", "https://zenodo.org/records/1188976"),
    ("emodb", "German", "CC BY 4.0 (Zenodo record 7447302, version 1.3.0); its authors ask for a citation",
     "https://zenodo.org/records/7447302"),
    ("cremad", "English", "Open Database License (ODbL) 1.0, its contents under the Database Contents License (DbCL) "
     "1.0", "https://github.com/CheyneyComputerScience/CREMA-D"),
    ("iemocap", "English", "on request from the University of Southern California, for research, never passed on",
     "https://sail.usc.edu/iemocap/"),
    ("table", "any", "yours: make sure that you may use the recordings, and that their speakers know", ""),
])  # fmt: skip
def test_language_licence_and_homepage(name, language, licence, homepage):
    """A licence that changes here by mistake is a promise broken to somebody."""
    facts = corpora.describe(name)
    assert (facts["language"], facts["licence"], facts["homepage"]) == (language, licence, homepage)


def test_the_demo_corpus_says_whose_and_what_it_is():
    assert "Not human speech" in corpora.describe("demo")["citation"]
    assert corpora.describe("demo")["citation"].startswith("@misc{sergan_demo,")
    assert corpora.describe("demo")["citation"].endswith("}")


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("iemocap", (1103, 1708, 595, 1084)),
        ("nemo", (749, 809, 749, 769)),
        ("ravdess", (192, 96, 192, 192)),
        ("emodb", (127, 79, 71, 62)),
        ("cremad", (1271, 1087, 1271, 1271)),
    ],
)
def test_published_counts_by_class(name, counts):
    assert tuple(corpora.describe(name)["counts"][emotion] for emotion in EMOTIONS) == counts


def test_an_unknown_corpus_is_named_with_the_known_ones():
    with pytest.raises(CorpusError, match='no corpus "emo": choose one of demo, nemo'):
        corpora.load("emo", "anywhere")


@pytest.mark.parametrize("name", ["os", "_base", "..corpora.nemo", "__init__", ""])
def test_no_other_module_passes_for_a_corpus(name):
    with pytest.raises(CorpusError):
        corpora.describe(name)


def test_an_unknown_option_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(CorpusError, match='"nemo" has no option "excited": it has no options'):
        corpora.load("nemo", tmp_path, excited="drop")
    with pytest.raises(CorpusError, match='"iemocap" has no option "labels": it has the options excited'):
        corpora.check("iemocap", tmp_path, labels="a=b")


def test_classes_are_paper_or_all(tmp_path):
    with pytest.raises(CorpusError, match="classes='four' is unknown: use 'paper'"):
        corpora.load("nemo", tmp_path, classes="four")


@pytest.mark.parametrize("name", [name for name in corpora.NAMES if name != "demo"])
def test_all_but_demo_need_a_root(name):
    with pytest.raises(CorpusError, match="needs a root"):
        corpora.load(name)


@pytest.mark.parametrize("name", [name for name in corpora.NAMES if name != "demo"])
def test_a_missing_folder_is_named(name, tmp_path):
    with pytest.raises(SerganError, match="nowhere does not exist: give the"):
        corpora.load(name, tmp_path / "nowhere")


ABSENT = "holds no file like {} (or .flac): give the corpus's own folder."


@pytest.mark.parametrize("name, sentence", [
    ("nemo", ABSENT.format("samples/EB0_anger_1.wav")),
    ("ravdess", ABSENT.format("Actor_01/03-01-05-01-01-01-01.wav")),
    ("emodb", ABSENT.format("wav/03a01Wa.wav")),
    ("cremad", ABSENT.format("AudioWAV/1001_DFA_ANG_XX.wav")),
    ("iemocap", "holds no Session1 to Session5: give the folder IEMOCAP_full_release (ask for it at "
                "https://sail.usc.edu/iemocap/iemocap_release.htm)."),
])  # fmt: skip
def test_a_folder_without_the_corpus_is_refused_with_an_example_of_what_it_lacks(name, sentence, tmp_path):
    with pytest.raises(CorpusError) as error:
        corpora.load(name, tmp_path)
    assert str(error.value) == f"{tmp_path} {sentence}"


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="is a file, not a folder"):
        corpora.load("emodb", trees.wav(tmp_path / "03a01Wa.wav"))


# Corpora that say all in their names -----------------------------------------------------------------------

NAMED = {
    "nemo": [
        ("samples/EB0_anger_1", ("EB0", "female", "angry")),
        ("samples/KS0_neutral_22", ("KS0", "male", "neutral")),
        ("samples/MP0_happiness_9", ("MP0", "male", "happy")),
        ("samples/XY7_sadness_9", ("XY7", "", "sad")),
        ("samples/IC0_fear_90", ("IC0", "female", "fearful")),
        ("samples/WR0_surprised_64", ("WR0", "male", "surprised")),
    ],
    "ravdess": [
        ("Actor_01/03-01-05-02-01-02-01", ("01", "male", "angry")),
        ("Actor_24/03-01-01-01-02-02-24", ("24", "female", "neutral")),
        ("Actor_03/03-01-03-01-01-01-03", ("03", "male", "happy")),
        ("Actor_04/03-01-04-01-01-01-04", ("04", "female", "sad")),
        ("Actor_04/03-01-02-01-01-01-04", ("04", "female", "calm")),
        ("Actor_04/03-01-06-01-01-01-04", ("04", "female", "fearful")),
        ("Actor_04/03-01-07-01-01-01-04", ("04", "female", "disgusted")),
        ("Actor_04/03-01-08-01-01-01-04", ("04", "female", "surprised")),
    ],
    "emodb": [
        ("wav/03a01Wa", ("03", "male", "angry")),
        ("wav/08b10Nc", ("08", "female", "neutral")),
        ("wav/11a05Fc", ("11", "male", "happy")),
        ("wav/16b02Tb", ("16", "female", "sad")),
        ("wav/13a04Lc", ("13", "female", "bored")),
        ("wav/14b03Ed", ("14", "female", "disgusted")),
        ("wav/15a02Ac", ("15", "male", "fearful")),
    ],
    "cremad": [
        ("AudioWAV/1001_DFA_ANG_XX", ("1001", "", "angry")),
        ("AudioWAV/1091_IEO_NEU_XX", ("1091", "", "neutral")),
        ("AudioWAV/1002_IEO_HAP_HI", ("1002", "", "happy")),
        ("AudioWAV/1040_ITH_SAD_X", ("1040", "", "sad")),
        ("AudioWAV/1001_TSI_FEA_XX", ("1001", "", "fearful")),
        ("AudioWAV/1001_WSI_DIS_XX", ("1001", "", "disgusted")),
    ],
}


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
@pytest.mark.parametrize("name", NAMED)
def test_names_give_speaker_gender_and_emotion(name, suffix, tmp_path):
    for stem, _ in NAMED[name]:
        path = trees.wav(tmp_path / f"{stem}{suffix}")
        if suffix == ".flac":
            audiofile.write(str(path), np.zeros(1600, np.float32), 16000)
    found = corpora.load(name, tmp_path, classes="all")
    expected = {stem.split("/")[1]: row for stem, row in NAMED[name]}
    assert list(found.columns) == COLUMNS and found.index.name == "utterance"
    assert list(found.index) == sorted(expected)
    for utterance, row in expected.items():
        assert tuple(found.loc[utterance, ["speaker", "gender", "emotion"]]) == row
    assert (found["session"] == "").all()
    assert found["duration_s"].tolist() == pytest.approx([0.1] * len(expected))
    assert all(Path(file).is_absolute() and Path(file).is_file() for file in found["file"])
    four = corpora.load(name, tmp_path)
    assert set(four["emotion"]) == set(EMOTIONS)


def test_ravdess_is_found_one_folder_deeper(tmp_path):
    trees.wav(tmp_path / "Audio_Speech_Actors_01-24" / "Actor_02" / "03-01-05-01-01-01-02.wav")
    assert list(ravdess.utterances(tmp_path).index) == ["03-01-05-01-01-01-02"]


def test_ravdess_songs_and_videos_are_passed_over(tmp_path):
    for name in ("03-01-05-01-01-01-02", "03-02-05-01-01-01-02", "01-01-05-01-01-01-02"):
        trees.wav(tmp_path / "Actor_02" / f"{name}.wav")
    assert list(ravdess.utterances(tmp_path).index) == ["03-01-05-01-01-01-02"]


def test_a_name_that_comes_twice_counts_once_nearest_and_wav_first(tmp_path):
    for place in ("wav/03a01Wa.flac", "wav/03a01Wa.wav", "copy/deeper/03a01Wa.wav", "wav/08a01Na.flac"):
        trees.wav(tmp_path / place)
    found = emodb.utterances(tmp_path)
    assert found["file"].tolist() == [str(tmp_path / "wav/03a01Wa.wav"), str(tmp_path / "wav/08a01Na.flac")]


def test_twins_that_macos_leaves_are_no_audio(tmp_path):
    trees.wav(tmp_path / "wav" / "03a01Wa.wav")
    (tmp_path / "wav" / "._03a01Na.wav").write_bytes(b"\0\5\26\7")
    trees.wav(tmp_path / "__MACOSX" / "wav" / "03a01Ta.wav")
    trees.wav(tmp_path / ".trash" / "03a01Fa.wav")
    assert list(emodb.utterances(tmp_path).index) == ["03a01Wa"]


def test_cremad_takes_sex_from_its_own_table_also_from_within_audiowav(tmp_path):
    trees.wav(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
    trees.wav(tmp_path / "AudioWAV" / "1002_DFA_ANG_XX.wav")
    demographics = (
        '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","a","b"\n1002,21,"Female","a","b"\n'
    )
    (tmp_path / "VideoDemographics.csv").write_text(demographics)
    assert cremad.utterances(tmp_path)["gender"].tolist() == ["male", "female"]
    assert cremad.utterances(tmp_path / "AudioWAV")["gender"].tolist() == ["male", "female"]
    (tmp_path / "VideoDemographics.csv").write_text("ActorID,Sex\n1001\n1002,Female\n")
    assert cremad.utterances(tmp_path)["gender"].tolist() == ["", "female"]
    (tmp_path / "a" / "b").mkdir(parents=True)
    shutil.move(tmp_path / "VideoDemographics.csv", tmp_path / "a" / "b")
    assert cremad.utterances(tmp_path)["gender"].tolist() == ["", ""]  # that deep, it is of something else
    shutil.move(tmp_path / "a" / "b" / "VideoDemographics.csv", tmp_path / "a")
    assert cremad.utterances(tmp_path)["gender"].tolist() == ["", "female"]


def test_cremad_names_a_broken_table_of_actors(tmp_path):
    trees.wav(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
    (tmp_path / "VideoDemographics.csv").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CorpusError, match=r"VideoDemographics.csv has no columns ActorID and Sex"):
        cremad.utterances(tmp_path)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("no audio", "cannot be read as audio: copy or fetch it again"), (None, "holds no audio"),
     (POINTER, "is a Git LFS pointer, no audio: run git lfs pull")],
)  # fmt: skip
def test_a_file_without_audio_is_loaded_without_duration_and_named_by_check(tmp_path, content, sentence):
    bad = tmp_path / "03a01Wa.wav"
    trees.wav(bad, 0) if content is None else bad.write_text(content)
    trees.wav(tmp_path / "03a01Fa.wav")
    durations = corpora.load("emodb", tmp_path)["duration_s"]
    assert durations.isna().tolist() == [False, True]
    assert any(f"03a01Wa.wav {sentence}" in problem for problem in corpora.check("emodb", tmp_path).problems)


def test_check_counts_by_speaker_and_says_what_is_missing(tmp_path):
    for emotion, letter in zip(EMOTIONS, "WNFT", strict=True):
        for number in range(emodb.EXPECTED["03"][emotion]):
            trees.wav(tmp_path / "wav" / f"03{'ab'[number % 2]}{number // 2:02d}{letter}a.wav")
    (tmp_path / "wav" / "03a00Wa.wav").unlink()
    verdict = corpora.check("emodb", tmp_path)
    assert not verdict.complete
    assert (
        "Speaker 03, angry: 1 of 14 utterances are missing: sergan fetch emodb --to FOLDER completes it."
        in (verdict.problems)
    )
    assert any(text.startswith("Speaker 08 is missing, 42 utterances") for text in verdict.problems)
    assert verdict.problems[-1] == "And 5 more of this kind."
    assert verdict.table.loc[("03", "angry")].tolist() == [14, 13]
    assert verdict.table.loc[("16", "sad")].tolist() == [9, 0]
    assert "13 of 14" in verdict.text()


def test_check_tells_of_more_than_was_published(tmp_path):
    for actor in range(1, 25):
        for code, emotion in ravdess.EMOTIONS.items():
            for number in range(ravdess.EXPECTED["01"].get(emotion, 0)):
                trees.wav(tmp_path / f"03-01-{code}-01-01-{number:02d}-{actor:02d}.wav")
    assert corpora.check("ravdess", tmp_path).complete
    trees.wav(tmp_path / "03-01-04-01-01-99-07.wav")
    trees.wav(tmp_path / "03-01-04-01-01-01-25.wav")
    verdict = corpora.check("ravdess", tmp_path)
    assert verdict.problems == [
        "Speaker 07, sad: 1 utterances more than the published 8: move what is not of this version away.",
        "Speaker 25 is not in the published corpus: move its files away.",
    ]
    assert not verdict.complete


def test_check_opens_every_file(tmp_path):
    trees.wav(tmp_path / "1001_DFA_ANG_XX.wav")
    (tmp_path / "1001_DFA_NEU_XX.wav").write_text("no audio")
    verdict = corpora.check("cremad", tmp_path)
    assert any("1001_DFA_NEU_XX.wav cannot be read as audio" in problem for problem in verdict.problems)
    assert "Angry: 1270 of 1271 utterances are missing" in verdict.problems[1]


def test_a_check_is_plain_data_for_json(tmp_path):
    import json

    trees.wav(tmp_path / "1001_DFA_ANG_XX.wav")
    data = json.loads(json.dumps(corpora.check("cremad", tmp_path).as_dict()))
    assert set(data) == {"corpus", "complete", "problems", "notes", "counts"}
    assert data["counts"][0] == {"group": "all", "emotion": "angry", "expected": 1271, "found": 1}


VERDICT = """\
  table    angry    neutral    happy    sad    all
-------  -------  ---------  -------  -----  -----
    007        1          0        0      0      1
    1e3        1          0        0      1      2
    all        2          0        0      1      3

Complete.
"""


def test_a_check_is_a_table_for_the_terminal(tmp_path):
    for number, name in enumerate("abc"):
        trees.wav(tmp_path / f"{name}.wav", 0.1 + 0.1 * number)
    text = "file,emotion,speaker\na.wav,angry,007\nb.wav,angry,1e3\nc.wav,sad,1e3\n"
    (tmp_path / "own.csv").write_text(text)
    assert corpora.check("table", tmp_path / "own.csv").text() == VERDICT.rstrip()
    (tmp_path / "own.csv").write_text(text[: text.index("b.wav")])
    alone = corpora.check("table", tmp_path / "own.csv").text()
    assert alone.splitlines() == [*VERDICT.splitlines()[:3], "", "Complete."]  # no sum over one speaker


def test_audio_is_sought_three_folders_below_the_root_and_no_deeper(tmp_path):
    for way in ("0", "1/1", "1/2/2", "1/2/3/3", "1/2/3/4/4"):
        (tmp_path / way).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / way).touch()
    assert [path.name for path in _base.files_below(tmp_path)] == ["0", "1", "2", "3"]
    assert [path.name for path in _base.files_below(tmp_path, 0)] == ["0"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    def refuse(place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_base.os, "scandir", refuse)
    with pytest.raises(CorpusError) as error:
        corpora.load("ravdess", tmp_path)
    assert str(error.value) == f"{tmp_path} cannot be listed (Permission denied): mend its permissions."


# IEMOCAP ---------------------------------------------------------------------------------------------------


def test_iemocap_has_the_paper_s_4490_utterances(whole_iemocap):
    found = corpora.load("iemocap", whole_iemocap)
    assert len(found) == 4490
    assert found["emotion"].value_counts().to_dict() == {
        "angry": 1103,
        "neutral": 1708,
        "happy": 595,
        "sad": 1084,
    }
    assert set(found["speaker"]) == {f"Ses0{session}{letter}" for session in "12345" for letter in "FM"}
    assert list(found.index) == sorted(found.index)


def test_iemocap_is_complete_with_its_published_counts(whole_iemocap):
    verdict = corpora.check("iemocap", whole_iemocap)
    assert verdict.complete and verdict.problems == []
    assert "Complete." in verdict.text()
    assert verdict.table.loc[("3", "sad")].tolist() == [305, 305]


def test_iemocap_with_the_excited_merged_has_5531(whole_iemocap):
    assert len(corpora.load("iemocap", whole_iemocap, excited="merge")) == 5531
    assert corpora.check("iemocap", whole_iemocap, excited="merge").complete


def test_iemocap_keeps_the_other_labels_for_classes_all(small_iemocap):
    found = corpora.load("iemocap", small_iemocap, classes="all")
    assert found["emotion"].value_counts().to_dict() == {
        "angry": 4,
        "neutral": 4,
        "happy": 4,
        "sad": 4,
        "excited": 2,
    }


def test_iemocaps_labels_in_words():
    assert iemocap.EMOTIONS == {
        "ang": "angry", "neu": "neutral", "hap": "happy", "sad": "sad", "exc": "excited", "fru": "frustrated",
        "fea": "fearful", "sur": "surprised", "dis": "disgusted", "oth": "other", "xxx": "undecided",
    }  # fmt: skip


def test_excited_is_drop_or_merge(small_iemocap):
    with pytest.raises(CorpusError, match="excited='keep' is unknown: use 'drop' or 'merge'"):
        corpora.load("iemocap", small_iemocap, excited="keep")


def test_a_missing_session_is_said(whole_iemocap, tmp_path):
    for session in "1245":
        (tmp_path / f"Session{session}").symlink_to(whole_iemocap / f"Session{session}")
    verdict = corpora.check("iemocap", tmp_path)
    assert not verdict.complete
    assert verdict.problems == [
        "Session 3 is missing, 1000 utterances of the four classes: copy it again from the release."
    ]


def test_sessions_without_labels_are_missing(tmp_path):
    (tmp_path / "Session1" / "sentences").mkdir(parents=True)
    verdict = corpora.check("iemocap", tmp_path)
    assert len(verdict.problems) == 5 and not verdict.complete
    assert verdict.problems[0].startswith("Session 1 is missing, 942 utterances")
    with pytest.raises(CorpusError, match="holds no utterance of the classes asked for"):
        corpora.load("iemocap", tmp_path)


def test_speaker_and_gender_come_from_the_turn_not_the_dialogue(small_iemocap):
    found = iemocap.utterances(small_iemocap)
    assert tuple(found.loc["Ses01F_impro01_M001", ["speaker", "session", "gender"]]) == (
        "Ses01M",
        "1",
        "male",
    )
    assert tuple(found.loc["Ses01M_impro01_F000", ["speaker", "session", "gender"]]) == (
        "Ses01F",
        "1",
        "female",
    )


def test_scripted_dialogues_have_longer_names(tmp_path):
    labels = tmp_path / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_script01_1.txt"
    labels.parent.mkdir(parents=True)
    labels.write_bytes(trees.evaluation([("Ses01F_script01_1_M004", "sad")]))
    trees.wav(tmp_path / "Session1/sentences/wav/Ses01F_script01_1/Ses01F_script01_1_M004.wav")
    found = corpora.load("iemocap", tmp_path)
    assert tuple(found.loc["Ses01F_script01_1_M004", ["speaker", "emotion"]]) == ("Ses01M", "sad")


def test_windows_line_ends_change_nothing(small_iemocap, tmp_path):
    before = iemocap.utterances(small_iemocap)
    for path in small_iemocap.glob("Session*/dialog/EmoEvaluation/*.txt"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    pd.testing.assert_frame_equal(iemocap.utterances(small_iemocap), before)


def test_clutter_and_single_raters_change_nothing(small_iemocap):
    before = iemocap.utterances(small_iemocap)
    labels = small_iemocap / "Session1" / "dialog" / "EmoEvaluation"
    (labels / "._Ses01F_impro01.txt").write_bytes(
        b"\0\5\26\7" + trees.evaluation([("Ses01F_impro09_F000", "sad")])
    )
    for folder in ("Attribute", "Categorical", "Self-evaluation"):
        (labels / folder).mkdir()
        (labels / folder / "Ses01F_impro01_e1_cat.txt").write_bytes(
            trees.evaluation([("Ses01F_impro01_F000", "sad")])
        )
    (small_iemocap / "Documentation").mkdir()
    (small_iemocap / "Session1.bak").mkdir()
    (small_iemocap / "Session6").mkdir()
    (small_iemocap / "._Session1").write_bytes(b"\0")
    pd.testing.assert_frame_equal(iemocap.utterances(small_iemocap), before)


def test_bytes_that_are_no_text_do_not_stop_the_reader(small_iemocap):
    before = iemocap.utterances(small_iemocap)
    path = next((small_iemocap / "Session1" / "dialog" / "EmoEvaluation").glob("*.txt"))
    path.write_bytes(b"% comment by Andr\xe9\n" + path.read_bytes())
    pd.testing.assert_frame_equal(iemocap.utterances(small_iemocap), before)


@pytest.mark.parametrize("below", ["..", ".", "Session1", "Session1/dialog", "Session2/sentences/wav"])
def test_the_root_may_be_given_too_high_or_too_low(below, small_iemocap):
    assert len(corpora.load("iemocap", small_iemocap / below)) == 16


def test_a_single_session_is_not_the_corpus(small_iemocap):
    shutil.rmtree(small_iemocap / "Session2")
    with pytest.raises(
        CorpusError, match="is a single session: give the folder that holds Session1 to Session5"
    ):
        corpora.load("iemocap", small_iemocap / "Session1")


def test_two_copies_are_not_chosen_between(small_iemocap):
    shutil.copytree(small_iemocap, small_iemocap.with_name("copy"))
    with pytest.raises(CorpusError, match="holds IEMOCAP twice, IEMOCAP_full_release and copy: give one"):
        corpora.load("iemocap", small_iemocap.parent)


def test_an_utterance_without_audio_is_left_out_with_a_warning(small_iemocap):
    found = corpora.load("iemocap", small_iemocap)
    lost = found.index[3]
    Path(found.loc[lost, "file"]).unlink()
    with pytest.warns(UserWarning, match=f"1 labelled utterances have no audio and are left out.*{lost}"):
        less = corpora.load("iemocap", small_iemocap)
    pd.testing.assert_frame_equal(less, found.drop(lost))
    verdict = corpora.check("iemocap", small_iemocap)
    assert not verdict.complete
    assert verdict.problems[0].startswith(f"1 labelled utterances have no audio, the first is {lost}")


def test_flac_does_for_wav(small_iemocap):
    found = corpora.load("iemocap", small_iemocap)
    path = Path(found["file"].iloc[0])
    path.unlink()
    audiofile.write(str(path.with_suffix(".flac")), np.zeros(1600, np.float32), 16000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = corpora.load("iemocap", small_iemocap)
    assert again["file"].iloc[0] == str(path.with_suffix(".flac"))


# A table of one's own --------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    """Writes `own.csv` beside three audio files and gives its path."""
    for name in ("a", "b", "sub/c"):
        trees.wav(tmp_path / f"{name}.wav")

    def write(text: str, encoding: str = "utf-8") -> Path:
        (tmp_path / "own.csv").write_text(text, encoding=encoding, newline="")
        return tmp_path / "own.csv"

    return write


GOOD = "file,emotion,speaker\na.wav,angry,x\nb.wav,sad,y\nsub/c.wav,happy,x\n"


def test_a_table_is_read_relative_to_its_folder(own, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    found = corpora.load("table", own(GOOD))
    assert list(found.index) == ["a", "b", "sub/c"]
    assert found["file"].tolist() == [str(tmp_path / f"{name}.wav") for name in found.index]
    assert found["speaker"].tolist() == ["x", "y", "x"]
    assert (found["session"] == "").all() and (found["gender"] == "").all()


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        "\ufeff" + GOOD,
        GOOD.replace("file,emotion,speaker", " File , EMOTION,Speaker"),
        GOOD.replace("a.wav", '"a.wav"').rstrip("\n"),
        GOOD + "\n,,\n\n",
        GOOD.replace("sub/c.wav", "sub\\c.wav"),
        GOOD.replace("a.wav", "./a.wav"),
    ],
    ids=["crlf", "semicolons", "tabs", "bom", "header case", "quotes", "blank rows", "backslash", "dot"],
)
def test_tables_may_be_written_in_many_ways(own, text):
    assert list(corpora.load("table", own(text)).index) == ["a", "b", "sub/c"]


def test_an_absolute_path_below_the_table_is_called_as_a_relative_one(own, tmp_path):
    found = corpora.load("table", own(GOOD.replace("a.wav", str(tmp_path / "a.wav"))))
    assert list(found.index) == ["a", "b", "sub/c"]


def test_session_and_gender_are_taken_where_they_are(own):
    found = corpora.load("table", own("file,emotion,speaker,gender,session,note\na.wav,sad,x,Female,3,?\n"))
    assert found.loc["a", ["session", "gender"]].tolist() == ["3", "female"]


@pytest.mark.parametrize(
    "labels", ["Wut=angry, Trauer = sad,Freude=happy", {"Wut": "angry", "Trauer": "sad", "Freude": "happy"}]
)
def test_labels_map_own_words_to_classes(own, labels):
    text = GOOD.replace("angry", "Wut").replace("sad", "Trauer").replace("happy", "Freude")
    assert corpora.load("table", own(text), labels=labels)["emotion"].tolist() == ["angry", "sad", "happy"]


def test_words_mapped_outside_the_four_are_kept_for_all(own):
    path = own(GOOD.replace("happy", "fear"))
    assert len(corpora.load("table", path, labels="fear=fearful")) == 2
    assert len(corpora.load("table", path, labels="fear=fearful", classes="all")) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("emotion", "label"), r"own.csv has no column emotion \(it has file, label, speaker\)"),
        ("", r"has no column file \(it has no header line\)"),
        ("file,emotion,speaker\n", "has no rows: write one for every utterance"),
        ("file,emotion,speaker,file\na.wav,sad,x,a.wav\n", "has the column file twice"),
        (GOOD.replace(",y", ","), "own.csv, row 3: speaker is empty: fill it in"),
        (GOOD.replace("b.wav,sad,y", "b.wav"), "own.csv, row 3: emotion is empty"),
        (GOOD.replace("happy", "joy"), 'own.csv, row 4: emotion "joy" is unknown: .*labels="joy=angry"'),
        (GOOD.replace("b.wav", "d.wav"), "own.csv, row 3: there is no file d.wav in"),
        (GOOD.replace("b.wav", "a.wav"), "own.csv, row 3: a is there already, in row 2"),
        (GOOD.replace("b.wav", '"b"c".wav'), "own.csv, row 3, is broken CSV"),
        ("\0" + GOOD, "is no text file"),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_row(own, text, message):
    with pytest.raises(CorpusError, match=message):
        corpora.load("table", own(text))


def test_a_table_in_another_encoding_is_refused(own):
    with pytest.raises(CorpusError, match="is not UTF-8 text: save it as CSV in UTF-8"):
        corpora.load("table", own(GOOD.replace("x", "ü"), "latin-1"))


def test_a_table_is_a_file(tmp_path):
    with pytest.raises(CorpusError, match="is a folder: give the CSV file"):
        corpora.load("table", tmp_path)


def test_check_lists_all_mistakes_of_a_table_at_once(own):
    path = own(GOOD.replace("b.wav", "d.wav").replace("happy", "joy"))
    verdict = corpora.check("table", path)
    assert not verdict.complete and len(verdict.problems) == 2
    assert "row 3" in verdict.problems[0] and "row 4" in verdict.problems[1]
    with pytest.raises(CorpusError, match="1 more rows have problems"):
        corpora.load("table", path)
    whole = corpora.check("table", own(GOOD))
    assert whole.complete and whole.table["found"].sum() == 3
    assert whole.as_dict()["counts"][0]["expected"] is None


@pytest.mark.parametrize("labels", ["anger", "=angry", "anger=", "anger=angry,joy"])
def test_labels_that_are_no_pairs_are_refused(own, labels):
    with pytest.raises(CorpusError, match="is no pair: write word=class"):
        corpora.load("table", own(GOOD), labels=labels)


def test_a_word_stands_for_one_class_only(own):
    with pytest.raises(CorpusError, match='"joy" stands for two classes, happy and sad'):
        corpora.load("table", own(GOOD), labels="joy=happy,joy=sad")


words = st.text(st.characters(exclude_characters=",=", exclude_categories=["Z", "C"]), min_size=1)


@given(st.dictionaries(words, words))
def test_labels_as_text_and_as_dict_are_the_same(pairs):
    assert table.mapping(",".join(f"{word}={emotion}" for word, emotion in pairs.items())) == pairs


@given(st.text())
def test_labels_are_pairs_or_an_error_of_ours(text):
    try:
        pairs = table.mapping(text)
    except CorpusError:
        return
    assert all(word and emotion for word, emotion in pairs.items())


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: GOOD.encode() + text.encode()))
def test_any_bytes_are_a_table_or_an_error_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        found, problems = table.read(path)
    except CorpusError as error:
        assert str(error).endswith(".") and "\n" not in str(error).replace(str(path), "")
        return
    assert found.index.is_unique and len(found) + len(problems) > 0


@given(st.permutations(list(enumerate(["ang", "neu", "hap", "sad", "exc", "fru", "xxx"]))))
def test_the_order_of_labels_on_disk_changes_nothing(tmp_path_factory, order):
    root = tmp_path_factory.getbasetemp() / "order"
    labels = root / "Session1" / "dialog" / "EmoEvaluation"
    labels.mkdir(parents=True, exist_ok=True)
    rows = [(f"Ses01F_impro01_F{number:03d}", code) for number, code in order]
    (labels / "Ses01F_impro01.txt").write_bytes(trees.evaluation(rows))
    found = iemocap.utterances(root)
    assert found["emotion"].tolist() == [iemocap.EMOTIONS[code] for _, code in sorted(order)]


# Real audio ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "utterances"), [("nemo", 3076), ("ravdess", 672), ("emodb", 339)])
def test_a_real_corpus_is_complete(name, utterances):
    root = real(name)
    verdict = corpora.check(name, root)
    assert verdict.complete and verdict.problems == []
    found = corpora.load(name, root)
    assert len(found) == utterances == corpora.describe(name)["utterances"]
    assert found["emotion"].value_counts().to_dict() == corpora.describe(name)["counts"]
    assert found["duration_s"].between(0.5, 12).all()
    assert (found.groupby("speaker")["gender"].nunique() == 1).all()


def test_real_ravdess_has_eight_emotions():
    found = corpora.load("ravdess", real("ravdess"), classes="all")
    assert len(found) == 1440 and found["emotion"].nunique() == 8


def test_real_men_and_women():
    assert nemo.utterances(real("nemo")).groupby("gender")["speaker"].nunique().to_dict() == {
        "female": 4,
        "male": 5,
    }
    assert emodb.utterances(real("emodb")).groupby("gender")["speaker"].nunique().to_dict() == {
        "female": 5,
        "male": 5,
    }
