"""What a network that stays as it is sees of photos, and what is read of titles: both are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from ...datasets.pictures.photos import Pictures
from ..networks.product_network import NO_TITLES, WORDS, ProductNetwork
from ..titles.text_encoder import TextEncoder

TITLE_BUCKETS = 4096


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


def photo_vectors(network: ProductNetwork, pictures: Pictures, *, mirrored: bool, device: str) -> Tensor:
    """The vectors of photos by a network that stays as it is.

    Arguments:
        network: the network.
        pictures: the photos.
        mirrored: whether the mirror image of each photo is a second view of it.
        device: where to calculate.

    Returns:
        float32 ``[photos, views, F]``, the photo itself first.
    """
    faster = network.for_inference().eval().to(device)
    pixels = torch.from_numpy(pictures.pixels)
    found = []
    with torch.no_grad():
        for some in pixels.split(64):
            images = faster.prepare(some.to(device))
            views = [images, images.flip(-1)] if mirrored else [images]
            found.append(torch.stack([faster.photo_vectors(view).float().cpu() for view in views], dim=1))
    return torch.cat(found)
