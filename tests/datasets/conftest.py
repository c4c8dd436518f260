from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from hemline.datasets.benchmarks.published import Benchmark, Fingerprint


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """No test sees the data, the cache or the proxy of the machine."""
    monkeypatch.delenv("HEMLINE_DATA", raising=False)
    monkeypatch.setenv("HEMLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def json_lines(rows: list[tuple[str, list[float]]]) -> bytes:
    return b"".join(json.dumps({"start": start, "target": target}).encode() + b"\n" for start, target in rows)


def tar_gz(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, to in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, to
            tar.addfile(member)
    return gzip.compress(raw.getvalue(), mtime=0)


TRAIN = [("2020-01-01 00:00:00", [float(10 * row + step) for step in range(6)]) for row in range(4)]
TEST = [
    ("2020-01-01 00:00:00", [float(10 * row + step) for step in range(6 + 2 * window)])
    for window in (1, 2)
    for row in range(4)
]
MEMBERS = {"train/train.json": json_lines(TRAIN), "test/test.json": json_lines(TEST)}
METADATA = b'{"time_granularity": "1H", "target": {"name": "target"}}'


def print_of(content: bytes) -> Fingerprint:
    return Fingerprint(hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def published() -> SimpleNamespace:
    """What the tiny benchmark holds, and how archives are made."""
    return SimpleNamespace(
        train=TRAIN,
        test=TEST,
        members=MEMBERS,
        metadata=METADATA,
        json_lines=json_lines,
        tar_gz=tar_gz,
        print_of=print_of,
    )


@pytest.fixture
def archive_bytes() -> bytes:
    files = {f"tiny/{name}": content for name, content in MEMBERS.items()}
    return tar_gz({**files, "tiny/metadata/metadata.json": METADATA, "tiny/._junk.json": b"\x00"})


@pytest.fixture
def tiny(archive_bytes, server) -> Benchmark:
    """A benchmark of the last 3 of 4 series, published on the test's own server."""
    server.files["/tiny.tar.gz"] = archive_bytes
    return Benchmark(
        name="tiny",
        about="four lines",
        target_dim=3,
        rows=4,
        freq="h",
        prediction_length=2,
        windows=2,
        lags=(1,),
        season=2,
        domain="real",
        url=server.url + "/tiny.tar.gz",
        archive=print_of(archive_bytes),
        members={name: print_of(content) for name, content in MEMBERS.items()},
    )


class Server:
    """A file server whose faults a test can choose.

    `faults` are used up one a request: an integer from 400 to 599 is the status of the answer, any other breaks
    the transfer off after that many bytes; "whole" ignores the range that was asked for; "slow" stops halfway.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: list[int | str] = []
        self.ranges: list[str | None] = []
        self.halfway = threading.Event()
        self.stop = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.ranges.append(wanted)
        fault = self.faults.pop(0) if self.faults else None
        content = self.files.get(request.path)
        if content is None or (isinstance(fault, int) and 400 <= fault < 600):
            return request.send_error(fault if isinstance(fault, int) else 404)
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and fault != "whole" else 0
        if first >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.send_header("Content-Length", "0")
            return request.end_headers()
        request.send_response(206 if first else 200)
        request.send_header("Content-Length", str(len(content) - first))
        request.end_headers()
        body = content[first:]
        if fault == "slow":
            half = len(body) // 2
            request.wfile.write(body[:half])
            request.wfile.flush()
            self.halfway.set()
            self.stop.wait(30)
        else:
            request.wfile.write(body[:fault] if isinstance(fault, int) else body)
        return None

    def close(self) -> None:
        self.stop.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"
