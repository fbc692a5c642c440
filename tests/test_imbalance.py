from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from sergan import SerganError
from sergan.config import PRESETS
from sergan.imbalance import order, weighted, weights_of
from sergan.objectives import OBJECTIVES
from sergan.training import Training

LABELS = torch.tensor([0] * 40 + [1] * 30 + [2] * 5 + [3] * 25)


@given(st.lists(st.integers(0, 3), max_size=60))
def test_weights_are_scikit_learns(more):
    labels = torch.tensor([0, 1, 2, 3, *more])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels.numpy())
    assert torch.allclose(weights_of(labels, 1), torch.tensor(expected, dtype=torch.float32))
    assert weights_of(labels, 0).tolist() == [1, 1, 1, 1]


def test_a_class_that_does_not_occur_weighs_nothing():
    assert weights_of(torch.tensor([0, 0, 1, 3]), 1)[2] == 0


def test_weighted_loss_of_the_training_data_gives_each_class_the_same_total():
    logits = torch.zeros(len(LABELS), 4, requires_grad=True)
    weighted(weights_of(LABELS, 1))(logits, LABELS).backward()
    right = logits.grad[torch.arange(len(LABELS)), LABELS]  # -3/4 of each utterance's weight
    totals = [right[k == LABELS].sum().item() for k in range(4)]
    assert totals == pytest.approx([totals[0]] * 4)


@given(st.floats(-15, 15), st.sampled_from((1.0, 2.0, 5.0)))
def test_focal_loss_is_its_formula_and_finite(z, gamma):
    logits, labels = (
        torch.tensor([[z, 0.0, -1.0, 2.0]], dtype=torch.float64, requires_grad=True),
        torch.tensor([0]),
    )
    p = logits.softmax(1)[0, 0]
    loss = weighted(None, gamma)(logits, labels)
    assert loss.item() == pytest.approx((-((1 - p) ** gamma) * p.log()).item(), rel=1e-9, abs=1e-12)
    loss.backward()
    assert logits.grad.isfinite().all()


def test_without_weights_and_exponent_it_is_cross_entropy():
    logits = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(weighted()(logits, LABELS), F.cross_entropy(logits, LABELS, reduction="none").mean())


def test_parts_of_a_batch_add_up():
    logits, loss = (
        torch.randn(100, 4, generator=torch.Generator().manual_seed(0)),
        weighted(weights_of(LABELS, 1), 2),
    )
    halves = [loss(logits[part], LABELS[part]) * 0.5 for part in (slice(50), slice(50, 100))]
    assert sum(halves).item() == pytest.approx(loss(logits, LABELS).item())


def test_balanced_batches_draw_all_classes_equally_and_plain_ones_each_utterance_once():
    random = torch.Generator().manual_seed(0)
    assert order(LABELS, 0, random).sort().values.tolist() == list(range(100))
    drawn = torch.cat([LABELS[order(LABELS, 1, random)] for _ in range(200)]).bincount(minlength=4) / 20000
    assert drawn.tolist() == pytest.approx([0.25] * 4, abs=0.02)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.5, 2.0, 1.0])])
@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_a_run_learns_by_its_weights_and_exponent(weights, focal):
    logits, labels = torch.randn(100, 4, generator=torch.Generator().manual_seed(0)), LABELS
    training = Training(replace(PRESETS["demo"], focal=focal), "AM", OBJECTIVES["zero"], weights=weights)
    torch.testing.assert_close(training.real_loss(logits, labels), weighted(weights, focal)(logits, labels))


@pytest.mark.parametrize("text", ["0.5", "-1", "nan", "inf"])
def test_what_is_no_exponent_is_refused(text):
    with pytest.raises(SerganError, match="focal"):
        PRESETS["demo"].change({"focal": text})


def test_options_that_are_off_rename_no_record():
    assert {"class_weights", "focal", "balanced"} & PRESETS["cpu"].as_dict().keys() == set()
    assert PRESETS["cpu"].change({"focal": "2"}).as_dict()["focal"] == 2
