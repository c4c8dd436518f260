"""A few days of five-minute data: the energy score of `analog` with stretches from whole days and from each hour.

Run: python -m benchmarks.five_minutes [--days 6] [--horizon 24] [--seeds 8]
Six series of a daily wave, two swings of the level (half-lives of 12 hours and of two hours) and noise; a model is
trained once and forecasts from every second hour of the next day. One row a seed, then the mean.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from hemline.evaluation.scores.multivariate import energy_score
from hemline.forecasting import AnalogEstimator

DAY = 288
"""Steps of a day."""


def five_minutes(days: int, seed: int, series: int = 6) -> np.ndarray:
    """``[D, T]`` with a mean of 1 each."""
    draw, steps = np.random.default_rng(seed), days * DAY
    hour = np.arange(steps) / DAY * 24

    def swing(kept: float, spread: float, count: int) -> np.ndarray:
        noise = draw.normal(size=(count, steps)) * spread * np.sqrt(1 - kept**2)
        found = np.zeros((count, steps))
        for step in range(1, steps):
            found[:, step] = kept * found[:, step - 1] + noise[:, step]
        return found

    shifts = draw.normal(size=(series, 2, 1))
    wave = 1 + 0.6 * np.sin(2 * np.pi * (hour - 9 - shifts[:, 0]) / 24)
    wave += 0.25 * np.sin(4 * np.pi * (hour - 7 - shifts[:, 1]) / 24)
    level = np.exp(swing(0.995, 0.15, 1) + swing(0.97, 0.1, series))
    values = np.maximum(wave, 0.05) * level + 0.03 * draw.normal(size=(series, steps))
    values = np.maximum(values, 0)
    return values / values.mean(1, keepdims=True)


def scored(target: np.ndarray, days: int, horizon: int, spacings: tuple[int, ...]) -> tuple[float, int] | None:
    """The energy score a step and series, and steps from one stretch to the next; ``None`` for too few days."""

    def entry(end: int) -> dict[str, object]:
        return {"start": pd.Period("2024-01-01", "5min"), "target": target[:, :end].astype(np.float32)}

    settings = {"season_length": DAY, "cycle_length": 7 * DAY, "domain": "nonnegative", "spacings": spacings}
    try:
        fitted = AnalogEstimator(horizon, **settings).train([entry(days * DAY)])
    except ValueError:
        return None
    scores = [
        energy_score(next(fitted.predict([entry(end)])).samples, target[:, end : end + horizon].T).mean()
        for end in range(days * DAY, (days + 1) * DAY, 24)
    ]
    return float(np.mean(scores)) / len(target), fitted.every or DAY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("days", 6), ("horizon", 24), ("seeds", 8)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    rows = []
    for seed in range(given.seeds):
        target = five_minutes(given.days + 2, seed)
        both = [scored(target, given.days, given.horizon, spacings) for spacings in ((), (12, 1))]
        print(f"seed {seed}: " + ", ".join("too short" if x is None else f"{x[0]:.4f} every {x[1]}" for x in both))
        rows.append([np.nan if found is None else found[0] for found in both])
    print("mean: " + ", ".join(f"{value:.4f}" for value in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
