"""The level of a series as a hidden state: what it leaves of any rows of numbers, in time that grows with the steps."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack


class LevelFilter:
    r"""Kalman filter and smoother of a random walk that is seen with noise.

    The values of the T steps have the covariance :math:`B = L + N`, where L is that of the walk and N the diagonal one
    of the noise. The filter says the factor :math:`B^{-1/2}`, of as many rows of values at once as are wanted, and the
    smoother its transpose; either is one solution of a bidiagonal system. Nothing ``[T, T]`` is made (Durbin and
    Koopman 2012, Time Series Analysis by State Space Methods, ch. 4.3 to 4.5).

    Arguments:
        noise: ``[T]`` variances of what is seen beside the level; read where `seen`.
        seen: bool ``[T]``, false in gaps.
        drift: variance of a step of the walk.
        start: variance of the first level.

    Example:
        >>> level = LevelFilter(np.full(3, 2.0), np.array([True, False, True]), drift=0.5, start=1.0)
        >>> covariance = np.array([[1.0, 1.0], [1.0, 2.0]]) + 2 * np.eye(2)
        >>> white = level.whitened(np.eye(3)[[0, 2]])
        >>> np.allclose(white @ white.T, np.linalg.inv(covariance))
        True
    """

    def __init__(self, noise: np.ndarray, seen: np.ndarray, drift: float, start: float) -> None:
        steps, known = len(seen), seen.tolist()
        gain, total, before = np.zeros(steps), np.ones(steps), start
        for step, variance in enumerate(noise.tolist()):
            if known[step]:
                total[step] = before + variance
                gain[step] = before / total[step]
                before *= 1 - gain[step]
            before += drift
        kept = 1 - gain
        precision = np.where(seen, 1 / total, 0.0)
        self._gain, self._root = gain, np.sqrt(precision)
        self._kept = np.vstack([np.ones(steps), np.append(-kept[1:], 0.0)])
        carried = (kept**2).tolist()
        later, squares, inverse = 0.0, np.zeros(steps + 1), precision.tolist()
        for step in range(steps - 1, -1, -1):
            later = inverse[step] + carried[step] * later
            squares[step] = later
        self.steps = squares[:-1]
        """``[T]`` the quadratic forms in :math:`B^{-1}` of the indicators of a step and all that follow it."""
        self.diagonal = precision + gain**2 * squares[1:]
        """``[T]`` the diagonal of :math:`B^{-1}`, 0 in gaps."""

    def whitened(self, values: np.ndarray) -> np.ndarray:
        """The prediction errors ``[n, T]`` of rows of values, each divided by its deviation; 0 in gaps."""
        errors = values.copy()
        errors[:, 1:] -= self._solved(values * self._gain, "N")[:, :-1]
        errors *= self._root
        return errors

    def weighed(self, white: np.ndarray) -> np.ndarray:
        r"""Rows times :math:`B^{-1}`, 0 in gaps: what the transposed factor makes of whitened ones ``[n, T]``."""
        found = white * self._root
        later = np.zeros_like(found)
        later[:, :-1] = found[:, 1:]
        found -= self._solved(later, "T") * self._gain
        return found

    def _solved(self, right: np.ndarray, transposed: str) -> np.ndarray:
        """Rows ``[n, T]`` through the recursion, in their own place."""
        found, wrong = lapack.dtbtrs(self._kept, right.T, uplo="L", trans=transposed, diag="U", overwrite_b=True)
        if wrong:
            raise np.linalg.LinAlgError("response: the level of a series cannot be filtered")
        return found.T
