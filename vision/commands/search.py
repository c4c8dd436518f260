"""``hemline vision index`` and ``hemline vision similar``: look-alikes of photos and articles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.texts import spreadsheet_cells
from .annotate import Backbone, named_encoder
from .classify import Data

if TYPE_CHECKING:
    from ..search.index import Hit

app = typer.Typer(help="An index of the photos of articles, to search in.", no_args_is_help=True)

Index = Annotated[str, typer.Option("--index", help="Folder or fsspec address of the index.")]

Words = Annotated[
    str | None, typer.Option(help="What titles or labels are to say, alone or beside photos: like this, but blue.")
]

WordsWeight = Annotated[float, typer.Option(help="How much the words count beside the photos.")]

TextNetwork = Annotated[
    str | None, typer.Option(help="Weights of a network that reads words. Default: TF-IDF of words and pairs.")
]

Where = Annotated[
    list[str] | None, typer.Option(help="neck=v, colour=red|blue or gender!=Men; repeat it: all have to hold.")
]

Unlike = Annotated[list[str] | None, typer.Option(help="An item or photo that is not wanted; repeat it.")]

Colours = Annotated[
    float,
    typer.Option(
        min=0,
        help="How much colours count beside the shape's 1: 1.5 for the same article, 0.25 for the same in any colour.",
    ),
]

Fetch = Annotated[bool, typer.Option("--fetch", help="Fetch photos that the index names on a network, for the page.")]


@app.command()
def build(
    data: Data,
    index: Index,
    checkpoint: Annotated[str | None, typer.Option(help="A classifier's run whose network sees the photos.")] = None,
    backbone: Backbone = None,
    locator: Annotated[
        str | None, typer.Option(help="A locator's run that cuts the photos. Default: by the colour of their border.")
    ] = None,
    axes: Annotated[int, typer.Option(min=1, help="Axes of the shape of an article, at most.")] = 128,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an index that is there.")] = False,
) -> None:
    """Write an index of the photos of a catalogue.

    Example: hemline vision index build --data shop.toml --index looks
    """
    if checkpoint is not None and backbone is None:
        check_there("checkpoint", checkpoint, folder=True)
    check_place("index", index, folder=True)
    from ...datasets.pictures.source import open_source
    from ..search.look_alikes import build_index
    from .progress import shown_progress

    described: dict[str, str | int] = dict(named_encoder(checkpoint, backbone))
    if locator is not None:
        check_there("locator", locator, folder=True)
        described["locator"] = locator
    with naming("data", data):
        source = open_source(data)
    with shown_progress("articles") as progress:
        made, bad = build_index(source, index, made_by=described, axes=axes, replace_index=replace, progress=progress)
    for photo in bad:
        typer.echo(f"{photo.address}: {photo.reason}", err=True)
    rows = made.vectors
    typer.echo(f"{len(rows)} photos of {len(made)} articles in {index}; {rows.encoder}")


@app.command()
def add(data: Data, index: Index) -> None:
    """Add the articles of a catalogue to an index."""
    _check_index(index)
    from ...datasets.pictures.source import open_source
    from ..search.index import PhotoIndex
    from ..search.look_alikes import extend_index
    from .progress import shown_progress

    with naming("data", data):
        source = open_source(data)
    with shown_progress("articles") as progress, naming("index", index):
        made, bad = extend_index(PhotoIndex.open(index), source, progress=progress)
    for photo in bad:
        typer.echo(f"{photo.address}: {photo.reason}", err=True)
    typer.echo(f"{len(made.vectors)} photos of {len(made)} articles in {index}")


@app.command()
def remove(
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Item ids.")],
    index: Index,
) -> None:
    """Remove articles from an index."""
    _check_index(index)
    from ..search.index import PhotoIndex

    with naming("index", index):
        left = PhotoIndex.open(index).remove(items)
    typer.echo(f"{len(left.vectors)} photos of {len(left)} articles in {index}")


@app.command()
def refine(
    index: Index,
    out: Annotated[str, typer.Option(help="Folder or fsspec address of the new index.")],
    by: Annotated[
        str | None, typer.Option(help="A label column: photos with one label belong together. Default: the article.")
    ] = None,
    triplets: Annotated[
        str | None, typer.Option(help="A .csv file of item ids: anchor, positive (more like it), negative.")
    ] = None,
    both: Annotated[
        bool | None,
        typer.Option("--both/--shape", help="Learn shape and colours as one part. Default: with --by and --triplets."),
    ] = None,
    colours: Annotated[float, typer.Option(min=0, help="How much colours count while is learnt.")] = 1.5,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of training. Default: 240, of shape and colours as one part 60.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the triplets.")] = 0,
) -> None:
    """Learn from triplets what looks alike, and write an index with that similarity."""
    _check_index(index)
    check_colours(colours)
    check_place("out", out, folder=True)
    from ..search.index import PhotoIndex
    from ..search.refine import STEPS, Learn, train_similarity
    from ..similarity.look_encoder import COLOURS, SHAPE
    from ..similarity.triplets import TripletConfig

    curated = [] if triplets is None else _triplets(triplets)
    with naming("index", index):
        opened = PhotoIndex.open(index)
    whole = by is not None or triplets is not None if both is None else both
    learn: Learn = "both" if whole else "shape"
    made = train_similarity(
        opened,
        out,
        by=by,
        triplets=curated,
        learn=learn,
        weights={SHAPE: 1.0, COLOURS: colours},
        training=TripletConfig(steps=steps or STEPS[learn], seed=seed),
    )
    typer.echo(f"{len(made.vectors)} photos of {len(made)} articles in {out}; {made.vectors.encoder}")


@app.command()
def duplicates(
    index: Index,
    bits: Annotated[int, typer.Option(min=0, max=64, help="Bits of 64 in which the hashes differ at most.")] = 4,
    similarity: Annotated[float, typer.Option(help="Or the least similarity of the vectors.")] = 0.98,
    out: Annotated[str | None, typer.Option(help="A .csv file for the pairs.")] = None,
) -> None:
    """Tell which photos show the same, by their perceptual hashes or by their vectors."""
    _check_index(index)
    from fsspec.core import url_to_fs

    from ...runtime.whole_files import write_whole
    from ..search.duplicates import duplicate_photos
    from ..search.index import PhotoIndex

    if out is not None:
        check_place("out", out, folder=False)
    with naming("index", index):
        opened = PhotoIndex.open(index)
    pairs = duplicate_photos(opened.vectors, bits=bits, similarity=similarity)
    if out is not None:
        files, place = url_to_fs(out)
        write_whole(files, place, spreadsheet_cells(pairs).to_csv(index=False).encode())
    for pair in pairs.itertuples():
        typer.echo(
            f"{pair.item_a} {pair.photo_a} = {pair.item_b} {pair.photo_b}: {pair.bits} bits, {pair.similarity:.3f}"
        )
    typer.echo(f"{len(pairs)} pairs among {len(opened.vectors)} photos")


def similar(
    index: Index,
    like: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGE|ITEM]...", help="Photos, or item ids of the index.")
    ] = None,
    words: Words = None,
    words_weight: WordsWeight = 1.0,
    text_network: TextNetwork = None,
    k: Annotated[int | None, typer.Option("-k", "--top", min=1, help="How many; ten, or all.")] = None,
    where: Where = None,
    unlike: Unlike = None,
    colours: Colours = 1.5,
    faiss: Annotated[bool, typer.Option("--faiss", help="Search with faiss; the answers are the same.")] = False,
    out: Annotated[str | None, typer.Option(help="An .html page with the photos.")] = None,
    fetch: Fetch = False,
) -> None:
    """Find the articles that look most like some photos or articles, or that words name.

    Example: hemline vision similar photo.jpg --index looks --words blue --out alike.html
    """
    like = like or []
    _check_index(index)
    check_colours(colours)
    from ...runtime.reading.places import is_remote
    from ..search.index import PhotoIndex
    from ..search.look_alikes import find_similar
    from ..similarity.look_encoder import COLOURS, SHAPE

    check_page("out", out)
    with naming("index", index):
        opened = PhotoIndex.open(index)
    hits = find_similar(
        opened,
        like,
        k=k,
        where=where or (),
        unlike=unlike or (),
        weights={SHAPE: 1.0, COLOURS: colours},
        words=words,
        words_weight=words_weight,
        text_network=text_network,
        engine="faiss" if faiss else "exact",
    )
    if out is not None:
        write_page(out, like, hits, opened.photos_of(like), title=words or "", fetch=fetch or is_remote(index))
    for hit in hits:
        typer.echo(f"{hit.score:.3f}  {hit.item_id}  {hit.photo}  {hit.text}".rstrip())


def check_page(argument: str, page: str | None) -> None:
    """Refuse a page that is no HTML file, or cannot be written."""
    if page is not None:
        if not page.endswith(".html"):
            raise ValueError(f"{argument}: expected an .html file, got {page}")
        check_place(argument, page, folder=False)


def write_page(
    page: str, like: Sequence[str], hits: Sequence[Hit], photos: Sequence[str], *, title: str, fetch: bool
) -> None:
    """Write a contact sheet, and say if photos on a network are missing on it."""
    from fsspec.core import url_to_fs

    from ...runtime.reading.places import is_remote
    from ...runtime.whole_files import write_whole
    from ..search.sheet import contact_sheet

    content = contact_sheet(like, hits, photos=photos, title=title, fetch=fetch)
    shown = {*photos, *(hit.photo for hit in hits)}.difference(like)
    if not fetch and any(map(is_remote, shown)):
        typer.echo("photos on a network are not shown; --fetch fetches them", err=True)
    files, place = url_to_fs(page)
    write_whole(files, place, content.encode())


def _triplets(file: str) -> list[tuple[str, str, str]]:
    check_there("triplets", file, folder=False)
    from ...datasets.tables.table_files import read_table

    columns = ["anchor", "positive", "negative"]
    with naming("triplets", file):
        table, _ = read_table(file, text=columns)
    if list(table) != columns or table.isna().any(axis=None):
        raise ValueError(f"triplets: expected the columns {columns} without gaps in {file}, got {list(table)}")
    return list(table.itertuples(index=False, name=None))


def _check_index(index: str) -> None:
    check_there("index", index, folder=True)


def check_colours(colours: float) -> None:
    """Refuse a weight of colours that is no finite number."""
    if not math.isfinite(colours):
        raise ValueError(f"colours: expected a finite number from 0, got {colours}")
