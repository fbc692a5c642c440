"""Everything that a run can choose, and the four presets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import ClassVar

from sergan import SerganError


@dataclass(frozen=True)
class Config:
    """The options of a run. Defaults are the paper's, or the reading of it that the comment names."""

    # Sequences
    frames: int = 512  # time steps (section 3.1): 5.1 s
    every: int = 1  # keep each n-th frame
    scaling: str = "minmax"  # "minmax" to [-1, 1], which tanh can reach, or "standard"; not in the paper
    # Discriminator (section 3.3)
    lstm: int = 256  # each way; from the 512-wide context vector
    attention: int = 512  # width of attention's hidden layer; not in the paper
    dense: int = 512
    masked: bool = True  # padding reaches neither BLSTM nor attention; no mask in the paper
    gates: str = "sigmoid"  # or "hard", as in Keras before 2.3
    init: str = "keras"  # or "torch"
    # Generator (section 3.2)
    latent: int = 100
    generator: tuple[int, ...] = (256, 512, 1024)
    output: str = "tanh"  # as in the public example with these sizes; or "linear", or "literal"
    fake_lengths: str = "batch"  # lengths of the real batch, shuffled; or "full", which tells real from fake
    fake_norm: str = "inference"  # generator's batch norm while D learns (Keras's predict), or "batch"
    # Optimisation (section 4.1)
    epochs: int = 400
    epoch: str = "pass"  # "pass" over the data, or one random "batch", as in the public example
    batch: int = 1024
    lr: float = 1e-4
    beta_1: float = 0.9  # Adam's default; the public example has 0.5
    beta_2: float = 0.999
    epsilon: float = (
        1e-7  # Keras's; PyTorch's is 1e-8 (both add it to the root, Keras before bias correction)
    )
    precision: str = (
        "auto"  # what the device has natively: "bf16", "fp16" (skips steps that overflow), "fp32"
    )
    # Instead of negatives: weights of penalties on real data, see regularisers.py
    label_smoothing: float = 0.0
    confidence_penalty: float = 0.0
    logsumexp_penalty: float = 0.0
    # For classes with few utterances, see imbalance.py
    class_weights: float = 0.0  # power of 1 / (a class's share); 1 gives each class the same total weight
    focal: float = 0.0  # the exponent gamma of the focal loss
    balanced: float = 0.0  # power of 1 / (a class's share) in drawing batches; 1 draws all classes equally

    CHOICES: ClassVar = {
        "scaling": ("minmax", "standard"),
        "gates": ("sigmoid", "hard"),
        "init": ("keras", "torch"),
        "output": ("tanh", "linear", "literal"),
        "fake_lengths": ("batch", "full"),
        "fake_norm": ("inference", "batch"),
        "epoch": ("pass", "batch"),
        "precision": ("auto", "fp32", "bf16", "fp16"),
    }
    PENALTIES: ClassVar = ("label_smoothing", "confidence_penalty", "logsumexp_penalty")
    RARE: ClassVar = ("class_weights", "focal", "balanced")
    POSITIVE: ClassVar = ("frames", "every", "lstm", "attention", "dense", "latent", "epochs", "batch", "lr")

    def __post_init__(self):
        for name, choices in self.CHOICES.items():
            if getattr(self, name) not in choices:
                raise SerganError(f"{name}={getattr(self, name)} is not one of {', '.join(choices)}")
        for name in self.POSITIVE:
            if not getattr(self, name) > 0:
                raise SerganError(f"{name}={getattr(self, name)} must be greater than 0")
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise SerganError(f"{name}={getattr(self, name)} must be at least 0 and below 1")
        if 0 < self.focal < 1:
            raise SerganError(f"focal={self.focal} must be 0 (off) or at least 1")
        for name in self.PENALTIES + self.RARE:
            if not 0 <= getattr(self, name) < (1 if name == "label_smoothing" else math.inf):
                raise SerganError(f"{name}={getattr(self, name)} must be at least 0"
                                  + (" and below 1" if name == "label_smoothing" else ""))  # fmt: skip
        if not self.generator or min(self.generator) < 1:
            raise SerganError("generator must be one or more layer sizes above 0, for example 256,512,1024")

    def as_dict(self) -> dict:
        """For records. Penalties and weights that are off are left out: options added later rename no record.

        Example:
            >>> len(Config(label_smoothing=0.1).as_dict()) - len(Config().as_dict())
            1
        """
        options = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return {name: v for name, v in options.items() if name not in self.PENALTIES + self.RARE or v}

    def change(self, changes: dict[str, str]) -> Config:
        """A copy with fields set from text, as `--set` gives them.

        Example:
            >>> Config().change({"epochs": "2", "generator": "64,128", "masked": "false"}).generator
            (64, 128)
        """
        types = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        values = {}
        for name, text in changes.items():
            if name not in types:
                raise SerganError(f"--set {name}: there is no such option; there are {', '.join(types)}")
            try:
                values[name] = parse(text, types[name])
            except ValueError as error:
                kind = {bool: "true or false", tuple: "numbers with commas between", int: "a whole number"}
                raise SerganError(
                    f"--set {name}={text} is not {kind.get(types[name], 'a number')}"
                ) from error
        return replace(self, **values)


def parse(text: str, kind: type):
    if kind is bool:
        return ("false", "true").index(text.lower()) == 1
    if kind is tuple:
        return tuple(int(part) for part in text.split(","))
    return kind(text)


PRESETS = {
    "demo": Config(
        frames=128, every=2, lstm=32, attention=32, dense=32, latent=32, generator=(32, 64, 128),
        epochs=40, batch=32, lr=2e-3, precision="fp32",
    ),
    "cpu": Config(
        frames=256, every=2, lstm=64, attention=64, dense=64, generator=(64, 128, 256),
        epochs=25, batch=64, lr=2e-3,
    ),
    "colab": Config(
        frames=512, every=1, lstm=128, attention=128, dense=128, generator=(128, 256, 512),
        epochs=60, batch=128, lr=1e-3,
    ),
    "paper": Config(),
}  # fmt: skip
"""The four sizes. `demo` for the embedded corpus, `cpu` and `colab` for real ones, `paper` as published.

The small ones learn at higher rates, because they take fewer and smaller steps; at such rates the reading
`fused`, which has no lower bound, runs away sooner than it would at the paper's.
"""
