"""A training that goes on from a run: its weights, and the answers that it has learnt, in a network of more classes."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...datasets.pictures.labels import LabelSpace
from ...datasets.pictures.split import ArticleSplit
from ...runtime.plain import made_of
from ...runtime.run_folder import RunFolder
from ..networks.product_network import NetworkConfig, ProductNetwork
from .classifier import Classifier


def further_config(before: Classifier, given: NetworkConfig | None) -> NetworkConfig:
    """The form of the network of a run, which one that goes on from it keeps.

    Raises:
        ValueError: another form was asked for.
    """
    config = before.network.config
    if given is not None and given != config:
        names = [name for name in vars(config) if getattr(given, name) != getattr(config, name)]
        raise ValueError(
            f"network: expected {names[0]} as in the run that the training goes on from ({getattr(config, names[0])}), "
            f"got {getattr(given, names[0])}"
        )
    return config


def further_labels(before: LabelSpace, now: LabelSpace) -> LabelSpace:
    """The tasks of a run, each with its classes in their places and the new ones behind, and new tasks behind these.

    Arguments:
        before: the labels of the run.
        now: those of the articles that are learnt from now.

    Raises:
        ValueError: a column is of facets now and was not, or the other way round.

    Example:
        >>> from hemline.datasets.pictures.labels import Task
        >>> before = LabelSpace((Task("colour", ("red", "blue")),))
        >>> now = LabelSpace((Task("fit", ("slim",)), Task("colour", ("blue", "green"))))
        >>> [(task.name, task.classes) for task in further_labels(before, now).tasks]
        [('colour', ('red', 'blue', 'green')), ('fit', ('slim',))]
    """
    found = {task.name: task for task in now.tasks}
    tasks = []
    for task in before.tasks:
        other = found.pop(task.name, None)
        if other is not None and other.facets != task.facets:
            kinds = ["facets" if each.facets else "no facets" for each in (task, other)]
            raise ValueError(f"facets: expected {task.name!r} to be {kinds[0]}, as in the run, got {kinds[1]}")
        new = () if other is None else tuple(label for label in other.classes if label not in task.classes)
        tasks.append(replace(task, classes=task.classes + new))
    return LabelSpace((*tasks, *found.values()))


def further_split(split: ArticleSplit, run: RunFolder) -> ArticleSplit:
    """A split in which the articles of a run stay on its sides: none by which it was judged is learnt from.

    Arguments:
        split: of the articles now.
        run: the run.
    """
    before = made_of(run.read_json("split.json"), ArticleSplit)
    side = {item: name for name in ("train", "validation", "test") for item in before.side(name)}
    sides: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for name in sides:
        for item in split.side(name):
            sides[side.get(item, name)].append(item)
    train, validation, test = (tuple(items) for items in sides.values())
    return replace(split, train=train, validation=validation, test=test)


def take_over(network: ProductNetwork, before: ProductNetwork) -> None:
    """Give a network the weights of one before it: the rows of known classes too, while those of new ones are at zero.

    A new class begins with a bias below those of all known ones, so that next to nothing is answered otherwise until it
    is learnt.

    Arguments:
        network: a network of the same form, with the tasks of `further_labels`.
        before: the network of the run.
    """
    own = network.state_dict()
    shared = {name: value for name, value in before.state_dict().items() if not name.startswith("heads.")}
    network.load_state_dict({**own, **shared})
    places = {task.name: number for number, task in enumerate(before.labels.tasks)}
    with torch.no_grad():
        for task, head in zip(network.labels.tasks, network.heads, strict=True):
            weight, bias = _of(head)
            weight.zero_()
            bias.zero_()
            if task.name in places:
                known, known_bias = _of(before.heads[places[task.name]])
                weight[: len(known)] = known
                bias[: len(known)] = known_bias
                bias[len(known) :] = known_bias.min() - 2.0 if len(known) else 0.0


def _of(head: torch.nn.Module) -> tuple[Tensor, Tensor]:
    weight, bias = head.weight, head.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    return weight, bias
