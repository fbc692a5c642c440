"""What calls a student's object in the student's process where a plain call is not enough.

Arguments are numbers and arrays; networks and the like are made here from them. What is returned is compared in
another process. NumPy, torch and `sergan` may be used, nothing of `sergan.coursework`.
"""

from __future__ import annotations


def tensors(function, *arrays):
    """Call with arrays as tensors of their own kind."""
    import numpy as np
    import torch

    return function(*(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays))


def kept(function, *arguments):
    """The value of a call, and the arguments as they are after it: a function should leave them alone."""
    value = function(*arguments)
    return [value, list(arguments)]


def slope_of(function, A, b, z):
    """A student's numerical gradient of sum b sin(A z) + (z . z)² / 8 at z, and z as it is afterwards."""
    import numpy as np

    def f(z):
        z = np.asarray(z, dtype=float)
        if z.shape != shape:
            raise ValueError(f"the function is asked about an array of shape {z.shape}, not {shape}")
        return float(b @ np.sin(A @ z.ravel()) + (z.ravel() @ z.ravel()) ** 2 / 8)

    shape = z.shape
    return kept(lambda z: function(f, z), z)


def loss_and_gradient(function, logits):
    """A loss of logits `(n, K)`, and its gradient."""
    import torch

    logits = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    loss = function(logits)
    loss.backward()
    return {"loss": float(loss.detach()), "gradient": logits.grad.numpy()}


def networks(weights, fixed=(), mode="train"):
    """Two small networks, D and G, from arrays; weights of D with the numbers `fixed` do not learn."""
    import torch
    from torch import nn

    tensors = [torch.tensor(w, dtype=torch.float64) for w in weights]

    def dense(weight, bias):
        layer = nn.Linear(*weight.shape[::-1]).double()
        layer.load_state_dict({"weight": weight, "bias": bias})
        return layer

    discriminator = nn.Sequential(dense(*tensors[:2]), nn.LeakyReLU(0.2), dense(*tensors[2:4]))
    normalise = nn.BatchNorm1d(len(tensors[5]), eps=1e-3, momentum=0.2).double()
    generator = nn.Sequential(
        dense(*tensors[4:6]), nn.LeakyReLU(0.2), normalise, dense(*tensors[6:8]), nn.Tanh()
    )
    for number, weight in enumerate(discriminator.parameters()):
        weight.requires_grad_(number not in fixed)
    return discriminator, generator.train(mode == "train")


def optimiser(network, kind):
    """An optimiser of what learns in a network."""
    import torch

    learned = [w for w in network.parameters() if w.requires_grad]
    return (
        torch.optim.Adam(learned, lr=0.05)
        if kind == "adam"
        else torch.optim.SGD(learned, lr=0.3, momentum=0.5)
    )


def state(network):
    """Weights, gradients, flags, modes and running values of a network, as data."""
    return {
        "values": [value.detach().double().numpy().copy() for value in network.state_dict().values()],
        "gradients": [None if w.grad is None else w.grad.numpy().copy() for w in network.parameters()],
        "learn": [bool(w.requires_grad) for w in network.parameters()],
        "modes": [bool(part.training) for part in network.modules()],
    }


def stale(network, size):
    """Leave old gradients in a network, as an earlier step may."""
    import torch

    for number, weight in enumerate(network.parameters()):
        if size and weight.requires_grad:
            weight.grad = torch.full_like(weight, size * (-1) ** number)


NEGATIVE = {
    "fused": lambda logits: logits.logsumexp(dim=1).mean(),
    "uniform": lambda logits: (logits.logsumexp(dim=1) - logits.mean(dim=1)).mean(),
}


def d_step(function, case):
    """The student's step of D, on negatives that still have a history; what it returns and leaves behind."""
    import torch

    discriminator, generator = networks(case["weights"])
    stale(discriminator, case["stale"])
    stale(generator, case["stale"])
    x, z = (torch.tensor(case[name], dtype=torch.float64) for name in ("x", "z"))
    labels, negatives = torch.tensor(case["labels"]), generator(z)
    found = function(discriminator, optimiser(discriminator, case["optimiser"]), x, labels, negatives,
                     NEGATIVE[case["reading"]])  # fmt: skip
    left = state(discriminator)
    del left["gradients"]
    return {"losses": [float(value) for value in found], "D": left, "G": state(generator)}


def g_step(function, case):
    """The student's step of G; what it returns and leaves behind."""
    import torch

    discriminator, generator = networks(case["weights"], case["fixed"])
    stale(discriminator, case["stale"])
    stale(generator, case["stale"])
    labels = torch.tensor(case["labels"])
    z = torch.tensor(case["z"], dtype=torch.float64)[: len(labels)]
    found = function(discriminator, generator, optimiser(generator, case["optimiser"]), z, labels)
    left = state(generator)
    del left["gradients"]
    return {"loss": float(found), "D": state(discriminator), "G": left}


def freezing(function, case):
    """The student's context manager: what holds inside, afterwards, and after an error inside."""
    import torch

    discriminator, _ = networks(case["weights"], case["fixed"], case["mode"])
    stale(discriminator, case["stale"])
    x = torch.tensor(case["x"], dtype=torch.float64, requires_grad=True)
    with function(discriminator):
        inside = state(discriminator)
        discriminator(x).square().sum().backward()
    after, passed = state(discriminator), False
    try:
        with function(discriminator):
            raise KeyError("an error inside")
    except KeyError:
        passed = True
    return {
        "inside": inside,
        "gradient": x.grad.numpy(),
        "after": after,
        "error": state(discriminator),
        "passed": passed,
    }


def negatives(function, case):
    """The student's way to make negatives: the samples, whether they have a history, and G afterwards."""
    import torch

    _, generator = networks(case["weights"], mode=case["mode"])
    for number, z in enumerate(case["earlier"]):  # so that running values are not those of a fresh layer
        generator.train()(torch.tensor(z, dtype=torch.float64) + number)
    generator.train(case["mode"] == "train")
    made = function(generator, torch.tensor(case["z"], dtype=torch.float64))
    return {"samples": made.detach().numpy(), "history": bool(made.requires_grad), "G": state(generator)}


def schedule(function, sizes, d_losses, g_losses):
    """The student's loop with steps that only write down what they are given."""
    log, drawn = [], []
    batches = [([float(k)] * n, [k] * n) for k, n in enumerate(sizes)]

    def draw(count):
        drawn.append(count)
        return [len(drawn)] * count

    def on_d(x, labels, z):
        log.append(["D", x[0], labels[0], z[0], len(x), len(labels), len(z)])
        return d_losses[sum(entry[0] == "D" for entry in log) - 1]

    def on_g(z, labels):
        log.append(["G", z[0], labels[0], len(z), len(labels)])
        return g_losses[sum(entry[0] == "G" for entry in log) - 1]

    return {"losses": function(batches, draw, on_d, on_g), "steps": log}


def jacobian_of(function, A, B, z):
    """A student's numerical Jacobian of B sin(A z) + z[0]² at z, and z as it is afterwards."""
    import numpy as np

    def f(z):
        z = np.asarray(z, dtype=float)
        if z.shape != shape:
            raise ValueError(f"the function is asked about an array of shape {z.shape}, not {shape}")
        return B @ np.sin(A @ z) + z[0] ** 2

    shape = z.shape
    return kept(lambda z: function(f, z), z)
