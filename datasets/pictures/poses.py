"""Photos of people with their poses, in pairs of the same person in two poses: DeepFashion's layout of files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import fsspec
import numpy as np
from PIL import Image, ImageOps

from ...runtime.arguments.kinds import Count, checked
from ...runtime.digest import sha256_of
from ...runtime.folders import find_named
from ...runtime.reading.places import as_allowed_here, open_file, require_allowed
from ...runtime.reading.room import read_with_room, require_room
from ...runtime.toml_files import check_keys, read_description
from .photos import read_photo, resize_photo
from .skeletons import Skeleton, skeleton_of

MISSING = -1
"""A coordinate of a keypoint that nobody saw."""

COLUMNS = ("name", "keypoints_y", "keypoints_x")

_KEYS = ("photos", "keypoints", "pairs", "held_out", "garments")

_WORKERS = 8


@dataclass(frozen=True, eq=False)
class PosePairs:
    """Photos of people in poses, and which of them show the same person.

    Arguments:
        names: N.
        images: uint8 ``[N, 3, S, S]``.
        joints: float32 ``[N, J, 2]``, pixels of the images to the right and downwards; NaN where a joint is missing.
        skeleton: the layout of the joints.
        pairs: int64 ``[P, 2]``, source and target, to learn from.
        held_out: int64 ``[Q, 2]``, to judge by.
        garments: uint8 ``[N, S, S]``, the number of the garment in each pixel, 0 for none; ``None`` where not told.
    """

    names: tuple[str, ...]
    images: np.ndarray
    joints: np.ndarray
    skeleton: Skeleton
    pairs: np.ndarray
    held_out: np.ndarray
    garments: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The side S of the images, pixels."""
        return int(self.images.shape[-1])

    def digest(self) -> str:
        """A fingerprint of all that is learnt from: photos, poses and pairs."""
        used = np.unique(self.pairs)
        return sha256_of(self.skeleton.name, self.images[used], self.joints[used], self.pairs)


