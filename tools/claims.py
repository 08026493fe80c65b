"""The claims of book/data/claims.toml against the cards that the stored notebooks show."""

import re

from mixup_lib.evidence import registry, words
from mixup_lib.evidence.cards import numbers
from mixup_lib.evidence.literature import published
from tools import course

GRADES = {
    "exact": "exact",
    "published": "published scale",
    "small": "small real data",
    "toy": "toy",
}


def records() -> dict[str, dict]:
    """Every card in the stored notebooks by its test's id, with its notebook and cell.

    Raises:
        ValueError: a card's test is unknown, stands in another chapter than registered, has another
            word than stated, or is shown twice.
    """
    known, found = registry.tests(), {}
    for path in course.notebooks():
        for cell in course.read(path).cells:
            for output in cell.get("outputs", []):
                record = output.get("metadata", {}).get("mixup_claim")
                if record is None:
                    continue
                name, where = record["test"], f"{path.name}, cell {cell.id}"
                if name not in known:
                    raise ValueError(f"{where}: {name} is not in {registry.path().name}")
                if name in found:
                    raise ValueError(f"{where}: a second card of {name}")
                if known[name].chapter != path.stem:
                    raise ValueError(f"{where}: {name} is registered in {known[name].chapter}")
                if record["word"] != known[name].stated:
                    raise ValueError(
                        f"{where}: {name} is stored as {record['word']!r} and stated as "
                        f"{known[name].stated!r}; run `make notebooks NB={path.stem}`"
                    )
                found[name] = {**record, "notebook": path.stem, "cell": cell.id}
    return found


def tests_of(name: str) -> list[registry.Test]:
    """The tests of a claim, in order."""
    return [test for test in registry.tests().values() if test.claim["id"] == name]


def deciding(claim: dict) -> list[registry.Test]:
    """The tests that may decide a claim: toy evidence never decides one about practice."""
    tests = tests_of(claim["id"])
    return [test for test in tests if claim["about"] == "fact" or test.kind != "toy"]


def stand(claim: dict, found: dict[str, dict]) -> str:
    """How a claim stands by its judged tests: holds, fails, depends, open, untested.

    Raises:
        ValueError: the claim is stated to stand otherwise.
    """
    tests = {
        test.id: (found[test.id]["word"], test.rule.predicts)
        for test in deciding(claim)
        if test.id in found
    }
    result = words.stands(tests, claim["combine"])
    if result != claim["stands"]:
        raise ValueError(
            f"{claim['id']} is stated to stand as {claim['stands']!r}, "
            f"but its tests say {result!r}: {tests}"
        )
    return result


def grade(claim: dict) -> str:
    """What kind of evidence of ours stands behind the answer."""
    kinds = {test.kind for test in deciding(claim)}
    return ", ".join(GRADES[kind] for kind in GRADES if kind in kinds) or "toy only"


def in_a_sentence(finding: dict, unit: str) -> str:
    """An effect as a sentence tells it: points to a tenth, below which no run can see."""
    if unit != "percentage points":
        return numbers(finding, unit)
    mean, low, high = (finding[key] for key in ("mean", "low", "high"))
    return f"{mean:.1f} [{low:.1f}, {high:.1f}] points"


def filled(text: str, found: dict[str, dict]) -> str:
    """A sentence with its numbers: ``{C12/cifar}``, ``{C14|vae}``, ``{entry#key>key}``.

    ``{-C12/cifar}`` turns the sign round: what a method costs.

    Raises:
        ValueError: a test, a condition or a published figure is not there.
    """

    def number(match: re.Match) -> str:
        place = match[1]
        if "#" in place:
            return pair(place)
        test, _, condition = place.removeprefix("-").partition("|")
        for finding in found[test]["findings"] if test in found else ():
            if finding["condition"] == condition:
                told = {**finding, "n": None}
                if place.startswith("-"):
                    told |= {"mean": -told["mean"], "low": -told["high"], "high": -told["low"]}
                return in_a_sentence(told, found[test]["unit"])
        raise ValueError(f"{place!r} in {text!r} is no judged test and condition")

    return re.sub(r"\{([^{}]+)\}", number, text)


def values(place: str) -> tuple[float, float]:
    """Two published numbers: ``entry#key>key`` or ``entry#key>entry#key``."""
    before, after = place.split(">")
    entry, key = before.split("#")
    other, _, last = after.rpartition("#")
    return published(entry)["values"][key], published(other or entry)["values"][last]


def pair(place: str) -> str:
    """The same as text."""
    before, after = values(place)
    return f"{before:g} → {after:g}"


def relative(place: str) -> float:
    """A published gain as a share of its baseline's error."""
    before, after = values(place)
    if "accuracy" in published(place.split("#")[0])["measure"]:
        before, after = 100 - before, 100 - after
    return (before - after) / before


def literature(place: str) -> str:
    """What a source found, in which setting."""
    entry = published(place.split("#")[0])
    cited = f"{{cite}}`{entry['reference']}`"
    if "#" not in place:
        return f"{entry['says'].rstrip('.')} {cited}."
    before, after = (part.rpartition("#")[2] for part in place.split("#", 1)[1].split(">"))
    unit = {"percent": "%"}.get(entry["unit"], entry["unit"])
    return f"{entry['what']}: {before} → {after}: {pair(place)} {unit}, {entry['measure']} {cited}."


def findings(found: dict[str, dict]) -> list[str]:
    """What the course found, in a few sentences, numbers filled in."""
    return [filled(line, found) for line in registry.found()]
