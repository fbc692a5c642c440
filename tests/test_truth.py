"""Independent truth: what the package computes, beside somebody else's program or a plain one written here.

Openings of the same question elsewhere: the readings against Keras (`benchmarks/keras_readings.py`, here its stored
answers), BLSTM against PyTorch's packed sequences (test_models.py), statistics over simulated truth
(test_evaluation.py), every descriptor against openSMILE's own call (test_features.py).
"""

import hashlib
import json
from pathlib import Path

import audmetric
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import random_dataset
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats

from sergan import EMOTIONS, corpora, data, evaluation, experiments, features, objectives, results
from sergan.models import Discriminator, HardLSTM

# --- the features, rebuilt in NumPy, beside openSMILE's --------------------------------------------------


def smoothed(values):
    """Mean of a row and its neighbours; openSMILE has one row more than there are frames."""
    rows = np.concatenate([values[:1], values, values[-1:], values[-1:]])
    return (rows[:-2] + rows[1:-1] + rows[2:]) / 3


def slopes(values):
    """Regression slope over two rows on each side: a delta."""
    rows = np.concatenate([values[[0, 0]], values, values[[-1, -1]]])
    return (rows[3:-1] - rows[1:-3] + 2 * (rows[4:] - rows[:-4])) / 10


def rebuilt(signal):
    """RMS energy, MFCC 1-12 and zero-crossing rate, `(frames + 1, 14)`."""
    frames = sliding_window_view(signal.astype(float) * 32768 / 32767, 400)[::160]  # 25 ms every 10 ms
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    windowed = (frames - 0.97 * before) * np.hamming(400)
    mel = np.linspace(0, 1127 * np.log1p(8000 / 700), 28)[:, None]
    bins = 1127 * np.log1p(np.linspace(0, 8000, 257) / 700)
    rising, falling = (
        (bins - mel[:-2]) / np.diff(mel[:-1], axis=0),
        (mel[2:] - bins) / np.diff(mel[1:], axis=0),
    )
    bands = np.abs(np.fft.rfft(windowed, 512)) @ np.maximum(np.minimum(rising, falling), 0).T * 32767
    order = np.arange(1, 13)[:, None]
    cosines = np.cos(np.pi * order * (np.arange(26) + 0.5) / 26) * (1 + 11 * np.sin(np.pi * order / 22))
    mfcc = np.sqrt(2 / 26) * np.log(np.maximum(bands, 1)) @ cosines.T
    left, here, right = frames[:, :-2], frames[:, 1:-1], frames[:, 2:]
    crossing = (left * here < 0) | ((here == 0) & (left * right <= 0))
    return smoothed(np.column_stack([np.sqrt((windowed**2).mean(1)), mfcc, crossing.sum(1) / 400]))


def test_energy_mfcc_crossings_and_all_deltas_are_opensmiles_from_nothing_but_numpy():
    for file in corpora.load("demo").groupby("speaker")["file"].first():
        signal = features.read(file)
        theirs = features.from_signal(signal)
        assert np.abs(rebuilt(signal) - theirs[:, :14]).max() < 2e-4  # MFCC are as large as 40
        assert np.abs(slopes(theirs[:, :16]) - theirs[:, 16:]).max() < 2e-4  # of voicing and F0 too


# --- scores -------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_wa_ua_and_confusion_are_audmetrics(pairs):
    labels, answers = map(list, zip(*pairs, strict=True))
    assert evaluation.weighted_accuracy(labels, answers) == pytest.approx(
        100 * audmetric.accuracy(labels, answers)
    )
    recall = audmetric.recall_per_class(labels, answers, labels=[0, 1, 2, 3], zero_division=0)
    present = [recall[label] for label in set(labels)]
    assert evaluation.unweighted_accuracy(labels, answers) == pytest.approx(100 * np.mean(present))
    counts = audmetric.confusion_matrix(labels, answers, labels=[0, 1, 2, 3])
    assert evaluation.confusion(labels, answers).tolist() == counts


def test_every_published_record_has_the_scores_of_its_confusion_and_the_counts_of_its_split():
    for record in results.read(results.published()):
        counts = np.array(record["confusion"])
        recall = np.diag(counts)[counts.any(1)] / counts.sum(1)[counts.any(1)]
        assert record["wa"] == pytest.approx(100 * np.trace(counts) / counts.sum())
        assert record["ua"] == pytest.approx(100 * recall.mean())
        assert counts.sum() == record["utterances"]["test"]


