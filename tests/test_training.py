import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import random_dataset

from sergan import EMOTIONS, SerganError, objectives
from sergan.config import PRESETS, Config
from sergan.data import paper_split, prepare
from sergan.experiments import pick_device
from sergan.objectives import OBJECTIVES
from sergan.randomness import stream
from sergan.training import Training, frozen

TINY = Config(
    frames=20,
    lstm=5,
    attention=4,
    dense=6,
    latent=7,
    generator=(8, 9),
    epochs=3,
    batch=16,
    lr=1e-2,
    precision="fp32",
)


@pytest.fixture(scope="module")
def parts():
    dataset = random_dataset()
    return prepare(dataset, paper_split(dataset.labels, 0), frames=20)[:3]


def trained(parts, ablation="BAM", objective=objectives.zero, config=TINY, **options):
    training = Training(config, ablation, objective, **options)
    training.run(*parts)
    return training


def same(one, other):
    return all(
        map(torch.equal, one.discriminator.state_dict().values(), other.discriminator.state_dict().values())
    )


def test_zero_with_a_generator_is_placebo_without_one_bit_for_bit(parts):
    """Under `zero` the generated batch teaches nothing: what moves is Adam on gradients of zero."""
    for blstm in ("", "B"):
        gan = trained(parts, f"{blstm}AGM", objectives.zero)
        placebo = trained(parts, f"{blstm}AM", objectives.zero, control="placebo")
        assert same(gan, placebo)
        assert not same(gan, trained(parts, f"{blstm}AM"))
        assert gan.curve[-1]["wa"] == placebo.curve[-1]["wa"]


def test_zero_teaches_nothing_whatever_the_generator_makes(parts):
    config = Config(**{**vars(TINY), "output": "literal", "fake_lengths": "full", "fake_norm": "batch"})
    assert same(trained(parts, "BAGM", config=config), trained(parts, control="placebo"))


@pytest.mark.parametrize("name", ["fused", "uniform", "softmax_bce", "sigmoid_bce", "k_plus_one"])
def test_every_other_reading_learns_from_generated_data(parts, name):
    reading = OBJECTIVES[name]
    assert not same(trained(parts, "BAGM", reading), trained(parts, "BAM", reading, control="placebo"))


def test_a_generators_presence_changes_no_other_stream(parts):
    plain, gan = Training(TINY, "BAM", objectives.zero), Training(TINY, "BAGM", objectives.zero)
    assert same(plain, gan)  # the same first weights
    for training in (plain, gan):
        training.epoch(parts[0])
    assert torch.equal(plain.order.get_state(), gan.order.get_state())


def test_training_repeats_itself_and_depends_on_the_seed(parts):
    assert same(trained(parts, "BAGM", objectives.fused), trained(parts, "BAGM", objectives.fused))
    assert not same(trained(parts, seed=1), trained(parts, seed=2))


def test_training_leaves_the_callers_random_state_alone(parts):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained(parts, "BAGM", objectives.fused)
    assert torch.equal(torch.rand(3), expected)


def test_streams_are_independent_by_name_and_seed():
    seeds = {stream(seed, name) for seed in range(50) for name in ("split", "order", "noise")}
    assert len(seeds) == 150


def test_frozen_lets_gradients_through_but_not_in(parts):
    training = Training(TINY, "BAGM", objectives.fused)
    before = {name: weight.clone() for name, weight in training.discriminator.named_parameters()}
    with frozen(training.discriminator):
        training.answer(training.generate(parts[0])).sum().backward()
    assert all(weight.grad is None for weight in training.discriminator.parameters())
    assert all(weight.grad.abs().sum() > 0 for weight in training.generator.parameters())
    trainable = [n for n, weight in training.discriminator.named_parameters() if weight.requires_grad]
    assert len(trainable) == len(before) - 2  # the two second biases stay fixed
    assert all(torch.equal(weight, before[n]) for n, weight in training.discriminator.named_parameters())


def test_frozen_thaws_after_an_error():
    network = Training(TINY, "BAM", objectives.zero).discriminator
    before = [weight.requires_grad for weight in network.parameters()]
    with pytest.raises(ZeroDivisionError), frozen(network):
        assert not any(weight.requires_grad for weight in network.parameters())
        raise ZeroDivisionError
    assert [weight.requires_grad for weight in network.parameters()] == before


