"""One network for all tasks against a network a task, and class weights against none, on a catalogue of one's own.

    HEMLINE_DATA=... python benchmarks/vision_tasks.py --data docs/vision/myntra-tasks.toml
    HEMLINE_DATA=... python benchmarks/vision_tasks.py --data docs/vision/myntra-tasks.toml --weights gender --seeds 3

Every row has the same form, steps, split and seed. Photos are opened once, for all rows.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from typing import Any

import torch
from hemline.datasets.pictures.source import Source, open_source
from hemline.vision.classify.classify import train_classifier
from hemline.vision.classify.judging import evaluate_classifier
from hemline.vision.classify.options import TrainConfig
from hemline.vision.networks.preprocessing import Preprocessing
from hemline.vision.networks.product_network import NetworkConfig


def scores(
    source: Source, tasks: tuple[str, ...], options: argparse.Namespace, seed: int = 0, **training: Any
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        train_classifier(
            source,
            folder,
            network=NetworkConfig(size=options.size, widths=(16, 32, 64, 128)),
            training=TrainConfig(epochs=options.epochs, seed=seed, device="cpu", **training),
            tasks=tasks,
        )
        return evaluate_classifier(folder, source)["test"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", help="a task with rare classes: weigh its classes, and do nothing else")
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    source = open_source(options.data)
    source = replace(source, pictures=source.load(**Preprocessing(options.size).photos))
    tasks = source.catalogue.columns
    print("| task | row | seed | accuracy | macro-F1 |\n|---|---|---|---|---|", flush=True)

    def tell(row: str, seed: int, found: dict[str, Any]) -> None:
        for task, score in found.items():
            print(f"| {task} | {row} | {seed} | {score['accuracy']:.3f} | {score['macro_f1']:.3f} |", flush=True)

    for seed in range(options.seeds):
        if options.weights:
            for scheme in ("none", "effective", "inverse"):
                found = scores(source, (options.weights,), options, seed, class_weights=scheme)
                tell(f"weights: {scheme}", seed, found)
            continue
        tell("all tasks", seed, scores(source, tasks, options, seed))
        for task in tasks:
            tell("alone", seed, scores(source, (task,), options, seed))


if __name__ == "__main__":
    main()
