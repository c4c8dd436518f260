"""Digests by which what was computed before is found again."""

from __future__ import annotations

import hashlib

import numpy as np


def sha256_of(*parts: bytes | str | np.ndarray) -> str:
    """The SHA-256 digest of the concatenated parts.

    Arguments:
        parts: bytes; text, which counts as UTF-8; arrays, which count as their numbers, row by row.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> sha256_of("ab", b"c") == sha256_of("abc")
        True
    """
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            found.update(part.encode())
        else:
            found.update(part if isinstance(part, bytes) else part.tobytes())
    return found.hexdigest()
