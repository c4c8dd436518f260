"""Other views of the same photo, for training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn

from ...runtime.arguments.kinds import Checked, Share, Within


@dataclass(frozen=True)
class AugmentConfig(Checked):
    """Options of data augmentation.

    Arguments:
        mirror: the chance of a mirror image; 0.5 mirrors half of a batch.
        crop: the smallest share of the area that a random square crop keeps, resized to the whole; the
            proportions stay. 1 for no crop.
        turn: largest rotation, degrees.
        erase: the chance that a rectangle of the photo is blanked.

    Raises:
        ValueError: an argument is out of its range.
    """

    mirror: Share = 0.5
    crop: Annotated[float, Within(0, 1, above=True)] = 0.7
    turn: Annotated[float, Within(0, 180)] = 0.0
    erase: Share = 0.0


class Augmentation(nn.Module):
    """Random changes of each image of a batch, by kornia, on the device of the images.

    Arguments:
        config: the changes.
        size: side of the images, pixels.

    Raises:
        ModuleNotFoundError: kornia is not installed (``pip install kornia``).
    """

    def __init__(self, config: AugmentConfig, size: int) -> None:
        super().__init__()
        import kornia.augmentation as changes

        steps: list[nn.Module] = []
        if config.mirror:
            steps.append(changes.RandomHorizontalFlip(p=config.mirror))
        if config.turn:
            # What a turn uncovers is a copy of the border, not black, which no shop photo has there.
            steps.append(changes.RandomAffine(degrees=config.turn, padding_mode="border"))
        if config.crop < 1:
            steps.append(
                changes.RandomResizedCrop(
                    (size, size), scale=(config.crop, 1.0), ratio=(1.0, 1.0), cropping_mode="resample"
                )
            )
        if config.erase:
            steps.append(changes.RandomErasing(p=config.erase, scale=(0.02, 0.15), value=0.5))
        self.steps = nn.Sequential(*steps)

    def forward(self, images: Tensor) -> Tensor:
        """Images ``[N, channels, size, size]`` in 0…1 to changed ones of the same shape."""
        return self.steps(images)
