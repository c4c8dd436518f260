"""One vector from the 0…n photos of an article."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def pad_sets(features: Tensor, article: Tensor, articles: int) -> tuple[Tensor, Tensor]:
    """Lay the photos of each article side by side.

    Arguments:
        features: ``[N, F]``, a row a photo.
        article: int64 ``[N]``, ascending, to which of the articles a photo belongs.
        articles: the number of articles B.

    Returns:
        ``[B, M, F]``, zero where there is no photo, and the mask bool ``[B, M]`` of what is there; M is the
        largest number of photos, at least 1.

    Example:
        >>> padded, mask = pad_sets(torch.ones(3, 2), torch.tensor([0, 0, 2]), articles=3)
        >>> mask.tolist()
        [[True, True], [False, False], [True, False]]
    """
    counts = torch.bincount(article, minlength=articles)
    place = torch.arange(len(article), device=article.device) - (counts.cumsum(0) - counts)[article]
    most = max(int(counts.max()) if articles else 0, 1)
    mask = torch.zeros(articles, most, dtype=torch.bool, device=features.device)
    mask[article, place] = True
    padded = features.new_zeros(articles, most, features.shape[1])
    padded[article, place] = features
    return padded, mask


class MaxPooling(nn.Module):
    """The largest value of each feature, as at Lyst: what any photo shows, the article has.

    Arguments:
        features: the width F, not used.
    """

    def __init__(self, features: int) -> None:
        super().__init__()

    def forward(self, padded: Tensor, mask: Tensor) -> Tensor:
        """``[B, M, F]`` and ``[B, M]`` to ``[B, F]``; zero for an article without a photo."""
        lowest = torch.finfo(padded.dtype).min
        largest = padded.masked_fill(~mask[..., None], lowest).amax(dim=1)
        return largest.masked_fill(~mask.any(dim=1, keepdim=True), 0.0)


class MeanPooling(nn.Module):
    """The mean of each feature.

    Arguments:
        features: the width F, not used.
    """

    def __init__(self, features: int) -> None:
        super().__init__()

    def forward(self, padded: Tensor, mask: Tensor) -> Tensor:
        """``[B, M, F]`` and ``[B, M]`` to ``[B, F]``; zero for an article without a photo."""
        return (padded * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


class AttentionPooling(nn.Module):
    """A mean weighted by how telling each photo looks: ``softmax(w · tanh(V f))`` over the photos.

    Source: M. Ilse, J. Tomczak, M. Welling (2018), arXiv 1802.04712, eq. 8, without the gate.

    Arguments:
        features: the width F.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(features, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, padded: Tensor, mask: Tensor) -> Tensor:
        """``[B, M, F]`` and ``[B, M]`` to ``[B, F]``; zero for an article without a photo."""
        score = self.score(padded).masked_fill(~mask[..., None], torch.finfo(padded.dtype).min)
        weight = score.softmax(dim=1) * mask[..., None]
        return (weight * padded).sum(dim=1)


SET_POOLINGS: dict[str, type[nn.Module]] = {
    "max": MaxPooling,
    "mean": MeanPooling,
    "attention": AttentionPooling,
}
