"""``hemline vision embed``: one vector an article."""

from __future__ import annotations

from typing import Annotated

import typer

from ...runtime.devices import torch_device
from .annotate import Backbone, named_encoder
from .classify import Data, Device


def embed(
    data: Data,
    out: Annotated[str, typer.Option(help="The Parquet file, or its fsspec address.")],
    checkpoint: Annotated[str | None, typer.Option(help="A classifier's run whose network reads the photos.")] = None,
    backbone: Backbone = None,
    pca: Annotated[int | None, typer.Option(help="Principal axes, fitted on the training articles only.")] = None,
    device: Device = "auto",
) -> None:
    """Write one vector an article to Parquet, for forecasts, maps and searches.

    Example: hemline vision embed --data shop.toml --checkpoint runs/tasks --pca 16 --out vectors.parquet
    """
    from ...datasets.pictures.source import open_source
    from ...runtime.run_folder import RunFolder
    from ..embed.encoder import open_encoder
    from .progress import shown_progress

    described = named_encoder(checkpoint, backbone)
    source = open_source(data)
    learned = [a.item_id for a in source.catalogue.articles if a.side == "train"]
    if checkpoint is not None:
        learned = RunFolder(checkpoint).read_json("split.json")["train"]
    from ..embed.embedding import embed_catalogue

    with shown_progress("opening photos") as progress:
        metadata = embed_catalogue(
            source,
            out,
            open_encoder(described),
            pca=pca,
            fit_on=learned,
            device=torch_device(device),
            progress=progress,
        )
    typer.echo(f"{len(source.catalogue)} articles in {out}; encoder {metadata['encoder']}, {metadata['pooling']}")
