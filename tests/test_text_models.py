"""Text models: padding changes nothing, a mix goes where it is told, bad input is named."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mixup_lib import draw_dirichlet, draw_mixup, no_mix
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import PLACES, BiLSTM, SentenceCNN, mix_at

MODELS = {
    "bilstm": partial(BiLSTM, 30, 3, dim=8, hidden=6, dropout=0.0),
    "cnn": partial(SentenceCNN, 30, 3, dim=8, filters=4, dropout=0.0),
}


def batch(lengths=(7, 2, 1, 5), width=7, seed=0):
    ids = torch.zeros(len(lengths), width, dtype=torch.long)
    generator = torch.Generator().manual_seed(seed)
    for row, length in zip(ids, lengths):
        row[:length] = torch.randint(1, 30, (length,), generator=generator)
    return ids


@pytest.fixture(params=MODELS)
def model(request):
    return initialised(MODELS[request.param], 0)


@pytest.fixture
def mix():
    return draw_mixup(4, per_sample=True, partners=torch.tensor([1, 2, 3, 0]))


@pytest.mark.parametrize("place", PLACES)
def test_more_padding_changes_nothing(model, mix, place):
    """Not the logits, and not the gradients: padding leaks nowhere."""
    ids = batch()
    wide = torch.nn.functional.pad(ids, (0, 5))
    assert torch.equal(model(ids, mix, place), model(wide, mix, place))
    # A longer sentence elsewhere in the batch pads the others, and must not change them either.
    alone = model(ids[:2], draw_mixup(2, partners=torch.tensor([1, 0])), place)
    longer = torch.cat([wide[:2], batch((12, 11), 12)])
    pair = draw_mixup(2, partners=torch.tensor([1, 0]))
    both = draw_mixup(4, partners=torch.tensor([1, 0, 3, 2]))
    both.weights[:] = pair.weights[:, :1]
    torch.testing.assert_close(model(longer, both, place)[:2], model(ids[:2], pair, place))
    assert not torch.equal(alone, model(ids[:2], place=place)), "the mix changed nothing"


@pytest.mark.parametrize("place", PLACES)
def test_mixing_commutes_with_the_order_of_the_batch(model, mix, place):
    ids, order = batch(), torch.tensor([2, 0, 3, 1])
    where = order.argsort()
    moved = draw_mixup(4, per_sample=True, partners=where[mix.index[1][order]])
    moved.weights[:] = mix.weights[:, order]
    torch.testing.assert_close(model(ids[order], moved, place), model(ids, mix, place)[order])


@pytest.mark.parametrize("place", PLACES)
def test_no_mix_and_whole_weight_are_the_plain_pass(model, place):
    ids = batch()
    assert torch.equal(model(ids, no_mix(4), place), model(ids))
    partner = draw_mixup(4, partners=torch.tensor([1, 2, 3, 0]))
    partner.weights[0], partner.weights[1] = 0.0, 1.0
    if place == "sentence":
        torch.testing.assert_close(model(ids, partner, place), model(ids)[[1, 2, 3, 0]])


def test_the_sentence_place_mixes_linearly(model, mix):
    """The classifier is linear, so mixing just before it mixes the logits."""
    ids = batch()
    torch.testing.assert_close(model(ids, mix, "sentence"), mix.inputs(model(ids)))
    assert not torch.allclose(model(ids, mix, "hidden"), mix.inputs(model(ids)), atol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_three_sentences_mix_too(model, place):
    assert model(batch(), draw_dirichlet(4, k=3), place).isfinite().all()


def test_a_mixture_is_as_long_as_its_longest_sentence(model):
    """The last words of the longer partner reach the short sentence's mixture."""
    ids = batch((2, 7), 7)
    mix = draw_mixup(2, partners=torch.tensor([1, 0]))
    changed = ids.clone()
    changed[1, 6] = ids[1, 6] % 29 + 1
    # Over many features, the maximum depends on the last position somewhere.
    model = initialised(partial(type(model), 30, 3, dim=8, dropout=0.0), 0)
    for place in ("embedding", "hidden"):
        assert not torch.equal(model(ids, mix, place)[0], model(changed, mix, place)[0])


def test_bilstm_gives_the_states_of_packed_sequences():
    model, ids = initialised(MODELS["bilstm"], 0), batch()
    packed = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
    weights = dict(model.rightward.named_parameters())
    weights |= {f"{name}_reverse": p for name, p in model.leftward.named_parameters()}
    packed.load_state_dict(weights)
    x, valid = model.embedding(ids), ids != 0
    pieces = pack_padded_sequence(x, valid.sum(1), batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(packed(pieces)[0], batch_first=True)
    torch.testing.assert_close(model.read(x, valid)[0], expected)


def test_padding_vectors_stay_zero(model, mix):
    mix_at(model, batch(), mix, "embedding").sum().backward()
    assert not model.embedding.weight[0].any() and not model.embedding.weight.grad[0].any()


def test_bad_input_is_named(model, mix):
    ids = batch()
    with pytest.raises(ValueError, match=r"place must be one of .*, got 'logits'"):
        mix_at(model, ids, mix, "logits")
    with pytest.raises(TypeError, match="ids has dtype torch.float32; valid are integer token ids"):
        model(model.embedding(ids).sum(2))
    with pytest.raises(ValueError, match=r"ids has shape \(4,\); valid is \(B, T\)"):
        model(ids[:, 0])
    ids[2] = 0
    with pytest.raises(ValueError, match=r"ids\[2\] holds padding alone"):
        model(ids)
    with pytest.raises(ValueError, match="the mix was drawn for a batch of 4"):
        model(batch()[:3], mix)
    for wrong in ({"vocabulary": 1}, {"classes": 0}, {"dim": 0}, {"dropout": 1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            type(model)(**({"vocabulary": 30, "classes": 2} | wrong))
