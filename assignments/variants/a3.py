"""What a secret redraws in A3: images, level, number of seeds, measure, sign, rule for ties, loss,
last batch, words, names, the order of arguments. The published key fails wherever one of them is
asked for."""

import random

from assignments.variants.wording import redraw

ACCURACY = {
    "test **error in percentage points**": "test **accuracy in percentage points**",
    "**plain minus method**": "**method minus plain**",
    "the **error in percentage points**, `100 * (1 - accuracy)`":
        "the **accuracy in percentage points**, `100 * accuracy`",
    "test error in percentage points, plain minus mixup":
        "test accuracy in percentage points, mixup minus plain",
    "return 100 * (1 - accuracy)": "return 100 * accuracy",
    "best = min(found.values())": "best = max(found.values())",
    'test[s, "plain"] - test[s, method]': 'test[s, method] - test[s, "plain"]',
    "expected = 100 * (1 - right / 20)": "expected = 100 * right / 20",
    "sign = 1.0": "sign = -1.0",
    "The error on 500 test images": "The accuracy on 500 test images",
}
LARGEST = {
    "keeps the **smallest** of them": "keeps the **largest** of them",
    "setting = min(s for": "setting = max(s for",
    "wanted = min": "wanted = max",
}
SEED_FIRST = {
    "train(data, method, setting, seed, make_model)":
        "train(data, method, seed, setting, make_model)",
    "train(data, method, s, seed, make_model)": "train(data, method, seed, s, make_model)",
    'train(one_hot_images(), "plain", 0, 1, Recorder)':
        'train(one_hot_images(), "plain", 1, 0, Recorder)',
    '(data, "mixup", 0.5, seed, env["Recorder"])': '(data, "mixup", seed, 0.5, env["Recorder"])',
    '(data, method, setting, seed, env["Recorder"])':
        '(data, method, seed, setting, env["Recorder"])',
    '(data, "mixup", 2.0, 1, env["Recorder"])': '(data, "mixup", 1, 2.0, env["Recorder"])',
    '(data, "mixup", alpha, seed, env["Recorder"])':
        '(data, "mixup", seed, alpha, env["Recorder"])',
    '(data, method, setting, 6, env["Recorder"])': '(data, method, 6, setting, env["Recorder"])',
    "fake(data, method, setting, seed, make_model=None)":
        "fake(data, method, seed, setting, make_model=None)",
    'fake(data, "mixup", 0.4, 0)': 'fake(data, "mixup", 0, 0.4)',
}
SUM = {
    "The loss is the mean cross-entropy over the batch.":
        "The loss is the **sum** of the cross-entropy over the batch.",
    "model(inputs), targets, label_smoothing=smoothing":
        'model(inputs), targets, label_smoothing=smoothing, reduction="sum"',
    "# The gradient of the mean cross-entropy is (p - target) / N.":
        "# The gradient of the summed cross-entropy is p - target.",
    "p, n = logits.detach().softmax(1), len(x)": "p, n = logits.detach().softmax(1), 1",
}
DROP = {
    "In each epoch every example is shown once.":
        "In each epoch an example is shown once at most: **a last batch that is not full is left "
        "out**.",
    "for rows in order.split(BATCH):":
        "for rows in order[: len(x) // BATCH * BATCH].split(BATCH):",
    'steps = -(-40 // env["BATCH"])': 'steps = 40 // env["BATCH"]',
    'assert shown == list(range(40)), "an epoch shows each example once"':
        'once = len(set(shown)) == len(shown) == steps * env["BATCH"]\n'
        '            assert once, "an epoch shows full batches, no example twice"',
    "in the same batches, each\n  once per epoch?":
        "in the same full batches, each\n  once at most?",
}
NAMES = {
    '"plain"': ("bare", "none", "unmixed"),
    '"mixup"': ("mixed", "blended", "between"),
    '"setting"': ("chosen", "value", "kept"),
}
WORDS = [("confirmed", "ruled out", "open"), ("yes", "no", "undecided"),
         ("large enough", "too small", "unclear")]


def draw(rng: random.Random) -> dict[str, str]:
    """New sources by cell id. Level and number of seeds are never those of the master."""
    level, fewest = rng.choice(["0.90", "0.99"]), rng.choice([6, 7])
    changes = {
        "SALT = 17": f"SALT = {rng.randrange(100, 10**6)}",
        "RATE = 12, 32,": f"RATE = 12, {rng.choice([24, 28, 36])},",
        "`0.95`": f"`{level}`",
        "t_factor(0.95,": f"t_factor({level},",
        "level = 0.95": f"level = {level}",
        "at least `5` different": f"at least `{fewest}` different",
        "fewer than `5` values": f"fewer than `{fewest}` values",
        "[0, 1, 2, 3, 4]": str(list(range(fewest))),
        "if n < 5:": f"if n < {fewest}:",
        "fewest = 5": f"fewest = {fewest}",
    }
    changes |= {f'"{old}"': f'"{new}"' for old, new in
                zip(("supported", "refuted", "inconclusive"), rng.choice(WORDS))}
    changes |= rng.choice([{}, ACCURACY]) | rng.choice([{}, LARGEST]) | SEED_FIRST
    changes |= rng.choice([SUM, DROP, SUM | DROP])
    names = {old: f'"{rng.choice(new)}"' for old, new in NAMES.items()}
    return redraw("a3_honest_study.ipynb", changes, names)
