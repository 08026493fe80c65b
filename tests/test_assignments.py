"""The assignments: built once from their masters, and proved to be what a teacher needs."""

import ast
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import trial_assignment
import yaml
from nbclient import NotebookClient
from otter.check.utils import IPythonInterpreter
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import course, sphinx_course
from tools.assignments import AssignmentError, __main__, build, leaks, masters, prove, sandbox

MASTERS = masters.find()
SECRETS = ("pear", "plum")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """All assignments, built without a secret."""
    folder = tmp_path_factory.mktemp("assignments")
    for name, path in MASTERS.items():
        build.build(name, path, out=folder)
    return folder


@pytest.fixture(scope="session")
def trial(tmp_path_factory):
    return trial_assignment.built(tmp_path_factory.mktemp("trial"))


def proof_of(folder, changes=None):
    out = trial_assignment.built(folder, changes)
    return prove.Proof("a0", folder / "a0_trial.ipynb", out=out)


def steps(name):
    """What is proved of an assignment, as `make assignments` does. Wrong and right answers are held
    to their marks in the assignment's own file, by the same tests, in one process. Right answers of
    A1 go through the sandbox, and so do submissions that misbehave, whose limits are the same in
    all."""
    return ["solution", "untouched", "leaks", *(["limits", "right"] if name == "a1" else [])]


@pytest.mark.parametrize("name, step", [(name, step) for name in MASTERS for step in steps(name)])
def test_proof(out, name, step):
    assert list(getattr(prove.Proof(name, MASTERS[name], out=out), step)()) == []


def test_answers_of_every_assignment_are_tried_in_its_own_file():
    for name in MASTERS:
        source = (course.ROOT / f"tests/test_assignment_{name}.py").read_text()
        for pool in ("WRONG", *(["RIGHT"] if "right" not in steps(name) else [])):
            assert f'@pytest.mark.parametrize("name", {pool})' in source, (name, pool)


def test_the_proof_tries_wrong_answers(out, monkeypatch):
    """Two of A1 by the build's own way: one has a mistake, one imports what is blocked."""
    proof = prove.Proof("a1", MASTERS["a1"], out=out)
    answers = importlib.import_module("assignments.answers.a1")
    some = {name: answers.WRONG[name] for name in ("two-permutations", "imported")}
    monkeypatch.setattr(answers, "WRONG", some)
    assert list(proof.wrong()) == []


@pytest.mark.parametrize("name", MASTERS)
def test_variant(name, tmp_path):
    build.build(name, MASTERS[name], SECRETS[0], tmp_path)
    proof = prove.Proof(name, MASTERS[name], SECRETS[0], tmp_path)
    result = sandbox.run(proof.key, proof.autograder)
    assert prove.marks(result) == proof.full, prove.tell(result)
    for step in (proof.untouched, proof.leaks, proof.variant):
        assert list(step()) == []


@pytest.mark.parametrize("name", MASTERS)
def test_secrets_draw_differently_and_repeatably(name):
    one, other = (masters.drawn(name, secret) for secret in SECRETS)
    assert one != other
    assert one == masters.drawn(name, SECRETS[0])


@pytest.mark.parametrize("name", MASTERS)
def test_answers_are_many_and_explained(name):
    answers = importlib.import_module(f"assignments.answers.{name}")
    assert len(answers.WRONG) >= 6 and answers.RIGHT
    for answer in (*answers.WRONG.values(), *answers.RIGHT.values()):
        assert len(answer["why"]) > 15


def test_assignments_import_nothing_of_the_tools():
    """The tools read the masters, variants and answers; the other direction is closed."""
    for path in (course.ROOT / "assignments").rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = [
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        ]
        names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if name.split(".")[0] == "tools"], path


