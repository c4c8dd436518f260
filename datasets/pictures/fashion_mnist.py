"""Fashion-MNIST: 70,000 grey shop photos of 28×28 pixels in ten classes."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np

from ...runtime.reading.places import open_file, read_at_most
from .catalogue import Article, Catalogue
from .photos import Pictures, fingerprints

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_LARGEST = 64 * 2**20
"""Bytes of a file at most, unpacked: the photos of the training side are 47 MB."""

CHECKSUMS = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
"""MD5 of the **uncompressed** files: mirrors re-compress the containers, the content stays."""

_FILES = {"train": "train", "test": "t10k"}


def fashion_mnist(folder: str | Path | None = None) -> tuple[Catalogue, Pictures]:
    """Read Fashion-MNIST as a catalogue of articles with one photo and the label ``class``.

    Source: H. Xiao, K. Rasul, R. Vollgraf (2017), "Fashion-MNIST", arXiv 1708.07747.

    Arguments:
        folder: the folder of the four ``idx`` files, plain or ``.gz``; by default ``fashion_mnist`` or
            ``images/fashion_mnist`` in a folder of ``HEMLINE_DATA``.

    Returns:
        The catalogue with its given sides (60,000 train, 10,000 test), and the photos ``[70000, 1, 28, 28]``.

    Raises:
        FileNotFoundError: the files are in none of the places.
        ValueError: a file's uncompressed content is not that of Fashion-MNIST.
    """
    place = _find(folder)
    articles: list[Article] = []
    pixels = []
    for side, prefix in _FILES.items():
        images = _content(place, f"{prefix}-images-idx3-ubyte")[16:]
        labels = _content(place, f"{prefix}-labels-idx1-ubyte")[8:]
        pixels.append(np.frombuffer(images, dtype=np.uint8).reshape(-1, 1, 28, 28))
        articles += [
            Article(
                f"{side}/{number:05d}", (f"fashion_mnist/{side}/{number:05d}",), {"class": (CLASSES[label],)}, side=side
            )
            for number, label in enumerate(labels)
        ]
    stacked = np.concatenate(pixels)
    catalogue = Catalogue(tuple(articles), ("class",))
    addresses = tuple(article.images[0] for article in articles)
    return catalogue, Pictures(stacked, np.arange(len(stacked)), addresses, fingerprints(list(stacked)))


def _find(folder: str | Path | None) -> Path:
    if folder is not None:
        places = [Path(folder)]
    else:
        roots = [Path(root) for root in os.environ.get("HEMLINE_DATA", "").split(":") if root]
        places = [root / tail for root in roots for tail in ("fashion_mnist", "images/fashion_mnist")]
    for place in places:
        if any((place / name).exists() for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz")):
            return place
    tried = ", ".join(str(place) for place in places) or "HEMLINE_DATA, which is not set"
    raise FileNotFoundError(
        f"folder: expected the files of Fashion-MNIST, tried {tried}; get train-images-idx3-ubyte.gz and its "
        "three companions from https://github.com/zalandoresearch/fashion-mnist and point HEMLINE_DATA at them"
    )


def _content(folder: Path, name: str) -> bytes:
    packed = folder / f"{name}.gz"
    try:
        with open_file(packed if packed.exists() else folder / name) as file:
            content = read_at_most(
                gzip.GzipFile(fileobj=file) if packed.exists() else file, _LARGEST, str(folder / name)
            )
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"folder: expected a whole archive {packed}, got a broken one ({error})") from None
    if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != CHECKSUMS[name]:
        raise ValueError(f"folder: expected {name} with MD5 {CHECKSUMS[name]} when unpacked, got {found} in {folder}")
    return content
