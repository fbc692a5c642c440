"""The paper's networks: attention (its eqs. 2-4), the emotion recognition discriminator, the generator.

Whatever the paper leaves open is an argument here, with its reason. Shapes: `batch` utterances of
`time` frames of 32 features; `lengths` counts the frames of each utterance that are not padding.
"""

from __future__ import annotations

import torch
from torch import nn

from sergan.hard_lstm import HardLSTM

KERAS_BATCH_NORM = {"eps": 1e-3, "momentum": 0.2}
"""Keras's epsilon, and the paper's momentum 0.8 (section 3.2): PyTorch counts it from the other end."""


def valid_frames(lengths: torch.Tensor, time: int) -> torch.Tensor:
    """True where a frame is speech, False where it is padding: `(batch, time)`."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]


class AttentionPooling(nn.Module):
    r"""Attention over time, the paper's eqs. 2-4: a sequence becomes its weighted mean.

    .. math::
        f(h_t) = u^\top \tanh(W h_t + b), \qquad
        \alpha_t = \frac{\exp f(h_t)}{\sum_k \exp f(h_k)}, \qquad v = \sum_t \alpha_t h_t

    Args:
        size: width of `h_t`.
        attention: width of the hidden layer, rows of W. Not stated in the paper; 512 is the width of
            its context vector.
        masked: whether padding is left out of the sum over k. The paper mentions no mask.

    Example:
        >>> pool = AttentionPooling(2)
        >>> v, alpha = pool(torch.ones(3, 5, 2), torch.tensor([5, 1, 2]))
        >>> v.shape, alpha.shape, alpha[1].tolist()
        (torch.Size([3, 2]), torch.Size([3, 5]), [1.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, size: int, attention: int = 512, *, masked: bool = True):
        super().__init__()
        self.project = nn.Linear(size, attention)  # W, b
        self.score = nn.Linear(attention, 1, bias=False)  # u
        self.masked = masked

    def forward(self, h: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map `h` `(batch, time, size)` to `v` `(batch, size)` and `alpha` `(batch, time)`."""
        score = self.score(torch.tanh(self.project(h))).squeeze(-1)  # (batch, time)
        if self.masked:
            score = score.masked_fill(~valid_frames(lengths, h.shape[1]), -torch.inf)
        alpha = score.softmax(dim=1)
        return (alpha.unsqueeze(1) @ h).squeeze(1), alpha


class BLSTM(nn.Module):
    """Two LSTMs, one reading each utterance forwards, one backwards; neither reads padding.

    The second reads each utterance reversed *within its own length*, so that padding stays at the end
    for both. This equals packed sequences at the speed of padded ones. With `masked=False` the second
    one starts in the padding, as a plain padded layer does.
    """

    def __init__(self, size: int, hidden: int, *, masked: bool = True, gates: str = "sigmoid"):
        super().__init__()
        layer = {"sigmoid": nn.LSTM, "hard": HardLSTM}[gates]
        self.forwards = layer(size, hidden, batch_first=True)
        self.backwards = layer(size, hidden, batch_first=True)
        self.masked = masked

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Map `(batch, time, size)` to `(batch, time, 2 * hidden)`."""
        t = torch.arange(x.shape[1], device=x.device)
        last = lengths[:, None] - 1 if self.masked else t[-1]
        turned = torch.where(t <= last, last - t, t).expand(len(x), -1)  # its own inverse
        h_forwards = self.forwards(x)[0]
        h_backwards = self.backwards(reorder(x, turned))[0]
        return torch.cat([h_forwards, reorder(h_backwards, turned)], dim=2)


def reorder(x: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Frames of each utterance of `x` `(batch, time, size)` in its own `order` `(batch, time)`."""
    return x.gather(1, order.unsqueeze(-1).expand(-1, -1, x.shape[2]))


class Discriminator(nn.Module):
    """The emotion recognition discriminator (section 3.3, Fig. 2): speech in, four logits out.

    BLSTM, attention, Dense, LeakyReLU, Dense. The softmax is part of the objective, because the form of
    the loss decides what a negative label does. Without the BLSTM it is the discriminator of AM and AGM:
    attention over the 32-wide frames themselves.

    Args:
        blstm: the B of BAM and BAGM.
        lstm: units of each direction. 256 is inferred from the 512-wide context vector.
        attention: width of attention's hidden layer, see `AttentionPooling`.
        dense: 512 (section 3.3).
        masked: whether padding stays out of BLSTM and attention.
        gates: `"sigmoid"`, or `"hard"` as in Keras before 2.3.
        init: `"keras"` (Glorot, orthogonal, forget bias 1, one bias per gate) or `"torch"`.

    Example:
        >>> discriminator = Discriminator(lstm=8, attention=8, dense=8)
        >>> discriminator(torch.zeros(2, 50, 32), torch.tensor([50, 20])).shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        blstm: bool = True,
        *,
        features: int = 32,
        lstm: int = 256,
        attention: int = 512,
        dense: int = 512,
        masked: bool = True,
        gates: str = "sigmoid",
        init: str = "keras",
    ):
        super().__init__()
        self.blstm = BLSTM(features, lstm, masked=masked, gates=gates) if blstm else None
        context = 2 * lstm if blstm else features
        self.attention = AttentionPooling(context, attention, masked=masked)
        self.head = nn.Sequential(nn.Linear(context, dense), nn.LeakyReLU(0.2), nn.Linear(dense, 4))
        initialise(self, init)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None, *, attention: bool = False):
        """Map `x` `(batch, time, 32)` to logits `(batch, 4)`, in the order of `sergan.EMOTIONS`.

        Args:
            lengths: frames that are not padding, `(batch,)`; all of them by default.
            attention: return the weights `(batch, time)` too.
        """
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1], device=x.device)
        h = x if self.blstm is None else self.blstm(x, lengths)  # (batch, time, 512)
        v, alpha = self.attention(h, lengths)  # (batch, 512)
        logits = self.head(v)  # (batch, 4)
        return (logits, alpha) if attention else logits


