"""Small pictures of photos, made once and kept, with the bounds on bytes and pixels of every reader of photos."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ...datasets.pictures.photos import load_pictures
from ...runtime.digest import sha256_of
from ...runtime.whole_files import whole_file
from .labelling import Labelling

SIZES = {"small": 192, "large": 640}
"""Sides in pixels of the square in which a photo is shown whole, on white."""


class Thumbnails:
    """Small pictures of the photos of a catalogue.

    Arguments:
        labelling: the catalogue.
        folder: where they are kept.
    """

    def __init__(self, labelling: Labelling, folder: Path) -> None:
        self.labelling, self.folder = labelling, folder
        # Photos decode to many megabytes: two at a time.
        self._turns = threading.BoundedSemaphore(2)

    def path(self, item_id: str, number: int, size: str) -> Path:
        """The file of a small picture, which is made if it is not there.

        Arguments:
            item_id: the article.
            number: of its photo, from 0.
            size: ``"small"`` or ``"large"``.

        Raises:
            ValueError: there is no such article, photo or size, or the photo is none.
            OSError: the photo cannot be read.
        """
        if size not in SIZES:
            raise ValueError(f"size: expected one of {', '.join(SIZES)}; got {size[:20]!r}")
        images = self.labelling.article(item_id).images
        if not 0 <= number < len(images):
            raise ValueError(f"number: expected a photo of {item_id!r}, 0 to {len(images) - 1}, got {number}")
        name = sha256_of(f"{self.labelling.data}\n{images[number]}\n{size}")
        place = self.folder / name[:2] / f"{name}.jpg"
        if not place.exists():
            with self._turns:
                content = self._jpeg(item_id, number, SIZES[size])
            with whole_file(place) as aside:
                aside.write_bytes(content)
        return place

    def _jpeg(self, item_id: str, number: int, side: int) -> bytes:
        source = self.labelling.source
        if source.pictures is None:
            alone = replace(self.labelling.article(item_id), images=(self.labelling.article(item_id).images[number],))
            pictures = load_pictures(replace(source.catalogue, articles=(alone,)), side)
            if pictures.quarantine:
                raise ValueError(f"photo: {pictures.quarantine[0].reason}")
            shown = Image.fromarray(pictures.pixels[0].transpose(1, 2, 0))
        else:
            # Benchmarks have photos of a few pixels, which are to be seen as they are.
            pixels = source.pictures.pixels[np.flatnonzero(source.pictures.article == self.labelling.rows[item_id])]
            photo = pixels[number]
            shown = Image.fromarray(photo[0] if len(photo) == 1 else photo.transpose(1, 2, 0)).convert("RGB")
            times = max(1, side // max(shown.size))
            shown = shown.resize((shown.width * times, shown.height * times), Image.Resampling.NEAREST)
        file = io.BytesIO()
        shown.save(file, "JPEG", quality=85)
        return file.getvalue()
