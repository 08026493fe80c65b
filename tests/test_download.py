"""Downloads, against a server on this machine that misbehaves in every way we could think of."""

import contextlib
import functools
import hashlib
import multiprocessing
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mixup_lib.datasets import DownloadError, download
from mixup_lib.datasets.download import Archive, addresses, fetch, move, provide

NAME = "data.tar.gz"
CONTENT = bytes(range(256)) * 400
MD5 = hashlib.md5(CONTENT).hexdigest()
THIRD = len(CONTENT) // 3 + 1


def only_toys(path):
    if path.read_bytes() != CONTENT:
        raise OSError("these are no toys")


NEVER = ("http://127.0.0.1:1/never",)
PUBLISHED = Archive("Toy data", NAME, MD5, NEVER)  # a checksum is published, or contents are judged
JUDGED = Archive("Toy data", NAME, None, NEVER, only_toys)
BOTH = pytest.mark.parametrize("archive", [PUBLISHED, JUDGED], ids=["published", "judged"])


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how to behave.

    whole, resumes: without and with support for Range. thirds, breaks: the same, but no more than
    a third comes at a time. nothing: not a byte comes. stall: a third comes, then silence.
    corrupt, corrupt-breaks: one byte is wrong. other-range: not the range that was asked for.
    missing, busy: 404 and 503. page: a web page, as a portal sends it that wants a password.
    slow: it takes half a second.
    unsized: no length is told. unsized-half: nor is it, and half comes.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        behaviour = self.path.split("/")[1]
        wanted = self.headers.get("Range")
        self.server.seen.append((behaviour, wanted))
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted).group(1)) if wanted else 0
        content = self.server.files.get(self.path.split("/")[2].split("?")[0])
        resumes = behaviour in ("resumes", "thirds", "other-range")
        if behaviour == "missing" or content is None:
            return self.send_error(404)
        if behaviour == "busy":
            return self.send_error(503)
        if resumes and start >= len(content):
            return self.send_error(416)
        body = content[start:] if resumes else content
        if behaviour.startswith("corrupt"):
            body = b"x" + body[1:]
        if behaviour == "page":
            body = b"<!DOCTYPE html><html><body>Please log in</body></html>"
        self.send_response(206 if resumes and wanted else 200)
        if resumes and wanted:
            first = start + (behaviour == "other-range")
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if not behaviour.startswith("unsized"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        limits = {
            "thirds": THIRD,
            "breaks": THIRD,
            "stall": THIRD,
            "corrupt-breaks": THIRD,
            "nothing": 0,
            "unsized-half": len(CONTENT) // 2,
        }
        if behaviour == "slow":
            self.server.patience.wait(0.5)
        self.wfile.write(body[: limits.get(behaviour)])
        if behaviour == "stall":
            self.server.patience.wait(20)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server with `.seen`, its requests as (behaviour, Range), and `.url(behaviour)`."""
    for name in ("MIXUP_MIRRORS", "MIXUP_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.seen, server.patience = {NAME: CONTENT}, [], threading.Event()
    server.url = lambda behaviour: f"http://127.0.0.1:{server.server_port}/{behaviour}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.patience.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(server, tmp_path):
    """Fetch the archive from mirrors that behave as named; only the stalling one waits long."""

    def get(*behaviours, archive=PUBLISHED, **options):
        urls = [server.url(behaviour) for behaviour in behaviours]
        return fetch(
            archive,
            tmp_path,
            urls,
            **{"timeout": 0.5 if "stall" in behaviours else 5} | options,
        )

    return get


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_downloads_once_and_shows_progress(get, server, tmp_path, monkeypatch, capsys):
    # Tests may run with TQDM_DISABLE, which tqdm reads once, when it is imported.
    monkeypatch.setattr(download, "tqdm", functools.partial(download.tqdm, disable=False))
    assert get("whole").read_bytes() == CONTENT
    assert names(tmp_path) == [NAME]
    assert NAME in capsys.readouterr().err
    get("whole")
    assert server.seen == [("whole", None)]


def test_broken_transfer_resumes_at_the_same_mirror(get, server, tmp_path):
    assert get("thirds").read_bytes() == CONTENT
    assert server.seen == [
        ("thirds", None),
        ("thirds", f"bytes={THIRD}-"),
        ("thirds", f"bytes={2 * THIRD}-"),
    ]
    assert names(tmp_path) == [NAME]


def test_broken_transfer_resumes_at_the_next_mirror(get, server):
    assert get("thirds", "resumes", tries=1).read_bytes() == CONTENT
    assert server.seen == [("thirds", None), ("resumes", f"bytes={THIRD}-")]


def test_stalled_transfer_resumes_at_the_next_mirror(get, server):
    start = time.perf_counter()
    assert get("stall", "resumes", tries=1).read_bytes() == CONTENT
    assert server.seen[-1] == ("resumes", f"bytes={THIRD}-")
    assert time.perf_counter() - start < 15


def test_server_that_ignores_range_begins_again(get, server):
    assert get("thirds", "whole", tries=1).read_bytes() == CONTENT
    assert server.seen[-1] == ("whole", f"bytes={THIRD}-")


def test_server_that_sends_another_range_is_not_believed(get):
    with pytest.raises(DownloadError, match="other-range/.*: the server sent another range"):
        get("thirds", "other-range", tries=1)
    assert get("thirds", "other-range", "whole", tries=1).read_bytes() == CONTENT


@BOTH
@pytest.mark.parametrize(
    "first",
    ["missing", "busy", "corrupt", "breaks", "nothing", "stall", "page", "unsized-half"],
)
def test_falls_through_to_the_next_mirror(first, archive, get, server, tmp_path):
    assert get(first, "whole", archive=archive).read_bytes() == CONTENT
    assert names(tmp_path) == [NAME]
    assert [behaviour for behaviour, _ in server.seen][-1] == "whole"


def test_bytes_of_a_corrupt_mirror_are_not_held_against_the_next(get, server):
    assert get("corrupt-breaks", "resumes", tries=2).read_bytes() == CONTENT
    assert server.seen[-2:] == [("resumes", f"bytes={THIRD}-"), ("resumes", None)]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("missing", "HTTP 404 Not Found"),
        ("busy", "HTTP 503 Service Unavailable"),
        ("corrupt", f"wrong content: MD5 .* instead of {MD5}, {len(CONTENT)} bytes"),
        ("breaks", f"broke off after {THIRD} of {len(CONTENT)} bytes"),
        ("stall", "no answer for 0.5 seconds"),
        ("nothing", f"broke off after 0 of {len(CONTENT)} bytes"),
        ("page", f"wrong content: MD5 .* instead of {MD5}, a web page, "),
        ("unsized-half", f"wrong content: MD5 .* instead of {MD5}, {len(CONTENT) // 2} bytes"),
    ],
)
def test_failure_says_what_failed_and_leaves_nothing(behaviour, reason, get, server, tmp_path):
    with pytest.raises(DownloadError) as caught:
        get(behaviour)
    message = str(caught.value)
    assert re.search(f"{re.escape(server.url(behaviour))}{NAME}: .*{reason}", message)
    assert names(tmp_path) == []


@pytest.mark.parametrize("behaviour", ["page", "unsized-half", "corrupt"])
def test_contents_are_judged_where_no_checksum_is_published(behaviour, get, tmp_path):
    page = ", a web page" if behaviour == "page" else ""
    with pytest.raises(DownloadError, match=f"wrong content: these are no toys{page}, .* bytes"):
        get(behaviour, archive=JUDGED)
    assert names(tmp_path) == []
    assert get("unsized", archive=JUDGED).read_bytes() == CONTENT
    (tmp_path / NAME).write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="the file there is damaged: these are no toys"):
        get(behaviour, archive=JUDGED)


def test_an_archive_that_nothing_judges_is_refused():
    with pytest.raises(ValueError, match="neither md5 nor verify: anything would be accepted"):
        Archive("Toy data", NAME, None, NEVER)


def ask(barrier, target, url):
    barrier.wait()
    provide(target, PUBLISHED, move, [url])


def test_of_many_processes_one_downloads_and_the_others_wait(server, tmp_path):
    context, target = multiprocessing.get_context("fork"), tmp_path / "toys"
    barrier = context.Barrier(3)
    asking = [
        context.Process(daemon=True, target=ask, args=(barrier, target, server.url("slow")))
        for _ in range(3)
    ]
    for process in asking:
        process.start()
    for process in asking:
        process.join(30)
    assert [process.exitcode for process in asking] == [0, 0, 0]
    assert server.seen == [("slow", None)]
    assert target.read_bytes() == CONTENT and names(tmp_path) == ["toys"]


def test_what_fails_on_the_way_leaves_nothing_and_what_is_there_stays(server, tmp_path):
    def fail(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        provide(tmp_path / "toys", PUBLISHED, fail, [server.url("whole")])
    assert names(tmp_path) == [NAME]  # whole, and used by the next call
    provide(tmp_path / "toys", PUBLISHED, move, [server.url("missing")])
    provide(tmp_path / "toys", PUBLISHED, fail, [server.url("missing")])
    assert names(tmp_path) == ["toys"] and len(server.seen) == 1


def test_failure_lists_every_mirror_and_what_to_do(get, server, tmp_path):
    refused = "http://127.0.0.1:1/"
    with pytest.raises(DownloadError) as caught:
        fetch(
            Archive("Toy data", NAME, MD5, ()),
            tmp_path,
            [server.url("missing"), refused, "no address"],
        )
    message = str(caught.value)
    assert message.startswith("Toy data could not be downloaded")
    assert "HTTP 404" in message and f"{refused}{NAME}: [Errno" in message
    assert "unknown url type: 'no address/" in message
    for remedy in (
        MD5,
        f"at {tmp_path / NAME} by hand",
        "MIXUP_MIRRORS=",
        "MIXUP_DATA",
        "Quick mode needs no network",
    ):
        assert remedy in message
    assert names(tmp_path) == []


def test_one_mirror_is_not_asked_for_ever(get, server):
    with pytest.raises(DownloadError):
        get("thirds", tries=2)
    assert len(server.seen) == 2


def test_interruption_keeps_the_part_and_the_next_call_resumes(get, server, tmp_path, monkeypatch):
    @contextlib.contextmanager
    def bar(**_):
        def stop(_):
            raise KeyboardInterrupt

        yield type("Bar", (), {"update": staticmethod(stop)})

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(download, "tqdm", bar)
        get("thirds")
    kept = (tmp_path / f"{NAME}.part").stat().st_size
    assert 0 < kept <= THIRD
    assert get("resumes").read_bytes() == CONTENT
    assert server.seen[-1] == ("resumes", f"bytes={kept}-")
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize(
    ("left", "requests"),
    [
        (CONTENT[:1000], ["bytes=1000-"]),
        (b"rubbish", ["bytes=7-", None]),
        (CONTENT + b"more", [f"bytes={len(CONTENT) + 4}-", None]),
        (CONTENT, []),
    ],
)
def test_part_of_an_earlier_call(left, requests, get, server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(left)
    assert get("resumes").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.seen] == requests
    assert names(tmp_path) == [NAME]


def test_damaged_archive_is_replaced_or_named(get, tmp_path):
    (tmp_path / NAME).write_bytes(b"put here by hand, wrong")
    with pytest.raises(DownloadError, match="the file there is damaged: MD5 "):
        get("missing")
    assert get("whole").read_bytes() == CONTENT


def test_mirrors_come_from_the_argument_then_the_environment(monkeypatch):
    archive = Archive("Toy data", NAME, MD5, ("https://built-in.example/a",))
    monkeypatch.delenv("MIXUP_MIRRORS", raising=False)
    assert addresses(archive) == ["https://built-in.example/a"]
    monkeypatch.setenv("MIXUP_MIRRORS", f"https://a.example/x/, https://b.example/{NAME}?v=1")
    assert addresses(archive) == [f"https://a.example/x/{NAME}", f"https://b.example/{NAME}?v=1"]
    assert addresses(archive, ["https://c.example"]) == [f"https://c.example/{NAME}"]


def test_environment_decides_where_fetch_looks(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MIXUP_MIRRORS", server.url("whole"))
    path = fetch(Archive("Toy data", NAME, MD5, (server.url("missing"),)), tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.seen == [("whole", None)]
