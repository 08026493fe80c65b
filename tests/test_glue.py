"""glue writes what the book's glue roles read, and needs none of the book's packages."""

import subprocess
import sys

import pytest
from IPython.testing.globalipapp import start_ipython
from IPython.utils.capture import capture_output

from mixup_lib.page.glue import glue


def test_the_value_is_displayed_with_its_name():
    start_ipython()
    with capture_output() as captured:
        glue("04-error", "5.1")
    (output,) = captured.outputs
    assert output.data["text/plain"] == "'5.1'"
    assert output.metadata["scrapbook"] == {"name": "04-error", "mime_prefix": ""}


def test_a_name_is_needed():
    with pytest.raises(ValueError, match="name is ''"):
        glue("", 1)


def test_the_library_needs_no_part_of_the_books_toolchain():
    code = (
        "import sys, mixup_lib.page.glue, mixup_lib.evidence.claims\n"
        "import mixup_lib.page.plots, mixup_lib.page.interactive\n"
        "loaded = {'sphinx', 'myst_nb', 'myst_parser', 'docutils'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
