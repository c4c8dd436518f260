"""Shapes and textures that are taken from files: masks of photos, and latents that draw what a photo shows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ....datasets.pictures.photos import read_photo, resize_photo
from ....runtime.arguments.kinds import Count, Seed, checked
from .designer import TrainedDesigner
from .masks import article_masks

_DARK = 0.3
"""Of full brightness; a border below it is that of a mask in black."""


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
        raise ValueError(f"expected an article on a plain ground, got one on {share.mean():.0%} of {address}")
    return share


@checked
def texture_of_photo(trained: TrainedDesigner, address: str, *, steps: Count = 300, seed: Seed = 0) -> Tensor:
    """The latent vector whose image, in the photo's own colour and mask, is most like the photo.

    Arguments:
        trained: a designer.
        address: path or address of a photo of an article on a white ground.
        steps: of Adam on the latents.
        seed: draws where it begins.

    Returns:
        ``[1, Z]``.

    Raises:
        OSError: the photo cannot be read.
        ValueError: it is none, or there is no article on it.

    Source: projection to latents, T. Karras et al. (2020), arXiv 1912.04958, appendix D, with squared differences of
    pixels at three sizes in the place of a perceptual distance.
    """
    network = trained.network.eval()
    size = network.form.size
    target = torch.tensor(resize_photo(read_photo(address), size)).float()[None] / 127.5 - 1
    place = torch.from_numpy(shape_of(address, size)).float()[None, None]
    colour = ((target * place).sum(dim=(2, 3)) / place.sum()).clamp(-1, 1)
    latents = trained.textures([seed + number for number in range(8)])
    with torch.no_grad():
        many = (latents, colour.expand(8, -1), place.expand(8, -1, -1, -1))
        apart = (network(*many) - target).square().mean(dim=(1, 2, 3))
    found = latents[apart.argmin()][None].clone().requires_grad_(True)
    optimizer = torch.optim.Adam([found], lr=0.05)
    for _ in range(steps):
        image = network(found, colour, place)
        # Far from the law of latents nothing was learnt.
        loss = 1e-4 * (found.square().mean() - 1).square()
        for side in (1, 2, 4):
            missed = (avg_pool2d(image, side) - avg_pool2d(target, side)).square()
            loss = loss + (missed * avg_pool2d(place, side)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found.detach()
