r"""What is usually done for an emotion with few utterances: weights, the focal loss, balanced batches.

The paper reports a gain for happy, IEMOCAP's smallest class; these are the plain ways to one. Powers of 1
treat all classes alike, 0 changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from sergan import EMOTIONS, SerganError


def weights_of(labels: torch.Tensor, power: float) -> torch.Tensor:
    r"""A weight for each class: \((n / (K n_k))^\text{power}\), with n labels, of them \(n_k\) of class k, K = 4.

    At power 1 scikit-learn's `"balanced"` weights. A class that does not occur has the weight 0.

    Example:
        >>> weights_of(torch.tensor([0, 0, 0, 1, 2, 3]), power=1).tolist()
        [0.5, 1.5, 1.5, 1.5]
    """
    counts = labels.bincount(minlength=len(EMOTIONS)).float()
    return torch.where(counts > 0, (counts.sum() / (len(EMOTIONS) * counts.clamp(min=1))) ** power, 0)


def weighted(weights: torch.Tensor | None = None, gamma: float = 0) -> Callable:
    r"""Cross-entropy with class weights and focal exponent: mean of \(-w_y (1 - p_y)^\gamma \log p_y\).

    The focal loss (Lin et al., 2017) makes light of utterances that are already right. The mean is over the
    utterances of a batch, not over their weights, so that parts of a batch add up.
    """

    def loss(logits, labels):
        if labels.is_floating_point():
            raise SerganError(
                "class_weights and focal are for labels that are classes, and an augmentation made mixtures"
            )
        loss = F.cross_entropy(logits, labels, reduction="none")  # -log p_y
        if gamma:
            loss = (-torch.expm1(-loss)) ** gamma * loss
        if weights is not None:
            loss = weights.to(loss.device)[labels] * loss
        return loss.mean()

    return loss


def order(labels: torch.Tensor, power: float, random: torch.Generator) -> torch.Tensor:
    """Row numbers of one epoch: each once in random order, or with `power`, drawn with replacement."""
    if not power:
        return torch.randperm(len(labels), generator=random)
    chances = weights_of(labels.cpu(), power)[labels.cpu()]
    return torch.multinomial(chances, len(labels), replacement=True, generator=random)
