"""A small assignment for tests of the machinery: one question by tests, one by hand."""

from pathlib import Path

import nbformat

from tools.assignments import build

MASTER = [
    ("raw", "config", "# ASSIGNMENT CONFIG\ntests:\n  ok_format: false"),
    ("markdown", "title", "# A0. Trial\n\nA text."),
    ("raw", "b1", "# BEGIN QUESTION\nname: q1\npoints: 3"),
    ("markdown", "q1", "Write `double`."),
    ("raw", "b2", "# BEGIN SOLUTION"),
    (
        "code",
        "q1-solution",
        "def double(x):\n    # BEGIN SOLUTION\n    twice_the_value = x * 2\n"
        "    return twice_the_value\n    # END SOLUTION",
    ),
    ("raw", "b3", "# END SOLUTION"),
    ("raw", "b4", "# BEGIN TESTS"),
    (
        "code",
        "q1-public",
        '""" # BEGIN TEST CONFIG\npoints: 1\nfailure_message: Two is not doubled.'
        '\n""" # END TEST CONFIG\ndef test_two(double):\n'
        '    assert double(2) == 4, "it\'s not 4"',
    ),
    (
        "code",
        "q1-hidden",
        '""" # BEGIN TEST CONFIG\npoints: 2\nhidden: true\nfailure_message: A '
        'negative number is not doubled.\n""" # END TEST CONFIG\n'
        "def test_negative(double):\n    assert double(-7) == -14",
    ),
    ("raw", "b5", "# END TESTS"),
    ("raw", "b6", "# END QUESTION"),
    ("raw", "b7", "# BEGIN QUESTION\nname: q2\npoints: 2\nmanual: true"),
    ("markdown", "q2", "Why?"),
    ("raw", "b8", "# BEGIN SOLUTION"),
    ("markdown", "q2-solution", "Because addition is repeated once."),
    ("raw", "b9", "# END SOLUTION"),
    ("raw", "b10", "# END QUESTION"),
]


def master(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Writes the master, with other sources for some cells, and returns its path."""
    make = {
        "raw": nbformat.v4.new_raw_cell,
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
    }
    notebook = nbformat.v4.new_notebook(
        cells=[
            make[kind]((changes or {}).get(name, source), id=name) for kind, name, source in MASTER
        ],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
    )
    path = folder / "a0_trial.ipynb"
    nbformat.write(notebook, path)
    return path


def built(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Builds it under ``folder`` and returns the folder of all its built assignments."""
    build.build("a0", master(folder, changes), out=folder / "built")
    return folder / "built"
