"""What a network that stays as it is sees of photos, and what is read of titles: both are computed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from ...datasets.pictures.photos import Pictures
from ...runtime.digest import sha256_of
from ...runtime.display.bars import Bar
from ...runtime.plain import to_plain
from ...runtime.run_folder import RunFolder
from ..networks.product_network import NO_TITLES, WORDS, ProductNetwork
from ..titles.text_encoder import TextEncoder

TITLE_BUCKETS = 4096

READ = "photo-vectors"
"""The folder of a run in which vectors of photos are kept until its training has ended."""

_KEPT_AT_ONCE = 512

_KEPT: ContextVar[RunFolder | None] = ContextVar("kept_vectors", default=None)


class TitleForm(TypedDict):
    """What of the form of a network says how titles are read."""

    text: str
    titles: int


def title_form(text: str) -> TitleForm:
    """How titles are read where this was asked for: ``"none"``, ``"words"``, or a folder or hub name of weights.

    Raises:
        FileNotFoundError: there are no such weights.
    """
    if text == NO_TITLES:
        return {"text": text, "titles": 0}
    if text == WORDS:
        return {"text": text, "titles": TITLE_BUCKETS}
    encoder = TextEncoder.open(text)
    return {"text": encoder.name, "titles": encoder.features}


def title_vectors(network: ProductNetwork, titles: Sequence[str], train: np.ndarray | None = None) -> Tensor | None:
    """The vectors of titles that a network reads beside photos.

    Arguments:
        network: the network.
        titles: n titles.
        train: int64, the numbers of those from which statistics are taken; ``None`` leaves the network's own.

    Returns:
        ``[n, titles]``; ``None`` where the network reads none.
    """
    if network.words is not None:
        if train is not None:
            network.words.fit([titles[row] for row in train])
        return network.words(titles).cpu()
    if network.title_scale is None:
        return None
    vectors = TextEncoder.open(network.config.text)(titles)
    if train is not None:
        network.title_scale.fit(vectors[train])
    return vectors


@contextmanager
def kept_vectors(address: str) -> Iterator[None]:
    """Context in which `photo_vectors` keeps what it computes for further runs too, and computes nothing twice.

    Arguments:
        address: a folder, or an fsspec address; it may be removed at any time.
    """
    token = _KEPT.set(RunFolder(address))
    try:
        yield
    finally:
        _KEPT.reset(token)


def vectors_are_kept() -> bool:
    """Whether `kept_vectors` is around the call, so that to ask for vectors again costs nothing."""
    return _KEPT.get() is not None


def photo_vectors(
    network: ProductNetwork, pictures: Pictures, *, mirrored: bool, device: str, folder: RunFolder | None = None
) -> Tensor:
    """The vectors of photos by a network that stays as it is.

    Arguments:
        network: the network.
        pictures: the photos.
        mirrored: whether the mirror image of each photo is a second view of it.
        device: where to calculate.
        folder: where vectors are kept, some hundred photos a file, until `forget_vectors`; those that are there are
            not computed again. ``None`` keeps none. In the context of `kept_vectors` its folder stands in for this one.

    Returns:
        float32 ``[photos, views, F]``, the photo itself first.
    """
    folder = _KEPT.get() or folder
    faster = network.for_inference().eval().to(device)
    shape = pictures.pixels.shape[1:]
    told = (mirrored, network.config.depths, network.config.colours, to_plain(network.backbone.form), shape)
    weights = sha256_of(repr(told), *(value.cpu().numpy() for value in network.backbone.state_dict().values()))

    def seen(pixels: Tensor) -> Tensor:
        images = faster.prepare(pixels.to(device))
        views = [images, images.flip(-1)] if mirrored else [images]
        return torch.stack([faster.photo_vectors(view).float().cpu() for view in views], dim=1)

    pixels, found = torch.from_numpy(pictures.pixels), []
    with torch.no_grad(), Bar(len(pictures), "vectors of photos", unit="photos") as bar:
        for first in range(0, len(pictures), _KEPT_AT_ONCE):
            some = slice(first, first + _KEPT_AT_ONCE)
            name = f"{READ}/{sha256_of(weights, *pictures.content[some])[:16]}.safetensors"
            if folder is not None and folder.has(name):
                found.append(folder.read_tensors(name)["vectors"])
            else:
                parts = []
                for few in pixels[some].split(64):
                    parts.append(seen(few))
                    bar.reach(first + sum(map(len, parts)))
                found.append(torch.cat(parts))
                if folder is not None:
                    folder.write_tensors(name, {"vectors": found[-1]})
            bar.reach(min(first + _KEPT_AT_ONCE, len(pictures)))
    return torch.cat(found)


def forget_vectors(folder: RunFolder) -> None:
    """Remove what `photo_vectors` kept."""
    if folder.has(READ):
        folder.files.rm(f"{folder.root}/{READ}", recursive=True)
