"""The models by name: what `--model`, a grid and `build_model` know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...runtime.arguments.kinds import check_kind
from ...runtime.names import declared
from ..names import NAMES

if TYPE_CHECKING:
    from ...datasets.entries.data import Metadata
    from .builders import Model

Builder: TypeAlias = Callable[["Metadata"], "Model"]


@dataclass(frozen=True)
class NamedModel:
    """A model as it is known by name.

    What it can do stands here as well as in its class, so that a list of models imports no network; a test has each
    model do it, and compares the two (`tests/forecasting/test_named.py`).

    Arguments:
        build: makes it for a dataset, before any settings of its own.
        about: what it is, in a line.
        together: what ties its series on a path; empty where each goes its own way.
        channels: whether it reads prices, promotions and other channels known of the future, so that a scenario can
            change them.
        imposes: whether a scenario can set what an article sells (``drop coat_1``).
        others_read: whether the other series read at a step what was sold, or set, at those before.
    """

    build: Builder
    about: str
    together: str = ""
    channels: bool = False
    imposes: bool = False
    others_read: bool = False

    @property
    def sales_set(self) -> str:
        """Whether sales can be set, and others answer, in a word."""
        return ("others answer" if self.others_read else "yes") if self.imposes else "-"


def _later(name: str) -> Builder:
    """A function of `builders`, whose networks take seconds to import: when a model is made, and not for a list."""

    def build(metadata: Metadata) -> Model:
        from . import builders

        return getattr(builders, name)(metadata)

    return build


def _composed(name: str) -> Builder:
    """A model that needs to know the frequency, the horizon and the lags, by the name of its class."""

    def build(metadata: Metadata) -> Model:
        return NAMES.find(name)(metadata.freq, metadata.prediction_length, lags=metadata.lags or None)

    return build


def _network(build: Builder, about: str, together: str = "joint density of all series at each step") -> NamedModel:
    """A network that draws step by step and reads all series at each."""
    return NamedModel(build, about, together, channels=True, imposes=True, others_read=True)


def _shared(build: Builder, about: str) -> NamedModel:
    """A network that draws step by step, each series reading its own past."""
    return NamedModel(build, about, "joint density of all series at each step", channels=True, imposes=True)


MODELS: dict[str, NamedModel] = {
    "pool": NamedModel(
        _later("pool"),
        "mixture of cross-fit, analog, DeepAR, a flow, PatchTST and, where the data suit them, VAR and counts",
        "as in its members; the sum of all series is forecast separately",
        channels=True,
    ),
    "cross-fit": NamedModel(
        _later("cross_fit"),
        "direct multi-step networks, each trained without one block of the history (cross-fitting)",
        "errors of all series in the same past window",
        channels=True,
        imposes=True,
    ),
    "analog": NamedModel(
        _later("analog"),
        "resampled days, weeks or years of the past that are similar to the present; trained in seconds",
        "all series in the same past period",
        channels=True,
    ),
    "cold-start": NamedModel(
        _later("cold_start"),
        "analog, and new articles from similar ones (by static features, such as photos or categories)",
        "all series in the same past period, also new articles",
        channels=True,
    ),
    "sales-maf": _network(_later("sales"), "GRU-MAF of sales without the effects of prices and promotions"),
    "sales-maf-ensemble": _network(
        lambda metadata: NAMES.find("EnsembleEstimator")(_later("sales")(metadata)),
        "mixture of three seeds of sales-maf",
    ),
    "gru-real-nvp": _network(_composed("GRURealNVPEstimator"), "GRU and coupling flow (Rasul et al. 2021)"),
    "gru-maf": _network(_composed("GRUMAFEstimator"), "GRU and masked autoregressive flow (Rasul et al. 2021)"),
    "transformer-maf": _network(
        _composed("TransformerMAFEstimator"), "Transformer and masked autoregressive flow (Rasul et al. 2021)"
    ),
    "lstm-real-nvp": _network(_composed("LSTMRealNVPEstimator"), "LSTM and coupling flow"),
    "lstm-maf": _network(_composed("LSTMMAFEstimator"), "LSTM and masked autoregressive flow"),
    "vec-lstm-ind": _network(
        _composed("VecLSTMIndependentEstimator"),
        "LSTM and normal errors (Vec-LSTM ind-scaling, Salinas et al. 2019)",
        "the LSTM reads all series of the step before",
    ),
    "vec-lstm-copula": _network(
        _composed("VecLSTMCopulaEstimator"), "LSTM and low-rank Gaussian copula (Salinas et al. 2019)"
    ),
    "gp-scaling": _shared(
        _composed("GPScalingEstimator"), "one LSTM for all series and a Gaussian process (Salinas et al. 2019)"
    ),
    "gp-copula": _shared(
        _composed("GPCopulaEstimator"), "GP scaling on ranks of the past (GP-Copula, Salinas et al. 2019)"
    ),
    "timegrad": _network(_composed("TimeGradEstimator"), "GRU and diffusion (TimeGrad, Rasul et al. 2021b); slow"),
    "deepar": NamedModel(
        _composed("DeepAREstimator"), "one LSTM for all series, each on its own (Salinas et al. 2020)", channels=True
    ),
    "deepar-coupled": NamedModel(
        lambda metadata: NAMES.find("CoupledEstimator")(_composed("DeepAREstimator")(metadata)),
        "the marginals of deepar with the dependence of past errors (Schaake shuffle, Clark et al. 2004)",
        "ranks of all series in the same past window",
        channels=True,
    ),
    "var": NamedModel(
        lambda metadata: NAMES.find("VARPredictor")(metadata.prediction_length),
        "vector autoregression; ridge regression for short series",
        "lags of all series, errors of the same past step",
    ),
    "var-responding": NamedModel(
        _later("var_responding"),
        "VAR of sales without the effects of prices and promotions",
        "lags of all series, errors of the same past step",
        channels=True,
    ),
    "auto-ets": NamedModel(
        lambda metadata: NAMES.find("ClassicalPredictor")(metadata.prediction_length, "ets", metadata.season),
        "exponential smoothing, chosen for each series (Hyndman & Khandakar 2008); needs statsforecast",
    ),
    "auto-arima": NamedModel(
        lambda metadata: NAMES.find("ClassicalPredictor")(metadata.prediction_length, "arima", metadata.season),
        "ARIMA, chosen for each series (Hyndman & Khandakar 2008); needs statsforecast",
    ),
    "croston": NamedModel(
        _later("croston"),
        "Croston's method for intermittent demand, bias corrected (Syntetos 2001)",
        channels=True,
    ),
    "tsb": NamedModel(
        _later("tsb"),
        "TSB: intermittent demand with obsolescence (Teunter, Syntetos & Babai 2011)",
        channels=True,
    ),
    "counts": NamedModel(
        _later("counts"),
        "compound Poisson model of intermittent demand; empirical Bayes over articles",
        channels=True,
    ),
    "last-value": NamedModel(
        lambda metadata: NAMES.find("SeasonalNaivePredictor")(metadata.prediction_length),
        "the last value, on every path",
    ),
    "seasonal-naive": NamedModel(
        lambda metadata: NAMES.find("SeasonalNaivePredictor")(metadata.prediction_length, metadata.season),
        "the value of one season before, on every path",
    ),
    "random-walk": NamedModel(
        lambda metadata: NAMES.find("RandomWalkPredictor")(metadata.prediction_length),
        "random walk with resampled changes",
        "changes of all series at the same past step",
    ),
    "random-walk-independent": NamedModel(
        lambda metadata: NAMES.find("RandomWalkPredictor")(metadata.prediction_length, joint=False),
        "random walk of each series with resampled changes",
    ),
    "seasonal-walk": NamedModel(
        lambda metadata: NAMES.find("RandomWalkPredictor")(metadata.prediction_length, metadata.season),
        "seasonal random walk with resampled changes",
        "changes of all series at the same past step",
    ),
}
"""The models by name."""


def model_names() -> list[str]:
    """All names that `build_model` knows: those of `MODELS`, and those that installed packages declare."""
    return [*MODELS, *declared()]


def build_model(name: str, metadata: Metadata, overrides: Mapping[str, object] | None = None) -> Model:
    """Make a model for a dataset, with the shipped settings for it.

    Arguments:
        name: a key of `MODELS`, the name under which an installed package declares a model (`ForecastModel`), or
            ``module:Class`` for any other estimator; see `imported_model`.
        metadata: the dataset.
        overrides: settings that go before the shipped ones.

    Returns:
        A gluonts estimator, or for the naive rows a predictor.

    Raises:
        ValueError: the name or a setting is unknown; the message names those known.
    """
    from ...datasets.entries.data import Metadata
    from .builders import shipped
    from .imported import imported_model

    for argument, given, kind in (("name", name, str), ("metadata", metadata, Metadata)):
        check_kind(argument, given, kind)
    check_kind("overrides", overrides, Mapping | None)

    if ":" in name:
        return imported_model(name, metadata, overrides or {})
    if name not in MODELS and (other := declared().get(name)):
        return imported_model(other.value, metadata, overrides or {})
    if name not in MODELS:
        raise ValueError(f"models: expected one of {', '.join(model_names())}, got {name!r}")
    return shipped(name, MODELS[name].build(metadata), metadata, overrides)