# --- the readings, beside Keras -------------------------------------------------------------------------

KERAS = json.loads((Path(__file__).parents[1] / "benchmarks" / "keras_readings.json").read_text())
ON = {
    "tensorflow": {"zeros": "fused", "softmax_bce": "sigmoid_bce"},
    "torch": {"zeros": "zero"},
    "jax": {"zeros": "zero"},
}
"""What a backend makes of four zeros under categorical cross-entropy; and that TensorFlow's goes back from any
activation to its logits, so that binary cross-entropy over a softmax is computed as if over four sigmoids."""


@pytest.mark.parametrize("backend", KERAS)
def test_each_reading_is_what_keras_computes_where_findings_say_so(backend):
    """Loss and gradient by the logits, for real labels and for negatives; Keras clips probabilities at 1e-7."""
    answers = KERAS[backend]["answers"]
    z = torch.tensor(KERAS["tensorflow"]["logits"], dtype=torch.float64)
    for name, found in answers.items():
        reading = objectives.OBJECTIVES[ON[backend].get(name, name)]
        labels = torch.tensor(found["labels"])
        for kind, loss in (("real", lambda x, r=reading, y=labels: r.real(x, y)), ("fake", reading.fake)):
            x = z.clone().requires_grad_()
            value = loss(x)
            value.backward()
            np.testing.assert_allclose(found[kind]["gradient"], x.grad, atol=2e-6, err_msg=f"{name}, {kind}")
            if (name, kind, backend) == ("zeros", "fake", "tensorflow"):
                assert found[kind]["loss"] == 0.0  # what Keras says of `fused`, while the weights move
            else:
                assert found[kind]["loss"] == pytest.approx(value.item(), abs=2e-6), (name, kind)


# --- LSTM and attention, step by step -------------------------------------------------------------------


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_by_hand(x, w, u, b, gate=sigmoid):
    """One direction over one utterance `(time, 32)`; gates in PyTorch's order: in, forget, candidate, out."""
    h = c = np.zeros(u.shape[1])
    states = []
    for frame in x:
        i, f, g, o = np.split(w @ frame + u @ h + b, 4)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def logits_by_hand(x, weights, blstm=True, gate=sigmoid):
    """The discriminator's answer to one utterance, from its equations (section 3.3; eqs. 2 to 4)."""
    w = {name: weight.double().numpy() for name, weight in weights.items()}
    h = x
    if blstm:
        ways = [[w[f"blstm.{way}.{part}"] for part in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]
                for way in ("forwards", "backwards")]  # fmt: skip
        forwards, backwards = (
            lstm_by_hand(some, a, u, b + b_2, gate)
            for some, (a, u, b, b_2) in zip((x, x[::-1]), ways, strict=True)
        )
        h = np.hstack([forwards, backwards[::-1]])
    f = (
        np.tanh(h @ w["attention.project.weight"].T + w["attention.project.bias"])
        @ w["attention.score.weight"][0]
    )
    alpha = np.exp(f) / np.exp(f).sum()
    hidden = w["head.0.weight"] @ (alpha @ h) + w["head.0.bias"]
    return w["head.2.weight"] @ np.where(hidden > 0, hidden, 0.2 * hidden) + w["head.2.bias"]


@pytest.mark.parametrize("blstm", [True, False])
@pytest.mark.parametrize("gates", ["sigmoid", "hard"])
def test_the_discriminator_is_its_equations_step_by_step(blstm, gates):
    torch.manual_seed(1)
    network = Discriminator(blstm, lstm=5, attention=4, dense=6, gates=gates)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn_like(weight))  # biases too, the second of each gate as well
    x, lengths = torch.randn(4, 11, 32), torch.tensor([11, 1, 7, 4])
    found = network(x, lengths).detach().numpy()
    gate = sigmoid if gates == "sigmoid" else lambda a: np.clip(0.2 * a + 0.5, 0, 1)
    assert not blstm or isinstance(network.blstm.forwards, HardLSTM) == (gates == "hard")
    for row, length, logits in zip(x.double().numpy(), lengths, found, strict=True):
        expected = logits_by_hand(row[:length], network.state_dict(), blstm, gate)
        np.testing.assert_allclose(logits, expected, atol=1e-5)


# --- splits -------------------------------------------------------------------------------------------

