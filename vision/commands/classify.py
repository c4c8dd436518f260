"""``hemline vision classify``: train a product network, test it, look at it, and ask it about photos."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.devices import torch_device

if TYPE_CHECKING:
    from ..networks.product_network import NetworkConfig

logger = logging.getLogger(__name__)

app = typer.Typer(help="Colour, brand, type, facets: labels of articles from their photos.", no_args_is_help=True)

DATA = "A catalogue: a .toml description, a folder of photos in class folders, or fashion_mnist."

CHECKPOINT = "Folder or fsspec address (s3://...) of the run."

Data = Annotated[str, typer.Option("--data", help=DATA)]

Checkpoint = Annotated[str, typer.Option("--checkpoint", help=CHECKPOINT)]

Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]

Mirrored = Annotated[
    bool | None,
    typer.Option("--mirrored/--plain", help="Mean of the answers to a photo and to its mirror image, or to it alone."),
]


@app.command()
def train(
    data: Data,
    checkpoint: Checkpoint,
    task: Annotated[list[str] | None, typer.Option(help="A label column to learn; repeat it. Default: all.")] = None,
    backbone: Annotated[
        str, typer.Option(help="auto, small-cnn, efficientnet-lite0, an architecture by name, or stored weights.")
    ] = "auto",
    finetune: Annotated[
        bool | None,
        typer.Option("--finetune/--frozen", help="Train the backbone, or leave it. Default: leave that of auto."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training articles; 20, or more where articles are few.")
    ] = None,
    lr: Annotated[float, typer.Option(help="Largest learning rate.")] = 3e-3,
    layer_decay: Annotated[float, typer.Option(help="How much slower each stage below the heads learns.")] = 1.0,
    batch_size: Annotated[int, typer.Option(help="Articles a step.")] = 64,
    size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    channels: Annotated[int | None, typer.Option(help="3, or 1 for grey.")] = None,
    widths: Annotated[str | None, typer.Option(help="Channels of each stage of the small network: 32,64,128.")] = None,
    pooling: Annotated[str, typer.Option(help="max, mean, attention or logits.")] = "max",
    hidden: Annotated[int, typer.Option(help="Width of the dense layers, 0 for none.")] = 0,
    dropout: Annotated[float, typer.Option(help="Share of dense outputs left out in training.")] = 0.2,
    input_dropout: Annotated[float, typer.Option(help="Share of the features of a photo left out in training.")] = 0.0,
    colours: Annotated[
        list[str] | None,
        typer.Option("--colours", help="A label column of colours: the article's own are learnt from too."),
    ] = None,
    titles: Annotated[
        str, typer.Option(help="Read titles beside photos: words, or weights of a text network; none by default.")
    ] = "none",
    depths: Annotated[
        bool | None,
        typer.Option("--depths/--top", help="Features of several depths of the backbone, or of its last map alone."),
    ] = None,
    spatial_transformer: Annotated[bool, typer.Option("--spatial-transformer", help="Learn to crop.")] = False,
    max_images: Annotated[int | None, typer.Option(min=1, help="Photos an article, at most.")] = None,
    class_weights: Annotated[str, typer.Option(help="none, inverse or effective.")] = "none",
    class_beta: Annotated[float, typer.Option(help="The beta of the effective number; nearer 1 weighs more.")] = 0.99,
    smoothing: Annotated[float, typer.Option(help="Label smoothing.")] = 0.0,
    weight_decay: Annotated[float, typer.Option(help="Decay of the weights.")] = 0.05,
    mirror: Annotated[float, typer.Option(help="Share of photos mirrored in training.")] = 0.5,
    crop: Annotated[float, typer.Option(help="Smallest share of a photo that a random crop keeps; 1: none.")] = 0.7,
    validation: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of articles to watch: 0.1, or none of those that the source gives to train on."
        ),
    ] = None,
    test: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share held out for the test: 0.2, unless the source says which.")
    ] = None,
    split_seed: Annotated[int, typer.Option(min=0, help="Draws the split.")] = 0,
    seed: Annotated[int, typer.Option(help="Draws weights, order and changes.")] = 0,
    precision: Annotated[str, typer.Option(help="32-true or bf16-mixed.")] = "32-true",
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a killed training.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", help="A finished run to go on from, with more articles, classes or tasks.")
    ] = None,
) -> None:
    """Train a network on the articles of a catalogue.

    Example: hemline vision classify train --data fashion_mnist --checkpoint runs/fm --size 28 --channels 1
    """
    from ...datasets.pictures.source import open_source
    from ...runtime.devices import Precision
    from ...runtime.run_folder import RunFolder
    from ...runtime.training.resume import REPORT
    from ..classify.classify import train_classifier
    from ..classify.options import TrainConfig
    from ..classify.task_loss import ClassWeights
    from ..networks.augmentation import AugmentConfig
    from ..networks.backbone import AUTO, SMALL_CNN
    from ..networks.efficientnet_lite import FORMS
    from ..networks.known_backbones import chosen_backbone
    from ..networks.product_network import NetworkConfig, Pooling
    from .progress import shown_progress

    check_place("checkpoint", checkpoint, folder=True)
    # Asked before the photos are opened; the options keep "auto", so that another machine can resume.
    torch_device(device)
    # What only the small network takes asks for it.
    chosen = SMALL_CNN if backbone == AUTO and (widths is not None or channels == 1) else chosen_backbone(backbone)
    form = NetworkConfig(
        backbone=chosen,
        size=size,
        channels=channels,
        widths=_numbers("32,64,128" if widths is None else widths),
        pooling=cast(Pooling, pooling),
        hidden=hidden,
        dropout=dropout,
        spatial_transformer=spatial_transformer,
        input_dropout=input_dropout,
        colours="lab" if colours else "none",
        colour_tasks=tuple(colours or ()),
        text=titles,
        depths=chosen in FORMS if depths is None else depths,
    )
    network: NetworkConfig | None = form
    frozen = chosen in FORMS if finetune is None else not finetune
    if start is not None:
        with naming("from", start):
            network, frozen = _as_before(form, start, frozen if finetune is not None else None)
    training = TrainConfig(
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        weight_decay=weight_decay,
        layer_decay=layer_decay,
        frozen=frozen,
        class_weights=cast(ClassWeights, class_weights),
        class_beta=class_beta,
        smoothing=smoothing,
        augment=AugmentConfig(mirror=mirror, crop=crop) if mirror or crop < 1 else None,
        seed=seed,
        precision=cast(Precision, precision),
        device=device,
    )
    with naming("data", data):
        source = open_source(data)
    # Asked before the photos are opened.
    if depths and chosen not in FORMS:
        raise ValueError(f"depths: expected a backbone of {list(FORMS)}, got {chosen}")
    learnt = list(task or source.catalogue.columns)
    if strange := [name for name in form.colour_tasks if name not in learnt]:
        raise ValueError(f"colours: expected label columns that are learnt, of {learnt}, got {strange[0]!r}")
    with shown_progress("opening photos") as progress:
        train_classifier(
            source,
            checkpoint,
            network=network,
            training=training,
            tasks=task or (),
            max_images=max_images,
            shares=(validation, test),
            split_seed=split_seed,
            resume=resume,
            start=start,
            progress=progress,
        )
    report = RunFolder(checkpoint).read_json(REPORT)
    typer.echo(_noticed(report))
    seconds = report["seconds"]
    typer.echo(
        f"The run lies in {checkpoint}: trained in {seconds['training']:.0f} s; with opening the photos it took "
        f"{seconds['processor']:.0f} s of processor time."
    )


@app.command("test")
def judge(data: Data, checkpoint: Checkpoint, mirrored: Mirrored = None, device: Device = "auto") -> None:
    """Score a run on the test side of its stored split."""
    check_there("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ..classify.judging import evaluate_classifier
    from ..classify.scores import table
    from .progress import shown_progress

    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress, naming("checkpoint", checkpoint):
        scores = evaluate_classifier(
            checkpoint, source, mirrored=mirrored, device=torch_device(device), progress=progress
        )
    for side, of_tasks in scores.items():
        if any(score["articles"] for score in of_tasks.values()):
            typer.echo(f"\n{side}\n\n{table(of_tasks)}")
    if not any(score["articles"] for score in scores["test"].values()):
        raise ValueError(f"data: expected labelled articles on the test side of {checkpoint}, got none")
    typer.echo(f"\nPer class: {checkpoint}/test.json; every answer: articles.parquet and photos.parquet beside it.")


@app.command()
def plot(
    data: Data,
    checkpoint: Checkpoint,
    umap: Annotated[bool, typer.Option("--umap", help="A second map, by UMAP (package umap-learn).")] = False,
) -> None:
    """Draw what a tested run sees and mistakes: filters, a map of the test articles, mistakes, reliability."""
    check_there("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ..plots.plot_run import plot_run
    from .progress import shown_progress

    with naming("data", data):
        source = open_source(data)
    with shown_progress("opening photos") as progress, naming("checkpoint", checkpoint):
        drawn = plot_run(checkpoint, source, umap=umap, progress=progress)
    for address in drawn:
        typer.echo(address)


def _as_before(form: NetworkConfig, start: str, frozen: bool | None) -> tuple[None, bool]:
    """No form of its own, and whether the backbone stays as it is, for a training that goes on from a run.

    Raises:
        ValueError: a network of another form than by default was asked for.
    """
    from ...runtime.run_folder import RunFolder
    from ..classify.classifier import MODEL
    from ..networks.backbone import AUTO
    from ..networks.efficientnet_lite import FORMS
    from ..networks.known_backbones import chosen_backbone
    from ..networks.product_network import NetworkConfig

    chosen = chosen_backbone(AUTO)
    usual = NetworkConfig(backbone=chosen, depths=chosen in FORMS)
    if named := [name for name in vars(usual) if getattr(form, name) != getattr(usual, name)]:
        raise ValueError(f"from: expected the network of the run, got {named[0]} = {getattr(form, named[0])}")
    stored: bool = RunFolder(start).read_json(MODEL)["training"]["frozen"]
    return None, stored if frozen is None else frozen


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"widths: expected whole numbers with commas between, got {text!r}") from None


def _noticed(report: Mapping[str, Any]) -> str:
    articles, bad = report["articles"], report["quarantine"]
    lines = [
        f"{articles['all']} articles ({articles['train']} train, {articles['validation']} validation, "
        f"{articles['test']} test), {len(articles['without_photo'])} without a usable photo; "
        f"{report['photos']['good']} photos, {len(bad)} in quarantine"
    ]
    lines += [f"  quarantined {row['address']}: {row['reason']}" for row in bad[:10]]
    lines += [f"  and {len(bad) - 10} more in report.json"] if len(bad) > 10 else []
    if shared := report["photos"]["on_two_sides"]:
        lines.append(f"  {len(shared)} photos are on two sides of the split that the source gave, such as {shared[0]}")
    lines += [f"  only one class in training: {name}" for name in report["labels"]["one_class"]]
    lines += [
        f"  never seen in training: {name} {', '.join(found)}"
        for name, found in report["labels"]["never_seen_in_training"].items()
    ]
    return "\n".join(lines)
