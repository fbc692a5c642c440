"""Visible checks of assignment 4, a step of a GAN: tiny networks, so that every number can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from sergan.checks import check, close

ROW = [[0.0, math.log(2), math.log(3), math.log(4)]]  # exp: 1, 2, 3, 4


def about_a_loss(function, right, said):
    """What is wrong with a loss of logits; `right` are those of `ROW`, of it and zeros, and of logits of 1000."""
    for rows, expected in zip((ROW, [*ROW, [0.0] * 4], [[1000.0] * 4]), right, strict=True):
        logits = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
        found = function(logits)
        if found is None:
            return "your function returns nothing yet."
        if not torch.is_tensor(found) or found.shape != ():
            return "return one number, as a tensor: the mean over the rows."
        if not found.requires_grad:
            return "your loss has no history, so nobody could learn from it: compute it with torch, without .item()."
        where = f"for logits {np.round(rows, 3).tolist()}"
        value = float(found.detach())
        if not math.isfinite(value):
            return (
                f"{where} it gives {value}: exp(1000) is too large for a number. torch.logsumexp avoids it."
            )
        for wrong, sentence in said.items():
            if rows == ROW and close(value, wrong, 1e-4):
                return f"{where}: {sentence}"
        if not close(value, expected, 1e-6):
            return f"{where} it gives {value:.4f}, and right is {expected:.4f}."
    return None


@check("every emotion is pushed down, and the surest one hardest.")
def fused(function):
    return about_a_loss(function, (math.log(10), math.log(40) / 2, 1000 + math.log(4)), {
        0: "0 is the paper taken literally (reading zero); yours is the reading fused.",
        math.log(11): "there is a fifth class in it; fused has four.",
        math.log(10) - math.log(24) / 4: "that is the label [1/4, 1/4, 1/4, 1/4]; here all labels are 0.",
    })  # fmt: skip


@check("every emotion is pushed down, and less and less once the fifth class has won.")
def fifth(function):
    return about_a_loss(function, (math.log(11), math.log(55) / 2, 1000 + math.log(4)), {
        0: "0 is the paper taken literally (reading zero).",
        math.log(10): "that is the reading fused; a fifth logit, 0, belongs into the sum.",
        math.log(10 + math.e): "the fifth logit is 0, so that it adds exp(0) = 1.",
        -1 / 11: "that is minus the chance of the fifth class; the loss is minus its logarithm.",
    })  # fmt: skip


def tiny():
    """A network of two layers; the first one's bias never learns."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2), nn.Linear(3, 2)).double()
    network[0].bias.requires_grad_(False)
    return network


def learning(network):
    return [weight.requires_grad for weight in network.parameters()]


@check("gradients pass through, none stays, and afterwards all is as it was, even after an error.")
def frozen(manager):
    network = tiny()
    before, x = learning(network), torch.ones(1, 2, dtype=torch.float64, requires_grad=True)
    with manager(network):
        inside = learning(network)
        found = network(x)
        if not found.requires_grad:
            return "inside, no gradient passes through the network any more; only its weights should ask for none."
        found.sum().backward()
    if any(inside):
        return f"inside, {sum(inside)} of the network's weights still ask for a gradient."
    if not network.training:
        return "you changed the network's mode (eval); freezing is about gradients."
    after = learning(network)
    if after != before and all(after):
        return "a bias that was frozen before is thawed afterwards: remember which weights learned."
    if after != before:
        return "afterwards the network stays frozen: its own next step would learn nothing."
    try:
        with manager(network):
            raise ValueError("an error inside")
    except ValueError:
        return (
            None
            if learning(network) == before
            else "after an error inside, the network stays frozen: try ... finally."
        )
    return "an error inside is swallowed; whoever made it should see it."


def drum(used: bool = True):
    """A generator with batch normalisation that has seen a batch."""
    torch.manual_seed(1)
    generator = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)).double()
    if used:
        generator(3 + torch.randn(16, 2).double())
    return generator


