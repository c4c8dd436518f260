"""Grids: models × datasets × seeds, as a TOML file says."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...runtime.names import Names
from ...runtime.toml_files import read_toml
from ..adapters.names import NAMES
from ..runs.plan import check_seeds, first_seeds, make_protocol
from ..runs.run import Protocol

_ON_A_DATASET = ("models", "seeds", "windows", "num_samples", "refit_every", "history", "time_budget", "settings")

_KEYS = ("out", "datasets", *_ON_A_DATASET, "metrics", "workers", "threads", "retries", "on")


@dataclass(frozen=True)
class Part:
    """The part of a grid on one dataset.

    Arguments:
        dataset: its name.
        models: names of models, or ``module:Class``.
        seeds: each a run of every model.
        protocol: how every model is trained and judged.
        windows: how many test windows, from the first; ``None`` for all.
        time_budget: seconds for a cell; ``None`` for no limit.
        settings: model to the settings that go before the shipped ones.
    """

    dataset: str
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    protocol: Protocol
    windows: int | None = None
    time_budget: float | None = None
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """Models × datasets × seeds, and how they are run.

    Arguments:
        out: the folder that keeps every finished run.
        parts: what runs on each dataset.
        workers: worker processes; 1 for this process alone, ``None`` for one a core.
        threads: threads of a cell, the same wherever it runs, because last digits can depend on it.
        retries: how often a cell is begun anew whose worker died.
    """

    out: Path
    parts: tuple[Part, ...]
    workers: int | None = 1
    threads: int = 1
    retries: int = 2


def read_grid(path: str | os.PathLike[str], known: Sequence[str] = (), trust: Iterable[str] = ()) -> Grid:
    """Read a grid from a TOML file; see ``docs/grids.md`` for its keys.

    Arguments:
        path: the file.
        known: names of models; others are refused unless they have the form ``module:Class``. None are refused if
            this is empty.
        trust: what the file may name as ``module:Class`` beside gluonts' estimators and what installed packages
            declare: a file is not to choose what code runs.

    Returns:
        The grid, everything resolved for each dataset.

    Raises:
        ValueError: the file is not TOML, or a key or value is not what is expected; the message is one line.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    read = read_toml(path, str(path))
    try:
        return _grid(read, known, NAMES.trusting(*trust))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _grid(read: Mapping[str, Any], known: Sequence[str], classes: Names) -> Grid:
    _refuse_unknown(read, _KEYS, "")
    for key in ("out", "datasets", "models"):
        if key not in read:
            raise ValueError(f"{key}: expected to be given, got none")
    datasets = _names(read["datasets"], "datasets")
    particular = _tables(read.get("on", {}), "on", datasets)
    parts = []
    for dataset in datasets:
        own = particular.get(dataset, {})
        _refuse_unknown(own, (*_ON_A_DATASET, "without"), f"on.{dataset}.")
        merged = {"seeds": 1} | {key: read[key] for key in (*_ON_A_DATASET, "metrics") if key in read} | own
        names = {key: f"on.{dataset}.{key}" if key in own else key for key in (*merged, "settings")}
        models = _names(merged["models"], names["models"])
        merged["models"] = _without(own, models, f"on.{dataset}.without")
        own_settings = _tables(own.get("settings", {}), f"on.{dataset}.settings", models)
        merged["settings"] = _merged(_table(read.get("settings", {}), "settings"), own_settings)
        parts.append(_part(dataset, merged, known, classes, names))
    chosen = list(dict.fromkeys(model for part in parts for model in part.models))
    _tables(read.get("settings", {}), "settings", chosen)
    workers = read.get("workers", 1)
    return Grid(
        out=Path(_checked(read["out"], "out", "the name of a folder", _is_text)),
        parts=tuple(parts),
        workers=None if workers == "all" else _checked(workers, "workers", 'a number from 1, or "all"', _is_count),
        threads=_checked(read.get("threads", 1), "threads", "a number from 1", lambda value: _is_whole(value, 1, 1024)),
        retries=_checked(read.get("retries", 2), "retries", "a number from 0", lambda value: _is_whole(value, 0)),
    )


def _without(own: Mapping[str, Any], models: Sequence[str], where: str) -> list[str]:
    """The models that run on a dataset which leaves some out."""
    left_out = _names(own["without"], where) if "without" in own else ()
    for model in left_out:
        if model not in models or len(models) == len(left_out):
            raise ValueError(f"{where}: expected some of {', '.join(models)}, and not all of them, got {model!r}")
    return [model for model in models if model not in left_out]


def _part(
    dataset: str, read: Mapping[str, Any], known: Sequence[str], classes: Names, names: Mapping[str, str]
) -> Part:
    models = _names(read["models"], names["models"])
    for model in models:
        if ":" in model and not classes.knows(model):
            raise ValueError(
                f"{names['models']}: {model!r} is code that the file names; if you trust it, say so: --trust {model}, "
                f"in Python trust=[{model!r}]"
            )
        if known and model not in known and ":" not in model:
            raise ValueError(f"{names['models']}: expected some of {', '.join(known)}, got {model!r}")
    seeds = read["seeds"]
    if not isinstance(seeds, list):
        seeds = first_seeds(_checked(seeds, names["seeds"], "a number from 1, or a list such as [0, 5, 7]", _is_count))
    for seed in seeds:
        _checked(seed, names["seeds"], "whole numbers, at least 0", lambda value: _is_whole(value, 0, 2**63 - 1))
    history = read.get("history", "expanding")
    if history != "expanding":
        _checked(history, names["history"], 'a number of steps from 1, or "expanding"', _is_count)
    for name in ("windows", "num_samples", "refit_every"):
        if name in read:
            _checked(read[name], names[name], "a number from 1", _is_count)
    if "time_budget" in read:
        _checked(read["time_budget"], names["time_budget"], "a number of seconds above 0", _is_positive)
    metrics = None if "metrics" not in read else _names(read["metrics"], "metrics")
    settings = {
        model: values for model, values in _tables(read["settings"], names["settings"], None).items() if model in models
    }
    return Part(
        dataset=dataset,
        models=models,
        seeds=tuple(check_seeds(seeds)),
        protocol=make_protocol(read.get("num_samples", 100), read.get("refit_every"), history, metrics),
        windows=read.get("windows"),
        time_budget=read.get("time_budget"),
        settings=settings,
    )


def _refuse_unknown(read: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in read:
        if key not in known:
            raise ValueError(
                f"{where.rstrip('.') or 'grid'}: expected some of the keys {', '.join(known)}, got {key!r}"
            )


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected a table, got {value!r}")
    return value


def _tables(value: Any, where: str, names: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    """Tables by name; only of these names, unless they are ``None``."""
    for name, inner in _table(value, where).items():
        if names is not None and name not in names:
            raise ValueError(f"{where}.{name}: expected a table for some of {', '.join(names)}, got one for {name!r}")
        _table(inner, f"{where}.{name}")
    return value


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables, the second before the first, table within table."""
    both = dict(first)
    for key, value in second.items():
        inner = both.get(key)
        both[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError(f"{where}: expected a list of names, got {value!r}")
    if len(set(value)) < len(value):
        raise ValueError(f"{where}: expected different names, got {value!r}")
    return tuple(value)


def _checked(value: Any, where: str, expected: str, check: Callable[[Any], bool]) -> Any:
    if not check(value):
        raise ValueError(f"{where}: expected {expected}, got {value!r}")
    return value


def _is_whole(value: Any, least: int, most: int = 10**9) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_count(value: Any) -> bool:
    return _is_whole(value, 1)


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
