"""Sheets of images: one file to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .trained import TrainedGenerator

_MARGIN, _LEAST, _NAMES = 2, 64, 110

_COLUMNS, _ROWS = 10, 8


def sheet(images: np.ndarray, columns: int, names: Sequence[str] = ()) -> bytes:
    """Images in rows on white, as PNG.

    Arguments:
        images: uint8 ``[n, 1 or 3, S, S]``; small ones are shown larger, a pixel as a square.
        columns: images of a row.
        names: of the rows, on their left.
    """
    size = images.shape[-1]
    times = max(1, _LEAST // size)
    side = size * times + _MARGIN
    rows = -(-len(images) // columns)
    left = _NAMES if names else 0
    paper = Image.new("RGB", (left + columns * side + _MARGIN, rows * side + _MARGIN), "white")
    for number, image in enumerate(images):
        pixels = np.repeat(image, 3, axis=0) if len(image) == 1 else image
        shown = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
        shown = shown.resize((size * times, size * times), Image.Resampling.NEAREST)
        row, column = divmod(number, columns)
        paper.paste(shown, (left + column * side + _MARGIN, row * side + _MARGIN))
    pen = ImageDraw.Draw(paper)
    for row, name in enumerate(names):
        pen.text((_MARGIN, row * side + side // 2 - 6), name[:16], fill="black")
    content = io.BytesIO()
    paper.save(content, "png")
    return content.getvalue()


def side_by_side(images: np.ndarray) -> bytes:
    """Images of any shape ``[n, 3, H, W]`` in one row on white, as PNG; one image is the file as it is.

    Arguments:
        images: uint8.
    """
    wide = images.shape[-1]
    side = wide + _MARGIN
    paper = np.full((images.shape[-2], len(images) * side - _MARGIN, 3), 255, dtype=np.uint8)
    for number, image in enumerate(images):
        paper[:, number * side : number * side + wide] = image.transpose(1, 2, 0)
    content = io.BytesIO()
    Image.fromarray(paper).save(content, "png")
    return content.getvalue()


def sample_sheet(trained: TrainedGenerator, *, truncation: float | None = None, seed: int = 0) -> bytes:
    """Images of the same latents again and again, as PNG: a row for each of the first classes, or rows of any."""
    classes = trained.network.spec.classes[: 2 * _ROWS]
    rows = len(classes) or _ROWS
    labels = np.repeat(np.arange(rows), _COLUMNS) if classes else None
    images, _ = trained.sample(
        rows * _COLUMNS, labels=None if labels is None else labels.tolist(), truncation=truncation, seed=seed
    )
    return sheet(images, _COLUMNS, classes)
