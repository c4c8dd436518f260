from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200)}


def photo(colour: str, shape: str, rng: np.random.Generator, size: int = 24) -> Image.Image:
    image = Image.new("RGB", (size, size), "white")
    x, y = rng.integers(1, size // 3, 2)
    box = (int(x), int(y), int(x) + size // 2, int(y) + size // 2)
    draw = ImageDraw.Draw(image)
    (draw.ellipse if shape == "round" else draw.rectangle)(box, fill=COLOURS[colour])
    return image


def write_shop(folder: Path, articles: int = 60, photos: int = 1, seed: int = 0) -> Path:
    """A shop of coloured shapes: colour, shape and facets, some labels missing; returns its description."""
    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True)
    rows = []
    for number in range(articles):
        colour, shape = str(rng.choice(list(COLOURS))), str(rng.choice(["round", "square"]))
        names = [f"{number}-{view}.png" for view in range(photos)]
        for name in names:
            photo(colour, shape, rng).save(folder / "photos" / name)
        facets = [f"is-{colour}", *(["warm"] if colour == "red" else [])]
        rows.append(
            {
                "id": f"i{number}",
                "photos": names,
                "colour": colour if number % 5 else None,
                "shape": shape,
                "facets": facets if number % 3 else [],
                "title": f"A {shape} {colour} thing",
            }
        )
    (folder / "shop.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "shop.toml").write_text(
        'table = "shop.jsonl"\nphotos = "photos"\nitem_id = "id"\nimages = "photos"\ntext = "title"\n'
        'labels = ["colour", "shape", "facets"]\nfacets = ["facets"]\n[order]\nshape = ["square", "round"]\n'
    )
    return folder / "shop.toml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop")
