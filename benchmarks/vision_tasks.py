"""One network for all tasks against a network a task, and class weights against none, on a catalogue of one's own.

    HEMLINE_DATA=... python benchmarks/vision_tasks.py --data docs/vision/myntra-tasks.toml --rare articleType

Every row has the same form, steps, split and seed. Photos are opened once, for all rows.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from typing import Any

import torch
from hemline.vision.classify import evaluate_classifier, train_classifier
from hemline.vision.preprocessing import Preprocessing
from hemline.vision.product_network import NetworkConfig
from hemline.vision.sources import Source, open_source
from hemline.vision.training import TrainConfig


def scores(source: Source, tasks: tuple[str, ...], options: argparse.Namespace, **training: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        train_classifier(
            source,
            folder,
            network=NetworkConfig(size=options.size, widths=(16, 32, 64, 128)),
            training=TrainConfig(epochs=options.epochs, seed=options.seed, device="cpu", **training),
            tasks=tasks,
        )
        return evaluate_classifier(folder, source)["test"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rare", required=True, help="the task with rare classes, for the rows of class weights")
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    source = open_source(options.data)
    source = replace(source, pictures=source.load(Preprocessing(options.size)))
    tasks = source.catalogue.columns
    print("| task | row | accuracy | macro-F1 |\n|---|---|---|---|", flush=True)

    def tell(row: str, found: dict[str, Any]) -> None:
        for task, score in found.items():
            print(f"| {task} | {row} | {score['accuracy']:.3f} | {score['macro_f1']:.3f} |", flush=True)

    tell("all tasks", scores(source, tasks, options))
    for task in (options.rare, *(name for name in tasks if name != options.rare)):
        tell("alone", scores(source, (task,), options))
        if task == options.rare:
            for scheme in ("effective", "inverse"):
                tell(f"alone, {scheme} weights", scores(source, (task,), options, class_weights=scheme))


if __name__ == "__main__":
    main()