SESSIONS = [
    (229, 384, 135, 194),
    (137, 362, 117, 197),
    (240, 320, 135, 305),
    (327, 258, 65, 143),
    (170, 384, 143, 245),
]
"""IEMOCAP's four classes, in the order of `EMOTIONS`, by session."""


@pytest.mark.parametrize(("classes", "train"), [
    ((1103, 1708, 595, 1084), (772, 1195, 416, 758)),  # IEMOCAP: the paper's Table 1
    ((749, 809, 749, 769), (524, 566, 524, 538)),  # nEMO
    ((192, 96, 192, 192), (134, 67, 134, 134)),  # RAVDESS
    ((127, 79, 71, 62), (88, 55, 49, 43)),  # EmoDB
])  # fmt: skip
def test_the_random_split_has_exactly_these_counts(classes, train):
    labels = np.repeat(range(4), classes)
    split = data.paper_split(labels, seed=5)
    assert np.bincount(labels[split.train]).tolist() == list(train)
    assert np.bincount(labels[split.test]).tolist() == [a - b for a, b in zip(classes, train, strict=True)]
    assert len(split.validation) == 0


def test_iemocaps_folds_are_its_sessions_with_exactly_these_counts():
    table = pd.concat([
        pd.DataFrame({"session": str(number), "speaker": [f"{number}{'FM'[i % 2]}" for i in range(sum(counts))],
                      "emotion": np.repeat(EMOTIONS, counts)})
        for number, counts in enumerate(SESSIONS, 1)
    ])  # fmt: skip
    assert len(table) == 4490
    for fold, counts in enumerate(SESSIONS):
        split = data.speaker_split(table, fold)
        assert table["emotion"].iloc[split.test].value_counts()[list(EMOTIONS)].tolist() == list(counts)
        assert len(split.validation) == sum(SESSIONS[(fold + 1) % 5])
        assert [len(part) for part in split].count(0) == 0 and sum(map(len, split)) == 4490


@pytest.mark.parametrize(
    ("speakers", "each", "folds", "test"), [(9, 300, 9, 300), (24, 28, 8, 84), (10, 34, 10, 34)]
)
def test_speaker_folds_have_exactly_these_counts(speakers, each, folds, test):
    """nEMO's 9 and EmoDB's 10 speakers are left out one by one, RAVDESS's 24 in 8 groups of 3."""
    table = pd.DataFrame({"speaker": np.repeat([f"{n:02}" for n in range(speakers)], each), "session": ""})
    for fold in range(folds):
        parts = [len(part) for part in data.speaker_split(table, fold)]
        assert parts == [speakers * each - 2 * test, test, test]


# --- statistics ---------------------------------------------------------------------------------------

DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Crossed minus self-fertilised maize, eighths of an inch: the example of Fisher's The Design of Experiments."""


def test_fishers_analysis_of_darwins_maize():
    mean, low, high = evaluation.interval(DARWIN)
    assert (mean, low, high) == pytest.approx((20.933, 0.031, 41.836), abs=2e-3)
    assert evaluation.p_value(DARWIN) == pytest.approx(0.0497, abs=1e-4)  # Fisher: t = 2.148
    assert evaluation.sign_flip(DARWIN) == pytest.approx(1726 / 32768, abs=0.007)  # Fisher counted all 32,768
    assert evaluation.verdict(DARWIN, bound=40) == "different, but within 40"


small = st.lists(st.floats(-9, 9).map(lambda x: round(x, 2)), min_size=3, max_size=12).filter(
    lambda x: np.std(x) > 0.1
)


@given(small, st.floats(0.5, 0.99))
def test_interval_and_p_are_scipys(values, confidence):
    theirs = stats.ttest_1samp(values, 0)
    low, high = theirs.confidence_interval(confidence)
    assert evaluation.interval(values, confidence) == pytest.approx((np.mean(values), low, high), abs=1e-9)
    assert evaluation.p_value(values) == pytest.approx(theirs.pvalue, abs=1e-9)
    above = stats.ttest_1samp(values, 1.5, alternative="greater").pvalue
    assert evaluation.estimate(values).p_above(1.5) == pytest.approx(above, abs=1e-9)