@checked
def read_pose_pairs(description: str, size: Count = 64) -> PosePairs:
    """Photos with poses and their pairs, from files laid out as DeepFashion's are in work on poses.

    The description is a TOML file with the keys ``photos`` (a folder), ``keypoints`` (see `read_keypoints`), ``pairs``
    (a CSV file with the columns ``from`` and ``to``), ``held_out`` (likewise, the pairs to judge by) and ``garments``
    (a folder of pictures called like the photos, but .png: the grey of a pixel is the number of the garment). All but
    the last two are needed; paths are looked for beside the description, then in the folders of ``HEMLINE_DATA``.

    Arguments:
        description: path or fsspec address of the TOML file.
        size: side S of the images, pixels; photos that are not square are shown whole, on white.

    Returns:
        The photos that a pair names.

    Raises:
        FileNotFoundError: a file is in none of the places.
        ValueError: a key or column is not known or missing, a photo is missing or broken, a pair names a photo without
            a pose, or a pose has no joint, one outside its photo, or another layout.
    """
    told = read_description(description)
    check_keys(description, told, _KEYS, _KEYS[:3])
    for key, value in told.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"data: expected a text that is not empty as {key!r} in {description}, got {value!r}")
    places = {key: find_named(str(value), description) for key, value in told.items()}
    poses = read_keypoints(places["keypoints"])
    sides = [read_pairs(places[key], poses) if key in places else [] for key in ("pairs", "held_out")]
    names = tuple(dict.fromkeys(name for side in sides for pair in side for name in pair))
    require_room(len(names) * 3 * size**2, "data: expected fewer or smaller photos", f"{size} × {size} pixels")

    def read(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        photo = photo_at(f"{places['photos']}/{name}")
        joints = joints_in(poses[name], photo.size, size, f"keypoints of {name}")
        garment = None
        if "garments" in places:
            garment = _labels(f"{places['garments']}/{name.rpartition('.')[0]}.png", photo.size, size)
        return resize_photo(photo, size), joints, garment

    with ThreadPoolExecutor(_WORKERS) as pool:
        found = list(pool.map(as_allowed_here(read), names))
    number = {name: place for place, name in enumerate(names)}
    pairs, held_out = (
        np.array([[number[name] for name in pair] for pair in side], dtype=np.int64).reshape(-1, 2) for side in sides
    )
    joints = np.stack([each[1] for each in found])
    garments = [each[2] for each in found if each[2] is not None]
    return PosePairs(
        names,
        np.stack([each[0] for each in found]),
        joints,
        skeleton_of(joints.shape[1]),
        pairs,
        held_out,
        np.stack(garments) if garments else None,
    )


def read_keypoints(address: str) -> dict[str, np.ndarray]:
    """The keypoints of photos, by the names of the photos: float64 ``[J, 2]``, to the right and downwards.

    The file has the columns ``name:keypoints_y:keypoints_x``, the last two lists of numbers such as ``[44, -1]``; −1 is
    a keypoint that is missing, and NaN here. The lists are pixels of the photo's own size.

    Arguments:
        address: path or fsspec address.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not of that kind, a pose has no keypoint or one that is negative, layouts differ, or a
            name stands twice.
    """
    found: dict[str, np.ndarray] = {}
    for number, row in enumerate(_rows("keypoints", address, ":", COLUMNS), start=2):
        where = f"keypoints: line {number} of {address}"
        down, across = (_numbers(row[key], where) for key in COLUMNS[1:])
        name = row["name"].strip()
        if not name or name in found or ".." in name.split("/") or "::" in name:
            raise ValueError(f"{where}: expected the name of another photo in the folder, got {name!r}")
        if len(down) != len(across):
            raise ValueError(f"{where}: expected as many numbers for y as for x, got {len(down)} and {len(across)}")
        layout = skeleton_of(len(down)) if not found else None
        first = len(down) if layout else len(next(iter(found.values())))
        if len(down) != first:
            raise ValueError(f"{where}: expected {first} points, as the poses before it have, got {len(down)}")
        points = np.stack([across, down], axis=1)
        missing = (points == MISSING).any(axis=1)
        if missing.all():
            raise ValueError(f"{where}: expected a pose, got one whose keypoints are all missing")
        points[missing] = np.nan
        if (points < 0).any():
            joint = int(np.flatnonzero((points < 0).any(axis=1))[0])
            raise ValueError(f"{where}: expected keypoints in the photo, or -1, got {points[joint].tolist()}")
        found[name] = points
    if not found:
        raise ValueError(f"keypoints: expected poses in {address}, got none")
    return found


def read_pairs(address: str, poses: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Pairs of photos, source and target, from a CSV file with the columns ``from`` and ``to``.

    Arguments:
        address: path or fsspec address.
        poses: by the names of the photos that there are.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there is no pair, or one that names a photo without a pose.
    """
    found = []
    for number, row in enumerate(_rows("pairs", address, ",", ("from", "to")), start=2):
        pair = row["from"].strip(), row["to"].strip()
        for name in pair:
            if name not in poses:
                raise ValueError(f"pairs: line {number} of {address}: expected a photo with keypoints, got {name!r}")
        found.append(pair)
    if not found:
        raise ValueError(f"pairs: expected pairs in {address}, got none")
    return found


def photo_at(address: str) -> Image.Image:
    """The photo at an address.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is none, or not a whole one.
    """
    try:
        return read_photo(address)
    except FileNotFoundError:
        raise FileNotFoundError(f"photos: expected a photo, got {address}; there is no such file") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"photos: {address}: {error}") from None


def joints_in(points: np.ndarray, shape: tuple[int, int], size: int, what: str) -> np.ndarray:
    """Keypoints of a photo as joints of the square that it is brought to, float32 ``[J, 2]``.

    Arguments:
        points: ``[J, 2]``, pixels of the photo.
        shape: width and height of the photo, pixels.
        size: side of the square, pixels.
        what: the keypoints are called in messages.

    Raises:
        ValueError: a keypoint is outside the photo.
    """
    if (beyond := np.flatnonzero((points > np.array(shape)).any(axis=1))).size:
        raise ValueError(
            f"{what}: expected points in a photo of {shape[0]} × {shape[1]} pixels, got {points[beyond[0]].tolist()}"
        )
    # As `ImageOps.pad` does it: the photo fills the square in one direction, and stands in its middle in the other.
    share = size / max(shape)
    inside = [max(1, round(side * share)) for side in shape]
    scale = np.array(inside) / np.array(shape)
    return (points * scale + np.array([round((size - side) / 2) for side in inside])).astype(np.float32)


def write_keypoints(poses: Mapping[str, np.ndarray]) -> bytes:
    """A table of keypoints as `read_keypoints` reads it: points ``[J, 2]`` by the names of the photos."""
    file = io.StringIO()
    lines = csv.writer(file, delimiter=":", lineterminator="\n", quoting=csv.QUOTE_NONE, escapechar="\\")
    lines.writerow(COLUMNS)
    for name, points in poses.items():
        told = np.where(np.isnan(points), MISSING, np.round(points, 2).astype(np.float64))
        lines.writerow([name, *(json.dumps(told[:, axis].tolist()) for axis in (1, 0))])
    return file.getvalue().encode()


def _rows(what: str, address: str, separator: str, columns: Sequence[str]) -> list[dict[str, str]]:
    require_allowed(address)
    with fsspec.open(address, "rb") if "://" in address else open_file(address) as file:
        content = read_with_room(file, address)
    try:
        lines = content.decode("utf-8-sig").splitlines()
        told = list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE, escapechar="\\"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{what}: expected a table in UTF-8 in {address}, got {error}") from None
    header = [name.strip() for name in told[0]] if told else []
    if not set(columns) <= set(header):
        wanted, found = separator.join(columns), separator.join(header)
        raise ValueError(f"{what}: expected the columns {wanted} in {address}, got {found[:80]!r}")
    rows = []
    for number, cells in enumerate(told[1:], start=2):
        if not cells:
            continue
        if len(cells) != len(header):
            raise ValueError(f"{what}: expected {len(header)} cells in line {number} of {address}, got {len(cells)}")
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def _numbers(text: str, where: str) -> np.ndarray:
    try:
        found = np.array(json.loads(text), dtype=np.float64)
    except (ValueError, TypeError, RecursionError, OverflowError):
        found = np.empty((0, 0))
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{where}: expected a list of numbers such as [44, -1], got {text[:40]!r}")
    return found


def _labels(address: str, shape: tuple[int, int], size: int) -> np.ndarray:
    """The numbers in a picture of garments, uint8 ``[size, size]``; 0 beside the photo."""
    picture = photo_at(address)
    if picture.size != shape:
        raise ValueError(
            f"garments: expected {shape[0]} × {shape[1]} pixels like the photo, got {picture.size[0]} × "
            f"{picture.size[1]} in {address}"
        )
    grey = picture.getchannel(0)
    if grey.size != (size, size):
        grey = ImageOps.pad(grey, (size, size), Image.Resampling.NEAREST, color=0)
    return np.asarray(grey, dtype=np.uint8)
