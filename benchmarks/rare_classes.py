"""Rare classes of Fashion-MNIST: photos as they are, rare ones repeated, or generated ones beside them.

    HEMLINE_DATA=... python benchmarks/rare_classes.py --out runs/rare

Two classes are cut to 50 photos, the others to `--each`. A generator with classes is trained on the cut set (`small`,
`--width`, differentiable augmentation, `--steps`); of each rare class as many photos are drawn as are missing. The same
classifier is trained on the three sets for as many steps, and judged on the 10,000 test photos. A killed run goes on,
and finished rows stay in `--out`.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.fashion_mnist import fashion_mnist
from hemline.datasets.pictures.photos import Pictures, fingerprints
from hemline.datasets.pictures.source import Source
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.generate.generate import train_generator
from hemline.vision.generate.recipes import RECIPES, widened
from hemline.vision.generate.trained import TrainedGenerator
from hemline.vision.networks.product_network import NetworkConfig

RARE = ("Shirt", "Coat")
Labelled = tuple[np.ndarray, list[str]]
"""Photos ``[n, 1, 28, 28]`` and the class of each."""

ROWS = ("as they are", "rare ones repeated", "generated ones beside them")


def a_source(pixels: np.ndarray, labels: list[str], sides: list[str]) -> Source:
    """Photos with their classes as a catalogue."""
    names = [str(number) for number in range(len(labels))]
    articles = tuple(
        Article(name, (name,), {"class": (label,)}, side=side)
        for name, label, side in zip(names, labels, sides, strict=True)
    )
    pictures = Pictures(pixels, np.arange(len(labels)), tuple(names), fingerprints(list(pixels)))
    return Source(Catalogue(articles, ("class",)), pictures=pictures)


@functools.cache
def everything() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All photos, their classes, and which are to learn from."""
    catalogue, pictures = fashion_mnist()
    labels = np.array([article.labels["class"][0] for article in catalogue.articles])
    return pictures.pixels, labels, np.array([article.side == "train" for article in catalogue.articles])


def cut_set(seed: int, each: int, rare: int) -> tuple[Labelled, Labelled]:
    """Photos and classes to learn from, and all those of the test."""
    pixels, labels, learnt = everything()
    rng = np.random.default_rng(seed)
    kept = [
        rng.permutation(np.flatnonzero(learnt & (labels == name)))[: rare if name in RARE else each]
        for name in sorted(set(labels))
    ]
    rows = rng.permutation(np.concatenate(kept))
    return (pixels[rows], labels[rows].tolist()), (pixels[~learnt], labels[~learnt].tolist())


def added(row: str, seed: int, options: argparse.Namespace, pixels: np.ndarray, labels: list[str]) -> Labelled:
    """What a row puts beside the photos of rare classes, up to `--each` of them."""
    missing = options.each - options.rare
    if row == ROWS[0]:
        return pixels[:0], []
    if row == ROWS[1]:
        rng = np.random.default_rng(seed)
        numbers = [rng.choice(np.flatnonzero(np.array(labels) == name), missing) for name in RARE]
        return pixels[np.concatenate(numbers)], [name for name in RARE for _ in range(missing)]
    folder = options.out / f"generator-{seed}"
    recipe = widened(RECIPES["small"], options.width)
    training = dataclasses.replace(
        recipe.training, steps=options.steps, log_steps=50, decay=0.0, augment="diff", seed=seed, device="cpu"
    )
    trained: TrainedGenerator = train_generator(
        a_source(pixels, labels, ["train"] * len(labels)),
        str(folder),
        recipe=dataclasses.replace(recipe, training=training),
        task="class",
        resume=(folder / "begun.json").exists(),
    )
    made = [trained.sample(missing, label=name, seed=seed)[0] for name in RARE]
    return np.concatenate(made), [name for name in RARE for _ in range(missing)]


def judged(row: str, seed: int, options: argparse.Namespace) -> dict[str, float]:
    """What a row reaches on the test photos: over all classes, and on the rare ones."""
    (pixels, labels), (seen, truth) = cut_set(seed, options.each, options.rare)
    more, told = added(row, seed, options, pixels, labels)
    sides = ["train"] * (len(labels) + len(told)) + ["test"] * len(truth)
    source = a_source(np.concatenate([pixels, more, seen]), labels + told + truth, sides)
    folder = options.out / f"classifier-{ROWS.index(row)}-{seed}"
    count = len(labels) + len(told)
    # As many steps for each row, so that more photos are no longer training.
    epochs = round(options.classifier_steps * 64 / count)
    train_classifier(
        source,
        str(folder),
        network=NetworkConfig(size=28, channels=1, widths=(16, 32, 64)),
        training=TrainConfig(epochs=epochs, lr=1e-2, seed=seed, device="cpu"),
        shares=(None, None),
        resume=(folder / "begun.json").exists(),
    )
    scores = evaluate_classifier(str(folder), source)["test"]["class"]
    rare = [each for each in scores["per_class"] if each["label"] in RARE]
    return {
        "accuracy": scores["accuracy"],
        "macro F1": scores["macro_f1"],
        "recall of the rare": float(np.mean([each["recall"] for each in rare])),
        "F1 of the rare": float(np.mean([each["f1"] for each in rare])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=500, help="photos of a class that is not rare")
    parser.add_argument("--rare", type=int, default=50)
    parser.add_argument("--steps", type=int, default=1000, help="of the generator")
    parser.add_argument("--width", type=int, default=16, help="of the generator")
    parser.add_argument("--classifier-steps", type=int, default=700)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/rare"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(options.seeds):
        for row in ROWS:
            file = options.out / f"{ROWS.index(row)}-{seed}.json"
            if not file.exists():
                file.write_text(json.dumps(judged(row, seed, options)))
            found.append({"row": row, "seed": seed, **json.loads(file.read_text())})
            print(found[-1], flush=True)
    table = pd.DataFrame(found).drop(columns="seed").groupby("row", sort=False)
    names = list(table.mean())
    print(f"| row | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for row, mean in table.mean().iterrows():
        spread = table.std().loc[row]
        print(f"| {row} | {' | '.join(f'{mean[name]:.3f} ± {spread[name]:.3f}' for name in names)} |")


if __name__ == "__main__":
    main()
