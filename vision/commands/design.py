"""``hemline vision design``: garments with a chosen colour, texture and shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from .classify import Checkpoint, Data, Device

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer(help="Garments with a chosen colour, texture and shape.", no_args_is_help=True)


@app.command()
def train(
    data: Data,
    checkpoint: Checkpoint,
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the designer.")] = 10_000,
    groups: Annotated[int, typer.Option(min=1, help="Groups of eight images a step.")] = 4,
    decay: Annotated[float, typer.Option(help="Last share of the steps, over which the learning rates fall to 0.")] = 0,
    shift: Annotated[
        float, typer.Option(help="Share of the side by which all that the critic sees is moved, for few photos.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Draws weights, order and conditions.")] = 0,
    split_seed: Annotated[int, typer.Option(min=0, help="Draws the split.")] = 0,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
) -> None:
    """Learn textures and shades from the packshots of a catalogue, those on a white ground.

    Example: hemline vision design train --data shop.toml --checkpoint runs/designer
    """
    check_place("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ...runtime.devices import torch_device
    from ..generate.design.designer import SHEET, train_designer
    from ..generate.design.network import DesignForm
    from ..generate.design.training import DesignConfig
    from .progress import shown_progress

    torch_device(device)
    form = DesignForm(size=size)
    training = DesignConfig(steps=steps, groups=groups, decay=decay, shift=shift, seed=seed, device=device)
    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress:
        train_designer(
            source, checkpoint, form=form, training=training, split_seed=split_seed, resume=resume, progress=progress
        )
    typer.echo(f"The designer lies in {checkpoint}; what it designs: {checkpoint}/{SHEET}")


@app.command()
def draw(
    checkpoint: Checkpoint,
    colour: Annotated[list[str], typer.Option(help="Six hexadecimal digits, '#aa2233'; repeat it for more designs.")],
    out: Annotated[str, typer.Option(help="A .png file, designs side by side; or a folder for a catalogue of them.")],
    mask: Annotated[
        str | None,
        typer.Option(
            help="A photo on a white ground, or a mask in black with the shape in white. Default: a shape seen."
        ),
    ] = None,
    texture_seed: Annotated[int, typer.Option(min=0, help="Draws the texture.")] = 0,
    texture_of: Annotated[
        str | None, typer.Option(help="A photo on a white ground whose texture is looked for, in the place of a seed.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Design a garment.

    Example: hemline vision design draw --checkpoint runs/designer --colour '#aa2233' --mask dress.jpg
    --texture-seed 3 --out new.png
    """
    check_there("checkpoint", checkpoint, folder=True)
    check_place("out", out, folder=not out.endswith(".png"))
    import numpy as np

    from ...runtime.devices import torch_device
    from ...runtime.run_folder import RunFolder
    from ..generate.design.designer import TrainedDesigner, parsed_colour
    from ..generate.design.shapes import shape_of, texture_of_photo
    from ..generate.sheets import sheet

    colours = np.stack([parsed_colour(each) for each in colour])
    with naming("checkpoint", checkpoint):
        trained = TrainedDesigner.load(RunFolder(checkpoint))
    shape = trained.masks[0, 0].numpy() / 255
    if mask is not None:
        with naming("mask", mask):
            shape = shape_of(mask, trained.network.form.size)
    textures = trained.textures([texture_seed])
    if texture_of is not None:
        with naming("texture_of", texture_of):
            textures = texture_of_photo(trained, texture_of)
    count = len(colours)
    made = trained.draw(
        textures.expand(count, -1), colours, np.broadcast_to(shape, (count, *shape.shape)), torch_device(device)
    )
    conditions = {"mask": mask or "seen", "texture": texture_of or f"seed {texture_seed}"}
    _write(out, made, lambda: sheet(made, count), colour, conditions)
    typer.echo(f"{count} designs in {out}")