def about_negatives(function, batch: bool):
    z = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]], dtype=torch.float64)
    for training in (True, False):
        generator = drum().train(training)
        kept = {name: value.clone() for name, value in generator.state_dict().items()}
        with torch.no_grad():
            alone, company = drum().eval()(z), drum().train()(z)
        made = function(generator, z)
        where = f"G in {'batch' if training else 'inference'} mode before the call: "
        if made is None:
            return "your function returns nothing yet."
        if made.requires_grad:
            return f"{where}the samples have a history; a step of D on them would reach G."
        if close(made, company if not batch else alone):
            return f"{where}these samples were made in {'inference' if batch else 'batch'} mode."
        if not close(made, company if batch else alone):
            return f"{where}these are not the samples that G makes of z."
        if generator.training != training:
            return f"{where}afterwards G is in the other mode: put back what you found."
        moved = [name for name, value in generator.state_dict().items() if not torch.equal(value, kept[name])]
        if moved:
            return f"{where}{moved[0]} of G has changed."
    return None


@check("made as they will be used, and G has not noticed.")
def inference(function):
    return about_negatives(function, batch=False)


@check("made as G itself is trained, and G has not noticed.")
def batch(function):
    return about_negatives(function, batch=True)


def about_a_d_step(function, weight, clip, two: bool):
    """D has one input, two answers, no bias, weights 0: its real loss is log 2, its negative one weight * log 2."""
    D = nn.Linear(1, 2, bias=False).double()
    nn.init.zeros_(D.weight)
    D.weight.grad = torch.full_like(D.weight, 5.0)
    source = torch.tensor([[1.0]], dtype=torch.float64, requires_grad=True)
    adam, steps = torch.optim.SGD(D.parameters(), lr=1.0), []
    adam.register_step_post_hook(lambda *_: steps.append(D.weight.detach().flatten().tolist()))
    x, labels = torch.tensor([[4.0]], dtype=torch.float64), torch.tensor([0])
    found = function(D, adam, x, labels, 2 * source, lambda logits: logits.logsumexp(dim=1).mean())
    if found is None:
        return "your function returns nothing yet."
    if np.shape(found) != (2,):
        return "return two numbers: the loss of the real batch, and that of the negatives with its weight."
    if source.grad is not None:
        return "the step went back into the samples, and from there into G: detach them."
    if len(steps) != 1 + two:
        return f"the optimiser took {len(steps)} steps; it should take {'two' if two else 'one'}."
    real, negative = map(float, found)
    if not close(real, math.log(2)):
        return f"a D that knows nothing has a real loss of log 2 = 0.693; yours returns {real:.3f}."
    push = min(2.0 * math.sqrt(2), clip) / math.sqrt(2)  # gradient of the real loss: (-2, +2)
    if two:
        if not close(np.abs(steps[0]), [push, push]):
            return (
                f"after the real step D's weights are {np.round(steps[0], 3).tolist()}, right is "
                f"{[round(push, 3), round(-push, 3)]}. An old gradient? No clipping? Clipped number by number?"
            )
        expected = weight * math.log(2 * math.cosh(2 * push))
        if close(negative, weight * math.log(2)):
            return "the loss of the negatives is that of the D before the real step; here D learns twice."
        if not close(negative, expected):
            return f"the loss of the negatives is {expected:.3f} here, with WEIGHT; yours is {negative:.3f}."
        return None
    if not close(negative, weight * math.log(2)):
        return f"the loss of the negatives is WEIGHT * log 2 = {weight * math.log(2):.3f}; yours is {negative:.3f}."
    gradient = np.array([-2.0 + weight, 2.0 + weight])
    expected = -gradient * min(1, clip / np.linalg.norm(gradient))
    if not close(steps[0], expected):
        return (
            f"after the step D's weights are {np.round(steps[0], 3).tolist()}, right is {expected.round(3).tolist()}. "
            "An old gradient? No clipping, or clipped number by number? The sum of both losses?"
        )
    return None


