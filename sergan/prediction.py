"""What a trained discriminator says of one recording, and what such an answer is worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sergan import EMOTIONS, SerganError, features, plots, results
from sergan.data import pad
from sergan.models import Discriminator
from sergan.objectives import OBJECTIVES, REAL_LOSSES


def predict(file: Path, store: Path, key: str | None = None) -> dict:
    """Classify a recording with the weights of a run.

    Args:
        file: any audio file that `features.read` reads.
        store: where `sergan run` wrote its records.
        key: name of the run's record; by default the newest run that has weights.

    Returns `probabilities` (by emotion), `alpha` (attention, one weight a frame), `times_s` of those frames,
    `signal` (16 kHz) and the run's `record`. Raises SerganError for missing or damaged weights or audio.
    """
    weighted = sorted(Path(store).glob("*.pt"), key=lambda path: path.stat().st_mtime)
    if key is None and not weighted:
        raise SerganError(f"store {store} has no trained weights; `sergan run --store {store}` makes them")
    path = weighted[-1] if key is None else Path(store) / f"{key}.pt"
    state, record = results.load_weights(path), results.load(path.with_suffix(".json"))
    config = record["config"]
    try:
        with torch.device("meta"):  # takes no memory, however large the record says that it is
            discriminator = Discriminator(
                record["ablation"].startswith("B"),
                **{name: config[name] for name in ("lstm", "attention", "dense", "masked", "gates")},
            )
        weights = {name: weight.to(torch.float32) for name, weight in state["discriminator"].items()}
        discriminator.load_state_dict(weights, assign=True)
        scale, shift = state["scale"].numpy(), state["shift"].numpy()
        if not scale.shape == shift.shape == (len(features.NAMES),):
            raise ValueError("the scaling is not one of 32 features")
        objective = OBJECTIVES.get(record["objective"]) or REAL_LOSSES[record["objective"]]
    except (KeyError, RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise SerganError(f"weights {path} do not belong to their record; delete both, run again") from error
    signal = features.read(file)
    sequence = features.from_signal(signal, name=str(file))
    kept = sequence[:: config["every"]][: config["frames"]]
    x, lengths = pad([kept * scale + shift], config["frames"])
    discriminator.eval()
    with torch.no_grad():
        logits, alpha = discriminator(torch.from_numpy(x), torch.from_numpy(lengths), attention=True)
    return {
        "file": str(file),
        "probabilities": dict(zip(EMOTIONS, objective.probabilities(logits)[0].tolist(), strict=True)),
        "alpha": alpha[0, : len(kept)].numpy(),
        "times_s": np.arange(len(kept)) * config["every"] * features.HOP_S + features.WINDOW_S / 2,
        "heard_s": len(kept) * config["every"] * features.HOP_S,
        "signal": signal,
        "record": record,
        "key": path.stem,
    }


def caveat(found: dict) -> str:
    """What the answer is worth, from the record of the run that gives it."""
    record = found["record"]
    who = {
        "speaker": "speakers it had not heard",
        "paper": "other utterances of the speakers it had learnt from, which is far easier than a new voice",
    }[record["split"]]
    voices = " The voices were synthetic." if record["corpus"] == "demo" else ""
    return (
        f"Little is to be made of this. The model learnt {record['utterances']['train']} utterances of the "
        f"corpus {record['corpus']} and was right for {record['ua']:.0f} % of its test part (UA; always one "
        f"answer: 25 %), {who}.{voices} It knows four words for how a voice sounds, and must choose one. The "
        "numbers are not calibrated, attention is no explanation, and how a voice sounds is not what a "
        "person feels. Do not judge anybody by it; at work and in education, EU law forbids such use "
        "(AI Act, Article 5(1)(f))."
    )


def text(found: dict) -> str:
    ranked = sorted(found["probabilities"].items(), key=lambda item: -item[1])
    lines = [f"{found['file']}, by run {found['key']} ({found['record']['ablation']}, "
             f"{found['record']['corpus']}, preset {found['record']['preset']}):"]  # fmt: skip
    lines += [f"  {emotion:8} {probability:.2f}" for emotion, probability in ranked]
    duration = len(found["signal"]) / features.RATE
    if found["heard_s"] < duration - 0.1:
        lines.append(f"Only the first {found['heard_s']:.1f} of {duration:.1f} s were heard.")
    return "\n".join([*lines, caveat(found)])


def as_dict(found: dict) -> dict:
    """The answer as plain data, for `--json`."""
    return {name: found[name] for name in ("file", "key", "probabilities", "heard_s")} | {
        "attention": found["alpha"].tolist(),
        "times_s": found["times_s"].tolist(),
        "caveat": caveat(found),
    }


def draw(found: dict, path: Path) -> None:
    """The waveform and the attention over it, as a PNG."""
    figure = plots.attention(found["signal"], found["times_s"], found["alpha"], rate=features.RATE)
    answer = max(found["probabilities"], key=found["probabilities"].get)
    figure.axes[0].set_title(f"{Path(found['file']).name}: answer {answer}, run {found['key']}")
    plots.save(figure, path)