@given(st.integers(2, 14), st.data())
def test_sign_flips_of_equal_values_are_scipys_binomial_test(n, more):
    positive = more.draw(st.integers(0, n))
    values = [1.0] * positive + [-1.0] * (n - positive)
    assert evaluation.sign_flip(values) == pytest.approx(stats.binomtest(positive, n).pvalue)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=9), st.lists(st.integers(0, 5), min_size=1, max_size=9)
)
def test_rejection_is_scipys_mann_whitney_u(known, unseen):
    u = (
        stats.mannwhitneyu(known, unseen, method="asymptotic").statistic
        if len({*known, *unseen}) > 1
        else None
    )
    expected = 0.5 if u is None else u / (len(known) * len(unseen))
    assert evaluation.rejection(known, unseen) == pytest.approx(expected)


@pytest.mark.parametrize(("sd", "units"), [(1.0, 4), (2.0, 8), (3.0, 20)])
def test_power_is_scipys_noncentral_t(sd, units):
    df, edge, shift = units - 1, stats.t.isf(0.025, units - 1), 1.86 / sd * np.sqrt(units)
    expected = stats.nct.sf(edge, df, shift) + stats.nct.cdf(-edge, df, shift)
    assert evaluation.power(1.86, sd, units) == pytest.approx(expected, abs=2e-4)


# --- one whole run, in plain PyTorch and NumPy ------------------------------------------------------------


def plain_run(
    sequences, labels, seed, *, reading, frames, lstm, attention, dense, latent, generator, epochs, batch, lr
):
    """BAGM on a random split: curve, weights and confusion. Nothing of sergan, no padding, no masks, no batches.

    Each utterance goes through the discriminator by itself, so that there is nothing to mask.
    """
    nn = torch.nn

    def stream(name):
        return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big")

    # The split: a permutation of each class, its first part to test
    train, test = [], []
    for label in range(4):
        rows = np.flatnonzero(labels == label)
        keep = 7 * len(rows) // 10
        mixed = rows[np.random.RandomState(stream("split")).permutation(len(rows))]
        test += mixed[: len(rows) - keep].tolist()
        train += mixed[len(rows) - keep :].tolist()
    train, test = sorted(train), sorted(test)

    # Scaling to [-1, 1] by what is learnt from
    sequences = [sequence[:frames] for sequence in sequences]
    seen = np.concatenate([sequences[row] for row in train])
    low, high = seen.min(0), seen.max(0)
    x = [torch.from_numpy(((s - low) / (high - low) * 2 - 1).astype(np.float32)) for s in sequences]

    # The networks, born as Keras would have them
    def born(layers):
        for layer in layers:
            if isinstance(layer, nn.LSTM):
                nn.init.xavier_uniform_(layer.weight_ih_l0)
                nn.init.orthogonal_(layer.weight_hh_l0)
                layer.bias_ih_l0.data = torch.tensor([0.0] * lstm + [1.0] * lstm + [0.0] * 2 * lstm)
                layer.bias_hh_l0.data.zero_()
                layer.bias_hh_l0.requires_grad_(False)
            elif isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    layer.bias.data.zero_()
        return layers

    torch.manual_seed(stream("discriminator"))
    d = born([nn.LSTM(32, lstm), nn.LSTM(32, lstm), nn.Linear(2 * lstm, attention),
              nn.Linear(attention, 1, bias=False), nn.Linear(2 * lstm, dense), nn.Linear(dense, 4)])  # fmt: skip
    torch.manual_seed(stream("generator"))
    widths = [latent, *generator]
    g = [nn.Linear(a, b) for a, b in zip(widths, [*generator, 32 * frames], strict=True)]
    norms = [nn.BatchNorm1d(width, eps=1e-3, momentum=0.2) for width in generator]
    born(g)

    def answer(utterances):
        logits = []
        for one in utterances:
            h = torch.cat([d[0](one)[0], d[1](one.flip(0))[0].flip(0)], dim=1)
            alpha = d[3](torch.tanh(d[2](h))).softmax(0)
            hidden = d[4]((alpha * h).sum(0))
            logits.append(d[5](torch.where(hidden > 0, hidden, 0.2 * hidden)))
        return torch.stack(logits)

    def generated(rows, learning):
        z = torch.randn(len(rows), latent, generator=noise)
        lengths = [len(x[rows[i]]) for i in torch.randperm(len(rows), generator=noise)]
        for dense_layer, norm in zip(g, norms, strict=False):
            norm.train(learning)
            z = norm(nn.functional.leaky_relu(dense_layer(z), 0.2))
        return [one[:n] for one, n in zip(torch.tanh(g[-1](z)).view(-1, frames, 32), lengths, strict=True)]

    def cross_entropy(z, rows):
        return (torch.log(torch.exp(z).sum(1)) - z[range(len(rows)), labels[rows]]).mean()

    class Adam:
        def __init__(self, layers):
            self.weights = [w for layer in layers for w in layer.parameters() if w.requires_grad]
            self.m, self.v = ([torch.zeros_like(w) for w in self.weights] for _ in range(2))
            self.t = 0

        def step(self, gradients):
            self.t += 1
            for w, m, v, gradient in zip(self.weights, self.m, self.v, gradients, strict=True):
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient**2)
                root = (v / (1 - 0.999**self.t)).sqrt()
                w.data -= lr * (m / (1 - 0.9**self.t)) / (root + 1e-7)

        def learn(self, loss):
            gradients = torch.autograd.grad(loss, self.weights)
            self.step(gradients)
            return torch.sqrt(sum((gradient**2).sum() for gradient in gradients))

    d_adam, g_adam = (
        Adam(d),
        Adam([layer for pair in zip(g, [*norms, nn.Identity()], strict=True) for layer in pair]),
    )
    order, noise = (torch.Generator().manual_seed(stream(name)) for name in ("order", "noise"))
    curve = []
    for _ in range(epochs):
        steps = []
        for picked in torch.randperm(len(train), generator=order).split(batch):
            rows = [train[i] for i in picked]
            real = cross_entropy(answer([x[row] for row in rows]), rows)
            entry = {"loss_real": real, "real": d_adam.learn(real)}
            if reading == "fused":
                fake = torch.log(
                    torch.exp(answer([one.detach() for one in generated(rows, False)])).sum(1)
                ).mean()
                entry |= {"loss_fake": fake, "fake": d_adam.learn(fake)}
            else:  # zero: an Adam step on a gradient of nothing
                d_adam.step([torch.zeros_like(w) for w in d_adam.weights])
                entry |= {"loss_fake": torch.zeros(()), "fake": torch.zeros(())}
            entry["loss_generator"] = cross_entropy(answer(generated(rows, True)), rows)
            g_adam.learn(entry["loss_generator"])
            steps.append({name: value.item() for name, value in entry.items()})
        mean = {name: np.mean([step[name] for step in steps]) for name in steps[0]}
        mean["gradient_ratio"] = mean.pop("fake") / mean.pop("real")
        answers = answer([x[row] for row in test]).argmax(1).numpy()
        right = [(answers == label)[labels[test] == label].mean() for label in range(4)]
        mean |= {"wa": 100 * (answers == labels[test]).mean(), "ua": 100 * np.mean(right)}
        curve.append(mean)
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (labels[test], answers), 1)
    return curve, counts, d, answer([x[row] for row in test])


