"""``hemline vision annotate``: learn to word photos from titles."""

from __future__ import annotations

from typing import Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.devices import torch_device
from .classify import Checkpoint, Data, Device

app = typer.Typer(help="Titles and descriptions of articles from their photos.", no_args_is_help=True)

Encoder = Annotated[str | None, typer.Option(help="A classifier's run whose network reads the photos.")]

Backbone = Annotated[str | None, typer.Option(help="Or a backbone: auto (the default), a name, folder or hub name.")]


@app.command()
def train(
    data: Data,
    checkpoint: Checkpoint,
    encoder: Encoder = None,
    backbone: Backbone = None,
    finetune: Annotated[
        bool,
        typer.Option("--finetune/--frozen", help="Afterwards train the network that reads the photos along, or not."),
    ] = False,
    tuning_epochs: Annotated[
        int | None, typer.Option(min=1, help="Further passes in which it learns along; 3 with --finetune.")
    ] = None,
    tuning_lr: Annotated[float, typer.Option(help="Largest learning rate in these.")] = 1e-4,
    epochs: Annotated[int, typer.Option(help="Passes over the training titles.")] = 30,
    lr: Annotated[float, typer.Option(help="Largest learning rate.")] = 3e-3,
    batch_size: Annotated[int, typer.Option(help="Titles a step.")] = 64,
    min_count: Annotated[int, typer.Option(min=1, help="Rarer words become unknown.")] = 2,
    seed: Annotated[int, typer.Option(help="Draws weights and order.")] = 0,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
) -> None:
    """Train a captioner on the titles of a catalogue; the network that reads the photos stays, or learns along.

    Example: hemline vision annotate train --data shop.toml --encoder runs/tasks --checkpoint runs/titles
    """
    if encoder is not None and backbone is None:
        check_there("encoder", encoder, folder=True)
    from ...datasets.pictures.source import open_source
    from ..captions.annotate import train_annotator
    from ..captions.training import CaptionTrainConfig
    from .progress import shown_progress

    check_place("checkpoint", checkpoint, folder=True)
    described = named_encoder(encoder, backbone)
    # Asked before the photos are opened; the options keep "auto", so that another machine can resume.
    torch_device(device)
    if tuning_epochs is not None and not finetune:
        raise ValueError(f"tuning_epochs: expected none without --finetune, got {tuning_epochs}")
    training = CaptionTrainConfig(
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        finetune=(tuning_epochs or 3) if finetune else 0,
        finetune_lr=tuning_lr,
        seed=seed,
        device=device,
    )
    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress:
        train_annotator(
            source,
            checkpoint,
            encoder=described,
            training=training,
            min_count=min_count,
            resume=resume,
            progress=progress,
        )
    typer.echo(f"The run lies in {checkpoint}.")


@app.command("test")
def judge(
    data: Data,
    checkpoint: Checkpoint,
    beams: Annotated[int, typer.Option(min=1, help="Beams of the search.")] = 5,
    examples: Annotated[int, typer.Option(min=0, help="How many examples to show.")] = 10,
) -> None:
    """BLEU and CIDEr-D on the test titles, beside those of always saying the most frequent title; and some examples.

    The examples stand with their photos in captions.png of the run.
    """
    check_there("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ...runtime.run_folder import RunFolder
    from ..captions.annotate import evaluate_annotator
    from ..plots.plot_run import plot_captions

    with naming("data", data):
        source = open_source(data)
    with naming("checkpoint", checkpoint):
        scores = evaluate_annotator(checkpoint, source, beams=beams)
    typer.echo(
        f"{scores['articles']} test titles\n\n"
        "| row | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | CIDEr-D |\n|---|---|---|---|---|---|"
    )
    rows = {"model": scores["model"], "most_frequent_title": scores["most_frequent_title"]}
    for name, found in rows.items():
        shown = " | ".join(f"{found[score]:.3f}" for score in (*(f"bleu_{n}" for n in (1, 2, 3, 4)), "cider_d"))
        typer.echo(f"| {name} | {shown} |")
    typer.echo("")
    captions = RunFolder(checkpoint).read_frame("captions.parquet")
    for row in captions.sample(min(examples, len(captions)), random_state=0).itertuples():
        typer.echo(f"{row.item_id}: {row.title}\n    said: {row.said}")
    if examples:
        typer.echo(f"\nWith photos: {plot_captions(checkpoint, examples=examples)}")


@app.command()
def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Photos, or addresses of photos.")],
    checkpoint: Checkpoint,
    beams: Annotated[int, typer.Option(min=1, help="Beams of the search.")] = 5,
) -> None:
    """Caption photos."""
    check_there("checkpoint", checkpoint, folder=True)
    from ..captions.annotate import annotate_photos

    with naming("checkpoint", checkpoint):
        said, quarantine = annotate_photos(checkpoint, paths, beams=beams)
    for address, words in said:
        typer.echo(f"{address}: {words}")
    for bad in quarantine:
        typer.echo(f"{bad.address}: {bad.reason}", err=True)
    if quarantine:
        raise typer.Exit(1)


def named_encoder(encoder: str | None, backbone: str | None) -> dict[str, str]:
    """The one of the two that is named, else the pretrained backbone that is installed.

    Raises:
        ValueError: both are named, or none and no pretrained weights are installed.
    """
    from ..networks.backbone import AUTO, SMALL_CNN
    from ..networks.known_backbones import chosen_backbone

    if encoder is not None and backbone is not None:
        raise ValueError(f"encoder, backbone: expected one of the two, got {encoder!r} and {backbone!r}")
    if encoder is not None:
        return {"run": encoder}
    chosen = chosen_backbone(AUTO if backbone is None else backbone)
    if backbone in (None, AUTO) and chosen == SMALL_CNN:
        raise ValueError("encoder, backbone: expected one of the two, since no pretrained weights are installed")
    return {"backbone": chosen}
