"""``hemline vision tryon``: people in other articles."""

from __future__ import annotations

from typing import Annotated

import typer

from ....runtime.arguments.naming import check_place, check_there, naming
from ..classify import Checkpoint, Device
from .one_word import DrawsByDefault

app = typer.Typer(help="People in other articles.", no_args_is_help=True, cls=DrawsByDefault)

Pairs = Annotated[
    str,
    typer.Option(
        help="A table with columns person and article; or a folder: image/ and cloth/, or photos/ with masks/."
    ),
]


@app.command()
def train(
    data: Pairs,
    checkpoint: Checkpoint,
    height: Annotated[int, typer.Option(help="Of the photos, pixels.")] = 64,
    width: Annotated[int, typer.Option(help="Of the photos, pixels.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the generator.")] = 4000,
    batch_size: Annotated[int, typer.Option(min=2, help="Photos a step.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Draws weights, order and articles.")] = 0,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
) -> None:
    """Learn to swap articles from photos of people and packshots of what they wear.

    Example: hemline vision tryon train --data figures/pairs.csv --checkpoint runs/swap
    """
    check_place("checkpoint", checkpoint, folder=True)
    from ....datasets.pictures.worn.pairs import worn_rows
    from ....runtime.devices import torch_device
    from ...generate.swap.network import SwapForm
    from ...generate.swap.swapper import SHEET, train_swapper
    from ...generate.swap.training import SwapConfig
    from ..progress import shown_progress

    torch_device(device)
    form = SwapForm(height=height, width=width)
    training = SwapConfig(steps=steps, batch_size=batch_size, seed=seed, device=device)
    with naming("data", data):
        rows = worn_rows(data)
    with shown_progress("opening photos") as progress:
        train_swapper(rows, checkpoint, form=form, training=training, resume=resume, progress=progress)
    typer.echo(f"The swap lies in {checkpoint}; what it draws: {checkpoint}/{SHEET}")


@app.command()
def draw(
    person: Annotated[str, typer.Argument(help="A photo of a person.")],
    wearing: Annotated[str, typer.Option(help="A photo on white of the article that the person wears.")],
    instead: Annotated[str, typer.Option(help="A photo on white of the article to be worn in its place.")],
    checkpoint: Checkpoint,
    out: Annotated[str, typer.Option(help="A .png file: the photo, where it was changed, and the swap.")],
    device: Device = "auto",
) -> None:
    """Swap an article on a photo; the word draw may be left out.

    Example: hemline vision tryon person.png --wearing blue.png --instead red.png --checkpoint runs/swap --out new.png
    """
    check_there("checkpoint", checkpoint, folder=True)
    check_place("out", out, folder=False)
    from fsspec.core import url_to_fs

    from ....runtime.devices import torch_device
    from ....runtime.whole_files import write_whole
    from ...generate.sheets import side_by_side
    from ...generate.swap.swapper import swap_article

    if not out.endswith(".png"):
        raise ValueError(f"out: expected a .png file, got {out}")
    shown = swap_article(checkpoint, person, wearing, instead, device=torch_device(device))
    files, place = url_to_fs(out)
    write_whole(files, place, side_by_side(shown))
    typer.echo(out)


@app.command()
def score(
    data: Pairs,
    checkpoint: Checkpoint,
    out: Annotated[str | None, typer.Option(help="A .csv file for the table.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the weights of the untrained row.")] = 0,
) -> None:
    """Judge swaps on pairs whose truth is known, beside swaps without a network.

    Example: hemline vision tryon score --data figures/pairs.csv --checkpoint runs/swap
    """
    check_there("checkpoint", checkpoint, folder=True)
    if out is not None:
        check_place("out", out, folder=False)
    from ....datasets.pictures.worn.pairs import worn_rows
    from ...generate.swap.comparison import score_swapper
    from ..progress import shown_progress
    from ..tables import tell_scores

    with naming("data", data):
        rows = worn_rows(data)
    with shown_progress("opening photos") as progress, naming("checkpoint", checkpoint):
        table = score_swapper(checkpoint, rows, seed=seed, progress=progress)
    tell_scores(table, "photos", out)
