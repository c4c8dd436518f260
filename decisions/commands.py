"""`hemline order` and `hemline plan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..forecasting.commands.options import Trust
from ..runtime.arguments.naming import check_place, check_there, naming
from ..runtime.display.numbers import figure

if TYPE_CHECKING:
    from ..datasets.entries.data import ForecastData

OF_ORDERS = ("missing", "left", "unit_cost", "unit_size", "pack")
OF_PLANS = ("price", "unit_cost", "left", "returns")
"""Columns that a table of stock may have beside article and stock."""


def register(app: typer.Typer, load: Callable[..., ForecastData]) -> None:
    """Add the command to `app`.

    Arguments:
        app: the root command.
        load: dataset name to dataset.
    """

    @app.command()
    def order(
        predictor: Annotated[Path, typer.Option(help="Folder that `hemline train` wrote.")],
        dataset: Annotated[str, typer.Option(help="Name of a dataset, or the TOML file of a table.")],
        stock: Annotated[
            Path,
            typer.Option(help="Table of article, stock, and as needed missing, left, unit_cost, unit_size, pack."),
        ],
        out: Annotated[Path, typer.Option(help="Folder for the table and the page.")],
        service_level: Annotated[
            float | None,
            typer.Option(min=0, max=1, help="Probability that an article lasts, if no limit binds, such as 0.95."),
        ] = None,
        lead_time: Annotated[int, typer.Option(min=0, help="Steps before the order arrives.")] = 0,
        unmet: Annotated[str, typer.Option(help="Demand on an empty shelf is 'lost', or 'waits'.")] = "lost",
        budget: Annotated[float | None, typer.Option(help="Money for all orders together.")] = None,
        capacity: Annotated[float | None, typer.Option(help="Room or production for all orders together.")] = None,
        window: Annotated[
            int | None, typer.Option(help="Order for this test window (0 is the first), not the time after the data.")
        ] = None,
        paths: Annotated[int, typer.Option(min=1, help="Joint sample paths.")] = 1000,
        seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
        trust: Trust = None,
    ) -> None:
        """How much to order of each article now, from joint sample paths; writes order.csv and order.html.

        Example: hemline order --predictor runs/shop --dataset shop.toml --stock stock.csv --service-level 0.95
        --lead-time 2 --out runs/order
        """
        check_place("out", out, folder=True)
        check_there("predictor", predictor, folder=True)
        check_there("stock", stock, folder=False)
        from ..datasets.entries.frequency import dates_of
        from ..evaluation.adapters.foreign import read_for
        from ..forecasting.models.stored import load_predictor
        from .orders.page import write_order
        from .orders.plan import order_quantities
        from .orders.report import OrderReport

        with naming("stock", stock):
            columns = read_stock(stock, OF_ORDERS)
        with naming("predictor", predictor):
            trained = load_predictor(predictor, trust=trust or ())
        with naming("dataset", dataset):
            data = read_for(trained, load, dataset)
        with naming("window", window):
            entry = data.history(window)
        with naming("predictor", predictor):
            drawn = next(iter(trained.predict([entry], num_samples=paths, seed=seed)))
        held = columns.pop("stock")
        plan = order_quantities(
            drawn,
            entry.item_ids,
            held,
            service_level=service_level,
            lead_time=lead_time,
            unmet=unmet,  # type: ignore[arg-type]
            budget=budget,
            capacity=capacity,
            **columns,
        )
        dates = dates_of(drawn.start_date, drawn.samples.shape[1])
        page, report = write_order(plan, dates, lead_time, out), OrderReport.of(plan, dates, lead_time)
        typer.echo(f"{figure(report.units, 0 if report.whole else 1)} units of {report.ordered:,} articles")
        for fact in report.facts:
            typer.echo(f"{fact.words}: {fact.told}")
        typer.echo(f"The order lies in {page.parent}")

    @app.command()
    def plan(
        predictor: Annotated[Path, typer.Option(help="Folder that `hemline train` wrote.")],
        dataset: Annotated[str, typer.Option(help="Name of a dataset, or the TOML file of a table.")],
        stock: Annotated[
            Path, typer.Option(help="Table of article, stock, and as needed price, unit_cost, left, returns.")
        ],
        ladder: Annotated[str, typer.Option(help="Shares of the regular price that fall, such as 1,0.9,0.8,0.7.")],
        out: Annotated[Path, typer.Option(help="Folder for the tables and the page.")],
        objective: Annotated[str, typer.Option(help="What counts: 'revenue' or 'margin'.")] = "revenue",
        changes: Annotated[int, typer.Option(min=0, help="How often the price of an article may change.")] = 2,
        margin: Annotated[float | None, typer.Option(help="Least share of each price above the unit cost.")] = None,
        budget: Annotated[float | None, typer.Option(help="Money that may be given away in all, expected.")] = None,
        clear: Annotated[
            float | None, typer.Option(help="Share of the stock of each article to be sold, such as 0.9.")
        ] = None,
        clear_by: Annotated[str | None, typer.Option(help="Date by which it is to be sold; else the end.")] = None,
        window: Annotated[
            int | None, typer.Option(help="Plan for this test window (0 is the first), not the time after the data.")
        ] = None,
        paths: Annotated[int, typer.Option(min=2, help="Joint sample paths on which the plan is judged.")] = 1000,
        seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
        trust: Trust = None,
    ) -> None:
        """Which price to ask for each article in each step; writes plan.csv, rules.csv and plan.html.

        Example: hemline plan --predictor runs/shop --dataset shop.toml --stock stock.csv --ladder 1,0.8,0.6
        --clear 0.8 --clear-by 2024-08-25 --out runs/plan
        """
        check_place("out", out, folder=True)
        check_there("predictor", predictor, folder=True)
        check_there("stock", stock, folder=False)
        from ..forecasting.models.stored import load_predictor
        from .markdowns.baselines import NONE
        from .markdowns.page import write_plan
        from .markdowns.plan import PLAN
        from .markdowns.planning import plan_markdowns

        with naming("ladder", ladder):
            steps = read_ladder(ladder)
        with naming("stock", stock):
            columns = read_stock(stock, OF_PLANS)
        with naming("predictor", predictor):
            trained = load_predictor(predictor, trust=trust or ())
        with naming("dataset", dataset):
            data = load(dataset)
        with naming("window", window):
            entry = data.history(window)
        held = columns.pop("stock")
        found = plan_markdowns(
            trained,
            entry,
            held,
            steps,
            objective=objective,  # type: ignore[arg-type]
            changes=changes,
            margin=margin,
            budget=budget,
            clear=clear,
            clear_by=clear_by,
            paths=paths,
            seed=seed,
            **columns,
        )
        page = write_plan(found, out)
        for row in found.comparison().to_dict("records"):
            gains = f"; the plan gains {row['gain']:+,.0f} ({row['low']:+,.0f} to {row['high']:+,.0f})"
            unkept = f"; does not keep: {row['unkept']}" if row["unkept"] else ""
            typer.echo(
                f"{row['rule']}: worth {row['worth']:,.0f}, {row['left']:,.0f} units left over"
                f"{'' if row['rule'] == PLAN else gains}{unkept}"
            )
        for words in found.unseen:
            typer.echo(words)
        low, high = found.interval(NONE)
        typer.echo(
            f"In 80 % of futures the gain over no markdown is {low:,.0f} to {high:,.0f}. The plan lies in {page.parent}"
        )


def read_ladder(text: str) -> tuple[float, ...]:
    """The numbers of a ladder such as ``1,0.9,0.8``.

    Raises:
        ValueError: a part is no number.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"ladder: expected numbers with commas between them, such as 1,0.9,0.8; got {text!r}"
        ) from None


