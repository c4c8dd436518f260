"""Photos of people with their poses and all that they wear, by slot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ....runtime.arguments.kinds import Count, checked
from ....runtime.digest import sha256_of
from ....runtime.reading.places import as_allowed_here
from ....runtime.reading.room import require_room
from ..photos import resize_photo
from ..poses import joints_in, photo_at, read_keypoints
from ..skeletons import skeleton_of
from ..table_rows import read_rows
from .pairs import whole_photo

TABLE, KEYPOINTS, PHOTOS = "outfits.csv", "keypoints.csv", "photos"

SLOTS = 6
"""Articles of an outfit at most."""

_WORKERS = 8


@dataclass(frozen=True, eq=False)
class Outfits:
    """Photos of people, their poses, and the packshots of what they wear.

    Arguments:
        slots: the names of six slots; those that the table does not have are empty texts.
        names: of the N photos.
        sides: of each, ``"train"`` or ``"test"``; empty where the source does not say.
        images: uint8 ``[N, 3, S, S]``.
        joints: float32 ``[N, J, 2]``, shares of the side to the right and downwards; NaN where a joint is missing.
        articles: uint8 ``[N, 6, 3, A, A]``, white where a slot is empty.
        worn: bool ``[N, 6]``.
    """

    slots: tuple[str, ...]
    names: tuple[str, ...]
    sides: tuple[str, ...]
    images: np.ndarray
    joints: np.ndarray
    articles: np.ndarray
    worn: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def content(self) -> tuple[str, ...]:
        """A fingerprint of each photo with its pose and articles."""
        return tuple(sha256_of(*each) for each in zip(self.images, self.joints, self.articles, strict=True))

    def some(self, chosen: np.ndarray) -> Outfits:
        """Some of the photos, by number or by a mask ``[N]``."""
        numbers = np.arange(len(self))[chosen]
        arrays = {name: getattr(self, name)[numbers] for name in ("images", "joints", "articles", "worn")}
        names, sides = (tuple(each[number] for number in numbers) for each in (self.names, self.sides))
        return replace(self, names=names, sides=sides, **arrays)


@checked
def read_outfits(
    folder: str, size: Count = 64, article: Count = 32, progress: Callable[[int, int], None] | None = None
) -> Outfits:
    """Photos with poses and outfits, from a folder.

    The folder holds ``outfits.csv``, a row a photo: ``photo`` (a name in ``photos/``), at most six columns of slots
    with the packshots of the articles (files beside the table; empty where nothing is worn), and perhaps ``side``; and
    ``keypoints.csv``, see `read_keypoints`.

    Arguments:
        folder: path or fsspec address.
        size: side S of the photos, pixels.
        article: side A of the packshots, pixels.
        progress: called with the photos opened and all photos.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a column is missing or there are more than six slots, a photo has no pose, a pose has another layout
            or lies outside its photo, or a photo is broken.
    """
    folder = folder.rstrip("/")
    table, poses = f"{folder}/{TABLE}", read_keypoints(f"{folder}/{KEYPOINTS}")
    rows, found = read_rows(table), list[tuple[np.ndarray, ...]]()
    slots = _slots(rows, table)
    names, sides = [], []
    for number, row in enumerate(rows, start=1):
        name, side = (str(row.get(key) or "") for key in ("photo", "side"))
        if name not in poses:
            raise ValueError(f"outfits: expected a photo with keypoints in row {number} of {table}, got {name!r}")
        if side not in ("", "train", "test"):
            raise ValueError(f"outfits: expected train or test as side in row {number} of {table}, got {side!r}")
        names.append(name)
        sides.append(side)
    room = 3 * (size**2 + SLOTS * article**2)
    require_room(len(rows) * room, "outfits: expected fewer or smaller photos", f"{size} × {size} pixels")

    def read(place: int) -> tuple[np.ndarray, ...]:
        row, name = rows[place], names[place]
        photo = photo_at(f"{folder}/{PHOTOS}/{name}")
        joints = joints_in(poses[name], photo.size, size, f"keypoints of {name}") / size
        worn = [str(row.get(slot) or "") if slot else "" for slot in slots]
        shots = [photo_at(f"{folder}/{shot}") if shot else Image.new("RGB", (1, 1), "white") for shot in worn]
        articles = np.stack([whole_photo(shot, article, article) for shot in shots])
        return resize_photo(photo, size), joints.astype(np.float32), articles, np.array([bool(shot) for shot in worn])

    with ThreadPoolExecutor(_WORKERS) as pool:
        for done, result in enumerate(pool.map(as_allowed_here(read), range(len(rows))), start=1):
            found.append(result)
            if progress is not None:
                progress(done, len(rows))
    images, joints, articles, worn = (np.stack([each[part] for each in found]) for part in range(4))
    skeleton_of(joints.shape[1])
    return Outfits(slots, tuple(names), tuple(sides), images, joints, articles, worn)


def _slots(rows: Sequence[dict[str, object]], table: str) -> tuple[str, ...]:
    if not rows:
        raise ValueError(f"outfits: expected rows in {table}, got none")
    if "photo" not in rows[0]:
        raise ValueError(f"outfits: expected a column photo in {table}, got {', '.join(rows[0])}")
    slots = tuple(name for name in rows[0] if name not in ("photo", "side"))
    if not 0 < len(slots) <= SLOTS:
        raise ValueError(f"outfits: expected one to {SLOTS} columns of slots in {table}, got {len(slots)}")
    return slots + ("",) * (SLOTS - len(slots))
