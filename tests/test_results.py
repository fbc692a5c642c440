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


def test_a_record_that_an_older_version_wrote_without_a_checksum_is_read(tmp_path):
    path = tmp_path / f"{KEY}.json"
    path.write_text(json.dumps(RECORD))
    assert results.load(path) == RECORD


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
