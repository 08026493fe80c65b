"""Settings for all tests and notebooks; tools/course.py says why."""

import os

from tools import course

os.environ.update(course.ENVIRONMENT)


def pytest_runtest_setup(item):
    # nbval starts a notebook's kernel right after this; stored outputs are a CPU's.
    if item.path.suffix == ".ipynb":
        os.environ.update(course.NO_GPU)
