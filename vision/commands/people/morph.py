"""``hemline vision morph``: people in other poses."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ....runtime.arguments.naming import check_place, check_there, naming
from ..classify import Checkpoint, Device
from .one_word import DrawsByDefault

app = typer.Typer(
    help="A person in another pose: hemline vision morph PHOTO --pose FILE|ITEM, or a command.",
    no_args_is_help=True,
    cls=DrawsByDefault,
)

Pairs = Annotated[
    str, typer.Option("--data", help="A .toml description of photos, keypoints and pairs, see docs/generation.md.")
]


@app.command()
def train(
    data: Pairs,
    checkpoint: Checkpoint,
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 64,
    attention: Annotated[
        str, typer.Option(help="copy: attention to the source; none: convolutions alone; self: attention to itself.")
    ] = "copy",
    patches: Annotated[int, typer.Option(min=1, help="Patches of the source that each place looks at.")] = 4,
    width: Annotated[int, typer.Option(min=1, help="Channels at the full side.")] = 16,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the network.")] = 10_000,
    batch_size: Annotated[int, typer.Option(min=1, help="Pairs a step.")] = 8,
    features: Annotated[
        str, typer.Option(help="What the perceptual loss sees by: the run of a classifier, or a backbone by name.")
    ] = "auto",
    perceptual: Annotated[float, typer.Option(help="Weight of that loss; 0 for none.")] = 0.2,
    adversarial: Annotated[float, typer.Option(help="Weight of the loss of a critic; 0 for none.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws weights and order.")] = 0,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
) -> None:
    """Learn from pairs of photos of one person in two poses.

    Example: hemline vision morph train --data people/poses.toml --checkpoint runs/morph
    """
    check_place("checkpoint", checkpoint, folder=True)
    from dataclasses import replace

    from ....datasets.pictures.poses import read_pose_pairs
    from ....runtime.devices import torch_device
    from ...generate.morph.morph import SHEET, train_morph
    from ...generate.morph.network import MorphForm
    from ...generate.morph.training import MorphConfig
    from ...generate.networks.network import ImageSpec

    torch_device(device)
    kind: Any = attention  # a text of the command line, which the form checks
    form = MorphForm(size=size, width=width, attention=kind, scales=min(2, ImageSpec(size).doublings))
    form = replace(form, partition=replace(form.partition, patches=patches))
    training = MorphConfig(
        steps=steps,
        batch_size=batch_size,
        perceptual=perceptual,
        adversarial=adversarial,
        seed=seed,
        device=device,
    )
    with naming("data", data):
        pairs = read_pose_pairs(data, size)
    form = replace(form, points=len(pairs.skeleton.joints))
    train_morph(pairs, checkpoint, form=form, training=training, features=features, resume=resume)
    typer.echo(f"The network lies in {checkpoint}; what it makes: {checkpoint}/{SHEET}")


@app.command()
def draw(
    source: Annotated[str, typer.Argument(help="A photo of a person, whose pose is in --keypoints.")],
    pose: Annotated[
        str, typer.Option(help="A table of keypoints with one pose, or the name of a pose in --keypoints.")
    ],
    keypoints: Annotated[
        str, typer.Option(help="A table of keypoints by the names of photos, with that of the photo.")
    ],
    checkpoint: Checkpoint,
    out: Annotated[str, typer.Option(help="A .png file.")],
    patches: Annotated[
        int | None, typer.Option(min=1, help="Patches of the photo that each place looks at; as in training.")
    ] = None,
    looks: Annotated[
        str | None, typer.Option(help="A .png file: where the pixel at --at looks in the photo, which it copies from.")
    ] = None,
    at: Annotated[str, typer.Option(help="Row and column of that pixel, from 0: 20,31. Default: the middle.")] = "",
    device: Device = "auto",
) -> None:
    """Bring the person on a photo into another pose; the word draw may be left out.

    Example: hemline vision morph people/photos/00000-0.png --keypoints people/keypoints.csv --pose 00001-0.png
    --checkpoint runs/morph --out new.png
    """
    check_there("source", source, folder=False)
    check_there("checkpoint", checkpoint, folder=True)
    for name, place in (("out", out), ("looks", looks)):
        if place is not None:
            check_place(name, place, folder=False)
            if not place.endswith(".png"):
                raise ValueError(f"{name}: expected a .png file, got {place}")
    from ....runtime.devices import torch_device
    from ....runtime.run_folder import RunFolder
    from ....runtime.whole_files import write_whole
    from ...generate.morph.asked import asked_morph
    from ...generate.morph.morph import TrainedMorph

    on = torch_device(device)
    with naming("checkpoint", checkpoint):
        trained = TrainedMorph.load(RunFolder(checkpoint)).looking_at(patches)
    asked = asked_morph(trained, source, pose, keypoints)
    from fsspec.core import url_to_fs

    contents = {out: asked.drawn(on)}
    if looks is not None:
        contents[looks] = asked.looks(at)
    for place, content in contents.items():
        files, path = url_to_fs(place)
        write_whole(files, path, content)
    typer.echo(" ".join(contents))


@app.command()
def score(
    data: Pairs,
    checkpoint: Checkpoint,
    beside: Annotated[
        list[str] | None, typer.Option(help="The run of another network, for a row of its own; repeat it.")
    ] = None,
    patches: Annotated[
        int | None, typer.Option(min=1, help="Patches of the source that each place looks at; as in training.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="A .csv file for the table.")] = None,
    sheet: Annotated[
        str | None, typer.Option(help="A .png file: source, pose, each row's photo, and the truth.")
    ] = None,
) -> None:
    """Judge photos in the poses of held-out pairs, beside rows that learn nothing."""
    check_there("checkpoint", checkpoint, folder=True)
    for name, place in (("out", out), ("sheet", sheet)):
        if place is not None:
            check_place(name, place, folder=False)
    from fsspec.core import url_to_fs

    from ....datasets.pictures.poses import read_pose_pairs
    from ....runtime.run_folder import RunFolder
    from ....runtime.whole_files import write_whole
    from ...generate.morph.comparison import score_morph, sheet_of_morphs
    from ...generate.morph.morph import TrainedMorph
    from ..tables import tell_scores

    with naming("checkpoint", checkpoint):
        size = TrainedMorph.load(RunFolder(checkpoint)).network.form.size
    with naming("data", data):
        pairs = read_pose_pairs(data, size)
    others = {run: run for run in beside or ()}
    table = score_morph(pairs, checkpoint, beside=others, patches=patches)
    tell_scores(table, "pairs", out)
    if sheet is not None:
        files, place = url_to_fs(sheet)
        write_whole(files, place, sheet_of_morphs(pairs, checkpoint, beside=others, patches=patches))
