from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hemline.datasets.benchmarks.download import DownloadError, download

CONTENT = bytes(range(256)) * 4096
CHUNK = 1 << 16


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("hemline.datasets.benchmarks.download.sleep", lambda seconds: None)


@pytest.fixture
def url(server) -> str:
    server.files["/file.bin"] = CONTENT
    return server.url + "/file.bin"


def accept(path) -> None:
    assert path.read_bytes() == CONTENT


def test_a_file_is_brought_whole(url, cache):
    assert download(url, cache / "file.bin", accept).read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["file.bin"]


def test_a_transfer_that_breaks_off_is_taken_up_where_it_stopped(server, url, cache):
    server.faults = [CHUNK + 1000, 2 * CHUNK + 1000]
    download(url, cache / "file.bin", accept)
    assert server.ranges == [None, f"bytes={CHUNK}-", f"bytes={3 * CHUNK}-"]


def test_a_server_without_ranges_sends_the_file_again(server, url, cache):
    server.faults = [CHUNK + 1000, "whole"]
    download(url, cache / "file.bin", accept)
    assert server.ranges == [None, f"bytes={CHUNK}-"]


def test_a_transfer_that_always_breaks_off_leaves_no_file_but_can_go_on_later(server, url, cache):
    server.faults = [CHUNK + 1000] * 4
    with pytest.raises(DownloadError, match=r"file\.bin \(the transfer broke off"):
        download(url, cache / "file.bin", accept)
    assert [path.name for path in cache.iterdir()] == ["file.bin.part"]
    download(url, cache / "file.bin", accept)
    assert server.ranges[-1] == f"bytes={4 * CHUNK}-"
    assert [path.name for path in cache.iterdir()] == ["file.bin"]


def test_a_transfer_that_was_complete_but_not_yet_named_is_not_repeated(server, url, cache):
    cache.mkdir()
    (cache / "file.bin.part").write_bytes(CONTENT)
    download(url, cache / "file.bin", accept)
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_a_part_longer_than_the_file_is_thrown_away(url, cache):
    cache.mkdir()
    (cache / "file.bin.part").write_bytes(CONTENT + b"more")
    assert download(url, cache / "file.bin", accept).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [503, 408, 429])
def test_a_passing_fault_of_the_server_is_tried_again(server, url, cache, status):
    server.faults = [status, status]
    download(url, cache / "file.bin", accept)
    assert len(server.ranges) == 3


def test_a_missing_address_is_told_at_once(server, cache):
    with pytest.raises(DownloadError, match=r"absent\.bin \(HTTP 404 Not Found\)"):
        download(server.url + "/absent.bin", cache / "file.bin", accept)
    assert len(server.ranges) == 1
    assert not cache.exists()


def test_no_network_leaves_nothing_behind(server, url, cache):
    server.close()
    with pytest.raises(DownloadError, match=r"file\.bin \(no connection\)"):
        download(url, cache / "file.bin", accept)
    assert not cache.exists()


def test_a_file_that_the_check_refuses_is_removed(url, cache):
    def refuse(path) -> None:
        raise ValueError("wrong checksum")

    with pytest.raises(ValueError, match="wrong checksum"):
        download(url, cache / "file.bin", refuse)
    assert list(cache.iterdir()) == []


def test_a_download_that_is_killed_goes_on_where_it_stopped(server, url, cache):
    server.faults = ["slow"]
    script = (
        "import sys, pathlib; from hemline.datasets.benchmarks.download import download;"
        "download(sys.argv[1], pathlib.Path(sys.argv[2]), lambda path: None)"
    )
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, url, str(cache / "file.bin")])
    assert server.halfway.wait(60)
    part = cache / "file.bin.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    server.stop.set()
    assert [path.name for path in cache.iterdir()] == ["file.bin.part"]
    have = part.stat().st_size
    download(url, cache / "file.bin", accept)
    assert server.ranges[-1] == f"bytes={have}-"


def test_two_downloads_at_once_make_one_whole_file(server, url, cache):
    server.faults = ["slow"]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(download, url, cache / "file.bin", accept)
        assert server.halfway.wait(60)
        second = pool.submit(download, url, cache / "file.bin", accept)
        while len(server.ranges) < 2:
            time.sleep(0.01)
        server.stop.set()
        assert first.result(60) == second.result(60) == cache / "file.bin"
    assert (cache / "file.bin").read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["file.bin"]


def test_a_server_that_never_ends_is_left_after_a_time(server, url, cache, monkeypatch):
    clock = iter(range(0, 10**6, 100))
    monkeypatch.setattr("hemline.datasets.benchmarks.download.monotonic", lambda: next(clock))
    with pytest.raises(DownloadError, match=r"file\.bin \(it took too long; begun again, it goes on where it stopped"):
        download(url, cache / "file.bin", accept, seconds=800)
    assert server.ranges == [None], "it is not tried again"
    monkeypatch.undo()
    download(url, cache / "file.bin", accept)
    assert server.ranges[-1] != "bytes=0-"
    assert (cache / "file.bin").read_bytes() == CONTENT
