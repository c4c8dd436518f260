"""A year of Mondays with launches and delistings: models updated every week beside models trained anew.

Run: python -m benchmarks.mondays [--models analog,cross-fit] [--articles 24] [--seed 1] [--through command] [--again]
It goes on where it was killed; every finished week lies in `--out`. `--again` trains the model anew with another
seed as well: what two trainings differ by is what an update may differ by through chance alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from hemline.datasets import ForecastData, from_sales, simulated_shop
from hemline.evaluation.adapters.foreign import for_run
from hemline.evaluation.scores.multivariate import energy_score
from hemline.evaluation.scores.univariate import crps
from hemline.forecasting import build_model, load_predictor
from hemline.runtime.texts import toml_value
from hemline.runtime.whole_files import whole_file

FIRST, YEAR, HORIZON, WINDOWS = 104, 52, 8, 12
"""Weeks before the first Monday; Mondays; weeks forecast; Mondays on whose forecasts two models are compared."""

QUARTERS = (13, 26, 39, 52)

SHORT = {"train": {"max_epochs": 10, "batches_per_epoch": 50, "batch_size": 32}}
"""A quarter of the steps that ship: a training of a network takes some seconds."""

SETTINGS: dict[str, Mapping[str, Any]] = {
    "gru-maf": SHORT,
    "sales-maf": SHORT,
    "deepar": SHORT,
    "pool": {"models": {"deepar": SHORT, "density": SHORT}},
}

HOW: dict[str, Any] = {
    "article": "Artikel", "store": "Filiale", "date": "Woche", "units": "Absatz", "price": "Preis",
    "promotion": "Aktion", "in_stock": "Bestand", "shared_covariates": ["Feiertag"], "prediction_length": HORIZON,
    "windows": 0, "unseen": "drop",
}  # fmt: skip


class Shop:
    """The shop of a year, as it is exported on each Monday, and what was really asked for."""

    def __init__(self, articles: int, seed: int) -> None:
        weeks = FIRST + YEAR + WINDOWS + HORIZON
        self.shop = simulated_shop(
            articles=articles, weeks=weeks, prediction_length=HORIZON, launches=0.4, delistings=0.25, seed=seed
        )
        self.week = (self.shop.table["Woche"] - self.shop.table["Woche"].min()).dt.days // 7
        self.read: dict[int, ForecastData] = {}

    def export(self, week: int) -> pd.DataFrame:
        """The table after so many weeks: those to come have prices and no sales yet."""
        table = self.shop.table[self.week < week + HORIZON].copy()
        table.loc[self.week >= week, ["Absatz", "Retouren", "Bestand"]] = pd.NA
        return table.reset_index(drop=True)

    def monday(self, week: int) -> ForecastData:
        """The dataset of that export."""
        if week not in self.read:
            self.read[week] = from_sales(self.export(week), **HOW)
        return self.read[week]

    def scores(self, model: Any, week: int) -> list[dict[str, float]]:
        """CRPS, energy score and CRPS of the sum, over units asked for, of the Mondays from a week on.

        They are those of the articles that were there on the first of them and are still sold.
        """
        truth, known = self.shop.truth, set(self.monday(week).metadata.item_ids)
        rows = []
        for origin in range(week, week + WINDOWS):
            entry = self.monday(origin).latest
            names = [name for name in entry.item_ids if name in known]
            place = [truth.sales.articles.index(name) for name in names]
            steps = slice(origin, origin + HORIZON)
            there = truth.on_sale[steps][:, place]
            asked = np.where(there, truth.sales.demand[steps][:, place], 0.0)
            drawn = np.asarray(next(iter(model.predict([entry], num_samples=100, seed=1))).samples)
            drawn = np.where(there, drawn[..., [entry.item_ids.index(name) for name in names]], 0.0)
            if not np.isfinite(drawn).all():
                raise ValueError(f"forecast: expected finite paths, got others in week {origin}")
            sums = drawn.sum(-1, keepdims=True), asked.sum(-1, keepdims=True)
            size = float(np.linalg.norm(asked, axis=-1).sum())
            rows.append(
                {
                    "crps": float(crps(drawn, asked).sum() / asked.sum()),
                    "energy": float(energy_score(drawn, asked).sum() / size),
                    "sum": float(crps(*sums).sum() / asked.sum()),
                }
            )
        return rows


class Walk:
    """The year of one model, in a folder that holds each week that is done."""

    def __init__(self, name: str, shop: Shop, folder: Path, through: str, again: bool = False) -> None:
        self.name, self.shop, self.folder, self.through, self.again = name, shop, folder, through, again
        folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        """Go on from the last week that is done."""
        for week in range(YEAR + 1):
            if self._done(f"week-{week:02d}"):
                continue
            begun = time.process_time()
            fitted = self._trained(week) if week == 0 else self._updated(week)
            row: dict[str, Any] = {"seconds": time.process_time() - begun}
            if week in QUARTERS:
                row["scores"] = self.shop.scores(fitted, FIRST + week)
            else:  # each Monday's forecast has to be there
                next(iter(fitted.predict([self.shop.monday(FIRST + week).latest], num_samples=20)))
            self._note(f"week-{week:02d}", row)
            shutil.rmtree(self._place(week - 1), ignore_errors=True)
        for week in QUARTERS:
            for seed, kind in enumerate(("anew", "again")[: 1 + self.again]):
                if not self._done(f"{kind}-{week:02d}"):
                    begun = time.process_time()
                    fitted = self._trained(week, seed)
                    seconds = time.process_time() - begun
                    self._note(
                        f"{kind}-{week:02d}", {"seconds": seconds, "scores": self.shop.scores(fitted, FIRST + week)}
                    )

    def rows(self) -> list[dict[str, Any]]:
        """What is done of the quarters: seconds and scores of the updated model over those of one trained anew."""
        found = []
        for number, week in enumerate(QUARTERS):
            if not self._done(f"week-{week:02d}") or not self._done(f"anew-{week:02d}"):
                continue
            anew, after = self._read(f"anew-{week:02d}"), self._read(f"week-{week:02d}")
            since = QUARTERS[number - 1] + 1 if number else 1
            each = [self._read(f"week-{each:02d}")["seconds"] for each in range(since, week + 1)]
            row = {"model": self.name, "week": week, "training s": anew["seconds"], "update s": float(np.mean(each))}
            row["of it"] = row["update s"] / row["training s"]
            for score in ("crps", "energy", "sum"):
                pair = np.array([[rows[score] for rows in part["scores"]] for part in (after, anew)])
                row[score] = float(pair[1].mean())
                row[f"{score} updated"] = float(pair[0].mean() / pair[1].mean())
                row[f"{score} ±"] = float((pair[0] - pair[1]).std(ddof=1) / np.sqrt(WINDOWS) / pair[1].mean())
                if self._done(f"again-{week:02d}"):
                    other = [rows[score] for rows in self._read(f"again-{week:02d}")["scores"]]
                    row[f"{score} again"] = float(np.mean(other) / pair[1].mean())
            found.append(row)
        return found

    def _trained(self, week: int, seed: int = 0) -> Any:
        data = self.shop.monday(FIRST + week)
        model: Any = for_run(build_model(self.name, data.metadata, SETTINGS.get(self.name, {})), seed)
        if week or self.through == "python":
            fitted = model.train([data.whole])
            if not week:
                fitted.serialize(self._place(week))
            return fitted
        settings = self.folder / "settings.toml"
        settings.write_text(toml_of(SETTINGS.get(self.name, {})))
        start = ["--dataset", self._table(), "--model", self.name, "--config", str(settings), "--whole"]
        self._command(week, *start)
        return load_predictor(self._place(week))

    def _updated(self, week: int) -> Any:
        if self.through == "command":
            self._command(week, "--from", str(self._place(week - 1)))
            return load_predictor(self._place(week))
        fitted = load_predictor(self._place(week - 1))
        later = fitted.update([self.shop.monday(FIRST + week).whole], self.folder / "checkpoints" / f"week-{week}")
        later.serialize(self._place(week))
        return later

    def _command(self, week: int, *words: str) -> None:
        from hemline import cli
        from typer.testing import CliRunner

        cli.mount()
        self.shop.export(FIRST + week).to_csv(self.folder / "umsatz.csv", index=False)
        shutil.rmtree(self._place(week), ignore_errors=True)
        done = CliRunner().invoke(cli.app, ["train", *words, "--out", str(self._place(week))])
        if done.exit_code:
            raise RuntimeError(f"hemline train, week {week}: {done.output}")

    def _table(self) -> str:
        described = {**HOW, "table": "umsatz.csv", "windows": 1}
        (self.folder / "shop.toml").write_text(toml_of(described))
        return str(self.folder / "shop.toml")

    def _place(self, week: int) -> Path:
        return self.folder / f"fitted-{week:02d}"

    def _done(self, name: str) -> bool:
        return (self.folder / f"{name}.json").exists()

    def _read(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return row

    def _note(self, name: str, row: Mapping[str, Any]) -> None:
        with whole_file(self.folder / f"{name}.json") as aside:
            aside.write_text(json.dumps(row))


def toml_of(settings: Mapping[str, Any], place: str = "") -> str:
    """Settings as TOML, a line each.

    >>> toml_of({"train": {"seed": 1}, "name": "coat"}).splitlines()
    ['train.seed = 1', 'name = "coat"']
    """
    return "".join(
        toml_of(value, f"{place}{key}.") if isinstance(value, Mapping) else f"{place}{key} = {toml_value(value)}\n"
        for key, value in settings.items()
    )


def main() -> None:
    """Walk through the year and print what is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="analog,cross-fit,gru-maf,deepar,pool")
    parser.add_argument("--articles", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1, help="of the shop")
    parser.add_argument("--again", action="store_true", help="train anew with another seed too")
    parser.add_argument("--through", choices=("python", "command"), default="python")
    parser.add_argument("--show", action="store_true", help="print what is done, and do no more")
    parser.add_argument("--out", type=Path, default=Path("runs/mondays"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    # What is imported when it is first needed is no part of a training.
    import_module("gluonts.torch.model.deepar")
    import_module("hemline.forecasting.training.fit")

    shop, rows = Shop(options.articles, options.seed), []
    for name in options.models.split(","):
        of_shop = options.out / f"{options.through}-{options.articles}-{options.seed}"
        walk = Walk(name, shop, of_shop / name, options.through, options.again)
        if not options.show:
            walk.run()
        rows += walk.rows()
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
