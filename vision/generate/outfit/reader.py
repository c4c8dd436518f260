"""What a photo of a dressed figure shows, told by a network that learnt it from real ones: joints and articles."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ....datasets.pictures.worn.outfits import Outfits
from ....runtime.arguments.kinds import Checked, Count, Positive, Seed
from .network import SLOTS, article_colours


@dataclass(frozen=True)
class ReaderConfig(Checked):
    """How a reader of figures is trained.

    Arguments:
        steps: of Adam.
        batch_size: photos a step.
        lr: learning rate, which falls to 0 by a cosine.
        width: channels at the full side.
        seed: draws weights and order.
    """

    steps: Count = 600
    batch_size: Count = 16
    lr: Positive = 3e-3
    width: Count = 16
    seed: Seed = 0


class FigureReader(nn.Module):
    """A photo to its joints, which slots are worn, and the colours of the articles.

    Joints are the middles of maps at half the side that sum to 1 (soft arg max: D. Luvizon et al. (2017), arXiv
    1710.02322); what is worn is told by the features where each slot attends.

    Arguments:
        joints: J.
        width: channels at the full side.
    """

    def __init__(self, joints: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for before, after in itertools.pairwise((3, width, 2 * width, 2 * width, 4 * width)):
            # Dilated, so that a place sees the whole figure without losing where it is.
            dilation = 2 ** max(len(self.layers) - 1, 0)
            self.layers.append(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation), nn.BatchNorm2d(after), nn.ReLU()
                )
            )
        self.places = nn.Conv2d(4 * width, joints, 3, padding=1)
        self.looks = nn.Conv2d(4 * width, SLOTS, 1)
        self.told = nn.ModuleList([nn.Linear(4 * width + 3, 4) for _ in range(SLOTS)])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Joints ``[B, J, 2]``, shares of the side, and of each slot a logit of being worn and a colour ``[B, 6, 4]``.

        Arguments:
            images: ``[B, 3, S, S]``, −1…1.
        """
        small = nn.functional.avg_pool2d(images, 2)
        maps = self.layers[0](images)
        maps = nn.functional.avg_pool2d(maps, 2)
        for layer in list(self.layers)[1:]:
            maps = layer(maps)
        side = maps.shape[-1]
        middles = (torch.arange(side, device=maps.device) + 0.5) / side
        places = self.places(maps).flatten(2).softmax(dim=2).unflatten(2, (side, side))
        joints = torch.stack(
            [(places.sum(dim=2) * middles).sum(dim=2), (places.sum(dim=3) * middles).sum(dim=2)], dim=2
        )
        looks = self.looks(maps).flatten(2).softmax(dim=2)
        features = torch.cat([maps, small], dim=1).flatten(2)
        seen = torch.einsum("bsp,bfp->bsf", looks, features)
        return joints, torch.stack([slot(seen[:, number]) for number, slot in enumerate(self.told)], dim=1)


def trained_reader(outfits: Outfits, config: ReaderConfig | None = None) -> FigureReader:
    """A reader that learnt from photos with known poses and articles.

    Arguments:
        outfits: what is learnt from; missing joints do not count.
        config: how.
    """
    config = config or ReaderConfig()
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        reader = FigureReader(outfits.joints.shape[1], config.width)
    optimizer = torch.optim.Adam(reader.parameters(), lr=config.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    draws = torch.Generator().manual_seed(config.seed)
    images, joints, articles, worn = (
        torch.from_numpy(part) for part in (outfits.images, outfits.joints, outfits.articles, outfits.worn)
    )
    for _ in range(config.steps):
        chosen = torch.randint(len(images), (config.batch_size,), generator=draws)
        found, told = reader(images[chosen].float() / 127.5 - 1)
        there, here = worn[chosen].float(), ~joints[chosen].isnan()
        colours = article_colours(articles[chosen].float() / 127.5 - 1)
        apart = (found - joints[chosen].nan_to_num()).abs() * here
        loss = 10 * apart.sum() / here.sum().clamp_min(1)
        loss = loss + binary_cross_entropy_with_logits(told[:, :, 0], there)
        square = (told[:, :, 1:] - colours).square().sum(dim=2) * there
        loss = loss + square.sum() / there.sum().clamp_min(1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return reader.eval()


def read_figures(reader: FigureReader, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints ``[n, J, 2]``, how likely each slot is worn ``[n, 6]``, and colours ``[n, 6, 3]``, 0…1.

    Arguments:
        reader: of `trained_reader`.
        images: uint8 ``[n, 3, S, S]``.
    """
    found: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        for some in torch.from_numpy(images).split(64):
            found.append(reader(some.float() / 127.5 - 1))
    joints, told = (torch.cat(each) for each in zip(*found, strict=True))
    return joints.numpy(), told[:, :, 0].sigmoid().numpy(), ((told[:, :, 1:] + 1) / 2).numpy()
