"""A photo of a garment in another colour: its folds, seams and prints are kept, and all around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ....datasets.pictures.photos import read_photo
from ....runtime.arguments.kinds import Checked, Share, checked
from ....runtime.arguments.naming import naming
from ....runtime.display.numbers import percent
from .masks import article_masks

_BRIGHTNESS = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""

_ROUNDS, _NEAR, _MOST_TINT = 50, 1e-4, 2.0


@dataclass(frozen=True)
class Recolouring(Checked):
    """How the pattern of a photo is laid on another colour.

    Arguments:
        tint: 0 where folds change red, green and blue alike, as grey light does; 1 where they change each as much as
            the colour has of it, as shade does; between both otherwise.
        prints: share of differences of colour within the garment that stays: 1 keeps the colours of prints as they
            differ from the garment's, 0 makes them lighter and darker parts of the new colour.
    """

    tint: Share = 0.5
    prints: Share = 0.3


def recoloured(
    images: np.ndarray, masks: np.ndarray, colours: np.ndarray, settings: Recolouring | None = None
) -> np.ndarray:
    """Photos whose garments have another mean colour and the same pattern.

    The pattern of a photo is what it differs by from its mean colour within the mask: ``y``, the difference of
    brightness, and the difference of colour that is left. It is laid on the new colour c with the strength it has
    (garments of the same shots in other colours have folds of nearly the same strength in brightness, not in
    proportion to it): ``c + y (1 − tint + tint c / brightness(c)) + prints · rest``. Where that is cut off at
    black or white, c moves until the mean is the colour that was asked for.

    Arguments:
        images: ``[n, 3, H, W]``, 0…1.
        masks: share of the garment in each pixel, ``[n, H, W]``, 0…1; outside the photo stays as it is.
        colours: wished mean colours within the mask, ``[n, 3]``, 0…1.
        settings: how the pattern is laid.

    Returns:
        ``[n, 3, H, W]``, 0…1.

    Raises:
        ValueError: a mask is empty, or a shape is another.
    """
    settings = settings or Recolouring()
    images, masks, colours = (np.asarray(each, dtype=np.float64) for each in (images, masks, colours))
    if images.ndim != 4 or images.shape[1] != 3 or masks.shape != (len(images), *images.shape[2:]):
        raise ValueError(
            f"images, masks: expected [n, 3, H, W] and [n, H, W], got {list(images.shape)} and {list(masks.shape)}"
        )
    if colours.shape != (len(images), 3):
        raise ValueError(f"colours: expected [{len(images)}, 3], got {list(colours.shape)}")
    found = images.copy()
    for number, (mask, colour) in enumerate(zip(masks, colours, strict=True)):
        inside = mask > 0
        share, pixels = mask[inside], images[number][:, inside]
        if share.sum() <= 0:
            raise ValueError(f"masks: expected a garment in each, got none in mask {number}")
        found[number][:, inside] = _laid(pixels, share / share.sum(), share, colour, settings)
    return found


def _laid(
    pixels: np.ndarray, weights: np.ndarray, share: np.ndarray, colour: np.ndarray, settings: Recolouring
) -> np.ndarray:
    """Pixels ``[3, P]`` of a garment in another colour."""
    apart = pixels - (pixels @ weights)[:, None]
    shade = _BRIGHTNESS @ apart
    own = (colour / max(float(_BRIGHTNESS @ colour), 1e-2)).clip(0, _MOST_TINT)
    by_channel = 1 - settings.tint + settings.tint * own
    pattern = by_channel[:, None] * shade + settings.prints * (apart - shade)
    base = colour.copy()
    for _ in range(_ROUNDS):
        made = pixels + share * ((base[:, None] + pattern).clip(0, 1) - pixels)
        missed = colour - made @ weights
        if np.abs(missed).max() < _NEAR:
            break
        base = base + missed
    return made


@checked
def recolour_photo(
    photo: str, colours: np.ndarray, mask: str | None = None, settings: Recolouring | None = None
) -> np.ndarray:
    """A photo of a garment in other colours, at its own size.

    Arguments:
        photo: path or address.
        colours: ``[n, 3]``, 0…1.
        mask: path or address of a picture of the photo's size, white where the garment is and black elsewhere; without
            one all that differs from the plain ground of the photo is the garment.
        settings: how the pattern is laid.

    Returns:
        uint8 ``[n, 3, H, W]``.

    Raises:
        OSError: a file cannot be read.
        ValueError: one is no picture, the mask has another size, or there is no garment.
    """
    with naming("photo", photo):
        pixels = np.array(read_photo(photo), dtype=np.uint8).transpose(2, 0, 1)
    high, wide = pixels.shape[1:]
    if mask is None:
        place = _softened(article_masks(pixels[None])[0])
        named, address = "photo", photo
    else:
        named, address = "mask", mask
        with naming(named, mask):
            place = np.asarray(read_photo(mask).convert("L"), dtype=np.float64) / 255
        if place.shape != (high, wide):
            raise ValueError(
                f"mask: expected {wide} × {high} pixels like the photo, got {place.shape[1]} × {place.shape[0]} "
                f"in {mask}"
            )
    if not 0.0005 < place.mean() < 0.97:
        raise ValueError(
            f"{named}: expected a garment on a part of it, got one on {percent(place.mean())} of {address}"
        )
    image = pixels[None] / 255
    made = [recoloured(image, place[None], np.asarray(colour)[None], settings)[0] for colour in colours]
    return np.stack([(each * 255).round().astype(np.uint8) for each in made])


def _softened(mask: np.ndarray) -> np.ndarray:
    """A mask whose edge is as soft as that of photos: the mean about each pixel within it."""
    soft = torch.nn.functional.avg_pool2d(torch.from_numpy(mask).double()[None, None], 3, 1, 1, count_include_pad=False)
    found: np.ndarray = soft[0, 0].numpy() * mask
    return found