@pytest.mark.parametrize("name", MASTERS)
def test_guide_and_notebook_agree(name):
    """On the minutes, the points and the chapters that come before."""
    opening = next(
        cell.source for cell in course.read(MASTERS[name]).cells if cell.cell_type == "markdown"
    )
    guide = (course.ROOT / "book/teaching.md").read_text("utf-8")
    row = (
        re.search(rf"(?m)^\| \[[^|]*\(#assignment-{name}\) \|.*", guide)[0].strip("| ").split(" | ")
    )
    minutes, chapters = row[-2:]
    assert f"**Time:** {minutes.replace('–', ' to ')} minutes" in opening
    needed = re.search(r"\*\*You need:\*\* (.*)", opening)[1]
    assert set(re.findall(r"\d+", chapters)) <= set(re.findall(r"\d+", needed))
    table = dict(re.findall(r"(?m)^\| (q\d+) \|.*\| (\d+) \|$", opening))
    given = {
        question.name: question.points
        for question in masters.questions(masters.read(MASTERS[name])).values()
    }
    points = {question: str(points) for question, points in given.items()}
    assert table in ({}, points)  # A2 says it in words


def test_no_key_lies_where_submissions_run(out):
    """Property tests and correct implementations do, the keys' own tests and fixes do not."""
    folder = out / "a2_bug_clinic" / "autograder"
    sources = [path.read_text() for path in (folder / "files/support/a2").glob("*.py")]
    with zipfile.ZipFile(folder / "a2-gradescope.zip") as archive:
        sources += [
            archive.read(name).decode()
            for name in archive.namelist()
            if name.startswith("files/support")
        ]
    assert len(sources) > 15 and not [text for text in sources if "key_" in text]
    assert not list(folder.rglob("*key*.ipynb"))


def test_gradescope_runs_the_exported_autograder(trial, tmp_path):
    """As its container does: the zip in source/, the file in submission/, then otter's main, which
    run_otter.py calls with /autograder; results/results.json is what Gradescope reads."""
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(trial / "a0_trial/autograder/a0-gradescope.zip") as archive:
        archive.extractall(tmp_path / "source")
    script = (tmp_path / "source/run_otter.py").read_text()
    assert 'run_autograder("/autograder")' in script
    assert "/autograder/source/run_otter.py" in (tmp_path / "source/run_autograder").read_text()
    half = {"q1": "def double(x):\n    return abs(x) * 2"}
    key = (trial / "a0_trial/instructor/a0_trial_key.ipynb").read_text()
    (tmp_path / "submission/my homework.ipynb").write_text(prove.replaced(key, half))
    (tmp_path / "submission_metadata.json").write_text('{"users": [{"email": "a@x.org"}]}')
    subprocess.run(
        [sys.executable, "-c", script.replace("/autograder", str(tmp_path))],
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    results = json.loads((tmp_path / "results/results.json").read_text())
    question = next(test for test in results["tests"] if test["name"] == "q1")
    assert (question["score"], question["max_score"]) == (1, 3)
    shown = json.dumps([test for test in results["tests"] if test.get("visibility") != "hidden"])
    assert "double(-7)" not in shown


def test_two_variants_lie_in_two_folders(monkeypatch, tmp_path, capsys):
    path = trial_assignment.master(tmp_path)
    monkeypatch.setattr(masters, "find", lambda names: {"a0": path})
    monkeypatch.setattr(masters, "drawn", lambda name, secret: {"q1": f"Write `double`: {secret}."})
    monkeypatch.setattr(__main__, "OUT", tmp_path / "public")
    monkeypatch.setattr(__main__, "VARIANTS", tmp_path / "variants")
    awkward = 'it\'s $HOME & "more" `x`'
    monkeypatch.setenv("ASSIGNMENTS_SECRET", awkward)
    __main__.main(["build", "--no-proof"])
    __main__.main(["build", "--no-proof", "--variant", "plum"])
    __main__.main(["build", "--no-proof", "--variant-from", "ASSIGNMENTS_SECRET"])
    said = capsys.readouterr().out
    kinds = [
        json.loads(found.read_text())["kind"]
        for found in sorted(tmp_path.rglob("autograder/manifest.json"))
    ]
    assert len(set(kinds)) == 3 and kinds.count("public") == 1
    assert all(kind in said for kind in kinds) and awkward not in said and "plum" not in said
    texts = [found.read_text() for found in tmp_path.rglob("student/a0_trial.ipynb")]
    assert sum(json.dumps(awkward)[1:-1] in text for text in texts) == 1
    for blank in ("", "  "):
        with pytest.raises(SystemExit, match="the variant's secret is"):
            __main__.main(["build", "--no-proof", "--variant", blank])
    monkeypatch.delenv("ASSIGNMENTS_SECRET")


def test_make_hands_over_a_secret_unharmed(tmp_path):
    """A $, a quote or a blank in it is neither make's nor the shell's."""
    (tmp_path / "Makefile").write_text(
        re.sub(
            r"\n\t@?\$\(RUN\) tools.assignments build.*",
            '\n\t@printf "%s" "$$ASSIGNMENTS_SECRET $(variant)"',
            (course.ROOT / "Makefile").read_text(),
        ).replace("assignments: env", "assignments:")
    )
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VARIANT", "MAKEFLAGS", "ASSIGNMENTS_SECRET")
    }

    def made(*arguments, **environment):
        return subprocess.run(
            ["make", "-s", "assignments", *arguments],
            cwd=tmp_path,
            text=True,
            check=True,
            capture_output=True,
            env=clean | environment,
        ).stdout

    awkward, asked = "a$b $(c) \"d\" 'e' `f`", " --variant-from ASSIGNMENTS_SECRET"
    assert made(f"VARIANT={awkward}") == made(VARIANT=awkward) == awkward + asked
    assert made("VARIANT=") == asked  # and then it is refused
    assert made() == " "


