"""One vector a photo: whose photo it is, what made the vector, and what the shop says of the article."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...runtime.reading.parquet_files import read_parquet

Labels = Mapping[str, tuple[str, ...]]
"""Column -> the labels of an article."""


@dataclass(frozen=True)
class PhotoVectors:
    """Vectors of photos.

    A vector is made of parts, such as shape and colours, which stand side by side. Each part of a row has length 1,
    so that the similarity of two photos is the sum over parts of a weight times a cosine.

    Arguments:
        item_ids: n names, of the article that each photo shows.
        photos: the n addresses of the photos.
        vectors: float32 ``[n, F]``.
        parts: name of a part -> its width, in the order of the columns; the widths sum to F.
        hashes: uint64 ``[n]``, the perceptual hash of each photo.
        labels: the n labels of the articles.
        texts: the n titles of the articles.
        encoder: the name of what made the vectors, with a digest of its weights.

    Raises:
        ValueError: lengths or widths do not fit, a number is not finite, or a photo of an article occurs twice.
    """

    item_ids: tuple[str, ...]
    photos: tuple[str, ...]
    vectors: np.ndarray
    parts: Mapping[str, int]
    hashes: np.ndarray
    labels: tuple[Labels, ...]
    texts: tuple[str, ...]
    encoder: str

    def __post_init__(self) -> None:
        n, width = len(self.item_ids), sum(self.parts.values())
        if self.vectors.shape != (n, width):
            raise ValueError(f"vectors: expected {[n, width]} numbers, got {list(self.vectors.shape)}")
        for name in ("photos", "hashes", "labels", "texts"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name}: expected one for each of {n} vectors, got {len(getattr(self, name))}")
        bad = ~np.isfinite(self.vectors).all(axis=1)
        if bad.any():
            raise ValueError(f"vectors: expected finite numbers, got others for item {self.item_ids[bad.argmax()]!r}")
        seen: set[tuple[str, str]] = set()
        for item, photo in zip(self.item_ids, self.photos, strict=True):
            if (item, photo) in seen:
                raise ValueError(f"item_ids: expected each photo of an article once, got {photo} of {item!r} twice")
            seen.add((item, photo))

    def __len__(self) -> int:
        return len(self.item_ids)

    @classmethod
    def joined(cls, some: Sequence[PhotoVectors]) -> PhotoVectors:
        """The rows of all, in their order.

        Raises:
            ValueError: they are of different encoders, or have different parts.
        """
        first = some[0]
        for other in some[1:]:
            require_same_encoder(first, other)
        return cls(
            tuple(item for each in some for item in each.item_ids),
            tuple(photo for each in some for photo in each.photos),
            np.concatenate([each.vectors for each in some]),
            first.parts,
            np.concatenate([each.hashes for each in some]),
            tuple(labels for each in some for labels in each.labels),
            tuple(text for each in some for text in each.texts),
            first.encoder,
        )

    def rows(self, chosen: np.ndarray) -> PhotoVectors:
        """Some of the rows, by number."""
        return replace(
            self,
            item_ids=tuple(self.item_ids[row] for row in chosen),
            photos=tuple(self.photos[row] for row in chosen),
            vectors=self.vectors[chosen],
            hashes=self.hashes[chosen],
            labels=tuple(self.labels[row] for row in chosen),
            texts=tuple(self.texts[row] for row in chosen),
        )

    def table(self) -> bytes:
        """All but the vectors, as a Parquet file."""
        columns = {
            "item_id": pa.array(self.item_ids, pa.string()),
            "photo": pa.array(self.photos, pa.string()),
            "hash": pa.array(self.hashes, pa.uint64()),
            "labels": pa.array([json.dumps(dict(labels), ensure_ascii=False) for labels in self.labels], pa.string()),
            "text": pa.array(self.texts, pa.string()),
        }
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file)
        return file.getvalue()

    @classmethod
    def of_table(cls, table: bytes, vectors: np.ndarray, parts: Mapping[str, int], encoder: str) -> PhotoVectors:
        """The rows that `table` wrote, and their vectors."""
        frame = read_parquet(io.BytesIO(table))
        labels = [
            {str(name): tuple(map(str, told)) for name, told in json.loads(cell).items()} for cell in frame["labels"]
        ]
        return cls(
            tuple(frame["item_id"].astype(str)),
            tuple(frame["photo"].astype(str)),
            vectors,
            parts,
            frame["hash"].to_numpy(np.uint64),
            tuple(labels),
            tuple(frame["text"].astype(str)),
            encoder,
        )


def require_same_encoder(first: PhotoVectors, other: PhotoVectors) -> None:
    """Refuse to compare what different networks saw.

    Raises:
        ValueError: the vectors are of different encoders, or have different parts.
    """
    for name in ("encoder", "parts"):
        wanted, got = getattr(first, name), getattr(other, name)
        if wanted != got:
            raise ValueError(f"{name}: expected vectors of {wanted}, as those in the index, got vectors of {got}")
