"""Fixtures that several test files share."""

import os
import shutil

import hypothesis
import pytest

from tools import book

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The same examples in every run, on machines of any speed.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the book's HTML, built afresh and strictly from stored outputs."""
    return book.build(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium. Without one the test is skipped, but where MIXUP_BROWSER=required."""
    found = filter(None, map(shutil.which, (os.environ.get("MIXUP_CHROMIUM", ""), *BROWSERS)))
    path = next(found, None)
    if path is None and os.environ.get("MIXUP_BROWSER") == "required":
        pytest.fail("no Chromium found, and MIXUP_BROWSER=required; .ci/run installs one")
    return path or pytest.skip("no Chromium found; set MIXUP_CHROMIUM to its path")
