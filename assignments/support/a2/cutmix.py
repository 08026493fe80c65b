"""CutMix: the labels' weights must be the area that was pasted."""

import torch

from .judge import same

TITLE = "The area of a box"


def text(flip: bool) -> str:
    return """\
CutMix pastes a rectangle of one picture into another. The label gets the share of the
rectangle. It must be the share that was pasted, not the one that was planned: a box can
hang over the edge, and its sides are whole numbers.

**Interface:** `cut(x, y, alpha) -> mixed, targets`

- `x`: float32 `(B, C, H, W)`, `H` and `W` at least 4, often not equal;
- `y`: float32 `(B, classes)`, one-hot;
- `alpha`: float above 0;
- `mixed`, `targets`: like `x` and `y` in shape and dtype.

**Promises:** in each picture one rectangle (it may be empty, or all of it) comes from one
partner, from the same place there; the rest is the picture's own. Each row of `targets`
weighs the two labels by the share of the pixels. Free choices: one box for the batch or
one for each picture, any partners, any placing of the box. With 16 different pictures,
twenty calls at `alpha = 1` paste something."""


def clipped(x, y, alpha):
    """A box cut off at the edges, and then measured."""
    H, W = x.shape[-2:]
    side = (1 - torch.distributions.Beta(alpha, alpha).sample()).sqrt()
    h, w = int(H * side), int(W * side)
    top = int(torch.randint(H, ())) - h // 2
    left = int(torch.randint(W, ())) - w // 2
    rows = slice(max(top, 0), min(top + h, H))
    columns = slice(max(left, 0), min(left + w, W))
    index = torch.randperm(len(x))
    mixed = x.clone()
    mixed[:, :, rows, columns] = x[index][:, :, rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    lam = 1 - area / (H * W)
    return mixed, lam * y + (1 - lam) * y[index]


def inside(x, y, alpha):
    """A box that always lies inside."""
    H, W = x.shape[-2:]
    side = (1 - torch.distributions.Beta(alpha, alpha).sample()).sqrt()
    h, w = round(float(H * side)), round(float(W * side))
    top = int(torch.randint(H - h + 1, ()))
    left = int(torch.randint(W - w + 1, ()))
    box = torch.zeros(H, W)
    box[top : top + h, left : left + w] = 1
    index = torch.randperm(len(x))
    mixed = torch.where(box > 0, x[index], x)
    return mixed, torch.lerp(y, y[index], box.mean())


def each(x, y, alpha):
    """A box for each picture."""
    B, _, H, W = x.shape
    rows = torch.randint(H + 1, (B, 2)).sort(1).values[..., None, None]
    columns = torch.randint(W + 1, (B, 2)).sort(1).values[..., None, None]
    r, c = torch.arange(H)[:, None], torch.arange(W)
    box = (r >= rows[:, 0]) & (r < rows[:, 1]) & (c >= columns[:, 0]) & (c < columns[:, 1])
    index = torch.randint(B, (B,))
    share = box.float().mean((1, 2))[:, None]
    return torch.where(box[:, None], x[index], x), (1 - share) * y + share * y[index]


def strip(x, y, alpha):
    """A box over the full height; partners from the reversed batch."""
    W = x.shape[-1]
    lam = torch.distributions.Beta(alpha, alpha).sample()
    width = round(float(W * (1 - lam)))
    mixed = x.clone()
    mixed[..., :width] = x.flip(0)[..., :width]
    return mixed, torch.lerp(y, y.flip(0), width / W)


def planned(x, y, alpha):
    """The labels get the planned share; the box is cut off at the edges."""
    H, W = x.shape[-2:]
    lam = torch.distributions.Beta(alpha, alpha).sample()
    h, w = int(H * (1 - lam).sqrt()), int(W * (1 - lam).sqrt())
    top = int(torch.randint(H, ())) - h // 2
    left = int(torch.randint(W, ())) - w // 2
    rows = slice(max(top, 0), top + h)
    columns = slice(max(left, 0), left + w)
    index = torch.randperm(len(x))
    mixed = x.clone()
    mixed[:, :, rows, columns] = x[index][:, :, rows, columns]
    return mixed, lam * y + (1 - lam) * y[index]


def sides_swapped(x, y, alpha):
    """Height and width are exchanged."""
    W, H = x.shape[-2:]
    side = (1 - torch.distributions.Beta(alpha, alpha).sample()).sqrt()
    h, w = int(H * side), int(W * side)
    top = int(torch.randint(H - h + 1, ()))
    left = int(torch.randint(W - w + 1, ()))
    index = torch.randperm(len(x))
    mixed, rows, columns = x.clone(), slice(top, top + h), slice(left, left + w)
    mixed[:, :, rows, columns] = x[index][:, :, rows, columns]
    lam = 1 - h * w / (H * W)
    return mixed, lam * y + (1 - lam) * y[index]


def not_rounded(x, y, alpha):
    """The labels get the share before its sides were rounded."""
    H, W = x.shape[-2:]
    lam = torch.distributions.Beta(alpha, alpha).sample()
    h, w = int(H * (1 - lam).sqrt()), int(W * (1 - lam).sqrt())
    top = int(torch.randint(H - h + 1, ()))
    left = int(torch.randint(W - w + 1, ()))
    index = torch.randperm(len(x))
    mixed, rows, columns = x.clone(), slice(top, top + h), slice(left, left + w)
    mixed[:, :, rows, columns] = x[index][:, :, rows, columns]
    return mixed, lam * y + (1 - lam) * y[index]


def reversed_share(x, y, alpha):
    """The labels get the weights the wrong way round."""
    H, W = x.shape[-2:]
    side = (1 - torch.distributions.Beta(alpha, alpha).sample()).sqrt()
    h, w = int(H * side), int(W * side)
    top = int(torch.randint(H - h + 1, ()))
    left = int(torch.randint(W - w + 1, ()))
    index = torch.randperm(len(x))
    mixed, rows, columns = x.clone(), slice(top, top + h), slice(left, left + w)
    mixed[:, :, rows, columns] = x[index][:, :, rows, columns]
    lam = h * w / (H * W)
    return mixed, lam * y + (1 - lam) * y[index]


def one_more(x, y, alpha):
    """The last row and column are counted, but not pasted."""
    H, W = x.shape[-2:]
    top, bottom = sorted(torch.randint(H, (2,)).tolist())
    left, right = sorted(torch.randint(W, (2,)).tolist())
    index = torch.randperm(len(x))
    mixed, rows, columns = x.clone(), slice(top, bottom), slice(left, right)
    mixed[:, :, rows, columns] = x[index][:, :, rows, columns]
    lam = 1 - (bottom - top + 1) * (right - left + 1) / (H * W)
    return mixed, lam * y + (1 - lam) * y[index]


def side_as_share(x, y, alpha):
    """The side's share is taken for the area's."""
    H, W = x.shape[-2:]
    lam = torch.distributions.Beta(alpha, alpha).sample()
    h, w = round(float(H * (1 - lam))), round(float(W * (1 - lam)))
    index = torch.randperm(len(x))
    mixed = x.clone()
    mixed[:, :, :h, :w] = x[index][:, :, :h, :w]
    lam = 1 - w / W
    return mixed, lam * y + (1 - lam) * y[index]


CORRECT = {f.__name__: f for f in (clipped, inside, each, strip)}
BUGS = {
    f.__name__: f
    for f in (planned, sides_swapped, not_rounded, reversed_share, one_more, side_as_share)
}
key_fix = inside


def key_warm_up(specimen):
    """A picture of zeros and one of ones. Run the cell, count the pixels of each kind, and say
    which label the picture deserves."""
    x = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 8)
    mixed, targets = specimen(x, torch.eye(2), 1.0)
    print(mixed[0, 0], targets[0], sep="\n")


