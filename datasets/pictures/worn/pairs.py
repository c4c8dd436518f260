"""People in articles and the articles alone: photos of persons with packshots of what they wear, read as pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import NoneType

import fsspec
import numpy as np
from PIL import Image, ImageOps

from ....runtime.digest import sha256_of
from ....runtime.reading.places import as_allowed_here
from ....runtime.reading.room import require_room
from ..catalogue import PHOTO_SUFFIXES
from ..photos import Quarantined, read_photo
from ..table_rows import read_rows
from .street import LABELS, street_rows, worn_part

_COLUMNS = ("person", "article", "kind", "side", "mask", "wanted", "truth")

_FILES = ("person", "article", "mask", "wanted", "truth")

_FOLDERS = ("image", "cloth")
"""Of the layout of VITON: people and packshots under the same names, alone or under ``train`` and ``test``."""

_WORKERS = 8


@dataclass(frozen=True)
class WornRow:
    """A photo of a person and a packshot of an article on it.

    Arguments:
        person: address of the photo.
        article: address of the packshot; that of a mask where the article is cut out of the photo itself.
        kind: of the article; only articles of one kind take the place of each other.
        side: ``"train"`` or ``"test"``; empty where the source does not say.
        label: number of the article in a mask of labels; ``None`` for packshots.
        mask: address of the mask of the article on the photo; empty where it is not known.
        wanted: address of another article's packshot; likewise.
        truth: address of the photo of the same person in the article wanted; likewise.
    """

    person: str
    article: str
    kind: str = ""
    side: str = ""
    label: int | None = None
    mask: str = ""
    wanted: str = ""
    truth: str = ""


@dataclass(frozen=True, eq=False)
class WornPairs:
    """Photos of people with what they wear, decoded.

    Arguments:
        rows: N, those that could be opened.
        images: uint8 ``[N, 3, H, W]``.
        articles: uint8 ``[N, 3, H, W]``, packshots on white.
        masks: uint8 ``[N, H, W]``, 255 where the article is on the photo, zeros where that is not known.
        wanted: uint8 ``[N, 3, H, W]``, white where no other article is known.
        truths: uint8 ``[N, 3, H, W]``, the person in the article wanted, white likewise.
        quarantine: the photos that could not be used.
    """

    rows: tuple[WornRow, ...]
    images: np.ndarray
    articles: np.ndarray
    masks: np.ndarray
    wanted: np.ndarray
    truths: np.ndarray
    quarantine: tuple[Quarantined, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def kinds(self) -> np.ndarray:
        """The number of each pair's kind, int64 ``[N]``, by the order of their names."""
        names = sorted({row.kind for row in self.rows})
        return np.array([names.index(row.kind) for row in self.rows], dtype=np.int64)

    @property
    def content(self) -> tuple[str, ...]:
        """A fingerprint of what each pair shows."""
        return tuple(sha256_of(*pair) for pair in zip(self.images, self.articles, strict=True))

    def some(self, chosen: np.ndarray) -> WornPairs:
        """Some of the pairs, by number or by a mask ``[N]``."""
        numbers = np.arange(len(self))[chosen]
        arrays = {name: getattr(self, name)[numbers] for name in ("images", "articles", "masks", "wanted", "truths")}
        return replace(self, rows=tuple(self.rows[number] for number in numbers), **arrays)


def worn_rows(data: str) -> tuple[WornRow, ...]:
    """The pairs that an address names.

    Arguments:
        data: a table (``.csv``, ``.jsonl``, ``.parquet``) with the columns ``person`` and ``article``, names of files
            beside it, and perhaps ``kind``, ``side``, ``mask``, ``wanted`` and ``truth``; a folder in VITON's layout
            (``image/`` and ``cloth/`` with the same names, perhaps under ``train/`` and ``test/``); or one of street
            photos with masks of labels (``photos/``, ``masks/`` and ``labels.json``).

    Raises:
        ValueError: a column is missing or unknown, a cell is empty, a side is none, or the folder has neither layout.
        FileNotFoundError: there is no such place.
    """
    files, root = fsspec.core.url_to_fs(data)
    if not files.isdir(root):
        return tuple(_of_table(data))
    if files.exists(f"{root}/{LABELS}"):
        return tuple(WornRow(person, mask, kind, label=label) for person, mask, kind, label in street_rows(data))
    found = []
    for side in ("", "train", "test"):
        below = f"{side}/" if side else ""
        photos, shots = (
            {name.rpartition("/")[2]: name for name in files.find(f"{root}/{below}{folder}")}
            if files.isdir(f"{root}/{below}{folder}")
            else {}
            for folder in _FOLDERS
        )
        for name in sorted(photos):
            if name.lower().endswith(PHOTO_SUFFIXES):
                if name not in shots:
                    raise ValueError(f"data: expected a packshot {below}{_FOLDERS[1]}/{name} of what is worn, got none")
                found.append(WornRow(photos[name], shots[name], side=side))
    if not found:
        raise ValueError(
            f"data: expected {LABELS} with photos and masks, or folders {_FOLDERS[0]} and {_FOLDERS[1]}, got {data}"
        )
    return tuple(found)


