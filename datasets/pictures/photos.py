"""Photos opened fully, once: decoded to one size, fingerprinted, and the bad ones set aside by name."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import fsspec
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from ...runtime.digest import sha256_of
from ...runtime.reading.places import as_allowed_here, open_file, protocol, read_at_most, require_allowed
from ...runtime.reading.room import require_room
from .catalogue import Catalogue

Fit = Literal["pad", "crop"]

Cut = Callable[[Image.Image], Image.Image]
"""An RGB photo to a part of it."""

_WORKERS = 8

MOST_PIXELS = 64_000_000
"""Pixels of a photo at most; decoded, each takes up to fourteen bytes."""

_LARGE_PIXELS = 16_000_000
"""Pixels above which photos are decoded one at a time."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO", "TGA")
"""What a photo can be: no page description, which another program would have to run."""

_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)

LARGEST_FILE = 256 * 2**20
"""Bytes of a photo that are read at most."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the photo upright."""


@dataclass(frozen=True)
class Quarantined:
    """A photo that cannot be used.

    Arguments:
        item_id: the article that names it.
        address: where it lies, or should.
        reason: what is wrong, in one line.
    """

    item_id: str
    address: str
    reason: str


@dataclass(frozen=True)
class Pictures:
    """The photos of a catalogue, decoded.

    Arguments:
        pixels: uint8 ``[N, channels, size, size]``, 0…255.
        article: int64 ``[N]``, the number of the article in the catalogue to which each photo belongs;
            ascending, so that the photos of an article stand together and in its order.
        addresses: where the N photos lie.
        content: the N fingerprints of what the photos show, equal for equal pictures in different files.
        quarantine: the photos that could not be used.
    """

    pixels: np.ndarray
    article: np.ndarray
    addresses: tuple[str, ...]
    content: tuple[str, ...]
    quarantine: tuple[Quarantined, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    def counts(self, articles: int) -> np.ndarray:
        """How many photos each of the articles has, int64 ``[articles]``."""
        return np.bincount(self.article, minlength=articles)

    def first(self, most: int | None) -> Pictures:
        """The first good photos of each article, at most so many; all for ``None``.

        Raises:
            ValueError: the number is not positive.
        """
        if most is None:
            return self
        if most < 1:
            raise ValueError(f"max_images: expected at least 1, got {most}")
        place = np.arange(len(self)) - np.searchsorted(self.article, self.article)
        kept = np.flatnonzero(place < most)
        return replace(
            self,
            pixels=self.pixels[kept],
            article=self.article[kept],
            addresses=tuple(self.addresses[number] for number in kept),
            content=tuple(self.content[number] for number in kept),
        )


def open_photo(content: bytes) -> Image.Image:
    """Decode a photo fully, upright and in RGB.

    The whole file is decoded: ``PIL.Image.verify`` passes on a truncated JPEG. The EXIF orientation is
    applied, CMYK, grey and palette photos are converted, and what is transparent is laid on white, the
    ground of shop photos. Grey of more than 8 bits is scaled from the smallest of 8, 12 and 16 bits that holds
    its brightest level; grey in fractions also from 0…1.

    Arguments:
        content: the bytes of the file.

    Returns:
        The photo, mode ``"RGB"``.

    Raises:
        ValueError: the bytes are no photo, or not a whole one.

    Example:
        >>> file = io.BytesIO()
        >>> Image.new("L", (3, 2), 128).save(file, "png")
        >>> open_photo(file.getvalue()).size
        (3, 2)
        >>> open_photo(file.getvalue()[:-30])
        Traceback (most recent call last):
        ValueError: photo: expected a whole picture, got a truncated or broken one (...)
    """
    if not content:
        raise ValueError("photo: expected a picture, got an empty file")
    try:
        photo: Image.Image = Image.open(io.BytesIO(content), formats=_formats())
    except _TOO_LARGE:
        raise ValueError(f"photo: expected at most {MOST_PIXELS // 10**6} megapixels, got more") from None
    except (OSError, RuntimeError, SyntaxError, ValueError) as error:
        what = "a file that is no picture" if isinstance(error, UnidentifiedImageError) else str(error)
        raise ValueError(f"photo: expected a picture, got {what}") from None
    if (pixels := photo.width * photo.height) > MOST_PIXELS:
        raise ValueError(f"photo: expected at most {MOST_PIXELS // 10**6} megapixels, got {pixels // 10**6}")
    try:
        photo.load()
        # Not `ImageOps.exif_transpose`: it also writes the EXIF data anew, and fails where a camera's are odd.
        turn = _UPRIGHT.get(photo.getexif().get(ExifTags.Base.Orientation, 1))
        return _rgb(photo if turn is None else photo.transpose(turn))
    except MemoryError:
        raise
    except Exception as error:
        # What a decoder raises on spoilt bytes is anything, struct.error and TypeError among it.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"photo: expected a whole picture, got a truncated or broken one ({reason})") from None


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _is_large(content: bytes) -> bool:
    try:
        photo = Image.open(io.BytesIO(content), formats=_formats())
    except Exception:
        return False  # what is wrong with it is told where it is opened
    return photo.width * photo.height > _LARGE_PIXELS


def read_photo(address: str) -> Image.Image:
    """The photo at a path or address, see `open_photo`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no photo, or not a whole one.
    """
    return open_photo(_read_bytes(address, None))


def resize_photo(photo: Image.Image, size: int, *, fit: Fit = "pad", channels: int = 3) -> np.ndarray:
    """Bring a photo to a square without changing its proportions.

    Arguments:
        photo: an RGB photo.
        size: the side of the square, pixels.
        fit: ``"pad"`` shows the whole photo on white; ``"crop"`` cuts the middle square.
        channels: 3, or 1 for grey.

    Returns:
        uint8 ``[channels, size, size]``.

    Raises:
        ValueError: an argument is out of its range.
    """
    if size < 1 or channels not in (1, 3) or fit not in ("pad", "crop"):
        raise ValueError(
            f"size, channels, fit: expected at least 1, one of (1, 3), one of ('pad', 'crop'), "
            f"got {size}, {channels}, {fit!r}"
        )
    if channels == 1:
        photo = photo.convert("L")
    if photo.size != (size, size):
        if fit == "pad":
            photo = ImageOps.pad(photo, (size, size), Image.Resampling.BICUBIC, color="white")
        else:
            photo = ImageOps.fit(photo, (size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(photo, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def load_pictures(
    catalogue: Catalogue,
    size: int,
    *,
    channels: int = 3,
    fit: Fit = "pad",
    cut: Cut | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """Open every photo of a catalogue once, set bad ones aside and decode the rest to one size.

    The result holds ``N · channels · size²`` bytes (10,000 photos of 96 pixels: 276 MB); without room, ValueError.

    Arguments:
        catalogue: the articles.
        size: side of the decoded square, pixels.
        channels: 3, or 1 for grey.
        fit: how a photo that is not square becomes one, see `resize_photo`.
        cut: what leaves a part of a photo before that; the whole photo if ``None``.
        progress: called with the photos done and all photos.

    Returns:
        The pictures, and the list of those that could not be used.
    """
    owners = [(number, address) for number, article in enumerate(catalogue.articles) for address in article.images]

    def read(owner: tuple[int, str], alone: bool = False) -> tuple[np.ndarray, str] | str | None:
        try:
            content = _read_bytes(owner[1], catalogue.photos)
            if not alone and _is_large(content):
                return None
            photo = open_photo(content)
        except (ValueError, OSError) as error:
            return "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        part = photo if cut is None else cut(photo)
        return resize_photo(part, size, fit=fit, channels=channels), sha256_of(f"{photo.size}", photo.tobytes())

    require_room(len(owners) * channels * size**2, "data: expected fewer or smaller photos", f"{size} × {size} pixels")
    # Filled in place, and cut at the end: a list of decoded photos beside it would take as much again.
    pixels = np.empty((len(owners), channels, size, size), dtype=np.uint8)
    kept: list[tuple[int, str, str]] = []
    quarantine = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        results = zip(owners, pool.map(as_allowed_here(read), owners), strict=True)
        for done, (owner, result) in enumerate(results, start=1):
            number, address = owner
            if result is None:  # here, because every thread keeps the memory that a large one took
                result = read(owner, alone=True)
            if not isinstance(result, tuple):
                quarantine.append(Quarantined(catalogue.articles[number].item_id, address, str(result)))
            else:
                pixels[len(kept)], content = result
                kept.append((number, address, content))
            if progress is not None:
                progress(done, len(owners))
    return Pictures(
        pixels[: len(kept)],
        np.array([number for number, *_ in kept], dtype=np.int64),
        tuple(address for _, address, _ in kept),
        tuple(content for _, _, content in kept),
        tuple(quarantine),
    )


def _rgb(photo: Image.Image) -> Image.Image:
    if photo.mode in ("I;16", "I;16L", "I;16B", "I", "F"):
        # PIL's own conversion would clip all but the darkest 256 levels to white.
        levels = np.asarray(photo, dtype=np.float64)
        low, high = levels.min(), levels.max()
        tops = [top for top in (1, 255, 4095, 65535) if high <= top and (top > 1 or photo.mode == "F")]
        if not (tops and low >= 0):
            raise ValueError(f"expected levels of grey of at most 16 bits, got {low:g}…{high:g}")
        return Image.fromarray((levels / (tops[0] / 255)).astype(np.uint8)).convert("RGB")
    if photo.has_transparency_data:
        shown = photo.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
    return photo.convert("RGB")


def _read_bytes(address: str, photos: str | None) -> bytes:
    if photos is not None and ("::" in address.removeprefix(photos) or protocol(address) != protocol(photos)):
        raise ValueError(f"expected a photo at {photos} or beside it, which the description names, got another place")
    try:
        require_allowed(address)
        local = protocol(address) == ""
        with open_file(address) if local else fsspec.open(address, "rb") as file:
            return read_at_most(file, LARGEST_FILE, "the file")
    except (OSError, ValueError, ImportError, MemoryError):
        raise
    except Exception as error:
        # A file system has errors of its own, such as botocore's NoCredentialsError.
        raise OSError(f"{type(error).__name__}: {error}") from error


def fingerprints(pixels: Sequence[np.ndarray]) -> tuple[str, ...]:
    """The fingerprint of each of some decoded pictures, for sources that are not files."""
    return tuple(sha256_of(f"{picture.shape}", picture) for picture in pixels)
