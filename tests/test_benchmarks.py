"""The reference of `sergan bench` computes what the package computes; what it measures, and how it fails."""

import statistics
import sys

import pytest
import torch

from sergan import bench, objectives, plain
from sergan.models import Discriminator, Generator


def with_weights_of(ours, blstm):
    """The plain discriminator with the weights of ours."""
    theirs, weights = plain.Discriminator(blstm, lstm=16), ours.state_dict()
    for name in list(weights):
        if name.startswith("blstm."):
            _, direction, weight = name.split(".")
            weights[f"blstm.{weight}{'_reverse' if direction == 'backwards' else ''}"] = weights.pop(name)
    theirs.load_state_dict(weights)
    return theirs


@pytest.mark.parametrize("blstm", [True, False])
def test_the_plain_discriminators_losses_and_gradients_are_ours(blstm):
    torch.manual_seed(0)
    ours = Discriminator(blstm, lstm=16)
    theirs = with_weights_of(ours, blstm)
    x, labels = torch.rand(6, 40, 32) * 2 - 1, torch.tensor([0, 1, 2, 3, 1, 1])
    losses = [objectives.cross_entropy(network(x), labels) + objectives.fused_fake(network(x))
              for network in (ours, theirs)]  # fmt: skip
    torch.testing.assert_close(losses[0], losses[1], atol=1e-6, rtol=1e-6)
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(ours.attention.project.weight.grad, theirs.attention.project.weight.grad)
    if blstm:
        torch.testing.assert_close(
            ours.blstm.backwards.weight_hh_l0.grad, theirs.blstm.weight_hh_l0_reverse.grad
        )


def test_the_plain_generator_is_ours():
    ours, theirs = Generator(frames=16), plain.Generator(frames=16)
    theirs.load_state_dict(ours.state_dict())
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eps = 1e-3  # Keras's, which the paper does not give
    z = torch.randn(5, 100)
    torch.testing.assert_close(theirs(z), ours(z))


def test_the_generators_step_leaves_the_plain_discriminator_as_it_was():
    run = plain.Run("BAGM", frames=8, lstm=4)
    steps = []
    run.generator_adam.register_step_pre_hook(lambda *_: steps.append(state(run.discriminator)))
    before = state(run.generator)
    run.step(torch.rand(4, 8, 32), torch.tensor([0, 1, 2, 3]))
    torch.testing.assert_close(state(run.discriminator), steps[0], atol=0, rtol=0)
    assert (state(run.generator) != before).any()


def state(network):
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def test_iemocap_lengths_have_its_share_of_long_utterances_and_of_padding():
    case = {"batch": 1024, "frames": 512, "lengths": "iemocap"}
    lengths = bench.lengths_of(case)
    assert sum(length > 510 for length in lengths) / 1024 == pytest.approx(0.297, abs=2e-3)
    assert 1 - statistics.mean(lengths) / 512 == pytest.approx(0.31, abs=5e-3)
    assert bench.lengths_of(case | {"lengths": "full"}) == [512] * 1024


def test_a_contender_that_fails_is_reported_and_the_others_go_on_in_fresh_processes(monkeypatch):
    monkeypatch.setattr(bench, "BYTES_A_FRAME", 1e15)  # which no machine can hold side by side
    case = {"ablation": "AM", "batch": 2, "lengths": "full", "frames": 4, "lstm": 2, "threads": 1}
    contenders = {"plain": sys.executable, "nobody": sys.executable}
    measured = bench.measure(case, contenders, 2, turn_s=0, warmup=0)
    plain_row, failed = bench.rows_of(case, measured)
    assert measured["fresh_process_a_turn"] and len(measured["contenders"]["plain"]["turns_s"]) == 2
    assert len(plain_row["step_s"]) == 3 and failed["failed"] == "exit code 1; KeyError: 'nobody'"
