"""Contributed files: what they hold, what they never hold, and that nothing but such a file is accepted."""

import copy
import json
import os
import shutil
import time

import numpy as np
import pytest
import trees
from hypothesis import given
from hypothesis import strategies as st

from sergan import EMOTIONS, SerganError, contribution, experiments, report, results
from sergan.__main__ import main
from sergan.corpora import iemocap
from sergan.data import Dataset

TINY = {"epochs": "2", "epoch": "batch", "batch": "64", "frames": "4", "lstm": "2", "attention": "2", "dense": "2",
        "generator": "2,2", "latent": "2", "lr": "0.01"}  # fmt: skip


@pytest.fixture(scope="module")
def imitated(tmp_path_factory):
    """IEMOCAP's 4,490 names, labels and speakers from an imitated tree, with noise of two to five frames each."""
    table = iemocap.utterances(trees.iemocap_tree(tmp_path_factory.mktemp("SecretFolder"))).sort_index()
    table = table[table["emotion"].isin(EMOTIONS)]
    rng = np.random.default_rng(0)
    frames = [rng.normal(size=(rng.integers(2, 6), 32)) for _ in range(len(table))]
    return Dataset.of("iemocap", table, frames)


@pytest.fixture(scope="module")
def store(imitated, tmp_path_factory):
    """Two ablations and the majority on two random splits, AM and the majority on the five sessions."""
    store = tmp_path_factory.mktemp("store")
    common = {"preset": "paper", "changes": TINY}
    runs = experiments.plan(imitated, ablations=["AM", "AGM"], objectives=["fused"], seeds=[0, 1], **common)
    runs += experiments.plan(imitated, split="speaker", ablations=["AM"], objectives=["zero"], **common)
    experiments.sweep(runs, imitated, store, device="cpu", keep_weights=False)
    return store


@pytest.fixture(scope="module")
def content(store):
    return contribution.gather(store, name="A. Reader, Somewhere", note="On a laptop, in one night.")