def test_proof_notices_a_solution_that_fails(tmp_path):
    proof = proof_of(tmp_path, {"q1-solution": "def double(x):\n    return abs(x * 2)  # SOLUTION"})
    said = list(proof.solution())
    assert said[0].startswith("the key gets 1 of 3") and "negative number" in said[0]
    assert said[1].startswith("`otter run` gives the key 1 of 3")


def test_proof_notices_a_given_answer_and_a_silent_test(tmp_path):
    proof = proof_of(
        tmp_path,
        {
            "q1-solution": "def double(x):\n    return x + x",
            "q1-hidden": '""" # BEGIN TEST CONFIG\npoints: 2\nhidden: true\n""" # END TEST CONFIG\n'
            "def test_big(double):\n    assert double('a') == 3",
        },
    )
    said = list(proof.untouched())
    assert said[0].startswith("the untouched copy gets 1 marks") and "q1" in said[1]


def test_proof_notices_wrong_marks(trial, monkeypatch):
    answers = type(sys)("assignments.answers.a0")
    source = "def double(x):\n    return abs(x * 2)"
    answers.WRONG = {
        "right": {"marks": 1.0, "answers": {"q1": source}},
        "not": {"marks": 2.0, "answers": {"q1": source}},
    }
    monkeypatch.setitem(sys.modules, "assignments.answers.a0", answers)
    proof = prove.Proof("a0", trial.parent / "a0_trial.ipynb", out=trial)
    assert [said.split(":")[0] for said in proof.wrong()] == [
        "wrong answer 'not' gets 1 of 3; stated is 2"
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "twice_the_value = x * 2",
        "assert double(-7)  ==  -14",
        "A negative number is not doubled.",
        "Because addition is repeated once.",
    ],
)
@pytest.mark.parametrize("place", ["markdown", "metadata", "file"])
def test_leaks_are_found(trial, tmp_path, secret, place):
    master = masters.read(trial.parent / "a0_trial.ipynb")
    notebook = course.read(trial / "a0_trial/student/a0_trial.ipynb")
    nbformat.write(notebook, tmp_path / "clean.ipynb")
    assert leaks.find(tmp_path, master) == []
    if place == "markdown":
        notebook.cells[0].source += f"\n{secret}"
    elif place == "metadata":
        notebook.metadata["note"] = {"deep": [1, f"x {secret}"]}
    else:
        (tmp_path / "notes.py").write_text(f'text = "{secret}"')
    nbformat.write(notebook, tmp_path / "leaky.ipynb")
    assert leaks.find(tmp_path, master)


