"""A shop of coloured squares, many red ones labelled blue on the training side, and a run that learnt from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient
from hemline.datasets.pictures.source import open_source
from hemline.studio.access.people import invite
from hemline.studio.database.open import Database
from hemline.studio.labels.labelling import Labelling
from hemline.studio.server import create_app
from hemline.studio.settings import StudioSettings
from hemline.studio.studio import Studio
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig
from PIL import Image, ImageDraw

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200)}
WRONG = 20
"""Training articles that are red and labelled blue: i0, i3, i6 and so on."""
SCRIPT = "<script>alert(1)</script>"


def write_shop(folder: Path, articles: int = 120) -> Path:
    """A shop whose description is returned; the title of one article is a script, and so is a label."""
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir(parents=True)
    rows = []
    for number in range(articles):
        colour = list(COLOURS)[number % 3]
        image = Image.new("RGB", (16, 16), "white")
        x, y = (int(place) for place in rng.integers(1, 5, 2))
        ImageDraw.Draw(image).rectangle((x, y, x + 9, y + 9), fill=COLOURS[colour])
        name = f"{number}.png"
        image.putpixel((0, 0), (number, number, 255))  # no two photos are the same
        image.save(folder / "photos" / name)
        told = "blue" if colour == "red" and number < 3 * WRONG else colour
        facets = [f"is-{colour}", *(["warm"] if colour == "red" else [])]
        rows.append(
            {
                "item_id": f"i{number}",
                "images": [name],
                "colour": told,
                "facets": facets,
                "size": SCRIPT if number == 7 else ["small", "large"][number % 2],
                "title": SCRIPT if number == 7 else f"A {colour} thing",
                "side": "test" if number >= 84 else "train",
            }
        )
    (folder / "shop.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "shop.toml").write_text(
        'table = "shop.jsonl"\nphotos = "photos"\ntext = "title"\nside = "side"\n'
        'labels = ["colour", "facets", "size"]\nfacets = ["facets"]\n'
    )
    return folder / "shop.toml"


def train(shop: Path, run: str) -> None:
    """Train and test a small network, which learns the wrong labels too."""
    source = open_source(str(shop))
    network = NetworkConfig(backbone="small-cnn", size=16, widths=(8, 16))
    training = TrainConfig(epochs=16, batch_size=16, augment=None, lr=1e-2)
    train_classifier(source, run, network=network, training=training, tasks=["colour", "facets"])
    evaluate_classifier(run, source)


def opened(shop: Path, trained: str, settings: StudioSettings) -> Studio:
    settings.folder.mkdir(parents=True, exist_ok=True)
    database = Database(settings.address)
    studio = Studio(settings, database, Labelling(open_source(str(shop)), str(shop), database))
    studio.add_run(trained)
    return studio


class Browser(TestClient):
    """A browser that carries the secret of its visit, as pages of the studio do."""

    def secret(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
        assert found is not None
        return found[1]

    def submit(self, address: str, **fields: object):
        return self.post(address, data={"csrf": self.secret(), **fields})


def logging_in(studio: Studio) -> Callable[..., Browser]:
    """A function that logs somebody in and returns their browser."""
    app = create_app(studio)

    def logged_in(name: str = "Ann", role: str = "editor") -> Browser:
        with studio.database.writing() as session:
            token = invite(session, name, role)
        browser = Browser(app, base_url="http://localhost")
        answer = browser.post("/login", data={"token": token}, follow_redirects=False)
        assert answer.status_code == 303
        return browser

    return logged_in