def test_a_step_without_loss_moves_along_momentum_and_a_plain_zero_grad_does_not(parts):
    training = Training(TINY, "AM", objectives.zero)
    training.learn(parts[0])
    weight = training.discriminator.head[0].weight
    before = weight.detach().clone()
    training.discriminator_adam.zero_grad()  # sets gradients to None, which Adam skips
    training.discriminator_adam.step()
    assert torch.equal(weight, before)
    training.learn(parts[0])
    before = weight.detach().clone()
    training.step(training.discriminator_adam)
    assert not torch.equal(weight, before)


def test_placebo_multiplies_progress_by_the_square_root_of_two():
    """Constant gradients: m tends to g/2-ish and v to g^2/2, so two steps together move sqrt(2) as far."""
    moved = {}
    for control in ("none", "placebo"):
        weight = torch.nn.Parameter(torch.zeros(1))
        adam = torch.optim.Adam([weight], lr=1e-3, betas=(0.9, 0.999), eps=1e-12)
        for _ in range(8000):
            weight.grad = torch.ones(1)
            adam.step()
            if control == "placebo":
                weight.grad = torch.zeros(1)
                adam.step()
        moved[control] = -weight.item()
    assert moved["placebo"] / moved["none"] == pytest.approx(math.sqrt(2), rel=0.01)


def test_sqrt2_is_the_learning_rate(parts):
    training = Training(TINY, "BAM", objectives.zero, control="sqrt2")
    assert training.discriminator_adam.param_groups[0]["lr"] == pytest.approx(TINY.lr * 2**0.5)


def test_epoch_is_a_pass_or_one_batch(parts):
    n = len(parts[0].labels)
    assert trained(parts, "AM").steps == 3 * math.ceil(n / 16)
    assert trained(parts, "AM", config=Config(**{**vars(TINY), "epoch": "batch"})).steps == 3


def test_the_papers_protocol_is_1600_steps_or_400():
    assert PRESETS["paper"].epochs * math.ceil(3141 / PRESETS["paper"].batch) == 1600
    paper = PRESETS["paper"]
    assert (paper.frames, paper.lstm, paper.dense, paper.lr, paper.generator) == (
        512,
        256,
        512,
        1e-4,
        (256, 512, 1024),
    )


def test_generated_lengths_are_the_batchs_or_full(parts):
    lengths = parts[0].lengths
    drawn = Training(TINY, "AGM", objectives.fused).generate(parts[0])
    assert sorted(drawn.lengths.tolist()) == sorted(lengths.tolist())
    full = Training(Config(**{**vars(TINY), "fake_lengths": "full"}), "AGM", objectives.fused)
    drawn = full.generate(parts[0]._replace(x=parts[0].x[:, :12]))
    assert drawn.lengths.tolist() == [20] * len(lengths) and drawn.x.shape[1] == 20


def test_unmasked_generated_padding_is_the_value_of_real_padding(parts):
    x, lengths, _ = Training(TINY, "AGM", objectives.fused).generate(parts[0])
    assert all((row[n:] == 0).all() and (row[:n] != 0).any() for row, n in zip(x, lengths, strict=True))


def test_the_curve_has_losses_and_scores_of_every_epoch(parts):
    curve = trained(parts, "BAGM", objectives.zero).curve
    assert len(curve) == 3
    answers = {f"fake_answer_{emotion}" for emotion in EMOTIONS}
    assert set(curve[0]) == {
        *("loss_real", "loss_fake", "loss_generator", "wa", "ua", "gradient_ratio", "fake_entropy"),
        *("fake_spread", "fake_nearest", "fake_deltas", *answers),
    }
    assert all(entry["loss_fake"] == entry["gradient_ratio"] == 0 for entry in curve)
    assert set(trained(parts, "BAM").curve[0]) == {"loss_real", "wa", "ua"}


def test_a_network_learns(parts):
    config = Config(**{**vars(TINY), "epochs": 30})
    assert trained(parts, config=config).curve[-1]["ua"] > 60


def test_bf16_stays_near_fp32(parts):
    config = Config(**{**vars(TINY), "precision": "bf16"})
    low, full = (
        trained(parts, "BAGM", objectives.fused, config=config),
        trained(parts, "BAGM", objectives.fused),
    )
    assert low.curve[-1]["loss_real"] == pytest.approx(full.curve[-1]["loss_real"], abs=0.1)


