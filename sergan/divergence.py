"""Training that has left the numbers: stopped at the end of the epoch, with the step and its likely cause.

Nothing that is not finite reaches a checkpoint or a record: the file of the last sound epoch stays as it is.
"""

from __future__ import annotations

import torch

from sergan import SerganError

LOSSES = {
    "loss_real": "the loss of real speech",
    "loss_fake": "the loss of negatives",
    "loss_generator": "the generator's loss",
}


class Diverged(SerganError):
    """A loss or a weight that is no finite number: one sentence, naming the step, its likely cause and a remedy."""


def means(training, steps: list[dict[str, torch.Tensor]]) -> dict[str, float]:
    """Mean of each loss over the steps of an epoch, which `training` has just taken.

    Raises Diverged where a loss was not finite (in fp16, whose scaler skips such steps: none of them was), or
    where a weight is not.
    """
    losses = {name: torch.stack([step[name] for step in steps]) for name in steps[0]}
    wrong = {name: ~losses[name].isfinite().cpu() for name in LOSSES if name in losses}
    skipped = training.precision == "fp16" and not all(flags.all() for flags in wrong.values())
    name = min((n for n in wrong if wrong[n].any()), key=lambda n: wrong[n].int().argmax(), default=None)
    if name is not None and not skipped:
        first = int(wrong[name].int().argmax())
        raise Diverged(f"{LOSSES[name]} is {losses[name][first].item()} in step "
                       f"{training.steps - len(steps) + first + 1}: {cause(training, name, first)}")  # fmt: skip
    networks = (network for network in (training.discriminator, training.generator) if network is not None)
    if not all(weight.isfinite().all() for network in networks for weight in network.parameters()):
        raise Diverged(f"a weight is not finite after step {training.steps}: {cause(training, name, 1)}")
    return {name: values.mean().item() for name, values in losses.items()}


def cause(training, name: str | None, first: int) -> str:
    """What is likely to have made a loss leave the numbers, and what to do."""
    rate = f"try a lower rate, such as --set lr={training.config.lr / 10:g}"
    if training.steps and name == "loss_real" and not training.curve and first == 0:
        return "it was the first, so the features hold NaN or infinite numbers; extract them again"
    if training.precision == "fp16":
        return "fp16 holds no number above 65,504; try --set precision=fp32"
    if training.negative and training.objective.name == "fused":
        return f"the reading fused has no lower bound and can run away; {rate}, or --objective uniform"
    return f"the steps are too large; {rate}"
