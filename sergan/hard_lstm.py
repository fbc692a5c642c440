"""The LSTM of Keras before version 2.3, for readers who suspect that the paper used it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class HardLSTM(nn.LSTM):
    """An LSTM with Keras's gates before its version 2.3: clip(0.2 a + 0.5, 0, 1) for the sigmoid.

    A loop in Python, so many times slower than `nn.LSTM`; it is here because the paper does not name
    the version that it ran.
    """

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        def gate(a):
            return (0.2 * a + 0.5).clamp(0, 1)

        inputs = F.linear(x, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        h = c = x.new_zeros(len(x), self.hidden_size)
        outputs = []
        for frame in inputs.unbind(dim=1):
            i, f, g, o = (frame + h @ self.weight_hh_l0.T).chunk(4, dim=1)
            c = gate(f) * c + gate(i) * torch.tanh(g)
            h = gate(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), None
