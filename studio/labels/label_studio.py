"""Labels for Label Studio and back: tasks with annotations of choices, one for each label column."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

from ...datasets.pictures.catalogue import Article
from ...runtime.plain import Plain
from .labelling import Labelling, Standing
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


def read_label_studio(labelling: Labelling, content: Sequence[Plain]) -> dict[str, dict[str, Labels]]:
    """The labels that an export of Label Studio (JSON) says.

    Columns that no annotation answers stay as they are, and so do articles without an annotation; an annotation that
    leaves out a column that others answer takes its labels away.

    Arguments:
        labelling: the catalogue.
        content: the tasks.

    Returns:
        Task -> item id -> labels.

    Raises:
        ValueError: the layout is another one, or an article has several annotations that do not say the same.
    """
    told: dict[str, dict[str, Labels]] = {}
    for number, task in enumerate(content, start=1):
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict) or "annotations" not in task:
            raise ValueError(f"file: expected data and annotations, as of Label Studio, got none in task {number}")
        item = task["data"].get("item_id")
        if not isinstance(item, str):
            raise ValueError(f"file: expected an item_id in the data of task {number}, got {str(item)[:50]!r}")
        if item in told:
            raise ValueError(f"file: expected each article once, got {item[:100]!r} twice")
        given = [each for each in _list(task["annotations"], item) if not each.get("was_cancelled")]
        labelling.article(item)
        answers = [_answers(labelling, each, item, f"task {number}") for each in given]
        if any(each != answers[0] for each in answers):
            raise ValueError(f"file: expected annotations of {item[:100]!r} that say the same, got others")
        if answers:
            told[item] = answers[0]
    columns = [task for task in labelling.tasks if any(task in each for each in told.values())]
    return {task: {item: each.get(task, ()) for item, each in told.items()} for task in columns}


def _answers(labelling: Labelling, annotation: dict[str, object], item: str, where: str) -> dict[str, Labels]:
    found: dict[str, Labels] = {}
    for each in _list(annotation.get("result"), item):
        name, value = each.get("from_name"), each.get("value")
        choices = value.get("choices") if isinstance(value, dict) else None
        if each.get("type") != "choices" or not isinstance(choices, list):
            raise ValueError(f"file: expected choices of {item[:100]!r}, got {str(each.get('type'))[:50]!r}")
        if not isinstance(name, str) or name not in labelling.tasks:
            raise ValueError(f"from_name: expected one of {', '.join(labelling.tasks)}; got {str(name)[:100]!r}")
        if name in found:
            raise ValueError(f"file: expected one answer of {item[:100]!r} in {name!r}, got several")
        found[name] = labelling.read_labels(name, choices, f"{where}, {item[:100]!r}")
    return found


def _list(value: object, item: str) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"file: expected lists of annotations and results of {item[:100]!r}, got something else")
    return value
