"""Writes the claims ledger, book/claims.md, from the claims and the notebooks' stored outputs.

    python -m tools.ledger [--check | --json]

The claims, their tests and their answers stand in book/data/claims.toml. Each card that a notebook
shows carries a record in its output's metadata. `--json` prints how each claim stands: what the
passage map and the page in Chinese are held to.
"""

import json
import sys

from mixup_lib.evidence import judge, registry, when, words
from mixup_lib.evidence.cards import bar_text, numbers
from mixup_lib.evidence.literature import published
from mixup_lib.page.tables import unbroken
from tools import course
from tools.claims import (
    filled,
    findings,
    grade,
    literature,
    records,
    relative,
    stand,
    tests_of,
)

PAGE = course.ROOT / "book" / "claims.md"
STANDS = {
    "holds": ("holds", "成立"),
    "fails": ("does not hold", "不成立"),
    "depends": ("depends", "视条件而定"),
    "open": ("open", "未定"),
    "untested": ("not tested where it could show", "未在可能见效处检验"),
}

INTRODUCTION = """\
<!-- Made by `make sync` from the notebooks' outputs and book/data/claims.toml. Do not edit. -->
(claims)=
# Claims ledger

The article makes thirty claims. Each has one line here: the passage, our answer in a sentence, and
what kind of evidence of ours stands behind it. Below stand the [tests](claims-tests) with their
numbers and with what the literature found, in which setting; [how a test is
judged](claims-judged); and [why each bar is where it is](claims-bars).

An answer is held to the numbers. A test's word is computed from its measured interval, by a rule
that is written as data; the cell that shows it fails when the data no longer give that word, and
this page can't be made when an answer says other than its tests.
"""

JUDGED = """\
(claims-judged)=
## How a test is judged

Each test names its measure, the smallest effect that matters (the bar), its conditions and how they
combine. A claim that something *may* happen needs one case; one that lists things needs each.

{words}

Evidence is of four kinds.

{kinds}

Toy evidence never decides a claim about practice: where there is nothing else, the claim counts as
not tested where it could show. Where a plain network makes more than half as many errors on its own
training data as on new data, it has nothing that a regularizer could mend, and the comparison
decides nothing.

An interval covers 95 %, over the seeds. Where splits overlap, it is widened as
{cite:t}`nadeau2003inference` say. Where runs share one test set, drawing its examples counts as
well: from their outcomes where these are recorded, else as if the two methods had erred
independently, which is too wide rather than too narrow. The smallest effect that a design would
have shown is the one that it would have told from zero four times in five.

When a rule was written, beside its runs, stands with each test, and a test of this repository asks
git whether that is so.
"""


def link(record: dict, text: str) -> str:
    """A link to the very card. The address is inside an output, unknown to Markdown's own links."""
    return f'<a href="../notebooks/{record["notebook"]}.html#{record["anchor"]}">{text}</a>'


def row(claim: dict, found: dict[str, dict]) -> str:
    """The claim's line in the first table."""
    chinese, english = claim["heading"]
    passage = f"*{english}* ({chinese}) “{claim['phrase']}”<br>{claim['says']}"
    state = STANDS[stand(claim, found)][0].capitalize()
    name = claim["id"]
    return (
        f"| [{name}](claim-{name.lower()}) | {passage} "
        f"| **{state}.** {filled(claim['answer'], found)} | {grade(claim)} |"
    )


def details(claim: dict, found: dict[str, dict]) -> str:
    """A claim with its answer, the literature, and its tests."""
    name = claim["id"]
    lines = [f"(claim-{name.lower()})=", f"### {name}: {claim['says'].rstrip('.')}", ""]
    lines += [f"{claim['zh']}", "", filled(claim["answer"], found), ""]
    lines += ["What the literature found:", ""]
    lines += [f"- {literature(place)}" for place in claim["literature"]] + [""]
    for test in tests_of(name):
        lines += [tested(test, found.get(test.id)), ""]
    return "\n".join(lines)


def tested(test: registry.Test, record: dict | None) -> str:
    """One test: the word, what was measured, on what, and what came out."""
    word = link(record, record["word"]) if record else "registered, not judged yet"
    facts = [("Measure", test.measure)]
    shown = [judge.Finding(**finding) for finding in record["findings"]] if record else []
    for finding in shown:
        condition = f" ({finding.condition})" if finding.condition else ""
        told = numbers(vars(finding), test.rule.unit)
        facts.append(("Found" + condition, f"`{told}`" + (f", {finding.word}" * bool(condition))))
    for rival in record["rivals"] if record else ():
        facts.append((f"Beside it ({rival['condition']})", f"`{numbers(rival, test.rule.unit)}`"))
    if bar := bar_text(test, shown):
        facts.append(("Bar", f"`{bar}`"))
    facts += [
        ("Evidence", f"{test.kind}; {test.scale}"),
        ("Refuted if", test.rule.refuted_if(bool(test.conditions))),
        ("Registered", registry.REGISTERED[test.registered]),
    ]
    if over := sorted({finding.over for finding in shown if finding.over}):
        facts.append(("Interval over", "; ".join(over)))
    if test.room:
        facts.append(("Could show where", test.room))
    harm = " (a claim of harm)" * (test.rule.predicts == "harms")
    lines = [f"**{test.id}. {test.says.rstrip('.')}{harm}: {word}.**", ""]
    return "\n".join(lines + [f"- {name}: {text}" for name, text in facts])


