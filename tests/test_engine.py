"""The engine computes what a plain loop computes: all ablations, readings and controls, in fp32."""

import copy
import ctypes
import itertools
import os
import platform
import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from conftest import random_dataset
from hypothesis import given
from test_training import TINY, same
from torch.nn import functional as F

from sergan import EMOTIONS, SerganError, engine, negatives, objectives
from sergan.config import Config
from sergan.data import Sequences, paper_split, prepare
from sergan.objectives import OBJECTIVES
from sergan.regularisers import regularised
from sergan.training import NEGATIVE_CONTROLS, Training, frozen


@pytest.fixture(scope="module")
def parts():
    dataset = random_dataset()
    return prepare(dataset, paper_split(dataset.labels, 0), frames=20)[:3]


class Plain:
    """The loop as the paper tells it: whole padded batches, no trimming, no microbatches, PyTorch's own Adam."""

    def __init__(self, training):
        self.of, c = training, training.config
        self.d, self.g = copy.deepcopy(training.discriminator), copy.deepcopy(training.generator)

        def adam(network, group):
            return torch.optim.Adam([w for w in network.parameters() if w.requires_grad], lr=group["lr"],
                                    betas=group["betas"], eps=c.epsilon, foreach=False)  # fmt: skip

        self.d_adam = adam(self.d, training.discriminator_adam.param_groups[0])
        self.g_adam = adam(self.g, training.generator_adam.param_groups[0]) if self.g else None
        self.noise = torch.Generator()
        self.noise.set_state(training.noise.get_state())

    def fake(self, real):
        z = torch.randn(len(real.labels), self.of.config.latent, generator=self.noise)
        lengths = real.lengths[torch.randperm(len(real.labels), generator=self.noise)]
        inside = torch.arange(20) < lengths[:, None]
        return self.g(z) * inside[..., None], lengths

    def learn(self, real):
        objective, losses = self.of.objective, {}
        losses["loss_real"] = objective.real(self.d(real.x, real.lengths), real.labels)
        self.d_adam.zero_grad()
        losses["loss_real"].backward()
        self.d_adam.step()
        if self.g is None:
            return losses
        self.d_adam.zero_grad(set_to_none=False)
        if not objective.silent:
            self.g.eval()
            x, lengths = self.fake(real)
            self.g.train()
            losses["loss_fake"] = objective.fake(self.d(x.detach(), lengths))
            losses["loss_fake"].backward()
        self.d_adam.step()
        self.g_adam.zero_grad()
        with frozen(self.d):
            losses["loss_generator"] = objective.real(self.d(*self.fake(real)), real.labels)
            losses["loss_generator"].backward()
        self.g_adam.step()
        return losses


CASES = [(a, o) for a, o in itertools.product(("AM", "AGM", "BAM", "BAGM"), OBJECTIVES)]


@pytest.mark.parametrize(("ablation", "name"), CASES)
def test_the_engine_is_the_plain_loop(parts, ablation, name):
    training = Training(TINY, ablation, OBJECTIVES[name], microbatch=5)
    plain = Plain(training)
    train = parts[0]
    for rows in torch.arange(len(train.labels)).split(16)[:3]:
        theirs = plain.learn(train.pick(rows, trim=False))
        ours = training.learn(train.pick(rows, trim=True))
        for loss, value in theirs.items():
            assert ours[loss].item() == pytest.approx(value.item(), abs=2e-6)
    for network, copied in ((training.discriminator, plain.d), (training.generator, plain.g)):
        if network is not None:
            for weight, expected in zip(network.parameters(), copied.parameters(), strict=True):
                torch.testing.assert_close(weight, expected, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("microbatch", [1, 7, 64])
def test_microbatches_change_a_gradient_by_rounding_only(parts, microbatch):
    whole, some = (Training(TINY, "BAM", objectives.fused, microbatch=m) for m in (1000, microbatch))
    losses = [t.backward(parts[0], t.real_loss).item() for t in (whole, some)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for one, other in zip(whole.discriminator.parameters(), some.discriminator.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, atol=1e-6, rtol=1e-4)


def test_the_derivative_by_the_sequences_is_written(parts):
    training, train = Training(TINY, "BAM", objectives.fused, microbatch=3), parts[0]
    gradient = torch.full_like(train.x, torch.nan)
    training.backward(train, training.real_loss, gradient)
    x = train.x.clone().requires_grad_()
    F.cross_entropy(training.discriminator(x, train.lengths), train.labels).backward()
    inside = torch.arange(20) < train.lengths[:, None]
    torch.testing.assert_close(gradient[inside], x.grad[inside], atol=1e-7, rtol=1e-4)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 9))
