"""A photo that is asked for in another pose, from files."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from ....datasets.pictures.photos import read_photo, resize_photo
from ....datasets.pictures.poses import joints_in, read_keypoints
from ....runtime.arguments.naming import naming
from ..attention_views import attended
from ..sheets import attention_sheet
from .morph import TrainedMorph

_PLACE = re.compile(r"(\d{1,4}),(\d{1,4})")


@dataclass(frozen=True)
class AskedMorph:
    """A photo with its pose, and the pose that it is asked for in.

    Arguments:
        trained: the network.
        photo: uint8 ``[3, S, S]``.
        source: its joints ``[J, 2]``, pixels; NaN where one is missing.
        target: the joints of the other pose.
    """

    trained: TrainedMorph
    photo: np.ndarray
    source: np.ndarray
    target: np.ndarray

    def drawn(self, device: str = "cpu") -> bytes:
        """The photo in the other pose, as PNG."""
        (made,) = self.trained.morph(self.photo[None], self.source[None], self.target[None], device)
        content = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(made.transpose(1, 2, 0))).save(content, "png")
        return content.getvalue()

    def looks(self, at: str = "") -> bytes:
        """Where a pixel of the photo in the other pose looks in the photo, as PNG; see `attention_sheet`.

        Arguments:
            at: its row and column from 0, ``"20,31"``; by default the middle.

        Raises:
            ValueError: there is no such pixel, or the network does not copy.
        """
        size = self.photo.shape[-1]
        match = _PLACE.fullmatch(at or f"{size // 2},{size // 2}")
        if match is None or max(place := (int(match[1]), int(match[2]))) >= size:
            raise ValueError(f"at: expected a row and a column from 0 to {size - 1}, such as 20,31, got {at!r}")
        query, key = self.trained.looked_at(self.photo, self.source, self.target)
        weights = attended(query, key, self.trained.network.form.partition, *place)[0, 0]
        (made,) = self.trained.morph(self.photo[None], self.source[None], self.target[None])
        return attention_sheet(made, self.photo, [place], weights[None].float().numpy())


def asked_morph(trained: TrainedMorph, source: str, pose: str, keypoints: str) -> AskedMorph:
    """Read a photo and two poses.

    Arguments:
        trained: the network.
        source: path of a photo, whose pose stands in the table under its name or its path below some folder.
        pose: a table of keypoints with one pose, in pixels of a photo of the same shape; or the name of a pose in the
            table of the photo.
        keypoints: the table, see `read_keypoints`.

    Raises:
        OSError: a file cannot be read.
        ValueError: there is no such pose, it lies outside the photo, or has another layout than those learnt from.
    """
    with naming("keypoints", keypoints):
        poses = read_keypoints(keypoints)
    with naming("source", source):
        photo = read_photo(source)
    path = PurePosixPath(source).as_posix()
    own = [name for name in poses if path == name or path.endswith(f"/{name}")]
    if not own:
        raise ValueError(f"source: expected a photo whose pose is in {keypoints}, got {source}")
    if pose in poses:
        asked = poses[pose]
    else:
        try:
            there = "://" in pose or os.path.isfile(pose)
        except ValueError:  # a NUL
            there = False
        if not there:
            raise ValueError(f"pose: expected a file, or one of the {len(poses)} poses in {keypoints}, got {pose!r}")
        with naming("pose"):
            given = list(read_keypoints(pose).values())
        if len(given) != 1:
            raise ValueError(f"pose: expected one pose, got {len(given)} in {pose}")
        asked = given[0]
    size, layout = trained.network.form.size, trained.network.form.skeleton
    for name, points in (("keypoints", poses[own[0]]), ("pose", asked)):
        if len(points) != len(layout.joints):
            raise ValueError(
                f"{name}: expected {len(layout.joints)} points ({layout.name}), as the network has learnt, got "
                f"{len(points)}"
            )
    return AskedMorph(
        trained,
        resize_photo(photo, size).copy(),
        joints_in(poses[own[0]], photo.size, size, f"keypoints of {own[0]}"),
        joints_in(asked, photo.size, size, f"pose: {pose}"),
    )
