"""Rank dependence between series: estimated on past errors, imposed on sample paths by reordering."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from ...evaluation.scores.calibration import randomised_pit


def rank_of(truth: np.ndarray, samples: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Rank of the truth among the samples, ties broken at random.

    Arguments:
        truth: ``[H, D]``, NaN where missing.
        samples: ``[S, H, D]``.
        generator: of the random part.

    Returns:
        ``[H, D]``, within (0, 1), NaN where missing: uniform if the samples are of the same distribution as the truth.

    Example:
        >>> samples = np.arange(99.0).reshape(99, 1, 1)
        >>> round(float(rank_of(np.array([[49.5]]), samples, np.random.default_rng(0))[0, 0]), 1)
        0.5
    """
    rank = randomised_pit(samples, truth, generator.uniform(size=truth.shape))
    return np.where(np.isnan(truth), np.nan, rank).clip(1e-6, 1 - 1e-6)


def reorder(samples: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Reorder paths by the ranks of scores at each step and series (Schaake shuffle).

    Arguments:
        samples: ``[S, H, D]``.
        scores: ``[S, H, D]``; the path with the largest score gets the largest sample.

    Returns:
        ``[S, H, D]``: the same values in another order along S.

    Example:
        >>> reorder(np.array([[[5.0]], [[1.0]], [[3.0]]]), np.array([[[0.2]], [[0.9]], [[0.1]]])).ravel()
        array([3., 5., 1.])
    """
    return np.take_along_axis(np.sort(samples, axis=0), scores.argsort(axis=0).argsort(axis=0), axis=0)


def past_scores(ranks: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Scores of past windows, each as often as the others or once more; at random where a rank is missing.

    Arguments:
        ranks: ``[K, H, D]``, NaN where missing.
        count: paths S.
        generator: of the draws.

    Returns:
        ``[S, H, D]``.
    """
    rounds = -(-count // len(ranks))
    chosen = np.concatenate([generator.permutation(len(ranks)) for _ in range(rounds)])[:count]
    # Paths that follow the same window are told apart by a hair.
    scores = ranks[chosen] + generator.uniform(-1e-4, 1e-4, size=(count, 1, 1))
    missing = np.isnan(scores)
    scores[missing] = generator.uniform(size=int(missing.sum()))
    return scores


def gaussian_scores(ranks: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Normal scores with the shrunk correlation of past ones, drawn without forming the matrix.

    Two columns are correlated as in the windows that have both, less by as far as these are fewer than those of each.

    Arguments:
        ranks: ``[K, H, D]``, NaN where missing.
        count: paths S.
        generator: of the draws.

    Returns:
        ``[S, H, D]``, each standard normal.
    """
    windows, horizon, dim = ranks.shape
    z = standardised(ranks)
    weight = shrinkage(z)
    common = generator.normal(size=(count, windows)) @ z / np.sqrt(windows)
    own = generator.normal(size=common.shape)
    alone = np.where(z.any(0), weight, 1.0)  # of what was never seen, no window tells anything
    return (np.sqrt(1 - alone) * common + np.sqrt(alone) * own).reshape(count, horizon, dim)


def standardised(ranks: np.ndarray) -> np.ndarray:
    """Normal scores ``[K, H * D]`` of ranks ``[K, H, D]``, each column with mean 0 and variance 1, 0 where missing."""
    z = ndtri(ranks.reshape(len(ranks), -1).astype(np.float64))
    missing = np.isnan(z)
    if not missing.any():
        z = z - z.mean(0)
        return z / np.maximum(z.std(0), 1e-9)
    z = np.where(missing, 0.0, z - np.where(missing, 0.0, z).sum(0) / np.maximum((~missing).sum(0), 1))
    return z / np.maximum(np.sqrt((z**2).mean(0)), 1e-9)


def shrinkage(z: np.ndarray) -> float:
    r"""Shrinkage intensity of an estimated correlation towards the identity.

    .. math:: \lambda = \sum_{i \ne j} \widehat{\mathrm{Var}}(r_{ij}) \Big/ \sum_{i \ne j} r_{ij}^2

    Source: Schäfer and Strimmer (2005), doi 10.2202/1544-6115.1175, eq. 10. The sums over pairs are taken through the
    K by K products of windows, so that their cost does not grow with the square of the number of columns.

    Arguments:
        z: ``[K, P]`` standardised columns.

    Returns:
        Between 0 (keep the estimate) and 1 (no correlation).

    Example:
        >>> noise = standardised(np.random.default_rng(0).uniform(size=(50, 1, 4)))
        >>> alike = standardised(np.random.default_rng(0).uniform(size=(50, 1, 1)).repeat(4, axis=2))
        >>> shrinkage(noise) > 0.5, shrinkage(alike) < 0.05
        (True, True)
    """
    windows = len(z)
    squares = z**2
    # Of w_k = z_ki z_kj, over all pairs i != j: the squares of w, and those of its mean r_ij.
    of_each = (squares.sum(1) ** 2).sum() - (squares**2).sum()
    of_means = ((z @ z.T) ** 2).sum() / windows**2 - (squares.mean(0) ** 2).sum()
    variance = windows / (windows - 1) ** 3 * (of_each - windows * of_means)
    return 1.0 if of_means <= 0 else float(np.clip(variance / of_means, 0, 1))