def test_microbatches_hold_every_row_once_and_longest_first(lengths, size):
    found = list(engine.microbatches(torch.tensor(lengths), size))
    rows = torch.cat(found)
    assert sorted(rows.tolist()) == list(range(len(lengths)))
    assert [lengths[r] for r in rows] == sorted(lengths, reverse=True)
    assert max(map(len, found)) <= size


def test_precision_is_what_the_device_has():
    cpu = torch.device("cpu")
    assert engine.precision("auto", cpu) in ("bf16", "fp32")
    assert engine.precision("fp32", cpu) == "fp32"
    with pytest.raises(SerganError, match="precision=fp16 needs a GPU"):
        engine.precision("fp16", cpu)


def test_auto_takes_bf16_only_where_the_processor_has_it(monkeypatch):
    for able, name in (({}, "fp32"), ({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: able, raising=False)
        assert engine.precision("auto", torch.device("cpu")) == name
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert engine.precision("auto", torch.device("cpu")) == "fp32"


# Controls


def test_squared_betas_and_the_learning_rate():
    adam = Training(TINY, "BAM", objectives.zero, control="sqrt2_betas").discriminator_adam
    group = adam.param_groups[0]
    assert group["lr"] == pytest.approx(TINY.lr * 2**0.5)
    assert group["betas"] == pytest.approx((0.9**2, 0.999**2))


def test_squared_betas_come_closer_to_placebo():
    """Section 1 of the facts: on a quadratic, sqrt2 with squared betas follows placebo more closely."""

    def path(lr, betas, placebo=False):
        weight = torch.nn.Parameter(torch.ones(50) * torch.linspace(0.5, 3, 50))
        adam, found = torch.optim.Adam([weight], lr=lr, betas=betas), []
        noise = torch.Generator().manual_seed(0)
        for _ in range(300):
            weight.grad = weight.detach() + torch.randn(50, generator=noise)
            adam.step()
            if placebo:
                weight.grad = torch.zeros(50)
                adam.step()
            found.append(weight.detach().clone())
        return torch.stack(found)

    target = path(1e-2, (0.9, 0.999), placebo=True)
    far = [(path(1e-2 * 2**0.5, betas) - target).norm() for betas in ((0.9, 0.999), (0.9**2, 0.999**2))]
    plain = (path(1e-2, (0.9, 0.999)) - target).norm()
    assert far[1] < 0.5 * far[0] < 0.5 * plain


def test_an_untrained_generator_stays_as_it_was_born(parts):
    training = Training(TINY, "BAGM", objectives.fused, control="untrained")
    before = copy.deepcopy(training.generator.state_dict())
    training.run(*parts)
    assert all(map(torch.equal, before.values(), training.generator.state_dict().values()))
    gan = Training(TINY, "BAGM", objectives.fused)
    gan.run(*parts)
    assert not same(training, gan)
    assert "loss_generator" not in training.curve[0] and "loss_fake" in training.curve[0]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 99))
def test_shuffling_moves_frames_inside_their_utterance_only(lengths, seed):
    time = max(lengths) + 2
    x = torch.arange(len(lengths) * time * 3, dtype=torch.float32).reshape(len(lengths), time, 3) + 1
    real = Sequences(x, torch.tensor(lengths), torch.zeros(len(lengths), dtype=torch.long))
    made = negatives.shuffled(real, torch.Generator().manual_seed(seed))
    assert torch.equal(made.lengths, real.lengths)
    for one, other, n in zip(made.x, x, lengths, strict=True):
        assert sorted(map(tuple, one[:n].tolist())) == sorted(map(tuple, other[:n].tolist()))
        assert torch.equal(one[n:], other[n:])


