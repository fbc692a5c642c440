"""The checks of chapter 5: the right answer is right, each wrong one is told what is wrong."""

import numpy as np
import pytest
import torch

from sergan.checks import discriminator as checks
from sergan.models import reorder, valid_frames


def smooth(a):
    return 1 / (1 + np.exp(-a))


def hard(a):
    return np.clip(0.2 * a + 0.5, 0, 1)


def cell(x, h, c, W, U, b, *, gate=hard, order="ifgo", forget=True, proposal=np.tanh, squash=np.tanh):
    parts = dict(zip(order, np.split(W @ x + U @ h + b, 4), strict=True))
    i, f, o = (gate(parts[name]) for name in "ifo")
    c = (f * c if forget else c) + i * proposal(parts["g"])
    return o * squash(c), c


def with_(**options):
    return lambda *inputs: cell(*inputs, **options)


def masked(score, lengths):
    return score.masked_fill(~valid_frames(lengths, score.shape[1]), -torch.inf).softmax(dim=1)


def turn(x, lengths):
    t, last = torch.arange(x.shape[1]), lengths[:, None] - 1
    return reorder(x, torch.where(t <= last, last - t, t))


def shuffle(x, lengths):
    x = x.clone()
    for row, length in enumerate(lengths.tolist()):
        x[row, :length] = x[row, torch.randperm(length, generator=torch.Generator().manual_seed(row))]
    return x


def one_order(x, lengths):
    x = x.clone()
    order = torch.arange(24, -1, -1)
    x[:, :25] = x[:, order]
    return x


def apart(x, lengths):
    x = x.clone()
    x[:, :25] = x[:, :25].roll(1, dims=2)
    return x


def twice(x, lengths):
    x = x.clone()
    x[:, 0] = x[:, 1]
    return x


RIGHT = {
    "hard_step": cell,
    "masked_softmax": masked,
    "turned": turn,
    "parameters": 66_500,
    "constant": 1 / 60,
    "shuffled": shuffle,
}

WRONG = [
    ("hard_step", lambda *_: None, "returns nothing yet"),
    ("hard_step", lambda *inputs: cell(*inputs)[0], "two arrays"),
    ("hard_step", lambda *inputs: cell(*inputs)[::-1], "return h first"),
    ("hard_step", with_(gate=smooth), "smooth gates"),
    ("hard_step", with_(gate=lambda a: 0.2 * a + 0.5), "clip them"),
    ("hard_step", with_(forget=False), "kept whole"),
    ("hard_step", with_(order="ifog"), "the proposal third"),
    ("hard_step", with_(order="figo"), "exchanged"),
    ("hard_step", with_(proposal=hard), "is no gate"),
    ("hard_step", with_(squash=lambda c: c), "passes a tanh before"),
    ("hard_step", with_(squash=np.sin), "h is not"),
    ("hard_step", lambda x, h, c, *_: (h, c), "neither h nor c"),
    ("masked_softmax", lambda score, lengths: None, "returns nothing yet"),
    ("masked_softmax", lambda score, lengths: score.softmax(dim=1), "padding is attended to"),
    ("masked_softmax", lambda score, lengths: score.softmax(dim=0), "over the batch"),
    (
        "masked_softmax",
        lambda score, lengths: score.softmax(dim=1) * valid_frames(lengths, 5),
        "after the softmax",
    ),
    (
        "masked_softmax",
        lambda score, lengths: (score * valid_frames(lengths, 5)).softmax(dim=1),
        "is not a weight of 0",
    ),
    ("masked_softmax", lambda score, lengths: score.mean(dim=1), "shape (2,)"),
    ("masked_softmax", lambda score, lengths: score.sigmoid(), "by hand"),
    ("turned", lambda x, lengths: None, "returns nothing yet"),
    ("turned", lambda x, lengths: x, "nothing is reversed"),
    ("turned", lambda x, lengths: x.flip(1), "padding is reversed too"),
    ("turned", lambda x, lengths: x.flip(2), "features inside each frame"),
    ("turned", lambda x, lengths: x.flip(0), "changed places"),
    ("turned", lambda x, lengths: torch.stack([x[0].flip(0), x[1]]), "the shorter one is not"),
    ("turned", lambda x, lengths: x.roll(1, dims=1), "length - 1 - t"),
    ("turned", lambda x, lengths: x[:, 0], "shape (2, 3)"),
    ("parameters", 66_500 - 24_832, "one direction only"),
    ("parameters", 66_500 + 512, "two biases"),
    ("parameters", 66_500 - 512, "biases of the LSTM's gates are missing"),
    ("parameters", 66_500 - 64, "u is missing"),
    ("parameters", 66_500 + 1, "u has no bias"),
    ("parameters", 49_664, "BLSTM alone"),
    ("parameters", 66_500 - 8_516, "dense head is missing"),
    ("parameters", 66_500 - 37_248, "four blocks"),
    ("parameters", 66_500 - 8_192, "both directions"),
    ("parameters", 1000, "not 1,000"),
    ("constant", 1 / 80, "padding get a share"),
    ("constant", 1, "which one would the softmax choose"),
    ("constant", 1 / 6, "in common"),
    ("constant", 0, "sum to one"),
    ("constant", 0.5, "60 equal numbers"),
    ("shuffled", lambda x, lengths: None, "returns nothing yet"),
    ("shuffled", lambda x, lengths: x, "nothing has moved"),
    ("shuffled", lambda x, lengths: x.flip(1), "padding has moved"),
    ("shuffled", apart, "taken apart"),
    ("shuffled", twice, "has some twice"),
    ("shuffled", one_order, "one and the same order"),
    ("shuffled", lambda x, lengths: x[0], "shape (40, 32)"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_is_right(name):
    verdict = getattr(checks, name)(RIGHT[name])
    assert verdict, verdict


@pytest.mark.parametrize(
    ("name", "answer", "sentence"), WRONG, ids=[f"{name}-{text}" for name, _, text in WRONG]
)
def test_a_wrong_answer_is_told_what_is_wrong(name, answer, sentence):
    verdict = getattr(checks, name)(answer)
    assert verdict.right is False
    assert sentence in verdict.sentence


@pytest.mark.parametrize("name", RIGHT)
def test_dots_are_an_open_answer(name):
    assert getattr(checks, name)(...).right is None
