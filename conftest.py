"""Settings for all tests and notebooks; tools/course.py and tools/test.py say why."""

import os

import pytest
from nbval.kernel import RunningKernel

from tools import course, test

pytest.register_assert_rewrite("shrunken")
os.environ.update(course.ENVIRONMENT)


def run_with_history(kernel, source, allow_stdin=None):
    """Runs a cell as Jupyter does. nbval keeps no history, and without it IPython shows values
    that a closing `;` should hide."""
    return kernel.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = run_with_history


def pytest_addoption(parser):
    parser.addoption("--check", action="store_true", help="leave out what takes long")


def pytest_ignore_collect(collection_path, config):
    long = collection_path.is_file() and test.takes_long(collection_path.name)
    return True if long and config.getoption("--check") else None


def pytest_collection_modifyitems(items):
    test.arrange(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return test.Units(config, log)


def pytest_runtest_setup(item):
    # nbval starts a notebook's kernel right after this; stored outputs are a CPU's.
    if item.path.suffix == ".ipynb":
        os.environ.update(course.NO_GPU)