def saved(content, folder, name="file.json"):
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_contribute_and_validate_pass_a_sweep_on(store, content, tmp_path, capsys):
    file = tmp_path / "new" / "mine.json"
    assert (
        main(
            ["contribute", str(store), "-o", str(file), "--name", content["name"], "--note", content["note"]]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "16 runs on iemocap, 4490 utterances; by A. Reader, Somewhere; CC0-1.0" in out and "CC0 1.0" in out
    assert json.loads(file.read_text()) == content
    assert main(["validate", str(file)]) == 0
    assert "accepted" in capsys.readouterr().out
    assert file.stat().st_size / len(content["runs"]) < 2500


def walk(value, path=()):
    """Every value inside, with its path."""
    yield path, value
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from walk(inner, (*path, name))


def test_a_file_names_nobody_and_nothing_of_the_corpus(store, imitated, content, tmp_path):
    """The names are in what the runs were made from, and in the answers beside the records, but not in here."""
    contribution.write(tmp_path / "mine.json", content)
    written = (tmp_path / "mine.json").read_bytes()
    answers = next(store.glob("*.npz"))
    with np.load(answers) as arrays:
        assert {"Ses01F", "Ses05M"} <= set(arrays["speaker_names"].tolist())
        forbidden = [*arrays.files, *arrays["speaker_names"]]
    forbidden += [*imitated.table.index, "Ses0", "impro", "SecretFolder", ".wav", str(store), os.sep + "tmp"]
    forbidden = set(forbidden) - {"logits", "labels", "rows"} | {'"logits"', '"labels"', '"rows"'}
    assert not [word for word in forbidden if word.encode() in written]
    # No list is as long as a test part: 4 classes, 3 sizes of the generator, 2 epochs, and the runs themselves
    lengths = {len(value) for path, value in walk(content) if isinstance(value, list) and path != ("runs",)}
    assert lengths <= {2, 4}
    assert {path[2] for path, _ in walk(content) if len(path) == 3 and path[0] == "runs"} == set(
        contribution.RUN
    )


def test_records_from_a_file_make_the_same_tables(store, content):
    ours, theirs = ({r["config"]["dataset"] + results.key(r["config"]): r for r in some}
                    for some in (results.read(store), contribution.records(content)))  # fmt: skip
    assert ours.keys() == theirs.keys()
    for name, record in ours.items():
        for entry in (*experiments.RECORD_KEYS, "config", "wa", "ua", "confusion", "utterances", "folds", "steps",
                      "time_s", "device", "threads", "versions", "revision"):  # fmt: skip
            assert theirs[name][entry] == record[entry], entry
        assert [e.get("loss_real") for e in theirs[name]["curve"]] == [
            e.get("loss_real") for e in record["curve"]
        ]
    tables = [[report.table_3(group["records"]) for group in report.groups([some[name] for name in sorted(some)])]
              for some in (ours, theirs)]  # fmt: skip
    assert tables[0] == tables[1]


def test_a_mean_has_an_interval_over_sessions_and_none_over_random_splits(content):
    rows = contribution.arms(contribution.records(content), "A. Reader")
    by_split = {title.split(",")[1].strip(): some for title, some in rows.groupby("runs")}
    speaker = by_split["speaker split"].set_index("arm")
    paper = by_split["paper split"].set_index("arm")
    assert speaker.loc["AM cross_entropy", "units"] == 5 and "[" in speaker.loc["AM cross_entropy", "wa"]
    assert (
        "[" not in paper.loc["AM cross_entropy", "wa"] and paper.loc["AM cross_entropy", "paper"] == "57.96"
    )
    assert paper.loc["AGM fused", "gain"] and paper.loc["AGM fused", "paper (gain)"] == "+0.75"


def refused(content) -> list[str]:
    """The sentences of a refusal: each short, each with what to do."""
    verdict = contribution.check(content)
    assert verdict.problems and not verdict.doubts
    for sentence in verdict.problems:
        assert len(sentence) < 500 and "\n" not in sentence and sentence.isprintable(), sentence
    return verdict.problems


def change(content, path, value):
    changed = copy.deepcopy(content)
    place = changed
    for name in path[:-1]:
        place = place[name]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


REMOVED = object()
FREE = {"time_s", "threads", "versions", "revision", "device", "name", "note"}
"""Where another sound value is as good: nobody can check these."""


def is_bound(path) -> bool:
    """Whether a number is tied to others: not a loss, nor UA before the last epoch."""
    return not FREE & set(map(str, path)) and not {"loss_real", "loss_fake", "loss_generator", "ua",
                                                   "validation_ua"} & set(path[3:4])  # fmt: skip


@given(st.data())
def test_any_other_number_is_refused(content, data):
    leaves = [(path, v) for path, v in walk(content) if type(v) in (int, float) and is_bound(path)]
    path, value = data.draw(st.sampled_from(leaves))
    step = data.draw(st.sampled_from([1, -1, 10**6, 10**30]) if type(value) is int else st.sampled_from(
        [0.01, -0.01, 0.03, 1e5, -1e5, float("inf"), float("nan")]))  # fmt: skip
    refused(change(content, path, value + step))


@given(st.data())
def test_any_other_type_missing_or_unknown_entry_is_refused(content, data):
    path, value = data.draw(st.sampled_from([(p, v) for p, v in walk(content) if p]))
    if type(value) is not dict and data.draw(st.booleans()):
        others = [None, True, "1", 1, 1.5, [], {}, [[]], "x" * 10_000, "Ses01F_impro01_F000"]
        losses = path[2:3] == ("curve",)
        others = [o for o in others if type(o) is not type(value) and not (losses and o in (None, 1.5))
                  and not (path[-1] == "time_s" and o == 1.5)]  # fmt: skip
        refused(change(content, path, data.draw(st.sampled_from(others))))
    elif type(value) is dict:
        refused(change(content, (*path, data.draw(st.sampled_from(["extra", "logits", "__class__", ""]))), 1))
    elif path != ("runs", path[-1]):
        refused(change(content, path, REMOVED))


@pytest.mark.parametrize(
    ("entry", "value", "sentence"),
    [
        ("corpus", "table", "no published counts"),
        ("corpus", "x" * 10**6, "no published counts"),
        ("corpus", "iemocap (excited=merge)", "1636"),
        ("licence", "CC BY-NC", "its licence is"),
        ("format", 2, "write it again with this version"),
        (
            "utterances",
            dict(zip(EMOTIONS, (1103, 1708, 595, 1083), strict=True)),
            "1083 sad utterances, and iemocap has 1084",
        ),
        ("name", "x" * 81, "at most 80"),
        ("note", "see Ses01F", "looks like the name"),
        ("note", "see Ses01F_impro01_F000", "looks like the name"),
        ("note", "in /home/me", "looks like the name"),
        ("note", r"in C:\data", "looks like the name"),
        ("note", "03-01-05-01-01-01-01", "looks like the name"),
        ("note", "see impro.wav", "looks like the name"),
        ("name", "<script>alert(1)</script>", "not for running text"),
        ("name", "[here](http)", "not for running text"),
        ("name", "a\u202eb", "not for running text"),
        ("name", "a\x1b[31m", "not for running text"),
        ("runs", [], "at least one run"),
        ("runs", {}, "at least one run"),
        ("folds_missing", 1, "folds_missing is 1, but 0"),
    ],
)
def test_a_head_that_is_not_so_is_refused(content, entry, value, sentence):
    assert sentence in " ".join(refused(change(content, (entry,), value)))


@pytest.mark.parametrize(
    ("entry", "value", "sentence"),
    [
        ("device", "/home/me/gpu", "its device is"),
        ("device", "Ses01F impro01", "its device is"),
        ("device", "x" * 10**6, "its device is"),
        ("revision", "yesterday", "its revision is"),
        ("precision", "int4", "its precision is"),
        ("time_s", -1.0, "its time_s is"),
        ("time_s", float("nan"), "its time_s is"),
        ("threads", 0, "its threads is 0"),
        ("versions", {"python": "3.11"}, "versions has not exactly"),
        ("steps", 2.0, "its steps is 2.0, not 2"),
        ("key", "0" * 16, "not the hash of its config"),
    ],
)
def test_a_run_that_is_not_so_is_refused(content, entry, value, sentence):
    number = next(k for k, run in enumerate(content["runs"]) if run["config"]["ablation"] == "AGM")
    (found,) = refused(change(content, ("runs", number, entry), value))
    assert sentence in found and found.startswith(f"run {number + 1} (iemocap paper AGM fused")


def with_config(content, **changes):
    """The first AGM run with another configuration and the key that belongs to it."""
    number = next(k for k, run in enumerate(content["runs"]) if run["config"]["ablation"] == "AGM")
    config = {k: v for k, v in (content["runs"][number]["config"] | changes).items() if v is not REMOVED}
    run = content["runs"][number] | {"config": config, "key": results.key(config)}
    return change(content, ("runs", number), run)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"split": "speaker"}, "split_seed"),
        ({"split": "speaker", "split_seed": None, "fold": 5}, "fold 5 does not exist"),
        ({"fold": 1}, "fold 1 does not exist"),
        ({"ablation": "BGM"}, "its ablation is"),
        ({"objective": "cross_entropy"}, "its objective is"),
        ({"control": "placebo"}, "leave out AGM"),
        ({"control": "other"}, "its others is"),
        ({"epochs": 3}, "for 3 epochs"),
        ({"epochs": 10**30}, "its curve does not have"),
        ({"epoch": "pass"}, "its steps is 2, not 100"),
        ({"lr": 1}, "its lr is 1"),
        ({"masked": 1}, "its masked is 1"),
        ({"scaling": "Ses01F_impro01_F000"}, "scaling"),
        ({"speed": 3}, "no option"),
        ({"epochs": REMOVED}, "other entries"),
        ({"dataset": "0" * 16}, "not the file's"),
        ({"augmentation": "mine.py:mixup"}, "no option"),
    ],
)
def test_a_configuration_that_sergan_run_could_not_have_made_is_refused(content, changes, sentence):
    (found,) = refused(with_config(content, **changes))
    assert sentence in found, found


