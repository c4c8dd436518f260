"""Label errors planted on the training side, found by the ranking of the studio, corrected on its pages, learnt anew.

    HEMLINE_DATA=... python -m benchmarks.studio_noise --data docs/vision/myntra-tasks.toml --task articleType

Of the training articles, `--share` get another label, drawn evenly from the other classes; labels of the test side stay
as they are. A run learns the noisy labels. All further steps are requests of an editor to the pages of a studio: judge
labels of the training side, read the ranking, look through its first `--retags` photos, give each its true label,
train again, read F1. What the network sees of each photo is computed once, for all seeds. Finished seeds stay in
`--out`, and a killed run goes on.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from fastapi.testclient import TestClient
from hemline.datasets.pictures.catalogue import Catalogue
from hemline.datasets.pictures.source import Source, open_source
from hemline.datasets.pictures.split import ArticleSplit, split_articles
from hemline.runtime.plain import made_of, to_plain
from hemline.studio.access.people import invite
from hemline.studio.commands import open_studio
from hemline.studio.server import create_app
from hemline.studio.settings import StudioSettings
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.inputs import kept_vectors
from hemline.vision.classify.judging import evaluate_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.augmentation import AugmentConfig
from hemline.vision.networks.backbone import AUTO
from hemline.vision.networks.efficientnet_lite import FORMS
from hemline.vision.networks.known_backbones import build_backbone, chosen_backbone
from hemline.vision.networks.product_network import NetworkConfig

LOOKED_AT = 100


def planted(catalogue: Catalogue, task: str, train: set[str], share: float, seed: int) -> dict[str, str]:
    """Item id -> the wrong label of training articles that were drawn."""
    rng = np.random.default_rng(seed)
    told = {each.item_id: each.labels[task][0] for each in catalogue.articles if each.labels.get(task)}
    classes = sorted({told[item] for item in told if item in train})
    able = sorted(item for item in told if item in train)
    chosen = rng.choice(able, round(share * len(able)), replace=False)
    return {str(item): str(rng.choice([one for one in classes if one != told[item]])) for item in chosen}


def write_catalogue(folder: Path, source: Source, task: str, split: ArticleSplit, wrong: dict[str, str]) -> str:
    """The catalogue with the sides of the split and the planted labels; its description is returned."""
    side = {item: name for name in ("train", "validation", "test") for item in split.side(name)}
    rows = []
    for article in source.catalogue.articles:
        if article.item_id in side and article.labels.get(task):
            told = wrong.get(article.item_id, article.labels[task][0])
            row = {"item_id": article.item_id, "images": list(article.images), task: told}
            rows.append(row | {"side": side[article.item_id]})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "noisy.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "noisy.toml").write_text(f'table = "noisy.jsonl"\nlabels = ["{task}"]\nside = "side"\n')
    return str(folder / "noisy.toml")


class Editor(TestClient):
    """Somebody who corrects labels, by the pages of a studio alone."""

    def secret(self) -> str:
        """What the forms of this visit carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/jobs").text)
        assert found is not None
        return found[1]

    def submit(self, address: str, **fields: object) -> None:
        """Send a form."""
        answer = self.post(address, data={"csrf": self.secret(), **fields}, follow_redirects=False)
        assert answer.status_code in (200, 303), answer.text[-500:]

    def wait(self) -> None:
        """Wait for the work that was started."""
        while True:
            rows = re.findall(r'<tr class="(\w+)">', self.get("/jobs").text)
            if rows[0] not in ("waiting", "running"):
                assert rows[0] == "finished", self.get("/jobs").text
                return
            time.sleep(2)

    def ranked(self, task: str, most: int) -> list[tuple[str, int]]:
        """Articles of the training side, those whose label is likeliest to be wrong first, and their versions."""
        found: list[tuple[str, int]] = []
        page = 1
        while len(found) < most:
            address = f"/labels/photos?run=noisy&task={task}&side=train&order=errors&page={page}"
            values = re.findall(r'name="chosen" value="([^"]+)" form', self.get(address).text)
            found += [tuple(json.loads(html.unescape(value))) for value in values]
            page += 1
        return found[:most]

    def f1(self) -> dict[str, float]:
        """F1 of the test side in per cent by run, as the page of all tasks shows it."""
        rows = re.findall(r"<tr.*?</tr>", self.get("/labels").text, re.S)
        found = [re.search(r"<td>([^<]+)</td>\s*<td class=\"num strong\">([\d.]+)", row) for row in rows]
        return {each[1]: float(each[2]) for each in found if each is not None}


