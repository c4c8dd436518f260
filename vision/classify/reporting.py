"""What is told of the articles and labels of a training."""

from __future__ import annotations

from dataclasses import asdict

from ...datasets.pictures.catalogue import Catalogue
from ...datasets.pictures.labels import LabelSpace
from ...datasets.pictures.photos import Pictures
from ...datasets.pictures.split import ArticleSplit
from ...runtime.plain import PlainObject


def scan_report(catalogue: Catalogue, pictures: Pictures, split: ArticleSplit, labels: LabelSpace) -> PlainObject:
    """What was noticed about photos, articles and labels, as plain data."""
    bare = [
        article.item_id for article, n in zip(catalogue.articles, pictures.counts(len(catalogue)), strict=True) if not n
    ]
    sides = {name: len(split.side(name)) for name in ("train", "validation", "test")}
    new = labels.unseen(catalogue.articles)
    return {
        "articles": {"all": len(catalogue), **sides, "without_photo": bare},
        "photos": {"good": len(pictures), "on_two_sides": list(split.shared)},
        "quarantine": [asdict(bad) for bad in pictures.quarantine],
        "labels": {
            "classes": {task.name: len(task.classes) for task in labels.tasks},
            "one_class": [task.name for task in labels.tasks if len(task.classes) == 1],
            "never_seen_in_training": new,
        },
    }


def learned_facts(catalogue: Catalogue, labels: LabelSpace, *, titles: bool = False) -> PlainObject:
    """The labels of each article, its title where titles are read, and then the classes of each task."""
    told = {
        f"{task.name} of item {article.item_id}": list(article.labels.get(task.name, ()))
        for task in labels.tasks
        for article in catalogue.articles
    }
    classes = {f"classes of {task.name}{' (facets)' * task.facets}": list(task.classes) for task in labels.tasks}
    texts = {f"title of item {article.item_id}": article.text for article in catalogue.articles if titles}
    return {**told, **texts, **classes}
