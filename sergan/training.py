"""One loop for all ablations, controls and readings.

Order of steps as in the paper's section 3.4: the discriminator on a real batch; the discriminator on a
generated batch, whose label is negative (two steps of *one* Adam, as a compiled Keras model takes them);
then the generator, through the frozen discriminator, against the real batch's labels, with an Adam of
its own.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from pathlib import Path

import torch

from sergan import checkpoints, divergence, engine, evaluation, imbalance, negatives
from sergan.config import Config
from sergan.data import Sequences
from sergan.models import Discriminator, Generator, valid_frames
from sergan.objectives import Objective
from sergan.randomness import random_state, stream
from sergan.regularisers import regularised

STEP_CONTROLS = ("placebo", "sqrt2", "sqrt2_betas")
"""What a run without a GAN can do besides: a step on zero gradients after each real step (`placebo`), a
learning rate times the square root of 2 (`sqrt2`), that and squared betas (`sqrt2_betas`)."""

NEGATIVE_CONTROLS = ("untrained", "other", "shuffled")
"""What a run with negatives can have instead of a GAN's: those of a generator that never learns, real speech
of other emotions, or the real batch with its frames shuffled."""

CONTROLS = ("none", *STEP_CONTROLS, *NEGATIVE_CONTROLS)


@contextmanager
def frozen(network: torch.nn.Module):
    """Inside, gradients pass *through* the network but not into its weights. (Detaching its answer stops both.)"""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def size(network: torch.nn.Module) -> torch.Tensor:
    """The norm of all gradients together."""
    return torch.nn.utils.get_total_norm([w.grad for w in network.parameters() if w.grad is not None])


class Training:
    """A run in progress: networks, optimisers, random streams and the curve so far.

    Args:
        ablation: `"AM"`, `"AGM"`, `"BAM"` or `"BAGM"`.
        objective: a reading; without a GAN only its real loss is used.
        control: see `STEP_CONTROLS` (for AM and BAM) and `NEGATIVE_CONTROLS` (for AGM and BAGM).
        seed: see `stream`. On a CPU the same seed and threads give the same weights.
        microbatch: utterances that are computed at once; a step is the same for any number, up to rounding.
        others: real speech of other emotions, for the control `other`.
        weights: of the four classes in the real loss, see `imbalance.weights_of`.
        augment: makes of each real batch the one to learn from, see `sergan.augmentation`.
    """

    def __init__(self, config: Config, ablation: str, objective: Objective, *, control: str = "none",
                 seed: int = 0, device: str | torch.device = "cpu", microbatch: int | None = None,
                 others: Sequences | None = None, weights: torch.Tensor | None = None, augment=None):  # fmt: skip
        c, self.config, self.objective, self.control = config, config, objective, control
        self.seed, self.device = seed, torch.device(device)
        self.precision = engine.precision(c.precision, self.device)
        self.microbatch = microbatch or (32 if self.device.type == "cpu" else c.batch)
        self.others = None if others is None else others.to(self.device)
        engine.keep_memory()
        real = objective.real if weights is None and not c.focal else imbalance.weighted(weights, c.focal)
        self.real_loss = regularised(real, **{name: getattr(c, name) for name in c.PENALTIES})
        self.augment = augment or (lambda real, random: real)
        with random_state(stream(seed, "discriminator")):
            self.discriminator = Discriminator(
                ablation.startswith("B"), lstm=c.lstm, attention=c.attention, dense=c.dense,
                masked=c.masked, gates=c.gates, init=c.init,
            ).to(self.device)  # fmt: skip
        power = 2 if control == "sqrt2_betas" else 1
        lr = c.lr * (math.sqrt(2) if control.startswith("sqrt2") else 1)
        self.discriminator_adam = self.adam(self.discriminator, lr, c.beta_1**power, c.beta_2**power)
        self.generator = self.generator_adam = None
        if "G" in ablation and control in ("none", "untrained"):
            with random_state(stream(seed, "generator")):
                self.generator = Generator(
                    frames=c.frames, latent=c.latent, sizes=c.generator, output=c.output, init=c.init
                ).to(self.device)
            self.generator_adam = self.adam(self.generator, c.lr, c.beta_1, c.beta_2)
        self.negative = "G" in ablation
        self.order = torch.Generator().manual_seed(stream(seed, "order"))
        self.noise = torch.Generator().manual_seed(stream(seed, "noise"))
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == "fp16")
        self.curve, self.steps, self.time_s = [], 0, 0.0

    def adam(self, network, lr, *betas):
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        return torch.optim.Adam(weights, lr=lr, betas=betas, eps=self.config.epsilon, fused=True)

    def autocast(self):
        dtype = engine.DTYPES[self.precision]
        return torch.autocast(self.device.type, dtype, enabled=self.precision != "fp32")

    def answer(self, data: Sequences) -> torch.Tensor:
        """D(x), in the run's precision; logits `(n, 4)` in fp32."""
        with self.autocast():
            return self.discriminator(data.x, data.lengths).float()

    def parts(self, data: Sequences):
        """`data` in microbatches: rows and their utterances."""
        for rows in engine.microbatches(data.lengths, self.microbatch):
            yield rows, data.pick(rows, trim=self.config.masked)

    @torch.no_grad()
    def predict(self, data: Sequences) -> torch.Tensor:
        """Logits `(n, 4)`, on the CPU."""
        logits = torch.empty(len(data.labels), 4)
        for rows, part in self.parts(data):
            logits[rows.cpu()] = self.answer(part).cpu()
        return logits

    def backward(self, data: Sequences, loss, gradient: torch.Tensor | None = None) -> torch.Tensor:
        """Add the gradient of the mean `loss` of D's answers to `data`; returns the loss.

        With `gradient`, a tensor like `data.x`, the derivative by the sequences is written there too.
        """
        total = torch.zeros((), device=self.device)
        for rows, part in self.parts(data):
            part.x.requires_grad_(gradient is not None)
            mean = loss(self.answer(part), part.labels) * (len(rows) / len(data.labels))
            self.scaler.scale(mean).backward()
            total += mean.detach()
            if gradient is not None:
                gradient[rows, : part.x.shape[1]] = part.x.grad
        return total

    def step(self, adam: torch.optim.Adam):
        """One step, and gradients back to zero: again a step, it is one along Adam's momentum alone.

        (Gradients that are None would make Adam skip its weights: these are tensors of zeros.)
        """
        self.scaler.step(adam)
        self.scaler.update()
        adam.zero_grad(set_to_none=False)

    def generate(self, real: Sequences) -> Sequences:
        """G(z) for Gaussian z, with the real batch's labels; its lengths are the batch's, shuffled, or full."""
        count, time = real.x.shape[:2]
        z = torch.randn(count, self.config.latent, generator=self.noise).to(self.device)
        lengths = real.lengths[torch.randperm(count, generator=self.noise).to(self.device)]
        if self.config.fake_lengths == "full":
            lengths, time = torch.full_like(lengths, self.config.frames), self.config.frames
        with self.autocast():
            x = self.generator(z)[:, :time].float()
        return Sequences(x * valid_frames(lengths, time).unsqueeze(-1), lengths, real.labels)

    @torch.no_grad()
    def negatives(self, real: Sequences) -> Sequences:
        """As many sequences as `real`, whose label is negative."""
        if self.control == "shuffled":
            return negatives.shuffled(real, self.noise)
        if self.control == "other":
            return negatives.drawn(self.others, len(real.labels), self.noise)
        self.generator.train(self.config.fake_norm == "batch")
        fake = self.generate(real)
        self.generator.train()
        return fake

    def learn(self, real: Sequences) -> dict[str, torch.Tensor]:
        """The steps for one batch; returns their losses, and the size of the discriminator's gradients."""
        found = {"loss_real": self.backward(self.augment(real, self.noise), self.real_loss)}
        if self.negative:
            found["gradient_real"] = size(self.discriminator)
        self.step(self.discriminator_adam)
        if self.control == "placebo":
            self.step(self.discriminator_adam)
        if not self.negative:
            return found
        if self.objective.silent:  # loss and gradient are 0 whatever D answers: no need to ask it
            found["loss_fake"] = torch.zeros(())
        else:
            fake = self.negatives(real)
            found["loss_fake"] = self.backward(fake, lambda logits, _: self.objective.fake(logits))
        found["gradient_fake"] = size(self.discriminator)
        self.step(self.discriminator_adam)
        if self.control != "none":
            return found
        fake = self.generate(real)
        gradient = torch.zeros_like(fake.x)
        with frozen(self.discriminator):
            found["loss_generator"] = self.backward(
                fake._replace(x=fake.x.detach()), self.objective.real, gradient
            )
        fake.x.backward(gradient)
        self.step(self.generator_adam)
        return found

    def epoch(self, train: Sequences) -> dict[str, float]:
        """One epoch in random order; returns mean losses, and how large the gradient of the negatives is."""
        batches = imbalance.order(train.labels, self.config.balanced, self.order).split(self.config.batch)
        if self.config.epoch == "batch":
            batches = batches[:1]
        found = [self.learn(train.pick(rows.to(self.device), trim=self.config.masked)) for rows in batches]
        self.steps += len(batches)
        mean = divergence.means(self, found)
        if self.negative:
            mean["gradient_ratio"] = mean.pop("gradient_fake") / (mean.pop("gradient_real") or math.nan)
        return mean

    def run(self, train: Sequences, validation: Sequences, test: Sequences, *,
            checkpoint: Path | None = None, every_s: float = 20, progress=None) -> torch.Tensor:  # fmt: skip
        """Train to the last epoch and return the test logits `(n, 4)`.

        With `checkpoint`, go on from that file if it is there, and write it every `every_s` seconds: a run
        killed at any moment and resumed ends, on a CPU, with the same weights. `progress(epoch, curve
        entry)` is called after each epoch.
        """
        train, validation, test = (part.to(self.device) for part in (train, validation, test))
        if checkpoint is not None and checkpoint.exists():
            checkpoints.load(self, checkpoint)
        logits, saved = None, time.monotonic()
        start = saved - self.time_s
        while len(self.curve) < self.config.epochs:
            entry = self.epoch(train)
            for name, part in (("validation_", validation), ("", test)):
                if len(part.labels):
                    logits = self.predict(part)
                    labels, answers = part.labels.cpu(), logits.argmax(dim=1)
                    entry[name + "wa"] = evaluation.weighted_accuracy(labels, answers)
                    entry[name + "ua"] = evaluation.unweighted_accuracy(labels, answers)
            if self.negative:
                entry |= negatives.look(self, train)
            self.curve.append(negatives.rounded(entry))
            self.time_s = time.monotonic() - start
            if progress is not None:
                progress(len(self.curve), entry)
            if checkpoint is not None and time.monotonic() - saved >= every_s:
                checkpoints.save(self, checkpoint)
                saved = time.monotonic()
        return self.predict(test) if logits is None else logits
