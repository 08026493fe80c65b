"""Token ids: averaged as numbers (listing L12), and padding that counts as text."""

import torch

from .judge import same

TITLE = "Token ids"
FLIP = {
    "real = mask": "real = ~mask",
    "    mask = real\n": "    mask = ~real\n",
    "return mixed, covered": "return mixed, ~covered",
    "(new_mask, covered)": "(new_mask, ~covered)",
}
MEANS = {False: "a real token", True: "padding"}


def text(flip: bool) -> str:
    both = "both texts have padding" if flip else "at least one text has a real token"
    return f"""\
A token id is a name, as a class number is. The article's L12 averages ids. What can be
mixed are the vectors that an embedding gives for them.

**Interface:** `mix(ids, mask, embed, partner, lam) -> mixed, mask`

- `ids`: int64 `(B, L)`, batch first, filled up to length `L` with id 0;
- `mask`: bool `(B, L)`, True means **{MEANS[flip]}**;
- `embed`: an `nn.Embedding` without `padding_idx`: id 0 has a vector, too;
- `partner`: int64 `(B,)`, positions in the batch;
- `lam`: float32 `(B,)`, for each example the weight of the example itself;
- `mixed`: float32 `(B, L, D)`; the second result: bool `(B, L)`, same meaning as `mask`.

**Promises:** position `t` of row `i` is the weighted sum of the two vectors there. Where
one of the two texts has padding, it contributes a zero vector, and the weight of the other
stays as it is. In the new mask a position is {MEANS[flip]} where {both}."""


def masked_lerp(ids, mask, embed, partner, lam):
    """Vectors with padding set to zero, then a weighted mean."""
    real = mask
    vectors = embed(ids) * real[..., None]
    mixed = torch.lerp(vectors[partner], vectors, lam[:, None, None])
    covered = real | real[partner]
    return mixed, covered


def filled(ids, mask, embed, partner, lam):
    """Padding filled with zeros in place of a product."""
    real = mask
    vectors = embed(ids).masked_fill(~real[..., None], 0.0)
    mixed = torch.einsum("b,bld->bld", lam, vectors)
    mixed = mixed + torch.einsum("b,bld->bld", 1 - lam, vectors[partner])
    covered = (real.int() + real[partner].int()) > 0
    return mixed, covered


def two_lookups(ids, mask, embed, partner, lam):
    """The partner's ids are looked up themselves."""
    real = mask
    a = lam[:, None] * real
    b = (1 - lam)[:, None] * real[partner]
    mixed = a[..., None] * embed(ids) + b[..., None] * embed(ids[partner])
    covered = torch.logical_or(real, real[partner])
    return mixed, covered


def loop(ids, mask, embed, partner, lam):
    """One text after the other."""
    real = mask
    vectors = torch.where(real[..., None], embed(ids), torch.zeros(()))
    rows = [lam[i] * vectors[i] + (1 - lam[i]) * vectors[j] for i, j in enumerate(partner)]
    mixed = torch.stack(rows)
    covered = torch.stack([real[i] | real[j] for i, j in enumerate(partner)])
    return mixed, covered


def averaged(ids, mask, embed, partner, lam):
    """Ids are averaged, rounded and looked up."""
    real = mask
    lam = lam[:, None]
    ids = (lam * ids + (1 - lam) * ids[partner]).round().long()
    covered = real | real[partner]
    mixed = embed(ids) * covered[..., None]
    return mixed, covered


def padding_counts(ids, mask, embed, partner, lam):
    """The vector of the padding is mixed in."""
    real = mask
    vectors = embed(ids)
    mixed = torch.lerp(vectors[partner], vectors, lam[:, None, None])
    covered = real | real[partner]
    return mixed, covered


def own_mask(ids, mask, embed, partner, lam):
    """The example's own mask is returned, as if its partner had no longer text."""
    real = mask
    vectors = embed(ids) * real[..., None]
    mixed = torch.lerp(vectors[partner], vectors, lam[:, None, None])
    covered = real
    return mixed, covered


def common_part(ids, mask, embed, partner, lam):
    """Only positions where both texts have tokens are kept in the mask."""
    real = mask
    vectors = embed(ids) * real[..., None]
    mixed = torch.lerp(vectors[partner], vectors, lam[:, None, None])
    covered = real & real[partner]
    return mixed, covered


def unmoved_mask(ids, mask, embed, partner, lam):
    """The partner's vectors are masked by the example's own mask."""
    real = mask
    vectors = embed(ids)
    mixed = torch.lerp(vectors[partner], vectors, lam[:, None, None])
    mixed = mixed * real[..., None]
    covered = real | real[partner]
    return mixed, covered


