"""A training from its options to its log.

Importing Lightning takes as long as importing all else together, so this file is imported when a training starts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ...evaluation.old_names import as_before
from ...runtime.digest import sha256_of
from ...runtime.plain import Plain, PlainObject
from ...runtime.quiet import lasting_filters
from ...runtime.run_folder import RunFolder
from ...runtime.training.checkpoints import Checkpoints, Patience
from ...runtime.training.run import run_training
from ..networks.network import Learner
from ..windows.tensor import SeriesTensor, Windows
from .module import Batches, Training
from .options import TrainConfig


def fit(
    forecaster: Learner,
    config: TrainConfig,
    learnt: Windows,
    watched: Windows | None,
    *,
    configuration: Mapping[str, Plain],
    ckpt_path: str | Path | None = None,
    begun: bool = False,
) -> list[PlainObject]:
    """Train a network in place.

    Arguments:
        forecaster: the network, its weights already drawn.
        config: the options.
        learnt: the windows to learn from.
        watched: the windows to watch, see `to_watch`; the weights of the best epoch are kept. ``None`` for none.
        configuration: that of the estimator, as plain data, so that a checkpoint of another one is told apart.
        ckpt_path: checkpoint to go on from; by default the one in ``config.checkpoints``, if there is one.
        begun: whether the weights are those of a training before, and stay where no epoch is better on what is watched.

    Returns:
        The training log: a row an epoch with ``epoch, train_loss, validation_loss, seconds``.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite; the checkpoint of the epoch before stays.
        ValueError: there is patience and nothing to watch, the loss cannot be compiled, the checkpoint is of another
            training, or Lightning's trainer has no such option.
    """
    if watched is None and config.patience is not None:
        raise ValueError("patience: expected a validation_span or validation_data to watch, got neither")
    identity = identity_of(config, configuration, forecaster, [learnt] + ([watched] if watched else []))
    folder = None if config.checkpoints is None else RunFolder(config.checkpoints)
    checkpoints = Checkpoints(folder, forecaster, identity)
    if begun and watched is not None:
        checkpoints.note(watched_loss(forecaster, watched, config.batch_size))
    watching: Iterable[Tensor] | None = None if watched is None else DataLoader(watched.starts, config.batch_size)  # type: ignore[arg-type]
    stop = [Patience(config.patience)] if watched is not None and config.patience is not None else []
    options = {"gradient_clip_val": config.gradient_clip, **config.trainer}
    module = Training(forecaster, config, learnt, watched, forecaster.compiled_loss() if config.compile else None)
    with _quiet_compiler() if config.compile else nullcontext():
        run_training(
            module,
            checkpoints,
            callbacks=stop,
            options=options,
            resume=ckpt_path,
            threads=1,
            train_dataloaders=Batches(learnt.starts, config, module),
            val_dataloaders=watching,
        )
    checkpoints.restore_best()
    return module.history


@torch.no_grad()
def watched_loss(forecaster: Learner, watched: Windows, at_once: int) -> float:
    """The mean validation loss of a network.

    Arguments:
        forecaster: the network, left in evaluation mode.
        watched: the windows.
        at_once: windows at a time.
    """
    device, starts = forecaster.eval().usual_scale.device, watched.starts
    losses = [
        float(forecaster.loss(watched.at(rows).to(device), context=False)) * len(rows) for rows in starts.split(at_once)
    ]
    return sum(losses) / len(starts)


def to_watch(config: TrainConfig, series: SeriesTensor, validation: SeriesTensor | None) -> Windows | None:
    """The validation windows of a training.

    Arguments:
        config: the options.
        series: the training data, from whose end the validation span of `config` is cut.
        validation: data of their own, whose last horizon goes before that.

    Returns:
        The windows; ``None`` where nothing is to be watched.

    Raises:
        ValueError: the validation span is shorter than a horizon.
    """
    if validation is not None:
        return validation.windows(validation.validation_starts(series.spec.prediction_length))
    if config.validation_span:
        if config.validation_span < series.spec.prediction_length:
            raise ValueError(
                f"validation_span: expected at least the horizon of {series.spec.prediction_length} steps, "
                f"got {config.validation_span}"
            )
        return series.windows(series.validation_starts(config.validation_span))
    return None


def identity_of(
    config: TrainConfig,
    configuration: Mapping[str, Plain],
    forecaster: Learner,
    sources: list[Windows],
) -> str:
    """Hash of all that decides how a training goes on; more epochs, or other devices, are the same training.

    Arguments:
        config: the options.
        configuration: that of the estimator.
        forecaster: the network.
        sources: all windows that it learns from or watches.
    """
    settings = replace(config, max_epochs=1, checkpoints=None, trainer={}, compile=False)
    parts = {name: value for name, value in as_before(configuration).items() if name != "train"}
    read = [
        tensor.cpu().numpy()
        for windows in sources
        for tensor in (*_tensors(windows.series), windows.starts)
        if tensor is not None
    ]
    return sha256_of(repr((settings, parts, forecaster.spec)), *read)


def _tensors(series: SeriesTensor) -> tuple[Tensor | None, ...]:
    return series.values, series.observed, series.features, series.past


@contextmanager
def _quiet_compiler() -> Iterator[None]:
    """The compiler looks for gradients on every input, the context vectors among them, and is warned for it."""
    with lasting_filters():
        warnings.filterwarnings("ignore", message=".*\\.grad attribute of a Tensor that is not a leaf.*")
        yield
