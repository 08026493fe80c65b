"""Fetch an archive from the first mirror that delivers the right one, whole, and unpack it."""

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from filelock import FileLock
from tqdm import tqdm

BLOCK = 1 << 16
FAILURES = (OSError, HTTPException, ValueError)  # what an address can raise, from typo to time-out


class DownloadError(RuntimeError):
    """No mirror delivered the archive. The message says why, and what to do."""


@dataclass(frozen=True)
class Archive:
    """A file to fetch.

    Attributes:
        title: What a reader calls the data.
        name: File name.
        md5: The checksum that the file must have, as hexadecimal digits. None where none is
            published; then `verify` judges what is in it.
        urls: Addresses of identical copies, in the order in which they are tried.
        verify: Called with a file's path, raises OSError or ValueError if it is another.
    """

    title: str
    name: str
    md5: str | None
    urls: tuple[str, ...]
    verify: Callable[[Path], None] | None = None

    def __post_init__(self) -> None:
        if self.md5 is None and self.verify is None:
            raise ValueError(f"{self.name} has neither md5 nor verify: anything would be accepted")

    def fault(self, path: Path) -> str | None:
        """Why the file at `path` is not this one; None if it is."""
        with open(path, "rb") as file:
            start = file.read(64).lstrip().lower()
        page = ", a web page" if start.startswith((b"<!doctype html", b"<html")) else ""
        if self.md5 is not None:
            found = md5(path)
            return None if found == self.md5 else f"MD5 {found} instead of {self.md5}{page}"
        try:
            self.verify(path)
        except Exception as error:  # a damaged archive can raise anything
            return f"{error or type(error).__name__}{page}"
        return None


def md5(path: Path) -> str:
    """MD5 of a file, as hexadecimal digits: it guards against accidents, not against attackers."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def addresses(archive: Archive, mirrors: str | Sequence[str] | None = None) -> list[str]:
    """Addresses to try, in order.

    Args:
        archive: The file to fetch.
        mirrors: Addresses that replace the built-in ones: a sequence, or one string with commas
            or spaces between them. An address that does not end in the archive's file name is
            taken as a folder that holds it. None stands for ``$MIXUP_MIRRORS``, and where that is
            not set either, for the built-in addresses.
    """
    if mirrors is None:
        mirrors = os.environ.get("MIXUP_MIRRORS", "")
    if isinstance(mirrors, str):
        mirrors = mirrors.replace(",", " ").split()
    return [
        url
        if urlsplit(url).path.endswith("/" + archive.name)
        else f"{url.rstrip('/')}/{archive.name}"
        for url in mirrors
    ] or list(archive.urls)


def provide(
    target: Path,
    archive: Archive,
    put: Callable[[Path, Path], None],
    mirrors: str | Sequence[str] | None = None,
) -> None:
    """Make sure that `target` is there, made from the archive if need be.

    Of several processes that ask at once, one works and the others wait for it.

    Args:
        target: A file or folder. What is there is left alone.
        archive: What it is made from, fetched into the folder of `target`.
        put: Called with the archive's path and `target`; makes `target` whole or not at all.
        mirrors: As in `fetch`.

    Raises:
        DownloadError: If no mirror delivered the archive.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = target.with_name(f".{target.name}.lock")
    with FileLock(lock):
        try:
            if not target.exists():
                put(fetch(archive, target.parent, mirrors), target)
        finally:
            if os.name == "posix":  # elsewhere an open file can't be removed
                lock.unlink(missing_ok=True)


def fetch(
    archive: Archive,
    folder: Path,
    mirrors: str | Sequence[str] | None = None,
    timeout: float = 20.0,
    tries: int = 4,
) -> Path:
    """Return the path of the archive in `folder`, downloaded if it is not there already.

    The transfer goes to ``NAME.part`` and is renamed when it is the right file. A transfer that
    breaks off is continued where it stopped, at the same mirror as long as that brings new bytes,
    then at the next. After an interruption (Ctrl-C, power cut) the next call continues the
    ``.part`` file; after a failure nothing half-written stays. Two processes must not ask for one
    archive at once: see `provide`.

    Args:
        archive: The file to fetch.
        folder: Where it goes; created if missing.
        mirrors: Addresses that replace the built-in ones; see `addresses`.
        timeout: Seconds without a single byte after which a mirror counts as stalled.
        tries: How often one mirror is asked at most.

    Raises:
        DownloadError: If no mirror delivered the archive.
    """
    path = folder / archive.name
    failures = []
    if path.exists():
        if not (fault := archive.fault(path)):
            return path
        failures.append((path, f"the file there is damaged: {fault}"))
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    for url in addresses(archive, mirrors):
        if reason := _from_mirror(url, archive, part, timeout, tries):
            failures.append((url, reason))
        else:
            os.replace(part, path)
            return path
    part.unlink(missing_ok=True)
    raise DownloadError(_explain(archive, path, failures))


