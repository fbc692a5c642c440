from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from sergan import objectives
from sergan.objectives import OBJECTIVES

Z = torch.tensor([[2.0, 0.5, -1.0, 0.0]])
logits = st.lists(st.lists(st.floats(-20, 20), min_size=4, max_size=4), min_size=1, max_size=5)


def gradient(loss, z):
    z = z.clone().requires_grad_(True)
    value = loss(z)
    value.backward()
    return value.item(), z.grad


def by_formula(name, z):
    """Value and gradient of the generated loss, written out (one row)."""
    p, total = z.softmax(1), z.exp().sum()
    r = p / (1 - p)
    return {
        "zero": (0 * total, torch.zeros_like(z)),
        "fused": (total.log(), p),
        "uniform": (total.log() - z.mean(), p - 0.25),
        "softmax_bce": (-(1 - p).log().mean(), (r - p * r.sum()) / 4),
        "sigmoid_bce": ((1 + z.exp()).log().mean(), z.sigmoid() / 4),
        "k_plus_one": ((1 + total).log(), p * total / (1 + total)),
    }[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [("zero", 0), ("fused", 2.342), ("uniform", 1.967), ("softmax_bce", 0.387), ("sigmoid_bce", 1.027),
     ("k_plus_one", 2.434)],
)  # fmt: skip
def test_generated_loss_has_its_check_value(name, value):
    assert OBJECTIVES[name].fake(Z).item() == pytest.approx(value, abs=6e-4)


def test_softmax_bce_has_its_check_gradient():
    _, found = gradient(objectives.softmax_bce.fake, Z)
    torch.testing.assert_close(found, torch.tensor([[0.119, -0.063, -0.015, -0.040]]), atol=6e-4, rtol=0)


@pytest.mark.parametrize("name", OBJECTIVES)
@settings(max_examples=50)
@given(z=st.lists(st.floats(-8, 8), min_size=4, max_size=4))
def test_generated_loss_and_gradient_are_the_formulas(name, z):
    z = torch.tensor([z], dtype=torch.float64)
    value, grad = gradient(OBJECTIVES[name].fake, z)
    expected, expected_grad = by_formula(name, z)
    assert value == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
    torch.testing.assert_close(grad, expected_grad, atol=1e-9, rtol=1e-7)


@settings(max_examples=50)
@given(z=st.lists(st.floats(-8, 8), min_size=4, max_size=4), label=st.integers(0, 3))
def test_real_gradients_are_the_formulas(z, label):
    z, label = torch.tensor([z], dtype=torch.float64), torch.tensor([label])
    y = F.one_hot(label, 4).double()
    p, total = z.softmax(1), z.exp().sum()
    expected = {
        "cross_entropy": p - y,
        "sigmoid_bce": (z.sigmoid() - y) / 4,
        "k_plus_one": p * total / (1 + total) - y,
    }
    for name, formula in expected.items():
        real = partial(objectives.REAL_LOSSES[name].real, labels=label)
        torch.testing.assert_close(gradient(real, z)[1], formula, atol=1e-9, rtol=1e-7)
    value = objectives.softmax_bce.real(z, label).item()
    assert value == pytest.approx(F.binary_cross_entropy(p, y).item(), rel=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
@settings(max_examples=30)
@given(rows=logits)
def test_losses_are_means_over_the_batch(name, rows):
    z, reading = torch.tensor(rows, dtype=torch.float64), OBJECTIVES[name]
    labels = torch.arange(len(z)) % 4
    one_by_one = torch.stack([reading.fake(row[None]) for row in z]).mean()
    torch.testing.assert_close(reading.fake(z), one_by_one)
    one_by_one = torch.stack(
        [reading.real(row[None], y[None]) for row, y in zip(z, labels, strict=True)]
    ).mean()
    torch.testing.assert_close(reading.real(z, labels), one_by_one)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_everything_is_finite_at_extreme_logits(name):
    z = torch.tensor(
        [[1e4, -1e4, 0, 0], [1e4, 1e4, 1e4, 1e4], [-1e4, -1e4, -1e4, -1e4], [300, -300, 1e30, 0]]
    )
    labels = torch.tensor([1, 0, 3, 0])
    for loss in (OBJECTIVES[name].fake, lambda z: OBJECTIVES[name].real(z, labels)):
        value, grad = gradient(loss, z)
        assert torch.tensor(value).isfinite() and grad.isfinite().all()
    assert OBJECTIVES[name].probabilities(z).isfinite().all()


def test_zero_is_zero_even_at_infinity():
    value, grad = gradient(objectives.zero.fake, torch.tensor([[torch.inf, -torch.inf, torch.nan, 0.0]]))
    assert value == 0 and (grad == 0).all()


def test_the_two_forms_agree_only_for_labels_that_sum_to_one():
    """For [0, 0, 0, 0] the probability form is `zero`, the logit form is `fused`."""
    y = torch.zeros(1, 4)
    assert -(y * Z.log_softmax(1)).sum() == objectives.zero.fake(Z)
    torch.testing.assert_close(Z.logsumexp(1).sum() - (y * Z).sum(), objectives.fused.fake(Z))
    assert F.cross_entropy(Z, y) == objectives.zero.fake(Z)  # PyTorch with probability targets


@settings(max_examples=30)
@given(z=st.lists(st.floats(-8, 8), min_size=4, max_size=4))
def test_fused_and_uniform_gradients_differ_only_along_ones(z):
    z = torch.tensor([z], dtype=torch.float64)
    difference = gradient(objectives.fused.fake, z)[1] - gradient(objectives.uniform.fake, z)[1]
    torch.testing.assert_close(difference, torch.full_like(z, 0.25))


def test_only_fused_has_no_lower_bound():
    low = torch.full((1, 4), -1e6)
    assert objectives.fused.fake(low) < -9e5
    assert all(OBJECTIVES[name].fake(low) >= 0 for name in OBJECTIVES if name != "fused")


def test_readings_share_a_real_loss_as_documented():
    shared = {name: reading.real_name for name, reading in OBJECTIVES.items()}
    own = {name: name for name in ("softmax_bce", "sigmoid_bce", "k_plus_one")}
    assert shared == dict.fromkeys(("zero", "fused", "uniform"), "cross_entropy") | own
    assert (
        set(objectives.REAL_LOSSES) == {"cross_entropy", *own}
        and objectives.REAL_LOSSES["cross_entropy"].silent
    )
    assert all(objectives.REAL_LOSSES[loss].real is OBJECTIVES[name].real for name, loss in shared.items())


def test_probabilities_are_what_each_reading_takes_them_for():
    assert objectives.fused.probabilities(Z).sum() == pytest.approx(1)
    assert objectives.k_plus_one.probabilities(Z).sum() < 1
    torch.testing.assert_close(objectives.sigmoid_bce.probabilities(Z), Z.sigmoid())


def test_only_zero_is_silent_and_says_so():
    assert {name: reading.silent for name, reading in OBJECTIVES.items()} == {
        n: n == "zero" for n in OBJECTIVES
    }
    assert all(reading.silent is (name == "zero") for name, reading in OBJECTIVES.items())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_everything_stays_on_the_device_of_the_logits(name):
    """On the device "meta" nothing is computed, and nothing may come from another one."""
    z, labels, reading = (
        torch.empty(2, 4, device="meta"),
        torch.zeros(2, dtype=torch.long, device="meta"),
        OBJECTIVES[name],
    )
    found = [reading.fake(z), reading.real(z, labels), reading.probabilities(z)]
    assert [one.device.type for one in found] == ["meta"] * 3
    assert [one.shape for one in found] == [(), (), (2, 4)]
