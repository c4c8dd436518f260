"""Labels for FiftyOne and back: its layout ``FiftyOneImageClassificationDataset``, one label column at a time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import PurePath

from ...runtime.plain import Plain, PlainObject
from .labelling import ITEM_ID, Labelling, LabelReader
from .ledger import Labels

LABELS, DATA = "labels.json", "data.json"

_KEYS = "keys"
"""The field by which a file of ours says that its keys are item ids; FiftyOne leaves it out of its own."""


def fiftyone_archive(labelling: Labelling, task: str) -> bytes:
    """A ZIP of ``labels.json``, the classes and the labels by item id, and ``data.json``, where their photos lie.

    Unpacked it is a dataset directory: ``fiftyone.Dataset.from_dir(dataset_dir=FOLDER, data_path="data.json",
    dataset_type=fiftyone.types.FiftyOneImageClassificationDataset)``.

    Arguments:
        labelling: the catalogue.
        task: the label column.

    Raises:
        ValueError: there is no such column.
    """
    standing = labelling.standing
    classes = sorted(labelling.known_labels(labelling.require_task(task), standing))
    number = {label: place for place, label in enumerate(classes)}
    labels: dict[str, int | list[int] | None] = {}
    for article in labelling.source.catalogue.articles:
        told = [number[label] for label in standing.labels(task, article)]
        several = task in labelling.source.facets or len(told) > 1
        labels[article.item_id] = told if several else told[0] if told else None
    photos = {each.item_id: each.images[0] for each in labelling.source.catalogue.articles if each.images}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(LABELS, json.dumps({_KEYS: ITEM_ID, "classes": classes, "labels": labels}))
        archive.writestr(DATA, json.dumps(photos))
    return file.getvalue()


def read_fiftyone(reader: LabelReader, content: PlainObject, task: str) -> dict[str, dict[str, Labels]]:
    """The labels that ``labels.json`` of FiftyOne says.

    A key is an item id, or, as FiftyOne writes it, the name of a photo without its ending.

    Arguments:
        reader: of the catalogue.
        content: of the file.
        task: the label column of which it is.

    Returns:
        Task -> item id -> labels; none for an article that the file has without a label.

    Raises:
        ValueError: no column is named, the layout is another one, or a photo is unknown.
    """
    labelling = reader.labelling
    if not task:
        raise ValueError(f"task: expected the column of these labels, one of {', '.join(labelling.tasks)}; got none")
    labelling.require_task(task)
    labels, classes = content.get("labels"), content.get("classes")
    if not isinstance(labels, dict) or not (classes is None or isinstance(classes, list)):
        raise ValueError("file: expected labels, and classes, as in labels.json of FiftyOne, got others")
    by_photo: dict[str, list[str]] = {}
    for article in labelling.source.catalogue.articles:
        for image in article.images:
            by_photo.setdefault(PurePath(image).stem, []).append(article.item_id)
    found: dict[str, Labels] = {}
    for key, target in labels.items():
        items = [key] if key in labelling.rows else []
        if content.get(_KEYS) != ITEM_ID:
            # An item id may be the name of another article's photo too.
            items = list(dict.fromkeys([*items, *by_photo.get(PurePath(key).name, ())]))
        if len(items) != 1:
            what = f"several articles, {items[0][:50]!r} and {items[1][:50]!r}" if items else "none"
            raise ValueError(f"file: expected a photo of one article of the catalogue, got {key[:100]!r} of {what}")
        if items[0] in found:
            raise ValueError(f"file: expected each article once, got {items[0][:100]!r} twice")
        several = target if isinstance(target, list) else [] if target is None else [target]
        told = [_label(each, classes, key) for each in several]
        found[items[0]] = reader.of_parts(task, items[0], told, f"the label of {key[:100]!r}")
    return {task: found}


def _label(target: Plain, classes: Sequence[Plain] | None, key: str) -> Plain:
    """What the file calls a label, be it one or not."""
    told = target.get("label") if isinstance(target, dict) else target
    if classes is None or (isinstance(told, str) and told in classes):
        return told
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < len(classes):
        return classes[told]
    known = f"the number of one of {len(classes)} classes"
    raise ValueError(f"labels: expected {known} for {key[:100]!r}, got {str(told)[:50]!r}")
