"""Garments of simulated figures, and how figures and packshots are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .figure_bodies import PLACE, STRAIGHT, Body, Pose, joint_places

SLOTS = ("hat", "top", "jacket", "bottom", "shoes", "bag")
"""Where a garment is worn; a figure has at most one for each."""

Pattern = Literal["plain", "stripes", "checks", "dots"]

_FINE = 3
"""Points a pixel in each direction, whose mean the pixel is."""

_WIDTH = {"arm": 0.055, "forearm": 0.045, "thigh": 0.085, "shin": 0.06, "ankle": 0.04, "wrist": 0.035}


@dataclass(frozen=True)
class Garment:
    """What hangs in a slot.

    Arguments:
        slot: one of `SLOTS`.
        colour: red, green and blue, 0…255.
        pattern: of the second colour on the first.
        second: red, green and blue, 0…255.
        period: of the pattern, as a share of the figure's height.
        angle: of the pattern, radians.
        sleeves: of a top or a jacket: 0 none, 1 to the elbows, 2 to the wrists.
        length: of a top or a jacket, as a share of the torso; of a bottom, 1 to the knees and 2 to the ankles.
        wide: widths times this.
        skirt: whether a bottom is one.
    """

    slot: str
    colour: tuple[int, int, int]
    pattern: Pattern = "plain"
    second: tuple[int, int, int] = (255, 255, 255)
    period: float = 0.05
    angle: float = 0.0
    sleeves: float = 1.0
    length: float = 1.0
    wide: float = 1.0
    skirt: bool = False


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a figure between two points: as wide as told at both ends, with round ends.

    Arguments:
        begin: ``[2]``.
        end: ``[2]``.
        widths: at both ends.
        colour: red, green and blue where it is no garment's.
        garment: whose piece it is.
        shift: added to the place along the piece in the pattern, so that patterns go on over a joint.
        apart: half the width of a gap along the middle, as a share of the width: an open jacket.
        square: without round ends.
    """

    begin: np.ndarray
    end: np.ndarray
    widths: tuple[float, float]
    colour: tuple[int, int, int] = (0, 0, 0)
    garment: Garment | None = None
    shift: float = 0.0
    apart: float = 0.0
    square: bool = False


def drawn_garment(slot: str, rng: np.random.Generator) -> Garment:
    """A garment by chance."""
    colour, second = ((int(each[0]), int(each[1]), int(each[2])) for each in rng.integers(20, 236, (2, 3)))
    patterns: tuple[Pattern, ...] = ("plain", "plain", "stripes", "checks", "dots")
    span = {"top": (0.8, 1.15), "jacket": (0.9, 1.3), "bottom": (0.6, 2.0)}.get(slot, (1.0, 1.0))
    length = float(rng.uniform(*span))
    skirt = slot == "bottom" and rng.random() < 0.4
    return Garment(
        slot,
        colour,
        patterns[int(rng.integers(len(patterns)))],
        second,
        period=float(rng.uniform(0.035, 0.08)),
        angle=float(rng.uniform(0, np.pi)),
        sleeves=2.0 if slot == "jacket" else float(rng.uniform(0.3, 2.0)),
        length=min(length, 1.5) if skirt else length,
        wide=float(rng.uniform(1.0, 1.35)),
        skirt=bool(skirt),
    )


def pieces_of(body: Body, pose: Pose, outfit: Sequence[Garment]) -> list[Piece]:
    """All parts of a dressed figure, those behind first; lengths in figure heights, from the pelvis."""
    at = joint_places(body, pose)
    worn = {garment.slot: garment for garment in outfit}
    arms = [list(_arm(body, at, worn, side)) for side in ("right", "left")]
    behind = [piece for arm, front in zip(arms, pose.in_front, strict=True) if not front for piece in arm]
    before = [piece for arm, front in zip(arms, pose.in_front, strict=True) if front for piece in arm]
    return [*behind, *_legs(body, at, worn), *_torso(body, at, worn), *_head(body, at, worn), *before]


