"""Plausible wrong answers to A1 and the marks, of 40 by tests, that each must get; and right ones
in other styles, which must get full marks."""

DRAW = """
def draw_lam(alpha, rng):
    if not 0 <= alpha < float("inf"):
        raise ValueError(f"alpha is {alpha}")
    if alpha == 0:
        return 1.0
"""

MIX = """
def mix_batch(x, y, num_classes, alpha, rng):
    if not x.is_floating_point():
        raise ValueError(f"x has dtype {x.dtype}")
    if y.shape != x.shape[:1] or y.max() >= num_classes:
        raise ValueError(f"y is {y.tolist()}")
    lam, perm = draw_lam(alpha, rng), draw_partners(len(x), rng)
    targets = F.one_hot(y, num_classes).float()
"""

WRONG = {
    "rate": {
        "marks": 38.0,
        "why": "alpha is Gamma's scale, so lam is uniform whatever alpha is.",
        "answers": {
            "q2": DRAW + "    a, b = rng.gamma(1.0, alpha, size=2)\n    return float(a / (a + b))"
        },
    },
    "gamma-underflow": {
        "marks": 39.5,
        "why": "Two Gamma draws, right but for a very small alpha: both underflow to 0 / 0.",
        "answers": {
            "q2": DRAW + "    a, b = rng.gamma(alpha, 1.0, size=2)\n    return float(a / (a + b))"
        },
    },
    "folded": {
        "marks": 36.5,
        "why": "lam is folded to the larger of lam and 1 - lam.",
        "answers": {
            "q2": DRAW + "    lam = float(rng.beta(alpha, alpha))\n    return max(lam, 1 - lam)"
        },
    },
    "global-random": {
        "marks": 38.0,
        "why": "lam comes from numpy's global state, not from rng; so mix_batch ignores rng too.",
        "answers": {"q2": DRAW + "    return float(np.random.beta(alpha, alpha))"},
    },
    "no-checks": {
        "marks": 39.5,
        "why": "alpha is not checked: numpy's own error does not name it.",
        "answers": {
            "q2": "def draw_lam(alpha, rng):\n"
            "    return float(rng.beta(alpha, alpha)) if alpha else 1.0"
        },
    },
    "reversed": {
        "marks": 37.0,
        "why": "The batch is reversed instead of shuffled: partners never change, and mix_k's rows "
        "are alike.",
        "answers": {
            "q3": "def draw_partners(batch_size, rng):\n    return torch.arange(batch_size).flip(0)"
        },
    },
    "two-permutations": {
        "marks": 38.0,
        "why": "Labels are mixed with partners of their own.",
        "answers": {
            "q4": MIX + "    other = draw_partners(len(x), rng)\n"
            "    return (lam * x + (1 - lam) * x[perm],\n"
            "            lam * targets + (1 - lam) * targets[other], lam, perm)"
        },
    },
    "in-place": {
        "marks": 39.0,
        "why": "The caller's batch is overwritten.",
        "answers": {
            "q4": MIX + "    partner = x[perm]\n"
            "    x.mul_(lam).add_((1 - lam) * partner)\n"
            "    return x, lam * targets + (1 - lam) * targets[perm], lam, perm"
        },
    },
    "integer-labels": {
        "marks": 36.0,
        "why": "Labels are mixed as integers.",
        "answers": {
            "q4": MIX + "    return (lam * x + (1 - lam) * x[perm],\n"
            "            (lam * y + (1 - lam) * y[perm]).long(), lam, perm)"
        },
    },
    "renamed": {
        "marks": 31.0,
        "why": "The function has another name, so nothing finds it.",
        "answers": {
            "q4": MIX.replace("mix_batch", "mixup") + "    return (lam * x + (1 - lam) * x[perm],\n"
            "            lam * targets + (1 - lam) * targets[perm], lam, perm)"
        },
    },
    "imported": {
        "marks": 31.0,
        "why": "The library's own mixup is used, which is not available here.",
        "answers": {
            "q4": "from mixup_lib import draw_mixup\n\n\n"
            "def mix_batch(x, y, num_classes, alpha, rng):\n"
            "    mix = draw_mixup(len(x), alpha)\n"
            "    return mix(x), mix.targets(y, num_classes), float(mix.lam), "
            "mix.index[1]"
        },
    },
    "uniform-k": {
        "marks": 39.0,
        "why": "The k weights are uniform numbers, normalised: not Dirichlet.",
        "answers": {
            "q5": """
def mix_k(x, y, num_classes, k, alpha, rng):
    if k < 1 or alpha <= 0:
        raise ValueError(f"k is {k} or alpha is {alpha}")
    weights = torch.from_numpy(rng.random(k)).float()
    weights = weights / weights.sum()
    rows = [draw_partners(len(x), rng) for _ in range(k - 1)]
    index = torch.stack([torch.arange(len(x)), *rows])
    targets = F.one_hot(y, num_classes).float()
    return (sum(w * x[i] for w, i in zip(weights, index)),
            sum(w * targets[i] for w, i in zip(weights, index)), weights, index)"""
        },
    },
    "double-precision": {
        "marks": 39.0,
        "why": "NumPy's weights stay in double precision, and so does the mixture.",
        "answers": {
            "q5": """
def mix_k(x, y, num_classes, k, alpha, rng):
    if k < 1 or alpha <= 0:
        raise ValueError(f"k is {k} or alpha is {alpha}")
    weights = torch.tensor(rng.dirichlet([alpha] * k))
    rows = [draw_partners(len(x), rng) for _ in range(k - 1)]
    index = torch.stack([torch.arange(len(x)), *rows])
    targets = F.one_hot(y, num_classes)
    return (torch.stack([w * x[i].double() for w, i in zip(weights, index)]).sum(0),
            sum(w * targets[i] for w, i in zip(weights, index)), weights, index)"""
        },
    },
    "no-zero-grad": {
        "marks": 37.0,
        "why": "Gradients of all earlier steps add up, and the network does not learn.",
        "answers": {
            "q9": """
def train_network(x, y, alpha, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = make_network()
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(EPOCHS):
        for rows in torch.from_numpy(rng.permutation(len(x))).split(BATCH):
            x_mixed, y_mixed, lam, perm = mix_batch(x[rows], y[rows], 10, alpha, rng)
            soft_loss(network(x_mixed), y_mixed).backward()
            optimizer.step()
    return network"""
        },
    },
    "normalising-mean": {
        "marks": 38.0,
        "why": "The mean of cross_entropy divides by the class weights of each label's batch.",
        "answers": {
            "q6": """
def soft_loss(logits, y_mixed, weight=None):
    return F.cross_entropy(logits, y_mixed, weight=weight)


def two_target_loss(logits, y, perm, lam, weight=None):
    return (lam * F.cross_entropy(logits, y, weight=weight)
            + (1 - lam) * F.cross_entropy(logits, y[perm], weight=weight))"""
        },
    },
    "swapped": {
        "marks": 34.0,
        "why": "lam goes to the partner, in the mixture by hand and in the two-target loss.",
        "answers": {
            "q1": "x_hand = (1 - LAM) * X[0] + LAM * X[1]\n"
            "y_hand = F.one_hot(LABELS, CLASSES).float().T @ torch.tensor([1 - LAM, LAM])",
            "q6": """
def soft_loss(logits, y_mixed, weight=None):
    return F.cross_entropy(logits, y_mixed, weight=weight)


def two_target_loss(logits, y, perm, lam, weight=None):
    each = F.cross_entropy(logits, y, weight=weight, reduction="none")
    partner = F.cross_entropy(logits, y[perm], weight=weight, reduction="none")
    return ((1 - lam) * each + lam * partner).mean()""",
        },
    },
    "never-mixes": {
        "marks": 34.0,
        "why": "lam and perm are drawn and returned, and the batch stays as it was.",
        "answers": {"q4": MIX + "    return x.clone(), targets, lam, perm"},
    },
}