def test_a_resumed_run_ends_with_the_same_weights(parts, tmp_path):
    whole = trained(parts, "BAGM", objectives.fused)
    path = tmp_path / "checkpoint.pt"
    first = Training(Config(**{**vars(TINY), "epochs": 2}), "BAGM", objectives.fused)
    first.run(*parts, checkpoint=path, every_s=0)
    second = Training(TINY, "BAGM", objectives.fused)
    logits = second.run(*parts, checkpoint=path, every_s=0)
    assert same(whole, second) and second.curve == whole.curve and second.steps == whole.steps
    assert second.time_s > first.time_s  # the time before the break counts, the break does not
    again = Training(TINY, "BAGM", objectives.fused).run(*parts, checkpoint=path)  # nothing left to do
    assert torch.equal(logits, again)


def test_without_options_the_seed_is_0_and_a_processor_takes_32_sequences_at_a_time(parts):
    config = Config(**{**vars(TINY), "batch": 64, "epochs": 1})
    plain, named = (
        Training(config, "BAGM", objectives.fused, **how)
        for how in ({}, {"seed": 0, "device": "cpu", "microbatch": 32})
    )
    assert plain.microbatch == 32 and plain.device.type == "cpu"
    for one in (plain, named):
        one.run(*parts)
    assert same(plain, named)


KILLED = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path
from test_training import *
dataset = random_dataset()
parts = prepare(dataset, paper_split(dataset.labels, 0), frames=20)[:3]
training = Training(Config(**{{**vars(TINY), "epochs": 60}}), "BAGM", objectives.fused)
training.run(*parts, checkpoint=Path({path!r}), every_s=0, progress=lambda *_: print("epoch", flush=True))
"""


@pytest.mark.parametrize("after", [1, 7, 23])
def test_a_killed_run_resumes_exactly(parts, tmp_path, after):
    path = tmp_path / "checkpoint.pt"
    code = KILLED.format(tests=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    for _ in range(after):
        process.stdout.readline()
    time.sleep(0.003 * after)  # somewhere inside an epoch, or inside writing its checkpoint
    process.send_signal(signal.SIGKILL)
    process.wait()
    config = Config(**{**vars(TINY), "epochs": 30})
    resumed = Training(config, "BAGM", objectives.fused)
    resumed.run(*parts, checkpoint=path, every_s=0)
    assert same(trained(parts, "BAGM", objectives.fused, config=config), resumed)


def test_a_damaged_checkpoint_is_named(parts, tmp_path):
    path = tmp_path / "checkpoint.pt"
    Training(TINY, "AM", objectives.zero).run(*parts, checkpoint=path, every_s=0)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SerganError, match=r"checkpoint .* is damaged; delete it"):
        Training(TINY, "AM", objectives.zero).run(*parts, checkpoint=path)


class Harm:
    def __reduce__(self):
        return (Path.touch, (Path("harmed"),))


def of_another_shape(found):
    found["generator_adam"]["state"][0]["exp_avg"] = torch.zeros(3)


@pytest.mark.parametrize("change, cause", [
    (lambda found: found.update(curve=Harm()), "Weights only load failed"),
    (of_another_shape, "moments do not fit their weights"),
    (lambda found: found.update(curve=[{"wa": "50"}]), "the curve is none"),
    (lambda found: found.update(curve=({"wa": 50.0},)), "curve, steps or time are none"),
    (lambda found: found.update(steps=1.5), "curve, steps or time are none"),
    (lambda found: found.update(time_s="long"), "curve, steps or time are none"),
], ids=["code", "moments", "curve", "curve's kind", "steps", "time"])  # fmt: skip
def test_a_checkpoint_that_no_training_wrote_is_refused_and_runs_no_code(
    parts, tmp_path, monkeypatch, change, cause
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint.pt"
    Training(TINY, "AGM", objectives.zero).run(*parts, checkpoint=path, every_s=0)
    found = torch.load(path, weights_only=True)
    change(found)
    torch.save(found, path)
    with pytest.raises(SerganError, match=r"checkpoint .* is damaged; delete it") as error:
        Training(TINY, "AGM", objectives.zero).run(*parts, checkpoint=path)
    assert cause in str(error.value.__cause__)
    assert not (tmp_path / "harmed").exists()


def test_fp16_without_a_gpu_is_named():
    with pytest.raises(SerganError, match="precision=fp16 needs a GPU"):
        Training(Config(**{**vars(TINY), "precision": "fp16"}), "AM", objectives.zero)


def test_a_device_that_is_not_there_is_named():
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(SerganError, match="cannot be used here"):
        pick_device("cuda:99")
    with pytest.raises(SerganError, match="cannot be used here"):
        pick_device("toaster")
