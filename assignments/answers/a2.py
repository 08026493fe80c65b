"""Plausible wrong answers to the bug clinic, out of 35, and the marks that they must get."""

WRONG = {
    "only-shapes": {
        "marks": 32.0,
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
        "marks": 34.0,
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
        "marks": 32.0,
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
        "marks": 34.0,
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
        "marks": 34.0,
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
        "marks": 34.0,
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
        "marks": 32.0,
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
        "marks": 33.0,
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
    "no-padding": {
        "marks": 33.0,
        "why": "The test has texts of one length only, so no bug of the masks shows.",
        "answers": {
            "q9": """
def test_case_5(mix):
    ids = torch.randint(1, 50, (4, 6))
    mask = torch.ones(4, 6, dtype=torch.bool)
    embed = nn.Embedding(50, 8)
    partner, lam = torch.tensor([1, 2, 3, 0]), torch.rand(4)
    mixed, new_mask = mix(ids, mask, embed, partner, lam)
    weight = lam[:, None, None]
    expected = weight * embed(ids) + (1 - weight) * embed(ids[partner])
    assert torch.allclose(mixed, expected, atol=1e-5)
    assert new_mask.all()
"""
        },
    },
    "raises-instead": {
        "marks": 32.0,
        "why": "The test raises a ValueError where it should raise an AssertionError.",
        "answers": {
            "q11": """
def test_case_6(make):
    layer = make(1.0, 4).eval()
    x, y = torch.randn(4, 3), torch.arange(4)
    mixed, targets = layer(x, y)
    if not torch.equal(mixed, x):
        raise ValueError("mixes in evaluation")
"""
        },
    },
    "own-switch": {
        "marks": 33.0,
        "why": "The fix listens to its own eval() only, which a model around it never calls.",
        "answers": {
            "q12": """
class fixed_6(nn.Module):
    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes, self.off = classes, False

    def eval(self):
        self.off = True
        return self

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if self.off:
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)
"""
        },
    },
    "square-pictures": {
        "marks": 34.5,
        "why": "The test has square pictures only, so exchanged sides stay unseen.",
        "answers": {
            "q13": """
def test_case_7(cut):
    y = torch.eye(12)
    x = y[:, :, None, None].expand(12, 12, 10, 10)
    for _ in range(10):
        mixed, targets = cut(x, y, 1.0)
        assert torch.allclose(mixed.mean((2, 3)), targets, atol=1e-4)
"""
        },
    },
}
for _wrong in WRONG.values():
    _wrong["answers"] = {
        question: source.strip("\n") for question, source in _wrong["answers"].items()
    }
