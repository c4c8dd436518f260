"""Encodings learnt from the training span of a table."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from .encoding import OTHER, CategoryEncoding, Role, TextEncoding, tf_idf, words_in

MOST_LEVELS = 12
"""Levels of a category that have a column of their own, at most; the less frequent ones are read as ``"other"``."""

LEAST_STEPS = 2
"""Dates at which a level was there, at least, to have a column of its own."""

MOST_WORDS = 500
"""Words of the vocabulary at most."""

COMPONENTS = 4
"""Components of a text at most."""

_AT_ONCE = 5000


def fitted_category(column: str, role: Role, words: pd.Series, groups: np.ndarray) -> CategoryEncoding:
    """The encoding of a categorical column.

    Arguments:
        column: its name.
        role: what its cells belong to.
        words: ``[rows]`` of the training span, at least one.
        groups: ``[rows]`` the date of each row, or the item where the column is static: a level counts once in each.
    """
    steps = pd.Series(groups).groupby(words.to_numpy()).nunique()
    counts = words.value_counts()
    least = 1 if role == "static" else min(LEAST_STEPS, int(steps.max()))
    often = [level for level in counts.index if steps[level] >= least]
    often.sort(key=lambda level: (-counts[level], level))
    kept = often if role == "static" else often[:MOST_LEVELS]
    rare = tuple(sorted(set(counts.index) - set(kept)))
    numbers = {level: int(counts[level]) for level in kept}
    if rare:
        numbers[OTHER] = numbers.get(OTHER, 0) + int(sum(counts[level] for level in rare))
    ordered = sorted(numbers, key=lambda level: (-numbers[level], level))
    return CategoryEncoding(column, role, tuple(ordered), tuple(numbers[level] for level in ordered), rare)


def fitted_text(column: str, role: Role, texts: pd.Series) -> TextEncoding:
    """The encoding of a column of free text: words of at least two different texts, and their main components.

    Arguments:
        column: its name.
        role: what its cells belong to.
        texts: ``[rows]`` of the training span; each different text counts once.
    """
    different = sorted(set(texts))
    found = Counter(word for text in different for word in set(words_in(text)))
    often = sorted((word for word, count in found.items() if count >= 2), key=lambda word: (-found[word], word))
    words = tuple(sorted(often[:MOST_WORDS]))
    weights = np.log((1 + len(different)) / (1 + np.array([found[word] for word in words], dtype=float))) + 1
    gram = np.zeros((len(words), len(words)))
    for first in range(0, len(different), _AT_ONCE):
        table = tf_idf(different[first : first + _AT_ONCE], words, weights)
        gram += table.T @ table
    values, vectors = np.linalg.eigh(gram)
    # Largest first; as many as there are directions in which texts differ.
    order = np.argsort(-values)[:COMPONENTS]
    order = order[values[order] > 1e-9 * max(values.max(initial=0), 1e-300)]
    main = vectors[:, order]
    # A direction and its opposite are the same component: the largest part is above 0.
    main = main * np.sign(main[np.abs(main).argmax(0), np.arange(main.shape[1])]) if len(words) else main
    return TextEncoding(column, role, words, tuple(weights.tolist()), tuple(map(tuple, main.tolist())))
