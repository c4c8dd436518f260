"""Photos of simulated figures on disk with their poses and the packshots of all that they wear."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from ....runtime.arguments.kinds import Count, Seed, Share, checked
from ....runtime.whole_files import whole_contents
from ...pictures.poses import write_keypoints
from ...pictures.worn.outfits import KEYPOINTS, PHOTOS, TABLE
from ..figure_garments import SLOTS, packshot
from ..figures import Side, Standing, draw_figure, joints_of, person_of, standing_figure
from .figure_photos import save_png


@checked
def write_outfits(
    folder: str | os.PathLike[str],
    people: Count = 500,
    photos: Count = 2,
    *,
    size: Side = 64,
    standing: Standing = "middle",
    test: Share = 0.1,
    seed: Seed = 0,
) -> Path:
    """Write photos of figures with their poses, and a packshot of each garment that they wear.

    People of the test side come last.

    Arguments:
        folder: where to; made if need be.
        people: how many.
        photos: of each.
        size: side of the photos, pixels.
        standing: see `simulated_figures`.
        test: share of the people on the test side.
        seed: draws all.

    Returns:
        The folder, which `read_outfits` reads.
    """
    folder = Path(folder)
    first, rows, poses = people - round(test * people), [], dict[str, np.ndarray]()
    with whole_contents(folder, TABLE) as aside:
        (aside / PHOTOS).mkdir()
        for slot in SLOTS:
            (aside / "articles" / slot).mkdir(parents=True)
        for number in range(people):
            body, outfit = person_of(number, seed)
            worn = {}
            for garment in outfit:
                worn[garment.slot] = f"articles/{garment.slot}/{number}.png"
                save_png(aside / worn[garment.slot], packshot(garment, max(32, size // 2)))
            for photo in range(photos):
                figure = standing_figure(number, body, outfit, photo, size, size, standing, seed)
                name = f"{number}-{photo}.png"
                save_png(aside / PHOTOS / name, draw_figure(figure, size, size)[0])
                poses[name] = joints_of(figure)
                rows.append({"photo": name, **worn, "side": "train" if number < first else "test"})
        (aside / KEYPOINTS).write_bytes(write_keypoints(poses))
        with (aside / TABLE).open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["photo", *SLOTS, "side"], restval="")
            table.writeheader()
            table.writerows(rows)
    return folder
