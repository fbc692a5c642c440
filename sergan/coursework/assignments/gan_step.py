"""Assignment 4: one step of a GAN, and everything that it must leave alone."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import torch
from torch.nn import functional as F

from sergan.coursework import harness
from sergan.coursework.questions import Assignment, Mistake, Question, edited

CONSTANTS = {
    "WEIGHT": (0.25, 0.5, 2.0),
    "CLIP": (0.25, 0.5, 1.0),
    "EVERY": (2, 3, 4),
    "G_STEPS": (1, 2, 3),
}
KINDS = {"label": ("fused", "fifth"), "norm": ("inference", "batch"), "steps": ("two", "one")}

# What is right


def fused(logits):
    return logits.logsumexp(dim=1).mean()


def fifth(logits):
    return F.pad(logits, (0, 1)).logsumexp(dim=1).mean()


@contextmanager
def frozen(network):
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in learned:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learned:
            weight.requires_grad_(True)


@torch.no_grad()
def in_mode(generator, z, batch: bool):
    mode, kept = generator.training, {name: value.clone() for name, value in generator.state_dict().items()}
    made = generator.train(batch)(z)
    generator.train(mode).load_state_dict(kept)
    return made


def descend(network, adam, loss, clip):
    adam.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    adam.step()
    return loss.item()


def d_step(variant):
    two = variant.kinds["steps"] == "two"

    def right(network, adam, x, labels, negatives, negative_loss):
        real = F.cross_entropy(network(x), labels)
        if two:
            found = [descend(network, adam, real, variant["CLIP"])]
            loss = variant["WEIGHT"] * negative_loss(network(negatives.detach()))
            return [*found, descend(network, adam, loss, variant["CLIP"])]
        loss = variant["WEIGHT"] * negative_loss(network(negatives.detach()))
        descend(network, adam, real + loss, variant["CLIP"])
        return [real.item(), loss.item()]

    return right


def g_step(discriminator, generator, adam, z, labels):
    with frozen(discriminator):
        return descend(generator, adam, F.cross_entropy(discriminator(generator(z)), labels), 1e9)


def schedule(variant):
    def right(batches, draw, d_step, g_step):
        of_d, of_g = [], []
        for number, (x, labels) in enumerate(batches, 1):
            of_d.append(d_step(x, labels, draw(len(x))))
            if number % variant["EVERY"] == 0:
                of_g += [g_step(draw(len(x)), labels) for _ in range(variant["G_STEPS"])]
        return {"D": float(np.mean(of_d)), "G": float(np.mean(of_g)) if of_g else None}

    return right


def through(name, right):
    """Expected answers: what the harness finds with the right function."""
    return lambda variant: lambda *case: getattr(harness, name)(right(variant), *case)


# Hidden cases


def logits(variant, random):
    """Ordinary logits, ties, extreme ones, one row, two classes."""
    for shape, scale in (((5, 4), 1), ((1, 4), 3), ((7, 3), 2), ((4, 2), 5), ((6, 5), 30)):
        yield (random.normal(0, scale, size=shape),)
    yield (np.full((3, 4), float(random.normal())),)
    yield (random.choice([-1, 1], size=(4, 4)) * random.uniform(500, 2000, size=(4, 4)),)
    yield (-random.uniform(800, 900, size=(2, 4)),)


def weights(random, latent=3, hidden=6, width=4, classes=4):
    """Arrays for `harness.networks`."""
    shapes = (
        (hidden, width),
        hidden,
        (classes, hidden),
        classes,
        (hidden, latent),
        hidden,
        (width, hidden),
        width,
    )
    return [random.normal(0, 0.8, size=shape) for shape in shapes]


def steps(variant, random):
    """Both optimisers, old gradients, several sizes, gradients that need clipping; a quiet D that does not."""
    for kind, old, n, classes, size in (
        ("sgd", 0.0, 8, 4, 1.0), ("adam", 0.0, 8, 4, 1.0), ("sgd", 0.4, 5, 3, 3.0), ("adam", 0.4, 6, 5, 1.0),
        ("sgd", 0.0, 16, 4, 0.02), ("adam", -0.7, 1 + 2, 2, 4.0),
    ):  # fmt: skip
        yield ({
            "weights": weights(random, classes=classes), "optimiser": kind, "stale": old,
            "x": size * random.normal(size=(n, 4)), "labels": random.integers(classes, size=n),
            "z": random.normal(size=(n + 1, 3)), "reading": str(random.choice(["fused", "uniform"])),
            "fixed": [int(random.integers(4))] if n % 2 == 0 and old == 0 else [],
        },)  # fmt: skip
    made = weights(random)
    yield ({
        "weights": [0.05 * w for w in made[:4]] + made[4:], "optimiser": "sgd", "stale": 0.0, "reading": "uniform",
        "x": random.normal(size=(8, 4)), "labels": random.permutation(np.arange(8) % 4),
        "z": random.normal(size=(8, 3)), "fixed": [],
    },)  # fmt: skip


def modes(variant, random):
    """G in either mode, fresh or used before; D with weights that never learn."""
    for number, mode in enumerate(["train", "eval", "train", "eval"]):
        yield ({
            "weights": weights(random), "mode": mode, "z": 2 + 2 * random.normal(size=(5 + number, 3)),
            "earlier": [random.normal(size=(6, 3)) for _ in range(number)], "x": random.normal(size=(3, 4)),
            "fixed": [[], [0], [1, 2], [3]][number], "stale": [0.0, 0.3][number % 2],
        },)  # fmt: skip


def days(variant, random):
    """As many batches as a turn, one fewer, none left over, some left over; the last one smaller."""
    every = variant["EVERY"]
    for count in (every, 1, every + 1, 3 * every, 3 * every - 1, every - 1, 13):
        sizes = [4] * (count - 1) + [int(random.integers(1, 4))]
        yield sizes, random.uniform(0, 3, size=count).tolist(), random.uniform(0, 3, size=50).tolist()


QUESTIONS = (
    Question("fused", 2, "fused_loss", logits, through("loss_and_gradient", lambda v: fused),
             "loss_and_gradient", ("label", "fused")),
    Question("fifth", 2, "fifth_loss", logits, through("loss_and_gradient", lambda v: fifth),
             "loss_and_gradient", ("label", "fifth")),
    Question("frozen", 2, "frozen", modes, through("freezing", lambda v: frozen), "freezing"),
    Question("inference", 3, "negatives_in_inference", modes,
             through("negatives", lambda v: lambda g, z: in_mode(g, z, False)), "negatives", ("norm", "inference")),
    Question("batch", 3, "negatives_in_batch", modes,
             through("negatives", lambda v: lambda g, z: in_mode(g, z, True)), "negatives", ("norm", "batch")),
    Question("two", 4, "two_steps", steps, through("d_step", d_step), "d_step", ("steps", "two")),
    Question("one", 4, "one_step", steps, through("d_step", d_step), "d_step", ("steps", "one")),
    Question("generator", 3, "generator_step", steps, through("g_step", lambda v: g_step), "g_step"),
    Question("schedule", 2, "train", days, through("schedule", schedule), "schedule"),
)  # fmt: skip

# Known mistakes

FUSED = """
import torch
def fused_loss(logits):
    return torch.logsumexp(logits, dim=1).mean()
