"""What descriptors are worth for articles without a past: some of an assortment lose theirs, and are forecast.

Which articles are new is drawn anew for each seed. The rows: `cold-start` with the descriptors of each article, with
those of another one, and with none; gluonts' DeepAR with the descriptors as static features and the usual scale of the
others, 750 batches; and what the others sold in the same weeks a year ago.

Run: python -m benchmarks.new_articles [--data simulated|beer|photos] [--seeds 5] [--first 0] [--rows "cold-start;..."]
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from gluonts.torch import DeepAREstimator
from hemline.datasets import ForecastData, from_frame, from_sales, simulated_sales
from hemline.datasets.entries.channels import PRICE, PROMO, Channels, names_of, rows_of
from hemline.datasets.entries.entry import Entry
from hemline.datasets.entries.gluonts_keys import KNOWN, STATIC
from hemline.evaluation import crps
from hemline.forecasting import build_model
from hemline.runtime.folders import find
from lightning import seed_everything

SHARE, PATHS = 0.25, 200
PHOTO_WEEKS = 112
VECTORS = Path("runs/myntra")
FIELDS = {"numbers": "static_real", "kinds": "static_cat"}


@dataclass(frozen=True)
class Case:
    """A dataset with descriptors of its articles, in float32 ``[D, k]`` (numbers) or whole numbers (kinds)."""

    data: ForecastData
    described: Mapping[str, np.ndarray]


def simulated(seed: int) -> Case:
    """48 simulated articles of twelve styles; vectors that say level and style with an error, turned, among noise."""
    data, generator = simulated_sales(articles=48, weeks=160, seed=seed, windows=1), np.random.default_rng(seed)
    level = np.log(data.truth.level)
    size = (level - level.mean()) / level.std() + generator.normal(scale=0.3, size=48)
    style = pd.factorize(np.array(data.truth.styles))[0]
    look = generator.normal(size=(style.max() + 1, 3))[style] + generator.normal(scale=0.2, size=(48, 3))
    vectors = np.column_stack([size, look, generator.normal(size=(48, 7))])
    turn = np.linalg.qr(generator.normal(size=(11, 11)))[0]
    return Case(data, {"numbers": (vectors @ turn).astype(np.float32)})


def beer(seed: int) -> Case:
    """Monthly volumes of 25 kinds of beer at 58 agencies (Stallion), of which agency and kind are known."""
    path, tried = find(["retail_stallion_monthly/stallion.parquet"])
    if path is None:
        raise FileNotFoundError(f"stallion.parquet: looked in {', '.join(tried)}; HEMLINE_DATA names its folder")
    sold = pd.read_parquet(path, columns=["agency", "sku", "date", "volume"])
    sold["item"] = sold["agency"].astype(str) + " " + sold["sku"].astype(str)
    data = from_frame(
        sold,
        item="item",
        timestamp="date",
        target="volume",
        freq="M",
        prediction_length=3,
        domain="positive",
        name="beer",
    )
    parts = np.array([item.split() for item in data.metadata.item_ids])
    return Case(data, {"kinds": np.stack([pd.factorize(part)[0] for part in parts.T], axis=1)})


PLANTED_AXES, READ_AXES, PHOTOS = 3, 10, 48


def photos(seed: int) -> Case:
    """48 real articles of Myntra, whose level, season and answer to prices depend on their photos, in part.

    What photos say is planted in principal axes of EfficientNet-Lite1, three quarters of the variance of each of the
    three; models read ten axes of EfficientNet-Lite0, fitted on other articles. ``--vectors`` names the folder of both.
    """
    from hemline.datasets.pictures.source import open_source
    from hemline.vision.embed.embedding import PrincipalAxes

    from .recommend_world import CATALOGUE, PLANTED, READ, vectors_of

    source, generator = open_source(str(CATALOGUE)), np.random.default_rng(seed)
    planted, seen = (vectors_of(source, VECTORS, encoder).vectors for encoder in (PLANTED, READ))
    worn = [n for n, each in enumerate(source.catalogue.articles) if each.labels["masterCategory"] == ("Apparel",)]
    chosen = generator.permutation(worn)
    sold, rest = chosen[:PHOTOS], chosen[PHOTOS : PHOTOS + 600]
    looks = PrincipalAxes.fit(planted[rest], PLANTED_AXES).project(planted[sold])
    looks = (looks - looks.mean(0)) / looks.std(0)
    taste = np.sqrt(0.75) * looks + np.sqrt(0.25) * generator.normal(size=looks.shape)
    level, phase, answer = 40 * np.exp(0.8 * taste[:, 0]), 0.12 * taste[:, 1], -2.0 * np.exp(0.3 * taste[:, 2])
    weeks = np.arange(PHOTO_WEEKS)[:, None]
    listed = np.round(generator.uniform(15, 80, PHOTOS)) - 0.01
    cut = np.where(generator.random((PHOTO_WEEKS, PHOTOS)) < 0.12, generator.choice([0.7, 0.8, 0.9], PHOTOS), 1.0)
    season = np.exp(0.6 * np.cos(2 * np.pi * (weeks / 52 - phase)))
    shock = np.exp(np.cumsum(generator.normal(0, 0.03, (PHOTO_WEEKS, 1)), axis=0))
    mean = level * season * cut**answer * shock
    units = generator.poisson(generator.gamma(20, mean / 20)).astype(float)
    dates, items = pd.date_range("2022-01-03", periods=PHOTO_WEEKS, freq="W-MON"), [f"a{n}" for n in sold]
    rows = pd.DataFrame(
        {
            "article": np.repeat(items, PHOTO_WEEKS),
            "week": np.tile(dates, PHOTOS),
            "units": units.T.ravel(),
            "price": (listed * cut).T.ravel(),
        }
    )
    data = from_sales(
        rows, article="article", date="week", units="units", price="price", prediction_length=8, windows=1
    )
    read = PrincipalAxes.fit(seen[rest], READ_AXES).project(seen[sold])
    place = [items.index(item) for item in data.metadata.item_ids]
    # Prices alone of the truth are asked for.
    data = replace(data, truth=SimpleNamespace(list_price=listed[place]))
    return Case(data, {"numbers": (read / read.std(0))[place].astype(np.float32)})


def nearest(case: Case, train: Entry, past: Entry, new: np.ndarray, seed: int) -> np.ndarray:
    """What one of the five nearest others sold in the same steps a year ago, another one on each path."""
    year, horizon = case.data.metadata.season, case.data.metadata.prediction_length
    looks, generator = case.described["numbers"], np.random.default_rng(seed)
    before = past.target[~new][:, -year : horizon - year or None]
    found = []
    for look in looks[new]:
        near = np.argsort(((looks[~new] - look) ** 2).sum(1))[:5]
        found.append(before[near[generator.integers(5, size=PATHS)]])
    return np.stack(found, axis=-1)


def cold_start(case: Case, train: Entry, past: Entry, new: np.ndarray, seed: int) -> np.ndarray:
    """Paths of the new articles by `cold-start`."""
    predictor = build_model("cold-start", case.data.metadata).for_run(seed).train([train])
    return next(predictor.predict([past], num_samples=PATHS)).samples[:, :, new]


def shuffled(case: Case, train: Entry, past: Entry, new: np.ndarray, seed: int) -> np.ndarray:
    """With the descriptors of other articles."""
    order = np.random.default_rng(seed + 1000).permutation(len(new))
    mixed = {FIELDS[kind]: values[order] for kind, values in case.described.items()}
    return cold_start(case, train.with_(**mixed), past.with_(**mixed), new, seed)


def without(case: Case, train: Entry, past: Entry, new: np.ndarray, seed: int) -> np.ndarray:
    """Without descriptors."""
    train, past = (each.with_(static_real=None, static_cat=None) for each in (train, past))
    return cold_start(case, train, past, new, seed)


def deepar(case: Case, train: Entry, past: Entry, new: np.ndarray, seed: int) -> np.ndarray:
    """By gluonts' DeepAR, which is told of the usual scale and where a life begins."""
    metadata, rows = case.data.metadata, {}
    for name, entry in (("train", train), ("past", past)):
        rows[name] = []
        for number, target in enumerate(entry.target):
            item = metadata.item_ids[number]
            row = {"start": entry.start, "target": target, "item_id": item}
            row |= {key: entry[key][number] for key in STATIC.values() if key in entry}
            names = [name for kind in (PRICE, PROMO) for name in names_of(kind, [item]) if name in metadata.covariates]
            if names:
                row[KNOWN] = np.log1p(np.stack([entry.channel(name) for name in names]))
            rows[name].append(row)
    kinds = case.described.get("kinds")
    seed_everything(seed, verbose=False)
    quiet: dict[str, Any] = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary"), False)
    with tempfile.TemporaryDirectory() as folder:
        estimator = DeepAREstimator(
            freq=metadata.freq,
            prediction_length=metadata.prediction_length,
            num_feat_static_real=case.described.get("numbers", np.empty((0, 0))).shape[1],
            num_feat_static_cat=0 if kinds is None else kinds.shape[1],
            cardinality=None if kinds is None else [int(count) + 1 for count in kinds.max(0)],
            num_feat_dynamic_real=2 if metadata.covariates else 0,
            default_scale=float(np.nanmean(train.target[~new])),
            trainer_kwargs={**quiet, "max_epochs": 15, "default_root_dir": folder},
        )
        predictor = estimator.train([row for row, each in zip(rows["train"], new, strict=True) if not each])
    drawn = predictor.predict([row for row, each in zip(rows["past"], new, strict=True) if each], num_samples=PATHS)
    return np.stack([forecast.samples for forecast in drawn], axis=-1)


