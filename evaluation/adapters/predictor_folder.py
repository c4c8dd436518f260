"""Predictors in folders, and the dataset that each was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gluonts.model.predictor import Predictor

from ...datasets.registry import is_description
from ...runtime.names import Names
from ...runtime.reading.json_files import read_json
from ...runtime.reading.places import is_remote
from ...runtime.whole_files import whole_contents, whole_file
from .fitted import SIGN, FittedModel, restored
from .gluonts.folder import is_read_by_gluonts, read_gluonts

_DATASET = "dataset.json"


def holds_predictor(path: Path) -> bool:
    """Whether a predictor of any kind was serialized into a folder."""
    return (path / SIGN).is_file()


def store_predictor(predictor: Predictor, folder: Path) -> None:
    """Write a predictor of any kind into a folder, which is made if need be and then holds it whole or not at all."""
    if isinstance(predictor, FittedModel):
        predictor.serialize(folder)
        return
    with whole_contents(folder, SIGN) as aside:
        predictor.serialize(aside)


def read_predictor(path: Path | str, names: Names, *, device: str = "cpu") -> Predictor:
    """Read a predictor of any kind from the folder that it was serialized into.

    Arguments:
        path: the folder.
        names: the classes that its files may name.
        device: on which paths are drawn, for a model that can choose.

    Raises:
        FileNotFoundError: the folder holds none.
        ValueError: it is of a class that is not among `names`, or its files are not what was written.
    """
    path = Path(path)
    if not holds_predictor(path):
        raise FileNotFoundError(f"predictor: expected a folder that `hemline train` wrote, got {path}")
    try:
        return _read(path, names, device)
    except OSError:
        raise
    except Exception as error:
        # Files of anybody can fail in any way: each is one kind of error, which names the folder.
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        said = " ".join(str(error).split())
        kind = "" if isinstance(error, ValueError) and said else f"{type(error).__name__}: "
        raise ValueError(f"predictor: cannot read {path}: {kind}{said}") from error


def _read(path: Path, names: Names, device: str) -> Predictor:
    described = read_json(path / SIGN)
    kind: type[Predictor] = names.find(str(described.get("name", described.get("type"))))
    if not issubclass(kind, Predictor):
        raise ValueError(f"predictor: expected a predictor in {path}, got a {kind.__name__}")
    if issubclass(kind, FittedModel):
        return restored(kind, path, names, device)
    if is_read_by_gluonts(kind):
        return read_gluonts(kind, path, names, device)
    return kind.deserialize(path)


@dataclass(frozen=True)
class Trained:
    """How a predictor in a folder was trained.

    Arguments:
        dataset: its name, or the path of its TOML file.
        model: the name of the model.
        settings: what was given beside those that ship.
        seed: of the training.
        whole: whether it has learnt from the test windows too.
        partition_by: the attribute by which the assortment was trained in partitions; ``None`` where it was not.
        partition_size: the most series of a partition, if there is a limit.
    """

    dataset: str
    model: str
    settings: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    whole: bool = False
    partition_by: str | None = None
    partition_size: int | None = None


def remember_training(path: Path, trained: Trained) -> None:
    """Note beside a predictor how it was trained; the path of a TOML file is kept in full."""
    here = is_description(trained.dataset) and not is_remote(trained.dataset)
    dataset = str(Path(trained.dataset).resolve()) if here else trained.dataset
    noted = {"name": dataset, **{name: value for name, value in vars(trained).items() if name != "dataset"}}
    with whole_file(path / _DATASET) as aside:
        aside.write_text(json.dumps(noted))


def remembered_training(path: Path) -> Trained:
    """How a predictor was trained.

    Raises:
        ValueError: the folder does not say.
    """
    note = dict(read_json(path / _DATASET)) if (path / _DATASET).is_file() else {}
    if "model" not in note:
        raise ValueError(f"from: {path} does not say how its model was trained; train it again with this version")
    return Trained(note.pop("name"), **note)


def remembered_dataset(path: Path) -> str:
    """The dataset that a predictor was trained on.

    Raises:
        ValueError: the folder does not say.
    """
    note = path / _DATASET
    name = read_json(note).get("name") if note.is_file() else None
    if not isinstance(name, str):
        raise ValueError(f"dataset: {path} does not say what the predictor was trained on; pass --dataset NAME")
    return name
