"""Somebody's own augmentation: what it may return, that it is repeatable, and what it changes of a run and its name."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sergan import SerganError, experiments, report, results
from sergan.__main__ import main
from sergan.augmentation import Augmentation
from sergan.data import Sequences
from sergan.imbalance import weighted

EXAMPLES = Path(__file__).parents[1] / "book" / "examples" / "augmentations.py"
SIZES = {name: "4" for name in ("lstm", "attention", "dense", "latent")}
SIZES |= {"frames": "16", "every": "1", "generator": "4,4", "batch": "16", "epochs": "2"}


def batch(n=6, time=9, seed=0) -> Sequences:
    """Random utterances of random lengths, one of them the longest, zeros after their ends."""
    random = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, time + 1, (n,), generator=random)
    lengths[0] = time
    x = torch.randn(n, time, 32, generator=random)
    x[torch.arange(time) >= lengths[:, None]] = 0
    return Sequences(x, lengths, torch.randint(4, (n,), generator=random))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def write(tmp_path):
    """Writes a function `f(batch, random)` with this body; returns it as `FILE.py:f`."""

    def write(body, name="own.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"import torch\n\ndef f(batch, random):\n    {body}\n")
        return f"{tmp_path / name}:f"

    return write


# --- what it may return -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return batch.x", "it must return a batch such as it was given"),
        ("pass", "it must return a batch such as it was given"),
        ("return batch._replace(labels=[0] * 6)", "it must return a batch such as it was given"),
        ("return batch._replace(x=batch.x[:, :, :16])", r"shape \(n, time, 32\), not \(6, 9, 16\)"),
        ("return batch._replace(x=batch.x[0])", r"shape \(n, time, 32\), not \(9, 32\)"),
        ("return type(batch)(*(part[:0] for part in batch))", r"shape \(n, time, 32\), not \(0, 9, 32\)"),
        ("return batch._replace(x=batch.x.long())", "of the type float32; it is of int64"),
        ("return batch._replace(x=batch.x.double())", "of the type float32; it is of float64"),
        ("return batch._replace(x=batch.x / 0)", "x must be finite numbers"),
        ("return batch._replace(x=batch.x[:5])", "lengths must be whole numbers .* each of the 5 utterances"),
        ("return batch._replace(lengths=batch.lengths.float())", "lengths must be whole numbers"),
        ("return batch._replace(lengths=batch.lengths * 0)", "lengths must be from 1 to the 9 frames"),
        ("return batch._replace(x=batch.x[:, :8])", "lengths must be from 1 to the 8 frames"),
        ("return batch._replace(labels=torch.zeros(6, 4))", "sum to 1 in each row .* AGM and BAGM"),
        ("return batch._replace(labels=torch.tensor([[2., -1, 0, 0]] * 6))", "at least 0 and sum to 1"),
        ("return batch._replace(labels=torch.full((6, 4), torch.nan))", "at least 0 and sum to 1"),
        ("return batch._replace(labels=torch.ones(6, 5) / 5)", r"6 class indices .* shape \(6, 4\)"),
        ("return batch._replace(labels=batch.labels.float())", "6 class indices"),
        ("return batch._replace(labels=batch.labels - 4)", "labels must be from 0 to 3"),
        ("return batch._replace(labels=batch.labels + 4)", "labels must be from 0 to 3"),
        ("return batch.x + random", "own.py:f raises TypeError"),
    ],
)
def test_each_wrong_batch_has_its_sentence(write, body, sentence):
    with pytest.raises(SerganError, match=sentence):
        Augmentation.of(write(body))(batch(), seeded())


@pytest.mark.parametrize(
    ("content", "asked", "sentence"),
    [
        ("", "own.py", "not of the form FILE.py:FUNCTION"),
        ("", "own.txt:f", "not of the form FILE.py:FUNCTION"),
        ("", "own.py:f g", "not of the form FILE.py:FUNCTION"),
        ("", "other.py:f", "cannot be read .No such file"),
        ("\xff", "own.py:f", "cannot be read .it is not text"),
        ("def g(): pass", "own.py:f", "the file has no function f"),
        ("f = 3", "own.py:f", "the file has no function f"),
        ("def f(:", "own.py:f", "cannot be run .SyntaxError"),
        ("import nowhere", "own.py:f", "cannot be run .ModuleNotFoundError"),
    ],
)
def test_each_wrong_file_has_its_sentence(tmp_path, monkeypatch, content, asked, sentence):
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(content, encoding="latin-1")
    with pytest.raises(SerganError, match=sentence):
        Augmentation.of(asked)


def test_what_a_function_does_to_its_batch_or_behind_an_utterances_end_is_not_seen_outside(write):
    given_batch = batch()
    found = Augmentation.of(write("batch.x.add_(1); return batch"))(given_batch, seeded())
    assert torch.equal(given_batch.x, batch().x)
    speaks = torch.arange(9) < given_batch.lengths[:, None]
    assert torch.equal(found.x[speaks], given_batch.x[speaks] + 1) and not found.x[~speaks].any()


def test_chance_from_elsewhere_is_found_before_any_run(write, dataset):
    run = {"preset": "demo", "ablations": ["BAM"], "changes": SIZES, "split": "speaker", "folds": [0]}
    elsewhere = write("return batch._replace(x=batch.x * torch.rand(1))")
    with pytest.raises(SerganError, match="does not return the same batch twice for the same `random`"):
        experiments.plan(dataset, augment=elsewhere, **run)
    whole = write("return batch._replace(x=batch.x * torch.rand(1, generator=random))")
    assert len(experiments.plan(dataset, augment=whole, **run)) == 3


def test_a_loss_with_class_weights_says_that_it_takes_no_mixtures():
    with pytest.raises(SerganError, match="labels that are classes"):
        weighted(None, 2)(torch.zeros(2, 4), torch.full((2, 4), 0.25))


# --- what it is called ------------------------------------------------------------------------------------


def test_identity_is_the_files_content_and_not_its_place(write):
    first, moved = (Augmentation.of(write("return batch", name)) for name in ("one.py", "sub/two.py"))
    other = Augmentation.of(write("return batch  # another"))
    assert first.identity == moved.identity != other.identity
    assert first.identity.startswith("f ")


def test_a_worker_has_the_function_as_it_was_read(write):
    asked = write("return batch")
    one = Augmentation.of(asked)
    write("raise ValueError")
    sent = pickle.loads(pickle.dumps(one))
    assert sent == one and hash(sent) == hash(one)
    assert all(torch.equal(a, b) for a, b in zip(sent(batch(), seeded()), batch(), strict=True))


# --- what it changes of a run -----------------------------------------------------------------------------


def planned(dataset, augment=None, **options):
    return experiments.plan(dataset, preset="demo", split="speaker", baselines=False, augment=augment,
                            **{"ablations": ["BAM"], "folds": [0], "changes": SIZES, **options})  # fmt: skip


@pytest.mark.parametrize("ablation", ["AM", "BAM", "BAGM"])
def test_a_function_that_returns_its_batch_gives_the_plain_runs_weights(write, dataset, ablation):
    options = {"ablations": [ablation], "objectives": ["fused"]}
    (plain,), (same,) = (planned(dataset, a, **options) for a in (None, write("return batch")))
    (_, arrays, weights), (_, others, other_weights) = (
        experiments.run(one, dataset) for one in (plain, same)
    )
    assert np.array_equal(arrays["logits"], others["logits"])
    assert weights["discriminator"].keys() == other_weights["discriminator"].keys()
    for name, value in weights["discriminator"].items():
        assert torch.equal(value, other_weights["discriminator"][name])


def test_the_same_seed_gives_the_same_run_and_the_record_names_the_augmentation(dataset):
    (one,) = planned(dataset, f"{EXAMPLES}:mixup")
    (first, arrays, _), (again, others, _) = (experiments.run(one, dataset) for _ in range(2))
    assert np.array_equal(arrays["logits"], others["logits"]) and first["curve"] == again["curve"]
    assert first["config"]["augmentation"] == Augmentation.of(f"{EXAMPLES}:mixup").identity
    assert "with mixup seed" in str(one) and report.control(first).startswith("mixup (")
    (plain,) = planned(dataset)
    assert not np.array_equal(experiments.run(plain, dataset)[1]["logits"], arrays["logits"])
    assert "augmentation" not in plain.config


def test_side_by_side_runs_are_the_same_runs(dataset, tmp_path):
    listed = planned(dataset, f"{EXAMPLES}:masking", folds=[0, 1])
    paths = [experiments.sweep(listed, dataset, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2)]
    for alone, beside in zip(*paths, strict=True):
        assert alone.name == beside.name
        one, other = (np.load(path.with_suffix(".npz"))["logits"] for path in (alone, beside))
        assert np.array_equal(one, other)


def test_two_of_one_name_are_two_rows_and_neither_is_the_plain_run(write, dataset, tmp_path):
    listed = planned(dataset)
    for body in ("return batch", "return batch  # another"):
        listed += planned(dataset, write(body))
    experiments.sweep(listed, dataset, tmp_path / "store")
    (group,) = report.groups(results.read(tmp_path / "store"))
    rows = report.rows(group["records"])
    assert [len(some) for some in rows.values()] == [1, 1, 1]
    assert {control for *_, control in rows} == {
        "none",
        *(report.control(r) for r in group["records"]),
    } and len(rows) == 3


def test_a_sweep_file_can_name_it(write, tmp_path, capsys):
    sweep = tmp_path / "sweep.toml"
    options = ", ".join(f'{name} = "{value}"' for name, value in SIZES.items())
    sweep.write_text(f'preset = "demo"\nablation = "AM"\nsplit = "speaker"\nfolds = [0]\nno-baselines = true\n'
                     f"set = {{{options}}}\n[plain]\n[own]\naugment = {write('return batch')!r}\n")  # fmt: skip
    run = ["run", "--sweep", str(sweep), "--store", str(tmp_path / "s"), "--no-weights"]
    assert main(run) == 0
    plain, own = sorted(results.read(tmp_path / "s"), key=lambda r: "augmentation" in r["config"])
    assert own["config"].pop("augmentation").startswith("f ") and own["config"] == plain["config"]
    assert own["confusion"] == plain["confusion"]
    assert main(run) == 0 and "0 of them new" in capsys.readouterr().out


# --- the two examples -------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 30))
def test_mixups_labels_sum_to_one_and_an_utterance_keeps_its_length(seed, n, time):
    before = batch(n, time, seed)
    after = Augmentation.of(f"{EXAMPLES}:mixup")(before, seeded(seed))
    assert torch.equal(after.lengths, before.lengths) and after.x.shape == before.x.shape
    assert torch.allclose(after.labels.sum(1), torch.ones(n))
    assert not after.x[torch.arange(time) >= before.lengths[:, None]].any()


def test_mixup_mixes_speech_as_its_labels_say():
    """Each utterance of class k is k everywhere: then a mixture's frames are the mean of its label."""
    before = batch(40, 30)
    speaks = torch.arange(30) < before.lengths[:, None]
    before = before._replace(x=before.labels[:, None, None] * speaks[:, :, None].float().expand(-1, -1, 32))
    after = Augmentation.of(f"{EXAMPLES}:mixup")(before, seeded())
    level = after.labels @ torch.arange(4.0)
    assert torch.allclose(after.x, level[:, None, None] * speaks[:, :, None], atol=1e-5)
    assert ((after.labels > 0.1).sum(1) == 2).any()  # some are mixed in earnest


