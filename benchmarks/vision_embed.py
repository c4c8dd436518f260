"""Embed 10,000 Fashion-MNIST images: images per second, peak memory, and the share of time that loading takes.

HEMLINE_DATA=... python benchmarks/vision_embed.py --threads 2
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch
from hemline.datasets.pictures.fashion_mnist import fashion_mnist
from hemline.vision.embed.encoder import ArticleEncoder
from hemline.vision.networks.article_batches import ArticleBatches
from hemline.vision.networks.augmentation import Augmentation, AugmentConfig

IMAGES = 10_000
BATCH = 256


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", help="a classifier's run; default: the small network with random weights")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    catalogue, pictures = fashion_mnist()
    rows = np.arange(60_000, 60_000 + IMAGES)
    if options.checkpoint:
        encoder = ArticleEncoder.of_run(options.checkpoint)
    else:
        encoder = ArticleEncoder.of_backbone("small-cnn", size=28)
    before = peak_megabytes()

    loading, whole = [], []
    chosen = type(pictures)(
        pictures.pixels[rows], np.arange(IMAGES), tuple(pictures.addresses[60_000:]), tuple(pictures.content[60_000:])
    )
    encoder.encode(chosen, IMAGES, batch_size=BATCH)
    for _ in range(options.repeats):
        began = time.perf_counter()
        for batch in ArticleBatches(chosen, {}, np.arange(IMAGES), batch_size=BATCH):
            batch.pixels.sum()
        loading.append(time.perf_counter() - began)
        began = time.perf_counter()
        encoder.encode(chosen, IMAGES, batch_size=BATCH)
        whole.append(time.perf_counter() - began)

    augment = Augmentation(AugmentConfig(), encoder.preprocessing.size)
    began = time.perf_counter()
    for batch in ArticleBatches(chosen, {}, np.arange(IMAGES), batch_size=BATCH):
        augment(encoder.network.prepare.bright(batch.pixels))
    augmenting = time.perf_counter() - began

    seconds = min(whole)
    print(f"{encoder.name}, {options.threads} threads, torch {torch.__version__}, {IMAGES} images of {len(catalogue)}")
    print(f"embedding: {IMAGES / seconds:,.0f} images a second (best of {options.repeats}, {seconds:.2f} s)")
    print(f"loading:   {min(loading) / seconds:.1%} of it (gathering the batches alone: {min(loading):.3f} s)")
    print(f"augmenting as in training (not part of embedding): {augmenting:.2f} s")
    print(f"peak memory: {peak_megabytes():,.0f} MB, {before:,.0f} MB of it before the first image was embedded")


if __name__ == "__main__":
    main()
