"""The titles of articles as inputs of a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .hashed_terms import hashed_counts, inverse_frequency, weighted


class TitleWords(nn.Module):
    """TF-IDF vectors of titles, hashed into buckets, by frequencies of the training titles that stay with the weights.

    Arguments:
        buckets: the width F of the vectors.

    Example:
        >>> words = TitleWords(64)
        >>> words.fit(["Blue shirt", "Blue jeans"])
        >>> vectors = words(["blue", "shirt", ""])
        >>> vectors.norm(dim=1).tolist(), bool(vectors[0].abs().max() == 1)
        ([1.0, 1.0, 0.0], True)
    """

    telling: Tensor

    def __init__(self, buckets: int = 4096) -> None:
        super().__init__()
        self.features = buckets
        self.register_buffer("telling", torch.ones(buckets))

    def fit(self, titles: Sequence[str]) -> None:
        """Take the frequencies of some titles."""
        self.telling.copy_(torch.from_numpy(inverse_frequency(hashed_counts(titles, self.features))))

    def forward(self, titles: Sequence[str]) -> Tensor:
        """Titles to float32 ``[n, F]``, each row of length 1 or, without a word, 0."""
        vectors = weighted(hashed_counts(titles, self.features), self.telling.cpu().numpy())
        return torch.from_numpy(vectors.toarray()).float().to(self.telling.device)
