"""One loop for all ablations, controls and readings.

Order of steps as in the paper's section 3.4: the discriminator on a real batch; the discriminator on a
generated batch, whose label is negative (two steps of *one* Adam, as a compiled Keras model takes them);
then the generator, through the frozen discriminator, against the real batch's labels, with an Adam of
its own.
"""

from __future__ import annotations

import hashlib
import math
import time
from contextlib import contextmanager
from pathlib import Path

import torch

from sergan import SerganError, evaluation
from sergan.config import Config
from sergan.data import Sequences
from sergan.files import replacing
from sergan.models import Discriminator, Generator, valid_frames
from sergan.objectives import Objective

CONTROLS = ("none", "placebo", "sqrt2")
"""What an ablation without a GAN can do besides: a step on zero gradients after each real step
(`placebo`), or a learning rate times the square root of 2 (`sqrt2`)."""


def stream(seed: int, name: str) -> int:
    """The seed of one of a run's independent random streams: split, discriminator, generator, order, noise.

    A generator draws from streams of its own, so its presence changes nothing else.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4])


@contextmanager
def random_state(seed: int):
    """Draw from `seed` inside, and leave the caller's random state as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def frozen(network: torch.nn.Module):
    """Inside, gradients pass *through* the network but not into its weights. (Detaching would stop both.)"""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


@torch.no_grad()
def predict(discriminator: Discriminator, data: Sequences, batch: int = 512) -> torch.Tensor:
    """Logits `(n, 4)`, on the CPU. Utterances of like length go together, so that little padding is read."""
    discriminator.eval()
    logits = torch.empty(len(data.labels), 4)
    for rows in data.lengths.argsort(stable=True).split(batch):
        some = data.pick(rows, trim=discriminator.attention.masked)
        logits[rows.cpu()] = discriminator(some.x, some.lengths).float().cpu()
    discriminator.train()
    return logits


