"""A convolutional network small enough to train on two processor cores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...runtime.arguments.kinds import Checked, Count
from .backbone import SMALL_CNN, Backbone, BackboneForm
from .preprocessing import Preprocessing


class SmallCNN(Backbone):
    """3×3 convolutions with batch normalisation; each stage halves the image, the mean over the last map is the vector.

    The first stage has one convolution, since it sees the most pixels; the others have two.

    Arguments:
        size: side of the images, pixels.
        channels: 3, or 1 for grey.
        widths: the channels of each stage.
        preprocessing: what the inputs look like; by default brightness around 0.

    Raises:
        ValueError: the image is too small for so many halvings.

    Example:
        >>> SmallCNN(size=28, channels=1, widths=(4, 8))(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 8])
    """

    name = SMALL_CNN
    pooling = "mean over the last map"

    def __init__(
        self,
        size: int = 64,
        channels: int = 3,
        widths: tuple[int, ...] = (32, 64, 128),
        preprocessing: Preprocessing | None = None,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1 or size < 2 ** len(widths):
            raise ValueError(
                f"widths: expected positive numbers, at most one for each halving of {size} pixels, got {widths}"
            )
        self.widths = tuple(widths)
        self.features = widths[-1]
        self.preprocessing = preprocessing or Preprocessing(
            size, channels, mean=(0.5,) * channels, std=(0.25,) * channels
        )
        before = (channels, *widths[:-1])
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *_convolution(width_in, width_out),
                *(_convolution(width_out, width_out) if number else ()),
                nn.MaxPool2d(2),
            )
            for number, (width_in, width_out) in enumerate(zip(before, widths, strict=True))
        )
        # On a processor, convolutions of this size run a third faster with the channels innermost.
        self.blocks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Prepared images ``[N, channels, size, size]`` to vectors ``[N, F]``."""
        maps = images.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            maps = block(maps)
        return maps.mean(dim=(2, 3))

    def stages(self) -> list[list[nn.Parameter]]:
        """The parameters of each stage."""
        return [list(block.parameters()) for block in self.blocks]

    def first_filters(self) -> Tensor:
        """The first convolution's weights."""
        return next(self.blocks.parameters()).detach()

    @property
    def form(self) -> SmallCNNForm:
        """All that the network is but its weights."""
        return SmallCNNForm(self.widths, self.preprocessing)


@dataclass(frozen=True)
class SmallCNNForm(Checked, BackboneForm):
    """The form of a `SmallCNN`.

    Arguments:
        widths: channels of each stage.
        preprocessing: what its inputs look like.
    """

    widths: tuple[Count, ...]
    preprocessing: Preprocessing

    def build(self) -> SmallCNN:
        """The network of this form, with random weights."""
        return SmallCNN(self.preprocessing.size, self.preprocessing.channels, self.widths, self.preprocessing)


def _convolution(width_in: int, width_out: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(width_in, width_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(width_out),
        nn.ReLU(inplace=True),
    )
