"""Versions: the lock, conda's file, and a Colab machine's own packages agree."""

import json
import shutil
import subprocess
import sys
import tomllib
import venv

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import course, sync

PROJECT = tomllib.loads((course.ROOT / "pyproject.toml").read_text())
# Reviewed: torchtext is archived, and 0.6.0 is its last pure-Python release.
EXACT = {"torchtext"}


def needs():
    """What users of the package install: dependencies and extras."""
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for part in lists for line in part]


def colab():
    """constraints-colab.txt as {name: version}."""
    lines = (course.ROOT / "constraints-colab.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def test_conda_users_get_the_locked_versions():
    conda = yaml.safe_load((course.ROOT / "environment.yml").read_text())["dependencies"]
    lines = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    assert lines[0] == "--constraint requirements.lock"  # everything else that pip brings along
    pins = dict(line.split("==") for line in lines[1:])
    assert pins == {name: sync.locked()[name] for name in sync.direct()}


def test_lock_answers_everything_asked_for():
    groups = [Requirement(line) for part in PROJECT["dependency-groups"].values() for line in part]
    for need in needs() + groups:
        assert need.specifier.contains(sync.locked()[canonicalize_name(need.name)]), need


def test_what_builds_the_book_is_a_part_of_the_lock_and_has_no_torch():
    book, everything = sync.locked("requirements-book.lock"), sync.locked()
    assert book.items() <= everything.items()
    for line in PROJECT["dependency-groups"]["book"]:
        assert Requirement(line).specifier.contains(book[canonicalize_name(Requirement(line).name)])
    assert not {"torch", "torchvision", "scipy", "scikit-learn", "jupyterlab"} & book.keys()


def test_the_book_s_tools_run_without_the_library(tmp_path):
    """What `make book` runs, with every package missing that requirements-book.lock lacks."""
    page, sources = tmp_path / "notebooks", tmp_path / "_sources" / "notebooks"
    page.mkdir()
    sources.mkdir(parents=True)
    shutil.copy(course.notebooks()[0], sources)
    (page / f"{course.notebooks()[0].stem}.html").write_text("<article><h1>A</h1></article>")
    code = (
        "import sys\n"
        "for name in ('torch', 'numpy', 'scipy', 'mixup_lib'): sys.modules[name] = None\n"
        "import tools.book, tools.sphinx_course, tools.reference\n"
        "assert tools.reference.at('mixup_lib').is_module\n"
        "from types import SimpleNamespace as Of\n"
        "app = Of(builder=Of(format='html'), outdir=sys.argv[1])\n"
        "tools.sphinx_course.finish(app, None)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, cwd=course.ROOT)
    assert (tmp_path / ".nojekyll").exists()


@pytest.mark.parametrize("need", needs(), ids=lambda need: need.name)
def test_package_sets_lower_bounds_only(need):
    operators = {part.operator for part in need.specifier}
    assert operators == ({"=="} if need.name in EXACT else {">="})


@pytest.mark.parametrize("need", needs(), ids=lambda need: need.name)
def test_colab_satisfies_the_bounds(need):
    if need.name in colab():
        assert need.specifier.contains(colab()[need.name])


def test_pins_of_colab_cover_the_dependencies():
    names = {Requirement(line).name for line in PROJECT["project"]["dependencies"]}
    assert names <= set(colab())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """This package's wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--wheel-dir",
            folder,
            course.ROOT,
        ],
        check=True,
    )
    return next(folder.glob("*.whl"))


def planned(wheel, folder, present):
    """Names that pip would install with the wheel where `present` {name: version} is installed.

    The packages are there by name and version only: that is what pip decides from.
    """
    venv.create(folder, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name, version in present.items():
        info = packages / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    report = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            folder,
            "install",
            "--dry-run",
            "--quiet",
            "--no-index",
            "--report",
            "-",
            wheel,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {item["metadata"]["name"] for item in json.loads(report)["install"]}


def test_installing_beside_colabs_packages_changes_none(wheel, tmp_path):
    assert planned(wheel, tmp_path, colab()) == {"mixup-lib"}


def test_installing_beside_the_locked_packages_changes_none(wheel, tmp_path):
    assert planned(wheel, tmp_path, sync.locked()) == {"mixup-lib"}


def test_too_old_a_torch_would_be_noticed(wheel, tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        planned(wheel, tmp_path, colab() | {"torch": "2.0.0"})


def test_wheel_carries_the_recorded_results(wheel):
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", wheel], check=True, capture_output=True, text=True
    ).stdout
    for path in sorted((course.ROOT / "results").rglob("*.json")):
        assert f"mixup_lib/_results/{path.relative_to(course.ROOT / 'results')}" in listed
