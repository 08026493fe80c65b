"""Builds, checks and grades the assignments.

    python -m tools.assignments build [--variant SECRET] [a1 ...]
    python -m tools.assignments grade FOLDER [--assignment a1] [--out FOLDER]

One master notebook per assignment, ``assignments/aN_topic.ipynb``, holds text, solutions and
tests. Out of it come, in ``_build/assignments/aN_topic``, the student copy, the autograder (also as
a zip for Gradescope) and the instructor's key. otter-grader makes them; this package draws
variants, puts the public checks inside the student's one file, proves each build, and grades
within limits.

Low to high: sandbox (a submission within limits, :mod:`runner` inside it), masters, build,
submissions, prove, grade.
"""

from tools import course

MASTERS = course.ROOT / "assignments"
OUT = course.ROOT / "_build" / "assignments"
GRADES = course.ROOT / "_build" / "grades"

# What a submission may not import while it is graded: where the task is to write mixup, finished
# implementations are no answer.
BLOCKED = {
    "a1": ("mixup_lib", "timm", "keras", "kornia", "torchvision.transforms.v2"),
}

# What Gradescope installs, where a master names nothing else.
REQUIREMENTS = ["torch", "numpy", "scipy", "matplotlib", "scikit-learn"]


class AssignmentError(Exception):
    """Something that a teacher or an author can mend; its message says what and how."""