def key_test(cut):
    y = torch.eye(8)
    for H, W in ((6, 20), (20, 6)):  # the channels say whose pixel it is
        x = y[:, :, None, None].expand(8, 8, H, W)
        for _ in range(6):
            mixed, targets = cut(x, y, 1.0)
            assert torch.allclose(mixed.mean((2, 3)), targets, atol=1e-4)


def shares(cut, B, H, W, alpha, calls):
    """Asserts that labels are shares of pixels, and pixels lie in place; True if any is pasted."""
    place, y, pasted = torch.rand(H, W) + 1, torch.eye(B), False
    x = y[:, :, None, None] * place
    before = x.clone()
    for _ in range(calls):
        mixed, targets = cut(x, y, alpha)
        assert mixed.shape == x.shape and mixed.dtype == x.dtype, "mixed is not like x."
        whose = mixed / place
        assert bool(((whose < 1e-5) | ((whose - 1).abs() < 1e-5)).all()), (
            "A pixel is neither the picture's own nor its partner's, or not in its place."
        )
        same(targets, whose.mean((2, 3)), "targets, beside the shares of the pixels,")
        other = (whose.diagonal(dim1=0, dim2=1) < 0.5).permute(2, 0, 1)
        for mask in other:
            rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
            box = (
                (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
                if len(rows)
                else 0
            )
            assert mask.sum() == box, "The pasted pixels are no single rectangle."
        pasted |= bool(other.any())
    assert torch.equal(x, before) and torch.equal(y, torch.eye(B)), "The inputs were changed."
    return pasted


def promise(cut, flip):
    """Labels are the shares of the pixels."""
    assert shares(cut, 16, 8, 20, 1.0, 20), "Nothing is pasted."


def edges(cut, flip):
    """Wide, tall and tiny pictures, a batch of one, small and large alpha."""
    for B, H, W, alpha in (
        (8, 5, 21, 1.0),
        (8, 21, 5, 1.0),
        (6, 4, 4, 0.2),
        (6, 9, 7, 6.0),
        (1, 4, 6, 1.0),
    ):
        shares(cut, B, H, W, alpha, 15)
