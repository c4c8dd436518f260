"""Simulated figures as pairs of photos of one person in two poses, in memory and as files."""

from __future__ import annotations

import io
import itertools
import json

import numpy as np
from PIL import Image

from ...runtime.arguments.kinds import Count, Number, Seed, checked
from ...runtime.run_folder import RunFolder
from ..pictures.poses import PosePairs, write_keypoints
from ..pictures.skeletons import MPII
from .figures import Side, Standing, draw_figure, joints_of, person_of, standing_figure

DESCRIPTION = "poses.toml"


@checked
def simulated_pose_pairs(
    people: Count = 500,
    held_out: Number = 50,
    photos: Count = 2,
    *,
    size: Side = 64,
    standing: Standing = "middle",
    seed: Seed = 0,
) -> PosePairs:
    """Photos of simulated figures in some poses each, with every ordered pair of photos of the same person.

    Arguments:
        people: to learn from.
        held_out: further people, whose pairs are to judge by.
        photos: of each person, two or more.
        size: side of the photos, pixels.
        standing: see `simulated_figures`.
        seed: draws people and poses.

    Returns:
        The pairs; the numbers in `garments` are places in `SLOTS`, from 1.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> pairs = simulated_pose_pairs(2, 1, size=16)
        >>> pairs.images.shape, pairs.pairs.tolist(), pairs.held_out.tolist()
        ((6, 3, 16, 16), [[0, 1], [1, 0], [2, 3], [3, 2]], [[4, 5], [5, 4]])
    """
    if photos < 2:
        raise ValueError(f"photos: expected two or more of each person, got {photos}")
    figures = [
        standing_figure(number, *person_of(number, seed), photo, size, size, standing, seed)
        for number in range(people + held_out)
        for photo in range(photos)
    ]
    images, masks = (np.stack(part) for part in zip(*(draw_figure(each, size, size) for each in figures), strict=True))
    pairs = np.array(
        [
            [person * photos + one, person * photos + other]
            for person in range(people + held_out)
            for one, other in itertools.permutations(range(photos), 2)
        ]
    )
    learnt = people * photos * (photos - 1)
    return PosePairs(
        tuple(f"{number // photos:05d}-{number % photos}.png" for number in range(len(figures))),
        images,
        np.stack([joints_of(figure) for figure in figures]),
        MPII,
        pairs[:learnt],
        pairs[learnt:],
        np.where(masks.max(axis=1) > 127, masks.argmax(axis=1) + 1, 0).astype(np.uint8),
    )


def write_pose_pairs(pairs: PosePairs, address: str) -> str:
    """Write pairs as files that `read_pose_pairs` reads.

    Arguments:
        pairs: photos, poses and which belong together.
        address: a folder or fsspec address without such files.

    Returns:
        The address of the description, ``poses.toml``.

    Raises:
        ValueError: a description is there.
    """
    folder = RunFolder(address)
    with folder.alone("folder"):
        if folder.has(DESCRIPTION):
            raise ValueError(f"folder: expected a folder without {DESCRIPTION}, got {address}")
        told = {"photos": "photos", "keypoints": "keypoints.csv", "pairs": "pairs.csv"}
        folder.write_bytes(told["keypoints"], write_keypoints(dict(zip(pairs.names, pairs.joints, strict=True))))
        for number, name in enumerate(pairs.names):
            folder.write_bytes(f"photos/{name}", _png(pairs.images[number].transpose(1, 2, 0)))
            if pairs.garments is not None:
                told["garments"] = "garments"
                folder.write_bytes(f"garments/{name}", _png(pairs.garments[number]))
        folder.write_bytes(told["pairs"], _table(pairs, pairs.pairs))
        if len(pairs.held_out):
            told["held_out"] = "held_out.csv"
            folder.write_bytes(told["held_out"], _table(pairs, pairs.held_out))
        # Last: it is the sign that all is there.
        described = "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items())
        folder.write_bytes(DESCRIPTION, described.encode())
    return folder.path(DESCRIPTION)


def _table(pairs: PosePairs, rows: np.ndarray) -> bytes:
    lines = [f"{pairs.names[source]},{pairs.names[target]}" for source, target in rows]
    return "\n".join(["from,to", *lines, ""]).encode()


def _png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "png")
    return content.getvalue()
