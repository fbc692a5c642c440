"""Which runs are the same to the last bit, and which only nearly; `benchmarks/numerics.py` measures how nearly."""

import json
from pathlib import Path

import pytest
import torch
from conftest import random_dataset

from sergan import objectives
from sergan.config import Config
from sergan.data import paper_split, prepare
from sergan.training import Training

SIZES = {
    "frames": 40,
    "lstm": 32,
    "attention": 32,
    "dense": 32,
    "generator": (16, 32),
    "batch": 32,
    "lr": 1e-3,
}
MEASURED = json.loads((Path(__file__).parents[1] / "benchmarks" / "numerics.json").read_text())


def weights(threads=1, *, precision="fp32", microbatch=None, steps=2):
    """The discriminator's weights after some steps of BAGM, and its logits."""
    dataset = random_dataset()
    train = prepare(dataset, paper_split(dataset.labels, 0), frames=40)[0]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        config = Config(**SIZES, precision=precision)
        training = Training(config, "BAGM", objectives.fused, microbatch=microbatch)
        for _ in range(steps):
            training.learn(train)
        return torch.cat([w.detach().flatten() for w in training.discriminator.parameters()])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_threads_give_the_same_bits(threads, precision):
    assert torch.equal(weights(threads, precision=precision), weights(threads, precision=precision))


def test_another_number_of_threads_parts_or_precision_gives_nearly_the_same():
    """A step of Adam is as large for a tiny gradient as for a large one: rounding can turn its sign, not its size."""
    one = weights()
    for other in (weights(2), weights(microbatch=7)):
        assert (other - one).abs().max() <= 4 * 2 * SIZES[
            "lr"
        ]  # two steps for real, two for negatives, either way
        assert (other - one).abs().median() < 1e-7
    assert (weights(precision="bf16") - one).abs().median() < 1e-3


def test_the_page_says_what_was_measured():
    """Bits by condition, on the machine of the measurement, and the numbers of the page's table."""
    page = (Path(__file__).parents[1] / "book" / "sweeps.md").read_text(encoding="utf-8")
    early, late = ({run["condition"]: run for run in MEASURED["epochs"][epochs]} for epochs in ("2", "10"))
    for runs in (early, late):
        for name in ("1 thread", "2 threads", "bf16"):
            assert runs[name]["bits"] == runs[f"{name}, again"]["bits"], name
        assert len({run["bits"] for run in runs.values()}) == len(runs) - 3
    rows = {
        "2 threads": "2 threads",
        "parts of 8": "parts of 8 utterances",
        "AVX2 at most": "AVX2 instructions at most",
        "no vector units but SSE": "SSE instructions at most",
        "bf16": "bf16",
    }
    for name, words in rows.items():
        one, other = early[name], late[name]
        logit = f"{one['logits']:.0e}" if one["logits"] < 0.01 else f"{one['logits']:.1f}"
        same = [f"{100 * run['same_answers']:.0f} %" for run in (one, other)]
        cells = [words, logit, *same, f"{other['wa']:.1f}"]
        assert f"| {' | '.join(cells)} |" in page, cells
    assert f"| {late['1 thread']['wa']:.1f} |" in page
