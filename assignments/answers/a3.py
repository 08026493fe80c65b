"""Plausible wrong answers of A3, with the marks that they must get, of 25; and right ones in other
styles, which must get full marks."""

TRAIN = """
def train(data, method, setting, seed, make_model):
    x, y = data.train()
    torch.manual_seed(seed)
    model = make_model().train()
    shuffle = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    smoothing = setting if method == "label smoothing" else 0.0
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x), generator=shuffle)
        for rows in order.split(BATCH):
            inputs, targets = x[rows], F.one_hot(y[rows], CLASSES).float()
            if method == "mixup":
                lam = float(rng.beta(setting, setting))
                partner = torch.tensor(rng.permutation(len(rows)))
                inputs = lam * inputs + (1 - lam) * inputs[partner]
                targets = lam * targets + (1 - lam) * targets[partner]
            logits = model(inputs)
            loss = F.cross_entropy(logits, targets, label_smoothing=smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model
"""

CHOICE = """
def measure(model, x, y):
    model.eval()
    with torch.no_grad():
        accuracy = (model(x).argmax(1) == y).double().mean().item()
    return 100 * (1 - accuracy)


def run(data, method, candidates, seed):
    models = {s: train(data, method, s, seed, make_model) for s in candidates}
    x, y = data.validation()
    found = {s: measure(model, x, y) for s, model in models.items()}
    best = min(found.values())
    setting = min(s for s in found if found[s] == best)
    x, y = data.test()
    test = measure(models[setting], x, y)
    return {"setting": setting, "validation": best, "test": test}
"""

STATISTICS = """
def effects(results, method):
    test = {(row["seed"], row["method"]): row["test"] for row in results}
    seeds = sorted({row["seed"] for row in results})
    return [test[s, "plain"] - test[s, method] for s in seeds]


def interval(values):
    n = len(values)
    if n < 5:
        raise ValueError(f"{n} values are too few for an interval")
    mean = sum(values) / n
    half = t_factor(0.95, n - 1) * np.std(values, ddof=1) / n**0.5
    return mean, mean - half, mean + half


def verdict(interval, smallest_effect):
    _, low, high = interval
    if low >= smallest_effect:
        return "supported"
    return "refuted" if high < smallest_effect else "inconclusive"
"""

CONCLUSION = """
conclusion = {
    method: verdict(interval(effects(results, method)), plan["smallest_effect"])
    for method in ("mixup", plan["baseline"])
}
"""

PLAN = """
NAME = "a student"
plan = {
    "measure": "test error in percentage points, plain minus mixup",
    "smallest_effect": 10.0,
    "refuted_if": "the interval lies below the smallest effect",
    "seeds": [0, 1, 2, 3, 4],
    "mixup": [0.2, 1.0],
    "baseline": "label smoothing",
    "settings": [0.1, 0.3],
}
register(plan)
"""


def changed(source: str, *changes: tuple[str, str]) -> str:
    """A right answer with something else in it."""
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


