"""The windows of gluonts' own networks, cut without what their training does not read."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from gluonts.model.estimator import Estimator
from gluonts.transform import InstanceSplitter

from ....datasets.entries.gluonts_keys import DataEntry


class TrainingWindows(InstanceSplitter):
    """The windows of gluonts' splitter, value by value, but for the dates at which forecasts begin.

    Gluonts pads by `numpy.pad` and adds up a date for each window, which was a third of the time of a short DeepAR
    training; no network of gluonts reads that date when it learns.
    """

    def flatmap_transform(self, entry: DataEntry, is_train: bool) -> Iterator[DataEntry]:
        """The windows that are drawn from a series."""
        cut = [*self.ts_fields, self.target_field]
        kept = {name: value for name, value in entry.items() if name not in cut}
        arrays = {name: entry[name] for name in cut}
        dtype = entry[self.target_field].dtype
        for end in self.instance_sampler(entry[self.target_field]):
            window, begins = dict(kept), end + self.lead_time
            for name, array in arrays.items():
                past, future = self._past_of(array, end), array[..., begins : begins + self.future_length]
                window[self._past(name)] = past.transpose() if self.output_NTC else past
                window[self._future(name)] = future.transpose() if self.output_NTC else future
            is_pad = np.zeros(self.past_length, dtype=dtype)
            is_pad[: max(self.past_length - end, 0)] = 1
            window[self._past(self.is_pad_field)] = is_pad
            yield window

    def _past_of(self, array: np.ndarray, end: int) -> np.ndarray:
        if end >= self.past_length:
            return array[..., end - self.past_length : end]
        padded = np.full((*array.shape[:-1], self.past_length), self.dummy_value, dtype=array.dtype)
        padded[..., self.past_length - end :] = array[..., :end]
        return padded


def with_quick_windows(estimator: Estimator) -> Estimator:
    """A copy of a network of gluonts that learns from the same windows, made in less time; a copy of any other."""
    found: Any = copy.copy(estimator)
    if is_of_gluonts(estimator) and hasattr(estimator, "_create_instance_splitter"):
        make = type(found)._create_instance_splitter
        # Some take the network and the mode, some the mode alone.
        found._create_instance_splitter = lambda *asked: _quick(make(found, *asked), asked[-1])
    return found


def _quick(splitter: Any, mode: str) -> Any:
    # What a predictor is stored with stays gluonts' own, and so does a splitter of another kind.
    if mode == "test" or type(splitter) is not InstanceSplitter:
        return splitter
    quick = copy.copy(splitter)
    quick.__class__ = TrainingWindows
    return quick


def is_of_gluonts(estimator: Estimator) -> bool:
    """Whether an estimator is one of gluonts' own torch models, not somebody's change of one."""
    from gluonts.torch.model.estimator import PyTorchLightningEstimator

    return isinstance(estimator, PyTorchLightningEstimator) and type(estimator).__module__.startswith("gluonts.")