def one_seed(options: argparse.Namespace, source: Source, split: ArticleSplit, seed: int) -> dict[str, Any]:
    """Plant, learn, find, correct, learn again."""
    folder, task = options.out / f"seed-{seed}", options.task
    wrong = planted(source.catalogue, task, set(split.train), options.share, seed)
    truth = {each.item_id: each.labels[task][0] for each in source.catalogue.articles if each.labels.get(task)}
    backbone = chosen_backbone(AUTO)
    network = NetworkConfig(backbone=backbone, size=options.size, depths=backbone in FORMS)
    mirrored = AugmentConfig(mirror=0.5 if options.views == 2 else 0.0)
    training = TrainConfig(frozen=True, seed=seed, epochs=options.epochs, augment=mirrored)
    vectors = folder / "studio" / "vectors"  # where the studio's trainings keep them
    vectors.parent.mkdir(parents=True, exist_ok=True)
    if not vectors.exists():
        vectors.symlink_to(options.vectors.absolute(), target_is_directory=True)
    data, run = write_catalogue(folder, source, task, split, wrong), folder / "runs" / "noisy"
    with kept_vectors(str(vectors)):
        opened = open_source(data)
        begun = (run / "begun.json").exists()
        train_classifier(opened, str(run), tasks=[task], network=network, training=training, resume=begun)
        if not (run / "test.json").exists():
            evaluate_classifier(str(run), opened)
    studio = open_studio(StudioSettings(folder / "studio"), [run], data, None, _no_series)
    with studio.database.writing() as session:
        token = invite(session, "editor", "editor")
    ranked = folder / "ranking.json"
    with Editor(create_app(studio), base_url="http://localhost") as editor:
        assert editor.post("/login", data={"token": token}, follow_redirects=False).status_code == 303
        if not ranked.exists():
            if studio.folds(studio.run("noisy")) is None:
                editor.submit("/labels/judge", run="noisy")
                editor.wait()
            ranked.write_text(json.dumps(editor.ranked(task, max(options.retags, LOOKED_AT))))
        ranking = json.loads(ranked.read_text())
        for item, version in ranking[: options.retags]:
            address = f"/labels/retag?run=noisy&task={task}&side=train"
            editor.submit(address, chosen=json.dumps([item, version]), to=truth[item], why="looked at")
        if len(editor.f1()) == 1:
            editor.submit("/labels/retrain", run="noisy")
            editor.wait()
        before, after = editor.f1().values()
    first, learning = [item for item, _ in ranking], [item for item in split.train if item in truth]
    return {
        "seed": seed,
        "training articles": len(learning),
        "planted": len(wrong),
        "precision@100": sum(item in wrong for item in first[:LOOKED_AT]) / LOOKED_AT,
        "chance": round(len(wrong) / len(learning), 3),
        "looked at": options.retags,
        "corrected": sum(item in wrong for item in first[: options.retags]),
        "F1 noisy": before,
        "F1 corrected": after,
    }


def _no_series(name: str) -> Any:
    raise ValueError(f"dataset: expected none, got {name}")


def main() -> None:
    """Print a row a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--task", default="articleType")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--retags", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, help="side of the photos, pixels; by default that of the weights")
    parser.add_argument("--views", type=int, choices=(1, 2), default=2, help="2: the mirror image of each photo too")
    parser.add_argument("--epochs", type=int, help="by default as many as `hemline vision classify train` takes")
    parser.add_argument("--out", type=Path, default=Path("runs/studio_noise"))
    parser.add_argument("--vectors", type=Path, default=Path("runs/studio_noise/vectors"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    source = open_source(options.data)
    options.vectors.mkdir(parents=True, exist_ok=True)
    kept_split = options.out / "split.json"
    if not kept_split.exists():
        preprocessing = build_backbone(AUTO, size=options.size).preprocessing
        options.out.mkdir(parents=True, exist_ok=True)
        drawn = split_articles(source.catalogue, source.load(**preprocessing.photos))
        kept_split.write_text(json.dumps(to_plain(drawn)))
    split = made_of(json.loads(kept_split.read_text()), ArticleSplit)
    rows = []
    for seed in range(options.seeds):
        kept = options.out / f"seed-{seed}.json"
        if not kept.exists():
            kept.write_text(json.dumps(one_seed(options, source, split, seed)))
        rows.append(json.loads(kept.read_text()))
        print(pd.DataFrame(rows).to_markdown(index=False), flush=True)


if __name__ == "__main__":
    main()
