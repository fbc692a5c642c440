"""Training that leaves the numbers stops with one sentence, and the last sound checkpoint stays as it was."""

import re

import pytest
import torch
from conftest import random_dataset
from test_training import TINY, same

from sergan import SerganError, objectives, results
from sergan.__main__ import main
from sergan.config import Config
from sergan.data import paper_split, prepare
from sergan.divergence import Diverged, means
from sergan.training import Training


@pytest.fixture(scope="module")
def parts():
    dataset = random_dataset()
    return prepare(dataset, paper_split(dataset.labels, 0), frames=20)[:3]


class Spoilt:
    """An augmentation that spoils the real batch of one step; there are 3 steps an epoch."""

    def __init__(self, step, value=torch.nan):
        self.left, self.value = step, value

    def __call__(self, real, random):
        self.left -= 1
        return real if self.left else real._replace(x=real.x * self.value)


def changed(**options):
    return Config(**{**vars(TINY), **options})


@pytest.mark.parametrize("ablation", ["AM", "BAGM"])
def test_it_stops_at_the_step_and_the_checkpoint_of_the_last_sound_epoch_stays(parts, tmp_path, ablation):
    path = tmp_path / "checkpoint.pt"
    training = Training(TINY, ablation, objectives.uniform, augment=Spoilt(8))
    with pytest.raises(Diverged, match=r"^the loss of real speech is nan in step 8: the steps are too large; try a "
                                       r"lower rate, such as --set lr=0.001$"):  # fmt: skip
        training.run(*parts, checkpoint=path, every_s=0)
    sound = Training(changed(epochs=2), ablation, objectives.uniform)
    sound.run(*parts)
    kept = Training(changed(epochs=2), ablation, objectives.uniform)
    logits = kept.run(*parts, checkpoint=path)  # nothing left to do: what the file holds
    assert same(kept, sound) and kept.curve == sound.curve and kept.steps == 6 and logits.isfinite().all()


def test_a_run_goes_on_from_that_checkpoint_once_its_cause_is_gone(parts, tmp_path):
    path, whole = tmp_path / "checkpoint.pt", Training(TINY, "BAM", objectives.zero)
    whole.run(*parts)
    with pytest.raises(Diverged):
        Training(TINY, "BAM", objectives.zero, augment=Spoilt(9)).run(*parts, checkpoint=path, every_s=0)
    again = Training(TINY, "BAM", objectives.zero)
    again.run(*parts, checkpoint=path)
    assert same(again, whole) and again.curve == whole.curve


def test_the_first_step_points_to_the_features_and_fused_to_its_missing_bound(parts):
    train = parts[0]._replace(x=parts[0].x * torch.inf)
    with pytest.raises(
        Diverged, match="in step 1: it was the first, so the features hold NaN or infinite numbers"
    ):
        Training(TINY, "BAM", objectives.zero).run(train, *parts[1:])
    remedy = "try a lower rate, such as --set lr=1e+29, or --objective uniform"
    sentence = f"negatives is nan in step 1: the reading fused has no lower bound and can run away; {remedy}"
    with pytest.raises(Diverged, match=re.escape(sentence)):
        Training(changed(lr=1e30), "BAGM", objectives.fused).run(*parts)


def test_a_weight_that_left_the_numbers_in_the_last_step_makes_no_record(parts):
    """The loss of a step is taken before it: after the last one, only the weights tell."""
    training = Training(changed(epochs=1), "BAM", objectives.zero)
    step = training.step

    def last(adam):
        step(adam)
        if adam.state[adam.param_groups[0]["params"][0]]["step"] == 3:
            training.discriminator.head[2].bias.data[1] = torch.inf

    training.step = last
    with pytest.raises(Diverged, match="a weight is not finite after step 3: the steps are too large"):
        training.run(*parts)
    assert training.curve == []


def test_fp16_skips_a_step_that_overflows_and_stops_where_all_do(parts):
    """As on a GPU without bf16: there the scaler leaves out what is not finite."""
    training = Training(TINY, "BAM", objectives.zero)
    training.precision, training.steps = "fp16", 3
    some, all_ = ([{"loss_real": torch.tensor(x)} for x in losses] for losses in
                  ([1.0, torch.inf, 2.0], [torch.inf, torch.nan, torch.inf]))  # fmt: skip
    assert means(training, some)["loss_real"] == torch.inf
    training.curve = [{}]
    with pytest.raises(
        Diverged, match="is inf in step 1: fp16 holds no number above 65,504; try --set precision=fp32"
    ):
        means(training, all_)


def test_the_loss_that_went_first_is_named(parts):
    training = Training(TINY, "BAGM", objectives.uniform)
    training.steps = 5
    losses = {
        "loss_real": [1.0, 1.0, torch.nan],
        "loss_fake": [1.0, torch.inf, 1.0],
        "loss_generator": [1.0, torch.nan, 1.0],
    }
    steps = [{name: torch.tensor(values[i]) for name, values in losses.items()} for i in range(3)]
    with pytest.raises(Diverged, match="the loss of negatives is inf in step 4"):
        means(training, steps)
    del steps[1], losses["loss_fake"]
    assert means(training, steps[:1]) == {"loss_real": 1, "loss_fake": 1, "loss_generator": 1}


def test_a_sweep_says_which_run_diverged_and_does_the_others(tmp_path, capsys):
    tiny = [
        "--set",
        "frames=20",
        "lstm=4",
        "attention=4",
        "dense=4",
        "generator=8",
        "epochs=2",
        "batch=400",
        "lr=1e30",
    ]
    command = ["run", "--ablation", "AM", "BAGM", "--objective", "fused", "--store", str(tmp_path), *tiny]
    assert main(command) == 1
    said = capsys.readouterr().err.splitlines()
    found = [
        line
        for line in said
        if re.match(r"sergan: demo paper BAGM fused lr=1e\+30 seed 0: the .* in step \d", line)
    ]
    assert len(found) == 1 and "Traceback" not in "".join(said)
    assert said[-1].startswith("sergan: ") and "failed; the others are in" in said[-1]
    names = [record["ablation"] for record in results.read(tmp_path)]
    assert "BAGM" not in names and {"majority", "linear"} <= set(names)
    assert issubclass(Diverged, SerganError)