@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 40))
def test_masking_hides_a_stretch_of_time_and_one_of_features_and_changes_nothing_else(seed, n, time):
    before = batch(n, time, seed)
    after = Augmentation.of(f"{EXAMPLES}:masking")(before, seeded(seed))
    assert torch.equal(after.lengths, before.lengths) and torch.equal(after.labels, before.labels)
    changed = after.x != before.x
    mean = torch.cat([x[:length] for x, length in zip(before.x, before.lengths, strict=True)]).mean(0)
    assert torch.allclose(after.x[changed], mean.expand_as(after.x)[changed], atol=1e-5)
    for one, length in zip(changed, before.lengths, strict=True):
        assert not one[length:].any()
        whole_frames, whole_features = one[:length].all(1), one[:length].all(0)
        for hidden, most in ((whole_frames, length // 4), (whole_features, 32 // 4)):
            where = hidden.nonzero()[:, 0]
            assert hidden.all() or (
                len(where) <= most and (not len(where) or where[-1] - where[0] < len(where))
            )
        assert torch.equal(one[:length], whole_frames[:, None] | whole_features)


def test_masking_hides_about_a_fourth_at_most_and_not_always_the_same():
    before = batch(200, 40)
    after = Augmentation.of(f"{EXAMPLES}:masking")(before, seeded())
    speaks = (torch.arange(40) < before.lengths[:, None]).sum() * 32
    share = (after.x != before.x).sum() / speaks
    assert 0.15 < share < 0.35  # two stretches of an eighth each, on average