def test_shuffling_leaves_attention_without_a_blstm_as_it_was(parts):
    """AGM's attention sees a bag of frames: `shuffled` says of the very same input that it is none."""
    training = Training(TINY, "AGM", objectives.fused, control="shuffled")
    made = training.negatives(parts[0])
    assert not torch.equal(made.x, parts[0].x)
    torch.testing.assert_close(training.answer(made), training.answer(parts[0]), atol=1e-5, rtol=1e-4)


def test_other_emotions_are_drawn_from_their_pool_alone(parts):
    pool = Sequences(torch.full((5, 20, 32), 7.0), torch.tensor([3, 4, 5, 6, 7]), torch.full((5,), -1))
    training = Training(TINY, "BAGM", objectives.fused, control="other", others=pool)
    made = training.negatives(parts[0])
    assert len(made.lengths) == len(parts[0].labels) and (made.x == 7).all() and made.x.shape[1] <= 7
    assert training.generator is None
    training.run(*parts)
    assert training.curve[-1]["fake_spread"] == 0  # all of them are alike


@pytest.mark.parametrize("control", NEGATIVE_CONTROLS)
def test_a_control_with_negatives_resumes_exactly(parts, tmp_path, control):
    options = {"control": control, "others": parts[2]} if control == "other" else {"control": control}
    whole = Training(TINY, "BAGM", objectives.fused, **options)
    whole.run(*parts)
    path = tmp_path / "checkpoint.pt"
    short = Config(**{**vars(TINY), "epochs": 2})
    Training(short, "BAGM", objectives.fused, **options).run(*parts, checkpoint=path, every_s=0)
    resumed = Training(TINY, "BAGM", objectives.fused, **options)
    resumed.run(*parts, checkpoint=path)
    assert same(whole, resumed) and resumed.curve == whole.curve


# Penalties on real data


logits_and_labels = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.floats(-20, 20), min_size=4, max_size=4), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
    )
)


@given(logits_and_labels, st.floats(0.01, 0.9))
def test_label_smoothing_is_pytorchs(data, smoothing):
    logits, labels = torch.tensor(data[0], dtype=torch.float64), torch.tensor(data[1])
    ours = regularised(objectives.cross_entropy, label_smoothing=smoothing)(logits, labels)
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels, label_smoothing=smoothing))


@given(logits_and_labels)
def test_penalties_are_entropy_and_logsumexp(data):
    logits, labels = torch.tensor(data[0], dtype=torch.float64), torch.tensor(data[1])
    plain = F.cross_entropy(logits, labels)
    entropy = torch.distributions.Categorical(logits=logits).entropy().mean()
    loss = regularised(objectives.cross_entropy, confidence_penalty=0.3)(logits, labels)
    torch.testing.assert_close(loss, plain - 0.3 * entropy)
    loss = regularised(objectives.cross_entropy, logsumexp_penalty=0.3)(logits, labels)
    torch.testing.assert_close(loss, plain + 0.3 * logits.logsumexp(1).mean())


def test_penalties_reach_the_discriminator_and_not_the_generators_loss(parts):
    config = Config(**{**vars(TINY), "confidence_penalty": 0.5})
    one, other = (Training(c, "BAGM", objectives.zero) for c in (TINY, config))
    a, b = one.learn(parts[0]), other.learn(parts[0])
    assert a["loss_real"] > b["loss_real"]
    assert other.objective.real is objectives.cross_entropy


# What the generator does