class Generator(nn.Module):
    """The emotion signal generator (section 3.2): a latent vector becomes a feature sequence.

    Dense + LeakyReLU(0.2) + batch normalisation, four times; the last Dense has `frames * features`
    units, reshaped to a sequence.

    Args:
        frames: time steps of a generated sequence.
        latent: size of z (100 in the paper).
        sizes: the first three Dense layers (256, 512, 1024 in the paper).
        output: what follows the last Dense. `"tanh"` as in the public Keras example whose sizes the paper
            has, for data in [-1, 1]; `"linear"` for standardised data; `"literal"`, LeakyReLU and batch
            normalisation there too, which is what the paper says when read word by word.
        init: as for `Discriminator`.

    Example:
        >>> Generator(frames=20)(torch.randn(3, 100)).shape
        torch.Size([3, 20, 32])
    """

    def __init__(
        self,
        *,
        frames: int = 512,
        features: int = 32,
        latent: int = 100,
        sizes: tuple[int, ...] = (256, 512, 1024),
        output: str = "tanh",
        init: str = "keras",
    ):
        super().__init__()

        def activated(width):
            return [nn.LeakyReLU(0.2), nn.BatchNorm1d(width, **KERAS_BATCH_NORM)]

        layers, before, last = [], latent, frames * features
        for width in sizes:
            layers += [nn.Linear(before, width), *activated(width)]
            before = width
        ending = {"tanh": [nn.Tanh()], "linear": [], "literal": activated(last)}[output]
        self.layers = nn.Sequential(*layers, nn.Linear(before, last), *ending)
        self.shape = (frames, features)
        self.latent = latent
        initialise(self, init)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Map z `(batch, latent)` to `(batch, frames, features)`."""
        return self.layers(z).unflatten(1, self.shape)


def initialise(network: nn.Module, init: str) -> None:
    """Set fresh weights as Keras does, or leave PyTorch's.

    Keras: Glorot-uniform kernels, an orthogonal recurrent kernel, biases 0 but 1 at the forget gate.
    PyTorch's LSTM has two biases a gate where Keras has one; the second is fixed at 0, since Adam would
    otherwise move their sum twice as far.
    """
    if {"keras": False, "torch": True}[init]:
        return
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            nn.init.xavier_uniform_(module.weight_ih_l0)
            nn.init.orthogonal_(module.weight_hh_l0)
            nn.init.zeros_(module.bias_ih_l0)
            nn.init.ones_(module.bias_ih_l0[module.hidden_size : 2 * module.hidden_size])
            nn.init.zeros_(module.bias_hh_l0).requires_grad_(False)