def full_weight(ids, mask, embed, partner, lam):
    """Where only one text has a token, its vector gets the whole weight."""
    real = mask
    own, other = lam[:, None] * real, (1 - lam)[:, None] * real[partner]
    total = (own + other).clamp(min=1e-12)
    mixed = (own / total)[..., None] * embed(ids)
    mixed = mixed + (other / total)[..., None] * embed(ids[partner])
    covered = real | real[partner]
    return mixed, covered


def exchanged(ids, mask, embed, partner, lam):
    """The two weights are exchanged."""
    real = mask
    vectors = embed(ids) * real[..., None]
    mixed = torch.lerp(vectors, vectors[partner], lam[:, None, None])
    covered = real | real[partner]
    return mixed, covered


CORRECT = {f.__name__: f for f in (masked_lerp, filled, two_lookups, loop)}
BUGS = {
    f.__name__: f
    for f in (averaged, padding_counts, own_mask, common_part, unmoved_mask, full_weight, exchanged)
}
key_fix = masked_lerp


def key_warm_up(specimen):
    """One text has two tokens, the other has one and a place of padding. Say before you run the
    cell what the new mask should be for both."""
    real = torch.tensor([[True, True], [True, False]])
    mask = real
    ids, partner = torch.tensor([[3, 4], [7, 0]]), torch.tensor([1, 0])
    embed, lam = torch.nn.Embedding(9, 1), torch.tensor([0.5, 0.5])
    print(specimen(ids, mask, embed, partner, lam))


def key_test(mix):
    lengths = torch.tensor([3, 5, 1, 4])
    real = torch.arange(5) < lengths[:, None]
    mask = real
    ids = torch.randint(1, 50, (4, 5)) * real
    embed = torch.nn.Embedding(50, 8)
    partner = torch.tensor([1, 2, 3, 0])
    lam = torch.tensor([0.1, 0.3, 0.6, 0.8])
    with torch.no_grad():
        mixed, new_mask = mix(ids, mask, embed, partner, lam)
        for i, j in enumerate(partner):
            for t in range(5):
                expected = torch.zeros(8)
                if t < lengths[i]:
                    expected += lam[i] * embed(ids[i, t])
                if t < lengths[j]:
                    expected += (1 - lam[i]) * embed(ids[j, t])
                assert torch.allclose(mixed[i, t], expected, atol=1e-5)
        covered = real | real[partner]
    assert torch.equal(new_mask, covered)


def compare(mix, lengths, partner, lam, flip):
    """Asserts that random texts of these lengths are mixed as promised."""
    B, L = len(lengths), int(lengths.max())
    real = torch.arange(L) < lengths[:, None]
    ids, embed = torch.randint(1, 30, (B, L)) * real, torch.nn.Embedding(30, 6)
    before = ids.clone()
    mask = ~real if flip else real.clone()
    mask_before = mask.clone()
    with torch.no_grad():
        mixed, new_mask = mix(ids, mask, embed, partner, lam)
        zeroed = embed.weight[ids] * real[..., None]
        expected = lam[:, None, None] * zeroed + (1 - lam[:, None, None]) * zeroed[partner]
    same(mixed, expected, "mixed")
    either = real | real[partner]
    same(new_mask.int(), (~either if flip else either).int(), "the mask")
    assert new_mask.dtype == torch.bool, "The mask is not of dtype bool."
    assert torch.equal(ids, before) and torch.equal(mask, mask_before), "The inputs were changed."


def promise(mix, flip):
    """Texts of several lengths."""
    lengths = torch.tensor([5, 2, 8, 1, 6, 3])
    compare(mix, lengths, torch.arange(6).roll(1), torch.rand(6), flip)


def edges(mix, flip):
    """Own and shared partners, weights of 0 and 1, texts of one length, a single text."""
    lengths, lam = torch.tensor([1, 9, 4, 9, 2, 6]), torch.rand(6)
    lam[0], lam[1] = 0.0, 1.0
    for partner in (torch.arange(6).roll(1), torch.tensor([0, 0, 1, 1, 5, 5])):
        compare(mix, lengths, partner, lam, flip)
    compare(mix, torch.full((4,), 5), torch.tensor([3, 2, 1, 0]), torch.rand(4), flip)
    compare(mix, torch.tensor([3]), torch.tensor([0]), torch.tensor([0.4]), flip)