def test_distances_are_root_mean_squares_over_common_frames():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 6, 32, generator=generator), torch.rand(3, 9, 32, generator=generator)
    one = Sequences(x, torch.tensor([6, 2]), torch.zeros(2))
    other = Sequences(y, torch.tensor([9, 4, 1]), torch.zeros(3))
    found = negatives.distances(one, other)
    for i, j in itertools.product(range(2), range(3)):
        n = min(one.lengths[i], other.lengths[j])
        assert found[i, j].item() == pytest.approx(
            (x[i, :n] - y[j, :n]).square().mean().sqrt().item(), abs=1e-5
        )


def test_deltas_agree_with_their_statics_in_real_speech_and_not_in_noise():
    from sergan import corpora, features

    files = corpora.load("demo")["file"].iloc[:4]
    sequences = features.extract(files, progress=False)
    time = max(map(len, sequences))
    x = np.zeros((4, time, 32), dtype=np.float32)
    for row, sequence in enumerate(sequences):
        x[row, : len(sequence)] = sequence * np.linspace(0.1, 5, 32) + 3  # a scaling changes nothing
    lengths = torch.tensor([len(s) for s in sequences])
    assert negatives.delta_agreement(torch.from_numpy(x), lengths) > 0.98
    noise = torch.rand(4, time, 32, generator=torch.Generator().manual_seed(0))
    assert abs(negatives.delta_agreement(noise, lengths)) < 0.05


def test_looking_changes_nothing(parts, monkeypatch):
    one, other = (Training(TINY, "BAGM", objectives.fused) for _ in range(2))
    one.run(*parts)
    monkeypatch.setattr(negatives, "look", lambda *_: {})
    other.run(*parts)
    assert same(one, other)
    entry = one.curve[-1]
    assert sum(entry[f"fake_answer_{e}"] for e in EMOTIONS) == pytest.approx(1, abs=1e-3)
    real = negatives.look_at_real(one, parts[0])
    assert set(real) == {"spread", "nearest", "deltas"} and real["nearest"] > 0


FAULTS = """
import resource, sys, torch
from sergan import engine, objectives
from sergan.config import Config
from sergan.data import Sequences
from sergan.training import Training
if sys.argv[1] == "without":
    engine.keep_memory = lambda: False
training = Training(Config(frames=256, lstm=64, batch=32, precision="fp32"), "BAM", objectives.zero)
data = Sequences(torch.rand(32, 256, 32), torch.full((32,), 256), torch.zeros(32, dtype=torch.long))
for step in range(5):
    training.learn(data)
    if step == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_kept_memory_is_not_asked_for_again():
    """Pages that a step has to ask the system for: hardly any, where it was thousands."""
    pages = {}
    for how in ("with", "without"):
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        pages[how] = int(done.stdout)
    assert pages["with"] < pages["without"] / 5


HOLDS = """
import ctypes, torch
from sergan import objectives
from sergan.config import Config
from sergan.data import Sequences
from sergan.training import Training

class Heap(ctypes.Structure):  # mallinfo2 of malloc.h; arena, ..., uordblks, fordblks, keepcost
    _fields_ = [(f"n{k}", ctypes.c_size_t) for k in range(10)]

mallinfo, held = ctypes.CDLL(None).mallinfo2, []
mallinfo.restype = Heap
torch.set_num_threads(1)
training = Training(Config(frames=200, lstm=16, batch=4, precision="fp32"), "BAM", objectives.zero)
for length in range(1, 201):
    training.learn(Sequences(torch.rand(4, length, 32), torch.full((4,), length), torch.arange(4)))
    heap = mallinfo()
    held.append(heap.n4 + heap.n7)
print((held[-1] - held[99]) / 1e6)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="mallinfo2 is glibc's, from 2.33 on",
)
def test_batches_of_all_lengths_leave_memory_as_it_was():
    """PyTorch's CPU libraries keep kernels for each length, megabytes, were they not told otherwise."""
    grown = {}
    for most in ("", "1024"):
        told = dict.fromkeys(engine.KERNELS, most) if most else {}
        rest = {name: value for name, value in os.environ.items() if name not in engine.KERNELS}
        done = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True,
                              env=rest | told)  # fmt: skip
        grown[most] = float(done.stdout)
    assert grown[""] < 2 < grown["1024"] / 2
