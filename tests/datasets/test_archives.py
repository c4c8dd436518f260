from __future__ import annotations

import gzip

import numpy as np
import pytest
from hemline.datasets.benchmarks.archives import fingerprint, read_archive


def write(path, content: bytes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_an_archive_is_read_in_order_and_fingerprinted(tmp_path, archive_bytes, published):
    archive = read_archive(write(tmp_path / "tiny.tar.gz", archive_bytes))
    assert [row.start for row in archive.train] == [start for start, _ in published.train]
    assert [row.target.tolist() for row in archive.test] == [target for _, target in published.test]
    assert archive.train[0].target.dtype == np.float32
    assert archive.members == {name: published.print_of(content) for name, content in published.members.items()}
    assert archive.freq == "1H"


@pytest.mark.parametrize("zipped", [False, True])
def test_an_unpacked_folder_reads_like_the_archive(tmp_path, archive_bytes, zipped, published):
    for name, content in {**published.members, "metadata/metadata.json": published.metadata}.items():
        zip_it = zipped and name != "metadata/metadata.json"
        write(tmp_path / "tiny" / (name + ".gz" * zip_it), gzip.compress(content) if zip_it else content)
    write(tmp_path / "tiny/train/._train.json", b"\x00")
    folder, packed = read_archive(tmp_path / "tiny"), read_archive(write(tmp_path / "t.tar.gz", archive_bytes))
    assert [row.target.tolist() for row in folder.test] == [row.target.tolist() for row in packed.test]
    assert list(folder.members.values()) == sorted(packed.members.values(), key=lambda p: p.size, reverse=True)
    assert folder.freq == packed.freq


@pytest.mark.parametrize("name", ["../evil.json", "tiny/../../evil.json", "/etc/evil.json"])
def test_an_archive_that_names_a_file_outside_its_folder_is_refused(tmp_path, name, published):
    files = {**{f"tiny/{member}": content for member, content in published.members.items()}, name: b"{}"}
    path = write(tmp_path / "data" / "tiny.tar.gz", published.tar_gz(files))
    with pytest.raises(ValueError, match=r"refused, the archive names a file outside its folder: '.*evil\.json'"):
        read_archive(path)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["tiny.tar.gz"]


@pytest.mark.parametrize("to", ["/etc/passwd", "../../secret.json"])
def test_an_archive_with_a_link_is_refused(tmp_path, to, published):
    files = {f"tiny/{member}": content for member, content in published.members.items()}
    path = write(tmp_path / "tiny.tar.gz", published.tar_gz(files, links={"tiny/train/more.json": to}))
    with pytest.raises(ValueError, match=r"refused, the archive holds a link: 'tiny/train/more\.json' -> '"):
        read_archive(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(tmp_path, archive_bytes, share):
    path = write(tmp_path / "tiny.tar.gz", archive_bytes[: int(share * len(archive_bytes))])
    with pytest.raises(ValueError, match=r"tiny\.tar\.gz: the archive is truncated or damaged"):
        read_archive(path)


def test_an_archive_that_lost_its_checksum_is_refused(tmp_path, archive_bytes):
    path = write(tmp_path / "tiny.tar.gz", archive_bytes[:-8] + b"\x00" * 8)
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_archive(path)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_archive(write(tmp_path / "tiny.tar.gz", b"<html>not found</html>"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"start": "2020-01-01", "target": [1, 2\n', "line 1 is not a series in JSON"),
        (b'{"start": "2020-01-01", "target": [1, 2]}\n{"target": [1]}\n', "line 2: expected the field 'start'"),
        (b'{"start": "2020-01-01", "target": ["x"]}\n', "line 1 is not a series in JSON"),
        (b'{"start": "2020-01-01", "target": [[1], [2]]}\n', "line 1: expected a univariate target, got 2 axes"),
        (b"[1, 2]\n", "line 1 is not a series in JSON"),
    ],
)
def test_a_line_that_is_no_series_is_named(tmp_path, content, message, published):
    path = write(tmp_path / "tiny.tar.gz", published.tar_gz({"tiny/train/train.json": content}))
    with pytest.raises(ValueError, match=rf"tiny\.tar\.gz: train/train\.json, {message}"):
        read_archive(path)


@pytest.mark.parametrize("part", ["train", "test"])
def test_an_archive_without_one_of_its_parts_is_refused(tmp_path, part, published):
    files = {f"tiny/{name}": content for name, content in published.members.items() if not name.startswith(part)}
    with pytest.raises(ValueError, match=f"expected series in a folder '{part}'"):
        read_archive(write(tmp_path / "tiny.tar.gz", published.tar_gz(files)))


def test_missing_values_are_nan(tmp_path, published):
    content = published.json_lines([("2020-01-01", [1.0, None, 3.0])])
    files = {"tiny/train/train.json": content, "tiny/test/test.json": content}
    archive = read_archive(write(tmp_path / "tiny.tar.gz", published.tar_gz(files)))
    assert np.isnan(archive.train[0].target).tolist() == [False, True, False]


def test_the_fingerprint_of_a_file(tmp_path, published):
    assert fingerprint(write(tmp_path / "file", b"abc")) == published.print_of(b"abc")