def test_every_refusal_is_listed_and_none_is_hidden_by_another(content):
    changed = copy.deepcopy(content)
    for run in changed["runs"]:
        run["wa"] += 1
    assert len(refused(changed)) == len(content["runs"])


def test_one_run_twice_is_refused(content):
    (found,) = refused(change(content, ("runs",), [*content["runs"], content["runs"][0]]))
    assert "2 runs have the key" in found


def test_missing_folds_are_said_and_counted(content):
    kept = [run for run in content["runs"] if (run["config"]["ablation"], run["config"]["fold"]) != ("AM", 3)]
    assert "1 folds are missing" in refused(content | {"runs": kept})[0]
    verdict = contribution.check(content | {"runs": kept, "folds_missing": 1})
    assert not verdict.problems and "folds are missing (1)" in verdict.doubts[0]


def perfect(run):
    """The run as if it had been right every time."""
    matrix = np.diag(np.sum(run["confusion"], axis=1)).tolist()
    curve = run["curve"] | {name: [*run["curve"][name][:-1], 100.0] for name in ("wa", "ua")}
    return run | {"confusion": matrix, "wa": 100.0, "ua": 100.0, "curve": curve}


def test_what_is_possible_and_unlikely_is_a_doubt_and_no_refusal(content):
    """So is any forgery that is thorough: the check finds mistakes, and no careful liar."""
    am = [run["config"]["ablation"] == "AM" and run["config"]["split"] == "paper" for run in content["runs"]]
    runs = [perfect(run) if is_am else run for run, is_am in zip(content["runs"], am, strict=True)]
    third = copy.deepcopy(runs[am.index(True)])
    third["config"] |= {"seed": 7, "split_seed": 7}
    third["key"] = results.key(third["config"])
    verdict = contribution.check(content | {"runs": [*runs, third]})
    assert not verdict.problems
    assert sum("WA 100.0" in doubt for doubt in verdict.doubts) == 3
    assert sum("same confusion matrix" in doubt for doubt in verdict.doubts) == 1
    assert contribution.check(content).doubts == []


