"""Articles of an index by words: what is told of each, their titles and labels, compared with what is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..titles.hashed_terms import hashed_counts, inverse_frequency, weighted
from ..titles.text_encoder import TextEncoder
from .photo_vectors import Labels

_BUCKETS = 2**20


class WordSearch:
    """How much of what is asked in words the texts of articles say: cosines of TF-IDF vectors, or of a network's.

    Arguments:
        texts: n texts.
        encoder: a network that reads them; ``None`` compares words and pairs of words.

    Example:
        >>> search = WordSearch(["blue shirt", "red shirt", "blue blue jeans"])
        >>> int(search.scores("Blue jeans!").argmax()), [f"{score:.2f}" for score in search.scores("shirt")]
        (2, ['0.52', '0.47', '0.00'])
    """

    def __init__(self, texts: Sequence[str], encoder: TextEncoder | None = None) -> None:
        # The photos of an article share its text: each is read once.
        self._texts, self._row = np.unique(np.array(texts, dtype=object), return_inverse=True)
        self._encoder = encoder
        if encoder is None:
            counts = hashed_counts(list(self._texts), _BUCKETS)
            # What stands in no text says nothing about any.
            self._telling = inverse_frequency(counts) * (np.bincount(counts.indices, minlength=_BUCKETS) > 0)
            self._vectors = weighted(counts, self._telling)
        else:
            self._read = encoder(list(self._texts)).numpy()

    def scores(self, words: str) -> np.ndarray:
        """The similarity of each text to some words, float32 ``[n]``, at most 1.

        Raises:
            ValueError: the words are empty, or none of them stands in any text.
        """
        if not words.strip():
            raise ValueError("words: expected words, got none")
        if self._encoder is not None:
            found = self._read @ self._encoder([words]).numpy()[0]
        else:
            asked = weighted(hashed_counts([words], _BUCKETS), self._telling)
            found = (self._vectors @ asked.T).toarray()[:, 0]
            if not found.any():
                raise ValueError(f"words: expected words of titles or labels in the index, got {words!r}")
        scores: np.ndarray = found.astype(np.float32)[self._row]
        return scores


def told_of(texts: Sequence[str], labels: Sequence[Labels]) -> list[str]:
    """The title of each article, and the labels that it does not say already.

    Example:
        >>> told_of(["Blue shirt"], [{"colour": ("blue",), "neck": ("V",), "more": ()}])
        ['Blue shirt V']
    """
    found = []
    for text, held in zip(texts, labels, strict=True):
        said = text.lower()
        more = [label for told in held.values() for label in told if label.lower() not in said]
        found.append(" ".join([text, *more]).strip())
    return found
