"""DeepAR: gluonts' torch model over the single series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ...datasets.entries.entry import Entry
from ...datasets.entries.frequency import normalize_freq
from ...datasets.entries.gluonts_keys import KNOWN, STATIC, GluontsEntry
from ...datasets.entries.multivariate import as_multivariate
from ...evaluation.adapters.estimator import GroupedEstimator, gone_on, placed_for
from ...evaluation.adapters.fitted import FittedModel
from ...evaluation.adapters.model import ForecastModel
from ...evaluation.adapters.predictor import GroupedPredictor
from ...evaluation.adapters.single_series import single_series
from ...runtime.arguments.kinds import Count, Steps
from ...runtime.plain import Space
from ...runtime.training.further import best_epoch
from ..training.options import TrainConfig


class DeepAREstimator(ForecastModel):
    """DeepAR for every series with shared weights, independent given the past (Salinas et al. 2020, 1704.04110).

    Trains ``gluonts.torch.DeepAREstimator`` on the D single series, each known to the network by an embedding of
    its number and of its categories, and groups the independent paths to a joint forecast.
    Covariates known of the past alone are nothing that gluonts' DeepAR reads.

    Arguments:
        freq: pandas frequency alias.
        prediction_length: horizon H, in steps.
        context_length: steps that are read before the horizon; the horizon if ``None``.
        lags: steps back; gluonts' own choice if ``None``.
        size: width of each LSTM layer.
        layers: number of LSTM layers.
        dropout: share dropped between layers.
        train: the training options; the schedule, validation span and checkpoints of `TrainConfig` are not gluonts' and
            are refused. With patience it watches the end of the span, as `GroupedEstimator` does.

    Raises:
        ValueError: `train` asks for what gluonts' DeepAR does not have.
    """

    def __init__(
        self,
        freq: str,
        prediction_length: Steps,
        *,
        context_length: Steps | None = None,
        lags: tuple[Steps, ...] | None = None,
        size: Count = 40,
        layers: Count = 2,
        dropout: float = 0.1,
        train: TrainConfig | None = None,
    ) -> None:
        super().__init__()
        self.freq, self.prediction_length, self.context_length = freq, prediction_length, context_length
        self.lags = None if lags is None else tuple(lags)
        self.size, self.layers, self.dropout = size, layers, dropout
        self.train_config = train or TrainConfig(schedule="constant")
        config = self.train_config
        unsupported = {
            "schedule": config.schedule != "constant",
            "validation_span": config.validation_span > 0,
            "checkpoints": config.checkpoints is not None,
            "compile": config.compile,
        }
        for name, asked in unsupported.items():
            if asked:
                raise ValueError(
                    f"train: expected no {name}, which gluonts' DeepAR does not have, got {getattr(config, name)!r}"
                )

    def search_space(self) -> Space:
        """Learning rate, width, layers and dropout."""
        return {
            "train.learning_rate": {"low": 3e-4, "high": 1e-2, "log": True},
            "size": [20, 40, 80],
            "layers": {"low": 1, "high": 3},
            "dropout": {"low": 0.0, "high": 0.3},
        }

    @property
    def reads_channels(self) -> bool:
        """Whether the model reads channels known of the future."""
        return True

    def train(
        self, training_data: Iterable[GluontsEntry], validation_data: Iterable[GluontsEntry] | None = None
    ) -> GroupedPredictor:
        """Train on a multivariate dataset, or on univariate entries, which are grouped.

        Returns:
            The predictor, whose forecasts are joint with independent series.
        """
        held_out = None
        if validation_data is not None:
            held_out = single_series(as_multivariate(validation_data, "validation_data"))
        entries = as_multivariate(training_data)
        return self.made(self._grouped(entries).fitted_on(entries, held_out))

    def train_in_rungs(
        self, training_data: Iterable[GluontsEntry], share: float
    ) -> Iterator[tuple[GroupedPredictor, bool]]:
        """The predictor after a share of the epochs, then the whole one; see `ForecastModel.train_in_rungs`."""
        entries = as_multivariate(training_data)
        for found, whole in self._grouped(entries).rungs_on(entries, share):
            yield self.made(found), whole

    def update(
        self, fitted: FittedModel, training_data: Iterable[GluontsEntry], directory: Path | None = None
    ) -> GroupedPredictor:
        """Train the network further on data that go on, for as long as `further_epochs` says.

        A series that is new has the mean of the embeddings of the others at first. Gluonts' training cannot be resumed,
        so `directory` stays unused.

        Raises:
            ValueError: `fitted` is no DeepAR.
        """
        if not isinstance(fitted, GroupedPredictor):
            raise ValueError(f"update: expected a trained DeepAR, got a {type(fitted).__name__}")
        entries, config = placed_for(fitted, as_multivariate(training_data)), self.train_config
        config = replace(config, max_epochs=best_epoch(fitted.training_log) or config.max_epochs)
        weights = dict(fitted.predictor.network.state_dict())
        tables = [name for name in weights if "embedder" in name]
        seed = config.seed + max(entry.length for entry in entries)
        further = self.override({"train": config.further(fitted.share_of_new(entries), seed)})
        model = further._grouped(entries, [(len(weights[name]), len(weights[name].T)) for name in tables])
        for name, count in zip(tables, model.estimator.cardinality, strict=True):
            missing = count - len(weights[name])
            if missing > 0:
                usual = weights[name].mean(dim=0, keepdim=True)
                weights[name] = torch.cat([weights[name], usual.expand(missing, -1)])
        return self.made(gone_on(model.fitted_on(entries, None, weights), fitted, config.seed))

    def _grouped(self, entries: list[Entry], embeddings: list[tuple[int, int]] | None = None) -> GroupedEstimator:
        """Gluonts' estimator for the series of entries, over all of them.

        Arguments:
            entries: the training data.
            embeddings: rows and width of each embedding that there is, rows being what no article has now too; gluonts'
                own choice if ``None``.
        """
        # gluonts' torch models are slow to import and needed by this model alone.
        from gluonts.torch.model.deepar import DeepAREstimator as Univariate

        config = self.train_config
        rows = single_series(entries)
        categories = np.stack([row[STATIC["static_cat"]] for row in rows])
        known = {key: len(rows[0].get(key, ())) for key in (KNOWN, STATIC["static_real"])}
        told = [max(entries[0].dim, 1), *(int(count) + 1 for count in categories.max(axis=0)[1:])]
        before = [count for count, _ in embeddings or ()] or [0] * len(told)
        estimator = Univariate(
            freq=normalize_freq(self.freq),
            prediction_length=self.prediction_length,
            context_length=self.context_length,
            num_layers=self.layers,
            hidden_size=self.size,
            dropout_rate=self.dropout,
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            lags_seq=None if self.lags is None else list(self.lags),
            num_feat_static_cat=categories.shape[1],
            cardinality=[max(pair) for pair in zip(told, before, strict=True)],
            embedding_dimension=None if embeddings is None else [width for _, width in embeddings],
            num_feat_static_real=known[STATIC["static_real"]],
            num_feat_dynamic_real=known[KNOWN],
            batch_size=config.batch_size,
            num_batches_per_epoch=config.batches_per_epoch,
            trainer_kwargs={
                "max_epochs": config.max_epochs,
                "gradient_clip_val": config.gradient_clip,
                **config.trainer,
            },
        )
        return GroupedEstimator(estimator, seed=config.seed, stop_after=config.patience)

    def for_run(self, seed: int, directory: Path | None = None) -> DeepAREstimator:
        """This estimator with another seed; gluonts' training cannot be resumed, so `directory` stays unused."""
        return self.override({"train": {"seed": seed}})

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            "freq": self.freq,
            "prediction_length": self.prediction_length,
            "context_length": self.context_length,
            "lags": self.lags,
            "size": self.size,
            "layers": self.layers,
            "dropout": self.dropout,
            "train": self.train_config,
        }
