"""What many small effects do together in a planned future and in a changed one, drawn without drawing each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .step_pairs import StepPairs

_RANK = 1e-10
"""Share of the largest eigenvalue of a covariance below which a direction has no variance: a plan may not move."""


def drawn_sums(
    deviation: np.ndarray, planned: np.ndarray, changed: np.ndarray, paths: int, seed: int
) -> Iterator[np.ndarray]:
    r"""Draw :math:`\sum_k z_k x_{hk}` of independent effects z for each series, in a changed future.

    Two changed futures have the effects of the channels that they move in common, as far as `drawn_effects` says it.

    Arguments:
        deviation: ``[D, K]`` of the effects, whose mean is 0.
        planned: ``[H, K]`` inputs of the planned future.
        changed: ``[H, K]`` those of the future that is wanted; where it is the planned one no effect is drawn.
        paths: S.
        seed: the same one gives the same sums of the same plan.

    Yields:
        float64 ``[S, H]`` for each series.
    """
    extra = changed - planned
    moving = np.flatnonzero(extra.any(axis=0)).tolist()
    drawn = drawn_effects(deviation, planned, moving, paths, seed)
    for spread, (sums, effects) in zip(deviation, drawn, strict=True):
        if moving:
            sums += effects @ (extra[:, moving] * spread[moving]).T
        yield sums


def drawn_effects(
    deviation: np.ndarray, planned: np.ndarray, moving: Sequence[int], paths: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    r"""Draw the sums of independent effects z in the planned future, and the effects of some channels given them.

    The H sums x of the planned future are drawn as such, from their covariance :math:`G = A A'`, where A are the plan's
    inputs times the deviations of the effects: H numbers a path instead of K. The effects of the channels C that a
    change moves are then drawn given those sums (Matheron's rule; Wilson et al. 2020, arXiv 2002.09309),

    .. math:: z_C = e + A_C' G^{-1} (x - A_C e - q), \quad e \sim N(0, 1), \quad q \sim N(0, G - A_C A_C'),

    so that a path has the same effects in both. Two choices of channels have e in common, channel by channel.

    Arguments:
        deviation: ``[D, K]`` of the effects, whose mean is 0.
        planned: ``[H, K]`` inputs of the planned future.
        moving: numbers of the channels C.
        paths: S.
        seed: the same one gives the same sums of the same plan.

    Yields:
        For each series the sums, float64 ``[S, H]``, and the effects over their deviations, float64 ``[S, C]``.
    """
    horizon, moving = len(planned), list(moving)
    generator = np.random.default_rng(seed)
    # A generator a channel: another change of it has the same numbers.
    own = [np.random.default_rng([seed, 1 + channel]) for channel in moving]
    pairs = StepPairs(planned)
    covariance = np.zeros((horizon, horizon))
    for spread, triangle in zip(deviation, pairs.covariances(deviation**2), strict=True):
        covariance.put(pairs.places, triangle)
        root, inverse = _root_and_inverse(covariance)
        noise = generator.standard_normal((2, paths, horizon))
        sums, effects = noise[0] @ root, np.empty((paths, 0))
        if own:
            among = planned[:, moving] * spread[moving]
            others, _ = _root_and_inverse(covariance - among @ among.T)
            effects = np.array([each.standard_normal(paths) for each in own]).T
            effects += (sums - effects @ among.T - noise[1] @ others) @ (inverse @ among)
        yield sums, effects


def _root_and_inverse(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The symmetric root and the inverse, on what it spans, of a matrix of which the lower triangle is read."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _RANK * values[-1]
    values, vectors = values[kept], vectors[:, kept]
    return (vectors * np.sqrt(values)) @ vectors.T, (vectors / values) @ vectors.T
