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
from ...evaluation.adapters.foreign import for_run, updated
from ...evaluation.adapters.predictor_folder import read_predictor, store_predictor
from ...evaluation.old_names import as_before
from ...runtime.digest import sha256_of
from ...runtime.locks import only_one
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
    own = None
    if folder is not None and isinstance(model, Estimator):
        identity = _identity(model, seed, entries, held_out, begun[1] if begun else [])
        own = None if identity is None else folder / identity
    run = for_run(model, seed, own or folder)
    if not isinstance(run, Estimator):
        return run

    def made() -> Predictor:
        return updated(run, begun[0], entries, own) if begun else run.train(entries, held_out)

    if own is None:
        return made()
    kept = own / "predictor"
    with only_one(own / ".lock", f"directory: expected a folder in which no other run trains the same, got {own}"):
        if kept.exists():
            try:
                return read_predictor(kept, NAMES.trusting(*_modules(to_plain(model))))
            except Exception as error:  # whatever a damaged file makes of a reader
                logger.warning("%s is trained again, what was kept of it cannot be read: %s", own.parent.name, error)
        predictor = made()
        try:
            with whole_folder(kept) as aside:
                store_predictor(predictor, aside)
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            logger.warning("%s is not kept, and would be trained again after a kill: %s", own.parent.name, error)
        return predictor


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
