"""Plausible wrong answers to the bug clinic, with the marks, of 20, that each must get; and right
ones in other styles, which must get full marks."""

WRONG = {
    "only-shapes": {
        "marks": 17.0,
        "why": "The test looks at shape, dtype and row sums, and the specimen has these right.",
        "answers": {
            "q1": """
def test_case_1(mix):
    y = torch.randint(10, (32,))
    targets = mix(y, torch.randperm(32), torch.rand(32), 10)
    assert targets.shape == (32, 10) and targets.dtype == torch.float32
    assert torch.allclose(targets.sum(1), torch.ones(32))
"""
        },
    },
    "weights-overwritten": {
        "marks": 19.5,
        "why": "The fix writes the second weight over the first where both classes are the same.",
        "answers": {
            "q2": """
def fixed_1(y, partner, lam, classes):
    targets = torch.zeros(len(y), classes)
    rows = torch.arange(len(y))
    targets[rows, y] = lam
    targets[rows, y[partner]] = 1 - lam
    return targets
"""
        },
    },
    "always-fails": {
        "marks": 17.0,
        "why": "The test demands the article's labels to be wrong, and fails for all code.",
        "answers": {
            "q3": """
def test_case_2(mix):
    x, y = torch.randn(8, 4), torch.eye(8)
    mixed, targets = mix(x, y, 1.0)
    assert torch.equal(mixed, targets[:, :4])
"""
        },
    },
    "small-sample": {
        "marks": 19.5,
        "why": "The test draws enough weights to be right mostly, and too few to be right always.",
        "answers": {
            "q5": """
def test_case_3(draw):
    for alpha in (0.3, 4.0):
        lam = draw(alpha, 1000)
        spread = (1 / (4 * (2 * alpha + 1))) ** 0.5
        error = spread / 1000**0.5
        assert abs(lam.mean() - 0.5) < 2.2 * error
        assert abs(lam.std() - spread) < 0.1 * spread
"""
        },
    },
    "seeds-globally": {
        "marks": 19.0,
        "why": "The fix seeds the global generator, so every call returns the same weights.",
        "answers": {
            "q6": """
def fixed_3(alpha, n):
    torch.manual_seed(0)
    return torch.distributions.Beta(alpha, alpha).sample((n,))
"""
        },
    },
    "one-weight-only": {
        "marks": 19.5,
        "why": "The test rejects implementations with a weight for each example.",
        "answers": {
            "q7": """
def test_case_4(mix):
    for _ in range(20):
        x = torch.randn(16, 3)
        mixed, partner, lam = mix(x, 1.0)
        assert lam.shape == (), "one weight"
        expected = lam * x + (1 - lam) * x[partner]
        assert torch.allclose(mixed, expected, atol=1e-5)
"""
        },
    },
    "single-call": {
        "marks": 17.0,
        "why": "The test calls once, and half of all draws need no folding.",
        "answers": {
            "q7": """
def test_case_4(mix):
    x = torch.randn(16, 3)
    mixed, partner, lam = mix(x, 1.0)
    lam = lam.reshape(-1, 1)
    expected = lam * x + (1 - lam) * x[partner]
    assert torch.allclose(mixed, expected, atol=1e-5)
"""
        },
    },
    "folds-unreported": {
        "marks": 18.0,
        "why": "The fix still folds the weight and reports the one that was drawn.",
        "answers": {
            "q8": """
def fixed_4(x, alpha):
    lam = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    weight = max(lam, 1 - lam)
    return weight * x + (1 - weight) * x[partner], partner, lam
"""
        },
    },
    "raises-instead": {
        "marks": 17.0,
        "why": "The test raises a ValueError where it should raise an AssertionError.",
        "answers": {
            "q3": """
def test_case_2(mix):
    y = torch.eye(32)
    for _ in range(15):
        mixed, targets = mix(y, y, 1.0)
        if not torch.allclose(mixed, targets, atol=1e-5):
            raise ValueError("other labels")
"""
        },
    },
    "naive": {
        "marks": 17.5,
        "why": "The test looks for the specimen's own fault, a row that does not sum to its "
        "weights, and at nothing else.",
        "answers": {
            "q1": """
def test_case_1(mix):
    y = torch.tensor([1, 3])
    targets = mix(y, torch.tensor([1, 0]), torch.tensor([0.5, 0.5]), 5)
    assert targets[0, 1] == 0.5 and targets[0, 3] == 0.5
"""
        },
    },
}

RIGHT = {
    "slow-and-careful": {
        "why": "The test draws many more examples than it needs; a run takes about 90 ms.",
        "answers": {
            "q3": """
def test_case_2(mix):
    for size in (16, 48, 128):
        y = torch.eye(size)
        for alpha in (0.4, 1.0, 3.0):
            for _ in range(12):
                x = y.reshape(size, size, 1, 1).repeat(1, 1, 3, 2)
                mixed, targets = mix(x, y, alpha)
                torch.testing.assert_close(
                    mixed.mean((2, 3)), targets, atol=1e-5, rtol=1e-5
                )
"""
        },
    },
    "by-helpers-and-sums": {
        "why": "A test with helpers, loops and sums instead of allclose; fixes with a weight for "
        "each example, by scatter_add_ and by Gamma draws.",
        "answers": {
            "q1": """
def _by_hand(y, partner, lam, classes):
    rows = []
    for i in range(len(y)):
        row = [0.0] * classes
        row[int(y[i])] += float(lam[i])
        row[int(y[partner[i]])] += 1 - float(lam[i])
        rows.append(row)
    return torch.tensor(rows)


def test_case_1(mix):
    for classes in (2, 7, 1000):
        y = torch.randint(classes, (60,))
        y[:2] = classes - 1
        partner = torch.randint(60, (60,))
        partner[0] = 1
        lam = torch.rand(60)
        copies = [t.clone() for t in (y, partner, lam)]
        got = mix(y, partner, lam, classes)
        assert got.dtype == torch.float32 and got.shape == (60, classes)
        gap = (got - _by_hand(y, partner, lam, classes)).abs().sum(1).max()
        assert gap < 1e-4, gap
        for old, new in zip(copies, (y, partner, lam)):
            assert (old == new).all()
""",
            "q2": """
def fixed_1(y, partner, lam, classes):
    targets = torch.zeros(y.shape[0], classes)
    targets.scatter_add_(1, y[:, None], lam[:, None])
    return targets.scatter_add_(1, y[partner][:, None], 1 - lam[:, None])
""",
            "q4": """
def fixed_2(x, y, alpha):
    a, b = torch._standard_gamma(torch.full((2, len(x)), float(alpha)))
    lam = a / (a + b).clamp(min=1e-30)
    index = torch.randint(len(x), (len(x),))
    index = torch.where(index == torch.arange(len(x)), (index + 1) % len(x), index)

    def apply(v):
        w = lam.reshape(-1, *[1] * (v.dim() - 1))
        return v * w + v[index] * (1 - w)

    return apply(x), apply(y)
""",
        },
    },
}
for _answer in (*WRONG.values(), *RIGHT.values()):
    _answer["answers"] = {
        question: source.strip("\n") for question, source in _answer["answers"].items()
    }
