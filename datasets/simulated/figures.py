"""Simulated photos of people in garments, with what no photo tells: joints, masks of the garments, packshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np

from ...runtime.arguments.kinds import Count, Seed, Within, checked
from .figure_bodies import JOINTS, Body, Pose, drawn_body, drawn_pose, joint_places
from .figure_garments import SLOTS, Garment, draw, drawn_garment, packshot, pieces_of

Side = Annotated[int, Within(16, 1024)]

Standing = Literal["middle", "anywhere"]

_WORN = {"hat": 0.4, "top": 1.0, "jacket": 0.5, "bottom": 1.0, "shoes": 0.8, "bag": 0.4}
"""How often a figure has a garment for a slot."""

_OUTLINE, _GARMENTS, _STANDING = 0, 1, 2
"""What the draws of a person, of its outfit and of one photo begin with."""


@dataclass(frozen=True)
class Figure:
    """One figure as it is drawn: the same numbers give the same photo.

    Arguments:
        person: number of the body and of the outfit that it has by chance.
        body: lengths, widths, colours.
        pose: angles.
        outfit: garments, at most one for each slot.
        scale: pixels of the figure's height.
        middle: place of the pelvis, pixels to the right and downwards.
        ground: colours of the wall and of the floor, 0…255.
        floor: where the floor begins, as a share of the photo's height.
    """

    person: int
    body: Body
    pose: Pose
    outfit: tuple[Garment, ...]
    scale: float
    middle: tuple[float, float]
    ground: tuple[tuple[int, int, int], tuple[int, int, int]]
    floor: float

    def wearing(self, garment: Garment) -> Figure:
        """The same figure in the same place with another garment in its slot: the truth of a swap."""
        others = [worn for worn in self.outfit if worn.slot != garment.slot]
        return replace(self, outfit=in_slots([*others, garment]))

    def without(self, slot: str) -> Figure:
        """The same figure with nothing in a slot."""
        return replace(self, outfit=tuple(worn for worn in self.outfit if worn.slot != slot))

    def standing_as(self, other: Figure) -> Figure:
        """The same person in the pose and the place of another figure: the truth of a change of pose."""
        return replace(self, pose=other.pose, scale=other.scale, middle=other.middle)


@dataclass(frozen=True, eq=False)
class SimulatedFigures:
    """Photos of figures, and their truth.

    Arguments:
        figures: N, in the order of the photos.
        images: uint8 ``[N, 3, H, W]``.
        joints: float32 ``[N, 16, 2]``, pixels to the right and downwards, in the order of `JOINTS`; those outside the
            photo too.
        masks: uint8 ``[N, 6, H, W]``: the share of each pixel that shows the garment of each slot of `SLOTS`, 255 for
            all of it; what is hidden is 0.
        packshots: uint8 ``[P, 6, 3, S, S]``, white where a person has nothing for the slot.
        worn: ``[P, 6]``: whether it has.
    """

    figures: tuple[Figure, ...]
    images: np.ndarray
    joints: np.ndarray
    masks: np.ndarray
    packshots: np.ndarray
    worn: np.ndarray

    @property
    def people(self) -> np.ndarray:
        """The number of the person on each photo, int64 ``[N]``: a row of `packshots` and `worn`."""
        return np.array([figure.person for figure in self.figures], dtype=np.int64)


@checked
def simulated_figures(
    people: Count = 100,
    photos: Count = 2,
    *,
    height: Side = 64,
    width: Side = 64,
    standing: Standing = "middle",
    packshot_size: Side = 32,
    seed: Seed = 0,
) -> SimulatedFigures:
    """People in outfits of up to six garments, each in some poses.

    A body is joints with round limbs between them; a garment lies on some of them, wider than the limb, with a colour,
    a pattern that follows the limb and a cut. Arms before the torso hide what is behind. Only colours, patterns, cuts,
    poses, bodies, backgrounds and places differ: there are no faces, folds or shadows.

    Arguments:
        people: P; each has a body and an outfit.
        photos: of each, in poses of their own; N = people × photos.
        height: of the photos, pixels.
        width: likewise.
        standing: in the middle, as large as they fit; or anywhere at 45 to 100 % of that size, wholly inside, with
            backgrounds of any colour.
        packshot_size: side of the packshots, pixels.
        seed: draws all; a person is the same whatever there are of others, at any size of the photos.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> shop = simulated_figures(3, 2, height=32, width=24)
        >>> shop.images.shape, shop.joints.shape, shop.masks.shape
        ((6, 3, 32, 24), (6, 16, 2), (6, 6, 32, 24))
    """
    persons = [person_of(number, seed) for number in range(people)]
    figures = tuple(
        standing_figure(number, body, outfit, photo, height, width, standing, seed)
        for number, (body, outfit) in enumerate(persons)
        for photo in range(photos)
    )
    drawn = [draw_figure(figure, height, width) for figure in figures]
    white = np.full((3, packshot_size, packshot_size), 255, dtype=np.uint8)
    shots = np.empty((people, len(SLOTS), 3, packshot_size, packshot_size), dtype=np.uint8)
    worn = np.zeros((people, len(SLOTS)), dtype=bool)
    for number, (_, outfit) in enumerate(persons):
        by_slot = {garment.slot: garment for garment in outfit}
        for place, slot in enumerate(SLOTS):
            worn[number, place] = slot in by_slot
            shots[number, place] = packshot(by_slot[slot], packshot_size) if slot in by_slot else white
    images, masks = (np.stack(part) for part in zip(*drawn, strict=True))
    joints = np.stack([joints_of(figure) for figure in figures])
    return SimulatedFigures(figures, images, joints, masks, shots, worn)


def draw_figure(figure: Figure, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The photo of a figure, uint8 ``[3, H, W]``, and the masks of its garments, uint8 ``[6, H, W]``."""
    wall, floor = (np.array(each, dtype=np.float64)[:, None, None] for each in figure.ground)
    below = (np.arange(height) + 0.5) / height >= figure.floor
    ground = np.where(below[None, :, None], floor, wall) * np.ones((1, 1, width))
    pieces = pieces_of(figure.body, figure.pose, figure.outfit)
    return draw(pieces, ground, figure.scale, np.array(figure.middle))