@app.command()
def recolour(
    photo: Annotated[str, typer.Argument(help="A photo of a garment.")],
    colour: Annotated[list[str], typer.Option(help="Six hexadecimal digits, '#aa2233'; repeat it for more colours.")],
    out: Annotated[str, typer.Option(help="A .png file, colours side by side; or a folder for a catalogue of them.")],
    mask: Annotated[
        str | None,
        typer.Option(help="A picture of the photo's size, white where the garment is. Default: all but plain ground."),
    ] = None,
    tint: Annotated[float, typer.Option(help="0: folds are grey shades; 1: shades of the colour.")] = 0.5,
    prints: Annotated[float, typer.Option(help="Share of a print's own colours that stays.")] = 0.3,
) -> None:
    """Show a garment in other colours, with its own folds, seams and prints; no training is needed.

    Example: hemline vision design recolour dress.jpg --colour '#aa2233' --colour '#1e3a8a' --out new.png
    """
    check_place("out", out, folder=not out.endswith(".png"))
    import numpy as np

    from ..generate.design.designer import parsed_colour
    from ..generate.design.recolour import Recolouring, recolour_photo
    from ..generate.sheets import side_by_side

    colours = np.stack([parsed_colour(each) for each in colour])
    made = recolour_photo(photo, colours, mask, Recolouring(tint, prints))
    _write(out, made, lambda: side_by_side(made), colour, {"photo": photo}, PurePosixPath(photo).stem)
    typer.echo(f"{len(made)} colours in {out}")


@app.command("sheet")
def controls(
    checkpoint: Checkpoint,
    out: Annotated[str, typer.Option(help="A .png file.")],
    textures: Annotated[int, typer.Option(min=1, help="Rows: how many textures.")] = 4,
    first_seed: Annotated[int, typer.Option(min=0, help="The texture seed of the first row.")] = 0,
) -> None:
    """Draw a sheet of controls: rows of textures, columns of colours, a block for each of two shapes."""
    check_there("checkpoint", checkpoint, folder=True)
    check_place("out", out, folder=False)
    from fsspec.core import url_to_fs

    from ...runtime.run_folder import RunFolder
    from ...runtime.whole_files import write_whole
    from ..generate.design.designer import TrainedDesigner

    if not out.endswith(".png"):
        raise ValueError(f"out: expected a .png file, got {out}")
    with naming("checkpoint", checkpoint):
        trained = TrainedDesigner.load(RunFolder(checkpoint))
    files, place = url_to_fs(out)
    write_whole(files, place, trained.controls(range(first_seed, first_seed + textures)))
    typer.echo(out)


@app.command()
def score(
    data: Data,
    checkpoint: Checkpoint,
    features: Annotated[
        str, typer.Option(help="The run of a classifier, or a backbone by name, that images are compared by.")
    ] = "auto",
    count: Annotated[int, typer.Option(min=2, help="Designs of a row.")] = 500,
    out: Annotated[str | None, typer.Option(help="A .csv file for the table.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws which mask has which colour.")] = 0,
) -> None:
    """Judge designs in masks and colours of held-out photos, beside designs without a network."""
    check_there("checkpoint", checkpoint, folder=True)
    if out is not None:
        check_place("out", out, folder=False)
    from ...datasets.pictures.source import open_source
    from ..generate.design.comparison import score_designer
    from .progress import shown_progress
    from .tables import tell_scores

    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress, naming("checkpoint", checkpoint):
        table = score_designer(checkpoint, source, features, count=count, seed=seed, progress=progress)
    tell_scores(table, "designs", out)


def _write(
    out: str,
    made: np.ndarray,
    as_sheet: Callable[[], bytes],
    colours: Sequence[str],
    conditions: Mapping[str, str],
    name: str = "",
) -> None:
    """One file to look at, or a catalogue: an article for each colour, called by the name and the colour."""
    from fsspec.core import url_to_fs

    from ...runtime.whole_files import write_whole
    from ..generate.catalogue import write_catalogue

    if out.endswith(".png"):
        files, place = url_to_fs(out)
        write_whole(files, place, as_sheet())
        return
    told = [each.strip().lstrip("#").lower() for each in colours]
    columns = {"colour": [f"#{each}" for each in told], **{key: [text] * len(told) for key, text in conditions.items()}}
    with naming("out", out):
        write_catalogue(out, made, columns, [f"{name}-{each}" for each in told] if name else None)
