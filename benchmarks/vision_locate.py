"""Where the garment is on ccp_street: mean IoU of a locator, beside boxes that need none.

HEMLINE_DATA=... python benchmarks/vision_locate.py

The garment of a photo is the one with the largest mask. Five folds by photo: every photo is judged once, by a head that
never saw it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from hemline.datasets.pictures.photos import read_photo, resize_photo
from hemline.runtime.folders import find
from hemline.vision.locate.border_crop import border_box
from hemline.vision.locate.boxes import from_square, mirrored, on_square, overlap
from hemline.vision.locate.locator import SCALES, location_maps
from hemline.vision.locate.training import LocateConfig, fit_locator
from hemline.vision.networks.efficientnet_lite import EfficientNetLite
from PIL import Image, ImageDraw

GARMENTS = (
    "blazer blouse bodysuit cape cardigan coat dress hoodie intimate jacket jeans jumper leggings pants romper shirt "
    "shorts skirt suit sweater sweatshirt swimwear t-shirt top vest"
)
DEPTHS = (11, 16)


def garment_box(mask: np.ndarray, codes: list[int]) -> np.ndarray:
    """The box of the largest garment, shares of width and height."""
    largest = codes[int(np.bincount(mask.ravel(), minlength=max(codes) + 1)[codes].argmax())]
    down, across = (np.flatnonzero((mask == largest).any(axis=axis)) for axis in (1, 0))
    high, wide = mask.shape
    return np.array([across[0] / wide, down[0] / high, (across[-1] + 1) / wide, (down[-1] + 1) / high])


def located(maps: list[torch.Tensor], boxes: torch.Tensor, fold: np.ndarray, config: LocateConfig) -> np.ndarray:
    """The box on each square photo by a head that was trained on the photos of other folds."""
    count = len(fold)
    found = np.zeros((count, 4))
    for number in range(fold.max() + 1):
        judged, seen = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        both = torch.from_numpy(np.concatenate([seen, seen + count]))
        head = fit_locator([each[both] for each in maps], boxes[both], config)
        with torch.inference_mode():
            told = [head.located(each[judged]).numpy() for each in maps]
            told += [mirrored(head.located(each[judged + count]).numpy()) for each in maps]
        found[judged] = np.mean(told, axis=0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=LocateConfig().steps)
    parser.add_argument(
        "--sheet", help="a .png file with the photos of the first fold and their boxes, to be looked at"
    )
    options = parser.parse_args()
    folder, tried = find(("images/ccp_street", "ccp_street"))
    if folder is None:
        raise SystemExit(f"expected images/ccp_street in HEMLINE_DATA, found it in none of {tried}")
    names = json.loads((folder / "labels.json").read_text())
    garments = set(GARMENTS.split(" "))
    codes = [number for number, name in enumerate(names) if name in garments]
    masks = sorted((folder / "masks").iterdir())
    wanted = np.array([garment_box(np.asarray(Image.open(mask)), codes) for mask in masks])
    photos = [read_photo(str(folder / "photos" / f"{mask.stem}.jpg")) for mask in masks]
    sides = np.array([photo.size for photo in photos])
    border = np.array([border_box(photo) for photo in photos]) / np.concatenate([sides, sides], axis=1)
    fold = np.random.default_rng(0).permutation(len(photos)) % options.folds
    mean = np.array([wanted[fold != number].mean(axis=0) for number in fold])
    plain = {
        "the whole photo": np.array([0.0, 0.0, 1.0, 1.0]),
        "a centred box of half the sides": np.array([0.25, 0.25, 0.75, 0.75]),
        "border crop": border,
        "the mean box of the training photos": mean,
    }
    print(f"{len(photos)} photos, {options.folds} folds\n\n| row | mean IoU | IoU above 0.5 |\n|---|---|---|")
    for name, boxes in plain.items():
        shown(name, overlap(np.broadcast_to(boxes, wanted.shape), wanted))
    pixels = torch.from_numpy(np.stack([resize_photo(photo, 448) for photo in photos]))
    network = EfficientNetLite.with_weights("efficientnet-lite0").for_inference()
    began = time.process_time()
    both = torch.cat([pixels, pixels.flip(-1)])
    maps = [location_maps(network, both, size, DEPTHS) for size in SCALES]
    square = on_square(wanted, sides[:, 0], sides[:, 1])
    boxes = torch.from_numpy(np.concatenate([square, mirrored(square)])).float()
    print(f"maps: {time.process_time() - began:.0f} s of processor time", flush=True)
    for seed in range(options.seeds):
        began = time.process_time()
        told = located(maps, boxes, fold, LocateConfig(seed=seed, steps=options.steps))
        found = from_square(told, sides[:, 0], sides[:, 1])
        seconds = time.process_time() - began
        shown(f"locator, seed {seed} ({seconds:.0f} s of processor time)", overlap(found, wanted))
        if options.sheet and seed == 0:
            sheet(
                [photos[row] for row in np.flatnonzero(fold == 0)], found[fold == 0], wanted[fold == 0], options.sheet
            )


def shown(name: str, iou: np.ndarray) -> None:
    print(f"| {name} | {iou.mean():.3f} | {(iou > 0.5).mean():.3f} |", flush=True)


def sheet(photos: list[Image.Image], found: np.ndarray, wanted: np.ndarray, file: str) -> None:
    """The photos with the boxes that were told (red) and those of the masks (green)."""
    page = Image.new("RGB", (12 * 110, -(-len(photos) // 12) * 170), "white")
    for number, (photo, *boxes) in enumerate(zip(photos, found, wanted, strict=True)):
        small = photo.resize((104, 160))
        draw = ImageDraw.Draw(small)
        for box, colour in zip(boxes, ("red", "lime"), strict=True):
            draw.rectangle([float(side) for side in box * (104, 160, 104, 160)], outline=colour, width=2)
        page.paste(small, (number % 12 * 110, number // 12 * 170))
    page.save(Path(file))


if __name__ == "__main__":
    main()
