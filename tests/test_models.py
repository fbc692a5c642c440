import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sergan.models import BLSTM, AttentionPooling, Discriminator, Generator, HardLSTM

SMALL = {"lstm": 6, "attention": 5, "dense": 7}


def batch(lengths, time=None, seed=0, features=32):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor(lengths)
    return torch.randn(len(lengths), time or int(lengths.max()), features, generator=generator), lengths


def count(network):
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


lengths = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@pytest.mark.parametrize("blstm", [True, False])
@settings(max_examples=40)
@given(lengths=lengths, extra=st.integers(0, 6), filling=st.floats(-1e3, 1e3))
def test_padding_never_changes_the_logits(blstm, lengths, extra, filling):
    torch.manual_seed(0)
    network = Discriminator(blstm, **SMALL).eval()
    x, lengths = batch(lengths)
    alone = torch.cat([network(one[None, :n], n[None]) for one, n in zip(x, lengths, strict=True)])
    padded = torch.full((len(x), x.shape[1] + extra, 32), filling)
    padded[:, : x.shape[1]] = x
    for row, n in zip(padded, lengths, strict=True):
        row[n:] = filling
    torch.testing.assert_close(network(padded, lengths), alone, atol=1e-5, rtol=1e-5)


def test_without_the_mask_padding_changes_the_logits():
    network = Discriminator(masked=False, **SMALL).eval()
    x, lengths = batch([4, 9])
    before = network(x, lengths)[0]
    x[0, 4:] += 1
    assert (network(x, lengths)[0] - before).abs().max() > 1e-3
    alpha = network(x, lengths, attention=True)[1]
    assert (alpha > 0).all()  # attention is paid to padding too
    assert network.blstm.masked is network.attention.masked is False
    assert network.attention.score.in_features == SMALL["attention"]


@settings(max_examples=40)
@given(lengths=lengths)
def test_attention_sums_to_one_over_speech_and_is_zero_on_padding(lengths):
    x, lengths = batch(lengths, time=10)
    _, alpha = Discriminator(**SMALL)(x, lengths, attention=True)
    torch.testing.assert_close(alpha.sum(dim=1), torch.ones(len(x)))
    assert all((row[n:] == 0).all() for row, n in zip(alpha, lengths, strict=True))


@settings(max_examples=20)
@given(order=st.permutations(range(5)))
def test_permuting_a_batch_permutes_the_logits(order):
    torch.manual_seed(0)
    network = Discriminator(**SMALL).eval()
    x, lengths = batch([3, 9, 1, 5, 7])
    order = torch.tensor(order)
    torch.testing.assert_close(network(x[order], lengths[order]), network(x, lengths)[order])


def test_blstm_equals_packed_sequences():
    torch.manual_seed(0)
    ours, theirs = BLSTM(32, 6), torch.nn.LSTM(32, 6, batch_first=True, bidirectional=True)
    state = {}
    for suffix, layer in (("", ours.forwards), ("_reverse", ours.backwards)):
        state |= {name + suffix: weight for name, weight in layer.state_dict().items()}
    theirs.load_state_dict(state)
    x, lengths = batch([9, 2, 6])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
    found = ours(x, lengths)
    for one, other, n in zip(found, expected, lengths, strict=True):
        torch.testing.assert_close(one[:n], other[:n], atol=1e-6, rtol=1e-6)


def test_unmasked_blstm_equals_a_plain_padded_layer():
    torch.manual_seed(0)
    ours, theirs = BLSTM(32, 6, masked=False), torch.nn.LSTM(32, 6, batch_first=True, bidirectional=True)
    for suffix, layer in (("", ours.forwards), ("_reverse", ours.backwards)):
        for name, weight in layer.state_dict().items():
            getattr(theirs, name + suffix).data.copy_(weight)
    x, lengths = batch([9, 2, 6])
    torch.testing.assert_close(ours(x, lengths), theirs(x)[0], atol=1e-6, rtol=1e-6)


def test_attention_is_equations_2_to_4():
    pool = AttentionPooling(3, 4)
    h, lengths = batch([5, 3], features=3)
    v, alpha = pool(h, lengths)
    w, b, u = pool.project.weight.detach().numpy(), pool.project.bias.detach().numpy(), pool.score.weight
    for row, n, found_v, found_alpha in zip(h.numpy(), lengths, v, alpha, strict=True):
        f = np.array([u.detach().numpy()[0] @ np.tanh(w @ frame + b) for frame in row[:n]])  # eq. 2
        expected = np.exp(f) / np.exp(f).sum()  # eq. 3
        np.testing.assert_allclose(found_alpha.detach()[:n], expected, rtol=1e-5)
        np.testing.assert_allclose(found_v.detach(), expected @ row[:n], rtol=1e-5)  # eq. 4


def test_hard_gates_are_keras_before_2_3():
    torch.manual_seed(0)
    layer = HardLSTM(2, 3, batch_first=True)
    x = torch.randn(1, 4, 2)
    w, u = layer.weight_ih_l0.detach().numpy(), layer.weight_hh_l0.detach().numpy()
    bias = (layer.bias_ih_l0 + layer.bias_hh_l0).detach().numpy()
    h = c = np.zeros(3)
    for frame in x[0].numpy():
        a = w @ frame + u @ h + bias
        i, f, g, o = a[:3], a[3:6], a[6:9], a[9:]
        hard = lambda a: np.clip(0.2 * a + 0.5, 0, 1)  # noqa: E731
        c = hard(f) * c + hard(i) * np.tanh(g)
        h = hard(o) * np.tanh(c)
    np.testing.assert_allclose(layer(x)[0][0, -1].detach(), h, atol=1e-6)


