"""Trained models of any kind, read from their folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gluonts.model.predictor import Predictor

from ...evaluation.adapters.predictor_folder import read_predictor
from ...runtime.arguments.kinds import checked
from ..names import NAMES


@checked
def load_predictor(path: Path | str, *, device: str = "cpu", trust: Iterable[str] = ()) -> Predictor:
    """Read a trained model from the folder that its ``serialize`` or `hemline train` wrote.

    Arguments:
        path: the folder.
        device: on which paths are drawn, for a model that can choose: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU
            where there is one and 256 paths or more are asked for.
        trust: classes of your own that the files may name, each as ``module:Class``. Those of a package that declares
            them as entry points ``hemline.models`` need not be named.

    Returns:
        The predictor.

    Raises:
        FileNotFoundError: the folder holds none.
        ValueError: its files name a class that is neither ours nor trusted.
    """
    return read_predictor(path, NAMES.trusting(*trust), device=device)
