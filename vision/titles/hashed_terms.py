"""Titles as vectors without a vocabulary: words and pairs of words, hashed and weighted by how telling they are."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix, diags_array

_WORD = re.compile(r"\w+")


def terms(text: str) -> list[str]:
    """The words of a text in lower case, and each two that follow one another.

    Example:
        >>> terms("Navy-blue Shirt")
        ['navy', 'blue', 'shirt', 'navy blue', 'blue shirt']
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text).lower())
    return [*words, *map(" ".join, pairwise(words))]


def hashed_counts(texts: Sequence[str], buckets: int) -> csr_matrix:
    """Counts of terms, damped by a logarithm, in the buckets that they are hashed into, ``[n, buckets]``.

    Half of the terms count below 0: two in one bucket cancel as often as they add up (K. Weinberger et al., 2009,
    arXiv 0902.2206). The hash is CRC-32, the same on every machine.

    Arguments:
        texts: n texts.
        buckets: the number of buckets.
    """
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        for term, count in Counter(terms(text)).items():
            digest = zlib.crc32(term.encode())
            rows.append(row)
            columns.append((digest >> 1) % buckets)
            values.append((1.0 + np.log(count)) * (1 if digest & 1 else -1))
    return csr_matrix((np.array(values, dtype=np.float32), (rows, columns)), shape=(len(texts), buckets))


def inverse_frequency(counts: csr_matrix) -> np.ndarray:
    r"""The inverse document frequency of each bucket, float32 ``[buckets]``.

    :math:`1 + \ln\frac{1 + n}{1 + n_b}` for n texts of which n_b have a term in the bucket.
    """
    having = np.bincount(counts.indices, minlength=counts.shape[1])
    found: np.ndarray = (1 + np.log((1 + counts.shape[0]) / (1 + having))).astype(np.float32)
    return found


def weighted(counts: csr_matrix, telling: np.ndarray) -> csr_matrix:
    """TF-IDF vectors: counts times how telling each bucket is, each row of length 1; a text without words stays 0."""
    scaled = csr_matrix(counts.multiply(telling[None]))
    length = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    return csr_matrix(diags_array(1 / np.where(length > 0, length, 1.0)) @ scaled)
