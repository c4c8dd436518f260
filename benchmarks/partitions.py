"""A large assortment as partitions on Ray: seconds and memory by workers, a worker that is shot, and scores by level.

Run: python -m benchmarks.partitions [--part scaling|scores] [--articles 10000] [--partitions 10] [--weeks 60]
     [--workers 1,2] [--seeds 3] [--model analog] [--settings JSON] [--out runs/partitions]

scaling: all articles with each number of workers on Ray of this machine, and once more with two of which one is shot
in the middle. The numbers of a forecast are compared by their digest. Seconds are of the clock, from the data in memory
to the predictor, the start of Ray among them; those of a partition are of its training alone.

scores: an assortment that one model can forecast as a whole, against the same model in partitions, whose paths are
drawn independently, tied, and moved towards the totals (`best` is the share that the held-out windows chose).
Sales of all articles share a factor, and those of a category another one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import resource
import signal
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData
from hemline.datasets.entries.data import Metadata
from hemline.evaluation.scores.multivariate import energy_score
from hemline.evaluation.scores.univariate import crps
from hemline.forecasting import build_model
from hemline.forecasting.wrappers.partitions.estimator import PartitionedEstimator
from hemline.forecasting.wrappers.partitions.predictor import PartitionedPredictor, seed_of

HORIZON, PATHS = 8, 200


def shop(articles: int, partitions: int, weeks: int, windows: int, seed: int) -> ForecastData:
    """Weekly counts of articles in categories of equal size.

    The logarithm of each mean is a level, a season, a factor of all with a deviation of 0.2 and one of the category
    with 0.15, both autoregressive with 0.85 a week.
    """
    rng = np.random.default_rng(seed)
    steps = weeks + windows * HORIZON

    def factors(count: int, deviation: float) -> np.ndarray:
        found = np.zeros((count, steps))
        found[:, 0] = deviation * rng.normal(size=count)
        for week in range(1, steps):
            found[:, week] = 0.85 * found[:, week - 1] + (1 - 0.85**2) ** 0.5 * deviation * rng.normal(size=count)
        return found

    group = np.arange(articles) * partitions // articles
    season = 0.3 * np.sin(2 * np.pi * np.arange(steps) / 52 + rng.uniform(0, 6, (partitions, 1)))
    mean = np.exp(rng.normal(1.5, 1, (articles, 1)) + (season + factors(partitions, 0.15))[group] + factors(1, 0.2))
    sold = rng.negative_binomial(8, 8 / (8 + mean)).astype(np.float32)
    items = tuple(f"article_{number}" for number in range(articles))
    labels = {item: f"category_{place}" for item, place in zip(items, group.tolist(), strict=True)}
    start = pd.Period("2023-01-02", "W-SUN")
    metadata = Metadata(
        "shop", "W-SUN", HORIZON, item_ids=items, domain="count", season=52, attributes={"category": labels}
    )
    ends = [weeks + HORIZON * (window + 1) for window in range(windows)]
    entry = {"start": start, "item_ids": items}
    return ForecastData(
        metadata,
        train=[{**entry, "target": sold[:, :weeks]}],
        test=[{**entry, "target": sold[:, :end]} for end in ends],
    )


class Spent(logging.Handler):
    """Collects what each partition took, and shoots the worker of one in the middle.

    Arguments:
        shoot: after how many partitions; ``None`` for never.
    """

    def __init__(self, shoot: int | None) -> None:
        super().__init__(logging.INFO)
        self.shoot, self.rows, self.again = shoot, [], 0

    def emit(self, record: logging.LogRecord) -> None:
        """Take in what is told of a partition."""
        if record.msg.startswith("partition %s: %d series"):
            self.rows.append(record.args[2:])
            if len(self.rows) == self.shoot:
                threading.Timer(1.0, shot).start()
        self.again += "begun anew" in record.msg


def shot() -> None:
    """Kill one of the processes in which Ray trains a partition."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            ours = f"HEMLINE_BENCHMARK={os.getpid()}".encode() in (folder / "environ").read_bytes()
        except OSError:
            continue
        if ours and words.startswith(b"ray::_Worker"):
            os.kill(int(folder.name), signal.SIGKILL)
            return


def scaling(options: argparse.Namespace, workers: int, shoot: int | None) -> dict[str, object]:
    """One training on Ray, and the digest of a forecast."""
    data = shop(options.articles, options.partitions, options.weeks, 1, 0)
    os.environ["HEMLINE_BENCHMARK"] = str(os.getpid())
    spent, logger = Spent(shoot), logging.getLogger("hemline.forecasting.wrappers.partitions.training")
    logger.addHandler(spent)
    estimator = PartitionedEstimator(
        build_model(options.model, data.metadata, options.settings), "category", strength=1.0, workers=workers, ray=True
    )
    began = time.monotonic()
    model = estimator.train(data.train)
    seconds = time.monotonic() - began
    began = time.monotonic()
    drawn = next(model.predict([data.history(0)], num_samples=100, seed=1)).samples
    return {
        "workers": workers,
        "shot": spent.again,
        "seconds": seconds,
        "seconds a partition": float(np.mean([row[0] for row in spent.rows])),
        "processor s a partition": float(np.mean([row[1] for row in spent.rows])),
        "GiB a worker": max(row[2] for row in spent.rows),
        "forecast seconds": time.monotonic() - began,
        "GiB here": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "digest": hashlib.sha256(np.ascontiguousarray(drawn)).hexdigest()[:12],
    }