"""
FIFTH = """
import torch
def fifth_loss(logits):
    zeros = torch.zeros_like(logits[:, :1])
    return torch.logsumexp(torch.cat([logits, zeros], dim=1), dim=1).mean()
"""
FROZEN = """
from contextlib import contextmanager
@contextmanager
def frozen(network):
    learned = [w for w in network.parameters() if w.requires_grad]
    for w in learned:
        w.requires_grad_(False)
    try:
        yield
    finally:
        for w in learned:
            w.requires_grad_(True)
"""
INFERENCE = """
import torch
def negatives_in_inference(G, z):
    mode = G.training
    G.eval()
    with torch.no_grad():
        made = G(z)
    G.train(mode)
    return made
"""
BATCH = """
import torch
def negatives_in_batch(G, z):
    mode = G.training
    kept = {name: value.clone() for name, value in G.state_dict().items()}
    G.train()
    with torch.no_grad():
        made = G(z)
    G.load_state_dict(kept)
    G.train(mode)
    return made
"""
TWO = """
import torch
from torch.nn import functional as F
def two_steps(D, adam, x, labels, negatives, negative_loss):
    real = F.cross_entropy(D(x), labels)
    adam.zero_grad()
    real.backward()
    torch.nn.utils.clip_grad_norm_(D.parameters(), CLIP)
    adam.step()
    negative = WEIGHT * negative_loss(D(negatives.detach()))
    adam.zero_grad()  # again
    negative.backward()
    torch.nn.utils.clip_grad_norm_(D.parameters(), CLIP)  # again
    adam.step()  # again
    return real.item(), negative.item()
