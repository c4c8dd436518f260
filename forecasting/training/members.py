"""Trained members of a larger training, kept so that a killed run does not train them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.model.predictor import Predictor

from ...datasets.entries.entry import Entry
from ...datasets.entries.gluonts_keys import DOMAIN
from ...evaluation.adapters.foreign import for_run, in_rungs, updated
from ...evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ...evaluation.old_names import as_before
from ...runtime.digest import sha256_of
from ...runtime.locks import only_one
from ...runtime.names import Names
from ...runtime.plain import to_plain
from ...runtime.whole_files import whole_folder
from ..names import NAMES

logger = logging.getLogger(__name__)


def trained_member(
    model: Estimator | Predictor,
    seed: int,
    folder: Path | None,
    entries: list[Entry],
    held_out: list[Entry] | None,
    begun: tuple[Predictor, list[Entry]] | None = None,
) -> Predictor:
    """A trained ensemble member: trained, or loaded from the folder of the same training.

    What belongs to a training, its checkpoints and in the end its predictor, lies in a folder of its settings, seed
    and data, so that other ones never meet it; a second one of the same is refused. The predictor is whole or absent
    there. A model that cannot tell its settings is always trained, and one that cannot be read, such as that of an
    older version, is trained again.

    Arguments:
        model: an estimator, or a predictor that needs no training; seeded if it has ``for_run(seed, directory)``.
        seed: of the training.
        folder: where trainings of the model are kept; ``None`` keeps nothing.
        entries: the training data.
        held_out: the data to watch, if there are any.
        begun: what the same training with the same seed made of the first part of the data, and that part: it goes on
            from there, by an update, which watches nothing; ``None`` trains anew.

    Returns:
        The predictor.

    Raises:
        ValueError: another run is training the same in the folder.
    """
    *_, (predictor, _) = member_in_rungs(model, seed, folder, entries, 1.0, held_out, begun)
    return predictor


def member_in_rungs(
    model: Estimator | Predictor,
    seed: int,
    folder: Path | None,
    entries: list[Entry],
    share: float,
    held_out: list[Entry] | None = None,
    begun: tuple[Predictor, list[Entry]] | None = None,
) -> Iterator[tuple[Predictor, bool]]:
    """What `trained_member` returns, and before it what the training has made after a share of its epochs.

    That is kept beside it, so that a second run reads it too, whatever came of the training.

    Arguments:
        model: see `trained_member`, which has the same arguments.
        seed: of the training.
        folder: where trainings of the model are kept.
        entries: the training data.
        share: of the epochs before the pause; 1 for no pause.
        held_out: the data to watch, if there are any; with a pause there are none.
        begun: what it goes on from, likewise.

    Yields:
        The predictor and whether it is the whole one, which is the last; of a model without epochs there is no other.
    """
    own = None
    if folder is not None and isinstance(model, Estimator):
        identity = _identity(model, seed, entries, held_out, begun[1] if begun else [])
        own = None if identity is None else folder / identity
    # What cannot be kept between two parts has no checkpoint for them either.
    run = for_run(model, seed, own or (folder if share == 1 else None))
    if not isinstance(run, Estimator):
        yield run, True
        return

    def made() -> Iterator[tuple[Predictor, bool]]:
        if share < 1:
            yield from in_rungs(run, entries, share)
        else:
            yield updated(run, begun[0], entries, own) if begun else run.train(entries, held_out), True

    if own is None:
        yield from made()
        return
    kept, names, pause = own / "predictor", NAMES.trusting(*_modules(to_plain(model))), own / f"rung-{share}"
    with only_one(own / ".lock", f"directory: expected a folder in which no other run trains the same, got {own}"):
        before, whole = None if share == 1 else _read(pause, names), _read(kept, names)
        if before is not None:
            yield before, False
            if whole is None:  # a training without a pause goes on from a checkpoint, if there is one, as well
                whole = run.train(entries)
                _store(whole, kept)
        if whole is not None:
            yield whole, True
            return
        for predictor, is_whole in made():
            _store(predictor, kept if is_whole else pause)
            yield predictor, is_whole


def _read(place: Path, names: Names) -> Predictor | None:
    """The predictor that is kept in a folder; ``None`` if there is none, or none that can be read."""
    if not place.exists():
        return None
    try:
        return read_predictor(place, names)
    except Exception as error:  # whatever a damaged file makes of a reader
        logger.warning("%s is trained again, what was kept of it cannot be read: %s", place.parent.parent.name, error)
        return None


def _store(predictor: Predictor, place: Path) -> None:
    try:
        with whole_folder(place) as aside:
            store_predictor(predictor, aside)
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        name = place.parent.parent.name
        logger.warning("%s is not kept, and would be trained again after a kill: %s", name, error)


def _modules(settings: Any) -> Iterator[str]:
    """The modules of somebody else that the parts of a model come from: they run here already."""
    if isinstance(settings, Mapping):
        module, colon, _ = str(settings.get("type", "")).partition(":")
        yield from [module] if colon else []
        settings = list(settings.values())
    for part in settings if isinstance(settings, list) else ():
        yield from _modules(part)


def _identity(
    model: Estimator, seed: int, entries: list[Entry], held_out: list[Entry] | None, before: list[Entry]
) -> str | None:
    """Hash of all that decides a training; ``None`` if the settings are not plain data, and could look alike."""
    try:
        settings = json.dumps(as_before([to_plain(model), seed]), sort_keys=True)
    except TypeError:
        return None
    learnt = [part for entry in entries for part in _parts(entry)]
    watched = [part for entry in held_out or () for part in ("held out", *_parts(entry))]
    learnt_before = [part for entry in before for part in ("begun on", *_parts(entry))]
    return sha256_of(settings, *learnt, *watched, *learnt_before)[:16]


def _parts(entry: Mapping[str, Any]) -> Iterator[str | np.ndarray]:
    """All that an entry says, to be digested."""
    for key, value in sorted(entry.items()):
        if key == DOMAIN:
            continue  # in which units a forecast leaves changes no training
        if isinstance(value, np.ndarray) and value.dtype != object:
            yield f"{key} {value.dtype} {value.shape}"
            yield value
        else:
            yield f"{key} {value!r}"
