"""Photos, titles, and both: the five tasks of product photos, three seeds.

    HEMLINE_DATA=... python -m benchmarks.vision_titles

A title often says the label itself ("... men black tshirt"). The second half of the table removes from each title the
words of all the labels of all the tasks, in singular and plural: what is left are brands, patterns and other hints.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import replace

import numpy as np
import torch
from hemline.datasets.pictures.labels import LabelSpace

from .vision_vectors import FORM, TRAINING, Seen, scored, seen, shares, trained


def without_labels(titles: list[str], labels: LabelSpace) -> list[str]:
    """Titles without the words of the labels.

    Example:
        >>> from hemline.datasets.pictures.labels import Task
        >>> without_labels(["Puma Men T-shirts navy-blue"], LabelSpace((Task("a", ("Tshirts", "Navy Blue")),)))
        ['puma men']
    """
    named = {word for task in labels.tasks for label in task.classes for word in re.findall(r"\w+", label.lower())}
    stems = {_stem(word) for word in named}
    joined = [re.sub(r"\bt[- ]?shirt", "tshirt", title.lower()) for title in titles]
    return [" ".join(word for word in re.findall(r"\w+", title) if _stem(word) not in stems) for title in joined]


def _stem(word: str) -> str:
    return word[:-2] if word.endswith("es") else word.removesuffix("s")


def rows(known: Seen, labels: LabelSpace, text: str, seed: int) -> None:
    catalogue, judged = known.source.catalogue, known.rows("test")
    told = [article.text for article in catalogue.articles]
    nothing = torch.zeros_like(known.vectors[:, :, :1]).expand_as(known.vectors)
    training = replace(TRAINING, seed=seed)
    reading = replace(FORM, text=text, titles=4096)
    for name, form, titles, vectors in (
        ("image", FORM, None, None),
        ("text", reading, told, nothing),
        ("both", reading, told, None),
        ("text without the labels' words", reading, without_labels(told, labels), nothing),
        ("both without the labels' words", reading, without_labels(told, labels), None),
    ):
        network = trained(known, labels, form, training, titles=titles, vectors=vectors)
        answers = shares(known, network, judged, titles=titles, vectors=vectors)
        found = scored(known, labels, judged, answers)
        for measure in ("accuracy", "macro_f1"):
            numbers = " | ".join(f"{found[task.name][measure]:.3f}" for task in labels.tasks)
            print(f"| {name} | {seed} | {measure} | {numbers} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="docs/vision/myntra-tasks.toml")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed, to run the others apart")
    parser.add_argument("--vectors", help="an .npy file that keeps the vectors of the photos for another run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = seen(options.data, FORM, options.vectors)
    articles = known.source.catalogue.articles
    labels = LabelSpace.of([articles[row] for row in known.rows("train")], known.source.catalogue.columns)
    print("| row | seed | score | " + " | ".join(task.name for task in labels.tasks) + " |")
    print("|---" * (len(labels.tasks) + 3) + "|")
    codes = labels.encode(articles)
    learnt, judged = known.rows("train"), known.rows("test")
    often = [np.bincount(codes[task.name][learnt].clip(0)).argmax() for task in labels.tasks]
    shown = [(codes[task.name][judged] == most).mean() for task, most in zip(labels.tasks, often, strict=True)]
    print("| most frequent label | – | accuracy | " + " | ".join(f"{share:.3f}" for share in shown) + " |", flush=True)
    for seed in range(options.first, options.first + options.seeds):
        rows(known, labels, "words", seed)


if __name__ == "__main__":
    main()
