"""Settings for all tests and notebooks; tools/course.py says why."""

import os

from nbval.kernel import RunningKernel

from tools import course

os.environ.update(course.ENVIRONMENT)


def run_with_history(kernel, source, allow_stdin=None):
    """Runs a cell as Jupyter does. nbval keeps no history, and without it IPython shows values
    that a closing `;` should hide."""
    return kernel.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = run_with_history


def pytest_runtest_setup(item):
    # nbval starts a notebook's kernel right after this; stored outputs are a CPU's.
    if item.path.suffix == ".ipynb":
        os.environ.update(course.NO_GPU)
