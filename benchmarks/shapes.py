"""Synthetic series of the benchmarks' shapes: cost depends on the shape alone, so no archive is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from hemline.datasets.entries.entry import Entry


@dataclass(frozen=True)
class Shape:
    """A dataset's shape: series D, frequency, horizon H, training steps T, windows a batch."""

    series: int
    freq: str
    horizon: int
    length: int
    batch: int

    def entries(self) -> list[Entry]:
        """One multivariate entry of random walks of this shape."""
        generator = np.random.default_rng(0)
        target = 50 + generator.normal(size=(self.series, self.length)).cumsum(1)
        return [Entry(pd.Period("2012-01-02", self.freq), target.astype(np.float32))]


SHAPES = {
    "exchange": Shape(8, "B", 30, 6071, 64),
    "solar": Shape(137, "h", 24, 7009, 64),
    "electricity": Shape(370, "h", 24, 5833, 64),
    "traffic": Shape(963, "h", 24, 4001, 32),
    "taxi": Shape(1214, "30min", 24, 1488, 32),
    "wiki": Shape(2000, "D", 30, 792, 32),
}
