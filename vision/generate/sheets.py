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
        images: uint8 ``[n, 1 or 3, H, W]``; small ones are shown larger, a pixel as a square.
        columns: images of a row.
        names: of the rows, on their left.
    """
    height, width = images.shape[-2:]
    times = max(1, _LEAST // max(height, width))
    down, across = height * times + _MARGIN, width * times + _MARGIN
    rows = -(-len(images) // columns)
    left = _NAMES if names else 0
    paper = Image.new("RGB", (left + columns * across + _MARGIN, rows * down + _MARGIN), "white")
    for number, image in enumerate(images):
        pixels = np.repeat(image, 3, axis=0) if len(image) == 1 else image
        shown = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
        shown = shown.resize((width * times, height * times), Image.Resampling.NEAREST)
        row, column = divmod(number, columns)
        paper.paste(shown, (left + column * across + _MARGIN, row * down + _MARGIN))
    pen = ImageDraw.Draw(paper)
    for row, name in enumerate(names):
        pen.text((_MARGIN, row * down + down // 2 - 6), name[:16], fill="black")
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


def attention_sheet(
    asking: np.ndarray, asked: np.ndarray, places: Sequence[tuple[int, int]], weights: np.ndarray
) -> bytes:
    """Where places of one image look in another, as PNG: a row for each place.

    Left is the image that asks, with a frame around the place; right the image that is asked, the redder the more the
    place looks there, and paler than it is elsewhere.

    Arguments:
        asking: uint8 ``[3, H, W]``.
        asked: uint8 ``[3, h, w]``.
        places: rows and columns of the image that asks.
        weights: of each place ``[places, h, w]``, as `attended` gives them.
    """
    red, share = np.array([220.0, 0.0, 30.0])[:, None, None], (weights / weights.max(axis=(1, 2), keepdims=True)) ** 0.5
    shown = [(1 - own) * (127 + asked / 2) + own * red for own in share]
    times = max(1, 256 // max(*asking.shape[1:], *asked.shape[1:]))
    (height, width), (below, beside) = asking.shape[1:], asked.shape[1:]
    side = max(height, below) * times + _MARGIN
    paper = Image.new("RGB", ((width + beside) * times + 3 * _MARGIN, len(places) * side + _MARGIN), "white")
    pen = ImageDraw.Draw(paper)
    for number, ((row, column), picture) in enumerate(zip(places, shown, strict=True)):
        left = _MARGIN
        for image in (asking, picture.round().astype(np.uint8)):
            pixels = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
            large = (pixels.width * times, pixels.height * times)
            paper.paste(pixels.resize(large, Image.Resampling.NEAREST), (left, number * side + _MARGIN))
            left += large[0] + _MARGIN
        across, down = (column + 0.5) * times + _MARGIN, (row + 0.5) * times + number * side + _MARGIN
        pen.rectangle((across - 8, down - 8, across + 8, down + 8), outline="red", width=2)
    content = io.BytesIO()
    paper.save(content, "png")
    return content.getvalue()
