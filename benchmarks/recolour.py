"""Photos of garments asked for in another colour, beside the same shots in that colour: 40 garments of magento_luma.

    HEMLINE_DATA=... python benchmarks/recolour.py
    HEMLINE_DATA=... python benchmarks/recolour.py --checkpoint runs/designer --size 64

Each photo is asked for in the mean colour of each other photo of the same shot. The mask is where the photos of a shot
differ, so parts that are the same in all colours are none of it. Settings are chosen on every second garment
(`--garments chosen --grid`); what is reported are the others. The rows: the photo unchanged, the mask filled, hue alone
shifted, hue, saturation and value shifted to the new mean, the photo's own pattern on the new colour
(`hemline vision design recolour`), and with `--checkpoint` the texture that a designer finds for the photo.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from hemline.datasets.pictures.photos import read_photo, resize_photo
from hemline.evaluation.scores.designs import colour_errors, mean_colours, structural_similarities
from hemline.runtime.folders import find_named
from hemline.runtime.run_folder import RunFolder
from hemline.vision.generate.design.designer import TrainedDesigner
from hemline.vision.generate.design.recolour import Recolouring, recoloured
from hemline.vision.generate.design.shapes import project_textures
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from PIL import Image
from scipy.ndimage import binary_closing, binary_opening, label

Draw = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


FULL = 256
"""Side at which masks are found, pixels."""


def shots(folder: Path) -> np.ndarray:
    """The photos of each garment, 0…1, ``[40, 3, 3, 256, 256]``."""
    found = []
    for line in (folder / "colours.jsonl").read_text().splitlines():
        names = json.loads(line)["colours"]
        paths = [
            next(path for part in ("colours", "images") if (path := folder / part / name).exists()) for name in names
        ]
        found.append(np.stack([resize_photo(read_photo(str(path)), FULL) for path in paths]))
    return np.stack(found) / 255


def difference_mask(photos: np.ndarray) -> np.ndarray:
    """Where photos of one shot differ, ``[S, S]``, without specks."""
    apart = [np.abs(one - other).max(axis=0) for one, other in itertools.combinations(photos, 2)]
    mask = binary_closing(binary_opening(np.max(apart, axis=0) > 0.06), iterations=2)
    parts, _ = label(mask)
    sizes = np.bincount(parts[parts > 0])
    found: np.ndarray = np.isin(parts, np.flatnonzero(sizes > 0.02 * sizes.max()))
    return found.astype(np.float64)


def shrunk(maps: np.ndarray, size: int) -> np.ndarray:
    """Maps ``[…, 256, 256]`` at a smaller side, each pixel the mean of those that it holds."""
    step = FULL // size
    found: np.ndarray = maps.reshape(*maps.shape[:-2], size, step, size, step).mean(axis=(-3, -1))
    return found


def unchanged(images: np.ndarray, masks: np.ndarray, colours: np.ndarray) -> np.ndarray:
    return images


def filled(images: np.ndarray, masks: np.ndarray, colours: np.ndarray) -> np.ndarray:
    return np.where(masks[:, None] > 0, colours[:, :, None, None], images)


def shifted(parts: int) -> Draw:
    """Hue (1), or hue, saturation and value (3), moved by what the mean colours differ by."""

    def draw(images: np.ndarray, masks: np.ndarray, colours: np.ndarray) -> np.ndarray:
        pixels = rgb_to_hsv(images.transpose(0, 2, 3, 1))
        own, asked = rgb_to_hsv(mean_colours(images, masks).clip(0, 1)), rgb_to_hsv(colours.clip(0, 1))
        pixels[..., 0] = (pixels[..., 0] + (asked - own)[:, None, None, 0]) % 1
        for part in range(1, parts):
            factor = asked[:, part] / own[:, part].clip(1e-3)
            pixels[..., part] = (pixels[..., part] * factor[:, None, None]).clip(0, 1)
        return np.where(masks[:, None] > 0, hsv_to_rgb(pixels).transpose(0, 3, 1, 2), images)

    return draw


def by_pattern(settings: Recolouring) -> Draw:
    return lambda images, masks, colours: recoloured(images, masks, colours, settings)


def by_latent(trained: TrainedDesigner, steps: int) -> Draw:
    """What a designer draws in the new colour with the texture it finds for the photo."""
    known: dict[bytes, torch.Tensor] = {}

    def draw(images: np.ndarray, masks: np.ndarray, colours: np.ndarray) -> np.ndarray:
        asked = images.tobytes()
        if asked not in known:
            given = (torch.from_numpy(each).float() for each in (images, masks))
            known[asked] = project_textures(trained, *given, steps=steps)
        made = trained.draw(known[asked], colours, masks) / 255
        return np.where(masks[:, None] > 0, made, images)

    return draw


def scores(draw: Draw, photos: np.ndarray, masks: np.ndarray, asked_of: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour errors, similarity to the real photo and errors of pixels, ``[pairs, 3]``, and the first image drawn."""
    rows, first = [], []
    for own, other in itertools.permutations(range(photos.shape[1]), 2):
        if own >= asked_of:
            continue
        asked, real = photos[:, own], photos[:, other]
        colours = mean_colours(real, masks)
        made = draw(asked, masks, colours)
        missed = np.einsum("nchw,nhw->n", np.square(made - real), masks) / (3 * masks.sum(axis=(1, 2)))
        rows.append(
            np.stack(
                [colour_errors(made, masks, colours), structural_similarities(made, real, masks), missed**0.5], axis=1
            )
        )
        if (own, other) == (0, 1):
            first = [asked, made, real]
    return np.concatenate(rows), np.stack(first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, choices=(16, 32, 64, 128, 256), default=FULL, help="of the images, pixels")
    parser.add_argument("--garments", choices=("chosen", "reported"), default="reported")
    parser.add_argument("--grid", action="store_true", help="settings beside each other")
    parser.add_argument("--checkpoint", help="a designer, for images of its size")
    parser.add_argument("--steps", type=int, default=300, help="of the search for a texture")
    parser.add_argument("--photos", type=int, default=3, help="of a shot that are asked in the colours of its others")
    parser.add_argument("--sheet", type=Path, help="a .png file: photo, drawn, real")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = slice(0, None, 2) if options.garments == "chosen" else slice(1, None, 2)
    colours = Path(find_named("images/magento_luma/colours.jsonl", "benchmarks/recolour.py"))
    photos = shots(colours.parent)[kept]
    masks = shrunk(np.stack([difference_mask(each) for each in photos]), options.size) > 0.5
    photos, masks = shrunk(photos, options.size), masks.astype(np.float64)
    rows: dict[str, Draw] = {
        "unchanged": unchanged,
        "filled": filled,
        "hue shifted": shifted(1),
        "hue, saturation, value shifted": shifted(3),
    }
    if options.grid:
        for tint, prints in itertools.product((0.0, 0.25, 0.5, 0.75), (0.0, 0.3, 1.0)):
            rows[f"pattern, tint {tint}, prints {prints}"] = by_pattern(Recolouring(tint, prints))
    else:
        rows["pattern of the photo"] = by_pattern(Recolouring())
    if options.checkpoint:
        rows["latent of a designer"] = by_latent(TrainedDesigner.load(RunFolder(options.checkpoint)), options.steps)
    print(f"{len(photos)} garments, {2 * options.photos * len(photos)} pairs, {options.size} pixels")
    print("| row | colour error | SSIM in the mask | error of pixels |\n|---|---|---|---|")
    for name, draw in rows.items():
        found, images = scores(draw, photos, masks, options.photos)
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in found.mean(axis=0))} |", flush=True)
    if options.sheet:
        strip = np.concatenate([np.concatenate(list(part), axis=-1) for part in images[:, :10]], axis=-2)
        Image.fromarray((strip * 255).round().astype(np.uint8).transpose(1, 2, 0)).save(options.sheet)


if __name__ == "__main__":
    main()
