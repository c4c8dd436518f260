"""Photos that show the same: by their perceptual hashes, and by their vectors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from .perceptual_hash import distances
from .photo_vectors import PhotoVectors

_AT_ONCE = 2048


def duplicate_photos(vectors: PhotoVectors, *, bits: int = 4, similarity: float = 0.98) -> pd.DataFrame:
    """The pairs of photos that look the same.

    Arguments:
        vectors: the photos.
        bits: in how many of 64 bits their hashes differ at most.
        similarity: the least mean cosine of the parts of their vectors.

    Returns:
        Columns ``item_a, photo_a, item_b, photo_b, bits, similarity``: pairs that pass either test, each once, those
        that differ least first.

    Raises:
        ValueError: `bits` is not 0 … 64, or `similarity` no number.
    """
    if not 0 <= bits <= 64:
        raise ValueError(f"bits: expected a whole number from 0 to 64, got {bits}")
    if similarity != similarity:
        raise ValueError("similarity: expected a number, got nan")
    columns = ["item_a", "photo_a", "item_b", "photo_b", "bits", "similarity"]
    held = torch.from_numpy(vectors.vectors)
    found = []
    for start in range(0, len(vectors), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(vectors))
        for begin in range(start, len(vectors), _AT_ONCE):
            end = min(begin + _AT_ONCE, len(vectors))
            apart = distances(vectors.hashes[start:stop], vectors.hashes[begin:end])
            alike = (held[start:stop] @ held[begin:end].T).numpy() / len(vectors.parts)
            once = np.arange(start, stop)[:, None] < np.arange(begin, end)[None]
            for row, other in np.argwhere(once & ((apart <= bits) | (alike >= similarity))):
                found.append((start + row, begin + other, int(apart[row, other]), float(alike[row, other])))
    found.sort(key=lambda pair: (pair[2], -pair[3], pair[0], pair[1]))
    rows = [
        (vectors.item_ids[a], vectors.photos[a], vectors.item_ids[b], vectors.photos[b], apart, alike)
        for a, b, apart, alike in found
    ]
    return pd.DataFrame(rows, columns=columns)
