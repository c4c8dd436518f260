"""What several photos an article are worth, where one of them tells: a generated catalogue, three seeds.

An article has four photos of 24 pixels in its own colour. One of them, drawn at random, shows, faintly, the mark that
is its class (one of six); the others show nothing of it. A network that sees the first photo only can know a
quarter of the classes; averaging judgements lets the three photos that show nothing outvote the one that tells.

Every row makes the same number of steps: where each photo is an example of its own (the mean of logits) a batch has as
many photos as a batch of articles has in the other rows.

    python benchmarks/vision_multi_image.py
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import torch
from hemline.datasets.pictures.catalogue import Article, Catalogue
from hemline.datasets.pictures.photos import Pictures, fingerprints
from hemline.datasets.pictures.source import Source
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.product_network import NetworkConfig

SIZE, PHOTOS, CLASSES, BATCH = 24, 4, 6, 16
MARKS = np.array(
    [
        [[1, 1, 1], [0, 0, 0], [1, 1, 1]],
        [[1, 0, 1], [1, 0, 1], [1, 0, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
        [[1, 1, 1], [1, 0, 1], [1, 1, 1]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
    ]
)


def generated_shop(articles: int, contrast: int, seed: int) -> Source:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, CLASSES, articles)
    pixels = np.empty((articles, PHOTOS, 3, SIZE, SIZE), dtype=np.uint8)
    for photos, number in zip(pixels, classes, strict=True):
        photos[:] = rng.integers(60, 150, (1, 3, 1, 1)) + rng.integers(-25, 26, photos.shape)
        x, y = rng.integers(0, SIZE - 9, 2)
        mark = np.kron(MARKS[number], np.ones((3, 3), dtype=bool)).astype(bool)
        photos[rng.integers(PHOTOS), :, y : y + 9, x : x + 9][:, mark] += contrast
    flat = pixels.reshape(-1, 3, SIZE, SIZE)
    addresses = tuple(f"generated/{number}" for number in range(len(flat)))
    items = [
        Article(str(n), addresses[PHOTOS * n : PHOTOS * (n + 1)], {"mark": (f"mark-{classes[n]}",)})
        for n in range(articles)
    ]
    owners = np.repeat(np.arange(articles), PHOTOS)
    return Source(
        Catalogue(tuple(items), ("mark",)), pictures=Pictures(flat, owners, addresses, fingerprints(list(flat)))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=900)
    parser.add_argument("--contrast", type=int, default=40, help="brightness of the mark, of 255; the noise has ±25")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = {
        "one photo": ("max", 1),
        "mean of logits": ("logits", None),
        "mean pooling": ("mean", None),
        "attention pooling": ("attention", None),
        "max pooling": ("max", None),
    }
    print("| row | accuracy by seed | mean |\n|---|---|---|")
    for name, (pooling, most) in rows.items():
        found = []
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                source = generated_shop(options.articles, options.contrast, seed)
                batch = BATCH * PHOTOS if pooling == "logits" else BATCH
                train_classifier(
                    source,
                    folder,
                    network=NetworkConfig(size=SIZE, widths=(8, 16, 32), pooling=pooling),
                    training=TrainConfig(
                        epochs=options.epochs, batch_size=batch, lr=1e-2, augment=None, seed=seed, device="cpu"
                    ),
                    max_images=most,
                    split_seed=seed,
                )
                found.append(evaluate_classifier(folder, source)["test"]["mark"]["accuracy"])
        print(f"| {name} | {', '.join(f'{value:.3f}' for value in found)} | {np.mean(found):.3f} |", flush=True)


if __name__ == "__main__":
    main()
