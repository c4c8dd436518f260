"""Predictor folders spoilt at random: no code runs, memory stays that of the honest one, an error is one line."""

from __future__ import annotations

import json
import random
import shutil
import signal
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hemline.forecasting import load_predictor
from hemline.runtime.arguments.naming import in_words
from memory import forget_peak, needs_linux, peak

STORED = Path(__file__).parents[1] / "house" / "golden" / "stored" / "predictors"
KINDS = sorted(path.name for path in STORED.iterdir())
NUMBERS = [0, 1, -1, 3, 1000, 10**6, 10**9, 2**31, 2**63, 10**30, 8.9, 1e308, -0.5, float("nan")]
OTHERS = [True, None, "", "x", "../..", [], {}, [1]]
MOST = 64 * 2**20
"""Bytes by which twice the memory of the honest folder may be missed: what Python itself keeps meanwhile."""

pytestmark = [needs_linux, pytest.mark.filterwarnings("ignore")]


@contextmanager
def growth(bytes_: list[int]) -> Iterator[None]:
    """By how much a block grew beyond the memory before it, at its highest."""
    before = forget_peak()
    yield
    bytes_.append(peak() - before)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """A block of so many seconds of work."""

    def late(*_: Any) -> None:
        raise AssertionError(f"took more than {seconds} seconds")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def inner(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within plain data, with each of its keys."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from inner(item)


def flip(content: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if spoilt:
            spoilt[chance.randrange(min(len(spoilt), chance.choice([64, 4096, len(spoilt)])))] = chance.randrange(256)
    return bytes(spoilt)


def cut(content: bytes, chance: random.Random) -> bytes:
    return chance.choice([b"", content[: chance.randrange(len(content) + 1)], content + content])


def changed(content: bytes, chance: random.Random) -> bytes:
    """JSON without a key, or with another value at one place: another size, another kind."""
    read = json.loads(content)
    places = list(inner(read))
    for _ in range(chance.randint(1, 2)):
        container, key = chance.choice(places)
        if chance.random() < 0.3:
            container.pop(key, None) if isinstance(container, dict) else container.clear()
        elif key in container or isinstance(container, list):
            old = container[key] if isinstance(container, dict) or key < len(container) else 0
            number = isinstance(old, int) and chance.random() < 0.3
            value = old * chance.choice([2, 100, 10**5]) if number else chance.choice(NUMBERS + OTHERS)
            if isinstance(container, dict) or key < len(container):
                container[key] = value
    return json.dumps(read).encode()


def redeclared(content: bytes, chance: random.Random) -> bytes:
    """Weights whose header says something else of them."""
    (length,) = struct.unpack("<Q", content[:8])
    header = changed(content[8 : 8 + length], chance)
    told = chance.choice([len(header)] * 8 + [0, 2**40, 2**63, len(content)])
    return struct.pack("<Q", told) + header + content[8 + length :]


def spoil(folder: Path, chance: random.Random) -> str:
    file = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    ways = [flip, cut]
    ways += {".json": [changed] * 4, ".safetensors": [redeclared] * 2}.get(file.suffix, [])
    way = chance.choice(ways)
    file.write_bytes(way(file.read_bytes(), chance))
    if chance.random() < 0.05:
        file.unlink()
    return f"{way.__name__} {file.relative_to(folder)}"


def forecast(folder: Path, entry: Any) -> Exception | None:
    """What loading and forecasting end with."""
    try:
        predictor = load_predictor(folder)
    except (ValueError, OSError) as error:
        return error
    try:
        samples = next(iter(predictor.predict([entry], num_samples=4))).samples
    except AssertionError:
        raise
    except Exception as error:
        return error
    # A series of another name than in training has no forecast.
    return None if np.isfinite(samples).any() else AssertionError(f"paths that are none: {samples}")


def fuzz(kind: str, sales: Any, ran: Path, count: int, seed: int) -> None:
    entry = sales.history(0)
    if kind == "cold-start":
        entry = entry.with_(static_real=np.arange(8, dtype=np.float32).reshape(4, 2))
    assert forecast(STORED / kind, entry) is None
    honest: list[int] = []
    with growth(honest):
        forecast(STORED / kind, entry)
    endings = {True: 0, False: 0}
    for number in range(count):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(shutil.copytree(STORED / kind, Path(place) / kind))
            told, took = spoil(folder, random.Random(f"{kind} {seed} {number}")), []
            with at_most(20), growth(took):
                error = forecast(folder, entry)
        case = f"{kind}, seed {seed}, number {number}: {told}: {error!r}"
        assert took[0] <= 2 * honest[0] + MOST, f"{took[0] >> 20} MB, honest {honest[0] >> 20} MB; {case}"
        assert error is None or "\n" not in in_words(error), case
        assert not isinstance(error, AssertionError), case
        assert not ran.exists(), case
        endings[error is None] += 1
    assert endings[False] > count / 4, "what is spoilt is noticed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_spoilt_folder(kind, sales, ran):
    fuzz(kind, sales, ran, 2 if kind == "auto-ets" else 6, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_thousand_spoilt_folders(kind, sales, ran):
    fuzz(kind, sales, ran, 2000 // len(KINDS) + 1, seed=1)