def load_worn(
    rows: Sequence[WornRow], height: int, width: int, progress: Callable[[int, int], None] | None = None
) -> WornPairs:
    """Open the photos of pairs, whole on white; a pair of which one cannot be opened is set aside.

    Arguments:
        rows: of `worn_rows`.
        height: of the decoded photos, pixels.
        width: likewise.
        progress: called with the pairs done and all pairs.
    """
    require_room(
        len(rows) * 13 * height * width, "data: expected fewer or smaller photos", f"{height} × {width} pixels"
    )

    def read(row: WornRow) -> tuple[np.ndarray, ...] | tuple[str, str]:
        address = row.person
        try:
            person = read_photo(address)
            address = row.article
            shot = read_photo(address)
            mask = None
            if row.label is not None:
                person, shot, mask = worn_part(person, shot, row.label)
            found = [whole_photo(person, height, width), whole_photo(shot, height, width)]
            for address, ground in ((row.mask, "black"), (row.wanted, "white"), (row.truth, "white")):
                part = mask if ground == "black" and mask is not None else read_photo(address) if address else None
                found.append(whole_photo(part or Image.new("RGB", person.size, ground), height, width, ground))
        except (ValueError, OSError) as error:
            return address, "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        return tuple(found)

    kept, parts, quarantine = [], [], []
    with ThreadPoolExecutor(_WORKERS) as pool:
        for done, (row, result) in enumerate(zip(rows, pool.map(as_allowed_here(read), rows), strict=True), start=1):
            if len(result) == 2:
                quarantine.append(Quarantined(row.person, *map(str, result)))
            else:
                kept.append(row)
                parts.append(result)
            if progress is not None:
                progress(done, len(rows))
    empty = np.empty((0, 3, height, width), dtype=np.uint8)
    images, articles, masks, wanted, truths = (
        np.stack([part[place] for part in parts]) if parts else empty for place in range(5)
    )
    return WornPairs(tuple(kept), images, articles, masks[:, 0], wanted, truths, tuple(quarantine))


def whole_photo(photo: Image.Image, height: int, width: int, ground: str = "white") -> np.ndarray:
    """A photo as large as it fits in a rectangle, on a ground, uint8 ``[3, H, W]``.

    Arguments:
        photo: in RGB.
        height: of the rectangle, pixels.
        width: likewise.
        ground: a colour by name.
    """
    if photo.size != (width, height):
        photo = ImageOps.pad(photo, (width, height), Image.Resampling.BICUBIC, color=ground)
    return np.array(photo, dtype=np.uint8).transpose(2, 0, 1)


def _of_table(data: str) -> list[WornRow]:
    below, found = data.rpartition("/")[0], []
    rows = read_rows(data)
    for number, cells in enumerate(rows, start=1):
        if strange := [name for name in cells if name not in _COLUMNS]:
            raise ValueError(f"data: expected the columns {', '.join(_COLUMNS)} in {data}, got {strange[0]!r}")
        told: dict[str, str] = {}
        for name, value in cells.items():
            if not isinstance(value, (str, NoneType)) or "\0" in (value or ""):
                raise ValueError(f"data: expected a text as {name} in row {number} of {data}, got {value!r}")
            told[name] = value or ""
        if missing := [name for name in _COLUMNS[:2] if not told.get(name)]:
            raise ValueError(f"data: expected the {missing[0]} of row {number} of {data}, got none")
        if told.get("side", "") not in ("", "train", "test"):
            raise ValueError(f"data: expected train or test as side in row {number} of {data}, got {told['side']!r}")
        person, article, mask, wanted, truth = (_beside(below, told.get(name, "")) for name in _FILES)
        kind, side = told.get("kind", ""), told.get("side", "")
        found.append(WornRow(person, article, kind, side, mask=mask, wanted=wanted, truth=truth))
    if not found:
        raise ValueError(f"data: expected rows in {data}, got none")
    return found


def _beside(folder: str, name: str) -> str:
    """The address of a file that a table names; one that is no address is looked for beside the table."""
    if not name or "://" in name or name.startswith("/") or not folder:
        return name
    return f"{folder}/{name}"