"""
ONE = """
import torch
from torch.nn import functional as F
def one_step(D, adam, x, labels, negatives, negative_loss):
    real = F.cross_entropy(D(x), labels)
    negative = WEIGHT * negative_loss(D(negatives.detach()))
    adam.zero_grad()
    (real + negative).backward()
    torch.nn.utils.clip_grad_norm_(D.parameters(), CLIP)
    adam.step()
    return real.item(), negative.item()
"""
SWAPPED = """
import torch
from torch.nn import functional as F
def two_steps(D, adam, x, labels, negatives, negative_loss):
    losses = []
    for loss_of in (lambda: WEIGHT * negative_loss(D(negatives.detach())), lambda: F.cross_entropy(D(x), labels)):
        loss = loss_of()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(D.parameters(), CLIP)
        adam.step()
        losses.append(loss.item())
    return losses[::-1]
"""
GENERATOR = """
from torch.nn import functional as F
def generator_step(D, G, adam, z, labels):
    learned = [w for w in D.parameters() if w.requires_grad]
    for w in learned:
        w.requires_grad_(False)
    loss = F.cross_entropy(D(G(z)), labels)
    adam.zero_grad()
    loss.backward()
    adam.step()
    for w in learned:
        w.requires_grad_(True)
    return loss.item()
"""
SCHEDULE = """
import numpy as np
def train(batches, draw, d_step, g_step):
    of_d, of_g = [], []
    for number, (x, labels) in enumerate(batches, 1):
        of_d.append(d_step(x, labels, draw(len(x))))
        if number % EVERY == 0:
            for _ in range(G_STEPS):
                of_g.append(g_step(draw(len(x)), labels))
    return {"D": np.mean(of_d), "G": np.mean(of_g) if of_g else None}
"""
G_FIRST = """
import numpy as np
def train(batches, draw, d_step, g_step):
    of_d, of_g = [], []
    for number, (x, labels) in enumerate(batches, 1):
        if number % EVERY == 0:
            of_g += [g_step(draw(len(x)), labels) for _ in range(G_STEPS)]
        of_d.append(d_step(x, labels, draw(len(x))))
    return {"D": np.mean(of_d), "G": np.mean(of_g) if of_g else None}
"""
ALL_D_THEN_G = """
import numpy as np
def train(batches, draw, d_step, g_step):
    of_d = [d_step(x, labels, draw(len(x))) for x, labels in batches]
    of_g = [g_step(draw(len(x)), labels) for x, labels in batches[EVERY - 1::EVERY] for _ in range(G_STEPS)]
    return {"D": np.mean(of_d), "G": np.mean(of_g) if of_g else None}
