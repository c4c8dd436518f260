"""Predictors in folders, and the dataset that each was trained on."""

from __future__ import annotations

import json
from pathlib import Path

from gluonts.model.predictor import Predictor

from ...datasets.registry import is_description

_DATASET = "dataset.json"


def holds_predictor(path: Path) -> bool:
    """Whether a predictor of any kind was serialized into a folder."""
    return (path / "gluonts-config.json").is_file()


def load_predictor(path: Path) -> Predictor:
    """Read a predictor that was serialized into a folder.

    Raises:
        FileNotFoundError: the folder holds none.
    """
    if not holds_predictor(path):
        raise FileNotFoundError(f"predictor: expected a folder that `hemline train` wrote, got {path}")
    return Predictor.deserialize(path)


def remember_dataset(path: Path, dataset: str) -> None:
    """Note beside a predictor which dataset it was trained on: its name, or the full path of its TOML file."""
    name = str(Path(dataset).resolve()) if is_description(dataset) else dataset
    (path / _DATASET).write_text(json.dumps({"name": name}))


def remembered_dataset(path: Path) -> str:
    """The dataset that a predictor was trained on.

    Raises:
        ValueError: the folder does not say.
    """
    note = path / _DATASET
    if not note.is_file():
        raise ValueError(f"dataset: {path} does not say what the predictor was trained on; pass --dataset NAME")
    return str(json.loads(note.read_text())["name"])
