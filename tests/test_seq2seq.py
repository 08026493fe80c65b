"""Sequence to sequence: the network, its loss, and mixing both sides with one mix."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import Mix, datasets, draw_dirichlet, draw_mixup, fit, mixed_loss, no_mix
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import Seq2Seq, mixed_sequences
from mixup_lib.text.sequences import BOS, EOS, PAD, sequence_loss, sequence_scores, word_dropout

PLACES = ("embedding", "hidden")


@pytest.fixture(scope="module")
def data():
    return datasets.numbers(seed=0, train=24, validation=8, test=16)


@pytest.fixture(scope="module")
def model(data):
    return initialised(partial(Seq2Seq, len(data.classes), width=16, embedding=8), 0).eval()


def pairs(data, *rows):
    x, y = data.train.tensors
    return x[list(rows)], y[list(rows)]


@pytest.mark.parametrize("place", PLACES)
def test_no_mix_is_the_plain_forward_pass(model, data, place):
    x, _ = pairs(data, 0, 9, 23)
    assert torch.equal(mixed_sequences(model, x, no_mix(3), place), model(x))


@pytest.mark.parametrize("place", PLACES)
def test_partners_of_equal_length_without_weight_change_nothing(model, data, place):
    x, _ = pairs(data, 0, 1, 2)
    mix = Mix(torch.tensor([[0, 1, 2], [2, 0, 1]]), torch.tensor([[1.0] * 3, [0.0] * 3]))
    torch.testing.assert_close(mixed_sequences(model, x, mix, place), model(x))


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=25)
@given(seed=st.integers(0, 99), k=st.integers(2, 4))
def test_mixing_commutes_with_batching(model, data, place, seed, k):
    """Each mixture of a batch is what its own few examples give without the others."""
    generator = torch.Generator().manual_seed(seed)
    x, y = pairs(data, *torch.randperm(24, generator=generator)[:5].tolist())
    mix = draw_dirichlet(5, k, generator=generator)
    with torch.no_grad():
        logits = mixed_sequences(model, x, mix, place)
        for b in range(5):
            index = mix.index[:, b]
            own = Mix(
                (torch.arange(k) + torch.arange(k)[:, None]) % k,
                mix.weights[:, b : b + 1].expand(k, k),
            )
            alone = mixed_sequences(model, x[index], own, place)[0]
            torch.testing.assert_close(alone, logits[b], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=25)
@given(lam=st.floats(0, 1))
def test_everything_is_mixed_alike(model, data, place, lam):
    """lam of a with 1 - lam of b is 1 - lam of b with lam of a: source, decoder, mask, states."""
    x, _ = pairs(data, 0, 20)
    mix = Mix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([[lam, 1 - lam], [1 - lam, lam]]))
    first, second = mixed_sequences(model, x, mix, place)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_padding_changes_nothing(model, data, place):
    x, y = pairs(data, 0, 8, 15, 23)
    mix = draw_mixup(4, per_sample=True, generator=torch.Generator().manual_seed(1))
    loss = mixed_loss(sequence_loss, mixed_sequences(model, x, mix, place), y, mix)
    wide_x, wide_y = F.pad(x, (0, 3)), F.pad(y, (0, 3))
    logits = mixed_sequences(model, wide_x, mix, place)
    torch.testing.assert_close(mixed_loss(sequence_loss, logits, wide_y, mix), loss)
    # What stands in the logits at a place where a target is padded does not count for it.
    noise = logits.detach().clone()
    noise[:, y.shape[1] :] = 1e4
    torch.testing.assert_close(mixed_loss(sequence_loss, noise, wide_y, mix), loss)


@given(st.floats(0, 1), st.integers(0, 99))
def test_the_mixed_loss_is_the_weighted_sum_of_the_two(data, lam, seed):
    generator = torch.Generator().manual_seed(seed)
    _, y = pairs(data, 0, 20)
    logits = torch.randn(2, y.shape[1], len(data.classes), generator=generator)
    mix = Mix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([[lam] * 2, [1 - lam] * 2]))

    def by_hand(logits, target):
        own = target[target != PAD]
        log_p = logits[: len(own)].log_softmax(-1)
        return -sum(log_p[place, word] for place, word in enumerate(own)) / len(own)

    losses = [
        lam * by_hand(logits[b], y[b]) + (1 - lam) * by_hand(logits[b], y[1 - b]) for b in range(2)
    ]
    torch.testing.assert_close(mixed_loss(sequence_loss, logits, y, mix), sum(losses) / 2)


def test_long_and_short_partners_weigh_the_same():
    y = torch.tensor([[5, EOS, PAD, PAD, PAD], [5, 6, 7, 8, EOS]])
    torch.testing.assert_close(sequence_loss(torch.zeros(2, 5, 9), y), torch.full((2,), 9.0).log())


def test_greedy_decoding_stops_at_the_end_mark(model):
    steps = []

    class Scripted(Seq2Seq):
        """Writes 3, 4, EOS, 5, 5, ... for the first sequence and never ends the second."""

        def decode(self, embedded, states, valid, state):
            script = [[3, 6], [4, 6], [EOS, 6], [5, 6 if self.endless else EOS], [5, 6], [5, 6]]
            steps.append(script[len(steps)])
            return F.one_hot(torch.tensor(steps[-1]), 9).float().unsqueeze(1), state

    scripted = Scripted(9)
    source = torch.tensor([[4, 5], [6, PAD]])
    scripted.endless = True
    written = scripted.generate(source, longest=6)
    assert written.tolist() == [[3, 4, EOS, PAD, PAD, PAD], [6] * 6]
    steps.clear()
    scripted.endless = False
    assert scripted.generate(source, longest=6)[1].tolist() == [6, 6, 6, EOS, PAD, PAD]
    assert len(steps) == 4


def test_generation_agrees_with_teacher_forcing(model, data):
    """Fed with its own words, the forward pass names the same words again."""
    source = data.test.tensors[0][:6, 0]
    written = model.generate(source, longest=source.shape[1])
    read = torch.cat([torch.full((6, 1), BOS), written[:, :-1]], 1)
    named = model(torch.stack([source, read], 1)).argmax(-1)
    assert torch.equal(named[written != PAD], written[written != PAD])


@pytest.mark.parametrize("place", PLACES)
def test_fit_learns_a_few_pairs_by_heart(data, place):
    few = TensorDataset(*pairs(data, 0, 6, 12, 23))
    small = initialised(partial(Seq2Seq, len(data.classes), width=32, embedding=16), 0)
    small.train()
    frozen = next(module for module in small.modules() if module is not small)
    frozen.eval()
    before = sequence_scores(small, few)
    assert small.training and not frozen.training  # each part is in its own mode again
    fit(
        small,
        few,
        epochs=80,
        loss=sequence_loss,
        batch_size=4,
        mixing=partial(draw_mixup, alpha=0.1),
        forward=partial(mixed_sequences, place=place),
        optimizer=partial(torch.optim.Adam, lr=0.02),
        progress=False,
    )
    after = sequence_scores(small, few)
    assert before["exact_match"] == 0 and after == {
        "exact_match": 1.0,
        "token_accuracy": 1.0,
        "n": 4,
    }
    assert not small.embedding.weight[PAD].any()


def test_word_dropout_takes_words_from_the_decoder_alone(data):
    x = data.train.tensors[0]
    before = x.clone()
    less = word_dropout(x, torch.Generator().manual_seed(0), p=0.3)
    assert torch.equal(x, before) and torch.equal(less[:, 0], x[:, 0])
    words = (x[:, 1] != BOS) & (x[:, 1] != PAD)
    gone = less[:, 1] != x[:, 1]
    assert not gone[~words].any() and (less[:, 1][gone] == PAD).all()
    assert 0.15 < gone.sum() / words.sum() < 0.45


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda m, x: Seq2Seq(3), ValueError, "vocabulary .* at least 4, got 3"),
        (lambda m, x: Seq2Seq(9, width=7), ValueError, "width must be even, got 7"),
        (lambda m, x: Seq2Seq(9, dropout=1.0), ValueError, "dropout .* got 1.0"),
        (lambda m, x: m(x[:, 0]), ValueError, r"x has shape .* valid is \(B, 2, L\)"),
        (lambda m, x: m(x.float()), TypeError, "x has dtype torch.float32"),
        (lambda m, x: m(x + 99), ValueError, "source go from .* valid are 0 to 42"),
        (lambda m, x: m(torch.zeros_like(x)), ValueError, "at least one real id in every row"),
        (lambda m, x: m(x.flip(2)), ValueError, "PAD=0 inside a sequence"),
        (lambda m, x: m(x[:0]), ValueError, r"source has shape \(0, 10\)"),
        (lambda m, x: m.encode(x[:, 0], x[:, 0] > 0), TypeError, "look ids up first"),
        (lambda m, x: m.generate(x[:, 0], 0), ValueError, "longest .* got 0"),
        (lambda m, x: mixed_sequences(m, x, no_mix(3)), ValueError, "drawn for a batch of 3"),
        (lambda m, x: mixed_sequences(m, x, no_mix(2), "middle"), ValueError, "got 'middle'"),
        (lambda m, x: sequence_loss(m(x), x[:, 0, :3]), ValueError, "logits has shape"),
        (lambda m, x: sequence_loss(m(x), x[:, 0].float()), TypeError, "y has dtype"),
        (lambda m, x: word_dropout(x, p=1.0), ValueError, r"p must lie in \[0, 1\), got 1.0"),
        (lambda m, x: sequence_scores(m, TensorDataset(x[:0], x[:0, 0])), ValueError, "got 0"),
    ],
)
def test_bad_input_is_named(model, data, act, error, words):
    with pytest.raises(error, match=words):
        act(model, pairs(data, 0, 1)[0])
