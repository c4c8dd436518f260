"""``hemline vision outfit``: people in chosen articles and poses."""

from __future__ import annotations

from typing import Annotated

import typer

from ....runtime.arguments.naming import check_place, check_there, naming
from ..classify import Checkpoint, Device
from .one_word import DrawsByDefault

app = typer.Typer(help="People in chosen articles and poses.", no_args_is_help=True, cls=DrawsByDefault)

Folder = Annotated[str, typer.Option(help="A folder with outfits.csv, keypoints.csv and photos/.")]


@app.command()
def train(
    data: Folder,
    checkpoint: Checkpoint,
    size: Annotated[int, typer.Option(help="Side of the photos in pixels.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the generator.")] = 5000,
    batch_size: Annotated[int, typer.Option(min=2, help="Photos a step.")] = 16,
    unconditional: Annotated[
        bool, typer.Option("--unconditional", help="Learn photos alone, without articles and poses.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Draws weights, order, latents and conditions.")] = 0,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
) -> None:
    """Learn to draw people in articles and poses.

    Example: hemline vision outfit train --data figures --checkpoint runs/outfits
    """
    check_place("checkpoint", checkpoint, folder=True)
    from ....datasets.pictures.worn.outfits import read_outfits
    from ....runtime.devices import torch_device
    from ....runtime.run_folder import RunFolder
    from ....runtime.training.resume import check_begun
    from ...generate.outfit.dresser import SHEET, train_dresser
    from ...generate.outfit.network import OutfitForm
    from ...generate.outfit.training import OutfitConfig
    from ..progress import shown_progress

    torch_device(device)
    OutfitForm(size=size)  # a size that cannot be is refused before photos are opened, and so is a run that is there
    if not resume:
        check_begun(RunFolder(checkpoint), {}, False)
    training = OutfitConfig(steps=steps, batch_size=batch_size, seed=seed, device=device)
    with naming("data", data), shown_progress("opening photos") as progress:
        outfits = read_outfits(data, size, progress=progress)
    form = OutfitForm(size=size, conditional=not unconditional, joints=outfits.joints.shape[1])
    train_dresser(outfits, checkpoint, form=form, training=training, resume=resume)
    typer.echo(f"The network lies in {checkpoint}; what it draws: {checkpoint}/{SHEET}")


@app.command()
def draw(
    pose: Annotated[str, typer.Option(help="A table of keypoints: name:keypoints_y:keypoints_x.")],
    checkpoint: Checkpoint,
    out: Annotated[str, typer.Option(help="A .png file.")],
    articles: Annotated[
        str,
        typer.Option(help="Packshots, with commas between: slot=path, or a path whose folder is called like the slot."),
    ] = "",
    item: Annotated[str | None, typer.Option(help="The name of the pose in the table. Default: the first.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws body and background.")] = 0,
    device: Device = "auto",
) -> None:
    """Dress a person; the word draw may be left out.

    Example: hemline vision outfit --articles top=blue.png,bottom=grey.png --pose keypoints.csv
    --checkpoint runs/outfits --out new.png
    """
    check_there("checkpoint", checkpoint, folder=True)
    check_place("out", out, folder=False)
    from fsspec.core import url_to_fs

    from ....runtime.devices import torch_device
    from ....runtime.whole_files import write_whole
    from ...generate.outfit.dresser import dress
    from ...generate.sheets import side_by_side

    if not out.endswith(".png"):
        raise ValueError(f"out: expected a .png file, got {out}")
    chosen = [each.strip() for each in articles.split(",") if each.strip()]
    made = dress(checkpoint, chosen, pose, item=item, seed=seed, device=torch_device(device))
    files, place = url_to_fs(out)
    write_whole(files, place, side_by_side(made[None]))
    typer.echo(out)


@app.command()
def score(
    data: Folder,
    checkpoint: Checkpoint,
    unconditional: Annotated[
        str | None, typer.Option(help="The run of a network without conditions, for a row of its own.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="A .csv file for the table.")] = None,
    reader_steps: Annotated[int, typer.Option(min=1, help="Steps of the network that judges.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Draws latents, and which outfits are moved.")] = 0,
) -> None:
    """Judge joints, colours and empty slots by a network that learnt them from real photos.

    Example: hemline vision outfit score --data figures --checkpoint runs/outfits
    """
    check_there("checkpoint", checkpoint, folder=True)
    if unconditional is not None:
        check_there("unconditional", unconditional, folder=True)
    if out is not None:
        check_place("out", out, folder=False)
    from ....datasets.pictures.worn.outfits import read_outfits
    from ....runtime.run_folder import RunFolder
    from ...generate.outfit.comparison import score_dresser
    from ...generate.outfit.dresser import TrainedDresser
    from ...generate.outfit.reader import ReaderConfig
    from ..progress import shown_progress
    from ..tables import tell_scores

    with naming("checkpoint", checkpoint):
        size = TrainedDresser.load(RunFolder(checkpoint)).network.form.size
    if unconditional is not None:
        with naming("unconditional", unconditional):
            TrainedDresser.load(RunFolder(unconditional))
    with naming("data", data), shown_progress("opening photos") as progress:
        outfits = read_outfits(data, size, progress=progress)
    reader = ReaderConfig(steps=reader_steps)
    with naming("checkpoint", checkpoint):
        table = score_dresser(checkpoint, outfits, unconditional=unconditional, reader=reader, seed=seed)
    tell_scores(table, "photos", out)