def test_a_secret_in_a_student_file_is_found(trial):
    proof = prove.Proof("a0", trial.parent / "a0_trial.ipynb", out=trial)
    proof.secret, masters_read = "Write", masters.read
    proof.path = trial.parent / "a0_trial.ipynb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masters, "read", lambda path, secret: masters_read(path))
        assert list(proof.leaks()) == ["a0_trial.ipynb holds the variant's secret"]


@pytest.mark.parametrize("asked", [[(2, 5)], [(2, 5), (3, 4), (5, 2)]])
def test_side_by_side_keeps_the_order(asked):
    assert list(__main__.side_by_side(pow, asked)) == [a**b for a, b in asked]


def test_build_tells_failures_together(monkeypatch, tmp_path, capsys):
    path = trial_assignment.master(tmp_path)
    monkeypatch.setattr(masters, "find", lambda names: {"a0": path})
    monkeypatch.setattr(prove.Proof, "steps", lambda self: iter([("fine", []), ("bad", ["no"])]))
    with pytest.raises(AssignmentError, match="1 checks fail"):
        __main__.make_all([], "", tmp_path / "built")
    assert "FAILS bad\n        no" in capsys.readouterr().out


def test_unknown_names_are_told():
    with pytest.raises(AssignmentError, match="no assignment 'a7'; there are: a1"):
        masters.find(["a7"])


def test_masters_are_checked(tmp_path):
    with pytest.raises(AssignmentError, match="has 0 raw cells that begin with"):
        masters.read(trial_assignment.master(tmp_path, {"config": "nothing"}))


@pytest.mark.parametrize("name", MASTERS)
def test_student_copy_works_from_its_folder_alone(out, name, tmp_path, monkeypatch):
    """As a student runs it: a kernel in a folder with nothing else, cells that may fail."""
    student = next((out / MASTERS[name].stem / "student").glob("*.ipynb"))
    shutil.copytree(student.parent, tmp_path / "alone")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebook = course.read(tmp_path / "alone" / student.name)
    resources = {"metadata": {"path": str(tmp_path / "alone")}}
    NotebookClient(notebook, allow_errors=True, resources=resources).execute()
    cells = {cell.id: cell for cell in notebook.cells}
    said = {key: json.dumps(cell.outputs) for key, cell in cells.items() if key.endswith("-check")}
    assert "Ready." in json.dumps(cells["setup"].outputs)
    assert said
    for key, output in said.items():
        assert "results:" in output and "message:" in output, (key, output)
        assert "does not exist" not in output


def test_checks_work_on_colab(trial, tmp_path, monkeypatch):
    """There is no notebook file on Colab, and otter-grader refuses tests from metadata there."""
    monkeypatch.chdir(tmp_path)
    for interpreter in IPythonInterpreter:
        monkeypatch.setattr(
            interpreter.value, "check_strs", [""] if interpreter.name == "COLAB" else ["never"]
        )
    cells = course.read(trial / "a0_trial/student/a0_trial.ipynb").cells
    scope = {}
    exec(next(cell.source for cell in cells if cell.id == "setup"), scope)
    assert scope["grader"].interpreter is IPythonInterpreter.COLAB
    assert not scope["grader"].check("q1", {"double": lambda x: x}).passed_all
    assert scope["grader"].check("q1", {"double": lambda x: x + x}).passed_all


def test_builds_are_the_same_twice(trial, tmp_path):
    again = trial_assignment.built(tmp_path)
    for file in ("student/a0_trial.ipynb", "instructor/a0_trial_key.ipynb", "instructor/rubric.md"):
        assert (trial / "a0_trial" / file).read_text() == (again / "a0_trial" / file).read_text()


