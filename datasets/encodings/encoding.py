"""How categories and texts of a table become numbers; plain data, so that a predictor keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ...runtime.arguments.kinds import Checked, Number

Role = Literal["item", "shared", "past", "static"]
"""What a column of words belongs to: an item and a date, a date, an item and a date of the past, or an item."""

NONE, OTHER = "none", "other"
"""The level of an empty cell, and that of levels which are too rare to be learnt, or were not there in training."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class CategoryEncoding(Checked):
    """One-hot encoding of a categorical column, with a reference level.

    The most frequent level is the reference: it has no column of its own. A level that was not there in training is
    read as ``"other"`` where rare levels were, else as the mean of all levels but the reference.

    Arguments:
        column: its name.
        role: what its cells belong to.
        levels: in order of their frequency, the reference first.
        counts: rows of each level in training.
        rare: levels that were there too, and are read as ``"other"``.

    Example:
        >>> CategoryEncoding("campaign", "item", ("none", "sale", "flyer"), (90, 6, 2)).columns
        ('campaign:sale', 'campaign:flyer')
    """

    column: str
    role: Role
    levels: tuple[str, ...]
    counts: tuple[Number, ...]
    rare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_role(self.role)
        if not self.levels or len(set(self.levels)) != len(self.counts) or len(self.counts) != len(self.levels):
            raise ValueError(f"levels: expected different ones, each with a count, got {len(self.levels)} levels")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of numbers, one a level but the reference."""
        return tuple(f"{self.column}:{level}" for level in self.levels[1:])

    def is_known(self, words: np.ndarray) -> np.ndarray:
        """Whether each of some levels was there in training, bool ``[rows]``."""
        return np.isin(words, [*self.levels, *self.rare])

    def codes(self, words: np.ndarray) -> np.ndarray:
        """Whole numbers ``[rows]``: 1 for the reference and so on; 0 for a level that was not there in training."""
        places = {level: number + 1 for number, level in enumerate(self.levels)}
        return np.array([places.get(str(word), 0) for word in words], dtype=np.int64)

    def one_hot(self, words: np.ndarray) -> np.ndarray:
        """Columns of 0 and 1 ``[rows, levels - 1]``.

        Example:
            >>> encoding = CategoryEncoding("campaign", "item", ("none", "sale", "flyer"), (90, 6, 2))
            >>> encoding.one_hot(np.array(["sale", "none", "a new one"])).tolist()
            [[1.0, 0.0], [0.0, 0.0], [0.75, 0.25]]
        """
        found = (np.asarray(words)[:, None] == np.array(self.levels[1:], dtype=object)).astype(float)
        unknown = ~np.isin(words, self.levels)
        if OTHER in self.levels[1:]:
            found[unknown, self.levels.index(OTHER) - 1] = 1
        elif OTHER not in self.levels:
            counts = np.array(self.counts[1:], dtype=float)
            found[unknown] = counts / max(counts.sum(), 1)
        return found


@dataclass(frozen=True, repr=False)
class TextEncoding(Checked):
    """Latent semantic analysis of a column of free text: TF-IDF of its words, reduced to few components.

    Deerwester et al. (1990, doi 10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9). Words that were not
    there in training are left out; a text without any other is 0.

    Arguments:
        column: its name.
        role: what its cells belong to.
        words: the V words of the vocabulary.
        weights: inverse document frequencies ``[V]``.
        components: directions ``[V, k]``.
    """

    column: str
    role: Role
    words: tuple[str, ...]
    weights: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        _check_role(self.role)
        sizes = {len(row) for row in self.components}
        if not len(self.words) == len(self.weights) == len(self.components) or len(sizes) > 1:
            raise ValueError(f"components: expected a row for each of {len(self.words)} words, got {len(self.weights)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of numbers, one a component."""
        return tuple(f"{self.column}:{number + 1}" for number in range(len(self.components[0]) if self.words else 0))

    def reduced(self, texts: Sequence[str] | np.ndarray) -> np.ndarray:
        """The components of texts ``[rows, k]``."""
        table = tf_idf(texts, self.words, np.array(self.weights))
        return table @ np.array(self.components).reshape(len(self.words), len(self.columns))


@dataclass(frozen=True)
class Encoding(Checked):
    """Encoding of the categories and texts of a table, fitted on its training span.

    Arguments:
        categories: one a categorical column.
        texts: one a column of free text.
    """

    categories: tuple[CategoryEncoding, ...] = ()
    texts: tuple[TextEncoding, ...] = ()

    @property
    def parts(self) -> list[CategoryEncoding | TextEncoding]:
        """The encodings of all columns."""
        return [*self.categories, *self.texts]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that are encoded."""
        return tuple(each.column for each in self.parts)


def words_in(text: str) -> list[str]:
    """The words of a text, in small letters.

    Example:
        >>> words_in("Winter-Coat, 100% wool")
        ['winter', 'coat', '100', 'wool']
    """
    return _WORD.findall(text.lower())


def tf_idf(texts: Sequence[str] | np.ndarray, words: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Counts of words, weighted, each text of length 1 (or 0 where it has none of the words).

    Arguments:
        texts: the texts.
        words: the vocabulary V.
        weights: ``[V]``.

    Returns:
        ``[texts, V]``.
    """
    places = {word: place for place, word in enumerate(words)}
    counts = np.zeros((len(texts), len(words)))
    for row, text in enumerate(texts):
        for word in words_in(str(text)):
            if word in places:
                counts[row, places[word]] += 1
    counts *= weights
    size = np.linalg.norm(counts, axis=1, keepdims=True)
    return np.divide(counts, size, out=np.zeros_like(counts), where=size > 0)


def _check_role(role: str) -> None:
    if role not in get_args(Role):
        raise ValueError(f"role: expected one of {', '.join(get_args(Role))}; got {role!r}")
