r"""Six readings of "cross-entropy with the label [0, 0, 0, 0]".

Cross-entropy of logits z and label y has two textbook forms, with p = softmax(z):

.. math::
    L_\text{prob} = -\sum_k y_k \log p_k, \qquad
    L_\text{logit} = \log\sum_k e^{z_k} - \sum_k y_k z_k

They are equal only where the label sums to one. For the paper's negative label the first is 0 with
gradient 0, the second is logsumexp(z) with gradient p. So the paper's words allow several methods.
Each reading here is a pair of losses, one for real and one for generated (fake) sequences:

    reading.real(logits, labels)     scalar; logits (batch, 4), labels (batch,) class indices
    reading.fake(logits)             scalar; the label is [0, 0, 0, 0]
    reading.probabilities(logits)    (batch, 4), what the reading takes for the output probabilities

Losses are means over the batch and finite for every finite logit. The generator's loss is `real` of
D(G(z)) against real labels (section 3.4). There is no default reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Objective:
    """One reading: its losses, and the name of its real loss, which a fair no-GAN run shares."""

    name: str
    real: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    fake: Callable[[torch.Tensor], torch.Tensor]
    probabilities: Callable[[torch.Tensor], torch.Tensor]
    real_name: str
    silent: bool = False
    """Whether the fake loss and its gradient are 0 whatever the logits."""


def softmax(logits):
    return logits.softmax(dim=1)


def cross_entropy(logits, labels):
    """logsumexp(z) - z_y; gradient p - y."""
    return F.cross_entropy(logits, labels)


def zero_fake(logits):
    """0 for every z; gradient 0, and a true zero where 0 * z would be NaN."""
    return logits.masked_fill(torch.ones_like(logits, dtype=torch.bool), 0.0).mean()


def fused_fake(logits):
    """logsumexp(z), without a lower bound; gradient p."""
    return logits.logsumexp(dim=1).mean()


def uniform_fake(logits):
    """logsumexp(z) - mean(z), least at equal logits; gradient p - 1/4."""
    return (logits.logsumexp(dim=1) - logits.mean(dim=1)).mean()


def log_not(logits):
    """log(1 - p_k) for each k, `(batch, 4)`, as logsumexp of the other logits: finite where 1 - p_k is 0."""
    own = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
    others = logits.unsqueeze(1).masked_fill(own, -torch.inf)  # (batch, k, j), without j = k
    return others.logsumexp(dim=2) - logits.logsumexp(dim=1, keepdim=True)


def softmax_bce_real(logits, labels):
    """mean_k BCE(p_k, y_k): minus log p_y and log(1 - p_k) of the others, over 4."""
    y = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return -(y * logits.log_softmax(dim=1) + (1 - y) * log_not(logits)).mean()


def softmax_bce_fake(logits):
    r"""-mean_k log(1 - p_k), least at equal logits.

    Gradient, with r_j = p_j / (1 - p_j): \((r_k - p_k \sum_j r_j) / 4\).
    """
    return -log_not(logits).mean()


def sigmoid_bce_real(logits, labels):
    """mean_k BCE(sigmoid(z_k), y_k); gradient (sigmoid(z) - y) / 4."""
    y = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, y)


def sigmoid_bce_fake(logits):
    """mean_k softplus(z_k), the one reading that says "none of them"; gradient sigmoid(z) / 4."""
    return F.softplus(logits).mean()


def with_fifth(logits):
    """The logits and a fifth, fixed at 0: the class of the generated."""
    return F.pad(logits, (0, 1))


def k_plus_one_real(logits, labels):
    """log(1 + Z) - z_y with Z = sum exp z; gradient q - y with q = exp(z) / (1 + Z)."""
    return F.cross_entropy(with_fifth(logits), labels)


def k_plus_one_fake(logits):
    """log(1 + Z), `fused` with a lower bound; gradient q = p Z / (1 + Z)."""
    return with_fifth(logits).logsumexp(dim=1).mean()


def k_plus_one_probabilities(logits):
    return with_fifth(logits).softmax(dim=1)[:, :-1]


zero = Objective("zero", cross_entropy, zero_fake, softmax, "cross_entropy", silent=True)
"""The paper's words: cross-entropy of label and output probability. Generated data teach nothing."""

fused = Objective("fused", cross_entropy, fused_fake, softmax, "cross_entropy")
"""The logit form, as tf.keras 1.14 to 2 and Keras 3 on TensorFlow compute its gradient."""

uniform = Objective("uniform", cross_entropy, uniform_fake, softmax, "cross_entropy")
"""Label smoothing for outliers: the negative label read as [1/4, 1/4, 1/4, 1/4]."""

softmax_bce = Objective("softmax_bce", softmax_bce_real, softmax_bce_fake, softmax, "softmax_bce")
"""Binary cross-entropy left in place over a softmax (Keras 3 on TensorFlow computes `sigmoid_bce` instead)."""

sigmoid_bce = Objective("sigmoid_bce", sigmoid_bce_real, sigmoid_bce_fake, torch.sigmoid, "sigmoid_bce")
"""Four yes-or-no questions, so that [0, 0, 0, 0] says literally "none of them"."""

k_plus_one = Objective("k_plus_one", k_plus_one_real, k_plus_one_fake, k_plus_one_probabilities, "k_plus_one")
"""A fifth class for the generated, its logit fixed at 0 (Salimans et al., 2016)."""

OBJECTIVES = {o.name: o for o in (zero, fused, uniform, softmax_bce, sigmoid_bce, k_plus_one)}
"""The six readings by name."""

REAL_LOSSES = {o.real_name: o for o in reversed(OBJECTIVES.values())}
"""For each real loss, the reading to take it from: what a run without a GAN names as its objective."""