def others(case: Case, train: Entry, past: Entry, new: np.ndarray, seed: int) -> np.ndarray:
    """What another article sold in the same steps a year ago, another one on each path."""
    year, horizon = case.data.metadata.season, case.data.metadata.prediction_length
    target, generator = past.target[~new], np.random.default_rng(seed)
    before = target[:, -year : horizon - year or None]
    before = before[~np.isnan(before).any(1)]
    return before[generator.integers(len(before), size=(PATHS, new.sum()))].transpose(0, 2, 1)


ROWS: dict[str, Callable[[Case, Entry, Entry, np.ndarray, int], np.ndarray]] = {
    "cold-start": cold_start,
    "cold-start, descriptors of others": shuffled,
    "cold-start, none": without,
    "DeepAR (gluonts)": deepar,
    "others, a year ago": others,
}
OF_PHOTOS: dict[str, Callable[[Case, Entry, Entry, np.ndarray, int], np.ndarray]] = {
    **{name: ROWS[name] for name in list(ROWS)[:3]},
    "nearest photos, a year ago": nearest,
    "others, a year ago": others,
}
CASES = {"simulated": simulated, "beer": beer, "photos": photos}


def scores(samples: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Of paths ``[S, H, N]`` and what came ``[H, N]``: all relative to what was sold, but the coverage."""
    total = np.abs(truth).sum()
    low, high = np.quantile(samples, (0.1, 0.9), axis=0)
    sums = crps(samples.sum((1, 2))[:, None, None], truth.sum()[None, None])
    return {
        "CRPS": float(crps(samples, truth).sum() / total),
        "WAPE of the median": float(np.abs(np.median(samples, 0) - truth).sum() / total),
        "CRPS of the total": float(sums.item() / total),
        "Cover 80%": float(((low <= truth) & (truth <= high)).mean()),
    }


def run(make: Callable[[int], Case], rows: list[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Scores of some rows, a line each seed."""
    found = []
    for seed in seeds:
        case = make(seed)
        dim, horizon = case.data.metadata.target_dim, case.data.metadata.prediction_length
        new = np.zeros(dim, dtype=bool)
        new[np.random.default_rng(seed).permutation(dim)[: round(SHARE * dim)]] = True
        train = without_past(case.data.train[0], case, new)
        past = without_past(case.data.history(-1), case, new)
        truth = case.data.test[-1].target[:, -horizon:].T[:, new]
        for name in rows:
            samples = (ROWS | OF_PHOTOS)[name](case, train, past, new, seed)
            found.append({"row": name, "seed": seed, **scores(samples, truth)})
            BY_ARTICLE.setdefault(name, []).append(errors(samples, truth))
            print(*found[-1].values(), flush=True)
    return pd.DataFrame(found)


BY_ARTICLE: dict[str, list[np.ndarray]] = {}
"""Row -> for each seed what `errors` says."""


def errors(samples: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Sums over steps of each new article, ``[N, 3]``: CRPS, absolute error of the median, and units sold."""
    median = np.abs(np.median(samples, 0) - truth).sum(0)
    return np.column_stack([crps(samples, truth).sum(0), median, truth.sum(0)])


def compared(better: str, other: str, draws: int = 2000) -> str:
    """How much lower the scores of a row are, with 95 % bootstrap intervals over the new articles of all seeds."""
    one, two = (np.concatenate(BY_ARTICLE[name]) for name in (better, other))
    chosen = np.random.default_rng(0).integers(len(one), size=(draws, len(one)))
    told = []
    for place, name in enumerate(("CRPS", "WAPE of the median")):
        gain = (two[:, place] - one[:, place])[chosen].sum(1) / one[:, 2][chosen].sum(1)
        mean = (two[:, place] - one[:, place]).sum() / one[:, 2].sum()
        low, high = np.quantile(gain, [0.025, 0.975])
        told.append(f"{name} {mean:.3f} [{low:.3f}, {high:.3f}] lower")
    return f"{better} than {other}: {', '.join(told)}, {len(one)} articles"


def without_past(entry: Entry, case: Case, new: np.ndarray) -> Entry:
    """An entry in which new articles were never sold, at their list prices."""
    names, channels = entry.channels.names, entry.channels.values.copy()
    if names:
        for number in np.flatnonzero(new):
            for kind, before in ((PRICE, case.data.truth.list_price[number]), (PROMO, 0.0)):
                row = rows_of(names, kind, [case.data.metadata.item_ids[number]])
                if row is not None:
                    channels[row, : entry.length] = before
    return entry.with_(
        target=np.where(new[:, None], np.nan, entry.target).astype(np.float32),
        channels=Channels(channels, names),
        **{FIELDS[kind]: values for kind, values in case.described.items()},
    )


def main() -> None:
    """Print means and standard errors over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=list(CASES), default="simulated")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--rows", help="separated by semicolons")
    options = parser.parse_args()
    names = options.rows.split(";") if options.rows else list(OF_PHOTOS if options.data == "photos" else ROWS)
    seeds = range(options.first, options.first + options.seeds)
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    found = run(CASES[options.data], names, seeds)
    by_row = found.drop(columns="seed").groupby("row", sort=False)
    mean, error = by_row.mean(), by_row.std() / np.sqrt(options.seeds)
    shown = mean.map("{:.3f}".format) + " ± " + error.map("{:.3f}".format)
    print(f"| {options.data} | " + " | ".join(shown.columns) + " |\n|---|" + "---:|" * len(shown.columns))
    for name, cells in shown.iterrows():
        print(f"| {name} | " + " | ".join(cells) + " |")
    for other in names[1:]:
        print(compared(names[0], other))


if __name__ == "__main__":
    main()
