"""Batches of articles: their photos gathered by number from pixels that were decoded once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...datasets.pictures.photos import Pictures


@dataclass(frozen=True)
class ArticleBatch:
    """Some articles and their photos.

    Arguments:
        pixels: uint8 ``[N, channels, S, S]``, all photos of all articles, or vectors of them.
        article: int64 ``[N]``, ascending: the place in the batch of the article a photo belongs to.
        rows: int64 ``[B]``, the number in the catalogue of each article.
        targets: task -> codes ``[B]``, or ``[B, classes]`` for facets.
        photos: int64 ``[N]``, the number in the pictures of each photo.
        titles: ``[B, F]``, the vectors of the titles, or ``None`` where titles are not read.
    """

    pixels: Tensor
    article: Tensor
    rows: Tensor
    targets: Mapping[str, Tensor]
    photos: Tensor
    titles: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, device: torch.device) -> ArticleBatch:
        """The batch on a device."""
        moved = {name: values.to(device) for name, values in self.targets.items()}
        titles = None if self.titles is None else self.titles.to(device)
        return ArticleBatch(
            self.pixels.to(device), self.article.to(device), self.rows.to(device), moved, self.photos.to(device), titles
        )


class ArticleBatches:
    """Articles in batches, in their order or shuffled by a seed.

    Arguments:
        pictures: the photos of the whole catalogue.
        targets: task -> codes of the whole catalogue, from `LabelSpace.encode`; may be empty.
        rows: int64 ``[n]``, the numbers of the articles to give; each needs a photo.
        batch_size: articles a batch.
        seed: shuffles the articles; ``None`` keeps their order.
        each_photo: whether every photo is an example of its own, with the labels of its article.
        passes: how often each article is given.
        vectors: ``[photos, ...]`` given in the place of the pixels.
        titles: ``[articles, F]`` of the whole catalogue, given with the photos.

    Raises:
        ValueError: an article has no photo, or the batch size is not positive.
    """

    def __init__(
        self,
        pictures: Pictures,
        targets: Mapping[str, np.ndarray],
        rows: np.ndarray,
        *,
        batch_size: int,
        seed: int | None = None,
        each_photo: bool = False,
        passes: int = 1,
        vectors: Tensor | None = None,
        titles: Tensor | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
        self.pixels = torch.from_numpy(pictures.pixels) if vectors is None else vectors
        self.targets = {name: torch.from_numpy(codes) for name, codes in targets.items()}
        self.owner = torch.from_numpy(pictures.article)
        self.titles = titles
        self.batch_size, self.seed, self.passes = batch_size, seed, passes
        rows = np.asarray(rows, dtype=np.int64)
        first = np.searchsorted(pictures.article, rows, side="left")
        count = np.searchsorted(pictures.article, rows, side="right") - first
        if len(rows) and count.min() == 0:
            raise ValueError(f"rows: expected articles with a photo, got none for article {rows[count.argmin()]}")
        if each_photo:
            first = np.concatenate([np.arange(a, a + n) for a, n in zip(first, count, strict=True)] or [first])
            count = np.ones_like(first)
        self.first, self.count = torch.from_numpy(first), torch.from_numpy(count)

    def __len__(self) -> int:
        """Batches in all passes."""
        return self.passes * -(-len(self.first) // self.batch_size)

    def __iter__(self) -> Iterator[ArticleBatch]:
        """All passes over the articles."""
        generator = None if self.seed is None else torch.Generator().manual_seed(self.seed)
        for _ in range(self.passes):
            order = torch.arange(len(self.first))
            if generator is not None:
                order = torch.randperm(len(self.first), generator=generator)
            yield from self._batches(order)

    def _batches(self, order: Tensor) -> Iterator[ArticleBatch]:
        for chosen in order.split(self.batch_size):
            first, count = self.first[chosen], self.count[chosen]
            article = torch.repeat_interleave(torch.arange(len(chosen)), count)
            within = torch.arange(len(article)) - (count.cumsum(0) - count)[article]
            photos = first[article] + within
            rows = self.owner[first]
            targets = {name: codes[rows] for name, codes in self.targets.items()}
            titles = None if self.titles is None else self.titles[rows]
            yield ArticleBatch(self.pixels[photos], article, rows, targets, photos, titles)
