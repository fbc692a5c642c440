r"""Ways to hold a recogniser back that need no negatives: penalties on real data alone.

A negative label pulls answers towards "undecided". If that is all it does, a penalty does it without a GAN.
"""

from __future__ import annotations

from collections.abc import Callable

from sergan.objectives import fused_fake, uniform_fake


def confidence(logits):
    r"""Minus the entropy of p, \(\sum_k p_k \log p_k\), mean over the batch (Pereyra et al., 2017)."""
    log_p = logits.log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1).mean()


def regularised(
    real: Callable, *, label_smoothing: float = 0, confidence_penalty: float = 0, logsumexp_penalty: float = 0
) -> Callable:
    r"""`real(logits, labels)` with penalties on the same logits.

    Args:
        label_smoothing: \(\varepsilon\): the label becomes \((1 - \varepsilon) y + \varepsilon / 4\). For
            cross-entropy that is the reading `uniform`'s loss of *real* data, weighted by \(\varepsilon\).
        confidence_penalty: weight of `confidence`.
        logsumexp_penalty: weight of logsumexp(z), the reading `fused`'s loss of *real* data.
    """
    penalties = [(label_smoothing, uniform_fake), (confidence_penalty, confidence),
                 (logsumexp_penalty, fused_fake)]  # fmt: skip
    used = [(weight, penalty) for weight, penalty in penalties if weight]

    def loss(logits, labels):
        return (1 - label_smoothing) * real(logits, labels) + sum(w * penalty(logits) for w, penalty in used)

    return loss if used else real
