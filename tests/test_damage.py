"""What `make torture` found: damage that went unseen, and two programs that got into each other's way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from conftest import random_dataset
from test_experiments import FAST
from test_fetch import QUICK, SPEECH, server, speech, tree  # noqa: F401

from sergan import SerganError, checkpoints, corpora, experiments, files, report, results
from sergan.corpora import _fetch
from sergan.experiments import plan, sweep
from sergan.training import Training


@pytest.fixture(scope="module")
def data():
    return random_dataset()


@pytest.fixture(scope="module")
def planned(data):
    return plan(data, preset="demo", ablations=["AM"], changes=FAST, baselines=False)


@pytest.fixture(scope="module")
def whole(data, planned, tmp_path_factory):
    """A store with one finished run, and what its files say."""
    (path,) = sweep(planned, data, tmp_path_factory.mktemp("whole"))
    return path


def said(path):
    """A finished run, but for its time."""
    with np.load(path.with_suffix(".npz")) as arrays:
        answers = {name: arrays[name].tobytes() for name in arrays.files}
    weights = torch.load(path.with_suffix(".pt"), weights_only=True)["discriminator"]
    record = results.load(path) | {"time_s": 0}
    return record, answers, {name: weight.numpy().tobytes() for name, weight in weights.items()}


@pytest.fixture
def store(whole, tmp_path):
    shutil.copytree(whole.parent, tmp_path / "store")
    return tmp_path / "store"


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def flip_a_weight(path):
    """A bit in the middle of the largest tensor: torch.load sees nothing wrong."""
    state = torch.load(path, weights_only=True)["discriminator"]
    weight = max(state.values(), key=torch.numel).numpy().tobytes()
    flip(path, path.read_bytes().index(weight) + len(weight) // 2)
    torch.load(path, weights_only=True)


def test_a_flipped_bit_in_a_checkpoint_is_noted_and_its_run_starts_afresh(data, planned, whole, tmp_path):
    checkpoint = tmp_path / "checkpoints" / f"{whole.stem}.pt"

    def stop(run, epoch, entry):
        if checkpoint.exists():
            raise SerganError("stopped")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(experiments.FailedRuns):
        patch.setitem(Training.run.__kwdefaults__, "every_s", 0)
        sweep(planned, data, tmp_path, progress=stop)
    flip_a_weight(checkpoint)
    with pytest.warns(UserWarning, match="was damaged; its run, demo paper AM .*, starts afresh"):
        (path,) = sweep(planned, data, tmp_path)
    assert said(path) == said(whole)


def test_a_flipped_bit_in_weights_is_found_and_the_same_command_mends_it(data, planned, whole, store):
    path = store / whole.name
    flip_a_weight(path.with_suffix(".pt"))
    with pytest.raises(SerganError, match=r"weights .* are damaged; delete"):
        results.load_weights(path.with_suffix(".pt"))
    assert not results.is_done(store, planned[0].config)
    sweep(planned, data, store)
    assert said(path) == said(whole)


def test_another_digit_in_a_score_is_found_and_the_same_command_mends_it(data, planned, whole, store):
    path = store / whole.name
    text = path.read_text()
    value = json.loads(text)["ua"]
    path.write_text(text.replace(f'"ua": {value}', f'"ua": {value + 1}'))
    with pytest.raises(SerganError, match=f"record .*{path.name} is damaged"):
        results.load(path)
    sweep(planned, data, store)
    assert said(path) == said(whole)


def test_a_record_from_before_there_were_checksums_is_read(whole, store):
    path = store / whole.name
    record = json.loads(path.read_text())
    assert record.pop("sha256") and "sha256" not in results.load(path)
    path.write_text(json.dumps(record))
    assert results.load(path) == record and results.is_done(store, record["config"])


@pytest.mark.parametrize("harm", ["gone", "empty", "flipped"])
def test_a_run_whose_answers_are_damaged_is_done_again(harm, data, planned, whole, store):
    path = store / whole.name
    answers = path.with_suffix(".npz")
    if harm == "flipped":
        flip(answers, answers.stat().st_size // 2)
    else:
        answers.unlink() if harm == "gone" else answers.write_bytes(b"")
    sweep(planned, data, store)
    assert said(path) == said(whole)


def test_answers_are_as_written_or_refused_in_a_sentence_wherever_a_bit_is_flipped(whole, store):
    path, record = (store / whole.name).with_suffix(".npz"), results.load(whole)
    content, right = path.read_bytes(), report.answers(record, store)
    refused = 0
    for place in range(0, len(content), 7):
        path.write_bytes(content)
        flip(path, place)
        try:
            found = report.answers(record, store)
        except SerganError as error:
            assert "are damaged; delete" in str(error)
            refused += 1
        else:
            assert all(np.array_equal(found[name], right[name]) for name in right)
    assert refused > len(content) / 7 / 2


def test_old_weights_do_not_stay_beside_a_new_record(data, planned, whole, store):
    (store / whole.name).unlink()
    sweep(planned, data, store, keep_weights=False)
    assert not (store / whole.name).with_suffix(".pt").exists()


# Two at once -----------------------------------------------------------------------------------------------

WRITING = """
import sys, time
from sergan.files import replacing
with replacing(sys.argv[1]) as out:
    out.write(b"half")
    out.flush()
    print("writing", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that somebody has open")
def test_what_another_process_is_writing_is_left_to_it_and_what_a_killed_one_wrote_is_not(
    whole, store, tmp_path
):
    """Two sweeps in one store may do the same run: the first to finish must not take the file from the other."""
    checkpoint = tmp_path / "checkpoints" / f"{whole.stem}.pt"
    with np.load(whole.with_suffix(".npz")) as arrays:
        content = (results.load(whole), dict(arrays), results.load_weights(whole.with_suffix(".pt")))

    def begin():
        other = subprocess.Popen([sys.executable, "-c", WRITING, checkpoint], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)  # fmt: skip
        other.stdout.readline()
        return other

    with begin() as other:
        experiments.write(store, *content, checkpoint)
        other.communicate(b"\n")
    assert other.returncode == 0 and checkpoint.read_bytes() == b"half"
    with begin() as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert len(list(checkpoint.parent.iterdir())) == 2
        experiments.write(store, *content, checkpoint)
    assert list(checkpoint.parent.iterdir()) == []


def test_a_store_is_ready_though_a_file_in_it_goes_away_meanwhile(data, planned, tmp_path):
    """As when another sweep there gives it its final name: a link to nowhere is listed and cannot be looked at."""
    (tmp_path / "KEY.json.part").symlink_to(tmp_path / "renamed")
    assert len(sweep(planned, data, tmp_path)) == 1


def test_a_checkpoint_that_another_sweep_has_just_deleted_is_no_error(tmp_path):
    class Untouched:
        device = "cpu"

    checkpoints.load(Untouched(), tmp_path / "gone.pt")


def test_a_store_whose_permissions_go_meanwhile_is_one_sentence(data, planned, tmp_path, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    def shut(run, epoch, entry):
        monkeypatch.setattr(experiments.Path, "unlink", refuse)

    assert len(sweep(planned, data, tmp_path, progress=shut)) == 1


def test_a_second_download_to_the_same_folder_is_refused_and_does_no_harm(speech, tmp_path):  # noqa: F811
    """Both would write to the same drafts, and give them the names of a corpus's files."""
    staging = tmp_path / "to" / _fetch.STAGING
    staging.mkdir(parents=True)
    with files.alone(staging / _fetch.LOCK, "download"):
        with pytest.raises(SerganError, match=r"another download is under way in .*; wait for its end"):
            corpora.fetch("ravdess", tmp_path / "to", **QUICK)
        assert staging.is_dir()
    corpora.fetch("ravdess", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SPEECH and not staging.exists()


HOLDING = """
import sys
from sergan.files import alone
with alone(sys.argv[1], "x"):
    print("holding", flush=True)
    sys.stdin.readline()
"""


def test_a_lock_of_a_killed_process_holds_nobody_up(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDING, tmp_path / "lock"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:  # fmt: skip
        other.stdout.readline()
        with pytest.raises(SerganError, match="another x is under way"), files.alone(tmp_path / "lock", "x"):
            pass
        other.kill()
    time.sleep(0.1)
    with files.alone(tmp_path / "lock", "x"):
        pass
