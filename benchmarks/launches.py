"""What a launch takes from the articles that are there, and they from it, beside what the simulator planted.

Run: python -m benchmarks.launches [--seeds 5] [--first 0] [--articles 40] [--rows "cold-start;..."] [--out FOLDER]

Each article that is launched in the second half of a simulated shop is forecast from the week before: its price is
cut by a fifth, that of each other one is, and it is not launched at all. Articles of one group are rivals;
vectors of looks say which are alike with an error, turned among as many numbers that say nothing. The rows: with group
and vectors of each article; with its vectors; with those of other ones (random neighbours); with none, so that every
pair has the average effect of all; and no effect at all. What a launch does to the forecasts of the others is judged by
their sales. A seed's rows are kept in ``--out`` and not run
again.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hemline.datasets import ForecastData, SimulatedShop, from_sales, simulated_shop
from hemline.datasets.entries.entry import Entry
from hemline.evaluation import crps
from hemline.forecasting import Scenario, build_model, simulate

HORIZON, CHANGE, PATHS, WEEKS = 8, -0.2, 400, 120
NOISE = 4
LEVELS = (0.8, 0.9)
HOW: dict[str, Any] = {
    "article": "Artikel", "date": "Woche", "units": "Absatz", "price": "Preis", "promotion": "Aktion",
    "in_stock": "Bestand", "shared_covariates": ["Feiertag"], "prediction_length": HORIZON, "windows": 0,
    "unseen": "keep",
}  # fmt: skip
KINDS = ("its price on others", "prices of others on it", "its presence on others")


def shop_of(seed: int, articles: int, taken: float) -> SimulatedShop:
    """A shop of one store, half of whose articles come later."""
    return simulated_shop(
        articles=articles, stores=1, weeks=WEEKS, launches=0.5, delistings=0.0, taken=taken, seed=seed,
        prediction_length=HORIZON,
    )  # fmt: skip


def read_looks(shop: SimulatedShop, seed: int) -> np.ndarray:
    """Vectors ``[D, 8]`` of all articles, as an encoder might say their looks."""
    generator, looks = np.random.default_rng([seed, 5]), shop.truth.looks
    seen = looks + generator.normal(scale=0.2, size=looks.shape)
    whole = np.column_stack([seen, generator.normal(size=(len(looks), NOISE))])
    turn = np.linalg.qr(generator.normal(size=(whole.shape[1],) * 2))[0]
    return (whole @ turn).astype(np.float32)


def export(shop: SimulatedShop, week: int) -> ForecastData:
    """The dataset of the articles that are there by a week, from which on nothing is known but prices."""
    table, launched = shop.table, dict(zip(shop.truth.sales.articles, shop.truth.launch, strict=True))
    number = (table["Woche"] - table["Woche"].min()).dt.days // 7
    kept = table[(number < week + HORIZON) & (table["Artikel"].map(launched) <= week)].copy()
    kept.loc[number >= week, ["Absatz", "Retouren", "Bestand"]] = pd.NA
    return from_sales(kept.reset_index(drop=True), **HOW)


def described(entry: Entry, shop: SimulatedShop, row: str, seed: int) -> Entry:
    """An entry with what a row says of its articles."""
    place = [shop.truth.sales.articles.index(item) for item in entry.item_ids]
    looks, groups = read_looks(shop, seed), pd.factorize(np.array(shop.truth.sales.styles))[0]
    if row == "no descriptors":
        return entry
    if row == "vectors of others":
        return entry.with_(static_real=looks[np.random.default_rng([seed, 6]).permutation(len(looks))[place]])
    kinds = groups[place, None] if row == "group and vectors" else None
    return entry.with_(static_real=looks[place], static_cat=kinds)


def pairs_of(shop: SimulatedShop, week: int, row: str, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """A row for each pair with what was launched in a week; and CRPS of the others' totals, with and without.

    The columns: kind of effect, whether the two are of one style, what is planted, the mean effect, and the limits of
    its intervals.
    """
    truth, data = shop.truth, export(shop, week)
    names = data.metadata.item_ids
    new = [name for name in names if truth.launch[truth.sales.articles.index(name)] == week]
    train, past = (described(entry, shop, row, seed) for entry in (data.train[0], data.latest))
    predictor = build_model("cold-start", data.metadata).for_run(seed).train([train])
    others = [name for name in names if name not in new]
    scenarios = [Scenario(f"price of {name}", f"price[{name}] = {CHANGE:.0%}") for name in names]
    scenarios += [Scenario(f"without {name}", f"drop {name}") for name in new]
    outcomes = simulate(predictor, past, scenarios, paths=PATHS, seed=seed)
    rows = []
    for launch in new:
        for other in others:
            style = [truth.sales.styles[truth.sales.articles.index(name)] for name in (launch, other)]
            gained = outcomes[f"without {launch}"].effect(other)
            found = {
                KINDS[0]: (
                    truth.sales.price_effect(other, of=launch, change=CHANGE),
                    outcomes[f"price of {launch}"].effect(other),
                ),
                KINDS[1]: (
                    truth.sales.price_effect(launch, of=other, change=CHANGE),
                    outcomes[f"price of {other}"].effect(launch),
                ),
                KINDS[2]: (truth.launch_effect(other, of=launch), 1 / np.maximum(1 + gained, 1e-3) - 1),
            }
            for kind, (planted, drawn) in found.items():
                limits = np.quantile(drawn, [(1 + sign * level) / 2 for level in LEVELS for sign in (-1, 1)])
                rows.append((kind, style[0] == style[1], planted, drawn.mean(), *limits))
    columns = [
        "kind",
        "rivals",
        "planted",
        "effect",
        *(f"{side}{level}" for level in LEVELS for side in ("low", "high")),
    ]
    place = [truth.sales.articles.index(name) for name in others]
    came = truth.sales.demand[week : week + HORIZON][:, place].sum(0)[None]
    gone = simulate(predictor, past, Scenario("none", [f"drop {name}" for name in new]), paths=PATHS, seed=seed)["none"]
    at = [names.index(name) for name in others]
    rivals = np.isin(
        [truth.sales.styles[number] for number in place],
        [truth.sales.styles[truth.sales.articles.index(name)] for name in new],
    )
    with_it, without = (
        crps(outcome.paths[:, :, at].sum(1, dtype=float)[:, None], came)[0] / came[0]
        for outcome in (outcomes.baseline, gone)
    )
    return pd.DataFrame(rows, columns=columns), np.column_stack([rivals, with_it, without])


def run(given: argparse.Namespace, seed: int, row: str) -> tuple[pd.DataFrame, np.ndarray]:
    """All pairs of a seed, kept week by week."""
    shop = shop_of(seed, given.articles, given.taken)
    weeks = sorted({int(week) for week in shop.truth.launch if WEEKS // 2 <= week <= WEEKS - HORIZON})
    found, judged = [], []
    for week in weeks:
        place = given.out / f"launches-{given.articles}-{given.taken:g}-{row.replace(' ', '-')}-{seed}-{week}.json"
        if not place.exists():
            pairs, scores = pairs_of(shop, week, row, seed)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({"pairs": pairs.to_dict("list"), "scores": scores.tolist()}))
            print(row, seed, week, flush=True)
        kept = json.loads(place.read_text())
        found.append(pd.DataFrame(kept["pairs"]))
        judged.append(np.array(kept["scores"]))
    return pd.concat(found, ignore_index=True), np.concatenate(judged)


def table(found: pd.DataFrame) -> dict[str, float]:
    """The columns of a row: of rivals the share of right signs and of intervals that hold the truth; of all errors."""
    rivals = found[found["rivals"]]
    error = (found["effect"] - found["planted"]) ** 2
    told = {"right sign": float((np.sign(rivals["effect"]) == np.sign(rivals["planted"])).mean())}
    for level in LEVELS:
        inside = found["planted"].between(found[f"low{level}"], found[f"high{level}"])
        told[f"in {level:.0%}"] = float(inside[found["rivals"]].mean())
        told[f"all in {level:.0%}"] = float(inside.mean())
    return {
        **told,
        "RMSE of rivals": float(error[found["rivals"]].mean() ** 0.5),
        "RMSE of others": float(error[~found["rivals"]].mean() ** 0.5),
        "RMSE": float(error.mean() ** 0.5),
        "planted": float(rivals["planted"].mean()),
        "effect": float(rivals["effect"].mean()),
        "effect on others": float(found[~found["rivals"]]["effect"].mean()),
    }


def zero(found: pd.DataFrame) -> pd.DataFrame:
    """The same pairs where no launch has any effect."""
    limits = [name for name in found if name.startswith(("low", "high"))]
    return found.assign(effect=0.0, **dict.fromkeys(limits, 0.0))


def main() -> None:
    """Print a table for each kind of effect, and what the effects do to the forecasts of the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("seeds", 5), ("first", 0), ("articles", 40)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--taken", type=float, default=0.3)
    parser.add_argument("--rows", default="group and vectors;vectors;vectors of others;no descriptors")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/launches"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    seeds = range(given.first, given.first + given.seeds)
    rows = {row: [run(given, seed, row) for seed in seeds] for row in given.rows.split(";")}
    pairs = {row: pd.concat([each for each, _ in found], ignore_index=True) for row, found in rows.items()}
    pairs["no effect"] = zero(next(iter(pairs.values())))
    for kind in KINDS:
        told = {row: table(found[found["kind"] == kind]) for row, found in pairs.items()}
        count = int((next(iter(pairs.values()))["kind"] == kind).sum())
        print(f"\n{kind}, {count} pairs\n\n| row | " + " | ".join(told["no effect"]) + " |")
        print("|---|" + "---:|" * len(told["no effect"]))
        for row, columns in told.items():
            print(f"| {row} | " + " | ".join(f"{value:.3f}" for value in columns.values()) + " |")
    for row, found in rows.items():
        scores = np.concatenate([each for _, each in found])
        for name, chosen in (("rivals", scores[:, 0] == 1), ("others", scores[:, 0] == 0)):
            lower = scores[chosen, 2] - scores[chosen, 1]
            error = lower.std() / np.sqrt(len(lower))
            print(
                f"{row}: CRPS of the totals of {name} {scores[chosen, 1].mean():.4f}, without what the launch takes "
                f"{scores[chosen, 2].mean():.4f} (lower by {lower.mean():.4f} ± {error:.4f}, {len(lower)} totals)"
            )


if __name__ == "__main__":
    main()
