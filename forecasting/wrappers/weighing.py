"""Trainings whose forecasts of held-out windows give models their weights, with a pause that some do not outlast."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gluonts.model.predictor import Predictor

from ...datasets.entries.domain import Domain, raised
from ...runtime.display.bars import Bar
from ...runtime.display.numbers import percent
from ...runtime.training.curves import curves_named
from ..training.options import NonFiniteLoss
from ..windows.held_out import HeldOut

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidates:
    """Models that were trained without the held-out windows, by name.

    Arguments:
        predictors: those that are trained to their end.
        drawn: their paths ``[W, S, H, D]`` of the W windows.
        dropped: why each of the others has no part any more.
    """

    predictors: Mapping[str, Predictor]
    drawn: dict[str, np.ndarray]
    dropped: Mapping[str, str]


def weighed(
    names: Sequence[str],
    training: Callable[[str], Iterator[tuple[Predictor, bool]]],
    draw: Callable[[Predictor], np.ndarray],
    earning: Callable[[dict[str, np.ndarray]], Collection[str]],
    share: float,
    bar: Bar,
) -> Candidates:
    """Train models and have them forecast the held-out windows; drop those that have earned no weight at the pause.

    This is successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943) with one rung, and a test in the place of
    the half. Those that go on do so from where they stood. A model without epochs has no pause, and is not dropped.

    Arguments:
        names: of the models.
        training: begins the training of a model; see `ForecastModel.train_in_rungs`.
        draw: the paths ``[W, S, H, D]`` of a predictor; raises ``ValueError`` for none that can be weighed.
        earning: which of the models that have forecast are to go on.
        share: of the epochs before the pause, for the log.
        bar: counts the trainings.
    """
    trainings = {name: training(name) for name in names}
    predictors: dict[str, Predictor] = {}
    drawn: dict[str, np.ndarray] = {}
    dropped: dict[str, str] = {}

    def goes_on(name: str) -> bool:
        """Train a model to its pause or its end, and whether there is something left."""
        try:
            with curves_named(f"weighing-{name}"):
                predictor, whole = next(trainings[name])
            drawn[name], predictors[name] = draw(predictor), predictor
        except (ValueError, NonFiniteLoss) as error:
            logger.warning("%s takes no part in the pool: %s", name, error)
            drawn.pop(name, None)
            return False
        return not whole

    train = bar.counting(goes_on, "{} to weigh it")
    paused = [name for name in names if train(name)]
    earned = set(earning(drawn)) if paused else set()
    bar.reach(bar.done, (bar.total or 0) + len(earned & set(paused)))
    for name in paused:
        if name in earned:
            train(name)
            continue
        dropped[name] = f"no weight in any mixture after {percent(share)} of its epochs, whatever windows are left out"
        logger.info("%s is dropped: %s", name, dropped[name])
        trainings[name].close()  # type: ignore[attr-defined]
        del drawn[name], predictors[name]
    return Candidates(predictors, drawn, dropped)


def held_out_paths(predictor: Predictor, span: HeldOut, domain: Domain, count: int) -> np.ndarray:
    """Forecasts of held-out windows by which a model is weighed, ``[W, S, H, D]``, none of them below a bound of 0.

    Arguments:
        predictor: of the model, trained on what lies before the windows.
        span: the windows.
        domain: the values that a path can take.
        count: S, paths a window.

    Raises:
        ValueError: they are not all finite.
    """
    forecasts = predictor.predict(span.pasts, num_samples=count)
    paths = np.stack([np.asarray(forecast.samples) for forecast in forecasts])
    if not np.isfinite(paths).all():
        raise ValueError("its paths are not all finite")
    return paths if domain == "real" else np.stack([raised(each) for each in paths])