def read_stock(path: Path, optional: Sequence[str]) -> dict[str, dict[str, float]]:
    """The columns of a table of stock, each by the names of the articles.

    Arguments:
        path: a table with ``article`` and ``stock``, and some of the others.
        optional: names of the others.

    Raises:
        ValueError: a column is missing or unknown, an article stands there twice, or a cell is no number.
    """
    import numpy as np

    from ..datasets.tables.columns import Columns
    from ..datasets.tables.table_files import read_table

    table, source = read_table(path, ["article"], [])
    columns = Columns(table, source or str(path))
    columns.require("stock", ["article", "stock"])
    unknown = next((name for name in table.columns if name not in ("article", "stock", *optional)), None)
    if unknown is not None:
        raise ValueError(f"expected the columns article, stock, {', '.join(optional)}; got {unknown!r}")
    articles = table["article"].astype(str)
    if articles.duplicated().any():
        raise ValueError(f"expected each article once, got {articles[articles.duplicated()].iloc[0]!r} twice")
    found = {}
    for name in ("stock", *(name for name in optional if name in table.columns)):
        numbers = columns.numbers(name)
        empty = np.isnan(numbers)
        if empty.any():
            raise ValueError(
                f"expected a number in {name!r} of every article, got none for {articles[empty].iloc[0]!r}"
            )
        found[name] = dict(zip(articles, numbers.tolist(), strict=True))
    return found
