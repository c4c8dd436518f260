"""The domain of a series: real numbers, non-negative amounts, or counts."""

from __future__ import annotations

from typing import Literal

Domain = Literal["real", "nonnegative", "count"]
