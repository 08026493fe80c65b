"""Published figures: every one has a source that the book cites, and numbers that can be read."""

import json
import math
import re
from pathlib import Path

import pytest

from mixup_lib import results
from mixup_lib.published import published

NAMES = list(json.loads((results.folder() / "published.json").read_text(encoding="utf-8")))
REFERENCES = Path(__file__).parents[1] / "book" / "references.bib"


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_source_and_a_unit(name):
    entry = published(name)
    keys = re.findall(r"^@\w+\{([^,]+),", REFERENCES.read_text("utf-8"), re.M)
    assert entry["reference"] in keys
    for part in ("where", "what", "measure", "unit"):
        assert entry[part].strip(), part
    assert entry["values"] and all(math.isfinite(value) for value in entry["values"].values())


def test_an_unknown_name_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match=f"name='nowhere' is not published.*{NAMES[0]}"):
        published("nowhere")
