"""``hemline vision gan``: train a generator of article photos, draw from it, and judge what it draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from .classify import Checkpoint, Data, Device

if TYPE_CHECKING:
    import numpy as np

    from ..generate.recipes import Recipe

app = typer.Typer(help="Generate photos of articles: train, draw, judge.", no_args_is_help=True)

Truncated = Annotated[
    float | None, typer.Option(help="Nearer to the middle of what was learnt the smaller it is; 0.7 is usual.")
]


@app.command("list")
def recipes() -> None:
    """List the recipes, by the names of their papers."""
    from ..generate.recipes import DEFAULT, RECIPES

    width = max(map(len, RECIPES))
    for name, recipe in RECIPES.items():
        typer.echo(f"{name:<{width}}  {recipe.about}{' (default)' if name == DEFAULT else ''}")


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A recipe, see list.")],
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 64,
    channels: Annotated[int, typer.Option(help="3, or 1 for grey.")] = 3,
) -> None:
    """Show the forms, options and sizes of a recipe."""
    from ..generate.networks.network import ImageSpec

    recipe = _recipe(name)
    spec = ImageSpec(size, channels)
    typer.echo(recipe.about)
    for part, form in (("generator", recipe.generator), ("critic", recipe.critic)):
        count = sum(each.numel() for each in form.build(spec).parameters())
        typer.echo(f"{part}: {count:,} numbers at {size} × {size}, {form}")
    typer.echo(f"training: {recipe.training}")


@app.command()
def train(
    data: Data,
    checkpoint: Checkpoint,
    recipe: Annotated[str, typer.Option(help="By the name of its paper, see list.")] = "small",
    task: Annotated[str | None, typer.Option(help="A label column whose classes can be asked for later.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the images in pixels; 64, or that of the data.")] = None,
    channels: Annotated[int | None, typer.Option(help="3, or 1 for grey.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Channels at the full side.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the generator.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images a step.")] = None,
    decay: Annotated[
        float | None, typer.Option(help="Last share of the steps, over which the learning rates fall to 0.")
    ] = None,
    augment: Annotated[
        str | None, typer.Option(help="none, diff or ada: changes of all images before the critic, for few photos.")
    ] = None,
    mirror: Annotated[bool | None, typer.Option("--mirror/--as-they-are", help="Mirror photos by chance.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, 32-true or bf16-mixed.")] = None,
    split_seed: Annotated[int, typer.Option(min=0, help="Draws the split.")] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws weights, order and latents.")] = None,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
) -> None:
    """Train a generator on the photos of a catalogue.

    Example: hemline vision gan train --data fashion_mnist --task class --checkpoint runs/gan --steps 5000
    """
    check_place("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ...runtime.devices import torch_device
    from ..generate.generate import SHEET, train_generator
    from ..generate.recipes import widened
    from .progress import shown_progress

    torch_device(device)
    # Any: texts of the command line, which the options check.
    given: dict[str, Any] = {
        "steps": steps,
        "batch_size": batch_size,
        "decay": decay,
        "augment": augment,
        "mirror": mirror,
        "precision": precision,
        "seed": seed,
    }
    chosen = _recipe(recipe)
    chosen = chosen if width is None else widened(chosen, width)
    changed = {name: value for name, value in given.items() if value is not None}
    chosen = replace(chosen, training=replace(chosen.training, device=device, **changed))
    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress:
        train_generator(
            source,
            checkpoint,
            recipe=chosen,
            size=size,
            channels=channels,
            task=task,
            split_seed=split_seed,
            resume=resume,
            progress=progress,
        )
    typer.echo(f"The generator lies in {checkpoint}; images of it: {checkpoint}/{SHEET}")


@app.command()
def sample(
    checkpoint: Checkpoint,
    out: Annotated[str, typer.Option(help="A .png sheet, or a folder for a catalogue: photos and catalogue.toml.")],
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 64,
    label: Annotated[str | None, typer.Option(help="The class of all; by default as frequent as in training.")] = None,
    truncation: Truncated = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the images.")] = 0,
    device: Device = "auto",
) -> None:
    """Draw images from a generator."""
    check_there("checkpoint", checkpoint, folder=True)
    check_place("out", out, folder=not out.endswith(".png"))
    from fsspec.core import url_to_fs

    from ...runtime.devices import torch_device
    from ...runtime.run_folder import RunFolder
    from ...runtime.whole_files import write_whole
    from ..generate.catalogue import write_catalogue
    from ..generate.sheets import sheet
    from ..generate.trained import TrainedGenerator

    with naming("checkpoint", checkpoint):
        trained = TrainedGenerator.load(RunFolder(checkpoint))
    images, labels = trained.sample(count, label=label, truncation=truncation, seed=seed, device=torch_device(device))
    if out.endswith(".png"):
        files, place = url_to_fs(out)
        write_whole(files, place, sheet(images, min(10, count)))
    else:
        with naming("out", out):
            write_catalogue(out, images, _told(trained.task, trained.network.spec.classes, labels))
    typer.echo(f"{count} images in {out}")


@app.command()
def score(
    data: Data,
    checkpoint: Checkpoint,
    features: Annotated[
        str, typer.Option(help="The run of a classifier, or a backbone by name, that images are compared by.")
    ],
    count: Annotated[int, typer.Option(min=2, help="Images of a row.")] = 10_000,
    neighbours: Annotated[int, typer.Option(min=1, help="k of precision, recall, density and coverage.")] = 5,
    truncation: Truncated = None,
    out: Annotated[str | None, typer.Option(help="A .csv file for the table.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws images and photos.")] = 0,
) -> None:
    """Judge generated images beside held-out photos and images that need no network."""
    check_there("checkpoint", checkpoint, folder=True)
    if out is not None:
        check_place("out", out, folder=False)
    from ...datasets.pictures.source import open_source
    from ..generate.comparison import score_generator
    from .progress import shown_progress
    from .tables import tell_scores

    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress, naming("checkpoint", checkpoint):
        table = score_generator(
            checkpoint,
            source,
            features,
            count=count,
            neighbours=neighbours,
            truncation=truncation,
            seed=seed,
            progress=progress,
        )
    tell_scores(table, "images", out)


def _recipe(name: str) -> Recipe:
    from ..generate.recipes import RECIPES

    if name not in RECIPES:
        raise ValueError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}")
    return RECIPES[name]


def _told(task: str | None, classes: tuple[str, ...], labels: np.ndarray | None) -> dict[str, list[str]]:
    return {} if task is None or labels is None else {task: [classes[number] for number in labels]}
