"""What is the same to the last bit, and what only nearly: one small run, again under other conditions.

    python benchmarks/numerics.py [--epochs 2 10] [--to benchmarks/numerics.json]

BAGM under `fused`, preset `demo` with standardised features, each time in a process of its own: with one thread and
with two, each twice; in parts of 8 utterances; in bf16; with the instructions of other processors (PyTorch, MKL and
oneDNN told to know no more than AVX2, or no more than SSE); and on a GPU, in fp32 twice and in bf16, where there is
one. Every run is compared with the first: its weights after one step, its losses, logits and scores after the last.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np

AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
PLAIN = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}
CONDITIONS = {
    "1 thread": {},
    "1 thread, again": {},
    "2 threads": {"threads": 2},
    "2 threads, again": {"threads": 2},
    "parts of 8": {"microbatch": 8},
    "AVX2 at most": {"environment": AVX2},
    "no vector units but SSE": {"environment": PLAIN},
    "bf16": {"precision": "bf16"},
    "bf16, again": {"precision": "bf16"},
}
ON_GPU = {
    "GPU, fp32": {"device": "cuda"},
    "GPU, fp32, again": {"device": "cuda"},
    "GPU, bf16": {"device": "cuda", "precision": "bf16"},
}


def train(condition: dict, epochs: int, to: Path):
    """One run under a condition, in this process: what it was after the first step and at its end."""
    import torch

    from sergan import experiments
    from sergan.config import PRESETS
    from sergan.data import prepare
    from sergan.objectives import fused
    from sergan.training import Training

    torch.set_num_threads(condition.get("threads", 1))
    changes = {"precision": condition.get("precision", "fp32"), "epochs": str(epochs), "scaling": "standard"}
    c = PRESETS["demo"].change(changes)
    dataset = experiments.load_dataset("demo", functionals=False, progress=False)
    split = experiments.paper_split(dataset.labels, 0)
    *parts, _ = prepare(dataset, split, frames=c.frames, every=c.every, scaling=c.scaling)

    def weights(training):
        return torch.cat([w.detach().flatten() for w in training.discriminator.parameters()]).cpu().numpy()

    how = {"device": condition.get("device", "cpu"), "microbatch": condition.get("microbatch")}
    first = Training(c, "BAGM", fused, **how)
    first.learn(parts[0].pick(torch.arange(c.batch), trim=True).to(first.device))
    training = Training(c, "BAGM", fused, **how)
    logits = training.run(*parts).numpy()
    last = training.curve[-1]
    np.savez(to, one_step=weights(first), weights=weights(training), logits=logits, wa=last["wa"], ua=last["ua"],
             loss=last["loss_real"])  # fmt: skip


def compared(name: str, found: dict, first: dict) -> dict:
    """How far a run is from the first one."""
    answers = [some["logits"].argmax(1) for some in (found, first)]
    return {
        "condition": name,
        "bits": hashlib.sha256(found["weights"].tobytes() + found["logits"].tobytes()).hexdigest()[:12],
        "weights_after_one_step": float(np.abs(found["one_step"] - first["one_step"]).max()),
        "weights": float(np.abs(found["weights"] - first["weights"]).max()),
        "logits": float(np.abs(found["logits"] - first["logits"]).max()),
        "same_answers": float((answers[0] == answers[1]).mean()),
        **{key: float(found[key]) for key in ("loss", "wa", "ua")},
    }


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--epochs", type=int, nargs="+", default=[2, 10])
    options.add_argument("--to", type=Path, default=Path(__file__).with_suffix(".json"))
    options.add_argument("--one", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    conditions = CONDITIONS | ON_GPU
    if chosen.one:
        return train(conditions[chosen.one], chosen.epochs[0], chosen.to)
    import tempfile

    import torch

    runs = {epochs: [] for epochs in chosen.epochs}
    about = {"torch": torch.__version__, "python": platform.python_version(), "machine": platform.machine(),
             "capability": torch.backends.cpu.get_cpu_capability()}  # fmt: skip
    for epochs, rows in runs.items():
        first = None
        for name in CONDITIONS | (ON_GPU if torch.cuda.is_available() else {}):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "run.npz"
                command = [
                    sys.executable,
                    __file__,
                    "--one",
                    name,
                    "--epochs",
                    str(epochs),
                    "--to",
                    str(path),
                ]
                subprocess.run(command, check=True, env=os.environ | conditions[name].get("environment", {}))
                with np.load(path) as stored:
                    found = dict(stored)
            first = found if first is None else first
            rows.append(compared(name, found, first))
            print(epochs, {key: round(v, 7) if isinstance(v, float) else v for key, v in rows[-1].items()})
            chosen.to.write_text(json.dumps(about | {"epochs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
