"""Checks of chapter 5, the discriminator."""

from __future__ import annotations

import numpy as np
import torch

from sergan.checks import check, close
from sergan.models import Discriminator, reorder, valid_frames

NOTHING = "your function returns nothing yet."


def steps(x, h, c, W, U, b) -> dict:
    """One step of an LSTM with hard gates, right and in the usual wrong ways: (h, c) by name."""

    def step(kind, order="ifgo", proposal=np.tanh, squash=np.tanh, keep=False):
        part = dict(zip(order, np.split(W @ x + U @ h + b, 4), strict=True))
        new = (1 if keep else kind(part["f"])) * c + kind(part["i"]) * proposal(part["g"])
        return kind(part["o"]) * squash(new), new

    def hard(a):
        return np.clip(0.2 * a + 0.5, 0, 1)

    return {
        "right": step(hard),
        "smooth": step(lambda a: 1 / (1 + np.exp(-a))),
        "unclipped": step(lambda a: 0.2 * a + 0.5),
        "kept": step(hard, keep=True),
        "order": step(hard, order="ifog"),
        "swapped": step(hard, order="figo"),
        "proposal": step(hard, proposal=hard),
        "linear": step(hard, squash=lambda c: c),
    }


@check("your step is that of Keras before 2.3, gate by gate.")
def hard_step(cell):
    draw = np.random.default_rng(5).normal
    inputs = draw(size=3), draw(size=2), draw(size=2), draw(size=(8, 3)), draw(size=(8, 2)), 2 * draw(size=8)
    out = cell(*inputs)
    if out is None:
        return NOTHING
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        return "return two arrays, the new h and the new c."
    h, c = out
    ways = steps(*inputs)
    if close(h, ways["right"][0]) and close(c, ways["right"][1]):
        return None
    if close(c, ways["right"][0]) and close(h, ways["right"][1]):
        return "h and c are right but in the wrong order: return h first."
    slips = {
        "smooth": "these are the smooth gates of PyTorch; the hard one is clip(0.2 a + 0.5, 0, 1).",
        "unclipped": "your gates go below 0 or above 1: clip them.",
        "kept": "the old memory is kept whole: it has to pass the forget gate first.",
        "order": "the last two blocks are taken the wrong way round: the order is i, f, g, o, the proposal third.",
        "swapped": "input gate and forget gate are exchanged: the forget gate acts on the old memory.",
        "proposal": "the proposal g is no gate: it goes through tanh, and may be negative.",
    }
    for name, sentence in slips.items():
        if close(c, ways[name][1]):
            return sentence
    if close(c, ways["right"][1]) and close(h, ways["linear"][0]):
        return "the memory is right, but it passes a tanh before the output gate lets it out."
    if close(c, ways["right"][1]):
        return "the memory is right, h is not: h = o * tanh(c)."
    return "neither h nor c is right: look at the four rows of the equations for the gates again."


@check("each row sums to one over its own frames, and padding has exactly nothing.")
def masked_softmax(weights):
    score = torch.tensor([[0.5, 2.0, -1.0, 0.3, 1.1], [1.5, -0.5, 0.7, 0.9, -0.4]])
    lengths = torch.tensor([5, 3])
    out = weights(score.clone(), lengths.clone())
    if out is None:
        return NOTHING
    out = torch.as_tensor(out, dtype=torch.float32)
    if out.shape != score.shape:
        return f"the weights have shape {tuple(out.shape)}; the scores have {tuple(score.shape)}."
    inside = valid_frames(lengths, score.shape[1])
    if close(out, score.masked_fill(~inside, -torch.inf).softmax(dim=1)):
        return None
    axis = score.masked_fill(~inside, -torch.inf).softmax(dim=0)
    if close(out.nan_to_num(), axis.nan_to_num()) or close(out, score.softmax(dim=0)):
        return "the softmax runs over the batch: columns sum to one. It has to run over time, dim=1."
    if close(out, score.softmax(dim=1)):
        return (
            "padding is attended to: the second row gives weight to its frames 4 and 5, which do not exist."
        )
    if close(out, score.softmax(dim=1) * inside):
        return (
            "padding is removed after the softmax, so the rest no longer sums to one: mask the scores before."
        )
    if close(out, (score * inside).softmax(dim=1)):
        return (
            "a score of 0 is not a weight of 0, because exp(0) = 1: give padding a score of minus infinity."
        )
    return f"the rows sum to {[round(s, 2) for s in out.sum(dim=1).tolist()]}; compare with the equation, by hand."


