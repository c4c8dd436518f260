"""Bad inputs of pairs of poses."""

from __future__ import annotations

from collections.abc import Iterator

from bad_inputs import LONG, NUL, Bad, bad, spoiled
from bad_words import WHOLE

LEAST = {"poses": {"people": 1, "held-out": 0, "photos": 2, "size": 16, "seed": 0}}


def words_of_poses() -> Iterator[Bad]:
    """Numbers and words that are none, and places that cannot be written to."""
    for name, options in LEAST.items():
        for option, least in options.items():
            yield from spoiled(name, option, [*WHOLE, *(["0"] if least else [])])
    yield from spoiled("poses", "standing", ("", "nope", "a\nb", "MIDDLE"))
    yield from spoiled("poses", "photos", ("1",))
    for value in ("sales.csv", "sales.csv/below", LONG, NUL):
        yield bad(["data", "poses", value, "--people", "1", "--size", "16"], "folder")
