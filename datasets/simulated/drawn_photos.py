"""Photos of simulated articles, drawn: a colour and a shape on white."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200)}
SHAPES = ("round", "square")


def drawn_photo(colour: str, shape: str, rng: np.random.Generator, size: int = 24) -> Image.Image:
    """A photo of one patch, somewhere on a white ground.

    Arguments:
        colour: a name of `COLOURS`.
        shape: one of `SHAPES`.
        rng: of the place.
        size: pixels a side.
    """
    photo = Image.new("RGB", (size, size), "white")
    x, y = rng.integers(1, size // 2 - 2, 2).tolist()
    draw = ImageDraw.Draw(photo)
    (draw.ellipse if shape == "round" else draw.rectangle)((x, y, x + size // 2, y + size // 2), fill=COLOURS[colour])
    return photo