def test_workflow_publishes_student_copies(tmp_path):
    """Runs the publishing step itself, with a folder for a site and another for GitHub."""
    workflow = yaml.safe_load((course.ROOT / ".github/workflows/book.yml").read_text())
    steps = workflow["jobs"]["publish"]["steps"]
    commands = [step.get("run") for step in steps]
    build = next(command for command in commands if "make assignments" in (command or ""))
    assert commands.index(build) < commands.index("make book")
    assert workflow["permissions"]["contents"] == "write"
    push = next(step for step in steps if "git push" in step.get("run", ""))
    name = "a1_draw_once"
    site = tmp_path / "site"
    (site / "assignments" / name).mkdir(parents=True)
    (site / "assignments" / name / f"{name}.ipynb").write_text("{}")
    hub = tmp_path / "owner" / "course"
    subprocess.run(["git", "init", "--quiet", "--bare", hub], check=True)
    environment = os.environ | {
        "TOKEN": "t",
        "GITHUB_REPOSITORY": "owner/course",
        "GITHUB_SHA": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://x-access-token:t@github.com/",
    }
    subprocess.run(["bash", "-e", "-c", push["run"]], check=True, cwd=site, env=environment)
    listed = subprocess.run(
        ["git", "-C", hub, "ls-tree", "-r", "--name-only", course.PUBLISHED],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    link = course.colab_assignment(name)
    assert link.split(f"/blob/{course.PUBLISHED}/")[1] in listed
    assert ".nojekyll" in listed


@pytest.mark.parametrize("kind, linked", [("public", True), ("variant-123456", False)])
def test_a_book_of_a_variant_has_no_link_to_the_public_edition(monkeypatch, tmp_path, kind, linked):
    folder = tmp_path / "a1_draw_once" / "student"
    folder.mkdir(parents=True)
    copy = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Draw once")],
        metadata={"assignment": {"name": "a1", "kind": kind}},
    )
    nbformat.write(copy, folder / "a1_draw_once.ipynb")
    monkeypatch.setattr(sphinx_course, "STUDENT_COPIES", tmp_path)
    line = sphinx_course.downloads("notebooks/02_math")
    assert "a1_draw_once.ipynb" in line and "()" not in line
    assert (course.colab_assignment("a1_draw_once") in line) == linked


