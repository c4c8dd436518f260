"""``hemline vision classify predict`` and ``export``: a run is asked about photos, and made small enough to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.devices import torch_device
from .classify import CHECKPOINT, Checkpoint, Device, Mirrored
from .tables import check_table, write_table

if TYPE_CHECKING:
    import pandas as pd


def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Photos, folders of photos, or addresses.")],
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help=f"{CHECKPOINT} Default: one of ten kinds of clothes.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="A .csv or .parquet file for the probability of every tag.")] = None,
    mirrored: Mirrored = None,
    top: Annotated[int, typer.Option(min=1, help="Likeliest labels of each task to tell, with their shares.")] = 1,
    device: Device = "auto",
) -> None:
    """Predict the labels of photos: the likeliest of each task, of facets all above one half.

    Example: hemline vision classify predict photo.jpg --top 3
    """
    if checkpoint is not None:
        check_there("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import photos_in
    from ...runtime.run_folder import RunFolder
    from ..classify.classifier import SHIPPED, stored_labels
    from ..classify.judging import predict_photos

    check_table(out)
    paths = [photo for path in paths for photo in photos_in(path)]
    with naming("checkpoint", checkpoint or SHIPPED):
        answers, quarantine = predict_photos(checkpoint, paths, mirrored=mirrored, device=torch_device(device))
    if out is not None:
        write_table(out, answers)
    tasks = stored_labels(RunFolder(checkpoint or SHIPPED)).tasks
    for photo, rows in answers.groupby("photo", sort=False):
        said = [f"{task.name} {_said(rows[rows['task'] == task.name], task.facets, top)}" for task in tasks]
        typer.echo(f"{photo}: {', '.join(said)}")
    for bad in quarantine:
        typer.echo(f"{bad.address}: {bad.reason}", err=True)
    if quarantine:
        raise typer.Exit(1)


def export(
    checkpoint: Checkpoint,
    out: Annotated[str, typer.Option(help="Folder or fsspec address of the small run.")],
) -> None:
    """Write a run without the weights of its pretrained backbone, which an installed package holds.

    Example: hemline vision classify export --checkpoint runs/clothes --out clothes
    """
    check_there("checkpoint", checkpoint, folder=True)
    check_place("out", out, folder=True)
    from ...runtime.run_folder import RunFolder
    from ..classify.classifier import MODEL, Classifier

    with naming("checkpoint", checkpoint):
        classifier = Classifier.load(RunFolder(checkpoint))
    folder = RunFolder(out)
    with folder.alone("out"):
        if folder.has(MODEL):
            raise ValueError(f"out: expected a folder without a run, got one in {out}")
        classifier.save(folder, installed=True)
    typer.echo(f"The run lies in {out}; it needs the package of {classifier.network.backbone.name}.")


def _said(answers: pd.DataFrame, facets: bool, top: int) -> str:
    """The likeliest labels of a photo in words; each facet is a yes or no of its own, and all of them may be no."""
    ordered = answers.sort_values("probability", ascending=False, kind="stable")
    named = list(zip(ordered["label"], ordered["probability"].astype(float), strict=True))
    chosen = [(label, share) for label, share in named if share > 0.5] if facets else named[:top]
    told = (" and " if facets else ", ").join(f"{label} ({share:.2f})" for label, share in chosen)
    return told or "none above 0.5 (likeliest {} {:.2f})".format(*named[0])