WRONG = {
    "three-seeds": {
        "marks": 23.0,
        "why": "Three seeds are planned, so no interval and no conclusion follow.",
        "answers": {"q1": changed(PLAN, ("[0, 1, 2, 3, 4]", "[0, 1, 2]"))},
    },
    "one-generator": {
        "marks": 24.0,
        "why": "Mixing draws from the generator that shuffles, so pairs see other batches.",
        "answers": {
            "q1": PLAN,
            "q2": changed(
                TRAIN,
                (
                    "torch.tensor(rng.permutation(len(rows)))",
                    "torch.randperm(len(rows), generator=shuffle)",
                ),
            ),
        },
    },
    "uniform-weights": {
        "marks": 24.0,
        "why": "λ is uniform, whatever α is.",
        "answers": {
            "q1": PLAN,
            "q2": changed(TRAIN, ("rng.beta(setting, setting)", "rng.random()")),
        },
    },
    "two-permutations": {
        "marks": 24.0,
        "why": "Targets are mixed with other partners than inputs.",
        "answers": {
            "q1": PLAN,
            "q2": changed(
                TRAIN,
                (
                    "(1 - lam) * targets[partner]",
                    "(1 - lam) * targets[torch.tensor(rng.permutation(len(rows)))]",
                ),
            ),
        },
    },
    "no-seed": {
        "marks": 19.0,
        "why": "The first weights are drawn without a seed: no pairs, and no run repeats.",
        "answers": {"q1": PLAN, "q2": changed(TRAIN, ("    torch.manual_seed(seed)\n", ""))},
    },
    "chosen-on-test-data": {
        "marks": 21.0,
        "why": "Every candidate is tried on the test part, and the best is reported.",
        "answers": {
            "q1": PLAN,
            "q3": changed(
                CHOICE,
                (
                    "    x, y = data.validation()\n    found",
                    "    data.validation()\n    x, y = data.test()\n    found",
                ),
            ),
        },
    },
    "training-mode": {
        "marks": 22.0,
        "why": "The model is measured with dropout still on.",
        "answers": {"q1": PLAN, "q3": changed(CHOICE, ("model.eval()", "model.train()"))},
    },
    "largest-of-tied-settings": {
        "marks": 24.0,
        "why": "The convention for ties is overlooked.",
        "answers": {"q1": PLAN, "q3": changed(CHOICE, ("setting = min(", "setting = max("))},
    },
    "normal-interval": {
        "marks": 24.0,
        "why": "The factor of the normal distribution, and n as the divisor.",
        "answers": {
            "q1": PLAN,
            "q5": changed(
                STATISTICS,
                ("t_factor(0.95, n - 1) * np.std(values, ddof=1)", "1.96 * np.std(values)"),
            ),
        },
    },
    "null-means-refuted": {
        "marks": 24.0,
        "why": "An interval that holds zero is called refuted.",
        "answers": {
            "q1": PLAN,
            "q5": changed(
                STATISTICS,
                ("if high < smallest_effect else", "if high < smallest_effect or low <= 0 else"),
            ),
        },
    },
    "plan-changed-afterwards": {
        "marks": 24.0,
        "why": "The smallest effect is lowered once the result is known.",
        "answers": {"q1": PLAN, "q6": 'plan["smallest_effect"] = 0.01\n' + CONCLUSION},
    },
    "hopeful": {
        "marks": 24.0,
        "why": "The conclusion is typed, not computed.",
        "answers": {
            "q1": PLAN,
            "q6": 'conclusion = {"mixup": "supported", plan["baseline"]: "supported"}',
        },
    },
    "invented": {
        "marks": 22.0,
        "why": "The table is typed, not measured: nothing for the conclusion.",
        "answers": {
            "q1": PLAN,
            "q6": """
results = [
    {"seed": seed, "method": method, "setting": 0.1, "validation": 5.0,
     "test": {"plain": 30.0, "mixup": 10.0}.get(method, 25.0) + seed / 10}
    for seed in plan["seeds"] for method in ("plain", "mixup", plan["baseline"])
]
"""
            + CONCLUSION,
        },
    },
}

RIGHT = {
    "one-weight-for-each-example": {
        "why": "λ is drawn for each example, the third method is weight decay, and the statistics "
        "are written out.",
        "answers": {
            "q1": changed(
                PLAN, ("label smoothing", "weight decay"), ("[0.1, 0.3]", "[0.001, 0.01]")
            ),
            "q2": changed(
                TRAIN,
                (
                    'smoothing = setting if method == "label smoothing" else 0.0',
                    'decay = setting if method == "weight decay" else 0.0',
                ),
                (
                    "optimizer = torch.optim.Adam(model.parameters(), RATE)",
                    "optimizer = torch.optim.Adam(model.parameters(), RATE, weight_decay=decay)",
                ),
                (
                    "lam = float(rng.beta(setting, setting))",
                    "lam = torch.tensor(rng.beta(setting, setting, (len(rows), 1))).float()",
                ),
                (", label_smoothing=smoothing", ""),
            ),
            "q5": changed(
                STATISTICS,
                (
                    "np.std(values, ddof=1) / n**0.5",
                    "(sum((v - mean) ** 2 for v in values) / (n - 1) / n) ** 0.5",
                ),
            ),
        },
    },
}
