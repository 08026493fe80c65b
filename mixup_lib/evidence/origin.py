"""Which code made a record: looked up in the repository's history.

A record holds the commit that made it and a hash of the library's modules as they were loaded.
Its code is *known* if some commit of the history has those very sources: the one that it names, or,
for records that name none, any other. What was found is kept in ``results/code.json``, so that a
copy without the history can tell it too: the commits of records that name none, and the hashes that
no commit explains. Without the history, any other record is taken at its word.

The hash covers the modules that ``import mixup_lib.experiments`` loads, by name and content. Which
those are is read from the sources: the imports outside functions. A run that was started otherwise
may have loaded further experiments, so these are tried as well.
"""

import ast
import hashlib
import itertools
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mixup_lib.basics.writing import atomic_write
from mixup_lib.evidence import results

__all__ = [
    "Code",
    "Origin",
    "Repository",
    "origins",
    "records",
    "remember",
    "remembered",
    "search",
    "unknown",
]

ENTRY = "mixup_lib.experiments"
FURTHER = 5  # experiments that the package does not import itself, at most: all subsets are tried


class Origin(NamedTuple):
    """Where a record comes from."""

    experiment: str
    method: str
    seed: int
    commit: str | None  #: whose sources made it; None if no commit explains it
    why: str  #: how that is known, or what is wrong


