"""What models read of articles: labels as 0 and 1, and vectors of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...datasets.pictures.catalogue import Catalogue
from ...datasets.pictures.vectors import ArticleVectors
from ...runtime.arguments.kinds import checked


@dataclass(frozen=True, eq=False)
class ArticleFeatures:
    """Numbers of each article.

    Arguments:
        item_ids: the names of the n articles.
        tags: float32 ``[n, T]``, 1 where a label holds.
        tag_names: the T labels, each ``column=label``.
        vectors: float32 ``[n, F]`` of photos; zero for an article without one, F = 0 where none are read.
        shown: bool ``[n]``, whether an article has a photo.
        encoder: what made the vectors.
    """

    item_ids: tuple[str, ...]
    tags: np.ndarray
    tag_names: tuple[str, ...]
    vectors: np.ndarray
    shown: np.ndarray
    encoder: str = ""

    def __len__(self) -> int:
        """The number of articles."""
        return len(self.item_ids)

    @property
    def width(self) -> int:
        """Numbers of an article: labels, vector, and whether there is a photo."""
        return len(self.tag_names) + self.vectors.shape[1] + 1

    def numbers(self) -> np.ndarray:
        """All numbers of all articles, float32 ``[n, width]``."""
        shown = self.shown[:, None].astype(np.float32)
        return np.concatenate([self.tags, self.vectors, shown], axis=1, dtype=np.float32)

    def only(self, *, tags: bool = True, vectors: bool = True) -> ArticleFeatures:
        """The same articles with a part of the numbers left out."""
        left = self
        if not tags:
            left = replace(left, tags=left.tags[:, :0], tag_names=())
        if not vectors:
            left = replace(left, vectors=left.vectors[:, :0], shown=np.zeros(len(self), dtype=bool), encoder="")
        return left

    def of_items(self, item_ids: Sequence[str]) -> ArticleFeatures:
        """The rows of some articles.

        Raises:
            ValueError: an article has no features.
        """
        place = {item: number for number, item in enumerate(self.item_ids)}
        for item in item_ids:
            if item not in place:
                raise ValueError(f"articles: expected features of each article, got none of {item!r}")
        rows = np.array([place[item] for item in item_ids], dtype=np.int64)
        return replace(
            self,
            item_ids=tuple(item_ids),
            tags=self.tags[rows],
            vectors=self.vectors[rows],
            shown=self.shown[rows],
        )

    def shuffled(self, seed: int) -> ArticleFeatures:
        """The same rows in another order: the features of other articles, for a comparison that learns nothing."""
        order = np.random.default_rng(seed).permutation(len(self))
        return replace(self, tags=self.tags[order], vectors=self.vectors[order], shown=self.shown[order])


@checked
def article_features(
    catalogue: Catalogue | None = None,
    vectors: ArticleVectors | None = None,
    *,
    like: ArticleFeatures | None = None,
    at_least: int = 5,
) -> ArticleFeatures:
    """What models read of the articles of a catalogue.

    Arguments:
        catalogue: the articles and their labels; ``None`` for those of the vectors, without labels.
        vectors: of their photos; ``None`` for none.
        like: features that a model was trained with: the same labels, and vectors of the same encoder.
        at_least: labels of fewer articles are left out.

    Returns:
        The features, in the order of the catalogue.

    Raises:
        ValueError: there is neither a catalogue nor vectors, or the vectors are of another encoder, or have another
            length, than those of training.

    Example:
        >>> from hemline.datasets.pictures.catalogue import Article
        >>> shop = Catalogue((Article("a", labels={"colour": ("red",)}), Article("b")), ("colour",))
        >>> article_features(shop, at_least=1).numbers().tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    if catalogue is None and vectors is None:
        raise ValueError("catalogue: expected a catalogue, or vectors of articles, got neither")
    items = catalogue.item_ids if catalogue is not None else vectors.item_ids if vectors is not None else ()
    names = like.tag_names if like is not None else _tag_names(catalogue, at_least)
    column = {name: number for number, name in enumerate(names)}
    tags = np.zeros((len(items), len(names)), dtype=np.float32)
    for row, article in zip(tags, catalogue.articles if catalogue is not None else (), strict=False):
        for name, labels in article.labels.items():
            for label in labels:
                if (number := column.get(f"{name}={label}")) is not None:
                    row[number] = 1.0
    encoder, width = "" if vectors is None else vectors.encoder, 0
    if vectors is not None:
        width = vectors.vectors.shape[1]
        if like is not None and like.vectors.shape[1]:
            require_encoder(like, vectors)
    elif like is not None and like.vectors.shape[1]:
        raise ValueError(f"vectors: expected those of {like.encoder}, as in training, got none")
    if vectors is None or not width or (like is not None and not like.vectors.shape[1]):
        empty = np.zeros((len(items), 0), dtype=np.float32)
        return ArticleFeatures(items, tags, names, empty, np.zeros(len(items), dtype=bool))
    found = vectors.features(items)
    return ArticleFeatures(items, tags, names, found[:, :-1], found[:, -1] > 0, encoder)


def require_encoder(trained: ArticleFeatures, vectors: ArticleVectors) -> None:
    """Refuse vectors that were not made as those of training.

    Raises:
        ValueError: their encoder or their length is another one.
    """
    if vectors.encoder != trained.encoder:
        raise ValueError(
            f"vectors: expected those of {trained.encoder}, as in training, got those of {vectors.encoder}"
        )
    if vectors.vectors.shape[1] != trained.vectors.shape[1]:
        raise ValueError(
            f"vectors: expected {trained.vectors.shape[1]} numbers an article, as in training, "
            f"got {vectors.vectors.shape[1]}"
        )


def _tag_names(catalogue: Catalogue | None, at_least: int) -> tuple[str, ...]:
    count: dict[str, int] = {}
    for article in catalogue.articles if catalogue is not None else ():
        for name, labels in article.labels.items():
            for label in labels:
                count[f"{name}={label}"] = count.get(f"{name}={label}", 0) + 1
    return tuple(sorted(name for name, number in count.items() if number >= at_least))
