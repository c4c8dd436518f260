"""Look-alikes on magento_luma: the same garment in another view, and in another view and another colour.

HEMLINE_DATA=... python benchmarks/vision_similarity.py

Every photo asks once; the gallery is all of them: for other views the 262 photos of 87 garments, for other colours the
175 side and back photos. What is learnt is learnt on other garments: five folds by garment, three seeds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import load_pictures
from hemline.datasets.pictures.source import Source
from hemline.runtime.folders import find
from hemline.vision.networks.colours import foreground
from hemline.vision.networks.efficientnet_lite import EfficientNetLite
from hemline.vision.networks.preprocessing import Prepare
from hemline.vision.search.index import PhotoIndex
from hemline.vision.search.look_alikes import build_index, extend_index
from hemline.vision.similarity.look_encoder import ANY_COLOUR, SAME_COLOUR
from hemline.vision.similarity.retrieval import chance_recall, first_right, gain_interval
from hemline.vision.similarity.triplets import TripletConfig, fit_projection, part_scale

KS = (1, 5, 10)

STRENGTHS = {"colours 0.25": (ANY_COLOUR, 30), "colours 1.5": (SAME_COLOUR, 240)}
"""Weights and steps of the shape that is learnt; the steps are those with the largest mean reciprocal rank of both
questions by the same weights in inner folds of the garments that are learnt from (seed 0, of 30, 60, 120 and 240)."""


def catalogues(folder: Path) -> tuple[Catalogue, Catalogue]:
    """The garments with their views, and those in other colours."""
    products = [json.loads(line) for line in (folder / "products.jsonl").read_text().splitlines()]
    products = [row for row in products if row["images_kept"]]
    own = {name for row in products for name in row["images"]}
    views = tuple(
        Article(row["sku"], tuple(str(folder / "images" / name) for name in row["images"]), {"style": (row["sku"],)})
        for row in products
    )
    coloured = [json.loads(line) for line in (folder / "colours.jsonl").read_text().splitlines()]
    others = tuple(
        Article(name, (str(folder / "colours" / name),), {"style": (row["sku"],)})
        for row in coloured
        for name in row["colours"]
        if name not in own
    )
    return Catalogue(views, ("style",)), Catalogue(others, ("style",))


class Tasks:
    """The two questions, asked of a similarity of all photos."""

    def __init__(self, index: PhotoIndex, views: int) -> None:
        self.style = np.array([labels["style"][0] for labels in index.vectors.labels])
        self.views = np.arange(views)
        front = np.array(["main" in Path(photo).name for photo in index.vectors.photos])
        self.asked = np.arange(views, len(self.style))
        self.backs = self.views[~front[:views]]

    def ranks(self, similar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The place of the first right answer to each query, of other views and of other colours."""
        among = similar[: len(self.views), : len(self.views)]
        itself = np.eye(len(self.views), dtype=bool)
        style = self.style
        one = first_right(among, style[self.views], style[self.views], itself)
        other = first_right(similar[np.ix_(self.asked, self.backs)], style[self.asked], style[self.backs])
        return one, other

    def chance(self) -> list[float]:
        """Recall of an order that is drawn."""
        found = []
        for query, gallery, itself in ((self.views, self.views, 1), (self.asked, self.backs, 0)):
            right = (self.style[query][:, None] == self.style[gallery][None]).sum(axis=1) - itself
            found += [chance_recall(right, len(gallery) - itself - right, k) for k in KS]
        return found


def recalls(ranks: tuple[np.ndarray, np.ndarray]) -> list[float]:
    return [float((each < k).mean()) for each in ranks for k in KS]


