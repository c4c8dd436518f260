"""Photos that people bring to see what looks like them: bounded, decoded once, and kept in memory for a while alone."""

from __future__ import annotations

import io
import secrets
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ...datasets.pictures.photos import open_photo
from ...vision.search.index import PhotoIndex
from ...vision.search.look_alikes import encode_photo, encoder_of
from ...vision.similarity.look_encoder import LookEncoder

KINDS = ("JPEG", "PNG", "WEBP")
"""What a photo that somebody brings can be."""

LARGEST_BYTES, LARGEST_PIXELS = 8 * 2**20, 40_000_000

_REMEMBERED = 32
_SHOWN = 384
"""The longer side of what is shown of a photo, pixels."""


@dataclass(frozen=True, eq=False)
class Brought:
    """A photo that somebody brought.

    Arguments:
        who: by whom; nobody else sees it.
        name: of the file.
        jpeg: what is shown of it.
        vectors: float32 ``[1, F]``, what the index sees of it.
    """

    who: str
    name: str
    jpeg: bytes
    vectors: np.ndarray


class Uploads:
    """The latest photos that people brought."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Photos decode to many megabytes: one at a time.
        self._turn = threading.Lock()
        self._kept: OrderedDict[str, Brought] = OrderedDict()
        self._open: tuple[PhotoIndex, LookEncoder] | None = None

    def take(self, index: PhotoIndex, who: str, name: str, content: bytes) -> str:
        """Look at a photo, and return the key by which it is found again.

        Arguments:
            index: whose network looks at it.
            who: whose photo it is.
            name: of the file.
            content: of the file.

        Raises:
            ValueError: it is too large, no whole picture, or of another kind than those of `KINDS`.
        """
        if len(content) > LARGEST_BYTES:
            raise ValueError(f"photo: expected at most {LARGEST_BYTES // 2**20} megabytes, got more")
        with self._turn:
            check_kind(content)
            photo = open_photo(content)
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder) / "photo"
                place.write_bytes(content)
                # One network stays open; that of another index takes its place.
                if self._open is None or self._open[0] is not index:
                    self._open = (index, encoder_of(index))
                vectors = encode_photo(index, str(place), self._open[1])
            photo.thumbnail((_SHOWN, _SHOWN))
            file = io.BytesIO()
            photo.save(file, "JPEG", quality=85)
        key = secrets.token_urlsafe(12)
        with self._lock:
            self._kept[key] = Brought(who, name[:200], file.getvalue(), vectors)
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        return key

    def of(self, key: str, who: str) -> Brought:
        """A photo by its key.

        Raises:
            ValueError: there is none (any more) of this person.
        """
        with self._lock:
            found = self._kept.get(key)
        if found is None or found.who != who:
            raise ValueError("photo: expected one that you brought lately; bring it again")
        return found


def check_kind(content: bytes) -> None:
    """Raise where a file is no picture of `KINDS`, or of more pixels than may be decoded; nothing is decoded yet.

    Raises:
        ValueError: it is.
    """
    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as photo:
            pixels = photo.width * photo.height
    except Exception:
        # What is no picture, and what Pillow takes for a bomb; its words name files of this machine.
        raise ValueError(f"photo: expected a picture of {', '.join(KINDS)} of usual size, got another file") from None
    if pixels > LARGEST_PIXELS:
        raise ValueError(f"photo: expected at most {LARGEST_PIXELS // 10**6} megapixels, got {pixels // 10**6}")
