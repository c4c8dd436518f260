"""``hemline vision locate``: where on a photo the article is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from .classify import Checkpoint

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Where on a photo the article is: boxes, and photos cut to them.", no_args_is_help=True)

_COLUMNS = ["photo", "left", "top", "right", "bottom"]


@app.command()
def train(
    boxes: Annotated[
        str, typer.Option(help="A .csv file: photo (beside the file), left, top, right, bottom in pixels.")
    ],
    checkpoint: Checkpoint,
    steps: Annotated[int, typer.Option(min=1, help="Steps of training.")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Draws weights and order.")] = 0,
) -> None:
    """Learn where articles are from photos with boxes.

    Example: hemline vision locate train --boxes boxes.csv --checkpoint runs/where
    """
    check_there("boxes", boxes, folder=False)
    check_place("checkpoint", checkpoint, folder=True)
    from ..locate.locate import train_locator
    from ..locate.training import LocateConfig

    with naming("boxes", boxes):
        table = _table(boxes)
    photos = [
        photo if os.path.isabs(photo) else os.path.join(os.path.dirname(boxes), photo) for photo in table["photo"]
    ]
    _, bad = train_locator(
        photos, table[_COLUMNS[1:]].to_numpy(float), checkpoint, training=LocateConfig(steps=steps, seed=seed)
    )
    for photo in bad:
        typer.echo(f"{photo.address}: {photo.reason}", err=True)
    typer.echo(f"A locator of {len(photos) - len(bad)} photos lies in {checkpoint}.")


@app.command()
def crop(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Photos, folders of photos, or addresses.")],
    out: Annotated[str, typer.Option(help="Folder for the photos, cut to the article.")],
    checkpoint: Annotated[
        str | None, typer.Option(help="A locator's run. Default: what differs from the border's colour, for packshots.")
    ] = None,
) -> None:
    """Cut photos to the article, and write them as PNG under their names."""
    check_place("out", out, folder=True)
    if checkpoint is not None:
        check_there("checkpoint", checkpoint, folder=True)
    import io

    from fsspec.core import url_to_fs

    from ...datasets.pictures.photos import read_photo
    from ...datasets.pictures.source import photos_in
    from ...runtime.run_folder import RunFolder
    from ...runtime.whole_files import write_whole
    from ..locate.border_crop import cut_to_article
    from ..locate.locate import Locator

    cut = cut_to_article
    if checkpoint is not None:
        with naming("checkpoint", checkpoint):
            cut = Locator.load(RunFolder(checkpoint)).cut
    found = []
    for path in paths:
        with naming("path", path):
            found += photos_in(path)
    paths = found
    names = [os.path.splitext(path.rstrip("/").rpartition("/")[2])[0] for path in paths]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"path: expected photos of different names, got {twice!r} twice")
    files, root = url_to_fs(out)
    failed = False
    for path, name in zip(paths, names, strict=True):
        try:
            photo = read_photo(path)
        except (OSError, ValueError) as error:
            failed = True
            typer.echo(f"{path}: {error}", err=True)
            continue
        part, file = cut(photo), io.BytesIO()
        part.save(file, "PNG")
        files.makedirs(root, exist_ok=True)
        write_whole(files, f"{root}/{name}.png", file.getvalue())
        typer.echo(f"{path}: {part.width} × {part.height} of {photo.width} × {photo.height} pixels")
    if failed:
        raise typer.Exit(1)


def _table(file: str) -> pd.DataFrame:
    import pandas as pd

    from ...datasets.tables.table_files import read_table

    table, _ = read_table(file, text=["photo"])
    if missing := [name for name in _COLUMNS if name not in table]:
        raise ValueError(f"boxes: expected the columns {_COLUMNS} in {file}, got none called {missing[0]!r}")
    for name in _COLUMNS[1:]:
        table[name] = pd.to_numeric(table[name])
    if table[_COLUMNS].isna().any(axis=None) or not len(table):
        raise ValueError(f"boxes: expected rows without gaps in {file}, got {len(table)} rows with some")
    return table
