"""Forecasts as long tables of means and quantiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from gluonts.model.forecast import SampleForecast

from ...datasets.entries.frequency import dates_of

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def forecast_frame(drawn: SampleForecast, item_ids: tuple[str, ...]) -> pd.DataFrame:
    """A forecast as a long table.

    Arguments:
        drawn: ``samples`` ``[S, H, D]``.
        item_ids: names of the D series.

    Returns:
        A row a series and step: ``item_id, timestamp, mean`` and the quantiles ``q05`` to ``q95``; none of a series
        that has no forecast, NaN on every path. The timestamps are the dates that come next in the table of the data,
        of its time zone where it has one.

    Example:
        >>> from hemline.datasets import simulated_sales
        >>> from hemline.forecasting import SeasonalNaivePredictor
        >>> data = simulated_sales(articles=2, weeks=104, windows=0)
        >>> drawn = next(SeasonalNaivePredictor(8, season_length=52).predict([data.latest]))
        >>> forecast_frame(drawn, data.metadata.item_ids).columns.tolist()
        ['item_id', 'timestamp', 'mean', 'q05', 'q10', 'q25', 'q50', 'q75', 'q90', 'q95']
    """
    # In single precision the mean of whole numbers has digits that none of them has.
    samples = np.asarray(drawn.samples, dtype=np.float64)
    _, horizon, dim = samples.shape
    columns = {
        "item_id": np.repeat(np.asarray(item_ids, dtype=object), horizon),
        "timestamp": dates_of(drawn.start_date, horizon).take(np.tile(np.arange(horizon), dim)),
        "mean": samples.mean(0).T.ravel(),
    }
    for level, values in zip(QUANTILES, np.quantile(samples, QUANTILES, axis=0), strict=True):
        columns[f"q{round(100 * level):02d}"] = values.T.ravel()
    frame = pd.DataFrame(columns)
    return frame[frame["mean"].notna()].reset_index(drop=True)
