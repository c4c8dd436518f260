"""Labels for Label Studio and back: tasks with annotations of choices, one for each label column."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

from ...datasets.pictures.catalogue import Article
from ...runtime.plain import Plain
from .labelling import Labelling, LabelReader, Standing
from .ledger import Labels

_IMAGE = "image"
"""By what name the interface of Label Studio calls the photo."""


def label_studio_tasks(labelling: Labelling) -> Iterator[str]:
    """The catalogue as Label Studio imports it: a list of tasks, the labels as they stand as an annotation of each.

    An article without any label has no annotation.
    """
    standing = labelling.standing
    yield "["
    for number, article in enumerate(labelling.source.catalogue.articles):
        yield (",\n" if number else "\n") + json.dumps(_task(labelling, standing, article), ensure_ascii=False)
    yield "\n]\n"


def _task(labelling: Labelling, standing: Standing, article: Article) -> dict[str, object]:
    result = [
        {"from_name": task, "to_name": _IMAGE, "type": "choices", "value": {"choices": list(labels)}}
        for task in labelling.tasks
        if (labels := standing.labels(task, article))
    ]
    data = {
        "item_id": article.item_id,
        _IMAGE: article.images[0] if article.images else "",
        "images": list(article.images),
        "text": article.text,
    }
    return {"data": data, "annotations": [{"result": result}] if result else []}


def label_studio_config(labelling: Labelling) -> str:
    """The labelling interface of these tasks, for the settings of a project of Label Studio."""
    lines = ["<View>", f'  <Image name="{_IMAGE}" value="${_IMAGE}"/>', '  <Text name="title" value="$text"/>']
    standing = labelling.standing
    for task in labelling.tasks:
        choice = "multiple" if task in labelling.source.facets else "single"
        lines.append(f'  <Choices name={quoteattr(task)} toName="{_IMAGE}" choice="{choice}" showInline="true">')
        lines += [f"    <Choice value={quoteattr(label)}/>" for label in sorted(labelling.known_labels(task, standing))]
        lines.append("  </Choices>")
    return "\n".join([*lines, "</View>"]) + "\n"


def read_label_studio(reader: LabelReader, content: Sequence[Plain]) -> dict[str, dict[str, Labels]]:
    """The labels that an export of Label Studio (JSON) says.

    Columns that no annotation answers stay as they are, and so do articles without an annotation; an annotation that
    leaves out a column that others answer takes its labels away.

    Arguments:
        reader: of the catalogue.
        content: the tasks.

    Returns:
        Task -> item id -> labels.

    Raises:
        ValueError: the layout is another one, or an article has several annotations that do not say the same.
    """
    labelling = reader.labelling
    told: dict[str, dict[str, Labels]] = {}
    seen: set[str] = set()
    for number, task in enumerate(content, start=1):
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict) or "annotations" not in task:
            raise ValueError(f"file: expected data and annotations, as of Label Studio, got none in task {number}")
        item = task["data"].get("item_id")
        if not isinstance(item, str):
            raise ValueError(f"file: expected an item_id in the data of task {number}, got {str(item)[:50]!r}")
        if item in seen:
            raise ValueError(f"file: expected each article once, got {item[:100]!r} twice")
        seen.add(item)
        given = [each for each in _list(task["annotations"], item) if not _cancelled(each, item)]
        labelling.article(item)
        answers = [_answers(reader, each, item, f"task {number}") for each in given]
        if any(each != answers[0] for each in answers):
            raise ValueError(f"file: expected annotations of {item[:100]!r} that say the same, got others")
        if answers:
            told[item] = answers[0]
    columns = [task for task in labelling.tasks if any(task in each for each in told.values())]
    return {task: {item: each.get(task, ()) for item, each in told.items()} for task in columns}


def _cancelled(annotation: dict[str, object], item: str) -> bool:
    told = annotation.get("was_cancelled")
    if told is None:
        return False
    if not isinstance(told, bool):
        raise ValueError(f"was_cancelled: expected true or false for {item[:100]!r}, got {str(told)[:50]!r}")
    return told


def _answers(reader: LabelReader, annotation: dict[str, object], item: str, where: str) -> dict[str, Labels]:
    found: dict[str, Labels] = {}
    for each in _list(annotation.get("result"), item):
        name, value = each.get("from_name"), each.get("value")
        choices = value.get("choices") if isinstance(value, dict) else None
        if each.get("type") != "choices" or not isinstance(choices, list):
            kind, got = str(each.get("type"))[:50], str(choices)[:50]
            raise ValueError(
                f"file: expected a list of choices of {item[:100]!r}, got {kind!r} with {got!r} in {where}"
            )
        if not isinstance(name, str) or name not in reader.labelling.tasks:
            known = ", ".join(reader.labelling.tasks)
            raise ValueError(f"from_name: expected one of {known}; got {str(name)[:100]!r} in {where}")
        if name in found:
            raise ValueError(f"file: expected one answer of {item[:100]!r} in {name!r}, got several")
        found[name] = reader.of_parts(name, item, choices, f"{where}, {item[:100]!r}")
    return found


def _list(value: object, item: str) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"file: expected lists of annotations and results of {item[:100]!r}, got something else")
    return value
