"""Photos of simulated figures on disk, with packshots of what they wear and the truth of swaps."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from ....runtime.arguments.kinds import Count, Seed, Share, checked
from ....runtime.whole_files import whole_contents
from ..figure_garments import SLOTS, Garment, drawn_garment, packshot
from ..figures import Figure, Side, Standing, draw_figure, person_of, standing_figure

PAIRS = "pairs.csv"

_LEAST = 0.01
"""Of the photo; garments of which less is seen are no pair."""

_WANTED = 3
"""What the draws of the garments wanted begin with."""


@checked
def write_worn_figures(
    folder: str | os.PathLike[str],
    people: Count = 500,
    photos: Count = 2,
    *,
    height: Side = 64,
    width: Side = 64,
    standing: Standing = "middle",
    slot: Literal["hat", "top", "jacket", "bottom", "shoes", "bag"] = "top",
    test: Share = 0.1,
    seed: Seed = 0,
) -> tuple[Path, int]:
    """Write photos of figures, a packshot of one garment of each, and what a swap of that garment comes to.

    People of the test side come last. Theirs are the files of the truth: another garment of the same cut in other
    colours and another pattern, and the same photo with it, so that one mask is that of both.

    Arguments:
        folder: where to; made if need be.
        people: how many.
        photos: of each; those on which less than 1 % shows the garment are left out.
        height: of the photos, pixels.
        width: likewise.
        standing: see `simulated_figures`.
        slot: of the garment.
        test: share of the people on the test side.
        seed: draws all.

    Returns:
        The path of ``pairs.csv``, which `worn_rows` reads, and how many photos it names.

    Raises:
        ValueError: an argument is out of its range, or no garment is seen.
    """
    folder, side = Path(folder), max(height, width)
    first, rows = people - round(test * people), []
    with whole_contents(folder, PAIRS) as aside:
        for below in ("image", "cloth", "mask", "wanted", "truth"):
            (aside / below).mkdir()
        for number in range(people):
            body, outfit = person_of(number, seed)
            own = next((garment for garment in outfit if garment.slot == slot), None)
            if own is None:
                continue
            seen = 0
            for photo in range(photos):
                figure = standing_figure(number, body, outfit, photo, height, width, standing, seed)
                image, masks = draw_figure(figure, height, width)
                mask = masks[SLOTS.index(slot)]
                if (mask > 127).mean() < _LEAST:
                    continue
                seen += 1
                name = f"{number}-{photo}.png"
                row = {
                    "person": f"image/{name}",
                    "article": f"cloth/{number}.png",
                    "kind": slot,
                    "mask": f"mask/{name}",
                }
                save_png(aside / "image" / name, image)
                save_png(aside / "mask" / name, mask)
                rows.append({**row, "side": "train" if number < first else "test"})
                if number >= first:
                    other = _another(own, np.random.default_rng([seed, _WANTED, number, photo]))
                    save_png(aside / "wanted" / name, packshot(other, side))
                    save_png(aside / "truth" / name, truth_of(figure, other, height, width))
                    rows[-1] |= {"wanted": f"wanted/{name}", "truth": f"truth/{name}"}
            if seen:
                save_png(aside / "cloth" / f"{number}.png", packshot(own, side))
        if not rows:
            raise ValueError(
                f"people, slot: expected figures that show the garment, got none of {people} with a {slot}"
            )
        with (aside / PAIRS).open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["person", "article", "kind", "side", "mask", "wanted", "truth"], restval="")
            table.writeheader()
            table.writerows(rows)
    return folder / PAIRS, len(rows)


def truth_of(figure: Figure, garment: Garment, height: int, width: int) -> np.ndarray:
    """The photo of a figure in another garment, uint8 ``[3, H, W]``."""
    return draw_figure(figure.wearing(garment), height, width)[0]


def _another(own: Garment, rng: np.random.Generator) -> Garment:
    """A garment of the same cut."""
    drawn = drawn_garment(own.slot, rng)
    return replace(
        own,
        colour=drawn.colour,
        second=drawn.second,
        pattern=drawn.pattern,
        period=drawn.period,
        angle=drawn.angle,
    )


def save_png(place: Path, pixels: np.ndarray) -> None:
    """Write uint8 pixels ``[3, H, W]`` or ``[H, W]`` as PNG."""
    shown = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    Image.fromarray(shown).save(place, "png")