"""

CLIPPED = "torch.nn.utils.clip_grad_norm_(D.parameters(), CLIP)\n    "
EVERY_D_STEP = {
    "no_detach": ("negatives.detach()", "negatives"),
    "detaches_the_answer_of_D": ("D(negatives.detach())", "D(negatives).detach()"),
    "the_weight_is_forgotten": ("WEIGHT * ", ""),
    "the_weight_is_on_the_real_loss": ("F.cross_entropy(D(x), labels)", "WEIGHT * F.cross_entropy(D(x), labels)"),
    "real_labels_for_negatives": ("negative_loss(D(negatives.detach()))",
                                  "F.cross_entropy(D(negatives.detach())[:len(labels)], labels)"),
    "returns_the_losses_the_wrong_way_round": ("real.item(), negative.item()", "negative.item(), real.item()"),
}  # fmt: skip

MISTAKES = (
    *edited("solve_fused", "fused", FUSED, ("label", "fused"),
            sum_instead_of_mean=(".mean()", ".sum()"),
            overflows_for_large_logits=("torch.logsumexp(logits, dim=1)", "torch.log(torch.exp(logits).sum(dim=1))"),
            over_the_batch_instead_of_the_classes=("dim=1", "dim=0"),
            the_paper_taken_literally=("torch.logsumexp(logits, dim=1).mean()", "(0 * logits).mean()"),
            label_one_over_K=("torch.logsumexp(logits, dim=1)",
                              "(torch.logsumexp(logits, dim=1) - logits.mean(dim=1))"),
            a_fifth_class=("torch.logsumexp(logits, dim=1)",
                           "torch.logsumexp(torch.nn.functional.pad(logits, (0, 1)), dim=1)"),
            the_sign=("return torch", "return -torch")),
    *edited("solve_fifth", "fifth", FIFTH, ("label", "fifth"),
            sum_instead_of_mean=(".mean()", ".sum()"),
            overflows_for_large_logits=("torch.logsumexp(torch.cat([logits, zeros], dim=1), dim=1)",
                                        "torch.log(1 + torch.exp(logits).sum(dim=1))"),
            forgets_the_fifth_class=("torch.cat([logits, zeros], dim=1)", "logits"),
            the_fifth_logit_is_one=("zeros_like", "ones_like"),
            four_sigmoids=("torch.logsumexp(torch.cat([logits, zeros], dim=1), dim=1)",
                           "torch.nn.functional.softplus(logits).sum(dim=1)"),
            the_chance_instead_of_its_logarithm=("torch.logsumexp(torch.cat([logits, zeros], dim=1), dim=1)",
                                                 "-torch.softmax(torch.cat([logits, zeros], dim=1), dim=1)[:, -1]"),
            the_sign=("return torch", "return -torch")),
    *edited("solve_frozen", "frozen", FROZEN,
            stays_frozen_after_an_error=("finally:", "except ZeroDivisionError:\n        pass\n    else:"),
            swallows_errors=("finally:", "except Exception:\n        pass\n    finally:")),
    *edited("solve_frozen", {"frozen", "generator"}, FROZEN,  # whose notebook uses it there
            never_thaws=("w.requires_grad_(True)", "pass"),
            freezes_nothing=("w.requires_grad_(False)", "pass"),
            thaws_what_was_frozen_before=("for w in learned:\n            w.",
                                          "for w in network.parameters():\n            w."),
            eval_instead_of_freezing=("w.requires_grad_(False)", "network.eval()"),
            no_grad_instead_of_freezing=("yield", "import torch\n        with torch.no_grad():\n            yield"),
            throws_old_gradients_away=("    try:", "    network.zero_grad()\n    try:")),
    *edited("solve_inference", "inference", INFERENCE, ("norm", "inference"),
            stays_in_inference_mode=("G.train(mode)", "pass"),
            always_back_to_batch_mode=("G.train(mode)", "G.train()"),
            batch_mode=("G.eval()", "G.train()"),
            whatever_mode_it_has=("G.eval()", "pass"),
            with_history=("torch.no_grad()", "torch.enable_grad()"),
            no_grad_instead_of_eval=("G.eval()\n    with", "with")),
    *edited("solve_batch", "batch", BATCH, ("norm", "batch"),
            running_values_move=("G.load_state_dict(kept)", "pass"),
            kept_without_a_copy=("value.clone()", "value"),
            stays_in_batch_mode=("G.train(mode)", "pass"),
            inference_mode=("G.train()\n", "G.eval()\n"),
            whatever_mode_it_has=("G.train()\n", "pass\n"),
            with_history=("torch.no_grad()", "torch.enable_grad()")),
    *edited("solve_two", "two", TWO, ("steps", "two"), **EVERY_D_STEP,
            old_gradients_at_the_start=("adam.zero_grad()\n    real", "real"),
            the_real_gradient_is_added_again=("adam.zero_grad()  # again\n", "\n"),
            no_clipping_on_real=(CLIPPED + "adam.step()\n", "adam.step()\n"),
            no_clipping_on_negatives=("torch.nn.utils.clip_grad_norm_(D.parameters(), CLIP)  # again\n", "\n"),
            clips_numbers_not_the_norm=("clip_grad_norm_(D.parameters(), CLIP)\n",
                                        "clip_grad_value_(D.parameters(), CLIP)\n"),
            no_second_step=("adam.step()  # again", "pass")),
    Mistake("negatives first", {"solve_two": SWAPPED}, {"two"}, ("steps", "two")),
    Mistake("one step on the sum", {"solve_two": ONE.replace("one_step", "two_steps")}, {"two"}, ("steps", "two")),
    *edited("solve_one", "one", ONE, ("steps", "one"), **EVERY_D_STEP,
            old_gradients_at_the_start=("adam.zero_grad()", "pass"),
            zero_grad_after_backward=("adam.zero_grad()\n    (real + negative).backward()",
                                      "(real + negative).backward()\n    adam.zero_grad()"),
            no_clipping=(CLIPPED, ""),
            clips_after_the_step=(CLIPPED + "adam.step()", "adam.step()\n    " + CLIPPED),
            clips_numbers_not_the_norm=("clip_grad_norm_", "clip_grad_value_"),
            the_mean_of_both_losses=("(real + negative)", "((real + negative) / 2)")),
    Mistake("two steps", {"solve_one": TWO.replace("two_steps", "one_step")}, {"one"}, ("steps", "one")),
    *edited("solve_generator", "generator", GENERATOR,
            detaches_the_samples=("D(G(z))", "D(G(z).detach())"),
            D_is_not_frozen=("w.requires_grad_(False)", "pass"),
            D_stays_frozen=("w.requires_grad_(True)", "pass"),
            thaws_what_was_frozen_before=("for w in learned:\n        w.requires_grad_(True)",
                                          "for w in D.parameters():\n        w.requires_grad_(True)"),
            old_gradients=("adam.zero_grad()", "pass"),
            no_step=("adam.step()", "pass"),
            away_from_the_labels=("loss.backward()", "(-loss).backward()"),
            one_class_for_all=("D(G(z)), labels)", "D(G(z)), 0 * labels)"),
            inference_mode=("D(G(z))", "D(G.eval()(z))"),
            G_without_history=("D(G(z))", "D(__import__('torch').no_grad()(G)(z))"),
            only_the_first_sample=("D(G(z)), labels)", "D(G(z))[:1], labels[:1])")),
    *edited("solve_schedule", "schedule", SCHEDULE,
            G_after_every_batch=("number % EVERY == 0", "True"),
            counts_from_zero=("(batches, 1)", "(batches)"),
            one_generator_step_whatever_G_STEPS=("range(G_STEPS)", "range(1 if G_STEPS > 1 else 2)"),
            the_noise_of_D_again=("of_g.append(g_step(draw(len(x)), labels))",
                                  "of_g.append(g_step([number + len(of_g)] * len(x), labels))"),
            labels_of_the_first_batch=("draw(len(x)), labels))\n    return",
                                       "draw(len(x)), batches[0][1]))\n    return"),
            zero_instead_of_None=("else None", "else 0.0"),
            only_the_last_loss=("np.mean(of_d)", "of_d[-1]"),
            G_averaged_over_batches=("np.mean(of_g) if", "np.sum(of_g) / len(batches) if"),
            noise_for_full_batches=("of_d.append(d_step(x, labels, draw(len(x))))",
                                    "of_d.append(d_step(x, labels, draw(len(batches[0][0]) + 1)))"),
            a_last_step_of_G_at_the_end=("    return {",
                                         "    of_g.append(g_step(draw(len(x)), labels))\n    return {")),
    Mistake("G before D", {"solve_schedule": G_FIRST}, {"schedule"}),
    Mistake("all steps of D, then all of G", {"solve_schedule": ALL_D_THEN_G}, {"schedule"}),
)  # fmt: skip

ASSIGNMENT = Assignment(4, "gan_step", "A step of a GAN", CONSTANTS, KINDS, QUESTIONS, MISTAKES)