@check("first the real batch, then the generated one, and G does not feel it.")
def two(function, weight, clip):
    return about_a_d_step(function, weight, clip, two=True)


@check("one look at both batches, one step, and G does not feel it.")
def one(function, weight, clip):
    return about_a_d_step(function, weight, clip, two=False)


@check("G follows the gradient that comes through D, and D is as it was.")
def generator(function):
    D, G = tiny(), nn.Linear(1, 2).double()
    D[2].weight.grad, G.weight.grad = torch.full((2, 3), 7.0).double(), torch.full((2, 1), 50.0).double()
    before = [weight.detach().clone() for weight in (*D.parameters(), *G.parameters())]
    flags, z = learning(D), torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    labels = torch.tensor([1, 0])
    with torch.no_grad():
        logits = D(G(z))
        right = float((logits.logsumexp(dim=1) - logits[[0, 1], [1, 0]]).mean())
    try:
        found = function(D, G, torch.optim.SGD(G.parameters(), lr=0.1), z, labels)
    except RuntimeError as error:
        if "does not require grad" in str(error):
            return "nothing flows back: with D frozen, the samples must not be detached."
        raise
    if found is None:
        return "your function returns nothing yet."
    after = [*D.parameters(), *G.parameters()]
    if not close(float(found), right):
        return f"the loss is the cross-entropy of D's answers and labels, {right:.4f}; yours is {float(found):.4f}."
    if any(not torch.equal(a, b) for a, b in zip(before[:4], after[:4], strict=True)):
        return "D's weights have changed."
    if D[0].weight.grad is not None or not close(D[2].weight.grad, np.full((2, 3), 7.0)):
        return "D's .grad has changed: it was not frozen, or somebody cleared it."
    if learning(D) != flags:
        return "afterwards not the same weights of D learn as before; its first bias never did."
    moved = float((before[4] - after[4].detach()).abs().max())
    if moved == 0:
        return "G has not moved."
    return "G moved by an old gradient, too: clear it first." if moved > 2 else None


@check("D at every batch, G at its turn, and noise is fresh each time.")
def schedule(function, every, g_steps):
    log, drawn = [], []
    batches = [([float(k)] * 3, [k] * 3) for k in range(2 * every + 1)]

    def draw(count):
        drawn.append(count)
        return [len(drawn)] * count

    def d_step(x, labels, z):
        log.append(("D", int(x[0]), z[0]))
        return float(len(log))

    def g_step(z, labels):
        log.append(("G", labels[0], z[0]))
        return 100.0

    found = function(batches, draw, d_step, g_step)
    if found is None:
        return "your function returns nothing yet."
    said = " ".join(f"{who}{batch}" for who, batch, _ in log)
    turns = [batch for who, batch, _ in log if who == "G"]
    if [batch for who, batch, _ in log if who == "D"] != list(range(len(batches))):
        return f"D should learn from each batch once, in order; your steps are {said}."
    if len(turns) != 2 * g_steps:
        return f"{len(batches)} batches, EVERY {every}, G_STEPS {g_steps}: {2 * g_steps} steps of G, not {len(turns)}."
    for place, (who, batch, _) in enumerate(log):
        if who == "G" and (batch + 1) % every:
            return f"G has its turn after the batches {every - 1} and {2 * every - 1} (from 0); your steps are {said}."
        if (
            who == "G"
            and log[place - 1] not in [e for e in log if e[0] == "G"]
            and log[place - 1][:2] != ("D", batch)
        ):
            return f"G's turn comes right after D's step on the same batch; your steps are {said}."
    if len({z for *_, z in log}) != len(log):
        return "some noise is used twice; draw anew for each step."
    if set(found) != {"D", "G"} or not close(found["G"], 100):
        return 'return {"D": mean of what d_step returned, "G": mean of what g_step returned}.'
    alone = function(batches[:1], draw, d_step, g_step)
    return None if alone["G"] is None else "without any step of G its mean does not exist: None."