@pytest.mark.parametrize("file", ["book", "tests"])
def test_workflows_name_what_exists(file):
    """Nobody has run them here: what they call is looked up, in the Makefile and the tree."""
    text = (course.ROOT / f".github/workflows/{file}.yml").read_text()
    makefile = (course.ROOT / "Makefile").read_text()
    builder = (course.ROOT / "tools/book.py").read_text()  # writes what is uploaded
    targets = re.search(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[1].split()
    called = re.findall(r"\bmake ([a-z-]+)", text)
    assert called and set(called) <= set(targets)
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            asked = step.get("with", {})
            for path in asked.get("cache-dependency-path", "").split():
                assert (course.ROOT / path).exists(), path
            if step.get("run", "").startswith(".ci/"):
                assert os.access(course.ROOT / step["run"], os.X_OK)
            if "path" in asked:
                assert f'"{asked["path"]}"'.replace("/", '" / "') in builder


@pytest.mark.parametrize("secret, fails", [("", False), ("plum $1", False), ("plum", True)])
def test_workflow_builds_the_variant_of_its_secret(tmp_path, secret, fails):
    """Its step, with a make that says what it was given; the log shows no hidden test's text."""
    workflow = yaml.safe_load((course.ROOT / ".github/workflows/book.yml").read_text())
    step = next(
        step
        for step in workflow["jobs"]["publish"]["steps"]
        if "make assignments" in step.get("run", "")
    )
    make = tmp_path / "make"
    make.write_text(
        '#!/bin/sh\necho "$1 $VARIANT" > called\nmkdir -p _build/variants/variant-1\n'
        f'echo "Edition: variant-1"; echo "        assert hidden == 7"; exit {int(fails)}\n'
    )
    make.chmod(0o755)
    run = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "SECRET": secret,
            "GITHUB_ENV": "environment",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(run.returncode) == fails, run
    assert (tmp_path / "called").read_text() == f"assignments {secret}\n"
    if secret:
        assert "Edition" in run.stdout and "hidden" not in run.stdout
    told = tmp_path / "environment"
    assert (told.read_text() if told.exists() else "") == (
        "STUDENT_COPIES=_build/variants/variant-1\n" if secret and not fails else ""
    )


DOCKERFILE = course.ROOT / "tools/assignments/Dockerfile"


def test_container_copies_what_exists_and_starts_the_grader():
    text = DOCKERFILE.read_text()
    lines = text.splitlines()
    copied = [part for line in lines if line.startswith("COPY") for part in line.split()[1:-1]]
    assert copied and all((course.ROOT / part).exists() for part in copied)
    command = json.loads(re.search(r"(?s)ENTRYPOINT (\[.*\])", text)[1].replace("\\\n", ""))
    assert command[:3] == ["python", "-m", "tools.assignments"]
    with pytest.raises(SystemExit, match="no autograder of 'a1' in /built"):
        __main__.main([*command[3:], "--workers", "2"])


def installed_by(wanted):
    """The distributions that pip installs for these, with all that they need."""
    found, left = set(), list(wanted)
    while left:
        asked = Requirement(left.pop())
        name = canonicalize_name(asked.name)
        extras = asked.extras or {""}
        if (name, *sorted(extras)) in found:
            continue
        found.add((name, *sorted(extras)))
        for line in importlib.metadata.requires(name) or ():
            more = Requirement(line)
            if not more.marker or any(more.marker.evaluate({"extra": one}) for one in extras):
                left.append(line)
    return {name for name, *_ in found}


def test_container_installs_what_grading_imports():
    lines = re.findall(r"RUN pip install (.*?)\n(?=[A-Z])", DOCKERFILE.read_text(), re.DOTALL)
    packages = [
        word.strip('"')
        for line in lines
        for word in re.sub(r"--\S+ (?:https\S+|/\S+)|--\S+|\\", "", line).split()
    ]
    project = tomllib.loads((course.ROOT / "pyproject.toml").read_text())["project"]["name"]
    have = installed_by(word.replace("/course", project) for word in packages)
    files = [*(course.ROOT / "tools/assignments").glob("*.py"), course.ROOT / "tools/course.py"]
    names = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    names -= {*sys.stdlib_module_names, "tools", "assignments"}
    assert {"torch", "otter", "psutil", "markdown_it", "mixup_lib"} <= names
    other = {"otter": "otter-grader", "yaml": "pyyaml", "markdown_it": "markdown-it-py"}
    other["mixup_lib"] = project
    lacking = {name for name in names if canonicalize_name(other.get(name, name)) not in have}
    assert not lacking


def test_container_finds_the_autograders(trial, tmp_path):
    """The README's commands, with a docker that tells what it was asked."""
    text = (course.ROOT / "assignments/README.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    (block,) = [found for found in blocks if "docker" in found]
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nfor one in "$@"; do echo "$one"; done\necho\n')
    docker.chmod(0o755)
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build/assignments").symlink_to(trial)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    said = subprocess.run(
        ["bash", "-e", "-c", block],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    built, ran = (part.splitlines() for part in said.strip().split("\n\n"))
    assert (course.ROOT / built[built.index("-f") + 1]) == DOCKERFILE
    mounts = [line.removesuffix(":ro").split(":") for line in ran if re.match("/.*:/", line)]
    inside = {target: Path(source) for source, target in mounts}
    assert set(inside) == {"/built/a0_trial/autograder", "/submissions", "/grades"}
    assert (inside["/built/a0_trial/autograder"] / "manifest.json").exists()
    assert (tmp_path / "grades").is_dir() and "none" == ran[ran.index("--network") + 1]