def scores(options: argparse.Namespace, seed: int) -> list[dict[str, object]]:
    """Scores by level of one assortment and seed."""
    data = shop(options.articles, options.partitions, options.weeks, 4, seed)
    model = build_model(options.model, data.metadata, options.settings)
    began = time.process_time()
    whole = model.for_run(seed).train(data.train)
    middle = time.process_time()
    found = PartitionedEstimator(model, "category", seed=seed).train(data.train)
    seconds = {"whole": middle - began, "partitions": time.process_time() - middle}
    parts = found.partitions
    pasts = [entry.history(HORIZON) for entry in data.test]
    truth = np.stack([entry.target[:, -HORIZON:].T for entry in data.test])
    places = np.array(parts.places)

    def drawn(of: object) -> np.ndarray:
        told = of.predict(pasts, num_samples=PATHS, seed=seed + 100)  # type: ignore[attr-defined]
        return np.stack([each.samples for each in told]).astype(float)

    def independent() -> np.ndarray:
        paths = np.zeros((len(pasts), PATHS, HORIZON, len(places)))
        for number, (member, pieces) in enumerate(zip(found.members, parts.cut(pasts), strict=True)):
            told = member.predict(pieces, num_samples=PATHS, seed=seed_of(seed + 100, number + 1))
            paths[..., places == number] = np.stack([each.samples for each in told])
        return paths

    forecasts = {
        "whole": drawn(whole),
        "independent": independent(),
        "tied": drawn(PartitionedPredictor(found.members, found.totals, parts, 0.0)),
        "moved": drawn(PartitionedPredictor(found.members, found.totals, parts, 1.0)),
        "best": drawn(found),
    }
    groups = (places[:, None] == np.arange(len(parts))).astype(float)
    rows = []
    for level, matrix in (("series", None), ("category", groups), ("total", np.ones((len(places), 1)))):
        came = truth if matrix is None else truth @ matrix
        size = np.mean(np.sqrt((came**2).sum(-1)))
        for kind, paths in forecasts.items():
            told = paths if matrix is None else paths @ matrix
            inside = np.mean((np.quantile(told, 0.1, axis=1) <= came) & (came <= np.quantile(told, 0.9, axis=1)))
            rows.append(
                {
                    "seed": seed,
                    "level": level,
                    "forecast": kind,
                    "energy": float(energy_score(told, came).mean() / size),
                    "crps": float(crps(told, came).sum() / came.sum()),
                    "coverage of 80 %": float(inside),
                    "share": found.strength,
                    **{f"seconds {name}": value for name, value in seconds.items()},
                }
            )
    return rows


def main() -> None:
    """Print the rows; what is in the folder is not run again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["scaling", "scores"], default="scaling")
    for name, value in (("articles", 10_000), ("partitions", 10), ("weeks", 60), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--model", default="analog")
    parser.add_argument("--settings", type=json.loads, default={"origins": 4}, help="of the model, as JSON")
    parser.add_argument("--out", type=Path, default=Path("runs/partitions"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("hemline").setLevel(logging.INFO)
    options.out.mkdir(parents=True, exist_ok=True)
    name = f"{options.part}-{options.model}-{options.articles}-{options.partitions}-{options.weeks}"
    rows: list[dict[str, object]] = []
    if options.part == "scaling":
        cases = [(int(count), None) for count in options.workers.split(",")] + [(2, options.partitions // 2)]
        for workers, shoot in cases:
            file = options.out / f"{name}-{workers}{'-shot' if shoot else ''}.json"
            if not file.exists():
                file.write_text(json.dumps(scaling(options, workers, shoot)))
            rows.append(json.loads(file.read_text()))
            print(json.dumps(rows[-1]), flush=True)
        print(pd.DataFrame(rows).round(2).to_string(index=False))
        return
    for seed in range(options.seeds):
        file = options.out / f"{name}-{seed}.json"
        if not file.exists():
            file.write_text(json.dumps(scores(options, seed)))
        rows += json.loads(file.read_text())
    measured = ["energy", "crps", "coverage of 80 %", "share"]
    print(
        pd.DataFrame(rows)
        .groupby(["level", "forecast"], sort=False)[measured]
        .agg(["mean", "sem"])
        .round(4)
        .to_string()
    )


if __name__ == "__main__":
    main()
