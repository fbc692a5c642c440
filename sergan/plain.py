"""The reference: the paper's training loop in PyTorch, as one would write it from the paper alone.

    python -m sergan.plain

trains AM, AGM, BAM and BAGM one after the other on random sequences and prints the last losses. It imports
nothing but torch. Sequences are padded to 512 frames, and padding is read like any other frame (the paper
mentions no mask). Data lie in [-1, 1], so the generator ends in tanh. One generated batch serves both the
discriminator's step and the generator's, as is usual in PyTorch.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    """The paper's eqs. 2-4: a weighted mean over time."""

    def __init__(self, size, hidden=512):
        super().__init__()
        self.project = nn.Linear(size, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, h):  # (batch, time, size)
        alpha = self.score(torch.tanh(self.project(h))).softmax(dim=1)  # (batch, time, 1)
        return (alpha * h).sum(dim=1)  # (batch, size)


class Discriminator(nn.Module):
    def __init__(self, blstm=True, features=32, lstm=256):
        super().__init__()
        self.blstm = nn.LSTM(features, lstm, bidirectional=True, batch_first=True) if blstm else None
        context = 2 * lstm if blstm else features
        self.attention = Attention(context)
        self.head = nn.Sequential(nn.Linear(context, 512), nn.LeakyReLU(0.2), nn.Linear(512, 4))

    def forward(self, x):  # (batch, time, features)
        h = x if self.blstm is None else self.blstm(x)[0]  # (batch, time, context)
        return self.head(self.attention(h))  # (batch, 4)


class Generator(nn.Module):
    def __init__(self, frames=512, features=32, latent=100):
        super().__init__()
        layers, before = [], latent
        for width in (256, 512, 1024):
            layers += [nn.Linear(before, width), nn.LeakyReLU(0.2), nn.BatchNorm1d(width, momentum=0.2)]
            before = width
        self.layers = nn.Sequential(*layers, nn.Linear(before, frames * features), nn.Tanh())
        self.frames, self.features, self.latent = frames, features, latent

    def forward(self, z):  # (batch, latent)
        return self.layers(z).view(-1, self.frames, self.features)


class Run:
    """One ablation: its networks and their optimisers."""

    def __init__(self, ablation, frames=512, lstm=256, lr=1e-4):
        self.discriminator = Discriminator(blstm=ablation.startswith("B"), lstm=lstm)
        self.discriminator_adam = torch.optim.Adam(self.discriminator.parameters(), lr=lr)
        self.generator = None
        if "G" in ablation:
            self.generator = Generator(frames)
            self.generator_adam = torch.optim.Adam(self.generator.parameters(), lr=lr)

    def step(self, x, labels):
        """The steps for one batch: real, generated, then the generator's. Returns the real loss."""
        real_loss = F.cross_entropy(self.discriminator(x), labels)
        self.discriminator_adam.zero_grad()
        real_loss.backward()
        self.discriminator_adam.step()
        if self.generator is None:
            return real_loss.item()

        fake = self.generator(torch.randn(len(x), self.generator.latent))
        fake_loss = self.discriminator(fake.detach()).logsumexp(dim=1).mean()  # label [0, 0, 0, 0]
        self.discriminator_adam.zero_grad()
        fake_loss.backward()
        self.discriminator_adam.step()

        self.discriminator.requires_grad_(False)
        generator_loss = F.cross_entropy(self.discriminator(fake), labels)
        self.generator_adam.zero_grad()
        generator_loss.backward()
        self.generator_adam.step()
        self.discriminator.requires_grad_(True)
        return real_loss.item()


def train(ablation, x, labels, epochs=400, batch=1024):
    """All epochs of one run; returns the last loss."""
    run = Run(ablation, frames=x.shape[1])
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            loss = run.step(x[rows], labels[rows])
    return loss


if __name__ == "__main__":
    x, labels = torch.rand(64, 512, 32) * 2 - 1, torch.randint(4, (64,))
    for ablation in ("AM", "AGM", "BAM", "BAGM"):
        print(ablation, train(ablation, x, labels, epochs=2, batch=32))
