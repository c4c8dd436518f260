"""What simulated sales are drawn from: styles, prices, effects, seasons, shocks and stock-outs."""

from __future__ import annotations

import numpy as np

from .truth import YEAR

STYLES = ("dress", "coat", "shirt", "jeans", "knit", "skirt", "blouse", "jacket", "shorts", "scarf")


def style_names(style: np.ndarray) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of articles and of their styles; styles beyond the named ones are numbered on."""
    rounds, which = np.divmod(style, len(STYLES))
    styles = tuple(STYLES[w] + (str(r + 1) if r else "") for r, w in zip(rounds, which, strict=True))
    place = np.arange(len(style)) - np.searchsorted(style, style) + 1
    return tuple(f"{name}_{number}" for name, number in zip(styles, place, strict=True)), styles


def markdowns(rng: np.random.Generator, list_price: np.ndarray, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    """Prices and promotions ``[T, D]``."""
    shape = (weeks, len(list_price))
    depth, promo = np.zeros(shape), np.zeros(shape)
    for article in range(shape[1]):
        week = 0
        while week < weeks:
            length = int(rng.integers(1, 4))
            if rng.random() < 0.15:
                depth[week : week + length, article] = rng.choice([0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45])
                promo[week : week + length, article] = rng.random() < 0.5
                week += length
            else:
                promo[week, article] = rng.random() < 0.05
                week += 1
    drift = ar1(rng, weeks, shape[1], correlation=0.97, deviation=0.04)
    return np.round(list_price * np.exp(drift) * (1 - depth), 2), promo


def elasticities(rng: np.random.Generator, style: np.ndarray) -> np.ndarray:
    """Price elasticities ``[D, D]``: own ones on the diagonal, and what articles of a style take from each other."""
    own = rng.uniform(-3.5, -1.8, len(style))
    elasticity = np.diag(own)
    for i in range(len(style)):
        others = np.flatnonzero((style == style[i]) & (np.arange(len(style)) != i))
        if len(others):
            share = rng.uniform(0.4, 0.6) * rng.dirichlet(np.full(len(others), 20.0))
            elasticity[i, others] = -own[i] * share
    return elasticity


def looks_of(rng: np.random.Generator, style: np.ndarray) -> np.ndarray:
    """Places of articles in a space of looks, float64 ``[D, 4]``: articles of one style lie near each other."""
    centres = rng.normal(size=(style.max() + 1, 4))
    return np.asarray(centres[style] + rng.normal(0, 0.35, (len(style), 4)))


def taken_by_presence(looks: np.ndarray, style: np.ndarray, most: float) -> np.ndarray:
    """Log changes of demand ``[D, D]`` while the column's article is on sale: up to `most` of one of the same style.

    Arguments:
        looks: ``[D, p]``; of two articles at a distance of 1, six tenths of `most` are taken.
        style: ``[D]``; between styles nothing is.
        most: the share of its demand that an article loses to one that looks just like it.
    """
    squares = ((looks[:, None] - looks) ** 2).sum(axis=-1)
    rivals = (style[:, None] == style) & ~np.eye(len(style), dtype=bool)
    return np.where(rivals, np.log1p(-most) * np.exp(-squares / 2), 0.0)


def seasons(rng: np.random.Generator, style: np.ndarray) -> np.ndarray:
    """Log factors ``[52, D]``: two harmonics of a style, turned a little for each article."""
    angle = 2 * np.pi * np.arange(YEAR)[:, None] / YEAR
    peak = rng.uniform(0, 2 * np.pi, (2, style.max() + 1))[:, style] + rng.normal(0, 0.15, (2, len(style)))
    height = np.array([[0.45], [0.15]]) * rng.uniform(0.6, 1.2, (2, style.max() + 1))[:, style]
    return height[0] * np.cos(angle - peak[0]) + height[1] * np.cos(2 * angle - peak[1])


def holiday_weeks(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """1 in the two fixed holiday weeks of a year and in the one that moves, else 0."""
    years = -(-weeks // YEAR)
    calendar = np.zeros((years, YEAR))
    calendar[:, [47, 51]] = 1
    calendar[np.arange(years), rng.integers(12, 17, years)] = 1
    return calendar.ravel()[:weeks]


def shared_shocks(rng: np.random.Generator, style: np.ndarray, weeks: int) -> np.ndarray:
    """Shocks of the log demand ``[T, D]``, of all articles and of each style, whose exponential has mean 1."""
    common = ar1(rng, weeks, 1, correlation=0.7, deviation=0.12)
    shared = ar1(rng, weeks, style.max() + 1, correlation=0.5, deviation=0.08)[:, style]
    # The mean of exp(normal) is exp(variance / 2); subtracting it keeps the expected demand.
    return common + shared - (0.12**2 + 0.08**2) / 2


def ar1(rng: np.random.Generator, steps: int, series: int, correlation: float, deviation: float) -> np.ndarray:
    """Stationary AR(1) paths ``[T, series]`` with the given standard deviation."""
    noise = rng.normal(0, deviation, (steps, series))
    for step in range(1, steps):
        noise[step] = correlation * noise[step - 1] + np.sqrt(1 - correlation**2) * noise[step]
    return noise


def stocked(rng: np.random.Generator, share: float, weeks: int, articles: int) -> np.ndarray:
    """False in stocked-out weeks ``[T, D]``: spells of one or two weeks with equal chance."""
    begins = rng.random((weeks, articles)) < share / 1.5
    lasts = rng.random((weeks, articles)) < 0.5
    out = begins.copy()
    out[1:] |= begins[:-1] & lasts[:-1]
    return ~out
