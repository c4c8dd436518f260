"""The results page: scores of a grid's folder go into docs/results.csv, and from there into the tables of the page.

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


def _seeds_line(seeds: pd.Series) -> str:
    """How many seeds stand behind the models, in a sentence."""
    counts = sorted(set(seeds), reverse=True)
    if len(counts) == 1:
        return f"{counts[0]} seed{'s' * (counts[0] > 1)} each."
    names = {count: ", ".join(seeds.index[seeds == count]) for count in counts}
    return "; ".join(f"{count} seed{'s' * (count > 1)}: {names[count]}" for count in counts) + "."


def main() -> None:
    """Take in folders of runs, write the file and the page."""
    parser = argparse.ArgumentParser(description="Write docs/results.csv and the tables of docs/results.md.")
    parser.add_argument("folders", nargs="*", type=Path, help="folders of runs to take in")
    folders = parser.parse_args().folders
    file, page = DOCS / "results.csv", DOCS / "results.md"
    parts = [pd.read_csv(file)] if file.exists() else []
    scores = merged([*parts, *map(scores_of, folders)])
    text = scores.assign(window=scores["window"].astype("Int64")).to_csv(index=False, float_format="%.6g")
    before, _, rest = page.read_text().partition(START)
    _, _, after = rest.partition(END)
    # The page is made of the numbers as the file has them, rounded.
    made = before + START + "\n" + as_tables(pd.read_csv(StringIO(text))) + "\n" + END + after
    file.write_text(text)
    page.write_text(made)


if __name__ == "__main__":
    main()
