from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hemline.datasets.pictures import fashion_mnist as module
from hemline.datasets.pictures.fashion_mnist import fashion_mnist


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sums = {}
    for prefix, count in (("train", 6), ("t10k", 4)):
        rng = np.random.default_rng(count)
        contents = {
            f"{prefix}-images-idx3-ubyte": bytes(16) + rng.integers(0, 256, count * 784, dtype=np.uint8).tobytes(),
            f"{prefix}-labels-idx1-ubyte": bytes(8) + bytes(range(count)),
        }
        for name, content in contents.items():
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
            sums[name] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(module, "CHECKSUMS", sums)
    return tmp_path


def test_the_checksum_is_that_of_the_uncompressed_content(small: Path) -> None:
    name = small / "t10k-images-idx3-ubyte.gz"
    name.write_bytes(gzip.compress(gzip.decompress(name.read_bytes()), compresslevel=9))
    catalogue, pictures = fashion_mnist(small)
    assert [a.side for a in catalogue.articles] == ["train"] * 6 + ["test"] * 4
    assert catalogue.article("test/00001").labels == {"class": ("Trouser",)}
    assert pictures.pixels.shape == (10, 1, 28, 28)


def test_other_content_is_refused(small: Path) -> None:
    (small / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(12)))
    with pytest.raises(ValueError, match="t10k-labels-idx1-ubyte with MD5"):
        fashion_mnist(small)


def test_a_truncated_archive_is_refused(small: Path) -> None:
    name = small / "t10k-images-idx3-ubyte.gz"
    name.write_bytes(name.read_bytes()[:-40])
    with pytest.raises(ValueError, match="whole archive"):
        fashion_mnist(small)


def test_a_missing_folder_is_told_with_a_way_to_provide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEMLINE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"tried {tmp_path}/fashion_mnist.*point HEMLINE_DATA"):
        fashion_mnist()


def test_the_published_files_are_read_whole() -> None:
    roots = [Path(root) for root in os.environ.get("HEMLINE_DATA", "").split(":") if root]
    if not any((root / tail).exists() for root in roots for tail in ("fashion_mnist", "images/fashion_mnist")):
        pytest.skip("HEMLINE_DATA holds no fashion_mnist")
    catalogue, pictures = fashion_mnist()
    assert len(catalogue) == len(pictures) == 70_000
