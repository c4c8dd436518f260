"""How often somebody may ask."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

_REMEMBERED = 10_000


class Rate:
    """A bucket of tokens for each key: so many at once, and so many a minute.

    Arguments:
        per_minute: how many a minute.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Whether there is one more for a key, which is then taken."""
        moment = time.monotonic()
        with self._lock:
            left, last = self._left.pop(key, (float(self.per_minute), moment))
            left = min(self.per_minute, left + (moment - last) * self.per_minute / 60)
            allowed = left >= 1
            self._left[key] = (left - 1 if allowed else left, moment)
            while len(self._left) > _REMEMBERED:
                self._left.popitem(last=False)
        return allowed