def draw(
    pieces: Sequence[Piece], ground: np.ndarray, scale: float, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pieces over a ground.

    Arguments:
        pieces: those behind first.
        ground: ``[3, H, W]``, 0…255.
        scale: pixels of a figure's height.
        middle: place of the pelvis in pixels, to the right and downwards.

    Returns:
        The image, uint8 ``[3, H, W]``, and the share of each pixel that shows the garment of each slot, uint8
        ``[6, H, W]``, 255 for all of it.
    """
    height, width = ground.shape[1:]
    image = np.repeat(np.repeat(ground, _FINE, axis=1), _FINE, axis=2).astype(np.float64)
    owner = np.full(image.shape[1:], -1)
    down, right = np.meshgrid(*((np.arange(side * _FINE) + 0.5) / _FINE for side in (height, width)), indexing="ij")
    points = (np.stack([right, down], axis=-1) - middle) / scale
    for piece in pieces:
        box = _box(piece, scale, middle)
        inside, along, across, depth = _places(points[box], piece)
        along, across, shade = along[inside], across[inside], 1 - 0.35 * depth[inside] ** 2
        garment = piece.garment
        colours = np.tile(np.array(piece.colour, dtype=np.float64)[:, None], len(along))
        if garment is not None:
            second = _on_second(garment, along + piece.shift, across)
            colours = np.where(second, np.array(garment.second)[:, None], np.array(garment.colour)[:, None])
        image[:, *box][:, inside] = colours * shade
        owner[box][inside] = -1 if garment is None else SLOTS.index(garment.slot)
    cut = (height, _FINE, width, _FINE)
    seen = np.stack([(owner == slot).reshape(cut).mean(axis=(1, 3)) for slot in range(len(SLOTS))])
    pixels = image.reshape(3, *cut).mean(axis=(2, 4))
    return pixels.round().astype(np.uint8), (seen * 255).round().astype(np.uint8)


def packshot(garment: Garment, size: int) -> np.ndarray:
    """The garment alone on white, as large as it fits, uint8 ``[3, size, size]``: of a body of usual size."""
    pieces = [piece for piece in pieces_of(Body(), STRAIGHT, [garment]) if piece.garment is not None]
    ends = np.concatenate([np.stack([end - width / 2, end + width / 2]) for p in pieces for end, width in _ends(p)])
    low, high = ends.min(axis=0), ends.max(axis=0)
    scale = 0.9 * size / float((high - low).max())
    middle = np.array([size / 2, size / 2]) - (low + high) / 2 * scale
    return draw(pieces, np.full((3, size, size), 255.0), scale, middle)[0]


def _ends(piece: Piece) -> Iterator[tuple[np.ndarray, float]]:
    return zip((piece.begin, piece.end), piece.widths, strict=True)


def _box(piece: Piece, scale: float, middle: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the fine points that a piece can reach."""
    ends = np.stack([piece.begin, piece.end])
    reach = max(piece.widths) / 2
    low = np.floor(((ends.min(axis=0) - reach) * scale + middle) * _FINE).astype(int)
    high = np.ceil(((ends.max(axis=0) + reach) * scale + middle) * _FINE).astype(int) + 1
    right, down = (slice(max(int(first), 0), max(int(last), 0)) for first, last in zip(low, high, strict=True))
    return down, right


def _places(points: np.ndarray, piece: Piece) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Whether points ``[H, W, 2]`` lie in a piece, how far along and across it, and across as a share of its width."""
    whole = piece.end - piece.begin
    length = max(float(np.linalg.norm(whole)), 1e-9)
    way = whole / length
    apart = points - piece.begin
    along = apart @ way
    across = apart @ np.array([-way[1], way[0]])
    share = (along / length).clip(0, 1)
    half = (piece.widths[0] + (piece.widths[1] - piece.widths[0]) * share) / 2
    inside = (along >= 0) & (along <= length) & (np.abs(across) <= half)
    if not piece.square:
        for end, width in _ends(piece):
            inside |= ((points - end) ** 2).sum(axis=-1) <= (width / 2) ** 2
    depth = (across / np.maximum(half, 1e-9)).clip(-1, 1)
    if piece.apart:
        inside &= np.abs(depth) >= piece.apart
    return inside, along, across, depth


def _on_second(garment: Garment, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Whether the second colour of the pattern is at these places."""
    if garment.pattern == "plain":
        return np.zeros(along.shape, dtype=bool)
    turned = np.cos(garment.angle) * along + np.sin(garment.angle) * across
    other = np.cos(garment.angle) * across - np.sin(garment.angle) * along
    first, second = turned / garment.period % 1, other / garment.period % 1
    if garment.pattern == "stripes":
        return first < 0.4
    if garment.pattern == "checks":
        return (first < 0.5) == (second < 0.5)
    return (first - 0.5) ** 2 + (second - 0.5) ** 2 < 0.09


def _limb(begin: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    return begin + (end - begin) * share


def _arm(body: Body, at: np.ndarray, worn: dict[str, Garment], side: str) -> Iterator[Piece]:
    shoulder, elbow, wrist = (at[PLACE[f"{side} {joint}"]] for joint in ("shoulder", "elbow", "wrist"))
    widths = [_WIDTH[name] * body.stout for name in ("arm", "forearm", "wrist")]
    yield Piece(shoulder, elbow, (widths[0], widths[1]), body.skin)
    yield Piece(elbow, wrist, (widths[1], widths[2]), body.skin)
    for slot, wider in (("top", 1.25), ("jacket", 1.6)):
        garment = worn.get(slot)
        if garment is None or garment.sleeves <= 0:
            continue
        times = wider * garment.wide
        upper, lower = min(garment.sleeves, 1.0), max(garment.sleeves - 1, 0.0)
        end = _limb(shoulder, elbow, upper)
        yield Piece(shoulder, end, (times * widths[0], times * widths[1]), garment=garment)
        if lower:
            begun = float(np.linalg.norm(elbow - shoulder))
            ends = (times * widths[1], times * widths[2])
            yield Piece(elbow, _limb(elbow, wrist, lower), ends, garment=garment, shift=begun)


def _legs(body: Body, at: np.ndarray, worn: dict[str, Garment]) -> Iterator[Piece]:
    bottom, shoes = worn.get("bottom"), worn.get("shoes")
    widths = [_WIDTH[name] * body.stout for name in ("thigh", "shin", "ankle")]
    for side, sign in (("right", -1.0), ("left", 1.0)):
        hip, knee, ankle = (at[PLACE[f"{side} {joint}"]] for joint in ("hip", "knee", "ankle"))
        toe = ankle + np.array([sign * 0.035, 0.02])
        yield Piece(hip, knee, (widths[0], widths[1]), body.skin)
        yield Piece(knee, ankle, (widths[1], widths[2]), body.skin)
        yield Piece(ankle, toe, (0.035, 0.03), body.skin)
        if shoes is not None:
            yield Piece(ankle, toe, (0.045 * shoes.wide, 0.04 * shoes.wide), garment=shoes)
        if bottom is not None and not bottom.skirt:
            times = 1.15 * bottom.wide
            upper, lower = min(bottom.length, 1.0), max(bottom.length - 1, 0.0)
            yield Piece(hip, _limb(hip, knee, upper), (times * widths[0], times * widths[1]), garment=bottom)
            if lower:
                ends = (times * widths[1], times * widths[2])
                begun = float(np.linalg.norm(knee - hip))
                yield Piece(knee, _limb(knee, ankle, lower), ends, garment=bottom, shift=begun)
    if bottom is not None and bottom.skirt:
        pelvis, knees = at[PLACE["pelvis"]], (at[PLACE["right knee"]] + at[PLACE["left knee"]]) / 2
        spread = float(np.linalg.norm(at[PLACE["right knee"]] - at[PLACE["left knee"]]))
        hem = max(0.24 * bottom.wide, spread + widths[1] * 1.4)
        ends = (0.2 * body.stout, hem)
        yield Piece(pelvis, _limb(pelvis, knees, bottom.length), ends, garment=bottom, square=True)


def _torso(body: Body, at: np.ndarray, worn: dict[str, Garment]) -> Iterator[Piece]:
    pelvis, thorax, neck = (at[PLACE[name]] for name in ("pelvis", "thorax", "neck"))
    chest, waist = 0.19 * body.stout, 0.165 * body.stout
    yield Piece(thorax, pelvis, (chest, waist), body.skin)
    yield Piece(thorax, neck, (0.06, 0.055), body.skin)
    bottom = worn.get("bottom")
    if bottom is not None:
        yield Piece(_limb(pelvis, thorax, 0.06), pelvis, (waist * 1.08, waist * 1.12), garment=bottom)
    for slot, wider, apart in (("top", 1.1, 0.0), ("jacket", 1.25, 0.3)):
        garment = worn.get(slot)
        if garment is not None:
            ends = (chest * wider, waist * wider * garment.wide)
            hem = _limb(thorax, pelvis, garment.length)
            yield Piece(_limb(thorax, pelvis, -0.06), hem, ends, garment=garment, apart=apart, square=True)
    bag = worn.get("bag")
    if bag is not None:
        hang = at[PLACE["left hip"]] + np.array([0.09, -0.02])
        yield Piece(at[PLACE["right shoulder"]], hang, (0.014, 0.014), garment=bag)
        yield Piece(hang, hang + np.array([0.0, 0.11]), (0.13 * bag.wide, 0.14 * bag.wide), garment=bag, square=True)


def _head(body: Body, at: np.ndarray, worn: dict[str, Garment]) -> Iterator[Piece]:
    neck, top = at[PLACE["neck"]], at[PLACE["head"]]
    yield Piece(_limb(neck, top, 0.5), _limb(neck, top, 0.68), (0.1, 0.11), body.hair)
    yield Piece(_limb(neck, top, 0.32), _limb(neck, top, 0.58), (0.07, 0.09), body.skin)
    hat = worn.get("hat")
    if hat is not None:
        yield Piece(_limb(neck, top, 0.72), _limb(neck, top, 0.98), (0.115, 0.09 * hat.wide), garment=hat, square=True)
        brim = (top - neck)[::-1] * np.array([-1.0, 1.0]) * 0.6 * hat.wide
        middle = _limb(neck, top, 0.72)
        yield Piece(middle - brim, middle + brim, (0.02, 0.02), garment=hat)