class Training:
    """A run in progress: networks, optimisers, random streams and the curve so far.

    Args:
        ablation: `"AM"`, `"AGM"`, `"BAM"` or `"BAGM"`.
        objective: a reading; without a GAN only its real loss is used.
        control: see `CONTROLS`; for ablations without a GAN.
        seed: see `stream`. On a CPU the same seed and threads give the same weights.
    """

    def __init__(self, config: Config, ablation: str, objective: Objective, *,
                 control: str = "none", seed: int = 0, device: str | torch.device = "cpu"):  # fmt: skip
        self.config, self.objective, self.control = config, objective, control
        c, self.device = config, torch.device(device)
        if c.precision == "fp16" and self.device.type == "cpu":
            raise SerganError("precision=fp16 needs a GPU; use --set precision=fp32, or bf16")
        with random_state(stream(seed, "discriminator")):
            self.discriminator = Discriminator(
                ablation.startswith("B"), lstm=c.lstm, attention=c.attention, dense=c.dense,
                masked=c.masked, gates=c.gates, init=c.init,
            ).to(self.device)  # fmt: skip
        lr = c.lr * (math.sqrt(2) if control == "sqrt2" else 1)
        self.discriminator_adam = self.adam(self.discriminator, lr)
        self.generator = self.generator_adam = None
        if "G" in ablation:
            with random_state(stream(seed, "generator")):
                self.generator = Generator(
                    frames=c.frames, latent=c.latent, sizes=c.generator, output=c.output, init=c.init
                ).to(self.device)
            self.generator_adam = self.adam(self.generator, c.lr)
        self.order = torch.Generator().manual_seed(stream(seed, "order"))
        self.noise = torch.Generator().manual_seed(stream(seed, "noise"))
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=c.precision == "fp16")
        self.curve, self.steps, self.time_s = [], 0, 0.0

    def adam(self, network, lr):
        c, weights = self.config, [weight for weight in network.parameters() if weight.requires_grad]
        return torch.optim.Adam(weights, lr=lr, betas=(c.beta_1, c.beta_2), eps=c.epsilon)

    def step(self, adam: torch.optim.Adam, loss: torch.Tensor | None = None):
        """One step; without a loss, one on gradients of zero, which Adam's momentum turns into movement.

        (Gradients that are None would make Adam skip its weights: these are tensors of zeros.)
        """
        adam.zero_grad(set_to_none=False)
        if loss is not None:
            self.scaler.scale(loss).backward()
        self.scaler.step(adam)
        self.scaler.update()

    def answer(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """D(x), in the run's precision; logits in fp32."""
        dtype = torch.float16 if self.config.precision == "fp16" else torch.bfloat16
        with torch.autocast(self.device.type, dtype, enabled=self.config.precision != "fp32"):
            return self.discriminator(x, lengths).float()

    def generate(self, lengths: torch.Tensor, time: int) -> tuple[torch.Tensor, torch.Tensor]:
        """G(z) for Gaussian z, and its lengths: those of the real batch, shuffled, or all full."""
        z = torch.randn(len(lengths), self.config.latent, generator=self.noise).to(self.device)
        shuffled = lengths[torch.randperm(len(lengths), generator=self.noise).to(self.device)]
        if self.config.fake_lengths == "full":
            shuffled, time = torch.full_like(lengths, self.config.frames), self.config.frames
        x = self.generator(z)[:, :time]
        return x * valid_frames(shuffled, time).unsqueeze(-1), shuffled

    def learn(self, real: Sequences) -> dict[str, torch.Tensor]:
        """The steps for one batch; returns their losses."""
        loss = self.objective.real(self.answer(real.x, real.lengths), real.labels)
        self.step(self.discriminator_adam, loss)
        losses = {"loss_real": loss.detach()}
        if self.control == "placebo":
            self.step(self.discriminator_adam)
        if self.generator is None:
            return losses

        self.generator.train(self.config.fake_norm == "batch")
        with torch.no_grad():
            fake, lengths = self.generate(real.lengths, real.x.shape[1])
        self.generator.train()
        loss = self.objective.fake(self.answer(fake, lengths))
        self.step(self.discriminator_adam, loss)
        losses["loss_fake"] = loss.detach()

        with frozen(self.discriminator):
            loss = self.objective.real(
                self.answer(*self.generate(real.lengths, real.x.shape[1])), real.labels
            )
            self.step(self.generator_adam, loss)
        losses["loss_generator"] = loss.detach()
        return losses

    def epoch(self, train: Sequences) -> dict[str, float]:
        """One epoch in random order; returns mean losses."""
        batches = torch.randperm(len(train.labels), generator=self.order).split(self.config.batch)
        if self.config.epoch == "batch":
            batches = batches[:1]
        losses = [self.learn(train.pick(rows.to(self.device), trim=self.config.masked)) for rows in batches]
        self.steps += len(batches)
        return {name: torch.stack([loss[name] for loss in losses]).mean().item() for name in losses[0]}

    def run(self, train: Sequences, validation: Sequences, test: Sequences, *,
            checkpoint: Path | None = None, every_s: float = 20, progress=None) -> torch.Tensor:  # fmt: skip
        """Train to the last epoch and return the test logits `(n, 4)`.

        With `checkpoint`, go on from that file if it is there, and write it every `every_s` seconds: a run
        killed at any moment and resumed ends, on a CPU, with the same weights. `progress(epoch, curve
        entry)` is called after each epoch.
        """
        train, validation, test = (part.to(self.device) for part in (train, validation, test))
        if checkpoint is not None and checkpoint.exists():
            self.load(checkpoint)
        logits, saved = None, time.monotonic()
        start = saved - self.time_s
        while len(self.curve) < self.config.epochs:
            entry = self.epoch(train)
            for name, part in (("validation_", validation), ("", test)):
                if len(part.labels):
                    logits = predict(self.discriminator, part)
                    labels, answers = part.labels.cpu(), logits.argmax(dim=1)
                    entry[name + "wa"] = evaluation.weighted_accuracy(labels, answers)
                    entry[name + "ua"] = evaluation.unweighted_accuracy(labels, answers)
            self.curve.append(entry)
            self.time_s = time.monotonic() - start
            if progress is not None:
                progress(len(self.curve), entry)
            if checkpoint is not None and time.monotonic() - saved >= every_s:
                self.save(checkpoint)
                saved = time.monotonic()
        return predict(self.discriminator, test) if logits is None else logits

    def parts(self) -> dict:
        """What has a state: networks and optimisers."""
        names = ("discriminator", "discriminator_adam", "generator", "generator_adam", "scaler")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def save(self, path: Path):
        """Write the whole state, under its final name only when it is complete."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state |= {"order": self.order.get_state(), "noise": self.noise.get_state()}
        state |= {"curve": self.curve, "steps": self.steps, "time_s": self.time_s}
        with replacing(path) as out:
            torch.save(state, out)

    def load(self, path: Path):
        """Go on where `save` was called. No code in the file is run."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            for name, part in self.parts().items():
                part.load_state_dict(state[name])
            self.order.set_state(state["order"].cpu())
            self.noise.set_state(state["noise"].cpu())
            self.curve, self.steps, self.time_s = state["curve"], state["steps"], state["time_s"]
        except Exception as error:  # torch.load raises many kinds for a damaged file
            raise SerganError(
                f"checkpoint {path} is damaged; delete it, and its run starts afresh"
            ) from error
