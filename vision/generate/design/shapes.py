"""Shapes and textures that are taken from files: masks of photos, and latents that draw what a photo shows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ....datasets.pictures.photos import read_photo, resize_photo
from ....runtime.arguments.kinds import Count, Seed, checked
from ....runtime.display.numbers import percent
from .designer import TrainedDesigner
from .masks import article_masks, mean_colours

_DARK = 0.3
"""Of full brightness; a border below it is that of a mask in black."""

_BEGINNINGS = 8
"""Latents of which a search begins at the best."""


def shape_of(address: str, size: int) -> np.ndarray:
    """The share of the article in each pixel of a photo on a white ground, or of a mask in black and white.

    Arguments:
        address: path or address of the picture.
        size: side S of the square, pixels.

    Returns:
        ``[S, S]``, 0…1.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no picture, or there is no article on it.
    """
    pixels = resize_photo(read_photo(address), 2 * size).copy()
    edges = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)
    if np.median(edges) / 255 < _DARK:
        article = pixels.mean(axis=0) / 255
    else:
        article = article_masks(pixels[None])[0].astype(np.float64)
    share: np.ndarray = avg_pool2d(torch.from_numpy(article)[None, None], 2)[0, 0].numpy()
    if not 0.01 < share.mean() < 0.97:
        raise ValueError(f"expected an article on a plain ground, got one on {percent(share.mean())} of {address}")
    return share


@checked
def texture_of_photo(trained: TrainedDesigner, address: str, *, steps: Count = 300, seed: Seed = 0) -> Tensor:
    """The latent vector whose image, in the photo's own colour and mask, is most like the photo.

    Arguments:
        trained: a designer.
        address: path or address of a photo of an article on a white ground.
        steps: see `project_textures`.
        seed: likewise.

    Returns:
        ``[1, Z]``.

    Raises:
        OSError: the photo cannot be read.
        ValueError: it is none, or there is no article on it.
    """
    size = trained.network.form.size
    image = torch.tensor(resize_photo(read_photo(address), size)).float()[None] / 255
    return project_textures(
        trained, image, torch.from_numpy(shape_of(address, size)).float()[None], steps=steps, seed=seed
    )


def project_textures(
    trained: TrainedDesigner, images: Tensor, masks: Tensor, *, steps: int = 300, seed: int = 0
) -> Tensor:
    """For each photo the latent vector whose image, in the photo's own colour and mask, is most like it.

    Arguments:
        trained: a designer.
        images: ``[n, 3, S, S]``, 0…1.
        masks: share of the article in each pixel, ``[n, S, S]``, 0…1.
        steps: of Adam on the latents.
        seed: draws where they begin: at the best of eight.

    Returns:
        ``[n, Z]``; a photo's is the same alone and among others.

    Source: projection to latents, T. Karras et al. (2020), arXiv 1912.04958, appendix D, with squared differences of
    pixels at three sizes in the place of a perceptual distance.
    """
    network, count = trained.network.eval(), len(images)
    target, places = images * 2 - 1, masks[:, None]
    colours = mean_colours(target, places).clamp(-1, 1)
    tried = trained.textures([seed + number for number in range(_BEGINNINGS)])
    with torch.no_grad():
        apart = torch.stack(
            [(network(each.expand(count, -1), colours, places) - target).square().mean(dim=(1, 2, 3)) for each in tried]
        )
    found = tried[apart.argmin(dim=0)].clone().requires_grad_(True)
    optimizer = torch.optim.Adam([found], lr=0.05)
    for _ in range(steps):
        made = network(found, colours, places)
        # Far from the law of latents nothing was learnt.
        loss = 1e-4 * (found.square().mean(dim=1) - 1).square().sum()
        for side in (1, 2, 4):
            missed = (avg_pool2d(made, side) - avg_pool2d(target, side)).square()
            loss = loss + (missed * avg_pool2d(places, side)).mean(dim=(1, 2, 3)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found.detach()