def _from_mirror(url: str, archive: Archive, part: Path, timeout: float, tries: int) -> str | None:
    """Complete `part` from one mirror. Return None, or the reason why it could not be done."""
    reason = "no try was allowed"
    for _ in range(tries):
        start = part.stat().st_size if part.exists() else 0
        if start and not archive.fault(part):
            return None
        try:
            _transfer(url, part, start, timeout)
        except FAILURES as error:
            reason = _describe(error, timeout)
            if isinstance(error, HTTPError):
                if error.code != 416:
                    return reason
                part.unlink(missing_ok=True)  # longer than the mirror's file: not its beginning
            elif not part.exists() or part.stat().st_size <= start:
                return reason
            continue
        if not (fault := archive.fault(part)):
            return None
        reason = f"wrong content: {fault}, {part.stat().st_size} bytes"
        part.unlink()
        if start == 0:
            return reason
        # The bytes kept from before may have been the wrong ones: once more from the start.
    return reason


def _transfer(url: str, part: Path, start: int, timeout: float) -> None:
    """Write the address's content to `part`, from byte `start` on where the server can do so."""
    headers = {"User-Agent": "mixup_lib", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with urlopen(Request(url, headers=headers), timeout=timeout) as response:
        # 206 is "partial content". Any other success is the whole file, so begin again with it.
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {start}-"
        )
        if response.status == 206 and not resumed:
            part.unlink(missing_ok=True)
            raise OSError("the server sent another range than the one asked for")
        start = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else None
        with (
            open(part, "ab" if resumed else "wb") as file,
            tqdm(
                total=total, initial=start, unit="B", unit_scale=True, desc=part.stem, leave=False
            ) as bar,
        ):
            # read1 hands over what has arrived: bytes before a stall are kept.
            while block := response.read1(BLOCK):
                file.write(block)
                bar.update(len(block))
            if total is not None and file.tell() < total:
                raise OSError(f"the transfer broke off after {file.tell()} of {total} bytes")


def _describe(error: Exception, timeout: float) -> str:
    """The reason of a failure, in words."""
    reason = getattr(error, "reason", None) or error
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(reason, TimeoutError):
        return f"no answer for {timeout:g} seconds"
    return str(reason) or type(reason).__name__


def _explain(archive: Archive, path: Path, failures: list[tuple]) -> str:
    """The message of a DownloadError."""
    tried = "\n".join(f"  - {where}: {reason}" for where, reason in failures)
    return f"""{archive.title} could not be downloaded ({archive.name}). What failed:
{tried}
What to do, any one of these:
  - put the archive (MD5 {archive.md5 or "unpublished"}) at {path} by hand;
  - name folders of other copies: MIXUP_MIRRORS="https://one.example/data https://two.example";
  - point MIXUP_DATA (or the argument root) at a folder that holds the data already.
Quick mode needs no network: its data are built in."""


def unpack_tar(archive: Path, folder: Path, member: str) -> None:
    """Unpack a tar archive and put its folder `member` at `folder`, whole or not at all.

    Raises:
        tarfile.FilterError: If a member would land outside, or is no plain file or folder.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as temporary:
        with tarfile.open(archive) as tar:
            tar.extractall(temporary, filter="data")
        os.rename(Path(temporary) / member, folder)


def move(archive: Path, target: Path) -> None:
    """Put an archive that is the data itself in its place."""
    os.replace(archive, target)


def verify_tar(archive: Path, member: str, check: Callable[[Path], object]) -> None:
    """Let `check` judge the folder `member` of a tar archive, unpacked for the moment."""
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".unpack-") as temporary:
        folder = Path(temporary) / "content"
        unpack_tar(archive, folder, member)
        check(folder)
