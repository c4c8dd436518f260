"""Photos that people bring to see what looks like them: bounded, decoded once, and kept in memory for a while alone."""

from __future__ import annotations

import io
import secrets
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from PIL import Image

from ...datasets.pictures.photos import open_photo
from ...vision.search.index import PhotoIndex
from ...vision.search.look_alikes import encode_photo, encoder_of
from ...vision.similarity.look_encoder import LookEncoder

KINDS = ("JPEG", "PNG", "WEBP")
"""What a photo that somebody brings can be."""

LARGEST_BYTES, LARGEST_PIXELS = 8 * 2**20, 40_000_000

_REMEMBERED, _REMEMBERED_EACH = 32, 8
_SHOWN = 384
"""The longer side of what is shown of a photo, pixels."""


Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """What people brought, the latest alone, which nobody else sees.

    Arguments:
        what: by what name messages call it.
        most: how many are kept in all.
        each: how many of a person, so that nobody pushes out what others brought.
    """

    def __init__(self, what: str, most: int, each: int) -> None:
        self.what, self.most, self.each = what, most, each
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[str, Thing]] = OrderedDict()

    def put(self, who: str, thing: Thing) -> str:
        """Keep what somebody brought, and return the key by which they find it again."""
        key = secrets.token_urlsafe(12)
        with self._lock:
            own = [old for old, (of, _) in self._kept.items() if of == who]
            for old in own[: len(own) + 1 - self.each]:
                del self._kept[old]
            self._kept[key] = (who, thing)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return key

    def of(self, key: str, who: str) -> Thing:
        """What somebody brought, by its key.

        Raises:
            ValueError: there is nothing (any more) of this person.
        """
        with self._lock:
            found = self._kept.get(key)
        if found is None or found[0] != who:
            raise ValueError(f"{self.what}: expected one that you brought lately; bring it again")
        return found[1]


@dataclass(frozen=True, eq=False)
class Brought:
    """A photo that somebody brought.

    Arguments:
        name: of the file.
        jpeg: what is shown of it.
        vectors: float32 ``[1, F]``, what the index sees of it.
    """

    name: str
    jpeg: bytes
    vectors: np.ndarray


class Uploads:
    """The latest photos that people brought, and the network that looks at them.

    Arguments:
        idle: seconds without a photo after which the network is closed.
    """

    def __init__(self, idle: float = 600.0) -> None:
        self.idle = idle
        self.kept: Kept[Brought] = Kept("photo", _REMEMBERED, _REMEMBERED_EACH)
        # Photos decode to many megabytes: one at a time.
        self._turn = threading.Lock()
        self._open: tuple[PhotoIndex, LookEncoder] | None = None
        self._closing: threading.Timer | None = None

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
                vectors = encode_photo(index, str(place), self._encoder(index))
            photo.thumbnail((_SHOWN, _SHOWN))
            file = io.BytesIO()
            photo.save(file, "JPEG", quality=85)
        return self.kept.put(who, Brought(name[:200], file.getvalue(), vectors))

    def close(self) -> None:
        """Close the network."""
        with self._turn:
            if self._closing is not None:
                self._closing.cancel()
            self._open = None

    def _encoder(self, index: PhotoIndex) -> LookEncoder:
        """The network of an index: one stays open until another index is asked, or nobody brings a photo."""
        if self._closing is not None:
            self._closing.cancel()
        if self._open is None or self._open[0] is not index:
            self._open = None
            self._open = (index, encoder_of(index))
        self._closing = threading.Timer(self.idle, self.close)
        self._closing.daemon = True
        self._closing.start()
        return self._open[1]


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
