"""Sheets of people in other poses: one file to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw

from ....datasets.pictures.poses import PosePairs
from ....datasets.pictures.skeletons import Skeleton
from ..sheets import sheet

Change = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Photos uint8 ``[n, 3, S, S]`` and the joints of theirs and of the other poses ``[n, J, 2]`` to photos."""

_LARGE = 4


def morph_sheet(pairs: PosePairs, rows: np.ndarray, changes: Mapping[str, Change]) -> bytes:
    """A row for each of some pairs, as PNG: source, pose, what each change makes of it, and the truth.

    Arguments:
        pairs: photos and poses.
        rows: int64 ``[n, 2]``, source and target.
        changes: in the order of the columns.
    """
    source, target = rows[:, 0], rows[:, 1]
    given = pairs.images[source], pairs.joints[source], pairs.joints[target]
    poses = np.stack([pose_picture(each, pairs.skeleton, pairs.size) for each in pairs.joints[target]])
    columns = [given[0], poses, *(change(*given) for change in changes.values()), pairs.images[target]]
    return sheet(np.stack(columns, axis=1).reshape(-1, *poses.shape[1:]), len(columns))


def pose_picture(joints: np.ndarray, skeleton: Skeleton, size: int) -> np.ndarray:
    """The limbs of a pose ``[J, 2]`` as lines on white, uint8 ``[3, size, size]``; those of one side are darker."""
    paper = Image.new("RGB", (size * _LARGE, size * _LARGE), "white")
    pen = ImageDraw.Draw(paper)
    for begin, end in skeleton.limbs:
        points = [*(joints[begin] * _LARGE), *(joints[end] * _LARGE)]
        if np.isfinite(points).all():
            right = any(skeleton.joints[joint].startswith("right") for joint in (begin, end))
            pen.line(points, fill=(20, 70, 140) if right else (90, 170, 220), width=_LARGE)
    small = paper.resize((size, size), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8).transpose(2, 0, 1)
