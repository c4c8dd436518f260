"""Scores of captions: how much of what is said of a photo stands in its references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

_LENGTHS = 4
"""Words of the longest n-grams."""

_SPREAD = 6.0
"""Words by which a caption may be longer or shorter before that costs most of its score: σ of the paper."""

Gram = tuple[str, ...]

Terms = Mapping[Gram, float]


def cider_d(said: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    r"""CIDEr-D of captions: the cosine of their n-grams with those of references, weighted by TF-IDF.

    .. math::
        \frac{10}{4} \sum_{n=1}^{4} \frac{1}{m} \sum_{j=1}^{m} e^{-(l(c) - l(s_j))^2 / 2\sigma^2}
        \frac{\min(g^n(c), g^n(s_j)) \cdot g^n(s_j)}{\|g^n(c)\| \, \|g^n(s_j)\|}

    c is what is said, s its m references, l the number of words, :math:`\sigma = 6`. An n-gram counts in g as often as
    it occurs, times the logarithm of the number of photos over the number of those in whose references it stands: what
    all references say is worth nothing, and of a single photo nothing is worth anything.

    Arguments:
        said: n captions, their words with spaces between.
        references: the references of each.

    Returns:
        ``[n]``, 0…10; the score of a captioner is the mean. Scores compare on the same references alone.

    Raises:
        ValueError: the numbers differ, or there is no reference.

    Source: R. Vedantam, C. L. Zitnick, D. Parikh (2015), arXiv 1411.5726, equations 1 to 4 and section 6. As in the
    code of MS COCO, the terms of a caption are counts and no shares of it, and lengths are compared in words.

    Example:
        >>> cider_d(["red hat", "blue shoe"], [["red hat"], ["green shoe"]]).round(3).tolist()
        [5.0, 1.25]
    """
    if len(said) != len(references) or not all(references):
        raise ValueError(f"references: expected some for each of {len(said)} captions, got {len(references)}")
    counts = [[_counts(text) for text in texts] for texts in references]
    seen = Counter(gram for each in counts for gram in set().union(*each))
    total = np.log(max(len(said), 1))
    telling = {gram: float(total - np.log(number)) for gram, number in seen.items()}
    found = np.zeros(len(said))
    for row, (text, texts) in enumerate(zip(said, references, strict=True)):
        own = _weighted(_counts(text), telling, float(total))
        for reference, times in zip(texts, counts[row], strict=True):
            apart = len(text.split()) - len(reference.split())
            alike = _clipped_cosines(own, _weighted(times, telling, float(total)))
            found[row] += 10 * np.exp(-(apart**2) / (2 * _SPREAD**2)) * alike / len(texts)
    return found


def _counts(text: str) -> Counter[Gram]:
    words = text.split()
    return Counter(tuple(words[at : at + n]) for n in range(1, _LENGTHS + 1) for at in range(len(words) - n + 1))


def _weighted(counts: Mapping[Gram, int], telling: Terms, unseen: float) -> list[Terms]:
    """The weighted n-grams of a text, of each length apart."""
    each: list[dict[Gram, float]] = [{} for _ in range(_LENGTHS)]
    for gram, times in counts.items():
        each[len(gram) - 1][gram] = times * telling.get(gram, unseen)
    return [*each]


def _clipped_cosines(own: Sequence[Terms], other: Sequence[Terms]) -> float:
    """The mean over the lengths; what a caption says more often than the reference counts as often as there."""
    total = 0.0
    for mine, theirs in zip(own, other, strict=True):
        length = _length(mine) * _length(theirs)
        if length > 0:
            products = (min(value, theirs[gram]) * theirs[gram] for gram, value in mine.items() if gram in theirs)
            total += sum(products) / length
    return total / _LENGTHS


def _length(terms: Terms) -> float:
    return float(np.sqrt(sum(value**2 for value in terms.values())))
