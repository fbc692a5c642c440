"""The command line as people use it: one process a test where it matters, else `main` in this one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trees

from sergan import corpora
from sergan.__main__ import main

TINY = ["epochs=1", "frames=20", "every=8", "lstm=4", "attention=4", "dense=4", "generator=4,4", "latent=4"]


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SERGAN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """40 utterances of 3 demo speakers as somebody's own corpus: a CSV with other words for the emotions."""
    table = corpora.load("demo")
    chosen = table[table["speaker"].isin(sorted(table["speaker"].unique())[:4])].groupby("speaker").head(37)
    chosen = chosen.groupby(["speaker", "emotion"]).head(3).replace({"emotion": {"angry": "anger"}})
    path = tmp_path_factory.mktemp("own") / "own.csv"
    chosen[["file", "emotion", "speaker"]].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def store(small, tmp_path_factory):
    os.environ["SERGAN_CACHE"] = str(tmp_path_factory.getbasetemp() / "cache")
    store = tmp_path_factory.mktemp("store")
    own = ["--corpus", "table", "--root", str(small), "--labels", "anger=angry", "--preset", "cpu"]
    assert main(["run", *own, "--store", str(store), "--set", *TINY]) == 0
    split = ["--split", "speaker", "--ablation", "BAM"]
    assert main(["run", *own, *split, "--store", str(store), "--set", *TINY]) == 0
    return store


def fails(arguments, capsys, code=1):
    """The one sentence on stderr of a command that fails."""
    try:
        assert main(arguments) == code
    except SystemExit as end:
        assert end.code == code
    out, err = capsys.readouterr()
    assert out == "" or arguments[0] == "fetch"
    lines = [line for line in err.splitlines() if not line.startswith("sergan: note")]
    assert len(lines) == 1 and lines[0].startswith("sergan: ") and lines[0].endswith("."), err
    assert "Traceback" not in err
    return lines[0]


@pytest.mark.parametrize(
    "command", ["", "corpora", "check", "fetch", "features", "run", "examine", "report", "predict", "bench"]
)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert end.value.code == 0 and "usage: sergan" in capsys.readouterr().out