def joints_of(figure: Figure) -> np.ndarray:
    """The joints of a figure in pixels, float32 ``[16, 2]``."""
    places = joint_places(figure.body, figure.pose) * figure.scale + np.array(figure.middle)
    return places.astype(np.float32)


def person_of(number: int, seed: int) -> tuple[Body, tuple[Garment, ...]]:
    """The body and the outfit of a person."""
    rng = np.random.default_rng([seed, _GARMENTS, number])
    garments = [drawn_garment(slot, rng) for slot in SLOTS]
    has = rng.random(len(SLOTS)) < np.array([_WORN[slot] for slot in SLOTS])
    body = drawn_body(np.random.default_rng([seed, _OUTLINE, number]))
    return body, tuple(garment for garment, one in zip(garments, has, strict=True) if one)


def standing_figure(
    person: int,
    body: Body,
    outfit: Sequence[Garment],
    photo: int,
    height: int,
    width: int,
    standing: str,
    seed: int,
) -> Figure:
    """A person in a pose and a place by chance, wholly inside the photo."""
    rng = np.random.default_rng([seed, _STANDING, person, photo])
    pose = drawn_pose(rng)
    places = joint_places(body, pose)
    low, high = places.min(axis=0) - 0.09, places.max(axis=0) + 0.09
    room = np.array([width, height])
    scale = float((room / (high - low)).min())
    share, at = float(rng.uniform(0.45, 1.0)), rng.random(2)
    colours = rng.integers(120, 250, (2, 3))
    if standing == "middle":
        share, at, colours = 1.0, np.array([0.5, 0.5]), np.array([[238, 238, 238], [222, 222, 222]])
    scale *= share
    middle = at * (room - (high - low) * scale) - low * scale
    wall, floor = ((int(each[0]), int(each[1]), int(each[2])) for each in colours)
    ends = float((middle[1] + (high[1] - 0.12) * scale) / height)
    return Figure(
        person, body, pose, in_slots(outfit), scale, (float(middle[0]), float(middle[1])), (wall, floor), ends
    )


def in_slots(garments: Sequence[Garment]) -> tuple[Garment, ...]:
    """Garments in the order of their slots.

    Raises:
        ValueError: two have the same slot, or one has none of `SLOTS`.
    """
    named = [garment.slot for garment in garments]
    for slot in named:
        if slot not in SLOTS:
            raise ValueError(f"slot: expected one of {list(SLOTS)}, got {slot!r}")
        if named.count(slot) > 1:
            raise ValueError(f"outfit: expected at most one garment for {slot}, got {named.count(slot)}")
    return tuple(sorted(garments, key=lambda garment: SLOTS.index(garment.slot)))


__all__ = ["JOINTS", "SLOTS", "Figure", "Garment", "SimulatedFigures", "draw_figure", "joints_of", "simulated_figures"]
