"""What the options of this room's commands mean: models, seeds, workers and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..runtime.arguments.naming import naming
from ..runtime.toml_files import read_toml


def parse_models(text: str, names: Sequence[str]) -> list[str]:
    """Names of models from a list separated by commas; ``module:Class`` names one that is not known here.

    Arguments:
        text: what the user gave.
        names: the models known.

    Returns:
        The names, in order, each once.

    Raises:
        ValueError: a name is unknown, or there is none.

    Example:
        >>> parse_models("a, b", ["a", "b", "c"])
        ['a', 'b']
    """
    chosen = [name.strip() for name in text.split(",") if name.strip()]
    if not chosen:
        raise ValueError(f"models: expected some of {', '.join(names)}, got none")
    for name in chosen:
        if name not in names and ":" not in name:
            raise ValueError(f"models: expected some of {', '.join(names)}, got {name!r}")
    return list(dict.fromkeys(chosen))


def parse_seeds(text: str) -> list[int]:
    """Seeds from their number or a list separated by commas.

    Arguments:
        text: what the user gave; a list of one seed ends with a comma.

    Returns:
        The seeds.

    Raises:
        ValueError: the text is neither, or a number is too large.

    Example:
        >>> parse_seeds("3"), parse_seeds("0,5"), parse_seeds("7,")
        ([0, 1, 2], [0, 5], [7])
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() for part in parts) or ("," not in text and int(text) < 1):
        raise ValueError(f"seeds: expected a number of seeds such as 3, or a list such as 0,5,7; got {text!r}")
    from .runs.plan import (  # here, because the command line lists what there is without gluonts
        check_seeds,
        first_seeds,
    )

    return check_seeds([int(part) for part in parts]) if "," in text else first_seeds(int(text))


def parse_workers(text: str) -> int | None:
    """The number of workers, ``None`` for as many as there are cores.

    Arguments:
        text: what the user gave.

    Returns:
        The number.

    Raises:
        ValueError: the text is neither a number from 1 nor ``all``.

    Example:
        >>> parse_workers("2"), parse_workers("all")
        (2, None)
    """
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"workers: expected a number from 1, or all; got {text!r}")
    return int(text)


def read_settings(path: Path | None, models: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
    """Settings of models from a TOML file with a table for each.

    Arguments:
        path: the file, or ``None``.
        models: the models that will run.

    Returns:
        Model to its settings.

    Raises:
        ValueError: the file is not TOML, or has something for a model that does not run.
        FileNotFoundError: there is no such file.
    """
    if path is None:
        return {}
    settings = {}
    with naming("config", path):
        described = read_toml(path, f"config: {path}")
    for name, value in described.items():
        if name not in models or not isinstance(value, dict):
            raise ValueError(f"config: expected a table for each of {', '.join(models)}, {path} has {name!r}")
        settings[name] = value
    return settings
