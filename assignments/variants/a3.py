"""What a secret redraws in A3: images, level, number of seeds, measure, sign, rule for ties."""

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
    changes |= rng.choice([{}, ACCURACY]) | rng.choice([{}, LARGEST])
    return redraw("a3_honest_study.ipynb", changes)
