"""Builds, checks and grades the assignments.

    python -m tools.assignments build [--variant SECRET] [a1 ...]
    python -m tools.assignments grade FOLDER [--assignment a1] [--worksheet FILE] [--out FOLDER]

One master notebook per assignment, ``assignments/aN_topic.ipynb``, holds text, solutions and
tests. Out of it come, in ``_build/assignments/aN_topic``, the student copy, the autograder (also as
a zip for Gradescope) and the instructor's key. otter-grader makes them; this package draws
variants, puts the public checks inside the student's one file, proves each build, and grades
within limits.

Low to high: runner (inside the submission's process), warden (which that is forked from), sandbox,
masters, build, submissions, prove, report, grade. All of it reads ``assignments/`` (masters,
variants, answers), and nothing there imports anything of this.
"""

from tools import course

MASTERS = course.ROOT / "assignments"
OUT = course.ROOT / "_build" / "assignments"  # the public edition
VARIANTS = course.ROOT / "_build" / "variants"  # a folder for each secret
GRADES = course.ROOT / "_build" / "grades"

# What Gradescope installs, where a master names nothing else.
REQUIREMENTS = ["torch", "numpy", "scipy", "matplotlib", "scikit-learn"]


class AssignmentError(Exception):
    """Something that a teacher or an author can mend; its message says what and how."""