HOSTILE = {
    "empty": (b"", "is not the JSON"),
    "words": (b"hello", "is not the JSON"),
    "binary": (bytes(range(256)), "is not the JSON"),
    "list": (b"[]", "has not exactly the entries"),
    "number": (b"1", "has not exactly the entries"),
    "null": (b"null", "has not exactly the entries"),
    "nan": (b'{"format": NaN}', "NaN is no number"),
    "infinity": (b'{"format": -Infinity}', "-Infinity is no number"),
    "duplicate": (b'{"format": 1, "format": 1}', "twice"),
    "deep": (b"[" * 1_000_000, "nested too deeply"),
    "deep object": (b'{"a":' * 300_000, "nested too deeply"),
    "large": (b" " * 5_000_001, "larger than 5 MB"),
    "long text": (b'{"format": "' + b"x" * 1_000_000 + b'"}', "has not exactly the entries"),
    "long key": (b'{"' + b"x" * 1_000_000 + b'": 1, "' + b"x" * 1_000_000 + b'": 1}', "twice"),
    "long number": (b"9" * 1_000_000, "is not the JSON"),
    "surrogate": (rb'{"\ud800": 1}', "has not exactly the entries"),
    "escape": (b'{"\\u001b[31m": 1, "\\u001b[31m": 2}', "twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_one_sentence(name, tmp_path, capsys):
    body, sentence = HOSTILE[name]
    (tmp_path / "file.json").write_bytes(body)
    start = time.perf_counter()
    assert main(["validate", str(tmp_path / "file.json")]) == 1
    assert time.perf_counter() - start < 5
    out, err = capsys.readouterr()
    *first, last = [line for line in err.splitlines() if "is refused" not in line or sentence in line]
    assert out == "" and not first and last.startswith("sergan: ") and last.endswith(".")
    assert sentence in last and len(last) < 600 and last.isprintable() and "Traceback" not in err


def test_what_cannot_be_read_gets_one_sentence(tmp_path, capsys):
    assert main(["validate", str(tmp_path), str(tmp_path / "nowhere.json")]) == 1
    assert capsys.readouterr().err.count("there is no such file") == 2


def test_a_thousand_bad_runs_fill_no_terminal(content, tmp_path, capsys):
    path = saved(content | {"runs": [{}] * 1000}, tmp_path)
    assert main(["validate", str(path)]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 51 and "is refused, for 950 more reasons too" in err


def test_one_bad_file_among_good_ones_fails_the_command(content, tmp_path, capsys):
    good, bad = saved(content, tmp_path, "good.json"), saved(content | {"note": "a/b"}, tmp_path, "bad.json")
    assert main(["validate", str(good), str(bad), str(good)]) == 1
    out, err = capsys.readouterr()
    assert out.count("accepted") == 2 and "bad.json is refused." in err


def fails(arguments, capsys):
    assert main(arguments) == 1
    return capsys.readouterr().err


def test_contribute_says_what_is_in_its_way(store, tmp_path, capsys):
    to = ["-o", str(tmp_path / "mine.json")]
    assert "is a store" in fails(["contribute", str(store), "-o", str(store / "mine.json")], capsys)
    assert "there is no store" in fails(["contribute", str(tmp_path / "none"), *to], capsys)
    assert "has no runs of nemo, but of iemocap" in fails(
        ["contribute", str(store), *to, "--corpus", "nemo"], capsys
    )
    assert "looks like the name" in fails(
        ["contribute", str(store), *to, "--note", "Ses01F_impro01_F000"], capsys
    )
    (tmp_path / "empty").mkdir()
    assert "holds no records" in fails(["contribute", str(tmp_path / "empty"), *to], capsys)
    assert not (tmp_path / "mine.json").exists()


def another(record, store, **config):
    """The record under another configuration, in the store."""
    config = record["config"] | config
    results.write(
        store, record | {name: config[name] for name in experiments.RECORD_KEYS} | {"config": config}
    )


def test_contribute_takes_one_corpus_one_version_and_nobodys_own_augmentation(store, tmp_path, capsys):
    shutil.copytree(store, tmp_path / "store")
    record = next(r for r in results.read(store) if r["ablation"] == "AM")
    another(record, tmp_path / "store", augmentation="mixup 0123456789ab")
    with pytest.warns(UserWarning, match="1 runs with an augmentation of your own are left out"):
        assert len(contribution.gather(tmp_path / "store")["runs"]) == 16
    another(record, tmp_path / "store", corpus="nemo")
    with pytest.raises(SerganError, match=r"has runs of .*: choose one with --corpus"):
        contribution.gather(tmp_path / "store")
    another(record, tmp_path / "store", dataset="0" * 16)
    with pytest.raises(SerganError, match="2 versions of iemocap"):
        contribution.gather(tmp_path / "store", corpus="iemocap")


def test_an_incomplete_corpus_is_found_when_it_is_contributed(imitated, tmp_path):
    """Some utterances lacked audio, say: then the runs are not on the paper's 4,490."""
    less = Dataset.of("iemocap", imitated.table[20:], imitated.sequences[20:])
    runs = experiments.plan(less, preset="paper", ablations=["AM"], objectives=["zero"], changes=TINY)
    experiments.sweep(runs, less, tmp_path, device="cpu", keep_weights=False)
    with pytest.raises(SerganError) as error:
        contribution.gather(tmp_path)
    assert all("run sergan check on the corpus" in sentence for sentence in error.value.errors.values())


def test_a_damaged_record_is_one_sentence(store, tmp_path):
    record = results.read(store)[0]
    del record["versions"]
    results.write(tmp_path, record)
    with pytest.raises(SerganError, match="is damaged"):
        contribution.gather(tmp_path)


def test_what_comes_with_the_book_is_accepted_and_does_not_disturb_its_records(content, store, tmp_path):
    assert isinstance(contribution.read(), list)
    shutil.copytree(store, tmp_path / "store")
    (tmp_path / "store" / "contributed").mkdir()
    saved(content, tmp_path / "store" / "contributed")
    assert results.read(tmp_path / "store") == results.read(store)
    assert contribution.read(tmp_path / "store" / "contributed") == [content]
    saved(content | {"note": "a/b"}, tmp_path / "store" / "contributed", "bad.json")
    with pytest.raises(SerganError, match="is refused"):
        contribution.read(tmp_path / "store" / "contributed")


@pytest.mark.parametrize("corpus", ["emodb", "nemo", "ravdess"])
def test_our_own_records_would_be_accepted(corpus):
    """Hundreds of runs that nobody made for this: single speakers, groups of them, sessions, controls, penalties."""
    assert contribution.check(contribution.gather(results.published(), corpus=corpus)).problems == []


def test_a_file_says_all_versions_that_a_record_says():
    assert list(contribution.VERSIONS) == list(experiments.versions())


def test_the_parts_of_the_papers_split_are_its_table_1():
    sizes, folds = contribution.parts("iemocap", "paper", 0)
    assert (
        sizes[0].tolist() == [772, 1195, 416, 758]
        and sizes[2].tolist() == [331, 513, 179, 326]
        and folds == 1
    )
    tests = [contribution.parts("iemocap", "speaker", fold)[0][2] for fold in range(5)]
    assert np.sum(tests, axis=0).tolist() == [1103, 1708, 595, 1084]
