"""An index whose similarity is learnt from what belongs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from ...runtime.arguments.kinds import checked
from ..similarity.look_encoder import SAME_COLOUR, SHAPE
from ..similarity.triplets import TripletConfig, fit_projection, part_scale
from .index import PhotoIndex
from .look_alikes import encoder_of

Learn = Literal["shape", "both"]

STEPS: dict[Learn, int] = {"shape": 240, "both": 60}


@checked
def train_similarity(
    index: PhotoIndex,
    out: str,
    *,
    by: str | None = None,
    triplets: Sequence[tuple[str, str, str]] = (),
    learn: Learn | None = None,
    weights: Mapping[str, float] | None = None,
    training: TripletConfig | None = None,
) -> PhotoIndex:
    """Write an index of the same photos with a similarity that is learnt from triplets, started at that of before.

    Arguments:
        index: an index that `build_index` wrote.
        out: folder or fsspec address of the new index.
        by: a label column whose label the photos that belong together share; the article if ``None``.
        triplets: curated triplets of item ids (anchor, more like it, less like it), in the place of drawn ones.
        learn: ``"shape"`` to learn the similarity of shapes alone, beside which the colours stay a part; ``"both"`` to
            make one part of both. By default the shape where photos of one article belong together, which have their
            colours in common anyway.
        weights: of the parts in the similarity by which is learnt; those of `find_similar` by default.
        training: how to learn; by default 240 steps for the shape alone and 60 for both.

    Returns:
        The new index.

    Raises:
        ValueError: the index was learnt already, a triplet or column is not in it, nothing belongs together, or
            `out` holds an index.
    """
    if index.folder.address == out.rstrip("/"):
        raise ValueError(f"out: expected another folder than that of the index, got {out}")
    encoder = encoder_of(index)
    if encoder.projection is not None:
        raise ValueError(f"index: expected one whose similarity was not learnt yet, got {index.folder.address}")
    rows = index.vectors
    learn = learn or ("both" if by is not None or triplets else "shape")
    scale = part_scale(encoder.given, dict(SAME_COLOUR if weights is None else weights))
    moved = encoder.given[SHAPE] if learn == "shape" else len(scale)
    training = training or TripletConfig(steps=STEPS[learn])
    curated = _rows_of(index, triplets) if triplets else None
    vectors = rows.vectors * scale.numpy()
    learnt = fit_projection(vectors, _groups(index, by), training, moved=moved, triplets=curated)
    made = replace(encoder, projection=scale[:moved, None] * learnt)
    projected = made.projected(torch.from_numpy(rows.vectors)).numpy()
    new = replace(rows, vectors=projected, parts=made.parts, encoder=made.name)
    return PhotoIndex.write(out, new, index.described, made.tensors())


def _groups(index: PhotoIndex, by: str | None) -> np.ndarray:
    """The group of each photo; an article without a label is one of its own."""
    rows = index.vectors
    names = [
        item if by is None else "|".join(told.get(by, ()))
        for item, told in zip(rows.item_ids, rows.labels, strict=True)
    ]
    if by is not None and not any(names):
        columns = sorted({column for told in rows.labels for column in told})
        raise ValueError(f"by: expected one of the columns {columns}, got {by!r}")
    keys = [(bool(name), name or item) for name, item in zip(names, rows.item_ids, strict=True)]
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([place[key] for key in keys], dtype=np.int64)


def _rows_of(index: PhotoIndex, triplets: Sequence[tuple[str, str, str]]) -> np.ndarray:
    """Curated triplets of articles as triplets of their photos: as many as the one with most photos has."""
    photos: dict[str, list[int]] = {}
    for row, item in enumerate(index.vectors.item_ids):
        photos.setdefault(item, []).append(row)
    found = []
    for number, triplet in enumerate(triplets, start=1):
        for item in triplet:
            if item not in photos:
                raise ValueError(f"triplets: expected articles of the index, got {item!r} in triplet {number}")
        if triplet[0] in triplet[1:] or triplet[1] == triplet[2]:
            raise ValueError(f"triplets: expected three different articles, got {list(triplet)} in triplet {number}")
        anchor, positive, negative = (photos[item] for item in triplet)
        most = max(len(anchor), len(positive), len(negative))
        found += [
            (anchor[spot % len(anchor)], positive[spot % len(positive)], negative[spot % len(negative)])
            for spot in range(most)
        ]
    return np.array(found, dtype=np.int64)
