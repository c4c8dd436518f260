"""Arguments of another kind are refused by name, in Python as on the command line."""

import inspect
from dataclasses import is_dataclass

import hemline.datasets
import hemline.decisions
import hemline.evaluation
import hemline.forecasting
import hemline.recommendation
import hemline.vision
import numpy as np
import pandas as pd
import pytest
from hemline.datasets import ForecastData, from_frame, get_dataset, simulated_sales
from hemline.datasets.entries.data import Metadata
from hemline.evaluation import backtest
from hemline.forecasting import (
    MAF,
    DeepAREstimator,
    Direct,
    ForecastEstimator,
    GRUMAFEstimator,
    Recurrent,
    Scaling,
    Scenario,
    SeasonalNaivePredictor,
    TrainConfig,
    build_model,
    simulate,
)
from hemline.forecasting.names import NAMES
from hemline.forecasting.windows.spec import SeriesSpec
from hemline.runtime.arguments import kinds
from hemline.vision.captions.training import CaptionTrainConfig
from hemline.vision.classify.options import TrainConfig as PictureTraining
from hemline.vision.networks.augmentation import AugmentConfig
from hemline.vision.networks.preprocessing import Preprocessing
from hemline.vision.networks.product_network import NetworkConfig

METADATA = Metadata("sales", "D", 7, ("a", "b"))
SETTINGS = [NAMES.find(name) for name in NAMES.places if not name.startswith("gluonts.")]
SETTINGS += [CaptionTrainConfig, PictureTraining, AugmentConfig, Preprocessing, NetworkConfig, Metadata, Scenario]
CHECKED = [cls for cls in SETTINGS if issubclass(cls, kinds.Checked)]
ROOMS = (
    hemline.datasets,
    hemline.decisions,
    hemline.evaluation,
    hemline.forecasting,
    hemline.recommendation,
    hemline.vision,
)
FUNCTIONS = [
    function for room in ROOMS for name in room.__all__ if hasattr(function := getattr(room, name), "__wrapped__")
]


# What dataclasses cannot be made without.
NEEDED = {"freq": "D", "prediction_length": 7, "context_length": 7, "target_dim": 2, "lags": (1,), "size": 8}
NEEDED |= {"name": "sales", "item_ids": ("a", "b")}
NEEDED |= {"spec": SeriesSpec("D", 7, 7, 2, (1,)), "scaling": Scaling(), "encoder": Recurrent(), "head": MAF()}
NEEDED |= {"responds": False, "direct": Direct(), "folds": 2, "windows": 2}


def asked(owner):
    """The arguments of a class or function, each with its annotation."""
    made = inspect.isclass(owner) and hasattr(owner.__init__, "__wrapped__")
    hints = kinds._hints(owner.__init__ if made else owner)
    return {
        name: hints[name]
        for name, parameter in inspect.signature(owner).parameters.items()
        if parameter.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    }


def needed(owner):
    """The fields that a dataclass cannot be made without."""
    parameters = inspect.signature(owner).parameters.values() if is_dataclass(owner) else ()
    return [each.name for each in parameters if each.default is each.empty]


@pytest.mark.parametrize("owner", [*CHECKED, *FUNCTIONS], ids=lambda owner: owner.__name__)
def test_what_is_of_no_kind_is_refused_by_the_name_of_the_argument(owner):
    """Whatever is not annotated as anything at all; and annotations name nothing that is imported for mypy alone."""
    for name, hint in asked(owner).items():
        if not kinds.accepts(hint, nothing := object()):
            with pytest.raises(ValueError, match=rf"^{name}: expected .*, got <object object"):
                owner(**{key: NEEDED[key] for key in needed(owner)} | {name: nothing})


def test_most_of_what_a_user_calls_is_checked():
    assert len(CHECKED) > 30
    assert len(FUNCTIONS) >= 15


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: GRUMAFEstimator("D", 7, train={"max_epochs": 1}), "train: expected TrainConfig or none, got {'max_ep"),
        (lambda: GRUMAFEstimator("D", 7, scaling="level"), "scaling: expected Scaling or Copula or none, got 'level'"),
        (lambda: ForecastEstimator("D", 7.9), "prediction_length: expected a whole number from 1 to 100000, got 7.9"),
        (lambda: DeepAREstimator("D", 7, size=8.9), "size: expected a whole number from 1, got 8.9"),
        (lambda: SeasonalNaivePredictor(7, season_length=True), "season_length: expected a whole number from 1 to 1"),
        (lambda: Recurrent(size=0), "size: expected a whole number from 1, got 0"),
        (lambda: Recurrent("rnn"), "cell: expected 'gru' or 'lstm', got 'rnn'"),
        (lambda: TrainConfig(seed=-1), "seed: expected a whole number from 0, got -1"),
        (lambda: TrainConfig(weight_decay=-0.1), "weight_decay: expected a number from 0, got -0.1"),
        (lambda: TrainConfig(learning_rate=float("nan")), "learning_rate: expected a number above 0, got nan"),
        (lambda: TrainConfig(batch_size=10**30), "batch_size: expected a whole number from 1, got 1000"),
        (lambda: PictureTraining(weight_decay=-1), "weight_decay: expected a number from 0, got -1"),
        (lambda: NetworkConfig(size=0), "size: expected a whole number from 1 to 4096 or n"),
        (lambda: Metadata("sales", "D", 7, ("a",), season=0), "season: expected a whole number from 1 to 100000, g"),
        (lambda: backtest({}, None), "data: expected ForecastData, got None"),
        (lambda: simulate(None, [], "x"), "predictor: expected a trained model, got None"),
        (lambda: simulate(3, None), "history: expected a list, got None"),
        (lambda: simulate(3, [], paths=8.9), "paths: expected a whole number from 1, got 8.9"),
        (lambda: from_frame(None, timestamp="t", prediction_length=2), "frame: expected a table or the path of one"),
        (lambda: build_model("gru-maf", None), "metadata: expected Metadata, got None"),
        (lambda: build_model(None, METADATA), "name: expected a text, got None"),
        (lambda: get_dataset(None), "name: expected a text, got None"),
        (lambda: ForecastData(METADATA, None, []), "train: expected a list of such values, got None"),
        (
            lambda: GRUMAFEstimator("D", 7).train(None),
            "training_data: expected entries, as in data.train, got NoneType",
        ),
        (lambda: GRUMAFEstimator("D", 7).train([3]), "training_data: expected entries, as in data.train, got int at 0"),
        (lambda: Scenario(None), "name: expected a text, got None"),
    ],
)
def test_the_argument_is_named_with_what_was_expected(call, told):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert str(caught.value).startswith(told)


def test_a_dataset_in_the_place_of_its_entries_is_named():
    data = simulated_sales(articles=2, weeks=104)
    with pytest.raises(ValueError, match=r"training_data: expected entries, as in data\.train, got ForecastData"):
        build_model("gru-maf", data.metadata).train(data)


def test_a_season_of_no_step_is_refused_by_every_door():
    frame = pd.DataFrame({"week": pd.date_range("2024-01-01", periods=9, freq="W-MON"), "coat": range(9)})
    with pytest.raises(ValueError, match="season: expected a whole number from 1 to 100000 or none, got 0"):
        from_frame(frame, timestamp="week", prediction_length=2, season=0)


def test_numbers_of_other_libraries_are_numbers():
    assert Recurrent(size=np.int64(8), dropout=np.float32(0.5)).size == 8
    assert TrainConfig(learning_rate=1).learning_rate == 1
    assert GRUMAFEstimator("D", np.int64(7), lags=[1, 7]).lags == (1, 7)
