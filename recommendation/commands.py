"""``hemline recommend``: train, for, similar and score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..runtime.arguments.naming import check_place, check_there, naming

if TYPE_CHECKING:
    import pandas as pd

    from .contract.features import ArticleFeatures

app = typer.Typer(help="Who will buy what, and what is like what.", no_args_is_help=True)

Recommender = Annotated[str, typer.Option(help="Folder or address that `hemline recommend train` wrote.")]
Top = Annotated[int, typer.Option("-k", "--top", min=1, help="How many.")]
PURCHASES = "Table of purchases, or the .toml file that describes one."


@app.command()
def train(
    purchases: Annotated[str, typer.Option(help=PURCHASES)],
    model: Annotated[str, typer.Option(help="Name of a recommender, such as fashion-dna.")],
    out: Annotated[str, typer.Option(help="Folder or address for the trained recommender.")],
    catalogue: Annotated[
        str | None, typer.Option(help="The .toml file that describes the articles and their labels.")
    ] = None,
    vectors: Annotated[str | None, typer.Option(help="File that `hemline vision embed` wrote.")] = None,
    until: Annotated[str | None, typer.Option(help="Learn from what was bought before this date alone.")] = None,
    config: Annotated[Path | None, typer.Option(help="A .toml file of settings.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all draws.")] = None,
) -> None:
    """Learn from purchases; a run that was killed goes on where it stopped.

    Example: hemline recommend train --purchases bought.csv --catalogue shop.toml --vectors looks.parquet
    --model fashion-dna --out runs/dna
    """
    check_place("out", out, folder=True)
    _check_table("purchases", purchases)
    for name, place in (("catalogue", catalogue), ("vectors", vectors), ("config", config)):
        if place is not None:
            check_there(name, place, folder=False)
    from ..datasets.purchases.reading import read_purchases
    from ..runtime.run_folder import RunFolder
    from ..runtime.toml_files import read_description
    from .contract.leakage import as_time
    from .contract.stored import save_recommender
    from .registry import build_recommender

    settings: dict[str, object] = {}
    if config is not None:
        with naming("config", config):
            settings = dict(read_description(str(config)))
    if seed is not None:
        settings["seed"] = seed
    with naming("config", config) if config is not None else naming("model"):
        chosen = build_recommender(model, settings)
    with naming("purchases", purchases):
        bought = read_purchases(purchases)
    if until is not None:
        bought = bought.between(None, as_time("until", until))
        if not len(bought):
            raise ValueError(f"until: expected a date after the first purchase, got {until}")
    # Who sent everything back has shown no taste.
    bought = bought.kept().of_buyers()
    articles = None
    if catalogue is not None or vectors is not None:
        articles = _features(catalogue, vectors)
    with naming("purchases", purchases):
        fitted = chosen.fit(bought, articles, until=until, checkpoints=out)
        save_recommender(fitted, out)
    folder = RunFolder(out)
    for left in folder.files.glob(f"{folder.root}/last-*.ckpt"):
        folder.files.rm_file(left)
    typer.echo(
        f"{model}: {len(bought)} purchases by {len(fitted.customers)} customers, {len(fitted.item_ids)} articles"
    )
    typer.echo(f"in {out}")


@app.command("for")
def for_customers(
    customers: Annotated[list[str], typer.Argument(metavar="CUSTOMER...", help="Names of customers.")],
    recommender: Recommender,
    top: Top = 10,
    at: Annotated[str | None, typer.Option(help="The date that is asked about; else the end of the data.")] = None,
    stock: Annotated[Path | None, typer.Option(help="Table of article, stock, and as needed size.")] = None,
    size: Annotated[str | None, typer.Option(help="The size that has to be in stock.")] = None,
    bought: Annotated[bool, typer.Option("--bought", help="Also what a customer has bought already.")] = False,
    out: Annotated[Path | None, typer.Option(help="A .csv file for the table.")] = None,
) -> None:
    """Recommend articles to customers.

    Example: hemline recommend for c17 --recommender runs/dna --stock stock.csv --size M
    """
    _check_recommender(recommender, out)
    if stock is not None:
        check_there("stock", stock, folder=False)
    elif size is not None:
        raise ValueError(f"size: expected a table --stock beside it, got {size!r} alone")
    from ..datasets.purchases.stock import articles_in_stock
    from .contract.stored import load_recommender

    with naming("recommender", recommender):
        fitted = load_recommender(recommender)
    allowed = None
    if stock is not None:
        with naming("stock", stock):
            there = articles_in_stock(stock, size)
        known = set(fitted.item_ids)
        allowed = [item for item in there if item in known]
        if len(allowed) < len(there):
            typer.echo(f"{len(there) - len(allowed)} articles of {stock} are not known to the recommender", err=True)
    rows = fitted.recommend(customers, top, at=at, in_stock=allowed, bought=bought)
    _tell(rows, "customer", out)


@app.command()
def similar(
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Names of articles.")],
    recommender: Recommender,
    top: Top = 10,
    out: Annotated[Path | None, typer.Option(help="A .csv file for the table.")] = None,
) -> None:
    """Find the articles that are bought by the same customers.

    Example: hemline recommend similar 10001 --recommender runs/dna
    """
    _check_recommender(recommender, out)
    from .contract.stored import load_recommender

    with naming("recommender", recommender):
        fitted = load_recommender(recommender)
    _tell(fitted.similar_items(items, top), "item", out)


@app.command()
def score(
    recommender: Annotated[list[str], typer.Option(help="Folder of a trained recommender; repeat it.")],
    purchases: Annotated[str, typer.Option(help=PURCHASES + " What was bought after the training counts.")],
    weeks: Annotated[int | None, typer.Option(min=1, help="Weeks after the training; else all.")] = None,
    top: Top = 10,
    out: Annotated[Path | None, typer.Option(help="An .html page, or a .csv file for the table.")] = None,
) -> None:
    """Say how good recommenders are, by what was bought after their training.

    Example: hemline recommend score --recommender runs/dna --recommender runs/popularity --purchases bought.csv
    """
    _check_table("purchases", purchases)
    for place in recommender:
        _check_recommender(place, None)
    if out is not None:
        if out.suffix not in (".html", ".csv"):
            raise ValueError(f"out: expected an .html or a .csv file, got {out}")
        check_place("out", out, folder=False)
    from ..datasets.purchases.on_sale import WEEK
    from ..datasets.purchases.reading import read_purchases
    from ..runtime.whole_files import whole_file
    from .contract.stored import load_recommender
    from .judging.judge import judge, judged_table
    from .judging.page import judged_page

    with naming("purchases", purchases):
        bought = read_purchases(purchases)
    fitted = {}
    for place in recommender:
        with naming("recommender", place):
            fitted[place] = load_recommender(place)
    ends = {place: each.purchases.time[-1] for place, each in fitted.items()}
    begin = max(ends.values())
    for place, end in ends.items():
        if end != begin:
            raise ValueError(f"recommender: expected all trained until {begin}, got {place} until {end}")
    later = bought.rows(bought.time > begin)
    if weeks is not None:
        later = later.between(None, begin + weeks * WEEK)
    short = [Path(place).name for place in fitted]
    with naming("purchases", purchases):
        # Folders of one name in two places are told apart by the whole of what was given.
        judged = {
            name if name and short.count(name) == 1 else place: judge(each, later, k=top)
            for name, (place, each) in zip(short, fitted.items(), strict=True)
        }
    typer.echo(str(judged_table(judged)))
    if out is not None:
        text = judged_page(judged) if out.suffix == ".html" else judged_table(judged).render("csv")
        with whole_file(out) as aside:
            aside.write_text(text, encoding="utf-8")
        typer.echo(f"in {out}")


def _tell(rows: pd.DataFrame, by: str, out: Path | None) -> None:
    from ..runtime.texts import spreadsheet_cells
    from ..runtime.whole_files import whole_file

    for row in rows.to_dict("records"):
        typer.echo(f"{row[by]}  {row['rank']:>3}  {row['score']:.4f}  {row['article']}")
    if rows.empty:
        typer.echo("nothing is left to recommend")
    if out is not None:
        with whole_file(out) as aside:
            spreadsheet_cells(rows).to_csv(aside, index=False)


def _check_recommender(place: str, out: Path | None) -> None:
    check_there("recommender", place, folder=True)
    if out is not None:
        if out.suffix != ".csv":
            raise ValueError(f"out: expected a .csv file, got {out}")
        check_place("out", out, folder=False)


def _check_table(argument: str, place: str) -> None:
    if not place.endswith((".toml", ".csv", ".csv.gz", ".parquet", ".pq", ".xlsx")):
        raise ValueError(f"{argument}: expected a .csv, .csv.gz, .parquet, .xlsx or .toml file, got {place}")
    check_there(argument, place, folder=False)


def _features(catalogue: str | None, vectors: str | None) -> ArticleFeatures:
    from ..datasets.pictures.source import open_source
    from ..datasets.pictures.vectors import read_article_vectors
    from .contract.features import article_features

    opened = read = None
    if catalogue is not None:
        with naming("catalogue", catalogue):
            opened = open_source(catalogue).catalogue
    if vectors is not None:
        with naming("vectors", vectors):
            read = read_article_vectors(vectors)
    return article_features(opened, read)
