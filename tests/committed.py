"""A state of the repository for tests that record: the library is committed as it lies here."""

from mixup_lib.evidence import results

PACKAGE = results._PACKAGE
BLOBS = {f.relative_to(PACKAGE).as_posix(): results._blob(f) for f in PACKAGE.rglob("*.py")}
COMMITTED = results._State("0" * 40, (), BLOBS)