@pytest.mark.parametrize("reading", ["fused", "zero"])
def test_a_whole_run_is_that_of_a_plain_program(reading):
    sizes = {"frames": 20, "lstm": 5, "attention": 4, "dense": 6, "latent": 7, "generator": (8, 9), "epochs": 3,
             "batch": 16, "lr": 1e-2}  # fmt: skip
    dataset = random_dataset(shift=0.3)
    changes = {name: ",".join(map(str, v)) if isinstance(v, tuple) else str(v) for name, v in sizes.items()}
    one = experiments.plan(dataset, preset="demo", ablations=["BAGM"], objectives=[reading], seeds=[3],
                           changes=changes | {"every": "1"}, baselines=False)  # fmt: skip
    record, arrays, weights = experiments.run(one[0], dataset)
    with torch.random.fork_rng():
        curve, counts, d, logits = plain_run(dataset.sequences, dataset.labels, 3, reading=reading, **sizes)
    assert record["steps"] == 9 and len(record["curve"]) == 3
    for ours, theirs in zip(record["curve"], curve, strict=True):
        assert {name: ours[name] for name in theirs} == pytest.approx(theirs, rel=3e-4, abs=1e-5)
    assert record["confusion"] == counts.tolist()
    assert (record["wa"], record["ua"]) == pytest.approx((curve[-1]["wa"], curve[-1]["ua"]))
    np.testing.assert_allclose(arrays["logits"], logits.detach(), atol=2e-3)  # kept in 16 bits
    theirs = [weight.detach() for layer in d for weight in layer.parameters()]
    for ours, expected in zip(weights["discriminator"].values(), theirs, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-3)