@check("speech is reversed, padding stays where it was, and doing it twice gives the original.")
def turned(reverse):
    x = torch.arange(24.0).reshape(2, 4, 3) + 1
    lengths = torch.tensor([4, 2])
    x[1, 2:] = 0
    out = reverse(x.clone(), lengths.clone())
    if out is None:
        return NOTHING
    out = torch.as_tensor(out)
    if out.shape != x.shape:
        return f"the result has shape {tuple(out.shape)}, the input {tuple(x.shape)}."
    t = torch.arange(4)
    last = lengths[:, None] - 1
    if close(out, reorder(x, torch.where(t <= last, last - t, t))):
        return None
    if close(out, x):
        return "nothing is reversed yet."
    if close(out, x.flip(1)):
        return "padding is reversed too: the second utterance now begins with its padding, not with its last frame."
    if close(out, x.flip(2)):
        return "the features inside each frame are reversed, not the frames: time is dim 1."
    if close(out, x.flip(0)):
        return "the utterances of the batch changed places, not the frames: time is dim 1."
    if close(out[0], x[0].flip(0)):
        return "the full utterance is right, the shorter one is not: its last frame, number 2, has to come first."
    return "the frames are not in reverse order: frame t has to go to place length - 1 - t."


def counts(lstm: int, attention: int, dense: int) -> dict[str, int]:
    """Learnt numbers of BAM by part."""
    return {
        "one direction": 4 * (32 * lstm + lstm * lstm + lstm),
        "attention": 2 * lstm * attention + attention + attention,
        "head": 2 * lstm * dense + dense + 4 * dense + 4,
    }


@check("so many numbers learn.")
def parameters(number):
    part = counts(64, 64, 64)
    right = 2 * part["one direction"] + part["attention"] + part["head"]
    net = Discriminator(lstm=64, attention=64, dense=64)
    assert right == sum(p.numel() for p in net.parameters() if p.requires_grad)
    slips = {
        right - part["one direction"]: "that has one direction only: the B of BLSTM doubles the LSTM.",
        right
        + 2 * 4 * 64: "that counts two biases a gate, as PyTorch stores them; one of them is fixed at 0.",
        right - 2 * 4 * 64: "the biases of the LSTM's gates are missing.",
        right - 64: "attention's u is missing: as many numbers as W has rows.",
        right + 1: "u has no bias: a number added to all scores would change no softmax.",
        right - part["head"]: "the dense head is missing: Dense, LeakyReLU, Dense.",
        part["one direction"] * 2: "that is the BLSTM alone: attention and the dense head learn too.",
        right - 2 * 3 * part["one direction"] // 4: "an LSTM has four blocks of weights, not one.",
        right - 2 * 64 * 64: "attention and head get both directions, 128 numbers a frame, not 64.",
    }
    if number == right:
        return None
    if number in slips:
        return slips[number]
    return f"not {number:,}: add up twice the LSTM, then attention (W, b, u), then the two dense layers."


@check("equal frames get equal scores, and equal scores share the weight equally, whatever u is.")
def constant(weight):
    slips = {
        1 / 80: "the 20 frames of padding get a share here; they are masked.",
        1.0: "no frame is larger than the others: which one would the softmax choose?",
        10
        / 60: "the scores are ten times as large, but all of them are: a softmax ignores what all have in common.",
        0.0: "the weights of the 60 frames have to sum to one.",
    }
    if close(weight, 1 / 60, 1e-4):
        return None
    for slip, sentence in slips.items():
        if close(weight, slip, 1e-4):
            return sentence
    return "all 60 frames are equal, so all scores are. What does the softmax of 60 equal numbers give?"


@check("the frames are whole, padding is where it was, and only the order is gone.")
def shuffled(shuffle):
    lengths = torch.tensor([40, 25])
    x = torch.arange(2 * 40 * 32.0).reshape(2, 40, 32) + 1
    x[1, 25:] = 0
    out = shuffle(x.clone(), lengths.clone())
    if out is None:
        return NOTHING
    out = torch.as_tensor(out)
    if out.shape != x.shape:
        return f"the result has shape {tuple(out.shape)}, the input {tuple(x.shape)}."
    if close(out, x):
        return "nothing has moved."
    if (out[1, :25] == 0).all(dim=1).any() or (out[1, 25:] != 0).any():
        return "padding has moved into the speech of the shorter utterance: shuffle its first 25 frames only."
    rows = {tuple(frame) for frame in x.flatten(0, 1).tolist()}
    if any(tuple(frame) not in rows for frame in out.flatten(0, 1).tolist()):
        return "frames are taken apart: the 32 numbers of a frame have to travel together, in their order."
    for before, after in zip(x, out, strict=True):
        if sorted(before[:, 0].tolist()) != sorted(after[:, 0].tolist()):
            return "an utterance has lost frames, or has some twice: use a permutation of its own frames."
    order = out[0, :25, 0].argsort().tolist(), out[1, :25, 0].argsort().tolist()
    if order[0] == order[1]:
        return "both utterances are shuffled by one and the same order, which a network could learn to undo."
    return None