class Repository(AbstractContextManager):
    """The commits of a repository and the library's sources in them.

    Args:
        folder: of the repository.

    Raises:
        RuntimeError: if there is no git here, or only a part of the history.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        if self._git("rev-parse", "--is-shallow-repository").strip() != "false":
            raise RuntimeError(f"{folder} holds only a part of the history: git fetch --unshallow")
        self.commits = frozenset(self._git("rev-list", "HEAD").split())
        self.touching = self._git("rev-list", "--reverse", "HEAD", "--", "mixup_lib").split()
        self._reader = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._blob = cache(self._read)
        self._imports = cache(self._parse)

    def __exit__(self, *_) -> None:
        self._reader.stdin.close()
        self._reader.wait()
        self._reader.stdout.close()

    def hashes(self, commit: str) -> Iterator[str]:
        """The hashes that a record of this commit can hold; none without experiments."""
        modules = {}
        for line in self._git("ls-tree", "-r", commit, "mixup_lib").splitlines():
            meta, _, path = line.partition("\t")
            if path.endswith(".py"):
                name = path.removesuffix(".py").replace("/", ".")
                modules[name.removesuffix(".__init__")] = meta.split()[2]
        if ENTRY not in modules:
            return
        usual = self._loaded(modules, [ENTRY])
        # As a command, the package is loaded with what its command line imports; that module
        # itself goes by the name of __main__ and not by its own.
        command = self._loaded(modules, [f"{ENTRY}.__main__"]) - {f"{ENTRY}.__main__"}
        yield self._digest(modules, usual | command)
        others = [
            name
            for name in sorted(modules)
            if name.startswith(f"{ENTRY}.") and name not in usual and "__main__" not in name
        ][:FURTHER]
        for size in range(len(others) + 1):
            for further in itertools.combinations(others, size):
                yield self._digest(modules, usual | self._loaded(modules, further))

    def _loaded(self, modules: dict[str, str], names: Iterable[str]) -> set[str]:
        """The modules that importing these loads."""
        loaded: set[str] = set()
        todo = list(names)
        while todo:
            parts = todo.pop().split(".")
            for size in range(1, len(parts) + 1):
                name = ".".join(parts[:size])
                if name in modules and name not in loaded:
                    loaded.add(name)
                    todo += self._imports(modules[name])
        return loaded

    def _digest(self, modules: dict[str, str], names: set[str]) -> str:
        digest = hashlib.sha256()
        for name in sorted(names):
            digest.update(name.encode() + self._blob(modules[name]))
        return digest.hexdigest()

    def _parse(self, blob: str) -> list[str]:
        """What a source imports when it is imported itself; names may be no modules."""
        found = []
        todo: list[ast.AST] = [ast.parse(self._blob(blob))]
        while todo:
            for node in ast.iter_child_nodes(todo.pop()):
                if isinstance(node, ast.Import):
                    found += [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found += [f"{node.module}.{alias.name}" for alias in node.names]
                elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    todo.append(node)
        return [name for name in found if name.startswith("mixup_lib")]

    def _read(self, blob: str) -> bytes:
        self._reader.stdin.write(blob.encode() + b"\n")
        self._reader.stdin.flush()
        size = int(self._reader.stdout.readline().split()[2])
        content = self._reader.stdout.read(size)
        self._reader.stdout.read(1)
        return content

    def _git(self, *words: str) -> str:
        try:
            done = subprocess.run(
                ["git", *words], cwd=self.folder, capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or error
            raise RuntimeError(f"no git history in {self.folder}: {reason}") from error
        return done.stdout


def records(root: Path | None = None) -> list[dict]:
    """Every record, by experiment, method and seed."""
    folders = sorted(path for path in Path(root or results.folder()).iterdir() if path.is_dir())
    return [
        record
        for folder in folders
        if any(folder.glob("*-seed*.json"))
        for record in results.load(folder.name, root)
    ]


class Code(NamedTuple):
    """What ``code.json`` holds."""

    commits: dict[str, str]  #: of the source hashes of records that name none
    unknown: list[str]  #: source hashes that no commit has

    def of(self, found: Iterable[dict]) -> dict[str, str]:
        """The commit of each source hash, as :func:`search` finds them in a history."""
        known = {}
        for record in found:
            digest = record["provenance"]["source_sha256"]
            commit = self.commits.get(digest) or record["provenance"]["commit"]
            if commit and digest not in self.unknown:
                known[digest] = commit
        return known


def remembered() -> Code:
    """What ``results/code.json`` holds."""
    text = (results.folder() / "code.json").read_text(encoding="utf-8")
    return Code(**json.loads(text))


def remember(found: list[dict], known: dict[str, str]) -> None:
    """Writes what was found to ``results/code.json``."""
    commits, missing = {}, set()
    for record in found:
        digest = record["provenance"]["source_sha256"]
        if digest not in known:
            missing.add(digest)
        elif record["provenance"]["commit"] is None:
            commits[digest] = known[digest]
    text = json.dumps(Code(commits, sorted(missing))._asdict(), indent=1, sort_keys=True)
    with atomic_write(results.folder() / "code.json") as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def search(history: Repository, found: Iterable[dict], thorough: bool = True) -> dict[str, str]:
    """The commit of each source hash that the history explains.

    Args:
        history: of the repository.
        found: records.
        thorough: looks for the hash of records that name no commit in every commit; else in those
            alone that ``code.json`` names.
    """
    named, nameless = {}, set()
    for record in found:
        origin = record["provenance"]
        if origin["commit"] is None:
            nameless.add(origin["source_sha256"])
        else:
            named.setdefault(origin["commit"], set()).add(origin["source_sha256"])
    known = {}
    for commit in sorted(named.keys() & history.commits):
        wanted = set(named[commit])
        for digest in history.hashes(commit):
            if digest in wanted:
                known[digest] = commit
                wanted.remove(digest)
            if not wanted:
                break
    places = history.touching if thorough else sorted(set(remembered().commits.values()))
    for commit in places:
        if not nameless:
            break
        for digest in history.hashes(commit) if commit in history.commits else ():
            if digest in nameless:
                known.setdefault(digest, commit)
                nameless.remove(digest)
    return known


def origins(found: Iterable[dict], known: dict[str, str]) -> list[Origin]:
    """Where each record comes from, given the commits of the source hashes."""
    told = []
    for record in found:
        origin = record["provenance"]
        named, commit = origin["commit"], known.get(origin["source_sha256"])
        if commit is not None and named is not None:
            commit = named  # other commits may have the same sources
        if commit is None and named is None:
            why = "names no commit, and no commit has its sources"
        elif commit is None:
            why = f"names commit {named[:8]}, which is unknown or has other sources"
        elif named is None:
            why = "names no commit, and this one has its sources"
        else:
            why = "names its commit, which has its sources"
        told.append(Origin(record["experiment"], record["method"], record["seed"], commit, why))
    return told


def unknown() -> dict[str, int]:
    """How many records of each experiment no commit explains, as ``results/code.json`` has it."""
    found = records()
    told = origins(found, remembered().of(found))
    return dict(Counter(origin.experiment for origin in told if origin.commit is None))
