"""A feed-forward network from the features of an article to its vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .features import ArticleFeatures


class ArticleNetwork(nn.Module):
    """Labels and photo vectors of articles to vectors ``[n, d]`` of mean 0 and spread 1.

    Labels and photo vectors have a dense layer each; what comes of them stands side by side before the next two.

    Arguments:
        tags: number of labels T.
        vectors: numbers of a photo vector F; 0 for none.
        size: width of the dense layers.
        out: width d of the result.
        dropout: share of the numbers that are set to 0 in training, after each layer.

    Example:
        >>> ArticleNetwork(3, 4, size=8, out=2)(torch.zeros(5, 3), torch.zeros(5, 5)).shape
        torch.Size([5, 2])
    """

    def __init__(self, tags: int, vectors: int, *, size: int, out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.of_tags = nn.Linear(tags, size) if tags else None
        self.of_vectors = nn.Linear(vectors + 1, size)
        wide = size * (2 if tags else 1)
        self.rest = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(wide, size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(size, out),
            nn.LayerNorm(out, elementwise_affine=False),
        )
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.zeros(vectors + 1))
        self.register_buffer("spread", torch.ones(vectors + 1))

    def standardise(self, vectors: Tensor) -> None:
        """Set the mean and the spread by which vectors are standardised, from those of training ``[n, F + 1]``."""
        spread = vectors.std(0, correction=0)
        self.mean.copy_(vectors.mean(0))
        self.spread.copy_(torch.where(spread > 1e-6, spread, torch.ones_like(spread)))

    def forward(self, tags: Tensor, vectors: Tensor) -> Tensor:
        """Labels ``[n, T]`` and vectors with a flag for a photo ``[n, F + 1]`` to ``[n, d]``."""
        seen = self.of_vectors((vectors - self.mean) / self.spread)
        if self.of_tags is not None:
            seen = torch.cat([self.of_tags(tags), seen], dim=1)
        found: Tensor = self.rest(seen)
        return found


def inputs_of(articles: ArticleFeatures) -> tuple[Tensor, Tensor]:
    """What the network reads of articles: float32 ``[n, T]`` and ``[n, F + 1]``."""
    shown = torch.from_numpy(articles.shown.astype("float32"))[:, None]
    return torch.from_numpy(articles.tags), torch.cat([torch.from_numpy(articles.vectors), shown], dim=1)
