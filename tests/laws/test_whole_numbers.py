"""Whole numbers are not made of 8.9, of a truth or of a text, whoever is asked in Python."""

import inspect
import typing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hemline.datasets import from_frame, from_sales, get_dataset
from hemline.evaluation import backtest
from hemline.evaluation.adapters.fitted import FittedModel
from hemline.forecasting import MODELS, RandomWalkPredictor, build_model, cannibalisation, load_predictor, simulate
from hemline.forecasting.names import NAMES
from hemline.runtime.arguments import kinds
from test_arguments import CHECKED, FUNCTIONS, NEEDED, asked, needed

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored"
KINDS = sorted(path.name for path in (STORED / "predictors").iterdir())
SALES = get_dataset(str(STORED / "sales.toml"))
HISTORY = SALES.history(0)
NUMBERLESS = (8.9, True, "100", -1, 10**30, float("nan"), np.float64(8), [3])
"""None of them is how many of something there are."""

FITTED = {cls for name in NAMES.places if issubclass(cls := NAMES.find(name), FittedModel)}

pytestmark = pytest.mark.filterwarnings("ignore:dropout option adds dropout")


def whole(hint: object) -> bool:
    """Whether an annotation asks for a whole number, or for a list of some."""
    inner = [part for part in typing.get_args(hint) if part is int or typing.get_origin(part)]
    return hint is int or any(map(whole, inner))


def refused(name: str, value: object, call: typing.Callable[[], object]) -> None:
    """Check that a call is refused in one line that begins with the argument."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the text is looked at below
        call()
    assert str(caught.value).startswith(f"{name}: expected "), value
    assert "\n" not in str(caught.value), value


@pytest.mark.parametrize("kind", KINDS)
def test_the_paths_and_the_seed_of_every_predictor(kind):
    predictor = load_predictor(STORED / "predictors" / kind)
    for value in (*NUMBERLESS, 0, None):
        refused("num_samples", value, lambda value=value: predictor.predict([HISTORY], num_samples=value))
        refused("num_samples", value, lambda value=value: predictor.predict([HISTORY], value))
    for value in NUMBERLESS:
        refused("seed", value, lambda value=value: predictor.predict([HISTORY], num_samples=1, seed=value))
        refused("seed", value, lambda value=value: predictor.predict([HISTORY], 1, value))


def test_the_stored_predictors_are_of_every_class():
    found = {type(load_predictor(STORED / "predictors" / kind)) for kind in KINDS}
    # The first two are parts of a stored one, the third draws with the two that it is made of, the fourth with one for
    # each partition, and the last two are of packages that a user chooses, without stored weights.
    others = {"AnalogPredictor", "CountModelPredictor", "ReconciledPredictor", "PartitionedPredictor"}
    others |= {"ChronosPredictor", "TimesFMPredictor"}
    assert {cls.__name__ for cls in FITTED - found} == others
    assert len(FITTED) > 10


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_of_every_model(name):
    model = build_model(name, SALES.metadata)
    if hasattr(model, "for_run"):
        for value in NUMBERLESS:
            with pytest.raises(ValueError, match="seed: expected a whole number from 0"):
                model.for_run(value)


@pytest.mark.parametrize("owner", [*CHECKED, *FUNCTIONS], ids=lambda owner: owner.__name__)
def test_every_whole_number_of_what_is_checked(owner):
    for name, hint in asked(owner).items():
        if not whole(hint):
            continue
        given = {key: NEEDED[key] for key in needed(owner)}
        listed = any(typing.get_origin(part) in (tuple, list, Sequence) for part in (hint, *typing.get_args(hint)))
        for value in NUMBERLESS[:-1]:
            value = [value] if listed else value
            if kinds.accepts(hint, value):
                assert name in UNBOUNDED.get(owner.__name__, ()), (name, hint, value)
                continue
            refused(name, value, lambda name=name, value=value, given=given: owner(**given | {name: value}))


UNBOUNDED = {
    "SeriesSpec": ("prediction_length", "context_length", "lags", "past"),
    "Preprocessing": ("channels",),
    "NetworkConfig": ("channels",),
    "backtest": ("num_samples", "seeds", "refit_every", "history"),
    "plot_forecast": ("history",),
    "embed_catalogue": ("pca",),
    "plan_markdowns": ("clear_by",),
}
"""Arguments whose bounds are said in words of their own."""

FRAME = pd.DataFrame({"week": pd.date_range("2024-01-01", periods=40, freq="W-MON"), "coat": range(40)})
LONG = FRAME.melt("week", var_name="article", value_name="units")


def of_frame(**given: object) -> object:
    return from_frame(FRAME, **{"timestamp": "week", "prediction_length": 2, **given})


def of_sales(**given: object) -> object:
    columns = {"article": "article", "date": "week", "units": "units", "prediction_length": 2}
    return from_sales(LONG, **{**columns, **given})


def of_backtest(**given: object) -> object:
    return backtest({"walk": RandomWalkPredictor(8)}, SALES, quiet=True, **{"num_samples": 2, "metrics": "nd", **given})


WALK = RandomWalkPredictor(8)
CALLS = {
    "from_frame": (of_frame, ("prediction_length", "windows", "season")),
    "from_sales": (of_sales, ("prediction_length", "windows", "season")),
    "simulate": (lambda **given: simulate(WALK, HISTORY, **given), ("paths", "seed")),
    "cannibalisation": (lambda **given: cannibalisation(WALK, HISTORY, ["dress_1"], **given), ("paths", "seed")),
    "backtest": (of_backtest, ("num_samples", "refit_every", "history")),
    "Entry.history": (HISTORY.history, ("prediction_length",)),
    "Entry.since": (HISTORY.since, ("first",)),
    "Entry.until": (HISTORY.until, ("end",)),
    "Entry.until, beyond": (lambda **given: HISTORY.until(20, **given), ("horizon",)),
    "ForecastData.history": (lambda window: SALES.history(window if window != -1 else 99), ("window",)),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_whole_number_of_other_calls(name):
    call, arguments = CALLS[name]
    for argument in arguments:
        for value in NUMBERLESS:
            refused(argument, value, lambda call=call, argument=argument, value=value: call(**{argument: value}))


@pytest.mark.parametrize("seeds", [np.array([8.9]), np.array(["1"]), [True], iter([0.5]), [None], [-1], [10**30]])
def test_the_seeds_of_a_backtest(seeds):
    with pytest.raises(ValueError, match="seeds: expected "):
        of_backtest(seeds=seeds)


@pytest.mark.parametrize("series", [[8.9], [99], [None], 3, [[0]], [True], ["nope"], "dress_1"])
def test_series_by_number(series):
    with pytest.raises(ValueError, match="series: expected "):
        HISTORY.of_series(series)


def test_numbers_of_numpy_are_whole_numbers():
    first = next(iter(WALK.predict([HISTORY], num_samples=np.int64(3), seed=np.int32(1)))).samples
    assert first.shape[0] == 3
    assert np.array_equal(first, next(iter(WALK.predict([HISTORY], 3, 1))).samples)
    assert inspect.isgenerator(WALK.predict([HISTORY], 3))
