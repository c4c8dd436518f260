"""Bad inputs of an assortment in partitions: attributes, workers, and folders of predictors."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bad_files import broken
from bad_inputs import LONG, NUL, VALID, Bad, bad, laying, spoiled
from bad_words import WHOLE


def words_of_partitions() -> Iterator[Bad]:
    """Attributes that are none, numbers that are none, and options that go with partitions alone."""
    yield from spoiled(
        "parts", "partition-by", ("", "nope", "category,nope", ",", "a\nb", LONG, NUL), "by", "attribute"
    )
    for option in ("partition-size", "workers"):
        yield from spoiled("parts", option, (*WHOLE, "0"))
    for given in ("--workers 2", "--ray", "--address x", "--partition-size 3"):
        yield bad(f"{VALID['train']} {given}", given.split()[0].strip("-"))
        yield bad(f"train --from parted {given}", given.split()[0].strip("-"))
    yield bad("train --from parted --partition-by category", "partition-by")
    for value in ("", "nope", "nope:1", "256.0.0.1:1", LONG):
        yield from spoiled("parts", "address", (value,))
    simulated = f"{VALID['train']} --partition-by category"
    yield bad(simulated, "category")


def tables_of_partitions() -> Iterator[Bad]:
    """Tables whose articles have no label, or two."""
    head = "article,week,units,category\n"
    weeks = [f"2024-01-{day:02d}" for day in range(1, 29)]
    whole = "".join(f"{item},{week},3,{item}\n" for item in "ab" for week in weeks)
    for rows in (
        "".join(f"c,{week},3,\n" for week in weeks),
        "".join(f"c,{week},3,{'xy'[number % 2]}\n" for number, week in enumerate(weeks)),
    ):
        yield bad(VALID["parts"], "category", parts_csv=head + whole + rows)
    yield bad(VALID["parts"], "category", "parts", parts_csv="article,week,units\na,2024-01-01,3\n")


def broken_partitions() -> Iterator[Bad]:
    """Folders of which a file is not what it should be, or is that of another model."""
    words = VALID["forecast"].replace("gru", "parted").replace("simulated_sales", "parts.toml")
    for name in ("partitions.json", "gluonts-config.json", "totals/gluonts-config.json", "partition-0/predictor.json"):
        for files in broken("parted", name):
            yield laying(words, files, "parted")
    right = {"item_ids": ["a", "b"], "places": [0, 1], "names": ["x", "y"], "labels": ["x", "y"], "strength": 0.5}
    for key, values in {
        "item_ids": (["a"], ["a", "a"], 3),
        "places": ([0], [0, 2], [0, -1], ["x", "y"], 3),
        "names": (["x"], ["x", "x"], 3),
        "labels": (["x"], 3),
        "strength": ("x", None, 2, -1),
    }.items():
        for value in values:
            yield laying(words, {"parted/partitions.json": json.dumps({**right, key: value})}, "parted")
    settings = {"prediction_length": 3, "season_length": 1}
    for place in ("partition-0", "totals"):
        told = json.dumps({"type": "SeasonalNaivePredictor", **settings})
        sign = json.dumps({"model": "1", "gluonts": "0", "type": "x", "name": "SeasonalNaivePredictor"})
        files = {f"parted/{place}/predictor.json": told, f"parted/{place}/gluonts-config.json": sign}
        yield laying(words, files, "parted", "horizon")
