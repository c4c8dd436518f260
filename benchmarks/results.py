"""The results page: scores of a grid's folder go into docs/results.csv, and from there into the tables of the page.

The README has a small table of the same file, for readers who sell things: `for_merchants`.

The grid takes hours and may be run in parts, on several machines; the file keeps what every part has found, a number a
row. Empty windows are pooled over all of them. A run replaces an earlier one of the same model, dataset and seed.

Run: python -m benchmarks.results [FOLDER ...]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

import pandas as pd
from hemline.datasets import DATASETS
from hemline.evaluation import load_backtest, summary, wins
from hemline.evaluation.store.which_runs_count import current_runs
from hemline.forecasting import MODELS

DOCS = Path(__file__).parents[1] / "docs"
COLUMNS = ["dataset", "model", "seed", "run", "window", "metric", "value"]
SHOWN = ["crps_sum", "energy_score", "crps", "variogram_score", "coverage_80", "coverage_80_sum"]
BY_WINDOW = ["crps_sum", "energy_score"]
OURS = ["cross-fit", "analog", "pool"]
REPEATED = "pems_sf_daily"
"""The set whose test windows stand in its training span: no window to be won."""
IN_PLAIN_WORDS = {
    "dominicks_oj": "orange juice, 11 brands, weeks, with prices",
    "taxi_manhattan": "taxi trips, 67 zones, hours",
    "wiki2_daily": "page views, 150 groups of pages, days",
    "electricity_ecl203": "electricity, 203 clients, hours",
    "pems_sf_267d": "road traffic, 200 lanes, days",
    "solar_florida": "solar power, 216 plants, tenths of a day",
    "exchange_rate_nips": "exchange rates, 8 currencies, days",
}
MERCHANTS = ["pool", "analog", "deepar", "auto-ets", "seasonal-naive"]
"""The columns of the README's table."""
START, END = "<!-- made by python -m benchmarks.results -->\n", "<!-- end -->\n"


def scores_of(folder: Path) -> pd.DataFrame:
    """The scores of the finished runs in the folder of a grid: pooled, and some of them by window.

    Arguments:
        folder: that `hemline table --run` wrote.
    """
    found = load_backtest(folder)
    described = current_runs(pd.DataFrame(found.runs))
    finished = described[described["status"] == "finished"]["run"]
    scores = found.scores[found.scores["run"].isin(finished)]
    scores = scores[scores["item_id"].isna() & scores["step"].isna()]
    scores = scores[scores["window"].isna() | scores["metric"].isin(BY_WINDOW)]
    return scores[COLUMNS].astype({"window": float})


def merged(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All scores, of two runs of the same model, dataset and seed those of the later part.

    Arguments:
        parts: frames with `COLUMNS`.
    """
    runs = pd.concat([part[COLUMNS[:4]].drop_duplicates() for part in parts])
    last = runs.drop_duplicates(COLUMNS[:3], keep="last")["run"]
    scores = pd.concat(parts).drop_duplicates([*COLUMNS[:4], "window", "metric"], keep="last", ignore_index=True)
    scores = scores[scores["run"].isin(last)]
    order = scores.assign(dataset=_places(scores["dataset"], DATASETS), model=_places(scores["model"], MODELS))
    order = order.sort_values(["dataset", "model", "seed", "metric", "window"], na_position="first")
    return scores.loc[order.index]


def _places(names: pd.Series, known: Iterable[str]) -> pd.Series:
    """The place of each name among those that are known, the others behind them by name."""
    others = sorted(set(names) - set(known))
    return names.map({name: place for place, name in enumerate([*known, *others])})


def as_tables(scores: pd.DataFrame) -> str:
    """The tables of the page.

    Arguments:
        scores: with `COLUMNS`.
    """
    long = scores.assign(item_id=None, step=None)
    texts = []
    for dataset, part in long.groupby("dataset", sort=False):
        pooled = part[part["window"].isna() & (part["metric"] == "energy_score")]
        order = pooled.groupby("model")["value"].mean().sort_values().index
        by_score = part.set_index("model").loc[list(order)].reset_index()
        table = summary(by_score, str(dataset), SHOWN)
        seeds = part.groupby("model", sort=False)["seed"].agg(lambda found: len(set(found)))
        rows = table.render().split("\n", 2)[2]
        texts.append(f"### {dataset}: {DATASETS[str(dataset)].about}\n\n{rows}\n\n{_seeds_line(seeds)}\n")
    won = long[long["dataset"] != REPEATED]
    by_model = won.loc[_places(won["model"], MODELS).sort_values(kind="stable").index]
    for metric in BY_WINDOW:
        table = wins(by_model, metric, OURS)
        heading, rest = table.render().split("\n", 1)
        texts.append(f"### {heading}\n{rest}\n")
    return "\n".join(texts)


def for_merchants(scores: pd.DataFrame) -> str:
    """The table of the README: by how much forecasts are off, and how often `pool` says so beforehand.

    Arguments:
        scores: with `COLUMNS`.
    """
    pooled = scores[scores["window"].isna()]
    found = pooled.groupby(["metric", "dataset", "model"])["value"].mean()
    wape = found["nd"].unstack().loc[list(IN_PLAIN_WORDS), MERCHANTS]
    held = [found[f"coverage_80{of}"].unstack()["pool"].loc[list(IN_PLAIN_WORDS)] for of in ("", "_sum")]
    rows = [["forecast of", *(f"`{model}`" for model in MERCHANTS), "`pool`: one series in its range", "their sum"]]
    rows.append(["---", *["---:"] * (len(rows[0]) - 1)])
    for dataset, row in wape.iterrows():
        best = row.min()
        cells = [f"**{value:.1%}**" if f"{value:.1%}" == f"{best:.1%}" else f"{value:.1%}" for value in row]
        shares = [f"{share[dataset]:.0%}" for share in held]
        rows.append([IN_PLAIN_WORDS[str(dataset)], *cells, *shares])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + "\n"


def _seeds_line(seeds: pd.Series) -> str:
    """How many seeds stand behind the models, in a sentence."""
    counts = sorted(set(seeds), reverse=True)
    if len(counts) == 1:
        return f"{counts[0]} seed{'s' * (counts[0] > 1)} each."
    names = {count: ", ".join(seeds.index[seeds == count]) for count in counts}
    return "; ".join(f"{count} seed{'s' * (count > 1)}: {names[count]}" for count in counts) + "."


def main() -> None:
    """Take in folders of runs, write the file and the page."""
    parser = argparse.ArgumentParser(
        description="Write docs/results.csv and the tables of docs/results.md and README.md."
    )
    parser.add_argument("folders", nargs="*", type=Path, help="folders of runs to take in")
    folders = parser.parse_args().folders
    file = DOCS / "results.csv"
    parts = [pd.read_csv(file)] if file.exists() else []
    scores = merged([*parts, *map(scores_of, folders)])
    text = scores.assign(window=scores["window"].astype("Int64")).to_csv(index=False, float_format="%.6g")
    # The pages are made of the numbers as the file has them, rounded.
    rounded = pd.read_csv(StringIO(text))
    pages = {DOCS / "results.md": as_tables(rounded), DOCS.parent / "README.md": for_merchants(rounded)}
    made = {page: between_marks(page.read_text(), section) for page, section in pages.items()}
    file.write_text(text)
    for page, whole in made.items():
        page.write_text(whole)


def between_marks(page: str, section: str) -> str:
    """A page with another section between its marks.

    Arguments:
        page: its text, with `START` and `END`.
        section: what stands between them from now on.
    """
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return before + START + "\n" + section + "\n" + END + after


if __name__ == "__main__":
    main()
