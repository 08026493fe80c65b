"""What a secret redraws in A3: images, level, number of seeds, measure, sign, rule for ties, words,
the order of arguments. The published key fails wherever one of them is asked for."""

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
    return redraw("a3_honest_study.ipynb", changes)