def shown(name: str, values: list[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |", flush=True)


def plain_features(photos: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """The last vector of Lite0 of each whole photo, and its silhouette on a raster of 32 × 32."""
    catalogue = Catalogue(tuple(Article(photo, (photo,)) for photo in photos))
    network = EfficientNetLite.with_weights("efficientnet-lite0").for_inference()
    pictures = load_pictures(catalogue, network.preprocessing.size)
    prepare = Prepare(network.preprocessing)
    vectors, shapes = [], []
    with torch.inference_mode():
        for some in torch.from_numpy(pictures.pixels).split(16):
            bright = prepare.bright(some)
            vectors.append(network(prepare.normalise(bright)))
            shapes.append(torch.nn.functional.adaptive_avg_pool2d(foreground(bright).float()[:, None], 32).flatten(1))
    return torch.cat(vectors), torch.cat(shapes)


def cosines(vectors: torch.Tensor, centre: torch.Tensor | None = None) -> np.ndarray:
    unit = torch.nn.functional.normalize(vectors if centre is None else vectors - centre, dim=1)
    return (unit @ unit.T).numpy()


def learnt(index: PhotoIndex, weights: dict[str, float], seed: int, folds: int, steps: int) -> np.ndarray:
    """The similarity of each photo to all, learnt without its garment and those of its fold."""
    rows = index.vectors
    vectors = rows.vectors * part_scale(rows.parts, weights).numpy()

    def similarity(others: np.ndarray, group: np.ndarray) -> np.ndarray:
        matrix = fit_projection(vectors[others], group, TripletConfig(seed=seed, steps=steps))
        return cosines(torch.from_numpy(vectors) @ matrix)

    return by_fold(index, seed, folds, similarity)


def learnt_shape(index: PhotoIndex, name: str, seed: int, folds: int) -> np.ndarray:
    """The similarity of each photo to all, its part of shapes learnt without the garments of its fold.

    Every garment is in one fold; by the weight of the colours that stay beside it the photos are also looked for.
    """
    weights, steps = STRENGTHS[name]
    rows, moved = index.vectors, index.vectors.parts["shape"]
    vectors = rows.vectors * part_scale(rows.parts, weights).numpy()
    shape, colours = (torch.from_numpy(part) for part in np.split(rows.vectors, [moved], axis=1))

    def similarity(others: np.ndarray, group: np.ndarray) -> np.ndarray:
        matrix = fit_projection(vectors[others], group, TripletConfig(seed=seed, steps=steps), moved=moved)
        return cosines(shape @ matrix) + weights["colours"] * cosines(colours)

    return by_fold(index, seed, folds, similarity)


def by_fold(
    index: PhotoIndex, seed: int, folds: int, similarity: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Similarities ``[n, n]``, each row by what was learnt of the garments of the other folds.

    Arguments:
        index: n photos with their garments.
        seed: draws the folds.
        folds: how many.
        similarity: of all photos, learnt from which of them ``[n]`` and the garment of each of these.
    """
    style = np.unique([labels["style"][0] for labels in index.vectors.labels], return_inverse=True)[1]
    fold = np.random.default_rng(seed).permutation(style.max() + 1) % folds
    similar = np.empty((len(style), len(style)), dtype=np.float32)
    for number in range(folds):
        held = fold[style] == number
        group = np.unique(style[~held], return_inverse=True)[1]
        similar[held] = similarity(~held, group)[held]
    return similar


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=TripletConfig().steps)
    parser.add_argument("--index", help="where the index is kept for another run; by default it is not")
    options = parser.parse_args()
    folder, tried = find(("images/magento_luma", "magento_luma"))
    if folder is None:
        raise SystemExit(f"expected images/magento_luma in HEMLINE_DATA, found it in none of {tried}")
    views, others = catalogues(folder)
    photos = sum(len(article.images) for article in views.articles)
    with tempfile.TemporaryDirectory() as place:
        address = options.index or str(Path(place) / "index")
        if not (Path(address) / "index.json").exists():
            build_index(Source(views), address)
            extend_index(PhotoIndex.open(address), Source(others))
        index = PhotoIndex.open(address)
    tasks, rows = Tasks(index, photos), index.vectors
    whole, silhouettes = plain_features(list(rows.photos))
    centred = cosines(whole, whole[:photos].mean(dim=0))
    shape, colours = (cosines(torch.from_numpy(part)) for part in np.split(rows.vectors, [rows.parts["shape"]], axis=1))
    print("| row | view @1 | @5 | @10 | view and colour @1 | @5 | @10 |\n|---|---|---|---|---|---|---|")
    shown("chance", tasks.chance())
    plain = {"colour histogram": colours, "silhouette": cosines(silhouettes), "Lite0": cosines(whole)}
    plain |= {"Lite0, centred": centred, "shape alone": shape}
    chosen = {"colours 0.25": ANY_COLOUR, "colours 1.5": SAME_COLOUR}
    plain |= {f"shape and {name}": shape + weights["colours"] * colours for name, weights in chosen.items()}
    ranks = {name: tasks.ranks(similar) for name, similar in plain.items()}
    for name, found in ranks.items():
        shown(name, recalls(found))
    for name, weights in chosen.items():
        each = []
        for seed in range(options.seeds):
            found = tasks.ranks(learnt(index, weights, seed, options.folds, options.steps))
            each.append(recalls(found))
            shown(f"triplets from {name}, seed {seed}", each[-1])
            ranks[f"triplets from {name}, seed {seed}"] = found
        shown(f"triplets from {name}, mean", np.mean(each, axis=0).tolist())
    hits: dict[str, list[list[np.ndarray]]] = {name: [] for name in chosen}
    for name in chosen:
        for seed in range(options.seeds):
            found = tasks.ranks(learnt_shape(index, name, seed, options.folds))
            shown(f"triplets of the shape, {name}, seed {seed}", recalls(found))
            hits[name].append([np.stack([each < k for k in KS]) for each in found])
    style = np.unique(tasks.style, return_inverse=True)[1]
    means = {name: [np.mean(each, axis=0) for each in zip(*told, strict=True)] for name, told in hits.items()}
    for name, told in means.items():
        shown(f"triplets of the shape, {name}, mean", [float(row.mean()) for each in told for row in each])
    print(
        "\ngain of the learnt shape over shape with the same weight of colours, mean of the seeds, with 95 % intervals"
    )
    for name, told in means.items():
        gains = []
        for task, query in enumerate((tasks.views, tasks.asked)):
            for place, k in enumerate(KS[:2]):
                before = ranks[f"shape and {name}"][task] < k
                gain, low, high = gain_interval(told[task][place], before, style[query])
                gains.append(f"{gain:+.3f} ({low:+.3f} … {high:+.3f})")
        print(f"| {name} | " + " | ".join(gains) + " |")
    print("\ngain over centred Lite0, with 95 % intervals over garments (bootstrap)")
    base = ranks["Lite0, centred"]
    for name, found in ranks.items():
        if name.startswith(("shape and", "triplets")):
            told = []
            for task, query in enumerate((tasks.views, tasks.asked)):
                for k in (1, 5):
                    gain, low, high = gain_interval(found[task] < k, base[task] < k, style[query])
                    told.append(f"{gain:+.3f} ({low:+.3f} … {high:+.3f})")
            print(f"| {name} | " + " | ".join(told) + " |")


if __name__ == "__main__":
    main()
