"""From features of several depths to one vector in which near means alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize


@dataclass(frozen=True)
class LookSpace:
    """Blocks of features, each centred and brought to length 1, on their principal axes, half whitened.

    A block counts as much as another one, however many channels it has. On the axes the places are divided by the
    square root of their standard deviation: between cosines of the features as they are, where the few widest axes
    decide, and whitened ones, where noise counts as much as what is seen.

    Arguments:
        widths: the width of each block.
        centre: ``[F]``, the mean features.
        middle: ``[F]``, the mean of what is left after each block was centred and scaled.
        axes: ``[k, F]``, orthogonal; the length of each is what its places are multiplied with.
    """

    widths: tuple[int, ...]
    centre: Tensor
    middle: Tensor
    axes: Tensor

    @classmethod
    def fit(cls, features: Tensor, widths: Sequence[int], axes: int = 128) -> LookSpace:
        """The space of some features.

        Arguments:
            features: ``[n, F]``.
            widths: the width of each block; they sum to F.
            axes: how many axes, at most; fewer where there are few photos.

        Raises:
            ValueError: fewer than two photos differ.

        Example:
            >>> features = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
            >>> space = LookSpace.fit(features, (2,))
            >>> space.project(features).norm(dim=1).round(decimals=3).tolist()
            [1.0, 1.0, 1.0]
        """
        centre = features.double().mean(dim=0)
        scaled = _by_block(features.double() - centre, widths)
        middle = scaled.mean(dim=0)
        apart = scaled - middle
        # The smaller of the two products has the same axes.
        if len(apart) <= apart.shape[1]:
            squares, inner = torch.linalg.eigh(apart @ apart.T)
            directions = normalize(inner.T @ apart, dim=1)
        else:
            squares, inner = torch.linalg.eigh(apart.T @ apart)
            directions = inner.T
        some = squares > 1e-9 * squares.max().clamp_min(1e-30)
        if not some.any() or float(squares.max()) < 1e-12:
            raise ValueError(f"photos: expected at least two that differ, got {len(features)} that do not")
        chosen = some.nonzero()[:, 0].flip(0)[:axes]
        scale = (squares[chosen] / len(features)) ** -0.25
        kept = directions[chosen] * scale[:, None]
        return cls(tuple(widths), centre.float(), middle.float(), kept.float())

    def project(self, features: Tensor) -> Tensor:
        """Features ``[n, F]`` to vectors ``[n, k]`` of length 1.

        Raises:
            ValueError: they are features of another width.
        """
        if features.shape[-1] != sum(self.widths):
            raise ValueError(f"features: expected {sum(self.widths)} a photo, got {features.shape[-1]}")
        places = (_by_block(features - self.centre, self.widths) - self.middle) @ self.axes.T
        return normalize(places, dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """The space as tensors."""
        widths = torch.tensor(self.widths)
        return {"centre": self.centre, "middle": self.middle, "axes": self.axes, "widths": widths}

    @classmethod
    def of_tensors(cls, held: Mapping[str, Tensor]) -> LookSpace:
        """The space that `tensors` wrote.

        Raises:
            ValueError: a tensor is missing, or their sizes do not fit.
        """
        wanted = {"centre", "middle", "axes", "widths"}
        if missing := sorted(wanted - set(held)):
            raise ValueError(f"space: expected the tensors {sorted(wanted)}, got none called {missing[0]!r}")
        widths = tuple(int(width) for width in held["widths"])
        total = sum(widths)
        for name in ("centre", "middle", "axes"):
            if held[name].shape[-1] != total:
                raise ValueError(f"space: expected {name} of {total} features, got {list(held[name].shape)}")
        return cls(widths, held["centre"], held["middle"], held["axes"])


def _by_block(features: Tensor, widths: Sequence[int]) -> Tensor:
    blocks = features.split(list(widths), dim=1)
    return torch.cat([normalize(block, dim=1) for block in blocks], dim=1) / len(blocks) ** 0.5
