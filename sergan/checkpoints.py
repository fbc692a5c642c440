"""The whole state of a run on disk, so that one that was killed goes on as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import torch

from sergan import SerganError
from sergan.files import replacing, whole_zip


def state(training) -> dict:
    """What has a state of its own: networks and optimisers."""
    names = ("discriminator", "discriminator_adam", "generator", "generator_adam", "scaler")
    return {name: getattr(training, name) for name in names if getattr(training, name) is not None}


def save(training, path: Path):
    """Write the whole state, under its final name only when it is complete."""
    found = {name: part.state_dict() for name, part in state(training).items()}
    found |= {"order": training.order.get_state(), "noise": training.noise.get_state()}
    found |= {"curve": training.curve, "steps": training.steps, "time_s": training.time_s}
    with replacing(path) as out:
        torch.save(found, out)


def load(training, path: Path):
    """Go on where `save` was called. No code in the file is run. SerganError where it is damaged."""
    try:
        whole_zip(path)
        found = torch.load(path, map_location=training.device, weights_only=True)
        for name, part in state(training).items():
            part.load_state_dict(found[name])
        training.order.set_state(found["order"].cpu())
        training.noise.set_state(found["noise"].cpu())
        for adam in (training.discriminator_adam, training.generator_adam):
            moments = [] if adam is None else [(w, m) for w, own in adam.state.items() for m in own.values()]
            if any(m.ndim and m.shape != weight.shape for weight, m in moments):
                raise ValueError("moments do not fit their weights")
        curve, steps, time_s = found["curve"], found["steps"], found["time_s"]
        entries = [list(map(type, one)) for entry in curve for one in entry.items()]
        if not all(kinds in ([str, float], [str, int], [str, type(None)]) for kinds in entries):
            raise ValueError("the curve is none")
        if (type(curve), type(steps), type(time_s)) != (list, int, float):
            raise ValueError("curve, steps or time are none")
        training.curve, training.steps, training.time_s = curve, steps, time_s
    except FileNotFoundError:  # another sweep in the same store has just finished this run
        return
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise SerganError(f"checkpoint {path} is damaged; delete it, and its run starts afresh") from error