CHECKS = """
def mix_batch(x, y, num_classes, alpha, rng):
    if not torch.is_floating_point(x):
        raise ValueError(f"x.dtype is {x.dtype}")
    if y.shape[0] != x.shape[0]:
        raise ValueError(f"y.shape={tuple(y.shape)} does not fit")
    if int(y.max()) >= num_classes or int(y.min()) < 0:
        raise ValueError(f"`y`: {y.tolist()} is out of range")
"""
RIGHT = {
    "other-words": {
        "why": "Errors name an argument in other usual styles: alpha=..., y.shape, `y`:, (k).",
        "answers": {
            "q2": """
def draw_lam(alpha, rng):
    if alpha < 0 or np.isnan(alpha) or np.isinf(alpha):
        raise ValueError(f"invalid argument alpha={alpha}")
    return rng.beta(alpha, alpha) if alpha else 1.0""",
            "q4": CHECKS
            + """
    lam = draw_lam(alpha, rng)
    perm = draw_partners(len(y), rng)
    targets = torch.zeros(len(y), num_classes)
    targets[torch.arange(len(y)), y] = 1.0
    return (torch.lerp(x[perm], x, lam), torch.lerp(targets[perm], targets, lam),
            lam, perm)""",
            "q5": """
def mix_k(x, y, num_classes, k, alpha, rng):
    if k < 1:
        raise ValueError(f"(k): {k}")
    if alpha <= 0:
        raise ValueError(f"alpha, {alpha}, must be above zero")
    w = torch.tensor(rng.dirichlet(np.full(k, alpha)), dtype=torch.float32)
    index = torch.stack([torch.arange(len(x))]
                        + [draw_partners(len(x), rng) for _ in range(k - 1)])
    hot = torch.eye(num_classes)[y]
    return (torch.einsum("k,k...->...", w, x[index]),
            torch.einsum("k,kbc->bc", w, hot[index]), w, index)""",
        },
    },
    "gamma-and-argsort": {
        "why": "Two Gamma draws with a guard, a permutation by sorting, and losses by einsum.",
        "answers": {
            "q2": DRAW
            + """
    if alpha < 0.05:
        return float(rng.beta(alpha, alpha))
    a, b = rng.standard_gamma(alpha, 2)
    return float(a / (a + b))""",
            "q3": """
def draw_partners(batch_size, rng):
    return torch.tensor(np.argsort(rng.random(batch_size)), dtype=torch.int64)""",
            "q6": """
def soft_loss(logits, y_mixed, weight=None):
    w = torch.ones(logits.shape[1]) if weight is None else weight
    return -torch.einsum("bc,bc,c->b", y_mixed, logits.log_softmax(-1), w).mean()


def two_target_loss(logits, y, perm, lam, weight=None):
    def one(labels):
        return F.cross_entropy(logits, labels, weight, reduction="none").sum() / len(labels)
    return lam * one(y) + (1 - lam) * one(y[perm])""",
        },
    },
    "loader-with-workers": {
        "why": "A notebook may load its data by several processes, as under otter's own command.",
        "answers": {
            "q1": """
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(X, LABELS), batch_size=2, num_workers=2)
(x_pair, y_pair), = loader
weights = torch.tensor([LAM, 1 - LAM])
x_hand = weights @ x_pair
y_hand = weights @ F.one_hot(y_pair, CLASSES).float()"""
        },
    },
}
