"""Train, validation and test split of a catalogue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...runtime.digest import sha256_of
from .catalogue import Catalogue
from .photos import Pictures

logger = logging.getLogger(__name__)

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class ArticleSplit:
    """The sides of a split, by item id.

    Arguments:
        train: the articles to learn from.
        validation: the articles by which training choices are made; may be empty.
        test: the articles that judge.
        seed: the seed of what was drawn, ``None`` for a split that the source gave.
        shared: photos that stand on two sides of a split that the source gave, by address.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    seed: int | None = None
    shared: tuple[str, ...] = ()

    def side(self, name: str) -> tuple[str, ...]:
        """The item ids of a side."""
        if name not in SIDES:
            raise ValueError(f"side: expected one of {SIDES}, got {name!r}")
        return getattr(self, name)


def split_articles(
    catalogue: Catalogue,
    pictures: Pictures,
    *,
    validation: float | None = None,
    test: float | None = None,
    seed: int = 0,
) -> ArticleSplit:
    """Split a catalogue by what its photos show, or as its source says.

    Where the source gave sides, they are kept, and photos on two sides are listed in ``shared``; a share for
    validation is then drawn from the training side, if the source gave none for it. Otherwise
    articles that share a photo (equal pixels, whatever the file) form a group, and a group goes where the
    hash of seed and content falls: the side of an article does not change when other articles come or go,
    unless they share a photo with its group. The shares are met on average, not exactly; a side that was asked
    for and stays empty is named in a warning.

    Arguments:
        catalogue: the articles.
        pictures: their photos.
        validation: the share of articles for validation; 0.1 if ``None``, and as given where the source gave sides.
        test: the share of articles for test; 0.2 if ``None``, and only ``None`` where the source gave sides.
        seed: another seed draws another split.

    Returns:
        The split.

    Raises:
        ValueError: a share is out of range or asked of a side that the source gave, only some articles have a given
            side, or a side is unknown.
    """
    given = [article.side for article in catalogue.articles]
    if any(side is not None for side in given):
        split = _given(catalogue, pictures, given)
        if test is not None or (validation is not None and split.validation):
            name, share = ("test", test) if test is not None else ("validation", validation)
            raise ValueError(f"{name}: expected no share, since the source says which articles these are, got {share}")
        validation, test = validation or 0.0, 0.0
    else:
        split = ArticleSplit(catalogue.item_ids, (), (), seed=seed)
        validation, test = 0.1 if validation is None else validation, 0.2 if test is None else test
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ValueError(f"validation, test: expected shares that leave some for training, got {validation}, {test}")
    if not validation + test:
        return split
    shown: list[list[str]] = [[] for _ in catalogue.articles]
    for number, content in zip(pictures.article, pictures.content, strict=True):
        shown[number].append(content)
    keys = dict(zip(catalogue.item_ids, _group_keys(catalogue.item_ids, shown), strict=True))
    sides: dict[str, list[str]] = {name: [] for name in SIDES}
    for item_id in split.train:
        draw = int(sha256_of(f"{seed}:{keys[item_id]}")[:16], 16) / 2**64
        name = "test" if draw < test else "validation" if draw < test + validation else "train"
        sides[name].append(item_id)
    for name, share in (("validation", validation), ("test", test)):
        if share and not sides[name]:
            logger.warning("%s: the split of %d articles leaves this side empty", name, len(split.train))
    return replace(
        split,
        train=tuple(sides["train"]),
        validation=split.validation + tuple(sides["validation"]),
        test=split.test + tuple(sides["test"]),
        seed=seed,
    )


def _group_keys(item_ids: Sequence[str], shown: Sequence[Sequence[str]]) -> list[str]:
    parent: dict[str, str] = {}

    def root(content: str) -> str:
        while parent.setdefault(content, content) != content:
            content = parent[content]
        return content

    for contents in shown:
        for content in contents:
            first, second = sorted((root(contents[0]), root(content)))
            parent[second] = first
    return [root(contents[0]) if contents else item_id for item_id, contents in zip(item_ids, shown, strict=True)]


def _given(catalogue: Catalogue, pictures: Pictures, given: Sequence[str | None]) -> ArticleSplit:
    sides: dict[str, list[str]] = {name: [] for name in SIDES}
    for article, side in zip(catalogue.articles, given, strict=True):
        if side not in SIDES:
            raise ValueError(f"side: expected one of {SIDES} for every article, got {side!r} for {article.item_id!r}")
        sides[side].append(article.item_id)
    where: dict[str, set[str | None]] = {}
    for number, content in zip(pictures.article, pictures.content, strict=True):
        where.setdefault(content, set()).add(given[number])
    shared = tuple(
        address
        for address, content in zip(pictures.addresses, pictures.content, strict=True)
        if len(where[content]) > 1
    )
    return ArticleSplit(tuple(sides["train"]), tuple(sides["validation"]), tuple(sides["test"]), shared=shared)