def test_python_m_sergan_is_the_same_program():
    done = subprocess.run([sys.executable, "-m", "sergan", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and re.match(r"sergan \d", done.stdout)


def test_corpora_lists_all(capsys):
    assert main(["corpora"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in corpora.NAMES) and "1103" in text and "sergan fetch nemo" in text
    main(["corpora", "--json"])
    assert {fact["name"] for fact in json.loads(capsys.readouterr().out)} == set(corpora.NAMES)


def test_check_of_a_whole_iemocap_is_complete(tmp_path, capsys):
    trees.iemocap_tree(tmp_path)
    assert main(["check", "iemocap", str(tmp_path)]) == 0
    assert "4490" in capsys.readouterr().out
    import shutil

    shutil.rmtree(tmp_path / "Session4")
    assert main(["check", "iemocap", str(tmp_path)]) == 1
    assert "Session 4 is missing, 793 utterances" in capsys.readouterr().out
    assert main(["check", "iemocap", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["complete"] is False


def test_run_names_what_it_did_and_skips_what_is_there(small, store, capsys):
    own = ["--corpus", "table", "--root", str(small), "--labels", "anger=angry", "--preset", "cpu"]
    assert main(["run", *own, "--store", str(store), "--set", *TINY]) == 0
    assert "8 runs in" in (out := capsys.readouterr().out) and ", 0 of them new" in out


def test_report_shows_the_four_ablations_beside_the_paper(store, capsys):
    assert main(["report", str(store)]) == 0
    text = capsys.readouterr().out
    for words in ("AM +cross_entropy", "AGM +zero", "AGM +fused", "BAM +cross_entropy", "BAGM +zero",
                  "BAGM +fused", "majority", "linear"):  # fmt: skip
        assert re.search(rf"^{words}", text, re.MULTILINE)
    for figure in ("57.96", "58.71", "59.59", "61.45", "55.19", "+1.86", "66.77"):
        assert figure in text
    assert "speaker folds (4 in all)" in text and "these runs are not that" in text
    drawn = re.findall(r"Fig. 3: (.+\.png)", text)
    assert len(drawn) == 2 and all(Path(path).read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_report_as_json(store, capsys):
    assert main(["report", str(store), "--json"]) == 0
    groups = json.loads(capsys.readouterr().out)
    assert {group["split"] for group in groups} == {"paper", "speaker"}
    assert {row["ablation"] for row in groups[0]["table_3"]} == {
        "AM",
        "AGM",
        "BAM",
        "BAGM",
        "majority",
        "linear",
    }


def test_features_file_needs_no_audio(small, tmp_path, capsys):
    """Moved to a place where the audio is not, it trains the same ablations."""
    to = tmp_path / "own.npz"
    assert main(["features", "table", str(small), "--labels", "anger=angry", "--to", str(to)]) == 0
    assert str(small.parent).encode() not in to.read_bytes()
    code = main(["run", "--features", str(to), "--store", str(tmp_path / "s"), "--json", "--set", *TINY])
    assert code == 0
    records = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert len(records) == 8 and {record["corpus"] for record in records} == {"table"}


def test_predict_classifies_draws_and_warns(store, small, tmp_path, capsys):
    file = corpora.load("demo")["file"].iloc[0]
    figure = tmp_path / "attention.png"
    assert main(["predict", file, "--store", str(store), "--figure", str(figure)]) == 0
    text = capsys.readouterr().out
    assert sorted(re.findall(r"^  (\w+) +0\.\d\d", text, re.MULTILINE)) == [
        "angry",
        "happy",
        "neutral",
        "sad",
    ]
    assert "Little is to be made of this" in text and "AI Act" in text
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert main(["predict", file, "--store", str(store), "--figure", str(figure), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["attention"]) == pytest.approx(1, abs=1e-4)
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_predict_is_what_the_run_answered(store, small, tmp_path, capsys):
    """The record's own test utterances get the logits that the run stored."""
    weights = sorted(store.glob("*.pt"))[0]
    with np.load(weights.with_suffix(".npz")) as arrays:
        row, logits = int(arrays["rows"][0]), arrays["logits"][0].astype(float)
    file = corpora.load("table", small, labels="anger=angry")["file"].iloc[row]
    main(
        [
            "predict",
            file,
            "--store",
            str(store),
            "--record",
            weights.stem,
            "--json",
            "--figure",
            str(tmp_path / "a.png"),
        ]
    )
    found = list(json.loads(capsys.readouterr().out)["probabilities"].values())
    np.testing.assert_allclose(found, np.exp(logits) / np.exp(logits).sum(), atol=2e-3)


def test_weights_that_would_run_code_are_refused(store, tmp_path, capsys):
    import pickle
    import shutil

    class Foreign:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "executed"),))

    record = sorted(store.glob("*.pt"))[0].with_suffix(".json")
    shutil.copy(record, tmp_path)
    (tmp_path / record.with_suffix(".pt").name).write_bytes(pickle.dumps(Foreign()))
    file = corpora.load("demo")["file"].iloc[0]
    assert "damaged" in fails(["predict", file, "--store", str(tmp_path)], capsys)
    assert not (tmp_path / "executed").exists()


def test_bad_audio_is_reported_at_once_or_skipped(small, tmp_path, capsys):
    """Every bad file is in one report; the good ones are used where that is asked for."""
    signals = {"short": np.zeros(200), "silent": np.zeros(16000), "nan": np.full(16000, np.nan)}
    for name, signal in signals.items():
        soundfile.write(tmp_path / f"{name}.wav", signal, 16000, subtype="FLOAT")
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "corrupt.wav").write_bytes(b"RIFF" + bytes(range(256)))
    bad = [*signals, "empty", "corrupt"]
    lines = small.read_text().splitlines() + [f"{tmp_path / name}.wav,sad,s9" for name in bad]
    table = tmp_path / "own.csv"
    table.write_text("\n".join(lines))
    run = ["run", "--corpus", "table", "--root", str(table), "--labels", "anger=angry", "--ablation", "AM",
           "--store", str(tmp_path / "s"), "--set", *TINY]  # fmt: skip
    assert main(run) == 1
    *each, last = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sergan: ")]
    assert len(each) == 5 and all(any(f"{name}.wav" in line for line in each) for name in bad)
    assert "5 files" in last and "--on-error skip" in last
    with pytest.warns(UserWarning, match="No features from 5 files") as caught:
        assert main([*run, "--on-error", "skip"]) == 0
    assert all(f"{name}.wav" in str(caught[0].message) for name in bad)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "nemo"], 'The corpus "nemo" needs a root'),
        (["check", "nemo", "nowhere"], "nowhere does not exist"),
        (["fetch", "iemocap"], 'The corpus "iemocap" cannot be fetched'),
        (["run", "--corpus", "nemo"], "needs a root"),
        (["run", "--seeds", "0"], "--seeds and --jobs must be at least 1"),
        (["run", "--set", "epochs"], "--set epochs must have the form KEY=VALUE"),
        (["run", "--set", "epoch=3"], "epoch=3 is not one of pass, batch"),
        (["run", "--set", "speed=3"], "--set speed: there is no such option; there are frames"),
        (["run", "--objective", "mse"], "--objective mse is not one of zero, fused"),
        (["run", "--control", "placebo"], "leave out AGM and BAGM"),
        (
            ["run", "--device", "toaster", "--ablation", "AM", "--no-baselines"],
            "device 'toaster' cannot be used here",
        ),
        (["run", "--features", "nowhere.npz"], "nowhere.npz does not exist"),
        (["run", "--corpus", "demo", "--excited", "merge"], 'has no option "excited"'),
        (["report", "nowhere"], "there is no store nowhere"),
        (["predict", "nowhere.wav", "--store", "nowhere"], "store nowhere has no trained weights"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sentence in fails(arguments, capsys)
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("arguments", [["run", "--ablation", "BGM"], ["check", "iemocup"], ["fly"], []])
def test_an_unknown_word_is_one_sentence_too(arguments, capsys):
    assert "--help" in fails(arguments, capsys, code=2)


def test_predict_names_a_file_that_is_not_there(store, capsys):
    assert "nowhere.wav does not exist" in fails(["predict", "nowhere.wav", "--store", str(store)], capsys)


TINY_BENCH = ["bench", "--batch", "4", "--frames", "16", "--lstm", "8", "--threads", "1", "--turn-s", "0",
              "--lengths", "iemocap", "--precision", "fp32"]  # fmt: skip


def test_bench_compares_with_the_plain_loop_which_never_meets_sergan(tmp_path, capsys):
    file = tmp_path / "new" / "speed.json"
    options = ["--ablation", "BAGM", "--repetitions", "2", "--to", str(file)]
    assert main([*TINY_BENCH, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(file.read_text())
    plain, ours = found["rows"]
    assert (plain["contender"], ours["contender"]) == ("plain", "sergan fp32") and "failed" not in plain
    assert len(ours["times_plain"]) == 3 and (sys.platform == "win32" or ours["peak_gib"] > 0.05)


def test_bench_prints_a_table_and_a_contender_that_failed(capsys):
    # on a processor fp16 is refused
    assert main([*TINY_BENCH, "--ablation", "BAM", "--repetitions", "1", "--precision", "fp32", "fp16"]) == 0
    out = capsys.readouterr().out
    assert "times as fast as plain" in out and "cost, BAM = 1" in out and "as Keras" not in out
    assert "BAM, batch 4, iemocap, sergan fp16 failed: exit code 1; sergan.SerganError: precision=fp16" in out


def test_bench_says_what_is_wrong_before_it_measures(tmp_path, monkeypatch, capsys):
    assert "one for each --batch" in fails(["bench", "--repetitions", "1", "2"], capsys)
    assert "must be at least 1" in fails(["bench", "--batch", "0"], capsys)
    assert "cannot be written" in fails(["bench", "--to", str(tmp_path)], capsys)
    assert "is no program" in fails(["bench", "--keras", str(tmp_path / "python")], capsys)
    monkeypatch.setattr("sergan.bench.BENCHMARKS", tmp_path)
    assert "needs sergan's source" in fails(["bench", "--keras"], capsys)


def test_real_speech_trains_the_four_ablations_under_both_splits(real_corpora, tmp_path, capsys):
    """EmoDB: 339 recordings of 10 people. The networks here are toys; the linear baseline is not."""
    emodb = ["--corpus", "emodb", "--root", str(real_corpora / "emodb"), "--store", str(tmp_path)]
    assert main(["run", *emodb, "--set", *TINY]) == 0
    assert main(["run", *emodb, "--split", "speaker", "--folds", "0", "9", "--set", *TINY]) == 0
    assert main(["report", str(tmp_path), "--json"]) == 0
    groups = json.loads("[" + capsys.readouterr().out.partition("\n[")[2])
    assert [(group["split"], len(group["table_3"])) for group in groups] == [("paper", 8), ("speaker", 8)]
    for group in groups:
        rows = {(row["ablation"], row["objective"]): row for row in group["table_3"]}
        assert {("BAGM", "zero"), ("BAGM", "fused"), ("AGM", "zero"), ("AGM", "fused")} <= set(rows)
        assert rows["linear", None]["ua"][0] > 60 > rows["majority", None]["ua"][0] == 25
    records = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert {r["utterances"]["train"] for r in records if r["split"] == "paper"} == {235}  # floor(0.7 n) each