def test_the_papers_sizes():
    bam, am, generator = Discriminator(), Discriminator(blstm=False), Generator()
    assert bam.head[0].in_features == 512  # the context vector (section 3.3)
    assert am.head[0].in_features == 32
    lstm = 2 * 4 * 256 * (32 + 256 + 1)  # one bias a gate, as Keras has it
    attention, head = 512 * 512 + 512 + 512, 512 * 512 + 512 + 512 * 4 + 4
    assert count(bam) == lstm + attention + head
    assert generator.layers[-2].weight.shape == (512 * 32, 1024)  # 16.8 M weights
    assert generator(torch.randn(2, 100)).shape == (2, 512, 32)
    widths = [layer.out_features for layer in generator.layers if isinstance(layer, torch.nn.Linear)]
    assert widths == [256, 512, 1024, 512 * 32]


@pytest.mark.parametrize(
    ("output", "last"), [("tanh", "Tanh"), ("linear", "Linear"), ("literal", "BatchNorm1d")]
)
def test_the_generators_output_is_an_option(output, last):
    generator = Generator(frames=4, sizes=(8,), output=output)
    assert type(generator.layers[-1]).__name__ == last
    norms = [layer for layer in generator.layers if isinstance(layer, torch.nn.BatchNorm1d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.2)}  # Keras's 0.8 is PyTorch's 0.2
    slopes = {layer.negative_slope for layer in generator.layers if isinstance(layer, torch.nn.LeakyReLU)}
    assert slopes == {0.2}


def test_keras_initialisation():
    torch.manual_seed(0)
    network = Discriminator(lstm=16, attention=8, dense=8)
    lstm = network.blstm.forwards
    limit = np.sqrt(6 / (32 + 4 * 16))  # Glorot, over Keras's kernel (32, 4 * 16)
    assert lstm.weight_ih_l0.abs().max() <= limit
    assert lstm.weight_ih_l0.abs().max() > 0.95 * limit
    recurrent = lstm.weight_hh_l0.detach()  # (4 * 16, 16)
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(16), atol=1e-5, rtol=0)
    assert lstm.bias_ih_l0.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32  # the forget gate is second
    assert not lstm.bias_hh_l0.requires_grad and (lstm.bias_hh_l0 == 0).all()
    assert (network.head[0].bias == 0).all()
    assert (Discriminator(**SMALL, init="torch").head[0].bias != 0).any()


def test_keras_initialisation_of_dense_layers_in_both_networks():
    """Glorot's limit, sqrt(6 / (in + out)), reached and not passed; biases 0. PyTorch's own start otherwise."""
    torch.manual_seed(0)
    for born in (
        Generator(frames=4, sizes=(40,)),
        Discriminator(False, attention=40, dense=60),
        Discriminator(lstm=16, attention=40, dense=60),
    ):
        for layer in born.modules():
            if isinstance(layer, torch.nn.Linear) and layer.weight.numel() > 100:
                limit = np.sqrt(6 / sum(layer.weight.shape))
                assert 0.9 * limit < layer.weight.abs().max() <= limit
                assert layer.bias is None or (layer.bias == 0).all()
    ours, theirs = Generator(frames=4, sizes=(40,), init="torch").layers[0], torch.nn.Linear(100, 40)
    assert (ours.bias != 0).any() and ours.weight.abs().max() <= 1 / np.sqrt(100) + 1e-6
    for network in (Generator, Discriminator):
        with pytest.raises(KeyError, match="pytorch"):
            network(init="pytorch")
    assert theirs.weight.shape == ours.weight.shape


def test_a_generator_has_the_sizes_that_it_was_asked_for():
    generator = Generator(frames=4, features=3, latent=5, sizes=(6, 7))
    shapes = [tuple(layer.weight.shape) for layer in generator.layers if isinstance(layer, torch.nn.Linear)]
    assert shapes == [(6, 5), (7, 6), (12, 7)] and generator.latent == 5 and generator.shape == (4, 3)
    assert generator(torch.randn(2, 5)).shape == (2, 4, 3)
    kinds = [type(layer).__name__ for layer in generator.layers]
    assert kinds == ["Linear", "LeakyReLU", "BatchNorm1d"] * 2 + ["Linear", "Tanh"]
    literal = [type(layer).__name__ for layer in Generator(frames=2, sizes=(6,), output="literal").layers]
    assert literal == ["Linear", "LeakyReLU", "BatchNorm1d"] * 2
    assert Generator(frames=2, sizes=(6,), output="literal").layers[-1].num_features == 64
    with pytest.raises(KeyError):
        Generator(output="sigmoid")


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("blstm", [True, False])
def test_everything_stays_on_the_device_of_the_data(blstm, masked):
    """On the device "meta" nothing is computed, and nothing may come from another one."""
    network, x = Discriminator(blstm, masked=masked, **SMALL).to("meta"), torch.empty(2, 5, 32, device="meta")
    assert network(x).device.type == "meta" and network(x).shape == (2, 4)
    logits, alpha = network(x, torch.empty(2, dtype=torch.long, device="meta"), attention=True)
    assert (logits.device.type, alpha.device.type, alpha.shape) == ("meta", "meta", (2, 5))


def test_without_lengths_every_frame_counts():
    torch.manual_seed(0)
    network = Discriminator(**SMALL).eval()
    x, _ = batch([6, 6])
    assert torch.equal(network(x), network(x, torch.tensor([6, 6])))
    assert not torch.equal(network(x), network(x, torch.tensor([6, 5])))
