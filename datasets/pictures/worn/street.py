"""Garments cut out of street photos by masks of labels."""

from __future__ import annotations

import io
from collections.abc import Iterator

import fsspec
import numpy as np
from PIL import Image

from ....runtime.reading.json_files import parsed_json
from ....runtime.reading.places import require_allowed

LABELS = "labels.json"

_NOT_WORN = ("null", "skin", "hair")

_LEAST = 0.02
"""Of the photo; smaller parts are no articles to swap."""


def street_rows(folder: str) -> Iterator[tuple[str, str, str, int]]:
    """The garments of street photos: address of the photo and of its mask, name of the garment and its number.

    Arguments:
        folder: holds ``photos/``, ``masks/`` with PNG files of the same names, whose levels are numbers in the list of
            ``labels.json``.

    Raises:
        ValueError: ``labels.json`` is no list of names.
    """
    require_allowed(folder)
    files, root = fsspec.core.url_to_fs(folder)
    names = parsed_json(files.cat_file(f"{root}/{LABELS}"), f"{folder}/{LABELS}")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > 256:
        raise ValueError(f"data: expected a list of at most 256 names in {folder}/{LABELS}, got {type(names).__name__}")
    for place in sorted(files.find(f"{root}/masks")):
        stem = place.rpartition("/")[2].rpartition(".")[0]
        content = files.cat_file(place)
        try:
            levels = np.asarray(Image.open(io.BytesIO(content), formats=["PNG"]).convert("L"))
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError(f"data: expected a mask of labels in {place}, got {error}") from None
        counts = np.bincount(levels.ravel(), minlength=256) / levels.size
        for number, name in enumerate(names):
            if name not in _NOT_WORN and counts[number] >= _LEAST:
                yield f"{root}/photos/{stem}.jpg", place, name, number


def worn_part(photo: Image.Image, labels: Image.Image, label: int) -> tuple[Image.Image, Image.Image, Image.Image]:
    """A photo, the part of it with one label, cut out on white and as large as it fits, and the mask of that part.

    Arguments:
        photo: in RGB.
        labels: of the same size; each pixel's level is the number of its label.
        label: the number of the garment.

    Raises:
        ValueError: the mask has another size, or nothing of the garment.
    """
    levels = np.asarray(labels.convert("L"))
    if labels.size != photo.size:
        raise ValueError(f"expected a mask of {photo.size[0]} × {photo.size[1]} pixels, got {labels.size}")
    inside = levels == label
    if not inside.any():
        raise ValueError(f"expected pixels with the label {label} in the mask, got none")
    pixels = np.where(inside[:, :, None], np.asarray(photo), 255).astype(np.uint8)
    down, across = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    cut = Image.fromarray(pixels).crop((int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1))
    side = max(round(1.1 * max(cut.size)), 1)
    shot = Image.new("RGB", (side, side), "white")
    shot.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    return photo, shot, Image.fromarray((inside * 255).astype(np.uint8)).convert("RGB")
