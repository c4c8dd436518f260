"""Skeletons: which joints a pose tells, in which order, and which of them a limb joins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skeleton:
    """A layout of poses.

    Arguments:
        name: of the layout.
        joints: J names, in the order of the keypoints.
        limbs: pairs of joints that a straight limb joins, by number.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]


MPII = Skeleton(
    "MPII",
    (
        "right ankle", "right knee", "right hip", "left hip", "left knee", "left ankle", "pelvis", "thorax",
        "neck", "head", "right wrist", "right elbow", "right shoulder", "left shoulder", "left elbow", "left wrist",
    ),
    (
        (2, 1), (1, 0), (3, 4), (4, 5), (6, 2), (6, 3), (7, 6), (7, 8), (8, 9),
        (7, 12), (12, 11), (11, 10), (7, 13), (13, 14), (14, 15),
    ),
)  # fmt: skip
"""The 16 joints of MPII Human Pose (M. Andriluka et al., CVPR 2014)."""

OPENPOSE = Skeleton(
    "OpenPose",
    (
        "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist",
        "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
        "right eye", "left eye", "right ear", "left ear",
    ),
    (
        (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
        (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
    ),
)  # fmt: skip
"""The 18 joints of OpenPose on COCO (Z. Cao et al. (2017), arXiv 1611.08050), in which DeepFashion's poses are told."""

SKELETONS = {len(each.joints): each for each in (MPII, OPENPOSE)}
"""By the number of joints, which is all that a table of keypoints says of its layout."""


def skeleton_of(points: int) -> Skeleton:
    """The layout with so many points.

    Raises:
        ValueError: there is none.
    """
    if points not in SKELETONS:
        known = " or ".join(f"{count} ({each.name})" for count, each in SKELETONS.items())
        raise ValueError(f"keypoints: expected {known} points, got {points}")
    return SKELETONS[points]
