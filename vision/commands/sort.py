"""``hemline vision sort``: an assortment in the order of a model's score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...runtime.arguments.naming import check_there, naming
from ...runtime.devices import torch_device
from .classify import CHECKPOINT, DATA, Device
from .search import (
    Colours,
    Fetch,
    TextNetwork,
    Unlike,
    Where,
    Words,
    WordsWeight,
    check_colours,
    check_page,
    write_page,
)
from .tables import check_table, write_table

if TYPE_CHECKING:
    from ..search.ranking import Ranking


def sort(
    data: Annotated[str | None, typer.Option("--data", help=f"{DATA} To be sorted by labels.")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="colour=red, colour=red|blue or shape!=round, the likeliest first; repeat it."),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help=f"{CHECKPOINT} Default: one of ten kinds of clothes.")
    ] = None,
    index: Annotated[
        str | None,
        typer.Option("--index", help="Folder or fsspec address of an index, to be sorted by likeness or words."),
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", help="A photo, or an item of the index; the nearest of several counts."),
    ] = None,
    unlike: Unlike = None,
    colours: Colours = 1.5,
    words: Words = None,
    words_weight: WordsWeight = 1.0,
    text_network: TextNetwork = None,
    where: Where = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The smallest score first.")] = False,
    top: Annotated[int, typer.Option("-k", "--top", min=1, help="How many are told, and stand on the page.")] = 60,
    out: Annotated[str | None, typer.Option(help="A .csv or .parquet file for all articles in their order.")] = None,
    page: Annotated[str | None, typer.Option(help="An .html page with the photos.")] = None,
    fetch: Fetch = False,
    device: Device = "auto",
) -> None:
    """Sort articles by how likely labels are, by how much they look like a photo or an item, or by words.

    Example: hemline vision sort --data shop.toml --checkpoint runs/shop --by colour=red --out red.csv --page red.html
    """
    if bool(by) == (bool(like) or words is not None):
        got = "both" if by else "neither"
        raise ValueError(f"by, like, words: expected labels, or else photos, items or words, got {got}")
    if by:
        _require("data", data, "labels", index=index, unlike=unlike or None, text_network=text_network)
    else:
        _require("index", index, "photos, items or words", data=data, checkpoint=checkpoint)
    check_colours(colours)
    check_table(out)
    check_page("page", page)
    from ..search.ranking import ranked_table
    from ..similarity.look_encoder import COLOURS, SHAPE

    photos: list[str] = []
    if by:
        # The table is the user's own, and its photos were opened to be judged.
        fetch, title = True, ", ".join(by)
        ranking = _by_labels(str(data), by, checkpoint, where or (), torch_device(device))
    else:
        ranking, photos, here = _by_likeness(
            str(index),
            like or [],
            unlike=unlike or (),
            weights={SHAPE: 1.0, COLOURS: colours},
            words=words,
            words_weight=words_weight,
            text_network=text_network,
            where=where or (),
        )
        fetch, title = fetch or not here, words or ""
    if reverse:
        ranking = replace(ranking, hits=ranking.hits[::-1])
    if out is not None:
        write_table(out, ranked_table(ranking))
    first = ranking.hits[:top]
    if page is not None:
        write_page(page, like or [], first, photos, title=title, fetch=fetch)
    for number, hit in enumerate(first, start=1):
        typer.echo(f"{number:>4}  {hit.score:.3f}  {hit.item_id}  {hit.photo}  {hit.text}".rstrip())
    for bad in ranking.quarantine:
        typer.echo(f"{bad.address}: {bad.reason}", err=True)
    without = f", {len(ranking.without_photo)} without a usable photo" if ranking.without_photo else ""
    typer.echo(f"{len(ranking.hits)} articles{without}")


def _require(needed: str, value: str | None, beside: str, **others: object) -> None:
    """Refuse a way of sorting without what it reads, and with what another one reads."""
    if value is None:
        raise ValueError(f"{needed}: expected --{needed} beside {beside}, got none")
    for name, other in others.items():
        if other is not None:
            raise ValueError(f"{name}: expected none beside {beside}, got {other}")


def _by_labels(data: str, by: list[str], checkpoint: str | None, where: Sequence[str], device: str) -> Ranking:
    if checkpoint is not None:
        check_there("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ..classify.classifier import SHIPPED
    from ..search.ranking import rank_by_labels
    from .progress import shown_progress

    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress, naming("checkpoint", checkpoint or SHIPPED):
        return rank_by_labels(source, by, checkpoint=checkpoint, where=where, device=device, progress=progress)


# Any: what `find_similar` takes.
def _by_likeness(index: str, like: list[str], **asked: Any) -> tuple[Ranking, list[str], bool]:
    """The order, the photos that are asked with, and whether the index is on this machine."""
    check_there("index", index, folder=True)
    from ...runtime.reading.places import is_remote
    from ..search.index import PhotoIndex
    from ..search.look_alikes import find_similar
    from ..search.ranking import Ranking

    with naming("index", index):
        opened = PhotoIndex.open(index)
    ranking = Ranking(tuple(find_similar(opened, like, k=len(opened), **asked)))
    return ranking, opened.photos_of(like), not is_remote(index)