def opposites(known: dict, found: dict[str, dict]) -> list[str]:
    """Claims that contradict each other, side by side with their answers."""
    lines = []
    for claim in known.values():
        if "against" in claim:
            both = (claim, known[claim["against"]])
            for cells in (
                [one["id"] for one in both],
                ["---", "---"],
                [one["says"] for one in both],
                [filled(one["answer"], found) for one in both],
            ):
                lines.append("| " + " | ".join(cells) + " |")
            lines.append("")
    return lines


def why_bars() -> list[str]:
    """The table that says why each bar is where it is."""
    rows = [("bar", "smallest effect that matters", "why there", "published, of the baseline")]
    rows.append(("---",) * 4)
    for name, bar in registry.bars().items():
        amount = (
            f"{100 * bar['share']:g} % of the baseline's value" if "share" in bar else bar["bar"]
        )
        above = "<br>".join(
            f"{published(place.split('#')[0])['what']}: {100 * relative(place):.0f} %"
            for place in bar.get("above", ())
        )
        rows.append((name, amount, bar["why"], above or "nothing of this kind"))
    for test in registry.tests().values():
        if test.why and not test.bar:
            amount = judge.amount(f"{test.rule.bar:g}", test.rule.unit)
            rows.append((test.id, amount, test.why, "nothing of this kind"))
    return ["| " + " | ".join(map(str, cells)) + " |" for cells in rows]


def page() -> str:
    """The whole page as Markdown."""
    found, known = records(), registry.claims()
    defined = "\n\n".join(f"{word}\n: {text}" for word, text in words.WORDS.items())
    kinds = "\n".join(f"- {text}" for text in words.KINDS.values())
    parts = [INTRODUCTION, "## All claims\n"]
    parts.append("| | the passage, and what it claims | what we found | evidence |")
    parts.append("|---|---|---|---|")
    parts += [row(claim, found) for claim in known.values()]
    parts.append("\n## Claims that contradict each other\n")
    parts += opposites(known, found)
    parts.append(JUDGED.replace("{words}", defined).replace("{kinds}", kinds))
    parts += ["(claims-bars)=", "## Why each bar is where it is\n", *why_bars(), ""]
    parts += ["(claims-tests)=", "## The tests\n"]
    parts += [details(claim, found) for claim in known.values()]
    return "\n".join(parts).rstrip("\n") + "\n"


def summary() -> dict[str, dict]:
    """How each claim stands, as data: what the passage map and the page in Chinese are held to.

    Returns:
        For each claim its heading in Chinese, ``phrase``, ``says``, ``zh``, ``stands`` (a key of
        ``STANDS``), the same in words in English and Chinese, ``answer``, ``grade``, the
        ``anchor`` of its section here, and for each judged test its word, notebook and anchor.
    """
    found = records()
    told = {}
    for name, claim in registry.claims().items():
        state = stand(claim, found)
        told[name] = {key: claim[key] for key in ("phrase", "says", "zh")} | {
            "heading": claim["heading"][0],
            "stands": state,
            "word": STANDS[state][0],
            "word_zh": STANDS[state][1],
            "answer": filled(claim["answer"], found),
            "grade": grade(claim),
            "anchor": f"claim-{name.lower()}",
            "tests": {
                test.id: {key: found[test.id][key] for key in ("word", "notebook", "anchor")}
                for test in tests_of(name)
                if test.id in found
            },
        }
    return told


def front() -> list[str]:
    """What this course found: a few lines of Markdown for the front page, numbers filled in."""
    return findings(records())


#: Cells of the map of chapter 15 for the front page, and what each of them is.
SHOWN = {
    "transformer, no crops": "a small transformer, 2,000 labels, 120 epochs, no crops",
    "1,000 labels": "a small ResNet, 1,000 labels, 240 epochs",
    "240 epochs": "the same, 4,000 labels, 240 epochs",
    "60 epochs": "the same, 4,000 labels, 60 epochs",
    "16,000 labels": "the same, 16,000 labels, 15 epochs",
    "15 epochs": "the same, 4,000 labels, 15 epochs",
    "transformer, crops": "the small transformer, crops and flips, 120 epochs",
    "transformer, crops, longer": "the same, crops and flips, 480 epochs",
    "pretrained": "a pretrained network, 500 labels, fine-tuned",
}


def turn() -> str:
    """When mixup helps, as a table: errors of plain training, and what mixup changes."""
    every = (cell for group in when.GROUPS for cell in when.cells(group))
    cells = {cell.name: cell for cell in every if cell.field == "CIFAR-10"}
    rows = [
        "| on CIFAR-10 | errors on its own data | on new data | mixup takes off |",
        "|---|---|---|---|",
    ]
    for cell, what in ((cells[name], what) for name, what in SHOWN.items() if name in cells):
        errors = f"{cell.training:.1f} % | {cell.error:.1f} %"
        rows.append(f"| {what} | {errors} | {unbroken(f'{cell.interval:.1f}')} |")
    return "\n".join(rows)


if __name__ == "__main__":
    if "--json" in sys.argv:
        print(json.dumps(summary(), ensure_ascii=False, indent=1))
    elif "--check" not in sys.argv:
        course.write(PAGE, page())
    elif PAGE.read_text("utf-8") != page():
        sys.exit(f"{PAGE.name} is out of step with the notebooks; run `make sync`")
