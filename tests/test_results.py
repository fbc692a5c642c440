"""Records on disk: whole or not there, under the hash of their configuration, and nothing foreign is run."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sergan import SerganError, results

CONFIG = {
    "corpus": "demo", "dataset": "0123456789abcdef", "split": "paper", "fold": 0, "ablation": "majority",
    "objective": None, "control": "none", "seed": 0, "split_seed": None, "preset": None,
}  # fmt: skip
RECORD = {
    **{name: CONFIG[name] for name in results.RECORD_KEYS},
    "config": CONFIG,
    "wa": 50.0,
    "ua": 25.0,
    "confusion": [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    "utterances": {"train": 6, "validation": 2, "test": 2},
    "folds": 1,
    "curve": [],
    "time_s": 0.5,
}
ARRAYS = {"logits": np.arange(4, dtype=np.float16)}
KEY = results.key(CONFIG)


def of_seed(seed):
    return {**RECORD, "seed": seed, "config": {**CONFIG, "seed": seed}}


def test_the_name_is_the_hash_of_the_configuration_whatever_its_order():
    assert results.key({"b": 1, "a": [1, 2]}) == results.key({"a": [1, 2], "b": 1})
    assert results.key({"a": [2, 1], "b": 1}) != results.key({"a": [1, 2], "b": 1})
    assert KEY == "7b9e85bd35f1ba1e"  # a record written today is found tomorrow
    assert results.checksum(dict(reversed(RECORD.items()))) == results.checksum(RECORD)
    assert results.checksum(RECORD | {"sha256": "another"}) == results.checksum(RECORD)


def test_what_is_written_is_read_again_one_line_a_key(tmp_path):
    path = results.write(tmp_path / "store", RECORD, ARRAYS, {"w": torch.ones(2)})
    assert path == tmp_path / "store" / f"{KEY}.json"
    assert sorted(file.name for file in path.parent.iterdir()) == [f"{KEY}.json", f"{KEY}.npz", f"{KEY}.pt"]
    assert results.load(path) == RECORD
    assert json.loads(path.read_text()) == RECORD | {"sha256": results.checksum(RECORD)}
    lines = path.read_text().splitlines()
    assert (
        len(lines) == len(RECORD) + 1 and lines[0] == '{"corpus": "demo",' and lines[-2] == '"time_s": 0.5,'
    )
    assert path.read_bytes().endswith(b"}\n")
    with np.load(path.with_suffix(".npz")) as stored:
        assert stored["logits"].tolist() == [0, 1, 2, 3]
    assert results.load_weights(path.with_suffix(".pt"))["w"].tolist() == [1, 1]


def test_arrays_are_compressed_and_a_record_may_go_alone(tmp_path):
    path = results.write(tmp_path, RECORD, {"zeros": np.zeros(100_000)})
    assert path.with_suffix(".npz").stat().st_size < 10_000
    assert not path.with_suffix(".pt").exists()
    alone = results.write(tmp_path / "alone", RECORD)
    assert [file.name for file in alone.parent.iterdir()] == [f"{KEY}.json"]


@pytest.mark.parametrize("content", [
    "", "{", "[]", '{"config": {}}', json.dumps(of_seed(1)), "\xff", json.dumps(RECORD | {"wa": "much"}),
    json.dumps(RECORD | {"wa": 51.0, "sha256": results.checksum(RECORD)}),
    *(json.dumps({k: v for k, v in RECORD.items() if k != name}) for name in ("wa", "ua", "confusion", "config")),
])  # fmt: skip
def test_a_damaged_record_is_named_and_is_not_done(tmp_path, content):
    path = tmp_path / f"{KEY}.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(
        SerganError, match=rf"record .*{KEY}.json is damaged \(.+\); delete it and run again"
    ) as error:
        results.load(path)
    assert "\n" not in str(error.value) and error.value.__cause__ is not None
    assert results.is_done(tmp_path, CONFIG) is False
    results.write(tmp_path, RECORD, ARRAYS)
    assert results.is_done(tmp_path, CONFIG) is True
    assert results.is_done(tmp_path, of_seed(1)["config"]) is False


def changed(record, where, value):
    """A copy of a record with another value at one place; what the top repeats of the configuration changes twice."""
    record = json.loads(json.dumps(record))
    *way, last = where.split(".")
    inside = record
    for name in way:
        inside = inside[int(name) if name.isdigit() else name]
    inside[int(last) if last.isdigit() else last] = value
    if where in results.RECORD_KEYS:
        record["config"][where] = value
    return record


def stored(record, folder):
    path = folder / f"{results.key(record['config'])}.json"
    path.write_text(json.dumps(record))
    return path


TRAINED = next(one for one in results.read(results.published()) if one["ablation"] == "BAGM")
UNSOUND = {
    "corpus": ("corpus", [3, None]), "dataset": ("config.dataset", [3, None]), "fold": ("fold", ["0", 0.0, True]),
    "seed": ("seed", ["0", 0.5, None]), "split_seed": ("config.split_seed", ["0", 1.5]),
    "split": ("split", ["others"]), "ablation": ("ablation", ["BAGMA"]), "objective": ("objective", ["nil", None]),
    "control": ("control", ["nil", None]), "preset": ("preset", ["huge", None]), "lr": ("config.lr", ["0.1", [1]]),
    "frames": ("config.frames", [1.5, "2", True]), "generator": ("config.generator", [8, "8"]),
    "name of others": ("config.others", [5, ["x"]]), "wa": ("wa", [-0.1, 100.1, "50", True, float("nan")]),
    "ua": ("ua", [-0.1, 100.1, None]), "confusion": ("confusion.1", [[1, 0, 0], [1, 0, 0, -1], [1, 0, 0, 0.5]]),
    "utterances": ("utterances.test", [-1, 2.5, "2"]), "folds": ("folds", [0, -1, 1.5]),
    "time_s": ("time_s", [-0.1, "1", float("inf")]), "steps": ("steps", [-1, 1.5]), "device": ("device", [1]),
    "precision": ("precision", [None]), "revision": ("revision", [7]), "threads": ("threads", [-1, "1"]),
    "versions": ("versions.torch", [2, None]),
}  # fmt: skip
ODD_CURVES = ({}, "", [{"wa": 1, "ua": 1}, {"wa": 1}], [{"wa": 100.1, "ua": 1}], [{"wa": 1, "ua": -0.1}],
              [{"wa": 1, "ua": 1, "loss": "1"}])  # fmt: skip


@pytest.mark.parametrize("part, where, value", [
    *((part, where, value) for part, (where, values) in UNSOUND.items() for value in values),
    *(("curve", "curve", curve) for curve in ODD_CURVES),
    ("name of others", "config.augmentation", 5), ("confusion", "confusion", [[0] * 4] * 3),
    ("utterances", "utterances", {"train": 1, "test": 1}),
])  # fmt: skip
def test_a_record_with_an_impossible_part_says_which(tmp_path, part, where, value):
    path = stored(changed(TRAINED, where, value), tmp_path)
    with pytest.raises(SerganError, match=rf"\(its {part} is none\); delete it and run again"):
        results.load(path)


@pytest.mark.parametrize("name", results.RECORD_KEYS)
def test_the_top_of_a_record_repeats_its_configuration(tmp_path, name):
    with pytest.raises(SerganError, match=rf"its {name} is none"):
        results.load(stored(TRAINED | {name: "another"}, tmp_path))


@pytest.mark.parametrize("name, value", [("objective", "zero"), ("preset", "cpu")])
def test_a_baseline_has_no_reading_and_no_preset(tmp_path, name, value):
    with pytest.raises(SerganError, match=rf"its {name} is none"):
        results.load(stored(changed(RECORD, name, value), tmp_path))


@pytest.mark.parametrize("where, value", [
    ("wa", 0), ("wa", 100), ("ua", 0), ("ua", 100), ("time_s", 0), ("steps", 0), ("threads", 0), ("folds", 1),
    ("curve", [{"wa": 0, "ua": 100, "loss": None}, {"wa": 100, "ua": 0, "loss": 1}]), ("config.lr", 1),
    ("config.split_seed", None),
    ("config.others", "0123456789abcdef"), ("config.something_new", {"of": "a later version"}),
])  # fmt: skip
def test_the_ends_of_what_is_possible_are_possible(tmp_path, where, value):
    record = changed(TRAINED, where, value)
    assert results.load(stored(record, tmp_path)) == record


@pytest.mark.parametrize("name", ["steps", "device", "precision", "revision", "threads", "versions"])
def test_what_baselines_and_older_versions_lack_may_be_lacking(tmp_path, name):
    record = {key: value for key, value in TRAINED.items() if key != name}
    assert results.load(stored(record, tmp_path)) == record


def test_a_run_is_done_when_all_its_files_are_whole(tmp_path, monkeypatch):
    path = results.write(tmp_path, RECORD, ARRAYS, {"w": torch.ones(2)})
    assert results.is_done(tmp_path, CONFIG) is True
    for part in (".npz", ".pt"):
        whole = path.with_suffix(part).read_bytes()
        path.with_suffix(part).write_bytes(whole[:-1])
        assert results.is_done(tmp_path, CONFIG) is False
        path.with_suffix(part).write_bytes(whole)
    most = len(ARRAYS["logits"].tobytes()) + 128  # with the header of a file of NumPy's
    monkeypatch.setattr(results, "LARGEST", most)
    assert results.is_done(tmp_path, CONFIG) is True
    monkeypatch.setattr(results, "LARGEST", most - 1)
    assert results.is_done(tmp_path, CONFIG) is False
    monkeypatch.undo()
    assert results.LARGEST == 128 * 2**20
    path.with_suffix(".npz").unlink()
    assert results.is_done(tmp_path, CONFIG) is False


def test_a_record_that_an_older_version_wrote_without_a_checksum_is_read(tmp_path):
    path = tmp_path / f"{KEY}.json"
    path.write_text(json.dumps(RECORD))
    assert results.load(path) == RECORD


def test_a_record_that_is_not_what_was_written_says_so(tmp_path):
    path = tmp_path / f"{KEY}.json"
    path.write_text(json.dumps(RECORD | {"wa": 51.0, "sha256": results.checksum(RECORD)}))
    with pytest.raises(SerganError, match=r"\(it is not what was written\)"):
        results.load(path)


def test_a_record_under_anothers_name_says_so(tmp_path):
    path = results.write(tmp_path, RECORD).rename(tmp_path / "0123456789abcdef.json")
    with pytest.raises(SerganError, match=r"\(its name is not the hash of its configuration\)"):
        results.load(path)


def test_a_store_is_read_in_the_order_of_names_and_nothing_else_in_it(tmp_path):
    some = [of_seed(seed) for seed in range(5)]
    paths = [results.write(tmp_path, record) for record in some]
    (tmp_path / "notes.txt").write_text("no record")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "x.json").write_text("{")
    expected = [record for _, record in sorted(zip(paths, some, strict=True), key=lambda pair: pair[0])]
    assert results.read(tmp_path) == results.read(str(tmp_path)) == expected
    with pytest.raises(
        SerganError, match=r"there is no store .*absent; `sergan run --store .*absent` makes one"
    ):
        results.read(tmp_path / "absent")


def test_the_published_records_are_those_of_the_book():
    assert results.published() == Path(results.__file__).parents[1] / "results"
    assert len(list(results.published().glob("*.json"))) > 100


def test_an_installed_package_has_its_records_inside(tmp_path, monkeypatch):
    (tmp_path / "_records").mkdir()
    monkeypatch.setattr(results, "__file__", str(tmp_path / "results.py"))
    assert results.published() == tmp_path / "_records"


class Harm:
    def __reduce__(self):
        return (Path.touch, (Path("harmed"),))


def test_weights_that_are_absent_damaged_or_code_are_named_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"{KEY}.pt"
    with pytest.raises(
        SerganError, match=rf"there are no weights .*{KEY}.pt; run again without --no-weights"
    ):
        results.load_weights(path)
    sentence = rf"weights .*{KEY}.pt are damaged; delete {KEY}\.\* and run again"
    path.write_bytes(b"nothing")
    with pytest.raises(SerganError, match=sentence):
        results.load_weights(path)
    torch.save({"w": Harm()}, path)
    with pytest.raises(SerganError, match=sentence):
        results.load_weights(path)
    assert not (tmp_path / "harmed").exists()
