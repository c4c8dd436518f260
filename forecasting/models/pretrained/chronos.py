"""Chronos, Chronos-Bolt and Chronos-2: pretrained forecasters of the package ``chronos-forecasting``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ....datasets.entries.channels import items_of, kinds_of
from ....datasets.entries.entry import Entry
from ....runtime.arguments.kinds import Count, Seed, Steps
from ....runtime.seeds import seeded
from .quantile_paths import PretrainedPredictor, missing_package

_LEVELS = tuple(round(0.05 * number, 2) for number in range(1, 20))
"""Levels that are asked of a model that draws samples."""


class ChronosPredictor(PretrainedPredictor):
    """A pretrained Chronos model for each series, whichever of the three its weights are of.

    Chronos-2 reads the channels that are known of the future, those of an article and those shared by all; the earlier
    ones read none. A gap is missing for all of them.

    Sources: Ansari et al. (2024), Chronos: Learning the language of time series, arXiv 2403.07815; Ansari et al.
    (2025), Chronos-2: From univariate to universal forecasting, arXiv 2510.15821.

    Arguments:
        prediction_length: horizon H, in steps.
        weights: a folder, or the name of a model of the hub, such as ``"amazon/chronos-2"``; safetensors.
        context_length: the last steps that are read, at most; those that the model takes if ``None``.
        covariates: whether a model that can read channels is given them.
        seed: of the draws.

    Example:
        >>> ChronosPredictor(12, "amazon/chronos-2").weights
        'amazon/chronos-2'
    """

    def __init__(
        self,
        prediction_length: Steps,
        weights: str = "amazon/chronos-2",
        context_length: Count | None = None,
        covariates: bool = True,
        seed: Seed = 0,
    ) -> None:
        super().__init__(prediction_length, weights, context_length, seed)
        self.covariates = covariates

    def settings(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {**super().settings(), "covariates": self.covariates}

    @property
    def reads_channels(self) -> bool:
        """Whether it is given channels; of earlier models than Chronos-2 none is read."""
        return self.covariates

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the channels that it reads: none, or those of each entry, which is said by an `AttributeError`."""
        if self.covariates and hasattr(self._pipeline(), "max_output_patches"):
            raise AttributeError("covariate_names: those of the entry")
        return ()

    def quantiles(self, entry: Entry) -> tuple[np.ndarray, np.ndarray]:
        """Levels ``[Q]`` and quantiles ``[H, D, Q]`` of the horizon after an entry, data units."""
        pipeline = self._pipeline()
        levels = list(getattr(pipeline, "quantiles", _LEVELS))
        first = 0 if self.context_length is None else max(0, entry.length - self.context_length)
        past = entry.since(first)
        inputs: Any = [torch.from_numpy(series.astype(np.float32)) for series in past.target]
        reads = self.covariates and hasattr(pipeline, "max_output_patches") and bool(past.channels)
        groups = self._groups(past, inputs) if reads else [(list(range(entry.dim)), inputs)]
        found = np.empty((self.prediction_length, entry.dim, len(levels)))
        # The first Chronos draws from the generators of the process.
        with seeded(self.seed), torch.no_grad():
            for series, told in groups:
                drawn, _ = pipeline.predict_quantiles(
                    told, prediction_length=self.prediction_length, quantile_levels=levels
                )
                for number, one in zip(series, drawn, strict=True):
                    found[:, number] = one.reshape(self.prediction_length, len(levels)).numpy()
        return np.array(levels), found

    def _groups(self, past: Entry, targets: list[torch.Tensor]) -> list[tuple[list[int], Any]]:
        """Series with the same kinds of channels, as Chronos-2 takes them: numbers, and what it is told of each."""
        names, values = past.channels.names, past.channels.values.astype(np.float32)
        owners, kinds, length = items_of(names), kinds_of(names), past.length
        groups: dict[tuple[str, ...], tuple[list[int], list[dict[str, Any]]]] = {}
        for number, target in enumerate(targets):
            own = {None, past.item_ids[number] if past.item_ids else None}
            rows = {kinds[row]: row for row in range(len(names)) if owners[row] in own}
            told: dict[str, Any] = {"target": target}
            if rows:
                told["past_covariates"] = {kind: values[row, :length] for kind, row in rows.items()}
                ahead = slice(length, length + self.prediction_length)
                told["future_covariates"] = {kind: values[row, ahead] for kind, row in rows.items()}
            series, inputs = groups.setdefault(tuple(rows), ([], []))
            series.append(number)
            inputs.append(told)
        return list(groups.values())

    def _pipeline(self) -> Any:
        """The model with its weights, of the package's class that the configuration names."""
        if self._loaded is None:
            try:
                from chronos import BaseChronosPipeline
            except ModuleNotFoundError as error:
                raise missing_package("chronos-forecasting") from error
            from transformers.utils import logging as of_transformers

            bars = of_transformers.is_progress_bar_enabled()
            of_transformers.disable_progress_bar()
            try:
                self._loaded = BaseChronosPipeline.from_pretrained(
                    self.weights, device_map="cpu", dtype="float32", use_safetensors=True
                )
            except (OSError, ValueError, KeyError, TypeError, AssertionError, AttributeError) as error:
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise ValueError(
                    f"weights: expected a folder or a model of the hub with a Chronos, got {self.weights!r}: {reason}"
                ) from error
            finally:
                if bars:
                    of_transformers.enable_progress_bar()
        return self._loaded
