"""A new class after training: are the kinds known before still known? On real photos, each class left out in turn.

    HEMLINE_DATA=... python -m benchmarks.vision_further --data images/clothing_dataset_small

A run learns all classes but one, and a second one goes on from it (`classify train --from`) with the photos of all. The
photos of the classes known before judge both; the new class judges the second. A run that learns all from the start
stands beside it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch
from hemline.datasets.pictures.labels import LabelSpace
from hemline.runtime.folders import find
from hemline.vision.classify.further import further_labels, take_over
from hemline.vision.classify.training import fit
from hemline.vision.networks.known_backbones import build_backbone
from hemline.vision.networks.product_network import ProductNetwork

from .vision_vectors import FORM, TRAINING, Seen, scored, seen, shares, trained


def macro(known: Seen, labels: LabelSpace, network: ProductNetwork, rows: np.ndarray, names: list[str]) -> float:
    """The mean F1 of some classes among the answers to these articles."""
    found = scored(known, labels, rows, shares(known, network, rows))[labels.tasks[0].name]
    return float(np.mean([row["f1"] for row in found["per_class"] if row["label"] in names]))


def left_out(known: Seen, task: str, new: str, seed: int) -> list[float]:
    """F1 of the classes known before: before, after, of a run from the start; and of the new class after and there."""
    articles = known.source.catalogue.articles
    held = np.array([article.labels.get(task, ("",))[0] for article in articles])
    few_rows = np.flatnonzero(held != new)
    sides = {name: tuple(item for item in known.split.side(name)) for name in ("train", "validation", "test")}
    hidden = {articles[row].item_id for row in np.flatnonzero(held == new)}
    few = replace(known, split=replace(known.split, train=tuple(i for i in sides["train"] if i not in hidden)))
    learnt = [articles[row] for row in known.rows("train")]
    before_labels = LabelSpace.of([one for one in learnt if one.item_id not in hidden], [task])
    labels = further_labels(before_labels, LabelSpace.of(learnt, [task]))
    training = replace(TRAINING, seed=seed)
    before = trained(few, before_labels, FORM, training)
    torch.manual_seed(seed)
    after = ProductNetwork(backbone=build_backbone(FORM.backbone), labels=labels, config=FORM)
    take_over(after, before)
    targets, none = labels.encode(articles), np.zeros(0, dtype=np.int64)
    given = {"validation": none, "vectors": known.vectors, "further": True}
    fit(after, training, known.pictures, targets, train=known.rows("train"), **given)
    whole = trained(known, labels, FORM, training)
    judged = known.rows("test")
    old = np.intersect1d(judged, few_rows)
    names = list(before_labels.tasks[0].classes)
    return [
        macro(known, before_labels, before, old, names),
        macro(known, labels, after, old, names),
        macro(known, labels, whole, old, names),
        macro(known, labels, after, judged, names),
        macro(known, labels, whole, judged, names),
        macro(known, labels, after, judged, [new]),
        macro(known, labels, whole, judged, [new]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="images/clothing_dataset_small", help="of HEMLINE_DATA, or a catalogue")
    parser.add_argument("--task", default="class", help="the label column")
    parser.add_argument("--classes", type=int, default=0, help="how many classes are left out in turn; 0: all")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--vectors", help="an .npy file that keeps the vectors of the photos for another run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder, _ = find((options.data,))
    known = seen(str(folder or options.data), FORM, options.vectors)
    articles = known.source.catalogue.articles
    task = LabelSpace.of([articles[row] for row in known.rows("train")], [options.task]).tasks[0]
    heads = ["old before", "old after", "old from the start", "old after, among all", "old from the start, among all"]
    heads = ["new class", "seed", *heads, "new after", "new from the start"]
    print(f"| {' | '.join(heads)} |\n" + "|---" * len(heads) + "|")
    found = []
    for new in task.classes[: options.classes or None]:
        for seed in range(options.seeds):
            found.append(left_out(known, task.name, new, seed))
            told = " | ".join(f"{value:.3f}" for value in found[-1])
            print(f"| {new} | {seed} | {told} |", flush=True)
    print("| mean | – | " + " | ".join(f"{value:.3f}" for value in np.mean(found, axis=0)) + " |")
    change = np.array(found)[:, 1] - np.array(found)[:, 0]
    print(f"old classes: F1 {change.mean():+.3f} on average, {change.min():+.3f} at worst")


if __name__ == "__main__":
    main()
