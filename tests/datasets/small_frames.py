"""A small frame of sales, and how the tests read it."""

from __future__ import annotations

import pandas as pd
from hemline.datasets import from_frame


def long_table(items=("coat", "hat"), dates=None, **columns) -> pd.DataFrame:
    """Two articles that sell on twenty days, with further columns."""
    dates = pd.date_range("2024-01-01", periods=20, freq="D") if dates is None else pd.DatetimeIndex(dates)
    rows = [
        {"date": date, "article": item, "units": 10 * number + step}
        for number, item in enumerate(items)
        for step, date in enumerate(dates)
    ]
    return pd.DataFrame(rows).assign(**columns)


def read(table, **changes):
    """The dataset of such a frame, with a horizon of three days."""
    settings = {"timestamp": "date", "item": "article", "target": "units", "prediction_length": 3} | changes
    return from_frame(table, **settings)
