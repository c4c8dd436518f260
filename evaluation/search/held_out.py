"""The data that a search is judged by: windows at the end of the training data."""

from __future__ import annotations

from ...datasets.entries.data import ForecastData


def validation_data(data: ForecastData, windows: int) -> ForecastData:
    """A dataset whose test windows lie at the end of the training data; what is tested by is not read.

    Arguments:
        data: the dataset.
        windows: their number W.

    Raises:
        ValueError: the training data are too short.
    """
    horizon = data.metadata.prediction_length
    place = max(range(len(data.train)), key=lambda number: data.train[number].length)
    longest = data.train[place]
    if longest.length <= windows * horizon:
        raise ValueError(
            f"windows: {windows} windows of {horizon} steps leave nothing to train on, the training data have "
            f"{longest.length} steps"
        )
    ends = [longest.length - number * horizon for number in reversed(range(windows))]
    train = [entry.until(ends[0] - horizon) if number == place else entry for number, entry in enumerate(data.train)]
    return ForecastData(data.metadata, train, [longest.until(end) for end in ends])
