"""``hemline vision embed``: one vector an article."""

from __future__ import annotations

from typing import Annotated

import typer

from ...runtime.arguments.naming import check_place, check_there, naming
from ...runtime.devices import torch_device
from .annotate import Backbone, named_encoder
from .classify import Data, Device


def embed(
    data: Data,
    out: Annotated[str, typer.Option(help="The Parquet file, or its fsspec address.")],
    checkpoint: Annotated[str | None, typer.Option(help="A classifier's run whose network reads the photos.")] = None,
    backbone: Backbone = None,
    pca: Annotated[
        int | None, typer.Option(min=1, help="Principal axes, fitted on the training articles only.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Write one vector an article to Parquet, for forecasts, maps and searches.

    Example: hemline vision embed --data shop.toml --checkpoint runs/tasks --pca 16 --out vectors.parquet
    """
    if checkpoint is not None and backbone is None:
        check_there("checkpoint", checkpoint, folder=True)
    from ...datasets.pictures.source import open_source
    from ...runtime.run_folder import RunFolder
    from ..embed.embedding import embed_catalogue
    from ..embed.encoder import open_encoder
    from .progress import shown_progress

    described = named_encoder(checkpoint, backbone)
    check_place("out", out, folder=False)
    with naming("data", data):
        source = open_source(data)
    learned = [a.item_id for a in source.catalogue.articles if a.side == "train"]
    chosen = ("checkpoint", checkpoint) if checkpoint is not None else ("backbone", backbone)
    with naming(*chosen):
        if checkpoint is not None:
            learned = RunFolder(checkpoint).read_json("split.json")["train"]
        encoder = open_encoder(described)
    with shown_progress("opening photos") as progress, naming(*chosen):
        metadata = embed_catalogue(
            source,
            out,
            encoder,
            pca=pca,
            fit_on=learned,
            device=torch_device(device),
            progress=progress,
        )
    typer.echo(f"{len(source.catalogue)} articles in {out}; encoder {metadata['encoder']}, {metadata['pooling']}")
