"""Inputs at pairs of steps: what the fits of all series have in common, so that each product is one for all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_AT_ONCE = 1024
"""Pairs whose products of all K inputs are in memory at once; enough for matrix products at full speed."""


class StepPairs:
    r"""The products :math:`z_{(ts)k} = x_{tk} x_{sk}` of inputs at pairs of steps, :math:`s \le t`.

    A fit needs :math:`\sum_k v_k x_{tk} x_{sk}` for the variances v of its series and, for its inverse covariance A,
    :math:`\sum_{ts} A_{ts} x_{tk} x_{sk}` for every channel. Both are linear in z, which is that of all series: one
    matrix product for all of them, at half the pairs since either is symmetric.

    Arguments:
        inputs: ``[T, K]``.

    Example:
        >>> pairs = StepPairs(np.array([[1.0, 2.0], [3.0, 0.0]]))
        >>> pairs.covariances(np.array([[1.0, 0.5]]))        # [[3, 3], [3, 9]]
        array([[3., 3., 9.]])
        >>> pairs.quadratics(np.array([[1.0, 0.0, 1.0]]))    # of the identity: sums of squares
        array([[10.,  4.]])
    """

    def __init__(self, inputs: np.ndarray) -> None:
        self._inputs = inputs
        self._later, self._earlier = np.tril_indices(len(inputs))
        self._times = np.where(self._later == self._earlier, 1.0, 2.0)
        self.places = self._later * len(inputs) + self._earlier
        """``[P]`` places of the pairs in a flat matrix ``[T, T]``."""

    def __len__(self) -> int:
        return len(self._times)

    def covariances(self, variances: np.ndarray) -> np.ndarray:
        """Lower triangles ``[n, P]`` of the covariances of n sums over channels of these variances ``[n, K]``."""
        found = np.empty((len(variances), len(self)))
        for block, products in self._blocks():
            found[:, block] = variances @ products.T
        return found

    def quadratics(self, triangles: np.ndarray) -> np.ndarray:
        """Quadratic forms ``[n, K]`` of each channel in n symmetric matrices, given as lower triangles ``[n, P]``."""
        found = np.zeros((len(triangles), self._inputs.shape[1]))
        for block, products in self._blocks():
            found += (triangles[:, block] * self._times[block]) @ products
        return found

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        for first in range(0, len(self), _AT_ONCE):
            block = slice(first, first + _AT_ONCE)
            yield block, self._inputs[self._later[block]] * self._inputs[self._earlier[block]]
