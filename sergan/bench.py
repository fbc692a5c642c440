"""Speed on this machine, as ratios against plain ways to do the same, in one run and in turns.

discriminator     BAM's step with our BLSTM against one on `pack_padded_sequence`
ablations         the step of each ablation against BAM's
"""

from __future__ import annotations

import platform
import statistics
import time

import torch
from tabulate import tabulate
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sergan import ABLATIONS, objectives
from sergan.config import Config
from sergan.data import Sequences
from sergan.experiments import pick_device
from sergan.training import Training


class Packed(nn.Module):
    """The reference: PyTorch's bidirectional LSTM on packed sequences."""

    def __init__(self, size, hidden):
        super().__init__()
        self.lstm = nn.LSTM(size, hidden, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]


def measure(config: Config, batches: int = 10, device: str = "auto") -> dict:
    """Median seconds a batch of random sequences with IEMOCAP-like lengths, and their ratios."""
    device = pick_device(device)
    generator = torch.Generator().manual_seed(0)
    lengths = (config.frames * torch.rand(config.batch, generator=generator).clamp(0.2)).long()
    lengths[0] = config.frames
    x = torch.rand(config.batch, config.frames, 32, generator=generator) * 2 - 1
    data = Sequences(x, lengths, torch.randint(4, (config.batch,), generator=generator)).to(device)

    runs = {name: Training(config, name, objectives.fused, device=device) for name in ABLATIONS}
    runs["BAM, packed"] = Training(config, "BAM", objectives.fused, device=device)
    packed = Packed(32, config.lstm).to(device)
    runs["BAM, packed"].discriminator.blstm = packed
    runs["BAM, packed"].discriminator_adam.add_param_group({"params": list(packed.parameters())})
    seconds = {name: [] for name in runs}
    for turn in range(batches + 1):
        for name, training in runs.items():
            start = time.perf_counter()
            training.learn(data)
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn:  # the first one warms up
                seconds[name].append(time.perf_counter() - start)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    frames = int(lengths.sum())
    return {
        "device": str(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "processor": platform.machine(),
        "frames": config.frames,
        "batch": config.batch,
        "rows": [
            {"name": name, "batch_s": value, "us_per_frame": 1e6 * value / frames,
             "ratio_to_packed": median["BAM, packed"] / value, "cost_in_bam": value / median["BAM"]}
            for name, value in median.items()
        ],
    }  # fmt: skip


def text(measured: dict) -> str:
    rows = [[r["name"], f"{r['batch_s']:.3f}", f"{r['us_per_frame']:.1f}", f"{r['ratio_to_packed']:.2f}",
             f"{r['cost_in_bam']:.2f}"] for r in measured["rows"]]  # fmt: skip
    where = f"{measured['device']}, {measured['threads']} threads, torch {measured['torch']}"
    headers = ["", "s a batch", "us a real frame", "times as fast as packed BAM", "cost, BAM = 1"]
    title = f"Batches of {measured['batch']} sequences of up to {measured['frames']} frames; {where}"
    return f"{title}\n{tabulate(rows, headers, disable_numparse=True)}"
